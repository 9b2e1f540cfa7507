//! AllScale's grid and verdicts, typed from the documents and our assumptions beside them, as the oracle.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_lifecycle::{Attestation, Basis, Kind, Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_tables::allscale::IntentStatus;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The order of the grid's rows and columns.
const ORDER: [i64; 12] = [1, 2, 3, 4, 5, 10, 20, -1, -2, -3, -4, -5];

/// The statuses that ordinary steps reach: `x` reachable, `=` itself, `.` not.
const GRID: [&str; 12] = [
    "= x x x x x x x x x x x", // 1
    ". = x x x x x x x x x x", // 2
    ". . = x x x x x x x x x", // 3
    ". . . = x x x x x x . .", // 4
    ". . . . = . . x x x . .", // 5
    ". . . . x = x x x x . .", // 10
    ". . . . . . = . . . . .", // 20
    ". . . . . . . = . . . .", // -1
    ". . . . . . . . = . . .", // -2
    ". . . . . . . . . = . .", // -3
    ". . . . . . . . . . = .", // -4
    ". . . . . . . . . . . =", // -5
];

const ORDINARY: &str = "1→2,-1,-4,-5 2→3,10,-1,-4,-5 3→4,5,10,-1,-4,-5 4→5,10,20,-1 5→-1,-2,-3 10→5,20,-1,-3";
const LATE: &str = "-1→10,20 -2→10,20 -3→10,20 -4→10,20 -5→10,20";

fn pairs(steps: &str) -> BTreeSet<(i64, i64)> {
    let row = |row: &str| {
        let (from, to) = row.split_once('→').unwrap();
        let from: i64 = from.parse().unwrap();
        to.split(',').map(|to| (from, to.parse().unwrap())).collect::<Vec<_>>()
    };
    steps.split(' ').flat_map(row).collect()
}

/// True if chains of these steps lead from here to there, by walking them.
fn leads(from: i64, to: i64, steps: &[&str]) -> bool {
    let steps: BTreeSet<(i64, i64)> = steps.iter().flat_map(|steps| pairs(steps)).collect();
    let mut reached = BTreeSet::from([from]);
    for _ in ORDER {
        let next: Vec<i64> =
            steps.iter().filter(|step| reached.contains(&step.0)).map(|step| step.1).collect();
        reached.extend(next);
    }
    reached.contains(&to)
}

fn status(value: i64) -> IntentStatus {
    IntentStatus::from_value(value).unwrap()
}

fn grid(reaches: impl Fn(IntentStatus, IntentStatus) -> bool) -> Vec<String> {
    let cell = |from: i64, to: i64| match (from == to, reaches(status(from), status(to))) {
        (true, true) => "=",
        (false, true) => "x",
        _ => ".",
    };
    ORDER.iter().map(|from| ORDER.map(|to| cell(*from, to)).join(" ")).collect()
}

#[test]
fn reachability_by_ordinary_steps_is_the_documented_grid() {
    assert_eq!(grid(Status::may_become), GRID);
}

#[test]
fn late_steps_lead_where_the_listed_ones_do() {
    let rows = grid(Status::may_become_late);
    let expected = grid(|from, to| leads(i64::from(from), i64::from(to), &[ORDINARY, LATE]));
    assert_eq!(rows, expected);
}

#[test]
fn the_steps_are_the_assumed_and_stated_ones_and_no_others() {
    let ours = |keep: &dyn Fn(Kind, Basis) -> bool| -> Vec<(i64, i64)> {
        let steps = IntentStatus::STEPS.iter().filter(|step| keep(step.kind, step.basis));
        steps.map(|step| (i64::from(step.from), i64::from(step.to))).collect()
    };
    let set = |pairs: Vec<(i64, i64)>| pairs.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(IntentStatus::STEPS.len(), 36);
    assert_eq!(set(ours(&|kind, _| kind == Kind::Ordinary)), pairs(ORDINARY));
    assert_eq!(set(ours(&|kind, _| kind == Kind::Late)), pairs(LATE));
    assert_eq!(set(ours(&|_, basis| matches!(basis, Basis::Stated(_)))), pairs("1→2 3→4 5→-2,-3 10→20"));
    assert!(IntentStatus::STEPS.iter().all(|step| !step.basis.reason().is_empty()));
}

#[test]
fn terminal_in_the_table_is_final_in_its_phase_and_left_by_no_ordinary_step() {
    for row in IntentStatus::ROWS {
        let left = IntentStatus::STEPS.iter().any(|step| step.from == row && step.kind == Kind::Ordinary);
        assert_eq!(row.is_terminal(), !left, "{row}");
        assert_eq!(row.is_terminal(), row.phase().is_final(), "{row}");
        assert_eq!(row.is_terminal(), Status::is_terminal(row), "{row}");
    }
}

