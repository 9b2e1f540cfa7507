//! The payloads of the answers.

use crate::json::{carried_personal, carried_text, object, text, write_carried_personal};
use crate::{JsonText, Verbatim};
use alloc::borrow::Cow;
use checkout_money::{Cents, CoinAmount, Rate};
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, IntentStatus, PaymentMethodType, StableCoin};
use checkout_validate::Redacted;
use checkout_validate::allscale::CoinSet;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// The payload of a create: an intent that can be paid.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Response Fields.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":0,"payload":{"checkout_url":"https://checkout.allscale.io/abc123",
///     "allscale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","amount_coins":"1.0000","stable_coin_type":1,
///     "rate":"1.3500","accepted_stable_coins":1},"error":null,"request_id":"req_xxxxx"}"#;
/// let Reply::Done(answer) = allscale::read::<allscale::CreatedIntent>(&Head::new(200), body)? else { panic!() };
/// assert_eq!(answer.payload.intent_id, "65b2f3d0d2d9c0a1b2c3d4e5");
/// assert_eq!(answer.payload.amount_coins.to_string(), "1.0000");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedIntent<'a> {
    /// The hosted page: send the payer there. `Debug` does not show the page: anybody with the page can pay
    /// in the payer's place and read the payer's purchase. Escape the URL, as any text, before putting the
    /// URL into HTML.
    pub checkout_url: Redacted<'a>,
    /// The intent's id, opaque. The documents spell the field `allscale_checkout_intent_id` here and
    /// `all_scale_checkout_intent_id` elsewhere; both are read.
    pub intent_id: Cow<'a, str>,
    /// The amount in coins: the authority on the amount owed.
    pub amount_coins: CoinAmount,
    /// The settlement coin.
    pub stable_coin_type: Open<StableCoin>,
    /// The provider's rate; null for a native price (Assumed, as for an intent that is read). Carried
    /// unchanged, whatever the value: the documented sample fits neither multiplication nor division.
    pub rate: Option<Verbatim<'a, Rate>>,
    /// The coins that the payer may settle in; null on old intents. No order settles by this list, so the
    /// list is carried.
    pub accepted_stable_coins: Option<Verbatim<'a, CoinSet>>,
}

impl CreatedIntent<'_> {
    /// Returns the same intent, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> CreatedIntent<'static> {
        CreatedIntent {
            checkout_url: self.checkout_url.into_owned(),
            intent_id: owned(self.intent_id),
            amount_coins: self.amount_coins,
            stable_coin_type: self.stable_coin_type,
            rate: self.rate.map(Verbatim::into_owned),
            accepted_stable_coins: self.accepted_stable_coins.map(Verbatim::into_owned),
        }
    }
}

/// The payload of a get: the whole intent.
///
/// Only the id, the status and the amount in coins are required; every other field that an answer leaves out
/// or has as null is none. The four fields of a fiat price are null for a native price.
///
/// The fields that settle an order are strict: the id, the status, the order's id, the price with its
/// currency, the amounts owed and paid, the coin. An error names the field. Every other field decides nothing
/// and is [`Verbatim`]: as documented, or else the JSON unchanged. None of these makes an answer unreadable
/// (Assumed: no page says that a field's type can differ).
///
/// Source: *Get Checkout Intent*, v3, 2026-03-06, Response Fields; that the fiat fields and `tx_to` can be
/// null is in newer pages.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","status":20,
///     "amount_coins":"10.00","coin_symbol":"USDT","user_name":"Tom","actual_paid_amount":"10.00"}}"#;
/// let Reply::Done(answer) = allscale::read::<allscale::Intent>(&Head::new(200), body)? else { panic!() };
/// let intent = answer.payload;
/// assert_eq!(intent.status, Open::Known(IntentStatus::Confirmed));
/// assert_eq!(intent.actual_paid_amount, Some(intent.amount_coins));
/// assert!(!format!("{intent:?}").contains("Tom"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent<'a> {
    /// The intent's id, opaque.
    pub intent_id: Cow<'a, str>,
    /// The fiat currency of the price.
    pub currency: Option<Open<Currency>>,
    /// The currency's symbol, such as `USD`.
    pub currency_symbol: Option<Open<Currency, Cow<'a, str>>>,
    /// The price, in hundredths of the currency.
    pub amount_cents: Option<Cents>,
    /// The chain, by its EIP-155 id.
    pub chain_id: Option<Verbatim<'a, u64>>,
    /// The amount in coins: the authority on the amount owed.
    pub amount_coins: CoinAmount,
    /// The coin.
    pub coin_symbol: Option<Open<StableCoin, Cow<'a, str>>>,
    /// The coin's contract.
    pub coin_contract: Option<Verbatim<'a, Cow<'a, str>>>,
    /// The provider's rate. Carried unchanged, whatever the value, and never for calculation.
    pub currency_rate: Option<Verbatim<'a, Rate>>,
    /// The status.
    pub status: Open<IntentStatus>,
    /// Your id of the order.
    pub order_id: Option<Cow<'a, str>>,
    /// The merchant's description of the order.
    pub order_description: Option<Verbatim<'a, Redacted<'a>>>,
    /// Your id of the user.
    pub user_id: Option<Verbatim<'a, Redacted<'a>>>,
    /// The user's name.
    pub user_name: Option<Verbatim<'a, Redacted<'a>>>,
    /// The error message, if something went wrong.
    pub error_message: Option<Verbatim<'a, Redacted<'a>>>,
    /// The transaction from the payer's wallet to the ephemeral one.
    pub tx_hash: Option<Verbatim<'a, Redacted<'a>>>,
    /// The transaction from the ephemeral wallet to the merchant's.
    pub tx_hash_2: Option<Verbatim<'a, Redacted<'a>>>,
    /// The payer's wallet.
    pub tx_from: Option<Verbatim<'a, Redacted<'a>>>,
    /// The merchant's wallet.
    pub tx_to: Option<Verbatim<'a, Redacted<'a>>>,
    /// The amount that the payer paid.
    pub actual_paid_amount: Option<CoinAmount>,
    /// The provider's fee. Verbatim.
    pub service_fee_amount: Option<Verbatim<'a, CoinAmount>>,
    /// The net income of the merchant: paid less the fee (Stated: GI-17). Carried unchanged; `settlement` of
    /// `checkout-trust` adds a remark if the amounts do not fit.
    pub net_income_amount: Option<Verbatim<'a, CoinAmount>>,
    /// The payer's payment method.
    pub payment_method_type: Option<Verbatim<'a, Open<PaymentMethodType>>>,
    /// The metadata of the create, if an answer carries metadata (Assumed: no page lists the field), as exact
    /// JSON text.
    pub extra: Option<JsonText<'a>>,
}

