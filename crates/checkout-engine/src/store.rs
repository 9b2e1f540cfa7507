//! The store: what the engine asks of a database.

use crate::checkout::{Checkout, Provider, State};
use checkout_tables::{Moment, RateLimit};
use checkout_trust::replay::Key;
use core::future::Future;
use core::time::Duration;
use std::error::Error;
use std::time::Instant;

/// A store of checkouts, which many processes share.
///
/// **Every operation is one transaction.** A process that dies within an operation has done all of it or
/// nothing. The store's own clock decides leases and dues: no argument is a moment of the caller's, and spans
/// count from the store's now.
///
/// A store keeps two kinds of rows for a checkout: the lasting [`Checkout`], and **work** as long as there is
/// something to do: when it is due, who has it, and the stored watch. A claim leases the work by setting its
/// due to the end of the lease, under a **fence**: a number that no other claim ever had. Each write names
/// the fence, and a write under an old fence changes nothing ([`Written::Lost`]). Nobody is asked if a
/// process lives: the end of the lease makes the work due again.
///
/// A **lane** is the work of one merchant. A lane has the merchant's limit, and a claim takes work of a lane
/// only together with a place under the limit, so nobody holds work that must wait. A place is taken from the
/// claim until the outcome of the read is written, or until the lease's end, and then for the limit's span
/// and [`LIMIT_MARGIN`]. So over any span the provider counts no more requests than the limit allows: a
/// request with an answer is counted between its claim and its write. A request without an answer can be one
/// too many, if the network delivers the request later than the margin after the write or after the lease's
/// end.
///
/// The suite in `conformance` (a feature) holds a store to all of this.
pub trait Store: Send + Sync {
    /// The store's clock.
    fn now(&self) -> impl Future<Output = Result<Moment, StoreError>> + Send;

    /// The store's clock a little later, without asking: it was `at` at the instant `since`. A store in the
    /// process, whose clock is a call away, answers with its clock.
    fn later(&self, at: Moment, since: Instant) -> Moment {
        at.saturating_add(since.elapsed())
    }

    /// The moment that the store's clock shows now, unless somebody has set the clock since: it was `at` at
    /// the instant `since`. A store on the machine's clock does not look at that clock here. A virtual clock
    /// is never set, so its store answers as [`later`](Self::later) does.
    fn steady(&self, at: Moment, since: Instant) -> Moment {
        self.later(at, since)
    }

