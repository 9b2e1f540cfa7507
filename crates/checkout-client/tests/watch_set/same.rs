//! A set reports of each checkout the same as a watch of that checkout alone, by the same reads at the same
//! times.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, OfPeach, OfV2, all, alone, is_end, watches};
use proptest::prelude::*;
use std::time::Duration;

/// All checkouts together without a limit and without journeys, and each alone.
fn check<C: Crowd>(scenarios: &[&str]) {
    let crowd = C::of(scenarios);
    let (told, _) = all(&crowd, &mut watches(&crowd, false), &[0]);
    assert_eq!(told.len(), scenarios.len());
    for (number, scenario) in scenarios.iter().enumerate() {
        let (lines, world) = alone::<C>(scenarios, number);
        assert_eq!(told[&number], lines, "{scenario}");
        assert_eq!(crowd.reads(number), world.reads(number), "{scenario}");
        assert!(!crowd.reads(number).is_empty());
    }
}

#[test]
fn every_scenario_of_every_provider_goes_in_a_set_as_alone() {
    check::<OfAllscale>(OfAllscale::NAMES);
    check::<OfAzotte>(OfAzotte::NAMES);
    check::<OfPeach>(OfPeach::NAMES);
    check::<OfV2>(OfV2::NAMES);
}

#[test]
fn an_empty_set_has_no_event() {
    let crowd = OfAllscale::of(&[]);
    assert_eq!(all(&crowd, &mut watches(&crowd, true), &[0]).0.len(), 0);
}

#[test]
fn a_set_and_its_future_can_go_to_another_thread() {
    fn goes(_: &impl Send) {}
    let crowd = OfAllscale::of(&["happy"]);
    let (time, mut watches) = (crate::time::Time::of(&crowd.clock()), watches(&crowd, true));
    goes(&watches);
    goes(&watches.next_event(crowd.sandbox(), |wait| time.sleep(wait)));
}

/// With journeys of requests and answers, each checkout ends the same, and never more reads are under way
/// than allowed.
fn check_journeys<C: Crowd>(scenarios: &[&str], ways: &[u64], at_once: usize) {
    let crowd = C::of(scenarios);
    let (told, most) = all(&crowd, &mut watches(&crowd, false).max_in_flight(at_once), ways);
    assert!(most <= at_once.max(1), "{most} of {at_once}");
    for (number, scenario) in scenarios.iter().enumerate() {
        let (lines, _) = alone::<C>(scenarios, number);
        let (end, expected) = (told[&number].last().unwrap(), lines.last().unwrap());
        assert!(is_end(end));
        // A status that comes at the deadline may be seen or not.
        if !expected.starts_with("gave up") && !end.starts_with("gave up") {
            assert_eq!(end, expected, "{scenario} {:?}", told[&number]);
        }
        assert!(
            crowd
                .reads(number)
                .windows(2)
                .all(|pair| pair[1].1.saturating_since(pair[0].1) >= Duration::from_millis(300)),
            "{scenario}"
        );
    }
}

fn some(names: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(names), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_checkout_of_a_crowd_goes_as_alone(
        a in some(OfAllscale::NAMES), z in some(OfAzotte::NAMES), p in some(OfPeach::NAMES), v in some(OfV2::NAMES)
    ) {
        check::<OfAllscale>(&a);
        check::<OfAzotte>(&z);
        check::<OfPeach>(&p);
        check::<OfV2>(&v);
    }

    #[test]
    fn every_crowd_with_journeys_comes_to_the_same_ends(
        a in some(OfAllscale::NAMES), z in some(OfAzotte::NAMES),
        ways in proptest::collection::vec(0_u64..700, 1..9), at_once in 0_usize..5
    ) {
        check_journeys::<OfAllscale>(&a, &ways, at_once);
        check_journeys::<OfAzotte>(&z, &ways, at_once);
    }
}
