//! The metrics: each of them moves, the text and a recorder say the same, and the guide lists all of them.
#![cfg(feature = "metrics")]
#![allow(clippy::disallowed_types, reason = "the facade counts in floats, and no amount is counted")]

mod world;

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Limit,
    Limited, Limits, Memory, New, Nudge, Nudged, Overview, ReadMade, Reserved, Room, SUSPECT, Store,
    StoreError, Target, Unmatched, Write, Written,
};
use checkout_sandbox::allscale;
use checkout_tables::Moment;
use checkout_tables::allscale::Route;
use checkout_transport::{Request, Response, Transport, TransportError};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use world::hooks::Hook;
use world::{Outcome, Providers, World, block_on, drafts, engine_over};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(30);
const REFERENCE: &str = "order0001";
const GUIDE: &str = include_str!("../../../docs/engine.md");

/// What a recorder was told.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// The kind and the meaning, by name.
    described: BTreeMap<String, (&'static str, String)>,
    /// The values of counters and gauges, by series.
    values: BTreeMap<String, f64>,
    /// The times of histograms, by series.
    times: BTreeMap<String, Vec<f64>>,
}

struct Series(Recorder, String);

impl Recorder {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, kind: &'static str, name: &KeyName, help: &SharedString) {
        self.heard().described.insert(name.as_str().to_owned(), (kind, help.to_string()));
    }

    /// The series as the text names the series.
    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}=\"{}\"", label.key(), label.value())).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        Arc::new(Series(self.clone(), format!("{}{labels}", key.name())))
    }

    /// Runs a scene, and hears what becomes of the metrics.
    fn hear(&self, scene: impl Future<Output = Outcome>) -> Outcome {
        metrics::with_local_recorder(self, || block_on(scene))
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe("counter", &name, &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe("gauge", &name, &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe("histogram", &name, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}

#[allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the facade counts in floats")]
impl CounterFn for Series {
    fn increment(&self, by: u64) {
        *self.0.heard().values.entry(self.1.clone()).or_default() += by as f64;
    }

    fn absolute(&self, value: u64) {
        self.0.heard().values.insert(self.1.clone(), value as f64);
    }
}

#[allow(clippy::float_arithmetic, reason = "the facade counts in floats")]
impl GaugeFn for Series {
    fn increment(&self, by: f64) {
        *self.0.heard().values.entry(self.1.clone()).or_default() += by;
    }

    fn decrement(&self, by: f64) {
        *self.0.heard().values.entry(self.1.clone()).or_default() -= by;
    }

    fn set(&self, value: f64) {
        self.0.heard().values.insert(self.1.clone(), value);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.0.heard().times.entry(self.1.clone()).or_default().push(value);
    }
}

/// The series of a text, by name and labels.
fn series(text: &str) -> Outcome<BTreeMap<String, f64>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').ok_or("a line without a value")?;
            Ok((series.to_owned(), value.parse()?))
        })
        .collect()
}

/// The value of one series of a text.
fn value(text: &str, name: &str) -> Outcome<f64> {
    let series = series(text)?;
    Ok(*series.get(&format!("checkout_engine_{name}")).ok_or_else(|| format!("no {name} in {text}"))?)
}

/// Holds a text to what a recorder has heard since the engine began.
fn same(text: &str, heard: &Heard) -> Outcome {
    for (name, value) in series(text)? {
        if name.contains("_bucket{") || name.contains("_sum") {
            continue;
        }
        if let Some((histogram, labels)) = name.split_once("_count") {
            let times = heard.times.get(&format!("{histogram}{labels}")).map_or(0, Vec::len);
            assert_eq!(value.to_string(), times.to_string(), "{name}");
        } else {
            let heard = heard.values.get(&name).copied().unwrap_or_default();
            // The text has milliseconds.
            assert_eq!(format!("{value:.3}"), format!("{heard:.3}"), "{name}");
        }
    }
    Ok(())
}

/// A day of the three providers.
async fn day(world: &World) -> Outcome {
    for (id, draft) in [
        ("a", drafts::allscale("order_a")?),
        ("b", drafts::azotte("order_b")?),
        ("c", drafts::peach("order000c")?),
    ] {
        world.engine.create(id, draft).await?;
    }
    world.play(MINUTE * 60).await
}

