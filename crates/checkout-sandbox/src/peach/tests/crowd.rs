use super::*;
use checkout_tables::Moment;

const OTHER: &str = "8ac7a4ca00000000000000005a4d0b02";

/// A sandbox with the merchant of the tests and another merchant. The sandbox forgets requests if `forgets`
/// says so.
fn sandbox(forgets: bool) -> Sandbox {
    let other = Merchant::new(OTHER, SecretToken::new("other".into()).unwrap()).domain("shop.example");
    let builder = Sandbox::builder().seed(4).merchant(default_merchant()).merchant(other);
    if forgets { builder.forget_requests() } else { builder }.build()
}

#[test]
fn a_sandbox_that_forgets_requests_answers_them_alike() {
    let run = |forgets| {
        let sandbox = sandbox(forgets);
        let shop = Shop::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_checkout(Scenario::by_name(name).unwrap());
            let id = shop.new_checkout("order-0001");
            shop.advance(45);
            // Every third read is over the limit.
            seen.extend([(); 3].map(|()| shop.status("checkoutId", &id)));
        }
        let requests = seen.len() + Scenario::NAMES.len();
        assert_eq!(sandbox.requests().len(), if forgets { 0 } else { requests });
        assert_eq!(sandbox.status_requests(ENTITY_ID).len(), if forgets { 0 } else { seen.len() });
        let shown = format!("{sandbox:?}");
        assert!(shown.contains(&format!("requests: {requests}")), "{shown}");
        (seen, sandbox.counts(ENTITY_ID), sandbox.take_webhooks())
    };
    let (seen, counts, webhooks) = run(true);
    assert!(seen.iter().any(|(status, _)| *status == 429) && counts.limited > 0);
    assert_eq!((seen, counts, webhooks), run(false));
}

#[test]
fn requests_are_counted_for_the_named_merchant_with_every_answer() {
    let sandbox = sandbox(true);
    let shop = Shop::of(&sandbox);
    let count = |expected: (u64, u64, u64, u64)| {
        let counts = sandbox.counts(ENTITY_ID);
        assert_eq!((counts.requests, counts.reads, counts.busiest_minute, counts.limited), expected);
    };
    let id = shop.new_checkout("order-0001");
    shop.initiate(pairs(&[("authentication.entityId", ENTITY_ID)]));
    let token = shop.access_token();
    count((3, 0, 0, 0));
    shop.status("checkoutId", &id);
    shop.call(with_bearer(get(&format!("/v2/checkout/{id}/status")), &token));
    shop.status("checkoutId", &id);
    count((6, 3, 3, 1));
    for fault in [Fault::RateLimited, Fault::Redirect, Fault::LostAnswer] {
        sandbox.inject(fault);
        let _ = sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)]));
    }
    // A wrong signature. (Of the three requests above, only the request with the lost answer came to the
    // limit.)
    Shop::with(&sandbox, ENTITY_ID, "another").status("checkoutId", &id);
    count((10, 7, 7, 2));
    for fault in [Fault::LostBefore, Fault::LostRequest] {
        sandbox.inject(fault);
        assert!(sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).is_err());
    }
    // Requests of nobody: without a token, without an entity, without a path.
    shop.call(with_bearer(get(&format!("/v2/checkout/{id}/status")), "sbx.0"));
    Shop::with(&sandbox, "nobody", SECRET_TOKEN).status("checkoutId", &id);
    shop.call(get("/nowhere"));
    count((10, 7, 7, 2));
    assert_eq!(sandbox.counts("nobody"), Counts::default());
    Shop::with(&sandbox, OTHER, "other").status("checkoutId", &id);
    let counts = sandbox.counts(OTHER);
    assert_eq!((counts.requests, counts.reads, counts.limited), (1, 1, 0));
    shop.advance(60);
    (0..8).for_each(|_| drop(shop.status("checkoutId", &id)));
    count((18, 15, 8, 8));
}

