//! The output of the examples and their ends, compared with the committed files. After a change that is meant
//! to change the output:
//!
//!     UPDATE_DOCS=1 cargo test -p checkout-kit --test examples
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
#![allow(clippy::duplicate_mod, reason = "each example has the modules that they share")]

#[path = "../examples/azotte_payment.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod azotte_payment;
#[path = "../examples/first_payment.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod first_payment;
#[path = "../examples/many_checkouts.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod many_checkouts;
#[path = "../examples/peach_payment.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod peach_payment;
#[path = "../examples/receive_axum.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod receive_axum;
#[path = "../examples/receive_peach.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod receive_peach;
#[path = "../examples/receive_plain.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod receive_plain;
#[path = "../examples/save_before_send.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod save_before_send;
#[path = "../examples/three_providers.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod three_providers;

use checkout_sandbox::allscale::{API_SECRET, Scenario};
use checkout_sandbox::{azotte, peach};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Compares a run with the file: the output, and then the exit code.
fn check(name: &str, play: impl FnOnce(&mut dyn Write) -> u8) -> String {
    let mut said = Vec::new();
    let code = play(&mut said);
    let said = format!("{}exit code: {code}\n", String::from_utf8(said).unwrap());
    let path = outputs().join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &said).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(said, committed, "{name}");
    said
}

/// The examples that take a scenario.
const PLAYED: [(&str, Program); 4] = [
    ("first_payment", first_payment::run),
    ("azotte_payment", azotte_payment::run),
    ("peach_payment", peach_payment::run),
    ("receive_peach", receive_peach::run),
];

/// The examples that take no scenario.
const SINGLE: [&str; 6] =
    ["hello", "many_checkouts", "receive_axum", "receive_plain", "save_before_send", "three_providers"];

type Program = fn(&[String], &mut dyn Write) -> u8;

fn scenario(name: &str) -> String {
    play("first_payment", first_payment::run, name)
}

fn play(program: &str, run: Program, name: &str) -> String {
    check(&format!("{program}/{name}"), |out| run(&["--scenario".into(), name.into()], out))
}

fn outputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs")
}

