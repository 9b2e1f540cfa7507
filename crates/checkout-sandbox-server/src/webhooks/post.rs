//! Requests of the server's own, each over a connection of its own.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use checkout_transport::http::{Request, request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::target::Target;

/// The headers and the body of a webhook, with all signatures.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Letter {
    /// The names of the headers that a webhook can have.
    pub(crate) const HEADERS: [&'static str; 6] = [
        "x-api-key",
        "x-webhook-id",
        "x-webhook-timestamp",
        "x-webhook-nonce",
        "x-webhook-signature",
        "content-type",
    ];
}

/// The receiver's answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The body as text. Empty if the body breaks off or is too long.
    pub(crate) body: String,
}

/// Sends a letter, and returns the answer or the reason why there is none.
pub(crate) async fn post(target: &Target, letter: &Letter) -> Result<Answer, String> {
    let request = Request::post(target.path_and_query()).header(CONTENT_LENGTH, letter.body.len());
    let request = letter.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    match timeout(PATIENCE, exchange(target, request, letter.body.clone(), ANSWER_CAP)).await {
        Ok(answer) => {
            let (status, body) = answer?;
            Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
        }
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
}

/// Reads a page of another server of this kind, within `patience`.
pub(crate) async fn get(target: &Target, patience: Duration) -> Result<(u16, Bytes), String> {
    let request = Request::get(target.path_and_query());
    let answer = timeout(patience, exchange(target, request, Bytes::new(), PAGE_CAP)).await;
    answer.unwrap_or_else(|_| Err(format!("no answer within {} seconds", patience.as_secs())))
}

/// Sends the first half of a letter's body, and closes the connection.
pub(crate) async fn post_half(target: &Target, letter: &Letter) -> Result<Answer, String> {
    let mut bytes = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", target.path_and_query(), target.authority);
    for (name, value) in &letter.headers {
        bytes.extend([*name, ": ", value, "\r\n"]);
    }
    bytes.extend(["content-length: ", &letter.body.len().to_string(), "\r\n\r\n"]);
    let half = letter.body.get(..letter.body.len() / 2).unwrap_or_default();
    let sent = async {
        let mut stream = connect(target).await?;
        let written = stream.write_all(&[bytes.as_bytes(), half].concat()).await;
        written.map_err(|error| format!("not sent: {error}"))
    };
    match timeout(PATIENCE, sent).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Err("cut short, as the fault says".to_owned()),
    }
}

/// Opens a connection, and sends nothing until the receiver ends the connection or the time is over.
pub(crate) async fn post_nothing(target: &Target, time: Duration) -> Result<Answer, String> {
    let waited = async {
        let mut stream = connect(target).await?;
        let mut dropped = [0; 512];
        while stream.read(&mut dropped).await.is_ok_and(|read| read > 0) {}
        Ok(())
    };
    match timeout(time, waited).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Err("nothing was sent, as the fault says".to_owned()),
    }
}

/// The status and the body of an answer. A body that breaks off, or is over `cap`, is empty.
async fn exchange(
    target: &Target,
    request: request::Builder,
    body: Bytes,
    cap: usize,
) -> Result<(u16, Bytes), String> {
    let stream = connect(target).await?;
    // A connection without this setting is slow, and no less right.
    let _ = stream.set_nodelay(true);
    let request = request.header(HOST, &target.authority).header(CONNECTION, "close");
    let request = request.body(Full::new(body)).map_err(|error| format!("not sent: {error}"))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("not sent: {error}"))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
        let status = response.status().as_u16();
        // The body changes nothing about the status.
        let body = Limited::new(response.into_body(), cap).collect().await;
        Ok((status, body.map(|body| body.to_bytes()).unwrap_or_default()))
    };
    let mut answered = std::pin::pin!(answered);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        answer = &mut answered => answer,
        // The connection ends before the answer is read, and the answer tells the reason.
        _ = &mut connection => answered.await,
    }
}

/// A connection to the target. The name `localhost` is no question to a resolver.
async fn connect(target: &Target) -> Result<TcpStream, String> {
    let (host, port) = (&*target.host, target.port);
    let stream = if host.eq_ignore_ascii_case("localhost") {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Ok(stream) => Ok(stream),
            Err(_) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await,
        }
    } else {
        TcpStream::connect((host, port)).await
    };
    stream.map_err(|error| format!("no connection: {error}"))
}

/// The time for a whole exchange, by the machine's clock. Assumed: no page tells a time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes that an answer to a webhook may have to be kept.
const ANSWER_CAP: usize = 16 << 10;

/// The most bytes that a page of events may have.
const PAGE_CAP: usize = 64 << 20;
