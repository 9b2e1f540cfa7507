//! The points at which a process dies: before and after each operation that outlives the process.

use super::Outcome;
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    Nudge, Nudged, Store, StoreError, Write, Written,
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
    operation: String,
    side: String,
    nth: u32,
    seen: Arc<AtomicU32>,
}

impl Case {
    fn new(operation: &str, side: &str, nth: u32) -> Self {
        Self { operation: operation.to_owned(), side: side.to_owned(), nth, seen: Arc::default() }
    }

    /// Every operation that an engine makes while it sells, before and after. The first operation alone is
    /// not enough where an operation has many meanings: a write can be of a create, of a read, or of an end.
    pub(crate) fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for (operation, times) in [
            ("lanes", &[1][..]),
            ("insert", &[1, 4]),
            ("send", &[1, 2, 9, 17]),
            ("claim", &[1, 3, 12]),
            ("write", &[1, 5, 9, 14, 20, 27]),
            ("claim_news", &[1, 2]),
            ("tell", &[1, 3]),
            ("news_told", &[1, 3]),
        ] {
            // With this variable each operation has its first case alone.
            let few = std::env::var_os("CHECKOUT_CRASHES_FEW").is_some();
            for nth in times.iter().take(if few { 1 } else { times.len() }) {
                cases.push(Self::new(operation, "before", *nth));
                cases.push(Self::new(operation, "after", *nth));
            }
        }
        cases
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

    /// Dies here, by SIGKILL, if this is the point.
    pub(crate) fn point(&self, operation: &str, side: &str) {
        if self.operation != operation || self.side != side {
            return;
        }
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.nth {
            let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            // Nothing more is done, should the signal take a moment.
            loop {
                std::thread::park();
            }
        }
    }
}

/// A store that has a point before and after each operation.
pub(crate) struct Points<S> {
    pub(crate) inner: S,
    pub(crate) case: Case,
}

/// All operations of the trait: one that is missing here does not compile.
macro_rules! points {
    ($($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl<S: Store> Store for Points<S> {
            fn later(&self, at: Moment, since: Instant) -> Moment {
                self.inner.later(at, since)
            }

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.case.point(stringify!($operation), "before");
                let answer = self.inner.$operation($($argument),*).await;
                self.case.point(stringify!($operation), "after");
                answer
            })+
        }

        /// The names of all operations.
        pub(crate) const OPERATIONS: &[&str] = &[$(stringify!($operation)),+];
    };
}

points! {
    now() -> Moment;
    lanes(lanes: &[Lane]) -> ();
    insert(new: &New<'_>) -> Inserted;
    claim(ask: &Ask<'_>) -> Claimed;
    write(lease: &Lease, write: &Write) -> Written;
    nudge(nudge: &Nudge<'_>) -> Nudged;
    decide(decision: &Decision<'_>) -> Written;
    claim_news(max: usize, lease: Duration) -> Vec<ClaimedNews>;
    news_told(key: &str, fence: i64, again: Option<Duration>) -> Written;
    checkout(id: &str) -> Option<Checkout>;
    list(filter: &Filter<'_>) -> Vec<Checkout>;
    decisions(id: &str) -> Vec<Decided>;
    figures() -> Figures;
    sweep(max: usize) -> usize;
}

/// A transport that has a point before and after each request.
pub(crate) struct Dying<T> {
    pub(crate) inner: T,
    pub(crate) case: Case,
}

impl<T: Transport> Transport for Dying<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.case.point("send", "before");
        let response = self.inner.send(request).await;
        self.case.point("send", "after");
        response
    }
}

/// The operations that change nothing, or that a selling engine does not make: the shop and persons make
/// them, and each is one transaction, which the stores' own tests hold.
const OF_OTHERS: &[&str] = &["now", "nudge", "decide", "checkout", "list", "decisions", "figures", "sweep"];

#[test]
fn every_operation_has_a_case_or_a_reason() {
    let cases = Case::all();
    for operation in OPERATIONS {
        let has_case = cases.iter().any(|case| case.operation == *operation);
        assert_ne!(has_case, OF_OTHERS.contains(operation), "{operation}");
    }
}
