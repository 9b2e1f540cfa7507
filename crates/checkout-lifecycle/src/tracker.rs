//! The known state of one checkout, and the effect of an observation on that state.

use crate::{ClockOf, Moment, Observation, Phase, Source, Status};
use checkout_tables::{Open, TextCode};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// The known state of one checkout.
///
/// A few bytes, `Copy`, with a stable text form. Keep the text in a column of the order, and write the text
/// back by compare-and-swap, so that two workers never overwrite each other.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::{Moment, Observation, Tracker, Verdict};
///
/// let mut column = String::from("v1 TIMEOUT - 1700000000000");
///
/// let before: Tracker<IntentStatus> = column.parse()?;
/// let mut tracker = before;
/// let (sent, now) = (Moment::from_unix_millis(1_700_000_600_000), Moment::from_unix_millis(1_700_000_600_250));
/// let verdict = tracker.observe(Observation::read(20, sent), now);
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
    /// The moment of the current status; `UNORDERED` if the tracker adopted the status without a moment.
    order: i64,
}

impl<S> Tracker<S> {
    /// Creates a tracker that knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { current: None, superseded: None, order: UNORDERED }
    }

    /// The moment that decides if another observation is newer or older than the current status.
    ///
    /// The latest moment that came with the status. If the observation that gave the status was older than
    /// the previous status, this is the moment of the previous status. None if the status was adopted without
    /// a moment, as from a webhook that carries no time: the tracker never measures such a status by the
    /// moment of the status before. The next observation of the same status that has a moment sets the
    /// moment; until then no read has confirmed the status.
    ///
    /// ```
    /// # checkout_doctest::facade!(lifecycle);
    /// use checkout_kit::allscale::IntentStatus;
    /// use checkout_kit::lifecycle::Attestation;
    /// use checkout_kit::{Moment, Observation, Tracker};
    ///
    /// let mut tracker = Tracker::<IntentStatus>::new();
    /// let now = Moment::from_unix_millis(300);
    /// let _ = tracker.observe(Observation::read(10, Moment::from_unix_millis(100)), now);
    /// assert_eq!(tracker.to_string(), "v1 ON_CHAIN - 100");
    /// let _ = tracker.observe(Observation::verified_webhook(20, None, Attestation::by_caller()), now);
    /// assert_eq!(tracker.to_string(), "v1 CONFIRMED - -");
    /// let _ = tracker.observe(Observation::read(20, Moment::from_unix_millis(200)), now);
    /// assert_eq!(tracker.to_string(), "v1 CONFIRMED - 200");
    /// ```
    #[must_use]
    pub const fn order(&self) -> Option<Moment> {
        if self.order == UNORDERED { None } else { Some(Moment::from_unix_millis(self.order)) }
    }
}

impl<S: Status> Tracker<S> {
    /// The known status.
    #[must_use]
    pub const fn status(&self) -> Option<S> {
        self.current
    }

    /// The refusal that a late payment superseded, if there was one; of several, the last one.
    ///
    /// When the checkout has succeeded, look here whatever the verdict was. A refused checkout that was first
    /// [`Reopened`](Verdict::Reopened) reaches success by a plain [`Advanced`](Verdict::Advanced). Only this
    /// method then shows that you may have given up the order, or sold the goods, in between.
    ///
    /// ```
    /// # checkout_doctest::facade!(lifecycle);
    /// use checkout_kit::allscale::IntentStatus::{self, OnChain, Timeout};
    /// use checkout_kit::{Moment, Observation, Phase, Tracker, Verdict};
    ///
    /// let mut tracker = Tracker::<IntentStatus>::new();
    /// let mut read = |status: i64, at| {
    ///     let at = Moment::from_unix_millis(at);
    ///     tracker.observe(Observation::read(status, at), at)
    /// };
    /// assert_eq!(read(-5, 100), Verdict::First);
    /// assert_eq!(read(10, 200), Verdict::Reopened { superseded: Timeout });
    /// assert_eq!(read(20, 300), Verdict::Advanced { from: OnChain });
    /// assert_eq!((tracker.phase(), tracker.superseded()), (Some(Phase::Succeeded), Some(Timeout)));
    /// ```
    #[must_use]
    pub const fn superseded(&self) -> Option<S> {
        self.superseded
    }

