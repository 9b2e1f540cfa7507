//! Azotte C2A checkout, API v1, played in process.
//!
//! A [`Sandbox`] takes submits and questions for their status, and answers as Azotte's pages say. A checkout
//! goes through a [`Scenario`] as the sandbox's clock is advanced and as the payer returns from a challenge,
//! and a [`Fault`] makes one request go wrong.
//!
//! | what is asked | answer |
//! |---|---|
//! | a path that is not the API's | 404, empty |
//! | a method that the path does not have | 405, empty |
//! | `x-tn` or `x-api-key` is missing, doubled or wrong | 401, empty |
//! | submit: not said to be JSON, or no JSON object | 400, a problem |
//! | submit: fields that are not what the page says | 400, a problem with `errors`: all of them |
//! | submit | 202, `Retry-After: 2`, a `CheckoutResult` |
//! | submit: a correlation id that this tenant has used | the same, of the checkout that there is |
//! | status: nobody's tracking number | 404, `ORDERED_ITEM_NOT_FOUND` |
//! | status: another tenant's | 409, a problem; or the same 404 ([`Builder::conceals_other_tenants`]) |
//! | status | 200, a `CheckoutResult` |
//!
//! They are checked in this order, and the first that applies is answered. A `CheckoutResult` comes as
//! `application/clientOutput+Json`, a problem as `application/problem+json`.
//!
//! **Card data:** the number, the code and all else of a card are checked and forgotten. Nothing of them is
//! in a [`CheckoutRecord`], in a [`RecordedRequest`], in an answer or in any `Debug`.
//!
//! # Assumed
//! What no page says, and how it is played here:
//! - the paths are those of the page's curl, with `/v1`; those of its headings, without, are none;
//! - a wrong project's host is answered with 401; a tenant that names no project is let in on every host;
//! - `Content-Type` is `application/json`, with any parameters, and another one is a 400, not a 415;
//! - the members of a problem, and the shape of its `errors`: field paths with a list of messages each;
//! - an unknown member of a request is refused, so that a misspelt name is found; the aliases that the page
//!   has for names are not taken;
//! - required texts are not empty; a correlation id is not blank; a quantity is a positive integer, and an
//!   address an IP address; a card number is 12 to 19 digits, a month 01 to 12, a year 4 digits, a code 3
//!   or 4, and all five fields of a fresh card are required, its alias is not;
//! - `storeMethodSuccessPayment` is a boolean or a text: the page says text, and describes a boolean;
//! - beside a stored method a `creditCard` may be there, may have other members, and may lack the usual
//!   ones; a `creditCard` of another channel is checked and left alone;
//! - a submit with a known correlation id is answered by the id alone: what else it says is checked, and not
//!   compared. It is the same for a failed checkout: it is not tried again;
//! - an offer never expires, and any item and any customer exists;
//! - a status has a `Retry-After: 2` as long as polling makes sense, and `retryAfterSeconds` is 3 with a
//!   redirect and 2 without;
//! - a message of a failure is in `status`; the page names it and does not show where;
//! - `hasNextSteps` is true of every redirect; a URL has no `threeDIdentifier` and a form has one;
//! - `FAILED` has captured nothing; the first `DONE` has captured once, and what is told later changes
//!   nothing of that;
//! - a tracking number is percent-decoded and compared byte by byte; 429 and 500 are problems.
//!
//! Sources: *Get Checkout Status*; *Submit Checkout*, *Checkout* and *C2A API*, Azotte's pages of the API.
//! The pages print the replies of a success, of a 3DS challenge and of an unknown tracking number; all else
//! is built from their tables of fields.

mod answer;
mod checkout;
mod door;
mod fault;
mod order;
mod recorded;
mod refusal;
mod route;
mod scenario;
mod tenant;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkout_tables::azotte::Route;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::StatusCode;
use checkout_transport::http::request::Parts;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, TransportError};

use crate::counts::Tally;
use crate::generator::Generator;
use crate::{Counts, VirtualClock};
use answer::{Answer, Reply};
use checkout::Checkout;
use order::Order;
use recorded::RecordedAnswer;
use refusal::Refusal;
use route::Target;

