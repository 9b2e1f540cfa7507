//! AllScale: one store's access.

mod backend;
mod code;

use crate::base_url::base_url;
use crate::{Call, CheckoutClient, Clock, NonceSource, Watch};
#[cfg(feature = "system")]
use crate::{RandomNonces, SystemClock};
use checkout_auth::Verifier;
use checkout_auth::allscale::SigningKey;
use checkout_lifecycle::Moment;
use checkout_money::CoinAmount;
use checkout_tables::allscale::{BASE_URL, IntentStatus, Route, StableCoin};
use checkout_tables::{Environment, Open};
use checkout_validate::allscale::{CoinSet, CreateIntent, Price};
use checkout_validate::{IdError, PathSegment};
use checkout_wire::JsonText;
use checkout_wire::allscale::{CreatedIntent, Echo, Intent, Pong, create_body, path};
use core::fmt;
use std::sync::Arc;

pub use crate::BuildError;
use backend::Asked;
pub use backend::{AllScale, Difference};

/// One store's access to AllScale: the store's key, the address of the API, a clock and a source of nonces.
/// Cheap to clone; a process can have one for each store.
///
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::allscale::{Client, SigningKey};
/// use checkout_kit::{Environment, SecretString};
///
/// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// let client = Client::builder(key).environment(Environment::Sandbox).build()?;
/// assert_eq!(client.environment(), Environment::Sandbox);
/// assert!(!format!("{client:?}").contains("st_"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Store>);

impl Client {
    /// Begins a client with a store's key. By default the client is a live store's, at AllScale's own host.
    pub fn builder(key: SigningKey) -> Builder {
        Builder {
            key,
            environment: Environment::Live,
            base_url: BASE_URL.into(),
            responses: None,
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

    /// The client's environment: a live store's, or a test store's, which is [`Environment::Sandbox`]. Both
    /// kinds use the same host and differ by their keys, so the environment changes no request. The
    /// environment stays with the paid amount, so that test money never settles a live order.
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

    /// Creates a checkout intent.
    ///
    /// The create has no idempotency key: sent twice, the create makes two intents that can both be paid.
    /// Store the order before you send the create, and after an unknown outcome do not repeat the create
    /// blindly; see the example `save_before_send` of `checkout-kit`.
    ///
    /// The answer comes with the differences from the draft: look at
    /// [`Answer::differences`](crate::Answer::differences) before you send the payer to the page.
    ///
    /// Source: *Create Checkout Intent*, v4, 2026-05-06.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::allscale::{Client, Currency, Draft, SigningKey};
    /// use checkout_kit::tables::Repeat;
    /// use checkout_kit::{Cents, SecretString};
    ///
    /// let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let intent = Draft::fiat(Currency::EUR, Cents::new(100)).order_id("order_123").check()?;
    /// let call = client.create(&intent);
    /// assert_eq!(call.path(), "/v1/checkout_intents/");
    /// assert_eq!(call.repeat(), Repeat::Unsafe);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn create(&self, intent: &CreateIntent<'_>) -> Call<CreatedIntent<'static>> {
        // A native price is one to one, and the first accepted coin of a fiat price decides its settlement.
        let (amount_coins, coin) = match intent.price() {
            Price::Coin { coin, amount } => (Some(CoinAmount::from_cents(amount)), Some(coin)),
            Price::Fiat { .. } => {
                let first = intent.accepted().and_then(|coins| coins.first().copied());
                (None, first.filter(|coin| coin.is_supported()))
            }
        };
        let flags = |coins: &[StableCoin]| coins.iter().fold(0, |bits, coin| bits | coin.flag());
        let accepted = intent.accepted().map(|coins| CoinSet::from_bits(flags(coins)));
        let asked = Asked { amount_coins, coin, accepted, ..Asked::default() };
        Call::new(self, Route::Create, fixed(Route::Create), create_body(intent), asked)
    }

    /// Reads the full checkout intent.
    ///
    /// # Errors
    /// [`IdError`], for the three ids that cannot stand in a path.
    ///
    /// Source: *Get Checkout Intent*, v3, 2026-03-06.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert_eq!(client.get("65b2")?.path(), "/v1/checkout_intents/65b2");
    /// assert!(client.get("").is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, intent_id: &str) -> Result<Call<Intent<'static>>, IdError> {
        let segment = PathSegment::new(intent_id)?;
        let asked = Asked { intent_id: Some(intent_id.to_owned()), ..Asked::default() };
        Ok(Call::new(self, Route::Get, with_id(Route::Get, segment), Vec::new(), asked))
    }

