//! A stored poller, if the first line is a stored poller, and a new poller if not; then the policy, and the
//! reports.
#![no_main]

use checkout_fuzz::{Caller, EPOCH, Play};
use checkout_poll::Poller;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let line = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).unwrap_or_default();
    let stored = match text.parse::<Poller>() {
        Ok(poller) => {
            assert_eq!(poller.to_string(), text, "one poller, one text");
            Some(poller)
        }
        Err(error) => {
            assert!(error.to_string().starts_with("a stored poller"));
            None
        }
    };
    let mut play =
        Play(if stored.is_some() { input.get(line.len() + 1..).unwrap_or_default() } else { input });
    let Some(policy) = play.policy() else { return };
    let poller = stored.unwrap_or_else(|| Poller::new(&policy, EPOCH, 7));
    let mut caller = Caller::new(policy, poller, EPOCH);
    while caller.goes_on(&mut play).is_some() {}
});
