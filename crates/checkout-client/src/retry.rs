//! A call that is sent again, as long as that is wise.

use crate::{Call, Readable, Received, SendError};
use checkout_poll::{Retries, Retrying};
use checkout_transport::{BlockingTransport, LocalTransport, Transport};
use core::time::Duration;

impl<T: Readable> Call<T> {
    /// Asks until there is an answer, or until asking again is not wise: as [`Received::retry`] and [`SendError::retry`]
    /// advise, and within the [`Retries`]. Each attempt is signed anew, with a nonce and a timestamp of its own.
    ///
    /// What is unsafe to repeat is sent again only while it is certain that nothing was done: an AllScale create, for one,
    /// after a connection that was refused or AllScale's own limit (40001), and never after a lost answer. What came last is handed
    /// on as it is. So is what asks for a wait that is longer than what is left of the budget: its `retry` says how long.
    ///
    /// `sleep` waits: `tokio_sleep` with the feature `tokio`, or your runtime's own. To drop the future
    /// is to abandon the attempt that is under way, as with [`send`](Self::send).
    ///
    /// # Errors
    /// [`SendError`], if the last attempt gave no reply.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_client::Retries;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// sandbox.inject(Fault::LostAnswer);
    /// sandbox.inject(Fault::RateLimited);
    /// # pollster::block_on(async {
    /// let received = client.ping().send_with_retries(&sandbox, Retries::default(), sleep).await?;
    /// assert_eq!(received.into_answer()?.payload.pong, "ok");
    /// assert_eq!(sandbox.requests().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send_with_retries<Pause>(
        &self,
        transport: &impl Transport,
        retries: Retries,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Result<Received<T>, SendError>
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

    /// As [`send_with_retries`](Self::send_with_retries), over a transport whose futures stay on their thread.
    ///
    /// # Errors
    /// [`SendError`], if the last attempt gave no reply.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_client::Retries;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// # let sleep = |wait| std::future::ready(time.advance(wait));
    /// sandbox.inject(Fault::HtmlBadGateway);
    /// # pollster::block_on(async {
    /// let received = client.ping().send_with_retries_local(&sandbox, Retries::default(), sleep).await?;
    /// assert!(received.into_answer().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn send_with_retries_local<Pause>(
        &self,
        transport: &impl LocalTransport,
        retries: Retries,
        sleep: impl Fn(Duration) -> Pause,
    ) -> Result<Received<T>, SendError>
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

    /// As [`send_with_retries`](Self::send_with_retries), over a blocking transport. `sleep` is `std::thread::sleep`, or a
    /// wait of your own.
    ///
    /// # Errors
    /// [`SendError`], if the last attempt gave no reply.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// use checkout_client::Retries;
    ///
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
    /// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
    /// # let sleep = |wait| time.advance(wait);
    /// sandbox.inject(Fault::LostBefore);
    /// let received = client.ping().send_blocking_with_retries(&sandbox, Retries::default(), sleep)?;
    /// assert!(received.into_answer().is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_blocking_with_retries(
        &self,
        transport: &(impl BlockingTransport + ?Sized),
        retries: Retries,
        mut sleep: impl FnMut(Duration),
    ) -> Result<Received<T>, SendError> {
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
    retrying: Retrying,
    /// True if one before the last may have been done.
    may_have_been_done: bool,
}

impl Attempts {
    fn new(retries: Retries) -> Self {
        Self { retrying: Retrying::new(retries), may_have_been_done: false }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn again<T: Readable>(&mut self, outcome: &Result<Received<T>, SendError>) -> Option<Duration> {
        let (advice, may_have_been_done) = match outcome {
            Ok(received) => (received.retry()?, received.may_have_been_done()),
            Err(error) => (error.retry(), error.may_have_been_done()),
        };
        let wait = self.retrying.next(advice)?;
        self.may_have_been_done |= may_have_been_done;
        Some(wait)
    }

    /// The outcome that is handed on: a last attempt that was refused says nothing of those before it.
    fn last<T: Readable>(self, outcome: Result<Received<T>, SendError>) -> Result<Received<T>, SendError> {
        match outcome {
            Ok(received) if self.may_have_been_done => Ok(received.after_another()),
            Err(error) if self.may_have_been_done => Err(error.after_another()),
            outcome => outcome,
        }
    }
}
