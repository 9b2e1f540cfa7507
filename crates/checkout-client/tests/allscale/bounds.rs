//! The types that may cross threads, and the constants that two crates must agree on.

use crate::world::{client, fiat, sandbox};
use checkout_client::allscale::{AllScale, BuildError, Builder, Client};
use checkout_client::{Answer, Attempt, Call, CallError, ClockSkew, Readable, Reader};
use checkout_sandbox::allscale::Sandbox;
use checkout_tables::Open;
use checkout_tables::allscale::IntentStatus;
use checkout_transport::{SharedTransport, Transport};
use checkout_wire::JsonText;
use checkout_wire::allscale::{CreatedIntent, Echo, Intent, Pong};
use std::error::Error;
use std::thread;

fn is_send<T: Send>(_: &T) {}

/// The future of a call can go to another thread, for a known and for an unknown type of transport.
fn sends_of_every_route_are_send(client: &Client, transport: &impl Transport) {
    is_send(&client.create(&fiat(100)).send(transport));
    is_send(&client.get("a").unwrap().send(transport));
    is_send(&client.status("a").unwrap().send(transport));
    is_send(&client.ping().send(transport));
    is_send(&client.fail().send(transport));
    is_send(&client.post(&JsonText::new("1").unwrap()).send(transport));
}

#[test]
fn the_future_of_a_call_can_go_to_another_thread() {
    let sandbox = sandbox(1);
    sends_of_every_route_are_send(&client(&sandbox), &sandbox);
    let (client, shared) = (client(&sandbox), SharedTransport::new(sandbox.clone()));
    let pong =
        thread::spawn(move || pollster::block_on(async move { client.ping().send(&shared).await.unwrap() }));
    assert_eq!(pong.join().unwrap().payload.pong, "ok");
}

#[test]
fn a_future_that_is_dropped_unpolled_sends_nothing() {
    let sandbox = sandbox(1);
    let call = client(&sandbox).create(&fiat(100));
    drop(call.send(&sandbox));
    drop(call.send_local(&sandbox));
    assert!(sandbox.requests().is_empty());
    // The client does not even spend a nonce.
    pollster::block_on(call.send(&sandbox)).unwrap();
    assert_eq!(sandbox.requests()[0].headers()["x-nonce"], "nonce-1");
}

#[test]
fn everything_crosses_threads_and_borrows_nothing() {
    fn crosses<T: Send + Sync + 'static>() {}
    fn crosses_with<T: Readable + Send + Sync + 'static>() {
        crosses::<Call<T>>();
        crosses::<Attempt<T>>();
        crosses::<Reader<T>>();
        crosses::<Answer<T>>();
    }
    fn is_an_error<T: Error + Send + Sync + 'static>() {}
    crosses::<Client>();
    crosses::<Sandbox>();
    crosses::<ClockSkew>();
    crosses_with::<CreatedIntent<'static>>();
    crosses_with::<Intent<'static>>();
    crosses_with::<Open<IntentStatus>>();
    crosses_with::<Pong<'static>>();
    crosses_with::<Echo<'static>>();
    crosses_with::<JsonText<'static>>();
    crosses::<Builder>();
    is_an_error::<CallError<AllScale>>();
    is_an_error::<BuildError>();
}

#[test]
fn calls_from_many_threads_never_use_a_nonce_twice() {
    let sandbox = sandbox(1);
    let client = client(&sandbox);
    thread::scope(|scope| {
        for _ in 0..4 {
            let (client, sandbox) = (client.clone(), &sandbox);
            scope.spawn(move || {
                for _ in 0..25 {
                    client.ping().send_blocking(sandbox).unwrap();
                }
            });
        }
    });
    assert_eq!(sandbox.requests().len(), 100);
}

#[test]
fn transports_and_readers_stop_at_the_same_length() {
    assert_eq!(checkout_transport::BODY_CAP, checkout_wire::BODY_CAP);
}
