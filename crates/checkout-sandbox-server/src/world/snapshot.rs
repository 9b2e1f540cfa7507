//! The snapshots of a world: kept under a name, and brought back.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;
use serde_json::json;

use super::{Played, World};
use crate::clock::Pace;
use crate::faults::{Rule, Rules};
use crate::journal::Entry;
use crate::machine;
use crate::traffic::Traffic;
use crate::verdict::judge::Judge;
use crate::webhooks::endpoint::Endpoints;
use crate::webhooks::log::Log;

/// A copy of everything in a world but the keys.
pub(crate) struct Snapshot {
    allscale: allscale::Sandbox,
    azotte: azotte::Sandbox,
    peach: peach::Sandbox,
    log: Log,
    endpoints: Endpoints,
    faults: Rules,
    traffic: Traffic,
    judge: Judge,
    autopay: Option<Duration>,
    first_faults: Vec<Rule>,
    pace: Pace,
    at: Moment,
}

/// The snapshots of a world by name.
pub(crate) type Snapshots = BTreeMap<String, Arc<Snapshot>>;

/// The reason why a snapshot is not taken or not restored.
///
/// ```
/// use checkout_sandbox_server::SnapshotError;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// assert_eq!(server.default_world().restore("paid"), Err(SnapshotError::Unknown));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The name is not 1 to 32 of the characters a to z, 0 to 9 and -.
    #[error("is not 1 to 32 of the characters a to z, 0 to 9 and -")]
    Name,
    /// Another snapshot of the world has the name.
    #[error("another snapshot of the world has this name: DELETE that snapshot first")]
    NameTaken,
    /// The world has a hundred snapshots.
    #[error("the world has {MOST} snapshots: DELETE a snapshot first")]
    TooMany,
    /// No snapshot of the world has the name.
    #[error("no snapshot of the world has this name")]
    Unknown,
}

impl World {
    /// Keeps a copy of everything under a name: checkouts, webhooks, endpoints, the time, and the scenarios
    /// and faults that wait. A world has at most a hundred snapshots.
    ///
    /// # Errors
    /// [`SnapshotError`], but never [`SnapshotError::Unknown`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let world = server.default_world();
    /// world.set_pace(checkout_sandbox_server::Pace::Frozen);
    /// let before = world.now();
    /// world.snapshot("before")?;
    /// world.advance(Duration::from_secs(3_600));
    /// world.restore("before")?;
    /// assert_eq!(world.now(), before);
    /// # Ok(()) }
    /// ```
    pub fn snapshot(&self, name: &str) -> Result<(), SnapshotError> {
        if !is_name(name) {
            return Err(SnapshotError::Name);
        }
        let change = self.change();
        let mut kept = self.kept();
        if kept.contains_key(name) {
            return Err(SnapshotError::NameTaken);
        }
        if kept.len() >= MOST {
            return Err(SnapshotError::TooMany);
        }
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("snapshot", json!({ "name": name })));
        kept.insert(name.to_owned(), Arc::new(self.copied()));
        Ok(())
    }

    /// Brings the world back to a snapshot, with the time. The snapshot stays. No webhook of the time that is
    /// given up is sent any more; an attempt that is under way ends, and shows nowhere.
    ///
    /// # Errors
    /// [`SnapshotError::Unknown`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// server.default_world().snapshot("empty")?;
    /// server.default_world().restore("empty")?;
    /// # Ok(()) }
    /// ```
    pub fn restore(&self, name: &str) -> Result<(), SnapshotError> {
        let change = self.change();
        let snapshot = self.kept().get(name).map(Arc::clone).ok_or(SnapshotError::Unknown)?;
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("restore", json!({ "name": name })));
        self.take_over(&snapshot);
        Ok(())
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError::Unknown`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// server.default_world().snapshot("empty")?;
    /// server.default_world().forget_snapshot("empty")?;
    /// assert!(server.default_world().restore("empty").is_err());
    /// # Ok(()) }
    /// ```
    pub fn forget_snapshot(&self, name: &str) -> Result<(), SnapshotError> {
        let change = self.change();
        self.kept().remove(name).ok_or(SnapshotError::Unknown)?;
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("forget", json!({ "name": name })));
        Ok(())
    }

    /// The names of the snapshots, each with the world's time then, in the order of the names.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// assert!(server.default_world().snapshots().is_empty());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn snapshots(&self) -> Vec<(String, Moment)> {
        self.kept().iter().map(|(name, snapshot)| (name.clone(), snapshot.at)).collect()
    }

    /// Takes over everything of another world but the keys and the snapshots.
    pub(crate) fn copy(&self, other: &Self) {
        let snapshot = {
            let _change = other.change();
            // The requests hold the keys of the other world.
            Snapshot { traffic: Traffic::default(), judge: Judge::default(), ..other.copied() }
        };
        let _change = self.change();
        self.take_over(&snapshot);
        self.played.mail.log().sign_anew(&self.keys);
    }

    fn copied(&self) -> Snapshot {
        let played = self.quiet();
        let Played { allscale, azotte, peach, clock, mail, .. } = &*played;
        let (pace, at, forks) = clock.hold(|| (allscale.fork(), azotte.fork(), peach.fork()));
        let (log, endpoints) = (mail.log().clone(), self.hooks.endpoints().clone());
        let (allscale, azotte, peach) = forks;
        let (faults, traffic) = (played.faults.copied(), played.traffic().clone());
        let judge = played.judge(|judge, _| judge.clone());
        let (autopay, first_faults) = (self.autopay(), self.first_faults());
        Snapshot {
            allscale,
            azotte,
            peach,
            log,
            endpoints,
            faults,
            traffic,
            judge,
            autopay,
            first_faults,
            pace,
            at,
        }
    }

    fn take_over(&self, snapshot: &Snapshot) {
        let played = &self.played;
        // Nothing acts in between, and no webhook is taken.
        let _acts = played.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = played.mail.log();
        played.clock.go_to(snapshot.pace, machine::now(), || {
            played.allscale.restore(&snapshot.allscale);
            played.azotte.restore(&snapshot.azotte);
            played.peach.restore(&snapshot.peach);
        });
        log.go_to(&snapshot.log);
        played.faults.take_over(&snapshot.faults);
        *played.traffic() = snapshot.traffic.clone();
        played.judge(|judge, _| *judge = snapshot.judge.clone());
        *self.autopay.lock().unwrap_or_else(PoisonError::into_inner) = snapshot.autopay;
        self.first_faults.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&snapshot.first_faults);
        *self.hooks.endpoints() = snapshot.endpoints.clone();
        drop(log);
        self.hooks.tell();
        self.hooks.kick.notify_one();
    }

    fn kept(&self) -> MutexGuard<'_, Snapshots> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if a world or a snapshot may have the name.
pub(crate) fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(inner)
}

/// The most snapshots of a world.
const MOST: usize = 100;
