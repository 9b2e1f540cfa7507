//! AllScale Checkout, API v1, played in process.
//!
//! A [`Sandbox`] takes signed requests for the six routes and answers as AllScale's pages say. A checkout
//! intent goes through a [`Scenario`] as the sandbox's clock is advanced, and a [`Fault`] makes one request
//! go wrong.
//!
//! | what is asked | answer |
//! |---|---|
//! | a path that is not the API's (create without its trailing slash is one) | 404, a page of HTML |
//! | a method that the path does not have | 405, plain text |
//! | an authentication header is missing or blank | 20001 |
//! | an unknown API key; a malformed or stale time; a wrong signature; a spent nonce | 20002 |
//! | too many requests, if a limit is set | 40001 |
//! | create: the store's address is not allowed | 30001 |
//! | create: a field is not what the page says | 10001 |
//! | create: 0.1 coin or less | 50002 |
//! | get, status: an id that is none | 10001 |
//! | get, status: nobody's intent | 50001 |
//! | get, status: another store's intent | 30001 |
//!
//! They are checked in this order, and the first that applies is answered.
//!
//! # Assumed
//! What no page says, and how it is played here:
//! - the HTTP status of a refusal: 10001, 50002 → 400; 20001, 20002 → 401; 30001 → 403; 40001 → 429;
//!   50001 → 404; 90000 and up → 500;
//! - the code of a stale time, a spent nonce, an unknown key, a doubled header, a time with a sign or leading
//!   zeros: 20002; the message tells which;
//! - a nonce is spent by a request whose key, time and signature were right, whatever was answered, and for
//!   good;
//! - a reserved `stable_coin`, an id that is not 24 hexadecimal digits, a body of the test route that is not
//!   JSON: 10001; hexadecimal digits may be upper case;
//! - unknown fields of a create are ignored, and so is its `Content-Type`; texts have no limit of length;
//! - `accepted_stable_coins` may hold a coin twice, a coin that is not supported, and may stand beside
//!   `stable_coin`; but a fiat order whose first coin is not supported has no coin to settle in: 10001;
//! - create's reply to a request without `accepted_stable_coins` has the bit of the settlement coin;
//! - amounts are rounded down to four decimals, then compared with the floor; a negative one is below it;
//! - the payment shows in get from the first of the statuses 4, 5, 10 and 20, and fee and net income from 20
//!   on; the fee is half a per cent;
//! - a rate limit counts in whole minutes of the clock, and its refusal has a `Retry-After`;
//! - the details of an error, the words of messages other than the floor's, durations, addresses, the chain.
//!
//! Sources: *Create Checkout Intent*, v4, 2026-05-06; *Get Checkout Intent*, v3, 2026-03-06; *Get Status*,
//! v3, 2026-05-14; *Auth*, v1, 2026-01; *Test Routes*. No page prints a reply of get: it
//! is built from the table of fields.

mod answer;
mod create;
mod door;
mod fault;
mod intent;
mod nonces;
mod recorded;
mod refusal;
mod route;
mod scenario;
mod store;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkout_auth::allscale::SigningKey;
use checkout_tables::allscale::{Currency, Route, TIMESTAMP_WINDOW_SECONDS};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, TransportError};

use crate::counts::{MINUTE_MILLIS, Tally};
use crate::generator::Generator;
use crate::json::Json;
use crate::{Counts, VirtualClock};
use answer::Answer;
use create::{Order, Rate};
use intent::Intent;
use nonces::Nonces;
use recorded::RecordedAnswer;
use refusal::Refusal;
use route::Target;

pub use fault::Fault;
pub use intent::IntentRecord;
pub use recorded::RecordedRequest;
pub use scenario::Scenario;
pub use store::Store;

