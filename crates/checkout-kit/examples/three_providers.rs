//! Three checkouts with three providers, settled by one function that knows none of them: AllScale's is paid, Azotte's
//! passes through a 3DS challenge, and Peach's is paid after it had expired.
//!
//!     cargo run --example three_providers

mod watching;

use checkout_kit::{BlockingTransport, Call, Received};
use checkout_kit::{Cents, CoinAmount, Environment, Observable, Open, Phase, Reply, allscale, azotte, peach};
use checkout_sandbox::VirtualClock;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use watching::{Ending, Event, Shop, begin, usage};

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

/// The one function. What differs between providers is in the type of the call, and in what an order is compared by.
fn settle<T: Observable + Clone>(
    out: &mut dyn Write,
    clock: &VirtualClock,
    transport: &dyn BlockingTransport,
    call: &Call<T>,
    begun: Option<Received<T>>,
    is_the_orders: impl Fn(&T) -> bool,
) {
    let mut shop = Shop { clock: clock.clone(), out };
    let mut last = None;
    let (tracker, ending) = shop.watch(transport, call, begun, &mut |_, event| {
        if let Event::Answered(answer) = event {
            last = Some(answer.clone());
        }
    });
    // Before goods leave: what was read is this order's, and for what it asked.
    let same = last.as_ref().is_some_and(is_the_orders);
    let said = match (ending, tracker.phase(), tracker.superseded()) {
        (Ending::Paid, ..) if same => "paid: the goods leave",
        (Ending::Paid, ..) => "not what the order asked for: a person has to look",
        (Ending::Look, Some(Phase::Succeeded), Some(_)) if same => {
            "paid late: ship it after all, or give it back"
        }
        (Ending::Look, ..) => "a person has to look",
        (Ending::NotPaid | Ending::StillOpen | Ending::Usage, ..) => "not paid",
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
    // The whole intent, and not the bare status, which has nothing that an order can be compared by.
    settle(out, sandbox.clock(), &sandbox, &client.get(&created.intent_id)?, None, |intent| {
        let price = (intent.currency, intent.amount_cents);
        intent.order_id.as_deref() == order.order_id()
            && price == (Some(Open::Known(Currency::EUR)), Some(order.price().amount()))
            && intent.amount_coins == created.amount_coins
            && intent.actual_paid_amount >= Some(created.amount_coins)
    });
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
    // The answers carry no amount: what was submitted is what is charged, under this number.
    settle(out, sandbox.clock(), &sandbox, &client.status(&tracking_number)?, Some(begun), |result| {
        result.tracking_number.as_ref() == Some(&tracking_number)
    });
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
    settle(out, sandbox.clock(), &sandbox, &client.status(order.lookup()), None, |payment| {
        payment.merchant_transaction_id() == Some(order.merchant_transaction_id())
            && payment.amount().and_then(Result::ok) == Some(CoinAmount::from_cents(order.amount()))
            && payment.currency() == Some(Open::Known(order.currency()))
    });
    Ok(())
}
