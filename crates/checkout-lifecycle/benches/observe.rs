//! The cost of an observation. Run with `cargo bench -p checkout-lifecycle`.
#![allow(missing_docs, reason = "a benchmark")]

use checkout_lifecycle::{Moment, Observation, Tracker};
use checkout_tables::allscale::IntentStatus;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn observe(c: &mut Criterion) {
    let statuses = [1i64, 2, 10, 20, 10, -5, 6, 3];
    let integers: Vec<i64> = statuses.into_iter().cycle().step_by(7).take(1024).collect();
    c.bench_function("wire integer to verdict, folds of 8, 1024 observations", |b| {
        b.iter_batched(
            || integers.clone(),
            |integers| {
                let mut adopted = 0u32;
                for fold in integers.chunks(8) {
                    let mut tracker = Tracker::<IntentStatus>::new();
                    for (at, status) in (0i64..).zip(fold) {
                        let now = Moment::from_unix_millis(at);
                        let observation = Observation::read(*black_box(status), now);
                        adopted += u32::from(tracker.observe(observation, now).is_adopted());
                    }
                    black_box(tracker);
                }
                adopted
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, observe);
criterion_main!(benches);
