//! Creates: an attempt is saved before it is sent, and repeated by the provider's rule alone.

use super::context::Context;
use super::rules::{OfAzotte, OfPeach};
use super::{Client, Task, read};
use crate::checkout::State;
use crate::draft::Draft;
use crate::notes::Price;
use crate::store::{ReadMade, Subject};
use checkout_client::{
    Answer, Call, CallError, CreateOutcome, NonceSource as _, RandomNonces, Readable, peach,
};
use checkout_poll::ReadOutcome;
use checkout_trust::settlement;
use checkout_validate::peach::{InitiateCheckout, MerchantTransactionId};
use checkout_validate::{Redacted, allscale::CreateIntent};
use checkout_wire::peach::AccessToken;
use core::time::Duration;

/// The next step of a checkout whose create has no outcome yet.
pub(super) fn next(mut cx: Context, client: &Client) -> Task {
    if cx.notes().under_way {
        // A process died with the attempt, or was too slow: perhaps the provider has done the work.
        cx.note(|notes| (notes.under_way, notes.processed) = (false, true));
        match client {
            Client::AllScale(_) | Client::PeachV2(_) => return unknown(cx, LOST),
            Client::Peach(_) => {
                cx.enter(State::Unknown);
                return look_up(cx, client);
            }
            Client::Azotte(_) => {}
        }
    }
    // The token comes first: a process that dies with the token's answer has sent no create.
    if let Client::PeachV2(v2) = client
        && let Some(call) = v2.token_call(cx.now())
    {
        let client = client.clone();
        return with_token(cx, &call, v2.clone(), move |cx| mark(cx, client));
    }
    mark(cx, client.clone())
}

/// Saves an attempt as under way, and sends the attempt.
fn mark(mut cx: Context, client: Client) -> Task {
    cx.note(|notes| {
        notes.attempts = notes.attempts.saturating_add(1);
        notes.under_way = true;
    });
    cx.save(move |cx| send(cx, &client))
}

/// Holds a checkout whose attempt could not be sent: after the release the attempt is made again.
fn not_sent(mut cx: Context, reason: &str) -> Task {
    cx.note(|notes| notes.under_way = false);
    cx.held(reason)
}

/// Sends an attempt that is saved as under way.
pub(super) fn send(cx: Context, client: &Client) -> Task {
    let draft = match cx.notes().draft.as_ref().map(|stored| stored.draft()) {
        Some(Ok(draft)) => draft,
        Some(Err(part)) => {
            return not_sent(cx, &format!("the stored draft cannot be sent: its {part} is not valid"));
        }
        None => return not_sent(cx, "the row has no draft"),
    };
    match (client, draft) {
        (Client::AllScale(client), Draft::AllScale(intent)) => {
            let call = client.create(&intent);
            let client = Client::AllScale(client.clone());
            attempt(cx, &call, client, move |cx, answer| created_allscale(cx, &intent, answer))
        }
        (Client::Azotte(client), Draft::Azotte(submit)) => {
            let call = client.submit(&submit);
            let client = client.clone();
            attempt(cx, &call, Client::Azotte(client.clone()), move |mut cx, answer| {
                let wait = answer.poll_after();
                let id = answer.payload.tracking_number;
                open(&mut cx, Some(id.clone()), None);
                read::next::<_, OfAzotte>(cx, &client, &id, Some(wait))
            })
        }
        (Client::Peach(client), Draft::Peach(initiate)) => {
            let call = match client.initiate(&initiate) {
                Ok(call) => call,
                Err(error) => return not_sent(cx, &error.to_string()),
            };
            let client = client.clone();
            attempt(cx, &call, Client::Peach(client.clone()), move |mut cx, answer| {
                let created = answer.payload;
                price(&mut cx);
                open(&mut cx, created.checkout_id.map(Into::into), Some(created.redirect_url));
                read::next::<_, OfPeach>(cx, &client, &initiate.lookup().into_owned(), Some(FIRST_READ))
            })
        }
        (Client::PeachV2(client), Draft::Peach(initiate)) => match client.token_call(cx.now()) {
            None => create_v2(cx, client, *initiate),
            Some(call) => {
                let (keeper, again) = (client.clone(), client.clone());
                with_token(cx, &call, keeper, move |cx| create_v2(cx, &again, *initiate))
            }
        },
        _ => not_sent(cx, "the stored draft is of another provider than the merchant's client"),
    }
}

/// Asks for an access token, and goes on with the token. The call creates nothing.
pub(super) fn with_token(
    cx: Context,
    call: &Call<AccessToken>,
    client: peach::v2::Client,
    then: impl FnOnce(Context) -> Task + Send + 'static,
) -> Task {
    let attempt = match call.attempt(cx.now(), &RandomNonces.nonce()) {
        Ok(attempt) => attempt,
        Err(error) => return no_token(cx, &error),
    };
    let (request, reader) = attempt.into_parts();
    cx.send(request, move |cx, outcome| {
        match reader.outcome(outcome).and_then(|answer| client.keep_token(&answer)) {
            Ok(()) => {
                let mut cx = cx;
                cx.note(|notes| notes.trouble_since = 0);
                then(cx)
            }
            Err(error) => no_token(cx, &error),
        }
    })
}

