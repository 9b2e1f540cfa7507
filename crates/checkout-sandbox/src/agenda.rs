//! The moments at which something is due, in order.

use std::collections::BTreeSet;

use checkout_tables::Moment;

/// For each number (of a checkout, say) the moment of the next thing that is due, if there is such a thing.
/// The time of a call follows the number of things that have come due since the call before, and hardly the
/// number of checkouts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    due: BTreeSet<(Moment, usize)>,
    /// By number.
    at: Vec<Option<Moment>>,
    /// The latest moment that [`Agenda::next_after`] was asked about.
    seen: Option<Moment>,
}

impl Agenda {
    /// Sets the moment of the number's next thing, in place of the moment before.
    pub(crate) fn set(&mut self, number: usize, at: Option<Moment>) {
        if self.at.len() <= number {
            self.at.resize(number + 1, None);
        }
        let Some(place) = self.at.get_mut(number) else { return };
        if let Some(before) = std::mem::replace(place, at) {
            self.due.remove(&(before, number));
        }
        self.due.extend(at.map(|at| (at, number)));
    }

    /// Takes the numbers that are due by now off the agenda.
    pub(crate) fn take_due(&mut self, now: Moment) -> Vec<usize> {
        let mut taken = Vec::new();
        while let Some((at, number)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, number));
            if let Some(place) = self.at.get_mut(number) {
                *place = None;
            }
            taken.push(number);
        }
        taken
    }

    /// The earliest moment after now. `next` tells a number's next moment after now, and is asked about the
    /// numbers that have come due since the call before, or about all numbers if the clock has gone back.
    pub(crate) fn next_after(
        &mut self,
        now: Moment,
        next: impl Fn(usize) -> Option<Moment>,
    ) -> Option<Moment> {
        let went_back = self.seen.replace(now).is_some_and(|seen| now < seen);
        let stale = if went_back { (0..self.at.len()).collect() } else { self.take_due(now) };
        for number in stale {
            self.set(number, next(number));
        }
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn ms(millis: i64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    /// The first of the moments after now.
    fn first_after(moments: &[i64], now: i64) -> Option<Moment> {
        moments.iter().copied().filter(|at| *at > now).min().map(ms)
    }

    proptest! {
        #[test]
        fn the_next_moment_is_that_of_a_full_search_though_the_clock_goes_back(
            courses in prop::collection::vec(prop::collection::vec(0_i64..100, 0..5), 0..8),
            times in prop::collection::vec(0_i64..100, 1..10),
        ) {
            let mut agenda = Agenda::default();
            for (number, course) in courses.iter().enumerate() {
                agenda.set(number, first_after(course, -1));
            }
            for now in times {
                let next = agenda.next_after(ms(now), |number| first_after(&courses[number], now));
                prop_assert_eq!(next, first_after(&courses.concat(), now));
            }
        }

        #[test]
        fn the_numbers_that_are_due_are_taken_once(
            sets in prop::collection::vec((0_usize..6, prop::option::of(0_i64..50)), 0..20),
            now in 0_i64..50,
        ) {
            let (mut agenda, mut model) = (Agenda::default(), [None; 6]);
            for (number, at) in sets {
                agenda.set(number, at.map(ms));
                model[number] = at;
            }
            let mut taken = agenda.take_due(ms(now));
            taken.sort_unstable();
            let due: Vec<_> = (0..6).filter(|number| model[*number].is_some_and(|at| at <= now)).collect();
            prop_assert_eq!(taken, due);
            prop_assert!(agenda.take_due(ms(now)).is_empty());
        }
    }

    #[test]
    fn among_a_hundred_thousand_only_the_due_numbers_are_looked_at() {
        let (mut agenda, asked) = (Agenda::default(), Cell::new(0));
        for number in 0..100_000 {
            agenda.set(number, Some(ms(i64::try_from(number).unwrap())));
        }
        let mut next_after = |now| {
            asked.set(0);
            let next = agenda.next_after(ms(now), |_| {
                asked.set(asked.get() + 1);
                None
            });
            (next, asked.get())
        };
        assert_eq!(next_after(-1), (Some(ms(0)), 0));
        assert_eq!(next_after(6), (Some(ms(7)), 7));
        assert_eq!(next_after(6), (Some(ms(7)), 0));
        assert_eq!(next_after(99_998), (Some(ms(99_999)), 99_992));
        assert_eq!(next_after(i64::MAX), (None, 1));
    }
}
