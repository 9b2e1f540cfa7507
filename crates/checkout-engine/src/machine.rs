//! The machine: from leased work to the next request or write. No I/O, no clock.

mod context;
mod create;
mod read;
mod rules;

use crate::checkout::{Checkout, Provider, State};
use crate::draft::{Draft, StoredDraft};
use crate::notes::Notes;
use crate::store::{Due, Lane, Write};
use checkout_client::{PollPolicy, Watchable, allscale, azotte, peach};
use checkout_tables::{Environment, Moment, RateLimit};
use checkout_transport::{Request, Response, TransportError};
use checkout_trust::settlement;
use checkout_validate::peach::MerchantTransactionId;
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;
use context::Context;
use core::fmt;
use core::time::Duration;
use rules::{OfAllScale, OfAzotte, OfPeach};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The client of a merchant at a provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Client {
    /// AllScale.
    AllScale(allscale::Client),
    /// Azotte.
    Azotte(azotte::Client),
    /// Peach, V1.
    Peach(peach::Client),
    /// Peach, V2.
    PeachV2(peach::v2::Client),
}

macro_rules! from_clients {
    ($($variant:ident($client:ty)),+) => {
        $(impl From<$client> for Client {
            fn from(client: $client) -> Self {
                Self::$variant(client)
            }
        })+
    };
}

from_clients!(
    AllScale(allscale::Client),
    Azotte(azotte::Client),
    Peach(peach::Client),
    PeachV2(peach::v2::Client)
);

impl Client {
    /// The provider.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::AllScale(_) => Provider::AllScale,
            Self::Azotte(_) => Provider::Azotte,
            Self::Peach(_) => Provider::Peach,
            Self::PeachV2(_) => Provider::PeachV2,
        }
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> Environment {
        match self {
            Self::AllScale(client) => client.environment(),
            Self::Azotte(client) => client.environment(),
            Self::Peach(client) => client.environment(),
            Self::PeachV2(client) => client.environment(),
        }
    }

    const fn limit(&self) -> Option<RateLimit> {
        match self {
            Self::AllScale(_) => Intent::LIMIT,
            Self::Azotte(_) => CheckoutResult::LIMIT,
            Self::Peach(_) | Self::PeachV2(_) => Payment::LIMIT,
        }
    }
}

/// The rules of the engine that a shop can choose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// The time for which a create is tried again where nothing was created: 5 minutes. Assumed: a payer
    /// does not wait longer for a page.
    pub create_for: Duration,
    /// The time for which a create of unknown outcome waits for a webhook before a person has to look: an
    /// hour. Assumed: AllScale's intents are paid within an hour, and its webhook comes at the payment.
    pub unknown_for: Duration,
    /// The pause after the deadline of the poll policy, before the engine looks again: 5 minutes. Each pause
    /// is twice the pause before.
    pub look_after: Duration,
    /// The longest pause between two looks: a day.
    pub look_every: Duration,
    /// The age up to which the engine looks: 30 days. Then the checkout is given up. Assumed: as long as
    /// Peach repeats a webhook.
    pub look_for: Duration,
    /// The policy by which a read settles an order.
    pub settlement: settlement::Policy,
    /// The pace of reads, by provider. The default is the provider's own policy with late reads: a checkout
    /// that failed can be paid all the same. AllScale and Azotte are asked each hour for three days, Peach
    /// twice within a day. Assumed: no page says how late a payment can come.
    pub poll: BTreeMap<Provider, PollPolicy>,
}

