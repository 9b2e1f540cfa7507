//! The answer to a ping.
#![no_main]

use checkout_fuzz::{Room, assert_reads, text};
use checkout_wire::allscale::Pong;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| assert_reads(input, &Room::default(), by_hand, |this, owned| this == owned));

fn by_hand(payload: &Value) -> Option<Pong<'_>> {
    Some(Pong { pong: text(&payload["pong"])? })
}
