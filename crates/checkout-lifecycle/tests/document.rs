//! `docs/lifecycle.md` shows the steps as they are. `UPDATE_DOCS=1 cargo test -p checkout-lifecycle` rewrites it.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_lifecycle::{Basis, Kind, Phase, Status};
use checkout_tables::allscale::IntentStatus;
use std::fmt::Write;

/// The part of the document about one provider, between its two marks.
fn section<S: Status>(provider: &str, rows: &[S], value: impl Fn(S) -> String) -> String {
    let mut text = String::new();
    let say = &mut text;
    writeln!(say, "## {provider}\n").unwrap();
    writeln!(say, "```mermaid\nstateDiagram-v2").unwrap();
    for row in rows {
        writeln!(say, "    {0}: {0} ({1})", row.code(), value(*row)).unwrap();
    }
    for step in S::STEPS {
        let label = match (step.kind, step.basis) {
            (Kind::Ordinary, Basis::Stated(_)) => "",
            (Kind::Ordinary, Basis::Assumed(_)) => ": assumed",
            (Kind::Late, Basis::Stated(_)) => ": late",
            (Kind::Late, Basis::Assumed(_)) => ": late, assumed",
        };
        writeln!(say, "    {} --> {}{label}", step.from.code(), step.to.code()).unwrap();
    }
    for row in rows.iter().filter(|row| row.phase().is_final()) {
        writeln!(say, "    {} --> [*]", row.code()).unwrap();
    }
    writeln!(say, "```\n").unwrap();
    writeln!(say, "| status | value | phase | terminal |\n|---|---:|---|---|").unwrap();
    for row in rows {
        let terminal = match (row.phase().is_final(), row.phase() == Phase::Succeeded) {
            (true, true) => "yes, success",
            (true, false) => "yes",
            (false, _) => "no",
        };
        writeln!(say, "| {} | {} | {} | {terminal} |", row.code(), value(*row), row.phase()).unwrap();
    }
    writeln!(say, "\n| from | to | step | how it is known |\n|---|---|---|---|").unwrap();
    for step in S::STEPS {
        let kind = match step.kind {
            Kind::Ordinary => "ordinary",
            Kind::Late => "late",
        };
        let basis = match step.basis {
            Basis::Stated(meaning) => format!("Stated: {meaning}"),
            Basis::Assumed(reason) => format!("Assumed: {reason}"),
        };
        writeln!(say, "| {} | {} | {kind} | {basis} |", step.from.code(), step.to.code()).unwrap();
    }
    text
}

#[test]
fn the_document_shows_the_steps_as_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lifecycle.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- begin: allscale -->\n", "<!-- end: allscale -->\n");
    let (head, rest) = document.split_once(begin).expect("the document has the mark where a section begins");
    let (_, tail) = rest.split_once(end).expect("the document has the mark where a section ends");
    let section = section("AllScale", &IntentStatus::ROWS, |row| row.value().to_string());
    let expected = format!("{head}{begin}{section}{end}{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected, "run it again with UPDATE_DOCS=1");
}
