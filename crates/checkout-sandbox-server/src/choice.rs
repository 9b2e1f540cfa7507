//! The scenario that a create chooses by itself: by a header, by the name of the order, or by the amount.

use checkout_sandbox::{allscale, azotte, peach};
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::request::Parts;
use serde_json::Value;

use crate::problem::Problem;
use crate::provider::Provider;

/// The names of the scenarios of a provider. A scenario's number is its place, counted from 1.
pub(crate) fn names(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::AllScale => &allscale::Scenario::NAMES,
        Provider::Azotte => &azotte::Scenario::NAMES,
        Provider::Peach => &peach::Scenario::NAMES,
    }
}

/// A sentence about a scenario.
pub(crate) fn sentence(provider: Provider, name: &str) -> Option<String> {
    match provider {
        Provider::AllScale => allscale::Scenario::sentence(name),
        Provider::Azotte => azotte::Scenario::sentence(name),
        Provider::Peach => peach::Scenario::sentence(name),
    }
}

/// The beginning of an order that chooses the scenario with this number.
pub(crate) fn order_of(number: usize) -> String {
    format!("{SHORT_MARK}{number:02}")
}

/// The amount that chooses the scenario with this number. `None` if the provider is told no amount.
pub(crate) fn amount_of(provider: Provider, number: usize) -> Option<String> {
    (provider != Provider::Azotte).then(|| format!("{UNITS}.{number:02}"))
}

/// Takes the header out of a head, and returns the name of the scenario that the header chooses.
///
/// # Errors
/// The header names no scenario.
pub(crate) fn of_header(head: &mut Parts, provider: Provider) -> Result<Option<&'static str>, Problem> {
    if head.headers.get_all(HEADER).iter().nth(1).is_some() {
        return Err(Problem::field(HEADER, "is given twice: a checkout has one scenario"));
    }
    let Some(value) = head.headers.remove(HEADER) else { return Ok(None) };
    let name = value.to_str().unwrap_or_default().trim();
    let found = names(provider).iter().find(|known| **known == name);
    found.map(|name| Some(*name)).ok_or_else(|| Problem::field(HEADER, wrong(provider)))
}

/// The name of the scenario that an order chooses.
///
/// # Errors
/// The order has a mark, and the mark names no scenario.
pub(crate) fn of_order(order: &str, provider: Provider) -> Result<Option<&'static str>, Problem> {
    let names = names(provider);
    let found = if let Some(rest) = order.strip_prefix(SHORT_MARK) {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse::<usize>().ok());
        number.and_then(|number| names.get(number.checked_sub(1)?))
    } else if let Some(rest) = order.strip_prefix(LONG_MARK) {
        let name = rest.split('.').next().unwrap_or_default();
        names.iter().find(|known| **known == name)
    } else {
        return Ok(None);
    };
    found.map(|name| Some(*name)).ok_or_else(|| Problem::field("order", wrong(provider)))
}

/// The name of the scenario that the amount of a create chooses.
pub(crate) fn of_amount(head: &Parts, body: &[u8], provider: Provider) -> Option<&'static str> {
    let hundredths = match provider {
        Provider::AllScale => {
            let body: Value = serde_json::from_slice(body).ok()?;
            body.get("amount_cents")?.as_u64()?
        }
        Provider::Peach => {
            let amount = peach_amount(head, body)?;
            let (units, hundredths) = amount.split_once('.')?;
            let whole: u64 = units.parse().ok()?;
            whole.checked_mul(100)?.checked_add(hundredths.parse().ok().filter(|_| hundredths.len() == 2)?)?
        }
        Provider::Azotte => return None,
    };
    let number = usize::try_from(hundredths.checked_sub(UNITS * 100)?).ok()?;
    names(provider).get(number.checked_sub(1)?).copied()
}

