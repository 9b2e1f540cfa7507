//! No planted text is in the text that an adapter prints, or in the reason why a request could not be sent:
//! neither the settings of the HTTP client below the adapter, nor anything of the request.
//!
//! The facade's tests ask that every type that can hold a secret is made and written somewhere. The types of
//! the adapters are written here, where all adapters are built anyhow.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use checkout_reqwest::{Blocking, Reqwest, reqwest};
use checkout_testkit::loopback::ClosedPort;
use checkout_tower::http_body_util::Full;
use checkout_tower::{Local, Tower};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, HeaderMap, HeaderName, HeaderValue};
use checkout_transport::{BlockingTransport, Transport, TransportError};
use checkout_ureq::{Ureq, ureq};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::service_fn;
use tower::util::MapRequest;

const API_KEY: &str = "plantedApiKeyVb81kq";
const PASSWORD: &str = "plantedPassword9xTQm4";
const QUERY: &str = "plantedQuery6d1f0c";
const CARD: &str = "4111111111111111";
/// `payer:` and the password in Base64, as an `authorization` has them.
const BASIC: &str = "cGF5ZXI6cGxhbnRlZFBhc3N3b3JkOXhUUW00";

/// The planted texts that are in the text: as they are, as a list of bytes, or in Base64.
fn found(text: &str) -> Vec<&'static str> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let text = squeezed(text);
    [API_KEY, PASSWORD, QUERY, CARD, BASIC]
        .into_iter()
        .filter(|planted| {
            let bytes = squeezed(&format!("{:?}", planted.as_bytes()));
            text.contains(&planted.to_lowercase()) || text.contains(bytes.trim_matches(['[', ']']))
        })
        .collect()
}

/// A value prints no planted text, and is of the type in the list.
fn check<T: Debug>(name: &str, value: &T) {
    let defined = type_name::<T>().split('<').next().unwrap();
    assert_eq!(defined.split("::").next(), name.split("::").next());
    assert_eq!(defined.rsplit("::").next(), name.rsplit("::").next());
    for text in [format!("{value:?}"), format!("{value:#?}"), format!("{:?}", Some(value))] {
        assert_eq!(found(&text), [""; 0], "{name}: {text}");
    }
}

/// Nor does an error, or any source of the error.
fn check_error(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let text = format!("{error} {error:#} {error:?} {error:#?}");
        assert_eq!(found(&text), [""; 0], "{text}");
        next = error.source();
    }
}

fn headers() -> HeaderMap {
    let headers = [("x-api-key", API_KEY), ("authorization", BASIC)];
    headers
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect()
}

/// The address of a proxy where nobody listens, with a password.
fn proxy() -> String {
    format!("http://payer:{PASSWORD}@{}", nobody())
}

fn nobody() -> String {
    static PORT: LazyLock<ClosedPort> = LazyLock::new(|| ClosedPort::find().unwrap());
    PORT.address().to_string()
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn of_reqwest() -> Reqwest {
    let builder = reqwest::Client::builder().default_headers(headers()).user_agent(API_KEY);
    Reqwest::from_builder(builder.proxy(reqwest::Proxy::all(proxy()).unwrap())).unwrap()
}

fn of_reqwest_blocking() -> Blocking {
    let builder = reqwest::blocking::Client::builder().default_headers(headers()).user_agent(API_KEY);
    Blocking::from_builder(builder.proxy(reqwest::Proxy::all(proxy()).unwrap())).unwrap()
}

fn of_ureq() -> Ureq {
    let proxy = ureq::Proxy::new(&proxy()).unwrap();
    let config = ureq::Agent::config_builder().user_agent(API_KEY).proxy(Some(proxy));
    Ureq::from_config(config, checkout_ureq::TIMEOUT)
}

fn tower<S>(service: S) -> Tower<S> {
    // A function that sleeps can hold a secret, as well as the service inside.
    let key = API_KEY.to_owned();
    Tower::new(service, Duration::from_secs(30), move |after| {
        assert_eq!(key, API_KEY);
        tokio::time::sleep(after)
    })
}

/// A request with a planted text in every place for a text.
fn request(uri: &str) -> http::Request<Bytes> {
    let mut request = http::Request::post(uri).body(Bytes::from_static(CARD.as_bytes())).unwrap();
    *request.headers_mut() = headers();
    request
}

/// URIs that nothing can be sent to, or that an adapter refuses.
fn uris() -> [String; 4] {
    let nobody = nobody();
    [
        format!("http://{nobody}/{API_KEY}?token={QUERY}"),
        format!("https://{nobody}/{API_KEY}?token={QUERY}"),
        format!("http://payer:{PASSWORD}@{nobody}/pay?token={QUERY}"),
        format!("/{API_KEY}/../pay?token={QUERY}"),
    ]
}

fn sent<T: Transport>(transport: &T) -> Vec<TransportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    uris().iter().map(|uri| runtime.block_on(transport.send(request(uri))).unwrap_err()).collect()
}

