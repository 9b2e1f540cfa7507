//! The OpenAPI document of the admin routes, which the server gives at `/_/openapi.json`.
//!
//! This file is the source: `UPDATE_DOCS=1 cargo test -p checkout-sandbox-server --test openapi` writes
//! `src/openapi.json` anew. The routes here are the routes of the router, and those of docs/sandbox.md.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use checkout_sandbox::{FaultName, allscale, azotte, peach};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// A route: method, path, summary, parameters, body, and the answer with its status.
struct Route {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: Vec<Value>,
    body: Option<Value>,
    answers: Vec<(u16, Value)>,
}

fn route(method: &'static str, path: &'static str, summary: &'static str) -> Route {
    Route { method, path, summary, query: Vec::new(), body: None, answers: Vec::new() }
}

impl Route {
    /// An optional parameter of the query.
    fn query(mut self, name: &str, schema: Value, description: &str) -> Self {
        self.query.push(json!({
            "name": name, "in": "query", "required": false, "description": description, "schema": schema,
        }));
        self
    }

    /// A parameter of the query that has to be there.
    fn needed(self, name: &str, schema: Value, description: &str) -> Self {
        let mut route = self.query(name, schema, description);
        if let Some(parameter) = route.query.last_mut() {
            parameter["required"] = true.into();
        }
        route
    }

    /// The last answer in another form.
    fn also(mut self, kind: &str, schema: Value) -> Self {
        if let Some((_, answer)) = self.answers.last_mut() {
            answer["content"][kind] = json!({ "schema": schema });
        }
        self
    }

    /// An optional body of JSON, by the fields.
    fn fields(mut self, required: &[&str], fields: Value) -> Self {
        let mut schema = object(required, fields);
        schema["additionalProperties"] = false.into();
        self.body = Some(json!({
            "required": !required.is_empty(), "content": { "application/json": { "schema": schema } },
        }));
        self
    }

    /// A body of JSON that is one of several objects, each with the fields that are required and the others.
    fn one_of(mut self, required: bool, alternatives: &[(Value, Value)]) -> Self {
        let alternatives: Vec<Value> =
            alternatives.iter().map(|(required, others)| closed(required, others)).collect();
        let schema = json!({ "oneOf": alternatives });
        self.body =
            Some(json!({ "required": required, "content": { "application/json": { "schema": schema } } }));
        self
    }

    /// An answer of JSON.
    fn answer(mut self, status: u16, description: &str, schema: Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        self.answers.push((status, json!({ "description": description, "content": content })));
        self
    }

    /// The routes of the thing that the last answer tells the number of.
    fn leads_to(mut self, member: &str, name: &str, routes: &[(&str, &str)]) -> Self {
        let link = |(method, path): &(&str, &str)| {
            let id = id(method, path);
            let parameters =
                json!({ name: format!("$response.body#/{member}"), "world": "$request.path.world" });
            (id.clone(), json!({ "operationId": id, "parameters": parameters }))
        };
        if let Some((_, answer)) = self.answers.last_mut() {
            answer["links"] = routes.iter().map(link).collect::<Map<_, _>>().into();
        }
        self
    }

    fn empty(mut self, status: u16, description: &str) -> Self {
        self.answers.push((status, json!({ "description": description })));
        self
    }

    fn refused(self, status: u16, when: &str) -> Self {
        self.answer(status, when, named("Refusal"))
    }

    /// The refusals of a body: no JSON, a field that is wrong, a body that is too large.
    fn checked(self) -> Self {
        self.refused(400, "The body or a parameter is wrong.").refused(413, "The body is over 1 MiB.")
    }

    fn to_json(&self) -> Value {
        let mut parameters: Vec<Value> = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                let kind = if ["world", "snapshot"].contains(&name) { "string" } else { "integer" };
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } })
            })
            .collect();
        parameters.extend(self.query.iter().cloned());
        let answers: Map<String, Value> =
            self.answers.iter().map(|(status, answer)| (status.to_string(), answer.clone())).collect();
        let mut operation = json!({
            "operationId": self.id(), "summary": self.summary, "responses": answers,
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.clone();
        }
        operation
    }

    fn id(&self) -> String {
        id(self.method, self.path)
    }
}

/// The name of an operation: the method and the parts of the path.
fn id(method: &str, path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != "_");
    let parts = parts.map(|part| part.trim_matches(['{', '}']));
    [method].into_iter().chain(parts).collect::<Vec<_>>().join("_").replace('.', "_")
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn list_of(member: &str, schema: &str) -> Value {
    object(&[member], json!({ member: { "type": "array", "items": named(schema) } }))
}