#[test]
fn the_phases_are_these() {
    let rows: Vec<String> = ORDER.iter().map(|value| format!("{value} {}", status(*value).phase())).collect();
    assert_eq!(
        rows,
        [
            "1 awaiting payer",
            "2 awaiting payer",
            "3 awaiting payer",
            "4 in review",
            "5 refunding",
            "10 processing",
            "20 succeeded",
            "-1 failed: error",
            "-2 failed: rejected",
            "-3 failed: underpaid",
            "-4 failed: canceled",
            "-5 failed: expired",
        ]
    );
}

#[test]
fn a_path_is_a_shortest_chain_of_ordinary_steps() {
    let step = |from, to| {
        IntentStatus::STEPS
            .iter()
            .any(|step| step.from == from && step.to == to && step.kind == Kind::Ordinary)
    };
    for from in IntentStatus::ROWS {
        for to in IntentStatus::ROWS {
            let path = from.path_to(to).map(|path| path.iter().collect::<Vec<_>>());
            assert_eq!(path.is_some(), from.may_become(to), "{from} {to}");
            let Some(path) = path else { continue };
            assert_eq!((path[0], path[path.len() - 1]), (from, to));
            assert!(path.windows(2).all(|pair| step(pair[0], pair[1])), "{path:?}");
            // No chain is shorter: follow every chain of fewer steps.
            let mut reached = BTreeSet::from([from]);
            for _ in 1..path.len() {
                assert!(!reached.contains(&to), "{from} {to} has a shorter chain than {path:?}");
                reached = reached
                    .iter()
                    .flat_map(|at| IntentStatus::ROWS.into_iter().filter(|next| step(*at, *next)))
                    .collect();
            }
        }
    }
    assert_eq!(status(1).path_to(status(20)).unwrap().to_string(), "CREATED → VIEWED → ON_CHAIN → CONFIRMED");
}

/// After every moment here.
const NOW: Moment = Moment::from_unix_millis(i64::MAX);

/// The moment of the second observation, beside the first.
#[derive(Clone, Copy, Debug)]
enum When {
    Newer,
    Older,
    Unordered,
}

/// The known status, the observed status and its moment; then the verdict, the kept status and the superseded
/// status.
fn check(current: &str, observed: i64, when: When) -> String {
    let mut tracker = Tracker::<IntentStatus>::new();
    if let Ok(value) = current.parse::<i64>() {
        assert_eq!(
            tracker.observe(Observation::read(value, Moment::from_unix_millis(100)), NOW),
            Verdict::First
        );
    }
    let observation = match when {
        When::Newer => Observation::read(observed, Moment::from_unix_millis(200)),
        When::Older => Observation::read(observed, Moment::from_unix_millis(50)),
        When::Unordered => Observation::verified_webhook(observed, None, Attestation::by_caller()),
    };
    let verdict = tracker.observe(observation, NOW);
    let code =
        |status: Option<IntentStatus>| status.map_or("none".into(), |status| i64::from(status).to_string());
    let superseded = tracker.superseded().map(|status| format!(", {} superseded", i64::from(status)));
    format!("{verdict}, keeps {}{}", code(tracker.status()), superseded.unwrap_or_default())
}

const ALWAYS: [When; 3] = [When::Newer, When::Older, When::Unordered];
const LATER: [When; 1] = [When::Newer];
const NOT_LATER: [When; 2] = [When::Older, When::Unordered];
const REFUSALS: [i64; 5] = [-1, -2, -3, -4, -5];

