//! The known names: the values that are kept and their shapes, and the names that a cassette may show.

/// The shape that a value must have to be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object, whose members are judged by their own names.
    Members,
    /// `true` or `false`.
    Flag,
    /// A number, also as a text.
    Decimal,
    /// A word of a table: `CONFIRMED`, `USD`, `pending`. Capital letters or small ones, and never both.
    Word,
    /// A result code: three times three digits.
    Code,
    /// An id: letters, digits, `_` and `-`, at most 64.
    Id,
    /// A date with a time or without, the year first.
    Time,
    /// The one type of token.
    Bearer,
}

impl Shape {
    pub(super) fn fits_number(self) -> bool {
        self == Self::Decimal
    }

    pub(super) fn fits(self, text: &str) -> bool {
        let is = |chars: fn(&u8) -> bool, cap: usize| {
            (1..=cap).contains(&text.len()) && text.as_bytes().iter().all(chars)
        };
        match self {
            Self::Members => false,
            Self::Flag => matches!(text, "true" | "false"),
            Self::Decimal => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
                let is_digits = |digits: &str| {
                    (1..=20).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit())
                };
                is_digits(whole) && is_digits(part)
            }
            Self::Word => {
                let one_case = is(|c| matches!(c, b'A'..=b'Z' | b'0'..=b'9' | b'_'), 32)
                    || is(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_'), 32);
                one_case && text.bytes().any(|c| c.is_ascii_alphabetic())
            }
            Self::Code => {
                let three = |part: &str| part.len() == 3 && part.bytes().all(|c| c.is_ascii_digit());
                text.split('.').count() == 3 && text.split('.').all(three)
            }
            Self::Id => is(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'), 64),
            Self::Time => {
                let year = text.as_bytes().first_chunk::<5>();
                let begins = year
                    .is_some_and(|[year @ .., dash]| year.iter().all(u8::is_ascii_digit) && *dash == b'-');
                begins && is(|c| c.is_ascii_digit() || b"TZ:.+- ".contains(c), 40)
            }
            Self::Bearer => text.eq_ignore_ascii_case("bearer"),
        }
    }
}

/// The shapes in which the values under a name are kept; none where they are not.
pub(super) fn shapes(name: &str) -> &'static [Shape] {
    KEPT.iter().find(|(names, _)| names.contains(&name)).map_or(&[], |(_, shapes)| *shapes)
}

/// True if the providers document the name, so that the name may be shown.
pub(super) fn is_known(name: &str) -> bool {
    !shapes(name).is_empty() || NAMES.contains(&name) || NEVER.contains(&name)
}

/// True if the values under a name are never kept, even when the name is added, in any spelling: `CVV`,
/// `client_secret`, `card[number]`.
pub(super) fn is_never_kept(name: &str) -> bool {
    NEVER.iter().any(|never| spelt(never).eq(spelt(name)))
}

