//! Every scenario from submit to its end.

use crate::support::{Form, Recorder, counted_nonces};
use crate::world::{card, client, latest, sandbox, stored};
use checkout_client::azotte::Azotte;
use checkout_client::{Answer, Call, Observable, Readable};
use checkout_lifecycle::{Failure, Moment, Phase, Tracker, Verdict};
use checkout_sandbox::azotte::{Sandbox, Scenario};
use checkout_tables::azotte::MessageCode;
use checkout_wire::azotte::{Challenge, CheckoutResult};
use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

/// After every moment here.
const LATER: Moment = Moment::from_unix_millis(i64::MAX);

/// A checkout, as the client saw the checkout.
#[derive(Debug, Default, PartialEq, Eq)]
struct Walk {
    /// Each verdict but `Unchanged`, once for repetitions, and the known status at that moment.
    verdicts: Vec<String>,
    /// The challenges that the payer was shown, in order.
    challenges: Vec<String>,
    message: Option<String>,
    phase: Option<Phase>,
    superseded: Option<MessageCode>,
    sent: Vec<String>,
    told: Vec<String>,
    captures: u32,
}

fn check(scenario: Scenario, form: Form) -> Walk {
    let sandbox = sandbox(11);
    sandbox.next_checkout(scenario);
    let (client, recorder, mut walk) = (client(&sandbox), Recorder::before(&sandbox), Walk::default());
    let mut tracker = Tracker::new();

    let submit = client.submit(&card("order-1"));
    let mut wait =
        walk.take(&ask(form, &submit, &sandbox, &recorder), |submitted| &submitted.result, &mut tracker);
    let status = client.status(&latest(&sandbox).tracking_number).unwrap();
    // Reads as advised for two minutes, and then at the last changes of the scenarios.
    for seconds in [30, 469, 1, 9, 1, 95, 3_600] {
        let begun = sandbox.clock().now();
        while walk.told.len() < 60 && sandbox.clock().now() < begun.saturating_add(Duration::from_secs(120)) {
            sandbox.clock().advance(wait);
            wait = walk.take(&ask(form, &status, &sandbox, &recorder), |result| result, &mut tracker);
        }
        sandbox.clock().advance(Duration::from_secs(seconds));
        wait = walk.take(&ask(form, &status, &sandbox, &recorder), |result| result, &mut tracker);
    }
    let captures = sandbox.captures_of("order-1");
    Walk { sent: recorder.seen(), phase: tracker.phase(), superseded: tracker.superseded(), captures, ..walk }
}

fn ask<T: Readable<Provider = Azotte>>(
    form: Form,
    call: &Call<T>,
    sandbox: &Sandbox,
    recorder: &Recorder<Sandbox>,
) -> Answer<T> {
    form.ask(call, recorder, sandbox.clock().now(), &counted_nonces()).unwrap()
}

impl Walk {
    /// Takes an answer in, and returns the wait before the next read.
    fn take<T>(
        &mut self,
        answer: &Answer<T>,
        result: fn(&T) -> &CheckoutResult<'static>,
        tracker: &mut Tracker<MessageCode>,
    ) -> Duration
    where
        T: Observable<Status = MessageCode, Raw = Cow<'static, str>> + Debug,
    {
        self.told.push(format!("{answer:?}"));
        let verdict = tracker.observe(answer.observation().unwrap(), LATER);
        let result = result(&answer.payload);
        if verdict != Verdict::Unchanged {
            push(&mut self.verdicts, format!("{} {:?}", told(&verdict), tracker.status().unwrap()));
        }
        match result.challenge() {
            Some(Challenge::Url(url)) => push(&mut self.challenges, url.to_owned()),
            Some(Challenge::Html(html)) => push(&mut self.challenges, html.to_owned()),
            None => {}
        }
        self.message = result.message().map(|message| message.as_str().to_owned());
        answer.poll_after()
    }
}

