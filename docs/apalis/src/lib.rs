//! A worker of apalis whose jobs are steps of the engine. `docs/engine.md` shows this file.

use apalis::prelude::{Event, EventListenerExt as _, WorkerBuilder, WorkerBuilderExt as _, WorkerError};
use checkout_kit::Transport;
use checkout_kit::engine::{Engine, News, Store};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

type Ticks = BoxStream<'static, Result<(), Infallible>>;

/// A tick for each job. A worker that is late gets one tick, and not all that it missed.
pub fn every(span: Duration) -> Ticks {
    let mut ticks = interval(span);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    unfold(ticks, async |mut ticks| {
        ticks.tick().await;
        Some((Ok(()), ticks))
    })
    .boxed()
}

/// A worker of apalis, until `stop`: each job is a step of the engine.
pub async fn worker<S: Store + 'static, T: Transport + 'static, Told>(
    name: &str,
    ticks: Ticks, // every(Duration::from_secs(1))
    engine: Engine<S, T>,
    tell: impl Fn(News) -> Told + Clone + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WorkerError>
where
    Told: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let worker = WorkerBuilder::new(name)
        .backend(ticks) // no job is stored: the rows are the queue
        .concurrency(1) // a step does up to `at_once` pieces of work at once
        .on_event(|_, event| {
            if let Event::Error(error) = event {
                eprintln!("{error:?}"); // the next tick tries again
            }
        })
        .build(move |()| {
            let (engine, tell) = (engine.clone(), tell.clone());
            async move { engine.step(tell).await.map(drop) }
        });
    let stop = async {
        stop.await;
        Ok::<(), WorkerError>(())
    };
    worker.run_until(stop).await
}
