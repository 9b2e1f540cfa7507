//! The settings of both adapters, and the limits of their waiting and reading.

use std::time::Duration;

use checkout_transport::{BODY_CAP, BodyBuffer};

/// The time-out of a whole exchange, from connecting to the body's last byte: 30 seconds.
///
/// Assumed: no provider documents how long an answer can take. The value is reqwest's own choice for blocking
/// clients.
///
/// ```
/// assert_eq!(checkout_reqwest::TIMEOUT.as_secs(), 30);
/// ```
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The time-out of connecting, TLS included: 10 seconds.
///
/// The time-out is shorter than [`TIMEOUT`] because a client that could not connect in time is certain to
/// have sent nothing. Assumed: no provider documents one.
///
/// ```
/// assert!(checkout_reqwest::CONNECT_TIMEOUT < checkout_reqwest::TIMEOUT);
/// ```
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) cap: usize,
    /// True if the client is one of ours, which sends nothing twice. Only for such a client is it certain
    /// that a connection that was not made was the only connection.
    pub(crate) sends_once: bool,
    /// True if reqwest has TLS for certain.
    pub(crate) tls: bool,
}

impl Limits {
    pub(crate) fn new(sends_once: bool) -> Self {
        Self { timeout: TIMEOUT, cap: BODY_CAP, sends_once, tls: cfg!(feature = "rustls") }
    }

    /// The buffer for a body, of which `length` bytes are announced when that is known.
    pub(crate) fn buffer(
        &self,
        length: Option<u64>,
    ) -> Result<BodyBuffer, checkout_transport::TransportError> {
        let mut buffer = BodyBuffer::new(self.cap);
        if let Some(length) = length {
            buffer.expect_length(length)?;
        }
        Ok(buffer)
    }
}

/// A builder, of either kind, with the settings that the contract needs. The methods against decompression
/// exist, and do something, whichever features of reqwest any crate of the build has switched on.
macro_rules! keeping_the_contract {
    ($builder:expr) => {
        $builder
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // The setting would log every byte.
            .connection_verbose(false)
            // These settings would drop headers of a response, change headers, or guess their meaning.
            .http1_ignore_invalid_headers_in_responses(false)
            .http1_allow_obsolete_multiline_headers_in_responses(false)
            .http1_allow_spaces_after_header_name_in_responses(false)
    };
}

pub(crate) use keeping_the_contract;
