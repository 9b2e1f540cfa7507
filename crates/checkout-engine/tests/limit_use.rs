//! A merchant that always has work waiting uses its limit, and never exceeds the limit.

mod world;

use checkout_engine::{Engine, Limited, Memory, MemoryLimits, Store};
use checkout_lifecycle::Moment;
use checkout_sandbox::peach;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::sync::Arc;
use std::time::Duration;
use world::{Outcome, Providers, block_on, drafts, engine_over};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const CHECKOUTS: usize = 40;

/// A transport on which time passes before a request arrives, and before its answer does.
#[derive(Clone)]
struct Slow(Providers);

impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.0.clock.advance(Duration::from_millis(200));
        let answer = self.0.send(request).await;
        self.0.clock.advance(Duration::from_millis(300));
        answer
    }
}

/// The moments at which the provider got a read within an hour in which work is always waiting.
async fn reads_of_an_hour<S: Store + 'static>(
    providers: &Providers,
    processes: usize,
    store: impl Fn() -> S,
) -> Outcome<Vec<Moment>> {
    // The checkouts stay open.
    let pending = peach::Scenario::custom([(Duration::ZERO, "000.200.000")]);
    providers.peach.set_scenario(Some(pending));
    let engine = || engine_over(store(), Slow(providers.clone()));
    let engines: Vec<Engine<S, Slow>> = (0..processes).map(|_| engine()).collect::<Outcome<_>>()?;
    let ids: Vec<String> = (0..CHECKOUTS).map(|number| format!("order{number:04}")).collect();
    for id in &ids {
        let [first, ..] = engines.as_slice() else { return Err("no process".into()) };
        first.create(id, drafts::peach(id)?).await?;
    }
    let begin = providers.clock.now();
    let until = begin.saturating_add(HOUR);
    for _ in 0..20_000 {
        let mut pause = HOUR;
        for engine in &engines {
            // Each payer is back, and asks again and again.
            for id in &ids {
                engine.nudge(id).await?;
            }
            pause = pause.min(engine.step(|_| std::future::ready(Ok(()))).await?);
        }
        if providers.clock.now() >= until {
            let asked = providers.peach.status_requests(peach::ENTITY_ID);
            let asked = asked.into_iter().filter(|asked| asked.at >= begin && asked.at < until);
            return Ok(asked.map(|asked| asked.at).collect());
        }
        providers.clock.advance(pause);
    }
    Err("twenty thousand steps, and the hour is not over".into())
}

/// At most two reads within any minute, and at least 95 in 100 of the 120 that the limit allows in the hour.
fn judge(what: &str, reads: &[Moment]) -> Outcome {
    for (first, third) in reads.iter().zip(reads.iter().skip(2)) {
        let span = third.saturating_since(*first);
        assert!(span >= MINUTE, "{what}: three reads within {span:?}");
    }
    assert!((114..=120).contains(&reads.len()), "{what}: {} reads", reads.len());
    Ok(())
}

#[test]
fn a_limit_of_the_store_is_used_and_not_exceeded() -> Outcome {
    block_on(async {
        for processes in [1, 3] {
            let providers = Providers::new(1);
            let clock = providers.clock.clone();
            let store = Arc::new(Memory::with_clock(move || clock.now()));
            let reads = reads_of_an_hour(&providers, processes, || Arc::clone(&store)).await?;
            judge(&format!("{processes} processes"), &reads)?;
        }
        Ok(())
    })
}

#[test]
fn a_limit_that_databases_share_is_used_and_not_exceeded() -> Outcome {
    block_on(async {
        for processes in [1, 3] {
            let providers = Providers::new(1);
            let (clock, of_limits) = (providers.clock.clone(), providers.clock.clone());
            let store = Arc::new(Memory::with_clock(move || clock.now()));
            let limits = Arc::new(MemoryLimits::with_clock(move || of_limits.now()));
            let limited = || Limited::new(Arc::clone(&store), Arc::clone(&limits));
            let reads = reads_of_an_hour(&providers, processes, limited).await?;
            judge(&format!("{processes} processes"), &reads)?;
        }
        Ok(())
    })
}
