//! The things that an answer says about a checkout, by the providers' tables.

use std::time::Duration;

use checkout_tables::allscale::IntentStatus;
use checkout_tables::azotte::MessageCode;
use checkout_tables::peach::{Environment, Outcome, PaymentStatus, PaymentType, ResultCode, ResultGroup};
use checkout_transport::Response;
use checkout_transport::http::header::RETRY_AFTER;
use serde_json::Value;

use crate::place::Api;
use crate::webhooks::content;

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Provider {
    AllScale,
    Azotte,
    Peach,
}

impl Provider {
    pub(crate) const fn of(api: Api) -> Self {
        match api {
            Api::AllScale => Self::AllScale,
            Api::Azotte => Self::Azotte,
            Api::Peach | Api::PeachAuth => Self::Peach,
        }
    }

    /// The name in JSON.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::AllScale => "allscale",
            Self::Azotte => "azotte",
            Self::Peach => "peach",
        }
    }

    /// The name for a person.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AllScale => "AllScale",
            Self::Azotte => "Azotte",
            Self::Peach => "Peach",
        }
    }
}

impl From<content::Provider> for Provider {
    fn from(provider: content::Provider) -> Self {
        match provider {
            content::Provider::AllScale => Self::AllScale,
            content::Provider::Peach => Self::Peach,
        }
    }
}

/// The meaning of a status for a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The checkout can still be paid.
    Open,
    /// The provider's final success.
    Paid,
    /// A success without money: Peach's type PA.
    Authorized,
    /// The checkout ended without a payment, or is being sent back.
    Over,
    /// The money has gone back after a success.
    Reversed,
}

impl Meaning {
    pub(super) fn of_allscale(status: i64) -> Self {
        match IntentStatus::from_value(status) {
            Some(IntentStatus::Confirmed) => Self::Paid,
            Some(IntentStatus::SendBack) => Self::Over,
            Some(status) if status.is_terminal() => Self::Over,
            Some(_) | None => Self::Open,
        }
    }

    pub(super) fn of_azotte(code: &str) -> Self {
        match MessageCode::from_code(code) {
            Some(MessageCode::Done) => Self::Paid,
            Some(MessageCode::Failed) => Self::Over,
            Some(MessageCode::Processing | MessageCode::ThreeDsRequired) | None => Self::Open,
        }
    }

    pub(super) fn of_peach(code: &str, payment_type: &str) -> Self {
        let is_reversed =
            ResultCode::parse(code).and_then(ResultCode::group) == Some(ResultGroup::Chargeback);
        let payment_type = PaymentType::from_code(payment_type);
        match (Outcome { code, payment_type, environment: Environment::Sandbox }).status() {
            _ if is_reversed => Self::Reversed,
            Some(PaymentStatus::Successful) => Self::Paid,
            Some(PaymentStatus::Authorized) => Self::Authorized,
            Some(PaymentStatus::Cancelled | PaymentStatus::Expired) => Self::Over,
            Some(PaymentStatus::Created | PaymentStatus::Pending) | None => Self::Open,
        }
    }

    /// True of money, and of a reservation of money.
    pub(super) const fn is_success(self) -> bool {
        matches!(self, Self::Paid | Self::Authorized)
    }
}

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A request that makes a checkout.
    Create,
    /// A request that reads the state of a checkout.
    Read,
    Other,
}

impl Kind {
    /// The kind of a request for the route with this name.
    pub(super) fn of(provider: Provider, route: Option<&str>) -> Self {
        match (provider, route.unwrap_or_default()) {
            (Provider::AllScale, "create")
            | (Provider::Azotte, "submit_checkout")
            | (Provider::Peach, "initiate" | "create_checkout") => Self::Create,
            (Provider::AllScale, "get" | "status")
            | (Provider::Azotte, "checkout_status")
            | (Provider::Peach, "status" | "checkout_status") => Self::Read,
            _ => Self::Other,
        }
    }
}

/// A status that a client has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The provider's code or number of the status.
    pub(super) code: String,
    pub(super) meaning: Meaning,
    /// The wait that Azotte's answer asks for before the next read.
    pub(super) wait: Option<Duration>,
}

impl Reading {
    /// The status in an answer to a read, or to Azotte's submit, which has the shape of a status.
    pub(super) fn of(provider: Provider, answer: &Response) -> Option<Self> {
        if !answer.status().is_success() {
            return None;
        }
        let body: Value = serde_json::from_slice(answer.body()).ok()?;
        match provider {
            Provider::AllScale => of_allscale(&body),
            Provider::Azotte => of_azotte(&body, answer),
            Provider::Peach => of_peach(&body),
        }
    }
}

