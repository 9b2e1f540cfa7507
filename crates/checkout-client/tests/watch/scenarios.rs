//! Every scenario of every sandbox to its end, in every form.

use crate::world::{Form, LONG, end_line, lines, of_allscale, of_azotte, of_peach, phases};
use checkout_client::{Change, End, PollPolicy, Watch, Watchable};
use checkout_lifecycle::Status;
use checkout_sandbox::{VirtualClock, allscale, azotte, peach};
use checkout_tables::Moment;
use checkout_tables::TextCode;
use checkout_tables::allscale::IntentStatus;
use checkout_transport::{BlockingTransport, Transport};
use std::time::Duration;

/// The changes and the end of a checkout. A watch that gives up is resumed once, for two hours.
struct Seen {
    log: Vec<String>,
    phases: Vec<String>,
}

fn check<E: Watchable, S>(
    form: Form,
    (sandbox, mut watch): (S, Watch<E>),
    clock: &VirtualClock,
    times: impl Fn(&S) -> Vec<Moment>,
    least_gap: Duration,
) -> Seen
where
    S: Transport + BlockingTransport + Clone + 'static,
{
    let mut changes = form.changes(&mut watch, &sandbox, clock);
    if let Some(Change::End(End::GaveUp { gave_up, .. })) = changes.last() {
        assert_eq!(gave_up.last_phase, watch.phase());
        watch.resume(Duration::from_secs(2 * 3_600));
        changes.extend(form.changes(&mut watch, &sandbox, clock));
    }
    if let Some(Change::End(End::Ended { answer, phase, tracker, .. })) = changes.last() {
        // The evidence shows the end.
        let shown = answer.observation().and_then(|observation| observation.status().known());
        assert_eq!((shown, tracker.phase()), (tracker.status(), Some(*phase)));
    }
    let times = times(&sandbox);
    assert!(times.windows(2).all(|pair| pair[1].saturating_since(pair[0]) >= least_gap), "{times:?}");
    Seen { log: lines(&changes), phases: phases(&changes) }
}

/// True if `some` is `all` with some lines left out.
fn is_part(some: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    some.iter().all(|text| all.any(|other| other == text))
}

/// The texts without repetitions in a row.
fn deduped(mut texts: Vec<String>) -> Vec<String> {
    texts.dedup();
    texts
}