impl Rules {
    /// The policy for a provider: late reads are added to the provider's own policy.
    fn policy(&self, provider: Provider) -> PollPolicy {
        if let Some(own) = self.poll.get(&provider) {
            return *own;
        }
        match provider {
            Provider::AllScale => PollPolicy::allscale().late_payment_reads(HOUR, HOUR * 24 * 3),
            Provider::Azotte => PollPolicy::azotte().late_payment_reads(HOUR, HOUR * 24 * 3),
            // Two reads a minute are for new checkouts, and Peach repeats its webhooks for a month.
            Provider::Peach | Provider::PeachV2 => {
                PollPolicy::peach().late_payment_reads(HOUR * 12, HOUR * 24)
            }
        }
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

impl Default for Rules {
    fn default() -> Self {
        Self {
            create_for: Duration::from_secs(5 * 60),
            unknown_for: HOUR,
            look_after: Duration::from_secs(5 * 60),
            look_every: HOUR * 24,
            look_for: HOUR * 24 * 30,
            settlement: settlement::Policy::default(),
            poll: BTreeMap::new(),
        }
    }
}

/// The decisions of the engine, as functions of leased work: told the time, the response of the provider and
/// nothing else. A driver asks for the next [`Task`], does it, and asks again until the task is a write.
///
/// [`Engine`](crate::Engine) is the driver for programs with tokio. Take the machine itself for a driver of
/// your own, such as the worker of a job runner.
#[derive(Debug, Default)]
pub struct Machine {
    clients: BTreeMap<(Provider, String), Client>,
    rules: Arc<Rules>,
}

/// The next step of leased work.
#[must_use = "the work is leased until it is written"]
pub enum Task {
    /// Send the request, and hand the outcome on.
    Send(Box<Exchange>),
    /// Write, keep the lease, and go on.
    Save(Box<Save>),
    /// Write: the work is done.
    Write(Box<Write>),
}

/// A request, and what follows from its outcome.
pub struct Exchange {
    request: Request,
    then: Box<dyn FnOnce(Result<Response, TransportError>, Moment) -> Task + Send>,
}

impl Exchange {
    /// The request for the transport, and the function that takes the outcome and the time.
    pub fn into_parts(
        self,
    ) -> (Request, impl FnOnce(Result<Response, TransportError>, Moment) -> Task + Send) {
        (self.request, self.then)
    }
}

/// A write under a lease that goes on, and what follows.
pub struct Save {
    write: Write,
    then: Box<dyn FnOnce(Moment) -> Task + Send>,
}

impl Save {
    /// The write, and the function that takes the time and gives the next task. Call it only after the write
    /// was done.
    pub fn into_parts(self) -> (Write, impl FnOnce(Moment) -> Task + Send) {
        (self.write, self.then)
    }
}

/// The reason why a draft makes no checkout. Nothing was stored or sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The id is empty, longer than 200 bytes, or has a NUL.
    #[error("id: 1 to 200 bytes, without NUL")]
    Id,
    /// The draft for AllScale has no `order_id`, by which a webhook could name the checkout.
    #[error("order_id: the engine needs it, so that a webhook can name the checkout")]
    NoOrderId,
    /// The draft has a card, which the engine does not store: submit it by the client, and enqueue the
    /// checkout.
    #[error(
        "payment_method: a draft with a card is not stored; submit it by the client, and enqueue the checkout"
    )]
    Card,
    /// The engine has no client for the draft's provider and the merchant.
    #[error("merchant {merchant}: the engine has no client for the provider of this draft")]
    NoClient {
        /// The merchant.
        merchant: String,
    },
}

const NO_NOTES: &str = "the notes of the row cannot be read";

/// The pause before another process may look at work without a client here.
const NO_CLIENT: Duration = Duration::from_secs(10);

