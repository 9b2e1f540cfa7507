//! The laws for responses.

use std::io;

use checkout_transport::http::HeaderValue;
use checkout_transport::{BODY_CAP, LocalTransport, http};

use super::Broken;
use super::server::{ENDLESS, Exchange};
use super::stage::{Stage, answering, chunked, head, response, shown};

pub(super) async fn every_status_is_ok<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let server = stage.serve(|exchange| {
        while let Some(request) = exchange.request()? {
            let status = request.target.trim_start_matches('/');
            // The text behind the status has no meaning.
            let reason = match status.len() + request.target.bytes().map(usize::from).sum::<usize>() {
                sum if sum % 3 == 0 => "",
                sum if sum % 3 == 1 => "200 OK",
                _ => "No \u{e9} Such, Thing!",
            };
            exchange.write(&response(&format!("{status} {reason}"), &[], request.target.as_bytes()))?;
        }
        Ok(())
    })?;
    for status in (200..=299).filter(|status| ![204, 205].contains(status)).chain(400..=599) {
        let target = format!("/{status}");
        let what = format!("of the status {status}");
        let request = stage.build(http::Request::post(server.uri(&target)), b"{}")?;
        let response = stage.ok(&what, transport.send_local(request).await)?;
        if response.status().as_u16() != status || response.body() != &target {
            return stage.broken(format!(
                "{what}: a response with status {} and the body {} came back",
                response.status().as_u16(),
                shown(response.body())
            ));
        }
    }
    Ok(())
}

pub(super) async fn bodiless_response_is_whole<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for (method, status, headers) in [
        ("GET", 204, &[][..]),
        ("POST", 204, &[]),
        ("GET", 304, &[]),
        ("GET", 304, &[("content-length", &b"5"[..])]),
        ("HEAD", 200, &[("content-length", b"5")]),
        ("HEAD", 404, &[("transfer-encoding", b"chunked")]),
        ("GET", 200, &[("content-length", b"0")]),
        ("POST", 500, &[("content-length", b"0")]),
        ("DELETE", 205, &[("content-length", b"0")]),
    ] {
        let what = format!("of a {method} that was answered {status} without a body");
        // The connection stays open: a transport that waits for the connection's end does not see an end.
        let answer = head(&format!("{status} Fine"), headers);
        let (outcome, records) = stage.exchange(&transport, method, b"", answering(answer)).await?;
        let response = stage.ok(&what, outcome)?;
        if records.let_go() {
            return stage.broken(format!("{what}: the transport waited for a body"));
        }
        if response.status().as_u16() != status || !response.body().is_empty() {
            return stage.broken(format!("{what}: {} came back", shown(response.body())));
        }
    }
    Ok(())
}

pub(super) async fn interim_response_is_skipped<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    let hints = head("103 Early Hints", &[("link", b"</style.css>; rel=preload")]);
    let go_on = head("100 Continue", &[]);
    for interim in [
        go_on.clone(),
        hints.clone(),
        head("102 Processing", &[]),
        [&go_on[..], &hints, &hints].concat(),
        [&hints[..], &go_on].concat(),
    ] {
        for in_pieces in [false, true] {
            let what = format!("of a POST that was first answered {}", shown(&interim));
            let (interim, last) = (interim.clone(), response("201 Created", &[("x-last", b"1")], b"{}"));
            let script = move |exchange: &mut Exchange| {
                while exchange.request()?.is_some() {
                    if in_pieces {
                        exchange.write_in_pieces(&interim)?;
                        exchange.write_in_pieces(&last)?;
                    } else {
                        exchange.write(&[&interim[..], &last].concat())?;
                    }
                }
                Ok(())
            };
            let (outcome, records) = stage.exchange(&transport, "POST", b"{}", script).await?;
            let response = stage.ok(&what, outcome)?;
            stage.only(&what, &records)?;
            if response.status() != 201 || response.body() != "{}" || response.headers().contains_key("link")
            {
                return stage
                    .broken(format!("{what}: a response with status {} came back", response.status()));
            }
        }
    }
    Ok(())
}

