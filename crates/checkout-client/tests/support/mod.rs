//! The common parts of the tests of several providers: the ways to send, transports that note or answer by
//! themselves, and everything that is printed on the way.

mod faults;

pub(crate) use faults::{faults_in, variant};

use checkout_client::{Answer, Call, CallError, CallErrorKind, NonceSource, Provider, Readable};
use checkout_poll::ReadOutcome;
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::{
    BlockingTransport, Request, Response, Transport, TransportError, from_fn_blocking, from_fn_local, http,
};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// `nonce-1`, `nonce-2`, and so on.
pub(crate) fn counted_nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed) + 1)
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
    pub(crate) fn ask<T: Readable, S: Sandbox>(
        self,
        call: &Call<T>,
        to: &Recorder<S>,
        now: Moment,
        nonces: &dyn NonceSource,
    ) -> Result<Answer<T>, CallError<T::Provider>> {
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
                let attempt = call.attempt(now, &nonces.nonce())?;
                let (request, reader) = attempt.into_parts();
                reader.read(&to.send_blocking(request).expect("the sandbox answers"))
            }
        }
    }
}

pub(crate) trait Sandbox: Transport + BlockingTransport + Clone + Send + Sync + 'static {}

impl<S: Transport + BlockingTransport + Clone + Send + Sync + 'static> Sandbox for S {}

/// Notes every request byte for byte, and passes it on to a sandbox.
#[derive(Clone)]
pub(crate) struct Recorder<S> {
    sandbox: S,
    seen: Arc<Mutex<Vec<String>>>,
}

impl<S: Sandbox> Recorder<S> {
    pub(crate) fn before(sandbox: &S) -> Self {
        Self { sandbox: sandbox.clone(), seen: Arc::default() }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn note(&self, request: &Request) {
        self.seen.lock().unwrap().push(on_the_wire(request));
    }
}

impl<S: Sandbox> Transport for Recorder<S> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.note(&request);
        Transport::send(&self.sandbox, request).await
    }
}

impl<S: Sandbox> BlockingTransport for Recorder<S> {
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

/// The names of the headers that are marked as sensitive, for a printer of headers.
pub(crate) fn sensitive(request: &Request) -> Vec<&str> {
    let headers = request.headers().iter();
    headers.filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.as_str()).collect()
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::copy_from_slice(body)).unwrap()
}

/// Answers every request in the same way.
pub(crate) fn answering(response: Response) -> impl BlockingTransport {
    from_fn_blocking(move |_| Ok(response.clone()))
}

/// The outcome of an attempt in a few words: of an answer by `payload`, of a refusal by `refused`, which gets
/// the wait of the refusal. Every other outcome is the progress of the attempt, and the reason.
pub(crate) fn outcome<P: Provider, T: Readable<Provider = P>>(
    outcome: Result<Answer<T>, CallError<P>>,
    payload: impl FnOnce(&T) -> String,
    refused: impl FnOnce(&P::Refusal, &str) -> String,
) -> String {
    let error = match outcome {
        Ok(answer) => return payload(&answer.payload),
        Err(error) => error,
    };
    let kind = error.kind();
    // The proof of a refusal, or of a response that is not the API's, is the provider's own matter.
    if !matches!(kind, CallErrorKind::Refused(_) | CallErrorKind::UnexpectedResponse(_)) {
        assert_eq!(error.may_have_been_processed(), !matches!(kind, CallErrorKind::NotSent(_)));
        assert!(error.refusal().is_none());
    }
    match kind {
        CallErrorKind::Refused(refusal) => {
            let wait =
                asked_wait(&error).map_or_else(String::new, |wait| format!(" for {} s", wait.as_secs()));
            refused(refusal, &wait)
        }
        CallErrorKind::UnexpectedResponse(other) => {
            assert_eq!(error.http_status(), Some(other.status));
            let to = other.location.as_ref().map_or_else(String::new, |to| format!(" to {}", to.as_str()));
            format!("not the API: {}{to}", other.status)
        }
        CallErrorKind::NotSent(_) => "not sent".to_owned(),
        CallErrorKind::NoResponse(_) => "unknown".to_owned(),
        CallErrorKind::Unreadable(unreadable) => {
            let what = unreadable.to_string();
            format!("unknown: unreadable: {}", what.split(", at byte ").next().unwrap())
        }
        CallErrorKind::Mismatch(field) => format!("unknown: {field} is not what was asked for"),
        CallErrorKind::NotAuthentic(_) => "unknown: not authentic".to_owned(),
        _ => panic!("{error}"),
    }
}

/// The wait that the provider asks for before the next read.
pub(crate) fn asked_wait<P: Provider>(error: &CallError<P>) -> Option<Duration> {
    match error.read_outcome() {
        ReadOutcome::Limited { wait } | ReadOutcome::Failed { wait } | ReadOutcome::NotThere { wait } => wait,
        ReadOutcome::Refused | ReadOutcome::Answer { .. } | ReadOutcome::PayerActs { .. } => None,
    }
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

/// Everything that was printed.
#[derive(Default)]
pub(crate) struct Printed(pub(crate) Vec<String>);

impl Printed {
    pub(crate) fn debug(&mut self, it: &impl Debug) {
        self.0.push(format!("{it:?}"));
        self.0.push(format!("{it:#?}"));
    }

    pub(crate) fn error(&mut self, error: &(impl std::error::Error + 'static)) {
        self.debug(error);
        self.0.extend(chain(error));
    }

    /// Sends in the blocking way, and prints every value on the way, and the records of subscribers.
    pub(crate) fn ask<T: Readable + Debug + Clone>(
        &mut self,
        call: &Call<T>,
        transport: &impl BlockingTransport,
    ) {
        self.debug(call);
        match call.attempt(Moment::from_unix_millis(0), "nonce") {
            Ok(attempt) => {
                self.debug(&attempt);
                // `Attempt` gives the request away, so the text that `http` prints of the request counts too,
                // but for the body.
                self.debug(attempt.request().headers());
                self.debug(&attempt.into_parts().1);
            }
            Err(error) => self.error(&error),
        }
        let (outcome, lines) = Notes::during(|| call.send_blocking(transport));
        assert_eq!(lines.is_empty(), !cfg!(feature = "tracing"));
        self.0.extend(lines);
        match outcome {
            Ok(answer) => self.debug(&answer),
            Err(error) => {
                self.error(&error);
                self.debug(error.kind());
            }
        }
    }

    /// Searches for every planted value.
    pub(crate) fn check(&self, planted: &[&str]) {
        assert!(self.0.len() > 100 && !planted.is_empty());
        for text in &self.0 {
            for secret in planted {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
}

/// Writes down every record, at every level.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub(crate) fn during<R>(work: impl FnOnce() -> R) -> (R, Vec<String>) {
        let notes = Self::default();
        let outcome = tracing::subscriber::with_default(notes.clone(), work);
        let lines = notes.0.lock().unwrap().clone();
        (outcome, lines)
    }

    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.write(format!("{}:{}", span.metadata().name(), fields.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.write(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.write(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}
