//! Any acts on a set, in any order: no checkout is lost, no limit and no gap is broken, and every end is
//! shown.

use crate::crowds::{Crowd, OfAllscale, OfAzotte, OfPeach, OfV2, now};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::{Change, End, WatchEvent, WatchSet, Watchable};
use checkout_transport::{BlockingTransport, from_fn_blocking};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

/// An act between two calls.
#[derive(Clone, Copy, Debug)]
enum Does {
    Polls(usize),
    Thread(usize),
    Nudge(usize),
    Ring(usize),
    Returns(usize),
    Resume(usize, u64),
    OutAndIn(usize),
    OutAndInFromText(usize),
    Restart,
    Advance(u64),
}

fn does() -> impl Strategy<Value = Does> {
    let one = 0..5_usize;
    prop_oneof![
        4 => (1..12_usize).prop_map(Does::Polls),
        2 => (0..4_usize).prop_map(Does::Thread),
        2 => one.clone().prop_map(Does::Nudge),
        2 => one.clone().prop_map(Does::Ring),
        1 => one.clone().prop_map(Does::Returns),
        2 => (one.clone(), prop_oneof![Just(0), 0..120_u64]).prop_map(|(one, time)| Does::Resume(one, time)),
        2 => one.clone().prop_map(Does::OutAndIn),
        1 => one.prop_map(Does::OutAndInFromText),
        1 => Just(Does::Restart),
        2 => prop_oneof![0..3_000_u64, 0..90_000_u64].prop_map(Does::Advance),
    ]
}

struct World<'a, C: Crowd> {
    crowd: &'a C,
    watches: WatchSet<C::E, usize>,
    merchant: checkout_client::MerchantId,
    ended: Vec<usize>,
    given_up: usize,
}

impl<C: Crowd> World<'_, C> {
    fn take_in(&mut self, event: WatchEvent<C::E, usize>) {
        assert!(!self.ended.contains(&event.key), "{} after its end: {:?}", event.key, event.change);
        let Some(mut watch) = event.watch else { return assert!(!event.change.is_end()) };
        match event.change {
            Change::End(End::Ended { answer, tracker, phase, .. }) => {
                let shown = answer.observation().and_then(|seen| seen.status().known());
                assert_eq!((shown, tracker.phase()), (tracker.status(), Some(phase)));
                self.ended.push(event.key);
            }
            Change::End(End::GaveUp { .. }) => {
                self.given_up += 1;
                assert!(self.given_up < 2_000, "the checkout is given up for good");
                watch.resume(Duration::from_secs(2 * 3_600));
                self.watches.add(self.merchant, watch, event.key);
            }
            Change::Phase { .. }
            | Change::Attention { .. }
            | Change::AskPayer { .. }
            | Change::NotShown { .. }
            | Change::Refused { .. }
            | Change::Nudged(_)
            | Change::NotRead { .. } => panic!("the checkout has left, and has not ended"),
        }
    }
}