fn object(required: &[&str], fields: Value) -> Value {
    let mut schema = json!({ "type": "object" });
    if fields.as_object().is_some_and(|fields| !fields.is_empty()) {
        schema["properties"] = fields;
    }
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// An object with fields that are required, with others, and with no further field.
fn closed(required: &Value, others: &Value) -> Value {
    let names: Vec<&str> = required.as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let mut fields = required.clone();
    for (name, schema) in others.as_object().into_iter().flatten() {
        fields[name] = schema.clone();
    }
    let mut schema = object(&names, fields);
    schema["additionalProperties"] = false.into();
    schema
}

/// A name of the body.
fn exactly(name: &str) -> Value {
    json!({ "type": "string", "enum": [name] })
}

/// The paces of a clock, as fields that are required.
fn paces() -> [Value; 2] {
    let times = json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 });
    let of_names = json!({ "type": "string", "enum": ["real", "frozen"] });
    [json!({ "pace": of_names }), json!({ "pace": exactly("times"), "times": times })]
}

/// The names without those of an object, each of which may be null.
fn nulls(names: &[&str], but: &Value) -> Value {
    let left = names.iter().filter(|name| but.get(**name).is_none());
    left.map(|name| ((*name).to_owned(), json!({ "type": "null" }))).collect::<Map<_, _>>().into()
}

/// A whole number of the body.
fn whole_number(most: u64) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": most })
}

/// The members of two objects.
fn both(left: &Value, right: &Value) -> Value {
    let mut all = left.clone();
    for (name, schema) in right.as_object().into_iter().flatten() {
        all[name] = schema.clone();
    }
    all
}

/// A text of the body, or null.
fn text() -> Value {
    json!({ "type": ["string", "null"] })
}

fn one_of(names: &[&str]) -> Value {
    let mut names: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
    names.push(Value::Null);
    json!({ "type": ["string", "null"], "enum": names })
}

/// A whole number of the body, or null.
fn number(least: u64, most: u64) -> Value {
    json!({ "type": ["integer", "null"], "minimum": least, "maximum": most })
}

fn moment() -> Value {
    number(0, LAST_MILLISECOND)
}

const LAST_MILLISECOND: u64 = 253_402_300_799_999;

const ONE_ENDPOINT: &str = "/_/worlds/{world}/endpoints/{endpoint}";

/// The most that a provider's clock is off: 31 days.
const MOST_SKEW_MS: i64 = 31 * 24 * 3_600_000;

const WORLD: &str = "No world has the name.";

