//! The writes of leased work. Writes that wait at the same time share a call.

use core::time::Duration;

use checkout_engine::{Lease, News, Next, ReadMade, StoreError, Write, Written};
use checkout_tables::Moment;

use crate::error::{DatabaseError, Fault};
use crate::postgres::{Postgres, parameters};
use crate::queue::{Job, Sender};
use crate::read::column;
use crate::schema::{self, KNOWN};
use crate::vacuum::is_worth;

/// The longest span: two of them and a moment are still a moment.
const LONGEST: i64 = 1 << 60;

/// Work that is due so soon is urgent: the claims look for such work from the beginning of its index. The
/// time is for the transaction that sets the due: the claims have not come so far meanwhile.
pub(crate) const URGENT: i64 = 1_000;

/// Milliseconds, rounded up.
pub(crate) fn millis(span: Duration) -> i64 {
    Moment::from_unix_millis(0).saturating_add(span).unix_millis().min(LONGEST)
}

/// News, column by column.
pub(crate) struct Columns<'a> {
    pub(crate) keys: Vec<&'a str>,
    pub(crate) ids: Vec<&'a str>,
    pub(crate) subjects: Vec<&'a str>,
    pub(crate) reasons: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(news: impl Iterator<Item = &'a News> + Clone) -> Self {
        Self {
            keys: news.clone().map(|news| news.key.as_str()).collect(),
            ids: news.clone().map(|news| news.id.as_str()).collect(),
            subjects: news.clone().map(|news| news.subject.name()).collect(),
            reasons: news.map(|news| news.reason.as_deref()).collect(),
        }
    }
}

/// The answer to a write of a call.
#[derive(Clone, Copy)]
enum Outcome {
    Is(Written),
    /// Another transaction has the row.
    Busy,
}

fn ended() -> StoreError {
    StoreError::Unavailable(Box::new(DatabaseError::new("the runtime of the write has ended")))
}

impl Postgres {
    /// Writes, in one call with the writes that wait at the same time. A write that was begun ends, also
    /// where nobody waits for its answer any longer.
    pub(crate) async fn write_with_others(
        &self,
        lease: &Lease,
        write: &Write,
    ) -> Result<Written, StoreError> {
        let (answer, sender) = self.writes().add(lease.clone(), write.clone());
        if let Some(sender) = sender {
            tokio::spawn(self.clone().send(sender));
        }
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    async fn send(self, mut sender: Sender) {
        while let Some(jobs) = sender.next() {
            if self.vacuums().wrote(jobs.len()) {
                // Nothing depends on the vacuum: PostgreSQL's own one comes later.
                drop(tokio::spawn(self.clone().vacuum()));
            }
            match self.call(&jobs, false).await {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.into_iter().zip(outcomes) {
                        match outcome {
                            Outcome::Is(written) => job.answer(Ok(written)),
                            // Waits for the row without the others.
                            Outcome::Busy => drop(tokio::spawn(self.clone().send_alone(job))),
                        }
                    }
                }
                // Nothing was done, and one of the writes may be the cause.
                Err(fault) if fault.is_refusal() && jobs.len() > 1 => {
                    for job in jobs {
                        drop(tokio::spawn(self.clone().send_alone(job)));
                    }
                }
                Err(fault) => jobs.into_iter().for_each(|job| job.answer(Err(fault.error(KNOWN)))),
            }
        }
    }

    async fn send_alone(self, job: Job) {
        let answer = match self.call(core::slice::from_ref(&job), true).await {
            Ok(outcomes) => match outcomes.first() {
                Some(Outcome::Is(written)) => Ok(*written),
                Some(Outcome::Busy) | None => Err(ended()),
            },
            Err(fault) => Err(fault.error(KNOWN)),
        };
        job.answer(answer);
    }

