//! The endpoints of a world: the receivers that somebody has set.

use serde_json::{Value, json};

use super::content::Provider;

/// A receiver of a provider's webhooks.
///
/// No `Debug`: an endpoint can have a secret.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) number: u64,
    pub(crate) provider: Provider,
    pub(crate) url: String,
    /// The events that the receiver gets. Empty for all.
    pub(crate) events: Vec<String>,
    pub(crate) enabled: bool,
    /// The secret that signs the receiver's webhooks. `None` for the world's.
    pub(crate) secret: Option<String>,
}

impl Endpoint {
    /// True if the endpoint gets the event of the provider.
    pub(crate) fn takes(&self, provider: Provider, event: &str) -> bool {
        let is_wanted = self.events.is_empty() || self.events.iter().any(|wanted| wanted == event);
        self.enabled && self.provider == provider && is_wanted
    }

    fn from_json(json: &Value) -> Option<Self> {
        let events = json.get("events")?.as_array()?.iter();
        Some(Self {
            number: json.get("endpoint")?.as_u64()?,
            provider: Provider::by_name(json.get("provider")?.as_str()?)?,
            url: json.get("url")?.as_str()?.to_owned(),
            events: events.map(|event| event.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            enabled: json.get("enabled")?.as_bool()?,
            secret: json.get("secret")?.as_str().map(str::to_owned),
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "endpoint": self.number,
            "provider": self.provider.name(),
            "url": self.url,
            "events": self.events,
            "enabled": self.enabled,
            "has_secret": self.secret.is_some(),
        })
    }
}

/// The endpoints, in the order of their numbers.
#[derive(Clone, Default)]
pub(crate) struct Endpoints {
    all: Vec<Endpoint>,
    last: u64,
}

impl Endpoints {
    /// The endpoints as the server's file keeps the endpoints, with their secrets.
    pub(crate) fn to_json(&self) -> Value {
        let all = self.all.iter().map(|endpoint| {
            let mut json = endpoint.to_json();
            if let Some(json) = json.as_object_mut() {
                json.insert("secret".to_owned(), endpoint.secret.as_deref().into());
            }
            json
        });
        json!({ "all": all.collect::<Vec<_>>(), "last": self.last })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let all = json.get("all")?.as_array()?.iter().map(Endpoint::from_json).collect::<Option<_>>()?;
        Some(Self { all, last: json.get("last")?.as_u64()? })
    }

    pub(crate) fn all(&self) -> &[Endpoint] {
        &self.all
    }

    /// Adds an endpoint under a new number.
    pub(crate) fn add(&mut self, endpoint: Endpoint) -> Endpoint {
        self.last += 1;
        let endpoint = Endpoint { number: self.last, ..endpoint };
        self.all.push(endpoint.clone());
        endpoint
    }

    /// Replaces the endpoint with the same number. False if there is none.
    pub(crate) fn replace(&mut self, endpoint: Endpoint) -> bool {
        let found = self.all.iter_mut().find(|old| old.number == endpoint.number);
        found.map(|old| *old = endpoint).is_some()
    }

    /// Takes an endpoint away. False if there is none.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let before = self.all.len();
        self.all.retain(|endpoint| endpoint.number != number);
        self.all.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }
}
