//! Courses of a checkout, in seconds.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "tests")]

mod play;

use checkout_lifecycle::{Failure, Moment, Phase};
use checkout_poll::{Backoff, GiveUpReason, PollPolicy, Poller, ReadKind, ReadOutcome, Step};
use core::time::Duration;
use play::{EPOCH, at, secs};

fn policy(name: &str) -> PollPolicy {
    let base = match name.split(' ').next().unwrap() {
        "allscale" => PollPolicy::allscale(),
        "azotte" => PollPolicy::azotte(),
        "peach" => PollPolicy::peach(),
        other => panic!("nobody is called {other}"),
    };
    // Without chance, so that the seconds are whole.
    let base = base.jitter_permille(0).backoff(Backoff::new(Duration::ZERO, Duration::ZERO));
    name.split(' ').skip(1).fold(base, |policy, word| match word {
        "late" => policy.late_payment_reads(secs(600), secs(2_000)),
        "alone" => policy.challenge_interval(None),
        "two" => policy.max_refusals(2),
        "once" => policy.final_attempts(1),
        "thrice" => policy.final_attempts(3),
        other => panic!("no policy is {other}"),
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
        Step::Fetch(ReadKind::Status) => "status".into(),
        Step::Fetch(ReadKind::Full) => "whole".into(),
        Step::Wait(until) => format!("wait {}", seconds(until)),
        Step::AskPayer { until } => format!("ask until {}", seconds(until)),
        Step::Done(phase) => format!("done {phase}"),
        Step::GaveUp(gave_up) => {
            let last = gave_up.last_phase.map_or("nothing".into(), |phase| phase.to_string());
            match gave_up.reason {
                GiveUpReason::Deadline => format!("gave up {last}: deadline"),
                GiveUpReason::AskedToWait { until } => {
                    format!("gave up {last}: to wait until {}", seconds(until))
                }
                GiveUpReason::Refused => format!("gave up {last}: refused"),
            }
        }
    }
}

/// Each line is a moment in seconds, the report, and the step after the report. `s:paid` is the result of a
/// status read, `w:paid` of a whole read, `s:?/20` an answer without a phase and with a wait of 20 s;
/// `failed`, `limited`, `limited/20`, `refused`, `nowhere` for a checkout that is not found, `hidden` for a
/// challenge that cannot be shown, `shown` for a challenge whose payer need not return, `asking`, `nudge`,
/// `returned`, `resume/60`, `again` for one more read of an end, and `-` for no report.
fn check(name: &str, lines: &[&str]) {
    let policy = policy(name);
    let mut poller = Poller::new(&policy, at(EPOCH), 7);
    for line in lines {
        let (told, expected) = line.split_once(" → ").unwrap();
        let (second, event) = told.split_once(' ').unwrap();
        let now = at(EPOCH + second.parse::<i64>().unwrap() * 1_000);
        let (event, wait) = event.split_once('/').map_or((event, None), |(event, wait)| (event, Some(wait)));
        let wait = wait.map(|wait| secs(wait.parse().unwrap()));
        match event.split_once(':').unwrap_or((event, "")) {
            ("-", _) => {}
            ("asking", _) => poller.mark_sent(&policy, now),
            ("nudge", _) => poller.nudge(&policy, now),
            ("returned", _) => poller.payer_returned(&policy, now),
            ("resume", _) => poller.resume(&policy, now, wait.unwrap()),
            ("again", _) => poller.read_once_more(&policy, now),
            ("failed", _) => poller.handle_outcome(&policy, now, ReadOutcome::Failed { wait }),
            ("limited", _) => poller.handle_outcome(&policy, now, ReadOutcome::Limited { wait }),
            ("refused", _) => poller.handle_outcome(&policy, now, ReadOutcome::Refused),
            ("nowhere", _) => poller.handle_outcome(&policy, now, ReadOutcome::NotThere { wait }),
            ("hidden", _) => {
                poller.handle_outcome(&policy, now, ReadOutcome::PayerActs { shown: false, wait })
            }
            ("shown", _) => poller.handle_outcome(&policy, now, ReadOutcome::PayerActs { shown: true, wait }),
            ("s", word) => {
                poller.handle_outcome(
                    &policy,
                    now,
                    ReadOutcome::Answer { kind: ReadKind::Status, phase: phase(word), wait },
                );
            }
            ("w", word) => {
                poller.handle_outcome(
                    &policy,
                    now,
                    ReadOutcome::Answer { kind: ReadKind::Full, phase: phase(word), wait },
                );
            }
            other => panic!("nobody tells {other:?}"),
        }
        let step = step(poller.next(&policy, now));
        match expected.strip_suffix("SOON") {
            Some(expected) => assert!(step.starts_with(expected), "{name}: {line}: {step}"),
            None => assert_eq!(step, *expected, "{name}: {line}"),
        }
        // The poller is stored and read back between any two lines.
        poller = poller.to_string().parse().unwrap();
    }
}

#[test]
fn a_payment_is_read_slower_with_its_age_and_whole_at_its_end() {
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
fn an_unpaid_checkout_is_given_up_after_a_last_read() {
    check(
        "allscale",
        &[
            "560 s:awaiting → wait 600",
            "600 - → status",
            "600 asking → wait 601",
            "600 s:awaiting → gave up awaiting payer: deadline",
            "601 nudge → gave up awaiting payer: deadline",
            "601 returned → gave up awaiting payer: deadline",
            "9000 resume/60 → status",
            "9000 s:awaiting → wait 9060",
            "9060 asking → wait 9061",
            "9060 s:processing → gave up processing: deadline",
        ],
    );
    // A caller that comes late reads all the same.
    check("peach", &["0 - → status", "9999 - → status", "9999 asking → wait 10029"]);
    check("peach", &["9999 asking → wait 10029", "9999 s:paid → done succeeded"]);
}

#[test]
fn a_pause_that_would_end_shortly_before_the_deadline_ends_at_the_deadline() {
    // At the end of this pause there is just enough time for another pause; in the next line there is not.
    check("allscale", &["594 s:awaiting → wait 600"]);
    check("allscale", &["0 resume/6 → status", "0 s:awaiting → wait 5"]);
    check("allscale", &["0 resume/5 → status", "0 s:awaiting → wait 5"]);
    for (policy, told) in [
        ("peach", ["0 resume/59 → status", "0 s:awaiting → wait 59"]),
        ("peach", ["0 resume/60 → status", "0 s:awaiting → wait 30"]),
        // Never before the shortest time between two reads.
        ("peach", ["0 resume/20 → status", "0 s:awaiting → wait 30"]),
        // A wait that the provider said, and a wait after a failure.
        ("peach", ["0 resume/59 → status", "0 s:awaiting/40 → wait 59"]),
        ("peach", ["0 resume/59 → status", "0 failed → wait 59"]),
        ("peach", ["0 resume/60 → status", "0 failed → wait 30"]),
        ("azotte", ["0 resume/5 → status", "0 s:processing/4 → wait 4"]),
    ] {
        check(policy, &told);
    }
}

#[test]
fn an_answer_after_the_deadline_to_an_earlier_read_is_no_last_news() {
    check(
        "allscale",
        &[
            "590 nudge → status",
            "599 asking → wait 600",
            "605 s:awaiting → wait 606",
            "606 asking → wait 607",
            "606 s:awaiting → gave up awaiting payer: deadline",
        ],
    );
    // Nor is a read whose caller did not say when the read was sent.
    check("allscale", &["700 s:awaiting → wait 701", "701 - → status"]);
    // A deadline that is given while the read is on its way comes after the read.
    check("allscale", &["600 asking → wait 601", "601 resume/0 → status", "602 s:awaiting → wait 603"]);
}

#[test]
fn a_lost_last_read_is_repeated_and_a_read_without_an_outcome_is_due_again() {
    check(
        "allscale thrice",
        &[
            "600 asking → wait 601",
            "601 - → status",
            "605 asking → wait 606",
            "606 failed → wait 666",
            "700 asking → wait 701",
            "700 refused → wait 760",
            "760 asking → wait 761",
            "760 limited/2 → gave up nothing: deadline",
            "761 nudge → gave up nothing: deadline",
            // The attempts are counted anew.
            "900 resume/0 → status",
            "900 asking → wait 901",
            "900 failed → wait 960",
            "960 asking → wait 961",
            "960 failed → wait 1020",
            "1020 asking → wait 1021",
            "1021 s:paid → wait 1022",
            "1022 asking → wait 1023",
            "1022 w:paid → done succeeded",
        ],
    );
    check("allscale once", &["600 asking → wait 601", "600 failed → gave up nothing: deadline"]);
    // Attempts before the deadline count, but the last attempt is sent at the deadline.
    check(
        "allscale once",
        &[
            "0 failed → wait 5",
            "599 asking → wait 600",
            "599 failed → wait 659",
            "660 asking → wait 661",
            "660 failed → gave up nothing: deadline",
        ],
    );
}

#[test]
fn an_end_that_the_last_read_shows_has_its_time_to_be_confirmed() {
    check(
        "allscale",
        &[
            "600 asking → wait 601",
            "600 s:paid → wait 601",
            "1197 w:? → wait 1200",
            "1200 asking → wait 1201",
            "1200 w:? → gave up succeeded: deadline",
        ],
    );
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
    // Also if the read that settles shows the end.
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
    // For a provider with one read, either kind settles.
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
            // The read shows a status that nobody has named, or a status in conflict.
            "596 w:? → wait 601",
            "601 - → whole",
            "601 limited/30 → wait 631",
            "640 nudge → whole",
            "640 s:paid → wait 645",
            "645 - → whole",
            "1186 w:? → wait 1190",
            "1190 asking → wait 1191",
            "1190 failed → wait 1195",
            "1195 asking → wait 1196",
            "1195 w:? → gave up succeeded: deadline",
            "1200 resume/60 → whole",
            "1200 w:paid → done succeeded",
        ],
    );
}

