//! A span for every piece of work, and an event for every trouble, with the feature `tracing`; nothing
//! without it. Neither has an address, a note, a reason, an amount or a text of a provider.

#[cfg(feature = "tracing")]
pub(super) use with_tracing::*;
#[cfg(not(feature = "tracing"))]
pub(super) use without::*;

#[cfg(feature = "tracing")]
mod with_tracing {
    use crate::engine::EngineError;
    use crate::measures::error_kind;
    use crate::store::{Due, Next, Write};
    use checkout_transport::{Response, TransportError};
    use tracing::{Instrument as _, Span, field};

    /// The span of a piece of work.
    #[derive(Clone)]
    pub(in crate::engine) struct Trace(Span);

    impl Trace {
        pub(in crate::engine) fn work(due: &Due) -> Self {
            let checkout = &due.checkout;
            Self(tracing::info_span!(
                "checkout work",
                provider = checkout.provider.name(),
                id = checkout.id,
                fence = due.lease.fence,
                tries = due.tries,
                state = checkout.state.name(),
                new_state = field::Empty,
                outcome = field::Empty,
            ))
        }

        pub(in crate::engine) fn around<F: Future>(
            &self,
            future: F,
        ) -> impl Future<Output = F::Output> + use<F> {
            future.instrument(self.0.clone())
        }

        pub(in crate::engine) fn within(&self, work: impl FnOnce()) {
            self.0.in_scope(work);
        }

        pub(in crate::engine) fn written(&self, write: &Write) {
            if let Some(checkout) = &write.checkout {
                self.0.record("new_state", checkout.state.name());
            }
            if !matches!(write.next, Next::Keep) {
                self.0.record("outcome", "written");
            }
        }

        pub(in crate::engine) fn lost(&self) {
            self.0.record("outcome", "lost");
            tracing::warn!("write lost: another claim has the work");
        }

        pub(in crate::engine) fn failed(&self) {
            self.0.record("outcome", "failed");
        }
    }

    pub(in crate::engine) fn taken_over() {
        tracing::warn!("taken over: an earlier claim ended without a write");
    }

    pub(in crate::engine) fn held(quarantined: bool) {
        tracing::warn!(quarantined, "held for a person");
    }

    pub(in crate::engine) fn answered(outcome: &Result<Response, TransportError>) {
        let http_status = outcome.as_ref().ok().map(|response| response.status().as_u16());
        tracing::debug!(http_status, "request ended");
    }

    /// An error's own text alone: a source could have anything in it.
    pub(in crate::engine) fn error(error: &EngineError) {
        match error {
            EngineError::Store(store) => tracing::error!(kind = error_kind(store), %error, "store failed"),
            EngineError::NotTold { .. } => tracing::warn!(%error, "news not told"),
            EngineError::ClockSet { .. } => tracing::warn!(%error, "clock set"),
            EngineError::Panicked { .. } => tracing::error!(%error, "panic"),
            EngineError::Prepare(_)
            | EngineError::OtherCheckout { .. }
            | EngineError::ReferenceTaken { .. } => {
                tracing::warn!(%error, "not done");
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod without {
    use crate::engine::EngineError;
    use crate::store::{Due, Write};
    use checkout_transport::{Response, TransportError};

    #[derive(Clone)]
    pub(in crate::engine) struct Trace;

    impl Trace {
        pub(in crate::engine) const fn work(_: &Due) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(in crate::engine) fn around<F: Future>(
            &self,
            future: F,
        ) -> impl Future<Output = F::Output> + use<F> {
            future
        }

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(in crate::engine) fn within(&self, _: impl FnOnce()) {}

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(in crate::engine) const fn written(&self, _: &Write) {}

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(in crate::engine) const fn lost(&self) {}

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(in crate::engine) const fn failed(&self) {}
    }

    pub(in crate::engine) const fn taken_over() {}

    pub(in crate::engine) const fn held(_: bool) {}

    pub(in crate::engine) const fn answered(_: &Result<Response, TransportError>) {}

    pub(in crate::engine) const fn error(_: &EngineError) {}
}
