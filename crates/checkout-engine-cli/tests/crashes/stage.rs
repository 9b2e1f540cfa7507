//! A world whose time stands until the test moves it. The provider, the store and the limits have the same
//! time, so each step of a case is the test's own, and no case waits for a lease.

use super::limits::Place;
use super::orders::Order;
use super::points::{Case, Dying, Points};
use super::shop::{Database, open_postgres, open_sqlite};
use super::weather::{BEGINNING, Folder, Keys, VARIABLE, Weather, prepare};
use super::{Outcome, Process, Turn, hooks, start, worker};
use checkout_client::PollPolicy;
use checkout_engine::{Builder, Engine, News, Provider, Rules, Store};
use checkout_reqwest::Reqwest;
use checkout_sandbox_server::{RunningServer, Server, World};
use checkout_store_postgres::deadpool_postgres::tokio_postgres::{Client, NoTls, connect};
use checkout_tables::{Environment, Moment};
use checkout_transport::Transport;
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpSocket;

/// The settings of a process on a stage: its act, the file of the clock, the place of the limits.
const STAGE: &str = "CHECKOUT_CRASH_STAGE";
/// The database that a process without a stage opens.
pub(crate) const OPENED: &str = "CHECKOUT_CRASH_OPENED";
pub(crate) const MERCHANT: &str = "m-0";
pub(crate) const LEASE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// So many stages are played at once.
const AT_ONCE: usize = 4;
/// A process that has not died for so long has not reached its point.
const PATIENCE: Duration = Duration::from_secs(60);

/// The test that is the work of a process.
pub(crate) const PROCESS: &str = "stage::process_on_the_stage";

/// Something that is played over any store.
pub(crate) trait Scene {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome;
}

/// One merchant with its store.
pub(crate) struct Stage {
    pub(crate) weather: Weather,
    /// The world; none in the process that dies.
    world: Option<Arc<World>>,
    clock: PathBuf,
    pub(crate) limits: Place,
    /// Keeps the port of the receivers.
    _port: Option<TcpSocket>,
}

impl Stage {
    async fn new(server: &RunningServer, setting: &Setting, database: Database, name: &str) -> Outcome<Self> {
        let world = server.fork("default", &name.replace('_', "-"))?;
        let mut weather = Weather::begin(database, server.urls().root(), 0, &[]).set_times(0, &[]);
        weather.keys = vec![Keys::of(&world)];
        let mut place = None;
        if setting.has_webhooks {
            let socket = hooks::place(0)?;
            weather.port = socket.local_addr()?.port();
            for provider in ["allscale", "peach"] {
                world.add_endpoint(provider, &format!("http://127.0.0.1:{}/0/{provider}", weather.port))?;
            }
            place = Some(socket);
        }
        let clock = setting.folder.path(&format!("{name}.clock"));
        let limits = setting.limits.another(name, clock.clone()).await?;
        let stage = Self { weather, world: Some(world), clock, limits, _port: place };
        prepare(&stage.weather).await?;
        stage.set_clocks().await?;
        stage.limits.begin().await?;
        Ok(stage)
    }

    /// The stage of this process, and its act.
    fn of_this_process() -> Outcome<Option<(String, Self)>> {
        let (Some(weather), Ok(text)) = (Weather::of_this_process()?, std::env::var(STAGE)) else {
            return Ok(None);
        };
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or("a line is missing");
        let (act, clock, limits) = (line()?.to_owned(), line()?.into(), Place::of_text(line()?)?);
        Ok(Some((act, Self { weather, world: None, clock, limits, _port: None })))
    }

    pub(crate) fn world(&self) -> Outcome<&World> {
        self.world.as_deref().ok_or_else(|| "the world is the test's".into())
    }

