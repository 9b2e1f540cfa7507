//! The frequency and the duration of polling, as data.

use crate::Backoff;
use checkout_tables::{allscale, azotte, peach};
use core::time::Duration;

/// The frequency and the duration of reading a checkout. Data, one policy for each provider.
///
/// The pause after an answer grows with the checkout's age: an eighth of the age, at least
/// [`initial_interval`](Self::initial_interval) and at most [`max_interval`](Self::max_interval). The pause
/// is not a state, so a restart loses nothing.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::PollPolicy;
/// use core::time::Duration;
///
/// const POLL_POLICY: PollPolicy = PollPolicy::allscale().max_interval(Duration::from_secs(30)).deadline(Duration::from_secs(3600));
/// assert_eq!(POLL_POLICY.initial_interval, Duration::from_secs(5));
/// assert_eq!(POLL_POLICY.deadline, Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PollPolicy {
    /// The time between the beginning and the first read. A [nudge](crate::Poller::nudge) makes the first
    /// read due sooner.
    pub initial_wait: Duration,
    /// The time from the beginning during which a checkout may not exist yet. Until then
    /// [`ReadOutcome::NotThere`](crate::ReadOutcome::NotThere) counts as a failed read, and after that as a
    /// refusal.
    pub appears_within: Duration,
    /// The shortest pause after an answer.
    pub initial_interval: Duration,
    /// The longest pause after an answer. Less than `initial_interval` counts as `initial_interval`.
    pub max_interval: Duration,
    /// How long to poll, counted from the start and again after a status change that outlasts the payer's
    /// time. A checkout that is open then is read once more at the deadline, so the poller gives up somewhat
    /// later: see [`Poller`](crate::Poller#the-last-read).
    pub deadline: Duration,
    /// The shortest time between two reads, from the answer to the next request. Less than 10 ms counts as 10
    /// ms.
    pub min_gap: Duration,
    /// The reads while a person at the provider reviews the payment, with their own pause and their own end.
    pub review: Cadence,
    /// The reads after a refusal, which can be paid late. The poller reports the refusal when it is confirmed
    /// ([`Poller::refused`](crate::Poller::refused)), and these reads follow. None: a refusal is the end.
    pub late_payment_reads: Option<Cadence>,
    /// How often to poll during a challenge if nobody reports that the payer returned. None: not before the
    /// deadline; but a read that was nudged and failed is repeated.
    pub challenge_interval: Option<Duration>,
    /// The wait after a failed read.
    pub backoff: Backoff,
    /// Polling stops after this many refusals that no repeat mends, with no answer between them: 1 to 7.
    /// Outside of that range the nearest value counts.
    pub max_refusals: u8,
    /// Polling stops after this many reads in a row without an answer, the last of them sent at or after the
    /// deadline: 1 or more, and 1 is one try. 0 counts as 1.
    pub final_attempts: u8,
    /// True if an end counts only once the read that settles ([`ReadKind::Full`](crate::ReadKind::Full)) has
    /// shown it.
    pub confirm_with_full_read: bool,
    /// The largest part of a pause, in thousandths, that chance may take off. Above 1000 counts as 1000.
    pub jitter_permille: u16,
    /// How long the sender of a read waits for the answer; after that the read has failed. Less than 1 s
    /// counts as 1 s. A poller and a schedule send nothing and ignore this value: the watches of
    /// `checkout-client` use it. Assumed for every provider: 30 s, for no page documents how long an answer
    /// may take.
    pub read_timeout: Duration,
}

/// Reads with their own pause and their own end.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::PollPolicy;
/// use core::time::Duration;
///
/// assert_eq!(PollPolicy::allscale().review.every, Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cadence {
    /// The pause after an answer.
    pub every: Duration,
    /// The duration of the reads, from their beginning.
    pub at_most: Duration,
}

impl PollPolicy {
    /// AllScale: every 5 s at first, each minute at last, for 10 minutes; the whole intent is read at the
    /// end.
    ///
    /// Source: *Integration Guide* (every 5 s, give up after 10 minutes). Assumed: that the pause
    /// may grow, and the minute; what a bare status settles is nothing, so the intent is read.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::allscale();
    /// assert_eq!((policy.initial_interval, policy.deadline), (Duration::from_secs(5), Duration::from_secs(600)));
    /// assert!(policy.confirm_with_full_read);
    /// ```
    #[must_use]
    pub const fn allscale() -> Self {
        Self {
            initial_interval: Duration::from_secs(allscale::POLL_EVERY_SECONDS),
            max_interval: Duration::from_secs(60),
            deadline: Duration::from_secs(allscale::POLL_GIVE_UP_SECONDS),
            min_gap: Duration::from_secs(1),
            confirm_with_full_read: true,
            ..Self::BASE
        }
    }

