//! Peach Payments Hosted Checkout, V1 and V2, played in process.
//!
//! A [`Sandbox`] takes the requests of both versions and answers as Peach's pages say. A checkout goes
//! through a [`Scenario`] as the sandbox's clock is advanced, or as a test has its payer act
//! ([`Sandbox::open`], [`Sandbox::pay`], [`Sandbox::cancel`]); a [`Fault`] makes one request go wrong. What
//! Peach would send of itself is taken from it: [`Sandbox::webhooks`], [`Sandbox::shopper_return`],
//! [`Sandbox::probe`].
//!
//! | what is asked | answer |
//! |---|---|
//! | a path that is not the host's, a host that is not the environment's, `http` | 404, a page of HTML |
//! | a method that the path does not have | 405, plain text |
//! | create, V2's status: no `Bearer` token, an unknown or an expired one | 401 and a `message` |
//! | a `Content-Type` that is not taken; what cannot be read | 415, 400 and a `message` |
//! | initiate, validate, create: fields that are not what the page says | 400 and `validation_errors`, all |
//! | initiate, validate, status: an unknown entity | 400 and a `message` |
//! | initiate, validate, create: the `Referer` is missing or of no allowed domain | 400 and a `message` |
//! | create: another merchant's entity | 400 and a `message` |
//! | initiate, validate, status: a missing or wrong signature | 400 and a `message` |
//! | initiate, validate: a signature that made a checkout in 24 hours | 400, `Duplicate signature.` |
//! | both statuses: a third request of a merchant's within 60 seconds | 429 and `Retry-After` |
//! | status: nothing to look for | 400 and a `message` |
//! | status, V2's status: no such checkout | 400, 404 and 200.300.404 |
//! | token: wrong credentials | 401 and a `message` |
//!
//! They are checked in this order, and the first that applies is answered.
//!
//! # Assumed
//! What no page says, and how it is played here:
//! - the HTTP status and the words of every refusal but `validation_errors`, `Duplicate signature.` and
//!   200.300.404; that fields are looked at before the signature;
//! - initiate and validate take a form, as is seen in use, and flat or nested JSON as well;
//!   create and the token take JSON alone; null in JSON is a field left out; a number has its shortest text;
//! - an optional field that is empty is left out, and signed all the same; a key twice, a key that no page
//!   names and V2's `signature` are refused; groups (`customer.`, `billing.`, `shipping.`, `cart.`) have any
//!   names in them;
//! - a `merchantTransactionId` has 1 to 48 characters, see [`Builder::transaction_ids_of_8_to_16`]; lengths
//!   count characters; `amount` comes back as it was written;
//! - `Referer` is an address of an allowed domain, or the bare domain, in any case;
//! - a signature is spent by the initiate that made a checkout, and by nothing else, for less than 24 hours;
//!   validate spends none, and answers 200 and `{}`;
//! - a status limit counts what was let in with a right signature or token, in a window that slides, both
//!   versions together, found or not; what it refused it does not count;
//! - V2's status knows V1's checkouts and the other way round; its reply is signed, and never wrapped;
//! - where several of `checkoutId`, `merchantTransactionId` and `id` are asked for, all must fit; an empty
//!   one is left out; unknown keys are signed and ignored;
//! - an unopened checkout is answered with 200, 700.400.580 and all its fields, with the time of its
//!   creation;
//! - `timestamp` is the time of the last change of the code, in milliseconds, in replies and in webhooks;
//!   every change has its webhook, PA's and those of attempts too;
//! - a card that `createRegistration` or `allowStoringDetails` stores has a `registrationId` from the first success;
//!   the payer who is asked says yes; `cardTokens` are taken, whosever they are, and change nothing; V1's
//!   `standingInstruction` is refused, since no page of V1 shows it; an amount of 0 is taken for PA with
//!   `createRegistration` alone;
//! - the payer's card shows from the first attempt, and `id` from the first success; the words of results,
//!   the merchant's name, and which of the fields that "and more" stands for are there;
//! - in the wrapped shape `timestamp` is what is left of half an hour since the opening, or since the
//!   creation before it, and 0 in the end; a code without a word is `pending`; an unopened checkout is
//!   `created`;
//! - an access token lasts 14,400 seconds, and another one does not end it;
//! - webhooks go to `notificationUrl`, else to the merchant's; their header scheme's timestamp is in whole
//!   seconds since 1970 and its key is the secret token; a cancelled payer comes back to `cancelUrl`;
//! - what tries a webhook's URL out has one member, `verificationCode`: eight hexadecimal digits;
//! - the time of everything but the half hours.
//!
//! Sources: *Payment status*; *Checkout V1 status*, *Checkout V2 status*, *Hosted Checkout V2*, *Hosted
//! Checkout authentication and authorisation*, 2026-05-25, *Checkout webhooks*, 2026-07-23, *Redirect response*,
//! *Response codes* and *Checkout FAQ* of Peach's developer pages.

