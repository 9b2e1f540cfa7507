//! A span for every attempt, with the feature `tracing`; nothing without it.

use crate::{Answer, CallError, Provider, Readable};
use core::fmt;

#[cfg(feature = "tracing")]
pub(crate) use with_tracing::Trace;

#[cfg(not(feature = "tracing"))]
pub(crate) use without::Trace;

#[cfg(feature = "tracing")]
mod with_tracing {
    use super::{Answer, CallError, Provider, Readable, fmt};
    use crate::CallErrorKind;
    use crate::provider::sealed::RefusalCode;
    use checkout_wire::Printable;
    use tracing::{Instrument, Span, field};

    /// The span of an attempt. The span never has a header or a body.
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

        pub(crate) fn answered<T: Readable>(&self, answer: &Answer<T>) {
            self.response(Some(answer.http_status()), answer.request_id.as_deref());
            self.outcome("done");
        }

        pub(crate) fn failed<P: Provider>(&self, error: &CallError<P>) {
            self.response(error.http_status(), error.request_id());
            if let Some(refusal) = error.refusal() {
                match P::code(refusal) {
                    Some(RefusalCode::Integer(code)) => {
                        self.0.record("code", code);
                    }
                    Some(RefusalCode::Text(code)) => {
                        self.0.record("code", Printable(code).to_string());
                    }
                    None => {}
                }
            }
            self.outcome(match error.kind() {
                CallErrorKind::NotSent(_) => "not sent",
                CallErrorKind::NoResponse(_) => "no response",
                CallErrorKind::Unreadable(_) => "unreadable",
                CallErrorKind::Mismatch(_) => "mismatch",
                CallErrorKind::NotAuthentic(_) => "not authentic",
                CallErrorKind::Refused(_) => "refused",
                CallErrorKind::UnexpectedResponse(_) => "unexpected response",
            });
        }

        fn response(&self, http_status: Option<u16>, request_id: Option<&str>) {
            if let Some(status) = http_status {
                self.0.record("http_status", status);
            }
            if let Some(id) = request_id {
                self.0.record("request_id", Printable(id).to_string());
            }
        }

        fn outcome(&self, outcome: &'static str) {
            self.0.record("outcome", outcome);
            self.0.in_scope(|| tracing::debug!(outcome, "attempt ended"));
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod without {
    use super::{Answer, CallError, Provider, Readable, fmt};

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
        pub(crate) const fn answered<T: Readable>(&self, _: &Answer<T>) {}

        #[expect(clippy::unused_self, reason = "the same as with the feature")]
        pub(crate) const fn failed<P: Provider>(&self, _: &CallError<P>) {}
    }
}
