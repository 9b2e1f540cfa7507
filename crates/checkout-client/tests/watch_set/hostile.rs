//! No hostile answer, silence, nudge or restart of one checkout hides, delays or ends the others.

use crate::crowds::{Crowd, OfAllscale, OfPeach, OfV2, Told, now};
use crate::time::{ENDLESS, Time};
use crate::world::line;
use checkout_client::{CallErrorKind, Change, End, PollPolicy, WatchSet};
use checkout_sandbox::VirtualClock;
use checkout_transport::bytes::Bytes;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// A sandbox that gives other answers to some requests, or no answer.
#[derive(Clone)]
struct Bad<S, F> {
    sandbox: S,
    answer: F,
}

/// The event that comes instead of an answer.
enum Instead {
    Nothing,
    This(Response),
}

impl<S: Transport, F: Fn(&str) -> Option<Instead> + Send + Sync> Transport for Bad<S, F> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        match (self.answer)(request.uri().path()) {
            None => self.sandbox.send(request).await,
            Some(Instead::This(response)) => Ok(response),
            Some(Instead::Nothing) => std::future::pending().await,
        }
    }
}

fn answer(status: u16, retry_after: &str, body: &'static str) -> Response {
    let response =
        checkout_transport::http::Response::builder().status(status).header("retry-after", retry_after);
    response.body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// The changes of each checkout, each with the time since the beginning.
type Timed = BTreeMap<usize, Vec<(Duration, String)>>;

fn all<E>(
    clock: &VirtualClock,
    watches: &mut WatchSet<E, usize>,
    transport: &(impl Transport + Clone + 'static),
    seconds: u64,
) -> Timed
where
    E: checkout_client::Watchable<StatusRead: 'static> + 'static,
{
    let (time, began) = (Time::of(clock), clock.now());
    let mut told = Timed::new();
    while clock.now() < began.saturating_add(Duration::from_secs(seconds))
        && let Some(event) =
            time.run(watches.next_event(transport, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        told.entry(event.key).or_default().push((clock.now().saturating_since(began), line(&event.change)));
    }
    told
}

/// The time at which the set reported this checkout as paid.
fn paid(told: &Timed, key: usize) -> Duration {
    let is_paid = |line: &&(Duration, String)| line.1 == "ended: succeeded";
    told.get(&key).and_then(|lines| lines.iter().find(is_paid)).unwrap_or_else(|| panic!("{key}: {told:?}")).0
}

const WAITS: [&str; 4] = ["86400", "99999999999", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"];

#[test]
fn a_wait_of_a_day_for_one_checkout_holds_up_no_other() {
    for wait in WAITS {
        for at_once in [1, 16] {
            let crowd = OfAllscale::of(&["happy"; 4]);
            let id = crowd.reads_of(0);
            let bad = Bad {
                sandbox: crowd.sandbox().clone(),
                answer: move |path: &str| {
                    let limited = answer(429, wait, r#"{"code":40001,"payload":null}"#);
                    path.contains(&id).then_some(Instead::This(limited))
                },
            };
            let mut watches = crate::crowds::watches(&crowd, true).max_in_flight(at_once);
            let told = all(&crowd.clock(), &mut watches, &bad, 1_000);
            // The checkout with the hostile answer is reported at once.
            assert!(told[&0].last().unwrap().1.starts_with("gave up at nothing: AskedToWait"), "{told:?}");
            assert_eq!(told[&0].last().unwrap().0, Duration::ZERO);
            // A happy checkout is paid at 60 s and read every few seconds; a minute is AllScale's longest
            // pause.
            for other in 1..4 {
                assert!(
                    paid(&told, other) <= Duration::from_secs(60 + 60 + 15),
                    "{wait} {at_once}: {told:?}"
                );
            }
        }
    }
}

#[test]
fn a_response_that_is_not_the_api_s_binds_no_checkout() {
    for wait in WAITS {
        for (status, body) in [
            (429, "<h1>slow down</h1>"),
            (503, "<h1>wait</h1>"),
            (302, ""),
            (429, ""),
            // A firewall's page. Three of these pages are no three refusals of the API's own.
            (401, "<h1>who are you?</h1>"),
            (403, "<h1>are you a robot?</h1>"),
        ] {
            let crowd = OfAllscale::of(&["happy"; 4]);
            let (id, clock, began) = (crowd.reads_of(0), crowd.clock(), crowd.clock().now());
            let bad = Bad {
                sandbox: crowd.sandbox().clone(),
                // For the first half a minute.
                answer: move |path: &str| {
                    let is_bad =
                        path.contains(&id) && clock.now() < began.saturating_add(Duration::from_secs(30));
                    is_bad.then(|| Instead::This(answer(status, wait, body)))
                },
            };
            let mut watches = crate::crowds::watches(&crowd, true).max_in_flight(1);
            let told = all(&crowd.clock(), &mut watches, &bad, 1_000);
            for key in 0..4 {
                assert!(paid(&told, key) <= Duration::from_secs(60 + 15), "{wait} {status} {body}: {told:?}");
            }
        }
    }
}

#[test]
fn a_token_refused_until_tomorrow_ends_no_checkout_and_is_requested_after_a_pause() {
    for (status, body) in [
        (429, r#"{"message":"slow down"}"#),
        (503, r#"{"message":"later"}"#),
        (429, "<html>"),
        (403, "<html>"),
    ] {
        let crowd = OfV2::of(&["happy"; 3]);
        let (clock, began) = (crowd.clock(), crowd.clock().now());
        let bad = Bad {
            sandbox: crowd.sandbox().clone(),
            answer: move |path: &str| {
                let is_bad = path.ends_with("/oauth/token")
                    && clock.now() < began.saturating_add(Duration::from_secs(10));
                is_bad.then(|| Instead::This(answer(status, "86400", body)))
            },
        };
        let mut watches = WatchSet::new(now(&crowd.clock()), 42);
        let merchant = watches.merchant_with(PollPolicy::peach(), None);
        for number in 0..3 {
            watches.add(merchant, crowd.watch(number), number);
        }
        let told = all(&crowd.clock(), &mut watches, &bad, 4_000);
        for key in 0..3 {
            assert!(paid(&told, key) <= Duration::from_secs(400), "{status} {body}: {told:?}");
        }
    }
}

/// Two merchants: a merchant whose host hangs, and a merchant whose host answers. Returns the times at which
/// the good merchant's checkout was read.
fn beside_those_that_hang(hanging: usize, shops: usize, at_once: usize) -> (Vec<Duration>, Timed) {
    let mut scenarios = vec!["never_paid"; hanging];
    scenarios.push("happy");
    let crowd = OfAllscale::of(&scenarios);
    let good = crowd.reads_of(hanging);
    let bad = Bad {
        sandbox: crowd.sandbox().clone(),
        answer: move |path: &str| (!path.contains(&good)).then_some(Instead::Nothing),
    };
    let mut watches = WatchSet::new(now(&crowd.clock()), 42).max_in_flight(at_once);
    let bad_shops: Vec<_> = (0..shops).map(|_| watches.merchant()).collect();
    for number in 0..hanging {
        watches.add(bad_shops[number % shops], crowd.watch(number), number);
    }
    let shop = watches.merchant();
    watches.add(shop, crowd.watch(hanging), hanging);
    let began = crowd.clock().now();
    let told = all(&crowd.clock(), &mut watches, &bad, 1_500);
    (crowd.reads(hanging).into_iter().map(|(_, at)| at.saturating_since(began)).collect(), told)
}

#[test]
fn forty_hanging_reads_keep_no_place_from_an_answered_checkout() {
    for (hanging, shops, at_once) in [(40, 1, 16), (40, 3, 16), (5, 1, 2), (100, 1, 4)] {
        let (reads, told) = beside_those_that_hang(hanging, shops, at_once);
        // AllScale's guide asks each 5 s; the pause grows to an eighth of the age.
        assert_eq!(reads[0], Duration::ZERO, "{hanging} {shops} {at_once}");
        let max_interval = reads.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(max_interval <= Duration::from_secs(10), "{hanging} {shops} {at_once}: {reads:?}");
        assert!(paid(&told, hanging) <= Duration::from_secs(75));
        // The set reports the reads that hang, and gives these checkouts up after the deadline and not
        // before.
        for key in 0..hanging {
            assert!(told[&key][0].1.starts_with("x GET "), "{told:?}");
            let gave_up = told[&key].iter().find(|(_, line)| line.starts_with("gave up"));
            assert!(
                gave_up.is_none_or(|(at, line)| *at >= Duration::from_secs(600) && line.contains("Deadline")),
                "{told:?}"
            );
        }
    }
}

#[test]
fn a_hanging_read_keeps_the_only_place_until_its_time_out() {
    let (reads, told) = beside_those_that_hang(1, 1, 1);
    assert!(reads[0] <= Duration::from_secs(30), "{reads:?}");
    assert!(paid(&told, 1) <= Duration::from_secs(60 + 75), "{told:?}");
}

#[test]
fn a_hanging_read_fails_after_the_policy_s_time_out_and_is_made_again() {
    let crowd = OfAllscale::of(&["happy"]);
    let (clock, began) = (crowd.clock(), crowd.clock().now());
    let bad = Bad {
        sandbox: crowd.sandbox().clone(),
        answer: move |_: &str| (clock.now() == began).then_some(Instead::Nothing),
    };
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant_with(PollPolicy::allscale().read_timeout(Duration::from_secs(12)), None);
    watches.add(merchant, crowd.watch(0), 0);
    let time = Time::of(&crowd.clock());
    let first = time.run(watches.next_event(&bad, |wait| time.sleep(wait)), &mut { ENDLESS });
    let Some(Some(event)) = first else { panic!("no event") };
    let Change::NotRead { error, again: Some(again) } = event.change else { panic!("{:?}", event.change) };
    assert!(matches!(error.kind(), CallErrorKind::NoResponse(_)), "{error:?}");
    assert!(error.may_have_been_processed());
    assert_eq!(crowd.clock().now(), began.saturating_add(Duration::from_secs(12)));
    assert!(again > began.saturating_add(Duration::from_secs(12)));
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "no answer within 12 s, the time-out of the watch's policy");
    let told = all(&crowd.clock(), &mut watches, &bad, 1_000);
    assert!(paid(&told, 0) <= Duration::from_secs(75));
}

#[test]
fn a_hanging_token_holds_up_no_other_merchant_and_is_requested_again() {
    let crowd = OfV2::of(&["happy"; 20]);
    let (clock, began) = (crowd.clock(), crowd.clock().now());
    let other = crate::world::of_peach::v2(&crowd.0).build().unwrap();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let bad = Bad {
        sandbox: crowd.sandbox().clone(),
        // The first request for a token gets no answer, for either merchant; the second request is the other
        // merchant's.
        answer: move |path: &str| {
            let is_token = path.ends_with("/oauth/token");
            let is_first = is_token && asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            (is_first && clock.now() < began.saturating_add(Duration::from_secs(1)))
                .then_some(Instead::Nothing)
        },
    };
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let (one, another) =
        (watches.merchant_with(PollPolicy::peach(), None), watches.merchant_with(PollPolicy::peach(), None));
    for number in 0..19 {
        watches.add(one, crowd.watch(number), number);
    }
    let id = crowd.0.checkouts()[19].checkout_id.clone();
    watches.add(another, other.watch(&id).unwrap(), 19);
    let told = all(&crowd.clock(), &mut watches, &bad, 4_000);
    let first = |key: usize| told[&key][0].clone();
    // The other merchant's checkout is read at once.
    let reads = crowd.0.status_requests(checkout_sandbox::peach::ENTITY_ID);
    let read = reads.iter().find(|read| read.checkout_id.as_deref() == Some(&*id)).unwrap();
    assert_eq!(read.at, began, "{told:?}");
    for key in 0..19 {
        // The set reports the time-out for each checkout that waited for the token, and all are paid.
        assert!(first(key).0 <= Duration::from_secs(30 + 60), "{told:?}");
        assert!(paid(&told, key) <= Duration::from_secs(500), "{told:?}");
    }
    assert!(
        (0..19).any(|key| first(key) == (Duration::from_secs(30), first(key).1)
            && first(key).1.starts_with("x POST "))
    );
}

#[test]
fn an_answer_that_came_between_two_calls_is_in_time() {
    let crowd = OfAllscale::of(&["happy"]);
    let time = Time::of(&crowd.clock());
    let slow = crate::time::Slow::new(crowd.0.clone(), &time, &[500]);
    let mut watches = crate::crowds::watches(&crowd, true);
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    crowd.clock().advance(Duration::from_secs(20));
    // The answer is on its way back.
    assert!(time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { 1 }).is_none());
    crowd.clock().advance(Duration::from_secs(60));
    let event = time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap();
    assert!(matches!(event.unwrap().change, Change::Phase { .. }));
}

#[test]
fn nudges_without_end_keep_no_checkout_from_its_read() {
    let mut scenarios = vec!["happy"; 10];
    scenarios.extend(["never_opened"; 2]);
    let crowd = OfPeach::of(&scenarios);
    crowd.clock().advance(Duration::from_secs(600)); // the ten are paid
    let (clock, time) = (crowd.clock(), Time::of(&crowd.clock()));
    let mut watches = WatchSet::new(now(&clock), 42);
    let merchant = watches.merchant();
    let watch_ids: Vec<_> =
        (0..12).map(|number| watches.add(merchant, crowd.watch(number), number)).collect();
    let (began, mut told) = (clock.now(), Told::new());
    while told.len() < 10 {
        assert!(clock.now() < began.saturating_add(Duration::from_secs(366)), "{told:?}");
        for watch_id in &watch_ids[10..] {
            watches.nudge(*watch_id);
            watches.payer_returned(*watch_id);
        }
        let sleep = |wait: Duration| time.sleep(wait.min(Duration::from_secs(1)));
        // One call a second.
        let event = time.run(watches.next_event(crowd.sandbox(), sleep), &mut { 1 });
        if let Some(Some(event)) = event
            && matches!(event.change, Change::End(End::Ended { .. }))
        {
            told.entry(event.key).or_default().push("paid".into());
        }
    }
}

#[test]
fn checkouts_resumed_after_a_restart_are_read_one_after_the_other() {
    let crowd = OfAllscale::of(&["never_paid"; 200]);
    let clock = crowd.clock();
    let rows: Vec<String> = (0..200).map(|number| crowd.watch(number).stored()).collect();
    clock.advance(Duration::from_secs(400));
    let began = clock.now();
    let mut watches = WatchSet::new(now(&clock), 42);
    let merchant = watches.merchant();
    for (number, row) in rows.iter().enumerate() {
        watches.add(merchant, crowd.watch(number).restore_from(row).unwrap(), number);
    }
    let time = Time::of(&clock);
    let mut polls = 20_000;
    while clock.now() < began.saturating_add(Duration::from_secs(55)) {
        let _ = time.run(watches.next_event(crowd.sandbox(), |wait| time.sleep(wait)), &mut polls);
    }
    // An eighth of 400 s is 50 s: four of 200 in each second of these.
    let firsts: Vec<_> = (0..200).map(|number| crowd.reads(number)[0].1.saturating_since(began)).collect();
    for second in 0..50 {
        let inside = firsts.iter().filter(|at| at.as_secs() == second).count();
        assert!((3..=5).contains(&inside), "{inside} in second {second}: {firsts:?}");
    }
}

/// A key that counts the comparisons.
#[derive(Clone, Debug)]
struct Counted(u64);

thread_local! {
    static COMPARED: Cell<u64> = const { Cell::new(0) };
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[test]
fn a_key_is_found_by_its_hash_without_a_search() {
    let crowd = OfAllscale::of(&["never_paid"]);
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = watches.merchant();
    let watch_ids: Vec<_> =
        (0..5_000).map(|key| watches.add(merchant, crowd.watch(0), Counted(key))).collect();
    COMPARED.set(0);
    for (key, watch_id) in (0..).zip(&watch_ids) {
        assert_eq!(watches.find(&Counted(key)), Some(*watch_id));
    }
    assert_eq!(watches.find(&Counted(9_999)), None);
    // A comparison for each key that is there; by chance two keys could have one hash of 64 bits.
    assert!(COMPARED.get() <= 5_002, "{}", COMPARED.get());
    // The first of several equal keys is found, and then the next.
    let twins: Vec<_> = (0..3).map(|_| watches.add(merchant, crowd.watch(0), Counted(7))).collect();
    for watch_id in [watch_ids[7], twins[0], twins[1], twins[2]] {
        assert_eq!(watches.find(&Counted(7)), Some(watch_id));
        assert!(watches.remove(watch_id).is_some());
    }
    assert_eq!(watches.find(&Counted(7)), None);
    assert_eq!(watches.find(&Counted(8)), Some(watch_ids[8]));
}
