//! Three checkouts with three providers, watched and settled by one function that knows no provider:
//! AllScale's is paid, Azotte's passes through a 3DS challenge, and Peach's is paid after the expiry.
//!
//!     cargo run --example three_providers

mod watching;

use checkout_kit::settlement;
use checkout_kit::{BlockingTransport, Cents, Environment, Watchable, allscale, azotte, peach};
use checkout_sandbox::VirtualClock;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use watching::ending::usage;
use watching::{Checkout, Ending, Shop, not_begun};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs the program with the arguments, and returns the exit code.
pub fn run(arguments: &[String], out: &mut dyn Write) -> u8 {
    if !arguments.is_empty() {
        return usage(out, "three_providers", &[], Ending::Usage);
    }
    match all(out) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(out, "{error}");
            Ending::Look as u8
        }
    }
}

fn all(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    with_allscale(out)?;
    with_azotte(out)?;
    with_peach(out)
}

/// The one function. The difference between providers is in the type of the watch, and in the order that a
/// read is held to.
fn settle<E: Watchable>(
    out: &mut dyn Write,
    clock: &VirtualClock,
    transport: &dyn BlockingTransport,
    checkout: Checkout<'_, E>,
) {
    let mut shop = Shop::new(clock.clone(), out);
    let (_, why) = shop.settle(transport, checkout, &mut |_, _| {});
    shop.line("settled", why);
}

fn with_allscale(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use allscale::{Client, Currency, Draft, SigningKey, StableCoin};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};

    let _ = writeln!(out, "AllScale");
    let sandbox = Sandbox::new(1);
    let clock = sandbox.clock().clone();
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?)
        .environment(Environment::Sandbox)
        .clock(move || clock.now())
        .build()?;
    let draft = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").accept([StableCoin::USDT]);
    let created = client.create(&draft.check()?).send_blocking(&sandbox)?.payload;
    let order = settlement::allscale::Order {
        environment: Environment::Sandbox,
        id: "order_1",
        intent_id: &created.intent_id,
        price: settlement::allscale::OrderPrice::Fiat {
            currency: Currency::EUR,
            amount: Cents::new(4_990),
            owed: created.amount_coins,
            accepted: &[StableCoin::USDT],
        },
    };
    let watch = client.watch(&created.intent_id)?;
    settle(out, sandbox.clock(), &sandbox, Checkout { watch, order: &order });
    Ok(())
}

fn with_azotte(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use azotte::{Client, Draft, PaymentChannel};
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};

    let _ = writeln!(out, "\nAzotte");
    let sandbox = Sandbox::new(1);
    sandbox.next_checkout(Scenario::three_ds_url());
    let clock = sandbox.clock().clone();
    let client = Client::builder("acme", X_TN, API_KEY.into())
        .environment(Environment::Sandbox)
        .clock(move || clock.now())
        .build()?;
    let submit = Draft::stored_method(PaymentChannel::CreditCard)
        .offer_identifier("off_1")
        .correlation_id("order_2")
        .item("plan_gold")
        .customer_urn("urn:customer:42")
        .check()?;
    let submitted = client.submit(&submit).send_blocking(&sandbox).map_err(|error| not_begun(&error))?;
    let tracking_number = submitted.payload.tracking_number.clone();
    let order =
        settlement::azotte::Order { environment: Environment::Sandbox, tracking_number: &tracking_number };
    // The watch begins with the submit's answer, which says how long to wait, and ends nothing.
    let watch = client.watch_submitted(submitted)?;
    settle(out, sandbox.clock(), &sandbox, Checkout { watch, order: &order });
    Ok(())
}

fn with_peach(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};
    use peach::{Client, Currency, Draft, SecretToken};

    let _ = writeln!(out, "\nPeach");
    let sandbox = Sandbox::new(1);
    sandbox.next_checkout(Scenario::late_success_after_expired());
    let clock = sandbox.clock().clone();
    let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into())?)
        .environment(Environment::Sandbox)
        .referer(REFERER)
        .clock(move || clock.now())
        .build()?;
    let initiate = Draft::debit(Currency::ZAR, Cents::new(14_99))
        .entity_id(ENTITY_ID)
        .merchant_transaction_id("order_0003")
        .shopper_result_url("https://shop.example/result")
        .check()?;
    client.initiate(&initiate)?.send_blocking(&sandbox).map_err(|error| not_begun(&error))?;
    let order = settlement::peach::Order {
        environment: Environment::Sandbox,
        merchant_transaction_id: "order_0003",
        checkout_id: None, // V1's answer has none
        amount: Cents::new(14_99),
        currency: Currency::ZAR,
    };
    let watch = client.watch(initiate.lookup());
    settle(out, sandbox.clock(), &sandbox, Checkout { watch, order: &order });
    Ok(())
}
