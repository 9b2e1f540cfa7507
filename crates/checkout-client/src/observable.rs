//! Answers that show the state of a checkout.

use crate::{Answer, Readable};
use checkout_lifecycle::{Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_poll::{ReadKind, ReadOutcome};
use checkout_tables::allscale::{IntentStatus, POLL_EVERY_SECONDS};
use checkout_tables::{Open, RawOf};
use checkout_wire::allscale::Intent;
use core::fmt;
use std::time::Duration;

/// An answer that shows the state of a checkout: the trait for code that works with every provider.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::{BlockingTransport, Call, CallError, Moment, Observable, Tracker};
/// # fn now() -> Moment { Moment::from_unix_millis(1_716_501_000_000) }
///
/// /// Asks once, and takes in what the answer says of the checkout.
/// fn look<T: Observable>(
///     call: &Call<T>,
///     tracker: &mut Tracker<T::Status>,
///     transport: &dyn BlockingTransport,
/// ) -> Result<bool, CallError<T::Provider>> {
///     let observation = call.send_blocking(transport)?.observation();
///     let now = now(); // by the clock that the client has
///     Ok(observation.is_some_and(|observation| tracker.observe(observation, now).wants_attention()))
/// }
/// ```
pub trait Observable: Readable {
    /// The provider's statuses.
    type Status: Status + fmt::Display + Send + Sync;
    /// The type that keeps a status without a name.
    type Raw: RawOf<Self::Status> + Clone + fmt::Debug + fmt::Display + Send + Sync + 'static;

    /// The pause between reads that the provider advises, where an answer has no advice.
    const POLL_EVERY: Duration;

    /// True for the answer to a read. The answer to Azotte's submit has a status and is not a read: that
    /// answer confirms no end.
    const IS_READ: bool = true;

    /// The observation of the answer, whose request was sent at `sent_at`.
    fn observed(&self, sent_at: Moment) -> Option<Observation<Self::Status, Self::Raw>>;

    /// The pause before the next read, if the answer itself has such advice.
    fn retry_after_seconds(&self) -> Option<u64> {
        None
    }

    /// The challenge to show the payer, if any: the address of a page or the HTML of a form. The challenge
    /// leads into the payer's bank, so the challenge is for the payer's browser and not for a log. The
    /// answer's own type tells a page from a form: for Azotte
    /// [`CheckoutResult::challenge`](checkout_wire::azotte::CheckoutResult::challenge).
    fn asks_payer(&self) -> Option<&str> {
        None
    }

    /// The reason why [`asks_payer`](Self::asks_payer) has nothing although the answer has a challenge, in
    /// words that hold nothing of the challenge: for Azotte
    /// [`CheckoutResult::not_shown`](checkout_wire::azotte::CheckoutResult::not_shown).
    fn not_shown(&self) -> Option<&'static str> {
        None
    }

    /// True if a payer who is shown the challenge comes back from the challenge, so that the next read can
    /// wait for the return: for Azotte
    /// [`CheckoutResult::payer_returns`](checkout_wire::azotte::CheckoutResult::payer_returns).
    fn payer_returns(&self) -> bool {
        true
    }
}

/// The verdict on an observation of the answer `T`.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::Verdict;
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::client::VerdictOf;
/// use checkout_kit::tables::Open;
///
/// let verdict: VerdictOf<Open<IntentStatus>> = Verdict::First;
/// assert!(!verdict.wants_attention());
/// ```
pub type VerdictOf<T> = Verdict<<T as Observable>::Status, <T as Observable>::Raw>;

