//! Leased work on its way to a write.

use super::{Exchange, Rules, Save, Task};
use crate::checkout::{Checkout, State};
use crate::notes::{LONGEST_HOLD, Notes, Price, with_reason, without_cards};
use crate::store::{Due, News, Next, ReadMade, Subject, Write};
use checkout_tables::Moment;
use checkout_transport::{Request, Response, TransportError};
use checkout_wire::Printable;
use core::time::Duration;
use std::sync::Arc;

/// Leased work, the knowledge so far, and the news to tell.
pub(crate) struct Context {
    due: Due,
    notes: Notes,
    readable: bool,
    rules: Arc<Rules>,
    now: Moment,
    changed: bool,
    read: ReadMade,
    lane_wait: Option<Duration>,
    news: Vec<News>,
}

impl Context {
    pub(crate) fn of(due: Due, rules: &Arc<Rules>, now: Moment) -> Self {
        let notes = Notes::of(&due.checkout);
        Self {
            readable: notes.is_some(),
            notes: notes.unwrap_or_default(),
            due,
            rules: Arc::clone(rules),
            now,
            changed: false,
            read: ReadMade::None,
            lane_wait: None,
            news: Vec::new(),
        }
    }

    /// False for notes that nobody can read: the work can only be held, and the notes stay as they are.
    pub(crate) const fn is_readable(&self) -> bool {
        self.readable
    }

    pub(crate) const fn checkout(&self) -> &Checkout {
        &self.due.checkout
    }

    pub(crate) const fn notes(&self) -> &Notes {
        &self.notes
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) const fn now(&self) -> Moment {
        self.now
    }

    pub(crate) fn watch(&self) -> &str {
        &self.due.watch
    }

    pub(crate) const fn nudged(&self) -> bool {
        self.due.nudged
    }

    /// The time in the present state.
    pub(crate) fn in_state_for(&self) -> Duration {
        self.now.saturating_since(Moment::from_unix_millis(self.notes.since))
    }

    /// The time since the first attempt at the create, through all states.
    pub(crate) fn tried_for(&self) -> Duration {
        self.now.saturating_since(Moment::from_unix_millis(self.notes.tried_since))
    }

    pub(crate) fn age(&self) -> Duration {
        self.now.saturating_since(self.due.checkout.created_at)
    }

    pub(crate) fn at(mut self, now: Moment) -> Self {
        self.now = now;
        self
    }

    pub(crate) const fn made(&mut self, read: ReadMade) {
        self.read = read;
    }

    /// True if a nudge came, and no answer of this claim shows the checkout.
    pub(crate) fn waits_for_an_answer(&self) -> bool {
        self.due.nudged && self.read != ReadMade::Answered
    }

    pub(crate) fn has_read(&self) -> bool {
        self.read != ReadMade::None
    }

    pub(crate) fn lane_waits(&mut self, wait: Duration) {
        self.lane_wait = self.lane_wait.max(Some(wait));
    }

