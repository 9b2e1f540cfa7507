//! The sandboxes' webhooks, through the receivers that verify webhooks.

use super::{Moment, Outcome, allscale, peach};
use checkout_auth::KeyRing;
use checkout_auth::allscale::webhook::WebhookRequest;
use checkout_engine::{DEFAULT_MERCHANT, Engine, Nudged, Store, StoreError};
use checkout_tables::Environment;
use checkout_transport::Transport;
use checkout_trust::Verified;

/// A webhook on its way.
#[derive(Clone)]
pub(crate) enum Hook {
    AllScale(allscale::Webhook),
    Peach(peach::Webhook, &'static str),
}

/// A verified event, with the merchant that receives the event.
#[derive(Clone)]
pub(crate) enum Event {
    AllScale(Verified<checkout_trust::allscale::Event>),
    Peach(Verified<checkout_trust::peach::Event>, &'static str),
}

impl Hook {
    /// The delivery with this number, as the receiver verifies the delivery.
    pub(crate) fn verified(&self, now: Moment, delivery: u32) -> Outcome<Event> {
        match self {
            Self::AllScale(webhook) => {
                let headers = webhook.signed_at(now, delivery);
                Ok(Event::AllScale(allscale_event(&headers, &webhook.body, now)?))
            }
            Self::Peach(webhook, merchant) => {
                let event = peach_event(&webhook.body, now)?;
                Ok(Event::Peach(event, merchant))
            }
        }
    }
}

impl Event {
    pub(crate) async fn receive<S: Store + 'static, T: Transport + 'static>(
        &self,
        engine: &Engine<S, T>,
    ) -> Result<Nudged, StoreError> {
        match self {
            Self::AllScale(event) => engine.receive(DEFAULT_MERCHANT, event).await,
            Self::Peach(event, merchant) => engine.receive(merchant, event).await,
        }
    }

    pub(crate) fn reference(&self) -> Option<&str> {
        match self {
            Self::AllScale(event) => event.content().order_id(),
            Self::Peach(event, _) => event.content().payment().merchant_transaction_id(),
        }
    }

    pub(crate) fn keys(&self) -> &[checkout_trust::replay::Key] {
        match self {
            Self::AllScale(event) => event.identity().keys(),
            Self::Peach(event, _) => event.identity().keys(),
        }
    }
}

pub(crate) fn allscale_event(
    headers: &[(&'static str, String); 5],
    body: &[u8],
    now: Moment,
) -> Outcome<Verified<checkout_trust::allscale::Event>> {
    let key = checkout_auth::allscale::SigningKey::new(allscale::API_KEY, allscale::API_SECRET.into())?;
    let receiver = checkout_trust::allscale::Receiver::new("shop", KeyRing::new("1", key));
    let request = WebhookRequest { method: "POST", path: "/hooks/allscale", query: "", headers, body };
    Ok(receiver.receive(&request, now)?)
}

pub(crate) fn peach_event(body: &[u8], now: Moment) -> Outcome<Verified<checkout_trust::peach::Event>> {
    let token = checkout_auth::peach::SecretToken::new(peach::SECRET_TOKEN.into())?;
    let ring = KeyRing::new("1", token);
    let receiver = checkout_trust::peach::Receiver::new(peach::ENTITY_ID, ring, Environment::Sandbox);
    let message = receiver.webhook(Some("application/x-www-form-urlencoded"), body, now)?;
    Ok(message.event().ok_or("no event")?)
}
