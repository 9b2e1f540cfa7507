//! The providers' routes over a socket: paths, prefixes, signatures, sizes, faults and hosts.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox::{allscale, azotte, peach};
use checkout_sandbox_server::{Keys, Pace, Server};
use checkout_tables::Moment;
use common::{AllScale, Running, initiate, peach_status, raw, raw_and_end, send, status_v2, submit, token};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn published(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn allscale_of<'a>(addr: SocketAddr, prefix: &'a str, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr, prefix, keys, unix_seconds: START.unix_seconds().unsigned_abs() }
}

#[test]
fn every_provider_is_played_with_and_without_a_prefix() {
    let running = frozen();
    let (addr, keys) = (running.addr(), published(&running));
    for (number, prefixes) in
        [["", "", "", ""], ["/allscale", "/azotte", "/peach", "/peach-auth"]].iter().enumerate()
    {
        let [of_allscale, of_azotte, of_peach, of_auth] = prefixes;
        let order = format!("order-000{number}");
        let shop = allscale_of(addr, of_allscale, &keys);
        let id = shop.new_intent(&order);
        assert_eq!(shop.status(&id).json()["payload"], json!(1));

        let submitted = submit(addr, of_azotte, &keys, &order);
        assert_eq!(submitted.status, 202, "{submitted:?}");
        assert!(submitted.head.contains("application/clientOutput+Json"), "{submitted:?}");

        assert_eq!(initiate(addr, of_peach, &keys, &order).status, 201);
        let status = peach_status(addr, of_peach, &keys, &order);
        assert_eq!((status.status, status.json()["merchantTransactionId"].as_str()), (200, Some(&*order)));

        let access = token(addr, of_auth, &keys);
        let access = access.json()["access_token"].as_str().unwrap().to_owned();
        let created = common::create_v2(addr, of_peach, &keys, &access, &format!("{order}-v2"));
        assert_eq!(created.status, 200, "{created:?}");
        let id = created.json()["checkoutId"].as_str().unwrap().to_owned();
        assert_eq!(status_v2(addr, of_peach, &access, &id).status, 200);
        // The merchant's third read of a minute is one too many.
        assert_eq!(status_v2(addr, of_peach, &access, &id).status, 429);
        running.get().default_world().advance(Duration::from_secs(60));
    }
    let (status, list) = running.admin("GET", "/_/worlds/default/checkouts", &Value::Null);
    let of = |provider| {
        let all = list["checkouts"].as_array().unwrap().iter();
        all.filter(|checkout| checkout["provider"] == provider).count()
    };
    assert_eq!((status, of("allscale"), of("azotte"), of("peach")), (200, 2, 2, 4));
}

#[test]
fn an_answer_is_the_sandbox_s_byte_for_byte() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(running.addr(), "", &keys);
    let answer = shop.send_signed("GET", "/v1/test/fail", "", "n-1").unwrap();
    let missing = send(running.addr(), "GET", "/v1/checkout_intents", &[], b"").unwrap();

    // The same request to a sandbox in the process, with the same seed and time.
    let sandbox =
        allscale::Sandbox::builder().seed(1).clock(checkout_sandbox::VirtualClock::new(START)).build();
    let key =
        checkout_auth::allscale::SigningKey::new(allscale::API_KEY, allscale::API_SECRET.into()).unwrap();
    let timestamp = START.unix_seconds().unsigned_abs();
    let to_sign = checkout_auth::allscale::RequestToSign {
        method: "GET",
        path: "/v1/test/fail",
        query: "",
        timestamp,
        nonce: "n-1",
        body: b"",
    };
    let request = checkout_transport::http::Request::get("https://openapi.allscale.io/v1/test/fail")
        .header("x-api-key", allscale::API_KEY)
        .header("x-timestamp", timestamp)
        .header("x-nonce", "n-1")
        .header("x-signature", key.sign(&to_sign).unwrap().as_str())
        .body(checkout_transport::bytes::Bytes::new())
        .unwrap();
    let expected = checkout_transport::BlockingTransport::send_blocking(&sandbox, request).unwrap();
    assert_eq!((answer.status, answer.body.as_bytes()), (expected.status().as_u16(), &expected.body()[..]));
    for (name, value) in expected.headers() {
        let line = format!("{name}: {}", value.to_str().unwrap());
        assert!(answer.head.lines().any(|of| of.eq_ignore_ascii_case(&line)), "{line} in {}", answer.head);
    }
    // Create's path without its slash is no path of AllScale's: AllScale's page, not the server's.
    assert_eq!((missing.status, missing.body.contains("<html>")), (404, true));
}

