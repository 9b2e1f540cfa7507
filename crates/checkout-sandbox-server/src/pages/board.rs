//! The dashboard: the worlds, and a world with its checkouts, clock, scenarios and faults.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;
use checkout_transport::http::{Response, StatusCode, Uri};
use maud::{Markup, html};

use super::form::{Form, encoded};
use super::look::{Frame, Kind, see_other};
use super::view::{Provider, Row};
use super::{desk, engine, fault, parts, pay, request, verdict};
use crate::clock::Pace;
use crate::courier::{self, Until};
use crate::fields::LAST_MILLISECOND;
use crate::limits;
use crate::mask::Mask;
use crate::shared::Shared;
use crate::world::{Played, World};

type Server = State<Arc<Shared>>;

pub(super) async fn worlds(State(server): Server) -> Response<Body> {
    dashboard(&server)
}

/// The list of the worlds, with the addresses of the server.
pub(crate) fn dashboard(server: &Shared) -> Response<Body> {
    let base = &*server.base_path;
    let worlds = server.worlds.all();
    let urls = &server.urls;
    let content = html! {
        section data-live="worlds" {
            h1 { "Worlds" }
            div class="wide" { table {
                thead { tr { th { "World" } th { "Time" } th { "Clock" } } }
                tbody {
                    @for world in worlds.iter().take(ROWS) {
                        tr {
                            td {
                                a href=(world_path(base, world)) data-testid=(format!("world-{}", world.name())) {
                                    (world.name())
                                }
                            }
                            td { (parts::time(world.now())) }
                            td { (parts::pace(world.pace())) }
                        }
                    }
                }
            } }
            @if worlds.len() > ROWS { p { "The first " (ROWS) " of " (worlds.len()) " worlds." } }
        }
        section {
            h2 { "Base URLs" }
            dl {
                dt { "AllScale" } dd { code { (urls.allscale()) } }
                dt { "Azotte" } dd { code { (urls.azotte()) } }
                dt { "Peach" } dd { code { (urls.peach()) } }
                dt { "Peach, tokens" } dd { code { (urls.peach_auth()) } }
            }
        }
    };
    Frame { title: "Worlds", base, world: None, kind: Kind::Board }.page(StatusCode::OK, &content)
}

pub(super) async fn world(State(server): Server, Path(name): Path<String>, uri: Uri) -> Response<Body> {
    let Some(world) = server.worlds.named(&name) else { return no_world(&server) };
    let query = Form::of(uri.query().unwrap_or_default().as_bytes());
    let engine = engine::section(&server, &world, &world_path(&server.base_path, &world), &query).await;
    board(&server, &world, &query, engine, None)
}

pub(super) async fn set_clock(
    State(server): Server,
    Path(name): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let Some(world) = server.worlds.named(&name) else { return no_world(&server) };
    match clock_change(&world, &Form::of(&body)) {
        Ok(until) => {
            if let Some(until) = until {
                courier::advance(&world, until).await;
            }
            see_other(&world_path(&server.base_path, &world))
        }
        Err(sentence) => refused(&server, &world, &sentence),
    }
}

