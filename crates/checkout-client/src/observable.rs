//! Answers that say how a checkout stands.

use crate::{Readable, Received};
use checkout_lifecycle::{Observation, Status, Tracker, Verdict};
use checkout_poll::{Fetch, Heard};
use checkout_tables::allscale::{IntentStatus, POLL_EVERY_SECONDS};
use checkout_tables::{Open, RawOf};
use checkout_wire::Reply;
use checkout_wire::allscale::Intent;
use core::fmt;
use std::time::Duration;

/// An answer that says how a checkout stands: what a caller writes against who does not care which provider it is.
///
/// ```
/// use checkout_client::{Call, Observable, SendError};
/// use checkout_lifecycle::Tracker;
/// use checkout_transport::BlockingTransport;
///
/// /// Asks once, and takes in what the answer says of the checkout.
/// fn look<T: Observable>(
///     call: &Call<T>,
///     tracker: &mut Tracker<T::Status>,
///     transport: &dyn BlockingTransport,
/// ) -> Result<bool, SendError> {
///     let observation = call.send_blocking(transport)?.observation();
///     Ok(observation.is_some_and(|observation| tracker.observe(observation).wants_attention()))
/// }
/// ```
pub trait Observable: Readable {
    /// The provider's statuses.
    type Status: Status + fmt::Display + Send + Sync;
    /// What a status that nobody has named yet is kept in.
    type Raw: RawOf<Self::Status> + Clone + fmt::Debug + fmt::Display + Send + Sync + 'static;

    /// How often the provider advises to ask, where an answer says nothing of it.
    const POLL_EVERY: Duration;

    /// What an answer to a request that was sent at a moment (milliseconds since the Unix epoch) says.
    fn observed(&self, sent_at_millis: u64) -> Option<Observation<Self::Status, Self::Raw>>;

    /// When to ask again, if the answer itself says.
    fn retry_after_seconds(&self) -> Option<u64> {
        None
    }

    /// What the payer is to be shown, if anything is: the address of a page or the HTML of a form. It leads into the payer's
    /// bank, so it is for the payer's browser and for no log. Which of the two it is, the answer's own type tells: of Azotte
    /// [`CheckoutResult::challenge`](checkout_wire::azotte::CheckoutResult::challenge).
    fn asks_payer(&self) -> Option<&str> {
        None
    }
}

/// What an observation of the answer `T` meant.
///
/// ```
/// use checkout_client::VerdictOf;
/// use checkout_lifecycle::Verdict;
/// use checkout_tables::{Open, allscale::IntentStatus};
///
/// let verdict: VerdictOf<Open<IntentStatus>> = Verdict::First;
/// assert!(!verdict.wants_attention());
/// ```
pub type VerdictOf<T> = Verdict<<T as Observable>::Status, <T as Observable>::Raw>;

impl<T: Observable> Received<T> {
    /// The observation for a [`Tracker`](checkout_lifecycle::Tracker), if the answer says how the checkout stands.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let (_, reader) = client.status("65b2")?.attempt(7, "nonce-1")?.into_parts();
    /// # let received = reader.read(&Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)))?;
    /// use checkout_lifecycle::{Tracker, Verdict};
    ///
    /// let mut tracker = Tracker::new();
    /// let verdict = received.observation().map(|observation| tracker.observe(observation));
    /// assert_eq!(verdict, Some(Verdict::First));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observation(&self) -> Option<Observation<T::Status, T::Raw>> {
        match &self.reply {
            Reply::Done(answer) => answer.payload.observed(self.sent_at_millis),
            Reply::Refused(_) | Reply::NotTheApi(_) => None,
        }
    }

    /// When to ask again: what the answer itself says, else its `Retry-After` header, in seconds or as a date, else what
    /// the provider advises. Never sooner than in a second, and never later than in an hour, whatever somebody says.
    ///
    /// It says nothing of a checkout that has ended, and a challenge is to be shown first.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let (_, reader) = client.status("65b2")?.attempt(784_111_770_000, "nonce-1")?.into_parts();
    /// # let mut received = reader.read(&Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)))?;
    /// # use std::time::Duration;
    /// assert_eq!(received.poll_after(), Duration::from_secs(5));
    /// received.retry_after = Some("17".into());
    /// assert_eq!(received.poll_after(), Duration::from_secs(17));
    /// received.retry_after = Some("Sun, 06 Nov 1994 08:49:37 GMT".into()); // 7 s after the request was sent
    /// assert_eq!(received.poll_after(), Duration::from_secs(7));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll_after(&self) -> Duration {
        self.said_wait().unwrap_or(T::POLL_EVERY).clamp(SOONEST, LATEST)
    }

    /// What it is to whoever polls: for a [`Poller`](checkout_poll::Poller) or a [`Schedule`](checkout_poll::Schedule).
    /// What it observes goes into the tracker, whose verdict is given too: where that
    /// [wants attention](Verdict::wants_attention), a person has to hear of it.
    ///
    /// A read that does not show what the tracker knows, because it is older or contradicts it, confirms no phase.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let (_, reader) = client.status("65b2")?.attempt(7, "nonce-1")?.into_parts();
    /// # let received = reader.read(&Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#)))?;
    /// use checkout_lifecycle::{Phase, Tracker, Verdict};
    /// use checkout_poll::{Fetch, Heard};
    ///
    /// let mut tracker = Tracker::new();
    /// let (heard, verdict) = received.heard(Fetch::Status, &mut tracker);
    /// assert_eq!(verdict, Some(Verdict::First));
    /// let phase = Some(Phase::AwaitingPayer);
    /// assert_eq!(heard, Heard::Answer { fetch: Fetch::Status, phase, wait: None });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn heard(&self, fetch: Fetch, tracker: &mut Tracker<T::Status>) -> (Heard, Option<VerdictOf<T>>) {
        if let Some(attempted) = self.attempted() {
            return (crate::watch::heard(attempted), None);
        }
        let verdict = self.observation().map(|observation| tracker.observe(observation));
        let shows = verdict.as_ref().is_some_and(Verdict::is_adopted);
        (Heard::Answer { fetch, phase: tracker.phase().filter(|_| shows), wait: self.said_wait() }, verdict)
    }

    /// What the answer itself says to wait, else its header, uncut; None if neither says.
    pub(crate) fn said_wait(&self) -> Option<Duration> {
        let said = match &self.reply {
            Reply::Done(answer) => answer.payload.retry_after_seconds().map(Duration::from_secs),
            Reply::Refused(_) | Reply::NotTheApi(_) => None,
        };
        said.or_else(|| self.said_by_header())
    }
}

impl Observable for Open<IntentStatus> {
    type Status = IntentStatus;
    type Raw = i64;
    const POLL_EVERY: Duration = Duration::from_secs(POLL_EVERY_SECONDS);

    fn observed(&self, sent_at_millis: u64) -> Option<Observation<IntentStatus>> {
        Some(Observation::read(*self, crate::received::moment(sent_at_millis)))
    }
}

impl Observable for Intent<'_> {
    type Status = IntentStatus;
    type Raw = i64;
    const POLL_EVERY: Duration = Duration::from_secs(POLL_EVERY_SECONDS);

    fn observed(&self, sent_at_millis: u64) -> Option<Observation<IntentStatus>> {
        Some(Observation::read(self.status, crate::received::moment(sent_at_millis)))
    }
}

const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(60 * 60);
