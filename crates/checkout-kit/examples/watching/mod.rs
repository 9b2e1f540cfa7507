//! Watching a checkout to the end with the library's own watch, and holding the last read to the order, for
//! every provider: four examples share this module.

pub(crate) mod ending;

pub(crate) use ending::Ending;

use checkout_kit::settlement::Order;
use checkout_kit::{
    BlockingTransport, CallError, Change, End, Moment, Phase, Verdict, Watch, Watchable, client::Provider,
};
use checkout_sandbox::VirtualClock;
use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

/// The output of the shop, and the clock.
pub(crate) struct Shop<'a> {
    clock: VirtualClock,
    out: &'a mut dyn Write,
    /// The time at which the watching began.
    began: Moment,
    /// True if the payer's browser comes back from a challenge.
    pub(crate) payer_returns: bool,
    /// The reason why the last read failed.
    failed: Option<String>,
}

/// A checkout and the order. Nothing else here knows the provider of the checkout.
pub(crate) struct Checkout<'c, E: Watchable> {
    pub(crate) watch: Watch<E>,
    /// The order that a read is compared with.
    pub(crate) order: &'c dyn Order<Payload = E>,
}

impl<'a> Shop<'a> {
    pub(crate) fn new(clock: VirtualClock, out: &'a mut dyn Write) -> Self {
        let began = clock.now();
        Self { clock, out, began, payer_returns: true, failed: None }
    }

    pub(crate) fn line(&mut self, head: &str, rest: impl Display) {
        // A reader of the output that went away is no matter for a payment.
        let _ = writeln!(self.out, "{head:<10} {rest}");
    }

    /// The time since the watching began.
    pub(crate) fn time(&self) -> String {
        let seconds = self.clock.now().saturating_since(self.began).as_secs();
        format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }

    /// Watches a checkout to the end, and reads it again after half an hour, an hour and a day: an open
    /// checkout can be paid by then, a refused checkout too, and a paid checkout can be contradicted. `on`
    /// gets every change.
    ///
    /// A shop does the later reads in jobs of their own, from the stored text: `Watch::stored`, and
    /// `Watch::restore_from`.
    pub(crate) fn settle<E: Watchable>(
        &mut self,
        transport: &dyn BlockingTransport,
        mut checkout: Checkout<'_, E>,
        on: &mut dyn FnMut(&mut Self, &Change<E>),
    ) -> (Ending, String) {
        self.began = self.clock.now();
        let mut known = self.look(transport, &mut checkout, false, on);
        for wait in [HALF_AN_HOUR, AN_HOUR, A_DAY] {
            // A checkout that a person has to look at waits for that person.
            if known.0 == Ending::Look {
                break;
            }
            self.clock.advance(wait);
            checkout.watch.resume(HALF_AN_HOUR);
            let paid = known.0 == Ending::Paid;
            let now = self.look(transport, &mut checkout, paid, on);
            // A look that shows nothing leaves the known ending.
            if now.0 != Ending::StillOpen || !paid {
                known = now;
            }
        }
        // The tracker does not remember that a person has to look: the shop stores that beside the tracker.
        let held = if known.0 == Ending::Look { ", held for a person" } else { "" };
        self.line("to store", format!("{}{held}", checkout.watch.tracker()));
        known
    }

