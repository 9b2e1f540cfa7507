//! A webhook's nudge is answered once, when the read for the nudge is done: with news or without.

use crate::world::{Form, line, lines, of_allscale, of_azotte, of_peach};
use checkout_client::{CallErrorKind, Change, End, Nudged, Watch, Watchable};
use checkout_sandbox::allscale::{Fault, Scenario};
use checkout_sandbox::{azotte, peach};
use checkout_transport::{Response, Transport, TransportError, from_fn, from_fn_blocking};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The changes until the watch sleeps, without a wake-up by itself.
fn until_it_sleeps<E: Watchable>(watch: &mut Watch<E>, transport: &impl Transport) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let mut future = pin!(watch.next_change(transport, |_| std::future::pending()));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(change) => told.push(line(&change)),
            Poll::Pending => return told,
        }
        if told.last().is_some_and(|line| line.starts_with("ended") || line.starts_with("gave up")) {
            return told;
        }
    }
}

#[test]
fn a_nudge_whose_read_brings_nothing_new_is_answered() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["awaiting payer"]);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(2));
        handle.nudge();
        assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);
        // Once, and a read without a nudge answers nobody.
        clock.advance(Duration::from_secs(60));
        assert_eq!(until_it_sleeps(&mut watch, &sandbox), [""; 0]);
    }

    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::never_ends());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    clock.advance(Duration::from_secs(3));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["processing"]);
    clock.advance(Duration::from_secs(1));
    handle.nudge();
    clock.advance(Duration::from_secs(5));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);

    let (sandbox, mut watch) = of_peach::watched(peach::Scenario::never_opened());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    until_it_sleeps(&mut watch, &sandbox);
    clock.advance(Duration::from_secs(31));
    handle.nudge();
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);
}

#[test]
fn a_nudge_is_answered_after_the_news_of_its_read_and_before_the_end() {
    for form in Form::ALL {
        let (sandbox, mut watch) = of_allscale::watched(Scenario::custom([(Duration::ZERO, 20)]));
        let clock = sandbox.clock().clone();
        watch.handle().nudge();
        let told = lines(&form.changes(&mut watch, &sandbox, &clock));
        assert_eq!(told, ["succeeded", "nudged: glance", "ended: succeeded"], "{form:?}");
    }
    // The read that confirms the end answers the nudge.
    let (sandbox, mut watch) = of_allscale::watched(Scenario::custom([(Duration::ZERO, 20)]));
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["succeeded"]);
    handle.nudge();
    clock.advance(Duration::from_secs(1));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox)[..2], ["nudged: whole", "ended: succeeded"]);
}

#[test]
fn a_nudge_that_comes_while_a_read_is_under_way_is_answered_by_the_next_read() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    let nudging = from_fn(|request| {
        handle.nudge();
        let sandbox = sandbox.clone();
        async move { Transport::send(&sandbox, request).await }
    });
    assert_eq!(until_it_sleeps(&mut watch, &nudging), ["awaiting payer"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);
}

#[test]
fn several_nudges_before_one_read_are_answered_once() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    until_it_sleeps(&mut watch, &sandbox);
    for _ in 0..5 {
        // The nudges come inside the gap, so each is taken in before the read.
        clock.advance(Duration::from_millis(100));
        handle.nudge();
        handle.nudge();
        assert_eq!(until_it_sleeps(&mut watch, &sandbox), [""; 0]);
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), [""; 0]);
}

#[test]
fn a_nudge_whose_read_fails_is_answered_so_and_the_repeat_answers_nobody() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    until_it_sleeps(&mut watch, &sandbox);
    for fault in
        [Fault::LostBefore, Fault::LostAnswer, Fault::InternalError, Fault::RateLimited, Fault::Garbage]
    {
        clock.advance(Duration::from_secs(70));
        until_it_sleeps(&mut watch, &sandbox);
        clock.advance(Duration::from_secs(2));
        sandbox.inject(fault.clone());
        handle.nudge();
        let told = until_it_sleeps(&mut watch, &sandbox);
        assert!(
            told.len() == 2 && told[0].starts_with('x') && told[1] == "nudged: not read",
            "{fault:?} {told:?}"
        );
    }
}

