//! The writes of a shop and their moments: so that neither a crash nor a lost answer nor a second worker
//! loses an order, makes the payer pay twice, or lets goods leave unpaid or twice; offline, against the
//! sandbox.
//!
//!     cargo run --example save_before_send
//!
//! AllScale's create has no idempotency key, and no route lists what was created. So an attempt whose answer
//! is lost stays unknown for ever. These rules make that harmless; `saving/mod.rs` keeps them.
//!
//! 1. Every write of the order's row is a compare-and-swap. The loser drops everything in hand, and reads the
//!    row again.
//! 2. An attempt is saved before it is sent, under an `order_id` of its own: `order_1001-1`, `order_1001-2`,
//!    ….
//! 3. The payer is shown a page out of a saved row alone. So the page of an attempt that is saved as no more
//!    than begun was never shown, nobody can pay it by way of this shop, and the next attempt may be made. If
//!    a payment for a dropped attempt is reported all the same, the `order_id` names the order, and a person
//!    sees to the payment.
//! 4. Attempts are few. After the last attempt a person looks, and also at everything that contradicts
//!    itself. Reads are repeated.
//! 5. The whole intent settles the order. The same write puts the order's parcel into an outbox. A worker
//!    ships what is in the outbox, and marks it after. A crash in between ships the parcel again under the
//!    same key, and the warehouse sends one parcel for a key.
//! 6. Every order is read again for as long as late money counts, with the same questions. An open order may
//!    be paid by now, and is settled and shipped then. An order that was given up and is paid after all is
//!    held for a person, and nothing leaves for the order.
//! 7. The row has the hold and the reason, and the outbox ships nothing of a held order.

mod saving;

use checkout_kit::allscale::Route;
use checkout_sandbox::allscale::{Fault, Sandbox, Scenario};
use saving::world::{Incident, Side, Step, What, World};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    ExitCode::from(run(&mut io::stdout().lock()))
}

