//! A draft, and the request that a check makes of the draft.

use super::{Field, Limits, Rules, Violation, Violations, Warning};
use crate::Redacted;
use crate::text::{is_http, owned};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use checkout_money::{Cents, CoinAmount};
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, FLOOR_CENTS, StableCoin};
use serde::de::IgnoredAny;

/// A checkout intent that you would like to create, before any check.
///
/// The fields are the request's. Numbers from elsewhere can be put in unchanged: an unknown currency is a
/// violation when the draft is checked, and not before.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Request Fields.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Draft, Price, SettlementCoin, StableCoin};
/// use checkout_kit::tables::Open;
///
/// let draft = Draft::coin(StableCoin::USDT, Cents::new(1_000))
///     .order_id("order_124")
///     .redirect_url("https://example.com/checkout/allscale");
/// let intent = draft.check()?;
/// assert_eq!(intent.price(), Price::Coin { coin: StableCoin::USDT, amount: Cents::new(1_000) });
/// assert_eq!(intent.settlement(), SettlementCoin::Coin(StableCoin::USDT));
///
/// let foreign = Draft { currency: Some(Open::from(164)), amount_cents: Some(Cents::new(5)), ..Draft::default() };
/// assert_eq!(
///     foreign.check().unwrap_err().to_string(),
///     "currency: 164 is not a currency of Appendix A (10001)"
/// );
/// # Ok::<(), checkout_validate::allscale::Violations>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft<'a> {
    /// The fiat currency of the price. Set exactly one of this and `stable_coin`.
    pub currency: Option<Open<Currency>>,
    /// The stable coin of a native price. Set exactly one of this and `currency`.
    pub stable_coin: Option<Open<StableCoin>>,
    /// The amount in hundredths of the currency or the coin. Required.
    pub amount_cents: Option<Cents>,
    /// Your id of the order.
    pub order_id: Option<Cow<'a, str>>,
    /// Your description of the order. `Debug` does not show the text: the text can name the goods that the
    /// payer buys.
    pub order_description: Option<Redacted<'a>>,
    /// Your id of the user.
    pub user_id: Option<Redacted<'a>>,
    /// The user's name.
    pub user_name: Option<Redacted<'a>>,
    /// The URL that the user is sent to after the payment is completed. `Debug` does not show the URL: a
    /// session can be in it.
    pub redirect_url: Option<Redacted<'a>>,
    /// Metadata of yours: the text of a JSON object, sent unchanged. The object can hold anything about the
    /// payer, so `Debug` shows nothing of the text.
    pub extra: Option<Redacted<'a>>,
    /// The coins that the payer may settle in. The first decides the settlement coin of a fiat price.
    pub accepted_stable_coins: Option<Vec<Open<StableCoin>>>,
}

impl<'a> Draft<'a> {
    /// A price in a fiat currency, which AllScale converts. `amount` is in hundredths of the currency's unit,
    /// for every currency: ¥500 are 50 000 (Assumed: the documents name no exception).
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::Currency;
    /// let draft = Draft::fiat(Currency::EUR, Cents::new(100));
    /// assert!(draft.stable_coin.is_none());
    /// ```
    #[must_use]
    pub fn fiat(currency: Currency, amount: Cents) -> Self {
        Self { currency: Some(currency.into()), amount_cents: Some(amount), ..Self::default() }
    }

    /// A native price: `amount` is in hundredths of the coin.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::StableCoin;
    /// let draft = Draft::coin(StableCoin::USDC, Cents::new(11));
    /// assert!(draft.currency.is_none());
    /// ```
    #[must_use]
    pub fn coin(coin: StableCoin, amount: Cents) -> Self {
        Self { stable_coin: Some(coin.into()), amount_cents: Some(amount), ..Self::default() }
    }

    /// Your id of the order. The id is the only thread back to an intent whose create's answer was lost: make
    /// the id unique.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert_eq!(Draft::default().order_id("order_123").order_id.as_deref(), Some("order_123"));
    /// ```
    #[must_use]
    pub fn order_id(self, order_id: impl Into<Cow<'a, str>>) -> Self {
        Self { order_id: Some(order_id.into()), ..self }
    }

