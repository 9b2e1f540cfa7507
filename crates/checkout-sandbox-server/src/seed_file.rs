//! The seed file: requests to admin routes, which a server plays at its start. A reset of a world plays the
//! requests about the world again.

use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Waker};

use axum::Router;
use axum::body::Body;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::header::CONTENT_TYPE;
use checkout_transport::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;

use crate::fields::Fields;
use crate::journal::Entry;
use crate::problem::{self, Problem};
use crate::shared::Shared;
use crate::world::{World, is_name};
use crate::{admin, own};

/// The requests of a seed file, in order.
#[derive(Debug)]
pub(crate) struct SeedFile {
    requests: Vec<SeedRequest>,
}

#[derive(Clone, Debug)]
struct SeedRequest {
    /// `post`, `put` or `delete`.
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl SeedFile {
    /// Reads the text of a seed file.
    ///
    /// # Errors
    /// The place that is wrong, and the reason. Names no value of the file.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        Self::of(serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?)
    }

    fn of(file: Value) -> Result<Self, String> {
        let told = |problem: Problem| problem.sentence();
        let mut fields = fields_of(without_comments(file)).map_err(told)?;
        let requests = fields.any("requests");
        fields.end().map_err(told)?;
        let Some(Value::Array(requests)) = requests else {
            return Err("requests has to be a list".to_owned());
        };
        let requests = (1..).zip(requests).map(|(number, request)| {
            SeedRequest::of(request).map_err(|problem| format!("request {number}: {}", problem.sentence()))
        });
        Ok(Self { requests: requests.collect::<Result<_, _>>()? })
    }
}

impl SeedRequest {
    fn of(request: Value) -> Result<Self, Problem> {
        let mut fields = fields_of(request)?;
        let mut asked = Vec::new();
        for method in ["post", "put", "delete"] {
            asked.extend(fields.text(method)?.map(|path| (method, path)));
        }
        let body = fields.any("body");
        fields.end()?;
        let (method, path) = match <[_; 1]>::try_from(asked) {
            Ok([asked]) => asked,
            Err(_) => return Err(whole("has to have one of post, put and delete")),
        };
        let request = Self { method, path, body };
        request.check()?;
        Ok(request)
    }

    /// The world that the request is about, and the rest of the path. `None` for no path of a world.
    fn place(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix(WORLDS)?.strip_prefix('/')?.split_once('/').filter(|(world, _)| is_name(world))
    }

    fn check(&self) -> Result<(), Problem> {
        let makes_world = (self.method, &*self.path) == ("post", WORLDS);
        let place = self.place().map(|(_, rest)| (self.method, rest));
        if !makes_world && !place.is_some_and(|place| ROUTES.contains(&place)) {
            let routes: Vec<_> = ROUTES.iter().map(|(method, rest)| format!("{method} {rest}")).collect();
            let routes = routes.join(", ");
            let message =
                format!("has no place here: post {WORLDS} has, and below {WORLDS}/WORLD/: {routes}");
            return Err(Problem::field(self.method, message));
        }
        match &self.body {
            None => Ok(()),
            Some(_) if self.method == "delete" => Err(Problem::field("body", "has no place beside delete")),
            Some(Value::Object(body)) => match STEPS.iter().find(|step| body.contains_key(**step)) {
                Some(step) if place == Some(("put", "clock")) => {
                    let message = "is a step of time, which has no place here: clock in the body of post /_/worlds \
                                   says when a world begins";
                    Err(Problem::field(format!("body.{step}"), message))
                }
                Some(_) | None => Ok(()),
            },
            Some(_) => Err(Problem::field("body", "has to be an object")),
        }
    }

    /// True if a reset of the world takes the effect of the request away.
    fn ends_with_reset(&self) -> bool {
        self.place().is_some_and(|(_, rest)| rest != "endpoints")
    }

    /// The request as an HTTP client sends the request.
    fn to_http(&self) -> Result<(Request<Body>, Bytes), String> {
        let method = match self.method {
            "post" => Method::POST,
            "put" => Method::PUT,
            _ => Method::DELETE,
        };
        let body = self.body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder().method(method).uri(&*self.path);
        let request = request.header(CONTENT_TYPE, "application/json").body(Body::from(body.clone()));
        Ok((request.map_err(|error| error.to_string())?, body))
    }

