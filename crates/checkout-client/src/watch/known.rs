//! What is known of one checkout, and how a read changes it: a watch but for its poller.

use super::{Change, End, Evidence, Handle, NotRead};
use crate::call::{ClientOf, RefusalOf};
use crate::provider::sealed::Backend;
use crate::{Call, Observable, Readable, Received, SendError};
use checkout_lifecycle::{Moment, Tracker, Verdict};
use checkout_poll::{Attempted, Fetch, Heard, Plan, Step};
use core::fmt;
use std::collections::VecDeque;
use std::sync::Arc;

/// All that a [`Watch`](super::Watch) has beside its poller. Who paces it, a poller of its own or the queue of
/// [`Watches`](crate::Watches), is told what came of each read: [`Came`].
pub(crate) struct Known<E: Evidence> {
    pub(crate) glance: Call<E::Glance>,
    pub(crate) whole: Call<E>,
    pub(crate) plan: Plan,
    pub(super) began: Moment,
    pub(super) seed: u64,
    /// Whether something was asked, heard or restored, so that the poller is no longer a new one.
    pub(crate) begun: bool,
    pub(crate) tracker: Tracker<E::Status>,
    pub(crate) held: bool,
    pub(crate) handle: Handle,
    /// What was not told yet.
    pub(crate) untold: VecDeque<Change<E>>,
    /// The latest read that shows what is known.
    evidence: Option<Received<E>>,
    /// The challenge that the payer was asked for last.
    challenge: Option<String>,
    /// The verdict that was told last for attention, as long as it is repeated.
    noticed: Option<Verdict<E::Status, String>>,
    error: Option<Arc<NotRead<RefusalOf<E>>>>,
}

/// What a read came to: `heard` is for the poller, and then a failure for [`Known::not_read`].
pub(crate) struct Came<E: Evidence> {
    pub(crate) heard: Heard,
    pub(crate) failed: Option<Arc<NotRead<RefusalOf<E>>>>,
}

impl<E: Evidence> Known<E> {
    pub(super) fn new(glance: Call<E::Glance>, whole: Call<E>, id: &str) -> Self {
        let began = now::<E>(whole.client());
        Self {
            glance,
            whole,
            plan: E::PLAN,
            began,
            seed: fnv(id),
            begun: false,
            tracker: Tracker::new(),
            held: false,
            handle: Handle::new(),
            untold: VecDeque::new(),
            evidence: None,
            challenge: None,
            noticed: None,
            error: None,
        }
    }

    pub(crate) fn client(&self) -> &ClientOf<E> {
        self.whole.client()
    }

    pub(crate) fn now(&self) -> Moment {
        now::<E>(self.client())
    }

    pub(crate) const fn has_evidence(&self) -> bool {
        self.evidence.is_some()
    }

    /// What it knew before is of another time.
    pub(super) fn forget(&mut self) {
        (self.evidence, self.error) = (None, None);
        (self.challenge, self.noticed) = (None, None);
        self.untold.clear();
    }

    /// Takes in what came of a read by `glance`, or of a submit.
    pub(crate) fn glanced(&mut self, outcome: Result<Received<E::Glance>, SendError>) -> Came<E> {
        let (came, read) = self.take_in(Fetch::Status, outcome);
        if let Some((glance, shows)) = read {
            if let Some(challenge) = challenge_of(&glance) {
                if self.challenge.as_deref() != Some(challenge) {
                    self.challenge = Some(challenge.to_owned());
                    self.untold.push_back(Change::AskPayer { answer: glance.clone() });
                }
            } else {
                self.challenge = None;
            }
            // What was asked for otherwise, as by a submit, confirms no payment.
            let is_read = glance.route == self.glance.route();
            if let Some(read) = E::of_glance(glance).filter(|_| shows && is_read) {
                self.evidence = Some(read);
            }
        }
        came
    }

    /// Takes in what came of a read by `whole`. What was asked for otherwise, as by a submit, is a glance.
    pub(crate) fn read(&mut self, outcome: Result<Received<E>, SendError>) -> Came<E> {
        let is_read = outcome.as_ref().is_ok_and(|read| read.route == self.whole.route());
        let fetch = if is_read { Fetch::Whole } else { Fetch::Status };
        let (came, read) = self.take_in(fetch, outcome);
        if let Some((read, true)) = read.filter(|_| is_read) {
            self.evidence = Some(read);
        }
        came
    }

    /// Tells that a read failed, after the poller was told: what it says next is when it is tried again.
    pub(crate) fn not_read(&mut self, error: Arc<NotRead<RefusalOf<E>>>, next: Step, now: Moment) {
        let again = match next {
            Step::Fetch(_) => Some(now),
            Step::Wait(until) | Step::AskPayer { until } => Some(until),
            Step::Done(_) | Step::GaveUp(_) => None,
        };
        self.error = Some(Arc::clone(&error));
        self.untold.push_back(Change::NotRead { error, again });
    }

