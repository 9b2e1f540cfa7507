//! The scrubbing of a request and of an answer when they are recorded.

use std::collections::HashMap;

use checkout_transport::http::header::{CONTENT_TYPE, HeaderMap};
use checkout_transport::http::{Method, Uri};
use checkout_transport::{Request, Response, TransportError};

use super::exchange::{Answer, Asked, Body, MARK, Outcome, Pairs};
use super::fields::{self, Shape};
use super::json::Json;

/// Scrubs, with the added names among the names that are kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Scrubber {
    /// Sorted, and each once.
    kept: Vec<String>,
}

impl Scrubber {
    pub(super) fn keep(&mut self, name: &str) {
        if let Err(place) = self.kept.binary_search_by(|kept| kept.as_str().cmp(name)) {
            self.kept.insert(place, name.to_owned());
        }
    }

    pub(super) fn kept(&self) -> &[String] {
        &self.kept
    }

    pub(super) fn request(&self, request: &Request) -> Asked {
        let uri = request.uri();
        let query = uri.query().unwrap_or_default();
        Asked {
            method: method(request.method()),
            origin: origin(uri),
            path: path(uri.path()),
            query: match pairs(query) {
                Some(pairs) => self.pairs(pairs),
                None => vec![(MARK.to_owned(), MARK.to_owned())],
            },
            headers: headers(request.headers(), OF_REQUESTS),
            body: self.body(request.headers(), request.body()),
        }
    }

    pub(super) fn outcome(&self, outcome: &Result<Response, TransportError>) -> Outcome {
        match outcome {
            Ok(response) => Outcome::Answer(Answer {
                status: response.status(),
                headers: headers(response.headers(), OF_ANSWERS),
                body: unsigned(self.body(response.headers(), response.body())),
            }),
            Err(error) => Outcome::Error { delivery: error.delivery(), exceeded_cap: error.exceeded_cap() },
        }
    }

    fn body(&self, headers: &HeaderMap, bytes: &[u8]) -> Body {
        if bytes.is_empty() {
            return Body::Empty;
        }
        let text = std::str::from_utf8(bytes).ok();
        let scrubbed = if is_form(headers) {
            text.and_then(pairs).map(|pairs| Body::Form(self.pairs(pairs)))
        } else {
            text.and_then(|text| Json::read(text, LEVELS)).map(|json| Body::Json(self.whole(json)))
        };
        scrubbed.unwrap_or(Body::Bytes(bytes.len()))
    }

    fn whole(&self, json: Json) -> Json {
        if let Json::Object(members) = json { Json::Object(self.members(members)) } else { blank(json) }
    }

    fn members(&self, members: Vec<(String, Json)>) -> Vec<(String, Json)> {
        let mut names = Names::default();
        let members = members.into_iter();
        members
            .map(|(name, value)| {
                let value = self.value(&name, value);
                (names.shown(name, self), value)
            })
            .collect()
    }

    fn pairs(&self, pairs: Pairs) -> Pairs {
        let mut names = Names::default();
        let pairs = pairs.into_iter();
        pairs
            .map(|(name, value)| {
                let value = if self.keeps_text(&name, &value) { value } else { blank_text(&value) };
                (names.shown(name, self), value)
            })
            .collect()
    }

    fn value(&self, name: &str, value: Json) -> Json {
        let rule = self.rule(name);
        match value {
            Json::List(items) if rule != Rule::Drop => {
                Json::List(items.into_iter().map(|item| self.value(name, item)).collect())
            }
            Json::Object(members) if rule.goes_into() => Json::Object(self.members(members)),
            Json::Flag(_) if rule.fits(|shape| shape == Shape::Flag) => value,
            Json::Number(ref number) if rule.fits(Shape::fits_number) && !has_card_number(number) => value,
            Json::Text(ref text) if self.keeps_text(name, text) => value,
            Json::Null
            | Json::Flag(_)
            | Json::Number(_)
            | Json::Text(_)
            | Json::List(_)
            | Json::Object(_) => blank(value),
        }
    }

    fn keeps_text(&self, name: &str, text: &str) -> bool {
        self.rule(name).fits(|shape| shape.fits(text)) && !has_card_number(text)
    }

