//! The difference between two clocks.

use checkout_lifecycle::Moment;
use checkout_transport::Response;
use core::fmt;
use std::time::UNIX_EPOCH;

/// The time by which the provider's clock is ahead of ours, by the answer's `Date`. It is exact to a second,
/// and the answer's journey is part of it.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # use checkout_client::Answer;
/// fn warn(answer: &Answer<checkout_kit::allscale::Pong<'static>>) -> Option<String> {
///     answer.clock_skew().map(|skew| skew.to_string())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew(i64);

impl ClockSkew {
    /// Seconds; below zero when the provider's clock is behind.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    pub(crate) fn of(response: &Response, sent_at: Moment) -> Option<Self> {
        let date = response.headers().get("date")?.to_str().ok()?;
        let date = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let date = i64::try_from(date.as_secs()).ok()?;
        Some(Self(date.saturating_sub(sent_at.unix_seconds())))
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("the provider's clock agrees with ours"),
            ahead @ 1.. => write!(f, "the provider's clock is {ahead} s ahead of ours"),
            behind => write!(f, "the provider's clock is {} s behind ours", behind.unsigned_abs()),
        }
    }
}
