//! Peach Payments Hosted Checkout: the signature over the parameters of a message.
//!
//! One rule signs every signed message: the parameters of `/checkout/initiate` and `/status`, which the
//! merchant signs, and the status response, the webhook and the POST with which the shopper comes back, which
//! Peach signs. The parameters, empty ones included, are sorted by key; key and value are written one after
//! the other with nothing between; the signature is the HMAC-SHA256 of that text under the UTF-8 of the
//! secret token, in lower-case hexadecimal. The signature travels as one more parameter, [`SIGNATURE`], which
//! is not signed itself.
//!
//! | part of a pair | what it is here |
//! |---|---|
//! | key | decoded, with its dots: `authentication.entityId`, `result.code` |
//! | key of a map's entry | `customParameters[name]`, decoded as well |
//! | value | decoded, once: what `%2F` and `+` in a form or a query stand for; in JSON, the string's text |
//! | number or boolean in JSON | its text as received; Assumed: it is signed as it is written |
//!
//! Give [`SecretToken::verify`] every parameter received, those of no known name too. Some frameworks turn
//! the dots of a form's keys into underscores, take brackets for structure or keep one of two equal keys:
//! read the pairs off the body before they do.
//!
//! # What a signature is worth
//!
//! A signature that passes says that a holder of the secret token once wrote this text. Not more:
//!
//! - **Other pairs can give the same text.** `a`=`bc` and `ab`=`c` are both `abc`, so anyone who has seen one
//!   signed message can cut its text into other keys and other values, and the digest is the same. To claim
//!   another result, payment type, time or `checkoutId`, such a text must hold a telling name twice: once as
//!   the key of the lie, once where the truth is hidden. [`SecretToken::verify`] detects the second place
//!   ([`SignedText::ambiguous`]) and refuses nothing: honest texts hold such a name too, where a shop's
//!   return URL, a custom parameter or a card holder's name has it and Peach echoes it. The answer to your
//!   own read came over TLS, where nobody has cut the text; a delivered message is then a reason to read, and
//!   no more. The check cannot detect a value whose end was read as a key of its own: a
//!   `merchantTransactionId` can come out shorter, if the part cut off sorts behind it. Ids of digits, or of
//!   hexadecimal digits, do not.
//! - **An old message passes again.** No time is part of the rule.
//! - **Secret tokens are shared by both sides**, so the merchant's own signed request passes as Peach's
//!   answer.
//!
//! So a signed webhook or redirect is a hint, and the status is read from Peach before goods leave.
//!
//! Sources: *Payment status* (the secret token is the key, requests and responses are signed); *Hosted
//! Checkout authentication and authorisation*, 2026-05-25 (HMAC-SHA256, all parameters with the empty ones,
//! alphabetical order, concatenation, and that webhooks and redirects are signed alike); an older version of
//! that page has the example with its digest. Assumed: that "alphabetical" is the order of the keys' UTF-8
//! bytes, which the page's own code has for the keys in use, all ASCII.

pub mod header;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::blame::Blame;
use crate::mac::{MacKey, hex, read_hex};
use crate::ring::KeyRing;
use crate::sign_error::SignError;
use crate::unseen::{UNSEEN_HINT, has_unseen};

/// The secret token of one entity, ready to sign and to verify.
///
/// The secret is read once, when the value is made, and only the state of the HMAC is kept. To a forger that
/// state is as good as the secret, so the state is guarded like a secret: it is on the heap, and wiped when
/// the value is dropped. The copies that are wiped and those that are not are the same as for
/// [`allscale::SigningKey`](crate::allscale::SigningKey).
///
/// `Debug` prints nothing of the token.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::SecretToken;
///
/// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// assert_eq!(format!("{token:?}"), "SecretToken { .. }");
/// # Ok::<(), checkout_auth::peach::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SecretToken(MacKey);

