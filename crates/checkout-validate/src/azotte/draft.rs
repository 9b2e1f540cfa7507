//! A draft of a submit.

use super::{CardDraft, Field, Item, ItemField, Limits, PaymentMethod, Rules, SubmitCheckout};
use super::{Violation, Violations, Warning};
use crate::Redacted;
use crate::text::{is_blank, owned};
use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use checkout_tables::Open;
use checkout_tables::azotte::PaymentChannel;
use core::net::IpAddr;
use core::num::NonZeroU32;

/// A checkout that you would like to submit, before any check.
///
/// The fields are the request's, those of `order` and its `customer` and those of `paymentMethod` side by
/// side.
///
/// Source: *Submit Checkout*, request parameters.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Draft, PaymentChannel};
/// use checkout_kit::tables::Open;
/// use std::borrow::Cow;
///
/// let draft = Draft::stored_method(PaymentChannel::CreditCard)
///     .offer_identifier("off_1")
///     .correlation_id("order_123")
///     .item("plan_gold")
///     .customer_urn("urn:customer:42");
/// assert!(draft.clone().check().is_ok());
///
/// let elsewhere = Draft { payment_channel: Some(Open::from(Cow::Borrowed("Cash"))), ..draft };
/// assert_eq!(
///     elsewhere.check().unwrap_err().to_string(),
///     "paymentMethod.paymentChannel: not one of CreditCard, PayPal, Klarna, SEPA and Bank"
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct Draft<'a> {
    /// `offerIdentifier`: the offer that the customer buys. The offer is made for this order: take a fresh
    /// one. Required.
    pub offer_identifier: Option<Cow<'a, str>>,
    /// `correlationId`: your id of the order, and the key under which the order is charged once. Required, by
    /// a rule of our own.
    pub correlation_id: Option<Cow<'a, str>>,
    /// `installmentIdentifier`: the plan of instalments.
    pub installment_identifier: Option<Cow<'a, str>>,
    /// `resellerID`: the reseller.
    pub reseller_id: Option<i64>,
    /// `items`: the items of the order. Required: one at least.
    pub items: Vec<ItemDraft<'a>>,
    /// `customerUrn`: the customer. Required.
    pub customer_urn: Option<Redacted<'a>>,
    /// `ipAddress`: the customer's address on the internet.
    pub ip_address: Option<Redacted<'a>>,
    /// `paymentChannel`. Required. A text from elsewhere can be put in unchanged: a text that the page does
    /// not name is a violation when the draft is checked, and not before.
    pub payment_channel: Option<Open<PaymentChannel, Cow<'a, str>>>,
    /// `providerIdentifier`: the payment provider behind Azotte.
    pub provider_identifier: Option<Cow<'a, str>>,
    /// `useStoredMethod`: whether the customer's stored method is used.
    pub use_stored_method: bool,
    /// `creditCard`: required for the channel `CreditCard` without a stored method, and refused everywhere
    /// else. **Who sends raw card numbers falls under PCI DSS.**
    pub credit_card: Option<CardDraft<'a>>,
    /// `storeMethodSuccessPayment`: true if the method is stored when the payment succeeds. Assumed: a
    /// boolean; the page describes a choice of two, and calls the field a text.
    pub store_method_success_payment: Option<bool>,
}

impl<'a> Draft<'a> {
    /// Paid with the method that Azotte has on file for the customer: the ordinary way, and no card data
    /// comes near you.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::Draft;
    /// assert!(Draft::stored_method(PaymentChannel::CreditCard).use_stored_method);
    /// ```
    #[must_use]
    pub fn stored_method(channel: PaymentChannel) -> Self {
        Self { use_stored_method: true, ..Self::other(channel) }
    }

    /// Paid through a channel that asks the customer for itself.
    ///
    /// ```
    /// # use checkout_tables::azotte::PaymentChannel;
    /// # use checkout_validate::azotte::Draft;
    /// assert!(!Draft::other(PaymentChannel::PayPal).use_stored_method);
    /// ```
    #[must_use]
    pub fn other(channel: PaymentChannel) -> Self {
        Self { payment_channel: Some(channel.into()), ..Self::default() }
    }

    /// Paid with a card that the customer has just typed in. **Who sends raw card numbers falls under PCI
    /// DSS.**
    ///
    /// ```
    /// # use checkout_validate::azotte::{CardDraft, Draft};
    /// let draft = Draft::new_card(CardDraft::new("4111 1111 1111 1111", "12", "2029").cvc("737"));
    /// assert!(draft.credit_card.is_some());
    /// ```
    #[must_use]
    pub fn new_card(card: CardDraft<'a>) -> Self {
        Self { credit_card: Some(card), ..Self::other(PaymentChannel::CreditCard) }
    }

