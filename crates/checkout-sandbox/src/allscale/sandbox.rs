//! The calls of a test to the sandbox.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, MutexGuard};

use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, Route};
use checkout_transport::http::request::Parts;
use checkout_transport::{BlockingTransport, Request, Response, Transport, TransportError};

use super::Exchange;
use super::act::{Act, ActError};
use super::create::Rate;
use super::fault::Fault;
use super::intent::{Intent, IntentRecord};
use super::scenario::Scenario;
use super::server::Server;
use super::state::State;
use super::webhook::Webhook;
use crate::counts::Tally;
use crate::skew::Skew;
use crate::{Counts, LimitUse, RecordedRequest, VirtualClock};

/// AllScale's side: stores, intents, and a clock.
///
/// The sandbox is a [`Transport`] and a [`BlockingTransport`]. The sandbox answers every request, whatever
/// host the request names. A clone is the same sandbox. With the same seed the same requests get the same
/// bytes; the numbers behind the ids, hashes and addresses are **not for security**.
///
/// The sandbox remembers every intent for as long as the sandbox lives, and every request and every nonce
/// too, unless the builder says to [forget](super::Builder::forget_requests) requests.
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
pub struct Sandbox(pub(super) Arc<Server>);

impl Sandbox {
    /// The sandbox's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::allscale::Sandbox;
    /// use checkout_tables::Moment;
    ///
    /// let sandbox = Sandbox::new(7);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// assert_eq!(sandbox.clock().now(), Moment::from_unix_millis(1_716_501_005_000));
    /// ```
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        self.0.world.clock()
    }

    /// Makes another sandbox with a copy of everything: intents, requests, and the scenarios and faults that
    /// wait. The copy has a clock of its own, which shows the same moment. Nothing that happens to either
    /// sandbox later shows in the other.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let fork = sandbox.fork();
    /// fork.inject(Fault::Garbage);
    /// fork.clock().advance(Duration::from_secs(5));
    /// assert_eq!((sandbox.faults_waiting(), fork.faults_waiting()), (0, 1));
    /// assert!(sandbox.clock().now() < fork.clock().now());
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Server::clone(&self.0)))
    }

    /// Brings the sandbox back to the state after `build`: no intent and no request is there, no scenario and
    /// no fault waits, the same ids come again, and the clock shows the moment of the beginning. The same
    /// requests at the same moments get the same bytes again.
    ///
    /// The clock goes back with all of its clones, so reset all sandboxes that share the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let begin = sandbox.clock().now();
    /// sandbox.inject(Fault::Garbage);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// sandbox.reset();
    /// assert_eq!((sandbox.faults_waiting(), sandbox.clock().now()), (0, begin));
    /// ```
    pub fn reset(&self) {
        self.0.world.reset();
    }

    /// Takes over the state of another sandbox, a [fork](Self::fork) from earlier as a rule: intents,
    /// requests, the scenarios and faults that wait, and the time. The keys, the address of the pages and the
    /// other settings of this sandbox stay, and so does the beginning to which [`reset`](Self::reset) goes.
    /// The n-th store of the other sandbox is the n-th store of this sandbox.
    ///
    /// The clock shows the other sandbox's time and may go back, with all of its clones: restore all
    /// sandboxes that share the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let before = sandbox.fork();
    /// sandbox.inject(Fault::Garbage);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// sandbox.restore(&before);
    /// assert_eq!((sandbox.faults_waiting(), sandbox.clock().now()), (0, before.clock().now()));
    /// ```
    pub fn restore(&self, other: &Self) {
        let stores = self.0.stores.len();
        self.0.world.restore(&other.0.world, |state| state.tallies.resize_with(stores, Tally::default));
    }

    /// Sends the next new intent through `scenario`. Several scenarios wait in the order of the calls. An
    /// intent for which none waits goes through the scenario of
    /// [`Builder::scenario`](super::Builder::scenario).
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_intent(Scenario::kyt_refused());
    /// ```
    pub fn next_intent(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// Has the payer act now, or has something happen behind the page: the intent leaves the scenario. The
    /// table of [`Act`] says when each act is possible, and the consequences.
    ///
    /// # Errors
    /// [`ActError`], and nothing happens, if there is no such intent or if the act is not possible now. The
    /// id is in lower case.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Act, ActError, Sandbox};
    ///
    /// let nobodys = Sandbox::new(7).act("0123456789abcdef01234567", Act::Open);
    /// assert_eq!(nobodys, Err(ActError::UnknownIntent));
    /// ```
    pub fn act(&self, intent_id: &str, act: Act) -> Result<(), ActError> {
        let mut state = self.state();
        let now = self.0.world.now();
        let number = state.number_of.get(intent_id).copied().ok_or(ActError::UnknownIntent)?;
        let intent = state.intents.get_mut(number).ok_or(ActError::UnknownIntent)?;
        if !intent.act(act, now) {
            return Err(ActError::NotPossible);
        }
        state.note(number, now);
        Ok(())
    }

    /// The moment, after now, of the earliest change that time alone brings to any intent: a step of a
    /// scenario or of an act, an expiry, a webhook that comes due. `None` if everything stays as it is until
    /// somebody does something.
    ///
    /// The moment may bring nothing that an answer shows, but nothing changes before: a clock that goes from
    /// change to change misses none. Intents alone count: the end of a limit's minute is no change. The time
    /// of a call hardly follows the number of intents.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// // On to the next thing that happens.
    /// if let Some(next) = sandbox.next_change() {
    ///     sandbox.clock().advance_to(next);
    /// }
    /// assert_eq!(sandbox.next_change(), None); // there is no intent
    /// ```
    #[must_use]
    pub fn next_change(&self) -> Option<Moment> {
        let mut state = self.state();
        let now = self.0.world.now();
        state.next_change(now)
    }

    /// Takes a request from a client, as [`send`](Transport::send) does, and returns everything that the
    /// sandbox knows about the request and the answer.
    ///
    /// `fault` makes this request go wrong, if the fault fits the request. Otherwise the first fault that
    /// waits and fits makes the request go wrong.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    /// use checkout_transport::{Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let exchange = sandbox.exchange(Request::new(Bytes::new()), Some(Fault::LostRequest));
    /// assert!(exchange.answer.is_none() && exchange.error.is_some());
    /// ```
    pub fn exchange(&self, request: Request, fault: Option<Fault>) -> Exchange {
        self.0.exchange(request, fault, None)
    }

    /// Takes a request from a client, as [`exchange`](Self::exchange) does. A new intent that the request
    /// makes goes through `scenario`, before the scenarios that wait.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    /// use checkout_transport::{Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let exchange = sandbox.exchange_through(Request::new(Bytes::new()), None, Some(Scenario::happy()));
    /// assert_eq!(exchange.route, None);
    /// ```
    pub fn exchange_through(
        &self,
        request: Request,
        fault: Option<Fault>,
        scenario: Option<Scenario>,
    ) -> Exchange {
        self.0.exchange(request, fault, scenario)
    }

    /// Sends each new intent for which nobody has chosen a scenario through `scenario`, until the
    /// [reset](Self::reset). `None` is the scenario of
    /// [`Builder::scenario`](super::Builder::scenario).
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).set_scenario(Some(Scenario::late_success()));
    /// ```
    pub fn set_scenario(&self, scenario: Option<Scenario>) {
        self.state().usual = scenario;
    }

    /// Sets the provider's own clock ahead of the sandbox's clock by so many milliseconds, or behind if
    /// negative, until the [reset](Self::reset). Everything happens at its right time, and the times that the
    /// provider tells and compares are wrong.
    ///
    /// The `Date` of answers and the window for a request's time are the clock's. A webhook is signed for the
    /// moment that the caller of [`Webhook::signed_at`] names.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
    /// use checkout_transport::{Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let date = || sandbox.exchange(Request::new(Bytes::new()), None).answer.unwrap().headers()["date"].clone();
    /// let right = date();
    /// sandbox.set_skew_ms(-300_000);
    /// assert_ne!(date(), right);
    /// assert_eq!(sandbox.skew_ms(), -300_000);
    /// ```
    pub fn set_skew_ms(&self, skew_ms: i64) {
        self.0.world.set_skew(Skew(skew_ms));
    }

    /// The milliseconds by which the provider's own clock is ahead of the sandbox's clock.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert_eq!(Sandbox::new(7).skew_ms(), 0);
    /// ```
    #[must_use]
    pub fn skew_ms(&self) -> i64 {
        self.0.world.skew().0
    }

    /// The route that a request is for, whatever the answer would be. `None` if the provider has no such
    /// route.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
    /// use checkout_tables::allscale::Route;
    /// use checkout_transport::http::Request;
    ///
    /// let read = Request::get("https://openapi.allscale.io/v1/test/ping");
    /// let (head, ()) = read.body(())?.into_parts();
    /// assert_eq!(Sandbox::new(7).route_of(&head), Some(Route::Ping));
    /// # Ok::<(), checkout_transport::http::Error>(())
    /// ```
    #[must_use]
    pub fn route_of(&self, head: &Parts) -> Option<Route> {
        Server::route_of(head)
    }

    /// The merchant's name for the order that a request is about, as far as the request and the checkouts of
    /// now tell the order. A request for a new checkout names the order, and a read leads to a checkout.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// # let (head, ()) = checkout_transport::http::Request::new(()).into_parts();
    /// assert_eq!(Sandbox::new(7).order_of(&head, b"anything"), None);
    /// ```
    #[must_use]
    pub fn order_of(&self, head: &Parts, body: &[u8]) -> Option<String> {
        self.0.order_of(head, body)
    }

    /// Makes the next request that the fault fits go wrong.
    ///
    /// ```
    /// use checkout_sandbox::allscale::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// Makes the next request for this route that the fault fits go wrong.
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

    /// The number of faults that still wait for a request.
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

    /// Makes `units` of `currency` worth `coins` coins from now on: 27 coins for 20 units are a rate of 1.35.
    /// The rate of every currency is 1 until the currency's rate is set.
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

    /// Every request that the sandbox has seen, in the order of arrival, without the requests that
    /// [`Fault::LostBefore`] or [`Fault::LostRequest`] took. Empty if the builder says to
    /// [forget](super::Builder::forget_requests) requests.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest<i64>> {
        self.state().requests.clone()
    }

    /// Every intent of every store as the intent stands now, in the order of creation.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).intents().is_empty());
    /// ```
    #[must_use]
    pub fn intents(&self) -> Vec<IntentRecord> {
        let now = self.0.world.now();
        self.state().intents.iter().map(|intent| intent.record(now)).collect()
    }

    /// The intent with this id as the intent stands now. The id is in lower case.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert_eq!(Sandbox::new(7).intent("0123456789abcdef01234567"), None);
    /// ```
    #[must_use]
    pub fn intent(&self, id: &str) -> Option<IntentRecord> {
        let now = self.0.world.now();
        let state = self.state();
        let number = state.number_of.get(id).copied()?;
        Some(state.intents.get(number)?.record(now))
    }

    /// The numbers of requests that the store with this API key has made.
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

    /// The use that the store with this API key makes of
    /// [`Builder::requests_per_minute`](super::Builder::requests_per_minute). `None` if there is no such
    /// store or no limit.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    ///
    /// use checkout_sandbox::allscale::{API_KEY, Sandbox};
    ///
    /// let limited = Sandbox::builder().requests_per_minute(NonZeroU32::MIN).build();
    /// assert_eq!(limited.limit_use(API_KEY).map(|limit| limit.most), Some(1));
    /// assert_eq!(Sandbox::new(7).limit_use(API_KEY), None);
    /// ```
    #[must_use]
    pub fn limit_use(&self, api_key: &str) -> Option<LimitUse> {
        let most = self.0.requests_per_minute?;
        let store = self.0.store_of.get(api_key).copied()?;
        let state = self.state();
        let now = self.0.world.now();
        let minute = now.unix_seconds().div_euclid(60);
        let counted = state.counted.get(&store).filter(|(of, _)| *of == minute);
        let used = counted.map_or(0, |(_, requests)| *requests);
        let next_minute = Moment::from_unix_seconds((minute + 1) * 60);
        Some(LimitUse::new(most, used, if used < most { now } else { next_minute }))
    }

    /// Every webhook that is due by now, taken before or not, in the order of time: one webhook for each
    /// intent of a store with a webhook URL that has been confirmed.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        let state = self.state();
        let now = self.0.world.now();
        let due = |intent: &&Intent| intent.confirmed_at().is_some_and(|at| at <= now);
        in_order(state.intents.iter().filter(due).filter_map(|intent| self.webhook(intent)).collect())
    }

    /// The webhooks that have come due since the last call, in the order of time.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(7).take_webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn take_webhooks(&self) -> Vec<Webhook> {
        let mut state = self.state();
        let now = self.0.world.now();
        let mut webhooks = Vec::new();
        for number in state.take_due(now) {
            let Some(intent) = state.intents.get_mut(number) else { continue };
            intent.take();
            webhooks.extend(self.webhook(intent));
        }
        in_order(webhooks)
    }

    /// The statuses that an intent has had by now, each with the time of the change, in order. Empty if no
    /// intent has the id.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::new(1).history("0123456789abcdef01234567").is_empty());
    /// ```
    #[must_use]
    pub fn history(&self, intent_id: &str) -> Vec<(Moment, i64)> {
        let now = self.0.world.now();
        self.of_intent(intent_id, |intent| intent.history(now)).unwrap_or_default()
    }

    /// The `redirect_url` of the request, to which the payer comes back from the page.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert_eq!(Sandbox::new(1).return_url("0123456789abcdef01234567"), None);
    /// ```
    #[must_use]
    pub fn return_url(&self, intent_id: &str) -> Option<String> {
        self.of_intent(intent_id, |intent| intent.return_url().map(str::to_owned)).flatten()
    }

    /// True if [`act`](Self::act) would do the act now.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::{Act, Sandbox};
    /// assert!(!Sandbox::new(1).may_act("0123456789abcdef01234567", Act::Pay));
    /// ```
    #[must_use]
    pub fn may_act(&self, intent_id: &str, act: Act) -> bool {
        let now = self.0.world.now();
        self.of_intent(intent_id, |intent| intent.may_act(act, now)).unwrap_or_default()
    }

    /// The time of the next change of one intent, if time alone brings a change.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert_eq!(Sandbox::new(1).next_change_of("0123456789abcdef01234567"), None);
    /// ```
    #[must_use]
    pub fn next_change_of(&self, intent_id: &str) -> Option<Moment> {
        let now = self.0.world.now();
        self.of_intent(intent_id, |intent| intent.next_change(now)).flatten()
    }

    fn of_intent<T>(&self, id: &str, ask: impl FnOnce(&Intent) -> T) -> Option<T> {
        let state = self.state();
        let number = state.number_of.get(id).copied()?;
        state.intents.get(number).map(ask)
    }

    /// The webhook of the intent's confirmation, past or to come.
    fn webhook(&self, intent: &Intent) -> Option<Webhook> {
        let store = self.0.stores.get(intent.store)?;
        Webhook::of(intent, store.key(), store.notified_at()?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

fn in_order(mut webhooks: Vec<Webhook>) -> Vec<Webhook> {
    webhooks.sort_by_key(|webhook| webhook.at);
    webhooks
}

impl Transport for Sandbox {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.0.exchange(request, None, None).into_result()
    }
}

impl BlockingTransport for Sandbox {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        self.0.exchange(request, None, None).into_result()
    }
}

impl fmt::Debug for Sandbox {
    /// Prints the time of the clock, the numbers of stores, intents and requests, and the faults that wait.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Sandbox")
            .field("now", &self.0.world.now())
            .field("stores", &self.0.stores.len())
            .field("intents", &state.intents.len())
            .field("requests", &state.seen)
            .field("faults", &state.faults)
            .finish_non_exhaustive()
    }
}
