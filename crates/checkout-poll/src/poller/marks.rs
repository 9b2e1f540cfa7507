//! The memory of a poller beside its phase and its times, in one byte.

/// A fact that a poller remembers, whatever the phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mark {
    /// The provider asked for the wait until the earliest read, and the wait is longer than the policy's
    /// pauses.
    LongWait = 4,
    /// A read was sent at the deadline or after it, and its outcome was not reported.
    LastAsked = 8,
    /// That read was answered, or tried often enough.
    Over = 16,
}

/// The memory of a phase that is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// True if the read that settles has shown the end.
    pub(super) is_confirmed: bool,
    /// True if there are no late reads any more.
    pub(super) late_reads_over: bool,
}

/// The memory of a phase in which the payer has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// True if there is a challenge to be shown.
    pub(super) is_shown: bool,
    /// True if the payer has returned since the first challenge, or need not return.
    pub(super) has_returned: bool,
}

/// The [`Mark`]s, the number of refusals, and the memory of the phase.
///
/// The lowest two bits are the memory of the phase: an [`End`] or a [`Challenge`], according to the phase,
/// and zero in every other phase. The three bits above are the marks, and the highest three the refusals.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn has(self, mark: Mark) -> bool {
        self.0 & mark as u8 != 0
    }

    pub(super) fn set(&mut self, mark: Mark, on: bool) {
        if on { self.0 |= mark as u8 } else { self.0 &= !(mark as u8) }
    }

    /// The refusals since the last answer, [`MOST_REFUSALS`] at most.
    pub(super) const fn refusals(self) -> u8 {
        self.0 >> REFUSALS_SHIFT
    }

    pub(super) fn set_refusals(&mut self, refusals: u8) {
        self.0 = (self.0 & !(u8::MAX << REFUSALS_SHIFT)) | (refusals.min(MOST_REFUSALS) << REFUSALS_SHIFT);
    }

    /// The memory of a phase that is an end.
    pub(super) const fn end(self) -> End {
        let (is_confirmed, late_reads_over) = self.of_phase();
        End { is_confirmed, late_reads_over }
    }

    pub(super) fn set_end(&mut self, end: End) {
        self.set_of_phase(end.is_confirmed, end.late_reads_over);
    }

    /// The memory of a phase in which the payer has to act.
    pub(super) const fn challenge(self) -> Challenge {
        let (is_shown, has_returned) = self.of_phase();
        Challenge { is_shown, has_returned }
    }

    pub(super) fn set_challenge(&mut self, challenge: Challenge) {
        self.set_of_phase(challenge.is_shown, challenge.has_returned);
    }

    /// Begins another phase, without any memory.
    pub(super) fn forget_phase(&mut self) {
        self.set_of_phase(false, false);
    }

    const fn of_phase(self) -> (bool, bool) {
        (self.0 & 1 != 0, self.0 & 2 != 0)
    }

    fn set_of_phase(&mut self, first: bool, second: bool) {
        self.0 = (self.0 & !3) | u8::from(first) | (u8::from(second) << 1);
    }
}

/// More refusals are not counted.
pub(super) const MOST_REFUSALS: u8 = 7;
const REFUSALS_SHIFT: u32 = 5;

#[cfg(test)]
mod tests {
    use super::{Challenge, End, MOST_REFUSALS, Mark, Marks};

    #[test]
    fn marks_refusals_and_the_memory_of_a_phase_do_not_touch_each_other() {
        let all = [Mark::LongWait, Mark::LastAsked, Mark::Over];
        for bits in 0..32_u8 {
            let is_on = |place: usize| bits >> place & 1 == 1;
            let mut marks = Marks::NONE;
            for (place, mark) in all.into_iter().enumerate() {
                marks.set(mark, true);
                marks.set(mark, is_on(place));
            }
            for refusals in [0, 1, MOST_REFUSALS, u8::MAX] {
                marks.set_refusals(refusals);
                let end = End { is_confirmed: is_on(3), late_reads_over: is_on(4) };
                marks.set_end(end);
                assert_eq!(marks.end(), end);
                let challenge = Challenge { is_shown: is_on(4), has_returned: is_on(3) };
                marks.set_challenge(challenge);
                assert_eq!(marks.challenge(), challenge);
                assert_eq!(marks.refusals(), refusals.min(MOST_REFUSALS));
                assert_eq!(all.map(|mark| marks.has(mark)), core::array::from_fn(is_on));
            }
        }
    }
}
