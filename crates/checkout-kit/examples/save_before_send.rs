//! What to store, and when, so that neither a crash nor a lost answer nor a second worker loses an order, makes the
//! payer pay twice, or lets goods leave unpaid or twice; offline, against the sandbox.
//!
//!     cargo run --example save_before_send
//!
//! AllScale's create has no idempotency key, and no route lists what was created. So an attempt whose answer is lost
//! stays unknown for ever. These rules make that harmless:
//!
//! 1. Every write of the order's row is a compare-and-swap. Who loses drops what it holds, and reads the row again.
//! 2. An attempt is saved before it is sent, under an `order_id` of its own: `order_1001-1`, `order_1001-2`, ….
//! 3. The payer is shown a page out of a saved row alone. So the page of an attempt that is saved as no more than begun
//!    was never shown, nobody can pay it by way of this shop, and the next attempt may be made. Should a payment for a
//!    dropped one be reported all the same, its `order_id` says whose it is, and a person sees to it.
//! 4. Attempts are few. After that a person looks, and so for whatever contradicts itself. Reads are repeated.
//! 5. Goods leave when the whole intent settles the order, and by the worker alone that saved so.
//! 6. An order that was given up is looked at once more: a refused payment can still arrive.

use checkout_kit::allscale::{
    AnswerError, Client, CreateIntent, Currency, Draft, ErrorCode, IntentStatus, POLL_EVERY_SECONDS,
    POLL_GIVE_UP_SECONDS, Price, Route, Rules, SigningKey, StableCoin,
};
use checkout_kit::integrity::allscale::Order;
use checkout_kit::integrity::{self, Policy};
use checkout_kit::transport::{Request, Response};
use checkout_kit::{
    BlockingTransport, Cents, Environment, Open, Phase, SecretString, SendError, Tracker, TransportError,
    Verdict,
};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// A mishap: its name, and how it is brought about.
type Mishap = (&'static str, fn(&Sandbox), Option<Crash>, Option<Route>);

const MISHAPS: &[Mishap] = &[
    ("nothing goes wrong", |_| {}, None, None),
    ("a crash before the create is sent", |_| {}, Some(Crash::BeforeSend), None),
    ("a crash before its answer is saved", |_| {}, Some(Crash::AfterSend), None),
    ("a crash before the payer is shown the page", |_| {}, Some(Crash::BeforePage), None),
    ("a crash while the payer pays", |_| {}, Some(Crash::WhilePolling), None),
    ("a crash before the goods leave", |_| {}, Some(Crash::BeforeSettling), None),
    ("another worker while the create is under way", |_| {}, None, Some(Route::Create)),
    ("another worker while the payer pays", |_| {}, None, Some(Route::Status)),
    ("another worker before the goods leave", |_| {}, None, Some(Route::Get)),
    ("the connection is refused", |sandbox| on(sandbox, Route::Create, &[Fault::LostBefore]), None, None),
    (
        "nothing can be reached",
        |sandbox| on(sandbox, Route::Create, &vec![Fault::LostBefore; 100]),
        None,
        None,
    ),
    ("the create is lost", |sandbox| on(sandbox, Route::Create, &[Fault::LostRequest]), None, None),
    ("its answer is lost", |sandbox| on(sandbox, Route::Create, &[Fault::LostAnswer]), None, None),
    ("its answer is cut off", |sandbox| on(sandbox, Route::Create, &[Fault::Truncated]), None, None),
    (
        "a gateway answers, every time",
        |sandbox| on(sandbox, Route::Create, &vec![Fault::HtmlBadGateway; 100]),
        None,
        None,
    ),
    (
        "an internal error, after it was done",
        |sandbox| on(sandbox, Route::Create, &[Fault::LateInternalError]),
        None,
        None,
    ),
    ("too many requests", |sandbox| on(sandbox, Route::Create, &[Fault::RateLimited]), None, None),
    (
        "reads are lost, limited and garbled",
        |sandbox| {
            on(sandbox, Route::Status, &[Fault::LostAnswer, Fault::RateLimited, Fault::Garbage]);
            on(sandbox, Route::Get, &[Fault::LostAnswer, Fault::HtmlBadGateway]);
        },
        None,
        None,
    ),
    ("a forged status", |sandbox| on(sandbox, Route::Status, &[Fault::TamperedStatus(20)]), None, None),
    ("a forged price", |sandbox| on(sandbox, Route::Create, &[Fault::TamperedAmount]), None, None),
    (
        "an answer about nobody's intent",
        |sandbox| on(sandbox, Route::Create, &[Fault::SwappedIntent]),
        None,
        None,
    ),
    (
        "an answer about another order's intent",
        |sandbox| {
            // Somebody else orders the same before.
            if let Ok(other) = Shop::open(sandbox.clone())
                && let Ok(order) = order(7)
            {
                let _ = other.client.create(&order).send_blocking(sandbox);
            }
            on(sandbox, Route::Create, &[Fault::SwappedIntent]);
        },
        None,
        None,
    ),
    ("it is never paid", |sandbox| sandbox.next_intent(Scenario::never_paid()), None, None),
    ("it is refused by the checks", |sandbox| sandbox.next_intent(Scenario::kyt_refused()), None, None),
    ("it is paid after it expired", |sandbox| sandbox.next_intent(Scenario::late_success()), None, None),
];

fn on(sandbox: &Sandbox, route: Route, faults: &[Fault]) {
    faults.iter().for_each(|fault| sandbox.inject_on(route, fault.clone()));
}

/// Plays all the mishaps, and gives the exit code: 0 if no rule was broken.
pub fn run(out: &mut dyn Write) -> u8 {
    let mut kept = true;
    for (name, prepare, crash, interrupted) in MISHAPS {
        let sandbox = Sandbox::new(1);
        prepare(&sandbox);
        let _ = writeln!(out, "{name}");
        let shop = match Shop::open(sandbox) {
            Ok(shop) => shop,
            Err(error) => {
                let _ = writeln!(out, "  {error}");
                return 1;
            }
        };
        shop.play(*crash, *interrupted);
        for line in shop.log.borrow().iter() {
            let _ = writeln!(out, "  {line}");
        }
        let (row, pages) = (shop.row.borrow(), shop.pages.borrow().len());
        let (made, parcels) = (shop.sandbox.intents().len(), shop.parcels.get());
        let _ = writeln!(out, "  = {:?}; {made} made, {pages} shown, {parcels} sent\n", row.state);

        // What the sandbox knows is what is true.
        let paid = shop.sandbox.intents().iter().any(|intent| {
            let own = intent.order_id.as_deref() == Some(&*order_id(row.attempt));
            own && intent.id == row.intent_id && intent.status == i64::from(IntentStatus::Confirmed)
        });
        let settled = row.state == State::Settled;
        kept &= pages <= 1 && parcels == u32::from(settled) && (paid || !settled);
    }
    u8::from(!kept)
}

/// The order's row: what the database holds, and all that outlives a crash.
#[derive(Clone, PartialEq)]
struct Row {
    state: State,
    /// The attempt that was begun last.
    attempt: u32,
    /// Of the created intent: its id, its page and what is owed.
    intent_id: String,
    page: String,
    owed: String,
    /// What is known of it.
    tracker: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing was sent.
    New,
    /// The attempt is being sent, or was.
    Sending,
    /// There is an intent.
    Created,
    /// Paid: the goods leave.
    Settled,
    /// Given up.
    GivenUp,
    /// A person has to look.
    Held,
}

struct Shop {
    sandbox: Sandbox,
    client: Client,
    row: RefCell<Row>,
    /// What was done where no database sees it: pages shown, parcels sent.
    pages: RefCell<BTreeSet<String>>,
    parcels: Cell<u32>,
    log: RefCell<Vec<String>>,
}

impl Shop {
    fn open(sandbox: Sandbox) -> Result<Self, Box<dyn Error>> {
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, SecretString::from(API_SECRET))?)
            .environment(Environment::Sandbox)
            .clock(move || clock.now_millis())
            .build()?;
        let tracker = Tracker::<IntentStatus>::new().to_string();
        let nothing = String::new;
        let (intent_id, page, owed) = (nothing(), nothing(), nothing());
        let row = Row { state: State::New, attempt: 0, intent_id, page, owed, tracker };
        let (pages, log) = (RefCell::default(), RefCell::default());
        Ok(Self { sandbox, client, row: RefCell::new(row), pages, parcels: Cell::new(0), log })
    }

    fn play(&self, mut crash: Option<Crash>, interrupted: Option<Route>) {
        let transport = Interrupted { shop: self, by: Cell::new(interrupted) };
        loop {
            match (Worker { shop: self, transport: &transport, crash, name: "" }).work() {
                Ok(()) => break,
                Err(Stop::Crash) => {
                    self.say("* crash, and a new start");
                    crash = None;
                }
                Err(Stop::Error(error)) => return self.say(format!("* {error}")),
            }
        }
        self.sandbox.clock().advance(Duration::from_secs(24 * 60 * 60));
        if let Err(Stop::Error(error)) =
            (Worker { shop: self, transport: &self.sandbox, crash: None, name: "" }).look_back()
        {
            self.say(format!("* {error}"));
        }
    }

    fn row(&self) -> Row {
        self.row.borrow().clone()
    }

    /// `update orders set … = $after where id = $id and … = $before`: false if another worker was faster.
    fn swap(&self, before: &Row, after: Row) -> bool {
        let mut row = self.row.borrow_mut();
        let same = *row == *before;
        if same {
            *row = after;
        }
        same
    }

    fn say(&self, line: impl Into<String>) {
        self.log.borrow_mut().push(line.into());
    }
}