#[test]
fn the_prefix_is_no_part_of_the_signed_path() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(running.addr(), "", &keys);
    let signed_whole = shop.send("GET", "/allscale/v1/test/ping", "").unwrap();
    assert_eq!((signed_whole.status, signed_whole.json()["code"].as_i64()), (401, Some(20002)));
    let shop = allscale_of(running.addr(), "/allscale", &keys);
    assert_eq!(shop.send("GET", "/v1/test/ping", "").unwrap().status, 200);
    // The query is signed, and handed on as it was sent.
    assert_eq!(shop.send("GET", "/v1/test/ping?a=%20b&&c", "").unwrap().status, 200);
}

#[test]
fn each_api_can_have_a_port_of_its_own() {
    let running = Running::start(Server::builder().frozen_at(START).split_ports());
    let keys = published(&running);
    let urls = running.get().urls();
    let port = |url: &str| url.strip_prefix("http://").unwrap().parse::<SocketAddr>().unwrap();
    assert_eq!(allscale_of(port(urls.allscale()), "", &keys).create("order-1").unwrap().status, 200);
    assert_eq!(submit(port(urls.azotte()), "", &keys, "order-1").status, 202);
    assert_eq!(initiate(port(urls.peach()), "", &keys, "order-0001").status, 201);
    assert_eq!(token(port(urls.peach_auth()), "", &keys).status, 200);
    // A port has its own API alone: AllScale's 404 for Azotte's path and for the admin's.
    assert_eq!(submit(port(urls.allscale()), "", &keys, "order-1").status, 404);
    assert_eq!(token(port(urls.peach()), "", &keys).status, 404);
    let ready = send(port(urls.allscale()), "GET", "/_/ready", &[], b"").unwrap();
    assert_eq!((ready.status, ready.body.contains("<html>")), (404, true));
    assert_eq!(running.admin("GET", "/_/ready", &Value::Null), (200, json!({ "ready": true })));
}

#[test]
fn refusals_are_the_provider_s() {
    let running = frozen();
    let addr = running.addr();
    let mut keys = published(&running);
    keys.allscale_api_key = "st_unknown".to_owned();
    keys.azotte_x_tn = "00000000-0000-4000-8000-000000000000".to_owned();
    keys.peach_entity_id = "0".repeat(32);
    keys.peach_client_id = "unknown".to_owned();
    let code = allscale_of(addr, "", &keys).create("o").unwrap();
    assert_eq!((code.status, code.json()["code"].as_i64()), (401, Some(20002)));
    assert_eq!(submit(addr, "", &keys, "o").status, 401);
    let peach = initiate(addr, "", &keys, "order-0001");
    assert_eq!(
        (peach.status, peach.json()["message"].as_str()),
        (400, Some("Unknown authentication.entityId."))
    );
    assert_eq!(token(addr, "", &keys).status, 401);
    assert_eq!(status_v2(addr, "", "unknown", "c").status, 401);
    assert_eq!(send(addr, "DELETE", "/v1/test/ping", &[], b"").unwrap().status, 405);
    // The server's own refusal, for a path of no provider.
    let nowhere = send(addr, "GET", "/favicon.ico", &[], b"").unwrap();
    assert_eq!((nowhere.status, nowhere.json()["error"]["field"].clone()), (404, Value::Null));
}