/// Scenario, true if the watch gives up before the end, the changes that want attention, and the last line.
type Row = (&'static str, bool, &'static [&'static str], &'static str);

fn hold(row: Row, seen: &Seen, form: Form, all: &[String]) {
    let (name, gives_up, attention, end) = row;
    let log = &seen.log;
    let gave_up = log.iter().filter(|line| line.starts_with("gave up")).count();
    let ended = !end.starts_with("gave up");
    assert_eq!(gave_up, usize::from(gives_up) + usize::from(!ended), "{name} {form:?} {log:?}");
    let told: Vec<_> = log.iter().filter(|line| line.starts_with('!')).map(|line| &line[2..]).collect();
    assert_eq!(told, attention, "{name} {form:?} {log:?}");
    assert_eq!(log.last().unwrap(), end, "{name} {form:?}");
    assert!(is_part(&seen.phases, all), "{name} {form:?}: {:?} of {all:?}", seen.phases);
}

const ALLSCALE: [Row; 14] = [
    ("happy", false, &[], "ended: succeeded"),
    ("kyt_passed", false, &[], "ended: succeeded"),
    ("kyt_refused", false, &[], "ended: failed: rejected"),
    // Half an hour of a review is not reached in ten minutes.
    ("manual_operation", true, &[], "ended: succeeded"),
    ("underpaid", false, &[], "ended: failed: underpaid"),
    ("overpaid", false, &[], "ended: succeeded"),
    ("canceled", false, &[], "ended: failed: canceled"),
    ("timeout", true, &[], "ended: failed: expired"),
    ("failed", false, &[], "ended: failed: error"),
    // A refusal is an end, unless the policy reads on.
    ("late_success", true, &[], "ended: failed: expired"),
    ("unknown_status", false, &["unknown: 6"], "ended: succeeded"),
    ("regression", false, &["unexpected"], "ended: succeeded"),
    ("change_after_terminal", false, &[], "ended: succeeded"),
    ("never_paid", true, &[], "gave up at awaiting payer: Deadline"),
];

#[test]
fn every_scenario_of_allscale_ends_rightly_or_gives_up_and_ends_after_a_resume() {
    let mut names: Vec<_> = ALLSCALE.iter().map(|row| row.0).collect();
    let mut all = allscale::Scenario::NAMES.to_vec();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    for row in ALLSCALE {
        let scenario = allscale::Scenario::by_name(row.0).unwrap();
        let all = scenario.statuses().into_iter();
        let all = all.filter_map(|status| checkout_tables::Open::<IntentStatus>::from(status).known());
        let all = deduped(all.map(|status| status.phase().to_string()).collect());
        let mut logs = Vec::new();
        for form in Form::ALL {
            let watched = of_allscale::watched(scenario.clone());
            let clock = watched.0.clock().clone();
            let times = |sandbox: &allscale::Sandbox| {
                sandbox.requests().iter().skip(1).map(allscale::RecordedRequest::at).collect()
            };
            let seen = check(form, watched, &clock, times, Duration::from_secs(1));
            hold(row, &seen, form, &all);
            logs.push(seen.log);
        }
        assert!(logs.iter().all(|log| *log == logs[0]), "{}: {logs:?}", row.0);
    }
}

#[test]
fn the_whole_intent_is_read_once_the_status_has_ended_and_never_before() {
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::underpaid());
    let clock = sandbox.clock().clone();
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    let End::Ended { answer, .. } = end else { panic!("{end:?}") };
    let intent = answer.payload;
    assert_eq!(intent.status.known(), Some(IntentStatus::Underpaid));
    assert!(intent.actual_paid_amount.is_some());
    let requests = sandbox.requests();
    let paths: Vec<_> = requests.iter().skip(1).map(|request| request.path().ends_with("/status")).collect();
    assert_eq!(paths.iter().filter(|status| !**status).count(), 1);
    assert_eq!(paths.last(), Some(&false));
}

const AZOTTE: [Row; 19] = [
    ("happy", false, &[], "ended: succeeded"),
    ("done_at_once", false, &[], "ended: succeeded"),
    ("failed_at_once", false, &[], "ended: failed: error"),
    ("failed", false, &[], "ended: failed: error"),
    ("failed_message_on_top", false, &[], "ended: failed: error"),
    ("three_ds_url", false, &[], "ended: succeeded"),
    ("three_ds_html", false, &[], "ended: succeeded"),
    ("three_ds_html_and_url", false, &[], "ended: succeeded"),
    ("three_ds_at_once", false, &[], "ended: succeeded"),
    ("three_ds_failed", false, &[], "ended: failed: error"),
    ("three_ds_twice", false, &[], "ended: succeeded"),
    ("three_ds_abandoned", true, &[], "gave up at payer action: Deadline"),
    ("redirect_while_processing", false, &[], "ended: succeeded"),
    // Ten minutes, as long as the policy's deadline: the last read comes then.
    ("slow", false, &[], "ended: succeeded"),
    ("never_ends", true, &[], "gave up at processing: Deadline"),
    ("unknown_code", false, &["unknown: CHECK_OUT_IN_REVIEW"], "ended: succeeded"),
    ("unknown_code_with_redirect", false, &["unknown: CHECK_OUT_REDIRECT_REQUIRED"], "ended: succeeded"),
    ("late_success", false, &[], "ended: failed: error"),
    ("change_after_terminal", false, &[], "ended: succeeded"),
];

