//! The writes that wait for their call.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkout_engine::{Lease, StoreError, Write, Written};
use tokio::sync::oneshot;

/// The most writes of a call.
const GROUP: usize = 64;

/// The most calls under way.
const CALLS: usize = 2;

/// A write, and who waits for its answer.
pub(crate) struct Job {
    pub(crate) lease: Lease,
    pub(crate) write: Write,
    to: oneshot::Sender<Result<Written, StoreError>>,
}

impl Job {
    pub(crate) fn answer(self, answer: Result<Written, StoreError>) {
        // Nobody waits for a dropped future's answer.
        let _ = self.to.send(answer);
    }
}

/// The writes of a process that came while other calls were under way: they share the next call, and so its
/// commit.
#[derive(Default)]
pub(crate) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    calls: usize,
}

/// The right to take writes, and to send them one call after another.
pub(crate) struct Sender {
    queue: Arc<Queue>,
    ended: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a write. Whoever gets a sender has to send.
    pub(crate) fn add(
        self: &Arc<Self>,
        lease: Lease,
        write: Write,
    ) -> (oneshot::Receiver<Result<Written, StoreError>>, Option<Sender>) {
        let (to, answer) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Job { lease, write, to });
        let begins = state.calls < CALLS;
        if begins {
            state.calls = state.calls.saturating_add(1);
        }
        drop(state);
        (answer, begins.then(|| Sender { queue: Arc::clone(self), ended: false }))
    }
}

impl Sender {
    /// The writes of the next call, of different checkouts. None once no write waits: the sender is done.
    pub(crate) fn next(&mut self) -> Option<Vec<Job>> {
        let mut state = self.queue.state();
        state.waiting.retain(|job| !job.to.is_closed());
        let (mut ids, mut group) = (HashSet::new(), Vec::new());
        let mut rest = VecDeque::new();
        for job in std::mem::take(&mut state.waiting) {
            if group.len() < GROUP && ids.insert(job.lease.id.clone()) {
                group.push(job);
            } else {
                rest.push_back(job);
            }
        }
        state.waiting = rest;
        if group.is_empty() {
            self.ended = true;
            state.calls = state.calls.saturating_sub(1);
            return None;
        }
        Some(group)
    }
}

impl Drop for Sender {
    /// A sender that ends too early, with its runtime, answers nobody.
    fn drop(&mut self) {
        if !self.ended {
            let mut state = self.queue.state();
            state.calls = state.calls.saturating_sub(1);
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLS, GROUP, Queue};
    use checkout_engine::{Lease, Next, ReadMade, Write};
    use std::sync::Arc;

    fn write() -> Write {
        Write { checkout: None, next: Next::Keep, read: ReadMade::None, lane_wait: None, news: Vec::new() }
    }

    fn lease(id: &str) -> Lease {
        Lease { id: id.to_owned(), fence: 1, nudges: 0 }
    }

    #[test]
    fn a_call_has_each_checkout_once_and_what_is_left_waits_in_order() {
        let queue = Arc::new(Queue::default());
        let added: Vec<_> = ["a", "a", "b", "c"].map(|id| queue.add(lease(id), write())).into();
        let (mut answers, mut senders) = (Vec::new(), Vec::new());
        for (answer, sender) in added {
            answers.push(answer);
            senders.extend(sender);
        }
        // Nobody waits for c's answer.
        drop(answers.pop());
        let mut sender = senders.remove(0);
        let mut ids = || {
            let jobs = sender.next()?;
            Some(jobs.into_iter().map(|job| job.lease.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(ids(), Some(vec!["a".to_owned()]));
        assert_eq!(ids(), None);
    }

    #[test]
    fn so_many_senders_are_at_work_and_no_write_is_left_without_one() {
        let queue = Arc::new(Queue::default());
        let added: Vec<_> = (0..GROUP + 9).map(|n| queue.add(lease(&n.to_string()), write())).collect();
        let (mut answers, mut senders) = (Vec::new(), Vec::new());
        for (answer, sender) in added {
            answers.push(answer);
            senders.extend(sender);
        }
        assert_eq!(senders.len(), CALLS);
        let sizes: Vec<Option<usize>> =
            senders.iter_mut().map(|sender| sender.next().map(|jobs| jobs.len())).collect();
        assert_eq!(sizes, [Some(GROUP), Some(9)]);
        // One ends as it should, and the runtime of the other one ends.
        assert!(senders.remove(0).next().is_none());
        let (mut waits, none) = queue.add(lease("x"), write());
        assert!(none.is_some(), "a sender has ended, so the next write has one");
        drop(none);
        assert!(waits.try_recv().is_err());
        drop(senders);
        assert!(queue.add(lease("y"), write()).1.is_some());
    }
}
