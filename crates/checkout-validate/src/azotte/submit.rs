//! A submit that has been checked.

use super::{Card, Warning};
use crate::Redacted;
use crate::text::owned;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use checkout_tables::azotte::PaymentChannel;
use core::num::NonZeroU32;

/// A submit that the documents allow, and our own rules too. Only [`Draft::check`](super::Draft::check) makes
/// one.
///
/// The request always has a [`correlation_id`](Self::correlation_id), so sending the request again is safe:
/// Azotte does not charge twice under the same id.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, PaymentChannel};
///
/// let submit = Draft::stored_method(PaymentChannel::CreditCard)
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .customer_urn("urn:customer:42")
///     .check()?;
/// assert_eq!(submit.correlation_id(), "order_123");
/// assert_eq!(submit.items()[0].quantity().get(), 1);
/// assert!(submit.payment_method().use_stored_method());
/// assert!(submit.warnings().is_empty());
/// # Ok::<(), checkout_validate::azotte::Violations>(())
/// ```
#[derive(Clone, Debug)]
pub struct SubmitCheckout<'a> {
    pub(super) offer_identifier: Cow<'a, str>,
    pub(super) correlation_id: Cow<'a, str>,
    pub(super) installment_identifier: Option<Cow<'a, str>>,
    pub(super) reseller_id: Option<i64>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) customer_urn: Redacted<'a>,
    pub(super) ip_address: Option<Redacted<'a>>,
    pub(super) payment_method: PaymentMethod<'a>,
    pub(super) provider_identifier: Option<Cow<'a, str>>,
    pub(super) store_method_success_payment: Option<bool>,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> SubmitCheckout<'a> {
    /// The offer that is bought.
    #[must_use]
    pub fn offer_identifier(&self) -> &str {
        &self.offer_identifier
    }

    /// Your id of the order, and the key under which the order is charged once.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// The plan of instalments.
    #[must_use]
    pub fn installment_identifier(&self) -> Option<&str> {
        self.installment_identifier.as_deref()
    }

    /// The reseller.
    #[must_use]
    pub const fn reseller_id(&self) -> Option<i64> {
        self.reseller_id
    }

    /// The items of the order: one item at least.
    #[must_use]
    pub fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    /// The customer.
    #[must_use]
    pub fn customer_urn(&self) -> &str {
        self.customer_urn.as_str()
    }

    /// The customer's address on the internet.
    #[must_use]
    pub fn ip_address(&self) -> Option<&str> {
        self.ip_address.as_ref().map(Redacted::as_str)
    }

    /// The payment method of the order.
    #[must_use]
    pub const fn payment_method(&self) -> &PaymentMethod<'a> {
        &self.payment_method
    }

    /// The payment provider behind Azotte.
    #[must_use]
    pub fn provider_identifier(&self) -> Option<&str> {
        self.provider_identifier.as_deref()
    }

    /// True if the method is stored when the payment succeeds.
    #[must_use]
    pub const fn store_method_success_payment(&self) -> Option<bool> {
        self.store_method_success_payment
    }

    /// The warnings, in the order of the page's request fields.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::{Draft, SubmitCheckout};
    /// let order = String::from("order_123");
    /// let draft = Draft::stored_method(PaymentChannel::Bank).offer_identifier("off_1").correlation_id(&order);
    /// let submit = draft.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// let submit: SubmitCheckout<'static> = submit.into_owned();
    /// drop(order);
    /// assert_eq!(submit.correlation_id(), "order_123");
    /// # Ok::<(), checkout_validate::azotte::Violations>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> SubmitCheckout<'static> {
        SubmitCheckout {
            offer_identifier: owned(self.offer_identifier),
            correlation_id: owned(self.correlation_id),
            installment_identifier: self.installment_identifier.map(owned),
            reseller_id: self.reseller_id,
            items: self.items.into_iter().map(Item::into_owned).collect(),
            customer_urn: self.customer_urn.into_owned(),
            ip_address: self.ip_address.map(Redacted::into_owned),
            payment_method: match self.payment_method {
                PaymentMethod::StoredMethod { channel } => PaymentMethod::StoredMethod { channel },
                PaymentMethod::NewCard(card) => PaymentMethod::NewCard(card.into_owned()),
                PaymentMethod::Other { channel } => PaymentMethod::Other { channel },
            },
            provider_identifier: self.provider_identifier.map(owned),
            store_method_success_payment: self.store_method_success_payment,
            warnings: self.warnings,
        }
    }
}