    fn rule(&self, name: &str) -> Rule {
        if fields::is_never_kept(name) {
            return Rule::Drop;
        }
        if self.is_added(name) {
            return Rule::KeepAll;
        }
        match fields::shapes(name) {
            [] => Rule::Drop,
            shapes => Rule::Keep(shapes),
        }
    }

    fn is_added(&self, name: &str) -> bool {
        self.kept.binary_search_by(|kept| kept.as_str().cmp(name)).is_ok()
    }
}

/// The treatment of the values under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Drop,
    Keep(&'static [Shape]),
    /// Somebody added the name.
    KeepAll,
}

impl Rule {
    fn fits(self, fits: impl Fn(Shape) -> bool) -> bool {
        match self {
            Self::Drop => false,
            Self::Keep(shapes) => shapes.iter().any(|shape| fits(*shape)),
            Self::KeepAll => true,
        }
    }

    fn goes_into(self) -> bool {
        self.fits(|shape| shape == Shape::Members)
    }
}

/// The names of one object or form: a number replaces each unknown name, since the name can be a payer's.
#[derive(Default)]
struct Names {
    /// The number of each, from 1.
    unknown: HashMap<String, usize>,
}

impl Names {
    fn shown(&mut self, name: String, scrubber: &Scrubber) -> String {
        if (fields::is_known(&name) || scrubber.is_added(&name)) && !has_card_number(&name) {
            return name;
        }
        let next = self.unknown.len().saturating_add(1);
        format!("(scrubbed {})", self.unknown.entry(name).or_insert(next))
    }
}

/// An answer's body without the signature over its former content: a reader may do without a signature, and
/// refuses a wrong one.
fn unsigned(body: Body) -> Body {
    match body {
        Body::Json(json) => Body::Json(unsigned_json(json)),
        Body::Form(mut pairs) => {
            pairs.retain(|(name, _)| name != SIGNATURE);
            Body::Form(pairs)
        }
        Body::Empty | Body::Bytes(_) => body,
    }
}

fn unsigned_json(json: Json) -> Json {
    match json {
        Json::List(items) => Json::List(items.into_iter().map(unsigned_json).collect()),
        Json::Object(members) => {
            let members = members.into_iter().filter(|(name, _)| name != SIGNATURE);
            Json::Object(members.map(|(name, value)| (name, unsigned_json(value))).collect())
        }
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => json,
    }
}

/// A value of the same type that says nothing.
fn blank(value: Json) -> Json {
    match value {
        Json::Null => Json::Null,
        Json::Flag(_) => Json::Flag(false),
        Json::Number(_) => Json::Number("0".to_owned()),
        Json::Text(text) => Json::Text(blank_text(&text)),
        Json::List(_) => Json::List(Vec::new()),
        Json::Object(_) => Json::Object(Vec::new()),
    }
}

/// A reader may insist on an address, so one stays one.
fn blank_text(text: &str) -> String {
    let blank = match text {
        "" => "",
        text if text.starts_with("https://") => "https://scrubbed.invalid/",
        text if text.starts_with("http://") => "http://scrubbed.invalid/",
        _ => MARK,
    };
    blank.to_owned()
}

fn method(method: &Method) -> String {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::PATCH,
        Method::TRACE,
    ];
    if KNOWN.contains(method) { method.as_str().to_owned() } else { MARK.to_owned() }
}

/// The scheme and the host, with its port and without a user. Empty for a URI that is not absolute.
fn origin(uri: &Uri) -> String {
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return String::new() };
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let origin = format!("{scheme}://{host}{port}");
    if has_card_number(&origin) { MARK.to_owned() } else { origin }
}

