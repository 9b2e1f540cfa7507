//! A clock that is wrong for a while.

use crate::world::shifted;
use crate::world::{end_line, line, of_allscale, of_azotte};
use checkout_client::{End, NonceSource, Watch, azotte};
use checkout_sandbox::VirtualClock;
use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
use checkout_tables::Environment;
use checkout_transport::{BlockingTransport, Response, TransportError, from_fn_blocking};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

const MINUTE: i64 = 60_000;
const YEAR: i64 = 365 * 24 * 60 * MINUTE;

/// Watches by a clock that is wrong by `off` for `looks` readings, from the reading `from` on. A watch that
/// gave up is watched again, and resumed if the watch gives up once more. Returns the end, the longest sleep,
/// and the number of reads.
fn check(off: i64, from: u64, looks: u64) -> (String, Duration, usize) {
    let sandbox = Sandbox::builder().seed(7).scenario(Scenario::three_ds_url()).build();
    let submitted = of_azotte::client(&sandbox).submit(&of_azotte::submit()).send_blocking(&sandbox).unwrap();
    let number = submitted.payload.tracking_number;
    let (clock, looked) = (sandbox.clock().clone(), AtomicU64::new(0));
    let wrong = move || match looked.fetch_add(1, Ordering::SeqCst) {
        look if (from..from + looks).contains(&look) => shifted(clock.now(), off),
        _ => clock.now(),
    };
    let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    let mut watch = client.clock(wrong).build().unwrap().watch(&number).unwrap();
    let (clock, mut longest, mut sleeps) = (sandbox.clock().clone(), Duration::ZERO, 0);
    let mut end = || {
        watch.end_blocking(&sandbox, |wait| {
            longest = longest.max(wait);
            sleeps += 1;
            assert!(sleeps < 1_000, "the watch never ends");
            clock.advance(wait);
        })
    };
    let mut last = end();
    for _ in 0..looks {
        if matches!(last, End::GaveUp { .. }) {
            last = end();
        }
    }
    if matches!(last, End::GaveUp { .. }) {
        watch.resume(Duration::from_secs(3_600));
        last = watch.end_blocking(&sandbox, |wait| {
            longest = longest.max(wait);
            clock.advance(wait);
        });
    }
    (end_line(&last), longest, sandbox.requests().len() - 1)
}

#[test]
fn a_clock_that_jumps_and_comes_back_costs_neither_the_end_nor_a_year() {
    for off in [-YEAR, -MINUTE, -5_000, 5_000, MINUTE, 60 * MINUTE, YEAR, 3 * YEAR] {
        for from in 0..10 {
            for looks in [1, 2, 4] {
                let (end, longest, reads) = check(off, from, looks);
                assert_eq!(end, "ended: succeeded", "{off} {from} {looks}");
                // Half a minute is the longest pause; less than a minute of the jump may be added.
                assert!(longest <= Duration::from_secs(90), "{longest:?} {off} {from} {looks}");
                // Each wrong reading of the clock can make a read too early, and a resumed watch begins with
                // a read.
                assert!(reads <= 20, "{reads} {off} {from} {looks}");
            }
        }
    }
}

