//! When to ask how one checkout stands.

mod step;
mod text;

use crate::{Plan, Reads, time};
use checkout_lifecycle::{Moment, Phase};
use core::time::Duration;

pub use step::{Fetch, GaveUp, Heard, Step, Why};
pub use text::ParsePollerError;

/// When to ask how one checkout stands, and when to stop: a machine without a clock, a timer or a transport.
///
/// It is asked by [`next`](Self::next) what to do now, and told what was done: [`asking`](Self::asking)
/// before a read is sent, [`heard`](Self::heard) when it ended, [`nudge`](Self::nudge) when a webhook came,
/// [`payer_returned`](Self::payer_returned), [`resume`](Self::resume). It knows [`Phase`]s and no provider's
/// status.
///
/// 24 bytes, `Copy`, and with a text form that stays the same: keep it beside the tracker. What is stored and
/// read back goes on as if nothing had happened.
///
/// # What holds
/// - Time does not go back: a moment before one that was told counts as that one, to 10 ms. Who goes by a clock that can
///   be set back tells [`set_back`](Self::set_back), or waits until the clock has caught up.
/// - Two reads are [`Plan::min_gap`] apart at least, from when one was sent, and from when it was heard of.
/// - A wait that the provider said is never cut short, by a nudge neither. One that is longer than the plan's
///   longest pause and goes past the deadline ends it at once: [`Why::AskedToWait`].
/// - A status that nobody has named yet changes nothing: it is asked on.
/// - After a read that failed the next one comes later than after an answer, never sooner.
/// - Nobody gives up on old news: what is open at its [deadline](Self::deadline) is read once more, see below.
/// - An end counts once the read that settles has shown it ([`Plan::whole_read_at_end`]). Until then it is no
///   [`Step::Done`].
/// - The same plan, seed and history give the same steps.
///
/// # The last read
/// A checkout that ended before its deadline is not given up, so there is a read at the deadline. A pause that
/// would reach the deadline, or end less than `min_gap` before it, ends at the deadline; but a wait after a failure,
/// or one that was said, is never shortened for it. [`Why::Deadline`] is said
/// - once a read that was asked at the deadline or after it was answered, and left it open. An answer that comes
///   after the deadline to a read that was asked before it is no last news: another read follows;
/// - or once [`Plan::last_tries`] reads in a row had no answer, the last of them asked at the deadline or after it.
///   A read that was asked and never heard of counts as nothing: it is due again.
///
/// So it is given up later than at its deadline: by the journey of the last read and by the waits between its
/// tries, each of them the wait after a failure; and under a limit that is shared, by the wait for room. The same
/// holds of a review's time, of late reads, after the last of which comes [`Step::Done`], and of an end that is to
/// be confirmed.
///
/// # The deadline moves
/// It is the payer's time, so what outlives that has a time of its own. Assumed, all of it: no provider says.
/// - An end that was not known before is given [`Plan::deadline`] from then to be confirmed, if that is
///   longer. An end that nothing confirms is given up with that end as the [last phase](GaveUp::last).
/// - A review is given [`Plan::review`]'s time from where it began, if that is longer. Where it leads back to
///   an open phase, that is given [`Plan::deadline`] from then.
/// - A refusal that is confirmed is looked at for as long as [`Plan::late_reads`] says, and is [`Step::Done`]
///   then.
/// - A checkout that had ended and is open again, or has ended otherwise, as with money that comes late, is
///   given [`Plan::deadline`] from then.
///
/// A poller counts 497 days from where it began: what is longer is that long. There it is given up, without
/// another read.
///
/// ```
/// use checkout_lifecycle::{Moment, Phase};
/// use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
/// use core::time::Duration;
///
/// let plan = Plan::allscale();
/// let at = |seconds: i64| Moment::from_unix_millis(1_700_000_000_000 + seconds * 1_000);
/// let answer = |fetch, phase| Heard::Answer { fetch, phase: Some(phase), wait: None };
///
/// let mut poller = Poller::new(&plan, at(0), 42);
/// assert_eq!(poller.next(&plan, at(0)), Step::Fetch(Fetch::Status));
/// poller.asking(&plan, at(0));
/// poller.heard(&plan, at(0), answer(Fetch::Status, Phase::AwaitingPayer));
/// assert!(matches!(poller.next(&plan, at(1)), Step::Wait(until) if until > at(4) && until <= at(5)));
///
/// // It is paid; the read that settles comes before it counts.
/// poller.asking(&plan, at(5));
/// poller.heard(&plan, at(5), answer(Fetch::Status, Phase::Succeeded));
/// assert_eq!(poller.next(&plan, at(6)), Step::Fetch(Fetch::Whole));
/// poller.asking(&plan, at(6));
/// poller.heard(&plan, at(6), answer(Fetch::Whole, Phase::Succeeded));
/// assert_eq!(poller.next(&plan, at(6)), Step::Done(Phase::Succeeded));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Poller {
    /// Whole seconds since the Unix epoch, rounded down. What follows is in ticks since then.
    began: u32,
    /// The latest moment that was told, rounded down.
    seen: u32,
    /// No read before this one, whoever wants it.
    earliest: u32,
    /// The next read; never before `earliest`.
    due: u32,
    /// The last read is asked here or after it.
    deadline: u32,
    phase: Option<Phase>,
    seed: u8,
    /// What came of reads since the last answer.
    failures: u8,
    /// The lower five bits are flags, the upper three count the refusals since the last answer.
    flags: u8,
}

