use super::*;

fn codes(webhooks: &[Webhook]) -> Vec<&str> {
    webhooks.iter().map(|webhook| &*webhook.code).collect()
}

#[test]
fn a_webhook_comes_of_each_change_and_created_first() {
    for name in Scenario::NAMES {
        let shop = Shop::playing(Scenario::by_name(name).unwrap());
        let id = shop.new_checkout("order-0001");
        assert!(shop.sandbox.webhooks().is_empty(), "{name}");
        shop.advance(100_000);
        let webhooks = shop.sandbox.webhooks();
        assert_eq!(webhooks[0].code, "000.200.100", "{name}");
        assert_eq!(webhooks.len() + 1, Scenario::by_name(name).unwrap().codes().len(), "{name}");
        assert!(webhooks.iter().all(|webhook| webhook.checkout_id == id));
        assert!(webhooks.is_sorted_by_key(|webhook| webhook.at), "{name}");
    }
}

#[test]
fn a_webhook_s_form_is_signed_with_the_status_of_its_time() {
    let shop = Shop::playing(Scenario::declined_then_paid());
    let mut fields = shop.fields("order-0001");
    fields
        .extend(pairs(&[("customParameters[a]", "b + c"), ("notificationUrl", "https://hook.example/?a=1")]));
    shop.initiate(fields);
    let mut told = Vec::new();
    for _ in 0..24 {
        shop.advance(5);
        let mut flat = texts(&shop.status("merchantTransactionId", "order-0001").1);
        flat.sort();
        told.push(flat);
    }
    told.dedup();
    let webhooks = shop.sandbox.webhooks();
    let bodies = webhooks.iter().map(|webhook| form::decode(&webhook.body).unwrap());
    let bodies: Vec<Pairs> = bodies
        .map(|mut body| {
            assert!(shop.token.verify(form::borrowed(&body)).is_ok());
            body.sort();
            body
        })
        .collect();
    assert_eq!(bodies, told);
    assert!(webhooks.iter().all(|webhook| webhook.url == "https://hook.example/?a=1"));
}

#[test]
fn the_headers_sign_time_id_address_and_body() {
    let shop = Shop::playing(Scenario::happy());
    shop.new_checkout("order-0001");
    shop.advance(60);
    let webhooks = shop.sandbox.webhooks();
    let mut ids = HashSet::new();
    for (webhook, at) in webhooks.iter().zip([1_716_501_005, 1_716_501_035]) {
        let [(_, timestamp), (_, id), (_, signature)] = &webhook.headers;
        assert_eq!(
            webhook.headers.each_ref().map(|header| header.0),
            ["x-webhook-timestamp", "x-webhook-id", "x-webhook-signature",]
        );
        assert_eq!((timestamp, webhook.url.as_str()), (&at.to_string(), WEBHOOK_URL));
        assert!(ids.insert(id.clone()));
        // The key of the only pair, with an empty value, is the whole text that is signed.
        let body = std::str::from_utf8(&webhook.body).unwrap();
        let message = format!("{timestamp}.{id}.{WEBHOOK_URL}.{body}");
        assert_eq!(shop.token.sign([(message.as_str(), "")]).unwrap().as_str(), signature);
    }
    assert_eq!(shop.sandbox.webhooks(), webhooks, "sent again they are the same");
}

#[test]
fn webhooks_are_taken_once() {
    let shop = Shop::playing(Scenario::happy());
    shop.new_checkout("order-a");
    shop.advance(10);
    shop.new_checkout("order-b");
    assert_eq!(codes(&shop.sandbox.take_webhooks()), ["000.200.100"]);
    assert!(shop.sandbox.take_webhooks().is_empty());
    shop.advance(100);
    let rest = shop.sandbox.take_webhooks();
    assert_eq!(codes(&rest), ["000.200.100", "000.100.110", "000.100.110"], "by their times");
    assert_ne!(rest[0].checkout_id, rest[1].checkout_id);
    assert!(shop.sandbox.take_webhooks().is_empty());
    assert_eq!(shop.sandbox.webhooks().len(), 4);
}

#[test]
fn the_shopper_comes_back_with_the_signed_fields_of_now() {
    let shop = Shop::playing(Scenario::never_opened());
    let mut fields = shop.fields("order-0001");
    fields.extend(pairs(&[("cancelUrl", "https://shop.example/cancelled")]));
    shop.initiate(fields);
    let id = shop.sandbox.checkouts()[0].checkout_id.clone();
    let back = || {
        let back = shop.sandbox.shopper_return(&id).unwrap();
        let fields = form::decode(&back.body).unwrap();
        assert!(shop.token.verify(form::borrowed(&fields)).is_ok());
        format!("{} {}", value_of(&fields, "result.code").unwrap(), back.url)
    };
    assert!(shop.sandbox.cancel(&id));
    assert_eq!(back(), "100.396.101 https://shop.example/cancelled");
    assert!(shop.sandbox.pay(&id));
    assert_eq!(back(), "000.100.110 https://shop.example/done?a=1&b=2");
    let body = shop.sandbox.webhooks().pop().unwrap().body;
    assert_eq!(shop.sandbox.shopper_return(&id).unwrap().body, body, "a webhook's fields");
}
