//! JSON text, and the reading of fields.

use crate::reply::{DIGITS, masked};
use crate::{Head, ReadError, ReadErrorKind};
use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use checkout_validate::Redacted;
use core::fmt;
use core::marker::PhantomData;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// The exact text of a JSON value: nothing in the text is parsed, re-ordered or rounded. The text can hold
/// anything, so `Debug` shows only its length.
///
/// `Deserialize` and `Serialize` are for `serde_json` alone. `Deserialize` borrows, and so reads from text or
/// bytes in memory and not from a stream or a tree.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::JsonText;
///
/// let json = JsonText::new(r#"{"a": 1.50}"#)?;
/// assert_eq!(json.as_str(), r#"{"a": 1.50}"#);
/// assert_eq!(format!("{json:?}"), "[11 bytes of JSON]");
/// # Ok::<(), checkout_wire::NotJson>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonText<'a>(Cow<'a, str>);

impl<'a> JsonText<'a> {
    /// Takes a text of one JSON value, with any white space around the value.
    ///
    /// # Errors
    /// [`NotJson`].
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, NotJson> {
        let text = text.into();
        match serde_json::from_str::<IgnoredAny>(&text) {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(NotJson),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the same text, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_wire::JsonText;
    /// let owned: JsonText<'static> = JsonText::new("1")?.into_owned();
    /// # Ok::<(), checkout_wire::NotJson>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> JsonText<'static> {
        JsonText(Cow::Owned(self.0.into_owned()))
    }

    pub(crate) fn raw(raw: &'a RawValue) -> Self {
        Self(Cow::Borrowed(raw.get()))
    }

    /// Wraps a text that was read as JSON.
    pub(crate) fn whole(json: &'a str) -> Self {
        Self(Cow::Borrowed(json))
    }

    /// The borrowed text, if the text is still borrowed.
    fn borrowed(&self) -> Option<&'a str> {
        match self.0 {
            Cow::Borrowed(json) => Some(json),
            Cow::Owned(_) => None,
        }
    }

    /// The value, if the value is of the type. For a borrowed text.
    pub(crate) fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.borrowed()?).ok()
    }

    /// The digits of the number, if the number has no sign, point or exponent, and 64 bits hold the number.
    pub(crate) fn read_digits(&self) -> Option<&'a str> {
        self.read::<u64>().and_then(|_| self.borrowed())
    }

    /// The text, if the value is a text.
    pub(crate) fn read_text(&self) -> Option<Cow<'a, str>> {
        from_json(self.borrowed()?, OptionalText).ok().flatten()
    }
}

impl fmt::Debug for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes of JSON]", self.0.len())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::raw)
    }
}

impl Serialize for JsonText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw_value(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A value that is only carried: as documented, or else the JSON unchanged. No decision depends on the value,
/// so an undocumented value is kept and not refused.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::money::Rate;
/// use checkout_kit::wire::{Head, Reply, Verbatim, allscale};
///
/// let rate = |rate: &str| {
///     let body = format!(
///         r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"i","status":1,"amount_coins":"1","currency_rate":{rate}}}}}"#
///     );
///     match allscale::read::<allscale::Intent>(&Head::new(200), body.as_bytes()) {
///         Ok(Reply::Done(answer)) => answer.payload.into_owned().currency_rate,
///         other => panic!("{other:?}"),
///     }
/// };
/// assert_eq!(rate("null"), None);
/// assert_eq!(rate(r#""1.35""#).unwrap().known(), "1.35".parse::<Rate>().ok());
/// let Some(Verbatim::Other(json)) = rate("1.350") else { panic!() };
/// assert_eq!(json.as_str(), "1.350");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(untagged)]
pub enum Verbatim<'a, T> {
    /// As documented.
    Known(T),
    /// Anything else, as exact JSON text.
    Other(JsonText<'a>),
}

impl<'a, T: Deserialize<'a>> Verbatim<'a, T> {
    /// Reads a borrowed JSON text.
    pub(crate) fn of(json: JsonText<'a>) -> Self {
        json.read().map_or(Self::Other(json), Self::Known)
    }
}

