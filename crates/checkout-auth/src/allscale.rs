//! AllScale Checkout, API v1: the signature of a request.
//!
//! A request carries four headers, named in [`headers`]: the API key, the time, a nonce and the signature.
//! The signature is `v1=` and the Base64 of an HMAC-SHA256 over six lines, joined by `\n`, with none at the
//! end. The HMAC's key is the UTF-8 of the API secret.
//!
//! | line | content |
//! |---|---|
//! | 1 | the method, in upper case |
//! | 2 | the path alone, with its trailing slash where it has one |
//! | 3 | the query as it is sent, without `?`; empty when there is none |
//! | 4 | the text of `X-Timestamp` |
//! | 5 | the text of `X-Nonce` |
//! | 6 | the SHA-256 of the body's bytes in lower-case hexadecimal |
//!
//! AllScale takes a nonce once, and a timestamp within a window of its own clock: ±5 minutes by one page,
//! ±10 and settable by newer ones.
//!
//! Sources: the header names, the `v1=`, Unix seconds and "raw request body bytes" are in *Get Status*, v3,
//! 2026-05-14, *Get Checkout Intent*, v3, 2026-03-06, and *Create Checkout Intent*, v4, 2026-05-06. The six
//! lines, the HMAC, its key and the Base64 are in *Auth*, v1, 2026-01. Assumed: that every part
//! is visible ASCII, because each travels in a request line or a header.

pub mod headers;
pub mod response;
pub mod webhook;

mod list;

use alloc::string::String;
use core::fmt;

use base64ct::{Base64, Encoding};
use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};

use crate::blame::Blame;
use crate::mac::{MacKey, Sink, push_decimal, sha256_hex};
use crate::sign_error::SignError;
use crate::unseen::{UNSEEN_HINT, has_unseen};

/// An API key and its secret, ready to sign.
///
/// The secret is read once, when the key is made, and only the state of the HMAC is kept. To a forger that
/// state is as good as the secret, so the state is guarded like a secret.
///
/// These are wiped: the [`SecretString`] that came in, when [`SigningKey::new`] returns; the state of the
/// HMAC, when the key is dropped; the copy of the state that each signature works on, when the signature is
/// done. These are not wiped: the padded key, which stands on the stack while the key is made; copies that
/// the compiler leaves behind when it moves a state to another place on the stack, or in registers; and any
/// copies of the secret that the caller has made. The kept state is on the heap, so moving a `SigningKey`
/// copies none of the state. The API key is an identifier, sent in the open, and is not wiped.
///
/// `Debug` prints neither the secret nor the API key.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::SigningKey;
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// assert_eq!(format!("{key:?}"), "SigningKey { .. }");
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    api_key: String,
    mac: MacKey,
}

impl SigningKey {
    /// The key made of the API key and the API secret of one store.
    ///
    /// The secret may be any text that does not begin or end with white space and [has nothing
    /// unseen](crate::has_unseen) in it. AllScale issues both with the prefix `st_`; the prefix is not
    /// checked.
    ///
    /// # Errors
    /// [`KeyError`] when either text is empty, has white space around it or something unseen in it, or when
    /// the API key could not stand in a header. The error names the field and never holds the field's value.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::allscale::{KeyError, SigningKey};
    ///
    /// assert!(SigningKey::new("test_key", "test_secret_abc".into()).is_ok());
    /// let copied_with_its_newline = SigningKey::new("test_key", "test_secret_abc\n".into());
    /// assert_eq!(copied_with_its_newline.unwrap_err(), KeyError::SecretWhiteSpace);
    /// ```
    pub fn new(api_key: impl Into<String>, secret: SecretString) -> Result<Self, KeyError> {
        let api_key = api_key.into();
        if api_key.is_empty() {
            return Err(KeyError::ApiKeyEmpty);
        }
        if api_key.trim() != api_key {
            return Err(KeyError::ApiKeyWhiteSpace);
        }
        if !is_visible_ascii(&api_key) {
            return Err(KeyError::ApiKeyText);
        }
        let text = secret.expose_secret();
        if text.is_empty() {
            return Err(KeyError::SecretEmpty);
        }
        if text.trim() != text {
            return Err(KeyError::SecretWhiteSpace);
        }
        if has_unseen(text) {
            return Err(KeyError::SecretUnseen);
        }
        Ok(Self { api_key, mac: MacKey::new(text.as_bytes()) })
    }

