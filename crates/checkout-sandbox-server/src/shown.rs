//! A request and its answer as everybody is shown the two: masked, and with the same words everywhere.

use std::time::Duration;

use checkout_tables::Moment;
use serde_json::{Value, json};

use crate::mask::{Body, Mask};
use crate::place::Api;
use crate::traffic::{Arrived, Entry};

/// A request and its answer, masked.
pub(crate) struct Shown {
    pub(crate) number: u64,
    pub(crate) at: Moment,
    pub(crate) took: Duration,
    pub(crate) api: Api,
    pub(crate) method: String,
    pub(crate) prefix: String,
    /// The path that the provider sees.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) route: Option<String>,
    pub(crate) checkout: Option<String>,
    pub(crate) order: Option<String>,
    pub(crate) fault: Option<String>,
    pub(crate) answer: Option<Answer>,
    pub(crate) arrived: Arrived,
}

/// An answer, masked.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl Shown {
    /// A request and its answer without headers and bodies, for a list.
    pub(crate) fn brief(entry: &Entry, mask: &Mask<'_>) -> Self {
        let answer = entry.answer.as_ref().map(|answer| Answer {
            status: answer.status().as_u16(),
            headers: Vec::new(),
            body: Body::Empty,
        });
        let text = |text: &Option<String>| text.as_deref().map(|text| mask.text(text));
        Self {
            number: entry.number,
            at: entry.at,
            took: entry.took,
            api: entry.api,
            method: mask.text(entry.method.as_str()),
            prefix: entry.prefix.clone(),
            path: mask.text(&entry.path),
            query: entry.query.as_deref().map(|query| mask.form(query)),
            headers: Vec::new(),
            body: Body::Empty,
            route: entry.route.clone(),
            checkout: entry.about().map(|text| mask.text(text)),
            order: text(&entry.order),
            fault: text(&entry.fault),
            answer,
            arrived: entry.arrived,
        }
    }

    pub(crate) fn of(entry: &Entry, mask: &Mask<'_>) -> Self {
        let answer = entry.answer.as_ref().map(|answer| Answer {
            status: answer.status().as_u16(),
            headers: mask.headers(answer.headers()),
            body: mask.body(answer.headers(), answer.body()),
        });
        let (headers, body) = (mask.headers(&entry.headers), mask.body(&entry.headers, &entry.body));
        Self { headers, body, answer, ..Self::brief(entry, mask) }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    /// The facts of the request without headers and bodies.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "number": self.number,
            "at_unix_ms": self.at.unix_millis(),
            "took_us": u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            "provider": self.api.provider(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "prefix": self.prefix,
            "route": self.route,
            "checkout": self.checkout,
            "order": self.order,
            "status": self.status(),
            "fault": self.fault,
            "arrived": arrived(self.arrived),
        })
    }

    /// The facts of the request with headers and bodies.
    pub(crate) fn whole(&self) -> Value {
        let mut whole = self.summary();
        let request = json!({ "headers": self.headers, "body": body_json(&self.body) });
        let answer = self.answer.as_ref().map(|answer| {
            json!({
                "status": answer.status,
                "headers": answer.headers,
                "body": body_json(&answer.body),
            })
        });
        if let Some(members) = whole.as_object_mut() {
            members.insert("request".to_owned(), request);
            members.insert("answer".to_owned(), answer.into());
        }
        whole
    }
}

/// The word for the part of an exchange that has arrived.
pub(crate) fn arrived(arrived: Arrived) -> &'static str {
    match arrived {
        Arrived::Answer => "answer",
        Arrived::RequestAlone => "request_alone",
        Arrived::Nothing => "nothing",
        Arrived::NothingForSure => "nothing_for_sure",
    }
}

/// A body as JSON: a text, the number of bytes, or null.
pub(crate) fn body_json(body: &Body) -> Value {
    match body {
        Body::Empty => Value::Null,
        Body::Text(text) => Value::from(&**text),
        Body::Bytes(length) => json!({ "bytes": length }),
    }
}
