use super::*;
use checkout_tables::Moment;

/// A sandbox with the store of the tests and another store. The sandbox forgets requests if `forgets` says
/// so.
fn sandbox(forgets: bool) -> (Sandbox, SigningKey) {
    let other = SigningKey::new("st_other", "st_other_secret".into()).unwrap();
    let builder = Sandbox::builder().seed(4).store(default_store()).store(Store::new(other.clone()));
    (if forgets { builder.forget_requests() } else { builder }.build(), other)
}

#[test]
fn a_sandbox_that_forgets_requests_answers_them_alike() {
    let run = |forgets| {
        let (sandbox, _) = sandbox(forgets);
        let merchant = Merchant::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_intent(Scenario::by_name(name).unwrap());
            let id = merchant.new_intent(name);
            sandbox.clock().advance(Duration::from_secs(61));
            for target in ["", "/status", "/nowhere"] {
                seen.push(merchant.call("GET", &format!("/v1/checkout_intents/{id}{target}"), b""));
            }
        }
        assert_eq!(sandbox.requests().len(), if forgets { 0 } else { seen.len() + Scenario::NAMES.len() });
        let shown = format!("{sandbox:?}");
        assert!(shown.contains(&format!("requests: {}", seen.len() + Scenario::NAMES.len())), "{shown}");
        (seen, sandbox.counts(API_KEY))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_copied_request_is_refused_for_as_long_as_its_time_is_good_though_requests_are_forgotten() {
    let (sandbox, _) = sandbox(true);
    let key = SigningKey::new(API_KEY, API_SECRET.into()).unwrap();
    // The time is as far ahead of the clock as a time may be: good for ten minutes.
    let copy = || signed(&key, "GET", "/v1/test/ping", b"", 1_716_501_000 + 300, "nonce");
    let ask = || refusal(&read(&sandbox.send_blocking(copy()).unwrap()));
    assert_eq!(ask(), "200 0 -");
    for _ in 0..=600 {
        assert_eq!(ask(), "401 20002 nonce has been used already");
        sandbox.clock().advance(Duration::from_secs(1));
    }
    assert_eq!(ask(), "401 20002 timestamp is outside of the allowed time window");
}

#[test]
fn requests_are_counted_for_the_named_store_with_every_answer() {
    let (sandbox, other) = sandbox(true);
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order_1");
    let count = |expected: (u64, u64, u64)| {
        let counts = sandbox.counts(API_KEY);
        assert_eq!((counts.requests, counts.reads, counts.busiest_minute), expected);
    };
    count((1, 0, 0));
    merchant.status(&id);
    merchant.whole(&id);
    count((3, 2, 2));
    // Refused, spoiled, and no route at all.
    for fault in [Fault::RateLimited, Fault::Redirect, Fault::LostAnswer, Fault::InternalError] {
        sandbox.inject(fault);
        let _ = merchant.send("GET", &format!("/v1/checkout_intents/{id}/status"), b"");
    }
    merchant.call("GET", "/v1/nowhere", b"");
    merchant.whole("000000000000000000000000");
    count((9, 7, 7));
    // A request that never arrived, and requests that name nobody or two stores.
    for fault in [Fault::LostBefore, Fault::LostRequest] {
        sandbox.inject(fault);
        assert!(merchant.send("GET", &format!("/v1/checkout_intents/{id}/status"), b"").is_err());
    }
    let mut doubled = merchant.request("GET", "/v1/test/ping", b"");
    doubled.headers_mut().append("x-api-key", "st_other".parse().unwrap());
    sandbox.send_blocking(doubled).unwrap();
    sandbox.send_blocking(Request::new(Bytes::new())).unwrap();
    count((9, 7, 7));
    assert_eq!(sandbox.counts("st_nobody"), Counts::default());
    // A request of another store.
    let seconds = sandbox.clock().now().unix_seconds().unsigned_abs();
    sandbox.send_blocking(signed(&other, "GET", "/v1/test/ping", b"", seconds, "n")).unwrap();
    assert_eq!((sandbox.counts("st_other").requests, sandbox.counts("st_other").reads), (1, 0));
    // The minute slides.
    sandbox.clock().advance(Duration::from_secs(60));
    (0..6).for_each(|_| drop(merchant.status(&id)));
    count((15, 13, 7));
    (0..2).for_each(|_| drop(merchant.status(&id)));
    count((17, 15, 8));
}

#[test]
fn a_refusal_by_the_limit_differs_from_the_refusal_by_a_fault() {
    let sandbox = Sandbox::builder().requests_per_minute(NonZeroU32::new(3).unwrap()).build();
    let merchant = Merchant::of(&sandbox);
    sandbox.inject(Fault::RateLimited);
    let codes = [(); 6].map(|()| merchant.call("GET", "/v1/test/ping", b"").1["code"].clone());
    assert_eq!(codes, [40001, 0, 0, 0, 40001, 40001]);
    assert_eq!((sandbox.counts(API_KEY).requests, sandbox.counts(API_KEY).limited), (6, 2));
}

#[test]
fn an_intent_is_found_by_its_id_with_the_time_of_its_status() {
    let (sandbox, _) = sandbox(true);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_intent(Scenario::kyt_passed());
    let id = merchant.new_intent("order_1");
    merchant.new_intent("order_2");
    // The scenario's steps are 5, 20, 40 and 30 seconds after each other.
    for (wait, status, since) in [(4, 1, 0), (1, 2, 5), (19, 2, 5), (1, 3, 25), (40, 10, 65), (900, 20, 95)] {
        sandbox.clock().advance(Duration::from_secs(wait));
        let found = sandbox.intent(&id).unwrap();
        assert_eq!(
            (found.status, found.changed_at),
            (status, Moment::from_unix_millis(1_716_501_000_000 + since * 1_000))
        );
        assert_eq!(found, sandbox.intents()[0]);
    }
    assert_eq!(sandbox.intent("order_1"), None);
}
