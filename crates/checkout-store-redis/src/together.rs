//! Calls that wait at the same time share a script.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkout_engine::StoreError;
use tokio::sync::oneshot;

use crate::error;

/// The most calls of a script: a script holds up the whole server.
const MOST: usize = 64;

/// The calls of one kind. Those that come while a script is under way share the next one.
pub(crate) struct Together<C, A>(Mutex<State<C, A>>);

struct State<C, A> {
    waiting: Vec<(C, Caller<A>)>,
    is_sending: bool,
}

type Caller<A> = oneshot::Sender<Result<A, StoreError>>;

/// The right to send, one script after another.
struct Sender<C, A> {
    together: Arc<Together<C, A>>,
    is_done: bool,
}

impl<C, A> Together<C, A> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { waiting: Vec::new(), is_sending: false })))
    }

    /// Adds a call. Whoever gets a sender has to send.
    fn add(self: &Arc<Self>, call: C, to: Caller<A>) -> Option<Sender<C, A>> {
        let mut state = self.state();
        state.waiting.push((call, to));
        let is_sending = mem::replace(&mut state.is_sending, true);
        (!is_sending).then(|| Sender { together: Arc::clone(self), is_done: false })
    }

    fn state(&self) -> MutexGuard<'_, State<C, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Send + 'static, A: Send + 'static> Together<C, A> {
    /// One call. `run` answers calls in their order. A call that was begun is sent, also where nobody waits
    /// for its answer any longer.
    pub(crate) async fn call<F>(
        self: &Arc<Self>,
        call: C,
        run: impl Fn(Vec<C>) -> F + Send + 'static,
    ) -> Result<A, StoreError>
    where
        F: Future<Output = Result<Vec<A>, StoreError>> + Send + 'static,
    {
        let (to, answer) = oneshot::channel();
        if let Some(sender) = self.add(call, to) {
            tokio::spawn(sender.send(run));
        }
        answer.await.unwrap_or_else(|_| Err(error::ended()))
    }
}

impl<C, A> Sender<C, A> {
    /// The calls of the next script, and who waits for each answer. Nobody once no call waits: then the
    /// sender is done.
    fn next(&mut self) -> (Vec<C>, Vec<Caller<A>>) {
        let mut state = self.together.state();
        let count = state.waiting.len().min(MOST);
        let rest = state.waiting.split_off(count);
        let calls = mem::replace(&mut state.waiting, rest);
        // From now on another sender may be at work.
        self.is_done = calls.is_empty();
        state.is_sending = !self.is_done;
        calls.into_iter().unzip()
    }

    async fn send<F: Future<Output = Result<Vec<A>, StoreError>>>(mut self, run: impl Fn(Vec<C>) -> F) {
        loop {
            let (calls, callers) = self.next();
            if callers.is_empty() {
                return;
            }
            // Nobody waits for a dropped future's answer.
            match run(calls).await {
                Ok(answers) if answers.len() == callers.len() => {
                    callers.into_iter().zip(answers).for_each(|(to, answer)| drop(to.send(Ok(answer))));
                }
                Ok(_) => callers.into_iter().for_each(|to| drop(to.send(Err(error::strange())))),
                Err(error) => callers.into_iter().for_each(|to| drop(to.send(Err(error::copy(&error))))),
            }
        }
    }
}

impl<C, A> Drop for Sender<C, A> {
    /// A sender that ends too early, with its runtime, answers nobody.
    fn drop(&mut self) {
        if !self.is_done {
            let mut state = self.together.state();
            state.is_sending = false;
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Together};
    use checkout_engine::StoreError;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    /// Calls at once of the numbers up to `count`, each of which is answered by its double; and the scripts.
    async fn doubled(count: usize) -> (Vec<usize>, usize) {
        let (together, scripts) = (Together::new(), Arc::new(AtomicUsize::new(0)));
        let calls = (0..count).map(|number| {
            let (together, scripts) = (Arc::clone(&together), Arc::clone(&scripts));
            async move {
                let run = move |numbers: Vec<usize>| {
                    scripts.fetch_add(1, Ordering::Relaxed);
                    async move { Ok(numbers.into_iter().map(|number| 2 * number).collect()) }
                };
                together.call(number, run).await.unwrap()
            }
        });
        (futures_util::future::join_all(calls).await, scripts.load(Ordering::Relaxed))
    }

    #[test]
    fn calls_at_once_share_a_script_and_each_gets_its_own_answer() {
        for (count, scripts) in [(1, 1), (2, 1), (MOST, 1), (MOST + 1, 2), (3 * MOST, 3)] {
            let doubles: Vec<usize> = (0..count).map(|number| 2 * number).collect();
            assert_eq!(runtime().block_on(doubled(count)), (doubles, scripts), "{count} calls");
        }
    }

    /// The end of a sender meets the begin of the next one.
    #[test]
    fn calls_of_many_threads_are_all_answered() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        runtime.block_on(async {
            let together = Together::new();
            let callers = (0..8_usize).map(|caller| {
                let together = Arc::clone(&together);
                tokio::spawn(async move {
                    for number in 0..2_000 {
                        let call = 10_000 * caller + number;
                        assert_eq!(together.call(call, |calls| async { Ok(calls) }).await.ok(), Some(call));
                    }
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                caller.await.unwrap();
            }
        });
    }

    #[test]
    fn an_error_is_everybodys_and_too_few_answers_are_one() {
        runtime().block_on(async {
            let together = Together::<(), ()>::new();
            let settings = |_| async { Err(StoreError::Settings("no".to_owned())) };
            let (one, other) = tokio::join!(together.call((), settings), together.call((), settings));
            for failed in [one, other] {
                assert!(matches!(failed, Err(StoreError::Settings(text)) if text == "no"));
            }
            let few = |_| async { Ok(vec![()]) };
            let (one, other) = tokio::join!(together.call((), few), together.call((), few));
            assert!(matches!(
                (one, other),
                (Err(StoreError::Unavailable(_)), Err(StoreError::Unavailable(_)))
            ));
        });
    }

    #[test]
    fn a_runtime_that_ends_takes_its_sender_with_it_and_the_next_call_has_a_new_one() {
        let together = Together::<(), ()>::new();
        let ended = runtime();
        let call = together.call((), |_| std::future::pending());
        ended.block_on(async {
            let mut call = Box::pin(call);
            assert!(futures_util::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        });
        drop(ended);
        let answer = runtime().block_on(together.call((), |_| async { Ok(vec![()]) }));
        assert!(answer.is_ok());
    }
}
