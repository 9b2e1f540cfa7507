//! The use of a limit.

use checkout_tables::Moment;

/// The use that a merchant makes of a limit, by the sandbox's own count.
///
/// ```
/// use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
///
/// let sandbox = Sandbox::new(7);
/// let limit = sandbox.limit_use(ENTITY_ID).ok_or("no limit")?;
/// assert_eq!((limit.most, limit.used, limit.room()), (2, 0, 2));
/// assert_eq!(limit.room_at, sandbox.clock().now());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitUse {
    /// The most requests in a minute.
    pub most: u32,
    /// The requests of the minute that count now.
    pub used: u32,
    /// The moment at which the next request has room: now if there is room.
    pub room_at: Moment,
}

impl LimitUse {
    pub(crate) fn new(most: u32, used: u32, room_at: Moment) -> Self {
        Self { most, used, room_at }
    }

    /// The number of requests that have room now.
    ///
    /// ```
    /// # use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
    /// assert_eq!(Sandbox::new(7).limit_use(ENTITY_ID).map(|limit| limit.room()), Some(2));
    /// ```
    #[must_use]
    pub fn room(&self) -> u32 {
        self.most.saturating_sub(self.used)
    }
}