impl SecretToken {
    /// The secret token as the dashboard shows it: 32 hexadecimal digits in every example, which are the key
    /// as text and are not decoded. Their number is not checked.
    ///
    /// # Errors
    /// [`KeyError`] when the token is empty or has white space around it. The error never holds the token.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::peach::{KeyError, SecretToken};
    ///
    /// assert!(SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).is_ok());
    /// let copied_with_its_newline = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c\n".into());
    /// assert_eq!(copied_with_its_newline.unwrap_err(), KeyError::WhiteSpace);
    /// ```
    pub fn new(secret: SecretString) -> Result<Self, KeyError> {
        let text = secret.expose_secret();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.trim() != text {
            return Err(KeyError::WhiteSpace);
        }
        if has_unseen(text) {
            return Err(KeyError::Unseen);
        }
        Ok(Self(MacKey::new(text.as_bytes())))
    }

    /// The signature of the parameters to send, in any order, for the parameter [`SIGNATURE`]. A pair of that
    /// key is left out, whatever its value.
    ///
    /// Send the parameters as they were signed, the empty ones too. `/checkout/initiate` takes a signature
    /// once in 24 hours, so every checkout needs a `nonce` of its own.
    ///
    /// Signing keeps a list of the pairs, and no copy of their text; the list is sorted, and the text hashed
    /// once. Nothing is bounded here: the caller bounds the pairs of a stranger before they come this far.
    ///
    /// # Errors
    /// [`SignError::DuplicateKey`] when a key is there twice: no page says which of the two counts.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::peach::SecretToken;
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let signature = token.sign([
    ///     ("authentication.entityId", "8ac7a4ca68c22c4d0168c2caab2e0025"),
    ///     ("amount", "2"),
    ///     ("currency", "ZAR"),
    ///     ("defaultPaymentMethod", "CARD"),
    ///     ("merchantTransactionId", "Test1234"),
    ///     ("nonce", "JHGJSGHDSKJHGJDHGJH"),
    ///     ("paymentType", "DB"),
    ///     ("shopperResultUrl", "https://webhook.site/4e9b63bf-0d99-4d62-bd24-1d36ca866e1b"),
    /// ])?;
    /// assert_eq!(
    ///     signature.as_str(),
    ///     "311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Signature, SignError> {
        let pairs = ordered(pairs).ok_or(SignError::DuplicateKey)?;
        let mut mac = self.0.start();
        update(&mut mac, &pairs);
        Ok(Signature(hex(&mac.finalize().into_bytes().into())))
    }

    /// Checks the signature of the parameters received, in any order, [`SIGNATURE`] among them: see the table
    /// at the top of the module for the keys and values.
    ///
    /// The signature must be exactly 64 digits of lower-case hexadecimal; white space is not trimmed. The
    /// comparison with the right one is in constant time. The costs are those of [`SecretToken::sign`].
    ///
    /// Parameters that pass are a hint, [no more](self#what-a-signature-is-worth): read the status before
    /// goods leave. [`SignedText::ambiguous`] shows if other parameters of the same text could claim
    /// something else.
    ///
    /// # Errors
    /// [`VerifyError`] when a key is there twice, or when the signature is missing, could not be right, or
    /// does not match. Do not tell the sender which.
    ///
    /// ```
    /// # checkout_doctest::facade!(auth);
    /// use checkout_kit::peach::{SecretToken, VerifyError};
    ///
    /// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let mut received = vec![
    ///     ("checkoutId", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b"),
    ///     ("result.code", "000.200.100"),
    ///     ("signature", "2c741edeaba8a771ba0726ef2f9d3c2f378240ad6deb239858a3b1e16e77e256"),
    /// ];
    /// assert_eq!(token.verify(received.iter().copied())?.ambiguous(), None);
    ///
    /// received[1].1 = "000.000.000";
    /// assert_eq!(token.verify(received), Err(VerifyError::Mismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<SignedText, VerifyError> {
        let pairs = ordered(pairs).ok_or(VerifyError::DuplicateKey)?;
        let claimed = claim(&pairs)?;
        if self.made(&pairs, claimed) { Ok(SignedText::of(&pairs)) } else { Err(VerifyError::Mismatch) }
    }

    fn made(&self, ordered: &[(&str, &str)], claimed: [u8; 32]) -> bool {
        self.0.made_any_of(&[claimed], |mac| update(mac, ordered))
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretToken").finish_non_exhaustive()
    }
}

