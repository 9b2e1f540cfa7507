//! What to store before a create is sent, so that neither a crash nor a lost answer loses an order or charges anybody
//! twice; offline, against the sandbox.
//!
//!     cargo run --example save_before_send
//!
//! AllScale's create has no idempotency key, and no route lists what was created. So an attempt whose answer is lost
//! stays unknown for ever, and these rules make that harmless:
//!
//! 1. Save the attempt before it is sent, under an `order_id` of its own: `order_1001-1`, `order_1001-2`, ….
//! 2. Save the intent before its page is shown to anybody. What is found saved as sending was never shown, so nobody
//!    can pay it by way of this shop: it is given up, and the next attempt is sent under the next id. Should a payment
//!    for an abandoned id ever be reported, it names its order, and a person sees to it.
//! 3. Only a request that was certainly not sent keeps its attempt. Reads are repeated as often as need be.
//! 4. Save what is owed with the intent, to compare it with what was paid before the goods leave.
//! 5. Save what the tracker says by compare-and-swap: of two workers, one writes.

use checkout_kit::allscale::{Client, Currency, Draft, Environment, IntentStatus, Route, Rules, SigningKey};
use checkout_kit::{Cents, CoinAmount, Delivery, Phase, SecretString, Tracker};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox};
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// Plays all the mishaps, and gives the exit code: 0 if every order is paid once.
pub fn run(out: &mut dyn Write) -> u8 {
    let mishaps = [
        ("nothing goes wrong", vec![], None),
        ("a crash before the create is sent", vec![], Some(Crash::BeforeSend)),
        ("a crash before its answer is saved", vec![], Some(Crash::AfterSend)),
        ("a crash before the payer is shown the page", vec![], Some(Crash::AfterSave)),
        ("a crash while the payer pays", vec![], Some(Crash::WhilePolling)),
        ("the connection is refused", vec![Fault::LostBefore], None),
        ("the request is lost", vec![Fault::LostRequest], None),
        ("the answer is lost", vec![Fault::LostAnswer], None),
        ("the answer is lost twice", vec![Fault::LostAnswer, Fault::LostAnswer], None),
        ("the answer is cut off", vec![Fault::Truncated], None),
        ("a gateway answers in its place", vec![Fault::HtmlBadGateway], None),
    ];
    let mut all_paid_once = true;
    for (name, faults, crash) in mishaps {
        let sandbox = Sandbox::new(1);
        faults.into_iter().for_each(|fault| sandbox.inject_on(Route::Create, fault));
        let _ = writeln!(out, "{name}");
        match pollster::block_on(play(&sandbox, crash, out)) {
            Ok(shown) => {
                all_paid_once &= shown == 1;
                let (at_the_provider, s) = (sandbox.intents().len(), if shown == 1 { "" } else { "s" });
                let _ = writeln!(out, "  = {at_the_provider} at the provider, {shown} page{s} shown, paid\n");
            }
            Err(error) => {
                all_paid_once = false;
                let _ = writeln!(out, "  = {error}\n");
            }
        }
    }
    u8::from(!all_paid_once)
}

/// One order until it is paid, through a crash: how many different pages the payer was shown.
async fn play(
    sandbox: &Sandbox,
    mut crash: Option<Crash>,
    out: &mut dyn Write,
) -> Result<usize, Box<dyn Error>> {
    // The one thing that outlives a crash.
    let mut column = Row::New.to_string();
    let mut shown = Vec::new();
    loop {
        let shop = Shop::open(sandbox)?;
        match shop.work(&mut column, &mut shown, crash, out).await {
            Ok(()) => break,
            Err(Stop::Crash) => {
                let _ = writeln!(out, "  * crash; the column says: {column}");
                crash = None;
            }
            Err(Stop::Error(error)) => return Err(error),
        }
    }
    shown.dedup();
    Ok(shown.len())
}

/// What the order's column holds, as one line of text.
enum Row {
    /// Nothing was sent.
    New,
    /// This attempt is being sent, or was.
    Sending { attempt: u32 },
    /// There is an intent, and this is known of it.
    Created {
        attempt: u32,
        intent_id: String,
        page: String,
        owed: CoinAmount,
        tracker: Tracker<IntentStatus>,
    },
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::Sending { attempt } => write!(f, "sending;{attempt}"),
            Self::Created { attempt, intent_id, page, owed, tracker } => {
                write!(f, "created;{attempt};{intent_id};{page};{owed};{tracker}")
            }
        }
    }
}

impl FromStr for Row {
    type Err = Box<dyn Error>;

    fn from_str(column: &str) -> Result<Self, Self::Err> {
        Ok(match column.split(';').collect::<Vec<_>>()[..] {
            ["new"] => Self::New,
            ["sending", attempt] => Self::Sending { attempt: attempt.parse()? },
            ["created", attempt, intent_id, page, owed, tracker] => Self::Created {
                attempt: attempt.parse()?,
                intent_id: intent_id.into(),
                page: page.into(),
                owed: owed.parse()?,
                tracker: tracker.parse()?,
            },
            _ => return Err("not a row".into()),
        })
    }
}

