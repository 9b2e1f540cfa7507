//! A thread with a connection of its own, and the operations that wait for the thread.
//!
//! The thread takes the operations that wait, runs each in a savepoint of one transaction, and answers after
//! the commit. So many operations share one write to the disk, and a failed one undoes itself alone.

use crate::db::Db;
use crate::fault::Fault;
use checkout_engine::StoreError;
use rusqlite::Connection;
use std::cell::Cell;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The end of a group, so that no other process waits long: so many operations, or so much time.
const GROUP: usize = 128;
const GROUP_TIME: Duration = Duration::from_millis(10);

/// The pause before the next look at a lock that another process has.
const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// How long this thread waits for a lock, and since when.
    static PATIENCE: Cell<(Duration, Option<Instant>)> = const { Cell::new((Duration::ZERO, None)) };
}

/// Sets how long the connection waits for the locks of others, on this thread alone.
///
/// SQLite's own handler soon sleeps 100 ms at a time, and so rarely meets the moment in which a busy process
/// has let go.
pub(crate) fn be_patient(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    PATIENCE.set((patience, None));
    connection.busy_handler(Some(wait))
}

fn wait(tries: i32) -> bool {
    let (patience, since) = PATIENCE.get();
    let since = since.filter(|_| tries > 0).unwrap_or_else(Instant::now);
    PATIENCE.set((patience, Some(since)));
    let goes_on = since.elapsed() < patience;
    if goes_on {
        thread::sleep(PAUSE);
    }
    goes_on
}

/// The kind of a worker's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes the lock for writing at once: no transaction reads first and then finds that another has
    /// written.
    Write,
    /// Reads one snapshot.
    Read,
}

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN IMMEDIATE",
            Self::Read => "BEGIN",
        }
    }
}

/// A thread with a connection.
pub(crate) struct Worker {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread, which opens its connection, and waits until the connection is open.
    pub(crate) fn start(
        mode: Mode,
        grouped: bool,
        open: impl FnOnce() -> Result<Connection, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel::<Box<dyn Job>>();
        let (opened, is_open) = mpsc::channel();
        let work = move || match open() {
            Ok(connection) => {
                if opened.send(Ok(())).is_ok() {
                    run(&Db::new(&connection), mode, if grouped { GROUP } else { 1 }, &jobs);
                }
            }
            Err(error) => {
                // Who opens waits for the answer.
                let _ = opened.send(Err(error));
            }
        };
        let thread = thread::Builder::new()
            .name("checkout-sqlite".to_owned())
            .spawn(work)
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        is_open.recv().unwrap_or_else(|_| Err(Fault::ended().into_error()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs an operation in a transaction, and waits for the commit.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (to, answer) = oneshot::channel();
        let job = Operation { run: Some(run), done: None, to };
        let sent = self.queue.as_ref().and_then(|queue| queue.send(Box::new(job)).ok());
        match sent {
            Some(()) => answer.await.unwrap_or_else(|_| Err(Fault::ended().into_error())),
            None => Err(Fault::ended().into_error()),
        }
    }
}

impl Drop for Worker {
    /// Waits until the operations that were asked for are done and the file is closed.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told to those who waited.
            let _ = thread.join();
        }
    }
}

/// An operation of any answer.
trait Job: Send {
    /// False once nobody waits any longer.
    fn is_wanted(&self) -> bool;
    /// Runs within the transaction. True if the operation's savepoint is to be kept.
    fn run(&mut self, db: &Db<'_>) -> bool;
    /// Answers, once the end of the transaction is known.
    fn answer(self: Box<Self>, ended: Result<(), Fault>);
}

struct Operation<T, F> {
    run: Option<F>,
    done: Option<Result<T, StoreError>>,
    to: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Db<'_>) -> Result<T, StoreError> + Send> Job for Operation<T, F> {
    fn is_wanted(&self) -> bool {
        !self.to.is_closed()
    }

    fn run(&mut self, db: &Db<'_>) -> bool {
        self.done = self.run.take().map(|run| run(db));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, ended: Result<(), Fault>) {
        let answer = match (self.done, ended) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(_)) | None, Err(fault)) => Err(fault.into_error()),
            (Some(Ok(done)), Ok(())) => Ok(done),
            (None, Ok(())) => Err(Fault::ended().into_error()),
        };
        // Nobody waits for a dropped future's answer.
        let _ = self.to.send(answer);
    }
}

fn run(db: &Db<'_>, mode: Mode, most: usize, queue: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut done = Vec::new();
        let ended = transaction(db, mode, most, first, queue, &mut done);
        for job in done {
            job.answer(ended.clone());
        }
    }
}

/// Runs a group of operations, and returns if their transaction is committed.
fn transaction(
    db: &Db<'_>,
    mode: Mode,
    most: usize,
    first: Box<dyn Job>,
    queue: &mpsc::Receiver<Box<dyn Job>>,
    done: &mut Vec<Box<dyn Job>>,
) -> Result<(), Fault> {
    if let Err(fault) = db.step(mode.begin()) {
        done.push(first);
        return Err(fault);
    }
    let since = Instant::now();
    let mut next = Some(first);
    while let Some(mut job) = next {
        if job.is_wanted() {
            let ran = savepoint(db, &mut *job);
            done.push(job);
            if let Err(fault) = ran {
                return Err(undo(db, fault));
            }
        }
        let has_room = done.len() < most && since.elapsed() < GROUP_TIME;
        next = if has_room { queue.try_recv().ok() } else { None };
    }
    db.step("COMMIT").map_err(|fault| undo(db, fault))
}

/// Runs one operation, which undoes itself alone if it fails.
fn savepoint(db: &Db<'_>, job: &mut dyn Job) -> Result<(), Fault> {
    db.step("SAVEPOINT operation")?;
    if !job.run(db) {
        // SQLite may have undone the whole transaction, and then there is no savepoint.
        if db.is_between() {
            return Err(Fault::undone());
        }
        db.step("ROLLBACK TO operation")?;
    }
    db.step("RELEASE operation")
}

fn undo(db: &Db<'_>, fault: Fault) -> Fault {
    if !db.is_between() && db.step("ROLLBACK").is_err() {
        return Fault::ended();
    }
    fault
}
