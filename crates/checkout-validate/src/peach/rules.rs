//! The inputs of a check beside the documents.

/// The inputs of a check beside the documents: limits of our own.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::Rules;
///
/// assert_eq!(Rules::default().limits.fields, 1_024);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Limits of our own.
    pub limits: Limits,
}

/// Limits of our own, in bytes of UTF-8 where nothing else is said, where the documents set no limit. The
/// provider may well accept values beyond them. The limits are generous, and each can be raised: `usize::MAX`
/// takes the limit away.
///
/// Assumed: no merchant's text comes near them, so a text beyond one is a mistake worth stopping.
///
/// ```
/// # checkout_doctest::facade!(validate);
/// use checkout_kit::peach::Limits;
///
/// let limits = Limits { value: 1 << 20, ..Limits::default() };
/// assert_eq!(limits.cancel_url, 8_192);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `defaultPaymentMethod`: 1 024.
    pub default_payment_method: usize,
    /// `cancelUrl`: 8 192.
    pub cancel_url: usize,
    /// `notificationUrl`: 8 192.
    pub notification_url: usize,
    /// `customParameters[…]`, in entries: 256.
    pub custom_parameters: usize,
    /// The further fields, in entries: 1 024.
    pub fields: usize,
    /// `cardTokens`, in entries: 64.
    pub card_tokens: usize,
    /// The name of a custom parameter or of a further field: 256.
    pub name: usize,
    /// The value of a custom parameter or of a further field: 8 192.
    pub value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_payment_method: 1_024,
            cancel_url: 8_192,
            notification_url: 8_192,
            custom_parameters: 256,
            fields: 1_024,
            card_tokens: 64,
            name: 256,
            value: 8_192,
        }
    }
}
