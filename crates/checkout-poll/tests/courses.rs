//! Courses of a checkout, told in seconds.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "tests")]

mod play;

use checkout_lifecycle::{Failure, Moment, Phase};
use checkout_poll::{Backoff, Fetch, Heard, Plan, Poller, Step, Why};
use core::time::Duration;
use play::{EPOCH, at, secs};

fn plan(name: &str) -> Plan {
    let base = match name.split(' ').next().unwrap() {
        "allscale" => Plan::allscale(),
        "azotte" => Plan::azotte(),
        "peach" => Plan::peach(),
        other => panic!("nobody is called {other}"),
    };
    // Without chance, so that the seconds are whole.
    let base = base.jitter_permille(0).backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
    name.split(' ').skip(1).fold(base, |plan, word| match word {
        "late" => plan.late_reads(secs(600), secs(2_000)),
        "alone" => plan.payer_acts(None),
        "two" => plan.refusals(2),
        other => panic!("no plan is {other}"),
    })
}

fn phase(word: &str) -> Option<Phase> {
    Some(match word {
        "?" => return None,
        "awaiting" => Phase::AwaitingPayer,
        "challenge" => Phase::PayerAction,
        "processing" => Phase::Processing,
        "review" => Phase::InReview,
        "refunding" => Phase::Refunding,
        "paid" => Phase::Succeeded,
        "authorized" => Phase::Authorized,
        "expired" => Phase::Failed(Failure::Expired),
        "declined" => Phase::Failed(Failure::Declined),
        "reversed" => Phase::Reversed,
        other => panic!("no phase is {other}"),
    })
}

fn seconds(moment: Moment) -> String {
    let millis = moment.unix_millis() - EPOCH;
    if millis % 1_000 == 0 { (millis / 1_000).to_string() } else { format!("{millis}ms") }
}

fn step(step: Step) -> String {
    match step {
        Step::Fetch(Fetch::Status) => "status".into(),
        Step::Fetch(Fetch::Whole) => "whole".into(),
        Step::Wait(until) => format!("wait {}", seconds(until)),
        Step::AskPayer { until } => format!("ask until {}", seconds(until)),
        Step::Done(phase) => format!("done {phase}"),
        Step::GaveUp(gave_up) => {
            let last = gave_up.last.map_or("nothing".into(), |phase| phase.to_string());
            match gave_up.why {
                Why::Deadline => format!("gave up {last}: deadline"),
                Why::AskedToWait { until } => format!("gave up {last}: to wait until {}", seconds(until)),
                Why::Refused => format!("gave up {last}: refused"),
            }
        }
    }
}

/// Each line is a moment in seconds, what is told, and what is to be done after it. `s:paid` is what a status
/// read showed, `w:paid` a whole one, `s:?/20` an answer without a phase that said to wait 20 s; `failed`,
/// `limited`, `limited/20`, `refused`, `asking`, `nudge`, `returned`, `resume/60`, and `-` for nothing.
fn check(name: &str, lines: &[&str]) {
    let plan = plan(name);
    let mut poller = Poller::new(&plan, at(EPOCH), 7);
    for line in lines {
        let (told, expected) = line.split_once(" → ").unwrap();
        let (second, event) = told.split_once(' ').unwrap();
        let now = at(EPOCH + second.parse::<i64>().unwrap() * 1_000);
        let (event, wait) = event.split_once('/').map_or((event, None), |(event, wait)| (event, Some(wait)));
        let wait = wait.map(|wait| secs(wait.parse().unwrap()));
        match event.split_once(':').unwrap_or((event, "")) {
            ("-", _) => {}
            ("asking", _) => poller.asking(&plan, now),
            ("nudge", _) => poller.nudge(&plan, now),
            ("returned", _) => poller.payer_returned(&plan, now),
            ("resume", _) => poller.resume(&plan, now, wait.unwrap()),
            ("failed", _) => poller.heard(&plan, now, Heard::Failed { wait }),
            ("limited", _) => poller.heard(&plan, now, Heard::Limited { wait }),
            ("refused", _) => poller.heard(&plan, now, Heard::Refused),
            ("s", word) => {
                poller.heard(&plan, now, Heard::Answer { fetch: Fetch::Status, phase: phase(word), wait });
            }
            ("w", word) => {
                poller.heard(&plan, now, Heard::Answer { fetch: Fetch::Whole, phase: phase(word), wait });
            }
            other => panic!("nobody tells {other:?}"),
        }
        assert_eq!(step(poller.next(&plan, now)), *expected, "{name}: {line}");
        // The store comes between any two of them.
        poller = poller.to_string().parse().unwrap();
    }
}

