use super::*;

fn shop() -> Shop {
    Shop::of(&Sandbox::new(3))
}

/// The HTTP status and the `Retry-After` of a read of a checkout.
fn ask(shop: &Shop, id: &str) -> String {
    let response = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", id)])).unwrap();
    let later = response.headers().get("retry-after").map_or("-", |value| value.to_str().unwrap());
    format!("{} {later}", response.status().as_u16())
}

#[test]
fn a_merchant_has_two_status_requests_in_any_sixty_seconds_over_all_checkouts() {
    let shop = shop();
    let [a, b] = ["order-a", "order-b"].map(|id| shop.new_checkout(id));
    assert_eq!(ask(&shop, &a), "200 -");
    shop.advance(20);
    assert_eq!(ask(&shop, &b), "200 -");
    assert_eq!(ask(&shop, &b), "429 40");
    shop.advance(39);
    assert_eq!(ask(&shop, &a), "429 1");
    shop.advance(1);
    assert_eq!(ask(&shop, &a), "200 -", "the first has left the window");
    assert_eq!(ask(&shop, &a), "429 20", "the second has not");
    let limited: Vec<_> =
        shop.sandbox.status_requests(ENTITY_ID).iter().map(|request| request.limited).collect();
    assert_eq!(limited, [false, false, true, true, false, true]);
}

#[test]
fn a_caller_that_keeps_the_wait_is_let_in_and_another_is_not() {
    for millis in [0, 1, 999, 1_000, 59_999] {
        let shop = shop();
        let id = shop.new_checkout("order-0001");
        ask(&shop, &id);
        ask(&shop, &id);
        shop.sandbox.clock().advance(Duration::from_millis(millis));
        let answer = ask(&shop, &id);
        let seconds: u64 = answer.strip_prefix("429 ").unwrap().parse().unwrap();
        assert!((millis + seconds * 1000) >= 60_000 && millis + (seconds - 1) * 1000 < 60_000, "{answer}");
        shop.advance(seconds);
        assert_eq!(ask(&shop, &id), "200 -");
    }
}

#[test]
fn both_versions_share_the_limit_and_a_read_without_a_find_counts() {
    let shop = shop();
    let id = shop.new_checkout("order-0001");
    let token = shop.access_token();
    let v2 = |id: &str| shop.call(with_bearer(get(&format!("/v2/checkout/{id}/status")), &token)).0;
    assert_eq!([v2(&id), shop.status("checkoutId", "nobodys").0, v2(&id)], [200, 400, 429]);
    let found: Vec<_> =
        shop.sandbox.status_requests(ENTITY_ID).into_iter().map(|request| request.checkout_id).collect();
    assert_eq!(found, [Some(id), None, None]);
}

#[test]
fn a_read_that_is_not_let_in_does_not_count_and_other_routes_are_free() {
    let shop = shop();
    let id = shop.new_checkout("order-0001");
    let stranger = Shop::with(&shop.sandbox, ENTITY_ID, "another");
    for _ in 0..3 {
        assert_eq!(ask(&stranger, &id), "400 -");
        shop.access_token();
        shop.new_checkout("order-0002");
    }
    assert!(shop.sandbox.status_requests(ENTITY_ID).is_empty());
    assert_eq!([(); 3].map(|()| ask(&shop, &id)), ["200 -", "200 -", "429 60"]);
}

#[test]
fn each_merchant_has_a_limit_of_its_own() {
    let other = "8ac7a4ca00000000000000005a4d0b02";
    let merchant = Merchant::new(other, SecretToken::new("other".into()).unwrap()).domain("shop.example");
    let sandbox = Sandbox::builder().merchant(default_merchant()).merchant(merchant).build();
    let shops = [Shop::of(&sandbox), Shop::with(&sandbox, other, "other")];
    for shop in &shops {
        let id = shop.new_checkout("order-0001");
        assert_eq!([(); 3].map(|()| ask(shop, &id)), ["200 -", "200 -", "429 60"]);
        assert_eq!(sandbox.status_requests(&shop.entity_id).len(), 3);
    }
    assert!(sandbox.status_requests("nobody").is_empty());
}

#[test]
fn the_limit_can_be_another_or_none() {
    for (limit, let_in) in [(NonZeroU32::new(1), 1), (NonZeroU32::new(5), 5), (None, 50)] {
        let shop = Shop::of(&Sandbox::builder().status_limit(limit).build());
        let id = shop.new_checkout("order-0001");
        assert_eq!((0..50).filter(|_| ask(&shop, &id) == "200 -").count(), let_in);
    }
}
