//! Azotte's checkouts, as the pages show and change the checkouts.

use checkout_sandbox::azotte::{ChallengeError, CheckoutRecord, Sandbox};

use super::view::{Button, NotDone, Provider, Row, Status, Tone, Whole, Whose};

pub(super) fn rows(sandbox: &Sandbox) -> Vec<Row> {
    sandbox.checkouts().into_iter().map(row).collect()
}

pub(super) fn whole(sandbox: &Sandbox, id: &str) -> Option<Whole> {
    let checkout = sandbox.checkout(id)?;
    let way_in = match (checkout.is_waiting, checkout.shows_html) {
        (true, true) => "3-D Secure by a form of HTML: the shop shows the htmlContent, which leads here.",
        (true, false) => "3-D Secure by a redirect: the redirectUrl leads here.",
        (false, _) => "The checkout waits for no payer now.",
    };
    Some(Whole {
        history: sandbox.history(id).into_iter().map(|(at, code)| (at, status(code))).collect(),
        next: sandbox.next_change_of(id),
        buttons: if checkout.is_waiting { BUTTONS.to_vec() } else { Vec::new() },
        takes_parts: false,
        way_in,
        // The bank sends the browser back, and no field of a submit names an address.
        way_back: None,
        row: row(checkout),
    })
}

pub(super) fn act(sandbox: &Sandbox, id: &str, name: &str) -> Result<(), NotDone> {
    let done = match name {
        "approve" => sandbox.complete_3ds(id),
        "fail" => sandbox.fail_3ds(id),
        "decline" => sandbox.decline(id),
        "leave" => sandbox.abandon(id),
        _ => {
            let names = BUTTONS.map(|button| button.act).join(", ");
            return Err(NotDone::Wrong(format!("No such act. Azotte's acts are {names}.")));
        }
    };
    done.map_err(|error| match error {
        ChallengeError::UnknownTracking => NotDone::UnknownCheckout,
        ChallengeError::NotWaiting => NotDone::NotPossible,
    })
}

const BUTTONS: [Button; 4] = [
    Button { act: "approve", label: "Approve the payment", whose: Whose::Payer },
    Button { act: "fail", label: "Fail the challenge", whose: Whose::Payer },
    Button { act: "leave", label: "Leave, and never return", whose: Whose::Payer },
    Button { act: "decline", label: "Approve, and the bank declines", whose: Whose::Others },
];

fn row(checkout: CheckoutRecord) -> Row {
    Row {
        provider: Provider::Azotte,
        id: checkout.tracking_number,
        order: checkout.correlation_id,
        status: status(checkout.message_code),
        amount: None,
        scenario: checkout.scenario,
        created_at: checkout.submitted_at,
        changed_at: checkout.changed_at,
    }
}

/// The codes of the page's table.
pub(super) fn lifecycle() -> Vec<Status> {
    let codes = ["CHECK_OUT_PROCESSING", "CHECK_OUT_3DS_REQUIRED", "CHECK_OUT_DONE", "CHECK_OUT_FAILED"];
    codes.map(|code| status(code.to_owned())).to_vec()
}

fn status(code: String) -> Status {
    let (words, tone) = match &*code {
        "CHECK_OUT_PROCESSING" => ("Being processed", Tone::Open),
        "CHECK_OUT_3DS_REQUIRED" => ("Waits for the payer's approval (3-D Secure)", Tone::Waiting),
        "CHECK_OUT_DONE" => ("Done: paid", Tone::Paid),
        "CHECK_OUT_FAILED" => ("Failed", Tone::Over),
        _ => ("A code that no page names", Tone::Waiting),
    };
    Status { code, words, tone }
}