impl Poller {
    /// Nothing is known yet, and the first read is due [`Plan::initial_wait`] after the checkout began.
    ///
    /// `began` is when it was made, rounded down to a whole second where its age is counted; before 1970
    /// counts as 1970, after 2106 as 2106. The seed is for what chance shortens pauses by: any number,
    /// another one for each checkout.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Fetch, Plan, Poller, Step};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let poller = Poller::new(&Plan::peach(), began, 42);
    /// assert_eq!((poller.began(), poller.phase()), (began, None));
    /// assert_eq!(poller.next(&Plan::peach(), began), Step::Fetch(Fetch::Status));
    /// ```
    #[must_use]
    pub fn new(plan: &Plan, began: Moment, seed: u64) -> Self {
        let [seed, ..] = time::mix(seed).to_le_bytes();
        let seconds = u32::try_from(began.unix_millis().max(0) / 1_000).unwrap_or(u32::MAX);
        let mut poller = Self {
            began: seconds,
            seen: 0,
            earliest: 0,
            due: 0,
            deadline: 0,
            phase: None,
            seed,
            failures: 0,
            flags: 0,
        };
        let now = poller.hear(began);
        poller.earliest = poller.seen;
        poller.due = if plan.initial_wait.is_zero() { poller.seen } else { after(now, plan.initial_wait) };
        poller.deadline = after(now, plan.deadline);
        poller
    }

    /// What to do now. It changes nothing: who asks twice has the same answer twice.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Fetch, GaveUp, Heard, Plan, Poller, Step, Why};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let mut poller = Poller::new(&Plan::allscale(), began, 42);
    /// let late = began.saturating_add(Plan::allscale().deadline);
    /// assert_eq!(poller.next(&Plan::allscale(), late), Step::Fetch(Fetch::Status));
    /// poller.asking(&Plan::allscale(), late);
    /// let phase = Some(Phase::AwaitingPayer);
    /// poller.heard(&Plan::allscale(), late, Heard::Answer { fetch: Fetch::Status, phase, wait: None });
    /// let gave_up = GaveUp { last: phase, why: Why::Deadline };
    /// assert_eq!(poller.next(&Plan::allscale(), late), Step::GaveUp(gave_up));
    /// ```
    #[must_use]
    pub fn next(&self, plan: &Plan, now: Moment) -> Step {
        let now = self.tick(now);
        let over = self.over(plan, now);
        if let Some(end) = self.confirmed_end() {
            if over.is_some() || self.late_reads(plan).is_none() {
                return Step::Done(end);
            }
        } else if let Some(why) = over {
            return Step::GaveUp(GaveUp { last: self.phase, why });
        }
        if now >= self.due {
            return Step::Fetch(match plan.whole_read_at_end && self.unconfirmed_end() {
                true => Fetch::Whole,
                false => Fetch::Status,
            });
        }
        match self.is_challenged() {
            true => Step::AskPayer { until: self.due() },
            false => Step::Wait(self.due()),
        }
    }