    /// The offer that is bought.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert_eq!(Draft::default().offer_identifier("off_1").offer_identifier.as_deref(), Some("off_1"));
    /// ```
    #[must_use]
    pub fn offer_identifier(self, offer: impl Into<Cow<'a, str>>) -> Self {
        Self { offer_identifier: Some(offer.into()), ..self }
    }

    /// Your id of the order, and the key under which the order is charged once: make the id unique to the
    /// order, save the id before you send, and send the same id again.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert_eq!(Draft::default().correlation_id("order_123").correlation_id.as_deref(), Some("order_123"));
    /// ```
    #[must_use]
    pub fn correlation_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        Self { correlation_id: Some(id.into()), ..self }
    }

    /// The plan of instalments.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert!(Draft::default().installment_identifier("ins_3").installment_identifier.is_some());
    /// ```
    #[must_use]
    pub fn installment_identifier(self, plan: impl Into<Cow<'a, str>>) -> Self {
        Self { installment_identifier: Some(plan.into()), ..self }
    }

    /// The reseller.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert_eq!(Draft::default().reseller_id(7).reseller_id, Some(7));
    /// ```
    #[must_use]
    pub fn reseller_id(self, reseller: i64) -> Self {
        Self { reseller_id: Some(reseller), ..self }
    }

    /// One more item: an identifier, or an [`ItemDraft`].
    ///
    /// ```
    /// # use checkout_validate::azotte::{Draft, ItemDraft};
    /// let draft = Draft::default().item("plan_gold").item(ItemDraft::new("extra_screen").parent("plan_gold"));
    /// assert_eq!(draft.items.len(), 2);
    /// ```
    #[must_use]
    pub fn item(mut self, item: impl Into<ItemDraft<'a>>) -> Self {
        self.items.push(item.into());
        self
    }

    /// The customer.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert!(Draft::default().customer_urn("urn:customer:42").customer_urn.is_some());
    /// ```
    #[must_use]
    pub fn customer_urn(self, urn: impl Into<Redacted<'a>>) -> Self {
        Self { customer_urn: Some(urn.into()), ..self }
    }

    /// The customer's address on the internet.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert!(Draft::default().ip_address("203.0.113.7").ip_address.is_some());
    /// ```
    #[must_use]
    pub fn ip_address(self, address: impl Into<Redacted<'a>>) -> Self {
        Self { ip_address: Some(address.into()), ..self }
    }

    /// The payment provider behind Azotte.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert!(Draft::default().provider_identifier("psp_1").provider_identifier.is_some());
    /// ```
    #[must_use]
    pub fn provider_identifier(self, provider: impl Into<Cow<'a, str>>) -> Self {
        Self { provider_identifier: Some(provider.into()), ..self }
    }

    /// Sets whether the method is stored when the payment succeeds, so that the next payment needs no card.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// assert_eq!(Draft::default().store_method_success_payment(true).store_method_success_payment, Some(true));
    /// ```
    #[must_use]
    pub fn store_method_success_payment(self, store: bool) -> Self {
        Self { store_method_success_payment: Some(store), ..self }
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::azotte::Draft;
    /// let order = String::from("order_123");
    /// let draft: Draft<'static> = Draft::default().correlation_id(&order).into_owned();
    /// drop(order);
    /// assert_eq!(draft.correlation_id.as_deref(), Some("order_123"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Draft<'static> {
        Draft {
            offer_identifier: self.offer_identifier.map(owned),
            correlation_id: self.correlation_id.map(owned),
            installment_identifier: self.installment_identifier.map(owned),
            reseller_id: self.reseller_id,
            items: self.items.into_iter().map(ItemDraft::into_owned).collect(),
            customer_urn: self.customer_urn.map(Redacted::into_owned),
            ip_address: self.ip_address.map(Redacted::into_owned),
            payment_channel: self.payment_channel.map(|channel| channel.into_owned()),
            provider_identifier: self.provider_identifier.map(owned),
            use_stored_method: self.use_stored_method,
            credit_card: self.credit_card.map(CardDraft::into_owned),
            store_method_success_payment: self.store_method_success_payment,
        }
    }

    /// Makes a submit of the draft, if the documents and our own rules and [`Limits`] allow the submit.
    ///
    /// # Errors
    /// [`Violations`]: every fault at once, each with its field. A violation of one field is reported
    /// whatever the other fields hold. No violation holds anything of the draft's texts.
    pub fn check(self) -> Result<SubmitCheckout<'a>, Violations> {
        self.check_with(&Rules::default())
    }

    /// Checks the draft as [`check`](Self::check) does, under rules of the merchant's own, such as
    /// other [`Limits`].
    ///
    /// # Errors
    /// [`Violations`], as of [`check`](Self::check).
    pub fn check_with(self, rules: &Rules) -> Result<SubmitCheckout<'a>, Violations> {
        let mut violations = Vec::new();
        let mut warnings = Vec::new();
        self.texts(&rules.limits, &mut violations, &mut warnings);
        let items = check_items(self.items, &rules.limits, &mut violations, &mut warnings);
        let channel = match self.payment_channel {
            Some(Open::Known(channel)) => Some(channel),
            Some(Open::Unknown(_)) => {
                violations.push(Violation::UnknownChannel);
                None
            }
            None => {
                violations.push(Violation::Missing(Field::PaymentChannel));
                None
            }
        };
        let card = self.credit_card.map(|card| card.check(rules, &mut violations, &mut warnings));
        let stored = self.use_stored_method;
        if stored && self.store_method_success_payment == Some(true) {
            warnings.push(Warning::AlreadyStored);
        }
        let payment_method = match (channel, card) {
            (_, Some(_)) if stored => Err(Some(Violation::CardBesideStoredMethod)),
            (Some(PaymentChannel::CreditCard), Some(card)) => Ok(PaymentMethod::NewCard(card)),
            (Some(_), Some(_)) => Err(Some(Violation::CardBesideOtherChannel)),
            (Some(channel), None) if stored => Ok(PaymentMethod::StoredMethod { channel }),
            (Some(PaymentChannel::CreditCard), None) => Err(Some(Violation::CardMissing)),
            (Some(channel), None) => Ok(PaymentMethod::Other { channel }),
            (None, _) => Err(None), // and there is a violation that says why
        };
        let payment_method = payment_method.map_err(|violation| violations.extend(violation));
        // Without one of these there is a violation that says so.
        match (self.offer_identifier, self.correlation_id, self.customer_urn, payment_method) {
            (Some(offer_identifier), Some(correlation_id), Some(customer_urn), Ok(payment_method))
                if violations.is_empty() =>
            {
                warnings.sort_by_key(Warning::field);
                Ok(SubmitCheckout {
                    offer_identifier,
                    correlation_id,
                    installment_identifier: self.installment_identifier,
                    reseller_id: self.reseller_id,
                    items,
                    customer_urn,
                    ip_address: self.ip_address,
                    payment_method,
                    provider_identifier: self.provider_identifier,
                    store_method_success_payment: self.store_method_success_payment,
                    warnings,
                })
            }
            _ => Err(Violations::new(violations)),
        }
    }

    /// The faults of each text outside the items and the card.
    fn texts(&self, limits: &Limits, violations: &mut Vec<Violation>, warnings: &mut Vec<Warning>) {
        let customer_urn = self.customer_urn.as_ref().map(Redacted::as_str);
        let ip_address = self.ip_address.as_ref().map(Redacted::as_str);
        let rows = [
            (Field::OfferIdentifier, self.offer_identifier.as_deref(), limits.offer_identifier),
            (Field::CorrelationId, self.correlation_id.as_deref(), limits.correlation_id),
            (
                Field::InstallmentIdentifier,
                self.installment_identifier.as_deref(),
                limits.installment_identifier,
            ),
            (Field::CustomerUrn, customer_urn, limits.customer_urn),
            (Field::IpAddress, ip_address, limits.ip_address),
            (Field::ProviderIdentifier, self.provider_identifier.as_deref(), limits.provider_identifier),
        ];
        for (field, text, limit) in rows {
            let required =
                matches!(field, Field::OfferIdentifier | Field::CorrelationId | Field::CustomerUrn);
            check_text(field, required, text, limit, violations, warnings);
        }
        if ip_address.is_some_and(|address| !is_blank(address) && address.parse::<IpAddr>().is_err()) {
            warnings.push(Warning::NotAnIpAddress);
        }
    }
}

