//! Peach's steps and phases.
//!
//! *Checkout webhooks*, 2026-07-23, a public page, lists how a status can change: four ordinary steps and two
//! late steps come from that list. The other steps are assumed, each with its reason. *Payment status* lists
//! no step. `authorized` is ours: if a payment has the type `PA`, the list's `successful` is `authorized`.

use crate::table::lifecycle;
use crate::{Basis, Failure, Kind, Phase, Step};
use checkout_tables::peach::PaymentStatus;
use checkout_tables::peach::PaymentStatus::{Authorized, Cancelled, Created, Expired, Pending, Successful};
use checkout_tables::peach::{ResultCode, ResultGroup};

lifecycle!(text PaymentStatus, steps = STEPS, phase = status_phase, moments = Provider);

const STEPS: [Step<PaymentStatus>; 13] = [
    ordinary(Created, Pending, Basis::Public("created becomes pending")),
    ordinary(Created, Successful, JUMPS),
    ordinary(Created, Authorized, RESERVED),
    ordinary(Created, Cancelled, JUMPS),
    ordinary(Created, Expired, JUMPS),
    ordinary(Pending, Successful, OPEN_ENDS),
    ordinary(Pending, Authorized, RESERVED),
    ordinary(Pending, Cancelled, OPEN_ENDS),
    ordinary(Pending, Expired, OPEN_ENDS),
    late(Cancelled, Successful, ENDS_AGAIN),
    late(Cancelled, Authorized, RESERVED),
    late(Expired, Successful, ENDS_AGAIN),
    late(Expired, Authorized, RESERVED),
];

/// The phase of a payment whose reply has this code: for a code that is not a status, the phase that explains
/// the code.
///
/// For a code of the exact list, this is the [phase](crate::Status::phase) of its status, with a success read
/// as that of a debit in the right environment: [`Outcome`](checkout_tables::peach::Outcome) decides whether
/// the code is a success.
///
/// The [group](ResultCode::group) explains any other code, as we assume; `None` leaves the phase unchanged:
/// - pending, communication, system: [`Processing`](Phase::Processing);
/// - success with a review: [`InReview`](Phase::InReview);
/// - declined by the bank or by 3DS, softly or not: the attempt failed and the payer may try again, so
///   [`AwaitingPayer`](Phase::AwaitingPayer) until the checkout is canceled or has expired. The same holds
///   for a page that was not opened yet, a code of no group;
/// - format, amount, message authentication: the request was wrong, so
///   [`Failed(Rejected)`](Failure::Rejected). This is the refusal of the answered request: if that request
///   was a read, the refusal says nothing about the payment;
/// - chargeback: [`Reversed`](Phase::Reversed).
///
/// The phase is for display and for logs, and **settles nothing**: a group never makes an end. Only a status
/// in a [`Tracker`](crate::Tracker) is an end.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::Phase;
/// use checkout_kit::lifecycle::peach::phase;
/// use checkout_kit::peach::ResultCode;
///
/// let explained = |code: &str| ResultCode::parse(code).and_then(phase);
/// assert_eq!(explained("800.100.152"), Some(Phase::AwaitingPayer)); // declined: another card?
/// assert_eq!(explained("900.100.300"), Some(Phase::Processing));
/// assert_eq!(explained("000.300.100"), None); // "risk check successful" is not a payment
/// ```
#[must_use]
pub const fn phase(code: ResultCode) -> Option<Phase> {
    if let Some(status) = code.status() {
        return Some(status_phase(status));
    }
    if code.is_not_opened_yet() {
        return Some(Phase::AwaitingPayer);
    }
    match code.group() {
        Some(
            ResultGroup::Pending
            | ResultGroup::PendingDays
            | ResultGroup::Communication
            | ResultGroup::System,
        ) => Some(Phase::Processing),
        Some(ResultGroup::SuccessReview) => Some(Phase::InReview),
        Some(
            ResultGroup::RejectedThreeDs
            | ResultGroup::RejectedThreeDsAuth
            | ResultGroup::RejectedBank
            | ResultGroup::SoftDecline,
        ) => Some(Phase::AwaitingPayer),
        Some(ResultGroup::Mac | ResultGroup::Format | ResultGroup::Amount) => {
            Some(Phase::Failed(Failure::Rejected))
        }
        Some(ResultGroup::Chargeback) => Some(Phase::Reversed),
        Some(ResultGroup::Success | ResultGroup::AsyncWorkflow | _) | None => None,
    }
}

/// The phase of a payment with this status. Assumed of `pending`: its meaning awaits the customer, and its
/// codes are those of payments in progress. So nobody gives up a payment that may be on its way.
const fn status_phase(status: PaymentStatus) -> Phase {
    match status {
        Created => Phase::AwaitingPayer,
        Pending => Phase::Processing,
        Successful => Phase::Succeeded,
        Authorized => Phase::Authorized,
        Cancelled => Phase::Failed(Failure::Canceled),
        Expired => Phase::Failed(Failure::Expired),
    }
}

const fn ordinary(from: PaymentStatus, to: PaymentStatus, basis: Basis) -> Step<PaymentStatus> {
    Step { from, to, kind: Kind::Ordinary, basis }
}

const fn late(from: PaymentStatus, to: PaymentStatus, basis: Basis) -> Step<PaymentStatus> {
    Step { from, to, kind: Kind::Late, basis }
}

const OPEN_ENDS: Basis =
    Basis::Public("pending becomes successful, cancelled or uncertain, which is expired");
const ENDS_AGAIN: Basis = Basis::Public("uncertain, which is expired, and cancelled become successful");
const JUMPS: Basis = Basis::Assumed("webhooks come out of order and reads are rare, so pending is missed");
const RESERVED: Basis = Basis::Assumed("authorized is the success of a payment of the type PA");
