//! `Retry-After`, in seconds or as a date.

use crate::clock_skew::ClockSkew;
use checkout_lifecycle::Moment;
use core::time::Duration;
use std::time::UNIX_EPOCH;

/// The wait that a `Retry-After` asks for, from when the request was sent. A date is by the provider's clock,
/// so the wait is measured from there where that clock is known. A date that has passed is no wait. A text
/// that is neither seconds nor a date says nothing.
pub(crate) fn wait(header: &str, sent_at: Moment, skew: Option<ClockSkew>) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than can be counted is forever.
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(header).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let until = Moment::from_unix_seconds(i64::try_from(until.as_secs()).ok()?);
    let now = match skew {
        // In whole seconds, as the skew was measured: the sum is the answer's own `Date`, and no part of a
        // second is cut.
        Some(skew) => Moment::from_unix_seconds(sent_at.unix_seconds().saturating_add(skew.seconds())),
        None => sent_at,
    };
    Some(until.saturating_since(now))
}
