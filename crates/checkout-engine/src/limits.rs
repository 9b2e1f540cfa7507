//! Limits outside the store: for limits that several databases share, or that a database is spared.

mod limited;
mod memory;

pub use limited::Limited;
pub use memory::MemoryLimits;

use crate::store::{LIMIT_MARGIN, ReadMade, StoreError};
use checkout_tables::RateLimit;
use core::future::Future;
use core::time::Duration;
use std::sync::Arc;

/// Limits that many processes share, for a [`Limited`] store.
///
/// A limit has **places**. A place is taken before a read and held until the provider can no longer count the
/// read: from [`reserve`](Self::reserve) until the lease's end and [`Limit::held`] at the latest, from
/// [`end`](Self::end) for [`Limit::held`] if there was an answer, and not at all if no request was made. So
/// over any span of the limit, wherever the span begins, the provider counts no more requests than the limit
/// allows. A rate that refills little by little (GCRA, a token bucket) allows more.
///
/// **Every operation is one atomic step**, and the time is the limits' own: no argument is a moment of the
/// caller's.
///
/// **In doubt there is no place.** Limits that have forgotten what was taken grant nothing until nothing that
/// was forgotten can count any more. A read can always wait.
///
/// The suite in `limits_conformance` (a feature) holds limits to this.
pub trait Limits: Send + Sync {
    /// Looks how much room each lane has now, in the order of the lanes. Takes no place. `lease` is the
    /// length of the leases that the places are for.
    ///
    /// # Errors
    /// [`StoreError`]. Nobody knows of any room then.
    fn room(
        &self,
        lanes: &[Limit<'_>],
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<Room>, StoreError>> + Send;

    /// Takes a place of a lane, or says how long to wait. `place` is a number of the claim, which no other
    /// claim of any database ever has: a place that is taken is not granted again.
    ///
    /// # Errors
    /// [`StoreError`]. The place may be taken and counts as such, and nothing may be sent.
    fn reserve(
        &self,
        lane: Limit<'_>,
        place: i64,
        lease: Duration,
    ) -> impl Future<Output = Result<Reserved, StoreError>> + Send;

    /// Ends a place once its read is over, or none is made: maybe before the claim's outcome is written. A
    /// read with an answer holds its place for [`Limit::held`], also where the place is over or forgotten
    /// meanwhile. So does a read without an answer, and no shorter
    /// than the place was taken for: the request may be on its way still.
    ///
    /// # Errors
    /// [`StoreError`]. The place may be held until the lease's end and [`Limit::held`].
    fn end(
        &self,
        lane: Limit<'_>,
        place: i64,
        read: ReadMade,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes a whole lane wait for a span from now, because the provider asks for it: no place is granted,
    /// and the lane has no room. A shorter span never shortens a wait, and the places that are taken stay
    /// taken.
    ///
    /// # Errors
    /// [`StoreError`]. The other databases may not know of the wait.
    fn wait(&self, lane: &str, span: Duration) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A lane under a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<'a> {
    /// The lane's name.
    pub lane: &'a str,
    /// The limit of reads that the provider counts.
    pub rate: RateLimit,
}

impl Limit<'_> {
    /// The time for which a place is held after its read: the span of the limit and [`LIMIT_MARGIN`].
    ///
    /// ```
    /// # checkout_doctest::facade!(engine);
    /// use checkout_kit::engine::Limit;
    /// use checkout_kit::tables::{RateLimit, RateScope};
    /// use std::time::Duration;
    ///
    /// let rate = RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant };
    /// assert_eq!(Limit { lane: "peach/shop", rate }.held(), Duration::from_secs(61));
    /// ```
    #[must_use]
    pub fn held(&self) -> Duration {
        Duration::from_secs(self.rate.per_seconds.into()).saturating_add(LIMIT_MARGIN)
    }
}

/// The room under a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The places that are free.
    pub places: u32,
    /// The time until a place is free at the latest, and the lane's wait is over; zero if there is a place.
    /// [`Duration::MAX`] for a limit of zero.
    pub wait: Duration,
}

/// The answer to [`Limits::reserve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "who waits has no place"]
pub enum Reserved {
    /// The place is taken for the claim.
    Granted,
    /// There is no place: ask again after this span. Earlier may do: a read that is under way can end.
    Wait(Duration),
}

macro_rules! forward {
    ($($pointer:ty),+) => {
        $(impl<L: Limits + ?Sized> Limits for $pointer {
            async fn room(&self, lanes: &[Limit<'_>], lease: Duration) -> Result<Vec<Room>, StoreError> {
                L::room(self, lanes, lease).await
            }
            async fn reserve(
                &self,
                lane: Limit<'_>,
                place: i64,
                lease: Duration,
            ) -> Result<Reserved, StoreError> {
                L::reserve(self, lane, place, lease).await
            }
            async fn end(&self, lane: Limit<'_>, place: i64, read: ReadMade) -> Result<(), StoreError> {
                L::end(self, lane, place, read).await
            }
            async fn wait(&self, lane: &str, span: Duration) -> Result<(), StoreError> {
                L::wait(self, lane, span).await
            }
        })+
    };
}

forward!(&L, Arc<L>);
