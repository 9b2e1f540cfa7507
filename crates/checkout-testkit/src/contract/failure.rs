//! The laws about the error when there is no response, and about the actions that must not follow.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checkout_transport::bytes::Bytes;
use checkout_transport::{BODY_CAP, Delivery, LocalTransport, Request, TransportError, http};

use super::Broken;
use super::server::{Exchange, Script, Server};
use super::stage::{Outcome, Stage, answering, chunked, head, response, said, shown};
use crate::loopback::ClosedPort;

pub(super) async fn nothing_is_sent_twice<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    for (what, loss) in losses() {
        let transport = stage.transport();
        for method in IDEMPOTENT_AND_NOT {
            for answered_before in [0, 1] {
                let loss = Arc::clone(&loss);
                let come = AtomicUsize::new(0);
                let server = stage.serve(move |exchange| {
                    loop {
                        // The one request that is to be lost, on whatever connection, and none after that
                        // request.
                        if come.fetch_add(1, Ordering::SeqCst) == answered_before {
                            return loss(exchange);
                        }
                        if exchange.request()?.is_none() {
                            return Ok(());
                        }
                        exchange.write(&response("200 OK", &[], b"{}"))?;
                    }
                })?;
                let what = format!("of a {method} after {answered_before} others, {what}");
                for _ in 0..answered_before {
                    let request = stage.build(http::Request::get(server.uri("/before")), b"")?;
                    stage.ok(&what, transport.send_local(request).await)?;
                }
                let body = if method == "POST" { &b"{\"a\":1}"[..] } else { b"" };
                let request =
                    stage.build(http::Request::builder().method(method).uri(server.uri("/law")), body)?;
                drop(transport.send_local(request).await);
                let sent = stage.finish(server).attempts().saturating_sub(answered_before);
                if sent != 1 {
                    return stage.broken(format!("{what}: it was sent {sent} times"));
                }
            }
        }
    }
    for method in IDEMPOTENT_AND_NOT {
        let (sent, _) = after_an_idle_connection_ended(stage, method).await?;
        if sent > 1 {
            return stage
                .broken(format!("of a {method} after a connection was ended: it was sent {sent} times"));
        }
    }
    early_answer(stage).await
}

