//! Azotte's tables against the published rows, in both directions, and what the pages say beside the rows.
#![allow(missing_docs, reason = "tests")]

mod fixture;

use checkout_tables::azotte::{
    Action, DEFAULT_RETRY_AFTER_SECONDS, ErrorCode, HOST_SUFFIX_LIVE, HOST_SUFFIX_SANDBOX, MEDIA_TYPE,
    MessageCode, PaymentChannel, Route,
};
use checkout_tables::{Open, Repeat};
use fixture::{check, check_head, check_texts};

const MESSAGE_CODES: &str = include_str!("../fixtures/azotte-message-codes.tsv");
const PAYMENT_CHANNELS: &str = include_str!("../fixtures/azotte-payment-channels.tsv");

/// The page's words for the actions.
fn words(action: Action) -> &'static str {
    match action {
        Action::PollOn => "Keep polling, respect Retry-After.",
        Action::PresentChallenge => {
            "Present redirectInstructions.htmlContent or .redirectUrl to the end-user."
        }
        Action::Stop => "Terminal success.",
        Action::InspectMessage => "Terminal failure. Inspect message.",
    }
}

#[test]
fn the_4_message_codes_with_their_flags_and_actions_are_the_published_ones() {
    let ours = MessageCode::ROWS.map(|row| {
        let terminal = if row.is_terminal() { "yes" } else { "no" };
        vec![row.code().into(), terminal.into(), words(row.action()).into()]
    });
    assert_eq!(check(MESSAGE_CODES, ours.to_vec()), 4);
}

#[test]
fn the_5_payment_channels_are_the_published_ones() {
    let ours = PaymentChannel::ROWS.map(|row| vec![row.code().into()]);
    assert_eq!(check(PAYMENT_CHANNELS, ours.to_vec()), 5);
}

#[test]
fn every_fixture_names_its_document_version_and_date() {
    [MESSAGE_CODES, PAYMENT_CHANNELS].iter().for_each(|fixture| check_head(fixture));
}

#[test]
fn every_text_is_looked_up_to_the_letter() {
    check_texts::<MessageCode>(&[
        "CHECK_OUT_PROCESSING",
        "CHECK_OUT_3DS_REQUIRED",
        "CHECK_OUT_DONE",
        "CHECK_OUT_FAILED",
    ]);
    check_texts::<ErrorCode>(&["ORDERED_ITEM_NOT_FOUND"]);
    check_texts::<PaymentChannel>(&["CreditCard", "PayPal", "Klarna", "SEPA", "Bank"]);
}

#[test]
fn an_error_is_no_stage_and_an_unnamed_code_is_carried() {
    for code in ErrorCode::ROWS {
        assert_eq!(MessageCode::from_code(code.code()), None);
    }
    let later: Open<MessageCode, &str> = Open::from("CHECK_OUT_REVIEW");
    assert_eq!((later.known(), later.text()), (None, "CHECK_OUT_REVIEW"));
}

#[test]
fn a_submit_is_keyed_and_a_read_is_safe() {
    let ours = Route::ROWS.map(|row| (row.to_string(), row.method(), row.path(), row.repeat()));
    let expected = [
        ("submit_checkout", "POST", "/api/v1/c2a/offer/checkout", Repeat::Keyed),
        ("checkout_status", "GET", "/api/v1/c2a/offer/checkout/{trackingId}/status", Repeat::Safe),
    ];
    assert_eq!(ours, expected.map(|(name, method, path, repeat)| (name.into(), method, path, repeat)));
}

#[test]
fn a_lost_submit_is_found_by_the_same_submit() {
    assert!(Route::ROWS.iter().all(|route| route.lookup_key().is_none()));
}

#[test]
fn the_documented_sample_is_made_of_the_host_and_the_path() {
    let path = Route::CheckoutStatus.path().replace("{trackingId}", "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB");
    let url = format!("https://acme{HOST_SUFFIX_SANDBOX}{path}");
    assert_eq!(
        url,
        "https://acme.sandbox.azotte.com/api/v1/c2a/offer/checkout/trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB/status"
    );
    assert_eq!(HOST_SUFFIX_LIVE, ".azotte.com");
    // "202, trackingNumber, Retry-After: 2".
    assert_eq!(DEFAULT_RETRY_AFTER_SECONDS, 2);
    assert_eq!(MEDIA_TYPE, "application/clientOutput+Json");
}

#[test]
fn actions_are_printed_by_their_names() {
    let actions = [Action::PollOn, Action::PresentChallenge, Action::Stop, Action::InspectMessage];
    let names = actions.map(|action| action.to_string());
    assert_eq!(names, ["poll_on", "present_challenge", "stop", "inspect_message"]);
    #[cfg(feature = "strum")]
    fixture::check_strum(&actions);
}

#[cfg(feature = "strum")]
#[test]
fn strum_counts_iterates_and_names_as_the_tables_do() {
    fixture::check_strum(&MessageCode::ROWS);
    fixture::check_strum(&ErrorCode::ROWS);
    fixture::check_strum(&PaymentChannel::ROWS);
    fixture::check_strum(&Route::ROWS);
}

#[cfg(feature = "serde")]
#[test]
fn serde_writes_and_reads_the_texts() {
    fixture::check_serde::<MessageCode>();
    fixture::check_serde::<ErrorCode>();
    fixture::check_serde::<PaymentChannel>();
}