fn peach_amount(head: &Parts, body: &[u8]) -> Option<String> {
    let kind = head.headers.get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    if kind.contains("form") {
        let amount = form_urlencoded::parse(body).find(|(name, _)| name == "amount")?.1;
        return Some(amount.into_owned());
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let amount = body.get("amount")?;
    Some(amount.as_str().map_or_else(|| amount.to_string(), str::to_owned))
}

fn wrong(provider: Provider) -> String {
    let numbered = (1..).zip(names(provider)).map(|(number, name)| format!("{number:02} {name}"));
    let numbered = numbered.collect::<Vec<_>>().join(", ");
    format!("names no scenario of {}: the scenarios are {numbered}", provider.name())
}

/// The header that chooses the scenario of a new checkout.
pub(crate) const HEADER: &str = "x-sandbox-scenario";

/// The mark of an order before two digits. Peach's orders have 8 to 16 letters and digits.
pub(crate) const SHORT_MARK: &str = "sbxcase";

/// The mark of an order before the name of a scenario and a dot.
pub(crate) const LONG_MARK: &str = "sandbox.";

/// The units of an amount that chooses a scenario by its hundredths.
const UNITS: u64 = 777_777;

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_transport::http::Request;

    #[test]
    fn an_order_with_a_mark_chooses_and_any_other_does_not() {
        let of = |order: &str, provider| of_order(order, provider).map_err(|problem| problem.field);
        let refused = Err(Some("order".to_owned()));
        assert_eq!(of("sbxcase05abcdefg", Provider::AllScale), Ok(Some("underpaid")));
        assert_eq!(of("sbxcase01", Provider::Peach), Ok(Some("happy")));
        assert_eq!(of("sbxcase17", Provider::Peach), Ok(Some("uncertain")));
        assert_eq!(of("sandbox.three_ds_failed.order-7", Provider::Azotte), Ok(Some("three_ds_failed")));
        assert_eq!(of("sandbox.underpaid", Provider::AllScale), Ok(Some("underpaid")));
        for order in ["underpaid-1", "sandbox2024-1", "SBXCASE05", "order-sbxcase05", ""] {
            assert_eq!(of(order, Provider::AllScale), Ok(None), "{order}");
        }
        for order in
            ["sbxcase", "sbxcase5", "sbxcase00", "sbxcase99", "sbxcase+5", "sandbox.", "sandbox.nope.1"]
        {
            assert_eq!(of(order, Provider::AllScale), refused, "{order}");
        }
        assert_eq!(of("sbxcase\u{e4}\u{e4}", Provider::AllScale), refused);
    }

    #[test]
    fn an_amount_chooses_by_its_hundredths() {
        let of = |kind: &str, body: &str, provider| {
            let (head, ()) = Request::post("/").header(CONTENT_TYPE, kind).body(()).unwrap().into_parts();
            of_amount(&head, body.as_bytes(), provider)
        };
        let json = "application/json";
        for (cents, expected) in [
            (77_777_705, Some("underpaid")),
            (77_777_701, Some("happy")),
            (77_777_714, Some("never_paid")),
            (77_777_700, None),
            (77_777_715, None),
            (77_777_605, None),
            (5, None),
        ] {
            assert_eq!(
                of(json, &format!("{{\"amount_cents\":{cents}}}"), Provider::AllScale),
                expected,
                "{cents}"
            );
        }
        let form = "application/x-www-form-urlencoded";
        for (amount, expected) in [
            ("777777.04", Some("expired")),
            ("777777.4", None),
            ("777777", None),
            ("777777.99", None),
            ("4", None),
        ] {
            assert_eq!(of(form, &format!("a=b&amount={amount}"), Provider::Peach), expected, "{amount}");
            assert_eq!(
                of(json, &format!("{{\"amount\":\"{amount}\"}}"), Provider::Peach),
                expected,
                "{amount}"
            );
        }
        assert_eq!(of(json, "{\"amount_cents\":77777705,\"amount\":\"777777.04\"}", Provider::Azotte), None);
        assert_eq!((of(json, "{", Provider::AllScale), of(form, "", Provider::Peach)), (None, None));
    }
}
