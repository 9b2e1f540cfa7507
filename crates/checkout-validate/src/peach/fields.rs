//! The parameters that have no place of their own.

use super::{Field, Limits, Violation, Warning};
use crate::Redacted;
use crate::text::has_control;
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A name and a value.
pub(super) type Pair<'a> = (Cow<'a, str>, Redacted<'a>);

/// The custom parameters and the further fields, under the keys that they are sent under. They are good if
/// nothing was added to the violations.
pub(super) fn check<'a>(
    custom: Vec<Pair<'a>>,
    further: Vec<Pair<'a>>,
    limits: &Limits,
    violations: &mut Vec<Violation>,
    warnings: &mut Vec<Warning>,
) -> Vec<Pair<'a>> {
    let lists = [
        (Field::CustomParameters, custom.len(), limits.custom_parameters),
        (Field::FurtherFields, further.len(), limits.fields),
    ];
    for (field, length, limit) in lists {
        if length > limit {
            violations.push(Violation::TooLong { field, length, limit });
        }
    }
    let mut check_all =
        |pairs: &[Pair<'_>], can_be_sent: fn(&str) -> bool, field: fn(usize, Option<String>) -> Field| {
            let mut seen = BTreeSet::new();
            for (index, (name, value)) in pairs.iter().enumerate() {
                let fits = name.len() <= limits.name;
                let sendable = can_be_sent(name);
                let field = field(index, (fits && sendable).then(|| name.to_string()));
                if !fits {
                    let (field, length, limit) = (field.clone(), name.len(), limits.name);
                    violations.push(Violation::NameTooLong { field, length, limit });
                }
                if !sendable {
                    let own = Field::with_own_name(name).filter(|_| matches!(field, Field::Further { .. }));
                    violations.push(own.map_or_else(|| Violation::Name(field.clone()), Violation::Reserved));
                } else if !seen.insert(&**name) {
                    violations.push(Violation::Twice(field.clone()));
                }
                if has_control(value.as_str()) {
                    warnings.push(Warning::ControlCharacter(field.clone()));
                }
                // They are signed one after the other.
                warnings.extend(telling(&format!("{name}{}", value.as_str()), &field));
                let (length, limit) = (value.as_str().len(), limits.value);
                if length > limit {
                    violations.push(Violation::TooLong { field, length, limit });
                }
            }
        };
    check_all(&custom, is_custom_name, |index, name| Field::CustomParameter { index, name });
    check_all(&further, is_further_name, |index, name| Field::Further { index, name });
    let custom = custom.into_iter().map(|(name, value)| (format!("customParameters[{name}]").into(), value));
    custom.chain(further).collect()
}

/// The name stands in brackets, so the name itself has none.
fn is_custom_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| matches!(c, '[' | ']') || c.is_control())
}

fn is_further_name(name: &str) -> bool {
    let begins = |group| name.strip_prefix(group).is_some_and(|rest: &str| !rest.is_empty());
    GROUPS.into_iter().any(begins) && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The warning about a telling name, if the text has such a name in it.
pub(super) fn telling(text: &str, field: &Field) -> Option<Warning> {
    let name = TELLING.into_iter().find(|name| text.contains(name))?;
    Some(Warning::TellingName { field: field.clone(), name })
}

/// The names of a result, its time or a checkout: those of `checkout_auth::peach::SignedText::ambiguous`.
const TELLING: [&str; 5] = ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"];

/// The first part of the name of a further field.
const GROUPS: [&str; 4] = ["customer.", "billing.", "shipping.", "cart."];