impl<'a, T> Verbatim<'a, T> {
    /// The value, if the value is as documented.
    ///
    /// ```
    /// # use checkout_wire::{Verbatim, JsonText};
    /// assert_eq!(Verbatim::Known(1).known(), Some(1));
    /// assert_eq!(Verbatim::<i64>::Other(JsonText::new("1.0")?).known(), None);
    /// # Ok::<(), checkout_wire::NotJson>(())
    /// ```
    #[must_use]
    pub fn known(&self) -> Option<T>
    where
        T: Copy,
    {
        match self {
            Self::Known(value) => Some(*value),
            Self::Other(_) => None,
        }
    }

    /// Returns the value itself, if the value is as documented.
    ///
    /// ```
    /// # use checkout_wire::Verbatim;
    /// assert_eq!(Verbatim::Known("56").as_known(), Some(&"56"));
    /// ```
    #[must_use]
    pub const fn as_known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Other(_) => None,
        }
    }

    /// Returns the same value, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_wire::Verbatim;
    /// let owned: Verbatim<'static, i64> = Verbatim::Known(1).into_owned();
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Verbatim<'static, T> {
        self.into_owned_with(|value| value)
    }

    /// Replaces a documented value with another value.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> Verbatim<'a, U> {
        match self {
            Self::Known(value) => Verbatim::Known(other(value)),
            Self::Other(json) => Verbatim::Other(json),
        }
    }

    /// Returns the same value, with nothing borrowed, if the value borrows too.
    pub(crate) fn into_owned_with<U>(self, owned: impl FnOnce(T) -> U) -> Verbatim<'static, U> {
        match self.map(owned) {
            Verbatim::Known(value) => Verbatim::Known(value),
            Verbatim::Other(json) => Verbatim::Other(json.into_owned()),
        }
    }
}

impl Verbatim<'_, Redacted<'_>> {
    /// The text, if the value is a text.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// use checkout_kit::wire::{Head, Reply, allscale};
    ///
    /// let body = br#"{"code":0,"payload":{"all_scale_checkout_intent_id":"i","status":1,"amount_coins":"1",
    ///     "user_name":"Tom","user_id":456}}"#;
    /// let Reply::Done(answer) = allscale::read::<allscale::Intent>(&Head::new(200), body)? else { panic!() };
    /// assert_eq!(answer.payload.user_name.unwrap().text(), Some("Tom"));
    /// assert_eq!(answer.payload.user_id.unwrap().text(), None); // a number, which is carried
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.as_known().map(Redacted::as_str)
    }
}

impl Verbatim<'_, Cow<'_, str>> {
    /// The text, if the value is a text.
    ///
    /// ```
    /// # use checkout_wire::{Verbatim, JsonText};
    /// # use std::borrow::Cow;
    /// assert_eq!(Verbatim::Known(Cow::Borrowed("0x55d3")).text(), Some("0x55d3"));
    /// assert_eq!(Verbatim::<Cow<'_, str>>::Other(JsonText::new("7")?).text(), None);
    /// # Ok::<(), checkout_wire::NotJson>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.as_known().map(|text| &**text)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Verbatim<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(serde_json::from_str(raw.get()).map_or_else(|_| Self::Other(JsonText::raw(raw)), Self::Known))
    }
}

/// The error of a text that is not one JSON value.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// assert_eq!(checkout_kit::wire::JsonText::new("{").unwrap_err().to_string(), "not JSON");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON")]
pub struct NotJson;

/// A text as raw JSON, to be written unchanged.
pub(crate) fn raw_value(text: &str) -> Result<&RawValue, NotJson> {
    // White space around a value is not part of a raw value.
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    serde_json::from_str(text.trim_matches(blank)).map_err(|_| NotJson)
}

/// Reads an optional text, borrowed where the body has it in one piece.
pub(crate) fn text<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    OptionalText.deserialize(deserializer)
}

/// Reads a text that is only carried: any other value is kept unchanged, and null is none.
pub(crate) fn carried_text<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Verbatim<'a, Cow<'a, str>>>, D::Error> {
    let json = JsonText::<'a>::deserialize(deserializer)?;
    if json.as_str() == NULL {
        return Ok(None);
    }
    Ok(Some(json.read_text().map_or(Verbatim::Other(json), Verbatim::Known)))
}

/// Reads a text about the payer that is only carried: any other value is kept unchanged, and null is none.
pub(crate) fn carried_personal<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Verbatim<'a, Redacted<'a>>>, D::Error> {
    let carried = carried_text::<'de, 'a, D>(deserializer)?;
    Ok(carried.map(|carried| carried.map(Redacted::from)))
}

