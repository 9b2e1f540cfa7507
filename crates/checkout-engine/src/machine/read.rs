//! Reads of a checkout that the provider has, to the end and after it.

use super::Task;
use super::context::Context;
use super::rules::Reads;
use crate::checkout::State;
use crate::store::{ReadMade, Subject};
use checkout_client::{
    Answer, CallError, Change, CheckoutClient, End, GiveUpReason, NonceSource as _, RandomNonces, ReadKind,
    Readable, Step, Watch, Watchable,
};
use checkout_lifecycle::{Moment, Phase, Verdict};
use checkout_poll::ReadOutcome;
use checkout_trust::settlement::Settlement;
use checkout_wire::Printable;
use core::time::Duration;

/// The client's watch of the checkout, as it was stored.
fn watch<C: CheckoutClient>(cx: &Context, client: &C, id: &C::Id) -> Result<Watch<C::Payload>, String> {
    let watch = client.watch(id).map_err(|error| format!("the checkout cannot be read: {error}"))?;
    // A row that the shop added by SQL has no such moment.
    let since = Moment::from_unix_millis(cx.notes().since).max(cx.checkout().created_at);
    let mut watch = watch.started_at(since);
    watch = watch.policy(cx.rules().policy(cx.checkout().provider));
    if !cx.watch().is_empty() {
        watch = watch
            .restore_from(cx.watch())
            .map_err(|error| format!("the stored watch cannot be read: {error}"))?;
    }
    Ok(watch)
}

/// The next read, or the pause before the next read. `answer` is an answer that has just come.
pub(super) fn next<C, R>(mut cx: Context, client: &C, id: &C::Id, first_wait: Option<Duration>) -> Task
where
    C: CheckoutClient,
    R: Reads<C::Payload> + 'static,
{
    let now = cx.now();
    let mut watch = match watch(&cx, client, id) {
        Ok(watch) => watch,
        Err(reason) => return cx.held(&reason),
    };
    if cx.notes().resumes {
        cx.note(|notes| notes.resumes = false);
        watch.resume_at(now, cx.rules().policy(cx.checkout().provider).deadline);
    }
    let looks = matches!(cx.checkout().state, State::Open | State::GaveUp) && cx.notes().looks > 0;
    if looks && !watch.tracker().is_final() {
        watch.resume_at(now, A_LOOK);
    }
    if cx.nudged() {
        // A watch that gave up reads again: somebody knows more by now.
        if matches!(watch.next(now), Step::GaveUp(_)) {
            watch.resume_at(now, A_LOOK);
        }
        watch.handle().nudge();
    }
    match (watch.next(now), first_wait) {
        (Step::Fetch(_), Some(wait)) => {
            cx.set_watch(watch.stored());
            cx.again(wait)
        }
        (Step::Fetch(ReadKind::Status), None) => {
            let call = watch.status_call().clone();
            watch.mark_sent(now);
            match call.attempt(now, &RandomNonces.nonce()) {
                Err(error) => finish::<_, _, R>(cx, watch, Watch::handle_status, Err(error)),
                Ok(attempt) => {
                    let (request, reader) = attempt.into_parts();
                    cx.send(request, move |cx, outcome| {
                        sent::<_, _, R>(cx, watch, Watch::handle_status, reader.outcome(outcome))
                    })
                }
            }
        }
        (Step::Fetch(ReadKind::Full), None) => {
            let call = watch.full_call().clone();
            watch.mark_sent(now);
            match call.attempt(now, &RandomNonces.nonce()) {
                Err(error) => finish::<_, _, R>(cx, watch, Watch::handle_read, Err(error)),
                Ok(attempt) => {
                    let (request, reader) = attempt.into_parts();
                    cx.send(request, move |cx, outcome| {
                        sent::<_, _, R>(cx, watch, Watch::handle_read, reader.outcome(outcome))
                    })
                }
            }
        }
        (Step::Wait(_) | Step::AskPayer { .. } | Step::Done(_) | Step::GaveUp(_), _) => {
            take_in::<_, R>(cx, watch)
        }
    }
}

type OutcomeOf<E, T> = Result<Answer<T>, CallError<<E as Readable>::Provider>>;
type Handle<E, T> = fn(&mut Watch<E>, Moment, OutcomeOf<E, T>);

