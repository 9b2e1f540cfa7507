//! The timing of the reads of one checkout.

mod clock;
mod marks;
mod outcome;
mod pace;
mod step;
mod text;

use self::clock::{NEVER, after, whole_seconds};
use self::marks::{Challenge, End, MOST_REFUSALS, Mark, Marks};
use self::outcome::Answered;
use self::pace::gap;
use crate::{Cadence, PollPolicy, time};
use checkout_lifecycle::{Moment, Phase};
use core::time::Duration;

pub use step::{GaveUp, GiveUpReason, ReadKind, ReadOutcome, Step};
pub use text::ParsePollerError;

/// Decides when to read one checkout and when to stop: a machine without a clock, a timer or a transport.
///
/// [`next`](Self::next) returns the next thing to do. Report what happened: [`mark_sent`](Self::mark_sent)
/// before you send a read, [`handle_outcome`](Self::handle_outcome) when the read ended,
/// [`nudge`](Self::nudge) when a webhook came, [`payer_returned`](Self::payer_returned),
/// [`resume`](Self::resume). The poller knows [`Phase`]s and no provider's status.
///
/// 24 bytes, `Copy`, with a stable text form: keep the text beside the tracker. A poller that is stored and
/// read back continues as if nothing had happened.
///
/// # What holds
/// - Time never goes backwards: an earlier `now` counts as the latest moment seen, to 10 ms. If your clock
///   can be set back, call [`set_back`](Self::set_back), or wait until the clock has caught up.
/// - Two reads are at least [`PollPolicy::min_gap`] apart, counted from when a read was sent, and from when
///   its outcome was reported.
/// - A wait that the provider asked for is never cut short, not even by a nudge. A wait that is longer than
///   the policy's longest pause and goes past the deadline ends polling at once:
///   [`GiveUpReason::AskedToWait`].
/// - A status that the tables do not name changes nothing: polling continues.
/// - The next read comes later after a failed read than after an answer, never sooner.
/// - The poller does not give up on old news: a checkout that is open at its [deadline](Self::deadline) is
///   read once more, see below.
/// - An end counts once the read that settles has shown it ([`PollPolicy::confirm_with_full_read`]). Until
///   then the step is not [`Step::Done`].
/// - The same policy, seed and history give the same steps.
///
/// # The last read
/// A checkout that ended before its deadline must not be given up, so there is a read at the deadline. A
/// pause that would reach the deadline, or end less than `min_gap` before it, ends at the deadline. But a
/// wait after a failure, or a wait that the provider asked for, is never shortened for the deadline. The
/// poller gives up with [`GiveUpReason::Deadline`]
/// - once a read sent at or after the deadline was answered, and the answer left the checkout open. A late
///   answer to a read that was sent before the deadline does not count: another read follows;
/// - or once [`PollPolicy::final_attempts`] reads in a row had no answer, the last of them sent at or after
///   the deadline. A read that was sent but whose outcome was never reported counts as nothing: the read is
///   due again.
///
/// So the poller gives up later than at the deadline: by the journey of the last read, and by the waits
/// between its tries, each of them the wait after a failure; and under a shared limit, by the wait for room.
/// The same holds for the time of a review, for late reads, after the last of which comes [`Step::Done`], and
/// for an end that is to be confirmed.
///
/// # The deadline moves
/// The deadline is the payer's time, so phases that outlast the payer's time have a time of their own.
/// Assumed, all of these: no provider documents them.
/// - A new end has [`PollPolicy::deadline`] from then to be confirmed, if that is longer. The poller gives up
///   an end that nothing confirms, with that end as the [last phase](GaveUp::last_phase).
/// - A review has the time of [`PollPolicy::review`] from its beginning, if that is longer. If the review
///   leads back to an open phase, that phase has [`PollPolicy::deadline`] from then.
/// - A confirmed refusal is read for as long as [`PollPolicy::late_payment_reads`] says, and is
///   [`Step::Done`] then.
/// - A checkout that had ended and is open again, or has ended otherwise, as with money that comes late, has
///   [`PollPolicy::deadline`] from then.
///
/// A poller counts 497 days from its beginning: a longer time counts as 497 days. There the poller gives up,
/// without another read.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::{Poller, ReadKind, ReadOutcome, Step};
/// use checkout_kit::{Moment, Phase, PollPolicy};
/// use core::time::Duration;
///
/// let policy = PollPolicy::allscale();
/// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
/// let answer = |kind, phase| ReadOutcome::Answer { kind, phase: Some(phase), wait: None };
///
/// let mut poller = Poller::new(&policy, at(0), 42);
/// assert_eq!(poller.next(&policy, at(0)), Step::Fetch(ReadKind::Status));
/// poller.mark_sent(&policy, at(0));
/// poller.handle_outcome(&policy, at(0), answer(ReadKind::Status, Phase::AwaitingPayer));
/// assert!(matches!(poller.next(&policy, at(1)), Step::Wait(until) if until > at(4) && until <= at(5)));
///
/// // It is paid; the read that settles comes before it counts.
/// poller.mark_sent(&policy, at(5));
/// poller.handle_outcome(&policy, at(5), answer(ReadKind::Status, Phase::Succeeded));
/// assert_eq!(poller.next(&policy, at(6)), Step::Fetch(ReadKind::Full));
/// poller.mark_sent(&policy, at(6));
/// poller.handle_outcome(&policy, at(6), answer(ReadKind::Full, Phase::Succeeded));
/// assert_eq!(poller.next(&policy, at(6)), Step::Done(Phase::Succeeded));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Poller {
    /// Whole seconds since the Unix epoch, rounded down. The next four fields are in ticks since this moment.
    started_at: u32,
    /// The latest moment seen, rounded down.
    seen: u32,
    /// No read comes before this tick, whatever asks for the read.
    earliest: u32,
    /// The next read; never before `earliest`.
    due: u32,
    /// The last read is sent at this tick or later.
    deadline: u32,
    phase: Option<Phase>,
    seed: u8,
    /// The number of reads without an answer since the last answer.
    failures: u8,
    marks: Marks,
}

