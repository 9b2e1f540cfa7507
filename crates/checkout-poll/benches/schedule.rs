//! The cost of a queue of a million open checkouts, of our queue and of others. Run with `cargo bench -p
//! checkout-poll`, which prints bytes too. Compare within one run: the figures of two runs differ where
//! others use the machine.
#![allow(missing_docs, clippy::print_stdout, reason = "a benchmark")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark"
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are small")]
#![allow(clippy::cast_possible_wrap, clippy::wildcard_enum_match_arm, reason = "a benchmark")]

extern crate alloc;

#[allow(dead_code, reason = "the crate's own queue, as it is in there")]
#[path = "../src/schedule/calendar.rs"]
mod calendar;
mod rivals;

use calendar::{Calendar, SOME};
use checkout_lifecycle::{Moment, Phase, Tracker};
use checkout_poll::{MerchantId, Next, PollPolicy, ReadOutcome, Schedule};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::{RateLimit, RateScope};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};
use rivals::{Heap, LazyCalendar, LinkedWheel, Queue};
use std::cell::Cell;
use std::future::poll_fn;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

/// The crate's queue gives some ids at a time.
struct Ours {
    calendar: Calendar,
    ids: [u32; SOME],
    left: usize,
}

impl Queue for Ours {
    fn with_room_for(ids: u32) -> Self {
        let mut calendar = Calendar::new(0);
        calendar.make_room(ids as usize);
        Self { calendar, ids: [0; SOME], left: 0 }
    }

    fn insert(&mut self, id: u32, due: u64) {
        self.calendar.insert(id, due);
    }

    fn cancel(&mut self, id: u32) {
        self.calendar.remove(id);
    }

    fn pop(&mut self, now: u64) -> Option<u32> {
        if self.left == 0 {
            self.left = self.calendar.pop(now, &mut self.ids);
        }
        self.left = self.left.checked_sub(1)?;
        self.ids.get(self.left).copied()
    }
}

/// Times are ticks of 10 ms; each entry is due in up to a minute, again and again.
fn queue<Q: Queue>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
    let full = || {
        let (mut queue, mut chance) = (Q::with_room_for(OPEN), Chance(1));
        (0..OPEN).for_each(|id| queue.insert(id, 1 + chance.below(MINUTE)));
        queue
    };
    bytes(name, full);
    group.bench_function(format!("{name}: insert"), |b| {
        b.iter_custom(|wanted| {
            per(wanted, || {
                let (mut queue, mut chance) = (Q::with_room_for(OPEN), Chance(2));
                let start = Clock::start();
                (0..OPEN).for_each(|id| queue.insert(id, 1 + chance.below(MINUTE)));
                (start.elapsed(), u64::from(OPEN), black_box(queue)).into()
            })
        });
    });
    let (mut queue, mut chance, mut now) = (full(), Chance(3), 0);
    group.bench_function(format!("{name}: re-arm"), |b| {
        b.iter_custom(|wanted| {
            per(wanted, || {
                let (start, mut count) = (Clock::start(), 0);
                for _ in 0..500 {
                    now += 1;
                    while let Some(id) = queue.pop(now) {
                        count += 1;
                        queue.insert(id, now + 1 + chance.below(MINUTE));
                    }
                }
                (start.elapsed(), count, ()).into()
            })
        });
    });
    drop(queue);
    group.bench_function(format!("{name}: cancel"), |b| {
        b.iter_custom(|wanted| {
            per(wanted, || {
                let (mut queue, chosen) = (full(), shuffled());
                let start = Clock::start();
                chosen.iter().for_each(|id| queue.cancel(*id));
                (start.elapsed(), chosen.len() as u64, queue).into()
            })
        });
    });
}