/// Sets the pace, or returns the moment to go to.
fn clock_change(world: &World, form: &Form) -> Result<Option<Until>, String> {
    let no_number = |field: &str| format!("The field {field} is missing.");
    let pace = match form.get("do") {
        Some("freeze") => Pace::Frozen,
        Some("real") => Pace::Real,
        Some("times") => {
            let times = form.number::<u32>("times")?.ok_or_else(|| no_number("times"))?;
            if !(1..=MOST_TIMES).contains(&times) {
                return Err(format!("The field times has to be 1 to {MOST_TIMES}."));
            }
            Pace::Times(times)
        }
        Some("advance") => {
            let number = form.number::<u64>("by")?.ok_or_else(|| no_number("by"))?;
            let unit = form.get("unit").unwrap_or("s");
            let unit = UNITS.iter().find(|(name, _, _)| *name == unit).map(|(_, _, seconds)| *seconds);
            let unit = unit.ok_or("The field unit has to be s, min, h or d.")?;
            let until = world.now().saturating_add(Duration::from_secs(number.saturating_mul(unit)));
            let last = i64::try_from(LAST_MILLISECOND).map_or(world.now(), Moment::from_unix_millis);
            if until > last {
                return Err("The clock ends with the year 9999.".to_owned());
            }
            return Ok(Some(Until::Moment(until)));
        }
        Some("next") => {
            let next = courier::next(world);
            let next = next.ok_or("Nothing is to come: time alone changes nothing in this world.")?;
            return Ok(Some(Until::Moment(next)));
        }
        Some("idle") => {
            return Ok(Some(Until::Idle));
        }
        Some(_) | None => {
            return Err("The field do has to be freeze, real, times, advance, next or idle.".to_owned());
        }
    };
    world.set_pace(pace);
    Ok(None)
}

pub(super) async fn next_scenario(
    State(server): Server,
    Path(name): Path<String>,
    body: Bytes,
) -> Response<Body> {
    changed(&server, &name, &body, |world, form| {
        let (provider, scenario) = chosen(form, "scenario")?;
        let played = world.played();
        let set = match provider {
            Provider::AllScale => {
                allscale::Scenario::by_name(scenario).map(|found| played.allscale.next_intent(found))
            }
            Provider::Azotte => {
                azotte::Scenario::by_name(scenario).map(|found| played.azotte.next_checkout(found))
            }
            Provider::Peach => {
                peach::Scenario::by_name(scenario).map(|found| played.peach.next_checkout(found))
            }
        };
        set.ok_or_else(|| format!("{} has no scenario of this name.", provider.name()))
    })
}

pub(super) async fn inject(State(server): Server, Path(name): Path<String>, body: Bytes) -> Response<Body> {
    changed(&server, &name, &body, |world, form| {
        if form.get("do") == Some("clear") {
            world.quiet().faults.clear();
            return Ok(());
        }
        let (provider, name) = chosen(form, "fault")?;
        fault::inject(&world.played(), provider, name, form)
    })
}

pub(super) async fn reset(State(server): Server, Path(name): Path<String>) -> Response<Body> {
    changed(&server, &name, b"", |world, _| {
        world.reset();
        Ok(())
    })
}

/// Changes a world, and shows the world again.
fn changed(
    server: &Shared,
    name: &str,
    body: &[u8],
    change: impl FnOnce(&World, &Form) -> Result<(), String>,
) -> Response<Body> {
    let Some(world) = server.worlds.named(name) else { return no_world(server) };
    let form = Form::of(body);
    match change(&world, &form) {
        Ok(()) => see_other(&world_path(&server.base_path, &world)),
        Err(sentence) => refused(server, &world, &sentence),
    }
}

/// The provider and the name in a field `provider:name`.
fn chosen<'a>(form: &'a Form, field: &str) -> Result<(Provider, &'a str), String> {
    let chosen = form.get(field).and_then(|chosen| chosen.split_once(':'));
    let found = chosen.and_then(|(provider, name)| Some((Provider::of_key(provider)?, name)));
    found.ok_or_else(|| format!("The field {field} has to be a provider, a colon and a name."))
}

fn no_world(server: &Shared) -> Response<Body> {
    pay::refusal(server, StatusCode::NOT_FOUND, "No world has this name.")
}

fn world_path(base: &str, world: &World) -> String {
    format!("{base}/_/board/{}", encoded(world.name()))
}

/// The page of the world with a sentence, and without what others have to be asked for.
fn refused(server: &Shared, world: &World, sentence: &str) -> Response<Body> {
    board(server, world, &Form::default(), html! {}, Some(sentence))
}

