//! An order that is paid with Azotte.

use super::findings::{Findings, Id};
use super::{Code, Mismatch, Policy, Read, Settlement, Unproven};
use checkout_lifecycle::Status;
use checkout_tables::{Environment, Open};
use checkout_wire::azotte::CheckoutResult;

/// The shop's stored data of an order that is paid with Azotte: the tracking number of the order's checkout.
///
/// **There is no price here, since Azotte's status has no price to compare**, nor your `correlationId`. The
/// status proves one thing: Azotte says `CHECK_OUT_DONE` of this tracking number. The proof that this is the
/// payment of this order for this amount rests on the submit: on the items and quantities that *you* sent,
/// priced in Azotte's catalog, and on the tracking number that the submit's answer gave, stored with the
/// order.
///
/// ```
/// # checkout_doctest::facade!(trust);
/// use checkout_kit::Environment;
/// use checkout_kit::settlement::azotte::Order;
/// use checkout_kit::settlement::{Policy, Read};
/// use checkout_kit::wire::{Head, Reply, azotte};
///
/// let order = Order { environment: Environment::Live, tracking_number: "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB" };
/// let body = br#"{"trackingNumber":"trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB","status":{"messageCode":"CHECK_OUT_PROCESSING"}}"#;
/// let Reply::Done(answer) = azotte::read(&Head::new(200), body)? else { panic!() };
/// let read = Read::answer(answer.payload, Environment::Live);
/// let settlement = order.settled_by(&read);
/// assert_eq!(settlement.to_string(), "not settled: not final: processing");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// The environment of the order: goods leave for a live order only.
    pub environment: Environment,
    /// `trackingNumber` of the answer to the submit.
    pub tracking_number: &'a str,
}

impl Order<'_> {
    /// Compares a read of the status with the order. The read settles the order if the status is done, and
    /// the checkout is the order's own.
    ///
    /// The answer to the submit has the same type and does not confirm a payment, even if the answer already
    /// says `CHECK_OUT_DONE`: read the status. No part of the policy applies: there is no amount, and only
    /// the tracking number could be missing.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Read, azotte::Order};
    /// # use checkout_wire::azotte::CheckoutResult;
    /// fn may_ship(order: &Order<'_>, read: &Read<CheckoutResult<'_>>) -> bool {
    ///     order.settled_by(read).is_settled()
    /// }
    /// ```
    pub fn settled_by(&self, read: &Read<CheckoutResult<'_>>) -> Settlement {
        self.settled_by_with(read, &Policy::default())
    }

    /// Compares a read with the order as [`settled_by`](Self::settled_by) does, under a policy of the
    /// merchant.
    ///
    /// ```
    /// # use checkout_trust::settlement::{Overpaid, Policy, Read, azotte::Order};
    /// # use checkout_wire::azotte::CheckoutResult;
    /// fn may_ship(order: &Order<'_>, read: &Read<CheckoutResult<'_>>) -> bool {
    ///     let policy = Policy::default().overpaid(Overpaid::Hold);
    ///     order.settled_by_with(read, &policy).is_settled()
    /// }
    /// ```
    pub fn settled_by_with(&self, read: &Read<CheckoutResult<'_>>, policy: &Policy) -> Settlement {
        let result = read.payload();
        let mut findings = Findings::default();
        findings.environment(self.environment, read.environment() == Environment::Sandbox);
        let found = result.tracking_number.as_deref();
        if findings.id(self.tracking_number, found, Mismatch::AnotherCheckout) == Id::Missing {
            findings.unproven(Unproven::Nameless);
        }
        match &result.status.message_code {
            Open::Known(code) => findings.phase(code.phase()),
            unknown @ Open::Unknown(_) => {
                findings.unproven(Unproven::NoStatus(Some(Code::of(unknown.text()))));
            }
        }
        findings.settlement(policy)
    }
}

impl super::Order for Order<'_> {
    type Payload = CheckoutResult<'static>;

    fn settled_by_with(&self, read: &Read<CheckoutResult<'static>>, policy: &Policy) -> Settlement {
        Order::settled_by_with(self, read, policy)
    }
}