    /// The phase of the known status.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.current.map(S::phase)
    }

    /// True if the checkout has ended. A refused checkout can still be paid late.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.current.is_some_and(S::is_terminal)
    }

    /// Takes in an observation and returns its meaning. `now` is the moment at which you take in the
    /// observation, by the same clock as a read's `sent`.
    ///
    /// Compared with the known status, an observation is
    /// - *newer* if its moment is after the known moment ([`order`](Self::order)), from any source;
    /// - *older* if its moment is the same or before;
    /// - *likely newer* if the observation is a read and the known status has no moment: at most, the read
    ///   was on its way then;
    /// - *unordered* otherwise. Either the observation has no moment, as a [read](Observation::read_ordered)
    ///   too can have none; or the observation is a webhook or redirect, which can arrive days late, and the
    ///   known status has no moment.
    ///
    /// A clock can run ahead and be set back. Nothing is sent after `now`, so a moment of your clock
    /// ([`Status::MOMENTS`]) that lies after `now` by more than [`CLOCK_TOLERANCE`] does not count:
    /// - if the known moment is such a moment, a read is newer, and the moment of the read replaces the known
    ///   moment;
    /// - a read with such a moment counts as sent at `now`, and a webhook or redirect counts as without a
    ///   moment.
    ///
    /// A read that was under way for minutes has a moment before `now`, so the read stays as old as it is.
    /// Moments of the provider's clock are compared only with each other, and never with `now`.
    ///
    /// The tracker applies the first rule that fits:
    /// 1. a status that the table does not name: [`Unknown`](Verdict::Unknown);
    /// 2. no known status: [`First`](Verdict::First); the same status: [`Unchanged`](Verdict::Unchanged);
    /// 3. ordinary steps lead there: [`Advanced`](Verdict::Advanced), of whatever age. But where a late step
    ///    alone leads back (AllScale's `FAILED` and `ON_CHAIN` can each come before the other),
    ///    [`Stale`](Verdict::Stale) if the observation is older, or unordered after a refusal was superseded;
    /// 4. success after a refusal, a payment or an [authorization](Phase::Authorized):
    ///    [`LateSuccess`](Verdict::LateSuccess), of whatever age;
    /// 5. another refusal after a refusal, or another success after a success, such as a payment after an
    ///    authorization: [`Conflict`](Verdict::Conflict), of whatever age;
    /// 6. older: [`Stale`](Verdict::Stale);
    /// 7. unordered or likely newer, and steps of any kind lead from the observed status to the known one:
    ///    [`Stale`](Verdict::Stale). While the checkout is open a likely newer one is stale by ordinary steps
    ///    only, so that no refusal is put off for ever;
    /// 8. newer or likely newer, and a late step has reopened a refusal: [`Reopened`](Verdict::Reopened);
    /// 9. anything else: after an end [`Conflict`](Verdict::Conflict), otherwise
    ///    [`Unexpected`](Verdict::Unexpected).
    ///
    /// A late step always leads from the superseded refusal to the known status, whatever the known status is
    /// by now.
    ///
    /// ```
    /// # checkout_doctest::facade!(lifecycle);
    /// use checkout_kit::allscale::IntentStatus;
    /// use checkout_kit::{Moment, Observation, Tracker, Verdict};
    ///
    /// let at = Moment::from_unix_millis;
    /// let mut tracker = Tracker::<IntentStatus>::new();
    /// tracker.observe(Observation::read(10, at(0)), at(0));
    /// assert_eq!(tracker.observe(Observation::read(6, at(5)), at(5)), Verdict::Unknown(6));
    /// assert_eq!(tracker.status(), Some(IntentStatus::OnChain));
    ///
    /// // A year ahead for one read: the next one is newer all the same.
    /// let year = 365 * 24 * 3_600_000;
    /// let _ = tracker.observe(Observation::read(10, at(year)), at(year));
    /// let underpaid = tracker.observe(Observation::read(-3, at(60_000)), at(60_300));
    /// assert_eq!(underpaid, Verdict::Advanced { from: IntentStatus::OnChain });
    /// assert_eq!(tracker.to_string(), "v1 UNDERPAID - 60000");
    /// ```
    pub fn observe<Raw>(&mut self, observation: Observation<S, Raw>, now: Moment) -> Verdict<S, Raw> {
        let source = observation.source();
        let order = match observation.order() {
            Some(moment) if Self::is_ahead(moment, now) => (source == Source::Read).then_some(now),
            order => order,
        };
        let known = match self.order() {
            None => Known::Without,
            Some(moment) if Self::is_ahead(moment, now) => Known::Ahead,
            Some(moment) => Known::At(moment),
        };
        let observed = match observation.into_status() {
            Open::Known(observed) => observed,
            Open::Unknown(unnamed) => return Verdict::Unknown(unnamed.into_raw()),
        };
        let Some(current) = self.current else {
            self.adopt(observed, order, known);
            return Verdict::First;
        };
        if current == observed {
            self.adopt(observed, order, known);
            return Verdict::Unchanged;
        }
        let ended = current.is_terminal();
        let refused = matches!(current.phase(), Phase::Failed(_));
        let age = Age::of(source, order, known);
        let came_before = observed.may_become_late(current) || self.superseded == Some(observed);
        if current.may_become(observed) {
            // Statuses that alternate in the usual course are never stale; a status that only a late step
            // leads back from can be stale.
            let on_circle = came_before && !observed.may_become(current);
            let stale = match age {
                Age::Newer | Age::LikelyNewer => false,
                Age::Older => on_circle,
                Age::Unordered => on_circle && self.superseded.is_some(),
            };
            if stale {
                return Verdict::Stale { observed };
            }
            self.adopt(observed, order, known);
            return Verdict::Advanced { from: current };
        }
        let consented = observed.phase().is_consent();
        if refused && consented {
            self.superseded = Some(current);
            self.adopt(observed, order, known);
            return Verdict::LateSuccess { superseded: current };
        }
        let another = match consented {
            true => current.phase().is_consent(),
            false => refused && matches!(observed.phase(), Phase::Failed(_)),
        };
        if another {
            return Verdict::Conflict { observed };
        }
        let stale = match age {
            Age::Newer => false,
            Age::Older => true,
            Age::Unordered => came_before,
            Age::LikelyNewer if ended => came_before,
            Age::LikelyNewer => observed.may_become(current),
        };
        if stale {
            return Verdict::Stale { observed };
        }
        if refused && age != Age::Unordered && current.may_become_late(observed) {
            self.superseded = Some(current);
            self.adopt(observed, order, known);
            return Verdict::Reopened { superseded: current };
        }
        if ended {
            return Verdict::Conflict { observed };
        }
        self.adopt(observed, order, known);
        Verdict::Unexpected { from: current }
    }

    fn adopt(&mut self, observed: S, order: Option<Moment>, known: Known) {
        match (order, known) {
            (Some(moment), Known::Ahead) => self.order = moment.unix_millis(),
            (Some(moment), Known::At(_) | Known::Without) => {
                self.order = self.order.max(moment.unix_millis())
            }
            (None, _) if self.current == Some(observed) => {}
            (None, _) => self.order = UNORDERED,
        }
        self.current = Some(observed);
    }

    /// True if a moment of the caller's clock lies after now by so much that the clock must have run ahead.
    fn is_ahead(moment: Moment, now: Moment) -> bool {
        S::MOMENTS == ClockOf::Caller && moment.saturating_since(now) > CLOCK_TOLERANCE
    }
}