mod answer;
mod checkout;
mod door;
mod fault;
mod form;
mod merchant;
mod order;
mod recorded;
mod route;
mod scenario;
mod signed;
mod webhook;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::mem;
use std::num::NonZeroU32;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkout_auth::peach::SecretToken;
use checkout_tables::peach::{Environment, Route};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::request::Parts;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, TransportError};

use crate::counts::{MINUTE_MILLIS, Tally, drop_old};
use crate::generator::Generator;
use crate::json::Json;
use crate::{Counts, VirtualClock};
use answer::{Answer, Outcome, Reply};
use checkout::{Act, Checkout};
use form::{Pairs, value_of};
use order::{IdRange, Order, Version};
use recorded::RecordedAnswer;
use route::{Hosts, Target};
use scenario::{CANCELLED, NOT_FOUND};

pub use checkout::CheckoutRecord;
pub use fault::Fault;
pub use merchant::Merchant;
pub use recorded::RecordedRequest;
pub use scenario::{SUCCESS, Scenario};
pub use webhook::{Probe, ShopperReturn, Webhook};

/// Peach's side: merchants, checkouts, and a clock.
///
/// It is a [`Transport`] and a [`BlockingTransport`] that answers by itself, on the hosts of its environment.
/// A clone is the same sandbox. With the same seed the same requests get the same bytes; the numbers behind
/// its ids, tokens and cards are **not for security**.
///
/// It remembers every request for as long as it lives, unless it is told to
/// [forget](Builder::forget_requests) them, and every checkout.
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
pub struct Sandbox(Arc<Shared>);

struct Shared {
    merchants: Vec<Merchant>,
    /// By entity.
    merchant_of: HashMap<String, usize>,
    forgets_requests: bool,
    live: bool,
    hosts: Hosts,
    id_range: IdRange,
    token_seconds: u64,
    expires_in_as_number: bool,
    status_limit: Option<u32>,
    scenario: Scenario,
    clock: VirtualClock,
    state: Mutex<State>,
}

struct State {
    checkouts: Vec<Checkout>,
    /// By the checkout's id.
    number_of: HashMap<String, usize>,
    /// By the id that the payment has or will have.
    number_of_payment: HashMap<String, usize>,
    /// By merchant and `merchantTransactionId`, the latest last.
    numbers_of_transaction: HashMap<(usize, String), Vec<usize>>,
    /// When the first change comes that has not been taken as a webhook, with the checkout's number.
    to_take: BTreeSet<(u64, usize)>,
    /// By merchant and signature: when it made a checkout.
    spent_signatures: HashMap<(usize, String), u64>,
    /// By access token: the merchant, and when it ends.
    access_tokens: HashMap<String, (usize, u64)>,
    /// By merchant.
    visits: Vec<Visits>,
    scenarios: VecDeque<Scenario>,
    faults: Vec<(Option<Route>, Fault)>,
    requests: Vec<RecordedRequest>,
    /// All that have been seen, remembered or not.
    seen: u64,
    checkout_ids: Generator,
    token_ids: Generator,
}

/// What a merchant has asked.
#[derive(Clone, Default)]
struct Visits {
    tally: Tally,
    /// When its reads of the last minute were let in, if there is a limit.
    let_in: VecDeque<u64>,
    /// Empty if they are forgotten.
    status_requests: Vec<StatusRequest>,
}

/// A request for a status that was let in with a right signature or token, as it counts for the limit of its
/// merchant.
///
/// ```
/// use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
///
/// assert!(Sandbox::new(7).status_requests(ENTITY_ID).is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRequest {
    /// When it arrived: milliseconds since 1970-01-01 UTC.
    pub at_millis: u64,
    /// The id of the checkout that was found, if it was looked for.
    pub checkout_id: Option<String>,
    /// Whether it was one too many, and answered 429.
    pub limited: bool,
}

