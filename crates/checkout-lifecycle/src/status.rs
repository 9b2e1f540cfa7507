//! A provider's statuses and the steps between them.

mod path;

pub use self::path::Path;

use crate::derive::Reach;
use crate::phase::Phase;
use checkout_tables::TextCode;
use core::fmt;

/// A provider's statuses, with the steps between them.
///
/// A provider's module lists the steps and the phases; reachability and paths are derived.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus::{Confirmed, Created, OnChain, Timeout, Viewed};
/// use checkout_kit::lifecycle::Status;
///
/// assert!(Created.may_become(Confirmed));
/// assert!(!Confirmed.may_become(Created));
/// // A time-out can still be paid, but by a late step only.
/// assert!(!Timeout.may_become(Confirmed));
/// assert!(Timeout.may_become_late(Confirmed));
///
/// let path = Created.path_to(Confirmed).unwrap();
/// assert_eq!(path.iter().collect::<Vec<_>>(), [Created, Viewed, OnChain, Confirmed]);
/// ```
pub trait Status: TextCode + Eq + fmt::Debug {
    /// Every step, the ordinary ones first.
    const STEPS: &'static [Step<Self>];

    /// The clock of the moments of this provider's reads.
    const MOMENTS: ClockOf;

    /// The phase of a checkout with this status.
    fn phase(self) -> Phase;

    /// The statuses that can be reached from this status, derived from the steps.
    fn reach(self) -> Reach;

    /// The status's place in [`ROWS`](TextCode::ROWS).
    fn position(self) -> usize;

    /// True if a checkout with this status has ended: its [phase](Self::phase) is final, and no ordinary step
    /// leaves the status. The two conditions agree: a table in which they differ does not compile.
    fn is_terminal(self) -> bool {
        self.phase().is_final()
    }

    /// True if ordinary steps lead from this status to the other. Every status may become itself.
    fn may_become(self, to: Self) -> bool {
        self.reach().by_ordinary(to.position())
    }

    /// True if steps of any kind lead from this status to the other.
    fn may_become_late(self, to: Self) -> bool {
        self.reach().by_any(to.position())
    }

    /// A shortest chain of ordinary steps from this status to the other, both ends included.
    fn path_to(self, to: Self) -> Option<Path<Self>> {
        Path::shortest(self, to)
    }
}

/// The clock of the moments that order a provider's reads.
///
/// Moments of the caller's clock are compared with the caller's `now`, so that a clock that ran ahead for a
/// while and was set back makes no later read look old: see [`Tracker::observe`](crate::Tracker::observe).
/// Moments of the provider's clock are compared only with each other.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::{ClockOf, Status};
/// use checkout_kit::peach::PaymentStatus;
///
/// assert_eq!(IntentStatus::MOMENTS, ClockOf::Caller);
/// assert_eq!(PaymentStatus::MOMENTS, ClockOf::Provider);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockOf {
    /// The caller's clock: a read's moment is the moment at which the request was sent
    /// ([`Observation::read`](crate::Observation::read)).
    Caller,
    /// The provider's clock: the answers carry their own time
    /// ([`Observation::read_ordered`](crate::Observation::read_ordered)).
    Provider,
}

/// One status directly followed by another.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::{Basis, Status};
///
/// let stated = IntentStatus::STEPS.iter().filter(|step| matches!(step.basis, Basis::Stated(_))).count();
/// assert_eq!(stated, 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<S> {
    /// The status before.
    pub from: S,
    /// The status after.
    pub to: S,
    /// The kind: usual course or late.
    pub kind: Kind,
    /// The basis of our knowledge of the step.
    pub basis: Basis,
}

/// The kind of a step: part of the usual course of a checkout, or late.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::{Kind, Status};
///
/// // A status is terminal exactly when no ordinary step leaves it.
/// for status in IntentStatus::ROWS {
///     let leaves = IntentStatus::STEPS.iter().any(|step| step.from == status && step.kind == Kind::Ordinary);
///     assert_eq!(status.is_terminal(), !leaves);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The usual course.
    Ordinary,
    /// After the end: money that comes when nobody waits for the money any more.
    Late,
}

/// The basis of our knowledge of a step.
///
/// `docs/sources.md` lists the pages, and every fact that is [`Stated`](Self::Stated).
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::lifecycle::Basis;
///
/// assert_eq!(Basis::Assumed("money can come late").reason(), "money can come late");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The provider's page of the route says so: the fact, as `docs/sources.md` lists the fact.
    Stated(&'static str),
    /// Another public page of the provider says so: the fact.
    Public(&'static str),
    /// No page says so: the reason why we think so.
    Assumed(&'static str),
}

impl Basis {
    /// The fact that a page states, or the reason why we assume the step.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Stated(reason) | Self::Public(reason) | Self::Assumed(reason) => reason,
        }
    }
}
