//! A world: keys, the three sandboxes, and a clock of its own.

mod change;
mod hooks;
mod snapshot;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock::{Pace, Start, WorldClock};
use crate::journal::{Entry, Journal};
use crate::keys::{Keys, number_of};
use crate::machine;
use crate::tokens::Tokens;
use crate::turn::Turn;
use crate::webhooks::{Hooks, Mail};

pub use hooks::{Attempt, EndpointError, Webhook};
pub use snapshot::SnapshotError;
use snapshot::Snapshots;
pub(crate) use snapshot::is_name;

/// A world: keys, sandboxes and a clock of its own. A request comes into the world whose keys the request
/// names.
///
/// ```
/// use checkout_sandbox::allscale::Scenario;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// let world = server.default_world();
/// world.allscale().next_intent(Scenario::underpaid());
/// assert!(world.allscale().intents().is_empty());
/// # Ok(()) }
/// ```
pub struct World {
    name: String,
    seed: u64,
    start: Start,
    keys: Keys,
    played: Arc<Played>,
    hooks: Hooks,
    tokens: Mutex<Tokens>,
    /// Taken by each change that has several steps.
    turn: Turn,
    /// The file that keeps the changes.
    journal: OnceLock<Arc<Journal>>,
    kept: Mutex<Snapshots>,
}

/// The providers as a world plays them.
pub(crate) struct Played {
    pub(crate) allscale: allscale::Sandbox,
    pub(crate) azotte: azotte::Sandbox,
    pub(crate) peach: peach::Sandbox,
    pub(crate) clock: WorldClock,
    /// Held by the page that acts for a payer: the page first looks if the act is possible.
    pub(crate) acts: Mutex<()>,
    /// The webhooks, with all attempts to deliver them.
    pub(crate) mail: Mail,
}

/// A visit to the providers of a world. After the visit the courier looks for webhooks.
pub(crate) struct Visit {
    played: Arc<Played>,
    kick: Arc<Notify>,
}

impl Deref for Visit {
    type Target = Played;

    fn deref(&self) -> &Played {
        &self.played
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.kick.notify_one();
    }
}

impl World {
    /// The name of the world that takes every request with keys of no world.
    pub const DEFAULT: &'static str = "default";

    /// A world. The default world has the published keys, and each other world has keys that follow from its
    /// name. `None` if the name leads to a key that is none.
    pub(crate) fn new(name: String, seed: Option<u64>, start: Start, root: &str) -> Option<Self> {
        let is_default = name == Self::DEFAULT;
        let keys = if is_default { Keys::published() } else { Keys::of_world(&name) };
        // Every reader of JSON reads the seed exactly.
        let seed = seed.unwrap_or_else(|| if is_default { 1 } else { number_of(&name) >> 11 });
        let played = Arc::new(Played::new(&name, seed, start, &keys, root)?);
        let hooks = Hooks::default();
        let (tokens, turn, kept) = (Mutex::default(), Turn::default(), Mutex::default());
        let journal = OnceLock::new();
        Some(Self { name, seed, start, keys, played, hooks, tokens, turn, journal, kept })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The seed from which, with the world's name, all ids follow.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The beginning of the world's time.
    pub(crate) fn start(&self) -> Start {
        self.start
    }

    /// The keys that lead a request into this world.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// AllScale's sandbox, at the world's present time.
    #[must_use]
    pub fn allscale(&self) -> allscale::Sandbox {
        self.played().allscale.clone()
    }

    /// Azotte's sandbox, at the world's present time.
    #[must_use]
    pub fn azotte(&self) -> azotte::Sandbox {
        self.played().azotte.clone()
    }

    /// Peach's sandbox, at the world's present time.
    #[must_use]
    pub fn peach(&self) -> peach::Sandbox {
        self.played().peach.clone()
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.quiet().clock.shown().now()
    }

    /// The pace of the world's clock.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.quiet().clock.pace()
    }