    /// Your description of the order.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert!(Draft::default().order_description("Monthly subscription").order_description.is_some());
    /// ```
    #[must_use]
    pub fn order_description(self, description: impl Into<Redacted<'a>>) -> Self {
        Self { order_description: Some(description.into()), ..self }
    }

    /// Your id of the user, and the user's name.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert!(Draft::default().user("user_456", "Tom").user_name.is_some());
    /// ```
    #[must_use]
    pub fn user(self, id: impl Into<Redacted<'a>>, name: impl Into<Redacted<'a>>) -> Self {
        self.user_id(id).user_name(name)
    }

    /// Your id of the user.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// let draft = Draft::default().user_id("user_456");
    /// assert!(draft.user_id.is_some() && draft.user_name.is_none());
    /// ```
    #[must_use]
    pub fn user_id(self, id: impl Into<Redacted<'a>>) -> Self {
        Self { user_id: Some(id.into()), ..self }
    }

    /// The user's name.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// let draft = Draft::default().user_name("Tom");
    /// assert!(draft.user_name.is_some() && draft.user_id.is_none());
    /// ```
    #[must_use]
    pub fn user_name(self, name: impl Into<Redacted<'a>>) -> Self {
        Self { user_name: Some(name.into()), ..self }
    }

    /// Sets the URL that the user is sent to after the payment is completed.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert!(Draft::default().redirect_url("https://example.com/").redirect_url.is_some());
    /// ```
    #[must_use]
    pub fn redirect_url(self, url: impl Into<Redacted<'a>>) -> Self {
        Self { redirect_url: Some(url.into()), ..self }
    }

    /// Metadata of yours: the text of a JSON object.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// assert!(Draft::default().extra(r#"{"source":"web"}"#).extra.is_some());
    /// ```
    #[must_use]
    pub fn extra(self, json: impl Into<Redacted<'a>>) -> Self {
        Self { extra: Some(json.into()), ..self }
    }

    /// The coins that the payer may settle in, the preferred one first.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// # use checkout_tables::allscale::StableCoin;
    /// let draft = Draft::default().accept([StableCoin::USDC, StableCoin::USDT]);
    /// assert_eq!(draft.accepted_stable_coins.map(|coins| coins.len()), Some(2));
    /// ```
    #[must_use]
    pub fn accept(self, coins: impl IntoIterator<Item = StableCoin>) -> Self {
        Self { accepted_stable_coins: Some(coins.into_iter().map(Open::from).collect()), ..self }
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::allscale::Draft;
    /// let order_id = String::from("order_123");
    /// let draft: Draft<'static> = Draft::default().order_id(&order_id).into_owned();
    /// drop(order_id);
    /// assert_eq!(draft.order_id.as_deref(), Some("order_123"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Draft<'static> {
        Draft {
            currency: self.currency,
            stable_coin: self.stable_coin,
            amount_cents: self.amount_cents,
            order_id: self.order_id.map(owned),
            order_description: self.order_description.map(Redacted::into_owned),
            user_id: self.user_id.map(Redacted::into_owned),
            user_name: self.user_name.map(Redacted::into_owned),
            redirect_url: self.redirect_url.map(Redacted::into_owned),
            extra: self.extra.map(Redacted::into_owned),
            accepted_stable_coins: self.accepted_stable_coins,
        }
    }

