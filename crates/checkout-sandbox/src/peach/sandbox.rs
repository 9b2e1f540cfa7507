//! The calls of a test to the sandbox.

use std::fmt;
use std::sync::{Arc, MutexGuard};

use checkout_tables::Moment;
use checkout_tables::peach::Route;
use checkout_transport::http::request::Parts;
use checkout_transport::{BlockingTransport, Request, Response, Transport, TransportError};

use super::Exchange;
use super::checkout::{Act, Checkout, CheckoutRecord};
use super::fault::Fault;
use super::scenario::{CANCELLED, SUCCESS, Scenario};
use super::server::Server;
use super::state::{State, StatusRequest};
use super::webhook::{Probe, ShopperReturn, Webhook};
use crate::counts::MINUTE;
use crate::generator::Generator;
use crate::skew::Skew;
use crate::{Counts, LimitUse, RecordedRequest, VirtualClock};

/// Peach's side: merchants, checkouts, and a clock.
///
/// The sandbox is a [`Transport`] and a [`BlockingTransport`]. The sandbox answers on the hosts of its
/// environment. A clone is the same sandbox. With the same seed the same requests get the same bytes; the
/// numbers behind the ids, tokens and cards are **not for security**.
///
/// The sandbox remembers every checkout for as long as the sandbox lives, and every request too, unless the
/// builder says to [forget](super::Builder::forget_requests) requests.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_auth::peach::SecretToken;
/// use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};
/// use checkout_transport::{BlockingTransport, bytes::Bytes, http};
///
/// let sandbox = Sandbox::new(42);
/// sandbox.next_checkout(Scenario::declined_then_paid());
/// let mut fields = vec![
///     ("amount", "92.00"), ("authentication.entityId", ENTITY_ID), ("currency", "ZAR"),
///     ("merchantTransactionId", "order-0001"), ("nonce", "n1"), ("paymentType", "DB"),
///     ("shopperResultUrl", "https://shop.example/done"),
/// ];
/// let signature = SecretToken::new(SECRET_TOKEN.into())?.sign(fields.iter().copied())?;
/// fields.push(("signature", signature.as_str()));
/// let form: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
/// let initiate = http::Request::post("https://testsecure.peachpayments.com/checkout/initiate")
///     .header("content-type", "application/x-www-form-urlencoded")
///     .header("referer", REFERER)
///     .body(Bytes::from(form.join("&")))?;
/// assert_eq!(sandbox.send_blocking(initiate)?.status(), 201);
///
/// sandbox.clock().advance(Duration::from_secs(60));
/// assert_eq!(sandbox.checkouts()[0].code, "800.100.151");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sandbox(pub(super) Arc<Server>);

impl Sandbox {
    /// The sandbox's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::peach::Sandbox;
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

    /// Makes another sandbox with a copy of everything: checkouts, requests, and the scenarios and faults
    /// that wait. The copy has a clock of its own, which shows the same moment. Nothing that happens to
    /// either sandbox later shows in the other.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::peach::{Fault, Sandbox};
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
    /// use checkout_sandbox::peach::{Fault, Sandbox};
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
    /// requests, access tokens, the scenarios and faults that wait, and the time. The keys, the address of
    /// the pages and the other settings of this sandbox stay, and so does the beginning to which
    /// [`reset`](Self::reset) goes. The n-th merchant of the other sandbox is the n-th merchant of this
    /// sandbox.
    ///
    /// The clock shows the other sandbox's time and may go back, with all of its clones: restore all
    /// sandboxes that share the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::peach::{Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::new(7);
    /// let before = sandbox.fork();
    /// sandbox.inject(Fault::Garbage);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// sandbox.restore(&before);
    /// assert_eq!((sandbox.faults_waiting(), sandbox.clock().now()), (0, before.clock().now()));
    /// ```
    pub fn restore(&self, other: &Self) {
        self.0.world.restore(&other.0.world, |state| self.0.adopt(state, &other.0));
    }