#[test]
fn a_payment_is_asked_slower_with_its_age_and_read_whole_at_its_end() {
    check(
        "allscale",
        &[
            "0 - → status",
            "0 asking → wait 1",
            "0 s:awaiting → wait 5",
            "5 s:awaiting → wait 10",
            "40 s:awaiting → wait 45",
            "80 s:processing → wait 90",
            "400 s:processing → wait 450",
            "480 - → status",
            "500 s:paid → wait 501",
            "501 - → whole",
            "501 w:paid → done succeeded",
            "9999 - → done succeeded",
        ],
    );
}

#[test]
fn what_nobody_pays_is_given_up_after_a_last_look() {
    check(
        "allscale",
        &[
            "560 s:awaiting → wait 599",
            "599 - → status",
            "599 s:awaiting → wait 600",
            "600 - → gave up awaiting payer: deadline",
            "601 nudge → gave up awaiting payer: deadline",
            "601 returned → gave up awaiting payer: deadline",
            "9000 resume/60 → status",
            "9000 s:awaiting → wait 9059",
            "9060 - → gave up awaiting payer: deadline",
        ],
    );
    // There is just the time for it, and not.
    check("allscale", &["598 s:awaiting → wait 599", "599 s:awaiting → wait 600"]);
    check("peach", &["0 - → status", "3899 - → status", "3900 - → gave up nothing: deadline"]);
}

#[test]
fn a_fetch_that_was_canceled_is_due_again_after_the_shortest_time() {
    check(
        "allscale",
        &[
            "0 asking → wait 1",
            "1 - → status",
            "1 asking → wait 2",
            "60 - → status",
            "60 s:awaiting → wait 67500ms",
        ],
    );
    // The one that settles too.
    check(
        "allscale",
        &["0 s:paid → wait 1", "1 asking → wait 2", "2 - → whole", "2 w:paid → done succeeded"],
    );
}

#[test]
fn a_whole_read_that_comes_first_settles() {
    check("allscale", &["0 w:paid → done succeeded"]);
    check("allscale", &["0 w:expired → done failed: expired"]);
    check("allscale", &["0 w:processing → wait 5", "5 s:reversed → wait 6", "6 w:reversed → done reversed"]);
    // Where there is one read, any of the two settles.
    check("azotte", &["0 s:paid → done succeeded"]);
    check("peach", &["0 s:authorized → done authorized"]);
}

#[test]
fn a_whole_read_that_shows_another_phase_goes_on() {
    check(
        "allscale",
        &[
            "0 s:paid → wait 1",
            "1 w:processing → wait 6",
            "6 - → status",
            "6 s:paid → wait 7",
            "7 w:reversed → done reversed",
        ],
    );
}

#[test]
fn an_end_without_its_evidence_is_given_up_and_never_done() {
    check(
        "allscale",
        &[
            "590 s:paid → wait 591",
            "591 failed → wait 596",
            "596 - → whole",
            // It shows a status that nobody has named, or one in conflict.
            "596 w:? → wait 601",
            "601 - → whole",
            "601 limited/30 → wait 631",
            "640 nudge → whole",
            "640 s:paid → wait 645",
            "645 - → whole",
            "1186 w:? → wait 1189",
            "1189 failed → wait 1190",
            "1190 - → gave up succeeded: deadline",
            "1200 resume/60 → whole",
            "1200 w:paid → done succeeded",
        ],
    );
}

