//! A value that the table may not name yet.

use core::fmt;

/// A row of the table `T`, or a value that the table does not name, exactly as received.
///
/// Enums are closed when they are sent and open when they are received: providers add values, and a value
/// that broke the reading of a payment would cost a sale. `Raw` is the type that keeps such a value: `i64`
/// for integers; `&str`, and with the feature `alloc` also `String` and `Cow<str>`, for text. If a row needs
/// more than a text, `Raw` holds everything, as Peach's [`Outcome`](crate::peach::Outcome) does.
///
/// An `Open` is made from a raw value or from a row, and a raw value that the table names is always
/// [`Known`](Self::Known): nothing else can make the field of [`Unknown`](Self::Unknown).
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::{Currency, IntentStatus};
/// use checkout_kit::tables::Open;
///
/// let confirmed: Open<IntentStatus> = Open::from(20);
/// assert_eq!(confirmed, Open::Known(IntentStatus::Confirmed));
///
/// let later: Open<IntentStatus> = Open::from(6);
/// assert_eq!(later.known(), None);
/// assert_eq!(later.value(), 6);
///
/// let text: Open<Currency, &str> = Open::from("EUR");
/// assert_eq!(text.known(), Some(Currency::EUR));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Open<T, Raw = i64> {
    /// A row of the table.
    Known(T),
    /// A value that the table does not name, exactly as received.
    Unknown(Unnamed<Raw>),
}

/// A value that a table does not name. Only [`Open`] makes this type, after a lookup in the table.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::tables::Open;
///
/// let Open::Unknown(unnamed) = Open::<StableCoin>::from(11) else { unreachable!() };
/// assert_eq!(*unnamed.raw(), 11);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unnamed<Raw>(Raw);

impl<Raw> Unnamed<Raw> {
    /// The value exactly as received.
    pub const fn raw(&self) -> &Raw {
        &self.0
    }

    /// The value exactly as received.
    pub fn into_raw(self) -> Raw {
        self.0
    }
}

impl<T: Copy, Raw> Open<T, Raw> {
    /// The row, if the table names the value.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::StableCoin};
    /// assert_eq!(Open::<StableCoin>::from(1).known(), Some(StableCoin::USDT));
    /// assert_eq!(Open::<StableCoin>::from(11).known(), None);
    /// ```
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(row) => Some(*row),
            Self::Unknown(_) => None,
        }
    }

    /// The raw value, if the table does not name it.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::StableCoin};
    /// assert_eq!(Open::<StableCoin>::from(11).unknown(), Some(&11));
    /// ```
    pub fn unknown(&self) -> Option<&Raw> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(unnamed) => Some(unnamed.raw()),
        }
    }
}

impl<T: IntCode> Open<T, i64> {
    /// The integer, named or not.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// assert_eq!(Open::from(IntentStatus::Timeout).value(), -5);
    /// assert_eq!(Open::<IntentStatus>::from(-6).value(), -6);
    /// ```
    pub fn value(&self) -> i64 {
        match self {
            Self::Known(row) => row.value(),
            Self::Unknown(unnamed) => unnamed.0,
        }
    }
}

impl<T: TextCode, Raw: AsRef<str>> Open<T, Raw> {
    /// The text, named or not.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::StableCoin};
    /// assert_eq!(Open::<StableCoin, &str>::from("USDT").text(), "USDT");
    /// assert_eq!(Open::<StableCoin, &str>::from("PYUSD").text(), "PYUSD");
    /// ```
    pub fn text(&self) -> &str {
        match self {
            Self::Known(row) => row.code(),
            Self::Unknown(unnamed) => unnamed.0.as_ref(),
        }
    }
}

#[cfg(feature = "alloc")]
impl<T> Open<T, alloc::borrow::Cow<'_, str>> {
    /// Converts to a value that borrows nothing.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::StableCoin};
    /// # use std::borrow::Cow;
    /// let open: Open<StableCoin, Cow<'_, str>> = Open::from(Cow::Borrowed("PYUSD"));
    /// let owned: Open<StableCoin, Cow<'static, str>> = open.into_owned();
    /// assert_eq!(owned.text(), "PYUSD");
    /// ```
    pub fn into_owned(self) -> Open<T, alloc::borrow::Cow<'static, str>> {
        match self {
            Self::Known(row) => Open::Known(row),
            Self::Unknown(unnamed) => {
                Open::Unknown(Unnamed(alloc::borrow::Cow::Owned(unnamed.0.into_owned())))
            }
        }
    }
}

impl<T, Raw: RawOf<T>> From<Raw> for Open<T, Raw> {
    fn from(raw: Raw) -> Self {
        match raw.named() {
            Some(row) => Self::Known(row),
            None => Self::Unknown(Unnamed(raw)),
        }
    }
}

impl<T: fmt::Debug, Raw: fmt::Debug> fmt::Debug for Open<T, Raw> {
    /// `Confirmed`, or `Unknown(6)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(row) => row.fmt(f),
            Self::Unknown(unnamed) => f.debug_tuple("Unknown").field(&unnamed.0).finish(),
        }
    }
}

