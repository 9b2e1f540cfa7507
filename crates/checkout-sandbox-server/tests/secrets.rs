//! No printed value of the crate holds a key, and no error does.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Server, ask_verdict, listen};
use checkout_tables::Moment;
use common::{AllScale, Running, create_v2, initiate, peach_status, send, submit, token};
use serde_json::{Value, json};
use std::fmt::{Debug, Display};

const START: Moment = Moment::from_unix_seconds(1_800_000_000);

fn debug(value: &impl Debug) -> Vec<String> {
    vec![format!("{value:?}"), format!("{value:#?}")]
}

fn error(error: &(impl Debug + Display)) -> Vec<String> {
    [debug(error), vec![error.to_string()]].concat()
}

#[test]
fn nothing_printed_holds_a_secret() {
    let running = Running::start(Server::builder().frozen_at(START));
    let keys = running.new_world(&json!({ "name": "a" }));
    let published = running.get().default_world().keys().clone();
    let unix_seconds = START.unix_seconds().unsigned_abs();
    AllScale { addr: running.addr(), prefix: "", keys: &published, unix_seconds }.new_intent("o");
    assert_eq!(submit(running.addr(), "", &keys, "o").status, 202);

    let port_taken = Running::try_start(Server::builder().port(running.addr().port())).err().unwrap();
    let with_password = Server::builder().public_url("https://user:hidden@dev.example");
    let public_url = Running::try_start(with_password.clone()).err().unwrap();
    let world = running.get().world("a").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (here, with_password_in_url) =
        (format!("http://{}", running.addr()), "http://user:hidden@dev.example/");
    let listened = |server: &str, world: &str, forward_to: &str| {
        let ended = runtime.block_on(listen(server, world, forward_to, |_| {}));
        error(&ended.unwrap_err())
    };
    let listens = [
        listened(with_password_in_url, "a", "http://127.0.0.1/"),
        listened(&here, "a", with_password_in_url),
        listened(&here, "hidden-world", "http://127.0.0.1/?token=hidden"),
    ];
    let asked = |server: &str, world: &str| {
        let asked = runtime.block_on(ask_verdict(server, world, false));
        error(&asked.unwrap_err())
    };
    let asks = [asked(with_password_in_url, "a"), asked(&here, "hidden-world")];
    let verdict = world.verdict_at_end();
    assert!(!verdict.is_of_nothing());
    let list = [
        ("checkout_sandbox_server::AskError", asks.concat()),
        ("checkout_sandbox_server::BindError", [error(&port_taken), error(&public_url)].concat()),
        ("checkout_sandbox_server::Builder", debug(&with_password)),
        ("checkout_sandbox_server::Keys", [debug(&keys), debug(&published)].concat()),
        (
            "checkout_sandbox_server::EndpointError",
            [
                error(&world.add_endpoint("peach", "https://hidden@shop.example/hidden").unwrap_err()),
                error(&world.add_endpoint("hidden", "https://shop.example/").unwrap_err()),
            ]
            .concat(),
        ),
        ("checkout_sandbox_server::ListenError", listens.concat()),
        ("checkout_sandbox_server::RunningServer", debug(running.get())),
        (
            "checkout_sandbox_server::Verdict",
            [debug(&verdict), vec![verdict.to_string(), verdict.to_json()]].concat(),
        ),
        (
            "checkout_sandbox_server::SnapshotError",
            [error(&world.restore("hidden").unwrap_err()), error(&world.snapshot("HIDDEN").unwrap_err())]
                .concat(),
        ),
        (
            "checkout_sandbox_server::WorldError",
            [
                error(&running.get().fork("a", "a").unwrap_err()),
                error(&running.get().fork("hidden", "b").unwrap_err()),
            ]
            .concat(),
        ),
        ("checkout_sandbox_server::World", [debug(&*world), debug(running.get().default_world())].concat()),
    ];
    let secrets = [&keys, &published].map(|keys| {
        [&keys.allscale_api_secret, &keys.azotte_api_key, &keys.peach_secret_token, &keys.peach_client_secret]
    });
    for (name, texts) in &list {
        assert!(texts.len() >= 2, "{name}");
        for text in texts {
            let found = secrets.iter().flatten().find(|secret| text.contains(&***secret));
            assert!(found.is_none() && !text.contains("hidden"), "{name}: {text}");
        }
    }
}

/// Everything that the server shows of the requests of the world `a`: pages, JSON and exports.
fn everything_shown(running: &Running, checkouts: &[(&str, String)]) -> Vec<(String, String)> {
    let (_, list) = running.admin("GET", "/_/worlds/a/requests?limit=1000", &Value::Null);
    let last = list["next"].as_u64().unwrap();
    let mut paths: Vec<String> = [
        "board/a",
        "worlds/a/requests",
        "worlds/a/export?format=jsonl",
        "worlds/a/export?format=har",
        "worlds/a/checkouts",
        "worlds/a/verdict",
        "worlds/a/clock",
    ]
    .map(|path| format!("/_/{path}"))
    .to_vec();
    for number in 1..=last {
        paths.push(format!("/_/worlds/a/requests/{number}"));
        paths.push(format!("/_/board/a/requests/{number}"));
    }
    for (provider, id) in checkouts {
        paths.push(format!("/_/worlds/a/timeline?checkout={id}"));
        paths.push(format!("/_/board/a/{provider}/{id}"));
        paths.push(format!("/_/pay/a/{provider}/{id}"));
    }
    let shown = |path: String| {
        let answer = send(running.addr(), "GET", &path, &[("accept", "text/html")], b"").unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        (path, answer.whole())
    };
    paths.into_iter().map(shown).collect()
}

