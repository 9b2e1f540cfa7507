//! The merchants of three providers: how a merchant makes a checkout, and how a merchant reads a checkout.

use super::facts::Fact;
use super::random::Random;
use checkout_kit::allscale::{self, IntentStatus, SigningKey};
use checkout_kit::azotte::{self, MessageCode, PaymentChannel};
use checkout_kit::peach::{self, Lookup, MerchantTransactionId, PaymentStatus, SecretToken};
use checkout_kit::poll::{MerchantId, PollPolicy, ReadKind, ReadOutcome};
use checkout_kit::{
    Answer, CallError, Cents, Environment, Moment, Observable, Tracker,
    tables::{RateLimit, RateScope},
};
use checkout_sandbox::{VirtualClock, allscale as allscale_side, azotte as azotte_side, peach as peach_side};
use std::error::Error;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    AllScale,
    Azotte,
    Peach,
}

impl Provider {
    pub(crate) const ALL: [Self; 3] = [Self::AllScale, Self::Azotte, Self::Peach];
}

/// A poller's knowledge of a checkout.
pub(super) enum Known {
    AllScale(Tracker<IntentStatus>),
    Azotte(Tracker<MessageCode>),
    Peach(Tracker<PaymentStatus>),
}

impl Known {
    /// The text to store.
    pub(super) fn text(&self) -> String {
        match self {
            Self::AllScale(tracker) => tracker.to_string(),
            Self::Azotte(tracker) => tracker.to_string(),
            Self::Peach(tracker) => tracker.to_string(),
        }
    }

    pub(super) fn stored(provider: Provider, text: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match provider {
            Provider::AllScale => Self::AllScale(text.parse()?),
            Provider::Azotte => Self::Azotte(text.parse()?),
            Provider::Peach => Self::Peach(text.parse()?),
        })
    }
}

/// The data of a checkout in the schedule: the data of the request, and the known status.
pub(super) struct Watched {
    pub(super) number: usize,
    pub(super) shop: usize,
    /// The id at the provider, or for Peach the shop's own id.
    pub(super) id: Box<str>,
    pub(super) known: Known,
}

/// The other side: one sandbox for each provider, by one clock.
pub(super) struct Providers {
    pub(super) allscale: allscale_side::Sandbox,
    pub(super) azotte: azotte_side::Sandbox,
    pub(super) peach: peach_side::Sandbox,
}

/// A merchant with one of the providers.
pub(super) struct Shop {
    pub(super) provider: Provider,
    /// The merchant's name in requests: API key, tenant or entity.
    name: String,
    client: Client,
    pub(super) policy: PollPolicy,
    pub(super) limit: Option<RateLimit>,
    /// True if the provider's webhooks reach the merchant.
    pub(super) hears_webhooks: bool,
    /// True if the merchant has more checkouts at noon than the limit allows to follow.
    pub(super) is_busy: bool,
    /// The merchant's share of the provider's business.
    pub(super) weight: u64,
    /// Its account in the schedule.
    pub(super) account: Option<MerchantId>,
    /// The number of watched checkouts, and the largest number.
    pub(super) watched: u64,
    pub(super) most_watched: u64,
    /// The whole time for which the merchant was told to slow down.
    pub(super) told_to_wait: Duration,
    /// The number of reads out of turn.
    pub(super) nudged: u64,
}

enum Client {
    AllScale(allscale::Client),
    Azotte(azotte::Client),
    Peach(peach::Client),
}

impl Providers {
    /// The three sandboxes and their merchants, for about so many checkouts in a day.
    pub(super) fn open(
        clock: &VirtualClock,
        checkouts: u64,
        random: &mut Random,
    ) -> Result<(Self, Vec<Shop>), Box<dyn Error>> {
        let (each, mut shops) = (checkouts / 3, Vec::new());
        let allscale = open_allscale(clock, each, random.number(), &mut shops)?;
        let azotte = open_azotte(clock, each, random.number(), &mut shops)?;
        let peach = open_peach(clock, each, random.number(), &mut shops)?;
        Ok((Self { allscale, azotte, peach }, shops))
    }
}

