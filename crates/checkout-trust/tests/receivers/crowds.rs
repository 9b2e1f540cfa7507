//! Replays in parallel: of any number of deliveries of one event, one is to be processed.

use crate::allscale::{self, NOW, Parts};
use crate::second;
use checkout_auth::KeyRing;
use checkout_auth::peach::SecretToken;
use checkout_tables::Environment;
use checkout_trust::peach;
use checkout_trust::replay::{Claim, ClaimTicket, Commit, Guard, Identity, MemoryStore};
use std::sync::{Barrier, Mutex};
use std::thread;

const CROWD: usize = 64;
const ROUNDS: usize = 20;

/// The answers to a crowd of threads, each with a receiver of its own, and the number of each answer; and the
/// ticket of the one that got it.
fn claims(
    guard: &Guard<MemoryStore>,
    receive: impl Fn(usize) -> Identity + Sync,
) -> (String, Option<ClaimTicket>) {
    let (all_are_here, fresh) = (Barrier::new(CROWD), Mutex::new(Vec::new()));
    let claim = |place| {
        let identity = receive(place);
        all_are_here.wait();
        match guard.claim(&identity, second(NOW)).unwrap() {
            Claim::Fresh(ticket) => fresh.lock().unwrap().push(ticket),
            Claim::InFlight { .. } => return "in flight",
            Claim::Done => return "done",
        }
        "fresh"
    };
    let said: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CROWD).map(|place| scope.spawn(move || claim(place))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |what| said.iter().filter(|said| **said == what).count();
    let said = format!("{} fresh, {} in flight, {} done", count("fresh"), count("in flight"), count("done"));
    (said, fresh.into_inner().unwrap().pop())
}

fn one_of_a_crowd_is_fresh(receive: impl Fn(usize) -> Identity + Sync) {
    for _ in 0..ROUNDS {
        let guard = Guard::new(MemoryStore::new(1_000));
        let (said, ticket) = claims(&guard, &receive);
        assert_eq!(said, "1 fresh, 63 in flight, 0 done");
        assert_eq!(guard.commit(ticket.unwrap(), second(NOW)).unwrap(), Commit::Committed);
        assert_eq!(claims(&guard, &receive).0, "0 fresh, 0 in flight, 64 done");
    }
}

const BODY: &str =
    r#"{"all_scale_transaction_id":"tx_1","all_scale_checkout_intent_id":"65b2f3d0","webhook_id":"wh_1"}"#;

#[test]
fn one_replay_of_a_recorded_allscale_webhook_is_fresh() {
    let receiver = allscale::receiver();
    let parts = Parts::signed(&allscale::key("test_key", "one"), NOW, "n1", BODY);
    one_of_a_crowd_is_fresh(|_| receiver.receive(&parts.request(), second(NOW)).unwrap().identity().clone());
}

#[test]
fn one_delivery_of_an_allscale_transaction_is_fresh() {
    let receiver = allscale::receiver();
    let key = allscale::key("test_key", "one");
    one_of_a_crowd_is_fresh(|place| {
        let parts = Parts::signed(&key, NOW, &format!("n{place}"), BODY);
        receiver.receive(&parts.request(), second(NOW)).unwrap().identity().clone()
    });
}

#[test]
fn one_delivery_of_a_peach_content_is_fresh_from_webhooks_and_shoppers() {
    let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap();
    let pairs = [("checkoutId", "0fa1"), ("paymentType", "DB"), ("result.code", "000.000.000")];
    let signature = secret.sign(pairs).unwrap();
    let form = format!("checkoutId=0fa1&paymentType=DB&result.code=000.000.000&signature={signature}");
    let receiver = peach::Receiver::new("entity", KeyRing::new("only", secret), Environment::Live);
    one_of_a_crowd_is_fresh(|place| {
        let event = match place % 2 {
            0 => receiver.webhook(None, form.as_bytes(), second(NOW)).unwrap().event(),
            _ => receiver.shopper_return(form.as_bytes(), second(NOW)).ok(),
        };
        event.unwrap().identity().clone()
    });
}