/// The names in the list that the program prints.
fn listed(run: Program) -> Vec<String> {
    let mut list = Vec::new();
    assert_eq!(run(&["--list".into()], &mut list), 0);
    let list = String::from_utf8(list).unwrap();
    list.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_scenario_prints_the_committed_output() {
    for (program, run) in PLAYED {
        for name in listed(run) {
            play(program, run, &name);
        }
    }
}

#[test]
fn every_committed_output_has_its_scenario() {
    let name = |file: std::io::Result<fs::DirEntry>| {
        file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
    };
    for (program, run) in PLAYED {
        let files = fs::read_dir(outputs().join(program)).unwrap();
        assert_eq!(files.map(name).collect::<BTreeSet<_>>(), listed(run).into_iter().collect());
    }
    let all = fs::read_dir(outputs()).unwrap().map(name).collect::<BTreeSet<_>>();
    let programs = PLAYED.map(|(program, _)| program).into_iter();
    assert_eq!(all, programs.chain(SINGLE).map(str::to_owned).collect());
}

#[test]
fn every_scenario_of_the_sandboxes_can_be_played() {
    let scenarios =
        [Scenario::NAMES.to_vec(), azotte::Scenario::NAMES.to_vec(), peach::Scenario::NAMES.to_vec()];
    for ((program, run), names) in PLAYED.into_iter().zip(scenarios) {
        let listed = listed(run);
        for name in names {
            assert!(listed.iter().any(|listed| listed == name), "{program} {name}");
        }
    }
}

/// The right end of a play, from the meaning of the sandbox's last answers, and not from a run.
#[test]
fn a_checkout_with_azotte_ends_as_its_last_code_means_and_is_charged_once() {
    for (name, code, ended) in [
        ("happy", 0, "paid; charges: 1"),
        ("done_at_once", 0, "paid; charges: 1"),
        ("slow", 0, "paid; charges: 1"),
        ("three_ds_url", 0, "paid; charges: 1"),
        ("three_ds_html", 0, "paid; charges: 1"),
        ("three_ds_html_and_url", 0, "paid; charges: 1"),
        ("three_ds_at_once", 0, "paid; charges: 1"),
        ("three_ds_twice", 0, "paid; charges: 1"),
        ("redirect_while_processing", 0, "paid; charges: 1"),
        ("unknown_code", 0, "paid; charges: 1"),
        ("unknown_code_with_redirect", 0, "paid; charges: 1"),
        ("lost_submit_answer", 0, "paid; charges: 1"),
        ("bad_gateway", 0, "paid; charges: 1"),
        ("swapped_checkout", 0, "paid; charges: 1"),
        ("rough_polling", 0, "paid; charges: 1"),
        ("failed", 1, "not paid (failed: error); charges: 0"),
        ("failed_at_once", 1, "not paid (failed: error); charges: 0"),
        ("failed_message_on_top", 1, "not paid (failed: error); charges: 0"),
        ("three_ds_failed", 1, "not paid (failed: error); charges: 0"),
        ("three_ds_abandoned", 3, "still open (payer action); charges: 0"),
        ("never_ends", 3, "still open (processing); charges: 0"),
        (
            "late_success",
            4,
            "paid after the order was given up: ship it after all, or give it back; charges: 1",
        ),
        ("change_after_terminal", 4, "the provider contradicts itself, or somebody else answers; charges: 1"),
    ] {
        let said = play("azotte_payment", azotte_payment::run, name);
        assert!(said.ends_with(&format!("\nended      {ended}\nexit code: {code}\n")), "{name}: {said}");
        let challenged = said.contains("-> send the browser") || said.contains("-> show htmlContent");
        assert_eq!(challenged, name.contains("three_ds") || name.contains("redirect"), "{name}");
        // The output has nothing that leads to the payer's bank.
        assert!(!said.contains("https://") && !said.contains("urn:customer"), "{name}");
    }
    assert_eq!(listed(azotte_payment::run).len(), 23);
}

#[test]
fn a_checkout_with_peach_ends_as_its_last_code_means() {
    for (name, code, stored) in [
        ("happy", 0, "successful -"),
        ("pending_then_successful", 0, "successful -"),
        ("declined_then_paid", 0, "successful -"),
        ("in_review", 0, "successful -"),
        ("unknown_code", 0, "successful -"),
        ("older_cancelled_after_success", 0, "successful -"),
        ("test_success", 0, "successful -"), // in the sandbox's environment it is one
        ("v2", 0, "successful -"),
        ("tampered_amount", 0, "successful -"),
        ("swapped_checkout", 0, "successful -"),
        ("rough_polling", 0, "successful -"),
        ("cancelled", 1, "cancelled -"),
        ("expired", 1, "expired -"),
        ("uncertain", 1, "expired -"),
        ("never_opened", 1, "expired -"),
        ("risk_check_only", 1, "expired -"),
        ("lost_initiate_answer", 1, "expired -"),
        ("authorized", 4, "authorized -"),
        ("charged_back", 4, "successful -"),
        ("newer_cancelled_after_success", 4, "successful -"),
        ("late_success_after_cancelled", 4, "successful cancelled"),
        ("late_success_after_expired", 4, "successful expired"),
    ] {
        let said = play("peach_payment", peach_payment::run, name);
        assert!(said.contains(&format!("\nto store   v1 {stored} ")), "{name}: {said}");
        assert!(said.ends_with(&format!("\nexit code: {code}\n")), "{name}: {said}");
        assert!(!said.contains(peach::SECRET_TOKEN) && !said.contains(peach::CLIENT_SECRET), "{name}");
    }
    assert_eq!(listed(peach_payment::run).len(), 22);
}

#[test]
fn a_receiver_answers_every_delivery_rightly_with_a_framework_and_without() {
    let said = check("receive_axum", receive_axum::run);
    assert_eq!(check("receive_plain", receive_plain::run), said);
    let told: Vec<_> = said.lines().filter(|line| !line.starts_with("  ")).collect();
    // The status that the sender of each delivery must see, from the kind of the delivery.
    assert_eq!(
        told,
        [
            "200  a webhook",
            "200  the same once more",
            "401  its body changed on the way",
            "401  without its signature",
            "401  with its signature twice",
            "400  signed, and nothing that can be read",
            "503  while the read fails",
            "200  sent again",
            "503  while another process is at it",
            "200  after that process has died",
            "200  of an order that was paid by half",
            "503  of an order that nobody has paid",
            "503  of an order whose row is not written yet",
            "200  sent again, when it is",
            "200  of an order that was given up, and is paid after all",
            "200  of an order that is paid",
            "200  of the same, when a read contradicts it",
            "503  of another intent that names the first order",
            "503  of an intent that is nobody's",
            "503  of an order whose row is gone",
            "401  the first one, hours late",
            "to ship: order_1, order_10, order_2, order_3, order_6",
            "for a person: order_10: conflict after an end",
            "for a person: order_4: refused, and money came: has it gone back?",
            "for a person: order_7: paid after it was given up",
            "for a person: an event of an intent that is no order's",
            "for a person: an event of an intent that is no order's",
            "for a person: an event of an intent that is no order's",
            "exit code: 0",
        ]
    );
    assert!(!said.contains("Ada") && !said.contains(API_SECRET));
}

/// What the sender of each must see, and whether a parcel leaves, from what each one is.
#[test]
fn a_receiver_of_peach_s_ships_for_the_read_alone_once_and_says_200_after_that() {
    for (name, code, answers, parcels) in [
        ("paid", 0, &[200, 200, 200][..], 1),
        ("twice", 0, &[200, 200], 1),
        ("forged", 3, &[401, 401, 401], 0),
        ("read_lags", 0, &[503, 200], 1),
        ("read_says_cancelled", 1, &[200], 0),
        ("other_amount", 4, &[200], 0),
        ("read_fails", 0, &[503, 200], 1),
        ("paid_after_cancelled", 4, &[200, 200], 0),
        ("charged_back", 4, &[200, 200], 1),
        ("row_not_written_yet", 0, &[503, 200], 1),
    ] {
        let said = play("receive_peach", receive_peach::run, name);
        let told = said.lines().filter_map(|line| line.split_once("  ")?.0.parse().ok());
        assert_eq!(told.collect::<Vec<u16>>(), answers, "{name}: {said}");
        assert_eq!(said.matches("to ship: order_1001\n").count(), parcels, "{name}: {said}");
        assert!(said.ends_with(&format!("\nexit code: {code}\n")), "{name}: {said}");
        // Nothing of the payer, and not the token.
        assert!(!said.contains("Payer") && !said.contains(peach::SECRET_TOKEN), "{name}");
    }
    assert_eq!(listed(receive_peach::run).len(), 10);
}

#[test]
fn three_providers_are_settled_by_one_function() {
    let said = check("three_providers", |out| three_providers::run(&[], out));
    let settled: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("settled    ")).collect();
    let late = "paid after the order was given up: ship it after all, or give it back";
    assert_eq!(settled, ["paid", "paid", late]);
    assert_eq!(said.matches("the goods leave").count(), 2);
    assert!(said.contains("CHECK_OUT_3DS_REQUIRED") && said.contains("payer action"));
}