/// No token, so the call that needs the token was not sent. A create is not under way any more.
fn no_token(mut cx: Context, error: &CallError<peach::Peach>) -> Task {
    if cx.checkout().state == State::Sending {
        cx.note(|notes| notes.under_way = false);
        if cx.tried_for() >= cx.rules().create_for {
            return cx.held(&format!("no access token: {error}"));
        }
        return cx.again(PAUSE);
    }
    if cx.in_trouble_for() >= cx.rules().unknown_for {
        return cx.held(&format!("no access token: {error}"));
    }
    cx.again(LATER)
}

fn create_v2(cx: Context, client: &peach::v2::Client, initiate: InitiateCheckout<'static>) -> Task {
    let call = match client.create(&initiate) {
        Ok(call) => call,
        Err(error) => return not_sent(cx, &error.to_string()),
    };
    let client = client.clone();
    attempt(cx, &call, Client::PeachV2(client.clone()), move |mut cx, answer| {
        let created = answer.payload;
        price(&mut cx);
        let id: Option<String> = created.checkout_id.map(Into::into);
        open(&mut cx, id.clone(), Some(created.redirect_url));
        match id {
            Some(id) => read::next::<_, OfPeach>(cx, &client, &id, Some(FIRST_READ)),
            None => cx.held("the answer to the create has no id to read the checkout by"),
        }
    })
}

fn created_allscale(
    mut cx: Context,
    intent: &CreateIntent<'_>,
    answer: Answer<checkout_wire::allscale::CreatedIntent<'static>>,
) -> Task {
    let differences: Vec<String> = answer.differences().iter().map(ToString::to_string).collect();
    let created = answer.payload;
    let order = settlement::allscale::Order::of(cx.checkout().environment, intent, &created);
    let price = order.as_ref().map(Price::of_order);
    cx.note(|notes| notes.price = price);
    let id = created.intent_id.into_owned();
    open(&mut cx, Some(id), Some(created.checkout_url));
    if !differences.is_empty() {
        cx.hold(&format!("the answer differs from the draft: {}", differences.join("; ")));
    }
    cx.again(FIRST_READ)
}

/// Notes the price of the stored draft.
fn price(cx: &mut Context) {
    let draft = cx.notes().draft.as_ref().and_then(|stored| stored.draft().ok());
    let price = draft.as_ref().and_then(Price::of_draft);
    cx.note(|notes| notes.price = price);
}

/// The provider has the checkout: the draft is forgotten.
fn open(cx: &mut Context, id: Option<String>, page: Option<Redacted<'static>>) {
    cx.edit(|checkout| {
        checkout.checkout_id = id;
        checkout.page = page;
    });
    cx.enter(State::Open);
    cx.note(|notes| {
        notes.draft = None;
        (notes.under_way, notes.processed) = (false, false);
    });
}

/// Sends one attempt, and takes the outcome by the provider's rule.
fn attempt<T: Readable + 'static>(
    cx: Context,
    call: &Call<T>,
    client: Client,
    created: impl FnOnce(Context, Answer<T>) -> Task + Send + 'static,
) -> Task {
    let processed = cx.notes().processed;
    match call.attempt(cx.now(), &RandomNonces.nonce()) {
        Err(error) => outcome(cx, CreateOutcome::after(processed, Err(error)), &client, created),
        Ok(attempt) => {
            let (request, reader) = attempt.into_parts();
            cx.send(request, move |cx, response| {
                outcome(cx, CreateOutcome::after(processed, reader.outcome(response)), &client, created)
            })
        }
    }
}

fn outcome<T: Readable>(
    mut cx: Context,
    outcome: CreateOutcome<T>,
    client: &Client,
    created: impl FnOnce(Context, Answer<T>) -> Task,
) -> Task {
    cx.note(|notes| notes.under_way = false);
    match outcome {
        CreateOutcome::Created(answer) => created(cx, answer),
        CreateOutcome::Repeat { after, may_have_been_processed, error } => {
            cx.note(|notes| notes.processed = may_have_been_processed);
            // A clock that was set back measures nothing: so the attempts are counted too.
            let attempts = cx.notes().attempts;
            let after = after.max(Duration::from_millis(500).saturating_mul(1 << attempts.min(6)));
            if cx.tried_for().saturating_add(after) < cx.rules().create_for && attempts < MOST_ATTEMPTS {
                return cx.again(after);
            }
            match may_have_been_processed {
                true => cx.held(&format!("the create has no answer: {error}")),
                false => refused(cx, &error.to_string()),
            }
        }
        CreateOutcome::SetUp { may_have_been_processed, error } => {
            cx.note(|notes| notes.processed = may_have_been_processed);
            cx.held(&format!("mend the key, the clock, the token or the address, and release: {error}"))
        }
        CreateOutcome::LookUp { .. } => {
            cx.note(|notes| notes.processed = true);
            cx.enter(State::Unknown);
            look_up(cx, client)
        }
        CreateOutcome::Refused(error) => refused(cx, &error.to_string()),
        CreateOutcome::Unknown(error) => {
            cx.note(|notes| notes.processed = true);
            unknown(cx, &error.to_string())
        }
    }
}

