//! The store's clock, which somebody may set while leases and places count by it.

use crate::store::{LIMIT_MARGIN, Lane, Store};
use checkout_tables::Moment;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a process knows of the store's clock by its claims.
#[derive(Default)]
pub(super) struct Clock(Mutex<Known>);

#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    /// The clock at the last claim, and the instant before that claim.
    last: Option<(Moment, Instant)>,
    /// The clock at the last claim that found it set forward, and the instant after that claim.
    set: Option<(Moment, Instant)>,
}

impl Clock {
    fn state(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> Known {
        *self.state()
    }

    /// Takes in the answer to a claim that was begun under `known`, and says by how much the clock was set
    /// forward since the claim before.
    pub(super) fn claimed(&self, store: &impl Store, known: &Known, seen: (Moment, Instant)) -> Duration {
        let by = known.last.map_or(Duration::ZERO, |(at, since)| {
            let by = seen.0.saturating_since(store.steady(at, since));
            // Two clocks never run quite alike.
            if by > NOTHING.saturating_add(since.elapsed() / 1_000) { by } else { Duration::ZERO }
        });
        let mut state = self.state();
        state.last = Some(seen);
        if !by.is_zero() {
            state.set = Some((seen.0, Instant::now()));
        }
        by
    }
}

impl Known {
    /// How long nothing may be claimed under a limit still.
    pub(super) fn wait(&self, store: &impl Store, span: Duration) -> Duration {
        self.set.map_or(Duration::ZERO, |(at, since)| {
            span.saturating_sub(store.steady(at, since).saturating_since(at))
        })
    }
}

/// The time in which every lease ends, and every request that was sent before counts no more.
pub(super) fn span(lease: Duration, lanes: &[Lane]) -> Duration {
    let limits = lanes.iter().filter_map(|lane| lane.limit);
    let spans =
        limits.map(|limit| Duration::from_secs(limit.per_seconds.into()).saturating_add(LIMIT_MARGIN));
    lease.saturating_add(spans.max().unwrap_or(Duration::ZERO))
}

/// Less is no step: [`LIMIT_MARGIN`] covers twice as much.
const NOTHING: Duration = Duration::from_millis(500);
