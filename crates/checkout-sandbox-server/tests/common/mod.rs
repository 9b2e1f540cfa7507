//! A tiny HTTP client over a socket, and requests of each provider, written by hand from the providers'
//! pages.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, each of which uses a part"
)]

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use checkout_auth::allscale::{RequestToSign, SigningKey};
use checkout_auth::peach::SecretToken;
use checkout_sandbox_server::{BindError, Builder, Keys, RunningServer};
use serde_json::{Value, json};

/// A server in a thread of its own, which ends with the value.
pub(crate) struct Running {
    pub(crate) server: Option<RunningServer>,
    runtime: tokio::runtime::Runtime,
}

impl Running {
    pub(crate) fn start(builder: Builder) -> Self {
        Self::try_start(builder).unwrap()
    }

    pub(crate) fn try_start(builder: Builder) -> Result<Self, BindError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(builder.bind())?;
        Ok(Self { server: Some(server), runtime })
    }

    pub(crate) fn get(&self) -> &RunningServer {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.get().addr()
    }

    pub(crate) fn shutdown(mut self) {
        self.runtime.block_on(self.server.take().unwrap().shutdown());
    }

    /// The answer of an admin route, as JSON.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        admin(self.addr(), method, path, &body)
    }

    /// The keys of a new world.
    pub(crate) fn new_world(&self, settings: &Value) -> Keys {
        let (status, world) = self.admin("POST", "/_/worlds", settings);
        assert_eq!(status, 201, "{world}");
        self.get().world(world["name"].as_str().unwrap()).unwrap().keys().clone()
    }
}

pub(crate) fn admin(addr: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let answer = send(addr, method, path, &[("content-type", "application/json")], body.as_bytes()).unwrap();
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

/// An answer: the status, the head as text, and the body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn whole(&self) -> String {
        format!("{}\n\n{}", self.head, self.body)
    }
}

/// Sends a request on a connection of its own. `None` if the connection ends without an answer.
pub(crate) fn send(
    addr: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        write!(head, "host: {addr}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
    raw(addr, &[head.as_bytes(), body].concat())
}

/// A connection on which an answer that does not come fails the test after a minute.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    stream
}

/// Sends bytes, and reads the answer to the end of the connection.
pub(crate) fn raw(addr: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(addr);
    stream.write_all(bytes).unwrap();
    read(stream)
}

/// Sends bytes, says that no more bytes come, and reads the answer to the end of the connection.
pub(crate) fn raw_and_end(addr: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(addr);
    stream.write_all(bytes).unwrap();
    // The server may have closed the connection already.
    let _ = stream.shutdown(Shutdown::Write);
    read(stream)
}

fn read(mut stream: TcpStream) -> Option<Answer> {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

static NONCES: AtomicU64 = AtomicU64::new(0);

/// A number that no other call has given.
pub(crate) fn next_number() -> u64 {
    NONCES.fetch_add(1, Ordering::Relaxed)
}

/// AllScale's client: signs `signed_path`, and sends to `prefix` and that path.
pub(crate) struct AllScale<'a> {
    pub(crate) addr: SocketAddr,
    pub(crate) prefix: &'a str,
    pub(crate) keys: &'a Keys,
    pub(crate) unix_seconds: u64,
}

