//! A request as a command and as a program: the texts as they are copied.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Keys, Server};
use checkout_tables::Moment;
use common::{AllScale, Running, initiate, peach_status, send, submit, token};
use serde_json::{Value, json};

/// 2027-01-15 08:00:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);

fn frozen() -> Running {
    Running::start(Server::builder().frozen_at(START))
}

fn published(running: &Running) -> Keys {
    running.get().default_world().keys().clone()
}

fn allscale_of<'a>(running: &Running, keys: &'a Keys) -> AllScale<'a> {
    AllScale { addr: running.addr(), prefix: "", keys, unix_seconds: START.unix_seconds().unsigned_abs() }
}

fn copies(running: &Running, number: u64) -> Value {
    let path = format!("/_/worlds/default/requests/{number}");
    let (status, whole) = running.admin("GET", &path, &Value::Null);
    assert_eq!(status, 200, "{whole}");
    whole["copy"].clone()
}

#[track_caller]
fn is(copies: &Value, language: &str, text: &str) {
    let copied = copies[language].as_str().unwrap();
    assert_eq!(copied, text, "{copied}");
}

#[test]
fn a_create_of_allscale_signs_anew_in_every_language() {
    let running = frozen();
    let keys = published(&running);
    let body = r#"{"currency":1,"amount_cents":1000,"order_id":"it's \"1\""}"#;
    allscale_of(&running, &keys).send("POST", "/v1/checkout_intents/", body).unwrap();
    let copies = copies(&running, 1);
    is(
        &copies,
        "curl",
        r#"# A world whose clock is not real wants the world's time: GET /_/worlds/{world}/clock.
body='{"currency":1,"amount_cents":1000,"order_id":"it'\''s \"1\""}'
timestamp=$(date +%s)
nonce=$(openssl rand -hex 16)
hash=$(printf %s "$body" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
signature=$(printf '%s\n%s\n%s\n%s\n%s\n%s' \
  'POST' '/v1/checkout_intents/' '' "$timestamp" "$nonce" "$hash" \
  | openssl dgst -sha256 -hmac "$CHECKOUT_SANDBOX_ALLSCALE_API_SECRET" -binary | openssl base64 -A)
curl --silent --show-error --request 'POST' "$CHECKOUT_SANDBOX_ALLSCALE_URL"'/v1/checkout_intents/' \
  --header 'x-api-key: '"$CHECKOUT_SANDBOX_ALLSCALE_API_KEY" \
  --header 'content-type: application/json' \
  --header "x-timestamp: $timestamp" \
  --header "x-nonce: $nonce" \
  --header "x-signature: v1=$signature" \
  --data-raw "$body"
"#,
    );
    is(
        &copies,
        "python",
        r#"import base64, hashlib, hmac, os, time, urllib.error, urllib.request, uuid

# A world whose clock is not real wants the world's time: GET /_/worlds/{world}/clock.
env = os.environ
method, path = "POST", "/v1/checkout_intents/"
query = ""
headers = {
    "x-api-key": env["CHECKOUT_SANDBOX_ALLSCALE_API_KEY"],
    "content-type": "application/json",
}
body = "{\"currency\":1,\"amount_cents\":1000,\"order_id\":\"it's \\\"1\\\"\"}".encode()
timestamp, nonce = str(int(time.time())), str(uuid.uuid4())
text = "\n".join([method, path, query, timestamp, nonce, hashlib.sha256(body).hexdigest()])
secret = env["CHECKOUT_SANDBOX_ALLSCALE_API_SECRET"].encode()
mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
headers["x-timestamp"], headers["x-nonce"] = timestamp, nonce
headers["x-signature"] = "v1=" + base64.b64encode(mac).decode()
url = env["CHECKOUT_SANDBOX_ALLSCALE_URL"] + path + ("?" + query if query else "")
request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())
"#,
    );
    is(
        &copies,
        "node",
        r#"import { createHash, createHmac, randomUUID } from "node:crypto";

// A world whose clock is not real wants the world's time: GET /_/worlds/{world}/clock.
const env = process.env;
const [method, path] = ["POST", "/v1/checkout_intents/"];
let query = "";
const headers = {
  "x-api-key": env.CHECKOUT_SANDBOX_ALLSCALE_API_KEY,
  "content-type": "application/json",
};
const body = "{\"currency\":1,\"amount_cents\":1000,\"order_id\":\"it's \\\"1\\\"\"}";
const timestamp = String(Math.floor(Date.now() / 1000));
const nonce = randomUUID();
const hash = createHash("sha256").update(body).digest("hex");
const text = [method, path, query, timestamp, nonce, hash].join("\n");
const mac = createHmac("sha256", env.CHECKOUT_SANDBOX_ALLSCALE_API_SECRET).update(text).digest("base64");
headers["x-timestamp"] = timestamp;
headers["x-nonce"] = nonce;
headers["x-signature"] = `v1=${mac}`;
const url = env.CHECKOUT_SANDBOX_ALLSCALE_URL + path + (query ? `?${query}` : "");
const answer = await fetch(url, { method, headers, body: body || undefined });
console.log(answer.status, await answer.text());
"#,
    );
    is(
        &copies,
        "rust",
        r#"use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
use checkout_kit::{Cents, Environment};
use std::env::var;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let transport = checkout_reqwest::Blocking::new()?;
    let key = SigningKey::new(var("CHECKOUT_SANDBOX_ALLSCALE_API_KEY")?, var("CHECKOUT_SANDBOX_ALLSCALE_API_SECRET")?.into())?;
    let client = Client::builder(key)
        .environment(Environment::Sandbox)
        .base_url(var("CHECKOUT_SANDBOX_ALLSCALE_URL")?)
        .build()?;
    let currency = Currency::from_value(1).ok_or("no such currency")?;
    let draft = Draft::fiat(currency, Cents::new(1000))
        .order_id("it's \"1\"")
        .check()?;
    let answer = client.create(&draft).send_blocking(&transport)?;
    println!("{:?}", answer.payload);
    Ok(())
}
"#,
    );
}

