//! Azotte C2A: one tenant's access.

mod backend;

#[cfg(feature = "system")]
use crate::SystemClock;
use crate::base_url::{base_url, is_label, seen};
use crate::{Answer, BuildError, Call, CheckoutClient, Clock, Watch};
use checkout_lifecycle::Moment;
use checkout_tables::Environment;
use checkout_tables::azotte::{HOST_SUFFIX_LIVE, HOST_SUFFIX_SANDBOX, Route};
use checkout_transport::http::HeaderValue;
use checkout_validate::azotte::SubmitCheckout;
use checkout_validate::{ExposeSecret, IdError, PathSegment, SecretString};
use checkout_wire::azotte::{CheckoutResult, path, submit_body};
use core::fmt;
use std::sync::Arc;

use backend::{Asked, Tenant};
pub use backend::{Azotte, Submitted};

/// One tenant's access to Azotte: the tenant's key, the address of the API, and a clock. Cheap to clone; a
/// process can have one for each tenant.
///
/// Source: Azotte C2A, *Get Checkout Status*, Sample Codes: the host and the two headers.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::Environment;
/// use checkout_kit::azotte::Client;
///
/// let tenant = "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f";
/// let client = Client::builder("acme", tenant, "sk_dev_1".into()).environment(Environment::Sandbox).build()?;
/// assert_eq!(client.base_url(), "https://acme.sandbox.azotte.com");
/// assert!(!format!("{client:?}").contains("sk_dev_1"));
/// # }
/// # Ok::<(), checkout_client::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Tenant>);

impl Client {
    /// Begins a client with a project, the tenant's id (`x-tn`) and the API key (`x-api-key`). By default the
    /// client is a live tenant's, at the project's own host.
    pub fn builder(project: impl Into<String>, tenant: impl Into<String>, api_key: SecretString) -> Builder {
        Builder {
            project: project.into(),
            tenant: tenant.into(),
            api_key,
            environment: Environment::Live,
            base_url: None,
            #[cfg(feature = "system")]
            clock: Some(Box::new(SystemClock)),
            #[cfg(not(feature = "system"))]
            clock: None,
        }
    }

    /// The client's environment: whose money the calls are about.
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

    /// The address of the API: scheme and authority.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Submits a checkout. The answer has the shape of a status and can already ask for a challenge, or be
    /// final. The answer confirms no payment: [`Submitted`] is not a read, so read the status.
    ///
    /// The `correlationId` makes a repeat safe: a submit that is sent again under the same `correlationId`,
    /// after a lost answer too, does not charge twice.
    ///
    /// Source: Azotte C2A, *Submit Checkout*.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::azotte::{Client, Draft, PaymentChannel};
    /// use checkout_kit::tables::Repeat;
    ///
    /// let client = Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_1".into()).build()?;
    /// let submit = Draft::stored_method(PaymentChannel::CreditCard)
    ///     .offer_identifier("off_1")
    ///     .correlation_id("order_123")
    ///     .item("plan_gold")
    ///     .customer_urn("urn:customer:42")
    ///     .check()?;
    /// let call = client.submit(&submit);
    /// assert_eq!(call.path(), "/api/v1/c2a/offer/checkout");
    /// assert_eq!(call.repeat(), Repeat::Keyed);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn submit(&self, submit: &SubmitCheckout<'_>) -> Call<Submitted<'static>> {
        let route = Route::SubmitCheckout;
        // A route without an id in its path always has one.
        let path = path(route, None).unwrap_or_default();
        Call::new(&self.0, route, path, submit_body(submit), Asked::default())
    }

    /// Reads the status of a checkout, for polling. The pauses are in
    /// [`poll_after`](crate::Answer::poll_after).
    ///
    /// # Errors
    /// [`IdError`], for the three ids that cannot stand in a path.
    ///
    /// Source: Azotte C2A, *Get Checkout Status*.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_client::azotte::Client;
    /// # let client = Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_1".into()).build()?;
    /// assert_eq!(client.status("trk_1")?.path(), "/api/v1/c2a/offer/checkout/trk_1/status");
    /// assert!(client.status("").is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self, tracking_number: &str) -> Result<Call<CheckoutResult<'static>>, IdError> {
        let segment = PathSegment::new(tracking_number)?;
        let route = Route::CheckoutStatus;
        // A route with an id in its path always has one.
        let path = path(route, Some(segment)).unwrap_or_default();
        let asked = Asked { tracking_number: tracking_number.to_owned() };
        Ok(Call::new(&self.0, route, path, Vec::new(), asked))
    }

    /// Watches a checkout to its end, by its number alone: the first read goes out after the 2 s that the
    /// page has for a submit ([`PollPolicy::initial_wait`](checkout_poll::PollPolicy::initial_wait)). A
    /// caller with the submit's answer uses [`watch_submitted`](Self::watch_submitted), which knows the wait
    /// of that answer, and can already have a challenge.
    ///
    /// # Errors
    /// [`IdError`], for the three ids that cannot stand in a path.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_client::azotte::Client;
    /// # let client = Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_1".into()).build()?;
    /// let watch = client.watch("trk_1")?;
    /// assert_eq!(watch.full_call().path(), "/api/v1/c2a/offer/checkout/trk_1/status");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(&self, tracking_number: &str) -> Result<Watch<CheckoutResult<'static>>, IdError> {
        let status = self.status(tracking_number)?;
        Ok(Watch::new(status.clone(), status, tracking_number))
    }

    /// Watches the submitted checkout to its end, from the submit's answer on. The watch keeps the wait that
    /// the answer asks for before the first read: `retryAfterSeconds`, else `Retry-After`, else 2 s. The
    /// watch knows the answer's status, and reports a challenge of the answer first. The answer settles
    /// nothing: if the answer has a final status, the watch reads the checkout before the watch ends.
    ///
    /// Source: Azotte C2A, *Get Checkout Status*, Polling Pattern.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// use checkout_kit::Change;
    /// use checkout_kit::azotte::Client;
    /// use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    /// # use checkout_tables::{Environment, azotte::PaymentChannel};
    /// # use checkout_validate::azotte::Draft;
    ///
    /// let sandbox = Sandbox::builder().scenario(Scenario::three_ds_at_once()).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// let mut watch = client.watch_submitted(client.submit(&submit).send_blocking(&sandbox)?)?;
    /// assert!(matches!(watch.take_change(), Some(Change::Phase { .. })));
    /// assert!(matches!(watch.take_change(), Some(Change::AskPayer { .. })));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`IdError`], for a `trackingNumber` that was changed to one of the three that cannot stand in a path.
    pub fn watch_submitted(
        &self,
        submitted: Answer<Submitted<'static>>,
    ) -> Result<Watch<CheckoutResult<'static>>, IdError> {
        let watch = self.watch(&submitted.payload.tracking_number)?;
        Ok(watch.submitted(submitted))
    }
}

