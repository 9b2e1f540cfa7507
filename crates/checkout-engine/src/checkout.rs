//! A checkout, as a store keeps it.

use checkout_tables::{Environment, Moment};
use checkout_validate::Redacted;
use core::fmt;

/// A checkout of the engine: who sells, how it stands, and the page for the payer.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::State;
///
/// assert!(State::Settled.is_end() && !State::Open.is_end());
/// assert_eq!(State::GaveUp.name(), "gave_up");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The id that the shop gave: one checkout for ever, in all processes.
    pub id: String,
    /// The provider.
    pub provider: Provider,
    /// The merchant: the name under which the engine has the provider's client.
    pub merchant: String,
    /// The environment of the client: live or test money.
    pub environment: Environment,
    /// How the checkout stands.
    pub state: State,
    /// The id in the draft, by which the provider and its webhooks name the checkout: AllScale's `order_id`,
    /// Azotte's `correlationId`, Peach's `merchantTransactionId`.
    pub reference: String,
    /// The provider's own id, once an answer or a webhook has it.
    pub checkout_id: Option<String>,
    /// The hosted page. Anybody with the address can pay: a secret of the payer.
    pub page: Option<Redacted<'static>>,
    /// The reason why a person has to look, if there is one. Nothing of a held checkout is told as settled.
    pub hold: Option<String>,
    /// The engine's own notes: the draft until the create is done, the price, the payer's challenge. JSON, of
    /// the engine's version.
    pub notes: Redacted<'static>,
    /// Counts the writes of the row.
    pub version: i64,
    /// The moment of the first write, by the store's clock.
    pub created_at: Moment,
    /// The moment of the last write, by the store's clock.
    pub changed_at: Moment,
}

impl fmt::Debug for Checkout {
    /// Prints no page, no draft and no note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkout")
            .field("id", &self.id)
            .field("provider", &self.provider)
            .field("merchant", &self.merchant)
            .field("environment", &self.environment)
            .field("state", &self.state)
            .field("reference", &self.reference)
            .field("checkout_id", &self.checkout_id)
            .field("hold", &self.hold)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A challenge that the payer has to meet before the payment goes on: 3DS of Azotte's. `Debug` prints nothing
/// of a challenge.
///
/// ```
/// # checkout_doctest::facade!(engine);
/// use checkout_kit::engine::Challenge;
///
/// let challenge = Challenge::Html("<form></form>".into());
/// assert_eq!(format!("{challenge:?}"), "Html(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// A form of the bank's. Show the form in a frame with the attribute `sandbox`: the form is foreign HTML.
    Html(String),
    /// The address of a page of the bank's.
    Url(String),
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Html(_) => "Html(..)",
            Self::Url(_) => "Url(..)",
        })
    }
}

macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the store.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one with this name in the store.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// The provider of a checkout, and the version of its interface.
    #[non_exhaustive]
    Provider {
        /// AllScale Checkout.
        AllScale = "allscale",
        /// Azotte C2A.
        Azotte = "azotte",
        /// Peach Payments Hosted Checkout, V1.
        Peach = "peach",
        /// Peach Payments Hosted Checkout, V2.
        PeachV2 = "peach_v2",
    }
}

impl Provider {
    /// The company: Peach's two interfaces share a merchant, and with it the merchant's limit and webhooks.
    ///
    /// ```
    /// # checkout_doctest::facade!(engine);
    /// use checkout_kit::engine::Provider;
    ///
    /// assert_eq!(Provider::PeachV2.company(), "peach");
    /// ```
    #[must_use]
    pub const fn company(self) -> &'static str {
        match self {
            Self::AllScale => "allscale",
            Self::Azotte => "azotte",
            Self::Peach | Self::PeachV2 => "peach",
        }
    }
}

names! {
    /// How a checkout of the engine stands.
    ///
    /// | state | meaning | the engine's next step |
    /// |---|---|---|
    /// | `Sending` | the create is sent, or is to be repeated | finishes the create by the provider's rule |
    /// | `Unknown` | nobody knows if the provider made the checkout | waits for a webhook or a read, then for a person |
    /// | `Open` | the provider has the checkout | reads until the end; after the policy's deadline less and less often |
    /// | `Settled` | a read settled the order | – |
    /// | `Failed` | a read showed an end without payment | late reads, where the policy has them |
    /// | `GaveUp` | no end for a month | – |
    /// | `Refused` | the provider made nothing | – |
    /// | `Unsettled` | ended and perhaps paid, and the read does not settle the order | waits for a person |
    /// | `Closed` | closed by a person | – |
    #[non_exhaustive]
    State {
        /// The create is sent, or is to be repeated.
        Sending = "sending",
        /// Nobody knows if the provider made the checkout.
        Unknown = "unknown",
        /// The provider has the checkout: it is read until its end.
        Open = "open",
        /// A read settled the order.
        Settled = "settled",
        /// A read showed an end without payment.
        Failed = "failed",
        /// No end for as long as the engine looks.
        GaveUp = "gave_up",
        /// The provider made nothing, and would not with the same draft.
        Refused = "refused",
        /// The checkout ended and was perhaps paid, and the read does not settle the order.
        Unsettled = "unsettled",
        /// A person closed the checkout.
        Closed = "closed",
    }
}

impl State {
    /// True for a state that the engine leaves only for news: a late payment, or a person's word.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Sending | Self::Unknown | Self::Open => false,
            Self::Settled | Self::Failed | Self::GaveUp | Self::Refused | Self::Unsettled | Self::Closed => {
                true
            }
        }
    }
}
