//! An order that is paid with Peach.

use super::findings::{Findings, Id};
use super::{Code, Mismatch, Policy, Read, ReadField, Settlement, Unit, Unproven};
use checkout_lifecycle::{Phase, Status, peach};
use checkout_money::{Cents, CoinAmount};
use checkout_tables::peach::{Currency, PaymentStatus, PaymentType, ResultCode};
use checkout_tables::{Environment, Open};
use checkout_validate::peach::{CheckoutId, InitiateCheckout};
use checkout_wire::peach::Payment;

/// The shop's stored data of an order that is paid with Peach. A debit has to pay the order: an authorization
/// is not money, so an authorization settles no order.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::peach::Currency;
/// use checkout_kit::settlement::peach::Order;
/// use checkout_kit::settlement::{Policy, Read};
/// use checkout_kit::wire::peach::read_payment;
/// use checkout_kit::wire::{Head, Reply};
/// use checkout_kit::{Cents, Environment};
///
/// let order = Order {
///     environment: Environment::Live,
///     merchant_transaction_id: "order_1001",
///     checkout_id: None,
///     amount: Cents::new(14_99),
///     currency: Currency::ZAR,
/// };
/// let body = br#"{"amount":"14.99","currency":"ZAR","merchantTransactionId":"order_1001","paymentType":"DB",
///     "result.code":"000.100.110"}"#; // a success, and the sandbox's
/// let Reply::Done(answer) = read_payment(&Head::new(200), body, Environment::Live)? else { panic!() };
/// let read = Read::answer(answer.payload, Environment::Live);
/// let settlement = order.settled_by(&read);
/// assert_eq!(settlement.to_string(), "not settled: test money for a live order");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// The environment of the order: goods leave for a live order only.
    pub environment: Environment,
    /// The `merchantTransactionId` of the checkout. A read by this id gives the *latest* checkout with the
    /// id: keep the id unique.
    pub merchant_transaction_id: &'a str,
    /// `checkoutId`, if known: V2's answer to the create has the id, and V1's first webhook. A known id is
    /// compared, and must be in the read.
    pub checkout_id: Option<&'a str>,
    /// The `amount` of the checkout: hundredths of the currency.
    pub amount: Cents,
    /// The `currency` of the checkout.
    pub currency: Currency,
}

impl<'a> Order<'a> {
    /// The order of a created checkout: the draft's amount and `merchantTransactionId`, and the `checkoutId`
    /// of the answer, where the answer has one that a status can be asked by.
    ///
    /// `environment` is the one that the goods leave for. Take it from the shop and not from the client.
    ///
    /// ```
    /// # use checkout_money::Cents;
    /// # use checkout_tables::{Environment, peach::Currency};
    /// # use checkout_trust::settlement::peach::Order;
    /// # use checkout_validate::peach::Draft;
    /// let draft = Draft::debit(Currency::ZAR, Cents::new(200)).entity_id("8ac7a4ca68c22c4d0168c2caab2e0025");
    /// let draft = draft.merchant_transaction_id("order_123").shopper_result_url("https://shop.example").check()?;
    /// let order = Order::of(Environment::Live, &draft, Some("c01b"));
    /// assert_eq!((order.merchant_transaction_id, order.checkout_id), ("order_123", Some("c01b")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(
        environment: Environment,
        checkout: &'a InitiateCheckout<'_>,
        checkout_id: Option<&'a str>,
    ) -> Self {
        Self {
            environment,
            merchant_transaction_id: checkout.merchant_transaction_id(),
            checkout_id: checkout_id.filter(|id| CheckoutId::new(*id).is_ok()),
            amount: checkout.amount(),
            currency: checkout.currency(),
        }
    }
}