#[test]
fn a_provider_s_wait_holds_against_nudges() {
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
fn a_long_wait_past_the_deadline_is_reported_at_once() {
    check(
        "azotte",
        &[
            "10 s:processing/591 → gave up processing: to wait until 601",
            "700 - → gave up processing: to wait until 601",
            "700 resume/60 → status",
        ],
    );
    check("peach", &["3880 limited/301 → gave up nothing: to wait until 4181"]);
    check("azotte", &["10 s:processing/590 → wait 600", "600 - → status"]);
    // The provider can ask for a wait of the last read too.
    check("azotte", &["600 asking → wait 601", "600 failed/31 → gave up nothing: to wait until 631"]);
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
fn a_wait_no_longer_than_the_policy_s_delays_the_last_read() {
    check(
        "azotte",
        &[
            "599 s:processing/2 → wait 601",
            "601 asking → wait 602",
            "601 limited/30 → wait 631",
            "631 asking → wait 632",
            "631 s:processing/2 → gave up processing: deadline",
        ],
    );
    check("peach", &["3880 s:processing → wait 3910", "3910 - → status"]);
    check("peach", &["3880 s:processing/300 → wait 4180"]);
}

#[test]
fn a_checkout_ends_after_so_many_refusals_without_an_answer() {
    check(
        "allscale two",
        &[
            "0 refused → wait 5",
            "5 s:? → wait 10",
            "10 refused → wait 15",
            // A failure says nothing of the refusal.
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
fn a_policy_allows_one_to_seven_refusals() {
    for (refusals, enough) in [(0, 1), (1, 1), (7, 7), (8, 7), (255, 7)] {
        let policy = policy("allscale").max_refusals(refusals);
        let mut poller = Poller::new(&policy, at(EPOCH), 7);
        for refused in 1..=enough {
            assert!(matches!(poller.next(&policy, at(EPOCH)), Step::Fetch(_) | Step::Wait(_)), "{refused}");
            poller.handle_outcome(&policy, at(EPOCH), ReadOutcome::Refused);
        }
        assert_eq!(step(poller.next(&policy, at(EPOCH))), "gave up nothing: refused", "{refusals}");
    }
}

#[test]
fn a_challenge_is_shown_and_read_on_when_the_payer_returns_or_a_while_later() {
    check(
        "azotte",
        &[
            "2 s:challenge → ask until 32",
            "10 - → ask until 32",
            "20 returned → status",
            "20 asking → wait 21",
            // The same challenge, or a new one: the caller compares, and the next read comes after the
            // ordinary pause.
            "20 s:challenge → ask until 22500ms",
            "24 s:processing → wait 27",
            "27 s:challenge → ask until 57",
            "57 - → status",
            "57 failed → ask until 87",
            "60 nudge → status",
            "60 s:paid → done succeeded",
        ],
    );
    // The wait of an answer does not shorten the payer's time.
    check("azotte", &["2 s:challenge/2 → ask until 32"]);
    check("azotte", &["2 s:challenge/90 → ask until 92", "5 returned → wait 92"]);
}

#[test]
fn a_challenge_that_cannot_be_shown_yet_is_read_again_at_the_ordinary_pace() {
    check(
        "azotte",
        &[
            "0 - → wait 2",
            "2 hidden → wait 4",
            "4 hidden/3 → wait 7",
            "7 s:challenge → ask until 37",
            // The challenge is not in the answer any more.
            "40 hidden → wait 45",
            "48 shown → ask until 54",
            "53 returned → status",
            "56 hidden → wait 63",
            "64 s:processing → wait 72",
        ],
    );
    // The payer is not left alone with a challenge that nobody can show.
    check("azotte alone", &["2 hidden → wait 4", "4 s:challenge → ask until 600"]);
    check(
        "azotte",
        &["2 hidden → wait 4", "600 asking → wait 601", "600 hidden → gave up payer action: deadline"],
    );
    // A read without an answer changes nothing.
    check("azotte", &["2 hidden → wait 4", "4 failed → wait 6", "6 hidden → wait 8"]);
}

#[test]
fn a_new_checkout_gets_time_to_appear() {
    check(
        "azotte",
        &[
            "2 nowhere → wait 4",
            "4 nowhere → wait 6",
            "6 nowhere → wait 8",
            "8 nowhere/20 → wait 28",
            "56 nowhere → wait 63",
            // The answer is a refusal from here on.
            "72 nowhere → wait 81",
            "88 nowhere → wait 99",
            "99 nowhere → gave up nothing: refused",
        ],
    );
    // A refusal of another kind counts at once.
    check(
        "azotte",
        &[
            "2 nowhere → wait 4",
            "4 refused → wait 6",
            "6 refused → wait 8",
            "8 refused → gave up nothing: refused",
        ],
    );
    for name in ["allscale", "peach"] {
        check(
            name,
            &[
                "5 nowhere → wait SOON",
                "35 nowhere → wait SOON",
                "59 nowhere → wait SOON",
                "60 - → wait SOON",
            ],
        );
    }
}

#[test]
fn the_first_read_is_due_at_once_or_after_the_policy_s_wait_or_at_a_nudge() {
    for started_at in [0, 1, 9, 999] {
        let started_at = EPOCH + started_at;
        for policy in [PollPolicy::allscale(), PollPolicy::peach()] {
            let poller = Poller::new(&policy, at(started_at), 7);
            assert_eq!(poller.next(&policy, at(started_at)), Step::Fetch(ReadKind::Status), "{started_at}");
        }
        let policy = PollPolicy::azotte();
        let mut poller = Poller::new(&policy, at(started_at), 7);
        assert!(matches!(poller.next(&policy, at(started_at + 1_999)), Step::Wait(_)));
        // In hundredths of a second.
        assert_eq!(poller.next(&policy, at(started_at + 2_009)), Step::Fetch(ReadKind::Status));
        poller.nudge(&policy, at(started_at + 500));
        assert_eq!(poller.next(&policy, at(started_at + 500)), Step::Fetch(ReadKind::Status));
    }
}

#[test]
fn a_policy_can_leave_the_payer_alone() {
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
    // The checkout does not end at its deadline.
    check(
        "azotte alone",
        &[
            "2 s:challenge → ask until 600",
            "600 - → status",
            "600 asking → ask until 601",
            "600 s:challenge → gave up payer action: deadline",
        ],
    );
}

#[test]
fn a_payer_who_returns_without_a_challenge_is_a_nudge() {
    check("allscale", &["0 s:awaiting → wait 5", "2 returned → status", "2 s:challenge → ask until 32"]);
}

#[test]
fn a_review_outlives_the_deadline_and_the_next_phase_has_its_own() {
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "700 - → wait 800",
            "800 s:review → wait 1100",
            "200000 s:processing → wait 200060",
            "200600 asking → wait 200601",
            "200600 s:processing → gave up processing: deadline",
        ],
    );
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "259500 s:review → wait 259700",
            "259700 asking → wait 259701",
            "259700 s:review → gave up in review: deadline",
        ],
    );
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "9000 s:refunding → wait 9060",
            "9600 asking → wait 9601",
            "9600 s:refunding → gave up refunding: deadline",
        ],
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
fn a_refund_is_read_like_any_open_phase() {
    check(
        "allscale",
        &["80 s:refunding → wait 90", "90 s:declined → wait 91", "91 w:declined → done failed: declined"],
    );
}

#[test]
fn a_refusal_is_the_end_unless_the_policy_has_late_reads() {
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
            "1901 s:expired → wait 2101",
            "2101 - → status",
            "2101 asking → wait 2102",
            "2101 s:expired → done failed: expired",
            "9000 resume/1000 → status",
            "9000 s:expired → wait 9600",
            "10000 asking → wait 10001",
            "10000 s:expired → done failed: expired",
        ],
    );
    // Other ends have no late reads.
    check("allscale late", &["0 w:paid → done succeeded"]);
    check("allscale late", &["0 w:reversed → done reversed"]);
}