#[test]
fn a_nudge_is_not_lost_with_a_future_that_is_dropped() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    until_it_sleeps(&mut watch, &sandbox);
    clock.advance(Duration::from_secs(2));
    handle.nudge();
    // The read is sent, and no answer ever comes.
    let silent = from_fn(|_| std::future::pending::<Result<Response, TransportError>>());
    assert_eq!(until_it_sleeps(&mut watch, &silent), [""; 0]);
    clock.advance(Duration::from_secs(2));
    assert_eq!(until_it_sleeps(&mut watch, &sandbox), ["nudged: glance"]);
}

#[test]
fn a_nudge_of_a_watch_that_is_over_is_answered_that_no_read_follows() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    let gave_up = "gave up at awaiting payer: Deadline";
    assert_eq!(lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock)).last().unwrap(), gave_up);
    handle.nudge();
    assert_eq!(lines(&Form::Async.changes(&mut watch, &sandbox, &clock)), ["nudged: no read", gave_up]);
    // A resumed watch reads again.
    watch.resume(Duration::from_secs(60));
    handle.nudge();
    let told = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(told, ["nudged: glance", gave_up]);

    // The nudge comes after the read that shows the end, and before the end is reported.
    let (sandbox, mut watch) = of_azotte::watched(azotte::Scenario::done_at_once());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(line(&change), "succeeded");
    handle.nudge();
    let told = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(told, ["nudged: no read", "ended: succeeded"]);
    // After the end a watch begins anew, and reads.
    handle.nudge();
    let told = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert_eq!(told, ["nudged: glance", "ended: succeeded"]);
}

#[test]
fn the_answer_to_a_nudge_has_the_read_or_the_error() {
    let (sandbox, mut watch) = of_peach::watched(peach::Scenario::happy());
    let clock = sandbox.clock().clone();
    watch.handle().nudge();
    let nudged =
        watch.changes_blocking(&sandbox, |wait| clock.advance(wait)).find_map(|change| match change {
            Change::Nudged(nudged) => Some(nudged),
            _ => None,
        });
    let Some(Nudged::Status(answer)) = nudged else { panic!("{nudged:?}") };
    assert_eq!(answer.route(), checkout_tables::peach::Route::Status);

    let (sandbox, mut watch) = of_peach::watched(peach::Scenario::happy());
    let clock = sandbox.clock().clone();
    watch.handle().nudge();
    let nowhere = from_fn_blocking(|_| -> Result<Response, _> { Err(TransportError::unknown("time out")) });
    let nudged =
        watch.changes_blocking(&nowhere, |wait| clock.advance(wait)).find_map(|change| match change {
            Change::Nudged(nudged) => Some(nudged),
            _ => None,
        });
    let Some(Nudged::NotRead(error)) = nudged else { panic!("{nudged:?}") };
    assert!(matches!(error.kind(), CallErrorKind::NoResponse(_)), "{error:?}");
    assert!(error.to_string().starts_with("GET /status: "), "{error}");
}

#[test]
fn a_nudge_is_answered_before_the_end_is_taken_by_hand() {
    let (sandbox, mut watch) = of_allscale::watched(Scenario::never_paid());
    let (clock, handle) = (sandbox.clock().clone(), watch.handle());
    let _gave_up = Form::Blocking.changes(&mut watch, &sandbox, &clock);
    handle.nudge();
    let now = watch.now();
    assert!(matches!(watch.next(now), checkout_client::Step::GaveUp(_)));
    assert!(matches!(watch.take_change(), Some(Change::Nudged(Nudged::NoRead))));
    assert!(matches!(watch.take_end(now), Some(End::GaveUp { .. })));
    assert!(watch.take_change().is_none());
}
