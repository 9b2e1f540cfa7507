//! The table of the metrics: the one place of their names, kinds and meanings. As text in the form of
//! Prometheus, and by the facade `metrics` with the feature of that name.

use crate::checkout::Provider;
use crate::store::{Figures, StoreError};
use core::fmt::Write as _;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

/// A metric. No label has the id of a checkout, a merchant or an amount.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    kind: Kind,
    label: Label,
    help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    No,
    Provider,
    Error,
}

macro_rules! metrics {
    ($($id:ident: $kind:ident[$label:ident] $name:literal = $help:literal;)+) => {
        $(pub(crate) const $id: &Metric = &Metric {
            name: concat!("checkout_engine_", $name),
            kind: Kind::$kind,
            label: Label::$label,
            help: $help,
        };)+

        #[cfg(feature = "metrics")]
        const ALL: &[&Metric] = &[$($id),+];
    };
}

metrics! {
    CLAIMS: Counter[Provider] "claims_total" = "work that the process claimed";
    TAKEN_OVER: Counter[Provider] "taken_over_total" = "work claimed after a claim that ended without a write";
    REQUESTS: Counter[Provider] "requests_total" = "requests sent";
    WRITES: Counter[Provider] "writes_total" = "writes done";
    LOST: Counter[Provider] "lost_total" = "writes that came too late and changed nothing";
    HOLDS: Counter[Provider] "holds_total" = "times that the engine held a checkout for a person";
    QUARANTINED: Counter[Provider] "quarantined_total" = "checkouts held because claims of their work or news did not end";
    LIMIT_WAITS: Counter[Provider] "limit_waits_total" = "answers after which a merchant has to wait";
    WEBHOOKS: Counter[Provider] "webhooks_total" = "webhooks that queued a read";
    TOLD: Counter[No] "told_total" = "news told";
    NOT_TOLD: Counter[No] "not_told_total" = "tellings of news that failed";
    ERRORS: Counter[Error] "errors_total" = "errors of the store";
    PANICS: Counter[No] "panics_total" = "panics of the shop's function, the transport or on_error";
    LAG: Histogram[Provider] "lag_seconds" = "time from the due of work to its claim, limits included";
    NUDGE_LAG: Histogram[Provider] "nudge_lag_seconds" = "time from the due of nudged work to the first request";
    CLOCK_OFFSET: Gauge[No] "clock_offset_seconds" = "difference of the process's clock from the store's";
    OLDEST_DUE: Gauge[No] "oldest_due_seconds" = "age of the oldest due work, limits included";
    WORK: Gauge[No] "work" = "checkouts with work";
    LEASED: Gauge[No] "leased" = "work under a lease";
    WAITING: Gauge[No] "waiting" = "due work that waits for a merchant's limit";
    LIMIT_USED: Gauge[No] "limit_used" = "places taken under merchants' limits";
    HELD: Gauge[No] "held" = "checkouts that wait for a person";
    NEWS: Gauge[No] "news" = "news that nobody took yet";
    UNMATCHED: Gauge[No] "unmatched" = "events of no checkout";
    DEAD_ROWS: Gauge[No] "dead_rows" = "dead rows of the table of work";
    OLDEST_TRANSACTION: Gauge[No] "oldest_transaction_seconds" = "age of the oldest transaction that keeps dead rows";
}

impl Label {
    const fn name(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Provider => "provider",
            Self::Error => "kind",
        }
    }

    fn values(self) -> Vec<&'static str> {
        match self {
            Self::No => vec![""],
            Self::Provider => Provider::ALL.iter().map(|provider| provider.name()).collect(),
            Self::Error => ERROR_KINDS.to_vec(),
        }
    }

    /// The place of the value among the label's values.
    fn place(self, value: &str) -> Option<usize> {
        match self {
            Self::No => Some(0),
            Self::Provider => Provider::ALL.iter().position(|provider| provider.name() == value),
            Self::Error => ERROR_KINDS.iter().position(|kind| *kind == value),
        }
    }

    /// The label of a series with further labels, in the form of Prometheus.
    fn of(self, value: &str, more: &str) -> String {
        let own = if self == Self::No { String::new() } else { format!("{}=\"{value}\"", self.name()) };
        match (own.is_empty(), more.is_empty()) {
            (true, true) => String::new(),
            (false, false) => format!("{{{own},{more}}}"),
            (true, false) | (false, true) => format!("{{{own}{more}}}"),
        }
    }
}