    fn to_json(&self) -> Value {
        match &self.body {
            Some(body) => json!({ self.method: self.path, "body": body }),
            None => json!({ self.method: self.path }),
        }
    }
}

/// Plays the requests in order, and lets each world remember the requests that a reset plays again.
///
/// # Errors
/// The number of the request that was refused, and the refusal.
pub(crate) async fn play(shared: &Arc<Shared>, router: &mut Router, file: &SeedFile) -> Result<(), String> {
    for (number, request) in (1..).zip(&file.requests) {
        let told = |reason| format!("request {number}, {} {}: {reason}", request.method, request.path);
        let (asked, body) = request.to_http().map_err(told)?;
        let answer = own::call(shared, router, asked, &body).await;
        if answer.status().as_u16() >= 400 {
            return Err(told(refusal(answer).await));
        }
    }
    for world in shared.worlds.all() {
        let of_world = |request: &&SeedRequest| {
            request.ends_with_reset() && request.place().is_some_and(|(name, _)| name == world.name())
        };
        let requests: Vec<_> = file.requests.iter().filter(of_world).cloned().collect();
        if !requests.is_empty() {
            let listed: Vec<Value> = requests.iter().map(SeedRequest::to_json).collect();
            world.change().note(|| Entry::new("seed_file", json!({ "requests": listed })))?;
            let_reset_play(shared, &world, requests);
        }
    }
    Ok(())
}

/// Lets a world remember its requests of a seed file, from an entry of the server's file.
///
/// # Errors
/// The entry has no such requests.
pub(crate) fn remember(shared: &Arc<Shared>, world: &World, entry: Value) -> Result<(), String> {
    let file = SeedFile::of(entry).map_err(|_| "is no part of a seed file")?;
    let_reset_play(shared, world, file.requests);
    Ok(())
}