    /// How it ended, if the poller says that it has and, where it has not given up, there is a read that shows it.
    pub(crate) fn end(&mut self, step: Step) -> Option<End<E>> {
        let (tracker, held) = (self.tracker, self.held);
        match step {
            Step::Done(phase) => {
                let answer = self.evidence.take()?;
                Some(End::Ended { answer, tracker, phase, held })
            }
            Step::GaveUp(gave_up) => Some(End::GaveUp { gave_up, tracker, held, error: self.error.clone() }),
            Step::Fetch(_) | Step::Wait(_) | Step::AskPayer { .. } => None,
        }
    }

    /// What came of a read, with the answer, if there is one that contradicts no end, and whether it shows what is known.
    fn take_in<T>(
        &mut self,
        fetch: Fetch,
        outcome: Result<Received<T>, SendError>,
    ) -> (Came<E>, Option<(Received<T>, bool)>)
    where
        T: Observable<Provider = E::Provider, Status = E::Status, Raw = E::Raw>,
    {
        let received = match answered::<E, T>(self.client(), outcome) {
            Ok(received) => received,
            Err(came) => return (came, None),
        };
        self.error = None;
        let before = (self.tracker.status(), self.tracker.phase());
        let verdict = received.observation().map(|observation| self.tracker.observe(observation));
        if before.0 != self.tracker.status() {
            // It was the evidence of something else.
            self.evidence = None;
        }
        let mut shows = false;
        if let (Some(status), Some(phase)) = (self.tracker.status(), self.tracker.phase())
            && before.1 != Some(phase)
        {
            self.untold.push_back(Change::Phase { phase, status, before: before.1 });
        }
        if let Some(verdict) = verdict {
            shows = verdict.is_adopted();
            self.held |= matches!(verdict, Verdict::Conflict { .. });
            self.notice(verdict);
        }
        // A read that does not show the end, or contradicts it, settles none: it is asked for again.
        let settles = fetch == Fetch::Whole || !E::PLAN.whole_read_at_end;
        let unsettled = self.tracker.is_final() && settles && !shows && self.evidence.is_none();
        let wait = received.said_wait();
        let heard = match unsettled {
            true => Heard::Failed { wait },
            false => Heard::Answer { fetch, phase: self.tracker.phase(), wait },
        };
        (Came { heard, failed: None }, (!unsettled).then_some((received, shows)))
    }

    /// Tells a verdict that wants attention, once while it is repeated.
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

impl<E: Evidence> Came<E> {
    fn failed(heard: Heard, error: NotRead<RefusalOf<E>>) -> Self {
        Self { heard, failed: Some(Arc::new(error)) }
    }
}

impl<E: Evidence> Clone for Came<E> {
    fn clone(&self) -> Self {
        Self { heard: self.heard, failed: self.failed.clone() }
    }
}

/// The time, by the client's clock.
pub(crate) fn now<E: Evidence>(client: &ClientOf<E>) -> Moment {
    crate::received::moment(<E::Provider as Backend>::now_millis(client))
}

/// Keeps what was asked for ahead; or else what that came to, instead of the read that it was for.
pub(crate) fn keep_ahead<E: Evidence>(
    client: &ClientOf<E>,
    outcome: Result<Received<AheadOf<E>>, SendError>,
) -> Result<(), Came<E>> {
    let received = answered::<E, _>(client, outcome)?;
    let route = received.route;
    let kept = <E::Provider as Backend>::keep(client, received);
    // One that is no longer good when it comes would be asked for without end.
    let good = kept.and_then(|()| match <E::Provider as Backend>::ahead(client) {
        Some(_) => Err(SendError::token(route.into())),
        None => Ok(()),
    });
    good.map_err(|error| Came::failed(Heard::Failed { wait: None }, NotRead::NoReply(error)))
}

/// What is asked for ahead of a read.
pub(crate) type AheadOf<E> = <<E as Readable>::Provider as Backend>::Ahead;

/// How an attempt ended, for the poller.
pub(crate) const fn heard(attempted: Attempted) -> Heard {
    match attempted {
        Attempted::NotSent => Heard::Failed { wait: None },
        Attempted::Unknown { wait } | Attempted::Temporary { wait, .. } => Heard::Failed { wait },
        Attempted::Limited { wait, .. } => Heard::Limited { wait },
        Attempted::Refused { .. } => Heard::Refused,
    }
}

/// The answer, or else what came instead of it.
fn answered<E: Evidence, T>(
    client: &ClientOf<E>,
    outcome: Result<Received<T>, SendError>,
) -> Result<Received<T>, Came<E>>
where
    T: Readable<Provider = E::Provider>,
{
    let received = match outcome {
        Ok(received) => received,
        Err(error) => return Err(Came::failed(error.heard(), NotRead::NoReply(error))),
    };
    let Some(attempted) = received.attempted() else { return Ok(received) };
    if received.http_status == 401 {
        <E::Provider as Backend>::unauthorized(client);
    }
    let error = received.into_answer().err().map(NotRead::NotDone);
    Err(Came { heard: heard(attempted), failed: error.map(Arc::new) })
}

fn challenge_of<T: Observable>(received: &Received<T>) -> Option<&str> {
    match &received.reply {
        checkout_wire::Reply::Done(answer) => answer.payload.asks_payer(),
        checkout_wire::Reply::Refused(_) | checkout_wire::Reply::NotTheApi(_) => None,
    }
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
