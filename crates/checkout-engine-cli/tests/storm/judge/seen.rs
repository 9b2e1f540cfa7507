//! The things that the storm has seen, and the excuses that follow from them.

use super::super::log::{Asked, Create, Mark};
use super::super::weather::{LEASE, Weather};
use checkout_tables::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// No process stands still for longer, and it has noticed all that was meanwhile.
pub(super) const LONGEST_STOP: Duration = Duration::from_secs(6);

/// Errors by kind, with the number and the first text.
type Errors = BTreeMap<String, (u64, String)>;

/// A trouble of the database: the moments of the world from which and until which it was.
type Troubled = (Moment, Moment);

/// The things that the storm itself has seen.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// The errors of the processes while the database was well.
    pub(crate) errors: Errors,
    /// The errors of the processes while the database was in trouble.
    pub(crate) in_trouble: Errors,
    /// The processes that ended by themselves.
    pub(crate) ended: Vec<String>,
    /// The processes that went on after a stop, and the moments.
    pub(crate) woken: Vec<(u32, Moment)>,
    /// The processes that were killed or stopped, and the moments.
    pub(crate) silenced: Vec<(u32, Moment)>,
    /// The requests whose answers have asked a process to wait, or did not come.
    pub(crate) asked: Vec<Asked>,
    /// The looks that found an engine's connection idle in a transaction.
    pub(crate) idle: u64,
    /// The looks that found two pieces of work of one checkout.
    pub(crate) doubled: u64,
    /// The looks that saw connections of engines. None where there is no server to look at.
    pub(crate) looks_a_second: Option<u64>,
    /// The troubles of the database, each until every process has noticed that it is over.
    pub(crate) troubles: Vec<Troubled>,
    /// The creates that the processes were about to make. None where nobody has taken notes: then each create
    /// may have had bad luck.
    pub(crate) creates: Option<Vec<Create>>,
    /// The processes that were stopped for longer than a lease.
    pub(crate) stops: u64,
    /// The writes that came too late, and changed nothing.
    pub(crate) lost: u64,
    /// The lease, as the world counts it.
    pub(crate) lease: Duration,
}

impl Seen {
    /// The references of the orders whose creates had bad luck, so that the process had no answer or could
    /// not save the answer: the process was killed or stopped, the provider gave no answer, the database was
    /// in trouble, or all was so slow that the lease did not allow for it. None where nobody has taken notes.
    pub(super) fn unlucky(&self) -> Option<BTreeSet<&str>> {
        let mut silenced: BTreeMap<u32, Vec<Moment>> = BTreeMap::new();
        self.silenced.iter().for_each(|(process, at)| silenced.entry(*process).or_default().push(*at));
        let is_bad = |create: &&Create| {
            let within = |from: Moment, to: Moment| {
                to >= create.began && create.ended.is_none_or(|ended| from <= ended)
            };
            let is_slow = |ended: Moment| ended.saturating_since(create.began) > self.lease / 3;
            create.has_fault
                || create.ended.is_some_and(is_slow)
                || silenced.get(&create.process).into_iter().flatten().any(|at| within(*at, *at))
                || self.troubles.iter().any(|(from, to)| within(*from, *to))
        };
        let bad = self.creates.as_ref()?.iter().filter(is_bad);
        Some(bad.map(|create| create.reference.as_str()).collect())
    }

    /// True if a process has an error at a moment because the database was in trouble. A process that stands
    /// still notices a trouble when it goes on.
    pub(super) fn is_in_trouble(&self, process: u32, at: Moment, longest_stop: Duration) -> bool {
        let stops = self.silenced.iter().filter(|(stopped, _)| *stopped == process);
        let mut stops = stops.map(|(_, since)| (*since, since.saturating_add(longest_stop)));
        let troubles = &self.troubles;
        troubles.iter().any(|(from, to)| (*from..=*to).contains(&at))
            || stops.any(|(since, until)| {
                let meanwhile = troubles.iter().any(|(from, to)| since <= *to && *from <= until);
                meanwhile && (since..=until).contains(&at)
            })
    }

