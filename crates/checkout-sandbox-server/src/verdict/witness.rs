//! The sandboxes, asked for the truth about a checkout.

use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::Moment;

use super::reading::{Meaning, Provider};

/// The sandboxes of a world.
pub(crate) struct Witness<'a> {
    pub(crate) allscale: &'a allscale::Sandbox,
    pub(crate) azotte: &'a azotte::Sandbox,
    pub(crate) peach: &'a peach::Sandbox,
}

impl Witness<'_> {
    /// The state of a checkout at a moment, and the time of the change to that state. `None` for the time if
    /// nothing has changed yet.
    pub(super) fn state(&self, provider: Provider, id: &str, at: Moment) -> (Meaning, Option<Moment>) {
        let last = match provider {
            Provider::AllScale => {
                let history = self.allscale.history(id).into_iter();
                history
                    .take_while(|(since, _)| *since <= at)
                    .last()
                    .map(|(since, status)| (Meaning::of_allscale(status), since))
            }
            Provider::Azotte => {
                let history = self.azotte.history(id).into_iter();
                history
                    .take_while(|(since, _)| *since <= at)
                    .last()
                    .map(|(since, code)| (Meaning::of_azotte(&code), since))
            }
            Provider::Peach => {
                let payment_type = self.peach.checkout(id).map(|checkout| checkout.shown_payment_type);
                let history = self.peach.history(id).into_iter();
                history.take_while(|(since, _)| *since <= at).last().map(|(since, code)| {
                    (Meaning::of_peach(&code, payment_type.as_deref().unwrap_or_default()), since)
                })
            }
        };
        last.map_or((Meaning::Open, None), |(meaning, since)| (meaning, Some(since)))
    }
}
