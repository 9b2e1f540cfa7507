//! The reason of a refusal: each usual mistake is made by a client of the test's own, and is named.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fmt::Write as _;

use base64ct::{Base64, Base64Unpadded, Base64Url, Encoding};
use checkout_sandbox::{allscale, peach};
use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use common::{Answer, Running, send};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);
const NOW: &str = "1800000000";

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn published(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn mac(secret: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The reason of the latest request of a world.
fn why(running: &Running, world: &str) -> Value {
    let (_, list) = running.admin("GET", &format!("/_/worlds/{world}/requests"), &Value::Null);
    let path = format!("/_/worlds/{world}/requests/{}", list["next"]);
    let (status, whole) = running.admin("GET", &path, &Value::Null);
    assert_eq!(status, 200, "{whole}");
    whole["why"].clone()
}

#[track_caller]
fn is_named(why: &Value, names: &[&str]) {
    assert_eq!(why["signature"]["mistakes"], json!(names), "{why:#}");
}

/// Sends a request of AllScale's with this signature.
fn ask(running: &Running, method: &str, target: &str, headers: [&str; 4], body: &str) -> Option<Answer> {
    let names = ["x-api-key", "x-timestamp", "x-nonce", "x-signature"];
    let headers: Vec<(&str, &str)> = names.into_iter().zip(headers).collect();
    let headers = [&headers[..], &[("content-type", "application/json")]].concat();
    send(running.addr(), method, target, &headers, body.as_bytes())
}

const BODY: &str = r#"{"order_id":"order-1","currency":1,"amount_cents":1000,"extra":{"note":"a: b, c"}}"#;

/// The lines of a create, with the given lines in place of the right lines.
fn lines(changes: &[(usize, &str)]) -> String {
    let hash = digest(BODY);
    let mut lines = ["POST", "/v1/checkout_intents/", "", NOW, "n-1", &hash];
    for (place, line) in changes {
        lines[*place] = line;
    }
    lines.join("\n")
}

fn create_signed(running: &Running, prefix: &str, key: &str, signature: &str, body: &str) -> Value {
    let target = format!("{prefix}/v1/checkout_intents/");
    let answer = ask(running, "POST", &target, [key, NOW, "n-1", signature], body).unwrap();
    assert_eq!((answer.status, answer.json()["code"].as_i64()), (401, Some(20002)), "{answer:?}");
    why(running, "default")
}

#[test]
fn each_usual_mistake_with_allscale_s_text_is_named() {
    let running = frozen();
    let keys = published(&running);
    let signed =
        |text: &str| format!("v1={}", Base64::encode_string(&mac(keys.allscale_api_secret.as_bytes(), text)));
    let value: Value = serde_json::from_str(BODY).unwrap();
    let compact_sorted = value.to_string();
    let spaced = BODY.replace("\":", "\": ").replace(",\"", ", \"");
    let pretty = "{\n  \"order_id\": \"order-1\",\n  \"currency\": 1,\n  \"amount_cents\": 1000,\n  \"extra\": \
                  {\n    \"note\": \"a: b, c\"\n  }\n}";
    let table: Vec<(&str, String)> = vec![
        ("the method was signed in small letters", lines(&[(0, "post")])),
        (
            "the prefix of the server was signed with the path",
            lines(&[(1, "/allscale/v1/checkout_intents/")]),
        ),
        ("the path was signed without the slash at the end", lines(&[(1, "/v1/checkout_intents")])),
        (
            "the whole URL was signed in place of the path",
            lines(&[(1, &format!("http://{}/allscale/v1/checkout_intents/", running.addr()))]),
        ),
        ("the time was signed in milliseconds", lines(&[(3, "1800000000000")])),
        ("the nonce was left out", lines(&[(4, "")])),
        ("the body was left out", lines(&[(5, &digest(""))])),
        ("the body was signed in place of its hash", lines(&[(5, BODY)])),
        ("the hash of the body was signed in capital letters", lines(&[(5, &digest(BODY).to_uppercase())])),
        (
            "the hash of the body was signed in Base64",
            lines(&[(5, &Base64::encode_string(&Sha256::digest(BODY.as_bytes())))]),
        ),
        (
            "the JSON was signed with spaces after , and :, and sent without them",
            lines(&[(5, &digest(&spaced))]),
        ),
        ("the JSON was signed in lines indented by two, and sent otherwise", lines(&[(5, &digest(pretty))])),
        (
            "the JSON was signed with its names sorted, and sent in another order",
            lines(&[(5, &digest(&compact_sorted))]),
        ),
        ("the body was signed with a line end after it", lines(&[(5, &digest(&format!("{BODY}\n")))])),
        ("the nonce and the time were exchanged", lines(&[(3, "n-1"), (4, NOW)])),
        ("a line end was signed at the end", format!("{}\n", lines(&[]))),
        ("the lines were joined without line ends", lines(&[]).replace('\n', "")),
        ("the lines were joined with CR and LF", lines(&[]).replace('\n', "\r\n")),
        ("the lines were joined with another sign than a line end", lines(&[]).replace('\n', "|")),
        ("the line of the query was left out", lines(&[]).replace("\n\n", "\n")),
        ("the body alone was signed", BODY.to_owned()),
    ];
    for (name, text) in &table {
        let why = create_signed(&running, "/allscale", &keys.allscale_api_key, &signed(text), BODY);
        is_named(&why, &[name]);
        assert_eq!(why["signature"]["text_to_sign"], lines(&[]), "{name}");
        assert_eq!(why["signature"]["signed_text"], **text, "{name}");
        let first = why["sentences"][0].as_str().unwrap();
        assert_eq!(first, format!("The signature is wrong: {name}."));
    }
    // The first difference, in the fourth line.
    let milliseconds = signed(&lines(&[(3, "1800000000000")]));
    let why = create_signed(&running, "", &keys.allscale_api_key, &milliseconds, BODY);
    let difference = &why["signature"]["first_difference"];
    assert_eq!((&difference["line"], &difference["column"]), (&json!(4), &json!(11)), "{difference}");
    let right = difference["right"].as_str().unwrap();
    assert!(right.starts_with("\nn-1\n") && difference["signed"].as_str().unwrap().starts_with("000\nn-1"));
}

#[test]
fn each_usual_mistake_with_allscale_s_query_is_named() {
    let running = frozen();
    let keys = published(&running);
    let text = |path: &str, query: &str| ["GET", path, query, NOW, "n-1", &digest("")].join("\n");
    let table = [
        ("the query was left out", text("/v1/test/ping", "")),
        ("the query was signed with its question mark", text("/v1/test/ping", "?b=%41&a=1")),
        ("the query was signed in another order", text("/v1/test/ping", "a=1&b=%41")),
        ("the query was signed decoded", text("/v1/test/ping", "b=A&a=1")),
        ("the path was signed with the query", text("/v1/test/ping?b=%41&a=1", "b=%41&a=1")),
        (
            "the path and the query were signed in one line",
            ["GET", "/v1/test/ping?b=%41&a=1", NOW, "n-1", &digest("")].join("\n"),
        ),
    ];
    for (name, text) in &table {
        let signature = Base64::encode_string(&mac(keys.allscale_api_secret.as_bytes(), text));
        let headers = [&*keys.allscale_api_key, NOW, "n-1", &format!("v1={signature}")];
        let answer = ask(&running, "GET", "/v1/test/ping?b=%41&a=1", headers, "").unwrap();
        assert_eq!(answer.status, 401, "{name}");
        is_named(&why(&running, "default"), &[name]);
    }
}

#[test]
fn a_wrong_secret_and_a_wrong_form_of_allscale_are_named() {
    let running = frozen();
    let keys = published(&running);
    let other = running.new_world(&json!({ "name": "other" }));
    let secret = keys.allscale_api_secret.as_bytes();
    let text = lines(&[]);
    let base64 = |secret: &[u8]| format!("v1={}", Base64::encode_string(&mac(secret, &text)));
    let mut plain = Sha256::new();
    plain.update(secret);
    plain.update(&text);
    let is_with_sign = |nonce: &u32| {
        let text = lines(&[]).replace("n-1", &format!("n-{nonce}"));
        Base64::encode_string(&mac(secret, &text)).contains('+')
    };
    let table: Vec<(&[&str], String)> = vec![
        (&["the API key was taken as the secret"], base64(keys.allscale_api_key.as_bytes())),
        (&["the secret of the world other was taken"], base64(other.allscale_api_secret.as_bytes())),
        (
            &["a line end stands after the secret"],
            base64(format!("{}\n", keys.allscale_api_secret).as_bytes()),
        ),
        (&["Peach's secret token was taken as the secret"], base64(keys.peach_secret_token.as_bytes())),
        (&["v1= is missing in front of the signature"], Base64::encode_string(&mac(secret, &text))),
        (&["the signature is written in hex, and not in Base64"], format!("v1={}", hex(&mac(secret, &text)))),
        (
            &[
                "the signature is written in hex, and not in Base64",
                "v1= is missing in front of the signature",
            ],
            hex(&mac(secret, &text)),
        ),
        (
            &["the padding of the Base64 is missing"],
            format!("v1={}", Base64Unpadded::encode_string(&mac(secret, &text))),
        ),
        (
            &["plain SHA-256 was taken in place of HMAC-SHA256"],
            format!("v1={}", Base64::encode_string(&plain.finalize())),
        ),
        (
            &["the API key was taken as the secret", "the time was signed in milliseconds"],
            format!(
                "v1={}",
                Base64::encode_string(&mac(
                    keys.allscale_api_key.as_bytes(),
                    &lines(&[(3, "1800000000000")])
                ))
            ),
        ),
        (&["the signature is not 32 bytes in Base64"], "v1=abcd".to_owned()),
    ];
    for (names, signature) in &table {
        let why = create_signed(&running, "", &keys.allscale_api_key, signature, BODY);
        is_named(&why, names);
        // No secret and no right signature is shown.
        let shown = why.to_string();
        let right = Base64::encode_string(&mac(secret, &text));
        assert!(!shown.contains(&*keys.allscale_api_secret) && !shown.contains(&right), "{shown}");
    }
    let nonce = (0..100).find(is_with_sign).unwrap();
    let text = lines(&[]).replace("n-1", &format!("n-{nonce}"));
    let signature = format!("v1={}", Base64Url::encode_string(&mac(secret, &text)));
    let headers = [&*keys.allscale_api_key, NOW, &format!("n-{nonce}"), &signature];
    ask(&running, "POST", "/v1/checkout_intents/", headers, BODY).unwrap();
    is_named(&why(&running, "default"), &["the Base64 is of the alphabet for URLs"]);

    // Nobody knows what was signed.
    let why = create_signed(&running, "", &keys.allscale_api_key, &base64(b"nobody's secret"), BODY);
    assert_eq!(why["signature"]["finding"], "unknown");
    let sentence = why["sentences"][0].as_str().unwrap();
    assert!(sentence.starts_with("The signature fits no text that we have tried: "), "{sentence}");
    assert!(why["signature"]["tried"].as_u64().unwrap() > 100, "{why}");
    assert_eq!(
        (&why["signature"]["mistakes"], &why["signature"]["signed_text"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn the_other_refusals_of_allscale_are_told_in_words() {
    let running = frozen();
    let keys = published(&running);
    let (key, secret) = (&*keys.allscale_api_key, &*keys.allscale_api_secret);
    let signed = |timestamp: &str, nonce: &str| {
        let text = ["GET", "/v1/test/ping", "", timestamp, nonce, &digest("")].join("\n");
        format!("v1={}", Base64::encode_string(&mac(secret.as_bytes(), &text)))
    };
    let said = |headers: [&str; 4]| {
        ask(&running, "GET", "/v1/test/ping", headers, "");
        why(&running, "default")["sentences"][0].as_str().unwrap().to_owned()
    };
    let table = [
        (
            [key, "1799999000", "n", "-"],
            "The X-Timestamp is 1000 seconds behind the world's time, and 300 are",
        ),
        ([key, "1800000301", "n", "-"], "The X-Timestamp is 301 seconds ahead of the world's time"),
        ([key, "1800000000123", "n", "-"], "The X-Timestamp is in milliseconds"),
        ([key, "2027-01-15T08:00:00Z", "n", "-"], "The X-Timestamp has to be the seconds since 1970"),
        (["st_nobody", NOW, "n", "-"], "No world has this X-API-Key."),
        ([secret, NOW, "n", "-"], "The X-API-Key is the secret"),
        ([&*keys.azotte_api_key, NOW, "n", "-"], "The X-API-Key is Azotte's key."),
        ([key, NOW, "n", ""], "The header x-signature is empty."),
    ];
    for (headers, begin) in table {
        let headers =
            headers.map(|value| if value == "-" { signed(headers[1], "n") } else { value.to_owned() });
        let said = said([&*headers[0], &headers[1], &headers[2], &headers[3]]);
        assert!(said.starts_with(begin), "{begin}: {said}");
        assert!(!said.contains(secret), "{said}");
    }
    let once = signed(NOW, "n-5");
    assert_eq!(ask(&running, "GET", "/v1/test/ping", [key, NOW, "n-5", &once], "").unwrap().status, 200);
    assert_eq!(why(&running, "default"), Value::Null);
    assert!(
        said([key, NOW, "n-5", &once]).starts_with("The X-Nonce has been used already, by the request 9.")
    );
    send(running.addr(), "GET", "/v1/test/ping", &[("x-api-key", key), ("x-nonce", "n")], b"").unwrap();
    let missing = ["The header x-timestamp is missing.", "The header x-signature is missing."];
    assert_eq!(why(&running, "default")["sentences"], json!(missing));
    let headers = [
        ("x-api-key", key),
        ("x-timestamp", NOW),
        ("x-timestamp", NOW),
        ("x-nonce", "n"),
        ("x-signature", "v1="),
    ];
    send(running.addr(), "GET", "/v1/test/ping", &headers, b"").unwrap();
    assert_eq!(why(&running, "default")["sentences"], json!(["The header x-timestamp is given twice."]));
    let headers = [key, NOW, "n", "v1="];
    ask(&running, "POST", "/v1/checkout_intents", headers, "{}").unwrap();
    let said = why(&running, "default")["sentences"][0].as_str().unwrap().to_owned();
    assert!(
        said.contains("no path /v1/checkout_intents. Look at the path with a slash at the end"),
        "{said}"
    );
    running.get().default_world().allscale().inject(allscale::Fault::RateLimited);
    let limited = signed(NOW, "n-6");
    ask(&running, "GET", "/v1/test/ping", [key, NOW, "n-6", &limited], "").unwrap();
    let said = why(&running, "default")["sentences"][0].as_str().unwrap().to_owned();
    assert_eq!(said, "The fault rate_limited answered, and not the provider's own check.");
    let body = r#"{"currency":1,"stable_coin":1,"amount_cents":1000}"#;
    let text = ["POST", "/v1/checkout_intents/", "", NOW, "n-7", &digest(body)].join("\n");
    let signature = format!("v1={}", Base64::encode_string(&mac(secret.as_bytes(), &text)));
    ask(&running, "POST", "/v1/checkout_intents/", [key, NOW, "n-7", &signature], body).unwrap();
    let said = why(&running, "default")["sentences"][0].as_str().unwrap().to_owned();
    assert!(said.starts_with("A field of the body is refused: currency: set exactly one"), "{said}");
}

#[test]
fn a_time_is_compared_with_the_provider_s_own_clock() {
    let running = frozen();
    let keys = published(&running);
    let said = |timestamp: &str, nonce: &str| {
        let text = ["GET", "/v1/test/ping", "", timestamp, nonce, &digest("")].join("\n");
        let signature = Base64::encode_string(&mac(keys.allscale_api_secret.as_bytes(), &text));
        let headers = [&*keys.allscale_api_key, timestamp, nonce, &format!("v1={signature}")];
        let status = ask(&running, "GET", "/v1/test/ping", headers, "").unwrap().status;
        (status, why(&running, "default")["sentences"][0].as_str().unwrap_or_default().to_owned())
    };
    let set = |skew: i64| {
        let (status, answer) = running.admin("PUT", "/_/worlds/default/clock", &json!({ "skew_ms": skew }));
        assert_eq!(status, 200, "{answer}");
    };
    set(-1_000_500);
    // The provider's clock is at 1799998999.5, and tells whole seconds.
    let (status, sentence) = said(NOW, "n-1");
    let behind = "The X-Timestamp is 1001 seconds ahead of the provider's own clock, and 300 are allowed. That \
                  clock is at 1799998999, with a skew of -1000500 ms from the world's time";
    assert!(status == 401 && sentence.starts_with(behind), "{status} {sentence}");
    let milliseconds = said("1799998999500", "n-2");
    assert!(milliseconds.1.starts_with("The X-Timestamp is in milliseconds"), "{milliseconds:?}");
    assert_eq!(said("1799999000", "n-3").0, 200);
    // The sentence of a request goes by the skew that was set then.
    set(0);
    let (_, old) = running.admin("GET", "/_/worlds/default/requests/1", &Value::Null);
    assert_eq!(old["why"]["sentences"][0], sentence);
    assert_eq!(said(NOW, "n-4").0, 200);
}

type Fields = Vec<(&'static str, String)>;

fn fields(keys: &Keys) -> Fields {
    vec![
        ("nonce", "nonce-1".to_owned()),
        ("authentication.entityId", keys.peach_entity_id.clone()),
        ("merchantTransactionId", "order-123".to_owned()),
        ("amount", "10.00".to_owned()),
        ("currency", "ZAR".to_owned()),
        ("paymentType", "DB".to_owned()),
        ("cancelUrl", String::new()),
        ("customParameters[a]", "2".to_owned()),
        ("customParameters[B]", "1".to_owned()),
        ("customer.givenName", "Ada L".to_owned()),
        ("shopperResultUrl", "https://shop.example/done".to_owned()),
    ]
}

/// The fields, sorted by key, with signs in between.
fn joined(fields: &Fields, equals: &str, between: &str) -> String {
    let mut fields = fields.clone();
    fields.sort();
    unsorted(&fields, equals, between)
}

fn unsorted(fields: &Fields, equals: &str, between: &str) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}{equals}{value}")).collect();
    pairs.join(between)
}

/// The name of a custom parameter.
fn parameter(name: &str) -> &'static str {
    format!("customParameters[{name}]").leak()
}

fn initiate(running: &Running, fields: &Fields, signature: &str) -> Value {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).append_pair("signature", signature);
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("referer", "https://shop.example")];
    let answer =
        send(running.addr(), "POST", "/checkout/initiate", &headers, form.finish().as_bytes()).unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    why(running, "default")
}

#[test]
fn each_usual_mistake_with_peach_s_text_is_named() {
    let running = frozen();
    let keys = published(&running);
    let all = fields(&keys);
    let right = joined(&all, "", "");
    let signed = |text: &str| hex(&mac(keys.peach_secret_token.as_bytes(), text));
    let but = |name: &str| all.iter().filter(|(known, _)| *known != name).cloned().collect::<Fields>();
    let with = |name: &'static str, value: &str| {
        let mut fields = but(name);
        fields.push((name, value.to_owned()));
        fields
    };
    let mut no_case = all.clone();
    no_case.sort_by_key(|(name, _)| name.to_lowercase());
    let encoded: Fields = all
        .iter()
        .map(|(name, value)| (*name, form_urlencoded::byte_serialize(value.as_bytes()).collect()))
        .collect();
    let short: Fields = with("authentication.entityId", &keys.peach_entity_id).into_iter().collect();
    let signs = "signs were put between the keys and the values";
    let table: Vec<(&str, String)> = vec![
        ("the pairs were signed in the order of the request, and not sorted", unsorted(&all, "", "")),
        ("the pairs were sorted without regard to capital letters", unsorted(&no_case, "", "")),
        ("the empty fields were left out of the signed text", joined(&but("cancelUrl"), "", "")),
        ("the values were signed encoded as in the form", joined(&encoded, "", "")),
        ("the field signature itself was signed", joined(&with("signature", ""), "", "")),
        (signs, joined(&all, "=", "&")),
        (signs, unsorted(&all, "=", "&")),
        (signs, joined(&encoded, "=", "&")),
        ("the field amount was left out of the signed text", joined(&but("amount"), "", "")),
        ("the amount was signed with other decimals than were sent", joined(&with("amount", "10"), "", "")),
        (
            "the empty field notificationUrl was signed, and not sent",
            joined(&with("notificationUrl", ""), "", ""),
        ),
        (
            "the keys were signed without the part before the dot",
            joined(&short, "", "").replace("authentication.", "").replace("customer.", ""),
        ),
    ];
    for (name, text) in &table {
        let why = initiate(&running, &all, &signed(text));
        is_named(&why, &[name]);
        assert_eq!(why["signature"]["text_to_sign"], right, "{name}");
        assert_eq!(why["signature"]["signed_text"], **text, "{name}");
    }
    // A capital letter comes before a small letter in the order of bytes.
    let why = initiate(&running, &all, &signed(&unsorted(&no_case, "", "")));
    let difference = &why["signature"]["first_difference"];
    let [right, signed] = ["right", "signed"].map(|name| difference[name].as_str().unwrap());
    assert!(right.starts_with("Parameters[B]1customParameters[a]2"), "{difference}");
    assert!(signed.starts_with("er.givenNameAda LcustomParameters[a]2"), "{difference}");
}

#[test]
fn a_wrong_secret_and_a_wrong_form_of_peach_are_named() {
    let running = frozen();
    let keys = published(&running);
    let other = running.new_world(&json!({ "name": "other" }));
    let all = fields(&keys);
    let text = joined(&all, "", "");
    let token = keys.peach_secret_token.as_bytes();
    let from_hex: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&keys.peach_secret_token[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let of = |secret: &[u8]| hex(&mac(secret, &text));
    let table: Vec<(&str, String)> = vec![
        ("the entity was taken as the secret token", of(keys.peach_entity_id.as_bytes())),
        ("the client secret was taken as the secret token", of(keys.peach_client_secret.as_bytes())),
        ("the secret token was decoded from hex", of(&from_hex)),
        ("the secret of the world other was taken", of(other.peach_secret_token.as_bytes())),
        ("AllScale's secret was taken", of(keys.allscale_api_secret.as_bytes())),
        ("the hex digits are capital letters", of(token).to_uppercase()),
        ("the signature is written in Base64, and not in hex", Base64::encode_string(&mac(token, &text))),
        ("the signature is not 64 hex digits in small letters", "abc".to_owned()),
    ];
    for (name, signature) in &table {
        let why = initiate(&running, &all, signature);
        is_named(&why, &[name]);
        let shown = why.to_string();
        assert!(!shown.contains(&*keys.peach_secret_token) && !shown.contains(&of(token)), "{shown}");
    }
    let why = initiate(&running, &all, &of(b"nobody's secret"));
    assert_eq!(why["signature"]["finding"], "unknown", "{why:#}");

    // A query is signed as a form is.
    let unsorted = format!("merchantTransactionIdo-1authentication.entityId{}", keys.peach_entity_id);
    let query = format!(
        "merchantTransactionId=o-1&authentication.entityId={}&signature={}",
        keys.peach_entity_id,
        hex(&mac(token, &unsorted)),
    );
    send(running.addr(), "GET", &format!("/status?{query}"), &[], b"").unwrap();
    is_named(
        &self::why(&running, "default"),
        &["the pairs were signed in the order of the request, and not sorted"],
    )
}

#[test]
fn a_long_request_is_not_searched_for_the_mistake() {
    let running = frozen();
    let keys = published(&running);
    let token = keys.peach_secret_token.as_bytes();
    let too_long = |why: &Value| {
        let signature = &why["signature"];
        assert_eq!((&signature["finding"], &signature["mistakes"]), (&json!("too_long"), &Value::Null));
        assert!(why["sentences"][0].as_str().unwrap().contains("too long to search"), "{why:#}");
    };
    // Of few pairs, of many pairs, and of so many pairs that a text for each would fill the memory.
    for (count, is_searched) in [(180, true), (201, false), (10_000, false)] {
        let mut all = fields(&keys);
        all.extend((0..count).map(|number| (parameter(&number.to_string()), String::new())));
        let why = initiate(&running, &all, &hex(&mac(token, &unsorted(&all, "", ""))));
        if is_searched {
            is_named(&why, &["the pairs were signed in the order of the request, and not sorted"]);
        } else {
            too_long(&why);
        }
    }
    let mut all = fields(&keys);
    all.push(("customParameters[long]", "x".repeat(20_000)));
    too_long(&initiate(&running, &all, &hex(&mac(token, &unsorted(&all, "", "")))));

    // Names in names, which the sandbox reads no further.
    let (name, items) = ("n".repeat(400_000), "1,".repeat(100_000));
    let deep = format!("{{\"signature\":\"{}\",\"{name}\":[{items}1]}}", "0".repeat(64));
    let headers = [("content-type", "application/json"), ("referer", "https://shop.example")];
    let answer = send(running.addr(), "POST", "/checkout/initiate", &headers, deep.as_bytes()).unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(why(&running, "default")["sentences"][0].is_string());

    // A body of deep lists, which is large when printed in lines.
    let body = format!("{}{}1{}", "[".repeat(120), "1,".repeat(200_000), "]".repeat(120));
    let wrong = format!("v1={}", Base64::encode_string(&mac(b"nobody's secret", "")));
    too_long(&create_signed(&running, "", &keys.allscale_api_key, &wrong, &body));
}

#[test]
fn a_page_says_a_reason_once() {
    let running = frozen();
    let keys = published(&running);
    let wrong = mac(b"nobody's secret", "");
    let page = |number: u64| {
        let path = format!("/_/board/default/requests/{number}");
        send(running.addr(), "GET", &path, &[], b"").unwrap().body
    };
    let mut with_long = fields(&keys);
    let long = parameter(&"n".repeat(1_000));
    with_long.push((long, "1".to_owned()));
    let without: Fields = with_long.iter().filter(|(name, _)| *name != long).cloned().collect();
    let left_out = hex(&mac(keys.peach_secret_token.as_bytes(), &joined(&without, "", "")));
    let base64 = format!("v1={}", Base64::encode_string(&wrong));
    create_signed(&running, "", &keys.allscale_api_key, &base64, BODY);
    initiate(&running, &fields(&keys), &hex(&wrong));
    initiate(&running, &with_long, &left_out);
    let unknown = "The signature fits no text that we have tried";
    for (number, begin) in
        [(1, unknown), (2, unknown), (3, "The signature is wrong: the field customParameters[nnn")]
    {
        let page = page(number);
        assert_eq!(page.matches(begin).count(), 1, "{number}: {page}");
    }
}

#[test]
fn a_masked_value_is_not_told_by_the_text_that_was_to_be_signed() {
    let running = frozen();
    let keys = published(&running);
    let mut all = fields(&keys);
    all.push(("customParameters[password]", "hidden-1".to_owned()));
    all.push(("customParameters[api_token]", "hidden-2".to_owned()));
    let token = keys.peach_secret_token.as_bytes();
    let signed = hex(&mac(token, &unsorted(&all, "", "")));
    let why = initiate(&running, &all, &signed);
    is_named(&why, &["the pairs were signed in the order of the request, and not sorted"]);
    let shown = why.to_string();
    assert!(shown.contains("customParameters[password]***") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn the_other_refusals_of_peach_are_told_in_words() {
    let running = frozen();
    let keys = published(&running);
    let said = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = send(running.addr(), method, path, headers, body.as_bytes()).unwrap();
        assert!(answer.status >= 400, "{answer:?}");
        why(&running, "default")["sentences"][0].as_str().unwrap().to_owned()
    };
    let json_type = ("content-type", "application/json");
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let all = fields(&keys);
    let signature = hex(&mac(keys.peach_secret_token.as_bytes(), &joined(&all, "", "")));
    let mut form = form_urlencoded::Serializer::new(String::new());
    let form = form.extend_pairs(&all).append_pair("signature", &signature).finish();
    let initiate = |headers: &[(&str, &str)], body: &str| said("POST", "/checkout/initiate", headers, body);
    assert!(initiate(&[form_type], &form).starts_with("The header referer is missing"));
    let foreign = [form_type, ("referer", "https://other.example")];
    assert!(
        initiate(&foreign, &form).contains("is not on the list: the sandbox allows https://shop.example")
    );
    assert_eq!(
        initiate(&[("content-type", "text/plain")], &form),
        "The content type text/plain has no place here."
    );
    let unknown = form.replace(&*keys.peach_entity_id, "0123456789abcdef0123456789abcdef");
    assert!(initiate(&[form_type], &unknown).starts_with("No world has this authentication.entityId."));
    let without = initiate(&[form_type], "amount=x");
    assert!(without.starts_with("The field ") && without.contains(" is refused: "), "{without}");
    let no_token = said("POST", "/v2/checkout", &[json_type], "{}");
    assert!(no_token.starts_with("The header authorization is missing"), "{no_token}");
    let basic = said("POST", "/v2/checkout", &[json_type, ("authorization", "Basic x")], "{}");
    assert!(basic.contains("the word Bearer"), "{basic}");
    let wrong = json!({ "clientId": keys.peach_client_id, "clientSecret": "x", "merchantId": keys.peach_merchant_id });
    let wrong = said("POST", "/api/oauth/token", &[json_type], &wrong.to_string());
    assert_eq!(wrong, "Not the world's: clientSecret.");
    running.get().default_world().peach().inject(peach::Fault::LostRequest);
    assert!(send(running.addr(), "GET", "/status", &[], b"").is_none());
    let lost = why(&running, "default")["sentences"][0].as_str().unwrap().to_owned();
    assert_eq!(lost, "The fault lost_request let the request get lost before the sandbox saw it.");

    let headers = [form_type, ("referer", "https://shop.example")];
    let first = send(running.addr(), "POST", "/checkout/initiate", &headers, form.as_bytes()).unwrap();
    assert_eq!((first.status, why(&running, "default")), (201, Value::Null), "{first:?}");
    assert!(initiate(&headers, &form).starts_with("The same signature has come within 24 hours."));
    assert_eq!(why(&running, "default")["signature"]["finding"], "right");
}

#[test]
fn the_refusals_of_azotte_are_told_in_words() {
    let running = frozen();
    let keys = published(&running);
    let other = running.new_world(&json!({ "name": "other" }));
    let said = |headers: &[(&str, &str)], body: &str| {
        let answer =
            send(running.addr(), "POST", "/api/v1/c2a/offer/checkout", headers, body.as_bytes()).unwrap();
        assert!(answer.status >= 400, "{answer:?}");
        why(&running, "default")["sentences"].clone()
    };
    let (tenant, key) = (&*keys.azotte_x_tn, &*keys.azotte_api_key);
    let both = ["The header x-tn is missing.", "The header x-api-key is missing."];
    assert_eq!(said(&[], ""), json!(both));
    let table = [
        (key, tenant, "The x-tn and the x-api-key are exchanged."),
        ("nobody", key, "No world has this x-tn. GET /_/worlds/{world} shows the keys of a world."),
        (tenant, &keys.allscale_api_key, "The x-api-key is a key of another provider."),
        (
            tenant,
            &other.azotte_api_key,
            "The x-api-key is the key of the world other, and the x-tn is of the world default.",
        ),
        (tenant, "wrong", "The x-api-key is not the key of the tenant in x-tn."),
        (tenant, "Bearer x", "The x-api-key has the key alone: no spaces, and no Bearer in front."),
    ];
    for (tenant, key, sentence) in table {
        assert_eq!(said(&[("x-tn", tenant), ("x-api-key", key)], ""), json!([sentence]));
    }
    let headers = [("x-tn", tenant), ("x-api-key", key), ("content-type", "application/json")];
    let fields = said(&headers, r#"{"order":{}}"#);
    assert_eq!(fields[0], "The body is refused: one or more fields are not valid.");
    assert!(fields.as_array().unwrap().len() > 2 && fields[1].as_str().unwrap().starts_with("The field "));
}
