//! AllScale Checkout, API v1, played in process.
//!
//! A [`Sandbox`] takes signed requests for the six routes and answers as AllScale's pages say. A checkout
//! intent goes through a [`Scenario`] as the test advances the sandbox's clock, or as the test acts for the
//! payer ([`Sandbox::act`]); a [`Fault`] makes one request go wrong. A test takes the messages that AllScale
//! would send from the sandbox: [`Sandbox::webhooks`].
//!
//! | request | answer |
//! |---|---|
//! | a path that is not the API's, as create's without its trailing slash | 404, a page of HTML |
//! | a method that the path does not have | 405, plain text |
//! | an authentication header is missing or blank | 20001 |
//! | an unknown API key; a malformed or stale time; a wrong signature; a spent nonce | 20002 |
//! | too many requests, if a limit is set | 40001 |
//! | create: the store's address is not allowed | 30001 |
//! | create: a field is not what the page says | 10001 |
//! | create: 0.1 coin or less | 50002 |
//! | get, status: an id that is not an intent's | 10001 |
//! | get, status: nobody's intent | 50001 |
//! | get, status: another store's intent | 30001 |
//!
//! The sandbox checks the rows in this order, and gives the answer of the first row that applies.
//!
//! # Assumed
//! No page tells the following, and the sandbox plays:
//! - the HTTP status of a refusal: 10001, 50002 → 400; 20001, 20002 → 401; 30001 → 403; 40001 → 429;
//!   50001 → 404; 90000 and up → 500;
//! - the code of a stale time, a spent nonce, an unknown key, a doubled header, a time with a sign or leading
//!   zeros: 20002; the message tells the cause;
//! - a request whose key, time and signature are right spends its nonce, whatever the answer is, and for
//!   good;
//! - a reserved `stable_coin`, an id that is not 24 hexadecimal digits, a body of the test route that is not
//!   JSON: 10001; hexadecimal digits may be upper case;
//! - unknown fields of a create are ignored, and so is its `Content-Type`; texts have no limit of length;
//! - `accepted_stable_coins` may hold a coin twice, a coin that is not supported, and may stand beside
//!   `stable_coin`; but a fiat order whose first coin is not supported has no coin to settle in: 10001;
//! - create's reply to a request without `accepted_stable_coins` has the bit of the settlement coin;
//! - amounts are rounded down to four decimals, then compared with the floor; a negative amount is below the
//!   floor;
//! - the payment shows in get from the first of the statuses 4, 5, 10 and 20, and fee and net income from 20
//!   on; the fee is half a per cent;
//! - a webhook is sent at the first confirmation of an intent, late payments among them, and at no other
//!   status: an underpaid, refused or failed payment has none, and an intent has one confirmed transaction;
//!   the guide says that webhooks are sent on confirmation (Public);
//! - the ids of a webhook and of a transaction are opaque; every field of the guide's table is in the body,
//!   null where there is no value; the amount in coins is the price; `extra_obj` is the request's `extra` in
//!   another spelling of the same JSON;
//! - a delivery's timestamp is the moment of the delivery, and a nonce is a UUID; a receiver that answers is
//!   not listened to: the test decides if there is another delivery;
//! - the consequences of an [`Act`], and the statuses at which an act is possible;
//! - a rate limit counts in whole minutes of the clock, and its refusal has a `Retry-After`;
//! - the details of an error, the words of messages other than the floor's, durations, addresses, the chain.
//!
//! Sources: *Create Checkout Intent*, v4, 2026-05-06; *Get Checkout Intent*, v3, 2026-03-06; *Get Status*,
//! v3, 2026-05-14; *Auth*, v1, 2026-01; *Test Routes*; *Webhook Signing & Payload Guide*, v5, 2026-04-30. No
//! page prints a reply of get or the body of a webhook: the sandbox builds both from the tables of fields.

mod act;
mod answer;
mod builder;
mod course;
mod create;
mod door;
mod fault;
mod intent;
mod nonces;
mod refusal;
mod route;
mod sandbox;
mod scenario;
mod server;
mod state;
mod store;
mod webhook;

pub use act::{Act, ActError, Kyt};
pub use builder::Builder;
pub use fault::Fault;
pub use intent::IntentRecord;
pub use sandbox::Sandbox;
pub use scenario::Scenario;
pub use store::Store;
pub use webhook::{Webhook, WebhookUrlError};

/// A request that the sandbox has seen, with AllScale's integer codes.
///
/// ```
/// use checkout_sandbox::allscale::{RecordedRequest, Sandbox};
///
/// let requests: Vec<RecordedRequest> = Sandbox::new(1).requests();
/// assert!(requests.is_empty());
/// ```
pub type RecordedRequest = crate::RecordedRequest<i64>;

/// The API key of the store of a sandbox that was given no store.
///
/// ```
/// assert!(checkout_sandbox::allscale::API_KEY.starts_with("st_"));
/// ```
pub const API_KEY: &str = "st_sandbox_key";

/// The API secret of the store of a sandbox that was given no store. The secret guards nothing.
///
/// ```
/// assert!(checkout_sandbox::allscale::API_SECRET.starts_with("st_"));
/// ```
pub const API_SECRET: &str = "st_sandbox_secret";

/// The URL of the webhooks of the store of a sandbox that was given no store.
///
/// ```
/// assert!(checkout_sandbox::allscale::WEBHOOK_URL.starts_with("https://"));
/// ```
pub const WEBHOOK_URL: &str = "https://shop.example/hooks/allscale";

#[cfg(test)]
mod tests;

/// A request and its answer, with everything that the sandbox knows about the two.
///
/// ```
/// use checkout_sandbox::allscale::{Exchange, Sandbox};
/// use checkout_transport::{Request, bytes::Bytes};
///
/// let exchange: Exchange = Sandbox::new(1).exchange(Request::new(Bytes::new()), None);
/// assert_eq!(exchange.route, None);
/// ```
pub type Exchange = crate::Exchange<checkout_tables::allscale::Route, Fault>;
