//! AllScale Checkout: fiat prices paid in stable coins.
//!
//! | to do | with |
//! |---|---|
//! | draft a checkout, and check it | [`Draft`], [`Rules`] → [`CreateIntent`] or [`Violations`] |
//! | reach the API | [`Client`], with a [`SigningKey`] |
//! | create | [`Client::create`] → [`CreatedIntent`] |
//! | watch to the end | [`Client::watch`] → [`Watch`](crate::Watch) |
//! | read once | [`Client::status`], [`Client::get`] → [`Intent`] |
//! | receive a webhook | [`Receiver`] → [`Verified`](crate::Verified) [`Event`] |
//! | know how a checkout stands | [`Tracker`](crate::Tracker) of [`IntentStatus`] |
//! | settle an order | [`Answer::into_read`](crate::Answer::into_read), and [`Order`](crate::settlement::allscale::Order) |
//! | look a code up | [`Currency`], [`StableCoin`], [`IntentStatus`], [`ErrorCode`], [`PaymentMethodType`] |
//!
//! ```
//! use checkout_kit::allscale::{Draft, StableCoin};
//! use checkout_kit::Cents;
//!
//! // Ten hundredths of a coin are not more than 0.1.
//! let violations = Draft::coin(StableCoin::USDT, Cents::new(10)).check().unwrap_err();
//! assert!(violations.to_string().contains("amount must be greater than 0.1 USDT!"));
//! assert!(Draft::coin(StableCoin::USDT, Cents::new(11)).check().is_ok());
//! ```

pub use checkout_auth::allscale::{
    KeyError, RequestToSign, Signature, SigningKey, VerifyError, headers, response, webhook,
};
pub use checkout_client::allscale::{AllScale, BuildError, Builder, Client, Difference};
pub use checkout_tables::allscale::{
    BASE_URL, Currency, ErrorCode, FLOOR_CENTS, FLOOR_TEXT, IntentStatus, POLL_EVERY_SECONDS,
    POLL_GIVE_UP_SECONDS, PaymentMethodType, Route, SUCCESS, StableCoin, TIMESTAMP_WINDOW_SECONDS,
};
pub use checkout_trust::allscale::{Event, ReceiveError, Receiver};
pub use checkout_validate::allscale::{
    CoinSet, CreateIntent, Draft, Field, Limits, Price, Rules, SettlementCoin, Violation, Violations, Warning,
};
pub use checkout_wire::allscale::{CreatedIntent, Echo, Intent, NotDone, Pong, Refusal, Reply, WebhookBody};