#[test]
fn the_verdicts_are_the_documented_ones() {
    let expect = |current: &str, observed: i64, whens: &[When], expected: &str| {
        for when in whens {
            assert_eq!(check(current, observed, *when), expected, "{current} then {observed}, {when:?}");
        }
    };
    expect("none", 1, &ALWAYS, "first, keeps 1");
    expect("1", 20, &ALWAYS, "advanced, keeps 20");
    expect("10", 10, &ALWAYS, "unchanged, keeps 10");
    expect("10", 2, &NOT_LATER, "stale, keeps 10");
    expect("10", 2, &LATER, "unexpected, keeps 2");
    expect("10", 4, &LATER, "unexpected, keeps 4");
    expect("10", -5, &LATER, "unexpected, keeps -5");
    expect("10", 6, &ALWAYS, "unknown: 6, keeps 10");
    expect("none", 6, &ALWAYS, "unknown: 6, keeps none");
    expect("-5", 10, &LATER, "reopened, keeps 10, -5 superseded");
    for refusal in REFUSALS {
        let name = refusal.to_string();
        expect(&name, 20, &ALWAYS, &format!("late success, keeps 20, {refusal} superseded"));
        expect("20", refusal, &NOT_LATER, "stale, keeps 20");
        expect("20", refusal, &LATER, "conflict, keeps 20");
    }
    expect("-5", 1, &LATER, "conflict, keeps -5");
    expect("-3", -2, &ALWAYS, "conflict, keeps -3");
    expect("20", 10, &NOT_LATER, "stale, keeps 20");
    expect("20", 10, &LATER, "conflict, keeps 20");
    expect("10", -5, &NOT_LATER, "stale, keeps 10");
}

#[test]
fn the_gaps_of_the_documented_table_have_the_assumed_verdicts() {
    // An older read of an open status after a refusal says nothing new. Without a moment nobody can tell, and
    // no step leads from 10 to -5, so the verdict is "unexpected".
    assert_eq!(check("-5", 10, When::Older), "stale, keeps -5");
    assert_eq!(check("-5", 10, When::Unordered), "conflict, keeps -5");
    assert_eq!(check("-5", 1, When::Unordered), "stale, keeps -5");
    // An open checkout, no moment, and nothing that explains the status as older: the provider knows.
    assert_eq!(check("4", -5, When::Unordered), "unexpected, keeps -5");
    assert_eq!(check("4", -5, When::Older), "stale, keeps 4");
}

#[test]
fn a_refusal_stays_remembered_while_the_late_payment_goes_on() {
    let mut tracker = Tracker::<IntentStatus>::new();
    let mut read = |status: i64, at| {
        let read = Observation::read(status, Moment::from_unix_millis(at));
        let verdict = tracker.observe(read, NOW).to_string();
        format!("{verdict}: {tracker}")
    };
    assert_eq!(read(-5, 1), "first: v1 TIMEOUT - 1");
    assert_eq!(read(10, 2), "reopened: v1 ON_CHAIN TIMEOUT 2");
    assert_eq!(read(10, 3), "unchanged: v1 ON_CHAIN TIMEOUT 3");
    assert_eq!(read(-5, 2), "stale: v1 ON_CHAIN TIMEOUT 3");
    assert_eq!(read(20, 4), "advanced: v1 CONFIRMED TIMEOUT 4");
    assert_eq!(read(-5, 9), "conflict: v1 CONFIRMED TIMEOUT 4");
}

/// Observations in a row: `20@5` is a read sent at 5, `w20` a webhook, `w20@5` one with a time, `r` a
/// redirect.
fn play(observations: &str) -> Vec<String> {
    let mut tracker = Tracker::<IntentStatus>::new();
    let one = |text: &str| {
        let (source, rest) = match text.split_at(1) {
            ("w" | "r", rest) => (&text[..1], rest),
            _ => ("", text),
        };
        let (status, at) = rest.split_once('@').map_or((rest, None), |(status, at)| (status, Some(at)));
        let moment = at.map(|at| Moment::from_unix_millis(at.parse().unwrap()));
        let status: i64 = status.parse().unwrap();
        let observation = match source {
            "w" => Observation::verified_webhook(status, moment, Attestation::by_caller()),
            "r" => Observation::verified_redirect(status, moment, Attestation::by_caller()),
            _ => Observation::read(status, moment.unwrap()),
        };
        let verdict = tracker.observe(observation, NOW);
        // The tracker is stored and read back between any two observations.
        tracker = tracker.to_string().parse().unwrap();
        format!("{verdict}: {tracker}")
    };
    observations.split(' ').map(one).collect()
}

/// The verdict on the last observation, and the tracker after it.
fn last(observations: &str) -> String {
    play(observations).pop().unwrap()
}

/// Every current status by every observed one: `=` unchanged, `A` advanced, `S` stale, `U` unexpected,
/// `R` reopened, `L` late success, `C` conflict.
fn verdicts(before: impl Fn(i64) -> String, observed: impl Fn(i64) -> String) -> Vec<String> {
    let cell = |current: &i64, next: &i64| {
        let outcome = last(&format!("{} {}", before(*current), observed(*next)));
        match outcome.split_once(':').unwrap().0 {
            "unchanged" => "=".to_owned(),
            verdict => verdict[..1].to_uppercase(),
        }
    };
    ORDER
        .iter()
        .map(|current| ORDER.iter().map(|next| cell(current, next)).collect::<Vec<_>>().join(" "))
        .collect()
}

