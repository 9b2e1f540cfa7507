//! The owner of a checkout.

use crate::support::{answering, response};
use crate::world::{API_KEY, PROJECT, TENANT, client_at, client_of, latest, stored};
use checkout_client::azotte::Azotte;
use checkout_client::{Answer, CallError, CallErrorKind, CreateOutcome, Readable, RetryAdvice};
use checkout_sandbox::azotte::{Sandbox, Tenant};
use checkout_wire::azotte::CheckoutResult;

const OTHER_TENANT: &str = "00000000-0000-4000-8000-000000000002";

fn sandbox(conceals: bool) -> Sandbox {
    let builder = Sandbox::builder().tenant(Tenant::new(TENANT, API_KEY).project(PROJECT));
    let builder = builder.tenant(Tenant::new(OTHER_TENANT, "sk_other").project("other"));
    if conceals { builder.conceals_other_tenants().build() } else { builder.build() }
}

/// The code of an answer, or else the HTTP status and the code of the response.
fn check(sandbox: &Sandbox, [project, tenant, key]: [&str; 3], number: Option<&str>) -> String {
    let client = client_of(sandbox, project, tenant, key);
    match number {
        Some(number) => told(client.status(number).unwrap().send_blocking(sandbox), |result| result),
        None => told(client.submit(&stored("order-2")).send_blocking(sandbox), |submitted| &submitted.result),
    }
}

fn told<T: Readable<Provider = Azotte>>(
    outcome: Result<Answer<T>, CallError<Azotte>>,
    result: fn(&T) -> &CheckoutResult<'static>,
) -> String {
    let error = match outcome {
        Ok(answer) => return result(&answer.payload).status.message_code.text().to_owned(),
        Err(error) => error,
    };
    if let Some(refusal) = error.refusal() {
        assert_eq!(refusal.is_not_readable(), !error.may_have_been_processed());
        let code = refusal.message_code.as_ref().map(|code| code.text());
        return format!("refused {} {}", refusal.http_status, code.unwrap_or("with a problem"));
    }
    let CallErrorKind::UnexpectedResponse(other) = error.kind() else { panic!("{error}") };
    // A sender who is not let in has started nothing.
    assert!(!error.may_have_been_processed());
    format!("not the API {}", other.status)
}

#[test]
fn a_tenant_reads_its_own_checkouts_alone() {
    let (mine, other) = ([PROJECT, TENANT, API_KEY], ["other", OTHER_TENANT, "sk_other"]);
    for (conceals, expected) in
        [(false, "refused 409 with a problem"), (true, "refused 404 ORDERED_ITEM_NOT_FOUND")]
    {
        let sandbox = sandbox(conceals);
        let client = client_of(&sandbox, PROJECT, TENANT, API_KEY);
        client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap();
        let number = &*latest(&sandbox).tracking_number;
        assert_eq!(check(&sandbox, mine, Some(number)), "CHECK_OUT_PROCESSING");
        assert_eq!(check(&sandbox, other, Some(number)), expected);
        for nobodys in ["trk_0", "a/b", "a?b", "%74rk", "ü", "\"", ".."] {
            if nobodys == ".." {
                assert!(client.status(nobodys).is_err());
                continue;
            }
            let told = check(&sandbox, mine, Some(nobodys));
            assert_eq!(told, "refused 404 ORDERED_ITEM_NOT_FOUND", "{nobodys}");
        }
    }
}

#[test]
fn a_sender_that_is_not_let_in_gets_401_without_an_envelope_and_makes_nothing() {
    let sandbox = sandbox(false);
    for who in [
        [PROJECT, OTHER_TENANT, API_KEY],
        [PROJECT, TENANT, "sk_other"],
        [PROJECT, TENANT, "SK_PLANTED_KEY"],
        ["other", TENANT, API_KEY],
        [PROJECT, "nobody", API_KEY],
    ] {
        assert_eq!(check(&sandbox, who, None), "not the API 401", "{who:?}");
        assert_eq!(check(&sandbox, who, Some("trk_1")), "not the API 401", "{who:?}");
    }
    assert!(sandbox.checkouts().is_empty());
}

/// The headers and the body of an answer.
type Sent = (&'static [(&'static str, &'static str)], &'static [u8]);

/// By Azotte's pages a 401 has no envelope, and its other refusals are problems (RFC 9457).
#[test]
fn a_401_or_403_of_azotte_s_own_proves_that_nothing_was_done_and_a_gateway_s_page_does_not() {
    let client = client_at(0);
    let problem = br#"{"type":"about:blank","title":"Unauthorized","status":401}"#;
    let code = br#"{"status":{"messageCode":"NOT_ALLOWED"}}"#;
    let own: [Sent; 6] = [
        (&[], b""),
        (&[("content-type", "application/clientOutput+Json")], b""),
        (&[("www-authenticate", "ApiKey")], b" \r\n"),
        (&[("content-type", "application/problem+json")], problem),
        (&[], problem),
        (&[], code),
    ];
    let page = b"<html><h1>401 Authorization Required</h1></html>";
    let others: [Sent; 9] = [
        (&[("content-type", "text/html")], page),
        (&[], page),
        (&[("content-type", "application/json")], page),
        (&[("content-type", "text/html")], b""),
        (&[("location", "https://login.example/")], b""),
        (&[("content-type", "application/json")], br#"{"error":"forbidden"}"#),
        (&[], br#"{"message":"Forbidden"}"#),
        (&[], b"Unauthorized"),
        // A stage of a checkout: a checkout was started.
        (&[], br#"{"status":{"messageCode":"CHECK_OUT_PROCESSING"}}"#),
    ];
    let submit = client.submit(&stored("order-1"));
    let told = |status, headers, body| {
        let error = submit.send_blocking(&answering(response(status, headers, body))).unwrap_err();
        (error.may_have_been_processed(), error.retry())
    };
    let outcome = |status, headers, body| {
        CreateOutcome::of(submit.send_blocking(&answering(response(status, headers, body))))
    };
    for status in [401, 403] {
        for (headers, body) in own {
            let said = String::from_utf8_lossy(body);
            let outcome = outcome(status, headers, body);
            let is_set_up = matches!(outcome, CreateOutcome::SetUp { may_have_been_processed: false, .. });
            assert!(is_set_up, "{status} {headers:?} {said}");
            // A repeat does not mend a key.
            assert_eq!(
                told(status, headers, body),
                (false, RetryAdvice::Never),
                "{status} {headers:?} {said}"
            );
        }
        for (headers, body) in others {
            let said = String::from_utf8_lossy(body);
            assert_eq!(
                told(status, headers, body),
                (true, RetryAdvice::Never),
                "{status} {headers:?} {said}"
            );
            let is_unknown = matches!(outcome(status, headers, body), CreateOutcome::Unknown(_));
            assert!(is_unknown, "{status} {headers:?} {said}");
        }
    }
    // No other status proves anything of a submit, whatever its form.
    for status in [400, 404, 407, 409, 429, 500, 502] {
        for (headers, body) in own {
            assert!(told(status, headers, body).0, "{status} {headers:?}");
        }
    }
}

#[test]
fn two_tenants_may_use_one_correlation_id() {
    let sandbox = sandbox(false);
    let mut numbers = Vec::new();
    for [project, tenant, key] in [[PROJECT, TENANT, API_KEY], ["other", OTHER_TENANT, "sk_other"]] {
        let client = client_of(&sandbox, project, tenant, key);
        let submitted = client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap();
        numbers.push(submitted.payload.tracking_number);
    }
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(sandbox.checkouts().len(), 2);
}
