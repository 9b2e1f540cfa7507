//! The requests of a world, with the answers: a log of the latest, for people and for judgments.
//!
//! The log has everything that a request and its answer hold, but for the data of a card. Whoever shows an
//! entry leaves keys, tokens and signatures out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{HeaderMap, Method};
use checkout_transport::{Delivery, Response};

use crate::clock::Pace;
use crate::place::Api;

/// The requests of a world from one reset to the next: the latest 10,000, and at most 32 MiB.
#[derive(Clone, Default)]
pub(crate) struct Traffic {
    entries: VecDeque<Arc<Entry>>,
    /// The number of the latest entry. The first entry has the number 1.
    last: u64,
    /// The bytes of all entries that are kept.
    kept: usize,
    /// The numbers of the entries about a checkout, by the checkout's id.
    by_checkout: HashMap<Arc<str>, VecDeque<u64>>,
    /// The latest changes of the clock by hand.
    steps: VecDeque<Step>,
}

/// A change of the world's clock by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    /// The pace from then on.
    pub(crate) pace: Pace,
    /// The number of the latest request before the change.
    pub(crate) after: u64,
}

/// A request and the answer.
pub(crate) struct Entry {
    pub(crate) number: u64,
    /// The world's time at which the request came.
    pub(crate) at: Moment,
    /// The milliseconds by which the provider's own clock was ahead of the world's time.
    pub(crate) skew_ms: i64,
    /// The machine's time that the answer took.
    pub(crate) took: Duration,
    pub(crate) api: Api,
    pub(crate) method: Method,
    /// The path that the provider sees, without a prefix of the server's.
    pub(crate) path: String,
    /// The prefix that the request had in front of the path. Empty if the request had none.
    pub(crate) prefix: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    /// The request's body without the data of a card.
    pub(crate) body: Bytes,
    /// The name of the route in the provider's table. `None` if the provider has no such route.
    pub(crate) route: Option<String>,
    /// The checkout that the request has made or read.
    pub(crate) checkout: Option<Arc<str>>,
    /// The checkout in the path of a request that was refused or lost.
    pub(crate) named: Option<Arc<str>>,
    pub(crate) order: Option<String>,
    /// The number of statuses that the checkout had after the request.
    pub(crate) statuses: usize,
    /// The name of the fault that struck.
    pub(crate) fault: Option<String>,
    /// The answer that the sandbox sent. `None` if the request did not arrive.
    pub(crate) answer: Option<Response>,
    /// The part that reached the client.
    pub(crate) arrived: Arrived,
}

/// The part of an exchange that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// The client has the answer.
    Answer,
    /// The sandbox has done its work, and the client cannot know.
    RequestAlone,
    /// The sandbox has not seen the request, and the client cannot know.
    Nothing,
    /// The sandbox has not seen the request, and the client knows.
    NothingForSure,
}

impl Arrived {
    /// The arrival, if the sandbox has an answer, and if the client has an error with this delivery.
    pub(crate) fn of(has_answer: bool, delivery: Option<Delivery>) -> Self {
        match (has_answer, delivery) {
            (_, None) => Self::Answer,
            (true, Some(_)) => Self::RequestAlone,
            (false, Some(Delivery::NotSent)) => Self::NothingForSure,
            (false, Some(_)) => Self::Nothing,
        }
    }
}

impl Traffic {
    /// Keeps an entry. `entry` gets the entry's number.
    pub(crate) fn add(&mut self, entry: impl FnOnce(u64) -> Entry) {
        self.last += 1;
        let entry = Arc::new(entry(self.last));
        self.kept += entry.size();
        if let Some(checkout) = entry.about() {
            self.by_checkout.entry(Arc::clone(checkout)).or_default().push_back(entry.number);
        }
        self.entries.push_back(entry);
        while self.entries.len() > MOST_ENTRIES || self.kept > MOST_BYTES {
            if !self.forget_oldest() {
                return;
            }
        }
    }

    /// The entries, the oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// The entry with this number.
    pub(crate) fn numbered(&self, number: u64) -> Option<&Arc<Entry>> {
        let first = self.entries.front()?.number;
        self.entries.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The entries about a checkout, the oldest first.
    pub(crate) fn about(&self, checkout: &str) -> impl Iterator<Item = &Arc<Entry>> {
        let numbers = self.by_checkout.get(checkout).into_iter().flatten();
        numbers.filter_map(|number| self.numbered(*number))
    }

    /// The number of the latest entry, kept or not.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Keeps a change of the clock.
    pub(crate) fn note_step(&mut self, step: Step) {
        self.steps.push_back(step);
        if self.steps.len() > MOST_STEPS {
            self.steps.pop_front();
        }
    }

    /// The changes of the clock, the oldest first.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter()
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else { return false };
        self.kept -= entry.size();
        if let Some(checkout) = entry.about()
            && let Some(numbers) = self.by_checkout.get_mut(&**checkout)
        {
            // The oldest entry of all is the oldest entry about its checkout.
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_checkout.remove(checkout);
            }
        }
        true
    }
}