impl Poller {
    /// Creates a poller that knows nothing yet. The first read is due [`PollPolicy::initial_wait`] after the
    /// checkout began.
    ///
    /// `started_at` is the moment when the checkout was created, rounded down to a whole second to count its
    /// age; a moment before 1970 counts as 1970, after 2106 as 2106. Chance shortens the pauses by the seed:
    /// any number, a different one for each checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, PollPolicy, Poller, Step};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let poller = Poller::new(&PollPolicy::peach(), began, 42);
    /// assert_eq!((poller.started_at(), poller.phase()), (began, None));
    /// assert_eq!(poller.next(&PollPolicy::peach(), began), Step::Fetch(ReadKind::Status));
    /// ```
    #[must_use]
    pub fn new(policy: &PollPolicy, started_at: Moment, seed: u64) -> Self {
        let [seed, ..] = time::mix(seed).to_le_bytes();
        let mut poller = Self {
            started_at: whole_seconds(started_at),
            seen: 0,
            earliest: 0,
            due: 0,
            deadline: 0,
            phase: None,
            seed,
            failures: 0,
            marks: Marks::NONE,
        };
        let now = poller.advance(started_at);
        poller.earliest = poller.seen;
        poller.due =
            if policy.initial_wait.is_zero() { poller.seen } else { after(now, policy.initial_wait) };
        poller.deadline = after(now, policy.deadline);
        poller
    }

