use super::*;

type Act = fn(&Sandbox, &str) -> Result<(), ChallengeError>;

/// Everything that shows of a sandbox from behind the counter.
fn shown(sandbox: &Sandbox) -> String {
    let answers: Vec<_> = sandbox.requests().iter().map(|request| request.answered_body().clone()).collect();
    let (counts, next) = (sandbox.counts(X_TN), sandbox.next_change());
    format!("{sandbox:?} {:?} {answers:?} {counts:?} {next:?}", sandbox.checkouts())
}

/// Minutes of a shop's, with the bytes of the answers.
fn play(sandbox: &Sandbox) -> Vec<String> {
    let merchant = Merchant::of(sandbox);
    let mut seen = Vec::new();
    for name in Scenario::NAMES {
        sandbox.next_checkout(Scenario::by_name(name).unwrap());
        let tracking = merchant.new_checkout(name);
        sandbox.clock().advance(Duration::from_secs(6));
        let _ = sandbox.fail_3ds(&tracking);
        let answer = merchant.ask(&tracking);
        seen.push(format!("{:?} {:?}", answer.headers(), answer.body()));
    }
    seen.push(shown(sandbox));
    seen
}

#[test]
fn a_fork_and_its_sandbox_go_on_without_each_other() {
    // Two sandboxes that nobody forks, for comparison.
    let [one, other, forked] = [(); 3].map(|()| Sandbox::new(7));
    for sandbox in [&one, &other, &forked] {
        sandbox.inject_on(Route::CheckoutStatus, Fault::TamperedTracking);
        play(sandbox);
        sandbox.next_checkout(Scenario::three_ds_at_once());
        sandbox.next_checkout(Scenario::three_ds_at_once());
    }
    let fork = forked.fork();
    assert_eq!(shown(&fork), shown(&forked));

    let go_on = |sandbox: &Sandbox, order: &str, act: Act, wait: u64| {
        let merchant = Merchant::of(sandbox);
        let tracking = merchant.new_checkout(order);
        let acted = act(sandbox, &tracking);
        sandbox.clock().advance(Duration::from_secs(wait));
        (merchant.status(&tracking), acted, sandbox.captures_of(order))
    };
    for (turn, order) in (0..).zip(["order-a", "order-b", "order-c"]) {
        let expected = go_on(&one, order, Sandbox::complete_3ds, 20 + turn);
        let expected_of_fork = go_on(&other, order, Sandbox::decline, 50);
        assert_eq!(go_on(&forked, order, Sandbox::complete_3ds, 20 + turn), expected);
        assert_eq!(go_on(&fork, order, Sandbox::decline, 50), expected_of_fork);
        assert_eq!((shown(&forked), shown(&fork)), (shown(&one), shown(&other)));
    }
}

#[test]
fn a_reset_sandbox_gives_the_same_bytes_again() {
    let clock = VirtualClock::new(Moment::from_unix_millis(1_800_000_000_007));
    let sandbox = Sandbox::builder().seed(7).clock(clock.clone()).build();
    let (fresh, first) = (shown(&sandbox), play(&sandbox));
    sandbox.next_checkout(Scenario::failed());
    sandbox.inject(Fault::Garbage);
    for _ in 0..2 {
        sandbox.reset();
        assert_eq!(clock.now(), Moment::from_unix_millis(1_800_000_000_007));
        assert_eq!(shown(&sandbox), fresh);
        assert_eq!(play(&sandbox), first, "the correlation ids are fresh again");
    }
    let (fork, before) = (sandbox.fork(), shown(&sandbox));
    fork.reset();
    assert_eq!((shown(&fork), shown(&sandbox)), (fresh, before));
}

/// The seconds, since the submit, at which a clock stops that goes from change to change. The whole record
/// and the whole reply of every second between two stops are those of the stop before.
fn stops(scenario: Scenario, act: impl Fn(&Sandbox, &str)) -> Vec<u64> {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(scenario);
    let tracking = merchant.new_checkout("order-1");
    let begin = sandbox.clock().now();
    act(&sandbox, &tracking);
    let shown = |sandbox: &Sandbox| {
        format!("{:?} {:?}", sandbox.checkouts(), Merchant::of(sandbox).status(&tracking))
    };
    let mut stops = Vec::new();
    loop {
        let now = sandbox.clock().now();
        let next = sandbox.next_change();
        let until = next.unwrap_or_else(|| now.saturating_add(Duration::from_secs(100)));
        let slow = sandbox.fork();
        let at_the_stop = shown(&slow);
        while slow.clock().now() < until {
            assert_eq!(shown(&slow), at_the_stop);
            slow.clock().advance(Duration::from_secs(1));
        }
        let Some(next) = next else { return stops };
        assert!(next > now);
        stops.push(next.saturating_since(begin).as_secs());
        sandbox.clock().advance_to(next);
    }
}

