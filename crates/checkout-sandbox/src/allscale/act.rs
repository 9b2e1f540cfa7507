//! The acts of a payer on the hosted page, and of AllScale behind the page.

use std::error::Error;
use std::fmt;

/// Something that a payer does on the hosted page, or that happens behind the page, when a test says so.
///
/// An act takes the intent off its scenario: nothing of the scenario happens any more. What follows the act
/// by itself is the row of the act, with the times of the named [`Scenario`](super::Scenario)s. A payer who
/// acts on an unopened page opens the page first.
///
/// | act | possible at | the status at once, and later by itself |
/// |---|---|---|
/// | `Open` | 1, 2 | 2; half an hour later -5 |
/// | `Pay`, and `PayPermille` of 1000 and more | 1, 2, 3, -1 to -5 | 10; 30 seconds later 20 |
/// | `PayPermille` of 1 to 999 | 1, 2, 3, -1 to -5 | 10; 30 seconds later 5; 5 minutes later -3 |
/// | `Kyt` | 1, 2 | 3; 40 seconds later the result, or 15 minutes later 4 |
/// | `Kyt` | 3, 4 | the result; at 4 nothing can get stuck |
/// | `Cancel` | 1, 2, 3 | -4 |
/// | `Expire` | 1, 2, 3 | -5 |
/// | `Fail` | 1, 2, 3, 4, 5, 10 | -1 |
/// | `ComeTo` | every status | the status |
///
/// The result of `Kyt` is 10 and 30 seconds later 20, or 5 and 5 minutes later -2, or 4. A payment at a
/// status below zero is a late payment. An intent that has been confirmed takes no payment any more.
///
/// Assumed: the rows, which follow the steps between statuses that no page tells, and all times.
///
/// ```
/// use checkout_sandbox::allscale::{Act, ActError, Sandbox};
///
/// let nobodys = Sandbox::new(7).act("0123456789abcdef01234567", Act::Pay);
/// assert_eq!(nobodys, Err(ActError::UnknownIntent));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// The payer opens the page, or opens the page again, which puts the end of the half hour off.
    Open,
    /// The payer pays the full amount, on time or late.
    Pay,
    /// The payer pays this many thousandths of the amount: 999 underpays, and 1500 overpays. The amount paid
    /// is rounded down to four decimals. A share of 0 is no payment, and not possible.
    PayPermille(u32),
    /// The payer pays the full amount into a temporary wallet, for the checks of the transaction (KYT). At 3
    /// and 4, where the payer has paid, the checks come to their result at once.
    Kyt(Kyt),
    /// The payer cancels.
    Cancel,
    /// The time limit runs out.
    Expire,
    /// The payment fails by a processing error.
    Fail,
    /// The intent comes to this status, which may be any integer, and stays there. The amount paid is that of
    /// the payment before, and else that of the scenario, or the full amount of a scenario without a payment.
    ComeTo(i64),
}

/// The result of the checks of a transaction (KYT).
///
/// ```
/// use checkout_sandbox::allscale::{Act, Kyt};
///
/// assert_ne!(Act::Kyt(Kyt::Passed), Act::Kyt(Kyt::Refused));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kyt {
    /// The payment passes, and is confirmed.
    Passed,
    /// The payment is refused, and sent back.
    Refused,
    /// The payment is stuck, and waits for a manual review: for another [`Act::Kyt`].
    Stuck,
}

/// The consequences of an act.
pub(super) struct Plan {
    /// Seconds after the step before, and a status.
    pub(super) steps: Vec<(u64, i64)>,
    /// The share that is paid, if the act pays.
    pub(super) permille: Option<u32>,
}

impl Act {
    /// The consequences of the act at this status, if the act is possible.
    pub(super) fn plan(self, status: i64, was_confirmed: bool) -> Option<Plan> {
        let may_pay = !was_confirmed && (matches!(status, 1..=3) || matches!(status, -5..=-1));
        let (after, permille): (&[(u64, i64)], _) = match (self, status) {
            (Self::Open, 1) => (&[(HALF_AN_HOUR, -5)], None),
            (Self::Open, 2) => (&[(HALF_AN_HOUR, -5)], None),
            (Self::Pay, _) if may_pay => (PAID, Some(1000)),
            (Self::PayPermille(permille @ 1..=999), _) if may_pay => (UNDERPAID, Some(permille)),
            (Self::PayPermille(permille @ 1000..), _) if may_pay => (PAID, Some(permille)),
            (Self::Kyt(kyt), 1 | 2) if !was_confirmed => (kyt.payment_and_result(), Some(1000)),
            (Self::Kyt(Kyt::Stuck), 4) => return None,
            (Self::Kyt(kyt), 3 | 4) if !was_confirmed => (kyt.result(), None),
            (Self::Cancel, 1..=3) => (&[(0, -4)], None),
            (Self::Expire, 1..=3) => (&[(0, -5)], None),
            (Self::Fail, 1..=5 | 10) => (&[(0, -1)], None),
            (Self::ComeTo(to), _) => return Some(Plan { steps: vec![(0, to)], permille: None }),
            _ => return None,
        };
        let is_payers = !matches!(self, Self::Expire | Self::Fail);
        let opening = (status == 1 && is_payers).then_some((0, 2));
        Some(Plan { steps: opening.into_iter().chain(after.iter().copied()).collect(), permille })
    }
}

impl Kyt {
    fn payment_and_result(self) -> &'static [(u64, i64)] {
        match self {
            Self::Passed => &[(0, 3), (40, 10), (30, 20)],
            Self::Refused => &[(0, 3), (40, 5), (300, -2)],
            Self::Stuck => &[(0, 3), (900, 4)],
        }
    }

    fn result(self) -> &'static [(u64, i64)] {
        match self {
            Self::Passed => PAID,
            Self::Refused => &[(0, 5), (300, -2)],
            Self::Stuck => &[(0, 4)],
        }
    }
}

const PAID: &[(u64, i64)] = &[(0, 10), (30, 20)];

const UNDERPAID: &[(u64, i64)] = &[(0, 10), (30, 5), (300, -3)];

/// Half an hour, in seconds.
const HALF_AN_HOUR: u64 = 1_800;

/// The reason why an act did not happen. The intent is as before.
///
/// ```
/// use checkout_sandbox::allscale::ActError;
///
/// assert_eq!(ActError::NotPossible.to_string(), "the act is not possible at the intent's status");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActError {
    /// No intent has this id.
    UnknownIntent,
    /// The page could not do the act: the table of [`Act`] has the statuses at which each act is possible.
    NotPossible,
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIntent => "no intent has this id",
            Self::NotPossible => "the act is not possible at the intent's status",
        })
    }
}

impl Error for ActError {}
