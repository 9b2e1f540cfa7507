//! Waiting by tokio.

use core::time::Duration;

/// Waits by tokio's timer: the `sleep` of a [`Watch`](crate::Watch) and of
/// [`send_with_retries`](crate::Call::send_with_retries). The timer needs a tokio runtime with its time
/// enabled.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::allscale::{Client, SigningKey};
/// use checkout_kit::{RetryPolicy, SecretString, tokio_sleep};
/// use checkout_sandbox::allscale::{Fault, Sandbox, Store};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let clock = sandbox.clock().clone();
/// # let builder = Client::builder(key).clock(move || clock.now()).nonces(|| "nonce-1".to_owned());
/// # let client = builder.build()?;
/// # runtime.block_on(async {
/// sandbox.inject(Fault::LostBefore);
/// let answer = client.ping().send_with_retries(&sandbox, RetryPolicy::default(), tokio_sleep).await?;
/// assert_eq!(answer.payload.pong, "ok");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tokio_sleep(wait: Duration) -> impl Future<Output = ()> + Send + 'static {
    tokio::time::sleep(wait)
}