impl Intent<'_> {
    /// Returns the same intent, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Intent<'static> {
        Intent {
            intent_id: owned(self.intent_id),
            currency: self.currency,
            currency_symbol: self.currency_symbol.map(Open::into_owned),
            amount_cents: self.amount_cents,
            chain_id: self.chain_id.map(Verbatim::into_owned),
            amount_coins: self.amount_coins,
            coin_symbol: self.coin_symbol.map(Open::into_owned),
            coin_contract: self.coin_contract.map(|contract| contract.into_owned_with(owned)),
            currency_rate: self.currency_rate.map(Verbatim::into_owned),
            status: self.status,
            order_id: self.order_id.map(owned),
            order_description: self.order_description.map(personal),
            user_id: self.user_id.map(personal),
            user_name: self.user_name.map(personal),
            error_message: self.error_message.map(personal),
            tx_hash: self.tx_hash.map(personal),
            tx_hash_2: self.tx_hash_2.map(personal),
            tx_from: self.tx_from.map(personal),
            tx_to: self.tx_to.map(personal),
            actual_paid_amount: self.actual_paid_amount,
            service_fee_amount: self.service_fee_amount.map(Verbatim::into_owned),
            net_income_amount: self.net_income_amount.map(Verbatim::into_owned),
            payment_method_type: self.payment_method_type.map(Verbatim::into_owned),
            extra: self.extra.map(JsonText::into_owned),
        }
    }
}

/// The payload of the test route `GET /v1/test/ping`.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":0,"payload":{"pong":"ok"},"error":null,"request_id":"r"}"#;
/// let Reply::Done(answer) = allscale::read::<allscale::Pong>(&Head::new(200), body)? else { panic!() };
/// assert_eq!(answer.payload.pong, "ok");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pong<'a> {
    /// `ok`
    pub pong: Cow<'a, str>,
}

impl Pong<'_> {
    /// Returns the same payload, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Pong<'static> {
        Pong { pong: owned(self.pong) }
    }
}

/// The payload of the test route `POST /v1/test/post`.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":0,"payload":{"your_request_body":{"a":1}},"error":null,"request_id":"r"}"#;
/// let Reply::Done(answer) = allscale::read::<allscale::Echo>(&Head::new(200), body)? else { panic!() };
/// assert_eq!(answer.payload.your_request_body.as_str(), r#"{"a":1}"#);
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Echo<'a> {
    /// The body of the request, as exact JSON text.
    pub your_request_body: JsonText<'a>,
}

impl Echo<'_> {
    /// Returns the same payload, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Echo<'static> {
        Echo { your_request_body: self.your_request_body.into_owned() }
    }
}

pub(super) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

pub(super) fn personal(text: Verbatim<'_, Redacted<'_>>) -> Verbatim<'static, Redacted<'static>> {
    text.into_owned_with(Redacted::into_owned)
}

/// Reads the two spellings of the id: either, or both if they agree.
pub(super) fn one_id<'a, E: Error>(
    this: Option<Cow<'a, str>>,
    other: Option<Cow<'a, str>>,
    documented: &'static str,
) -> Result<Cow<'a, str>, E> {
    match (this, other) {
        (Some(this), Some(other)) if this != other => Err(E::custom("the two spellings of the id differ")),
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => Err(E::missing_field(documented)),
    }
}

