//! Faults that are put into a process on purpose, so that the judge has to find them: an engine is broken in
//! its store, which is over a file, or in its transport.

use super::super::Outcome;
use super::super::shop::Database;
use super::super::weather::{LEASE, Weather};
use checkout_engine::{
    Ask, Checkout, Claimed, ClaimedNews, Decided, Decision, Figures, Filter, Inserted, Lane, Lease, New,
    News, Next, Nudge, Nudged, Overview, Provider, State, Store, StoreError, Subject, Target, Unmatched,
    Write, Written,
};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, Transport, TransportError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

macro_rules! sabotages {
    ($($(#[doc = $doc:literal])* $name:ident,)+) => {
        /// A fault of a process.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Sabotage {
            $($(#[doc = $doc])* $name,)+
        }

        impl Sabotage {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

sabotages! {
    /// A write is written under whatever fence, and half of the processes write when others have the work.
    IgnoresFences,
    /// A create without an answer is sent again to a provider that makes two.
    RepeatsCreates,
    /// A checkout is settled before a read.
    SettlesUnread,
    /// The news of a settlement is kept under two keys.
    TellsTwice,
    /// A webhook is answered with 200, and no read follows.
    DropsEvents,
    /// The news of a settlement is not kept.
    DropsNews,
    /// No lane has a limit.
    IgnoresLimits,
    /// A provider that asks for a wait is asked again before.
    IgnoresWaits,
    /// A checkout is said to be added, and is not.
    ForgetsRows,
    /// Each checkout that is made is held.
    HoldsEverything,
    /// A checkout that is open ends as failed.
    FailsWhatIsOpen,
    /// Nobody reads a checkout that is made.
    NeverReads,
}

impl Sabotage {
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }

    /// The sabotage with this name; none for an empty name.
    pub(crate) fn by_name(name: &str) -> Outcome<Option<Self>> {
        let sabotage = Self::ALL.iter().copied().find(|one| one.name() == name);
        if sabotage.is_none() && !name.is_empty() { Err("a sabotage".into()) } else { Ok(sabotage) }
    }
}

/// A store, or a transport, with the fault of this process, if the process has one.
pub(crate) struct Spoilt<T> {
    pub(crate) inner: T,
    pub(crate) weather: Weather,
}

/// A time that no storm lasts.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl<S: Store> Spoilt<S> {
    /// Turns a write into the write of a broken engine.
    async fn spoil(&self, lease: &Lease, write: &mut Write) -> Result<(), StoreError> {
        let Some(sabotage) = self.weather.sabotage else { return Ok(()) };
        let settled = |news: &News| news.subject == Subject::Settled;
        if sabotage == Sabotage::DropsNews {
            write.news.retain(|news| !settled(news));
        }
        if sabotage == Sabotage::TellsTwice {
            let again = write.news.iter().filter(|news| settled(news)).cloned();
            let again = again.map(|news| News { key: format!("{}/again", news.key), ..news });
            write.news.extend(again.collect::<Vec<_>>());
        }
        let is_slow = sabotage == Sabotage::IgnoresFences && self.weather.slot.is_multiple_of(2);
        if is_slow && write.news.iter().any(settled) {
            sleep(LEASE + Duration::from_millis(500)).await;
        }
        let Next::Due { watch, .. } = &write.next else { return Ok(()) };
        let watch = watch.clone();
        let row = match &write.checkout {
            Some(row) => Some(row.clone()),
            None => self.inner.checkout(&lease.id).await?,
        };
        let Some(row) = row else { return Ok(()) };
        let news = |subject: Subject| {
            let key = format!("{}/{}", row.id, subject.name());
            News { key, id: row.id.clone(), subject, reason: None }
        };
        let mut end = |row: Checkout, news: Vec<News>| {
            (write.checkout, write.next) = (Some(row), Next::Ended { watch: watch.clone() });
            write.news.extend(news);
        };
        match (sabotage, row.state) {
            (Sabotage::RepeatsCreates, State::Unknown) if row.provider == Provider::AllScale => {
                write.checkout = Some(Checkout { state: State::Sending, ..row });
                write.next = Next::Due { after: Duration::ZERO, watch };
            }
            (Sabotage::HoldsEverything, State::Open) => {
                end(Checkout { hold: Some("why".to_owned()), ..row }, Vec::new());
            }
            (Sabotage::SettlesUnread, State::Open) => {
                let news = news(Subject::Settled);
                end(Checkout { state: State::Settled, ..row }, vec![news]);
            }
            (Sabotage::FailsWhatIsOpen, State::Open) => {
                let news = news(Subject::Failed);
                end(Checkout { state: State::Failed, ..row }, vec![news]);
            }
            (Sabotage::NeverReads, State::Open) => write.next = Next::Due { after: NEVER, watch },
            _ => {}
        }
        Ok(())
    }

    /// Gives the lease back to a process that has lost the lease.
    fn regain(&self, lease: &Lease) -> Result<(), StoreError> {
        let Database::Sqlite(path) = &self.weather.database else { return Ok(()) };
        let regain = "INSERT INTO checkout_work (id, lane, due, fence, leased, tries) \
            SELECT id, lane, 0, ?2, 1, 1 FROM checkout WHERE id = ?1 \
            ON CONFLICT (id) DO UPDATE SET fence = excluded.fence, leased = 1";
        let regained = rusqlite::Connection::open(path).and_then(|file| {
            file.busy_timeout(Duration::from_secs(30))?;
            file.execute(regain, rusqlite::params![lease.id, lease.fence])
        });
        regained.map(drop).map_err(|error| StoreError::Unavailable(error.into()))
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.weather.sabotage == Some(sabotage)
    }
}

macro_rules! delegate {
    ($($operation:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl<S: Store> Store for Spoilt<S> {
            fn later(&self, at: Moment, since: Instant) -> Moment {
                self.inner.later(at, since)
            }

            async fn woken(&self) {
                self.inner.woken().await;
            }

            async fn lanes(&self, lanes: &[Lane]) -> Result<(), StoreError> {
                let mut lanes = lanes.to_vec();
                if self.is(Sabotage::IgnoresLimits) {
                    lanes.iter_mut().for_each(|lane| lane.limit = None);
                }
                self.inner.lanes(&lanes).await
            }

            async fn insert(&self, new: &New<'_>) -> Result<Inserted, StoreError> {
                if self.is(Sabotage::ForgetsRows) && new.checkout.id.ends_with('1') {
                    let lease = Lease { id: new.checkout.id.clone(), fence: i64::MAX, nudges: 0 };
                    return Ok(Inserted::Fresh(lease, new.checkout.clone()));
                }
                self.inner.insert(new).await
            }

            async fn write(&self, lease: &Lease, write: &Write) -> Result<Written, StoreError> {
                let mut write = write.clone();
                self.spoil(lease, &mut write).await?;
                let written = self.inner.write(lease, &write).await?;
                if written == Written::Lost && self.is(Sabotage::IgnoresFences) {
                    self.regain(lease)?;
                    return self.inner.write(lease, &write).await;
                }
                Ok(written)
            }

            async fn nudge(&self, nudge: &Nudge<'_>) -> Result<Nudged, StoreError> {
                if self.is(Sabotage::DropsEvents) && matches!(nudge.target, Target::Named { .. }) {
                    return Ok(Nudged::Queued { id: String::new() });
                }
                self.inner.nudge(nudge).await
            }

            $(async fn $operation(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.inner.$operation($($argument),*).await
            })+
        }
    };
}

delegate! {
    now() -> Moment;
    claim(ask: &Ask<'_>) -> Claimed;
    decide(decision: &Decision<'_>) -> Written;
    claim_news(max: usize, lease: Duration) -> Vec<ClaimedNews>;
    news_told(key: &str, fence: i64, again: Option<Duration>) -> Written;
    checkout(id: &str) -> Option<Checkout>;
    overview(filter: &Filter<'_>) -> Vec<Overview>;
    unmatched(after: i64, most: usize) -> Vec<Unmatched>;
    decisions(id: &str) -> Vec<Decided>;
    figures() -> Figures;
    sweep(max: usize) -> usize;
}

impl<T: Transport> Transport for Spoilt<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_impatient = self.weather.sabotage == Some(Sabotage::IgnoresWaits);
        let again = is_impatient.then(|| request.clone());
        let answer = self.inner.send(request).await;
        match (again, &answer) {
            (Some(again), Ok(refused)) if refused.headers().contains_key("retry-after") => {
                // Too late for a request that was under way, and too early for the wait.
                sleep(Duration::from_millis(750)).await;
                self.inner.send(again).await
            }
            _ => answer,
        }
    }
}
