//! The flat fields of a signed body, before any interpretation.

use crate::json::{BODY_CAP, OptionalText, from_json, from_json_or_why, object_text};
use crate::reply::masked;
use crate::{Head, ReadError, ReadErrorKind};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The flat fields of a signed body: every field that came, known or not, each with the signed text. The
/// signature covers all the fields, so no field is left out, and no field stands twice.
///
/// A text is its decoded characters; a number or a boolean is the text as written; null is the empty text; an
/// object or a list, which no page shows, is its exact JSON text (Assumed, all but the first). `Debug` shows
/// the number of fields.
///
/// The fields of a webhook or of the shopper's return prove nothing until their signature has been verified.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::peach::Fields;
///
/// let fields = Fields::from_form(b"amount=2.00&result.code=000.000.000&customParameters%5Bcolour%5D=light+blue")?;
/// assert_eq!(fields.get("customParameters[colour]"), Some("light blue"));
/// assert_eq!(fields.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["amount", "customParameters[colour]", "result.code"]);
/// # Ok::<(), checkout_wire::peach::FormError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Fields<'a> {
    /// Reads one flat JSON object: the webhook that Peach sends to try an address out, and any other webhook
    /// in that form.
    ///
    /// # Errors
    /// [`ReadError`], as for an answer: the fault, the position, and none of the values. A key that stands
    /// twice is named if the key looks like a parameter (ASCII letters, digits, dots, brackets and
    /// underscores, at most 64, and not twelve digits in a row); any other key is `[field]`.
    ///
    /// ```
    /// # use checkout_wire::peach::Fields;
    /// assert_eq!(Fields::from_json(br#"{"amount":2.50}"#)?.get("amount"), Some("2.50"));
    /// assert_eq!(Fields::from_json(b"[]").unwrap_err().to_string(), "not of the documented type, which is an object, at byte 0");
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    pub fn from_json(body: &'a [u8]) -> Result<Self, ReadError> {
        match object_text(&Head::new(200), body, BODY_CAP)? {
            Some(json) => from_json_or_why(json),
            None => {
                let documented = ReadErrorKind::Type("an object".into());
                Err(ReadError::new(String::new(), 0, documented))
            }
        }
    }

    /// The text of a field.
    ///
    /// ```
    /// # use checkout_wire::peach::Fields;
    /// assert_eq!(Fields::from_form(b"amount=2")?.get("amount"), Some("2"));
    /// # Ok::<(), checkout_wire::peach::FormError>(())
    /// ```
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|text| &**text)
    }

    /// Every field, `signature` included, in the byte order of the keys: the input of the verification.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, text)| (&**key, &**text))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the same fields, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Fields<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Fields(self.0.into_iter().map(|(key, text)| (owned(key), owned(text))).collect())
    }

    /// Every field.
    pub(super) fn into_pairs(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0.into_iter()
    }

    /// Adds a field, unless the key is there already or there are too many fields.
    pub(super) fn insert(&mut self, key: Cow<'a, str>, text: Cow<'a, str>) -> Result<(), Refused<'a>> {
        if self.0.len() >= MOST {
            return Err(Refused::TooMany);
        }
        if self.0.contains_key(&key) {
            return Err(Refused::Duplicate(key));
        }
        self.0.insert(key, text);
        Ok(())
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} fields]", self.0.len())
    }
}

/// The reason that a field was not added.
pub(super) enum Refused<'a> {
    TooMany,
    Duplicate(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(Key(key)) = map.next_key()? {
            let text = flat_text(map.next_value::<&RawValue>()?);
            let text = text.ok_or_else(|| A::Error::custom("a text with half a character"))?;
            fields.insert(key, text).map_err(|refused| match refused {
                Refused::TooMany => A::Error::custom(format_args!("more than {MOST} fields")),
                Refused::Duplicate(key) => A::Error::custom(format!("duplicate field `{}`", named(&key))),
            })?;
        }
        Ok(fields)
    }
}

/// A key, borrowed where the body has it in one piece.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor).map(Self)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.into()))
    }
}

/// A key as an error may name it: a key that is not a parameter can be anybody's name, or a card number.
fn named(key: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '[' | ']' | '_');
    let parameter = (1..=LONGEST).contains(&key.len()) && masked(key).all(|piece| piece.is_some_and(plain));
    if parameter { key } else { "[field]" }
}

/// Returns the text that stands for a JSON value. `None` for a text that is not Unicode.
fn flat_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => from_json(json, OptionalText).ok().flatten(),
        Some(b'n') => Some(Cow::Borrowed("")),
        _ => Some(Cow::Borrowed(json)),
    }
}

/// The most fields of a body. The longest documented body has about thirty.
const MOST: usize = 1_024;

/// The longest key that an error names.
const LONGEST: usize = 64;
