//! The bitmask of accepted coins.

use checkout_tables::allscale::StableCoin;
use core::fmt;

/// A `StableCoinFlag` bitmask: the stable coins that the payer may settle in, as a create **reply** gives
/// them. (The request's field of the same name is a list.) Bits that no coin has yet are kept.
///
/// Source: *Create Checkout Intent*, v4, 2026-05-06, Response Fields.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::allscale::{CoinSet, StableCoin};
///
/// let either = CoinSet::from_bits(3);
/// assert_eq!(either.iter().collect::<Vec<_>>(), [StableCoin::USDT, StableCoin::USDC]);
///
/// let later = CoinSet::from_bits(1 << 40 | 1);
/// assert!(later.contains(StableCoin::USDT));
/// assert_eq!(later.unknown_bits(), 1 << 40);
/// assert_eq!(later.bits(), 1 << 40 | 1);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CoinSet(u64);

impl CoinSet {
    /// Every coin that the table names.
    pub const NAMED: Self = {
        let mut bits = 0;
        let mut row = 0;
        while row < StableCoin::ROWS.len() {
            #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
            {
                bits |= StableCoin::ROWS[row].flag();
            }
            row += 1;
        }
        Self(bits)
    };

    /// From the integer of a reply. Every one is a set; zero is the empty one.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The integer of a reply.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The bits that no coin of the table has.
    #[must_use]
    pub const fn unknown_bits(self) -> u64 {
        self.0 & !Self::NAMED.0
    }

    /// True if a coin is in the set.
    ///
    /// ```
    /// # use checkout_validate::allscale::CoinSet;
    /// # use checkout_tables::allscale::StableCoin;
    /// assert!(!CoinSet::from_bits(2).contains(StableCoin::USDT));
    /// ```
    #[must_use]
    pub const fn contains(self, coin: StableCoin) -> bool {
        self.0 & coin.flag() != 0
    }

    /// True if no bit is set, known or not.
    ///
    /// ```
    /// # use checkout_validate::allscale::CoinSet;
    /// assert!(CoinSet::from_bits(0).is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The coins that the table names, in its order.
    ///
    /// ```
    /// # use checkout_validate::allscale::CoinSet;
    /// assert_eq!(CoinSet::NAMED.iter().count(), 10);
    /// ```
    pub fn iter(self) -> impl Iterator<Item = StableCoin> {
        StableCoin::ROWS.into_iter().filter(move |coin| self.contains(*coin))
    }
}

impl FromIterator<StableCoin> for CoinSet {
    fn from_iter<I: IntoIterator<Item = StableCoin>>(coins: I) -> Self {
        Self(coins.into_iter().fold(0, |bits, coin| bits | coin.flag()))
    }
}

impl fmt::Debug for CoinSet {
    /// `{USDT, USDC}`, and with an unknown bit `{USDT, 0x400}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        set.entries(self.iter());
        if self.unknown_bits() != 0 {
            set.entry(&format_args!("{:#x}", self.unknown_bits()));
        }
        set.finish()
    }
}