struct Shop<'a> {
    sandbox: &'a Sandbox,
    client: Client,
}

impl<'a> Shop<'a> {
    fn open(sandbox: &'a Sandbox) -> Result<Self, Box<dyn Error>> {
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, SecretString::from(API_SECRET))?)
            .environment(Environment::Test)
            .clock(move || clock.now_millis())
            .build()?;
        Ok(Self { sandbox, client })
    }

    /// Takes the order on from wherever its column says it is, until it is paid. It is what runs when the order is
    /// placed, when an attempt did not work out, and when the shop starts again after a crash.
    async fn work(
        &self,
        column: &mut String,
        shown: &mut Vec<String>,
        crash: Option<Crash>,
        out: &mut dyn Write,
    ) -> Result<(), Stop> {
        loop {
            let before = column.clone();
            match before.parse()? {
                Row::New => self.create(1, column, crash, out).await?,
                // Nobody knows how this one ended, and nobody was shown its page: it is given up.
                Row::Sending { attempt } => self.create(attempt + 1, column, crash, out).await?,
                Row::Created { attempt, intent_id, page, owed, tracker } => {
                    crash_at(Crash::AfterSave, crash)?;
                    if shown.last() != Some(&page) {
                        let _ = writeln!(out, "  attempt {attempt}: the payer is shown {page}");
                        shown.push(page.clone());
                    }
                    let tracker = self.look(&intent_id, tracker).await?;
                    let after = Row::Created { attempt, intent_id: intent_id.clone(), page, owed, tracker };
                    // update orders set checkout = $after where id = $id and checkout = $before
                    if *column == before {
                        *column = after.to_string();
                    }
                    if tracker.is_final() {
                        return self.settle(&intent_id, owed, &tracker).await;
                    }
                    crash_at(Crash::WhilePolling, crash)?;
                }
            }
        }
    }

    async fn create(
        &self,
        attempt: u32,
        column: &mut String,
        crash: Option<Crash>,
        out: &mut dyn Write,
    ) -> Result<(), Stop> {
        // First the row, then the request.
        *column = Row::Sending { attempt }.to_string();
        crash_at(Crash::BeforeSend, crash)?;
        let draft = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id(format!("order_1001-{attempt}"));
        let call = self.client.create(&draft.check(&Rules::default())?);
        loop {
            let sent = call.send(self.sandbox).await;
            crash_at(Crash::AfterSend, crash)?;
            let said = match sent.map(|received| received.into_answer()) {
                Ok(Ok(answer)) => {
                    let created = answer.payload;
                    let row = Row::Created {
                        attempt,
                        intent_id: created.intent_id.into(),
                        page: created.checkout_url.into(),
                        owed: created.amount_coins,
                        tracker: Tracker::new(),
                    };
                    *column = row.to_string();
                    return Ok(());
                }
                // Certainly not sent: the same attempt again, signed anew. (In production: after a pause.)
                Err(error) if error.delivery() == Delivery::NotSent => {
                    let _ = writeln!(out, "  attempt {attempt}: {error}: once more");
                    continue;
                }
                // The API refused: there is no intent, and another attempt would change nothing.
                Ok(Err(refused)) if refused.code().is_some() => return Err(Stop::Error(refused.into())),
                Ok(Err(other)) => other.to_string(),
                Err(error) => error.to_string(),
            };
            let _ = writeln!(out, "  attempt {attempt}: {said}: given up");
            return Ok(());
        }
    }

    /// Looks once how the intent stands.
    async fn look(
        &self,
        intent_id: &str,
        mut tracker: Tracker<IntentStatus>,
    ) -> Result<Tracker<IntentStatus>, Stop> {
        self.sandbox.clock().advance(Duration::from_secs(5));
        let received = self.client.status(intent_id)?.send(self.sandbox).await?;
        if let Some(observation) = received.observation() {
            let _ = tracker.observe(observation);
        }
        Ok(tracker)
    }

    /// Lets the goods leave, if what was owed has come.
    async fn settle(
        &self,
        intent_id: &str,
        owed: CoinAmount,
        tracker: &Tracker<IntentStatus>,
    ) -> Result<(), Stop> {
        let intent = self.client.get(intent_id)?.send(self.sandbox).await?.into_answer()?.payload;
        let enough = intent.actual_paid_amount.is_some_and(|paid| paid >= owed);
        if tracker.phase() == Some(Phase::Succeeded) && intent.amount_coins == owed && enough {
            Ok(())
        } else {
            Err(Stop::Error("not paid as owed".into()))
        }
    }
}

/// Where the shop's process dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crash {
    BeforeSend,
    AfterSend,
    AfterSave,
    WhilePolling,
}

fn crash_at(here: Crash, crash: Option<Crash>) -> Result<(), Stop> {
    if crash == Some(here) { Err(Stop::Crash) } else { Ok(()) }
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