impl<T: Observable> Answer<T> {
    /// The observation for a [`Tracker`](checkout_lifecycle::Tracker), if the answer has a status.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let (_, reader) = client.status("65b2")?.attempt(client.now(), "nonce-1")?.into_parts();
    /// # let answer = reader.read(&Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)))?;
    /// use checkout_kit::{Tracker, Verdict};
    ///
    /// let mut tracker = Tracker::new();
    /// let verdict = answer.observation().map(|observation| tracker.observe(observation, client.now()));
    /// assert_eq!(verdict, Some(Verdict::First));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observation(&self) -> Option<Observation<T::Status, T::Raw>> {
        self.payload.observed(self.sent_at())
    }

    /// The pause before the next read: the answer's own advice, else the `Retry-After` header, in seconds or
    /// as a date, else the provider's advice. The pause is at least a second and at most an hour.
    ///
    /// The pause does not apply to a checkout that has ended, and a challenge must be shown first.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # use std::time::Duration;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let sent = checkout_tables::Moment::from_unix_seconds(784_111_770);
    /// # let (_, reader) = client.status("65b2")?.attempt(sent, "nonce-1")?.into_parts();
    /// let mut response = Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#));
    /// assert_eq!(reader.read(&response)?.poll_after(), Duration::from_secs(5));
    /// response.headers_mut().insert("retry-after", "17".parse()?);
    /// assert_eq!(reader.read(&response)?.poll_after(), Duration::from_secs(17));
    /// // 7 s after the request was sent.
    /// response.headers_mut().insert("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT".parse()?);
    /// assert_eq!(reader.read(&response)?.poll_after(), Duration::from_secs(7));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll_after(&self) -> Duration {
        self.said_wait().unwrap_or(T::POLL_EVERY).clamp(SOONEST, LATEST)
    }

    /// The outcome of the read for a [`Poller`](checkout_poll::Poller) or a
    /// [`Schedule`](checkout_poll::Schedule), with the tracker's verdict. The observation goes into
    /// `tracker`. Where the verdict [wants attention](Verdict::wants_attention), a person has to look. `now`
    /// is the moment at which you take the answer in, by the client's clock: see [`Tracker::observe`].
    ///
    /// A read that does not show what the tracker knows, because the read is older or contradicts the
    /// tracker, confirms no phase.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let (_, reader) = client.status("65b2")?.attempt(client.now(), "nonce-1")?.into_parts();
    /// # let answer = reader.read(&Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)))?;
    /// use checkout_kit::poll::{ReadKind, ReadOutcome};
    /// use checkout_kit::{Phase, Tracker, Verdict};
    ///
    /// let mut tracker = Tracker::new();
    /// let (heard, verdict) = answer.read_outcome(ReadKind::Status, &mut tracker, client.now());
    /// assert_eq!(verdict, Some(Verdict::First));
    /// let phase = Some(Phase::AwaitingPayer);
    /// assert_eq!(heard, ReadOutcome::Answer { kind: ReadKind::Status, phase, wait: None });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_outcome(
        &self,
        kind: ReadKind,
        tracker: &mut Tracker<T::Status>,
        now: Moment,
    ) -> (ReadOutcome, Option<VerdictOf<T>>) {
        let verdict = self.observation().map(|observation| tracker.observe(observation, now));
        let shows = verdict.as_ref().is_some_and(Verdict::is_adopted);
        let phase = tracker.phase().filter(|phase| shows || *phase == Phase::PayerAction);
        (self.answered(kind, phase), verdict)
    }

    /// The event of the answer for the poller, after which the checkout is in `phase`. An answer that is not
    /// a read shows no end, and the first read after that answer comes no sooner than the provider advises.
    pub(crate) fn answered(&self, kind: ReadKind, phase: Option<Phase>) -> ReadOutcome {
        let phase = phase.filter(|phase| T::IS_READ || !phase.is_final());
        let wait = self.said_wait().or_else(|| (!T::IS_READ).then_some(T::POLL_EVERY));
        let acts = phase == Some(Phase::PayerAction);
        if acts && self.payload.asks_payer().is_none() {
            ReadOutcome::PayerActs { shown: false, wait }
        } else if acts && !self.payload.payer_returns() {
            ReadOutcome::PayerActs { shown: true, wait }
        } else {
            ReadOutcome::Answer { kind, phase, wait }
        }
    }

    /// The wait that the answer asks for, else the wait of the header, without a maximum; None if neither has
    /// one.
    pub(crate) fn said_wait(&self) -> Option<Duration> {
        let said = self.payload.retry_after_seconds().map(Duration::from_secs);
        said.or_else(|| self.header_wait())
    }
}

impl Observable for Open<IntentStatus> {
    type Status = IntentStatus;
    type Raw = i64;
    const POLL_EVERY: Duration = Duration::from_secs(POLL_EVERY_SECONDS);

    fn observed(&self, sent_at: Moment) -> Option<Observation<IntentStatus>> {
        Some(Observation::read(*self, sent_at))
    }
}

impl Observable for Intent<'_> {
    type Status = IntentStatus;
    type Raw = i64;
    const POLL_EVERY: Duration = Duration::from_secs(POLL_EVERY_SECONDS);

    fn observed(&self, sent_at: Moment) -> Option<Observation<IntentStatus>> {
        Some(Observation::read(self.status, sent_at))
    }
}

const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(60 * 60);
