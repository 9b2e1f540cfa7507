//! The server: start, connections, end.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::clock::{Pace, Start};
use crate::engine::Engine;
use crate::hosts::Hosts;
use crate::journal::{Journal, Row};
use crate::making::WorldError;
use crate::place::{Api, Place};
use crate::seed_file::SeedFile;
use crate::shared::Shared;
use crate::urls::Urls;
use crate::webhooks::content::Provider;
use crate::webhooks::target::Targets;
use crate::wire::{Lent, Plan};
use crate::world::World;
use crate::worlds::Worlds;
use crate::{
    about, admin, courier, faults, forward, intake, machine, making, own, pages, problem, replay, seed_file,
    wire,
};

/// The sandboxes as a server. A server begins with a [builder](Self::builder).
#[derive(Clone, Copy, Debug)]
pub struct Server;

impl Server {
    /// A builder, for a server on a free port of this machine.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox_server::{Pace, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder().bind().await?;
    /// let world = server.default_world();
    /// world.set_pace(Pace::Frozen);
    /// let before = world.now();
    /// world.advance(Duration::from_secs(60));
    /// assert_eq!(world.now().saturating_since(before), Duration::from_secs(60));
    /// server.shutdown().await;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> Builder {
        Builder {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            seed: 1,
            public_url: None,
            split_ports: false,
            start: Start::default(),
            targets: Vec::new(),
            faults: Vec::new(),
            autopay: None,
            data: None,
            seed_file: None,
            engine: None,
        }
    }
}

/// The settings of a server.
///
/// ```
/// use checkout_sandbox_server::Server;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().seed(7).split_ports().bind().await?;
/// assert_ne!(server.urls().allscale(), server.urls().azotte());
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    host: IpAddr,
    port: u16,
    seed: u64,
    public_url: Option<String>,
    split_ports: bool,
    start: Start,
    targets: Vec<String>,
    faults: Vec<String>,
    autopay: Option<Duration>,
    data: Option<PathBuf>,
    seed_file: Option<String>,
    engine: Option<Engine>,
}

impl Builder {
    /// Sets the address to listen on. The default is 127.0.0.1.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Sets the port. The default is 0, which is a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the seed of the default world, from which all ids follow. The default is 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the address under which others reach the server: `http` or `https`, a host, and a port and a path
    /// if need be. All addresses that the server tells are below this address, and a request may name its
    /// host.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Gives each API a port of its own: the four ports after the server's port, or free ports if that port
    /// is 0.
    pub fn split_ports(mut self) -> Self {
        self.split_ports = true;
        self
    }

    /// Lets webhooks go to this host. Without this call webhooks go to this machine alone.
    pub fn allow_target(mut self, host: impl Into<String>) -> Self {
        self.targets.push(host.into());
        self
    }

    /// Lets requests of the default world go wrong, from the beginning and after each reset. The rule is a
    /// line: the provider, a colon, the name of the fault, and then `key=value` after semicolons.
    ///
    /// ```
    /// use checkout_sandbox_server::Server;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder().fault("allscale:lost_answer; route=create; nth=2").bind().await?;
    /// let wrong = Server::builder().fault("allscale:lost; route=create").bind().await;
    /// assert!(wrong.is_err());
    /// # Ok(()) }
    /// ```
    pub fn fault(mut self, rule: impl Into<String>) -> Self {
        self.faults.push(rule.into());
        self
    }

    /// Lets each new checkout of the default world be paid by itself after this time of the world's clock,
    /// unless somebody has chosen a scenario.
    pub fn autopay(mut self, after: Duration) -> Self {
        self.autopay = Some(after);
        self
    }

    /// Lets the default world begin at `moment`, with a clock that stands still.
    pub fn frozen_at(mut self, moment: Moment) -> Self {
        self.start = Start { pace: Pace::Frozen, at: Some(moment) };
        self
    }

    /// Keeps the state in a file, over restarts: all worlds with their checkouts, webhooks and clocks. The
    /// file is made if there is none. A file that is there says the seed and the beginning of the default
    /// world.
    ///
    /// A change by a sandbox of a [`World`] itself, as `world.allscale().inject(…)`, is not kept.
    ///
    /// ```
    /// use checkout_sandbox_server::{Pace, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let path = std::env::temp_dir().join(format!("checkout-sandbox-example-{}", std::process::id()));
    /// let server = Server::builder().data(&path).bind().await?;
    /// server.default_world().set_pace(Pace::Frozen);
    /// let then = server.default_world().now();
    /// server.shutdown().await;
    ///
    /// let server = Server::builder().data(&path).bind().await?;
    /// assert_eq!(server.default_world().now(), then);
    /// server.shutdown().await;
    /// std::fs::remove_file(path)?;
    /// # Ok(()) }
    /// ```
    pub fn data(mut self, path: impl Into<PathBuf>) -> Self {
        self.data = Some(path.into());
        self
    }