/// Typed from the grid, the verdict table and the rules filled in beside them; the columns are in `ORDER`.
const NEWER: [&str; 12] = [
    "= A A A A A A A A A A A", // 1
    "U = A A A A A A A A A A", // 2
    "U U = A A A A A A A A A", // 3
    "U U U = A A A A A A U U", // 4
    "U U U U = U U A A A U U", // 5
    "U U U U A = A A A A U U", // 10
    "C C C C C C = C C C C C", // 20
    "C C C C R R L = C C C C", // -1
    "C C C C R R L C = C C C", // -2
    "C C C C R R L C C = C C", // -3
    "C C C C R R L C C C = C", // -4
    "C C C C R R L C C C C =", // -5
];
const OLDER: [&str; 12] = [
    "= A A A A A A A A A A A", // 1
    "S = A A A A A A A A A A", // 2
    "S S = A A A A A A A A A", // 3
    "S S S = A A A A A A S S", // 4
    "S S S S = S S S S S S S", // 5
    "S S S S S = A S S S S S", // 10: 5 and the refusals come before it by a late step
    "S S S S S S = S S S S S", // 20
    "S S S S S S L = C C C C", // -1
    "S S S S S S L C = C C C", // -2
    "S S S S S S L C C = C C", // -3
    "S S S S S S L C C C = C", // -4
    "S S S S S S L C C C C =", // -5
];
const UNORDERED: [&str; 12] = [
    "= A A A A A A A A A A A", // 1
    "S = A A A A A A A A A A", // 2
    "S S = A A A A A A A A A", // 3
    "S S S = A A A A A A U U", // 4
    "S S S S = S U A A A S S", // 5
    "S S S S A = A A A A S S", // 10
    "S S S S S S = S S S S S", // 20
    "S S S S S S L = C C C C", // -1
    "S S S S S S L C = C C C", // -2
    "S S S S S S L C C = C C", // -3
    "S S S C C C L C C C = C", // -4: nothing leads there from 4, 5 and 10
    "S S S C C C L C C C C =", // -5
];
/// A read, after a status that came without a moment.
const LIKELY_NEWER: [&str; 12] = [
    "= A A A A A A A A A A A", // 1
    "S = A A A A A A A A A A", // 2
    "S S = A A A A A A A A A", // 3
    "S S S = A A A A A A U U", // 4
    "S S S S = S U A A A U U", // 5
    "S S S S A = A A A A U U", // 10
    "S S S S S S = S S S S S", // 20
    "S S S S S S L = C C C C", // -1
    "S S S S S S L C = C C C", // -2
    "S S S S S S L C C = C C", // -3
    "S S S C R R L C C C = C", // -4
    "S S S C R R L C C C C =", // -5
];

#[test]
fn the_verdicts_on_everything_after_everything_are_these() {
    // With a moment on both sides the source of the status does not matter.
    for current in ["", "w", "r"] {
        let before = |status| format!("{current}{status}@100");
        for observed in ["", "w", "r"] {
            assert_eq!(verdicts(before, |status| format!("{observed}{status}@101")), NEWER);
            assert_eq!(verdicts(before, |status| format!("{observed}{status}@100")), OLDER);
            assert_eq!(verdicts(before, |status| format!("{observed}{status}@99")), OLDER);
        }
        assert_eq!(verdicts(before, |status| format!("w{status}")), UNORDERED);
        assert_eq!(verdicts(before, |status| format!("r{status}")), UNORDERED);
    }
    for current in ["w", "r"] {
        let before = |status| format!("{current}{status}");
        assert_eq!(verdicts(before, |status| format!("{status}@100")), LIKELY_NEWER);
        // A webhook's moment may be days behind the delivery: the moment does not make up for the missing
        // one.
        assert_eq!(verdicts(before, |status| format!("w{status}@100")), UNORDERED);
        assert_eq!(verdicts(before, |status| format!("r{status}@100")), UNORDERED);
        assert_eq!(verdicts(before, |status| format!("w{status}")), UNORDERED);
    }
}