/// The letters and digits of a name, whatever their case.
fn spelt(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The values that are kept: those for a payment's status, cost and identity.
const KEPT: &[(&[&str], &[Shape])] = &[
    (&["your_request_body", "error", "validation_errors"], &[Shape::Members]),
    (
        &[
            "order",
            "items",
            "paymentMethod",
            "redirectInstructions",
            "followUpInstructions",
            "redirect_post_data",
        ],
        &[Shape::Members],
    ),
    // AllScale: the bare status too.
    (&["payload"], &[Shape::Members, Shape::Decimal]),
    // AllScale: a number; Azotte: an object, or a problem's number; Peach: a word.
    (&["status"], &[Shape::Members, Shape::Decimal, Shape::Word]),
    (
        &[
            "amount",
            "amount_cents",
            "amount_coins",
            "actual_paid_amount",
            "service_fee_amount",
            "net_income_amount",
        ],
        &[Shape::Decimal],
    ),
    (&["rate", "currency_rate", "quantity", "expires_in", "retryAfterSeconds"], &[Shape::Decimal]),
    (
        &[
            "code",
            "stable_coin",
            "stable_coin_type",
            "accepted_stable_coins",
            "chain_id",
            "payment_method_type",
        ],
        &[Shape::Decimal],
    ),
    (&["currency"], &[Shape::Decimal, Shape::Word]),
    (&["currency_symbol", "coin_symbol", "messageCode", "paymentChannel", "pong"], &[Shape::Word]),
    (&["paymentType", "paymentBrand", "defaultPaymentMethod"], &[Shape::Word]),
    (&["result.code"], &[Shape::Code]),
    (&["timestamp"], &[Shape::Time, Shape::Decimal]),
    (&["token_type"], &[Shape::Bearer]),
    (
        &["isRedirectRequired", "hasNextSteps", "showHtmlContent", "canFollowUp", "useStoredMethod"],
        &[Shape::Flag],
    ),
    (&["storeMethodSuccessPayment", "forceDefaultMethod"], &[Shape::Flag]),
    (
        &[
            "all_scale_checkout_intent_id",
            "allscale_checkout_intent_id",
            "all_scale_transaction_id",
            "webhook_id",
            "request_id",
            "order_id",
        ],
        &[Shape::Id],
    ),
    (
        &[
            "trackingNumber",
            "correlationId",
            "offerIdentifier",
            "installmentIdentifier",
            "itemIdentifier",
            "parentItemIdentifier",
        ],
        &[Shape::Id],
    ),
    (&["checkoutId", "id", "merchantTransactionId", "merchantInvoiceId"], &[Shape::Id]),
];

/// Names that are shown over a value that is not.
const NAMES: &[&str] = &[
    // AllScale.
    "checkout_url",
    "coin_contract",
    "coin_contract_address",
    "details",
    "error_message",
    "extra",
    "extra_obj",
    "message",
    "order_description",
    "redirect_url",
    "tx_from",
    "tx_hash",
    "tx_hash_2",
    "tx_to",
    "user_id",
    "user_name",
    // Azotte.
    "customer",
    "customerUrn",
    "detail",
    "errors",
    "htmlContent",
    "instance",
    "ipAddress",
    "providerIdentifier",
    "redirectUrl",
    "resellerID",
    "threeDIdentifier",
    "title",
    "type",
    // Peach.
    "authentication",
    "authentication.entityId",
    "billing",
    "billing.city",
    "billing.country",
    "billing.postcode",
    "billing.state",
    "billing.street1",
    "billing.street2",
    "cancelUrl",
    "card.bin",
    "card.last4Digits",
    "cart",
    "cart.tax",
    "clientId",
    "customParameters",
    "customer.email",
    "customer.givenName",
    "customer.ip",
    "customer.merchantCustomerId",
    "customer.mobile",
    "customer.phone",
    "customer.surname",
    "entityId",
    "merchant.name",
    "merchantId",
    "notificationUrl",
    "result.description",
    "shipping",
    "shipping.city",
    "shipping.country",
    "shipping.postcode",
    "shipping.state",
    "shipping.street1",
    "shipping.street2",
    "shopperResultUrl",
];

/// Secrets and cards. Names of this list are shown, too.
const NEVER: &[&str] = &[
    "access_token",
    "card",
    "card.cvv",
    "card.expiryMonth",
    "card.expiryYear",
    "card.holder",
    "card.number",
    "cardAlias",
    "cardHolderName",
    "cardNumber",
    "clientSecret",
    "creditCard",
    "cvc",
    "cvv",
    "expireMonth",
    "expireYear",
    "nonce",
    "password",
    "secret",
    "signature",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_and_none_is_both_kept_and_never_kept() {
        let mut names: Vec<_> = KEPT.iter().flat_map(|(names, _)| *names).chain(NAMES).chain(NEVER).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        // In no spelling either.
        let kept = KEPT.iter().flat_map(|(names, _)| *names);
        assert_eq!(kept.filter(|name| is_never_kept(name)).count(), 0);
    }

    #[test]
    fn a_shape_fits_its_own_values_and_no_text_of_a_person() {
        use Shape::{Bearer, Code, Decimal, Flag, Id, Time, Word};
        let table: [(Shape, &[&str]); 7] = [
            (Flag, &["true", "false"]),
            (Decimal, &["0", "-5", "14.99", "1.000000"]),
            (Word, &["USD", "CHECK_OUT_3DS_REQUIRED", "successful", "1FORYOU"]),
            (Code, &["000.100.110"]),
            (Id, &["65b2f3d0d2d9c0a1b2c3d4e5", "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB", "e2a1c7b2-4f3a"]),
            (Time, &["2024-05-23T21:50:00Z", "2024-05-23 21:50:00.123+0000", "2024-05-23"]),
            (Bearer, &["Bearer", "bearer"]),
        ];
        let personal = [
            "",
            " ",
            "Zsofia",
            "Zsofia Quillfeather",
            "zq+shop@mail.example",
            "+27 82 555 01 93",
            "203.0.113.77",
            "urn:payer:7718",
            "do not honour",
            "https://shop.example/",
            "eyJhbGciOi.J9Tq-8s_.aQ",
            "whs_9xTQm4/Lr+7",
            "<form>",
            "Zsófia",
            "१२३",
            "1.",
            ".1",
            "1.1.1",
            "000.000.00",
            "0000.000.000",
            "TRUE",
            "12-34",
        ];
        for (shape, fitting) in table {
            for text in fitting {
                assert!(shape.fits(text), "{text}");
            }
            for text in personal {
                let as_id = shape == Id && ["Zsofia", "TRUE", "12-34"].contains(&text);
                let as_word = shape == Word && text == "TRUE";
                assert_eq!(shape.fits(text), as_id || as_word, "{text}");
            }
        }
        assert!(!Shape::Members.fits("x"));
        assert!(!Id.fits(&"x".repeat(65)) && !Word.fits(&"x".repeat(33)) && !Word.fits("9173"));
        assert!(!Decimal.fits(&"1".repeat(21)) && !Time.fits(&("2024-".to_owned() + &"0".repeat(36))));
    }
}
