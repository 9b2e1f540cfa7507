//! Paths with an id in them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use checkout_validate::PathSegment;

/// Returns the template with the id in its place. `None` if the two do not fit: a template with a place and
/// no id, or a template without a place and an id.
pub(crate) fn fill(template: &str, place: &str, id: Option<PathSegment<'_>>) -> Option<String> {
    match (template.split_once(place), id) {
        (Some((before, after)), Some(id)) => Some(format!("{before}{id}{after}")),
        (None, None) => Some(template.to_owned()),
        (Some(_), None) | (None, Some(_)) => None,
    }
}
