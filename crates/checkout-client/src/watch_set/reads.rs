//! Reads that are under way.

use super::WatchId;
use crate::Watchable;
use crate::watch::{Outcome, Sent};
use checkout_lifecycle::Moment;
use checkout_poll::MerchantId;
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

/// A read that goes on whenever something polls the read.
pub(super) struct Read<E: Watchable> {
    pub(super) whose: Whose,
    pub(super) sent: Sent,
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
        self.sent.late(self.timeout)
    }
}
