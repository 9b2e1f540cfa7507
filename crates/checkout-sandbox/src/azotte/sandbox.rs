//! The calls of a test to the sandbox.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, MutexGuard};

use checkout_tables::Moment;
use checkout_tables::azotte::Route;
use checkout_transport::http::request::Parts;
use checkout_transport::{BlockingTransport, Request, Response, Transport, TransportError};

use super::Exchange;
use super::checkout::{Act, Checkout, CheckoutRecord};
use super::fault::Fault;
use super::scenario::Scenario;
use super::server::Server;
use super::state::State;
use super::tenant::Tenant;
use crate::counts::Tally;
use crate::skew::Skew;
use crate::{Counts, RecordedRequest, VirtualClock};

/// Azotte's side: tenants, checkouts, and a clock.
///
/// The sandbox is a [`Transport`] and a [`BlockingTransport`]. The sandbox answers every request, whatever
/// host the request names (see [`Tenant::project`]). A clone is the same sandbox. With the same seed the same
/// requests get the same bytes; the numbers behind the ids are **not for security**.
///
/// The sandbox remembers every checkout for as long as the sandbox lives, and every request too, without card
/// data, unless the builder says to [forget](super::Builder::forget_requests) requests.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(42);
/// sandbox.next_checkout(Scenario::three_ds_url());
/// let body = r#"{
///     "order": {
///         "offerIdentifier": "of_1", "correlationId": "order-1",
///         "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" }
///     },
///     "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
/// }"#;
/// let submit = http::Request::post("https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout")
///     .header("x-tn", X_TN)
///     .header("x-api-key", API_KEY)
///     .header("content-type", "application/json")
///     .body(Bytes::from(body))?;
/// assert_eq!(sandbox.send_blocking(submit)?.status(), 202);
///
/// sandbox.clock().advance(Duration::from_secs(5));
/// let challenged = sandbox.checkouts().remove(0);
/// assert_eq!(challenged.message_code, "CHECK_OUT_3DS_REQUIRED");
/// sandbox.complete_3ds(&challenged.tracking_number)?;
/// sandbox.clock().advance(Duration::from_secs(5));
/// assert_eq!(sandbox.checkouts()[0].message_code, "CHECK_OUT_DONE");
/// assert_eq!(sandbox.captures_of("order-1"), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sandbox(pub(super) Arc<Server>);