#[test]
fn twelve_checkouts_end_as_their_last_codes_mean_under_the_merchant_s_limit_and_over_a_restart() {
    let said = check("many_checkouts", many_checkouts::run);
    let ended = |order: u32, end: &str| {
        let line = format!("  order-{order:04}  {end}\n");
        assert_eq!(said.matches(&line).count(), 1, "{order}: {said}");
    };
    [1, 3, 4, 5, 6, 8, 9, 11, 12].into_iter().for_each(|order| ended(order, "ended: succeeded"));
    ended(2, "ended: failed: canceled");
    [7, 10].into_iter().for_each(|order| ended(order, "ended: failed: expired"));
    assert!(said.contains("a process goes on with 6 open checkouts\n"));
    assert!(said.ends_with(" reads, never more than 2 a minute\nexit code: 0\n"), "{said}");
    // A refusal by the limit would be printed.
    assert!(!said.contains("429") && !said.contains("/status"), "{said}");
}

/// The phases that the scenarios must end in, from the meaning of their last status, and not from a run.
#[test]
fn a_scenario_ends_as_its_last_status_means() {
    for (name, code, end) in [
        ("happy", 0, "paid"),
        ("kyt_passed", 0, "paid"),
        ("manual_operation", 0, "paid"),
        ("overpaid", 0, "paid"),
        ("unknown_status", 0, "paid"),
        ("regression", 0, "paid"),
        ("rough_polling", 0, "paid"),
        ("lost_before", 0, "paid"),
        ("failed", 1, "not paid (failed: error)"),
        ("kyt_refused", 1, "not paid (failed: rejected)"),
        ("underpaid", 1, "not paid (failed: underpaid)"),
        ("canceled", 1, "not paid (failed: canceled)"),
        ("timeout", 1, "not paid (failed: expired)"),
        ("below_floor", 1, "the documents forbid it"),
        ("refused", 1, "refused, and nothing was created"),
        ("wrong_clock", 1, "refused, and nothing was created"),
        ("never_paid", 3, "still open (awaiting payer)"),
        ("late_success", 4, "paid after the order was given up"),
        ("change_after_terminal", 4, "the provider contradicts itself"),
        ("tampered_status", 4, "the provider contradicts itself"),
        ("tampered_amount", 4, "not settled: 49.9000 coins are owed instead of 4.9900"),
        ("tampered_amounts", 4, "not settled: priced at 4.99 instead of 49.90"),
        ("late_internal_error", 4, "an intent may exist"),
        ("paid_short", 4, "not settled: underpaid by 0.0499 USDT"),
        ("swapped_intent", 4, "succeeded by its status alone, and no read shows it"),
        ("lost_create_answer", 4, "an intent may exist"),
        ("bad_gateway", 4, "an intent may exist"),
    ] {
        let said = scenario(name);
        let (said, ended) = said.rsplit_once("\n\n").unwrap();
        assert!(ended.starts_with(end), "{name}: {ended}");
        assert!(ended.ends_with(&format!("\nexit code: {code}\n")), "{name}: {ended}");
        assert!(!said.contains("Ada") && !said.contains("user_7") && !said.contains(API_SECRET), "{name}");
    }
}

