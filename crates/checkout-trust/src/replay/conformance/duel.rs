//! Two callers at once on one key: the slow caller begins, and the other steps in while the slow caller is at
//! work.
//!
//! A store that looks and then writes is wrong only between the two steps. The suite therefore measures the
//! time that a store takes for the slow caller's act, alone, and lets the other caller step in after a half
//! of that time, a quarter, three quarters, an eighth and so on. The first of these hits the gap of a store
//! behind a network; the gap of a store in memory needs many.

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use super::{Broken, LEASE, LEASE_MILLIS, Law, PATIENCE, START, STEPS, Said, Task, Trial, Waiting, at, key};
use crate::replay::{AsyncStore, Commit, FencingToken, Key, Release, Slot, Store};

/// Checks a law of two callers on a blocking store.
pub(super) fn check<S: Store<Error: Display> + Sync>(
    law: Law,
    make: impl Fn() -> Trial<S>,
) -> Result<(), Broken> {
    DUELS.iter().filter(|duel| duel.law == law).try_for_each(|duel| duel.on_threads(&make))
}

/// Checks a law of two callers on two futures of one thread: the slow caller gets one step, two, three and so
/// on, before the other begins.
pub(super) fn check_by_steps<S, B>(law: Law, make: impl Fn() -> Trial<Waiting<S, B>>) -> Result<(), Broken>
where
    S: AsyncStore<Error: Display>,
    B: for<'f> Fn(Task<'f>) + Sync,
{
    DUELS.iter().filter(|duel| duel.law == law).try_for_each(|duel| duel.by_steps(&make()))
}

/// The act of a caller.
#[derive(Clone, Copy)]
enum Act {
    Claim,
    /// Claims the key, and commits if the claim was fresh.
    ClaimThenCommit,
    Commit,
    Release,
    ReleaseThenClaim,
}

/// The answers to a caller.
#[derive(Clone, Copy, Default)]
struct ReadOutcome {
    slot: Option<Slot>,
    commit: Option<Commit>,
    release: Option<Release>,
}

/// The state of the key before a duel.
#[derive(Clone, Copy)]
enum Setting {
    /// Claimed, and in its lease.
    Held,
    /// Claimed, and its lease has ended.
    Ended,
    /// Claimed and released.
    Free,
}

/// The law that holds after a duel, in any order of the store's steps.
#[derive(Clone, Copy)]
enum Rule {
    /// The claim is fresh, and the key belongs to the claim.
    ClaimStands,
    /// The commit holds and the claim is answered so, or the commit is lost and the claim is fresh.
    CommitOrTakeover,
    /// The commit holds, and the claim is not fresh.
    CommitStands,
    /// One of the two claims is fresh, and its commit holds.
    OneIsFresh,
    /// If the commit holds, the key is done.
    CommitIsKept,
}

struct Duel {
    law: Law,
    setting: Setting,
    slow: Act,
    quick: Act,
    rule: Rule,
}

const fn duel(law: Law, setting: Setting, slow: Act, quick: Act, rule: Rule) -> Duel {
    Duel { law, setting, slow, quick, rule }
}

const DUELS: [Duel; 12] = [
    duel(Law::CommitOrTakeover, Setting::Ended, Act::Commit, Act::Claim, Rule::CommitOrTakeover),
    duel(Law::CommitOrTakeover, Setting::Ended, Act::Claim, Act::Commit, Rule::CommitOrTakeover),
    duel(Law::ReleaseSparesTakeover, Setting::Ended, Act::Release, Act::Claim, Rule::ClaimStands),
    duel(Law::ReleaseSparesTakeover, Setting::Ended, Act::Claim, Act::Release, Rule::ClaimStands),
    // A repeated release deletes the claim that the first release has made room for.
    duel(Law::ReleaseSparesTakeover, Setting::Held, Act::ReleaseThenClaim, Act::Release, Rule::ClaimStands),
    duel(Law::ReleaseSparesCommit, Setting::Held, Act::Release, Act::Commit, Rule::CommitIsKept),
    duel(Law::ReleaseSparesCommit, Setting::Held, Act::Commit, Act::Release, Rule::CommitIsKept),
    duel(Law::ClaimSparesCommit, Setting::Held, Act::Claim, Act::Commit, Rule::CommitStands),
    duel(Law::ClaimSparesCommit, Setting::Held, Act::Commit, Act::Claim, Rule::CommitStands),
    duel(Law::ClaimSparesCommit, Setting::Free, Act::Claim, Act::ClaimThenCommit, Rule::OneIsFresh),
    duel(Law::ClaimSparesCommit, Setting::Ended, Act::Claim, Act::ClaimThenCommit, Rule::OneIsFresh),
    duel(Law::ClaimSparesCommit, Setting::Free, Act::ClaimThenCommit, Act::Claim, Rule::OneIsFresh),
];

