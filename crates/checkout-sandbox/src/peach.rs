//! Peach Payments Hosted Checkout, V1 and V2, played in process.
//!
//! A [`Sandbox`] takes the requests of both versions and answers as Peach's pages say. A checkout goes
//! through a [`Scenario`] as the test advances the sandbox's clock, or as the test acts for the payer
//! ([`Sandbox::open`], [`Sandbox::pay`], [`Sandbox::cancel`]); a [`Fault`] makes one request go wrong. A test
//! takes the messages that Peach would send from the sandbox: [`Sandbox::webhooks`],
//! [`Sandbox::shopper_return`], [`Sandbox::probe`].
//!
//! | request | answer |
//! |---|---|
//! | a path that is not the host's, a host that is not the environment's, `http` | 404, a page of HTML |
//! | a method that the path does not have | 405, plain text |
//! | create, V2's status: no `Bearer` token, an unknown or an expired token | 401 and a `message` |
//! | a `Content-Type` that is not taken; a body or query that cannot be read | 415, 400 and a `message` |
//! | initiate, validate, create: fields that are not what the page says | 400 and `validation_errors`, all |
//! | initiate, validate, status: an unknown entity | 400 and a `message` |
//! | initiate, validate, create: the `Referer` is missing or of no allowed domain | 400 and a `message` |
//! | create: another merchant's entity | 400 and a `message` |
//! | initiate, validate, status: a missing or wrong signature | 400 and a `message` |
//! | initiate, validate: a signature that made a checkout in 24 hours | 400, `Duplicate signature.` |
//! | both statuses: a third request of a merchant's within 60 seconds | 429 and `Retry-After` |
//! | status: nothing to look for | 400 and a `message` |
//! | status, V2's status: no such checkout | 400, 404 and 200.300.404 |
//! | token: wrong credentials | 401 and a `message` |
//!
//! The sandbox checks the rows in this order, and gives the answer of the first row that applies.
//!
//! # Assumed
//! No page tells the following, and the sandbox plays:
//! - the HTTP status and the words of every refusal but `validation_errors`, `Duplicate signature.` and
//!   200.300.404; fields are checked before the signature;
//! - initiate and validate take a form, as is seen in use, and flat or nested JSON as well; create and the
//!   token take JSON alone; null in JSON is a field left out; a number has its shortest text;
//! - an optional field that is empty is left out, and signed all the same; a key twice, a key that no page
//!   names and V2's `signature` are refused; groups (`customer.`, `billing.`, `shipping.`, `cart.`) hold any
//!   names;
//! - a `merchantTransactionId` has 1 to 48 characters, see [`Builder::transaction_ids_of_8_to_16`]; lengths
//!   count characters; `amount` comes back unchanged;
//! - `Referer` is an address of an allowed domain, or the bare domain, in any case;
//! - a signature is spent by the initiate that made a checkout, and by nothing else, for less than 24 hours;
//!   validate spends none, and answers 200 and `{}`;
//! - a status limit counts the requests of both versions that were let in with a right signature or token, in
//!   a window that slides, whether a checkout was found or not; the limit does not count the requests that
//!   the limit refused;
//! - V2's status knows V1's checkouts and the other way round; the reply of V2 is signed, and never wrapped;
//! - where a status asks for several of `checkoutId`, `merchantTransactionId` and `id`, all must fit; an
//!   empty key is left out; unknown keys are signed and ignored;
//! - an unopened checkout is answered with 200, 700.400.580 and all fields, with the time of the checkout's
//!   creation;
//! - `timestamp` is the time of the last change of the code, in milliseconds, in replies and in webhooks;
//!   every change has a webhook, also the changes of PA and of attempts;
//! - a card that `createRegistration` or `allowStoringDetails` stores has a `registrationId` from the first
//!   success; the payer who is asked says yes; `cardTokens` of anybody are taken, and change nothing;
//!   V1's `standingInstruction` is refused, since no page of V1 shows `standingInstruction`; an amount of 0
//!   is taken for PA with `createRegistration` alone;
//! - the payer's card shows from the first attempt, and `id` from the first success; the words of results,
//!   the merchant's name, and the choice of the fields that "and more" stands for;
//! - in the wrapped shape `timestamp` is the rest of half an hour since the opening, or since the creation of
//!   an unopened checkout, and 0 in the end; a code without a word is `pending`; an unopened checkout is
//!   `created`;
//! - an access token lasts 14,400 seconds, and a later token does not end an earlier token;
//! - webhooks go to `notificationUrl`, else to the merchant's URL; the timestamp of the header scheme is in
//!   whole seconds since 1970, and the key is the secret token; a cancelled payer comes back to `cancelUrl`;
//! - the probe of a webhook's URL has one member, `verificationCode`: eight hexadecimal digits;
//! - the time of everything but the half hours.
//!
//! Sources: *Payment status*; *Checkout V1 status*, *Checkout V2 status*, *Hosted Checkout V2*, *Hosted
//! Checkout authentication and authorisation*, 2026-05-25, *Checkout webhooks*, 2026-07-23, *Redirect
//! response*, *Response codes* and *Checkout FAQ* of Peach's developer pages.

