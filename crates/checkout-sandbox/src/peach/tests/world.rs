use super::*;
use crate::VirtualClock;

/// Everything that shows of a sandbox from behind the counter.
fn shown(sandbox: &Sandbox) -> String {
    let answers: Vec<_> = sandbox.requests().iter().map(|request| request.answered_body().clone()).collect();
    let (webhooks, next) = (sandbox.webhooks(), sandbox.next_change());
    let counts = (sandbox.counts(ENTITY_ID), sandbox.status_requests(ENTITY_ID));
    format!("{sandbox:?} {:?} {answers:?} {counts:?} {webhooks:?} {next:?}", sandbox.checkouts())
}

/// An hour of a shop's, with the answers.
fn play(sandbox: &Sandbox) -> Vec<String> {
    let shop = Shop::of(sandbox);
    let mut seen = vec![shop.access_token()];
    for name in Scenario::NAMES {
        sandbox.next_checkout(Scenario::by_name(name).unwrap());
        let id = shop.new_checkout("order-0001");
        shop.advance(40);
        seen.push(format!("{:?} {:?}", shop.status("checkoutId", &id), sandbox.shopper_return(&id)));
    }
    shop.advance(2_000);
    seen.extend(
        sandbox.take_webhooks().iter().map(|webhook| format!("{:?} {:?}", webhook.body, webhook.headers)),
    );
    seen.push(shown(sandbox));
    seen
}

#[test]
fn a_fork_and_its_sandbox_go_on_without_each_other() {
    // Two sandboxes that nobody forks, for comparison.
    let [one, other, forked] = [(); 3].map(|()| Sandbox::new(7));
    for sandbox in [&one, &other, &forked] {
        sandbox.inject_on(Route::Validate, Fault::Garbage);
        play(sandbox);
        sandbox.next_checkout(Scenario::never_opened());
        sandbox.next_checkout(Scenario::never_opened());
    }
    let fork = forked.fork();
    assert_eq!(shown(&fork), shown(&forked));
    let again = |sandbox: &Sandbox| {
        let shop = Shop::of(sandbox);
        shop.initiate(shop.fields("order-0001"))
    };
    assert_eq!(again(&fork), (400, json!({"message": "Duplicate signature."})));
    again(&other);

    let go_on = |sandbox: &Sandbox, order: &str, act: fn(&Sandbox, &str) -> bool, wait: u64| {
        let shop = Shop::of(sandbox);
        let id = shop.new_checkout(order);
        assert!(act(sandbox, &id));
        shop.advance(wait);
        (shop.status("checkoutId", &id), sandbox.take_webhooks(), shop.access_token())
    };
    for (turn, order) in (0..).zip(["order-a", "order-b", "order-c"]) {
        let expected = go_on(&one, order, Sandbox::pay, 20 + turn);
        let expected_of_fork = go_on(&other, order, Sandbox::cancel, 50);
        assert_eq!(go_on(&forked, order, Sandbox::pay, 20 + turn), expected);
        assert_eq!(go_on(&fork, order, Sandbox::cancel, 50), expected_of_fork);
        assert_eq!((shown(&forked), shown(&fork)), (shown(&one), shown(&other)));
    }
}

#[test]
fn a_reset_sandbox_gives_the_same_bytes_again() {
    let clock = VirtualClock::new(Moment::from_unix_millis(1_800_000_000_007));
    let sandbox = Sandbox::builder().seed(7).clock(clock.clone()).build();
    let (fresh, first) = (shown(&sandbox), play(&sandbox));
    sandbox.next_checkout(Scenario::cancelled());
    sandbox.inject(Fault::Garbage);
    for _ in 0..2 {
        sandbox.reset();
        assert_eq!(clock.now(), Moment::from_unix_millis(1_800_000_000_007));
        assert_eq!(shown(&sandbox), fresh);
        assert_eq!(play(&sandbox), first, "the signatures are fresh again");
    }
    let (fork, before) = (sandbox.fork(), shown(&sandbox));
    fork.reset();
    assert_eq!((shown(&fork), shown(&sandbox)), (fresh, before));
}

proptest! {
    #[test]
    fn a_clock_that_goes_from_change_to_change_misses_none_and_stops_at_no_other_moment(
        acts in prop::collection::vec((0_usize..17, 0_u64..3_000, 0_u8..5), 1..6),
    ) {
        let sandbox = Sandbox::new(9);
        let shop = Shop::of(&sandbox);
        for (number, wait, act) in acts {
            sandbox.next_checkout(Scenario::by_name(Scenario::NAMES[number]).unwrap());
            let id = shop.new_checkout("order-0001");
            shop.advance(wait);
            let _ = match act {
                0 => sandbox.open(&id),
                1 => sandbox.pay(&id),
                2 => sandbox.cancel(&id),
                _ => true,
            };
            if act == 3 {
                let _ = sandbox.take_webhooks();
            }
        }
        let begin = sandbox.clock().now();
        let mut stops = Vec::new();
        while let Some(next) = sandbox.next_change() {
            prop_assert!(next > sandbox.clock().now());
            sandbox.clock().advance_to(next);
            stops.push(next);
        }
        let mut changes: Vec<_> = sandbox.webhooks().iter().map(|webhook| webhook.at).collect();
        changes.retain(|at| *at > begin);
        changes.dedup();
        prop_assert_eq!(stops, changes);
    }
}

#[test]
fn a_restored_sandbox_goes_on_as_the_sandbox_that_never_strayed() {
    let [strayed, twin] = [(); 2].map(|()| Sandbox::new(7));
    for sandbox in [&strayed, &twin] {
        play(sandbox);
        sandbox.next_checkout(Scenario::never_opened());
    }
    let before = strayed.fork();
    for _ in 0..2 {
        assert!(strayed.pay(&strayed.checkouts()[0].checkout_id));
        strayed.clock().advance(Duration::from_secs(5_000));
        let _ = strayed.take_webhooks();
        strayed.restore(&before);
        assert_eq!(shown(&strayed), shown(&twin));
    }
    for sandbox in [&strayed, &twin] {
        sandbox.clock().advance(Duration::from_secs(90_000));
    }
    assert_eq!(
        [&strayed, &twin].map(play).map(|seen| seen.concat()).into_iter().collect::<HashSet<_>>().len(),
        1
    );
    let token = SecretToken::new(SECRET_TOKEN.into()).unwrap();
    let own = Sandbox::builder().merchant(Merchant::new("another-entity", token)).build();
    own.restore(&strayed);
    let entities = own.checkouts().into_iter().map(|checkout| checkout.entity_id).collect::<HashSet<_>>();
    assert_eq!(entities, HashSet::from(["another-entity".to_owned()]));
    assert_eq!(own.checkouts().len(), strayed.checkouts().len());
}

#[test]
fn a_crowd_s_spent_signatures_and_tokens_are_dropped_when_they_have_ended() {
    let sandbox = Sandbox::builder().forget_requests().build();
    let shop = Shop::of(&sandbox);
    for order in 0..20 {
        shop.new_checkout(&format!("order-{order:04}"));
        shop.access_token();
    }
    shop.advance(86_399);
    shop.new_checkout("order-1000");
    let kept = |sandbox: &Sandbox| {
        let state = sandbox.0.world.state();
        (state.spent_signatures.len(), state.access_tokens.len())
    };
    assert_eq!(kept(&sandbox), (21, 20));
    shop.advance(1);
    shop.new_checkout("order-1001");
    shop.access_token();
    assert_eq!(kept(&sandbox), (2, 1));
}
