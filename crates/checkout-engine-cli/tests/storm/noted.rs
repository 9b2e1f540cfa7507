//! A store that notes what a process is about to make at a provider, and how long the database takes: the
//! notes outlive the process.

use super::super::log::Making;
use super::super::weather::Weather;
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    Next, Nudge, Nudged, Overview, Store, StoreError, Unmatched, Write, Written,
};
use checkout_tables::Moment;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The store of a process of the storm.
pub(crate) struct Noted<S> {
    inner: S,
    weather: Weather,
    /// The references of the orders whose creates are under way here, by the shop's id.
    making: Mutex<BTreeMap<String, String>>,
    /// The times of writes that are not in the notes yet.
    took: Mutex<Vec<u64>>,
}

/// So many times are one note.
const A_NOTE: usize = 16;

impl<S> Noted<S> {
    pub(crate) fn new(inner: S, weather: &Weather) -> Self {
        Self { inner, weather: weather.clone(), making: Mutex::default(), took: Mutex::default() }
    }

    fn note(&self, making: Making, reference: &str) {
        self.weather.log.making(making, self.weather.now(), reference);
    }

    /// Notes that the process makes the order's checkout, before anything says so in the store.
    fn begins(&self, id: &str, reference: &str) {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if making.insert(id.to_owned(), reference.to_owned()).is_none() {
            self.note(Making::Begins, reference);
        }
    }

    /// Notes the end of the work on an order, if the process was about to make its checkout.
    fn ends(&self, id: &str, has_fault: bool) {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(reference) = making {
            if has_fault {
                self.note(Making::Fault, &reference);
            }
            self.note(Making::Ends, &reference);
        }
    }

    fn took(&self, since: Instant) {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        took.push(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
        if took.len() >= A_NOTE {
            self.weather.log.took(&std::mem::take(&mut *took));
        }
    }
}

macro_rules! delegate {
    ($($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl<S: Store> Store for Noted<S> {
            fn later(&self, at: Moment, since: Instant) -> Moment {
                self.inner.later(at, since)
            }

            /// Every second process listens, and the others find by asking what is due. A storm with limits
            /// in Redis loses all hints.
            async fn woken(&self) {
                if self.weather.slot.is_multiple_of(2) && self.weather.redis.is_none() {
                    self.inner.woken().await;
                    self.weather.log.heard();
                } else {
                    std::future::pending().await
                }
            }

            async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
                self.begins(&new.checkout.id, &new.checkout.reference);
                let inserted = self.inner.insert(new).await;
                if !matches!(inserted, Ok(Inserted::Fresh(..))) {
                    self.ends(&new.checkout.id, inserted.is_err());
                }
                inserted
            }

            async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
                let keeps = write.next == Next::Keep;
                if keeps && let Some(checkout) = &write.checkout {
                    self.begins(&lease.id, &checkout.reference);
                }
                let since = Instant::now();
                let written = self.inner.write(lease, write).await;
                self.took(since);
                // A write that has failed is made again, as long as the lease lasts.
                if written.as_ref().is_ok_and(|written| !keeps || *written == Written::Lost) {
                    self.ends(&lease.id, false);
                }
                written
            }

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.inner.$operation($($argument),*).await
            })+
        }
    };
}

delegate! {
    now() -> Moment;
    lanes(lanes: &[Lane]) -> ();
    claim(ask: &Ask<'_>) -> Claimed;
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
