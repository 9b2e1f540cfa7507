//! A panic of the program's own code ends nothing but what it was called for, and its text is not shown.
#![allow(clippy::panic, reason = "what these tests are about")]

mod world;

use checkout_engine::{Engine, EngineError, Memory, News, State, Store};
use checkout_transport::{Request, Response, Transport, TransportError};
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::yield_now;
use world::{Outcome, Providers, block_on, builder_over, drafts};

const HOUR: Duration = Duration::from_secs(60 * 60);
const SECRET: &str = "4111111111111111";

/// The providers, behind a transport that panics so many times.
struct Shaky {
    providers: Providers,
    panics: AtomicU32,
    sent: AtomicU32,
}

impl Transport for Shaky {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let left = self.panics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            panic!("{SECRET}");
        }
        yield_now().await;
        self.providers.send(request).await
    }
}

/// All that an error shows, of its sources too.
fn shown(error: &EngineError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} {cause} {cause:?}");
        source = cause.source();
    }
    text
}

/// What `on_error` heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hear(&self, error: &EngineError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(shown(error));
    }
}

struct Scene {
    providers: Providers,
    store: Arc<Memory>,
    shaky: Arc<Shaky>,
    heard: Heard,
    engine: Engine<Arc<Memory>, Arc<Shaky>>,
}

impl Scene {
    fn new() -> Outcome<Self> {
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Memory::with_clock(move || clock.now()));
        let shaky =
            Shaky { providers: providers.clone(), panics: AtomicU32::new(0), sent: AtomicU32::new(0) };
        let (shaky, heard) = (Arc::new(shaky), Heard::default());
        let hears = heard.clone();
        let engine = builder_over(Arc::clone(&store), Arc::clone(&shaky))?;
        let engine = engine.on_error(move |error| hears.hear(error)).build()?;
        Ok(Self { providers, store, shaky, heard, engine })
    }

    /// Settles checkouts, and tells nobody: the news is due.
    async fn settle(&self, ids: &[&str]) -> Outcome {
        for id in ids {
            self.engine.create(id, drafts::azotte(id)?).await?;
        }
        let refuses = |_| async { Err("not now".into()) };
        for _ in 0..1_000 {
            self.providers.clock.advance(self.engine.step(refuses).await?);
            let mut open = 0;
            for id in ids {
                open += u32::from(self.store.checkout(id).await?.is_some_and(|row| !row.state.is_end()));
            }
            if open == 0 {
                self.providers.clock.advance(HOUR);
                self.heard.0.lock().map_err(|error| error.to_string())?.clear();
                return Ok(());
            }
        }
        Err("no end".into())
    }
}

#[test]
fn a_panic_of_the_transport_ends_no_other_read() -> Outcome {
    block_on(async {
        let scene = Scene::new()?;
        for id in ["a", "b", "c"] {
            scene.engine.create(id, drafts::allscale(id)?).await?;
        }
        scene.engine.create("p", drafts::peach("order0001")?).await?;
        scene.providers.clock.advance(HOUR);
        scene.shaky.sent.store(0, Ordering::Relaxed);
        // The first read, whichever it is.
        scene.shaky.panics.store(1, Ordering::Relaxed);
        let writes = scene.engine.counters().writes();
        let stop = async {
            while scene.shaky.sent.load(Ordering::Relaxed) < 4 {
                yield_now().await;
            }
        };
        scene.engine.run(|_| async { Ok(()) }, stop).await;
        let (counters, figures) = (scene.engine.counters(), scene.engine.figures().await?);
        assert_eq!((counters.panics(), counters.writes() - writes, figures.leased), (1, 4, 0));
        let heard = scene.heard.all();
        assert!(heard.len() == 1 && heard[0].starts_with("the transport panicked"), "{heard:?}");
        assert!(!heard[0].contains(SECRET), "{heard:?}");
        // All go on to their ends.
        for _ in 0..1_000 {
            let wait = scene.engine.step(|_| async { Ok(()) }).await?;
            scene.providers.clock.advance(wait);
        }
        for id in ["a", "b", "c", "p"] {
            let row = scene.store.checkout(id).await?.ok_or("no such checkout")?;
            assert_eq!((row.state, row.hold), (State::Settled, None), "{id}");
        }
        Ok(())
    })
}

/// A read of Peach's may have been sent, and so has its place under the limit.
#[test]
fn a_read_whose_transport_panics_has_its_place_under_the_limit() -> Outcome {
    block_on(async {
        let scene = Scene::new()?;
        scene.engine.create("p", drafts::peach("order0001")?).await?;
        scene.providers.clock.advance(HOUR);
        scene.shaky.panics.store(1, Ordering::Relaxed);
        scene.engine.step(|_| async { Ok(()) }).await?;
        assert_eq!(scene.engine.counters().panics(), 1);
        assert_eq!(scene.engine.figures().await?.limit_used, Some(1));
        Ok(())
    })
}