#[test]
fn a_refusal_stays_the_end_after_every_end_of_late_reads() {
    check("azotte late", &["0 s:declined → wait 600", "600 s:declined/5000 → done failed: declined"]);
    check(
        "azotte late two",
        &["0 s:declined → wait 600", "600 refused → wait 1200", "1200 refused → done failed: declined"],
    );
    check(
        "azotte late thrice",
        &[
            "0 s:declined → wait 600",
            "2000 asking → wait 2001",
            "2000 failed → wait 2600",
            "2600 asking → wait 2601",
            "2600 failed → wait 3200",
            "3200 asking → wait 3201",
            "3200 failed → done failed: declined",
        ],
    );
    // The wait of an answer does not make the sparse reads dense.
    check("azotte late", &["0 s:declined/2 → wait 600"]);
}

#[test]
fn late_money_counts_after_a_whole_read() {
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
            "2450 s:processing → wait 2500",
            "2500 asking → wait 2501",
            "2500 s:processing → gave up processing: deadline",
        ],
    );
    // Also without late reads, as when a webhook made the caller read.
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
fn an_unknown_status_changes_nothing_and_the_reads_go_on() {
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
            "8 s:awaiting → wait 12",
            "12 asking → wait 13",
            "12 s:awaiting → gave up awaiting payer: deadline",
        ],
    );
    // A resume for no time at all gives one more read.
    check(
        "allscale",
        &["0 resume/0 → status", "0 asking → wait 1", "0 s:awaiting → gave up awaiting payer: deadline"],
    );
    check("allscale", &["5 w:paid → done succeeded", "6 resume/60 → done succeeded"]);
    check(
        "allscale",
        &[
            "500 s:review → wait 800",
            "600 resume/60 → status",
            "660 asking → wait 661",
            "660 s:review → gave up in review: deadline",
        ],
    );
}

