//! The verdict on the client: the things that a client of the providers has done wrong, as far as the server
//! can prove them.
//!
//! The judge of a world sees each request with the answer, each delivery of a webhook, and each release of
//! goods that the shop tells, and keeps a few facts about each checkout. So a verdict covers everything since
//! the world's last reset, whatever the log of the requests has forgotten.

pub(crate) mod ask;
pub(crate) mod judge;
mod reading;
mod rule;
pub(crate) mod witness;

use std::collections::BTreeMap;
use std::fmt;

use checkout_tables::Moment;
use serde_json::{Value, json};

/// The verdict on the client of a world.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// let world = server.default_world();
/// // … the client under test works …
/// let verdict = world.verdict_at_end();
/// assert!(verdict.findings.is_empty(), "{verdict}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The name of the world.
    pub world: String,
    /// The world's time of the verdict.
    pub at: Moment,
    /// True if the client does nothing any more, so that everything which the client has not done is missing.
    pub is_final: bool,
    /// The number of things that the judge has seen since the last reset of the world.
    pub looked_at: LookedAt,
    /// The things that the client has done wrong, the weightiest first. At most 100 of each code.
    pub findings: Vec<Finding>,
    /// The things that are worth a look, and are no proof. At most 100 of each code.
    pub remarks: Vec<Finding>,
    /// The number of all findings and remarks of each code, listed or not.
    pub counts: BTreeMap<String, u64>,
}

/// The number of things that a judge has seen.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// assert_eq!(server.default_world().verdict().looked_at.requests, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookedAt {
    /// All requests to the providers.
    pub requests: u64,
    /// The requests that create a checkout.
    pub creates: u64,
    /// The requests that read the state of a checkout.
    pub reads: u64,
    /// The attempts to deliver a webhook.
    pub webhooks: u64,
    /// The releases of goods that the shop has told.
    pub releases: u64,
}

/// A thing that a client has done wrong.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = checkout_sandbox_server::Server::builder().bind().await?;
/// for finding in server.default_world().verdict().findings {
///     println!("{}: {}", finding.code, finding.sentence);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The stable code: `double-create`.
    pub code: String,
    /// One sentence for a person.
    pub sentence: String,
    /// The provider: `allscale`, `azotte` or `peach`.
    pub provider: String,
    /// The shop's name of the order. The beginning alone of a name of more than 200 bytes.
    pub order: Option<String>,
    /// The provider's id of the checkout.
    pub checkout: Option<String>,
    /// The one or two events that the finding is made of, the earlier event first.
    pub events: Vec<Event>,
}

/// An event that a finding is made of.
///
/// ```
/// use checkout_sandbox_server::EventKind;
///
/// assert_eq!(EventKind::Request.to_string(), "request");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// The number of the request or of the webhook in the world's log.
    pub number: Option<u64>,
    /// The world's time.
    pub at: Moment,
}

/// The kind of an event.
///
/// ```
/// use checkout_sandbox_server::EventKind;
///
/// assert_eq!(EventKind::Payment.to_string(), "payment");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A request to a provider.
    Request,
    /// A webhook that a receiver has taken.
    Webhook,
    /// A payment of a checkout.
    Payment,
    /// A release of goods.
    Release,
}

impl EventKind {
    const ALL: [Self; 4] = [Self::Request, Self::Webhook, Self::Payment, Self::Release];

    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Webhook => "webhook",
            Self::Payment => "payment",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for EventKind {
    /// The kind in lower case: `request`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Verdict {
    /// The verdict as JSON, as `GET /_/worlds/{world}/verdict` answers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// assert!(server.default_world().verdict().to_json().starts_with('{'));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        self.json().to_string()
    }