pub use checkout::CheckoutRecord;
pub use fault::Fault;
pub use recorded::RecordedRequest;
pub use scenario::{Scenario, Step};
pub use tenant::Tenant;

/// Azotte's side: tenants, checkouts, and a clock.
///
/// It is a [`Transport`] and a [`BlockingTransport`] that answers by itself, whatever host a request names
/// (see [`Tenant::project`]). A clone is the same sandbox. With the same seed the same requests get the same
/// bytes; the numbers behind its ids are **not for security**.
///
/// It remembers every request for as long as it lives, without its card data, unless it is told to
/// [forget](Builder::forget_requests) them, and every checkout.
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
pub struct Sandbox(Arc<Shared>);

struct Shared {
    tenants: Vec<Tenant>,
    /// By `x-tn`.
    tenant_of: HashMap<String, usize>,
    forgets_requests: bool,
    conceals_other_tenants: bool,
    scenario: Scenario,
    clock: VirtualClock,
    state: Mutex<State>,
}

struct State {
    checkouts: Vec<Checkout>,
    number_of: HashMap<String, usize>,
    /// By tenant and correlation id.
    number_of_key: HashMap<(usize, String), usize>,
    /// By correlation id, of all tenants.
    numbers_of_id: HashMap<String, Vec<usize>>,
    scenarios: VecDeque<Scenario>,
    faults: Vec<(Option<Route>, Fault)>,
    requests: Vec<RecordedRequest>,
    /// All that have been seen, remembered or not.
    seen: u64,
    /// By tenant.
    tallies: Vec<Tally>,
    ids: Generator,
}

