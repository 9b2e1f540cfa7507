//! A draft of a checkout.

use super::fields::{self, Pair};
use super::lookup::{MAX_LENGTH, is_forbidden};
use super::stored::{check_tokens, joined};
use super::{Field, InitiateCheckout, Limits, Rules, StandingInstruction, Violation, Violations, Warning};
use crate::Redacted;
use crate::text::{has_control, is_blank, is_http, is_web_url, owned};
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use checkout_money::Cents;
use checkout_tables::Open;
use checkout_tables::peach::{Currency, PaymentType};
use core::fmt;

/// A checkout that you would like to open, before any check.
///
/// The fields are the request's, and the same for all the request's routes. `nonce` and `signature` are not
/// among them: they belong to an attempt.
///
/// Source: *Hosted Checkout*, initiate.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::{Currency, Draft};
///
/// let draft = Draft::debit(Currency::ZAR, Cents::new(200))
///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
///     .merchant_transaction_id("Test1234")
///     .shopper_result_url("https://shop.example/result");
/// assert!(draft.clone().check().is_ok());
///
/// let elsewhere = Draft { amount: Some("2.5".into()), ..draft.field("card.number", "4111111111111111") };
/// assert_eq!(
///     elsewhere.check().unwrap_err().to_string(),
///     "amount: must be one to eight digits, with a point and two more or without; fields[0]: \
///      a name must begin with customer., billing., shipping. or cart. and go on without a blank"
/// );
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft<'a> {
    /// `authentication.entityId`. Required.
    pub entity_id: Option<Cow<'a, str>>,
    /// `merchantTransactionId`: your id of the payment, 1 to 48 ASCII letters, digits, hyphens, dots and
    /// underscores. Make the id unique: a status read by the id returns the latest checkout with the id.
    /// Required.
    pub merchant_transaction_id: Option<Cow<'a, str>>,
    /// `amount`, in units of the currency with two decimals. Required.
    pub amount: Option<Amount<'a>>,
    /// `paymentType`. Required. A text from elsewhere can be put in unchanged: a text that the page does not
    /// name is a violation when the draft is checked, and not before.
    pub payment_type: Option<Open<PaymentType, Cow<'a, str>>>,
    /// `currency`. Required. A text can be put in as for `payment_type`.
    pub currency: Option<Open<Currency, Cow<'a, str>>>,
    /// `shopperResultUrl`: where the shopper comes back to, by a signed POST. 6 to 2048 characters. Required.
    pub shopper_result_url: Option<Cow<'a, str>>,
    /// `defaultPaymentMethod`: the method of payment that is offered first.
    pub default_payment_method: Option<Cow<'a, str>>,
    /// `forceDefaultMethod`: true if the default method is the only method.
    pub force_default_method: Option<bool>,
    /// `merchantInvoiceId`: your id of the invoice, 8 to 255 characters.
    pub merchant_invoice_id: Option<Cow<'a, str>>,
    /// `cancelUrl`: the URL for a shopper who cancels.
    pub cancel_url: Option<Cow<'a, str>>,
    /// `notificationUrl`: where the webhooks are sent.
    pub notification_url: Option<Cow<'a, str>>,
    /// `customParameters[name]`: values of yours, which come back.
    pub custom_parameters: Vec<(Cow<'a, str>, Redacted<'a>)>,
    /// Further fields, by their dotted names: `customer.…`, `billing.…`, `shipping.…` and `cart.…`.
    pub fields: Vec<(Cow<'a, str>, Redacted<'a>)>,
    /// `createRegistration`: whether the card that is paid with is stored. Ask the customer before.
    pub create_registration: Option<bool>,
    /// `allowStoringDetails`: whether the page asks the customer if the card is to be stored.
    pub allow_storing_details: Option<bool>,
    /// `cardTokens`: the customer's cards that are stored already, to be chosen from. Each is the
    /// `registrationId` that an earlier payment brought.
    pub card_tokens: Vec<Redacted<'a>>,
    /// `standingInstruction`: how the details of a stored card are used.
    pub standing_instruction: Option<StandingInstruction<'a>>,
}

impl<'a> Draft<'a> {
    /// A payment: the money is taken.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::peach::{Currency, PaymentType};
    /// # use checkout_validate::peach::Draft;
    /// let draft = Draft::debit(Currency::ZAR, Cents::new(200));
    /// assert_eq!(draft.payment_type, Some(PaymentType::DB.into()));
    /// ```
    #[must_use]
    pub fn debit(currency: Currency, amount: impl Into<Amount<'a>>) -> Self {
        Self {
            amount: Some(amount.into()),
            payment_type: Some(PaymentType::DB.into()),
            currency: Some(currency.into()),
            ..Self::default()
        }
    }

