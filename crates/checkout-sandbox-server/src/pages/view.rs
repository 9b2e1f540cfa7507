//! A checkout as the pages show a checkout, of whichever provider.

use checkout_tables::Moment;

pub(super) use crate::provider::Provider;
use crate::timeline;

/// The kind of a status, for the color and the word beside the color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// The payment is under way, or has not begun.
    Open,
    /// Something waits for a person.
    Waiting,
    Paid,
    /// The checkout ended without a payment.
    Over,
}

/// A status: the provider's code, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: String,
    pub(super) words: &'static str,
    pub(super) tone: Tone,
}

/// A checkout in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) provider: Provider,
    pub(super) id: String,
    pub(super) order: Option<String>,
    pub(super) status: Status,
    /// The amount and the currency. `None` where the provider is told no amount.
    pub(super) amount: Option<String>,
    pub(super) scenario: String,
    pub(super) created_at: Moment,
    pub(super) changed_at: Moment,
}

/// An act that is possible now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Button {
    /// The value of the form's `act`.
    pub(super) act: &'static str,
    pub(super) label: &'static str,
    pub(super) whose: Whose,
}

/// The person or the machine that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Payer,
    /// The provider, a bank, or time.
    Others,
}

/// The way back to the shop.
///
/// No `Debug`: the fields are signed, and an address may hold anything of the shop's.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum WayBack {
    /// A link to the shop's address.
    Link(String),
    /// A form that the browser sends to the shop's address, with the fields.
    Form(String, Vec<(String, String)>),
}

/// Everything about a checkout.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) row: Row,
    pub(super) history: Vec<(Moment, Status)>,
    /// The time of the next change that time alone brings.
    pub(super) next: Option<Moment>,
    pub(super) buttons: Vec<Button>,
    /// True if the payer may choose the part of the amount that the payer pays.
    pub(super) takes_parts: bool,
    /// The way in which the payer is sent to the page.
    pub(super) way_in: &'static str,
    pub(super) way_back: Option<WayBack>,
}

impl Whole {
    /// The statuses as the timeline has them.
    pub(super) fn timeline_statuses(&self) -> Vec<timeline::Status> {
        let statuses = self.history.iter();
        statuses
            .map(|(at, status)| timeline::Status { at: *at, code: status.code.clone(), words: status.words })
            .collect()
    }
}

/// The reason why an act did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotDone {
    UnknownCheckout,
    /// No act has the name, or a field of the act is wrong.
    Wrong(String),
    /// The act has no place at the checkout's status.
    NotPossible,
}

/// True if an address may be a link of a page: `javascript:` and the like are no addresses of a shop.
pub(super) fn is_address(url: &str) -> bool {
    let begins =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}
