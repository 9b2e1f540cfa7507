//! A span for every attempt, with the feature `tracing`; nothing without it.

use crate::{Readable, Received, SendError};
use core::fmt;

#[cfg(feature = "tracing")]
pub(crate) use with_tracing::Trace;

#[cfg(not(feature = "tracing"))]
pub(crate) use without::Trace;

#[cfg(feature = "tracing")]
mod with_tracing {
    use super::{Readable, Received, SendError, fmt};
    use crate::provider::sealed::{Backend, RefusalCode};
    use checkout_auth::peach::SIGNATURE;
    use checkout_transport::Delivery;
    use checkout_wire::{Printable, Reply};
    use tracing::{Instrument, Span, field};

    /// The span of an attempt. It never sees a header or a body.
    pub(crate) struct Trace(Span);

    impl Trace {
        pub(crate) fn attempt(route: impl fmt::Debug, path: &str) -> Self {
            Self(tracing::info_span!(
                "checkout attempt",
                ?route,
                path,
                http_status = field::Empty,
                code = field::Empty,
                request_id = field::Empty,
                outcome = field::Empty,
            ))
        }

        pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
            future.instrument(self.0.clone())
        }

        pub(crate) fn within<R>(&self, work: impl FnOnce() -> R) -> R {
            self.0.in_scope(work)
        }

        pub(crate) fn received<T: Readable>(&self, received: &Received<T>) {
            self.0.record("http_status", received.http_status);
            if let Some(id) = received.reply.request_id() {
                self.0.record("request_id", Printable(id).to_string());
            }
            match &received.reply {
                Reply::Done(_) => self.outcome("done"),
                Reply::Refused(refusal) => {
                    match T::Provider::code(refusal) {
                        Some(RefusalCode::Integer(code)) => {
                            self.0.record("code", code);
                        }
                        Some(RefusalCode::Text(code)) => {
                            self.0.record("code", Printable(code).to_string());
                        }
                        None => {}
                    }
                    self.outcome("refused");
                }
                Reply::NotTheApi(_) => self.outcome("not the API"),
            }
        }

        pub(crate) fn failed(&self, error: &SendError) {
            if let Some(id) = error.request_id() {
                self.0.record("request_id", Printable(id).to_string());
            }
            let outcome = match (error.unreadable(), error.mismatch(), error.delivery()) {
                (_, Some(SIGNATURE), _) => "not verified",
                _ if error.not_authentic().is_some() => "not authentic",
                (Some(_), ..) => "unreadable",
                (None, Some(_), _) => "not what was asked for",
                (None, None, Delivery::Unknown) => "no answer",
                (None, None, Delivery::NotSent) => "not sent",
            };
            self.outcome(outcome);
        }

        fn outcome(&self, outcome: &'static str) {
            self.0.record("outcome", outcome);
            self.0.in_scope(|| tracing::debug!(outcome, "attempt ended"));
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod without {
    use super::{Readable, Received, SendError, fmt};

    pub(crate) struct Trace;

    impl Trace {
        pub(crate) fn attempt(_: impl fmt::Debug, _: &str) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
            future
        }

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(crate) fn within<R>(&self, work: impl FnOnce() -> R) -> R {
            work()
        }

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(crate) const fn received<T: Readable>(&self, _: &Received<T>) {}

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(crate) const fn failed(&self, _: &SendError) {}
    }
}