/// Checks the signature of the parameters received as [`SecretToken::verify`] does, with every key of a ring
/// that is valid at `now`, seconds since 1970-01-01 UTC. Returns the ring's id of the key that made the
/// signature.
///
/// Every valid key takes in all of the parameters' text, so the cost is theirs, times the keys.
///
/// # Errors
/// [`VerifyError`], as for [`SecretToken::verify`], and [`VerifyError::NoValidKey`]. Do not tell the sender
/// which.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::KeyRing;
/// use checkout_kit::auth::peach::verify_with;
/// use checkout_kit::peach::{SecretToken, VerifyError};
///
/// let old = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let new = SecretToken::new("0a4f4b6f7d105a4c8c5e0f5ba5a54a52".into())?;
/// let ring = KeyRing::new("new", new).and_valid("old", old, i64::MIN..1_716_501_000);
/// let received = [
///     ("checkoutId", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b"),
///     ("result.code", "000.200.100"),
///     ("signature", "2c741edeaba8a771ba0726ef2f9d3c2f378240ad6deb239858a3b1e16e77e256"),
/// ];
/// let (key_id, text) = verify_with(&ring, received, 1_716_500_999)?;
/// assert_eq!((key_id, text.ambiguous()), ("old", None));
/// assert_eq!(verify_with(&ring, received, 1_716_501_000), Err(VerifyError::Mismatch));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify_with<'r, 'a>(
    ring: &'r KeyRing<SecretToken>,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    now: i64,
) -> Result<(&'r str, SignedText), VerifyError> {
    let pairs = ordered(pairs).ok_or(VerifyError::DuplicateKey)?;
    let claimed = claim(&pairs)?;
    let mut keys = ring.at(now).peekable();
    keys.peek().ok_or(VerifyError::NoValidKey)?;
    let made = keys.find(|(_, token)| token.made(&pairs, claimed));
    let (key_id, _) = made.ok_or(VerifyError::Mismatch)?;
    Ok((key_id, SignedText::of(&pairs)))
}

/// A text of parameters whose signature is right, and the other ways to cut the text.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::{SIGNATURE, SecretToken};
///
/// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let verified = |pairs: &[(&str, &str)]| {
///     let signature = token.sign(pairs.iter().copied())?;
///     let signed = pairs.iter().copied().chain([(SIGNATURE, signature.as_str())]);
///     Ok::<_, Box<dyn std::error::Error>>(token.verify(signed)?)
/// };
/// let plain = verified(&[("checkoutId", "c1"), ("result.code", "000.000.000")])?;
/// assert_eq!(plain.ambiguous(), None);
/// // A shop's own address, which came back as it went.
/// let url = ("customParameters[return]", "https://shop.example/thanks?checkoutId=77");
/// let echoed = verified(&[("checkoutId", "c1"), url, ("result.code", "000.000.000")])?;
/// assert_eq!(echoed.ambiguous(), Some("checkoutId"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedText {
    ambiguous: Option<&'static str>,
}

impl SignedText {
    /// The first of the telling names that stands in the signed text in another place than as a key: with
    /// that name the same text can be cut into parameters that claim something else. The telling names are
    /// `result.code`, `paymentType`, `checkoutId`, `merchantTransactionId` and `timestamp`.
    ///
    /// An ambiguous text is not an error and nobody's fault: an echoed URL or a payer's name can hold a
    /// telling name. Parameters that came as the answer to your own read over TLS are the ones that Peach
    /// sent. Delivered parameters are a reason to read, and of no other use then.
    ///
    /// ```
    /// # use checkout_auth::peach::{SIGNATURE, SecretToken};
    /// # let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let pairs = [("card.holder", "T. paymentType")];
    /// let signature = token.sign(pairs)?;
    /// let text = token.verify(pairs.into_iter().chain([(SIGNATURE, signature.as_str())]))?;
    /// assert_eq!(text.ambiguous(), Some("paymentType"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn ambiguous(self) -> Option<&'static str> {
        self.ambiguous
    }

    fn of(ordered: &[(&str, &str)]) -> Self {
        let text: String = signed_parts(ordered).collect();
        let elsewhere = |name: &str| {
            let as_a_key = ordered.iter().filter(|(key, _)| *key == name).count();
            text.matches(name).count() != as_a_key
        };
        Self { ambiguous: TELLING.into_iter().find(|name| elsewhere(name)) }
    }
}

