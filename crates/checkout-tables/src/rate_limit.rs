//! How often a route may be called.

/// How often a route may be called: at most so many requests in so many seconds, counted together over a
/// scope.
///
/// It is a fact of the route. Keeping to it is up to who calls.
///
/// ```
/// use checkout_tables::RateScope;
/// use checkout_tables::peach::Route;
///
/// let limit = Route::Status.rate_limit().unwrap();
/// assert_eq!((limit.requests, limit.per_seconds), (2, 60));
/// assert_eq!(limit.scope, RateScope::Merchant);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit {
    /// The most requests.
    pub requests: u32,
    /// In how many seconds.
    pub per_seconds: u32,
    /// What is counted together.
    pub scope: RateScope,
}

/// What a [`RateLimit`] counts together.
///
/// ```
/// use checkout_tables::RateScope;
///
/// assert_eq!(format!("{:?}", RateScope::Merchant), "Merchant");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateScope {
    /// All of a merchant's checkouts, and every route with the same limit.
    Merchant,
}
