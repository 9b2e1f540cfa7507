//! Peach Payments Hosted Checkout, V1 and V2.
//!
//! | to do | with |
//! |---|---|
//! | draft a checkout, and check it | [`Draft`], [`Rules`] → [`InitiateCheckout`] or [`Violations`] |
//! | reach V1 | [`Client`], with entity and [`SecretToken`] |
//! | reach V2, which Peach recommends | [`v2::Client`], with entity and [`v2::Credentials`] |
//! | create | [`Client::initiate`] → [`Initiated`], [`v2::Client::create`] → [`Created`] |
//! | watch to the end | [`Client::watch`] by a [`Lookup`], [`v2::Client::watch`] → [`Watch`](crate::Watch) |
//! | read once | [`Client::status`] by a [`Lookup`], [`v2::Client::status`] → [`Payment`] |
//! | receive a webhook or the shopper's return | [`Receiver`] → [`Message`], [`Event`] |
//! | know how a checkout stands | [`Tracker`](crate::Tracker) of [`PaymentStatus`] |
//! | settle an order | [`Answer::into_read`](crate::Answer::into_read), and [`Order`](crate::settlement::peach::Order) |
//!
//! A success of the payment type `PA` is an authorization, [`Phase::Authorized`](crate::Phase::Authorized):
//! no money has come.
//!
//! ```
//! use checkout_kit::peach::{Environment, Fields, Payment, PaymentStatus, SecretToken};
//! use checkout_kit::SecretString;
//!
//! // A webhook, signed here as Peach would sign it.
//! let secret = SecretToken::new(SecretString::from("3fcd7cf22f55119eadbe02d14de18c0c"))?;
//! let signature = secret.sign([("paymentType", "DB"), ("result.code", "000.000.000")])?;
//! let body = format!("paymentType=DB&result.code=000.000.000&signature={}", signature.as_str());
//!
//! // Verify over every field, known or not, before you believe any of them.
//! let fields = Fields::from_form(body.as_bytes())?;
//! secret.verify(fields.iter())?;
//! let payment = Payment::new(fields, Environment::Live).ok_or("no result code")?;
//! assert_eq!(payment.status().and_then(|status| status.known()), Some(PaymentStatus::Successful));
//! // A webhook is a hint all the same: read the status before goods leave.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `peach_payment` plays all the steps but the webhook. `receive_peach` receives webhooks.

pub use checkout_auth::peach::{
    KeyError, SIGNATURE, SecretToken, Signature, SignedText, VerifyError, header,
};
pub use checkout_client::peach::{Builder, Client, OtherEntity, Peach, TokenSource, TokenStore, v2};
pub use checkout_tables::peach::{
    Currency, EXPIRES_AFTER_SECONDS, Environment, Outcome, ParseResultCodeError, PaymentStatus, PaymentType,
    RecurringType, ResultCode, ResultGroup, Route, SIGNATURE_NEVER_AGAIN_SECONDS, StandingInstructionMode,
    StandingInstructionSource, StandingInstructionType,
};
pub use checkout_trust::peach::{Event, Message, Probe, ReceiveError, Receiver, Via};
pub use checkout_validate::peach::{
    Amount, CheckoutId, Draft, Field, InitiateCheckout, Limits, Lookup, LookupError, MerchantTransactionId,
    PaymentId, Rules, StandingInstruction, Violation, Violations, Warning,
};
pub use checkout_wire::peach::{
    AccessToken, Created, Fields, FormError, Initiated, NotDone, Payment, Refusal, Reply, Validated,
    ValidationError, Wrapper,
};