/// One item of a checked order.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, ItemDraft, PaymentChannel};
///
/// let submit = Draft::stored_method(PaymentChannel::CreditCard)
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .item(ItemDraft::new("extra_screen").parent("plan_gold").quantity(2))
///     .customer_urn("urn:customer:42")
///     .check()?;
/// let [_, screens] = submit.items() else { unreachable!() };
/// assert_eq!((screens.parent_item_identifier(), screens.quantity().get()), (Some("plan_gold"), 2));
/// # Ok::<(), checkout_validate::azotte::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item<'a> {
    pub(super) item_identifier: Cow<'a, str>,
    pub(super) parent_item_identifier: Option<Cow<'a, str>>,
    pub(super) quantity: NonZeroU32,
}

impl Item<'_> {
    /// Which item.
    #[must_use]
    pub fn item_identifier(&self) -> &str {
        &self.item_identifier
    }

    /// The item that this one is an add-on of.
    #[must_use]
    pub fn parent_item_identifier(&self) -> Option<&str> {
        self.parent_item_identifier.as_deref()
    }

    /// The quantity of the item.
    #[must_use]
    pub const fn quantity(&self) -> NonZeroU32 {
        self.quantity
    }

    fn into_owned(self) -> Item<'static> {
        Item {
            item_identifier: owned(self.item_identifier),
            parent_item_identifier: self.parent_item_identifier.map(owned),
            quantity: self.quantity,
        }
    }
}

/// The payment method of a checked order: the method has a card where a card is needed, and nowhere else.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{PaymentChannel, PaymentMethod};
///
/// let stored = PaymentMethod::StoredMethod { channel: PaymentChannel::CreditCard };
/// assert!(stored.use_stored_method() && stored.card().is_none());
/// assert_eq!(stored.channel(), PaymentChannel::CreditCard);
/// ```
#[derive(Clone, Debug)]
pub enum PaymentMethod<'a> {
    /// A method that Azotte has on file: `useStoredMethod` is true.
    StoredMethod {
        /// The channel.
        channel: PaymentChannel,
    },
    /// A card that was just typed in, through the channel `CreditCard`.
    NewCard(Card<'a>),
    /// Another channel, which asks the customer for itself.
    Other {
        /// The channel: not `CreditCard`.
        channel: PaymentChannel,
    },
}

impl<'a> PaymentMethod<'a> {
    /// The channel.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::PaymentMethod;
    /// assert_eq!(PaymentMethod::Other { channel: PaymentChannel::SEPA }.channel(), PaymentChannel::SEPA);
    /// ```
    #[must_use]
    pub const fn channel(&self) -> PaymentChannel {
        match self {
            Self::StoredMethod { channel } | Self::Other { channel } => *channel,
            Self::NewCard(_) => PaymentChannel::CreditCard,
        }
    }

    /// True if a stored method is used.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::PaymentMethod;
    /// assert!(!PaymentMethod::Other { channel: PaymentChannel::SEPA }.use_stored_method());
    /// ```
    #[must_use]
    pub const fn use_stored_method(&self) -> bool {
        matches!(self, Self::StoredMethod { .. })
    }

    /// The card, where one is sent.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::PaymentMethod;
    /// assert!(PaymentMethod::Other { channel: PaymentChannel::SEPA }.card().is_none());
    /// ```
    #[must_use]
    pub const fn card(&self) -> Option<&Card<'a>> {
        match self {
            Self::NewCard(card) => Some(card),
            Self::StoredMethod { .. } | Self::Other { .. } => None,
        }
    }
}
