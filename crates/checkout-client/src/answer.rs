//! The answer to a call, with the circumstances that it came in.

use crate::clock_skew::ClockSkew;
use crate::provider::{DifferenceOf, Operation, Readable, RouteOf};
use crate::retry_after;
use checkout_lifecycle::Moment;
use checkout_tables::Environment;
use checkout_transport::Response;
use checkout_trust::settlement::{Read, Settles};
use core::time::Duration;

/// The answer to a call: the payload, and the circumstances of the attempt that brought it.
///
/// A [`Reader`](crate::Reader) alone makes an answer, so the [`environment`](Self::environment) is that of
/// the client that made the call. [`into_read`](Self::into_read) turns the answer to a read into the value
/// that settles an order.
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_sandbox::allscale::{Sandbox, Store};
/// use checkout_kit::tables::Moment;
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let clock = sandbox.clock().clone();
/// let late = move || Moment::from_unix_seconds(clock.now().unix_seconds() - 200);
/// let late = Client::builder(key).clock(late).build()?;
/// let answer = late.ping().send_blocking(&sandbox)?;
/// assert_eq!(answer.payload.pong, "ok");
/// assert_eq!(answer.clock_skew().map(|skew| skew.seconds()), Some(200));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Answer<T: Readable> {
    /// The provider's answer to what was asked.
    pub payload: T,
    /// The provider's id of the request, where the answer has one.
    pub request_id: Option<String>,
    environment: Environment,
    route: RouteOf<T>,
    differences: Vec<DifferenceOf<T>>,
    sent_at: Moment,
    http_status: u16,
    retry_after: Option<String>,
    clock_skew: Option<ClockSkew>,
}

impl<T: Readable> Answer<T> {
    /// The environment of the client that asked: whose money the answer is about.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Sandbox, Store};
    /// # use checkout_tables::Environment;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// let client = Client::builder(key).environment(Environment::Sandbox).clock(move || clock.now()).build()?;
    /// assert_eq!(client.ping().send_blocking(&sandbox)?.environment(), Environment::Sandbox);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// The route that was asked.
    #[must_use]
    pub const fn route(&self) -> RouteOf<T> {
        self.route
    }

    /// The operation that was asked for, in the form that every provider's calls share.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.route.into()
    }

    /// The moment at which the attempt was sent, by the client's clock.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_transport::{Response, bytes::Bytes};
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let viewed = Response::new(Bytes::from_static(br#"{"code":0,"payload":2}"#));
    /// let now = client.now();
    /// let (_, reader) = client.status("65b2")?.attempt(now, "nonce-1")?.into_parts();
    /// assert_eq!(reader.read(&viewed)?.sent_at(), now);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn sent_at(&self) -> Moment {
        self.sent_at
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.http_status
    }

    /// The `Retry-After` header as it came.
    #[must_use]
    pub fn retry_after(&self) -> Option<&str> {
        self.retry_after.as_deref()
    }

    /// The difference between the provider's clock and ours, where the response's `Date` tells.
    #[must_use]
    pub const fn clock_skew(&self) -> Option<ClockSkew> {
        self.clock_skew
    }

    /// The differences between the answer and its request that do not make the answer an error. AllScale's
    /// create alone has such differences ([`allscale::Difference`](crate::allscale::Difference)).
    ///
    /// The intent exists and can be paid, so the answer keeps the intent's page and id. Look here before you
    /// send the payer to the page: a payment in another coin or of another amount than the order's does not
    /// settle the order.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_money::Cents;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # use checkout_tables::allscale::StableCoin;
    /// # use checkout_validate::allscale::Draft;
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// let draft = Draft::coin(StableCoin::USDT, Cents::new(1_000)).accept([StableCoin::USDT]);
    /// sandbox.inject(Fault::AcceptedCoins(3));
    /// let created = client.create(&draft.check()?).send_blocking(&sandbox)?;
    /// let told: Vec<_> = created.differences().iter().map(ToString::to_string).collect();
    /// assert_eq!(told, ["accepted_stable_coins: USDT was asked for, and the answer has USDT, USDC"]);
    /// assert!(created.payload.checkout_url.as_str().starts_with("https://"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn differences(&self) -> &[DifferenceOf<T>] {
        &self.differences
    }

    /// The wait that the `Retry-After` header asks for, from when the request was sent.
    pub(crate) fn header_wait(&self) -> Option<Duration> {
        retry_after::wait(self.retry_after.as_deref()?, self.sent_at, self.clock_skew)
    }

    pub(crate) fn new(
        environment: Environment,
        route: RouteOf<T>,
        answer: checkout_wire::Answer<'static, T>,
        differences: Vec<DifferenceOf<T>>,
        sent_at: Moment,
        response: &Response,
    ) -> Self {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            payload: answer.payload,
            request_id: answer.request_id.map(std::borrow::Cow::into_owned),
            environment,
            route,
            differences,
            sent_at,
            http_status: response.status().as_u16(),
            retry_after: header("retry-after").map(str::to_owned),
            clock_skew: ClockSkew::of(response, sent_at),
        }
    }
}

impl<T: Readable + Settles> Answer<T> {
    /// The answer as the value that settles an order: the payload, and the environment of the client that
    /// made the call.
    ///
    /// The environment is the client's, so that test money is never taken for a live order's. Take other
    /// parts of the answer, such as its [`observation`](Self::observation), before. Two things are trusted:
    /// that the client's environment is that of its key and its host, and that nobody has written into
    /// [`payload`](Self::payload).
    ///
    /// The answers to a create, to a bare status and to Azotte's submit are not reads, and do not compile
    /// here:
    ///
    /// ```compile_fail,E0599
    /// # use checkout_client::Answer;
    /// # use checkout_wire::allscale::CreatedIntent;
    /// fn of_a_create(created: Answer<CreatedIntent<'static>>) {
    ///     let _ = created.into_read(); // CreatedIntent is no Settles
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use checkout_client::Answer;
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// fn of_a_status(status: Answer<Open<IntentStatus>>) {
    ///     let _ = status.into_read(); // Open<IntentStatus> is no Settles
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use checkout_client::{Answer, azotte::Submitted};
    /// fn of_a_submit(submitted: Answer<Submitted<'static>>) {
    ///     let _ = submitted.into_read(); // Submitted is no Settles
    /// }
    /// ```
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_tables::azotte::PaymentChannel;
    /// use checkout_kit::Environment;
    /// use checkout_kit::azotte::Client;
    /// use checkout_kit::settlement::Policy;
    /// use checkout_kit::settlement::azotte::Order;
    /// use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
    /// # use checkout_validate::azotte::Draft;
    ///
    /// let sandbox = Sandbox::new(1);
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// let number = client.submit(&submit).send_blocking(&sandbox)?.payload.tracking_number;
    /// sandbox.clock().advance(std::time::Duration::from_secs(60));
    ///
    /// let read = client.status(&number)?.send_blocking(&sandbox)?.into_read();
    /// let order = Order { environment: Environment::Sandbox, tracking_number: &number };
    /// assert!(order.settled_by(&read).is_settled());
    /// // Goods of the live shop do not leave for it.
    /// let live = Order { environment: Environment::Live, ..order };
    /// assert!(!live.settled_by(&read).is_settled());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn into_read(self) -> Read<T> {
        Read::answer(self.payload, self.environment)
    }
}