fn open_allscale(
    clock: &VirtualClock,
    checkouts: u64,
    seed: u64,
    shops: &mut Vec<Shop>,
) -> Result<allscale_side::Sandbox, Box<dyn Error>> {
    let room = NonZeroU32::new(ALLSCALE_REFUSES).ok_or("no room")?;
    let sandbox = allscale_side::Sandbox::builder().seed(seed).clock(clock.clone()).forget_requests();
    let mut sandbox = sandbox.requests_per_minute(room);
    for number in 0..(checkouts / ALLSCALE_EACH).max(2) {
        let name = format!("st_store_{number}");
        let key = SigningKey::new(&*name, format!("st_secret_{number}").into())?;
        sandbox = sandbox.store(allscale_side::Store::new(key.clone()));
        let time = clock.clone();
        let client = allscale::Client::builder(key)
            .environment(Environment::Sandbox)
            .clock(move || time.now())
            .nonces(counter())
            .build()?;
        // One store in four reads on for late money.
        let policy = match number % 4 {
            0 => PollPolicy::allscale()
                .late_payment_reads(Duration::from_secs(900), Duration::from_secs(7_200)),
            _ => PollPolicy::allscale(),
        };
        let limit = RateLimit { requests: ALLSCALE_READS, per_seconds: 60, scope: RateScope::Merchant };
        shops.push(Shop {
            limit: Some(limit),
            hears_webhooks: number % 2 == 0,
            ..Shop::new(Provider::AllScale, name, Client::AllScale(client), policy)
        });
    }
    Ok(sandbox.build())
}

fn open_azotte(
    clock: &VirtualClock,
    checkouts: u64,
    seed: u64,
    shops: &mut Vec<Shop>,
) -> Result<azotte_side::Sandbox, Box<dyn Error>> {
    let mut sandbox = azotte_side::Sandbox::builder().seed(seed).clock(clock.clone()).forget_requests();
    for number in 0..(checkouts / AZOTTE_EACH).max(2) {
        let name = format!("00000000-0000-4000-8000-{number:012}");
        let (project, key) = (format!("shop{number}"), format!("sk_{number}"));
        sandbox = sandbox.tenant(azotte_side::Tenant::new(&*name, &*key).project(&*project));
        let time = clock.clone();
        let client = azotte::Client::builder(project, &*name, key.into())
            .environment(Environment::Sandbox)
            .clock(move || time.now())
            .build()?;
        shops.push(Shop::new(Provider::Azotte, name, Client::Azotte(client), PollPolicy::azotte()));
    }
    Ok(sandbox.build())
}

/// Most merchants are calm. The busy ones have more checkouts at noon than two reads a minute can follow.
fn open_peach(
    clock: &VirtualClock,
    checkouts: u64,
    seed: u64,
    shops: &mut Vec<Shop>,
) -> Result<peach_side::Sandbox, Box<dyn Error>> {
    let mut sandbox = peach_side::Sandbox::builder().seed(seed).clock(clock.clone()).forget_requests();
    let busy = (checkouts * 3 / 10 / PEACH_EACH_BUSY).max(1);
    let calm = (checkouts * 7 / 10 / PEACH_EACH).max(2);
    for number in 0..busy + calm {
        let name = format!("8ac7a4ca{number:024x}");
        let token = SecretToken::new(format!("secret_token_{number}").into())?;
        sandbox = sandbox.merchant(peach_side::Merchant::new(&*name, token.clone()).domain("shop.example"));
        let time = clock.clone();
        let client = peach::Client::builder(&*name, token)
            .environment(Environment::Sandbox)
            .referer("https://shop.example")
            .clock(move || time.now())
            .nonces(counter())
            .build()?;
        let is_busy = number < busy;
        shops.push(Shop {
            limit: peach::Route::Status.rate_limit(),
            hears_webhooks: number % 2 == 0,
            is_busy,
            weight: if is_busy { PEACH_EACH_BUSY } else { PEACH_EACH },
            ..Shop::new(Provider::Peach, name, Client::Peach(client), PollPolicy::peach())
        });
    }
    Ok(sandbox.build())
}

