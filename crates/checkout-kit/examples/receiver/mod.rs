//! A shop that takes AllScale's webhooks in: verify, claim, match, read back, track, hold to the order,
//! commit. Two examples share the shop, and differ in how a request comes in. An in-process sandbox answers
//! the reads.

mod day;

pub(crate) use day::play;

use checkout_kit::allscale::{
    Client, Currency, Event, IntentStatus, ReceiveError, Receiver, SigningKey, StableCoin,
};
use checkout_kit::replay::{Claim, Guard, MemoryStore};
use checkout_kit::settlement::allscale::{Order, OrderPrice};
use checkout_kit::{Cents, CoinAmount, Environment, KeyRing, Moment, Phase, Tracker, Verified};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The shop: the state of a back end.
pub(crate) struct Shop {
    sandbox: Sandbox,
    client: Client,
    pub(crate) receiver: Receiver,
    guard: Guard<MemoryStore>,
    database: Mutex<Database>,
    /// The lines of the shop's log, in order.
    log: Mutex<Vec<String>>,
}

/// The tables. One lock of the tables is one transaction.
#[derive(Default)]
struct Database {
    /// The orders, by their ids.
    orders: BTreeMap<String, Row>,
    /// The parcels that are to leave, by their orders' ids. (The worker in `save_before_send` ships them.)
    outbox: BTreeSet<String>,
    /// The intents of events that belong to no order, for a person: each with the order that the event named.
    unmatched: BTreeMap<String, Option<String>>,
}

/// An order, as it stands in the database.
struct Row {
    intent_id: String,
    owed: CoinAmount,
    /// The tracker, in its stored form.
    tracker: String,
    /// The reason why a person has to look, if a person has to. Nothing leaves while the reason is set.
    look: Option<String>,
}