    /// A read is about to be sent. From here on the shortest time between two reads holds, even if nothing is
    /// ever heard of this one, as when the caller is canceled half-way: then the same read is due again.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Fetch, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// poller.asking(&plan, began);
    /// let again = began.saturating_add(Duration::from_secs(1));
    /// assert_eq!(poller.next(&plan, began), Step::Wait(again));
    /// assert_eq!(poller.next(&plan, again), Step::Fetch(Fetch::Status));
    /// ```
    pub fn asking(&mut self, plan: &Plan, now: Moment) {
        let now = self.hear(now);
        self.set(LAST_ASKED, self.seen >= self.deadline);
        self.hold(after(now, gap(plan)), false);
        self.due = self.due.max(self.earliest);
    }

    /// What came of a read: of the one that [`asking`](Self::asking) told of last, if that was not heard of.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// poller.asking(&plan, began);
    /// poller.heard(&plan, began, Heard::Limited { wait: Some(Duration::from_secs(20)) });
    /// assert_eq!(poller.next(&plan, began), Step::Wait(began.saturating_add(Duration::from_secs(20))));
    /// ```
    pub fn heard(&mut self, plan: &Plan, now: Moment, heard: Heard) {
        let now = self.hear(now);
        self.hold(after(now, gap(plan)), false);
        let was_last = self.has(LAST_ASKED);
        self.set(LAST_ASKED, false);
        if was_last && matches!(heard, Heard::Answer { .. } | Heard::PayerActs { .. }) {
            // Unless it moves the deadline.
            self.set(OVER, true);
        }
        match heard {
            Heard::Answer { fetch, phase, wait } => self.answered(plan, now, (fetch, phase), None, wait),
            Heard::PayerActs { shown, wait } => {
                let stands = (Fetch::Status, Some(Phase::PayerAction));
                self.answered(plan, now, stands, Some(shown), wait);
            }
            Heard::Failed { wait } => self.failed(plan, now, wait),
            Heard::Limited { wait } => {
                self.failed(plan, now, wait);
                if wait.is_none() {
                    // Nobody said how long the limit holds, so this is what it is taken for.
                    self.hold(self.due, false);
                }
            }
            Heard::NotThere { wait } => {
                // It is counted from a whole second, which may be up to one before the beginning.
                if now >= time::millis_up(plan.appears_within).saturating_add(A_SECOND) {
                    self.count_refusal();
                }
                self.failed(plan, now, wait);
            }
            Heard::Refused => {
                self.count_refusal();
                self.failed(plan, now, None);
            }
        }
        if was_last && self.failures >= plan.last_tries.max(1) {
            self.set(OVER, true);
        }
    }

    /// A webhook came, or something else that makes a read worth while: it is due now, but not inside the
    /// shortest time between two reads, nor before the end of a wait that was said or of a limit.
    ///
    /// It does not bring back what was given up: that is [`resume`](Self::resume).
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// let answer = Heard::Answer { fetch: Fetch::Status, phase: Some(Phase::Processing), wait: None };
    /// poller.heard(&plan, began, answer);
    /// let soon = began.saturating_add(Duration::from_secs(2));
    /// assert!(matches!(poller.next(&plan, soon), Step::Wait(_)));
    /// poller.nudge(&plan, soon);
    /// assert_eq!(poller.next(&plan, soon), Step::Fetch(Fetch::Status));
    /// ```
    pub fn nudge(&mut self, _plan: &Plan, now: Moment) {
        self.hear(now);
        self.due = self.due.min(self.seen.max(self.earliest));
    }

    /// A nudge that may not jump: a read is due within the longest ordinary pause, whatever pause of its own kind (a review,
    /// late reads, a challenge) would hold it back for longer.
    pub(crate) fn nudge_in_turn(&mut self, plan: &Plan, now: Moment) {
        let within = after(self.hear(now), plan.longest_pause());
        self.due = self.due.min(within.max(self.earliest));
    }

    /// The payer came back, from a challenge or from the provider's page: a read is due, as after a
    /// [`nudge`](Self::nudge), and the challenge is not to be shown any more.
    ///
    /// Where an answer says after it that the payer has to act, that may be another challenge: it is
    /// [`Step::AskPayer`] again, and asked again after the plan's ordinary pause.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::azotte(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// let answer = Heard::Answer { fetch: Fetch::Status, phase: Some(Phase::PayerAction), wait: None };
    /// poller.heard(&plan, began, answer);
    /// let soon = began.saturating_add(Duration::from_secs(9));
    /// assert!(matches!(poller.next(&plan, soon), Step::AskPayer { .. }));
    /// poller.payer_returned(&plan, soon);
    /// assert_eq!(poller.next(&plan, soon), Step::Fetch(Fetch::Status));
    /// ```
    pub fn payer_returned(&mut self, plan: &Plan, now: Moment) {
        self.challenge_is_over();
        self.nudge(plan, now);
    }