    /// Azotte: what the answer says, and where it says nothing every 2 s at first, each half a minute at
    /// last; for 10 minutes. Its one read settles. The first read is due 2 s after the beginning.
    ///
    /// Source: *Get Checkout Status*, Polling Pattern (`Retry-After: 2` of the submit, which is waited before
    /// the first `GET`). Assumed: that the pause may grow, the half minute, and the 10 minutes.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::azotte();
    /// assert_eq!((policy.initial_wait, policy.initial_interval), (Duration::from_secs(2), Duration::from_secs(2)));
    /// ```
    #[must_use]
    pub const fn azotte() -> Self {
        Self {
            initial_wait: Duration::from_secs(azotte::DEFAULT_RETRY_AFTER_SECONDS),
            initial_interval: Duration::from_secs(azotte::DEFAULT_RETRY_AFTER_SECONDS),
            max_interval: Duration::from_secs(30),
            deadline: Duration::from_secs(600),
            ..Self::BASE
        }
    }

    /// Peach: every half a minute at first, every 5 minutes at last, for 65 minutes. Its one read settles.
    ///
    /// Source: *Payment status*, GET status request parameters (two requests a minute, from which come
    /// `initial_interval` and `min_gap`, so that a poller that is alone keeps the limit); a page that nobody
    /// opens ends at 60 minutes. Assumed: that the pause may grow, the 5 minutes, and 5 minutes for the last
    /// news.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::peach();
    /// assert_eq!((policy.initial_interval, policy.min_gap), (Duration::from_secs(30), Duration::from_secs(30)));
    /// assert_eq!(policy.deadline, Duration::from_secs(65 * 60));
    /// ```
    #[must_use]
    pub const fn peach() -> Self {
        Self {
            initial_interval: PEACH_EVERY,
            max_interval: Duration::from_secs(300),
            deadline: Duration::from_secs(2 * peach::EXPIRES_AFTER_SECONDS + 300),
            min_gap: PEACH_EVERY,
            ..Self::BASE
        }
    }

    /// Sets the time between the beginning and the first read.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::peach().initial_wait(Duration::from_secs(9)).initial_wait, Duration::from_secs(9));
    /// ```
    #[must_use]
    pub const fn initial_wait(mut self, initial_wait: Duration) -> Self {
        self.initial_wait = initial_wait;
        self
    }