#[test]
fn a_checkout_is_found_by_each_of_its_ids_with_the_time_of_its_code() {
    let sandbox = sandbox(true);
    let shop = Shop::of(&sandbox);
    sandbox.next_checkout(Scenario::cancelled());
    let older = shop.new_checkout("order-0001");
    shop.advance(5);
    let latest = shop.new_checkout("order-0001");
    let elsewhere = Shop::with(&sandbox, OTHER, "other").new_checkout("order-0001");
    let of = |entity| sandbox.checkout_of(entity, "order-0001").unwrap().checkout_id;
    assert_eq!((of(ENTITY_ID), of(OTHER)), (latest.clone(), elsewhere));
    assert_eq!(sandbox.checkout_of("nobody", "order-0001"), None);
    assert_eq!(sandbox.checkout_of(ENTITY_ID, "order-0002"), None);
    // The checkout is created after 5 seconds, and cancelled 60 seconds later.
    for (wait, code, since) in [(0, "000.200.100", 5), (59, "000.200.100", 5), (1, "100.396.101", 65)] {
        shop.advance(wait);
        let found = sandbox.checkout(&older).unwrap();
        assert_eq!(
            (&*found.code, found.changed_at),
            (code, Moment::from_unix_millis(1_716_501_000_000 + since * 1_000))
        );
        assert_eq!(found, sandbox.checkouts()[0]);
    }
    // The payer pays after all.
    shop.advance(7);
    assert!(sandbox.pay(&older));
    assert_eq!(sandbox.checkout(&older).unwrap().changed_at, Moment::from_unix_millis(1_716_501_072_000));
    assert_eq!(sandbox.checkout("order-0001"), None);
}

/// The lookups as the page describes them, which go through every checkout: every given id must fit, and the
/// latest of several checkouts is taken.
#[test]
fn a_read_finds_the_same_as_a_search_of_all_checkouts() {
    let sandbox = Sandbox::builder().status_limit(None).merchant(default_merchant()).build();
    let shop = Shop::of(&sandbox);
    for (at, scenario) in
        [Scenario::happy(), Scenario::happy(), Scenario::never_opened()].iter().cycle().take(9).enumerate()
    {
        sandbox.next_checkout(scenario.clone());
        shop.new_checkout(["order-a", "order-b"][at % 2]);
    }
    shop.advance(100);
    let checkouts = sandbox.checkouts();
    let payment_id = |id: &str| shop.status("checkoutId", id).1["id"].as_str().unwrap_or("none").to_owned();
    let known: Vec<[String; 3]> = checkouts
        .iter()
        .map(|checkout| {
            let id = checkout.checkout_id.clone();
            let payment = payment_id(&id);
            [id, checkout.merchant_transaction_id.clone(), payment]
        })
        .collect();
    let choices = |key: usize| known.iter().map(move |row| Some(&*row[key])).chain([None, Some("other")]);
    for checkout_id in choices(0) {
        for transaction_id in [None, Some("order-a"), Some("order-b"), Some("other")] {
            for payment in choices(2).filter(|payment| *payment != Some("none")) {
                let asked = [checkout_id, transaction_id, payment];
                if asked == [None; 3] {
                    continue;
                }
                let fits = |row: &&[String; 3]| {
                    asked.iter().zip(*row).all(|(asked, is)| asked.is_none_or(|asked| asked == is))
                };
                let expected = known.iter().rev().find(fits).map(|row| row[0].clone());
                let named: Vec<_> = LOOKED_FOR
                    .into_iter()
                    .zip(asked)
                    .filter_map(|(key, value)| Some((key, value?)))
                    .collect();
                let (_, reply) = shop.call(shop.status_request(&named));
                assert_eq!(reply["checkoutId"].as_str(), expected.as_deref(), "{asked:?}");
            }
        }
    }
}

#[test]
fn webhooks_are_taken_as_they_come_due_for_all_acts_of_the_payer() {
    let sandbox = sandbox(true);
    let shop = Shop::of(&sandbox);
    let mut taken = Vec::new();
    for (at, name) in Scenario::NAMES.iter().enumerate() {
        sandbox.next_checkout(Scenario::by_name(name).unwrap());
        let id = shop.new_checkout("order-0001");
        taken.extend(sandbox.take_webhooks());
        shop.advance(40);
        if at % 3 == 0 {
            assert!(sandbox.pay(&id));
        }
        taken.extend(sandbox.take_webhooks());
    }
    shop.advance(200_000);
    taken.extend(sandbox.take_webhooks());
    assert_eq!(sandbox.take_webhooks(), []);
    assert!(taken.is_sorted_by_key(|webhook| webhook.at));
    let by_text = |mut webhooks: Vec<Webhook>| {
        webhooks.sort_by_key(|webhook| (webhook.at, webhook.checkout_id.clone(), webhook.code.clone()));
        webhooks
    };
    assert_eq!(by_text(taken), by_text(sandbox.webhooks()), "each of them once");
}
