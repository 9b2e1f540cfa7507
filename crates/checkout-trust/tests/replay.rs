//! Keys, the guard over several of them, and the store in memory.
#![allow(missing_docs, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::cell::{Cell, RefCell};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use checkout_lifecycle::Moment;
use checkout_trust::replay::{
    Claim, Commit, FencingToken, Full, Guard, Identity, InPlace, Key, MemoryStore, Release, Scheme, Slot,
    Store,
};
use proptest::prelude::*;

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

const NOW: i64 = 1_716_501_000_000;
const LEASE: Duration = Duration::from_secs(60);
const AFTER: i64 = NOW + 60_001;

fn delivery(id: u32) -> Key {
    Key::allscale_delivery("store-1", &format!("wh_{id}"), "5a0a4f4c", Duration::from_secs(300))
}

fn transaction(id: u32) -> Key {
    Key::allscale_transaction("store-1", &format!("tx_{id}"), Duration::MAX)
}

fn both(delivered: u32, paid: u32) -> Identity {
    Identity::new(transaction(paid)).and(delivery(delivered))
}

fn fresh<E: std::fmt::Debug>(claim: Result<Claim, E>) -> checkout_trust::replay::ClaimTicket {
    match claim.unwrap() {
        Claim::Fresh(ticket) => ticket,
        other @ (Claim::InFlight { .. } | Claim::Done) => panic!("{other:?}"),
    }
}

/// The answer to a claim, in a word.
fn check<S: Store<Error: std::fmt::Debug>>(guard: &Guard<S>, identity: &Identity, now: i64) -> &'static str {
    match guard.claim(identity, at(now)).unwrap() {
        Claim::Fresh(_) => "fresh",
        Claim::InFlight { .. } => "in flight",
        Claim::Done => "done",
    }
}

// The digests are those of another implementation of SHA-256 (Python's hashlib) over the documented input.
#[test]
fn a_key_is_the_sha_256_of_the_documented_input() {
    let text = |key: Key| key.to_string();
    assert_eq!(
        text(Key::allscale_delivery("store-1", "wh_1", "5a0a4f4c", Duration::from_secs(300))),
        "v1:allscale-delivery:3c93b186256c90eb37f4a2ef95df865bde38f3ef3090c4369120ee2c3848c6eb",
    );
    assert_eq!(
        text(Key::allscale_transaction("store-1", "tx_1", Duration::MAX)),
        "v1:allscale-transaction:0dc9a99b4d3e2a41de9f658d61f4e713e490cf1f4331bb13d0cc4f4bf41d717a",
    );
    let pairs = [("signature", "5246"), ("currency", "ZAR"), ("amount", "14.99")];
    assert_eq!(
        text(Key::peach_content("8ac7a4c9", &pairs)),
        "v1:peach-content:329abc99b4d8a94fac3218a71802354489a6d27f2b2b926b6d05f19c5384195e",
    );
    // The signed text and the two ids.
    let pairs = [
        ("signature", "5246"),
        ("merchantTransactionId", "order-1"),
        ("currency", "ZAR"),
        ("checkoutId", "c1"),
        ("amount", "14.99"),
    ];
    assert_eq!(
        text(Key::peach_text("8ac7a4c9", &pairs)),
        "v1:peach-text:8443a18103812781a145fb618fe8cc3fff768f14ec452bf6ff21032d7f1c4513",
    );
    // A text that has a name of an id twice: the signed text, and six bits of the digest above.
    let pairs = [
        ("merchantTransactionId", "checkoutId7"),
        ("currency", "ZAR"),
        ("checkoutId", "c1"),
        ("amount", "14.99"),
    ];
    assert_eq!(
        text(Key::peach_text("8ac7a4c9", &pairs)),
        "v1:peach-text:66de46bed7e0ca5ed253b8d1b7db09dca902fd4025280c8b49871127276dd3d7",
    );
}

/// The key of a text of Peach's that was cut so that the id has so many characters.
fn cut(owner: &str, text: u32, length: usize) -> Key {
    let rest = format!("{}{text}", "z".repeat(60));
    let (id, rest) = rest.split_at(length);
    Key::peach_text(owner, &[("amount", "1"), ("checkoutId", id), (rest, "")])
}