    /// Sends the next new checkout through `scenario`. Several scenarios wait in the order of the calls. A
    /// checkout for which none waits goes through the scenario of
    /// [`Builder::scenario`](super::Builder::scenario).
    ///
    /// ```
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_checkout(Scenario::charged_back());
    /// ```
    pub fn next_checkout(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// Has the payer open the page now: the checkout leaves the scenario, is created, and expires half an
    /// hour later unless something else happens. False if there is no such checkout, or if the checkout is
    /// past its opening.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    ///
    /// assert!(!Sandbox::new(7).open("nobody's checkout"));
    /// ```
    #[must_use]
    pub fn open(&self, checkout_id: &str) -> bool {
        self.act(checkout_id, Act::Open)
    }

    /// Has the payer pay now, on time or late: the checkout leaves the scenario and is successful, with the
    /// code of the environment. The payer first opens an unopened page. False if there is no such checkout.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    ///
    /// assert!(!Sandbox::new(7).pay("nobody's checkout"));
    /// ```
    #[must_use]
    pub fn pay(&self, checkout_id: &str) -> bool {
        self.act(checkout_id, Act::End(SUCCESS))
    }

    /// Has the payer cancel now, or even after the payment: the checkout leaves the scenario and is
    /// cancelled. The payer first opens an unopened page. False if there is no such checkout.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    ///
    /// assert!(!Sandbox::new(7).cancel("nobody's checkout"));
    /// ```
    #[must_use]
    pub fn cancel(&self, checkout_id: &str) -> bool {
        self.act(checkout_id, Act::End(CANCELLED))
    }

    /// Brings the checkout to this result code now, any text or [`SUCCESS`]: the checkout leaves the
    /// scenario. The payer first opens an unopened page. False if there is no such checkout.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    ///
    /// assert!(!Sandbox::new(7).come_to("nobody's checkout", "800.100.151"));
    /// ```
    #[must_use]
    pub fn come_to(&self, checkout_id: &str, code: &str) -> bool {
        self.act(checkout_id, Act::End(code))
    }

    /// The moment, after now, of the earliest change that time alone brings to any checkout: a step of a
    /// scenario, an expiry, a webhook that comes due. `None` if everything stays as it is until somebody does
    /// something.
    ///
    /// The moment may bring nothing that an answer shows, but nothing changes before: a clock that goes from
    /// change to change misses none. Checkouts alone count: the end of a limit's minute, of a signature's day
    /// or of an access token is no change. The time of a call hardly follows the number of checkouts.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
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
    /// use checkout_sandbox::peach::{Fault, Sandbox};
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
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
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
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).set_scenario(Some(Scenario::late_success_after_expired()));
    /// ```
    pub fn set_scenario(&self, scenario: Option<Scenario>) {
        self.state().usual = scenario;
    }

    /// Sets the provider's own clock ahead of the sandbox's clock by so many milliseconds, or behind if
    /// negative, until the [reset](Self::reset). Everything happens at its right time, and the times that the
    /// provider tells and compares are wrong.
    ///
    /// The `Date` of answers, the `timestamp` of replies and webhooks, and the time that a webhook is signed
    /// with are the clock's.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
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
    /// # use checkout_sandbox::peach::Sandbox;
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
    /// use checkout_sandbox::peach::Sandbox;
    /// use checkout_tables::peach::Route;
    /// use checkout_transport::http::Request;
    ///
    /// let read = Request::get("https://testsecure.peachpayments.com/status?checkoutId=a");
    /// let (head, ()) = read.body(())?.into_parts();
    /// assert_eq!(Sandbox::new(7).route_of(&head), Some(Route::Status));
    /// # Ok::<(), checkout_transport::http::Error>(())
    /// ```
    #[must_use]
    pub fn route_of(&self, head: &Parts) -> Option<Route> {
        self.0.route_of(head)
    }

    /// The merchant's name for the order that a request is about, as far as the request and the checkouts of
    /// now tell the order. A request for a new checkout names the order, and a read leads to a checkout.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
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
    /// use checkout_sandbox::peach::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// Makes the next request for this route that the fault fits go wrong.
    ///
    /// ```
    /// use checkout_sandbox::peach::{Fault, Sandbox};
    /// use checkout_tables::peach::Route;
    ///
    /// Sandbox::new(7).inject_on(Route::Status, Fault::TamperedAmount);
    /// ```
    pub fn inject_on(&self, route: Route, fault: Fault) {
        self.state().faults.push((Some(route), fault));
    }