    /// Goes on after it was given up, or gives it another deadline at any other time: from now, at most for
    /// so long, and then the [last read](Self#the-last-read). Failures and refusals are forgotten, and a read is due
    /// as after a [`nudge`](Self::nudge). For no time at all, that read is the last one.
    ///
    /// An end that was confirmed stays [`Step::Done`]; but a refusal, where the plan has late reads, is
    /// looked at again for so long. More than 248 days after it began a poller counts from now on: then
    /// [`began`](Self::began) is now.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// let tomorrow = began.saturating_add(Duration::from_secs(86_400));
    /// poller.asking(&plan, tomorrow);
    /// poller.heard(&plan, tomorrow, Heard::Answer { fetch: Fetch::Status, phase: None, wait: None });
    /// let tomorrow = tomorrow.saturating_add(Duration::from_secs(1));
    /// assert!(matches!(poller.next(&plan, tomorrow), Step::GaveUp(_)));
    /// poller.resume(&plan, tomorrow, Duration::from_secs(60));
    /// assert_eq!(poller.next(&plan, tomorrow), Step::Fetch(Fetch::Status));
    /// ```
    pub fn resume(&mut self, plan: &Plan, now: Moment, for_at_most: Duration) {
        self.hear(now);
        if self.seen > u32::MAX / 2 {
            self.begin_anew(now);
        }
        let deadline = after(self.hear(now), for_at_most);
        self.last_until(deadline);
        self.failures = 0;
        self.flags &= FLAGS;
        if self.phase.is_some_and(Phase::is_final) {
            self.set(LATE_READS_OVER, false);
        }
        self.nudge(plan, now);
    }

    /// An end is to be shown by one more read before it is [`Step::Done`] again: for whoever no longer has the read
    /// that showed it, as after a restart. It is given [`Plan::deadline`] from now for that, as an end that was not
    /// known before; late reads, which are over, do not begin anew. What is not [`Step::Done`] is left as it is.
    ///
    /// ```
    /// # use checkout_lifecycle::{Moment, Phase};
    /// # use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
    /// let (plan, now) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, now, 42);
    /// let shown = Heard::Answer { fetch: Fetch::Whole, phase: Some(Phase::Succeeded), wait: None };
    /// poller.heard(&plan, now, shown);
    /// assert_eq!(poller.next(&plan, now), Step::Done(Phase::Succeeded));
    /// let tomorrow = now.saturating_add(core::time::Duration::from_secs(86_400));
    /// poller.read_once_more(&plan, tomorrow);
    /// assert_eq!(poller.next(&plan, tomorrow), Step::Fetch(Fetch::Whole));
    /// poller.heard(&plan, tomorrow, shown);
    /// assert_eq!(poller.next(&plan, tomorrow), Step::Done(Phase::Succeeded));
    /// ```
    pub fn read_once_more(&mut self, plan: &Plan, now: Moment) {
        if !matches!(self.next(plan, now), Step::Done(_)) {
            return;
        }
        self.resume(plan, now, plan.deadline);
        self.set(CONFIRMED, false);
        self.set(LATE_READS_OVER, true);
    }

