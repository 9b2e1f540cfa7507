//! A payment from draft to settled, offline: an in-process sandbox stands in the provider's place, and its
//! clock is advanced instead of waiting.
//!
//!     cargo run --example first_payment
//!     cargo run --example first_payment -- --scenario late_success
//!     cargo run --example first_payment -- --list
//!
//! The exit code says how the payment ended: see `Ending`.

#[allow(dead_code, reason = "what begins a checkout is this example's own")]
mod watching;

use checkout_kit::allscale::{
    Client, CreateIntent, CreatedIntent, Currency, Draft, Intent, Price, Route, SettlementCoin, SigningKey,
    StableCoin,
};
use checkout_kit::settlement;
use checkout_kit::settlement::allscale::Order;
use checkout_kit::{
    Answer, Call, CallErrorKind, Cents, Change, CoinAmount, End, Environment, Moment, SecretString,
    wire::Verbatim,
};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;
use watching::{Checkout, Ending, Shop, whole};

/// A way that a payment can go: the name, the story, and the sandbox's part. A play with the name of one of
/// the sandbox's scenarios needs no story.
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
        let routes = [Route::Create, Route::Get];
        routes.into_iter().for_each(|route| sandbox.inject_on(route, Fault::TamperedAmount));
    }),
    ("tampered_status", "somebody answers the first poll with CONFIRMED", |sandbox| {
        sandbox.inject_on(Route::Status, Fault::TamperedStatus(20));
    }),
    ("swapped_intent", "every whole intent that is read belongs to another payment", |sandbox| {
        (0..100).for_each(|_| sandbox.inject_on(Route::Get, Fault::SwappedIntent));
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs the program with the arguments, and returns the exit code.
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
    let ended = sell(&mut Shop::new(sandbox.clock().clone(), out), &sandbox, name);
    let (ending, why) = ended.unwrap_or_else(|error| (Ending::Look, error.to_string()));
    let _ = writeln!(out, "\n{why}");
    ending as u8
}

fn list(out: &mut dyn Write, ending: Ending) -> u8 {
    let _ = writeln!(out, "usage: first_payment [--scenario NAME | --list]");
    for (name, about, _) in PLAYS {
        let _ = writeln!(out, "  {name:<22} {about}");
    }
    ending as u8
}

fn sell(shop: &mut Shop<'_>, sandbox: &Sandbox, name: &str) -> Result<(Ending, String), Box<dyn Error>> {
    // The sandbox's clock. A client without a given clock uses the system's clock; the nonces are random, the
    // default.
    let clock = sandbox.clock().clone();
    let slow_millis = if name == "wrong_clock" { 7 * 60_000 } else { 0 };
    let client = Client::builder(SigningKey::new(API_KEY, SecretString::from(API_SECRET))?)
        .environment(Environment::Sandbox)
        .clock(move || Moment::from_unix_millis(clock.now().unix_millis() - slow_millis))
        .build()?;

    // Draft, and check the draft against the documents. The error lists everything that is wrong at once.
    let draft = match draft(name).check() {
        Ok(draft) => draft,
        Err(violations) => {
            for violation in violations.iter() {
                let code = violation.code().map_or_else(String::new, |code| format!(" ({})", code.value()));
                shop.line("refused", format!("{}: {violation}{code}", violation.field()));
            }
            return Ok((Ending::NotPaid, "the documents forbid it, and nothing was sent".into()));
        }
    };
    shop.line("drafted", format!("{ORDER}, {}, settled in {}", draft.price(), settled_in(&draft)));

    // Create the intent. (The example save_before_send shows the writes before the create, so that no order
    // is lost.)
    let created = match create(shop, sandbox, &client.create(&draft)) {
        Ok(created) => created,
        Err(ended) => return Ok(ended),
    };
    shop.line("pay at", created.checkout_url.as_str());
    shop.line("owed", format!("{} {}", created.amount_coins, created.stable_coin_type));

    // Watch the intent to the end, and hold the whole intent to the order before the goods leave.
    let coins = [StableCoin::USDT, StableCoin::USDC];
    let order = Order {
        environment: Environment::Sandbox,
        id: ORDER,
        intent_id: &created.intent_id,
        price: match draft.price() {
            Price::Fiat { currency, amount } => {
                let (owed, accepted) = (created.amount_coins, &coins);
                settlement::allscale::OrderPrice::Fiat { currency, amount, owed, accepted }
            }
            Price::Coin { coin, amount } => settlement::allscale::OrderPrice::Coin { coin, amount },
        },
    };
    let watch = client.watch(&created.intent_id)?;
    let mut said = None;
    Ok(shop.settle(sandbox, Checkout { watch, order: &order }, &mut |shop, change| {
        if let Change::End(End::Ended { answer, .. }) = change
            && answer.payload.actual_paid_amount.is_some()
        {
            let paid = paid(&answer.payload);
            if said.replace(paid.clone()) != Some(paid.clone()) {
                shop.line(&shop.time(), paid);
            }
        }
    }))
}

/// The created intent, or the ending before there was an intent.
fn create(
    shop: &mut Shop<'_>,
    sandbox: &Sandbox,
    call: &Call<CreatedIntent<'static>>,
) -> Result<CreatedIntent<'static>, (Ending, String)> {
    let mut sent = call.send_blocking(sandbox);
    if let Err(error) = &sent
        && let CallErrorKind::NotSent(_) = error.kind()
    {
        shop.line("create", whole(error));
        // Nothing was created, so another attempt makes no second intent. The attempt is signed anew.
        sent = call.send_blocking(sandbox);
    }
    // The intent is there and can be paid; an answer that differs from the request settles no order.
    for difference in sent.iter().flat_map(Answer::differences) {
        shop.line("differs", difference);
    }
    let error = match sent {
        Ok(answer) => {
            shop.line("created", format!("request id {}", answer.request_id.as_deref().unwrap_or("none")));
            return Ok(answer.payload);
        }
        Err(error) => error,
    };
    shop.line("create", whole(&error));
    Err(if error.may_have_been_processed() {
        (Ending::Look, "an intent may exist: see the example save_before_send".into())
    } else {
        (Ending::NotPaid, "refused, and nothing was created".into())
    })
}