impl Sandbox {
    /// The sandbox's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::azotte::Sandbox;
    /// use checkout_tables::Moment;
    ///
    /// let sandbox = Sandbox::new(7);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// assert_eq!(sandbox.clock().now(), Moment::from_unix_millis(1_717_246_332_923));
    /// ```
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        self.0.world.clock()
    }

    /// Makes another sandbox with a copy of everything: checkouts, requests, and the scenarios and faults
    /// that wait. The copy has a clock of its own, which shows the same moment. Nothing that happens to
    /// either sandbox later shows in the other.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
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

    /// Brings the sandbox back to the state after `build`: no checkout and no request is there, no scenario
    /// and no fault waits, the same ids come again, and the clock shows the moment of the beginning. The
    /// same requests at the same moments get the same bytes again.
    ///
    /// The clock goes back with all of its clones, so reset all sandboxes that share the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
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

    /// Takes over the state of another sandbox, a [fork](Self::fork) from earlier as a rule: checkouts,
    /// requests, the scenarios and faults that wait, and the time. The keys, the address of the pages and the
    /// other settings of this sandbox stay, and so does the beginning to which [`reset`](Self::reset) goes.
    /// The n-th tenant of the other sandbox is the n-th tenant of this sandbox.
    ///
    /// The clock shows the other sandbox's time and may go back, with all of its clones: restore all
    /// sandboxes that share the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let before = sandbox.fork();
    /// sandbox.inject(Fault::Garbage);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// sandbox.restore(&before);
    /// assert_eq!((sandbox.faults_waiting(), sandbox.clock().now()), (0, before.clock().now()));
    /// ```
    pub fn restore(&self, other: &Self) {
        let tenants = self.0.tenants.len();
        self.0.world.restore(&other.0.world, |state| state.tallies.resize_with(tenants, Tally::default));
    }

    /// Sends the next new checkout through `scenario`. Several scenarios wait in the order of the calls. A
    /// checkout for which none waits goes through the scenario of
    /// [`Builder::scenario`](super::Builder::scenario).
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_checkout(Scenario::failed());
    /// ```
    pub fn next_checkout(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// Has the payer pass the challenge that this checkout waits in, or do what the redirect asks for, and
    /// brings the browser back.
    ///
    /// # Errors
    /// An error if no tenant has such a checkout, or if the checkout waits for no browser.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{ChallengeError, Sandbox};
    ///
    /// let nobodys = Sandbox::new(7).complete_3ds("trk_1");
    /// assert_eq!(nobodys, Err(ChallengeError::UnknownTracking));
    /// ```
    pub fn complete_3ds(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.act(tracking_number, Act::Pass)
    }

    /// Has the payer fail the challenge, and brings the browser back: the checkout is `CHECK_OUT_FAILED` from
    /// now on, for good.
    ///
    /// # Errors
    /// An error if no tenant has such a checkout, or if the checkout waits for no browser.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// assert!(Sandbox::new(7).fail_3ds("trk_1").is_err());
    /// ```
    pub fn fail_3ds(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.act(tracking_number, Act::Fail)
    }

    /// Has the payer pass the challenge, and the payer's bank decline the payment, and brings the browser
    /// back: the checkout is `CHECK_OUT_FAILED` from now on, for good, and says "card declined".
    ///
    /// # Errors
    /// An error if no tenant has such a checkout, or if the checkout waits for no browser.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// assert!(Sandbox::new(7).decline("trk_1").is_err());
    /// ```
    pub fn decline(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.act(tracking_number, Act::Decline)
    }

    /// Has the payer leave the page: the browser comes back from this and every later redirect of the
    /// checkout no more, unless a call brings the browser back.
    ///
    /// # Errors
    /// An error if no tenant has such a checkout, or if the checkout waits for no browser.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// assert!(Sandbox::new(7).abandon("trk_1").is_err());
    /// ```
    pub fn abandon(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.act(tracking_number, Act::Abandon)
    }

    /// The moment, after now, of the earliest change that time alone brings to any checkout: a step of a
    /// scenario, or a browser that comes back by itself. `None` if everything stays as it is until somebody
    /// does something.
    ///
    /// The moment may bring nothing that an answer shows, but nothing changes before: a clock that goes from
    /// change to change misses none. The time of a call hardly follows the number of checkouts.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// // On to the next thing that happens.
    /// if let Some(next) = sandbox.next_change() {
    ///     sandbox.clock().advance_to(next);
    /// }
    /// assert_eq!(sandbox.next_change(), None); // there is no checkout
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
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
    /// use checkout_transport::{Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let exchange = sandbox.exchange(Request::new(Bytes::new()), Some(Fault::LostRequest));
    /// assert!(exchange.answer.is_none() && exchange.error.is_some());
    /// ```
    pub fn exchange(&self, request: Request, fault: Option<Fault>) -> Exchange {
        self.0.exchange(request, fault, None)
    }

    /// Takes a request from a client, as [`exchange`](Self::exchange) does. A new checkout that the request
    /// makes goes through `scenario`, before the scenarios that wait.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
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

    /// Sends each new checkout for which nobody has chosen a scenario through `scenario`, until the
    /// [reset](Self::reset). `None` is the scenario of
    /// [`Builder::scenario`](super::Builder::scenario).
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
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
    /// The `Date` of answers is the clock's.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
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
    /// # use checkout_sandbox::azotte::Sandbox;
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
    /// use checkout_sandbox::azotte::Sandbox;
    /// use checkout_tables::azotte::Route;
    /// use checkout_transport::http::Request;
    ///
    /// let read = Request::get("https://shop.sandbox.azotte.com/api/v1/c2a/offer/checkout/trk_1/status");
    /// let (head, ()) = read.body(())?.into_parts();
    /// assert_eq!(Sandbox::new(7).route_of(&head), Some(Route::CheckoutStatus));
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
    /// # use checkout_sandbox::azotte::Sandbox;
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
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// Makes the next request for this route that the fault fits go wrong.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
    /// use checkout_tables::azotte::Route;
    ///
    /// Sandbox::new(7).inject_on(Route::CheckoutStatus, Fault::TamperedTracking);
    /// ```
    pub fn inject_on(&self, route: Route, fault: Fault) {
        self.state().faults.push((Some(route), fault));
    }

    /// The number of faults that still wait for a request.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::{Fault, Sandbox};
    /// let sandbox = Sandbox::new(7);
    /// sandbox.inject(Fault::Garbage);
    /// assert_eq!(sandbox.faults_waiting(), 1);
    /// ```
    #[must_use]
    pub fn faults_waiting(&self) -> usize {
        self.state().faults.len()
    }

    /// Every request that the sandbox has seen, in the order of arrival, without the requests that
    /// [`Fault::LostBefore`] or [`Fault::LostRequest`] took. Empty if the builder says to
    /// [forget](super::Builder::forget_requests) requests.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest<String>> {
        self.state().requests.clone()
    }

    /// Every checkout of every tenant as the checkout stands now, in the order of the submits.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::new(7).checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn checkouts(&self) -> Vec<CheckoutRecord> {
        let now = self.0.world.now();
        self.state().checkouts.iter().map(|checkout| self.record(checkout, now)).collect()
    }

    /// The number of captures by now of payments with this correlation id, over all checkouts and all
    /// tenants: the number of times that the payer was charged.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert_eq!(Sandbox::new(7).captures_of("order-1"), 0);
    /// ```
    #[must_use]
    pub fn captures_of(&self, correlation_id: &str) -> u32 {
        let now = self.0.world.now();
        let state = self.state();
        let numbers = state.numbers_of_id.get(correlation_id).into_iter().flatten();
        let checkouts = numbers.filter_map(|number| state.checkouts.get(*number));
        checkouts.map(|checkout| checkout.record("", now).captures).sum()
    }

    /// The checkout with this tracking number, of whichever tenant, as the checkout stands now.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert_eq!(Sandbox::new(7).checkout("trk_1"), None);
    /// ```
    #[must_use]
    pub fn checkout(&self, tracking_number: &str) -> Option<CheckoutRecord> {
        let now = self.0.world.now();
        self.state().tracked(tracking_number).map(|(_, checkout)| self.record(checkout, now))
    }

    /// The numbers of requests that the tenant with this `x-tn` has made.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, X_TN};
    ///
    /// assert_eq!(Sandbox::new(7).counts(X_TN).requests, 0);
    /// ```
    #[must_use]
    pub fn counts(&self, x_tn: &str) -> Counts {
        let tenant = self.0.tenant_of.get(x_tn).copied();
        let state = self.state();
        tenant.and_then(|tenant| state.tallies.get(tenant)).map_or_else(Counts::default, Tally::counts)
    }

    /// The codes that a checkout has had by now, each with the time of the change, in order. Empty if no
    /// checkout has the tracking number.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::new(1).history("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB").is_empty());
    /// ```
    #[must_use]
    pub fn history(&self, tracking_number: &str) -> Vec<(Moment, String)> {
        let now = self.0.world.now();
        let state = self.state();
        state.tracked(tracking_number).map_or_else(Vec::new, |(_, checkout)| checkout.history(now))
    }

    /// The time of the next change of one checkout, if time alone brings a change.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert_eq!(Sandbox::new(1).next_change_of("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB"), None);
    /// ```
    #[must_use]
    pub fn next_change_of(&self, tracking_number: &str) -> Option<Moment> {
        let now = self.0.world.now();
        let state = self.state();
        state.tracked(tracking_number).and_then(|(_, checkout)| checkout.next_change(now))
    }

    fn record(&self, checkout: &Checkout, now: Moment) -> CheckoutRecord {
        checkout.record(self.0.tenants.get(checkout.tenant).map_or("", Tenant::x_tn), now)
    }

    fn act(&self, tracking_number: &str, act: Act) -> Result<(), ChallengeError> {
        let mut state = self.state();
        let now = self.0.world.now();
        let number = state.number_of.get(tracking_number).copied().ok_or(ChallengeError::UnknownTracking)?;
        let checkout = state.checkouts.get_mut(number).ok_or(ChallengeError::UnknownTracking)?;
        if !checkout.act(act, now) {
            return Err(ChallengeError::NotWaiting);
        }
        state.note(number, now);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
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
    /// Prints the time of the clock, the numbers of tenants, checkouts and requests, and the faults that
    /// wait.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Sandbox")
            .field("now", &self.0.world.now())
            .field("tenants", &self.0.tenants.len())
            .field("checkouts", &state.checkouts.len())
            .field("requests", &state.seen)
            .field("faults", &state.faults)
            .finish_non_exhaustive()
    }
}

/// The reason why a payer cannot act at a redirect.
///
/// ```
/// use checkout_sandbox::azotte::ChallengeError;
///
/// assert_eq!(ChallengeError::NotWaiting.to_string(), "the checkout waits for no browser");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// No checkout has this tracking number.
    UnknownTracking,
    /// The checkout is not at a redirect, or the browser has returned from the redirect already.
    NotWaiting,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownTracking => "no checkout has this tracking number",
            Self::NotWaiting => "the checkout waits for no browser",
        })
    }
}

impl Error for ChallengeError {}
