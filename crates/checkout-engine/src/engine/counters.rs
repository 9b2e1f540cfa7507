//! The counters of a process.

use crate::measures::{self, Counter, Histogram, Latest};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $metric:ident,)+) => {
        /// The counters of a process since its start.
        #[derive(Debug)]
        pub struct Counters {
            $(pub(super) $name: Counter,)+
            pub(super) lag: Histogram,
            pub(super) nudge_lag: Histogram,
            pub(super) clock_offset: Latest,
        }

        impl Default for Counters {
            fn default() -> Self {
                Self {
                    $($name: Counter::new(measures::$metric),)+
                    lag: Histogram::new(measures::LAG),
                    nudge_lag: Histogram::new(measures::NUDGE_LAG),
                    clock_offset: Latest::new(measures::CLOCK_OFFSET),
                }
            }
        }

        impl Counters {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> u64 {
                self.$name.sum()
            })+

            /// The counters and the histograms as text in the form of Prometheus, under the prefix
            /// `checkout_engine_`. [`Figures::text`](crate::Figures::text) has the figures of the store.
            #[must_use]
            pub fn text(&self) -> String {
                let mut text = String::new();
                $(self.$name.write(&mut text);)+
                self.lag.write(&mut text);
                self.nudge_lag.write(&mut text);
                self.clock_offset.write(&mut text);
                text
            }
        }
    };
}

counters! {
    /// The work that this process has claimed.
    claims: CLAIMS,
    /// The work that was claimed after another claim ended without a write.
    taken_over: TAKEN_OVER,
    /// The requests that were sent.
    requests: REQUESTS,
    /// The writes that were done.
    writes: WRITES,
    /// The writes that came too late, and changed nothing.
    lost: LOST,
    /// How often this process held a checkout for a person.
    holds: HOLDS,
    /// The work that this process held because its claims had ended without a write.
    quarantined: QUARANTINED,
    /// The answers after which the merchant's whole lane has to wait, as the provider asks.
    limit_waits: LIMIT_WAITS,
    /// The webhooks that queued a read.
    webhooks: WEBHOOKS,
    /// The news that was told.
    told: TOLD,
    /// The news whose telling failed, to be told again.
    not_told: NOT_TOLD,
    /// The errors of the store.
    errors: ERRORS,
}
