//! The facade's re-exports, by crate. The test `facade_in_examples` of `checkout-kit` writes this file.

/// The facade's re-exports of one crate, at the root or in a provider's module.
#[doc(hidden)]
#[macro_export]
macro_rules! names {
    (auth) => {
        pub mod auth {
            pub use ::checkout_auth::*;
        }
        pub use ::checkout_auth::{KeyRing, SecretString};
    };
    (client) => {
        pub mod client {
            pub use ::checkout_client::*;
        }
        #[cfg(feature = "system")]
        pub use ::checkout_client::SystemClock;
        #[cfg(feature = "tokio")]
        pub use ::checkout_client::tokio_sleep;
        pub use ::checkout_client::{
            Answer, BuildError, Call, CallError, CallErrorKind, Change, CheckoutClient, Clock, CreateOutcome,
            End, Handle, NotSent, Observable, Watch, WatchSet, Watchable,
        };
    };
    (engine) => {
        pub mod engine {
            pub use ::checkout_engine::*;
        }
    };
    (lifecycle) => {
        pub mod lifecycle {
            pub use ::checkout_lifecycle::*;
        }
        pub use ::checkout_lifecycle::{Failure, Moment, Observation, Phase, Tracker, Verdict};
    };
    (money) => {
        pub mod money {
            pub use ::checkout_money::*;
        }
        pub use ::checkout_money::{Cents, CoinAmount};
    };
    (poll) => {
        pub mod poll {
            pub use ::checkout_poll::*;
        }
        pub use ::checkout_poll::{PollPolicy, RetryAdvice, RetryPolicy};
    };
    (tables) => {
        pub mod tables {
            pub use ::checkout_tables::*;
        }
        pub use ::checkout_tables::Environment;
    };
    (transport) => {
        pub mod transport {
            pub use ::checkout_transport::*;
        }
        pub use ::checkout_transport::{
            BlockingTransport, LocalTransport, Request, Response, Transport, TransportError,
        };
    };
    (trust) => {
        pub mod trust {
            pub use ::checkout_trust::*;
        }
        pub use ::checkout_trust::{Verified, replay, settlement};
    };
    (validate) => {
        pub mod validate {
            pub use ::checkout_validate::*;
        }
    };
    (wire) => {
        pub mod wire {
            pub use ::checkout_wire::*;
        }
    };
    (allscale auth) => {
        pub use ::checkout_auth::allscale::{
            KeyError, RequestToSign, Signature, SigningKey, VerifyError, headers, response, webhook,
        };
    };
    (allscale client) => {
        pub use ::checkout_client::allscale::{AllScale, BuildError, Builder, Client, Difference};
    };
    (allscale tables) => {
        pub use ::checkout_tables::allscale::{
            BASE_URL, Currency, ErrorCode, FLOOR_CENTS, FLOOR_TEXT, IntentStatus, POLL_EVERY_SECONDS,
            POLL_GIVE_UP_SECONDS, PaymentMethodType, Route, SUCCESS, StableCoin, TIMESTAMP_WINDOW_SECONDS,
        };
    };
    (allscale trust) => {
        pub use ::checkout_trust::allscale::{Event, ReceiveError, Receiver};
    };
    (allscale validate) => {
        pub use ::checkout_validate::allscale::{
            CoinSet, CreateIntent, Draft, Field, Limits, Price, Rules, SettlementCoin, Violation, Violations,
            Warning,
        };
    };
    (allscale wire) => {
        pub use ::checkout_wire::allscale::{
            CreatedIntent, Echo, Intent, NotDone, Pong, Refusal, Reply, WebhookBody,
        };
    };
    (azotte client) => {
        pub use ::checkout_client::azotte::{Azotte, Builder, Client, Submitted};
    };
    (azotte tables) => {
        pub use ::checkout_tables::azotte::{
            Action, DEFAULT_RETRY_AFTER_SECONDS, ErrorCode, HOST_SUFFIX_LIVE, HOST_SUFFIX_SANDBOX,
            MEDIA_TYPE, MessageCode, PaymentChannel, Route,
        };
    };
    (azotte validate) => {
        pub use ::checkout_validate::azotte::{
            Card, CardDraft, Draft, Field, Item, ItemDraft, ItemField, Limits, PaymentMethod, Rules,
            SubmitCheckout, Violation, Violations, Warning, YearMonth,
        };
    };
    (azotte wire) => {
        pub use ::checkout_wire::azotte::{
            Challenge, CheckoutResult, FollowUpInstructions, NotDone, NotShown, ProblemDetails,
            RedirectInstructions, Refusal, Reply, ResultStatus,
        };
    };
    (peach auth) => {
        pub use ::checkout_auth::peach::{
            KeyError, SIGNATURE, SecretToken, Signature, SignedText, VerifyError, header,
        };
    };
    (peach client) => {
        pub use ::checkout_client::peach::{
            Builder, Client, OtherEntity, Peach, TokenSource, TokenStore, v2,
        };
    };
    (peach tables) => {
        pub use ::checkout_tables::peach::{
            Currency, EXPIRES_AFTER_SECONDS, Environment, Outcome, ParseResultCodeError, PaymentStatus,
            PaymentType, RecurringType, ResultCode, ResultGroup, Route, SIGNATURE_NEVER_AGAIN_SECONDS,
            StandingInstructionMode, StandingInstructionSource, StandingInstructionType,
        };
    };
    (peach trust) => {
        pub use ::checkout_trust::peach::{Event, Message, Probe, ReceiveError, Receiver, Via};
    };
    (peach validate) => {
        pub use ::checkout_validate::peach::{
            Amount, CheckoutId, Draft, Field, InitiateCheckout, Limits, Lookup, LookupError,
            MerchantTransactionId, PaymentId, Rules, StandingInstruction, Violation, Violations, Warning,
        };
    };
    (peach wire) => {
        pub use ::checkout_wire::peach::{
            AccessToken, Created, Fields, FormError, Initiated, NotDone, Payment, Refusal, Reply, Validated,
            ValidationError, Wrapper,
        };
    };
    // The provider's module has nothing of the crate.
    ($provider:ident $name:ident) => {};
}
