//! The refusals of AllScale.

use base64ct::{Base64, Encoding};
use serde_json::Value;

use super::signing::{Form, MOST_SEARCHED, Search, Tried, hex, sha256};
use super::{Why, Wrong, answer, header_fault, only, others};
use crate::mask::{Body, Mask};
use crate::reprint::reprints;
use crate::traffic::Entry;
use crate::world::World;
use crate::worlds::Worlds;

pub(super) fn why(entry: &Entry, world: &World, worlds: &Worlds, mask: &Mask<'_>) -> Why {
    let answer = answer(entry);
    let code = answer.get("code").and_then(Value::as_i64);
    let message = answer.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
    let sentences = match code {
        Some(20001) => HEADERS.into_iter().filter_map(|name| header_fault(entry, name)).collect(),
        Some(20002) => door(entry, world, message.unwrap_or_default()),
        Some(10001) => vec![match entry.route.as_deref() {
            Some("fail") => "The route refuses every request.".to_owned(),
            _ => format!("A field of the body is refused: {}.", message.unwrap_or("the answer names none")),
        }],
        Some(30001) => {
            vec!["The store of the X-API-Key may not see this intent, or not from here.".to_owned()]
        }
        Some(40001) => {
            vec!["More requests came than the limit allows. Retry-After tells the wait.".to_owned()]
        }
        Some(50001) => vec!["The world has no intent with the id of the path.".to_owned()],
        Some(50002) => vec![format!("The create is refused: {}", message.unwrap_or("no reason is given"))],
        Some(code) => vec![format!("The answer has the code {code}: {}.", message.unwrap_or("no message"))],
        None => vec!["The answer is no envelope of the provider's.".to_owned()],
    };
    let signature = if code == Some(20002) { search(entry, world, worlds, mask) } else { None };
    let mut why = Why { sentences, signature: signature.map(|search| search.find(mask)) };
    if let (true, Some(signature)) = (why.sentences.is_empty(), &why.signature) {
        why.sentences.push(signature.sentence());
    }
    why
}

/// The refusal of the key, the time, the nonce or the form of a header.
fn door(entry: &Entry, world: &World, message: &str) -> Vec<String> {
    let twice: Vec<String> = HEADERS.into_iter().filter_map(|name| header_fault(entry, name)).collect();
    if !twice.is_empty() {
        return twice;
    }
    let (key, timestamp) = (only(entry, HEADERS[0]), only(entry, HEADERS[1]).unwrap_or_default());
    let keys = world.keys();
    if message.contains("api key") {
        let place = if key == Some(&*keys.allscale_api_secret) {
            "The X-API-Key is the secret: the secret signs, and is never sent."
        } else if key == Some(&*keys.azotte_api_key) {
            "The X-API-Key is Azotte's key."
        } else {
            "No world has this X-API-Key. GET /_/worlds/{world} shows the keys of a world."
        };
        return vec![place.to_owned()];
    }
    if message.contains("unix seconds") {
        return vec![
            "The X-Timestamp has to be the seconds since 1970, in digits alone, without a leading zero."
                .to_owned(),
        ];
    }
    if message.contains("window") {
        return vec![time(entry, timestamp)];
    }
    if message.contains("nonce") {
        let nonce = only(entry, HEADERS[2]);
        let played = world.quiet();
        let traffic = played.traffic();
        // A request that was refused at the door has spent no nonce.
        let mut earlier = traffic.all().filter(|of| of.number < entry.number && of.status() != Some(401));
        let first = earlier.find(|of| of.api == entry.api && only(of, HEADERS[2]) == nonce);
        let by = first.map(|of| format!(", by the request {}", of.number)).unwrap_or_default();
        return vec![format!(
            "The X-Nonce has been used already{by}. Each attempt takes a fresh nonce, and so does a retry."
        )];
    }
    Vec::new()
}

