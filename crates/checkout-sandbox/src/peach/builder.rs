//! The making of a sandbox.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use checkout_auth::peach::SecretToken;
use checkout_tables::Moment;
use checkout_tables::peach::Environment;

use super::merchant::Merchant;
use super::order::IdRange;
use super::route::Hosts;
use super::sandbox::Sandbox;
use super::scenario::Scenario;
use super::server::Server;
use super::state::State;
use super::{CLIENT_ID, CLIENT_SECRET, ENTITY_ID, MERCHANT_ID, REFERER, SECRET_TOKEN};
use crate::VirtualClock;
use crate::settings::Settings;
use crate::world::World;

impl Sandbox {
    /// A sandbox with one merchant, that of [`ENTITY_ID`], and with the defaults of [`Builder`].
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    /// use checkout_tables::Moment;
    ///
    /// assert_eq!(Sandbox::new(7).clock().now(), Moment::from_unix_millis(1_716_501_000_000));
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::builder().seed(seed).build()
    }

    /// A builder, for a sandbox with settings of your own.
    ///
    /// ```
    /// use checkout_sandbox::peach::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::expired()).build();
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings of a [`Sandbox`].
///
/// ```
/// use checkout_sandbox::VirtualClock;
/// use checkout_sandbox::peach::{Sandbox, Scenario};
/// use checkout_tables::Moment;
/// use checkout_tables::peach::Environment;
///
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(VirtualClock::new(Moment::from_unix_seconds(1_800_000_000)))
///     .environment(Environment::Live)
///     .scenario(Scenario::test_success())
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    settings: Settings<Scenario>,
    merchants: Vec<Merchant>,
    environment: Environment,
    any_host: bool,
    id_range: IdRange,
    token_lasts: Duration,
    expires_in_as_number: bool,
    status_limit: Option<u32>,
}