fn routes() -> Vec<Route> {
    let provider = || json!({ "type": "string", "enum": PROVIDERS });
    let none = json!({});
    let start = [&none, &paces()[0], &paces()[1]];
    let start = start
        .map(|pace| closed(pace, &both(&nulls(&["pace", "times"], pace), &json!({ "unix_ms": moment() }))));
    let left_out = json!({ "type": "null" });
    let clock = json!({ "oneOf": [&start[0], &start[1], &start[2], &left_out] });
    let steps = [
        json!({ "unix_ms": whole_number(LAST_MILLISECOND) }),
        json!({ "advance_ms": whole_number(LAST_MILLISECOND) }),
        json!({ "advance": { "type": "string", "enum": ["next", "idle"] } }),
    ];
    let skew = |kind: Value| json!({ "type": kind, "minimum": -MOST_SKEW_MS, "maximum": MOST_SKEW_MS });
    let mut set: Vec<(Value, Value)> = Vec::new();
    for pace in [&none, &paces()[0], &paces()[1]] {
        for step in [&none, &steps[0], &steps[1], &steps[2]] {
            if *pace == none && *step == none {
                let others = nulls(&["pace", "times", "unix_ms", "advance_ms", "advance"], &none);
                set.push((json!({ "skew_ms": skew(json!("integer")) }), others));
            } else {
                let required = both(pace, step);
                let others = nulls(&["pace", "times", "unix_ms", "advance_ms", "advance"], &required);
                set.push((required, both(&others, &json!({ "skew_ms": skew(json!(["integer", "null"])) }))));
            }
        }
    }
    let scenario = |provider: &str, names: &[&str]| {
        (json!({ "provider": exactly(provider), "scenario": { "type": "string", "enum": names } }), json!({}))
    };
    let scenarios = [
        scenario("allscale", &allscale::Scenario::NAMES),
        scenario("azotte", &azotte::Scenario::NAMES),
        scenario("peach", &peach::Scenario::NAMES),
    ];
    let delay = json!({ "type": "integer", "minimum": 1, "maximum": LAST_MILLISECOND });
    let without_delay: Vec<&str> = WEBHOOK_FAULTS.into_iter().filter(|name| *name != "delay").collect();
    let of_name = json!({ "type": "string", "enum": without_delay });
    let others = json!({ "provider": one_of(&["allscale", "peach"]), "times": number(1, 1_000), "seconds": number(1, LAST_MILLISECOND / 1_000) });
    let others_of_named = both(&others, &json!({ "delay_ms": number(1, LAST_MILLISECOND) }));
    let of_delivery = [
        (json!({ "fault": of_name }), others_of_named),
        (json!({ "fault": exactly("delay"), "delay_ms": delay }), others),
    ];
    let endpoint = [("allscale", exactly("confirmed")), ("peach", json!({ "type": "string" }))].map(
        |(provider, event)| {
            let events = json!({ "type": ["array", "null"], "items": event });
            let others =
                json!({ "events": events, "enabled": { "type": ["boolean", "null"] }, "secret": text() });
            (json!({ "provider": exactly(provider), "url": { "type": "string" } }), others)
        },
    );
    let time = || json!({ "type": "string", "pattern": "^([0-9]{1,2}|[1-5][0-9]{2})(ms|s)$" });
    let mut routes =
        vec![
        route("get", "/_/", "The addresses, and the keys of the default world; the dashboard for a browser")
            .answer(200, "The addresses and the keys.", named("About")),
        route("get", "/_/ready", "Answers as soon as the server listens").answer(
            200,
            "The server listens.",
            object(&["ready"], json!({ "ready": { "type": "boolean" } })),
        ),
        route("get", "/_/openapi.json", "This document").answer(
            200,
            "The document.",
            json!({ "type": "object" }),
        ),
        route("get", "/_/engine", "The store of an engine, as the program checkout-engine shows it")
            .query("after", json!({ "type": "string" }), "Checkouts behind this id alone.")
            .answer(
                200,
                "The checkouts, the events that no checkout has, and the figures.",
                object(
                    &["checkouts", "unmatched", "figures"],
                    json!({
                        "checkouts": { "type": "array", "items": { "type": "object" } },
                        "unmatched": { "type": "array", "items": { "type": "object" } },
                        "figures": { "type": "object" },
                    }),
                ),
            )
            .refused(400, "A parameter is wrong.")
            .refused(404, "The server shows no engine.")
            .refused(502, "The program does not start, or refuses."),
        route("get", "/_/worlds", "Lists the worlds").answer(200, "The worlds.", list_of("worlds", "World")),
        route("post", "/_/worlds", "Makes a world")
            .fields(
                &[],
                json!({
                    "name": { "type": ["string", "null"], "pattern": "^[a-z0-9-]{1,32}$" },
                    "seed": number(0, (1 << 53) - 1), "clock": clock,
                }),
            )
            .answer(201, "The world.", named("World"))
            .checked()
            .refused(409, "Another world has the name, or a key that follows from the name."),
        route("get", "/_/worlds/{world}", "Shows a world")
            .answer(200, "The world.", named("World"))
            .refused(404, WORLD),
        route("delete", "/_/worlds/{world}", "Takes a world away")
            .empty(204, "The world is gone.")
            .refused(404, WORLD)
            .refused(409, "The default world stays."),
        route("get", "/_/worlds/{world}/clock", "Shows the world's clock")
            .answer(200, "The clock.", named("Clock"))
            .refused(404, WORLD),
        route("put", "/_/worlds/{world}/clock", "Sets the world's clock, and advances the clock")
            .one_of(true, &set)
            .answer(200, "The clock, after everything that was to happen has happened.", named("Clock"))
            .checked()
            .refused(404, WORLD)
            .refused(409, "The step leads back, or beyond the year 9999."),
        route("get", "/_/worlds/{world}/checkouts", "The checkouts of all providers")
            .answer(200, "The checkouts.", list_of("checkouts", "Checkout"))
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/scenarios", "Sets the scenario of the provider's next checkout")
            .one_of(true, &scenarios)
            .answer(
                200,
                "The scenario waits.",
                object(
                    &["provider", "next"],
                    json!({
                        "provider": provider(), "next": { "type": "string" },
                    }),
                ),
            )
            .checked()
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/reset", "Begins the world again")
            .fields(&[], json!({}))
            .answer(200, "The world.", named("World"))
            .checked()
            .refused(404, WORLD),
        route("get", "/_/worlds/{world}/endpoints", "Lists the receivers of webhooks")
            .answer(200, "The endpoints.", list_of("endpoints", "Endpoint"))
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/endpoints", "Adds a receiver of webhooks")
            .one_of(true, &endpoint)
            .answer(201, "The endpoint.", named("Endpoint"))
            .leads_to("endpoint", "endpoint", &["get", "put", "delete"].map(|method| (method, ONE_ENDPOINT)))
            .checked()
            .refused(404, WORLD),
        route("delete", "/_/worlds/{world}/endpoints", "Takes all receivers away")
            .empty(204, "No endpoint is left.")
            .refused(404, WORLD),
        route("get", ONE_ENDPOINT, "Shows a receiver")
            .answer(200, "The endpoint.", named("Endpoint"))
            .refused(404, "No world or no endpoint."),
        route("put", ONE_ENDPOINT, "Replaces a receiver")
            .one_of(true, &endpoint)
            .answer(200, "The endpoint.", named("Endpoint"))
            .checked()
            .refused(404, "No world or no endpoint."),
        route("delete", ONE_ENDPOINT, "Takes a receiver away")
            .empty(204, "The endpoint is gone.")
            .refused(404, "No world or no endpoint."),
        route("get", "/_/worlds/{world}/webhooks", "The webhooks, with every attempt to deliver them")
            .query("order", json!({ "type": "string" }), "The order of the webhooks.")
            .query("checkout", json!({ "type": "string" }), "The checkout of the webhooks.")
            .answer(200, "The webhooks.", list_of("webhooks", "Webhook"))
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD),
        route("get", "/_/worlds/{world}/webhooks/{webhook}", "One webhook")
            .answer(200, "The webhook.", named("Webhook"))
            .refused(404, "No world or no webhook."),
        route("post", "/_/worlds/{world}/webhooks/{webhook}/resend", "Sends a webhook again")
            .fields(&[], json!({ "endpoint": number(0, u64::MAX) }))
            .answer(200, "The attempts.", list_of("webhooks", "Attempt"))
            .checked()
            .refused(404, "No world or no webhook.")
            .refused(409, "Nobody can be called."),
        route("post", "/_/worlds/{world}/webhooks/resend", "Sends all webhooks again")
            .fields(&[], json!({
                "endpoint": number(0, u64::MAX), "provider": one_of(&["allscale", "peach"]),
                "order": text(), "checkout": text(),
            }))
            .answer(200, "The attempts.", list_of("webhooks", "Attempt"))
            .checked()
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/webhooks/{webhook}/edit", "Sends a webhook with changes")
            .fields(
                &[],
                json!({
                    "endpoint": number(0, u64::MAX), "body": text(), "key": one_of(&["right", "wrong"]),
                    "stale_seconds": moment(),
                }),
            )
            .answer(200, "The attempts.", list_of("webhooks", "Attempt"))
            .checked()
            .refused(404, "No world or no webhook.")
            .refused(409, "Nobody can be called."),
        route("post", "/_/worlds/{world}/webhooks/faults", "Lets the next webhook's delivery go wrong")
            .one_of(true, &of_delivery)
            .answer(
                200,
                "The fault waits.",
                object(
                    &["next", "provider"],
                    json!({
                        "next": { "type": "string" }, "provider": text(),
                    }),
                ),
            )
            .checked()
            .refused(404, WORLD),
        route("get", "/_/worlds/{world}/events", "The events, by long poll or as a stream")
            .query(
                "after",
                json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
                "The number of the last event that was read.",
            )
            .query("timeout", time(), "How long the answer waits for an event, as 500ms or 30s.")
            .query("letters_to", json!({ "type": "string" }), "The URL for which each due webhook is signed.")
            .answer(
                200,
                "The events.",
                object(
                    &["events", "last"],
                    json!({
                        "events": { "type": "array", "items": named("Event") }, "last": { "type": "integer" },
                    }),
                ),
            )
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD),
        route("get", "/_/worlds/{world}/wait", "Answers as soon as something is so")
            .needed("for", json!({ "type": "string", "enum": WAITS }), "The thing to wait for.")
            .query("order", json!({ "type": "string" }), "The order.")
            .query("checkout", json!({ "type": "string" }), "The checkout.")
            .query("status", json!({ "type": "string" }), "The status, for a wait for a status.")
            .query("timeout", time(), "How long to wait, as 500ms or 30s.")
            .answer(200, "The thing is so.", json!({ "type": "object" }))
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD)
            .refused(408, "The thing is not so yet."),
    ];
    routes.extend(routes_of_requests());
    routes.extend(routes_of_faults());
    routes.extend(routes_of_snapshots());
    routes.extend(routes_of_the_verdict());
    routes
}

