//! What is known of one checkout, and what an observation does to it.

use crate::{Moment, Observation, Phase, Source, Status};
use checkout_tables::{Open, TextCode};
use core::fmt;
use core::str::FromStr;

/// What is known of one checkout.
///
/// A few bytes, `Copy`, and with a text form that stays the same: keep it in a column of the order, and write it
/// back by compare-and-swap, so that two workers never overwrite each other.
///
/// ```
/// use checkout_lifecycle::{Moment, Observation, Tracker, Verdict};
/// use checkout_tables::allscale::IntentStatus;
///
/// let mut column = String::from("v1 TIMEOUT - 1700000000000");
///
/// let before: Tracker<IntentStatus> = column.parse()?;
/// let mut tracker = before;
/// let verdict = tracker.observe(Observation::read(20, Moment::from_unix_millis(1_700_000_600_000)));
/// assert_eq!(verdict, Verdict::LateSuccess { superseded: IntentStatus::Timeout });
///
/// // update orders set checkout = $new where id = $id and checkout = $before
/// if column == before.to_string() {
///     column = tracker.to_string();
/// }
/// assert_eq!(column, "v1 CONFIRMED TIMEOUT 1700000600000");
/// # Ok::<(), checkout_lifecycle::ParseTrackerError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tracker<S> {
    current: Option<S>,
    superseded: Option<S>,
    /// The latest moment at which the current status was true; `UNORDERED` if none is known.
    order: i64,
}

impl<S> Tracker<S> {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { current: None, superseded: None, order: UNORDERED }
    }

    /// The latest moment at which the current status is known to have been true.
    #[must_use]
    pub const fn order(&self) -> Option<Moment> {
        if self.order == UNORDERED { None } else { Some(Moment::from_unix_millis(self.order)) }
    }
}

impl<S: Status> Tracker<S> {
    /// The status that is known.
    #[must_use]
    pub const fn status(&self) -> Option<S> {
        self.current
    }

    /// The refusal that a late payment superseded, if there was one.
    #[must_use]
    pub const fn superseded(&self) -> Option<S> {
        self.superseded
    }

    /// Where the checkout stands.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.current.map(S::phase)
    }

    /// Whether the checkout has ended. A refused one can still be paid late.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.current.is_some_and(S::is_terminal)
    }

    /// Takes an observation in, and says what it meant.
    ///
    /// The rules, in this order; "newer" is a moment after the one that is known, or a read where none is known:
    /// 1. a status that the table does not name: [`Unknown`](Verdict::Unknown);
    /// 2. nothing was known: [`First`](Verdict::First); the same: [`Unchanged`](Verdict::Unchanged);
    /// 3. ordinary steps lead there: [`Advanced`](Verdict::Advanced);
    /// 4. success after a refusal: [`LateSuccess`](Verdict::LateSuccess);
    /// 5. another refusal after a refusal: [`Conflict`](Verdict::Conflict);
    /// 6. newer, and a late step has reopened a refusal: [`Reopened`](Verdict::Reopened); after any other end,
    ///    [`Conflict`](Verdict::Conflict); else [`Unexpected`](Verdict::Unexpected);
    /// 7. not newer, and older by its moment or by the steps: [`Stale`](Verdict::Stale);
    /// 8. without a moment, and no step explains it: after an end [`Conflict`](Verdict::Conflict), else
    ///    [`Unexpected`](Verdict::Unexpected).
    ///
    /// ```
    /// use checkout_lifecycle::{Moment, Observation, Tracker, Verdict};
    /// use checkout_tables::allscale::IntentStatus;
    ///
    /// let mut tracker = Tracker::<IntentStatus>::new();
    /// tracker.observe(Observation::read(10, Moment::from_unix_millis(0)));
    /// assert_eq!(tracker.observe(Observation::read(6, Moment::from_unix_millis(5))), Verdict::Unknown(6));
    /// assert_eq!(tracker.status(), Some(IntentStatus::OnChain));
    /// ```
    pub fn observe<Raw>(&mut self, observation: Observation<S, Raw>) -> Verdict<S, Raw> {
        let (source, order) = (observation.source(), observation.order());
        let observed = match observation.into_status() {
            Open::Known(observed) => observed,
            Open::Unknown(unnamed) => return Verdict::Unknown(unnamed.into_raw()),
        };
        let Some(current) = self.current else {
            self.adopt(observed, order);
            return Verdict::First;
        };
        if current == observed {
            self.adopt(observed, order);
            return Verdict::Unchanged;
        }
        if current.may_become(observed) {
            self.adopt(observed, order);
            return Verdict::Advanced { from: current };
        }
        let ended = current.is_terminal();
        let refused = ended && current.phase() != Phase::Succeeded;
        if refused && observed.phase() == Phase::Succeeded {
            self.superseded = Some(current);
            self.adopt(observed, order);
            return Verdict::LateSuccess { superseded: current };
        }
        if refused && observed.is_terminal() {
            return Verdict::Conflict { observed };
        }
        let age = self.age(source, order);
        if age == Age::Newer {
            if refused && current.may_become_late(observed) {
                self.superseded = Some(current);
                self.adopt(observed, order);
                return Verdict::Reopened { superseded: current };
            }
        } else if age == Age::Older || observed.may_become_late(current) {
            return Verdict::Stale { observed };
        }
        if ended {
            return Verdict::Conflict { observed };
        }
        self.adopt(observed, order);
        Verdict::Unexpected { from: current }
    }

    fn adopt(&mut self, observed: S, order: Option<Moment>) {
        self.current = Some(observed);
        if let Some(moment) = order {
            self.order = self.order.max(moment.unix_millis());
        }
    }

    fn age(&self, source: Source, order: Option<Moment>) -> Age {
        match (order, self.order()) {
            (Some(observed), Some(known)) if observed > known => Age::Newer,
            (Some(_), Some(_)) => Age::Older,
            // What is known has no moment to be measured by; an answer to our own question counts as newer.
            (Some(_), None) if source == Source::Read => Age::Newer,
            (_, None) | (None, _) => Age::Unordered,
        }
    }
}

