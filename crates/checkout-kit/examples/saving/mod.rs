//! A worker that takes an order from its placing to its shipping, and may die at any moment.

pub(crate) mod world;

use checkout_kit::allscale::{CreateIntent, Currency, Draft, Intent, Price, StableCoin};
use checkout_kit::poll::GiveUpReason;
use checkout_kit::settlement::allscale::Order;
use checkout_kit::settlement::{self, Read, Settlement};
use checkout_kit::{Cents, Change, End, Environment, Phase, RetryAdvice, Verdict};
use std::error::Error;
use std::time::Duration;
use world::{Row, Side, State, Step, World};

/// One worker, which takes the order on from the state in the order's row. The worker runs when the order is
/// placed, when an attempt did not work out, and when the shop starts again.
pub(crate) struct Worker<'a> {
    pub(crate) world: &'a World,
    pub(crate) name: &'static str,
}

impl Worker<'_> {
    /// Does everything that is to do now.
    pub(crate) fn work(&self) -> Result<(), Stop> {
        loop {
            self.ship()?;
            let row = self.world.row();
            let next = match row.state {
                _ if row.held.is_some() => Next::Later,
                State::New | State::Sending => self.create(&row)?,
                State::Created => self.watch(&row, None)?,
                State::Settled | State::GivenUp => Next::Later,
            };
            if next == Next::Later {
                return Ok(());
            }
        }
    }

    /// Reads once more how the intent stands: a job that runs for as long as late money counts, over every
    /// order with an intent. An open order can be paid by now, a refused order too, and a settled order can
    /// be contradicted. One function decides in all three cases: the function that decides the first time.
    pub(crate) fn look_back(&self) -> Result<(), Stop> {
        self.work()?;
        let row = self.world.row();
        if row.held.is_none() && !row.intent_id.is_empty() {
            self.watch(&row, Some(A_LOOK))?;
        }
        self.ship()
    }

    /// Makes the next attempt. An attempt found in the state `Sending` is dropped: perhaps the intent was
    /// created, and nobody was shown the page. (Another worker may still be sending, if the attempt is
    /// younger than the transport's time-out. That is wasteful, so a shop waits that long. It is harmless,
    /// because only one of the two can save an intent.)
    fn create(&self, before: &Row) -> Result<Next, Stop> {
        let attempt = before.attempt + 1;
        if attempt > ATTEMPTS {
            return self.hold(before, before, "too many attempts");
        }
        let sending = Row { state: State::Sending, attempt, ..before.clone() };
        if !self.step(Step::SaveAttempt, || self.world.swap(before, sending.clone()))? {
            return Ok(Next::ReadTheRow);
        }
        let call = self.world.client.create(&order(attempt)?);
        for pause in [0, 1, 10, 60] {
            self.world.wait(Duration::from_secs(pause));
            let sent = self.step(Step::SendCreate, || call.send_blocking(&self.world.sandbox))?;
            match sent {
                Ok(answer) => {
                    let created = answer.payload;
                    let page = created.checkout_url.as_str().to_owned();
                    let (intent_id, owed) =
                        (created.intent_id.into_owned(), created.amount_coins.to_string());
                    let row = Row { state: State::Created, intent_id, page, owed, ..sending.clone() };
                    if !self.step(Step::SaveIntent, || self.world.swap(&sending, row))? {
                        self.say(format!("attempt {attempt}: created too late, and dropped"));
                    }
                    return Ok(Next::ReadTheRow);
                }
                // Nobody knows the outcome.
                Err(error) if error.may_have_been_processed() => {
                    self.say(format!("attempt {attempt}: {error}; dropped"));
                    return Ok(Next::ReadTheRow);
                }
                // Nothing was done, and another try may succeed: the same attempt again, signed anew.
                Err(error) if matches!(error.retry(), RetryAdvice::After(_)) => {
                    self.say(format!("attempt {attempt}: {error}"));
                }
                // Nothing was done, and another attempt would fare no better.
                Err(error) => return self.hold(&sending, &sending, &error.to_string()),
            }
        }
        self.hold(&sending, &sending, "the provider cannot be reached")
    }

    /// Watches the intent to its end, or until the watch gives up. Each change is saved before anything
    /// follows from it. A watch that is resumed from what was saved goes on as if nothing had come between.
    fn watch(&self, before: &Row, look: Option<Duration>) -> Result<Next, Stop> {
        if before.state == State::Created {
            // In production the payer's browser asks for the page, as often as it likes, and is answered out
            // of the row.
            if self.step(Step::ShowPage, || self.world.show(&before.page))? {
                self.say(format!("attempt {}: the payer is shown {}", before.attempt, before.page));
            }
        }
        let mut watch = self.world.client.watch(&before.intent_id)?;
        if !before.watch.is_empty() {
            watch = watch.restore_from(&before.watch)?;
        }
        if let Some(for_at_most) = look {
            watch.resume(for_at_most);
        }
        let mut row = before.clone();
        loop {
            let change = watch.next_change_blocking(&self.world.sandbox, |wait| self.world.wait(wait));
            let known = Row { watch: watch.stored(), ..row.clone() };
            if let Change::End(end) = change {
                return self.ended(&row, known, end);
            }
            // After an end nobody can say what an unknown status means. (The watch itself knows of
            // contradictions.)
            if let Change::Attention { verdict: Verdict::Unknown(raw), tracker } = &change
                && tracker.is_final()
            {
                return self.hold(
                    &row,
                    &known,
                    &format!("it had ended, and has the unknown status {raw} now"),
                );
            }
            if !self.step(Step::SaveNews, || self.world.swap(&row, known.clone()))? {
                return Ok(Next::ReadTheRow);
            }
            row = known;
        }
    }

    /// Decides the meaning of an end for the order. The order of the questions matters.
    fn ended(&self, row: &Row, known: Row, end: End<Intent<'static>>) -> Result<Next, Stop> {
        // 1. Does a person have to look?
        if end.has_conflict() {
            return self.hold(row, &known, "the provider contradicts itself, or somebody else answers");
        }
        if end.wants_attention() {
            return self.hold(row, &known, "paid after it was given up: ship it after all, or give it back");
        }
        // 2. Has it ended?
        let (answer, phase) = match end {
            End::Ended { answer, phase, .. } => (answer, phase),
            End::GaveUp { gave_up, error, .. } if gave_up.reason == GiveUpReason::Refused => {
                let why = error.map_or_else(String::new, |error| error.to_string());
                return self.hold(row, &known, &format!("the provider does not tell of the intent: {why}"));
            }
            // Nothing follows from that. The order stays as before, and is read again later.
            End::GaveUp { .. } => {
                self.step(Step::SaveNews, || self.world.swap(row, known))?;
                return Ok(Next::Later);
            }
        };
        // 3. Does the whole intent settle the order?
        let read = answer.into_read();
        let settlement = settlement(row, &read)?;
        let came = read.payload().actual_paid_amount.filter(|paid| !paid.is_zero());
        match (row.state, phase) {
            (State::Created, Phase::Succeeded) if settlement.is_settled() => {
                // One write has both: the order is settled, and the parcel is to leave. A crash before the
                // write leaves the order open, and a crash after the write leaves the parcel in the outbox.
                let settled = Row { state: State::Settled, ..known };
                if self.step(Step::SaveSettlement, || {
                    self.world.swap_with(row, settled, Some(ORDER.to_owned()))
                })? {
                    self.say("paid: the parcel is in the outbox");
                }
                Ok(Next::ReadTheRow)
            }
            // The order was settled before, and still is.
            (State::Settled, Phase::Succeeded) if settlement.is_settled() => {
                self.step(Step::SaveNews, || self.world.swap(row, known))?;
                Ok(Next::Later)
            }
            (State::Created | State::GivenUp, Phase::Failed(failure)) => match came {
                None => {
                    let given_up = Row { state: State::GivenUp, ..known };
                    if self.step(Step::SaveRefusal, || self.world.swap(row, given_up))?
                        && row.state == State::Created
                    {
                        self.say(format!("not paid: {failure}"));
                    }
                    Ok(Next::Later)
                }
                Some(came) => self.hold(
                    row,
                    &known,
                    &format!("not paid: {failure}, and {came} came: has it gone back?"),
                ),
            },
            // The read does not fit the order; or the money is for an order that was given up.
            _ => self.hold(row, &known, &settlement.to_string()),
        }
    }

    /// Ships the parcels in the outbox, and marks them. A crash in between ships a parcel again under the
    /// same key, by which the warehouse knows the parcel: asked at least once, and sent once. In production
    /// the shipping is a worker of its own.
    fn ship(&self) -> Result<(), Stop> {
        if let Some(key) = self.world.to_ship() {
            self.say(format!("the warehouse is asked to send {key}"));
            self.step(Step::Ship, || self.world.send(&key))?;
            self.step(Step::SaveShipped, || self.world.shipped(&key))?;
        }
        Ok(())
    }

    /// Saves that a person has to look, with everything that is known.
    fn hold(&self, before: &Row, known: &Row, why: &str) -> Result<Next, Stop> {
        let held = Row { held: Some(why.to_owned()), ..known.clone() };
        if self.step(Step::SaveHold, || self.world.swap(before, held))? {
            self.say(format!("held: {why}"));
        }
        Ok(Next::ReadTheRow)
    }

    fn say(&self, line: impl AsRef<str>) {
        self.world.say(format!("{}{}", self.name, line.as_ref()));
    }

    /// Does a deed that outlives this worker. The worker can die before, and after.
    fn step<T>(&self, step: Step, act: impl FnOnce() -> T) -> Result<T, Stop> {
        self.world.happen(Side::Before, step)?;
        let done = act();
        self.world.happen(Side::After, step)?;
        Ok(done)
    }
}

