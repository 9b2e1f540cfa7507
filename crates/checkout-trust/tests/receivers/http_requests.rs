//! Requests of the `http` crate are taken in as their slices are.

use crate::allscale::{NOW, Parts, receiver as allscale_receiver};
use crate::peach::{FORM, JSON, PAIRS, URL, by_headers, form, json, receiver_of_messages, signed};
use crate::second;
use checkout_auth::peach::header::WebhookRequest;
use checkout_trust::Verified;
use checkout_trust::peach::Message;
use checkout_trust::replay::Identity;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::fmt::Display;

/// The key of an event, or the reason of the refusal.
fn said<T, E: Display>(received: Result<Verified<T>, E>) -> Result<Identity, String> {
    received.map(|event| event.identity().clone()).map_err(|error| error.to_string())
}

/// The same of a message, with a probe by its code.
fn told<E: Display>(received: Result<Message, E>) -> Result<Result<Identity, String>, String> {
    match received {
        Ok(Message::Event(event)) => Ok(Ok(event.identity().clone())),
        Ok(Message::Probe(probe)) => Ok(Err(probe.code().to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn an_http_request_of_allscale_has_the_same_result_as_its_slices() {
    let (receiver, genuine, now) = (allscale_receiver(), Parts::genuine(), second(NOW));
    let mut bodiless = genuine.clone();
    bodiless.body = Vec::new();
    let mut messages = vec![genuine.clone(), bodiless];
    for at in 0..5 {
        let value = genuine.headers[at].1.clone();
        for second in [value.as_slice(), b"other", b"", b"\xff", b"\xc3\xa9"] {
            // A header that stands twice, side by side and far apart, and bytes that are no text.
            for place in [0, at, 5] {
                let mut doubled = genuine.clone();
                doubled.headers.insert(place, (genuine.headers[at].0.to_uppercase(), second.to_vec()));
                messages.push(doubled);
            }
            messages.push(genuine.with(at, second));
            messages.push(genuine.with(at, &[&value, second].concat()));
            messages.push(genuine.with(at, &[&value, second].join(&b", "[..])));
        }
        let mut dropped = genuine.clone();
        dropped.headers.remove(at);
        messages.push(dropped);
    }
    let mut taken_in = 0;
    for parts in &messages {
        let request = parts.http().unwrap();
        let by_slices = said(receiver.receive(&parts.request(), now));
        assert_eq!(said(receiver.receive_http(&request, now)), by_slices);
        taken_in += u32::from(by_slices.is_ok());
    }
    // The genuine request and its copies, and the requests whose signature is the first in the list of one
    // header.
    assert_eq!((messages.len(), taken_in), (157, 13));
}

#[test]
fn method_path_and_query_come_from_the_request() {
    let receiver = allscale_receiver();
    let check = |method: &str, uri: &str| {
        let mut request = Parts::genuine().http().unwrap();
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = uri.parse().unwrap();
        receiver.receive_http(&request, second(NOW)).is_ok()
    };
    let genuine = "/hooks/allscale?token=PRIVATE&b=%20";
    assert!(check("POST", genuine));
    // The whole URL, as HTTP/2 has it: scheme and host are not signed.
    assert!(check("POST", &format!("https://shop.example{genuine}")));
    assert!(!check("PUT", genuine));
    for other in
        ["/hooks/allscale", "/allscale?token=PRIVATE&b=%20", "/hooks/allscale?token=PRIVATE&b=+", "*"]
    {
        assert!(!check("POST", other), "{other}");
    }
}

/// A request of the `http` crate with these media types.
fn request<'b>(media_types: &[&[u8]], body: &'b str) -> http::Request<&'b str> {
    let mut request = http::Request::post("/hooks/peach").body(body).unwrap();
    for media_type in media_types {
        request.headers_mut().append(CONTENT_TYPE, HeaderValue::from_bytes(media_type).unwrap());
    }
    request
}

#[test]
fn an_http_request_of_peach_has_the_same_result_as_its_slices() {
    let (receiver, now) = (receiver_of_messages(), second(crate::peach::NOW));
    let (form, json) = (form(&signed(&PAIRS)), json(&signed(&PAIRS)));
    let probe = r#"{"verificationCode":"48291"}"#;
    let (as_form, as_json) = (FORM.unwrap().as_bytes(), JSON.unwrap().as_bytes());
    let cases: [(&[&[u8]], Option<&str>); 7] = [
        (&[], None),
        (&[as_form], FORM),
        (&[as_json], JSON),
        (&[b""], Some("")),
        // A media type that stands twice, or is no text, is no media type.
        (&[as_json, as_json], None),
        (&[as_form, as_json], None),
        (&[b"application/json\xff"], None),
    ];
    let mut taken_in = 0;
    for (media_types, media_type) in cases {
        for body in [&*form, &json, probe, "", "{}", "a=b"] {
            let bytes = body.as_bytes();
            let request = request(media_types, body);
            let by_slices = told(receiver.webhook(media_type, bytes, now));
            assert_eq!(told(receiver.webhook_http(&request, now)), by_slices, "{media_type:?} {body}");
            taken_in += u32::from(by_slices.is_ok());
            let by_slices = said(receiver.shopper_return(bytes, now));
            assert_eq!(said(receiver.shopper_return_http(&request, now)), by_slices);
        }
    }
    // The form except where it is called JSON; the JSON and the probe always.
    assert_eq!(taken_in, 6 + 7 + 7);
}

#[test]
fn the_signed_headers_of_peach_have_the_same_result_as_their_slices() {
    let (receiver, now) = (receiver_of_messages(), second(crate::peach::NOW));
    let body = form(&signed(&PAIRS));
    let (_, genuine) = by_headers(crate::peach::NOW, "7d1c", &body);
    let mut all = vec![genuine.clone(), Vec::new()];
    for at in 0..3 {
        let value = genuine[at].1.clone();
        for second in [value.as_slice(), b"other", b"", b"\xff"] {
            let mut doubled = genuine.clone();
            doubled.push((genuine[at].0.to_uppercase(), second.to_vec()));
            let mut changed = genuine.clone();
            changed[at].1 = [&value, second].concat();
            all.extend([doubled, changed]);
        }
    }
    for headers in all {
        for (url, body) in [(URL, &*body), (URL, ""), ("https://other.example/hooks", &body)] {
            let mut request = request(&[FORM.unwrap().as_bytes()], body);
            for (name, value) in &headers {
                let name: http::HeaderName = name.parse().unwrap();
                request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
            }
            let slices = WebhookRequest { url, headers: &headers, body: body.as_bytes() };
            let by_slices = told(receiver.signed_headers(FORM, &slices, now));
            assert_eq!(told(receiver.signed_headers_http(url, &request, now)), by_slices);
            let unchanged = headers.iter().all(|header| genuine.contains(header)) && headers.len() == 3;
            assert_eq!(by_slices.is_ok(), unchanged && url == URL && !body.is_empty());
        }
    }
}