#[test]
fn an_end_can_be_read_once_more() {
    check(
        "allscale",
        &[
            "5 w:paid → done succeeded",
            "9000 again → whole",
            "9000 asking → wait 9001",
            "9000 failed → wait 9005",
            // A bare status shows nothing.
            "9060 s:paid → wait 9065",
            "9065 w:paid → done succeeded",
        ],
    );
    check("peach", &["5 s:paid → done succeeded", "6 again → wait 35", "35 - → status"]);
    check("peach", &["5 s:paid → done succeeded", "60 again → status", "60 s:paid → done succeeded"]);
    check("peach", &["5 s:paid → done succeeded", "60 again → status", "60 s:reversed → done reversed"]);
    // The confirmation has the policy's time.
    check(
        "azotte",
        &[
            "5 s:paid → done succeeded",
            "6000 again → status",
            "6000 s:? → wait 6002",
            "6600 asking → wait 6601",
            "6600 s:? → gave up succeeded: deadline",
        ],
    );
    // Late reads that are over stay over, unless the checkout is resumed.
    check(
        "allscale late",
        &[
            "0 w:expired → wait 600",
            "1 again → wait 600",
            "2000 asking → wait 2001",
            "2000 s:expired → done failed: expired",
            "5000 again → whole",
            "5000 w:expired → done failed: expired",
            "6000 s:paid → wait 6001",
            "6001 w:expired → wait 6601",
        ],
    );
    check(
        "azotte late",
        &[
            "0 s:declined → wait 600",
            "600 s:declined/5000 → done failed: declined",
            "9000 again → status",
            "9000 s:declined → done failed: declined",
            "9001 resume/1000 → status",
            "9001 s:declined → wait 9601",
        ],
    );
    // A checkout that has not ended stays as before.
    check(
        "allscale",
        &["0 s:awaiting → wait 5", "1 again → wait 5", "5 s:paid → wait 6", "5 again → wait 6"],
    );
    check(
        "allscale",
        &[
            "600 asking → wait 601",
            "600 s:? → gave up nothing: deadline",
            "601 again → gave up nothing: deadline",
        ],
    );
}

