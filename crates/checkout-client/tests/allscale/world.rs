//! A store, its sandbox, clients of it, and transports that note or answer by themselves.

use checkout_auth::allscale::SigningKey;
use checkout_client::allscale::{AllScale, Client};
use checkout_client::{Answer, Call, CallError, CallErrorKind, NonceSource, Readable};
use checkout_money::Cents;
use checkout_sandbox::allscale::{RecordedRequest, Sandbox, Store};
use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_transport::bytes::Bytes;
use checkout_transport::{
    BlockingTransport, Request, Response, Transport, TransportError, from_fn_blocking, from_fn_local, http,
};
use checkout_validate::allscale::{CreateIntent, Draft};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const API_KEY: &str = "st_planted_key";
pub(crate) const API_SECRET: &str = "st_planted_secret";
pub(crate) const ORDER_ID: &str = "order-planted-77";
pub(crate) const USER_ID: &str = "user-planted-88";
pub(crate) const USER_NAME: &str = "Nora Planted";

/// 2024-05-23 21:50:00 UTC, where a sandbox's clock begins.
pub(crate) const START_MILLIS: i64 = 1_716_501_000_000;

pub(crate) fn key() -> SigningKey {
    SigningKey::new(API_KEY, API_SECRET.into()).unwrap()
}

pub(crate) fn sandbox(seed: u64) -> Sandbox {
    Sandbox::builder().seed(seed).store(Store::new(key())).build()
}

/// `nonce-1`, `nonce-2`, and so on.
pub(crate) fn counted_nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed) + 1)
}

/// A client of one of the sandbox's stores, with the sandbox's clock.
pub(crate) fn client_with(key: SigningKey, sandbox: &Sandbox) -> Client {
    let clock = sandbox.clock().clone();
    Client::builder(key).clock(move || clock.now()).nonces(counted_nonces()).build().unwrap()
}

pub(crate) fn client(sandbox: &Sandbox) -> Client {
    client_with(key(), sandbox)
}

/// A client whose clock stands still.
pub(crate) fn client_at(millis: i64) -> Client {
    Client::builder(key())
        .clock(move || Moment::from_unix_millis(millis))
        .nonces(counted_nonces())
        .build()
        .unwrap()
}

fn checked(draft: Draft<'static>) -> CreateIntent<'static> {
    draft.order_id(ORDER_ID).user(USER_ID, USER_NAME).check().unwrap()
}

pub(crate) fn native(coin: StableCoin, cents: i64) -> CreateIntent<'static> {
    checked(Draft::coin(coin, Cents::new(cents)))
}

pub(crate) fn fiat(cents: i64) -> CreateIntent<'static> {
    checked(Draft::fiat(Currency::USD, Cents::new(cents)))
}

pub(crate) fn fiat_settled_in(coin: StableCoin, cents: i64) -> CreateIntent<'static> {
    checked(Draft::fiat(Currency::USD, Cents::new(cents)).accept([coin]))
}

/// The ways to send a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Send,
    SendLocal,
    SendBlocking,
    TakenApart,
}

impl Form {
    pub(crate) const ALL: [Self; 4] = [Self::Send, Self::SendLocal, Self::SendBlocking, Self::TakenApart];

    /// Sends once. The form that is taken apart gets the time and a nonce; the others use the client's.
    pub(crate) fn ask<T: Readable<Provider = AllScale>>(
        self,
        call: &Call<T>,
        to: &Recorder,
        nonces: &impl NonceSource,
    ) -> Result<Answer<T>, CallError<AllScale>> {
        match self {
            Self::Send => pollster::block_on(call.send(to)),
            Self::SendLocal => {
                // The transport stays on one thread, so the transport is no `Transport`.
                let here = Rc::new(to.clone());
                let local = from_fn_local(move |request| {
                    let here = Rc::clone(&here);
                    async move { Transport::send(&*here, request).await }
                });
                pollster::block_on(call.send_local(&local))
            }
            Self::SendBlocking => {
                let untyped: &dyn BlockingTransport = to;
                call.send_blocking(untyped)
            }
            Self::TakenApart => {
                let attempt = call.attempt(to.sandbox.clock().now(), &nonces.nonce())?;
                let (request, reader) = attempt.into_parts();
                reader.read(&to.send_blocking(request).expect("the sandbox answers"))
            }
        }
    }
}

/// Notes every request byte for byte, and passes it on to a sandbox.
#[derive(Clone)]
pub(crate) struct Recorder {
    sandbox: Sandbox,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn before(sandbox: &Sandbox) -> Self {
        Self { sandbox: sandbox.clone(), seen: Arc::default() }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn note(&self, request: &Request) {
        self.seen.lock().unwrap().push(on_the_wire(request));
    }
}

impl Transport for Recorder {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.note(&request);
        Transport::send(&self.sandbox, request).await
    }
}

impl BlockingTransport for Recorder {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        self.note(&request);
        self.sandbox.send_blocking(request)
    }
}

/// A request as text: its method, URI, headers in their order, and body.
pub(crate) fn on_the_wire(request: &Request) -> String {
    let headers = request.headers().iter();
    let headers: String =
        headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
    let body = std::str::from_utf8(request.body()).unwrap();
    format!("{} {}\n{headers}\n{body}", request.method(), request.uri())
}

/// The value of a header of a request that the sandbox has seen.
pub(crate) fn header(request: &RecordedRequest, name: &str) -> String {
    request.headers()[name].to_str().unwrap().to_owned()
}

/// The field of the answer that differs from the request, if the error names a field.
pub(crate) fn mismatch(error: &CallError<AllScale>) -> Option<&'static str> {
    if let CallErrorKind::Mismatch(field) = error.kind() { Some(field) } else { None }
}

/// The request id of an answer, by its text.
pub(crate) fn request_id_in(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let (_, after) = text.rsplit_once(r#""request_id":""#).expect("the answer has a request id");
    after.split('"').next().unwrap().to_owned()
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::copy_from_slice(body)).unwrap()
}

/// Answers every request in the same way.
pub(crate) fn answering(body: &str) -> impl BlockingTransport {
    let response = response(200, &[("content-type", "application/json")], body.as_bytes());
    from_fn_blocking(move |_| Ok(response.clone()))
}

/// Fails the test if anything is sent.
pub(crate) fn unreachable() -> impl BlockingTransport {
    from_fn_blocking(|request: Request| panic!("{} was sent", request.uri()))
}

/// An error's text, and the texts of the error's sources.
pub(crate) fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut error = error;
    while let Some(source) = error.source() {
        texts.push(source.to_string());
        error = source;
    }
    texts
}
