//! The fields of a signed body about a payment.

use super::{Fields, moment};
use crate::{Printable, Verbatim};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::ToString;
use checkout_money::{CoinAmount, ParseAmountError};
use checkout_tables::peach::{
    Currency, Environment, Outcome, PaymentStatus, PaymentType, ResultCode, ResultGroup,
};
use checkout_tables::{Moment, Open};
use checkout_validate::Redacted;
use core::fmt;

/// A signed body about a payment: the answer to a read of the status, a webhook, or the shopper's return. All
/// three have the same fields, and every field is kept in [`fields`](Self::fields).
///
/// Source: Peach Payments, *Payment status* and *Checkout webhooks*, 2026-07-23.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::{Environment, Fields, Payment, PaymentStatus};
/// use checkout_kit::tables::Moment;
///
/// let form = b"amount=14.99&checkoutId=0fa1&currency=ZAR&merchantTransactionId=UAT12345&paymentType=DB\
///     &result.code=000.000.000&timestamp=2019-01-25T08%3A27%3A46.916519Z&signature=49d3";
/// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).expect("it has a result code");
/// assert_eq!(payment.status().and_then(|status| status.known()), Some(PaymentStatus::Successful));
/// assert_eq!(payment.moment(), Some(Moment::from_unix_millis(1_548_404_866_916)));
///
/// // Of an authorisation the same code is no money, and a test's success settles nothing that is live.
/// let form = b"paymentType=PA&result.code=000.000.000";
/// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).unwrap();
/// assert_eq!(payment.status().and_then(|status| status.known()), Some(PaymentStatus::Authorized));
/// let form = b"paymentType=DB&result.code=000.100.110";
/// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).unwrap();
/// assert_eq!(payment.status().and_then(|status| status.known()), None);
/// # Ok::<(), checkout_wire::peach::FormError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payment<'a> {
    fields: Fields<'a>,
    environment: Environment,
    wrapper: Option<Wrapper<'a>>,
    /// The wrapper's word, unchanged.
    word: Cow<'a, str>,
    /// True if the payment was read: the answer to a question, and not a delivery.
    answer: bool,
}

impl<'a> Payment<'a> {
    /// Builds a payment from flat fields that were delivered, in the environment that they came from: a
    /// success in the sandbox settles nothing that is live. Returns `None` without a `result.code`.
    #[must_use]
    pub fn new(fields: Fields<'a>, environment: Environment) -> Option<Self> {
        let payment = Self::flat(fields, environment, false);
        payment.code().is_some().then_some(payment)
    }