    /// The API key, for the header [`headers::API_KEY`]: visible ASCII, never empty.
    ///
    /// ```
    /// # use checkout_auth::allscale::SigningKey;
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// assert_eq!(key.api_key(), "test_key");
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The signature of a request, for the header [`headers::SIGNATURE`].
    ///
    /// Signing allocates nothing. The time grows with the body's length and does not depend on the secret.
    ///
    /// # Errors
    /// [`SignError`] when an HTTP request could not carry a part of the request: see [`RequestToSign`].
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::allscale::{RequestToSign, SigningKey};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let signature = key.sign(&RequestToSign {
    ///     method: "GET",
    ///     path: "/v1/checkout_intents/665f1c2e9b1d4a0012345678/status",
    ///     query: "",
    ///     timestamp: 1_716_501_000,
    ///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     body: b"",
    /// })?;
    /// assert_eq!(signature.as_str(), "v1=l0wSWFEQt3C2+po7LW5hI065u0V7ZTf2VrO1AfmjM58=");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, request: &RequestToSign<'_>) -> Result<Signature, SignError> {
        let mut mac = self.mac.start();
        request.write_to(&mut mac)?;
        Ok(Signature::encode(&mac.finalize().into_bytes()))
    }

    /// Checks a request's signature, as the server that receives the request does.
    ///
    /// `signature` is the text of the header [`headers::SIGNATURE`]. The text must be `v1=` and padded,
    /// canonical, standard Base64 of 32 bytes, exactly; white space is not trimmed. The comparison is in
    /// constant time.
    ///
    /// A holder of the secret made a request that passes, and nothing more is proven: the caller checks that
    /// the timestamp is recent and the nonce new.
    ///
    /// # Errors
    /// [`VerifyError`] when the signature is malformed, or not this request's, or when the request could not
    /// have been signed. Do not tell the sender which.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::allscale::{RequestToSign, SigningKey, VerifyError};
    ///
    /// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// let mut request = RequestToSign {
    ///     method: "GET",
    ///     path: "/v1/checkout_intents/665f1c2e9b1d4a0012345678/status",
    ///     query: "",
    ///     timestamp: 1_716_501_000,
    ///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     body: b"",
    /// };
    /// let signature = "v1=l0wSWFEQt3C2+po7LW5hI065u0V7ZTf2VrO1AfmjM58=";
    /// assert_eq!(key.verify(&request, signature), Ok(()));
    ///
    /// request.timestamp += 1;
    /// assert_eq!(key.verify(&request, signature), Err(VerifyError::Mismatch));
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    pub fn verify(&self, request: &RequestToSign<'_>, signature: &str) -> Result<(), VerifyError> {
        let digits = signature.strip_prefix(PREFIX).ok_or(VerifyError::Version)?;
        let claimed = read_base64(digits.as_bytes()).ok_or(VerifyError::Encoding)?;
        let mut mac = self.mac.start();
        request.write_to(&mut mac)?;
        mac.verify_slice(&claimed).map_err(|_| VerifyError::Mismatch)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// A request as the signature covers the request.
///
/// Each part must be the bytes that go over the wire. A part that could not stand in a request, a line break
/// above all, is refused with a [`SignError`]: with a line break, two different requests could share a
/// canonical string, and the signature of one request would pass for the other.
///
/// `Debug` shows neither the query nor the body, which can hold a payer's data, but their lengths.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::RequestToSign;
///
/// let ping = RequestToSign {
///     method: "GET",
///     path: "/v1/test/ping",
///     query: "",
///     timestamp: 1_716_501_000,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"",
/// };
/// assert!(ping.canonical()?.starts_with("GET\n/v1/test/ping\n\n1716501000\n"));
/// # Ok::<(), checkout_auth::SignError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestToSign<'a> {
    /// The method, an HTTP token; signed in upper case, whatever the case here.
    pub method: &'a str,
    /// The path as sent, percent-encoded: begins with `/`, visible ASCII, no `?` and no `#`. The trailing
    /// slash counts: a checkout intent is created at `/v1/checkout_intents/`.
    pub path: &'a str,
    /// The query as sent, percent-encoded and in its own order: visible ASCII, no `#`. The field leaves out
    /// the `?` before the query, so a leading `?` is refused. Empty when the request has no query.
    pub query: &'a str,
    /// The time of the attempt, in seconds since 1970-01-01 UTC; [`headers::TIMESTAMP`] carries the time in
    /// decimal without leading zeros.
    pub timestamp: u64,
    /// The text of [`headers::NONCE`], unlike any other request's, a UUID by the documents: visible ASCII,
    /// not empty.
    pub nonce: &'a str,
    /// The body's bytes, empty when there is none.
    pub body: &'a [u8],
}

impl RequestToSign<'_> {
    /// The six lines that are signed, to compare with the lines that the other side made of the request.
    ///
    /// The text holds no secret, and of the body the hash alone. But a path, a query or a nonce can reveal a
    /// payment, and the hash of a guessable body can be guessed: print the text to find a fault, do not keep
    /// it. Signing makes no such string.
    ///
    /// # Errors
    /// [`SignError`], as for [`SigningKey::sign`].
    ///
    /// ```
    /// # use checkout_auth::allscale::RequestToSign;
    /// let request = RequestToSign {
    ///     method: "get",
    ///     path: "/v1/test/ping",
    ///     query: "b=2&a=1",
    ///     timestamp: 1_716_501_000,
    ///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     body: b"",
    /// };
    /// let lines = [
    ///     "GET",
    ///     "/v1/test/ping",
    ///     "b=2&a=1",
    ///     "1716501000",
    ///     "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
    ///     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    /// ];
    /// assert_eq!(request.canonical()?, lines.join("\n"));
    /// # Ok::<(), checkout_auth::SignError>(())
    /// ```
    pub fn canonical(&self) -> Result<String, SignError> {
        let mut text = String::new();
        self.write_to(&mut text)?;
        Ok(text)
    }

    fn write_to(&self, out: &mut impl Sink) -> Result<(), SignError> {
        self.check()?;
        for byte in self.method.bytes() {
            out.push(&[byte.to_ascii_uppercase()]);
        }
        out.push(b"\n");
        out.push(self.path.as_bytes());
        out.push(b"\n");
        out.push(self.query.as_bytes());
        out.push(b"\n");
        push_decimal(out, self.timestamp);
        out.push(b"\n");
        out.push(self.nonce.as_bytes());
        out.push(b"\n");
        out.push(&sha256_hex(self.body));
        Ok(())
    }

    fn check(&self) -> Result<(), SignError> {
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            return Err(SignError::Method);
        }
        if !is_path(self.path) {
            return Err(SignError::Path);
        }
        if !is_query(self.query) {
            return Err(SignError::Query);
        }
        if !is_header_text(self.nonce) {
            return Err(SignError::Nonce);
        }
        Ok(())
    }
}

