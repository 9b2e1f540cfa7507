//! Azotte's challenges and flags, as *Get Checkout Status* has them.

use crate::script::{Script, instructions, status};
use checkout_client::{Observable, PollPolicy, WatchSet};
use checkout_lifecycle::{Phase, Tracker};
use checkout_poll::{ReadKind, ReadOutcome};
use checkout_tables::azotte::MessageCode;
use std::ops::ControlFlow;

const URL: &str = r#"{"redirectUrl":"https://psp.example/3ds/abc","isRedirectRequired":true,"hasNextSteps":true,"showHtmlContent":false}"#;

/// The changes of a watch where each read has these members of `redirectInstructions` beside this code, and
/// the fourth read is done.
fn check(code: &str, members: &str) -> Vec<String> {
    let script = Script::new();
    let transport = script.answering(|read, _| match read {
        0..3 => status(code, &instructions(members)),
        _ => status("CHECK_OUT_DONE", ""),
    });
    script.lines(&mut script.client().watch("trk_1").unwrap(), &transport)
}

#[test]
fn a_watch_reads_at_the_ordinary_pace_until_the_challenge_comes() {
    for (follow_up, asked) in [
        // Every two seconds, less a tenth by chance.
        ("", 3_600..=4_010),
        // "respect Retry-After": the wait of the answer comes first.
        (r#","followUpInstructions":{"retryAfterSeconds":3,"canFollowUp":true}"#, 5_000..=5_010),
    ] {
        for without in ["", r#","redirectInstructions":null"#, r#","redirectInstructions":{}"#] {
            let script = Script::new();
            let transport = script.answering(|read, _| match read {
                0 => status("CHECK_OUT_3DS_REQUIRED", &format!("{without}{follow_up}")),
                1 => status("CHECK_OUT_3DS_REQUIRED", &instructions(URL)),
                _ => status("CHECK_OUT_DONE", ""),
            });
            let mut watch = script.client().watch("trk_1").unwrap();
            let told = script.told(&mut watch, &transport);
            let lines: Vec<_> = told.iter().map(|(_, line)| &**line).collect();
            assert_eq!(lines, ["payer action", "? page", "succeeded", "ended: succeeded"], "{without}");
            assert!(asked.contains(&told[1].0), "{told:?}");
            // The payer has time from there on.
            assert!(script.reads()[2] - told[1].0 >= 27_000, "{:?}", script.reads());
        }
    }
}

#[test]
fn a_set_reads_at_the_ordinary_pace_until_the_challenge_comes() {
    let script = Script::new();
    let transport = script.answering(|read, _| match read {
        0..4 => status("CHECK_OUT_3DS_REQUIRED", ""),
        4 => status("CHECK_OUT_3DS_REQUIRED", &instructions(URL)),
        _ => status("CHECK_OUT_DONE", ""),
    });
    let watch = script.client().watch("trk_1").unwrap();
    let mut watches = WatchSet::new(watch.now(), 42);
    let merchant = watches.merchant();
    watches.add(merchant, watch, ());
    let mut asked = None;
    let sleep = |wait| {
        script.clock.advance(wait);
        ControlFlow::Continue(())
    };
    while let Some(event) = watches.next_event_blocking(&transport, sleep) {
        if crate::world::line(&event.change) == "? page" {
            asked = Some(script.millis());
        }
    }
    assert!(asked.unwrap() <= 10_100, "{asked:?} {:?}", script.reads());
}

#[test]
fn a_caller_s_own_loop_learns_of_a_challenge_to_show() {
    let heard = |members: &str| {
        let script = Script::new();
        let body = status("CHECK_OUT_3DS_REQUIRED", members);
        let transport = script.answering(|_, _| body.clone());
        let client = script.client();
        let answer = client.status("trk_1").unwrap().send_blocking(&transport).unwrap();
        answer.read_outcome(ReadKind::Status, &mut Tracker::<MessageCode>::new(), client.now()).0
    };
    let answer = ReadOutcome::Answer { kind: ReadKind::Status, phase: Some(Phase::PayerAction), wait: None };
    assert_eq!(heard(&instructions(URL)), answer);
    assert_eq!(heard(""), ReadOutcome::PayerActs { shown: false, wait: None });
    let over = URL.replace(r#""hasNextSteps":true"#, r#""hasNextSteps":false"#);
    assert_eq!(heard(&instructions(&over)), ReadOutcome::PayerActs { shown: true, wait: None });
}

#[test]
fn a_challenge_that_cannot_be_shown_is_reported_with_the_reason() {
    let not_https = "- not shown: redirectUrl is no https URL, and there is no htmlContent";
    let nothing = "- not shown: the client must act, and neither redirectUrl nor htmlContent has anything";
    for code in ["CHECK_OUT_3DS_REQUIRED", "CHECK_OUT_PROCESSING"] {
        let phase = if code == "CHECK_OUT_PROCESSING" { "processing" } else { "payer action" };
        for (members, why) in [
            (r#"{"redirectUrl":"http://psp.example/3ds/abc","isRedirectRequired":true}"#, not_https),
            (r#"{"redirectUrl":"javascript:alert(1)","isRedirectRequired":true}"#, not_https),
            (r#"{"redirectUrl":"","isRedirectRequired":true}"#, nothing),
            (r#"{"showHtmlContent":true}"#, nothing),
            (r#"{"showHtmlContent":true,"htmlContent":"","isRedirectRequired":true}"#, nothing),
        ] {
            // The change comes once, though three answers have the challenge.
            assert_eq!(
                check(code, members),
                [phase, why, "succeeded", "ended: succeeded"],
                "{code} {members}"
            );
        }
    }
    // An http page with a form beside it: the form is shown.
    let both =
        r#"{"redirectUrl":"http://psp.example/","htmlContent":"<form></form>","showHtmlContent":false}"#;
    assert_eq!(check("CHECK_OUT_3DS_REQUIRED", both)[1], "? form");
}

#[test]
fn a_watch_reads_on_without_the_payer_after_a_challenge_that_cannot_be_shown() {
    let script = Script::new();
    let http = r#"{"redirectUrl":"http://psp.example/3ds/abc","isRedirectRequired":true}"#;
    let transport = script.answering(|read, _| match read {
        0 | 1 => status("CHECK_OUT_3DS_REQUIRED", &instructions(http)),
        2 => status("CHECK_OUT_3DS_REQUIRED", &instructions(URL)),
        3 => status("CHECK_OUT_3DS_REQUIRED", &instructions(http)),
        _ => status("CHECK_OUT_DONE", ""),
    });
    let mut watch = script.client().watch("trk_1").unwrap();
    let told = script.told(&mut watch, &transport);
    let lines: Vec<_> = told.iter().map(|(_, line)| line.split(':').next().unwrap()).collect();
    let expected = ["payer action", "- not shown", "? page", "- not shown", "succeeded", "ended"];
    assert_eq!(lines, expected);
    assert!(told[2].0 <= 6_100, "{told:?}");
}

#[test]
fn the_code_decides_if_the_payer_must_act_and_then_is_redirect_required() {
    let flag =
        |flag: &str| URL.replace(r#""isRedirectRequired":true"#, &format!(r#""isRedirectRequired":{flag}"#));
    let absent = URL.replace(r#""isRedirectRequired":true,"#, "");
    // "Whether the client must act."
    for (members, asked) in [
        (flag("true"), true),
        (flag("false"), false),
        (flag("null"), true),
        (flag("1"), true),
        (absent, true),
    ] {
        let told = check("CHECK_OUT_PROCESSING", &members);
        assert_eq!(told.contains(&"? page".to_owned()), asked, "{members} {told:?}");
        assert_eq!(told.len(), if asked { 4 } else { 3 }, "{told:?}");
        // "messageCode is the source of truth": "Present redirectInstructions."
        assert_eq!(check("CHECK_OUT_3DS_REQUIRED", &members)[1], "? page", "{members}");
        // "Terminal success", "Terminal failure".
        assert_eq!(check("CHECK_OUT_DONE", &members), ["succeeded", "ended: succeeded"], "{members}");
        let failed = check("CHECK_OUT_FAILED", &members);
        assert_eq!(failed, ["failed: error", "ended: failed: error"], "{members}");
        // A code that nobody has named yet, as "any redirect-bound state".
        let told = check("CHECK_OUT_WALLET", &members);
        assert_eq!(told.contains(&"? page".to_owned()), asked, "{members} {told:?}");
    }
}

#[test]
fn has_next_steps_decides_if_the_watch_waits_for_the_browser() {
    let second_read = |flag: &str| {
        let members = URL.replace(r#""hasNextSteps":true"#, &format!(r#""hasNextSteps":{flag}"#));
        let script = Script::new();
        let transport = script.answering(|read, _| match read {
            0 => status("CHECK_OUT_3DS_REQUIRED", &instructions(&members)),
            _ => status("CHECK_OUT_DONE", ""),
        });
        let lines = script.lines(&mut script.client().watch("trk_1").unwrap(), &transport);
        assert_eq!(lines, ["payer action", "? page", "succeeded", "ended: succeeded"], "{flag}");
        script.reads()[1] - script.reads()[0]
    };
    // "More steps after this redirect (resume polling after the browser returns)."
    for flag in ["true", "null"] {
        assert!(second_read(flag) >= 27_000, "{flag}");
    }
    // Nothing follows: nobody waits for a browser that need not come back.
    assert!(second_read("false") <= 2_010);
}

#[test]
fn show_html_content_chooses_the_form_or_the_page() {
    let members = |flag: &str| {
        format!(
            r#"{{"redirectUrl":"https://psp.example/3ds/abc","htmlContent":"<form></form>","showHtmlContent":{flag}}}"#
        )
    };
    for (flag, shown) in [("true", "? form"), ("false", "? page"), ("null", "? page")] {
        assert_eq!(check("CHECK_OUT_3DS_REQUIRED", &members(flag))[1], shown, "{flag}");
    }
}

#[test]
fn a_checkout_without_follow_up_is_read_until_a_code_ends_it() {
    // Assumed: beside an open code the flag changes nothing. The reads are those without it, and the payment
    // is not lost.
    let reads = |follow_up: &str| {
        let script = Script::new();
        let transport = script.answering(|read, _| match read {
            0..20 => status("CHECK_OUT_PROCESSING", follow_up),
            _ => status("CHECK_OUT_DONE", r#","followUpInstructions":{"canFollowUp":false}"#),
        });
        let mut watch = script.client().watch("trk_1").unwrap();
        assert_eq!(script.lines(&mut watch, &transport), ["processing", "succeeded", "ended: succeeded"]);
        script.reads()
    };
    assert_eq!(reads(r#","followUpInstructions":{"canFollowUp":false}"#), reads(""));
}

#[test]
fn the_error_of_an_unshowable_challenge_prints_nothing_of_the_challenge() {
    let script = Script::new();
    let members = r#"{"redirectUrl":"http://psp.example/3ds/secret-of-the-payer","isRedirectRequired":true}"#;
    let body = status("CHECK_OUT_3DS_REQUIRED", &instructions(members));
    let transport = script.answering(|_, _| body.clone());
    let mut watch = script.client().watch("trk_1").unwrap();
    let _phase = watch.next_change_blocking(&transport, |wait| script.clock.advance(wait));
    let change = watch.next_change_blocking(&transport, |_| panic!("the same read reports the change"));
    let checkout_client::Change::NotShown { payload, reason } = &change else { panic!("{change:?}") };
    assert!(!format!("{change:?} {reason}").contains("secret-of-the-payer"));
    assert_eq!(
        (payload.not_shown().map(|reason| reason.reason()), payload.asks_payer()),
        (Some(*reason), None)
    );
}

#[test]
fn a_policy_that_leaves_the_payer_alone_reads_on_after_an_unshowable_challenge() {
    let script = Script::new();
    let transport = script.answering(|_, millis| match millis {
        0..100_000 => status("CHECK_OUT_3DS_REQUIRED", ""),
        _ => status("CHECK_OUT_DONE", ""),
    });
    let mut watch =
        script.client().watch("trk_1").unwrap().policy(PollPolicy::azotte().challenge_interval(None));
    assert_eq!(script.lines(&mut watch, &transport).last().unwrap(), "ended: succeeded");
    assert!(script.millis() < 120_000);
}