fn delay_queue(group: &mut BenchmarkGroup<'_, WallTime>) {
    let name = "tokio-util DelayQueue";
    let runtime = paused();
    let full = |chance: &mut Chance| {
        let mut queue = DelayQueue::with_capacity(OPEN as usize);
        let insert = |id| queue.insert(id, span(chance));
        let keys: Vec<Key> = (0..OPEN).map(insert).collect();
        (queue, keys)
    };
    runtime.block_on(async {
        bytes(&format!("{name} with its keys"), || full(&mut Chance(1)));
    });
    group.bench_function(format!("{name}: insert"), |b| {
        b.iter_custom(|wanted| {
            runtime.block_on(async {
                per(wanted, || {
                    let start = Clock::start();
                    let full = full(&mut Chance(2));
                    (start.elapsed(), u64::from(OPEN), full).into()
                })
            })
        });
    });
    let mut chance = Chance(3);
    let (mut queue, _) = runtime.block_on(async { full(&mut chance) });
    group.bench_function(format!("{name}: re-arm"), |b| {
        b.iter_custom(|wanted| {
            let (start, mut count) = (Clock::start(), 0);
            while count < wanted {
                runtime.block_on(tokio::task::unconstrained(async {
                    for _ in 0..50 {
                        tokio::time::advance(TICK).await;
                        let next =
                            |cx: &mut std::task::Context<'_>| std::task::Poll::Ready(queue.poll_expired(cx));
                        let mut next = poll_fn(next);
                        let mut expired = Vec::new();
                        while let std::task::Poll::Ready(Some(entry)) = (&mut next).await {
                            expired.push(entry.into_inner());
                        }
                        for id in expired {
                            count += 1;
                            queue.insert(id, span(&mut chance));
                        }
                    }
                }));
            }
            share(start.elapsed(), wanted, count)
        });
    });
    runtime.block_on(async { drop(queue) });
    group.bench_function(format!("{name}: cancel"), |b| {
        b.iter_custom(|wanted| {
            runtime.block_on(async {
                per(wanted, || {
                    let ((mut queue, keys), chosen) = (full(&mut Chance(4)), shuffled());
                    let start = Clock::start();
                    chosen.iter().for_each(|id| _ = queue.remove(&keys[*id as usize]));
                    (start.elapsed(), chosen.len() as u64, queue).into()
                })
            })
        });
    });
}

/// A task for each checkout, which sleeps until the checkout is due.
fn tasks(group: &mut BenchmarkGroup<'_, WallTime>) {
    let name = "a tokio task for each";
    let full = |count: &Rc<Cell<u64>>| {
        let (runtime, local) = (paused(), tokio::task::LocalSet::new());
        let start = Clock::start();
        for id in 0..OPEN {
            let count = Rc::clone(count);
            local.spawn_local(async move {
                let mut chance = Chance(id.into());
                let mut due = tokio::time::Instant::now() + span(&mut chance);
                loop {
                    tokio::time::sleep_until(due).await;
                    count.set(count.get() + 1);
                    due += span(&mut chance);
                }
            });
        }
        // Each task runs up to its first sleep.
        local.block_on(&runtime, async { tokio::time::sleep(Duration::from_nanos(1)).await });
        (start.elapsed(), runtime, local)
    };
    let count = Rc::new(Cell::new(0));
    let mut made = None;
    bytes(name, || made = Some(full(&count)));
    let (took, runtime, local) = made.unwrap();
    println!("{name}: spawned and asleep in {} ns each", took.as_nanos() / u128::from(OPEN));
    group.bench_function(format!("{name}: wake and sleep again"), |b| {
        b.iter_custom(|wanted| {
            let (before, start) = (count.get(), Clock::start());
            while count.get() - before < wanted {
                local.block_on(&runtime, async { tokio::time::sleep(TICK * 50).await });
            }
            share(start.elapsed(), wanted, count.get() - before)
        });
    });
}

/// The whole: a tracker, a poller, merchants, limits, turns; next, then the outcome.
fn whole(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, merchants: u32, limit: Option<RateLimit>) {
    let year = Duration::from_secs(365 * 24 * 3_600);
    let mut chance = Chance(1);
    let mut full = || {
        let mut schedule = Schedule::<Tracker<IntentStatus>>::new(at(0), 42).limit_margin(Duration::ZERO);
        let policy = PollPolicy::allscale().deadline(year);
        let merchants: Vec<MerchantId> = (0..merchants).map(|_| schedule.merchant(policy, limit)).collect();
        schedule.reserve(OPEN as usize);
        for id in 0..OPEN {
            // Ages up to the age at which the pause is the longest.
            let started_at = at(-(chance.below(MINUTE * 8) as i64));
            schedule.add(merchants[id as usize % merchants.len()], started_at, at(0), Tracker::new());
        }
        schedule
    };
    let mut made = None;
    bytes(&format!("{name}: all to be read at once, nothing given"), || made = Some(full()));
    let mut schedule = made.unwrap();
    let mut now = 0;
    let mut slice = |schedule: &mut Schedule<Tracker<IntentStatus>>| {
        now += 1;
        let mut count = 0;
        while let Next::Fetch { key, kind, .. } = schedule.next(at(now)) {
            count += 1;
            schedule.handle_outcome(
                key,
                at(now),
                ReadOutcome::Answer { kind, phase: Some(Phase::AwaitingPayer), wait: None },
            );
        }
        count
    };
    let start = Clock::start();
    let first = slice(&mut schedule);
    if limit.is_none() {
        println!("{name}: all at once {} ns each", start.elapsed().as_nanos() / u128::from(first));
    }
    (0..MINUTE * 2).for_each(|_| _ = slice(&mut schedule));
    let spared = allocation_counter::measure(|| (0..MINUTE).for_each(|_| _ = slice(&mut schedule)));
    println!("{name}: {} allocations in a minute, three minutes on", spared.count_total);
    group.bench_function(name, |b| {
        b.iter_custom(|wanted| {
            per(wanted, || {
                let (start, mut count) = (Clock::start(), 0);
                (0..100).for_each(|_| count += slice(&mut schedule));
                (start.elapsed(), count, ()).into()
            })
        });
    });
}

