//! AllScale, as the calls see it.

use super::Client;
use crate::authorize::Authorize;
use crate::base_url::is_page;
use crate::call::{JSON, sensitive};
use crate::not_sent::NotSent;
use crate::provider::sealed::{Answers, Ask, Backend, Exchange, RefusalCode, Stamp, Trouble};
use crate::provider::{Operation, Provider, Readable};
use checkout_auth::allscale::response::ReceivedResponse;
use checkout_auth::allscale::{RequestToSign, headers};
use checkout_money::CoinAmount;
use checkout_tables::allscale::{ErrorCode, IntentStatus, Route, StableCoin};
use checkout_tables::{Environment, Moment, Open};
use checkout_transport::http::{self, header};
use checkout_transport::{Request, Response};
use checkout_validate::PathSegment;
use checkout_validate::allscale::CoinSet;
use checkout_wire::allscale::{CreatedIntent, Echo, Intent, Payload, Pong, Refusal, Reply, read};
use checkout_wire::{Head, JsonText, ReadError, Verbatim};
use core::fmt;
use std::error::Error;

/// AllScale, as a [`Provider`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::AllScale;
/// use checkout_kit::client::Readable;
///
/// fn is_asked_of_allscale<T: Readable<Provider = AllScale>>() {}
/// is_asked_of_allscale::<checkout_kit::allscale::Intent<'static>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub enum AllScale {}

impl Provider for AllScale {}

impl Authorize for AllScale {
    type Payload = Pong<'static>;
}

impl Backend for AllScale {
    type Client = Client;
    type Route = Route;
    type Asked = Asked;
    type Refusal = Refusal<'static>;
    type Difference = Difference;

    fn environment(client: &Client) -> Environment {
        client.0.environment
    }

    fn now(client: &Client) -> Moment {
        client.0.clock.now()
    }

    fn nonce(client: &Client) -> String {
        client.0.nonces.nonce()
    }

    fn request(client: &Client, ask: &Ask<'_, Self>, stamp: &Stamp<'_>) -> Result<Request, NotSent> {
        let (method, path, nonce) = (ask.route.method(), ask.path, stamp.nonce);
        let (key, body) = (&client.0.key, ask.body);
        let timestamp = u64::try_from(stamp.now.unix_seconds())
            .map_err(|_| NotSent::Signature("the clock stands before 1970".into()))?;
        let signature = key
            .sign(&RequestToSign { method, path, query: "", timestamp, nonce, body })
            .map_err(|error| NotSent::Signature(error.into()))?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", client.0.base_url))
            .header(header::ACCEPT, JSON)
            .header(headers::API_KEY, sensitive(key.api_key()).ok_or(NotSent::Request)?)
            .header(headers::TIMESTAMP, timestamp)
            .header(headers::NONCE, nonce)
            .header(headers::SIGNATURE, sensitive(signature.as_str()).ok_or(NotSent::Request)?);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        request.body(body.clone()).map_err(|_| NotSent::Request)
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
        verifier.verify_response(&received, client.0.clock.now().unix_seconds()).map(drop).map_err(Into::into)
    }

    fn code<'r>(refusal: &'r Refusal<'static>) -> Option<RefusalCode<'r>> {
        Some(RefusalCode::Integer(refusal.code.value()))
    }

    fn proves_not_processed(route: Route, refusal: &Refusal<'static>) -> bool {
        refusal.code.known().is_some_and(|code| code.routes().contains(&route))
    }

    /// True for 50001.
    fn is_not_there(refusal: &Refusal<'static>) -> bool {
        refusal.code == Open::Known(ErrorCode::IntentNotFound)
    }

    /// True for a refused signature. No page says with which code AllScale refuses a timestamp; a clock can
    /// be the cause of a signature that is refused.
    fn can_be_the_clock(refusal: &Refusal<'static>) -> bool {
        refusal.code == Open::Known(ErrorCode::InvalidSignature)
    }

    /// 20001, 20002 and 30001, whatever the HTTP status is.
    fn is_set_up(refusal: &Refusal<'static>, _: u16) -> bool {
        matches!(
            refusal.code.known(),
            Some(ErrorCode::MissingAuthentication | ErrorCode::InvalidSignature | ErrorCode::Forbidden)
        )
    }

    /// The kind of trouble by the code, which identifies a refusal. For a code without a name the HTTP status
    /// counts (Assumed: no page documents it).
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
            lookup_key: route.lookup_key(),
        }
    }
}

