//! The stored form of a poller.

use super::{Challenge, End, MOST_REFUSALS, Mark, Marks, Poller};
use checkout_lifecycle::{Failure, Phase};
use core::fmt;
use core::str::FromStr;

impl fmt::Display for Poller {
    /// The form to store: `v1`; the second since the Unix epoch at which the checkout began; the latest
    /// moment seen, the earliest read, the next read and the deadline, in hundredths of a second since then;
    /// the seed; the number of reads that failed in a row, and how many of them were refused; letters for the
    /// remembered facts (`c` the end is confirmed, `n` the end has no late reads any more, `p` the payer has
    /// to be asked, `r` the payer has returned, `w` the provider asked for a long wait, `l` the last read was
    /// sent, `o` the last read is over); the phase. `-` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { started_at, seen, earliest, due, deadline, phase, seed, failures, .. } = self;
        write!(
            f,
            "{VERSION} {started_at} {seen} {earliest} {due} {deadline} {seed} {failures} {} ",
            self.marks.refusals()
        )?;
        let letters = self.letters();
        for (letter, is_on) in LETTERS.into_iter().zip(letters) {
            if is_on {
                f.write_str(letter)?;
            }
        }
        if letters == NO_LETTERS {
            f.write_str(NONE)?;
        }
        write!(f, " {}", phase.map_or(NONE, word))
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poller({self})")
    }
}

impl FromStr for Poller {
    type Err = ParsePollerError;

    /// Reads the stored form: exactly the text that [`Display`](fmt::Display) writes, and nothing else.
    ///
    /// # Errors
    /// [`ParsePollerError`], which names the wrong part.
    fn from_str(text: &str) -> Result<Self, ParsePollerError> {
        let mut parts = text.split(' ');
        let mut part = |error| parts.next().ok_or(error);
        if part(ParsePollerError::Version)? != VERSION {
            return Err(ParsePollerError::Version);
        }
        let mut number = |error| part(error).and_then(|digits| number(digits).ok_or(error));
        let started_at = number(ParsePollerError::StartedAt)?;
        let seen = number(ParsePollerError::Seen)?;
        let earliest = number(ParsePollerError::Earliest)?;
        let due = number(ParsePollerError::Due)?;
        let deadline = number(ParsePollerError::Deadline)?;
        let mut byte = |error| number(error).and_then(|number| u8::try_from(number).map_err(|_| error));
        let seed = byte(ParsePollerError::Seed)?;
        let failures = byte(ParsePollerError::Failures)?;
        let refusals = byte(ParsePollerError::Refusals)?;
        let letters = part(ParsePollerError::Flags)?;
        let phase = match part(ParsePollerError::Phase)? {
            NONE => None,
            text => {
                Some(PHASES.into_iter().find(|phase| word(*phase) == text).ok_or(ParsePollerError::Phase)?)
            }
        };
        if parts.next().is_some() {
            return Err(ParsePollerError::Surplus);
        }
        if due < earliest {
            return Err(ParsePollerError::Due);
        }
        if refusals > failures.min(MOST_REFUSALS) {
            return Err(ParsePollerError::Refusals);
        }
        let letters = letters_of(letters).ok_or(ParsePollerError::Flags)?;
        let marks = Marks::NONE;
        let mut poller = Self { started_at, seen, earliest, due, deadline, phase, seed, failures, marks };
        poller.marks.set_refusals(refusals);
        poller.take_letters(letters);
        // Letters of another phase are rejected, and no read before the deadline is the last one.
        let is_last = poller.marks.has(Mark::LastAsked) || poller.marks.has(Mark::Over);
        if poller.letters() != letters || (is_last && seen < deadline) {
            return Err(ParsePollerError::Flags);
        }
        Ok(poller)
    }
}

impl Poller {
    /// The remembered facts, in the order of [`LETTERS`].
    fn letters(&self) -> [bool; 7] {
        let end = self.end().unwrap_or(End { is_confirmed: false, late_reads_over: false });
        let challenge = self.challenge().unwrap_or(Challenge { is_shown: false, has_returned: false });
        [
            end.is_confirmed,
            end.late_reads_over,
            challenge.is_shown,
            challenge.has_returned,
            self.marks.has(Mark::LongWait),
            self.marks.has(Mark::LastAsked),
            self.marks.has(Mark::Over),
        ]
    }

