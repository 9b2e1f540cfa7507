use super::*;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use checkout_testkit::contract;
use checkout_testkit::loopback::ClosedPort;
use checkout_transport::Delivery;
use checkout_transport::bytes::Bytes;
use ureq::config::Config;
use ureq::middleware::MiddlewareNext;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport};
use ureq::{SendBody, Timeout};

/// The event on a connection for each operation on the connection.
#[derive(Clone, Copy, Debug)]
enum Play {
    Connected,
    Secured,
    Taken,
    Said(&'static str),
    Ended,
    Fails(Failing),
}

type Failing = fn() -> Error;

use Play::{Connected, Ended, Fails, Said, Secured, Taken};

/// Connections that follow a script, and the bytes written to them.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<(VecDeque<Play>, String)>>);

impl Script {
    fn new(plays: &[Play]) -> Self {
        Self(Arc::new(Mutex::new((plays.iter().copied().collect(), String::new()))))
    }

    fn next(&self) -> Play {
        self.0.lock().unwrap().0.pop_front().expect("the script goes on")
    }

    fn written(&self) -> String {
        self.0.lock().unwrap().1.clone()
    }
}

impl Connector for Script {
    type Out = Scripted;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Scripted>, Error> {
        match self.next() {
            Connected => Ok(Some(Scripted(self.clone(), LazyBuffers::new(4096, 4096), false))),
            Secured => Ok(Some(Scripted(self.clone(), LazyBuffers::new(4096, 4096), true))),
            Ended => Ok(None),
            Fails(with) => Err(with()),
            play @ (Taken | Said(_)) => panic!("{play:?} while connecting"),
        }
    }
}

#[derive(Debug)]
struct Scripted(Script, LazyBuffers, bool);

impl Transport for Scripted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.1
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let written = String::from_utf8(self.1.output()[..amount].to_vec()).unwrap();
        self.0.0.lock().unwrap().1.push_str(&written);
        match self.0.next() {
            Taken => Ok(()),
            Fails(with) => Err(with()),
            play @ (Connected | Secured | Said(_) | Ended) => panic!("{play:?} while writing"),
        }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        match self.0.next() {
            Said(text) => {
                self.1.input_append_buf()[..text.len()].copy_from_slice(text.as_bytes());
                self.1.input_appended(text.len());
                Ok(true)
            }
            Ended => Ok(false),
            Fails(with) => Err(with()),
            play @ (Connected | Secured | Taken) => panic!("{play:?} while reading"),
        }
    }

    fn is_open(&mut self) -> bool {
        true
    }

    fn is_tls(&self) -> bool {
        self.2
    }
}

const SECRET: &str = "s3cret";

/// A request with a secret in every place for a text.
fn request() -> Request {
    http::Request::post("http://127.0.0.1:1/pay?key=s3cret")
        .header("x-signature", SECRET)
        .body(Bytes::from_static(b"{\"card\":\"s3cret\"}"))
        .unwrap()
}

/// The result of a request in a line. No secret is in the whole chain of an error, printed either way.
fn told(sent: Result<Response, TransportError>) -> String {
    match sent {
        Ok(response) => format!("{} {}", response.status().as_u16(), response.body().escape_ascii()),
        Err(error) => {
            let mut texts = format!("{error:?}");
            let mut next: Option<&dyn StdError> = Some(&error);
            while let Some(error) = next {
                texts += &error.to_string();
                next = error.source();
            }
            assert!(!texts.contains(SECRET), "{texts}");
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            format!("{}: {source}", error.delivery())
        }
    }
}

/// Sends `request()` over a connection that follows `plays`, all of them.
fn check(plays: &[Play]) -> String {
    let script = Script::new(plays);
    let transport = Ureq::over(plain(), TIMEOUT, script.clone());
    let told = told(transport.send_blocking(request()));
    assert!(script.0.lock().unwrap().0.is_empty(), "the script was not played to its end");
    told
}

/// A configuration without the proxy of this machine.
fn plain() -> ConfigBuilder<AgentScope> {
    Config::builder().proxy(None)
}

fn refused() -> Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "refused").into()
}

fn reset() -> Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "reset").into()
}

fn late() -> Error {
    Error::Timeout(Timeout::Global)
}

fn late_connecting() -> Error {
    Error::Timeout(Timeout::Connect)
}

fn distrusted() -> Error {
    io::Error::new(io::ErrorKind::InvalidData, "invalid peer certificate").into()
}

/// Errors with which ureq may fail at any time, and their texts.
const ERRORS: [(Failing, &str); 6] = [
    (refused, "io: refused"),
    (reset, "io: reset"),
    (late, "timeout: global"),
    (late_connecting, "timeout: connect"),
    (distrusted, "io: invalid peer certificate"),
    (|| Error::HostNotFound, "host not found"),
];