impl<Raw: fmt::Debug> fmt::Debug for Unnamed<Raw> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Display, Raw: sealed::Raw> fmt::Display for Open<T, Raw> {
    /// Prints the row's text, or the raw value. An integer is printed as received. Of a text, characters that
    /// are not printable are escaped, so that the text cannot forge a line of a log or steer a terminal.
    /// [`text`](Open::text) and [`Unnamed::raw`] return the value as received.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::StableCoin};
    /// let forged: Open<StableCoin, &str> = Open::from("A\nB");
    /// assert_eq!(forged.to_string(), r"A\nB");
    /// assert_eq!(forged.text(), "A\nB");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(row) => row.fmt(f),
            Self::Unknown(unnamed) => unnamed.0.print(f),
        }
    }
}

/// A table that numbers its rows.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::tables::IntCode;
///
/// fn values<T: IntCode>() -> impl Iterator<Item = i64> {
///     T::ROWS.iter().map(|row| row.value())
/// }
/// assert_eq!(values::<StableCoin>().sum::<i64>(), 55);
/// ```
pub trait IntCode: Copy + 'static {
    /// Every row, in the order of the source.
    const ROWS: &'static [Self];

    /// The row with this value.
    fn from_value(value: i64) -> Option<Self>;

    /// The row's value.
    fn value(self) -> i64;
}

/// A table that names its rows by a text.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::StableCoin;
/// use checkout_kit::tables::TextCode;
///
/// fn longest<T: TextCode>() -> Option<usize> {
///     T::ROWS.iter().map(|row| row.code().len()).max()
/// }
/// assert_eq!(longest::<StableCoin>(), Some(4));
/// ```
pub trait TextCode: Copy + 'static {
    /// Every row, in the order of the source.
    const ROWS: &'static [Self];

    /// The row with this text, to the letter.
    fn from_code(code: &str) -> Option<Self>;

    /// The row's text.
    fn code(self) -> &'static str;
}

/// The raw form of a value of the table `T`: an integer for an [`IntCode`], text for a [`TextCode`], and for
/// Peach's statuses also an [`Outcome`](crate::peach::Outcome).
pub trait RawOf<T>: sealed::Raw {
    /// The row that the value names.
    fn named(&self) -> Option<T>;
}

impl<T: IntCode> RawOf<T> for i64 {
    fn named(&self) -> Option<T> {
        T::from_value(*self)
    }
}

impl<T: TextCode> RawOf<T> for &str {
    fn named(&self) -> Option<T> {
        T::from_code(self)
    }
}

#[cfg(feature = "alloc")]
impl<T: TextCode> RawOf<T> for alloc::string::String {
    fn named(&self) -> Option<T> {
        T::from_code(self)
    }
}

#[cfg(feature = "alloc")]
impl<T: TextCode> RawOf<T> for alloc::borrow::Cow<'_, str> {
    fn named(&self) -> Option<T> {
        T::from_code(self)
    }
}

pub(crate) mod sealed {
    use core::fmt::{self, Write};

    /// The raw form of a value.
    pub trait Raw {
        /// Prints a value that came from outside.
        fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    }

    impl Raw for i64 {
        fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(self, f)
        }
    }

    impl Raw for &str {
        fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            escaped(self, f)
        }
    }

    #[cfg(feature = "alloc")]
    impl Raw for alloc::string::String {
        fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            escaped(self, f)
        }
    }

    #[cfg(feature = "alloc")]
    impl Raw for alloc::borrow::Cow<'_, str> {
        fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            escaped(self, f)
        }
    }

    /// Like [`Formatter::pad`](fmt::Formatter::pad), with characters that are not printable escaped.
    /// Quotation marks stay unchanged.
    fn escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quotation_mark = |c: char| matches!(c, '\'' | '"');
        let escape = |c: char| c.escape_debug().skip(usize::from(quotation_mark(c)));
        let printed = text.chars().flat_map(escape).take(f.precision().unwrap_or(usize::MAX));
        let blank = f.width().map_or(0, |width| width.saturating_sub(printed.clone().count()));
        let before = match f.align() {
            Some(fmt::Alignment::Right) => blank,
            Some(fmt::Alignment::Center) => blank / 2,
            Some(fmt::Alignment::Left) | None => 0,
        };
        let fill = core::iter::repeat(f.fill());
        let (in_front, behind) = (fill.clone().take(before), fill.take(blank - before));
        in_front.chain(printed).chain(behind).try_for_each(|c| f.write_char(c))
    }
}

/// A value or text that a table does not have. The message names the table, and the value or text as far as
/// printing is safe: a text that is hardly longer than the table's longest text, with characters that are not
/// printable escaped, and a number. For a longer text, and for twelve digits or more, which can be the number
/// of a card, the message gives the length.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::{Currency, StableCoin};
///
/// assert_eq!("usd".parse::<Currency>().unwrap_err().to_string(), "not in the table Currency: \"usd\"");
/// assert_eq!("EUR\n".parse::<Currency>().unwrap_err().to_string(), r#"not in the table Currency: "EUR\n""#);
/// let long = "4111 1111 1111 1111".parse::<Currency>().unwrap_err();
/// assert_eq!(long.to_string(), "not in the table Currency: a text of 19 characters");
/// assert_eq!(StableCoin::try_from(11).unwrap_err().to_string(), "not in the table StableCoin: 11");
/// assert_eq!(Currency::try_from(164).unwrap_err().table(), "Currency");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NotInTable {
    table: &'static str,
    found: Found,
}

