//! A payment from draft to settled, offline: an in-process sandbox stands in the provider's place, and its clock is
//! advanced instead of waiting.
//!
//!     cargo run --example first_payment
//!     cargo run --example first_payment -- --scenario late_success
//!     cargo run --example first_payment -- --list
//!
//! The exit code says how it ended: see `Ending`.

use checkout_kit::allscale::{
    Client, CreateIntent, CreatedIntent, Currency, Draft, Intent, IntentStatus, POLL_EVERY_SECONDS,
    POLL_GIVE_UP_SECONDS, Price, Route, Rules, Settlement, SigningKey, StableCoin,
};
use checkout_kit::integrity::allscale::Order;
use checkout_kit::integrity::{self, Policy, Read};
use checkout_kit::{
    Cents, CoinAmount, Delivery, Environment, Observation, Open, Phase, SecretString, Tracker, Verdict,
};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

/// How it ended. The number is the exit code.
#[derive(Clone, Copy)]
enum Ending {
    /// What was owed has come: the goods can leave.
    Paid = 0,
    /// It ended without the money, or was never created.
    NotPaid = 1,
    /// The arguments are none that this program takes.
    Usage = 2,
    /// Nobody has paid and nothing has ended: look again later.
    StillOpen = 3,
    /// A person has to look before anything else happens.
    Look = 4,
}

/// A way that a payment can go: its name, what happens, and how the sandbox is told to play it. What goes by the name
/// of one of the sandbox's scenarios needs no telling.
type Play = (&'static str, &'static str, fn(&Sandbox));

