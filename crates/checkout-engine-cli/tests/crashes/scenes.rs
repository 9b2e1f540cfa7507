//! The scenes of webhooks and of persons.

use super::orders::Order;
use super::points::Case;
use super::shop::Database;
use super::stage::{LEASE, MERCHANT, Scene, Setting, Stage, Told};
use super::{Outcome, hooks};
use checkout_engine::{
    Ask, Checkout, DecideError, Decided, Filter, Inserted, Lane, New, Next, Nudge, Nudged, Provider,
    ReadMade, State, Store, Target, UNMATCHED_KEPT, Write, Written, person,
};
use checkout_sandbox_server::Webhook;
use checkout_tables::{Environment, Moment};
use checkout_trust::replay::{Key, Scheme};
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn allscale_order() -> Order {
    Order::new(0, 1)
}

fn peach_order() -> Order {
    Order::new(8, 1)
}

/// Each order is told as settled, once.
fn once(ids: &[&str]) -> BTreeMap<String, u32> {
    ids.iter().map(|id| (format!("{id}/settled"), 1)).collect()
}

/// Each provider sends one webhook.
pub(crate) fn webhook_cases() -> Vec<Case> {
    Case::of(&[("nudge", &[1, 2])])
}

#[test]
fn a_webhook_whose_process_dies_is_read_all_the_same() -> Outcome {
    Setting::new("webhooks")?.webhooks().play("webhooks", &webhook_cases(), Webhooks)
}

struct Webhooks(Case);

impl Scene for Webhooks {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let (engine, told) = (stage.survivor(store)?, Told::default());
        let orders = [allscale_order(), peach_order()];
        for order in &orders {
            stage.place(&engine, order).await?;
        }
        told.work(&engine).await?;
        let mut receiver = stage.start("receive", Some(&self.0))?;
        let port = stage.weather.port;
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if receiver.0.try_wait()?.is_some() {
                return Err("the receiver has ended before a webhook came".into());
            }
            // The receiver is what is waited for: the pause decides nothing.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Every payment is over after this time.
        for _ in 0..9 {
            stage.pass(SECOND * 5).await?;
        }
        stage.death(receiver).await?;

        // Nobody has read yet, so no event is done. A noted event is read now, without the provider's repeat.
        let noted = self.0.nth - u32::from(!self.0.is_after());
        let found = events(stage).await?;
        if (found.noted, found.done, stage.reads()?) != (noted, 0, 0) {
            return Err(format!("{found:?} and {} reads, where {noted} are noted", stage.reads()?).into());
        }
        told.work(&engine).await?;
        if (stage.reads()? > 0) != (noted > 0) {
            return Err(format!("{} reads of {noted} noted events", stage.reads()?).into());
        }

        // The provider's repeats come to the next process.
        let receive = hooks::receive(&stage.weather, engine.clone());
        let play = async {
            for _ in 0..60 {
                stage.pass(SECOND * 5).await?;
                told.work(&engine).await?;
                let found = events(stage).await?;
                if found.done > 0 && stage.reads()? == 0 {
                    return Err("an event is done, and nobody has read".into());
                }
            }
            Outcome::Ok(())
        };
        tokio::select! {
            received = receive => received?,
            played = play => played?,
        }
        for order in &orders {
            is_settled(engine.store(), &order.id).await?;
        }
        if told.get() != once(&orders.each_ref().map(|order| order.id.as_str())) {
            return Err(format!("told: {:?}", told.get()).into());
        }
        let (found, webhooks) = (events(stage).await?, stage.world()?.webhooks());
        if found.done != found.noted || usize::try_from(found.noted)? != webhooks.len() {
            return Err(format!("{found:?} of {} webhooks", webhooks.len()).into());
        }
        let is_taken =
            |webhook: &&Webhook| webhook.attempts.last().is_some_and(|attempt| attempt.status == Some(200));
        if let Some(lost) = webhooks.iter().find(|webhook| !is_taken(webhook)) {
            return Err(format!("never taken: {lost:?}").into());
        }
        is_judged_well(stage)
    }
}

/// The events of checkouts in the store.
#[derive(Debug)]
struct Events {
    noted: u32,
    done: u32,
}

