//! AllScale's grid and verdicts, typed from the documents and our assumptions beside them, as the oracle.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_lifecycle::{Basis, Kind, Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_tables::allscale::IntentStatus;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The order of the grid's rows and columns.
const ORDER: [i64; 12] = [1, 2, 3, 4, 5, 10, 20, -1, -2, -3, -4, -5];

/// What ordinary steps reach: `x` reachable, `=` itself, `.` not.
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
fn the_whole_grid_with_late_steps_reads_as_one_picture() {
    let rows = grid(Status::may_become_late);
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn the_steps_are_the_assumed_and_stated_ones_and_no_others() {
    let ordinary = "1→2,-1,-4,-5 2→3,10,-1,-4,-5 3→4,5,10,-1,-4,-5 4→5,10,20,-1 5→-1,-2,-3 10→5,20,-1,-3";
    let late = "-1→10,20 -2→10,20 -3→10,20 -4→10,20 -5→10,20";
    let pairs = |text: &str| -> BTreeSet<(i64, i64)> {
        let row = |row: &str| {
            let (from, to) = row.split_once('→').unwrap();
            let from: i64 = from.parse().unwrap();
            to.split(',').map(|to| (from, to.parse().unwrap())).collect::<Vec<_>>()
        };
        text.split(' ').flat_map(row).collect()
    };
    let ours = |keep: &dyn Fn(Kind, Basis) -> bool| -> Vec<(i64, i64)> {
        let steps = IntentStatus::STEPS.iter().filter(|step| keep(step.kind, step.basis));
        steps.map(|step| (i64::from(step.from), i64::from(step.to))).collect()
    };
    let set = |pairs: Vec<(i64, i64)>| pairs.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(IntentStatus::STEPS.len(), 36);
    assert_eq!(set(ours(&|kind, _| kind == Kind::Ordinary)), pairs(ordinary));
    assert_eq!(set(ours(&|kind, _| kind == Kind::Late)), pairs(late));
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
            // No shorter one: follow every chain of fewer steps.
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

/// When the second observation was made, beside the first.
#[derive(Clone, Copy, Debug)]
enum When {
    Newer,
    Older,
    Unordered,
}

/// What is known, what is observed and when; then the verdict, what is kept and what is remembered as superseded.
fn check(current: &str, observed: i64, when: When) -> String {
    let mut tracker = Tracker::<IntentStatus>::new();
    if let Ok(value) = current.parse::<i64>() {
        assert_eq!(tracker.observe(Observation::read(value, Moment::from_unix_millis(100))), Verdict::First);
    }
    let observation = match when {
        When::Newer => Observation::read(observed, Moment::from_unix_millis(200)),
        When::Older => Observation::read(observed, Moment::from_unix_millis(50)),
        When::Unordered => Observation::verified_webhook(observed, None),
    };
    let verdict = tracker.observe(observation);
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
fn what_the_documented_table_leaves_open_is_decided_for_what_is_known() {
    // An older read of an open status after a refusal says nothing new; without a moment nobody can tell, and
    // no step leads from 10 to -5, so it is shouted.
    assert_eq!(check("-5", 10, When::Older), "stale, keeps -5");
    assert_eq!(check("-5", 10, When::Unordered), "conflict, keeps -5");
    assert_eq!(check("-5", 1, When::Unordered), "stale, keeps -5");
    // An open checkout, no moment, and nothing that explains it as older: the provider knows.
    assert_eq!(check("4", -5, When::Unordered), "unexpected, keeps -5");
    assert_eq!(check("4", -5, When::Older), "stale, keeps 4");
}

#[test]
fn a_refusal_stays_remembered_while_the_late_payment_goes_on() {
    let mut tracker = Tracker::<IntentStatus>::new();
    let mut read = |status: i64, at| {
        let verdict = tracker.observe(Observation::read(status, Moment::from_unix_millis(at))).to_string();
        format!("{verdict}: {tracker}")
    };
    assert_eq!(read(-5, 1), "first: v1 TIMEOUT - 1");
    assert_eq!(read(10, 2), "reopened: v1 ON_CHAIN TIMEOUT 2");
    assert_eq!(read(10, 3), "unchanged: v1 ON_CHAIN TIMEOUT 3");
    assert_eq!(read(-5, 2), "stale: v1 ON_CHAIN TIMEOUT 3");
    assert_eq!(read(20, 4), "advanced: v1 CONFIRMED TIMEOUT 4");
    assert_eq!(read(-5, 9), "conflict: v1 CONFIRMED TIMEOUT 4");
}

#[test]
fn a_read_counts_as_newer_than_what_has_no_moment_and_the_moment_that_is_known_never_goes_back() {
    let mut tracker = Tracker::<IntentStatus>::new();
    assert_eq!(tracker.observe(Observation::verified_webhook(10, None)), Verdict::First);
    assert_eq!(tracker.order(), None);
    let read = Observation::read(2, Moment::from_unix_millis(5));
    assert_eq!(tracker.observe(read), Verdict::Unexpected { from: IntentStatus::OnChain });
    // A webhook without a moment does not make an old read newer again.
    assert_eq!(
        tracker.observe(Observation::verified_webhook(10, None)),
        Verdict::Advanced { from: IntentStatus::Viewed }
    );
    let old = Observation::read(3, Moment::from_unix_millis(5));
    assert_eq!(tracker.observe(old), Verdict::Stale { observed: IntentStatus::TempWalletReceived });
    // A replica that lags: the confirmation was read before, and comes in after. It is money, and it is kept.
    assert_eq!(
        tracker.observe(Observation::read(20, Moment::from_unix_millis(4))),
        Verdict::Advanced { from: IntentStatus::OnChain }
    );
    assert_eq!(tracker.order(), Some(Moment::from_unix_millis(5)));
}

#[test]
fn a_tracker_is_a_few_bytes() {
    assert_eq!(size_of::<Tracker<IntentStatus>>(), 16);
}

#[test]
fn a_stored_tracker_that_is_not_one_says_which_part_is_wrong() {
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
            1 => Observation::verified_webhook(status, moment),
            _ => Observation::verified_redirect(status, moment),
        }
    })
}