    /// The clock may have been set back: what was waited for still is, for as long as was left at the latest moment that
    /// was told, and so is the deadline, where it had not passed by then. Tell it before [`next`](Self::next) and what
    /// comes after it; a year that a clock ran ahead, and that was told, would be waited for otherwise.
    ///
    /// A moment that is less than a minute before the latest one changes nothing: it counts as that one. Assumed: so far
    /// apart are the clocks of two machines, or a moment and its use.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Fetch, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// poller.asking(&plan, began.saturating_add(Duration::from_secs(86_400))); // by a clock that is wrong
    /// poller.set_back(began);
    /// let again = began.saturating_add(Duration::from_secs(1));
    /// assert_eq!(poller.next(&plan, began), Step::Wait(again));
    /// assert_eq!(poller.next(&plan, again), Step::Fetch(Fetch::Status));
    /// ```
    pub fn set_back(&mut self, now: Moment) {
        if self.moment(self.seen).saturating_since(now) < SET_BACK {
            return;
        }
        let seconds = u32::try_from(now.unix_millis().max(0) / 1_000).unwrap_or(u32::MAX);
        let is_before_it_began = seconds < self.began;
        if is_before_it_began {
            // A second of room, for what came just before this moment.
            self.began = seconds.saturating_sub(1);
        }
        let asked_past_it = self.earliest > self.deadline;
        let was = core::mem::take(&mut self.seen);
        // Rounded up, so that nothing is early.
        self.seen = after(self.millis(now), Duration::ZERO);
        let seen = self.seen;
        // What is too long to be counted still is, unless all of it was told out there.
        let left = |tick: u32| match tick {
            NEVER if was <= u32::MAX / 2 => NEVER,
            _ if tick < was => seen.saturating_sub(was - tick),
            _ => seen.saturating_add(tick - was),
        };
        self.earliest = left(self.earliest);
        self.due = left(self.due);
        // One that had passed was set before the clock ran ahead, and stands.
        if is_before_it_began || self.deadline > was {
            self.deadline = left(self.deadline);
            // Of two that passed too long ago to be told apart, the later one stays the later.
            if asked_past_it {
                self.earliest = self.earliest.max(1);
                self.due = self.due.max(1);
                self.deadline = self.deadline.min(self.earliest - 1);
            }
        }
        if self.deadline > self.seen {
            // What was asked out there was asked before it.
            self.set(LAST_ASKED | OVER, false);
        }
    }

    /// Where the checkout stands, as far as the answers said.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Poller};
    /// assert_eq!(Poller::new(&Plan::peach(), Moment::from_unix_millis(0), 0).phase(), None);
    /// ```
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// The refusal that is confirmed while the plan's [late reads](Plan::late_reads) go on after it; None before it is
    /// confirmed, and when they are over, for then it is [`Step::Done`].
    ///
    /// Tell the refusal when this says it first: nobody pays any more, as far as is known, and the late reads are for money
    /// that comes all the same. It is not forgotten when the poller is stored, so who has been restarted hears it again.
    ///
    /// ```
    /// # use checkout_lifecycle::{Failure, Moment, Phase};
    /// # use checkout_poll::{Fetch, Heard, Plan, Poller, Step};
    /// # use core::time::Duration;
    /// let plan = Plan::allscale().late_reads(Duration::from_secs(3_600), Duration::from_secs(86_400));
    /// let now = Moment::from_unix_millis(1_700_000_000_000);
    /// let underpaid = Phase::Failed(Failure::Underpaid);
    /// let mut poller = Poller::new(&plan, now, 42);
    /// poller.heard(&plan, now, Heard::Answer { fetch: Fetch::Status, phase: Some(underpaid), wait: None });
    /// assert_eq!(poller.refused(&plan, now), None);
    /// poller.heard(&plan, now, Heard::Answer { fetch: Fetch::Whole, phase: Some(underpaid), wait: None });
    /// assert_eq!(poller.refused(&plan, now), Some(underpaid));
    /// assert!(matches!(poller.next(&plan, now), Step::Wait(_)));
    /// ```
    #[must_use]
    pub fn refused(&self, plan: &Plan, now: Moment) -> Option<Phase> {
        let goes_on = self.late_reads(plan).is_some() && self.over(plan, self.tick(now)).is_none();
        self.confirmed_end().filter(|_| goes_on)
    }

    /// When the checkout began, rounded down to a whole second.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Poller};
    /// let poller = Poller::new(&Plan::peach(), Moment::from_unix_millis(1_999), 0);
    /// assert_eq!(poller.began(), Moment::from_unix_millis(1_000));
    /// ```
    #[must_use]
    pub fn began(&self) -> Moment {
        self.moment(0)
    }

    /// When the next read is due: until then [`next`](Self::next) says what it says now, unless something is told,
    /// and from then on it is [`Step::Fetch`]. It can be after the deadline: after a failure, after a wait that was
    /// said, or where the shortest time between two reads is not over. Of what has ended or was given up it says
    /// nothing.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Poller};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// assert_eq!(Poller::new(&Plan::peach(), began, 0).due(), began);
    /// ```
    #[must_use]
    pub fn due(&self) -> Moment {
        self.moment(self.due)
    }