#[test]
fn the_contract_is_kept() {
    if let Err(broken) = contract::check_shared(|timeout| Ureq::from_config(plain(), timeout)) {
        panic!("{broken}");
    }
}

#[test]
fn the_contract_is_kept_under_every_configuration() {
    let hostile = |timeout| {
        let config = plain()
            .max_redirects(10)
            .max_redirects_will_error(true)
            .redirect_auth_headers(ureq::config::RedirectAuthHeaders::SameHost)
            .save_redirect_history(true)
            .http_status_as_error(true)
            .user_agent("shop/1")
            .accept("text/html")
            .accept_encoding("gzip, br")
            .allow_non_standard_methods(false)
            .timeout_global(None);
        Ureq::from_config(config, timeout)
    };
    if let Err(broken) = contract::check_shared(hostile) {
        panic!("{broken}");
    }
}

#[test]
fn a_failure_before_the_first_byte_is_not_sent() {
    for (error, text) in ERRORS {
        assert_eq!(check(&[Fails(error)]), format!("not sent: {text}"));
    }
    assert_eq!(check(&[Ended]), "not sent: connection failed");
}

#[test]
fn the_same_failure_after_the_first_byte_is_unknown() {
    for (error, text) in ERRORS {
        for plays in [
            &[Connected, Fails(error)][..],
            &[Connected, Taken, Fails(error)],
            &[Connected, Taken, Taken, Fails(error)],
            &[Connected, Taken, Taken, Said("HTTP/1.1 200 OK\r\ncontent-le"), Fails(error)],
        ] {
            assert_eq!(check(plays), format!("unknown: {text}"), "{plays:?}");
        }
    }
}

#[test]
fn a_pooled_connection_that_was_closed_is_unknown_and_not_tried_again() {
    for end in [Ended, Fails(reset)] {
        let answer = Said("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        let script = Script::new(&[Connected, Taken, Taken, answer, Taken, Taken, end]);
        let transport = Ureq::over(plain(), TIMEOUT, script.clone());
        assert_eq!(told(transport.send_blocking(request())), "200 {}");
        assert!(told(transport.send_blocking(request())).starts_with("unknown: io: "));
        assert!(script.0.lock().unwrap().0.is_empty());
    }
}

#[test]
fn a_connection_that_fails_leaves_the_next_request_its_own_certainty() {
    let script = Script::new(&[Connected, Taken, Fails(reset), Fails(refused), Connected, Fails(reset)]);
    let transport = Ureq::over(plain(), TIMEOUT, script);
    let send = || told(transport.send_blocking(request()));
    assert_eq!(
        [send(), send(), send()],
        ["unknown: io: reset", "not sent: io: refused", "unknown: io: reset"]
    );
}

#[test]
fn a_body_that_ends_with_its_connection_is_whole_only_when_that_was_closed() {
    let head = Said("HTTP/1.1 200 OK\r\n\r\n{\"a\":1");
    let up_to = |last| check(&[Connected, Taken, Taken, head, last]);
    assert_eq!(up_to(Ended), "200 {\\\"a\\\":1");
    assert_eq!(up_to(Fails(reset)), "unknown: the connection broke before the response had ended");
    let cut_by_tls = || io::Error::from(io::ErrorKind::UnexpectedEof).into();
    assert_eq!(up_to(Fails(cut_by_tls)), "unknown: the connection broke before the response had ended");
}

#[test]
fn a_body_that_is_shorter_than_its_length_is_refused() {
    let head = Said("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\":1");
    assert_eq!(check(&[Connected, Taken, Taken, head, Ended]), "unknown: Peer disconnected");
}

#[test]
fn a_middleware_that_sends_from_another_thread_is_stopped() {
    let elsewhere = |request: http::Request<SendBody<'_>>, next: MiddlewareNext<'_>| {
        let (head, _) = request.into_parts();
        thread::scope(|scope| {
            let sending = move || next.handle(http::Request::from_parts(head, SendBody::none()));
            scope.spawn(sending).join().expect("ureq does not panic")
        })
    };
    let script = Script::new(&[]);
    let transport = Ureq::over(plain().middleware(elsewhere), TIMEOUT, script.clone());
    let told = told(transport.send_blocking(request()));
    assert_eq!(told, "unknown: other: a middleware sent the request from another thread");
    assert_eq!(script.written(), "");
}

#[test]
fn a_failure_of_a_middleware_before_its_sending_is_unknown() {
    let failing = |_: http::Request<SendBody<'_>>, _: MiddlewareNext<'_>| Err(refused());
    let transport = Ureq::over(plain().middleware(failing), TIMEOUT, Script::new(&[]));
    assert_eq!(told(transport.send_blocking(request())), "unknown: io: refused");
}

#[test]
fn a_request_within_a_request_does_not_confuse_the_two() {
    for (inner, outer, told_inner, told_outer) in [
        (Fails(refused), Fails(reset), "not sent: io: refused", "not sent"),
        (Connected, Fails(refused), "unknown: io: reset", "not sent"),
        (Fails(refused), Connected, "not sent: io: refused", "unknown"),
    ] {
        let after = |play| if matches!(play, Connected) { vec![play, Fails(reset)] } else { vec![play] };
        let token = Ureq::over(plain(), TIMEOUT, Script::new(&after(inner)));
        let asked = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&asked);
        let asking = move |request: http::Request<SendBody<'_>>, next: MiddlewareNext<'_>| {
            *seen.lock().unwrap() = told(token.send_blocking(super::tests::request()));
            next.handle(request)
        };
        let transport = Ureq::over(plain().middleware(asking), TIMEOUT, Script::new(&after(outer)));
        let told = told(transport.send_blocking(request()));
        assert_eq!(*asked.lock().unwrap(), told_inner);
        assert!(told.starts_with(&format!("{told_outer}: ")), "{told}");
    }
}

