//! After a submit: the wait that the answer asks for, the changes from the answer, and the time until the
//! checkout appears.

use crate::script::{Answer, Script, instructions, not_found, status};
use crate::world::{end_line, line, of_allscale, of_peach};
use checkout_client::azotte::{Azotte, Submitted};
use checkout_client::{
    self as client, CallError, CallErrorKind, Change, End, GiveUpReason, PollPolicy, WatchSet,
};
use checkout_lifecycle::{Moment, Phase};
use checkout_poll::{Next, Schedule};
use checkout_transport::bytes::Bytes;
use checkout_transport::{Response, from_fn_blocking, http};
use checkout_validate::IdError;
use std::ops::ControlFlow;
use std::time::Duration;

/// Sends a submit that gets this answer.
fn submit(script: &Script, answer: Answer) -> Result<client::Answer<Submitted<'static>>, CallError<Azotte>> {
    let transport = script.answering(|_, _| answer.clone());
    script.client().submit(&crate::world::of_azotte::submit()).send_blocking(&transport)
}

/// The answer to a submit.
fn submitted(script: &Script, answer: Answer) -> client::Answer<Submitted<'static>> {
    submit(script, answer).unwrap()
}

/// A 202 with this `Retry-After` and these members.
fn accepted(code: &str, retry_after: Option<&'static str>, members: &str) -> Answer {
    let (_, _, body) = status(code, members);
    (202, retry_after, body)
}

#[test]
fn a_watch_by_the_number_alone_waits_the_page_s_two_seconds_before_its_first_read() {
    let done = |_, _| status("CHECK_OUT_DONE", "");
    // "POST -> 202, trackingNumber, Retry-After: 2; wait; GET."
    let script = Script::new();
    let transport = script.answering(done);
    script.lines(&mut script.client().watch("trk_1").unwrap(), &transport);
    assert_eq!(script.reads(), [2_000]);

    // Among many.
    let script = Script::new();
    let transport = script.answering(done);
    let watch = script.client().watch("trk_1").unwrap();
    let mut watches = WatchSet::new(watch.now(), 42);
    let merchant = watches.merchant();
    watches.add(merchant, watch, ());
    let sleep = |wait| {
        script.clock.advance(wait);
        ControlFlow::Continue(())
    };
    while watches.next_event_blocking(&transport, sleep).is_some() {}
    assert_eq!(script.reads(), [2_000]);

    // A bare schedule.
    let now = Moment::from_unix_millis(1_716_501_000_000);
    let mut schedule = Schedule::new(now, 42);
    let merchant = schedule.merchant(PollPolicy::azotte(), None);
    schedule.add(merchant, now, now, ());
    assert_eq!(schedule.next(now), Next::Wait(now.saturating_add(Duration::from_secs(2))));

    // A watch stored before the first read, and a poller that began a while ago.
    let script = Script::new();
    let transport = script.answering(done);
    let stored = script.client().watch("trk_1").unwrap().stored();
    let mut watch = script.client().watch("trk_1").unwrap().restore_from(&stored).unwrap();
    script.lines(&mut watch, &transport);
    assert_eq!(script.reads(), [2_000]);
    let script = Script::new();
    let transport = script.answering(done);
    let watch = script.client().watch("trk_1").unwrap();
    let an_hour_ago = Moment::from_unix_millis(watch.now().unix_millis() - 3_600_000);
    script.lines(&mut watch.started_at(an_hour_ago), &transport);
    assert_eq!(script.reads(), [0]);
}

