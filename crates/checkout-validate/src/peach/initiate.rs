//! A checkout that has been checked.

use super::fields::Pair;
use super::{Lookup, MerchantTransactionId, StandingInstruction, Warning};
use crate::Redacted;
use crate::text::owned;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use checkout_money::Cents;
use checkout_tables::peach::{Currency, PaymentType};
use core::fmt;

/// A checkout that the documents allow, and our own rules too. Only [`Draft::check`](super::Draft::check)
/// makes one.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::{Currency, Draft};
///
/// // The parameters of the documented signature, but for the nonce.
/// let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
///     .merchant_transaction_id("Test1234")
///     .shopper_result_url("https://shop.example/result")
///     .default_payment_method("CARD")
///     .check()?;
/// assert_eq!(checkout.amount(), Cents::new(200));
/// assert_eq!(checkout.lookup().pair(), ("merchantTransactionId", "Test1234"));
/// assert_eq!(
///     checkout.pairs().collect::<Vec<_>>(),
///     [
///         ("authentication.entityId", "8ac7a4ca68c22c4d0168c2caab2e0025"),
///         ("merchantTransactionId", "Test1234"),
///         ("amount", "2.00"),
///         ("paymentType", "DB"),
///         ("currency", "ZAR"),
///         ("shopperResultUrl", "https://shop.example/result"),
///         ("defaultPaymentMethod", "CARD"),
///     ]
/// );
/// # Ok::<(), checkout_validate::peach::Violations>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct InitiateCheckout<'a> {
    pub(super) entity_id: Cow<'a, str>,
    pub(super) merchant_transaction_id: Cow<'a, str>,
    pub(super) amount: Cents,
    pub(super) amount_text: String,
    pub(super) payment_type: PaymentType,
    pub(super) currency: Currency,
    pub(super) shopper_result_url: Cow<'a, str>,
    pub(super) default_payment_method: Option<Cow<'a, str>>,
    pub(super) force_default_method: Option<bool>,
    pub(super) merchant_invoice_id: Option<Cow<'a, str>>,
    pub(super) cancel_url: Option<Cow<'a, str>>,
    pub(super) notification_url: Option<Cow<'a, str>>,
    pub(super) further: Vec<Pair<'a>>,
    pub(super) create_registration: Option<bool>,
    pub(super) allow_storing_details: Option<bool>,
    /// With commas between.
    pub(super) card_tokens: Option<Redacted<'a>>,
    pub(super) standing_instruction: Option<StandingInstruction<'a>>,
    /// The parameters of the instruction that are sent.
    pub(super) standing_pairs: Option<Vec<(&'static str, Cow<'static, str>)>>,
    pub(super) warnings: Vec<Warning>,
}