    /// Watches until the watch ends or gives up, and returns the meaning for the order.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else is told is printed, and decides nothing"
    )]
    fn look<E: Watchable>(
        &mut self,
        transport: &dyn BlockingTransport,
        checkout: &mut Checkout<'_, E>,
        paid: bool,
        on: &mut dyn FnMut(&mut Self, &Change<E>),
    ) -> (Ending, String) {
        let (handle, clock) = (checkout.watch.handle(), self.clock.clone());
        let mut back_at = None;
        let mut unnamed = false;
        loop {
            // In production the sleep is `handle.pause(wait)`, and the page that the payer's browser comes
            // back to tells the handle so. Here the browser comes back while the watch sleeps.
            let change = checkout.watch.next_change_blocking(transport, |wait| {
                let back_in = back_at.map(|at: Moment| at.saturating_since(clock.now()));
                if let Some(back_in) = back_in.filter(|back_in| *back_in <= wait) {
                    back_at = None;
                    clock.advance(back_in);
                    handle.payer_returned();
                } else {
                    clock.advance(wait);
                }
            });
            self.tell(&change);
            on(self, &change);
            match change {
                Change::End(end) => {
                    let (ending, why) = means(end, unnamed, paid, checkout.order);
                    match ending {
                        Ending::Paid if !paid => self.line(&self.time(), "settled: the goods leave"),
                        Ending::StillOpen if !paid => {
                            self.line(&self.time(), "not ended yet: looked at again later")
                        }
                        _ => {}
                    }
                    return (ending, why);
                }
                Change::AskPayer { .. } if self.payer_returns => {
                    back_at = Some(clock.now().saturating_add(BACK_AFTER));
                }
                // After an end nobody can say what an unknown status means.
                Change::Attention { verdict: Verdict::Unknown(_), tracker } => unnamed |= tracker.is_final(),
                _ => {}
            }
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "whatever else is told is printed")]
    fn tell<E: Watchable>(&mut self, change: &Change<E>) {
        let time = self.time();
        match change {
            Change::Phase { phase, status, .. } => {
                self.line(&time, format!("{:<24} {phase}", status_name(*status)))
            }
            Change::Attention { verdict, .. } => self.line(&time, format!("{verdict}  <- tell somebody")),
            // A repeated failure is printed once.
            Change::NotRead { error, .. } => {
                let said = whole(&**error);
                let what = said.split(" (request id").next().unwrap_or_default().to_owned();
                if self.failed.replace(what.clone()) != Some(what) {
                    self.line(&time, said);
                }
                return;
            }
            Change::AskPayer { .. } => self.line(&time, "the payer has to act"),
            Change::End(_) => {}
            #[allow(unreachable_patterns, reason = "a watch can learn to tell more")]
            more => self.line(&time, format!("{more:?}")),
        }
        self.failed = None;
    }
}

/// The provider's own name of a status.
fn status_name<S: checkout_kit::lifecycle::Status>(status: S) -> &'static str {
    status.code()
}

/// The meaning of an end for the order. The order of the questions matters: goods leave at the last of them.
///
/// `unnamed` is true if a status that nobody has named came after an end; `paid`, if the order is settled
/// already.
fn means<E: Watchable>(
    end: End<E>,
    unnamed: bool,
    paid: bool,
    order: &dyn Order<Payload = E>,
) -> (Ending, String) {
    // 1. Does a person have to look?
    if end.has_conflict() || unnamed {
        return (Ending::Look, "the provider contradicts itself, or somebody else answers".into());
    }
    if end.wants_attention() {
        return (
            Ending::Look,
            "paid after the order was given up: ship it after all, or give it back".into(),
        );
    }
    // 2. Has it ended?
    let (answer, phase) = match end {
        End::Ended { answer, phase, .. } => (answer, phase),
        End::GaveUp { tracker, error, .. } => {
            let why = error.map_or_else(String::new, |error| format!(": {}", whole(&*error)));
            return match tracker.phase() {
                Some(phase) if phase.is_final() && !paid => {
                    (Ending::Look, format!("{phase} by its status alone, and no read shows it{why}"))
                }
                Some(phase) => (Ending::StillOpen, format!("still open ({phase})")),
                None => (Ending::StillOpen, format!("nothing is known of it{why}")),
            };
        }
    };
    if let Phase::Failed(_) = phase {
        return (Ending::NotPaid, format!("not paid ({phase})"));
    }
    if phase != Phase::Succeeded {
        // The amount is reserved, and somebody has to capture the amount; or the payment was reversed.
        return (Ending::Look, phase.to_string());
    }
    // 3. Does the read settle the order?
    match order.settled_by(&answer.into_read()) {
        settlement if settlement.is_settled() => (Ending::Paid, "paid".into()),
        settlement => (Ending::Look, settlement.to_string()),
    }
}

/// The reason why a checkout was not begun. The checkout may be there all the same; then the text says so.
pub(crate) fn not_begun<P: Provider>(error: &CallError<P>) -> String {
    let all_the_same = if error.may_have_been_processed() { " (it may be there all the same)" } else { "" };
    format!("{}{all_the_same}", whole(error))
}

/// An error with the causes.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

/// The time for which the payer's browser is away. (The sandbox's payer has passed the challenge by then.)
const BACK_AFTER: Duration = Duration::from_secs(31);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
const AN_HOUR: Duration = Duration::from_secs(60 * 60);
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
