//! The receiver of webhooks in each process. All processes listen on one port, so a webhook comes to any of
//! them, also to one that is about to be killed.

use super::Outcome;
use super::weather::{Keys, Weather};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use checkout_auth::KeyRing;
use checkout_engine::{Engine, Nudged, Store, StoreError};
use checkout_tables::Environment;
use checkout_transport::Transport;
use checkout_trust::{allscale, peach};
use std::sync::Arc;
use tokio::net::TcpSocket;

/// The receivers of one merchant.
struct Receivers {
    number: usize,
    allscale: allscale::Receiver,
    peach: peach::Receiver,
}

impl Receivers {
    fn of(number: usize, keys: &Keys) -> Outcome<Self> {
        let key = checkout_auth::allscale::SigningKey::new(
            keys.allscale_api_key.clone(),
            keys.allscale_api_secret.as_str().into(),
        )?;
        let token = checkout_auth::peach::SecretToken::new(keys.peach_secret_token.as_str().into())?;
        let (allscale, peach) = (KeyRing::new("1", key), KeyRing::new("1", token));
        Ok(Self {
            number,
            allscale: allscale::Receiver::new(format!("m-{number}"), allscale),
            peach: peach::Receiver::new(keys.peach_entity_id.clone(), peach, Environment::Sandbox),
        })
    }
}

/// A place on the port, which belongs to the processes of the storm from now on.
pub(crate) fn place(port: u16) -> Outcome<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    Ok(socket)
}

/// Receives for ever.
pub(crate) async fn receive<S: Store + 'static, T: Transport + 'static>(
    weather: &Weather,
    engine: Engine<S, T>,
) -> Outcome {
    let listener = place(weather.port)?.listen(256)?;
    let receivers = weather.keys.iter().enumerate().map(|(number, keys)| Receivers::of(number, keys));
    let receivers = Arc::new(receivers.collect::<Outcome<Vec<_>>>()?);
    let weather = Arc::new(weather.clone());
    let router = Router::new().fallback(move |request: Request| {
        let (engine, receivers, weather) = (engine.clone(), Arc::clone(&receivers), Arc::clone(&weather));
        async move {
            match take(&weather, &engine, &receivers, request).await {
                Ok(()) => StatusCode::OK,
                Err(status) => status,
            }
        }
    });
    Ok(axum::serve(listener, router).await?)
}

/// Verifies, and hands to the engine. Anything but 200 comes again.
async fn take<S: Store + 'static, T: Transport + 'static>(
    weather: &Weather,
    engine: &Engine<S, T>,
    receivers: &[Receivers],
    request: Request,
) -> Result<(), StatusCode> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    let request = axum::http::Request::from_parts(head, body);
    let path = request.uri().path().to_owned();
    let (number, provider) = path.trim_start_matches('/').split_once('/').ok_or(StatusCode::NOT_FOUND)?;
    let number: usize = number.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let receivers = receivers.get(number).ok_or(StatusCode::NOT_FOUND)?;
    let refused = |error: &dyn std::fmt::Display| {
        weather.log.error("Webhook", &error.to_string());
        StatusCode::UNAUTHORIZED
    };
    let received = if provider == "allscale" {
        let event =
            receivers.allscale.receive_http(&request, weather.now()).map_err(|error| refused(&error))?;
        engine.receive(&format!("m-{number}"), &event).await
    } else {
        let message =
            receivers.peach.webhook_http(&request, weather.now()).map_err(|error| refused(&error))?;
        // The test of the address, and news of other things, name no payment.
        let Some(event) = message.event() else { return Ok(()) };
        engine.receive(&peach_merchant(receivers.number), &event).await
    };
    answered(weather, received)
}

fn answered(weather: &Weather, received: Result<Nudged, StoreError>) -> Result<(), StatusCode> {
    match received {
        Ok(Nudged::Unmatched) => {
            weather.log.error("Unmatched", "a webhook of no checkout");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => {
            weather.log.error(super::log::of_store(&error), &error.to_string());
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Every second merchant sells by Peach's V1, and the others by V2.
fn peach_merchant(number: usize) -> String {
    if number.is_multiple_of(2) { format!("m-{number}") } else { format!("v2-{number}") }
}
