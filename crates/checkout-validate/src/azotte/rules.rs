//! The inputs of a check beside the documents.

/// The inputs of a check beside the documents: limits of our own, and the day if you give it.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::{Rules, YearMonth};
///
/// let rules = Rules { today: Some(YearMonth { year: 2026, month: 5 }), ..Rules::default() };
/// assert_eq!(rules.limits.correlation_id, 1_024);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Limits of our own.
    pub limits: Limits,
    /// The current month. With the month, a card that has expired is a warning; without it there is no such
    /// warning.
    pub today: Option<YearMonth>,
}

/// A month of a year: the form of a card's expiry. A card is good to the end of its month.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::YearMonth;
///
/// assert!(YearMonth { year: 2026, month: 12 } < YearMonth { year: 2027, month: 1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    /// The year: 2026.
    pub year: u16,
    /// The month: 1 to 12.
    pub month: u8,
}

/// Limits of our own, in bytes of UTF-8 where nothing else is said. The documents name none, so the provider
/// may well accept values beyond them. The limits are generous, and each can be raised: `usize::MAX` takes
/// the limit away.
///
/// Assumed: no merchant's text comes near them, so a text beyond one is a mistake worth stopping.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::azotte::Limits;
///
/// let limits = Limits { items: 10_000, ..Limits::default() };
/// assert_eq!(limits.item_identifier, 1_024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `offerIdentifier`: 1 024.
    pub offer_identifier: usize,
    /// `correlationId`: 1 024.
    pub correlation_id: usize,
    /// `installmentIdentifier`: 1 024.
    pub installment_identifier: usize,
    /// `items`, in entries: 1 024.
    pub items: usize,
    /// `itemIdentifier`: 1 024.
    pub item_identifier: usize,
    /// `parentItemIdentifier`: 1 024.
    pub parent_item_identifier: usize,
    /// `customerUrn`: 1 024.
    pub customer_urn: usize,
    /// `ipAddress`: 256.
    pub ip_address: usize,
    /// `providerIdentifier`: 1 024.
    pub provider_identifier: usize,
    /// `cardHolderName`: 1 024.
    pub card_holder_name: usize,
    /// `cardAlias`: 1 024.
    pub card_alias: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            offer_identifier: 1_024,
            correlation_id: 1_024,
            installment_identifier: 1_024,
            items: 1_024,
            item_identifier: 1_024,
            parent_item_identifier: 1_024,
            customer_urn: 1_024,
            ip_address: 256,
            provider_identifier: 1_024,
            card_holder_name: 1_024,
            card_alias: 1_024,
        }
    }
}
