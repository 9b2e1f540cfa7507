use super::*;
use checkout_tables::Moment;

const OTHER: &str = "00000000-0000-4000-8000-000000000b20";

/// A sandbox with the tenant of the tests and another tenant. The sandbox forgets requests if `forgets` says
/// so.
fn sandbox(forgets: bool) -> Sandbox {
    let tenants = [Tenant::new(X_TN, API_KEY), Tenant::new(OTHER, "sk_other")];
    let builder = tenants.into_iter().fold(Sandbox::builder().seed(4), Builder::tenant);
    if forgets { builder.forget_requests() } else { builder }.build()
}

#[test]
fn a_sandbox_that_forgets_requests_answers_them_alike() {
    let run = |forgets| {
        let sandbox = sandbox(forgets);
        let merchant = Merchant::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_checkout(Scenario::by_name(name).unwrap());
            let tracking = merchant.new_checkout(name);
            sandbox.clock().advance(Duration::from_secs(6));
            seen.push(merchant.status(&tracking));
            // The correlation id is remembered.
            assert_eq!(merchant.new_checkout(name), tracking);
        }
        let requests = seen.len() + 2 * Scenario::NAMES.len();
        assert_eq!(sandbox.requests().len(), if forgets { 0 } else { requests });
        let shown = format!("{sandbox:?}");
        assert!(shown.contains(&format!("requests: {requests}")), "{shown}");
        (seen, sandbox.counts(X_TN))
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn requests_are_counted_for_the_named_tenant_with_every_answer() {
    let sandbox = sandbox(true);
    let merchant = Merchant::of(&sandbox);
    let tracking = merchant.new_checkout("order_1");
    let count = |expected: (u64, u64, u64)| {
        let counts = sandbox.counts(X_TN);
        assert_eq!((counts.requests, counts.reads, counts.busiest_minute), expected);
        assert_eq!(counts.limited, 0, "there is no limit");
    };
    count((1, 0, 0));
    merchant.status(&tracking);
    merchant.status("trk_nobodys");
    for fault in [Fault::RateLimited, Fault::EmptyUnauthorized, Fault::LostAnswer, Fault::EmptyProblem] {
        sandbox.inject(fault);
        let _ = merchant.send("GET", &format!("{SUBMIT}/{tracking}/status"), b"");
    }
    // With a wrong key, and no route at all.
    Merchant::with(&sandbox, X_TN, "sk_other").status(&tracking);
    merchant.send("GET", "/nowhere", b"").unwrap();
    count((9, 7, 7));
    for fault in [Fault::LostBefore, Fault::LostRequest] {
        sandbox.inject(fault);
        assert!(merchant.send("GET", &format!("{SUBMIT}/{tracking}/status"), b"").is_err());
    }
    sandbox.send_blocking(Request::new(Bytes::new())).unwrap();
    Merchant::with(&sandbox, "nobody", API_KEY).status(&tracking);
    count((9, 7, 7));
    assert_eq!(sandbox.counts("nobody"), Counts::default());
    Merchant::with(&sandbox, OTHER, "sk_other").status(&tracking);
    assert_eq!((sandbox.counts(OTHER).requests, sandbox.counts(OTHER).reads), (1, 1));
    sandbox.clock().advance(Duration::from_secs(60));
    (0..8).for_each(|_| drop(merchant.status(&tracking)));
    count((17, 15, 8));
}

#[test]
fn a_checkout_is_found_by_its_tracking_number_with_the_time_of_its_code() {
    let sandbox = sandbox(true);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(Scenario::three_ds_url());
    let tracking = merchant.new_checkout("order_1");
    merchant.new_checkout("order_2");
    let check = |wait, code: &str, since: i64| {
        sandbox.clock().advance(Duration::from_secs(wait));
        let found = sandbox.checkout(&tracking).unwrap();
        assert_eq!(
            (&*found.message_code, found.changed_at),
            (code, Moment::from_unix_millis(1_717_246_327_923 + since * 1_000))
        );
        assert_eq!(found, sandbox.checkouts()[0]);
    };
    check(4, "CHECK_OUT_PROCESSING", 0);
    check(8, "CHECK_OUT_3DS_REQUIRED", 5);
    // The payer is back, the checkout is processing at once, and done 5 seconds later.
    sandbox.complete_3ds(&tracking).unwrap();
    check(3, "CHECK_OUT_PROCESSING", 12);
    check(100, "CHECK_OUT_DONE", 17);
    assert_eq!(sandbox.checkout("order_1"), None);
}

#[test]
fn a_failed_challenge_has_failed_since_the_payer_was_back() {
    let sandbox = sandbox(true);
    sandbox.next_checkout(Scenario::three_ds_url());
    let tracking = Merchant::of(&sandbox).new_checkout("order_1");
    sandbox.clock().advance(Duration::from_secs(9));
    sandbox.fail_3ds(&tracking).unwrap();
    sandbox.clock().advance(Duration::from_secs(9));
    assert_eq!(
        sandbox.checkout(&tracking).unwrap().changed_at,
        Moment::from_unix_millis(1_717_246_327_923 + 9_000)
    );
}

#[test]
fn the_captures_of_a_correlation_id_count_all_its_checkouts_and_tenants() {
    let sandbox = sandbox(true);
    let merchant = Merchant::of(&sandbox);
    merchant.new_checkout("order_1");
    sandbox.inject(Fault::KeyForgotten);
    merchant.new_checkout("order_1");
    Merchant::with(&sandbox, OTHER, "sk_other").new_checkout("order_1");
    sandbox.next_checkout(Scenario::failed());
    merchant.new_checkout("order_2");
    assert_eq!(sandbox.captures_of("order_1"), 0);
    sandbox.clock().advance(Duration::from_secs(60));
    let listed: u32 = sandbox.checkouts().iter().map(|checkout| checkout.captures).sum();
    assert_eq!((sandbox.captures_of("order_1"), listed), (3, 3));
    assert_eq!((sandbox.captures_of("order_2"), sandbox.captures_of("order_3")), (0, 0));
}
