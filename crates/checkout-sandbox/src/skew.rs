//! The difference between the provider's own clock and the time.

use checkout_tables::Moment;

/// The milliseconds by which the provider's own clock is ahead of the time, or behind if negative. Everything
/// happens at its right time; the times that the provider tells and compares are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skew(pub(crate) i64);

impl Skew {
    /// The time that the provider tells for a moment.
    pub(crate) fn told(self, moment: Moment) -> Moment {
        Moment::from_unix_millis(moment.unix_millis().saturating_add(self.0))
    }
}
