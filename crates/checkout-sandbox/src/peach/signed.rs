//! The fields of a checkout, signed, and the effects of a fault on the fields.

use checkout_auth::peach::SecretToken;

use super::fault::Fault;
use super::form::{Pairs, borrowed};
use crate::json::Json;

/// The signature over all the fields.
#[expect(
    clippy::expect_used,
    reason = "the sandbox writes no field twice, and takes none that is given twice"
)]
pub(super) fn signature(token: &SecretToken, fields: &Pairs) -> String {
    token.sign(borrowed(fields)).expect("no field comes twice").as_str().to_owned()
}

/// The fields with the signature.
pub(super) fn with_signature(token: &SecretToken, mut fields: Pairs) -> Pairs {
    let signature = signature(token, &fields);
    fields.push(("signature".to_owned(), signature));
    fields
}

/// The fields with the signature as a status shows the fields.
pub(super) fn shown(token: &SecretToken, mut fields: Pairs, fault: Option<&Fault>) -> Json {
    match fault {
        Some(Fault::OtherAmount) => change(&mut fields, "amount", other_amount),
        Some(Fault::ExtraSignedKey) => {
            fields.push(("x.sandboxUnknown".to_owned(), "signed + \"é\"".to_owned()))
        }
        Some(Fault::BareResult) => fields.retain(|(key, _)| key.starts_with("result.")),
        Some(_) | None => {}
    }
    let mut fields = with_signature(token, fields);
    match fault {
        Some(Fault::TamperedAmount) => change(&mut fields, "amount", other_amount),
        Some(Fault::TamperedCode(code)) => change(&mut fields, "result.code", |_| code.clone()),
        Some(Fault::TamperedSignature) => change(&mut fields, "signature", other_digit),
        Some(Fault::Unsigned) => fields.retain(|(key, _)| key != "signature"),
        Some(Fault::ExtraUnsignedKey) => fields.push(("x.sandboxUnknown".to_owned(), "unsigned".to_owned())),
        Some(_) | None => {}
    }
    let numbers = fault == Some(&Fault::NumbersForTexts);
    let value = |text: String| if numbers && is_number(&text) { Json::Raw(text) } else { Json::Text(text) };
    Json::Object(fields.into_iter().map(|(key, text)| (key, value(text))).collect())
}

fn change(fields: &mut Pairs, key: &str, change: impl FnOnce(&str) -> String) {
    if let Some((_, value)) = fields.iter_mut().find(|(name, _)| name == key) {
        *value = change(value);
    }
}

fn other_amount(amount: &str) -> String {
    (if amount == "0.01" { "0.02" } else { "0.01" }).to_owned()
}

fn other_digit(signature: &str) -> String {
    let rest = signature.get(1..).unwrap_or_default();
    format!("{}{rest}", if signature.starts_with('0') { '1' } else { '0' })
}

/// True if a text is a number in the notation of JSON, without an exponent.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole) && digits(decimals) && (whole == "0" || !whole.starts_with('0'))
}
