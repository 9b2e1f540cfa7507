//! The names of the faults in texts, and the values that some of the faults have.

use std::fmt;
use std::time::Duration;

/// The name that a fault has in texts, such as a rule, a header or a log.
///
/// ```
/// use checkout_sandbox::allscale::Fault;
///
/// let with_value = Fault::NAMES.iter().find(|row| row.name == "tampered_status");
/// assert_eq!(with_value.and_then(|row| row.value), Some("status"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultName {
    /// The name.
    pub name: &'static str,
    /// The name of the fault's value. `None` if the fault has no value.
    pub value: Option<&'static str>,
}

/// The reason why a name and a value are no fault.
///
/// ```
/// use checkout_sandbox::FaultNameError;
/// use checkout_sandbox::allscale::Fault;
///
/// assert_eq!(Fault::by_name("lost", None), Err(FaultNameError::Unknown));
/// let missing = Fault::by_name("tampered_status", None);
/// assert_eq!(missing, Err(FaultNameError::Missing("status")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultNameError {
    /// No fault of the provider has the name.
    Unknown,
    /// The value with this name is missing.
    Missing(&'static str),
    /// The fault has no value.
    NoValue,
    /// The value is not as the value has to be.
    Wrong {
        /// The name of the value.
        value: &'static str,
        /// The form that the value has to have.
        wanted: &'static str,
    },
}

impl fmt::Display for FaultNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no fault has this name"),
            Self::Missing(value) => write!(f, "{value} is missing"),
            Self::NoValue => f.write_str("the fault has no value"),
            Self::Wrong { value, wanted } => write!(f, "{value} has to be {wanted}"),
        }
    }
}

impl std::error::Error for FaultNameError {}

/// A value of a fault, as a text has the value.
pub(crate) trait Value: Sized {
    /// The form of the text.
    const WANTED: &'static str;

    fn of_text(text: &str) -> Option<Self>;

    fn to_text(&self) -> String;
}

impl Value for i64 {
    const WANTED: &'static str = "a whole number";

    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Value for usize {
    const WANTED: &'static str = "a whole number of bytes";

    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

/// A time in milliseconds.
impl Value for Duration {
    const WANTED: &'static str = "a whole number of milliseconds, and at most 31 days";

    fn of_text(text: &str) -> Option<Self> {
        const MOST: Duration = Duration::from_secs(31 * 24 * 3600);
        text.parse().ok().map(Self::from_millis).filter(|time| *time <= MOST)
    }

    fn to_text(&self) -> String {
        self.as_millis().to_string()
    }
}

impl Value for String {
    const WANTED: &'static str = "a text of 1 to 200 characters";

    fn of_text(text: &str) -> Option<Self> {
        (1..=200).contains(&text.chars().count()).then(|| text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

/// The fault that `make` makes of the value with this name.
pub(crate) fn with_value<T: Value, Fault>(
    value: &'static str,
    text: Option<&str>,
    make: impl FnOnce(T) -> Fault,
) -> Result<Fault, FaultNameError> {
    let text = text.ok_or(FaultNameError::Missing(value))?;
    T::of_text(text).map(make).ok_or(FaultNameError::Wrong { value, wanted: T::WANTED })
}

/// Writes the names of a provider's faults, after the provider's module: a row for each variant, as `name =>
/// Variant`, or as `name(value) => Variant` for a variant with a value. A variant without a row does not
/// compile.
macro_rules! fault_names {
    ($provider:literal: $($name:ident $(($value:ident))? => $variant:ident),+ $(,)?) => {
        impl Fault {
            /// The name of every fault, in the order of the variants.
            ///
            /// ```
            #[doc = concat!("# use checkout_sandbox::", $provider, "::Fault;")]
            /// assert_eq!(Fault::NAMES[2].name, "lost_answer");
            /// ```
            pub const NAMES: [$crate::FaultName; [$(stringify!($name)),+].len()] = [$(
                $crate::FaultName {
                    name: stringify!($name),
                    value: $crate::fault_name::fault_names!(@value $($value)?),
                }
            ),+];

            /// The fault with this name, and with this value if the fault has a value. A value of
            /// time is in milliseconds.
            ///
            /// # Errors
            /// [`FaultNameError`](crate::FaultNameError), if the two are no fault.
            ///
            /// ```
            #[doc = concat!("# use checkout_sandbox::", $provider, "::Fault;")]
            /// # use std::time::Duration;
            /// assert_eq!(Fault::by_name("lost_answer", None), Ok(Fault::LostAnswer));
            /// let slow = Fault::Slow(Duration::from_millis(1500));
            /// assert_eq!(Fault::by_name("slow", Some("1500")), Ok(slow));
            /// ```
            pub fn by_name(name: &str, value: Option<&str>) -> Result<Self, $crate::FaultNameError> {
                $(
                    if name == stringify!($name) {
                        return $crate::fault_name::fault_names!(@make value, $variant $(, $value)?);
                    }
                )+
                Err($crate::FaultNameError::Unknown)
            }

            /// The fault's name.
            ///
            /// ```
            #[doc = concat!("# use checkout_sandbox::", $provider, "::Fault;")]
            /// assert_eq!(Fault::HtmlBadGateway.name(), "html_bad_gateway");
            /// ```
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($name),)+
                }
            }

            /// The fault's value as a text, if the fault has a value.
            ///
            /// ```
            #[doc = concat!("# use checkout_sandbox::", $provider, "::Fault;")]
            /// assert_eq!(Fault::HugeBody(7).value().as_deref(), Some("7"));
            /// ```
            #[must_use]
            pub fn value(&self) -> Option<String> {
                match self {
                    $(Self::$variant $(($value))? => {
                        $crate::fault_name::fault_names!(@text $($value)?)
                    })+
                }
            }
        }
    };
    (@value) => { None };
    (@value $value:ident) => { Some(stringify!($value)) };
    (@text) => { None };
    (@text $value:ident) => { Some($crate::fault_name::Value::to_text($value)) };
    (@make $text:ident, $variant:ident) => {
        if $text.is_some() { Err($crate::FaultNameError::NoValue) } else { Ok(Self::$variant) }
    };
    (@make $text:ident, $variant:ident, $value:ident) => {
        $crate::fault_name::with_value(stringify!($value), $text, Self::$variant)
    };
}

pub(crate) use fault_names;
