//! Requests to bytes.

use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::peach::Route;
use checkout_validate::PathSegment;
use core::fmt::{self, Write};
use serde::ser::{Serialize, Serializer};

/// The body of an initiate, a validate or a create: one flat JSON object of the pairs, in the order given, each a text. V1
/// has `nonce` and `signature` among them, V2 has the nonce alone.
///
/// Peach's reference takes `application/json` there. (Forms are seen to work too.)
///
/// ```
/// let pairs = [("amount", "2.00"), ("customParameters[a]", "b\"c")];
/// assert_eq!(checkout_wire::peach::body(pairs), br#"{"amount":"2.00","customParameters[a]":"b\"c"}"#);
/// ```
#[must_use]
pub fn body<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Vec<u8> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    // Texts into memory: nothing of that can fail.
    serde_json::to_vec(&Flat(pairs)).unwrap_or_default()
}

/// The query of a read of the status, without the question mark.
///
/// ```
/// let pairs = [("authentication.entityId", "8ac7"), ("merchantTransactionId", "a b&c")];
/// assert_eq!(checkout_wire::peach::query(pairs), "authentication.entityId=8ac7&merchantTransactionId=a%20b%26c");
/// ```
#[must_use]
pub fn query<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut query = String::new();
    for (key, text) in pairs {
        let and = if query.is_empty() { "" } else { "&" };
        // Writing to a text cannot fail.
        let _: fmt::Result = write!(query, "{and}{}={}", Encoded(key), Encoded(text));
    }
    query
}

/// The body of V2's request for a token. It holds the client's secret: it is for the transport alone.
///
/// ```
/// let body = checkout_wire::peach::token_body("id", "secret", "merchant");
/// assert_eq!(body, br#"{"clientId":"id","clientSecret":"secret","merchantId":"merchant"}"#);
/// ```
#[must_use]
pub fn token_body(client_id: &str, client_secret: &str, merchant_id: &str) -> Vec<u8> {
    let body = TokenBody { client_id, client_secret, merchant_id };
    // Texts into memory: nothing of that can fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The path of a route, with the checkout's id where it has one. None where the two do not fit.
///
/// ```
/// use checkout_tables::peach::Route;
/// use checkout_validate::PathSegment;
/// use checkout_wire::peach::path;
///
/// let id = PathSegment::new("c01b2f50ab394661a564931d5ef0d066")?;
/// let status = path(Route::CheckoutStatus, Some(id));
/// assert_eq!(status.as_deref(), Some("/v2/checkout/c01b2f50ab394661a564931d5ef0d066/status"));
/// assert_eq!(path(Route::Status, None).as_deref(), Some("/status"));
/// # Ok::<(), checkout_validate::IdError>(())
/// ```
#[must_use]
pub fn path(route: Route, checkout_id: Option<PathSegment<'_>>) -> Option<String> {
    crate::path::fill(route.path(), CHECKOUT_ID, checkout_id)
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    merchant_id: &'a str,
}

/// Pairs as an object's fields.
struct Flat<'a>(Vec<(&'a str, &'a str)>);

impl Serialize for Flat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// A part of a query, which can be empty where a segment of a path cannot.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    f.write_char(byte.into())?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

const CHECKOUT_ID: &str = "{checkoutId}";