fn board(
    server: &Shared,
    world: &World,
    query: &Form,
    engine: Markup,
    refused: Option<&str>,
) -> Response<Body> {
    let played = world.quiet();
    let path = world_path(&server.base_path, world);
    let content = html! {
        @if let Some(sentence) = refused { (pay::alert(sentence)) }
        (checkouts(server, world, &played, &path, query))
        (engine)
        (verdict::section(&world.verdict(), &server.base_path))
        (request::latest(&server.base_path, world, &played))
        (clock(world, &path))
        div class="grid" {
            (scenarios(&path))
            (fault::section(&path, &played))
        }
        (limits(world, &played))
        section {
            h2 { "Reset" }
            p class="soft" { "Takes all checkouts of the world away, and sets the clock to its beginning." }
            form method="post" action=(format!("{path}/reset")) {
                button data-testid="reset" { "Reset the world " (world.name()) }
            }
        }
    };
    let title = format!("World {}", world.name());
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let base = &*server.base_path;
    Frame { title: &title, base, world: Some(world.name()), kind: Kind::Board }.page(status, &content)
}

fn checkouts(server: &Shared, world: &World, played: &Played, path: &str, query: &Form) -> Markup {
    let sought = query.get("q").unwrap_or_default().trim();
    let number = query.number::<usize>("page").ok().flatten().unwrap_or(1).max(1);
    let (mut rows, mask) = (desk::rows(played), Mask::of(world.keys()));
    for row in &mut rows {
        row.order = row.order.take().map(|order| mask.text(&order));
    }
    let all = rows.len();
    rows.retain(|row| fits(row, sought));
    let found = rows.len();
    let skipped = (number - 1).saturating_mul(ROWS);
    let now = world.now();
    let turned = |number: usize| format!("{path}?q={}&page={number}", encoded(sought));
    html! {
        section {
            h1 { "Checkouts" }
            form class="line" role="search" method="get" action=(path) {
                div {
                    label for="q" { "Order, id, status or provider" }
                    input id="q" name="q" type="search" value=(sought) data-testid="search";
                }
                button data-testid="search-go" { "Search" }
            }
            div data-live="checkouts" {
                p class="soft" data-testid="count" { (found) " of " (all) " checkouts" }
                @if found > 0 {
                    div class="wide" { table {
                        thead { tr {
                            th { "Order" } th { "Provider" } th { "Status" } th { "Amount" } th { "Age" } th { "Id" }
                        } }
                        tbody {
                            @for row in rows.iter().skip(skipped).take(ROWS) { (line(server, world, row, now)) }
                        }
                    } }
                } @else if all == 0 {
                    p { "No checkout yet. Point a client at the base URL, and a checkout comes here." }
                }
                nav class="pages" aria-label="Pages of the list" {
                    @if number > 1 { a href=(turned(number - 1)) rel="prev" data-testid="previous" { "Newer" } }
                    @if skipped.saturating_add(ROWS) < found {
                        a href=(turned(number + 1)) rel="next" data-testid="next" { "Older" }
                    }
                }
            }
        }
    }
}

fn line(server: &Shared, world: &World, row: &Row, now: Moment) -> Markup {
    let path = parts::checkout_path(&server.base_path, world.name(), row.provider, &row.id);
    html! {
        tr data-testid="checkout" {
            td class="cut" {
                a href=(path) { (row.order.as_deref().map_or_else(|| "without an order".to_owned(), parts::short)) }
            }
            td { (row.provider.name()) }
            td { (parts::badge(&row.status)) }
            td { @if let Some(amount) = &row.amount { (amount) } }
            td { (parts::span(now.saturating_since(row.created_at))) }
            td class="cut" { code { (row.id) } }
        }
    }
}

/// True if a text is in the order, the id, the status or the name of the provider, in any case.
fn fits(row: &Row, sought: &str) -> bool {
    let sought = sought.to_lowercase();
    let texts = [&*row.id, &row.status.code, row.status.words, row.provider.name()];
    let mut texts = texts.into_iter().chain(row.order.as_deref());
    sought.is_empty() || texts.any(|text| text.to_lowercase().contains(&sought))
}

