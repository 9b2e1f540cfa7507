//! Azotte's grid and verdicts, typed from the page and our assumptions beside it, as the oracle.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod play;

use checkout_lifecycle::{Basis, Kind, Moment, Observation, Status, Tracker, Verdict};
use checkout_tables::azotte::MessageCode;
use play::{check_ends, grid, last, leads, pairs, steps};
use proptest::prelude::*;

/// The codes that ordinary steps reach, in the order of the table: processing, 3DS, done, failed.
const GRID: [&str; 4] = [
    "= x x x", // CHECK_OUT_PROCESSING
    "x = x x", // CHECK_OUT_3DS_REQUIRED
    ". . = .", // CHECK_OUT_DONE
    ". . . =", // CHECK_OUT_FAILED
];

const STATED: &str = "CHECK_OUT_PROCESSING→CHECK_OUT_3DS_REQUIRED,CHECK_OUT_DONE,CHECK_OUT_FAILED";
const ASSUMED: &str = "CHECK_OUT_3DS_REQUIRED→CHECK_OUT_PROCESSING,CHECK_OUT_DONE,CHECK_OUT_FAILED";

/// Observations by short names: `P`, `T`, `D`, `F`, with a source and a moment as [`last`] reads them.
fn check(observations: &str) -> String {
    let long = |text: &str| {
        let at = text.find(|c: char| "PTDF".contains(c)).unwrap();
        let name = match &text[at..=at] {
            "P" => "CHECK_OUT_PROCESSING",
            "T" => "CHECK_OUT_3DS_REQUIRED",
            "D" => "CHECK_OUT_DONE",
            _ => "CHECK_OUT_FAILED",
        };
        format!("{}{name}{}", &text[..at], &text[at + 1..])
    };
    let observations: Vec<String> = observations.split(' ').map(long).collect();
    last::<MessageCode>(&observations.join(" ")).replace("CHECK_OUT_", "")
}

#[test]
fn reachability_by_ordinary_steps_is_the_documented_grid() {
    assert_eq!(grid::<MessageCode>(Status::may_become), GRID);
    let walked = grid::<MessageCode>(|from, to| leads(from.code(), to.code(), &[STATED, ASSUMED]));
    assert_eq!(walked, GRID);
}

#[test]
fn no_published_step_follows_a_final_code() {
    assert_eq!(grid::<MessageCode>(Status::may_become_late), GRID);
}

#[test]
fn the_steps_are_the_polling_patterns_and_those_after_the_challenge() {
    assert_eq!(steps::<MessageCode>(|_, basis| matches!(basis, Basis::Stated(_))), pairs(STATED));
    assert_eq!(steps::<MessageCode>(|_, basis| matches!(basis, Basis::Assumed(_))), pairs(ASSUMED));
    assert_eq!(MessageCode::STEPS.len(), 6);
    assert!(MessageCode::STEPS.iter().all(|step| step.kind == Kind::Ordinary));
}

#[test]
fn terminal_in_the_table_is_final_in_its_phase_and_left_by_no_ordinary_step() {
    check_ends(MessageCode::is_terminal);
}

#[test]
fn the_phases_are_these() {
    let ours = MessageCode::ROWS.map(|row| format!("{row} {}", row.phase()));
    assert_eq!(
        ours,
        [
            "CHECK_OUT_PROCESSING processing",
            "CHECK_OUT_3DS_REQUIRED payer action",
            "CHECK_OUT_DONE succeeded",
            "CHECK_OUT_FAILED failed: error",
        ]
    );
}

/// Typed from the grid and the verdict table; rows and columns are processing, 3DS, done, failed.
const NEWER: [&str; 4] = ["= A A A", "A = A A", "C C = C", "C C L ="];
const OLDER: [&str; 4] = ["= A A A", "A = A A", "S S = S", "S S L ="];
/// An observation after an end is a conflict, unless steps put the observation before the end.
const UNORDERED: [&str; 4] = ["= A A A", "A = A A", "S S = C", "S S L ="];