    /// A preauthorization: the money is reserved, and no money has come when the preauthorization succeeds.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::peach::{Currency, PaymentType};
    /// # use checkout_validate::peach::Draft;
    /// let draft = Draft::preauthorization(Currency::ZAR, Cents::new(200));
    /// assert_eq!(draft.payment_type, Some(PaymentType::PA.into()));
    /// ```
    #[must_use]
    pub fn preauthorization(currency: Currency, amount: impl Into<Amount<'a>>) -> Self {
        Self { payment_type: Some(PaymentType::PA.into()), ..Self::debit(currency, amount) }
    }

    /// The entity: 32 of the digits 0 to 9 and a to f.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().entity_id("8ac7a4ca68c22c4d0168c2caab2e0025").entity_id.is_some());
    /// ```
    #[must_use]
    pub fn entity_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        Self { entity_id: Some(id.into()), ..self }
    }

    /// Your id of the payment. The id is the only thread back to a checkout of V1 until the first webhook
    /// comes: make the id unique, and save the id before you send.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().merchant_transaction_id("Test1234").merchant_transaction_id.is_some());
    /// ```
    #[must_use]
    pub fn merchant_transaction_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        Self { merchant_transaction_id: Some(id.into()), ..self }
    }

    /// Sets the URL that the shopper comes back to.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().shopper_result_url("https://shop.example/").shopper_result_url.is_some());
    /// ```
    #[must_use]
    pub fn shopper_result_url(self, url: impl Into<Cow<'a, str>>) -> Self {
        Self { shopper_result_url: Some(url.into()), ..self }
    }

    /// The method of payment that is offered first: `CARD`.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().default_payment_method("CARD").default_payment_method.is_some());
    /// ```
    #[must_use]
    pub fn default_payment_method(self, method: impl Into<Cow<'a, str>>) -> Self {
        Self { default_payment_method: Some(method.into()), ..self }
    }

    /// Sets whether the default method of payment is the only method.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert_eq!(Draft::default().force_default_method(true).force_default_method, Some(true));
    /// ```
    #[must_use]
    pub fn force_default_method(self, force: bool) -> Self {
        Self { force_default_method: Some(force), ..self }
    }

    /// Your id of the invoice.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().merchant_invoice_id("INV-0001").merchant_invoice_id.is_some());
    /// ```
    #[must_use]
    pub fn merchant_invoice_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        Self { merchant_invoice_id: Some(id.into()), ..self }
    }

    /// Sets the URL for a shopper who cancels.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().cancel_url("https://shop.example/cancel").cancel_url.is_some());
    /// ```
    #[must_use]
    pub fn cancel_url(self, url: impl Into<Cow<'a, str>>) -> Self {
        Self { cancel_url: Some(url.into()), ..self }
    }

    /// Sets the URL for the webhooks.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert!(Draft::default().notification_url("https://shop.example/peach").notification_url.is_some());
    /// ```
    #[must_use]
    pub fn notification_url(self, url: impl Into<Cow<'a, str>>) -> Self {
        Self { notification_url: Some(url.into()), ..self }
    }

    /// One more custom parameter, sent as `customParameters[name]`.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert_eq!(Draft::default().custom_parameter("basket", "17").custom_parameters.len(), 1);
    /// ```
    #[must_use]
    pub fn custom_parameter(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Redacted<'a>>) -> Self {
        self.custom_parameters.push((name.into(), value.into()));
        self
    }

    /// One more further field, by its dotted name: `customer.…`, `billing.…`, `shipping.…` or `cart.…`.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert_eq!(Draft::default().field("customer.email", "tom@example.com").fields.len(), 1);
    /// ```
    #[must_use]
    pub fn field(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Redacted<'a>>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Asks to store the card of the payment: a success then brings its `registrationId`. You must have the
    /// customer's permission. With [`preauthorization`](Self::preauthorization) an amount of zero stores a
    /// card and takes nothing.
    ///
    /// Source (Public): the API reference of `POST /checkout/initiate` and of `POST /v2/checkout`, 1.0.0.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert_eq!(Draft::default().create_registration(true).create_registration, Some(true));
    /// ```
    #[must_use]
    pub fn create_registration(self, create: bool) -> Self {
        Self { create_registration: Some(create), ..self }
    }

    /// Lets the page ask the customer for permission to store the card: a success brings its `registrationId`
    /// if the customer agreed. Not together with [`create_registration`](Self::create_registration).
    ///
    /// Source (Public): the API reference, as for that one.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// assert_eq!(Draft::default().allow_storing_details(true).allow_storing_details, Some(true));
    /// ```
    #[must_use]
    pub fn allow_storing_details(self, allow: bool) -> Self {
        Self { allow_storing_details: Some(allow), ..self }
    }

    /// One more stored card of this customer's that the page offers, by its token: the `registrationId` that
    /// an earlier payment brought. Never send another customer's token, or a removed one.
    ///
    /// Source (Public): the API reference, as for [`create_registration`](Self::create_registration): V1 has
    /// one text with commas, V2 a list.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// let draft = Draft::default().card_token("8ac7a49f8e9f15d2018ea09b285f0eaa");
    /// assert_eq!(draft.card_tokens.len(), 1);
    /// assert!(!format!("{draft:?}").contains("8ac7a49f"));
    /// ```
    #[must_use]
    pub fn card_token(mut self, token: impl Into<Redacted<'a>>) -> Self {
        self.card_tokens.push(token.into());
        self
    }

    /// How the details of a stored card are used.
    #[must_use]
    pub fn standing_instruction(self, instruction: StandingInstruction<'a>) -> Self {
        Self { standing_instruction: Some(instruction), ..self }
    }

    /// The same, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_validate::peach::Draft;
    /// let order = String::from("Test1234");
    /// let draft: Draft<'static> = Draft::default().merchant_transaction_id(&order).into_owned();
    /// drop(order);
    /// assert_eq!(draft.merchant_transaction_id.as_deref(), Some("Test1234"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Draft<'static> {
        let pairs = |pairs: Vec<Pair<'a>>| {
            pairs.into_iter().map(|(name, value)| (owned(name), value.into_owned())).collect()
        };
        Draft {
            entity_id: self.entity_id.map(owned),
            merchant_transaction_id: self.merchant_transaction_id.map(owned),
            amount: self.amount.map(Amount::into_owned),
            payment_type: self.payment_type.map(|payment_type| payment_type.into_owned()),
            currency: self.currency.map(|currency| currency.into_owned()),
            shopper_result_url: self.shopper_result_url.map(owned),
            default_payment_method: self.default_payment_method.map(owned),
            force_default_method: self.force_default_method,
            merchant_invoice_id: self.merchant_invoice_id.map(owned),
            cancel_url: self.cancel_url.map(owned),
            notification_url: self.notification_url.map(owned),
            custom_parameters: pairs(self.custom_parameters),
            fields: pairs(self.fields),
            create_registration: self.create_registration,
            allow_storing_details: self.allow_storing_details,
            card_tokens: self.card_tokens.into_iter().map(Redacted::into_owned).collect(),
            standing_instruction: self.standing_instruction.map(StandingInstruction::into_owned),
        }
    }

    /// Makes a checkout of the draft, if the documents and our own rules and [`Limits`] allow the checkout.
    ///
    /// # Errors
    /// [`Violations`]: every fault at once, each with its parameter. A violation of one parameter is reported
    /// whatever the other parameters hold. No violation holds a value of the draft.
    pub fn check(self) -> Result<InitiateCheckout<'a>, Violations> {
        self.check_with(&Rules::default())
    }

    /// Checks the draft as [`check`](Self::check) does, under rules of the merchant's own, such as
    /// other [`Limits`].
    ///
    /// # Errors
    /// [`Violations`], as of [`check`](Self::check).
    pub fn check_with(self, rules: &Rules) -> Result<InitiateCheckout<'a>, Violations> {
        let mut violations = Vec::new();
        let mut warnings = Vec::new();
        self.texts(&rules.limits, &mut violations, &mut warnings);
        // The reference: zero is for PA with createRegistration alone.
        let stores_alone = self.payment_type == Some(PaymentType::PA.into());
        let stores_alone = stores_alone && self.create_registration == Some(true);
        let amount = match self.amount.as_ref().map(|amount| amount.check(stores_alone)) {
            Some(amount) => amount,
            None => Err(Violation::Missing(Field::Amount)),
        };
        let amount = amount.map_err(|violation| violations.push(violation));
        let payment_type = known(self.payment_type, Field::PaymentType, Violation::UnknownPaymentType);
        let payment_type = payment_type.map_err(|violation| violations.push(violation));
        let currency = known(self.currency, Field::Currency, Violation::UnknownCurrency);
        let currency = currency.map_err(|violation| violations.push(violation));
        if self.force_default_method == Some(true) && self.default_payment_method.is_none() {
            warnings.push(Warning::ForceWithoutDefault);
        }
        if self.create_registration == Some(true) && self.allow_storing_details == Some(true) {
            violations.push(Violation::BothStore);
        }
        check_tokens(&self.card_tokens, &rules.limits, &mut violations);
        if let Some(instruction) = &self.standing_instruction {
            instruction.check(&mut violations, &mut warnings);
        }
        let (custom, further) = (self.custom_parameters, self.fields);
        let further = fields::check(custom, further, &rules.limits, &mut violations, &mut warnings);
        // Without one of these there is a violation that says so.
        let required = (self.entity_id, self.merchant_transaction_id, self.shopper_result_url);
        let ((Some(entity_id), Some(merchant_transaction_id), Some(shopper_result_url)), Ok(amount)) =
            (required, amount)
        else {
            return Err(Violations::new(violations));
        };
        let (Ok(payment_type), Ok(currency), true) = (payment_type, currency, violations.is_empty()) else {
            return Err(Violations::new(violations));
        };
        warnings.sort_by_cached_key(Warning::field);
        Ok(InitiateCheckout {
            entity_id,
            merchant_transaction_id,
            amount,
            amount_text: amount.to_string(),
            payment_type,
            currency,
            shopper_result_url,
            default_payment_method: self.default_payment_method,
            force_default_method: self.force_default_method,
            merchant_invoice_id: self.merchant_invoice_id,
            cancel_url: self.cancel_url,
            notification_url: self.notification_url,
            further,
            create_registration: self.create_registration,
            allow_storing_details: self.allow_storing_details,
            card_tokens: joined(&self.card_tokens),
            standing_pairs: self.standing_instruction.as_ref().map(StandingInstruction::pairs),
            standing_instruction: self.standing_instruction,
            warnings,
        })
    }

    /// The faults of each text that has a field of its own.
    fn texts(&self, limits: &Limits, violations: &mut Vec<Violation>, warnings: &mut Vec<Warning>) {
        fn said<'t>(text: &'t Option<Cow<'_, str>>) -> Option<&'t str> {
            text.as_deref().filter(|text| !is_blank(text))
        }
        let entity_id = said(&self.entity_id);
        let merchant_transaction_id = said(&self.merchant_transaction_id);
        let shopper_result_url = said(&self.shopper_result_url);
        let required = [
            (Field::EntityId, entity_id),
            (Field::MerchantTransactionId, merchant_transaction_id),
            (Field::ShopperResultUrl, shopper_result_url),
        ];
        let missing = required.into_iter().filter(|(_, text)| text.is_none());
        violations.extend(missing.map(|(field, _)| Violation::Missing(field)));
        let lengths = [
            (Field::MerchantTransactionId, merchant_transaction_id, 1, MAX_LENGTH),
            (Field::ShopperResultUrl, shopper_result_url, 6, 2_048),
            (Field::MerchantInvoiceId, self.merchant_invoice_id.as_deref(), 8, 255),
        ];
        for (field, text, min, max) in lengths {
            let length = text.map_or(min, |text| text.chars().count());
            if !(min..=max).contains(&length) {
                violations.push(Violation::Length { field, length, min, max });
            }
        }
        let ours = [
            (Field::DefaultPaymentMethod, &self.default_payment_method, limits.default_payment_method),
            (Field::CancelUrl, &self.cancel_url, limits.cancel_url),
            (Field::NotificationUrl, &self.notification_url, limits.notification_url),
        ];
        for (field, text, limit) in ours {
            let length = text.as_ref().map_or(0, |text| text.len());
            if length > limit {
                violations.push(Violation::TooLong { field, length, limit });
            }
        }
        if entity_id.is_some_and(|id| !is_entity(id)) {
            violations.push(Violation::EntityId);
        }
        if shopper_result_url.is_some_and(|url| !is_web_url(url)) {
            violations.push(Violation::NotAUrl(Field::ShopperResultUrl));
        }
        if let Some(id) = merchant_transaction_id {
            if id.contains(is_forbidden) {
                violations.push(Violation::NotAnId);
            }
            let length = id.chars().count();
            if !(8..=16).contains(&length) {
                warnings.push(Warning::UnusualLength { length });
            }
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                warnings.push(Warning::NotAlphanumeric);
            }
        }
        let optional = [
            (Field::DefaultPaymentMethod, &self.default_payment_method),
            (Field::MerchantInvoiceId, &self.merchant_invoice_id),
            (Field::CancelUrl, &self.cancel_url),
            (Field::NotificationUrl, &self.notification_url),
        ];
        let required = [
            (Field::MerchantTransactionId, &self.merchant_transaction_id),
            (Field::ShopperResultUrl, &self.shopper_result_url),
        ];
        for (field, text) in required.iter().chain(&optional) {
            warnings.extend(text.as_deref().and_then(|text| fields::telling(text, field)));
        }
        for (field, text) in optional {
            let url = matches!(field, Field::CancelUrl | Field::NotificationUrl);
            match text.as_deref() {
                Some(text) if is_blank(text) => warnings.push(Warning::Blank(field)),
                Some(text) if has_control(text) => warnings.push(Warning::ControlCharacter(field)),
                Some(text) if url && !is_http(text) => warnings.push(Warning::NotHttp(field)),
                Some(_) | None => {}
            }
        }
    }
}

