//! The stored form of a poller: its parts, and the refusal of every other text.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod play;

use checkout_lifecycle::{Failure, Phase};
use checkout_poll::{ParsePollerError, PollPolicy, Poller, ReadKind, ReadOutcome};
use play::{EPOCH, PHASES, at, secs};
use proptest::prelude::*;

#[test]
fn a_poller_is_24_bytes() {
    assert!(size_of::<Poller>() <= 24, "{}", size_of::<Poller>());
    assert!(size_of::<Option<Poller>>() <= 24);
}

#[test]
fn the_stored_form_never_changes() {
    let policy = PollPolicy::azotte();
    let mut poller = Poller::new(&policy, at(EPOCH + 120), 0);
    let [seed] = [poller.to_string().split(' ').nth(6).unwrap().to_owned()];
    let check =
        |poller: Poller, expected: &str| assert_eq!(poller.to_string(), expected.replace("SEED", &seed));
    check(poller, "v1 1700000000 12 12 212 60012 SEED 0 0 - -");
    poller.mark_sent(&policy, at(EPOCH + 2_120));
    check(poller, "v1 1700000000 212 312 312 60012 SEED 0 0 - -");
    let answer = |phase, wait: u64| ReadOutcome::Answer {
        kind: ReadKind::Status,
        phase: Some(phase),
        wait: Some(secs(wait)),
    };
    poller.handle_outcome(&policy, at(EPOCH + 2_500), answer(Phase::Processing, 3));
    check(poller, "v1 1700000000 250 550 550 60012 SEED 0 0 - processing");
    poller.handle_outcome(&policy, at(EPOCH + 5_000), answer(Phase::PayerAction, 60));
    check(poller, "v1 1700000000 500 6500 6500 60012 SEED 0 0 pw payer-action");
    poller.payer_returned(&policy, at(EPOCH + 9_999));
    check(poller, "v1 1700000000 999 6500 6500 60012 SEED 0 0 rw payer-action");
    poller.handle_outcome(&policy, at(EPOCH + 70_000), ReadOutcome::Refused);
    poller.handle_outcome(&policy, at(EPOCH + 80_000), ReadOutcome::Limited { wait: Some(secs(1_000)) });
    check(poller, "v1 1700000000 8000 108000 108000 60012 SEED 2 1 rw payer-action");
    poller.handle_outcome(&policy, at(EPOCH + 90_000), answer(Phase::Failed(Failure::Declined), 0));
    check(poller, "v1 1700000000 9000 108000 108000 69000 SEED 0 0 cw declined");
    // A challenge that cannot be shown yet, and a challenge whose payer need not return.
    let mut poller = Poller::new(&policy, at(EPOCH), 0);
    poller.handle_outcome(&policy, at(EPOCH), ReadOutcome::PayerActs { shown: false, wait: Some(secs(3)) });
    check(poller, "v1 1700000000 0 300 300 60000 SEED 0 0 - payer-action");
    poller.handle_outcome(&policy, at(EPOCH), ReadOutcome::PayerActs { shown: true, wait: Some(secs(4)) });
    check(poller, "v1 1700000000 0 400 400 60000 SEED 0 0 pr payer-action");
    // The last read, and the rest of an end that is to be read once more.
    let mut poller = Poller::new(&policy, at(EPOCH + 120), 0);
    poller.mark_sent(&policy, at(EPOCH + 600_120));
    check(poller, "v1 1700000000 60012 60112 60112 60012 SEED 0 0 l -");
    poller.handle_outcome(&policy, at(EPOCH + 600_120), ReadOutcome::Failed { wait: None });
    assert!(poller.to_string().ends_with(" 1 0 - -"), "{poller}");
    poller.mark_sent(&policy, at(EPOCH + 700_000));
    poller.handle_outcome(&policy, at(EPOCH + 700_000), answer(Phase::PayerAction, 0));
    check(poller, "v1 1700000000 70000 70100 70100 60012 SEED 0 0 po payer-action");
    poller.handle_outcome(&policy, at(EPOCH + 800_000), answer(Phase::Failed(Failure::Expired), 0));
    check(poller, "v1 1700000000 80000 80100 80100 140000 SEED 0 0 c expired");
    poller.read_once_more(&policy, at(EPOCH + 900_000));
    check(poller, "v1 1700000000 90000 80100 80100 150000 SEED 0 0 n expired");
}

#[test]
fn a_text_stored_long_ago_is_read() {
    // The text is typed, and not printed by the code that reads it.
    let stored = "v1 1700000000 4270 4370 4370 60000 201 0 0 - succeeded";
    let poller: Poller = stored.parse().unwrap();
    assert_eq!(poller.started_at(), at(EPOCH));
    assert_eq!(poller.due(), at(EPOCH + 43_700));
    assert_eq!(poller.deadline(), at(EPOCH + 600_000));
    assert_eq!((poller.phase(), poller.failures()), (Some(Phase::Succeeded), 0));
    assert_eq!(format!("{poller:?}"), format!("Poller({stored})"));
}

#[test]
fn every_phase_is_stored_by_a_word_of_its_own() {
    let words: std::collections::BTreeSet<String> = PHASES
        .into_iter()
        .map(|phase| {
            let mut poller = Poller::new(&PollPolicy::peach(), at(EPOCH), 3);
            let answer = ReadOutcome::Answer { kind: ReadKind::Full, phase: Some(phase), wait: None };
            poller.handle_outcome(&PollPolicy::peach(), at(EPOCH), answer);
            let text = poller.to_string();
            assert_eq!(text.parse::<Poller>().unwrap().phase(), Some(phase));
            text.split(' ').next_back().unwrap().to_owned()
        })
        .collect();
    assert_eq!(words.len(), PHASES.len());
}