/// AllScale's side: stores, intents, and a clock.
///
/// It is a [`Transport`] and a [`BlockingTransport`] that answers by itself, whatever host a request names. A
/// clone is the same sandbox. With the same seed the same requests get the same bytes; the numbers behind its
/// ids, hashes and addresses are **not for security**.
///
/// It remembers every request and every nonce for as long as it lives, unless it is told to
/// [forget](Builder::forget_requests) them, and every intent.
///
/// ```
/// use checkout_sandbox::allscale::{Fault, Sandbox};
/// use checkout_transport::{Transport, bytes::Bytes, http};
///
/// # pollster::block_on(async {
/// let sandbox = Sandbox::new(42);
/// sandbox.inject(Fault::HtmlBadGateway);
/// let ping = http::Request::get("https://openapi.allscale.io/v1/test/ping").body(Bytes::new())?;
/// assert_eq!(sandbox.send(ping).await?.status(), 502);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    stores: Vec<Store>,
    /// By API key.
    store_of: HashMap<String, usize>,
    forgets_requests: bool,
    window_seconds: u64,
    requests_per_minute: Option<u32>,
    scenario: Scenario,
    clock: VirtualClock,
    state: Mutex<State>,
}

struct State {
    intents: Vec<Intent>,
    number_of: HashMap<String, usize>,
    nonces: Nonces,
    /// By store: the minute that is counted, and the requests in it.
    counted: HashMap<usize, (u64, u32)>,
    rates: BTreeMap<Currency, Rate>,
    scenarios: VecDeque<Scenario>,
    faults: Vec<(Option<Route>, Fault)>,
    requests: Vec<RecordedRequest>,
    /// All that have been seen, remembered or not.
    seen: u64,
    /// By store.
    tallies: Vec<Tally>,
    request_ids: Generator,
    intent_ids: Generator,
}