impl fmt::Debug for Draft<'_> {
    /// Prints the ids and the price of the payment, and the names of the further parameters. Of the URLs
    /// their lengths, because a session can be in one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |url: &Option<Cow<'_, str>>| url.as_ref().map(|url| url.len());
        f.debug_struct("Draft")
            .field("entity_id", &self.entity_id)
            .field("merchant_transaction_id", &self.merchant_transaction_id)
            .field("amount", &self.amount)
            .field("payment_type", &self.payment_type)
            .field("currency", &self.currency)
            .field("shopper_result_url_len", &length(&self.shopper_result_url))
            .field("cancel_url_len", &length(&self.cancel_url))
            .field("notification_url_len", &length(&self.notification_url))
            .field("custom_parameters", &self.custom_parameters)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// An amount of a draft: exact, or a text that is one when the draft is checked.
///
/// The text has the page's form: one to eight digits, with a point and two more or without. `2.5` is not an
/// amount.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::peach::Amount;
///
/// assert_eq!(Amount::from(Cents::new(250)), Amount::Cents(Cents::new(250)));
/// assert_eq!(Amount::from("2.50"), Amount::Text("2.50".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount<'a> {
    /// Hundredths of the currency's unit.
    Cents(Cents),
    /// Units of the currency.
    Text(Cow<'a, str>),
}