impl AllScale<'_> {
    pub(crate) fn send_signed(
        &self,
        method: &str,
        signed_path: &str,
        body: &str,
        nonce: &str,
    ) -> Option<Answer> {
        self.send_signed_with(method, signed_path, body, nonce, &[])
    }

    /// Sends a signed request with more headers.
    pub(crate) fn send_signed_with(
        &self,
        method: &str,
        signed_path: &str,
        body: &str,
        nonce: &str,
        more: &[(&str, &str)],
    ) -> Option<Answer> {
        let headers = self.headers(method, signed_path, body, nonce);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let target = format!("{}{signed_path}", self.prefix);
        send(self.addr, method, &target, &[&headers, more].concat(), body.as_bytes())
    }

    /// The headers of a signed request.
    fn headers(
        &self,
        method: &str,
        signed_path: &str,
        body: &str,
        nonce: &str,
    ) -> Vec<(&'static str, String)> {
        let (path, query) = signed_path.split_once('?').unwrap_or((signed_path, ""));
        let secret = (&*self.keys.allscale_api_secret).into();
        let key = SigningKey::new(&*self.keys.allscale_api_key, secret).unwrap();
        let timestamp = self.unix_seconds;
        let to_sign = RequestToSign { method, path, query, timestamp, nonce, body: body.as_bytes() };
        let signature = key.sign(&to_sign).unwrap();
        vec![
            ("X-API-Key", self.keys.allscale_api_key.clone()),
            ("X-Timestamp", timestamp.to_string()),
            ("X-Nonce", nonce.to_owned()),
            ("X-Signature", signature.as_str().to_owned()),
            ("Content-Type", "application/json".to_owned()),
        ]
    }

    /// The bytes of a signed request.
    pub(crate) fn bytes(&self, method: &str, signed_path: &str, body: &str, nonce: &str) -> Vec<u8> {
        let mut head = format!("{method} {}{signed_path} HTTP/1.1\r\nhost: {}\r\n", self.prefix, self.addr);
        for (name, value) in self.headers(method, signed_path, body, nonce) {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        head.into_bytes()
    }

    /// Sends a signed request without a body, with more headers.
    pub(crate) fn send_with(&self, method: &str, path: &str, more: &[(&str, &str)]) -> Option<Answer> {
        self.send_signed_with(method, path, "", &format!("nonce-{}", next_number()), more)
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Option<Answer> {
        self.send_signed(method, path, body, &format!("nonce-{}", next_number()))
    }

    pub(crate) fn create(&self, order: &str) -> Option<Answer> {
        let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": order });
        self.send("POST", "/v1/checkout_intents/", &body.to_string())
    }

    /// The id of a new intent.
    pub(crate) fn new_intent(&self, order: &str) -> String {
        let answer = self.create(order).unwrap();
        assert_eq!((answer.status, answer.json()["code"].as_i64()), (200, Some(0)), "{answer:?}");
        answer.json()["payload"]["allscale_checkout_intent_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn status(&self, id: &str) -> Answer {
        self.send("GET", &format!("/v1/checkout_intents/{id}/status"), "").unwrap()
    }
}

/// Azotte's submit.
pub(crate) fn submit(addr: SocketAddr, prefix: &str, keys: &Keys, order: &str) -> Answer {
    let body = json!({
        "order": {
            "offerIdentifier": "of_1", "correlationId": order,
            "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" }
        },
        "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
    });
    let headers = [
        ("x-tn", &*keys.azotte_x_tn),
        ("x-api-key", &keys.azotte_api_key),
        ("content-type", "application/json"),
    ];
    let target = format!("{prefix}/api/v1/c2a/offer/checkout");
    send(addr, "POST", &target, &headers, body.to_string().as_bytes()).unwrap()
}

/// The fields of Peach's initiate, signed.
pub(crate) fn initiate_fields(keys: &Keys, order: &str) -> Vec<(String, String)> {
    let nonce = format!("nonce{}", next_number());
    let mut fields: Vec<(String, String)> = [
        ("authentication.entityId", &*keys.peach_entity_id),
        ("merchantTransactionId", order),
        ("amount", "10.00"),
        ("currency", "ZAR"),
        ("paymentType", "DB"),
        ("nonce", &nonce),
        ("shopperResultUrl", "https://shop.example/done"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    sign(keys, &mut fields);
    fields
}

fn sign(keys: &Keys, fields: &mut Vec<(String, String)>) {
    let token = SecretToken::new((&*keys.peach_secret_token).into()).unwrap();
    let borrowed = fields.iter().map(|(name, value)| (&**name, &**value));
    let signature = token.sign(borrowed).unwrap().as_str().to_owned();
    fields.push(("signature".to_owned(), signature));
}

pub(crate) fn form(fields: &[(String, String)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

/// Peach's initiate of V1.
pub(crate) fn initiate(addr: SocketAddr, prefix: &str, keys: &Keys, order: &str) -> Answer {
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("referer", "https://shop.example")];
    let target = format!("{prefix}/checkout/initiate");
    send(addr, "POST", &target, &headers, form(&initiate_fields(keys, order)).as_bytes()).unwrap()
}

/// Peach's status of V1, by the merchant's transaction.
pub(crate) fn peach_status(addr: SocketAddr, prefix: &str, keys: &Keys, order: &str) -> Answer {
    let mut fields = vec![
        ("authentication.entityId".to_owned(), keys.peach_entity_id.clone()),
        ("merchantTransactionId".to_owned(), order.to_owned()),
    ];
    sign(keys, &mut fields);
    send(addr, "GET", &format!("{prefix}/status?{}", form(&fields)), &[], b"").unwrap()
}

/// Peach's access token of V2.
pub(crate) fn token(addr: SocketAddr, prefix: &str, keys: &Keys) -> Answer {
    let body = json!({
        "clientId": keys.peach_client_id,
        "clientSecret": keys.peach_client_secret,
        "merchantId": keys.peach_merchant_id,
    });
    let target = format!("{prefix}/api/oauth/token");
    send(addr, "POST", &target, &[("content-type", "application/json")], body.to_string().as_bytes()).unwrap()
}

/// Peach's create of V2.
pub(crate) fn create_v2(addr: SocketAddr, prefix: &str, keys: &Keys, token: &str, order: &str) -> Answer {
    let body = create_v2_body(keys, order);
    let headers = [
        ("content-type", "application/json"),
        ("referer", "https://shop.example"),
        ("authorization", &format!("Bearer {token}")),
    ];
    let target = format!("{prefix}/v2/checkout");
    send(addr, "POST", &target, &headers, body.to_string().as_bytes()).unwrap()
}

/// Peach's create of V2, with a `notificationUrl`.
pub(crate) fn create_v2_notified(
    addr: SocketAddr,
    keys: &Keys,
    token: &str,
    order: &str,
    url: &str,
) -> Answer {
    let mut body = create_v2_body(keys, order);
    body["notificationUrl"] = url.into();
    let authorization = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/json"),
        ("referer", "https://shop.example"),
        ("authorization", &*authorization),
    ];
    send(addr, "POST", "/v2/checkout", &headers, body.to_string().as_bytes()).unwrap()
}

fn create_v2_body(keys: &Keys, order: &str) -> Value {
    json!({
        "authentication": { "entityId": keys.peach_entity_id },
        "merchantTransactionId": order,
        "amount": 10,
        "paymentType": "DB",
        "currency": "ZAR",
        "nonce": format!("nonce{}", next_number()),
        "shopperResultUrl": "https://shop.example/done",
    })
}

/// Peach's status of V2.
pub(crate) fn status_v2(addr: SocketAddr, prefix: &str, token: &str, id: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let target = format!("{prefix}/v2/checkout/{id}/status");
    send(addr, "GET", &target, &[("authorization", &*authorization)], b"").unwrap()
}
