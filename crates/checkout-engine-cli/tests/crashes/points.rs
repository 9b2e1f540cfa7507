//! The points at which a process dies: before and after each operation that outlives the process.

use super::{Outcome, limits, scenes};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, Limit,
    Limits, New, Next, Nudge, Nudged, Overview, ReadMade, Reserved, Room, Store, StoreError, Unmatched,
    Write, Written,
};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) const VARIABLE: &str = "CHECKOUT_CRASH_POINT";

/// The point of a process: the operation, the side, and which of the operations that fit.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) operation: String,
    pub(crate) side: String,
    pub(crate) nth: u32,
    seen: Arc<AtomicU32>,
}

impl Case {
    pub(crate) fn new(operation: &str, side: &str, nth: u32) -> Self {
        Self { operation: operation.to_owned(), side: side.to_owned(), nth, seen: Arc::default() }
    }

    /// Every operation that an engine makes while it sells, before and after. The first operation alone is
    /// not enough where an operation has many meanings, each of which has a name: a write keeps the work of a
    /// create, leaves work for later, or ends work, and a request makes a checkout or reads.
    pub(crate) fn of_sellers() -> Vec<Self> {
        Self::of(&[
            ("lanes", &[1]),
            ("insert", &[1, 4]),
            ("send", &[1, 2, 9, 17]),
            ("claim", &[1, 3, 12]),
            ("send-POST", &[1, 3, 6]),
            ("send-GET", &[1, 4]),
            ("write", &[1, 5, 9, 14, 20, 27]),
            ("write-keep", &[1, 3]),
            ("write-due", &[1, 4]),
            ("write-ended", &[1, 3]),
            ("claim_news", &[1, 2]),
            ("tell", &[1, 3]),
            ("news_told", &[1, 3]),
        ])
    }

    /// Each of these operations, before and after.
    pub(crate) fn of(operations: &[(&str, &[u32])]) -> Vec<Self> {
        let each =
            operations.iter().flat_map(|(operation, times)| times.iter().map(move |nth| (*operation, *nth)));
        each.flat_map(|(operation, nth)| ["before", "after"].map(|side| Self::new(operation, side, nth)))
            .collect()
    }

    /// True for the side behind the operation.
    pub(crate) fn is_after(&self) -> bool {
        self.side == "after"
    }

    pub(crate) fn text(&self) -> String {
        format!("{} {} {}", self.operation, self.side, self.nth)
    }

    /// The case of this process; without one, no point is fatal.
    pub(crate) fn of_this_process() -> Outcome<Self> {
        let Ok(text) = std::env::var(VARIABLE) else { return Ok(Self::new("", "", 0)) };
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or("a word is missing");
        Ok(Self::new(word()?, word()?, word()?.parse()?))
    }

    /// True if the process has come to its point.
    pub(crate) fn is_reached(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.nth
    }

    /// A point of an operation, which has a name of its own by the meaning of the operation.
    fn point_of(&self, operation: &str, meaning: &str, side: &str) {
        self.point(operation, side);
        self.point(&format!("{operation}-{meaning}"), side);
    }

    /// Dies here, by SIGKILL, if this is the point. A case with the side `at` says that the operation begins,
    /// and with the side `stop` the process stands still in front of the operation, until a SIGCONT.
    pub(crate) fn point(&self, operation: &str, side: &str) {
        if self.operation == operation && self.side == "at" && side == "before" {
            println!("\nat {operation}");
        }
        let stops = self.side == "stop" && side == "before";
        if self.operation != operation || !(self.side == side || stops) {
            return;
        }
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.nth {
            let process = std::process::id().to_string();
            if stops {
                // The shell ends when this process stands still, and so does the wait for the shell.
                let stop = "kill -STOP \"$1\"; until ps -o state= -p \"$1\" | grep -q T; do :; done";
                let _ = Command::new("sh").args(["-c", stop, "sh", &process]).status();
                return;
            }
            let _ = Command::new("kill").args(["-9", &process]).status();
            // Nothing more is done, should the signal take a moment.
            loop {
                std::thread::park();
            }
        }
    }
}

/// A store, or limits, with a point before and after each operation.
pub(crate) struct Points<S> {
    pub(crate) inner: S,
    pub(crate) case: Case,
}