/// The body of a fault of a provider's requests.
fn fault_of(provider: &str, rows: &[FaultName], routes: &[String]) -> (Value, Value) {
    let names: Vec<&str> = rows.iter().map(|row| row.name).chain(WIRE.map(|(name, _)| name)).collect();
    let mut routes: Vec<Value> = routes.iter().map(|name| json!(name)).collect();
    routes.push(Value::Null);
    let mut others = json!({
        "route": { "type": ["string", "null"], "enum": routes }, "nth": number(1, MOST),
        "times": number(1, MOST), "permille": number(1, 1_000), "seed": number(0, u64::MAX),
    });
    let of_wire = WIRE.iter().flat_map(|(_, values)| values.split_whitespace());
    for value in rows.iter().filter_map(|row| row.value).chain(of_wire) {
        others[value] = json!({ "type": ["string", "integer", "null"] });
    }
    (json!({ "provider": exactly(provider), "fault": { "type": "string", "enum": names } }), others)
}

/// The routes of what goes wrong, of the limits, and of payments without a payer.
fn routes_of_faults() -> Vec<Route> {
    let text = || json!({ "type": "string" });
    let of_allscale = checkout_tables::allscale::Route::ROWS.map(|route| route.to_string());
    let of_azotte = checkout_tables::azotte::Route::ROWS.map(|route| route.to_string());
    let of_peach = checkout_tables::peach::Route::ROWS.map(|route| route.to_string());
    let faults = [
        fault_of("allscale", &allscale::Fault::NAMES, &of_allscale),
        fault_of("azotte", &azotte::Fault::NAMES, &of_azotte),
        fault_of("peach", &peach::Fault::NAMES, &of_peach),
    ];
    let after = || object(&["after_ms"], json!({ "after_ms": { "type": ["integer", "null"] } }));
    let limit = object(
        &["provider", "limit", "most", "used", "room", "room_at_unix_ms"],
        json!({
            "provider": text(), "limit": text(), "most": { "type": "integer" }, "used": { "type": "integer" },
            "room": { "type": "integer" }, "room_at_unix_ms": { "type": "integer" },
        }),
    );
    let limits = object(&["limits"], json!({ "limits": { "type": "array", "items": limit } }));
    vec![
        route(
            "get",
            "/_/worlds/{world}/faults",
            "The faults of requests, each with how often the fault struck",
        )
        .answer(200, "The faults.", list_of("faults", "Fault"))
        .refused(404, WORLD),
        route("post", "/_/worlds/{world}/faults", "Lets requests go wrong")
            .one_of(true, &faults)
            .answer(201, "The fault.", named("Fault"))
            .leads_to("number", "fault", &[("delete", "/_/worlds/{world}/faults/{fault}")])
            .checked()
            .refused(404, WORLD)
            .refused(409, "There are too many faults."),
        route("delete", "/_/worlds/{world}/faults", "Takes all faults away")
            .empty(204, "No fault is left.")
            .refused(404, WORLD),
        route("delete", "/_/worlds/{world}/faults/{fault}", "Takes a fault away")
            .empty(204, "The fault is gone.")
            .refused(404, "No world or no fault."),
        route("get", "/_/worlds/{world}/limits", "The limits, each with its use")
            .answer(200, "The limits.", limits)
            .refused(404, WORLD),
        route("get", "/_/worlds/{world}/autopay", "The time after which a new checkout is paid by itself")
            .answer(200, "The time.", after())
            .refused(404, WORLD),
        route("put", "/_/worlds/{world}/autopay", "Lets new checkouts be paid by themselves")
            .fields(&["after_ms"], json!({ "after_ms": whole_number(31 * 24 * 3_600_000) }))
            .answer(200, "The time.", after())
            .checked()
            .refused(404, WORLD),
        route("delete", "/_/worlds/{world}/autopay", "Lets new checkouts wait for a payer")
            .answer(200, "No time.", after())
            .refused(404, WORLD),
    ]
}

