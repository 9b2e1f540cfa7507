//! The laws of polling for a crowd: the day of the example `day_of_polling`, with fewer checkouts. The
//! sandboxes are the oracle of the laws, and the figures of the table are not compared.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

#[path = "../examples/day_of_polling.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod day_of_polling;

use day_of_polling::{Crowd, run};

#[test]
fn every_checkout_ends_as_the_provider_says_or_is_handed_back_within_the_limits() {
    let crowd = Crowd { checkouts: 2_000, seed: 7, heeds_limits: true };
    let report = crowd.day().unwrap();
    // Wrongs are, for example: an end that is not the provider's; a checkout that had ended before its
    // deadline, and was handed back; a checkout that is lost, or starved; a limit exceeded; a read that the
    // provider has not counted.
    assert_eq!(report.wrong, Vec::<String>::new());
    assert_eq!(report.exceeded, 0);
    assert_eq!(report.ended + report.ended_later + report.open, 2_000);
    // One merchant has too many checkouts for the limit, and two reads in a hundred go wrong.
    assert_eq!(report.had_ended, 0, "{}", report.table);
    // Something of each kind happened on the day.
    for happened in [report.ended, report.ended_later, report.open, report.spoiled, report.nudged] {
        assert!(happened > 20, "{}", report.table);
    }
}

#[test]
fn the_same_seed_makes_the_same_day() {
    let day = |seed: &str| {
        let mut said = Vec::new();
        let arguments = ["--checkouts", "150", "--seed", seed].map(str::to_owned);
        assert_eq!(run(&arguments, &mut said), 0);
        String::from_utf8(said).unwrap()
    };
    assert_eq!(day("3"), day("3"));
    assert_ne!(day("3").lines().skip(2).collect::<Vec<_>>(), day("4").lines().skip(2).collect::<Vec<_>>());
}

#[test]
fn a_schedule_without_limits_is_found_out() {
    let crowd = Crowd { checkouts: 600, seed: 7, heeds_limits: false };
    let report = crowd.day().unwrap();
    assert!(report.exceeded > 0 && !report.wrong.is_empty(), "{}", report.table);
}

#[test]
fn other_arguments_are_answered_with_the_usage() {
    for arguments in [&["--checkouts"][..], &["--checkouts", "0"], &["--seed", "-1"], &["--list"], &["2000"]]
    {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
        let mut said = Vec::new();
        assert_eq!(run(&arguments, &mut said), 2, "{arguments:?}");
        assert!(String::from_utf8(said).unwrap().starts_with("usage: day_of_polling"));
    }
}