fn committed(store: &MemoryStore, key: &Key, now: i64) {
    let Ok(Slot::Fresh(fence)) = store.claim(key, at(now), LEASE) else { panic!() };
    assert_eq!(store.commit(key, fence, at(now)), Ok(Commit::Committed));
}

#[test]
fn an_id_ends_within_48_characters_so_a_text_makes_no_more_events() {
    let mut keys: Vec<_> = (0..60).map(|length| cut("store-1", 0, length)).collect();
    assert!(keys[1..=48].iter().all(|key| *key != keys[0]));
    // A longer id names nothing, and so does the empty text.
    assert!(keys[49..].iter().all(|key| *key == keys[0]));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 49);
    // Characters, not bytes.
    let id = "ü".repeat(48);
    let named = |id: &str| Key::peach_text("entity", &[("checkoutId", id), ("zz", "")]);
    assert_ne!(named(&id), Key::peach_text("entity", &[("checkoutId", ""), (&format!("{id}zz"), "")]));
}

#[test]
fn cuts_of_one_text_make_room_for_any_other_event_when_the_store_is_full() {
    let store = MemoryStore::new(40);
    // One event, and a flood of cuts of another event's text.
    committed(&store, &transaction(1), NOW);
    for length in 0..39 {
        committed(&store, &cut("store-1", 0, length), NOW);
    }
    assert_eq!(store.len(), 40);
    // The next events are taken in, for any owner, and only cuts have made room.
    for id in 2..=39 {
        committed(&store, &transaction(id), NOW);
    }
    assert_eq!(store.len(), 40);
    for id in 1..=39 {
        assert_eq!(store.claim(&transaction(id), at(NOW), LEASE), Ok(Slot::Done), "{id}");
    }
    // The first cut of the text is no cut too many: all entries that are left are needed.
    assert_eq!(store.claim(&cut("store-1", 0, 0), at(NOW), LEASE), Ok(Slot::Done));
    assert!(store.claim(&transaction(40), at(NOW), LEASE).is_err());
    // Nor does a further cut of the text push anybody out.
    assert!(store.claim(&cut("store-1", 0, 1), at(NOW), LEASE).is_err());
}

#[test]
fn a_done_cut_makes_room_before_a_cut_in_flight_and_the_soonest_end_first() {
    let store = MemoryStore::new(4);
    committed(&store, &cut("store-1", 0, 0), NOW);
    let in_flight = cut("store-1", 0, 1);
    let Ok(Slot::Fresh(fence)) = store.claim(&in_flight, at(NOW), LEASE) else { panic!() };
    let (early, late) = (cut("store-1", 0, 2), cut("store-1", 0, 3));
    committed(&store, &late, NOW + 2);
    store.release(&in_flight, fence).unwrap();
    let Ok(Slot::Fresh(fence)) = store.claim(&in_flight, at(NOW + 2), LEASE) else { panic!() };
    committed(&store, &early, NOW + 2);
    let gone =
        |key: &Key| !matches!(store.claim(key, at(NOW + 2), LEASE), Ok(Slot::Done | Slot::InFlight { .. }));
    committed(&store, &transaction(1), NOW + 2);
    assert_eq!(store.claim(&in_flight, at(NOW + 2), LEASE), Ok(Slot::InFlight { until: at(NOW + 60_002) }));
    committed(&store, &transaction(2), NOW + 2);
    assert_eq!(store.claim(&in_flight, at(NOW + 2), LEASE), Ok(Slot::InFlight { until: at(NOW + 60_002) }));
    // The last cut gives way while it is in flight, and its commit notes the cut anew if there is room.
    committed(&store, &transaction(3), NOW + 2);
    assert!(store.commit(&in_flight, fence, at(NOW + 3)).is_err());
    assert!([&early, &late, &in_flight].into_iter().all(gone));
    assert_eq!(store.claim(&cut("store-1", 0, 0), at(NOW + 2), LEASE), Ok(Slot::Done));
}