/// One item of a draft.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::ItemDraft;
///
/// let item = ItemDraft::new("extra_screen").parent("plan_gold").quantity(2);
/// assert_eq!(ItemDraft::from("plan_gold"), ItemDraft::new("plan_gold"));
/// assert_eq!(item.quantity, Some(2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemDraft<'a> {
    /// `itemIdentifier`: which item. Required.
    pub item_identifier: Cow<'a, str>,
    /// `parentItemIdentifier`: the item that this one is an add-on of.
    pub parent_item_identifier: Option<Cow<'a, str>>,
    /// `quantity`: the number of pieces, 1 if it is not set.
    pub quantity: Option<u32>,
}

impl<'a> ItemDraft<'a> {
    /// One of an item.
    ///
    /// ```
    /// # use checkout_validate::azotte::ItemDraft;
    /// assert_eq!(ItemDraft::new("plan_gold").quantity, None);
    /// ```
    #[must_use]
    pub fn new(identifier: impl Into<Cow<'a, str>>) -> Self {
        Self { item_identifier: identifier.into(), ..Self::default() }
    }

    /// The item that this one is an add-on of.
    ///
    /// ```
    /// # use checkout_validate::azotte::ItemDraft;
    /// let item = ItemDraft::new("extra_screen").parent("plan_gold");
    /// assert_eq!(item.parent_item_identifier.as_deref(), Some("plan_gold"));
    /// ```
    #[must_use]
    pub fn parent(self, identifier: impl Into<Cow<'a, str>>) -> Self {
        Self { parent_item_identifier: Some(identifier.into()), ..self }
    }

