//! A request to the sandbox's server, whose method, path, headers and body are the fuzzer's: the first line is
//! the method and the target, the next lines are headers, and the body follows an empty line.
//!
//! The law: the server answers or closes the connection, an own route never answers with a status of the 500s,
//! a refusal says why, and the server goes on.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use checkout_sandbox_server::{RunningServer, Server};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// A server, and the number of the requests that the server has got.
struct Scene {
    runtime: Runtime,
    server: RunningServer,
    asked: u32,
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

fuzz_target!(|input: &[u8]| {
    // Nothing is sent to whoever listens on this machine.
    let leads_here = |part: &[u8]| {
        let names: [&[u8]; 4] = [b"127", b"localhost", b"::1", b"0.0"];
        names.iter().any(|name| part.windows(name.len()).any(|bytes| bytes.eq_ignore_ascii_case(name)))
    };
    if leads_here(input) {
        return;
    }
    SCENE.with_borrow_mut(|scene| {
        if scene.as_ref().is_none_or(|scene| scene.asked >= MOST_ASKED) {
            *scene = Some(Scene::start());
        }
        if let Some(scene) = scene {
            scene.asked += 1;
            scene.ask(input);
        }
    });
});

impl Scene {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::builder().bind()).unwrap();
        Self { runtime, server, asked: 0 }
    }

    fn ask(&self, input: &[u8]) {
        let key = &self.server.default_world().keys().azotte_api_key;
        let request = request(self.server.addr(), key, input);
        let answer = self.runtime.block_on(sent(self.server.addr(), &request));
        let is_own =
            input.split(|byte| *byte == b' ').nth(1).is_some_and(|target| target.starts_with(b"/_/"));
        check(&answer, is_own);
        let ready = self.runtime.block_on(sent(self.server.addr(), READY));
        assert!(ready.starts_with(b"HTTP/1.1 200 "), "the server does not go on");
    }
}

/// The request's bytes. The length of the body is right, unless the fuzzer says another length. The header
/// `x-api-key: KEY` gets a key that the server knows.
fn request(addr: SocketAddr, key: &str, input: &[u8]) -> Vec<u8> {
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    let body = body.get(2..).unwrap_or_default();
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut request = lines.next().unwrap_or_default().to_vec();
    request.extend(format!(" HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n").bytes());
    for line in lines.filter(|line| !line.is_empty()) {
        let named = line.strip_suffix(b"KEY").filter(|name| *name == b"x-api-key: ");
        request.extend(named.unwrap_or(line));
        request.extend(named.map_or(&b""[..], |_| key.as_bytes()));
        request.extend(b"\r\n");
    }
    request.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
    request.extend(body);
    request
}

async fn sent(addr: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // A server that has refused the request may have closed the connection already.
        let _ = stream.write_all(request).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    // A stream of events has no end.
    let _ = tokio::time::timeout(Duration::from_secs(2), exchange).await;
    answer
}

fn check(answer: &[u8], is_own: bool) {
    let Some(status) = answer.strip_prefix(b"HTTP/1.1 ") else {
        assert!(answer.is_empty(), "not an answer");
        return;
    };
    let status: u16 = std::str::from_utf8(&status[..3]).unwrap().parse().unwrap();
    if !is_own {
        return;
    }
    assert!(status < 500, "{}", String::from_utf8_lossy(answer));
    let body =
        answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(&[][..], |end| &answer[end + 4..]);
    // An empty refusal is HTTP's own: the bytes are no request.
    let says_why = [&br#"{"error":{"#[..], b"<!DOCTYPE html>"].iter().any(|begin| body.starts_with(begin));
    assert!(status < 400 || body.is_empty() || says_why, "{}", String::from_utf8_lossy(answer));
}

const READY: &[u8] = b"GET /_/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// The requests for one server, so that what an input leaves behind does not grow without end.
const MOST_ASKED: u32 = 500;