#[test]
fn an_owner_above_its_share_makes_room_for_an_owner_below() {
    let store = MemoryStore::new(90);
    let of = |owner: &str, id: u32| Key::allscale_transaction(owner, &format!("tx_{id}"), Duration::MAX);
    for id in 0..90 {
        committed(&store, &of("flooded", id), NOW);
    }
    // A single owner may have all places, and nothing of the owner is forgotten.
    assert!(store.claim(&of("flooded", 90), at(NOW), LEASE).is_err());
    for id in 0..90 {
        assert_eq!(store.claim(&of("flooded", id), at(NOW), LEASE), Ok(Slot::Done));
    }
    // With others the owner has an equal share, and so has each of the others.
    for (owner, share) in [("second", 45), ("third", 30)] {
        for id in 0..share {
            committed(&store, &of(owner, id), NOW);
        }
        assert_eq!(store.len(), 90);
        assert!(store.claim(&of(owner, share), at(NOW), LEASE).is_err(), "{owner}");
        for id in 0..share {
            assert_eq!(store.claim(&of(owner, id), at(NOW), LEASE), Ok(Slot::Done), "{owner} {id}");
        }
    }
}

#[test]
fn an_ended_entry_leaves_room_and_counts_no_longer() {
    let store = MemoryStore::new(10);
    for round in 0..20 {
        let now = NOW + i64::from(round) * 61_000;
        for length in 0..10 {
            assert!(
                matches!(store.claim(&cut("store-1", round, length), at(now), LEASE), Ok(Slot::Fresh(_))),
                "{round}"
            );
        }
        assert!(store.len() <= 10);
    }
}

#[test]
fn a_delivery_is_kept_for_twice_the_tolerance_and_more_and_never_below_600_seconds() {
    let kept = |tolerance| Key::allscale_delivery("m", "w", "n", tolerance).retention();
    assert_eq!(kept(Duration::from_secs(300)), Duration::from_secs(660));
    assert_eq!(kept(Duration::from_secs(10)), Duration::from_secs(660));
    assert_eq!(kept(Duration::from_secs(3_600)), Duration::from_secs(7_260));
    assert_eq!(kept(Duration::MAX), Duration::MAX);
}

