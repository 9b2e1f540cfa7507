//! One payment, from the draft to the goods, with a sandbox in the provider's place.
//!
//!     cargo run --example hello
#![allow(clippy::print_stdout, reason = "a program's output")]

use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
use checkout_kit::settlement::allscale::Order;
use checkout_kit::{Cents, Environment};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The transport: in production an HTTP client, such as `checkout_reqwest::Blocking`.
    let transport = Sandbox::new(1);
    let clock = transport.clock().clone();
    let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?)
        .environment(Environment::Sandbox)
        .clock(move || clock.now()) // in production the system's clock, without this line
        .build()?;

    // The checkout is created, and the payer goes to the hosted page.
    let draft = Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id("order_123").check()?;
    let answer = client.create(&draft).send_blocking(&transport)?;
    if let Some(difference) = answer.differences().first() {
        return Err(difference.to_string().into());
    }
    let created = answer.payload;
    println!("pay at  {}", created.checkout_url.as_str());

    // The watch polls until the checkout has ended.
    let end =
        client.watch(&created.intent_id)?.end_blocking(&transport, |wait| transport.clock().advance(wait));
    if end.wants_attention() {
        return Err("a person has to look before the goods leave".into());
    }

    // The goods leave for a read that settles this order, and for nothing else.
    let read = end.into_read().ok_or("still open: look again later")?;
    let goods_leave_for = Environment::Sandbox; // in a shop: `Live`
    let order = Order::of(goods_leave_for, &draft, &created).ok_or("the draft has no order id")?;
    println!("order   {}", order.settled_by(&read));
    Ok(())
}
