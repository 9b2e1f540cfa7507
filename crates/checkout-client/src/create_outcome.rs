//! The outcome of a create as one value.

use crate::error::CallErrorOf;
use crate::{Answer, CallErrorKind, NotSent, Readable, RetryAdvice};
use core::time::Duration;

/// The outcome of a create: the next step of an order that waits for its checkout.
///
/// A create is `create`, `initiate` or `submit`. Store the order before you send the create, then store what
/// the outcome says. Each variant has one next step, and none of them charges twice. The type of the payload
/// says whose create it is.
///
/// | variant | processed? | the order's next step |
/// |---|---|---|
/// | [`Created`](Self::Created) | yes | store the id, send the payer to the page |
/// | [`Repeat`](Self::Repeat) | no, or safe | send the same create again after the wait |
/// | [`LookUp`](Self::LookUp) | perhaps | look the checkout up by the parameter, and repeat only if there is none |
/// | [`Refused`](Self::Refused) | no | give the order up, or change the draft |
/// | [`Unknown`](Self::Unknown) | perhaps | wait for the webhook; then a person |
///
/// [`Call::send_with_retries`](crate::Call::send_with_retries) repeats what is safe to repeat by itself. Its
/// last result is the outcome:
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_client::{CreateOutcome, RetryPolicy};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now_millis()).build()?;
/// # let sleep = |wait| std::future::ready(time.advance(wait));
/// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
/// # pollster::block_on(async {
/// let create = client.create(&intent);
/// sandbox.inject(Fault::RateLimited); // proves that nothing was created, so the helper repeats
/// sandbox.inject(Fault::LostAnswer); // proves nothing, so nobody repeats
/// let outcome = CreateOutcome::of(create.send_with_retries(&sandbox, RetryPolicy::default(), sleep).await);
/// assert!(matches!(outcome, CreateOutcome::Unknown(_)));
/// assert_eq!(sandbox.intents().len(), 1); // and no second one
/// # });
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the outcome says whether a repeat can charge twice"]
pub enum CreateOutcome<T: Readable> {
    /// The provider created the checkout.
    Created(Answer<T>),
    /// The same create can be sent again: it is certain that nothing was created, or the create has a key
    /// that makes a repeat safe, such as Azotte's `correlationId`. Where the error is
    /// [`NoAccessToken`](crate::NotSent::NoAccessToken), authenticate first.
    Repeat {
        /// The wait before the next attempt.
        after: Duration,
        /// The error of the last attempt.
        error: CallErrorOf<T>,
    },
    /// The checkout may exist, and the provider can be asked for it: look it up before a repeat. Peach's
    /// create is looked up by the `merchantTransactionId`.
    LookUp {
        /// The parameter to look the checkout up by.
        by: &'static str,
        /// The error of the last attempt.
        error: CallErrorOf<T>,
    },
    /// Nothing was created, and the same create would fare no better.
    Refused(CallErrorOf<T>),
    /// The checkout may exist, and the provider cannot be asked for it. AllScale's create has its webhook's
    /// `order_id` alone: where no webhook comes, a person looks into the provider's dashboard.
    Unknown(CallErrorOf<T>),
}

impl<T: Readable> CreateOutcome<T> {
    /// The outcome that the result of a create is, whether one attempt was made or
    /// [several](crate::Call::send_with_retries).
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{CreateOutcome, allscale::Client};
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// use checkout_transport::{TransportError, from_fn_blocking};
    ///
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// # let intent = Draft::fiat(Currency::EUR, Cents::new(100)).check()?;
    /// let refused = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    /// let outcome = CreateOutcome::of(client.create(&intent).send_blocking(&refused));
    /// assert!(matches!(outcome, CreateOutcome::Repeat { .. }));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(result: Result<Answer<T>, CallErrorOf<T>>) -> Self {
        match result {
            Ok(answer) => Self::Created(answer),
            Err(error) if matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken)) => {
                Self::Repeat { after: Duration::ZERO, error }
            }
            Err(error) => match error.retry() {
                RetryAdvice::After(after) => Self::Repeat { after, error },
                RetryAdvice::ReadFirst(by) => Self::LookUp { by, error },
                RetryAdvice::Never if error.may_have_been_processed() => Self::Unknown(error),
                RetryAdvice::Never => Self::Refused(error),
            },
        }
    }

    /// The error, where the checkout was not created or nobody knows.
    #[must_use]
    pub const fn error(&self) -> Option<&CallErrorOf<T>> {
        match self {
            Self::Created(_) => None,
            Self::Repeat { error, .. }
            | Self::LookUp { error, .. }
            | Self::Refused(error)
            | Self::Unknown(error) => Some(error),
        }
    }
}
