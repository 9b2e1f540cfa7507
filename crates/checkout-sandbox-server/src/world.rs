//! A world: keys, the three sandboxes, and a clock of its own.

mod change;
mod hooks;
mod snapshot;

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::autopay;
use crate::clock::{Pace, Start, WorldClock};
use crate::faults::{self, Faults, Rule};
use crate::journal::{Entry, Journal};
use crate::keys::{Keys, number_of};
use crate::machine;
use crate::mask::Mask;
use crate::problem::Problem;
use crate::tokens::Tokens;
use crate::traffic::{Step, Traffic};
use crate::turn::Turn;
use crate::verdict::judge::Judge;
use crate::verdict::witness::Witness;
use crate::verdict::{Finding, Verdict};
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
    /// The time after which new checkouts are paid by themselves.
    autopay: Mutex<Option<Duration>>,
    /// The rules with which the world begins.
    first_faults: Mutex<Vec<Rule>>,
    after_reset: Mutex<Option<AfterReset>>,
    played: Arc<Played>,
    hooks: Hooks,
    tokens: Mutex<Tokens>,
    /// Taken by each change that has several steps.
    turn: Turn,
    /// True as soon as somebody has taken the world away: another world may have the name.
    gone: AtomicBool,
    /// The file that keeps the changes.
    journal: OnceLock<Arc<Journal>>,
    kept: Mutex<Snapshots>,
}

