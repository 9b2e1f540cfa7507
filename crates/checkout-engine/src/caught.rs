//! Code of the program's own, which may panic: the shop's function, the transport, `on_error`, a store.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic that was caught. Its payload could have anything in it, and is not looked at.
#[derive(Debug, thiserror::Error)]
#[error("it panicked")]
pub(crate) struct Panicked;

/// Calls a function.
pub(crate) fn caught_call<O>(call: impl FnOnce() -> O) -> Result<O, Panicked> {
    // What a panic leaves half-done is dropped by the caller. A payload's own drop could panic.
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        core::mem::forget(payload);
        Panicked
    })
}

/// Awaits a future, which is polled no more after a panic.
pub(crate) async fn caught<O>(work: impl Future<Output = O>) -> Result<O, Panicked> {
    let mut work = pin!(work);
    poll_fn(|context| match caught_call(|| work.as_mut().poll(context)) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}
