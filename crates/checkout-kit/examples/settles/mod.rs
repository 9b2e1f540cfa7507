//! The question before goods leave: does this intent settle that order? Both examples ask it.

use checkout_kit::allscale::{Intent, IntentStatus, Price, StableCoin};
use checkout_kit::{CoinAmount, Open};

/// What the shop has stored of an order.
pub(super) struct Order<'a> {
    /// What the create was given as `order_id`.
    pub(super) id: &'a str,
    /// What the create was given as the price.
    pub(super) price: Price,
    /// The coins that may be paid in.
    pub(super) coins: &'a [StableCoin],
    /// `amount_coins` of the create's answer.
    pub(super) owed: CoinAmount,
}

/// What speaks against it, if anything does. The whole intent is asked: a bare status could be anybody's.
pub(super) fn objection(intent: &Intent<'_>, order: &Order<'_>) -> Option<&'static str> {
    let coin = intent.coin_symbol.as_ref().and_then(Open::known);
    let same_price = match order.price {
        Price::Fiat { currency, amount } => {
            intent.currency == Some(Open::Known(currency)) && intent.amount_cents == Some(amount)
        }
        Price::Coin { coin: asked, amount } => {
            coin == Some(asked) && intent.amount_coins == CoinAmount::from_cents(amount)
        }
    };
    let checks = [
        (intent.status == Open::Known(IntentStatus::Confirmed), "the whole intent is not confirmed"),
        (intent.order_id.as_deref() == Some(order.id), "the intent is another order's"),
        (same_price, "the intent has another price"),
        (coin.is_some_and(|coin| order.coins.contains(&coin)), "the intent is in another coin"),
        (intent.amount_coins == order.owed, "what is owed is not what the create's answer said"),
        (intent.actual_paid_amount >= Some(order.owed), "less has come than is owed"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, objection)| objection)
}