proptest! {
    #[test]
    fn whatever_is_observed_success_stays_and_no_end_is_left_but_by_late_money(
        observations in prop::collection::vec(any_observation(), 1..40)
    ) {
        let mut tracker = Tracker::<IntentStatus>::new();
        for observation in observations {
            let before = tracker;
            let verdict = tracker.observe(observation);
            let observed = observation.status().known();
            if before.status() == Some(IntentStatus::Confirmed) {
                prop_assert_eq!(tracker.status(), before.status());
                prop_assert_eq!(tracker.superseded(), before.superseded());
            }
            // Adopted means adopted, and everything else leaves everything as it was.
            match verdict.is_adopted() {
                true => prop_assert_eq!(tracker.status(), observed),
                false => prop_assert_eq!(tracker, before),
            }
            if before.is_final() && tracker.status() != before.status() {
                let late = matches!(verdict, Verdict::LateSuccess { .. } | Verdict::Reopened { .. });
                prop_assert!(late, "{:?}", verdict);
                prop_assert_eq!(tracker.superseded(), before.status());
            }
            let outdated = observation.order().is_some_and(|moment| before.order().is_some_and(|known| moment <= known));
            if observed == Some(IntentStatus::Confirmed) && !outdated {
                prop_assert_eq!(tracker.phase(), Some(Phase::Succeeded), "a payment was lost");
            }
            prop_assert!(tracker.order() >= before.order());
            // The stored form is the tracker, and nothing but it.
            prop_assert_eq!(tracker.to_string().parse(), Ok(tracker));
            prop_assert!(tracker.to_string().len() <= 68);
        }
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
fn serde_writes_the_stored_form_and_refuses_what_is_none() {
    let tracker: Tracker<IntentStatus> = "v1 CONFIRMED TIMEOUT 7".parse().unwrap();
    let json = serde_json::to_string(&tracker).unwrap();
    assert_eq!(json, "\"v1 CONFIRMED TIMEOUT 7\"");
    assert_eq!(serde_json::from_str::<Tracker<IntentStatus>>(&json).unwrap(), tracker);
    let error = serde_json::from_str::<Tracker<IntentStatus>>("\"v1 PAID - 7\"").unwrap_err();
    assert!(error.to_string().starts_with("a stored tracker's status is not in the table"));
    assert!(serde_json::from_str::<Tracker<IntentStatus>>("20").is_err());
}