#[test]
fn a_wait_that_was_said_holds_against_nudges() {
    check(
        "azotte",
        &[
            "0 s:processing/20 → wait 20",
            "1 nudge → wait 20",
            "2 returned → wait 20",
            "3 resume/500 → wait 20",
            "20 - → status",
            "20 s:processing → wait 22500ms",
            "21 nudge → status",
            "21 limited/9 → wait 30",
            "22 nudge → wait 30",
            // An answer that was on its way does not end the limit.
            "23 s:processing → wait 30",
            "24 nudge → wait 30",
            "30 - → status",
        ],
    );
}

#[test]
fn a_limit_without_a_time_holds_against_nudges_and_a_failure_does_not() {
    check("allscale", &["0 limited → wait 5", "1 nudge → wait 5", "5 - → status"]);
    check("allscale", &["0 failed → wait 5", "1 nudge → status"]);
    check("allscale", &["0 refused → wait 5", "1 nudge → status"]);
}

#[test]
fn a_wait_past_the_deadline_is_surfaced_at_once() {
    check(
        "azotte",
        &[
            "10 s:processing/591 → gave up processing: to wait until 601",
            "700 - → gave up processing: to wait until 601",
            "700 resume/60 → status",
        ],
    );
    // Where the shortest time between two reads is as long, it was said all the same.
    check("peach", &["3880 limited/30 → gave up nothing: to wait until 3910"]);
    check("peach", &["3880 s:processing → wait 3900", "3900 - → gave up processing: deadline"]);
    check("azotte", &["10 s:processing/590 → wait 600", "600 - → gave up processing: deadline"]);
    check("peach", &["0 limited/4000 → gave up nothing: to wait until 4000", "9 resume/5000 → wait 4000"]);
    check(
        "peach",
        &[
            "0 failed/4000 → gave up nothing: to wait until 4000",
            "9 resume/60 → gave up nothing: to wait until 4000",
        ],
    );
}

#[test]
fn so_many_refusals_without_an_answer_end_it() {
    check(
        "allscale two",
        &[
            "0 refused → wait 5",
            "5 s:? → wait 10",
            "10 refused → wait 15",
            // It says nothing of the refusal.
            "15 failed → wait 20",
            "20 refused → gave up nothing: refused",
            "21 nudge → gave up nothing: refused",
            "30 resume/60 → status",
            "30 refused → wait 35",
            "35 refused → gave up nothing: refused",
        ],
    );
}

#[test]
fn fifteen_refusals_are_the_most_that_a_plan_can_ask_for_and_one_the_least() {
    for (refusals, enough) in [(0, 1), (1, 1), (15, 15), (255, 15)] {
        let plan = plan("allscale").refusals(refusals);
        let mut poller = Poller::new(&plan, at(EPOCH), 7);
        for refused in 1..=enough {
            assert!(matches!(poller.next(&plan, at(EPOCH)), Step::Fetch(_) | Step::Wait(_)), "{refused}");
            poller.heard(&plan, at(EPOCH), Heard::Refused);
        }
        assert_eq!(step(poller.next(&plan, at(EPOCH))), "gave up nothing: refused", "{refusals}");
    }
}

#[test]
fn a_challenge_is_shown_and_asked_on_when_the_payer_returns_or_nobody_tells() {
    check(
        "azotte",
        &[
            "2 s:challenge → ask until 32",
            "10 - → ask until 32",
            "20 returned → status",
            "20 asking → wait 21",
            // Still, or again: the caller compares, and it is asked at the ordinary pause.
            "20 s:challenge → ask until 22500ms",
            "24 s:processing → wait 27",
            "27 s:challenge → ask until 57",
            "57 - → status",
            "57 failed → ask until 87",
            "60 nudge → status",
            "60 s:paid → done succeeded",
        ],
    );
    // What the answer says to wait does not shorten the payer's time.
    check("azotte", &["2 s:challenge/2 → ask until 32"]);
    check("azotte", &["2 s:challenge/90 → ask until 92", "5 returned → wait 92"]);
}