pub(super) async fn response_headers_are_kept<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let long = "v".repeat(4 << 10);
    let filler = "f".repeat(240);
    let mut headers: Vec<(String, Vec<u8>)> = [
        ("X-Zulu", &b"z"[..]),
        ("Set-Cookie", b"c=3; Path=/"),
        ("x-alpha", b"Mixed CASE, and  two  spaces;\tand a tab"),
        ("Set-Cookie", b"a=1"),
        ("SET-COOKIE", b"b=2; Path=/"),
        ("Location", b"/a/../b?c#d"),
        ("x-empty", b""),
        ("x-bytes", b"\x80\xc3\xa9\xff"),
        ("x-long", long.as_bytes()),
        ("x_under.score~!", b"1"),
        ("Content-Type", b"Application/JSON; Charset=\"UTF-8\""),
        ("Content-Language", b"de, en"),
        ("Retry-After", b"0"),
        ("Date", b"Tue, 01 Jan 2030 00:00:00 GMT"),
        ("Server", b""),
        ("X-Signature", b"t=1,v1=AbC/dEf+=="),
        ("x-signature", b"t=1,v1=second"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_vec()))
    .collect();
    headers.extend((0..44).map(|at| (format!("X-Filler-{at}"), filler.clone().into_bytes())));
    let given: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    for status in ["200 OK", "402 Payment Required", "503 Service Unavailable"] {
        let answer = response(status, &given, b"{}");
        let (outcome, _) = stage.exchange(&transport, "POST", b"{}", answering(answer)).await?;
        let response = stage.ok("of a response with many headers", outcome)?;
        for (name, _) in &given {
            let values = |name: &str| -> Vec<&[u8]> {
                given
                    .iter()
                    .filter(|(other, _)| other.eq_ignore_ascii_case(name))
                    .map(|(_, value)| *value)
                    .collect()
            };
            let kept: Vec<&[u8]> =
                response.headers().get_all(*name).iter().map(HeaderValue::as_bytes).collect();
            if kept != values(name) {
                return stage.broken(format!(
                    "of {} values of {name} came back: {}",
                    values(name).len(),
                    kept.iter().map(|value| shown(value)).collect::<Vec<_>>().join(" and ")
                ));
            }
        }
        if response.headers().get("content-length").is_none_or(|length| length != "2") {
            return stage.broken("the content-length did not come back");
        }
    }
    Ok(())
}