/// The refusal of a time. The provider compares the time with its own clock.
fn time(entry: &Entry, timestamp: &str) -> String {
    let sent: i128 = timestamp.parse().unwrap_or_default();
    let own = entry.at.unix_millis().saturating_add(entry.skew_ms);
    let now = i128::from(own.div_euclid(1_000));
    if (now - sent / 1_000).abs() <= WINDOW {
        return "The X-Timestamp is in milliseconds: the provider wants seconds.".to_owned();
    }
    let (apart, way) = ((now - sent).abs(), if sent < now { "behind" } else { "ahead of" });
    let (clock, rest) = match entry.skew_ms {
        0 => ("the world's time", format!("The world's time is {now}")),
        skew => (
            "the provider's own clock",
            format!("That clock is at {now}, with a skew of {skew} ms from the world's time"),
        ),
    };
    format!(
        "The X-Timestamp is {apart} seconds {way} {clock}, and {WINDOW} are allowed. {rest}: GET \
         /_/worlds/{{world}}/clock shows the time of a world."
    )
}

fn search<'a>(entry: &'a Entry, world: &'a World, worlds: &Worlds, mask: &Mask<'_>) -> Option<Search<'a>> {
    let [_, timestamp, nonce, signature] = HEADERS.map(|name| only(entry, name));
    let (timestamp, nonce, signature) = (timestamp?, nonce?, signature?);
    let (received, prefix_mistake) = match signature.strip_prefix("v1=") {
        Some(received) => (received, None),
        None => (signature, Some("v1= is missing in front of the signature")),
    };
    let query = entry.query.as_deref().unwrap_or_default();
    let body = std::str::from_utf8(&entry.body).unwrap_or_default();
    let shown_body = match mask.body(&entry.headers, &entry.body) {
        Body::Text(text) => text,
        Body::Empty | Body::Bytes(_) => String::new(),
    };
    let host = only(entry, "host").unwrap_or_default();
    let signed = [&entry.path, &entry.prefix, query, timestamp, nonce, host];
    let is_long = entry.body.len() + signed.map(str::len).iter().sum::<usize>() > MOST_SEARCHED;
    let reprints = if is_long { Vec::new() } else { reprints(body) };
    let parts = Parts {
        method: entry.method.as_str(),
        path: &entry.path,
        prefix: &entry.prefix,
        query,
        timestamp,
        nonce,
        host,
        body,
        digest: sha256(&entry.body),
        others: reprints.into_iter().map(|(name, text)| (name, hex(&sha256(text.as_bytes())))).collect(),
        is_long,
    };
    let masked_query = mask.form(query);
    let shown = Parts { query: &masked_query, body: &shown_body, others: parts.others.clone(), ..parts };
    let keys = world.keys();
    let secret = &*keys.allscale_api_secret;
    let wrong = |name: &str, secret: &[u8]| Wrong { name: name.to_owned(), secret: secret.to_vec() };
    let mut rare = others(world, worlds, |other| &other.keys().allscale_api_secret);
    rare.push(wrong("Peach's secret token was taken as the secret", keys.peach_secret_token.as_bytes()));
    rare.push(wrong("Azotte's key was taken as the secret", keys.azotte_api_key.as_bytes()));
    Some(Search {
        received: received.to_owned(),
        prefix_mistake,
        form: Form::Base64,
        texts: parts.texts(),
        shown: shown.texts(),
        secret: secret.as_bytes(),
        wrong: vec![
            wrong("the API key was taken as the secret", keys.allscale_api_key.as_bytes()),
            wrong("a line end stands after the secret", format!("{secret}\n").as_bytes()),
            wrong("the secret was signed with without st_", secret.trim_start_matches("st_").as_bytes()),
        ],
        rare,
        is_long,
    })
}

/// The parts of the text that is signed.
struct Parts<'a> {
    method: &'a str,
    path: &'a str,
    prefix: &'a str,
    query: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
    host: &'a str,
    body: &'a str,
    digest: [u8; 32],
    /// The digests of the body as the body can be printed anew, each with the mistake.
    others: Vec<(&'static str, String)>,
    /// True if only the right text is wanted.
    is_long: bool,
}

