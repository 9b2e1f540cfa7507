//! A request as a program for Node, with `fetch` and `node:crypto`.

use super::recipe::{Content, Recipe, Value};
use super::{ABOUT_TIME, ABOUT_TOKEN, quoted, variable};

pub(super) fn text(recipe: &Recipe) -> String {
    let mut lines: Vec<String> = Vec::new();
    match recipe.content {
        Content::Raw(_) if recipe.signs_headers => {
            lines.push("import { createHash, createHmac, randomUUID } from \"node:crypto\";".to_owned());
        }
        Content::Form(_) | Content::Query(_) => {
            lines.push("import { createHmac, randomUUID } from \"node:crypto\";".to_owned());
        }
        Content::Raw(_) | Content::Json(_) => {}
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    if recipe.needs_token() {
        lines.push(format!("// {ABOUT_TOKEN}"));
    }
    if recipe.signs_headers {
        lines.push(format!("// {ABOUT_TIME}"));
    }
    lines.push("const env = process.env;".to_owned());
    lines.push(format!("const [method, path] = [{}, {}];", quoted(&recipe.method), quoted(&recipe.path)));
    lines.push(format!("let query = {};", quoted(&recipe.query)));
    lines.push(format!("const headers = {};", object(recipe.headers.iter().map(|(name, of)| (*name, of)))));
    match &recipe.content {
        Content::Raw(body) => lines.push(format!("const body = {};", quoted(body))),
        Content::Json(fields) => lines.push(format!("const body = JSON.stringify({});", members(fields))),
        Content::Form(pairs) | Content::Query(pairs) => {
            lines.push(format!("const fields = {};", members(pairs)));
            lines.push(
                "const text = Object.keys(fields).sort().map((key) => key + fields[key]).join(\"\");"
                    .to_owned(),
            );
            lines.push(format!(
                "fields.signature = createHmac(\"sha256\", env.{}).update(text).digest(\"hex\");",
                variable("PEACH_SECRET_TOKEN")
            ));
            if matches!(recipe.content, Content::Query(_)) {
                lines.push("query = new URLSearchParams(fields).toString();".to_owned());
                lines.push("const body = \"\";".to_owned());
            } else {
                lines.push("const body = new URLSearchParams(fields).toString();".to_owned());
            }
        }
    }
    if recipe.signs_headers {
        lines.push("const timestamp = String(Math.floor(Date.now() / 1000));".to_owned());
        lines.push("const nonce = randomUUID();".to_owned());
        lines.push("const hash = createHash(\"sha256\").update(body).digest(\"hex\");".to_owned());
        lines.push("const text = [method, path, query, timestamp, nonce, hash].join(\"\\n\");".to_owned());
        lines.push(format!(
            "const mac = createHmac(\"sha256\", env.{}).update(text).digest(\"base64\");",
            variable("ALLSCALE_API_SECRET")
        ));
        lines.push("headers[\"x-timestamp\"] = timestamp;".to_owned());
        lines.push("headers[\"x-nonce\"] = nonce;".to_owned());
        lines.push("headers[\"x-signature\"] = `v1=${mac}`;".to_owned());
    }
    lines.push(format!("const url = env.{} + path + (query ? `?${{query}}` : \"\");", variable(recipe.base)));
    lines.push("const answer = await fetch(url, { method, headers, body: body || undefined });".to_owned());
    lines.push("console.log(answer.status, await answer.text());\n".to_owned());
    lines.join("\n")
}

fn members(fields: &[(String, Value)]) -> String {
    object(fields.iter().map(|(name, of)| (&**name, of)))
}

fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let lines: String = members.map(|(name, of)| format!("  {}: {},\n", quoted(name), value(of))).collect();
    format!("{{\n{lines}}}")
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Variable(name) => format!("env.{}", variable(name)),
        Value::Bearer(name) => format!("`Bearer ${{env.{}}}`", variable(name)),
        Value::Nonce => "randomUUID()".to_owned(),
    }
}