    /// Sets the number of pieces.
    ///
    /// ```
    /// # use checkout_validate::azotte::ItemDraft;
    /// assert_eq!(ItemDraft::new("extra_screen").quantity(2).quantity, Some(2));
    /// ```
    #[must_use]
    pub fn quantity(self, quantity: u32) -> Self {
        Self { quantity: Some(quantity), ..self }
    }

    fn into_owned(self) -> ItemDraft<'static> {
        ItemDraft {
            item_identifier: owned(self.item_identifier),
            parent_item_identifier: self.parent_item_identifier.map(owned),
            quantity: self.quantity,
        }
    }
}

impl<'a> From<&'a str> for ItemDraft<'a> {
    fn from(identifier: &'a str) -> Self {
        Self::new(identifier)
    }
}

impl From<alloc::string::String> for ItemDraft<'_> {
    fn from(identifier: alloc::string::String) -> Self {
        Self::new(identifier)
    }
}

/// The items as they are sent. They are good if nothing was added to the violations.
fn check_items<'a>(
    items: Vec<ItemDraft<'a>>,
    limits: &Limits,
    violations: &mut Vec<Violation>,
    warnings: &mut Vec<Warning>,
) -> Vec<Item<'a>> {
    if items.is_empty() {
        violations.push(Violation::Missing(Field::Items));
    }
    if items.len() > limits.items {
        let (length, limit) = (items.len(), limits.items);
        violations.push(Violation::TooLong { field: Field::Items, length, limit });
    }
    let mut named = BTreeMap::<&str, usize>::new();
    let mut pairs = BTreeSet::new();
    for item in &items {
        let times = named.entry(&item.item_identifier).or_default();
        *times = times.saturating_add(1);
    }
    for (index, item) in items.iter().enumerate() {
        let (identifier, parent) = (&*item.item_identifier, item.parent_item_identifier.as_deref());
        let mut text = |field: ItemField, required, text, limit| {
            check_text(field.of(index), required, text, limit, violations, warnings);
        };
        text(ItemField::ItemIdentifier, true, Some(identifier), limits.item_identifier);
        text(ItemField::ParentItemIdentifier, false, parent, limits.parent_item_identifier);
        if item.quantity == Some(0) {
            violations.push(Violation::NoQuantity { index });
        }
        // Of a parent by the item's own name there must be a second one.
        let others =
            |parent: &str| named.get(parent).map_or(0, |times| times - usize::from(parent == identifier));
        if parent.is_some_and(|parent| !is_blank(parent) && others(parent) == 0) {
            warnings.push(Warning::ParentNotInOrder { index });
        }
        if !is_blank(identifier) && !pairs.insert((identifier, parent)) {
            warnings.push(Warning::ItemTwice { index });
        }
    }
    let checked = |item: ItemDraft<'a>| Item {
        item_identifier: item.item_identifier,
        parent_item_identifier: item.parent_item_identifier,
        quantity: item.quantity.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
    };
    items.into_iter().map(checked).collect()
}

/// The faults of one text: the text is required and blank, or set and blank, or longer than our own limit.
fn check_text(
    field: Field,
    required: bool,
    text: Option<&str>,
    limit: usize,
    violations: &mut Vec<Violation>,
    warnings: &mut Vec<Warning>,
) {
    match text.map(is_blank) {
        Some(true) | None if required => violations.push(Violation::Missing(field)),
        Some(true) => warnings.push(Warning::Blank(field)),
        Some(false) | None => {}
    }
    let length = text.map_or(0, str::len);
    if length > limit {
        violations.push(Violation::TooLong { field, length, limit });
    }
}
