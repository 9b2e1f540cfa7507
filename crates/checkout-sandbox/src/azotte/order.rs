//! The order in a submit, and the rules of the documents for the order.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The part of a submit that the sandbox keeps once the fields have passed: nothing of a card, and nothing of
/// a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) correlation_id: Option<String>,
    pub(super) channel: String,
    pub(super) uses_stored_method: bool,
}

impl Order {
    /// Reads a submit. The refusal lists every fault at once, and holds no value of the submit.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value =
            serde_json::from_slice(body).map_err(|_| Refusal::bad_request("the body is not JSON"))?;
        let body = body.as_object().ok_or_else(|| Refusal::bad_request("the body is not a JSON object"))?;
        let mut errors = Errors(Vec::new());
        let whole = Fields { path: String::new(), members: body };
        errors.allow(&whole, &["order", "paymentMethod"]);
        let correlation_id = errors.object(&whole, "order").and_then(|order| read_order(&mut errors, &order));
        let payment = errors.object(&whole, "paymentMethod");
        let (channel, uses_stored_method) =
            payment.and_then(|method| read_method(&mut errors, &method)).unwrap_or_default();
        if errors.0.is_empty() {
            Ok(Self { correlation_id, channel, uses_stored_method })
        } else {
            Err(Refusal::bad_fields(errors.0))
        }
    }
}

/// The `correlationId` in a submit, whatever else the submit holds.
pub(super) fn correlation_id(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("order")?.get("correlationId")?.as_str().map(str::to_owned)
}

/// The correlation id of an order, if the order has a correlation id.
fn read_order(errors: &mut Errors, order: &Fields<'_>) -> Option<String> {
    let known = "offerIdentifier correlationId installmentIdentifier resellerID items customer";
    errors.allow(order, &known.split(' ').collect::<Vec<_>>());
    errors.required_text(order, "offerIdentifier");
    errors.text(order, "installmentIdentifier");
    if order.value("resellerID").is_some_and(|id| !id.is_i64()) {
        errors.add(&order.at("resellerID"), "must be an integer");
    }
    match order.value("items") {
        None => errors.add(&order.at("items"), "is required"),
        Some(Value::Array(items)) if items.is_empty() => {
            errors.add(&order.at("items"), "must not be empty");
        }
        Some(Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                read_item(errors, order.at(&format!("items[{at}]")), item);
            }
        }
        Some(_) => errors.add(&order.at("items"), "must be an array"),
    }
    if let Some(customer) = errors.object(order, "customer") {
        errors.allow(&customer, &["customerUrn", "ipAddress"]);
        errors.required_text(&customer, "customerUrn");
        let address = errors.text(&customer, "ipAddress");
        if address.is_some_and(|address| address.parse::<IpAddr>().is_err()) {
            errors.add(&customer.at("ipAddress"), "must be an IP address");
        }
    }
    let correlation_id = errors.text(order, "correlationId")?;
    if correlation_id.trim().is_empty() {
        errors.add(&order.at("correlationId"), "must not be blank");
    }
    Some(correlation_id.to_owned())
}

fn read_item(errors: &mut Errors, path: String, item: &Value) {
    let Some(members) = item.as_object() else { return errors.add(&path, "must be an object") };
    let item = Fields { path, members };
    errors.allow(&item, &["itemIdentifier", "parentItemIdentifier", "quantity"]);
    errors.required_text(&item, "itemIdentifier");
    errors.text(&item, "parentItemIdentifier");
    if item.value("quantity").is_some_and(|quantity| quantity.as_u64().is_none_or(|count| count == 0)) {
        errors.add(&item.at("quantity"), "must be a positive integer");
    }
}