    /// True if the judge has seen nothing at all.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// assert!(server.default_world().verdict().is_of_nothing());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_of_nothing(&self) -> bool {
        self.looked_at == LookedAt::default()
    }

    pub(crate) fn json(&self) -> Value {
        let looked_at = self.looked_at;
        json!({
            "world": self.world,
            "at_unix_ms": self.at.unix_millis(),
            "is_final": self.is_final,
            "looked_at": {
                "requests": looked_at.requests,
                "creates": looked_at.creates,
                "reads": looked_at.reads,
                "webhooks": looked_at.webhooks,
                "releases": looked_at.releases,
            },
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
            "remarks": self.remarks.iter().map(Finding::json).collect::<Vec<_>>(),
            "counts": self.counts,
        })
    }

    /// The verdict in JSON of [`json`](Self::json).
    fn of_json(json: &Value) -> Option<Self> {
        let number = |name: &str| json.get("looked_at")?.get(name)?.as_u64();
        let list =
            |name: &str| json.get(name)?.as_array()?.iter().map(Finding::of_json).collect::<Option<_>>();
        let counts = json.get("counts")?.as_object()?.iter();
        Some(Self {
            world: json.get("world")?.as_str()?.to_owned(),
            at: moment_of(json)?,
            is_final: json.get("is_final")?.as_bool()?,
            looked_at: LookedAt {
                requests: number("requests")?,
                creates: number("creates")?,
                reads: number("reads")?,
                webhooks: number("webhooks")?,
                releases: number("releases")?,
            },
            findings: list("findings")?,
            remarks: list("remarks")?,
            counts: counts
                .map(|(code, count)| Some((code.clone(), count.as_u64()?)))
                .collect::<Option<_>>()?,
        })
    }

    /// The number of findings or remarks that are not listed.
    fn unlisted(&self, listed: &[Finding]) -> u64 {
        let mut codes: Vec<&str> = listed.iter().map(|finding| &*finding.code).collect();
        let shown = u64::try_from(codes.len()).unwrap_or(u64::MAX);
        codes.dedup();
        let all: u64 = codes.iter().filter_map(|code| self.counts.get(*code)).sum();
        all.saturating_sub(shown)
    }
}

impl fmt::Display for Verdict {
    /// The verdict for a person, in lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LookedAt { requests, creates, reads, webhooks, releases } = self.looked_at;
        let listed = |list: &[Finding]| u64::try_from(list.len()).unwrap_or(u64::MAX) + self.unlisted(list);
        let findings = count(listed(&self.findings), "finding");
        let remarks = count(listed(&self.remarks), "remark");
        writeln!(f, "verdict on the client of the world {}: {findings}, {remarks}", self.world)?;
        let (requests, creates, reads) =
            (count(requests, "request"), count(creates, "create"), count(reads, "read"));
        let (webhooks, releases) = (count(webhooks, "webhook"), count(releases, "release"));
        write!(f, "looked at {requests} ({creates}, {reads}), {webhooks}, {releases}")?;
        for (kind, listed) in [("finding", &self.findings), ("remark", &self.remarks)] {
            for finding in listed {
                write!(f, "\n{kind} {}: {}", finding.code, finding.sentence)?;
                if let Some(order) = &finding.order {
                    write!(f, " Order {order:?}.")?;
                }
                if let Some(checkout) = &finding.checkout {
                    write!(f, " Checkout {checkout}.")?;
                }
            }
            let unlisted = self.unlisted(listed);
            if unlisted > 0 {
                write!(f, "\nand {unlisted} more")?;
            }
        }
        Ok(())
    }
}

impl Finding {
    pub(crate) fn json(&self) -> Value {
        let event = |event: &Event| {
            let (kind, number) = (event.kind.name(), event.number);
            json!({ "kind": kind, "number": number, "at_unix_ms": event.at.unix_millis() })
        };
        json!({
            "code": self.code,
            "sentence": self.sentence,
            "provider": self.provider,
            "order": self.order,
            "checkout": self.checkout,
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
        })
    }

    fn of_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let event = |json: &Value| {
            let name = json.get("kind")?.as_str()?;
            let kind = EventKind::ALL.into_iter().find(|kind| kind.name() == name)?;
            Some(Event { kind, number: json.get("number").and_then(Value::as_u64), at: moment_of(json)? })
        };
        Some(Self {
            code: text("code")?,
            sentence: text("sentence")?,
            provider: text("provider")?,
            order: text("order"),
            checkout: text("checkout"),
            events: json.get("events")?.as_array()?.iter().map(event).collect::<Option<_>>()?,
        })
    }
}

fn moment_of(json: &Value) -> Option<Moment> {
    json.get("at_unix_ms")?.as_i64().map(Moment::from_unix_millis)
}

/// A number of things in words.
fn count(number: u64, thing: &str) -> String {
    match number {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}
