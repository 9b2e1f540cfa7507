//! The statements of the replay guard, each comparison neutralised in turn: a law has to fail each time. The
//! functions of the schema have a test of their own, `tests/functions.rs`.

use std::env;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use checkout_trust::replay::conformance::{Law, check_async_law};

use crate::Options;
use crate::postgres::Statements;

/// A comparison, what stands in its place, and the law that notices.
struct Mutation {
    statement: fn(&mut Statements) -> &mut String,
    text: &'static str,
    neutral: &'static str,
    law: Law,
}

const fn mutation(
    statement: fn(&mut Statements) -> &mut String,
    text: &'static str,
    neutral: &'static str,
    law: Law,
) -> Mutation {
    Mutation { statement, text, neutral, law }
}

const MUTATIONS: &[Mutation] = &[
    mutation(claim, "held.until < $3", "true", Law::ClaimHoldsForItsLease),
    mutation(claim, "held.until < $3", "held.until <= $3", Law::ClaimHoldsForItsLease),
    mutation(held, "w.key = $1", "true", Law::KeysAreIndependent),
    mutation(held, "w.done, w.until", "false AS done, w.until", Law::CommitIsRemembered),
    mutation(commit, "held.fence = excluded.fence", "true", Law::LateCommitIsLost),
    mutation(commit, "held.fence = excluded.fence", "held.fence >= excluded.fence", Law::LateCommitIsLost),
    mutation(commit, "greatest(held.until, excluded.until)", "excluded.until", Law::CommitCanBeRepeated),
    mutation(release, "w.fence = $2", "true", Law::LateReleaseIsLost),
    mutation(release, "AND NOT w.done", "", Law::CommitCanBeRepeated),
    mutation(release, "AND NOT w.done", "", Law::ReleaseSparesCommit),
];

fn claim(statements: &mut Statements) -> &mut String {
    &mut statements.guard_claim
}

fn held(statements: &mut Statements) -> &mut String {
    &mut statements.guard_held
}

fn commit(statements: &mut Statements) -> &mut String {
    &mut statements.guard_commit
}

fn release(statements: &mut Statements) -> &mut String {
    &mut statements.guard_release
}

#[test]
fn a_law_of_the_replay_guard_fails_for_each_comparison_that_is_neutralised() {
    let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
        let _ = writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let schemas = Mutex::new(Vec::new());
    // The first observation against the law, of a store with these changes. An error of the database is none.
    let seen = |law: Law, change: &dyn Fn(&mut Statements)| {
        let make = || {
            let mut schemas = schemas.lock().unwrap_or_else(PoisonError::into_inner);
            let schema = format!("m_{}_{}", std::process::id(), schemas.len());
            let options = Options::new().schema(&schema).notify(false);
            schemas.push(schema);
            drop(schemas);
            let mut store = runtime.block_on(options.connect(&url)).unwrap();
            change(&mut Arc::get_mut(&mut store.0).unwrap().statements);
            store
        };
        let broken = check_async_law(law, make, |task| runtime.block_on(task)).err();
        broken.map(|broken| broken.to_string()).filter(|seen| !seen.contains("the store failed"))
    };
    let unseen: Vec<String> = MUTATIONS
        .iter()
        .filter(|Mutation { statement, text, neutral, law }| {
            let change = |statements: &mut Statements| {
                let statement = statement(statements);
                assert_eq!(statement.matches(text).count(), 1, "{statement} does not have {text:?} once");
                *statement = statement.replace(text, neutral);
            };
            seen(*law, &change).is_none()
        })
        .map(|Mutation { text, neutral, law, .. }| format!("{text:?} as {neutral:?}: {law}"))
        .collect();
    let unchanged: Vec<String> =
        MUTATIONS.iter().filter_map(|mutation| seen(mutation.law, &|_| {})).collect();
    let all = schemas.into_inner().unwrap_or_else(PoisonError::into_inner);
    runtime.block_on(async {
        let store = Options::new().schema(&all[0]).notify(false).connect(&url).await.unwrap();
        let client = store.pool().get().await.unwrap();
        for schema in &all {
            client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
        }
    });
    assert_eq!((unseen, unchanged), (Vec::new(), Vec::new()));
}

/// Each comparison of these statements is in the list.
#[test]
fn no_comparison_of_the_replay_guard_is_left_out() {
    for (statement, sql) in [
        (claim as fn(&mut Statements) -> &mut String, include_str!("../sql/guard_claim.sql")),
        (held, include_str!("../sql/guard_held.sql")),
        (commit, include_str!("../sql/guard_commit.sql")),
        (release, include_str!("../sql/guard_release.sql")),
    ] {
        let of = |mutation: &&Mutation| core::ptr::fn_addr_eq(mutation.statement, statement);
        let text = MUTATIONS
            .iter()
            .filter(of)
            .fold(sql.to_owned(), |text, mutation| text.replace(mutation.text, ""));
        let (_, condition) = text.split_once("WHERE").unwrap();
        // A number is of one key alone: the key of a release decides nothing.
        let condition = condition.replace("w.key = $1 AND", "");
        for sign in ["=", "<", ">", "AND NOT", "greatest", "least"] {
            assert!(!condition.contains(sign), "{sign:?} is left in {text}");
        }
    }
}