impl Order<'_> {
    /// Compares a read of the status with the order. The read settles the order if a debit of the order's
    /// amount in the order's currency was successful, in the order's environment and under the order's ids.
    /// The exact list of result codes decides success. The group of a code can hold an order, and never
    /// settles an order.
    ///
    /// A webhook or the shopper's return has the same type as the answer to a read. See [`Read::answer`].
    ///
    /// The page asks for a fixed amount, so a card pays that amount or nothing: an amount other than the
    /// order's is the sign of another checkout. Less is always a mismatch, and more is a mismatch with
    /// [`Overpaid::Hold`](super::Overpaid::Hold). In another currency the amounts are compared by number, and
    /// the finding stands beside [`Mismatch::WrongCurrency`].
    ///
    /// ```
    /// # use checkout_trust::settlement::{Read, peach::Order};
    /// # use checkout_wire::peach::Payment;
    /// fn may_ship(order: &Order<'_>, read: &Read<Payment<'_>>) -> bool {
    ///     order.settled_by(read).is_settled()
    /// }
    /// ```
    pub fn settled_by(&self, read: &Read<Payment<'_>>) -> Settlement {
        self.settled_by_with(read, &Policy::default())
    }

    /// Compares a read with the order as [`settled_by`](Self::settled_by) does, under a policy of the
    /// merchant.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Overpaid, Policy, Read, peach::Order};
    /// # use checkout_wire::peach::Payment;
    /// fn may_ship(order: &Order<'_>, read: &Read<Payment<'_>>) -> bool {
    ///     let policy = Policy::default().overpaid(Overpaid::Hold);
    ///     order.settled_by_with(read, &policy).is_settled()
    /// }
    /// ```
    pub fn settled_by_with(&self, read: &Read<Payment<'_>>, policy: &Policy) -> Settlement {
        let payment = read.payload();
        let mut findings = Findings::default();
        findings.price(self.amount.is_positive());
        if !payment.is_answer() {
            findings.unproven(Unproven::Delivered);
        }
        self.environment(payment, read.environment(), &mut findings);
        self.ids(payment, &mut findings);
        let unit = self.currency(payment, &mut findings);
        let succeeded = status(payment, &mut findings);
        payment_type(payment, succeeded, &mut findings);
        match payment.amount().filter(|_| is_there(payment, "amount")) {
            Some(Ok(paid)) => {
                let owed = CoinAmount::from_cents(self.amount);
                findings.paid((ReadField::Amount, paid), owed, unit, policy);
            }
            Some(Err(_)) => findings.unproven(Unproven::Unreadable(ReadField::Amount)),
            None => findings.unproven(Unproven::Missing(ReadField::Amount)),
        }
        findings.settlement(policy)
    }

    /// Checks the environment. The client's environment, the environment that the payment was read in, and
    /// the code all count: any sign of a test makes the payment a test.
    fn environment(&self, payment: &Payment<'_>, client: Environment, findings: &mut Findings) {
        let sandboxes = [client, payment.environment()].map(|from| from == Environment::Sandbox);
        let test = match self.environment {
            Environment::Live => {
                let code = payment.result_code();
                sandboxes.contains(&true) || code.is_some_and(ResultCode::is_test_success)
            }
            Environment::Sandbox => !sandboxes.contains(&false),
        };
        findings.environment(self.environment, test);
    }

    fn ids(&self, payment: &Payment<'_>, findings: &mut Findings) {
        let reference = findings.id(
            self.merchant_transaction_id,
            payment.merchant_transaction_id(),
            Mismatch::AnotherOrder,
        );
        let checkout = self
            .checkout_id
            .map(|asked| findings.id(asked, payment.checkout_id(), Mismatch::AnotherCheckout));
        if reference == Id::Missing {
            // The policy can accept that one of the two ids is missing, never both.
            if checkout.is_none_or(|checkout| checkout == Id::Missing) {
                findings.unproven(Unproven::Nameless);
            }
            findings.unproven(Unproven::Missing(ReadField::MerchantTransactionId));
        }
        if checkout == Some(Id::Missing) {
            findings.unproven(Unproven::Missing(ReadField::CheckoutId));
        }
    }

    /// Returns the currency, if the currency is the order's.
    fn currency(&self, payment: &Payment<'_>, findings: &mut Findings) -> Option<Unit> {
        let Some(found) = payment.currency().filter(|_| is_there(payment, "currency")) else {
            findings.unproven(Unproven::Missing(ReadField::Currency));
            return None;
        };
        if found.known() == Some(self.currency) {
            return Some(Unit::Currency(self.currency));
        }
        findings.mismatch(Mismatch::WrongCurrency(Code::of(found.text())));
        None
    }
}

/// Checks the end that the code names; true if the code is a success, of whatever payment type.
fn status(payment: &Payment<'_>, findings: &mut Findings) -> bool {
    let Some(code) = payment.result_code() else {
        match payment.status() {
            // The word around the fields is not signed: an open status can be believed.
            Some(Open::Known(open)) => findings.phase(open.phase()),
            Some(Open::Unknown(_)) | None => {
                let code = payment.code().filter(|code| !code.is_empty());
                findings.unproven(Unproven::NoStatus(code.map(Code::of)));
            }
        }
        return false;
    };
    if let Some(PaymentStatus::Successful | PaymentStatus::Authorized) = code.status() {
        return true;
    }
    match (code.status(), peach::phase(code)) {
        // A group that refuses a request refuses the read and not the payment, and no group settles a
        // payment.
        (None, None | Some(Phase::Succeeded | Phase::Authorized | Phase::Failed(_))) => {
            findings.unproven(Unproven::NoStatus(Some(Code::printed(&code))));
        }
        (_, Some(phase)) => findings.phase(phase),
        (Some(status), None) => findings.phase(status.phase()),
    }
    false
}

/// Checks that the payment is a debit, and nothing else.
fn payment_type(payment: &Payment<'_>, succeeded: bool, findings: &mut Findings) {
    match payment.payment_type().filter(|_| is_there(payment, "paymentType")) {
        None => findings.unproven(Unproven::Missing(ReadField::PaymentType)),
        Some(Open::Known(PaymentType::DB)) => {}
        Some(Open::Known(PaymentType::PA)) if succeeded => findings.mismatch(Mismatch::AuthorizedOnly),
        Some(other) => findings.mismatch(Mismatch::WrongPaymentType(Code::of(other.text()))),
    }
}

/// True if the field is present. Null comes as an empty text.
fn is_there(payment: &Payment<'_>, key: &str) -> bool {
    payment.fields().get(key).is_some_and(|text| !text.is_empty())
}

impl super::Order for Order<'_> {
    type Payload = Payment<'static>;

    fn settled_by_with(&self, read: &Read<Payment<'static>>, policy: &Policy) -> Settlement {
        Order::settled_by_with(self, read, policy)
    }
}