/// Nonces that are the same on every day with the same seed.
fn counter() -> impl Fn() -> String + Send + Sync {
    let given = AtomicU64::new(0);
    move || format!("n-{}", given.fetch_add(1, Ordering::Relaxed))
}

impl Shop {
    fn new(provider: Provider, name: String, client: Client, policy: PollPolicy) -> Self {
        Self {
            provider,
            name,
            client,
            policy,
            limit: None,
            hears_webhooks: false,
            is_busy: false,
            weight: 1,
            account: None,
            watched: 0,
            most_watched: 0,
            told_to_wait: Duration::ZERO,
            nudged: 0,
        }
    }

    /// Makes a checkout that goes through the scenario, and returns the knowledge from the beginning.
    pub(super) fn begin(
        &self,
        providers: &Providers,
        number: usize,
        scenario: &str,
    ) -> Result<(Box<str>, Known), Box<dyn Error>> {
        match &self.client {
            Client::AllScale(client) => {
                let scenario = allscale_side::Scenario::by_name(scenario).ok_or("no such scenario")?;
                providers.allscale.next_intent(scenario);
                let order = format!("order_{number}");
                let intent = allscale::Draft::fiat(allscale::Currency::EUR, Cents::new(4_990))
                    .order_id(&*order)
                    .check()?;
                let created = client.create(&intent).send_blocking(&providers.allscale)?;
                Ok((created.payload.intent_id.into(), Known::AllScale(Tracker::new())))
            }
            Client::Azotte(client) => {
                let scenario = azotte_side::Scenario::by_name(scenario).ok_or("no such scenario")?;
                providers.azotte.next_checkout(scenario);
                let order = format!("order_{number}");
                let submit = azotte::Draft::stored_method(PaymentChannel::CreditCard)
                    .offer_identifier("off_1")
                    .correlation_id(&*order)
                    .item("plan_gold")
                    .customer_urn("urn:customer:42")
                    .check()?;
                let submitted = client.submit(&submit).send_blocking(&providers.azotte)?;
                let mut tracker = Tracker::new();
                if let Some(observation) = submitted.observation() {
                    let _ = tracker.observe(observation, client.now());
                }
                Ok((submitted.payload.tracking_number.into(), Known::Azotte(tracker)))
            }
            Client::Peach(client) => {
                let scenario = peach_side::Scenario::by_name(scenario).ok_or("no such scenario")?;
                providers.peach.next_checkout(scenario);
                let order = format!("order_{number:06}");
                let checkout = peach::Draft::debit(peach::Currency::ZAR, Cents::new(14_99))
                    .entity_id(&*self.name)
                    .merchant_transaction_id(&*order)
                    .shopper_result_url("https://shop.example/result")
                    .check()?;
                client.initiate(&checkout)?.send_blocking(&providers.peach)?;
                Ok((order.into(), Known::Peach(Tracker::new())))
            }
        }
    }

    /// Reads the state of a checkout, and takes the answer in.
    pub(super) fn read(
        &self,
        providers: &Providers,
        watched: &mut Watched,
        fetch: ReadKind,
    ) -> Result<ReadOutcome, Box<dyn Error>> {
        Ok(match (&self.client, &mut watched.known) {
            (Client::AllScale(client), Known::AllScale(tracker)) => match fetch {
                ReadKind::Status => {
                    let came = client.status(&watched.id)?.send_blocking(&providers.allscale);
                    take(came, tracker, fetch, client.now())
                }
                ReadKind::Full => {
                    let came = client.get(&watched.id)?.send_blocking(&providers.allscale);
                    take(came, tracker, fetch, client.now())
                }
            },
            (Client::Azotte(client), Known::Azotte(tracker)) => {
                let came = client.status(&watched.id)?.send_blocking(&providers.azotte);
                take(came, tracker, fetch, client.now())
            }
            (Client::Peach(client), Known::Peach(tracker)) => {
                let lookup = Lookup::MerchantTransactionId(MerchantTransactionId::new(&*watched.id)?);
                let came = client.status(lookup).send_blocking(&providers.peach);
                take(came, tracker, fetch, client.now())
            }
            (Client::AllScale(_) | Client::Azotte(_) | Client::Peach(_), _) => {
                return Err("a checkout of another provider's".into());
            }
        })
    }