pub(super) async fn refusal_is_not_repeated<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for status in [
        "401 Unauthorized",
        "407 Proxy Authentication Required",
        "408 Request Timeout",
        "409 Conflict",
        "417 Expectation Failed",
        "421 Misdirected Request",
        "425 Too Early",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        for connection in ["keep-alive", "close"] {
            for (method, body) in [("GET", &b""[..]), ("POST", b"{\"a\":1}")] {
                let headers = [
                    ("retry-after", &b"0"[..]),
                    ("www-authenticate", b"Basic realm=\"shop\""),
                    ("proxy-authenticate", b"Basic realm=\"shop\""),
                    ("connection", connection.as_bytes()),
                ];
                let answer = response(status, &headers, b"{}");
                let script = move |exchange: &mut Exchange| {
                    while exchange.request()?.is_some() {
                        exchange.write(&answer)?;
                        if connection == "close" {
                            return Ok(());
                        }
                    }
                    Ok(())
                };
                let (outcome, records) = stage.exchange(&transport, method, body, script).await?;
                let what = format!("of a {method} that was answered {status}");
                let response = stage.ok(&what, outcome)?;
                stage.only(&what, &records)?;
                if !status.starts_with(response.status().as_str()) {
                    return stage.broken(format!("{what}: it came back as {}", response.status().as_u16()));
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn refused_connection_is_not_sent<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for method in ["GET", "POST"] {
        let nobody = nobody(stage)?;
        let uri = format!("{}/law", nobody.url());
        let request = stage.build(http::Request::builder().method(method).uri(uri), b"")?;
        match transport.send_local(request).await {
            Err(error) if error.delivery() == Delivery::NotSent => {}
            outcome => {
                stage.unknown("of a port where nobody listens", outcome)?;
                return stage.broken("of a port where nobody listens: the delivery was unknown");
            }
        }
    }
    Ok(())
}

pub(super) async fn lost_answer_is_unknown<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for (what, loss) in losses() {
        for (method, body) in [("GET", &b""[..]), ("POST", b"{\"a\":1}")] {
            let loss = Arc::clone(&loss);
            let (outcome, _) =
                stage.exchange(&transport, method, body, move |exchange| loss(exchange)).await?;
            stage.unknown(&format!("of a {method}, {what}"), outcome)?;
        }
    }
    // Of a large body the first bytes have come when the rest cannot be written.
    let server = stage.serve(|exchange| exchange.byte_left_unread())?;
    let large = Bytes::from(vec![b'1'; 4 << 20]);
    let request = stage.build(http::Request::post(server.uri("/law")), b"")?.map(|_| large);
    let outcome = transport.send_local(request).await;
    stage.finish(server);
    stage.unknown("of a POST of 4 MiB, reset while it was written", outcome)?;
    // A connection that has served before fails in its own ways.
    for (what, loss) in losses() {
        let transport = stage.transport();
        let loss = Arc::clone(&loss);
        let server = stage.serve(move |exchange| {
            if exchange.index() == 0 && exchange.request()?.is_some() {
                exchange.write(&response("200 OK", &[], b"{}"))?;
            }
            loss(exchange)
        })?;
        let request = |target: &str| stage.build(http::Request::post(server.uri(target)), b"{\"a\":1}");
        let what = format!("of a second POST, {what}");
        stage.ok(&what, transport.send_local(request("/before")?).await)?;
        let outcome = transport.send_local(request("/law")?).await;
        stage.finish(server);
        stage.unknown(&what, outcome)?;
    }
    for method in IDEMPOTENT_AND_NOT {
        match after_an_idle_connection_ended(stage, method).await? {
            (sent, Err(error)) if error.delivery() == Delivery::NotSent && sent > 0 => {
                let what = format!("of a {method} after a connection was ended");
                return stage.broken(format!("{what}: it was sent, and {}", said(&error)));
            }
            (_, Ok(_) | Err(_)) => {}
        }
    }
    Ok(())
}

pub(super) async fn cut_answer_is_unknown<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let whole = response("200 OK", &[("content-type", b"application/json")], b"{\"status\":10}");
    let in_chunks = chunked(b"{\"status\":10}", 5);
    for (what, whole, ends) in [
        ("with a content-length", &whole, whole.len()),
        // Without the chunk of length 0, which is the end.
        ("in chunks", &in_chunks, in_chunks.len() - 5),
    ] {
        for length in 1..=ends {
            if length == whole.len() {
                continue;
            }
            let part = whole.get(..length).unwrap_or_default().to_vec();
            let script = move |exchange: &mut Exchange| {
                exchange.request()?;
                exchange.write(&part)
            };
            let (outcome, _) = stage.exchange(&transport, "POST", b"{}", script).await?;
            stage.unknown(&format!("of {length} of {} bytes of a response {what}", whole.len()), outcome)?;
        }
    }
    let unframed = [&head("200 OK", &[("connection", b"close")])[..], b"{\"status\":"].concat();
    let script = move |exchange: &mut Exchange| {
        exchange.request_left_unread()?;
        exchange.write(&unframed)
    };
    let (outcome, _) = stage.exchange(&transport, "POST", b"{}", script).await?;
    stage.unknown("of a body without a length, whose connection was reset", outcome)?;
    let long = response("200 OK", &[], &vec![b'1'; BODY_CAP]);
    for missing in [1, BODY_CAP / 2, BODY_CAP] {
        let part = long.get(..long.len() - missing).unwrap_or_default().to_vec();
        let script = move |exchange: &mut Exchange| {
            exchange.request()?;
            exchange.write(&part)
        };
        let (outcome, _) = stage.exchange(&transport, "GET", b"", script).await?;
        stage.unknown(&format!("of a body of {BODY_CAP} bytes without its last {missing}"), outcome)?;
    }
    Ok(())
}

pub(super) async fn garbage_is_unknown<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..],
        b"<html><body>200 OK</body></html>\r\n\r\n",
        b"{\"code\":0,\"payload\":{}}",
        b"\x00\x01\x02\x03\xff\xfe\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\r\n\r\n\r\n\r\n",
        b"200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 OK 200\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 -200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/7.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"http/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nno colon\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n: no name\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx-nul: a\x00b\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2, 1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
    ] {
        let script = move |exchange: &mut Exchange| {
            exchange.request()?;
            exchange.write(garbage)
        };
        let (outcome, _) = stage.exchange(&transport, "POST", b"{}", script).await?;
        stage.unknown(&format!("of the answer {}", shown(garbage)), outcome)?;
    }
    for lengths in
        ["content-length: 7\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 1"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
        let what = format!("of the answer {}", shown(answer.as_bytes()));
        let script = move |exchange: &mut Exchange| {
            exchange.request()?;
            exchange.write(answer.as_bytes())
        };
        match stage.exchange(&transport, "POST", b"{}", script).await?.0 {
            // The chunks count: RFC 9112, 6.3.
            Ok(response) if response.body() == "{}" => {}
            Ok(response) => return stage.broken(format!("{what}: {} came back", shown(response.body()))),
            Err(error) => drop(stage.unknown(&what, Err(error))?),
        }
    }
    Ok(())
}

