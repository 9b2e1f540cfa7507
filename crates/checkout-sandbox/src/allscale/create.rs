//! The order in a create request, and the rules of the documents for the order.

use std::fmt;
use std::num::NonZeroU32;

use checkout_tables::allscale::{Currency, StableCoin};
use serde_json::{Map, Value};

use super::refusal::{CREATE_ERROR, Refusal, VALIDATION};

/// A create request whose fields have passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) price: Price,
    pub(super) amount_cents: i64,
    /// Never empty.
    accepted: Option<Vec<StableCoin>>,
    pub(super) order_id: Option<String>,
    pub(super) order_description: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) redirect_url: Option<ReturnUrl>,
    /// An object.
    pub(super) extra: Option<Value>,
}

/// The address that the payer comes back to, which may hold anything of the shop's.
///
/// `Debug` prints nothing of the address.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ReturnUrl(pub(super) String);

impl fmt::Debug for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturnUrl").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Price {
    Fiat(Currency),
    Native(StableCoin),
}

/// The price of an order in coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) coin: StableCoin,
    /// In ten-thousandths of a coin.
    pub(super) amount: i128,
    /// `None` for a native order.
    pub(super) rate: Option<String>,
    /// A bitmask: bit n stands for the coin with the value n + 1.
    pub(super) accepted_flags: i64,
}

/// Coins for units of a fiat currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) coins: u32,
    pub(super) units: NonZeroU32,
}

/// The `order_id` in a create request, whatever else the request holds.
pub(super) fn order_id(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("order_id").and_then(Value::as_str).map(str::to_owned)
}

impl Order {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value =
            serde_json::from_slice(body).map_err(|_| Refusal::new(VALIDATION, "the body is not JSON"))?;
        let body =
            body.as_object().ok_or_else(|| Refusal::new(VALIDATION, "the body is not a JSON object"))?;
        let price = price(body)?;
        let amount_cents =
            integer(body, "amount_cents")?.ok_or_else(|| Refusal::field("amount_cents", "is required"))?;
        let accepted = accepted(body)?;
        let extra = present(body, "extra");
        if extra.is_some_and(|extra| !extra.is_object()) {
            return Err(Refusal::field("extra", "must be an object or null"));
        }
        Ok(Self {
            price,
            amount_cents,
            accepted,
            order_id: text(body, "order_id")?,
            order_description: text(body, "order_description")?,
            user_id: text(body, "user_id")?,
            user_name: text(body, "user_name")?,
            redirect_url: text(body, "redirect_url")?.map(ReturnUrl),
            extra: extra.cloned(),
        })
    }

    /// The coin that the order settles in, and the amount in that coin.
    ///
    /// `rate` gives the rate of a fiat order. The amount is rounded down to the four decimals that replies
    /// show, and then compared with the floor, so that no intent shows the amount that the page refuses.
    pub(super) fn terms(
        &self,
        store_coin: Option<StableCoin>,
        rate: impl FnOnce(Currency) -> Rate,
    ) -> Result<Terms, Refusal> {
        let first = self.accepted.as_ref().and_then(|coins| coins.first()).copied();
        let (coin, amount, rate) = match self.price {
            Price::Native(coin) => (coin, i128::from(self.amount_cents) * UNITS_PER_CENT, None),
            Price::Fiat(currency) => {
                let coin = first.or(store_coin).unwrap_or(StableCoin::USDT);
                let rate = rate(currency);
                (coin, rate.convert(self.amount_cents), Some(rate.text()))
            }
        };
        if ![1, 2].contains(&coin.value()) {
            return Err(Refusal::field("accepted_stable_coins", "the settlement coin is not supported"));
        }
        if amount <= FLOOR {
            let message = format!("amount must be greater than 0.1 {}!", coin.code());
            return Err(Refusal::new(CREATE_ERROR, message));
        }
        let settlement = [coin];
        let accepted = self.accepted.as_deref().unwrap_or(&settlement);
        let accepted_flags = accepted.iter().fold(0, |flags, coin| flags | 1 << (coin.value() - 1));
        Ok(Terms { coin, amount, rate, accepted_flags })
    }
}

impl Rate {
    /// One coin for one unit.
    pub(super) const ONE: Self = Self { coins: 1, units: NonZeroU32::MIN };

    fn convert(self, cents: i64) -> i128 {
        let coins = i128::from(cents) * UNITS_PER_CENT * i128::from(self.coins);
        coins.div_euclid(i128::from(self.units.get()))
    }

