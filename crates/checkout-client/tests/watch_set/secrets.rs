//! No text that a set or an event prints has a key, an id or a secret.

use crate::crowds::{Crowd, OfV2, now};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::WatchSet;
use checkout_sandbox::peach::{CLIENT_SECRET, Fault};
use checkout_tables::peach::Route;

#[test]
fn a_set_prints_the_number_of_checkouts_and_an_event_prints_no_key() {
    let crowd = OfV2::of(&["declined_then_paid", "happy"]);
    crowd.0.inject_on(Route::Token, Fault::Truncated);
    let time = Time::of(&crowd.clock());
    let slow = Slow::new(crowd.0.clone(), &time, &[100]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant();
    for number in 0..2 {
        watches.add(merchant, crowd.watch(number), "planted-key");
    }
    let mut texts = Vec::new();
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    assert_eq!(format!("{watches:?}"), "WatchSet { merchants: 1, checkouts: 2, under_way: 1, .. }");
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        texts.push(format!("{watches:?} {watches:#?} {event:?} {event:#?} {}", event.stored));
    }
    assert!(texts.len() > 4);
    for text in &texts {
        for planted in ["planted-key", CLIENT_SECRET, "sbx."] {
            assert!(!text.contains(planted), "{planted} in {text}");
        }
    }
}