/// The value that was looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Number(i64),
    /// The text: this many of these bytes are UTF-8.
    Text([u8; NAMED], usize),
    /// A text that the message does not show, by its number of characters.
    Long(usize),
}

impl NotInTable {
    pub(crate) fn text<T: TextCode>(table: &'static str, text: &str) -> Self {
        let longest = T::ROWS.iter().map(|row| row.code().len()).max().unwrap_or_default();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let mut named = [0; NAMED];
        let found = match named.get_mut(..text.len()) {
            Some(place) if text.len() <= longest.saturating_add(SLACK) && digits < CARD => {
                place.copy_from_slice(text.as_bytes());
                Found::Text(named, text.len())
            }
            _ => Found::Long(text.chars().count()),
        };
        Self { table, found }
    }

    pub(crate) const fn number(table: &'static str, value: i64) -> Self {
        Self { table, found: Found::Number(value) }
    }

    /// The table's name.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }
}

impl fmt::Display for NotInTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not in the table {}: ", self.table)?;
        match &self.found {
            // Twelve digits, with a sign before them or without.
            Found::Number(number) if number.unsigned_abs() >= 100_000_000_000 => {
                f.write_str("a number of twelve digits or more")
            }
            Found::Number(number) => write!(f, "{number}"),
            Found::Text(bytes, length) => {
                let text = bytes.get(..*length).and_then(|bytes| core::str::from_utf8(bytes).ok());
                write!(f, "{:?}", text.unwrap_or_default())
            }
            Found::Long(1) => f.write_str("a text of 1 character"),
            Found::Long(characters) => write!(f, "a text of {characters} characters"),
        }
    }
}

impl fmt::Debug for NotInTable {
    /// The same text as `Display`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotInTable({self})")
    }
}

impl core::error::Error for NotInTable {}

/// The maximum number of bytes of a text that the message shows.
const NAMED: usize = 40;

/// The number of bytes by which a shown text may exceed a table's longest text: a blank, a line break, a
/// plural.
const SLACK: usize = 2;

/// The number of digits of the shortest card number.
const CARD: usize = 12;

/// Reads a row of a table by its text.
#[cfg(feature = "serde")]
pub(crate) struct RowOf<T> {
    table: &'static str,
    row: core::marker::PhantomData<T>,
}

#[cfg(feature = "serde")]
impl<T> RowOf<T> {
    pub(crate) const fn table(table: &'static str) -> Self {
        Self { table, row: core::marker::PhantomData }
    }
}

#[cfg(feature = "serde")]
impl<T: TextCode> serde::de::Visitor<'_> for RowOf<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of the table {}", self.table)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::from_code(text).ok_or_else(|| E::custom(NotInTable::text::<T>(self.table, text)))
    }
}

#[cfg(feature = "serde")]
mod serde_impls {
    use super::{IntCode, Open, TextCode};
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    impl<T: IntCode> Serialize for Open<T, i64> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_i64(self.value())
        }
    }

    impl<'de, T: IntCode> Deserialize<'de> for Open<T, i64> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            i64::deserialize(deserializer).map(Self::from)
        }
    }

    impl<T: TextCode> Serialize for Open<T, &str> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.text())
        }
    }

    impl<'de: 'a, 'a, T: TextCode> Deserialize<'de> for Open<T, &'a str> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            <&str>::deserialize(deserializer).map(Self::from)
        }
    }
}

#[cfg(all(feature = "serde", feature = "alloc"))]
mod serde_alloc_impls {
    use super::{Open, TextCode};
    use alloc::borrow::Cow;
    use alloc::string::String;
    use core::fmt;
    use core::marker::PhantomData;
    use serde::de::{Deserialize, Deserializer, Error, Visitor};
    use serde::ser::{Serialize, Serializer};

    impl<T: TextCode> Serialize for Open<T, String> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.text())
        }
    }

    impl<'de, T: TextCode> Deserialize<'de> for Open<T, String> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer).map(Self::from)
        }
    }

    impl<T: TextCode> Serialize for Open<T, Cow<'_, str>> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.text())
        }
    }

    impl<'de: 'a, 'a, T: TextCode> Deserialize<'de> for Open<T, Cow<'a, str>> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(Text(PhantomData))
        }
    }

    /// Reads a text, borrowed if the input has the text in one piece.
    struct Text<'a, T>(PhantomData<(&'a (), T)>);

    impl<'de: 'a, 'a, T: TextCode> Visitor<'de> for Text<'a, T> {
        type Value = Open<T, Cow<'a, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Open::from(Cow::Borrowed(text)))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            // A row needs no copy of its text.
            Ok(T::from_code(text).map_or_else(|| Open::from(Cow::Owned(String::from(text))), Open::Known))
        }

        fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
            Ok(Open::from(Cow::Owned(text)))
        }
    }
}