/// The provider made nothing, and would not with the same draft.
fn refused(mut cx: Context, reason: &str) -> Task {
    cx.enter(State::Refused);
    cx.note(|notes| notes.draft = None);
    cx.tell(Subject::Refused, Some(reason));
    cx.ended()
}

/// Nobody knows, and the provider cannot be asked: a webhook can tell, and then a person.
fn unknown(mut cx: Context, reason: &str) -> Task {
    cx.enter(State::Unknown);
    let for_at_most = cx.rules().unknown_for;
    let since = cx.in_state_for();
    if since < for_at_most {
        return cx.again(for_at_most.saturating_sub(since));
    }
    cx.held(&format!("nobody knows if the provider made the checkout, and no event has named it: {reason}"))
}

/// The next step of a checkout of which nobody knows if the provider has made it. The lookup of Peach's V1
/// costs a read under the merchant's limit.
pub(super) fn look_up(cx: Context, client: &Client) -> Task {
    let Client::Peach(client) = client else { return unknown(cx, LOST) };
    let lookup = match MerchantTransactionId::new(cx.checkout().reference.clone()) {
        Ok(id) => id.into_owned().into(),
        Err(error) => return cx.held(&format!("the checkout cannot be looked up: {error}")),
    };
    // The first look waits, and comes by a claim: a claim has a place under the limit.
    if cx.in_state_for().is_zero() {
        return cx.again(PAUSE);
    }
    let call = client.status(lookup);
    let attempt = match call.attempt(cx.now(), &RandomNonces.nonce()) {
        Ok(attempt) => attempt,
        Err(error) => return cx.held(&format!("the checkout cannot be looked up: {error}")),
    };
    let (request, reader) = attempt.into_parts();
    cx.send(request, |mut cx, outcome| match reader.outcome(outcome) {
        Ok(answer) => {
            // The checkout is there. Its page is lost, and nobody has seen the page.
            cx.made(ReadMade::Answered);
            let id = answer.payload.checkout_id().map(str::to_owned);
            price(&mut cx);
            open(&mut cx, id, None);
            cx.again(FIRST_READ)
        }
        Err(error) => {
            cx.made(ReadMade::Sent);
            match error.read_outcome() {
                // One answer alone may be wrong, and a second create costs money.
                // An event that waits for a read says that the checkout is there.
                ReadOutcome::NotThere { .. }
                    if cx.in_state_for() >= APPEARS_WITHIN
                        && cx.notes().not_there > 0
                        && !cx.waits_for_an_answer() =>
                {
                    // A minute later there is still none: the create is repeated, while there is time.
                    if cx.tried_for() >= cx.rules().create_for {
                        return refused(
                            cx,
                            &format!("the create has no answer, and there is no checkout: {error}"),
                        );
                    }
                    cx.enter(State::Sending);
                    cx.note(|notes| notes.processed = false);
                    cx.again(Duration::ZERO)
                }
                ReadOutcome::NotThere { .. }
                    if cx.waits_for_an_answer() && cx.in_state_for() >= cx.rules().unknown_for =>
                {
                    cx.held("an event names the checkout, and the provider does not tell of it")
                }
                ReadOutcome::NotThere { .. } => {
                    cx.note(|notes| notes.not_there = notes.not_there.saturating_add(1));
                    cx.again(LATER)
                }
                ReadOutcome::Limited { wait } => {
                    cx.lane_waits(wait.unwrap_or(LATER).min(LONGEST_WAIT));
                    cx.again(LATER)
                }
                ReadOutcome::Answer { .. }
                | ReadOutcome::PayerActs { .. }
                | ReadOutcome::Failed { .. }
                | ReadOutcome::Refused
                    if cx.in_state_for() < cx.rules().unknown_for =>
                {
                    cx.again(LATER)
                }
                ReadOutcome::Answer { .. }
                | ReadOutcome::PayerActs { .. }
                | ReadOutcome::Failed { .. }
                | ReadOutcome::Refused => cx.held(&format!("the checkout cannot be looked up: {error}")),
            }
        }
    })
}

const LOST: &str = "the process that sent the create did not save the answer";
/// The pause before the first read of a new checkout: nobody has paid at once.
const FIRST_READ: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_secs(20);
/// The longest wait of a lane for one answer, as of the reads.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const MOST_ATTEMPTS: u32 = 60;
/// A checkout that is there is found within this time. Assumed, as of `PollPolicy::appears_within`.
const APPEARS_WITHIN: Duration = Duration::from_secs(60);
