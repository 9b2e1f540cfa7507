//! The parts of a request that is sent again, in no language yet.

use serde_json::Value as Json;

use crate::mask::{Body, MARK};
use crate::place::Api;
use crate::shown::Shown;

/// A request that is sent again.
pub(super) struct Recipe {
    pub(super) method: String,
    /// The environment variable of the base URL.
    pub(super) base: &'static str,
    pub(super) path: String,
    /// Empty if there is none.
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, Value)>,
    pub(super) content: Content,
    /// True if the headers are signed as AllScale wants the headers signed.
    pub(super) signs_headers: bool,
}

/// The content of a request.
pub(super) enum Content {
    /// A body as it was sent, maybe empty.
    Raw(String),
    /// An object of JSON with keys from the environment.
    Json(Vec<(String, Value)>),
    /// A form that Peach wants signed. The pairs are sorted by key, as the signature wants the pairs.
    Form(Vec<(String, Value)>),
    /// A query that Peach wants signed, sorted likewise.
    Query(Vec<(String, Value)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// The value of an environment variable.
    Variable(&'static str),
    /// `Bearer` and the value of an environment variable.
    Bearer(&'static str),
    /// A fresh nonce.
    Nonce,
}

impl Recipe {
    /// The recipe of a request. `None` for a path that no provider has.
    pub(super) fn of(shown: &Shown) -> Option<Self> {
        shown.route.as_ref()?;
        let raw = match &shown.body {
            Body::Text(text) => text.clone(),
            Body::Empty | Body::Bytes(_) => String::new(),
        };
        let sent = |wanted: &str| shown.headers.iter().find(|(name, _)| name == wanted);
        let content_type = sent("content-type").map_or("application/json", |(_, value)| value);
        let typed = |headers: Vec<(&'static str, Value)>| {
            let has_body = !raw.is_empty();
            let of_body = has_body.then(|| ("content-type", Value::Text(content_type.to_owned())));
            headers.into_iter().chain(of_body).collect::<Vec<_>>()
        };
        let referer = ("referer", Value::Variable("PEACH_REFERER"));
        let form = ("content-type", Value::Text("application/x-www-form-urlencoded".to_owned()));
        let json = ("content-type", Value::Text("application/json".to_owned()));
        let (base, headers, content) = match shown.api {
            Api::AllScale => {
                let key = ("x-api-key", Value::Variable("ALLSCALE_API_KEY"));
                ("ALLSCALE_URL", typed(vec![key]), Content::Raw(raw.clone()))
            }
            Api::Azotte => {
                let tenant = ("x-tn", Value::Variable("AZOTTE_X_TN"));
                let key = ("x-api-key", Value::Variable("AZOTTE_API_KEY"));
                ("AZOTTE_URL", typed(vec![tenant, key]), Content::Raw(raw.clone()))
            }
            Api::PeachAuth => ("PEACH_AUTH_URL", vec![json], Content::Json(client())),
            Api::Peach if shown.path == "/api/oauth/token" => {
                ("PEACH_URL", vec![json], Content::Json(client()))
            }
            Api::Peach if shown.path.starts_with("/v2/") => {
                let token = ("authorization", Value::Bearer("PEACH_ACCESS_TOKEN"));
                ("PEACH_URL", typed(vec![token, referer]), Content::Raw(raw.clone()))
            }
            Api::Peach if shown.path == "/status" => {
                let query = shown.query.as_deref().unwrap_or_default();
                ("PEACH_URL", Vec::new(), Content::Query(signed(&pairs(query, false))))
            }
            Api::Peach => {
                let is_json = content_type.contains("json");
                ("PEACH_URL", vec![referer, form], Content::Form(signed(&pairs(&raw, is_json))))
            }
        };
        let query = match content {
            Content::Query(_) => String::new(),
            Content::Raw(_) | Content::Json(_) | Content::Form(_) => shown.query.clone().unwrap_or_default(),
        };
        let (method, path) = (shown.method.clone(), shown.path.clone());
        let signs_headers = shown.api == Api::AllScale;
        Some(Self { method, base, path, query, headers, content, signs_headers })
    }

    pub(super) fn needs_token(&self) -> bool {
        self.headers.iter().any(|(_, value)| matches!(value, Value::Bearer(_)))
    }
}

/// The fields of a request for an access token.
fn client() -> Vec<(String, Value)> {
    let fields = [
        ("clientId", "PEACH_CLIENT_ID"),
        ("clientSecret", "PEACH_CLIENT_SECRET"),
        ("merchantId", "PEACH_MERCHANT_ID"),
    ];
    fields.map(|(name, variable)| (name.to_owned(), Value::Variable(variable))).to_vec()
}

/// The pairs to sign, sorted by key. A masked value has to be filled in by the person who sends the request.
fn signed(pairs: &[(String, String)]) -> Vec<(String, Value)> {
    let pairs = pairs.iter().filter(|(name, _)| name != "signature");
    let mut pairs: Vec<(String, Value)> = pairs
        .map(|(name, value)| {
            let value = match &**name {
                "authentication.entityId" => Value::Variable("PEACH_ENTITY_ID"),
                "nonce" => Value::Nonce,
                _ => Value::Text(value.clone()),
            };
            (name.clone(), value)
        })
        .collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs
}

fn pairs(text: &str, is_json: bool) -> Vec<(String, String)> {
    if !is_json {
        return form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    }
    let flat = serde_json::from_str::<Json>(text).unwrap_or_default();
    let members = flat.as_object().into_iter().flatten();
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Object(_) | Json::Array(_) => MARK.to_owned(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
    };
    members.map(|(name, value)| (name.clone(), text(value))).collect()
}