    /// Plays the requests of a seed file at the start. `text` is JSON: an object with a list `requests`, each
    /// request with `post`, `put` or `delete`, which is the path of an admin route, and with the `body`. A
    /// member `//` is a comment. [`World::reset`] plays the requests about the world again, but for the
    /// endpoints, which a reset leaves in place.
    ///
    /// A server with a [data file](Self::data) plays the requests only when the data file is new.
    ///
    /// ```
    /// use checkout_sandbox_server::Server;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let seed_file = r#"{ "requests": [
    ///     { "//": "A world for the tests.", "post": "/_/worlds", "body": { "name": "tests" } },
    ///     { "put": "/_/worlds/tests/autopay", "body": { "after_ms": 2000 } }
    /// ] }"#;
    /// let server = Server::builder().seed_requests(seed_file).bind().await?;
    /// assert!(server.world("tests").is_some_and(|world| world.autopay().is_some()));
    /// # Ok(()) }
    /// ```
    pub fn seed_requests(mut self, text: impl Into<String>) -> Self {
        self.seed_file = Some(text.into());
        self
    }

    /// Shows the store of an engine on the dashboard and at `/_/engine`: `program` is the program
    /// `checkout-engine`, which the server runs for each look, and `store` is the path or the URL that
    /// `--store` of the program takes. Nothing changes the store.
    pub fn engine(mut self, program: impl Into<PathBuf>, store: impl Into<OsString>) -> Self {
        self.engine = Some(Engine { program: program.into(), store: store.into() });
        self
    }

    /// Listens, and answers requests in the background from now on. Needs a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(self) -> Result<RunningServer, BindError> {
        let public = self.public_url.as_deref().map(Public::of).transpose()?;
        if public.is_some() && self.split_ports {
            return Err(BindError::PublicUrlOfSplitPorts);
        }
        let rules = self.faults.iter().map(|line| faults::rule_of_line(line)).collect::<Result<Vec<_>, _>>();
        rules.map_err(|problem| BindError::Fault(problem.sentence()))?;
        let seed_file =
            self.seed_file.as_deref().map(SeedFile::read).transpose().map_err(BindError::SeedFile)?;
        let kept = self.data.as_deref().map(Kept::open).transpose()?;
        // A data file that is there has all that the seed file has done.
        let seed_file = seed_file.filter(|_| kept.as_ref().is_none_or(|kept| kept.first.is_none()));
        if let (Some(kept), Some(_)) = (&kept, &seed_file) {
            kept.together()?;
        }
        let listener = listen(self.host, self.port).await?;
        let addr = listener.local_addr().map_err(|error| BindError::io(self.host, self.port, error))?;
        let mut listeners = vec![(None, listener)];
        let mut addresses = Vec::new();
        if self.split_ports {
            for (place, api) in (1..).zip(Api::ALL) {
                let port = if self.port == 0 { Some(0) } else { self.port.checked_add(place) };
                let port = port.ok_or(BindError::NoFourPorts(self.port))?;
                let listener = listen(self.host, port).await?;
                let address = listener.local_addr().map_err(|error| BindError::io(self.host, port, error))?;
                addresses.push(url_of(address));
                listeners.push((Some(api), listener));
            }
        }
        let (root, base_path) = match &public {
            Some(public) => (public.url.clone(), public.path.clone()),
            None => (url_of(addr), String::new()),
        };
        let urls = match <[String; 4]>::try_from(addresses) {
            Ok(of_apis) => Urls::split(root, of_apis),
            Err(_) => Urls::common(root),
        };
        let named = public.map(|public| public.host).into_iter().chain([self.host.to_string()]);
        let named = named.filter(|host| host.parse::<IpAddr>().map_or(true, |host| !host.is_unspecified()));
        let world = Kept::default_world(kept.as_ref(), self.seed, self.start, urls.root())?;
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            worlds: Worlds::new(world),
            state: kept
                .as_ref()
                .map_or_else(|| about::STATE.to_owned(), |kept| kept.journal.path().display().to_string()),
            journal: kept.map(|kept| kept.journal),
            engine: self.engine,
            playing: AtomicBool::new(false),
            urls,
            hosts: Hosts::new(named),
            targets: Arc::new(Targets::new(self.targets)),
            base_path,
            changes: watch::Sender::new(0),
            stopped: stopped.clone(),
        });
        let mut router = admin::router(Arc::clone(&shared));
        replay::play(&shared, &mut router).map_err(|reason| BindError::of_data(&shared.state, reason))?;
        let begun = shared.worlds.default_world().begin_with(&self.faults, self.autopay);
        begun.map_err(|problem| BindError::Fault(problem.sentence()))?;
        courier::start(shared.worlds.default_world(), &shared.targets);
        if let Some(file) = &seed_file {
            play_seed_file(&shared, &mut router, file).await?;
        }
        let listeners = listeners.into_iter().map(|(api, listener)| {
            let door = Door { shared: Arc::clone(&shared), router: router.clone(), api };
            tokio::spawn(door.take_in(listener, stopped.clone()))
        });
        Ok(RunningServer { addr, listeners: listeners.collect(), shared, stop })
    }
}

