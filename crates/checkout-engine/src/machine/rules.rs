//! The rules of each provider that a read is held to.

use super::context::Context;
use crate::checkout::Checkout;
use crate::notes::{Notes, StoredChallenge};
use checkout_client::{Observable, Watchable};
use checkout_trust::settlement::{self, Policy, Read, Settlement};
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::{self, CheckoutResult};
use checkout_wire::peach::Payment;

/// The rules of a provider.
pub(crate) trait Reads<E: Watchable> {
    /// Compares a read with the stored order; `Err` if the row has no price.
    fn settlement(
        checkout: &Checkout,
        notes: &Notes,
        read: &Read<E>,
        policy: &Policy,
    ) -> Result<Settlement, &'static str>;

    /// The money that came, in words, where a read of a failed checkout tells.
    fn money(_: &E) -> Option<String> {
        None
    }

    /// The challenge that the payer has to meet.
    fn challenge(_: &E::StatusRead) -> Option<StoredChallenge> {
        None
    }

    /// Notes what a read tells that the row does not have yet.
    fn note(_: &mut Context, _: &E) {}
}

pub(crate) struct OfAllScale;
pub(crate) struct OfAzotte;
pub(crate) struct OfPeach;

const NO_PRICE: &str = "the row has no price to hold the read to";
const NO_OWED: &str =
    "the answer to the create was lost, and with it the amount owed: compare the read with the order";

impl Reads<Intent<'static>> for OfAllScale {
    fn settlement(
        checkout: &Checkout,
        notes: &Notes,
        read: &Read<Intent<'static>>,
        policy: &Policy,
    ) -> Result<Settlement, &'static str> {
        let mut coins = Vec::new();
        let price = notes.price.as_ref().and_then(|price| price.of_allscale(&mut coins)).ok_or(NO_OWED)?;
        let intent_id = checkout.checkout_id.as_deref().unwrap_or_default();
        let order = settlement::allscale::Order {
            environment: checkout.environment,
            id: &checkout.reference,
            intent_id,
            price,
        };
        Ok(order.settled_by_with(read, policy))
    }

    fn money(intent: &Intent<'static>) -> Option<String> {
        let paid = intent.actual_paid_amount.filter(|paid| !paid.is_zero())?;
        Some(paid.to_string())
    }
}

impl Reads<CheckoutResult<'static>> for OfAzotte {
    fn settlement(
        checkout: &Checkout,
        _: &Notes,
        read: &Read<CheckoutResult<'static>>,
        policy: &Policy,
    ) -> Result<Settlement, &'static str> {
        let tracking_number = checkout.checkout_id.as_deref().unwrap_or_default();
        let order = settlement::azotte::Order { environment: checkout.environment, tracking_number };
        Ok(order.settled_by_with(read, policy))
    }

    fn challenge(result: &CheckoutResult<'static>) -> Option<StoredChallenge> {
        debug_assert!(result.asks_payer().is_some() == result.challenge().is_some());
        result.challenge().map(|challenge| match challenge {
            azotte::Challenge::Html(html) => StoredChallenge::Html(html.to_owned()),
            azotte::Challenge::Url(url) => StoredChallenge::Url(url.to_owned()),
        })
    }
}

impl Reads<Payment<'static>> for OfPeach {
    fn settlement(
        checkout: &Checkout,
        notes: &Notes,
        read: &Read<Payment<'static>>,
        policy: &Policy,
    ) -> Result<Settlement, &'static str> {
        let (currency, amount) = notes.price.as_ref().and_then(|price| price.of_peach()).ok_or(NO_PRICE)?;
        let order = settlement::peach::Order {
            environment: checkout.environment,
            merchant_transaction_id: &checkout.reference,
            checkout_id: checkout.checkout_id.as_deref(),
            amount,
            currency,
        };
        Ok(order.settled_by_with(read, policy))
    }

    fn note(cx: &mut Context, payment: &Payment<'static>) {
        // V1's create names no checkout: the first read does.
        if let (None, Some(id)) = (&cx.checkout().checkout_id, payment.checkout_id()) {
            let id = id.to_owned();
            cx.edit(|checkout| checkout.checkout_id = Some(id));
        }
    }
}
