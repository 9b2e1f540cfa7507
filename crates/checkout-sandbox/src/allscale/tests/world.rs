use super::*;

/// Everything that shows of a sandbox from behind the counter.
fn shown(sandbox: &Sandbox) -> String {
    let requests: Vec<_> = sandbox.requests().iter().map(|request| request.answered_body().clone()).collect();
    let webhooks = (sandbox.webhooks(), sandbox.next_change());
    format!("{sandbox:?} {:?} {requests:?} {:?} {webhooks:?}", sandbox.intents(), sandbox.counts(API_KEY))
}

/// An hour of a shop's, with the bytes of the answers.
fn play(sandbox: &Sandbox, merchant: &Merchant) -> Vec<String> {
    let mut seen = Vec::new();
    for name in Scenario::NAMES {
        sandbox.next_intent(Scenario::by_name(name).unwrap());
        let id = merchant.new_intent(name);
        sandbox.clock().advance(Duration::from_secs(40));
        let _ = sandbox.act(&id, Act::Fail);
        let answer = merchant.send("GET", &format!("/v1/checkout_intents/{id}"), b"").unwrap();
        seen.push(format!("{:?} {:?}", answer.headers(), answer.body()));
    }
    sandbox.clock().advance(Duration::from_secs(3_000));
    let now = sandbox.clock().now();
    let webhooks = sandbox.take_webhooks();
    seen.extend(webhooks.iter().map(|webhook| format!("{:?} {:?}", webhook.body, webhook.signed_at(now, 1))));
    seen.push(shown(sandbox));
    seen
}

#[test]
fn a_fork_and_its_sandbox_go_on_without_each_other() {
    // Two sandboxes that nobody forks, for comparison.
    let [one, other, forked] = [(); 3].map(|()| Sandbox::new(7));
    for sandbox in [&one, &other, &forked] {
        sandbox.set_rate(Currency::EUR, 27, NonZeroU32::new(20).unwrap());
        sandbox.inject_on(Route::Ping, Fault::Garbage);
        play(sandbox, &Merchant::of(sandbox));
        sandbox.next_intent(Scenario::overpaid());
    }
    let fork = forked.fork();
    assert_eq!(shown(&fork), shown(&forked));
    // Each sees the nonces that the sandbox had seen, and not those of the other.
    let again = Merchant::of(&fork).create(&json!({"stable_coin": 1, "amount_cents": 1000}));
    assert_eq!(refusal(&again), "401 20002 nonce has been used already");
    Merchant::of(&other).create(&json!({"stable_coin": 1, "amount_cents": 1000}));

    let go_on = |sandbox: &Sandbox, act: Act, wait: u64| {
        let key = SigningKey::new(API_KEY, API_SECRET.into()).unwrap();
        let first_nonce = 100 * u64::try_from(sandbox.requests().len()).unwrap();
        let merchant = Merchant { sandbox: sandbox.clone(), key, nonces: Cell::new(first_nonce) };
        let id = merchant.new_intent("order");
        sandbox.act(&id, act).unwrap();
        sandbox.clock().advance(Duration::from_secs(wait));
        (merchant.whole(&id), merchant.create(&json!({"currency": 44, "amount_cents": 100})))
    };
    for turn in 0..3 {
        let expected = go_on(&one, Act::Pay, 20 + turn);
        let expected_of_fork = go_on(&other, Act::Cancel, 50);
        assert_eq!(go_on(&forked, Act::Pay, 20 + turn), expected);
        assert_eq!(go_on(&fork, Act::Cancel, 50), expected_of_fork);
        assert_eq!((shown(&forked), shown(&fork)), (shown(&one), shown(&other)));
    }
}

#[test]
fn a_reset_sandbox_gives_the_same_bytes_again() {
    let clock = VirtualClock::new(Moment::from_unix_seconds(1_800_000_000));
    clock.advance(Duration::from_millis(7));
    let limit = NonZeroU32::new(30).unwrap();
    let sandbox = Sandbox::builder().seed(7).clock(clock.clone()).requests_per_minute(limit).build();
    let fresh = shown(&sandbox);
    let first = play(&sandbox, &Merchant::of(&sandbox));
    sandbox.next_intent(Scenario::canceled());
    sandbox.inject(Fault::Garbage);
    sandbox.set_rate(Currency::EUR, 27, NonZeroU32::new(20).unwrap());
    for _ in 0..2 {
        sandbox.reset();
        assert_eq!(clock.now(), Moment::from_unix_millis(1_800_000_000_007));
        assert_eq!(shown(&sandbox), fresh);
        assert_eq!(play(&sandbox, &Merchant::of(&sandbox)), first, "the nonces are fresh again");
    }
    // A fork goes back to the beginning too, and alone.
    let fork = sandbox.fork();
    let before = shown(&sandbox);
    fork.reset();
    assert_eq!((shown(&fork), shown(&sandbox)), (fresh, before));
}