    /// Sets the pace of the world's clock. The world's time goes on from the present time.
    pub fn set_pace(&self, pace: Pace) {
        let change = self.change();
        self.played().clock.set(pace, machine::now());
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("pace", pace.to_json()));
    }

    /// Moves the world's time forward. The pace stays the same.
    ///
    /// In a world whose time passes, the webhooks of that time are sent afterwards, in the background. In a
    /// frozen world the webhooks wait for a [step](Self::step), which sends each webhook at its moment.
    pub fn advance(&self, by: Duration) {
        let change = self.change();
        self.played().clock.advance(by, machine::now());
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("advance", json!({ "ms": millis })));
    }

    /// The moment of the next thing that time alone brings to a checkout.
    #[must_use]
    pub fn next_change(&self) -> Option<Moment> {
        let played = self.quiet();
        let (allscale, azotte) = (played.allscale.next_change(), played.azotte.next_change());
        [allscale, azotte, played.peach.next_change()].into_iter().flatten().min()
    }

    /// Begins again: no checkout, no waiting scenario or fault, the same keys and ids, and the clock as the
    /// clock was in the beginning. The snapshots stay, and the sandboxes that somebody holds are those of the
    /// world still.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Fault;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let world = server.default_world();
    /// let allscale = world.allscale();
    /// allscale.inject(Fault::Garbage);
    /// world.reset();
    /// assert_eq!(allscale.faults_waiting(), 0);
    /// allscale.inject(Fault::Garbage);
    /// assert_eq!(world.allscale().faults_waiting(), 1);
    /// # Ok(()) }
    /// ```
    pub fn reset(&self) {
        let change = self.change();
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("reset", Value::Null));
        let played = &self.played;
        // Nothing acts in between, and no webhook is taken.
        let _acts = played.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = played.mail.log();
        played.clock.begin_again(self.start, machine::now(), || {
            played.allscale.reset();
            played.azotte.reset();
            played.peach.reset();
        });
        log.begin_again();
        // A snapshot may bring the tokens back.
        if self.snapshots().is_empty() {
            self.tokens().end_all();
        }
        drop(log);
        self.hooks.kick.notify_one();
    }

    /// The access tokens that lead to the world.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The webhooks' part of the world that a reset leaves as it is.
    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// The providers, brought up to the world's present time.
    pub(crate) fn played(&self) -> Visit {
        Visit { played: self.quiet(), kick: Arc::clone(&self.hooks.kick) }
    }

    /// The providers, brought up to the world's present time, for a visitor who changes nothing.
    pub(crate) fn quiet(&self) -> Arc<Played> {
        let _change = self.change();
        Arc::clone(&self.played)
    }
}

impl Played {
    fn new(name: &str, seed: u64, start: Start, keys: &Keys, root: &str) -> Option<Self> {
        // Two worlds have different ids and access tokens under the same seed. The default world has those of
        // a sandbox in a process.
        let seed = if name == World::DEFAULT { seed } else { seed ^ number_of(&format!("seed of {name}")) };
        let clock = WorldClock::new(start, machine::now());
        let pages = |provider| format!("{root}/_/pay/{name}/{provider}");
        let allscale = allscale::Sandbox::builder().seed(seed).clock(clock.shown().clone());
        let azotte = azotte::Sandbox::builder().seed(seed).clock(clock.shown().clone());
        let peach = peach::Sandbox::builder().seed(seed).clock(clock.shown().clone());
        Some(Self {
            allscale: allscale.store(keys.store()?).pages_at(pages("allscale")).forget_requests().build(),
            azotte: azotte.tenant(keys.tenant()).pages_at(pages("azotte")).forget_requests().build(),
            peach: peach.merchant(keys.merchant()?).pages_at(pages("peach")).forget_requests().build(),
            clock,
            acts: Mutex::new(()),
            mail: Mail::default(),
        })
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("name", &self.name)
            .field("seed", &self.seed)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
