//! A chain of ordinary steps.

use super::{Kind, Status};
use crate::derive::MOST_ROWS;
use core::fmt;

/// A shortest chain of ordinary steps from one status to another, both ends included.
///
/// ```
/// # checkout_doctest::facade!(lifecycle);
/// use checkout_kit::allscale::IntentStatus::{Confirmed, Created};
/// use checkout_kit::lifecycle::Status;
///
/// let path = Created.path_to(Confirmed).unwrap();
/// assert_eq!(path.to_string(), "CREATED → VIEWED → ON_CHAIN → CONFIRMED");
/// assert!(Confirmed.path_to(Created).is_none());
/// ```
#[derive(Clone, Copy)]
pub struct Path<S> {
    rows: [Option<S>; MOST_ROWS],
}

impl<S: Status> Path<S> {
    /// The statuses of the chain, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = S> {
        self.rows.iter().copied().map_while(|row| row)
    }

    /// Looks from the end backwards, so that the chain can be written from its beginning.
    pub(crate) fn shortest(from: S, to: S) -> Option<Self> {
        // The number of steps from each status to the end.
        let mut away = [None; MOST_ROWS];
        *away.get_mut(to.position())? = Some(0u8);
        for distance in 0..32u8 {
            for step in S::STEPS.iter().filter(|step| step.kind == Kind::Ordinary) {
                if away.get(step.to.position()) == Some(&Some(distance)) {
                    let before = away.get_mut(step.from.position())?;
                    if before.is_none() {
                        *before = Some(distance.saturating_add(1));
                    }
                }
            }
        }
        let mut rows = [None; MOST_ROWS];
        let mut at = from;
        for place in &mut rows {
            *place = Some(at);
            let left = (*away.get(at.position())?)?;
            if left == 0 {
                return Some(Self { rows });
            }
            let next = S::STEPS.iter().find(|step| {
                step.kind == Kind::Ordinary
                    && step.from == at
                    && away.get(step.to.position()).copied().flatten() == left.checked_sub(1)
            })?;
            at = next.to;
        }
        None
    }
}

impl<S: Status> fmt::Display for Path<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, row) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " → " })?;
            f.write_str(row.code())?;
        }
        Ok(())
    }
}

impl<S: Status> fmt::Debug for Path<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
