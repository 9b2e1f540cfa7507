//! V2, which Peach recommends: an access token instead of a signature, and a checkout's id at once.

use super::backend::Asked;
use super::merchant::{Merchant, OAuth};
use super::{OtherEntity, Peach, TokenSource, TokenStore, With, create, fixed};
use crate::authorize::Authorize;
use crate::base_url::seen;
use crate::{Answer, BuildError, Call, CallError, CheckoutClient, Clock, NonceSource, NotSent, Watch};
use checkout_auth::peach::SecretToken;
use checkout_lifecycle::Moment;
use checkout_tables::Environment;
use checkout_tables::peach::Route;
use checkout_transport::{BlockingTransport, LocalTransport, Transport};
use checkout_validate::peach::{CheckoutId, InitiateCheckout, LookupError};
use checkout_validate::{ExposeSecret, SecretString};
use checkout_wire::peach::{AccessToken, Created, Payment, path};
use core::fmt;
use std::sync::Arc;

/// One merchant's access to Peach's V2: the entity, the OAuth client, the allow-listed domain, a clock and a
/// source of nonces. Cheap to clone.
///
/// A call needs an access token. [`authenticate`](Self::authenticate) asks for a token when the client has
/// none, and costs nothing otherwise, so put `authenticate` before each call. Where several processes share a
/// token, give the client a [`TokenSource`] of your own.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::peach::v2::{Client, Credentials};
/// use checkout_kit::{CallErrorKind, Environment, NotSent};
///
/// let credentials = Credentials {
///     client_id: "2f1b".into(),
///     client_secret: "c2VjcmV0".into(),
///     merchant_id: "9a31".into(),
/// };
/// let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", credentials)
///     .environment(Environment::Sandbox)
///     .referer("https://shop.example")
///     .build()?;
/// assert!(!format!("{client:?}").contains("c2VjcmV0"));
///
/// // Without a token nothing is sent.
/// let error = client.status("c01b")?.attempt(client.now(), "").unwrap_err();
/// assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Merchant>);

impl Client {
    /// Begins a client with the entity's id and the OAuth client. By default the client is a live merchant's,
    /// at Peach's own hosts.
    pub fn builder(entity_id: impl Into<String>, credentials: Credentials) -> Builder {
        Builder {
            entity_id: entity_id.into(),
            credentials,
            secret: None,
            tokens: None,
            with: With::default(),
        }
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

    /// Asks for an access token. [`authenticate`](Self::authenticate) does so when the client needs a token,
    /// and stores the token.
    ///
    /// Source: Peach Payments, *Hosted Checkout V2*.
    #[must_use]
    pub fn token(&self) -> Call<AccessToken> {
        token(&self.0)
    }

    /// Creates a checkout. The answer is the page to send the shopper to, with the checkout's id.
    ///
    /// The create has no idempotency key: after an unknown outcome the checkout may exist, and can be found
    /// in Peach's dashboard by its `merchantTransactionId`, or by V1's status.
    ///
    /// # Errors
    /// [`OtherEntity`], for a checkout of another entity than the client's.
    ///
    /// Source: Peach Payments, *Hosted Checkout V2*.
    pub fn create(&self, checkout: &InitiateCheckout<'_>) -> Result<Call<Created<'static>>, OtherEntity> {
        create(&self.0, Route::CreateCheckout, checkout)
    }

    /// Reads the status of a checkout.
    ///
    /// # Errors
    /// [`LookupError`], for an id that the pages do not allow in a lookup.
    ///
    /// Source: Peach Payments, *Checkout V2 status*.
    pub fn status(&self, checkout_id: &str) -> Result<Call<Payment<'static>>, LookupError> {
        let id = CheckoutId::new(checkout_id)?;
        let route = Route::CheckoutStatus;
        // A route with an id in its path always has one.
        let path = path(route, Some(id.segment())).unwrap_or_default();
        let asked = Asked::lookup(self.0.environment, ("checkoutId", checkout_id));
        Ok(Call::new(&self.0, route, path, Vec::new(), asked))
    }

    /// Watches a checkout to its end. The watch takes care of its access tokens: the watch asks for a token
    /// where there is no good one, and for another after a 401. With a token source of your own the tokens
    /// are your responsibility.
    ///
    /// The limit of [`peach::Client::watch`](super::Client::watch) holds here too.
    ///
    /// # Errors
    /// [`LookupError`], for an id that the pages do not allow in a lookup.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::peach::v2::{Client, Credentials};
    ///
    /// # let credentials = Credentials {
    /// #     client_id: "2f1b".into(),
    /// #     client_secret: "c2VjcmV0".into(),
    /// #     merchant_id: "9a31".into(),
    /// # };
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", credentials).referer("https://shop.example").build()?;
    /// assert_eq!(client.watch("c01b")?.full_call().path(), "/v2/checkout/c01b/status");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(&self, checkout_id: &str) -> Result<Watch<Payment<'static>>, LookupError> {
        let status = self.status(checkout_id)?;
        Ok(Watch::new(status.clone(), status, checkout_id))
    }

