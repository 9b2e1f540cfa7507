//! The suites of the engine's store and of the replay guard.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use checkout_engine::conformance::{self, Law};
use checkout_store_postgres::Postgres;
use checkout_trust::replay;
use common::{Schema, Standing, Tested, runtime};

async fn make() -> (Postgres, Standing) {
    let schema = Schema::new().await.unwrap();
    let store = schema.standing().await.unwrap();
    (store, Standing(schema))
}

#[test]
fn the_store_keeps_every_law_of_the_engine() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    let broken: Vec<String> = Law::ALL
        .iter()
        .filter_map(|law| runtime.block_on(conformance::check_law(*law, &make)).err())
        .map(|broken| broken.to_string())
        .collect();
    assert_eq!(broken, Vec::<String>::new());
    Ok(())
}

#[test]
fn random_histories_are_answered_as_the_model_answers_them() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    for seed in 1..=6 {
        runtime.block_on(conformance::histories(seed, 2_000, &make))?;
    }
    Ok(())
}

#[test]
fn prepared_statements_answer_as_the_model_answers() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let make = async || {
        let schema = Schema::new().await.unwrap();
        let store = schema.options().prepared(true).connect(&common::url()).await.unwrap();
        schema.stand().await.unwrap();
        (store, Standing(schema))
    };
    let runtime = runtime();
    runtime.block_on(conformance::histories(11, 1_000, &make))?;
    let (store, clock) = runtime.block_on(make());
    conformance::check_race(&store, &clock, |task| runtime.block_on(task))?;
    Ok(())
}

/// The store is the older program: the schema has what a newer program adds.
#[test]
fn a_schema_that_a_newer_program_has_added_to_is_used_as_the_model_answers() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let make = async || {
        let schema = Schema::new().await.unwrap();
        schema.store().await.unwrap();
        schema.add_to_all().await.unwrap();
        let store = schema.standing().await.unwrap();
        (store, Standing(schema))
    };
    runtime().block_on(conformance::histories(12, 500, &make))?;
    Ok(())
}

#[test]
fn threads_on_one_store_lose_and_double_nothing() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    let (store, clock) = runtime.block_on(make());
    conformance::check_race(&store, &clock, |task| runtime.block_on(task))?;
    Ok(())
}

#[test]
fn the_replay_guard_keeps_every_law() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    let schemas = std::sync::Mutex::new(Vec::new());
    let make = || {
        let schema = runtime.block_on(Schema::new()).unwrap();
        let store = runtime.block_on(schema.store()).unwrap();
        schemas.lock().unwrap().push(schema);
        store
    };
    replay::conformance::check_async_store(make, |task| runtime.block_on(task))?;
    Ok(())
}