/// The facts that an answer must agree with.
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

    /// An intent without an id cannot be read, and an intent without a page cannot be paid. With any other
    /// difference the intent exists and can be paid: see [`differences`](Self::differences).
    fn answers(&self, _: &Client, _: &Asked) -> Result<(), &'static str> {
        if PathSegment::new(&self.intent_id).is_err() {
            return Err("allscale_checkout_intent_id");
        }
        if !is_page(self.checkout_url.as_str()) {
            return Err("checkout_url");
        }
        Ok(())
    }

    fn differences(&self, asked: &Asked) -> Vec<Difference> {
        let answered = self.stable_coin_type;
        let coin = asked.coin.filter(|asked| answered != Open::Known(*asked));
        let coin = coin.map(|asked| Difference::SettlementCoin { asked, answered });
        let answered = self.amount_coins;
        let owed = if answered.is_zero() || answered.is_negative() {
            Some(Difference::NothingOwed { answered })
        } else {
            let asked = asked.amount_coins.filter(|asked| answered != *asked);
            asked.map(|asked| Difference::Owed { asked, answered })
        };
        let answered = self.accepted_stable_coins.as_ref().and_then(Verbatim::known);
        let accepted = asked.accepted.zip(answered).filter(|(asked, answered)| asked != answered);
        let accepted = accepted.map(|(asked, answered)| Difference::AcceptedCoins { asked, answered });
        [owed, coin, accepted].into_iter().flatten().collect()
    }
}

/// A difference between a created intent and its draft: see
/// [`Answer::differences`](crate::Answer::differences).
///
/// The intent exists and can be paid all the same. Assumed: no page says that an answer can differ from its
/// request. Another coin or another amount does not settle an order whose own price
/// [`settled_by`](checkout_trust::settlement::allscale::Order::settled_by) compares.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::Difference;
///
/// /// True if the payer can be sent to the page: it is the price that was asked for, whatever coins it can be paid in.
/// fn is_the_price(differences: &[Difference]) -> bool {
///     differences.iter().all(|difference| matches!(difference, Difference::AcceptedCoins { .. }))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// `amount_coins` is not the price of an order that is priced in a coin, although such a price is not
    /// converted (Stated: CC-12, CC-13).
    Owed {
        /// The price.
        asked: CoinAmount,
        /// The coins that the intent owes.
        answered: CoinAmount,
    },
    /// `amount_coins` is zero or less: there is nothing to pay, and the intent settles no order. The
    /// difference is not an error, so that the intent's id is not lost: somebody can pay an amount of their
    /// own.
    NothingOwed {
        /// The coins that the intent owes.
        answered: CoinAmount,
    },
    /// `stable_coin_type` is not the coin of the price, or the first of the accepted coins.
    SettlementCoin {
        /// The coin that was asked for.
        asked: StableCoin,
        /// The coin that the intent settles in.
        answered: Open<StableCoin>,
    },
    /// `accepted_stable_coins` is not the set of the requested coins. An answer without that field, or with a
    /// value that is not a bitmask, is not compared.
    AcceptedCoins {
        /// The coins that the draft accepts.
        asked: CoinSet,
        /// The coins that the payer may pay in.
        answered: CoinSet,
    },
}

impl Difference {
    /// The field of the answer.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// use checkout_kit::allscale::Difference;
    ///
    /// let nothing = Difference::NothingOwed { answered: "0.0000".parse()? };
    /// assert_eq!(nothing.field(), "amount_coins");
    /// assert_eq!(nothing.to_string(), "amount_coins: 0.0000, and there is nothing to pay");
    /// # Ok::<(), checkout_money::ParseAmountError>(())
    /// ```
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Owed { .. } | Self::NothingOwed { .. } => "amount_coins",
            Self::SettlementCoin { .. } => "stable_coin_type",
            Self::AcceptedCoins { .. } => "accepted_stable_coins",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field();
        match self {
            Self::Owed { asked, answered } => {
                write!(f, "{field}: {asked} was asked for, and the answer has {answered}")
            }
            Self::NothingOwed { answered } => write!(f, "{field}: {answered}, and there is nothing to pay"),
            Self::SettlementCoin { asked, answered } => match answered.known() {
                Some(answered) => write!(f, "{field}: {asked} was asked for, and the answer has {answered}"),
                None => write!(
                    f,
                    "{field}: {asked} was asked for, and the answer has the coin {}",
                    answered.value()
                ),
            },
            Self::AcceptedCoins { asked, answered } => {
                write!(f, "{field}: {} was asked for, and the answer has {}", Coins(*asked), Coins(*answered))
            }
        }
    }
}

/// The coins of a set, for printing.
struct Coins(CoinSet);

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || self.0.unknown_bits() != 0 {
            return write!(f, "the mask {}", self.0.bits());
        }
        for (at, coin) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{coin}")?;
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
