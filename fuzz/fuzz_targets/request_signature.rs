//! A request of any parts, and any text as its signature. The parts stand apart by tabs: method, path, query,
//! timestamp, nonce, signature, body.
#![no_main]

use checkout_auth::allscale::{RequestToSign, SigningKey, VerifyError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(7, '\t');
    let mut part = || parts.next().unwrap_or_default();
    let request = RequestToSign {
        method: part(),
        path: part(),
        query: part(),
        timestamp: part().parse().unwrap_or_default(),
        nonce: part(),
        body: b"",
    };
    let claimed = part();
    let request = RequestToSign { body: part().as_bytes(), ..request };
    let key = |secret: &str| SigningKey::new("test_key", secret.into()).expect("a key");
    let (ours, other) = (key("test_secret_abc"), key("test_secret_abd"));

    let signature = ours.sign(&request);
    let verified = ours.verify(&request, claimed);
    match &signature {
        Ok(signature) => {
            assert_eq!(ours.verify(&request, signature.as_str()), Ok(()));
            assert_eq!(other.verify(&request, signature.as_str()), Err(VerifyError::Mismatch));
            assert_eq!(verified.is_ok(), claimed == signature.as_str(), "another text passes");
            for other in [format!("{claimed}{signature}"), format!("{signature}{claimed}")] {
                assert_eq!(ours.verify(&request, &other).is_ok(), claimed.is_empty(), "another text passes");
            }
            assert_lines(&request);
        }
        Err(error) => {
            assert_eq!(request.canonical(), Err(*error));
            assert!(verified.is_err());
        }
    }
});

/// The signed text can be cut into the parts again, so no two requests share the text.
fn assert_lines(request: &RequestToSign<'_>) {
    let canonical = request.canonical().expect("what is signed can be shown");
    let lines: Vec<&str> = canonical.split('\n').collect();
    let [method, path, query, timestamp, nonce, hash] = lines[..] else { panic!("{canonical}") };
    assert_eq!(method, request.method.to_ascii_uppercase());
    assert_eq!((path, query, nonce), (request.path, request.query, request.nonce));
    assert_eq!(timestamp, request.timestamp.to_string());
    assert!(hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
}