/// All operations of a trait: one that is missing here does not compile.
macro_rules! points {
    (
        $trait:ident, $names:ident { $($other:item)* }
        $($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+
    ) => {
        impl<S: $trait> $trait for Points<S> {
            $($other)*

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.case.point(stringify!($operation), "before");
                let answer = self.inner.$operation($($argument),*).await;
                self.case.point(stringify!($operation), "after");
                answer
            })+
        }

        /// The names of all operations of the trait.
        const $names: &[&str] = &[$(stringify!($operation)),+];
    };
}

/// The operation whose points say what is written.
const WRITE: &str = "write";

points! {
    Store, OF_STORES {
        fn later(&self, at: Moment, since: Instant) -> Moment {
            self.inner.later(at, since)
        }

        fn steady(&self, at: Moment, since: Instant) -> Moment {
            self.inner.steady(at, since)
        }

        async fn woken(&self) {
            self.inner.woken().await;
        }

        async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
            let meaning = match write.next {
                Next::Keep => "keep",
                Next::Due { .. } => "due",
                Next::Ended { .. } => "ended",
                Next::Back { .. } => "back",
            };
            self.case.point_of(WRITE, meaning, "before");
            let written = self.inner.write(lease, write).await;
            self.case.point_of(WRITE, meaning, "after");
            written
        }
    }
    now() -> Moment;
    lanes(lanes: &[Lane]) -> ();
    insert(new: &New<'_>) -> Inserted;
    claim(ask: &Ask<'_>) -> Claimed;
    nudge(nudge: &Nudge<'_>) -> Nudged;
    decide(decision: &Decision<'_>) -> Written;
    claim_news(max: usize, lease: Duration) -> Vec<ClaimedNews>;
    news_told(key: &str, fence: i64, again: Option<Duration>) -> Written;
    checkout(id: &str) -> Option<Checkout>;
    overview(filter: &Filter<'_>) -> Vec<Overview>;
    list(filter: &Filter<'_>) -> Vec<Checkout>;
    unmatched(after: i64, most: usize) -> Vec<Unmatched>;
    decisions(id: &str) -> Vec<Decided>;
    figures() -> Figures;
    sweep(max: usize) -> usize;
}

points! {
    Limits, OF_LIMITS {}
    room(lanes: &[Limit<'_>], lease: Duration) -> Vec<Room>;
    reserve(lane: Limit<'_>, place: i64, lease: Duration) -> Reserved;
    end(lane: Limit<'_>, place: i64, read: ReadMade) -> ();
    wait(lane: &str, span: Duration) -> ();
}

/// A transport that has a point before and after each request.
pub(crate) struct Dying<T> {
    pub(crate) inner: T,
    pub(crate) case: Case,
}

impl<T: Transport> Transport for Dying<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let method = request.method().clone();
        self.case.point_of("send", method.as_str(), "before");
        let response = self.inner.send(request).await;
        self.case.point_of("send", method.as_str(), "after");
        response
    }
}

/// The methods of the traits that are no operations: they ask nobody, or change nothing.
const NO_OPERATIONS: &[&str] = &["later", "steady", "woken"];

/// The methods of a trait, by its source: also those that the trait provides, which compile without a point.
fn methods(source: &str, name: &str) -> Vec<String> {
    let (_, rest) = source.split_once(&format!("pub trait {name}: ")).unwrap_or_default();
    let (body, _) = rest.split_once("\n}\n").unwrap_or_default();
    let names = body.lines().filter_map(|line| line.strip_prefix("    fn ")?.split_once('('));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_operation_of_stores_and_limits_has_a_point_and_a_case_on_both_sides() {
    let stores = methods(include_str!("../../../checkout-engine/src/store.rs"), "Store");
    let limits = methods(include_str!("../../../checkout-engine/src/limits.rs"), "Limits");
    assert!(stores.len() > NO_OPERATIONS.len() && limits.len() > 1, "no methods were found");
    let cases: Vec<Case> =
        [Case::of_sellers(), scenes::webhook_cases(), scenes::person_cases(), limits::cases()].concat();
    for (methods, points) in [(stores, OF_STORES), (limits, OF_LIMITS)] {
        for operation in methods.iter().filter(|name| !NO_OPERATIONS.contains(&name.as_str())) {
            assert!(operation == WRITE || points.contains(&operation.as_str()), "{operation} has no point");
            for side in ["before", "after"] {
                let has_case = cases.iter().any(|case| case.operation == *operation && case.side == side);
                assert!(has_case, "no process dies {side} {operation}");
            }
        }
    }
}