/// Takes in the outcome of a read that was sent.
fn sent<E, T, R>(mut cx: Context, watch: Watch<E>, handle: Handle<E, T>, outcome: OutcomeOf<E, T>) -> Task
where
    E: Watchable,
    T: Readable<Provider = E::Provider>,
    R: Reads<E>,
{
    match &outcome {
        Ok(_) => {
            cx.made(ReadMade::Answered);
            cx.note(|notes| notes.asked = 0);
        }
        Err(error) => {
            cx.made(ReadMade::Sent);
            if let ReadOutcome::Limited { wait } = error.read_outcome() {
                let longest = E::POLL_POLICY.longest_pause();
                cx.lane_waits(wait.unwrap_or(longest).min(longest));
            }
        }
    }
    finish::<_, _, R>(cx, watch, handle, outcome)
}

fn finish<E, T, R>(cx: Context, mut watch: Watch<E>, handle: Handle<E, T>, outcome: OutcomeOf<E, T>) -> Task
where
    E: Watchable,
    T: Readable<Provider = E::Provider>,
    R: Reads<E>,
{
    handle(&mut watch, cx.now(), outcome);
    take_in::<_, R>(cx, watch)
}

/// Takes in the changes of the watch, and writes what follows.
fn take_in<E: Watchable, R: Reads<E>>(mut cx: Context, mut watch: Watch<E>) -> Task {
    let now = cx.now();
    while let Some(change) = watch.take_change() {
        match change {
            Change::AskPayer { payload } => {
                let challenge = R::challenge(&payload);
                cx.note(|notes| notes.challenge = challenge);
            }
            Change::NotShown { reason, .. } => {
                cx.hold(&format!("the payer's challenge cannot be shown: {reason}"));
            }
            Change::Attention { verdict: Verdict::Unknown(raw), tracker } if tracker.is_final() => {
                let raw = raw.to_string();
                let status = Printable(&raw);
                cx.hold(&format!("the checkout had ended, and has the unknown status {status} now"));
            }
            Change::Refused { answer, phase, conflict, tracker, .. } => {
                ended::<E, R>(&mut cx, answer, phase, conflict || tracker.superseded().is_some());
            }
            Change::Phase { phase, .. } => {
                if phase != Phase::PayerAction {
                    cx.note(|notes| notes.challenge = None);
                }
            }
            Change::Attention { .. } | Change::Nudged(_) | Change::NotRead { .. } | Change::End(_) => {}
        }
    }
    let step = watch.next(now);
    let end = match step {
        Step::Done(_) | Step::GaveUp(_) => watch.take_end(now),
        Step::Fetch(_) | Step::Wait(_) | Step::AskPayer { .. } => None,
    };
    cx.set_watch(watch.stored());
    match (step, end) {
        (Step::Fetch(_), _) => cx.again(Duration::ZERO),
        // A look is one read, unless the read shows an end, which the whole read has to confirm.
        (Step::Wait(_) | Step::AskPayer { .. }, _)
            if cx.notes().looks > 0 && cx.has_read() && !watch.tracker().is_final() =>
        {
            give_up(cx)
        }
        (Step::Wait(until) | Step::AskPayer { until }, _) => cx.again(until.saturating_since(now)),
        (Step::Done(_) | Step::GaveUp(_), Some(End::Ended { answer, phase, conflict, tracker })) => {
            ended::<E, R>(&mut cx, answer, phase, conflict || tracker.superseded().is_some());
            cx.ended()
        }
        (Step::Done(_) | Step::GaveUp(_), Some(End::GaveUp { gave_up, conflict, error, .. })) => {
            if conflict {
                cx.hold(CONTRADICTS);
            }
            if gave_up.reason == GiveUpReason::Refused {
                let why = error.map_or_else(String::new, |error| format!(": {error}"));
                // An end stays an end: an order that was settled, or told as failed.
                if !cx.checkout().state.is_end() {
                    cx.enter(State::GaveUp);
                }
                return cx.held(&format!("the provider does not tell of the checkout{why}"));
            }
            give_up(cx)
        }
        // An end always has a read or a reason to give up.
        (Step::Done(_) | Step::GaveUp(_), None) => cx.again(A_LOOK),
    }
}