impl Sandbox {
    /// A sandbox with the one merchant of [`ENTITY_ID`] and every setting as [`Builder`] has it.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
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
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::expired()).build();
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The clock that it goes by.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::peach::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// assert_eq!(sandbox.clock().now_millis(), 1_716_501_005_000);
    /// ```
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// The next checkout to be created goes through `scenario`. Several wait in their order; when none waits
    /// it is [`Builder::scenario`].
    ///
    /// ```
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_checkout(Scenario::charged_back());
    /// ```
    pub fn next_checkout(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// The payer opens the page now: the checkout leaves its scenario, is created, and expires half an hour
    /// later unless something else happens. False when there is no such checkout, or when it is past that.
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

    /// The payer pays now, on time or late: the checkout leaves its scenario and is successful, with the code
    /// of the environment. An unopened page is opened first. False when there is no such checkout.
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

    /// The payer cancels now, or even after the payment: the checkout leaves its scenario and is cancelled.
    /// An unopened page is opened first. False when there is no such checkout.
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

    /// The checkout leaves its scenario and comes to this result code now, any text or [`SUCCESS`]. An
    /// unopened page is opened first. False when there is no such checkout.
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

    /// The next request that the fault fits goes wrong.
    ///
    /// ```
    /// use checkout_sandbox::peach::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// The next request for this route that the fault fits goes wrong.
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

    /// How many faults still wait for a request.
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

    /// Every request that it has seen, in their order. One that [`Fault::LostBefore`] or
    /// [`Fault::LostRequest`] took is not among them. Empty if they are
    /// [forgotten](Builder::forget_requests).
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    /// Every checkout of every merchant, in the order of their creation, as they stand now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn checkouts(&self) -> Vec<CheckoutRecord> {
        let now = self.0.clock.now_millis();
        self.state().checkouts.iter().map(|checkout| checkout.record(now)).collect()
    }

    /// The checkout with this id, of whichever merchant, as it stands now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert_eq!(Sandbox::new(7).checkout("nobody's checkout"), None);
    /// ```
    #[must_use]
    pub fn checkout(&self, checkout_id: &str) -> Option<CheckoutRecord> {
        let now = self.0.clock.now_millis();
        self.state().numbered(checkout_id).map(|checkout| checkout.record(now))
    }

    /// The latest checkout that the merchant of this entity has made with this `merchantTransactionId`, as it
    /// stands now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    /// assert_eq!(Sandbox::new(7).checkout_of(ENTITY_ID, "order-0001"), None);
    /// ```
    #[must_use]
    pub fn checkout_of(&self, entity_id: &str, merchant_transaction_id: &str) -> Option<CheckoutRecord> {
        let now = self.0.clock.now_millis();
        let key = (self.0.merchant(entity_id)?, merchant_transaction_id.to_owned());
        let state = self.state();
        let number = state.numbers_of_transaction.get(&key)?.last().copied()?;
        state.checkouts.get(number).map(|checkout| checkout.record(now))
    }

    /// How many requests the merchant of this entity has made: by either version, and one of V2 by its token.
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

    /// The requests for a status, of both versions, that the merchant of this entity has made, in their
    /// order. Empty if they are [forgotten](Builder::forget_requests).
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

    /// Every webhook that is due by now, in the order of their times, taken before or not: one for each
    /// change of a checkout's code, `created` first.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        let now = self.0.clock.now_millis();
        self.0.webhooks(&self.state().checkouts, now, |_| 0)
    }

    /// The webhooks that have come due since they were last taken, in the order of their times.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::new(7).take_webhooks().is_empty());
    /// ```
    #[must_use]
    pub fn take_webhooks(&self) -> Vec<Webhook> {
        let now = self.0.clock.now_millis();
        let mut state = self.state();
        let state = &mut *state;
        let mut due: Vec<usize> = state.take_due(now);
        due.sort_unstable();
        let checkouts = due.iter().filter_map(|number| state.checkouts.get(*number));
        let webhooks = self.0.webhooks(checkouts, now, |checkout| checkout.taken);
        for number in due {
            let Some(checkout) = state.checkouts.get_mut(number) else { continue };
            checkout.taken = checkout.reached(now).len();
            state.to_take.extend(checkout.next_to_take().map(|at| (at, number)));
        }
        webhooks
    }

    /// The `POST` with which the payer's browser would come back to the shop now. `None` when there is no
    /// such checkout.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert_eq!(Sandbox::new(7).shopper_return("nobody's checkout"), None);
    /// ```
    #[must_use]
    pub fn shopper_return(&self, checkout_id: &str) -> Option<ShopperReturn> {
        let now = self.0.clock.now_millis();
        let state = self.state();
        let checkout = state.numbered(checkout_id)?;
        let merchant = self.0.merchants.get(checkout.merchant)?;
        Some(ShopperReturn::of(checkout, merchant.token(), now))
    }

    /// The `POST` that tries the merchant's webhook URL out before it is saved. It is the same at every time.
    /// `None` when there is no such merchant.
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

    fn act(&self, checkout_id: &str, act: Act<'_>) -> bool {
        let now = self.0.clock.now_millis();
        let mut state = self.state();
        let state = &mut *state;
        let Some(number) = state.number_of.get(checkout_id).copied() else { return false };
        let Some(checkout) = state.checkouts.get_mut(number) else { return false };
        if let Some(at) = checkout.next_to_take() {
            state.to_take.remove(&(at, number));
        }
        let acted = checkout.act(act, self.0.live, now);
        state.to_take.extend(checkout.next_to_take().map(|at| (at, number)));
        acted
    }

    fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let (head, body) = request.into_parts();
        let mut state = self.state();
        let target = Target::of(self.0.hosts, head.method.as_str(), &head.uri);
        let fault = state.fault_for(target.route());
        if fault == Some(Fault::LostBefore) {
            return Err(TransportError::not_sent(io::Error::from(io::ErrorKind::ConnectionRefused)));
        }
        if fault == Some(Fault::LostRequest) {
            return Err(TransportError::unknown(io::Error::from(io::ErrorKind::TimedOut)));
        }

        let now = self.0.clock.now_millis();
        let answer = self.0.answer(&mut state, target, &head, &body, fault.as_ref(), now);
        let answer = answer.spoiled_by(fault.as_ref());
        state.seen += 1;
        let merchant = self.0.named_merchant(&state, target, &head, &body);
        if let Some(visits) = merchant.and_then(|merchant| state.visits.get_mut(merchant)) {
            let is_read = matches!(target.route(), Some(Route::Status | Route::CheckoutStatus));
            visits.tally.count(now, is_read);
        }
        let too_large =
            answer.body.len() > BODY_CAP || matches!(fault, Some(Fault::HugeBody(bytes)) if bytes > BODY_CAP);
        let lost = fault == Some(Fault::LostAnswer);
        if !self.0.forgets_requests {
            let recorded = RecordedAnswer {
                status: answer.status.as_u16(),
                code: answer.code.clone(),
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
            .field("merchants", &self.0.merchants.len())
            .field("checkouts", &state.checkouts.len())
            .field("requests", &state.seen)
            .field("faults", &state.faults)
            .finish_non_exhaustive()
    }
}

