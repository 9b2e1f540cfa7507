//! A reply, with what is known of its journey.

use crate::call::{DifferenceOf, RefusalOf, RouteOf};
use crate::provider::sealed::{Backend, Trouble};
use crate::{AnswerError, Evidence, EvidenceError, Operation, Readable, retry_after};
use checkout_lifecycle::Moment;
use checkout_poll::{Advice, Attempted, Heard, advise};
use checkout_tables::Environment;
use checkout_transport::Response;
use checkout_trust::integrity::Read;
use checkout_wire::{Answer, NotDone, Reply};
use core::fmt;
use core::time::Duration;
use std::time::UNIX_EPOCH;

/// A reply, with when it was asked for and how far the clocks are apart.
///
/// Nothing but a [`Reader`](crate::Reader) makes one, so its [`environment`](Self::environment) is that of the client that
/// asked. [`into_read`](Self::into_read) makes of it what can settle an order.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let clock = sandbox.clock().clone();
/// let late = Client::builder(key).clock(move || clock.now_millis() - 400_000).build()?;
/// let received = late.ping().send_blocking(&sandbox)?;
/// assert_eq!(received.clock_skew.map(|skew| skew.seconds()), Some(400));
/// assert!(received.into_answer().unwrap_err().to_string().ends_with("; the provider's clock is 400 s ahead of ours"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a refusal is a reply too"]
pub struct Received<T: Readable> {
    environment: Environment,
    /// What was asked.
    pub route: RouteOf<T>,
    /// What the answer was.
    pub reply: Reply<'static, T, RefusalOf<T>>,
    differences: Vec<DifferenceOf<T>>,
    /// True if another attempt before it may have been done.
    earlier: bool,
    /// When the attempt was made, by your clock, in milliseconds since the Unix epoch.
    pub sent_at_millis: u64,
    /// The HTTP status.
    pub http_status: u16,
    /// `Retry-After`, as it stands, whoever's it is.
    pub retry_after: Option<String>,
    /// How far the provider's clock is ahead of yours, where the answer's `Date` tells.
    pub clock_skew: Option<ClockSkew>,
}

