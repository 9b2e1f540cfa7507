//! The sources of time and nonces.

use checkout_tables::Moment;

/// A source of time. Every closure that returns the present moment is a clock.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::Clock;
/// use checkout_kit::tables::Moment;
///
/// let stopped = || Moment::from_unix_millis(1_716_501_000_000);
/// assert_eq!(stopped.now().unix_seconds(), 1_716_501_000);
/// ```
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;
}

impl<F: Fn() -> Moment + Send + Sync> Clock for F {
    fn now(&self) -> Moment {
        self()
    }
}

/// A source of nonces: a text for each attempt that no attempt of the store has had before. Every closure
/// that returns such a text is a source. A provider accepts each nonce only once, so a source that repeats
/// itself gets its requests refused.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::client::NonceSource;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// let counter = AtomicU64::new(0);
/// let nonces = move || format!("run-7-{}", counter.fetch_add(1, Ordering::Relaxed));
/// assert_ne!(nonces.nonce(), nonces.nonce());
/// ```
pub trait NonceSource: Send + Sync {
    /// A nonce that was not given before: visible ASCII.
    fn nonce(&self) -> String;
}

impl<F: Fn() -> String + Send + Sync> NonceSource for F {
    fn nonce(&self) -> String {
        self()
    }
}

/// The system's clock: [`Moment::now`]. A clock that stands before 1970 counts as 1970: the provider refuses
/// that time and says how far the clock is off.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::tables::Moment;
/// use checkout_kit::{Clock, SystemClock};
///
/// assert!(SystemClock.now() > Moment::from_unix_seconds(1_700_000_000));
/// # }
/// ```
#[cfg(feature = "system")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "system")]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::now()
    }
}

/// Random nonces: UUIDs of version 4 (RFC 9562), from the system's source of randomness.
///
/// Should the system have no randomness to give, the nonce is empty, and signing refuses it: nothing is sent.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::client::{NonceSource, RandomNonces};
///
/// assert_eq!(RandomNonces.nonce().len(), 36);
/// assert_ne!(RandomNonces.nonce(), RandomNonces.nonce());
/// # }
/// ```
#[cfg(feature = "system")]
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomNonces;

#[cfg(feature = "system")]
impl NonceSource for RandomNonces {
    fn nonce(&self) -> String {
        match (getrandom::u64(), getrandom::u64()) {
            (Ok(high), Ok(low)) => uuid_v4(high, low),
            _ => String::new(),
        }
    }
}

/// 128 random bits, of which six hold version and variant.
#[cfg(feature = "system")]
fn uuid_v4(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::uuid_v4;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_random_nonce_is_the_uuid_of_another_reading_of_the_standard(high: u64, low: u64) {
            let random = uuid::Uuid::from_u64_pair(high, low).into_bytes();
            let expected = uuid::Builder::from_random_bytes(random).into_uuid();
            prop_assert_eq!(uuid_v4(high, low), expected.to_string());
        }
    }
}