    /// A clock that reads the file of the stage.
    pub(crate) fn clock(&self) -> impl Fn() -> Moment + Send + Sync + 'static + use<> {
        let path = self.clock.clone();
        move || {
            let millis = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok());
            Moment::from_unix_millis(millis.unwrap_or(BEGINNING))
        }
    }

    /// Sets the clocks of the store and of the limits to the world's time.
    async fn set_clocks(&self) -> Outcome {
        let now = self.world()?.now().unix_millis();
        let new = self.clock.with_extension("new");
        fs::write(&new, now.to_string())?;
        fs::rename(new, &self.clock)?;
        if let Database::Postgres { schema, .. } = &self.weather.database {
            let set = format!(
                "CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS \
                 $$ SELECT {now}::bigint $$"
            );
            self.client().await?.batch_execute(&set).await?;
        }
        self.limits.set_clock(now).await
    }

    /// Lets time pass, with the webhooks of that time.
    pub(crate) async fn pass(&self, span: Duration) -> Outcome {
        self.world()?.step(span).await;
        self.set_clocks().await
    }

    /// A connection beside those of the stores.
    pub(crate) async fn client(&self) -> Outcome<Client> {
        let Database::Postgres { url, .. } = &self.weather.database else { return Err("no server".into()) };
        let (client, connection) = connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Plays a scene over the store of the stage.
    pub(crate) async fn play(&self, scene: &impl Scene) -> Outcome {
        match &self.weather.database {
            Database::Sqlite(path) => scene.play(self, open_sqlite(path, self.clock())?).await,
            Database::Postgres { url, schema } => {
                let store = open_postgres(url, schema, false).await?;
                scene.play(self, super::fast::Fast(store, 0)).await
            }
        }
    }

    /// Begins an engine that reads nothing by itself for a day: webhooks, persons and the shop lead to reads.
    pub(crate) fn engine<S: Store + 'static, T: Transport + 'static>(
        &self,
        store: S,
        transport: T,
    ) -> Outcome<Builder<S, T>> {
        let mut rules = Rules::default();
        for (provider, mut policy) in
            [(Provider::AllScale, PollPolicy::allscale()), (Provider::Peach, PollPolicy::peach())]
        {
            (policy.initial_wait, policy.deadline) = (DAY, DAY.saturating_mul(7));
            rules.poll.insert(provider, policy);
        }
        let keys = self.weather.keys.first().ok_or("no keys")?;
        let (sandbox, url) = (Environment::Sandbox, &self.weather.url);
        let key = checkout_auth::allscale::SigningKey::new(
            keys.allscale_api_key.clone(),
            keys.allscale_api_secret.as_str().into(),
        )?;
        let allscale = checkout_client::allscale::Client::builder(key).environment(sandbox).base_url(url);
        let token = checkout_auth::peach::SecretToken::new(keys.peach_secret_token.as_str().into())?;
        let peach = checkout_client::peach::Client::builder(keys.peach_entity_id.clone(), token);
        let peach = peach.environment(sandbox).referer("https://shop.example").base_url(url);
        let builder = Engine::builder(store, transport).rules(rules).lease(LEASE);
        Ok(builder.merchant(MERCHANT, allscale.build()?).merchant(MERCHANT, peach.build()?))
    }

    /// The engine of a process that goes on.
    pub(crate) fn survivor<S: Store + 'static>(&self, store: S) -> Outcome<Engine<S, Reqwest>> {
        Ok(self.engine(store, worker::transport(Duration::from_secs(5))?)?.build()?)
    }

    /// Places an order.
    pub(crate) async fn place<S: Store + 'static, T: Transport + 'static>(
        &self,
        engine: &Engine<S, T>,
        order: &Order,
    ) -> Outcome {
        let entity = self.weather.keys.first().map_or("", |keys| keys.peach_entity_id.as_str());
        engine.create_for(MERCHANT, &order.id, order.draft(entity)?).await?;
        Ok(())
    }

    /// The reads that the provider has seen.
    pub(crate) fn reads(&self) -> Outcome<u64> {
        Ok(self.world()?.verdict().looked_at.reads)
    }

    /// Starts a process with an act, which dies at the point of the case.
    pub(crate) fn start(&self, act: &str, case: Option<&Case>) -> Outcome<Process> {
        start(PROCESS, &self.variables(act, case), None)
    }

    /// Starts a process with an act, which dies when a file of its grows over so many blocks.
    pub(crate) fn start_within(&self, act: &str, blocks: u64) -> Outcome<Process> {
        start(PROCESS, &self.variables(act, None), Some(blocks))
    }

    fn variables(&self, act: &str, case: Option<&Case>) -> Vec<(&'static str, String)> {
        let settings = format!("{act}\n{}\n{}", self.clock.display(), self.limits.text());
        let mut variables = vec![(VARIABLE, self.weather.text()), (STAGE, settings)];
        variables.extend(case.map(|case| (super::points::VARIABLE, case.text())));
        variables
    }

    /// Waits until a process has died by a signal.
    pub(crate) async fn death(&self, process: Process) -> Outcome {
        super::death(process, PATIENCE).await
    }

    async fn clear(&self) -> Outcome {
        self.limits.clear().await?;
        self.weather.clear().await
    }
}