/// The settings of a [`Sandbox`].
///
/// ```
/// use checkout_sandbox::VirtualClock;
/// use checkout_sandbox::peach::{Sandbox, Scenario};
/// use checkout_tables::peach::Environment;
///
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(VirtualClock::new(1_800_000_000_000))
///     .environment(Environment::Live)
///     .scenario(Scenario::test_success())
///     .build();
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    seed: u64,
    clock: Option<VirtualClock>,
    merchants: Vec<Merchant>,
    forgets_requests: bool,
    environment: Environment,
    any_host: bool,
    id_range: IdRange,
    token_lasts: Duration,
    expires_in_as_number: bool,
    status_limit: Option<u32>,
    scenario: Scenario,
}

impl Builder {
    /// What its ids, tokens and cards follow from: 0 unless it is set.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clock that it goes by. Unless it is set, one of its own that begins at 2024-05-23 21:50:00 UTC.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, peach::Sandbox};
    /// let sandbox = Sandbox::builder().clock(VirtualClock::new(0)).build();
    /// assert_eq!(sandbox.clock().now_millis(), 0);
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// One more merchant. One with the entity of an earlier merchant takes its place. Without any there is
    /// the merchant of [`ENTITY_ID`], [`SECRET_TOKEN`], [`CLIENT_ID`], [`CLIENT_SECRET`], [`MERCHANT_ID`] and
    /// the domain of [`REFERER`].
    ///
    /// ```
    /// use checkout_auth::peach::SecretToken;
    /// use checkout_sandbox::peach::{Merchant, Sandbox};
    ///
    /// let mine = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", SecretToken::new("mine".into())?);
    /// let yours = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0026", SecretToken::new("yours".into())?);
    /// let sandbox = Sandbox::builder().merchant(mine).merchant(yours).build();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn merchant(mut self, merchant: Merchant) -> Self {
        match self.merchants.iter_mut().find(|known| known.entity_id() == merchant.entity_id()) {
            Some(known) => *known = merchant,
            None => self.merchants.push(merchant),
        }
        self
    }

    /// Which environment it plays: its hosts and its code of a success follow from it. Unless it is set,
    /// [`Environment::Sandbox`].
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// # use checkout_tables::peach::Environment;
    /// let sandbox = Sandbox::builder().environment(Environment::Live).build();
    /// ```
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// It answers by the path alone, whatever scheme and host a request names: for clients with a base
    /// address of their own.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().any_host().build();
    /// ```
    #[must_use]
    pub fn any_host(mut self) -> Self {
        self.any_host = true;
        self
    }

    /// A `merchantTransactionId` must have 8 to 16 characters, as the page of the request says, and not 1
    /// to 48, as is seen in use.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().transaction_ids_of_8_to_16().build();
    /// ```
    #[must_use]
    pub fn transaction_ids_of_8_to_16(mut self) -> Self {
        self.id_range = IdRange::Stated;
        self
    }

    /// How long V2's access tokens last, in whole seconds. Unless it is set, 14,400 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().access_tokens_last(Duration::from_secs(60)).build();
    /// ```
    #[must_use]
    pub fn access_tokens_last(mut self, lasts: Duration) -> Self {
        self.token_lasts = lasts;
        self
    }

    /// `expires_in` is a number. Unless it is set it is a text: both are published.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().expires_in_as_number().build();
    /// ```
    #[must_use]
    pub fn expires_in_as_number(mut self) -> Self {
        self.expires_in_as_number = true;
        self
    }

    /// How many requests for a status a merchant may make in 60 seconds of the clock: `None` for any number.
    /// Unless it is set, two, as the page says.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().status_limit(None).build();
    /// ```
    #[must_use]
    pub fn status_limit(mut self, requests: Option<NonZeroU32>) -> Self {
        self.status_limit = requests.map(NonZeroU32::get);
        self
    }

    /// Requests are counted and not kept, for a crowd of checkouts: [`Sandbox::requests`] and
    /// [`Sandbox::status_requests`] stay empty, and [`Sandbox::counts`] is what there is. The limit is as
    /// ever, and the checkouts, the spent signatures and the access tokens are kept.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
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

    /// What a checkout goes through when nothing waits from [`Sandbox::next_checkout`]: [`Scenario::happy`]
    /// unless it is set. For a payer who acts when a test says so, [`Scenario::never_opened`].
    ///
    /// ```
    /// # use checkout_sandbox::peach::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_opened()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// The sandbox.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::builder().build().checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.merchants.is_empty() {
            self.merchants.push(default_merchant());
        }
        let mut seeds = Generator::new(self.seed);
        let numbered = self.merchants.iter().enumerate();
        let merchant_of =
            numbered.map(|(number, merchant)| (merchant.entity_id().to_owned(), number)).collect();
        let state = State {
            checkouts: Vec::new(),
            number_of: HashMap::new(),
            number_of_payment: HashMap::new(),
            numbers_of_transaction: HashMap::new(),
            to_take: BTreeSet::new(),
            spent_signatures: HashMap::new(),
            access_tokens: HashMap::new(),
            visits: vec![Visits::default(); self.merchants.len()],
            scenarios: VecDeque::new(),
            faults: Vec::new(),
            requests: Vec::new(),
            seen: 0,
            checkout_ids: Generator::new(seeds.number()),
            token_ids: Generator::new(seeds.number()),
        };
        let live = self.environment == Environment::Live;
        let hosts = match (self.any_host, live) {
            (true, _) => Hosts::Any,
            (false, true) => Hosts::Live,
            (false, false) => Hosts::Sandbox,
        };
        Sandbox(Arc::new(Shared {
            merchants: self.merchants,
            merchant_of,
            forgets_requests: self.forgets_requests,
            live,
            hosts,
            id_range: self.id_range,
            token_seconds: self.token_lasts.as_secs(),
            expires_in_as_number: self.expires_in_as_number,
            status_limit: self.status_limit,
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
            merchants: Vec::new(),
            forgets_requests: false,
            environment: Environment::Sandbox,
            any_host: false,
            id_range: IdRange::Seen,
            token_lasts: Duration::from_secs(14_400),
            expires_in_as_number: false,
            status_limit: Some(2),
            scenario: Scenario::default(),
        }
    }
}

