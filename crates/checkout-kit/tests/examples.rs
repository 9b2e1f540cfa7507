//! What the examples say and how they end, compared with what is committed. After a change that is meant to change it:
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
#![allow(clippy::duplicate_mod, reason = "each example has the module that both share")]

#[path = "../examples/first_payment.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod first_payment;
#[path = "../examples/save_before_send.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod save_before_send;

use checkout_sandbox::allscale::{API_SECRET, Scenario};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Compares a run with its file: what it says, and then its exit code.
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

fn scenario(name: &str) -> String {
    check(&format!("first_payment/{name}"), |out| {
        first_payment::run(&["--scenario".into(), name.into()], out)
    })
}

fn outputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs")
}

/// The names in the list that the program prints.
fn listed() -> Vec<String> {
    let mut list = Vec::new();
    assert_eq!(first_payment::run(&["--list".into()], &mut list), 0);
    let list = String::from_utf8(list).unwrap();
    list.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_scenario_says_what_is_committed() {
    for name in listed() {
        scenario(&name);
    }
}

#[test]
fn no_committed_output_is_of_a_scenario_that_is_gone() {
    let files = fs::read_dir(outputs().join("first_payment")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(files.collect::<BTreeSet<_>>(), listed().into_iter().collect());
}

#[test]
fn every_scenario_of_the_sandbox_can_be_played() {
    let listed = listed();
    for name in Scenario::NAMES {
        assert!(listed.iter().any(|listed| listed == name), "{name}");
    }
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
        ("tampered_amount", 4, "what is owed is not what the create's answer said"),
        ("tampered_amounts", 4, "the intent has another price"),
        ("late_internal_error", 4, "an intent may exist"),
        ("paid_short", 4, "less has come than is owed"),
        ("swapped_intent", 4, "what was read is not the answer"),
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
fn arguments_that_it_does_not_take_are_answered_with_those_it_takes() {
    for arguments in [&["--scenario"][..], &["--scenario", "nothing"], &["happy"], &["--list", "x"], &[""]] {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
        let mut said = Vec::new();
        assert_eq!(first_payment::run(&arguments, &mut said), 2, "{arguments:?}");
        assert!(String::from_utf8(said).unwrap().starts_with("usage: first_payment"));
    }
}

#[test]
fn the_readme_shows_what_its_commands_print() {
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
    // The program itself compares with what the sandbox knows.
    assert!(said.ends_with("exit code: 0\n"), "{said}");
    let ends: Vec<_> = said.lines().filter(|line| line.starts_with("  = ")).collect();
    assert_eq!(ends.len(), 25);
    for end in ends {
        let (state, done) = end["  = ".len()..].split_once("; ").unwrap();
        let parcels = if state == "Settled" { "1 sent" } else { "0 sent" };
        assert!(
            done.ends_with(parcels) && (done.contains(", 0 shown, ") || done.contains(", 1 shown, ")),
            "{end}"
        );
    }
}
