//! A request, its answer and the reason of a refusal, as several pages show the three.

use checkout_tables::Moment;
use maud::{Markup, html};

use super::form::encoded;
use super::parts;
use crate::mask::Body;
use crate::shown::{Answer, Shown};
use crate::traffic::Arrived;
use crate::why::{Finding, Signature, Why};

/// The path of a request's page.
pub(super) fn request_path(base: &str, world: &str, number: u64) -> String {
    format!("{base}/_/board/{}/requests/{number}", encoded(world))
}

/// The answer in a few words: the status, and the part that arrived.
pub(super) fn outcome(shown: &Shown) -> Markup {
    let status = shown.answer.as_ref().map(|answer| answer.status);
    let class = match (shown.arrived, status) {
        (Arrived::Answer, Some(..400)) => "badge paid",
        (Arrived::Answer, _) => "badge over",
        _ => "badge waiting",
    };
    let words = match shown.arrived {
        Arrived::Answer => status.map_or_else(String::new, |status| status.to_string()),
        Arrived::RequestAlone => "answer lost".to_owned(),
        Arrived::Nothing | Arrived::NothingForSure => "request lost".to_owned(),
    };
    html! {
        span class=(class) { (words) }
        @if let Some(fault) = &shown.fault { " " span class="badge waiting" { "fault " (fault) } }
    }
}

/// The method, the path and the query, cut short.
pub(super) fn line(shown: &Shown) -> Markup {
    let query = shown.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    html! { code { (shown.method) " " (parts::short(&format!("{}{query}", shown.path))) } }
}

/// The headers and a body. `most` is the number of characters of the body that are shown.
pub(super) fn message(headers: &[(String, String)], body: &Body, most: usize) -> Markup {
    html! {
        @if !headers.is_empty() {
            @let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            pre { (cut(&lines, most)) }
        }
        (content(body, most))
    }
}

/// A body, of which `most` characters are shown.
pub(super) fn content(body: &Body, most: usize) -> Markup {
    html! {
        @match body {
            Body::Empty => p class="soft" { "No body." },
            Body::Bytes(length) => p { (length) " bytes that are no text." },
            Body::Text(text) => {
                pre { (cut(text, most)) }
            },
        }
    }
}

/// The answer, or a sentence that there is none.
pub(super) fn answer(answer: Option<&Answer>, most: usize) -> Markup {
    match answer {
        Some(answer) => html! {
            p { "Status " (answer.status) }
            (message(&answer.headers, &answer.body, most))
        },
        None => html! { p { "No answer: the request did not arrive." } },
    }
}

/// The reason of a refusal.
pub(super) fn why(why: &Why) -> Markup {
    html! {
        div data-testid="why" {
            ul { @for sentence in &why.sentences { li { (sentence) } } }
            @if let Some(signature) = &why.signature { (signed(signature)) }
        }
    }
}

fn signed(signature: &Signature) -> Markup {
    let mistake = if let Finding::Mistake(mistake) = &signature.finding { Some(mistake) } else { None };
    let signed = mistake.and_then(|mistake| mistake.signed.as_ref());
    html! {
        p data-testid="signature" { (signature.sentence()) }
        p class="soft" { "The text that was to be signed:" }
        pre data-testid="text-to-sign" { (cut(&signature.text, MOST_SIGNED)) }
        @if let Some((text, difference)) = signed {
            p class="soft" { "The text that was signed:" }
            pre data-testid="signed-text" { (cut(text, MOST_SIGNED)) }
            p {
                "The first difference is in line " (difference.line) " at character " (difference.column) ":"
            }
            dl {
                dt { "Right" } dd { code { (visible(&difference.right)) } }
                dt { "Signed" } dd { code { (visible(&difference.signed)) } }
            }
        }
    }
}

/// The beginning of a text: `most` characters, and a sign if there are more.
pub(super) fn cut(text: &str, most: usize) -> String {
    let begin: String = text.chars().take(most).collect();
    if begin.len() == text.len() { begin } else { format!("{begin}\u{2026}") }
}

/// The most characters of a signed text that a page shows.
const MOST_SIGNED: usize = 1_500;

/// A text in which line ends can be seen.
fn visible(text: &str) -> String {
    if text.is_empty() { "(the end)".to_owned() } else { text.replace('\r', "\\r").replace('\n', "\\n") }
}

/// The time with milliseconds, which tell two requests apart.
pub(super) fn exact_time(moment: Moment) -> Markup {
    html! { (parts::time(moment)) " " span class="soft" { "+" (moment.unix_millis().rem_euclid(1_000)) " ms" } }
}