impl Sandbox {
    /// A sandbox with the one store of [`API_KEY`] and [`API_SECRET`] and every setting as [`Builder`] has
    /// it.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
    ///
    /// assert_eq!(Sandbox::new(7).clock().now_millis(), 1_716_501_000_000);
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::builder().seed(seed).build()
    }

    /// To make a sandbox with settings of your own.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::timeout()).build();
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The clock that it goes by.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::allscale::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// assert_eq!(sandbox.clock().now_millis(), 1_716_501_005_000);
    /// ```
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// The next intent to be created goes through `scenario`. Several wait in their order; when none waits it
    /// is [`Builder::scenario`].
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_intent(Scenario::kyt_refused());
    /// ```
    pub fn next_intent(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// The next request that the fault fits goes wrong.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// The next request for this route that the fault fits goes wrong.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    /// use checkout_tables::allscale::Route;
    ///
    /// Sandbox::new(7).inject_on(Route::Status, Fault::TamperedStatus(20));
    /// ```
    pub fn inject_on(&self, route: Route, fault: Fault) {
        self.state().faults.push((Some(route), fault));
    }

    /// How many faults still wait for a request.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::{Fault, Sandbox};
    /// let sandbox = Sandbox::new(7);
    /// sandbox.inject(Fault::Garbage);
    /// assert_eq!(sandbox.faults_waiting(), 1);
    /// ```
    #[must_use]
    pub fn faults_waiting(&self) -> usize {
        self.state().faults.len()
    }

    /// From now on `units` of `currency` make `coins` coins: 27 for 20 is a rate of 1.35. It is 1 for every
    /// currency that is never set.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use checkout_sandbox::allscale::Sandbox;
    /// use checkout_tables::allscale::Currency;
    ///
    /// let twenty = NonZeroU32::new(20).ok_or("zero")?;
    /// Sandbox::new(7).set_rate(Currency::EUR, 27, twenty);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn set_rate(&self, currency: Currency, coins: u32, units: NonZeroU32) {
        self.state().rates.insert(currency, Rate { coins, units });
    }

    /// Every request that it has seen, in their order. One that [`Fault::LostBefore`] or
    /// [`Fault::LostRequest`] took is not among them. Empty if they are
    /// [forgotten](Builder::forget_requests).
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    /// Every intent of every store, in the order of their creation, as they stand now.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).intents().is_empty());
    /// ```
    #[must_use]
    pub fn intents(&self) -> Vec<IntentRecord> {
        let now = self.0.clock.now_millis();
        self.state().intents.iter().map(|intent| intent.record(now)).collect()
    }

    /// The intent with this id, as it stands now; upper case is not taken here.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert_eq!(Sandbox::new(7).intent("0123456789abcdef01234567"), None);
    /// ```
    #[must_use]
    pub fn intent(&self, id: &str) -> Option<IntentRecord> {
        let now = self.0.clock.now_millis();
        let state = self.state();
        let number = state.number_of.get(id).copied()?;
        Some(state.intents.get(number)?.record(now))
    }

    /// How many requests the store with this API key has made.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{API_KEY, Sandbox};
    ///
    /// assert_eq!(Sandbox::new(7).counts(API_KEY).requests, 0);
    /// ```
    #[must_use]
    pub fn counts(&self, api_key: &str) -> Counts {
        let store = self.0.store_of.get(api_key).copied();
        let state = self.state();
        store.and_then(|store| state.tallies.get(store)).map_or_else(Counts::default, Tally::counts)
    }

    fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let (head, body) = request.into_parts();
        let mut state = self.state();
        let target = Target::of(head.method.as_str(), head.uri.path());
        let fault = state.fault_for(target.route());
        if fault == Some(Fault::LostBefore) {
            return Err(TransportError::not_sent(io::Error::from(io::ErrorKind::ConnectionRefused)));
        }
        if fault == Some(Fault::LostRequest) {
            return Err(TransportError::unknown(io::Error::from(io::ErrorKind::TimedOut)));
        }

        let now = self.0.clock.now_millis();
        let answer = self.0.answer(&mut state, target, &head, &body, fault.as_ref(), now);
        state.seen += 1;
        if let Some(tally) = self.0.named_store(&head).and_then(|store| state.tallies.get_mut(store)) {
            let is_read = matches!(target.route(), Some(Route::Get | Route::Status));
            tally.count(now, is_read);
        }
        let answer = answer.spoiled_by(fault.as_ref());
        let too_large =
            answer.body.len() > BODY_CAP || matches!(fault, Some(Fault::HugeBody(bytes)) if bytes > BODY_CAP);
        let lost = fault == Some(Fault::LostAnswer);
        if !self.0.forgets_requests {
            let recorded = RecordedAnswer {
                status: answer.status.as_u16(),
                code: answer.code,
                body: answer.body.clone(),
                arrived: !too_large && !lost,
            };
            state.requests.push(RecordedRequest::new(head, body, now, recorded));
        }

        if let Some(Fault::Slow(by)) = fault {
            self.0.clock.advance(by);
        }
        if lost {
            return Err(TransportError::unknown(io::Error::from(io::ErrorKind::ConnectionReset)));
        }
        if too_large {
            return Err(TransportError::too_large(BODY_CAP));
        }
        Ok(answer.response(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Sandbox {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.exchange(request)
    }
}

impl BlockingTransport for Sandbox {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        self.exchange(request)
    }
}

impl fmt::Debug for Sandbox {
    /// Its clock and how much it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Sandbox")
            .field("now_millis", &self.0.clock.now_millis())
            .field("stores", &self.0.stores.len())
            .field("intents", &state.intents.len())
            .field("requests", &state.seen)
            .field("faults", &state.faults)
            .finish_non_exhaustive()
    }
}

/// The settings of a [`Sandbox`].
///
/// ```
/// use std::num::NonZeroU32;
///
/// use checkout_sandbox::VirtualClock;
/// use checkout_sandbox::allscale::{Sandbox, Scenario};
///
/// let clock = VirtualClock::new(1_800_000_000_000);
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(clock.clone())
///     .scenario(Scenario::timeout())
///     .requests_per_minute(NonZeroU32::MIN)
///     .build();
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    seed: u64,
    clock: Option<VirtualClock>,
    stores: Vec<Store>,
    forgets_requests: bool,
    window_seconds: u64,
    requests_per_minute: Option<u32>,
    scenario: Scenario,
}

