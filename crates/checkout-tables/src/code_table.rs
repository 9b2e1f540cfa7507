//! The macro behind every table: a row per line, in the order of the source.

/// Writes an enum whose variants are a published table's rows.
///
/// A row is `Variant("TEXT") = value, cell, …;`, and `("TEXT")` may be left out if the text is the variant's
/// name. `row()` returns the cells: each table's own methods name them.
///
/// A table that numbers nothing has no type after its name, and a row is `Variant("TEXT"), cell, …;`, or
/// `Variant("TEXT" | "OTHER"), cell, …;` if a row has another text that is read and never written.
macro_rules! code_table {
    (
        $(#[$meta:meta])*
        pub enum $table:ident, row = $row:ty {
            $(
                $(#[$row_meta:meta])*
                $variant:ident $(($text:literal $(| $other:literal)*))? $(, $cell:expr)*;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(
            feature = "strum",
            derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray)
        )]
        pub enum $table {
            $(
                $(#[$row_meta])*
                #[doc = concat!("`", code_table!(@text $variant $($text)?), "`.")]
                $(#[cfg_attr(feature = "strum", strum(serialize = $text))])?
                $variant,
            )+
        }

        impl $table {
            /// Every row, in the order of the source.
            pub const ROWS: [Self; [$(stringify!($variant)),+].len()] = [$(Self::$variant),+];

            /// The row with this text, to the letter, if the source has one.
            #[must_use]
            pub const fn from_code(code: &str) -> Option<Self> {
                use $crate::code_table::same;
                $(
                    if same(code, code_table!(@text $variant $($text)?)) $($(|| same(code, $other))*)? {
                        return Some(Self::$variant);
                    }
                )+
                None
            }
        }

        code_table! { @rows $table, $row { $($variant $(($text))? $(, $cell)*;)+ } }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $table {
            /// As the row's text.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $table {
            /// From the row's text.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::open::RowOf::table(stringify!($table)))
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $table:ident: $repr:ident, row = $row:ty {
            $($(#[$row_meta:meta])* $variant:ident $(($text:literal))? = $value:literal $(, $cell:expr)*;)+
        }
    ) => {
        code_table! {
            $(#[$meta])*
            pub enum $table: $repr, from_code = Self::linear_from_code, row = $row {
                $($(#[$row_meta])* $variant $(($text))? = $value $(, $cell)*;)+
            }
        }

        impl $table {
            /// One row after the other: the other tables have a dozen rows at most.
            const fn linear_from_code(code: &str) -> Option<Self> {
                let mut row = 0;
                while row < Self::ROWS.len() {
                    #[expect(clippy::indexing_slicing, reason = "below the length")]
                    let candidate = Self::ROWS[row];
                    if $crate::code_table::same(candidate.code(), code) {
                        return Some(candidate);
                    }
                    row += 1;
                }
                None
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $table:ident: $repr:ident, from_code = $from_code:path, row = $row:ty {
            $($(#[$row_meta:meta])* $variant:ident $(($text:literal))? = $value:literal $(, $cell:expr)*;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde_repr::Serialize_repr, serde_repr::Deserialize_repr))]
        #[cfg_attr(
            feature = "strum",
            derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray)
        )]
        #[repr($repr)]
        pub enum $table {
            $(
                $(#[$row_meta])*
                #[doc = concat!("`", code_table!(@text $variant $($text)?), "`, value ", $value, ".")]
                $(#[cfg_attr(feature = "strum", strum(serialize = $text))])?
                $variant = $value,
            )+
        }

        impl $table {
            /// Every row, in the order of the source.
            pub const ROWS: [Self; [$($value),+].len()] = [$(Self::$variant),+];

            /// The row with this value, if the source has one.
            #[must_use]
            pub const fn from_value(value: i64) -> Option<Self> {
                match value {
                    $($value => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The row with this text, to the letter, if the source has one.
            #[must_use]
            pub const fn from_code(code: &str) -> Option<Self> {
                $from_code(code)
            }

            /// The row's value, as sent and received.
            #[must_use]
            pub const fn value(self) -> $repr {
                self as $repr
            }
        }

        code_table! { @rows $table, $row { $($variant $(($text))? $(, $cell)*;)+ } }

        impl $crate::IntCode for $table {
            const ROWS: &'static [Self] = &Self::ROWS;

            fn from_value(value: i64) -> Option<Self> {
                Self::from_value(value)
            }

            fn value(self) -> i64 {
                i64::from(self as $repr)
            }
        }

        impl TryFrom<i64> for $table {
            type Error = $crate::NotInTable;

            fn try_from(value: i64) -> Result<Self, Self::Error> {
                Self::from_value(value).ok_or($crate::NotInTable::number(stringify!($table), value))
            }
        }

        impl From<$table> for i64 {
            fn from(row: $table) -> Self {
                Self::from(row as $repr)
            }
        }
    };
    (@rows $table:ident, $row:ty { $($variant:ident $(($text:literal))? $(, $cell:expr)*;)+ }) => {
        impl $table {
            /// The row's text.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => code_table!(@text $variant $($text)?),)+
                }
            }

            #[allow(dead_code, reason = "a table may have no cells but its value and text")]
            const fn row(self) -> $row {
                match self {
                    $(Self::$variant => ($($cell,)*),)+
                }
            }
        }

        impl $crate::TextCode for $table {
            const ROWS: &'static [Self] = &Self::ROWS;

            fn from_code(code: &str) -> Option<Self> {
                Self::from_code(code)
            }

            fn code(self) -> &'static str {
                self.code()
            }
        }

        impl core::fmt::Display for $table {
            /// The row's text.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.code())
            }
        }

        impl core::str::FromStr for $table {
            type Err = $crate::NotInTable;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                Self::from_code(code).ok_or_else(|| $crate::NotInTable::text::<Self>(stringify!($table), code))
            }
        }

        impl<R> From<$table> for $crate::Open<$table, R> {
            fn from(row: $table) -> Self {
                Self::Known(row)
            }
        }
    };
    (@text $variant:ident) => { stringify!($variant) };
    (@text $variant:ident $text:literal) => { $text };
}

pub(crate) use code_table;

/// `a == b`, at compile time too.
#[expect(clippy::indexing_slicing, reason = "below both lengths")]
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
