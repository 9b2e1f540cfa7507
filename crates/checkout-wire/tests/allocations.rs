//! Reading borrows: what it allocates is counted.
#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "tests")]

use allocation_counter::measure;
use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_wire::allscale::{Intent, Payload, read};
use checkout_wire::{Head, Reply};

const STATUS: &str = r#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#;

/// Eleven texts are kept: the ids, hashes and addresses, the description, the name, and the request's id.
const INTENT: &str = r#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5",
    "currency":44,"currency_symbol":"EUR","amount_cents":100,"chain_id":56,"amount_coins":"1.0000",
    "coin_symbol":"USDT","coin_contract":"0x55d398326f99059fF775485246999027B3197955","currency_rate":"1.3500",
    "status":20,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456",
    "user_name":"Tom","error_message":null,"tx_hash":"0xaaaa","tx_hash_2":"0xbbbb","tx_from":"0xcccc",
    "tx_to":"0xdddd","actual_paid_amount":"1.0000","service_fee_amount":"0.0050","net_income_amount":"0.9950",
    "payment_method_type":1},"error":null,"request_id":"req_xxxxx"}"#;

/// How often reading allocates, and how often it does if nothing is to stay borrowed.
fn check<'a, T: Payload<'a>>(body: &'a str) -> (u64, u64) {
    let mut reply = None;
    let reading = measure(|| reply = Some(read::<T>(&Head::new(200), body.as_bytes())));
    let reply = reply.unwrap().unwrap();
    assert!(matches!(reply, Reply::Done(_)));
    let owning = measure(|| drop(reply.map_owned(Payload::into_owned)));
    (reading.count_total, owning.count_total)
}

#[test]
fn reading_a_status_allocates_nothing() {
    assert_eq!(check::<Open<IntentStatus>>(STATUS), (0, 1));
}

#[test]
fn reading_an_intent_allocates_nothing_and_owning_it_once_for_every_text() {
    assert_eq!(check::<Intent<'_>>(INTENT), (0, 11));
}

#[test]
fn only_a_text_with_an_escape_in_it_is_copied() {
    let (reading, owning) = check::<Intent<'static>>(INTENT.replace("Monthly", r"Month\u006cy").leak());
    assert!(reading > 0);
    assert_eq!(owning, 10);
}