fn of_allscale(body: &Value) -> Option<Reading> {
    let payload = body.get("payload").filter(|_| is_done(body))?;
    let status = payload.as_i64().or_else(|| payload.get("status")?.as_i64())?;
    Some(Reading { code: status.to_string(), meaning: Meaning::of_allscale(status), wait: None })
}

fn of_azotte(body: &Value, answer: &Response) -> Option<Reading> {
    let code = body.pointer("/status/messageCode")?.as_str()?;
    let meaning = Meaning::of_azotte(code);
    let follow_up = body.get("followUpInstructions");
    let said = |name: &str| follow_up.and_then(|follow_up| follow_up.get(name));
    // The browser of a payer who was sent away returns at any time.
    let is_away = code == MessageCode::ThreeDsRequired.code() || body.get("redirectInstructions").is_some();
    let is_asked = meaning == Meaning::Open && !is_away && said("canFollowUp") != Some(&Value::Bool(false));
    let seconds = said("retryAfterSeconds").and_then(Value::as_u64).or_else(|| retry_after(answer));
    // The two seconds of an answer without a wait are Assumed, and prove nothing.
    let wait = seconds.filter(|_| is_asked).map(Duration::from_secs);
    Some(Reading { code: code.to_owned(), meaning, wait })
}

fn of_peach(body: &Value) -> Option<Reading> {
    let flat = body.get("redirect_post_data").unwrap_or(body);
    let code = flat.get("result.code")?.as_str()?;
    let payment_type = flat.get("paymentType").and_then(Value::as_str).unwrap_or_default();
    Some(Reading { code: code.to_owned(), meaning: Meaning::of_peach(code, payment_type), wait: None })
}

/// True if AllScale's envelope says success.
fn is_done(body: &Value) -> bool {
    body.get("code").and_then(Value::as_i64) == Some(0)
}

/// True if an answer tells the client that a create has made a checkout, and where the payer goes.
pub(super) fn tells_of_a_checkout(provider: Provider, answer: &Response) -> bool {
    if !answer.status().is_success() {
        return false;
    }
    let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else { return false };
    let has_text = |pointer: &str| body.pointer(pointer).is_some_and(Value::is_string);
    match provider {
        Provider::AllScale => is_done(&body) && has_text("/payload/checkout_url"),
        Provider::Azotte => has_text("/status/messageCode"),
        Provider::Peach => has_text("/redirectUrl"),
    }
}

/// True if an answer that tells of a checkout names this checkout. Peach's V1 names none: the client knows
/// the checkout by the order.
pub(super) fn names(provider: Provider, answer: &Response, id: &str) -> bool {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let pointers: &[&str] = match provider {
        Provider::AllScale => {
            &["/payload/allscale_checkout_intent_id", "/payload/all_scale_checkout_intent_id"]
        }
        Provider::Azotte => &["/trackingNumber"],
        Provider::Peach => &["/checkoutId"],
    };
    let mut named = pointers.iter().filter_map(|pointer| body.pointer(pointer)).peekable();
    (provider == Provider::Peach && named.peek().is_none()) || named.any(|named| named.as_str() == Some(id))
}

