//! A model of a merchant's back end: random interleavings of deliveries that are doubled, reordered, delayed
//! and lost, of reads that are lost or late, and of workers that die between any two steps. No payment is
//! lost, no order is fulfilled twice or without the money, no event is processed twice, and every run ends.
//!
//! Every run follows from its seed. `MODEL_SEED=123` plays the run of that seed and, with `--nocapture`,
//! prints the story; `MODEL_RUNS=1000000` plays so many runs with each provider.
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod allscale;
mod peach;
mod provider;
mod rng;
mod stores;
mod world;

use allscale::AllScale;
use checkout_trust::replay::{MemoryStore, Store};
use peach::Peach;
use provider::Provider;
use std::fmt::Debug;
use stores::{Broken, Fault};
use world::{Habits, Tally, Violation, World};

/// The runs with each of two providers.
const RUNS: u64 = 26_000;

/// The runs for a part that is wrong on purpose: the model must find the fault within as many.
const RUNS_OF_A_WRONG_ONE: u64 = 3_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Plays a run for each seed until a run violates a law; returns the violation with the seed.
fn search<P: Provider, S: Store<Error: Debug>>(
    seeds: impl IntoIterator<Item = u64>,
    store: impl Fn() -> S,
    habits: Habits,
    tally: &mut Tally,
    of_interest: impl Fn(&Violation) -> bool,
) -> Option<(u64, Vec<Violation>)> {
    let mut provider = P::new();
    seeds.into_iter().find_map(|seed| {
        let world = World::new(seed, &mut provider, store(), habits, tally, false);
        let (violations, _) = world.play();
        violations.iter().any(&of_interest).then_some((seed, violations))
    })
}

/// The story of the run of a seed.
fn story<P: Provider, S: Store<Error: Debug>>(seed: u64, store: S, habits: Habits) -> String {
    let mut tally = Tally::default();
    let (_, story) = World::new(seed, &mut P::new(), store, habits, &mut tally, true).play();
    story.join("\n")
}

fn nothing_is_violated<P: Provider>() -> Tally {
    let store = || MemoryStore::new(1_000);
    let mut tally = Tally::default();
    let seeds = match number("MODEL_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("MODEL_RUNS").unwrap_or(RUNS),
    };
    let asked = seeds.start() == seeds.end();
    let found = search::<P, _>(seeds.clone(), store, Habits::RIGHT, &mut tally, |_| true);
    if let Some((seed, violations)) = found.clone().or(asked.then(|| (*seeds.start(), Vec::new()))) {
        let story = story::<P, _>(seed, store(), Habits::RIGHT);
        assert!(violations.is_empty(), "{}: {violations:?}, MODEL_SEED={seed}:\n{story}", P::NAME);
        eprintln!("{}, MODEL_SEED={seed}:\n{story}", P::NAME);
        return tally;
    }
    // Every kind of incident has happened, and often.
    let often = [
        tally.in_flight,
        tally.done,
        tally.lost_commits,
        tally.crashes,
        tally.lost_reads,
        tally.lost_swaps,
        tally.late,
        tally.fulfilled,
        tally.given_up,
        tally.flagged,
    ];
    assert!(often.iter().all(|count| *count > tally.runs / 100) && tally.stale > 0, "{tally:?}");
    tally
}

#[test]
fn with_allscale_no_payment_is_lost_and_none_counts_twice() {
    let tally = nothing_is_violated::<AllScale>();
    // Peach's form has no time, so no form is too old to be taken.
    assert!(number("MODEL_SEED").is_some() || tally.refused > tally.runs / 100, "{tally:?}");
}

#[test]
fn with_peach_no_payment_is_lost_and_none_counts_twice() {
    nothing_is_violated::<Peach>();
}

/// Asserts that the model finds this violation soon, for this store or these habits.
fn finds<S: Store<Error: Debug>>(store: impl Fn() -> S, habits: Habits, violation: Violation) {
    let mut tally = Tally::default();
    let seeds = 1..=RUNS_OF_A_WRONG_ONE;
    let of_interest = |found: &Violation| *found == violation;
    let with_allscale = search::<AllScale, _>(seeds.clone(), &store, habits, &mut tally, of_interest);
    let with_peach = search::<Peach, _>(seeds, &store, habits, &mut tally, of_interest);
    assert!(with_allscale.is_some() && with_peach.is_some(), "{with_allscale:?}, {with_peach:?}");
}

fn finds_in_the_store(fault: Fault, violation: Violation) {
    finds(|| Broken::new(fault), Habits::RIGHT, violation);
}

fn finds_in_the_back_end(habits: Habits, violation: Violation) {
    finds(|| MemoryStore::new(1_000), habits, violation);
}

#[test]
fn a_store_that_forgets_is_found() {
    finds_in_the_store(Fault::Forgets, Violation::ProcessedTwice);
}

#[test]
fn a_store_that_commits_at_the_claim_is_found() {
    finds_in_the_store(Fault::CommitsAtClaim, Violation::AnsweredUndone);
    finds_in_the_store(Fault::CommitsAtClaim, Violation::PaymentLost);
}

#[test]
fn a_store_that_does_not_fence_is_found() {
    finds_in_the_store(Fault::DoesNotFence, Violation::ProcessedTwice);
}

#[test]
fn a_store_whose_leases_never_end_is_found() {
    finds_in_the_store(Fault::NeverEndsALease, Violation::NeverProcessed);
    finds_in_the_store(Fault::NeverEndsALease, Violation::PaymentLost);
}

#[test]
fn a_tracker_that_takes_every_last_status_is_found() {
    let habits = Habits { tracks: false, ..Habits::RIGHT };
    finds_in_the_back_end(habits, Violation::FulfilledAndGivenUp);
}

#[test]
fn a_back_end_that_writes_without_comparing_is_found() {
    let habits = Habits { compares: false, ..Habits::RIGHT };
    finds_in_the_back_end(habits, Violation::FulfilledTwice);
}

#[test]
fn a_back_end_that_ignores_the_money_is_found() {
    let habits = Habits { counts: false, ..Habits::RIGHT };
    finds_in_the_back_end(habits, Violation::FulfilledWithoutTheMoney);
}

#[test]
fn a_seed_always_plays_the_same_run() {
    for seed in 1..20 {
        let play = || story::<Peach, _>(seed, MemoryStore::new(1_000), Habits::RIGHT);
        assert_eq!(play(), play());
    }
}