/// An event can have several keys, and is one nudge.
async fn events(stage: &Stage) -> Outcome<Events> {
    let count =
        "SELECT count(*), count(CASE WHEN done = TRUE THEN 1 END) FROM (SELECT DISTINCT id, nudge, done FROM";
    let (noted, done): (i64, i64) = match &stage.weather.database {
        Database::Sqlite(path) => {
            rusqlite::Connection::open(path)?
                .query_row(&format!("{count} checkout_event)"), [], |row| Ok((row.get(0)?, row.get(1)?)))?
        }
        Database::Postgres { schema, .. } => {
            let count = format!("{count} {schema}.event) AS one");
            let row = stage.client().await?.query_one(&count, &[]).await?;
            (row.try_get(0)?, row.try_get(1)?)
        }
    };
    Ok(Events { noted: u32::try_from(noted)?, done: u32::try_from(done)? })
}

pub(crate) async fn is_settled(store: &impl Store, id: &str) -> Outcome {
    let row = store.checkout(id).await?.ok_or("lost")?;
    if (row.state, &row.hold) == (State::Settled, &None) { Ok(()) } else { Err(format!("{row:?}").into()) }
}

/// The sandbox's own judge has found nothing.
pub(crate) fn is_judged_well(stage: &Stage) -> Outcome {
    let verdict = stage.world()?.verdict_at_end();
    if verdict.findings.is_empty() { Ok(()) } else { Err(verdict.to_string().into()) }
}

const BY: &str = "Ada";
const REASON: &str = "the bank has the money";
/// The checkout that is settled by a person's word.
const BY_WORD: &str = "by-word";
const USELESS: usize = 3;
/// The bytes of a block of `ulimit`, and the blocks of a page.
const BLOCK: u64 = 512;
const PAGE: u64 = 8;

/// All that a person does, and a job that sweeps.
pub(crate) fn person_cases() -> Vec<Case> {
    Case::of(&[
        ("figures", &[1]),
        ("overview", &[1]),
        ("unmatched", &[1]),
        ("list", &[1]),
        ("decisions", &[1]),
        ("now", &[1, 2]),
        ("decide", &[1, 2]),
        ("checkout", &[1, 2]),
        ("sweep", &[1]),
    ])
}

/// The decisions that were made before the point, and true if the sweep was.
fn done_before(case: &Case) -> (usize, bool) {
    let nth = usize::try_from(case.nth).unwrap_or_default();
    match case.operation.as_str() {
        "now" => (nth - 1, false),
        "decide" => (nth - usize::from(!case.is_after()), false),
        "checkout" => (nth, false),
        "sweep" => (2, case.is_after()),
        _ => (0, false),
    }
}

/// A person looks, releases one checkout, settles the other, and sweeps.
pub(crate) async fn decide(store: &impl Store) -> Outcome {
    store.figures().await?;
    store.overview(&Filter::default()).await?;
    store.unmatched(0, 100).await?;
    for seen in store.list(&Filter { held: true, ..Filter::default() }).await? {
        if store.decisions(&seen.id).await?.is_empty() {
            by_person(store, &seen).await?;
        }
    }
    store.sweep(1_000).await?;
    Ok(())
}

async fn by_person(store: &impl Store, seen: &Checkout) -> Result<Checkout, DecideError> {
    if seen.id == BY_WORD {
        person::settle(store, seen, BY, REASON).await
    } else {
        person::release(store, seen, BY, REASON).await
    }
}

#[test]
fn a_decision_or_a_sweep_whose_process_dies_was_made_in_whole_or_not_at_all() -> Outcome {
    Setting::new("persons")?.play("persons", &person_cases(), |case| Persons { case, is_within: false })
}

/// A decision waits for a row, or for the file, when its process dies: the database may go on without it.
#[test]
fn a_decision_whose_process_dies_within_it_was_made_in_whole_or_not_at_all() -> Outcome {
    let cases = [Case::new("none", "within", 1), Case::new("none", "within", 2)];
    Setting::new("within")?.play("within", &cases, |case| Persons { case, is_within: true })
}

struct Persons {
    case: Case,
    is_within: bool,
}

fn key(name: &str) -> Outcome<[Key; 1]> {
    let scheme = Scheme::named("crashes").ok_or("no scheme")?;
    Ok([Key::new(scheme, "m", [name], UNMATCHED_KEPT * 2)])
}

async fn unmatched(store: &impl Store, name: &str) -> Outcome {
    let lane = Lane::name_of(Provider::AllScale, MERCHANT);
    let target = Target::Named { lane: &lane, checkout_id: Some(name), reference: None };
    let nudged = store.nudge(&Nudge { target, event: &key(name)? }).await?;
    if nudged == Nudged::Unmatched { Ok(()) } else { Err(format!("{name}: {nudged:?}").into()) }
}

