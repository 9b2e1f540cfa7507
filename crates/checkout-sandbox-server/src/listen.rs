//! The listener: reads the webhooks of a running server, and posts them to a receiver that the server cannot
//! reach.

use std::convert::Infallible;
use std::time::Duration;

use checkout_transport::http::Uri;
use serde_json::Value;

use crate::webhooks::post::{self, Letter};
use crate::webhooks::target::{Target, Targets};

/// The reason why a listener ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The URL of the server or of the receiver is not a whole `http` URL.
    #[error("{what}: {reason}")]
    Url {
        /// The name of the URL.
        what: &'static str,
        /// The fault of the URL.
        reason: String,
    },
    /// The server does not answer, or refuses.
    #[error("the server {0}")]
    Server(String),
}

/// Posts the webhooks of a world to `forward_to`, from now on, and calls `told` with a line at the beginning
/// and for each webhook.
///
/// `server` is the address of a running server. Each webhook is signed for the URL `forward_to`, is sent as
/// soon as the webhook is due, and is sent once.
///
/// # Errors
/// [`ListenError`], when the listener cannot go on.
pub async fn listen(
    server: &str,
    world: &str,
    forward_to: &str,
    mut told: impl FnMut(String),
) -> Result<Infallible, ListenError> {
    let receiver = target(forward_to).map_err(|reason| ListenError::Url { what: "--forward-to", reason })?;
    let events = format!("{}/_/worlds/{world}/events", server.trim_end_matches('/'));
    let letters_to: String = form_urlencoded::byte_serialize(forward_to.as_bytes()).collect();
    let begin = read(&format!("{events}?after=0")).await?;
    let mut last = last_of(&begin);
    told(format!("listening to the world {world}"));
    loop {
        let page = read(&format!("{events}?after={last}&timeout=60s&letters_to={letters_to}")).await?;
        last = last_of(&page);
        for event in page.get("events").and_then(Value::as_array).into_iter().flatten() {
            let Some(letter) = event.get("letter").and_then(letter_of) else { continue };
            let outcome = match post::post(&receiver, &letter).await {
                Ok(answer) => answer.status.to_string(),
                Err(error) => error,
            };
            let name = event.pointer("/detail/event").and_then(Value::as_str).unwrap_or_default();
            let number = event.get("webhook").and_then(Value::as_u64).unwrap_or_default();
            told(format!("webhook {number} {name}: {outcome}"));
        }
    }
}

/// A page of events.
async fn read(url: &str) -> Result<Value, ListenError> {
    let target = target(url).map_err(|reason| ListenError::Url { what: "--server", reason })?;
    let (status, body) = post::get(&target, PATIENCE).await.map_err(ListenError::Server)?;
    let page: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == 200 && page.get("last").is_some() {
        return Ok(page);
    }
    let message = page.pointer("/error/message").and_then(Value::as_str).unwrap_or("is none of ours");
    Err(ListenError::Server(format!("answers {status}: {message}")))
}

fn last_of(page: &Value) -> u64 {
    page.get("last").and_then(Value::as_u64).unwrap_or_default()
}

/// The letter in an event.
fn letter_of(json: &Value) -> Option<Letter> {
    let headers = json.get("headers")?.as_array()?.iter().map(|header| {
        let (name, value) = (header.get(0)?.as_str()?, header.get(1)?.as_str()?);
        let name = HEADERS.into_iter().find(|known| *known == name)?;
        Some((name, value.to_owned()))
    });
    let body = json.get("body")?.as_str()?.to_owned().into();
    Some(Letter { headers: headers.collect::<Option<_>>()?, body })
}

/// The target with this URL. The one who starts the listener names the hosts.
fn target(url: &str) -> Result<Target, String> {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    Targets::new(host.into_iter().collect()).of(url)
}

/// The headers of webhooks.
const HEADERS: [&str; 6] = [
    "x-api-key",
    "x-webhook-id",
    "x-webhook-timestamp",
    "x-webhook-nonce",
    "x-webhook-signature",
    "content-type",
];

/// The time for an answer of the server, which waits for 60 seconds itself.
const PATIENCE: Duration = Duration::from_secs(90);