#[test]
fn a_recorder_hears_what_the_text_says_and_the_sandboxes_agree() -> Outcome {
    let recorder = Recorder::default();
    recorder.hear(async {
        let world = World::new(1)?;
        day(&world).await?;
        let (text, figures) = (world.engine.counters().text(), world.engine.figures().await?);
        same(&text, &recorder.heard())?;
        same(&figures.text(), &recorder.heard())?;
        // The sandboxes have written down every request.
        let Providers { allscale, azotte, peach, .. } = &world.providers;
        for (provider, requests) in [
            ("allscale", allscale.requests().len()),
            ("azotte", azotte.requests().len()),
            ("peach", peach.requests().len()),
        ] {
            let counted = value(&text, &format!("requests_total{{provider=\"{provider}\"}}"))?;
            assert!(requests > 1);
            assert_eq!(counted.to_string(), requests.to_string(), "{provider}");
        }
        let told = world.told.lock().map_err(|error| error.to_string())?.len();
        assert_eq!(value(&text, "told_total")?.to_string(), told.to_string());
        Ok(())
    })
}

/// Within a request, the lease ends and another process claims the work.
struct Slow(Providers, Arc<Memory>);

impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.0.clock.advance(LEASE);
        let claimed = claim(&self.1, 9).await.map_err(TransportError::not_sent)?;
        assert_eq!(claimed.due.len(), 1);
        self.0.send(request).await
    }
}

/// Claims as a process that dies.
async fn claim(store: &Memory, max: usize) -> Result<Claimed, StoreError> {
    let lanes = ["allscale/default", "azotte/default", "peach/default"].map(str::to_owned);
    store.claim(&Ask { lanes: &lanes, max, lease: LEASE }).await
}

/// Limits that answer with an error.
struct Broken(Make);

type Make = fn() -> StoreError;

