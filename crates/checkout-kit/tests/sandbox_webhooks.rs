//! The webhooks of AllScale's sandbox, as the receiver takes the webhooks in. The sandbox writes them from
//! the guide, and the receiver reads them by code of its own, so two readings of the guide meet here.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_kit::allscale::webhook::WebhookRequest;
use checkout_kit::allscale::{
    Client, Currency, Draft, Event, ReceiveError, Receiver, SigningKey, StableCoin,
};
use checkout_kit::auth::MessageError;
use checkout_kit::replay::{Claim, Guard, MemoryStore};
use checkout_kit::{Cents, KeyRing, Moment, Verified};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Act, Sandbox, Scenario, Store, Webhook};
use std::time::Duration;

const PATH: &str = "/hooks/allscale";
const QUERY: &str = "store=7&b=%2F";

fn key() -> SigningKey {
    SigningKey::new(API_KEY, API_SECRET.into()).unwrap()
}

/// A sandbox with a fiat and a native intent, which the payer has paid, and the two webhooks.
fn sent() -> (Sandbox, [Webhook; 2]) {
    let store = Store::new(key()).webhook_url(format!("https://shop.example{PATH}?{QUERY}")).unwrap();
    let sandbox = Sandbox::builder().store(store).scenario(Scenario::never_paid()).build();
    let clock = sandbox.clock().clone();
    let client = Client::builder(key()).clock(move || clock.now()).build().unwrap();
    let fiat = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").user("u_1", "Tom");
    for draft in [fiat.accept([StableCoin::USDC]), Draft::coin(StableCoin::USDT, Cents::new(1_000))] {
        let intent = draft.check().unwrap();
        let created = client.create(&intent).send_blocking(&sandbox).unwrap();
        sandbox.act(&created.payload.intent_id, Act::Pay).unwrap();
        sandbox.clock().advance(Duration::from_secs(60));
    }
    let webhooks = sandbox.take_webhooks();
    (sandbox, webhooks.try_into().unwrap())
}

fn receive(
    webhook: &Webhook,
    headers: &[(&'static str, String); 5],
    path: &str,
    now: Moment,
) -> Result<Verified<Event>, ReceiveError> {
    let receiver = Receiver::new("shop-7", KeyRing::new("2026-11", key()));
    let body = &webhook.body;
    receiver.receive(&WebhookRequest { method: "POST", path, query: QUERY, headers, body }, now)
}

#[test]
fn a_receiver_takes_the_webhook_and_reads_every_field() {
    let (sandbox, [fiat, native]) = sent();
    let now = sandbox.clock().now();
    let intents = sandbox.intents();
    for (webhook, intent) in [&fiat, &native].into_iter().zip(&intents) {
        let event = receive(webhook, &webhook.signed_at(now, 0), PATH, now).unwrap();
        let (event, body) = (event.content(), event.content().body());
        assert_eq!((event.intent_id(), event.order_id()), (&*intent.id, intent.order_id.as_deref()));
        assert_eq!(event.transaction_id(), webhook.transaction_id);
        let known = [
            body.amount_coins.as_ref().is_some_and(|amount| amount.as_known().is_some()),
            body.coin_symbol.as_ref().is_some_and(|coin| coin.as_known().is_some()),
            body.chain_id.as_ref().is_some_and(|chain| chain.as_known().is_some()),
            body.coin_contract_address.as_ref().is_some_and(|contract| contract.as_known().is_some()),
            body.tx_hash.as_ref().is_some_and(|hash| hash.text().is_some()),
            body.payment_method_type.as_ref().is_some_and(|method| method.as_known().is_some()),
        ];
        assert_eq!(known, [true; 6]);
    }
    let body = |webhook: &Webhook| {
        let event = receive(webhook, &webhook.signed_at(now, 0), PATH, now).unwrap();
        let body = event.content().body();
        (
            body.amount_cents.clone().and_then(|cents| cents.known()),
            body.currency.is_some(),
            body.user_name.is_some(),
        )
    };
    assert_eq!(body(&fiat), (Some(Cents::new(4_990)), true, true));
    assert_eq!(body(&native), (None, false, false));
}

#[test]
fn a_delivery_is_good_for_its_five_minutes_and_for_its_own_url() {
    let (sandbox, [webhook, other]) = sent();
    let now = sandbox.clock().now();
    let headers = webhook.signed_at(now, 0);
    let at = |seconds| now.saturating_add(Duration::from_secs(seconds));
    assert!(receive(&webhook, &headers, PATH, at(300)).is_ok());
    let late = receive(&webhook, &headers, PATH, at(301)).unwrap_err();
    assert_eq!(late, ReceiveError::NotVerified(MessageError::Expired { by_seconds: 1 }));
    assert!(receive(&webhook, &webhook.signed_at(at(301), 1), PATH, at(301)).is_ok());
    for (webhook, path) in [(&webhook, "/hooks/other"), (&other, PATH)] {
        assert!(receive(webhook, &headers, path, now).is_err(), "{path}");
    }
}

#[test]
fn a_second_delivery_is_the_same_event_and_another_payment_is_not() {
    let (sandbox, [one, other]) = sent();
    let guard = Guard::new(MemoryStore::new(100));
    let begin = sandbox.clock().now();
    // Each delivery comes ten minutes after the one before.
    let claim = |webhook: &Webhook, delivery: u32| {
        let now = begin.saturating_add(Duration::from_secs(600 * u64::from(delivery)));
        let event = receive(webhook, &webhook.signed_at(now, delivery), PATH, now).unwrap();
        (guard.claim(event.identity(), now).unwrap(), now)
    };
    // The first delivery fails on the shop's side, and the second one does not.
    let (Claim::Fresh(ticket), _) = claim(&one, 0) else { panic!("it is new") };
    assert!(guard.release(ticket).is_ok());
    let (Claim::Fresh(ticket), now) = claim(&one, 1) else { panic!("it was released") };
    assert_eq!(guard.commit(ticket, now).unwrap().http_status(), 200);
    assert!(matches!(claim(&one, 2).0, Claim::Done));
    assert!(matches!(claim(&other, 3).0, Claim::Fresh(_)));
}
