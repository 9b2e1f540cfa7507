//! Whose checkout it is.

use crate::world::{API_KEY, PROJECT, TENANT, client_of, latest, stored};
use checkout_sandbox::azotte::{Sandbox, Tenant};
use checkout_wire::{NotDone, Reply};

const OTHER_TENANT: &str = "00000000-0000-4000-8000-000000000002";

fn sandbox(conceals: bool) -> Sandbox {
    let builder = Sandbox::builder().tenant(Tenant::new(TENANT, API_KEY).project(PROJECT));
    let builder = builder.tenant(Tenant::new(OTHER_TENANT, "sk_other").project("other"));
    if conceals { builder.conceals_other_tenants().build() } else { builder.build() }
}

/// The HTTP status of what comes instead of an answer, and the code that it has.
fn check(sandbox: &Sandbox, [project, tenant, key]: [&str; 3], number: Option<&str>) -> String {
    let client = client_of(sandbox, project, tenant, key);
    let call = match number {
        Some(number) => client.status(number).unwrap(),
        None => client.submit(&stored("order-2")),
    };
    let received = call.send_blocking(sandbox).unwrap();
    assert!(received.observation().is_none() || matches!(received.reply, Reply::Done(_)));
    match received.into_answer() {
        Ok(answer) => answer.payload.status.message_code.text().to_owned(),
        Err(error) => match error.not_done() {
            NotDone::Refused(refusal) => {
                assert_eq!(refusal.is_not_readable(), !error.may_have_been_done());
                let code = refusal.message_code.as_ref().map(|code| code.text());
                format!("refused {} {}", refusal.http_status, code.unwrap_or("with a problem"))
            }
            NotDone::NotTheApi(other) => format!("not the API {}", other.status),
        },
    }
}

#[test]
fn a_tenant_reads_its_own_checkouts_alone_whether_the_others_are_concealed_or_not() {
    let (mine, other) = ([PROJECT, TENANT, API_KEY], ["other", OTHER_TENANT, "sk_other"]);
    for (conceals, expected) in
        [(false, "refused 409 with a problem"), (true, "refused 404 ORDERED_ITEM_NOT_FOUND")]
    {
        let sandbox = sandbox(conceals);
        let client = client_of(&sandbox, PROJECT, TENANT, API_KEY);
        client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap().into_answer().unwrap();
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
fn who_is_not_let_in_gets_401_without_an_envelope_and_nothing_is_made() {
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

#[test]
fn two_tenants_may_use_one_correlation_id() {
    let sandbox = sandbox(false);
    let mut numbers = Vec::new();
    for [project, tenant, key] in [[PROJECT, TENANT, API_KEY], ["other", OTHER_TENANT, "sk_other"]] {
        let client = client_of(&sandbox, project, tenant, key);
        let submitted = client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap().into_answer();
        numbers.push(submitted.unwrap().payload.tracking_number.unwrap());
    }
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(sandbox.checkouts().len(), 2);
}