impl fmt::Debug for RequestToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestToSign")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_len", &self.query.len())
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// The signature of one request: 47 characters of ASCII, `v1=` and 44 of Base64.
///
/// A signature is not a secret but worth something until its request has been received, so `Debug` does not
/// print the signature; `Display` does. The type has no `==`: check a signature that came in with
/// [`SigningKey::verify`], in constant time.
///
/// ```
/// # use checkout_auth::allscale::{RequestToSign, SigningKey};
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// let ping = RequestToSign {
///     method: "GET",
///     path: "/v1/test/ping",
///     query: "b=2&a=1",
///     timestamp: 0,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"",
/// };
/// let signature = key.sign(&ping)?;
/// assert_eq!(signature.to_string(), "v1=UuMYRUIT5t1nxHzKwT/fpDPapRRjV8TGWqCZXrWg0F0=");
/// assert_eq!(format!("{signature:?}"), "Signature(v1=[redacted])");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Signature([u8; SIGNATURE_CHARS]);

impl Signature {
    /// The text of the header.
    ///
    /// ```
    /// # use checkout_auth::allscale::{RequestToSign, SigningKey};
    /// # let key = SigningKey::new("test_key", "test_secret_abc".into())?;
    /// # let ping = RequestToSign {
    /// #     method: "GET", path: "/v1/test/ping", query: "", timestamp: 0, nonce: "1", body: b"",
    /// # };
    /// let signature = key.sign(&ping)?;
    /// assert_eq!(signature.as_str().len(), 47);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII by construction, so the empty text is never given.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    #[expect(clippy::expect_used, reason = "32 bytes are 44 characters of Base64, and the room is as long")]
    fn encode(mac: &[u8]) -> Self {
        let mut text = [0; SIGNATURE_CHARS];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        Base64::encode(mac, digits).expect("the room fits the digits");
        Self(text)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(v1=[redacted])")
    }
}

/// The reason why an API key and a secret make no [`SigningKey`]. The error names the faulty field, never the
/// field's value.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::{KeyError, SigningKey};
///
/// let error = SigningKey::new("test_key", "".into()).unwrap_err();
/// assert_eq!(error, KeyError::SecretEmpty);
/// assert_eq!(error.to_string(), "the API secret is empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The API key is empty.
    #[error("the API key is empty")]
    ApiKeyEmpty,
    /// The API key begins or ends with white space, a copied line break most likely.
    #[error("the API key begins or ends with white space, such as a copied line break")]
    ApiKeyWhiteSpace,
    /// The API key holds something other than visible ASCII, and so cannot be sent in a header.
    #[error("the API key holds a character that is not visible ASCII")]
    ApiKeyText,
    /// The API secret is empty.
    #[error("the API secret is empty")]
    SecretEmpty,
    /// The API secret begins or ends with white space, a copied line break most likely.
    #[error("the API secret begins or ends with white space, such as a copied line break")]
    SecretWhiteSpace,
    /// The API secret holds a character that cannot be seen, such as a byte order mark or a line break.
    #[error(
        "the API secret holds a character that cannot be seen, such as a byte order mark or a line break"
    )]
    SecretUnseen,
}

