//! A payment with Peach's Hosted Checkout, offline: an in-process sandbox stands in the provider's place, and
//! its clock is advanced instead of waiting.
//!
//!     cargo run --example peach_payment
//!     cargo run --example peach_payment -- --scenario late_success_after_expired
//!     cargo run --example peach_payment -- --scenario v2
//!     cargo run --example peach_payment -- --list
//!
//! The exit code says how the payment ended: see `Ending`.

mod watching;

use checkout_kit::peach::{
    Client, Currency, Draft, InitiateCheckout, Payment, ResultCode, ResultGroup, Route, SecretToken, v2,
};
use checkout_kit::settlement::peach::Order;
use checkout_kit::{Cents, Change, Environment, Verdict, Watch};
use checkout_sandbox::peach::{
    CLIENT_ID, CLIENT_SECRET, ENTITY_ID, Fault, MERCHANT_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario,
};
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use watching::ending::usage;
use watching::{Checkout, Ending, Shop, not_begun};

/// A way to go wrong: the name, and the sandbox's part.
type Mishap = (&'static str, fn(&Sandbox));

/// The mishaps on the way, beside the scenarios of the sandbox.
const MISHAPS: &[Mishap] = &[
    ("v2", |_| {}),
    // Nobody has the page, so nobody opens the page.
    ("lost_initiate_answer", |sandbox| {
        sandbox.next_checkout(Scenario::never_opened());
        sandbox.inject_on(Route::Initiate, Fault::LostAnswer);
    }),
    ("tampered_amount", |sandbox| sandbox.inject_on(Route::Status, Fault::TamperedAmount)),
    ("swapped_checkout", |sandbox| sandbox.inject_on(Route::Status, Fault::SwappedCheckout)),
    ("rough_polling", |sandbox| {
        let faults = [Fault::LostAnswer, Fault::RateLimited, Fault::Truncated, Fault::HtmlBadGateway];
        faults.into_iter().for_each(|fault| sandbox.inject_on(Route::Status, fault));
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
        [] => "happy",
        ["--scenario", name] if names().contains(&name) => name,
        ["--list"] => return usage(out, "peach_payment", &names(), Ending::Paid),
        _ => return usage(out, "peach_payment", &names(), Ending::Usage),
    };
    let sandbox = Sandbox::new(1);
    if let Some(scenario) = Scenario::by_name(name) {
        sandbox.next_checkout(scenario);
    }
    if let Some((_, prepare)) = MISHAPS.iter().find(|(known, _)| *known == name) {
        prepare(&sandbox);
    }
    let mut shop = Shop::new(sandbox.clock().clone(), out);
    let ended = draft().and_then(|checkout| match name {
        "v2" => by_v2(&mut shop, &sandbox, &checkout),
        _ => by_v1(&mut shop, &sandbox, &checkout),
    });
    match ended {
        Ok(ending) => ending as u8,
        Err(error) => {
            shop.line("error", error);
            Ending::Look as u8
        }
    }
}

fn draft() -> Result<InitiateCheckout<'static>, Box<dyn Error>> {
    let checkout = Draft::debit(Currency::ZAR, Cents::new(14_99))
        .entity_id(ENTITY_ID)
        .merchant_transaction_id("order_1001")
        .shopper_result_url("https://shop.example/result")
        .check()?;
    Ok(checkout)
}

/// V1: signed requests. The status is read by the checkout's id where the answer has an id, or else by our
/// own id.
fn by_v1(
    shop: &mut Shop<'_>,
    sandbox: &Sandbox,
    checkout: &InitiateCheckout<'_>,
) -> Result<Ending, Box<dyn Error>> {
    // The sandbox's clock. A client without a given clock uses the system's clock; the nonces are random, the
    // default.
    let clock = sandbox.clock().clone();
    let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into())?)
        .environment(Environment::Sandbox)
        .referer(REFERER)
        .clock(move || clock.now())
        .build()?;
    // The id to read the status by and to store: our own id, until an answer brings the checkout's id.
    let (mut lookup, mut checkout_id) = (checkout.lookup().into_owned(), None);
    match client.initiate(checkout)?.send_blocking(sandbox) {
        Ok(answer) => {
            shop.line("pay at", answer.payload.redirect_url.as_str());
            lookup = answer.payload.lookup(checkout).into_owned();
            checkout_id = answer.payload.checkout_id;
        }
        Err(error) => {
            shop.line("initiate", not_begun(&error));
            if !error.may_have_been_processed() {
                return Ok(Ending::NotPaid);
            }
            // The page is lost, so nobody can pay the checkout; but a read can tell if the checkout is there.
        }
    }
    let watch = client.watch(lookup);
    Ok(settle(shop, sandbox, watch, checkout, checkout_id.as_deref()))
}

/// V2: an access token, and a status that is read by the checkout's own id.
fn by_v2(
    shop: &mut Shop<'_>,
    sandbox: &Sandbox,
    checkout: &InitiateCheckout<'_>,
) -> Result<Ending, Box<dyn Error>> {
    let clock = sandbox.clock().clone();
    let credentials = v2::Credentials {
        client_id: CLIENT_ID.into(),
        client_secret: CLIENT_SECRET.into(),
        merchant_id: MERCHANT_ID.into(),
    };
    let client = v2::Client::builder(ENTITY_ID, credentials)
        .environment(Environment::Sandbox)
        .referer(REFERER)
        .secret_token(SecretToken::new(SECRET_TOKEN.into())?)
        .clock(move || clock.now())
        .build()?;
    client.authenticate_blocking(sandbox)?;
    let created = client.create(checkout)?.send_blocking(sandbox)?.payload;
    shop.line("pay at", created.redirect_url.as_str());
    // No read is possible without an id.
    let Some(id) = created.checkout_id else { return Ok(Ending::Look) };
    shop.line("created", &id);
    // The watch asks for a token when there is no token that is good.
    let watch = client.watch(&id)?;
    Ok(settle(shop, sandbox, watch, checkout, Some(&id)))
}

/// Watches the checkout, and holds the paid amount to the order.
fn settle(
    shop: &mut Shop<'_>,
    sandbox: &Sandbox,
    watch: Watch<Payment<'static>>,
    checkout: &InitiateCheckout<'_>,
    checkout_id: Option<&str>,
) -> Ending {
    let order = Order {
        environment: Environment::Sandbox,
        merchant_transaction_id: checkout.merchant_transaction_id(),
        checkout_id,
        amount: checkout.amount(),
        currency: checkout.currency(),
    };
    let (ending, why) = shop.settle(sandbox, Checkout { watch, order: &order }, &mut |shop, change| {
        // A code that is no status settles nothing, and the known status stays.
        if let Change::Attention { verdict: Verdict::Unknown(outcome), .. } = change
            && let Some(code) = outcome.result_code()
        {
            explain(shop, code);
        }
    });
    shop.line("ended", why);
    ending
}

/// Prints the meaning of a code, and the group.
fn explain(shop: &mut Shop<'_>, code: ResultCode) {
    let group = code.group().map_or("in no group", ResultGroup::name);
    let phase = checkout_kit::lifecycle::peach::phase(code)
        .map_or_else(|| "unknown".to_owned(), |phase| phase.to_string());
    let meaning = code.meaning().map_or_else(String::new, |meaning| format!(" ({meaning})"));
    shop.line("", format!("-> {code}{meaning}, {group}: {phase}"));
}
