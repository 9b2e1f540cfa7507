//! The verdict of a server that runs elsewhere.

use std::time::Duration;

use checkout_transport::http::Uri;
use serde_json::Value;

use super::Verdict;
use crate::webhooks::post;
use crate::webhooks::target::Targets;

/// The reason why there is no verdict.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let asked = checkout_sandbox_server::ask_verdict("no URL", "default", false).await;
/// assert!(matches!(asked, Err(checkout_sandbox_server::AskError::Url(_))));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The URL of the server is not a whole `http` URL.
    #[error("--server: {0}")]
    Url(String),
    /// The server does not answer, or refuses.
    #[error("the server {0}")]
    Server(String),
}

/// Asks a running server for the verdict on the client of a world. `is_final` asks for the verdict of
/// [`World::verdict_at_end`](crate::World::verdict_at_end).
///
/// # Errors
/// [`AskError`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// let root = format!("http://{}", server.addr());
/// let verdict = checkout_sandbox_server::ask_verdict(&root, "default", true).await?;
/// assert!(verdict.findings.is_empty());
/// # Ok(()) }
/// ```
pub async fn ask_verdict(server: &str, world: &str, is_final: bool) -> Result<Verdict, AskError> {
    let world: String = form_urlencoded::byte_serialize(world.as_bytes()).collect();
    let end = if is_final { "?end=true" } else { "" };
    let url = format!("{}/_/worlds/{world}/verdict{end}", server.trim_end_matches('/'));
    // The one who asks names the host.
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let target = Targets::new(host.into_iter().collect()).of(&url).map_err(AskError::Url)?;
    let (status, body) = post::get(&target, PATIENCE).await.map_err(AskError::Server)?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == 200
        && let Some(verdict) = Verdict::of_json(&answer)
    {
        return Ok(verdict);
    }
    let message = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or("is none of ours");
    Err(AskError::Server(format!("answers {status}: {message}")))
}

/// The time for the answer.
const PATIENCE: Duration = Duration::from_secs(30);