    /// Has the next read go wrong in one way or another: no answer says the state of the checkout. True if
    /// the read will arrive at all.
    pub(super) fn spoil_next(&self, providers: &Providers, fetch: ReadKind, random: &mut Random) -> bool {
        match self.provider {
            Provider::AllScale => {
                use allscale_side::Fault;
                let mut faults = vec![
                    Fault::LostBefore,
                    Fault::LostRequest,
                    Fault::LostAnswer,
                    Fault::Garbage,
                    Fault::Truncated,
                    Fault::HtmlBadGateway,
                    Fault::EmptyUnauthorized,
                    Fault::Redirect,
                    Fault::RateLimited,
                    Fault::InternalError,
                    Fault::LateInternalError,
                    Fault::UnknownErrorCode(50_001),
                    Fault::DuplicateKeys,
                ];
                let route = match fetch {
                    ReadKind::Status => allscale::Route::Status,
                    ReadKind::Full => {
                        faults.push(Fault::SwappedIntent);
                        allscale::Route::Get
                    }
                };
                let Some(fault) = random.pick(&faults) else { return true };
                let arrives = !matches!(fault, Fault::LostBefore | Fault::LostRequest);
                providers.allscale.inject_on(route, fault);
                arrives
            }
            Provider::Azotte => {
                use azotte_side::Fault;
                let faults = [
                    Fault::LostBefore,
                    Fault::LostRequest,
                    Fault::LostAnswer,
                    Fault::Garbage,
                    Fault::Truncated,
                    Fault::EmptyBody,
                    Fault::HtmlBadGateway,
                    Fault::Redirect,
                    Fault::EmptyUnauthorized,
                    Fault::RateLimited,
                    Fault::InternalError,
                    Fault::LateInternalError,
                    Fault::EmptyProblem,
                    Fault::SwappedCheckout,
                    Fault::TamperedTracking,
                    Fault::DuplicateKeys,
                ];
                let route = azotte::Route::CheckoutStatus;
                let Some(fault) = random.pick(&faults) else { return true };
                let arrives = !matches!(fault, Fault::LostBefore | Fault::LostRequest);
                providers.azotte.inject_on(route, fault);
                arrives
            }
            Provider::Peach => {
                use peach_side::Fault;
                let faults = [
                    Fault::LostBefore,
                    Fault::LostRequest,
                    Fault::LostAnswer,
                    Fault::Garbage,
                    Fault::Truncated,
                    Fault::HtmlBadGateway,
                    Fault::EmptyUnauthorized,
                    Fault::Redirect,
                    Fault::RateLimited,
                    Fault::InternalError,
                    Fault::LateInternalError,
                    Fault::Refused("200.300.404".to_owned()),
                    Fault::DuplicateKeys,
                    Fault::SwappedCheckout,
                    Fault::TamperedSignature,
                ];
                let route = peach::Route::Status;
                let Some(fault) = random.pick(&faults) else { return true };
                let arrives = !matches!(fault, Fault::LostBefore | Fault::LostRequest);
                providers.peach.inject_on(route, fault);
                arrives
            }
        }
    }

    /// The state of the checkout at the provider, who has every checkout that was begun.
    pub(super) fn fact(&self, providers: &Providers, id: &str) -> Result<Fact, Box<dyn Error>> {
        let fact = match self.provider {
            Provider::AllScale => providers.allscale.intent(id).as_ref().map(Fact::of_intent),
            Provider::Azotte => providers.azotte.checkout(id).as_ref().map(Fact::of_submit),
            Provider::Peach => providers.peach.checkout_of(&self.name, id).as_ref().map(Fact::of_payment),
        };
        fact.ok_or_else(|| "the provider does not know the checkout".into())
    }

    /// The provider's counts.
    pub(super) fn counts(&self, providers: &Providers) -> checkout_sandbox::Counts {
        match self.provider {
            Provider::AllScale => providers.allscale.counts(&self.name),
            Provider::Azotte => providers.azotte.counts(&self.name),
            Provider::Peach => providers.peach.counts(&self.name),
        }
    }