#[derive(serde::Deserialize)]
struct PongForm<'a> {
    #[serde(borrow)]
    pong: Cow<'a, str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Pong<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PongForm { pong } = object(deserializer)?;
        Ok(Self { pong })
    }
}

#[derive(serde::Deserialize)]
struct EchoForm<'a> {
    #[serde(borrow)]
    your_request_body: JsonText<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Echo<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let EchoForm { your_request_body } = object(deserializer)?;
        Ok(Self { your_request_body })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct CreatedForm<'a> {
    #[serde(borrow)]
    checkout_url: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    allscale_checkout_intent_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text", skip_serializing)]
    all_scale_checkout_intent_id: Option<Cow<'a, str>>,
    amount_coins: CoinAmount,
    stable_coin_type: Open<StableCoin>,
    #[serde(borrow, default)]
    rate: Option<Verbatim<'a, Rate>>,
    #[serde(borrow, default)]
    accepted_stable_coins: Option<Verbatim<'a, u64>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for CreatedIntent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form: CreatedForm<'a> = object(deserializer)?;
        let id = one_id(
            form.allscale_checkout_intent_id,
            form.all_scale_checkout_intent_id,
            "allscale_checkout_intent_id",
        )?;
        Ok(Self {
            checkout_url: Redacted::from(form.checkout_url),
            intent_id: id,
            amount_coins: form.amount_coins,
            stable_coin_type: form.stable_coin_type,
            rate: form.rate,
            accepted_stable_coins: form.accepted_stable_coins.map(|coins| coins.map(CoinSet::from_bits)),
        })
    }
}

impl Serialize for CreatedIntent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CreatedForm {
            checkout_url: Cow::Borrowed(self.checkout_url.as_str()),
            allscale_checkout_intent_id: Some(Cow::Borrowed(&self.intent_id)),
            all_scale_checkout_intent_id: None,
            amount_coins: self.amount_coins,
            stable_coin_type: self.stable_coin_type,
            rate: self.rate.clone(),
            accepted_stable_coins: self.accepted_stable_coins.clone().map(|coins| coins.map(CoinSet::bits)),
        }
        .serialize(serializer)
    }
}

/// The intent with its fields in the order of the page. Written from a borrowed intent, read into an owned
/// form.
macro_rules! intent_form {
    ($($(#[$meta:meta])* $field:ident: $type:ty,)+) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct IntentForm<'a> {
            #[serde(borrow, default, deserialize_with = "text")]
            all_scale_checkout_intent_id: Option<Cow<'a, str>>,
            #[serde(borrow, default, deserialize_with = "text", skip_serializing)]
            allscale_checkout_intent_id: Option<Cow<'a, str>>,
            $($(#[$meta])* $field: $type,)+
        }

        impl<'de: 'a, 'a> Deserialize<'de> for Intent<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let form: IntentForm<'a> = object(deserializer)?;
                let id = one_id(
                    form.all_scale_checkout_intent_id,
                    form.allscale_checkout_intent_id,
                    "all_scale_checkout_intent_id",
                )?;
                Ok(Self { intent_id: id, $($field: form.$field,)+ })
            }
        }

        impl Serialize for Intent<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let this = self.clone();
                IntentForm {
                    all_scale_checkout_intent_id: Some(this.intent_id),
                    allscale_checkout_intent_id: None,
                    $($field: this.$field,)+
                }
                .serialize(serializer)
            }
        }
    };
}

intent_form! {
    #[serde(default)]
    currency: Option<Open<Currency>>,
    #[serde(borrow, default)]
    currency_symbol: Option<Open<Currency, Cow<'a, str>>>,
    #[serde(default)]
    amount_cents: Option<Cents>,
    #[serde(borrow, default)]
    chain_id: Option<Verbatim<'a, u64>>,
    amount_coins: CoinAmount,
    #[serde(borrow, default)]
    coin_symbol: Option<Open<StableCoin, Cow<'a, str>>>,
    #[serde(borrow, default, deserialize_with = "carried_text")]
    coin_contract: Option<Verbatim<'a, Cow<'a, str>>>,
    #[serde(borrow, default)]
    currency_rate: Option<Verbatim<'a, Rate>>,
    status: Open<IntentStatus>,
    #[serde(borrow, default, deserialize_with = "text")]
    order_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    order_description: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    user_id: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    user_name: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    error_message: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_hash: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_hash_2: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_from: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_to: Option<Verbatim<'a, Redacted<'a>>>,
    #[serde(default)]
    actual_paid_amount: Option<CoinAmount>,
    #[serde(borrow, default)]
    service_fee_amount: Option<Verbatim<'a, CoinAmount>>,
    #[serde(borrow, default)]
    net_income_amount: Option<Verbatim<'a, CoinAmount>>,
    #[serde(borrow, default)]
    payment_method_type: Option<Verbatim<'a, Open<PaymentMethodType>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    extra: Option<JsonText<'a>>,
}