impl<S> Default for Tracker<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Status> fmt::Display for Tracker<S> {
    /// The form to store: `v1`, the status, the refusal it superseded, and the moment; `-` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = |status: Option<S>| status.map_or(NONE, TextCode::code);
        write!(f, "{VERSION} {} {} ", code(self.current), code(self.superseded))?;
        match self.order() {
            Some(moment) => write!(f, "{}", moment.unix_millis()),
            None => f.write_str(NONE),
        }
    }
}

impl<S: Status> fmt::Debug for Tracker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker")
            .field("current", &self.current)
            .field("superseded", &self.superseded)
            .field("order", &self.order())
            .finish()
    }
}

impl<S: Status> FromStr for Tracker<S> {
    type Err = ParseTrackerError;

    /// Reads the stored form back: exactly what [`Display`](fmt::Display) writes, and nothing else.
    ///
    /// # Errors
    /// [`ParseTrackerError`], which names the part that is wrong.
    fn from_str(text: &str) -> Result<Self, ParseTrackerError> {
        let mut parts = text.split(' ');
        let mut part = |error| parts.next().ok_or(error);
        if part(ParseTrackerError::Version)? != VERSION {
            return Err(ParseTrackerError::Version);
        }
        let status = |code: &str, error| match code {
            NONE => Ok(None),
            code => S::from_code(code).map(Some).ok_or(error),
        };
        let current = status(part(ParseTrackerError::Status)?, ParseTrackerError::Status)?;
        let superseded = status(part(ParseTrackerError::Superseded)?, ParseTrackerError::Superseded)?;
        let order = match part(ParseTrackerError::Moment)? {
            NONE => UNORDERED,
            digits => moment(digits).ok_or(ParseTrackerError::Moment)?,
        };
        if parts.next().is_some() {
            return Err(ParseTrackerError::Surplus);
        }
        if superseded.is_some_and(|status| !matches!(status.phase(), Phase::Failed(_)) || current.is_none()) {
            return Err(ParseTrackerError::Superseded);
        }
        if current.is_none() && order != UNORDERED {
            return Err(ParseTrackerError::Moment);
        }
        Ok(Self { current, superseded, order })
    }
}

#[cfg(feature = "serde")]
impl<S: Status> serde::Serialize for Tracker<S> {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de, S: Status> serde::Deserialize<'de> for Tracker<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stored<S>(core::marker::PhantomData<S>);

        impl<S: Status> serde::de::Visitor<'_> for Stored<S> {
            type Value = Tracker<S>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stored tracker")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Tracker<S>, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Stored(core::marker::PhantomData))
    }
}

