//! Three sandboxes behind one transport and one clock, and an engine over a store in memory.

#![allow(dead_code, reason = "each test takes its part")]
#![allow(clippy::large_enum_variant, clippy::wildcard_enum_match_arm, reason = "a test has few values")]

use checkout_engine::{Builder, Checkout, Engine, Memory, News, Store, Subject};
use checkout_lifecycle::Moment;
use checkout_money::Cents;
use checkout_sandbox::{VirtualClock, allscale, azotte, peach};
use checkout_tables::Environment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) mod clocks;
pub(crate) mod hooks;
pub(crate) mod judge;
pub(crate) mod meant;
pub(crate) mod stage;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The three providers.
#[derive(Clone)]
pub(crate) struct Providers {
    pub(crate) clock: VirtualClock,
    pub(crate) allscale: allscale::Sandbox,
    pub(crate) azotte: azotte::Sandbox,
    pub(crate) peach: peach::Sandbox,
    /// The merchant `v2` of Peach: the same sandbox, unless a test gives each merchant one of its own.
    pub(crate) v2: peach::Sandbox,
}

impl Providers {
    pub(crate) fn new(seed: u64) -> Self {
        let allscale = allscale::Sandbox::new(seed);
        let clock = allscale.clock().clone();
        let peach = peach::Sandbox::builder().seed(seed).clock(clock.clone()).build();
        Self {
            azotte: azotte::Sandbox::builder().seed(seed).clock(clock.clone()).build(),
            v2: peach.clone(),
            peach,
            allscale,
            clock,
        }
    }

    /// Each merchant of Peach with a limit of its own.
    pub(crate) fn with_two_merchants_of_peach(seed: u64) -> Self {
        let providers = Self::new(seed);
        let v2 = peach::Sandbox::builder().seed(!seed).clock(providers.clock.clone()).build();
        Self { v2, ..providers }
    }

    pub(crate) fn is_v2(request: &Request) -> bool {
        let uri = request.uri();
        uri.path().starts_with("/v2/") || uri.path().contains("oauth")
    }
}

impl Transport for Providers {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        if host.contains("allscale") {
            self.allscale.send(request).await
        } else if host.contains("azotte") {
            self.azotte.send(request).await
        } else if Self::is_v2(&request) {
            self.v2.send(request).await
        } else {
            self.peach.send(request).await
        }
    }
}

pub(crate) struct World {
    pub(crate) providers: Providers,
    pub(crate) engine: Engine<Arc<Memory>, Providers>,
    pub(crate) store: Arc<Memory>,
    pub(crate) told: Arc<Mutex<Vec<News>>>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Outcome<Self> {
        let providers = Providers::new(seed);
        let clock = providers.clock.clone();
        let store = Arc::new(Memory::with_clock(move || clock.now()));
        Self::over(providers, store)
    }

    /// Another process over the same store.
    pub(crate) fn another(&self) -> Outcome<Self> {
        let other = Self::over(self.providers.clone(), Arc::clone(&self.store))?;
        Ok(Self { told: Arc::clone(&self.told), ..other })
    }

    pub(crate) fn over(providers: Providers, store: Arc<Memory>) -> Outcome<Self> {
        let engine = engine_over(Arc::clone(&store), providers.clone())?;
        Ok(Self { providers, engine, store, told: Arc::default() })
    }

    /// Works until nothing is due within `span`, in virtual time.
    pub(crate) async fn play(&self, span: Duration) -> Outcome {
        let until = self.providers.clock.now().saturating_add(span);
        let mut steps = 0;
        while self.providers.clock.now() < until {
            steps += 1;
            if steps > 20_000 {
                return Err("twenty thousand steps, and no end".into());
            }
            let wait = self.step().await?;
            self.providers.clock.advance(wait);
        }
        Ok(())
    }

    pub(crate) async fn step(&self) -> Outcome<Duration> {
        let told = Arc::clone(&self.told);
        let tell = move |news: News| {
            let told = Arc::clone(&told);
            async move {
                told.lock().map_err(|error| error.to_string())?.push(news);
                Ok(())
            }
        };
        Ok(self.engine.step(tell).await?)
    }

