//! The faults of a delivery.

/// A fault of the next webhook's deliveries. Retries after the first attempt are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The webhook is never sent.
    Drop,
    /// The webhook is sent this many milliseconds too late.
    Delay(u64),
    /// The webhook is sent this many times more, after the receiver has answered 200.
    Repeat(u32),
    /// The same bytes are sent on two connections at once.
    TwiceAtOnce,
    /// The webhook is sent after the provider's next webhook.
    Reorder,
    /// The signed time is this many seconds too old.
    Stale(u64),
    /// The signature is of another secret.
    WrongKey,
    /// Half of the body is sent, and the connection closed.
    CutShort,
    /// A connection is opened, and nothing is sent for this many seconds.
    Stall(u64),
    /// The webhook comes again, this many seconds after the receiver has answered 200.
    Again(u64),
    /// The next new checkout is paid at once, and the webhook comes before the answer to the create.
    Early,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Delay(_) => "delay",
            Self::Repeat(_) => "repeat",
            Self::TwiceAtOnce => "twice",
            Self::Reorder => "reorder",
            Self::Stale(_) => "stale",
            Self::WrongKey => "wrong-key",
            Self::CutShort => "cut",
            Self::Stall(_) => "stall",
            Self::Again(_) => "again",
            Self::Early => "early",
        }
    }
}

/// The names of the faults, for a message.
pub(crate) const NAMES: &str =
    "drop, delay, repeat, twice, reorder, stale, wrong-key, cut, stall, again, early";