    /// Every field. Verify the fields before you believe any of them.
    #[must_use]
    pub const fn fields(&self) -> &Fields<'a> {
        &self.fields
    }

    /// True if the payment is the answer to a read of the status ([`read_payment`](super::read_payment)), and
    /// neither a webhook nor the shopper's return: do not believe these before goods leave.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let webhook = Payment::new(Fields::from_form(b"result.code=000.000.000")?, Environment::Live).unwrap();
    /// assert!(!webhook.is_answer());
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.answer
    }

    /// The environment that the payment came from.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// The parts around the signed fields, in the wrapped shape of a status.
    #[must_use]
    pub const fn wrapper(&self) -> Option<&Wrapper<'a>> {
        self.wrapper.as_ref()
    }

    /// `result.code`, unchanged; `None` in the wrapped shape before there is a result.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.fields.get("result.code")
    }

    /// `result.code`, if the code is three times three digits.
    ///
    /// ```
    /// # use checkout_tables::peach::{Environment, ResultGroup};
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let payment = Payment::new(Fields::from_form(b"result.code=800.100.151")?, Environment::Live).unwrap();
    /// assert_eq!(payment.result_code().and_then(|code| code.group()), Some(ResultGroup::RejectedBank));
    /// assert_eq!(payment.status().and_then(|status| status.known()), None); // the payer may try again
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn result_code(&self) -> Option<ResultCode> {
        self.code().and_then(ResultCode::parse)
    }

    /// The outcome that the code, the payment's type and the environment give together.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<Cow<'_, str>>> {
        self.code().map(|code| self.outcome_of(Cow::Borrowed(code)))
    }

    /// The status, or an unknown status: a code that does not name the checkout's end, for somebody to look
    /// at. `None` if the page was not opened yet.
    ///
    /// [Another payment](Self::is_about_another_payment) never has a known status, and has none at all if the
    /// payment is not the checkout's:
    ///
    /// | its type | its code | |
    /// |---|---|---|
    /// | `RF` | of the group "chargeback" | unknown |
    /// | `RF` | any other | none |
    /// | any other | of the exact list, and no success: created, pending, cancelled, expired | none |
    /// | any other | a success, a test's success, or any other | unknown |
    ///
    /// In the wrapped shape before there is a result, the wrapper's word stands for the status if the word is
    /// `created` or `pending`: the word is not signed, and these two settle nothing. Any other word is
    /// unknown, with the unchanged word for a code (in quotation marks if the word looks like a code): a
    /// status that says `successful` without a result is for somebody to look at.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::{Head, Reply, peach::{Fields, Payment, read_payment}};
    /// // A chargeback of what was paid.
    /// let form = b"paymentType=CB&result.code=000.100.201";
    /// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).unwrap();
    /// assert_eq!(payment.status().unwrap().unknown().unwrap().code, "000.100.201");
    ///
    /// let body = br#"{"status":"successful","redirect_url":"https://shop.example/","redirect_post_data":null}"#;
    /// let Reply::Done(answer) = read_payment(&Head::new(200), body, Environment::Live)? else { panic!() };
    /// assert_eq!(answer.payload.status().unwrap().unknown().unwrap().code, "successful");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn status(&self) -> Option<Open<PaymentStatus, Outcome<Cow<'_, str>>>> {
        if self.is_not_opened_yet() || self.is_of_no_interest() {
            return None;
        }
        match (self.outcome(), &self.wrapper) {
            (Some(outcome), _) => Some(Open::from(outcome)),
            (None, Some(wrapper)) => match wrapper.status.known() {
                Some(open @ (PaymentStatus::Created | PaymentStatus::Pending)) => {
                    (!self.is_about_another_payment()).then_some(Open::Known(open))
                }
                _ => Some(Open::from(self.outcome_of(self.word()))),
            },
            (None, None) => None,
        }
    }

    /// True if the code is 700.400.580: the page was not opened yet. The code is neither a status nor a
    /// failure.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let payment = Payment::new(Fields::from_form(b"result.code=700.400.580")?, Environment::Live).unwrap();
    /// assert!(payment.is_not_opened_yet() && payment.status().is_none());
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn is_not_opened_yet(&self) -> bool {
        self.result_code().is_some_and(ResultCode::is_not_opened_yet)
    }

    /// True if `paymentType` is neither of the two types of a checkout, to the letter: `db` is another type.
    /// A refund (`RF`) of a checkout sends webhooks of the same form, and so does any other operation on a
    /// checkout; the pending or failed end of the operation is not the checkout's end.
    ///
    /// A refund has no status, unless the refund's code is a chargeback. Another type has a status if
    /// somebody may have to know of the payment, and the status is always unknown: a chargeback (`CB`), a
    /// capture (`CP`) that succeeded, a code that the list of statuses does not have. See
    /// [`status`](Self::status).
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let refund = b"paymentType=RF&result.code=000.000.000";
    /// let payment = Payment::new(Fields::from_form(refund)?, Environment::Live).unwrap();
    /// assert!(payment.is_about_another_payment() && payment.status().is_none());
    ///
    /// let capture = b"paymentType=CP&result.code=000.000.000";
    /// let payment = Payment::new(Fields::from_form(capture)?, Environment::Live).unwrap();
    /// assert!(payment.is_about_another_payment() && payment.status().unwrap().known().is_none());
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn is_about_another_payment(&self) -> bool {
        self.other_type().is_some()
    }

    /// `result.description`.
    #[must_use]
    pub fn result_description(&self) -> Option<&str> {
        self.fields.get("result.description")
    }

    /// `checkoutId`: the checkout.
    #[must_use]
    pub fn checkout_id(&self) -> Option<&str> {
        self.fields.get("checkoutId")
    }

    /// `id`: a successful payment.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.fields.get("id")
    }

    /// `merchantTransactionId`: your reference.
    #[must_use]
    pub fn merchant_transaction_id(&self) -> Option<&str> {
        self.fields.get("merchantTransactionId")
    }

    /// `amount`, in major units.
    ///
    /// # Errors
    /// [`ParseAmountError`], if the amount is not a decimal number.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let payment = Payment::new(Fields::from_form(b"amount=14.99&result.code=000.000.000")?, Environment::Live).unwrap();
    /// assert_eq!(payment.amount().unwrap()?.to_string(), "14.99");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn amount(&self) -> Option<Result<CoinAmount, ParseAmountError>> {
        self.fields.get("amount").map(str::parse)
    }

    /// `currency`.
    #[must_use]
    pub fn currency(&self) -> Option<Open<Currency, &str>> {
        self.fields.get("currency").map(Open::from)
    }

    /// `paymentType`. A success of `PA` is an authorization, and not money.
    #[must_use]
    pub fn payment_type(&self) -> Option<Open<PaymentType, &str>> {
        self.fields.get("paymentType").map(Open::from)
    }

    /// `paymentBrand`: how the payer paid.
    #[must_use]
    pub fn payment_brand(&self) -> Option<&str> {
        self.fields.get("paymentBrand")
    }

    /// `registrationId`: the token of the stored card, if a card was stored. The token pays again as a [card
    /// token](checkout_validate::peach::Draft::card_token), so keep the token as a secret of the customer.
    ///
    /// Source (Public): the API reference, `allowStoringDetails`; an older *Checkout payment request* names
    /// it `registration.id`, which is read where the other one is missing.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let form = b"registrationId=8ac7a49f8e9f15d2018ea09b285f0eaa&result.code=000.000.000";
    /// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).unwrap();
    /// assert_eq!(payment.registration_id().unwrap().as_str(), "8ac7a49f8e9f15d2018ea09b285f0eaa");
    /// assert!(!format!("{payment:?}").contains("8ac7a49f"));
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn registration_id(&self) -> Option<Redacted<'_>> {
        let said = |key| self.fields.get(key).filter(|token| !token.is_empty());
        said("registrationId").or_else(|| said("registration.id")).map(Redacted::from)
    }

    /// A field about the payer, such as `card.holder`.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let form = b"card.holder=Tom&result.code=000.000.000";
    /// let payment = Payment::new(Fields::from_form(form)?, Environment::Live).unwrap();
    /// assert_eq!(payment.personal("card.holder").unwrap().as_str(), "Tom");
    /// assert!(!format!("{payment:?}").contains("Tom"));
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn personal(&self, key: &str) -> Option<Redacted<'_>> {
        self.fields.get(key).map(Redacted::from)
    }

    /// `timestamp`, unchanged.
    #[must_use]
    pub fn timestamp(&self) -> Option<&str> {
        self.fields.get("timestamp")
    }

    /// The moment of `timestamp`, if the field is a date and time with its offset. The moment puts webhooks
    /// and reads in order.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.timestamp().and_then(moment)
    }

    /// `signature`, which is over all the other fields.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.fields.get("signature")
    }

    /// True if the payment names any checkout: by the provider's id of the checkout, or by your reference. An
    /// empty text names no checkout.
    #[must_use]
    pub fn names_a_checkout(&self) -> bool {
        let ids = [self.checkout_id(), self.merchant_transaction_id(), self.id()];
        ids.into_iter().flatten().any(|id| !id.is_empty())
    }

    /// Returns the same payment, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_tables::peach::Environment;
    /// # use checkout_wire::peach::{Fields, Payment};
    /// let payment = Payment::new(Fields::from_form(b"result.code=000.200.100")?, Environment::Live).unwrap();
    /// let owned: Payment<'static> = payment.into_owned();
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Payment<'static> {
        Payment {
            fields: self.fields.into_owned(),
            environment: self.environment,
            wrapper: self.wrapper.map(Wrapper::into_owned),
            word: Cow::Owned(self.word.into_owned()),
            answer: self.answer,
        }
    }

    pub(super) const fn flat(fields: Fields<'a>, environment: Environment, answer: bool) -> Self {
        Self { fields, environment, wrapper: None, word: Cow::Borrowed(""), answer }
    }

    pub(super) const fn wrapped(
        fields: Fields<'a>,
        environment: Environment,
        wrapper: Wrapper<'a>,
        word: Cow<'a, str>,
    ) -> Self {
        Self { fields, environment, wrapper: Some(wrapper), word, answer: true }
    }

    /// The type, if the type is not one of the two types of a checkout.
    fn other_type(&self) -> Option<&str> {
        match self.payment_type()? {
            Open::Known(_) => None,
            Open::Unknown(other) => Some(other.into_raw()).filter(|other| !other.is_empty()),
        }
    }

    /// True if the payment is another payment that is not the checkout's, and that nobody has to look at.
    fn is_of_no_interest(&self) -> bool {
        let code = self.result_code();
        match self.other_type() {
            None => false,
            Some(REFUND) => code.and_then(ResultCode::group) != Some(ResultGroup::Chargeback),
            Some(_) => match code.and_then(ResultCode::status) {
                Some(PaymentStatus::Successful | PaymentStatus::Authorized) | None => false,
                Some(
                    PaymentStatus::Created
                    | PaymentStatus::Pending
                    | PaymentStatus::Cancelled
                    | PaymentStatus::Expired,
                ) => true,
            },
        }
    }

    fn outcome_of<'s>(&self, code: Cow<'s, str>) -> Outcome<Cow<'s, str>> {
        let payment_type = self.payment_type().and_then(|payment_type| payment_type.known());
        Outcome { code, payment_type, environment: self.environment }
    }

    /// The wrapper's word, distinct from a result code: the word is not signed, so a word that looks like a
    /// code stands in quotation marks.
    fn word(&self) -> Cow<'_, str> {
        match ResultCode::parse(&self.word) {
            None => Cow::Borrowed(&self.word),
            Some(code) => Cow::Owned(format!("\"{code}\"")),
        }
    }
}