/// Does all acts, and then goes on until every checkout has ended. `key` is the checkout that a request
/// reads, if the request is a read.
fn check<C: Crowd>(
    crowd: &C,
    all: &[Does],
    ways: &[u64],
    token_way: u64,
    at_once: usize,
    key: fn(&str) -> Option<String>,
) {
    let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
    let mut slow = Slow::new(crowd.sandbox().clone(), &time, ways);
    slow.token_way = Some(token_way);
    let log = Mutex::new(Vec::new());
    let sandbox = crowd.sandbox().clone();
    let blocking = from_fn_blocking(|request| {
        log.lock().unwrap().push((request.uri().to_string(), clock.now()));
        sandbox.send_blocking(request)
    });
    let mut fresh = WatchSet::new(now(&clock), 42).max_in_flight(at_once);
    // A token can take a minute and more.
    let policy = C::E::POLL_POLICY.read_timeout(Duration::from_secs(1_000));
    let merchant = fresh.merchant_with(policy, C::E::LIMIT);
    for number in 0..crowd.len() {
        fresh.add(merchant, crowd.watch(number), number);
    }
    let mut world = World { crowd, watches: fresh, merchant, ended: Vec::new(), given_up: 0 };
    for does in all {
        let find = |world: &World<'_, C>, one: usize| world.watches.find(&one);
        match *does {
            Does::Polls(mut polls) => {
                if let Some(Some(event)) =
                    time.run(world.watches.next_event(&slow, |wait| time.sleep(wait)), &mut polls)
                {
                    world.take_in(event);
                }
            }
            Does::Thread(mut sleeps) => {
                let event = world.watches.next_event_blocking(&blocking, |wait| {
                    if sleeps == 0 {
                        return ControlFlow::Break(());
                    }
                    sleeps -= 1;
                    clock.advance(wait);
                    ControlFlow::Continue(())
                });
                if let Some(event) = event {
                    world.take_in(event);
                }
            }
            Does::Nudge(one) => {
                find(&world, one).map(|watch_id| world.watches.nudge(watch_id));
            }
            Does::Ring(one) => {
                if let Some(watch_id) = find(&world, one) {
                    world.watches.handle(watch_id).unwrap().nudge();
                }
            }
            Does::Returns(one) => {
                find(&world, one).map(|watch_id| world.watches.payer_returned(watch_id));
            }
            Does::Resume(one, seconds) => {
                find(&world, one)
                    .map(|watch_id| world.watches.resume(watch_id, Duration::from_secs(seconds)));
            }
            Does::OutAndIn(one) => {
                if let Some((watch, key)) =
                    find(&world, one).and_then(|watch_id| world.watches.remove(watch_id))
                {
                    world.watches.add(world.merchant, watch, key);
                }
            }
            Does::OutAndInFromText(one) => {
                if let Some((watch, key)) =
                    find(&world, one).and_then(|watch_id| world.watches.remove(watch_id))
                {
                    let again = world.crowd.watch(key).restore_from(&watch.stored()).unwrap();
                    world.watches.add(world.merchant, again, key);
                }
            }
            Does::Restart => {
                let mut other = WatchSet::new(now(&clock), 43).max_in_flight(at_once);
                let merchant = other.merchant_with(policy, C::E::LIMIT);
                world
                    .watches
                    .requests_in_window(world.merchant)
                    .for_each(|at| other.record_request(merchant, at));
                for (watch_id, key) in world.watches.iter() {
                    let text = world.watches.stored(watch_id).unwrap();
                    other.add(merchant, crowd.watch(*key).restore_from(&text).unwrap(), *key);
                }
                (world.watches, world.merchant) = (other, merchant);
            }
            Does::Advance(millis) => clock.advance(Duration::from_millis(millis)),
        }
    }
    while let Some(event) =
        time.run(world.watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        world.take_in(event);
    }
    world.ended.sort_unstable();
    assert_eq!(world.ended, (0..crowd.len()).collect::<Vec<_>>());
    // The requests, by their times.
    let mut sent = slow.log();
    sent.extend(log.into_inner().unwrap());
    sent.sort_by_key(|(_, at)| *at);
    let reads: Vec<_> = sent.iter().filter_map(|(uri, at)| Some((key(uri)?, *at))).collect();
    let each: BTreeSet<_> = reads.iter().map(|(id, _)| id).collect();
    assert_eq!(each.len(), crowd.len(), "{each:?}");
    let gap = C::E::POLL_POLICY.min_gap;
    for (number, (id, at)) in reads.iter().enumerate() {
        if let Some((_, next)) = reads[number + 1..].iter().find(|(other, _)| other == id) {
            assert!(next.saturating_since(*at) >= gap, "{id} at {at:?} and {next:?}");
        }
    }
    if let Some(limit) = C::E::LIMIT {
        let most = usize::try_from(limit.requests).unwrap();
        for window in reads.windows(most + 1) {
            let took = window[most].1.saturating_since(window[0].1);
            assert!(took >= Duration::from_secs(limit.per_seconds.into()), "{window:?}");
        }
    }
}

/// The id in a path, which is long and has digits.
fn id(uri: &str) -> Option<String> {
    let path = uri.split('?').next().unwrap();
    path.split('/')
        .find(|part| part.len() > 12 && part.chars().any(|c| c.is_ascii_digit()))
        .map(str::to_owned)
}

fn of_peach(uri: &str) -> Option<String> {
    (!uri.contains("oauth")).then(|| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        query.split('&').find(|pair| pair.starts_with("merchantTransactionId")).unwrap_or(path).to_owned()
    })
}

fn some(names: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(names), 1..5)
}

fn many() -> impl Strategy<Value = Vec<Does>> {
    proptest::collection::vec(does(), 0..60)
}

fn ways() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(0_u64..4_000, 1..5)
}

const OF_PEACH: &[&str] = &["happy", "declined_then_paid", "cancelled", "expired"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_allscale_checkout_comes_to_its_end_under_any_acts(
        all in many(), ways in ways(), at_once in 1..4_usize,
        scenarios in some(&["happy", "canceled", "underpaid", "timeout", "regression"])
    ) {
        check(&OfAllscale::of(&scenarios), &all, &ways, 0, at_once, id);
    }

    #[test]
    fn each_azotte_checkout_comes_to_its_end_under_any_acts(
        all in many(), ways in ways(), at_once in 1..4_usize,
        scenarios in some(&["happy", "three_ds_twice", "failed", "unknown_code"])
    ) {
        check(&OfAzotte::of(&scenarios), &all, &ways, 0, at_once, id);
    }

    #[test]
    fn each_peach_checkout_comes_to_its_end_under_any_acts(
        all in many(), ways in ways(), at_once in 1..4_usize, scenarios in some(OF_PEACH)
    ) {
        check(&OfPeach::of(&scenarios), &all, &ways, 0, at_once, of_peach);
    }

    #[test]
    fn each_checkout_of_peach_v2_comes_to_its_end_under_any_acts(
        all in many(), ways in ways(), at_once in 1..4_usize, scenarios in some(OF_PEACH),
        token_way in prop_oneof![0..1_000_u64, 0..50_000_u64], lasts in 300..900_u64
    ) {
        let crowd = OfV2::lasting(&scenarios, Duration::from_secs(lasts));
        check(&crowd, &all, &ways, token_way, at_once, of_peach);
    }
}
