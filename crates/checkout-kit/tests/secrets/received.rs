//! Messages that come in by themselves: webhooks, returns and signed answers, each really signed, and the
//! values made of them. And the messages that somebody sends in their place, so that the errors have all
//! texts before them.

use super::*;
use checkout_auth::allscale::{headers, response, webhook};
use checkout_auth::peach::header;
use checkout_auth::{HeaderError, HeaderProblem, MessageError};
use checkout_lifecycle::Moment;
use checkout_trust::replay::{Claim, Guard, Identity, InPlace, Key, MemoryStore, Scheme};
use checkout_trust::settlement::{self, Policy, Read, Settlement};
use checkout_trust::{allscale as trust_allscale, peach as trust_peach};
use std::collections::HashSet;
use std::mem::discriminant;
use std::time::Duration;

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

fn second(seconds: i64) -> Moment {
    Moment::from_unix_seconds(seconds)
}

pub(super) fn received(list: &mut List) {
    let mut problems = HashSet::new();
    allscale_webhooks(list, &mut problems);
    allscale_answers(list, &mut problems);
    peach_headers(list, &mut problems);
    for problem in &problems {
        list! { list, "checkout_auth::HeaderProblem" => *problem; }
    }
    assert!(problems.len() >= 11, "{problems:?}");
    peach_bodies(list);
    settled(list);
    replayed(list);
    let secret = ALL;
    let not_sent = move |_: http::Request<Bytes>| Err::<Response, _>(TransportError::unknown(&secret[..0]));
    let not_yet = move |request| std::future::ready(not_sent(request));
    list! { list,
        "checkout_transport::FromFn" => checkout_transport::from_fn(not_yet);
        "checkout_transport::FromFnBlocking" => checkout_transport::from_fn_blocking(not_sent);
        "checkout_transport::FromFnLocal" => checkout_transport::from_fn_local(not_yet);
    }
}