impl Limits for Broken {
    async fn room(&self, _: &[Limit<'_>], _: Duration) -> Result<Vec<Room>, StoreError> {
        Err((self.0)())
    }

    async fn reserve(&self, _: Limit<'_>, _: i64, _: Duration) -> Result<Reserved, StoreError> {
        Err((self.0)())
    }

    async fn end(&self, _: Limit<'_>, _: i64, _: ReadMade) -> Result<(), StoreError> {
        Err((self.0)())
    }

    async fn wait(&self, _: &str, _: Duration) -> Result<(), StoreError> {
        Err((self.0)())
    }
}

/// An error of each kind, with the value of the label.
const ERRORS: [(&str, Make); 7] = [
    ("unavailable", || StoreError::Unavailable("away".into())),
    ("newer_schema", || StoreError::NewerSchema { found: 2, known: 1 }),
    ("older_schema", || StoreError::OlderSchema { found: 0, known: 1 }),
    ("rights", || StoreError::Rights("no".into())),
    ("read_only", || StoreError::ReadOnly("full".into())),
    ("corrupt", || StoreError::Corrupt { id: "o".into(), field: "state" }),
    ("settings", || StoreError::Settings("no".into())),
];

#[test]
fn work_moves_its_counters_by_what_became_of_the_work() -> Outcome {
    block_on(async {
        // Claimed, a minute late, and then claimed after a death.
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        world.providers.clock.advance(MINUTE * 5);
        assert_eq!(claim(&world.store, 1).await?.due.len(), 1);
        world.providers.clock.advance(LEASE + SECOND * 2);
        world.step().await?;
        let text = world.engine.counters().text();
        for name in ["claims_total", "taken_over_total", "lag_seconds_count"] {
            assert_eq!(value(&text, &format!("{name}{{provider=\"allscale\"}}"))?.to_string(), "1", "{name}");
            assert_eq!(value(&text, &format!("{name}{{provider=\"azotte\"}}"))?.to_string(), "0", "{name}");
        }
        // The lease ended two seconds ago.
        assert_eq!(value(&text, "lag_seconds_sum{provider=\"allscale\"}")?.to_string(), "2");
        let buckets = ["1", "2.5", "+Inf"].map(|bound| {
            value(&text, &format!("lag_seconds_bucket{{provider=\"allscale\",le=\"{bound}\"}}"))
        });
        let buckets: Vec<String> = buckets.into_iter().map(|n| Ok(n?.to_string())).collect::<Outcome<_>>()?;
        assert_eq!(buckets, ["0", "1", "1"]);
        // The clock of the world is far from the machine's.
        let offset = value(&text, "clock_offset_seconds")?;
        assert!(offset > 3_600.0, "{offset}");

        // The lease ends within the request, and another process has the work.
        let providers = Providers::new(1);
        let clock = providers.clock.clone();
        let store = Arc::new(Memory::with_clock(move || clock.now()));
        let slow = engine_over(Arc::clone(&store), Slow(providers, Arc::clone(&store)))?;
        slow.create("o", drafts::allscale(REFERENCE)?).await?;
        // The write before the send was in time.
        assert_eq!((slow.counters().lost(), slow.counters().writes()), (1, 1));

        // Claimed again and again without a write.
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        for _ in 0..SUSPECT * 2 {
            world.providers.clock.advance(MINUTE * 5);
            assert_eq!(claim(&world.store, 1).await?.due.len(), 1);
        }
        world.providers.clock.advance(MINUTE);
        world.step().await?;
        let counters = world.engine.counters();
        assert_eq!((counters.quarantined(), counters.holds()), (1, 1));
        assert_eq!(world.engine.figures().await?.held, 1);

        // A hold of another kind is no quarantine.
        let world = World::new(1)?;
        world.providers.allscale.next_intent(allscale::Scenario::underpaid());
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        world.play(MINUTE * 60).await?;
        let counters = world.engine.counters();
        assert_eq!((counters.quarantined(), counters.holds()), (0, 1));

        // The provider asks the merchant to wait.
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        assert_eq!(world.engine.counters().limit_waits(), 0);
        world.providers.allscale.inject_on(Route::Status, allscale::Fault::RateLimited);
        world.play(MINUTE * 60).await?;
        assert_eq!(world.engine.counters().limit_waits(), 1);
        Ok(())
    })
}

#[test]
fn nudges_webhooks_news_and_errors_move_their_counters() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        let count = |text: &str| value(text, "nudge_lag_seconds_count{provider=\"allscale\"}");
        // A read that nobody asked for is no nudge.
        world.play(SECOND * 30).await?;
        assert!(world.engine.counters().requests() > 1);
        assert_eq!(count(&world.engine.counters().text())?.to_string(), "0");
        world.providers.clock.advance(MINUTE);
        assert!(matches!(world.engine.nudge("o").await?, Nudged::Queued { .. }));
        world.providers.clock.advance(SECOND * 3);
        world.step().await?;
        let text = world.engine.counters().text();
        assert_eq!(count(&text)?.to_string(), "1");
        let sum = value(&text, "nudge_lag_seconds_sum{provider=\"allscale\"}")?;
        assert!((3.0..64.0).contains(&sum), "{sum}");

        world.providers.clock.advance(MINUTE * 5);
        let now = world.providers.clock.now();
        for hook in world.providers.allscale.take_webhooks() {
            Hook::AllScale(hook).verified(now, 0)?.receive(&world.engine).await?;
        }
        let text = world.engine.counters().text();
        let webhooks = value(&text, "webhooks_total{provider=\"allscale\"}")?;
        assert_eq!(webhooks.to_string(), world.engine.counters().webhooks().to_string());
        assert!(world.engine.counters().webhooks() > 0, "no webhook came");

        // The shop fails at first.
        let mut steps = 0;
        while world.engine.counters().not_told() == 0 {
            steps += 1;
            assert!(steps < 1_000, "no news came");
            let wait = world.engine.step(|_| std::future::ready(Err("no shop".into()))).await?;
            world.providers.clock.advance(wait);
        }
        assert_eq!((world.engine.counters().not_told(), world.engine.counters().told()), (1, 0));
        world.providers.clock.advance(MINUTE * 60);
        world.play(MINUTE).await?;
        assert_eq!((world.engine.counters().not_told(), world.engine.counters().told()), (1, 1));
        assert_eq!(world.engine.counters().errors(), 0, "the shop's error is none of the store");

