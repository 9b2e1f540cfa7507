//! The refusals of Peach.

use checkout_transport::http::header::{AUTHORIZATION, CONTENT_TYPE, REFERER};
use serde_json::Value;

use super::signing::{Form, MOST_SEARCHED, Search, Tried, unhex};
use super::{Finding, Why, Wrong, answer, only, others};
use crate::mask::Mask;
use crate::traffic::Entry;
use crate::world::World;
use crate::worlds::Worlds;

type Pairs = Vec<(String, String)>;

pub(super) fn why(entry: &Entry, world: &World, worlds: &Worlds, mask: &Mask<'_>) -> Why {
    let answer = answer(entry);
    let message = answer.get("message").and_then(Value::as_str);
    let sentences = if let Some(fields) = answer.get("validation_errors").and_then(Value::as_object) {
        let text = |text: &Value| text.as_str().unwrap_or_default().to_owned();
        fields
            .iter()
            .map(|(field, words)| format!("The field {field} is refused: {}.", text(words)))
            .collect()
    } else if let Some(code) = answer.get("result.code").and_then(Value::as_str) {
        vec![match code {
            "200.300.404" => "The merchant has no such checkout.".to_owned(),
            _ => format!("The answer has the result code {code}."),
        }]
    } else {
        vec![in_words(entry, world, message.unwrap_or_default())]
    };
    let is_signed = entry.route.as_deref().is_some_and(|_| !entry.path.starts_with("/v2/"));
    let fields = answer.get("validation_errors");
    let is_about_signature = message.is_some_and(|message| message.contains("ignature"))
        || fields.is_some_and(|fields| fields.get(SIGNATURE).is_some());
    let signature = if is_signed && is_about_signature {
        search(entry, world, worlds, mask).map(|search| search.find(mask))
    } else {
        None
    };
    let mut why = Why { sentences, signature };
    if let Some(signature) = &why.signature
        && !matches!(signature.finding, Finding::Right)
    {
        if message.is_some() {
            why.sentences.clear();
        }
        why.sentences.insert(0, signature.sentence());
    }
    why
}

fn in_words(entry: &Entry, world: &World, message: &str) -> String {
    let keys = world.keys();
    match message {
        "The signature is invalid." => "There is no signature, or more than one.".to_owned(),
        "Duplicate signature." => {
            "The same signature has come within 24 hours. Each attempt takes a fresh nonce.".to_owned()
        }
        "The referer is not allowed." => match entry.headers.get(REFERER) {
            None => "The header referer is missing: Peach wants an allow-listed domain there.".to_owned(),
            Some(_) => format!(
                "The domain of the referer is not on the list: the sandbox allows {}, localhost and 127.0.0.1.",
                checkout_sandbox::peach::REFERER
            ),
        },
        "Unknown authentication.entityId." => {
            "No world has this authentication.entityId. GET /_/worlds/{world} shows the keys of a world."
                .to_owned()
        }
        "Invalid credentials." => {
            let body: Value = serde_json::from_slice(&entry.body).unwrap_or_default();
            let is = |name: &str, right: &str| body.get(name).and_then(Value::as_str) == Some(right);
            let wrong = [
                ("clientId", is("clientId", &keys.peach_client_id)),
                ("clientSecret", is("clientSecret", &keys.peach_client_secret)),
                ("merchantId", is("merchantId", &keys.peach_merchant_id)),
            ];
            let wrong: Vec<&str> =
                wrong.iter().filter(|(_, is_right)| !is_right).map(|(name, _)| *name).collect();
            format!("Not the world's: {}.", wrong.join(", "))
        }
        "Unauthorized." => match only(entry, AUTHORIZATION.as_str()) {
            None => "The header authorization is missing: POST /api/oauth/token gives a token.".to_owned(),
            Some(value) if !value.starts_with("Bearer ") => {
                "The header authorization has to be the word Bearer, a space and the token.".to_owned()
            }
            Some(_) => "The access token is not known, or its time is over by the world's clock.".to_owned(),
        },
        "The content type is not supported." => match only(entry, CONTENT_TYPE.as_str()) {
            None => "The header content-type is missing, or given twice.".to_owned(),
            Some(value) => format!("The content type {value} has no place here."),
        },
        "" => "The answer gives no reason.".to_owned(),
        message => message.to_owned(),
    }
}