const ERROR_KINDS: &[&str] =
    &["unavailable", "newer_schema", "older_schema", "rights", "read_only", "corrupt", "settings"];

/// The value of the label `kind` for an error of a store.
pub(crate) const fn error_kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::NewerSchema { .. } => "newer_schema",
        StoreError::OlderSchema { .. } => "older_schema",
        StoreError::Rights(_) => "rights",
        StoreError::ReadOnly(_) => "read_only",
        StoreError::Corrupt { .. } => "corrupt",
        StoreError::Settings(_) => "settings",
    }
}

impl Metric {
    fn head(&self, text: &mut String) {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let (name, help) = (self.name, self.help);
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn gauge(&self, text: &mut String, value: &str) {
        self.head(text);
        let _ = writeln!(text, "{} {value}", self.name);
    }
}

/// Tells the metrics' meanings to the recorder that the program has installed.
pub(crate) fn describe() {
    facade::describe();
}

/// A counter, with a series for each value of its label.
#[derive(Debug)]
pub(crate) struct Counter {
    metric: &'static Metric,
    series: Vec<AtomicU64>,
}

impl Counter {
    pub(crate) fn new(metric: &'static Metric) -> Self {
        Self { metric, series: metric.label.values().iter().map(|_| AtomicU64::new(0)).collect() }
    }

    /// Counts one, under the value of the metric's label.
    pub(crate) fn count(&self, value: &'static str) {
        add(&self.series, self.metric.label.place(value));
        facade::count(self.metric, value);
    }

    pub(crate) fn sum(&self) -> u64 {
        self.series.iter().map(|one| one.load(Ordering::Relaxed)).fold(0, u64::saturating_add)
    }

    pub(crate) fn write(&self, text: &mut String) {
        self.metric.head(text);
        for (value, count) in self.metric.label.values().into_iter().zip(&self.series) {
            let (name, labels) = (self.metric.name, self.metric.label.of(value, ""));
            let _ = writeln!(text, "{name}{labels} {}", count.load(Ordering::Relaxed));
        }
    }
}

/// A histogram of times, with a series for each value of its label.
#[derive(Debug)]
pub(crate) struct Histogram {
    metric: &'static Metric,
    series: Vec<Times>,
}

#[derive(Debug, Default)]
struct Times {
    /// The times up to each bound and above the bound before, and then the rest.
    upto: [AtomicU64; BOUNDS.len() + 1],
    sum_millis: AtomicU64,
}

/// The upper bounds of the text's buckets, in milliseconds.
const BOUNDS: [u64; 13] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000, 600_000];

impl Histogram {
    pub(crate) fn new(metric: &'static Metric) -> Self {
        Self { metric, series: metric.label.values().iter().map(|_| Times::default()).collect() }
    }

    pub(crate) fn record(&self, value: &'static str, time: Duration) {
        let millis = millis(time);
        if let Some(times) = self.metric.label.place(value).and_then(|place| self.series.get(place)) {
            add(&times.upto, Some(BOUNDS.iter().take_while(|bound| millis > **bound).count()));
            times.sum_millis.fetch_add(millis, Ordering::Relaxed);
        }
        facade::record(self.metric, value, time);
    }

    pub(crate) fn write(&self, text: &mut String) {
        self.metric.head(text);
        for (value, times) in self.metric.label.values().into_iter().zip(&self.series) {
            let (name, label) = (self.metric.name, self.metric.label);
            let bounds = BOUNDS.iter().map(|bound| seconds(*bound)).chain(["+Inf".to_owned()]);
            let mut all = 0_u64;
            for (bound, count) in bounds.zip(&times.upto) {
                all = all.saturating_add(count.load(Ordering::Relaxed));
                let labels = label.of(value, &format!("le=\"{bound}\""));
                let _ = writeln!(text, "{name}_bucket{labels} {all}");
            }
            let (labels, sum) = (label.of(value, ""), times.sum_millis.load(Ordering::Relaxed));
            let _ = writeln!(text, "{name}_sum{labels} {}\n{name}_count{labels} {all}", seconds(sum));
        }
    }
}

