//! The law of requests at the same time: of futures, and of threads.

use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use checkout_transport::{BlockingTransport, LocalTransport, Request, http};

use super::Broken;
use super::server::{Exchange, Received, Server};
use super::stage::{AtOnce, Outcome, Stage, chunks, head, shown};

/// The number of callers that ask at the same time, each of them one request after the other.
const CALLERS: usize = 16;
const ROUNDS: usize = 4;

/// Every so manieth of the first requests is answered half, and the rest when all others have been answered.
const SLOW: usize = 4;

/// How long the server waits in all for the order that the law needs. A transport need not send so many at a
/// time.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn of_futures<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = &stage.transport();
    let server = serve(stage)?;
    let mut callers: Vec<Pin<Box<dyn Future<Output = Vec<Outcome>> + '_>>> = Vec::new();
    for requests in requests(stage, &server)? {
        callers.push(Box::pin(async move {
            let mut outcomes = Vec::new();
            for request in requests {
                outcomes.push(transport.send_local(request).await);
            }
            outcomes
        }));
    }
    let mut done: Vec<Option<Vec<Outcome>>> = callers.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (caller, done) in callers.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(outcomes) = caller.as_mut().poll(context)
            {
                *done = Some(outcomes);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(callers);
    judge(stage, server, done.into_iter().flatten())
}

pub(super) fn of_threads<T: BlockingTransport + Sync>(stage: &Stage<'_, AtOnce<T>>) -> Result<(), Broken> {
    let transport = &stage.transport().0;
    let server = serve(stage)?;
    let requests = requests(stage, &server)?;
    let done = thread::scope(|scope| {
        let mut callers = Vec::new();
        for requests in requests {
            let caller = move || -> Vec<Outcome> {
                requests.into_iter().map(|request| transport.send_blocking(request)).collect()
            };
            match thread::Builder::new().spawn_scoped(scope, caller) {
                Ok(caller) => callers.push(caller),
                Err(error) => return stage.broken(format!("the suite has no thread: {error}")),
            }
        }
        let joined =
            callers.into_iter().map(|caller| caller.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Ok(joined.collect::<Vec<_>>())
    })?;
    judge(stage, server, done)
}

/// The requests of each caller.
fn requests<T: LocalTransport>(stage: &Stage<'_, T>, server: &Server) -> Result<Vec<Vec<Request>>, Broken> {
    let of_one = |caller| {
        let all = (0..ROUNDS).map(|round| {
            let target = target(caller, round);
            stage.build(http::Request::post(server.uri(&target)), target.as_bytes())
        });
        all.collect()
    };
    (0..CALLERS).map(of_one).collect()
}

fn judge<T: LocalTransport>(
    stage: &Stage<'_, T>,
    server: Server,
    done: impl IntoIterator<Item = Vec<Outcome>>,
) -> Result<(), Broken> {
    let records = stage.finish(server);
    for (caller, outcomes) in done.into_iter().enumerate() {
        for (round, outcome) in outcomes.into_iter().enumerate() {
            let target = target(caller, round);
            let what = format!("of {target}, while {CALLERS} requests were under way");
            let response = stage.ok(&what, outcome)?;
            if response.headers().get("x-target").is_none_or(|kept| *kept != *target) {
                return stage.broken(format!("{what}: the answer to another came back"));
            }
            if *response.body() != body(&target) {
                return stage.broken(format!("{what}: {} came back", shown(response.body())));
            }
            let is_it =
                |received: &&&Received| received.target == target && received.body == target.as_bytes();
            let came = records.requests().iter().filter(is_it).count();
            if came != 1 {
                return stage.broken(format!("{what}: it came {came} times"));
            }
        }
    }
    Ok(())
}

/// Answers the first ones in the reverse of the order in which they came, all of them but the slow ones;
/// later requests at once; and the rest of the slow ones last.
fn serve<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<Server, Broken> {
    let order = Order::default();
    stage.serve(move |exchange| {
        while let Some(request) = exchange.request()? {
            let place = order.enter();
            let answered = answer(exchange, &request, &order, place);
            // Also when no client waits for the answer any more, so that the other requests are answered.
            order.leave(place);
            answered?;
        }
        Ok(())
    })
}

fn answer(exchange: &mut Exchange, request: &Received, order: &Order, place: usize) -> io::Result<()> {
    let answer = framed(&request.target);
    if place < CALLERS {
        order.wait(|state| state.came >= CALLERS);
        if is_slow(place) {
            let (front, rest) = answer.split_at(answer.len() / 2);
            exchange.write(front)?;
            let quick = (CALLERS - CALLERS / SLOW) * ROUNDS;
            order.wait(|state| state.answered.len() >= quick);
            return exchange.write(rest);
        }
        let later = |state: &State| {
            (place + 1..CALLERS).all(|place| is_slow(place) || state.answered.contains(&place))
        };
        order.wait(later);
    }
    exchange.write(&answer)
}

fn is_slow(place: usize) -> bool {
    place.is_multiple_of(SLOW)
}

/// The requests that have come, those that were answered, and those that wait for an answer.
#[derive(Default)]
struct Order {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    came: usize,
    answered: HashSet<usize>,
    end: Option<Instant>,
}

impl Order {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The how manieth has come, from 0.
    fn enter(&self) -> usize {
        let mut state = self.state();
        let place = state.came;
        state.came += 1;
        self.changed.notify_all();
        place
    }

    fn leave(&self, place: usize) {
        self.state().answered.insert(place);
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let mut state = self.state();
        let end = *state.end.get_or_insert_with(|| Instant::now() + PATIENCE);
        let left = end.saturating_duration_since(Instant::now());
        drop(self.changed.wait_timeout_while(state, left, |state| !until(state)));
    }
}

fn target(caller: usize, round: usize) -> String {
    format!("/{caller}/{round}")
}

/// The body of the answer, most of what there is of it.
fn body(target: &str) -> Vec<u8> {
    target.as_bytes().repeat(400)
}

/// The answer, with a length for one half of the callers and in chunks for the other.
fn framed(target: &str) -> Vec<u8> {
    let body = body(target);
    let mine = ("x-target", target.as_bytes());
    if target.len().is_multiple_of(2) {
        let length = body.len().to_string();
        [head("200 OK", &[mine, ("content-length", length.as_bytes())]), body].concat()
    } else {
        [head("200 OK", &[mine, ("transfer-encoding", b"chunked")]), chunks(&body, 100)].concat()
    }
}
