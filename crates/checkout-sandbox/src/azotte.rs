//! Azotte C2A checkout, API v1, played in process.
//!
//! A [`Sandbox`] takes submits and reads of a status, and answers as Azotte's pages say. A checkout goes
//! through a [`Scenario`] as the test advances the sandbox's clock and as the payer returns from a challenge,
//! and a [`Fault`] makes one request go wrong. A test can act for the payer at a redirect:
//! [`Sandbox::complete_3ds`], [`Sandbox::fail_3ds`], [`Sandbox::decline`] and [`Sandbox::abandon`]. For a
//! payer who acts on a page of yours, and never by itself, take [`Scenario::browser_never_returns`].
//!
//! | request | answer |
//! |---|---|
//! | a path that is not the API's | 404, empty |
//! | a method that the path does not have | 405, empty |
//! | `x-tn` or `x-api-key` is missing, doubled or wrong | 401, empty |
//! | submit: not said to be JSON, or no JSON object | 400, a problem |
//! | submit: fields that are not what the page says | 400, a problem with all of them in `errors` |
//! | submit | 202, `Retry-After: 2`, a `CheckoutResult` |
//! | submit: a correlation id that this tenant has used | the same answer, about the first checkout |
//! | status: nobody's tracking number | 404, `ORDERED_ITEM_NOT_FOUND` |
//! | status: another tenant's | 409, a problem; or the same 404 ([`Builder::conceals_other_tenants`]) |
//! | status | 200, a `CheckoutResult` |
//!
//! The sandbox checks the rows in this order, and gives the answer of the first row that applies. A
//! `CheckoutResult` comes as `application/clientOutput+Json`, a problem as `application/problem+json`.
//!
//! **Card data:** the sandbox checks the number, the code and all other fields of a card, and forgets the
//! card. Nothing of a card is in a [`CheckoutRecord`], in a [`RecordedRequest`], in an answer or in any
//! `Debug`.
//!
//! # Assumed
//! No page tells the following, and the sandbox plays:
//! - the paths are those of the page's curl, with `/v1`; the paths of the page's headings, without `/v1`, are
//!   not the API's;
//! - a wrong project's host is answered with 401; a tenant that names no project is let in on every host;
//! - `Content-Type` is `application/json`, with any parameters; another type is a 400, not a 415;
//! - the members of a problem, and the shape of its `errors`: field paths with a list of messages each;
//! - an unknown member of a request is refused, so that a misspelt name is found; the page's aliases of names
//!   are not taken;
//! - required texts are not empty; a correlation id is not blank; a quantity is a positive integer, and an
//!   address an IP address; a card number is 12 to 19 digits, a month 01 to 12, a year 4 digits, a code 3
//!   or 4, and all five fields of a fresh card are required, but no alias is;
//! - `storeMethodSuccessPayment` is a boolean or a text: the page says text, and describes a boolean;
//! - beside a stored method a `creditCard` may be there, may have other members, and may lack the usual
//!   members; a `creditCard` of another channel is checked and left alone;
//! - a submit with a known correlation id is answered by the id alone: the other fields are checked, and not
//!   compared. The same holds for a failed checkout, which is not tried again;
//! - an offer never expires, and any item and any customer exists;
//! - a status has a `Retry-After: 2` as long as polling makes sense, and `retryAfterSeconds` is 3 with a
//!   redirect and 2 without;
//! - a payment that the bank declines after the challenge has failed at once; a redirect that the payer has
//!   left waits for ever;
//! - a message of a failure is in `status`; the page names the message and does not show the place;
//! - `hasNextSteps` is true of every redirect; a URL has no `threeDIdentifier`, and a form has a
//!   `threeDIdentifier`;
//! - `FAILED` has captured nothing; the first `DONE` has captured once, and no later code changes that;
//! - a tracking number is percent-decoded and compared byte by byte; 429 and 500 are problems.
//!
//! Sources: *Get Checkout Status*; *Submit Checkout*, *Checkout* and *C2A API*, Azotte's pages of the API.
//! The pages print the replies of a success, of a 3DS challenge and of an unknown tracking number; the
//! sandbox builds all other replies from the tables of fields.

mod answer;
mod builder;
mod card;
mod checkout;
mod door;
mod fault;
mod order;
mod refusal;
mod route;
mod sandbox;
mod scenario;
mod server;
mod state;
mod tenant;

pub use builder::Builder;
pub use checkout::CheckoutRecord;
pub use fault::Fault;
pub use sandbox::{ChallengeError, Sandbox};
pub use scenario::{Scenario, Step};
pub use tenant::Tenant;

/// A request that the sandbox has seen, with Azotte's codes, which are texts.
///
/// Nothing of a card is kept: see [`body`](crate::RecordedRequest::body). The API key is in the headers, and
/// a customer's URN and address are in the body.
///
/// ```
/// use checkout_sandbox::azotte::{RecordedRequest, Sandbox};
///
/// let requests: Vec<RecordedRequest> = Sandbox::new(1).requests();
/// assert!(requests.is_empty());
/// ```
pub type RecordedRequest = crate::RecordedRequest<String>;

/// The `x-tn` of the tenant of a sandbox that was given no tenant.
///
/// ```
/// assert_eq!(checkout_sandbox::azotte::X_TN.len(), 36);
/// ```
pub const X_TN: &str = "00000000-0000-4000-8000-000000000a20";

/// The `x-api-key` of the tenant of a sandbox that was given no tenant. The key guards nothing.
///
/// ```
/// assert!(checkout_sandbox::azotte::API_KEY.starts_with("sk_"));
/// ```
pub const API_KEY: &str = "sk_sandbox_key";

#[cfg(test)]
mod tests;

/// A request and its answer, with everything that the sandbox knows about the two.
///
/// ```
/// use checkout_sandbox::azotte::{Exchange, Sandbox};
/// use checkout_transport::{Request, bytes::Bytes};
///
/// let exchange: Exchange = Sandbox::new(1).exchange(Request::new(Bytes::new()), None);
/// assert_eq!(exchange.route, None);
/// ```
pub type Exchange = crate::Exchange<checkout_tables::azotte::Route, Fault>;
