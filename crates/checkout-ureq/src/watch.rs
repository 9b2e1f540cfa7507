//! The knowledge of the request that is under way on this thread.

use std::cell::Cell;

use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Body, Error, SendBody, http};

/// How far the request of this thread has got. The step only moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is none.
    Idle,
    /// The request is in the hands of an agent and of its middleware, and their actions are not seen.
    Handed,
    /// The request has reached ureq itself, and not a byte of the request has been written.
    Unsent,
    /// A byte of the request may have been written.
    Written,
    /// The connection broke while the response was awaited or read.
    Broken,
}

thread_local! {
    // ureq does all of a request on the calling thread, but for the look-up of the host's name.
    static STEP: Cell<Step> = const { Cell::new(Step::Idle) };
}

/// The watch over one request, from [`Watch::begin`] until the watch is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The step that was under way before: a middleware can send a request of its own.
    outer: Step,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        Self { outer: STEP.replace(Step::Handed) }
    }

    pub(crate) fn step(&self) -> Step {
        STEP.get()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        STEP.set(self.outer);
    }
}

/// The innermost middleware: where a request reaches ureq itself, which has to be on the thread that is
/// watched.
pub(crate) struct Gate;

impl Middleware for Gate {
    fn handle(
        &self,
        request: http::Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<http::Response<Body>, Error> {
        if STEP.get() != Step::Handed {
            return Err(Error::Other("a middleware sent the request from another thread".into()));
        }
        STEP.set(Step::Unsent);
        next.handle(request)
    }
}

/// Makes connections that report writes.
#[derive(Debug)]
pub(crate) struct Watched<C>(pub(crate) C);

impl<C: Connector> Connector for Watched<C> {
    type Out = WatchedTransport<C::Out>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(self.0.connect(details, chained)?.map(WatchedTransport))
    }
}

/// A connection that reports writes. The TLS handshake is over before, and this connection has not seen the
/// handshake.
#[derive(Debug)]
pub(crate) struct WatchedTransport<T>(T);

impl<T: Transport> Transport for WatchedTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        STEP.set(Step::Written);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let awaited = self.0.await_input(timeout);
        if matches!(awaited, Err(Error::Io(_))) {
            STEP.set(Step::Broken);
        }
        awaited
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