impl KeyError {
    /// The set-up's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::KeyError};
    /// assert_eq!(KeyError::SecretEmpty.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::SetUp
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::allscale::KeyError;
    /// assert!(KeyError::SecretWhiteSpace.hint().contains("line break"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::ApiKeyEmpty | Self::SecretEmpty => {
                "the variable or file that it is read from is empty, or is not there"
            }
            Self::ApiKeyWhiteSpace | Self::SecretWhiteSpace => {
                "the file that it is read from ends in a line break, or it was copied with a blank"
            }
            Self::ApiKeyText | Self::SecretUnseen => UNSEEN_HINT,
        }
    }
}

/// The reason why a request's signature is refused. Keep the reason for the server's own log: every sender
/// gets the same refusal.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::allscale::{RequestToSign, SigningKey, VerifyError};
///
/// let key = SigningKey::new("test_key", "test_secret_abc".into())?;
/// let ping = RequestToSign {
///     method: "GET",
///     path: "/v1/test/ping",
///     query: "",
///     timestamp: 1_716_501_000,
///     nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
///     body: b"",
/// };
/// assert_eq!(key.verify(&ping, "v2=anything"), Err(VerifyError::Version));
/// assert_eq!(key.verify(&ping, "v1=anything"), Err(VerifyError::Encoding));
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The signature does not begin with `v1=`.
    #[error("the signature does not begin with `v1=`")]
    Version,
    /// The text after `v1=` is not the padded standard Base64 of 32 bytes.
    #[error("the signature is not the padded standard Base64 of 32 bytes")]
    Encoding,
    /// The signature was made over something else, or with another secret.
    #[error("the signature is not this request's under this key")]
    Mismatch,
    /// The request as received could not have been signed.
    #[error("the request could not have been signed")]
    Request(#[from] SignError),
}

impl VerifyError {
    /// The place to look first, supposing that a holder of the key sent the request.
    ///
    /// ```
    /// # use checkout_auth::{Blame, allscale::VerifyError};
    /// assert_eq!(VerifyError::Version.blame(), Blame::Sender);
    /// assert_eq!(VerifyError::Mismatch.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Version | Self::Encoding => Blame::Sender,
            Self::Mismatch => Blame::SetUp,
            Self::Request(error) => error.blame(),
        }
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::allscale::VerifyError;
    /// assert!(VerifyError::Mismatch.hint().contains("written again"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Version => {
                "the request is signed in a way that is not known here, or the `v1=` was left out"
            }
            Self::Encoding => {
                "the signature was cut, decoded or trimmed on the way here, or is not in Base64"
            }
            Self::Mismatch => {
                "the body was parsed and written again before it came here, the secret is another or has \
                 white space in it, or a proxy changed the path or the query; a request of somebody \
                 else's looks the same"
            }
            Self::Request(error) => error.hint(),
        }
    }
}

/// The bytes of the MAC whose padded, canonical, standard Base64 is exactly this text.
fn read_base64(digits: &[u8]) -> Option<[u8; MAC_BYTES]> {
    let mut mac = [0; MAC_BYTES];
    let read = Base64::decode(digits, &mut mac).ok()?.len();
    (read == MAC_BYTES).then_some(mac)
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && is_visible_ascii_without(b"?#", text)
}

fn is_query(text: &str) -> bool {
    !text.starts_with('?') && is_visible_ascii_without(b"#", text)
}

/// True if `text` may be the value of one of the headers: visible ASCII, not empty.
fn is_header_text(text: &str) -> bool {
    !text.is_empty() && is_visible_ascii(text)
}

/// True if all of `text` is visible ASCII: no space, no control character, no line break.
fn is_visible_ascii(text: &str) -> bool {
    is_visible_ascii_without(b"", text)
}

/// True if all of `text` is visible ASCII and none of the bytes is in `refused`.
fn is_visible_ascii_without(refused: &[u8], text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !refused.contains(&byte))
}

/// True if `byte` may stand in an HTTP token (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The first characters of a signature.
const PREFIX: &str = "v1=";

/// The length of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// The length of a signature: the prefix, and the Base64 of the MAC.
const SIGNATURE_CHARS: usize = PREFIX.len() + MAC_BYTES.div_ceil(3) * 4;

#[cfg(test)]
mod tests;