#[test]
fn the_wait_of_a_submit_comes_before_the_first_read() {
    let follow_up = |seconds: &str| format!(r#","followUpInstructions":{{"retryAfterSeconds":{seconds}}}"#);
    for (retry_after, members, first) in [
        (Some("2"), String::new(), 2_000),
        (Some("7"), String::new(), 7_000),
        (None, follow_up("5"), 5_000),
        // "wait retryAfterSeconds, else Retry-After, else 2 s."
        (Some("9"), follow_up("4"), 4_000),
        (None, String::new(), 2_000),
    ] {
        let script = Script::new();
        let answer = submitted(&script, accepted("CHECK_OUT_PROCESSING", retry_after, &members));
        let transport = script.answering(|_, _| status("CHECK_OUT_DONE", ""));
        let mut watch = script.client().watch_submitted(answer.clone()).unwrap();
        let expected = ["processing", "succeeded", "ended: succeeded"];
        assert_eq!(script.lines(&mut watch, &transport), expected);
        assert_eq!(script.reads(), [first], "{retry_after:?} {members}");

        // The same among many, with a policy of its own, and after a restart.
        let script = Script::new();
        let transport = script.answering(|_, _| status("CHECK_OUT_DONE", ""));
        let client = script.client();
        let watch = client.watch_submitted(answer.clone()).unwrap();
        let mut watches = WatchSet::new(watch.now(), 42);
        let policy = PollPolicy::azotte().deadline(Duration::from_secs(3_600));
        let merchant = watches.merchant_with(policy, None);
        let stored = watch.stored();
        watches.add(merchant, watch, 1);
        watches.add(merchant, client.watch("trk_1").unwrap().restore_from(&stored).unwrap(), 2);
        let sleep = |wait| {
            script.clock.advance(wait);
            ControlFlow::Continue(())
        };
        while watches.next_event_blocking(&transport, sleep).is_some() {}
        assert_eq!(script.reads(), [first, first], "{retry_after:?} {members}");
    }
}

#[test]
fn the_status_of_a_submit_is_reported_first_and_settles_nothing() {
    let url = instructions(r#"{"redirectUrl":"https://psp.example/3ds/abc","isRedirectRequired":true}"#);
    let http = instructions(r#"{"redirectUrl":"http://psp.example/3ds/abc","isRedirectRequired":true}"#);
    let not_shown = "- not shown: redirectUrl is no https URL, and there is no htmlContent";
    for (code, members, told) in [
        ("CHECK_OUT_3DS_REQUIRED", &*url, &["payer action", "? page"][..]),
        ("CHECK_OUT_3DS_REQUIRED", &http, &["payer action", not_shown]),
        ("CHECK_OUT_DONE", "", &["succeeded"]),
        ("CHECK_OUT_FAILED", "", &["failed: error"]),
    ] {
        let script = Script::new();
        let answer = submitted(&script, accepted(code, Some("2"), members));
        let mut watch = script.client().watch_submitted(answer).unwrap();
        let mut before = Vec::new();
        while let Some(change) = watch.take_change() {
            before.push(line(&change));
        }
        assert_eq!(before, told);
        // The submit says "paid" or not, and a read says otherwise, or the same.
        let transport = script.answering(|_, _| status("CHECK_OUT_DONE", ""));
        let end = watch.end_blocking(&transport, |wait| script.clock.advance(wait));
        let End::Ended { answer, phase: Phase::Succeeded, .. } = end else { panic!("{end:?}") };
        assert_eq!(answer.route(), checkout_tables::azotte::Route::CheckoutStatus);
        assert!(script.reads()[0] >= 2_000);
    }
    // No read succeeds: the word of the submit is no end.
    let script = Script::new();
    let answer = submitted(&script, accepted("CHECK_OUT_DONE", Some("2"), ""));
    let mut watch = script.client().watch_submitted(answer).unwrap();
    let transport = script.answering(|_, _| (503, None, String::new()));
    let end = watch.end_blocking(&transport, |wait| script.clock.advance(wait));
    assert_eq!(end_line(&end), "gave up at succeeded: Deadline");
}

#[test]
fn a_refusal_in_a_submit_s_answer_is_read_before_its_report() {
    let script = Script::new();
    let answer = submitted(&script, accepted("CHECK_OUT_FAILED", Some("2"), ""));
    let policy =
        PollPolicy::azotte().late_payment_reads(Duration::from_secs(3_600), Duration::from_secs(10_000));
    let mut watch = script.client().watch_submitted(answer).unwrap().policy(policy);
    let transport = script.answering(|_, _| status("CHECK_OUT_FAILED", ""));
    let told = script.told(&mut watch, &transport);
    let refused = told.iter().find(|(_, line)| line == "refused: failed: error").unwrap();
    assert_eq!(refused.0, 2_000);
}

#[test]
fn a_refused_submit_and_a_submit_without_a_number_make_no_watch() {
    let script = Script::new();
    let bad_request = (400, None, r#"{"title":"Bad Request","status":400}"#.to_owned());
    let error = submit(&script, bad_request).unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::Refused(_)), "{error:?}");
    assert!(error.to_string().contains("Bad Request"));
    // Without a number there is nothing to ask after, and with these there is no path.
    for members in ["", r#""trackingNumber":"","#, r#""trackingNumber":"..","#] {
        let body = format!(r#"{{{members}"status":{{"messageCode":"CHECK_OUT_DONE"}}}}"#);
        let error = submit(&script, (202, None, body)).unwrap_err();
        assert!(matches!(error.kind(), CallErrorKind::Mismatch("trackingNumber")), "{error:?}");
    }
    // The caller has changed the number since.
    for (number, expected) in [("", IdError::Empty), ("..", IdError::Dots)] {
        let mut answer = submitted(&script, accepted("CHECK_OUT_DONE", None, ""));
        answer.payload.tracking_number = number.to_owned();
        assert_eq!(script.client().watch_submitted(answer).unwrap_err(), expected);
    }
}

#[test]
fn a_checkout_that_is_not_there_yet_gets_time_to_appear() {
    // The status is 404 three times and more, and then the checkout is there.
    for appears in [5_000, 20_000, 55_000] {
        let script = Script::new();
        let transport = script.answering(|_, millis| match millis {
            millis if millis < appears => not_found(),
            millis if millis < appears + 10_000 => status("CHECK_OUT_PROCESSING", ""),
            _ => status("CHECK_OUT_DONE", ""),
        });
        let answer = submitted(&script, accepted("CHECK_OUT_PROCESSING", Some("2"), ""));
        let mut watch = script.client().watch_submitted(answer).unwrap();
        let told = script.lines(&mut watch, &transport);
        assert_eq!(told.last().unwrap(), "ended: succeeded", "{appears}: {told:?}");
        // Each failure is reported, with the time of the next try.
        assert!(told.iter().all(|line| !line.ends_with("the last")), "{told:?}");
        assert!(told.iter().any(|line| line.contains("ORDERED_ITEM_NOT_FOUND")), "{told:?}");
    }
}

#[test]
fn a_checkout_that_never_appears_is_given_up_after_a_minute_and_three_refusals() {
    for answer in [
        not_found(),
        // Another tenant's checkout, or a state conflict of a checkout that is being made.
        (409, None, r#"{"title":"Conflict","status":409}"#.to_owned()),
        // The form of one page, under a success.
        (200, None, r#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#.to_owned()),
    ] {
        let script = Script::new();
        let transport = script.answering(|_, _| answer.clone());
        let mut watch = script.client().watch("trk_1").unwrap();
        let change = loop {
            // A restart at any time changes nothing.
            watch = script.client().watch("trk_1").unwrap().restore_from(&watch.stored()).unwrap();
            let change = watch.next_change_blocking(&transport, |wait| script.clock.advance(wait));
            if change.is_end() {
                break change;
            }
        };
        let Change::End(End::GaveUp { gave_up, .. }) = change else { panic!("{change:?}") };
        assert_eq!(gave_up.reason, GiveUpReason::Refused);
        let after = script.reads().into_iter().filter(|millis| *millis >= 60_000).count();
        assert!(after == 3 || (after == 4 && script.reads()[script.reads().len() - 4] < 61_000));
        assert!(script.millis() < 180_000, "{:?}", script.reads());
    }
}

#[test]
fn every_other_refusal_counts_at_once() {
    let script = Script::new();
    let transport = script.answering(|_, _| (401, None, String::new()));
    let mut watch = script.client().watch("trk_1").unwrap();
    let told = script.lines(&mut watch, &transport);
    assert_eq!(told.last().unwrap(), "gave up at nothing: Refused");
    assert!(script.millis() < 15_000);
}

/// The end of a watch whose reads get this answer until so many milliseconds are over, and then the
/// sandbox's.
fn late<S>(
    body: &'static str,
    http_status: u16,
    sandbox: &S,
    clock: &checkout_sandbox::VirtualClock,
) -> impl checkout_transport::BlockingTransport
where
    S: checkout_transport::BlockingTransport + Clone + 'static,
{
    let (sandbox, clock, began) = (sandbox.clone(), clock.clone(), clock.now());
    from_fn_blocking(move |request| {
        if clock.now().saturating_since(began) >= Duration::from_secs(40) {
            return sandbox.send_blocking(request);
        }
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = http::StatusCode::from_u16(http_status).unwrap();
        Ok(response)
    })
}

#[test]
fn the_other_providers_checkouts_get_time_to_appear_too() {
    let (sandbox, mut watch) = of_allscale::watched(checkout_sandbox::allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    let transport = late(r#"{"code":50001,"error":{"message":"not found"}}"#, 404, &sandbox, &clock);
    let end = watch.end_blocking(&transport, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");

    let (sandbox, watch) = of_peach::watched(checkout_sandbox::peach::Scenario::happy());
    let clock = sandbox.clock().clone();
    let transport = late(r#"{"result.code":"200.300.404"}"#, 404, &sandbox, &clock);
    let end = watch
        .policy(PollPolicy::peach().max_refusals(1))
        .end_blocking(&transport, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: succeeded");
}
