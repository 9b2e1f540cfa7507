//! V2's access tokens: the client asks for a token when one is needed, and not before.

use crate::support::{answering, chain, response};
use crate::world::{
    CLIENT_SECRET, builder, checkout, credentials, mismatch, outcome, payment, sandbox, v2_builder,
    wants_token,
};
use checkout_client::peach::{Peach, v2::Client};
use checkout_client::{CallError, CallErrorKind, NotSent};
use checkout_sandbox::peach::{Fault, Sandbox};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::peach::Route;
use checkout_transport::bytes::Bytes;
use checkout_transport::{Request, from_fn, from_fn_blocking, from_fn_local, http};
use checkout_validate::SecretString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The number of requests for a token.
fn asked(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path() == "/api/oauth/token").count()
}

/// The token that the sandbox gave last.
fn given(sandbox: &Sandbox) -> SecretString {
    let requests = sandbox.requests();
    let answer = requests.iter().rfind(|request| request.path() == "/api/oauth/token").unwrap();
    let body = String::from_utf8(answer.answered_body().to_vec()).unwrap();
    body.split("\"access_token\":\"").nth(1).unwrap().split('"').next().unwrap().into()
}

/// Authenticates in one of the three forms.
fn authenticate(form: usize, client: &Client, sandbox: &Sandbox) -> Result<(), CallError<Peach>> {
    match form {
        0 => pollster::block_on(client.authenticate(sandbox)),
        1 => pollster::block_on(client.authenticate_local(sandbox)),
        _ => client.authenticate_blocking(sandbox),
    }
}

