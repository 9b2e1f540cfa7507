//! The spans and events that a subscriber gets: one span for a piece of work, one event for a trouble, and no
//! secret in any of them.
#![cfg(feature = "tracing")]

mod world;

use checkout_engine::{
    Ask, Draft, EngineError, Limit, Limited, Limits, Memory, ReadMade, Reserved, Room, SUSPECT, Store,
    StoreError,
};
use checkout_money::Cents;
use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::allscale::{Currency, Route};
use checkout_transport::{Request, Response, Transport, TransportError};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use world::clocks::{Disturbed, Settable};
use world::{Outcome, Providers, World, block_on, drafts, engine_over};

/// The planted text: the payer's name, a session in an address, an error of a driver.
const PLANTED: &str = "planted-and-hidden";
const LEASE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

/// Writes down every span and every event, at every level.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>, Arc<AtomicU64>);

impl Notes {
    /// The lines of a scene.
    fn during(scene: impl Future<Output = Outcome>) -> Outcome<Vec<String>> {
        let notes = Self::default();
        tracing::subscriber::with_default(notes.clone(), || block_on(scene))?;
        Ok(notes.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn write(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.write(format!("span {}:{}", span.metadata().name(), fields.0));
        Id::from_u64(self.1.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.write(format!("record{}", fields.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.write(format!("event{}", fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

fn count(lines: &[String], wanted: &str) -> usize {
    lines.iter().filter(|line| line.contains(wanted)).count()
}

fn planted() -> Outcome<Draft> {
    let draft = checkout_validate::allscale::Draft::fiat(Currency::EUR, Cents::new(49_90))
        .order_id("order_1")
        .order_description(PLANTED)
        .user(PLANTED, PLANTED)
        .redirect_url(format!("https://shop.example/?session={PLANTED}"))
        .extra(format!(r#"{{"note":"{PLANTED}"}}"#));
    Ok(draft.check()?.into())
}

#[test]
fn each_piece_of_work_has_a_span_with_its_end_and_no_secret_is_in_any() -> Outcome {
    let pages = Mutex::new(Vec::new());
    let work = AtomicU64::new(0);
    let lines = Notes::during(async {
        let world = World::new(1)?;
        for (id, draft) in
            [("a", planted()?), ("b", drafts::azotte("order_b")?), ("c", drafts::peach("order000c")?)]
        {
            world.engine.create(id, draft).await?;
            let page = world.checkout(id).await?.page;
            pages.lock().map_err(|error| error.to_string())?.extend(page);
        }
        world.engine.create_for("v2", "d", drafts::peach("order000d")?).await?;
        world.play(MINUTE * 60).await?;
        work.store(world.engine.counters().claims().saturating_add(4), Ordering::Relaxed);
        Ok(())
    })?;
    let work = usize::try_from(work.into_inner())?;
    assert!(work > 8);
    assert_eq!(count(&lines, "span checkout work:"), work, "{lines:#?}");
    assert_eq!(count(&lines, r#" outcome="written""#), work);
    let created = r#"span checkout work: provider="allscale" id="a" fence="#;
    assert!(lines.iter().any(|line| line.starts_with(created) && line.contains(r#" state="sending""#)));
    assert!(lines.iter().any(|line| line == r#"record new_state="settled""#));
    let pages = pages.into_inner()?;
    assert!(pages.len() > 1);
    let addresses = pages.iter().map(|page| page.as_str());
    let secrets = [
        PLANTED,
        allscale::API_KEY,
        allscale::API_SECRET,
        azotte::API_KEY,
        peach::SECRET_TOKEN,
        peach::CLIENT_SECRET,
        "Bearer",
        "https://",
        "4990",
    ];
    for secret in addresses.chain(secrets) {
        assert_eq!(count(&lines, secret), 0, "{secret}");
    }
    Ok(())
}

async fn claim(store: &Memory) -> Outcome<usize> {
    let lanes = ["allscale/default".to_owned()];
    Ok(store.claim(&Ask { lanes: &lanes, max: 9, lease: LEASE }).await?.due.len())
}

/// Within a request, the lease ends and another process claims the work.
struct Slow(Providers, Arc<Memory>);

impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.0.clock.advance(LEASE);
        assert_eq!(claim(&self.1).await.map_err(TransportError::not_sent)?, 1);
        self.0.send(request).await
    }
}

#[test]
fn a_take_over_a_hold_and_a_lost_write_are_an_event_each() -> Outcome {
    let lines = Notes::during(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale("order_1")?).await?;
        for _ in 0..SUSPECT * 2 {
            world.providers.clock.advance(MINUTE * 5);
            assert_eq!(claim(&world.store).await?, 1);
        }
        world.providers.clock.advance(MINUTE);
        world.step().await?;
        Ok(())
    })?;
    assert_eq!(count(&lines, "event message=taken over"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "event message=held for a person quarantined=true"), 1, "{lines:#?}");
    let lines = Notes::during(async {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Memory::with_clock(move || clock.now()));
        let slow = engine_over(Arc::clone(&store), Slow(providers, Arc::clone(&store)))?;
        slow.create("o", drafts::allscale("order_1")?).await?;
        Ok(())
    })?;
    assert_eq!(count(&lines, "event message=write lost"), 1, "{lines:#?}");
    assert_eq!(count(&lines, r#" outcome="lost""#), 1);
    // The reason of a hold can have a text of the provider.
    let lines = Notes::during(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale("order_1")?).await?;
        for _ in 0..3 {
            world.providers.allscale.inject_on(Route::Status, allscale::Fault::UnknownErrorCode(40_199));
        }
        world.play(MINUTE * 60).await?;
        assert!(world.checkout("o").await?.hold.is_some_and(|hold| hold.contains("40199")));
        Ok(())
    })?;
    assert_eq!(count(&lines, "event message=held for a person quarantined=false"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "40199"), 0);
    Ok(())
}

/// Limits whose error has a secret in its source.
struct Broken;

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable(format!("postgres://shop:{PLANTED}@db").into()))
}

impl Limits for Broken {
    async fn room(&self, _: &[Limit<'_>], _: Duration) -> Result<Vec<Room>, StoreError> {
        broken()
    }

    async fn reserve(&self, _: Limit<'_>, _: i64, _: Duration) -> Result<Reserved, StoreError> {
        broken()
    }

    async fn end(&self, _: Limit<'_>, _: i64, _: ReadMade) -> Result<(), StoreError> {
        broken()
    }

    async fn wait(&self, _: &str, _: Duration) -> Result<(), StoreError> {
        broken()
    }
}

#[test]
fn an_error_of_the_store_or_the_shop_is_an_event_without_its_source() -> Outcome {
    let lines = Notes::during(async {
        let store = Arc::new(Memory::new());
        let before = engine_over(Arc::clone(&store), Providers::new(1))?;
        before.create("o", drafts::peach("order0001")?).await?;
        before.nudge("o").await?;
        let engine = engine_over(Limited::new(store, Broken), Providers::new(1))?;
        let outcome = engine.step(|_| std::future::ready(Ok(()))).await;
        assert!(matches!(outcome, Err(EngineError::Store(StoreError::Unavailable(_)))));
        let world = World::new(1)?;
        world.engine.create("o", drafts::azotte("order_1")?).await?;
        while world.engine.counters().not_told() == 0 {
            let wait = world.engine.step(|_| std::future::ready(Err(PLANTED.into()))).await?;
            world.providers.clock.advance(wait);
        }
        let clock = Settable::of(&world.providers.clock);
        let of_store = clock.clone();
        let store = Disturbed::over(Memory::with_clock(move || of_store.now()), &clock.world);
        let engine = engine_over(store, world.providers.clone())?;
        for by in [600, 0] {
            engine.step(|_| std::future::ready(Ok(()))).await?;
            clock.set(by);
        }
        Ok(())
    })?;
    let failed = r#"event message=store failed kind="unavailable" error=the database does not answer"#;
    assert_eq!(count(&lines, failed), 1, "{lines:#?}");
    assert_eq!(count(&lines, "event message=news not told"), 1, "{lines:#?}");
    let set = "event message=clock set error=the store's clock was set forward by 600s: nothing is read \
        under a limit for 91s";
    assert_eq!(count(&lines, set), 1, "{lines:#?}");
    assert_eq!(count(&lines, PLANTED), 0, "{lines:#?}");
    Ok(())
}
