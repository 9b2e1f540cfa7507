//! Clocks that are apart.

use crate::world::{
    API_KEY, START_MILLIS, chain, client_at, key, request_id_in, response, sandbox, unreachable,
};
use checkout_auth::allscale::SigningKey;
use checkout_client::allscale::Client;
use checkout_client::{CallErrorKind, NotSent};
use checkout_sandbox::allscale::Fault;
use checkout_tables::Moment;
use checkout_transport::http::HeaderValue;
use std::time::Duration;

/// The answer to a ping when the client's clock is so far from the sandbox's, and the key is right or not.
fn check(client_now: i64, key: SigningKey) -> String {
    let sandbox = sandbox(6);
    let client = Client::builder(key)
        .clock(move || Moment::from_unix_millis(client_now))
        .nonces(|| "nonce-1".to_owned());
    match client.build().unwrap().ping().send_blocking(&sandbox) {
        Ok(answer) => format!("pong, {}", answer.clock_skew().unwrap()),
        Err(error) => {
            let id = request_id_in(sandbox.requests()[0].answered_body());
            error.to_string().replace(&format!(" (request id {id})"), "")
        }
    }
}

#[test]
fn a_clock_may_be_300_seconds_apart_and_a_refusal_beyond_that_names_the_skew() {
    let refused =
        "GET /v1/test/ping: refused with code 20002: timestamp is outside of the allowed time window";
    let [ahead, behind] =
        ["ahead of", "behind"].map(|way| move |s: &str| format!("the provider's clock is {s} s {way} ours"));
    for (client_now, expected) in [
        (START_MILLIS, "pong, the provider's clock agrees with ours".to_owned()),
        (START_MILLIS + 999, "pong, the provider's clock agrees with ours".to_owned()),
        (START_MILLIS - 1, format!("pong, {}", ahead("1"))),
        (START_MILLIS + 1_000, format!("pong, {}", behind("1"))),
        (START_MILLIS - 300_000, format!("pong, {}", ahead("300"))),
        (START_MILLIS + 300_999, format!("pong, {}", behind("300"))),
        (START_MILLIS - 300_001, format!("{refused}; {}", ahead("301"))),
        (START_MILLIS + 301_000, format!("{refused}; {}", behind("301"))),
        (0, format!("{refused}; {}", ahead("1716501000"))),
        (i64::MAX, format!("{refused}; {}", behind("9223370320353775"))),
    ] {
        assert_eq!(check(client_now, key()), expected, "{client_now}");
    }
}

#[test]
fn a_refused_signature_speaks_of_the_clock_only_if_the_clocks_are_apart() {
    let wrong = || SigningKey::new(API_KEY, "st_another_secret".into()).unwrap();
    let refused = "GET /v1/test/ping: refused with code 20002: invalid signature";
    assert_eq!(check(START_MILLIS, wrong()), refused);
    assert_eq!(
        check(START_MILLIS - 60_000, wrong()),
        format!("{refused}; the provider's clock is 60 s ahead of ours")
    );
}

#[test]
fn another_refusal_does_not_speak_of_the_clock() {
    let sandbox = sandbox(6);
    let client = client_at(START_MILLIS - 200_000);
    // The clocks are apart, and an answer says so.
    let answer = client.ping().send_blocking(&sandbox).unwrap();
    assert_eq!(answer.clock_skew().map(|skew| skew.seconds()), Some(200));
    let refused = client.fail().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.clock_skew(), None);
    assert!(!refused.to_string().contains("clock"), "{refused}");
    sandbox.inject(Fault::EmptyUnauthorized);
    let refused = client.ping().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.clock_skew(), None);
    assert_eq!(refused.to_string(), "GET /v1/test/ping: not an answer of the API's: HTTP status 401");
}

#[test]
fn a_clock_before_1970_signs_nothing_and_says_so() {
    let call = client_at(0).ping();
    assert_eq!(
        call.attempt(Moment::from_unix_millis(0), "nonce-1").unwrap().request().headers()["x-timestamp"],
        "0"
    );
    for millis in [-1, -1_716_501_000_000, i64::MIN] {
        let error = call.attempt(Moment::from_unix_millis(millis), "nonce-1").unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Signature(_))), "{error:?}");
        assert!(!error.may_have_been_processed());
        let chain = chain(&error);
        let said = "the request could not be signed: the clock stands before 1970";
        assert_eq!(chain, [format!("GET /v1/test/ping: {said}")]);
        let sent = client_at(millis).ping().send_blocking(&unreachable()).unwrap_err();
        assert_eq!(sent.to_string(), error.to_string());
    }
}

#[test]
fn a_slow_answer_is_no_skew() {
    let sandbox = sandbox(6);
    sandbox.inject(Fault::Slow(Duration::from_secs(500)));
    let answer = crate::world::client(&sandbox).ping().send_blocking(&sandbox).unwrap();
    assert_eq!(answer.clock_skew().map(|skew| skew.seconds()), Some(0));
}

#[test]
fn a_malformed_date_gives_no_skew() {
    let skew = |dates: &[&[u8]]| {
        let mut response = response(200, &[], br#"{"code":0,"payload":{"pong":"ok"}}"#);
        for date in dates {
            response.headers_mut().append("date", HeaderValue::from_bytes(date).unwrap());
        }
        let attempt = client_at(0).ping().attempt(Moment::from_unix_millis(START_MILLIS), "nonce-1").unwrap();
        attempt.into_parts().1.read(&response).unwrap().clock_skew().map(|skew| skew.seconds())
    };
    assert_eq!(skew(&[]), None);
    let table: [(&[u8], Option<i64>); 16] = [
        // The three forms of RFC 9110, 5.6.7.
        (b"Thu, 23 May 2024 21:50:00 GMT", Some(0)),
        (b"Thursday, 23-May-24 21:50:00 GMT", Some(0)),
        (b"Thu May 23 21:50:00 2024", Some(0)),
        (b"Thu, 23 May 2024 21:49:59 GMT", Some(-1)),
        (b"Fri, 24 May 2024 21:50:00 GMT", Some(86_400)),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", Some(-1_716_501_000)),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799 - 1_716_501_000)),
        (b"Wed, 31 Dec 1969 23:59:59 GMT", None),
        (b"Sat, 01 Jan 10000 00:00:00 GMT", None),
        (b"Thu, 23 May 2024 25:50:00 GMT", None),
        (b"Thu, 32 May 2024 21:50:00 GMT", None),
        (b"2024-05-23T21:50:00Z", None),
        (b"1716501000", None),
        (b"", None),
        (b"garbage", None),
        (b"Thu, 23 May 2024 21:50:00 \xff\xfe", None),
    ];
    for (date, expected) in table {
        assert_eq!(skew(&[date]), expected, "{:?}", String::from_utf8_lossy(date));
    }
    // A header that must not come twice: the first value counts.
    assert_eq!(skew(&[b"Thu, 23 May 2024 21:50:07 GMT", b"garbage"]), Some(7));
}
