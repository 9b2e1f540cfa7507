//! A request as a command of `curl`, with `openssl` for the signature.

use std::fmt::Write as _;

use super::recipe::{Content, Recipe, Value};
use super::{ABOUT_TIME, ABOUT_TOKEN, variable};

pub(super) fn text(recipe: &Recipe) -> String {
    let mut text = String::new();
    let mut headers: Vec<String> =
        recipe.headers.iter().map(|(name, value)| word(&format!("{name}: "), value)).collect();
    let mut data = Vec::new();
    if recipe.needs_token() {
        line(&mut text, &format!("# {ABOUT_TOKEN}"));
    }
    match &recipe.content {
        Content::Raw(body) => {
            if recipe.signs_headers {
                sign_headers(&mut text, recipe, body);
                for header in ["x-timestamp: $timestamp", "x-nonce: $nonce", "x-signature: v1=$signature"] {
                    headers.push(format!("\"{header}\""));
                }
            } else if !body.is_empty() {
                line(&mut text, &format!("body={}", single(body)));
            }
            if !body.is_empty() {
                // The option takes a body that begins with @ for a text, and not for the name of a file.
                data.push("--data-raw \"$body\"".to_owned());
            }
        }
        Content::Json(fields) => {
            let fields = fields.iter().map(|(name, value)| match value {
                Value::Variable(name_of) => format!("\\\"{name}\\\":\\\"${}\\\"", variable(name_of)),
                Value::Text(_) | Value::Bearer(_) | Value::Nonce => String::new(),
            });
            let fields: Vec<String> = fields.collect();
            data.push(format!("--data-raw \"{{{}}}\"", fields.join(",")));
        }
        Content::Form(pairs) | Content::Query(pairs) => {
            sign_pairs(&mut text, pairs);
            // A form has a content type without a word.
            headers.retain(|header| !header.contains("content-type"));
            data.extend(
                pairs
                    .iter()
                    .map(|(name, value)| format!("--data-urlencode {}", word(&format!("{name}="), value))),
            );
            data.push("--data-urlencode \"signature=$signature\"".to_owned());
        }
    }
    let query = if recipe.query.is_empty() { String::new() } else { format!("?{}", recipe.query) };
    let target = format!("{}{query}", recipe.path);
    let get = if matches!(recipe.content, Content::Query(_)) { " --get" } else { "" };
    let method = single(&recipe.method);
    let _ = write!(
        text,
        "curl --silent --show-error{get} --request {method} \"${}\"{}",
        variable(recipe.base),
        single(&target)
    );
    for header in headers {
        let _ = write!(text, " \\\n  --header {header}");
    }
    for data in data {
        let _ = write!(text, " \\\n  {data}");
    }
    text.push('\n');
    text
}

fn sign_headers(text: &mut String, recipe: &Recipe, body: &str) {
    line(text, &format!("# {ABOUT_TIME}"));
    line(text, &format!("body={}", single(body)));
    line(text, "timestamp=$(date +%s)");
    line(text, "nonce=$(openssl rand -hex 16)");
    line(text, "hash=$(printf %s \"$body\" | openssl dgst -sha256 -r | cut -d ' ' -f 1)");
    let parts = [&recipe.method, &recipe.path, &recipe.query].map(|part| single(part)).join(" ");
    line(text, "signature=$(printf '%s\\n%s\\n%s\\n%s\\n%s\\n%s' \\");
    line(text, &format!("  {parts} \"$timestamp\" \"$nonce\" \"$hash\" \\"));
    let secret = variable("ALLSCALE_API_SECRET");
    line(text, &format!("  | openssl dgst -sha256 -hmac \"${secret}\" -binary | openssl base64 -A)"));
}

fn sign_pairs(text: &mut String, pairs: &[(String, Value)]) {
    if pairs.iter().any(|(_, value)| *value == Value::Nonce) {
        line(text, "nonce=$(openssl rand -hex 16)");
    }
    let signed: String = pairs.iter().map(|(name, value)| word(name, value)).collect();
    line(text, &format!("signature=$(printf %s {signed} \\"));
    let secret = variable("PEACH_SECRET_TOKEN");
    line(text, &format!("  | openssl dgst -sha256 -hmac \"${secret}\" -r | cut -d ' ' -f 1)"));
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A word of the shell: a text, and a value after the text.
fn word(before: &str, value: &Value) -> String {
    match value {
        Value::Text(text) => single(&format!("{before}{text}")),
        Value::Variable(name) => format!("{}\"${}\"", single(before), variable(name)),
        Value::Bearer(name) => format!("{}\"${}\"", single(&format!("{before}Bearer ")), variable(name)),
        Value::Nonce => format!("{}\"$nonce\"", single(before)),
    }
}

/// A text in single quotes, in which the shell changes nothing.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