/// The thing that is done after each reset of a world.
pub(crate) type AfterReset = Arc<dyn Fn(&World) + Send + Sync>;

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
    /// The rules by which requests go wrong.
    pub(crate) faults: Faults,
    /// The requests, with the answers.
    traffic: Mutex<Traffic>,
    judge: Mutex<Judge>,
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
        let (hooks, autopay, first_faults) = (Hooks::default(), Mutex::default(), Mutex::default());
        let (tokens, turn, kept) = (Mutex::default(), Turn::default(), Mutex::default());
        let gone = AtomicBool::new(false);
        let (journal, after_reset) = (OnceLock::new(), Mutex::default());
        Some(Self {
            name,
            seed,
            start,
            keys,
            autopay,
            first_faults,
            after_reset,
            played,
            hooks,
            tokens,
            turn,
            gone,
            journal,
            kept,
        })
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
        let played = self.played();
        played.clock.set(pace, machine::now());
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("pace", pace.to_json()));
        let now = played.clock.shown().now();
        let mut traffic = played.traffic();
        let after = traffic.last();
        traffic.note_step(Step { from: now, to: now, pace, after });
    }

    /// Moves the world's time forward. The pace stays the same.
    ///
    /// In a world whose time passes, the webhooks of that time are sent afterwards, in the background. In a
    /// frozen world the webhooks wait for a [step](Self::step), which sends each webhook at its moment.
    pub fn advance(&self, by: Duration) {
        let from = self.now();
        self.go_on(by);
        let played = self.played();
        let (to, pace) = (played.clock.shown().now(), played.clock.pace());
        let mut traffic = played.traffic();
        let after = traffic.last();
        traffic.note_step(Step { from, to, pace, after });
    }

    /// Moves the world's time forward, as a part of a step.
    pub(crate) fn go_on(&self, by: Duration) {
        let change = self.change();
        self.played().clock.advance(by, machine::now());
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("advance", json!({ "ms": millis })));
    }

    /// Lets each new checkout be paid by itself after this time of the world's clock, unless somebody has
    /// chosen a scenario. `None` lets new checkouts go through the usual scenario. A reset changes nothing of
    /// this.
    pub fn set_autopay(&self, after: Option<Duration>) {
        let change = self.change();
        *self.autopay.lock().unwrap_or_else(PoisonError::into_inner) = after;
        self.played().set_autopay(after);
        let millis = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("autopay", json!({ "after_ms": millis })));
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
        let change = self.change();
        let played = self.played();
        played.allscale.set_skew_ms(skew_ms);
        played.azotte.set_skew_ms(skew_ms);
        played.peach.set_skew_ms(skew_ms);
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("skew", json!({ "ms": skew_ms })));
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

    /// Sets the rules with which the world begins, now and after each reset, in place of the rules with which
    /// the world began before.
    ///
    /// # Errors
    /// A line is no rule, or there are too many rules.
    pub(crate) fn begin_with(&self, lines: &[String], autopay: Option<Duration>) -> Result<(), Problem> {
        let rules: Vec<Rule> =
            lines.iter().map(|line| faults::rule_of_line(line)).collect::<Result<_, _>>()?;
        let change = self.change();
        let mut first = self.first_faults.lock().unwrap_or_else(PoisonError::into_inner);
        if rules.is_empty() && autopay.is_none() && first.is_empty() {
            return Ok(());
        }
        *first = self.played.faults.replace(&first, rules)?;
        drop(first);
        if autopay.is_some() {
            self.set_autopay(autopay);
        }
        let millis = autopay.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("begin", json!({ "faults": lines, "autopay_ms": millis })));
        Ok(())
    }

    fn first_faults(&self) -> Vec<Rule> {
        self.first_faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins again: no checkout, no waiting scenario or fault, the same keys and ids, and the clock as the
    /// clock was in the beginning. The requests of a [seed file](crate::Builder::seed_requests) about the
    /// world are played again. The snapshots stay, and the sandboxes that somebody holds are those of the
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
        let acts = played.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = played.mail.log();
        played.clock.begin_again(self.start, machine::now(), || {
            played.allscale.reset();
            played.azotte.reset();
            played.peach.reset();
        });
        played.set_autopay(self.autopay());
        let first = played.faults.begin_again(&self.first_faults());
        *self.first_faults.lock().unwrap_or_else(PoisonError::into_inner) = first;
        *played.traffic() = Traffic::default();
        played.judge(|judge, _| *judge = Judge::default());
        log.begin_again();
        // A snapshot may bring the tokens back.
        if self.snapshots().is_empty() {
            self.tokens().end_all();
        }
        drop((log, acts));
        let after = self.after_reset.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(after) = after {
            after(self);
        }
        self.hooks.kick.notify_one();
    }

    /// Does `after` at the end of each reset from now on, as a part of the reset. `after` waits for nothing.
    pub(crate) fn after_resets(&self, after: AfterReset) {
        *self.after_reset.lock().unwrap_or_else(PoisonError::into_inner) = Some(after);
    }

    /// The access tokens that lead to the world.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict on the client since the last reset, while the client works: a webhook and a payment of the
    /// last 60 seconds still have time to be read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let verdict = server.default_world().verdict();
    /// assert!(verdict.findings.is_empty() && !verdict.is_final);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.judged(false)
    }

    /// The verdict on a client that does nothing any more: a webhook or a payment that was not read is never
    /// read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let verdict = server.default_world().verdict_at_end();
    /// assert!(verdict.findings.is_empty() && verdict.is_final);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn verdict_at_end(&self) -> Verdict {
        self.judged(true)
    }

    fn judged(&self, is_final: bool) -> Verdict {
        let played = self.quiet();
        let now = played.clock.shown().now();
        let mut verdict = played.judge(|judge, witness| judge.verdict(&self.name, now, is_final, witness));
        self.mask(verdict.findings.iter_mut().chain(&mut verdict.remarks));
        verdict
    }

    /// Takes the secrets of the world out of findings: an order can have any name.
    pub(crate) fn mask<'a>(&self, findings: impl Iterator<Item = &'a mut Finding>) {
        let mask = Mask::of(&self.keys);
        for finding in findings {
            finding.order = finding.order.take().map(|order| mask.text(&order));
            finding.sentence = mask.text(&finding.sentence);
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
            faults: Faults::default(),
            traffic: Mutex::default(),
            judge: Mutex::default(),
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

    /// Asks the judge of the client, who asks the sandboxes. Nobody who holds a lock of a sandbox may ask.
    pub(crate) fn judge<T>(&self, ask: impl FnOnce(&mut Judge, &Witness<'_>) -> T) -> T {
        let witness = Witness { allscale: &self.allscale, azotte: &self.azotte, peach: &self.peach };
        ask(&mut self.judge.lock().unwrap_or_else(PoisonError::into_inner), &witness)
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