fn clock(world: &World, path: &str) -> Markup {
    let path = format!("{path}/clock");
    let one = |act: &'static str, label: &'static str| {
        html! {
            form method="post" action=(path) {
                input type="hidden" name="do" value=(act);
                button data-testid=(format!("clock-{act}")) { (label) }
            }
        }
    };
    html! {
        section {
            h2 { "Clock" }
            p data-live="clock" data-testid="clock" {
                (parts::time(world.now())) ", " (parts::pace(world.pace())) "."
                @if let Some(next) = courier::next(world) {
                    " The next thing comes in " (parts::span(next.saturating_since(world.now()))) "."
                }
            }
            div class="acts" {
                (one("next", "To the next thing"))
                (one("idle", "Until nothing is to come"))
                (one("freeze", "Freeze"))
                (one("real", "Machine's pace"))
            }
            br;
            form class="line" method="post" action=(path) {
                input type="hidden" name="do" value="advance";
                div {
                    label for="by" { "Advance by" }
                    input id="by" name="by" type="number" min="0" value="1" required data-testid="advance-by";
                }
                div {
                    label for="unit" { "Unit" }
                    select id="unit" name="unit" data-testid="advance-unit" {
                        @for (name, words, _) in UNITS {
                            option value=(name) selected[name == "min"] { (words) }
                        }
                    }
                }
                button data-testid="clock-advance" { "Advance" }
            }
            form class="line" method="post" action=(path) {
                input type="hidden" name="do" value="times";
                div {
                    label for="times" { "Times the machine's pace" }
                    input id="times" name="times" type="number" min="1" max=(MOST_TIMES) value="60" required
                        data-testid="times";
                }
                button data-testid="clock-times" { "Set the pace" }
            }
        }
    }
}

fn scenarios(path: &str) -> Markup {
    let names = |provider| match provider {
        Provider::AllScale => &allscale::Scenario::NAMES[..],
        Provider::Azotte => &azotte::Scenario::NAMES[..],
        Provider::Peach => &peach::Scenario::NAMES[..],
    };
    html! {
        section {
            h2 { "Scenario of the next checkout" }
            form class="line" method="post" action=(format!("{path}/scenario")) {
                div {
                    label for="scenario" { "Scenario" }
                    select id="scenario" name="scenario" data-testid="scenario" {
                        @for provider in Provider::ALL { (options(provider, names(provider))) }
                    }
                }
                button data-testid="scenario-set" { "Set" }
            }
        }
    }
}

fn limits(world: &World, played: &Played) -> Markup {
    let limits = limits::of(played, world.keys());
    html! {
        @if !limits.is_empty() {
            section data-live="limits" {
                h2 { "Limits" }
                @for (provider, counted, of) in &limits {
                    p data-testid=(format!("limit-{}", provider.key())) {
                        (provider.name()) ", " (counted) ": " (of.used) " of " (of.most) " used. "
                        @match of.room() {
                            0 => { "The next has room in " (parts::span(of.room_at.saturating_since(world.now()))) "." },
                            room => { (room) " more have room now." },
                        }
                    }
                }
            }
        }
    }
}

fn options(provider: Provider, names: &[&str]) -> Markup {
    html! {
        optgroup label=(provider.name()) {
            @for name in names {
                option value=(format!("{}:{name}", provider.key())) { (name.replace('_', " ")) }
            }
        }
    }
}

/// The rows of a page of a list.
const ROWS: usize = 100;

/// The fastest pace, as the admin route has.
const MOST_TIMES: u32 = 1_000_000;

/// The units of the clock's advance: name, words, seconds.
const UNITS: [(&str, &str, u64); 4] =
    [("s", "seconds", 1), ("min", "minutes", 60), ("h", "hours", 3_600), ("d", "days", 86_400)];