    /// Makes lanes known, with their limits. Called at the start of a process, for all of its merchants.
    fn lanes(&self, lanes: &[Lane]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds a checkout with its work, which the caller holds under a lease, or leaves what is there as it is.
    /// `version`, `created_at` and `changed_at` of the argument do not count. The lease counts as a claim in
    /// the tries.
    fn insert(&self, new: &New<'_>) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Waits until another process may have made something due: a hint, and nothing depends on hints. The
    /// loop of a process then asks at once, and otherwise after its usual pause. A store without hints waits
    /// for ever, as the provided method does. A dropped future loses no hint.
    fn woken(&self) -> impl Future<Output = ()> + Send {
        core::future::pending()
    }

    /// Leases work that is due, with a place under its lane's limit: the earliest of each lane, and the lanes
    /// in turn, also over several claims. Work that was claimed [`SUSPECT`] times without a write comes
    /// alone. A lane whose limit is zero has no place.
    fn claim(&self, ask: &Ask<'_>) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Writes the outcome of leased work, and gives the lease up unless [`Next::Keep`] keeps it.
    fn write(&self, lease: &Lease, write: &Write)
    -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Makes a checkout's work due at once: by the shop, or by a webhook's event. An event is noted under its
    /// keys in the same transaction, and is done in the transaction of the read that answers it. A checkout
    /// without work gets work again.
    ///
    /// A nudge within a lease leaves the lease as it is, and the write that gives the lease up makes the work
    /// due at once. Where one key of an event is done, the event is [`Nudged::Done`]. Where one is pending
    /// and none is done, the event is [`Nudged::Pending`]. In both cases nothing is noted.
    fn nudge(&self, nudge: &Nudge<'_>) -> impl Future<Output = Result<Nudged, StoreError>> + Send;

    /// Writes a person's decision, if the row has the version that the person saw. Whoever held the work has
    /// lost it.
    fn decide(&self, decision: &Decision<'_>) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Leases news that is due to be told, the earliest first. News that was claimed [`SUSPECT`] times
    /// without an end of its telling comes alone.
    fn claim_news(
        &self,
        max: usize,
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<ClaimedNews>, StoreError>> + Send;

    /// Ends the telling of news: done with, and deleted; or to be told again after a time. News that is gone
    /// was taken by the user's own transaction: [`Written::Lost`].
    fn news_told(
        &self,
        key: &str,
        fence: i64,
        again: Option<Duration>,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// One checkout.
    fn checkout(&self, id: &str) -> impl Future<Output = Result<Option<Checkout>, StoreError>> + Send;

    /// Checkouts in the order of their ids, each with its work: what the view `overview` of a database shows.
    fn overview(&self, filter: &Filter<'_>)
    -> impl Future<Output = Result<Vec<Overview>, StoreError>> + Send;

    /// Checkouts in the order of their ids.
    fn list(&self, filter: &Filter<'_>) -> impl Future<Output = Result<Vec<Checkout>, StoreError>> + Send {
        async { Ok(self.overview(filter).await?.into_iter().map(|seen| seen.checkout).collect()) }
    }

    /// Events that no checkout has, in the order of their numbers: at most so many, behind the number
    /// `after`, or from the first where that is 0. An event is in the list until a checkout has its ids, and
    /// for [`UNMATCHED_KEPT`] at most.
    fn unmatched(
        &self,
        after: i64,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Unmatched>, StoreError>> + Send;

    /// The decisions of persons about a checkout, and the engine's own holds of news, the oldest first.
    fn decisions(&self, id: &str) -> impl Future<Output = Result<Vec<Decided>, StoreError>> + Send;

    /// Figures to watch.
    fn figures(&self) -> impl Future<Output = Result<Figures, StoreError>> + Send;

    /// Deletes what time has made useless: events whose keys are kept no longer, and events of no checkout
    /// that are older than [`UNMATCHED_KEPT`]. At most `max`; returns how many.
    fn sweep(&self, max: usize) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// The work of one merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The name: company and merchant.
    pub name: String,
    /// The limit of reads that the provider counts.
    pub limit: Option<RateLimit>,
}

impl Lane {
    /// The lane of a merchant.
    #[must_use]
    pub fn name_of(provider: Provider, merchant: &str) -> String {
        format!("{}/{merchant}", provider.company())
    }
}

/// A checkout to add.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The row.
    pub checkout: &'a Checkout,
    /// The stored watch, empty before the create is done.
    pub watch: &'a str,
    /// The length of the lease that the caller holds at once; zero for work that anybody may claim now.
    pub lease: Duration,
}

/// The answer to [`Store::insert`].
#[derive(Clone, Debug)]
pub enum Inserted {
    /// Added, and leased if the lease was not zero.
    Fresh(Lease, Checkout),
    /// There is one with this id, which is left as it is.
    Exists(Checkout),
    /// There is one with this reference and another id, which is left as it is.
    SameReference(Checkout),
}

/// The right to write leased work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The checkout's id.
    pub id: String,
    /// The number of the claim.
    pub fence: i64,
    /// The nudges that had come when the work was claimed.
    pub nudges: i64,
}

/// A question for due work.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The lanes of the process. Work of other lanes is left to others.
    pub lanes: &'a [String],
    /// At most so much.
    pub max: usize,
    /// The length of the leases.
    pub lease: Duration,
}

/// The answer to [`Store::claim`].
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The store's clock.
    pub now: Moment,
    /// The leased work.
    pub due: Vec<Due>,
    /// The moment when more may be due, as far as the store knows.
    pub next: Option<Moment>,
    /// True if there is news to claim.
    pub news: bool,
}

/// Leased work.
#[derive(Clone, Debug)]
pub struct Due {
    /// The right to write.
    pub lease: Lease,
    /// The row.
    pub checkout: Checkout,
    /// The stored watch.
    pub watch: String,
    /// True if a nudge waits for a read.
    pub nudged: bool,
    /// The provider's id that an event named, where the row had none or another one.
    pub named: Option<String>,
    /// How often the work was claimed since the last write that gave the lease up, this claim included.
    pub tries: u32,
    /// How long the work has been due at this claim, by the store's clock; zero for a lease of
    /// [`Store::insert`]. Work whose lease has ended is due from the lease's end.
    pub late: Duration,
}

impl Due {
    /// True for work that is held for a person, because its claims have ended without a write.
    pub(crate) const fn is_quarantined(&self) -> bool {
        are_too_many(self.tries)
    }
}

/// Work that was claimed so often without a write, and news without an end of its telling, comes alone: one
/// of these claims may have killed the process. A process dies with all that it does. So these claims show no
/// more than a suspect, and only as many that were alone show what kills.
pub const SUSPECT: u32 = 3;

const fn are_too_many(tries: u32) -> bool {
    tries > SUSPECT.saturating_mul(2)
}

/// The time that is added to the span of a limit. Assumed: no provider says how exactly it measures the span.
pub const LIMIT_MARGIN: Duration = Duration::from_secs(1);

/// How long an event of no checkout is kept for a person, from the first of the event on. Assumed.
pub const UNMATCHED_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The outcome of leased work.
#[derive(Clone, Debug)]
pub struct Write {
    /// The row, if it changed. The id, the provider, the merchant, the environment and the reference never
    /// change.
    pub checkout: Option<Checkout>,
    /// The next of the work.
    pub next: Next,
    /// What became of the place under the limit. Under [`Next::Keep`] the place is kept, whatever is said
    /// here; an answered read answers the nudges all the same.
    pub read: ReadMade,
    /// The span for which the provider asks the whole lane to wait.
    pub lane_wait: Option<Duration>,
    /// News to tell.
    pub news: Vec<News>,
}

impl Write {
    /// Gives work back as it was before the claim, due after a span.
    pub(crate) const fn back(after: Duration) -> Self {
        Self {
            checkout: None,
            next: Next::Back { after },
            read: ReadMade::None,
            lane_wait: None,
            news: Vec::new(),
        }
    }
}

/// The next of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The lease goes on: the process does more. Lost after the lease's end, also if nobody has taken the
    /// work over.
    Keep,
    /// Due after a span, from the store's now; at once if a nudge has come since the claim.
    Due {
        /// The span.
        after: Duration,
        /// The stored watch.
        watch: String,
    },
    /// Given back as if nobody had claimed the work: due after a span, with the tries from before the claim,
    /// and with the watch and the id that an event named as they are.
    Back {
        /// The span.
        after: Duration,
    },
    /// Nothing more to do, unless a nudge has come since the claim.
    Ended {
        /// The stored watch, for a nudge that comes later.
        watch: String,
    },
}

/// What became of the place under the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMade {
    /// No request was made that the limit counts: the place is free.
    None,
    /// A request was made, and no answer shows the checkout. The request may be on its way still, so the
    /// place is held as that of a crashed claim: until the lease's end and the span, and for the span from
    /// now on at least.
    Sent,
    /// A request was made, and the answer shows the checkout: the nudges up to the claim are answered, and
    /// their events are done.
    Answered,
}

/// The answer to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a lost write has changed nothing"]
pub enum Written {
    /// Written.
    Done,
    /// Somebody else has the work, or there is no lease left to keep: nothing changed.
    Lost,
}

/// News about a checkout, for the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The key, which never changes and is never used twice: tell by it, and know by it what was told.
    pub key: String,
    /// The checkout's id.
    pub id: String,
    /// The subject.
    pub subject: Subject,
    /// The reason, where there is one.
    pub reason: Option<String>,
}

/// The subject of [`News`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A read settled the order, or a person did: the goods leave. Once for a checkout.
    Settled,
    /// The checkout ended without payment.
    Failed,
    /// The provider made no checkout.
    Refused,
    /// No end for as long as the engine looks.
    GaveUp,
    /// A person has to look.
    Held,
}

impl Subject {
    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::GaveUp => "gave_up",
            Self::Held => "held",
        }
    }

    /// The one with this name in the store.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Settled, Self::Failed, Self::Refused, Self::GaveUp, Self::Held]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// News under a lease.