    /// Makes a request of the draft, if the documents and our own [`Limits`] allow the request.
    ///
    /// # Errors
    /// [`Violations`]: every fault at once, each with its field and the provider's code. A violation of one
    /// field is reported whatever the other fields hold; an amount of zero or less too. The floor of 0.1 coin
    /// is reported for a price in one supported coin and for nothing else: for another price the floor is not
    /// certain.
    pub fn check(self) -> Result<CreateIntent<'a>, Violations> {
        self.check_with(&Rules::default())
    }

    /// Checks the draft as [`check`](Self::check) does, under rules of the merchant's own, such as
    /// other [`Limits`].
    ///
    /// # Errors
    /// [`Violations`], as of [`check`](Self::check).
    pub fn check_with(self, rules: &Rules) -> Result<CreateIntent<'a>, Violations> {
        let mut violations = Vec::new();
        let mut warnings = Vec::new();
        let price = self.price(&mut violations);
        let accepted = self.accepted(&mut violations, &mut warnings);
        self.lengths(&rules.limits, &mut violations);
        if let Some(extra) = self.extra.as_ref().map(Redacted::as_str) {
            let limit = rules.limits.extra_depth;
            if !is_object(extra) {
                violations.push(Violation::ExtraNotAnObject);
            } else if depth(extra) > limit {
                violations.push(Violation::ExtraTooDeep { depth: depth(extra), limit });
            }
        }
        // Without a price there is a violation that says why.
        let Some(price) = price.filter(|_| violations.is_empty()) else {
            return Err(Violations::new(violations));
        };
        if let Price::Fiat { amount, .. } = price {
            let estimate = rules.estimate.and_then(|rate| rate.estimate(amount).ok());
            if let Some(estimate) = estimate.filter(|estimate| *estimate <= FLOOR) {
                warnings.insert(0, Warning::LooksBelowFloor { estimate });
            }
        } else if accepted.is_some() {
            warnings.insert(0, Warning::AcceptedBesideNative);
        }
        if self.redirect_url.as_ref().is_some_and(|url| !is_http(url.as_str())) {
            warnings.push(Warning::RedirectNotHttp);
        }
        warnings.sort_by_key(Warning::field);
        let first = accepted.as_deref().and_then(|coins: &[StableCoin]| coins.first().copied());
        let settlement = match price {
            Price::Coin { coin, .. } => Some(coin),
            Price::Fiat { .. } => first.or(rules.store_default),
        };
        let settlement = settlement.filter(|coin| coin.is_supported());
        Ok(CreateIntent {
            price,
            settlement: settlement.map_or(SettlementCoin::StoreDefault, SettlementCoin::Coin),
            order_id: self.order_id,
            order_description: self.order_description,
            user_id: self.user_id,
            user_name: self.user_name,
            redirect_url: self.redirect_url,
            extra: self.extra,
            accepted,
            warnings,
        })
    }

    /// The price, if the draft has exactly one and the price is allowed; and the violations of the price.
    fn price(&self, violations: &mut Vec<Violation>) -> Option<Price> {
        match (self.currency, self.stable_coin) {
            (Some(_), Some(_)) => violations.push(Violation::Both),
            (None, None) => violations.push(Violation::Neither),
            (Some(_), None) | (None, Some(_)) => {}
        }
        if let Some(Open::Unknown(unnamed)) = self.currency {
            violations.push(Violation::UnknownCurrency(*unnamed.raw()));
        }
        let coin = match self.stable_coin {
            Some(Open::Known(coin)) if coin.is_supported() => Some(coin),
            Some(Open::Known(coin)) => {
                violations.push(Violation::DisabledCoin(coin));
                None
            }
            Some(Open::Unknown(unnamed)) => {
                violations.push(Violation::UnknownCoin(*unnamed.raw()));
                None
            }
            None => None,
        };
        let Some(amount) = self.amount_cents else {
            violations.push(Violation::NoAmount);
            return None;
        };
        match (self.currency, coin) {
            (None, Some(coin)) if amount.get() <= FLOOR_CENTS => {
                violations.push(Violation::AtOrBelowFloor(coin));
                None
            }
            (None, Some(coin)) => Some(Price::Coin { coin, amount }),
            _ if !amount.is_positive() => {
                violations.push(Violation::NotPositive(amount));
                None
            }
            (Some(Open::Known(currency)), _) if self.stable_coin.is_none() => {
                Some(Price::Fiat { currency, amount })
            }
            _ => None,
        }
    }

    fn accepted(
        &self,
        violations: &mut Vec<Violation>,
        warnings: &mut Vec<Warning>,
    ) -> Option<Vec<StableCoin>> {
        let accepted = self.accepted_stable_coins.as_ref()?;
        if accepted.is_empty() {
            violations.push(Violation::NoneAccepted);
        }
        let mut seen = super::CoinSet::default();
        let mut coins = Vec::with_capacity(accepted.len());
        for (index, coin) in accepted.iter().enumerate() {
            match coin {
                Open::Known(coin) => {
                    if seen.contains(*coin) {
                        warnings.push(Warning::AcceptedTwice { index, coin: *coin });
                    } else if !coin.is_supported() {
                        warnings.push(Warning::AcceptedDisabled { index, coin: *coin });
                    }
                    seen = super::CoinSet::from_bits(seen.bits() | coin.flag());
                    coins.push(*coin);
                }
                Open::Unknown(unnamed) => {
                    violations.push(Violation::UnknownAccepted { index, value: *unnamed.raw() });
                }
            }
        }
        Some(coins)
    }

    fn lengths(&self, limits: &Limits, violations: &mut Vec<Violation>) {
        let text = |text: &Option<Cow<'_, str>>| text.as_ref().map_or(0, |text| text.len());
        let personal = |text: &Option<Redacted<'_>>| text.as_ref().map_or(0, |text| text.as_str().len());
        let rows = [
            (Field::OrderId, text(&self.order_id), limits.order_id),
            (Field::RedirectUrl, personal(&self.redirect_url), limits.redirect_url),
            (Field::OrderDescription, personal(&self.order_description), limits.order_description),
            (Field::UserId, personal(&self.user_id), limits.user_id),
            (Field::UserName, personal(&self.user_name), limits.user_name),
            (Field::Extra, personal(&self.extra), limits.extra),
            (
                Field::AcceptedStableCoins,
                self.accepted_stable_coins.as_ref().map_or(0, Vec::len),
                limits.accepted_stable_coins,
            ),
        ];
        let too_long = rows.into_iter().filter(|(_, length, limit)| length > limit);
        violations.extend(too_long.map(|(field, length, limit)| Violation::TooLong { field, length, limit }));
    }
}