fn path(path: &str) -> String {
    let segment = |segment| match segment {
        "" => "",
        segment if Shape::Id.fits(segment) && !has_card_number(segment) => segment,
        _ => MARK,
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

type KeepsHeader = fn(&str, &str) -> Option<String>;

/// The value of a request's header, if the value is kept.
const OF_REQUESTS: KeepsHeader = |name, value| match name {
    "accept" | "content-type" => is_media_type(value).then(|| value.to_owned()),
    _ => None,
};

/// The value of an answer's header, if the value is kept, or the part of the value that is kept.
const OF_ANSWERS: KeepsHeader = |name, value| match name {
    "content-type" => is_media_type(value).then(|| value.to_owned()),
    "date" | "retry-after" => is_date_or_seconds(value).then(|| value.to_owned()),
    "location" => {
        let origin = value.parse().map(|uri| origin(&uri)).unwrap_or_default();
        (!origin.is_empty() && origin != MARK).then(|| format!("{origin}/"))
    }
    _ => None,
};

fn headers(headers: &HeaderMap, keep: KeepsHeader) -> Pairs {
    let headers = headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    headers
        .map(|(name, value)| {
            let kept = value.to_str().ok().and_then(|value| keep(name.as_str(), value));
            let value = kept.filter(|value| !has_card_number(value)).unwrap_or_else(|| MARK.to_owned());
            let name = if has_card_number(name.as_str()) { "x-scrubbed" } else { name.as_str() };
            (name.to_owned(), value)
        })
        .collect()
}

/// One media type or more, without parameters but for the character set and the quality.
fn is_media_type(value: &str) -> bool {
    let is_token = |text: &str| {
        (1..=60).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"+.*_-".contains(&c))
    };
    let is_pair = |text: &str, between, is_name: &dyn Fn(&str) -> bool| {
        text.trim().split_once(between).is_some_and(|(name, value)| is_name(name) && is_token(value))
    };
    value.split(',').all(|one| {
        let mut parts = one.split(';');
        let essence = parts.next().unwrap_or_default();
        let is_parameter = |name: &str| ["charset", "q"].iter().any(|known| name.eq_ignore_ascii_case(known));
        is_pair(essence, '/', &is_token) && parts.all(|part| is_pair(part, '=', &is_parameter))
    })
}

/// Seconds, or a date as HTTP writes it.
fn is_date_or_seconds(value: &str) -> bool {
    let seconds = (1..=10).contains(&value.len()) && value.bytes().all(|c| c.is_ascii_digit());
    // A letter stands for any, a digit for any.
    let date = "aaa, 00 aaa 0000 00:00:00 GMT";
    let fits = |(like, c): (u8, u8)| match like {
        b'a' => c.is_ascii_alphabetic(),
        b'0' => c.is_ascii_digit(),
        _ => c == like,
    };
    seconds || (value.len() == date.len() && date.bytes().zip(value.bytes()).all(fits))
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The decoded pairs of a form or a query. None where they are not UTF-8.
fn pairs(text: &str) -> Option<Pairs> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok())
}

/// True if there are 13 to 19 digits in a row with a right check digit, by themselves or inside of more, in
/// groups or not.
pub(super) fn has_card_number(text: &str) -> bool {
    // A single dot is an amount's, or a time's.
    has_card_number_in(text, false) || (text.matches('.').nth(1).is_some() && has_card_number_in(text, true))
}

fn has_card_number_in(text: &str, dots: bool) -> bool {
    let mut run = Run::default();
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) => run.digits.push(digit),
            None if c.is_numeric() => {
                run.foreign = true;
                run.digits.push(0);
            }
            None if is_between_groups(c) || (dots && c == '.') => {}
            None if run.has_card_number() => return true,
            None => run = Run::default(),
        }
    }
    run.has_card_number()
}

/// Spaces, dashes and the like, also those that cannot be seen.
fn is_between_groups(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '/' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Digits in a row.
#[derive(Default)]
struct Run {
    digits: Vec<u32>,
    /// True if a digit is of another script than ours, so that the check digit cannot be checked.
    foreign: bool,
}

impl Run {
    fn has_card_number(&self) -> bool {
        // So many digits are taken to have one, which saves a long search.
        self.digits.len() > 100
            || (self.foreign && self.digits.len() >= 13)
            || (13..=19).any(|len| self.digits.windows(len).any(is_luhn))
    }
}

/// True if the check digit is right: every second digit from the right is doubled, and the sum ends in 0.
fn is_luhn(digits: &[u32]) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => {
                usize::try_from(*digit).ok().and_then(|digit| doubled.get(digit)).copied().unwrap_or_default()
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

const SIGNATURE: &str = "signature";

/// Headers of the connection, which the recorded body no longer fits.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/// The deepest nesting of a body.
const LEVELS: usize = 64;
