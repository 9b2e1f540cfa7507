//! Azotte C2A: cards and other channels, with 3DS, by asynchronous workers.
//!
//! | to do | with |
//! |---|---|
//! | draft a checkout, and check it | [`Draft`], [`Rules`] → [`SubmitCheckout`] or [`Violations`] |
//! | reach the API | [`Client`], with project, tenant and API key |
//! | submit | [`Client::submit`] → [`Submitted`] |
//! | watch to the end | [`Client::watch_submitted`], [`Client::watch`] → [`Watch`](crate::Watch) |
//! | read once | [`Client::status`] → [`CheckoutResult`] |
//! | show a challenge | [`CheckoutResult::challenge`] → [`Challenge`] |
//! | know how a checkout stands | [`Tracker`](crate::Tracker) of [`MessageCode`] |
//! | settle an order | [`Answer::into_read`](crate::Answer::into_read), and [`Order`](crate::settlement::azotte::Order) |
//!
//! Take the stored method first: a merchant that sends raw card numbers falls under PCI DSS, with every
//! machine that the numbers pass through.
//!
//! ```
//! use checkout_kit::azotte::{Draft, PaymentChannel};
//!
//! let submit = Draft::stored_method(PaymentChannel::CreditCard)
//!     .offer_identifier("off_1")
//!     .correlation_id("order_123") // the same submit under the same id is charged once
//!     .item("plan_gold")
//!     .customer_urn("urn:customer:42")
//!     .check()?;
//! assert_eq!(submit.correlation_id(), "order_123");
//! # Ok::<(), checkout_kit::azotte::Violations>(())
//! ```
//!
//! The example `azotte_payment` plays all the steps.

pub use checkout_client::azotte::{Azotte, Builder, Client, Submitted};
pub use checkout_tables::azotte::{
    Action, DEFAULT_RETRY_AFTER_SECONDS, ErrorCode, HOST_SUFFIX_LIVE, HOST_SUFFIX_SANDBOX, MEDIA_TYPE,
    MessageCode, PaymentChannel, Route,
};
pub use checkout_validate::azotte::{
    Card, CardDraft, Draft, Field, Item, ItemDraft, ItemField, Limits, PaymentMethod, Rules, SubmitCheckout,
    Violation, Violations, Warning, YearMonth,
};
pub use checkout_wire::azotte::{
    Challenge, CheckoutResult, FollowUpInstructions, NotDone, NotShown, ProblemDetails, RedirectInstructions,
    Refusal, Reply, ResultStatus,
};
