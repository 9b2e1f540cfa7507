//! Three merchants with limits, and acts on their checkouts while the clock jumps.
#![no_main]

use checkout_fuzz::{Crowd, Play};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut play = Play(input);
    let Some(mut crowd) = Crowd::new(&mut play) else { return };
    while crowd.goes_on(&mut play).is_some() {}
});
