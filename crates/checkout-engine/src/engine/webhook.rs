//! Verified webhooks.

use super::Engine;
use crate::checkout::Provider;
use crate::store::{Lane, Nudge, Nudged, Store, StoreError, Target};
use checkout_transport::Transport;
use checkout_trust::{Verified, allscale, peach};

/// A verified webhook that the engine takes: AllScale's or Peach's.
pub trait Webhook: sealed::Names {}

impl Webhook for Verified<allscale::Event> {}
impl Webhook for Verified<peach::Event> {}

mod sealed {
    use checkout_trust::replay::Identity;

    pub trait Names {
        const COMPANY: crate::checkout::Provider;
        fn identity(&self) -> &Identity;
        fn checkout_id(&self) -> Option<&str>;
        fn reference(&self) -> Option<&str>;
    }
}

impl sealed::Names for Verified<allscale::Event> {
    const COMPANY: Provider = Provider::AllScale;

    fn identity(&self) -> &checkout_trust::replay::Identity {
        self.identity()
    }

    fn checkout_id(&self) -> Option<&str> {
        Some(self.content().intent_id())
    }

    fn reference(&self) -> Option<&str> {
        self.content().order_id()
    }
}

impl sealed::Names for Verified<peach::Event> {
    const COMPANY: Provider = Provider::Peach;

    fn identity(&self) -> &checkout_trust::replay::Identity {
        self.identity()
    }

    fn checkout_id(&self) -> Option<&str> {
        self.content().payment().checkout_id()
    }

    fn reference(&self) -> Option<&str> {
        self.content().payment().merchant_transaction_id()
    }
}

impl<S: Store + 'static, T: Transport + 'static> Engine<S, T> {
    /// Takes a verified webhook of a merchant: notes the event, and makes the checkout's read due, in one
    /// write. Answer 200 for every `Ok`: the read follows whatever happens to this process, and the event is
    /// done in the transaction of that read. Answer 503 for an error: the provider sends again.
    ///
    /// [`Nudged::Unmatched`] is an event of no checkout. The store notes the event's ids for a person.
    ///
    /// # Errors
    /// [`StoreError`]. Nothing was noted, or all of it.
    pub async fn receive(&self, merchant: &str, webhook: &impl Webhook) -> Result<Nudged, StoreError> {
        fn of<W: Webhook>(_: &W) -> Provider {
            W::COMPANY
        }
        self.ready().await?;
        let company = of(webhook);
        let lane = Lane::name_of(company, merchant);
        let target =
            Target::Named { lane: &lane, checkout_id: webhook.checkout_id(), reference: webhook.reference() };
        let nudged = self.0.store.nudge(&Nudge { target, event: webhook.identity().keys() }).await?;
        if matches!(nudged, Nudged::Queued { .. }) {
            self.0.counters.webhooks.count(company.name());
            self.0.wake.notify_one();
        }
        Ok(nudged)
    }
}