/// The head that is written for a request, its lines parted by `|`.
fn head_of(request: Request) -> String {
    let script = Script::new(&[Connected, Taken, Fails(reset)]);
    let transport = Ureq::over(plain(), TIMEOUT, script.clone());
    let _ = transport.send_blocking(request);
    let written = script.written();
    written.split_once("\r\n\r\n").unwrap().0.replace("\r\n", "|")
}

#[test]
fn the_head_has_the_given_headers_the_host_and_the_length_alone() {
    let head = |method: &str, body: &'static str| {
        let builder = http::Request::builder().method(method).uri("http://127.0.0.1:1/a//b/../%7e?b=2&a=%2F");
        head_of(
            builder.header("x-b", "1").header("x-a", "2").body(Bytes::from_static(body.as_bytes())).unwrap(),
        )
    };
    let line = |method| format!("{method} /a//b/../%7e?b=2&a=%2F HTTP/1.1|host: 127.0.0.1:1");
    for (method, body, length) in [
        ("GET", "", ""),
        ("DELETE", "", ""),
        ("PURGE", "", ""),
        ("GET", "{}", "|content-length: 2"),
        ("DELETE", "{}", "|content-length: 2"),
        ("PURGE", "{}", "|content-length: 2"),
        ("POST", "{}", "|content-length: 2"),
        ("POST", "", "|content-length: 0"),
        ("PUT", "", "|content-length: 0"),
        ("PATCH", "", "|content-length: 0"),
    ] {
        assert_eq!(
            head(method, body),
            line(method).replace("|host", &format!("{length}|host")) + "|x-b: 1|x-a: 2"
        );
    }
}

#[test]
fn settings_that_came_with_the_request_are_not_read() {
    let agent = Agent::new_with_defaults();
    let with_settings = agent.configure_request(http::Request::get("http://127.0.0.1:1/").body(()).unwrap());
    let with_settings = with_settings.user_agent("shop/1").accept("*/*").http_status_as_error(true).build();
    let request = with_settings.map(|()| Bytes::new());
    assert_eq!(head_of(request.clone()), "GET / HTTP/1.1|host: 127.0.0.1:1");
    let answer = Said("HTTP/1.1 500 \r\ncontent-length: 0\r\n\r\n");
    let transport = Ureq::over(plain(), TIMEOUT, Script::new(&[Connected, Taken, answer]));
    assert_eq!(told(transport.send_blocking(request)), "500 ");
}

#[test]
fn a_uri_that_would_not_go_out_as_given_is_refused_without_being_quoted() {
    for (uri, text) in [
        ("https://s3cret:s3cret@127.0.0.1/", "the URI has a user name or a password"),
        ("https://s3cret@127.0.0.1/", "the URI has a user name or a password"),
        ("ftp://127.0.0.1/s3cret", "the URI is neither http nor https"),
        ("/s3cret", "the URI is neither http nor https"),
        ("s3cret.example", "the URI is neither http nor https"),
    ] {
        let request = || http::Request::get(uri).body(Bytes::new()).unwrap();
        let checked = Ureq::over(plain(), TIMEOUT, Script::new(&[]));
        let unchecked = Ureq::from_agent_unchecked(plain().build().new_agent());
        for transport in [checked, unchecked] {
            assert_eq!(told(transport.send_blocking(request())), format!("not sent: {text}"));
        }
    }
    let https_only = Ureq::over(plain().https_only(true), TIMEOUT, Script::new(&[]));
    let told = told(https_only.send_blocking(request()));
    assert_eq!(told, "not sent: the configuration asks for https, and the URI is http");
}