const PLAYS: &[Play] = &[
    ("happy", "opened, paid and confirmed", |_| {}),
    ("kyt_passed", "through a temporary wallet and the checks of the transaction", |_| {}),
    ("kyt_refused", "refused by the checks of the transaction and sent back", |_| {}),
    ("manual_operation", "reviewed by hand for an hour", |_| {}),
    ("underpaid", "paid by half and sent back", |_| {}),
    ("overpaid", "paid by half as much again", |_| {}),
    ("paid_short", "confirmed, though a thousandth is missing", |sandbox| {
        sandbox.next_intent(Scenario::happy().paying_permille(999));
    }),
    ("canceled", "canceled by the payer", |_| {}),
    ("timeout", "left until it expired", |_| {}),
    ("failed", "paid, and failed at the provider", |_| {}),
    ("late_success", "expired, given up, and paid after that", |_| {}),
    ("unknown_status", "through a status that no page names", |_| {}),
    ("regression", "told by a replica that lags behind", |_| {}),
    ("change_after_terminal", "confirmed, and then not any more", |_| {}),
    ("never_paid", "left open", |_| {}),
    ("below_floor", "a draft that the documents forbid", |_| {}),
    ("refused", "a price that the provider finds too low once it has converted it", |sandbox| {
        sandbox.set_rate(Currency::JPY, 1, NonZeroU32::MIN.saturating_add(149));
    }),
    ("lost_before", "the first connection fails before the create is sent", |sandbox| {
        sandbox.inject_on(Route::Create, Fault::LostBefore);
    }),
    ("lost_create_answer", "the create is done and its answer lost", |sandbox| {
        sandbox.inject_on(Route::Create, Fault::LostAnswer);
    }),
    ("late_internal_error", "the create is done and an internal error answered", |sandbox| {
        sandbox.inject_on(Route::Create, Fault::LateInternalError);
    }),
    ("bad_gateway", "a gateway puts its own page in the place of the create's answer", |sandbox| {
        sandbox.inject_on(Route::Create, Fault::HtmlBadGateway);
    }),
    ("wrong_clock", "the shop's clock is seven minutes slow", |_| {}),
    ("rough_polling", "polls that are lost, limited, cut off and answered by a proxy", |sandbox| {
        let faults = [Fault::LostAnswer, Fault::RateLimited, Fault::Truncated, Fault::HtmlBadGateway];
        faults.into_iter().for_each(|fault| sandbox.inject_on(Route::Status, fault));
    }),
    ("tampered_amount", "somebody divides the amounts of the create's answer by ten", |sandbox| {
        sandbox.inject_on(Route::Create, Fault::TamperedAmount);
    }),
    ("tampered_amounts", "the same, and so in every read of it", |sandbox| {
        let routes = [Route::Create, Route::Get, Route::Get];
        routes.into_iter().for_each(|route| sandbox.inject_on(route, Fault::TamperedAmount));
    }),
    ("tampered_status", "somebody answers the first poll with CONFIRMED", |sandbox| {
        sandbox.inject_on(Route::Status, Fault::TamperedStatus(20));
    }),
    ("swapped_intent", "the whole intent that is read belongs to another payment", |sandbox| {
        sandbox.inject_on(Route::Get, Fault::SwappedIntent);
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs it with the program's arguments, and gives the exit code.
pub fn run(arguments: &[String], out: &mut dyn Write) -> u8 {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let name = match arguments[..] {
        [] => "happy",
        ["--scenario", name] => name,
        ["--list"] => return list(out, Ending::Paid),
        _ => return list(out, Ending::Usage),
    };
    let Some((name, about, prepare)) = PLAYS.iter().find(|(known, ..)| *known == name) else {
        return list(out, Ending::Usage);
    };
    let sandbox = Sandbox::new(1);
    if let Some(scenario) = Scenario::by_name(name) {
        sandbox.next_intent(scenario);
    }
    prepare(&sandbox);
    let _ = writeln!(out, "{name}: {about}\n");
    let ended = Shop::open(name, sandbox, out).and_then(|shop| pollster::block_on(shop.sell()));
    match ended {
        Ok((ending, why)) => {
            let _ = writeln!(out, "\n{why}");
            ending as u8
        }
        Err(error) => {
            let _ = writeln!(out, "\n{error}");
            Ending::Look as u8
        }
    }
}

fn list(out: &mut dyn Write, ending: Ending) -> u8 {
    let _ = writeln!(out, "usage: first_payment [--scenario NAME | --list]");
    for (name, about, _) in PLAYS {
        let _ = writeln!(out, "  {name:<22} {about}");
    }
    ending as u8
}

struct Shop<'a> {
    name: &'static str,
    sandbox: Sandbox,
    client: Client,
    out: &'a mut dyn Write,
}

impl<'a> Shop<'a> {
    fn open(name: &'static str, sandbox: Sandbox, out: &'a mut dyn Write) -> Result<Self, Box<dyn Error>> {
        // The sandbox's clock. Left out, it is the system's; the nonces are the standard, random ones.
        let clock = sandbox.clock().clone();
        let slow = if name == "wrong_clock" { 7 * 60_000 } else { 0 };
        let client = Client::builder(SigningKey::new(API_KEY, SecretString::from(API_SECRET))?)
            .environment(Environment::Sandbox)
            .clock(move || clock.now_millis() - slow)
            .build()?;
        Ok(Self { name, sandbox, client, out })
    }

    async fn sell(mut self) -> Result<(Ending, String), Box<dyn Error>> {
        // Draft, and check it against the documents. Whatever is wrong is said at once.
        let order = match self.draft().check(&Rules::default()) {
            Ok(order) => order,
            Err(violations) => {
                for violation in violations.iter() {
                    let code =
                        violation.code().map_or_else(String::new, |code| format!(" ({})", code.value()));
                    self.line("refused", format!("{}: {violation}{code}", violation.field()));
                }
                return Ok((Ending::NotPaid, "the documents forbid it, and nothing was sent".into()));
            }
        };
        self.line("drafted", format!("{ORDER}, {}, settled in {}", order.price(), settled_in(&order)));

        // Create it. (What to store before, so that no order is ever lost, is the example save_before_send.)
        let created = match self.create(&order).await {
            Ok(created) => created,
            Err(ended) => return Ok(ended),
        };
        self.line("pay at", &created.checkout_url);
        self.line("owed", format!("{} {}", created.amount_coins, created.stable_coin_type));

        // Poll: every five seconds while the payer is at it, after that in the background.
        let began = self.now();
        let mut watch = Watch::default();
        for (every, until) in [(POLL_EVERY_SECONDS, POLL_GIVE_UP_SECONDS), (5 * 60, 2 * 60 * 60)] {
            while !watch.tracker.is_final() && self.now() < began + until {
                self.sandbox.clock().advance(Duration::from_secs(every));
                let at = clock_time(self.now() - began);
                match self.status(&created.intent_id).await {
                    Ok(observation) => {
                        if let Some(news) = watch.observe(observation) {
                            self.line(&at, news);
                        }
                    }
                    // A read is safe to repeat, so it is, at its next turn.
                    Err(error) => self.line(&at, whole(&*error)),
                }
            }
        }

        // Before the goods leave: read the whole intent, and compare it. On the next day once more.
        let coins = [StableCoin::USDT, StableCoin::USDC];
        let asked = Order {
            environment: Environment::Sandbox,
            id: ORDER,
            intent_id: &created.intent_id,
            price: match order.price() {
                Price::Fiat { currency, amount } => {
                    let (owed, accepted) = (created.amount_coins, &coins);
                    integrity::allscale::Price::Fiat { currency, amount, owed, accepted }
                }
                Price::Coin { coin, amount } => integrity::allscale::Price::Coin { coin, amount },
            },
        };
        let mut wrong = None;
        for wait in [1, 24 * 60 * 60] {
            self.sandbox.clock().advance(Duration::from_secs(wait));
            let at = clock_time(self.now() - began);
            match self.intent(&created.intent_id).await {
                Ok((observation, read)) => {
                    if let Some(news) = watch.observe(observation) {
                        self.line(&at, news);
                    }
                    if watch.tracker.phase() == Some(Phase::Succeeded) {
                        self.line(&at, paid(read.payload()));
                        let settlement = asked.settled_by(&read, &Policy::default());
                        wrong = wrong.or((!settlement.is_settled()).then(|| settlement.to_string()));
                    }
                }
                Err(error) => {
                    self.line(&at, whole(&*error));
                    wrong = wrong.or(Some("what was read is not the answer to what was asked".into()));
                }
            }
            if let (Ending::Paid, _) = watch.ending(wrong.as_deref())
                && wait == 1
            {
                self.line(&at, "the goods leave");
            }
        }
        let (ending, why) = watch.ending(wrong.as_deref());
        // The tracker does not remember that a person has to look: that is stored beside it.
        let held = if let Ending::Look = ending { ", held for a person" } else { "" };
        self.line("to store", format!("{}{held}", watch.tracker));
        Ok((ending, why))
    }

    /// The created intent, or how it ended before there was one.
    async fn create(&mut self, order: &CreateIntent<'_>) -> Result<CreatedIntent<'static>, (Ending, String)> {
        let call = self.client.create(order);
        let mut sent = call.send(&self.sandbox).await;
        if let Err(error) = &sent
            && error.delivery() == Delivery::NotSent
        {
            self.line("create", whole(error));
            // Nothing was created, so another attempt makes no second intent. It is signed anew.
            sent = call.send(&self.sandbox).await;
        }
        let (may_have_been_done, said) = match sent.map(|received| received.into_answer()) {
            Ok(Ok(answer)) => {
                self.line(
                    "created",
                    format!("request id {}", answer.request_id.as_deref().unwrap_or("none")),
                );
                return Ok(answer.payload);
            }
            // Refused by the API, or answered by something that is not the API.
            Ok(Err(error)) => (error.may_have_been_done(), whole(&error)),
            Err(error) => (error.may_have_been_done(), whole(&error)),
        };
        self.line("create", said);
        Err(if may_have_been_done {
            (Ending::Look, "an intent may exist: see the example save_before_send".into())
        } else {
            (Ending::NotPaid, "refused, and nothing was created".into())
        })
    }

    async fn status(&self, intent_id: &str) -> Result<Observation<IntentStatus>, Box<dyn Error>> {
        let received = self.client.status(intent_id)?.send(&self.sandbox).await?;
        let moment = received.moment();
        Ok(Observation::read(received.into_answer()?.payload, moment))
    }

    async fn intent(
        &self,
        intent_id: &str,
    ) -> Result<(Observation<IntentStatus>, Read<Intent<'static>>), Box<dyn Error>> {
        let received = self.client.get(intent_id)?.send(&self.sandbox).await?;
        let moment = received.moment();
        let read = received.into_read()?;
        Ok((Observation::read(read.payload().status, moment), read))
    }

    fn draft(&self) -> Draft<'static> {
        let draft = match self.name {
            "below_floor" => Draft::coin(StableCoin::USDT, Cents::new(10)).accept([]),
            "refused" => Draft::fiat(Currency::JPY, Cents::new(100)),
            _ => Draft::fiat(Currency::EUR, Cents::new(4_990)).accept([StableCoin::USDT, StableCoin::USDC]),
        };
        draft.order_id(ORDER).order_description("One teapot").user("user_7", "Ada")
    }

    fn now(&self) -> u64 {
        self.sandbox.clock().now_millis() / 1_000
    }

    fn line(&mut self, head: &str, rest: impl Display) {
        // A reader of the output that went away is no matter for a payment.
        let _ = writeln!(self.out, "{head:<10} {rest}");
    }
}

/// What is known, and what of it was told last.
#[derive(Default)]
struct Watch {
    tracker: Tracker<IntentStatus>,
    last: Option<(Open<IntentStatus>, Verdict<IntentStatus>)>,
    conflict: bool,
}

impl Watch {
    /// Takes an observation in, and gives what is to be said of it if it is news.
    fn observe(&mut self, observation: Observation<IntentStatus>) -> Option<String> {
        let status = *observation.status();
        let verdict = self.tracker.observe(observation);
        self.conflict |= matches!(verdict, Verdict::Conflict { .. });
        let before = self.last.replace((status, verdict));
        if verdict == Verdict::Unchanged || before == self.last {
            return None;
        }
        let name = status.to_string();
        let phase = self.tracker.phase().map_or_else(String::new, |phase| phase.to_string());
        let mark = if verdict.wants_attention() { "  <- tell somebody" } else { "" };
        let verdict = verdict.to_string();
        Some(format!("{name:<20} {verdict:<12} {phase}{mark}"))
    }

    fn ending(&self, wrong: Option<&str>) -> (Ending, String) {
        if self.conflict {
            return (Ending::Look, "the provider contradicts itself, or somebody else answers".into());
        }
        match (self.tracker.phase(), wrong) {
            (Some(Phase::Succeeded), Some(wrong)) => (Ending::Look, wrong.into()),
            (Some(Phase::Succeeded), None) if self.tracker.superseded().is_some() => {
                (Ending::Look, "paid after the order was given up: ship it after all, or give it back".into())
            }
            (Some(Phase::Succeeded), None) => (Ending::Paid, "paid".into()),
            (Some(phase), _) if phase.is_final() => (Ending::NotPaid, format!("not paid ({phase})")),
            (Some(phase), _) => (Ending::StillOpen, format!("still open ({phase})")),
            (None, _) => (Ending::StillOpen, "nothing is known of it".into()),
        }
    }
}

fn paid(intent: &Intent<'_>) -> String {
    let text = |amount: Option<CoinAmount>| amount.map_or("nothing".to_owned(), |amount| amount.to_string());
    let more = intent.actual_paid_amount.and_then(|paid| paid.checked_sub(intent.amount_coins).ok());
    let more = more.filter(|more| !more.is_zero() && !more.is_negative());
    let more = more.map_or_else(String::new, |more| format!(", {more} too much"));
    let (paid, net) = (text(intent.actual_paid_amount), text(intent.net_income_amount));
    format!("paid {paid} of {}{more}; {net} after the fee", intent.amount_coins)
}

fn settled_in(order: &CreateIntent<'_>) -> String {
    match order.settlement() {
        Settlement::Coin(coin) => coin.to_string(),
        Settlement::StoreDefault => "what the store has set".into(),
    }
}

/// An error with what caused it.
fn whole(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

fn clock_time(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

const ORDER: &str = "order_1001";
