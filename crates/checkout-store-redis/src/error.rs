//! The errors of the driver, as the engine knows them.

use core::fmt;
use std::error::Error;

use checkout_engine::StoreError;
use redis::{ErrorKind, RedisError};

/// Redis' word about an error: the code, and the message. Names no key, no value and no password.
///
/// ```
/// use checkout_store_redis::RedisFault;
///
/// fn is_full(fault: &RedisFault) -> bool {
///     fault.code() == Some("OOM")
/// }
/// # let _ = is_full;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFault {
    code: Option<String>,
    message: String,
}

impl RedisFault {
    /// The code of the error, if Redis answered at all.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) fn new(message: &str) -> Self {
        Self { code: None, message: message.to_owned() }
    }

    fn of(error: &RedisError) -> Self {
        // The text of an answer can repeat arguments; the code and the kind do not.
        let code = error.code().map(str::to_owned);
        let message = match (&code, error.is_io_error()) {
            (Some(_), _) => "Redis refused".to_owned(),
            (None, true) => error.to_string(),
            (None, false) => error.category().to_owned(),
        };
        Self { code, message }
    }
}

impl fmt::Display for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, ": {code}"),
            None => Ok(()),
        }
    }
}

impl Error for RedisFault {}

/// True if the server does not know a script.
pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT")
}

/// True if a script has found that the server evicts keys.
pub(crate) fn is_eviction(error: &RedisError) -> bool {
    error.code() == Some("EVICTS")
}

/// The driver's error.
pub(crate) fn of(error: &RedisError) -> StoreError {
    let source = Box::new(RedisFault::of(error));
    match error.code() {
        Some("OOM" | "READONLY" | "MISCONF" | "NOREPLICAS") => StoreError::ReadOnly(source),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => StoreError::Rights(source),
        _ if error.kind() == ErrorKind::AuthenticationFailed => StoreError::Rights(source),
        _ => StoreError::Unavailable(source),
    }
}

/// An answer that no script gives.
pub(crate) fn strange() -> StoreError {
    StoreError::Unavailable(Box::new(RedisFault::new("an answer that the script does not give")))
}

/// An answer of a server that is not the server any more: others may not know of what it granted.
pub(crate) fn outdated() -> StoreError {
    StoreError::Unavailable(Box::new(RedisFault::new("an answer of a server that was replaced meanwhile")))
}

/// The runtime of a call has ended before the answer came.
pub(crate) fn ended() -> StoreError {
    StoreError::Unavailable(Box::new(RedisFault::new("the runtime of the call has ended")))
}

/// The same error, for another caller of the same script.
pub(crate) fn copy(error: &StoreError) -> StoreError {
    let source = || {
        let fault = error.source().and_then(|source| source.downcast_ref::<RedisFault>());
        Box::new(fault.cloned().unwrap_or_else(|| RedisFault::new("a call with others has failed")))
    };
    match error {
        StoreError::Rights(_) => StoreError::Rights(source()),
        StoreError::ReadOnly(_) => StoreError::ReadOnly(source()),
        StoreError::Settings(text) => StoreError::Settings(text.clone()),
        StoreError::Unavailable(_)
        | StoreError::NewerSchema { .. }
        | StoreError::OlderSchema { .. }
        | StoreError::Corrupt { .. }
        | _ => StoreError::Unavailable(source()),
    }
}