    /// Makes sure that the client has an access token that is good now.
    ///
    /// # Errors
    /// [`CallError`]: there is no answer, or the token of the answer expires at once. A token source of your
    /// own is yours to fill: where that source has no token, nothing is sent.
    pub async fn authenticate(&self, transport: &impl Transport) -> Result<(), CallError<Peach>> {
        match self.empty_store()? {
            Some(store) => keep(store, &self.token().send(transport).await?),
            None => Ok(()),
        }
    }

    /// As [`authenticate`](Self::authenticate), over a transport whose futures stay on their thread.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn authenticate_local(&self, transport: &impl LocalTransport) -> Result<(), CallError<Peach>> {
        match self.empty_store()? {
            Some(store) => keep(store, &self.token().send_local(transport).await?),
            None => Ok(()),
        }
    }

    /// As [`authenticate`](Self::authenticate), over a blocking transport.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn authenticate_blocking(
        &self,
        transport: &(impl BlockingTransport + ?Sized),
    ) -> Result<(), CallError<Peach>> {
        match self.empty_store()? {
            Some(store) => keep(store, &self.token().send_blocking(transport)?),
            None => Ok(()),
        }
    }

    /// The call for an access token that the calls of `now` need first, for a driver of your own. None where
    /// the client has a token, or takes its tokens from a source of yours.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_client::peach::v2::{Client, Credentials};
    /// use checkout_kit::Moment;
    ///
    /// # let credentials = Credentials {
    /// #     client_id: "client".into(), client_secret: "secret".into(), merchant_id: "merchant".into(),
    /// # };
    /// # let client = Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", credentials);
    /// # let client = client.referer("https://shop.example").build()?;
    /// let now = Moment::from_unix_millis(1_716_501_000_000);
    /// assert!(client.token_call(now).is_some()); // send the call, and give the answer to `keep_token`
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn token_call(&self, now: Moment) -> Option<Call<AccessToken>> {
        let store = self.0.oauth.as_ref()?.store.as_ref()?;
        store.token(now).is_none().then(|| self.token())
    }

    /// Keeps the token of the answer to [`token_call`](Self::token_call).
    ///
    /// # Errors
    /// [`CallError`], if the token has expired on arrival.
    pub fn keep_token(&self, answer: &Answer<AccessToken>) -> Result<(), CallError<Peach>> {
        Peach::keep(&self.0, answer)
    }

    /// Forgets the stored token: the next [`authenticate`](Self::authenticate) asks for another. A 401 to any
    /// call of this client does the same. A token source of your own is not touched.
    pub fn forget_token(&self) {
        if let Some(store) = self.0.oauth.as_ref().and_then(|oauth| oauth.store.as_ref()) {
            store.forget();
        }
    }

    /// The store to fill, if the store is the client's own and has no token that is good now.
    fn empty_store(&self) -> Result<Option<&TokenStore>, CallError<Peach>> {
        let Some(oauth) = &self.0.oauth else { return Ok(None) };
        match (oauth.tokens.token(self.0.clock.now()), &oauth.store) {
            (Some(_), _) => Ok(None),
            (None, Some(store)) => Ok(Some(store)),
            (None, None) => Err(CallError::not_sent(Route::Token.into(), NotSent::NoAccessToken)),
        }
    }
}

impl CheckoutClient for Client {
    type Payload = Payment<'static>;
    type Id = str;
    type IdError = LookupError;

    fn environment(&self) -> Environment {
        self.environment()
    }

    fn now(&self) -> Moment {
        self.now()
    }