fn search<'a>(entry: &'a Entry, world: &'a World, worlds: &Worlds, mask: &Mask<'_>) -> Option<Search<'a>> {
    let content_type = only(entry, CONTENT_TYPE.as_str()).unwrap_or_default();
    let raw = match entry.query.as_deref().filter(|_| entry.path == "/status") {
        Some(query) => query,
        None => std::str::from_utf8(&entry.body).ok()?,
    };
    let is_json = entry.path != "/status" && content_type.contains("json");
    let all =
        if is_json { flat(raw)? } else { form_urlencoded::parse(raw.as_bytes()).into_owned().collect() };
    let mut signatures = all.iter().filter(|(name, _)| name == SIGNATURE);
    let received = signatures.next()?.1.clone();
    if signatures.next().is_some() {
        return None;
    }
    let pairs: Pairs = all.into_iter().filter(|(name, _)| name != SIGNATURE).collect();
    let length: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    let is_long = raw.len().max(length) > MOST_SEARCHED || pairs.len() > MOST_PAIRS;
    let shown: Pairs = pairs.iter().map(|(name, value)| (name.clone(), mask.named(name, value))).collect();
    let shown_raw = match mask.body_of(content_type, raw.as_bytes()) {
        crate::mask::Body::Text(text) => text,
        crate::mask::Body::Empty | crate::mask::Body::Bytes(_) => String::new(),
    };
    let keys = world.keys();
    let wrong = |name: &str, secret: Vec<u8>| Wrong { name: name.to_owned(), secret };
    let token = &*keys.peach_secret_token;
    let mut all_wrong = vec![
        wrong("the entity was taken as the secret token", keys.peach_entity_id.as_bytes().to_vec()),
        wrong(
            "the client secret was taken as the secret token",
            keys.peach_client_secret.as_bytes().to_vec(),
        ),
        wrong("a line end stands after the secret token", format!("{token}\n").into_bytes()),
    ];
    all_wrong.extend(unhex(token).map(|bytes| wrong("the secret token was decoded from hex", bytes)));
    let mut rare = others(world, worlds, |other| &other.keys().peach_secret_token);
    rare.push(wrong("AllScale's secret was taken", keys.allscale_api_secret.as_bytes().to_vec()));
    Some(Search {
        received,
        prefix_mistake: None,
        form: Form::LowerHex,
        texts: texts(&pairs, raw, is_long),
        shown: texts(&shown, &shown_raw, is_long),
        secret: token.as_bytes(),
        wrong: all_wrong,
        rare,
        is_long,
    })
}