#[test]
fn a_clock_that_goes_from_change_to_change_misses_none() {
    // The times of the steps and of the browser's returns.
    let table: [(&str, &[u64]); 19] = [
        ("happy", &[5]),
        ("done_at_once", &[]),
        ("failed_at_once", &[]),
        ("failed", &[5]),
        ("failed_message_on_top", &[5]),
        ("three_ds_url", &[5, 35, 40]),
        ("three_ds_html", &[5, 35, 40]),
        ("three_ds_html_and_url", &[5, 35, 40]),
        ("three_ds_at_once", &[30, 35]),
        ("three_ds_failed", &[5, 35, 40]),
        ("three_ds_twice", &[5, 35, 40, 70, 75]),
        ("three_ds_abandoned", &[5]),
        ("redirect_while_processing", &[5, 35, 40]),
        ("slow", &[600]),
        ("late_success", &[5, 605]),
        ("never_ends", &[]),
        ("unknown_code", &[5, 15]),
        ("unknown_code_with_redirect", &[5, 35, 40]),
        ("change_after_terminal", &[5, 65]),
    ];
    assert_eq!(table.map(|row| row.0), Scenario::NAMES);
    for (name, expected) in table {
        assert_eq!(stops(Scenario::by_name(name).unwrap(), |_, _| ()), expected, "{name}");
    }
    // The provider notices later that the browser is back.
    let lagging = Step::after(Duration::from_secs(9), "CHECK_OUT_DONE");
    let lagging = Scenario::custom([Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_url(), lagging]);
    assert_eq!(stops(lagging, |_, _| ()), [30, 39]);
    let never = Scenario::custom([Step::after(Duration::MAX, "CHECK_OUT_DONE")]);
    assert_eq!(stops(never, |_, _| ()), [0; 0]);
}

#[test]
fn an_act_of_the_payer_changes_the_next_change() {
    let at_once = || Scenario::three_ds_twice().browser_returns_after(Duration::from_secs(30));
    let acts: [(Act, &[u64]); 4] = [
        (Sandbox::complete_3ds, &[17, 47, 52]),
        (Sandbox::fail_3ds, &[]),
        (Sandbox::decline, &[]),
        (Sandbox::abandon, &[]),
    ];
    for (act, expected) in acts {
        let seen = stops(at_once(), |sandbox, tracking| {
            sandbox.clock().advance(Duration::from_secs(12));
            let by_itself = sandbox.clock().now().saturating_add(Duration::from_secs(23));
            assert_eq!(sandbox.next_change(), Some(by_itself));
            act(sandbox, tracking).unwrap();
        });
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_restored_sandbox_goes_on_as_the_sandbox_that_never_strayed() {
    let [strayed, twin] = [(); 2].map(|()| Sandbox::new(7));
    for sandbox in [&strayed, &twin] {
        play(sandbox);
        sandbox.next_checkout(Scenario::three_ds_at_once());
    }
    let before = strayed.fork();
    for _ in 0..2 {
        let tracking = Merchant::of(&strayed).new_checkout("order-of-no-future");
        strayed.complete_3ds(&tracking).unwrap();
        strayed.clock().advance(Duration::from_secs(500));
        strayed.restore(&before);
        assert_eq!(shown(&strayed), shown(&twin));
    }
    let [one, other] = [&strayed, &twin].map(|sandbox| {
        let merchant = Merchant::of(sandbox);
        let tracking = merchant.new_checkout("order-z");
        (merchant.status(&tracking), tracking, shown(sandbox))
    });
    assert_eq!(one, other);
    let own = Sandbox::builder().tenant(Tenant::new("another-tenant", "key")).build();
    own.restore(&strayed);
    let tenants = own.checkouts().into_iter().map(|checkout| checkout.tenant);
    assert!(tenants.into_iter().all(|tenant| tenant == "another-tenant"));
    assert_eq!(own.checkouts().len(), strayed.checkouts().len());
}
