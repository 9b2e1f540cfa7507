//! Whether a request may be sent again.

/// Whether a request may be sent again when nobody knows how the last attempt ended.
///
/// It is a fact of the route. What to do about it also depends on how far the attempt got.
///
/// ```
/// use checkout_tables::Repeat;
/// use checkout_tables::allscale::Route;
///
/// let blind = |route: Route| matches!(route.repeat(), Repeat::Safe | Repeat::Keyed);
/// assert!(blind(Route::Get));
/// assert!(!blind(Route::Create));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// It changes nothing: repeat it at will.
    Safe,
    /// It carries a key under which the provider does it once, however often it is sent.
    Keyed,
    /// Sent twice, it may be done twice.
    Unsafe,
}
