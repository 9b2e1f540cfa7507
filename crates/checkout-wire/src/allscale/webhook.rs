//! The body of a webhook.

use super::payload::{one_id, owned, personal};
use crate::json::{
    BODY_CAP, carried_personal, carried_text, from_json_or_why, object, object_text, text,
    write_carried_personal,
};
use crate::{Head, JsonText, ReadError, ReadErrorKind, Verbatim};
use alloc::borrow::Cow;
use alloc::string::String;
use checkout_money::{Cents, CoinAmount};
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, PaymentMethodType, StableCoin};
use checkout_validate::Redacted;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer};

/// The body of a webhook: something was paid for an intent. The body has **no status**: a webhook is a signed
/// hint. Read the intent before you act on a webhook.
///
/// The three ids are required. Every other field that a body leaves out or has as null is none, and a field
/// of another type is [`Verbatim`], unchanged. Do not believe the fields until the signature has been
/// verified over the same bytes.
///
/// Source: *Webhook Signing & Payload Guide*, v5, 2026-04-30, the table of fields. No page prints a body;
/// ours are built from that list.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::allscale::read_webhook;
///
/// let body = br#"{"all_scale_transaction_id":"txn_1","all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5",
///     "webhook_id":"wh_1","amount_coins":"1.0000","coin_symbol":"USDT","order_id":"order_123","user_name":"Tom"}"#;
/// let webhook = read_webhook(body)?;
/// assert_eq!(webhook.intent_id, "65b2f3d0d2d9c0a1b2c3d4e5");
/// assert_eq!(webhook.order_id.as_ref().and_then(|id| id.text()), Some("order_123"));
/// assert!(!format!("{webhook:?}").contains("Tom"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookBody<'a> {
    /// The transaction: the key that identifies repeated deliveries.
    pub transaction_id: Cow<'a, str>,
    /// The intent to read, opaque. Both spellings of the field are taken, as everywhere.
    pub intent_id: Cow<'a, str>,
    /// The webhook: the same id as in the webhook's header, or somebody has put two together.
    pub webhook_id: Cow<'a, str>,
    /// The price, in hundredths of the currency.
    pub amount_cents: Option<Verbatim<'a, Cents>>,
    /// The fiat currency of the price.
    pub currency: Option<Verbatim<'a, Open<Currency>>>,
    /// The currency's symbol.
    pub currency_symbol: Option<Verbatim<'a, Cow<'a, str>>>,
    /// An amount in coins. The amount paid is in the intent.
    pub amount_coins: Option<Verbatim<'a, CoinAmount>>,
    /// The coin.
    pub coin_symbol: Option<Verbatim<'a, Open<StableCoin, Cow<'a, str>>>>,
    /// The coin's contract.
    pub coin_contract_address: Option<Verbatim<'a, Cow<'a, str>>>,
    /// The chain, by its EIP-155 id.
    pub chain_id: Option<Verbatim<'a, u64>>,
    /// The transaction on the chain.
    pub tx_hash: Option<Verbatim<'a, Redacted<'a>>>,
    /// The payer's wallet.
    pub tx_from: Option<Verbatim<'a, Redacted<'a>>>,
    /// The payer's payment method.
    pub payment_method_type: Option<Verbatim<'a, Open<PaymentMethodType>>>,
    /// Your id of the order: the only link back to a create whose answer was lost.
    pub order_id: Option<Verbatim<'a, Cow<'a, str>>>,
    /// Your id of the user.
    pub user_id: Option<Verbatim<'a, Redacted<'a>>>,
    /// The user's name.
    pub user_name: Option<Verbatim<'a, Redacted<'a>>>,
    /// The metadata of the create, as exact JSON text.
    pub extra_obj: Option<JsonText<'a>>,
}

/// Reads the body of a webhook. Only the three ids decide: every other undocumented value is carried.
///
/// # Errors
/// [`ReadError`], for a body that is not a webhook's.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// let error = checkout_kit::wire::allscale::read_webhook(br#"{"webhook_id":"wh_1"}"#).unwrap_err();
/// assert_eq!(error.path(), "all_scale_transaction_id");
/// ```
pub fn read_webhook(body: &[u8]) -> Result<WebhookBody<'_>, ReadError> {
    match object_text(&Head::new(200), body, BODY_CAP)? {
        Some(json) => from_json_or_why(json),
        None => Err(ReadError::new(String::new(), 0, ReadErrorKind::Type("an object".into()))),
    }
}

