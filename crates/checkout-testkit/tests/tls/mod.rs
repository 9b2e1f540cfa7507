//! The laws of every adapter with TLS, over a server of our own: for the tests of these adapters, which
//! include the file by its path. [`laws`] makes tests of the laws.

mod server;

use std::io;
use std::net::TcpListener;

use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, Delivery, Response, TransportError, http};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use server::{Authority, Cut, Does, End, Identity, Record, Server, VALID};

/// Makes a transport that trusts this root, in DER, and no other.
pub(crate) type Trusting = fn(&[u8]) -> Box<dyn BlockingTransport>;

/// The tests of a transport, made by a function of the type [`Trusting`].
macro_rules! laws {
    ($trusting:expr) => {
        #[test]
        fn the_bytes_go_out_and_come_back_unchanged_under_a_trusted_root() {
            crate::tls::exact_under_a_trusted_root($trusting);
        }

        #[test]
        fn nothing_is_sent_to_a_server_with_a_wrong_certificate() {
            crate::tls::nothing_for_a_wrong_certificate($trusting);
        }

        #[test]
        fn nothing_is_sent_to_a_server_without_tls() {
            crate::tls::nothing_without_tls($trusting);
        }

        #[test]
        fn a_handshake_that_is_cut_has_sent_nothing() {
            crate::tls::nothing_when_the_handshake_is_cut($trusting);
        }

        #[test]
        fn a_body_without_a_length_is_whole_only_after_a_close_notify() {
            crate::tls::whole_only_when_said($trusting);
        }

        #[test]
        fn an_answer_that_is_cut_is_unknown_and_nothing_is_sent_again() {
            crate::tls::cut_answers_are_unknown($trusting);
        }

        #[test]
        fn no_redirect_out_of_tls_is_followed() {
            crate::tls::no_redirect_is_followed($trusting);
        }

        #[test]
        fn nothing_is_sent_before_the_end_of_a_handshake_even_to_a_known_server() {
            crate::tls::no_early_data($trusting);
        }
    };
}

pub(crate) use laws;

pub(crate) fn exact_under_a_trusted_root(trusting: Trusting) {
    let body = "{\"b\" : 1.50,\r\n \"a\":\"\u{e9}\"}\n";
    let answer = format!(
        "HTTP/1.1 402 Payment Required\r\nX-Kept: b\r\nx-kept: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for version in VERSIONS {
        // The name of the host is the address; the other name shows that there can be two.
        let (sent, records) = with_authority(trusting, version, &["shop.example", HOST], &answer, End::Said);
        let response = sent.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (402, body.as_bytes()));
        assert_eq!(response.headers().get_all("x-kept").iter().collect::<Vec<_>>(), ["b", "a"]);
        came_once(&records);
    }
}

pub(crate) fn nothing_for_a_wrong_certificate(trusting: Trusting) {
    let (known, other) = (Authority::new(), Authority::new());
    for version in VERSIONS {
        for (what, identity) in [
            ("of a root of the same name with another key", other.sign(&[HOST], VALID)),
            ("of its own", Identity::of_its_own(&[HOST])),
            ("for another host", known.sign(&["provider.example"], VALID)),
            ("for another address", known.sign(&["127.0.0.2"], VALID)),
            ("for no host", known.sign(&[], VALID)),
            ("that has expired", known.sign(&[HOST], (1975, 2001))),
            ("that is not valid yet", known.sign(&[HOST], (4000, 4096))),
        ] {
            let answers = Does::Answers(OK.to_vec(), End::Said);
            let (sent, records) = exchange(trusting(known.der()), &identity, version, answers);
            not_sent(&format!("a certificate {what}, {:?}", version.version), sent, &records);
        }
    }
}

pub(crate) fn nothing_without_tls(trusting: Trusting) {
    let authority = Authority::new();
    let identity = authority.sign(&[HOST], VALID);
    let (sent, records) = exchange(trusting(authority.der()), &identity, &TLS13, Does::SpeaksHttp);
    not_sent("HTTP in clear", sent, &records);
}

pub(crate) fn nothing_when_the_handshake_is_cut(trusting: Trusting) {
    let authority = Authority::new();
    let identity = authority.sign(&[HOST], VALID);
    let cuts: [(&str, Cut); 4] = [
        ("before the server's part", |_| 0),
        ("in the middle", |whole| whole / 2),
        ("before its last byte", |whole| whole - 1),
        // In TLS 1.3 there is nothing more to come, and the client may send.
        ("before the server's last word", |whole| whole),
    ];
    for version in VERSIONS {
        for (what, at) in &cuts[..if version == &TLS12 { 4 } else { 3 }] {
            let cuts = Does::CutsTheHandshake(*at);
            let (sent, records) = exchange(trusting(authority.der()), &identity, version, cuts);
            not_sent(&format!("a handshake cut {what}, {:?}", version.version), sent, &records);
        }
    }
}

