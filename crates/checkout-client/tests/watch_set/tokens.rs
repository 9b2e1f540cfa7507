//! V2's access tokens: one request serves all checkouts that wait for a token.

use crate::crowds::{Crowd, OfV2, Told, all, note, now, watches};
use crate::time::{ENDLESS, Slow, Time};
use checkout_client::peach;
use checkout_sandbox::peach::{ENTITY_ID, Fault};
use checkout_tables::Environment;
use checkout_tables::peach::Route;
use std::time::Duration;

/// Plays with tokens that take so long each way. Returns the changes, and the most requests under way.
fn walk(crowd: &OfV2, limited: bool, at_once: usize, token_way: u64) -> (Told, usize) {
    let time = Time::of(&crowd.clock());
    let mut slow = Slow::new(crowd.0.clone(), &time, &[10]);
    slow.token_way = Some(token_way);
    let (mut watches, mut told) =
        (checkout_client::WatchSet::new(now(&crowd.clock()), 42).max_in_flight(at_once), Told::new());
    let policy = checkout_client::PollPolicy::peach().read_timeout(Duration::from_secs(1_000));
    let merchant = watches.merchant_with(policy, Route::Status.rate_limit().filter(|_| limited));
    for number in 0..crowd.len() {
        watches.add(merchant, crowd.watch(number), number);
    }
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        note(&mut told, &event);
    }
    (told, slow.most())
}

#[test]
fn one_request_for_a_token_serves_all_waiting_checkouts() {
    for (way, at_once) in [(0, 16), (400, 16), (400, 1), (400, 3), (5_000, 16)] {
        let crowd = OfV2::of(&["happy"; 10]);
        let (told, most) = walk(&crowd, false, at_once, way);
        assert!(
            told.values().all(|lines| lines == &["awaiting payer", "succeeded", "ended: succeeded"]
                || lines == &["succeeded", "ended: succeeded"]),
            "{told:?}"
        );
        assert_eq!(crowd.tokens(), 1, "{way} {at_once}");
        assert!(most <= at_once, "{most} of {at_once}");
    }
}

#[test]
fn a_token_costs_the_first_reads_no_time_and_the_limit_no_room() {
    let crowd = OfV2::of(&["happy"; 4]);
    let begun = crowd.clock().now();
    let _ = walk(&crowd, true, 16, 100);
    let reads = crowd.0.status_requests(ENTITY_ID);
    let after = [0, 1, 2].map(|number| reads[number].at.saturating_since(begun));
    assert_eq!(after, [210, 210, 61_010].map(Duration::from_millis));
}

#[test]
fn the_limit_holds_for_every_duration_of_a_token_request() {
    // From no time to longer than a minute: a read whose place was given too long ago gets another place.
    for way in [0, 100, 499, 700, 2_000, 14_000, 31_000, 45_000, 200_000] {
        let crowd = OfV2::lasting(
            &["happy", "expired", "declined_then_paid", "happy", "cancelled"],
            Duration::from_secs(900),
        );
        let (told, _) = walk(&crowd, true, 16, way);
        let counts = crowd.0.counts(ENTITY_ID);
        assert!(counts.busiest_minute <= 2, "{way} {counts:?}");
        assert!(told.values().all(|lines| lines.last().unwrap().starts_with("ended: ")), "{way} {told:?}");
        assert!(crowd.tokens() > 1, "{way}");
    }
}

#[test]
fn a_refused_token_is_forgotten_and_another_is_requested() {
    let crowd = OfV2::of(&["happy"; 3]);
    crowd.0.inject_on(Route::CheckoutStatus, Fault::EmptyUnauthorized);
    let (told, _) = walk(&crowd, false, 16, 0);
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    assert_eq!(crowd.tokens(), 2);
}

#[test]
fn a_failed_token_request_is_reported_for_each_waiting_checkout() {
    let crowd = OfV2::of(&["happy"; 3]);
    crowd.0.inject_on(Route::Token, Fault::HtmlBadGateway);
    let (told, _) = walk(&crowd, false, 16, 300);
    for lines in told.values() {
        assert!(lines[0].starts_with("x POST /api/oauth/token"), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with('x')).count(), 1);
        assert_eq!(lines.last().unwrap(), "ended: succeeded");
    }
    // The token that failed, and perhaps one more request for each checkout before the first token came.
    assert!((2..=4).contains(&crowd.tokens()), "{}", crowd.tokens());
}

#[test]
fn checkouts_with_wrong_credentials_are_given_up_without_a_status_read() {
    let crowd = OfV2::of(&["happy"; 3]);
    let clock = crowd.clock();
    let credentials = peach::v2::Credentials {
        client_id: "nobody".into(),
        client_secret: "wrong".into(),
        merchant_id: "nobody".into(),
    };
    let wrong = peach::v2::Client::builder(ENTITY_ID, credentials).environment(Environment::Sandbox);
    let wrong = wrong.referer("https://shop.example").clock(move || clock.now());
    let wrong = wrong.nonces(crate::world::nonces()).build().unwrap();
    let mut watches = checkout_client::WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant();
    for (number, checkout) in crowd.0.checkouts().iter().enumerate() {
        watches.add(merchant, wrong.watch(&checkout.checkout_id).unwrap(), number);
    }
    let (told, _) = all(&crowd, &mut watches, &[50]);
    assert!(told.values().all(|lines| lines.last().unwrap() == "gave up at nothing: Refused"), "{told:?}");
    assert!(crowd.0.status_requests(ENTITY_ID).is_empty());
}

