//! A refusal with late reads to follow: the watch reports the refusal when it is confirmed, and the late
//! money after that.

use crate::world::{Form, LONG, end_line, line, lines, of_allscale, of_azotte, of_peach};
use checkout_client::{Change, End, NonceSource, PollPolicy, Watch, Watchable};
use checkout_sandbox::{VirtualClock, allscale, azotte, peach};
use checkout_transport::{BlockingTransport, Transport};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Watches with late reads of three days. Returns the seconds after which the refusal was reported, and all
/// lines.
fn check<E: Watchable, S>(
    (sandbox, watch): (S, Watch<E>),
    clock: &VirtualClock,
    policy: PollPolicy,
) -> (Vec<u64>, Vec<String>)
where
    S: BlockingTransport,
{
    let (began, mut watch) = (clock.now(), watch.policy(policy.late_payment_reads(HOUR, LONG)));
    let (mut refused, mut told) = (Vec::new(), Vec::new());
    for change in watch.changes_blocking(&sandbox, |wait| clock.advance(wait)) {
        if let Change::Refused { .. } = change {
            refused.push(clock.now().saturating_since(began).as_secs());
        }
        told.push(line(&change));
    }
    (refused, told)
}

#[test]
fn a_refusal_is_reported_with_its_read_before_the_late_reads() {
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::underpaid());
    let clock = sandbox.clock().clone();
    let (refused, told) = check((sandbox, watch), &clock, PollPolicy::allscale());
    // By the policy without late reads the watch ends within ten minutes.
    assert!(refused.len() == 1 && refused[0] <= 600, "{refused:?}");
    assert_eq!(told[told.len() - 2..], ["refused: failed: underpaid", "ended: failed: underpaid"]);

    let (sandbox, watch) = of_azotte::watched(azotte::Scenario::failed());
    let clock = sandbox.clock().clone();
    let (refused, told) = check((sandbox, watch), &clock, PollPolicy::azotte());
    assert!(refused.len() == 1 && refused[0] <= 600, "{refused:?}");
    assert_eq!(told[told.len() - 2..], ["refused: failed: error", "ended: failed: error"]);

    let (sandbox, watch) = of_peach::watched(peach::Scenario::cancelled());
    let clock = sandbox.clock().clone();
    let (refused, told) = check((sandbox, watch), &clock, PollPolicy::peach());
    assert!(refused.len() == 1 && refused[0] <= 3_900, "{refused:?}");
    assert_eq!(told[told.len() - 2..], ["refused: failed: canceled", "ended: failed: canceled"]);
}

#[test]
fn every_form_reports_the_refusal() {
    fn told<E: Watchable, S>(form: Form, watch: Watch<E>, sandbox: &S, clock: &VirtualClock) -> Vec<String>
    where
        S: Transport + BlockingTransport + Clone + 'static,
    {
        lines(&form.changes(
            &mut watch.policy(PollPolicy::allscale().late_payment_reads(HOUR, LONG)),
            sandbox,
            clock,
        ))
    }
    for form in Form::ALL {
        let (sandbox, watch) = of_allscale::watched(allscale::Scenario::underpaid());
        let clock = sandbox.clock().clone();
        let told = told(form, watch, &sandbox, &clock);
        let refused = told.iter().filter(|line| *line == "refused: failed: underpaid").count();
        assert_eq!(refused, 1, "{form:?} {told:?}");
    }
}

#[test]
fn the_end_alone_reports_the_refusal_without_late_reads() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::underpaid());
    let clock = sandbox.clock().clone();
    let told = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(told.last().unwrap(), "ended: failed: underpaid");
    assert!(!told.iter().any(|line| line.starts_with("refused")), "{told:?}");
}

#[test]
fn the_late_money_is_reported_after_the_refusal() {
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::late_success());
    let clock = sandbox.clock().clone();
    // The intent expires after half an hour, and is paid a day later.
    let (refused, told) = check((sandbox, watch), &clock, PollPolicy::allscale().deadline(HOUR));
    assert!(refused[0] <= 3_600, "{refused:?}");
    let at = |line: &str| told.iter().position(|other| other == line);
    let (refusal, end) = (at("refused: failed: expired"), at("ended: succeeded after TIMEOUT"));
    assert!(refusal.is_some() && refusal < end, "{told:?}");
}

#[test]
fn a_restarted_watch_reports_the_refusal_again_rather_than_never() {
    // The process ended before the refusal was reported, or after that.
    for is_told in [false, true] {
        let policy = PollPolicy::allscale().late_payment_reads(HOUR, LONG);
        let (sandbox, _) = of_allscale::watched(allscale::Scenario::underpaid());
        let (clock, id) = (sandbox.clock().clone(), sandbox.intents()[0].id.clone());
        let time = clock.clone();
        let client = checkout_client::allscale::Client::builder(of_allscale::key());
        let nonces = crate::world::nonces();
        let client = client.nonces(move || format!("another-{}", nonces.nonce()));
        let client = client.clock(move || time.now()).build().unwrap();
        let mut watch = client.watch(&id).unwrap().policy(policy);
        let stored = loop {
            let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
            // The read that confirms the refusal reported the phase before.
            let is_refusal = matches!(change, Change::Refused { .. });
            let is_phase = watch.phase().is_some_and(checkout_lifecycle::Phase::is_final);
            if is_refusal || (!is_told && is_phase) {
                break watch.stored();
            }
        };
        for _ in 0..2 {
            let mut again = client.watch(&id).unwrap().policy(policy).restore_from(&stored).unwrap();
            let began = clock.now();
            let change = again.next_change_blocking(&sandbox, |wait| clock.advance(wait));
            let Change::Refused { answer, until, .. } = change else { panic!("{change:?}") };
            assert!(clock.now().saturating_since(began) <= Duration::from_secs(3_600), "{stored}");
            // With the whole intent, not a bare status.
            assert!(answer.into_read().payload().actual_paid_amount.is_some());
            assert!(until > again.now());
        }
    }
}

#[test]
fn a_failed_late_read_reports_no_second_refusal() {
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::underpaid());
    let clock = sandbox.clock().clone();
    let mut watch =
        watch.policy(PollPolicy::allscale().late_payment_reads(HOUR, Duration::from_secs(6 * 3_600)));
    let mut told = Vec::new();
    loop {
        let change = watch.next_change_blocking(&sandbox, |wait| {
            if wait > Duration::from_secs(1_800) {
                sandbox.inject(allscale::Fault::InternalError);
            }
            clock.advance(wait);
        });
        told.push(line(&change));
        if let Change::End(end) = change {
            assert!(matches!(end, End::Ended { .. }));
            break;
        }
    }
    assert_eq!(told.iter().filter(|line| line.starts_with("refused")).count(), 1, "{told:?}");
    assert!(told.iter().any(|line| line.starts_with('x')), "{told:?}");
}

#[test]
fn the_end_waits_for_the_late_reads_and_begins_none_anew() {
    let (sandbox, watch) = of_azotte::watched(azotte::Scenario::failed());
    let (clock, began) = (sandbox.clock().clone(), sandbox.clock().now());
    let mut watch = watch.policy(PollPolicy::azotte().late_payment_reads(HOUR, LONG));
    assert_eq!(end_line(&watch.end_blocking(&sandbox, |wait| clock.advance(wait))), "ended: failed: error");
    assert!(clock.now().saturating_since(began) > Duration::from_secs(2 * 24 * 3_600));
    let again = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(again, ["ended: failed: error"]);
}
