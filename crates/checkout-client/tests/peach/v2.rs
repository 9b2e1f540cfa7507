//! Checkouts of V2.

use crate::support::{Form, Recorder, answering, counted_nonces, response, sensitive};
use crate::world::{
    ENTITY, REFERER, advance, builder, checkout, checkout_of, client, initiated, latest, mismatch, observe,
    outcome, payment, sandbox, secret, v2_builder,
};
use checkout_auth::peach::SecretToken;
use checkout_client::NonceSource;
use checkout_client::peach::{OtherEntity, v2};
use checkout_lifecycle::{Failure, Phase, Tracker};
use checkout_money::Cents;
use checkout_sandbox::peach::{Fault, Sandbox, Scenario};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::peach::{
    Currency, RecurringType, Route, StandingInstructionMode, StandingInstructionType,
};
use checkout_validate::peach::{Draft, StandingInstruction};
use std::time::Duration;

/// A client that has a token, and knows this secret token.
fn authenticated(sandbox: &Sandbox, secret: Option<SecretToken>) -> v2::Client {
    let builder = v2_builder(sandbox);
    let client =
        secret.into_iter().fold(builder, |builder, secret| builder.secret_token(secret)).build().unwrap();
    client.authenticate_blocking(sandbox).unwrap();
    client
}

#[test]
fn a_checkout_is_created_and_read_to_its_end_in_every_form() {
    for (scenario, expected) in [
        (Scenario::happy(), Phase::Succeeded),
        (Scenario::authorized(), Phase::Authorized),
        (Scenario::cancelled(), Phase::Failed(Failure::Canceled)),
        (Scenario::uncertain(), Phase::Failed(Failure::Expired)),
        (Scenario::late_success_after_expired(), Phase::Succeeded),
        (Scenario::risk_check_only(), Phase::Failed(Failure::Expired)),
    ] {
        let mut walks = Vec::new();
        for form in Form::ALL {
            let sandbox = sandbox();
            sandbox.next_checkout(scenario.clone());
            let (client, recorder, nonces) =
                (v2_builder(&sandbox).build().unwrap(), Recorder::before(&sandbox), counted_nonces());
            client.authenticate_blocking(&recorder).unwrap();
            assert_eq!(nonces.nonce(), "nonce-1"); // which is the token's
            let now = || sandbox.clock().now();
            let create = client.create(&checkout("order-0001")).unwrap();
            let created = form.ask(&create, &recorder, now(), &nonces).unwrap().payload;
            let id = created.checkout_id.unwrap();
            assert_eq!(id, latest(&sandbox).checkout_id);
            assert!(created.redirect_url.as_str().starts_with("https://testsecure.peachpayments.com/"));
            let status = client.status(&id).unwrap();
            let (mut tracker, mut told) = (Tracker::new(), Vec::new());
            for _ in 0..120 {
                let answer = form.ask(&status, &recorder, now(), &nonces).unwrap();
                told.push(observe(&answer, &mut tracker));
                sandbox.clock().advance(answer.poll_after());
            }
            assert_eq!(tracker.phase(), Some(expected), "{}", scenario.name());
            walks.push((told, recorder.seen()));
        }
        assert!(walks.iter().all(|walk| *walk == walks[0]), "{}", scenario.name());
    }
}

