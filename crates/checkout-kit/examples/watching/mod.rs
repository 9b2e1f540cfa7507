//! Watching a checkout to its end, whoever the provider is: three examples share it.

use checkout_kit::Reply;
use checkout_kit::{BlockingTransport, Call, Observable, Observation, Phase, Received, Tracker, Verdict};
use checkout_sandbox::VirtualClock;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::Write;
use std::time::Duration;

/// How it ended. The number is the exit code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The money has come.
    Paid = 0,
    /// It ended without the money, or was never begun.
    NotPaid = 1,
    /// The arguments are none that the program takes.
    Usage = 2,
    /// Nobody has paid and nothing has ended: look again later.
    StillOpen = 3,
    /// A person has to look before anything else happens.
    Look = 4,
}

/// Where it is said, and by which clock.
pub(super) struct Shop<'a> {
    pub(super) clock: VirtualClock,
    pub(super) out: &'a mut dyn Write,
}

impl Shop<'_> {
    pub(super) fn line(&mut self, head: &str, rest: impl Display) {
        // A reader of the output that went away is no matter for a payment.
        let _ = writeln!(self.out, "{head:<10} {rest}");
    }

    /// Asks until the checkout has ended: as often as the answers say while the payer is at it, then every five minutes,
    /// and after a refusal too, since money can come late. When it has succeeded, once more on the next day.
    ///
    /// Nothing here knows whose checkout it is. `begun` is what beginning it has told already, and `on` hears of
    /// every question and every answer: what the payer has to be shown stands in those, with whatever status.
    pub(super) fn watch<T: Observable>(
        &mut self,
        transport: &dyn BlockingTransport,
        call: &Call<T>,
        begun: Option<Received<T>>,
        on: &mut dyn FnMut(&mut Self, Event<'_, T>),
    ) -> (Tracker<T::Status>, Ending) {
        let began = self.clock.now_millis();
        let mut watch = Watch::<T> { tracker: Tracker::new(), last: None, held: false };
        let mut wait = T::POLL_EVERY;
        if let Some(received) = begun {
            wait = self.take(&mut watch, began, &received, on);
        }
        while !watch.succeeded() && self.since(began) < GIVE_UP {
            let payer_is_at_it = !watch.tracker.is_final() && self.since(began) < AT_IT;
            self.clock.advance(if payer_is_at_it { wait } else { SPARSE });
            wait = self.ask(&mut watch, began, transport, call, on);
        }
        if watch.succeeded() {
            self.clock.advance(NEXT_DAY);
            self.ask(&mut watch, began, transport, call, on);
        }
        let ending = watch.ending();
        let held = if ending == Ending::Look { ", held for a person" } else { "" };
        self.line("to store", format!("{}{held}", watch.tracker));
        (watch.tracker, ending)
    }

    fn ask<T: Observable>(
        &mut self,
        watch: &mut Watch<T>,
        began: u64,
        transport: &dyn BlockingTransport,
        call: &Call<T>,
        on: &mut dyn FnMut(&mut Self, Event<'_, T>),
    ) -> Duration {
        on(self, Event::Asking);
        match call.send_blocking(transport) {
            Ok(received) => self.take(watch, began, &received, on),
            // A read is safe to repeat, so it is, at its next turn.
            Err(error) => {
                self.line(&clock_time(self.since(began)), whole(&error));
                T::POLL_EVERY
            }
        }
    }

    /// Takes an answer in, and gives when to ask again.
    fn take<T: Observable>(
        &mut self,
        watch: &mut Watch<T>,
        began: u64,
        received: &Received<T>,
        on: &mut dyn FnMut(&mut Self, Event<'_, T>),
    ) -> Duration {
        let at = clock_time(self.since(began));
        match &received.reply {
            Reply::Done(answer) => {
                if let Some(news) = received.observation().and_then(|observation| watch.observe(observation))
                {
                    self.line(&at, news);
                }
                on(self, Event::Answered(&answer.payload));
            }
            Reply::Refused(refusal) => self.line(&at, refusal),
            Reply::NotTheApi(other) => self.line(&at, other),
        }
        received.poll_after()
    }

    fn since(&self, began: u64) -> Duration {
        Duration::from_millis(self.clock.now_millis() - began)
    }
}

/// What happens while a checkout is watched.
pub(super) enum Event<'e, T> {
    /// It is about to be asked after.
    Asking,
    /// It was answered.
    Answered(&'e T),
}

/// What is known, and what of it was told last.
struct Watch<T: Observable> {
    tracker: Tracker<T::Status>,
    last: Option<String>,
    /// Whether somebody has to look: the tracker does not remember that.
    held: bool,
}

impl<T: Observable> Watch<T> {
    /// Takes an observation in, and gives what is to be said of it if it is news.
    fn observe(&mut self, observation: Observation<T::Status, T::Raw>) -> Option<String> {
        let name = observation.status().to_string();
        let verdict = self.tracker.observe(observation);
        // A contradiction, or something that nobody has named after an end.
        let ended = self.tracker.is_final();
        self.held |= match verdict {
            Verdict::Conflict { .. } => true,
            Verdict::Unknown(_) => ended,
            Verdict::First | Verdict::Unchanged | Verdict::Advanced { .. } | Verdict::Stale { .. } => false,
            Verdict::Unexpected { .. } | Verdict::Reopened { .. } | Verdict::LateSuccess { .. } => false,
        };
        let phase = self.tracker.phase().map_or_else(String::new, |phase| phase.to_string());
        let mark = if verdict.wants_attention() { "  <- tell somebody" } else { "" };
        if matches!(verdict, Verdict::Unchanged) {
            return None;
        }
        // Of an unknown status the verdict says the value too, which stands before it already.
        let said = verdict.to_string();
        let said = said.split(':').next().unwrap_or_default();
        let news = format!("{name:<24} {said:<12} {phase}{mark}");
        (self.last.replace(news.clone()) != Some(news.clone())).then_some(news)
    }

    fn succeeded(&self) -> bool {
        matches!(self.tracker.phase(), Some(Phase::Succeeded | Phase::Authorized))
    }

    fn ending(&self) -> Ending {
        match self.tracker.phase() {
            _ if self.held => Ending::Look,
            // It may have been given up in between: ship it after all, or give the money back.
            Some(Phase::Succeeded) if self.tracker.superseded().is_some() => Ending::Look,
            Some(Phase::Succeeded) => Ending::Paid,
            // The amount is reserved, and somebody has to take it.
            Some(Phase::Authorized | Phase::Reversed) => Ending::Look,
            Some(Phase::Failed(_)) => Ending::NotPaid,
            Some(_) | None => Ending::StillOpen,
        }
    }
}

/// Why a checkout was not begun, as far as we know.
#[derive(Debug)]
pub(super) struct NotBegun {
    pub(super) may_have_been_done: bool,
    said: String,
}

impl Display for NotBegun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all_the_same = if self.may_have_been_done { " (it may be there all the same)" } else { "" };
        write!(f, "{}{all_the_same}", self.said)
    }
}

