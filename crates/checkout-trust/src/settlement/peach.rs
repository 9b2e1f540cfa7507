//! An order that is paid with Peach.

use super::findings::{Findings, Id};
use super::{Code, Field, Mismatch, Policy, Read, Settlement, Unit, Unproven};
use checkout_lifecycle::{Phase, Status, peach};
use checkout_money::{Cents, CoinAmount};
use checkout_tables::peach::{Currency, PaymentStatus, PaymentType, ResultCode};
use checkout_tables::{Environment, Open};
use checkout_wire::peach::Payment;

/// What the shop has stored of an order that is paid with Peach. It is to be paid by a debit: an
/// authorisation is no money, so there is no order that one settles.
///
/// ```
/// use checkout_money::Cents;
/// use checkout_tables::{Environment, peach::Currency};
/// use checkout_trust::settlement::{Policy, Read, peach::Order};
/// use checkout_wire::{Head, Reply, peach::read_payment};
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
    /// Whether goods leave for it.
    pub environment: Environment,
    /// What the checkout was given as `merchantTransactionId`. A read by it gives the *latest* checkout that
    /// has it: keep it unique.
    pub merchant_transaction_id: &'a str,
    /// `checkoutId`, where it is known: V2's answer to the create has it, and V1's first webhook. It is
    /// compared then, and must be there.
    pub checkout_id: Option<&'a str>,
    /// What the checkout was given as `amount`: hundredths of the currency.
    pub amount: Cents,
    /// What the checkout was given as `currency`.
    pub currency: Currency,
}

impl Order<'_> {
    /// Whether a read of the status settles the order: whether a debit of its amount in its currency was
    /// successful, in its environment and under its ids. What was successful is decided by the exact list of
    /// result codes; what a code means by its group can hold an order, and never settles one.
    ///
    /// A webhook or the shopper's return is of the same type as the answer to a read. See [`Read::answer`].
    ///
    /// The page asks for a fixed amount, so a card pays it or does not: another amount than the order's is
    /// the sign of another checkout. Less is always a mismatch, and more is too with
    /// [`Overpaid::Hold`](super::Overpaid::Hold). In another currency the amounts are compared by their
    /// numbers, beside [`Mismatch::WrongCurrency`].
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
    /// merchant's.
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
                findings.paid((Field::Amount, paid), owed, unit, policy);
            }
            Some(Err(_)) => findings.unproven(Unproven::Unreadable(Field::Amount)),
            None => findings.unproven(Unproven::Missing(Field::Amount)),
        }
        findings.settlement(policy)
    }

    /// The client's environment, the one that the payment was read in, and the code all have a say; any test
    /// is one.
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
            // What the policy can accept is that one of two is missing, never both.
            if checkout.is_none_or(|checkout| checkout == Id::Missing) {
                findings.unproven(Unproven::Nameless);
            }
            findings.unproven(Unproven::Missing(Field::MerchantTransactionId));
        }
        if checkout == Some(Id::Missing) {
            findings.unproven(Unproven::Missing(Field::CheckoutId));
        }
    }

    /// The currency, if it is the order's.
    fn currency(&self, payment: &Payment<'_>, findings: &mut Findings) -> Option<Unit> {
        let Some(found) = payment.currency().filter(|_| is_there(payment, "currency")) else {
            findings.unproven(Unproven::Missing(Field::Currency));
            return None;
        };
        if found.known() == Some(self.currency) {
            return Some(Unit::Currency(self.currency));
        }
        findings.mismatch(Mismatch::WrongCurrency(Code::of(found.text())));
        None
    }
}

/// What the code says of the end; whether it is a success, of whatever payment type.
fn status(payment: &Payment<'_>, findings: &mut Findings) -> bool {
    let Some(code) = payment.result_code() else {
        match payment.status() {
            // The word around the fields is not signed: that it is open can be believed.
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
        // A group that refuses a request refuses the read and not the payment, and none settles one.
        (None, None | Some(Phase::Succeeded | Phase::Authorized | Phase::Failed(_))) => {
            findings.unproven(Unproven::NoStatus(Some(Code::printed(&code))));
        }
        (_, Some(phase)) => findings.phase(phase),
        (Some(status), None) => findings.phase(status.phase()),
    }
    false
}

/// A debit, and nothing else.
fn payment_type(payment: &Payment<'_>, succeeded: bool, findings: &mut Findings) {
    match payment.payment_type().filter(|_| is_there(payment, "paymentType")) {
        None => findings.unproven(Unproven::Missing(Field::PaymentType)),
        Some(Open::Known(PaymentType::DB)) => {}
        Some(Open::Known(PaymentType::PA)) if succeeded => findings.mismatch(Mismatch::AuthorizedOnly),
        Some(other) => findings.mismatch(Mismatch::WrongPaymentType(Code::of(other.text()))),
    }
}

/// Null comes as an empty text.
fn is_there(payment: &Payment<'_>, key: &str) -> bool {
    payment.fields().get(key).is_some_and(|text| !text.is_empty())
}

impl super::Order for Order<'_> {
    type Payload = Payment<'static>;

    fn settled_by_with(&self, read: &Read<Payment<'static>>, policy: &Policy) -> Settlement {
        Order::settled_by_with(self, read, policy)
    }
}
