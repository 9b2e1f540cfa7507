//! The cost of a signature, beside the floor and beside the obvious way to make a signature. Compare the
//! ratios within one run: the times themselves move with the machine.
#![allow(missing_docs, reason = "criterion's macros make public functions without documentation")]

use std::collections::BTreeMap;
use std::hint::black_box;

use base64ct::{Base64, Encoding};
use checkout_auth::allscale::{RequestToSign, SigningKey};
use checkout_auth::peach::{SIGNATURE, SecretToken};
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

/// Twenty parameters, as many as a status response of a paid card has, in no order.
const PARAMETERS: [(&str, &str); 20] = [
    ("result.code", "000.000.000"),
    ("amount", "1500.00"),
    ("timestamp", "2026-05-14T08:15:30Z"),
    ("checkoutId", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b"),
    ("result.description", "Transaction succeeded"),
    ("currency", "ZAR"),
    ("id", "8ac7a4a291d4d2a00191d6b8f3f35c5d"),
    ("merchantTransactionId", "order-20260514-1"),
    ("paymentType", "DB"),
    ("paymentBrand", "VISA"),
    ("card.bin", "420000"),
    ("card.last4Digits", "0000"),
    ("card.holder", "A Shopper"),
    ("card.expiryMonth", "05"),
    ("card.expiryYear", "2030"),
    ("merchant.name", "A Shop"),
    ("recon.rrn", "012345678901"),
    ("recon.stan", "123456"),
    ("customParameters[cart]", "17"),
    ("customParameters[channel]", "web"),
];

/// A map of the parameters, one text of them, and a fresh key.
fn by_map(parameters: &[(&str, &str)]) -> Option<String> {
    let map: BTreeMap<&str, &str> = parameters.iter().copied().collect();
    let text: String = map.iter().map(|(key, value)| format!("{key}{value}")).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn sign_parameters(criterion: &mut Criterion) {
    let Ok(token) = SecretToken::new(SECRET.into()) else { return };
    let Ok(signature) = token.sign(PARAMETERS) else { return };
    let received: Vec<_> = PARAMETERS.into_iter().chain([(SIGNATURE, signature.as_str())]).collect();
    let mut group = criterion.benchmark_group("sign_parameters");
    group.bench_function("sign", |bencher| bencher.iter(|| token.sign(black_box(PARAMETERS))));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| token.verify(black_box(&received).iter().copied()));
    });
    group.bench_function("sign_by_map", |bencher| bencher.iter(|| by_map(black_box(&PARAMETERS))));
    group.finish();
}

criterion_group!(benches, sign, sign_parameters);
criterion_main!(benches);