    /// Returns the next thing to do. The call changes nothing: a second call returns the same answer.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadKind, GaveUp, ReadOutcome, PollPolicy, Poller, Step, GiveUpReason};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut poller = Poller::new(&PollPolicy::allscale(), began, 42);
    /// let late = began.saturating_add(PollPolicy::allscale().deadline);
    /// assert_eq!(poller.next(&PollPolicy::allscale(), late), Step::Fetch(ReadKind::Status));
    /// poller.mark_sent(&PollPolicy::allscale(), late);
    /// let phase = Some(Phase::AwaitingPayer);
    /// poller.handle_outcome(&PollPolicy::allscale(), late, ReadOutcome::Answer { kind: ReadKind::Status, phase, wait: None });
    /// let gave_up = GaveUp { last_phase: phase, reason: GiveUpReason::Deadline };
    /// assert_eq!(poller.next(&PollPolicy::allscale(), late), Step::GaveUp(gave_up));
    /// ```
    #[must_use]
    pub fn next(&self, policy: &PollPolicy, now: Moment) -> Step {
        let now = self.tick(now);
        let over = self.over(policy, now);
        if let Some(end) = self.confirmed_end() {
            if over.is_some() || self.late_payment_reads(policy).is_none() {
                return Step::Done(end);
            }
        } else if let Some(reason) = over {
            return Step::GaveUp(GaveUp { last_phase: self.phase, reason });
        }
        if now >= self.due {
            return Step::Fetch(match policy.confirm_with_full_read && self.unconfirmed_end() {
                true => ReadKind::Full,
                false => ReadKind::Status,
            });
        }
        match self.is_challenged() {
            true => Step::AskPayer { until: self.due() },
            false => Step::Wait(self.due()),
        }
    }

    /// Records that a read is about to be sent. From now on the shortest time between two reads holds, even
    /// if no outcome of this read is ever reported, as when the caller is canceled half-way: then the same
    /// read is due again.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// poller.mark_sent(&policy, began);
    /// let again = began.saturating_add(Duration::from_secs(1));
    /// assert_eq!(poller.next(&policy, began), Step::Wait(again));
    /// assert_eq!(poller.next(&policy, again), Step::Fetch(ReadKind::Status));
    /// ```
    pub fn mark_sent(&mut self, policy: &PollPolicy, now: Moment) {
        let now = self.advance(now);
        self.marks.set(Mark::LastAsked, self.seen >= self.deadline);
        self.hold(after(now, gap(policy)), false);
        self.due = self.due.max(self.earliest);
    }