/// The seconds of a `Retry-After`.
pub(super) fn retry_after(answer: &Response) -> Option<u64> {
    answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// True if Peach's answer says that no checkout has the id. Such an answer is an answer to the question.
pub(super) fn is_not_found(answer: &Response) -> bool {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    body.get("result.code").and_then(Value::as_str) == Some("200.300.404")
}

/// The code and the words of a refusal.
pub(super) fn words_of_refusal(answer: &Response) -> String {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let code = body.get("code").and_then(Value::as_i64).map(|code| format!(", code {code}"));
    let words = ["/error/message", "/message"].into_iter().find_map(|at| body.pointer(at)?.as_str());
    let words = words.filter(|words| words.len() <= MOST_WORDS).map(|words| format!(": {words:?}"));
    format!("{}{}{}", answer.status().as_u16(), code.unwrap_or_default(), words.unwrap_or_default())
}

/// True if a fault has put something into an answer that settles no order: somebody else's checkout, another
/// amount, a status that is not so, a wrong signature.
pub(super) fn is_tampering(faults: &str, is_v2: bool) -> bool {
    // A status of Peach's V2 may be unsigned.
    faults.split(", ").any(|name| TAMPERING.contains(&name) && !(is_v2 && name == "unsigned"))
}

/// The names of the faults that put something wrong into an answer.
const TAMPERING: [&str; 13] = [
    "swapped_intent",
    "tampered_amount",
    "tampered_status",
    "settled_in",
    "duplicate_keys",
    "swapped_checkout",
    "tampered_tracking",
    "tampered_code",
    "other_amount",
    "tampered_signature",
    "unsigned",
    "extra_unsigned_key",
    "bare_result",
];

/// True if nobody can know that the client has the answer: the answer came late or in pieces, so that the
/// client may have gone, or in a form that the client may refuse.
pub(super) fn is_unsure(faults: &str) -> bool {
    faults.split(", ").any(|name| UNSURE.contains(&name))
}

/// The names of the faults whose answer a client may have or not.
const UNSURE: [&str; 8] = [
    "wire_delay",
    "wire_delay_log_normal",
    "wire_dribble",
    "wire_bandwidth",
    "wire_slicer",
    "huge_body",
    "wrong_content_type",
    "plain_content_type",
];

/// True if the sandbox has done the work of a request, and has then answered with an error.
pub(super) fn is_late_error(faults: &str) -> bool {
    faults.split(", ").any(|name| name == "late_internal_error")
}

const MOST_WORDS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Wire;
    use checkout_sandbox::{allscale, azotte, peach};
    use checkout_tables::{allscale as of_allscale, azotte as of_azotte, peach as of_peach};
    use checkout_transport::bytes::Bytes;
    use checkout_transport::http;

    fn answer(status: u16, body: &str, retry_after: Option<u64>) -> Response {
        let answer = http::Response::builder().status(status);
        let answer =
            retry_after.into_iter().fold(answer, |answer, seconds| answer.header(RETRY_AFTER, seconds));
        answer.body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn a_status_means_as_the_pages_say() {
        // The tables of the pages, typed by hand. 6 is no status that a page names.
        let paid = [20];
        let over = [-1, -2, -3, -4, -5, 5];
        for status in -6..=21 {
            let expected = match status {
                _ if paid.contains(&status) => Meaning::Paid,
                _ if over.contains(&status) => Meaning::Over,
                _ => Meaning::Open,
            };
            assert_eq!(Meaning::of_allscale(status), expected, "{status}");
        }
        for (code, expected) in [
            ("CHECK_OUT_PROCESSING", Meaning::Open),
            ("CHECK_OUT_3DS_REQUIRED", Meaning::Open),
            ("CHECK_OUT_DONE", Meaning::Paid),
            ("CHECK_OUT_FAILED", Meaning::Over),
            ("CHECK_OUT_SOMETHING", Meaning::Open),
        ] {
            assert_eq!(Meaning::of_azotte(code), expected, "{code}");
        }
        for (code, payment_type, expected) in [
            ("000.200.100", "DB", Meaning::Open),
            ("000.200.000", "DB", Meaning::Open),
            ("700.400.580", "DB", Meaning::Open),
            ("800.100.151", "DB", Meaning::Open),
            ("000.000.000", "DB", Meaning::Paid),
            ("000.100.110", "DB", Meaning::Paid),
            ("000.100.110", "PA", Meaning::Authorized),
            ("000.100.110", "", Meaning::Open),
            ("000.300.100", "DB", Meaning::Open),
            ("100.396.101", "DB", Meaning::Over),
            ("100.396.104", "DB", Meaning::Over),
            ("000.100.200", "DB", Meaning::Reversed),
        ] {
            assert_eq!(Meaning::of_peach(code, payment_type), expected, "{code} {payment_type}");
        }
    }

    #[test]
    fn the_routes_with_these_names_are_there() {
        let creates = [of_allscale::Route::Create.to_string()];
        assert!(creates.iter().all(|name| Kind::of(Provider::AllScale, Some(name)) == Kind::Create));
        for (kind, route) in [(Kind::Read, of_allscale::Route::Get), (Kind::Read, of_allscale::Route::Status)]
        {
            assert_eq!(Kind::of(Provider::AllScale, Some(&route.to_string())), kind);
        }
        for (kind, route) in
            [(Kind::Create, of_azotte::Route::SubmitCheckout), (Kind::Read, of_azotte::Route::CheckoutStatus)]
        {
            assert_eq!(Kind::of(Provider::Azotte, Some(&route.to_string())), kind);
        }
        for (kind, route) in [
            (Kind::Create, of_peach::Route::Initiate),
            (Kind::Create, of_peach::Route::CreateCheckout),
            (Kind::Read, of_peach::Route::Status),
            (Kind::Read, of_peach::Route::CheckoutStatus),
            (Kind::Other, of_peach::Route::Validate),
            (Kind::Other, of_peach::Route::Token),
        ] {
            assert_eq!(Kind::of(Provider::Peach, Some(&route.to_string())), kind);
        }
        assert_eq!(Kind::of(Provider::AllScale, None), Kind::Other);
    }

    #[test]
    fn the_faults_with_these_names_are_there() {
        let of_allscale = [
            allscale::Fault::SwappedIntent,
            allscale::Fault::TamperedAmount,
            allscale::Fault::TamperedStatus(20),
            allscale::Fault::SettledIn(1),
            allscale::Fault::DuplicateKeys,
        ];
        let of_azotte = [
            azotte::Fault::SwappedCheckout,
            azotte::Fault::TamperedTracking,
            azotte::Fault::TamperedCode("CHECK_OUT_DONE".to_owned()),
        ];
        let of_peach = [
            peach::Fault::OtherAmount,
            peach::Fault::TamperedAmount,
            peach::Fault::TamperedSignature,
            peach::Fault::Unsigned,
            peach::Fault::ExtraUnsignedKey,
            peach::Fault::BareResult,
        ];
        let names = of_allscale.iter().map(allscale::Fault::name);
        let names = names.chain(of_azotte.iter().map(azotte::Fault::name));
        let mut count = 0;
        for name in names.chain(of_peach.iter().map(peach::Fault::name)) {
            assert!(is_tampering(name, false), "{name}");
            assert!(is_tampering(&format!("{name}, wire_cut"), false), "{name}");
            count += 1;
        }
        // `tampered_amount` is a name of two providers.
        assert_eq!(count, TAMPERING.len() + 1);
        assert!(!is_tampering(peach::Fault::Unsigned.name(), true));
        for harmless in [allscale::Fault::ExtraFields, allscale::Fault::RateLimited] {
            assert!(!is_tampering(harmless.name(), false));
        }
        let of_sandboxes = [
            allscale::Fault::HugeBody(1).name(),
            azotte::Fault::WrongContentType.name(),
            azotte::Fault::PlainContentType.name(),
        ];
        let of_wire = UNSURE.into_iter().filter(|name| name.starts_with("wire_"));
        let of_wire: Vec<_> = of_wire.filter(|name| Wire::names().any(|wire| wire == *name)).collect();
        assert!(of_sandboxes.into_iter().all(is_unsure) && is_unsure("extra_fields, wire_delay"));
        assert_eq!(of_wire.len() + of_sandboxes.len(), UNSURE.len());
        assert!(!is_unsure("wire_cut") && !is_unsure(""));
        assert!(is_late_error(peach::Fault::LateInternalError.name()));
        assert!(!is_late_error(peach::Fault::InternalError.name()));
    }

    #[test]
    fn azotte_s_wait_is_the_body_s_and_else_the_header_s() {
        let wait = |follow_up: &str, header| {
            let body = format!(r#"{{"status":{{"messageCode":"CHECK_OUT_PROCESSING"}}{follow_up}}}"#);
            Reading::of(Provider::Azotte, &answer(200, &body, header))
                .unwrap()
                .wait
                .map(|wait| wait.as_secs())
        };
        let in_body = r#","followUpInstructions":{"canFollowUp":true,"retryAfterSeconds":7}"#;
        assert_eq!(wait(in_body, Some(5)), Some(7));
        assert_eq!(wait("", Some(5)), Some(5));
        assert_eq!(wait("", None), None);
        assert_eq!(wait(r#","followUpInstructions":{"canFollowUp":false}"#, None), None);
        assert_eq!(wait(r#","redirectInstructions":{"isRedirectRequired":true}"#, None), None);
        for code in ["CHECK_OUT_DONE", "CHECK_OUT_3DS_REQUIRED"] {
            let body = format!(r#"{{"status":{{"messageCode":"{code}"}}}}"#);
            assert_eq!(Reading::of(Provider::Azotte, &answer(200, &body, Some(2))).unwrap().wait, None);
        }
    }

    #[test]
    fn an_answer_that_nobody_can_read_says_nothing() {
        for body in
            ["", "{", "[]", "20", r#"{"code":1,"payload":20}"#, r#"{"payload":20}"#, r#"{"status":{}}"#]
        {
            for provider in [Provider::AllScale, Provider::Azotte, Provider::Peach] {
                assert_eq!(Reading::of(provider, &answer(200, body, None)), None, "{body}");
                assert!(!tells_of_a_checkout(provider, &answer(200, body, None)), "{body}");
            }
        }
        let refused = answer(500, r#"{"code":0,"payload":20}"#, None);
        assert_eq!(Reading::of(Provider::AllScale, &refused), None);
    }
}