    /// When its time is over, as far as is known now. The [last read](Self#the-last-read) is asked then, and it is
    /// given up after that.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Poller};
    /// let began = Moment::from_unix_millis(1_700_000_000_000);
    /// let poller = Poller::new(&Plan::peach(), began, 0);
    /// assert_eq!(poller.deadline(), began.saturating_add(Plan::peach().deadline));
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Moment {
        self.moment(self.deadline)
    }

    /// How many reads in a row brought no answer. 255 is that many or more.
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Heard, Plan, Poller};
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let mut poller = Poller::new(&plan, began, 42);
    /// poller.heard(&plan, began, Heard::Failed { wait: None });
    /// assert_eq!(poller.failures(), 1);
    /// ```
    #[must_use]
    pub const fn failures(&self) -> u8 {
        self.failures
    }

    /// The pause that the plan has after an answer that says where the checkout stands now, before chance
    /// shortens it, or the deadline. `Duration::MAX` where it is not to be asked before the deadline: see
    /// [`Plan::payer_acts`].
    ///
    /// ```
    /// # use checkout_lifecycle::Moment;
    /// # use checkout_poll::{Plan, Poller};
    /// # use core::time::Duration;
    /// let (plan, began) = (Plan::allscale(), Moment::from_unix_millis(1_700_000_000_000));
    /// let poller = Poller::new(&plan, began, 42);
    /// let after = |seconds| poller.interval(&plan, began.saturating_add(Duration::from_secs(seconds)));
    /// assert_eq!([0, 80, 9_999].map(after), [5, 10, 60].map(Duration::from_secs));
    /// ```
    #[must_use]
    pub fn interval(&self, plan: &Plan, now: Moment) -> Duration {
        self.pause(plan, self.millis(now)).unwrap_or(Duration::MAX)
    }
}

impl Poller {
    /// The challenge is not to be shown any more.
    pub(crate) fn challenge_is_over(&mut self) {
        if self.phase == Some(Phase::PayerAction) {
            self.set(CHALLENGED, false);
            self.set(RETURNED, true);
        }
    }

    /// The read that is due is not to be made before a moment; but no deadline that is to come is passed over by that.
    pub(crate) fn put_off(&mut self, now: Moment, until: Moment) {
        if until <= now {
            return;
        }
        let is_open = self.deadline > self.tick(now);
        let until = after(self.millis(until), Duration::ZERO);
        self.due = self.due.max(if is_open { until.min(self.deadline) } else { until });
    }

    fn answered(
        &mut self,
        plan: &Plan,
        now: u64,
        (fetch, phase): (Fetch, Option<Phase>),
        shown: Option<bool>,
        wait: Option<Duration>,
    ) {
        self.failures = 0;
        self.flags &= FLAGS;
        let before = self.phase;
        if let Some(phase) = phase {
            self.stands(plan, now, fetch, phase);
        }
        if let Some(shown) = shown {
            self.set(CHALLENGED, shown);
            // Nobody waits for the payer's return.
            self.set(RETURNED, shown || self.has(RETURNED));
        }
        self.asked_to_wait(plan, now, wait);
        let has_ended = self.phase != before && self.unconfirmed_end();
        self.due = match self.pause(plan, now) {
            _ if has_ended => self.earliest,
            Some(_) if wait.is_some() && self.is_ordinary(plan) => self.or_at_the_end(plan, self.earliest),
            Some(pause) => self.or_at_the_end(plan, self.soon(plan, now, pause)),
            None => self.or_at_the_end(plan, NEVER),
        };
    }

    fn count_refusal(&mut self) {
        let refusals = self.refusals().saturating_add(1).min(MOST_REFUSALS);
        self.flags = (self.flags & FLAGS) | (refusals << FLAG_BITS);
    }

    /// Nothing was learned: never sooner than after an answer.
    fn failed(&mut self, plan: &Plan, now: u64, wait: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.asked_to_wait(plan, now, wait);
        let pause = self.pause(plan, now).unwrap_or_else(|| self.ordinary(plan, now));
        let wait = plan.backoff.wait(self.failures.into(), self.chance());
        let due = self.soon(plan, now, pause).max(after(now, wait));
        self.due = due.max(self.or_at_the_end(plan, due));
    }

