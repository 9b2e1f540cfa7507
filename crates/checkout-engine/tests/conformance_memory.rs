//! The store in memory keeps every law of the suite.
#![cfg(feature = "conformance")]

use checkout_engine::Memory;
use checkout_engine::conformance::{self, Broken, Law, ManualClock};
use pollster::block_on;

async fn make() -> (Memory, ManualClock) {
    let clock = ManualClock::new();
    (Memory::with_clock(clock.reader()), clock)
}

#[test]
fn the_store_in_memory_keeps_every_law() {
    let broken: Vec<Broken> =
        Law::ALL.iter().filter_map(|law| block_on(conformance::check_law(*law, &make)).err()).collect();
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_store_in_memory_is_safe_with_threads() -> Result<(), Broken> {
    for _ in 0..5 {
        let (store, clock) = block_on(make());
        conformance::check_race(&store, &clock, |task| block_on(task))?;
    }
    Ok(())
}

#[test]
fn the_store_in_memory_answers_as_itself() -> Result<(), Broken> {
    for seed in 0..20 {
        block_on(conformance::histories(seed, 2_000, &make))?;
    }
    Ok(())
}
