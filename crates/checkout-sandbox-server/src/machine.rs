//! The machine's clock. No other file of the crate reads the clock.

use checkout_tables::Moment;

/// The present moment by the machine's clock.
pub(crate) fn now() -> Moment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    Moment::now()
}