pub(super) async fn silence_ends<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let large = Bytes::from(vec![b'1'; 48 << 20]);
    for (what, body, part) in [
        ("that never answers", Bytes::from_static(b"{}"), Some(Vec::new())),
        ("that stops after half a head", Bytes::from_static(b"{}"), Some(b"HTTP/1.1 200 OK\r\nx-a".to_vec())),
        ("that only says to go on", Bytes::from_static(b"{}"), Some(head("100 Continue", &[]))),
        (
            "that stops after half a body",
            Bytes::from_static(b"{}"),
            Some([&head("200 OK", &[("content-length", b"13")])[..], b"{\"status\":"].concat()),
        ),
        (
            "that stops after half of the chunks",
            Bytes::from_static(b"{}"),
            Some([&head("200 OK", &[("transfer-encoding", b"chunked")])[..], b"2\r\n{}\r\n"].concat()),
        ),
        (
            "that never ends the connection",
            Bytes::from_static(b"{}"),
            Some([&head("200 OK", &[("connection", b"close")])[..], b"{}"].concat()),
        ),
        ("that never reads", large, None),
    ] {
        let transport = stage.hasty();
        let server = stage.serve(move |exchange| {
            match &part {
                Some(part) => {
                    exchange.request()?;
                    exchange.write(part)?;
                }
                None => exchange.byte_left_unread()?,
            }
            exchange.hold();
            Ok(())
        })?;
        let request = stage.build(http::Request::post(server.uri("/law")), b"")?.map(|_| body);
        let outcome = transport.send_local(request).await;
        ended_by_itself(stage, &format!("of a server {what}"), server, outcome)?;
    }
    Ok(())
}

pub(super) async fn drip_ends<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    for (what, start, piece) in [
        ("its status line", b"HTTP/1.1 200 ".to_vec(), &b"O"[..]),
        ("its headers", b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-a: 1\r\n"),
        ("its interim responses", Vec::new(), b"HTTP/1.1 103 Hints\r\n\r\n"),
        ("its body", head("200 OK", &[("content-length", b"100000")]), b" "),
        ("its chunks", head("200 OK", &[("transfer-encoding", b"chunked")]), b"1\r\n \r\n"),
        ("a body without a length", head("200 OK", &[("connection", b"close")]), b" "),
    ] {
        let transport = stage.hasty();
        let server = stage.serve(move |exchange| {
            exchange.request()?;
            exchange.write(&start)?;
            exchange.drip(piece)
        })?;
        let request = stage.build(http::Request::post(server.uri("/law")), b"{}")?;
        let outcome = transport.send_local(request).await;
        ended_by_itself(stage, &format!("of a server that drips {what}"), server, outcome)?;
    }
    Ok(())
}

