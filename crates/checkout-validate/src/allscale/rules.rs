//! The inputs of a check beside the documents.

use checkout_money::Rate;
use checkout_tables::allscale::StableCoin;

/// The inputs of a check beside the documents: limits of our own, and facts that only the merchant can know.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::Cents;
/// use checkout_kit::allscale::{Currency, Draft, Rules, SettlementCoin, StableCoin};
/// use checkout_kit::money::Rate;
///
/// let rules = Rules { estimate: Some("0.0065".parse()?), store_default: Some(StableCoin::USDC), ..Rules::default() };
/// let intent = Draft::fiat(Currency::JPY, Cents::new(1_000)).check_with(&rules)?;
/// assert_eq!(intent.settlement(), SettlementCoin::Coin(StableCoin::USDC));
/// // 10 yen at 0.0065 coins each are 0.065 coins, which looks too little.
/// assert_eq!(intent.warnings().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Limits of our own.
    pub limits: Limits,
    /// Your estimate of how many coins one unit of the draft's currency is worth. With the estimate, a fiat
    /// amount that looks to be below the floor is a warning. Without it there is no such warning: AllScale
    /// converts, and only AllScale knows the rate.
    pub estimate: Option<Rate>,
    /// The settlement coin of the store's own setting, if you know the coin. A disabled coin counts as
    /// unknown.
    pub store_default: Option<StableCoin>,
}

/// Limits of our own, in bytes of UTF-8 where nothing else is said. The documents name none, so the limits
/// are the one reason to refuse a draft that the provider may well accept. The limits are generous, and each
/// can be raised: `usize::MAX` takes the limit away.
///
/// Assumed: no merchant's text comes near them, so a text beyond one is a mistake worth stopping.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::allscale::Limits;
///
/// let limits = Limits { order_description: 1 << 20, ..Limits::default() };
/// assert_eq!(limits.order_id, 1_024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `order_id`: 1 024.
    pub order_id: usize,
    /// `order_description`: 8 192.
    pub order_description: usize,
    /// `user_id`: 1 024.
    pub user_id: usize,
    /// `user_name`: 1 024.
    pub user_name: usize,
    /// `redirect_url`: 8 192.
    pub redirect_url: usize,
    /// `extra`, as JSON text: 65 536.
    pub extra: usize,
    /// `extra`, in levels of objects and lists, itself the first: 32. `checkout-wire` reads answers up to 64
    /// levels deep, and metadata stands in the third.
    pub extra_depth: usize,
    /// `accepted_stable_coins`, in entries: 256.
    pub accepted_stable_coins: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            order_id: 1_024,
            order_description: 8_192,
            user_id: 1_024,
            user_name: 1_024,
            redirect_url: 8_192,
            extra: 65_536,
            extra_depth: 32,
            accepted_stable_coins: 256,
        }
    }
}