    /// Remembers the facts of [`letters`](Self::letters), as far as the phase has them.
    fn take_letters(&mut self, letters: [bool; 7]) {
        let [is_confirmed, late_reads_over, is_shown, has_returned, long_wait, last_asked, over] = letters;
        if self.end().is_some() {
            self.marks.set_end(End { is_confirmed, late_reads_over });
        }
        if self.challenge().is_some() {
            self.marks.set_challenge(Challenge { is_shown, has_returned });
        }
        self.marks.set(Mark::LongWait, long_wait);
        self.marks.set(Mark::LastAsked, last_asked);
        self.marks.set(Mark::Over, over);
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Poller {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Poller {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Poller;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stored poller")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Poller, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A text that is not a stored [`Poller`]: the wrong part.
///
/// ```
/// # checkout_doctest::facade!(poll);
/// use checkout_kit::poll::{ParsePollerError, Poller};
///
/// assert_eq!("v2".parse::<Poller>(), Err(ParsePollerError::Version));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParsePollerError {
    /// The text does not begin with `v1`.
    Version,
    /// The beginning is not a number of seconds.
    StartedAt,
    /// The latest moment is not a number of ticks.
    Seen,
    /// The earliest read is not a number of ticks.
    Earliest,
    /// The next read is not a number of ticks, or before the earliest one.
    Due,
    /// The deadline is not a number of ticks.
    Deadline,
    /// The seed is not a number up to 255.
    Seed,
    /// The failures are not a number up to 255.
    Failures,
    /// The refusals are not a number up to 7, or more than the failures.
    Refusals,
    /// The remembered facts are not in these letters, not in their order, or do not fit the phase or the
    /// moment.
    Flags,
    /// The phase is unknown.
    Phase,
    /// More text follows the phase.
    Surplus,
}

impl fmt::Display for ParsePollerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "a stored poller does not begin with v1",
            Self::StartedAt => "a stored poller's beginning is not a number of seconds",
            Self::Seen => "a stored poller's latest moment is not a number of ticks",
            Self::Earliest => "a stored poller's earliest read is not a number of ticks",
            Self::Due => "a stored poller's next read is not a number of ticks from the earliest one on",
            Self::Deadline => "a stored poller's deadline is not a number of ticks",
            Self::Seed => "a stored poller's seed is not a number up to 255",
            Self::Failures => "a stored poller's failures are not a number up to 255",
            Self::Refusals => "a stored poller's refusals are not a number up to 7 and up to its failures",
            Self::Flags => "a stored poller's letters are not those of its phase and moment",
            Self::Phase => "a stored poller's phase is none of them",
            Self::Surplus => "a stored poller goes on behind its phase",
        })
    }
}

impl core::error::Error for ParsePollerError {}

/// Parses a number exactly as `Display` writes it.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|_| matches!(digits.as_bytes(), [b'0'] | [b'1'..=b'9', ..]))
}

/// Parses letters as `Display` writes them, each once and in the order of [`LETTERS`].
fn letters_of(text: &str) -> Option<[bool; 7]> {
    if text == NONE {
        return Some(NO_LETTERS);
    }
    let mut rest = text;
    let letters = LETTERS.map(|letter| {
        let behind = rest.strip_prefix(letter);
        rest = behind.unwrap_or(rest);
        behind.is_some()
    });
    (rest.is_empty() && letters != NO_LETTERS).then_some(letters)
}

/// The stored word of a phase.
const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::AwaitingPayer => "awaiting-payer",
        Phase::PayerAction => "payer-action",
        Phase::Processing => "processing",
        Phase::InReview => "in-review",
        Phase::Refunding => "refunding",
        Phase::Succeeded => "succeeded",
        Phase::Authorized => "authorized",
        Phase::Failed(Failure::Declined) => "declined",
        Phase::Failed(Failure::Rejected) => "rejected",
        Phase::Failed(Failure::Underpaid) => "underpaid",
        Phase::Failed(Failure::Canceled) => "canceled",
        Phase::Failed(Failure::Expired) => "expired",
        Phase::Failed(Failure::Error) => "error",
        Phase::Reversed => "reversed",
    }
}

const PHASES: [Phase; 14] = [
    Phase::AwaitingPayer,
    Phase::PayerAction,
    Phase::Processing,
    Phase::InReview,
    Phase::Refunding,
    Phase::Succeeded,
    Phase::Authorized,
    Phase::Failed(Failure::Declined),
    Phase::Failed(Failure::Rejected),
    Phase::Failed(Failure::Underpaid),
    Phase::Failed(Failure::Canceled),
    Phase::Failed(Failure::Expired),
    Phase::Failed(Failure::Error),
    Phase::Reversed,
];

/// The letters of the remembered facts: `c` and `n` of an end, `p` and `r` of a challenge, the others of
/// every phase.
const LETTERS: [&str; 7] = ["c", "n", "p", "r", "w", "l", "o"];
const NO_LETTERS: [bool; 7] = [false; 7];
const VERSION: &str = "v1";
const NONE: &str = "-";