#[test]
fn a_form_of_peach_is_signed_anew_in_every_language() {
    let running = frozen();
    let keys = published(&running);
    assert_eq!(initiate(running.addr(), "", &keys, "order-1234").status, 201);
    let copies = copies(&running, 1);
    is(
        &copies,
        "curl",
        r#"nonce=$(openssl rand -hex 16)
signature=$(printf %s 'amount10.00''authentication.entityId'"$CHECKOUT_SANDBOX_PEACH_ENTITY_ID"'currencyZAR''merchantTransactionIdorder-1234''nonce'"$nonce"'paymentTypeDB''shopperResultUrlhttps://shop.example/done' \
  | openssl dgst -sha256 -hmac "$CHECKOUT_SANDBOX_PEACH_SECRET_TOKEN" -r | cut -d ' ' -f 1)
curl --silent --show-error --request 'POST' "$CHECKOUT_SANDBOX_PEACH_URL"'/checkout/initiate' \
  --header 'referer: '"$CHECKOUT_SANDBOX_PEACH_REFERER" \
  --data-urlencode 'amount=10.00' \
  --data-urlencode 'authentication.entityId='"$CHECKOUT_SANDBOX_PEACH_ENTITY_ID" \
  --data-urlencode 'currency=ZAR' \
  --data-urlencode 'merchantTransactionId=order-1234' \
  --data-urlencode 'nonce='"$nonce" \
  --data-urlencode 'paymentType=DB' \
  --data-urlencode 'shopperResultUrl=https://shop.example/done' \
  --data-urlencode "signature=$signature"
"#,
    );
    let [python, node, rust] = ["python", "node", "rust"].map(|name| copies[name].as_str().unwrap());
    for part in [
        "\"nonce\": str(uuid.uuid4()),\n",
        "\"authentication.entityId\": env[\"CHECKOUT_SANDBOX_PEACH_ENTITY_ID\"],\n",
        "text = \"\".join(key + fields[key] for key in sorted(fields))\n",
        "body = urllib.parse.urlencode(fields).encode()\n",
    ] {
        assert!(python.contains(part), "{part}: {python}");
    }
    for part in [
        "\"nonce\": randomUUID(),\n",
        "Object.keys(fields).sort().map((key) => key + fields[key]).join(\"\")",
        "createHmac(\"sha256\", env.CHECKOUT_SANDBOX_PEACH_SECRET_TOKEN)",
    ] {
        assert!(node.contains(part), "{part}: {node}");
    }
    for part in ["Draft::debit(Currency::ZAR, Cents::new(1000))", "client.initiate(&checkout)?.send_blocking"]
    {
        assert!(rust.contains(part), "{part}: {rust}");
    }
}