mod answer;
mod builder;
mod checkout;
mod door;
mod fault;
mod form;
mod merchant;
mod order;
mod route;
mod sandbox;
mod scenario;
mod server;
mod signed;
mod state;
mod webhook;

pub use builder::Builder;
pub use checkout::CheckoutRecord;
pub use fault::Fault;
pub use merchant::Merchant;
pub use sandbox::Sandbox;
pub use scenario::{SUCCESS, Scenario};
pub use state::StatusRequest;
pub use webhook::{Probe, ShopperReturn, Webhook};

/// A request that the sandbox has seen, with Peach's result codes, which are texts.
///
/// ```
/// use checkout_sandbox::peach::{RecordedRequest, Sandbox};
///
/// let requests: Vec<RecordedRequest> = Sandbox::new(1).requests();
/// assert!(requests.is_empty());
/// ```
pub type RecordedRequest = crate::RecordedRequest<String>;

/// The entity of the merchant of a sandbox that was given no merchant.
///
/// ```
/// assert_eq!(checkout_sandbox::peach::ENTITY_ID.len(), 32);
/// ```
pub const ENTITY_ID: &str = "8ac7a4ca00000000000000005a4d0b01";

/// The secret token of the merchant of a sandbox that was given no merchant. The token guards nothing.
///
/// ```
/// assert_eq!(checkout_sandbox::peach::SECRET_TOKEN.len(), 32);
/// ```
pub const SECRET_TOKEN: &str = "5a4d0b0c500000000000000000000001";

/// The client's id, for V2, of the merchant of a sandbox that was given no merchant.
///
/// ```
/// assert!(checkout_sandbox::peach::CLIENT_ID.contains("sandbox"));
/// ```
pub const CLIENT_ID: &str = "sandbox_client";

/// The client's secret, for V2, of the merchant of a sandbox that was given no merchant. The secret guards
/// nothing.
///
/// ```
/// assert!(checkout_sandbox::peach::CLIENT_SECRET.contains("sandbox"));
/// ```
pub const CLIENT_SECRET: &str = "sandbox_client_secret";

/// The merchant's id, for V2, of the merchant of a sandbox that was given no merchant.
///
/// ```
/// assert!(checkout_sandbox::peach::MERCHANT_ID.contains("sandbox"));
/// ```
pub const MERCHANT_ID: &str = "sandbox_merchant";

/// A `Referer` that the merchant of a sandbox that was given no merchant may send.
///
/// ```
/// assert!(checkout_sandbox::peach::REFERER.starts_with("https://"));
/// ```
pub const REFERER: &str = "https://shop.example";

/// The URL of a merchant's webhooks, unless the merchant has a URL of its own.
///
/// ```
/// assert!(checkout_sandbox::peach::WEBHOOK_URL.starts_with("https://"));
/// ```
pub const WEBHOOK_URL: &str = "https://shop.example/webhooks/peach";

#[cfg(test)]
mod tests;

/// A request and its answer, with everything that the sandbox knows about the two.
///
/// ```
/// use checkout_sandbox::peach::{Exchange, Sandbox};
/// use checkout_transport::{Request, bytes::Bytes};
///
/// let exchange: Exchange = Sandbox::new(1).exchange(Request::new(Bytes::new()), None);
/// assert_eq!(exchange.route, None);
/// ```
pub type Exchange = crate::Exchange<checkout_tables::peach::Route, Fault>;