    /// One call. `waits` is for a single write: the call then waits for whoever holds the row.
    async fn call(&self, jobs: &[Job], waits: bool) -> Result<Vec<Outcome>, Fault> {
        let mut columns = Writes::default();
        for (number, job) in jobs.iter().enumerate() {
            columns.add(i32::try_from(number).unwrap_or(i32::MAX).saturating_add(1), job);
        }
        let news = Columns::of(jobs.iter().flat_map(|job| &job.write.news));
        let parameters = parameters![
            waits => BOOL, columns.ids => TEXT_ARRAY, columns.fences => INT8_ARRAY, columns.nudges => INT8_ARRAY,
            columns.rows => BOOL_ARRAY, columns.states => TEXT_ARRAY, columns.checkout_ids => TEXT_ARRAY,
            columns.pages => TEXT_ARRAY, columns.holds => TEXT_ARRAY, columns.notes => TEXT_ARRAY,
            columns.nexts => TEXT_ARRAY, columns.afters => INT8_ARRAY, columns.watches => TEXT_ARRAY,
            columns.reads => TEXT_ARRAY, columns.waits => INT8_ARRAY, columns.news_of => INT4_ARRAY,
            news.keys => TEXT_ARRAY, news.ids => TEXT_ARRAY, news.subjects => TEXT_ARRAY,
            news.reasons => TEXT_ARRAY, URGENT => INT8,
        ];
        let rows = self.attempt(&self.statements().write, parameters).await?;
        let done: Vec<Option<bool>> = match rows.first() {
            Some(row) => row.try_get("done").map_err(Fault::Driver)?,
            None => Vec::new(),
        };
        let outcome = |number| match done.get(number) {
            Some(Some(true)) => Outcome::Is(Written::Done),
            Some(Some(false)) => Outcome::Is(Written::Lost),
            Some(None) | None => Outcome::Busy,
        };
        Ok((0..jobs.len()).map(outcome).collect())
    }
}

impl Postgres {
    /// Vacuums the table of work if there are many dead rows. Only the owner of the table may: for another
    /// role, PostgreSQL's own vacuum has to do.
    async fn vacuum(self) -> Result<(), StoreError> {
        if self.pool().status().max_size < 2 {
            // Nobody waits for the vacuum to give back the only connection.
            return Ok(());
        }
        let left = self.vacuums().left();
        let Some((dead, living)) = self.dead_work().await? else { return Ok(()) };
        if !is_worth(dead, living, left) {
            // After another vacuum there are fewer.
            self.vacuums().leaves(left.min(dead));
            return Ok(());
        }
        // A claim waits neither for the lock nor for the end of the file to be cut off.
        let vacuum = schema::named("VACUUM (SKIP_LOCKED, TRUNCATE false) checkout.work", self.schema());
        self.run(&vacuum).await?;
        if let Some((dead, _)) = self.dead_work().await? {
            self.vacuums().leaves(dead);
        }
        Ok(())
    }

    /// The dead rows of the work and the living ones, if this role may vacuum the table.
    async fn dead_work(&self) -> Result<Option<(i64, i64)>, StoreError> {
        let rows = self.ask(&self.statements().dead_work, &[]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(if column(row, "may")? { Some((column(row, "dead")?, column(row, "living")?)) } else { None })
    }
}

/// Writes, column by column.
#[derive(Default)]
struct Writes<'a> {
    ids: Vec<&'a str>,
    fences: Vec<i64>,
    nudges: Vec<i64>,
    rows: Vec<bool>,
    states: Vec<Option<&'a str>>,
    checkout_ids: Vec<Option<&'a str>>,
    pages: Vec<Option<&'a str>>,
    holds: Vec<Option<&'a str>>,
    notes: Vec<Option<&'a str>>,
    nexts: Vec<&'a str>,
    afters: Vec<i64>,
    watches: Vec<&'a str>,
    reads: Vec<&'a str>,
    waits: Vec<Option<i64>>,
    /// The number of the write, for each news.
    news_of: Vec<i32>,
}