/// The news that the shop was told: how often, by the key.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<BTreeMap<String, u32>>>);

impl Told {
    pub(crate) fn get(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what is due now, until nothing is.
    pub(crate) async fn work<S: Store + 'static, T: Transport + 'static>(
        &self,
        engine: &Engine<S, T>,
    ) -> Outcome {
        for _ in 0..100 {
            let tell = |news: News| {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(news.key).or_insert(0) += 1;
                std::future::ready(Ok::<(), Box<dyn Error + Send + Sync>>(()))
            };
            if engine.step(tell).await? > Duration::ZERO {
                return Ok(());
            }
        }
        Err("there is always something due".into())
    }
}

/// The work of a process on a stage. Without the variables it does nothing.
#[test]
fn process_on_the_stage() -> Outcome {
    let case = Case::of_this_process()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Ok(database) = std::env::var(OPENED) {
        return runtime.block_on(super::migrate::open(&Database::of_text(&database)?, &case));
    }
    let Some((act, stage)) = Stage::of_this_process()? else { return Ok(()) };
    runtime.block_on(stage.play(&Act { name: &act, case }))
}

/// An act of a process that dies or stands still.
struct Act<'a> {
    name: &'a str,
    case: Case,
}

impl Scene for Act<'_> {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let case = &self.case;
        let store = Points { inner: store, case: case.clone() };
        let transport = Dying { inner: worker::transport(Duration::from_secs(5))?, case: case.clone() };
        match self.name {
            "receive" => hooks::receive(&stage.weather, stage.engine(store, transport)?.build()?).await,
            "decide" => super::scenes::decide(&store).await.map(drop),
            "read" => super::limits::read(stage, store, transport, case).await,
            "work" => super::limits::work(stage, store, transport).await,
            "stand still" => super::zombies::stand_still(stage, store, transport, case).await,
            name => Err(format!("no act {name}").into()),
        }
    }
}

/// The setting of the stages of one scene.
pub(crate) struct Setting {
    folder: Folder,
    limits: Place,
    has_webhooks: bool,
}

impl Setting {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let folder = Folder::new(&format!("crashes-{name}"))?;
        Ok(Self { folder, limits: Place::Nowhere, has_webhooks: false })
    }

    /// The webhooks come to the port of each stage.
    pub(crate) fn webhooks(self) -> Self {
        Self { has_webhooks: true, ..self }
    }

    pub(crate) fn limits(self, limits: Place) -> Self {
        Self { limits, ..self }
    }

    /// Plays the scene of each case over SQLite, and over PostgreSQL where there is a server, each on a stage
    /// of its own.
    pub(crate) fn play<A: Scene>(&self, name: &str, cases: &[Case], scene: impl Fn(Case) -> A) -> Outcome {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut databases = vec![None];
        match std::env::var("CHECKOUT_TEST_POSTGRES") {
            Ok(url) => databases.push(Some(url)),
            Err(_) => println!("not run over PostgreSQL: CHECKOUT_TEST_POSTGRES is not set"),
        }
        runtime.block_on(async {
            let beginning = Moment::from_unix_millis(BEGINNING);
            let server = Server::builder().port(0).frozen_at(beginning).bind().await?;
            let plays =
                databases.iter().flat_map(|url| cases.iter().map(move |case| (url, case))).enumerate();
            let (server, scene) = (&server, &scene);
            let faults: Vec<String> = stream::iter(plays)
                .map(async |(number, (url, case))| {
                    let name = format!("{name}_{}_{number}", std::process::id());
                    let database = match url {
                        Some(url) => {
                            Database::Postgres { url: url.clone(), schema: format!("checkout_{name}") }
                        }
                        None => Database::Sqlite(self.folder.path(&format!("{name}.db"))),
                    };
                    let of = if url.is_some() { "PostgreSQL" } else { "SQLite" };
                    let played = async {
                        let _turn = Turn::wait(url.is_some()).await?;
                        let stage = Stage::new(server, self, database, &name).await?;
                        let played = stage.play(&scene(case.clone())).await;
                        let cleared = stage.clear().await;
                        played.and(cleared)
                    };
                    played.await.err().map(|error| format!("{} over {of}: {error}", case.text()))
                })
                .buffer_unordered(AT_ONCE)
                .filter_map(std::future::ready)
                .collect()
                .await;
            if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
        })
    }
}
