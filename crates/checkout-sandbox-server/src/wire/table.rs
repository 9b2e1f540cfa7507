//! The names of the faults of the wire, and the numbers that the faults have.

use crate::fields::Fields;
use crate::problem::Problem;

/// A fault of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// The answer comes this much later, give or take the jitter.
    Delay { ms: u64, jitter_ms: u64 },
    /// The answer comes later by a time of a log-normal distribution.
    DelayLogNormal { median_ms: u64, sigma_permille: u64 },
    /// The answer comes in pieces of one length, spread over a time.
    Dribble { over_ms: u64, pieces: u64 },
    /// The answer comes at a rate.
    Bandwidth { bytes_per_second: u64 },
    /// The answer comes in small segments, with a pause between two segments.
    Slicer { bytes: u64, pause_ms: u64 },
    /// The connection ends after this many bytes.
    Cut { bytes: u64 },
    /// The connection is reset after this many bytes.
    Reset { bytes: u64 },
    /// The connection ends before the first byte.
    Empty,
    /// Bytes that are no HTTP come in place of the answer.
    Garbage,
    /// The head of the answer comes, and a chunk with a size that is no number.
    BadChunk,
    /// Nothing comes until the client gives up, or the time is over.
    Stall { ms: u64 },
    /// The connection ends this much after the whole answer.
    SlowClose { ms: u64 },
}

/// A number of a fault: the name, the least, the greatest, and the number where none is given. `None` for a
/// number that has to be given.
pub(crate) type Number = (&'static str, u64, u64, Option<u64>);

/// Writes the table: a row for each fault, as `name Variant { number: least..=most }`, with `= usual` after a
/// number that may be left out.
macro_rules! table {
    ($($name:literal $variant:ident { $($number:ident: $least:literal..=$most:expr $(, or $usual:literal)?);* };)+) => {
        impl Wire {
            /// The names, each with its numbers.
            pub(crate) const ROWS: &'static [(&'static str, &'static [Number])] = &[$(
                ($name, &[$((stringify!($number), $least, $most, table!(@usual $($usual)?))),*]),
            )+];

            /// Takes the numbers of the fault with this name from the fields. `None` if no fault of the wire
            /// has the name.
            pub(crate) fn read(name: &str, fields: &mut Fields) -> Result<Option<Self>, Problem> {
                $(
                    if name == $name {
                        return Ok(Some(Self::$variant { $(
                            $number: read(fields, (stringify!($number), $least, $most, table!(@usual $($usual)?)))?,
                        )* }));
                    }
                )+
                let _ = fields;
                Ok(None)
            }

            pub(crate) const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            /// The numbers, each with its name.
            pub(crate) fn values(&self) -> Vec<(&'static str, u64)> {
                match self {
                    $(Self::$variant { $($number),* } => vec![$((stringify!($number), *$number)),*],)+
                }
            }
        }
    };
    (@usual) => { None };
    (@usual $usual:literal) => { Some($usual) };
}

table! {
    "wire_delay" Delay { ms: 0..=MOST_MS; jitter_ms: 0..=MOST_MS, or 0 };
    "wire_delay_log_normal" DelayLogNormal { median_ms: 1..=MOST_MS; sigma_permille: 0..=5_000, or 500 };
    "wire_dribble" Dribble { over_ms: 0..=MOST_MS; pieces: 1..=10_000, or 10 };
    "wire_bandwidth" Bandwidth { bytes_per_second: 1..=1_000_000_000 };
    "wire_slicer" Slicer { bytes: 1..=1_000_000; pause_ms: 0..=1_000, or 0 };
    "wire_cut" Cut { bytes: 0..=1_000_000_000 };
    "wire_reset" Reset { bytes: 0..=1_000_000_000, or 0 };
    "wire_empty" Empty {};
    "wire_garbage" Garbage {};
    "wire_bad_chunk" BadChunk {};
    "wire_stall" Stall { ms: 0..=MOST_MS, or 60_000 };
    "wire_slow_close" SlowClose { ms: 0..=MOST_MS };
}

impl Wire {
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ROWS.iter().map(|(name, _)| *name)
    }
}

fn read(fields: &mut Fields, (name, least, most, usual): Number) -> Result<u64, Problem> {
    let given = fields.number(name, least, most)?;
    given.or(usual).ok_or_else(|| Problem::field(name, "is missing"))
}

/// The longest time of a fault: ten minutes.
pub(super) const MOST_MS: u64 = 600_000;
