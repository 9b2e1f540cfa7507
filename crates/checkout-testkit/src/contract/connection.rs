//! The laws of whose answer is whose, one after the other, and of futures.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Poll, Waker};

use checkout_transport::{LocalTransport, Response, http};

use super::Broken;
use super::server::{Exchange, Received};
use super::stage::{Outcome, Stage, echo, head, response, said, shown};

pub(super) async fn answers_meet_their_requests<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    const ROW: usize = 48;
    for closing in [false, true] {
        let transport = stage.transport();
        let server = stage.serve(move |exchange| {
            while let Some(request) = exchange.request()? {
                let close = closing && request.target.ends_with('3');
                exchange.write(&framed(&request, close))?;
                if close {
                    return Ok(());
                }
            }
            Ok(())
        })?;
        for call in 0..ROW {
            let target = format!("/{call}");
            let method = ["GET", "POST", "HEAD"].get(call % 3).copied().unwrap_or("GET");
            let body = if method == "POST" { target.as_bytes() } else { b"" };
            let request =
                stage.build(http::Request::builder().method(method).uri(server.uri(&target)), body)?;
            let what = format!("of {method} {target}, in a row of requests");
            let response = stage.ok(&what, transport.send_local(request).await)?;
            if response.headers().get("x-target").is_none_or(|kept| kept != &target) {
                return stage.broken(format!("{what}: the answer to another came back"));
            }
        }
        let records = stage.finish(server);
        for call in 0..ROW {
            let target = format!("/{call}");
            let came = records.requests().iter().filter(|received| received.target == target).count();
            if came != 1 {
                return stage.broken(format!("of {target}, in a row of requests: it came {came} times"));
            }
        }
    }
    Ok(())
}

pub(super) async fn unasked_answer_is_nobodys<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let unasked = response("200 OK", &[], b"unasked");
    let timed_out = response("408 Request Timeout", &[("connection", b"close")], b"unasked");
    for (what, rest, closes) in [
        ("a response too many", unasked.clone(), false),
        ("a response too many, and is closed", timed_out, true),
        ("more bytes than announced", b"unasked".to_vec(), false),
        ("a line end and a response too many", [&b"\r\n"[..], &unasked].concat(), false),
    ] {
        let transport = stage.transport();
        let server = stage.serve(move |exchange| {
            while let Some(request) = exchange.request()? {
                let mut answer = response("200 OK", &[], request.target.as_bytes());
                if request.target == "/0" {
                    answer.extend_from_slice(&rest);
                }
                exchange.write(&answer)?;
                if request.target == "/0" && closes {
                    exchange.close_for_writing()?;
                }
            }
            Ok(())
        })?;
        let mut answered = 0;
        for call in 0..4 {
            let target = format!("/{call}");
            let request = stage.build(http::Request::post(server.uri(&target)), b"{}")?;
            let outcome = transport.send_local(request).await;
            let what = format!("of the request {call}, on a connection that carries {what}");
            answered += usize::from(own_or_none(stage, &what, &target, outcome)?);
        }
        stage.finish(server);
        if answered < 2 {
            return stage.broken(format!("after {what} no request was answered"));
        }
    }
    Ok(())
}

pub(super) async fn late_answer_is_nobodys<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.hasty();
    let server = stage.serve(late)?;
    for _ in 0..TRIES {
        let request = stage.build(http::Request::post(server.uri("/late")), b"{}")?;
        if transport.send_local(request).await.is_ok() {
            return stage.broken("a request that was not answered was answered");
        }
        // A machine that is slow enough lets the time-out pass before anything is sent.
        if server.has_received(1, Waker::noop()) {
            break;
        }
    }
    let mut answered = false;
    for call in 0..TRIES {
        let target = format!("/{call}");
        let request = stage.build(http::Request::post(server.uri(&target)), b"{}")?;
        let outcome = transport.send_local(request).await;
        answered |= own_or_none(stage, "of a request after one that timed out", &target, outcome)?;
        if answered {
            break;
        }
    }
    stage.finish(server);
    if answered { Ok(()) } else { stage.broken("after a time-out no request was answered") }
}