/// The faults of the wire, each with the names of its numbers.
const WIRE: [(&str, &str); 12] = [
    ("wire_delay", "ms jitter_ms"),
    ("wire_delay_log_normal", "median_ms sigma_permille"),
    ("wire_dribble", "over_ms pieces"),
    ("wire_bandwidth", "bytes_per_second"),
    ("wire_slicer", "bytes pause_ms"),
    ("wire_cut", "bytes"),
    ("wire_reset", "bytes"),
    ("wire_empty", ""),
    ("wire_garbage", ""),
    ("wire_bad_chunk", ""),
    ("wire_stall", "ms"),
    ("wire_slow_close", "ms"),
];

/// The greatest number of requests in a fault.
const MOST: u64 = 1_000_000_000;

/// The routes of the snapshots and copies of a world.
fn routes_of_snapshots() -> Vec<Route> {
    let snapshot = || {
        object(
            &["name", "unix_ms"],
            json!({
                "name": { "type": "string" }, "unix_ms": { "type": "integer" },
            }),
        )
    };
    let name = json!({ "type": "string", "pattern": "^[a-z0-9-]{1,32}$" });
    let of_copy = json!({ "name": { "type": ["string", "null"], "pattern": "^[a-z0-9-]{1,32}$" } });
    vec![
        route("get", "/_/worlds/{world}/snapshots", "Lists the snapshots")
            .answer(
                200,
                "The snapshots.",
                object(
                    &["snapshots"],
                    json!({
                        "snapshots": { "type": "array", "items": snapshot() },
                    }),
                ),
            )
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/snapshots", "Keeps a copy of everything")
            .fields(&["name"], json!({ "name": name }))
            .answer(201, "The snapshot.", snapshot())
            .checked()
            .refused(404, WORLD)
            .refused(409, "Another snapshot has the name, or there are a hundred."),
        route("delete", "/_/worlds/{world}/snapshots/{snapshot}", "Forgets a snapshot")
            .empty(204, "The snapshot is gone.")
            .refused(404, "No world or no snapshot."),
        route(
            "post",
            "/_/worlds/{world}/snapshots/{snapshot}/restore",
            "Brings the world back to a snapshot",
        )
        .fields(&[], json!({}))
        .answer(200, "The world.", named("World"))
        .checked()
        .refused(404, "No world or no snapshot."),
        route("post", "/_/worlds/{world}/fork", "Makes another world with a copy of everything")
            .fields(&[], of_copy)
            .answer(201, "The new world.", named("World"))
            .checked()
            .refused(404, WORLD)
            .refused(409, "Another world has the name, or a key that follows from the name."),
    ]
}

