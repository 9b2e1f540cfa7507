//! The place of a checkout, and the facts that the schedule remembers about the checkout.

/// The place of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The checkout has no place yet, or is on its way from one place to another.
    Nowhere,
    /// The checkout is in the calendar.
    Waiting,
    /// The checkout is in its merchant's queue, to be read now.
    Ready,
    /// A read of the checkout was given.
    Out,
    /// The checkout has ended or was given up.
    Ended,
    /// The checkout was restored when its read was due, and waits for its place in the order.
    Restored,
}

/// A fact that the schedule remembers of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Flag {
    /// The checkout is in the list of those that have something to report.
    HasToTell = 1 << STATE_BITS,
    /// The challenge, or the refusal before the late reads, was reported.
    Told = 1 << (STATE_BITS + 1),
    /// Somebody asked for a read, and no read was given since.
    Nudged = 1 << (STATE_BITS + 2),
    /// The payer returned while a read was on its way.
    Returned = 1 << (STATE_BITS + 3),
    /// A read that somebody asked for jumped the queue, and nothing new was reported since.
    Jumped = 1 << (STATE_BITS + 4),
    /// The last read was answered with too many requests.
    Limited = 1 << (STATE_BITS + 5),
}

/// The merchant of a checkout, the checkout's [`State`] and its [`Flag`]s, in four bytes.
///
/// The lowest three bits are the state, six bits above them are the flags, and the other 23 are the
/// merchant's number.
#[derive(Clone, Copy)]
pub(super) struct Standing(u32);

impl Standing {
    /// A checkout of this merchant that has no place yet. The number is below [`MERCHANTS`].
    pub(super) const fn of_merchant(number: u32) -> Self {
        Self(number << MERCHANT_SHIFT)
    }

    /// The number of the checkout's merchant.
    pub(super) const fn merchant(self) -> u32 {
        self.0 >> MERCHANT_SHIFT
    }

    pub(super) const fn state(self) -> State {
        match self.0 & STATE_MASK {
            WAITING => State::Waiting,
            READY => State::Ready,
            OUT => State::Out,
            ENDED => State::Ended,
            RESTORED => State::Restored,
            // Only `set_state` writes these bits.
            _ => State::Nowhere,
        }
    }

    pub(super) fn set_state(&mut self, state: State) {
        self.0 = (self.0 & !STATE_MASK) | state as u32;
    }

    pub(super) fn is(self, state: State) -> bool {
        self.state() == state
    }

    pub(super) const fn has(self, flag: Flag) -> bool {
        self.0 & flag as u32 != 0
    }

    pub(super) fn set(&mut self, flag: Flag, on: bool) {
        if on { self.0 |= flag as u32 } else { self.0 &= !(flag as u32) }
    }

    /// Returns true if the checkout's read goes before those that nobody asked for.
    pub(super) const fn jumps(self) -> bool {
        self.has(Flag::Nudged) && !self.has(Flag::Jumped) && !self.has(Flag::Limited)
    }
}

const WAITING: u32 = State::Waiting as u32;
const READY: u32 = State::Ready as u32;
const OUT: u32 = State::Out as u32;
const ENDED: u32 = State::Ended as u32;
const RESTORED: u32 = State::Restored as u32;

const STATE_BITS: u32 = 3;
const STATE_MASK: u32 = (1 << STATE_BITS) - 1;
const FLAGS: u32 = 6;
const MERCHANT_SHIFT: u32 = STATE_BITS + FLAGS;
/// There are fewer merchants than this.
pub(super) const MERCHANTS: usize = 1 << (u32::BITS - MERCHANT_SHIFT);

const _: () = assert!((Flag::Limited as u32) < 1 << MERCHANT_SHIFT && RESTORED <= STATE_MASK);

#[cfg(test)]
mod tests {
    use super::{Flag, MERCHANTS, Standing, State};

    const STATES: [State; 6] =
        [State::Nowhere, State::Waiting, State::Ready, State::Out, State::Ended, State::Restored];
    const FLAGS: [Flag; 6] =
        [Flag::HasToTell, Flag::Told, Flag::Nudged, Flag::Returned, Flag::Jumped, Flag::Limited];

    #[test]
    fn merchant_state_and_flags_do_not_touch_each_other() {
        let last = u32::try_from(MERCHANTS - 1).unwrap();
        assert_eq!(size_of::<Standing>(), 4);
        for merchant in [0, 1, last] {
            for flags in 0..1u32 << FLAGS.len() {
                let mut standing = Standing::of_merchant(merchant);
                let is_on = |place: usize| flags >> place & 1 == 1;
                for (place, flag) in FLAGS.into_iter().enumerate() {
                    standing.set(flag, true);
                    standing.set(flag, is_on(place));
                }
                for state in STATES {
                    standing.set_state(state);
                    assert_eq!((standing.merchant(), standing.state()), (merchant, state));
                    assert_eq!(FLAGS.map(|flag| standing.has(flag)), core::array::from_fn(is_on));
                }
            }
        }
    }
}