/// The next task of a worker.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Next {
    /// The row says the next step: this worker wrote the row, or a faster worker did.
    ReadTheRow,
    /// Nothing, until the next look at the order.
    Later,
}

pub(crate) enum Stop {
    Crash,
    Error(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// True if a read settles the order.
fn settlement(row: &Row, read: &Read<Intent<'_>>) -> Result<Settlement, Stop> {
    let (id, owed) = (order_id(row.attempt), row.owed.parse()?);
    let price = match order(row.attempt)?.price() {
        Price::Fiat { currency, amount } => {
            settlement::allscale::OrderPrice::Fiat { currency, amount, owed, accepted: &COINS }
        }
        Price::Coin { coin, amount } => settlement::allscale::OrderPrice::Coin { coin, amount },
    };
    let asked = Order { environment: Environment::Sandbox, id: &id, intent_id: &row.intent_id, price };
    Ok(asked.settled_by(read))
}

pub(crate) fn order(attempt: u32) -> Result<CreateIntent<'static>, Stop> {
    let draft = Draft::fiat(Currency::EUR, Cents::new(4_990)).accept(COINS).order_id(order_id(attempt));
    Ok(draft.check()?)
}

pub(crate) fn order_id(attempt: u32) -> String {
    format!("{ORDER}-{attempt}")
}

/// The order's own id, and the key of its parcel.
const ORDER: &str = "order_1001";
const COINS: [StableCoin; 2] = [StableCoin::USDT, StableCoin::USDC];
const ATTEMPTS: u32 = 3;
const A_LOOK: Duration = Duration::from_secs(60);
