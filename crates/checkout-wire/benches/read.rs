//! What reading costs, beside the plain ways of doing it. Run with `cargo bench -p checkout-wire`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_wire::{Head, allscale};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const STATUS: &[u8] = br#"{"code":0,"payload":2,"error":null,"request_id":"req_xxxxx"}"#;

const INTENT: &[u8] = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","currency":44,"currency_symbol":"EUR","amount_cents":100,"chain_id":56,"amount_coins":"1.0000","coin_symbol":"USDT","coin_contract":"0x55d398326f99059fF775485246999027B3197955","currency_rate":"1.3500","status":20,"order_id":"order_123","order_description":"Monthly subscription","user_id":"user_456","user_name":"Tom","error_message":null,"tx_hash":"0x3f5a1b0c2d4e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8","tx_hash_2":"0x8f7e6d5c4b3a291807f6e5d4c3b2a19080f7e6d5c4b3a291807f6e5d4c3b2a19","tx_from":"0x9fBDa871d559710256a2502A2517b794B482Db40","tx_to":"0x52908400098527886E0F7030069857D2E4169EE7","actual_paid_amount":"1.0000","service_fee_amount":"0.0050","net_income_amount":"0.9950","payment_method_type":1},"error":null,"request_id":"req_xxxxx"}"#;

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
}

criterion_group!(benches, reading);
criterion_main!(benches);