/// Plays a seed file. The data file stays new if a request is refused.
async fn play_seed_file(shared: &Arc<Shared>, router: &mut Router, file: &SeedFile) -> Result<(), BindError> {
    let played = seed_file::play(shared, router, file).await.map_err(BindError::SeedFile);
    let Some(journal) = &shared.journal else { return played };
    let told = |reason| BindError::of_data(&shared.state, reason);
    let kept = played.and_then(|()| journal.keep_all().map_err(told));
    if kept.is_err() {
        journal.close();
    }
    kept
}

/// The file of a server that starts, with the first entry.
struct Kept {
    journal: Arc<Journal>,
    first: Option<(Row, u64, Start)>,
}

impl Kept {
    fn open(path: &Path) -> Result<Self, BindError> {
        let told = |reason| BindError::of_data(&path.display().to_string(), reason);
        let journal = Arc::new(Journal::open(path).map_err(told)?);
        let first = replay::first(&journal).map_err(told)?;
        Ok(Self { journal, first })
    }

    /// Keeps the entries of the start together.
    fn together(&self) -> Result<(), BindError> {
        let told = |reason| BindError::of_data(&self.journal.path().display().to_string(), reason);
        self.journal.keep_together().map_err(told)
    }

    /// The default world: that of the file, or a new world, which becomes the file's.
    fn default_world(kept: Option<&Self>, seed: u64, start: Start, root: &str) -> Result<World, BindError> {
        let first = kept.and_then(|kept| kept.first.as_ref());
        let (seed, start) = first.map_or((seed, start), |(_, seed, start)| (*seed, *start));
        let _pin = machine::pin(first.map_or_else(machine::now, |(row, ..)| row.machine));
        let world = World::new(World::DEFAULT.to_owned(), Some(seed), start, root).ok_or(BindError::Keys)?;
        if let (Some(kept), None) = (kept, first) {
            let times = (machine::now(), world.now());
            let noted = kept.journal.append(world.name(), times, &making::entry_of(&world));
            noted.map_err(|reason| BindError::of_data(&kept.journal.path().display().to_string(), reason))?;
        }
        Ok(world)
    }
}

impl fmt::Debug for Builder {
    /// The settings without the public URL, which nobody has checked for a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("seed", &self.seed)
            .field("split_ports", &self.split_ports)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// A server that listens. A server that is dropped stops listening.
pub struct RunningServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    listeners: Vec<JoinHandle<()>>,
    /// The listeners stop when the sender is gone.
    stop: watch::Sender<()>,
}