pub(super) async fn unpolled_future_sends_nothing<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    let server = stage.serve(echo)?;
    for _ in 0..4 {
        let request = stage.build(http::Request::post(server.uri("/unpolled")), b"{}")?;
        drop(transport.send_local(request));
        let request = stage.build(http::Request::post(server.uri("/polled")), b"{}")?;
        let outcome = transport.send_local(request).await;
        own(stage, "of a request after a future that was never polled", "/polled", outcome)?;
    }
    let records = stage.finish(server);
    if records.requests().iter().any(|received| received.target != "/polled") {
        return stage.broken("a future that was never polled sent its request");
    }
    Ok(())
}

pub(super) async fn dropped_future_is_forgotten<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for round in 0..4 {
        let server = stage.serve(late)?;
        let before = stage.build(http::Request::post(server.uri("/before")), b"{}")?;
        // On some rounds there is a connection already.
        if round % 2 == 1 {
            own(stage, "of a first request", "/before", transport.send_local(before).await)?;
        }
        let come_before = round % 2;
        let request = stage.build(http::Request::post(server.uri("/late")), b"{}")?;
        {
            let mut sending = pin!(transport.send_local(request));
            let early = poll_fn(|context| match sending.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if server.has_received(come_before + 1, context.waker()) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await;
            if matches!(early, Some(Ok(_))) {
                return stage.broken("a request that was not answered was answered");
            }
        }
        for call in 0..3 {
            let target = format!("/{call}");
            let request = stage.build(http::Request::post(server.uri(&target)), b"{}")?;
            let outcome = transport.send_local(request).await;
            own(stage, "of a request after a future that was dropped half way", &target, outcome)?;
        }
        let records = stage.finish(server);
        if records.let_go() {
            return stage.broken("the transport waited for the answer to a future that was dropped half way");
        }
        let late = records.requests().iter().filter(|received| received.target == "/late").count();
        if late != 1 {
            return stage
                .broken(format!("the request of a future that was dropped half way came {late} times"));
        }
    }
    Ok(())
}

/// Answers with the request's own target, in all the ways in which an answer can end.
fn framed(request: &Received, close: bool) -> Vec<u8> {
    let target = request.target.as_bytes();
    let number = target.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let connection: &[u8] = if close { b"close" } else { b"keep-alive" };
    let headers = [("x-target", target), ("connection", connection)];
    if request.method == "HEAD" {
        return head("200 OK", &[&headers[..], &[("content-length", b"1000")]].concat());
    }
    match number % 6 {
        0 => head("204 No Content", &headers),
        1 => head("304 Not Modified", &[&headers[..], &[("content-length", b"1000")]].concat()),
        2 => {
            let body = b"3;x=1\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n";
            [&head("200 OK", &[&headers[..], &[("transfer-encoding", b"chunked")]].concat())[..], body]
                .concat()
        }
        3 => [head("103 Early Hints", &[]), response("404 Not Found", &headers, target)].concat(),
        4 => response("500 Internal Server Error", &headers, &[b' '; 40_000]),
        _ => response("200 OK", &headers, b""),
    }
}

/// Answers `/late` only when another request comes over the same connection, and first.
fn late(exchange: &mut Exchange) -> io::Result<()> {
    let mut owed = Vec::new();
    while let Some(request) = exchange.request()? {
        let answer = response("200 OK", &[], request.target.as_bytes());
        if request.target == "/late" {
            owed.extend_from_slice(&answer);
        } else {
            exchange.write(&std::mem::take(&mut owed))?;
            exchange.write(&answer)?;
        }
    }
    Ok(())
}

fn own<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    target: &str,
    outcome: Outcome,
) -> Result<(), Broken> {
    match outcome {
        Ok(response) => is_own(stage, what, target, &response),
        Err(error) => stage.broken(format!("{what}: {}", said(&error))),
    }
}

/// True if there is an answer, which has to be the request's own.
fn own_or_none<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    target: &str,
    outcome: Outcome,
) -> Result<bool, Broken> {
    match outcome {
        Ok(response) => is_own(stage, what, target, &response).map(|()| true),
        Err(_) => Ok(false),
    }
}

fn is_own<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    target: &str,
    response: &Response,
) -> Result<(), Broken> {
    if response.status() == 200 && response.body() == target {
        return Ok(());
    }
    stage.broken(format!(
        "{what}: {} came back with status {}",
        shown(response.body()),
        response.status().as_u16()
    ))
}

/// The number of requests that may time out because the machine is slow.
const TRIES: usize = 25;