    /// Records the outcome of a read: of the read last reported with [`mark_sent`](Self::mark_sent), if that
    /// read has no outcome yet.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// poller.mark_sent(&policy, began);
    /// poller.handle_outcome(&policy, began, ReadOutcome::Limited { wait: Some(Duration::from_secs(20)) });
    /// assert_eq!(poller.next(&policy, began), Step::Wait(began.saturating_add(Duration::from_secs(20))));
    /// ```
    pub fn handle_outcome(&mut self, policy: &PollPolicy, now: Moment, outcome: ReadOutcome) {
        let now = self.advance(now);
        self.hold(after(now, gap(policy)), false);
        let was_last = self.marks.has(Mark::LastAsked);
        self.marks.set(Mark::LastAsked, false);
        if was_last && matches!(outcome, ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. }) {
            // Unless the answer moves the deadline.
            self.marks.set(Mark::Over, true);
        }
        match outcome {
            ReadOutcome::Answer { kind, phase, wait } => {
                self.answered(policy, now, Answered { kind, phase, shown: None }, wait);
            }
            ReadOutcome::PayerActs { shown, wait } => {
                let (kind, phase) = (ReadKind::Status, Some(Phase::PayerAction));
                self.answered(policy, now, Answered { kind, phase, shown: Some(shown) }, wait);
            }
            ReadOutcome::Failed { wait } => self.failed(policy, now, wait),
            ReadOutcome::Limited { wait } => {
                self.failed(policy, now, wait);
                if wait.is_none() {
                    // The duration of the limit is unknown, so the limit is taken to last as long as this.
                    self.hold(self.due, false);
                }
            }
            ReadOutcome::NotThere { wait } => {
                // Time is counted from a whole second, which may be up to a second before the beginning.
                if now >= time::millis_up(policy.appears_within).saturating_add(A_SECOND) {
                    self.count_refusal();
                }
                self.failed(policy, now, wait);
            }
            ReadOutcome::Refused => {
                self.count_refusal();
                self.failed(policy, now, None);
            }
        }
        if was_last && self.failures >= policy.final_attempts.max(1) {
            self.marks.set(Mark::Over, true);
        }
    }

    /// Reports a webhook, or another reason to read: a read is due now, but not within the shortest time
    /// between two reads, nor before the end of a wait that the provider asked for or of a limit.
    ///
    /// A nudge does not revive a checkout that was given up: use [`resume`](Self::resume).
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(Phase::Processing), wait: None };
    /// poller.handle_outcome(&policy, began, answer);
    /// let soon = began.saturating_add(Duration::from_secs(2));
    /// assert!(matches!(poller.next(&policy, soon), Step::Wait(_)));
    /// poller.nudge(&policy, soon);
    /// assert_eq!(poller.next(&policy, soon), Step::Fetch(ReadKind::Status));
    /// ```
    pub fn nudge(&mut self, _policy: &PollPolicy, now: Moment) {
        self.advance(now);
        self.due = self.due.min(self.seen.max(self.earliest));
    }

    /// Reports that the payer came back, from a challenge or from the provider's page: a read is due, as
    /// after a [`nudge`](Self::nudge), and the challenge need not be shown any more.
    ///
    /// If a later answer says that the payer has to act, that may be another challenge: the step is
    /// [`Step::AskPayer`] again, and the next read comes after the policy's ordinary pause.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::azotte(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(Phase::PayerAction), wait: None };
    /// poller.handle_outcome(&policy, began, answer);
    /// let soon = began.saturating_add(Duration::from_secs(9));
    /// assert!(matches!(poller.next(&policy, soon), Step::AskPayer { .. }));
    /// poller.payer_returned(&policy, soon);
    /// assert_eq!(poller.next(&policy, soon), Step::Fetch(ReadKind::Status));
    /// ```
    pub fn payer_returned(&mut self, policy: &PollPolicy, now: Moment) {
        self.challenge_is_over();
        self.nudge(policy, now);
    }

    /// Continues after the poller gave up, or sets another deadline at any other time: from now, at most this
    /// long, and then the [last read](Self#the-last-read). Failures and refusals are forgotten, and a read is
    /// due as after a [`nudge`](Self::nudge). With a duration of zero, that read is the last one.
    ///
    /// A confirmed end stays [`Step::Done`]; but a refusal, if the policy has late reads, is read again for
    /// this long. More than 248 days after its beginning a poller counts from now on: then
    /// [`started_at`](Self::started_at) is now.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// let tomorrow = began.saturating_add(Duration::from_secs(86_400));
    /// poller.mark_sent(&policy, tomorrow);
    /// poller.handle_outcome(&policy, tomorrow, ReadOutcome::Answer { kind: ReadKind::Status, phase: None, wait: None });
    /// let tomorrow = tomorrow.saturating_add(Duration::from_secs(1));
    /// assert!(matches!(poller.next(&policy, tomorrow), Step::GaveUp(_)));
    /// poller.resume(&policy, tomorrow, Duration::from_secs(60));
    /// assert_eq!(poller.next(&policy, tomorrow), Step::Fetch(ReadKind::Status));
    /// ```
    pub fn resume(&mut self, policy: &PollPolicy, now: Moment, for_at_most: Duration) {
        self.advance(now);
        if self.seen > u32::MAX / 2 {
            self.begin_anew(now);
        }
        let deadline = after(self.advance(now), for_at_most);
        self.last_until(deadline);
        self.failures = 0;
        self.marks.set_refusals(0);
        if let Some(mut end) = self.end() {
            end.late_reads_over = false;
            self.marks.set_end(end);
        }
        self.nudge(policy, now);
    }

    /// Requires one more read to show an end before the end is [`Step::Done`] again: for a caller that no
    /// longer has the read that showed the end, as after a restart. The read has [`PollPolicy::deadline`]
    /// from now, as for a new end; late reads that are over do not begin anew. A poller that is not
    /// [`Step::Done`] does not change.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
    /// let (policy, now) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, now, 42);
    /// let shown = ReadOutcome::Answer { kind: ReadKind::Full, phase: Some(Phase::Succeeded), wait: None };
    /// poller.handle_outcome(&policy, now, shown);
    /// assert_eq!(poller.next(&policy, now), Step::Done(Phase::Succeeded));
    /// let tomorrow = now.saturating_add(core::time::Duration::from_secs(86_400));
    /// poller.read_once_more(&policy, tomorrow);
    /// assert_eq!(poller.next(&policy, tomorrow), Step::Fetch(ReadKind::Full));
    /// poller.handle_outcome(&policy, tomorrow, shown);
    /// assert_eq!(poller.next(&policy, tomorrow), Step::Done(Phase::Succeeded));
    /// ```
    pub fn read_once_more(&mut self, policy: &PollPolicy, now: Moment) {
        if !matches!(self.next(policy, now), Step::Done(_)) {
            return;
        }
        self.resume(policy, now, policy.deadline);
        self.marks.set_end(End { is_confirmed: false, late_reads_over: true });
    }

    /// The phase of the checkout, as far as the answers showed.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Poller};
    /// assert_eq!(Poller::new(&PollPolicy::peach(), Moment::from_unix_millis(0), 0).phase(), None);
    /// ```
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// The confirmed refusal while the policy's [late reads](PollPolicy::late_payment_reads) follow; None
    /// before the refusal is confirmed, and after the late reads, for then the step is [`Step::Done`].
    ///
    /// Report the refusal when this method first returns one: nobody pays any more, as far as is known, and
    /// the late reads are for money that comes all the same. The stored poller keeps the refusal, so a
    /// restarted process sees the refusal again.
    ///
    /// ```
    /// # use checkout_lifecycle::{Failure, Moment, Phase};
    /// # use checkout_poll::{ReadKind, ReadOutcome, PollPolicy, Poller, Step};
    /// # use core::time::Duration;
    /// let policy = PollPolicy::allscale().late_payment_reads(Duration::from_secs(3_600), Duration::from_secs(86_400));
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let underpaid = Phase::Failed(Failure::Underpaid);
    /// let mut poller = Poller::new(&policy, now, 42);
    /// poller.handle_outcome(&policy, now, ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(underpaid), wait: None });
    /// assert_eq!(poller.refused(&policy, now), None);
    /// poller.handle_outcome(&policy, now, ReadOutcome::Answer { kind: ReadKind::Full, phase: Some(underpaid), wait: None });
    /// assert_eq!(poller.refused(&policy, now), Some(underpaid));
    /// assert!(matches!(poller.next(&policy, now), Step::Wait(_)));
    /// ```
    #[must_use]
    pub fn refused(&self, policy: &PollPolicy, now: Moment) -> Option<Phase> {
        let goes_on =
            self.late_payment_reads(policy).is_some() && self.over(policy, self.tick(now)).is_none();
        self.confirmed_end().filter(|_| goes_on)
    }

    /// The moment when the checkout began, rounded down to a whole second.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Poller};
    /// let poller = Poller::new(&PollPolicy::peach(), Moment::from_unix_millis(1_999), 0);
    /// assert_eq!(poller.started_at(), Moment::from_unix_millis(1_000));
    /// ```
    #[must_use]
    pub fn started_at(&self) -> Moment {
        self.moment(0)
    }

    /// The moment when the next read is due. Until then [`next`](Self::next) keeps its present answer, unless
    /// you report something, and from then on the answer is [`Step::Fetch`]. The moment can be after the
    /// deadline: after a failure, after a wait that the provider asked for, or if the shortest time between
    /// two reads is not over. For a checkout that has ended or was given up the moment means nothing.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Poller};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// assert_eq!(Poller::new(&PollPolicy::peach(), began, 0).due(), began);
    /// ```
    #[must_use]
    pub fn due(&self) -> Moment {
        self.moment(self.due)
    }

    /// The moment when the checkout's time is over, as far as is known now. The [last
    /// read](Self#the-last-read) is sent then, and the poller gives up after that read.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Poller};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let poller = Poller::new(&PollPolicy::peach(), began, 0);
    /// assert_eq!(poller.deadline(), began.saturating_add(PollPolicy::peach().deadline));
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Moment {
        self.moment(self.deadline)
    }

    /// The number of reads in a row that brought no answer. 255 means 255 or more.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{ReadOutcome, PollPolicy, Poller};
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&policy, began, 42);
    /// poller.handle_outcome(&policy, began, ReadOutcome::Failed { wait: None });
    /// assert_eq!(poller.failures(), 1);
    /// ```
    #[must_use]
    pub const fn failures(&self) -> u8 {
        self.failures
    }

    /// The pause that the policy has after an answer with the present phase, before chance or the deadline
    /// shortens the pause. `Duration::MAX` if no read is due before the deadline: see
    /// [`PollPolicy::challenge_interval`].
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{PollPolicy, Poller};
    /// # use core::time::Duration;
    /// let (policy, began) = (PollPolicy::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let poller = Poller::new(&policy, began, 42);
    /// let after = |seconds| poller.interval(&policy, began.saturating_add(Duration::from_secs(seconds)));
    /// assert_eq!([0, 80, 9_999].map(after), [5, 10, 60].map(Duration::from_secs));
    /// ```
    #[must_use]
    pub fn interval(&self, policy: &PollPolicy, now: Moment) -> Duration {
        self.pause(policy, self.millis(now)).unwrap_or(Duration::MAX)
    }
}