impl<T: Readable> Received<T> {
    /// The environment of the client that asked: whose money the answer is about.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # use checkout_tables::Environment;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// let client = Client::builder(key).environment(Environment::Sandbox).clock(move || clock.now_millis()).build()?;
    /// assert_eq!(client.ping().send_blocking(&sandbox)?.environment(), Environment::Sandbox);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// The differences between the answer and its request, taken all the same: none, if all agrees. Only AllScale's
    /// create has any ([`allscale::Difference`](crate::allscale::Difference)).
    ///
    /// The intent is there and can be paid, so its page and its id are not withheld. Look here before the payer is sent to
    /// the page: what is paid in another coin or at another amount than the order's settles no order.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # use checkout_tables::allscale::StableCoin;
    /// # use checkout_validate::allscale::{Draft, Rules};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// let draft = Draft::coin(StableCoin::USDT, Cents::new(1_000)).accept([StableCoin::USDT]);
    /// sandbox.inject(Fault::AcceptedCoins(3));
    /// let received = client.create(&draft.check(&Rules::default())?).send_blocking(&sandbox)?;
    /// let told: Vec<_> = received.differences().iter().map(ToString::to_string).collect();
    /// assert_eq!(told, ["accepted_stable_coins: USDT was asked for, and the answer has USDT, USDC"]);
    /// assert!(received.into_answer()?.payload.checkout_url.as_str().starts_with("https://"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn differences(&self) -> &[DifferenceOf<T>] {
        &self.differences
    }

    /// The answer, or else what came instead of it, as an error.
    ///
    /// # Errors
    /// [`AnswerError`], for a refusal and for what is not the API's.
    pub fn into_answer(self) -> Result<Answer<'static, T>, AnswerError<RefusalOf<T>>> {
        let retry = self.retry().unwrap_or(Advice::Never);
        self.reply.into_answer().map_err(|not_done| {
            let refusal = match &not_done {
                NotDone::Refused(refusal) => Some(refusal),
                NotDone::NotTheApi(_) => None,
            };
            let nothing_done = match &not_done {
                NotDone::Refused(refusal) => T::Provider::nothing_done(self.route, refusal),
                NotDone::NotTheApi(other) => T::Provider::nothing_done_beside(self.route, other),
            };
            let clock_skew = self.clock_skew.filter(|_| refusal.is_some_and(T::Provider::can_be_the_clock));
            // What this attempt proves, it proves of itself alone.
            let nothing_done = nothing_done && !self.earlier;
            AnswerError::new(self.route.into(), not_done, nothing_done, clock_skew, retry)
        })
    }

    /// Whether, and when, to ask again; None for an answer, which is what was asked for.
    ///
    /// [`Advice::After`] counts from when the answer came, and says no less than `Retry-After` does, in seconds or as a date.
    /// The header of what is not the API's, such as a content delivery network's page, has no say: the ordinary waits hold.
    /// How often to follow it is not in it: [`Call::send_with_retries`](crate::Call::send_with_retries) counts.
    /// [`Advice::ReadFirst`] names what to ask by whether it was done, before it is done a second time. [`Advice::Never`] is
    /// for what a repeat does not mend, and for what would be done twice with nothing to ask by: an AllScale create has its
    /// webhook's `order_id` alone.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_client::Advice;
    /// use std::time::Duration;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// let ping = client.ping();
    /// assert_eq!(ping.send_blocking(&sandbox)?.retry(), None);
    /// sandbox.inject(Fault::RateLimited);
    /// assert_eq!(ping.send_blocking(&sandbox)?.retry(), Some(Advice::After(Duration::from_secs(2))));
    /// assert_eq!(client.fail().send_blocking(&sandbox)?.retry(), Some(Advice::Never));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry(&self) -> Option<Advice> {
        let operation: Operation = self.route.into();
        self.attempted().map(|attempted| advise(operation.repeat, operation.read_first, attempted))
    }

    /// After an attempt that may have been done.
    pub(crate) fn after_another(self) -> Self {
        Self { earlier: true, ..self }
    }

    /// True if the provider may have done what was asked, by this attempt.
    pub(crate) fn may_have_been_done(&self) -> bool {
        match &self.reply {
            Reply::Done(_) => true,
            Reply::Refused(refusal) => !T::Provider::nothing_done(self.route, refusal),
            Reply::NotTheApi(other) => !T::Provider::nothing_done_beside(self.route, other),
        }
    }

    /// How the attempt ended, if it has no answer.
    pub(crate) fn attempted(&self) -> Option<Attempted> {
        let wait = self.said_by_header();
        Some(match &self.reply {
            Reply::Done(_) => return None,
            Reply::Refused(refusal) => {
                let nothing_done = T::Provider::nothing_done(self.route, refusal);
                match T::Provider::trouble(refusal, self.http_status) {
                    Trouble::Limited => Attempted::Limited { wait, nothing_done },
                    Trouble::Temporary => Attempted::Temporary { wait, nothing_done },
                    Trouble::Refused => Attempted::Refused { nothing_done },
                }
            }
            // Nothing that is not the API's speaks for more than the one request. That it does not let us in, no repeat
            // mends.
            Reply::NotTheApi(other) => match self.http_status {
                401 | 403 => {
                    let nothing_done = T::Provider::nothing_done_beside(self.route, other);
                    Attempted::Refused { nothing_done }
                }
                _ => Attempted::Unknown { wait: None },
            },
        })
    }

    /// The event for the poller that an attempt with this end is.
    pub(crate) fn missed(&self, attempted: Attempted) -> Heard {
        match (attempted, &self.reply) {
            (Attempted::NotSent, _) => Heard::Failed { wait: None },
            (Attempted::Unknown { wait } | Attempted::Temporary { wait, .. }, _) => Heard::Failed { wait },
            // "Now" is no wait for a limit: the plan's own is taken.
            (Attempted::Limited { wait, .. }, _) => {
                Heard::Limited { wait: wait.filter(|wait| !wait.is_zero()) }
            }
            (Attempted::Refused { .. }, Reply::Refused(refusal)) if T::Provider::is_not_there(refusal) => {
                Heard::NotThere { wait: self.said_by_header() }
            }
            // A gateway's page that lets nobody in says nothing of the checkout, and may be gone at the next read.
            (Attempted::Refused { nothing_done: false }, Reply::NotTheApi(_)) => Heard::Failed { wait: None },
            (Attempted::Refused { .. }, _) => Heard::Refused,
        }
    }

    /// The wait that the `Retry-After` of the API's own answer asks for, from when the request was sent.
    pub(crate) fn said_by_header(&self) -> Option<Duration> {
        match self.reply {
            Reply::Done(_) | Reply::Refused(_) => {
                retry_after::wait(self.retry_after.as_deref()?, self.sent_at_millis, self.clock_skew)
            }
            Reply::NotTheApi(_) => None,
        }
    }

    /// When the read was sent, for the order of observations.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let viewed = Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#));
    /// let (_, reader) = client.status("65b2")?.attempt(7, "nonce-1")?.into_parts();
    /// assert_eq!(reader.read(&viewed)?.moment().unix_millis(), 7);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn moment(&self) -> Moment {
        moment(self.sent_at_millis)
    }

    pub(crate) fn new(
        environment: Environment,
        route: RouteOf<T>,
        reply: Reply<'static, T, RefusalOf<T>>,
        differences: Vec<DifferenceOf<T>>,
        sent_at_millis: u64,
        response: &Response,
    ) -> Self {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            environment,
            route,
            reply,
            differences,
            earlier: false,
            sent_at_millis,
            http_status: response.status().as_u16(),
            retry_after: header("retry-after").map(str::to_owned),
            clock_skew: header("date").and_then(|date| ClockSkew::of(date, sent_at_millis)),
        }
    }
}