/// A create request that the documents allow, and our own [`Limits`] too. Only [`Draft::check`] makes one.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft, Price, SettlementCoin, StableCoin};
///
/// let draft = Draft::fiat(Currency::USD, Cents::new(100)).accept([StableCoin::USDC]);
/// let intent = draft.check()?;
/// assert_eq!(intent.price().amount(), Cents::new(100));
/// assert_eq!(intent.settlement(), SettlementCoin::Coin(StableCoin::USDC));
/// assert_eq!(intent.accepted(), Some(&[StableCoin::USDC][..]));
/// assert!(intent.warnings().is_empty());
/// # Ok::<(), checkout_validate::allscale::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateIntent<'a> {
    price: Price,
    settlement: SettlementCoin,
    order_id: Option<Cow<'a, str>>,
    order_description: Option<Redacted<'a>>,
    user_id: Option<Redacted<'a>>,
    user_name: Option<Redacted<'a>>,
    redirect_url: Option<Redacted<'a>>,
    extra: Option<Redacted<'a>>,
    accepted: Option<Vec<StableCoin>>,
    warnings: Vec<Warning>,
}

impl CreateIntent<'_> {
    /// The price: in exactly one of a currency and a coin.
    #[must_use]
    pub const fn price(&self) -> Price {
        self.price
    }

    /// The coin that AllScale settles in, as far as the request decides the coin.
    #[must_use]
    pub const fn settlement(&self) -> SettlementCoin {
        self.settlement
    }

    /// Your id of the order.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        self.order_id.as_deref()
    }

    /// Your description of the order.
    #[must_use]
    pub fn order_description(&self) -> Option<&str> {
        self.order_description.as_ref().map(Redacted::as_str)
    }

    /// Your id of the user.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_ref().map(Redacted::as_str)
    }

    /// The user's name.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_ref().map(Redacted::as_str)
    }

    /// The URL that the user is sent to after the payment is completed.
    #[must_use]
    pub fn redirect_url(&self) -> Option<&str> {
        self.redirect_url.as_ref().map(Redacted::as_str)
    }

    /// Your metadata: the text of a JSON object.
    #[must_use]
    pub fn extra(&self) -> Option<&str> {
        self.extra.as_ref().map(Redacted::as_str)
    }

    /// The coins that the payer may settle in, as you listed them. Never an empty list.
    #[must_use]
    pub fn accepted(&self) -> Option<&[StableCoin]> {
        self.accepted.as_deref()
    }

    /// The warnings, in the order of the page's request fields.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::StableCoin;
    /// # use checkout_validate::allscale::{CreateIntent, Draft};
    /// let order_id = String::from("order_124");
    /// let draft = Draft::coin(StableCoin::USDT, Cents::new(1_000)).order_id(&order_id);
    /// let intent: CreateIntent<'static> = draft.check()?.into_owned();
    /// drop(order_id);
    /// assert_eq!(intent.order_id(), Some("order_124"));
    /// # Ok::<(), checkout_validate::allscale::Violations>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> CreateIntent<'static> {
        CreateIntent {
            price: self.price,
            settlement: self.settlement,
            order_id: self.order_id.map(owned),
            order_description: self.order_description.map(Redacted::into_owned),
            user_id: self.user_id.map(Redacted::into_owned),
            user_name: self.user_name.map(Redacted::into_owned),
            redirect_url: self.redirect_url.map(Redacted::into_owned),
            extra: self.extra.map(Redacted::into_owned),
            accepted: self.accepted,
            warnings: self.warnings,
        }
    }
}

