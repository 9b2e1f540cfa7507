//! The cost of reading, beside the plain ways to read. Run with `cargo bench -p checkout-wire`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_tables::peach::Environment;
use checkout_wire::{Head, allscale, azotte, peach};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const STATUS: &[u8] = br#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#;

const INTENT: &[u8] = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","currency":44,"currency_symbol":"EUR","amount_cents":100,"chain_id":56,"amount_coins":"1.0000","coin_symbol":"USDT","coin_contract":"0x55d398326f99059fF775485246999027B3197955","currency_rate":"1.3500","status":20,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456","user_name":"Tom","error_message":null,"tx_hash":"0x3f5a1b0c2d4e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8","tx_hash_2":"0x8f7e6d5c4b3a291807f6e5d4c3b2a19080f7e6d5c4b3a291807f6e5d4c3b2a19","tx_from":"0x9fBDa871d559710256a2502A2517b794B482Db40","tx_to":"0x52908400098527886E0F7030069857D2E4169EE7","actual_paid_amount":"1.0000","service_fee_amount":"0.0050","net_income_amount":"0.9950","payment_method_type":1},"error":null,"request_id":"req_xxxxx"}"#;

const RESULT: &[u8] = br#"{"trackingNumber":"trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB","status":{"messageCode":"CHECK_OUT_3DS_REQUIRED"},"redirectInstructions":{"redirectUrl":"https://psp.example/3ds/abc","isRedirectRequired":true,"hasNextSteps":true,"showHtmlContent":false},"followUpInstructions":{"retryAfterSeconds":3,"canFollowUp":true}}"#;

const PAYMENT: &[u8] = br#"{"amount":"14.99","card.bin":"420000","card.expiryMonth":"12","card.expiryYear":"2029","card.holder":"Tom","card.last4Digits":"0091","checkoutId":"0b4c61b8a2d84d5fa1f0c7d2e93b6a75","currency":"ZAR","customParameters[a]":"b","customParameters[c]":"d","id":"8ac7a4a1688ea1f601688fd9e9a84af1","merchantTransactionId":"ORDER-2019-0001","paymentBrand":"VISA","paymentType":"DB","result.code":"000.000.000","result.description":"Transaction succeeded","resultDetails.AcquirerResponse":"00","resultDetails.ExtendedDescription":"Approved","signature":"5246e6e5a4f7c9d1b0a38a8d0c8f1a3e2b9d4c7f6e5d8a1b0c3f2e5d4a7b6c9d","timestamp":"2019-01-25T08:27:46.916519Z"}"#;

fn reading(c: &mut Criterion) {
    let head = Head::new(200);
    c.bench_function("status, ours", |b| {
        b.iter(|| allscale::read::<Open<IntentStatus>>(&head, black_box(STATUS)).unwrap());
    });
    c.bench_function("status, serde_json::Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(STATUS)).unwrap());
    });
    c.bench_function("intent, ours", |b| {
        b.iter(|| allscale::read::<allscale::Intent<'_>>(&head, black_box(INTENT)).unwrap());
    });
    c.bench_function("intent, ours, nothing borrowed", |b| {
        b.iter(|| {
            let reply = allscale::read::<allscale::Intent<'_>>(&head, black_box(INTENT)).unwrap();
            reply.map_owned(allscale::Intent::into_owned)
        });
    });
    c.bench_function("intent, serde_json::Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(INTENT)).unwrap());
    });
    c.bench_function("checkout result, ours", |b| {
        b.iter(|| azotte::read(&head, black_box(RESULT)).unwrap());
    });
    c.bench_function("checkout result, serde_json::Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(RESULT)).unwrap());
    });
    c.bench_function("payment of 20 fields, ours", |b| {
        b.iter(|| peach::read_payment(&head, black_box(PAYMENT), Environment::Live).unwrap());
    });
    c.bench_function("payment of 20 fields, serde_json::Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(PAYMENT)).unwrap());
    });
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(serde_json::from_slice::<std::collections::BTreeMap<String, String>>(PAYMENT).unwrap())
        .finish();
    c.bench_function("form of 20 fields, ours", |b| {
        b.iter(|| peach::Fields::from_form(black_box(form.as_bytes())).unwrap());
    });
    c.bench_function("form of 20 fields, form_urlencoded into a map", |b| {
        b.iter(|| {
            form_urlencoded::parse(black_box(form.as_bytes())).collect::<std::collections::BTreeMap<_, _>>()
        });
    });
}

criterion_group!(benches, reading);
criterion_main!(benches);