impl Sandbox {
    /// A sandbox with the one tenant of [`X_TN`] and [`API_KEY`] and every setting as [`Builder`] has it.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// assert_eq!(Sandbox::new(7).clock().now_millis(), 1_717_246_327_923);
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::builder().seed(seed).build()
    }

    /// To make a sandbox with settings of your own.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::three_ds_html()).build();
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The clock that it goes by.
    ///
    /// ```
    /// use std::time::Duration;
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// let sandbox = Sandbox::new(7);
    /// sandbox.clock().advance(Duration::from_secs(5));
    /// assert_eq!(sandbox.clock().now_millis(), 1_717_246_332_923);
    /// ```
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// The next checkout to be made goes through `scenario`. Several wait in their order; when none waits it
    /// is [`Builder::scenario`].
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
    ///
    /// Sandbox::new(7).next_checkout(Scenario::failed());
    /// ```
    pub fn next_checkout(&self, scenario: Scenario) {
        self.state().scenarios.push_back(scenario);
    }

    /// The payer passed the challenge that this checkout waits in, or did what its redirect asked for, and
    /// the browser has returned.
    ///
    /// # Errors
    /// When there is no such checkout, of whichever tenant, or when it waits for nothing.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{ChallengeError, Sandbox};
    ///
    /// let nobodys = Sandbox::new(7).complete_3ds("trk_1");
    /// assert_eq!(nobodys, Err(ChallengeError::UnknownTracking));
    /// ```
    pub fn complete_3ds(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.return_from_redirect(tracking_number, true)
    }

    /// The payer did not pass, and the browser has returned: the checkout is `CHECK_OUT_FAILED` from now on,
    /// for good.
    ///
    /// # Errors
    /// When there is no such checkout, of whichever tenant, or when it waits for nothing.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    ///
    /// assert!(Sandbox::new(7).fail_3ds("trk_1").is_err());
    /// ```
    pub fn fail_3ds(&self, tracking_number: &str) -> Result<(), ChallengeError> {
        self.return_from_redirect(tracking_number, false)
    }

    /// The next request that the fault fits goes wrong.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Fault, Sandbox};
    ///
    /// Sandbox::new(7).inject(Fault::Garbage);
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push((None, fault));
    }

    /// The next request for this route that the fault fits goes wrong.
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

    /// How many faults still wait for a request.
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

    /// Every request that it has seen, in their order. One that [`Fault::LostBefore`] or
    /// [`Fault::LostRequest`] took is not among them. Empty if they are
    /// [forgotten](Builder::forget_requests).
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::new(7).requests().is_empty());
    /// ```
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().requests.clone()
    }

    /// Every checkout of every tenant, in the order of their submits, as they stand now.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::new(7).checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn checkouts(&self) -> Vec<CheckoutRecord> {
        let now = self.0.clock.now_millis();
        let x_tn = |checkout: &Checkout| self.0.tenants.get(checkout.tenant).map_or("", Tenant::x_tn);
        self.state().checkouts.iter().map(|checkout| checkout.record(x_tn(checkout), now)).collect()
    }

    /// How often payments with this correlation id have been captured by now, over all checkouts and all
    /// tenants: how often the payer was charged.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert_eq!(Sandbox::new(7).captures_of("order-1"), 0);
    /// ```
    #[must_use]
    pub fn captures_of(&self, correlation_id: &str) -> u32 {
        let now = self.0.clock.now_millis();
        let state = self.state();
        let numbers = state.numbers_of_id.get(correlation_id).into_iter().flatten();
        let checkouts = numbers.filter_map(|number| state.checkouts.get(*number));
        checkouts.map(|checkout| checkout.record("", now).captures).sum()
    }

    /// The checkout with this tracking number, of whichever tenant, as it stands now.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert_eq!(Sandbox::new(7).checkout("trk_1"), None);
    /// ```
    #[must_use]
    pub fn checkout(&self, tracking_number: &str) -> Option<CheckoutRecord> {
        let now = self.0.clock.now_millis();
        let state = self.state();
        let number = state.number_of.get(tracking_number).copied()?;
        let checkout = state.checkouts.get(number)?;
        Some(checkout.record(self.0.tenants.get(checkout.tenant).map_or("", Tenant::x_tn), now))
    }

    /// How many requests the tenant with this `x-tn` has made.
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

    fn return_from_redirect(&self, tracking_number: &str, has_passed: bool) -> Result<(), ChallengeError> {
        let now = self.0.clock.now_millis();
        let mut state = self.state();
        let number = state.number_of.get(tracking_number).copied();
        let checkout = number.and_then(|number| state.checkouts.get_mut(number));
        let checkout = checkout.ok_or(ChallengeError::UnknownTracking)?;
        if checkout.return_from_redirect(has_passed, now) { Ok(()) } else { Err(ChallengeError::NotWaiting) }
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
        let answer = answer.spoiled_by(fault.as_ref());
        state.seen += 1;
        if let Some(tally) = self.0.named_tenant(&head).and_then(|tenant| state.tallies.get_mut(tenant)) {
            tally.count(now, target.route() == Some(Route::CheckoutStatus));
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
            state.requests.push(RecordedRequest::new(head, &body, now, recorded));
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
            .field("tenants", &self.0.tenants.len())
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
/// use checkout_sandbox::azotte::{Sandbox, Scenario, Tenant};
///
/// let clock = VirtualClock::new(1_800_000_000_000);
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(clock.clone())
///     .tenant(Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_of_acme").project("acme"))
///     .scenario(Scenario::slow())
///     .conceals_other_tenants()
///     .build();
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    seed: u64,
    clock: Option<VirtualClock>,
    tenants: Vec<Tenant>,
    forgets_requests: bool,
    conceals_other_tenants: bool,
    scenario: Scenario,
}

impl Builder {
    /// What its ids follow from: 0 unless it is set.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clock that it goes by. Unless it is set, one of its own that begins at 2024-06-01 12:52:07.923
    /// UTC, the time in the tracking number of the page's samples.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, azotte::Sandbox};
    /// let sandbox = Sandbox::builder().clock(VirtualClock::new(0)).build();
    /// assert_eq!(sandbox.clock().now_millis(), 0);
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// One more tenant. One with the `x-tn` of an earlier tenant takes its place. Without any there is the
    /// tenant of [`X_TN`] and [`API_KEY`].
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Tenant};
    ///
    /// let mine = Tenant::new("00000000-0000-4000-8000-000000000001", "sk_of_mine");
    /// let yours = Tenant::new("00000000-0000-4000-8000-000000000002", "sk_of_yours");
    /// let sandbox = Sandbox::builder().tenant(mine).tenant(yours).build();
    /// ```
    #[must_use]
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        match self.tenants.iter_mut().find(|known| known.x_tn() == tenant.x_tn()) {
            Some(known) => *known = tenant,
            None => self.tenants.push(tenant),
        }
        self
    }

    /// Another tenant's tracking number is answered like one that is nobody's, with 404. Unless it is set
    /// the answer is 409: Azotte's pages say the one in one place and the other in another.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// let sandbox = Sandbox::builder().conceals_other_tenants().build();
    /// ```
    #[must_use]
    pub fn conceals_other_tenants(mut self) -> Self {
        self.conceals_other_tenants = true;
        self
    }

    /// Requests are counted and not kept, for a crowd of checkouts: [`Sandbox::requests`] stays empty, and
    /// [`Sandbox::counts`] is what there is. The checkouts are kept, and so is that a correlation id was
    /// used.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
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
    /// unless it is set.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_ends()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// The sandbox.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::builder().build().checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.tenants.is_empty() {
            self.tenants.push(Tenant::new(X_TN, API_KEY));
        }
        let numbered = self.tenants.iter().enumerate();
        let tenant_of = numbered.map(|(number, tenant)| (tenant.x_tn().to_owned(), number)).collect();
        let state = State {
            checkouts: Vec::new(),
            number_of: HashMap::new(),
            number_of_key: HashMap::new(),
            numbers_of_id: HashMap::new(),
            scenarios: VecDeque::new(),
            faults: Vec::new(),
            requests: Vec::new(),
            seen: 0,
            tallies: vec![Tally::default(); self.tenants.len()],
            ids: Generator::new(self.seed),
        };
        Sandbox(Arc::new(Shared {
            tenants: self.tenants,
            tenant_of,
            forgets_requests: self.forgets_requests,
            conceals_other_tenants: self.conceals_other_tenants,
            scenario: self.scenario,
            clock: self.clock.unwrap_or_else(|| VirtualClock::new(START_MILLIS)),
            state: Mutex::new(state),
        }))
    }
}

