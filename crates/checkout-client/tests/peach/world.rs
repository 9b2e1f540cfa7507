//! A merchant, its sandbox, clients of both versions, and what they create.

use crate::support::{self, counted_nonces};
use checkout_auth::peach::SecretToken;
use checkout_client::peach::{Client, Peach, v2};
use checkout_client::{Answer, CallError, CallErrorKind, NotSent, Readable};
use checkout_lifecycle::{Moment, Tracker, Verdict};
use checkout_money::Cents;
use checkout_sandbox::peach::{Builder, CheckoutRecord, Merchant, Sandbox};
use checkout_tables::Environment;
use checkout_tables::peach::{Currency, PaymentStatus};
use checkout_validate::peach::{Draft, InitiateCheckout, Lookup, MerchantTransactionId};
use checkout_wire::peach::Payment;
use std::time::Duration;

pub(crate) const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";
pub(crate) const SECRET: &str = "planted_secret_token_77";
pub(crate) const CLIENT_SECRET: &str = "planted_client_secret_88";
pub(crate) const MAIL: &str = "nora.planted@shop.example";
pub(crate) const NOTE: &str = "planted note & \"ü\"";
pub(crate) const REFERER: &str = "https://shop.example";

/// 2024-05-23 21:50:00 UTC, where a sandbox's clock begins.
pub(crate) const START_MILLIS: i64 = 1_716_501_000_000;

pub(crate) fn merchant() -> Merchant {
    let merchant = Merchant::new(ENTITY, secret()).domain("shop.example");
    merchant.client("my_client", CLIENT_SECRET, "my_merchant")
}

pub(crate) fn secret() -> SecretToken {
    SecretToken::new(SECRET.into()).unwrap()
}

/// A sandbox without a limit for statuses.
pub(crate) fn builder(environment: Environment) -> Builder {
    Sandbox::builder().seed(11).environment(environment).merchant(merchant()).status_limit(None)
}

pub(crate) fn sandbox() -> Sandbox {
    builder(Environment::Sandbox).build()
}

/// A client of V1 with the sandbox's clock.
pub(crate) fn client(sandbox: &Sandbox) -> Client {
    client_in(sandbox, Environment::Sandbox)
}

pub(crate) fn client_in(sandbox: &Sandbox, environment: Environment) -> Client {
    let clock = sandbox.clock().clone();
    let builder = Client::builder(ENTITY, secret()).environment(environment).referer(REFERER);
    builder.clock(move || clock.now()).nonces(counted_nonces()).build().unwrap()
}

pub(crate) fn credentials() -> v2::Credentials {
    v2::Credentials {
        client_id: "my_client".into(),
        client_secret: CLIENT_SECRET.into(),
        merchant_id: "my_merchant".into(),
    }
}

/// A client of V2 with the sandbox's clock, that does not know the secret token.
pub(crate) fn v2_builder(sandbox: &Sandbox) -> v2::Builder {
    let clock = sandbox.clock().clone();
    let builder = v2::Client::builder(ENTITY, credentials()).environment(Environment::Sandbox);
    builder.referer(REFERER).clock(move || clock.now()).nonces(counted_nonces())
}

pub(crate) fn checkout(merchant_transaction_id: &str) -> InitiateCheckout<'static> {
    checkout_of(ENTITY, merchant_transaction_id)
}

pub(crate) fn checkout_of(entity: &str, merchant_transaction_id: &str) -> InitiateCheckout<'static> {
    let draft = Draft::debit(Currency::ZAR, Cents::new(9_200)).entity_id(entity.to_owned());
    let draft = draft.merchant_transaction_id(merchant_transaction_id.to_owned());
    let draft = draft.shopper_result_url("https://shop.example/done?a=1&b=2");
    draft.custom_parameter("note", NOTE).field("customer.email", MAIL).check().unwrap()
}

/// Initiates a checkout by V1.
pub(crate) fn initiated(sandbox: &Sandbox, client: &Client, merchant_transaction_id: &str) -> CheckoutRecord {
    let call = client.initiate(&checkout(merchant_transaction_id)).unwrap();
    let page = call.send_blocking(sandbox).unwrap().payload.redirect_url;
    assert!(page.as_str().starts_with("https://"));
    latest(sandbox)
}

pub(crate) fn latest(sandbox: &Sandbox) -> CheckoutRecord {
    sandbox.checkouts().pop().expect("a checkout was made")
}

pub(crate) fn by(merchant_transaction_id: &str) -> Lookup<'_> {
    MerchantTransactionId::new(merchant_transaction_id).unwrap().into()
}

pub(crate) fn advance(sandbox: &Sandbox, seconds: u64) {
    sandbox.clock().advance(Duration::from_secs(seconds));
}

/// The status of a payment or else the code, and the amount, if any.
pub(crate) fn payment(payment: &Payment<'_>) -> String {
    let status = match payment.status() {
        Some(status) => status.known().map_or_else(|| "unknown".to_owned(), |status| format!("{status:?}")),
        None => "nothing".to_owned(),
    };
    let amount = payment.fields().get("amount").map_or_else(String::new, |amount| format!(" {amount}"));
    format!("{status}{amount}")
}

/// The outcome of an attempt in a few words.
pub(crate) fn outcome<T: Readable<Provider = Peach>>(
    outcome: Result<Answer<T>, CallError<Peach>>,
    payload: impl FnOnce(&T) -> String,
) -> String {
    support::outcome(outcome, payload, |refusal, wait| {
        let code = refusal.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
        format!("refused with {}{wait}{code}", refusal.http_status)
    })
}

/// The field that differs from the request, if the error names a field.
pub(crate) fn mismatch(error: &CallError<Peach>) -> Option<&'static str> {
    if let CallErrorKind::Mismatch(field) = error.kind() { Some(field) } else { None }
}

/// True if nothing was sent because no access token is good now.
pub(crate) fn wants_token(error: &CallError<Peach>) -> bool {
    matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken))
}

/// The effect of a status on a tracker: `-` if the status says nothing of the checkout, else the verdict and
/// the known status. The verdict has the subject for an unknown code alone.
pub(crate) fn observe(answer: &Answer<Payment<'static>>, tracker: &mut Tracker<PaymentStatus>) -> String {
    let Some(observation) = answer.observation() else { return "-".to_owned() };
    // The tracker never compares a moment of Peach's clock with ours.
    let verdict = tracker.observe(observation, Moment::from_unix_millis(0));
    let verdict = if let Verdict::Unknown(outcome) = verdict {
        format!("Unknown {outcome} at")
    } else {
        format!("{verdict:?}").split(' ').next().unwrap().to_owned()
    };
    let status = tracker.status().map_or_else(|| "nothing".to_owned(), |status| format!("{status:?}"));
    format!("{verdict} {status}")
}