#[test]
fn a_plan_can_leave_the_payer_alone() {
    check(
        "azotte alone",
        &[
            "2 s:challenge → ask until 600",
            "500 nudge → status",
            "500 s:challenge → ask until 600",
            "510 nudge → status",
            "510 failed → ask until 540",
            "550 s:challenge → ask until 600",
            "560 returned → status",
            "560 s:processing → wait 590",
        ],
    );
    check("azotte alone", &["2 s:challenge → ask until 600", "600 - → gave up payer action: deadline"]);
}

#[test]
fn a_payer_who_returns_without_a_challenge_is_a_nudge() {
    check("allscale", &["0 s:awaiting → wait 5", "2 returned → status", "2 s:challenge → ask until 32"]);
}

#[test]
fn a_review_outlives_the_deadline_and_what_follows_has_its_own() {
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "700 - → wait 800",
            "800 s:review → wait 1100",
            "200000 s:processing → wait 200060",
            "200600 - → gave up processing: deadline",
        ],
    );
    check(
        "allscale",
        &["500 s:review → wait 800", "259699 - → status", "259700 - → gave up in review: deadline"],
    );
    check(
        "allscale",
        &["500 s:review → wait 800", "9000 s:refunding → wait 9060", "9600 - → gave up refunding: deadline"],
    );
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "90000 s:expired → wait 90001",
            "90001 w:expired → done failed: expired",
        ],
    );
}

#[test]
fn a_refund_is_asked_after_like_any_open_phase() {
    check(
        "allscale",
        &["80 s:refunding → wait 90", "90 s:declined → wait 91", "91 w:declined → done failed: declined"],
    );
}

#[test]
fn a_refusal_is_the_end_unless_late_reads_are_asked_for() {
    check("allscale", &["100 s:expired → wait 101", "101 w:expired → done failed: expired"]);
    check(
        "allscale late",
        &[
            "100 s:expired → wait 101",
            "101 - → whole",
            "101 w:expired → wait 701",
            "701 - → status",
            "701 s:expired → wait 1301",
            "1301 refused → wait 1901",
            "1901 s:expired → wait 2100",
            "2100 s:expired → wait 2101",
            "2101 - → done failed: expired",
            "9000 resume/1000 → status",
            "9000 s:expired → wait 9600",
            "10000 - → done failed: expired",
        ],
    );
    // Other ends have no late reads.
    check("allscale late", &["0 w:paid → done succeeded"]);
    check("allscale late", &["0 w:reversed → done reversed"]);
}

#[test]
fn whatever_ends_late_reads_the_refusal_stays_the_end() {
    check("azotte late", &["0 s:declined → wait 600", "600 s:declined/5000 → done failed: declined"]);
    check(
        "azotte late two",
        &["0 s:declined → wait 600", "600 refused → wait 1200", "1200 refused → done failed: declined"],
    );
    // What an answer says to wait does not make the sparse reads dense.
    check("azotte late", &["0 s:declined/2 → wait 600"]);
}

#[test]
fn money_that_comes_late_is_read_whole_before_it_counts() {
    check(
        "allscale late",
        &[
            "0 w:expired → wait 600",
            "1999 s:paid → wait 2000",
            "2000 - → whole",
            "2000 failed → wait 2005",
            "2005 w:paid → done succeeded",
        ],
    );
}

#[test]
fn a_refusal_that_is_being_paid_after_all_has_a_deadline_of_its_own() {
    check(
        "allscale late",
        &[
            "0 w:expired → wait 600",
            "1900 s:processing → wait 1960",
            "2450 s:processing → wait 2499",
            "2500 - → gave up processing: deadline",
        ],
    );
    // Without late reads too, as when a webhook made the caller look.
    check(
        "allscale",
        &[
            "0 w:expired → done failed: expired",
            "90000 s:processing → wait 90060",
            "90060 s:paid → wait 90061",
            "90061 w:paid → done succeeded",
        ],
    );
}

