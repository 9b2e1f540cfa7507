//! The masking of everything that a person is shown of a request, an answer or a webhook.
//!
//! A value is masked by the name under which the value stands, and a known secret of the world is masked
//! wherever the secret stands.

use std::borrow::Cow;

use checkout_transport::http::HeaderMap;
use checkout_transport::http::header::CONTENT_TYPE;

use crate::keys::Keys;

/// The masking for a world.
pub(crate) struct Mask<'a> {
    /// The secrets of the world, the longest first.
    secrets: Vec<&'a str>,
}

/// A body as a person is shown the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    Text(String),
    /// The length of a body that is not text.
    Bytes(usize),
}

/// The kind of a value, by the name of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    /// A key that proves nothing without a secret. The last four characters tell two keys apart.
    Key,
    Secret,
}

/// The mark in place of a masked value.
pub(crate) const MARK: &str = "***";

impl<'a> Mask<'a> {
    pub(crate) fn of(keys: &'a Keys) -> Self {
        let mut secrets: Vec<&str> = vec![
            &keys.allscale_api_secret,
            &keys.azotte_api_key,
            &keys.peach_secret_token,
            &keys.peach_client_secret,
        ];
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// A text of any kind, without the world's secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret) { text.replace(secret, MARK) } else { text }
        })
    }

    /// The headers, in the order in which the headers came.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let shown = headers.iter().map(|(name, value)| {
            let value = value.to_str().map_or_else(
                |_| format!("({} bytes)", value.as_bytes().len()),
                |value| self.header(name.as_str(), value),
            );
            (self.text(name.as_str()), value)
        });
        shown.collect()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        match kind(false, name) {
            Kind::Open => self.text(&self.without_secrets_of_url(value, 0)),
            Kind::Key => self.ending(value),
            Kind::Secret => match value.split_once(' ') {
                Some((scheme @ ("Bearer" | "Basic"), _)) => format!("{scheme} {MARK}"),
                _ => MARK.to_owned(),
            },
        }
    }

    /// A query or a form. Pairs without a secret stand as they came.
    pub(crate) fn form(&self, form: &str) -> String {
        self.form_in(form, 0)
    }

    /// A query or a form in so many URLs.
    fn form_in(&self, form: &str, urls: usize) -> String {
        let pieces = form.split('&').map(|piece| {
            let Some((name, raw)) = piece.split_once('=') else { return self.text(piece) };
            let Some((decoded_name, value)) = form_urlencoded::parse(piece.as_bytes()).next() else {
                return self.text(piece);
            };
            let shown = self.value(kind(false, &decoded_name), &value, urls);
            let raw = if shown == value {
                raw.to_owned()
            } else {
                // The mark is no secret, and is read more easily as the mark is.
                form_urlencoded::byte_serialize(shown.as_bytes()).collect::<String>().replace("%2A", "*")
            };
            format!("{}={raw}", self.text(name))
        });
        pieces.collect::<Vec<_>>().join("&")
    }

    /// A body, by its content type.
    pub(crate) fn body(&self, headers: &HeaderMap, body: &[u8]) -> Body {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        self.body_of(content_type.unwrap_or_default(), body)
    }

    /// A body of this content type.
    pub(crate) fn body_of(&self, content_type: &str, body: &[u8]) -> Body {
        if body.is_empty() {
            return Body::Empty;
        }
        let Ok(text) = std::str::from_utf8(body) else { return Body::Bytes(body.len()) };
        let is_json = text.trim_start().starts_with(['{', '[', '"']);
        let is_form = content_type.to_ascii_lowercase().contains("form-urlencoded")
            || (!is_json && text.contains('=') && !text.contains(['<', ' ', '\n']));
        Body::Text(if is_form {
            self.form(text)
        } else if is_json {
            self.text(&self.json(text))
        } else {
            self.text(&without_card_numbers(text))
        })
    }

    /// The value under a name, as a text.
    pub(crate) fn named(&self, name: &str, value: &str) -> String {
        self.value(kind(false, name), value, 0)
    }

    /// A value of a kind, in so many URLs.
    fn value(&self, kind: Kind, value: &str, urls: usize) -> String {
        match kind {
            Kind::Open => self.text(&without_card_numbers(&self.without_secrets_of_url(value, urls))),
            Kind::Key => self.ending(value),
            Kind::Secret if value.is_empty() => String::new(),
            Kind::Secret => MARK.to_owned(),
        }
    }

    /// The mark with the last four characters of a key that is long enough and that is no secret.
    fn ending(&self, key: &str) -> String {
        let count = key.chars().count();
        let is_secret = self.secrets.iter().any(|secret| key.contains(secret));
        if count < LEAST_KEY || is_secret {
            return MARK.to_owned();
        }
        let ending: String = key.chars().skip(count - 4).collect();
        format!("{MARK}{ending}")
    }

    /// A URL without a password and without the secrets of the query. Any other text stays. The URL stands in
    /// the queries of so many other URLs.
    fn without_secrets_of_url<'t>(&self, text: &'t str, urls: usize) -> Cow<'t, str> {
        let begin = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !begin.starts_with("http://") && !begin.starts_with("https://") {
            return Cow::Borrowed(text);
        }
        let (head, query) = text.split_once('?').map_or((text, None), |(head, query)| (head, Some(query)));
        let mut shown = String::new();
        let (scheme, rest) = head.split_once("//").unwrap_or(("", head));
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        shown.extend([scheme, "//"]);
        if host.len() < authority.len() {
            shown.extend([MARK, "@"]);
        }
        shown.push_str(host);
        if let Some(path) = path {
            shown.extend(["/", path]);
        }
        if query.is_some() && urls >= MOST_URLS {
            shown.extend(["?", MARK]);
        } else if let Some(query) = query {
            let (query, fragment) = query.split_once('#').unwrap_or((query, ""));
            shown.extend(["?", &self.form_in(query, urls + 1)]);
            if !fragment.is_empty() {
                shown.extend(["#", &self.form_in(fragment, urls + 1)]);
            }
        }
        Cow::Owned(shown)
    }

    /// JSON, whole or broken off, with the spaces as the spaces came.
    fn json(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut levels: Vec<Level> = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let token = token(rest);
            rest = rest.get(token.len()..).unwrap_or_default();
            match first {
                '{' | '[' => {
                    levels.push(Level::below(levels.last(), first == '{'));
                    shown.push(first);
                }
                '}' | ']' => {
                    levels.pop();
                    shown.push(first);
                }
                ',' => {
                    if let Some(level) = levels.last_mut() {
                        level.wants_name = level.is_object;
                    }
                    shown.push(first);
                }
                ':' => shown.push(first),
                _ if first.is_whitespace() => shown.push_str(token),
                _ => match levels.last_mut() {
                    Some(level) if level.wants_name => {
                        level.wants_name = false;
                        level.name(&decoded(token));
                        shown.push_str(token);
                    }
                    _ => shown.push_str(&self.json_value(token, levels.last())),
                },
            }
        }
        shown
    }

    /// A text, a number or a word of JSON.
    fn json_value(&self, token: &str, level: Option<&Level>) -> String {
        let value = decoded(token);
        if level.is_some_and(|level| level.hidden) {
            return format!("\"{MARK}\"");
        }
        if value == "null" && token == "null" {
            return token.to_owned();
        }
        let masked = self.value(level.map_or(Kind::Open, |level| level.kind), &value, 0);
        if masked == value { token.to_owned() } else { serde_json::Value::from(masked).to_string() }
    }
}

