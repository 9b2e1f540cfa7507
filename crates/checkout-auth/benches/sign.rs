//! What a signature costs, beside the floor and beside the obvious way to make one. Read the ratios within
//! one run: the times themselves move with the machine.
#![allow(missing_docs, reason = "criterion's macros make public functions without documentation")]

use std::hint::black_box;

use base64ct::{Base64, Encoding};
use checkout_auth::allscale::{RequestToSign, SigningKey};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SECRET: &str = "test_secret_abc";

fn request(body: &[u8]) -> RequestToSign<'_> {
    RequestToSign {
        method: "POST",
        path: "/v1/checkout_intents/",
        query: "",
        timestamp: 1_716_501_000,
        nonce: "b4d9a2a1-9c2b-4df4-8b8e-2a13a45fd321",
        body,
    }
}

/// A string per line, a fresh key and a fresh text for every signature.
fn by_strings(request: &RequestToSign<'_>) -> Option<String> {
    let hash: String = Sha256::digest(request.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{}\n{hash}",
        request.method.to_uppercase(),
        request.path,
        request.query,
        request.timestamp,
        request.nonce
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).ok()?;
    mac.update(canonical.as_bytes());
    let mut room = [0; 44];
    Some(format!("v1={}", Base64::encode(&mac.finalize().into_bytes(), &mut room).ok()?))
}

fn sign(criterion: &mut Criterion) {
    let Ok(key) = SigningKey::new("test_key", SECRET.into()) else { return };
    let mut group = criterion.benchmark_group("sign");
    for len in [300, 2048] {
        let body = vec![b'x'; len];
        let request = request(&body);
        let Ok(signature) = key.sign(&request) else { return };
        group.bench_function(BenchmarkId::new("hash_of_the_body_alone", len), |bencher| {
            bencher.iter(|| Sha256::digest(black_box(request.body)));
        });
        group.bench_function(BenchmarkId::new("sign", len), |bencher| {
            bencher.iter(|| key.sign(black_box(&request)));
        });
        group.bench_function(BenchmarkId::new("verify", len), |bencher| {
            bencher.iter(|| key.verify(black_box(&request), black_box(signature.as_str())));
        });
        group.bench_function(BenchmarkId::new("sign_by_strings", len), |bencher| {
            bencher.iter(|| by_strings(black_box(&request)));
        });
    }
    group.finish();
}

criterion_group!(benches, sign);
criterion_main!(benches);
