//! The engine's own notes in a checkout's row.

use crate::checkout::{Challenge, Checkout};
use crate::draft::{Draft, StoredDraft};
use crate::store::{News, StoreError, Subject};
use checkout_money::{Cents, CoinAmount};
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_tables::peach;
use checkout_trust::settlement;
use checkout_trust::settlement::allscale::OrderPrice;
use checkout_validate::{Redacted, allscale};
use core::fmt;
use serde::{Deserialize, Serialize};

/// What the engine has to know of a checkout besides the columns of the row.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The draft, until the create is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<StoredDraft>,
    /// The price that a read has to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<Price>,
    /// The payer's challenge, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<StoredChallenge>,
    /// The attempts at the create.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// True from the save before a send until the outcome is saved.
    #[serde(default)]
    pub(crate) under_way: bool,
    /// True if an earlier attempt may have been processed.
    #[serde(default)]
    pub(crate) processed: bool,
    /// The moment when the present state began, in Unix milliseconds.
    #[serde(default)]
    pub(crate) since: i64,
    /// The moment of the first attempt at the create, or of a person's release, in Unix milliseconds.
    #[serde(default)]
    pub(crate) tried_since: i64,
    /// The looks since the policy's deadline.
    #[serde(default)]
    pub(crate) looks: u32,
    /// How often a lookup found no checkout in the present state.
    #[serde(default)]
    pub(crate) not_there: u32,
    /// How often a nudge of an ended checkout got no answer.
    #[serde(default)]
    pub(crate) asked: u32,
    /// The moment since which reads fail for a reason that is not the checkout's: no access token, no client
    /// in this process. In Unix milliseconds; 0 for none.
    #[serde(default)]
    pub(crate) trouble_since: i64,
    /// True from a person's release of an open checkout until its next read: the watch has a new deadline
    /// then.
    #[serde(default)]
    pub(crate) resumes: bool,
    /// True once there was news of the settlement: it is told once.
    #[serde(default)]
    pub(crate) told: bool,
    /// The news that was put aside untold, but for a settlement's, until a person decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) untold: Vec<Untold>,
}

/// News, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Untold {
    key: String,
    subject: String,
    reason: Option<String>,
}

impl Untold {
    pub(crate) fn of(news: &News) -> Self {
        let News { key, subject, reason, .. } = news.clone();
        Self { key, subject: subject.name().to_owned(), reason }
    }

    /// The news again, if it is of this subject.
    pub(crate) fn news(self, id: &str, subject: Subject) -> Option<News> {
        let Self { key, reason, .. } = self;
        (self.subject == subject.name()).then(|| News { key, id: id.to_owned(), subject, reason })
    }
}

/// The price of a checkout, in the words of its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Price {
    /// AllScale, in a currency.
    Fiat { currency: String, cents: i64, owed: String, accepted: Vec<String> },
    /// AllScale, in a coin.
    Coin { coin: String, cents: i64 },
    /// Peach.
    Peach { currency: String, cents: i64 },
}

/// A challenge, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredChallenge {
    Html(String),
    Url(String),
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoredChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredChallenge").finish_non_exhaustive()
    }
}

impl Checkout {
    /// The challenge that the payer has to meet now: show the challenge, and the engine reads on. Azotte's
    /// checkouts alone have challenges.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        if self.state.is_end() {
            return None;
        }
        Some(match Notes::of(self)?.challenge? {
            StoredChallenge::Html(html) => Challenge::Html(html),
            StoredChallenge::Url(url) => Challenge::Url(url),
        })
    }
}

impl Notes {
    pub(crate) fn of(checkout: &Checkout) -> Option<Self> {
        serde_json::from_str(checkout.notes.as_str()).ok()
    }

    /// The same, where notes that nobody can read are an error.
    pub(crate) fn read(checkout: &Checkout) -> Result<Self, StoreError> {
        Self::of(checkout).ok_or_else(|| StoreError::Corrupt { id: checkout.id.clone(), field: "notes" })
    }

    /// False if the price of the row is another than the draft's.
    pub(crate) fn fits(&self, draft: &Draft) -> bool {
        if let Some(stored) = &self.draft {
            return StoredDraft::of(draft).as_ref() == Some(stored);
        }
        match (&self.price, draft) {
            (Some(Price::Fiat { currency, cents, .. }), Draft::AllScale(intent)) => match intent.price() {
                allscale::Price::Fiat { currency: asked, amount } => {
                    (currency.as_str(), *cents) == (asked.code(), amount.get())
                }
                allscale::Price::Coin { .. } => false,
            },
            (Some(price), draft) => Price::of_draft(draft).as_ref() == Some(price),
            (None, _) => true,
        }
    }