/// The challenges that the payer is shown, in each scenario that has some.
const ASKED: [(&str, &[&str]); 9] = [
    ("three_ds_url", &["page"]),
    ("three_ds_html", &["form"]),
    ("three_ds_html_and_url", &["form"]),
    ("three_ds_at_once", &["page"]),
    ("three_ds_failed", &["page"]),
    ("three_ds_twice", &["page", "form"]),
    ("three_ds_abandoned", &["page"]),
    ("redirect_while_processing", &["page"]),
    ("unknown_code_with_redirect", &["page"]),
];

#[test]
fn every_scenario_of_azotte_ends_rightly_and_shows_each_challenge_once() {
    let mut names: Vec<_> = AZOTTE.iter().map(|row| row.0).collect();
    let mut all = azotte::Scenario::NAMES.to_vec();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    for row in AZOTTE {
        let scenario = azotte::Scenario::by_name(row.0).unwrap();
        let all = scenario.codes().into_iter();
        let all = all.filter_map(<checkout_tables::azotte::MessageCode as TextCode>::from_code);
        let all = deduped(all.map(|code| code.phase().to_string()).collect());
        let asked = ASKED.iter().find(|(name, _)| *name == row.0).map_or(&[][..], |(_, asked)| asked);
        let mut logs = Vec::new();
        for form in Form::ALL {
            let watched = of_azotte::watched(scenario.clone());
            let clock = watched.0.clock().clone();
            let times = |sandbox: &azotte::Sandbox| {
                sandbox.requests().iter().skip(1).map(azotte::RecordedRequest::at).collect()
            };
            let seen = check(form, watched, &clock, times, Duration::from_secs(1));
            hold(row, &seen, form, &all);
            let told: Vec<_> =
                seen.log.iter().filter(|line| line.starts_with('?')).map(|line| &line[2..]).collect();
            assert_eq!(told, asked, "{} {form:?}", row.0);
            logs.push(seen.log);
        }
        assert!(logs.iter().all(|log| *log == logs[0]), "{}: {logs:?}", row.0);
    }
}

const PEACH: [Row; 17] = [
    ("happy", false, &[], "ended: succeeded"),
    ("pending_then_successful", false, &[], "ended: succeeded"),
    ("cancelled", false, &[], "ended: failed: canceled"),
    ("expired", false, &[], "ended: failed: expired"),
    ("uncertain", false, &[], "ended: failed: expired"),
    ("never_opened", false, &[], "ended: failed: expired"),
    ("late_success_after_cancelled", false, &[], "ended: failed: canceled"),
    ("late_success_after_expired", false, &[], "ended: failed: expired"),
    ("declined_then_paid", false, &[], "ended: succeeded"),
    ("authorized", false, &[], "ended: authorized"),
    ("in_review", false, &[], "ended: succeeded"),
    ("charged_back", false, &[], "ended: succeeded"),
    ("unknown_code", false, &["unknown: 123.456.789"], "ended: succeeded"),
    ("risk_check_only", false, &["unknown: 000.300.100"], "ended: failed: expired"),
    ("older_cancelled_after_success", false, &[], "ended: succeeded"),
    ("newer_cancelled_after_success", false, &[], "ended: succeeded"),
    ("test_success", false, &[], "ended: succeeded"),
];

#[test]
fn every_scenario_of_peach_ends_rightly_in_both_versions_within_the_limit() {
    let mut names: Vec<_> = PEACH.iter().map(|row| row.0).collect();
    let mut all = peach::Scenario::NAMES.to_vec();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    for row in PEACH {
        let scenario = peach::Scenario::by_name(row.0).unwrap();
        let mut logs = Vec::new();
        for form in Form::ALL {
            for v2 in [false, true] {
                if v2 && form == Form::ByHand {
                    continue; // A caller by hand asks for the tokens too.
                }
                let watched = match v2 {
                    false => of_peach::watched(scenario.clone()),
                    true => of_peach::watched_by_v2(scenario.clone()),
                };
                let (clock, sandbox) = (watched.0.clock().clone(), watched.0.clone());
                let times = |sandbox: &peach::Sandbox| {
                    let asked = sandbox.status_requests(peach::ENTITY_ID);
                    asked.iter().map(|request| request.at).collect()
                };
                let seen = check(form, watched, &clock, times, Duration::from_secs(30));
                let asked = sandbox.status_requests(peach::ENTITY_ID);
                assert!(asked.iter().all(|request| !request.limited), "{}", row.0);
                hold(row, &seen, form, &seen.phases);
                logs.push(seen.log);
            }
        }
        assert!(logs.iter().all(|log| *log == logs[0]), "{}: {logs:?}", row.0);
    }
}