impl fmt::Debug for Payment<'_> {
    /// Prints the fields that identify the checkout and its result, and the number of fields. Prints nothing
    /// of the payer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Anything can stand in an answer that echoes.
        let printed = |key| self.fields.get(key).map(|text| Printable(text).to_string());
        f.debug_struct("Payment")
            .field("code", &printed("result.code"))
            .field("payment_type", &printed("paymentType"))
            .field("checkout_id", &printed("checkoutId"))
            .field("merchant_transaction_id", &printed("merchantTransactionId"))
            .field("timestamp", &printed("timestamp"))
            .field("environment", &self.environment)
            .field("wrapper", &self.wrapper)
            .field("fields", &self.fields)
            .finish()
    }
}

/// The parts around the signed fields in the other published shape of a status. No part is signed.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::{Environment, PaymentStatus};
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::peach::read_payment;
/// use checkout_kit::wire::{Head, Reply};
///
/// let body = br#"{"status":"pending","timestamp":1200,"redirect_url":"https://shop.example/result","redirect_post_data":null}"#;
/// let Reply::Done(answer) = read_payment(&Head::new(200), body, Environment::Live)? else { panic!() };
/// let wrapper = answer.payload.wrapper().unwrap();
/// assert_eq!(wrapper.remaining_seconds, Some(1200));
/// assert_eq!(answer.payload.status(), Some(Open::Known(PaymentStatus::Pending)));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapper<'a> {
    /// The word of the status; `uncertain` is `expired`.
    pub status: Open<PaymentStatus, Cow<'a, str>>,
    /// The number of seconds that the payer has left. Peach names this number `timestamp`, but the number is
    /// not a time.
    pub remaining_seconds: Option<i64>,
    /// The URL that the payer returns to. No decision depends on the URL, so the URL is carried unchanged.
    pub redirect_url: Option<Verbatim<'a, Redacted<'a>>>,
}

impl fmt::Debug for Wrapper<'_> {
    /// Prints the word and the seconds. Does not print the URL that the payer returns to: the URL can hold a
    /// session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapper")
            .field("status", &Printable(self.status.text()).to_string())
            .field("remaining_seconds", &self.remaining_seconds)
            .finish_non_exhaustive()
    }
}

impl Wrapper<'_> {
    fn into_owned(self) -> Wrapper<'static> {
        Wrapper {
            status: self.status.into_owned(),
            remaining_seconds: self.remaining_seconds,
            redirect_url: self.redirect_url.map(|url| url.into_owned_with(Redacted::into_owned)),
        }
    }
}

/// The type of a refund.
const REFUND: &str = "RF";
