//! Peach Payments Hosted Checkout: one merchant's access, by V1 or by V2.

mod backend;
mod merchant;
mod tokens;
pub mod v2;

use crate::base_url::{base_url, seen};
use crate::{BuildError, Call, CheckoutClient, Clock, NonceSource, Watch};
#[cfg(feature = "system")]
use crate::{RandomNonces, SystemClock};
use checkout_auth::peach::SecretToken;
use checkout_lifecycle::Moment;
use checkout_tables::Environment;
use checkout_tables::peach::Route;
use checkout_transport::http::HeaderValue;
use checkout_validate::peach::{InitiateCheckout, Lookup};
use checkout_wire::peach::{Initiated, Payment, Validated, body, create_body, path};
use core::convert::Infallible;
use core::fmt;
use std::sync::Arc;

pub use backend::Peach;
use backend::{Asked, is_entity};
use merchant::{Merchant, OAuth};
pub use tokens::{TokenSource, TokenStore};

/// One merchant's access to Peach's V1: the entity, the secret token that signs, the allow-listed domain, a
/// clock and a source of nonces. Cheap to clone. V2, which Peach recommends, is [`v2::Client`].
///
/// The client verifies every status by its signature, over all the fields that came, and compares the status
/// with the request: [`CallError::kind`](crate::CallError::kind) names the part that does not agree. An
/// unsigned answer is an error with that reason, and nothing of the answer is used; ask again. (An answer
/// that the page was not opened yet may be unsigned: that answer says nothing about the checkout.) The
/// content of the signed fields, such as an address of yours or a payer's name, is never a reason to refuse
/// the answer.
///
/// A merchant may ask for two statuses a minute, of all checkouts together:
/// [`Route::rate_limit`](checkout_tables::peach::Route::rate_limit).
///
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::Environment;
/// use checkout_kit::peach::{Client, SecretToken};
///
/// let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret)
///     .environment(Environment::Sandbox)
///     .referer("https://shop.example")
///     .build()?;
/// assert_eq!(client.environment(), Environment::Sandbox);
/// assert!(!format!("{client:?}").contains("3fcd"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Merchant>);

impl Client {
    /// Begins a client with the entity's id and its secret token. By default the client is a live merchant's,
    /// at Peach's own hosts.
    pub fn builder(entity_id: impl Into<String>, secret: SecretToken) -> Builder {
        Builder { entity_id: entity_id.into(), secret, with: With::default() }
    }

    /// The client's environment, which decides the hosts, and if a test's success counts.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.0.environment
    }

    /// The time, by the client's clock, which [`Tracker::observe`](checkout_lifecycle::Tracker::observe)
    /// takes beside an answer.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Initiates a checkout. The answer is the page to send the shopper to, with the checkout's id where the
    /// answer has one. Ask and [watch](Self::watch) by [`Initiated::lookup`]: that id, or else the
    /// `merchantTransactionId` that you gave, which must be unique.
    ///
    /// The call has no idempotency key. After an unknown outcome read the status by that id before you repeat
    /// the call.
    ///
    /// # Errors
    /// [`OtherEntity`], for a checkout of another entity than the client's.
    ///
    /// Source: Peach Payments, *Hosted Checkout payment request*.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_kit::Cents;
    /// use checkout_kit::peach::{Currency, Draft};
    /// use checkout_kit::tables::Repeat;
    ///
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret).referer("https://shop.example").build()?;
    /// let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
    ///     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
    ///     .merchant_transaction_id("Test1234")
    ///     .shopper_result_url("https://shop.example/result")
    ///     .check()?;
    /// let call = client.initiate(&checkout)?;
    /// assert_eq!((call.path(), call.repeat()), ("/checkout/initiate", Repeat::Unsafe));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn initiate(&self, checkout: &InitiateCheckout<'_>) -> Result<Call<Initiated<'static>>, OtherEntity> {
        create(&self.0, Route::Initiate, checkout)
    }

    /// Asks Peach to check a checkout without creating the checkout. Any fault of the checkout is a refusal.
    ///
    /// # Errors
    /// [`OtherEntity`], for a checkout of another entity than the client's.
    pub fn validate(&self, checkout: &InitiateCheckout<'_>) -> Result<Call<Validated>, OtherEntity> {
        create(&self.0, Route::Validate, checkout)
    }

    /// Reads the status of a checkout, by one of three ids. A `merchantTransactionId` reads the latest
    /// checkout with that id.
    ///
    /// Source: Peach Payments, *Payment status*.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_kit::peach::{Lookup, MerchantTransactionId};
    ///
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret).referer("https://shop.example").build()?;
    /// let call = client.status(Lookup::from(MerchantTransactionId::new("Test1234")?));
    /// let attempt = call.attempt(client.now(), "")?;
    /// let uri = attempt.request().uri().to_string();
    /// assert!(uri.starts_with("https://secure.peachpayments.com/status?authentication.entityId=8ac7"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn status(&self, lookup: Lookup<'_>) -> Call<Payment<'static>> {
        let pair = lookup.pair();
        let params = [("authentication.entityId", &*self.0.entity_id), pair];
        let asked = Asked::lookup(self.0.environment, pair).with_params(params);
        Call::new(&self.0, Route::Status, fixed(Route::Status), Vec::new(), asked)
    }

    /// Watches a checkout to its end, by one of three ids. A merchant has two statuses a minute, for all
    /// checkouts together: a watch is for a single checkout, and several at a time are for
    /// [`WatchSet`](crate::WatchSet).
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_kit::peach::{Lookup, MerchantTransactionId};
    ///
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret).referer("https://shop.example").build()?;
    /// let watch = client.watch(Lookup::from(MerchantTransactionId::new("Test1234")?));
    /// assert_eq!(watch.full_call().path(), "/status");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watch(&self, lookup: Lookup<'_>) -> Watch<Payment<'static>> {
        let (_, id) = lookup.pair();
        let id = id.to_owned();
        let status = self.status(lookup);
        Watch::new(status.clone(), status, &id)
    }
}