#[test]
fn a_token_is_requested_once_and_again_shortly_before_its_expiry_in_every_form() {
    // A minute before the end; for a life of less than two minutes, half of the life.
    for (life, good_for) in [(14_400, 14_340), (121, 61), (120, 60), (119, 59), (90, 45), (60, 30), (2, 1)] {
        for as_number in [false, true] {
            for form in 0..3 {
                let sandbox = builder(Environment::Sandbox).access_tokens_last(Duration::from_secs(life));
                let sandbox = if as_number { sandbox.expires_in_as_number() } else { sandbox }.build();
                let client = v2_builder(&sandbox).build().unwrap();
                authenticate(form, &client, &sandbox).unwrap();
                let body = String::from_utf8(sandbox.requests()[0].answered_body().to_vec()).unwrap();
                let quote = if as_number { "" } else { "\"" };
                assert!(body.contains(&format!(r#""expires_in":{quote}{life}{quote}"#)), "{body}");
                for advance in [0, 1, good_for * 1_000 - 2] {
                    sandbox.clock().advance(Duration::from_millis(advance));
                    authenticate(form, &client, &sandbox).unwrap();
                    assert_eq!(asked(&sandbox), 1, "{life} {advance}");
                }
                sandbox.clock().advance(Duration::from_millis(1));
                let error = client.status("c1").unwrap().send_blocking(&sandbox).unwrap_err();
                assert!(wants_token(&error), "{life}");
                authenticate(form, &client, &sandbox).unwrap();
                assert_eq!(asked(&sandbox), 2, "{life}");
            }
        }
    }
}

#[test]
fn a_clone_has_the_same_token_and_a_slow_answer_shortens_the_token_s_life() {
    let sandbox = builder(Environment::Sandbox).access_tokens_last(Duration::from_secs(600)).build();
    let client = v2_builder(&sandbox).build().unwrap();
    sandbox.inject(Fault::Slow(Duration::from_secs(539)));
    client.authenticate_blocking(&sandbox).unwrap();
    client.clone().authenticate_blocking(&sandbox).unwrap();
    assert_eq!(asked(&sandbox), 1);
    sandbox.clock().advance(Duration::from_secs(1));
    client.authenticate_blocking(&sandbox).unwrap();
    assert_eq!(asked(&sandbox), 2);
}

#[test]
fn without_a_token_nothing_is_sent() {
    let client = v2_builder(&sandbox()).build().unwrap();
    let (create, status) = (client.create(&checkout("order-0001")).unwrap(), client.status("c1").unwrap());
    let nowhere = || from_fn(|request: Request| async move { panic!("{} was sent", request.uri()) });
    let local = || from_fn_local(|request: Request| async move { panic!("{} was sent", request.uri()) });
    let blocking = || from_fn_blocking(|request: Request| panic!("{} was sent", request.uri()));
    let path = "POST /v2/checkout";
    for (error, operation) in [
        (create.attempt(Moment::from_unix_millis(0), "n").unwrap_err(), path),
        (create.send_blocking(&blocking()).unwrap_err(), path),
        (pollster::block_on(create.send(&nowhere())).unwrap_err(), path),
        (pollster::block_on(create.send_local(&local())).unwrap_err(), path),
        (status.send_blocking(&blocking()).unwrap_err(), "GET /v2/checkout/{checkoutId}/status"),
    ] {
        assert!(wants_token(&error) && !error.may_have_been_processed());
        assert_eq!(chain(&error), [format!("{operation}: there is no access token to send")]);
    }
}

#[test]
fn a_token_source_of_the_caller_s_is_used_and_never_filled() {
    let sandbox = sandbox();
    v2_builder(&sandbox).build().unwrap().authenticate_blocking(&sandbox).unwrap();
    let token = Arc::new(Mutex::new(None::<SecretString>));
    let source = Arc::clone(&token);
    let client = v2_builder(&sandbox).tokens(move |_| source.lock().unwrap().clone()).build().unwrap();
    for form in 0..3 {
        let error = authenticate(form, &client, &sandbox).unwrap_err();
        assert!(wants_token(&error) && !error.may_have_been_processed());
        assert_eq!(chain(&error), ["POST /api/oauth/token: there is no access token to send"]);
    }
    assert_eq!(asked(&sandbox), 1);

    *token.lock().unwrap() = Some(given(&sandbox));
    for form in 0..3 {
        authenticate(form, &client, &sandbox).unwrap();
    }
    client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap();
    // A caller's own source is not the client's to forget.
    client.forget_token();
    authenticate(2, &client, &sandbox).unwrap();
    assert_eq!(asked(&sandbox), 1);
}

#[test]
fn a_refused_token_is_forgotten_and_another_is_requested() {
    let sandbox = builder(Environment::Sandbox).access_tokens_last(Duration::from_secs(600)).build();
    let client = v2_builder(&sandbox).build().unwrap();
    client.authenticate_blocking(&sandbox).unwrap();
    let created = |client: &Client| {
        outcome(client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox), |created| {
            format!("created {}", created.checkout_id.as_deref().unwrap().len())
        })
    };
    assert_eq!(created(&client), "created 32");
    // A forged token, another client's token, and an expired token.
    let expired = given(&sandbox);
    sandbox.clock().advance(Duration::from_secs(600));
    for bad in ["sbx.forged".into(), SecretString::from(""), expired] {
        let of_old = v2_builder(&sandbox).tokens(move |_| Some(bad.clone())).build().unwrap();
        assert_eq!(created(&of_old), "refused with 401");
        let status = of_old.status(&sandbox.checkouts()[0].checkout_id).unwrap();
        assert_eq!(outcome(status.send_blocking(&sandbox), payment), "refused with 401");
        let error = of_old.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap_err();
        assert!(!error.may_have_been_processed());
    }
    // The token is revoked: the API or a gateway in front of the API answers 401, to a create or to a status.
    for (number, route) in [Route::CreateCheckout, Route::CheckoutStatus].into_iter().enumerate() {
        client.authenticate_blocking(&sandbox).unwrap();
        client.authenticate_blocking(&sandbox).unwrap();
        assert_eq!(asked(&sandbox), 2 + number);
        sandbox.inject_on(route, Fault::EmptyUnauthorized);
        let refused = if route == Route::CreateCheckout {
            created(&client)
        } else {
            let status = client.status(&sandbox.checkouts()[0].checkout_id).unwrap();
            outcome(status.send_blocking(&sandbox), payment)
        };
        assert_eq!(refused, "not the API: 401");
        let error = client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap_err();
        assert!(wants_token(&error));
    }
    client.authenticate_blocking(&sandbox).unwrap();
    client.forget_token();
    let error = client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap_err();
    assert!(wants_token(&error));
    client.authenticate_blocking(&sandbox).unwrap();
    assert_eq!(asked(&sandbox), 5);
    assert_eq!(created(&client), "created 32");
}

#[test]
fn a_text_that_no_header_carries_is_no_token_to_send() {
    let sandbox = sandbox();
    for bad in ["a\r\nx-evil: 1", "a\0"] {
        let client = v2_builder(&sandbox).tokens(move |_| Some(bad.into())).build().unwrap();
        let error = client.status("c1").unwrap().send_blocking(&sandbox).unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Request)), "{error:?}");
        assert!(!error.may_have_been_processed());
        assert!(!format!("{error} {error:?}").contains("evil"));
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn the_reason_for_a_missing_token_is_reported() {
    let sandbox = sandbox();
    let mut wrong = credentials();
    wrong.client_secret = format!("{CLIENT_SECRET}x").into();
    let wrong = Client::builder(crate::world::ENTITY, wrong).environment(Environment::Sandbox);
    let wrong = wrong
        .referer("https://shop.example")
        .clock(|| Moment::from_unix_millis(0))
        .nonces(|| "n".to_owned())
        .build()
        .unwrap();
    let right = v2_builder(&sandbox).build().unwrap();
    let post = "POST /api/oauth/token:";
    for form in 0..3 {
        for (client, fault, expected) in [
            (&wrong, None, format!("{post} refused with HTTP status 401: Invalid credentials.")),
            (&right, Some(Fault::LostBefore), format!("{post} the request was not sent")),
            (
                &right,
                Some(Fault::LostAnswer),
                format!("{post} there is no response, and whether the request was delivered is unknown"),
            ),
            (
                &right,
                Some(Fault::EmptyUnauthorized),
                format!("{post} not an answer of the API's: HTTP status 401"),
            ),
            (
                &right,
                Some(Fault::InternalError),
                format!("{post} refused with HTTP status 500: Internal server error."),
            ),
        ] {
            fault.into_iter().for_each(|fault| sandbox.inject(fault));
            let error = authenticate(form, client, &sandbox).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!chain(&error).concat().contains(CLIENT_SECRET));
            assert!(
                wants_token(
                    &client.status("c1").unwrap().attempt(Moment::from_unix_millis(0), "").unwrap_err()
                ),
                "{expected}"
            );
        }
    }
}