#[test]
fn no_input_of_a_key_is_in_its_debug_or_text() {
    let identity = Identity::new(Key::peach_content("entity-x", &[("customer.email", "tom@example.com")]));
    let shown = format!("{identity:?} {}", identity.keys()[0]);
    for secret in ["entity-x", "customer", "tom", "example"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_lists_of_parts_share_a_key(
        (one, other) in (prop::collection::vec("[ab]{0,3}", 0..4), prop::collection::vec("[ab]{0,3}", 0..4)),
        (mine, yours) in ("[ab]{0,3}", "[ab]{0,3}"),
    ) {
        let key = |owner: &str, parts: &[String]| Key::new(Scheme::PEACH_CONTENT, owner, parts, LEASE);
        prop_assert_eq!(key(&mine, &one) == key(&yours, &other), (&mine, &one) == (&yours, &other));
    }

    #[test]
    fn the_text_of_a_key_is_bounded_ascii(owner: String, part: Vec<u8>) {
        let scheme = Scheme::named("a-name-of-twenty-four-ch").unwrap();
        let text = Key::new(scheme, &owner, [part], LEASE).to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(text.len(), Key::MAX_TEXT_LEN);
    }
}

/// Notes the keys that are claimed.
struct Noting(RefCell<Vec<Key>>);

impl Store for Noting {
    type Error = Full;

    fn claim(&self, key: &Key, _: Moment, _: Duration) -> Result<Slot, Full> {
        self.0.borrow_mut().push(*key);
        Ok(Slot::Fresh(FencingToken::new(0)))
    }

    fn commit(&self, _: &Key, _: FencingToken, _: Moment) -> Result<Commit, Full> {
        Ok(Commit::Committed)
    }

    fn release(&self, _: &Key, _: FencingToken) -> Result<Release, Full> {
        Ok(Release::Released)
    }
}

#[test]
fn every_claimer_takes_the_keys_in_the_same_order_and_commits_the_events_own_first() {
    let keys = [transaction(1), delivery(1), transaction(2), delivery(2)];
    let mut taken = Vec::new();
    for turn in 0..keys.len() {
        let mut order = keys;
        order.rotate_left(turn);
        let identity = order[1..].iter().fold(Identity::new(order[0]), |identity, key| identity.and(*key));
        let guard = Guard::new(Noting(RefCell::default()));
        let ticket = fresh(guard.claim(&identity, at(NOW)));
        assert!(ticket.claims().map(|(key, _)| *key).eq(order));
        taken.push(guard.store().0.take());
    }
    taken.dedup();
    assert_eq!(taken.len(), 1);
}

#[test]
fn a_second_delivery_of_a_payment_waits_for_the_first_and_is_then_done() {
    let guard = Guard::new(MemoryStore::new(100));
    let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
    assert_eq!(check(&guard, &both(2, 1), NOW), "in flight");
    // The delivery's own key was given back.
    assert_eq!(check(&guard, &delivery(2).into(), NOW), "fresh");
    assert_eq!(guard.commit(ticket, at(NOW)).unwrap(), Commit::Committed);
    for redelivered in [1, 3] {
        assert_eq!(check(&guard, &both(redelivered, 1), NOW), "done");
    }
    assert_eq!(check(&guard, &both(4, 2), NOW), "fresh");
}

#[test]
fn a_recorded_delivery_is_refused_with_another_transaction_too() {
    let guard = Guard::new(MemoryStore::new(100));
    let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
    assert_eq!(guard.commit(ticket, at(NOW)).unwrap(), Commit::Committed);
    assert_eq!(check(&guard, &both(1, 2), NOW), "done");
    assert_eq!(check(&guard, &transaction(2).into(), NOW), "fresh");
}

#[test]
fn a_crash_between_the_commits_of_two_keys_leaves_the_payment_done() {
    let guard = Guard::new(MemoryStore::new(100));
    let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
    let (key, fence) = ticket.claims().next().unwrap();
    assert_eq!(*key, transaction(1));
    assert_eq!(guard.store().commit(key, fence, at(NOW)), Ok(Commit::Committed));
    drop(ticket);
    for redelivered in [1, 2] {
        assert_eq!(check(&guard, &both(redelivered, 1), AFTER), "done");
    }
}

#[test]
fn an_overtaken_ticket_loses_and_gives_its_other_keys_back() {
    let guard = Guard::new(MemoryStore::new(100));
    let late = fresh(guard.claim(&both(1, 1), at(NOW)));
    let holder = fresh(guard.claim(&both(2, 1), at(AFTER)));
    assert_eq!(guard.commit(late, at(AFTER)).unwrap(), Commit::Lost);
    assert_eq!(check(&guard, &both(3, 1), AFTER), "in flight");
    assert_eq!(check(&guard, &delivery(1).into(), AFTER), "fresh");
    assert_eq!(guard.commit(holder, at(AFTER)).unwrap(), Commit::Committed);
    assert_eq!(check(&guard, &both(3, 1), AFTER), "done");
}

#[test]
fn a_key_given_back_by_a_lost_commit_is_free_before_its_lease_ends() {
    let guard = Guard::new(MemoryStore::new(100));
    let late = fresh(guard.claim(&both(1, 1), at(NOW)));
    // The payment's key alone is taken away, within the lease of both.
    let (key, fence) = late.claims().find(|(key, _)| **key == transaction(1)).unwrap();
    assert_eq!(guard.store().release(key, fence), Ok(Release::Released));
    let _holder = fresh(guard.claim(&transaction(1).into(), at(NOW + 1)));
    assert_eq!(guard.commit(late, at(NOW + 2)).unwrap(), Commit::Lost);
    assert_eq!(check(&guard, &delivery(1).into(), NOW + 3), "fresh");
}

#[test]
fn a_commit_forgets_nothing_sooner_than_the_claim_would_have_ended() {
    let guard = Guard::new(MemoryStore::new(100)).lease(Duration::from_secs(3_600));
    let scheme = Scheme::named("short").unwrap();
    let identity = Identity::new(Key::new(scheme, "store-1", ["1"], Duration::from_secs(10)));
    let ticket = fresh(guard.claim(&identity, at(NOW)));
    assert_eq!(guard.commit(ticket, at(NOW + 1_000)).unwrap(), Commit::Committed);
    assert_eq!(check(&guard, &identity, NOW + 100_000), "done");
}

#[test]
fn a_ticket_that_was_overtaken_cannot_release() {
    let guard = Guard::new(MemoryStore::new(100));
    let late = fresh(guard.claim(&both(1, 1), at(NOW)));
    let _holder = fresh(guard.claim(&both(1, 1), at(AFTER)));
    assert_eq!(guard.release(late).unwrap(), Release::Lost);
    assert_eq!(check(&guard, &both(1, 1), AFTER), "in flight");
}

#[test]
fn one_of_64_deliveries_at_once_is_fresh() {
    let blocking = Guard::new(MemoryStore::new(1_000));
    let in_place = Guard::new(InPlace(MemoryStore::new(1_000)));
    let start = Barrier::new(64);
    for paid in 0..8 {
        // All deliveries the same, and all different.
        for own in [0, 1] {
            let payment = 2 * paid + own;
            let claims = thread::scope(|scope| {
                let threads: Vec<_> = (0..64)
                    .map(|member| {
                        let (blocking, in_place, start) = (&blocking, &in_place, &start);
                        scope.spawn(move || {
                            let identity = both(payment * 64 + member * own, payment);
                            start.wait();
                            let claim = blocking.claim(&identity, at(NOW)).unwrap();
                            let future = in_place.claim_async(&identity, at(NOW));
                            (claim.http_status(), pollster::block_on(future).unwrap().http_status())
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(claims.iter().filter(|(status, _)| status.is_none()).count(), 1);
            assert_eq!(claims.iter().filter(|(_, status)| status.is_none()).count(), 1);
            assert!(claims.iter().all(|&(one, other)| one != Some(200) && other != Some(200)));
        }
    }
}

/// Fails at the n-th operation from now, once.
struct Failing {
    store: MemoryStore,
    fails_in: Cell<u32>,
}

impl Failing {
    fn guard() -> Guard<Self> {
        Guard::new(Self { store: MemoryStore::new(100), fails_in: Cell::new(0) })
    }

    fn pass(&self) -> Result<(), &'static str> {
        let left = self.fails_in.get();
        self.fails_in.set(left.saturating_sub(1));
        if left == 1 { Err("down") } else { Ok(()) }
    }
}

impl Store for Failing {
    type Error = &'static str;

    fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, &'static str> {
        self.pass()?;
        self.store.claim(key, now, lease).map_err(|_| "full")
    }

    fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, &'static str> {
        self.pass()?;
        self.store.commit(key, fence, now).map_err(|_| "full")
    }

    fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, &'static str> {
        self.pass()?;
        self.store.release(key, fence).map_err(|_| "full")
    }
}

#[test]
fn a_claim_that_fails_half_way_holds_nothing() {
    let guard = Failing::guard();
    guard.store().fails_in.set(2);
    assert_eq!(guard.claim(&both(1, 1), at(NOW)).unwrap_err(), "down");
    assert_eq!(check(&guard, &both(1, 1), NOW), "fresh");
}

#[test]
fn a_commit_that_fails_gives_the_ticket_back_and_can_be_tried_again() {
    for fails_in in [1, 2] {
        let guard = Failing::guard();
        let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
        guard.store().fails_in.set(fails_in);
        let unfinished = guard.commit(ticket, at(NOW)).unwrap_err();
        assert_eq!(unfinished.error, "down");
        assert_eq!(guard.commit(unfinished.ticket, at(NOW)).unwrap(), Commit::Committed);
        assert_eq!(check(&guard, &delivery(1).into(), NOW), "done");
        assert_eq!(check(&guard, &transaction(1).into(), NOW), "done");
    }
}

#[test]
fn a_failed_commit_can_be_released_and_the_committed_keys_stay() {
    for (fails_in, released, payment) in [(1, Release::Released, "fresh"), (2, Release::Lost, "done")] {
        let guard = Failing::guard();
        let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
        guard.store().fails_in.set(fails_in);
        let unfinished = guard.commit(ticket, at(NOW)).unwrap_err();
        assert_eq!(guard.release(unfinished.ticket).unwrap(), released);
        assert_eq!(check(&guard, &both(2, 1), NOW), payment);
    }
}

#[test]
fn a_release_that_fails_gives_the_ticket_back() {
    let guard = Failing::guard();
    let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
    guard.store().fails_in.set(1);
    let unfinished = guard.release(ticket).unwrap_err();
    assert_eq!(unfinished.to_string(), "the replay store failed");
    assert_eq!(check(&guard, &both(1, 1), NOW), "in flight");
    assert_eq!(guard.release(unfinished.ticket).unwrap(), Release::Released);
    assert_eq!(check(&guard, &both(1, 1), NOW), "fresh");
}

#[test]
fn a_full_store_refuses_new_events_and_still_knows_the_old() {
    let guard = Guard::new(MemoryStore::new(4));
    let ticket = fresh(guard.claim(&both(1, 1), at(NOW)));
    assert_eq!(guard.commit(ticket, at(NOW)).unwrap(), Commit::Committed);
    let held = fresh(guard.claim(&both(2, 2), at(NOW)));
    let full: Full = guard.claim(&both(3, 3), at(NOW)).unwrap_err();
    assert_eq!(full.http_status(), 503);
    assert_eq!(check(&guard, &both(1, 1), NOW), "done");
    assert_eq!(guard.commit(held, at(NOW)).unwrap(), Commit::Committed);
    // The deliveries have ended, and make room for one event of two keys.
    let later = NOW + 660_001;
    assert_eq!(check(&guard, &both(3, 3), later), "fresh");
    assert!(guard.claim(&both(4, 4), at(later)).is_err());
    assert_eq!(check(&guard, &transaction(2).into(), later), "done");
}

#[test]
fn ended_entries_are_dropped_a_little_at_every_step() {
    let store = MemoryStore::new(10_000);
    for id in 0..1_000 {
        store.claim(&delivery(id), at(NOW), LEASE).unwrap();
    }
    let later = AFTER;
    for step in 1..=1_000 {
        store.claim(&delivery(1_000 + step), at(later), LEASE).unwrap();
        // One entry comes in, and two go out for as long as there are any.
        let left = 1_000_u32.saturating_sub(2 * step);
        assert_eq!(store.len(), usize::try_from(left + step).unwrap());
    }
    assert_eq!(store.len(), 1_000);
    assert!((1_001..=2_000).all(|id| {
        store.claim(&delivery(id), at(later), LEASE) == Ok(Slot::InFlight { until: at(later + 60_000) })
    }));
}

#[test]
fn a_clock_that_goes_back_brings_nothing_back() {
    let store = MemoryStore::new(2);
    let Ok(Slot::Fresh(fence)) = store.claim(&transaction(1), at(NOW), LEASE) else { panic!() };
    assert_eq!(store.commit(&transaction(1), fence, at(NOW)), Ok(Commit::Committed));
    store.claim(&delivery(1), at(NOW), LEASE).unwrap();
    assert_eq!(
        store.claim(&delivery(1), at(NOW - 1_000_000), LEASE),
        Ok(Slot::InFlight { until: at(NOW + 60_000) })
    );
    assert_eq!(store.claim(&transaction(1), at(i64::MIN), LEASE), Ok(Slot::Done));
    // The lease of a caller whose clock is behind is counted by the clock that is ahead.
    store.claim(&delivery(1), at(AFTER), LEASE).unwrap();
    assert_eq!(store.claim(&delivery(1), at(NOW), LEASE), Ok(Slot::InFlight { until: at(AFTER + 60_000) }));
}

/// The bytes for each of `entries` done keys: at the most while they came, and when they are in. The keys
/// come in the order of their ends, which leaves the list's nodes as empty as possible.
fn bytes_per_entry(entries: u32) -> (u64, u64) {
    let mut kept = None;
    let memory = measure(|| {
        let store = MemoryStore::new(usize::MAX);
        for id in 0..entries {
            let key = Key::peach_content("entity", &[("id", id.to_string())]);
            let now = NOW + i64::from(id);
            let Ok(Slot::Fresh(fence)) = store.claim(&key, at(now), LEASE) else { panic!() };
            assert_eq!(store.commit(&key, fence, at(now)), Ok(Commit::Committed));
        }
        kept = Some(store);
    });
    assert_eq!(kept.unwrap().len(), usize::try_from(entries).unwrap());
    let each = |bytes: u64| bytes.div_ceil(u64::from(entries));
    (each(memory.bytes_max), each(u64::try_from(memory.bytes_current).unwrap()))
}

#[test]
fn an_entry_costs_no_more_than_the_stated_bytes() {
    let stated = u64::try_from(MemoryStore::BYTES_PER_ENTRY).unwrap();
    // Seven eighths of a power of two and one more: the table has just grown, and is as empty as possible.
    for power in [10, 13, 16] {
        let entries = (1_u32 << power) / 8 * 7 + 1;
        let (most, kept) = bytes_per_entry(entries);
        assert!(most <= stated, "{entries}: {most} at the most, {kept} kept");
        assert!(kept * 4 <= stated * 3, "{entries}: {most} at the most, {kept} kept");
    }
}