    pub(crate) fn text(&self) -> Redacted<'static> {
        // A struct of texts and numbers always has a text.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// A hold with a further reason.
pub(crate) fn with_reason(held: Option<&str>, reason: &str) -> Option<String> {
    Some(match held {
        None => reason.to_owned(),
        Some(held) if held.contains(reason) || held.len() > LONGEST_HOLD => held.to_owned(),
        Some(held) => format!("{held}; {reason}"),
    })
}

/// The length of a reason, and of a hold to which no further reason is added.
pub(crate) const LONGEST_HOLD: usize = 1_000;

/// A text for the store and the shop, without digits that can be a card's number.
pub(crate) fn without_cards(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, number)) = rest.find(char::is_numeric).and_then(|at| rest.split_at_checked(at)) {
        kept.push_str(before);
        let (digits, length) = number_at_the_beginning(number);
        let (number, after) = number.split_at_checked(length).unwrap_or((number, ""));
        kept.push_str(if digits < FEWEST { number } else { "[digits]" });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// The digits of the number with which a text begins, and the bytes up to the last of them. Between two
/// digits there are at most three of the characters by which people part a long number.
fn number_at_the_beginning(text: &str) -> (usize, usize) {
    let (mut digits, mut end, mut gap) = (0usize, 0usize, 0usize);
    for (at, one) in text.char_indices() {
        match one {
            _ if one.is_numeric() => {
                (digits, end, gap) = (digits.saturating_add(1), at.saturating_add(one.len_utf8()), 0);
            }
            '-' | '\u{2010}'..='\u{2015}' | '.' | '/' | '_' if gap < 3 => gap = gap.saturating_add(1),
            _ if one.is_whitespace() && gap < 3 => gap = gap.saturating_add(1),
            _ => break,
        }
    }
    (digits, end)
}

/// The digits of the shortest number of a card.
const FEWEST: usize = 12;

impl Price {
    /// The price of AllScale's order, as long as `coins` lives.
    pub(crate) fn of_allscale<'c>(&self, coins: &'c mut Vec<StableCoin>) -> Option<OrderPrice<'c>> {
        match self {
            Self::Fiat { currency, cents, owed, accepted } => {
                *coins = accepted.iter().map(|code| StableCoin::from_code(code)).collect::<Option<_>>()?;
                Some(OrderPrice::Fiat {
                    currency: Currency::from_code(currency)?,
                    amount: Cents::new(*cents),
                    owed: owed.parse::<CoinAmount>().ok()?,
                    accepted: coins,
                })
            }
            Self::Coin { coin, cents } => {
                Some(OrderPrice::Coin { coin: StableCoin::from_code(coin)?, amount: Cents::new(*cents) })
            }
            Self::Peach { .. } => None,
        }
    }

    /// The price that a draft alone tells; none where the answer to the create has to say what is owed.
    pub(crate) fn of_draft(draft: &Draft) -> Option<Self> {
        match draft {
            Draft::AllScale(intent) => match intent.price() {
                allscale::Price::Coin { coin, amount } => {
                    Some(Self::Coin { coin: coin.code().to_owned(), cents: amount.get() })
                }
                allscale::Price::Fiat { .. } => None,
            },
            Draft::Azotte(_) => None,
            Draft::Peach(initiate) => Some(Self::Peach {
                currency: initiate.currency().code().to_owned(),
                cents: initiate.amount().get(),
            }),
        }
    }

    pub(crate) fn of_order(order: &settlement::allscale::Order<'_>) -> Self {
        match order.price {
            OrderPrice::Fiat { currency, amount, owed, accepted } => Self::Fiat {
                currency: currency.code().to_owned(),
                cents: amount.get(),
                owed: owed.to_string(),
                accepted: accepted.iter().map(|coin| coin.code().to_owned()).collect(),
            },
            OrderPrice::Coin { coin, amount } => {
                Self::Coin { coin: coin.code().to_owned(), cents: amount.get() }
            }
        }
    }

    pub(crate) fn of_peach(&self) -> Option<(peach::Currency, Cents)> {
        match self {
            Self::Peach { currency, cents } => {
                Some((peach::Currency::from_code(currency)?, Cents::new(*cents)))
            }
            Self::Fiat { .. } | Self::Coin { .. } => None,
        }
    }
}
