//! What each scenario means for an order: the tables were written from the scenarios' sentences.

use checkout_engine::{State, Subject};

/// The name, the state at the end, and the news in their order.
pub(crate) type Row = (&'static str, State, &'static [Subject]);

use State::{Failed, GaveUp, Settled, Unsettled};

const PAID: &[Subject] = &[Subject::Settled];
const UNPAID: &[Subject] = &[Subject::Failed];
/// A person looks, and nothing was told as settled.
const HELD: &[Subject] = &[Subject::Held];
const LATE: &[Subject] = &[Subject::Failed, Subject::Held];
const OPEN: &[Subject] = &[Subject::GaveUp];

pub(crate) const ALLSCALE: &[Row] = &[
    ("happy", Settled, PAID),
    ("kyt_passed", Settled, PAID),
    // Money came, and perhaps went back: a person looks.
    ("kyt_refused", Unsettled, HELD),
    ("manual_operation", Settled, PAID),
    ("underpaid", Unsettled, HELD),
    ("overpaid", Settled, PAID),
    ("canceled", Failed, UNPAID),
    ("timeout", Failed, UNPAID),
    ("failed", Unsettled, HELD),
    ("late_success", Settled, LATE),
    ("unknown_status", Settled, PAID),
    ("regression", Settled, PAID),
    // No read follows the settlement.
    ("change_after_terminal", Settled, PAID),
    ("never_paid", GaveUp, OPEN),
];

pub(crate) const AZOTTE: &[Row] = &[
    ("happy", Settled, PAID),
    ("done_at_once", Settled, PAID),
    ("failed_at_once", Failed, UNPAID),
    ("failed", Failed, UNPAID),
    ("failed_message_on_top", Failed, UNPAID),
    ("three_ds_url", Settled, PAID),
    ("three_ds_html", Settled, PAID),
    ("three_ds_html_and_url", Settled, PAID),
    ("three_ds_at_once", Settled, PAID),
    ("three_ds_failed", Failed, UNPAID),
    ("three_ds_twice", Settled, PAID),
    ("three_ds_abandoned", GaveUp, OPEN),
    ("redirect_while_processing", Settled, PAID),
    ("slow", Settled, PAID),
    ("late_success", Settled, LATE),
    ("never_ends", GaveUp, OPEN),
    ("unknown_code", Settled, PAID),
    ("unknown_code_with_redirect", Settled, PAID),
    ("change_after_terminal", Settled, PAID),
];

pub(crate) const PEACH: &[Row] = &[
    ("happy", Settled, PAID),
    ("pending_then_successful", Settled, PAID),
    ("cancelled", Failed, UNPAID),
    ("expired", Failed, UNPAID),
    ("never_opened", Failed, UNPAID),
    ("late_success_after_cancelled", Settled, LATE),
    ("late_success_after_expired", Settled, LATE),
    ("declined_then_paid", Settled, PAID),
    // An authorization is no payment.
    ("authorized", Unsettled, HELD),
    ("in_review", Settled, PAID),
    // The engine follows no charge back.
    ("charged_back", Settled, PAID),
    ("unknown_code", Settled, PAID),
    ("risk_check_only", Failed, UNPAID),
    ("older_cancelled_after_success", Settled, PAID),
    ("newer_cancelled_after_success", Settled, PAID),
    // The environment is the sandbox.
    ("test_success", Settled, PAID),
    ("uncertain", Failed, UNPAID),
];
