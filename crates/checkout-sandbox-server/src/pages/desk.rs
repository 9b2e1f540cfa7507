//! The checkouts of all providers of a world, as the pages show and change the checkouts.

use std::sync::PoisonError;

use super::form::Form;
use super::view::{NotDone, Provider, Row, Whole};
use super::{allscale, azotte, peach};
use crate::world::Played;

/// The checkouts of all providers, the newest first.
pub(super) fn rows(played: &Played) -> Vec<Row> {
    let of_all = [allscale::rows(&played.allscale), azotte::rows(&played.azotte), peach::rows(&played.peach)];
    let mut rows: Vec<Row> = of_all.into_iter().flat_map(|rows| rows.into_iter().rev()).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
    rows
}

pub(super) fn whole(played: &Played, provider: Provider, id: &str) -> Option<Whole> {
    match provider {
        Provider::AllScale => allscale::whole(&played.allscale, id),
        Provider::Azotte => azotte::whole(&played.azotte, id),
        Provider::Peach => peach::whole(&played.peach, id),
    }
}

/// Acts, one act of a world at a time.
pub(super) fn act(
    played: &Played,
    provider: Provider,
    id: &str,
    name: &str,
    form: &Form,
) -> Result<(), NotDone> {
    let _alone = played.acts.lock().unwrap_or_else(PoisonError::into_inner);
    match provider {
        Provider::AllScale => allscale::act(&played.allscale, id, name, form),
        Provider::Azotte => azotte::act(&played.azotte, id, name),
        Provider::Peach => peach::act(&played.peach, id, name),
    }
}
