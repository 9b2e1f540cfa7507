//! The answer to a get of the status.
#![no_main]

use checkout_fuzz::{Room, assert_reads, integer};
use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| assert_reads(input, &Room::default(), by_hand, |this, owned| this == owned));

fn by_hand(payload: &Value) -> Option<Open<IntentStatus>> {
    integer(payload)
}
