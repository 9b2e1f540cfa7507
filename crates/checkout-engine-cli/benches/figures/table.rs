//! The table of the figures.

use std::sync::Mutex;
use std::time::Duration;

/// The runs of a figure.
pub(crate) const RUNS: usize = 3;

/// The part whose figures are printed.
static PART: Mutex<&str> = Mutex::new("");

pub(crate) fn head() {
    println!("| part | figure | ours: median (least) | wanted | others, as they publish |");
    println!("|---|---|---|---|---|");
}

pub(crate) fn begin(part: &'static str) {
    *PART.lock().unwrap() = part;
}

pub(crate) fn row(figure: &str, ours: &str, wanted: &str, others: &str) {
    println!("| {} | {figure} | {ours} | {wanted} | {others} |", PART.lock().unwrap());
}

/// The median, and the least.
pub(crate) fn of(values: &[f64], show: impl Fn(f64) -> String) -> String {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    format!("{} ({})", show(values[values.len() / 2]), show(values[0]))
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The ratios of the second rate to the first, and the median of each rate.
pub(crate) fn by_turns(rates: &[[f64; 2]]) -> (Vec<f64>, [String; 2]) {
    let of_each = |which: usize| whole(median(&rates.iter().map(|pair| pair[which]).collect::<Vec<f64>>()));
    (rates.iter().map(|[one, other]| other / one).collect(), [of_each(0), of_each(1)])
}

pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn a_second(value: f64) -> String {
    whole(value) + "/s"
}

pub(crate) fn percent(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

pub(crate) fn millis(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1_000.0)
}

/// The value that so many of a hundred do not exceed.
pub(crate) fn quantile(spans: &[Duration], percent: usize) -> Duration {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    spans.get(((spans.len() * percent).div_ceil(100)).saturating_sub(1)).copied().unwrap_or(Duration::MAX)
}
