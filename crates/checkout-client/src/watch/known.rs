//! The knowledge of one checkout, and the effect of a read on that knowledge: a watch without its poller.

use super::{Change, End, Handle, Nudged, Watchable};
use crate::error::CallErrorOf;
use crate::provider::ClientOf;
use crate::provider::sealed::Backend;
use crate::{Answer, Call, Observable};
use checkout_lifecycle::{Moment, Tracker, Verdict};
use checkout_poll::{PollPolicy, Poller, ReadKind, ReadOutcome, Step};
use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

/// A [`Watch`](super::Watch) without its poller. The poller, a watch's own or the queue of
/// [`WatchSet`](crate::WatchSet), gets the outcome of each read: [`Came`].
pub(crate) struct Known<E: Watchable> {
    pub(crate) status_call: Call<E::StatusRead>,
    pub(crate) full_call: Call<E>,
    pub(crate) policy: PollPolicy,
    pub(super) started_at: Moment,
    pub(super) seed: u64,
    /// The poller's event for the answer of the submit or create, and the moment when that answer was taken
    /// in.
    pub(super) submitted: Option<(Moment, ReadOutcome)>,
    /// True once something was asked, taken in or restored, so that the poller is no longer a new one.
    pub(crate) begun: bool,
    pub(crate) tracker: Tracker<E::Status>,
    pub(crate) conflict: bool,
    pub(crate) handle: Handle,
    /// The changes that were not reported yet.
    pub(super) untold: VecDeque<Change<E>>,
    /// The latest read that shows the current status.
    evidence: Option<Box<Answer<E>>>,
    /// The challenge that the payer was asked for last.
    challenge: Option<String>,
    /// The reason why the last challenge was not shown, if any.
    not_shown: Option<&'static str>,
    /// True if the known refusal was reported, with late reads to follow.
    refusal_told: bool,
    /// True if a nudge came, and no read has begun since.
    pub(crate) nudged: bool,
    /// True if a read has begun since a nudge came, and has no outcome yet.
    answers_nudge: bool,
    /// The verdict that was reported last for attention, as long as the verdict is repeated.
    noticed: Option<Verdict<E::Status, String>>,
    error: Option<Arc<CallErrorOf<E>>>,
}

/// The outcome of a read: `outcome` is for the poller, and then all of the value for [`Known::report`].
pub(crate) struct Came<E: Watchable> {
    pub(super) outcome: ReadOutcome,
    pub(super) failed: Option<Arc<CallErrorOf<E>>>,
    /// The answer to a nudge that asked for the read.
    nudged: Option<Box<Nudged<E>>>,
}

/// The effect of an answer on the knowledge so far.
#[derive(Clone, Copy)]
struct Shows {
    /// True if the answer contradicts no end.
    settled: bool,
    /// True if the answer shows the current status.
    known: bool,
}

impl<E: Watchable> Known<E> {
    pub(super) fn new(status_call: Call<E::StatusRead>, full_call: Call<E>, id: &str) -> Self {
        let started_at = now::<E>(full_call.client());
        Self {
            status_call,
            full_call,
            policy: E::POLL_POLICY,
            started_at,
            seed: fnv(id),
            submitted: None,
            begun: false,
            tracker: Tracker::new(),
            conflict: false,
            handle: Handle::new(),
            untold: VecDeque::new(),
            evidence: None,
            challenge: None,
            not_shown: None,
            refusal_told: false,
            nudged: false,
            answers_nudge: false,
            noticed: None,
            error: None,
        }
    }

    pub(crate) fn client(&self) -> &ClientOf<E> {
        self.full_call.client()
    }

    pub(crate) fn now(&self) -> Moment {
        now::<E>(self.client())
    }

    /// The maximum wait for the answer to one read.
    pub(crate) fn read_timeout(&self) -> Duration {
        read_timeout(&self.policy)
    }

    pub(crate) const fn has_evidence(&self) -> bool {
        self.evidence.is_some()
    }

    /// Forgets what belongs to an earlier time.
    pub(super) fn forget(&mut self) {
        (self.evidence, self.error) = (None, None);
        (self.challenge, self.not_shown, self.noticed) = (None, None, None);
        self.refusal_told = false;
        self.untold.clear();
    }

    /// Records the begin of a read, which answers all nudges before that begin.
    pub(super) fn answers_nudges(&mut self) {
        self.begun = true;
        self.answers_nudge |= core::mem::take(&mut self.nudged);
    }

    /// The kind of the next read. A refusal whose late reads go on is reported with a read that shows the
    /// refusal: after a restart a bare status does not.
    pub(crate) fn kind_of_read(&self, kind: ReadKind, poller: &Poller, now: Moment) -> ReadKind {
        let untold = !self.refusal_told && self.evidence.is_none();
        match E::POLL_POLICY.confirm_with_full_read && untold && poller.refused(&self.policy, now).is_some() {
            true => ReadKind::Full,
            false => kind,
        }
    }