/// The key of a duel, the claim that the duel begins with, and the time of both callers.
struct Ground {
    key: Key,
    fence: FencingToken,
    now: i64,
}

impl Duel {
    fn on_threads<S: Store<Error: Display> + Sync>(
        &self,
        make: &impl Fn() -> Trial<S>,
    ) -> Result<(), Broken> {
        let began = Instant::now();
        self.many(&make())?;
        for series in 0..SERIES {
            let trial = make();
            let mut alone = Duration::ZERO;
            for round in 0..ROUNDS {
                if began.elapsed() > PATIENCE && (series > 0 || round >= LEAST_ROUNDS) {
                    return Ok(());
                }
                if round % ROUNDS_PER_MEASUREMENT == 0 {
                    alone = self.alone(&trial, 2 * round)?;
                }
                // A half, a quarter, three quarters, an eighth, and so on: the digits of the round, reversed.
                let part = (round + 1).reverse_bits() >> (ROUNDS.leading_zeros() + 1);
                let ground = self.ground(&trial, &format!("duel {round}"), 2 * round + 1)?;
                let heard = self.at_once(&trial, &ground, alone.saturating_mul(part) / ROUNDS)?;
                self.judge(&trial, &ground, heard)?;
            }
        }
        Ok(())
    }

    /// Many duels next to each other, each with a key and a part of its own.
    fn many<S: Store<Error: Display> + Sync>(&self, trial: &Trial<S>) -> Result<(), Broken> {
        for batch in 0..BATCHES {
            let alone = self.alone(trial, 2 * batch)?;
            let name = |member: usize| format!("duel {batch} {member}");
            let grounds = trial
                .crowd_of(AT_ONCE, |member| Ok((member, self.ground(trial, &name(member), 2 * batch + 1))))?;
            let mut ready = Vec::with_capacity(grounds.len());
            for (member, ground) in grounds {
                ready.push((u32::try_from(member).unwrap_or(0), ground?));
            }
            let judged = trial.crowd_of(AT_ONCE, |member| {
                let Some((part, ground)) = ready.get(member) else { return Ok(Ok(())) };
                // The second batch lies between the parts of the first.
                let after = alone.saturating_mul(part * BATCHES + batch) / (PARTS * BATCHES);
                Ok(self.at_once(trial, ground, after).and_then(|heard| self.judge(trial, ground, heard)))
            })?;
            judged.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// The time that the slow caller takes alone.
    fn alone<S: Store<Error: Display>>(&self, trial: &Trial<S>, turn: u32) -> Result<Duration, Broken> {
        let ground = self.ground(trial, &format!("alone {turn}"), turn)?;
        let begun = Instant::now();
        trial.act(self.slow, &ground).or_else(|error| trial.failed(&error))?;
        Ok(begun.elapsed())
    }

    fn by_steps<S, B>(&self, trial: &Trial<Waiting<S, B>>) -> Result<(), Broken>
    where
        S: AsyncStore<Error: Display>,
        B: for<'f> Fn(Task<'f>) + Sync,
    {
        for steps in 1..=STEPS {
            let ground = self.ground(trial, &format!("duel {steps}"), steps)?;
            let store = &trial.store.store;
            let slow = perform(store, self.slow, &ground);
            let quick = perform(store, self.quick, &ground);
            let heard =
                trial.store.wait(step_in(slow, quick, steps)).or_else(|error| trial.failed(&error))?;
            let (slow, quick, ended_early) = heard;
            let slow = slow.or_else(|error| trial.failed(&error))?;
            let quick = quick.or_else(|error| trial.failed(&error))?;
            self.judge(trial, &ground, (slow, quick))?;
            if ended_early {
                break;
            }
        }
        Ok(())
    }

    /// Creates a key in the state that the duel needs, at a time that the turn gives.
    fn ground<S: Store<Error: Display>>(
        &self,
        trial: &Trial<S>,
        name: &str,
        turn: u32,
    ) -> Result<Ground, Broken> {
        let (key, start) = (key(name), START + i64::from(turn) * 10 * LEASE_MILLIS);
        let fence = trial.fresh("a new key", &key, start)?;
        let now = match self.setting {
            Setting::Held => start + LEASE_MILLIS / 2,
            Setting::Ended => start + LEASE_MILLIS + 1,
            Setting::Free => {
                trial.releases("a claim in its lease", &key, fence)?;
                start
            }
        };
        Ok(Ground { key, fence, now })
    }

    /// Runs the slow caller on a thread of its own; the other steps in when the slow caller has worked for so
    /// long.
    fn at_once<S: Store<Error: Display> + Sync>(
        &self,
        trial: &Trial<S>,
        ground: &Ground,
        after: Duration,
    ) -> Result<(ReadOutcome, ReadOutcome), Broken> {
        let begun = AtomicBool::new(false);
        let heard = thread::scope(|scope| {
            let slow = || {
                begun.store(true, Ordering::Release);
                trial.act(self.slow, ground)
            };
            let slow = thread::Builder::new()
                .spawn_scoped(scope, slow)
                .map_err(|error| format!("a thread could not be started: {error}"))?;
            while !begun.load(Ordering::Acquire) {
                thread::yield_now();
            }
            pause(after);
            let quick = trial.act(self.quick, ground);
            let slow = slow.join().unwrap_or_else(|_| Err("an operation panicked".into()));
            Ok((slow?, quick?))
        });
        heard.or_else(|error: String| trial.broken(error))
    }

    fn judge<S: Store<Error: Display>>(
        &self,
        trial: &Trial<S>,
        ground: &Ground,
        (slow, quick): (ReadOutcome, ReadOutcome),
    ) -> Result<(), Broken> {
        let &Ground { ref key, now, .. } = ground;
        let both = ReadOutcome {
            slot: slow.slot.or(quick.slot),
            commit: slow.commit.or(quick.commit),
            release: slow.release.or(quick.release),
        };
        let fresh = match self.rule {
            Rule::ClaimStands => match both.slot {
                Some(Slot::Fresh(fence)) => Some(fence),
                Some(Slot::InFlight { .. } | Slot::Done) | None => {
                    return self.unexplained(trial, slow, quick);
                }
            },
            Rule::CommitOrTakeover => match (both.commit, both.slot) {
                (Some(Commit::Committed), Some(Slot::Done)) => None,
                (Some(Commit::Lost), Some(Slot::Fresh(fence))) => Some(fence),
                _ => return self.unexplained(trial, slow, quick),
            },
            Rule::CommitStands => match (both.commit, both.slot) {
                (Some(Commit::Committed), Some(Slot::InFlight { .. } | Slot::Done)) => None,
                _ => return self.unexplained(trial, slow, quick),
            },
            Rule::OneIsFresh => match (slow.slot, slow.commit, quick.slot, quick.commit) {
                (
                    Some(Slot::Fresh(_)),
                    Some(Commit::Committed),
                    Some(Slot::InFlight { .. } | Slot::Done),
                    None,
                )
                | (
                    Some(Slot::InFlight { .. } | Slot::Done),
                    None,
                    Some(Slot::Fresh(_)),
                    Some(Commit::Committed),
                ) => None,
                (Some(Slot::Fresh(fence)), None, Some(Slot::InFlight { .. }), None)
                | (Some(Slot::InFlight { .. }), None, Some(Slot::Fresh(fence)), None) => Some(fence),
                _ => return self.unexplained(trial, slow, quick),
            },
            Rule::CommitIsKept => match (both.commit, both.release) {
                (Some(Commit::Committed), _) => None,
                (Some(Commit::Lost), Some(Release::Released)) => {
                    return trial.fresh("a key that was released, its commit being lost", key, now).map(drop);
                }
                _ => return self.unexplained(trial, slow, quick),
            },
        };
        let with = self.words();
        if let Some(fence) = fresh {
            let situation = format!("a key that was claimed fresh {with}");
            trial.in_flight(&situation, key, now, now + LEASE_MILLIS)?;
            trial.commits(&format!("the claim that was fresh {with}"), key, fence, now)?;
        }
        trial.done(&format!("a key that was committed, {with},"), key, now)
    }

    /// No order of the steps gives these answers.
    fn unexplained<S: Store<Error: Display>>(
        &self,
        trial: &Trial<S>,
        slow: ReadOutcome,
        quick: ReadOutcome,
    ) -> Result<(), Broken> {
        let (with, slow, quick) = (self.words(), slow.words(), quick.words());
        trial.broken(format!("{with}, the first heard {slow} and the other {quick}, which no order explains"))
    }

    fn words(&self) -> String {
        let setting = match self.setting {
            Setting::Held => "in its lease",
            Setting::Ended => "after a lease",
            Setting::Free => "of a free key",
        };
        format!("while {} ran {setting} and {} came in between", self.slow.words(), self.quick.words())
    }
}

impl Act {
    const fn words(self) -> &'static str {
        match self {
            Self::Claim => "a claim",
            Self::ClaimThenCommit => "a claim and its commit",
            Self::Commit => "a commit",
            Self::Release => "a release",
            Self::ReleaseThenClaim => "a release and a new claim",
        }
    }
}

