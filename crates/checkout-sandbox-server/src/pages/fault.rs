//! The faults that the dashboard offers: those that need no value.

use checkout_sandbox::{allscale, azotte, peach};

use super::view::Provider;
use crate::world::Played;

/// Writes the faults of a provider, each with the name that a form has.
macro_rules! faults {
    ($of:ident: $($name:literal $fault:ident),+ $(,)?) => {
        &[$(($name, $of::Fault::$fault)),+]
    };
}

static ALLSCALE: &[(&str, allscale::Fault)] = faults![allscale:
    "lost_before" LostBefore, "lost_request" LostRequest, "lost_answer" LostAnswer, "garbage" Garbage,
    "truncated" Truncated, "html_bad_gateway" HtmlBadGateway, "empty_unauthorized" EmptyUnauthorized,
    "redirect" Redirect, "rate_limited" RateLimited, "internal_error" InternalError,
    "late_internal_error" LateInternalError, "swapped_intent" SwappedIntent,
    "tampered_amount" TamperedAmount, "extra_fields" ExtraFields, "duplicate_keys" DuplicateKeys,
    "other_id_spelling" OtherIdSpelling, "old_intent" OldIntent, "status_as_object" StatusAsObject,
];

static AZOTTE: &[(&str, azotte::Fault)] = faults![azotte:
    "lost_before" LostBefore, "lost_request" LostRequest, "lost_answer" LostAnswer, "garbage" Garbage,
    "truncated" Truncated, "html_bad_gateway" HtmlBadGateway, "empty_unauthorized" EmptyUnauthorized,
    "redirect" Redirect, "rate_limited" RateLimited, "internal_error" InternalError,
    "late_internal_error" LateInternalError, "empty_body" EmptyBody,
    "wrong_content_type" WrongContentType, "plain_content_type" PlainContentType,
    "empty_problem" EmptyProblem, "key_forgotten" KeyForgotten, "swapped_checkout" SwappedCheckout,
    "tampered_tracking" TamperedTracking, "missing_tracking" MissingTracking,
    "no_follow_up" NoFollowUp, "no_polling_advice" NoPollingAdvice, "extra_fields" ExtraFields,
    "duplicate_keys" DuplicateKeys,
];

static PEACH: &[(&str, peach::Fault)] = faults![peach:
    "lost_before" LostBefore, "lost_request" LostRequest, "lost_answer" LostAnswer, "garbage" Garbage,
    "truncated" Truncated, "html_bad_gateway" HtmlBadGateway, "empty_unauthorized" EmptyUnauthorized,
    "redirect" Redirect, "rate_limited" RateLimited, "internal_error" InternalError,
    "late_internal_error" LateInternalError, "swapped_checkout" SwappedCheckout,
    "other_amount" OtherAmount, "tampered_amount" TamperedAmount,
    "tampered_signature" TamperedSignature, "unsigned" Unsigned, "extra_signed_key" ExtraSignedKey,
    "extra_unsigned_key" ExtraUnsignedKey, "numbers_for_texts" NumbersForTexts,
    "bare_result" BareResult, "extra_fields" ExtraFields, "duplicate_keys" DuplicateKeys,
];

/// The names of the faults of a provider.
pub(super) fn names(provider: Provider) -> Vec<&'static str> {
    match provider {
        Provider::AllScale => ALLSCALE.iter().map(|(name, _)| *name).collect(),
        Provider::Azotte => AZOTTE.iter().map(|(name, _)| *name).collect(),
        Provider::Peach => PEACH.iter().map(|(name, _)| *name).collect(),
    }
}

/// Lets the next request that fits go wrong. False if no fault has the name.
pub(super) fn inject(played: &Played, provider: Provider, name: &str) -> bool {
    match provider {
        Provider::AllScale => named(ALLSCALE, name).map(|fault| played.allscale.inject(fault)),
        Provider::Azotte => named(AZOTTE, name).map(|fault| played.azotte.inject(fault)),
        Provider::Peach => named(PEACH, name).map(|fault| played.peach.inject(fault)),
    }
    .is_some()
}

/// The number of the faults that wait for a request.
pub(super) fn waiting(played: &Played) -> usize {
    played.allscale.faults_waiting() + played.azotte.faults_waiting() + played.peach.faults_waiting()
}

fn named<F: Clone>(faults: &[(&str, F)], name: &str) -> Option<F> {
    faults.iter().find(|(known, _)| *known == name).map(|(_, fault)| fault.clone())
}