/// An object or a list that is open. A level keeps no name: a body can have many levels under a long name.
struct Level {
    /// The kind of the member that is read. A list has the kind of the member that the list is.
    kind: Kind,
    /// True if the member that is read is a card or an authentication, if the member is an object.
    is_judged: bool,
    /// True if the object is a card or an authentication.
    in_judged: bool,
    is_object: bool,
    wants_name: bool,
    /// True if everything in the object or list is secret.
    hidden: bool,
}

impl Level {
    /// An object or a list that opens in another.
    fn below(above: Option<&Self>, is_object: bool) -> Self {
        let is_judged = above.is_some_and(|above| above.is_judged);
        let kind = above.map_or(Kind::Open, |above| above.kind);
        // The members of a card and of an authentication are judged one by one.
        let hidden = above.is_some_and(|above| above.hidden) || (kind != Kind::Open && !is_judged);
        if is_object {
            let kind = Kind::Open;
            Self { kind, is_judged: false, in_judged: is_judged, is_object, wants_name: true, hidden }
        } else {
            let in_judged = above.is_some_and(|above| above.in_judged);
            Self { kind, is_judged, in_judged, is_object, wants_name: false, hidden }
        }
    }

    /// Goes on to the member with this name.
    fn name(&mut self, name: &str) {
        self.kind = kind(self.in_judged, name);
        self.is_judged = is_judged_by_member(&plain(name));
    }
}