pub(super) async fn errors_tell_nothing<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let planted = head("200 OK", &[("x-planted", PLANTED.as_bytes())]);
    let failing = |bytes: Vec<u8>| -> Arc<Script> {
        Arc::new(move |exchange: &mut Exchange| {
            exchange.request()?;
            exchange.write(&bytes)
        })
    };
    let mut scripts: Vec<Arc<Script>> = losses().into_iter().map(|(_, loss)| loss).collect();
    for (start, rest) in [
        ("", "PLANTED\r\n\r\n"),
        ("", "HTTP/1.1 PLANTED\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "PLANTED\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "PLANTED : 1\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "content-length: PLANTED\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "transfer-encoding: chunked\r\n\r\nPLANTED\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "transfer-encoding: chunked\r\n\r\n2\r\nPLANTED\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n", "x-planted: PLANTED\r\ncontent-length: 1000\r\n\r\nPLANTED"),
    ] {
        scripts.push(failing(format!("{start}{}", rest.replace("PLANTED", PLANTED)).into_bytes()));
    }
    scripts.push(failing(response(
        "200 OK",
        &[],
        &PLANTED.repeat(BODY_CAP / PLANTED.len() + 1).into_bytes(),
    )));
    let held: Arc<Script> = Arc::new(move |exchange| {
        exchange.request()?;
        exchange.write(&planted)?;
        exchange.hold();
        Ok(())
    });
    let mut errors = Vec::new();
    let transport = stage.transport();
    for (hasty, script) in
        scripts.into_iter().map(|script| (false, script)).chain(std::iter::once((true, held)))
    {
        let server = stage.serve(move |exchange| script(exchange))?;
        let request = secretive(stage, &format!("http://{}", server.authority()))?;
        let outcome =
            if hasty { stage.hasty().send_local(request).await } else { transport.send_local(request).await };
        stage.finish(server);
        errors.extend(outcome.err());
    }
    let nobody = nobody(stage)?;
    let uri = nobody.url();
    errors.extend(transport.send_local(secretive(stage, &uri)?).await.err());
    let without_tls = stage.serve(|exchange| exchange.some_bytes())?;
    let https = format!("https://{}", without_tls.authority());
    errors.extend(transport.send_local(secretive(stage, &https)?).await.err());
    for error in errors {
        for text in texts(&error) {
            for (secret, name) in [
                (HEADER, "a header of the request"),
                (BODY, "the body of the request"),
                (QUERY, "the query of the request"),
                (PLANTED, "the response"),
            ] {
                let bytes = format!("{:?}", secret.as_bytes());
                if text.contains(secret) || text.contains(bytes.trim_matches(['[', ']'])) {
                    return stage.broken(format!("the text of an error quotes {name}: {text}"));
                }
            }
        }
    }
    Ok(())
}

/// Every text of an error and of its sources.
fn texts(error: &TransportError) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        texts.extend([format!("{error}"), format!("{error:#}"), format!("{error:?}"), format!("{error:#?}")]);
        next = error.source();
    }
    texts
}

fn secretive<T: LocalTransport>(stage: &Stage<'_, T>, base: &str) -> Result<Request, Broken> {
    let request = http::Request::post(format!("{base}/law?token={QUERY}"))
        .header("authorization", format!("Bearer {HEADER}"))
        .header("x-api-key", HEADER);
    stage.build(request, format!("{{\"key\":\"{BODY}\"}}").as_bytes())
}