/// The texts to try. The first is the right text: all pairs sorted by key, with nothing between. A long
/// request has the right text alone.
fn texts(pairs: &[(String, String)], raw: &str, is_long: bool) -> Vec<Tried> {
    let sorted = |pairs: &[(String, String)]| {
        let mut pairs = pairs.to_vec();
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        pairs
    };
    let joined = |pairs: &[(String, String)], equals: &str, between: &str| {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}{equals}{value}")).collect();
        pairs.join(between)
    };
    let right = sorted(pairs);
    let plain = |pairs: &[(String, String)]| joined(pairs, "", "");
    let mut texts = vec![Tried::new("", plain(&right))];
    if is_long {
        return texts;
    }
    let right_text = plain(&right);
    let mut add = |name: String, text: String| {
        if text != right_text {
            texts.push(Tried::new(name, text));
        }
    };
    add("the pairs were signed in the order of the request, and not sorted".to_owned(), plain(pairs));
    let mut no_case = pairs.to_vec();
    no_case.sort_by_key(|(name, _)| name.to_lowercase());
    add("the pairs were sorted without regard to capital letters".to_owned(), plain(&no_case));
    let filled: Pairs = right.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    add("the empty fields were left out of the signed text".to_owned(), plain(&filled));
    let encoded = |pairs: &[(String, String)], space: &str| -> Pairs {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        pairs.iter().map(|(name, value)| (name.clone(), encode(value).replace('+', space))).collect()
    };
    for space in ["+", "%20"] {
        add("the values were signed encoded as in the form".to_owned(), plain(&encoded(&right, space)));
    }
    let with_signature = |value: &str| {
        let mut pairs = pairs.to_vec();
        pairs.push((SIGNATURE.to_owned(), value.to_owned()));
        sorted(&pairs)
    };
    add("the field signature itself was signed".to_owned(), plain(&with_signature("")));
    for (equals, between) in [("=", "&"), ("=", ""), ("", "&"), (":", ","), ("", "\n"), (" ", " ")] {
        let name = "signs were put between the keys and the values";
        add(name.to_owned(), joined(&right, equals, between));
        add(name.to_owned(), joined(pairs, equals, between));
        add(name.to_owned(), joined(&encoded(&right, "+"), equals, between));
        add(name.to_owned(), joined(&encoded(&right, "%20"), equals, between));
    }
    let values: String = right.iter().map(|(_, value)| &**value).collect();
    add("the values alone were signed".to_owned(), values);
    add("the body was signed as it was sent".to_owned(), raw.to_owned());
    let short: Pairs = right
        .iter()
        .map(|(name, value)| (name.rsplit('.').next().unwrap_or_default().to_owned(), value.clone()))
        .collect();
    add("the keys were signed without the part before the dot".to_owned(), plain(&short));
    for (place, (name, value)) in right.iter().enumerate() {
        let mut without = right.clone();
        without.remove(place);
        let begin: String = name.chars().take(MOST_OF_NAME).collect();
        add(format!("the field {begin} was left out of the signed text"), plain(&without));
        if name == "amount" {
            for amount in amounts(value) {
                let mut other = right.clone();
                if let Some((_, value)) = other.get_mut(place) {
                    *value = amount;
                }
                let name = "the amount was signed with other decimals than were sent";
                add(name.to_owned(), plain(&other));
            }
        }
    }
    for name in OPTIONAL.iter().filter(|name| !right.iter().any(|(known, _)| known == *name)) {
        let mut with = pairs.to_vec();
        with.push(((*name).to_owned(), String::new()));
        add(format!("the empty field {name} was signed, and not sent"), plain(&sorted(&with)));
    }
    texts
}

/// An amount with other decimals.
fn amounts(amount: &str) -> Vec<String> {
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    let trimmed = decimals.trim_end_matches('0');
    let short = if trimmed.is_empty() { whole.to_owned() } else { format!("{whole}.{trimmed}") };
    vec![
        short,
        format!("{whole}.{decimals:0<1}"),
        format!("{whole}.{decimals:0<2}"),
        format!("{whole}{decimals:0<2}"),
    ]
}

/// The pairs of a JSON object, with the names as the form has them. `None` if the text is no JSON object, or
/// if the names together have more than [`MOST_NAMED`] bytes: the sandbox reads no such body.
fn flat(json: &str) -> Option<Pairs> {
    let value: Value = serde_json::from_str(json).ok()?;
    let (mut pairs, mut room) = (Vec::new(), MOST_NAMED);
    for (name, value) in value.as_object()? {
        flatten(name, value, &mut pairs, &mut room)?;
    }
    Some(pairs)
}

fn flatten(key: &str, value: &Value, pairs: &mut Pairs, room: &mut usize) -> Option<()> {
    *room = room.checked_sub(key.len())?;
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((key.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => pairs.push((key.to_owned(), value.to_string())),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                flatten(&format!("{key}[{place}]"), item, pairs, room)?;
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let bracketed = key == "customParameters";
                let key = if bracketed { format!("{key}[{name}]") } else { format!("{key}.{name}") };
                flatten(&key, value, pairs, room)?;
            }
        }
    }
    Some(())
}

const SIGNATURE: &str = "signature";

/// The most pairs of a request in which a mistake is searched for: each pair is left out once.
const MOST_PAIRS: usize = 200;

/// The most characters of a field's name in a sentence.
const MOST_OF_NAME: usize = 100;

/// The most bytes of the names of a JSON object. A name in an object stands in front of each value of the
/// object.
const MOST_NAMED: usize = 1 << 20;

/// Fields that may be left out of a request.
const OPTIONAL: [&str; 8] = [
    "defaultPaymentMethod",
    "forceDefaultMethod",
    "merchantInvoiceId",
    "cancelUrl",
    "notificationUrl",
    "customer.email",
    "customer.givenName",
    "customer.surname",
];