/// The first token of JSON, or of a text that is nearly JSON. Never empty for a text that is not empty.
fn token(text: &str) -> &str {
    let Some(first) = text.chars().next() else { return text };
    let end = match first {
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        '"' => {
            let mut escaped = false;
            let close = text.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            close.map_or(text.len(), |(at, _)| at + 1)
        }
        _ if first.is_whitespace() => text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()),
        _ => text
            .find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ',' | ':' | '"'))
            .unwrap_or(text.len()),
    };
    text.get(..end).unwrap_or(text)
}

/// The text of a token of JSON: without quotes and escapes, if the token is a whole text.
fn decoded(token: &str) -> Cow<'_, str> {
    match serde_json::from_str::<String>(token) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(token.trim_matches('"')),
    }
}

/// The kind of the value under a name. `in_judged` is true in an object that is a card or an authentication.
fn kind(in_judged: bool, name: &str) -> Kind {
    let (name, whole) = (plain(name), name.to_ascii_lowercase());
    // A name without its separators ends as the words end.
    let begins = |object: &str| in_judged || whole.starts_with(&format!("{object}."));
    let is_open_member = OPEN_MEMBERS.iter().any(|open| name.ends_with(open));
    if ["authentication", "card", "creditcard"].iter().any(|object| begins(object)) {
        return if is_open_member { Kind::Open } else { Kind::Secret };
    }
    if name == "idempotencykey" {
        return Kind::Open;
    }
    if name.ends_with("apikey") {
        return Kind::Key;
    }
    let is_secret = SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending));
    if is_secret || SECRET_NAMES.contains(&&*name) {
        return Kind::Secret;
    }
    let is_key =
        name == "key" || whole.ends_with("-key") || whole.ends_with("_key") || whole.ends_with(".key");
    if is_key { Kind::Key } else { Kind::Open }
}

/// True for an object some of whose members may be shown.
fn is_judged_by_member(name: &str) -> bool {
    ["authentication", "card", "creditcard"].contains(&name)
}

/// The letters and digits of a name, in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// A text in which the digits of a card's number give way to the last four.
///
/// A number of 13 to 19 digits that stand alone, with the check digit of ISO/IEC 7812-1, counts as a card's.
fn without_card_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && (13..=19).contains(&digits.len()) && has_check_digit(digits) {
            shown.extend([MARK, digits.get(digits.len() - 4..).unwrap_or_default()]);
            shown.push_str(word.get(digits.len()..).unwrap_or_default());
        } else {
            shown.push_str(word);
        }
    }
    shown
}

fn has_check_digit(digits: &str) -> bool {
    let values = digits.bytes().rev().map(|byte| u32::from(byte - b'0')).enumerate();
    let sum: u32 = values
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled @ 0..=9) => doubled,
            (_, doubled) => doubled - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The members of an authentication and of a card that may be shown.
const OPEN_MEMBERS: [&str; 3] = ["entityid", "bin", "last4digits"];

