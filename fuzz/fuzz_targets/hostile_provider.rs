//! Several merchants of a provider whose answers, headers and webhooks, and whose merchants' clock, are the
//! fuzzer's.
#![no_main]

use checkout_fuzz::hostile::{AllScaleScene, PeachScene, play};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match input.split_first() {
        Some((first, rest)) if first & 1 == 0 => play::<AllScaleScene>(rest),
        Some((_, rest)) => play::<PeachScene>(rest),
        None => {}
    }
});