impl RunningServer {
    /// The address that the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The addresses for clients.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.shared.urls
    }

    /// The world that takes every request with keys of no other world.
    #[must_use]
    pub fn default_world(&self) -> &World {
        self.shared.worlds.default_world()
    }

    /// The world with this name.
    #[must_use]
    pub fn world(&self, name: &str) -> Option<Arc<World>> {
        self.shared.worlds.named(name)
    }

    /// All worlds, in the order of their names.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// assert_eq!(server.worlds().len(), 1);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn worlds(&self) -> Vec<Arc<World>> {
        self.shared.worlds.all()
    }

    /// Makes a world with keys of its own and a copy of everything in another world: checkouts with their
    /// ids, webhooks, endpoints, the clock, and the scenarios and faults that wait. The snapshots stay
    /// behind, and an access token leads to the other world still.
    ///
    /// # Errors
    /// [`WorldError`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let copy = server.fork("default", "a-day-later")?;
    /// copy.advance(Duration::from_secs(86_400));
    /// assert!(copy.now() > server.default_world().now());
    /// # Ok(()) }
    /// ```
    pub fn fork(&self, world: &str, name: &str) -> Result<Arc<World>, WorldError> {
        let of = self.world(world).ok_or(WorldError::UnknownWorld)?;
        making::fork(&self.shared, &of, Some(name))
    }

    /// The addresses and the keys of the default world as environment variables, all with a name that begins
    /// with `CHECKOUT_SANDBOX_`.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        about::variables(self.urls(), self.default_world().keys())
    }

    /// The addresses and the keys of the default world as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        about::json(self.urls(), self.default_world().keys(), &self.shared.state).to_string()
    }

    /// The place of the state: the file, or words that there is none.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.shared.state
    }

    /// Stops listening, lets the requests that are under way end for two seconds, and ends.
    pub async fn shutdown(self) {
        drop(self.stop);
        for listener in self.listeners {
            // A listener that has panicked has ended too.
            let _ = listener.await;
        }
        if let Some(journal) = &self.shared.journal {
            journal.close();
        }
    }
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningServer")
            .field("addr", &self.addr)
            .field("urls", &self.shared.urls)
            .finish_non_exhaustive()
    }
}

/// The reason why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program listens on the port.
    #[error("port {} of {} is taken", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {error}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The public URL is not `http` or `https`, a host, and a port and a path if need be.
    #[error("public URL: not http or https, a host, and a port and a path if need be")]
    PublicUrl,
    /// The path of the public URL begins like a path that the server itself answers, and would hide it.
    #[error(
        "public URL: the path {0} begins like a provider's path or a path of the server: take another path, as /sandbox"
    )]
    PublicUrlPath(String),
    /// Split ports have no common address.
    #[error("public URL: has no place beside split ports")]
    PublicUrlOfSplitPorts,
    /// There are no four ports after the server's port.
    #[error("port {0} has no four ports after it")]
    NoFourPorts(u16),
    /// A rule for faults cannot be read.
    #[error("fault: {0}")]
    Fault(String),
    /// A seed file cannot be read, or a request of the file is refused.
    #[error("seed file: {0}")]
    SeedFile(String),
    /// The file for the state cannot be used.
    #[error("data file {path}: {reason}")]
    Data {
        /// The file.
        path: String,
        /// The reason in words.
        reason: String,
    },
    /// The published keys are no keys.
    #[error("the keys of the default world are no keys")]
    Keys,
}

impl BindError {
    fn of_data(path: &str, reason: String) -> Self {
        Self::Data { path: path.to_owned(), reason }
    }

    fn io(host: IpAddr, port: u16, error: io::Error) -> Self {
        let address = SocketAddr::new(host, port);
        if error.kind() == io::ErrorKind::AddrInUse {
            return Self::PortTaken(address);
        }
        Self::Address { address, error }
    }
}

/// The parts of a public URL.
struct Public {
    /// The URL without a slash at the end.
    url: String,
    host: String,
    /// The path without a slash at the end.
    path: String,
}

impl Public {
    fn of(url: &str) -> Result<Self, BindError> {
        let uri: Uri = url.parse().map_err(|_| BindError::PublicUrl)?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), authority) else {
            return Err(BindError::PublicUrl);
        };
        let extra = uri.query().is_some() || url.contains('#') || authority.host().is_empty();
        if extra || (authority.port_u16().is_none() && authority.as_str() != authority.host()) {
            return Err(BindError::PublicUrl);
        }
        let url = url.trim_end_matches('/').to_owned();
        let path = uri.path().trim_end_matches('/').to_owned();
        // Below such a path, a route and the same route without the path would be one.
        if !path.is_empty() && Place::of("", &path) != Place::Nowhere {
            return Err(BindError::PublicUrlPath(path));
        }
        Ok(Self { url, host: authority.host().to_owned(), path })
    }
}

async fn listen(host: IpAddr, port: u16) -> Result<TcpListener, BindError> {
    TcpListener::bind((host, port)).await.map_err(|error| BindError::io(host, port, error))
}

/// The URL under which this machine reaches an address. An address of all interfaces is reached by loopback.
fn url_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// The door behind a port.
#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    router: Router,
    /// The one API of the port. `None` for the common port.
    api: Option<Api>,
}

/// The end of a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox lets the answer get lost")]
struct Closed;