#[test]
fn a_poller_that_is_resumed_after_two_years_counts_anew() {
    let policy = policy("allscale");
    let mut poller = Poller::new(&policy, at(EPOCH), 7);
    let later = at(EPOCH + 2 * 365 * 86_400_000);
    // That age is beyond the end of the count.
    assert_eq!(step(poller.next(&policy, later)), "gave up nothing: deadline");
    poller.resume(&policy, later, secs(60));
    assert_eq!((poller.started_at(), poller.deadline()), (later, later.saturating_add(secs(60))));
    assert_eq!(step(poller.next(&policy, later)), "status");
    // A younger poller does not end.
    let mut poller = Poller::new(&policy, at(EPOCH), 7);
    poller.resume(&policy, at(EPOCH + 200 * 86_400_000), secs(60));
    assert_eq!(poller.started_at(), at(EPOCH));
}

#[test]
fn moments_beyond_the_count_end_a_checkout_and_do_no_harm() {
    let policy = policy("allscale");
    for started_at in [i64::MIN, -1, 0, EPOCH, 4_294_967_295_000, 4_294_967_296_000, i64::MAX] {
        let mut poller = Poller::new(&policy, at(started_at), 7);
        let first = poller.started_at();
        assert!((0..=4_294_967_295_000).contains(&first.unix_millis()));
        // A moment before the beginning counts as the beginning.
        assert!(
            matches!(poller.next(&policy, at(i64::MIN)), Step::Fetch(_) | Step::GaveUp(_)),
            "{started_at}"
        );
        assert_eq!(step(poller.next(&policy, at(i64::MAX))), "gave up nothing: deadline");
        poller.mark_sent(&policy, at(i64::MAX));
        poller.handle_outcome(&policy, at(i64::MIN), ReadOutcome::Failed { wait: Some(Duration::MAX) });
        assert!(matches!(poller.next(&policy, at(0)), Step::GaveUp(_)));
    }
    // The count covers the whole of 497 days.
    let policy = policy.deadline(Duration::MAX);
    let poller = Poller::new(&policy, at(EPOCH), 7);
    assert_eq!(step(poller.next(&policy, at(EPOCH + 497 * 86_400_000))), "status");
    assert_eq!(step(poller.next(&policy, at(EPOCH + 498 * 86_400_000))), "gave up nothing: deadline");
}

#[test]
fn spans_are_not_cut_by_their_parts_of_a_millisecond() {
    let policy = policy("azotte");
    let mut poller = Poller::new(&policy, at(EPOCH + 1), 7);
    let wait = Duration::new(2, 1);
    poller.handle_outcome(&policy, at(EPOCH + 9), ReadOutcome::Limited { wait: Some(wait) });
    assert!(poller.due() >= at(EPOCH + 9).saturating_add(wait));
    assert!(poller.due() < at(EPOCH + 2_020));
}
