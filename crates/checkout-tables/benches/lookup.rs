//! The cost of a lookup. Run with `cargo bench -p checkout-tables`.
#![allow(missing_docs, clippy::indexing_slicing, reason = "a benchmark")]

use checkout_tables::allscale::Currency;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn lookup(c: &mut Criterion) {
    // 1024 rows in an order that neither the branch predictor nor the cache learns at once.
    let rows: Vec<Currency> =
        (0..1024usize).map(|i| Currency::ROWS[i * 7919 % Currency::ROWS.len()]).collect();
    let codes: Vec<&str> = rows.iter().map(|row| row.code()).collect();
    let values: Vec<i64> = rows.iter().map(|row| i64::from(*row)).collect();
    c.bench_function("currency from code, 1024 lookups", |b| {
        b.iter(|| codes.iter().filter_map(|code| Currency::from_code(black_box(code))).count());
    });
    c.bench_function("currency from value, 1024 lookups", |b| {
        b.iter(|| values.iter().filter_map(|value| Currency::from_value(black_box(*value))).count());
    });
}

criterion_group!(benches, lookup);
criterion_main!(benches);
