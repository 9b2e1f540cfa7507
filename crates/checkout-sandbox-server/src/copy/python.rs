//! A request as a program in Python, with the standard library alone.

use super::recipe::{Content, Recipe, Value};
use super::{ABOUT_TIME, ABOUT_TOKEN, quoted, variable};

pub(super) fn text(recipe: &Recipe) -> String {
    let mut lines: Vec<String> = vec![imports(recipe), String::new()];
    if recipe.needs_token() {
        lines.push(format!("# {ABOUT_TOKEN}"));
    }
    if recipe.signs_headers {
        lines.push(format!("# {ABOUT_TIME}"));
    }
    lines.push("env = os.environ".to_owned());
    lines.push(format!("method, path = {}, {}", quoted(&recipe.method), quoted(&recipe.path)));
    lines.push(format!("query = {}", quoted(&recipe.query)));
    lines.push("headers = {".to_owned());
    lines.extend(recipe.headers.iter().map(|(name, of)| format!("    {}: {},", quoted(name), value(of))));
    lines.push("}".to_owned());
    match &recipe.content {
        Content::Raw(body) => lines.push(format!("body = {}.encode()", quoted(body))),
        Content::Json(fields) => lines.push(format!("body = json.dumps({}).encode()", dictionary(fields))),
        Content::Form(pairs) | Content::Query(pairs) => {
            lines.push(format!("fields = {}", dictionary(pairs)));
            lines.push("text = \"\".join(key + fields[key] for key in sorted(fields))".to_owned());
            lines.push(format!("secret = env[{}].encode()", quoted(&variable("PEACH_SECRET_TOKEN"))));
            lines.push(
                "fields[\"signature\"] = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()"
                    .to_owned(),
            );
            let is_query = matches!(recipe.content, Content::Query(_));
            lines.push(if is_query {
                "query, body = urllib.parse.urlencode(fields), b\"\"".to_owned()
            } else {
                "body = urllib.parse.urlencode(fields).encode()".to_owned()
            });
        }
    }
    if recipe.signs_headers {
        lines.push("timestamp, nonce = str(int(time.time())), str(uuid.uuid4())".to_owned());
        lines.push(
            "text = \"\\n\".join([method, path, query, timestamp, nonce, hashlib.sha256(body).hexdigest()])"
                .to_owned(),
        );
        lines.push(format!("secret = env[{}].encode()", quoted(&variable("ALLSCALE_API_SECRET"))));
        lines.push("mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()".to_owned());
        lines.push("headers[\"x-timestamp\"], headers[\"x-nonce\"] = timestamp, nonce".to_owned());
        lines.push("headers[\"x-signature\"] = \"v1=\" + base64.b64encode(mac).decode()".to_owned());
    }
    lines.push(format!(
        "url = env[{}] + path + (\"?\" + query if query else \"\")",
        quoted(&variable(recipe.base))
    ));
    lines.push(SEND.to_owned());
    lines.join("\n")
}

fn imports(recipe: &Recipe) -> String {
    let mut modules = vec!["os", "urllib.error", "urllib.request"];
    match recipe.content {
        Content::Raw(_) if recipe.signs_headers => {
            modules.extend(["base64", "hashlib", "hmac", "time", "uuid"]);
        }
        Content::Raw(_) => {}
        Content::Json(_) => modules.push("json"),
        Content::Form(_) | Content::Query(_) => {
            modules.extend(["hashlib", "hmac", "urllib.parse", "uuid"]);
        }
    }
    modules.sort_unstable();
    format!("import {}", modules.join(", "))
}

fn dictionary(fields: &[(String, Value)]) -> String {
    let lines: String =
        fields.iter().map(|(name, of)| format!("    {}: {},\n", quoted(name), value(of))).collect();
    format!("{{\n{lines}}}")
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Variable(name) => format!("env[{}]", quoted(&variable(name))),
        Value::Bearer(name) => format!("\"Bearer \" + env[{}]", quoted(&variable(name))),
        Value::Nonce => "str(uuid.uuid4())".to_owned(),
    }
}

const SEND: &str = "request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())
";
