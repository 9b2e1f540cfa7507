//! The records that an attempt gives to a subscriber, with the feature `tracing`.

use crate::world::{
    API_KEY, API_SECRET, Form, ORDER_ID, Recorder, USER_ID, USER_NAME, answering, client, client_at,
    counted_nonces, fiat, header, key, native, request_id_in, sandbox,
};
use checkout_client::allscale::Client;
use checkout_client::{Call, Readable};
use checkout_sandbox::allscale::{Fault, Sandbox};
use checkout_tables::Moment;
use checkout_tables::allscale::{Route, StableCoin};
use checkout_transport::{Request, Response, TransportError, from_fn, from_fn_blocking, from_fn_local};
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down every record, at every level: for each event, the span around the event.
#[derive(Clone, Default)]
struct Notes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    spans: AtomicU64,
    lines: Mutex<Vec<String>>,
    entered: Mutex<Vec<u64>>,
}

impl Notes {
    fn during<R>(work: impl FnOnce() -> R) -> (R, Vec<String>) {
        let notes = Self::default();
        let outcome = tracing::subscriber::with_default(notes.clone(), work);
        assert!(notes.0.entered.lock().unwrap().is_empty(), "a span was never left");
        let lines = notes.0.lines.lock().unwrap().clone();
        (outcome, lines)
    }

    fn write(&self, line: String) {
        self.0.lines.lock().unwrap().push(line);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.spans.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields::default();
        span.record(&mut fields);
        let metadata = span.metadata();
        self.write(format!("span {id}: {} {}{}", metadata.level(), metadata.name(), fields.0));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.write(format!("span {}:{}", span.into_u64(), fields.0));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let within = self.0.entered.lock().unwrap().last().copied();
        let within = within.map_or_else(|| "no span".to_owned(), |id| format!("span {id}"));
        self.write(format!("in {within}: {}{}", event.metadata().level(), fields.0));
    }

    fn enter(&self, span: &Id) {
        self.0.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.0.entered.lock().unwrap().pop(), Some(span.into_u64()));
    }
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

/// The records of a call that is sent once, with the sandbox's request id as `<id>`.
fn check<T: Readable>(sandbox: &Sandbox, call: &Call<T>) -> Vec<String> {
    let (_, lines) = Notes::during(|| drop(call.send_blocking(sandbox)));
    let body = sandbox.requests().last().map(|request| request.answered_body().clone());
    let id =
        body.filter(|body| body.ends_with(b"\"}") || body.ends_with(b"]}")).map(|body| request_id_in(&body));
    lines.into_iter().map(|line| id.iter().fold(line, |line, id| line.replace(id, "<id>"))).collect()
}