/// The signed text, to compare with the text that the other side made of the parameters.
///
/// The text holds no secret, but every value there is: names, addresses, mail, the digits of a card. Look at
/// the text to find a fault, with parameters of a test; do not log or keep the text. Signing makes no such
/// string.
///
/// # Errors
/// [`SignError`], as for [`SecretToken::sign`].
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::auth::peach::canonical;
///
/// let text = canonical([("currency", "ZAR"), ("amount", "2"), ("cancelUrl", ""), ("signature", "none")])?;
/// assert_eq!(text, "amount2cancelUrlcurrencyZAR");
/// assert_eq!(canonical([("a", "bc")])?, canonical([("ab", "c")])?);
/// # Ok::<(), checkout_auth::SignError>(())
/// ```
pub fn canonical<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String, SignError> {
    let pairs = ordered(pairs).ok_or(SignError::DuplicateKey)?;
    Ok(signed_parts(&pairs).collect())
}

/// The signature of parameters: 64 digits of lower-case hexadecimal.
///
/// A signature is not a secret but passes again with its parameters, so `Debug` does not print the signature;
/// `Display` does. The type has no `==`: check a signature that came in with [`SecretToken::verify`], in
/// constant time.
///
/// ```
/// # use checkout_auth::peach::SecretToken;
/// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let signature = token.sign([("a", "bc")])?;
/// let text = "67f1dfe7040a2a1c1eb3ad455ce9dedbb4ab57c81e311d7ed4e8e6441a940f11";
/// assert_eq!(signature.to_string(), text);
/// assert_eq!(format!("{signature:?}"), "Signature([redacted])");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The text of the parameter.
    ///
    /// ```
    /// # use checkout_auth::peach::{SIGNATURE, SecretToken};
    /// # let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// let mut pairs = vec![("amount", "2"), ("currency", "ZAR")];
    /// let signature = token.sign(pairs.iter().copied())?;
    /// pairs.push((SIGNATURE, signature.as_str()));
    /// assert!(token.verify(pairs).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII by construction, so the empty text is never given.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}

/// The reason why a text makes no [`SecretToken`]. The error never shows the text.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::{KeyError, SecretToken};
///
/// let error = SecretToken::new("".into()).unwrap_err();
/// assert_eq!(error, KeyError::Empty);
/// assert_eq!(error.to_string(), "the secret token is empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret token is empty.
    #[error("the secret token is empty")]
    Empty,
    /// The secret token begins or ends with white space, a copied line break most likely.
    #[error("the secret token begins or ends with white space, such as a copied line break")]
    WhiteSpace,
    /// The secret token holds a character that cannot be seen, such as a byte order mark or a line break.
    #[error(
        "the secret token holds a character that cannot be seen, such as a byte order mark or a line break"
    )]
    Unseen,
}

impl KeyError {
    /// The set-up's.
    ///
    /// ```
    /// # use checkout_auth::{Blame, peach::KeyError};
    /// assert_eq!(KeyError::Empty.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::SetUp
    }

    /// The usual cause, in a sentence.
    ///
    /// ```
    /// # use checkout_auth::peach::KeyError;
    /// assert!(KeyError::WhiteSpace.hint().contains("line break"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "the variable or file that it is read from is empty, or is not there",
            Self::WhiteSpace => {
                "the file that it is read from ends in a line break, or it was copied with a blank"
            }
            Self::Unseen => UNSEEN_HINT,
        }
    }
}