#[test]
fn a_lost_answer_closes_the_connection_after_the_deed() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(running.addr(), "", &keys);
    let world = running.get().default_world();
    world.allscale().inject(allscale::Fault::LostAnswer);
    assert!(shop.create("order-1").is_none());
    assert_eq!(world.allscale().intents().len(), 1);
    world.allscale().inject(allscale::Fault::LostRequest);
    assert!(shop.create("order-2").is_none());
    assert_eq!(world.allscale().intents().len(), 1);
    world.azotte().inject(azotte::Fault::LostAnswer);
    let headers = [("x-tn", &*keys.azotte_x_tn), ("x-api-key", &keys.azotte_api_key)];
    assert!(send(running.addr(), "GET", "/api/v1/c2a/offer/checkout/t/status", &headers, b"").is_none());
    world.peach().inject(peach::Fault::LostAnswer);
    assert!(send(running.addr(), "GET", "/status?a=b", &[], b"").is_none());
    assert_eq!(shop.create("order-3").unwrap().status, 200);
}

#[test]
fn a_body_may_have_a_mebibyte() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(running.addr(), "", &keys);
    let body = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    let taken = shop.send("POST", "/v1/checkout_intents/", &body(1 << 20)).unwrap();
    assert_eq!((taken.status, taken.json()["code"].as_i64()), (400, Some(10001)));
    // A client that asks first is refused before a byte of the body has come.
    for path in ["/v1/test/post", "/_/worlds"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 1048577\r\n\r\n"
        );
        let refused = raw(running.addr(), head.as_bytes()).unwrap();
        assert_eq!((refused.status, refused.json()["error"]["message"].as_str()), {
            (413, Some("the body is over 1048576 bytes"))
        });
    }
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", (1 << 20) + 1, body((1 << 20) + 1));
    let head = "POST /v1/test/post HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(raw(running.addr(), format!("{head}{chunk}").as_bytes()).unwrap().status, 413);
}

#[test]
fn a_client_that_writes_too_much_reads_the_refusal() {
    let running = frozen();
    let body = "a".repeat(6 << 20);
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for (header, body) in [
        (format!("content-length: {}", body.len()), body.clone()),
        ("transfer-encoding: chunked".to_owned(), chunk),
    ] {
        let head =
            format!("POST /_/worlds HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n");
        // The client reads nothing until the last byte is written.
        let refused = raw(running.addr(), format!("{head}{body}").as_bytes()).unwrap();
        assert_eq!(
            (refused.status, refused.json()["error"]["field"].clone()),
            (413, Value::Null),
            "{header}"
        );
    }
}

#[test]
fn every_refusal_of_an_own_route_is_json() {
    let running = frozen();
    for (method, target, status) in [
        ("GET", "/_/worlds/%ff", 400),
        ("PUT", "/_/worlds/%ff/clock", 400),
        ("DELETE", "/_/worlds/default/endpoints/%ff", 400),
        ("GET", "/_/pay/default/allscale/%ff", 400),
        ("PATCH", "/_/worlds", 405),
        ("GET", "/_/nothing", 404),
        ("GET", "/_/worlds/nobody", 404),
    ] {
        let answer = send(running.addr(), method, target, &[], b"").unwrap();
        let message = &answer.json()["error"]["message"];
        assert_eq!(
            (answer.status, message.as_str().is_some_and(|text| !text.is_empty())),
            (status, true),
            "{answer:?}"
        );
        assert!(answer.head.contains("content-type: application/json"), "{answer:?}");
    }
}

#[test]
fn a_public_url_hides_no_route() {
    for path in
        ["/api", "/api/x", "/v1", "/v2/", "/checkout", "/status/", "/_", "/_/x", "/allscale", "/peach-auth/x"]
    {
        let url = format!("https://dev.example{path}");
        let error = Running::try_start(Server::builder().public_url(url)).err().unwrap();
        let named = format!("public URL: the path {} ", path.trim_end_matches('/'));
        assert!(error.to_string().starts_with(&named), "{path} {error}");
    }
    for path in ["", "/", "/pay", "/apis", "/dev/v1", "/allscale2"] {
        Running::start(Server::builder().public_url(format!("https://dev.example{path}")));
    }
}

