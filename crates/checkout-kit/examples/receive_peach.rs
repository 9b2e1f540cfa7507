//! Peach's webhooks taken in with axum: the raw body, verified, claimed, read back, held to the order,
//! committed. Peach hears 200 after the last step, and goods leave for a read alone.
//!
//!     cargo run --example receive_peach
//!     cargo run --example receive_peach -- --scenario forged
//!     cargo run --example receive_peach -- --list
//!
//! The receiver is `Shop`, in this file. `notifying` plays Peach, the payer and the network, offline. The
//! exit code says how the order stands after the play: see `Ending`.
//!
//! The receiver reads for itself, and Peach allows a merchant two reads a minute. A shop with more webhooks
//! nudges a `WatchSet` instead of step 4: see `docs/webhooks.md`. A shop serves the same router:
//!
//! ```ignore
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, router(shop)).await
//! ```

#[path = "watching/ending.rs"]
mod ending;
pub(crate) mod notifying;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use checkout_kit::peach::{Client, Event, InitiateCheckout, Message, PaymentStatus, ReceiveError, Receiver};
use checkout_kit::replay::{Claim, Commit, Guard, MemoryStore};
use checkout_kit::settlement::peach::Order;
use checkout_kit::{Environment, Phase, Tracker, Verified, wire::Printable};
use checkout_sandbox::peach::Sandbox;
use ending::{Ending, usage};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shop: what a back end has in its state.
pub(crate) struct Shop {
    client: Client,
    /// In production an HTTP client, such as `checkout_reqwest::Reqwest`.
    transport: Sandbox,
    receiver: Receiver,
    guard: Guard<MemoryStore>,
    database: Mutex<Database>,
    /// The lines that the shop has said.
    log: Mutex<Vec<String>>,
}

/// The tables. One lock of the tables is one transaction.
#[derive(Default)]
struct Database {
    /// The orders, by their `merchantTransactionId`, which no two attempts to pay share.
    orders: BTreeMap<String, Row>,
    /// The parcels that are to leave, by their orders' ids. (`save_before_send` has the worker that ships
    /// them.)
    outbox: BTreeSet<String>,
    /// The ids that events named and that are no order's, for a person.
    unmatched: BTreeSet<String>,
}

/// An order, as it stands in the database.
struct Row {
    /// The draft. (A table has columns for the draft's id, amount and currency: the fields of `Order`.)
    checkout: InitiateCheckout<'static>,
    /// The checkout's id, where the answer to the initiate had one.
    checkout_id: Option<String>,
    /// The known status. (A column has the tracker's text: `to_string`, and `parse`.)
    tracker: Tracker<PaymentStatus>,
    /// True if a person has to look before goods leave.
    look: bool,
}

/// The routes. The body is the bytes that came: nothing may parse the body before the receiver.
fn router(shop: Arc<Shop>) -> Router {
    Router::new().route("/webhooks/peach", post(webhook)).with_state(shop)
}