#[derive(Clone, Debug)]
pub struct ClaimedNews {
    /// The number of the claim.
    pub fence: i64,
    /// How often the news was claimed since a telling ended, this claim included.
    pub tries: u32,
    /// How often a telling ended, and the news was to be told again.
    pub failed: u32,
    /// The news.
    pub news: News,
}

impl ClaimedNews {
    /// True for news that is put aside for a person, because its claims have ended without a word.
    pub(crate) const fn is_quarantined(&self) -> bool {
        are_too_many(self.tries)
    }
}

/// A reason to read a checkout at once.
#[derive(Clone, Copy, Debug)]
pub struct Nudge<'a> {
    /// The checkout.
    pub target: Target<'a>,
    /// The keys of the webhook's event, if it is one.
    pub event: &'a [Key],
}

/// The checkout that a nudge is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// By the shop's id.
    Id(&'a str),
    /// As an event names a checkout: by the provider's id, or else by the reference.
    Named {
        /// The merchant's lane.
        lane: &'a str,
        /// The provider's id.
        checkout_id: Option<&'a str>,
        /// The reference of the draft.
        reference: Option<&'a str>,
    },
}

/// The answer to a nudge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nudged {
    /// A read follows.
    Queued {
        /// The checkout's id.
        id: String,
    },
    /// The event is known, and its read is still to come.
    Pending,
    /// The event is known, and its read was made.
    Done,
    /// No checkout has these ids. An event is noted for a person.
    Unmatched,
}

