//! The parts that several pages show: a status, a time, the buttons of a checkout.

use std::time::Duration;

use checkout_tables::Moment;
use maud::{Markup, html};

use super::form::encoded;
use super::view::{Provider, Status, Tone, Whole, Whose};
use crate::clock::Pace;

/// A status with its code. The words tell what the color tells.
pub(super) fn badge(status: &Status) -> Markup {
    let class = match status.tone {
        Tone::Open => "badge open",
        Tone::Waiting => "badge waiting",
        Tone::Paid => "badge paid",
        Tone::Over => "badge over",
    };
    html! { span class=(class) { (status.words) } }
}

/// The path of a payer's page.
pub(super) fn pay_path(base: &str, world: &str, provider: Provider, id: &str) -> String {
    format!("{base}/_/pay/{}/{}/{}", encoded(world), provider.key(), encoded(id))
}

/// The path of a checkout's page on the dashboard.
pub(super) fn checkout_path(base: &str, world: &str, provider: Provider, id: &str) -> String {
    format!("{base}/_/board/{}/{}/{}", encoded(world), provider.key(), encoded(id))
}

/// A form for each act that is possible now. `from` is the page that the browser comes back to.
pub(super) fn buttons(path: &str, whole: &Whole, whose: Whose, from: &str) -> Markup {
    let chosen: Vec<_> = whole.buttons.iter().filter(|button| button.whose == whose).collect();
    html! {
        div class="acts" {
            @for (number, button) in chosen.iter().enumerate() {
                form method="post" action=(path) {
                    input type="hidden" name="act" value=(button.act);
                    input type="hidden" name="from" value=(from);
                    @let first = number == 0 && whose == Whose::Payer;
                    button class=[first.then_some("first")] data-testid=(format!("act-{}", button.act)) {
                        (button.label)
                    }
                }
            }
        }
    }
}

/// The form for a part of the amount.
pub(super) fn part_form(path: &str, from: &str) -> Markup {
    html! {
        form class="line" method="post" action=(path) {
            input type="hidden" name="act" value="pay-part";
            input type="hidden" name="from" value=(from);
            div {
                label for="permille" { "Thousandths of the amount" }
                input id="permille" name="permille" type="number" min="1" max="100000" value="999" required
                    data-testid="permille";
            }
            button data-testid="act-pay-part" { "Pay this part" }
        }
    }
}

/// A moment in UTC.
pub(super) fn time(moment: Moment) -> Markup {
    let text = utc(moment);
    html! { time datetime=(text.replace(' ', "T").replace("TUTC", "Z")) { (text) } }
}

/// The pace of a clock in words.
pub(super) fn pace(pace: Pace) -> String {
    match pace {
        Pace::Real => "runs at the machine's pace".to_owned(),
        Pace::Frozen => "stands still".to_owned(),
        Pace::Times(times) => format!("runs at {times} times the machine's pace"),
    }
}

/// A time span in its largest unit.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A text that takes its place in a row: the beginning alone of a long text.
pub(super) fn short(text: &str) -> String {
    let begin: String = text.chars().take(MOST_SHOWN).collect();
    if begin.len() == text.len() { begin } else { format!("{begin}\u{2026}") }
}

/// `2027-01-15 08:00:00 UTC`.
pub(super) fn utc(moment: Moment) -> String {
    let text = moment.to_string();
    let seconds = text.split_once('.').map_or(&*text, |(seconds, _)| seconds);
    format!("{} UTC", seconds.replace('T', " "))
}

const MOST_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_utc() {
        // From `date -u`.
        let table = [
            (0, "1970-01-01 00:00:00 UTC"),
            (784_111_777, "1994-11-06 08:49:37 UTC"),
            (1_709_164_800, "2024-02-29 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ];
        for (seconds, expected) in table {
            assert_eq!(utc(Moment::from_unix_seconds(seconds)), expected);
        }
    }

    #[test]
    fn a_span_and_a_long_text_are_short() {
        let table = [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d")];
        for (seconds, expected) in table {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(short("order"), "order");
        assert_eq!(short(&"\u{e4}".repeat(61)), format!("{}\u{2026}", "\u{e4}".repeat(60)));
    }
}
