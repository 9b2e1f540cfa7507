//! Three checkouts with three providers, settled by one function that knows none of them: AllScale's is paid, Azotte's
//! passes through a 3DS challenge, and Peach's is paid after it had expired.
//!
//!     cargo run --example three_providers

#[expect(dead_code, reason = "this one does not listen to what the others hear")]
mod watching;

use checkout_kit::{BlockingTransport, Call, Received};
use checkout_kit::{Cents, Environment, Observable, Phase, Reply, allscale, azotte, peach};
use checkout_sandbox::VirtualClock;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use watching::{Ending, Shop, begin, usage};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs it with the program's arguments, and gives the exit code.
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

/// The one function. What differs between providers is in the type of the call.
fn settle<T: Observable>(
    out: &mut dyn Write,
    clock: &VirtualClock,
    transport: &dyn BlockingTransport,
    call: &Call<T>,
    begun: Option<Received<T>>,
) {
    let mut shop = Shop { clock: clock.clone(), out };
    let (tracker, _) = shop.watch(transport, call, begun, &mut |_, _| {});
    let said = match (tracker.phase(), tracker.superseded()) {
        (Some(Phase::Succeeded), None) => "paid: the goods leave",
        (Some(Phase::Succeeded), Some(_)) => "paid late: ship it after all, or give it back",
        _ => "not paid",
    };
    shop.line("settled", said);
}

fn with_allscale(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use allscale::{Client, Currency, Draft, Rules, SigningKey};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};

    let _ = writeln!(out, "AllScale");
    let sandbox = Sandbox::new(1);
    let clock = sandbox.clock().clone();
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?)
        .environment(Environment::Sandbox)
        .clock(move || clock.now_millis())
        .build()?;
    let order = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1").check(&Rules::default())?;
    let created = client.create(&order).send_blocking(&sandbox)?.into_answer()?.payload;
    // The whole intent, and not the bare status: before goods leave it is compared with the order.
    settle(out, sandbox.clock(), &sandbox, &client.get(&created.intent_id)?, None);
    Ok(())
}

fn with_azotte(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use azotte::{Client, Draft, PaymentChannel, Rules};
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};

    let _ = writeln!(out, "\nAzotte");
    let sandbox = Sandbox::new(1);
    sandbox.next_checkout(Scenario::three_ds_url());
    let clock = sandbox.clock().clone();
    let client = Client::builder("acme", X_TN, API_KEY.into())
        .environment(Environment::Sandbox)
        .clock(move || clock.now_millis())
        .build()?;
    let order = Draft::stored_method(PaymentChannel::CreditCard)
        .offer_identifier("off_1")
        .correlation_id("order_2")
        .item("plan_gold")
        .customer_urn("urn:customer:42")
        .check(&Rules::default())?;
    let begun = begin(&client.submit(&order), &sandbox)?;
    let Reply::Done(answer) = &begun.reply else { return Err("the submit was refused".into()) };
    let tracking_number = answer.payload.tracking_number.clone().ok_or("no tracking number")?;
    settle(out, sandbox.clock(), &sandbox, &client.status(&tracking_number)?, Some(begun));
    Ok(())
}

fn with_peach(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};
    use peach::{Client, Currency, Draft, Rules, SecretToken};

    let _ = writeln!(out, "\nPeach");
    let sandbox = Sandbox::new(1);
    sandbox.next_checkout(Scenario::late_success_after_expired());
    let clock = sandbox.clock().clone();
    let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into())?)
        .environment(Environment::Sandbox)
        .referer(REFERER)
        .clock(move || clock.now_millis())
        .build()?;
    let order = Draft::debit(Currency::ZAR, Cents::new(14_99))
        .entity_id(ENTITY_ID)
        .merchant_transaction_id("order_0003")
        .shopper_result_url("https://shop.example/result")
        .check(&Rules::default())?;
    begin(&client.initiate(&order)?, &sandbox)?.into_answer()?;
    settle(out, sandbox.clock(), &sandbox, &client.status(order.lookup()), None);
    Ok(())
}