/// The entity of the merchant that a sandbox has when it is given none.
///
/// ```
/// assert_eq!(checkout_sandbox::peach::ENTITY_ID.len(), 32);
/// ```
pub const ENTITY_ID: &str = "8ac7a4ca00000000000000005a4d0b01";

/// The secret token of the merchant that a sandbox has when it is given none. It guards nothing.
///
/// ```
/// assert_eq!(checkout_sandbox::peach::SECRET_TOKEN.len(), 32);
/// ```
pub const SECRET_TOKEN: &str = "5a4d0b0c500000000000000000000001";

/// The client's id, for V2, of the merchant that a sandbox has when it is given none.
///
/// ```
/// assert!(checkout_sandbox::peach::CLIENT_ID.contains("sandbox"));
/// ```
pub const CLIENT_ID: &str = "sandbox_client";

/// The client's secret, for V2, of the merchant that a sandbox has when it is given none. It guards nothing.
///
/// ```
/// assert!(checkout_sandbox::peach::CLIENT_SECRET.contains("sandbox"));
/// ```
pub const CLIENT_SECRET: &str = "sandbox_client_secret";

/// The merchant's id, for V2, of the merchant that a sandbox has when it is given none.
///
/// ```
/// assert!(checkout_sandbox::peach::MERCHANT_ID.contains("sandbox"));
/// ```
pub const MERCHANT_ID: &str = "sandbox_merchant";

/// A `Referer` that the merchant that a sandbox has when it is given none may send.
///
/// ```
/// assert!(checkout_sandbox::peach::REFERER.starts_with("https://"));
/// ```
pub const REFERER: &str = "https://shop.example";