#[test]
fn each_call_of_the_client_has_its_name() {
    let running = frozen();
    let keys = published(&running);
    let shop = allscale_of(&running, &keys);
    let id = shop.new_intent("order-1"); // 1
    shop.status(&id); // 2
    shop.send("GET", "/v1/test/ping", "").unwrap(); // 3
    let tracked = submit(running.addr(), "", &keys, "order-2").json(); // 4
    let tracking = tracked["trackingNumber"].as_str().unwrap();
    let headers = [("x-tn", &*keys.azotte_x_tn), ("x-api-key", &keys.azotte_api_key)];
    let path = format!("/api/v1/c2a/offer/checkout/{tracking}/status");
    send(running.addr(), "GET", &path, &headers, b"").unwrap(); // 5
    peach_status(running.addr(), "", &keys, "order-1234"); // 6
    token(running.addr(), "", &keys); // 7
    let table = [
        (2, format!("client.status(\"{id}\")?.send_blocking")),
        (3, "client.ping().send_blocking".to_owned()),
        (4, "client.submit(&draft).send_blocking".to_owned()),
        (5, format!("client.status(\"{tracking}\")?.send_blocking")),
        (
            6,
            "client.status(Lookup::from(MerchantTransactionId::new(\"order-1234\")?)).send_blocking"
                .to_owned(),
        ),
    ];
    for (number, call) in table {
        let copies = copies(&running, number);
        assert!(copies["rust"].as_str().unwrap().contains(&call), "{call}: {copies:#}");
        for language in ["curl", "python", "node"] {
            assert!(copies[language].as_str().unwrap().contains("CHECKOUT_SANDBOX_"), "{copies:#}");
        }
    }
    let token = copies(&running, 7);
    assert_eq!(token["rust"], Value::Null);
    assert!(token["curl"].as_str().unwrap().contains("$CHECKOUT_SANDBOX_PEACH_CLIENT_SECRET"), "{token:#}");
    // A path that nobody has is copied in no language.
    send(running.addr(), "GET", "/v1/none", &[], b"").unwrap();
    assert_eq!(copies(&running, 8), json!({}));
}

#[test]
fn no_text_of_a_request_ends_a_text_of_a_program() {
    let running = frozen();
    let keys = published(&running);
    let nasty = "'; touch x #\"; ${x} `x` $(x) \\ \n \u{2028} </pre><b>";
    let body = json!({ "currency": 1, "amount_cents": 1000, "order_id": nasty }).to_string();
    allscale_of(&running, &keys).send("POST", "/v1/checkout_intents/", &body).unwrap();
    let copies = copies(&running, 1);
    let text = |language: &str| copies[language].as_str().unwrap();
    // Between single quotes, the only sign that means something to a shell is the single quote.
    assert!(text("curl").contains(&format!("body='{}'\n", body.replace('\'', "'\\''"))), "{copies:#}");
    for (language, begin) in [("python", "body = "), ("node", "const body = ")] {
        let line = text(language).lines().find(|line| line.starts_with(begin)).unwrap();
        let literal = line.strip_prefix(begin).unwrap().trim_end_matches(';').trim_end_matches(".encode()");
        assert_eq!(serde_json::from_str::<String>(literal).unwrap(), body, "{line}");
    }
    assert!(text("rust").contains(&format!(".order_id({nasty:?})")), "{copies:#}");
    // A body that begins with @ is no file's name: curl reads no file for --data-raw.
    allscale_of(&running, &keys).send("POST", "/v1/checkout_intents/", "@/etc/passwd").unwrap();
    let of_file = self::copies(&running, 2);
    let text = of_file["curl"].as_str().unwrap();
    assert!(text.contains("body='@/etc/passwd'\n") && text.ends_with("--data-raw \"$body\"\n"), "{text}");
    let page = send(running.addr(), "GET", "/_/board/default/requests/1", &[], b"").unwrap().body;
    assert!(page.contains("data-testid=\"copy-curl\"") && !page.contains("</pre><b>"), "{page}");
}