/// Why a payer cannot have returned.
///
/// ```
/// use checkout_sandbox::azotte::ChallengeError;
///
/// assert_eq!(ChallengeError::NotWaiting.to_string(), "the checkout waits for no browser");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeError {
    /// No checkout has this tracking number.
    UnknownTracking,
    /// The checkout is not at a redirect, or the browser has returned from it already.
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

/// The `x-tn` of the tenant that a sandbox has when it is given none.
///
/// ```
/// assert_eq!(checkout_sandbox::azotte::X_TN.len(), 36);
/// ```
pub const X_TN: &str = "00000000-0000-4000-8000-000000000a20";

/// The `x-api-key` of the tenant that a sandbox has when it is given none. It guards nothing.
///
/// ```
/// assert!(checkout_sandbox::azotte::API_KEY.starts_with("sk_"));
/// ```
pub const API_KEY: &str = "sk_sandbox_key";

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
            Target::Submit => {
                self.let_in(head, fault).and_then(|tenant| self.submit(state, tenant, head, body, fault, now))
            }
            Target::Status(segment) => {
                self.let_in(head, fault).and_then(|tenant| self.status(state, tenant, segment, fault, now))
            }
            Target::WrongMethod => return Answer::method_not_allowed(),
            Target::Unknown => return Answer::not_found(),
        };
        Answer::reply(outcome, head.uri.path(), fault)
    }

    /// The number of the tenant whose request may go on to its route.
    fn let_in(&self, head: &Parts, fault: Option<&Fault>) -> Result<usize, Refusal> {
        let tenant = door::authenticate(head, |x_tn| {
            let number = self.tenant_of.get(x_tn).copied()?;
            Some((number, self.tenants.get(number)?))
        })?;
        match fault {
            Some(Fault::RateLimited) => Err(Refusal::rate_limited(RETRY_AFTER_SECONDS)),
            Some(Fault::InternalError) => Err(Refusal::internal()),
            Some(Fault::EmptyProblem) => Err(Refusal::EmptyProblem),
            Some(Fault::UnknownErrorCode(code)) => {
                Err(Refusal::Code { http_status: 400, code: code.clone() })
            }
            Some(_) | None => Ok(tenant),
        }
    }

    /// The tenant that a request names, if it names one alone.
    fn named_tenant(&self, head: &Parts) -> Option<usize> {
        self.tenant_of.get(door::named_tenant(head)?).copied()
    }

    fn submit(
        &self,
        state: &mut State,
        tenant: usize,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: u64,
    ) -> Result<Reply, Refusal> {
        if !door::has_json_body(&head.headers) {
            return Err(Refusal::bad_request("the content type is not application/json"));
        }
        let order = Order::read(body)?;
        let key = order.correlation_id.clone().map(|id| (tenant, id));
        let known = key.as_ref().and_then(|key| state.number_of_key.get(key)).copied();
        let number = known.filter(|_| fault != Some(&Fault::KeyForgotten)).unwrap_or_else(|| {
            let scenario = state.scenarios.pop_front().unwrap_or_else(|| self.scenario.clone());
            let checkout = Checkout::new(tenant, order, scenario, now, &mut state.ids);
            let number = state.checkouts.len();
            state.number_of.insert(checkout.tracking_number.clone(), number);
            if let Some(key) = key {
                state.numbers_of_id.entry(key.1.clone()).or_default().push(number);
                state.number_of_key.entry(key).or_insert(number);
            }
            state.checkouts.push(checkout);
            number
        });
        let checkout = state.checkouts.get_mut(number).ok_or_else(Refusal::internal)?;
        checkout.submits += 1;
        let (code, body) = state.shown(number, fault, now).ok_or_else(Refusal::internal)?.result(now, fault);
        Ok(Reply { http_status: StatusCode::ACCEPTED, code, body, retry_after: Some(RETRY_AFTER_SECONDS) })
    }

    fn status(
        &self,
        state: &State,
        tenant: usize,
        segment: &str,
        fault: Option<&Fault>,
        now: u64,
    ) -> Result<Reply, Refusal> {
        let number = route::decoded(segment).and_then(|id| state.number_of.get(&id).copied());
        let asked = number.and_then(|number| Some((number, state.checkouts.get(number)?)));
        let (number, asked) = asked.ok_or_else(Refusal::not_found)?;
        if asked.tenant != tenant {
            let concealed = self.conceals_other_tenants;
            return Err(if concealed { Refusal::not_found() } else { Refusal::of_another_tenant() });
        }
        let shown = state.shown(number, fault, now).ok_or_else(Refusal::internal)?;
        let (code, body) = shown.result(now, fault);
        let retry_after = shown.step(now).can_follow_up().then_some(RETRY_AFTER_SECONDS);
        Ok(Reply { http_status: StatusCode::OK, code, body, retry_after })
    }
}

impl State {
    fn fault_for(&mut self, route: Option<Route>) -> Option<Fault> {
        let fits = |(on, fault): &(Option<Route>, Fault)| (on.is_none() || *on == route) && fault.fits(route);
        let at = self.faults.iter().position(fits)?;
        Some(self.faults.remove(at).1)
    }

    /// What is shown in place of this checkout, which is the same unless a fault puts another there.
    fn shown(&self, number: usize, fault: Option<&Fault>, now: u64) -> Option<Cow<'_, Checkout>> {
        let checkout = self.checkouts.get(number)?;
        if fault != Some(&Fault::SwappedCheckout) {
            return Some(Cow::Borrowed(checkout));
        }
        let is_other = |other: &&Checkout| other.tracking_number != checkout.tracking_number;
        let other = self.checkouts.iter().rev().find(is_other);
        Some(other.map_or_else(|| Cow::Owned(checkout.made_up_other(now)), Cow::Borrowed))
    }
}

/// The `Retry-After` of the page's polling pattern.
const RETRY_AFTER_SECONDS: u64 = 2;

/// 2024-06-01 12:52:07.923 UTC.
const START_MILLIS: u64 = 1_717_246_327_923;

#[cfg(test)]
mod tests;