fn push(texts: &mut Vec<String>, text: String) {
    if texts.last() != Some(&text) {
        texts.push(text);
    }
}

/// The kind of a verdict, without the subject; an unknown code alone has the subject too.
fn told<R: Debug>(verdict: &Verdict<MessageCode, R>) -> String {
    if let Verdict::Unknown(raw) = verdict {
        return format!("Unknown {raw:?} at");
    }
    format!("{verdict:?}").split(' ').next().unwrap().to_owned()
}

const SUCCEEDED: Option<Phase> = Some(Phase::Succeeded);
const FAILED: Option<Phase> = Some(Phase::Failed(Failure::Error));

/// Scenario, verdicts, the kinds of the challenges (`u`rl and `h`tml), the end, and the message of the end.
type Row = (&'static str, &'static [&'static str], &'static str, Option<Phase>, Option<&'static str>);

const P: &str = "First Processing";
const BACK: &str = "Advanced Processing";
const THREE_DS: &str = "Advanced ThreeDsRequired";
const DONE: &str = "Advanced Done";
const REFUSED: &str = "Advanced Failed";

const TABLE: [Row; 17] = [
    ("happy", &[P, DONE], "", SUCCEEDED, None),
    ("done_at_once", &["First Done"], "", SUCCEEDED, None),
    ("failed_at_once", &["First Failed"], "", FAILED, Some("offer has expired")),
    ("failed", &[P, REFUSED], "", FAILED, Some("card declined")),
    ("failed_message_on_top", &[P, REFUSED], "", FAILED, Some("card declined")),
    ("three_ds_url", &[P, THREE_DS, BACK, DONE], "u", SUCCEEDED, None),
    ("three_ds_html", &[P, THREE_DS, BACK, DONE], "h", SUCCEEDED, None),
    ("three_ds_html_and_url", &[P, THREE_DS, BACK, DONE], "h", SUCCEEDED, None),
    ("three_ds_at_once", &["First ThreeDsRequired", BACK, DONE], "u", SUCCEEDED, None),
    ("three_ds_failed", &[P, THREE_DS, BACK, REFUSED], "u", FAILED, Some("3DS authentication failed")),
    ("three_ds_twice", &[P, THREE_DS, BACK, THREE_DS, BACK, DONE], "uh", SUCCEEDED, None),
    ("three_ds_abandoned", &[P, THREE_DS], "u", Some(Phase::PayerAction), None),
    ("redirect_while_processing", &[P, DONE], "u", SUCCEEDED, None),
    ("slow", &[P, DONE], "", SUCCEEDED, None),
    ("never_ends", &[P], "", Some(Phase::Processing), None),
    ("unknown_code", &[P, "Unknown \"CHECK_OUT_IN_REVIEW\" at Processing", DONE], "", SUCCEEDED, None),
    (
        "unknown_code_with_redirect",
        &[P, "Unknown \"CHECK_OUT_REDIRECT_REQUIRED\" at Processing", DONE],
        "u",
        SUCCEEDED,
        None,
    ),
];

#[test]
fn every_scenario_comes_to_its_end_and_every_form_sees_the_same() {
    for (name, verdicts, challenges, phase, message) in TABLE {
        let scenario = || Scenario::by_name(name).unwrap();
        let walk = check(scenario(), Form::Send);
        assert_eq!(walk.verdicts, verdicts, "{name}");
        let kinds: String = walk.challenges.iter().map(|shown| kind(shown)).collect();
        assert_eq!(kinds, challenges, "{name}");
        assert_eq!((walk.phase, walk.message.as_deref(), walk.superseded), (phase, message, None), "{name}");
        assert_eq!(walk.captures, u32::from(phase == SUCCEEDED), "{name}");
        assert_eq!(walk.sent.len(), walk.told.len());
        for form in Form::ALL {
            assert_eq!(check(scenario(), form), walk, "{name} {form:?}");
        }
    }
}

#[test]
fn the_table_has_every_scenario() {
    let mut rows: Vec<_> = TABLE.iter().map(|row| row.0).collect();
    rows.extend(["late_success", "change_after_terminal"]);
    rows.sort_unstable();
    let mut names = Scenario::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(rows, names);
}

#[test]
fn a_success_after_a_failure_is_late_and_a_failure_after_a_success_is_a_conflict() {
    let late = check(Scenario::late_success(), Form::SendBlocking);
    assert_eq!(late.verdicts, [P, REFUSED, "LateSuccess Done"]);
    assert_eq!((late.phase, late.superseded), (SUCCEEDED, Some(MessageCode::Failed)));
    assert_eq!(late.captures, 1);
    let changed = check(Scenario::change_after_terminal(), Form::SendBlocking);
    assert_eq!(changed.verdicts, [P, DONE, "Conflict Done"]);
    assert_eq!((changed.phase, changed.superseded), (SUCCEEDED, None));
}

/// `u` or `h`, if the whole challenge is there.
fn kind(shown: &str) -> char {
    if shown.starts_with("https://psp.example/3ds/") {
        return 'u';
    }
    assert!(shown.starts_with("<form id=\"challenge\"") && shown.ends_with("</script>"), "{shown}");
    assert!(shown.contains(">\n\t<input") && shown.contains("Bestätigung"), "{shown}");
    'h'
}

#[test]
fn a_challenge_lasts_until_the_payer_is_back_and_fails_when_it_is_not_passed() {
    for (passes, expected) in [(true, SUCCEEDED), (false, FAILED)] {
        let sandbox = sandbox(3);
        sandbox.next_checkout(Scenario::three_ds_at_once().browser_never_returns());
        let client = client(&sandbox);
        let mut tracker = Tracker::new();
        let submitted = client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap();
        assert_eq!(tracker.observe(submitted.observation().unwrap(), client.now()), Verdict::First);
        let tracking = submitted.payload.tracking_number;
        let status = client.status(&tracking).unwrap();
        for _ in 0..3 {
            sandbox.clock().advance(Duration::from_secs(3_600));
            let verdict =
                tracker.observe(status.send_blocking(&sandbox).unwrap().observation().unwrap(), client.now());
            assert_eq!(verdict, Verdict::Unchanged);
        }
        assert_eq!(tracker.phase(), Some(Phase::PayerAction));
        if passes { sandbox.complete_3ds(&tracking) } else { sandbox.fail_3ds(&tracking) }.unwrap();
        sandbox.clock().advance(Duration::from_secs(10));
        let verdict =
            tracker.observe(status.send_blocking(&sandbox).unwrap().observation().unwrap(), client.now());
        assert_eq!((verdict.wants_attention(), tracker.phase()), (false, expected));
    }
}

#[test]
fn a_slow_answer_takes_nothing_back() {
    let sandbox = sandbox(3);
    sandbox.next_checkout(Scenario::happy());
    let client = client(&sandbox);
    let submitted = client.submit(&stored("order-1")).send_blocking(&sandbox).unwrap();
    let status = client.status(&latest(&sandbox).tracking_number).unwrap();
    sandbox.clock().advance(Duration::from_secs(1));
    sandbox.inject(checkout_sandbox::azotte::Fault::Slow(Duration::from_secs(60)));
    let slow = status.send_blocking(&sandbox).unwrap();
    let quick = status.send_blocking(&sandbox).unwrap();
    assert_eq!(slow.sent_at().unix_millis() + 60_000, quick.sent_at().unix_millis());
    let mut tracker = Tracker::new();
    for (observation, expected) in [
        (submitted.observation(), "First Processing"),
        (quick.observation(), "Advanced Done"),
        (slow.observation(), "Stale Done"),
        (submitted.observation(), "Stale Done"),
    ] {
        let verdict = tracker.observe(observation.unwrap(), client.now());
        assert_eq!(format!("{} {:?}", told(&verdict), tracker.status().unwrap()), expected);
    }
}