        for (kind, error) in ERRORS {
            let store = Arc::new(Memory::new());
            let before = engine_over(Arc::clone(&store), Providers::new(1))?;
            before.create("o", drafts::peach("order0001")?).await?;
            before.nudge("o").await?;
            let engine = engine_over(Limited::new(store, Broken(error)), Providers::new(1))?;
            let outcome = engine.step(|_| std::future::ready(Ok(()))).await;
            assert!(outcome.is_err());
            let text = engine.counters().text();
            let name = format!("errors_total{{kind=\"{kind}\"}}");
            assert_eq!(value(&text, &name)?.to_string(), "1", "{kind}");
            assert_eq!(engine.counters().errors(), 1);
        }
        Ok(())
    })
}

#[test]
fn the_figures_move_and_are_given_to_the_recorder() -> Outcome {
    let recorder = Recorder::default();
    recorder.hear(async {
        let world = World::new(1)?;
        let figures = async || -> Outcome<Figures> {
            let figures = world.engine.figures().await?;
            same(&figures.text(), &recorder.heard())?;
            Ok(figures)
        };
        let none = Figures { waiting: Some(0), limit_used: Some(0), ..Figures::default() };
        assert_eq!(figures().await?, none);
        // Peach allows two reads a minute.
        for (id, reference) in [("a", "order000a"), ("b", "order000b"), ("c", "order000c")] {
            world.engine.create(id, drafts::peach(reference)?).await?;
        }
        world.providers.clock.advance(MINUTE * 5);
        let late = figures().await?;
        assert_eq!((late.work, late.leased, late.waiting), (3, 0, Some(0)));
        assert!(late.oldest_due > MINUTE && late.oldest_due < MINUTE * 5, "{late:?}");
        assert_eq!(claim(&world.store, 9).await?.due.len(), 2);
        let limited = figures().await?;
        assert_eq!((limited.work, limited.leased, limited.waiting), (3, 2, Some(1)));
        assert_eq!(limited.limit_used, Some(2));
        let target = Target::Named { lane: "peach/default", checkout_id: Some("nobody"), reference: None };
        world.store.nudge(&Nudge { target, event: &[] }).await?;
        assert_eq!(figures().await?.unmatched, 1);
        world.providers.allscale.next_intent(allscale::Scenario::underpaid());
        world.engine.create("d", drafts::allscale("order000d")?).await?;
        // Nobody takes the news, each of which waits to be told again.
        for _ in 0..1_000 {
            let wait = world.engine.step(|_| std::future::ready(Err("no shop".into()))).await?;
            world.providers.clock.advance(wait.min(MINUTE));
            if figures().await?.held == 1 {
                break;
            }
        }
        let waits = figures().await?;
        assert_eq!(waits.held, 1);
        assert!(waits.news > 0);
        Ok(())
    })
}

/// A store in memory, with the dead rows and the age of a transaction that a database would say.
struct Database {
    store: Memory,
    says: Mutex<Option<(u64, Duration)>>,
}

impl Store for Database {
    async fn figures(&self) -> Result<Figures, StoreError> {
        let says = *self.says.lock().unwrap_or_else(PoisonError::into_inner);
        let (dead_rows, oldest_transaction) = says.unzip();
        Ok(Figures { dead_rows, oldest_transaction, ..self.store.figures().await? })
    }
    async fn now(&self) -> Result<Moment, StoreError> {
        self.store.now().await
    }
    async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
        self.store.lanes(lanes).await
    }
    async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
        self.store.insert(new).await
    }
    async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
        self.store.claim(ask).await
    }
    async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
        self.store.write(lease, write).await
    }
    async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
        self.store.nudge(nudge).await
    }
    async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
        self.store.decide(decision).await
    }
    async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
        self.store.claim_news(max, lease).await
    }
    async fn news_told(&self, key: &str, fence: i64, again: Option<Duration>) -> Result<Written, StoreError> {
        self.store.news_told(key, fence, again).await
    }
    async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
        self.store.checkout(id).await
    }
    async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
        self.store.overview(filter).await
    }
    async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
        self.store.unmatched(after, most).await
    }
    async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
        self.store.decisions(id).await
    }
    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.store.sweep(max).await
    }
}