#[test]
fn no_page_no_json_and_no_export_shows_a_secret() {
    let running = Running::start(Server::builder().frozen_at(START));
    let keys = running
        .new_world(&json!({ "name": "a", "clock": { "pace": "frozen", "unix_ms": 1_800_000_000_000_u64 } }));
    let addr = running.addr();
    let shop = AllScale { addr, prefix: "", keys: &keys, unix_seconds: START.unix_seconds().unsigned_abs() };
    let hooks = json!({ "provider": "allscale", "url": format!("http://{addr}/hooks?token=planted-1") });
    assert_eq!(running.admin("POST", "/_/worlds/a/endpoints", &hooks).0, 201);

    // Right requests of every provider.
    let intent = shop.new_intent("order-1");
    shop.status(&intent);
    let tracking = submit(addr, "", &keys, "order-2").json()["trackingNumber"].as_str().unwrap().to_owned();
    assert_eq!(initiate(addr, "", &keys, "order-three").status, 201);
    peach_status(addr, "", &keys, "order-three");
    let access = token(addr, "", &keys).json()["access_token"].as_str().unwrap().to_owned();
    let created = create_v2(addr, "", &keys, &access, "order-four").json();
    let checkout = created["checkoutId"].as_str().unwrap().to_owned();

    // Secrets in places where no secret belongs.
    let secret = &*keys.allscale_api_secret;
    let named = shop.new_intent(&format!("order {secret}"));
    shop.new_intent("order?password=x");
    let mut swapped = keys.clone();
    swapped.allscale_api_secret.clone_from(&keys.peach_secret_token);
    AllScale { keys: &swapped, ..shop }.create("order-5").unwrap();
    let key = ("x-api-key", &*keys.allscale_api_key);
    let headers = [
        ("cookie", "session=planted-2"),
        ("x-shop-token", "planted-3-planted-3"),
        ("x-client-secret", "planted-4-planted-4"),
        ("authorization", "Basic planted-5"),
        ("x-note", secret),
        ("x-signature", "v1=planted-6"),
        key,
    ];
    let body =
        json!({ "password": "planted-7", "nested": [{ "refresh_token": "planted-8" }], "note": secret });
    send(
        addr,
        "POST",
        &format!("/v1/test/post?api_token=planted-9&n={secret}"),
        &headers,
        body.to_string().as_bytes(),
    );
    send(addr, "POST", "/v1/test/post", &[key], b"{\"access_token\": \"planted-10");
    let form = format!(
        "authentication.entityId={}&authentication.password=planted-11&signature=planted-12&card.number=planted-13",
        keys.peach_entity_id
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(addr, "POST", "/checkout/initiate", &headers, form.as_bytes());
    let headers = [
        ("x-tn", &*keys.azotte_x_tn),
        ("x-api-key", &keys.azotte_api_key),
        ("content-type", "application/json"),
    ];
    let card = json!({ "paymentMethod": { "creditCard": { "cardNumber": "4111111111111111", "cvc": "planted-14" } } });
    send(addr, "POST", "/api/v1/c2a/offer/checkout", &headers, card.to_string().as_bytes());

    // A webhook, and its attempts.
    let act = [("content-type", "application/x-www-form-urlencoded")];
    send(addr, "POST", &format!("/_/pay/a/allscale/{intent}"), &act, b"act=pay").unwrap();
    assert_eq!(running.admin("PUT", "/_/worlds/a/clock", &json!({ "advance_ms": 3_600_000 })).0, 200);

    let checkouts = [("allscale", intent), ("allscale", named), ("azotte", tracking), ("peach", checkout)];
    let shown = everything_shown(&running, &checkouts);
    assert!(shown.len() > 30, "{}", shown.len());
    let (_, timeline) = shown.iter().find(|(path, _)| path.contains("timeline")).unwrap();
    assert!(timeline.contains("x-webhook-signature") && timeline.contains("***"), "{timeline}");
    // The name of a variable ends as the secret of a world begins, and no secret is a part of a name.
    let secrets = [
        secret,
        &keys.azotte_api_key,
        &keys.peach_secret_token,
        &keys.peach_client_secret,
        &access,
        &keys.allscale_api_key,
        "4111111111111111",
    ];
    for (path, text) in &shown {
        // The page of the payer and the list of the checkouts show the order as the shop has named the order.
        let may_show_order = path.starts_with("/_/pay/") || path.ends_with("/checkouts");
        let found = secrets.iter().find(|secret| text.contains(**secret));
        let found = found.filter(|found| !(may_show_order && **found == secret));
        assert!(found.is_none(), "{path}: {found:?}: {text}");
        assert!(!text.contains("planted-"), "{path}: {text}");
    }
}
