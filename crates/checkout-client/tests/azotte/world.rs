//! A tenant, its sandbox, clients of it, and what they submit.

use checkout_client::azotte::Client;
use checkout_sandbox::azotte::{CheckoutRecord, Sandbox, Tenant};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::azotte::PaymentChannel;
use checkout_validate::azotte::{CardDraft, Draft, SubmitCheckout};

pub(crate) const PROJECT: &str = "acme";
pub(crate) const TENANT: &str = "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f";
pub(crate) const API_KEY: &str = "sk_planted_key";
pub(crate) const CARD_NUMBER: &str = "4111111111111111";
pub(crate) const CVC: &str = "9173";
pub(crate) const HOLDER: &str = "Nora Planted";
pub(crate) const ALIAS: &str = "planted card";
pub(crate) const URN: &str = "urn:planted:42";
pub(crate) const ADDRESS: &str = "203.0.113.77";

/// 2024-06-01 12:52:07.923 UTC, where a sandbox's clock begins.
pub(crate) const START_MILLIS: i64 = 1_717_246_327_923;

pub(crate) fn sandbox(seed: u64) -> Sandbox {
    Sandbox::builder().seed(seed).tenant(Tenant::new(TENANT, API_KEY).project(PROJECT)).build()
}

/// A client with the sandbox's clock.
pub(crate) fn client(sandbox: &Sandbox) -> Client {
    client_of(sandbox, PROJECT, TENANT, API_KEY)
}

pub(crate) fn client_of(sandbox: &Sandbox, project: &str, tenant: &str, key: &str) -> Client {
    let clock = sandbox.clock().clone();
    let builder = Client::builder(project, tenant, key.into()).environment(Environment::Sandbox);
    builder.clock(move || clock.now()).build().unwrap()
}

/// A client whose clock stands still.
pub(crate) fn client_at(millis: i64) -> Client {
    let builder = Client::builder(PROJECT, TENANT, API_KEY.into()).environment(Environment::Sandbox);
    builder.clock(move || Moment::from_unix_millis(millis)).build().unwrap()
}

fn checked(draft: Draft<'static>, correlation_id: &str) -> SubmitCheckout<'static> {
    let draft = draft.offer_identifier("off_1").correlation_id(correlation_id.to_owned()).item("plan_gold");
    draft.customer_urn(URN).ip_address(ADDRESS).check().unwrap()
}

pub(crate) fn stored(correlation_id: &str) -> SubmitCheckout<'static> {
    checked(Draft::stored_method(PaymentChannel::CreditCard), correlation_id)
}

pub(crate) fn card(correlation_id: &str) -> SubmitCheckout<'static> {
    let card = CardDraft::new(CARD_NUMBER, "12", "2039").cvc(CVC).card_holder_name(HOLDER).card_alias(ALIAS);
    checked(Draft::new_card(card), correlation_id)
}

pub(crate) fn latest(sandbox: &Sandbox) -> CheckoutRecord {
    sandbox.checkouts().pop().expect("a checkout was made")
}
