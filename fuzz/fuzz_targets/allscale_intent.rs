//! The answer to a get.
#![no_main]

use checkout_fuzz::{Room, assert_reads, carried, coins, integer, one_id, optional, personal, rate, text};
use checkout_money::Cents;
use checkout_tables::Open;
use checkout_wire::JsonText;
use checkout_wire::allscale::Intent;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| assert_reads(input, &Room::default(), by_hand, |this, owned| this == owned));

fn by_hand(payload: &Value) -> Option<Intent<'_>> {
    let texts = |field: &str| optional(&payload[field], text);
    Some(Intent {
        intent_id: one_id(payload)?,
        currency: optional(&payload["currency"], integer)?,
        currency_symbol: texts("currency_symbol")?.map(Open::from),
        amount_cents: optional(&payload["amount_cents"], Value::as_i64)?.map(Cents::new),
        chain_id: carried(&payload["chain_id"], Value::as_u64),
        amount_coins: coins(&payload["amount_coins"])?,
        coin_symbol: texts("coin_symbol")?.map(Open::from),
        coin_contract: carried(&payload["coin_contract"], text),
        currency_rate: rate(&payload["currency_rate"]),
        status: integer(&payload["status"])?,
        order_id: texts("order_id")?,
        order_description: personal(&payload["order_description"]),
        user_id: personal(&payload["user_id"]),
        user_name: personal(&payload["user_name"]),
        error_message: personal(&payload["error_message"]),
        tx_hash: personal(&payload["tx_hash"]),
        tx_hash_2: personal(&payload["tx_hash_2"]),
        tx_from: personal(&payload["tx_from"]),
        tx_to: personal(&payload["tx_to"]),
        actual_paid_amount: optional(&payload["actual_paid_amount"], coins)?,
        service_fee_amount: carried(&payload["service_fee_amount"], coins),
        net_income_amount: carried(&payload["net_income_amount"], coins),
        payment_method_type: carried(&payload["payment_method_type"], integer),
        extra: optional(&payload["extra"], |extra| JsonText::new(extra.to_string()).ok())?,
    })
}