impl Error for NotBegun {}

/// The answer to a call, or why there is none.
pub(super) fn begin<T: checkout_kit::Readable>(
    call: &Call<T>,
    transport: &dyn BlockingTransport,
) -> Result<Received<T>, NotBegun> {
    let received = call
        .send_blocking(transport)
        .map_err(|error| NotBegun { may_have_been_done: error.may_have_been_done(), said: whole(&error) })?;
    if let Reply::Done(_) = &received.reply {
        return Ok(received);
    }
    Err(match received.into_answer() {
        Ok(_) => NotBegun { may_have_been_done: true, said: "done".into() },
        Err(error) => NotBegun { may_have_been_done: error.may_have_been_done(), said: whole(&error) },
    })
}

/// What the program says of its arguments.
pub(super) fn usage(out: &mut dyn Write, program: &str, names: &[&str], ending: Ending) -> u8 {
    let arguments = if names.is_empty() { "" } else { " [--scenario NAME | --list]" };
    let _ = writeln!(out, "usage: {program}{arguments}");
    for name in names {
        let _ = writeln!(out, "  {name}");
    }
    ending as u8
}

/// An error with what caused it.
fn whole(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

fn clock_time(since: Duration) -> String {
    let seconds = since.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// How long the payer is likely to be at it.
const AT_IT: Duration = Duration::from_secs(15 * 60);
const SPARSE: Duration = Duration::from_secs(5 * 60);
/// How long late money is looked for.
const GIVE_UP: Duration = Duration::from_secs(3 * 60 * 60);
const NEXT_DAY: Duration = Duration::from_secs(24 * 60 * 60);