#[test]
fn only_a_bearer_token_that_a_header_carries_is_kept() {
    let sandbox = sandbox();
    for (body, expected) in [
        (r#"{"access_token":"a","expires_in":600,"token_type":"Bearer"}"#, "kept"),
        (r#"{"access_token":"a","expires_in":"600","token_type":"bearer"}"#, "kept"),
        (r#"{"access_token":"a","expires_in":600}"#, "kept"),
        (r#"{"access_token":"a","expires_in":0}"#, "expires at once"),
        (r#"{"access_token":"a","expires_in":1}"#, "expires at once"),
        (r#"{"access_token":"","expires_in":600}"#, "access_token"),
        (r#"{"access_token":"a b","expires_in":600}"#, "access_token"),
        (r#"{"access_token":"a\r\nb","expires_in":600}"#, "access_token"),
        (r#"{"access_token":"ü","expires_in":600}"#, "access_token"),
        (r#"{"access_token":"a","expires_in":600,"token_type":"mac"}"#, "token_type"),
        (r#"{"access_token":"a","expires_in":-1}"#, "unreadable"),
        (r#"{"access_token":"a","expires_in":"soon"}"#, "unreadable"),
        (r#"{"access_token":"a"}"#, "unreadable"),
        (r#"{"access_token":1,"expires_in":600}"#, "unreadable"),
    ] {
        let client = v2_builder(&sandbox).build().unwrap();
        let told = match client.authenticate_blocking(&answering(response(200, &[], body.as_bytes()))) {
            Ok(()) => {
                let now = sandbox.clock().now();
                if client.status("c1").unwrap().attempt(now, "").is_ok() { "kept" } else { "not kept" }
            }
            Err(error) if matches!(error.kind(), CallErrorKind::NotSent(NotSent::AccessTokenExpired)) => {
                "expires at once"
            }
            Err(error) if matches!(error.kind(), CallErrorKind::Unreadable(_)) => "unreadable",
            Err(error) => mismatch(&error).unwrap(),
        };
        assert_eq!(told, expected, "{body}");
    }
}

#[test]
fn a_401_to_the_call_for_a_token_forgets_no_token() {
    let sandbox = sandbox();
    let client = v2_builder(&sandbox).build().unwrap();
    client.authenticate_blocking(&sandbox).unwrap();
    sandbox.inject_on(Route::Token, Fault::EmptyUnauthorized);
    let refused = client.token().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.http_status(), Some(401));
    client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap();
}

#[test]
fn a_late_401_for_an_old_token_keeps_the_new_token() {
    let sandbox = sandbox();
    let client = v2_builder(&sandbox).build().unwrap();
    client.authenticate_blocking(&sandbox).unwrap();
    let create = client.create(&checkout("order-0001")).unwrap();
    // The attempt carries the old token, and the answer is late.
    let (_, reader) = create.attempt(client.now(), "nonce-1").unwrap().into_parts();
    client.forget_token();
    sandbox.clock().advance(Duration::from_secs(1));
    client.authenticate_blocking(&sandbox).unwrap();
    let unauthorized = http::Response::builder().status(401).body(Bytes::new()).unwrap();
    reader.read(&unauthorized).unwrap_err();
    create.send_blocking(&sandbox).unwrap();
    assert_eq!(asked(&sandbox), 2);
}
