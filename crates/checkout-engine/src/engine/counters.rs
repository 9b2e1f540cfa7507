//! The counters of a process.

use crate::measures::{self, Counter, Histogram, Latest};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $metric:ident,)+) => {
        /// The counters of a process since its start.
        ///
        /// With the feature `metrics` the same is given to the recorder that the program has installed, such
        /// as an exporter's. Here is a recorder that hears of requests alone:
        ///
        /// ```
        /// # checkout_doctest::facade!(engine);
        /// # #[cfg(feature = "metrics")] {
        /// # use checkout_kit::Environment;
        /// # use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
        /// # use checkout_kit::Cents;
        /// use checkout_kit::engine::{Engine, Memory};
        /// # use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};
        /// use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
        /// use std::sync::Arc;
        /// use std::sync::atomic::{AtomicU64, Ordering};
        ///
        /// struct Requests(Arc<AtomicU64>);
        ///
        /// impl Recorder for Requests {
        ///     fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        ///     fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        ///     fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        ///
        ///     fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        ///         match key.name() {
        ///             "checkout_engine_requests_total" => Counter::from_arc(Arc::clone(&self.0)),
        ///             _ => Counter::noop(),
        ///         }
        ///     }
        ///
        ///     fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        ///         Gauge::noop()
        ///     }
        ///
        ///     fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        ///         Histogram::noop()
        ///     }
        /// }
        ///
        /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
        /// # let sandbox = Sandbox::new(1);
        /// # let transport = sandbox.clone();
        /// # let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into())?);
        /// # let client = client.environment(Environment::Sandbox).build()?;
        /// # let store = { let clock = sandbox.clock().clone(); Memory::with_clock(move || clock.now()) };
        /// let requests = Arc::new(AtomicU64::new(0));
        /// metrics::set_global_recorder(Requests(Arc::clone(&requests)))?; // before the engine is built
        /// let engine = Engine::builder(store, transport).provider(client).build()?;
        /// # let draft = Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id("order_1").check()?;
        /// engine.create("order_1", draft).await?;
        /// assert_eq!(requests.load(Ordering::Relaxed), 1);
        /// assert_eq!(engine.counters().requests(), 1);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// # })?;
        /// # }
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
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
    /// The checkouts that this process held because claims of their work or their news had not ended.
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
    /// The panics of the program's own code that were caught: of the shop's function, the transport,
    /// `on_error`.
    panics: PANICS,
}
