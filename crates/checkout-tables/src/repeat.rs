//! The repeatability of requests.

use core::fmt;

/// The repeatability of a request after an attempt with an unknown outcome.
///
/// The repeatability is a fact of the route. The right reaction also depends on how far the attempt got.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::allscale::Route;
/// use checkout_kit::tables::Repeat;
///
/// let blind = |route: Route| matches!(route.repeat(), Repeat::Safe | Repeat::Keyed);
/// assert!(blind(Route::Get));
/// assert!(!blind(Route::Create));
/// assert_eq!(Route::Create.repeat().to_string(), "unsafe");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "strum",
    derive(strum::EnumCount, strum::EnumIter, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Repeat {
    /// The request changes nothing: repeat it at will.
    Safe,
    /// The request carries a key under which the provider processes it once, however often it is sent.
    Keyed,
    /// The provider may process a repeated request twice.
    Unsafe,
}

impl fmt::Display for Repeat {
    /// `safe`, `keyed` or `unsafe`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Safe => "safe",
            Self::Keyed => "keyed",
            Self::Unsafe => "unsafe",
        })
    }
}