/// The routes of the verdict on the client.
fn routes_of_the_verdict() -> Vec<Route> {
    let released = ["order", "checkout"].map(|name| {
        let required = json!({ name: { "type": "string" } });
        let others = nulls(&["order", "checkout"], &required);
        (required, others)
    });
    vec![
        route("get", "/_/worlds/{world}/verdict", "The verdict on the client")
            .query(
                "end",
                json!({ "type": "string", "enum": ["true", "false"] }),
                "True for a client that does nothing any more.",
            )
            .answer(200, "The verdict.", named("Verdict"))
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD),
        route("post", "/_/worlds/{world}/released", "Takes the shop's word that goods have left")
            .one_of(true, &released)
            .answer(200, "The findings about the release.", list_of("findings", "Finding"))
            .checked()
            .refused(404, "No world has the name, or no checkout of the world has the order or the id."),
    ]
}

/// The routes of the requests that the world has got.
fn routes_of_requests() -> Vec<Route> {
    let text = || json!({ "type": "string" });
    let whole = |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
    vec![
        route("get", "/_/worlds/{world}/requests", "The latest requests, with the answers")
            .query("order", text(), "The order of the requests.")
            .query("checkout", text(), "The checkout of the requests.")
            .query("provider", json!({ "type": "string", "enum": PROVIDERS }), "The provider.")
            .query("after", whole(0, u64::MAX), "The number of the last request that was read.")
            .query("limit", whole(1, 1_000), "The most requests of the answer, 100 without the parameter.")
            .answer(
                200,
                "The requests.",
                object(
                    &["requests", "next", "more"],
                    json!({
                        "requests": { "type": "array", "items": named("Request") },
                        "next": { "type": "integer" }, "more": { "type": "boolean" },
                    }),
                ),
            )
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD),
        route(
            "get",
            "/_/worlds/{world}/requests/{request}",
            "One request, with the reason of a refusal and copies as programs",
        )
        .answer(200, "The request.", named("Request"))
        .refused(404, "No world or no request."),
        route("get", "/_/worlds/{world}/timeline", "Everything about a checkout, in order")
            .needed("checkout", text(), "The checkout.")
            .query("skip", whole(0, 1 << 31), "The number of the latest things to leave out.")
            .query("limit", whole(1, 1_000), "The most things of the answer, 100 without the parameter.")
            .answer(
                200,
                "The timeline.",
                object(
                    &["checkout", "provider", "count", "older", "timeline"],
                    json!({
                        "checkout": text(), "provider": text(), "count": { "type": "integer" },
                        "older": { "type": "integer" },
                        "timeline": { "type": "array", "items": object(&["kind", "at_unix_ms"], json!({
                            "kind": { "type": "string", "enum": ["request", "status", "webhook", "clock"] },
                            "at_unix_ms": { "type": "integer" },
                        })) },
                    }),
                ),
            )
            .refused(400, "A parameter is wrong.")
            .refused(404, "No world or no checkout."),
        route("get", "/_/worlds/{world}/export", "The requests as a file")
            .query(
                "format",
                json!({ "type": "string", "enum": ["jsonl", "har"] }),
                "JSON lines, or an HTTP archive.",
            )
            .answer(200, "The file.", json!({ "type": "object" }))
            .also("application/jsonl", text())
            .refused(400, "A parameter is wrong.")
            .refused(404, WORLD),
    ]
}

const PROVIDERS: [&str; 3] = ["allscale", "azotte", "peach"];

