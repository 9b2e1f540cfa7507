//! The rate limit of a route.

/// The rate limit of a route: a maximum number of requests in a number of seconds, counted together over a
/// scope.
///
/// The limit is a fact of the route. The caller has to keep the limit.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::peach::Route;
/// use checkout_kit::tables::RateScope;
///
/// let limit = Route::Status.rate_limit().unwrap();
/// assert_eq!((limit.requests, limit.per_seconds), (2, 60));
/// assert_eq!(limit.scope, RateScope::Merchant);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit {
    /// The maximum number of requests.
    pub requests: u32,
    /// The window, in seconds.
    pub per_seconds: u32,
    /// The scope of the count.
    pub scope: RateScope,
}

/// The scope over which a [`RateLimit`] counts requests together.
///
/// ```
/// # checkout_doctest::facade!(tables);
/// use checkout_kit::tables::RateScope;
///
/// assert_eq!(format!("{:?}", RateScope::Merchant), "Merchant");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateScope {
    /// All of a merchant's checkouts, and every route with the same limit.
    Merchant,
}