pub(crate) fn whole_only_when_said(trusting: Trusting) {
    let answer = "HTTP/1.1 200 OK\r\n\r\n{\"amount\":10";
    for version in VERSIONS {
        let (sent, records) = with_authority(trusting, version, &[HOST], answer, End::Said);
        assert_eq!(sent.unwrap().body(), "{\"amount\":10");
        came_once(&records);
        // A party between the two kept back the rest of the body, `00}` maybe.
        let (sent, records) = with_authority(trusting, version, &[HOST], answer, End::Cut);
        unknown(&format!("a body without its end, {:?}", version.version), sent, &records);
    }
    // Where the length is known, nobody can keep anything back.
    let (sent, _) = with_authority(trusting, &TLS13, &[HOST], std::str::from_utf8(OK).unwrap(), End::Cut);
    assert_eq!(sent.unwrap().body(), "{}");
}

pub(crate) fn cut_answers_are_unknown(trusting: Trusting) {
    for version in VERSIONS {
        for end in [End::Said, End::Cut] {
            for (what, answer) in [
                ("no answer", ""),
                ("half a head", "HTTP/1.1 200 OK\r\ncontent-le"),
                ("a head without its body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
                ("half a body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\""),
                ("half the chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n"),
            ] {
                let (sent, records) = with_authority(trusting, version, &[HOST], answer, end);
                unknown(&format!("{what}, {end:?}, {:?}", version.version), sent, &records);
            }
        }
    }
}

pub(crate) fn no_redirect_is_followed(trusting: Trusting) {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = TcpListener::bind((HOST, 0)).unwrap();
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://{}/{SECRET}\r\ncontent-length: 0\r\n\r\n",
            elsewhere.local_addr().unwrap()
        );
        let (sent, records) = with_authority(trusting, &TLS13, &[HOST], &answer, End::Said);
        assert_eq!(sent.unwrap().status(), status);
        came_once(&records);
        elsewhere.set_nonblocking(true).unwrap();
        assert_eq!(elsewhere.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "{status}");
    }
}

pub(crate) fn no_early_data(trusting: Trusting) {
    let authority = Authority::new();
    let answers = Does::Answers(CLOSING.to_vec(), End::Said);
    let server = Server::start(&authority.sign(&[HOST], VALID), &TLS13, answers);
    let transport = trusting(authority.der());
    for _ in 0..3 {
        assert_eq!(transport.send_blocking(request(&server)).unwrap().body(), "{}");
    }
    drop(transport);
    let records = server.finish();
    assert_eq!(records.len(), 3, "each has a connection of its own");
    assert_eq!(records.iter().filter(|record| record.is_resumed).count(), 2);
    for record in &records {
        assert_eq!(record.early, 0);
        came_once(std::slice::from_ref(record));
    }
}

type Sent = Result<Response, TransportError>;

/// One request to a server of a known root that gives this answer.
fn with_authority(
    trusting: Trusting,
    version: &'static SupportedProtocolVersion,
    hosts: &[&str],
    answer: &str,
    end: End,
) -> (Sent, Vec<Record>) {
    let authority = Authority::new();
    let answers = Does::Answers(answer.as_bytes().to_vec(), end);
    exchange(trusting(authority.der()), &authority.sign(hosts, VALID), version, answers)
}

/// One request: the outcome, and the bytes that came to the server.
fn exchange(
    transport: Box<dyn BlockingTransport>,
    identity: &Identity,
    version: &'static SupportedProtocolVersion,
    does: Does,
) -> (Sent, Vec<Record>) {
    let server = Server::start(identity, version, does);
    let sent = transport.send_blocking(request(&server));
    drop(transport);
    (sent, server.finish())
}

/// A request with a secret in its path, its query, a header and its body.
fn request(server: &Server) -> http::Request<Bytes> {
    http::Request::post(format!("https://{}{TARGET}", server.address()))
        .header("x-signature", SECRET)
        .body(Bytes::from_static(BODY.as_bytes()))
        .unwrap()
}

/// Not a byte of the request has come, neither in clear nor over TLS.
fn not_sent(what: &str, sent: Sent, records: &[Record]) {
    let Err(error) = sent else { panic!("{what}: there was an answer") };
    assert_eq!(error.delivery(), Delivery::NotSent, "{what}: {error:?}");
    assert!(!records.is_empty(), "{what}: nobody came");
    for record in records {
        assert_eq!(record.clear.escape_ascii().to_string(), "", "{what}");
        for part in [SECRET, "POST", "HTTP/1.1", "x-signature"] {
            assert!(!contains(&record.raw, part), "{what}: {}", record.raw.escape_ascii());
        }
    }
}

fn unknown(what: &str, sent: Sent, records: &[Record]) {
    let Err(error) = sent else { panic!("{what}: there was an answer") };
    assert_eq!(error.delivery(), Delivery::Unknown, "{what}: {error:?}");
    came_once(records);
}

/// One request has come, with all its bytes, and none of them in clear.
fn came_once(records: &[Record]) {
    let [record] = records else { panic!("{} connections", records.len()) };
    let clear = String::from_utf8(record.clear.clone()).unwrap();
    let (head, body) = clear.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some(format!("POST {TARGET} HTTP/1.1").as_str()));
    assert_eq!(lines.filter(|line| *line == format!("x-signature: {SECRET}")).count(), 1, "{head}");
    assert!(!contains(&record.raw, SECRET));
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

const HOST: &str = "127.0.0.1";
const SECRET: &str = "s3cret-5f1c";
const TARGET: &str = "/v1/s3cret-5f1c//%7e?key=s3cret-5f1c&a=";
const BODY: &str = "{\"card\" : \"s3cret-5f1c\"}\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