#[test]
fn a_clock_that_goes_from_change_to_change_misses_none_and_stops_at_no_other_moment() {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    for name in Scenario::NAMES {
        sandbox.next_intent(Scenario::by_name(name).unwrap());
        merchant.new_intent(name);
        sandbox.clock().advance(Duration::from_secs(7));
    }
    let shown = |sandbox: &Sandbox| format!("{:?} {:?}", sandbox.intents(), sandbox.webhooks());
    // Every second is looked at.
    let slow = sandbox.fork();
    let (mut changes, mut last) = (Vec::new(), shown(&slow));
    for _ in 0..6_000 {
        slow.clock().advance(Duration::from_secs(1));
        let now = shown(&slow);
        if now != last {
            changes.push(slow.clock().now());
        }
        last = now;
    }
    let mut stops = Vec::new();
    while let Some(next) = sandbox.next_change() {
        assert!(next > sandbox.clock().now());
        assert_eq!(sandbox.next_change(), Some(next), "asking changes nothing");
        sandbox.clock().advance_to(next);
        stops.push(next);
    }
    assert_eq!(stops, changes);
}

#[test]
fn a_change_within_a_millisecond_shows_at_the_next_and_a_change_out_of_reach_never() {
    let nanos = Duration::from_nanos;
    let odd =
        Scenario::custom([(nanos(1_500_000), 2), (nanos(400_000), 3), (nanos(1), 4), (Duration::MAX, 5)]);
    let sandbox = Sandbox::builder().scenario(odd).build();
    let id = Merchant::of(&sandbox).new_intent("order");
    let begin = sandbox.clock().now();
    let mut seen = Vec::new();
    while let Some(next) = sandbox.next_change() {
        sandbox.clock().advance_to(next);
        seen.push((next.unix_millis() - begin.unix_millis(), sandbox.intent(&id).unwrap().status));
    }
    assert_eq!(seen, [(2, 4)]);
}

#[test]
fn the_next_change_is_right_though_a_shared_clock_goes_back() {
    let clock = VirtualClock::new(Moment::from_unix_seconds(1_800_000_000));
    let [one, other] = [(); 2].map(|()| Sandbox::builder().clock(clock.clone()).build());
    Merchant::of(&one).new_intent("order");
    let all = || {
        let mut all = Vec::new();
        while let Some(next) = one.next_change() {
            clock.advance_to(next);
            all.push(next.unix_seconds() - 1_800_000_000);
        }
        all
    };
    assert_eq!(all(), [5, 30, 60]);
    other.reset();
    assert_eq!(all(), [5, 30, 60]);
}

#[test]
fn a_restored_sandbox_goes_on_as_the_sandbox_that_never_strayed() {
    let [strayed, twin] = [(); 2].map(|()| Sandbox::new(7));
    for sandbox in [&strayed, &twin] {
        play(sandbox, &Merchant::of(sandbox));
        sandbox.next_intent(Scenario::overpaid());
    }
    let before = strayed.fork();
    let handle = strayed.clone();
    for _ in 0..2 {
        strayed.inject(Fault::Garbage);
        strayed.clock().advance(Duration::from_secs(5_000));
        let _ = strayed.take_webhooks();
        strayed.restore(&before);
        assert_eq!(shown(&handle), shown(&twin));
    }
    let key = SigningKey::new(API_KEY, API_SECRET.into()).unwrap();
    let merchants = [&strayed, &twin].map(|sandbox| Merchant {
        sandbox: sandbox.clone(),
        key: key.clone(),
        nonces: Cell::new(9_000),
    });
    let [one, other] = merchants.map(|merchant| {
        let id = merchant.new_intent("order");
        merchant.sandbox.clock().advance(Duration::from_secs(3_000));
        (merchant.whole(&id), shown(&merchant.sandbox))
    });
    assert_eq!(one, other);
    // The reset is to the beginning of the sandbox itself.
    strayed.reset();
    assert!(strayed.intents().is_empty());
}

#[test]
fn a_sandbox_of_other_keys_takes_the_intents_over() {
    let sandbox = Sandbox::new(7);
    let id = Merchant::of(&sandbox).new_intent("order-1");
    let key = SigningKey::new("st_other", "st_other_secret".into()).unwrap();
    let store = Store::new(key.clone()).webhook_url(crate::allscale::WEBHOOK_URL).unwrap();
    let other = Sandbox::builder().seed(9).store(store).pages_at("http://127.0.0.1:1/p").build();
    other.restore(&sandbox);
    let merchant = Merchant { sandbox: other.clone(), key, nonces: Cell::new(100) };
    other.clock().advance(Duration::from_secs(3_000));
    assert_eq!(merchant.whole(&id).1["payload"]["order_id"], "order-1");
    assert_eq!(other.counts("st_other").requests, 2);
    let webhooks = other.take_webhooks();
    let url = merchant.new_intent("order-2");
    assert_eq!((webhooks.len(), url == id, sandbox.intents().len()), (1, false, 1));
}
