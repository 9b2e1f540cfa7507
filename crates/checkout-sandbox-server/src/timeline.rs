//! Everything that has happened about a checkout, in the order of the world's time.
//!
//! Things of one moment come in the order in which the things happened: each thing knows the latest request
//! before it.

use std::sync::Arc;

use checkout_tables::Moment;
use serde_json::{Value, json};

use crate::clock::Pace;
use crate::mask::{Body, Mask};
use crate::shown::{Shown, body_json};
use crate::traffic::{Entry, Step};
use crate::webhooks::fault::Fault;
use crate::webhooks::log::{Filter, Message};
use crate::world::Played;

/// Something that has happened.
pub(crate) enum Happened {
    Request(Arc<Entry>),
    Status(Status),
    Webhook(Webhook),
    Clock(Step),
}

/// A status that the checkout has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) at: Moment,
    pub(crate) code: String,
    pub(crate) words: &'static str,
}

/// An attempt to deliver a webhook, or a webhook that nobody has attempted to deliver yet.
pub(crate) struct Webhook {
    pub(crate) at: Moment,
    pub(crate) number: u64,
    pub(crate) event: String,
    /// The states of the deliveries, if no delivery was attempted.
    pub(crate) states: Vec<&'static str>,
    pub(crate) attempt: Option<Attempt>,
}

/// An attempt, masked.
pub(crate) struct Attempt {
    pub(crate) url: String,
    pub(crate) took_ms: u64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    /// The receiver's status and body, or the reason why there is no answer.
    pub(crate) answer: Result<(u16, Body), String>,
    pub(crate) by_hand: bool,
    /// The name of the fault that struck the attempt.
    pub(crate) fault: Option<&'static str>,
}

/// The place of a thing in the order: the moment, the latest request before, and the kind.
type Place = (i64, u64, u8);

/// Everything about a checkout with these statuses, the oldest first.
pub(crate) fn of(played: &Played, mask: &Mask<'_>, checkout: &str, statuses: Vec<Status>) -> Vec<Happened> {
    let mut all: Vec<(Place, Happened)> = Vec::new();
    let (entries, steps): (Vec<Arc<Entry>>, Vec<Step>) = {
        let traffic = played.traffic();
        (traffic.about(checkout).map(Arc::clone).collect(), traffic.steps().copied().collect())
    };
    let first = statuses.first().map(|status| status.at).into_iter().chain(entries.first().map(|of| of.at));
    let begin = first.min();
    for (place, status) in statuses.into_iter().enumerate() {
        // The latest request that came before the status. The first request makes the first status.
        let before = entries.iter().take_while(|entry| entry.statuses <= place).last().or(entries.first());
        let before = before.filter(|entry| entry.at <= status.at).map_or(0, |entry| entry.number);
        all.push(((status.at.unix_millis(), before, 1), Happened::Status(status)));
    }
    for entry in entries {
        all.push(((entry.at.unix_millis(), entry.number, 0), Happened::Request(entry)));
    }
    for step in steps.into_iter().filter(|step| begin.is_some_and(|begin| step.to >= begin)) {
        all.push(((step.from.unix_millis(), step.after, 2), Happened::Clock(step)));
    }
    let filter = Filter { order: None, checkout: Some(checkout.to_owned()) };
    for message in played.mail.log().messages(&filter) {
        webhooks(message, mask, &mut all);
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, happened)| happened).collect()
}

fn webhooks(message: &Message, mask: &Mask<'_>, all: &mut Vec<(Place, Happened)>) {
    let webhook = |at: Moment, attempt| Webhook {
        at,
        number: message.number,
        event: message.content.event().to_owned(),
        states: message.states(),
        attempt,
    };
    if !message.is_attempted() {
        let at = message.content.at();
        all.push(((at.unix_millis(), u64::MAX, 3), Happened::Webhook(webhook(at, None))));
    }
    for (attempt, fault) in message.attempts() {
        let content_type = attempt.letter.headers.iter().find(|(name, _)| *name == "content-type");
        let content_type = content_type.map_or("", |(_, value)| value);
        let headers = attempt.letter.headers.iter();
        let answer = match &attempt.outcome {
            Ok(answer) => Ok((answer.status, mask.body_of("", answer.body.as_bytes()))),
            Err(reason) => Err(mask.text(reason)),
        };
        let shown = Attempt {
            url: mask.named("url", &attempt.url),
            took_ms: attempt.took_ms,
            headers: headers.map(|(name, value)| ((*name).to_owned(), mask.header(name, value))).collect(),
            body: mask.body_of(content_type, &attempt.letter.body),
            answer,
            by_hand: attempt.by_hand,
            fault: fault.map(Fault::name),
        };
        let place = (attempt.at.unix_millis(), attempt.after, 3);
        all.push((place, Happened::Webhook(webhook(attempt.at, Some(shown)))));
    }
}

impl Happened {
    pub(crate) fn at(&self) -> Moment {
        match self {
            Self::Request(entry) => entry.at,
            Self::Status(status) => status.at,
            Self::Webhook(webhook) => webhook.at,
            Self::Clock(step) => step.from,
        }
    }

    /// The thing as JSON. `kind` names the kind.
    pub(crate) fn to_json(&self, mask: &Mask<'_>) -> Value {
        let (kind, mut json) = match self {
            Self::Request(entry) => ("request", Shown::of(entry, mask).whole()),
            Self::Status(status) => ("status", json!({ "status": status.code, "words": status.words })),
            Self::Webhook(webhook) => ("webhook", webhook.to_json()),
            Self::Clock(step) => ("clock", step_json(step)),
        };
        if let Some(members) = json.as_object_mut() {
            members.insert("kind".to_owned(), kind.into());
            members.insert("at_unix_ms".to_owned(), self.at().unix_millis().into());
        }
        json
    }
}

impl Webhook {
    fn to_json(&self) -> Value {
        let attempt = self.attempt.as_ref().map(|attempt| {
            let (answer, error) = match &attempt.answer {
                Ok((status, body)) => (json!({ "status": status, "body": body_json(body) }), None),
                Err(reason) => (Value::Null, Some(reason)),
            };
            json!({
                "url": attempt.url,
                "took_ms": attempt.took_ms,
                "headers": attempt.headers,
                "body": body_json(&attempt.body),
                "answer": answer,
                "error": error,
                "by_hand": attempt.by_hand,
                "fault": attempt.fault,
            })
        });
        json!({ "webhook": self.number, "event": self.event, "states": self.states, "attempt": attempt })
    }
}

fn step_json(step: &Step) -> Value {
    let (pace, times) = match step.pace {
        Pace::Real => ("real", None),
        Pace::Frozen => ("frozen", None),
        Pace::Times(times) => ("times", Some(times)),
    };
    json!({ "to_unix_ms": step.to.unix_millis(), "pace": pace, "times": times })
}
