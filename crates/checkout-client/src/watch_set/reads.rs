//! Reads that are under way.

use super::WatchId;
use crate::error::CallErrorOf;
use crate::watch::AheadOf;
use crate::{Answer, Call, CallError, Operation, Watchable};
use checkout_lifecycle::Moment;
use checkout_poll::MerchantId;
use checkout_transport::{BlockingTransport, Transport};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

/// The owner of a read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Checkout(WatchId),
    /// The call that a merchant's checkouts need before they can be read.
    Merchant(MerchantId),
}

/// The call of a read.
pub(super) enum Asked<E: Watchable> {
    Status(Call<E::StatusRead>),
    Full(Call<E>),
    Ahead(Call<AheadOf<E>>),
}

/// The outcome of a read.
pub(super) enum Outcome<E: Watchable> {
    Status(Result<Answer<E::StatusRead>, CallErrorOf<E>>),
    Full(Result<Answer<E>, CallErrorOf<E>>),
    Ahead(Result<Answer<AheadOf<E>>, CallErrorOf<E>>),
}

impl<E: Watchable> Asked<E> {
    pub(super) fn kind(&self) -> (Kind, Operation) {
        match self {
            Self::Status(call) => (Kind::Status, call.operation()),
            Self::Full(call) => (Kind::Full, call.operation()),
            Self::Ahead(call) => (Kind::Ahead, call.operation()),
        }
    }

    pub(super) async fn send(self, transport: impl Transport) -> Outcome<E> {
        match self {
            Self::Status(call) => Outcome::Status(call.send(&transport).await),
            Self::Full(call) => Outcome::Full(call.send(&transport).await),
            Self::Ahead(call) => Outcome::Ahead(call.send(&transport).await),
        }
    }

    pub(super) fn send_blocking(&self, transport: &(impl BlockingTransport + ?Sized)) -> Outcome<E> {
        match self {
            Self::Status(call) => Outcome::Status(call.send_blocking(transport)),
            Self::Full(call) => Outcome::Full(call.send_blocking(transport)),
            Self::Ahead(call) => Outcome::Ahead(call.send_blocking(transport)),
        }
    }
}

/// The kind of a read, without its call.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Status,
    Full,
    Ahead,
}

/// A read that goes on whenever something polls the read.
pub(super) struct Read<E: Watchable> {
    pub(super) whose: Whose,
    pub(super) kind: Kind,
    pub(super) operation: Operation,
    /// The maximum wait for the answer, and the moment when that wait ends.
    pub(super) timeout: Duration,
    pub(super) until: Moment,
    pub(super) future: Pin<Box<dyn Future<Output = Outcome<E>> + Send>>,
}

impl<E: Watchable> Read<E> {
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome<E>> {
        self.future.as_mut().poll(context)
    }

    /// The outcome of a read that has taken too long.
    pub(super) fn late(&self) -> Outcome<E> {
        let error = CallError::timed_out(self.operation, self.timeout);
        match self.kind {
            Kind::Status => Outcome::Status(Err(error)),
            Kind::Full => Outcome::Full(Err(error)),
            Kind::Ahead => Outcome::Ahead(Err(error)),
        }
    }
}