const WEBHOOK_FAULTS: [&str; 11] =
    ["drop", "delay", "repeat", "twice", "reorder", "stale", "wrong-key", "cut", "stall", "again", "early"];

const WAITS: [&str; 4] = ["webhook.due", "webhook.attempted", "webhook.delivered", "status"];

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let maybe = |kind: &str| json!({ "type": [kind, "null"] });
    let whole = || json!({ "type": "integer" });
    let texts = |names: &[&str]| {
        let fields: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), text())).collect();
        object(names, fields.into())
    };
    let allscale = texts(&["url", "api_key", "api_secret", "webhook_secret"]);
    let azotte = texts(&["url", "x_tn", "api_key"]);
    let peach = texts(&[
        "url",
        "auth_url",
        "entity_id",
        "secret_token",
        "webhook_secret",
        "client_id",
        "client_secret",
        "merchant_id",
        "referer",
    ]);
    let about = json!({
        "url": text(), "admin_url": text(), "allscale": allscale, "azotte": azotte, "peach": peach,
        "state": text(),
    });
    let about_names = ["url", "admin_url", "allscale", "azotte", "peach", "state"];
    let mut world = about.clone();
    world["name"] = text();
    world["seed"] = whole();
    world["clock"] = named("Clock");
    let world_names = [&about_names[..], &["name", "seed", "clock"]].concat();
    json!({
        "About": object(&about_names, about),
        "World": object(&world_names, world),
        "Clock": object(&["pace", "unix_ms"], json!({
            "pace": { "type": "string", "enum": ["real", "frozen", "times"] }, "times": whole(),
            "skew_ms": whole(),
            "unix_ms": whole(), "changes": { "type": "array", "items": named("Change") },
            "webhooks": { "type": "array", "items": named("Attempt") },
        })),
        "Change": object(&["provider", "id", "unix_ms", "status"], json!({
            "provider": text(), "id": text(), "unix_ms": whole(), "status": { "type": ["string", "integer"] },
        })),
        "Checkout": object(
            &["provider", "id", "order", "status", "scenario", "created_unix_ms", "changed_unix_ms"],
            json!({
                "provider": text(), "id": text(), "order": maybe("string"), "status": maybe("string"),
                "status_number": whole(), "captures": whole(), "submits": whole(), "channel": text(),
                "amount": text(), "currency": text(), "scenario": text(), "created_unix_ms": whole(),
                "changed_unix_ms": whole(),
            }),
        ),
        "Endpoint": object(&["endpoint", "provider", "url", "events", "enabled"], json!({
            "endpoint": whole(), "provider": text(), "url": text(),
            "events": { "type": "array", "items": text() }, "enabled": { "type": "boolean" },
            "has_secret": { "type": "boolean" },
            "probe": object(&["verification_code", "status", "error"], json!({
                "verification_code": text(), "status": maybe("integer"), "error": maybe("string"),
            })),
        })),
        "Webhook": object(
            &["webhook", "provider", "event", "checkout", "order", "at_unix_ms", "body", "deliveries"],
            json!({
                "webhook": whole(), "provider": text(), "event": text(), "checkout": text(),
                "order": maybe("string"), "at_unix_ms": whole(), "body": text(),
                "deliveries": { "type": "array", "items": named("Delivery") },
            }),
        ),
        "Delivery": object(
            &["endpoint", "url_of_checkout", "state", "reason", "next_unix_ms", "attempts"],
            json!({
                "endpoint": maybe("integer"), "url_of_checkout": maybe("string"), "state": text(),
                "reason": maybe("string"), "next_unix_ms": maybe("integer"),
                "attempts": { "type": "array", "items": named("Attempt") },
            }),
        ),
        "Attempt": object(&["url", "at_unix_ms", "took_ms", "headers", "body", "by_hand"], json!({
            "url": text(), "at_unix_ms": whole(), "took_ms": whole(),
            "headers": { "type": "array", "items": { "type": "array", "items": text() } }, "body": text(),
            "answer": maybe("object"), "error": maybe("string"), "next_unix_ms": maybe("integer"),
            "by_hand": { "type": "boolean" },
        })),
        "Event": object(&["number", "at_unix_ms", "kind", "webhook", "detail"], json!({
            "number": whole(), "at_unix_ms": whole(), "kind": text(), "webhook": whole(), "detail": maybe("object"),
            "letter": { "type": "object" },
        })),
        "Fault": object(&["number", "provider", "fault", "nth", "seen", "struck"], json!({
            "number": whole(), "provider": text(), "fault": text(), "route": maybe("string"), "nth": whole(),
            "times": maybe("integer"), "permille": maybe("integer"), "seed": maybe("integer"),
            "seen": whole(), "struck": whole(),
        })),
        "Request": object(
            &["number", "at_unix_ms", "took_us", "provider", "method", "path", "route", "checkout", "order",
              "status", "fault", "arrived"],
            json!({
                "number": whole(), "at_unix_ms": whole(), "took_us": whole(), "provider": text(),
                "method": text(), "path": text(), "query": maybe("string"), "prefix": text(),
                "route": maybe("string"), "checkout": maybe("string"), "order": maybe("string"),
                "status": maybe("integer"), "fault": maybe("string"),
                "arrived": { "type": "string", "enum": ["answer", "request_alone", "nothing", "nothing_for_sure"] },
                "request": { "type": "object" }, "answer": maybe("object"), "why": maybe("object"),
                "copy": { "type": "object" },
            }),
        ),
        "Finding": object(
            &["code", "sentence", "provider", "order", "checkout", "events"],
            json!({
                "code": text(), "sentence": text(), "provider": { "type": "string", "enum": PROVIDERS },
                "order": maybe("string"), "checkout": maybe("string"),
                "events": { "type": "array", "items": object(&["kind", "number", "at_unix_ms"], json!({
                    "kind": { "type": "string", "enum": ["request", "webhook", "payment", "release"] },
                    "number": maybe("integer"), "at_unix_ms": whole(),
                })) },
            }),
        ),
        "Verdict": object(
            &["world", "at_unix_ms", "is_final", "looked_at", "findings", "remarks", "counts"],
            json!({
                "world": text(), "at_unix_ms": whole(), "is_final": { "type": "boolean" },
                "looked_at": object(
                    &["requests", "creates", "reads", "webhooks", "releases"],
                    json!({
                        "requests": whole(), "creates": whole(), "reads": whole(), "webhooks": whole(),
                        "releases": whole(),
                    }),
                ),
                "findings": { "type": "array", "items": named("Finding") },
                "remarks": { "type": "array", "items": named("Finding") },
                "counts": { "type": "object", "additionalProperties": whole() },
            }),
        ),
        "Refusal": object(&["error"], json!({
            "error": object(&["field", "message"], json!({ "field": maybe("string"), "message": text() })),
        })),
    })
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method] = route.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The admin routes of the sandbox server",
            "description": "Worlds, clocks, scenarios and webhooks of the sandbox. The providers' own routes are \
                            those of the providers' pages.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": ".." }],
        "paths": paths,
        "components": { "schemas": schemas() },
    })
}