#[test]
fn bytes_that_are_no_request_harm_nobody() {
    let running = frozen();
    let addr = running.addr();
    for bytes in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET /v1/test/ping HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\nhost: localhost\r\n\u{0}: x\r\n\r\n",
    ] {
        let answer = raw_and_end(addr, bytes.as_bytes());
        assert!(answer.is_none_or(|answer| answer.status == 400), "{bytes:?}");
    }
    for target in
        ["*", "http://localhost/v1/test/ping", "/%00", "/allscale/%zz", "/_/worlds/%ff", "//", "/_//", "/?"]
    {
        let answer = send(addr, "GET", target, &[], b"").unwrap();
        assert!([200, 400, 401, 404].contains(&answer.status), "{target} {answer:?}");
    }
    let connect = "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost:80\r\nconnection: close\r\n\r\n";
    assert!(raw(addr, connect.as_bytes()).is_none_or(|answer| answer.status >= 400));
    assert_eq!(running.admin("GET", "/_/ready", &Value::Null).0, 200);
}

#[test]
fn a_foreign_host_is_refused_everywhere() {
    let running = Running::start(Server::builder().public_url("https://dev.example/pay/"));
    let get = |path: &str, host: &str| send(running.addr(), "GET", path, &[("host", host)], b"").unwrap();
    for path in ["/", "/_/ready", "/_/worlds", "/v1/test/ping", "/allscale/v1/test/ping"] {
        let refused = get(path, "evil.example");
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.body.contains("--public-url"), "{refused:?}");
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:9", "dev.example", "DEV.example:443"] {
        assert_eq!(get("/_/ready", host).status, 200, "{host}");
    }
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(send(running.addr(), "POST", "/_/worlds", &foreign, b"").unwrap().status, 403);
    assert_eq!(send(running.addr(), "GET", "/_/worlds", &foreign, b"").unwrap().status, 200);
    let own = [("origin", "https://dev.example")];
    assert_eq!(send(running.addr(), "POST", "/_/worlds", &own, b"").unwrap().status, 201);
}

#[test]
fn all_addresses_follow_the_public_url() {
    let running = Running::start(Server::builder().frozen_at(START).public_url("https://dev.example/pay/"));
    let (_, about) = running.admin("GET", "/_/", &Value::Null);
    assert_eq!(about["url"], "https://dev.example/pay");
    assert_eq!(about["admin_url"], "https://dev.example/pay/_/");
    assert_eq!(about["peach"]["auth_url"], "https://dev.example/pay");
    // A proxy may leave its path in place, or take the path away.
    let keys = published(&running);
    for prefix in ["/pay", "", "/pay/allscale", "/allscale"] {
        let shop = allscale_of(running.addr(), prefix, &keys);
        assert_eq!(shop.send("GET", "/v1/test/ping", "").unwrap().status, 200, "{prefix}");
    }
    assert_eq!(running.admin("GET", "/pay/_/ready", &Value::Null).0, 200);
    for url in [
        "dev.example",
        "ftp://dev.example",
        "https://u:p@dev.example",
        "https://dev.example/?a",
        "http://",
        "",
    ] {
        let error = Running::try_start(Server::builder().public_url(url)).err().unwrap();
        assert!(error.to_string().starts_with("public URL: "), "{url} {error}");
    }
}

#[test]
fn a_taken_port_is_told() {
    let running = frozen();
    let port = running.addr().port();
    let error = Running::try_start(Server::builder().port(port)).err().unwrap();
    assert_eq!(error.to_string(), format!("port {port} of 127.0.0.1 is taken"));
    let error = Running::try_start(Server::builder().port(65_535).split_ports()).err().unwrap();
    assert!(
        ["port 65535 has no four ports after it", "port 65535 of 127.0.0.1 is taken"]
            .contains(&&*error.to_string())
    );
}

#[test]
fn a_server_that_has_ended_gives_its_port_back() {
    let running = frozen();
    let addr = running.addr();
    let mut idle = std::net::TcpStream::connect(addr).unwrap();
    running.shutdown();
    // The idle connection was closed, and the port is free.
    assert_eq!(std::io::Read::read(&mut idle, &mut [0]).unwrap_or(0), 0);
    Running::start(Server::builder().port(addr.port())).shutdown();
}

#[test]
fn a_connection_takes_one_request_after_the_other() {
    let running = frozen();
    running.get().default_world().set_pace(Pace::Frozen);
    let ping = "GET /_/ready HTTP/1.1\r\nhost: localhost\r\n";
    let answers =
        raw(running.addr(), format!("{ping}\r\n{ping}connection: close\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(answers.whole().matches("HTTP/1.1 200 OK").count(), 2, "{answers:?}");
}