macro_rules! webhook_form {
    ($($(#[$meta:meta])* $field:ident: $type:ty, $owned:expr;)+) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct WebhookForm<'a> {
            #[serde(borrow)]
            all_scale_transaction_id: Cow<'a, str>,
            #[serde(borrow, default, deserialize_with = "text")]
            all_scale_checkout_intent_id: Option<Cow<'a, str>>,
            #[serde(borrow, default, deserialize_with = "text", skip_serializing)]
            allscale_checkout_intent_id: Option<Cow<'a, str>>,
            #[serde(borrow)]
            webhook_id: Cow<'a, str>,
            $($(#[$meta])* $field: Option<$type>,)+
        }

        impl<'de: 'a, 'a> Deserialize<'de> for WebhookBody<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let form: WebhookForm<'a> = object(deserializer)?;
                let intent_id = one_id(
                    form.all_scale_checkout_intent_id,
                    form.allscale_checkout_intent_id,
                    "all_scale_checkout_intent_id",
                )?;
                Ok(Self {
                    transaction_id: form.all_scale_transaction_id,
                    intent_id,
                    webhook_id: form.webhook_id,
                    $($field: form.$field,)+
                })
            }
        }

        impl Serialize for WebhookBody<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let this = self.clone();
                WebhookForm {
                    all_scale_transaction_id: this.transaction_id,
                    all_scale_checkout_intent_id: Some(this.intent_id),
                    allscale_checkout_intent_id: None,
                    webhook_id: this.webhook_id,
                    $($field: this.$field,)+
                }
                .serialize(serializer)
            }
        }

        impl WebhookBody<'_> {
            /// Returns the same body, with nothing borrowed.
            #[must_use]
            pub fn into_owned(self) -> WebhookBody<'static> {
                WebhookBody {
                    transaction_id: owned(self.transaction_id),
                    intent_id: owned(self.intent_id),
                    webhook_id: owned(self.webhook_id),
                    $($field: self.$field.map($owned),)+
                }
            }
        }
    };
}

webhook_form! {
    #[serde(borrow, default)]
    amount_cents: Verbatim<'a, Cents>, Verbatim::into_owned;
    #[serde(borrow, default)]
    currency: Verbatim<'a, Open<Currency>>, Verbatim::into_owned;
    #[serde(borrow, default, deserialize_with = "carried_text")]
    currency_symbol: Verbatim<'a, Cow<'a, str>>, |text| text.into_owned_with(owned);
    #[serde(borrow, default)]
    amount_coins: Verbatim<'a, CoinAmount>, Verbatim::into_owned;
    #[serde(borrow, default)]
    coin_symbol: Verbatim<'a, Open<StableCoin, Cow<'a, str>>>, |coin| coin.into_owned_with(Open::into_owned);
    #[serde(borrow, default, deserialize_with = "carried_text")]
    coin_contract_address: Verbatim<'a, Cow<'a, str>>, |text| text.into_owned_with(owned);
    #[serde(borrow, default)]
    chain_id: Verbatim<'a, u64>, Verbatim::into_owned;
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_hash: Verbatim<'a, Redacted<'a>>, personal;
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    tx_from: Verbatim<'a, Redacted<'a>>, personal;
    #[serde(borrow, default)]
    payment_method_type: Verbatim<'a, Open<PaymentMethodType>>, Verbatim::into_owned;
    #[serde(borrow, default, deserialize_with = "carried_text")]
    order_id: Verbatim<'a, Cow<'a, str>>, |text| text.into_owned_with(owned);
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    user_id: Verbatim<'a, Redacted<'a>>, personal;
    #[serde(borrow, default, deserialize_with = "carried_personal", serialize_with = "write_carried_personal")]
    user_name: Verbatim<'a, Redacted<'a>>, personal;
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    extra_obj: JsonText<'a>, JsonText::into_owned;
}
