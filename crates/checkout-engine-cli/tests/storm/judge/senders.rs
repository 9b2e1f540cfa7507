//! The senders of the requests that findings are made of: the sandbox's log of requests has the marks.

use super::super::Outcome;
use super::super::log::{MARK, Mark};
use super::super::worker::transport;
use super::seen::Sent;
use checkout_reqwest::Reqwest;
use checkout_sandbox_server::{EventKind, Finding, World};
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::{Transport as _, http};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The findings for which the sender makes a difference.
const OF_SENDERS: [&str; 2] = ["over-limit", "retry-after-ignored"];

/// The requests of all findings that were looked at, by the world and the numbers of the events.
pub(super) struct Senders {
    transport: Reqwest,
    root: String,
    known: BTreeMap<(String, Vec<u64>), Vec<Sent>>,
}

impl Senders {
    pub(super) fn of(root: &str) -> Outcome<Self> {
        let transport = transport(Duration::from_secs(30))?;
        Ok(Self { transport, root: root.trim_end_matches('/').to_owned(), known: BTreeMap::new() })
    }

    /// The requests of a finding. Without the senders as long as nobody has looked.
    pub(super) fn requests(&self, world: &str, finding: &Finding) -> Vec<Sent> {
        let unknown = || finding.events.iter().map(|event| Sent { at: event.at, by: None }).collect();
        self.known.get(&key(world, finding)).cloned().unwrap_or_else(unknown)
    }

    /// Asks the sandbox for the requests of new findings.
    pub(super) async fn look(&mut self, worlds: &[Arc<World>]) -> Outcome {
        for world in worlds {
            for finding in world.verdict_at_end().findings {
                let key = key(world.name(), &finding);
                if !OF_SENDERS.contains(&finding.code.as_str()) || self.known.contains_key(&key) {
                    continue;
                }
                let mut requests = Vec::new();
                for number in self.numbers(world.name(), &finding).await? {
                    let found = self.ask(world.name(), &format!("/{number}")).await?;
                    requests.extend(sent(&found));
                }
                self.known.insert(key, requests);
            }
        }
        Ok(())
    }

    /// The numbers of a finding's requests. A limit of Peach's is exceeded by the reads that were let in
    /// between too.
    async fn numbers(&self, world: &str, finding: &Finding) -> Outcome<Vec<u64>> {
        let numbers = key(world, finding).1;
        let ([first, last], "peach", "over-limit") =
            (&*numbers, finding.provider.as_str(), finding.code.as_str())
        else {
            return Ok(numbers);
        };
        let query = format!("?provider=peach&limit=1000&after={}", first.saturating_sub(1));
        let listed = self.ask(world, &query).await?;
        let listed = listed.get("requests").and_then(Value::as_array).into_iter().flatten();
        let is_part = |request: &&Value| {
            let is_event = number(request).is_some_and(|number| numbers.contains(&number));
            let route = request.get("route").and_then(Value::as_str);
            let is_read = route.is_some_and(|route| ["status", "checkout_status"].contains(&route));
            let is_let_in = request.get("status").and_then(Value::as_u64) != Some(429);
            is_event || (is_read && is_let_in)
        };
        Ok(listed.filter(is_part).filter_map(number).filter(|number| number <= last).collect())
    }

    async fn ask(&self, world: &str, what: &str) -> Outcome<Value> {
        let uri = format!("{}/_/worlds/{world}/requests{what}", self.root);
        let answer = self.transport.send(http::Request::get(uri).body(Bytes::new())?).await?;
        Ok(serde_json::from_slice(answer.body())?)
    }
}

/// The world, and the numbers of the requests among the events.
fn key(world: &str, finding: &Finding) -> (String, Vec<u64>) {
    let requests = finding.events.iter().filter(|event| event.kind == EventKind::Request);
    (world.to_owned(), requests.filter_map(|event| event.number).collect())
}

fn number(request: &Value) -> Option<u64> {
    request.get("number")?.as_u64()
}

/// A request of the log; none if the log has forgotten the request.
fn sent(whole: &Value) -> Option<Sent> {
    let at = Moment::from_unix_millis(whole.get("at_unix_ms")?.as_i64()?);
    let mut headers = whole.pointer("/request/headers")?.as_array()?.iter();
    let by = headers.find_map(|header| {
        (header.get(0)?.as_str()? == MARK).then(|| Mark::of_text(header.get(1)?.as_str()?))
    });
    Some(Sent { at, by: by.flatten() })
}
