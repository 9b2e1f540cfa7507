//! The text of a cassette; and an exchange to be recorded. The request has the path and the query of the
//! first line, the content type of the second, the header of the third and from there on the body, and so has
//! the answer. Bytes that no text has stand for secrets, so that the input chooses the places.
#![no_main]

use std::error::Error;

use checkout_fuzz::{SECRETS, with_secrets};
use checkout_testkit::record::{Cassette, Recording, ReplayError, Replaying};
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, Request, Response, TransportError, from_fn_blocking, http};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(Ok(cassette)) = std::str::from_utf8(input).map(Cassette::from_json) {
        assert!(Cassette::from_json(&cassette.to_json()).as_ref() == Ok(&cassette), "another cassette");
        let get = http::Request::get("https://provider.example/").body(Bytes::new()).expect("a request");
        let (replaying, all) = (Replaying::in_any_order(cassette.clone()), cassette.len());
        let _ = replaying.send_blocking(get);
        assert!(replaying.remaining() + 1 >= all);
    }
    let input = with_secrets(input);
    if let Some((request, answer)) = exchange(&input) {
        assert_law(&request, &answer, &[], &SECRETS);
        // No cassette has a card.
        assert_law(&request, &answer, &["extra", "message", "signature"], &SECRETS[..2]);
    }
});

fn exchange(input: &[u8]) -> Option<(Request, Response)> {
    let mut parts = input.splitn(4, |byte| *byte == b'\n');
    let (target, content_type, header) = (parts.next()?, parts.next()?, parts.next()?);
    let body = Bytes::copy_from_slice(parts.next()?);
    let colon = header.iter().position(|byte| *byte == b':')?;
    let headers = [(&b"content-type"[..], content_type), (&header[..colon], &header[colon + 1..])];
    let uri = [b"https://provider.example/", target].concat();
    let request = http::Request::builder().method("POST").uri(uri.as_slice());
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let answer = http::Response::builder();
    let answer = headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
    Some((request.body(body.clone()).ok()?, answer.body(body).ok()?))
}

fn assert_law(request: &Request, answer: &Response, keep: &[&str], secrets: &[&str]) {
    let clean = |text: String| secrets.iter().all(|secret| !text.contains(secret));
    let fails = request.uri().path().ends_with("/fail");
    let provider = from_fn_blocking(|request: Request| match fails {
        true => Err(TransportError::unknown(String::from_utf8_lossy(request.body()).into_owned())),
        false => Ok(answer.clone()),
    });
    let recording = keep.iter().fold(Recording::new(provider), |recording, name| recording.keep(name));
    let passed = recording.send_blocking(request.clone());
    assert!(
        passed.is_ok_and(|passed| passed.body() == answer.body()) != fails,
        "the answer is passed on unchanged"
    );
    let text = recording.cassette().to_json();
    assert!(clean(text.clone()), "a secret is kept");
    let cassette = Cassette::from_json(&text).expect("what is written can be read");
    assert!(cassette == recording.cassette(), "another cassette");

    let replaying = Replaying::new(cassette);
    let other = http::Request::post(request.uri()).body(Bytes::new()).expect("a request");
    if !request.body().is_empty() {
        let error = replaying.send_blocking(other).expect_err("it is another request");
        let error = error.source().and_then(|source| source.downcast_ref::<ReplayError>());
        assert!(error.is_some_and(|error| clean(format!("{error} {error:?}"))), "a secret is shown");
    }
    match replaying.send_blocking(request.clone()) {
        Ok(again) => assert!(!fails && again.status() == answer.status()),
        Err(error) => assert!(fails && error.source().is_some_and(|source| !source.is::<ReplayError>())),
    }
    assert_eq!(replaying.remaining(), 0);
}