#[test]
fn other_arguments_are_answered_with_the_usage() {
    let programs = PLAYED.into_iter().chain([("three_providers", three_providers::run as Program)]);
    for (program, run) in programs {
        for arguments in
            [&["--scenario"][..], &["--scenario", "nothing"], &["happy"], &["--list", "x"], &[""]]
        {
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
            let mut said = Vec::new();
            assert_eq!(run(&arguments, &mut said), 2, "{program} {arguments:?}");
            assert!(String::from_utf8(said).unwrap().starts_with(&format!("usage: {program}")));
        }
    }
}

#[test]
fn the_readme_shows_the_output_of_its_commands() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    for (mark, name) in [("run", "happy"), ("late_success", "late_success")] {
        let shown = readme.split_once(&format!("<!-- output: {mark} -->\n```text\n")).unwrap().1;
        let shown = shown.split_once("```").unwrap().0;
        let said = scenario(name);
        assert_eq!(said.rsplit_once("exit code").unwrap().0, shown);
    }
}

#[test]
fn no_mishap_shows_the_payer_two_pages_or_sends_goods_unpaid_or_twice() {
    let said = check("save_before_send", save_before_send::run);
    // The program itself compares with the sandbox's knowledge.
    assert!(said.ends_with("exit code: 0\n"), "{said}");
    let ends: Vec<_> = said.lines().filter(|line| line.starts_with("  = ")).collect();
    assert_eq!(ends.len(), 22 + 4 * 8 + 1);
    for end in ends {
        let (state, done) = end["  = ".len()..].split_once("; ").unwrap();
        // A parcel that is held before the shipping is not shipped.
        let parcels = match state {
            "Settled" => "1 sent",
            "Settled, held" => " sent",
            _ => "0 sent",
        };
        assert!(
            done.ends_with(parcels) && (done.contains(", 0 shown, ") || done.contains(", 1 shown, ")),
            "{end}"
        );
    }
    let became = |name: &str| {
        let play = said.split("\n\n").find(|play| play.lines().next() == Some(name)).unwrap();
        play.lines().last().unwrap().trim().to_owned()
    };
    assert_eq!(became("it is reviewed for five hours"), "= Settled; 1 made, 1 shown, 1 sent");
    assert_eq!(became("a crash after the settlement is saved"), "= Settled; 1 made, 1 shown, 1 sent");
    assert_eq!(became("it is paid after it expired"), "= GivenUp, held; 1 made, 1 shown, 0 sent");
}