#[test]
fn a_policy_with_late_reads_sees_late_money_that_wants_attention() {
    let every = Duration::from_secs(600);
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::late_success());
    let clock = sandbox.clock().clone();
    let policy = PollPolicy::allscale().deadline(Duration::from_secs(3_600)).late_payment_reads(every, LONG);
    let changes = Form::Blocking.changes(&mut watch.policy(policy), &sandbox, &clock);
    let log = lines(&changes);
    assert_eq!(log.last().unwrap(), "ended: succeeded after TIMEOUT");
    // A watch that reads every ten minutes does not see the thirty seconds in between.
    assert!(log.contains(&"! late success".to_owned()) || log.contains(&"! reopened".to_owned()), "{log:?}");
    let Some(Change::End(End::Ended { answer, .. })) = changes.into_iter().last() else { panic!() };
    assert_eq!(answer.payload.status.known(), Some(IntentStatus::Confirmed));

    let (sandbox, watch) = of_azotte::watched(azotte::Scenario::late_success());
    let clock = sandbox.clock().clone();
    let policy = PollPolicy::azotte().late_payment_reads(every, LONG);
    let log = lines(&Form::Async.changes(&mut watch.policy(policy), &sandbox, &clock));
    assert_eq!(log.last().unwrap(), "ended: succeeded after CHECK_OUT_FAILED");

    let (sandbox, watch) = of_peach::watched(peach::Scenario::late_success_after_cancelled());
    let clock = sandbox.clock().clone();
    let policy = PollPolicy::peach().late_payment_reads(every, LONG);
    let log = lines(&Form::Iterator.changes(&mut watch.policy(policy), &sandbox, &clock));
    assert_eq!(log.last().unwrap(), "ended: succeeded after cancelled");
}

#[test]
fn a_refusal_without_late_money_ends_as_the_refusal() {
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::canceled());
    let clock = sandbox.clock().clone();
    let policy = PollPolicy::allscale().late_payment_reads(Duration::from_secs(3_600), LONG);
    let end = watch.policy(policy).end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "ended: failed: canceled");
    let begun = Moment::from_unix_seconds(1_716_501_000);
    assert!(clock.now().saturating_since(begun) > Duration::from_secs(2 * 24 * 3_600), "{clock:?}");
}

#[test]
fn a_contradiction_of_an_end_is_reported_and_held_for_good() {
    use checkout_sandbox::allscale::Fault;
    use checkout_tables::allscale::Route;
    for form in Form::ALL {
        let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
        let clock = sandbox.clock().clone();
        // The status says 20, and the whole intent says later that the intent was underpaid.
        sandbox.inject_on(Route::Get, Fault::TamperedStatus(-3));
        let changes = form.changes(&mut watch, &sandbox, &clock);
        let log = lines(&changes);
        assert_eq!(log[log.len() - 2..], ["! conflict", "ended: succeeded, conflict"], "{form:?} {log:?}");
        // The watch ends with a read that shows the end, and not with the read that contradicts.
        let Some(Change::End(End::Ended { answer, .. })) = changes.into_iter().last() else { panic!() };
        let status = answer.payload.status;
        assert_eq!(status.known(), Some(IntentStatus::Confirmed));
        // A watch that is asked again reads again, and is in conflict all the same, stored or not.
        let stored = watch.stored();
        assert!(stored.starts_with("v1 conflict; v1 CONFIRMED - "), "{stored}");
        let again = lines(&form.changes(&mut watch, &sandbox, &clock));
        assert_eq!(again, ["ended: succeeded, conflict"]);
    }
}

