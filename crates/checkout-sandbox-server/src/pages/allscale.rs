//! AllScale's intents, as the pages show and change the intents.

use checkout_sandbox::allscale::{Act, ActError, IntentRecord, Kyt, Sandbox};
use checkout_tables::allscale::IntentStatus;

use super::form::Form;
use super::view::{Button, NotDone, Provider, Row, Status, Tone, WayBack, Whole, Whose, is_address};

pub(super) fn rows(sandbox: &Sandbox) -> Vec<Row> {
    sandbox.intents().into_iter().map(row).collect()
}

pub(super) fn whole(sandbox: &Sandbox, id: &str) -> Option<Whole> {
    let intent = sandbox.intent(id)?;
    let buttons = buttons(intent.status);
    let may = |button: &Button| act_named(button.act).is_some_and(|act| sandbox.may_act(id, act));
    Some(Whole {
        history: sandbox.history(id).into_iter().map(|(at, value)| (at, status(value))).collect(),
        next: sandbox.next_change_of(id),
        buttons: buttons.into_iter().filter(may).collect(),
        takes_parts: sandbox.may_act(id, Act::Pay),
        way_in: "The payer comes here by the checkout_url.",
        way_back: sandbox.return_url(id).filter(|url| is_address(url)).map(WayBack::Link),
        row: row(intent),
    })
}

pub(super) fn act(sandbox: &Sandbox, id: &str, name: &str, form: &Form) -> Result<(), NotDone> {
    let permille = form.number::<u32>("permille").map_err(NotDone::Wrong)?;
    let act = match (name, permille) {
        ("pay" | "pay-part", Some(permille)) => Act::PayPermille(permille),
        ("pay-part", None) => return Err(NotDone::Wrong("The field permille is missing.".to_owned())),
        ("status", _) => {
            let value = form.number("status").map_err(NotDone::Wrong)?;
            Act::ComeTo(value.ok_or_else(|| NotDone::Wrong("The field status is missing.".to_owned()))?)
        }
        (name, _) => act_named(name).ok_or_else(|| NotDone::Wrong(no_such_act()))?,
    };
    sandbox.act(id, act).map_err(|error| match error {
        ActError::UnknownIntent => NotDone::UnknownCheckout,
        ActError::NotPossible => NotDone::NotPossible,
    })
}

fn no_such_act() -> String {
    let names: Vec<_> = ACTS.iter().map(|(name, _)| *name).collect();
    format!(
        "No such act. AllScale's acts are {}, pay-part with permille, and status with status.",
        names.join(", ")
    )
}

fn act_named(name: &str) -> Option<Act> {
    ACTS.iter().find(|(known, _)| *known == name).map(|(_, act)| *act)
}

const ACTS: [(&str, Act); 10] = [
    ("open", Act::Open),
    ("pay", Act::Pay),
    ("underpay", Act::PayPermille(500)),
    ("overpay", Act::PayPermille(1500)),
    ("kyt-pass", Act::Kyt(Kyt::Passed)),
    ("kyt-refuse", Act::Kyt(Kyt::Refused)),
    ("kyt-stuck", Act::Kyt(Kyt::Stuck)),
    ("cancel", Act::Cancel),
    ("expire", Act::Expire),
    ("fail", Act::Fail),
];

/// The buttons with the words for this status, possible or not.
fn buttons(status: i64) -> Vec<Button> {
    let is_late = status < 0;
    let is_under_review = matches!(status, 3 | 4);
    let late = |late, on_time| if is_late { late } else { on_time };
    let reviewed = |reviewed, before| if is_under_review { reviewed } else { before };
    let payers = |act, label| Button { act, label, whose: Whose::Payer };
    let others = |act, label| Button { act, label, whose: Whose::Others };
    vec![
        payers("pay", late("Pay late", "Pay")),
        payers("underpay", late("Underpay late: half", "Underpay: half, sent back")),
        payers("overpay", late("Overpay late: half as much again", "Overpay: half as much again")),
        payers("open", "Open the page, and let nothing happen by itself"),
        payers("cancel", "Cancel"),
        others("kyt-pass", reviewed("The checks pass", "Pay, and the checks pass")),
        others("kyt-refuse", reviewed("The checks refuse: send back", "Pay, and the checks send back")),
        others("kyt-stuck", reviewed("Get stuck: manual review", "Pay, and get stuck: manual review")),
        others("expire", "Expire"),
        others("fail", "Fail by a processing error"),
    ]
}

fn row(intent: IntentRecord) -> Row {
    let cents = intent.amount_cents;
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let in_coins = format!("{} {}", intent.amount_coins, intent.coin);
    let amount = match intent.currency {
        Some(currency) => format!("{sign}{whole}.{rest:02} {currency} ({in_coins})"),
        None => in_coins,
    };
    Row {
        provider: Provider::AllScale,
        id: intent.id,
        order: intent.order_id,
        status: status(intent.status),
        amount: Some(amount),
        scenario: intent.scenario,
        created_at: intent.created_at,
        changed_at: intent.changed_at,
    }
}

/// The statuses of the page's table.
pub(super) fn lifecycle() -> Vec<Status> {
    [1, 2, 3, 4, 10, 20, 5, -1, -2, -3, -4, -5].map(status).to_vec()
}

fn status(value: i64) -> Status {
    let (words, tone) = match value {
        1 => ("Created, and not opened", Tone::Open),
        2 => ("Opened by the payer", Tone::Open),
        3 => ("Paid into a temporary wallet, being checked", Tone::Open),
        4 => ("Stuck, and waits for a manual review", Tone::Waiting),
        5 => ("Being sent back to the payer", Tone::Over),
        10 => ("Seen on-chain, and waits for the confirmation", Tone::Open),
        20 => ("Confirmed: paid", Tone::Paid),
        -1 => ("Failed by a processing error", Tone::Over),
        -2 => ("Refused by the checks, and sent back", Tone::Over),
        -3 => ("Underpaid, and sent back", Tone::Over),
        -4 => ("Canceled by the payer", Tone::Over),
        -5 => ("Expired", Tone::Over),
        _ => ("A status that no page names", Tone::Waiting),
    };
    let code = IntentStatus::from_value(value).map(IntentStatus::code);
    let code = code.map_or_else(|| value.to_string(), |code| format!("{value} {code}"));
    Status { code, words, tone }
}
