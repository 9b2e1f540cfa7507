//! The decisions of a person about a held checkout.

use super::Engine;
use crate::checkout::{Checkout, State};
use crate::notes::Notes;
use crate::store::{Decision, News, Store, StoreError, Subject, Written};
use checkout_transport::Transport;

/// The reason why a decision was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no checkout with this id.
    #[error("there is no checkout {0}")]
    NotThere(String),
    /// The checkout is not held.
    #[error("the checkout {0} is not held: nothing is to decide")]
    NotHeld(String),
    /// The person or the reason is not named.
    #[error("{0}: not empty")]
    Empty(&'static str),
    /// The row changed since it was read: look again, and decide again.
    #[error("the checkout {0} has changed meanwhile: look again")]
    Changed(String),
}

impl<S: Store + 'static, T: Transport + 'static> Engine<S, T> {
    /// Clears a hold: see [`release`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn release(&self, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(release(&self.0.store, id, by, reason).await)
    }

    /// Settles a held checkout by a person's word: see [`settle`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn settle(&self, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(settle(&self.0.store, id, by, reason).await)
    }

    /// Closes a held checkout: see [`close`].
    ///
    /// # Errors
    /// [`DecideError`].
    pub async fn close(&self, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
        self.decided(close(&self.0.store, id, by, reason).await)
    }

    fn decided(&self, decided: Result<Checkout, DecideError>) -> Result<Checkout, DecideError> {
        self.0.wake.notify_one();
        decided
    }
}

/// Clears a hold: the checkout goes on as its state says. A checkout that a read has settled is told as
/// settled now. The name and the reason stay.
///
/// # Errors
/// [`DecideError`].
pub async fn release(store: &impl Store, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
    decide(store, "release", id, by, reason, |checkout, notes, now| {
        (notes.since, notes.tried_since, notes.not_there) = (now, now, 0);
        (checkout.state == State::Settled, !checkout.state.is_end())
    })
    .await
}

/// Settles a held checkout by a person's word: the goods leave. The name and the reason stay.
///
/// # Errors
/// [`DecideError`].
pub async fn settle(store: &impl Store, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
    decide(store, "settle", id, by, reason, |checkout, _, _| {
        checkout.state = State::Settled;
        (true, false)
    })
    .await
}

/// Closes a held checkout: no goods leave, and the money that came was given back. The name and the reason
/// stay.
///
/// # Errors
/// [`DecideError`].
pub async fn close(store: &impl Store, id: &str, by: &str, reason: &str) -> Result<Checkout, DecideError> {
    decide(store, "close", id, by, reason, |checkout, _, _| {
        checkout.state = State::Closed;
        (false, false)
    })
    .await
}

/// `change` gives two answers: is the settlement to be told, and is there work now.
async fn decide(
    store: &impl Store,
    act: &'static str,
    id: &str,
    by: &str,
    reason: &str,
    change: impl FnOnce(&mut Checkout, &mut Notes, i64) -> (bool, bool),
) -> Result<Checkout, DecideError> {
    for (name, text) in [("by", by), ("reason", reason)] {
        if text.trim().is_empty() {
            return Err(DecideError::Empty(name));
        }
    }
    let there = store.checkout(id).await?.ok_or_else(|| DecideError::NotThere(id.to_owned()))?;
    if there.hold.is_none() {
        return Err(DecideError::NotHeld(id.to_owned()));
    }
    let now = store.now().await?.unix_millis();
    let mut checkout = Checkout { hold: None, ..there };
    let corrupt = || StoreError::Corrupt { id: id.to_owned(), field: "notes" };
    let mut notes = Notes::of(&checkout).ok_or_else(corrupt)?;
    let (settled, work) = change(&mut checkout, &mut notes, now);
    let mut news = Vec::new();
    if settled && !notes.told {
        notes.told = true;
        let (key, id) = (format!("{id}/{}", Subject::Settled.name()), id.to_owned());
        news.push(News { key, id, subject: Subject::Settled, reason: Some(reason.to_owned()) });
    }
    checkout.notes = notes.text();
    let decision = Decision { checkout: &checkout, work, news, act, by, reason };
    if store.decide(&decision).await? == Written::Lost {
        return Err(DecideError::Changed(id.to_owned()));
    }
    Ok(store.checkout(id).await?.unwrap_or(checkout))
}