impl ReadOutcome {
    fn words(self) -> String {
        let slot = self.slot.map(|slot| Said(slot).to_string());
        let commit = self.commit.map(|commit| match commit {
            Commit::Committed => "committed".to_owned(),
            Commit::Lost => "commit lost".to_owned(),
        });
        let release = self.release.map(|release| match release {
            Release::Released => "released".to_owned(),
            Release::Lost => "release lost".to_owned(),
        });
        [release, slot, commit].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl<S: Store<Error: Display>> Trial<S> {
    fn act(&self, act: Act, &Ground { ref key, fence, now }: &Ground) -> Result<ReadOutcome, String> {
        let mut heard = ReadOutcome::default();
        if let Act::Release | Act::ReleaseThenClaim = act {
            heard.release = Some(self.release(key, fence)?);
        }
        if let Act::Claim | Act::ClaimThenCommit | Act::ReleaseThenClaim = act {
            heard.slot = Some(self.claim(key, now)?);
        }
        if let Some(fence) = act.commits(fence, heard) {
            heard.commit = Some(self.commit(key, fence, now)?);
        }
        Ok(heard)
    }
}

/// [`Trial::act`], asynchronous.
async fn perform<S: AsyncStore<Error: Display>>(
    store: &S,
    act: Act,
    &Ground { ref key, fence, now }: &Ground,
) -> Result<ReadOutcome, String> {
    let mut heard = ReadOutcome::default();
    if let Act::Release | Act::ReleaseThenClaim = act {
        heard.release = Some(store.release(key, fence).await.map_err(|error| error.to_string())?);
    }
    if let Act::Claim | Act::ClaimThenCommit | Act::ReleaseThenClaim = act {
        heard.slot = Some(store.claim(key, at(now), LEASE).await.map_err(|error| error.to_string())?);
    }
    if let Some(fence) = act.commits(fence, heard) {
        heard.commit = Some(store.commit(key, fence, at(now)).await.map_err(|error| error.to_string())?);
    }
    Ok(heard)
}

impl Act {
    /// The number that this caller commits, given the key's first number and the answers to the caller so
    /// far.
    const fn commits(self, first: FencingToken, heard: ReadOutcome) -> Option<FencingToken> {
        match (self, heard.slot) {
            (Self::Commit, _) => Some(first),
            (Self::ClaimThenCommit, Some(Slot::Fresh(own))) => Some(own),
            (Self::Claim | Self::ClaimThenCommit | Self::Release | Self::ReleaseThenClaim, _) => None,
        }
    }
}

/// Returns the outputs of both futures. The slow future is polled so many times, then the other until the
/// other has ended or seems to wait for the slow future, then both. Also returns true if the slow future had
/// ended before the other began.
async fn step_in<T>(
    slow: impl Future<Output = T>,
    quick: impl Future<Output = T>,
    steps: u32,
) -> (T, T, bool) {
    let (mut slow, mut quick) = (pin!(slow), pin!(quick));
    let (mut of_slow, mut of_quick) = (None, None);
    let mut left = steps;
    let mut ended_early = false;
    std::future::poll_fn(|context| {
        if of_slow.is_none() && left > 0 {
            left -= 1;
            match slow.as_mut().poll(context) {
                Poll::Ready(heard) => {
                    of_slow = Some(heard);
                    ended_early = true;
                }
                Poll::Pending if left > 0 => return Poll::Pending,
                Poll::Pending => {}
            }
            left = 0;
            for _ in 0..POLLS_ALONE {
                if let Poll::Ready(heard) = quick.as_mut().poll(context) {
                    of_quick = Some(heard);
                    break;
                }
            }
        }
        if of_quick.is_none()
            && let Poll::Ready(heard) = quick.as_mut().poll(context)
        {
            of_quick = Some(heard);
        }
        if of_slow.is_none()
            && let Poll::Ready(heard) = slow.as_mut().poll(context)
        {
            of_slow = Some(heard);
        }
        match (of_slow.take(), of_quick.take()) {
            (Some(slow), Some(quick)) => Poll::Ready((slow, quick, ended_early)),
            (slow, quick) => {
                (of_slow, of_quick) = (slow, quick);
                Poll::Pending
            }
        }
    })
    .await
}

/// Lets `span` pass, to the microsecond for a short span.
fn pause(span: Duration) {
    let begun = Instant::now();
    while let Some(left) = span.checked_sub(begun.elapsed()) {
        if left > COARSE {
            thread::sleep(left / 2);
        } else if left > FINE {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

/// Sixty-four parts of the time that the slow caller takes, and one store for them: a power of two.
const ROUNDS: u32 = 64;
/// A half and a quarter, for any store, however slow.
const LEAST_ROUNDS: u32 = 2;
const ROUNDS_PER_MEASUREMENT: u32 = 8;
const SERIES: usize = 8;
/// The number of duels next to each other, and of parts that they cut the time into.
const AT_ONCE: usize = 16;
const PARTS: u32 = 16;
const BATCHES: u32 = 2;
/// More polls than a store has steps in one operation.
const POLLS_ALONE: usize = 64;
const COARSE: Duration = Duration::from_millis(1);
const FINE: Duration = Duration::from_micros(20);