#[test]
fn an_unknown_status_changes_nothing_and_is_asked_on() {
    check("azotte", &["0 s:? → wait 2", "2 s:processing → wait 4", "4 s:? → wait 6"]);
}

#[test]
fn a_clock_that_jumps_back_neither_hurries_nor_hangs() {
    check(
        "allscale",
        &[
            "100 s:processing → wait 112500ms",
            "40 - → wait 112500ms",
            "50 nudge → wait 101",
            "60 asking → wait 101",
        ],
    );
}

#[test]
fn a_resume_is_a_new_deadline_at_any_time() {
    check(
        "allscale",
        &[
            "0 s:awaiting → wait 5",
            "2 resume/10 → status",
            "2 s:awaiting → wait 7",
            "8 s:awaiting → wait 11",
            "12 - → gave up awaiting payer: deadline",
        ],
    );
    check("allscale", &["0 resume/0 → gave up nothing: deadline", "0 resume/1 → status"]);
    check("allscale", &["5 w:paid → done succeeded", "6 resume/60 → done succeeded"]);
    check(
        "allscale",
        &["500 s:review → wait 800", "600 resume/60 → status", "660 - → gave up in review: deadline"],
    );
}

#[test]
fn a_poller_that_is_resumed_after_two_years_counts_anew() {
    let plan = plan("allscale");
    let mut poller = Poller::new(&plan, at(EPOCH), 7);
    let later = at(EPOCH + 2 * 365 * 86_400_000);
    assert_eq!(step(poller.next(&plan, later)), "gave up nothing: deadline");
    poller.resume(&plan, later, secs(60));
    assert_eq!((poller.began(), poller.deadline()), (later, later.saturating_add(secs(60))));
    assert_eq!(step(poller.next(&plan, later)), "status");
    // One that is not that old does not.
    let mut poller = Poller::new(&plan, at(EPOCH), 7);
    poller.resume(&plan, at(EPOCH + 200 * 86_400_000), secs(60));
    assert_eq!(poller.began(), at(EPOCH));
}

#[test]
fn moments_outside_of_what_is_counted_end_it_and_do_no_harm() {
    let plan = plan("allscale");
    for began in [i64::MIN, -1, 0, EPOCH, 4_294_967_295_000, 4_294_967_296_000, i64::MAX] {
        let mut poller = Poller::new(&plan, at(began), 7);
        let first = poller.began();
        assert!((0..=4_294_967_295_000).contains(&first.unix_millis()));
        // Before it began counts as when it began.
        assert!(matches!(poller.next(&plan, at(i64::MIN)), Step::Fetch(_) | Step::GaveUp(_)), "{began}");
        assert_eq!(step(poller.next(&plan, at(i64::MAX))), "gave up nothing: deadline");
        poller.asking(&plan, at(i64::MAX));
        poller.heard(&plan, at(i64::MIN), Heard::Failed { wait: Some(Duration::MAX) });
        assert!(matches!(poller.next(&plan, at(0)), Step::GaveUp(_)));
    }
    // The whole of 497 days is counted.
    let plan = plan.deadline(Duration::MAX);
    let poller = Poller::new(&plan, at(EPOCH), 7);
    assert_eq!(step(poller.next(&plan, at(EPOCH + 497 * 86_400_000))), "status");
    assert_eq!(step(poller.next(&plan, at(EPOCH + 498 * 86_400_000))), "gave up nothing: deadline");
}

#[test]
fn spans_are_not_cut_by_their_parts_of_a_millisecond() {
    let plan = plan("azotte");
    let mut poller = Poller::new(&plan, at(EPOCH + 1), 7);
    let wait = Duration::new(2, 1);
    poller.heard(&plan, at(EPOCH + 9), Heard::Limited { wait: Some(wait) });
    assert!(poller.due() >= at(EPOCH + 9).saturating_add(wait));
    assert!(poller.due() < at(EPOCH + 2_020));
}
