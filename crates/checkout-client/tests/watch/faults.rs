//! Faults on the way.

use crate::world::{Form, LONG, end_line, lines, of_allscale, of_azotte, of_peach};
use checkout_client::{Change, End, GiveUpReason, RetryAdvice};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::allscale::Route;
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, Request, Response, TransportError, from_fn_blocking, http};
use std::sync::Mutex;
use std::time::Duration;

/// The changes without the failed reads, and the number of reads that failed.
fn sorted(log: &[String]) -> (Vec<&str>, usize) {
    let told = log.iter().map(String::as_str);
    let (failed, told): (Vec<_>, Vec<_>) = told.partition(|line| line.starts_with("x "));
    (told, failed.len())
}

#[test]
fn an_allscale_payment_comes_to_its_end_over_every_fault() {
    use allscale::Fault;
    let faults = [
        Fault::LostBefore,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Garbage,
        Fault::Truncated,
        Fault::HtmlBadGateway,
        Fault::EmptyUnauthorized,
        Fault::Redirect,
        Fault::RateLimited,
        Fault::InternalError,
        Fault::LateInternalError,
        Fault::UnknownErrorCode(60_001),
        Fault::DuplicateKeys,
        Fault::StatusAsObject,
    ];
    for fault in faults {
        for form in Form::ALL {
            let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
            let clock = sandbox.clock().clone();
            for _ in 0..2 {
                sandbox.inject_on(Route::Status, fault.clone());
            }
            if fault != Fault::StatusAsObject {
                // A fault at the end too: the watch reads the intent again.
                sandbox.inject_on(Route::Get, fault.clone());
            }
            let log = lines(&form.changes(&mut watch, &sandbox, &clock));
            let (told, failed) = sorted(&log);
            assert_eq!(told.last(), Some(&"ended: succeeded"), "{fault:?} {form:?} {log:?}");
            assert_eq!(failed, if fault == Fault::StatusAsObject { 2 } else { 3 }, "{fault:?} {log:?}");
            assert_eq!(sandbox.faults_waiting(), 0);
        }
    }
}

#[test]
fn an_azotte_payment_comes_to_its_end_over_every_fault() {
    use azotte::Fault;
    let faults = [
        Fault::LostBefore,
        Fault::LostAnswer,
        Fault::Garbage,
        Fault::EmptyBody,
        Fault::HtmlBadGateway,
        Fault::Redirect,
        Fault::EmptyUnauthorized,
        Fault::RateLimited,
        Fault::InternalError,
        Fault::EmptyProblem,
        Fault::SwappedCheckout,
        Fault::TamperedTracking,
    ];
    for fault in faults {
        let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::three_ds_url());
        let clock = sandbox.clock().clone();
        sandbox.inject(fault.clone());
        sandbox.inject(fault.clone());
        let log = lines(&Form::Async.changes(&mut watch, &sandbox, &clock));
        let (told, failed) = sorted(&log);
        assert_eq!((told.last(), failed), (Some(&"ended: succeeded"), 2), "{fault:?} {log:?}");
    }
}

#[test]
fn a_peach_payment_comes_to_its_end_over_every_fault() {
    use peach::Fault;
    let faults = [
        Fault::LostBefore,
        Fault::LostAnswer,
        Fault::Garbage,
        Fault::HtmlBadGateway,
        Fault::EmptyUnauthorized,
        Fault::RateLimited,
        Fault::LateInternalError,
        Fault::Refused("200.300.404".into()),
        Fault::Refused("999.999.999".into()),
        Fault::SwappedCheckout,
        Fault::TamperedSignature,
        Fault::Unsigned,
    ];
    for fault in faults {
        let (sandbox, mut watch) = of_peach::watched(peach::Scenario::happy());
        let clock = sandbox.clock().clone();
        // The intent is paid by now, so a fault about an end strikes.
        clock.advance(Duration::from_secs(60));
        sandbox.inject(fault.clone());
        sandbox.inject(fault.clone());
        let log = lines(&Form::Async.changes(&mut watch, &sandbox, &clock));
        let (told, failed) = sorted(&log);
        assert_eq!((told, failed), (vec!["succeeded", "ended: succeeded"], 2), "{fault:?} {log:?}");
        let asked = sandbox.status_requests(peach::ENTITY_ID);
        assert!(asked.iter().all(|request| !request.limited), "{fault:?}");
    }
}