/// The newest of the times.
#[derive(Debug)]
pub(crate) struct Latest(&'static Metric, AtomicU64);

impl Latest {
    pub(crate) const fn new(metric: &'static Metric) -> Self {
        Self(metric, AtomicU64::new(0))
    }

    pub(crate) fn set(&self, time: Duration) {
        self.1.store(millis(time), Ordering::Relaxed);
        facade::set_time(self.0, time);
    }

    pub(crate) fn write(&self, text: &mut String) {
        self.0.gauge(text, &seconds(self.1.load(Ordering::Relaxed)));
    }
}

fn add(series: &[AtomicU64], place: Option<usize>) {
    if let Some(one) = place.and_then(|place| series.get(place)) {
        one.fetch_add(1, Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(millis: u64) -> String {
    let (whole, rest) = (millis / 1_000, millis % 1_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() }
}

impl Figures {
    fn counts(&self) -> impl Iterator<Item = (&'static Metric, u64)> {
        let counts = [
            (WORK, Some(self.work)),
            (LEASED, Some(self.leased)),
            (WAITING, self.waiting),
            (LIMIT_USED, self.limit_used),
            (HELD, Some(self.held)),
            (NEWS, Some(self.news)),
            (UNMATCHED, Some(self.unmatched)),
            (DEAD_ROWS, self.dead_rows),
        ];
        counts.into_iter().filter_map(|(metric, count)| Some((metric, count?)))
    }

    fn times(&self) -> impl Iterator<Item = (&'static Metric, Duration)> {
        let times = [(OLDEST_DUE, Some(self.oldest_due)), (OLDEST_TRANSACTION, self.oldest_transaction)];
        times.into_iter().filter_map(|(metric, time)| Some((metric, time?)))
    }

    /// The figures as text in the form of Prometheus, under the prefix `checkout_engine_`. A figure that the
    /// store does not know is left out.
    ///
    /// ```
    /// # checkout_doctest::facade!(engine);
    /// use checkout_kit::engine::Figures;
    ///
    /// let figures = Figures { held: 2, ..Figures::default() };
    /// assert!(figures.text().contains("\ncheckout_engine_held 2\n"));
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (metric, time) in self.times() {
            metric.gauge(&mut text, &seconds(millis(time)));
        }
        for (metric, count) in self.counts() {
            metric.gauge(&mut text, &count.to_string());
        }
        text
    }

    /// Gives the figures to the recorder that the program has installed.
    pub(crate) fn show(&self) {
        for (metric, time) in self.times() {
            facade::set_time(metric, time);
        }
        for (metric, count) in self.counts() {
            facade::set(metric, count);
        }
    }
}

#[cfg(feature = "metrics")]
mod facade {
    use super::{ALL, Kind, Label, Metric};
    use crate::caught::caught_call;
    use core::time::Duration;
    use metrics::Unit;

    pub(super) fn describe() {
        for metric in ALL {
            let unit = if metric.name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count };
            match metric.kind {
                Kind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
                Kind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
                Kind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
            }
        }
    }

    /// The recorder is the program's own: its panic costs a number.
    fn recorded(record: impl FnOnce()) {
        let _ = caught_call(record);
    }

    pub(super) fn count(metric: &Metric, value: &'static str) {
        recorded(|| match metric.label {
            Label::No => metrics::counter!(metric.name).increment(1),
            label @ (Label::Provider | Label::Error) => {
                metrics::counter!(metric.name, label.name() => value).increment(1)
            }
        });
    }

    pub(super) fn record(metric: &Metric, value: &'static str, time: Duration) {
        recorded(|| match metric.label {
            Label::No => metrics::histogram!(metric.name).record(time),
            label @ (Label::Provider | Label::Error) => {
                metrics::histogram!(metric.name, label.name() => value).record(time)
            }
        });
    }

    pub(super) fn set(metric: &Metric, count: u64) {
        recorded(|| metrics::gauge!(metric.name).set(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    pub(super) fn set_time(metric: &Metric, time: Duration) {
        recorded(|| metrics::gauge!(metric.name).set(time));
    }
}

#[cfg(not(feature = "metrics"))]
mod facade {
    use super::Metric;
    use core::time::Duration;

    pub(super) const fn describe() {}

    pub(super) const fn count(_: &Metric, _: &'static str) {}

    pub(super) const fn record(_: &Metric, _: &'static str, _: Duration) {}

    pub(super) const fn set(_: &Metric, _: u64) {}

    pub(super) const fn set_time(_: &Metric, _: Duration) {}
}