pub(super) async fn body_comes_back_as_sent<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let binary: Vec<u8> = (0..=u8::MAX).cycle().take(600).collect();
    let text: &[u8] = b"\xef\xbb\xbf{\"a\" : \"\\u00e9\xe9\"}\r\nHTTP/1.1 200 OK\r\n\r\n0\r\n\r\n";
    let latin = ("content-type", &b"text/html; charset=iso-8859-1"[..]);
    let fancy = b"A;x=1;y=\"2\"\r\n0123456789\r\n00006\r\nabcdef\r\n1\r\ng\r\n0\r\nx-trailer: 1\r\n\r\n";
    for (what, bytes, expected) in [
        ("with a content-length", response("200 OK", &[], &binary), &binary[..]),
        ("of another character set", response("200 OK", &[latin], b"\xe9\xff\x80"), b"\xe9\xff\x80"),
        ("with a mark of its byte order", response("200 OK", &[], text), text),
        ("in two kinds of line ends", response("500 Error", &[], b"a\nb\r\nc\r"), b"a\nb\r\nc\r"),
        ("in chunks of one byte", chunked(&binary, 1), &binary),
        ("in chunks", chunked(&binary, 250), &binary),
        ("in one chunk", chunked(text, 4_096), text),
        (
            "in chunks with extensions and a trailer",
            [&head("200 OK", &[("Transfer-Encoding", b"Chunked")])[..], fancy].concat(),
            b"0123456789abcdefg",
        ),
        (
            "that ends with the connection",
            [&head("200 OK", &[("connection", b"close")])[..], &binary].concat(),
            &binary,
        ),
        ("of an HTTP/1.0 server", [&b"HTTP/1.0 200 OK\r\nserver: old\r\n\r\n"[..], text].concat(), text),
    ] {
        for in_pieces in [false, true] {
            let what = format!("of a body {what}");
            let bytes = bytes.clone();
            let script = move |exchange: &mut Exchange| {
                while exchange.request()?.is_some() {
                    if in_pieces { exchange.write_in_pieces(&bytes) } else { exchange.write(&bytes) }?;
                    exchange.close_for_writing()?;
                }
                Ok(())
            };
            let (outcome, _) = stage.exchange(&transport, "GET", b"", script).await?;
            let response = stage.ok(&what, outcome)?;
            if response.body() != expected {
                return stage.broken(format!(
                    "{what}: {} was sent, and {} came back",
                    shown(expected),
                    shown(response.body())
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn encoded_body_stays_encoded<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for (coding, body) in [
        ("gzip", GZIPPED),
        ("x-gzip", GZIPPED),
        ("GZIP", GZIPPED),
        ("deflate", DEFLATED),
        ("br", b"\x0b\x02\x80{\"a\":1}\x03"),
        ("zstd", b"\x28\xb5\x2f\xfd\x20\x07\x39\x00\x00{\"a\":1}"),
        ("gzip, br", b"neither"),
        ("identity", b"{\"a\":1}"),
    ] {
        let what = format!("of a body in {coding}");
        let headers = [("content-encoding", coding.as_bytes()), ("vary", b"accept-encoding")];
        let answer = response("200 OK", &headers, body);
        let response = stage.response_to(&transport, "GET", &what, answer).await?;
        if response.body() != body {
            return stage.broken(format!("{what}: {} came back", shown(response.body())));
        }
        if response.headers().get("content-encoding").is_none_or(|kept| kept != coding) {
            return stage.broken(format!("{what}: its content-encoding did not come back"));
        }
    }
    Ok(())
}

pub(super) async fn body_up_to_the_cap_is_whole<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for length in [0, 1, BODY_CAP] {
        for framing in Framing::ALL {
            let what = format!("of a body of {length} bytes {}", framing.name());
            let body = letters(length);
            let response = stage.response_to(&transport, "GET", &what, framing.frame(&body)).await?;
            if response.body() != &body {
                return stage.broken(format!("{what}: {} bytes came back", response.body().len()));
            }
        }
    }
    Ok(())
}

pub(super) async fn body_over_the_cap_is_refused<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for framing in Framing::ALL {
        let what = format!("of a body of {} bytes {}", BODY_CAP + 1, framing.name());
        let bytes = framing.frame(&letters(BODY_CAP + 1));
        let script = move |exchange: &mut Exchange| {
            if exchange.request()?.is_some() {
                exchange.write(&bytes)?;
                exchange.close_for_writing()?;
                exchange.request()?;
            }
            Ok(())
        };
        let (outcome, _) = stage.exchange(&transport, "GET", b"", script).await?;
        let error = stage.unknown(&what, outcome)?;
        if error.exceeded_cap() != Some(BODY_CAP) {
            return stage.broken(format!("{what}: the error does not name the cap: {error}"));
        }
    }
    // A length that no machine has the memory for, and hardly a body.
    for length in ["1099511627776", "9223372036854775807"] {
        let bytes = [&head("200 OK", &[("content-length", length.as_bytes())])[..], b"{}"].concat();
        let script = move |exchange: &mut Exchange| {
            exchange.request()?;
            exchange.write(&bytes)
        };
        let (outcome, _) = stage.exchange(&transport, "GET", b"", script).await?;
        stage.unknown(&format!("of a body that is said to have {length} bytes"), outcome)?;
    }
    Ok(())
}

pub(super) async fn endless_response_is_cut_off<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    let length = (ENDLESS * 2).to_string();
    let piece = b"1000\r\n".iter().copied().chain([b'1'; 0x1000]).chain(*b"\r\n").collect::<Vec<u8>>();
    for (what, head, piece) in [
        ("an endless body", head("200 OK", &[("connection", b"close")]), vec![b'1'; 4_096]),
        ("an endless chunked body", head("200 OK", &[("transfer-encoding", b"chunked")]), piece),
        (
            "one endless chunk",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7fffffff\r\n".to_vec(),
            vec![b'1'; 4_096],
        ),
        (
            "a body of an endless length",
            head("200 OK", &[("content-length", length.as_bytes())]),
            vec![b'1'; 4_096],
        ),
        ("endless headers", b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-filler: 0123456789abcdef\r\n".to_vec()),
        ("an endless header", b"HTTP/1.1 200 OK\r\nx-filler: ".to_vec(), vec![b'1'; 4_096]),
        ("an endless status line", b"HTTP/1.1 200 ".to_vec(), vec![b'1'; 4_096]),
    ] {
        let script = move |exchange: &mut Exchange| -> io::Result<()> {
            exchange.request()?;
            exchange.write(&head)?;
            exchange.write_endlessly(&piece)
        };
        let (outcome, records) = stage.exchange(&transport, "GET", b"", script).await?;
        stage.unknown(what, outcome)?;
        if records.sent() >= ENDLESS {
            return stage.broken(format!("of {what} all {} bytes were read", records.sent()));
        }
    }
    Ok(())
}

/// The way that the end of a body is marked.
#[derive(Clone, Copy)]
enum Framing {
    Length,
    Chunks,
    Close,
}

impl Framing {
    const ALL: [Self; 3] = [Self::Length, Self::Chunks, Self::Close];

    const fn name(self) -> &'static str {
        match self {
            Self::Length => "with a content-length",
            Self::Chunks => "in chunks",
            Self::Close => "that ends with the connection",
        }
    }

    fn frame(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Length => response("200 OK", &[], body),
            Self::Chunks => chunked(body, 60_000),
            Self::Close => [&head("200 OK", &[("connection", b"close")])[..], body].concat(),
        }
    }
}

fn letters(length: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(length).collect()
}

/// `{"a":1}{"a":1}{"a":1}`, compressed by gzip.
const GZIPPED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\x4a\x54\xb2\x32\xac\xad\x46\xa1\x00\
    \x10\x82\xdc\x0c\x15\x00\x00\x00";

/// The same, compressed by zlib.
const DEFLATED: &[u8] = b"\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\xad\x46\xa1\x00\x43\x26\x06\x19";
