//! `Retry-After`, in seconds or as a date.

use crate::ClockSkew;
use core::time::Duration;
use std::time::UNIX_EPOCH;

/// How long a `Retry-After` says to wait, from when the request was sent. A date is by the provider's clock, so it is
/// measured from there where that is known; one that has passed is no wait. What is neither seconds nor a date says nothing.
pub(crate) fn wait(header: &str, sent_at_millis: u64, skew: Option<ClockSkew>) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is more than can be counted is for ever.
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(header).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = match skew {
        // In whole seconds, as it was measured: that is the answer's own `Date`, and no part of a second is cut off.
        Some(skew) => {
            let sent = sent_at_millis - sent_at_millis % 1_000;
            sent.saturating_add_signed(skew.seconds().saturating_mul(1_000))
        }
        None => sent_at_millis,
    };
    Some(until.saturating_sub(Duration::from_millis(now)))
}
