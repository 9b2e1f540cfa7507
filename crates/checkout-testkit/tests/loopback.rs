//! The server on loopback, over raw sockets.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use checkout_testkit::loopback::{HEAD_CAP, HEADERS_CAP, Server};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, StatusCode};
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, TransportError, from_fn_blocking};
use proptest::prelude::*;

/// Writes all of `sent`, ends its own side, and returns all bytes that come back.
fn check(server: &Server, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // A server that has refused and closed need not take the rest.
    let _ = stream.write_all(sent);
    let _ = stream.shutdown(Shutdown::Write);
    rest(&mut stream)
}

/// The bytes that come until the server closes the connection, in any way.
fn rest(stream: &mut TcpStream) -> String {
    let mut came = Vec::new();
    let _ = stream.read_to_end(&mut came);
    String::from_utf8(came).unwrap()
}

/// The first line of the bytes.
fn status_line(came: &str) -> &str {
    came.lines().next().unwrap_or_default()
}

/// Answers with the request as the transport sees it, and notes nothing.
fn describing() -> impl BlockingTransport + Send + Sync + 'static {
    from_fn_blocking(|request: Request| {
        let mut text = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
        for (name, value) in request.headers() {
            let _ = writeln!(text, "{name}: {}", value.as_bytes().escape_ascii());
        }
        let _ = write!(text, "\n{}", request.body().escape_ascii());
        Ok(Response::new(text.into()))
    })
}

/// Answers with the number of requests so far.
fn counting(seen: &Arc<AtomicUsize>) -> impl BlockingTransport + Send + Sync + 'static {
    let seen = Arc::clone(seen);
    from_fn_blocking(move |_| {
        let seen = seen.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Response::new(format!("request {seen}").into()))
    })
}

/// Answers with the result of `answer`.
fn answering(answer: impl Fn() -> Response + Send + Sync + 'static) -> Server {
    Server::start(from_fn_blocking(move |_| Ok(answer()))).unwrap()
}

#[test]
fn a_request_is_passed_on_unchanged() {
    let server = Server::start(describing()).unwrap();
    let sent =
        b"PaTcH /a%2Fb//../c;d=1?x=%20+y&&z&x= HTTP/1.1\r\nHost: Shop.Example:8080\r\nX-Key:  a, b \r\n\
        X-Twice: 1\r\nx-other: \xff\r\nx-twice: 2\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\0{\r\n";
    let came = check(&server, sent);
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        body,
        "PaTcH http://Shop.Example:8080/a%2Fb//../c;d=1?x=%20+y&&z&x= HTTP/1.1\nhost: Shop.Example:8080\n\
         x-key: a, b\nx-twice: 1\nx-twice: 2\nx-other: \\xff\nconnection: close\ncontent-length: 4\n\n\
         \\x00{\\r\\n"
    );
    assert_eq!(head, format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close", body.len()));
}

#[test]
fn the_uri_is_absolute_and_a_base_takes_the_place_of_the_host() {
    let plain = Server::start(describing()).unwrap();
    let based = Server::start_as("https://openapi.allscale.io", describing()).unwrap();
    let own = plain.url();
    let table = [
        ("GET / HTTP/1.1\r\nhost: a.example", "http://a.example/", "https://openapi.allscale.io/"),
        ("GET //x?y HTTP/1.1\r\nhost: [::1]:80", "http://[::1]:80//x?y", "https://openapi.allscale.io//x?y"),
        ("GET /? HTTP/1.1\r\nhost: a.example", "http://a.example/?", "https://openapi.allscale.io/?"),
        ("GET /x HTTP/1.0", &*format!("{own}/x"), "https://openapi.allscale.io/x"),
        (
            "GET http://b.example/x HTTP/1.1\r\nhost: a.example",
            "http://b.example/x",
            "https://openapi.allscale.io/x",
        ),
    ];
    for (head, expected, expected_based) in table {
        for (server, expected) in [(&plain, expected), (&based, expected_based)] {
            let came = check(server, format!("{head}\r\n\r\n").as_bytes());
            let seen = came.split("\r\n\r\n").nth(1).unwrap().split(' ').nth(1).unwrap();
            assert_eq!(seen, expected, "{head}");
        }
    }
}