impl Builder {
    /// What its ids, hashes and addresses follow from: 0 unless it is set.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clock that it goes by. Unless it is set, one of its own that begins at 2024-05-23 21:50:00 UTC,
    /// the time of the one published example of a signed request.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, allscale::Sandbox};
    /// let sandbox = Sandbox::builder().clock(VirtualClock::new(0)).build();
    /// assert_eq!(sandbox.clock().now_millis(), 0);
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// One more store. One with the API key of an earlier store takes its place. Without any there is the
    /// store of [`API_KEY`] and [`API_SECRET`].
    ///
    /// ```
    /// use checkout_auth::allscale::SigningKey;
    /// use checkout_sandbox::allscale::{Sandbox, Store};
    ///
    /// let mine = Store::new(SigningKey::new("st_mine", "st_secret".into())?);
    /// let yours = Store::new(SigningKey::new("st_yours", "st_other_secret".into())?).ip_not_allowed();
    /// let sandbox = Sandbox::builder().store(mine).store(yours).build();
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        match self.stores.iter_mut().find(|known| known.api_key() == store.api_key()) {
            Some(known) => *known = store,
            None => self.stores.push(store),
        }
        self
    }

    /// How many seconds a request's time may be from the clock, either way. Unless it is set,
    /// [`TIMESTAMP_WINDOW_SECONDS`].
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().timestamp_window_seconds(600).build();
    /// ```
    #[must_use]
    pub fn timestamp_window_seconds(mut self, seconds: u64) -> Self {
        self.window_seconds = seconds;
        self
    }

    /// Requests are counted and not kept, for a crowd of checkouts: [`Sandbox::requests`] stays empty, and
    /// [`Sandbox::counts`] is what there is. A nonce is kept for as long as a signed request can come again,
    /// which is twice the [window](Builder::timestamp_window_seconds), and at most twice that. The intents
    /// are kept.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
    /// use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::builder().forget_requests().build();
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert!(sandbox.requests().is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn forget_requests(mut self) -> Self {
        self.forgets_requests = true;
        self
    }

    /// How many requests a store may make in a minute of the clock. Unless it is set there is no limit.
    ///
    /// ```
    /// # use std::num::NonZeroU32;
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().requests_per_minute(NonZeroU32::MIN).build();
    /// ```
    #[must_use]
    pub fn requests_per_minute(mut self, requests: NonZeroU32) -> Self {
        self.requests_per_minute = Some(requests.get());
        self
    }

    /// What an intent goes through when nothing waits from [`Sandbox::next_intent`]: [`Scenario::happy`]
    /// unless it is set.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_paid()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// The sandbox.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::builder().build().intents().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.stores.is_empty() {
            self.stores.push(default_store());
        }
        let mut seeds = Generator::new(self.seed);
        let numbered = self.stores.iter().enumerate();
        let store_of = numbered.map(|(number, store)| (store.api_key().to_owned(), number)).collect();
        let nonces = match self.forgets_requests {
            true => Nonces::for_two_windows(self.window_seconds),
            false => Nonces::for_good(),
        };
        let state = State {
            intents: Vec::new(),
            number_of: HashMap::new(),
            nonces,
            counted: HashMap::new(),
            rates: BTreeMap::new(),
            scenarios: VecDeque::new(),
            faults: Vec::new(),
            requests: Vec::new(),
            seen: 0,
            tallies: vec![Tally::default(); self.stores.len()],
            request_ids: Generator::new(seeds.number()),
            intent_ids: Generator::new(seeds.number()),
        };
        Sandbox(Arc::new(Shared {
            stores: self.stores,
            store_of,
            forgets_requests: self.forgets_requests,
            window_seconds: self.window_seconds,
            requests_per_minute: self.requests_per_minute,
            scenario: self.scenario,
            clock: self.clock.unwrap_or_else(|| VirtualClock::new(START_MILLIS)),
            state: Mutex::new(state),
        }))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            seed: 0,
            clock: None,
            stores: Vec::new(),
            forgets_requests: false,
            window_seconds: TIMESTAMP_WINDOW_SECONDS,
            requests_per_minute: None,
            scenario: Scenario::default(),
        }
    }
}

/// The API key of the store that a sandbox has when it is given none.
///
/// ```
/// assert!(checkout_sandbox::allscale::API_KEY.starts_with("st_"));
/// ```
pub const API_KEY: &str = "st_sandbox_key";