/// Reads a value that is not worth an error: none if the value is not of the type.
pub(crate) fn or_none<'de: 'a, 'a, T: Deserialize<'a>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    JsonText::<'a>::deserialize(deserializer).map(|json| json.read())
}

/// Reads a text about the payer that is not worth an error: none if the value is not a text.
pub(crate) fn personal_or_none<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Redacted<'a>>, D::Error> {
    JsonText::<'a>::deserialize(deserializer).map(|json| json.read_text().map(Redacted::from))
}

/// Reads an object that is not worth an error: none if the value is not an object. If every member is read in
/// the same way, a key that stands twice is the only possible error.
pub(crate) fn object_or_none<'de: 'a, 'a, T: Deserialize<'a>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let json: &'a str = <&'a RawValue>::deserialize(deserializer)?.get();
    if !begins_an_object(json.as_bytes()) {
        return Ok(None);
    }
    match from_json(json, PhantomData) {
        Ok(read) => Ok(Some(read)),
        // Without the position, which counts from the object's beginning.
        Err(error) if error.is_data() => Err(D::Error::custom(without_place(&error.to_string()))),
        // A key that is not Unicode.
        Err(_) => Ok(None),
    }
}

/// Writes an optional text about the payer.
pub(crate) fn write_personal<S: Serializer>(
    text: &Option<Redacted<'_>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    text.as_ref().map(Redacted::as_str).serialize(serializer)
}

/// Writes an optional text about the payer that was only carried.
pub(crate) fn write_carried_personal<S: Serializer>(
    carried: &Option<Verbatim<'_, Redacted<'_>>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match carried {
        Some(Verbatim::Known(text)) => text.as_str().serialize(serializer),
        Some(Verbatim::Other(json)) => json.serialize(serializer),
        None => serializer.serialize_none(),
    }
}

/// Reads an object. A derived reader alone also takes a list for the fields in their order.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

/// An optional text, borrowed where the body has it in one piece.
pub(crate) struct OptionalText;

impl<'de> DeserializeSeed<'de> for OptionalText {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for OptionalText {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text)))
    }
}

/// Returns the text of a body that is safe to parse, and one JSON object by the first byte. `None` for an
/// unexpected response: a redirect, a body that is not an object, and an unreadable body under an error
/// status.
///
/// # Errors
/// [`ReadError`] for a body beyond the cap, and under a success status for a body that is not UTF-8 or nested
/// too deep.
pub(crate) fn object_text<'a>(
    head: &Head<'_>,
    body: &'a [u8],
    cap: usize,
) -> Result<Option<&'a str>, ReadError> {
    if head.is_redirect() || !begins_an_object(body) {
        return Ok(None);
    }
    let whole = |at, kind| ReadError::new(String::new(), at, kind);
    if body.len() > cap {
        return Err(whole(cap, ReadErrorKind::TooLarge { cap }));
    }
    let json = core::str::from_utf8(body).map_err(|error| whole(error.valid_up_to(), ReadErrorKind::NotUtf8));
    let json = json.and_then(|json| match too_deep(json) {
        Some(at) => Err(whole(at, ReadErrorKind::TooDeep { limit: DEPTH })),
        None => Ok(json),
    });
    match json {
        Ok(json) => Ok(Some(json)),
        Err(_) if !head.is_success() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a text of one JSON value, and gives the position and the reason if the text is not one JSON value.
pub(crate) fn from_json_or_why<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, ReadError> {
    from_json(json, PhantomData::<T>).map_err(|_| {
        let whole = || ReadError::new(String::new(), 0, ReadErrorKind::Syntax);
        explain(json, PhantomData::<T>).unwrap_or_else(whole)
    })
}

pub(crate) fn begins_an_object(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    first == Some(&b'{')
}

/// Returns the position where the nesting goes beyond the limit, if the nesting does.
pub(crate) fn too_deep(json: &str) -> Option<usize> {
    // Hardly an answer has so many brackets, so that counting the brackets is the only work.
    if opening_brackets(json.as_bytes()) <= DEPTH {
        return None;
    }
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth > DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Returns the number of `{` and `[`: one pass with nothing to decide. Pieces are short enough for a byte to
/// count their brackets, so many bytes are looked at in one instruction.
fn opening_brackets(json: &[u8]) -> usize {
    // The two differ in this bit alone, and no other byte with this bit set equals either.
    let is_opening = |byte: &u8| u8::from(byte | 0x20 == b'{');
    json.chunks(128).map(|piece| usize::from(piece.iter().map(is_opening).sum::<u8>())).sum()
}

/// Reads a text of one JSON value.
pub(crate) fn from_json<'de, S: DeserializeSeed<'de>>(
    json: &'de str,
    seed: S,
) -> serde_json::Result<S::Value> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads an unreadable text once more, to learn the position and the reason. `None` if the text can be read
/// after all.
pub(crate) fn explain<'de>(json: &'de str, seed: impl DeserializeSeed<'de>) -> Option<ReadError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let outcome = seed.deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    match outcome.and_then(|_| reader.end()) {
        Ok(()) => None,
        Err(error) => Some(from_serde(json, &track.path().to_string(), &error)),
    }
}