    /// Takes in the outcome of a status read.
    pub(crate) fn handle_status(
        &mut self,
        outcome: Result<Answer<E::StatusRead>, CallErrorOf<E>>,
        now: Moment,
    ) -> Came<E> {
        let (mut came, read) = self.observe(ReadKind::Status, outcome, now);
        if let Some((read, shows)) = read {
            if shows.settled {
                self.ask_payer(&read.payload);
            }
            if self.answers_nudge {
                came.nudged = Some(Box::new(Nudged::Status(read.clone())));
            }
            if let Some(read) = E::of_status_read(read).filter(|_| shows.known) {
                self.evidence = Some(Box::new(read));
            }
        }
        came
    }

    /// Takes in the answer to the call that made the checkout; that answer is not a read.
    pub(super) fn submitted<T>(&mut self, answer: Answer<T>, now: Moment) -> Came<E>
    where
        T: Observable<Provider = E::Provider, Status = E::Status, Raw = E::Raw> + Into<E::StatusRead>,
    {
        let (came, answer) = self.observe(ReadKind::Status, Ok(answer), now);
        if let Some((answer, _)) = answer.filter(|(_, shows)| shows.settled) {
            self.ask_payer(&answer.payload.into());
        }
        came
    }

    /// Asks the payer for a challenge that differs from the last, or reports why a challenge cannot be shown.
    fn ask_payer(&mut self, payload: &E::StatusRead) {
        let challenge = payload.asks_payer();
        if let Some(challenge) = challenge.filter(|challenge| self.challenge.as_deref() != Some(challenge)) {
            self.challenge = Some(challenge.to_owned());
            self.untold.push_back(Change::AskPayer { payload: payload.clone() });
        } else if challenge.is_none() {
            self.challenge = None;
        }
        let not_shown = payload.not_shown().filter(|_| challenge.is_none());
        if let Some(reason) = not_shown.filter(|_| self.not_shown != not_shown) {
            self.untold.push_back(Change::NotShown { payload: payload.clone(), reason });
        }
        self.not_shown = not_shown;
    }

    /// Takes in the outcome of a full read.
    pub(crate) fn handle_read(&mut self, outcome: Result<Answer<E>, CallErrorOf<E>>, now: Moment) -> Came<E> {
        let (mut came, read) = self.observe(ReadKind::Full, outcome, now);
        if let Some((read, shows)) = read {
            if self.answers_nudge {
                came.nudged = Some(Box::new(Nudged::Full(read.clone())));
            }
            if shows.known {
                self.evidence = Some(Box::new(read));
            }
        }
        came
    }

    /// Reports the outcome of a read, beside the changes of the answer, after the poller has the outcome.
    pub(super) fn report(&mut self, came: Came<E>, poller: &Poller, now: Moment) {
        let Came { failed, nudged, .. } = came;
        if let Some(error) = &failed {
            self.not_read(Arc::clone(error), poller.next(&self.policy, now), now);
        }
        self.refused(poller, now);
        // Last, so that the report of the nudge follows all other changes of the read.
        if core::mem::take(&mut self.answers_nudge)
            && let Some(nudged) = nudged.map(|nudged| *nudged).or_else(|| failed.map(Nudged::NotRead))
        {
            self.untold.push_back(Change::Nudged(nudged));
        }
    }

    /// Reports the nudges since the last read, because no read follows any more. True if there were any.
    pub(crate) fn gives_up_nudges(&mut self) -> bool {
        let nudged = core::mem::take(&mut self.nudged) | core::mem::take(&mut self.answers_nudge);
        if nudged {
            self.untold.push_back(Change::Nudged(Nudged::NoRead));
        }
        nudged
    }

    /// Reports a refusal whose late reads go on, once, with the read that shows the refusal.
    fn refused(&mut self, poller: &Poller, now: Moment) {
        if let (Some(phase), Some(answer), false) =
            (poller.refused(&self.policy, now), &self.evidence, self.refusal_told)
        {
            self.refusal_told = true;
            let (answer, until) = (Answer::clone(answer), poller.deadline());
            let (tracker, conflict) = (self.tracker, self.conflict);
            self.untold.push_back(Change::Refused { answer, tracker, phase, conflict, until });
        }
    }

    /// Reports a failed read. The poller's next step is the moment of the next try.
    fn not_read(&mut self, error: Arc<CallErrorOf<E>>, next: Step, now: Moment) {
        let again = match next {
            Step::Fetch(_) => Some(now),
            Step::Wait(until) | Step::AskPayer { until } => Some(until),
            Step::Done(_) | Step::GaveUp(_) => None,
        };
        self.error = Some(Arc::clone(&error));
        self.untold.push_back(Change::NotRead { error, again });
    }

    /// The end, if the poller reports an end and, where the poller has not given up, a read shows that end.
    pub(super) fn end(&mut self, step: Step) -> Option<End<E>> {
        let (tracker, conflict) = (self.tracker, self.conflict);
        match step {
            Step::Done(phase) => {
                let answer = *self.evidence.take()?;
                Some(End::Ended { answer, tracker, phase, conflict })
            }
            Step::GaveUp(mut gave_up) => {
                // An end from a submit, without a read that shows the end, is known to the tracker alone.
                gave_up.last_phase = gave_up.last_phase.or(tracker.phase());
                Some(End::GaveUp { gave_up, tracker, conflict, error: self.error.clone() })
            }
            Step::Fetch(_) | Step::Wait(_) | Step::AskPayer { .. } => None,
        }
    }