impl CheckoutClient for Client {
    type Payload = CheckoutResult<'static>;
    type Id = str;
    type IdError = IdError;

    fn environment(&self) -> Environment {
        self.environment()
    }

    fn now(&self) -> Moment {
        self.now()
    }

    fn status_call(&self, id: &str) -> Result<Call<CheckoutResult<'static>>, IdError> {
        self.status(id)
    }

    fn full_call(&self, id: &str) -> Result<Call<CheckoutResult<'static>>, IdError> {
        self.status(id)
    }

    fn watch(&self, id: &str) -> Result<Watch<CheckoutResult<'static>>, IdError> {
        self.watch(id)
    }
}

impl fmt::Debug for Client {
    /// The address of the API, and nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

/// A builder of a client: see [`Client::builder`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// use checkout_kit::BuildError;
/// use checkout_kit::azotte::Client;
///
/// let nowhere = Client::builder("acme.example/", "t", "sk_1".into()).build();
/// assert_eq!(nowhere.unwrap_err(), BuildError::Project);
/// # }
/// ```
#[must_use]
pub struct Builder {
    project: String,
    tenant: String,
    api_key: SecretString,
    environment: Environment,
    base_url: Option<String>,
    clock: Option<Box<dyn Clock>>,
}

impl Builder {
    /// Sets the client's environment, which selects one of the two hosts. The default is live.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the address of the API, instead of the project's host: `https`, a host, and a port if need be.
    /// `http` is allowed for this machine alone.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the clock that puts reads in order. The default is the system's clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let base_url = match &self.base_url {
            Some(url) => base_url(url)?,
            None if !is_label(&self.project) => {
                seen("project", &self.project)?;
                return Err(BuildError::Project);
            }
            None => {
                let suffix = match self.environment {
                    Environment::Live => HOST_SUFFIX_LIVE,
                    Environment::Sandbox => HOST_SUFFIX_SANDBOX,
                };
                format!("https://{}{suffix}", self.project)
            }
        };
        Ok(Client(Arc::new(Tenant {
            base_url,
            environment: self.environment,
            tenant: header("x-tn", &self.tenant)?,
            api_key: header("x-api-key", self.api_key.expose_secret())?,
            clock: self.clock.ok_or(BuildError::NoClock)?,
        })))
    }
}

impl fmt::Debug for Builder {
    /// The address of the API, and nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("environment", &self.environment).finish_non_exhaustive()
    }
}

/// A header's value that `Debug` does not print.
fn header(name: &'static str, text: &str) -> Result<HeaderValue, BuildError> {
    if text.trim().is_empty() {
        return Err(BuildError::Empty(name));
    }
    seen(name, text)?;
    crate::call::sensitive(text).filter(|_| text.is_ascii()).ok_or(BuildError::Header(name))
}
