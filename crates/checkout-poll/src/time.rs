//! Spans in whole milliseconds, clocks that are set back, and chance from a seed.

use core::time::Duration;

/// Whole milliseconds, rounded up.
pub(crate) fn millis_up(span: Duration) -> u64 {
    let more = u128::from(!span.subsec_nanos().is_multiple_of(1_000_000));
    u64::try_from(span.as_millis().saturating_add(more)).unwrap_or(u64::MAX)
}

/// A part of a span that chance picks: from nothing up to this many thousandths of the span.
pub(crate) fn share(span: Duration, permille: u16, chance: u64) -> Duration {
    let most = span.as_nanos() * u128::from(permille.min(1_000)) / 1_000;
    // A span has fewer than 2^94 nanoseconds, so this is in range.
    let part = (most * u128::from(chance >> 32)) >> 32;
    let seconds = u64::try_from(part / NANOS).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(part % NANOS).unwrap_or(0))
}

/// A pseudorandom number, the same for the same seed.
///
/// The finalizer of *SplitMix64* (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(crate) const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A clock was set back if the present moment is at least this much earlier than a moment seen before. A
/// smaller difference is the distance between two clocks, or between a moment and its use.
pub(crate) const SET_BACK: Duration = Duration::from_millis(SET_BACK_MILLIS.unsigned_abs());
pub(crate) const SET_BACK_MILLIS: i64 = 60_000;

const NANOS: u128 = 1_000_000_000;