/// No end by the policy's deadline: the engine looks again, less and less often. In the end nobody looks any
/// more, and only news brings the work back.
fn give_up(mut cx: Context) -> Task {
    if cx.checkout().state != State::Open {
        return if cx.waits_for_an_answer() { ask_again(cx) } else { cx.ended() };
    }
    let looks = cx.notes().looks;
    cx.note(|notes| notes.looks = looks.saturating_add(1));
    let (first, rarest) = (cx.rules().look_after, cx.rules().look_every);
    if cx.age() < cx.rules().look_for || cx.waits_for_an_answer() && looks < MOST_LOOKS {
        return cx.again(first.saturating_mul(1 << looks.min(16)).min(rarest));
    }
    cx.enter(State::GaveUp);
    cx.tell(Subject::GaveUp, None);
    cx.ended()
}

/// The most looks at a checkout of which an event waits for an answer.
const MOST_LOOKS: u32 = 1_000;

/// An event or the shop asked for a read of a checkout that had ended, and no answer came: perhaps somebody
/// paid after all. The engine asks again, less and less often, and then a person has to look.
fn ask_again(mut cx: Context) -> Task {
    let asked = cx.notes().asked;
    if asked >= MOST_ASKED {
        return cx.held("an event came for the checkout, and the provider does not answer the reads");
    }
    cx.note(|notes| notes.asked = asked.saturating_add(1));
    let (first, rarest) = (cx.rules().look_after, cx.rules().look_every);
    cx.again(first.saturating_mul(1 << asked).min(rarest))
}

/// Decides the meaning of a read that shows an end. The order of the questions matters.
fn ended<E: Watchable, R: Reads<E>>(cx: &mut Context, answer: Answer<E>, phase: Phase, attention: bool) {
    R::note(cx, &answer.payload);
    let money = R::money(&answer.payload);
    let read = answer.into_read();
    let settlement = R::settlement(cx.checkout(), cx.notes(), &read, &cx.rules().settlement);
    let settlement = match settlement {
        Ok(settlement) => settlement,
        Err(reason) => return unsettled(cx, reason),
    };
    let before = cx.checkout().state;
    let settles = phase == Phase::Succeeded && settlement.is_settled();
    match (phase, before) {
        _ if attention && !settles => {
            unsettled(cx, CONTRADICTS);
        }
        (Phase::Succeeded, _) if !settles => unsettled(cx, &why_not(&settlement)),
        (Phase::Succeeded, State::Open | State::Sending | State::Unknown) => {
            if attention {
                cx.hold(LATE);
            }
            cx.enter(State::Settled);
            // Held already: a person's release tells.
            if cx.checkout().hold.is_none() {
                cx.tell(Subject::Settled, None);
            }
        }
        (Phase::Succeeded, State::Settled) => {}
        (
            Phase::Succeeded,
            State::Failed | State::GaveUp | State::Refused | State::Unsettled | State::Closed,
        ) => {
            cx.hold(LATE);
            cx.enter(State::Settled);
        }
        (Phase::Failed(failure), State::Open | State::Sending | State::Unknown | State::GaveUp) => {
            match money {
                None => {
                    cx.enter(State::Failed);
                    cx.tell(Subject::Failed, Some(&failure.to_string()));
                }
                Some(came) => {
                    unsettled(cx, &format!("not paid: {failure}, and {came} came: has it gone back?"))
                }
            }
        }
        (Phase::Failed(failure), State::Settled) => {
            cx.hold(&format!("settled before, and a later read says: {failure}"));
        }
        (Phase::Failed(failure), State::Failed | State::Refused | State::Unsettled | State::Closed) => {
            if let Some(came) = money {
                cx.hold(&format!("not paid: {failure}, and {came} came: has it gone back?"));
            }
        }
        (
            Phase::AwaitingPayer
            | Phase::PayerAction
            | Phase::Processing
            | Phase::InReview
            | Phase::Refunding
            | Phase::Authorized
            | Phase::Reversed,
            _,
        ) => unsettled(cx, &why_not(&settlement)),
    }
}

fn why_not(settlement: &Settlement) -> String {
    settlement.to_string()
}

/// Ended, perhaps paid, and not settled by the read. An order that was settled stays settled: its goods may
/// have left.
fn unsettled(cx: &mut Context, reason: &str) {
    cx.hold(reason);
    if cx.checkout().state != State::Settled {
        cx.enter(State::Unsettled);
    }
}

const CONTRADICTS: &str = "the provider contradicts itself, or somebody else answers";
const LATE: &str = "paid after it had ended: ship it after all, or give the money back";
/// The time of a look at a checkout that was given up.
const A_LOOK: Duration = Duration::from_secs(60);
/// How often the engine asks again, twelve days in all by the usual rules. Assumed: no outage is as long.
const MOST_ASKED: u32 = 16;
