//! A dropped future of a set loses nothing at all.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, OfPeach, OfV2, Told, note, watches};
use crate::time::{ENDLESS, Slow, Time};
use checkout_tables::Moment;
use proptest::prelude::*;

/// Drops each future after so many polls, one number after the other and then again. Returns the changes of
/// each checkout, the requests with their times, and the number of dropped futures.
fn walk<C: Crowd>(scenarios: &[&str], drops: &[usize]) -> (Told, Vec<(String, Moment)>, usize) {
    let (crowd, mut told, mut dropped, mut asked) = (C::of(scenarios), Told::new(), 0, 0);
    let time = Time::of(&crowd.clock());
    let slow = Slow::new(crowd.sandbox().clone(), &time, &[180, 20, 450]);
    let mut watches = watches(&crowd, true);
    loop {
        let mut polls = drops[asked % drops.len()];
        asked += 1;
        match time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut polls) {
            Some(Some(event)) => note(&mut told, &event),
            Some(None) => break,
            None => dropped += 1,
        }
        assert!(asked < 1_000_000, "the set never ends");
    }
    (told, slow.log(), dropped)
}

fn check<C: Crowd>(scenarios: &[&str], drops: &[usize]) {
    let (expected, sent, dropped) = walk::<C>(scenarios, &[ENDLESS]);
    assert_eq!((expected.len(), dropped), (scenarios.len(), 0));
    let (told, sent_again, _) = walk::<C>(scenarios, drops);
    // Not a read less, not a read more, and no read at another time.
    assert_eq!((&told, without_nonces(sent_again)), (&expected, without_nonces(sent)));
}

/// Peach's V1 has a nonce and a signature in its address.
fn without_nonces(sent: Vec<(String, Moment)>) -> Vec<(String, Moment)> {
    let bare = |uri: &str| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let kept = query.split('&').filter(|pair| pair.starts_with("merchantTransactionId"));
        kept.fold(path.to_owned(), |all, pair| all + pair)
    };
    sent.into_iter().map(|(uri, at)| (bare(&uri), at)).collect()
}

#[test]
fn futures_that_live_for_one_poll_report_the_same_as_one_future() {
    check::<OfAllscale>(&["happy", "underpaid", "never_paid", "regression"], &[1]);
    check::<OfAzotte>(&["three_ds_twice", "happy", "failed"], &[1]);
    check::<OfPeach>(&["happy", "declined_then_paid", "cancelled"], &[1]);
    check::<OfV2>(&["happy", "declined_then_paid", "cancelled"], &[1]);
    // Futures are indeed dropped.
    assert!(walk::<OfAllscale>(&["happy"; 3], &[1]).2 > 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn futures_that_are_dropped_at_any_poll_report_the_same_as_one_future(
        drops in proptest::collection::vec(1_usize..9, 1..30)
    ) {
        check::<OfAllscale>(&["happy", "canceled", "kyt_refused"], &drops);
        check::<OfV2>(&["happy", "cancelled"], &drops);
    }
}
