//! The making of a sandbox.

use std::sync::Arc;

use checkout_tables::Moment;

use super::sandbox::Sandbox;
use super::scenario::Scenario;
use super::server::Server;
use super::state::State;
use super::tenant::Tenant;
use super::{API_KEY, X_TN};
use crate::VirtualClock;
use crate::settings::Settings;
use crate::world::World;

impl Sandbox {
    /// A sandbox with one tenant, that of [`X_TN`] and [`API_KEY`], and with the defaults of [`Builder`].
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
    /// use checkout_tables::Moment;
    ///
    /// assert_eq!(Sandbox::new(7).clock().now(), Moment::from_unix_millis(1_717_246_327_923));
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::builder().seed(seed).build()
    }

    /// A builder, for a sandbox with settings of your own.
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Scenario};
    ///
    /// let sandbox = Sandbox::builder().seed(7).scenario(Scenario::three_ds_html()).build();
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
/// use checkout_sandbox::azotte::{Sandbox, Scenario, Tenant};
/// use checkout_tables::Moment;
///
/// let clock = VirtualClock::new(Moment::from_unix_seconds(1_800_000_000));
/// let sandbox = Sandbox::builder()
///     .seed(7)
///     .clock(clock.clone())
///     .tenant(Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_of_acme").project("acme"))
///     .scenario(Scenario::slow())
///     .conceals_other_tenants()
///     .build();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    settings: Settings<Scenario>,
    tenants: Vec<Tenant>,
    conceals_other_tenants: bool,
}

impl Builder {
    /// Sets the seed from which ids follow. The default is 0.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// let sandbox = Sandbox::builder().seed(7).build();
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the sandbox's clock. The default is a new clock that begins at 2024-06-01 12:52:07.923 UTC, the
    /// time in the tracking number of the page's samples.
    ///
    /// ```
    /// # use checkout_sandbox::{VirtualClock, azotte::Sandbox};
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

    /// Adds a tenant. A tenant with the `x-tn` of an earlier tenant takes that tenant's place. A sandbox
    /// without any has the tenant of [`X_TN`] and [`API_KEY`].
    ///
    /// ```
    /// use checkout_sandbox::azotte::{Sandbox, Tenant};
    ///
    /// let mine = Tenant::new("00000000-0000-4000-8000-000000000001", "sk_of_mine");
    /// let yours = Tenant::new("00000000-0000-4000-8000-000000000002", "sk_of_yours");
    /// let sandbox = Sandbox::builder().tenant(mine).tenant(yours).build();
    /// ```
    #[must_use]
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        match self.tenants.iter_mut().find(|known| known.x_tn() == tenant.x_tn()) {
            Some(known) => *known = tenant,
            None => self.tenants.push(tenant),
        }
        self
    }

    /// Answers another tenant's tracking number with 404, like a tracking number that is nobody's. The
    /// default is 409: Azotte's pages say 404 in one place and 409 in another.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
    /// let sandbox = Sandbox::builder().conceals_other_tenants().build();
    /// ```
    #[must_use]
    pub fn conceals_other_tenants(mut self) -> Self {
        self.conceals_other_tenants = true;
        self
    }

    /// Counts requests without keeping any, for a crowd of checkouts: [`Sandbox::requests`] stays empty, and
    /// [`Sandbox::counts`] tells how many there were. Checkouts and used correlation ids are kept.
    ///
    /// ```
    /// use checkout_sandbox::azotte::Sandbox;
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
    /// is [`Scenario::happy`].
    ///
    /// ```
    /// # use checkout_sandbox::azotte::{Sandbox, Scenario};
    /// let sandbox = Sandbox::builder().scenario(Scenario::never_ends()).build();
    /// ```
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.settings.scenario = scenario;
        self
    }

    /// Puts the pages of the payer at addresses of your own: the page of a checkout has the address
    /// `base`, a slash, and the tracking number. The default is the provider's host.
    ///
    /// A slash at the end of `base` is left out. The sandbox serves no page.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Sandbox;
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
    /// # use checkout_sandbox::azotte::Sandbox;
    /// assert!(Sandbox::builder().build().checkouts().is_empty());
    /// ```
    #[must_use]
    pub fn build(mut self) -> Sandbox {
        if self.tenants.is_empty() {
            self.tenants.push(Tenant::new(X_TN, API_KEY));
        }
        let numbered = self.tenants.iter().enumerate();
        let tenant_of = numbered.map(|(number, tenant)| (tenant.x_tn().to_owned(), number)).collect();
        let clock = self.settings.clock_or(START);
        let state = State::new(self.settings.seed, self.tenants.len());
        Sandbox(Arc::new(Server {
            tenants: self.tenants,
            tenant_of,
            forgets_requests: self.settings.forgets_requests,
            conceals_other_tenants: self.conceals_other_tenants,
            scenario: self.settings.scenario,
            pages: self.settings.pages,
            world: World::new(clock, state),
        }))
    }
}

/// 2024-06-01 12:52:07.923 UTC.
const START: Moment = Moment::from_unix_millis(1_717_246_327_923);