/// A mishap: the name, and the sandbox's part.
type Mishap = (&'static str, fn(&Sandbox));

const MISHAPS: &[Mishap] = &[
    ("nothing goes wrong", |_| {}),
    ("the connection is refused", |sandbox| on(sandbox, Route::Create, &[Fault::LostBefore])),
    ("nothing can be reached", |sandbox| on(sandbox, Route::Create, &vec![Fault::LostBefore; 100])),
    ("the create is lost", |sandbox| on(sandbox, Route::Create, &[Fault::LostRequest])),
    ("its answer is lost", |sandbox| on(sandbox, Route::Create, &[Fault::LostAnswer])),
    ("its answer is cut off", |sandbox| on(sandbox, Route::Create, &[Fault::Truncated])),
    ("a gateway answers, every time", |sandbox| {
        on(sandbox, Route::Create, &vec![Fault::HtmlBadGateway; 100])
    }),
    ("an internal error, after it was done", |sandbox| {
        on(sandbox, Route::Create, &[Fault::LateInternalError])
    }),
    ("too many requests", |sandbox| on(sandbox, Route::Create, &[Fault::RateLimited])),
    ("reads are lost, limited and garbled", |sandbox| {
        on(sandbox, Route::Status, &[Fault::LostAnswer, Fault::RateLimited, Fault::Garbage]);
        on(sandbox, Route::Get, &[Fault::LostAnswer, Fault::HtmlBadGateway]);
    }),
    ("a forged status", |sandbox| on(sandbox, Route::Status, &[Fault::TamperedStatus(20)])),
    ("a forged price", |sandbox| on(sandbox, Route::Create, &[Fault::TamperedAmount])),
    ("an answer about nobody's intent", |sandbox| on(sandbox, Route::Create, &[Fault::SwappedIntent])),
    ("an answer about another order's intent", |sandbox| {
        // Somebody else orders the same before.
        if let Ok(other) = World::open(sandbox.clone(), &[])
            && let Ok(order) = saving::order(7)
        {
            let _ = other.client.create(&order).send_blocking(sandbox);
        }
        on(sandbox, Route::Create, &[Fault::SwappedIntent]);
    }),
    ("it is never paid", |sandbox| sandbox.next_intent(Scenario::never_paid())),
    ("it is reviewed for five hours", |sandbox| {
        sandbox.next_intent(slow(&[(5, 2), (20, 3), (60, 4), (5 * HOUR, 20)]))
    }),
    ("it is on chain for five hours", |sandbox| {
        sandbox.next_intent(slow(&[(5, 2), (25, 10), (5 * HOUR, 20)]))
    }),
    ("it expires", |sandbox| sandbox.next_intent(Scenario::timeout())),
    ("it is paid by half", |sandbox| sandbox.next_intent(Scenario::underpaid())),
    ("it is refused by the checks", |sandbox| sandbox.next_intent(Scenario::kyt_refused())),
    ("it is paid after it expired", |sandbox| sandbox.next_intent(Scenario::late_success())),
    ("it is contradicted after it was paid", |sandbox| {
        sandbox.next_intent(Scenario::change_after_terminal())
    }),
];

fn on(sandbox: &Sandbox, route: Route, faults: &[Fault]) {
    faults.iter().for_each(|fault| sandbox.inject_on(route, fault.clone()));
}

/// A scenario of statuses, each so many seconds after the status before.
fn slow(steps: &[(u64, i64)]) -> Scenario {
    Scenario::custom(steps.iter().map(|(seconds, status)| (Duration::from_secs(*seconds), *status)))
}

/// Plays all the mishaps, and gives the exit code: 0 if no rule was broken.
pub fn run(out: &mut dyn Write) -> u8 {
    let mut kept = true;
    for (name, prepare) in MISHAPS {
        kept &= play(out, name, prepare, &[]);
    }
    // A worker that dies or is overtaken, before and after every step of an order that is paid.
    for step in steps() {
        for (what, side) in [
            (What::Crash, Side::Before),
            (What::Crash, Side::After),
            (What::OtherWorker, Side::Before),
            (What::OtherWorker, Side::After),
        ] {
            let incident = Incident { what, side, step };
            kept &= play(out, &incident.to_string(), &|_| {}, &[incident]);
        }
    }
    let incident = Incident { what: What::Hold, side: Side::After, step: Step::SaveSettlement };
    kept &= play(out, &incident.to_string(), &|_| {}, &[incident]);
    u8::from(!kept)
}

/// The steps of an order that is paid, in their order.
fn steps() -> Vec<Step> {
    World::open(Sandbox::new(1), &[]).map_or_else(
        |_| Vec::new(),
        |world| {
            world.play();
            world.reached()
        },
    )
}

/// Plays an order, and prints if the rules were kept.
fn play(out: &mut dyn Write, name: &str, prepare: &dyn Fn(&Sandbox), incidents: &[Incident]) -> bool {
    let sandbox = Sandbox::new(1);
    prepare(&sandbox);
    let _ = writeln!(out, "{name}");
    let world = match World::open(sandbox, incidents) {
        Ok(world) => world,
        Err(error) => {
            let _ = writeln!(out, "  {error}");
            return false;
        }
    };
    world.play();
    for line in world.log() {
        let _ = writeln!(out, "  {line}");
    }
    let (row, pages, parcels) = (world.row(), world.pages(), world.warehouse());
    let (made, held) = (world.sandbox.intents().len(), if row.held.is_some() { ", held" } else { "" });
    let _ = writeln!(out, "  = {:?}{held}; {made} made, {pages} shown, {} sent\n", row.state, parcels.len());

    // The sandbox knows the truth.
    let left_paid = parcels.values().all(|asked| asked.paid);
    let shipped = world.outbox().is_some_and(|parcel| parcel.shipped);
    let none_lost = row.held.is_some() || world.paid() == shipped;
    pages <= 1 && parcels.len() <= 1 && left_paid && none_lost && shipped == (parcels.len() == 1)
}

const HOUR: u64 = 60 * 60;
