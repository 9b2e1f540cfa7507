//! A process stands still for longer than its lease, the process of the test takes the work over, and the
//! first process goes on: its late write changes no row, and is counted.

use super::Outcome;
use super::orders::Order;
use super::points::Case;
use super::scenes::{is_judged_well, is_settled};
use super::shop::Database;
use super::stage::{LEASE, Scene, Setting, Stage, Told};
use checkout_engine::{Engine, News, State, Store};
use checkout_transport::Transport;
use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The lease of news is the longest.
const LONGER: Duration = Duration::from_secs(61);
const PATIENCE: Duration = Duration::from_secs(60);

fn order() -> Order {
    Order::new(0, 1)
}

/// A process stands still before the write of a read, and before the end of a telling.
#[test]
fn a_late_write_of_a_process_that_stood_still_changes_nothing_and_is_counted() -> Outcome {
    let cases = [Case::new("write", "stop", 1), Case::new("news_told", "stop", 1)];
    Setting::new("zombies")?.play("zombies", &cases, |case| Zombie { case, is_create: false })
}

/// A process stands still before it marks a create as sent, and with the answer in hand.
#[test]
fn a_process_that_stood_still_within_a_create_neither_sends_nor_writes_afterwards() -> Outcome {
    let cases = [Case::new("write", "stop", 1), Case::new("write", "stop", 2)];
    Setting::new("creates")?.play("creates", &cases, |case| Zombie { case, is_create: true })
}

/// The act of the process that stands still at its point: creates, or does what is due.
pub(crate) async fn stand_still<S: Store + 'static, T: Transport + 'static>(
    stage: &Stage,
    store: S,
    transport: T,
    case: &Case,
) -> Outcome {
    let engine = stage.engine(store, transport)?.build()?;
    if engine.store().checkout(&order().id).await?.is_none() {
        // A lost write is no error, or is one: the test looks at the rows.
        let _ = stage.place(&engine, &order()).await;
    }
    while !case.is_reached() {
        engine.step(|_| std::future::ready(Ok::<(), Box<dyn Error + Send + Sync>>(()))).await?;
    }
    println!("\nlost {}", engine.counters().lost());
    Ok(())
}

struct Zombie {
    case: Case,
    is_create: bool,
}

/// Does what is due, for a shop that refuses all news for now.
async fn refuse<S: Store + 'static, T: Transport + 'static>(engine: &Engine<S, T>) -> Outcome {
    let refuses = |_: News| std::future::ready(Err::<(), Box<dyn Error + Send + Sync>>("not now".into()));
    while engine.step(refuses).await?.is_zero() {}
    Ok(())
}

impl Scene for Zombie {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let (engine, told, order) = (stage.survivor(store)?, Told::default(), order());
        let is_telling = self.case.operation == "news_told";
        if !self.is_create {
            stage.place(&engine, &order).await?;
            stage.pass(SECOND * 60).await?;
            engine.nudge(&order.id).await?;
        }
        while is_telling && is_settled(engine.store(), &order.id).await.is_err() {
            refuse(&engine).await?;
            stage.pass(SECOND * 60).await?;
        }
        let mut zombie = stage.start("stand still", Some(&self.case))?;
        zombie.stands_still(PATIENCE).await?;
        stage.pass(LEASE.max(LONGER)).await?;

        // This process takes over.
        let not_told = engine.counters().not_told();
        refuse(&engine).await?;
        let (taken_over, not_told) =
            (engine.counters().taken_over(), engine.counters().not_told() - not_told);
        if (taken_over, not_told) != if is_telling { (0, 1) } else { (1, 0) } {
            return Err(format!("{taken_over} works and {not_told} news are taken over").into());
        }

        let (rows, requests) = (rows(stage).await?, stage.world()?.verdict().looked_at.requests);
        zombie.go_on()?;
        zombie.hear(&format!("lost {}", u32::from(!is_telling)))?;
        if !zombie.ended(PATIENCE).await?.success() {
            return Err("the process has not ended well".into());
        }
        let (after, looked_at) = (self::rows(stage).await?, stage.world()?.verdict().looked_at);
        if after != rows || looked_at.requests != requests {
            let (lost, new) = (rows.difference(&after), after.difference(&rows));
            let changed = lost.chain(new).cloned().collect::<Vec<_>>().join("\n");
            return Err(format!("{requests} requests before, {looked_at:?} after; {changed}").into());
        }

        if looked_at.creates != 1 {
            return Err(format!("{} creates", looked_at.creates).into());
        }
        if self.is_create && self.case.nth == 2 {
            // Nobody knows of the first answer any more.
            let row = engine.store().checkout(&order.id).await?.ok_or("lost")?;
            return if row.state == State::Unknown { Ok(()) } else { Err(format!("{row:?}").into()) };
        }
        for _ in 0..3 {
            stage.pass(SECOND * 60).await?;
            engine.nudge(&order.id).await?;
            told.work(&engine).await?;
        }
        is_settled(engine.store(), &order.id).await?;
        let keys: Vec<(String, u32)> = told.get().into_iter().collect();
        if keys != [(format!("{}/settled", order.id), 1)] {
            return Err(format!("told: {keys:?}").into());
        }
        is_judged_well(stage)
    }
}

/// The rows of all tables that an engine's late write could change, with their places in the table.
async fn rows(stage: &Stage) -> Outcome<BTreeSet<String>> {
    let (tables, mut rows) = (["checkout", "work", "news", "event", "decision"], BTreeSet::new());
    for table in tables {
        match &stage.weather.database {
            Database::Sqlite(path) => {
                let file = rusqlite::Connection::open(path)?;
                let name = if table == "checkout" { table.to_owned() } else { format!("checkout_{table}") };
                let mut select = file.prepare(&format!("SELECT * FROM {name}"))?;
                let columns = select.column_count();
                let mut found = select.query([])?;
                while let Some(row) = found.next()? {
                    let values = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
                    rows.insert(format!("{table} {:?}", values.collect::<Result<Vec<_>, _>>()?));
                }
            }
            Database::Postgres { schema, .. } => {
                let select = format!("SELECT ctid::text || of::text FROM {schema}.{table} AS of");
                for row in stage.client().await?.query(&select, &[]).await? {
                    rows.insert(format!("{table} {}", row.try_get::<_, String>(0)?));
                }
            }
        }
    }
    Ok(rows)
}