    /// Notes that one more of the merchant's checkouts is watched, or one less.
    pub(super) fn watches(&mut self, one_more: bool) {
        self.watched = if one_more { self.watched + 1 } else { self.watched.saturating_sub(1) };
        self.most_watched = self.most_watched.max(self.watched);
    }

    /// Notes that a checkout of the merchant's is to be read out of turn.
    pub(super) const fn nudge(&mut self) {
        self.nudged += 1;
    }

    /// The longest time for which a read that is due can have to wait.
    ///
    /// Of a merchant's reads that are due the read with the earliest deadline goes first. The deadline is the
    /// due time plus the checkout's interval, and plus the policy's longest pause if the last answer was "too
    /// many requests". So once a read is late by as much, every other checkout goes before the read at most
    /// once more. Nudged checkouts go before the read too, but never two of them in a row. The limit lets so
    /// many reads pass in the limit's time and a second, and none while the merchant was told to wait. A
    /// restored checkout can have to wait for a pause before that.
    pub(super) fn late_at_most(&self) -> Duration {
        let longest = self.longest_interval();
        let told = self.told_to_wait + Duration::from_secs(1) + longest;
        let Some(limit) = self.limit else { return told };
        let turns = (2 * self.most_watched + 1).div_ceil(u64::from(limit.requests));
        2 * longest + Duration::from_secs(turns * (u64::from(limit.per_seconds) + 1)) + told
    }

    fn longest_interval(&self) -> Duration {
        let late = self.policy.late_payment_reads.map(|reads| reads.every).unwrap_or_default();
        self.policy.max_interval.max(self.policy.review.every).max(late)
    }
}

/// The seconds after the beginning at which a checkout's webhooks are sent: AllScale's at the confirmation,
/// and Peach's at each change of the code. Azotte has no webhooks.
pub(super) fn webhooks(provider: Provider, scenario: &str) -> Vec<u64> {
    let mut sent = Vec::new();
    match provider {
        Provider::AllScale => {
            let Some(scenario) = allscale_side::Scenario::by_name(scenario) else { return sent };
            sent.extend((0..SCENARIOS_LAST).find(|at| scenario.status_at(Duration::from_secs(*at)) == 20));
        }
        Provider::Azotte => {}
        Provider::Peach => {
            let Some(scenario) = peach_side::Scenario::by_name(scenario) else { return sent };
            let code = |at| scenario.code_at(Duration::from_secs(at)).to_owned();
            sent.extend((1..SCENARIOS_LAST).filter(|at| code(*at) != code(at - 1)));
        }
    }
    sent
}

/// The names of the provider's scenarios.
pub(super) fn scenarios(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::AllScale => &allscale_side::Scenario::NAMES,
        Provider::Azotte => &azotte_side::Scenario::NAMES,
        Provider::Peach => &peach_side::Scenario::NAMES,
    }
}

/// Takes an answer in, and returns the outcome for the schedule.
fn take<T: Observable>(
    came: Result<Answer<T>, CallError<T::Provider>>,
    tracker: &mut Tracker<T::Status>,
    fetch: ReadKind,
    now: Moment,
) -> ReadOutcome {
    match came {
        // The sandboxes judge how the checkout ends, and nobody needs a verdict here.
        Ok(answer) => answer.read_outcome(fetch, tracker, now).0,
        Err(error) => error.read_outcome(),
    }
}

/// The number of reads that an AllScale store makes in a minute, by a limit of the store's own: no page names
/// a limit.
const ALLSCALE_READS: u32 = 60;

/// The number of requests of a store that AllScale's sandbox takes in a minute: those reads, and some
/// creates.
const ALLSCALE_REFUSES: u32 = 80;

/// The number of checkouts a day of a merchant, more or less.
const ALLSCALE_EACH: u64 = 800;
const AZOTTE_EACH: u64 = 800;
const PEACH_EACH: u64 = 40;
const PEACH_EACH_BUSY: u64 = 600;

/// Longer than every change of a scenario that is waited for, in seconds.
const SCENARIOS_LAST: u64 = 6_000;