    /// Sets the time from the beginning during which a checkout may not exist yet.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::azotte().appears_within, Duration::from_secs(60));
    /// assert_eq!(PollPolicy::azotte().appears_within(Duration::ZERO).appears_within, Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn appears_within(mut self, appears_within: Duration) -> Self {
        self.appears_within = appears_within;
        self
    }

    /// Sets the shortest pause.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::allscale().initial_interval(Duration::from_secs(3)).initial_interval, Duration::from_secs(3));
    /// ```
    #[must_use]
    pub const fn initial_interval(mut self, initial_interval: Duration) -> Self {
        self.initial_interval = initial_interval;
        self
    }

    /// Sets the longest pause.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::allscale().max_interval(Duration::from_secs(20)).max_interval, Duration::from_secs(20));
    /// ```
    #[must_use]
    pub const fn max_interval(mut self, max_interval: Duration) -> Self {
        self.max_interval = max_interval;
        self
    }

    /// Sets the deadline.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::allscale().deadline(Duration::from_secs(900)).deadline, Duration::from_secs(900));
    /// ```
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the shortest time between two reads.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::allscale().min_gap(Duration::from_millis(500)).min_gap, Duration::from_millis(500));
    /// ```
    #[must_use]
    pub const fn min_gap(mut self, min_gap: Duration) -> Self {
        self.min_gap = min_gap;
        self
    }

    /// Sets the reads during a review.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::allscale().review(Duration::from_secs(60), Duration::from_secs(86_400));
    /// assert_eq!(policy.review.at_most, Duration::from_secs(86_400));
    /// ```
    #[must_use]
    pub const fn review(mut self, every: Duration, at_most: Duration) -> Self {
        self.review = Cadence { every, at_most };
        self
    }

    /// Sets the reads after a refusal. `Duration::MAX` is as long as a poller counts: 497 days.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::allscale().late_payment_reads(Duration::from_secs(3_600), Duration::MAX);
    /// assert_eq!(policy.late_payment_reads.map(|reads| reads.at_most), Some(Duration::MAX));
    /// ```
    #[must_use]
    pub const fn late_payment_reads(mut self, every: Duration, at_most: Duration) -> Self {
        self.late_payment_reads = Some(Cadence { every, at_most });
        self
    }

    /// Sets the interval of the reads during a challenge if nobody reports that the payer returned.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// assert_eq!(PollPolicy::allscale().challenge_interval(None).challenge_interval, None);
    /// ```
    #[must_use]
    pub const fn challenge_interval(mut self, every: Option<Duration>) -> Self {
        self.challenge_interval = every;
        self
    }

    /// Sets the waits after a failed read.
    ///
    /// ```
    /// # use checkout_poll::{Backoff, PollPolicy};
    /// assert_eq!(PollPolicy::allscale().backoff(Backoff::default()).backoff, Backoff::default());
    /// ```
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the number of refusals that stop polling.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// assert_eq!(PollPolicy::allscale().max_refusals(1).max_refusals, 1);
    /// ```
    #[must_use]
    pub const fn max_refusals(mut self, max_refusals: u8) -> Self {
        self.max_refusals = max_refusals;
        self
    }

    /// Sets the number of reads in a row without an answer that stop polling at the deadline.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// assert_eq!(PollPolicy::allscale().final_attempts(1).final_attempts, 1);
    /// ```
    #[must_use]
    pub const fn final_attempts(mut self, final_attempts: u8) -> Self {
        self.final_attempts = final_attempts;
        self
    }

    /// Sets whether an end needs the read that settles.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// assert_eq!(PollPolicy::allscale().confirm_with_full_read(false).confirm_with_full_read, false);
    /// ```
    #[must_use]
    pub const fn confirm_with_full_read(mut self, confirm_with_full_read: bool) -> Self {
        self.confirm_with_full_read = confirm_with_full_read;
        self
    }

    /// Sets the largest part of a pause that chance may take off.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// assert_eq!(PollPolicy::allscale().jitter_permille(0).jitter_permille, 0);
    /// ```
    #[must_use]
    pub const fn jitter_permille(mut self, jitter_permille: u16) -> Self {
        self.jitter_permille = jitter_permille;
        self
    }

    /// Sets the time for the answer to one read.
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// let policy = PollPolicy::allscale();
    /// assert_eq!(policy.read_timeout, Duration::from_secs(30));
    /// assert_eq!(policy.read_timeout(Duration::from_secs(10)).read_timeout, Duration::from_secs(10));
    /// ```
    #[must_use]
    pub const fn read_timeout(mut self, read_timeout: Duration) -> Self {
        self.read_timeout = read_timeout;
        self
    }

    /// The longest pause after an answer: [`max_interval`](Self::max_interval), or
    /// [`initial_interval`](Self::initial_interval) if that is longer. One answer delays the reads of other
    /// checkouts for at most this long: see [`Schedule::handle_outcome`](crate::Schedule::handle_outcome).
    ///
    /// ```
    /// # use checkout_poll::PollPolicy;
    /// # use core::time::Duration;
    /// assert_eq!(PollPolicy::allscale().longest_pause(), Duration::from_secs(60));
    /// assert_eq!(PollPolicy::allscale().initial_interval(Duration::from_secs(90)).longest_pause(), Duration::from_secs(90));
    /// ```
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        self.max_interval.max(self.initial_interval)
    }

    /// Assumed: no page documents how soon after its creation a checkout can be read. A minute is long for a
    /// queue, and short for a person who waits to learn that an id is wrong.
    const APPEARS_WITHIN: Duration = Duration::from_secs(60);

    const BASE: Self = Self {
        initial_wait: Duration::ZERO,
        appears_within: Self::APPEARS_WITHIN,
        initial_interval: Duration::from_secs(1),
        max_interval: Duration::from_secs(60),
        deadline: Duration::from_secs(600),
        min_gap: Duration::from_secs(1),
        review: Cadence { every: Duration::from_secs(300), at_most: Duration::from_secs(3 * 24 * 3600) },
        late_payment_reads: None,
        challenge_interval: Some(Duration::from_secs(30)),
        backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
        max_refusals: 3,
        final_attempts: 5,
        confirm_with_full_read: false,
        jitter_permille: 100,
        read_timeout: Duration::from_secs(30),
    };
}

const PEACH_EVERY: Duration = match peach::Route::Status.rate_limit() {
    Some(limit) => Duration::from_secs(limit.per_seconds.div_ceil(limit.requests) as u64),
    None => Duration::from_secs(30),
};