/// A name that ends so, without separators and in lower case, is a secret's.
const SECRET_ENDINGS: [&str; 16] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "signature",
    "cookie",
    "authorization",
    "credential",
    "credentials",
    "privatekey",
    "secretkey",
    "accesskey",
    "signingkey",
    "cardnumber",
    "cardholdername",
];

/// The names of the rest of a card's data, and of a password.
const SECRET_NAMES: [&str; 8] = ["cvv", "cvc", "cvv2", "pan", "pwd", "pin", "expiremonth", "expireyear"];

/// The least length of a key of which the last four characters are shown.
const LEAST_KEY: usize = 12;

/// The most URLs around a query that is read: a URL can stand in the query of another without end.
const MOST_URLS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content_type: &str, body: &str) -> String {
        match Mask::of(&Keys::of_world("a")).body_of(content_type, body.as_bytes()) {
            Body::Text(text) => text,
            other @ (Body::Empty | Body::Bytes(_)) => format!("{other:?}"),
        }
    }

    #[test]
    fn a_header_is_masked_by_its_name() {
        let keys = Keys::of_world("a");
        let mask = Mask::of(&keys);
        let table = [
            ("content-type", "application/json", "application/json"),
            ("x-api-key", "st_sandbox_key_a", "***ey_a"),
            ("x-api-key", "short", "***"),
            // The secret in place of the key.
            ("x-api-key", "st_sandbox_secret_a", "***"),
            ("x-signature", "v1=abcdefghijklmnop", "***"),
            ("x-webhook-signature", "v1=abcdefghijklmnop", "***"),
            ("authorization", "Bearer sbx.1234567890", "Bearer ***"),
            ("authorization", "sbx.1234567890", "***"),
            ("cookie", "session=1", "***"),
            ("set-cookie", "session=1", "***"),
            ("x-csrf-token", "1234567890abcdef", "***"),
            ("my-key", "1234567890abcdef", "***cdef"),
            ("x-client-secret", "1234567890abcdef", "***"),
            ("x-nonce", "n-1", "n-1"),
            ("x-timestamp", "1800000000", "1800000000"),
            ("x-tn", "tenant", "tenant"),
            ("referer", "https://u:p@shop.example/a?token=1&b=2", "https://***@shop.example/a?token=***&b=2"),
            ("x-note", "the st_sandbox_secret_a here", "the *** here"),
        ];
        for (name, value, expected) in table {
            assert_eq!(mask.header(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn json_is_masked_in_place() {
        let table = [
            (r#"{"clientId":"c","clientSecret":"s3"}"#, r#"{"clientId":"c","clientSecret":"***"}"#),
            (
                "{ \"access_token\" : \"sbx.1\",\n \"a\":[1, 2] }",
                "{ \"access_token\" : \"***\",\n \"a\":[1, 2] }",
            ),
            (r#"{"client\u0053ecret":"s3"}"#, r#"{"client\u0053ecret":"***"}"#),
            (
                r#"{"authentication":{"entityId":"e","password":"p","userId":"u"}}"#,
                r#"{"authentication":{"entityId":"e","password":"***","userId":"***"}}"#,
            ),
            (
                r#"{"authentication.entityId":"e","authentication.password":"p"}"#,
                r#"{"authentication.entityId":"e","authentication.password":"***"}"#,
            ),
            (r#"{"signature":{"a":1,"b":["c"]},"d":2}"#, r#"{"signature":{"a":"***","b":["***"]},"d":2}"#),
            (r#"{"tokens":1,"token":17,"secret":null}"#, r#"{"tokens":1,"token":"***","secret":null}"#),
            (
                r#"{"paymentMethod":{"creditCard":{"cvc":"removed","last4Digits":"1111"}}}"#,
                r#"{"paymentMethod":{"creditCard":{"cvc":"***","last4Digits":"1111"}}}"#,
            ),
            (r#"{"card.bin":"411111","card.holder":"Ada"}"#, r#"{"card.bin":"411111","card.holder":"***"}"#),
            (
                r#"[{"password":"a"},{"note":"\"password\":\"b\""}]"#,
                r#"[{"password":"***"},{"note":"\"password\":\"b\""}]"#,
            ),
            (
                r#"{"note":"4111111111111111","n":4111111111111111,"t":1800000000000}"#,
                r#"{"note":"***1111","n":"***1111","t":1800000000000}"#,
            ),
            (
                r#"{"url":"https://shop.example/?api_key=1234567890abcdef"}"#,
                r#"{"url":"https://shop.example/?api_key=***cdef"}"#,
            ),
            // Broken off in a name, in a value and behind an escape.
            (r#"{"access_token":"sbx.12"#, r#"{"access_token":"***""#),
            (r#"{"access_tok"#, r#"{"access_tok"#),
            (r#"{"a":"\"#, r#"{"a":"\"#),
            (r#"{"a":}{]"#, r#"{"a":}{]"#),
        ];
        for (text, expected) in table {
            assert_eq!(body("application/json", text), expected, "{text}");
        }
    }

    #[test]
    fn a_body_that_is_made_to_be_slow_is_masked_too() {
        let open = "[".repeat(1 << 20);
        assert_eq!(body("application/json", &open), open);
        let name = "n".repeat(512 << 10);
        for inner in ["[".repeat(256 << 10), "1,".repeat(256 << 10), "{\"a\":".repeat(100 << 10)] {
            let text = format!("{{\"{name}\":[{inner}");
            assert_eq!(body("application/json", &text), text);
            let text = format!("{{\"{name}token\":[{inner}\"s3");
            let shown = body("application/json", &text);
            assert!(!shown.contains("s3") && shown.ends_with("\"***\""));
        }
        let deep = format!("{}{{\"password\":\"s3\"", "{\"a\":".repeat(10_000));
        assert_eq!(body("application/json", &deep), deep.replace("s3", "***"));
        let deep = format!("{{\"password\":{}\"s3\"", "[".repeat(10_000));
        assert_eq!(body("application/json", &deep), deep.replace("s3", "***"));
    }

    #[test]
    fn a_url_in_a_url_is_masked_as_deep_as_people_write() {
        let urls = |count: usize| format!("{}token=s3", "http://a/?u=".repeat(count));
        let json = |url: &str| body("application/json", &format!("[\"{url}\"]"));
        for url in [urls(4), urls(90_000)] {
            let shown = json(&url);
            assert!(!shown.contains("s3") && shown.len() < 200, "{}", shown.len());
        }
        let inner: String = form_urlencoded::byte_serialize(b"http://b/?token=s3&c=1").collect();
        let shown = json(&format!("http://a/?u={inner}"));
        assert_eq!(shown, "[\"http://a/?u=http%3A%2F%2Fb%2F%3Ftoken%3D***%26c%3D1\"]");
    }

    #[test]
    fn a_form_is_masked_pair_by_pair() {
        let table = [
            ("a=b+c&signature=ff&x=%41", "a=b+c&signature=***&x=%41"),
            (
                "authentication.entityId=e&authentication.password=p",
                "authentication.entityId=e&authentication.password=***",
            ),
            ("customParameters%5Btoken%5D=t", "customParameters%5Btoken%5D=***"),
            ("bare&=&a=", "bare&=&a="),
            ("note=is+st_sandbox_secret_a", "note=is+***"),
            ("card.number=4111111111111111", "card.number=***"),
        ];
        for (text, expected) in table {
            assert_eq!(body("application/x-www-form-urlencoded", text), expected, "{text}");
            assert_eq!(body("", text), expected, "{text}");
        }
    }

    #[test]
    fn other_bodies_are_a_text_or_a_length() {
        let keys = Keys::of_world("a");
        let mask = Mask::of(&keys);
        assert_eq!(mask.body_of("", b""), Body::Empty);
        assert_eq!(mask.body_of("", b"\xff\xfe"), Body::Bytes(2));
        assert_eq!(body("text/html", "<b>st_sandbox_secret_a</b>"), "<b>***</b>");
    }
}