fn draft(name: &str) -> Draft<'static> {
    let draft = match name {
        "below_floor" => Draft::coin(StableCoin::USDT, Cents::new(10)).accept([]),
        "refused" => Draft::fiat(Currency::JPY, Cents::new(100)),
        _ => Draft::fiat(Currency::EUR, Cents::new(4_990)).accept([StableCoin::USDT, StableCoin::USDC]),
    };
    draft.order_id(ORDER).order_description("One teapot").user("user_7", "Ada")
}

fn paid(intent: &Intent<'_>) -> String {
    let text = |amount: Option<&CoinAmount>| amount.map_or("nothing".to_owned(), CoinAmount::to_string);
    let more = intent.actual_paid_amount.and_then(|paid| paid.checked_sub(intent.amount_coins).ok());
    let more = more.filter(|more| !more.is_zero() && !more.is_negative());
    let more = more.map_or_else(String::new, |more| format!(", {more} too much"));
    // The provider's own arithmetic decides nothing, so the amount is carried unread.
    let net = intent.net_income_amount.as_ref().and_then(Verbatim::known);
    let (paid, net) = (text(intent.actual_paid_amount.as_ref()), text(net.as_ref()));
    format!("paid {paid} of {}{more}; {net} after the fee", intent.amount_coins)
}

fn settled_in(order: &CreateIntent<'_>) -> String {
    match order.settlement() {
        SettlementCoin::Coin(coin) => coin.to_string(),
        SettlementCoin::StoreDefault => "what the store has set".into(),
    }
}

const ORDER: &str = "order_1001";