impl Parts<'_> {
    /// The texts to try. The first is the right text: AllScale's six lines.
    fn texts(&self) -> Vec<Tried> {
        let Self { method, path, prefix, query, timestamp, nonce, host, body, .. } = *self;
        let hash = &*hex(&self.digest);
        let right = [method, path, query, timestamp, nonce, hash];
        let lines = |lines: &[&str]| lines.join("\n");
        let mut texts = vec![Tried::new("", lines(&right))];
        if self.is_long {
            return texts;
        }
        let mut with = |name: &str, place: usize, line: &str| {
            let mut changed = right;
            if let Some(at) = changed.get_mut(place).filter(|at| **at != line) {
                *at = line;
                texts.push(Tried::new(name, lines(&changed)));
            }
        };
        with("the method was signed in small letters", 0, &method.to_ascii_lowercase());
        with("the prefix of the server was signed with the path", 1, &format!("{prefix}{path}"));
        with("the path was signed without the slash at the end", 1, path.trim_end_matches('/'));
        with("the path was signed with another slash at the end", 1, &format!("{path}/"));
        with("the path was signed without the slash at the beginning", 1, path.trim_start_matches('/'));
        with("the path was signed without /v1", 1, path.trim_start_matches("/v1"));
        with("the whole URL was signed in place of the path", 1, &format!("http://{host}{prefix}{path}"));
        with("the whole URL was signed in place of the path", 1, &format!("https://{host}{prefix}{path}"));
        with("the host was signed with the path", 1, &format!("{host}{prefix}{path}"));
        with("the query was left out", 2, "");
        with("the query was signed with its question mark", 2, &format!("?{query}"));
        with("the query was signed in another order", 2, &sorted(query));
        with("the query was signed decoded", 2, &decoded(query));
        with("the time was signed in milliseconds", 3, &format!("{timestamp}000"));
        let seconds = timestamp.get(..timestamp.len().saturating_sub(3)).unwrap_or_default();
        with("the time was signed in seconds, and sent in milliseconds", 3, seconds);
        with("the nonce was left out", 4, "");
        with("the body was left out", 5, &hex(&sha256(b"")));
        with("the body was left out, with the line for its hash", 5, "");
        with("the body was signed in place of its hash", 5, body);
        with("the hash of the body was signed in capital letters", 5, &hash.to_ascii_uppercase());
        with("the hash of the body was signed in Base64", 5, &Base64::encode_string(&self.digest));
        for (name, hash) in &self.others {
            with(name, 5, hash);
        }
        let mut add = |name: &str, text: String| texts.push(Tried::new(name, text));
        let with_query = format!("{path}?{query}");
        if !query.is_empty() {
            let joined = [method, &with_query, timestamp, nonce, hash];
            add("the path and the query were signed in one line", lines(&joined));
            let joined = [method, &with_query, query, timestamp, nonce, hash];
            add("the path was signed with the query", lines(&joined));
        }
        add("the line of the query was left out", lines(&[method, path, timestamp, nonce, hash]));
        add("the line of the nonce was left out", lines(&[method, path, query, timestamp, hash]));
        add("the line of the time was left out", lines(&[method, path, query, nonce, hash]));
        add("the line of the hash was left out", lines(&right[..5]));
        add("the nonce and the time were exchanged", lines(&[method, path, query, nonce, timestamp, hash]));
        add("a line end was signed at the end", format!("{}\n", lines(&right)));
        add("the lines were joined without line ends", right.concat());
        add("the lines were joined with CR and LF", right.join("\r\n"));
        for separator in ["|", ".", ":", "&", ","] {
            add("the lines were joined with another sign than a line end", right.join(separator));
        }
        add("the body alone was signed", body.to_owned());
        texts
    }
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn decoded(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The headers that AllScale wants: key, time, nonce and signature.
const HEADERS: [&str; 4] = ["x-api-key", "x-timestamp", "x-nonce", "x-signature"];

/// The window of the sandboxes in seconds.
const WINDOW: i128 = 300;