#[test]
fn a_stale_observation_never_ends_a_checkout_that_is_being_paid() {
    let paid = ["first: v1 FAILED - 100", "reopened: v1 ON_CHAIN FAILED 200"];
    assert_eq!(play("-1@100 10@200"), paid);
    for stale in ["-1@150", "-1@200", "-1@100", "-3@150", "5@150", "w-1@150", "r-1@150"] {
        let outcome = last(&format!("-1@100 10@200 {stale}"));
        assert_eq!(outcome, "stale: v1 ON_CHAIN FAILED 200", "{stale}");
    }
    // A status without a moment, after the statuses went round: nobody can tell from which round the status
    // is.
    for stale in ["w-1", "r-1", "w-3", "w5"] {
        let outcome = last(&format!("-1@100 10@200 {stale}"));
        assert_eq!(outcome, "stale: v1 ON_CHAIN FAILED 200", "{stale}");
    }
    assert_eq!(last("-2@100 10@200 5@300 -2@250"), "stale: v1 SEND_BACK REJECTED 300");
    assert_eq!(last("-2@100 10@200 5@300 w-2"), "stale: v1 SEND_BACK REJECTED 300");
    assert_eq!(last("-2@100 5@200 -2@150"), "stale: v1 SEND_BACK REJECTED 200");
    assert_eq!(last("10@200 -1@150"), "stale: v1 ON_CHAIN - 200");
    // The superseded refusal again, where the provider went back to a status that only the refusal can
    // explain.
    assert_eq!(last("-1@100 10@200 3@300 w-1"), "stale: v1 TEMP_WALLET_RECEIVED FAILED 300");
    assert_eq!(last("-1@100 10@200 3@300 -1@250"), "stale: v1 TEMP_WALLET_RECEIVED FAILED 300");
    // A newer refusal ends the checkout, and so does a refusal without a moment that was never left.
    assert_eq!(last("-1@100 10@200 -1@201"), "advanced: v1 FAILED FAILED 201");
    assert_eq!(last("-1@100 10@200 w-3@201"), "advanced: v1 UNDERPAID FAILED 201");
    assert_eq!(last("10@200 w-1"), "advanced: v1 FAILED - -");
    // And money is money, of any age.
    assert_eq!(last("-1@100 10@200 20@150"), "advanced: v1 CONFIRMED FAILED 200");
    assert_eq!(last("10@200 w20@100"), "advanced: v1 CONFIRMED - 200");
    assert_eq!(last("-1@200 20@100"), "late success: v1 CONFIRMED FAILED 200");
    assert_eq!(last("-1@100 10@200 w20"), "advanced: v1 CONFIRMED FAILED -");
}

#[test]
fn a_status_without_a_moment_does_not_take_its_predecessor_s_moment() {
    // A read that was on its way when the webhook came.
    assert_eq!(play("10@100 w20 10@150")[1..], ["advanced: v1 CONFIRMED - -", "stale: v1 CONFIRMED - -"]);
    assert_eq!(last("w20 10@150"), "stale: v1 CONFIRMED - -");
    assert_eq!(last("10@100 r20 -1@150"), "stale: v1 CONFIRMED - -");
    assert_eq!(last("10@100 w-1 10@150"), "stale: v1 FAILED - -");
    assert_eq!(last("2@100 w-5 1@150"), "stale: v1 TIMEOUT - -");
    assert_eq!(last("2@100 w10 2@150"), "stale: v1 ON_CHAIN - -");
    assert_eq!(last("-5@100 w20 10@150"), "stale: v1 CONFIRMED TIMEOUT -");
    // The same status with a moment confirms the known status, and from then on a newer status is newer.
    assert_eq!(last("10@100 w20 20@200"), "unchanged: v1 CONFIRMED - 200");
    assert_eq!(last("10@100 w20 w20@200"), "unchanged: v1 CONFIRMED - 200");
    assert_eq!(last("10@100 w20 20@200 10@150"), "stale: v1 CONFIRMED - 200");
    assert_eq!(last("10@100 w20 20@200 10@250"), "conflict: v1 CONFIRMED - 200");
    assert_eq!(last("10@100 w-1 -1@200 10@250"), "reopened: v1 ON_CHAIN FAILED 250");
    assert_eq!(last("10@100 w10 2@150"), "unexpected: v1 VIEWED - 150");
    // A status that no step puts before is newer: nothing is put off for ever.
    assert_eq!(last("w-5 10@150"), "reopened: v1 ON_CHAIN TIMEOUT 150");
    assert_eq!(last("w10 -5@150"), "unexpected: v1 TIMEOUT - 150");
    assert_eq!(last("w10 -1@150"), "advanced: v1 FAILED - 150");
    assert_eq!(last("w5 20@150"), "unexpected: v1 CONFIRMED - 150");
    // A webhook's own moment does not do that.
    assert_eq!(last("w10 w-5@150"), "stale: v1 ON_CHAIN - -");
    assert_eq!(last("w-5 w10@150"), "conflict: v1 TIMEOUT - -");
}