/// The channel, and true if the submit charges a stored method.
fn read_method(errors: &mut Errors, method: &Fields<'_>) -> Option<(String, bool)> {
    let known = "paymentChannel providerIdentifier useStoredMethod creditCard storeMethodSuccessPayment";
    errors.allow(method, &known.split(' ').collect::<Vec<_>>());
    errors.text(method, "providerIdentifier");
    // The page's type is a string, and the meaning is a choice of two.
    if method
        .value("storeMethodSuccessPayment")
        .is_some_and(|store| !store.is_boolean() && !store.is_string())
    {
        errors.add(&method.at("storeMethodSuccessPayment"), "must be a boolean or a string");
    }
    let uses_stored = match method.value("useStoredMethod") {
        None => false,
        Some(Value::Bool(uses_stored)) => *uses_stored,
        Some(_) => {
            errors.add(&method.at("useStoredMethod"), "must be a boolean");
            false
        }
    };
    let channel = errors.required_text(method, "paymentChannel")?;
    if !["CreditCard", "PayPal", "Klarna", "SEPA", "Bank"].contains(&channel) {
        errors.add(&method.at("paymentChannel"), "is none of the five");
    }
    let has_card = method.value("creditCard").is_some();
    if (has_card || (channel == "CreditCard" && !uses_stored))
        && let Some(card) = errors.object(method, "creditCard")
    {
        read_card(errors, &card, uses_stored);
    }
    Some((channel.to_owned(), uses_stored))
}

/// Reads a card. A fresh card has all fields. Beside a stored method any field may be missing, and other
/// fields may be there: the page says that a reference to the method can stand here, and tells no name for
/// the reference.
fn read_card(errors: &mut Errors, card: &Fields<'_>, uses_stored: bool) {
    let fields: [(&str, &str, Rule); 5] = [
        ("cardHolderName", "must not be blank", |name| !name.trim().is_empty()),
        ("cardNumber", "must be 12 to 19 digits", |number| digits(number, 12..=19)),
        ("expireMonth", "must be 01 to 12", |month| digits(month, 2..=2) && ("01"..="12").contains(&month)),
        ("expireYear", "must be 4 digits", |year| digits(year, 4..=4)),
        ("cvc", "must be 3 or 4 digits", |cvc| digits(cvc, 3..=4)),
    ];
    for (name, rule, passes) in fields {
        if uses_stored && card.value(name).is_none() {
            continue;
        }
        let value = errors.required_text(card, name);
        if value.is_some_and(|value| !passes(value)) {
            errors.add(&card.at(name), rule);
        }
    }
    errors.text(card, "cardAlias");
    if !uses_stored {
        let known = fields.map(|(name, ..)| name);
        errors.allow(card, &[&known[..], &["cardAlias"]].concat());
    }
}

/// A test of a text. True if the text passes.
type Rule = fn(&str) -> bool;

fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The members of an object, and the path of the object in the body.
struct Fields<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The member's value, unless the member is left out or null.
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// The paths of faults, each with words for the fault.
struct Errors(Vec<(String, String)>);

impl Errors {
    fn add(&mut self, path: &str, message: &str) {
        self.0.push((path.to_owned(), message.to_owned()));
    }

    /// Adds a fault for every member that is not among these names. Only a plain word is named.
    fn allow(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for name in fields.members.keys().filter(|name| !known.contains(&name.as_str())) {
            let is_word = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
            self.add(&fields.at(if is_word { name } else { "?" }), "is not a field that the page names");
        }
    }

    fn object<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
        let path = fields.at(name);
        match fields.value(name) {
            None => self.add(&path, "is required"),
            Some(Value::Object(members)) => return Some(Fields { path, members }),
            Some(_) => self.add(&path, "must be an object"),
        }
        None
    }

    fn text<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Option<&'a str> {
        let value = fields.value(name)?;
        if !value.is_string() {
            self.add(&fields.at(name), "must be a string");
        }
        value.as_str()
    }

    fn required_text<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Option<&'a str> {
        if fields.value(name).is_none() {
            self.add(&fields.at(name), "is required");
        }
        let text = self.text(fields, name)?;
        if text.is_empty() {
            self.add(&fields.at(name), "must not be empty");
            return None;
        }
        Some(text)
    }
}
