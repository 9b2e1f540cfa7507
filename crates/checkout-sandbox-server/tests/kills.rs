//! A program that is killed loses nothing that it has acknowledged.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::admin;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// A program that serves with the file.
fn serve(path: &str) -> (Child, SocketAddr, Value) {
    let program = env!("CARGO_BIN_EXE_checkout-sandbox");
    started(Command::new(program).args(["--port", "0", "--json", "--data", path]), path)
}

fn started(command: &mut Command, path: &str) -> (Child, SocketAddr, Value) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let about: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(about["state"], path);
    let addr = about["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    (child, addr, about)
}

/// Submits an order to Azotte, and returns the tracking number. `None` if the connection ends.
fn submit(stream: &mut BufReader<TcpStream>, about: &Value, order: &str) -> Option<String> {
    let body = json!({
        "order": { "offerIdentifier": "of_1", "correlationId": order,
            "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" } },
        "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
    })
    .to_string();
    let (x_tn, key) = (about["azotte"]["x_tn"].as_str()?, about["azotte"]["api_key"].as_str()?);
    let head = format!(
        "POST /api/v1/c2a/offer/checkout HTTP/1.1\r\nhost: localhost\r\nx-tn: {x_tn}\r\nx-api-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.get_mut().write_all(format!("{head}{body}").as_bytes()).ok()?;
    let (mut length, mut first) = (0, String::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if first.is_empty() {
            first.clone_from(&line);
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    assert!(first.starts_with("HTTP/1.1 202"), "{first}");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let answer: Value = serde_json::from_slice(&body).ok()?;
    answer["trackingNumber"].as_str().map(str::to_owned)
}

/// The number of kills: `CHECKOUT_SANDBOX_KILLS`, or 20.
fn rounds() -> usize {
    env::var("CHECKOUT_SANDBOX_KILLS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20)
}

#[test]
fn a_killed_program_has_all_that_was_acknowledged_and_nothing_twice() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kills-{}", std::process::id()));
    let path = path.to_str().unwrap();
    let mut acknowledged = BTreeMap::new();
    let mut sent = 0;
    for round in 0..=rounds() {
        let (mut child, addr, about) = serve(path);
        let (_, list) = admin(addr, "GET", "/_/worlds/default/checkouts", "");
        let list = list["checkouts"].as_array().unwrap();
        let text = |checkout: &Value, name: &str| checkout[name].as_str().unwrap().to_owned();
        let there: BTreeMap<String, String> =
            list.iter().map(|checkout| (text(checkout, "order"), text(checkout, "id"))).collect();
        assert_eq!(there.len(), list.len(), "an order is there twice");
        for (order, id) in &acknowledged {
            assert_eq!(there.get(order), Some(id), "round {round}: {order} was acknowledged");
        }
        // A request that was not answered is there whole, or not at all.
        assert!(list.len() <= sent, "{} of {sent}", list.len());
        assert!(list.iter().all(|checkout| checkout["submits"] == 1 && checkout["scenario"] == "happy"));
        if round == rounds() {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        }
        let (sender, acks) = mpsc::channel();
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let (sender, about) = (sender.clone(), about.clone());
                thread::spawn(move || {
                    // The kill may come before the connection.
                    let Ok(stream) = TcpStream::connect(addr) else { return 0 };
                    let mut stream = BufReader::new(stream);
                    let mut sent = 0;
                    loop {
                        let order = format!("{round}-{client}-{sent}");
                        sent += 1;
                        match submit(&mut stream, &about, &order) {
                            Some(id) => sender.send((order, id)).unwrap(),
                            None => return sent,
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        // The kill comes while all clients wait for an answer, at another place in each round.
        acknowledged.extend(acks.iter().take(1 + round * 7 % 23));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(acks.iter());
        sent += clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>();
    }
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{path}{end}"));
    }
}

#[test]
fn a_file_that_takes_nothing_more_ends_all_changes_and_loses_nothing() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("full-{}", std::process::id()));
    let path = path.to_str().unwrap();
    // No file of the program may be longer than 200 blocks.
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" --port 0 --json --data \"$1\"";
    let program = env!("CARGO_BIN_EXE_checkout-sandbox");
    let (mut child, addr, about) = started(Command::new("sh").args(["-c", script, program, path]), path);
    let create = |order: &str| {
        let body = json!({
            "order": { "offerIdentifier": "of_1", "correlationId": order,
                "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" } },
            "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
        });
        let headers = [
            ("x-tn", about["azotte"]["x_tn"].as_str().unwrap()),
            ("x-api-key", about["azotte"]["api_key"].as_str().unwrap()),
            ("content-type", "application/json"),
        ];
        let path = "/api/v1/c2a/offer/checkout";
        common::send(addr, "POST", path, &headers, body.to_string().as_bytes()).unwrap()
    };
    let answers = (0..2_000).map(|number| create(&format!("order-{number}")));
    let acknowledged = answers.take_while(|answer| answer.status == 202).count();
    assert!((1..2_000).contains(&acknowledged), "{acknowledged}");
    let refused = create("later");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains(&format!("{path} takes nothing more")), "{refused:?}");
    for (method, route) in
        [("POST", "/_/worlds"), ("POST", "/_/worlds/default/reset"), ("PUT", "/_/worlds/default/clock")]
    {
        assert_eq!(admin(addr, method, route, "").0, 503, "{method} {route}");
    }
    assert_eq!(admin(addr, "GET", "/_/worlds/default/clock", "").0, 200);
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, addr, _) = serve(path);
    let (_, list) = admin(addr, "GET", "/_/worlds/default/checkouts", "");
    assert_eq!(list["checkouts"].as_array().unwrap().len(), acknowledged);
    child.kill().unwrap();
    child.wait().unwrap();
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{path}{end}"));
    }
}