async fn webhook(State(shop): State<Arc<Shop>>, parts: Parts, body: Bytes) -> StatusCode {
    // A sender that hangs up, or a timeout, can drop this future. Spawn the future where that can happen.
    let received = shop.receiver.webhook_http(&Request::from_parts(parts, body), shop.client.now());
    StatusCode::from_u16(shop.take(received).await).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// The receiver.
impl Shop {
    /// Takes a received message in, and returns the HTTP status to answer. The answer to a failed step is
    /// 503: Peach sends the webhook again, and every step before the last can be done again.
    async fn take(&self, received: Result<Message, ReceiveError>) -> u16 {
        // 1. Refuse an unverified message. A probe of a new URL has no signature, and claims nothing.
        let event = match received {
            Ok(Message::Event(event)) => event,
            Ok(Message::Probe(probe)) => {
                self.say(format!("for the person who saves the URL: {}", Printable(probe.code())));
                return probe.http_status();
            }
            Err(error) => {
                self.say(format!("{error} ({:?}: {})", error.blame(), error.hint()));
                return error.http_status();
            }
        };
        // 2. Claim the event, which may have come before, or be under way elsewhere.
        let ticket = match self.guard.claim(event.identity(), self.client.now()) {
            Ok(Claim::Fresh(ticket)) => ticket,
            Ok(claim) => {
                self.say("it was processed, or is being processed".into());
                return claim.http_status().unwrap_or(503);
            }
            Err(full) => return full.http_status(),
        };
        // 3. to 6. Read, and write down the meaning.
        if let Err(error) = self.process(&event).await {
            self.say(error.to_string());
            let _ = self.guard.release(ticket); // A claim that is not released ends by itself.
            return 503;
        }
        // 7. Commit. (With a database, in the transaction of the writes: `ClaimTicket::claims`.)
        self.guard.commit(ticket, self.client.now()).map_or(503, Commit::http_status)
    }

    /// Reads the event's order back, and writes down the meaning of the read.
    async fn process(&self, event: &Verified<Event>) -> Result<(), Box<dyn Error>> {
        // 3. Match. The event names a row, and the row alone says which checkout is read.
        let id = event.content().payment().merchant_transaction_id().unwrap_or_default();
        let lookup = {
            let Database { orders, unmatched, .. } = &mut *self.database();
            let Some(row) = orders.get_mut(id) else {
                unmatched.insert(id.to_owned());
                return Err("of no order: kept for a person, and to be sent again".into());
            };
            unmatched.remove(id);
            // A checkout that was begun, or is pending, needs no read.
            let told = event.observation().map(|told| row.tracker.observe(told, self.client.now()));
            if told.is_some_and(|verdict| !verdict.wants_attention()) {
                return Ok(());
            }
            row.checkout.lookup().into_owned()
        };
        // 4. Read. No lock is held meanwhile.
        let answer = self.client.status(lookup).send(&self.transport).await?;
        let (observation, read) = (answer.observation(), answer.into_read());

        // 5. Track: compare the read with the known status.
        let Database { orders, outbox, .. } = &mut *self.database();
        let Row { checkout, checkout_id, tracker, look } = orders.get_mut(id).ok_or("the row is gone")?;
        let ended = tracker.is_final();
        let verdict = observation.map(|observation| tracker.observe(observation, self.client.now()));

        // 6. Hold the read to the order. (In a shop `Environment::Live`, however the client was built.)
        let order = Order::of(Environment::Sandbox, checkout, checkout_id.as_deref());
        let settlement = order.settled_by(&read);
        let adopted = verdict.as_ref().is_some_and(|verdict| verdict.is_adopted());
        *look |= if adopted {
            // The order was given up before; or the checkout succeeded, and does not settle the order.
            let succeeded = matches!(tracker.phase(), Some(Phase::Succeeded | Phase::Authorized));
            tracker.superseded().is_some() || succeeded && !settlement.is_settled()
        } else {
            // The read contradicts an end, or has a status without a name. An older status decides nothing.
            ended && verdict.is_some_and(|verdict| verdict.wants_attention())
        };
        if adopted && settlement.is_settled() && !*look {
            // In the same write as the tracker, and once for an order, however many reads settle the order.
            outbox.insert(id.to_owned());
        }
        if !tracker.is_final() {
            // The read lags behind the webhook, or the payer may try again. (Open orders are polled too.)
            return Err(format!("{id}: {settlement}").into());
        }
        let held = if *look { "; held for a person" } else { "" };
        self.say(format!("{id}: {settlement}{held}; parcels: {}", u32::from(outbox.contains(id))));
        Ok(())
    }

    fn say(&self, what: String) {
        self.log().push(what);
    }

    fn log(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs the program with its arguments, and returns the exit code.
pub fn run(arguments: &[String], out: &mut dyn Write) -> u8 {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let name = match arguments[..] {
        [] => "paid",
        ["--scenario", name] => name,
        ["--list"] => return usage(out, "receive_peach", &notifying::names(), Ending::Paid),
        _ => "",
    };
    let Some(play) = notifying::play(name) else {
        return usage(out, "receive_peach", &notifying::names(), Ending::Usage);
    };
    match notifying::run(play, out) {
        Ok(ending) => ending as u8,
        Err(error) => {
            let _ = writeln!(out, "{error}");
            Ending::Look as u8
        }
    }
}
