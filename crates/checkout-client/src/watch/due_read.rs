//! The call that a watch sends next, and the outcome of that call.

use super::Watchable;
use crate::authorize::Authorize;
use crate::error::CallErrorOf;
use crate::{Answer, Call, CallError, Operation, Readable};
use checkout_transport::{BlockingTransport, LocalTransport, Transport};
use core::time::Duration;

/// The payload of the authorization call of a read.
pub(crate) type AuthorizationOf<E> = <<E as Readable>::Provider as Authorize>::Payload;

/// The call to send next.
pub(crate) enum DueRead<E: Watchable> {
    Status(Call<E::StatusRead>),
    Full(Call<E>),
    /// The call that the provider needs before the read.
    Authorization(Call<AuthorizationOf<E>>),
}

/// The outcome of a call.
pub(crate) enum Outcome<E: Watchable> {
    Status(Result<Answer<E::StatusRead>, CallErrorOf<E>>),
    Full(Result<Answer<E>, CallErrorOf<E>>),
    Authorization(Result<Answer<AuthorizationOf<E>>, CallErrorOf<E>>),
}

impl<E: Watchable> DueRead<E> {
    pub(crate) async fn send(&self, transport: &impl Transport) -> Outcome<E> {
        match self {
            Self::Status(call) => Outcome::Status(call.send(transport).await),
            Self::Full(call) => Outcome::Full(call.send(transport).await),
            Self::Authorization(call) => Outcome::Authorization(call.send(transport).await),
        }
    }

    pub(crate) async fn send_local(&self, transport: &impl LocalTransport) -> Outcome<E> {
        match self {
            Self::Status(call) => Outcome::Status(call.send_local(transport).await),
            Self::Full(call) => Outcome::Full(call.send_local(transport).await),
            Self::Authorization(call) => Outcome::Authorization(call.send_local(transport).await),
        }
    }

    pub(crate) fn send_blocking(&self, transport: &(impl BlockingTransport + ?Sized)) -> Outcome<E> {
        match self {
            Self::Status(call) => Outcome::Status(call.send_blocking(transport)),
            Self::Full(call) => Outcome::Full(call.send_blocking(transport)),
            Self::Authorization(call) => Outcome::Authorization(call.send_blocking(transport)),
        }
    }

    /// The identity of the call, for a call that is under way elsewhere.
    pub(crate) fn sent(&self) -> Sent {
        match self {
            Self::Status(call) => Sent { kind: Kind::Status, operation: call.operation() },
            Self::Full(call) => Sent { kind: Kind::Full, operation: call.operation() },
            Self::Authorization(call) => Sent { kind: Kind::Authorization, operation: call.operation() },
        }
    }
}

/// A call that is under way.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    kind: Kind,
    operation: Operation,
}

#[derive(Clone, Copy)]
enum Kind {
    Status,
    Full,
    Authorization,
}

impl Sent {
    /// The outcome of a call that has taken too long.
    pub(crate) fn late<E: Watchable>(self, timeout: Duration) -> Outcome<E> {
        let error = CallError::timed_out(self.operation, timeout);
        match self.kind {
            Kind::Status => Outcome::Status(Err(error)),
            Kind::Full => Outcome::Full(Err(error)),
            Kind::Authorization => Outcome::Authorization(Err(error)),
        }
    }
}