    /// The outcome of a read, with the answer, if there is one, and its effect on the knowledge so far.
    fn observe<T>(
        &mut self,
        kind: ReadKind,
        outcome: Result<Answer<T>, CallErrorOf<E>>,
        now: Moment,
    ) -> (Came<E>, Option<(Answer<T>, Shows)>)
    where
        T: Observable<Provider = E::Provider, Status = E::Status, Raw = E::Raw>,
    {
        let received = match outcome {
            Ok(received) => received,
            Err(error) => return (Came::failed(error), None),
        };
        self.error = None;
        let before = (self.tracker.status(), self.tracker.phase());
        let verdict = received.observation().map(|observation| self.tracker.observe(observation, now));
        if before.0 != self.tracker.status() {
            // The evidence was of another status.
            self.evidence = None;
            self.refusal_told = false;
        }
        let mut known = false;
        if let (Some(status), Some(phase)) = (self.tracker.status(), self.tracker.phase())
            && before.1 != Some(phase)
        {
            self.untold.push_back(Change::Phase { phase, status, before: before.1 });
        }
        if let Some(verdict) = verdict {
            known = verdict.is_adopted();
            self.conflict |= matches!(verdict, Verdict::Conflict { .. });
            self.notice(verdict);
        }
        // A read that does not show the end, or contradicts the end, settles nothing: the watch reads again.
        let settles = kind == ReadKind::Full || !E::POLL_POLICY.confirm_with_full_read;
        let settled = !(self.tracker.is_final() && settles && !known && self.evidence.is_none());
        let outcome = match settled {
            true => received.answered(kind, self.tracker.phase()),
            false => ReadOutcome::Failed { wait: received.said_wait() },
        };
        (Came { outcome, failed: None, nudged: None }, Some((received, Shows { settled, known })))
    }

    /// Reports a verdict that wants attention, once while the verdict is repeated.
    fn notice(&mut self, verdict: Verdict<E::Status, E::Raw>) {
        if !verdict.wants_attention() {
            self.noticed = None;
            return;
        }
        let noticed = Some(told(&verdict));
        if self.noticed != noticed {
            self.noticed = noticed;
            self.untold.push_back(Change::Attention { verdict, tracker: self.tracker });
        }
    }
}

impl<E: Watchable> Came<E> {
    pub(super) fn failed(error: CallErrorOf<E>) -> Self {
        Self { outcome: error.read_outcome(), failed: Some(Arc::new(error)), nudged: None }
    }

    /// Limits the wait to this maximum.
    pub(super) fn at_most(mut self, longest: Duration) -> Self {
        match &mut self.outcome {
            ReadOutcome::Answer { wait, .. }
            | ReadOutcome::PayerActs { wait, .. }
            | ReadOutcome::Limited { wait }
            | ReadOutcome::Failed { wait }
            | ReadOutcome::NotThere { wait } => {
                *wait = wait.map(|wait| wait.min(longest));
            }
            ReadOutcome::Refused => {}
        }
        self
    }

    /// Turns the outcome into a failure that another attempt can mend.
    pub(super) fn into_failure(self) -> Self {
        Self { outcome: ReadOutcome::Failed { wait: None }, ..self }
    }
}

impl<E: Watchable> Clone for Came<E> {
    fn clone(&self) -> Self {
        Self { outcome: self.outcome, failed: self.failed.clone(), nudged: self.nudged.clone() }
    }
}

/// The maximum wait for the answer to one read.
pub(crate) fn read_timeout(policy: &PollPolicy) -> Duration {
    policy.read_timeout.max(Duration::from_secs(1))
}

/// The time, by the client's clock.
pub(crate) fn now<E: Watchable>(client: &ClientOf<E>) -> Moment {
    <E::Provider as Backend>::now(client)
}

/// A verdict with its raw value as a text, so that two can be compared.
fn told<S: Copy, Raw: fmt::Display>(verdict: &Verdict<S, Raw>) -> Verdict<S, String> {
    match verdict {
        Verdict::First => Verdict::First,
        Verdict::Unchanged => Verdict::Unchanged,
        Verdict::Advanced { from } => Verdict::Advanced { from: *from },
        Verdict::Stale { observed } => Verdict::Stale { observed: *observed },
        Verdict::Unknown(raw) => Verdict::Unknown(raw.to_string()),
        Verdict::Unexpected { from } => Verdict::Unexpected { from: *from },
        Verdict::Reopened { superseded } => Verdict::Reopened { superseded: *superseded },
        Verdict::LateSuccess { superseded } => Verdict::LateSuccess { superseded: *superseded },
        Verdict::Conflict { observed } => Verdict::Conflict { observed: *observed },
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same id gives the same seed, in every process.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