#[test]
fn a_watch_stored_by_a_clock_far_ahead_goes_on_by_a_right_clock() {
    let (sandbox, mut watch) = of_allscale::watched(checkout_sandbox::allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    // An hour ahead, which the policy's deadline outlives here.
    let (now, offset) = (clock.clone(), Arc::new(AtomicI64::new(60 * MINUTE)));
    let ahead = Arc::clone(&offset);
    let client = checkout_client::allscale::Client::builder(of_allscale::key())
        .clock(move || shifted(now.now(), ahead.load(Ordering::SeqCst)))
        .nonces(|| "nonce-of-another".to_owned())
        .build()
        .unwrap();
    let policy = checkout_client::PollPolicy::allscale().deadline(Duration::from_secs(24 * 3_600));
    let mut far = client.watch(&sandbox.intents()[0].id).unwrap().policy(policy);
    // A transport that loses every request.
    let nowhere = from_fn_blocking(|_| -> Result<Response, _> { Err(TransportError::unknown("time out")) });
    assert!(!far.next_change_blocking(&nowhere, |_| panic!("the watch reads at once")).is_end());
    watch = watch.policy(policy).restore_from(&far.stored()).unwrap();
    let mut waits = Vec::new();
    let end = watch.end_blocking(&sandbox, |wait| {
        waits.push(wait);
        clock.advance(wait);
    });
    assert_eq!(end_line(&end), "ended: succeeded");
    assert!(waits[0] >= Duration::from_secs(1) && waits[0] < Duration::from_secs(10), "{waits:?}");
}

/// The changes under a clock that is `off` ahead for the first read, and right from then on. If `restarts`
/// says so, the watch is stored and restored after each read.
fn ahead_for_one_read<E: checkout_client::Watchable>(
    transport: &impl BlockingTransport,
    clock: &VirtualClock,
    off: &AtomicI64,
    watch: impl Fn() -> Watch<E>,
    restarts: bool,
) -> Vec<String> {
    let (mut told, mut watching) = (Vec::new(), watch());
    loop {
        let change = watching.next_change_blocking(transport, |wait| clock.advance(wait));
        told.push(line(&change));
        if change.is_end() {
            return told;
        }
        if restarts {
            watching = watch().restore_from(&watching.stored()).unwrap();
        }
        off.store(0, Ordering::SeqCst);
    }
}

#[test]
fn a_watch_sees_the_true_status_after_one_read_by_a_clock_a_year_ahead() {
    for (restarts, ahead) in [(false, YEAR), (true, YEAR), (false, 60 * MINUTE), (true, 50 * YEAR)] {
        for (first, then, told) in [
            (10, -3, ["processing", "failed: underpaid", "ended: failed: underpaid"]),
            (10, 20, ["processing", "succeeded", "ended: succeeded"]),
            (1, -5, ["awaiting payer", "failed: expired", "ended: failed: expired"]),
        ] {
            let after = Duration::from_secs;
            let course = checkout_sandbox::allscale::Scenario::custom([(after(0), first), (after(60), then)]);
            let (sandbox, _) = of_allscale::watched(course);
            let (id, clock) = (sandbox.intents()[0].id.clone(), sandbox.clock().clone());
            let off = Arc::new(AtomicI64::new(ahead));
            let (time, by, nonces) = (clock.clone(), Arc::clone(&off), crate::world::nonces());
            let client = checkout_client::allscale::Client::builder(of_allscale::key());
            let client = client.clock(move || shifted(time.now(), by.load(Ordering::SeqCst)));
            let client = client.nonces(move || format!("another-{}", nonces.nonce())).build().unwrap();
            // This AllScale does not check the timestamp of the first read.
            let (lenient, by) = (sandbox.clone(), Arc::clone(&off));
            let transport = from_fn_blocking(move |request| match by.load(Ordering::SeqCst) {
                0 => lenient.send_blocking(request),
                _ => Ok(Response::new(format!(r#"{{"code":0,"payload":{first}}}"#).into())),
            });
            let watch = || client.watch(&id).unwrap();
            assert_eq!(ahead_for_one_read(&transport, &clock, &off, watch, restarts), told);
        }
        let sandbox = Sandbox::builder().seed(7).scenario(Scenario::failed()).build();
        let submit = of_azotte::client(&sandbox).submit(&of_azotte::submit());
        let submitted = submit.send_blocking(&sandbox).unwrap();
        let (number, clock) = (submitted.payload.tracking_number, sandbox.clock().clone());
        let off = Arc::new(AtomicI64::new(ahead));
        let (time, by) = (clock.clone(), Arc::clone(&off));
        let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        let client = client.clock(move || shifted(time.now(), by.load(Ordering::SeqCst)));
        let client = client.build().unwrap();
        let told = ahead_for_one_read(&sandbox, &clock, &off, || client.watch(&number).unwrap(), restarts);
        assert_eq!(told, ["processing", "failed: error", "ended: failed: error"]);
    }
}

#[test]
fn a_caller_s_own_loop_sees_the_true_status_after_a_clock_that_was_ahead() {
    use checkout_lifecycle::{Failure, Phase, Tracker};
    use checkout_poll::{ReadKind, ReadOutcome};
    let (sandbox, mut watch) = of_allscale::watched(checkout_sandbox::allscale::Scenario::underpaid());
    let clock = sandbox.clock().clone();
    let year_ahead = shifted(clock.now(), YEAR);
    clock.advance(Duration::from_secs(600));
    let End::Ended { answer, .. } = watch.end_blocking(&sandbox, |wait| clock.advance(wait)) else {
        panic!()
    };
    // Beside a column of a year ahead.
    let mut tracker: Tracker<_> = format!("v1 ON_CHAIN - {}", year_ahead.unix_millis()).parse().unwrap();
    let (heard, verdict) = answer.read_outcome(ReadKind::Full, &mut tracker, watch.now());
    let phase = Some(Phase::Failed(Failure::Underpaid));
    assert_eq!(heard, ReadOutcome::Answer { kind: ReadKind::Full, phase, wait: None });
    assert!(!verdict.unwrap().wants_attention());
    assert_eq!(tracker.to_string(), format!("v1 UNDERPAID - {}", answer.sent_at().unix_millis()));
}
