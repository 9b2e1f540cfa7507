//! Twelve open checkouts of one merchant with Peach, watched together under the two reads a minute, offline:
//! an in-process sandbox stands in the provider's place, and the clock is advanced instead of waiting. Every
//! other webhook is lost, and halfway another process takes over, which knows the stored texts and nothing
//! else.
//!
//!     cargo run --example many_checkouts

use checkout_kit::peach::{Client, Currency, Draft, MerchantTransactionId, Message, Receiver, SecretToken};
use checkout_kit::{Cents, Change, End, Environment, Handle, KeyRing, Moment, WatchSet};
use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};
use std::io::{self, Write};
use std::{collections::BTreeMap, error::Error, future, process::ExitCode, time::Duration};

/// The scenarios of the twelve.
const SCENARIOS: &str = "happy cancelled happy pending_then_successful declined_then_paid happy never_opened \
    in_review happy uncertain unknown_code happy";

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// Runs the program, and returns the exit code.
pub fn run(out: &mut dyn Write) -> u8 {
    day(out).map_err(|error| writeln!(out, "error: {error}")).is_err().into()
}

fn day(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::new(1);
    let (clock, began) = (sandbox.clock().clone(), sandbox.clock().now());
    let secret = SecretToken::new(SECRET_TOKEN.into())?;
    let receiver = Receiver::new(ENTITY_ID, KeyRing::new("2026", secret.clone()), Environment::Sandbox);
    let client = Client::builder(ENTITY_ID, secret);
    let client = client.environment(Environment::Sandbox).referer(REFERER);
    let client = client.clock(move || clock.now()).build()?;
    let mut shop = Shop { client, receiver, sandbox, began, open: BTreeMap::new(), reads: Vec::new() };
    for (number, scenario) in (1..).zip(SCENARIOS.split(' ')) {
        shop.sandbox.next_checkout(Scenario::by_name(scenario).ok_or("no such scenario")?);
        let order = format!("order-{number:04}");
        let draft = Draft::debit(Currency::ZAR, Cents::new(14_99)).entity_id(ENTITY_ID);
        let draft = draft.merchant_transaction_id(&*order).shopper_result_url("https://shop.example/result");
        let initiate = shop.client.initiate(&draft.check()?)?;
        initiate.send_blocking(&shop.sandbox)?;
        shop.open.insert(order, None);
    }
    for until in [6, 0] {
        writeln!(out, "a process goes on with {} open checkouts", shop.open.len())?;
        shop.process(until, out)?;
    }
    let counts = shop.sandbox.counts(ENTITY_ID);
    Ok(writeln!(out, "{} reads, never more than {} a minute", counts.reads, counts.busiest_minute)?)
}

/// A shop, with the rows of the database.
struct Shop {
    client: Client,
    receiver: Receiver,
    sandbox: Sandbox,
    began: Moment,
    /// The open orders, each with the stored text of the checkout.
    open: BTreeMap<String, Option<String>>,
    /// The times of the merchant's last reads.
    reads: Vec<Moment>,
}

impl Shop {
    /// Watches all open checkouts, until so many are still open.
    fn process(&mut self, until: usize, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
        let (receiver, sandbox, clock) = (&self.receiver, &self.sandbox, self.sandbox.clock());
        let mut watches = WatchSet::new(clock.now(), 42);
        let (merchant, mut handles) = (watches.merchant(), BTreeMap::new());
        self.reads.iter().for_each(|at| watches.record_request(merchant, *at));
        for (order, stored) in &self.open {
            let watch = self.client.watch(MerchantTransactionId::new(order)?.into());
            let watch = stored.iter().try_fold(watch, |watch, stored| watch.restore_from(stored))?;
            handles.insert(order.clone(), watch.handle());
            watches.add(merchant, watch, order.clone());
        }
        let sleep = |wait: Duration| {
            clock.advance(wait.min(Duration::from_secs(1)));
            receive(receiver, sandbox, &handles);
            future::ready(())
        };
        while self.open.len() > until
            && let Some(event) = pollster::block_on(watches.next_event(sandbox, sleep))
        {
            let said = match event.change {
                Change::Phase { phase, .. } => phase.to_string(),
                Change::Attention { verdict, .. } => format!("{verdict}  <- tell somebody"),
                Change::AskPayer { .. } => "the payer has to act".into(),
                Change::NotShown { reason, .. } => format!("the payer cannot be asked: {reason}"),
                Change::Refused { phase, .. } => format!("{phase}, and read on for late money"),
                Change::NotRead { error, .. } => error.to_string(),
                // The event's row is written with this read: the webhook's claim can be committed.
                Change::Nudged(_) => {
                    self.open.insert(event.key, Some(event.stored));
                    continue;
                }
                // The first question of every end: does a person have to look?
                Change::End(end) if end.wants_attention() => {
                    format!("held for a person: {}", end.tracker())
                }
                // To have ended is not to be paid: hold `answer` to the order, as docs/webhooks.md says.
                Change::End(End::Ended { phase, .. }) => format!("ended: {phase}"),
                // Kept elsewhere, and resumed tomorrow.
                Change::End(End::GaveUp { .. }) => "given up for today".into(),
            };
            let seconds = clock.now().saturating_since(self.began).as_secs();
            writeln!(out, "{seconds:>4} s  {}  {said}", event.key)?;
            match event.watch {
                Some(_has_left) => self.open.remove(&event.key),
                None => self.open.insert(event.key, Some(event.stored)),
            };
        }
        self.reads = watches.requests_in_window(merchant).collect();
        Ok(())
    }
}

/// The entry of webhooks: each verified webhook wakes the checkout that it is about. A webhook that settles
/// something has to be claimed too, as `receive_axum` shows; a webhook that wakes a checkout has not. An
/// unverified message wakes nobody: the other checkouts have to wait for a read that a stranger asks for.
fn receive(receiver: &Receiver, sandbox: &Sandbox, handles: &BTreeMap<String, Handle>) {
    let now = sandbox.clock().now();
    for webhook in sandbox.take_webhooks().iter().step_by(2) {
        let form = Some("application/x-www-form-urlencoded");
        // A probe of the URL is about no checkout.
        let Ok(Message::Event(event)) = receiver.webhook(form, &webhook.body, now) else { continue };
        let order = event.content().payment().merchant_transaction_id();
        if let Some(handle) = order.and_then(|order| handles.get(order)) {
            handle.nudge();
        }
    }
}