fn sent_blocking<T: BlockingTransport>(transport: &T) -> Vec<TransportError> {
    uris().iter().map(|uri| transport.send_blocking(request(uri)).unwrap_err()).collect()
}

#[test]
fn no_adapter_prints_its_settings() {
    check("checkout_reqwest::Reqwest", &of_reqwest());
    check("checkout_reqwest::Blocking", &of_reqwest_blocking());
    check("checkout_ureq::Ureq", &of_ureq());
    // A layer that knows a key, around a client or around a service of our own with another body.
    let layered = MapRequest::new(client(), |mut request: http::Request<Full<Bytes>>| {
        request.headers_mut().extend(headers());
        request
    });
    check("checkout_tower::Tower", &tower(layered.clone()));
    check::<Local<_>>("checkout_tower::Local", &tower(layered).local());
    let (key, card) = (API_KEY.to_owned(), CARD.to_owned());
    let service = service_fn(move |_: http::Request<Vec<u8>>| {
        let body = format!("{key}{card}");
        async { Ok::<_, Infallible>(http::Response::new(body)) }
    });
    check("checkout_tower::Tower", &Tower::without_deadline(service).with_body::<Vec<u8>>());
}

#[test]
fn no_error_of_a_failed_build_prints_the_settings() {
    let broken = format!("{API_KEY}\n{PASSWORD}");
    let of_async = Reqwest::from_builder(reqwest::Client::builder().user_agent(&*broken)).unwrap_err();
    let of_blocking = Blocking::from_builder(reqwest::blocking::Client::builder().user_agent(&*broken));
    for error in [of_async, of_blocking.unwrap_err()] {
        check("checkout_reqwest::BuildError", &error);
        check_error(&error);
    }
}

#[test]
fn no_error_of_an_unsent_request_prints_the_request() {
    let direct = Reqwest::from_builder(reqwest::Client::builder().no_proxy()).unwrap();
    let blocking = Blocking::from_builder(reqwest::blocking::Client::builder().no_proxy()).unwrap();
    let ureq = Ureq::from_config(ureq::Agent::config_builder().proxy(None), checkout_ureq::TIMEOUT);
    let errors = [
        sent(&direct),
        sent(&of_reqwest()),
        sent_blocking(&blocking),
        sent_blocking(&of_reqwest_blocking()),
        sent_blocking(&ureq),
        sent_blocking(&of_ureq()),
        sent(&tower(client())),
    ];
    for error in errors.iter().flatten() {
        check_error(error);
    }
    assert_eq!(errors.iter().flatten().count(), 28);
}

#[test]
fn a_planted_text_is_found() {
    assert_eq!(found(&format!("{:?} {:#?}", API_KEY, headers())), [API_KEY, BASIC]);
    assert_eq!(found(&format!("{:?} {:#?}", CARD.as_bytes(), PASSWORD.as_bytes())), [PASSWORD, CARD]);
    assert_eq!(found("Tower { deadline: None, cap: 1048576, .. }"), [""; 0]);
}
