//! The statuses of a provider, with those that a checkout has passed and the present one.

use maud::{Markup, html};

use super::parts;
use super::view::{Provider, Status, Tone, Whole};
use super::{allscale, azotte, peach};

/// The diagram of a checkout. Words tell what the frames tell.
pub(super) fn diagram(provider: Provider, whole: &Whole) -> Markup {
    let mut all = match provider {
        Provider::AllScale => allscale::lifecycle(),
        Provider::Azotte => azotte::lifecycle(),
        Provider::Peach => peach::lifecycle(),
    };
    for (_, status) in &whole.history {
        if !all.contains(status) {
            all.push(status.clone());
        }
    }
    let groups: [(&str, &[Tone]); 3] = [
        ("On the way", &[Tone::Open, Tone::Waiting]),
        ("Paid", &[Tone::Paid]),
        ("Over without a payment", &[Tone::Over]),
    ];
    html! {
        section data-live="lifecycle" {
            h2 { "Lifecycle" }
            div class="life" data-testid="lifecycle" {
                @for (title, tones) in groups {
                    div {
                        h3 { (title) }
                        ul { @for status in all.iter().filter(|status| tones.contains(&status.tone)) { (state(status, whole)) } }
                    }
                }
            }
        }
    }
}

fn state(status: &Status, whole: &Whole) -> Markup {
    let steps = whole.history.iter().enumerate();
    let steps: Vec<String> =
        steps.filter(|(_, (_, known))| known == status).map(|(at, _)| (at + 1).to_string()).collect();
    let is_now = *status == whole.row.status;
    let class = if is_now { Some("now") } else { (!steps.is_empty()).then_some("passed") };
    html! {
        li class=[class] aria-current=[is_now.then_some("step")] {
            (parts::badge(status)) " " code { (status.code) }
            @if !steps.is_empty() {
                " " span class="soft" { (if is_now { "now, step " } else { "passed, step " }) (steps.join(", ")) }
            }
        }
    }
}