impl Amount<'_> {
    /// `^[0-9]{1,8}(\.[0-9]{2})?$`, and more than zero where zero is not allowed.
    fn check(&self, zero_allowed: bool) -> Result<Cents, Violation> {
        let amount = match self {
            Self::Cents(amount) => *amount,
            Self::Text(text) => {
                let (units, hundredths) = text.split_once('.').unwrap_or((text, "00"));
                let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                if !(1..=8).contains(&units.len())
                    || hundredths.len() != 2
                    || !digits(units)
                    || !digits(hundredths)
                {
                    return Err(Violation::AmountForm);
                }
                text.parse().map_err(|_| Violation::AmountForm)?
            }
        };
        match amount {
            _ if zero_allowed && amount == Cents::ZERO => Ok(amount),
            _ if !amount.is_positive() => Err(Violation::NotPositive),
            _ if amount > MAX_AMOUNT => Err(Violation::AmountTooLarge),
            _ => Ok(amount),
        }
    }

    fn into_owned(self) -> Amount<'static> {
        match self {
            Self::Cents(amount) => Amount::Cents(amount),
            Self::Text(text) => Amount::Text(owned(text)),
        }
    }
}

impl From<Cents> for Amount<'_> {
    fn from(amount: Cents) -> Self {
        Self::Cents(amount)
    }
}

impl<'a> From<&'a str> for Amount<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Amount<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// The row with the name, or the violation.
fn known<T: Copy>(
    value: Option<Open<T, Cow<'_, str>>>,
    field: Field,
    unknown: Violation,
) -> Result<T, Violation> {
    match value {
        Some(Open::Known(row)) => Ok(row),
        Some(Open::Unknown(_)) => Err(unknown),
        None => Err(Violation::Missing(field)),
    }
}

/// `^[a-f0-9]{32}$`
fn is_entity(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// 99 999 999.99: eight digits before the point.
const MAX_AMOUNT: Cents = Cents::new(9_999_999_999);
