//! `docs/lifecycle.md` shows the steps as they are. `UPDATE_DOCS=1 cargo test -p checkout-lifecycle` rewrites
//! the page.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_lifecycle::{Basis, Kind, Phase, Status};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::azotte::MessageCode;
use checkout_tables::peach::PaymentStatus;
use std::fmt::Write;

/// The part of the document about one provider, between the two marks; with the values of a table that has
/// values.
fn section<S: Status>(provider: &str, rows: &[S], value: impl Fn(S) -> Option<String>) -> String {
    let mut text = String::new();
    let say = &mut text;
    writeln!(say, "## {provider}\n").unwrap();
    writeln!(say, "```mermaid\nstateDiagram-v2").unwrap();
    for row in rows {
        let code = row.code();
        let label = value(*row).map_or(code.to_owned(), |value| format!("{code} ({value})"));
        writeln!(say, "    {code}: {label}").unwrap();
    }
    for step in S::STEPS {
        let label = match (step.kind, step.basis) {
            (Kind::Ordinary, Basis::Stated(_) | Basis::Public(_)) => "",
            (Kind::Ordinary, Basis::Assumed(_)) => ": assumed",
            (Kind::Late, Basis::Stated(_) | Basis::Public(_)) => ": late",
            (Kind::Late, Basis::Assumed(_)) => ": late, assumed",
        };
        writeln!(say, "    {} --> {}{label}", step.from.code(), step.to.code()).unwrap();
    }
    for row in rows.iter().filter(|row| row.phase().is_final()) {
        writeln!(say, "    {} --> [*]", row.code()).unwrap();
    }
    writeln!(say, "```\n").unwrap();
    let numbered = rows.iter().any(|row| value(*row).is_some());
    let (head, rule) = if numbered { (" value |", "---:|") } else { ("", "") };
    writeln!(say, "| status |{head} phase | terminal |\n|---|{rule}---|---|").unwrap();
    for row in rows {
        let terminal = match (row.phase().is_final(), row.phase()) {
            (true, Phase::Succeeded) => "yes, success",
            (true, Phase::Authorized) => "yes, and no money yet",
            (true, _) => "yes",
            (false, _) => "no",
        };
        let value = value(*row).map_or(String::new(), |value| format!(" {value} |"));
        writeln!(say, "| {} |{value} {} | {terminal} |", row.code(), row.phase()).unwrap();
    }
    writeln!(say, "\n| from | to | step | how it is known |\n|---|---|---|---|").unwrap();
    for step in S::STEPS {
        let kind = match step.kind {
            Kind::Ordinary => "ordinary",
            Kind::Late => "late",
        };
        let basis = match step.basis {
            Basis::Stated(fact) => format!("Stated: {fact}"),
            Basis::Public(fact) => format!("Public: {fact}"),
            Basis::Assumed(reason) => format!("Assumed: {reason}"),
        };
        writeln!(say, "| {} | {} | {kind} | {basis} |", step.from.code(), step.to.code()).unwrap();
    }
    text
}

#[test]
fn the_document_shows_the_steps_as_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lifecycle.md");
    let mut document = std::fs::read_to_string(path).unwrap();
    let sections = [
        ("allscale", section("AllScale", &IntentStatus::ROWS, |row| Some(row.value().to_string()))),
        ("azotte", section("Azotte", &MessageCode::ROWS, |_| None)),
        ("peach", section("Peach", &PaymentStatus::ROWS, |_| None)),
    ];
    for (provider, section) in sections {
        let marks = [format!("<!-- begin: {provider} -->\n"), format!("<!-- end: {provider} -->\n")];
        let (head, rest) = document.split_once(&marks[0]).expect("the mark where a section begins");
        let (_, tail) = rest.split_once(&marks[1]).expect("the mark where a section ends");
        document = format!("{head}{}{section}{}{tail}", marks[0], marks[1]);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), document, "run it again with UPDATE_DOCS=1");
}
