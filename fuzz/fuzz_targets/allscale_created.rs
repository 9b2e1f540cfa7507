//! The answer to a create.
#![no_main]

use checkout_fuzz::{Room, assert_reads, carried, coins, integer, one_id, rate, text};
use checkout_validate::allscale::CoinSet;
use checkout_wire::allscale::CreatedIntent;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| assert_reads(input, &Room::default(), by_hand, |this, owned| this == owned));

fn by_hand(payload: &Value) -> Option<CreatedIntent<'_>> {
    Some(CreatedIntent {
        checkout_url: text(&payload["checkout_url"])?.into(),
        intent_id: one_id(payload)?,
        amount_coins: coins(&payload["amount_coins"])?,
        stable_coin_type: integer(&payload["stable_coin_type"])?,
        rate: rate(&payload["rate"]),
        accepted_stable_coins: carried(&payload["accepted_stable_coins"], |mask| {
            mask.as_u64().map(CoinSet::from_bits)
        }),
    })
}