#[test]
fn the_verdicts_on_everything_after_everything_are_these() {
    let verdicts = |known: &dyn Fn(&str) -> String, observed: &dyn Fn(&str) -> String| {
        play::verdicts::<MessageCode>(known, observed)
    };
    for by in ["", "w:", "r:"] {
        let known = |code: &str| format!("{by}{code}@100");
        for source in ["", "w:", "r:"] {
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@101")), NEWER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@100")), OLDER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@99")), OLDER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}")), UNORDERED);
        }
        let known = |code: &str| format!("{by}{code}");
        for source in ["w:", "r:"] {
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@100")), UNORDERED);
        }
        // A read after a status without a moment: nothing is open and refused, so the verdicts are the same
        // here.
        assert_eq!(verdicts(&known, &|code| format!("{code}@100")), UNORDERED);
    }
}

#[test]
fn processing_and_the_challenge_alternate_and_neither_is_ever_stale() {
    assert_eq!(check("P@1 T@2 P@3 T@4 P@5 D@6"), "advanced: v1 DONE - 6");
    assert_eq!(check("T@5 P@4"), "advanced: v1 PROCESSING - 5");
    assert_eq!(check("P@5 T@5"), "advanced: v1 3DS_REQUIRED - 5");
    assert_eq!(check("P@5 w:T"), "advanced: v1 3DS_REQUIRED - -");
    assert_eq!(check("w:T P@1"), "advanced: v1 PROCESSING - 1");
}

#[test]
fn done_after_failed_is_late_money_though_no_step_leads_there() {
    assert!(!MessageCode::Failed.may_become_late(MessageCode::Done));
    for age in ["@99", "@100", "@101"] {
        for source in ["", "w:", "r:"] {
            let outcome = check(&format!("F@100 {source}D{age}"));
            assert!(outcome.starts_with("late success: v1 DONE FAILED 10"), "{outcome}");
        }
    }
    assert_eq!(check("F@100 w:D"), "late success: v1 DONE FAILED -");
    assert_eq!(check("F D"), "late success: v1 DONE FAILED -");
    // And the superseded failure does not come back, unless a newer observation says so.
    assert_eq!(check("F@100 D@101 F@100"), "stale: v1 DONE FAILED 101");
    assert_eq!(check("F@100 D@101 w:F"), "stale: v1 DONE FAILED 101");
    assert_eq!(check("F@100 D@101 F@102"), "conflict: v1 DONE FAILED 101");
    assert_eq!(check("F@100 P@101"), "conflict: v1 FAILED - 100");
}

#[test]
fn an_unnamed_code_is_carried_and_changes_nothing() {
    let mut tracker: Tracker<MessageCode> = "v1 CHECK_OUT_PROCESSING - 5".parse().unwrap();
    let before = tracker;
    let later = Observation::<_, &str>::read("CHECK_OUT_REVIEW", Moment::from_unix_millis(9));
    assert_eq!(tracker.observe(later, play::NOW), Verdict::Unknown("CHECK_OUT_REVIEW"));
    // The error that stands in the place of a code is no stage either.
    let lost = Observation::<_, &str>::read("ORDERED_ITEM_NOT_FOUND", Moment::from_unix_millis(9));
    assert_eq!(tracker.observe(lost, play::NOW), Verdict::Unknown("ORDERED_ITEM_NOT_FOUND"));
    assert_eq!(tracker, before);
}

fn any_observations() -> impl Strategy<Value = String> {
    let one = ("(|w:|r:)", prop::sample::select(vec!["P", "T", "D", "F"]), "(|@[0-9])")
        .prop_map(|(source, code, at)| format!("{source}{code}{at}"));
    prop::collection::vec(one, 1..12).prop_map(|all| all.join(" "))
}

proptest! {
    #[test]
    fn the_last_open_code_is_adopted_and_money_is_kept_in_every_order(all in any_observations()) {
        let outcome = check(&all);
        let seen = |code: char| all.contains(code);
        if seen('D') {
            prop_assert!(outcome.contains("v1 DONE "), "{}: {}", all, outcome);
        } else if seen('F') {
            prop_assert!(outcome.contains("v1 FAILED - "), "{}: {}", all, outcome);
        } else {
            // Neither of the two is ever stale, unexpected or a conflict.
            let verdict = outcome.split(':').next().unwrap();
            prop_assert!(matches!(verdict, "first" | "unchanged" | "advanced"), "{}: {}", all, outcome);
            let last = if all.rfind('P') > all.rfind('T') { "v1 PROCESSING " } else { "v1 3DS_REQUIRED " };
            prop_assert!(outcome.contains(last), "{}: {}", all, outcome);
        }
    }
}