#[test]
fn three_permanent_refusals_in_a_row_end_a_watch_that_can_be_resumed() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    // Forbidden, by the API's own code.
    (0..3).for_each(|_| sandbox.inject(allscale::Fault::UnknownErrorCode(30_001)));
    let changes = Form::Async.changes(&mut watch, &sandbox, &clock);
    let lines = lines(&changes);
    let (end, refused) = lines.split_last().unwrap();
    assert!(refused.iter().all(|line| line.contains("refused with code 30001")), "{lines:?}");
    let last: Vec<_> = refused.iter().map(|line| line.ends_with(", the last")).collect();
    assert_eq!((last.as_slice(), end.as_str()), (&[false, false, true][..], "gave up at nothing: Refused"));
    let Some(Change::End(End::GaveUp { gave_up, error: Some(error), .. })) = changes.last() else { panic!() };
    assert_eq!((gave_up.reason, error.retry()), (GiveUpReason::Refused, RetryAdvice::Never));
    watch.resume(LONG);
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
}

#[test]
fn an_error_that_was_overcome_is_not_the_reason_of_an_end() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::never_paid());
    let clock = sandbox.clock().clone();
    sandbox.inject(allscale::Fault::LostAnswer);
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert!(matches!(end, End::GaveUp { error: None, .. }), "{end:?}");
}

/// Answers the first request with 429 and this header, and passes the others on.
fn limited_once<'s>(sandbox: &'s allscale::Sandbox, retry_after: &str) -> impl BlockingTransport + 's {
    let limited = http::Response::builder().status(429).header("retry-after", retry_after);
    let limited = limited.body(Bytes::from_static(br#"{"code":40001,"payload":null}"#)).unwrap();
    let first = Mutex::new(Some(limited));
    from_fn_blocking(move |request: Request| -> Result<Response, TransportError> {
        match first.lock().unwrap().take() {
            Some(limited) => Ok(limited),
            None => sandbox.send_blocking(request),
        }
    })
}

#[test]
fn a_wait_longer_than_the_deadline_is_reported_at_once_and_not_cut_short() {
    for (header, seconds) in [("7200", 7_200), ("Thu, 23 May 2024 23:50:00 GMT", 7_200)] {
        let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
        let clock = sandbox.clock().clone();
        let begun = clock.now();
        let transport = limited_once(&sandbox, header);
        let changes: Vec<_> = watch.changes_blocking(&transport, |wait| clock.advance(wait)).collect();
        assert_eq!(clock.now(), begun, "the watch does not wait");
        let [Change::NotRead { again: None, .. }, Change::End(End::GaveUp { gave_up, error, .. })] =
            &changes[..]
        else {
            panic!("{changes:?}")
        };
        let GiveUpReason::AskedToWait { until } = gave_up.reason else { panic!("{gave_up:?}") };
        let (waited, wait) = (until.saturating_since(begun), Duration::from_secs(seconds));
        assert!((wait..wait + Duration::from_millis(100)).contains(&waited), "{waited:?}");
        let advice = error.as_ref().unwrap().retry();
        assert_eq!(advice, RetryAdvice::After(wait));

        // A watch that is resumed at once waits for the whole wait.
        watch.resume(LONG);
        let asked = sandbox.requests().len();
        let mut waits = Vec::new();
        let end = watch.end_blocking(&transport, |wait| {
            waits.push(wait);
            clock.advance(wait);
        });
        assert_eq!(end_line(&end), "ended: succeeded");
        assert!(waits[0] >= Duration::from_secs(7_200), "{waits:?}");
        assert!(sandbox.requests()[asked].at() >= begun.saturating_add(Duration::from_secs(7_200)));
    }
}

#[test]
fn a_wait_inside_the_deadline_is_waited_for_whole() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    let begun = clock.now();
    let transport = limited_once(&sandbox, "90");
    let end = watch.end_blocking(&transport, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
    assert!(sandbox.requests()[1].at() >= begun.saturating_add(Duration::from_secs(90)));
}

#[test]
fn a_request_that_cannot_be_signed_gives_up_and_sends_nothing() {
    let (sandbox, _) = of_allscale::watched(allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    let now = clock.clone();
    let builder = checkout_client::allscale::Client::builder(of_allscale::key());
    let client = builder.clock(move || now.now()).nonces(String::new).build().unwrap();
    let mut watch = client.watch(&sandbox.intents()[0].id).unwrap();
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    let End::GaveUp { gave_up, error: Some(error), .. } = end else { panic!("{end:?}") };
    assert_eq!((gave_up.reason, error.retry()), (GiveUpReason::Refused, RetryAdvice::Never));
    assert_eq!(sandbox.requests().len(), 1);
}
