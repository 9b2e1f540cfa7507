//! One connection: requests in, answers out, until one side closes it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONNECTION, CONTENT_LENGTH};
use checkout_transport::http::{self, HeaderMap, Method, Response, StatusCode};

use super::Shared;
use super::head::{Head, says_close};
use super::incoming::{Incoming, Stop};

/// Answers the requests of the connection. The connection is closed when this returns and its last hold is
/// gone.
pub(super) fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut incoming = Incoming::new(stream);
    loop {
        match exchange(&mut incoming, stream, shared) {
            Ok(KeepAlive(true)) => {}
            Ok(KeepAlive(false)) => return linger(stream),
            Err(Stop::Refused(status)) => {
                let mut refusal = Response::new(Bytes::new());
                *refusal.status_mut() = status;
                if write(stream, &Method::GET, &refusal, KeepAlive(false)).is_some() {
                    linger(stream);
                }
                return;
            }
            Err(Stop::Gone) => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

/// True if the connection stays open after an answer.
#[derive(Clone, Copy)]
struct KeepAlive(bool);

/// One request and its answer. The error is [`Stop::Gone`] where no answer is to be given.
fn exchange(incoming: &mut Incoming<'_>, stream: &TcpStream, shared: &Shared) -> Result<KeepAlive, Stop> {
    let Head { head, length, keep_alive, wants_go_ahead } = incoming.head(shared)?;
    if wants_go_ahead && incoming.is_empty() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| Stop::Gone)?;
    }
    let body = incoming.body(length)?;
    let method = head.method.clone();
    let request = http::Request::from_parts(head, Bytes::from(body));
    // A panic is the transport's, and has been reported by now. The panic holds nothing of this connection.
    let answer = catch_unwind(AssertUnwindSafe(|| shared.transport.send_blocking(request)));
    let Ok(Ok(response)) = answer else { return Err(Stop::Gone) };
    // An informational response announces an answer and is not an answer.
    if response.status().is_informational() {
        return Err(Stop::Gone);
    }
    let keep_alive = KeepAlive(keep_alive && !says_close(response.headers()));
    write(stream, &method, &response, keep_alive).ok_or(Stop::Gone)?;
    Ok(keep_alive)
}

fn write(
    mut stream: &TcpStream,
    method: &Method,
    response: &Response<Bytes>,
    KeepAlive(keep_alive): KeepAlive,
) -> Option<()> {
    let status = response.status();
    let mut head =
        format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default())
            .into_bytes();
    for (name, value) in response.headers() {
        if !OF_THE_CONNECTION.contains(&name.as_str()) {
            write_header(&mut head, name.as_str(), value.as_bytes());
        }
    }
    let bodyless =
        *method == Method::HEAD || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(length) = length_to_say(bodyless, response) {
        write_header(&mut head, CONTENT_LENGTH.as_str(), &length);
    }
    if !keep_alive {
        write_header(&mut head, CONNECTION.as_str(), b"close");
    }
    head.extend_from_slice(b"\r\n");
    if !bodyless {
        head.extend_from_slice(response.body());
    }
    stream.write_all(&head).ok()
}

/// The length that the answer gives: its body's, or the transport's length where the answer has no body.
fn length_to_say(bodyless: bool, response: &Response<Bytes>) -> Option<Vec<u8>> {
    let own = |headers: &HeaderMap| headers.get(CONTENT_LENGTH).map(|value| value.as_bytes().to_vec());
    match (bodyless, response.status()) {
        (_, StatusCode::NO_CONTENT) => None,
        (true, _) => own(response.headers()),
        (false, _) => Some(response.body().len().to_string().into_bytes()),
    }
}

fn write_header(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// Ends this side of the connection, and reads on until the other side has ended. Closing a connection over
/// unread bytes takes the answer back from a client that has not read the answer yet.
fn linger(mut stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let mut room = [0; 4096];
    let mut left = LINGER_CAP;
    while let Ok(read @ 1..) = stream.read(&mut room) {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}

/// The headers that the server writes about the connection itself.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "keep-alive", "content-length", "transfer-encoding"];
const LINGER_CAP: usize = 1 << 24;