    /// Takes in where the checkout stands, with what that does to the deadline.
    fn stands(&mut self, plan: &Plan, now: u64, fetch: Fetch, phase: Phase) {
        let was_confirmed = self.confirmed_end().is_some();
        let before = self.phase.replace(phase);
        let is_new = before != Some(phase);
        let confirms = fetch == Fetch::Whole || !plan.whole_read_at_end || (was_confirmed && !is_new);
        self.set(CONFIRMED, phase.is_final() && confirms);
        if phase == Phase::PayerAction {
            self.set(CHALLENGED, true);
        }
        if is_new {
            self.set(RETURNED | LATE_READS_OVER, false);
        }

        let was_review = before == Some(Phase::InReview);
        let outlives = was_review || phase.is_final() || before.is_some_and(Phase::is_final);
        let time = match phase {
            Phase::InReview => Some(plan.review.at_most),
            Phase::AwaitingPayer
            | Phase::PayerAction
            | Phase::Processing
            | Phase::Refunding
            | Phase::Succeeded
            | Phase::Authorized
            | Phase::Failed(_)
            | Phase::Reversed => outlives.then_some(plan.deadline),
        };
        if let Some(time) = time.filter(|_| is_new) {
            let own = after(now, time);
            // The time of a review, or of late reads, is not the time of what comes after it.
            self.last_until(if was_review || was_confirmed { own } else { self.deadline.max(own) });
        }
        if let Some(late) = self.late_reads(plan).filter(|_| is_new || !was_confirmed) {
            self.last_until(after(now, late.at_most));
        }
    }

    /// The pause after an answer; none where it is not to be asked before the deadline.
    fn pause(&self, plan: &Plan, now: u64) -> Option<Duration> {
        if self.unconfirmed_end() {
            return Some(plan.first);
        }
        if let Some(late) = self.late_reads(plan) {
            return Some(late.every);
        }
        match self.phase {
            Some(Phase::InReview) => Some(plan.review.every),
            Some(Phase::PayerAction) if self.is_waited_for() => plan.payer_acts,
            _ => Some(self.ordinary(plan, now)),
        }
    }

    /// Whether the pause is one that the answer may shorten.
    fn is_ordinary(&self, plan: &Plan) -> bool {
        self.phase != Some(Phase::InReview) && !self.is_waited_for() && self.late_reads(plan).is_none()
    }

    /// An eighth of the age, within the plan's bounds.
    fn ordinary(&self, plan: &Plan, now: u64) -> Duration {
        Duration::from_millis(now / 8).min(plan.slowest).max(plan.first)
    }

    /// When a pause that chance has shortened is over.
    fn soon(&self, plan: &Plan, now: u64, pause: Duration) -> u32 {
        let less = time::share(pause, plan.jitter_permille, self.chance());
        after(now, pause.saturating_sub(less)).max(self.earliest)
    }

    /// At the deadline, if that comes first or would come too soon after it for another read.
    fn or_at_the_end(&self, plan: &Plan, due: u32) -> u32 {
        let last = self.deadline.max(self.earliest);
        if due.saturating_add(after(0, gap(plan))) > self.deadline { last } else { due }
    }

    /// Another deadline: what was asked before is not the last read.
    fn last_until(&mut self, deadline: u32) {
        self.deadline = deadline;
        self.set(LAST_ASKED | OVER, false);
    }

    /// A wait that the provider said. One that is no longer than the plan's own pauses is like one of these, so it
    /// delays the last read, and does not end it.
    fn asked_to_wait(&mut self, plan: &Plan, now: u64, wait: Option<Duration>) {
        if let Some(wait) = wait {
            self.hold(after(now, wait), wait > plan.longest_pause());
        }
    }

    /// No read before this.
    fn hold(&mut self, until: u32, said: bool) {
        if until > self.earliest || (said && until == self.earliest) {
            self.earliest = until;
            self.set(SAID, said);
        }
    }

    /// Why there is nothing more to ask.
    fn over(&self, plan: &Plan, now: u32) -> Option<Why> {
        if self.refusals() >= plan.refusals.clamp(1, MOST_REFUSALS) {
            return Some(Why::Refused);
        }
        if self.has(SAID) && self.earliest > self.deadline {
            return Some(Why::AskedToWait { until: self.moment(self.earliest) });
        }
        (self.has(OVER) || now == NEVER).then_some(Why::Deadline)
    }

    fn confirmed_end(&self) -> Option<Phase> {
        self.phase.filter(|phase| phase.is_final() && self.has(CONFIRMED))
    }

    fn unconfirmed_end(&self) -> bool {
        self.phase.is_some_and(Phase::is_final) && !self.has(CONFIRMED)
    }