    fn status_call(&self, id: &str) -> Result<Call<Payment<'static>>, LookupError> {
        self.status(id)
    }

    fn full_call(&self, id: &str) -> Result<Call<Payment<'static>>, LookupError> {
        self.status(id)
    }

    fn watch(&self, id: &str) -> Result<Watch<Payment<'static>>, LookupError> {
        self.watch(id)
    }
}

impl fmt::Debug for Client {
    /// The address of the API, and nothing of the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

/// The OAuth client of a merchant, from Peach's dashboard.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// The merchant's id.
    pub merchant_id: String,
}

/// A builder of a client of V2: see [`Client::builder`].
#[must_use]
pub struct Builder {
    entity_id: String,
    credentials: Credentials,
    secret: Option<SecretToken>,
    tokens: Option<Box<dyn TokenSource>>,
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

    /// Sets the entity's secret token: the client then verifies a status that is signed, and refuses a status
    /// that does not agree. Without the token, and for a status that is not signed, TLS and the access token
    /// are the only protection.
    pub fn secret_token(mut self, secret: SecretToken) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Refuses any status that is not signed with the [`secret_token`](Self::secret_token), and needs that
    /// token: without the token every status is refused. (A status that says that the page was not opened yet
    /// may be unsigned.) Find out first if your statuses are signed; no page says that V2's are.
    pub fn signed_only(mut self) -> Self {
        self.with.signed_only = true;
        self
    }

    /// Sets the source of access tokens. The default is a [`TokenStore`] that [`Client::authenticate`] fills.
    pub fn tokens(mut self, tokens: impl TokenSource + 'static) -> Self {
        self.tokens = Some(Box::new(tokens));
        self
    }

    /// Sets the address of the API, instead of Peach's own host: `https`, a host, and a port if need be.
    /// `http` is allowed for this machine alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.with.checkout_url = Some(url.into());
        self
    }

    /// Sets the address for access tokens, instead of Peach's own host.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.with.auth_url = Some(url.into());
        self
    }

    /// Sets the clock by which tokens expire. The default is the system's clock.
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
        let Credentials { client_id, client_secret, merchant_id } = self.credentials;
        let secret = client_secret.expose_secret();
        for (name, text) in
            [("clientId", &*client_id), ("clientSecret", secret), ("merchantId", &merchant_id)]
        {
            if text.trim().is_empty() {
                return Err(BuildError::Empty(name));
            }
            seen(name, text)?;
        }
        let store = self.tokens.is_none().then(Arc::<TokenStore>::default);
        let tokens = match (self.tokens, &store) {
            (Some(tokens), _) => tokens,
            (None, Some(store)) => Box::new(Arc::clone(store)),
            (None, None) => Box::new(|_| None),
        };
        let oauth = OAuth { client_id, client_secret, merchant_id, tokens, store };
        self.with.merchant(self.entity_id, self.secret, Some(oauth)).map(Arc::new).map(Client)
    }
}

impl fmt::Debug for Builder {
    /// The environment, and nothing of the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("environment", &self.with.environment).finish_non_exhaustive()
    }
}

impl Authorize for Peach {
    type Payload = AccessToken;

    /// The call for an access token, if the store is the client's own and has no token that is good now.
    fn authorization(merchant: &Arc<Merchant>) -> Option<Call<AccessToken>> {
        let store = merchant.oauth.as_ref()?.store.as_ref()?;
        match store.token(merchant.clock.now()) {
            Some(_) => None,
            None => Some(token(merchant)),
        }
    }

    fn keep(merchant: &Arc<Merchant>, answer: &Answer<AccessToken>) -> Result<(), CallError<Self>> {
        match merchant.oauth.as_ref().and_then(|oauth| oauth.store.as_ref()) {
            Some(store) => keep(store, answer),
            None => Ok(()),
        }
    }
}

fn token(merchant: &Arc<Merchant>) -> Call<AccessToken> {
    Call::new(merchant, Route::Token, fixed(Route::Token), Vec::new(), Asked::new(merchant.environment))
}

fn keep(store: &TokenStore, answer: &Answer<AccessToken>) -> Result<(), CallError<Peach>> {
    let asked_at = answer.sent_at();
    store.keep(&answer.payload, asked_at);
    if store.token(asked_at).is_none() {
        return Err(CallError::not_sent(Route::Token.into(), NotSent::AccessTokenExpired));
    }
    Ok(())
}
