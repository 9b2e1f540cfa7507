//! The faults that a draft can have, and the warnings about a draft.

use crate::BrokenRule;
use crate::violations::sealed::Sealed;
use checkout_money::{Cents, CoinAmount};
use checkout_tables::allscale::{ErrorCode, FLOOR_TEXT, StableCoin};
use core::fmt;

/// A field of the create request, by the provider's name for it. Fields are ordered as the page lists them.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Request Fields.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::allscale::Field;
///
/// assert_eq!(Field::Accepted(2).to_string(), "accepted_stable_coins[2]");
/// assert!(Field::OrderId < Field::RedirectUrl);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `currency`
    Currency,
    /// `stable_coin`
    StableCoin,
    /// `amount_cents`
    AmountCents,
    /// `order_id`
    OrderId,
    /// `redirect_url`
    RedirectUrl,
    /// `order_description`
    OrderDescription,
    /// `user_id`
    UserId,
    /// `user_name`
    UserName,
    /// `extra`
    Extra,
    /// `accepted_stable_coins`
    AcceptedStableCoins,
    /// An entry of `accepted_stable_coins`, counted from 0.
    Accepted(usize),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Currency => "currency",
            Self::StableCoin => "stable_coin",
            Self::AmountCents => "amount_cents",
            Self::OrderId => "order_id",
            Self::RedirectUrl => "redirect_url",
            Self::OrderDescription => "order_description",
            Self::UserId => "user_id",
            Self::UserName => "user_name",
            Self::Extra => "extra",
            Self::AcceptedStableCoins => "accepted_stable_coins",
            Self::Accepted(index) => return write!(f, "accepted_stable_coins[{index}]"),
        })
    }
}

/// One thing that is wrong with a draft. [`Display`](fmt::Display) gives the message alone;
/// [`field`](Self::field) and [`code`](Self::code) say the rest.
///
/// Source of the rules: *Create Checkout Intent*, v4, 2026-05-06, Request Fields and Important.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft, ErrorCode, Field, StableCoin, Violation};
///
/// let mut draft = Draft::fiat(Currency::USD, Cents::new(100));
/// draft.stable_coin = Some(StableCoin::USDT.into());
/// let violations = draft.check().unwrap_err();
/// let violation = violations.iter().next().unwrap();
/// assert_eq!(violation, &Violation::Both);
/// assert_eq!(violation.field(), Field::StableCoin);
/// assert_eq!(violation.code(), Some(ErrorCode::ValidationError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// Both a currency and a stable coin are set. Code 10001.
    Both,
    /// Neither a currency nor a stable coin is set. Code 10001.
    Neither,
    /// The currency's number is not in Appendix A. Code 10001 (Assumed: the page names no code).
    UnknownCurrency(i64),
    /// The coin's number is not in Appendix B. Code 10001 (Assumed: the page names no code).
    UnknownCoin(i64),
    /// The coin is in Appendix B and disabled. Code 10001 (Assumed: the page says that the coin is rejected,
    /// and not with which code).
    DisabledCoin(StableCoin),
    /// There is no amount. Code 10001 (Assumed: the page requires an amount and names no code).
    NoAmount,
    /// The amount is zero or less, so that the amount is at or below the floor in every coin, and no
    /// supported coin of the draft says in which. Code 50002.
    NotPositive(Cents),
    /// A native amount at or below 0.1 coin, zero and less included. Code 50002, with the documented text.
    AtOrBelowFloor(StableCoin),
    /// The list of accepted coins is empty. Code 10001.
    NoneAccepted,
    /// An accepted coin's number is not in Appendix B. Code 10001.
    UnknownAccepted {
        /// Which entry, counted from 0.
        index: usize,
        /// The accepted coin's number.
        value: i64,
    },
    /// The metadata is not a JSON object. Code 10001 (Assumed: the page gives the type and names no code).
    ExtraNotAnObject,
    /// A text or list is longer than our own limit. The provider may well accept the text or list, and has no
    /// code for the length.
    TooLong {
        /// Which field.
        field: Field,
        /// The length: bytes of UTF-8, or entries.
        length: usize,
        /// The limit of [`Limits`](super::Limits).
        limit: usize,
    },
    /// The metadata is nested deeper than our own limit. The provider may well accept the metadata, and has
    /// no code for the depth.
    ExtraTooDeep {
        /// The number of levels.
        depth: usize,
        /// The limit of [`Limits`](super::Limits).
        limit: usize,
    },
}

