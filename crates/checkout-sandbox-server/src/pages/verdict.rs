//! The verdict on the client, as the page of a world shows the verdict.

use maud::{Markup, html};

use super::form::encoded;
use super::parts;
use crate::verdict::{Finding, Verdict};

pub(super) fn section(verdict: &Verdict, base: &str) -> Markup {
    let looked_at = verdict.looked_at;
    let all = format!("{base}/_/worlds/{}/verdict", encoded(&verdict.world));
    html! {
        section {
            h2 { "Verdict on the client" }
            div data-live="verdict" data-testid="verdict" {
                @if verdict.findings.is_empty() {
                    p { "Nothing wrong was seen in " (looked_at.requests) " requests and " (looked_at.webhooks) " webhooks." }
                }
                (list("Findings", "finding", &verdict.findings))
                (list("Remarks", "remark", &verdict.remarks))
            }
            p class="soft" { a href=(all) data-testid="verdict-json" { "The whole verdict as JSON" } }
        }
    }
}

fn list(title: &str, kind: &str, findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            h3 { (title) }
            ul {
                @for finding in findings.iter().take(MOST_SHOWN) {
                    li data-testid=(kind) {
                        code { (finding.code) } " " (finding.sentence)
                        @if let Some(order) = &finding.order { " Order " (parts::short(order)) "." }
                    }
                }
            }
            @if findings.len() > MOST_SHOWN { p class="soft" { "And more." } }
        }
    }
}

const MOST_SHOWN: usize = 20;