fn let_reset_play(shared: &Arc<Shared>, world: &World, requests: Vec<SeedRequest>) {
    let shared = Arc::downgrade(shared);
    world.after_resets(Arc::new(move |world| {
        let Some(shared) = shared.upgrade() else { return };
        // Another world may have the name of a world that is gone.
        if !shared.worlds.named(world.name()).is_some_and(|named| ptr::eq(&raw const *named, world)) {
            return;
        }
        let mut router = admin::router(shared);
        for (request, _) in requests.iter().filter_map(|request| request.to_http().ok()) {
            // A world that begins again takes the requests that the world took in the beginning, and these
            // routes wait for nothing.
            let _ = pin!(router.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        }
    }));
}

/// The refusal of an answer, as one line.
async fn refusal(answer: Response<Body>) -> String {
    let status = answer.status();
    let body = problem::as_json(answer).await.into_body().collect().await;
    let json: Value =
        body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok()).unwrap_or_default();
    let text = |name| json.get("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    let message = text("message").map_or_else(|| status.to_string(), str::to_owned);
    Problem { field: text("field").map(str::to_owned), ..whole(&message) }.sentence()
}

/// A problem of a whole object.
fn whole(message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}

fn fields_of(value: Value) -> Result<Fields, Problem> {
    let Value::Object(members) = value else { return Err(whole("has to be a JSON object")) };
    Ok(Fields::of(members))
}

/// The value without the members that are comments.
fn without_comments(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(name, _)| name != COMMENT);
            Value::Object(members.map(|(name, value)| (name, without_comments(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_comments).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// The name of a member that is a comment.
const COMMENT: &str = "//";

/// The route that makes a world.
const WORLDS: &str = "/_/worlds";

/// The routes of a world that have a place in a seed file. All but the endpoints wait for nothing.
const ROUTES: [(&str, &str); 8] = [
    ("put", "clock"),
    ("put", "autopay"),
    ("delete", "autopay"),
    ("post", "scenarios"),
    ("post", "faults"),
    ("delete", "faults"),
    ("post", "webhooks/faults"),
    ("post", "endpoints"),
];

/// The fields of the clock that lead to another time. A step waits for deliveries.
const STEPS: [&str; 3] = ["unix_ms", "advance_ms", "advance"];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &Value) -> Result<Vec<Value>, String> {
        let read = SeedFile::read(&file.to_string())?;
        Ok(read.requests.iter().map(SeedRequest::to_json).collect())
    }

    #[test]
    fn comments_are_skipped_at_each_level() {
        let file = json!({ "//": "a", "requests": [
            { "//": ["b"], "post": "/_/worlds", "body": { "//": 1, "name": "a", "clock": { "//": {}, "pace": "real" } } },
            { "//": "c", "delete": "/_/worlds/a/faults" },
        ] });
        let expected = [
            json!({ "post": "/_/worlds", "body": { "name": "a", "clock": { "pace": "real" } } }),
            json!({ "delete": "/_/worlds/a/faults" }),
        ];
        assert_eq!(read(&file), Ok(expected.to_vec()));
        assert_eq!(read(&json!({ "requests": [] })), Ok(Vec::new()));
    }

    #[test]
    fn a_file_that_is_none_names_the_place() {
        for (text, expected) in [
            ("", "is not JSON: EOF while parsing a value at line 1 column 0"),
            ("{\n  \"requests\": [}", "is not JSON: expected value at line 2 column 16"),
            ("[]", "has to be a JSON object"),
            ("{}", "requests has to be a list"),
            (r#"{"requests":{}}"#, "requests has to be a list"),
            (r#"{"requests":[],"worlds":[]}"#, "worlds no such field: the fields are requests"),
            (r#"{"requests":["secret"]}"#, "request 1: has to be a JSON object"),
        ] {
            assert_eq!(SeedFile::read(text).err().as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_wrong_member_of_a_request_is_named_with_the_number() {
        let one = "has to have one of post, put and delete";
        for (request, expected) in [
            (json!({}), one),
            (json!({ "post": "/_/worlds", "put": "/_/worlds/a/clock" }), one),
            (json!({ "post": 1 }), "post has to be a text"),
            (json!({ "get": "/_/worlds" }), "get no such field: the fields are post, put, delete, body"),
            (json!({ "post": "/_/worlds", "body": [] }), "body has to be an object"),
            (json!({ "delete": "/_/worlds/a/faults", "body": {} }), "body has no place beside delete"),
            (
                json!({ "put": "/_/worlds/a/clock", "body": { "pace": "frozen", "advance_ms": 1 } }),
                "body.advance_ms is a step of time, which has no place here: clock in the body of post \
                 /_/worlds says when a world begins",
            ),
        ] {
            let file = json!({ "requests": [{ "post": "/_/worlds" }, request] });
            assert_eq!(read(&file), Err(format!("request 2: {expected}")), "{file}");
        }
    }

    #[test]
    fn a_route_without_a_place_is_refused_and_not_shown() {
        for (method, path) in [
            ("post", "/_/worlds/"),
            ("put", "/_/worlds"),
            ("delete", "/_/worlds/a"),
            ("post", "/_/worlds/a/reset"),
            ("post", "/_/worlds/a/fork"),
            ("post", "/_/worlds/a/snapshots"),
            ("post", "/_/worlds/a/webhooks/resend"),
            ("put", "/_/worlds/a/scenarios"),
            ("post", "/_/worlds/a/scenarios/"),
            ("post", "/_/worlds/a/scenarios?secret=1"),
            ("post", "/_/worlds/a/../b/scenarios"),
            ("post", "/_/worlds/%61/scenarios"),
            ("post", "/_/board/a/reset"),
            ("post", "/v1/checkout_intents/"),
            ("post", "http://127.0.0.1:4700/_/worlds"),
        ] {
            let refused = read(&json!({ "requests": [{ method: path }] })).err().unwrap();
            let expected = format!("request 1: {method} has no place here: post /_/worlds has, and below ");
            assert!(refused.starts_with(&expected) && !refused.contains("secret"), "{path}: {refused}");
        }
    }
}