/// The price of a checkout.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Price};
///
/// assert_eq!(Price::Fiat { currency: Currency::EUR, amount: Cents::new(100) }.to_string(), "1.00 EUR");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Price {
    /// In a fiat currency, which AllScale converts.
    Fiat {
        /// The currency.
        currency: Currency,
        /// Hundredths of the currency's unit.
        amount: Cents,
    },
    /// In a stable coin, one to one.
    Coin {
        /// The coin: a supported one.
        coin: StableCoin,
        /// Hundredths of the coin: more than 10.
        amount: Cents,
    },
}

impl Price {
    /// The amount, in hundredths of the currency or the coin.
    ///
    /// ```
    /// # use checkout_validate::allscale::Price;
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::StableCoin;
    /// assert_eq!(Price::Coin { coin: StableCoin::USDT, amount: Cents::new(11) }.amount().get(), 11);
    /// ```
    #[must_use]
    pub const fn amount(self) -> Cents {
        match self {
            Self::Fiat { amount, .. } | Self::Coin { amount, .. } => amount,
        }
    }
}

impl core::fmt::Display for Price {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Fiat { currency, amount } => write!(f, "{amount} {currency}"),
            Self::Coin { coin, amount } => write!(f, "{amount} {coin}"),
        }
    }
}

/// The coin that AllScale settles in, as far as the request decides the coin.
///
/// A native price settles in its coin, a fiat price in the first accepted coin, else as the store is set up,
/// which this crate cannot know, and where the store says nothing either in USDT.
///
/// Only supported coins settle anything. Where the first accepted coin of a fiat price, or the store's coin
/// of [`Rules`], is a disabled one, the page does not name the consequence: AllScale can refuse the request,
/// or take another coin. Assumed: no coin can be named then, so the value is
/// [`StoreDefault`](Self::StoreDefault), whatever [`Rules`] say of the store.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Important and Current Behavior.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft, SettlementCoin};
///
/// let intent = Draft::fiat(Currency::USD, Cents::new(100)).check()?;
/// assert_eq!(intent.settlement(), SettlementCoin::StoreDefault);
/// # Ok::<(), checkout_validate::allscale::Violations>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettlementCoin {
    /// This coin: a supported one.
    Coin(StableCoin),
    /// Not decided by the request: the store's setting decides, or AllScale decides about a first accepted
    /// coin that is disabled.
    StoreDefault,
}

/// True if a text is one JSON object and nothing else.
fn is_object(json: &str) -> bool {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    json.trim_start_matches(blank).starts_with('{') && serde_json::from_str::<IgnoredAny>(json).is_ok()
}

/// The nesting depth of the objects and lists of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// 0.1 coin.
const FLOOR: CoinAmount = CoinAmount::from_cents(Cents::new(FLOOR_CENTS));
