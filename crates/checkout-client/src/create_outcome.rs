//! The outcome of a create as one value.

use crate::answer::Answer;
use crate::error::CallErrorOf;
use crate::provider::{Operation, Readable};
use checkout_poll::RetryAdvice;
use checkout_tables::Repeat;
use core::time::Duration;

/// The outcome of a create: the next step of an order that waits for its checkout.
///
/// A create is `create`, `initiate` or `submit`. Store the order before you send the create, then store the
/// outcome. Each variant has one next step, and none of these steps charges twice. The type of the payload
/// names the provider of the create.
///
/// | variant | processed? | the order's next step |
/// |---|---|---|
/// | [`Created`](Self::Created) | yes | look at the differences, store the id, send the payer to the page |
/// | [`Repeat`](Self::Repeat) | no, or a repeat is safe | store the flag, send the same create again after the wait |
/// | [`SetUp`](Self::SetUp) | no, or a repeat is safe | mend the key, clock, token or address, then send the same again |
/// | [`LookUp`](Self::LookUp) | perhaps | look the checkout up, for a minute; repeat only if there is still none |
/// | [`Refused`](Self::Refused) | no | give the order up, or change the draft |
/// | [`Unknown`](Self::Unknown) | perhaps | wait for the webhook, where the provider has one; then a person |
///
/// [`Call::send_with_retries`](crate::Call::send_with_retries) repeats a create while a repeat is safe. The
/// last result is the outcome:
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_money::Cents;
/// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
/// # use checkout_tables::allscale::Currency;
/// # use checkout_validate::allscale::Draft;
/// use checkout_kit::{CreateOutcome, RetryPolicy};
///
/// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
/// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
/// # let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
/// # let client = Client::builder(key).clock(move || clock.now()).build()?;
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
    /// The provider created the checkout. Look at [`Answer::differences`] before the payer is sent to the
    /// page.
    Created(Answer<T>),
    /// The same create can be sent again: it is certain that nothing was created, or the create has a key
    /// that makes a repeat safe, such as Azotte's `correlationId`.
    Repeat {
        /// The wait before the next attempt.
        after: Duration,
        /// True if an attempt may have been processed. Store the flag, and hand it to [`after`](Self::after)
        /// with the result of the repeat.
        may_have_been_processed: bool,
        /// The error of the last attempt.
        error: CallErrorOf<T>,
    },
    /// The client's set-up is at fault, not the order: the key, the clock, the access token, the address or
    /// the nonces. The same create can be sent again once the set-up is mended. With Peach's V2, authenticate
    /// again: the client has dropped the refused token.
    SetUp {
        /// True if an attempt may have been processed, as of [`Repeat`](Self::Repeat).
        may_have_been_processed: bool,
        /// The error of the last attempt.
        error: CallErrorOf<T>,
    },
    /// The checkout may exist, and the provider can be asked for the checkout: look it up before a repeat.
    /// Peach V1's create is looked up by the `merchantTransactionId`. Just after a create the provider may
    /// not know the checkout yet, so look for a minute.
    LookUp {
        /// The parameter to look the checkout up by.
        by: &'static str,
        /// The error of the last attempt.
        error: CallErrorOf<T>,
    },
    /// Nothing was created, and the same create would fare no better.
    Refused(CallErrorOf<T>),
    /// The checkout may exist, and the provider cannot be asked for the checkout. With AllScale, drop the
    /// attempt: nobody has its page. The next attempt has an `order_id` of its own, and a webhook that names
    /// the dropped attempt is for a person. With Azotte and Peach's V2, a person looks into the provider's
    /// dashboard.
    Unknown(CallErrorOf<T>),
}

impl<T: Readable> CreateOutcome<T> {
    /// The outcome of a create's result, after one attempt or [several](crate::Call::send_with_retries).
    ///
    /// ```
    /// # checkout_doctest::facade!(client);
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::{CreateOutcome, allscale::Client};
    /// # use checkout_money::Cents;
    /// # use checkout_tables::allscale::Currency;
    /// # use checkout_validate::allscale::Draft;
    /// use checkout_kit::TransportError;
    /// use checkout_kit::transport::from_fn_blocking;
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
        Self::after(false, result)
    }

    /// The outcome of a create that was sent before. `may_have_been_processed` is the flag of the earlier
    /// [`Repeat`](Self::Repeat) or [`SetUp`](Self::SetUp): a refusal of the repeat says nothing of the
    /// earlier attempt, so an order that was perhaps paid is never given up.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_client::{CreateOutcome, azotte::Client};
    /// # use checkout_sandbox::azotte::{API_KEY, Fault, Sandbox, X_TN};
    /// # use checkout_tables::{Environment, azotte::PaymentChannel};
    /// # use checkout_validate::azotte::Draft;
    /// # let sandbox = Sandbox::new(1);
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    /// # let client = client.clock(move || clock.now()).build()?;
    /// # let submit = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1").correlation_id("o_1");
    /// # let submit = submit.item("plan_gold").customer_urn("urn:customer:42").check()?;
    /// let call = client.submit(&submit);
    /// sandbox.inject(Fault::LostAnswer);
    /// let CreateOutcome::Repeat { may_have_been_processed, .. } = CreateOutcome::of(call.send_blocking(&sandbox)) else {
    ///     panic!()
    /// };
    /// // Stored with the order, and read again for the repeat.
    /// sandbox.inject(Fault::EmptyUnauthorized);
    /// let outcome = CreateOutcome::after(may_have_been_processed, call.send_blocking(&sandbox));
    /// assert!(matches!(outcome, CreateOutcome::SetUp { may_have_been_processed: true, .. }));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after(may_have_been_processed: bool, result: Result<Answer<T>, CallErrorOf<T>>) -> Self {
        let error = match result {
            Ok(answer) => return Self::Created(answer),
            Err(error) => error,
        };
        let earlier = may_have_been_processed;
        let Operation { repeat, lookup_key, .. } = error.operation();
        // The call for an access token creates nothing, whatever became of the call.
        let processed = error.may_have_been_processed() && repeat != Repeat::Safe;
        // The last attempt speaks for itself: a refusal that proves nothing is not the set-up's fault alone.
        let is_set_up =
            repeat == Repeat::Safe || (error.is_set_up() && !error.attempt_may_have_been_processed());
        let advice = error.retry();
        let error = if earlier { error.after_another() } else { error };
        let may_have_been_processed = earlier || processed;
        match (advice, repeat) {
            // Nobody repeats an unsafe create of which an attempt may have been processed.
            (_, Repeat::Unsafe | Repeat::Safe) if earlier => match lookup_key {
                Some(by) => Self::LookUp { by, error },
                None => Self::Unknown(error),
            },
            (RetryAdvice::After(after), _) => Self::Repeat { after, may_have_been_processed, error },
            (RetryAdvice::ReadFirst(by), _) => Self::LookUp { by, error },
            (RetryAdvice::Never, _) if is_set_up => Self::SetUp { may_have_been_processed, error },
            (RetryAdvice::Never, _) if may_have_been_processed => Self::Unknown(error),
            (RetryAdvice::Never, _) => Self::Refused(error),
        }
    }

    /// The error, where the checkout was not created or where that is unknown.
    #[must_use]
    pub const fn error(&self) -> Option<&CallErrorOf<T>> {
        match self {
            Self::Created(_) => None,
            Self::Repeat { error, .. }
            | Self::SetUp { error, .. }
            | Self::LookUp { error, .. }
            | Self::Refused(error)
            | Self::Unknown(error) => Some(error),
        }
    }
}