    /// The most claims of one checkout that have ended without a write between two moments: each of them
    /// needs a process that was killed or stopped, or a database in trouble.
    pub(super) fn interruptions(&self, from: Moment, to: Moment) -> u32 {
        let silenced = self.silenced.iter().filter(|(_, at)| (from..=to).contains(at)).count();
        let of_trouble = |(began, ended): &Troubled| {
            let leases = ended.saturating_since(*began).as_millis() / self.lease.as_millis().max(1);
            usize::try_from(leases).unwrap_or(usize::MAX).saturating_add(1)
        };
        let troubles = self.troubles.iter().filter(|(began, ended)| *began <= to && *ended >= from);
        let all = troubles.map(of_trouble).fold(silenced, usize::saturating_add);
        u32::try_from(all).unwrap_or(u32::MAX)
    }
}

/// A request of a finding, as the sandbox's log has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The world's time at which the request came.
    pub(super) at: Moment,
    /// The sender. None if the sandbox has forgotten the request.
    pub(super) by: Option<Mark>,
}

/// Times of the machine, as the world counts them.
pub(super) struct Spans {
    /// A request that comes so soon after another one was under way already.
    pub(super) under_way: Duration,
    /// The first thing that a process does after a stop.
    pub(super) first_thing: Duration,
    /// The time of an answer's way, and of the write that follows from the answer.
    pub(super) to_tell: Duration,
    /// No process waits longer for an answer.
    pub(super) patience: Duration,
}

impl Spans {
    pub(super) fn of(weather: &Weather) -> Self {
        let of = |millis| weather.in_the_world(Duration::from_millis(millis));
        Self {
            under_way: of(500),
            first_thing: of(250),
            to_tell: of(weather.latency.saturating_add(250)),
            patience: weather.in_the_world(LEASE / 3).saturating_add(of(250)),
        }
    }
}

impl Seen {
    /// True for a finding that no engine can avoid:
    ///
    /// - A request that was under way cannot know of a wait yet: the storm's processes are slow, and the
    ///   world's time is fast.
    /// - A process that stands still in the middle of a send goes on sending, after others have taken its
    ///   work over. A request of such a finding is the first thing that this very process did after its stop.
    /// - The very process that was asked to wait was killed or stopped before it could tell the others, or
    ///   the answer did not come.
    /// - Work that was quarantined after a webhook is read when a person has released the checkout.
    pub(super) fn excuses(&self, spans: &Spans, code: &str, requests: &[Sent], is_put_aside: bool) -> bool {
        match (code, requests) {
            ("retry-after-ignored", [first, second]) => {
                second.at.saturating_since(first.at) < spans.under_way
                    || self.is_late(spans, second)
                    || self.is_untold(spans, first)
            }
            ("over-limit", requests) => requests.iter().any(|request| self.is_late(spans, request)),
            ("webhook-without-read", _) => is_put_aside,
            _ => false,
        }
    }

    /// True if the request is the first thing that its sender did after a stop.
    fn is_late(&self, spans: &Spans, request: &Sent) -> bool {
        let Some(mark) = request.by else { return false };
        let mut woken = self.woken.iter().filter(|(process, _)| *process == mark.process);
        woken.any(|(_, at)| *at <= request.at && request.at.saturating_since(*at) < spans.first_thing)
    }

    /// True if the process that the answer to a request has asked to wait, could tell nobody.
    fn is_untold(&self, spans: &Spans, request: &Sent) -> bool {
        let Some(mark) = request.by else { return false };
        let silenced = self.silenced.iter().filter(|(process, _)| *process == mark.process);
        let mut silenced = silenced.map(|(_, at)| *at);
        match self.asked.iter().find(|asked| asked.mark == mark) {
            Some(asked) => {
                let is_within =
                    |at: Moment| at >= asked.sent && at.saturating_since(asked.came) < spans.to_tell;
                !asked.has_answer || silenced.any(is_within)
            }
            // Without a note, the process has ended before the answer came. The request may have been on its
            // way when the process ended.
            None => silenced.any(|at| {
                request.at.saturating_since(at) < spans.under_way
                    && at.saturating_since(request.at) < spans.patience
            }),
        }
    }
}