/// The longest id, in bytes.
const MAX_ID: usize = 200;

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send(_) => "Send",
            Self::Save(_) => "Save",
            Self::Write(_) => "Write",
        })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("method", self.request.method()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Save {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Save").finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine with these rules, and no merchants.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { clients: BTreeMap::new(), rules: Arc::new(rules) }
    }

    /// Adds a merchant's client. A client of the same provider and merchant is replaced.
    pub fn add(&mut self, merchant: impl Into<String>, client: impl Into<Client>) {
        let client = client.into();
        self.clients.insert((client.provider(), merchant.into()), client);
    }

    /// The client of a merchant.
    #[must_use]
    pub fn client(&self, provider: Provider, merchant: &str) -> Option<&Client> {
        self.clients.get(&(provider, merchant.to_owned()))
    }

    /// The provider for a draft of a merchant: V2 of Peach, where the merchant has a client of V2.
    #[must_use]
    pub fn provider_for(&self, draft: &Draft, merchant: &str) -> Option<Provider> {
        let candidates: &[Provider] = match draft {
            Draft::AllScale(_) => &[Provider::AllScale],
            Draft::Azotte(_) => &[Provider::Azotte],
            Draft::Peach(_) => &[Provider::PeachV2, Provider::Peach],
        };
        candidates.iter().copied().find(|provider| self.client(*provider, merchant).is_some())
    }

    /// The lanes of the machine's merchants, with their limits.
    #[must_use]
    pub fn lanes(&self) -> Vec<Lane> {
        let lanes = self
            .clients
            .iter()
            .map(|((provider, merchant), client)| (Lane::name_of(*provider, merchant), client.limit()));
        let lanes: BTreeMap<String, Option<RateLimit>> = lanes.collect();
        lanes.into_iter().map(|(name, limit)| Lane { name, limit }).collect()
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The next task of leased work.
    pub fn next(&self, due: Due, now: Moment) -> Task {
        let (tries, quarantine) = (due.tries, due.is_quarantined());
        let client = self.client(due.checkout.provider, &due.checkout.merchant).cloned();
        // First of all: each write of this claim takes the name from the work.
        let mut cx = Context::of(due, &self.rules, now).adopt_named();
        let Some(client) = client else {
            // Another process may have the client: Peach's two interfaces share a lane.
            if cx.is_readable() && cx.in_trouble_for() < self.rules.unknown_for {
                return cx.again(NO_CLIENT);
            }
            return cx.held("no process has a client for the merchant: add the client, and release");
        };
        if quarantine {
            let before = tries.saturating_sub(1);
            return cx.held(&format!("quarantined: {before} claims in turn ended without a write"));
        }
        if !cx.is_readable() {
            return cx.held(NO_NOTES);
        }
        if cx.checkout().environment != client.environment() {
            return cx.held("the checkout is of another environment than the merchant's client");
        }
        match cx.checkout().state {
            State::Sending => create::next(cx, &client),
            State::Unknown => create::look_up(cx, &client),
            State::Open
            | State::Settled
            | State::Failed
            | State::GaveUp
            | State::Refused
            | State::Unsettled
            | State::Closed => Self::read(cx, &client),
        }
    }

    /// The row of a new checkout, for [`Store::insert`](crate::Store::insert): saved before anything is sent.
    ///
    /// # Errors
    /// [`PrepareError`], which names the part that does not fit.
    pub fn prepare(
        &self,
        merchant: &str,
        id: &str,
        draft: &Draft,
        now: Moment,
    ) -> Result<Checkout, PrepareError> {
        if id.is_empty() || id.len() > MAX_ID || id.contains('\0') {
            return Err(PrepareError::Id);
        }
        let reference = draft.reference().ok_or(PrepareError::NoOrderId)?.to_owned();
        let provider = self.provider_for(draft, merchant);
        let provider = provider.ok_or_else(|| PrepareError::NoClient { merchant: merchant.to_owned() })?;
        let client = self.client(provider, merchant);
        let environment = client.map_or(Environment::Sandbox, Client::environment);
        let stored = StoredDraft::of(draft).ok_or(PrepareError::Card)?;
        // Who cannot be asked nor sent to again is sent to after a save of its own: a row whose insert had no
        // answer was not sent, and its create goes on.
        let under_way = !matches!(provider, Provider::AllScale | Provider::PeachV2);
        let notes = Notes {
            draft: Some(stored),
            attempts: under_way.into(),
            under_way,
            since: now.unix_millis(),
            tried_since: now.unix_millis(),
            ..Notes::default()
        };
        Ok(Checkout {
            id: id.to_owned(),
            provider,
            merchant: merchant.to_owned(),
            environment,
            state: State::Sending,
            reference,
            checkout_id: None,
            page: None,
            hold: None,
            notes: notes.text(),
            version: 0,
            created_at: now,
            changed_at: now,
        })
    }

    /// The first task of a checkout that was just [prepared](Self::prepare) and inserted under a lease.
    pub fn first(&self, due: Due, now: Moment) -> Task {
        let client = self.client(due.checkout.provider, &due.checkout.merchant).cloned();
        let cx = Context::of(due, &self.rules, now);
        match client {
            Some(client) if cx.is_readable() && cx.notes().under_way => create::send(cx, &client),
            Some(client) if cx.is_readable() => create::next(cx, &client),
            Some(_) | None => cx.held(NO_NOTES),
        }
    }

    fn read(cx: Context, client: &Client) -> Task {
        let id = cx.checkout().checkout_id.clone();
        match (client, id) {
            (Client::AllScale(client), Some(id)) => read::next::<_, OfAllScale>(cx, client, &*id, None),
            (Client::Azotte(client), Some(id)) => read::next::<_, OfAzotte>(cx, client, &*id, None),
            (Client::Peach(client), _) => match MerchantTransactionId::new(cx.checkout().reference.clone()) {
                Ok(id) => read::next::<_, OfPeach>(cx, client, &id.into_owned().into(), None),
                Err(error) => cx.held(&format!("the checkout cannot be read: {error}")),
            },
            (Client::PeachV2(client), Some(id)) => match client.token_call(cx.now()) {
                None => read::next::<_, OfPeach>(cx, client, &*id, None),
                Some(call) => {
                    let keeper = client.clone();
                    create::with_token(cx, &call, client.clone(), move |cx| {
                        read::next::<_, OfPeach>(cx, &keeper, &*id, None)
                    })
                }
            },
            (_, None) if cx.checkout().state.is_end() => cx.ended(),
            (_, None) => cx.held("no answer and no event has named the checkout"),
        }
    }
}