#[test]
fn an_error_that_may_quote_the_request_is_not_shown() {
    let quoting = || Error::BadUri("http://127.0.0.1/?key=s3cret".to_owned());
    let text = "ureq gave up, with a text that may quote the request";
    assert_eq!(check(&[Fails(quoting)]), format!("not sent: {text}"));
    assert_eq!(check(&[Connected, Taken, Fails(quoting)]), format!("unknown: {text}"));
}

#[test]
fn an_https_request_goes_over_a_connection_with_tls_and_over_no_other() {
    let over = |connection| {
        let answer = Said("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        let script = Script::new(&[connection, Taken, answer]);
        let transport = Ureq::over(plain(), TIMEOUT, script.clone());
        let request = http::Request::get("https://127.0.0.1/?key=s3cret").body(Bytes::new()).unwrap();
        (told(transport.send_blocking(request)), script.written().is_empty())
    };
    assert_eq!(over(Secured), ("200 {}".to_owned(), false));
    assert!(over(Connected).0.starts_with("not sent: "), "{over:?}", over = over(Connected).0);
    assert!(over(Connected).1, "the request went out in clear");
}

#[test]
fn a_tls_handshake_that_fails_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 1];
        // Without TLS built in there is no hello.
        if stream.read(&mut hello).unwrap() == 1 {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    let request = http::Request::get(format!("https://{address}/")).body(Bytes::new()).unwrap();
    let error = Ureq::from_config(plain(), TIMEOUT).send_blocking(request).unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");
    server.join().unwrap();
}

#[test]
fn every_failure_of_an_unchecked_agent_is_unknown() {
    let port = ClosedPort::find().unwrap();
    let request = || http::Request::get(port.url()).body(Bytes::new()).unwrap();
    let unchecked = Ureq::from_agent_unchecked(plain().build().new_agent());
    let checked = Ureq::from_config(plain(), TIMEOUT);
    assert_eq!(unchecked.send_blocking(request()).unwrap_err().delivery(), Delivery::Unknown);
    assert_eq!(checked.send_blocking(request()).unwrap_err().delivery(), Delivery::NotSent);
}

#[test]
fn the_cap_is_kept_and_never_exceeds_the_contract_s() {
    let answer = Said("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n123");
    let streamed = Said("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n0\r\n\r\n");
    for answer in [answer, streamed] {
        for (cap, exceeded) in [(2, Some(2)), (3, None), (usize::MAX, None)] {
            let script = Script::new(&[Connected, Taken, Taken, answer]);
            let sent = Ureq::over(plain(), TIMEOUT, script).cap(cap).send_blocking(request());
            assert_eq!(sent.err().and_then(|error| error.exceeded_cap()), exceeded, "{cap}");
        }
    }
    assert_eq!(Ureq::new().cap(usize::MAX).cap, BODY_CAP);
    // Nothing is read of a body that is announced to be larger.
    let announced = Said("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
    let script = Script::new(&[Connected, Taken, Taken, announced]);
    let sent = Ureq::over(plain(), TIMEOUT, script).cap(8).send_blocking(request());
    assert_eq!(sent.unwrap_err().exceeded_cap(), Some(8));
}

#[test]
fn a_response_carries_nothing_of_the_request() {
    let answer = Said("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let transport = Ureq::over(plain(), TIMEOUT, Script::new(&[Connected, Taken, Taken, answer]));
    assert!(transport.send_blocking(request()).unwrap().extensions().is_empty());
}

#[test]
fn debug_shows_the_time_out_and_the_cap_alone() {
    let proxy = ureq::Proxy::new("http://user:s3cret@127.0.0.1:1").unwrap();
    let transport = Ureq::from_config(Config::builder().proxy(Some(proxy)), TIMEOUT).cap(8);
    assert_eq!(format!("{transport:?}"), "Ureq { timeout: Some(30s), cap: 8, .. }");
}

#[test]
fn a_time_out_beyond_the_clock_is_a_year_and_no_panic() {
    let server = checkout_testkit::loopback::Server::start(checkout_transport::from_fn_blocking(
        |request: Request| Ok(Response::new(request.into_body())),
    ))
    .unwrap();
    let transport = Ureq::from_config(Config::builder().proxy(None), Duration::MAX);
    let request = http::Request::post(server.url()).body(Bytes::from_static(b"{}")).unwrap();
    assert_eq!(transport.send_blocking(request).unwrap().body(), "{}");
    assert_eq!(format!("{transport:?}"), "Ureq { timeout: Some(31536000s), cap: 1048576, .. }");
}