#[test]
fn the_same_or_a_later_status_gives_a_moment_that_never_goes_back() {
    assert_eq!(last("10@100 10@50"), "unchanged: v1 ON_CHAIN - 100");
    assert_eq!(last("10@100 w10@150"), "unchanged: v1 ON_CHAIN - 150");
    assert_eq!(last("10@100 w10"), "unchanged: v1 ON_CHAIN - 100");
    assert_eq!(last("w10 10@50"), "unchanged: v1 ON_CHAIN - 50");
    assert_eq!(last("2@100 10@50"), "advanced: v1 ON_CHAIN - 100");
    assert_eq!(last("2@100 10@50 2@75"), "stale: v1 ON_CHAIN - 100");
    assert_eq!(last("w2 10@50"), "advanced: v1 ON_CHAIN - 50");
    assert_eq!(last("2@100 w10 20@50"), "advanced: v1 CONFIRMED - 50");
    // A status that is not adopted leaves no moment either.
    assert_eq!(last("10@100 w6@200"), "unknown: 6: v1 ON_CHAIN - 100");
    assert_eq!(last("20@100 10@200"), "conflict: v1 CONFIRMED - 100");
}

#[test]
fn a_newer_read_or_webhook_with_a_moment_reopens_a_refusal() {
    assert_eq!(last("-5@100 10@200"), "reopened: v1 ON_CHAIN TIMEOUT 200");
    assert_eq!(last("-5@100 w10@200"), "reopened: v1 ON_CHAIN TIMEOUT 200");
    assert_eq!(last("-5@100 r10@200"), "reopened: v1 ON_CHAIN TIMEOUT 200");
    assert_eq!(last("-5@100 w10"), "conflict: v1 TIMEOUT - 100");
    assert_eq!(last("-5@100 w10@100"), "stale: v1 TIMEOUT - 100");
    assert_eq!(last("-5@100 10@200 -1@300 10@400"), "reopened: v1 ON_CHAIN FAILED 400");
}

#[test]
fn success_after_a_reopening_is_advanced_and_the_refusal_is_still_reported() {
    assert_eq!(
        play("-5@100 10@200 20@300"),
        [
            "first: v1 TIMEOUT - 100",
            "reopened: v1 ON_CHAIN TIMEOUT 200",
            "advanced: v1 CONFIRMED TIMEOUT 300",
        ]
    );
    assert_eq!(last("-5@100 20@300"), "late success: v1 CONFIRMED TIMEOUT 300");
}

#[test]
fn a_confirmation_older_than_a_refund_is_stale_and_otherwise_adopted() {
    // 5 and 20 exclude each other: here the newer status is believed, and the checkout is still open.
    assert_eq!(last("5@100 20@50"), "stale: v1 SEND_BACK - 100");
    assert_eq!(last("5@100 20@150"), "unexpected: v1 CONFIRMED - 150");
    assert_eq!(last("5@100 w20"), "unexpected: v1 CONFIRMED - -");
}

#[test]
fn every_verdict_is_adopted_and_wants_attention_as_the_table_says() {
    let at = IntentStatus::Timeout;
    // The verdict; true if adopted; true if a person should look.
    let table: [(Verdict<IntentStatus>, bool, bool); 9] = [
        (Verdict::First, true, false),
        (Verdict::Unchanged, true, false),
        (Verdict::Advanced { from: at }, true, false),
        (Verdict::Stale { observed: at }, false, false),
        (Verdict::Unknown(6), false, true),
        (Verdict::Unexpected { from: at }, true, true),
        (Verdict::Reopened { superseded: at }, true, true),
        (Verdict::LateSuccess { superseded: at }, true, true),
        (Verdict::Conflict { observed: at }, false, true),
    ];
    for (verdict, adopted, attention) in table {
        assert_eq!((verdict.is_adopted(), verdict.wants_attention()), (adopted, attention), "{verdict}");
    }
}

#[test]
fn a_tracker_is_a_few_bytes() {
    assert_eq!(size_of::<Tracker<IntentStatus>>(), 16);
}

