//! Every attempt has a signature of its own, and the signature is the documented one.

use crate::world::{client, header, sandbox};
use checkout_auth::allscale::{RequestToSign, SigningKey};
use checkout_client::allscale::Client;
use checkout_client::{Call, Readable};
use checkout_money::Cents;
use checkout_tables::Moment;
use checkout_tables::allscale::Currency;
use checkout_transport::BlockingTransport;
use checkout_validate::allscale::Draft;
use checkout_wire::JsonText;
use std::collections::HashSet;
use std::time::Duration;

const ID: &str = "665f1c2e9b1d4a0012345678";

/// The signature of an attempt with the key, the time and the nonce of the published example.
fn check<T: Readable>(call: impl FnOnce(&Client) -> Call<T>) -> String {
    let key = SigningKey::new("test_key", "test_secret_abc".into()).unwrap();
    let client =
        Client::builder(key).clock(|| Moment::from_unix_millis(0)).nonces(String::new).build().unwrap();
    let attempt = call(&client)
        .attempt(Moment::from_unix_millis(1_716_501_000_999), "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321")
        .unwrap();
    attempt.request().headers()["x-signature"].to_str().unwrap().to_owned()
}

#[test]
fn another_implementation_makes_the_same_signatures() {
    // The six lines, joined and signed with Python's hmac and hashlib; the same program gives the signature
    // of the published example.
    let draft = Draft::fiat(Currency::USD, Cents::new(1_000)).order_id("ord_1");
    let intent = draft.redirect_url("https://example.com/r").check().unwrap();
    let published =
        r#"{"amount_cents":1000,"currency":1,"order_id":"ord_1","redirect_url":"https://example.com/r"}"#;
    let body = JsonText::new(published).unwrap();
    let table = [
        (check(|client| client.create(&intent)), "v1=oNmWlgKSp+yoUOgI3Q77syIw/xjSkKBd73wFIJxspmQ="),
        (check(|client| client.status(ID).unwrap()), "v1=l0wSWFEQt3C2+po7LW5hI065u0V7ZTf2VrO1AfmjM58="),
        (check(|client| client.get(ID).unwrap()), "v1=LUrToKLkDnnZJpRiTjyvdN6l0H1JfLFGvbi1pODEAWQ="),
        // The path is signed as it is sent: /v1/checkout_intents/a%2Fb%20%C3%A9
        (check(|client| client.get("a/b é").unwrap()), "v1=FuRlvZutiv+e12tx4WqGB0cfyx0J1giL3zCySWB3Xac="),
        (check(Client::ping), "v1=LG9N2hObq9x9+xkPKSI8Vav6qXG6zGBqUoBn5Tnkg+I="),
        (check(Client::fail), "v1=M48QT33pJ/zAiH60XD3O9na0W4Fn1gGK4pRMdNDVFRc="),
        (check(|client| client.post(&body)), "v1=SeY6mHbfNMFo/I2ocYsHDpNE0XCRqqOrk832qThTIz8="),
    ];
    for (signature, expected) in table {
        assert_eq!(signature, expected);
    }
}

#[test]
fn the_signed_bytes_are_the_sent_bytes() {
    let sandbox = sandbox(2);
    let client = client(&sandbox);
    let refused = client.get("../a?b#c é").unwrap().send_blocking(&sandbox).unwrap_err();
    // The request passed the signature check; then the id was unknown.
    assert_eq!(refused.code().map(|code| code.value()), Some(10001));
    let request = &sandbox.requests()[0];
    assert_eq!(request.path(), "/v1/checkout_intents/..%2Fa%3Fb%23c%20%C3%A9");
    let to_sign = RequestToSign {
        method: request.method(),
        path: request.path(),
        query: request.query(),
        timestamp: header(request, "x-timestamp").parse().unwrap(),
        nonce: &header(request, "x-nonce"),
        body: request.body(),
    };
    let signature = header(request, "x-signature");
    assert_eq!(crate::world::key().verify(&to_sign, &signature), Ok(()));
}

#[test]
fn every_attempt_of_one_call_is_signed_anew() {
    let sandbox = sandbox(2);
    let call = client(&sandbox).ping();
    let same = call.clone();
    for call in [&call, &call, &same, &call] {
        call.send_blocking(&sandbox).unwrap();
        sandbox.clock().advance(Duration::from_secs(1));
    }
    let all = |name| sandbox.requests().iter().map(|request| header(request, name)).collect::<Vec<_>>();
    assert_eq!(all("x-nonce"), ["nonce-1", "nonce-2", "nonce-3", "nonce-4"]);
    assert_eq!(all("x-timestamp"), ["1716501000", "1716501001", "1716501002", "1716501003"]);
    assert_eq!(all("x-signature").into_iter().collect::<HashSet<_>>().len(), 4);
}

#[test]
fn an_attempt_that_is_sent_twice_is_refused_the_second_time() {
    let sandbox = sandbox(2);
    let call = client(&sandbox).ping();
    let (request, reader) = call.attempt(sandbox.clock().now(), "once").unwrap().into_parts();
    let send = || reader.read(&sandbox.send_blocking(request.clone()).unwrap());
    assert_eq!(send().unwrap().payload.pong, "ok");
    let refused = send().unwrap_err();
    assert_eq!(refused.code().map(|code| code.value()), Some(20002));
    assert!(refused.to_string().contains("nonce has been used already"), "{refused}");
    // The call itself stays usable.
    call.send_blocking(&sandbox).unwrap();
}

#[test]
fn another_secret_is_refused() {
    let sandbox = sandbox(2);
    let key = SigningKey::new(crate::world::API_KEY, "st_another_secret".into()).unwrap();
    let client = crate::world::client_with(key, &sandbox);
    let refused = client.ping().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.code().map(|code| code.value()), Some(20002));
}

#[cfg(feature = "system")]
#[test]
fn a_client_has_the_system_s_clock_and_random_nonces_by_default() {
    use crate::world::{key, on_the_wire};
    use checkout_transport::{Request, from_fn_blocking};
    use std::sync::Mutex;

    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let seen = Mutex::new(Vec::new());
    let transport = from_fn_blocking(|request: Request| {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        seen.lock().unwrap().push((header("x-timestamp").parse::<u64>().unwrap(), header("x-nonce")));
        assert!(on_the_wire(&request).starts_with("GET https://openapi.allscale.io/v1/test/ping\n"));
        Ok(crate::world::response(200, &[], br#"{"code":0,"payload":{"pong":"ok"}}"#))
    });
    let call = Client::builder(key()).build().unwrap().ping();
    for _ in 0..3 {
        let answer = call.send_blocking(&transport).unwrap();
        assert!(u64::try_from(answer.sent_at().unix_millis()).unwrap() / 1_000 >= before);
    }
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|(timestamp, _)| *timestamp >= before));
    for (_, nonce) in seen.iter() {
        assert_eq!(uuid::Uuid::parse_str(nonce).unwrap().get_version_num(), 4);
    }
    assert_eq!(seen.iter().map(|(_, nonce)| nonce).collect::<HashSet<_>>().len(), 3);
}
