//! The webhooks of a world, for a test in Rust.

use checkout_tables::Moment;

use super::World;
use crate::courier::{self, Until};
use crate::webhooks::content::Provider;
use crate::webhooks::endpoint::Endpoint;
use crate::webhooks::log::{Filter, Message};

/// A webhook of a world, with every attempt to deliver the webhook.
///
/// `Debug` prints no body and no URL: a URL can hold a token of the shop's.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// assert!(server.default_world().webhooks().is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The number of the webhook in the world, from 1.
    pub number: u64,
    /// `allscale` or `peach`.
    pub provider: &'static str,
    /// Peach's result code, or `confirmed` of AllScale.
    pub event: String,
    /// The provider's id of the checkout.
    pub checkout: String,
    /// The shop's name of the order.
    pub order: Option<String>,
    /// The attempts of all receivers, each receiver's in the order of time.
    pub attempts: Vec<Attempt>,
}

/// An attempt to deliver a webhook.
///
/// ```
/// # use checkout_sandbox_server::Attempt;
/// fn is_taken(attempt: &Attempt) -> bool {
///     attempt.status == Some(200)
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The receiver.
    pub url: String,
    /// The world's time.
    pub at: Moment,
    /// The status of the receiver's answer. `None` if no answer came.
    pub status: Option<u16>,
    /// The reason why no answer came.
    pub error: Option<String>,
}

/// The URL is no receiver of the provider's webhooks.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// let refused = server.default_world().add_endpoint("peach", "http://shop.example/hooks");
/// assert!(refused.unwrap_err().to_string().contains("--allow-target"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The provider is neither `allscale` nor `peach`. Azotte sends no webhooks.
    #[error("provider: has to be allscale or peach: Azotte sends no webhooks")]
    Provider,
    /// The server sends nothing to the URL.
    #[error("url: {0}")]
    Url(String),
}

impl World {
    /// Adds a receiver of all webhooks of a provider, `allscale` or `peach`, and returns the receiver's
    /// number. Peach's probe of the URL comes by the admin route alone.
    ///
    /// # Errors
    /// [`EndpointError`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let number = server.default_world().add_endpoint("allscale", "http://127.0.0.1:3000/hooks")?;
    /// assert_eq!(number, 1);
    /// # Ok(()) }
    /// ```
    pub fn add_endpoint(&self, provider: &str, url: &str) -> Result<u64, EndpointError> {
        let provider = Provider::by_name(provider).ok_or(EndpointError::Provider)?;
        self.hooks.targets().of(url).map_err(EndpointError::Url)?;
        let (url, events) = (url.to_owned(), Vec::new());
        let endpoint = Endpoint { number: 0, provider, url, events, enabled: true, secret: None };
        Ok(self.change_endpoints(|endpoints| endpoints.add(endpoint)).number)
    }

    /// The webhooks of the world that are due by now, in the order of the world's time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// let of_order = |order| server.default_world().webhooks().into_iter().find(|of| of.order == order);
    /// assert!(of_order(Some("order-1".to_owned())).is_none());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        courier::look(self);
        self.played.mail.log().messages(&Filter::default()).map(Webhook::of).collect()
    }

    /// Moves the world's time forward, from one thing that happens to the next, and waits for the deliveries
    /// of that time. Works in a frozen world too, in which [`advance`](Self::advance) sends nothing.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = checkout_sandbox_server::Server::builder().bind().await?;
    /// server.default_world().step(Duration::from_secs(60)).await;
    /// # Ok(()) }
    /// ```
    pub async fn step(&self, by: std::time::Duration) {
        courier::advance(self, Until::Moment(self.now().saturating_add(by))).await;
    }

    /// Waits until a receiver has answered 200 to a webhook of the order, and returns the webhook. The wait
    /// has no end of its own.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn wait(world: &checkout_sandbox_server::World) -> Result<(), Box<dyn std::error::Error>> {
    /// let delivered = world.webhook_delivered("order-1");
    /// let webhook = tokio::time::timeout(Duration::from_secs(5), delivered).await?;
    /// assert_eq!(webhook.attempts.last().and_then(|attempt| attempt.status), Some(200));
    /// # Ok(()) }
    /// ```
    pub async fn webhook_delivered(&self, order: &str) -> Webhook {
        let filter = Filter { order: Some(order.to_owned()), checkout: None };
        let mut changed = self.hooks.changed.subscribe();
        loop {
            changed.mark_unchanged();
            courier::look(self);
            let found = {
                let log = self.played.mail.log();
                log.messages(&filter).find(|message| message.is_delivered()).map(Webhook::of)
            };
            if let Some(webhook) = found {
                return webhook;
            }
            // The sender is the world's, and the world is here.
            let _ = changed.changed().await;
        }
    }
}

impl Webhook {
    fn of(message: &Message) -> Self {
        let attempts = message.attempts().map(|(attempt, _)| Attempt {
            url: attempt.url.clone(),
            at: attempt.at,
            status: attempt.outcome.as_ref().ok().map(|answer| answer.status),
            error: attempt.outcome.as_ref().err().cloned(),
        });
        Self {
            number: message.number,
            provider: message.content.provider().name(),
            event: message.content.event().to_owned(),
            checkout: message.content.checkout().to_owned(),
            order: message.order.clone(),
            attempts: attempts.collect(),
        }
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("number", &self.number)
            .field("provider", &self.provider)
            .field("event", &self.event)
            .field("checkout", &self.checkout)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("at", &self.at).field("status", &self.status).finish_non_exhaustive()
    }
}