#[test]
fn a_malformed_stored_tracker_names_the_wrong_part() {
    let check = |text: &str| match text.parse::<Tracker<IntentStatus>>() {
        Ok(tracker) => tracker.to_string(),
        Err(error) => format!("{error:?}"),
    };
    assert_eq!(check("v1 CONFIRMED TIMEOUT 1700000000000"), "v1 CONFIRMED TIMEOUT 1700000000000");
    assert_eq!(check("v1 - - -"), "v1 - - -");
    assert_eq!(check("v1 CREATED - -9223372036854775807"), "v1 CREATED - -9223372036854775807");
    for text in ["", "v2 CREATED - 1", "V1 CREATED - 1", "CREATED - 1", " v1 CREATED - 1"] {
        assert_eq!(check(text), "Version", "{text:?}");
    }
    for text in ["v1", "v1 20 - 1", "v1 created - 1", "v1  CREATED - 1", "v1 PAYING - 1"] {
        assert_eq!(check(text), "Status", "{text:?}");
    }
    for text in [
        "v1 CREATED",
        "v1 CONFIRMED VIEWED 1",
        "v1 ON_CHAIN CONFIRMED 1",
        "v1 - TIMEOUT -",
        "v1 CONFIRMED x 1",
    ] {
        assert_eq!(check(text), "Superseded", "{text:?}");
    }
    for text in [
        "v1 CREATED -",
        "v1 CREATED - ",
        "v1 CREATED - +1",
        "v1 CREATED - 01",
        "v1 CREATED - -0",
        "v1 CREATED - --1",
        "v1 CREATED - 1.5",
        "v1 CREATED - 9223372036854775808",
        "v1 CREATED - -9223372036854775808",
        "v1 - - 1",
    ] {
        assert_eq!(check(text), "Moment", "{text:?}");
    }
    assert_eq!(check("v1 CREATED - 1 "), "Surplus");
}

fn any_observation() -> impl Strategy<Value = Observation<IntentStatus>> {
    let status = prop_oneof![9 => prop::sample::select(ORDER.to_vec()), 1 => any::<i64>()];
    let moment = prop_oneof![0i64..8, any::<i64>()];
    (status, prop::option::of(moment), 0..3).prop_map(|(status, moment, source)| {
        let moment = moment.map(Moment::from_unix_millis);
        match source {
            0 => Observation::read(status, moment.unwrap_or(Moment::from_unix_millis(3))),
            1 => Observation::verified_webhook(status, moment, Attestation::by_caller()),
            _ => Observation::verified_redirect(status, moment, Attestation::by_caller()),
        }
    })
}

/// Statuses in a row, each for a while, by ordinary and late steps; with one refusal at most, since another
/// refusal is a conflict.
fn course() -> impl Strategy<Value = Vec<i64>> {
    (prop::sample::select(ORDER.to_vec()), prop::collection::vec(any::<prop::sample::Index>(), 0..12))
        .prop_map(|(start, choices)| {
            let steps: Vec<(i64, i64)> = [ORDINARY, LATE].iter().flat_map(|steps| pairs(steps)).collect();
            let mut course = vec![start];
            for choice in choices {
                let here = *course.last().unwrap();
                let refusal = course.iter().copied().find(|status| *status < 0);
                let fits = |to: i64| to > 0 || refusal.is_none_or(|refusal| refusal == to);
                let next = steps.iter().filter(|step| step.0 == here && fits(step.1)).map(|step| step.1);
                let next: Vec<i64> = next.chain([here]).collect();
                course.push(*choice.get(&next));
            }
            course
        })
}