    /// The reads of a refusal that is confirmed.
    fn late_reads(&self, plan: &Plan) -> Option<Reads> {
        let is_refusal = matches!(self.confirmed_end(), Some(Phase::Failed(_)));
        plan.late_reads.filter(|_| is_refusal && !self.has(LATE_READS_OVER))
    }

    /// True if there is a challenge to be shown.
    pub(crate) fn is_challenged(&self) -> bool {
        self.phase == Some(Phase::PayerAction) && self.has(CHALLENGED)
    }

    /// True if the payer was shown a challenge, and is waited for.
    fn is_waited_for(&self) -> bool {
        self.is_challenged() && !self.has(RETURNED)
    }

    /// Counts from this moment on.
    fn begin_anew(&mut self, now: Moment) {
        let began = u32::try_from(now.unix_millis().max(0) / 1_000).unwrap_or(u32::MAX).max(self.began);
        let shift = u64::from(began.abs_diff(self.began)).saturating_mul(TICKS_A_SECOND);
        let shift = u32::try_from(shift).unwrap_or(u32::MAX);
        self.began = began;
        self.seen = self.seen.saturating_sub(shift);
        for tick in [&mut self.earliest, &mut self.due] {
            // What was too long to be counted still is.
            if *tick != NEVER {
                *tick = tick.saturating_sub(shift);
            }
        }
    }

    /// Milliseconds since it began. What was told before does not come after it.
    fn millis(&self, at: Moment) -> u64 {
        let since = at.unix_millis().saturating_sub(i64::from(self.began).saturating_mul(1_000));
        u64::try_from(since).unwrap_or(0).max(u64::from(self.seen).saturating_mul(TICK_MILLIS))
    }

    /// The tick that a moment is in.
    fn tick(&self, at: Moment) -> u32 {
        u32::try_from(self.millis(at) / TICK_MILLIS).unwrap_or(u32::MAX)
    }

    fn hear(&mut self, now: Moment) -> u64 {
        let millis = self.millis(now);
        self.seen = self.tick(now);
        millis
    }

    fn moment(&self, tick: u32) -> Moment {
        let since = Duration::from_millis(u64::from(tick).saturating_mul(TICK_MILLIS));
        Moment::from_unix_millis(i64::from(self.began).saturating_mul(1_000)).saturating_add(since)
    }

    /// The same whenever the same is told at the same time.
    fn chance(&self) -> u64 {
        let now = (u64::from(self.began) << 32) | u64::from(self.seen);
        time::mix(now ^ time::mix(self.seed.into()))
    }

    const fn refusals(&self) -> u8 {
        self.flags >> FLAG_BITS
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn set(&mut self, flag: u8, on: bool) {
        if on { self.flags |= flag } else { self.flags &= !flag }
    }
}

/// So long after so many milliseconds, in ticks, rounded up.
fn after(now: u64, span: Duration) -> u32 {
    let millis = now.saturating_add(time::millis_up(span));
    u32::try_from(millis.div_ceil(TICK_MILLIS)).unwrap_or(u32::MAX)
}

fn gap(plan: &Plan) -> Duration {
    plan.min_gap.max(Duration::from_millis(TICK_MILLIS))
}

const TICK_MILLIS: u64 = 10;
const A_SECOND: u64 = 1_000;
const TICKS_A_SECOND: u64 = 100;
/// The end of what is counted.
const NEVER: u32 = u32::MAX;
/// From here on a moment that is too early is a clock that was set back.
const SET_BACK: Duration = Duration::from_secs(60);

/// Of a phase that is an end: the read that settles has shown it.
const CONFIRMED: u8 = 1;
/// The same bit, of a payer who has to act: the challenge is to be shown.
const CHALLENGED: u8 = CONFIRMED;
/// Of a payer who has to act: the payer has returned since the first challenge, or need not return.
const RETURNED: u8 = 2;
/// The same bit, of an end: there are no late reads any more.
const LATE_READS_OVER: u8 = RETURNED;
/// The provider said the wait until `earliest`, and it is longer than the plan's pauses.
const SAID: u8 = 4;
/// A read was asked at the deadline or after it, and nothing was heard of it.
const LAST_ASKED: u8 = 8;
/// That was answered, or tried often enough.
const OVER: u8 = 16;
/// All five.
const FLAGS: u8 = 31;
const FLAG_BITS: u8 = 5;
const MOST_REFUSALS: u8 = 7;