/// One worker: it takes the order on from wherever its row says it is. It is what runs when the order is placed, when
/// an attempt did not work out, and when the shop starts again.
struct Worker<'a> {
    shop: &'a Shop,
    transport: &'a dyn BlockingTransport,
    crash: Option<Crash>,
    name: &'static str,
}

impl Worker<'_> {
    fn work(&self) -> Result<(), Stop> {
        let began = self.now();
        while self.now() < began + 2 * 60 * 60 {
            let row = self.shop.row();
            match row.state {
                State::New | State::Sending => self.create(&row)?,
                State::Created => self.watch(&row, began)?,
                State::Settled | State::GivenUp | State::Held => break,
            }
        }
        Ok(())
    }

    /// Makes the next attempt. One that was found as sending is dropped: perhaps it was created, and nobody was shown
    /// its page. (Another worker may still be at it, if it is younger than the transport's timeout. That is wasteful,
    /// so a shop waits that long; it is harmless, because of the two only one can save its intent.)
    fn create(&self, before: &Row) -> Result<(), Stop> {
        let attempt = before.attempt + 1;
        if attempt > ATTEMPTS {
            return self.hold(before, "too many attempts");
        }
        let sending = Row { state: State::Sending, attempt, ..before.clone() };
        if !self.shop.swap(before, sending.clone()) {
            return Ok(());
        }
        self.crash_at(Crash::BeforeSend)?;
        let call = self.shop.client.create(&order(attempt)?);
        for pause in [0, 1, 10, 60] {
            self.wait(pause);
            let sent = call.send_blocking(self.transport);
            self.crash_at(Crash::AfterSend)?;
            match sent.map_err(Failed::from).and_then(|received| Ok(received.into_answer()?)) {
                Ok(answer) => {
                    let created = answer.payload;
                    let page = created.checkout_url.into_owned();
                    let (intent_id, owed) =
                        (created.intent_id.into_owned(), created.amount_coins.to_string());
                    let row = Row { state: State::Created, intent_id, page, owed, ..sending.clone() };
                    if !self.shop.swap(&sending, row) {
                        self.say(format!("attempt {attempt}: created too late, and dropped"));
                    }
                    return Ok(());
                }
                // Nothing was done, and it can be another time: the same attempt again, signed anew.
                Err(failed) if !failed.may_have_been_done && failed.can_pass => {
                    self.say(format!("attempt {attempt}: {}", failed.said));
                }
                // Nothing was done, and another attempt would fare no better.
                Err(failed) if !failed.may_have_been_done => return self.hold(&sending, &failed.said),
                // Nobody knows.
                Err(failed) => {
                    self.say(format!("attempt {attempt}: {}; dropped", failed.said));
                    return Ok(());
                }
            }
        }
        self.hold(&sending, "the provider cannot be reached")
    }

    /// Looks once how the intent stands.
    fn watch(&self, row: &Row, began: u64) -> Result<(), Stop> {
        self.crash_at(Crash::BeforePage)?;
        if self.shop.pages.borrow_mut().insert(row.page.clone()) {
            self.say(format!("attempt {}: the payer is shown {}", row.attempt, row.page));
        }
        self.wait(if self.now() < began + POLL_GIVE_UP_SECONDS { POLL_EVERY_SECONDS } else { 5 * 60 });
        let mut tracker: Tracker<IntentStatus> = row.tracker.parse()?;
        // A read that failed is repeated at its next turn.
        let Ok(received) = self.shop.client.status(&row.intent_id)?.send_blocking(self.transport) else {
            return Ok(());
        };
        let Some(observation) = received.observation() else {
            return match received.into_answer() {
                Err(error) if error.code().is_some_and(|code| NOT_OURS.map(Open::Known).contains(&code)) => {
                    self.hold(row, "the provider does not know the intent as ours")
                }
                _ => Ok(()),
            };
        };
        if let Verdict::Conflict { .. } = tracker.observe(observation) {
            return self.hold(row, "the provider contradicts itself, or somebody else answers");
        }
        let after = Row { tracker: tracker.to_string(), ..row.clone() };
        if !self.shop.swap(row, after.clone()) {
            return Ok(());
        }
        self.crash_at(Crash::WhilePolling)?;
        match tracker.phase() {
            Some(Phase::Succeeded) => self.settle(&after, tracker),
            Some(Phase::Failed(failure)) => {
                self.say(format!("not paid: {failure}"));
                self.shop.swap(&after, Row { state: State::GivenUp, ..after.clone() });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads the whole intent, and lets the goods leave if it settles the order.
    fn settle(&self, row: &Row, mut tracker: Tracker<IntentStatus>) -> Result<(), Stop> {
        self.wait(1);
        let Ok(received) = self.shop.client.get(&row.intent_id)?.send_blocking(self.transport) else {
            return Ok(());
        };
        let Some(observation) = received.observation() else { return Ok(()) };
        if let Verdict::Conflict { .. } = tracker.observe(observation) {
            return self.hold(row, "the provider contradicts itself, or somebody else answers");
        }
        let read = received.into_read()?;
        let (id, price) = (order_id(row.attempt), order(row.attempt)?.price());
        let Price::Fiat { currency, amount } = price else {
            return self.hold(row, "the order has no price in a currency");
        };
        let asked = Order {
            environment: Environment::Sandbox,
            id: &id,
            intent_id: &row.intent_id,
            price: integrity::allscale::Price::Fiat {
                currency,
                amount,
                owed: row.owed.parse()?,
                accepted: &COINS,
            },
        };
        let settlement = asked.settled_by(&read, &Policy::default());
        if !settlement.is_settled() {
            return self.hold(row, &settlement.to_string());
        }
        self.crash_at(Crash::BeforeSettling)?;
        let settled = Row { state: State::Settled, tracker: tracker.to_string(), ..row.clone() };
        if self.shop.swap(row, settled) {
            self.say("paid: the goods leave");
            self.shop.parcels.set(self.shop.parcels.get() + 1);
        }
        Ok(())
    }

    /// On the next day: what was given up, left open or settled, is it still so?
    fn look_back(&self) -> Result<(), Stop> {
        let row = self.shop.row();
        if row.intent_id.is_empty() || row.state == State::Held {
            return Ok(());
        }
        let mut tracker: Tracker<IntentStatus> = row.tracker.parse()?;
        let received = self.shop.client.status(&row.intent_id)?.send_blocking(self.transport)?;
        let Some(observation) = received.observation() else { return Ok(()) };
        match tracker.observe(observation) {
            Verdict::LateSuccess { .. } | Verdict::Reopened { .. } => {
                self.hold(&row, "paid after it was given up: ship it after all, or give it back")
            }
            Verdict::Conflict { .. } => self.hold(&row, "the provider contradicts itself"),
            Verdict::First
            | Verdict::Unchanged
            | Verdict::Advanced { .. }
            | Verdict::Stale { .. }
            | Verdict::Unknown(_)
            | Verdict::Unexpected { .. } => {
                self.say(format!(
                    "the next day: {}",
                    tracker.phase().map_or_else(String::new, |p| p.to_string())
                ));
                Ok(())
            }
        }
    }

    fn hold(&self, before: &Row, why: &str) -> Result<(), Stop> {
        if self.shop.swap(before, Row { state: State::Held, ..before.clone() }) {
            self.say(format!("held: {why}"));
        }
        Ok(())
    }

    fn say(&self, line: impl AsRef<str>) {
        self.shop.say(format!("{}{}", self.name, line.as_ref()));
    }

    /// In production: waits.
    fn wait(&self, seconds: u64) {
        self.shop.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    fn now(&self) -> u64 {
        self.shop.sandbox.clock().now_millis() / 1_000
    }

    fn crash_at(&self, here: Crash) -> Result<(), Stop> {
        if self.crash == Some(here) { Err(Stop::Crash) } else { Ok(()) }
    }
}

fn order(attempt: u32) -> Result<CreateIntent<'static>, Stop> {
    let draft = Draft::fiat(Currency::EUR, Cents::new(4_990)).accept(COINS).order_id(order_id(attempt));
    Ok(draft.check(&Rules::default())?)
}

fn order_id(attempt: u32) -> String {
    format!("order_1001-{attempt}")
}

/// Why there is no created intent.
struct Failed {
    may_have_been_done: bool,
    /// Whether it can be otherwise in a while.
    can_pass: bool,
    said: String,
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        // What failed on our side, before the transport was asked, will fail again.
        let (may_have_been_done, can_pass) = (error.may_have_been_done(), error.transport().is_some());
        Self { may_have_been_done, can_pass, said: error.to_string() }
    }
}

impl From<AnswerError> for Failed {
    fn from(error: AnswerError) -> Self {
        let can_pass = error.code() == Some(Open::Known(ErrorCode::RateLimitExceeded));
        Self { may_have_been_done: error.may_have_been_done(), can_pass, said: error.to_string() }
    }
}

/// The sandbox, with another worker that does the whole work just before one answer comes back.
struct Interrupted<'a> {
    shop: &'a Shop,
    by: Cell<Option<Route>>,
}

impl BlockingTransport for Interrupted<'_> {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_owned();
        let route = match (request.method().as_str(), path.ends_with("/status")) {
            ("POST", _) => Route::Create,
            (_, true) => Route::Status,
            (_, false) => Route::Get,
        };
        let response = self.shop.sandbox.send_blocking(request)?;
        if self.by.get() == Some(route) {
            self.by.set(None);
            let other =
                Worker { shop: self.shop, transport: &self.shop.sandbox, crash: None, name: "the other: " };
            if other.work().is_err() {
                self.shop.say("the other: failed");
            }
        }
        Ok(response)
    }
}

/// Where the worker's process dies.
#[derive(Clone, Copy, PartialEq)]
enum Crash {
    BeforeSend,
    AfterSend,
    BeforePage,
    WhilePolling,
    BeforeSettling,
}

enum Stop {
    Crash,
    Error(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

const COINS: [StableCoin; 2] = [StableCoin::USDT, StableCoin::USDC];
const ATTEMPTS: u32 = 3;
const NOT_OURS: [ErrorCode; 2] = [ErrorCode::IntentNotFound, ErrorCode::Forbidden];