impl Poller {
    /// Applies a nudge that may not jump the queue: a read is due within the longest ordinary pause, even if
    /// a pause of its own kind (a review, late reads, a challenge) would delay the read for longer.
    pub(crate) fn nudge_in_turn(&mut self, policy: &PollPolicy, now: Moment) {
        let within = after(self.advance(now), policy.longest_pause());
        self.due = self.due.min(within.max(self.earliest));
    }

    /// Records that the payer need not be shown the challenge any more.
    pub(crate) fn challenge_is_over(&mut self) {
        if self.challenge().is_some() {
            self.marks.set_challenge(Challenge { is_shown: false, has_returned: true });
        }
    }

    /// Returns true if there is a challenge to be shown.
    pub(crate) fn is_challenged(&self) -> bool {
        self.challenge().is_some_and(|challenge| challenge.is_shown)
    }

    /// Returns true if the payer was shown a challenge, and is waited for.
    fn is_waited_for(&self) -> bool {
        self.challenge().is_some_and(|challenge| challenge.is_shown && !challenge.has_returned)
    }

    /// The memory of the phase, where the payer has to act.
    fn challenge(&self) -> Option<Challenge> {
        (self.phase == Some(Phase::PayerAction)).then(|| self.marks.challenge())
    }

    /// The memory of the phase, where the phase is an end.
    fn end(&self) -> Option<End> {
        self.phase.is_some_and(Phase::is_final).then(|| self.marks.end())
    }