/// The reason why the signature of parameters is refused. Keep the reason for the receiver's own log: every
/// sender gets the same refusal. Holds neither key nor value.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// use checkout_kit::peach::{SecretToken, VerifyError};
///
/// let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// assert_eq!(token.verify([("amount", "2")]), Err(VerifyError::Missing));
/// assert_eq!(token.verify([("amount", "2"), ("signature", "")]), Err(VerifyError::Malformed));
/// # Ok::<(), checkout_auth::peach::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No parameter has the key [`SIGNATURE`].
    #[error("there is no signature")]
    Missing,
    /// The signature is not 64 digits of lower-case hexadecimal.
    #[error("the signature is not 64 digits of lower-case hexadecimal")]
    Malformed,
    /// A key is there twice, as for [`SignError::DuplicateKey`]; the key may be [`SIGNATURE`].
    #[error("a parameter is there twice")]
    DuplicateKey,
    /// The signature was made over something else, or with another secret token.
    #[error("the signature is not these parameters' under this secret token")]
    Mismatch,
    /// No key of the ring is valid now. Only [`verify_with`] says so.
    #[error("no key is valid now")]
    NoValidKey,
}

impl VerifyError {
    /// The place to look first, supposing that Peach sent the parameters.
    ///
    /// ```
    /// # use checkout_auth::{Blame, peach::VerifyError};
    /// assert_eq!(VerifyError::Missing.blame(), Blame::Sender);
    /// assert_eq!(VerifyError::Mismatch.blame(), Blame::SetUp);
    /// ```
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Missing | Self::Malformed | Self::DuplicateKey => Blame::Sender,
            Self::Mismatch | Self::NoValidKey => Blame::SetUp,
        }
    }

    /// The usual cause, in a sentence for the receiver's log.
    ///
    /// ```
    /// # use checkout_auth::peach::VerifyError;
    /// assert!(VerifyError::Mismatch.hint().contains("decoded"));
    /// ```
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Missing => {
                "not a message of the provider, such as the browser coming back by GET, or a framework \
                 left out or renamed a parameter"
            }
            Self::Malformed => {
                "not a message of the provider, or the signature was cut or trimmed on the way here"
            }
            Self::DuplicateKey => {
                "not a message of the provider, or the parameters of the query and of the body were put \
                 together"
            }
            Self::Mismatch => {
                "a parameter was left out, trimmed, renamed or decoded once too often before it came here \
                 (empty ones and unknown ones are signed too), or the secret token is another entity's or \
                 has white space in it; a message of somebody else's looks the same"
            }
            Self::NoValidKey => "the validity of the ring's keys has ended, or has not begun",
        }
    }
}

/// The pairs in the order they are signed in, or `None` when a key is there twice.
fn ordered<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Vec<(&'a str, &'a str)>> {
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable_by_key(|(key, _)| *key);
    let keys = pairs.iter().map(|(key, _)| key);
    let twice = keys.clone().zip(keys.skip(1)).any(|(key, next)| key == next);
    (!twice).then_some(pairs)
}

/// The MAC that the signature among the pairs claims to be.
fn claim(ordered: &[(&str, &str)]) -> Result<[u8; 32], VerifyError> {
    let (_, claimed) = ordered.iter().find(|(key, _)| *key == SIGNATURE).ok_or(VerifyError::Missing)?;
    read_hex(claimed).ok_or(VerifyError::Malformed)
}

fn update(mac: &mut Hmac<Sha256>, ordered: &[(&str, &str)]) {
    for part in signed_parts(ordered) {
        mac.update(part.as_bytes());
    }
}

/// The signed text of the ordered pairs, part by part.
fn signed_parts<'a>(ordered: &[(&'a str, &'a str)]) -> impl Iterator<Item = &'a str> {
    ordered.iter().filter(|(key, _)| *key != SIGNATURE).flat_map(|(key, value)| [*key, *value])
}

/// The key of the parameter that carries the signature. The parameter is not part of the signed text.
///
/// ```
/// # checkout_doctest::facade!(auth);
/// assert_eq!(checkout_kit::peach::SIGNATURE, "signature");
/// ```
pub const SIGNATURE: &str = "signature";

/// The names of a result, its time or a checkout.
const TELLING: [&str; 5] = ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"];

#[cfg(test)]
mod tests;