#[test]
fn a_read_that_says_nothing_of_the_end_is_no_evidence_and_is_repeated() {
    use checkout_sandbox::allscale::Fault;
    use checkout_tables::allscale::Route;
    let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
    let clock = sandbox.clock().clone();
    sandbox.inject_on(Route::Get, Fault::TamperedStatus(77));
    let changes = Form::Async.changes(&mut watch, &sandbox, &clock);
    let log = lines(&changes);
    assert_eq!(log[log.len() - 2..], ["! unknown: 77", "ended: succeeded"], "{log:?}");
    let Some(Change::End(End::Ended { answer, .. })) = changes.into_iter().last() else { panic!() };
    assert_eq!(answer.payload.status.known(), Some(IntentStatus::Confirmed));
}

#[test]
fn an_end_that_every_full_read_contradicts_is_never_reported() {
    use checkout_sandbox::allscale::Fault;
    use checkout_tables::allscale::Route;
    // An underpaid intent, and an intent that is not paid yet.
    for status in [-3, 10] {
        let (sandbox, mut watch) = of_allscale::watched(allscale::Scenario::happy());
        let clock = sandbox.clock().clone();
        (0..1_000).for_each(|_| sandbox.inject_on(Route::Get, Fault::TamperedStatus(status)));
        let log = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
        let told: Vec<_> = log.iter().rev().take(3).rev().map(String::as_str).collect();
        assert_eq!(told, ["succeeded", "! conflict", "gave up at succeeded: Deadline, conflict"], "{log:?}");
        assert!(watch.stored().starts_with("v1 conflict; "));
        // The reads are as frequent as the policy says, and slower with age: ten minutes by five seconds.
        let whole =
            sandbox.requests().iter().filter(|read| read.path().ends_with(&*sandbox.intents()[0].id)).count();
        assert!((5..=125).contains(&whole), "{whole}");
    }
}

#[test]
fn a_restart_moves_no_end_of_late_reads() {
    use checkout_client::{ReadKind, Step};
    let day = Duration::from_secs(24 * 3_600);
    let (sandbox, watch) = of_allscale::watched(allscale::Scenario::canceled());
    let clock = sandbox.clock().clone();
    let begun = clock.now();
    let policy = PollPolicy::allscale().late_payment_reads(Duration::from_secs(3_600), LONG);
    let mut watch = watch.policy(policy);
    let mut next_restart = begun.saturating_add(Duration::from_secs(3_600));
    let end = loop {
        match watch.next(watch.now()) {
            Step::Fetch(ReadKind::Status) => {
                watch.mark_sent(watch.now());
                let outcome = watch.status_call().send_blocking(&sandbox);
                watch.handle_status(watch.now(), outcome);
            }
            Step::Fetch(ReadKind::Full) => {
                watch.mark_sent(watch.now());
                let outcome = watch.full_call().send_blocking(&sandbox);
                watch.handle_read(watch.now(), outcome);
            }
            Step::Wait(until) | Step::AskPayer { until } => {
                clock.advance(until.saturating_since(watch.now()))
            }
            Step::Done(_) | Step::GaveUp(_) => break watch.take_end(watch.now()).unwrap(),
        }
        while watch.take_change().is_some() {}
        if clock.now() > next_restart {
            // Another process knows the stored text alone.
            let stored = watch.stored();
            watch = watch.restore_from(&stored).unwrap();
            next_restart = next_restart.saturating_add(day);
        }
        assert!(clock.now() < begun.saturating_add(10 * day), "the watch never ends");
    };
    assert_eq!(end_line(&end), "ended: failed: canceled");
    let took = clock.now().saturating_since(begun);
    assert!(took >= LONG && took < LONG + day, "{took:?}");
    // One more time is one more read, without another period of late reads.
    let asked = clock.now();
    assert_eq!(
        end_line(&watch.end_blocking(&sandbox, |wait| clock.advance(wait))),
        "ended: failed: canceled"
    );
    assert!(clock.now().saturating_since(asked) < Duration::from_secs(60));
}