impl<S> Default for Tracker<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Status> fmt::Display for Tracker<S> {
    /// The form to store: `v1`, the status, the superseded refusal, and the moment; `-` for none.
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

    /// Reads the stored form: exactly the text that [`Display`](fmt::Display) writes, and nothing else.
    ///
    /// # Errors
    /// [`ParseTrackerError`], which names the wrong part.
    fn from_str(text: &str) -> Result<Self, ParseTrackerError> {
        let mut parts = text.split(' ');
        let mut part = |error| parts.next().ok_or(error);
        if part(ParseTrackerError::Version)? != VERSION {
            return Err(ParseTrackerError::Version);
        }
        let status = |code: &str, error| match code {
            NONE => Ok(None),
            // A table may read more texts than it writes.
            code => S::from_code(code).filter(|row| row.code() == code).map(Some).ok_or(error),
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

/// The meaning of an observation.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::Verdict;
/// use checkout_kit::allscale::IntentStatus;
///
/// let verdict = Verdict::<IntentStatus>::LateSuccess { superseded: IntentStatus::Timeout };
/// assert!(verdict.is_adopted());
/// assert!(verdict.wants_attention());
/// assert_eq!(verdict.to_string(), "late success");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a conflict or a late success must not go unheard"]
pub enum Verdict<S, Raw = i64> {
    /// The first known status of the checkout. Adopted.
    First,
    /// The status was already known.
    Unchanged,
    /// Ordinary steps lead to the observed status. Adopted.
    ///
    /// A success can come this way after a refusal too, if the checkout was [`Reopened`](Self::Reopened) in
    /// between: when the checkout has succeeded, look at [`Tracker::superseded`].
    Advanced {
        /// The previous status.
        from: S,
    },
    /// Older than the known status, by its moment or by the steps. Not adopted.
    Stale {
        /// The observed status.
        observed: S,
    },
    /// A status that the table does not name: the raw value. The known status stays.
    Unknown(Raw),
    /// No chain of ordinary steps explains the observed status, but no final status changes. Our steps are
    /// partly assumed, and the provider knows: adopted.
    Unexpected {
        /// The previous status.
        from: S,
    },
    /// A newer read or webhook shows that a refused checkout is being paid after all. Adopted; continue to
    /// poll. The success that may follow is [`Advanced`](Self::Advanced).
    Reopened {
        /// The refusal.
        superseded: S,
    },
    /// The money came after a refusal. Adopted; notify a person.
    ///
    /// An authorization counts too: the checkout ended with the payer's consent after the refusal, and the
    /// amount is reserved. But an authorization is not money: [`Tracker::phase`] distinguishes the two.
    ///
    /// The tracker gives this verdict when the known status was a refusal until now. A checkout that was seen
    /// being paid in between, and so [`Reopened`](Self::Reopened), succeeds by [`Advanced`](Self::Advanced):
    /// [`Tracker::superseded`] shows both.
    LateSuccess {
        /// The refusal.
        superseded: S,
    },
    /// A different status after a final one. The known status stays; notify a person.
    ///
    /// The tracker does not remember the conflict. Before you answer the webhook or drop the read, store
    /// beside the tracker that a person has to look.
    Conflict {
        /// The observed status.
        observed: S,
    },
}

impl<S, Raw> Verdict<S, Raw> {
    /// True if the tracker's status is now the observed status.
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

    /// True if a person should look: the provider acted as no document describes, or money came late.
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

/// A text that is not a stored tracker: the wrong part.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::Tracker;
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::lifecycle::ParseTrackerError;
///
/// let error = "v1 PAID - -".parse::<Tracker<IntentStatus>>().unwrap_err();
/// assert_eq!(error, ParseTrackerError::Status);
/// assert_eq!(error.to_string(), "a stored tracker's status is not in the table");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseTrackerError {
    /// The text does not begin with `v1`.
    Version,
    /// The status is missing or not in the table: perhaps a newer version of this crate wrote the text.
    Status,
    /// The superseded status is missing, not in the table, or not a refusal that something superseded.
    Superseded,
    /// The moment is missing, or not a number of milliseconds as `Display` writes it.
    Moment,
    /// More text follows the moment.
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

/// The result of comparing an observation's moment with the known moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Newer,
    Older,
    /// A read, while the known status has no moment.
    LikelyNewer,
    Unordered,
}

impl Age {
    fn of(source: Source, order: Option<Moment>, known: Known) -> Self {
        match (order, known) {
            (Some(observed), Known::At(known)) if observed > known => Self::Newer,
            (Some(_), Known::At(_)) => Self::Older,
            (Some(_), Known::Ahead) if source == Source::Read => Self::Newer,
            (Some(_), Known::Without) if source == Source::Read => Self::LikelyNewer,
            (Some(_), Known::Ahead | Known::Without) | (None, _) => Self::Unordered,
        }
    }
}

/// The moment of the known status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    At(Moment),
    /// The moment comes from a clock that ran ahead, so it does not count.
    Ahead,
    Without,
}

/// Parses a number exactly as `Display` writes it.
fn moment(digits: &str) -> Option<i64> {
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    let canonical = match bare.as_bytes() {
        [b'0'] => digits == "0",
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    digits.parse().ok().filter(|millis| canonical && *millis != UNORDERED)
}

/// The most that a moment of the caller's clock may lie after now and still count: five minutes.
///
/// Assumed: the clocks of machines that share an order's row differ by less. AllScale refuses a request whose
/// clock is off by more.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::lifecycle::CLOCK_TOLERANCE;
///
/// assert_eq!(CLOCK_TOLERANCE.as_secs(), 300);
/// ```
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

const VERSION: &str = "v1";
const NONE: &str = "-";
const UNORDERED: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    //! Courses that AllScale's table does not have.
    #![allow(unfulfilled_lint_expectations, reason = "indexing, which a table expects, is no lint in tests")]

    use super::Tracker;
    use crate::table::lifecycle;
    use crate::{Attestation, Basis, Failure, Kind, Moment, Observation, Phase, Status, Step};
    use checkout_tables::TextCode;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// A table with its steps, `ordinary` from one to another and then `late`, and phases.
    macro_rules! table {
        (
            $name:ident { $($row:ident = $value:literal, $phase:expr;)* }
            ordinary { $($from:ident $to:ident,)* } late { $($end:ident $after:ident,)* }
        ) => {
            mod $name {
                use super::*;

                #[derive(Clone, Copy, Debug, PartialEq, Eq)]
                pub(super) enum Row { $($row = $value,)* }

                impl Row {
                    const ROWS: [Self; [$($value),*].len()] = [$(Self::$row),*];

                    const fn value(self) -> i8 {
                        self as i8
                    }
                }

                impl TextCode for Row {
                    const ROWS: &'static [Self] = &Row::ROWS;

                    fn from_code(code: &str) -> Option<Self> {
                        Row::ROWS.into_iter().find(|row| row.code() == code)
                    }

                    fn code(self) -> &'static str {
                        match self { $(Self::$row => stringify!($row),)* }
                    }
                }

                lifecycle!(Row, steps = STEPS, phase = phase, moments = Caller);

                const fn phase(row: Row) -> Phase {
                    match row { $(Row::$row => $phase,)* }
                }

                const fn step(from: Row, to: Row, kind: Kind) -> Step<Row> {
                    Step { from, to, kind, basis: Basis::Assumed("a test") }
                }

                const STEPS: [Step<Row>; [$(stringify!($from),)* $(stringify!($end),)*].len()] = [
                    $(step(Row::$from, Row::$to, Kind::Ordinary),)*
                    $(step(Row::$end, Row::$after, Kind::Late),)*
                ];
            }
        };
    }

    table! {
        challenged {
            Processing = 1, Phase::Processing;
            Challenge = 2, Phase::PayerAction;
            Done = 3, Phase::Succeeded;
            Failed = -1, Phase::Failed(Failure::Error);
        }
        ordinary {
            Processing Challenge, Processing Done, Processing Failed,
            Challenge Processing, Challenge Done, Challenge Failed,
        }
        late {}
    }

    table! {
        canceled {
            Created = 1, Phase::AwaitingPayer;
            Pending = 2, Phase::Processing;
            Successful = 3, Phase::Succeeded;
            Cancelled = -1, Phase::Failed(Failure::Canceled);
            Expired = -2, Phase::Failed(Failure::Expired);
        }
        ordinary {
            Created Pending, Created Successful, Created Cancelled, Created Expired,
            Pending Successful, Pending Cancelled, Pending Expired,
        }
        late { Cancelled Successful, Expired Successful, }
    }

    table! {
        reversed {
            Open = 1, Phase::AwaitingPayer;
            Paid = 2, Phase::Succeeded;
            Returned = -1, Phase::Reversed;
        }
        ordinary { Open Paid, }
        late { Paid Returned, }
    }

    /// Parses observations such as `Done@5`, a read, or `w:Done` and `w:Done@5`, webhooks. Returns the
    /// meaning of the last observation.
    fn check<S: Status>(observations: &str) -> String {
        let mut tracker = Tracker::<S>::new();
        let outcomes: Vec<String> = observations
            .split(' ')
            .map(|text| {
                let (webhook, text) = text.strip_prefix("w:").map_or((false, text), |text| (true, text));
                let (code, at) = text.split_once('@').map_or((text, None), |(code, at)| (code, Some(at)));
                let moment = at.map(|at| Moment::from_unix_millis(at.parse().unwrap()));
                let status = checkout_tables::Open::<S, i64>::Known(S::from_code(code).unwrap());
                let observation = match webhook {
                    true => Observation::verified_webhook(status, moment, Attestation::by_caller()),
                    false => Observation::read(status, moment.unwrap()),
                };
                let verdict = tracker.observe(observation, Moment::from_unix_millis(1_000));
                std::format!("{verdict}: {tracker}")
            })
            .collect();
        outcomes.last().map(ToString::to_string).unwrap()
    }

    #[test]
    fn statuses_that_alternate_in_the_usual_course_are_never_stale_beside_each_other() {
        let check = check::<challenged::Row>;
        for age in ["@50", "@100", "@150"] {
            let outcome = check(&std::format!("Processing@100 Challenge{age}"));
            assert!(outcome.starts_with("advanced: v1 Challenge - "), "{outcome}");
            let outcome = check(&std::format!("Challenge@100 Processing{age}"));
            assert!(outcome.starts_with("advanced: v1 Processing - "), "{outcome}");
        }
        assert_eq!(check("Processing@100 w:Challenge"), "advanced: v1 Challenge - -");
        assert_eq!(check("w:Challenge Processing@50"), "advanced: v1 Processing - 50");
        assert_eq!(check("Done@100 Challenge@50"), "stale: v1 Done - 100");
        assert_eq!(check("Done@100 Challenge@150"), "conflict: v1 Done - 100");
        assert_eq!(check("Failed@100 Processing@150"), "conflict: v1 Failed - 100");
        // No step leads there, and yet the status is money.
        assert_eq!(check("Failed@100 Done@150"), "late success: v1 Done Failed 150");
    }

    #[test]
    fn a_refusal_seen_after_success_is_stale_unless_it_is_newer() {
        let check = check::<canceled::Row>;
        for refusal in ["Cancelled", "Expired"] {
            assert_eq!(check(&std::format!("Successful@100 w:{refusal}")), "stale: v1 Successful - 100");
            assert_eq!(check(&std::format!("Successful@100 w:{refusal}@99")), "stale: v1 Successful - 100");
            assert_eq!(
                check(&std::format!("Successful@100 w:{refusal}@101")),
                "conflict: v1 Successful - 100"
            );
            assert_eq!(
                check(&std::format!("Pending@100 w:Successful {refusal}@150")),
                "stale: v1 Successful - -"
            );
            let late = check(&std::format!("{refusal}@100 w:Successful@50"));
            assert_eq!(late, std::format!("late success: v1 Successful {refusal} 100"));
        }
        // A late step that leads only to success makes no circle: an older refusal comes from a lagging
        // reader.
        assert_eq!(check("Pending@100 Expired@50"), "advanced: v1 Expired - 100");
    }

    #[test]
    fn success_before_a_reversal_is_not_late_money() {
        let check = check::<reversed::Row>;
        assert_eq!(check("Returned@100 Paid@50"), "stale: v1 Returned - 100");
        assert_eq!(check("Returned@100 w:Paid"), "stale: v1 Returned - 100");
        assert_eq!(check("Returned@100 Paid@150"), "conflict: v1 Returned - 100");
        assert_eq!(check("Paid@100 Returned@150"), "conflict: v1 Paid - 100");
        assert_eq!(check("Open@100 Paid@50"), "advanced: v1 Paid - 100");
    }
}
