//! Reading borrows: the allocations are counted.
#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "tests")]

use allocation_counter::measure;
use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_tables::peach::Environment;
use checkout_wire::allscale::{Intent, Payload, read};
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::{Fields, Payment, read_payment};
use checkout_wire::{Head, Reply, azotte};

const STATUS: &str = r#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#;

/// Eleven texts are kept: the ids, hashes and addresses, the description, the name, and the request's id.
const INTENT: &str = r#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5",
    "currency":44,"currency_symbol":"EUR","amount_cents":100,"chain_id":56,"amount_coins":"1.0000",
    "coin_symbol":"USDT","coin_contract":"0x55d398326f99059fF775485246999027B3197955","currency_rate":"1.3500",
    "status":20,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456",
    "user_name":"Tom","error_message":null,"tx_hash":"0xaaaa","tx_hash_2":"0xbbbb","tx_from":"0xcccc",
    "tx_to":"0xdddd","actual_paid_amount":"1.0000","service_fee_amount":"0.0050","net_income_amount":"0.9950",
    "payment_method_type":1},"error":null,"request_id":"req_xxxxx"}"#;

/// Every field. Six texts are kept: the tracking number, the messages, the page, the form and the reference.
const RESULT: &str = r#"{"trackingNumber":"trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB","status":{"messageCode":"CHECK_OUT_3DS_REQUIRED",
    "message":"m"},"message":"n","redirectInstructions":{"redirectUrl":"https://psp.example/3ds/abc",
    "htmlContent":"<form></form>","threeDIdentifier":"3ds-1","isRedirectRequired":true,"hasNextSteps":true,
    "showHtmlContent":false},"followUpInstructions":{"retryAfterSeconds":3,"canFollowUp":true}}"#;

/// Twenty fields.
const PAYMENT: &str = r#"{"amount":"14.99","card.bin":"420000","card.expiryMonth":"12","card.expiryYear":"2029",
    "card.holder":"Tom","card.last4Digits":"0091","checkoutId":"0b4c61b8a2d84d5fa1f0c7d2e93b6a75","currency":"ZAR",
    "customParameters[a]":"b","customParameters[c]":"d","id":"8ac7a4a1688ea1f601688fd9e9a84af1",
    "merchantTransactionId":"ORDER-2019-0001","paymentBrand":"VISA","paymentType":"DB","result.code":"000.000.000",
    "result.description":"Transaction succeeded","resultDetails.AcquirerResponse":"00","resultDetails.a":"",
    "signature":"5246e6e5a4f7c9d1b0a38a8d0c8f1a3e","timestamp":"2019-01-25T08:27:46.916519Z"}"#;

/// The most nodes of a map of twenty fields: every node but the first has five of them at least.
const NODES: u64 = 4;

/// The number of allocations of a read, and the number if nothing is to stay borrowed.
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

#[test]
fn reading_a_result_allocates_nothing_and_owning_it_once_for_every_text() {
    let mut reply = None;
    let reading = measure(|| reply = Some(azotte::read(&Head::new(200), RESULT.as_bytes())));
    let reply = reply.unwrap().unwrap();
    assert!(matches!(reply, Reply::Done(_)));
    let owning = measure(|| drop(reply.map_owned(CheckoutResult::into_owned)));
    assert_eq!((reading.count_total, owning.count_total), (0, 6));
}

#[test]
fn reading_a_payment_allocates_for_the_nodes_of_its_map_and_for_no_text() {
    let mut reply = None;
    let head = Head::new(200);
    let reading =
        measure(|| reply = Some(read_payment(&head, PAYMENT.as_bytes(), Environment::Live).unwrap()));
    let Some(Reply::Done(answer)) = reply else { panic!() };
    assert_eq!(answer.payload.fields().len(), 20);
    assert!(reading.count_total <= NODES, "{reading:?}");

    let form =
        checkout_wire::peach::query(answer.payload.fields().iter().filter(|(key, _)| !key.contains('[')));
    let form = form.replace("%20", " ").replace("%3A", ":");
    let mut payment = None;
    let reading = measure(|| {
        let fields = Fields::from_form(form.as_bytes()).unwrap();
        payment = Payment::new(fields, Environment::Live);
    });
    assert_eq!(payment.unwrap().fields().len(), 18);
    assert!(reading.count_total <= NODES, "{reading:?}");
}
