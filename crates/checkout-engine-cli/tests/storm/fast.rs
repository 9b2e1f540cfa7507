//! A store whose database counts the world's time, which is faster than the machine's.

use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    Nudge, Nudged, Overview, Store, StoreError, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use std::time::{Duration, Instant};

/// The store, and how much faster the world's time is.
pub(crate) struct Fast<S>(pub(crate) S, pub(crate) u32);

macro_rules! delegate {
    ($($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl<S: Store> Store for Fast<S> {
            fn later(&self, at: Moment, since: Instant) -> Moment {
                at.saturating_add(since.elapsed().saturating_mul(self.1))
            }

            fn steady(&self, at: Moment, since: Instant) -> Moment {
                // A clock that stands is moved by the test.
                if self.1 == 0 { Moment::from_unix_millis(i64::MAX) } else { self.later(at, since) }
            }

            async fn woken(&self) {
                self.0.woken().await;
            }

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.0.$operation($($argument),*).await
            })+
        }
    };
}

delegate! {
    now() -> Moment;
    lanes(lanes: &[Lane]) -> ();
    insert(new: &New<'_>) -> Inserted;
    claim(ask: &Ask<'_>) -> Claimed;
    write(lease: &Lease, write: &Write) -> Written;
    nudge(nudge: &Nudge<'_>) -> Nudged;
    decide(decision: &Decision<'_>) -> Written;
    claim_news(max: usize, lease: Duration) -> Vec<ClaimedNews>;
    news_told(key: &str, fence: i64, again: Option<Duration>) -> Written;
    checkout(id: &str) -> Option<Checkout>;
    overview(filter: &Filter<'_>) -> Vec<Overview>;
    unmatched(after: i64, most: usize) -> Vec<Unmatched>;
    decisions(id: &str) -> Vec<Decided>;
    figures() -> Figures;
    sweep(max: usize) -> usize;
}
