//! A store behind a pointer is a store.

use crate::checkout::Checkout;
use crate::store::{
    Ask, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New, Nudge, Nudged,
    Overview, Store, StoreError, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

macro_rules! forward {
    ($($pointer:ty),+) => {
        $(impl<S: Store + ?Sized> Store for $pointer {
            async fn now(&self) -> Result<Moment, StoreError> {
                S::now(self).await
            }
            fn later(&self, at: Moment, since: Instant) -> Moment {
                S::later(self, at, since)
            }
            fn steady(&self, at: Moment, since: Instant) -> Moment {
                S::steady(self, at, since)
            }
            async fn woken(&self) {
                S::woken(self).await;
            }
            async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
                S::lanes(self, lanes).await
            }
            async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
                S::insert(self, new).await
            }
            async fn claim(&self, ask: &Ask<'_>) -> Result<Claimed, StoreError> {
                S::claim(self, ask).await
            }
            async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
                S::write(self, lease, write).await
            }
            async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
                S::nudge(self, nudge).await
            }
            async fn decide(&self, decision: &Decision<'_>) -> Result<Written, StoreError> {
                S::decide(self, decision).await
            }
            async fn claim_news(&self, max: usize, lease: Duration) -> Result<Vec<ClaimedNews>, StoreError> {
                S::claim_news(self, max, lease).await
            }
            async fn news_told(
                &self,
                key: &str,
                fence: i64,
                again: Option<Duration>,
            ) -> Result<Written, StoreError> {
                S::news_told(self, key, fence, again).await
            }
            async fn checkout(&self, id: &str) -> Result<Option<Checkout>, StoreError> {
                S::checkout(self, id).await
            }
            async fn overview(&self, filter: &Filter<'_>) -> Result<Vec<Overview>, StoreError> {
                S::overview(self, filter).await
            }
            async fn list(&self, filter: &Filter<'_>) -> Result<Vec<Checkout>, StoreError> {
                S::list(self, filter).await
            }
            async fn unmatched(&self, after: i64, most: usize) -> Result<Vec<Unmatched>, StoreError> {
                S::unmatched(self, after, most).await
            }
            async fn decisions(&self, id: &str) -> Result<Vec<Decided>, StoreError> {
                S::decisions(self, id).await
            }
            async fn figures(&self) -> Result<Figures, StoreError> {
                S::figures(self).await
            }
            async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
                S::sweep(self, max).await
            }
        })+
    };
}

forward!(&S, Arc<S>);