impl Scene for Persons {
    async fn play<S: Store + 'static>(&self, stage: &Stage, store: S) -> Outcome {
        let (engine, told) = (stage.survivor(store)?, Told::default());
        let store = engine.store();
        for number in 0..USELESS {
            unmatched(store, &format!("useless {number}")).await?;
        }
        stage.pass(UNMATCHED_KEPT + SECOND).await?;
        unmatched(store, "useful").await?;

        // The one waits for the read of an event, the other for a person's word.
        let order = allscale_order();
        stage.place(&engine, &order).await?;
        stage.pass(SECOND * 60).await?;
        let event = key("event")?;
        let nudged = store.nudge(&Nudge { target: Target::Id(&order.id), event: &event }).await?;
        let lanes = [Lane::name_of(Provider::AllScale, MERCHANT)];
        let claimed = store.claim(&Ask { lanes: &lanes, max: 1, lease: LEASE }).await?;
        let [due] = claimed.due.as_slice() else {
            return Err(format!("{nudged:?}, and nothing is due").into());
        };
        let hold = Some("the key was refused".to_owned());
        let next = Next::Ended { watch: due.watch.clone() };
        let write = write(Checkout { hold: hold.clone(), ..due.checkout.clone() }, next);
        is_done(store.write(&due.lease, &write).await?)?;
        let by_word = Checkout {
            id: BY_WORD.to_owned(),
            provider: Provider::Peach,
            merchant: MERCHANT.to_owned(),
            environment: Environment::Sandbox,
            state: State::Unsettled,
            reference: "byword01".to_owned(),
            checkout_id: None,
            page: None,
            hold,
            notes: "{}".into(),
            version: 0,
            created_at: Moment::from_unix_millis(0),
            changed_at: Moment::from_unix_millis(0),
        };
        let new = New { checkout: &by_word, watch: "", lease: LEASE };
        let Inserted::Fresh(lease, there) = store.insert(&new).await? else {
            return Err("it is there".into());
        };
        is_done(store.write(&lease, &self::write(there, Next::Ended { watch: String::new() })).await?)?;
        let held = store.list(&Filter { held: true, ..Filter::default() }).await?;
        // The order of the ids is that of the decisions.
        let [seen_word, seen_order] = held.as_slice() else { return Err(format!("held: {held:?}").into()) };

        let made = if self.is_within {
            self.dies_within(stage, store, seen_word, seen_order).await?
        } else {
            let process = stage.start("decide", Some(&self.case))?;
            stage.death(process).await?;
            Some(done_before(&self.case))
        };

        let mut already = 0;
        for (number, seen) in [seen_word, seen_order].into_iter().enumerate() {
            let is_made = is_made(stage, store, seen).await?;
            if let Some((made, _)) = made
                && is_made != (number < made)
            {
                return Err(format!("{}: made is {is_made}, and {made} were answered", seen.id).into());
            }
            already += usize::from(is_made);
            // The person repeats what was seen, twice.
            for again in [false, true] {
                match by_person(store, seen).await {
                    Ok(_) if !is_made && !again => {}
                    Err(DecideError::Changed(_)) if is_made || again => {}
                    other => return Err(format!("{}: {other:?} where made is {is_made}", seen.id).into()),
                }
            }
            if !self::is_made(stage, store, seen).await? {
                return Err(format!("{}: decided, and nothing is there", seen.id).into());
            }
        }
        let swept = store.sweep(1_000).await?;
        let is_swept = made.is_some_and(|(_, is_swept)| is_swept);
        if swept != if is_swept { 0 } else { USELESS } || store.figures().await?.unmatched != 1 {
            return Err(format!("{swept} were swept, {:?}", store.figures().await?).into());
        }
        // The sweep has left the event that waits for its read.
        let known = store.nudge(&Nudge { target: Target::Id(&order.id), event: &event }).await?;
        if known != Nudged::Pending {
            return Err(format!("the event is {known:?} after {already} decisions").into());
        }

        for _ in 0..5 {
            told.work(&engine).await?;
            stage.pass(SECOND * 10).await?;
        }
        is_settled(store, &order.id).await?;
        if told.get() != once(&[BY_WORD, &order.id]) || events(stage).await?.done != 1 {
            return Err(format!("told: {:?}, {:?}", told.get(), events(stage).await?).into());
        }
        is_judged_well(stage)
    }
}

