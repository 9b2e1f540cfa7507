//! Requests to bytes.

use alloc::string::String;
use alloc::vec::Vec;
use checkout_tables::peach::Route;
use checkout_validate::PathSegment;
use core::fmt::{self, Write};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The body of an initiate or a validate of V1: one flat JSON object of the pairs, in the order given, each a
/// text. `nonce` and `signature` are among them. V2's is [`create_body`].
///
/// Peach's reference takes `application/json` there. (Forms are seen to work too.)
///
/// ```
/// # checkout_doctest::facade!(wire);
/// let pairs = [("amount", "2.00"), ("customParameters[a]", "b\"c")];
/// assert_eq!(checkout_kit::wire::peach::body(pairs), br#"{"amount":"2.00","customParameters[a]":"b\"c"}"#);
/// ```
#[must_use]
pub fn body<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Vec<u8> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    // Texts into memory: no part can fail.
    serde_json::to_vec(&Flat(pairs)).unwrap_or_default()
}

/// The body of a create of V2, from the same pairs as [`body`]: one JSON object, with the types that the API
/// reference of `POST /v2/checkout` (1.0.0, Public) gives the pairs. `forceDefaultMethod`,
/// `createRegistration` and `allowStoringDetails` are booleans. `cardTokens` is a list.
/// `standingInstruction.*` is one object, with `frequency` as a number inside. Every other pair is a text
/// under its flat name.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// let pairs = [
///     ("amount", "2.00"),
///     ("createRegistration", "true"),
///     ("cardTokens", "8ac7a49f,8ac7a4a0"),
///     ("standingInstruction.mode", "INITIAL"),
///     ("standingInstruction.frequency", "30"),
///     ("nonce", "1"),
/// ];
/// let expected = br#"{"amount":"2.00","createRegistration":true,"cardTokens":["8ac7a49f","8ac7a4a0"],"#;
/// let body = checkout_kit::wire::peach::create_body(pairs);
/// assert_eq!(
///     body.strip_prefix(expected).unwrap(),
///     br#""standingInstruction":{"mode":"INITIAL","frequency":30},"nonce":"1"}"#
/// );
/// ```
#[must_use]
pub fn create_body<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Vec<u8> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    // Texts into memory: no part can fail.
    serde_json::to_vec(&Typed(&pairs)).unwrap_or_default()
}

/// The query of a read of the status, without the question mark.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// let pairs = [("authentication.entityId", "8ac7"), ("merchantTransactionId", "a b&c")];
/// let query = checkout_kit::wire::peach::query(pairs);
/// assert_eq!(query, "authentication.entityId=8ac7&merchantTransactionId=a%20b%26c");
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

/// The body of V2's request for a token. The body holds the client's secret: give the body to the transport
/// alone.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// let body = checkout_kit::wire::peach::token_body("id", "secret", "merchant");
/// assert_eq!(body, br#"{"clientId":"id","clientSecret":"secret","merchantId":"merchant"}"#);
/// ```
#[must_use]
pub fn token_body(client_id: &str, client_secret: &str, merchant_id: &str) -> Vec<u8> {
    let body = TokenBody { client_id, client_secret, merchant_id };
    // Texts into memory: no part can fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Returns the path of a route, with the checkout's id if the route has an id. `None` if the two do not fit.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::Route;
/// use checkout_kit::validate::PathSegment;
/// use checkout_kit::wire::peach::path;
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

/// Pairs as an object's fields, with V2's types.
struct Typed<'p>(&'p [(&'p str, &'p str)]);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        let mut instructed = false;
        for (key, text) in self.0 {
            match *key {
                "forceDefaultMethod" | "createRegistration" | "allowStoringDetails" => {
                    object.serialize_entry(key, &(*text == "true"))?;
                }
                "cardTokens" => object.serialize_entry(key, &text.split(',').collect::<Vec<_>>())?,
                _ if key.starts_with(INSTRUCTION) => {
                    if !instructed {
                        object.serialize_entry("standingInstruction", &Instruction(self.0))?;
                    }
                    instructed = true;
                }
                _ => object.serialize_entry(key, text)?,
            }
        }
        object.end()
    }
}

/// The pairs of a standing instruction.
struct Instruction<'p>(&'p [(&'p str, &'p str)]);

impl Serialize for Instruction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (key, text) in self.0 {
            match (key.strip_prefix(INSTRUCTION), text.parse::<u32>()) {
                (Some("frequency"), Ok(days)) => object.serialize_entry("frequency", &days)?,
                (Some(name), _) => object.serialize_entry(name, text)?,
                (None, _) => {}
            }
        }
        object.end()
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

const INSTRUCTION: &str = "standingInstruction.";
const CHECKOUT_ID: &str = "{checkoutId}";
