//! A payment with Azotte, offline: an in-process sandbox stands in the provider's place, and its clock is
//! advanced instead of waiting.
//!
//!     cargo run --example azotte_payment
//!     cargo run --example azotte_payment -- --scenario three_ds_html
//!     cargo run --example azotte_payment -- --list
//!
//! The exit code says how the payment ended: see `Ending`.

mod watching;

use checkout_kit::azotte::{Challenge, CheckoutResult, Client, Draft, PaymentChannel, Route};
use checkout_kit::settlement::azotte::Order;
use checkout_kit::{Answer, Change, End, Environment};
use checkout_sandbox::azotte::{API_KEY, Fault, Sandbox, Scenario, X_TN};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use watching::ending::usage;
use watching::{Checkout, Ending, Shop, not_begun};

/// A way to go wrong: the name, and the sandbox's part.
type Mishap = (&'static str, fn(&Sandbox));

/// The mishaps on the way, beside the scenarios of the sandbox.
const MISHAPS: &[Mishap] = &[
    ("lost_submit_answer", |sandbox| sandbox.inject_on(Route::SubmitCheckout, Fault::LostAnswer)),
    ("bad_gateway", |sandbox| sandbox.inject_on(Route::SubmitCheckout, Fault::HtmlBadGateway)),
    ("swapped_checkout", |sandbox| sandbox.inject_on(Route::CheckoutStatus, Fault::SwappedCheckout)),
    ("rough_polling", |sandbox| {
        let faults = [Fault::LostAnswer, Fault::RateLimited, Fault::Truncated, Fault::HtmlBadGateway];
        faults.into_iter().for_each(|fault| sandbox.inject_on(Route::CheckoutStatus, fault));
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// The name of every play.
fn names() -> Vec<&'static str> {
    Scenario::NAMES.into_iter().chain(MISHAPS.iter().map(|(name, _)| *name)).collect()
}

/// Runs the program with the arguments, and returns the exit code.
pub fn run(arguments: &[String], out: &mut dyn Write) -> u8 {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let name = match arguments[..] {
        [] => "three_ds_url",
        ["--scenario", name] if names().contains(&name) => name,
        ["--list"] => return usage(out, "azotte_payment", &names(), Ending::Paid),
        _ => return usage(out, "azotte_payment", &names(), Ending::Usage),
    };
    let sandbox = Sandbox::new(1);
    if let Some(scenario) = Scenario::by_name(name) {
        sandbox.next_checkout(scenario);
    }
    if let Some((_, prepare)) = MISHAPS.iter().find(|(known, _)| *known == name) {
        prepare(&sandbox);
    }
    let mut shop = Shop::new(sandbox.clock().clone(), out);
    shop.payer_returns = name != "three_ds_abandoned";
    match sell(&mut shop, &sandbox) {
        Ok(ending) => ending as u8,
        Err(error) => {
            shop.line("error", error);
            Ending::Look as u8
        }
    }
}

fn sell(shop: &mut Shop<'_>, sandbox: &Sandbox) -> Result<Ending, Box<dyn Error>> {
    // The sandbox's clock. A client without a given clock uses the system's clock.
    let clock = sandbox.clock().clone();
    let client = Client::builder("acme", X_TN, API_KEY.into())
        .environment(Environment::Sandbox)
        .clock(move || clock.now())
        .build()?;

    // A stored method: no card number comes near us. The order's own id makes a second submit safe.
    let submit = Draft::stored_method(PaymentChannel::CreditCard)
        .offer_identifier("off_1")
        .correlation_id("order_1001")
        .item("plan_gold")
        .customer_urn("urn:customer:42")
        .check()?;
    shop.line("drafted", format!("{}, {}", submit.correlation_id(), submit.payment_method().channel()));

    let call = client.submit(&submit);
    let mut sent = call.send_blocking(sandbox);
    let mut may_have_been_processed = false;
    if let Err(error) = &sent {
        shop.line("submit", not_begun(error));
        may_have_been_processed = error.may_have_been_processed();
        // The correlation id is the same, so the card is charged once, after any first outcome.
        sent = call.send_blocking(sandbox);
    }
    let submitted = match sent {
        Ok(submitted) => submitted,
        Err(error) => {
            shop.line("submit", not_begun(&error));
            // The second attempt's proof covers the second attempt alone.
            may_have_been_processed |= error.may_have_been_processed();
            return Ok(if may_have_been_processed { Ending::Look } else { Ending::NotPaid });
        }
    };
    let tracking_number = submitted.payload.tracking_number.clone();
    shop.line("submitted", &tracking_number);

    // The watch begins with the submit's answer: the watch keeps the wait of the answer, and reports a
    // challenge in the answer. The answer ends nothing.
    let watch = client.watch_submitted(submitted)?;
    // Azotte's answers carry no amount: the submitted amount is the charged amount, under this number.
    let order = Order { environment: Environment::Sandbox, tracking_number: &tracking_number };
    let (ending, why) = shop.settle(sandbox, Checkout { watch, order: &order }, &mut |shop, change| {
        // The payer's task stands in the answer, under every status.
        if let Change::AskPayer { payload } | Change::End(End::Ended { answer: Answer { payload, .. }, .. }) =
            change
        {
            show(shop, payload);
        }
    });
    shop.line("ended", format!("{why}; charges: {}", sandbox.captures_of("order_1001")));
    Ok(ending)
}

/// Shows the payer the challenge, if there is one.
fn show(shop: &mut Shop<'_>, result: &CheckoutResult<'_>) {
    match result.challenge() {
        Some(Challenge::Url(_)) => shop.line("", "-> send the browser to redirectUrl"),
        Some(Challenge::Html(_)) => shop.line("", "-> show htmlContent"),
        None => {}
    }
    if let Some(message) = result.message() {
        // The message may be about the payer: a shop reads the message, and does not log it.
        shop.line("", format!("-> a message of {} characters", message.as_str().chars().count()));
    }
}
