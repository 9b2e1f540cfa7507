//! No printed value of the crate holds a key, and no error does.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use checkout_sandbox_server::{Server, listen};
use checkout_tables::Moment;
use common::{AllScale, Running, submit};
use serde_json::json;
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
    let list = [
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
