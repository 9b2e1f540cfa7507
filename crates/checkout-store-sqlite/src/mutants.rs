//! Statements without one of their comparisons, each of which a law has to find.

use crate::Sqlite;
use crate::db::{MUTANT, SEEN};
use checkout_engine::Store;
use checkout_engine::conformance::{self, Law, ManualClock};
use checkout_trust::replay::conformance as guard;
use checkout_trust::replay::{AsyncStore, Key, Slot};
use pollster::block_on;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

/// A statement, and the statement in its place.
type Mutant = (&'static str, String);

/// The columns that decide if a write is still allowed, and if a row is due.
const GUARDS: [&str; 6] = ["fence", "version", "leased", "due", "opens", "until"];

/// The second comparison of the same: the earliest work of a lane is due if the lane is open.
const TWICE: [&str; 1] = ["WHERE w.lane = ?1 AND w.due <= ?2 ORDER BY w.due, w.id LIMIT 1"];

/// Stores whose clock tells their thread the mutant, before the thread prepares a statement.
fn open(mutant: Option<&Mutant>) -> (Sqlite, ManualClock) {
    let clock = ManualClock::new();
    let (read, mutant) = (clock.reader(), mutant.cloned());
    let store = Sqlite::in_memory().clock(move || {
        MUTANT.set(mutant.clone());
        read()
    });
    (store.open().unwrap(), clock)
}

/// The first law that does not hold: of the engine's store, or of the replay guard's.
fn broken(mutant: Option<&Mutant>) -> Option<String> {
    let is_guards = |(sql, _): &Mutant| sql.contains("webhook_claim");
    let make = async || open(mutant);
    let of_engine = || Law::ALL.iter().find_map(|law| block_on(conformance::check_law(*law, &make)).err());
    let of_guard = || guard::check_async_store(|| open(mutant).0, |future| block_on(future)).err();
    match mutant.map(is_guards) {
        Some(true) => of_guard().map(|broken| broken.to_string()).or_else(|| swept_in_use(mutant)),
        Some(false) => of_engine().map(|broken| broken.to_string()),
        None => of_engine()
            .map(|broken| broken.to_string())
            .or_else(|| of_guard().map(|broken| broken.to_string()))
            .or_else(|| swept_in_use(mutant)),
    }
}

/// A sweep forgets no claim of the replay guard that is not over.
fn swept_in_use(mutant: Option<&Mutant>) -> Option<String> {
    let (store, _) = open(mutant);
    let key = Key::allscale_transaction("shop", "t-1", Duration::from_secs(60));
    block_on(async {
        let now = Store::now(&store).await.unwrap();
        let _ = AsyncStore::claim(&store, &key, now, Duration::from_secs(30)).await.unwrap();
        store.sweep(9).await.unwrap();
        let again = AsyncStore::claim(&store, &key, now, Duration::from_secs(30)).await.unwrap();
        (!matches!(again, Slot::InFlight { .. })).then(|| format!("{again:?} of a claim in use"))
    })
}

/// The statement without each of its comparisons of a guard, which holds for every row then.
fn mutants(sql: &'static str) -> Vec<Mutant> {
    let Some((head, condition)) = sql.split_once(" WHERE ") else { return Vec::new() };
    let words: Vec<&str> = condition.split_inclusive([' ', '\n', '(', ')']).collect();
    let of = |word: &str| {
        word.trim_end_matches([' ', '\n', ')']).rsplit('.').next().unwrap_or_default().to_owned()
    };
    let is_guard = |word: &str| GUARDS.contains(&&*of(word));
    let is_sign = |word: &str| ["=", "<", "<=", ">", ">=", "<>"].contains(&word.trim());
    let mut mutants = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| is_guard(word)) {
        let compares = words.get(at + 1).is_some_and(|sign| is_sign(sign));
        // The name of a column to read or to sort by, or the right side of a comparison.
        let before = at.checked_sub(1).and_then(|before| words.get(before)).map_or("", |word| word.trim());
        let stands_alone = of(word) == "leased" && ["", "AND", "NOT"].contains(&before);
        if !compares && !stands_alone {
            continue;
        }
        let end = if compares { at + 3 } else { at + 1 };
        let comparison = words[at..end].concat();
        let (bare, rest) = comparison.split_at(comparison.trim_end_matches([' ', '\n', ')']).len());
        let [before, after] = [&words[..at], &words[end..]].map(|words| words.concat());
        mutants.push((sql, format!("{head} WHERE {before}(({bare}) OR 1){rest}{after}")));
    }
    mutants
}

#[test]
fn a_law_finds_each_statement_that_does_not_compare_what_it_has_to() {
    assert_eq!(broken(None), None);
    let seen: BTreeSet<&'static str> = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let all: Vec<Mutant> = seen
        .into_iter()
        .flat_map(mutants)
        .filter(|(sql, _)| !TWICE.iter().any(|twice| sql.contains(twice)))
        .collect();
    // A work's fence, three of places, two of news, two of the guard, a decision's version, the dues and
    // ends.
    assert!(all.len() >= 15, "{all:#?}");
    let survive = |mutants: &[Mutant]| -> Vec<Mutant> {
        mutants.iter().filter(|mutant| broken(Some(mutant)).is_none()).cloned().collect()
    };
    let (half, rest) = all.split_at(all.len() / 2);
    let survivors = std::thread::scope(|scope| {
        let half = scope.spawn(|| survive(half));
        [survive(rest), half.join().unwrap()].concat()
    });
    assert!(survivors.is_empty(), "{survivors:#?}");
}