#[test]
fn the_figures_of_a_database_move_where_the_store_knows_them() -> Outcome {
    const NAMES: [&str; 2] = ["dead_rows", "oldest_transaction_seconds"];
    let recorder = Recorder::default();
    recorder.hear(async {
        let store = Arc::new(Database { store: Memory::new(), says: Mutex::default() });
        let engine = engine_over(Arc::clone(&store), Providers::new(1))?;
        let text = engine.figures().await?.text();
        for name in NAMES {
            assert!(!text.contains(name), "{text}");
            assert!(!recorder.heard().values.contains_key(&format!("checkout_engine_{name}")), "{name}");
        }
        for (rows, age, shown) in [(7, MINUTE * 2, ["7", "120"]), (3, Duration::ZERO, ["3", "0"])] {
            *store.says.lock().unwrap_or_else(PoisonError::into_inner) = Some((rows, age));
            let text = engine.figures().await?.text();
            for (name, shown) in NAMES.into_iter().zip(shown) {
                assert_eq!(value(&text, name)?.to_string(), shown, "{name}");
            }
            same(&text, &recorder.heard())?;
        }
        Ok(())
    })
}

/// The names, kinds and meanings of a text.
fn headed(text: &str) -> Outcome<BTreeMap<String, (String, String)>> {
    let mut heads = BTreeMap::new();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("# ")).collect();
    for pair in lines.chunks(2) {
        let [help, kind] = pair else { return Err("a head without a kind".into()) };
        let help = help.strip_prefix("# HELP ").and_then(|help| help.split_once(' ')).ok_or("no help")?;
        let kind = kind.strip_prefix("# TYPE ").and_then(|kind| kind.split_once(' ')).ok_or("no kind")?;
        assert_eq!(help.0, kind.0);
        heads.insert(help.0.to_owned(), (kind.1.to_owned(), help.1.to_owned()));
    }
    Ok(heads)
}

#[test]
fn text_recorder_and_guide_have_the_same_metrics() -> Outcome {
    let recorder = Recorder::default();
    recorder.hear(async {
        let world = World::new(1)?;
        // The store in memory does not know the figures of a database.
        let (dead_rows, oldest_transaction) = (Some(0), Some(Duration::ZERO));
        let figures = Figures { dead_rows, oldest_transaction, ..world.engine.figures().await? };
        let text = format!("{}{}", world.engine.counters().text(), figures.text());
        let heads = headed(&text)?;
        let described: BTreeMap<String, (String, String)> = recorder
            .heard()
            .described
            .iter()
            .map(|(name, (kind, help))| (name.clone(), ((*kind).to_owned(), help.clone())))
            .collect();
        assert_eq!(heads, described);
        let series = series(&text)?;
        let mut rows = BTreeSet::new();
        for (name, (kind, help)) in heads {
            let of = |label: &str| {
                let labelled = format!("{{{label}=\"");
                series.keys().any(|one| one.starts_with(&name) && one.contains(&labelled))
            };
            let label = ["provider", "kind"].into_iter().find(|label| of(label));
            let label = label.map(|label| format!(", by `{label}`")).unwrap_or_default();
            let name = name.strip_prefix("checkout_engine_").ok_or("no prefix")?;
            rows.insert(format!("| `{name}` | {kind}{label} | {help} |"));
        }
        let section = GUIDE.split("## What to watch").nth(1).and_then(|rest| rest.split("\n## ").next());
        let section = section.ok_or("the guide has no such section")?;
        let listed: BTreeSet<String> = section
            .lines()
            .filter(|line| {
                ["counter", "gauge", "histogram"].iter().any(|kind| line.contains(&format!("` | {kind}")))
            })
            .map(str::to_owned)
            .collect();
        assert_eq!(listed, rows);
        Ok(())
    })
}