    /// Reads a checkout intent's status alone, for polling.
    ///
    /// # Errors
    /// [`IdError`], for the three ids that cannot stand in a path.
    ///
    /// Source: *Get Status*, v3, 2026-05-14.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert_eq!(client.status("65b2")?.path(), "/v1/checkout_intents/65b2/status");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self, intent_id: &str) -> Result<Call<Open<IntentStatus>>, IdError> {
        let segment = PathSegment::new(intent_id)?;
        Ok(self.plain(Route::Status, with_id(Route::Status, segment)))
    }

    /// Watches a checkout intent to its end: polls the bare status, and reads the full intent at the end.
    ///
    /// # Errors
    /// [`IdError`], for the three ids that cannot stand in a path.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let watch = client.watch("65b2")?;
    /// assert_eq!(watch.status_call().path(), "/v1/checkout_intents/65b2/status");
    /// assert_eq!(watch.full_call().path(), "/v1/checkout_intents/65b2");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(&self, intent_id: &str) -> Result<Watch<Intent<'static>>, IdError> {
        Ok(Watch::new(self.status(intent_id)?, self.get(intent_id)?, intent_id))
    }

    /// The test route that answers `{"pong":"ok"}`, to check the key, the clock and the connection.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert_eq!(client.ping().path(), "/v1/test/ping");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ping(&self) -> Call<Pong<'static>> {
        self.plain(Route::Ping, fixed(Route::Ping))
    }

    /// The test route that is always refused, with code 10001.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert_eq!(client.fail().path(), "/v1/test/fail");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fail(&self) -> Call<JsonText<'static>> {
        self.plain(Route::Fail, fixed(Route::Fail))
    }

    /// The test route that sends the body back, to check that bytes arrive as they are signed.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_wire::JsonText;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// assert_eq!(&client.post(&JsonText::new(r#"{"a": 1}"#)?).body()[..], br#"{"a": 1}"#);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn post(&self, body: &JsonText<'_>) -> Call<Echo<'static>> {
        let body = body.as_str().as_bytes().to_vec();
        Call::new(self, Route::Post, fixed(Route::Post), body, Asked::default())
    }

    fn plain<T: crate::Readable<Provider = AllScale>>(&self, route: Route, path: String) -> Call<T> {
        Call::new(self, route, path, Vec::new(), Asked::default())
    }
}

impl CheckoutClient for Client {
    type Payload = Intent<'static>;
    type Id = str;
    type IdError = IdError;

    fn environment(&self) -> Environment {
        self.environment()
    }

    fn now(&self) -> Moment {
        self.now()
    }

    fn status_call(&self, id: &str) -> Result<Call<Open<IntentStatus>>, IdError> {
        self.status(id)
    }

    fn full_call(&self, id: &str) -> Result<Call<Intent<'static>>, IdError> {
        self.get(id)
    }

    fn watch(&self, id: &str) -> Result<Watch<Intent<'static>>, IdError> {
        self.watch(id)
    }
}

impl fmt::Debug for Client {
    /// The address of the API, and nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("environment", &self.0.environment)
            .field("base_url", &self.0.base_url)
            .finish_non_exhaustive()
    }
}

/// A builder of a client: see [`Client::builder`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::SecretString;
/// use checkout_kit::allscale::{BuildError, Client, SigningKey};
///
/// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// let plain = Client::builder(key).base_url("http://example.com").build();
/// assert_eq!(plain.unwrap_err(), BuildError::NotHttps);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Builder {
    key: SigningKey,
    environment: Environment,
    base_url: String,
    responses: Option<Verifier<SigningKey>>,
    clock: Option<Box<dyn Clock>>,
    nonces: Option<Box<dyn NonceSource>>,
}

impl Builder {
    /// Sets the client's environment. The default is a live store's.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the address of the API: `https`, a host, and a port if need be. The path is the route's, and
    /// signed, so nothing may stand in front of the path. `http` is allowed for this machine alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Requires a signature of AllScale on every answer, over the answer to this request, with one of the
    /// verifier's keys: for a store that has response signing switched on. A refusal must be signed too, and
    /// a proxy's page never is: [`NotAuthentic`](crate::CallErrorKind::NotAuthentic) has the reason.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::allscale::{Client, SigningKey};
    /// use checkout_kit::auth::Verifier;
    /// use checkout_kit::{CallErrorKind, KeyRing, SecretString};
    /// use checkout_sandbox::allscale::{Sandbox, Store};
    ///
    /// let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// let clock = sandbox.clock().clone();
    /// let client = Client::builder(key.clone())
    ///     .signed_responses(Verifier::new(KeyRing::new("2026", key)))
    ///     .clock(move || clock.now())
    ///     .build()?;
    /// // This store's answers are not signed.
    /// let error = client.ping().send_blocking(&sandbox).unwrap_err();
    /// assert!(matches!(error.kind(), CallErrorKind::NotAuthentic(_)));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signed_responses(mut self, verifier: Verifier<SigningKey>) -> Self {
        self.responses = Some(verifier);
        self
    }

    /// Sets the clock of the timestamps. The default is the system's clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Sets the source of nonces. The default is random nonces.
    pub fn nonces(mut self, nonces: impl NonceSource + 'static) -> Self {
        self.nonces = Some(Box::new(nonces));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        Ok(Client(Arc::new(Store {
            base_url: base_url(&self.base_url)?,
            key: self.key,
            environment: self.environment,
            responses: self.responses,
            clock: self.clock.ok_or(BuildError::NoClock)?,
            nonces: self.nonces.ok_or(BuildError::NoNonces)?,
        })))
    }
}

impl fmt::Debug for Builder {
    /// The address of the API, and nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("environment", &self.environment).finish_non_exhaustive()
    }
}

struct Store {
    key: SigningKey,
    environment: Environment,
    /// Scheme and authority, with no slash at the end.
    base_url: String,
    /// The verifier, where answers must be signed.
    responses: Option<Verifier<SigningKey>>,
    clock: Box<dyn Clock>,
    nonces: Box<dyn NonceSource>,
}

/// The path of a route without an id: one of the four above.
fn fixed(route: Route) -> String {
    path(route, None).unwrap_or_default()
}

/// The path of a route with an id: one of the two above.
fn with_id(route: Route, id: PathSegment<'_>) -> String {
    path(route, Some(id)).unwrap_or_default()
}