impl CheckoutClient for Client {
    type Payload = Payment<'static>;
    type Id = Lookup<'static>;
    type IdError = Infallible;

    fn environment(&self) -> Environment {
        self.environment()
    }

    fn now(&self) -> Moment {
        self.now()
    }

    fn status_call(&self, id: &Lookup<'static>) -> Result<Call<Payment<'static>>, Infallible> {
        Ok(self.status(id.clone()))
    }

    fn full_call(&self, id: &Lookup<'static>) -> Result<Call<Payment<'static>>, Infallible> {
        Ok(self.status(id.clone()))
    }

    fn watch(&self, id: &Lookup<'static>) -> Result<Watch<Payment<'static>>, Infallible> {
        Ok(self.watch(id.clone()))
    }
}

impl fmt::Debug for Client {
    /// The address of the API, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

/// A builder of a client of V1: see [`Client::builder`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::BuildError;
/// use checkout_kit::peach::{Client, SecretToken};
///
/// let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
/// let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret).build();
/// assert_eq!(client.unwrap_err(), BuildError::Empty("referer"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Builder {
    entity_id: String,
    secret: SecretToken,
    with: With,
}

impl Builder {
    /// Sets the client's environment, which selects the hosts. The default is live.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.with.environment = environment;
        self
    }

    /// Sets an allow-listed domain of yours, as `https://shop.example`: Peach takes a checkout from there
    /// alone.
    pub fn referer(mut self, referer: impl Into<String>) -> Self {
        self.with.referer = referer.into();
        self
    }

    /// Sets the address of the API, instead of Peach's own host: `https`, a host, and a port if need be.
    /// `http` is allowed for this machine alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.with.checkout_url = Some(url.into());
        self
    }

    /// Sets the clock of the attempts. The default is the system's clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.with.clock = Some(Box::new(clock));
        self
    }

    /// Sets the source of nonces. The default is random nonces.
    pub fn nonces(mut self, nonces: impl NonceSource + 'static) -> Self {
        self.with.nonces = Some(Box::new(nonces));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        self.with.merchant(self.entity_id, Some(self.secret), None).map(Arc::new).map(Client)
    }
}

impl fmt::Debug for Builder {
    /// The environment, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("environment", &self.with.environment).finish_non_exhaustive()
    }
}

/// A checkout of another entity than the client's.
///
/// ```
/// # checkout_doctest::facade!(client);
/// assert_eq!(
///     checkout_kit::peach::OtherEntity.to_string(),
///     "authentication.entityId: not the client's"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("authentication.entityId: not the client's")]
pub struct OtherEntity;

/// The settings of both versions' builders.
struct With {
    environment: Environment,
    referer: String,
    checkout_url: Option<String>,
    auth_url: Option<String>,
    /// True if a status must be signed, for V2.
    signed_only: bool,
    clock: Option<Box<dyn Clock>>,
    nonces: Option<Box<dyn NonceSource>>,
}

impl Default for With {
    fn default() -> Self {
        Self {
            environment: Environment::Live,
            referer: String::new(),
            checkout_url: None,
            auth_url: None,
            signed_only: false,
            #[cfg(feature = "system")]
            clock: Some(Box::new(SystemClock)),
            #[cfg(not(feature = "system"))]
            clock: None,
            #[cfg(feature = "system")]
            nonces: Some(Box::new(RandomNonces)),
            #[cfg(not(feature = "system"))]
            nonces: None,
        }
    }
}

impl With {
    fn merchant(
        self,
        entity_id: String,
        secret: Option<SecretToken>,
        oauth: Option<OAuth>,
    ) -> Result<Merchant, BuildError> {
        seen("authentication.entityId", &entity_id)?;
        if !is_entity(&entity_id) {
            return Err(BuildError::Entity);
        }
        if self.referer.trim().is_empty() {
            return Err(BuildError::Empty("referer"));
        }
        seen("referer", &self.referer)?;
        if !self.referer.is_ascii() {
            return Err(BuildError::Header("referer"));
        }
        let url = |given: &Option<String>, route: Route| match given {
            Some(url) => base_url(url),
            None => Ok(route.host(self.environment).to_owned()),
        };
        Ok(Merchant {
            checkout_url: url(&self.checkout_url, Route::Status)?,
            auth_url: url(&self.auth_url, Route::Token)?,
            environment: self.environment,
            entity_id,
            referer: HeaderValue::from_str(&self.referer).map_err(|_| BuildError::Header("referer"))?,
            must_be_signed: oauth.is_none() || self.signed_only,
            secret,
            oauth,
            clock: self.clock.ok_or(BuildError::NoClock)?,
            nonces: self.nonces.ok_or(BuildError::NoNonces)?,
        })
    }
}

/// A call that carries a checkout's parameters.
fn create<T: crate::Readable<Provider = Peach>>(
    merchant: &Arc<Merchant>,
    route: Route,
    checkout: &InitiateCheckout<'_>,
) -> Result<Call<T>, OtherEntity> {
    if checkout.entity_id() != merchant.entity_id {
        return Err(OtherEntity);
    }
    let asked = Asked::new(merchant.environment).with_params(checkout.pairs());
    let shown =
        if route == Route::CreateCheckout { create_body(checkout.pairs()) } else { body(checkout.pairs()) };
    Ok(Call::new(merchant, route, fixed(route), shown, asked))
}

/// The path of a route without an id.
fn fixed(route: Route) -> String {
    path(route, None).unwrap_or_default()
}