impl Door {
    /// Takes connections in until the server stops, and ends when the connections have ended.
    async fn take_in(self, listener: TcpListener, mut stopped: watch::Receiver<()>) {
        let connections = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        // The time of an answer is the world's.
        http.auto_date_header(false).timer(TokioTimer::new()).header_read_timeout(IDLE);
        loop {
            let accepted = tokio::select! {
                _ = stopped.changed() => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // Too many open files: a connection has to end first.
                sleep(BREATH).await;
                continue;
            };
            // A connection without this setting is slow, and no less right.
            let _ = stream.set_nodelay(true);
            let (door, lent) = (self.clone(), Lent::new(stream));
            let io = TokioIo::new(lent.clone());
            let service = service_fn(move |request| door.clone().answer(request, lent.clone()));
            let connection = connections.watch(http.serve_connection(io, service));
            // A broken connection is the client's concern.
            tokio::spawn(async move { drop(connection.await) });
        }
        drop(listener);
        // Connections that are still open after that end with the program.
        let _ = timeout(GRACE, connections.shutdown()).await;
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// [`Closed`] where the sandbox has no answer: the connection then ends without an answer.
    async fn answer(mut self, request: Request<Incoming>, lent: Lent) -> Result<Response<Body>, Closed> {
        let (head, body) = request.into_parts();
        if let Err(problem) = self.shared.hosts.check(&head) {
            return Ok(problem.into_response());
        }
        let body = match intake::read(&head, body).await {
            Ok(body) => body,
            Err(problem) => return Ok(problem.into_response()),
        };
        let path = head.uri.path().to_owned();
        let place = match self.api {
            Some(api) => Place::Api(api, &path),
            None => Place::of(&self.shared.base_path, &path),
        };
        match place {
            Place::Api(api, path) => {
                let is_head = head.method == Method::HEAD;
                let forwarded = match forward::forward(&self.shared.worlds, api, path, head, body) {
                    Ok(forwarded) => forwarded,
                    Err(problem) => return Ok(problem.into_response()),
                };
                self.shared.changed();
                let (asked, world) = (forwarded.asked, forwarded.world);
                if let (Some(checkout), Some(provider)) = (&asked.made, webhooks_of(api)) {
                    courier::deliver_early(&world, provider, checkout).await;
                }
                let answer = asked.answer.map_err(|_| Closed)?;
                if let Some(plan) = asked.wire {
                    self.spoil(&plan, &answer, is_head, &lent).await?;
                }
                Ok(answer.map(Body::from))
            }
            Place::Own(path) => {
                let opens = pages::opens(path, &body).then_some(());
                if let Err(problem) =
                    self.shared.hosts.check_origin(&head).or_else(|problem| opens.ok_or(problem))
                {
                    return Ok(problem.into_response());
                }
                let reads = matches!(head.method, Method::GET | Method::HEAD);
                let target =
                    head.uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
                let mut request = Request::from_parts(head, Body::from(body.clone()));
                if let Ok(uri) = target.parse() {
                    *request.uri_mut() = uri;
                }
                let answer = own::call(&self.shared, &mut self.router, request, &body).await;
                if !reads {
                    self.shared.changed();
                }
                Ok(problem::as_json(answer).await)
            }
            Place::Nowhere => Ok(admin::no_such_path().into_response()),
        }
    }

    /// Waits, if a fault of the wire is a wait alone. Any other fault of the wire takes the connection from
    /// the HTTP server, and ends the connection.
    ///
    /// # Errors
    /// [`Closed`] where the connection has ended.
    async fn spoil(
        &self,
        plan: &Plan,
        answer: &Response<Bytes>,
        is_head: bool,
        lent: &Lent,
    ) -> Result<(), Closed> {
        let mut stopped = self.shared.stopped.clone();
        let playing = async {
            if let Some(delay) = plan.delay() {
                sleep(delay).await;
            } else if let Some(stream) = lent.take_back() {
                wire::play(stream, plan, &wire::bytes_of(answer, is_head)).await;
            }
        };
        tokio::select! {
            () = playing => {}
            _ = stopped.changed() => {}
        }
        plan.delay().map(|_| ()).ok_or(Closed)
    }
}

/// The provider of an API, if the provider sends webhooks.
fn webhooks_of(api: Api) -> Option<Provider> {
    match api {
        Api::AllScale => Some(Provider::AllScale),
        Api::Peach | Api::PeachAuth => Some(Provider::Peach),
        Api::Azotte => None,
    }
}

/// The time for a request's head, and the time that a connection may idle.
const IDLE: Duration = Duration::from_secs(120);

/// The time for the requests that are under way at the end.
const GRACE: Duration = Duration::from_secs(2);

/// The pause after a connection that could not be taken in.
const BREATH: Duration = Duration::from_millis(20);