/// The transport gave up before the server did.
fn ended_by_itself<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    server: Server,
    outcome: Outcome,
) -> Result<(), Broken> {
    let records = stage.finish(server);
    if records.let_go() {
        return stage.broken(format!("{what}: the server gave up before the transport did"));
    }
    if records.attempts() > 1 {
        return stage.broken(format!("{what}: {} requests came", records.attempts()));
    }
    match outcome {
        // A machine that is slow enough lets the time-out pass before anything is sent.
        Err(error) if error.delivery() == Delivery::NotSent && !records.has_bytes() => Ok(()),
        outcome => stage.unknown(what, outcome).map(drop),
    }
}

/// A request after a connection that its server ends while nobody uses the connection, just before: how often
/// the request came, and the result.
async fn after_an_idle_connection_ended<T: LocalTransport>(
    stage: &Stage<'_, T>,
    method: &str,
) -> Result<(usize, Outcome), Broken> {
    let transport = stage.transport();
    let server = stage.serve(|exchange| {
        while exchange.request()?.is_some() {
            exchange.write(&response("200 OK", &[], b"{}"))?;
            if exchange.index() == 0 {
                // The server sends nothing more, but still reads.
                exchange.close_for_writing()?;
                while exchange.request()?.is_some() {}
            }
        }
        Ok(())
    })?;
    let request =
        |method: &str| stage.build(http::Request::builder().method(method).uri(server.uri("/law")), b"");
    stage.ok("of a first GET", transport.send_local(request("GET")?).await)?;
    let outcome = transport.send_local(request(method)?).await;
    Ok((stage.finish(server).attempts().saturating_sub(1), outcome))
}

/// A server that refuses before it has read all, and closes.
async fn early_answer<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let large = Bytes::from(vec![b'1'; 4 << 20]);
    let server = stage.serve(|exchange| {
        if exchange.index() > 0 {
            return answering(response("200 OK", &[], b"{}"))(exchange);
        }
        exchange.byte_left_unread()?;
        exchange.write(&response("413 Content Too Large", &[("connection", b"close")], b"{}"))
    })?;
    let request = stage.build(http::Request::post(server.uri("/law")), b"")?.map(|_| large);
    let outcome = transport.send_local(request).await;
    let sent = stage.finish(server).attempts();
    let what = "of a request that is refused before it was read";
    match outcome {
        _ if sent != 1 => stage.broken(format!("{what}: it was sent {sent} times")),
        Ok(response) if response.status() == 413 => Ok(()),
        outcome => stage.unknown(what, outcome).map(drop),
    }
}

/// Every way of losing the answer to a request of which at least one byte has been sent.
fn losses() -> Vec<(&'static str, Arc<Script>)> {
    fn loss(
        what: &'static str,
        script: impl Fn(&mut Exchange) -> io::Result<()> + Send + Sync + 'static,
    ) -> (&'static str, Arc<Script>) {
        (what, Arc::new(script))
    }
    vec![
        loss("closed after it was read", |exchange| exchange.request().map(drop)),
        loss("reset after it was read", |exchange| exchange.request_left_unread()),
        loss("reset before it was read", |exchange| exchange.byte_left_unread()),
        loss("closed after half a head of the answer", |exchange| {
            exchange.request()?;
            exchange.write(b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-")
        }),
        loss("closed after half a body of the answer", |exchange| {
            exchange.request()?;
            exchange.write(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"status\"")
        }),
        loss("reset after half a body of the answer", |exchange| {
            exchange.request_left_unread()?;
            exchange.write(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"status\"")
        }),
        loss("closed after an interim answer", |exchange| {
            exchange.request()?;
            exchange.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        }),
    ]
}

fn nobody<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<ClosedPort, Broken> {
    ClosedPort::find().or_else(|error| stage.broken(format!("the suite has no port: {error}")))
}

/// Stacks repeat the first and the last two more readily.
const IDEMPOTENT_AND_NOT: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// Texts planted in the request, and in the response.
const HEADER: &str = "planted-header-5f1c";
const BODY: &str = "planted-body-a94e";
const QUERY: &str = "planted-query-07bd";
const PLANTED: &str = "planted-answer-c3d8";