impl InitiateCheckout<'_> {
    /// Every parameter with its value, in the provider's words and in the order of its page, the custom
    /// parameters, the further fields and those of stored cards last; no key twice. Only `nonce` and
    /// `signature` are not among them: they belong to an attempt.
    ///
    /// All are texts, as V1 sends and signs them: `cardTokens` has commas between. V2 has some of other types
    /// (`checkout_wire::peach::create_body`).
    ///
    /// The values hold data about the payer, and tokens of cards: do not print them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = [
            ("authentication.entityId", Some(&*self.entity_id)),
            ("merchantTransactionId", Some(&*self.merchant_transaction_id)),
            ("amount", Some(&*self.amount_text)),
            ("paymentType", Some(self.payment_type.code())),
            ("currency", Some(self.currency.code())),
            ("shopperResultUrl", Some(&*self.shopper_result_url)),
            ("defaultPaymentMethod", self.default_payment_method.as_deref()),
            ("forceDefaultMethod", self.force_default_method.map(truth)),
            ("merchantInvoiceId", self.merchant_invoice_id.as_deref()),
            ("cancelUrl", self.cancel_url.as_deref()),
            ("notificationUrl", self.notification_url.as_deref()),
        ];
        let own = own.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
        let stored = [
            ("createRegistration", self.create_registration.map(truth)),
            ("allowStoringDetails", self.allow_storing_details.map(truth)),
            ("cardTokens", self.card_tokens.as_ref().map(Redacted::as_str)),
        ];
        let stored = stored.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
        let standing = self.standing_pairs.iter().flatten().map(|(key, value)| (*key, &**value));
        let further = self.further.iter().map(|(key, value)| (&**key, value.as_str()));
        own.chain(further).chain(stored).chain(standing)
    }

    /// The id that reads the status of this checkout as long as no other id is known: the merchant's id.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        MerchantTransactionId::checked(Cow::Borrowed(&self.merchant_transaction_id)).into()
    }

    /// The entity: 32 of the digits 0 to 9 and a to f.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Your id of the payment: 1 to 48 characters.
    #[must_use]
    pub fn merchant_transaction_id(&self) -> &str {
        &self.merchant_transaction_id
    }

    /// The amount, in hundredths of the currency's unit: from 1 to 9 999 999 999, or 0 where a
    /// preauthorization stores a card and takes nothing.
    #[must_use]
    pub const fn amount(&self) -> Cents {
        self.amount
    }

    /// The payment type: the money is taken, or only reserved.
    #[must_use]
    pub const fn payment_type(&self) -> PaymentType {
        self.payment_type
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The URL that the shopper comes back to.
    #[must_use]
    pub fn shopper_result_url(&self) -> &str {
        &self.shopper_result_url
    }

    /// The method of payment that is offered first.
    #[must_use]
    pub fn default_payment_method(&self) -> Option<&str> {
        self.default_payment_method.as_deref()
    }

    /// True if the default method is the only method.
    #[must_use]
    pub const fn force_default_method(&self) -> Option<bool> {
        self.force_default_method
    }

    /// Your id of the invoice: 8 to 255 characters.
    #[must_use]
    pub fn merchant_invoice_id(&self) -> Option<&str> {
        self.merchant_invoice_id.as_deref()
    }

    /// The URL for a shopper who cancels.
    #[must_use]
    pub fn cancel_url(&self) -> Option<&str> {
        self.cancel_url.as_deref()
    }

    /// The URL for the webhooks.
    #[must_use]
    pub fn notification_url(&self) -> Option<&str> {
        self.notification_url.as_deref()
    }

    /// True if the card that is paid with is stored.
    #[must_use]
    pub const fn create_registration(&self) -> Option<bool> {
        self.create_registration
    }

    /// True if the page asks the customer if the card is to be stored.
    #[must_use]
    pub const fn allow_storing_details(&self) -> Option<bool> {
        self.allow_storing_details
    }

    /// The tokens of the customer's stored cards that the page offers.
    pub fn card_tokens(&self) -> impl Iterator<Item = Redacted<'_>> {
        self.card_tokens.iter().flat_map(|tokens| tokens.as_str().split(',')).map(Redacted::from)
    }

    /// How the details of a stored card are used.
    #[must_use]
    pub const fn standing_instruction(&self) -> Option<&StandingInstruction<'_>> {
        self.standing_instruction.as_ref()
    }

    /// The warnings, in the order of the page's parameters.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::peach::Currency;
    /// # use checkout_validate::peach::{Draft, InitiateCheckout};
    /// let order = String::from("Test1234");
    /// let draft = Draft::debit(Currency::ZAR, Cents::new(200)).merchant_transaction_id(&order);
    /// let draft = draft.entity_id("8ac7a4ca68c22c4d0168c2caab2e0025").shopper_result_url("https://shop.example/");
    /// let checkout: InitiateCheckout<'static> = draft.check()?.into_owned();
    /// drop(order);
    /// assert_eq!(checkout.merchant_transaction_id(), "Test1234");
    /// # Ok::<(), checkout_validate::peach::Violations>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> InitiateCheckout<'static> {
        let pair = |(name, value): Pair<'_>| (owned(name), Redacted::into_owned(value));
        InitiateCheckout {
            entity_id: owned(self.entity_id),
            merchant_transaction_id: owned(self.merchant_transaction_id),
            amount: self.amount,
            amount_text: self.amount_text,
            payment_type: self.payment_type,
            currency: self.currency,
            shopper_result_url: owned(self.shopper_result_url),
            default_payment_method: self.default_payment_method.map(owned),
            force_default_method: self.force_default_method,
            merchant_invoice_id: self.merchant_invoice_id.map(owned),
            cancel_url: self.cancel_url.map(owned),
            notification_url: self.notification_url.map(owned),
            further: self.further.into_iter().map(pair).collect(),
            create_registration: self.create_registration,
            allow_storing_details: self.allow_storing_details,
            card_tokens: self.card_tokens.map(Redacted::into_owned),
            standing_instruction: self.standing_instruction.map(StandingInstruction::into_owned),
            standing_pairs: self.standing_pairs,
            warnings: self.warnings,
        }
    }
}

/// A truth, as a text.
const fn truth(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

impl fmt::Debug for InitiateCheckout<'_> {
    /// Prints the ids and the price of the payment, and the names of the further parameters. No URL, because
    /// a session can be in one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitiateCheckout")
            .field("entity_id", &self.entity_id)
            .field("merchant_transaction_id", &self.merchant_transaction_id)
            .field("amount", &self.amount)
            .field("payment_type", &self.payment_type)
            .field("currency", &self.currency)
            .field("further", &self.further)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