impl Persons {
    /// A process dies within its decisions. Returns what was made, where this is known.
    async fn dies_within(
        &self,
        stage: &Stage,
        store: &impl Store,
        first: &Checkout,
        second: &Checkout,
    ) -> Outcome<Option<(usize, bool)>> {
        match &stage.weather.database {
            Database::Sqlite(path) if self.case.nth == 1 => {
                let holder = rusqlite::Connection::open(path)?;
                holder.execute_batch("BEGIN IMMEDIATE")?;
                let mut process = stage.start("decide", Some(&Case::new("decide", "at", 1)))?;
                process.hear("at decide")?;
                process.kill()?;
                holder.execute_batch("ROLLBACK")?;
                Ok(Some((0, false)))
            }
            // The log of the file has no room for a whole commit: for no page of it, for one, and so on.
            Database::Sqlite(path) => {
                let log = std::fs::metadata(path.with_extension("db-wal"))?.len() / BLOCK;
                let (mut blocks, mut deaths) = (log + 1, 0);
                let within = |process| super::died(process, Duration::from_secs(60), super::SIGXFSZ);
                while within(stage.start_within("decide", blocks)?).await? {
                    (blocks, deaths) = (blocks + PAGE, deaths + 1);
                    is_made(stage, store, first).await?;
                    is_made(stage, store, second).await?;
                }
                if deaths < 3 {
                    return Err(format!("{deaths} deaths within commits").into());
                }
                println!("decisions in a file: {deaths} deaths within commits");
                // The last process had room for all.
                Ok(Some((2, true)))
            }
            Database::Postgres { schema, .. } => {
                let (holder, watcher) = (stage.client().await?, stage.client().await?);
                // The test may hold the row for longer than a decision waits.
                holder.batch_execute(&format!("ALTER FUNCTION {schema}.decide RESET lock_timeout")).await?;
                holder.batch_execute("BEGIN").await?;
                let row = if self.case.nth == 1 { first } else { second };
                let hold = format!("SELECT FROM {schema}.checkout WHERE id = $1 FOR UPDATE");
                holder.execute(&hold, &[&row.id]).await?;
                let mut process = stage.start("decide", None)?;
                let waiter = super::migrate::waiter(&holder, &watcher).await?;
                process.kill()?;
                holder.batch_execute("ROLLBACK").await?;
                // The database's process goes on until the end of the statement, with nobody to hear of it.
                super::migrate::gone(&watcher, waiter).await?;
                Ok(None)
            }
        }
    }
}

fn write(checkout: Checkout, next: Next) -> Write {
    Write { checkout: Some(checkout), next, read: ReadMade::None, lane_wait: None, news: Vec::new() }
}

fn is_done(written: Written) -> Outcome {
    if written == Written::Done { Ok(()) } else { Err("a write was lost".into()) }
}

/// True if the decision about a checkout is there, and false if nothing of it is: else an error.
async fn is_made(stage: &Stage, store: &impl Store, seen: &Checkout) -> Outcome<bool> {
    let row = store.checkout(&seen.id).await?.ok_or("lost")?;
    let (decisions, news) = (store.decisions(&seen.id).await?, news(stage, &seen.id).await?);
    let (act, state, of_news) = if seen.id == BY_WORD {
        ("settle", State::Settled, vec![format!("{BY_WORD}/settled")])
    } else {
        ("release", seen.state, Vec::new())
    };
    let text = |decided: &Decided| (decided.act.clone(), decided.by.clone(), decided.reason.clone());
    let texts: Vec<_> = decisions.iter().map(text).collect();
    if row == *seen && texts.is_empty() && news.is_empty() {
        return Ok(false);
    }
    let is_row = (row.state, row.hold.is_none(), row.version) == (state, true, seen.version + 1);
    if is_row && texts == [(act.to_owned(), BY.to_owned(), REASON.to_owned())] && news == of_news {
        return Ok(true);
    }
    Err(format!("in part: {row:?}, {decisions:?}, news {news:?}").into())
}

/// The keys of the news about a checkout.
async fn news(stage: &Stage, id: &str) -> Outcome<Vec<String>> {
    match &stage.weather.database {
        Database::Sqlite(path) => {
            let file = rusqlite::Connection::open(path)?;
            let mut keys = file.prepare("SELECT key FROM checkout_news WHERE id = ?1")?;
            let keys = keys.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(keys)
        }
        Database::Postgres { schema, .. } => {
            let select = format!("SELECT key FROM {schema}.news WHERE id = $1");
            let rows = stage.client().await?.query(&select, &[&id]).await?;
            Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
        }
    }
}