impl<'a> Writes<'a> {
    fn add(&mut self, number: i32, job: &'a Job) {
        let Job { lease, write, .. } = job;
        let row = write.checkout.as_ref();
        let (next, after, watch) = match &write.next {
            Next::Keep => ("keep", Duration::ZERO, ""),
            Next::Due { after, watch } => ("due", *after, watch.as_str()),
            Next::Back { after } => ("back", *after, ""),
            Next::Ended { watch } => ("ended", Duration::ZERO, watch.as_str()),
        };
        let read = match write.read {
            ReadMade::None => "none",
            ReadMade::Sent => "sent",
            ReadMade::Answered => "answered",
        };
        self.ids.push(&lease.id);
        self.fences.push(lease.fence);
        self.nudges.push(lease.nudges);
        self.rows.push(row.is_some());
        self.states.push(row.map(|row| row.state.name()));
        self.checkout_ids.push(row.and_then(|row| row.checkout_id.as_deref()));
        self.pages.push(row.and_then(|row| row.page.as_ref()).map(|page| page.as_str()));
        self.holds.push(row.and_then(|row| row.hold.as_deref()));
        self.notes.push(row.map(|row| row.notes.as_str()));
        self.nexts.push(next);
        self.afters.push(millis(after));
        self.watches.push(watch);
        self.reads.push(read);
        self.waits.push(write.lane_wait.map(millis));
        self.news_of.extend(write.news.iter().map(|_| number));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::vacuum::WORTH;
    use crate::{Options, Postgres};
    use std::env;
    use std::io::Write as _;

    /// The vacuums by hand of a schema's table of work, after a store of this URL had reason for one.
    async fn vacuums(url: &str, store: &Postgres) -> i64 {
        store.clone().vacuum().await.unwrap();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let count = "SELECT vacuum_count FROM pg_stat_all_tables WHERE schemaname = $1 AND relname = 'work'";
        client.query_one(count, &[&store.schema()]).await.unwrap().get(0)
    }

    #[test]
    fn many_dead_rows_are_vacuumed_by_the_owner_of_the_table_alone() {
        let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
            let _ =
                writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
            return;
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let schema = format!("vacuum_{}", std::process::id());
            let owner = Options::new().schema(&schema).connections(2).notify(false);
            let owner = owner.connect(&url).await.unwrap();
            let role = format!("r_{schema}");
            owner.run(&format!("CREATE ROLE {role}")).await.unwrap();
            owner.run(&crate::grants(&schema, &role).unwrap()).await.unwrap();
            let join = if url.contains('?') { '&' } else { '?' };
            let as_role = format!("{url}{join}options=-c%20role%3D{role}");
            let other = Options::new().schema(&schema).migrate(false).connections(2).notify(false);
            let other = other.connect(&as_role).await.unwrap();
            assert_eq!(vacuums(&url, &owner).await, 0, "nothing is dead");
            owner
                .run(&format!(
                    "ALTER TABLE {schema}.work SET (autovacuum_enabled = false);
                     INSERT INTO {schema}.work (id, lane, due, fence, tries, leased, urgent)
                        SELECT n, 'l', n, n, 0, false, false FROM generate_series(1, {WORTH}) n;
                     UPDATE {schema}.work SET due = due + 1; UPDATE {schema}.work SET due = due + 1;
                     SELECT pg_stat_force_next_flush()"
                ))
                .await
                .unwrap();
            while owner.dead_work().await.unwrap().is_none_or(|(dead, _)| dead <= WORTH * 3 / 2) {}
            assert_eq!(vacuums(&url, &other).await, 0, "the role does not own the table");
            assert_eq!(vacuums(&url, &owner).await, 1);
            assert_eq!(vacuums(&url, &owner).await, 1, "nothing is dead any more");
            owner
                .run(&format!("DROP SCHEMA {schema} CASCADE; DROP OWNED BY {role}; DROP ROLE {role}"))
                .await
                .unwrap();
        });
    }
}