impl Entry {
    /// The bytes of the bodies, the headers, the path and the query.
    fn size(&self) -> usize {
        let of_headers = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
        };
        let answer = self.answer.as_ref();
        let answer = answer.map_or(0, |answer| of_headers(answer.headers()) + answer.body().len());
        let target = self.path.len() + self.query.as_ref().map_or(0, String::len);
        target + of_headers(&self.headers) + self.body.len() + answer
    }

    /// The checkout that the request is about, though the request was refused or lost.
    pub(crate) fn about(&self) -> Option<&Arc<str>> {
        self.checkout.as_ref().or(self.named.as_ref())
    }

    /// The status of the answer that the sandbox sent.
    pub(crate) fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status().as_u16())
    }
}

/// The most entries that a world keeps.
const MOST_ENTRIES: usize = 10_000;

/// The most changes of the clock that a world keeps.
const MOST_STEPS: usize = 1_000;

/// The most bytes of requests and answers that a world keeps: 32 MiB.
const MOST_BYTES: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_transport::http::{HeaderName, HeaderValue, Request};

    fn entry(number: u64, checkout: &str, body: usize) -> Entry {
        let (head, ()) = Request::new(()).into_parts();
        Entry {
            number,
            at: Moment::from_unix_millis(0),
            skew_ms: 0,
            took: Duration::ZERO,
            api: Api::AllScale,
            method: head.method,
            path: String::new(),
            prefix: String::new(),
            query: None,
            headers: head.headers,
            body: Bytes::from(vec![b' '; body]),
            route: None,
            checkout: Some(checkout.into()),
            named: None,
            order: None,
            statuses: 0,
            fault: None,
            answer: None,
            arrived: Arrived::Nothing,
        }
    }

    fn numbers<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>) -> Vec<u64> {
        entries.map(|entry| entry.number).collect()
    }

    #[test]
    fn the_latest_entries_are_kept_and_found() {
        let mut traffic = Traffic::default();
        for round in 1..=10_500_u64 {
            let checkout = if round.is_multiple_of(100) { "rare" } else { "often" };
            traffic.add(|number| entry(number, checkout, 0));
        }
        assert_eq!(numbers(traffic.all()), (501..=10_500).collect::<Vec<_>>());
        let rare: Vec<u64> = (501..=10_500).filter(|number| number % 100 == 0).collect();
        assert_eq!(numbers(traffic.about("rare")), rare);
        assert!(traffic.numbered(500).is_none() && traffic.numbered(10_501).is_none());
        assert_eq!(traffic.numbered(501).map(|entry| entry.number), Some(501));
        assert_eq!(traffic.last(), 10_500);
    }

    #[test]
    fn large_bodies_push_older_entries_out() {
        let mut traffic = Traffic::default();
        for _ in 0..40 {
            traffic.add(|number| entry(number, "c", 1 << 20));
        }
        assert_eq!(numbers(traffic.all()), (9..=40).collect::<Vec<_>>());
        assert_eq!(numbers(traffic.about("c")), (9..=40).collect::<Vec<_>>());
        // A body that alone is over the limit leaves nothing, and the next entry is kept.
        traffic.add(|number| entry(number, "c", (32 << 20) + 1));
        assert_eq!(traffic.all().count(), 0);
        assert_eq!(traffic.about("c").count(), 0);
        traffic.add(|number| entry(number, "c", 1));
        assert_eq!(numbers(traffic.about("c")), [42]);
    }

    type Lengthen<'a> = &'a dyn Fn(&mut Entry);

    #[test]
    fn every_long_part_pushes_older_entries_out() {
        let long = "x".repeat(1 << 20);
        let header = || -> HeaderMap {
            let value = HeaderValue::from_bytes(long.as_bytes()).ok();
            value.into_iter().map(|value| (HeaderName::from_static("x-long"), value)).collect()
        };
        // The name of a header counts, so that 31 such entries have room.
        let parts: [(u64, Lengthen<'_>); 4] = [
            (32, &|entry| entry.path.clone_from(&long)),
            (32, &|entry| entry.query = Some(long.clone())),
            (31, &|entry| entry.headers = header()),
            (31, &|entry| {
                let mut answer = Response::new(Bytes::new());
                *answer.headers_mut() = header();
                entry.answer = Some(answer);
            }),
        ];
        for (kept, lengthen) in parts {
            let mut traffic = Traffic::default();
            for _ in 0..40 {
                traffic.add(|number| {
                    let mut entry = entry(number, "c", 0);
                    lengthen(&mut entry);
                    entry
                });
            }
            assert_eq!(numbers(traffic.all()), (41 - kept..=40).collect::<Vec<_>>());
        }
    }
}
