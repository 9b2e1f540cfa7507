//! Nothing that they print of themselves has a key, an id or a secret in it.

use crate::crowds::{Crowd, OfV2, now};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::WatchSet;
use checkout_sandbox::peach::{CLIENT_SECRET, Fault};
use checkout_tables::peach::Route;

#[test]
fn they_print_how_many_there_are_and_events_print_no_key() {
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