#[test]
fn a_base_is_a_scheme_and_a_host() {
    for base in ["http://a.example", "https://a.example/", "https://a.example:8443"] {
        assert!(Server::start_as(base, describing()).is_ok(), "{base}");
    }
    for base in [
        "",
        "/",
        "a.example",
        "https://",
        "https://a.example/v1",
        "https://a.example/?x",
        "https://u:p@a.example",
        "a b",
    ] {
        let error = Server::start_as(base, describing()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{base}");
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request_until_one_side_says_close() {
    let seen = Arc::new(AtomicUsize::new(0));
    let server = Server::start(counting(&seen)).unwrap();
    let ask = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab";
    let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: x, Close\r\n\r\n";
    let answer = |number| format!("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nrequest {number}");
    let closing = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nrequest 3";
    // All requests at once; bytes after the last request are not read.
    let came = check(&server, format!("{ask}\r\n{ask}{last}{ask}").as_bytes());
    assert_eq!(came, format!("{}{}{closing}", answer(1), answer(2)));
    assert_eq!(seen.load(Ordering::SeqCst), 3);

    // One request after the other.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    for number in 4..8 {
        stream.write_all(ask.as_bytes()).unwrap();
        let expected = answer(number);
        let mut came = vec![0; expected.len()];
        stream.read_exact(&mut came).unwrap();
        assert_eq!(String::from_utf8(came).unwrap(), expected);
    }

    // The older version ends the connection after each request.
    let came = check(&server, b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    assert_eq!(came, closing.replace('3', "8"));
}

#[test]
fn a_close_of_the_transport_is_announced_and_done() {
    let server = answering(|| {
        let answer = http::Response::builder().header("connection", "close").header("keep-alive", "x");
        answer.header("transfer-encoding", "chunked").body(Bytes::new()).unwrap()
    });
    let ask = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let came = check(&server, ask.repeat(2).as_bytes());
    assert_eq!(came, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

#[test]
fn a_chunked_body_is_put_together_from_any_pieces() {
    let server =
        Server::start(from_fn_blocking(|request: Request| Ok(Response::new(request.into_body())))).unwrap();
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n";
    let body = "5\r\nhello\r\n00b;ext=\"x\"\r\n, wide world\r\n0\r\nx-trailer: 1\r\n\r\n";
    // The next request shows that no byte was left over.
    let next = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let all = format!("{}{next}", format!("{head}{body}").replace("00b;ext", "00C;ext"));
    for cut in 1..all.len() {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        let (first, second) = all.as_bytes().split_at(cut);
        stream.write_all(first).unwrap();
        stream.write_all(second).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let expected = "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\nhello, wide world\
            HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(rest(&mut stream), expected, "{cut}");
    }
}

#[test]
fn bytes_that_are_no_request_are_refused_before_the_transport() {
    let seen = Arc::new(AtomicUsize::new(0));
    let server = Server::start(counting(&seen)).unwrap();
    let long = "x".repeat(HEAD_CAP);
    let many = "x: 1\r\n".repeat(HEADERS_CAP);
    let with = |headers: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n");
    let chunked = |body: &str| with("transfer-encoding: chunked") + body;
    let table = [
        ("garbage\r\n\r\n".to_owned(), 400),
        ("garbage".to_owned(), 400),
        ("\0\u{7f}\u{80}".to_owned(), 400),
        ("\x16\x03\x01\x02".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: a".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost:\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: u@a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n".to_owned(), 400),
        ("GET /#x HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("GET x HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("GET ?x HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("GET http://a HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.0\r\nhost: a\r\n\r\n".to_owned(), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
        (with("a b: 1"), 400),
        (with("x: 1\r\n folded"), 400),
        (with("content-length: +1"), 400),
        (with("content-length: -1"), 400),
        (with("content-length: 1, 1") + "x", 400),
        (with("content-length: 1\r\ncontent-length: 1") + "x", 400),
        (with("content-length: 1"), 400),
        (with(&format!("content-length: {}", BODY_CAP + 1)), 413),
        (with("content-length: 99999999999999999999999999"), 413),
        (with("content-length: 1\r\ntransfer-encoding: chunked"), 400),
        (with("transfer-encoding: gzip, chunked"), 501),
        (with("transfer-encoding: chunked\r\ntransfer-encoding: chunked"), 501),
        ("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), 400),
        (with("expect: a miracle"), 417),
        (with(&format!("x: {long}")), 431),
        (format!("{long}x"), 431),
        (with(&format!("{many}y: 1")), 431),
        (chunked("x\r\n"), 400),
        (chunked("\r\n"), 400),
        (chunked(";x\r\n\r\n"), 400),
        (chunked("1\r\nab\r\n0\r\n\r\n"), 400),
        (chunked("1\r\na"), 400),
        (chunked("1\r\nabc0\r\n\r\n"), 400),
        (chunked("1\na\n0\n\n"), 400),
        (chunked("0\r\nx: 1\r\n"), 400),
        (chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(5000))), 400),
        (chunked(&format!("{:x}\r\n", BODY_CAP + 1)), 413),
        (chunked("ffffffffffffffff\r\n"), 413),
        (chunked("11111111111111111\r\n"), 400),
    ];
    for (sent, expected) in table {
        let status = StatusCode::from_u16(expected).unwrap();
        let expected = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let start: String = sent.chars().take(90).collect();
        assert_eq!(check(&server, sent.as_bytes()), expected, "{start:?}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    assert!(check(&server, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").ends_with("request 1"));
}

#[test]
fn heads_and_bodies_may_be_as_large_as_the_caps() {
    let server = Server::start(from_fn_blocking(|request: Request| {
        let (head, body) = request.into_parts();
        Ok(Response::new(format!("{} {}", head.headers.len(), body.len()).into()))
    }))
    .unwrap();
    let head = |headers: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n");
    let many = head(&vec!["x: 1"; HEADERS_CAP - 1].join("\r\n"));
    assert!(check(&server, many.as_bytes()).ends_with(&format!("\r\n\r\n{HEADERS_CAP} 0")));
    let room = HEAD_CAP - head("x: ").len();
    assert!(check(&server, head(&format!("x: {}", "x".repeat(room))).as_bytes()).ends_with("\r\n\r\n2 0"));
    let over = check(&server, head(&format!("x: {}", "x".repeat(room + 1))).as_bytes());
    assert_eq!(status_line(&over), "HTTP/1.1 431 Request Header Fields Too Large");

    let body = "b".repeat(BODY_CAP);
    let whole = head(&format!("content-length: {BODY_CAP}")) + &body;
    assert!(check(&server, whole.as_bytes()).ends_with(&format!("\r\n\r\n2 {BODY_CAP}")));
    let (first, second) = body.split_at(3);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n", first.len(), second.len());
    let chunked = head("transfer-encoding: chunked") + &chunks;
    assert!(check(&server, format!("{chunked}0\r\n\r\n").as_bytes()).ends_with(&format!("2 {BODY_CAP}")));
    let over = check(&server, format!("{chunked}1\r\nx\r\n0\r\n\r\n").as_bytes());
    assert_eq!(status_line(&over), "HTTP/1.1 413 Payload Too Large");
}

#[test]
fn a_failed_exchange_closes_the_connection_without_a_byte() {
    let answers: [fn() -> Result<Response, TransportError>; 6] = [
        || Err(TransportError::not_sent("refused")),
        || Err(TransportError::unknown("lost")),
        || Err(TransportError::too_large(1)),
        || panic::resume_unwind(Box::new("a panic that prints nothing")),
        || Ok(http::Response::builder().status(100).body(Bytes::new()).unwrap()),
        || Ok(http::Response::builder().status(101).body(Bytes::new()).unwrap()),
    ];
    for answer in answers {
        let server = Server::start(from_fn_blocking(move |request: Request| match request.uri().path() {
            "/fault" => answer(),
            _ => Ok(Response::new(Bytes::from_static(b"fine"))),
        }))
        .unwrap();
        let ask = |path| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(check(&server, ask("/fault").as_bytes()), "");
        // Answers before the fault on the same connection stand, and the next connection is served.
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(ask("/").as_bytes()).unwrap();
        let expected = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
        let mut came = vec![0; expected.len()];
        stream.read_exact(&mut came).unwrap();
        assert_eq!(came, expected.as_bytes());
        stream.write_all(ask("/fault").as_bytes()).unwrap();
        assert_eq!(rest(&mut stream), "");
        assert_eq!(check(&server, ask("/").as_bytes()), expected);
    }
}

#[test]
fn an_answer_is_the_transport_s_but_for_the_connection_s_headers() {
    fn of(method: &str, answer: impl Fn() -> Response + Send + Sync + 'static) -> String {
        check(&answering(answer), format!("{method} / HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes())
    }
    let doubled = || {
        let answer = http::Response::builder()
            .status(429)
            .header("set-cookie", "a=1")
            .header("x", b"\xff".escape_ascii().to_string());
        answer
            .header("set-cookie", "b=2")
            .header("content-length", "99")
            .body(Bytes::from_static(b"{}"))
            .unwrap()
    };
    let headers = "set-cookie: a=1\r\nset-cookie: b=2\r\nx: \\xff\r\n";
    assert_eq!(
        of("GET", doubled),
        format!("HTTP/1.1 429 Too Many Requests\r\n{headers}content-length: 2\r\n\r\n{{}}")
    );
    assert_eq!(
        of("HEAD", doubled),
        format!("HTTP/1.1 429 Too Many Requests\r\n{headers}content-length: 99\r\n\r\n")
    );
    let without_content =
        || http::Response::builder().status(204).header("content-length", "9").body(Bytes::new()).unwrap();
    assert_eq!(of("GET", without_content), "HTTP/1.1 204 No Content\r\n\r\n");
    let with = |status: u16| http::Response::builder().status(status).body(Bytes::from_static(b"x")).unwrap();
    assert_eq!(of("GET", move || with(204)), "HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(of("GET", move || with(304)), "HTTP/1.1 304 Not Modified\r\n\r\n");
    assert_eq!(of("HEAD", move || with(200)), "HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(of("GET", move || with(302)), "HTTP/1.1 302 Found\r\ncontent-length: 1\r\n\r\nx");
    assert_eq!(of("GET", move || with(799)), "HTTP/1.1 799 \r\ncontent-length: 1\r\n\r\nx");
}

#[test]
fn a_client_that_expects_100_continue_gets_it_once() {
    let server = Server::start(describing()).unwrap();
    let head = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n";
    let go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut came = vec![0; go_ahead.len()];
    stream.read_exact(&mut came).unwrap();
    assert_eq!(came, go_ahead.as_bytes());
    stream.write_all(b"ab").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let came = rest(&mut stream);
    assert!(came.starts_with("HTTP/1.1 200 OK\r\n") && came.ends_with("\n\nab"), "{came}");

    // The server does not ask for a body that is there already.
    let came = check(&server, format!("{head}ab").as_bytes());
    assert!(came.starts_with("HTTP/1.1 200 OK\r\n") && came.ends_with("\n\nab"), "{came}");
    // The server does not ask for a body that is too large, and does not wait for an empty body.
    let too_large = head.replace("length: 2", "length: 9999999");
    assert_eq!(status_line(&check(&server, too_large.as_bytes())), "HTTP/1.1 413 Payload Too Large");
    let empty = head.replace("length: 2", "length: 0");
    assert_eq!(status_line(&check(&server, empty.as_bytes())), "HTTP/1.1 200 OK");
}

#[test]
fn many_connections_are_served_at_once() {
    const MANY: usize = 40;
    // No request is answered before all are there.
    let all = Arc::new(Barrier::new(MANY));
    let server = Server::start(from_fn_blocking({
        let all = Arc::clone(&all);
        move |request: Request| {
            all.wait();
            Ok(Response::new(request.uri().path().to_owned().into()))
        }
    }))
    .unwrap();
    thread::scope(|scope| {
        for number in 0..MANY {
            let server = &server;
            scope.spawn(move || {
                let came = check(server, format!("GET /{number} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
                assert!(came.ends_with(&format!("\r\n\r\n/{number}")), "{came}");
            });
        }
    });
}

#[test]
fn a_server_that_is_dropped_leaves_nothing_behind() {
    let held = Arc::new(AtomicUsize::new(0));
    let server = Server::start(counting(&held)).unwrap();
    let address = server.address();
    // A connection without a byte, a connection in the middle of a request, and a connection between two
    // requests.
    let mut silent = TcpStream::connect(address).unwrap();
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab").unwrap();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let expected = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nrequest 1";
    let mut came = vec![0; expected.len()];
    idle.read_exact(&mut came).unwrap();
    assert_eq!(came, expected.as_bytes());

    drop(server);
    assert_eq!(Arc::strong_count(&held), 1, "a thread has the transport still");
    for stream in [&mut silent, &mut half, &mut idle] {
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn servers_can_be_started_and_dropped_without_having_served() {
    let servers: Vec<_> = (0..8).map(|_| Server::start(describing()).unwrap()).collect();
    let mut urls: Vec<_> = servers.iter().map(|server| server.url().to_owned()).collect();
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), servers.len());
}

#[test]
fn debug_shows_the_address_alone() {
    let server = Server::start_as("https://secret.example", describing()).unwrap();
    assert_eq!(format!("{server:?}"), format!("Server {{ url: \"{}\", .. }}", server.url()));
}

/// Pieces that a request is made of, right ones and wrong ones.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b HTTP/1.1\r\n",
        "host: a\r\n",
        "content-length: 3\r\n",
        "connection: close\r\n",
        "transfer-encoding: chunked\r\n",
        "expect: 100-continue\r\n",
        "\r\n",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "abc",
        ":",
        " ",
        "\n",
    ]);
    prop_oneof![
        6 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn all_bytes_are_answered_in_http_and_the_server_lives_on(
        pieces in prop::collection::vec(piece(), 0..14),
    ) {
        let server = Server::start(from_fn_blocking(|_| Ok(Response::new(Bytes::new())))).unwrap();
        let sent = pieces.concat();
        let came = check(&server, &sent);
        let lines = came.split("\r\n").filter(|line| line.starts_with("HTTP/1.1 "));
        prop_assert!(lines.count() == came.matches("HTTP/1.1 ").count(), "{}", came);
        prop_assert!(came.is_empty() || came.ends_with("\r\n\r\n"), "{}", came);
        prop_assert_eq!(came.is_empty(), sent.is_empty());
        let next = check(&server, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        prop_assert_eq!(next, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}