impl Builder {
    /// Sets the seed from which ids, tokens and cards follow. The default is 0.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the sandbox's clock. The default is a new clock that begins at 2024-05-23 21:50:00 UTC.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, peach::Sandbox};
    /// # use checkout_tables::Moment;
    /// let clock = VirtualClock::new(Moment::from_unix_millis(0));
    /// let sandbox = Sandbox::builder().clock(clock).build();
    /// assert_eq!(sandbox.clock().now(), Moment::from_unix_millis(0));
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    /// Adds a merchant. A merchant with the entity of an earlier merchant takes that merchant's place. A
    /// sandbox without any has the merchant of [`ENTITY_ID`], [`SECRET_TOKEN`], [`CLIENT_ID`],
    /// [`CLIENT_SECRET`], [`MERCHANT_ID`] and the domain of [`REFERER`].
    ///
    /// ```
    /// use checkout_auth::peach::SecretToken;
    /// use checkout_sandbox::peach::{Merchant, Sandbox};
    ///
    /// let mine = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", SecretToken::new("mine".into())?);
    /// let yours = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0026", SecretToken::new("yours".into())?);
    /// let sandbox = Sandbox::builder().merchant(mine).merchant(yours).build();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn merchant(mut self, merchant: Merchant) -> Self {
        match self.merchants.iter_mut().find(|known| known.entity_id() == merchant.entity_id()) {
            Some(known) => *known = merchant,
            None => self.merchants.push(merchant),
        }
        self
    }

    /// Sets the environment, from which the hosts and the code of a success follow. The default is
    /// [`Environment::Sandbox`].
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// # use checkout_tables::peach::Environment;
    /// let sandbox = Sandbox::builder().environment(Environment::Live).build();
    /// ```
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Answers by the path alone, whatever scheme and host a request names: for clients with a base address
    /// of their own.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().any_host().build();
    /// ```
    #[must_use]
    pub fn any_host(mut self) -> Self {
        self.any_host = true;
        self
    }

    /// Requires 8 to 16 characters of a `merchantTransactionId`, as the page of the request says. The default
    /// is 1 to 48 characters, as is seen in use.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().transaction_ids_of_8_to_16().build();
    /// ```
    #[must_use]
    pub fn transaction_ids_of_8_to_16(mut self) -> Self {
        self.id_range = IdRange::Stated;
        self
    }

    /// Sets how long V2's access tokens last, in whole seconds. The default is 14,400 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().access_tokens_last(Duration::from_secs(60)).build();
    /// ```
    #[must_use]
    pub fn access_tokens_last(mut self, lasts: Duration) -> Self {
        self.token_lasts = lasts;
        self
    }

    /// Makes `expires_in` a number. The default is a text: both are published.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().expires_in_as_number().build();
    /// ```
    #[must_use]
    pub fn expires_in_as_number(mut self) -> Self {
        self.expires_in_as_number = true;
        self
    }

    /// Sets the number of requests for a status that a merchant may make in 60 seconds of the clock, `None`
    /// for any number. The default is two, as the page says.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().status_limit(None).build();
    /// ```
    #[must_use]
    pub fn status_limit(mut self, requests: Option<NonZeroU32>) -> Self {
        self.status_limit = requests.map(NonZeroU32::get);
        self
    }

    /// Counts requests without keeping any, for a crowd of checkouts: [`Sandbox::requests`] and
    /// [`Sandbox::status_requests`] stay empty, and [`Sandbox::counts`] tells how many there were. The limit
    /// stays the same. Checkouts are kept; an access token is kept until its end.
    ///
    /// ```
    /// use checkout_sandbox::peach::Sandbox;
    /// use checkout_transport::{BlockingTransport, Request, bytes::Bytes};
    ///
    /// let sandbox = Sandbox::builder().forget_requests().build();
    /// sandbox.send_blocking(Request::new(Bytes::new()))?;
    /// assert!(sandbox.requests().is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    #[must_use]
    pub fn forget_requests(mut self) -> Self {
        self.settings.forgets_requests = true;
        self
    }

    /// Sets the scenario of a checkout for which no scenario of [`Sandbox::next_checkout`] waits. The default
    /// is [`Scenario::happy`]. For a payer who acts when a test says so, take [`Scenario::never_opened`].
    ///
    /// ```
    /// # use checkout_sandbox::peach::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_opened()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.settings.scenario = scenario;
        self
    }

    /// Puts the pages of the payer at addresses of your own: the page of a checkout has the address
    /// `base`, a slash, and the checkout's id. The default is the provider's host.
    ///
    /// A slash at the end of `base` is left out. The sandbox serves no page.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// let sandbox = Sandbox::builder().pages_at("http://127.0.0.1:4700/pay").build();
    /// ```
    #[must_use]
    pub fn pages_at(mut self, base: impl Into<String>) -> Self {
        let base: String = base.into();
        self.settings.pages = Some(base.trim_end_matches('/').to_owned());
        self
    }

    /// Makes the sandbox.
    ///
    /// ```
    /// # use checkout_sandbox::peach::Sandbox;
    /// assert!(Sandbox::builder().build().checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.merchants.is_empty() {
            self.merchants.push(default_merchant());
        }
        let numbered = self.merchants.iter().enumerate();
        let merchant_of =
            numbered.map(|(number, merchant)| (merchant.entity_id().to_owned(), number)).collect();
        let live = self.environment == Environment::Live;
        let hosts = match (self.any_host, live) {
            (true, _) => Hosts::Any,
            (false, true) => Hosts::Live,
            (false, false) => Hosts::Sandbox,
        };
        let clock = self.settings.clock_or(START);
        let state = State::new(self.settings.seed, self.merchants.len());
        Sandbox(Arc::new(Server {
            merchants: self.merchants,
            merchant_of,
            forgets_requests: self.settings.forgets_requests,
            live,
            hosts,
            id_range: self.id_range,
            token_seconds: self.token_lasts.as_secs(),
            expires_in_as_number: self.expires_in_as_number,
            status_limit: self.status_limit,
            scenario: self.settings.scenario,
            pages: self.settings.pages,
            world: World::new(clock, state),
        }))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            merchants: Vec::new(),
            environment: Environment::Sandbox,
            any_host: false,
            id_range: IdRange::Seen,
            token_lasts: Duration::from_secs(14_400),
            expires_in_as_number: false,
            status_limit: Some(2),
        }
    }
}

#[expect(clippy::expect_used, reason = "a test makes a token of the constant")]
pub(super) fn default_merchant() -> Merchant {
    let token = SecretToken::new(SECRET_TOKEN.into()).expect("the constant makes a token");
    let domain = REFERER.trim_start_matches("https://");
    Merchant::new(ENTITY_ID, token).client(CLIENT_ID, CLIENT_SECRET, MERCHANT_ID).domain(domain)
}

/// 2024-05-23 21:50:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_716_501_000);