proptest! {
    #[test]
    fn success_stays_and_no_end_is_left_but_by_late_money(
        observations in prop::collection::vec(any_observation(), 1..40)
    ) {
        let mut tracker = Tracker::<IntentStatus>::new();
        for observation in observations {
            let before = tracker;
            let verdict = tracker.observe(observation, NOW);
            let observed = observation.status().known();
            if before.status() == Some(IntentStatus::Confirmed) {
                prop_assert_eq!(tracker.status(), before.status());
                prop_assert_eq!(tracker.superseded(), before.superseded());
            }
            // An adopted status is the new status, and every other verdict leaves everything as before.
            match verdict.is_adopted() {
                true => prop_assert_eq!(tracker.status(), observed),
                false => prop_assert_eq!(tracker, before),
            }
            if before.is_final() && tracker.status() != before.status() {
                let late = matches!(verdict, Verdict::LateSuccess { .. } | Verdict::Reopened { .. });
                prop_assert!(late, "{:?}", verdict);
                prop_assert_eq!(tracker.superseded(), before.status());
            }
            // Money is never lost: only a refund that is seen after the money can deny it.
            let older = observation.order().is_some_and(|moment| before.order().is_some_and(|known| moment <= known));
            let refunding = before.status() == Some(IntentStatus::SendBack);
            if observed == Some(IntentStatus::Confirmed) && !(older && refunding) {
                prop_assert_eq!(tracker.phase(), Some(Phase::Succeeded), "a payment was lost");
            }
            // An older status, and a late step may have come between: the status ends nothing.
            if let (Some(known), Some(observed)) = (before.status(), observed)
                && older
                && known != observed
                && leads(i64::from(observed), i64::from(known), &[ORDINARY, LATE])
            {
                prop_assert_eq!(tracker, before, "{:?}", verdict);
            }
            // The moment goes on, or is unknown because the adopted observation has no moment.
            match (verdict.is_adopted(), observation.order()) {
                (true, Some(moment)) => prop_assert_eq!(tracker.order(), before.order().max(Some(moment))),
                (true, None) if before.status() != observed => prop_assert_eq!(tracker.order(), None),
                _ => prop_assert_eq!(tracker.order(), before.order()),
            }
            // The stored form is the tracker, and nothing but the tracker.
            prop_assert_eq!(tracker.to_string().parse(), Ok(tracker));
            prop_assert!(tracker.to_string().len() <= 68);
        }
    }

    #[test]
    fn a_confirmation_is_kept_in_every_order_unless_a_refund_was_seen(
        mut observations in prop::collection::vec(any_observation(), 1..12)
    ) {
        observations.retain(|observation| observation.status().known() != Some(IntentStatus::SendBack));
        let seen: Vec<_> = observations.iter().filter_map(|observation| observation.status().known()).collect();
        let confirmed = seen.contains(&IntentStatus::Confirmed);
        let mut tracker = Tracker::<IntentStatus>::new();
        for observation in observations {
            let _ = tracker.observe(observation, NOW);
        }
        prop_assert_eq!(tracker.status() == Some(IntentStatus::Confirmed), confirmed);
    }

    #[test]
    fn reads_of_one_course_end_with_its_last_status_in_every_order(
        (course, arrival) in course().prop_flat_map(|course| {
            // A reader does not see every status.
            let reads: Vec<usize> = (0..course.len()).collect();
            let some = prop::sample::subsequence(reads, 1..=course.len());
            (Just(course), some.prop_shuffle())
        })
    ) {
        let mut tracker = Tracker::<IntentStatus>::new();
        for &at in &arrival {
            let read = Observation::read(course[at], Moment::from_unix_millis(at.try_into().unwrap()));
            let verdict = tracker.observe(read, NOW);
            let conflict = matches!(verdict, Verdict::Conflict { .. });
            prop_assert!(!conflict, "{:?} of {:?}", verdict, course);
        }
        let last = arrival.into_iter().max().map(|at| course[at]);
        prop_assert_eq!(tracker.status().map(i64::from), last);
    }

    #[test]
    fn reachability_is_reflexive_transitive_and_absorbing_at_the_ends(a in 0..12usize, b in 0..12usize, c in 0..12usize) {
        let [a, b, c] = [a, b, c].map(|row| IntentStatus::ROWS[row]);
        prop_assert!(a.may_become(a) && a.may_become_late(a));
        prop_assert!(!(a.may_become(b) && b.may_become(c)) || a.may_become(c));
        prop_assert!(!(a.may_become_late(b) && b.may_become_late(c)) || a.may_become_late(c));
        prop_assert!(!a.may_become(b) || a.may_become_late(b));
        prop_assert!(!a.is_terminal() || a == b || !a.may_become(b));
    }

    #[test]
    fn a_text_that_reads_as_a_tracker_is_the_text_it_prints(text in "v1 (-|CREATED|TIMEOUT|CONFIRMED) (-|FAILED|CREATED) (-|-?[0-9]{1,20})( )?") {
        if let Ok(tracker) = text.parse::<Tracker<IntentStatus>>() {
            prop_assert_eq!(tracker.to_string(), text);
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_writes_the_stored_form_and_refuses_every_other_text() {
    let tracker: Tracker<IntentStatus> = "v1 CONFIRMED TIMEOUT 7".parse().unwrap();
    let json = serde_json::to_string(&tracker).unwrap();
    assert_eq!(json, "\"v1 CONFIRMED TIMEOUT 7\"");
    assert_eq!(serde_json::from_str::<Tracker<IntentStatus>>(&json).unwrap(), tracker);
    let error = serde_json::from_str::<Tracker<IntentStatus>>("\"v1 PAID - 7\"").unwrap_err();
    assert!(error.to_string().starts_with("a stored tracker's status is not in the table"));
    assert!(serde_json::from_str::<Tracker<IntentStatus>>("20").is_err());
}