/// A webhook on its way.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Shop {
    pub(crate) fn open() -> Result<Self, Box<dyn Error>> {
        let sandbox = Sandbox::new(1);
        let key = SigningKey::new(API_KEY, API_SECRET.into())?;
        // The sandbox's clock. A client without a given clock uses the system's clock; the nonces are random,
        // the default.
        let clock = sandbox.clock().clone();
        let client = Client::builder(key.clone())
            .environment(Environment::Sandbox)
            .clock(move || clock.now())
            .build()?;
        Ok(Self {
            client,
            // A name for the merchant that outlives any key, and every key that may sign now.
            receiver: Receiver::new("shop-7", KeyRing::new("2026-11", key)),
            guard: Guard::new(MemoryStore::new(100_000)),
            database: Mutex::default(),
            log: Mutex::default(),
            sandbox,
        })
    }

    /// Takes in the receiver's result and returns the HTTP status to answer. The receiver has verified the
    /// bytes that came before anything parsed them. Everything before the last step can be done again, so the
    /// answer to a failure on the way is 503: the provider comes again.
    pub(crate) async fn take(&self, received: Result<Verified<Event>, ReceiveError>) -> u16 {
        // 1. Refuse a message that is not verified.
        let event = match received {
            Ok(event) => event,
            Err(error) => {
                self.say(format!("{error} ({:?}: {})", error.blame(), error.hint()));
                return error.http_status();
            }
        };
        // 2. Claim the event: the event may have come before, or be under way elsewhere.
        let ticket = match self.guard.claim(event.identity(), self.now()) {
            Ok(Claim::Fresh(ticket)) => ticket,
            Ok(claim) => {
                self.say(if let Claim::Done = claim { "it was processed" } else { "it is being processed" });
                return claim.http_status().unwrap_or(503);
            }
            Err(full) => {
                self.say(full.to_string());
                return full.http_status();
            }
        };
        // 3. to 6. A webhook has no status: match the webhook with an order, read back, and write down the
        // meaning.
        if let Err(error) = self.process(event.content()).await {
            self.say(error.to_string());
            // Not processed: the next delivery is fresh. (If the release fails, the claim ends by itself.)
            let _ = self.guard.release(ticket);
            return 503;
        }
        // 7. Commit, when everything is written. With a database the commit goes into the same transaction as
        // the other writes: see `ClaimTicket::claims`.
        match self.guard.commit(ticket, self.now()) {
            Ok(commit) => commit.http_status(),
            Err(unfinished) => {
                self.say(unfinished.to_string());
                503
            }
        }
    }

    /// 3. Matches an event with an order, by the intent: the order's row names the order's intent.
    async fn process(&self, event: &Event) -> Result<(), Box<dyn Error>> {
        let (intent_id, named) = (event.intent_id(), event.order_id());
        let id = self.database().order_of(intent_id);
        let Some(id) = id else { return self.unmatched(intent_id, named) };
        if let Some(row) = self.database().orders.get_mut(&id)
            && named.is_some_and(|named| named != id)
        {
            row.look.get_or_insert("a webhook of its intent names another order".into());
        }
        self.read_back(&id, intent_id).await
    }

    /// Reads an order's intent back, and writes down the meaning. The poll comes here too, so that both
    /// decide by the same questions, and write one row.
    async fn read_back(&self, id: &str, intent_id: &str) -> Result<(), Box<dyn Error>> {
        // 4. Read. A read is as slow as the network, so no lock is held meanwhile.
        let answer = self.client.get(intent_id)?.send(&self.sandbox).await?;
        let observation = answer.observation();
        let read = answer.into_read();
        let mut database = self.database();
        let Database { orders, outbox, unmatched } = &mut *database;
        // The row may be gone by now, or be about another attempt.
        let Some(row) = orders.get_mut(id).filter(|row| row.intent_id == intent_id) else {
            drop(database);
            return self.unmatched(intent_id, Some(id));
        };
        unmatched.remove(intent_id);

        // 5. Track: compare the answer with the known status.
        let mut tracker: Tracker<IntentStatus> = row.tracker.parse()?;
        let ended = tracker.is_final();
        let Some(observation) = observation else { return Err("the read tells no status".into()) };
        let verdict = tracker.observe(observation, self.client.now());
        row.tracker = tracker.to_string();

        // 6. Hold the answer to the order.
        let order = Order {
            environment: Environment::Sandbox,
            id,
            intent_id,
            price: OrderPrice::Fiat {
                currency: Currency::EUR,
                amount: PRICE,
                owed: row.owed,
                accepted: &COINS,
            },
        };
        let settlement = order.settled_by(&read);
        let came = read.payload().actual_paid_amount.is_some_and(|paid| !paid.is_zero());
        let look = match tracker.phase() {
            // The status contradicts an end, or nobody has named it. A merely older status decides nothing.
            _ if !verdict.is_adopted() => {
                (ended && verdict.wants_attention()).then(|| format!("{verdict} after an end"))
            }
            // The order was given up in between: its goods may be sold to somebody else.
            _ if tracker.superseded().is_some() => Some("paid after it was given up".into()),
            Some(Phase::Succeeded) => {
                (!settlement.is_settled()).then(|| "paid, and not as the order asks".into())
            }
            Some(Phase::Failed(_)) => came.then(|| "refused, and money came: has it gone back?".into()),
            _ => None,
        };
        if let Some(why) = look {
            row.look.get_or_insert(why);
        }
        if verdict.is_adopted() && settlement.is_settled() && row.look.is_none() {
            // By the same write as the rest, and once for an order however often this is done.
            outbox.insert(id.to_owned());
        }
        if !tracker.is_final() {
            // The read lags behind the webhook, or nothing has been paid: this is not the end. (The status is
            // written down; open orders are polled too.)
            return Err(format!("{id}: {settlement}").into());
        }
        let held = row.look.as_ref().map_or_else(String::new, |why| format!("; held for a person: {why}"));
        self.say(format!("{id}: {settlement}{held}; parcels: {}", u32::from(outbox.contains(id))));
        Ok(())
    }

    /// An event without an order is not processed, and not lost either. The order's row may not be written
    /// yet, so the provider is to come again. Nobody knows for how long the provider does, so the intent of
    /// the event is kept for a person.
    fn unmatched(&self, intent_id: &str, named: Option<&str>) -> Result<(), Box<dyn Error>> {
        self.database().unmatched.insert(intent_id.to_owned(), named.map(str::to_owned));
        Err("of an intent of no order: kept for a person, and to be sent again".into())
    }

    pub(crate) fn intent_of(&self, id: &str) -> Result<String, Box<dyn Error>> {
        let intent_id = self.database().orders.get(id).map(|row| row.intent_id.clone());
        Ok(intent_id.ok_or("no such order")?)
    }

    /// Reads an order's intent back without a webhook.
    pub(crate) async fn poll(&self, id: &str) -> Result<(), Box<dyn Error>> {
        let intent_id = self.intent_of(id)?;
        self.read_back(id, &intent_id).await
    }

    /// The orders whose parcels are to leave.
    pub(crate) fn outbox(&self) -> Vec<String> {
        self.database().outbox.iter().cloned().collect()
    }

    /// The orders that a person has to look at, and why.
    pub(crate) fn held(&self) -> Vec<(String, String)> {
        let rows = &self.database().orders;
        rows.iter().filter_map(|(id, row)| Some((id.clone(), row.look.clone()?))).collect()
    }

    /// The intents of events without an order.
    pub(crate) fn to_match(&self) -> Vec<String> {
        self.database().unmatched.keys().cloned().collect()
    }

    /// The lines since the last time.
    pub(crate) fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn say(&self, what: impl Into<String>) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Moment {
        self.sandbox.clock().now()
    }
}

impl Database {
    fn order_of(&self, intent_id: &str) -> Option<String> {
        self.orders.iter().find(|(_, row)| row.intent_id == intent_id).map(|(id, _)| id.clone())
    }
}

const PRICE: Cents = Cents::new(4_990);
const COINS: [StableCoin; 1] = [StableCoin::USDT];