#[test]
fn a_panic_of_the_shops_function_ends_no_other_telling_and_the_news_is_told_again() -> Outcome {
    block_on(async {
        let scene = Scene::new()?;
        scene.settle(&["a", "b", "c"]).await?;
        let told: Mutex<Vec<String>> = Mutex::default();
        let all = Notify::new();
        let failed = scene.engine.counters().not_told();
        // One panics when it is called, one when it is awaited, and one is told.
        let tell = |news: News| {
            assert!(news.id != "a", "{SECRET}");
            let (told, all) = (&told, &all);
            async move {
                yield_now().await;
                assert!(news.id != "b", "{SECRET}");
                told.lock().map_err(|error| error.to_string())?.push(news.key);
                all.notify_one();
                Ok(())
            }
        };
        scene.engine.run(tell, all.notified()).await;
        let counters = scene.engine.counters();
        assert_eq!((counters.panics(), counters.not_told() - failed, counters.told()), (2, 2, 1));
        let heard = scene.heard.all();
        assert!(heard.len() == 2 && heard.iter().all(|text| !text.contains(SECRET)), "{heard:?}");
        assert!(heard.iter().all(|text| text.contains("was not taken") && text.contains("it panicked")));
        // Not at once, and under the same keys.
        let tells = |news: News| {
            let told = &told;
            async move {
                told.lock().map_err(|error| error.to_string())?.push(news.key);
                Ok(())
            }
        };
        scene.engine.step(tells).await?;
        assert_eq!(scene.engine.figures().await?.news, 2);
        scene.providers.clock.advance(HOUR);
        scene.engine.step(tells).await?;
        let mut told = told.into_inner().map_err(|error| error.to_string())?;
        told[1..].sort_unstable();
        assert_eq!(told, ["c/settled", "a/settled", "b/settled"]);
        Ok(())
    })
}

#[test]
fn a_panic_of_on_error_ends_nothing() -> Outcome {
    block_on(async {
        let scene = Scene::new()?;
        scene.settle(&["a"]).await?;
        let engine = builder_over(Arc::clone(&scene.store), Arc::clone(&scene.shaky))?;
        let engine = engine.on_error(|_| panic!("{SECRET}")).build()?;
        let stop = async {
            while engine.counters().panics() == 0 {
                yield_now().await;
            }
        };
        engine.run(|_| async { Err("not now".into()) }, stop).await;
        assert_eq!((engine.counters().panics(), engine.counters().not_told()), (1, 1));
        // The news has its pause all the same.
        assert!(scene.store.claim_news(9, HOUR).await?.is_empty());
        assert_eq!(engine.figures().await?.news, 1);
        Ok(())
    })
}

/// A transport that keeps its thread for so long that another process takes the read over.
struct Blocks(Arc<Scene>);

impl Transport for Blocks {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        // A minute in which this thread does nothing else.
        self.0.providers.clock.advance(Duration::from_secs(60));
        self.0.engine.step(|_| async { Ok(()) }).await.map_err(TransportError::unknown)?;
        self.0.providers.send(request).await
    }
}

#[test]
fn a_transport_that_outlasts_the_lease_loses_its_write_and_doubles_nothing() -> Outcome {
    block_on(async {
        let scene = Arc::new(Scene::new()?);
        scene.engine.create("o", drafts::allscale("order0001")?).await?;
        scene.providers.clock.advance(HOUR);
        let blocks = builder_over(Arc::clone(&scene.store), Blocks(Arc::clone(&scene)))?.build()?;
        blocks.step(|_| async { Ok(()) }).await?;
        assert_eq!((blocks.counters().lost(), blocks.counters().writes()), (1, 0));
        Ok(())
    })
}

/// A recorder that knows no series.
#[cfg(feature = "metrics")]
struct Broken(Arc<AtomicU32>);

#[cfg(feature = "metrics")]
mod recorder {
    use super::{Broken, Ordering, SECRET};
    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    impl Broken {
        fn panics(&self) -> ! {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("{SECRET}")
        }
    }

    impl Recorder for Broken {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            self.panics()
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            self.panics()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            self.panics()
        }
    }
}

#[cfg(feature = "metrics")]
#[test]
fn a_recorder_that_panics_costs_its_numbers_and_nothing_else() -> Outcome {
    let panics = Arc::new(AtomicU32::new(0));
    metrics::with_local_recorder(&Broken(Arc::clone(&panics)), || {
        block_on(async {
            let scene = Scene::new()?;
            scene.settle(&["a"]).await?;
            scene.engine.figures().await?;
            assert!(panics.load(Ordering::Relaxed) > 0);
            // The engine's own counters go on.
            let counters = scene.engine.counters();
            assert!(counters.requests() > 1 && counters.writes() > 1);
            assert_eq!(counters.panics(), 0, "no work has panicked");
            Ok(())
        })
    })
}
