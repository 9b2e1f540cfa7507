//! Peach's checkouts, as the pages show and change the checkouts.

use checkout_sandbox::peach::{CheckoutRecord, Sandbox};

use super::form::Form;
use super::view::{Button, NotDone, Provider, Row, Status, Tone, WayBack, Whole, Whose, is_address};

pub(super) fn rows(sandbox: &Sandbox) -> Vec<Row> {
    sandbox.checkouts().into_iter().map(row).collect()
}

pub(super) fn whole(sandbox: &Sandbox, id: &str) -> Option<Whole> {
    let checkout = sandbox.checkout(id)?;
    let stage = Stage::of(&checkout.code);
    let way_back = sandbox.shopper_return(id).filter(|_| stage.is_over_for_the_payer());
    let way_back = way_back.filter(|back| is_address(&back.url));
    Some(Whole {
        history: sandbox.history(id).into_iter().map(|(at, code)| (at, status(code))).collect(),
        next: sandbox.next_change_of(id),
        buttons: BUTTONS.iter().filter(|(_, at)| at.contains(&stage)).map(|(button, _)| *button).collect(),
        takes_parts: false,
        way_in: "The payer comes here by the redirectUrl.",
        way_back: way_back.map(|back| WayBack::Form(back.url, Form::of(&back.body).pairs().to_vec())),
        row: row(checkout),
    })
}

/// Acts. The caller lets no other act of a page in between.
pub(super) fn act(sandbox: &Sandbox, id: &str, name: &str) -> Result<(), NotDone> {
    let known = BUTTONS.iter().filter(|(button, _)| button.act == name);
    let places: Vec<Stage> = known.flat_map(|(_, at)| at.iter().copied()).collect();
    if places.is_empty() {
        let mut names: Vec<_> = BUTTONS.iter().map(|(button, _)| button.act).collect();
        names.dedup();
        return Err(NotDone::Wrong(format!("No such act. Peach's acts are {}.", names.join(", "))));
    }
    let checkout = sandbox.checkout(id).ok_or(NotDone::UnknownCheckout)?;
    if !places.contains(&Stage::of(&checkout.code)) {
        return Err(NotDone::NotPossible);
    }
    let done = match name {
        "open" | "leave" => sandbox.open(id),
        "pay" => sandbox.pay(id),
        "cancel" => sandbox.cancel(id),
        "decline" => sandbox.come_to(id, "800.100.151"),
        "pending" => sandbox.come_to(id, "000.200.000"),
        "review" => sandbox.come_to(id, "000.400.000"),
        "expire" => sandbox.come_to(id, "100.396.104"),
        _ => sandbox.come_to(id, "000.100.200"),
    };
    if done { Ok(()) } else { Err(NotDone::NotPossible) }
}

/// The stage of a checkout, by the result code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not opened, or opened and without an attempt.
    Fresh,
    /// Under way after an attempt: declined, pending, in review, or a code that no page names.
    Tried,
    Paid,
    /// Cancelled or expired.
    Closed,
    ChargedBack,
}

impl Stage {
    fn of(code: &str) -> Self {
        match code {
            "700.400.580" | "000.200.100" => Self::Fresh,
            "000.000.000" | "000.100.110" | "000.100.111" | "000.100.112" => Self::Paid,
            "100.396.101" | "100.396.104" => Self::Closed,
            "000.100.200" => Self::ChargedBack,
            _ => Self::Tried,
        }
    }

    fn is_over_for_the_payer(self) -> bool {
        !matches!(self, Self::Fresh)
    }
}

/// The buttons, each with the stages at which the act has its place.
const BUTTONS: [(Button, &[Stage]); 11] = [
    (payers("pay", "Pay"), &[Stage::Fresh]),
    (payers("pay", "Try again, and pay"), &[Stage::Tried]),
    (others("pay", "Pay late"), &[Stage::Closed]),
    (payers("decline", "Pay with a card that is declined"), &[Stage::Fresh, Stage::Tried]),
    (payers("leave", "Leave: the checkout expires after half an hour"), &[Stage::Fresh]),
    (payers("cancel", "Cancel"), &[Stage::Fresh, Stage::Tried]),
    (payers("open", "Open the page, and let nothing happen by itself"), &[Stage::Fresh]),
    (others("pending", "Pay, and the payment is pending"), &[Stage::Fresh, Stage::Tried]),
    (others("review", "Pay, and the payment is in review"), &[Stage::Fresh, Stage::Tried]),
    (others("expire", "Expire"), &[Stage::Fresh, Stage::Tried]),
    (others("charge-back", "Charge back"), &[Stage::Paid]),
];

const fn payers(act: &'static str, label: &'static str) -> Button {
    Button { act, label, whose: Whose::Payer }
}

const fn others(act: &'static str, label: &'static str) -> Button {
    Button { act, label, whose: Whose::Others }
}

fn row(checkout: CheckoutRecord) -> Row {
    Row {
        provider: Provider::Peach,
        id: checkout.checkout_id,
        order: Some(checkout.merchant_transaction_id),
        status: status(checkout.code),
        amount: Some(format!("{} {}", checkout.amount, checkout.currency)),
        scenario: checkout.scenario,
        created_at: checkout.created_at,
        changed_at: checkout.changed_at,
    }
}

/// The codes through which a checkout of the sandbox goes.
pub(super) fn lifecycle() -> Vec<Status> {
    let codes = [
        "700.400.580",
        "000.200.100",
        "000.200.000",
        "000.400.000",
        "000.100.110",
        "800.100.151",
        "100.396.101",
        "100.396.104",
        "000.100.200",
    ];
    codes.map(|code| status(code.to_owned())).to_vec()
}

fn status(code: String) -> Status {
    let (words, tone) = match &*code {
        "700.400.580" => ("Created, and not opened", Tone::Open),
        "000.200.100" => ("Opened by the payer", Tone::Open),
        "000.200.000" => ("Pending", Tone::Waiting),
        "000.400.000" => ("Paid, and in review", Tone::Waiting),
        "000.000.000" | "000.100.110" | "000.100.111" | "000.100.112" => ("Paid", Tone::Paid),
        "100.396.101" => ("Cancelled by the payer", Tone::Over),
        "100.396.104" => ("Expired", Tone::Over),
        "800.100.151" => ("Declined: the payer may try again", Tone::Over),
        "000.100.200" => ("Charged back", Tone::Over),
        "000.300.100" => ("The risk check alone succeeded", Tone::Open),
        _ => ("A code without words", Tone::Waiting),
    };
    Status { code, words, tone }
}