/// The API secret of the store that a sandbox has when it is given none. It guards nothing.
///
/// ```
/// assert!(checkout_sandbox::allscale::API_SECRET.starts_with("st_"));
/// ```
pub const API_SECRET: &str = "st_sandbox_secret";

impl Shared {
    fn answer(
        &self,
        state: &mut State,
        target: Target<'_>,
        head: &Parts,
        body: &Bytes,
        fault: Option<&Fault>,
        now: u64,
    ) -> Answer {
        if let Some(answer) = Answer::instead_of_the_api(fault) {
            return answer;
        }
        let (route, segment) = match target {
            Target::Route(route, segment) => (route, segment),
            Target::WrongMethod => return Answer::method_not_allowed(),
            Target::Unknown => return Answer::not_found(),
        };
        let request_id = format!("req_{}", state.request_ids.hex(16));
        let outcome = self
            .let_in(state, head, body, fault, now)
            .and_then(|store| self.run(state, route, segment, store, body, fault, now));
        Answer::reply(outcome, request_id, fault)
    }

    /// The number of the store whose request may go on to its route.
    fn let_in(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Result<usize, Refusal> {
        let store = |api_key: &str| {
            let number = self.store_of.get(api_key).copied()?;
            Some((number, self.stores.get(number)?))
        };
        let nonces = &mut state.nonces;
        let store = door::authenticate(store, nonces, self.window_seconds, now / 1000, head, body)?;
        match fault {
            Some(Fault::RateLimited) => return Err(Refusal::rate_limited(2)),
            Some(Fault::InternalError) => {
                return Err(Refusal::internal());
            }
            Some(Fault::UnknownErrorCode(code)) => return Err(Refusal::new(*code, "something is wrong")),
            Some(_) | None => {}
        }
        let Some(limit) = self.requests_per_minute else { return Ok(store) };
        let minute = now / MINUTE_MILLIS;
        let counted = state.counted.entry(store).or_default();
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        if counted.1 >= limit {
            if let Some(tally) = state.tallies.get_mut(store) {
                tally.refuse();
            }
            return Err(Refusal::rate_limited((MINUTE_MILLIS - now % MINUTE_MILLIS).div_ceil(1000)));
        }
        counted.1 += 1;
        Ok(store)
    }

    /// The store that a request names, if it names one alone.
    fn named_store(&self, head: &Parts) -> Option<usize> {
        self.store_of.get(door::named_key(head)?).copied()
    }

    #[expect(clippy::too_many_arguments, reason = "it is the one place where everything comes together")]
    fn run(
        &self,
        state: &mut State,
        route: Route,
        segment: &str,
        store: usize,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Result<Json, Refusal> {
        // The two routes spell the name of the intent's id differently.
        let other_spelling = fault == Some(&Fault::OtherIdSpelling);
        match route {
            Route::Create => {
                let number = self.create(state, store, body, now)?;
                let intent = state.shown(state.numbered(number)?, fault, now);
                let id_name = if other_spelling { READ_ID } else { CREATE_ID };
                let flags = match fault {
                    Some(Fault::OldIntent) => None,
                    Some(Fault::AcceptedCoins(mask)) => Some(*mask),
                    Some(_) | None => Some(intent.accepted_flags()),
                };
                Ok(intent.created(id_name, flags))
            }
            Route::Get => {
                let intent = state.shown(state.find(segment, store)?, fault, now);
                let id_name = if other_spelling { CREATE_ID } else { READ_ID };
                Ok(intent.whole(id_name, now, tampered_status(fault)))
            }
            Route::Status => {
                let intent = state.shown(state.find(segment, store)?, fault, now);
                let status = Json::Int(tampered_status(fault).unwrap_or_else(|| intent.status(now)));
                let as_object = fault == Some(&Fault::StatusAsObject);
                Ok(if as_object { Json::object([("status", status)]) } else { status })
            }
            Route::Ping => Ok(Json::object([("pong", Json::text("ok"))])),
            Route::Post => echo(body),
            // The table of routes may grow, but `Target` leads to these six alone.
            Route::Fail | _ => Err(Refusal::new(refusal::VALIDATION, "this route always fails")),
        }
    }

    /// The number of the intent that this makes.
    fn create(&self, state: &mut State, store: usize, body: &[u8], now: u64) -> Result<usize, Refusal> {
        let settings = self.stores.get(store);
        if !settings.is_some_and(Store::is_ip_allowed) {
            return Err(Refusal::new(refusal::FORBIDDEN, "ip not allowed"));
        }
        let order = Order::read(body)?;
        let rate = |currency| state.rates.get(&currency).copied().unwrap_or(Rate::ONE);
        let terms = order.terms(settings.and_then(Store::default_coin), rate)?;
        let scenario = state.scenarios.pop_front().unwrap_or_else(|| self.scenario.clone());
        let intent = Intent::new(store, order, terms, scenario, now, &mut state.intent_ids);
        let number = state.intents.len();
        state.number_of.insert(intent.id.clone(), number);
        state.intents.push(intent);
        Ok(number)
    }
}

impl State {
    fn fault_for(&mut self, route: Option<Route>) -> Option<Fault> {
        let fits = |(on, fault): &(Option<Route>, Fault)| (on.is_none() || *on == route) && fault.fits(route);
        let at = self.faults.iter().position(fits)?;
        Some(self.faults.remove(at).1)
    }

    /// The intent with the id in this segment of a path, if this store may see it.
    fn find(&self, segment: &str, store: usize) -> Result<&Intent, Refusal> {
        let id = route::intent_id(segment)
            .ok_or_else(|| Refusal::field("checkout_intent_id", "must be an ObjectId"))?;
        let number = self.number_of.get(&id).copied();
        let intent = number
            .and_then(|number| self.intents.get(number))
            .ok_or_else(|| Refusal::new(refusal::NOT_FOUND, "checkout intent not found"))?;
        if intent.store != store {
            return Err(Refusal::new(refusal::FORBIDDEN, "no permission to view this checkout intent"));
        }
        Ok(intent)
    }

    fn numbered(&self, number: usize) -> Result<&Intent, Refusal> {
        self.intents.get(number).ok_or_else(Refusal::internal)
    }

    /// What is shown in place of `intent`, which is the same unless a fault puts another there.
    fn shown<'a>(&'a self, intent: &'a Intent, fault: Option<&Fault>, now: u64) -> Cow<'a, Intent> {
        match fault {
            Some(Fault::SwappedIntent) => {
                let other = self.intents.iter().rev().find(|other| other.id != intent.id);
                other.map_or_else(|| Cow::Owned(intent.clone().made_up_other(now)), Cow::Borrowed)
            }
            Some(Fault::TamperedAmount) => Cow::Owned(intent.clone().at_a_tenth()),
            Some(Fault::SettledIn(coin)) => Cow::Owned(intent.clone().settled_in(*coin)),
            Some(_) | None => Cow::Borrowed(intent),
        }
    }
}

fn tampered_status(fault: Option<&Fault>) -> Option<i64> {
    if let Some(Fault::TamperedStatus(status)) = fault { Some(*status) } else { None }
}

fn echo(body: &[u8]) -> Result<Json, Refusal> {
    let refused = || Refusal::new(refusal::VALIDATION, "the body is not JSON");
    let text = std::str::from_utf8(body).map_err(|_| refused())?;
    serde_json::from_str::<serde_json::Value>(text).map_err(|_| refused())?;
    Ok(Json::object([("your_request_body", Json::Raw(text.trim().to_owned()))]))
}

#[expect(clippy::expect_used, reason = "both are constants that a test makes a key of")]
fn default_store() -> Store {
    Store::new(SigningKey::new(API_KEY, API_SECRET.into()).expect("the constants make a key"))
}

/// How create spells the name of the intent's id.
const CREATE_ID: &str = "allscale_checkout_intent_id";

/// How get spells it.
const READ_ID: &str = "all_scale_checkout_intent_id";

/// 2024-05-23 21:50:00 UTC.
const START_MILLIS: u64 = 1_716_501_000_000;

#[cfg(test)]
mod tests;