/// The place of the first difference.
fn difference(place: &str, left: &Value, right: &Value) -> Option<String> {
    let (Some(lefts), Some(rights)) = (left.as_object(), right.as_object()) else {
        return (left != right).then(|| format!("{place}: {left} and {right}"));
    };
    let names: BTreeSet<&String> = lefts.keys().chain(rights.keys()).collect();
    let of = |members: &Map<String, Value>, name: &str| members.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .find_map(|name| difference(&format!("{place}/{name}"), &of(lefts, name), &of(rights, name)))
}

const COMMITTED: &str = include_str!("../src/openapi.json");

#[test]
fn the_committed_document_is_this_one() {
    let document = document();
    // The library knows every member of the document: nothing is misspelled or out of place.
    let parsed: OpenApi = serde_json::from_value(document.clone()).unwrap();
    let known = serde_json::to_value(&parsed).unwrap();
    assert_eq!(difference("", &known, &document), None);
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi.json"), text).unwrap();
    } else {
        assert!(text == COMMITTED, "UPDATE_DOCS=1 cargo test -p checkout-sandbox-server --test openapi");
    }
}

#[test]
fn the_document_has_the_routes_of_the_router_and_no_other() {
    let router = include_str!("../src/admin.rs");
    let (_, router) = router.split_once("Router::new()").unwrap();
    let (router, _) = router.split_once(".merge(").unwrap();
    let mut of_router = BTreeSet::new();
    for part in router.split(".route(").skip(1) {
        let path = part.split('"').nth(1).unwrap();
        for method in ["get", "post", "put", "delete"] {
            if part.contains(&format!("{method}(")) {
                of_router.insert((method, path));
            }
        }
    }
    // The other names of the same page.
    of_router.retain(|(_, path)| !["/", "/_"].contains(path));
    let routes = routes();
    let of_document: BTreeSet<_> = routes.iter().map(|route| (route.method, route.path)).collect();
    assert_eq!(of_document, of_router);
    assert!(of_router.len() > 20, "{of_router:?}");
}

#[test]
fn each_route_stands_in_the_documentation() {
    let guide = include_str!("../../../docs/sandbox.md");
    for route in routes() {
        assert!(guide.contains(route.path), "{} is not in docs/sandbox.md", route.path);
    }
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let routes = routes();
    let names: BTreeSet<String> = routes.iter().map(Route::id).collect();
    assert_eq!(names.len(), routes.len());
}