fn all(c: &mut Criterion) {
    println!("bytes for each of {OPEN} open checkouts, held and at most:");
    let mut group = c.benchmark_group("queue, 1,000,000 open");
    thrifty(&mut group);
    queue::<Ours>(&mut group, "the crate's calendar");
    queue::<LazyCalendar>(&mut group, "calendar with lazy deletion");
    queue::<LinkedWheel>(&mut group, "wheel of linked lists");
    queue::<Heap>(&mut group, "BinaryHeap of packed u64");
    delay_queue(&mut group);
    tasks(&mut group);
    group.finish();
    let mut group = c.benchmark_group("next and outcome, 1,000,000 open");
    thrifty(&mut group);
    whole(&mut group, "one merchant", 1, None);
    whole(&mut group, "10,000 merchants", 10_000, None);
    let tight = RateLimit { requests: 1_000, per_seconds: 1, scope: RateScope::Merchant };
    whole(&mut group, "one merchant, limited, a million waiting", 1, Some(tight));
    group.finish();
}

fn thrifty(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1_500));
}

fn bytes<T>(name: &str, make: impl FnOnce() -> T) {
    let mut made = None;
    let counted = allocation_counter::measure(|| made = Some(make()));
    let tenths = |bytes: u64| {
        let tenths = bytes * 10 / u64::from(OPEN);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    println!("{name}: {} bytes, {} at most", tenths(counted.bytes_current as u64), tenths(counted.bytes_max));
    drop(made);
}

/// The time, the number of rounds in that time, and a value that must outlive the measurement.
struct Timed<T>(Duration, u64, T);

impl<T> From<(Duration, u64, T)> for Timed<T> {
    fn from((took, count, kept): (Duration, u64, T)) -> Self {
        Self(took, count, kept)
    }
}

/// As many rounds as the number needs, and the time of that number.
fn per<T>(wanted: u64, mut round: impl FnMut() -> Timed<T>) -> Duration {
    let (mut took, mut count) = (Duration::ZERO, 0);
    while count < wanted {
        let Timed(more, of, kept) = round();
        took += more;
        count += of;
        drop(kept);
    }
    share(took, wanted, count)
}

fn share(took: Duration, wanted: u64, count: u64) -> Duration {
    Duration::from_nanos((took.as_nanos() * u128::from(wanted) / u128::from(count)) as u64)
}

/// The running time of this thread, where the system reports it (Linux does), so that other programs count
/// less; else the time that passed.
struct Clock {
    ran: Option<Duration>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { ran: Self::ran(), wall: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        let wall = self.wall.elapsed();
        Self::ran().zip(self.ran).map_or(wall, |(now, start)| now - start)
    }

    fn ran() -> Option<Duration> {
        // The count is brought up to date when the thread gives way.
        std::thread::yield_now();
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }
}

fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A quarter of the ids, in no order.
fn shuffled() -> Vec<u32> {
    let (mut ids, mut chance): (Vec<u32>, _) = ((0..OPEN).collect(), Chance(5));
    (0..ids.len()).for_each(|at| ids.swap(at, chance.below(OPEN.into()) as usize));
    ids.truncate(OPEN as usize / 4);
    ids
}

fn span(chance: &mut Chance) -> Duration {
    TICK * (1 + chance.below(MINUTE)) as u32
}

fn at(tick: i64) -> Moment {
    Moment::from_unix_millis(1_700_000_000_000 + tick.saturating_mul(10))
}

/// *SplitMix64*.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 32) * end) >> 32
    }
}

const OPEN: u32 = 1_000_000;
const TICK: Duration = Duration::from_millis(10);
const MINUTE: u64 = 6_000;

criterion_group!(benches, all);
criterion_main!(benches);