/// Returns the text of a `serde_json` error, without the values that the error quotes.
fn from_serde(json: &str, path: &str, error: &serde_json::Error) -> ReadError {
    let at = position(json, error.line(), error.column());
    let said = error.to_string();
    let said = without_place(&said);
    let named = |said: &str| said.split('`').nth(1).map(ToOwned::to_owned);
    let (field, kind) = if error.is_eof() {
        (None, ReadErrorKind::Truncated)
    } else if said.starts_with("number out of range") {
        (None, ReadErrorKind::HugeNumber)
    } else if error.is_syntax() {
        (None, ReadErrorKind::Syntax)
    } else if said.starts_with("missing field") {
        (named(said), ReadErrorKind::Missing)
    } else if said.starts_with("duplicate field") {
        (named(said), ReadErrorKind::Duplicate)
    } else if said.starts_with("invalid ") {
        // The words behind the last comma are ours; the value that serde quotes stands before the comma.
        let documented = said.rsplit_once(", expected ").map_or("another", |(_, documented)| documented);
        let huge = matches!(documented, "i64" | "u64") && is_huge(number_at(json, at));
        (None, if huge { ReadErrorKind::HugeNumber } else { ReadErrorKind::Type(documented.to_owned()) })
    } else {
        (None, ReadErrorKind::Value(Cow::Owned(said.to_owned())))
    };
    // If a key was never read, there is no field to name.
    let path = path.trim_end_matches(['.', '?']);
    let path = match field {
        Some(field) if path.is_empty() => field,
        Some(field) => alloc::format!("{path}.{field}"),
        None => path.to_owned(),
    };
    ReadError::new(shortened(path), at, kind)
}

/// Returns the text of a `serde_json` error, without the position.
fn without_place(said: &str) -> &str {
    said.rsplit_once(" at line ").map_or(said, |(said, _)| said)
}

/// Returns the number that ends at a byte, or the part of the number that is there.
fn number_at(json: &str, at: usize) -> &str {
    let before = json.get(..=at).unwrap_or(json);
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    before.get(before.trim_end_matches(in_number).len()..).unwrap_or_default()
}

/// True if a number is an integer beyond 64 bits: `serde_json` reads such an integer as a floating point.
fn is_huge(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    integer && number.parse::<i64>().is_err() && number.parse::<u64>().is_err()
}

/// Shortens a path. An unknown key can be anything, so the path is cut short and made printable, and digits
/// that can be a card number are masked.
fn shortened(path: String) -> String {
    let plain = |c: char| c.is_ascii_graphic();
    if path.len() <= PATH && masked(&path).all(|piece| piece.is_some_and(plain)) {
        return path;
    }
    let mut short = String::new();
    for piece in masked(&path).take(PATH) {
        match piece {
            None => short.push_str(DIGITS),
            Some(c) => short.push(if plain(c) { c } else { '?' }),
        }
    }
    short
}

/// Returns the byte that a line and a column name; both count from 1, and a column counts bytes.
fn position(json: &str, line: usize, column: usize) -> usize {
    let before = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    before.saturating_add(column.saturating_sub(1)).min(json.len())
}

const NULL: &str = "null";

/// The limit for nested objects and lists. A documented answer needs four levels, and the metadata in the
/// answer as many as the merchant gave.
pub(crate) const DEPTH: usize = 64;

/// The most bytes that an answer may have: 1 MiB. The longest documented answer has a few thousand.
pub const BODY_CAP: usize = 1 << 20;

const PATH: usize = 120;