/// Where a merchant's webhooks go unless it says otherwise.
///
/// ```
/// assert!(checkout_sandbox::peach::WEBHOOK_URL.starts_with("https://"));
/// ```
pub const WEBHOOK_URL: &str = "https://shop.example/webhooks/peach";

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
        let outcome = match target {
            Target::Initiate => self.initiate(state, head, body, fault, now),
            Target::Validate => self.validate(state, head, body, fault, now),
            Target::Status => self.status(state, head, fault, now),
            Target::Token => self.token(state, head, body, fault, now),
            Target::CreateCheckout => self.create(state, head, body, fault, now),
            Target::CheckoutStatus(id) => self.checkout_status(state, head, id, fault, now),
            Target::WrongMethod => return Answer::method_not_allowed(),
            Target::Unknown => return Answer::not_found(),
        };
        Answer::reply(outcome, fault)
    }

    fn initiate(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Outcome {
        let (merchant, order, signature) = self.let_in_v1(state, head, body, now)?;
        not_processed(fault)?;
        state.spent_signatures.insert((merchant, signature), now);
        let checkout = self.add(state, merchant, order, now);
        let url = checkout.redirect_url(self.hosts.checkout());
        Ok(Reply::done(201, Json::object([("redirectUrl", Json::Text(url))])))
    }

    fn validate(&self, state: &State, head: &Parts, body: &[u8], fault: Option<&Fault>, now: u64) -> Outcome {
        self.let_in_v1(state, head, body, now)?;
        not_processed(fault)?;
        Ok(Reply::done(200, Json::object([])))
    }

    /// The merchant, the order and the signature of a request that may make a checkout.
    fn let_in_v1(
        &self,
        state: &State,
        head: &Parts,
        body: &[u8],
        now: u64,
    ) -> Result<(usize, Order, String), Reply> {
        let pairs = door::form_or_json(head, body)?;
        let order = Order::read(&pairs, Version::V1, self.id_range).map_err(Reply::fields)?;
        let (number, merchant) = self.known(&order.entity_id)?;
        door::referer(head, merchant)?;
        door::signature(&pairs, merchant)?;
        let signature = value_of(&pairs, "signature").unwrap_or_default().to_owned();
        let spent = state.spent_signatures.get(&(number, signature.clone()));
        if spent.is_some_and(|at| now.saturating_sub(*at) < DAY_MILLIS) {
            return Err(Reply::message(400, "Duplicate signature."));
        }
        Ok((number, order, signature))
    }

    fn status(&self, state: &mut State, head: &Parts, fault: Option<&Fault>, now: u64) -> Outcome {
        let query = head.uri.query().unwrap_or_default();
        let pairs =
            form::decode(query.as_bytes()).ok_or_else(|| Reply::message(400, "The query cannot be read."))?;
        let entity_id = value_of(&pairs, ENTITY).unwrap_or_default();
        let (number, merchant) = self.known(entity_id)?;
        door::signature(&pairs, merchant)?;
        not_processed(fault)?;
        self.count(state, number, now)?;
        if LOOKED_FOR.iter().all(|key| value_of(&pairs, key).is_none()) {
            return Err(Reply::message(400, "checkoutId, merchantTransactionId or id is required."));
        }
        let found = state.looked_for(number, &pairs, now);
        let Some(found) = found.cloned() else { return Err(Reply::result(400, NOT_FOUND)) };
        state.found(number, &found.id);
        let checkout = self.shown(state, found, fault);
        let fields = checkout.fields(checkout.reached(now).len());
        let flat = signed::shown(merchant.token(), fields, fault);
        if !merchant.is_wrapped() && checkout.expired_word().is_none() {
            return Ok(Reply::done(200, flat));
        }
        let (word, left) = checkout.outer(now);
        let wrapped = Json::object([
            ("status", Json::text(word)),
            ("timestamp", Json::Int(left)),
            ("redirect_url", Json::text(checkout.return_url(now))),
            ("redirect_post_data", flat),
        ]);
        Ok(Reply::done(200, wrapped))
    }

    fn token(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Outcome {
        let pairs = door::json(head, body)?;
        let merchant = self.client(&pairs).ok_or_else(|| Reply::message(401, "Invalid credentials."))?;
        not_processed(fault)?;
        let access_token = format!("sbx.{}", state.token_ids.hex(48));
        let ends = now.saturating_add(self.token_seconds.saturating_mul(1000));
        state.access_tokens.insert(access_token.clone(), (merchant, ends));
        let seconds = self.token_seconds.to_string();
        let expires_in = if self.expires_in_as_number { Json::Raw(seconds) } else { Json::Text(seconds) };
        let members = [
            ("access_token", Json::Text(access_token)),
            ("expires_in", expires_in),
            ("token_type", Json::text("Bearer")),
        ];
        Ok(Reply::done(200, Json::object(members)))
    }

    fn create(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Outcome {
        let (number, merchant) = self.bearer(state, head, now)?;
        let pairs = door::json(head, body)?;
        let order = Order::read(&pairs, Version::V2, self.id_range).map_err(Reply::fields)?;
        door::referer(head, merchant)?;
        if order.entity_id != merchant.entity_id() {
            return Err(Reply::message(400, "The entity is not the merchant's."));
        }
        not_processed(fault)?;
        let checkout = self.add(state, number, order, now);
        let url = checkout.redirect_url(self.hosts.checkout());
        let members = [("checkoutId", Json::text(&checkout.id)), ("redirectUrl", Json::Text(url))];
        Ok(Reply::done(200, Json::object(members)))
    }

    fn checkout_status(
        &self,
        state: &mut State,
        head: &Parts,
        id: &str,
        fault: Option<&Fault>,
        now: u64,
    ) -> Outcome {
        let (number, merchant) = self.bearer(state, head, now)?;
        not_processed(fault)?;
        self.count(state, number, now)?;
        let found = form::segment(id).and_then(|id| state.numbered(&id));
        let Some(found) = found.filter(|checkout| checkout.merchant == number).cloned() else {
            return Err(Reply::result(404, NOT_FOUND));
        };
        state.found(number, &found.id);
        let checkout = self.shown(state, found, fault);
        let fields = checkout.fields(checkout.reached(now).len());
        Ok(Reply::done(200, signed::shown(merchant.token(), fields, fault)))
    }

    fn add(&self, state: &mut State, merchant: usize, order: Order, now: u64) -> Checkout {
        let scenario = state.scenarios.pop_front().unwrap_or_else(|| self.scenario.clone());
        let checkout = Checkout::new(merchant, order, scenario, self.live, now, &mut state.checkout_ids);
        let number = state.checkouts.len();
        let transaction = (merchant, checkout.order.merchant_transaction_id.clone());
        state.number_of.insert(checkout.id.clone(), number);
        state.number_of_payment.insert(checkout.future_payment_id(), number);
        state.numbers_of_transaction.entry(transaction).or_default().push(number);
        state.to_take.extend(checkout.next_to_take().map(|at| (at, number)));
        state.checkouts.push(checkout.clone());
        checkout
    }

    /// Counts a request for a status, and refuses one too many.
    fn count(&self, state: &mut State, merchant: usize, now: u64) -> Result<(), Reply> {
        let Some(visits) = state.visits.get_mut(merchant) else { return Ok(()) };
        drop_old(&mut visits.let_in, now);
        let limit = self.status_limit.and_then(|limit| usize::try_from(limit).ok());
        let limited = limit.is_some_and(|limit| visits.let_in.len() >= limit);
        if !self.forgets_requests {
            visits.status_requests.push(StatusRequest { at_millis: now, checkout_id: None, limited });
        }
        if limited {
            visits.tally.refuse();
            // The one whose end makes room for the next.
            let ends = visits.let_in.front().map_or(now, |at| at.saturating_add(MINUTE_MILLIS));
            return Err(Reply::too_many(ends.saturating_sub(now).div_ceil(1000)));
        }
        if limit.is_some() {
            visits.let_in.push_back(now);
        }
        Ok(())
    }

    /// The checkout that a status shows, which is the same unless a fault puts another there.
    fn shown(&self, state: &State, checkout: Checkout, fault: Option<&Fault>) -> Checkout {
        if fault != Some(&Fault::SwappedCheckout) {
            return checkout;
        }
        let is_other = |other: &&Checkout| other.id != checkout.id && other.merchant == checkout.merchant;
        let other = state.checkouts.iter().rev().find(is_other).cloned();
        other.unwrap_or_else(|| checkout.made_up_other(self.live))
    }

    fn merchant(&self, entity_id: &str) -> Option<usize> {
        self.merchant_of.get(entity_id).copied()
    }

    /// The merchant that a request names: its entity, its token's merchant, or its client.
    fn named_merchant(&self, state: &State, target: Target<'_>, head: &Parts, body: &[u8]) -> Option<usize> {
        let by_entity = |pairs: Pairs| self.merchant(value_of(&pairs, ENTITY)?);
        match target {
            Target::Status => by_entity(form::decode(head.uri.query()?.as_bytes())?),
            Target::Initiate | Target::Validate => by_entity(door::form_or_json(head, body).ok()?),
            Target::CreateCheckout | Target::CheckoutStatus(_) => {
                state.access_tokens.get(door::bearer(head)?).map(|(number, _)| *number)
            }
            Target::Token => self.client(&door::json(head, body).ok()?),
            Target::WrongMethod | Target::Unknown => None,
        }
    }

    /// The merchant whose client asks for a token.
    fn client(&self, pairs: &[(String, String)]) -> Option<usize> {
        let text = |key| value_of(pairs, key).unwrap_or_default();
        let [id, secret, merchant_id] = ["clientId", "clientSecret", "merchantId"].map(text);
        self.merchants.iter().position(|merchant| merchant.has_client(id, secret, merchant_id))
    }

    fn known(&self, entity_id: &str) -> Result<(usize, &Merchant), Reply> {
        self.merchant(entity_id)
            .and_then(|number| Some((number, self.merchants.get(number)?)))
            .ok_or_else(|| Reply::message(400, "Unknown authentication.entityId."))
    }

    fn bearer(&self, state: &State, head: &Parts, now: u64) -> Result<(usize, &Merchant), Reply> {
        let token = door::bearer(head);
        let known = token.and_then(|token| state.access_tokens.get(token));
        let number = known.filter(|(_, ends)| now < *ends).map(|(number, _)| *number);
        number
            .and_then(|number| Some((number, self.merchants.get(number)?)))
            .ok_or_else(|| Reply::message(401, "Unauthorized."))
    }

    /// The webhooks of these checkouts that are due, from the event on that `from` tells of each.
    fn webhooks<'a>(
        &self,
        checkouts: impl IntoIterator<Item = &'a Checkout>,
        now: u64,
        from: impl Fn(&Checkout) -> usize,
    ) -> Vec<Webhook> {
        let mut webhooks: Vec<Webhook> = Vec::new();
        for checkout in checkouts {
            let Some(merchant) = self.merchants.get(checkout.merchant) else { continue };
            let due = from(checkout)..checkout.reached(now).len();
            let of = |event| Webhook::of(checkout, event, merchant.token(), merchant.notified_at());
            webhooks.extend(due.filter_map(of));
        }
        webhooks.sort_by_key(|webhook| webhook.at_millis);
        webhooks
    }
}

impl State {
    fn fault_for(&mut self, route: Option<Route>) -> Option<Fault> {
        let fits = |(on, fault): &(Option<Route>, Fault)| (on.is_none() || *on == route) && fault.fits(route);
        let at = self.faults.iter().position(fits)?;
        Some(self.faults.remove(at).1)
    }

    fn numbered(&self, checkout_id: &str) -> Option<&Checkout> {
        self.checkouts.get(self.number_of.get(checkout_id).copied()?)
    }

    /// The latest checkout of the merchant's that all fits which is looked for.
    fn looked_for(&self, merchant: usize, pairs: &[(String, String)], now: u64) -> Option<&Checkout> {
        let [checkout_id, transaction_id, payment_id] = LOOKED_FOR.map(|key| value_of(pairs, key));
        let candidates = match (checkout_id, transaction_id, payment_id) {
            (Some(id), _, _) => self.number_of.get(id).map(slice::from_ref),
            (None, Some(id), _) => {
                self.numbers_of_transaction.get(&(merchant, id.to_owned())).map(Vec::as_slice)
            }
            (None, None, Some(id)) => self.number_of_payment.get(id).map(slice::from_ref),
            (None, None, None) => None,
        };
        let candidates = candidates.unwrap_or_default().iter().rev();
        candidates.filter_map(|number| self.checkouts.get(*number)).find(|checkout| {
            let paid = checkout.payment_id(now);
            checkout.merchant == merchant
                && checkout_id.is_none_or(|id| id == checkout.id)
                && transaction_id.is_none_or(|id| id == checkout.order.merchant_transaction_id)
                && payment_id.is_none_or(|id| Some(id) == paid.as_deref())
        })
    }

    /// The checkouts with changes by now that have not been taken as webhooks, which are no longer listed.
    fn take_due(&mut self, now: u64) -> Vec<usize> {
        let later = now.checked_add(1).map(|next| self.to_take.split_off(&(next, 0)));
        let due = mem::replace(&mut self.to_take, later.unwrap_or_default());
        due.into_iter().map(|(_, number)| number).collect()
    }

    /// Notes which checkout the merchant's latest request for a status found.
    fn found(&mut self, merchant: usize, checkout_id: &str) {
        let visits = self.visits.get_mut(merchant);
        if let Some(request) = visits.and_then(|visits| visits.status_requests.last_mut()) {
            request.checkout_id = Some(checkout_id.to_owned());
        }
    }
}

/// What a fault makes the API say before it does anything.
fn not_processed(fault: Option<&Fault>) -> Result<(), Reply> {
    match fault {
        Some(Fault::RateLimited) => Err(Reply::too_many(30)),
        Some(Fault::InternalError) => Err(Reply::internal()),
        Some(Fault::Refused(code)) => Err(Reply::result(400, code)),
        Some(_) | None => Ok(()),
    }
}

#[expect(clippy::expect_used, reason = "it is a constant that a test makes a token of")]
fn default_merchant() -> Merchant {
    let token = SecretToken::new(SECRET_TOKEN.into()).expect("the constant makes a token");
    let domain = REFERER.trim_start_matches("https://");
    Merchant::new(ENTITY_ID, token).client(CLIENT_ID, CLIENT_SECRET, MERCHANT_ID).domain(domain)
}

/// How a request of V1's says whose it is.
const ENTITY: &str = "authentication.entityId";

/// What V1's status takes to look for, in the order in which it is compared.
const LOOKED_FOR: [&str; 3] = ["checkoutId", "merchantTransactionId", "id"];

/// 2024-05-23 21:50:00 UTC.
const START_MILLIS: u64 = 1_716_501_000_000;

const DAY_MILLIS: u64 = 86_400_000;

#[cfg(test)]
mod tests;
