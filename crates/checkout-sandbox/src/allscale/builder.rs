//! The making of a sandbox.

use std::num::NonZeroU32;
use std::sync::Arc;

use checkout_auth::allscale::SigningKey;
use checkout_tables::Moment;
use checkout_tables::allscale::TIMESTAMP_WINDOW_SECONDS;

use super::nonces::Nonces;
use super::sandbox::Sandbox;
use super::scenario::Scenario;
use super::server::Server;
use super::state::State;
use super::store::Store;
use super::{API_KEY, API_SECRET, WEBHOOK_URL};
use crate::VirtualClock;
use crate::settings::Settings;
use crate::world::World;

impl Sandbox {
    /// A sandbox with one store, that of [`API_KEY`] and [`API_SECRET`], and with the defaults of
    /// [`Builder`].
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
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
    /// use checkout_sandbox::allscale::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::timeout()).build();
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings of a [`Sandbox`].
///
/// ```
/// use std::num::NonZeroU32;
///
/// use checkout_sandbox::VirtualClock;
/// use checkout_sandbox::allscale::{Sandbox, Scenario};
/// use checkout_tables::Moment;
///
/// let clock = VirtualClock::new(Moment::from_unix_seconds(1_800_000_000));
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(clock.clone())
///     .scenario(Scenario::timeout())
///     .requests_per_minute(NonZeroU32::MIN)
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    settings: Settings<Scenario>,
    stores: Vec<Store>,
    window_seconds: u64,
    requests_per_minute: Option<u32>,
}

impl Builder {
    /// Sets the seed from which ids, hashes and addresses follow. The default is 0.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the sandbox's clock. The default is a new clock that begins at 2024-05-23 21:50:00 UTC, the time
    /// of the one published example of a signed request.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, allscale::Sandbox};
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

    /// Adds a store. A store with the API key of an earlier store takes that store's place. A sandbox without
    /// any has the store of [`API_KEY`], [`API_SECRET`] and [`WEBHOOK_URL`].
    ///
    /// ```
    /// use checkout_auth::allscale::SigningKey;
    /// use checkout_sandbox::allscale::{Sandbox, Store};
    ///
    /// let mine = Store::new(SigningKey::new("st_mine", "st_secret".into())?);
    /// let yours = Store::new(SigningKey::new("st_yours", "st_other_secret".into())?).ip_not_allowed();
    /// let sandbox = Sandbox::builder().store(mine).store(yours).build();
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        match self.stores.iter_mut().find(|known| known.api_key() == store.api_key()) {
            Some(known) => *known = store,
            None => self.stores.push(store),
        }
        self
    }

    /// Sets the greatest distance of a request's time from the clock, either way, in seconds. The default is
    /// [`TIMESTAMP_WINDOW_SECONDS`].
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().timestamp_window_seconds(600).build();
    /// ```
    #[must_use]
    pub fn timestamp_window_seconds(mut self, seconds: u64) -> Self {
        self.window_seconds = seconds;
        self
    }

    /// Counts requests without keeping any, for a crowd of checkouts: [`Sandbox::requests`] stays empty, and
    /// [`Sandbox::counts`] tells how many there were. A nonce is kept for as long as the signed request can
    /// come again, which is twice the [window](Builder::timestamp_window_seconds), and for four windows at
    /// most. Intents are kept.
    ///
    /// ```
    /// use checkout_sandbox::allscale::Sandbox;
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

    /// Sets the number of requests that a store may make in a minute of the clock. The default is no limit.
    ///
    /// ```
    /// # use std::num::NonZeroU32;
    /// # use checkout_sandbox::allscale::Sandbox;
    /// let sandbox = Sandbox::builder().requests_per_minute(NonZeroU32::MIN).build();
    /// ```
    #[must_use]
    pub fn requests_per_minute(mut self, requests: NonZeroU32) -> Self {
        self.requests_per_minute = Some(requests.get());
        self
    }

    /// Sets the scenario of an intent for which no scenario of [`Sandbox::next_intent`] waits. The default is
    /// [`Scenario::happy`].
    ///
    /// ```
    /// # use checkout_sandbox::allscale::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_paid()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.settings.scenario = scenario;
        self
    }

    /// Puts the pages of the payer at addresses of your own: the page of an intent has the address
    /// `base`, a slash, and the intent's id. The default is the provider's host.
    ///
    /// A slash at the end of `base` is left out. The sandbox serves no page.
    ///
    /// ```
    /// # use checkout_sandbox::allscale::Sandbox;
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
    /// # use checkout_sandbox::allscale::Sandbox;
    /// assert!(Sandbox::builder().build().intents().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.stores.is_empty() {
            self.stores.push(default_store());
        }
        let numbered = self.stores.iter().enumerate();
        let store_of = numbered.map(|(number, store)| (store.api_key().to_owned(), number)).collect();
        let nonces = match self.settings.forgets_requests {
            true => Nonces::for_two_windows(self.window_seconds),
            false => Nonces::for_good(),
        };
        let clock = self.settings.clock_or(START);
        let state = State::new(self.settings.seed, self.stores.len(), nonces);
        Sandbox(Arc::new(Server {
            stores: self.stores,
            store_of,
            forgets_requests: self.settings.forgets_requests,
            window_seconds: self.window_seconds,
            requests_per_minute: self.requests_per_minute,
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
            stores: Vec::new(),
            window_seconds: TIMESTAMP_WINDOW_SECONDS,
            requests_per_minute: None,
        }
    }
}

#[expect(clippy::expect_used, reason = "a test makes a store of the constants")]
pub(super) fn default_store() -> Store {
    let key = SigningKey::new(API_KEY, API_SECRET.into()).expect("the constants make a key");
    Store::new(key).webhook_url(WEBHOOK_URL).expect("the constant is a URL")
}

/// 2024-05-23 21:50:00 UTC.
const START: Moment = Moment::from_unix_seconds(1_716_501_000);