#[test]
fn a_span_has_the_route_the_path_the_status_the_request_id_and_the_outcome() {
    let sandbox = sandbox(12);
    let client = client(&sandbox);
    assert_eq!(
        check(&sandbox, &client.create(&fiat(1_000))),
        [
            r#"span 1: INFO checkout attempt route=Create path="/v1/checkout_intents/""#,
            "span 1: http_status=200",
            r#"span 1: request_id="<id>""#,
            r#"span 1: outcome="done""#,
            r#"in span 1: DEBUG message=attempt ended outcome="done""#,
        ]
    );
    let id = sandbox.intents()[0].id.clone();
    let path = format!("/v1/checkout_intents/{id}");
    sandbox.inject(Fault::SwappedIntent);
    assert_eq!(
        check(&sandbox, &client.get(&id).unwrap()),
        [
            &*format!(r#"span 1: INFO checkout attempt route=Get path="{path}""#),
            "span 1: http_status=200",
            r#"span 1: request_id="<id>""#,
            r#"span 1: outcome="mismatch""#,
            r#"in span 1: DEBUG message=attempt ended outcome="mismatch""#,
        ]
    );
    sandbox.inject(Fault::StatusAsObject);
    assert_eq!(
        check(&sandbox, &client.status(&id).unwrap()),
        [
            &*format!(r#"span 1: INFO checkout attempt route=Status path="{path}/status""#),
            "span 1: http_status=200",
            r#"span 1: request_id="<id>""#,
            r#"span 1: outcome="unreadable""#,
            r#"in span 1: DEBUG message=attempt ended outcome="unreadable""#,
        ]
    );
    assert_eq!(
        check(&sandbox, &client.fail()),
        [
            r#"span 1: INFO checkout attempt route=Fail path="/v1/test/fail""#,
            "span 1: http_status=400",
            r#"span 1: request_id="<id>""#,
            "span 1: code=10001",
            r#"span 1: outcome="refused""#,
            r#"in span 1: DEBUG message=attempt ended outcome="refused""#,
        ]
    );
    sandbox.inject(Fault::HtmlBadGateway);
    assert_eq!(
        check(&sandbox, &client.ping()),
        [
            r#"span 1: INFO checkout attempt route=Ping path="/v1/test/ping""#,
            "span 1: http_status=502",
            r#"span 1: outcome="unexpected response""#,
            r#"in span 1: DEBUG message=attempt ended outcome="unexpected response""#,
        ]
    );
    sandbox.inject(Fault::LostAnswer);
    assert_eq!(
        check(&sandbox, &client.ping()),
        [
            r#"span 1: INFO checkout attempt route=Ping path="/v1/test/ping""#,
            r#"span 1: outcome="no response""#,
            r#"in span 1: DEBUG message=attempt ended outcome="no response""#,
        ]
    );
    let without_nonces =
        Client::builder(key()).clock(|| Moment::from_unix_millis(0)).nonces(String::new).build().unwrap();
    assert_eq!(
        check(&sandbox, &without_nonces.ping()),
        [
            r#"span 1: INFO checkout attempt route=Ping path="/v1/test/ping""#,
            r#"span 1: outcome="not sent""#,
            r#"in span 1: DEBUG message=attempt ended outcome="not sent""#,
        ]
    );
}

fn pong() -> Response {
    crate::world::response(200, &[], br#"{"code":0,"payload":{"pong":"ok"},"request_id":"req_1"}"#)
}

/// Yields to the executor once.
async fn step_aside() {
    let mut been_here = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut been_here, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn the_transport_s_records_are_within_the_span_in_every_form() {
    let call = client_at(0).ping();
    let expected = [
        r#"span 1: INFO checkout attempt route=Ping path="/v1/test/ping""#,
        "in span 1: TRACE message=connecting",
        "in span 1: WARN message=connected",
        "span 1: http_status=200",
        r#"span 1: request_id="req_1""#,
        r#"span 1: outcome="done""#,
        r#"in span 1: DEBUG message=attempt ended outcome="done""#,
        "in no span: INFO message=after",
    ];
    let work = |_: Request| async {
        tracing::trace!("connecting");
        step_aside().await;
        tracing::warn!("connected");
        Ok::<_, TransportError>(pong())
    };
    let (_, send) = Notes::during(|| {
        pollster::block_on(call.send(&from_fn(work))).unwrap();
        tracing::info!("after");
    });
    let (_, send_local) = Notes::during(|| {
        pollster::block_on(call.send_local(&from_fn_local(work))).unwrap();
        tracing::info!("after");
    });
    let (_, send_blocking) = Notes::during(|| {
        let transport = from_fn_blocking(|request| pollster::block_on(work(request)));
        call.send_blocking(&transport).unwrap();
        tracing::info!("after");
    });
    assert_eq!(send, expected);
    assert_eq!(send_local, expected);
    assert_eq!(send_blocking, expected);
}

#[test]
fn two_attempts_side_by_side_keep_to_their_own_spans() {
    let client = client_at(0);
    let transport = from_fn(|request: Request| async move {
        for _ in 0..2 {
            tracing::info!("{}", request.uri().path());
            step_aside().await;
        }
        Ok::<_, TransportError>(pong())
    });
    let ((), lines) = Notes::during(|| {
        let (ping, fail) = (client.ping(), client.fail());
        let (mut ping, mut fail) = (pin!(ping.send(&transport)), pin!(fail.send(&transport)));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(ping.as_mut().poll(&mut context).is_pending());
            tracing::info!("between");
            assert!(fail.as_mut().poll(&mut context).is_pending());
        }
        assert!(fail.as_mut().poll(&mut context).is_ready());
        assert!(ping.as_mut().poll(&mut context).is_ready());
    });
    let events: Vec<_> = lines.iter().filter(|line| line.starts_with("in ")).collect();
    assert_eq!(
        events,
        [
            "in span 1: INFO message=/v1/test/ping",
            "in no span: INFO message=between",
            "in span 2: INFO message=/v1/test/fail",
            "in span 1: INFO message=/v1/test/ping",
            "in no span: INFO message=between",
            "in span 2: INFO message=/v1/test/fail",
            r#"in span 2: DEBUG message=attempt ended outcome="done""#,
            r#"in span 1: DEBUG message=attempt ended outcome="done""#,
        ]
    );
}

#[test]
fn every_attempt_of_one_call_has_a_span_of_its_own() {
    let sandbox = sandbox(12);
    let call = client(&sandbox).ping();
    let (_, lines) = Notes::during(|| {
        for _ in 0..3 {
            call.send_blocking(&sandbox).unwrap();
        }
    });
    let spans: Vec<_> = lines.iter().filter(|line| line.contains("checkout attempt")).collect();
    assert_eq!(spans.len(), 3);
    let ids: Vec<_> = lines.iter().filter(|line| line.contains("request_id=")).cloned().collect();
    let expected: Vec<_> =
        sandbox.requests().iter().map(|request| request_id_in(request.answered_body())).collect();
    let expected: Vec<_> =
        expected.iter().zip(1..).map(|(id, span)| format!("span {span}: request_id=\"{id}\"")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn no_header_and_no_body_is_recorded_at_any_level() {
    let sandbox = sandbox(12);
    let client = client(&sandbox);
    let (recorder, nonces) = (Recorder::before(&sandbox), counted_nonces());
    let ((), lines) = Notes::during(|| {
        client.create(&fiat(1_000)).send_blocking(&recorder).unwrap();
        sandbox.clock().advance(Duration::from_secs(60));
        let id = sandbox.intents()[0].id.clone();
        let get = client.get(&id).unwrap();
        for form in [Form::Send, Form::SendLocal, Form::SendBlocking] {
            for fault in [
                None,
                Some(Fault::Truncated),
                Some(Fault::DuplicateKeys),
                Some(Fault::SwappedIntent),
                Some(Fault::TamperedAmount),
                Some(Fault::InternalError),
                Some(Fault::LostBefore),
                Some(Fault::LostAnswer),
            ] {
                for route in [Route::Create, Route::Get] {
                    fault.iter().for_each(|fault| sandbox.inject_on(route, fault.clone()));
                }
                drop(form.ask(&get, &recorder, &nonces));
                drop(form.ask(&client.create(&native(StableCoin::USDC, 1_000)), &recorder, &nonces));
            }
        }
        // A refusal and a page that echo the request.
        let echo = recorder.seen().join(" ").replace(['"', '\n'], " ");
        let refusal = format!(r#"{{"code":10001,"error":{{"message":"{echo}"}},"request_id":"r"}}"#);
        for body in [refusal, echo] {
            drop(client.ping().send_blocking(&answering(&body)));
        }
    });
    assert!(lines.len() > 200, "{}", lines.len());
    let mut planted: Vec<String> =
        [API_KEY, API_SECRET, ORDER_ID, USER_ID, USER_NAME, "nonce-", "v1="].map(String::from).to_vec();
    for request in sandbox.requests() {
        planted.push(header(&request, "x-signature"));
        let body = String::from_utf8_lossy(request.answered_body()).into_owned();
        planted.extend(body.split_once(r#""tx_from":"0x"#).map(|(_, after)| after[..40].to_owned()));
    }
    assert!(planted.iter().any(|text| text.len() == 40) && planted.len() > 40);
    for line in &lines {
        for secret in &planted {
            assert!(!line.contains(&**secret), "{secret} in {line}");
        }
    }
}

#[test]
fn a_call_that_is_not_sent_has_no_span() {
    let (_, lines) = Notes::during(|| {
        let sandbox = sandbox(12);
        let call = client(&sandbox).ping();
        drop(call.send(&sandbox));
        let (request, reader) = call.attempt(Moment::from_unix_millis(0), "nonce-1").unwrap().into_parts();
        drop(request);
        reader.read(&pong()).unwrap();
    });
    assert_eq!(lines, [""; 0]);
}