type Headers = Vec<(&'static str, String)>;

/// Every fault of each header, with a planted text wherever there is a value; some faults are passed over.
fn spoiled(right: &Headers) -> Vec<Headers> {
    let mut all = Vec::new();
    for (at, (name, value)) in right.iter().enumerate() {
        let mut missing = right.clone();
        missing.remove(at);
        let with = |value: &str| {
            let mut headers = missing.clone();
            headers.insert(at, (*name, value.to_owned()));
            headers
        };
        let doubled = right.iter().cloned().chain([(*name, MAIL.to_owned())]).collect();
        let list = [MAIL; 9].join(",");
        let texts = ["", ALL, HOLDER, MAIL, WALLET, CARD_NUMBER, API_KEY, API_SECRET, SECRET_TOKEN, &list];
        all.extend([missing.clone(), doubled]);
        all.extend(texts.map(with));
        all.extend([",", " , "].map(|comma| with(&[&**value, API_SECRET].join(comma))));
        all.push(with(&format!("v1={value},v1={API_SECRET}")));
        all.push(with(&format!("{value},,v2={API_SECRET}")));
        all.push(with(&format!("{value}\t{MAIL}\u{7f}")));
    }
    all
}

/// The headers of a webhook of AllScale's.
fn allscale_headers(list: &mut List, timestamp: i64, body: &[u8]) -> Headers {
    let query = &*query();
    let to_sign = webhook::Webhook {
        method: "POST",
        path: PATH,
        query,
        webhook_id: "wh_1",
        timestamp,
        nonce: "n1",
        body,
    };
    let signature = to_sign.sign(&signing_key()).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    list! { list, "checkout_auth::allscale::webhook::Webhook" => to_sign; }
    vec![
        (headers::API_KEY, API_KEY.to_owned()),
        (headers::WEBHOOK_ID, "wh_1".to_owned()),
        (headers::WEBHOOK_TIMESTAMP, timestamp.to_string()),
        (headers::WEBHOOK_NONCE, "n1".to_owned()),
        (headers::WEBHOOK_SIGNATURE, signature.as_str().to_owned()),
    ]
}

fn allscale_webhooks(list: &mut List, problems: &mut HashSet<HeaderProblem>) {
    let ring = || KeyRing::new("2024-05", signing_key()).and_valid("2023-01", signing_key(), 0..NOW);
    let verifier = Verifier::new(ring());
    let receiver = trust_allscale::Receiver::new("shop-7", ring());
    let (query, body) = (query(), allscale_webhook());
    let right = allscale_headers(list, NOW, &body);
    let request =
        webhook::WebhookRequest { method: "POST", path: PATH, query: &query, headers: &right, body: &body };
    let event = receiver.receive(&request, second(NOW)).unwrap();
    list! { list,
        "checkout_auth::allscale::webhook::WebhookRequest" => request;
        "checkout_auth::Signed" => verifier.verify_webhook(&request, NOW).unwrap();
        "checkout_trust::allscale::Event" => event.content().clone();
        "checkout_trust::Verified" => event;
    }

    let other = auth_allscale::SigningKey::new("st_other", "st_other".into()).unwrap();
    let other = Verifier::new(KeyRing::new("other", other));
    let mut errors = vec![
        verifier.verify_webhook(&request, NOW + 1_000).unwrap_err(),
        verifier.verify_webhook(&request, NOW - 1_000).unwrap_err(),
        verifier.verify_webhook(&webhook::WebhookRequest { method: MAIL, ..request }, NOW).unwrap_err(),
        verifier
            .verify_webhook(&webhook::WebhookRequest { path: CHALLENGE_URL, ..request }, NOW)
            .unwrap_err(),
        verifier.verify_webhook(&webhook::WebhookRequest { query: ALL, ..request }, NOW).unwrap_err(),
        verifier
            .verify_webhook(&webhook::WebhookRequest { body: ALL.as_bytes(), ..request }, NOW)
            .unwrap_err(),
        other.verify_webhook(&request, NOW).unwrap_err(),
    ];
    for headers in spoiled(&right) {
        let request = webhook::WebhookRequest {
            method: "POST",
            path: PATH,
            query: &query,
            headers: &headers,
            body: &body,
        };
        errors.extend(verifier.verify_webhook(&request, NOW).err());
        if let Err(error) = receiver.receive(&request, second(NOW)) {
            list! { list, "checkout_trust::allscale::ReceiveError" => error; }
        }
    }
    // Every way to be refused.
    assert!(errors.iter().map(discriminant).collect::<HashSet<_>>().len() >= 6, "{errors:?}");
    for error in errors {
        if let MessageError::Header(error) = error {
            header_error(list, error, problems);
        }
        list! { list, "checkout_auth::MessageError" => error; }
    }

    let of_another = String::from_utf8(allscale_webhook()).unwrap().replace("wh_1", MAIL);
    let wrong = [
        of_another,
        format!(r#"{{"all_scale_transaction_id":[{}]}}"#, extra()),
        format!(r#"{{"all_scale_transaction_id":"t","webhook_id":"wh_1","user_name":{}}}"#, extra()),
        format!(r#"{{"all_scale_transaction_id":"t","webhook_id":"wh_1","webhook_id":"{MAIL}"}}"#),
        format!(
            r#"{{"all_scale_transaction_id":"t","webhook_id":"wh_1","all_scale_checkout_intent_id":"{MAIL}",
            "allscale_checkout_intent_id":"{HOLDER}"}}"#
        ),
    ];
    for body in wrong.into_iter().chain(unreadable()) {
        let headers = allscale_headers(list, NOW, body.as_bytes());
        let request = webhook::WebhookRequest {
            method: "POST",
            path: PATH,
            query: &query,
            headers: &headers,
            body: body.as_bytes(),
        };
        let error = receiver.receive(&request, second(NOW)).unwrap_err();
        assert_eq!(error.http_status(), 400, "{error}");
        list! { list, "checkout_trust::allscale::ReceiveError" => error; }
    }

    let to_sign = webhook::Webhook {
        method: "POST",
        path: PATH,
        query: &query,
        webhook_id: "wh_1",
        timestamp: NOW,
        nonce: "n1",
        body: &body,
    };
    for to_sign in [
        webhook::Webhook { method: MAIL, ..to_sign },
        webhook::Webhook { path: CHALLENGE_URL, ..to_sign },
        webhook::Webhook { query: HOLDER, ..to_sign },
        webhook::Webhook { webhook_id: HOLDER, ..to_sign },
        webhook::Webhook { nonce: HOLDER, ..to_sign },
    ] {
        let error = to_sign.sign(&signing_key()).unwrap_err();
        list! { list, "checkout_auth::SignError" => error; }
    }
    list! { list,
        "checkout_auth::KeyRing" => ring();
        "checkout_auth::Verifier" => verifier;
        "checkout_trust::allscale::Receiver" => receiver;
    }
}

fn header_error(list: &mut List, error: HeaderError, problems: &mut HashSet<HeaderProblem>) {
    problems.insert(error.problem);
    list! { list, "checkout_auth::HeaderError" => error; }
}

fn allscale_answers(list: &mut List, problems: &mut HashSet<HeaderProblem>) {
    let (asked, body) = (extra(), allscale_intent());
    let to_sign = response::Response {
        status: 200,
        request_path: PATH,
        request_nonce: "n1",
        request_body: asked.as_bytes(),
        timestamp: NOW,
        nonce: "n2",
        body: &body,
    };
    let signature = to_sign.sign(&signing_key()).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    let right = vec![
        (headers::RESPONSE_TIMESTAMP, NOW.to_string()),
        (headers::RESPONSE_NONCE, "n2".to_owned()),
        (headers::RESPONSE_SIGNATURE, signature.as_str().to_owned()),
        (headers::REQUEST_NONCE, "n1".to_owned()),
    ];
    let verifier = Verifier::new(KeyRing::new("2024-05", signing_key()));
    let past = KeyRing::new_valid("2023-01", signing_key(), 0..NOW);
    let past = Verifier::new(past);
    let answer = response::ReceivedResponse {
        request_path: PATH,
        request_nonce: "n1",
        request_body: asked.as_bytes(),
        status: 200,
        headers: &right,
        body: &body,
    };
    let signed = verifier.verify_response(&answer, NOW).unwrap();
    let mut errors = vec![
        past.verify_response(&answer, NOW).unwrap_err(),
        verifier.verify_response(&answer, NOW + 1_000).unwrap_err(),
        verifier.verify_response(&answer, NOW - 1_000).unwrap_err(),
        verifier.verify_response(&response::ReceivedResponse { status: 9_173, ..answer }, NOW).unwrap_err(),
        verifier
            .verify_response(&response::ReceivedResponse { request_path: HOLDER, ..answer }, NOW)
            .unwrap_err(),
        verifier
            .verify_response(&response::ReceivedResponse { request_nonce: HOLDER, ..answer }, NOW)
            .unwrap_err(),
        verifier
            .verify_response(&response::ReceivedResponse { request_nonce: MAIL, ..answer }, NOW)
            .unwrap_err(),
        verifier
            .verify_response(&response::ReceivedResponse { body: ALL.as_bytes(), ..answer }, NOW)
            .unwrap_err(),
    ];
    for headers in spoiled(&right) {
        let answer = response::ReceivedResponse {
            request_path: PATH,
            request_nonce: "n1",
            request_body: asked.as_bytes(),
            status: 200,
            headers: &headers,
            body: &body,
        };
        errors.extend(verifier.verify_response(&answer, NOW).err());
    }
    assert!(errors.iter().map(discriminant).collect::<HashSet<_>>().len() >= 7, "{errors:?}");
    for error in errors {
        if let MessageError::Header(error) = error {
            header_error(list, error, problems);
        }
        list! { list, "checkout_auth::MessageError" => error; }
    }
    for to_sign in [
        response::Response { status: 9_173, ..to_sign },
        response::Response { request_path: CHALLENGE_URL, ..to_sign },
        response::Response { request_nonce: HOLDER, ..to_sign },
        response::Response { nonce: HOLDER, ..to_sign },
    ] {
        let error = to_sign.sign(&signing_key()).unwrap_err();
        list! { list, "checkout_auth::SignError" => error; }
    }
    list! { list,
        "checkout_auth::allscale::response::ReceivedResponse" => answer;
        "checkout_auth::allscale::response::Response" => to_sign;
        "checkout_auth::Signed" => signed;
        "checkout_auth::Verifier" => verifier;
    }
}

/// The pairs of a payment of Peach's, all of them, under this name of a code.
fn peach_pairs(code: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        (code, "000.100.110"),
        ("amount", "14.99"),
        ("card.expiryYear", EXPIRE_YEAR),
        ("card.holder", HOLDER),
        ("card.last4Digits", CVC),
        ("card.number", CARD_NUMBER),
        ("checkoutId", "c01b"),
        ("currency", "ZAR"),
        ("customParameters[note]", ALIAS),
        ("customer.email", MAIL),
        ("customer.ip", ADDRESS),
        ("customer.mobile", PHONE),
        ("customer.surname", USER_NAME),
        ("merchantTransactionId", "order_1001"),
        ("paymentType", "DB"),
        ("result.description", BANK_SAYS),
    ]
}

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let escaped = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let escaped = |text: &str| -> String { text.bytes().map(escaped).collect() };
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

fn json(pairs: &[(&str, &str)]) -> Vec<u8> {
    let pairs = pairs.iter().map(|(name, value)| format!(r#""{name}":"{value}""#));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")).into_bytes()
}

fn peach_receiver(ring: KeyRing<auth_peach::SecretToken>) -> trust_peach::Receiver {
    trust_peach::Receiver::new(ENTITY, ring, Environment::Sandbox)
}

fn peach_headers(list: &mut List, problems: &mut HashSet<HeaderProblem>) {
    let (url, body) =
        (format!("https://shop.example/hooks/peach?token={SECRET_TOKEN}"), json(&peach_pairs("result.code")));
    let to_sign = header::Webhook { timestamp: NOW, webhook_id: "1", url: &url, body: &body };
    let signature = to_sign.sign(&secret_token()).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    let right = vec![
        (header::TIMESTAMP, NOW.to_string()),
        (header::WEBHOOK_ID, "1".to_owned()),
        (header::SIGNATURE, signature.as_str().to_owned()),
    ];
    let verifier = Verifier::new(KeyRing::new("2026", secret_token()));
    let past = KeyRing::new_valid("2025", secret_token(), 0..NOW);
    let receiver = peach_receiver(KeyRing::new("2026", secret_token()));
    let request = header::WebhookRequest { url: &url, headers: &right, body: &body };
    let event = receiver.signed_headers(Some("application/json"), &request, second(NOW)).unwrap();
    list! { list,
        "checkout_trust::peach::Message" => event;
        "checkout_auth::Signed" => verifier.verify_webhook(&request, NOW).unwrap();
    }
    let mut errors = vec![
        Verifier::new(past).verify_webhook(&request, NOW).unwrap_err(),
        verifier.verify_webhook(&request, NOW + 1_000).unwrap_err(),
        verifier.verify_webhook(&request, NOW - 1_000).unwrap_err(),
        verifier.verify_webhook(&header::WebhookRequest { url: ALL, ..request }, NOW).unwrap_err(),
        verifier.verify_webhook(&header::WebhookRequest { url: CHALLENGE_URL, ..request }, NOW).unwrap_err(),
        verifier
            .verify_webhook(&header::WebhookRequest { body: ALL.as_bytes(), ..request }, NOW)
            .unwrap_err(),
    ];
    for headers in spoiled(&right) {
        let request = header::WebhookRequest { url: &url, headers: &headers, body: &body };
        errors.push(verifier.verify_webhook(&request, NOW).unwrap_err());
        list! { list,
            "checkout_trust::peach::ReceiveError" => receiver.signed_headers(Some(ALL), &request, second(NOW)).unwrap_err();
        }
    }
    assert!(errors.iter().map(discriminant).collect::<HashSet<_>>().len() >= 6, "{errors:?}");
    for error in errors {
        if let MessageError::Header(error) = error {
            header_error(list, error, problems);
        }
        list! { list, "checkout_auth::MessageError" => error; }
    }
    for to_sign in [header::Webhook { webhook_id: MAIL, ..to_sign }, header::Webhook { url: ALL, ..to_sign }]
    {
        let error = to_sign.sign(&secret_token()).unwrap_err();
        list! { list, "checkout_auth::SignError" => error; }
    }
    list! { list,
        "checkout_auth::KeyRing" => KeyRing::new("2026", secret_token());
        "checkout_auth::peach::header::WebhookRequest" => request;
        "checkout_auth::peach::header::Webhook" => to_sign;
        "checkout_auth::Verifier" => verifier;
        "checkout_trust::peach::Receiver" => receiver;
    }
}

fn peach_bodies(list: &mut List) {
    let receiver = peach_receiver(KeyRing::new("2026", secret_token()));
    let signature = secret_token().sign(peach_pairs("result.code")).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    let mut pairs = peach_pairs("result.code");
    pairs.push(("signature", signature.as_str()));
    let (form_body, json_body) = (form(&pairs), json(&pairs));
    let by_json = receiver.webhook(Some("application/json; charset=utf-8"), &json_body, second(NOW)).unwrap();
    list! { list, "checkout_trust::peach::Message" => by_json.clone(); }
    let by_json = by_json.event().unwrap();
    // The sender of a probe writes the code.
    let probe = json(&[("verificationCode", SECRET_TOKEN), ("note", MAIL)]);
    let probe = receiver.webhook(None, &probe, second(NOW)).unwrap();
    list! { list, "checkout_trust::peach::Message" => probe.clone(); }
    let trust_peach::Message::Probe(probe) = probe else { panic!() };
    assert_eq!(probe.code(), SECRET_TOKEN);
    list! { list, "checkout_trust::peach::Probe" => probe; }
    assert_eq!(by_json.content().payment().personal("customer.email"), Some(Redacted::from(MAIL)));
    list! { list,
        "checkout_trust::peach::Event" => by_json.content().clone();
        "checkout_trust::Verified" => by_json;
        "checkout_trust::peach::Message" => receiver.webhook(None, &form_body, second(NOW)).unwrap();
        "checkout_trust::Verified" => receiver.shopper_return(&form_body, second(NOW)).unwrap();
    }

    let other = auth_peach::SecretToken::new("other".into()).unwrap();
    let past = KeyRing::new_valid("2025", secret_token(), 0..NOW);
    let codeless = secret_token().sign(peach_pairs("code")).unwrap();
    list.signatures.push(codeless.as_str().to_owned());
    let mut about_nothing = peach_pairs("code");
    about_nothing.push(("signature", codeless.as_str()));
    let mut recut = peach_pairs("result.code");
    recut.push(("note", "result.codeMAIL"));
    let recut_signature = secret_token().sign(recut.iter().copied()).unwrap();
    list.signatures.push(recut_signature.as_str().to_owned());
    recut.push(("signature", recut_signature.as_str()));
    let recut = receiver.webhook(None, &form(&recut), second(NOW)).unwrap();
    list! { list, "checkout_trust::peach::Message" => recut; }
    let unsigned = form(&peach_pairs("result.code"));
    let malformed = [&peach_pairs("result.code")[..], &[("signature", SECRET_TOKEN)]].concat();
    let doubled = [&pairs[..], &[(MAIL, HOLDER), (MAIL, ALL)]].concat();
    let mut errors = vec![
        peach_receiver(KeyRing::new("other", other)).webhook(None, &form_body, second(NOW)).unwrap_err(),
        peach_receiver(past).webhook(None, &form_body, second(NOW)).unwrap_err(),
        receiver.webhook(None, &form(&about_nothing), second(NOW)).unwrap_err(),
        receiver.webhook(None, &unsigned, second(NOW)).unwrap_err(),
        receiver.webhook(None, &form(&malformed), second(NOW)).unwrap_err(),
        receiver.webhook(None, &form(&doubled), second(NOW)).unwrap_err(),
        receiver.webhook(Some("application/json"), &json(&doubled), second(NOW)).unwrap_err(),
        receiver.shopper_return(&form(&doubled), second(NOW)).unwrap_err(),
        receiver.shopper_return(&json_body, second(NOW)).unwrap_err(),
    ];
    for body in unreadable().into_iter().chain([format!("{MAIL}={HOLDER}%ff"), format!("{MAIL}=%")]) {
        for content_type in [None, Some("application/json"), Some(ALL)] {
            errors.push(receiver.webhook(content_type, body.as_bytes(), second(NOW)).unwrap_err());
        }
        // The headers sign the body, so the body is read.
        let url = "https://shop.example/hooks/peach";
        let to_sign = header::Webhook { timestamp: NOW, webhook_id: "1", url, body: body.as_bytes() };
        let signature = to_sign.sign(&secret_token()).unwrap();
        let headers = [
            (header::TIMESTAMP, &*NOW.to_string()),
            (header::WEBHOOK_ID, "1"),
            (header::SIGNATURE, signature.as_str()),
        ];
        let request = header::WebhookRequest { url, headers: &headers, body: body.as_bytes() };
        errors.extend(receiver.signed_headers(Some("application/json"), &request, second(NOW)).err());
        errors.extend(receiver.signed_headers(None, &request, second(NOW)).err());
    }
    // Every error but the errors of the headers.
    assert!(errors.iter().map(discriminant).collect::<HashSet<_>>().len() >= 4, "{errors:?}");
    for error in errors {
        list! { list, "checkout_trust::peach::ReceiveError" => error; }
    }
}

/// A read with all planted texts, held to an order: the settlement names the findings, and nobody's name.
fn settled(list: &mut List) {
    let ok = Head::new(200);
    let policy = Policy::default();
    let mut settlements = Vec::new();

    let plain = allscale_intent();
    // A card number in the place of a code. A read prints its codes and ids as they came, and a settlement
    // does not.
    let told = String::from_utf8(plain.clone()).unwrap().replace(
        r#""amount_coins":"1","#,
        &format!(
            r#""amount_coins":"1","coin_symbol":"{CARD_NUMBER}","currency":99,"order_id":"{MAIL}",
            "currency_symbol":"{GROUPED}","amount_cents":1,"actual_paid_amount":"2","#
        ),
    );
    for (body, is_plain) in [(&*plain, true), (told.as_bytes(), false)] {
        let reply = wire_allscale::read::<wire_allscale::Intent<'_>>(&ok, body).unwrap();
        let Reply::Done(answer) = reply else { panic!() };
        let read = Read::answer(answer.payload, Environment::Sandbox);
        let order = settlement::allscale::Order {
            environment: Environment::Live,
            id: "order_1001",
            intent_id: "65b2",
            price: settlement::allscale::OrderPrice::Coin {
                coin: StableCoin::USDT,
                amount: Cents::new(1_000),
            },
        };
        settlements.push(order.settled_by_with(&read, &policy));
        if is_plain {
            list! { list, "checkout_trust::settlement::Read" => read; }
        }
    }

    let body = azotte_challenge();
    let Reply::Done(answer) = wire_azotte::read(&ok, &body).unwrap() else { panic!() };
    let read = Read::answer(answer.payload, Environment::Live);
    let order = settlement::azotte::Order { environment: Environment::Live, tracking_number: "trk_2" };
    settlements.push(order.settled_by_with(&read, &policy));
    list! { list, "checkout_trust::settlement::Read" => read; }

    let told =
        [("result.code", CARD_NUMBER), ("paymentType", GROUPED), ("currency", CARD_NUMBER), ("amount", MAIL)];
    for pairs in [peach_pairs("result.code"), told.to_vec()] {
        let body = form(&pairs);
        let fields = wire_peach::Fields::from_form(&body).unwrap();
        let payment = wire_peach::Payment::new(fields, Environment::Sandbox).unwrap();
        let read = Read::answer(payment, Environment::Live);
        let order = settlement::peach::Order {
            environment: Environment::Live,
            merchant_transaction_id: "order_1002",
            checkout_id: Some("c01c"),
            amount: Cents::new(1_500),
            currency: checkout_tables::peach::Currency::ZAR,
        };
        settlements.push(order.settled_by_with(&read, &policy));
        list! { list, "checkout_trust::settlement::Read" => read; }
    }

    for settlement in settlements {
        for mismatch in settlement.mismatches() {
            list! { list, "checkout_trust::settlement::Mismatch" => mismatch.clone(); }
        }
        for unproven in settlement.unproven() {
            list! { list, "checkout_trust::settlement::Unproven" => unproven.clone(); }
        }
        match settlement.clone() {
            Settlement::Mismatched { mismatches, .. } => {
                list! { list, "checkout_trust::settlement::NonEmpty" => mismatches; }
            }
            Settlement::Unproven(unproven) => {
                list! { list, "checkout_trust::settlement::NonEmpty" => unproven; }
            }
            Settlement::Settled(settled) => panic!("{settled}"),
        }
        list! { list, "checkout_trust::settlement::Settlement" => settlement; }
    }
    list! { list,
        "checkout_trust::settlement::Code" => settlement::Code::of(CARD_NUMBER);
        "checkout_trust::settlement::Code" => settlement::Code::of(GROUPED);
    }
}

fn replayed(list: &mut List) {
    let parts = [HOLDER, MAIL, CARD_NUMBER, API_SECRET];
    let key = |owner: &str| Key::new(Scheme::PEACH_CONTENT, owner, parts, Duration::from_secs(60));
    let identity =
        Identity::new(key(MAIL)).and(Key::peach_content(SECRET_TOKEN, &peach_pairs("result.code")));
    let other = Identity::new(key(HOLDER));
    let guard = Guard::new(MemoryStore::new(9));
    let claimed = guard.claim(&identity, at(1_000)).unwrap();
    let Claim::Fresh(ticket) = guard.claim(&other, at(1_000)).unwrap() else { panic!() };
    list! { list,
        "checkout_trust::replay::Key" => key(MAIL);
        "checkout_trust::replay::Claim" => claimed;
        "checkout_trust::replay::Claim" => guard.claim(&identity, at(2_000)).unwrap();
        "checkout_trust::replay::ClaimTicket" => ticket;
        "checkout_trust::replay::Guard" => guard;
    }
    // The claim of the first key has ended, and the place is the other key's.
    let small = MemoryStore::new(1);
    let guard = Guard::new(&small);
    let Claim::Fresh(late) = guard.claim(&other, at(1_000)).unwrap() else { panic!() };
    let _ = guard.claim(&Identity::new(key(MAIL)), at(1_000_000)).unwrap();
    list! { list,
        "checkout_trust::replay::Full" => guard.claim(&other, at(1_000_000)).unwrap_err();
        "checkout_trust::replay::Unfinished" => guard.commit(late, at(1_000_000)).unwrap_err();
        "checkout_trust::replay::Identity" => identity;
        "checkout_trust::replay::InPlace" => InPlace(MemoryStore::new(1));
        "checkout_trust::replay::MemoryStore" => small;
    }
    #[cfg(feature = "conformance")]
    list! { list,
        "checkout_trust::replay::conformance::Broken" => {
            checkout_trust::replay::conformance::check_store(|| MemoryStore::new(0)).unwrap_err()
        };
    }
}

/// A receiver's own query can be a secret.
fn query() -> String {
    format!("token={SECRET_TOKEN}")
}

const PATH: &str = "/hooks/allscale";
const NOW: i64 = 1_716_501_000;