    pub(crate) fn subjects(&self, id: &str) -> Vec<Subject> {
        let told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        told.iter().filter(|news| news.id == id).map(|news| news.subject).collect()
    }

    pub(crate) async fn checkout(&self, id: &str) -> Outcome<Checkout> {
        Ok(self.engine.checkout(id).await?.ok_or("no such checkout")?)
    }
}

/// An engine with the clients of three merchants: two of Peach, by V1 and by V2.
pub(crate) fn engine_over<S: Store + 'static, T: Transport + 'static>(
    store: S,
    transport: T,
) -> Outcome<Engine<S, T>> {
    Ok(builder_over(store, transport)?.build()?)
}

pub(crate) fn builder_over<S: Store + 'static, T: Transport + 'static>(
    store: S,
    transport: T,
) -> Outcome<Builder<S, T>> {
    // The clients' own clocks stand far off: the store's clock decides.
    let off = || Moment::from_unix_millis(0);
    let key = checkout_auth::allscale::SigningKey::new(allscale::API_KEY, allscale::API_SECRET.into())?;
    let of_allscale = checkout_client::allscale::Client::builder(key);
    let of_azotte = checkout_client::azotte::Client::builder("acme", azotte::X_TN, azotte::API_KEY.into());
    let secret = checkout_auth::peach::SecretToken::new(peach::SECRET_TOKEN.into())?;
    let of_peach = checkout_client::peach::Client::builder(peach::ENTITY_ID, secret.clone());
    let credentials = checkout_client::peach::v2::Credentials {
        client_id: peach::CLIENT_ID.into(),
        client_secret: peach::CLIENT_SECRET.into(),
        merchant_id: peach::MERCHANT_ID.into(),
    };
    let of_v2 = checkout_client::peach::v2::Client::builder(peach::ENTITY_ID, credentials);
    let sandbox = Environment::Sandbox;
    Ok(Engine::builder(store, transport)
        .provider(of_allscale.environment(sandbox).clock(off).build()?)
        .provider(of_azotte.environment(sandbox).clock(off).build()?)
        .provider(of_peach.environment(sandbox).referer(peach::REFERER).clock(off).build()?)
        .merchant(
            "v2",
            of_v2.environment(sandbox).referer(peach::REFERER).secret_token(secret).clock(off).build()?,
        )
        // In virtual time nothing has to be asked twice.
        .poll_every(Duration::from_secs(24 * 60 * 60)))
}

/// Drafts of 49.90 EUR, of a plan, and of 14.99 ZAR.
pub(crate) mod drafts {
    use super::{Cents, Outcome, peach};
    use checkout_engine::Draft;
    use checkout_tables::allscale::Currency;
    use checkout_tables::azotte::PaymentChannel;
    use checkout_validate::{allscale, azotte};

    pub(crate) fn allscale(reference: &str) -> Outcome<Draft> {
        let draft = allscale::Draft::fiat(Currency::EUR, Cents::new(49_90)).order_id(reference.to_owned());
        Ok(draft.check()?.into())
    }

    /// 10.00 USDT.
    pub(crate) fn coin(reference: &str) -> Outcome<Draft> {
        let coin = checkout_tables::allscale::StableCoin::USDT;
        let draft = allscale::Draft::coin(coin, Cents::new(10_00)).order_id(reference.to_owned());
        Ok(draft.check()?.into())
    }

    pub(crate) fn azotte(reference: &str) -> Outcome<Draft> {
        let draft = azotte::Draft::stored_method(PaymentChannel::CreditCard)
            .offer_identifier("off_1")
            .correlation_id(reference.to_owned())
            .item("plan_gold")
            .customer_urn("urn:customer:42");
        Ok(draft.check()?.into())
    }

    pub(crate) fn peach(reference: &str) -> Outcome<Draft> {
        let currency = checkout_tables::peach::Currency::ZAR;
        let draft = checkout_validate::peach::Draft::debit(currency, Cents::new(14_99))
            .entity_id(peach::ENTITY_ID)
            .merchant_transaction_id(reference.to_owned())
            .shopper_result_url("https://shop.example/result");
        Ok(draft.check()?.into())
    }
}

/// Runs a test on a runtime of one thread.
pub(crate) fn block_on(test: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(test)
}
