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
use checkout_trust::settlement::peach::Order;
use checkout_validate::peach::{InitiateCheckout, Lookup};
use checkout_wire::peach::{Initiated, Payment, Validated, body, create_body, path};
use core::convert::Infallible;
use core::fmt;
use std::sync::Arc;

pub use backend::Peach;
use backend::{Asked, is_entity};
use merchant::{Merchant, OAuth};
pub use tokens::{TokenSource, TokenStore};

/// One merchant's access to Peach's V1: the entity, the secret token that signs, the domain that is
/// allow-listed, a clock and a source of nonces. Cheap to clone. V2, which Peach recommends, is
/// [`v2::Client`].
///
/// Every status is verified by its signature, over all the fields that came, and compared with what was
/// asked: [`CallError::kind`](crate::CallError::kind) names what does not agree. An unsigned answer is an
/// error that says so, and nothing of it is taken; ask again. (An answer that the page was not opened yet may
/// be unsigned: it says nothing of the checkout.) Whatever the signed fields hold, an address of yours or a
/// payer's name, is no reason to refuse them.
///
/// A merchant may ask for two statuses a minute, of all checkouts together:
/// [`Route::rate_limit`](checkout_tables::peach::Route::rate_limit).
///
/// ```
/// # #[cfg(feature = "system")] {
/// use checkout_auth::peach::SecretToken;
/// use checkout_client::peach::Client;
/// use checkout_tables::Environment;
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
    /// Begins a client with the entity's id and its secret token. Where nothing else is said it is a live
    /// one, at Peach's own hosts.
    pub fn builder(entity_id: impl Into<String>, secret: SecretToken) -> Builder {
        Builder { entity_id: entity_id.into(), secret, with: With::default() }
    }

    /// Whose money it is: it decides the hosts, and whether a test's success counts.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.0.environment
    }

    /// The time, by the client's clock: what [`Tracker::observe`](checkout_lifecycle::Tracker::observe) takes
    /// beside an answer.
    #[must_use]
    pub fn now(&self) -> Moment {
        crate::sources::moment(self.0.clock.now_millis())
    }

    /// Initiates a checkout. The answer is the page to send the shopper to, with the checkout's id where it
    /// has one. [`Initiated::lookup`] is what to ask and to [watch](Self::watch) by: that id, or else the
    /// `merchantTransactionId` that you gave, which is to be unique.
    ///
    /// It has no idempotency key. After an unknown outcome read the status by that id before you repeat it.
    ///
    /// # Errors
    /// [`OtherEntity`], for a checkout of another entity than the client's.
    ///
    /// Source: Peach Payments, *Hosted Checkout payment request*.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_money::Cents;
    /// use checkout_tables::{Repeat, peach::Currency};
    /// use checkout_validate::peach::Draft;
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

    /// Has a checkout checked by Peach, and none made of it. What is wrong with it is a refusal.
    ///
    /// # Errors
    /// [`OtherEntity`], for a checkout of another entity than the client's.
    pub fn validate(&self, checkout: &InitiateCheckout<'_>) -> Result<Call<Validated>, OtherEntity> {
        create(&self.0, Route::Validate, checkout)
    }

    /// Reads how a checkout stands, by one of three ids. By a `merchantTransactionId` it is the latest one's
    /// that has it.
    ///
    /// Source: Peach Payments, *Payment status*.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_validate::peach::{Lookup, MerchantTransactionId};
    ///
    /// # let secret = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into())?;
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret).referer("https://shop.example").build()?;
    /// let call = client.status(Lookup::from(MerchantTransactionId::new("Test1234")?));
    /// let attempt = call.attempt(0, "")?;
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

    /// Watches a checkout to its end, by one of three ids. Two statuses a minute are all that a merchant
    /// has, for all of its checkouts together: a watch is for one that is alone, and several at a time are
    /// for [`WatchSet`](crate::WatchSet).
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_client::peach::Client;
    /// use checkout_validate::peach::{Lookup, MerchantTransactionId};
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

    /// The order of a created checkout, to be settled by a read: the draft's amount and ids, and the
    /// `checkoutId` of the answer, where the answer has one. The order's environment is this client's.
    ///
    /// A shop that keeps its orders in a database writes the [`Order`] itself, with the environment that the
    /// goods leave for.
    #[must_use]
    pub fn order<'o>(&self, checkout: &'o InitiateCheckout<'_>, created: &'o Initiated<'_>) -> Order<'o> {
        Order {
            environment: self.environment(),
            merchant_transaction_id: checkout.merchant_transaction_id(),
            checkout_id: created.checkout_id.as_deref(),
            amount: checkout.amount(),
            currency: checkout.currency(),
        }
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
    /// Where it goes, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

/// A client of V1 that is being put together: see [`Client::builder`].
///
/// ```
/// # #[cfg(feature = "system")] {
/// use checkout_auth::peach::SecretToken;
/// use checkout_client::{BuildError, peach::Client};
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
    /// Whose money it is, and so which hosts. Live, if nothing is said.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.with.environment = environment;
        self
    }

    /// An allow-listed domain of yours, as `https://shop.example`: Peach takes a checkout from there alone.
    pub fn referer(mut self, referer: impl Into<String>) -> Self {
        self.with.referer = referer.into();
        self
    }

    /// Where the API is, instead of Peach's own host: `https`, a host, and a port if need be. `http` is taken
    /// for this machine alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.with.checkout_url = Some(url.into());
        self
    }

    /// The clock that attempts are told the time by. The system's, if nothing is said.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.with.clock = Some(Box::new(clock));
        self
    }

    /// Where nonces come from. Random ones, if nothing is said.
    pub fn nonces(mut self, nonces: impl NonceSource + 'static) -> Self {
        self.with.nonces = Some(Box::new(nonces));
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        self.with.merchant(self.entity_id, Some(self.secret), None).map(Arc::new).map(Client)
    }
}

impl fmt::Debug for Builder {
    /// Whose money it is, and nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("environment", &self.with.environment).finish_non_exhaustive()
    }
}

/// A checkout of another entity than the client's.
///
/// ```
/// assert_eq!(
///     checkout_client::peach::OtherEntity.to_string(),
///     "authentication.entityId: not the client's"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("authentication.entityId: not the client's")]
pub struct OtherEntity;

/// What both versions can be told.
struct With {
    environment: Environment,
    referer: String,
    checkout_url: Option<String>,
    auth_url: Option<String>,
    /// V2's: whether a status must be signed.
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

/// The path of a route that has no id in it.
fn fixed(route: Route) -> String {
    path(route, None).unwrap_or_default()
}
