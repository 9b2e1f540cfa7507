//! AllScale, as the calls see it.

use super::Client;
use crate::base_url::is_https;
use crate::call::{JSON, sensitive};
use crate::provider::sealed::{Answers, Ask, Backend, Exchange, Moment, NoRequest, RefusalCode, Trouble};
use crate::{Operation, Provider, Readable};
use checkout_auth::allscale::response::ReceivedResponse;
use checkout_auth::allscale::{RequestToSign, headers};
use checkout_money::CoinAmount;
use checkout_tables::allscale::{ErrorCode, IntentStatus, Route, StableCoin};
use checkout_tables::{Environment, Open};
use checkout_transport::http::{self, header};
use checkout_transport::{Request, Response};
use checkout_validate::PathSegment;
use checkout_validate::allscale::CoinSet;
use checkout_wire::allscale::{CreatedIntent, Echo, Intent, Payload, Pong, Refusal, Reply, read};
use checkout_wire::{Head, JsonText, ReadError};
use std::error::Error;

/// AllScale, as a [`Provider`].
///
/// ```
/// use checkout_client::{Readable, allscale::AllScale};
///
/// fn is_asked_of_allscale<T: Readable<Provider = AllScale>>() {}
/// is_asked_of_allscale::<checkout_wire::allscale::Intent<'static>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub enum AllScale {}

impl Provider for AllScale {}

impl Backend for AllScale {
    type Client = Client;
    type Route = Route;
    type Asked = Asked;
    type Refusal = Refusal<'static>;
    type Ahead = Pong<'static>;

    fn environment(client: &Client) -> Environment {
        client.0.environment
    }

    fn now_millis(client: &Client) -> u64 {
        client.0.clock.now_millis()
    }

    fn nonce(client: &Client) -> String {
        client.0.nonces.nonce()
    }

    fn request(client: &Client, ask: &Ask<'_, Self>, attempt: &Moment<'_>) -> Result<Request, NoRequest> {
        let (method, path, nonce) = (ask.route.method(), ask.path, attempt.nonce);
        let (key, timestamp, body) = (&client.0.key, attempt.now_millis / 1_000, ask.body);
        let signature = key
            .sign(&RequestToSign { method, path, query: "", timestamp, nonce, body })
            .map_err(|error| NoRequest::Sign(error.into()))?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", client.0.base_url))
            .header(header::ACCEPT, JSON)
            .header(headers::API_KEY, sensitive(key.api_key()).ok_or(NoRequest::Http)?)
            .header(headers::TIMESTAMP, timestamp)
            .header(headers::NONCE, nonce)
            .header(headers::SIGNATURE, sensitive(signature.as_str()).ok_or(NoRequest::Http)?);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        request.body(body.clone()).map_err(|_| NoRequest::Http)
    }

    fn authentic(
        client: &Client,
        exchange: &Exchange<'_>,
        response: &Response,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(verifier) = &client.0.responses else { return Ok(()) };
        let headers = response.headers().iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let received = ReceivedResponse {
            request_path: exchange.path,
            request_nonce: exchange.nonce,
            request_body: exchange.body,
            status: response.status().as_u16(),
            headers: &headers,
            body: response.body(),
        };
        let now = i64::try_from(client.0.clock.now_millis() / 1_000).unwrap_or(i64::MAX);
        verifier.verify(&received, now).map(drop).map_err(Into::into)
    }

    fn code<'r>(refusal: &'r Refusal<'static>) -> Option<RefusalCode<'r>> {
        Some(RefusalCode::Integer(refusal.code.value()))
    }

    fn nothing_done(route: Route, refusal: &Refusal<'static>) -> bool {
        refusal.code.known().is_some_and(|code| code.routes().contains(&route))
    }

    /// No page says with which code a timestamp is refused; a signature that is refused may be a clock.
    fn can_be_the_clock(refusal: &Refusal<'static>) -> bool {
        refusal.code == Open::Known(ErrorCode::InvalidSignature)
    }

    /// By the code, which is what tells a refusal. A code that nobody has named yet is told by the HTTP status (Assumed: no
    /// page documents it).
    fn trouble(refusal: &Refusal<'static>, http_status: u16) -> Trouble {
        match refusal.code.known() {
            Some(ErrorCode::RateLimitExceeded) => Trouble::Limited,
            Some(ErrorCode::InternalServerError | ErrorCode::UnknownError) => Trouble::Temporary,
            Some(_) => Trouble::Refused,
            None => Trouble::of_http(http_status),
        }
    }
}

impl From<Route> for Operation {
    fn from(route: Route) -> Self {
        Self {
            method: route.method(),
            path: route.path(),
            repeat: route.repeat(),
            read_first: route.read_first(),
        }
    }
}

/// What an answer must agree with.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub(super) intent_id: Option<String>,
    pub(super) amount_coins: Option<CoinAmount>,
    pub(super) coin: Option<StableCoin>,
    pub(super) accepted: Option<CoinSet>,
}

impl Answers<AllScale> for CreatedIntent<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        owned::<CreatedIntent<'_>>(head, body)
    }

    fn answers(&self, _: &Client, asked: &Asked) -> Result<(), &'static str> {
        // Without these two it can neither be asked after nor be paid.
        if PathSegment::new(&self.intent_id).is_err() {
            return Err("allscale_checkout_intent_id");
        }
        if !is_https(&self.checkout_url) {
            return Err("checkout_url");
        }
        if asked.coin.is_some_and(|coin| self.stable_coin_type != Open::Known(coin)) {
            return Err("stable_coin_type");
        }
        if asked.amount_coins.is_some_and(|amount| self.amount_coins != amount) {
            return Err("amount_coins");
        }
        // Nothing would be paid for it.
        if self.amount_coins.is_zero() || self.amount_coins.is_negative() {
            return Err("amount_coins");
        }
        let others = |set: CoinSet| asked.accepted.is_some_and(|asked| set.bits() & !asked.bits() != 0);
        if self.accepted_stable_coins.is_some_and(others) {
            return Err("accepted_stable_coins");
        }
        Ok(())
    }
}

impl Answers<AllScale> for Intent<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        owned::<Intent<'_>>(head, body)
    }

    fn answers(&self, _: &Client, asked: &Asked) -> Result<(), &'static str> {
        match &asked.intent_id {
            Some(id) if *id != self.intent_id => Err("all_scale_checkout_intent_id"),
            _ => Ok(()),
        }
    }
}

macro_rules! bare {
    ($($payload:ty => $borrowed:ty),+) => {
        $(
            impl Answers<AllScale> for $payload {
                fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
                    owned::<$borrowed>(head, body)
                }

                fn answers(&self, _: &Client, _: &Asked) -> Result<(), &'static str> {
                    Ok(())
                }
            }
        )+
    };
}

bare!(
    Open<IntentStatus> => Open<IntentStatus>,
    Pong<'_> => Pong<'_>,
    Echo<'_> => Echo<'_>,
    JsonText<'_> => JsonText<'_>
);

macro_rules! readable {
    ($($payload:ty),+) => {
        $(
            impl Readable for $payload {
                type Provider = AllScale;
            }
        )+
    };
}

readable!(CreatedIntent<'_>, Intent<'_>, Open<IntentStatus>, Pong<'_>, Echo<'_>, JsonText<'_>);

fn owned<'a, T: Payload<'a>>(head: &Head<'a>, body: &'a [u8]) -> Result<Reply<'static, T::Owned>, ReadError> {
    read::<T>(head, body).map(|reply| reply.map_owned(Payload::into_owned))
}
