//! The stored form of a tracker.
#![no_main]

use checkout_lifecycle::Tracker;
use checkout_tables::allscale::IntentStatus;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match text.parse::<Tracker<IntentStatus>>() {
        Ok(tracker) => {
            assert_eq!(tracker.to_string(), text, "one tracker, one text");
            assert_eq!(tracker.order().is_some(), !text.ends_with(" -"));
            assert!(tracker.status().is_some() || text == "v1 - - -");
        }
        Err(error) => assert!(error.to_string().starts_with("a stored tracker")),
    }
});