    fn confirmed_end(&self) -> Option<Phase> {
        self.phase.filter(|_| self.end().is_some_and(|end| end.is_confirmed))
    }

    fn unconfirmed_end(&self) -> bool {
        self.end().is_some_and(|end| !end.is_confirmed)
    }

    /// The late reads of a refusal that is confirmed.
    fn late_payment_reads(&self, policy: &PollPolicy) -> Option<Cadence> {
        let is_refusal = matches!(self.confirmed_end(), Some(Phase::Failed(_)));
        policy.late_payment_reads.filter(|_| is_refusal && !self.marks.end().late_reads_over)
    }

    /// The reason why there is nothing more to read.
    fn over(&self, policy: &PollPolicy, now: u32) -> Option<GiveUpReason> {
        if self.marks.refusals() >= policy.max_refusals.clamp(1, MOST_REFUSALS) {
            return Some(GiveUpReason::Refused);
        }
        if self.marks.has(Mark::LongWait) && self.earliest > self.deadline {
            return Some(GiveUpReason::AskedToWait { until: self.moment(self.earliest) });
        }
        (self.marks.has(Mark::Over) || now == NEVER).then_some(GiveUpReason::Deadline)
    }
}

const A_SECOND: u64 = 1_000;

// As documented, also inside an `Option`: schedules keep a poller for each checkout.
const _: () = assert!(size_of::<Poller>() == 24 && size_of::<Option<Poller>>() == 24);
