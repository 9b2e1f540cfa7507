//! The decisions of a person about a held checkout. Twelve or more digits, which can be a card's number, are
//! kept as `[digits]`.

use super::Engine;
use crate::checkout::{Checkout, Provider, State};
use crate::notes::{Notes, without_cards};
use crate::store::{Decision, News, Store, StoreError, Subject, Written};
use checkout_transport::Transport;

/// The reason why a decision was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// The store failed, or the row's notes cannot be read ([`StoreError::Corrupt`]): nobody knows then if
    /// the settlement was told, and only a close is written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The checkout is not held.
    #[error("the checkout {0} is not held: nothing is to decide")]
    NotHeld(String),
    /// The person or the reason is not named.
    #[error("{0}: not empty")]
    Empty(&'static str),
    /// The row changed since the person saw it, or is gone: look again, and decide again.
    #[error("the checkout {0} has changed meanwhile: look again")]
    Changed(String),
}

impl<S: Store + 'static, T: Transport + 'static> Engine<S, T> {
    /// Clears a hold: see [`release`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn release(&self, seen: &Checkout, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(release(&self.0.store, seen, by, reason).await)
    }

    /// Settles a held checkout by a person's word: see [`settle`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn settle(&self, seen: &Checkout, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(settle(&self.0.store, seen, by, reason).await)
    }

    /// Closes a held checkout: see [`close`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn close(&self, seen: &Checkout, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(close(&self.0.store, seen, by, reason).await)
    }

    fn decided(&self, decided: Result<Checkout, DecideError>) -> Result<Checkout, DecideError> {
        self.0.wake.notify_one();
        decided
    }
}

/// Clears the hold of a checkout as the person saw it: the checkout goes on as its state says. A checkout
/// that a read has settled is told as settled now, and news that was put aside is told again. A checkout
/// that was given up, or whose read did not settle the order, is read again. The name and the reason stay.
///
/// # Errors
/// [`DecideError`].
pub async fn release(
    store: &impl Store,
    seen: &Checkout,
    by: &str,
    reason: &str,
) -> Result<Checkout, DecideError> {
    decide(store, "release", seen, by, reason, |checkout, notes, now| {
        (notes.since, notes.tried_since, notes.not_there) = (now, now, 0);
        if checkout.state == State::GaveUp {
            checkout.state = State::Open;
        }
        (notes.looks, notes.asked, notes.trouble_since) = (0, 0, 0);
        notes.resumes = checkout.state == State::Open;
        let goes_on = match checkout.state {
            State::Sending | State::Unknown | State::Open | State::GaveUp => true,
            // Late reads go on, and the read that did not settle the order is made again.
            // Peach's V1 is read by the reference.
            State::Failed | State::Unsettled => {
                checkout.checkout_id.is_some() || checkout.provider == Provider::Peach
            }
            State::Settled | State::Refused | State::Closed => false,
        };
        let again = match checkout.state {
            State::Settled => Some(Subject::Settled),
            State::Failed => Some(Subject::Failed),
            State::Refused => Some(Subject::Refused),
            State::Sending
            | State::Unknown
            | State::Open
            | State::GaveUp
            | State::Unsettled
            | State::Closed => None,
        };
        (again, goes_on)
    })
    .await
}

/// Settles a held checkout by a person's word: the goods leave. The name and the reason stay.
///
/// # Errors
/// [`DecideError`].
pub async fn settle(
    store: &impl Store,
    seen: &Checkout,
    by: &str,
    reason: &str,
) -> Result<Checkout, DecideError> {
    decide(store, "settle", seen, by, reason, |checkout, _, _| {
        checkout.state = State::Settled;
        (Some(Subject::Settled), false)
    })
    .await
}

/// Closes a held checkout: no goods leave, and the money that came was given back. The name and the reason
/// stay.
///
/// # Errors
/// [`DecideError`].
pub async fn close(
    store: &impl Store,
    seen: &Checkout,
    by: &str,
    reason: &str,
) -> Result<Checkout, DecideError> {
    decide(store, CLOSE, seen, by, reason, |checkout, _, _| {
        checkout.state = State::Closed;
        (None, false)
    })
    .await
}

const CLOSE: &str = "close";

/// `change` gives two answers: the news that is to be told if nobody was told, and is there work now.
async fn decide(
    store: &impl Store,
    act: &'static str,
    seen: &Checkout,
    by: &str,
    reason: &str,
    change: impl FnOnce(&mut Checkout, &mut Notes, i64) -> (Option<Subject>, bool),
) -> Result<Checkout, DecideError> {
    for (name, text) in [("by", by), ("reason", reason)] {
        if text.trim().is_empty() {
            return Err(DecideError::Empty(name));
        }
    }
    let (by, reason) = (&*without_cards(by), &*without_cards(reason));
    let id = seen.id.as_str();
    if seen.hold.is_none() {
        return Err(DecideError::NotHeld(id.to_owned()));
    }
    let now = store.now().await?.unix_millis();
    let mut checkout = Checkout { hold: None, ..seen.clone() };
    // Nobody knows what notes have told that nobody can read. A close tells nothing, and leaves them.
    let read = Notes::read(seen);
    let is_readable = read.is_ok();
    let mut notes = if act == CLOSE { read.unwrap_or_default() } else { read? };
    let (subject, work) = change(&mut checkout, &mut notes, now);
    let untold = core::mem::take(&mut notes.untold).into_iter();
    let mut news: Vec<News> = untold.filter_map(|untold| untold.news(id, subject?)).collect();
    if subject == Some(Subject::Settled) && !notes.told {
        notes.told = true;
        let (key, id) = (format!("{id}/{}", Subject::Settled.name()), id.to_owned());
        news.push(News { key, id, subject: Subject::Settled, reason: Some(reason.to_owned()) });
    }
    if is_readable {
        checkout.notes = notes.text();
    }
    let decision = Decision { checkout: &checkout, work, news, act, by, reason };
    if store.decide(&decision).await? == Written::Lost {
        return Err(DecideError::Changed(id.to_owned()));
    }
    Ok(store.checkout(id).await?.unwrap_or(checkout))
}