impl Violation {
    /// The field.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Neither | Self::UnknownCurrency(_) => Field::Currency,
            Self::Both | Self::UnknownCoin(_) | Self::DisabledCoin(_) => Field::StableCoin,
            Self::NoAmount | Self::NotPositive(_) | Self::AtOrBelowFloor(_) => Field::AmountCents,
            Self::NoneAccepted => Field::AcceptedStableCoins,
            Self::UnknownAccepted { index, .. } => Field::Accepted(*index),
            Self::ExtraNotAnObject | Self::ExtraTooDeep { .. } => Field::Extra,
            Self::TooLong { field, .. } => *field,
        }
    }

    /// The code that the provider would have answered with; none for a limit of our own.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Both
            | Self::Neither
            | Self::UnknownCurrency(_)
            | Self::UnknownCoin(_)
            | Self::DisabledCoin(_)
            | Self::NoAmount
            | Self::NoneAccepted
            | Self::UnknownAccepted { .. }
            | Self::ExtraNotAnObject => Some(ErrorCode::ValidationError),
            Self::NotPositive(_) | Self::AtOrBelowFloor(_) => Some(ErrorCode::CreateError),
            Self::TooLong { .. } | Self::ExtraTooDeep { .. } => None,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Both => f.write_str("currency is set too: set exactly one of currency and stable_coin"),
            Self::Neither => f.write_str("set exactly one of currency and stable_coin"),
            Self::UnknownCurrency(value) => write!(f, "{value} is not a currency of Appendix A"),
            Self::UnknownCoin(value) | Self::UnknownAccepted { value, .. } => {
                write!(f, "{value} is not a stable coin of Appendix B")
            }
            Self::DisabledCoin(coin) => write!(f, "{coin} is disabled"),
            Self::NoAmount => f.write_str("an amount is required"),
            Self::NotPositive(amount) => write!(f, "{amount} is not a positive amount"),
            Self::AtOrBelowFloor(coin) => write!(f, "{}{coin}{}", FLOOR_TEXT.0, FLOOR_TEXT.1),
            Self::NoneAccepted => f.write_str("name at least one coin, or leave the list out"),
            Self::ExtraNotAnObject => f.write_str("not a JSON object"),
            Self::TooLong { field: Field::AcceptedStableCoins, length, limit } => {
                write!(f, "{length} entries, and the limit is {limit}")
            }
            Self::TooLong { length, limit, .. } => write!(f, "{length} bytes long, and the limit is {limit}"),
            Self::ExtraTooDeep { depth, limit } => {
                write!(f, "nested {depth} levels deep, and the limit is {limit}")
            }
        }
    }
}

impl BrokenRule for Violation {
    type Field = Field;

    fn field(&self) -> Field {
        self.field()
    }

    fn code(&self) -> Option<i64> {
        self.code().map(i64::from)
    }
}

impl Sealed for Violation {}

/// Everything that is wrong with a draft of AllScale's. Fields are ordered as the page lists them, and a code
/// is the provider's.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::allscale::{Draft, Violations};
///
/// let violations: Violations = Draft::default().check().unwrap_err();
/// assert_eq!(
///     violations.to_string(),
///     "currency: set exactly one of currency and stable_coin (10001); amount_cents: an amount is required (10001)"
/// );
/// ```
pub type Violations = crate::Violations<Violation>;

/// A part of a draft that is worth a second look, and that the documents do not forbid. Assumed throughout:
/// the documents are silent, so the merchant's wish is sent as given.
///
/// [`Display`](fmt::Display) gives the message alone, as for a [`Violation`]; [`field`](Self::field) says the
/// field.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft, StableCoin, Warning};
///
/// let draft = Draft::fiat(Currency::USD, Cents::new(100)).accept([StableCoin::USDC, StableCoin::USDC]);
/// let intent = draft.check()?;
/// assert_eq!(intent.warnings(), [Warning::AcceptedTwice { index: 1, coin: StableCoin::USDC }]);
/// let said: Vec<_> = intent.warnings().iter().map(|warning| format!("{}: {warning}", warning.field())).collect();
/// assert_eq!(said, ["accepted_stable_coins[1]: USDC is named twice"]);
/// # Ok::<(), checkout_validate::allscale::Violations>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// At your own estimate the amount is at or below 0.1 coin.
    LooksBelowFloor {
        /// The amount in coins, at your estimate.
        estimate: CoinAmount,
    },
    /// Accepted coins beside a native price: the price already names its coin.
    AcceptedBesideNative,
    /// A coin is accepted twice.
    AcceptedTwice {
        /// Which entry, counted from 0.
        index: usize,
        /// The coin.
        coin: StableCoin,
    },
    /// A coin that is disabled is accepted. If the disabled coin is the first one, the settlement coin of a
    /// fiat price is not known.
    AcceptedDisabled {
        /// Which entry, counted from 0.
        index: usize,
        /// The coin.
        coin: StableCoin,
    },
    /// The redirect URL does not begin with `https://` or `http://`.
    RedirectNotHttp,
}

impl Warning {
    /// The field.
    ///
    /// ```
    /// # use checkout_validate::allscale::{Field, Warning};
    /// assert_eq!(Warning::RedirectNotHttp.field(), Field::RedirectUrl);
    /// ```
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::LooksBelowFloor { .. } => Field::AmountCents,
            Self::AcceptedBesideNative => Field::AcceptedStableCoins,
            Self::AcceptedTwice { index, .. } | Self::AcceptedDisabled { index, .. } => {
                Field::Accepted(*index)
            }
            Self::RedirectNotHttp => Field::RedirectUrl,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LooksBelowFloor { estimate } => {
                write!(f, "at your estimate this is {estimate} coins, and it must be greater than 0.1")
            }
            Self::AcceptedBesideNative => f.write_str("the native price already names its coin"),
            Self::AcceptedTwice { coin, .. } => write!(f, "{coin} is named twice"),
            Self::AcceptedDisabled { coin, .. } => write!(f, "{coin} is disabled"),
            Self::RedirectNotHttp => f.write_str("does not begin with https:// or http://"),
        }
    }
}
