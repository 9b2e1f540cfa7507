//! The playback of the server's file at the start.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use serde_json::Value;

use crate::clock::{Pace, Start};
use crate::journal::{Journal, Row};
use crate::shared::Shared;
use crate::verdict::judge::Judge;
use crate::webhooks::content::Provider;
use crate::webhooks::endpoint::Endpoints;
use crate::{courier, exchange, machine, making, own, seed_file};

/// Plays the file back, after the first entry, which is the default world. Nothing is sent. Then lets the
/// worlds go on, and keeps their changes in the file.
///
/// # Errors
/// The reason why the file cannot be played back.
pub(crate) fn play(shared: &Arc<Shared>, router: &mut Router) -> Result<(), String> {
    let Some(journal) = &shared.journal else { return Ok(()) };
    shared.playing.store(true, Ordering::SeqCst);
    let played = journal.read(FIRST, |row| {
        let number = row.number;
        play_row(shared, router, row).map_err(|reason| format!("entry {number} {reason}"))
    });
    shared.playing.store(false, Ordering::SeqCst);
    played?;
    for world in shared.worlds.all() {
        // The clients that the judge has not seen are gone.
        world.quiet().judge(|judge, _| *judge = Judge::default());
        world.keep_in(journal);
        if !Arc::ptr_eq(&world, shared.worlds.default_world()) {
            courier::start(&world, &shared.targets);
        }
    }
    Ok(())
}

/// The first entry, which is the default world.
///
/// # Errors
/// The reason why the file cannot be read.
pub(crate) fn first(journal: &Journal) -> Result<Option<(Row, u64, Start)>, String> {
    let mut first = None;
    // The first row alone is of interest, and the reading ends with the words of no error.
    let ended = journal.read(0, |row| {
        first = Some(row);
        Err(String::new())
    });
    let Some(row) = first else { return ended.map(|()| None) };
    let (seed, start) = seed_and_start(&row.entry.data).ok_or("the first entry is no world")?;
    Ok(Some((row, seed, start)))
}

fn play_row(shared: &Arc<Shared>, router: &mut Router, row: Row) -> Result<(), String> {
    let _pin = machine::pin(row.machine);
    let data = row.entry.data.clone();
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    match &*row.entry.kind {
        "world" => {
            let (seed, start) = seed_and_start(&data).ok_or("is no world")?;
            let made = making::make(shared, Some(&row.world), Some(seed), start);
            return made.map(drop).map_err(|error| error.to_string());
        }
        "fork" => {
            let of = text("of").and_then(|of| shared.worlds.named(of)).ok_or("is a copy of no world")?;
            of.quiet().clock.shown().advance_to(row.at);
            return making::fork(shared, &of, Some(&row.world)).map(drop).map_err(|error| error.to_string());
        }
        _ => {}
    }
    // A request that came while somebody took the world away.
    let Some(world) = shared.worlds.named(&row.world) else { return Ok(()) };
    world.quiet().clock.shown().advance_to(row.at);
    let millis = |name: &str| data.get(name).and_then(Value::as_u64).map(Duration::from_millis);
    match &*row.entry.kind {
        "request" => exchange::play(&shared.worlds, &world, row.entry)?,
        "own" => own::play(router, row.entry)?,
        "take" => courier::look(&world),
        "attempt" => {
            let played = world.quiet();
            let after = played.traffic().last();
            played.mail.log().play(&data, after).ok_or("is no attempt")?;
        }
        "early" => {
            let (provider, checkout) = text("provider").zip(text("checkout")).ok_or("is no webhook")?;
            let provider = Provider::by_name(provider).ok_or("is of no provider")?;
            courier::pay_early(&world, provider, checkout);
        }
        "autopay" => world.set_autopay(millis("after_ms")),
        "begin" => {
            let lines = data.get("faults").and_then(Value::as_array).ok_or("has no faults")?.iter();
            let lines: Vec<String> = lines.filter_map(|line| line.as_str().map(str::to_owned)).collect();
            world.begin_with(&lines, millis("autopay_ms")).map_err(|problem| problem.message)?;
        }
        "seed_file" => seed_file::remember(shared, &world, row.entry.data)?,
        "skew" => world.set_skew_ms(data.get("ms").and_then(Value::as_i64).ok_or("has no time")?),
        "refuse" => world.quiet().mail.log().play_refusal(row.at, &data).ok_or("is no refusal")?,
        "endpoints" => {
            let endpoints = Endpoints::from_json(&data).ok_or("has no endpoints")?;
            *world.hooks().endpoints() = endpoints;
        }
        "pace" => world.set_pace(Pace::from_json(&data).ok_or("has no pace")?),
        "advance" => {
            let by = millis("ms").ok_or("has no time")?;
            world.advance(by);
        }
        "reset" => world.reset(),
        "snapshot" => world.snapshot(text("name").unwrap_or_default()).map_err(|error| error.to_string())?,
        "restore" => world.restore(text("name").unwrap_or_default()).map_err(|error| error.to_string())?,
        "forget" => {
            world.forget_snapshot(text("name").unwrap_or_default()).map_err(|error| error.to_string())?;
        }
        "removed" => drop(shared.worlds.remove(&row.world)),
        _ => return Err("is of no kind that this version of the program knows".to_owned()),
    }
    Ok(())
}

fn seed_and_start(data: &Value) -> Option<(u64, Start)> {
    Some((data.get("seed")?.as_u64()?, Start::from_json(data.get("clock")?)?))
}

/// The number of the first entry.
const FIRST: i64 = 1;