impl<T: Evidence> Received<T> {
    /// The answer as what can settle an order: a read, and the environment of the client that made it.
    ///
    /// Neither is yours to say, so no test money is taken for a live order's, and no answer to a submit for a payment. What
    /// else you want of the reply, such as its [`observation`](Self::observation), take before.
    ///
    /// What is taken on trust is what the client was built with: that its environment is that of its key, and of its host.
    ///
    /// What was created, and a bare status, is no evidence at all:
    ///
    /// ```compile_fail,E0599
    /// # use checkout_client::Received;
    /// # use checkout_wire::allscale::CreatedIntent;
    /// fn of_a_create(created: Received<CreatedIntent<'static>>) {
    ///     let _ = created.into_read(); // CreatedIntent is no Evidence
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use checkout_client::Received;
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// fn of_a_status(status: Received<Open<IntentStatus>>) {
    ///     let _ = status.into_read(); // Open<IntentStatus> is no Evidence
    /// }
    /// ```
    ///
    /// # Errors
    /// [`EvidenceError`], for a refusal, for what is not the API's, and for the answer to what is no read.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// use checkout_client::azotte::Client;
    /// use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
    /// use checkout_tables::Environment;
    /// # use checkout_tables::azotte::PaymentChannel;
    /// use checkout_trust::integrity::{Policy, azotte::Order};
    /// # use checkout_validate::azotte::{Draft, Rules};
    ///
    /// let sandbox = Sandbox::new(1);
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now_millis()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check(&Rules::default())?;
    /// let submitted = client.submit(&submit).send_blocking(&sandbox)?;
    /// let number = submitted.into_answer()?.payload.tracking_number.unwrap();
    /// sandbox.clock().advance(std::time::Duration::from_secs(60));
    ///
    /// let read = client.status(&number)?.send_blocking(&sandbox)?.into_read()?;
    /// let order = Order { environment: Environment::Sandbox, tracking_number: &number };
    /// assert!(order.settled_by(&read, &Policy::default()).is_settled());
    /// // Goods of the live shop do not leave for it.
    /// let live = Order { environment: Environment::Live, ..order };
    /// assert!(!live.settled_by(&read, &Policy::default()).is_settled());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_read(self) -> Result<Read<T>, EvidenceError<T>> {
        let operation: Operation = self.route.into();
        if matches!(self.reply, Reply::Done(_)) && !operation.is_read() {
            return Err(EvidenceError::OtherRoute(Box::new(self)));
        }
        let environment = self.environment;
        let answer = self.into_answer().map_err(EvidenceError::NotDone)?;
        Ok(Read::answer(answer.payload, environment))
    }
}

/// When a read was sent, for the order of observations.
pub(crate) fn moment(sent_at_millis: u64) -> Moment {
    Moment::from_unix_millis(i64::try_from(sent_at_millis).unwrap_or(i64::MAX))
}

/// How far the provider's clock is ahead of ours, by the answer's `Date`; to a second, and the answer's journey is in
/// it.
///
/// ```
/// # use checkout_client::Received;
/// fn warn(received: &Received<checkout_wire::allscale::Pong<'static>>) -> Option<String> {
///     received.clock_skew.map(|skew| skew.to_string())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew(i64);

impl ClockSkew {
    /// Seconds; below zero when the provider's clock is behind.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    pub(crate) fn of(date: &str, sent_at_millis: u64) -> Option<Self> {
        let date = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let date = i64::try_from(date.as_secs()).ok()?;
        Some(Self(date.saturating_sub(i64::try_from(sent_at_millis / 1_000).ok()?)))
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("the provider's clock agrees with ours"),
            ahead @ 1.. => write!(f, "the provider's clock is {ahead} s ahead of ours"),
            behind => write!(f, "the provider's clock is {} s behind ours", behind.unsigned_abs()),
        }
    }
}
