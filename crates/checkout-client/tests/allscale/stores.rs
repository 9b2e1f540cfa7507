//! Several stores in one process.

use crate::world::{client_with, fiat, header};
use checkout_auth::allscale::SigningKey;
use checkout_client::allscale::Client;
use checkout_sandbox::allscale::{Sandbox, Store};
use std::time::Duration;

fn key(name: &str) -> SigningKey {
    SigningKey::new(format!("st_{name}"), format!("st_{name}_secret").into()).unwrap()
}

fn world() -> (Sandbox, Client, Client) {
    let stores = Sandbox::builder().store(Store::new(key("mine"))).store(Store::new(key("yours")));
    let sandbox = stores.build();
    let (mine, yours) = (client_with(key("mine"), &sandbox), client_with(key("yours"), &sandbox));
    (sandbox, mine, yours)
}

/// A store's answers about an intent, by status and by get.
fn check(sandbox: &Sandbox, client: &Client, id: &str) -> [String; 2] {
    let status = client.status(id).unwrap().send_blocking(sandbox);
    let whole = client.get(id).unwrap().send_blocking(sandbox);
    [
        status.map_or_else(
            |refused| format!("refused {}", refused.code().unwrap().value()),
            |answer| answer.payload.value().to_string(),
        ),
        whole.map_or_else(
            |refused| format!("refused {}", refused.code().unwrap().value()),
            |answer| format!("{} at {}", answer.payload.amount_coins, answer.payload.status.value()),
        ),
    ]
}

#[test]
fn two_stores_take_turns_and_each_sees_its_own_intents_alone() {
    let (sandbox, mine, yours) = world();
    let create = |client: &Client, cents| {
        client.create(&fiat(cents)).send_blocking(&sandbox).unwrap().payload.intent_id
    };
    let (my_id, your_id) = (create(&mine, 1_000), create(&yours, 2_000));
    sandbox.clock().advance(Duration::from_secs(10));
    let (my_second, your_second) = (create(&mine, 3_000), create(&yours, 4_000));

    let refused = ["refused 30001"; 2];
    assert_eq!(check(&sandbox, &mine, &my_id), ["2", "10.0000 at 2"]);
    assert_eq!(check(&sandbox, &yours, &my_id), refused);
    assert_eq!(check(&sandbox, &yours, &your_id), ["2", "20.0000 at 2"]);
    assert_eq!(check(&sandbox, &mine, &your_id), refused);
    assert_eq!(check(&sandbox, &mine, &my_second), ["1", "30.0000 at 1"]);
    assert_eq!(check(&sandbox, &yours, &your_second), ["1", "40.0000 at 1"]);
    assert_eq!(check(&sandbox, &mine, "65b2f3d0d2d9c0a1b2c3d4e5"), ["refused 50001"; 2]);

    // Each store used its own key, and a nonce of one store is no nonce of the other.
    let keys: Vec<_> = sandbox.requests().iter().map(|request| header(request, "x-api-key")).collect();
    assert_eq!(keys[..6], ["st_mine", "st_yours", "st_mine", "st_yours", "st_mine", "st_mine"]);
    let nonces: Vec<_> = sandbox.requests().iter().map(|request| header(request, "x-nonce")).collect();
    assert_eq!(nonces[..4], ["nonce-1", "nonce-1", "nonce-2", "nonce-2"]);
}

#[test]
fn a_call_belongs_to_the_client_that_made_it() {
    let (sandbox, mine, yours) = world();
    let (my_call, your_call) = (mine.ping(), yours.ping());
    drop((mine, yours));
    for call in [&my_call, &your_call, &my_call.clone()] {
        call.send_blocking(&sandbox).unwrap();
    }
    let keys: Vec<_> = sandbox.requests().iter().map(|request| header(request, "x-api-key")).collect();
    assert_eq!(keys, ["st_mine", "st_yours", "st_mine"]);
}

#[test]
fn an_unknown_store_is_refused() {
    let (sandbox, ..) = world();
    let client = client_with(key("nobody"), &sandbox);
    let refused = client.ping().send_blocking(&sandbox).unwrap_err();
    assert_eq!(refused.code().map(|code| code.value()), Some(20002));
}
