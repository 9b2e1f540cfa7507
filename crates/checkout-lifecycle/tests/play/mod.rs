//! Observations as data, and the verdicts as text.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "tests, each of which takes what it needs")]

use checkout_lifecycle::{Attestation, Basis, Kind, Moment, Observation, Status, Tracker};
use checkout_tables::Open;
use std::collections::BTreeSet;

/// True if chains of these steps lead from here to there, by walking them. The steps are written `a→b,c b→c`.
pub(crate) fn leads(from: &str, to: &str, steps: &[&str]) -> bool {
    let steps: BTreeSet<_> = steps.iter().flat_map(|steps| pairs(steps)).collect();
    let mut reached = BTreeSet::from([from.to_owned()]);
    for _ in 0..steps.len() {
        let next: Vec<String> =
            steps.iter().filter(|step| reached.contains(&step.0)).map(|step| step.1.clone()).collect();
        reached.extend(next);
    }
    reached.contains(to)
}

/// The steps that are written `a→b,c b→c`.
pub(crate) fn pairs(steps: &str) -> BTreeSet<(String, String)> {
    let row = |row: &str| {
        let (from, to) = row.split_once('→').unwrap();
        to.split(',').map(|to| (from.to_owned(), to.to_owned())).collect::<Vec<_>>()
    };
    steps.split_whitespace().flat_map(row).collect()
}

/// The steps of a table that are kept, as they are written above.
pub(crate) fn steps<S: Status>(keep: impl Fn(Kind, Basis) -> bool) -> BTreeSet<(String, String)> {
    let steps = S::STEPS.iter().filter(|step| keep(step.kind, step.basis));
    steps.map(|step| (step.from.code().to_owned(), step.to.code().to_owned())).collect()
}

/// The statuses that each status reaches, a row for each status: `x` reachable, `=` itself, `.` not.
pub(crate) fn grid<S: Status>(reaches: impl Fn(S, S) -> bool) -> Vec<String> {
    let cell = |from: S, to: S| match (from == to, reaches(from, to)) {
        (true, true) => "=",
        (false, true) => "x",
        _ => ".",
    };
    let row = |from: &S| S::ROWS.iter().map(|to| cell(*from, *to)).collect::<Vec<_>>().join(" ");
    S::ROWS.iter().map(row).collect()
}

/// After every moment here.
pub(crate) const NOW: Moment = Moment::from_unix_millis(i64::MAX);

/// Observations in a row: `pending@5` is a read with a moment, `pending` a read without, `w:` a webhook and
/// `r:` a redirect, each with a moment or without.
pub(crate) fn play<S: Status>(observations: &str) -> Vec<String> {
    let mut tracker = Tracker::<S>::new();
    let one = |text: &str| {
        let (source, rest) = text.split_once(':').unwrap_or(("", text));
        let (code, at) = rest.split_once('@').map_or((rest, None), |(code, at)| (code, Some(at)));
        let moment = at.map(|at| Moment::from_unix_millis(at.parse().unwrap()));
        let status: Open<S, &str> = Open::from(code);
        let observation = match source {
            "w" => Observation::verified_webhook(status, moment, Attestation::by_caller()),
            "r" => Observation::verified_redirect(status, moment, Attestation::by_caller()),
            "" => Observation::read_ordered(status, moment),
            other => panic!("nobody called {other}"),
        };
        let verdict = tracker.observe(observation, NOW);
        // The tracker is stored and read back between any two observations.
        tracker = tracker.to_string().parse().unwrap();
        format!("{verdict}: {tracker}")
    };
    observations.split_whitespace().map(one).collect()
}

/// The verdict on the last observation, and the tracker after it.
pub(crate) fn last<S: Status>(observations: &str) -> String {
    play::<S>(observations).pop().unwrap()
}

/// Every known status by every observed one: `=` unchanged, `A` advanced, `S` stale, `U` unexpected, `R`
/// reopened, `L` late success, `C` conflict.
pub(crate) fn verdicts<S: Status>(
    known: impl Fn(&str) -> String,
    observed: impl Fn(&str) -> String,
) -> Vec<String> {
    let cell = |current: &S, next: &S| {
        let outcome = last::<S>(&format!("{} {}", known(current.code()), observed(next.code())));
        match outcome.split_once(':').unwrap().0 {
            "unchanged" => "=".to_owned(),
            verdict => verdict[..1].to_uppercase(),
        }
    };
    let row = |current: &S| S::ROWS.iter().map(|next| cell(current, next)).collect::<Vec<_>>().join(" ");
    S::ROWS.iter().map(row).collect()
}

/// Asserts that every row is at its place, and is final in its phase exactly if no ordinary step leaves the
/// row and the table says so.
pub(crate) fn check_ends<S: Status>(is_terminal: impl Fn(S) -> bool) {
    for (place, row) in S::ROWS.iter().copied().enumerate() {
        let left = S::STEPS.iter().any(|step| step.from == row && step.kind == Kind::Ordinary);
        assert_eq!(row.is_terminal(), !left, "{row:?}");
        assert_eq!(row.is_terminal(), row.phase().is_final(), "{row:?}");
        assert_eq!(row.is_terminal(), is_terminal(row), "{row:?}");
        assert_eq!(row.position(), place);
    }
    assert!(S::STEPS.iter().all(|step| !step.basis.reason().is_empty() && step.from != step.to));
}