    /// The rate with four decimals if these are exact, and else with ten, rounded down.
    fn text(self) -> String {
        let scaled = |decimals: u32| i128::from(self.coins) * 10_i128.pow(decimals);
        let units = i128::from(self.units.get());
        let decimals = if scaled(4) % units == 0 { 4 } else { 10 };
        decimal(scaled(decimals) / units, decimals)
    }
}

/// A decimal number with this many decimals, written without an exponent.
pub(super) fn decimal(units: i128, decimals: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let (units, one) = (units.unsigned_abs(), 10_u128.pow(decimals));
    let width = usize::try_from(decimals).unwrap_or_default();
    format!("{sign}{}.{:0width$}", units / one, units % one)
}

fn price(body: &Map<String, Value>) -> Result<Price, Refusal> {
    match (integer(body, "currency")?, integer(body, "stable_coin")?) {
        (Some(value), None) => Currency::from_value(value)
            .map(Price::Fiat)
            .ok_or_else(|| Refusal::field("currency", "is not a value of Appendix A")),
        (None, Some(value)) => match StableCoin::from_value(value) {
            Some(coin) if [1, 2].contains(&value) => Ok(Price::Native(coin)),
            Some(_) => Err(Refusal::field("stable_coin", "is not supported")),
            None => Err(Refusal::field("stable_coin", "is not a value of Appendix B")),
        },
        (Some(_), Some(_)) | (None, None) => {
            Err(Refusal::field("currency", "set exactly one of currency and stable_coin"))
        }
    }
}

fn accepted(body: &Map<String, Value>) -> Result<Option<Vec<StableCoin>>, Refusal> {
    let refused = |message| Refusal::field("accepted_stable_coins", message);
    let Some(value) = present(body, "accepted_stable_coins") else { return Ok(None) };
    let values = value.as_array().ok_or_else(|| refused("must be a list of integers or null"))?;
    if values.is_empty() {
        return Err(refused("must not be empty"));
    }
    let coin = |value: &Value| value.as_i64().and_then(StableCoin::from_value);
    let coins: Option<Vec<_>> = values.iter().map(coin).collect();
    coins.map(Some).ok_or_else(|| refused("holds what is not a value of Appendix B"))
}

fn integer(body: &Map<String, Value>, field: &str) -> Result<Option<i64>, Refusal> {
    let Some(value) = present(body, field) else { return Ok(None) };
    value.as_i64().map(Some).ok_or_else(|| Refusal::field(field, "must be an integer"))
}

fn text(body: &Map<String, Value>, field: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = present(body, field) else { return Ok(None) };
    value
        .as_str()
        .map(|text| Some(text.to_owned()))
        .ok_or_else(|| Refusal::field(field, "must be a string or null"))
}

/// The field's value, unless the field is left out or null.
fn present<'a>(body: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    body.get(field).filter(|value| !value.is_null())
}

/// The number of decimals of an amount in coins, as in the page's sample.
pub(super) const DECIMALS: u32 = 4;

/// The ten-thousandths of a coin in a hundredth of a coin.
const UNITS_PER_CENT: i128 = 100;

/// 0.1 coin in ten-thousandths, typed from the page. An amount must be greater.
const FLOOR: i128 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_its_decimals_and_its_sign() {
        let table = [(0, "0.0000"), (1, "0.0001"), (10_000, "1.0000"), (-5, "-0.0005"), (123_456, "12.3456")];
        for (units, expected) in table {
            assert_eq!(decimal(units, 4), expected);
        }
        assert_eq!(decimal(i128::MIN, 10).len(), 41);
    }

    #[test]
    fn a_rate_is_exact_in_four_decimals_or_rounded_down_to_ten() {
        let text = |coins, units| Rate { coins, units: NonZeroU32::new(units).unwrap() }.text();
        assert_eq!(text(27, 20), "1.3500");
        assert_eq!(text(0, 20), "0.0000");
        assert_eq!(text(1, 3), "0.3333333333");
        assert_eq!(text(u32::MAX, 1), "4294967295.0000");
    }

    #[test]
    fn a_conversion_rounds_down_and_never_overflows() {
        let convert =
            |cents, coins, units| Rate { coins, units: NonZeroU32::new(units).unwrap() }.convert(cents);
        assert_eq!(convert(100, 27, 20), 13_500);
        assert_eq!(convert(1, 1, 3), 33);
        assert_eq!(convert(-1, 1, 3), -34);
        assert_eq!(convert(i64::MAX, u32::MAX, 1), i128::from(i64::MAX) * 100 * i128::from(u32::MAX));
    }
}
