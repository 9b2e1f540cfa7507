//! A world: keys, the three sandboxes, and a clock of its own.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;
use tokio::sync::Notify;

use crate::autopay;
use crate::clock::{Pace, Start, WorldClock};
use crate::faults::{Faults, Rule};
use crate::keys::{Keys, number_of};
use crate::machine;
use crate::problem::Problem;
use crate::traffic::{Step, Traffic};
use crate::webhooks::{Hooks, Mail};

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
    /// The address of the server, below which the payer's pages are.
    root: String,
    /// The time after which new checkouts are paid by themselves.
    autopay: Mutex<Option<Duration>>,
    /// The rules with which the world begins.
    first_faults: OnceLock<Vec<Rule>>,
    played: RwLock<Arc<Played>>,
    hooks: Hooks,
}

/// The providers as a world plays them, from one reset to the next.
pub(crate) struct Played {
    pub(crate) allscale: allscale::Sandbox,
    pub(crate) azotte: azotte::Sandbox,
    pub(crate) peach: peach::Sandbox,
    pub(crate) clock: WorldClock,
    /// Held by the page that acts for a payer: the page first looks if the act is possible.
    pub(crate) acts: Mutex<()>,
    /// The webhooks, with all attempts to deliver them.
    pub(crate) mail: Mail,
    /// The rules by which requests go wrong.
    pub(crate) faults: Faults,
    /// The requests, with the answers.
    traffic: Mutex<Traffic>,
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
        let seed = seed.unwrap_or_else(|| if is_default { 1 } else { number_of(&name) });
        let played = RwLock::new(Arc::new(Played::new(&name, seed, start, &keys, root)?));
        let (root, hooks, first_faults) = (root.to_owned(), Hooks::default(), OnceLock::new());
        let autopay = Mutex::default();
        Some(Self { name, seed, start, keys, root, autopay, first_faults, played, hooks })
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
        let played = self.played();
        played.clock.set(pace, machine::now());
        let now = played.clock.shown().now();
        let mut traffic = played.traffic();
        let after = traffic.last();
        traffic.note_step(Step { from: now, to: now, pace, after });
    }

    /// Moves the world's time forward. The pace stays the same.
    ///
    /// In a world whose time passes, the webhooks of that time are sent afterwards, in the background. In a
    /// frozen world the webhooks wait for a step by the admin route, which sends each webhook at its moment.
    pub fn advance(&self, by: Duration) {
        let played = self.played();
        let from = played.clock.shown().now();
        played.clock.advance(by, machine::now());
        let (to, pace) = (played.clock.shown().now(), played.clock.pace());
        let mut traffic = played.traffic();
        let after = traffic.last();
        traffic.note_step(Step { from, to, pace, after });
    }

    /// Lets each new checkout be paid by itself after this time of the world's clock, unless somebody has
    /// chosen a scenario. `None` lets new checkouts go through the usual scenario. A reset changes nothing of
    /// this.
    pub fn set_autopay(&self, after: Option<Duration>) {
        *self.autopay.lock().unwrap_or_else(PoisonError::into_inner) = after;
        self.played().set_autopay(after);
    }

    /// The time after which a new checkout is paid by itself.
    #[must_use]
    pub fn autopay(&self) -> Option<Duration> {
        *self.autopay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the providers' own clocks ahead of the world's clock by so many milliseconds, or behind if
    /// negative, until the next reset. Everything happens at its right time, and the times that the providers
    /// tell and compare are wrong.
    pub fn set_skew_ms(&self, skew_ms: i64) {
        let played = self.played();
        played.allscale.set_skew_ms(skew_ms);
        played.azotte.set_skew_ms(skew_ms);
        played.peach.set_skew_ms(skew_ms);
    }

    /// The milliseconds by which the providers' own clocks are ahead of the world's clock.
    #[must_use]
    pub fn skew_ms(&self) -> i64 {
        self.quiet().allscale.skew_ms()
    }

    /// The moment of the next thing that time alone brings to a checkout.
    #[must_use]
    pub fn next_change(&self) -> Option<Moment> {
        let played = self.quiet();
        let (allscale, azotte) = (played.allscale.next_change(), played.azotte.next_change());
        [allscale, azotte, played.peach.next_change()].into_iter().flatten().min()
    }

    /// Sets the rules with which the world begins, now and after each reset.
    ///
    /// # Errors
    /// There are too many rules.
    pub(crate) fn begin_with(&self, faults: Vec<Rule>) -> Result<(), Problem> {
        let faults = self.first_faults.get_or_init(|| faults);
        faults.iter().try_for_each(|rule| self.quiet().faults.add(rule.clone()).map(|_| ()))
    }

    /// Begins again: no checkout, no waiting scenario or fault, the same keys and ids, and the clock as the
    /// clock was in the beginning.
    pub fn reset(&self) {
        if let Some(played) = Played::new(&self.name, self.seed, self.start, &self.keys, &self.root) {
            played.set_autopay(self.autopay());
            for rule in self.first_faults.get().into_iter().flatten() {
                // There was room for the rules in the beginning.
                let _ = played.faults.add(rule.clone());
            }
            *self.played.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(played);
            self.hooks.kick.notify_one();
        }
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
        let played = Arc::clone(&self.played.read().unwrap_or_else(PoisonError::into_inner));
        played.clock.catch_up(machine::now());
        played
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
            faults: Faults::default(),
            traffic: Mutex::default(),
        })
    }

    fn set_autopay(&self, after: Option<Duration>) {
        self.allscale.set_scenario(after.map(autopay::allscale));
        self.azotte.set_scenario(after.map(autopay::azotte));
        self.peach.set_scenario(after.map(autopay::peach));
    }

    /// The requests, with the answers.
    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
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
