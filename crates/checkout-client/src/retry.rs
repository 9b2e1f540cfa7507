//! A call that is sent again while a repeat is wise.

use crate::error::CallErrorOf;
use crate::{Answer, Call, Readable};
use checkout_poll::{RetryPolicy, RetryState};
use checkout_transport::{BlockingTransport, LocalTransport, Transport};
use core::time::Duration;

impl<T: Readable> Call<T> {
    /// Sends the call until there is an answer, or until a repeat is not wise: as
    /// [`CallError::retry`](crate::CallError::retry) advises, and within the [`RetryPolicy`]. Each attempt is
    /// signed anew, with a nonce and a timestamp of its own.
    ///
    /// A call that is unsafe to repeat is sent again only while it is certain that nothing was processed: an
    /// AllScale create, for example, after a connection that was refused or AllScale's own limit (40001), and
    /// never after a lost answer. The last error is returned unchanged. An error that asks for a longer wait
    /// than the rest of the budget is the last error too: its [`retry`](crate::CallError::retry) has the
    /// wait.
    ///
    /// `sleep` waits: `tokio_sleep` with the feature `tokio`, or your runtime's own. To drop the future is to
    /// abandon the attempt that is under way, as with [`send`](Self::send).
    ///
    /// # Errors
    /// [`CallError`](crate::CallError) of the last attempt. The call [may have been
    /// processed](crate::CallError::may_have_been_processed) if any of the attempts may.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_kit::RetryPolicy;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// sandbox.inject(Fault::LostAnswer);
    /// sandbox.inject(Fault::RateLimited);
    /// # pollster::block_on(async {
    /// let answer = client.ping().send_with_retries(&sandbox, RetryPolicy::default(), sleep).await?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// assert_eq!(sandbox.requests().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send_with_retries<Pause>(
        &self,
        transport: &impl Transport,
        retries: RetryPolicy,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Result<Answer<T>, CallErrorOf<T>>
    where
        Pause: Future<Output = ()>,
    {
        let mut attempts = Attempts::new(retries);
        loop {
            let outcome = self.send(transport).await;
            let Some(wait) = attempts.again(&outcome) else { return attempts.last(outcome) };
            drop(outcome);
            sleep(wait).await;
        }
    }

    /// As [`send_with_retries`](Self::send_with_retries), over a transport whose futures stay on their
    /// thread.
    ///
    /// # Errors
    /// [`CallError`](crate::CallError) of the last attempt. The call [may have been
    /// processed](crate::CallError::may_have_been_processed) if any of the attempts may.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_kit::RetryPolicy;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// sandbox.inject(Fault::HtmlBadGateway);
    /// # pollster::block_on(async {
    /// let answer = client.ping().send_with_retries_local(&sandbox, RetryPolicy::default(), sleep).await?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send_with_retries_local<Pause>(
        &self,
        transport: &impl LocalTransport,
        retries: RetryPolicy,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Result<Answer<T>, CallErrorOf<T>>
    where
        Pause: Future<Output = ()>,
    {
        let mut attempts = Attempts::new(retries);
        loop {
            let outcome = self.send_local(transport).await;
            let Some(wait) = attempts.again(&outcome) else { return attempts.last(outcome) };
            drop(outcome);
            sleep(wait).await;
        }
    }

    /// As [`send_with_retries`](Self::send_with_retries), over a blocking transport. `sleep` is
    /// `std::thread::sleep`, or a wait of your own.
    ///
    /// # Errors
    /// [`CallError`](crate::CallError) of the last attempt. The call [may have been
    /// processed](crate::CallError::may_have_been_processed) if any of the attempts may.
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_kit::RetryPolicy;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// # let sleep = |wait| time.advance(wait);
    /// sandbox.inject(Fault::LostBefore);
    /// let answer = client.ping().send_blocking_with_retries(&sandbox, RetryPolicy::default(), sleep)?;
    /// assert_eq!(answer.payload.pong, "ok");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_blocking_with_retries(
        &self,
        transport: &(impl BlockingTransport + ?Sized),
        retries: RetryPolicy,
        mut sleep: impl FnMut(Duration),
    ) -> Result<Answer<T>, CallErrorOf<T>> {
        let mut attempts = Attempts::new(retries);
        loop {
            let outcome = self.send_blocking(transport);
            let Some(wait) = attempts.again(&outcome) else { return attempts.last(outcome) };
            sleep(wait);
        }
    }
}

/// The attempts of one call.
struct Attempts {
    retrying: RetryState,
    /// True if an attempt before the last may have been processed.
    may_have_been_processed: bool,
}

impl Attempts {
    fn new(retries: RetryPolicy) -> Self {
        Self { retrying: RetryState::new(retries), may_have_been_processed: false }
    }

    /// The wait before the next attempt, if there is to be one.
    fn again<T: Readable>(&mut self, outcome: &Result<Answer<T>, CallErrorOf<T>>) -> Option<Duration> {
        let error = outcome.as_ref().err()?;
        let wait = self.retrying.next(error.retry())?;
        self.may_have_been_processed |= error.may_have_been_processed();
        Some(wait)
    }

    /// The outcome for the caller. A last attempt that was refused proves nothing about the attempts before.
    fn last<T: Readable>(
        self,
        outcome: Result<Answer<T>, CallErrorOf<T>>,
    ) -> Result<Answer<T>, CallErrorOf<T>> {
        match outcome {
            Err(error) if self.may_have_been_processed => Err(error.after_another()),
            outcome => outcome,
        }
    }
}
