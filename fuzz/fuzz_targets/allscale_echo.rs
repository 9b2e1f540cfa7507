//! The answer to a post to the test route.
#![no_main]

use checkout_fuzz::{Room, assert_reads};
use checkout_wire::JsonText;
use checkout_wire::allscale::Echo;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| assert_reads(input, &Room::default(), by_hand, |this, owned| this == owned));

fn by_hand(payload: &Value) -> Option<Echo<'_>> {
    // Null is a value like any other here, but the member has to be there.
    let body = payload.get("your_request_body")?;
    Some(Echo { your_request_body: JsonText::new(body.to_string()).ok()? })
}
