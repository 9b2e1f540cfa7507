//! The decisions about one checkout: the same code under [`Watch`](super::Watch) and under many watches.
//!
//! Two questions differ between the two, and stay with them: when a read is due (a poller of the watch's own,
//! or the schedule of many), and how a call is sent.

use super::due_read::DueRead;
use super::known::{Came, Known};
use super::{AuthorizationOf, Change, Watchable};
use crate::authorize::Authorize;
use crate::error::CallErrorOf;
use crate::provider::ClientOf;
use crate::{Answer, Call, CallError, CallErrorKind, NotSent};
use checkout_lifecycle::Moment;
use checkout_poll::{PollPolicy, Poller, ReadKind, ReadOutcome, Step};

/// The place of a checkout's poller: in the watch, or in the schedule of many.
pub(crate) trait Place {
    /// None for a checkout that the schedule no longer has.
    fn poller(&self) -> Option<&Poller>;
    fn nudge(&mut self, now: Moment);
    fn payer_returned(&mut self, now: Moment);
    fn mark_sent(&mut self, now: Moment);
    fn handle_outcome(&mut self, now: Moment, outcome: ReadOutcome);
    fn read_once_more(&mut self, now: Moment);
}

impl<E: Watchable> Known<E> {
    /// Takes in the messages to the handle.
    pub(crate) fn take_messages(&mut self, place: &mut impl Place, now: Moment) {
        let messages = self.handle.take();
        if messages.nudged {
            self.nudge(place, now);
        }
        if messages.payer_returned {
            place.payer_returned(now);
        }
    }

    pub(crate) fn nudge(&mut self, place: &mut impl Place, now: Moment) {
        self.nudged = true;
        place.nudge(now);
    }

    /// The read to send now, which answers the nudges so far. The place records the read.
    pub(crate) fn begin(&mut self, kind: ReadKind) -> DueRead<E> {
        self.answers_nudges();
        match kind {
            ReadKind::Status => DueRead::Status(self.status_call.clone()),
            ReadKind::Full => DueRead::Full(self.full_call.clone()),
        }
    }

    /// Records the begin of a read.
    pub(crate) fn mark_sent(&mut self, place: &mut impl Place, now: Moment) {
        self.answers_nudges();
        place.mark_sent(now);
    }

    /// Takes in the outcome of a read.
    pub(crate) fn take_in(&mut self, place: &mut impl Place, came: Came<E>, now: Moment) {
        self.begun = true;
        place.handle_outcome(now, came.outcome);
        if let Some(poller) = place.poller() {
            self.report(came, poller, now);
        }
    }

    /// Takes in the failure of the authorization call, which counts as the read that needed the call.
    pub(crate) fn take_in_authorization(&mut self, place: &mut impl Place, came: Came<E>, now: Moment) {
        self.mark_sent(place, now);
        self.take_in(place, came, now);
    }

    /// Reads once more where the poller is at an end that no read shows. True if that is so.
    pub(crate) fn reads_once_more(&self, place: &mut impl Place, step: Step, now: Moment) -> bool {
        let reads = matches!(step, Step::Done(_)) && !self.has_evidence();
        if reads {
            place.read_once_more(now);
        }
        reads
    }

    /// The next change to report. After the last change comes the end, where `ended` is an end.
    pub(crate) fn next_change(&mut self, ended: Option<Step>) -> Option<Change<E>> {
        loop {
            if let Some(change) = self.untold.pop_front() {
                return Some(change);
            }
            let step = ended?;
            if !self.gives_up_nudges() {
                return self.end(step).map(Change::End);
            }
        }
    }
}

/// The authorization call of a lone watch or of a merchant: one call at a time, for all reads that need the
/// call.
pub(crate) struct Gate<E: Watchable> {
    asked: Option<(Moment, ClientOf<E>)>,
}

/// The state of the [`Gate`] for a read that is due.
pub(crate) enum Pass<E: Watchable> {
    /// The read needs no authorization call.
    Open,
    Ask(Call<AuthorizationOf<E>>),
    /// The call is under way since then.
    Asked(Moment),
}

impl<E: Watchable> Gate<E> {
    pub(crate) const fn new() -> Self {
        Self { asked: None }
    }

    pub(crate) fn pass(&mut self, client: &ClientOf<E>, now: Moment) -> Pass<E> {
        let Some(call) = <E::Provider as Authorize>::authorization(client) else { return Pass::Open };
        if let Some((at, _)) = &self.asked {
            return Pass::Asked(*at);
        }
        self.asked = Some((now, client.clone()));
        Pass::Ask(call)
    }

    /// Forgets the call under way, whose outcome nobody waits for.
    pub(crate) fn forget(&mut self) {
        self.asked = None;
    }

    /// Stores the answer to the authorization call; if none came, returns the failure of the reads that
    /// needed the answer. None if no call is under way.
    pub(crate) fn take_in(
        &mut self,
        policy: &PollPolicy,
        outcome: Result<Answer<AuthorizationOf<E>>, CallErrorOf<E>>,
    ) -> Option<Result<(), Came<E>>> {
        let (_, client) = self.asked.take()?;
        Some(keep_authorization::<E>(&client, policy, outcome))
    }
}

/// Stores the answer to the authorization call; if none came, returns the failure of the reads that needed
/// the answer.
///
/// A wait that this answer asks for says nothing about the checkouts that need the answer. So no checkout
/// waits for longer than the policy's longest pause, and no checkout is given up for that wait. Neither is a
/// checkout given up for an unexpected response, such as a gateway's page that lets nobody in.
fn keep_authorization<E: Watchable>(
    client: &ClientOf<E>,
    policy: &PollPolicy,
    outcome: Result<Answer<AuthorizationOf<E>>, CallErrorOf<E>>,
) -> Result<(), Came<E>> {
    let answer = outcome.map_err(|error| match error.kind() {
        CallErrorKind::UnexpectedResponse(_) => Came::failed(error).into_failure(),
        CallErrorKind::NotSent(_)
        | CallErrorKind::NoResponse(_)
        | CallErrorKind::Unreadable(_)
        | CallErrorKind::Mismatch(_)
        | CallErrorKind::NotAuthentic(_)
        | CallErrorKind::Refused(_) => Came::failed(error).at_most(policy.longest_pause()),
    })?;
    let operation = answer.operation();
    let kept = <E::Provider as Authorize>::keep(client, &answer);
    // A token that has expired on arrival would be asked for without end.
    let good = kept.and_then(|()| match <E::Provider as Authorize>::authorization(client) {
        Some(_) => Err(CallError::not_sent(operation, NotSent::AccessTokenExpired)),
        None => Ok(()),
    });
    good.map_err(|error| Came::failed(error).into_failure())
}