#[test]
fn the_wrong_part_is_named() {
    use ParsePollerError::{
        Deadline, Due, Earliest, Failures, Flags, Phase, Refusals, Seed, Seen, StartedAt, Surplus, Version,
    };
    let check = |text: &str, error| assert_eq!(text.parse::<Poller>(), Err(error), "{text}");
    let good = "v1 1700000000 10 20 30 60000 7 3 2 w in-review";
    assert_eq!(good.parse::<Poller>().unwrap().to_string(), good);
    let order = [Version, StartedAt, Seen, Earliest, Due, Deadline, Seed, Failures, Refusals, Flags, Phase];
    let parts: Vec<&str> = good.split(' ').collect();
    for (place, error) in order.into_iter().enumerate() {
        // The text is cut off before the part, or the part is empty, or nonsense.
        check(&parts[..place].join(" "), error);
        for wrong in ["", "x", "-1", "+1", "007", "1.5", "99999999999", "\u{661}", "1\n", "W", "--"] {
            let mut parts = parts.clone();
            parts[place] = wrong;
            check(&parts.join(" "), error);
        }
    }
    check("", Version);
    check("v2 1700000000 10 20 30 60000 7 3 2 w in-review", Version);
    check(" v1 1700000000 10 20 30 60000 7 3 2 w in-review", Version);
    check("v1  1700000000 10 20 30 60000 7 3 2 w in-review", StartedAt);
    check("v1 1700000000 10 20 30 60000 7 3 2 w in-review ", Surplus);
    check("v1 1700000000 10 20 30 60000 7 3 2 w in-review\n", Phase);
    check("v1 1700000000 10 20 19 60000 7 3 2 w in-review", Due);
    check("v1 1700000000 10 20 30 60000 256 3 2 w in-review", Seed);
    check("v1 1700000000 10 20 30 60000 7 256 2 w in-review", Failures);
    check("v1 1700000000 10 20 30 60000 7 1 2 w in-review", Refusals);
    check("v1 1700000000 10 20 30 60000 7 8 8 w in-review", Refusals);
    // A last read before the deadline is no last read.
    check("v1 1700000000 10 20 30 11 7 3 2 l in-review", Flags);
    check("v1 1700000000 10 20 30 11 7 3 2 o in-review", Flags);
    assert!("v1 1700000000 10 20 30 10 7 3 2 lo in-review".parse::<Poller>().is_ok());
    // Letters: in their order, once, and of such a phase.
    for letters in ["wc", "ww", "c", "p", "r", "pw", "cp", "n", "l", "o", "wo", ""] {
        check(&format!("v1 1700000000 10 20 30 60000 7 3 2 {letters} in-review"), Flags);
    }
    check("v1 1700000000 10 20 30 60000 7 3 2 c -", Flags);
    check("v1 1700000000 10 20 30 60000 7 3 2 p succeeded", Flags);
    check("v1 1700000000 10 20 30 60000 7 3 2 r succeeded", Flags);
    check("v1 1700000000 10 20 30 60000 7 3 2 n payer-action", Flags);
    check("v1 1700000000 10 20 30 60000 7 3 2 cn payer-action", Flags);
    check("v1 1700000000 10 20 30 60000 7 3 2 w In-Review", Phase);
    check("v1 1700000000 10 20 30 60000 7 3 2 w failed", Phase);
    for (letters, phase) in [
        ("c", "succeeded"),
        ("cnw", "expired"),
        ("prwlo", "payer-action"),
        ("-", "-"),
        ("wl", "-"),
        ("o", "-"),
    ] {
        assert!(
            format!("v1 0 0 0 0 0 0 0 0 {letters} {phase}").parse::<Poller>().is_ok(),
            "{letters} {phase}"
        );
    }
}

#[test]
fn the_errors_name_their_part_and_not_the_text() {
    let error = "v1 1700000000 10 20 30 60000 7 3 2 w secret".parse::<Poller>().unwrap_err();
    assert_eq!(error.to_string(), "a stored poller's phase is none of them");
    assert_eq!("".parse::<Poller>().unwrap_err().to_string(), "a stored poller does not begin with v1");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// A text that is read is written the same, so no two texts are the same poller.
    #[test]
    fn no_text_is_read_but_the_written_form(
        parts in prop::collection::vec(
            prop_oneof![
                4 => (0..400_u32).prop_map(|number| number.to_string()),
                1 => any::<u64>().prop_map(|number| number.to_string()),
                1 => "[0-9+-]{0,3}",
            ],
            8,
        ),
        letters in "-|c?n?w?l?o?|p?r?w?l?o?|[cnprwlo]{0,4}",
        phase in "-|payer-action|succeeded|expired|in-review|[a-z-]{0,12}",
    ) {
        let text = format!("v1 {} {letters} {phase}", parts.join(" "));
        if let Ok(poller) = text.parse::<Poller>() {
            prop_assert_eq!(poller.to_string(), text);
        }
    }

    #[test]
    fn no_text_at_all_panics(text in ".{0,60}", policy_at in any::<i64>()) {
        if let Ok(poller) = text.parse::<Poller>() {
            let _ = poller.next(&PollPolicy::peach(), at(policy_at));
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_writes_and_reads_the_text() {
    let stored = "v1 1700000000 4270 4370 4370 60000 201 0 0 - succeeded";
    let poller: Poller = stored.parse().unwrap();
    let json = serde_json::to_string(&poller).unwrap();
    assert_eq!(json, format!("\"{stored}\""));
    assert_eq!(serde_json::from_str::<Poller>(&json).unwrap(), poller);
    let error = serde_json::from_str::<Poller>("\"v2\"").unwrap_err().to_string();
    assert!(error.contains("does not begin with v1"), "{error}");
    assert!(serde_json::from_str::<Poller>("7").is_err());
}