#[test]
fn a_request_has_the_documented_headers_and_no_others() {
    let sandbox = sandbox();
    let (client, recorder) = (v2_builder(&sandbox).build().unwrap(), Recorder::before(&sandbox));
    client.authenticate_blocking(&recorder).unwrap();
    let create = client.create(&checkout("order-0001")).unwrap();
    create.send_blocking(&recorder).unwrap();
    let id = latest(&sandbox).checkout_id;
    let status = client.status(&id).unwrap();
    status.send_blocking(&recorder).unwrap();
    let token = sandbox.requests()[1].headers()["authorization"].to_str().unwrap().to_owned();
    let body = String::from_utf8(create.body().to_vec()).unwrap();
    let body = body.strip_suffix('}').unwrap();
    assert!(body.contains(&format!(r#""authentication.entityId":"{ENTITY}""#)));
    let host = "https://testsecure.peachpayments.com/v2/checkout";
    let json = "accept: application/json\n";
    let sent_as_json = "content-type: application/json\n";
    assert_eq!(
        recorder.seen(),
        [
            format!(
                "POST https://sandbox-dashboard.peachpayments.com/api/oauth/token\n{json}{sent_as_json}\n\
                 {{\"clientId\":\"my_client\",\"clientSecret\":\"planted_client_secret_88\",\
                 \"merchantId\":\"my_merchant\"}}"
            ),
            format!(
                "POST {host}\n{json}authorization: {token}\nreferer: {REFERER}\n{sent_as_json}\n\
                 {body},\"nonce\":\"nonce-2\"}}"
            ),
            format!("GET {host}/{id}/status\n{json}authorization: {token}\n\n"),
        ]
    );
    assert!(token.starts_with("Bearer sbx."));
    let now = sandbox.clock().now();
    assert_eq!(sensitive(create.attempt(now, "n").unwrap().request()), ["authorization"]);
    assert_eq!(sensitive(status.attempt(now, "").unwrap().request()), ["authorization"]);
    // The credentials are in the request alone.
    assert!(client.token().body().is_empty());
}

/// The outcomes of a request that a fault waits for: create, and a status without the secret token, with the
/// right secret token, and with another.
fn check(fault: &Fault) -> [String; 4] {
    let other = SecretToken::new("another secret".into()).unwrap();
    let world = |secret| {
        let sandbox = sandbox();
        let client = authenticated(&sandbox, secret);
        client.create(&checkout("order-0000")).unwrap().send_blocking(&sandbox).unwrap();
        advance(&sandbox, 60);
        sandbox.inject(fault.clone());
        (latest(&sandbox).checkout_id, sandbox, client)
    };
    let (_, sandbox, client) = world(None);
    let created = client.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox);
    let made = sandbox.checkouts().len() - 1;
    let sure = created.as_ref().is_err_and(|error| !error.may_have_been_processed());
    assert!(!sure || made == 0, "{fault:?}: nobody is told that nothing was made when it was");
    let created = outcome(created, |_| "created".to_owned());
    let create = format!("{created}{}, {made} made", if sure { " for sure" } else { "" });
    let status = |secret| {
        let (id, sandbox, client) = world(secret);
        outcome(client.status(&id).unwrap().send_blocking(&sandbox), payment)
    };
    [create, status(None), status(Some(secret())), status(Some(other))]
}

#[test]
fn every_fault_has_its_outcome() {
    const FINE: &str = "Successful 92.00";
    const SIGNATURE: &str = "unknown: not authentic";
    const OTHER: &str = "unknown: checkoutId is not what was asked for";
    const CREATED: &str = "created, 1 made";
    for (fault, expected) in [
        (Fault::Slow(std::time::Duration::from_secs(5)), [CREATED, FINE, FINE, SIGNATURE]),
        (Fault::LostBefore, ["not sent for sure, 0 made", "not sent", "not sent", "not sent"]),
        (Fault::LostRequest, ["unknown, 0 made", "unknown", "unknown", "unknown"]),
        (Fault::LostAnswer, ["unknown, 1 made", "unknown", "unknown", "unknown"]),
        (Fault::HtmlBadGateway, {
            ["not the API: 502, 1 made", "not the API: 502", "not the API: 502", "not the API: 502"]
        }),
        (Fault::EmptyUnauthorized, {
            ["not the API: 401, 0 made", "not the API: 401", "not the API: 401", "not the API: 401"]
        }),
        (Fault::RateLimited, {
            let refused = "refused with 429 for 30 s";
            ["refused with 429 for 30 s, 0 made", refused, refused, refused]
        }),
        (Fault::LateInternalError, {
            ["refused with 500, 1 made", "refused with 500", "refused with 500", "refused with 500"]
        }),
        (Fault::Refused("200.300.404".into()), {
            let refused = "refused with 400 200.300.404";
            ["refused with 400 200.300.404 for sure, 0 made", refused, refused, refused]
        }),
        (Fault::Unsigned, [CREATED, FINE, FINE, FINE]),
        (Fault::TamperedSignature, [CREATED, FINE, SIGNATURE, SIGNATURE]),
        // The client without the secret token has TLS alone.
        (Fault::TamperedAmount, [CREATED, "Successful 0.01", SIGNATURE, SIGNATURE]),
        (Fault::ExtraUnsignedKey, [CREATED, FINE, SIGNATURE, SIGNATURE]),
        (Fault::ExtraSignedKey, [CREATED, FINE, FINE, SIGNATURE]),
        (Fault::NumbersForTexts, [CREATED, FINE, FINE, SIGNATURE]),
        (Fault::SwappedCheckout, [CREATED, OTHER, OTHER, SIGNATURE]),
    ] {
        assert_eq!(check(&fault), expected, "{fault:?}");
    }
}

#[test]
fn an_unknown_id_is_not_found() {
    let sandbox = sandbox();
    let client = authenticated(&sandbox, None);
    for id in ["0123456789abcdef0123456789abcdef", "a..b", "9A3F.uat01-vm-tx02"] {
        let read = client.status(id).unwrap().send_blocking(&sandbox);
        assert!(read.as_ref().is_err_and(|error| !error.may_have_been_processed()));
        assert_eq!(outcome(read, payment), "refused with 404 200.300.404", "{id}");
    }
    let other = checkout_of("8ac7a4ca00000000000000005a4d0b78", "order-0001");
    assert_eq!(client.create(&other).unwrap_err(), OtherEntity);
}

#[test]
fn a_checkout_of_either_version_is_read_by_the_other() {
    let sandbox = sandbox();
    let (v1, v2) = (client(&sandbox), authenticated(&sandbox, Some(secret())));
    let of_v1 = initiated(&sandbox, &v1, "order-0001").checkout_id;
    v2.create(&checkout("order-0002")).unwrap().send_blocking(&sandbox).unwrap();
    advance(&sandbox, 60);
    let by_v2 = v2.status(&of_v1).unwrap().send_blocking(&sandbox);
    let by_v1 = v1.status(crate::world::by("order-0002")).send_blocking(&sandbox);
    assert_eq!([outcome(by_v2, payment), outcome(by_v1, payment)], ["Successful 92.00"; 2]);
}

#[test]
fn a_created_checkout_can_be_paid_under_every_id() {
    let sandbox = sandbox();
    let create = authenticated(&sandbox, None).create(&checkout("order-0001")).unwrap();
    for (id, page, expected) in [
        ("c1", "https://h/", None),
        // The outcome has the page: a payer may pay there.
        ("", "https://h/", None),
        ("..", "https://h/", None),
        ("a/b", "https://h/", None),
        ("c1", "http://h/", Some("redirectUrl")),
        ("c1", "javascript:1", Some("redirectUrl")),
    ] {
        let body = format!(r#"{{"checkoutId":"{id}","redirectUrl":"{page}"}}"#);
        let transport = answering(response(200, &[], body.as_bytes()));
        let error = create.send_blocking(&transport).err();
        assert_eq!(error.map(|error| mismatch(&error).unwrap()), expected, "{id} {page}");
    }
}

#[test]
fn the_id_of_a_created_checkout_comes_as_checkout_id_or_id_and_serves_the_reads() {
    let sandbox = sandbox();
    let client = authenticated(&sandbox, None);
    let create = client.create(&checkout("order-0001")).unwrap();
    for ids in [r#""checkoutId":"c01b""#, r#""id":"c01b""#, r#""checkoutId":[],"id":"c01b""#] {
        let body = format!(r#"{{{ids},"redirectUrl":"https://h/"}}"#);
        let transport = answering(response(200, &[], body.as_bytes()));
        let created = create.send_blocking(&transport).unwrap().payload;
        let id = created.checkout_id.unwrap();
        assert_eq!(client.watch(&id).unwrap().full_call().path(), "/v2/checkout/c01b/status", "{ids}");
    }
}

/// A draft that stores a card, offers a stored card, and names the purpose.
fn storing() -> Draft<'static> {
    let instruction =
        StandingInstruction::new(StandingInstructionMode::Initial, StandingInstructionType::Recurring)
            .recurring_type(RecurringType::Subscription)
            .frequency(30)
            .expiry("2029-12-31");
    let draft = Draft::debit(Currency::ZAR, Cents::new(9_200))
        .entity_id(ENTITY)
        .merchant_transaction_id("order-0001");
    let draft = draft.shopper_result_url("https://shop.example/").create_registration(true);
    draft.card_token(CARD_TOKEN).standing_instruction(instruction)
}

const CARD_TOKEN: &str = "8ac7a49f8e9f15d2018ea09b285f0eaa";

/// Public: the API reference of `POST /v2/checkout`, 1.0.0, and Peach's own plugin for WooCommerce, 4.0.2.
#[test]
fn stored_cards_are_sent_in_the_types_of_the_reference_and_the_registration_comes_back() {
    let sandbox = sandbox();
    let (client, recorder) = (v2_builder(&sandbox).build().unwrap(), Recorder::before(&sandbox));
    client.authenticate_blocking(&sandbox).unwrap();
    let checkout = storing().check().unwrap();
    let create = client.create(&checkout).unwrap();
    let created = create.send_blocking(&recorder).unwrap().payload;
    let sent = recorder.seen().pop().unwrap();
    let expected = format!(
        "\"createRegistration\":true,\"cardTokens\":[\"{CARD_TOKEN}\"],\"standingInstruction\":{{\"mode\":\"INITIAL\",\
         \"type\":\"RECURRING\",\"recurringType\":\"SUBSCRIPTION\",\"frequency\":30,\"expiry\":\"2029-12-31\"}},\
         \"nonce\":"
    );
    assert!(sent.contains(&expected), "{sent}");
    assert!(!format!("{create:?} {checkout:?}").contains(CARD_TOKEN));
    let status = client.status(&created.checkout_id.unwrap()).unwrap();
    let read = || status.send_blocking(&sandbox).unwrap().payload;
    assert_eq!(read().registration_id(), None);
    sandbox.clock().advance(Duration::from_secs(60));
    let paid = read();
    let registration = paid.registration_id().unwrap();
    assert_eq!(registration.as_str().len(), 32);
    assert!(!format!("{paid:?} {registration:?}").contains(registration.as_str()));
    // The stored card pays again, as the card of the customer's next checkout.
    let again = storing().card_token(registration.as_str()).check().unwrap();
    client.create(&again).unwrap().send_blocking(&sandbox).unwrap();
}

#[test]
fn a_card_is_stored_without_a_payment_by_a_preauthorization_of_nothing() {
    let sandbox = sandbox();
    let client = authenticated(&sandbox, None);
    let draft = Draft::preauthorization(Currency::ZAR, Cents::ZERO)
        .entity_id(ENTITY)
        .merchant_transaction_id("order-0001");
    let draft = draft.shopper_result_url("https://shop.example/").create_registration(true);
    let create = client.create(&draft.check().unwrap()).unwrap();
    let id = create.send_blocking(&sandbox).unwrap().payload.checkout_id.unwrap();
    sandbox.clock().advance(Duration::from_secs(60));
    let read = client.status(&id).unwrap().send_blocking(&sandbox).unwrap().payload;
    // No money has come.
    assert_eq!(payment(&read), "Authorized 0.00");
    assert!(read.registration_id().is_some());
}

#[test]
fn v1_sends_stored_cards_as_texts_that_are_signed() {
    let sandbox = sandbox();
    let (client, recorder) = (client(&sandbox), Recorder::before(&sandbox));
    let draft =
        Draft { standing_instruction: None, ..storing() }.card_token("8ac7a49f8e9f15d2018ea09b285f0acc");
    let initiate = client.initiate(&draft.check().unwrap()).unwrap();
    initiate.send_blocking(&recorder).unwrap();
    let sent = recorder.seen().pop().unwrap();
    let expected = format!(
        r#""createRegistration":"true","cardTokens":"{CARD_TOKEN},8ac7a49f8e9f15d2018ea09b285f0acc","nonce":"#
    );
    assert!(sent.contains(&expected), "{sent}");
    sandbox.clock().advance(Duration::from_secs(60));
    let read = client.status(crate::world::by("order-0001")).send_blocking(&sandbox).unwrap();
    assert!(read.payload.registration_id().is_some());
}

#[test]
fn a_status_is_never_read_by_an_id_that_the_page_forbids() {
    let client = v2_builder(&sandbox()).build().unwrap();
    let (most, too_long) = ("x".repeat(48), "x".repeat(49));
    assert!(client.status(&most).is_ok() && client.watch(&most).is_ok());
    for (id, expected) in [
        (&*too_long, "checkoutId: 49 characters long, and Payment status allows 48 (AN48)"),
        ("", "checkoutId: empty"),
        ("..", "checkoutId: an id of one or two dots is resolved away in a path"),
        (
            "a b/ä",
            "checkoutId: the character at byte 1 is no ASCII letter, digit, hyphen, dot or underscore, and Payment status \
             allows no other (AN48)",
        ),
    ] {
        assert_eq!(client.status(id).unwrap_err().to_string(), expected);
        assert_eq!(client.watch(id).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_live_client_has_hosts_of_its_own() {
    let sandbox = builder(Environment::Live).build();
    let clock = sandbox.clock().clone();
    let live =
        v2_builder(&sandbox).environment(Environment::Live).clock(move || clock.now()).build().unwrap();
    assert_eq!(live.environment(), Environment::Live);
    live.authenticate_blocking(&sandbox).unwrap();
    live.create(&checkout("order-0001")).unwrap().send_blocking(&sandbox).unwrap();
    let hosts: Vec<_> = sandbox.requests().iter().map(|request| request.host().to_owned()).collect();
    assert_eq!(hosts, ["dashboard.peachpayments.com", "secure.peachpayments.com"]);
    // A base URL takes the place of the host.
    let local = v2_builder(&sandbox).base_url("http://localhost:1").auth_url("http://localhost:2");
    let local = local.tokens(|_| Some("t".into())).build().unwrap();
    let uri = |uri: &checkout_transport::http::Uri| uri.to_string();
    assert_eq!(
        uri(local.token().attempt(Moment::from_unix_millis(0), "").unwrap().request().uri()),
        "http://localhost:2/api/oauth/token"
    );
    let status = local.status("c1").unwrap();
    let expected = "http://localhost:1/v2/checkout/c1/status";
    assert_eq!(uri(status.attempt(Moment::from_unix_millis(0), "").unwrap().request().uri()), expected);
    assert_eq!(status.route(), Route::CheckoutStatus);
}