#[test]
fn merchants_have_a_token_each_and_none_waits_for_another() {
    let first = OfV2::of(&["happy"]);
    let other = crate::world::of_peach::v2(&first.0).build().unwrap();
    let mut watches = checkout_client::WatchSet::new(now(&first.clock()), 42);
    let (one, another) = (watches.merchant(), watches.merchant());
    watches.add(one, first.watch(0), 0);
    watches.add(another, other.watch(&first.0.checkouts()[0].checkout_id).unwrap(), 1);
    let (told, _) = all(&first, &mut watches, &[100]);
    assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
    assert_eq!(first.tokens(), 2);
    // Clients that share a merchant have a token each, too.
    let crowd = OfV2::of(&["happy"; 2]);
    let other = crate::world::of_peach::v2(&crowd.0).build().unwrap();
    let mut watches = checkout_client::WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant();
    watches.add(merchant, crowd.watch(0), 0);
    watches.add(merchant, other.watch(&crowd.0.checkouts()[1].checkout_id).unwrap(), 1);
    let (told, _) = all(&crowd, &mut watches, &[100]);
    assert!(told.values().flatten().all(|line| !line.starts_with('x')), "{told:?}");
    assert_eq!((told.len(), crowd.tokens()), (2, 2));
}

#[test]
fn a_checkout_that_leaves_during_a_token_request_takes_the_token_from_no_other() {
    for leaves in [&[0][..], &[1], &[0, 1], &[0, 1, 2]] {
        let crowd = OfV2::of(&["happy"; 3]);
        let time = Time::of(&crowd.clock());
        let slow = Slow::new(crowd.0.clone(), &time, &[200]);
        let mut watches = watches(&crowd, false);
        // A request for the token is under way, and all three wait for the token.
        assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
        for key in leaves {
            watches.remove(watches.find(key).unwrap()).unwrap();
        }
        let mut told = Told::new();
        while let Some(event) =
            time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
        {
            note(&mut told, &event);
        }
        assert_eq!(told.len(), 3 - leaves.len());
        assert!(told.values().all(|lines| lines.last().unwrap() == "ended: succeeded"), "{told:?}");
        // A checkout that is added later does not wait for ever.
        let merchant = watches.merchant();
        watches.add(merchant, crowd.watch(0), 0);
        assert_eq!(all(&crowd, &mut watches, &[0]).0[&0].last().unwrap(), "ended: succeeded");
    }
}

#[test]
fn the_gap_between_two_reads_begins_at_the_sending_of_the_read() {
    let crowd = OfV2::of(&["happy"]);
    let time = Time::of(&crowd.clock());
    let mut slow = Slow::new(crowd.0.clone(), &time, &[1]);
    slow.token_way = Some(10_000);
    let mut watches = watches(&crowd, false);
    // The token takes 20 seconds; then the read arrives, and its answer does not.
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 4 }).is_none());
    assert_eq!(crowd.reads(0).len(), 1);
    let (watch, key) = watches.remove(watches.find(&0).unwrap()).unwrap();
    let merchant = watches.merchant_with(checkout_client::PollPolicy::peach(), None);
    let watch_id = watches.add(merchant, watch, key);
    watches.nudge(watch_id);
    let _ = all(&crowd, &mut watches, &[1]);
    let reads = crowd.reads(0);
    assert!(reads[1].1.saturating_since(reads[0].1) >= Duration::from_millis(29_999), "{reads:?}");
}

#[test]
fn a_read_whose_token_came_after_the_deadline_is_the_last_read_as_in_a_lone_watch() {
    let reads = |alone: bool| {
        let crowd = OfV2::of(&["expired"]);
        let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
        let policy = checkout_client::PollPolicy::peach().deadline(Duration::from_secs(5));
        let mut slow = Slow::new(crowd.0.clone(), &time, &[1]);
        slow.token_way = Some(3_000);
        if alone {
            let mut watch = crowd.watch(0).policy(policy);
            let _ = time.run(watch.end(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap();
        } else {
            let mut watches = checkout_client::WatchSet::new(now(&clock), 42);
            let merchant = watches.merchant_with(policy, None);
            watches.add(merchant, crowd.watch(0), 0);
            while time
                .run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS })
                .unwrap()
                .is_some()
            {}
        }
        crowd.reads(0).into_iter().map(|(_, at)| at).collect::<Vec<_>>()
    };
    assert_eq!(reads(false), reads(true));
    assert_eq!(reads(true).len(), 1);
}

#[test]
fn a_token_that_fails_after_the_deadline_is_the_last_try_as_in_a_lone_watch() {
    let tries = |alone: bool| {
        let crowd = OfV2::of(&["expired"]);
        let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
        let policy = checkout_client::PollPolicy::peach().deadline(Duration::from_secs(5)).final_attempts(1);
        let mut slow = Slow::new(crowd.0.clone(), &time, &[1]);
        slow.token_way = Some(3_000);
        crowd.0.inject_on(Route::Token, Fault::HtmlBadGateway);
        if alone {
            let mut watch = crowd.watch(0).policy(policy);
            let _ = time.run(watch.end(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap();
        } else {
            let mut watches = checkout_client::WatchSet::new(now(&clock), 42);
            let merchant = watches.merchant_with(policy, None);
            watches.add(merchant, crowd.watch(0), 0);
            let mut next = || time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS });
            while next().unwrap().is_some() {}
        }
        (crowd.tokens(), crowd.reads(0).len())
    };
    assert_eq!((tries(true), tries(false)), ((1, 0), (1, 0)));
}