    /// The number of faults that still wait for a request.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{Fault, Sandbox};
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
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest<String>> {
        self.state().requests.clone()
    }

    /// Every checkout of every merchant as the checkout stands now, in the order of creation.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn checkouts(&self) -> Vec<CheckoutRecord> {
        let now = self.0.world.now();
        self.state().checkouts.iter().map(|checkout| checkout.record(now)).collect()
    }

    /// The checkout with this id, of whichever merchant, as the checkout stands now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert_eq!(Sandbox::new(7).checkout("nobody's checkout"), None);
    /// ```
    #[must_use]
    pub fn checkout(&self, checkout_id: &str) -> Option<CheckoutRecord> {
        let now = self.0.world.now();
        self.state().numbered(checkout_id).map(|checkout| checkout.record(now))
    }

    /// The latest checkout that the merchant of this entity has made with this `merchantTransactionId`, as
    /// the checkout stands now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    /// assert_eq!(Sandbox::new(7).checkout_of(ENTITY_ID, "order-0001"), None);
    /// ```
    #[must_use]
    pub fn checkout_of(&self, entity_id: &str, merchant_transaction_id: &str) -> Option<CheckoutRecord> {
        let now = self.0.world.now();
        let key = (self.0.merchant(entity_id)?, merchant_transaction_id.to_owned());
        let state = self.state();
        let number = state.numbers_of_transaction.get(&key)?.last().copied()?;
        state.checkouts.get(number).map(|checkout| checkout.record(now))
    }

    /// The numbers of requests that the merchant of this entity has made by either version. A request of V2
    /// counts for the merchant of its token.
    ///
    /// ```
    /// use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    ///
    /// assert_eq!(Sandbox::new(7).counts(ENTITY_ID).requests, 0);
    /// ```
    #[must_use]
    pub fn counts(&self, entity_id: &str) -> Counts {
        let merchant = self.0.merchant(entity_id);
        let state = self.state();
        let visits = merchant.and_then(|merchant| state.visits.get(merchant));
        visits.map_or_else(Counts::default, |visits| visits.tally.counts())
    }

    /// The requests for a status, of both versions, that the merchant of this entity has made, in the order
    /// of arrival. Empty if the builder says to [forget](super::Builder::forget_requests) requests.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    /// assert!(Sandbox::new(7).status_requests(ENTITY_ID).is_empty());
    /// ```
    #[must_use]
    pub fn status_requests(&self, entity_id: &str) -> Vec<StatusRequest> {
        let merchant = self.0.merchant(entity_id);
        let state = self.state();
        let visits = merchant.and_then(|merchant| state.visits.get(merchant));
        visits.map_or_else(Vec::new, |visits| visits.status_requests.clone())
    }

    /// Every webhook that is due by now, taken before or not, in the order of time: one webhook for each
    /// change of a checkout's code, `created` first.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        let now = self.0.world.now();
        self.due(&self.state().checkouts, now, |_| 0)
    }

    /// The webhooks that have come due since the last call, in the order of time.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).take_webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn take_webhooks(&self) -> Vec<Webhook> {
        let mut state = self.state();
        let now = self.0.world.now();
        let state = &mut *state;
        let due = state.take_due(now);
        let checkouts = due.iter().filter_map(|number| state.checkouts.get(*number));
        let webhooks = self.due(checkouts, now, |checkout| checkout.taken);
        for number in due {
            let Some(checkout) = state.checkouts.get_mut(number) else { continue };
            checkout.taken = checkout.reached(now).len();
            state.note(number, now);
        }
        webhooks
    }

    /// The `POST` with which the payer's browser would come back to the shop now. `None` if there is no such
    /// checkout.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert_eq!(Sandbox::new(7).shopper_return("nobody's checkout"), None);
    /// ```
    #[must_use]
    pub fn shopper_return(&self, checkout_id: &str) -> Option<ShopperReturn> {
        let now = self.0.world.now();
        let state = self.state();
        let checkout = state.numbered(checkout_id)?;
        let merchant = self.0.merchants.get(checkout.merchant)?;
        Some(ShopperReturn::of(checkout, merchant.token(), now, self.0.world.skew()))
    }

    /// The use that the merchant with this entity makes of
    /// [`Builder::status_limit`](super::Builder::status_limit). `None` if there is no such merchant or no
    /// limit.
    ///
    /// ```
    /// use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    ///
    /// assert_eq!(Sandbox::new(7).limit_use(ENTITY_ID).map(|limit| limit.most), Some(2));
    /// assert_eq!(Sandbox::builder().status_limit(None).build().limit_use(ENTITY_ID), None);
    /// ```
    #[must_use]
    pub fn limit_use(&self, entity_id: &str) -> Option<LimitUse> {
        let most = self.0.status_limit?;
        let merchant = self.0.merchant(entity_id)?;
        let state = self.state();
        let now = self.0.world.now();
        let let_in = &state.visits.get(merchant)?.let_in;
        let mut counted = let_in.iter().filter(|at| now.saturating_since(**at) < MINUTE);
        let oldest = counted.next().copied();
        let used =
            u32::try_from(counted.count()).unwrap_or(u32::MAX).saturating_add(u32::from(oldest.is_some()));
        let ends = oldest.map_or(now, |at| at.saturating_add(MINUTE));
        Some(LimitUse::new(most, used, if used < most { now } else { ends }))
    }

    /// The `POST` that tries the merchant's webhook URL out before the URL is saved. The `POST` is the same
    /// at every time. `None` if there is no such merchant.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    /// let sandbox = Sandbox::new(7);
    /// assert_eq!(sandbox.probe(ENTITY_ID).unwrap().content_type, "application/json");
    /// assert!(sandbox.probe("nobody").is_none());
    /// ```
    #[must_use]
    pub fn probe(&self, entity_id: &str) -> Option<Probe> {
        let number = self.0.merchant(entity_id)?;
        let seed = u64::try_from(number).unwrap_or_default();
        Some(Probe::of(self.0.merchants.get(number)?.notified_at(), Generator::new(seed).hex(8)))
    }

    /// The result codes that a checkout has had by now, each with the time of the change, in order. Empty if
    /// no checkout has the id.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(1).history("nobody's checkout").is_empty());
    /// ```
    #[must_use]
    pub fn history(&self, checkout_id: &str) -> Vec<(Moment, String)> {
        let now = self.0.world.now();
        self.state().numbered(checkout_id).map_or_else(Vec::new, |checkout| checkout.history(now))
    }

    /// The time of the next change of one checkout, if time alone brings a change.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert_eq!(Sandbox::new(1).next_change_of("nobody's checkout"), None);
    /// ```
    #[must_use]
    pub fn next_change_of(&self, checkout_id: &str) -> Option<Moment> {
        let now = self.0.world.now();
        self.state().numbered(checkout_id).and_then(|checkout| checkout.next_change(now))
    }

    fn act(&self, checkout_id: &str, act: Act<'_>) -> bool {
        let mut state = self.state();
        let now = self.0.world.now();
        let state = &mut *state;
        let Some(number) = state.number_of.get(checkout_id).copied() else { return false };
        let Some(checkout) = state.checkouts.get_mut(number) else { return false };
        let acted = checkout.act(act, self.0.live, now);
        state.note(number, now);
        acted
    }

    /// The webhooks of these checkouts that are due by `now`, from the event with the number `from` on.
    fn due<'a>(
        &self,
        checkouts: impl IntoIterator<Item = &'a Checkout>,
        now: Moment,
        from: impl Fn(&Checkout) -> usize,
    ) -> Vec<Webhook> {
        let mut webhooks: Vec<Webhook> = Vec::new();
        for checkout in checkouts {
            let Some(merchant) = self.0.merchants.get(checkout.merchant) else { continue };
            let due = from(checkout)..checkout.reached(now).len();
            let of = |event| {
                Webhook::of(checkout, event, merchant.token(), merchant.notified_at(), self.0.world.skew())
            };
            webhooks.extend(due.filter_map(of));
        }
        webhooks.sort_by_key(|webhook| webhook.at);
        webhooks
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
    /// Prints the time of the clock, the numbers of merchants, checkouts and requests, and the faults that
    /// wait.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Sandbox")
            .field("now", &self.0.world.now())
            .field("merchants", &self.0.merchants.len())
            .field("checkouts", &state.checkouts.len())
            .field("requests", &state.seen)
            .field("faults", &state.faults)
            .finish_non_exhaustive()
    }
}