/// A person's decision.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The row as it is to be. Its `version` is the one that the person saw.
    pub checkout: &'a Checkout,
    /// True if there is work to do now. A nudge that waits for a read is work in any case, with the id that
    /// an event named: the person has not seen the event.
    pub work: bool,
    /// News to tell.
    pub news: Vec<News>,
    /// The decision, by its name.
    pub act: &'a str,
    /// The person.
    pub by: &'a str,
    /// The person's reason.
    pub reason: &'a str,
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The moment, by the store's clock.
    pub at: Moment,
    /// The decision, by its name.
    pub act: String,
    /// The person, or `checkout-engine`.
    pub by: String,
    /// The person's reason.
    pub reason: String,
}

/// A checkout with its work, as a person sees the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The row.
    pub checkout: Checkout,
    /// True if a nudge waits for a read.
    pub nudged: bool,
    /// The moment when the work is due, which is the lease's end of leased work. [`None`] without work. An
    /// endless span ends somewhere behind the year 9999.
    pub due: Option<Moment>,
    /// True if a process has the work, and its lease is not over.
    pub leased: bool,
    /// How often the work was claimed since the last write that gave the lease up; 0 without work.
    pub tries: u32,
}

/// An event of no checkout: the ids that a webhook named, for a person. Each lane, provider's id and
/// reference is there once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The number in the store: an event that came later has a greater one.
    pub number: i64,
    /// The lane of the merchant whose webhook it was.
    pub lane: String,
    /// The provider's id of the checkout.
    pub checkout_id: Option<String>,
    /// The reference of a draft.
    pub reference: Option<String>,
    /// The moment of the first webhook with these ids, by the store's clock.
    pub seen_at: Moment,
}

/// A choice of checkouts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// This one alone.
    pub id: Option<&'a str>,
    /// In this state alone.
    pub state: Option<State>,
    /// With a hold alone.
    pub held: bool,
    /// Behind this id.
    pub after: Option<&'a str>,
    /// At most so many; 0 for 100.
    pub limit: usize,
}

impl Filter<'_> {
    /// The most checkouts of an answer.
    #[must_use]
    pub const fn most(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit }
    }
}

/// Figures to watch.
///
/// **Not every store knows all of them.** [`Limited`](crate::Limited), whose limits are elsewhere, does not
/// know what waits for them and how many places are taken. The store in memory and the one on SQLite keep no
/// dead rows. The one on PostgreSQL has dead rows, and knows the oldest transaction if its role has
/// `pg_read_all_stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How late the latest due work is; zero where none is late. Work of a lane at its limit counts too, and
    /// work whose lease has ended, from the lease's end.
    pub oldest_due: Duration,
    /// The checkouts with work.
    pub work: u64,
    /// The work that is leased.
    pub leased: u64,
    /// The work that is due and waits because its lane is at its limit, or has to wait as the provider asks.
    /// [`None`] where the limits are elsewhere, as those of [`Limited`](crate::Limited) are.
    pub waiting: Option<u64>,
    /// The places that are taken under the lanes' limits: by claims, and by reads whose span is not over.
    /// [`None`] where the limits are elsewhere.
    pub limit_used: Option<u64>,
    /// The checkouts that wait for a person.
    pub held: u64,
    /// The news that nobody has taken yet.
    pub news: u64,
    /// The events of [`Store::unmatched`].
    pub unmatched: u64,
    /// The dead rows of the table of work, as the database has counted them: old versions of rows that are
    /// still to be removed. [`None`] for a store that has none, or does not know.
    pub dead_rows: Option<u64>,
    /// The age of the oldest transaction that keeps dead rows from being removed; zero where there is none.
    /// [`None`] for a store without such transactions, and where the database does not show them to the
    /// program's role.
    pub oldest_transaction: Option<Duration>,
}

/// The error of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached, or broke off. Nobody knows if the operation was done; a fence makes a
    /// repeat harmless. Try again.
    #[error("the database does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The schema is newer than this program, and has lost what this program uses. A schema that was only
    /// added to is used.
    #[error(
        "the schema has version {found}, and this program knows versions up to {known}: run the newer program"
    )]
    NewerSchema {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema is missing or older, and this role may not change it.
    #[error(
        "the schema has version {found} and this program needs {known}: run `migrate` as a role with DDL rights"
    )]
    OlderSchema {
        /// The version in the database; 0 for none.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// The database refuses the role.
    #[error(
        "the database refuses the role: is its password right, and has it the rights that docs/engine.md lists?"
    )]
    Rights(#[source] Box<dyn Error + Send + Sync>),
    /// There is no room, or the database is read-only. Nothing was written.
    #[error("the database takes no writes: is the disk full, or the database read-only?")]
    ReadOnly(#[source] Box<dyn Error + Send + Sync>),
    /// A row that this program cannot read.
    #[error("the row of {id} has no readable {field}")]
    Corrupt {
        /// The row's id.
        id: String,
        /// The column.
        field: &'static str,
    },
    /// The settings of the store, or of its server, that could lose or double something.
    #[error("{0}")]
    Settings(String),
}