/// What an observation meant.
///
/// ```
/// use checkout_lifecycle::Verdict;
/// use checkout_tables::allscale::IntentStatus;
///
/// let verdict = Verdict::<IntentStatus>::LateSuccess { superseded: IntentStatus::Timeout };
/// assert!(verdict.is_adopted());
/// assert!(verdict.wants_attention());
/// assert_eq!(verdict.to_string(), "late success");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a conflict or a late success must not go unheard"]
pub enum Verdict<S, Raw = i64> {
    /// The first thing known of the checkout. Adopted.
    First,
    /// What was known already.
    Unchanged,
    /// Ordinary steps lead there. Adopted.
    Advanced {
        /// What was known before.
        from: S,
    },
    /// Older than what is known. Not adopted.
    Stale {
        /// What was observed.
        observed: S,
    },
    /// A status that nobody has named yet: the raw value. What was known stays.
    Unknown(Raw),
    /// No chain of ordinary steps explains it, but nothing final is touched. Our steps are partly assumed, and
    /// the provider knows: adopted.
    Unexpected {
        /// What was known before.
        from: S,
    },
    /// A refused checkout is being paid after all: adopted, poll on.
    Reopened {
        /// The refusal.
        superseded: S,
    },
    /// The money came after a refusal. Adopted; somebody should hear of it.
    LateSuccess {
        /// The refusal.
        superseded: S,
    },
    /// Something else after an end. What was known stays; somebody should hear of it.
    Conflict {
        /// What was observed.
        observed: S,
    },
}

impl<S, Raw> Verdict<S, Raw> {
    /// Whether the tracker's status is now the observed one.
    pub const fn is_adopted(&self) -> bool {
        match self {
            Self::First
            | Self::Unchanged
            | Self::Advanced { .. }
            | Self::Unexpected { .. }
            | Self::Reopened { .. }
            | Self::LateSuccess { .. } => true,
            Self::Stale { .. } | Self::Unknown(_) | Self::Conflict { .. } => false,
        }
    }

    /// Whether a person should hear of it: the provider did what no document describes, or money came late.
    pub const fn wants_attention(&self) -> bool {
        match self {
            Self::Unknown(_)
            | Self::Unexpected { .. }
            | Self::Reopened { .. }
            | Self::LateSuccess { .. }
            | Self::Conflict { .. } => true,
            Self::First | Self::Unchanged | Self::Advanced { .. } | Self::Stale { .. } => false,
        }
    }
}

impl<S, Raw: fmt::Display> fmt::Display for Verdict<S, Raw> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Advanced { .. } => "advanced",
            Self::Stale { .. } => "stale",
            Self::Unknown(raw) => return write!(f, "unknown: {raw}"),
            Self::Unexpected { .. } => "unexpected",
            Self::Reopened { .. } => "reopened",
            Self::LateSuccess { .. } => "late success",
            Self::Conflict { .. } => "conflict",
        })
    }
}

/// A text that is not a stored tracker: the part that is wrong.
///
/// ```
/// use checkout_lifecycle::{ParseTrackerError, Tracker};
/// use checkout_tables::allscale::IntentStatus;
///
/// let error = "v1 PAID - -".parse::<Tracker<IntentStatus>>().unwrap_err();
/// assert_eq!(error, ParseTrackerError::Status);
/// assert_eq!(error.to_string(), "a stored tracker's status is not in the table");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseTrackerError {
    /// It does not begin with `v1`.
    Version,
    /// The status is missing or not in the table: perhaps a newer version of this crate wrote it.
    Status,
    /// The superseded status is missing, not in the table, or not a refusal that something superseded.
    Superseded,
    /// The moment is missing or not a number of milliseconds as it is written here.
    Moment,
    /// Something stands behind the moment.
    Surplus,
}

impl fmt::Display for ParseTrackerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "a stored tracker does not begin with v1",
            Self::Status => "a stored tracker's status is not in the table",
            Self::Superseded => "a stored tracker's superseded status is not a refusal of the table",
            Self::Moment => "a stored tracker's moment is not a number of milliseconds",
            Self::Surplus => "a stored tracker goes on behind its moment",
        })
    }
}

impl core::error::Error for ParseTrackerError {}

/// How an observation's moment compares with what is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Newer,
    Older,
    Unordered,
}

/// A number as `Display` writes it, and no other way of writing it.
fn moment(digits: &str) -> Option<i64> {
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    let canonical = match bare.as_bytes() {
        [b'0'] => digits == "0",
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    digits.parse().ok().filter(|millis| canonical && *millis != UNORDERED)
}

const VERSION: &str = "v1";
const NONE: &str = "-";
const UNORDERED: i64 = i64::MIN;