    pub(crate) fn note(&mut self, change: impl FnOnce(&mut Notes)) {
        let before = self.notes.clone();
        change(&mut self.notes);
        if self.readable && before != self.notes {
            self.due.checkout.notes = self.notes.text();
            self.changed = true;
        }
    }

    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Checkout)) {
        change(&mut self.due.checkout);
        self.changed = true;
    }

    /// Enters a state.
    pub(crate) fn enter(&mut self, state: State) {
        if self.due.checkout.state != state {
            self.edit(|checkout| checkout.state = state);
            let now = self.now.unix_millis();
            self.note(|notes| (notes.since, notes.not_there) = (now, 0));
        }
    }

    pub(crate) fn tell(&mut self, subject: Subject, reason: Option<&str>) {
        let id = self.due.checkout.id.clone();
        let key = match subject {
            Subject::Settled => {
                if self.notes.told {
                    return;
                }
                self.note(|notes| notes.told = true);
                format!("{id}/{}", subject.name())
            }
            Subject::Failed | Subject::Refused | Subject::GaveUp | Subject::Held => {
                format!("{id}/{}/{}", subject.name(), self.due.lease.fence)
            }
        };
        self.news.push(News { key, id, subject, reason: reason.map(fit) });
    }

    /// Holds the checkout for a person. A further reason is added to the first, and told too.
    pub(crate) fn hold(&mut self, reason: &str) {
        let reason = &*fit(reason);
        let held = with_reason(self.due.checkout.hold.as_deref(), reason);
        if held == self.due.checkout.hold {
            return;
        }
        self.edit(|checkout| checkout.hold = held);
        self.news.retain(|news| news.subject != Subject::Held);
        self.tell(Subject::Held, Some(reason));
    }

    /// The time for which the reads fail for a reason that is not the checkout's, from now on if they did
    /// not.
    pub(crate) fn in_trouble_for(&mut self) -> Duration {
        let now = self.now.unix_millis();
        if self.notes.trouble_since == 0 {
            self.note(|notes| notes.trouble_since = now);
        }
        self.now.saturating_since(Moment::from_unix_millis(self.notes.trouble_since))
    }

    /// Holds the checkout, and ends the work.
    pub(crate) fn held(mut self, reason: &str) -> Task {
        self.hold(reason);
        self.ended()
    }

    /// Takes the id that an event has named.
    pub(crate) fn adopt_named(mut self) -> Self {
        let Some(named) = self.due.named.take() else { return self };
        match &self.due.checkout.checkout_id {
            Some(known) if *known == named => {}
            Some(_) => self
                .hold(&format!("an event names another checkout of this reference: {}", Printable(&named))),
            None => {
                let state = self.due.checkout.state;
                if state == State::Refused {
                    self.hold("an event names a checkout whose create was refused");
                }
                self.edit(|checkout| checkout.checkout_id = Some(named));
                // What a person has closed or settled stays so: a payment is a late payment.
                if !state.is_end() || state == State::Refused {
                    self.enter(State::Open);
                }
                self.note(|notes| {
                    // AllScale's amount owed in a currency was in the answer that is lost.
                    let draft = notes.draft.take().and_then(|stored| stored.draft().ok());
                    notes.price = notes.price.take().or_else(|| draft.as_ref().and_then(Price::of_draft));
                    notes.under_way = false;
                });
            }
        }
        self
    }

    fn write(self, next: Next) -> Write {
        Write {
            checkout: self.changed.then_some(self.due.checkout),
            next,
            read: self.read,
            lane_wait: self.lane_wait,
            news: self.news,
        }
    }

    /// The work is done, but for news.
    pub(crate) fn ended(self) -> Task {
        let watch = self.due.watch.clone();
        Task::Write(Box::new(self.write(Next::Ended { watch })))
    }

    /// The work is due again.
    pub(crate) fn again(self, after: Duration) -> Task {
        let watch = self.due.watch.clone();
        Task::Write(Box::new(self.write(Next::Due { after, watch })))
    }

    pub(crate) fn set_watch(&mut self, watch: String) {
        self.due.watch = watch;
    }

    /// Saves, and goes on under the same lease.
    pub(crate) fn save(mut self, then: impl FnOnce(Self) -> Task + Send + 'static) -> Task {
        let checkout = Some(self.due.checkout.clone());
        let news = core::mem::take(&mut self.news);
        let write = Write { checkout, next: Next::Keep, read: ReadMade::None, lane_wait: None, news };
        self.changed = false;
        Task::Save(Box::new(Save { write, then: Box::new(|now| then(self.at(now))) }))
    }

    /// Sends, and goes on with the outcome.
    pub(crate) fn send(
        self,
        request: Request,
        then: impl FnOnce(Self, Result<Response, TransportError>) -> Task + Send + 'static,
    ) -> Task {
        let then = Box::new(|outcome, now| then(self.at(now), outcome));
        Task::Send(Box::new(Exchange { request, then }))
    }
}

/// A reason for the store and the shop: no card's number, and not longer than a person reads.
fn fit(reason: &str) -> String {
    without_cards(reason).chars().take(LONGEST_HOLD).collect()
}
