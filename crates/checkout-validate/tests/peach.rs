//! Drafts of Peach checkouts against the documented rules and our own, and the laws of their parameters.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_money::Cents;
use checkout_tables::Open;
use checkout_tables::peach::{
    Currency, PaymentType, RecurringType, StandingInstructionMode, StandingInstructionSource,
    StandingInstructionType,
};
use checkout_validate::peach::{
    Amount, CheckoutId, Draft, Field, InitiateCheckout, Limits, Lookup, LookupError, MerchantTransactionId,
    PaymentId, Rules, StandingInstruction, Violation, Warning,
};
use proptest::prelude::*;
use regex::Regex;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A draft in; the contents of the checkout and the warnings, or all violations, out.
fn check(draft: Draft<'_>) -> String {
    check_with(draft, &Rules::default())
}

fn check_with(draft: Draft<'_>, rules: &Rules) -> String {
    match draft.check_with(rules) {
        Ok(checkout) => {
            let warnings = checkout.warnings().iter();
            let warnings: String =
                warnings.map(|warning| format!(" | {}: {warning}", warning.field())).collect();
            format!("{} {} {}{warnings}", checkout.payment_type(), checkout.amount(), checkout.currency())
        }
        Err(violations) => violations.to_string(),
    }
}

/// The parameters of the documented signature, but for nonce and default method.
fn good() -> Draft<'static> {
    Draft::debit(Currency::ZAR, Cents::new(200))
        .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
        .merchant_transaction_id("Test1234")
        .shopper_result_url("https://shop.example/result")
}

const GOOD: &str = "DB 2.00 ZAR";

#[test]
fn all_violations_are_reported_at_once_in_the_order_of_the_page() {
    let draft = Draft {
        entity_id: Some("8AC7A4CA68C22C4D0168C2CAAB2E0025".into()),
        merchant_transaction_id: Some("x".repeat(49).into()),
        amount: Some("2.5".into()),
        payment_type: Some(Open::from(Cow::Borrowed("CP"))),
        currency: Some(Open::from(Cow::Borrowed("zar"))),
        shopper_result_url: Some("ftp:".into()),
        default_payment_method: Some("x".repeat(1_025).into()),
        force_default_method: None,
        merchant_invoice_id: Some("INV-001".into()),
        cancel_url: Some("x".repeat(8_193).into()),
        notification_url: Some("x".repeat(8_193).into()),
        create_registration: Some(true),
        allow_storing_details: Some(true),
        ..Draft::default()
    };
    let draft = draft.card_token("a,b").standing_instruction(recurring().frequency(0).expiry("2029-02-29"));
    let draft = draft
        .custom_parameter("a[b]", "1")
        .custom_parameter("basket", "x".repeat(8_193))
        .custom_parameter("basket", "2")
        .field("cart.tax", "1")
        .field("signature", "1")
        .field("tom@example.com", "customer.email")
        .field("cart.tax", "2")
        .field(format!("cart.{}", "x".repeat(252)), "1");
    assert_eq!(
        check(draft).split("; ").collect::<Vec<_>>(),
        [
            "authentication.entityId: must be 32 of the digits 0 to 9 and a to f",
            "signature: added when the request is sent",
            "merchantTransactionId: 49 characters long, and must be 1 to 48",
            "amount: must be one to eight digits, with a point and two more or without",
            "paymentType: not one of DB and PA",
            "currency: not one of ZAR, USD, KES, MUR, GBP and EUR",
            "shopperResultUrl: 4 characters long, and must be 6 to 2048",
            "shopperResultUrl: must be an http or https URL",
            "defaultPaymentMethod: 1025 bytes long, and the limit is 1024",
            "merchantInvoiceId: 7 characters long, and must be 8 to 255",
            "cancelUrl: 8193 bytes long, and the limit is 8192",
            "notificationUrl: 8193 bytes long, and the limit is 8192",
            "customParameters, entry 0: a name must not be empty or have a bracket or a control character in it",
            "customParameters[basket]: 8193 bytes long, and the limit is 8192",
            "customParameters[basket]: given twice",
            "fields[2]: a name must begin with customer., billing., shipping. or cart. and go on without a blank",
            "cart.tax: given twice",
            "fields[4]: a name of 257 bytes, and the limit is 256",
            "createRegistration: must not be true beside allowStoringDetails",
            "cardTokens[0]: must be 1 to 255 ASCII letters, digits, hyphens, dots and underscores",
            "standingInstruction.frequency: must be 1 to 9999 days",
            "standingInstruction.expiry: must be a day, as 2029-12-31",
        ]
    );
}

#[test]
fn each_required_parameter_has_no_way_round() {
    let without: [(&str, Draft<'_>); 6] = [
        ("authentication.entityId", Draft { entity_id: None, ..good() }),
        ("merchantTransactionId", Draft { merchant_transaction_id: None, ..good() }),
        ("amount", Draft { amount: None, ..good() }),
        ("paymentType", Draft { payment_type: None, ..good() }),
        ("currency", Draft { currency: None, ..good() }),
        ("shopperResultUrl", Draft { shopper_result_url: None, ..good() }),
    ];
    for (field, draft) in without {
        assert_eq!(check(draft), format!("{field}: required"));
    }
    for blank in ["", " \n"] {
        assert_eq!(check(good().entity_id(blank)), "authentication.entityId: required");
        assert_eq!(check(good().merchant_transaction_id(blank)), "merchantTransactionId: required");
        assert_eq!(check(good().shopper_result_url(blank)), "shopperResultUrl: required");
    }
    assert!(!Violation::Missing(Field::Amount).is_ours() && !Violation::AmountForm.is_ours());
    assert!(Violation::NotPositive.is_ours() && Violation::Twice(Field::Amount).is_ours());
}

#[test]
fn the_published_types_and_currencies_are_the_ones() {
    for code in ["ZAR", "USD", "KES", "MUR", "GBP", "EUR"] {
        let draft = Draft { currency: Some(Open::from(Cow::Borrowed(code))), ..good() };
        assert_eq!(check(draft), format!("DB 2.00 {code}"));
    }
    assert_eq!(check(Draft { payment_type: Some(Open::from(Cow::Borrowed("PA"))), ..good() }), "PA 2.00 ZAR");
    let reserved = Draft::preauthorization(Currency::EUR, "2.00");
    assert_eq!(reserved.payment_type, Some(PaymentType::PA.into()));
}

#[test]
fn an_amount_is_positive_and_has_eight_digits_and_two_decimals_at_most() {
    let cents = |cents| check(Draft { amount: Some(Cents::new(cents).into()), ..good() });
    let text = |text: &'static str| check(Draft { amount: Some(text.into()), ..good() });
    assert_eq!((cents(1).as_str(), text("0.01").as_str()), ("DB 0.01 ZAR", "DB 0.01 ZAR"));
    let not_positive = "amount: must be more than zero";
    for none in [cents(0), cents(-1), cents(i64::MIN), text("0"), text("0.00"), text("00000000.00")] {
        assert_eq!(none, not_positive);
    }
    assert_eq!(cents(9_999_999_999), "DB 99999999.99 ZAR");
    assert_eq!(text("99999999.99"), "DB 99999999.99 ZAR");
    for more in [10_000_000_000, i64::MAX] {
        assert_eq!(cents(more), "amount: must be at most 99999999.99");
    }
    let form = "amount: must be one to eight digits, with a point and two more or without";
    for wrong in
        ["", "100000000", "100000000.00", "2.", ".50", "2.5", "2.500", "2,50", "+2", "-2.00", "2.00\n", "٢"]
    {
        assert_eq!(text(wrong), form, "{wrong:?}");
    }
    // The amount is written with two decimals, for every way to give the amount.
    for given in
        [Amount::from("2"), Amount::from("2.00".to_owned()), Amount::from("02"), Cents::new(200).into()]
    {
        let checkout = Draft { amount: Some(given), ..good() }.check().unwrap();
        assert_eq!(checkout.pairs().find(|(key, _)| *key == "amount"), Some(("amount", "2.00")));
    }
}

#[test]
fn the_merchants_id_is_refused_above_48_characters_and_warned_of_outside_8_to_16() {
    let said = |length: usize| check(good().merchant_transaction_id("x".repeat(length)));
    let warned = |length| {
        format!("{GOOD} | merchantTransactionId: {length} characters long, and one page allows 8 to 16")
    };
    assert_eq!([said(8), said(16)], [GOOD, GOOD]);
    assert_eq!([said(1), said(7), said(17), said(32), said(48)], [1, 7, 17, 32, 48].map(warned));
    assert_eq!(said(49), "merchantTransactionId: 49 characters long, and must be 1 to 48");
    for marked in ["INV-0001", "inv.0001", "inv_0001"] {
        assert_eq!(
            check(good().merchant_transaction_id(marked)),
            format!("{GOOD} | merchantTransactionId: not of letters and digits alone")
        );
    }
    let characters = "merchantTransactionId: must be of ASCII letters, digits, hyphens, dots and underscores \
                      (Payment status, AN48)";
    for refused in ["a b/ä", "INV/0001", "INV 0001", "INV#0001", "INV-0001\n", "ä2345678"] {
        assert_eq!(check(good().merchant_transaction_id(refused)), characters);
    }
    // Characters are counted, and not bytes.
    let wide = check(good().merchant_transaction_id("é".repeat(49)));
    assert!(wide.starts_with("merchantTransactionId: 49 characters long"), "{wide}");
}

#[test]
fn a_telling_name_in_any_text_is_warned_of_with_its_field() {
    for name in ["result.code", "paymentType", "checkoutId", "merchantTransactionId", "timestamp"] {
        let (text, url) = (format!("1{name}2"), format!("https://shop.example/?{name}=77"));
        let named = format!("customer.{name}");
        let (begins, ends) = name.split_at(4);
        let across = format!("customer.{begins}");
        let drafts = [
            ("shopperResultUrl", good().shopper_result_url(&*url)),
            ("cancelUrl", good().cancel_url(&*url)),
            ("notificationUrl", good().notification_url(&*url)),
            ("merchantInvoiceId", good().merchant_invoice_id(&*text)),
            ("defaultPaymentMethod", good().default_payment_method(&*text)),
            ("customParameters[return]", good().custom_parameter("return", &*url)),
            (&*format!("customParameters[{name}]"), good().custom_parameter(name, "")),
            ("customer.givenName", good().field("customer.givenName", &*text)),
            (&named, good().field(&*named, "1")),
            // The name and the value are signed one after the other.
            (&across, good().field(&*across, ends)),
        ];
        for (field, draft) in drafts {
            let warning = format!(
                "{GOOD} | {field}: has {name} in it, so a webhook that echoes it only prompts a read"
            );
            assert_eq!(check(draft), warning);
        }
        let checkout = good().merchant_transaction_id(&*text).check().unwrap();
        let warning = Warning::TellingName { field: Field::MerchantTransactionId, name };
        assert!(checkout.warnings().contains(&warning), "{:?}", checkout.warnings());
        // A name in another case, and a part of a name, tell nothing.
        for other in [name.to_uppercase(), name[1..].to_owned()] {
            assert_eq!(check(good().custom_parameter("note", &*other)), GOOD);
        }
    }
}

#[test]
fn the_shopper_comes_back_to_a_url_of_the_web() {
    let said = |url: &str| check(good().shopper_result_url(url));
    for url in ["http://a", "HTTPS://shop.example/?a=b#c", "https://[::1]:8080/", "https://münchen.example/"]
    {
        assert_eq!(said(url), GOOD, "{url}");
    }
    let wrong = "shopperResultUrl: must be an http or https URL";
    for url in [
        "javascript:alert(1)",
        "https://",
        "https:///x",
        "https://?x",
        "https://#x",
        "https://:80",
        "https://a b",
        "https://a\n",
        " https://a",
        "//shop.example",
    ] {
        assert!(said(url).ends_with(wrong), "{url:?}: {}", said(url));
    }
    let long = |length: usize| said(&format!("https://{}", "x".repeat(length - 8)));
    assert_eq!(long(2_048), GOOD);
    assert_eq!(long(2_049), "shopperResultUrl: 2049 characters long, and must be 6 to 2048");
}

#[test]
fn an_invoice_id_has_8_to_255_characters() {
    let said = |length: usize| check(good().merchant_invoice_id("é".repeat(length)));
    assert_eq!([said(8), said(255)], [GOOD, GOOD]);
    assert_eq!(said(7), "merchantInvoiceId: 7 characters long, and must be 8 to 255");
    assert_eq!(said(256), "merchantInvoiceId: 256 characters long, and must be 8 to 255");
}

#[test]
fn where_the_page_is_silent_the_merchant_is_warned_and_not_refused() {
    assert_eq!(
        check(good().force_default_method(true)),
        format!("{GOOD} | forceDefaultMethod: set, and defaultPaymentMethod is not")
    );
    assert_eq!(check(good().force_default_method(true).default_payment_method("CARD")), GOOD);
    assert_eq!(check(good().force_default_method(false)), GOOD);
    let urls = |url: &'static str| check(good().cancel_url(url).notification_url(url));
    assert_eq!(urls("http://shop.example"), GOOD);
    assert_eq!(
        urls("shop://cancel"),
        format!(
            "{GOOD} | cancelUrl: does not begin with https:// or http:// \
             | notificationUrl: does not begin with https:// or http://"
        )
    );
    assert_eq!(
        check(good().default_payment_method("").cancel_url("https://a\n")),
        format!("{GOOD} | defaultPaymentMethod: set and blank | cancelUrl: has a control character in it")
    );
    assert_eq!(
        check(good().field("billing.street1", "1 Road\nTown").custom_parameter("note", "a\tb")),
        format!(
            "{GOOD} | customParameters[note]: has a control character in it \
             | billing.street1: has a control character in it"
        )
    );
}

#[test]
fn a_further_field_is_in_one_of_four_groups_and_takes_no_name_of_ours() {
    let said = |name: &'static str| check(good().field(name, ""));
    for name in ["customer.email", "billing.a.b", "shipping.x", "cart.items[0].name"] {
        assert_eq!(said(name), GOOD, "{name}");
    }
    for name in [
        "",
        "customer",
        "customer.",
        "Customer.email",
        "card.number",
        "xcustomer.a",
        "customParameters[a]",
        "cart.a b",
        "cart.\n",
    ] {
        let wrong = "fields[0]: a name must begin with customer., billing., shipping. or cart. and go on without a blank";
        assert_eq!(said(name), wrong, "{name:?}");
    }
    // Every key that a request has of its own, and the two keys that are added.
    let full = full_draft();
    let checkout = full.check().unwrap();
    let own = checkout.pairs().map(|(key, _)| key).take(11).map(String::from);
    for name in own {
        assert_eq!(
            check(good().field(name.as_str(), "")),
            format!("{name}: has a place of its own in the draft")
        );
    }
    for name in ["nonce", "signature"] {
        assert_eq!(said(name), format!("{name}: added when the request is sent"));
    }
    let custom = |name: &'static str| check(good().custom_parameter(name, ""));
    for name in ["a", "amount", "signature", "a b", "customer.email"] {
        assert_eq!(custom(name), GOOD, "{name}");
    }
    for name in ["", "a]", "[a", "a\0"] {
        let wrong = "customParameters, entry 0: a name must not be empty or have a bracket or a control character in it";
        assert_eq!(custom(name), wrong, "{name:?}");
    }
}

#[test]
fn our_own_limits_are_met_to_the_byte_and_can_be_raised() {
    let limits = Limits {
        default_payment_method: 4,
        cancel_url: 9,
        notification_url: 9,
        custom_parameters: 1,
        fields: 1,
        card_tokens: 1,
        name: 6,
        value: 2,
    };
    let rules = Rules { limits };
    let full = |more: &str| {
        let draft =
            good().default_payment_method(format!("CARD{more}")).cancel_url(format!("http://ab{more}"));
        let draft = draft.notification_url(format!("http://ab{more}"));
        draft
            .custom_parameter(format!("abcdef{more}"), "é")
            .field(format!("cart.a{more}"), format!("ab{more}"))
    };
    assert_eq!(check_with(full(""), &rules), GOOD);
    let beyond = || full("+").custom_parameter("b", "").field("cart.b", "");
    let said = check_with(beyond(), &rules);
    let fields: Vec<_> = said.split("; ").map(|violation| violation.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "defaultPaymentMethod",
            "cancelUrl",
            "notificationUrl",
            "customParameters",
            "customParameters, entry 0",
            "fields",
            "fields[0]",
            "fields[0]",
        ]
    );
    assert!(said.contains("customParameters: 2 entries, and the limit is 1"), "{said}");
    assert!(said.contains("fields: 2 entries, and the limit is 1"), "{said}");
    assert_eq!(check(beyond()), GOOD);
}

fn full_draft() -> Draft<'static> {
    good()
        .default_payment_method("CARD")
        .force_default_method(true)
        .merchant_invoice_id("INV-0001")
        .cancel_url("https://shop.example/cancel")
        .notification_url("https://shop.example/peach")
        .custom_parameter("basket", "17")
        .field("customer.email", "tom@example.com")
        .field("cart.tax", "")
}

#[test]
fn every_field_of_a_full_draft_comes_out_of_the_checkout_and_its_pairs_owned_or_not() {
    let borrowed = full_draft().check().unwrap();
    let owned: InitiateCheckout<'static> = borrowed.clone().into_owned();
    assert_eq!(owned, borrowed);
    assert_eq!(full_draft().into_owned(), full_draft());
    let text = Draft { amount: Some("2.00".into()), ..full_draft() };
    assert_eq!(text.clone().into_owned(), text);
    let pairs: Vec<_> = owned.pairs().collect();
    assert_eq!(
        pairs,
        [
            ("authentication.entityId", "8ac7a4ca68c22c4d0168c2caab2e0025"),
            ("merchantTransactionId", "Test1234"),
            ("amount", "2.00"),
            ("paymentType", "DB"),
            ("currency", "ZAR"),
            ("shopperResultUrl", "https://shop.example/result"),
            ("defaultPaymentMethod", "CARD"),
            ("forceDefaultMethod", "true"),
            ("merchantInvoiceId", "INV-0001"),
            ("cancelUrl", "https://shop.example/cancel"),
            ("notificationUrl", "https://shop.example/peach"),
            ("customParameters[basket]", "17"),
            ("customer.email", "tom@example.com"),
            ("cart.tax", ""),
        ]
    );
    let amount = owned.amount().to_string();
    let by_accessor = [
        Some(owned.entity_id()),
        Some(owned.merchant_transaction_id()),
        Some(&*amount),
        Some(owned.payment_type().code()),
        Some(owned.currency().code()),
        Some(owned.shopper_result_url()),
        owned.default_payment_method(),
        owned.force_default_method().map(|force| if force { "true" } else { "false" }),
        owned.merchant_invoice_id(),
        owned.cancel_url(),
        owned.notification_url(),
    ]
    .map(Option::unwrap);
    assert_eq!(by_accessor[..], pairs.iter().map(|(_, value)| *value).take(11).collect::<Vec<_>>());
    let bare = good().check().unwrap();
    assert_eq!(bare.pairs().count(), 6);
    let no = good().force_default_method(false).check().unwrap();
    assert_eq!(no.pairs().last(), Some(("forceDefaultMethod", "false")));
}

/// Stated in *Payment status*: `id` is AN32, `checkoutId` and `merchantTransactionId` are AN48.
#[test]
fn a_status_is_read_by_ids_of_the_lengths_and_characters_that_the_page_allows() {
    type New = fn(&str) -> Result<String, LookupError>;
    let made: [New; 3] = [
        |id| CheckoutId::new(id).map(|id| id.as_str().to_owned()),
        |id| PaymentId::new(id).map(|id| id.as_str().to_owned()),
        |id| MerchantTransactionId::new(id).map(|id| id.as_str().to_owned()),
    ];
    let pages = [("checkoutId", 48), ("id", 32), ("merchantTransactionId", 48)];
    for (new, (parameter, max)) in made.into_iter().zip(pages) {
        // Ids in use: of a V2 checkout, of a payment, a UUID, one of the same platform's, and shops' own.
        for id in [
            "948cc8dec52a11eb85290242ac130003",
            "8ac7a4a2708062d70170856fe76e4e29",
            "9A3F1B.uat01-vm-tx02",
            "INV-0001",
            "order_1001",
            "7",
            "...",
        ] {
            assert_eq!(new(id).as_deref(), Ok(id), "{parameter}");
        }
        assert_eq!(new("421e1e63-ddd5-46ec-8812-74eda861259b").is_ok(), max >= 36, "{parameter}");
        for length in [1, max - 1, max] {
            assert_eq!(new(&"x".repeat(length)).map(|id| id.len()), Ok(length), "{parameter}");
        }
        for length in [max + 1, 500] {
            let error = new(&"x".repeat(length)).unwrap_err();
            assert_eq!(error, LookupError::TooLong { parameter, length, max });
            let said =
                format!("{parameter}: {length} characters long, and Payment status allows {max} (AN{max})");
            assert_eq!((error.to_string(), error.parameter()), (said, parameter));
        }
        for blank in ["", " ", "\t\n", "\u{a0}"] {
            let error = new(blank).unwrap_err();
            assert_eq!(error, LookupError::Empty { parameter });
            assert_eq!(error.to_string(), format!("{parameter}: empty"));
        }
        for (id, at) in [
            ("a b/ä", 1),
            ("a/b", 1),
            ("ä", 0),
            ("xä", 1),
            ("a?b", 1),
            ("a#b", 1),
            ("a%2Fb", 1),
            ("a&b=c", 1),
            ("a+b", 1),
            ("a\nb", 1),
            ("ab\r", 2),
            ("ab\0", 2),
            (" ab", 0),
            ("ab ", 2),
            ("a\"b", 1),
            ("a[b]", 1),
            ("a\u{200b}b", 1),
            ("\u{ff11}", 0),
            ("12345678901234567890123456789012345678901234567890:", 50),
        ] {
            let error = new(id).unwrap_err();
            assert_eq!(error, LookupError::Character { parameter, at, max }, "{id:?}");
            let said = error.to_string();
            assert!(said.starts_with(&format!("{parameter}: the character at byte {at} is no ")), "{said}");
            assert!(said.ends_with(&format!("and Payment status allows no other (AN{max})")), "{said}");
        }
    }
    for dots in [".", ".."] {
        assert_eq!(CheckoutId::new(dots), Err(LookupError::Dots { parameter: "checkoutId" }));
    }
    let lookup = Lookup::from(PaymentId::new("8ac7a4a0").unwrap());
    assert_eq!(lookup.clone().into_owned(), lookup);
    assert_eq!(lookup.pair(), ("id", "8ac7a4a0"));
    let lookup = Lookup::from(CheckoutId::new("8ac7a4a2").unwrap());
    assert_eq!(lookup.into_owned().pair(), ("checkoutId", "8ac7a4a2"));
    let checkout = good().check().unwrap();
    let lookup = Lookup::from(MerchantTransactionId::new("Test1234").unwrap());
    assert_eq!(checkout.lookup().into_owned(), lookup);
}

proptest! {
    /// A status can be asked for by every id that a draft takes, and by no other.
    #[test]
    fn a_draft_takes_the_ids_that_a_status_can_be_read_by(id in "[ -~]{0,50}|[a-zA-Z0-9._-]{1,50}|.{0,12}") {
        let asked = MerchantTransactionId::new(&*id).map(|id| Lookup::from(id).into_owned());
        let drafted = good().merchant_transaction_id(&*id).check();
        let drafted = drafted.map(|checkout| checkout.lookup().into_owned());
        prop_assert_eq!(asked.ok(), drafted.ok());
    }
}

#[test]
fn fields_stand_in_the_order_of_the_page() {
    let custom = |index| Field::CustomParameter { index, name: None };
    let further = |index| Field::Further { index, name: None };
    let fields = [
        Field::EntityId,
        Field::Signature,
        Field::MerchantTransactionId,
        Field::Amount,
        Field::PaymentType,
        Field::Currency,
        Field::Nonce,
        Field::ShopperResultUrl,
        Field::DefaultPaymentMethod,
        Field::ForceDefaultMethod,
        Field::MerchantInvoiceId,
        Field::CancelUrl,
        Field::NotificationUrl,
        Field::CustomParameters,
        custom(0),
        custom(1),
        Field::FurtherFields,
        further(0),
        further(1),
        Field::CreateRegistration,
        Field::AllowStoringDetails,
        Field::CardTokens,
        Field::CardToken { index: 0 },
        Field::CardToken { index: 1 },
        Field::StandingInstruction,
        Field::StandingInstructionSource,
        Field::StandingInstructionRecurringType,
        Field::StandingInstructionFrequency,
        Field::StandingInstructionExpiry,
    ];
    assert!(fields.is_sorted());
    let zulu = Field::Further { index: 0, name: Some("cart.z".into()) };
    assert!(zulu < Field::Further { index: 1, name: Some("cart.a".into()) });
}

const TOKENS: [&str; 2] = ["8ac7a49f8e9f15d2018ea09b285f0eaa", "8ac7a49f8e9f15d2018ea09b285f0acc"];

fn recurring() -> StandingInstruction<'static> {
    StandingInstruction::new(StandingInstructionMode::Initial, StandingInstructionType::Recurring)
}

/// Public: the API reference, 1.0.0: both flags, and the tokens with commas between.
#[test]
fn stored_cards_are_requested_by_the_published_parameters() {
    let stored = |draft: Draft<'static>| -> Vec<(String, String)> {
        let checkout = draft.check().unwrap();
        assert_eq!(checkout.clone().into_owned(), checkout);
        checkout.pairs().skip(6).map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
    };
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(stored(good()), []);
    for (flag, text) in [(true, "true"), (false, "false")] {
        assert_eq!(stored(good().create_registration(flag)), [pair("createRegistration", text)]);
        assert_eq!(stored(good().allow_storing_details(flag)), [pair("allowStoringDetails", text)]);
    }
    assert_eq!(stored(good().card_token(TOKENS[0])), [pair("cardTokens", TOKENS[0])]);
    let two = good().card_token(TOKENS[0]).card_token(TOKENS[1].to_owned());
    let joined = "8ac7a49f8e9f15d2018ea09b285f0eaa,8ac7a49f8e9f15d2018ea09b285f0acc";
    assert_eq!(stored(two.clone()), [pair("cardTokens", joined)]);
    let checkout = two.check().unwrap();
    assert!(checkout.card_tokens().map(|token| token.as_str().to_owned()).eq(TOKENS));
    let whole = recurring()
        .source(StandingInstructionSource::Cardholder)
        .recurring_type(RecurringType::StandingOrder)
        .frequency(7)
        .expiry("2028-02-29");
    let checkout = good().standing_instruction(whole.clone()).check().unwrap();
    assert_eq!(checkout.standing_instruction(), Some(&whole));
    assert_eq!(checkout.warnings(), []);
    let names: Vec<_> = checkout.pairs().skip(6).collect();
    assert_eq!(
        names,
        [
            ("standingInstruction.mode", "INITIAL"),
            ("standingInstruction.type", "RECURRING"),
            ("standingInstruction.source", "CIT"),
            ("standingInstruction.recurringType", "STANDING_ORDER"),
            ("standingInstruction.frequency", "7"),
            ("standingInstruction.expiry", "2028-02-29"),
        ]
    );
}

#[test]
fn a_violation_of_the_rules_of_stored_cards_names_its_field() {
    let both = good().create_registration(true).allow_storing_details(true);
    assert_eq!(check(both), "createRegistration: must not be true beside allowStoringDetails");
    assert_eq!(check(good().create_registration(true).allow_storing_details(false)), GOOD);
    let token = "must be 1 to 255 ASCII letters, digits, hyphens, dots and underscores";
    let long = "x".repeat(256);
    for bad in ["", " ", "a,b", "a b", "ä", "a\nb", "a\"b", &long] {
        let draft = good().card_token(TOKENS[0]).card_token(bad.to_owned());
        assert_eq!(check(draft), format!("cardTokens[1]: {token}"), "{bad:?}");
    }
    assert_eq!(check(good().card_token(TOKENS[0]).card_token(TOKENS[0])), "cardTokens[1]: given twice");
    let rules = Rules { limits: Limits { card_tokens: 1, ..Limits::default() } };
    let two = good().card_token(TOKENS[0]).card_token(TOKENS[1]);
    assert_eq!(check_with(two, &rules), "cardTokens: 2 entries, and the limit is 1");
    let instructed = |instruction| check(good().standing_instruction(instruction));
    let named = || recurring().recurring_type(RecurringType::Subscription);
    for (days, fine) in [(0, false), (1, true), (9_999, true), (10_000, false), (u32::MAX, false)] {
        let expected = if fine { GOOD } else { "standingInstruction.frequency: must be 1 to 9999 days" };
        assert_eq!(instructed(named().frequency(days)), expected, "{days}");
    }
    for (day, fine) in [
        ("2029-12-31", true),
        ("9999-12-31", true),
        ("2028-02-29", true),
        ("2000-02-29", true),
        ("2029-02-29", false),
        ("2100-02-29", false),
        ("2029-04-31", false),
        ("2029-13-01", false),
        ("2029-00-01", false),
        ("2029-01-00", false),
        ("2029-1-1", false),
        ("29-12-31", false),
        ("20291231", false),
        ("2029/12/31", false),
        ("2029-12-31T00:00:00Z", false),
        ("٢٠٢٩-12-31", false),
        ("", false),
    ] {
        let expected = if fine { GOOD } else { "standingInstruction.expiry: must be a day, as 2029-12-31" };
        assert_eq!(instructed(named().expiry(day)), expected, "{day}");
    }
    assert_eq!(
        instructed(recurring()),
        format!(
            "{GOOD} | standingInstruction.recurringType: not set, and standingInstruction.type is RECURRING"
        )
    );
    assert_eq!(
        instructed(named().source(StandingInstructionSource::Merchant)),
        format!(
            "{GOOD} | standingInstruction.source: MIT, and on a hosted page the cardholder begins the payment"
        )
    );
    // These parameters have places of their own.
    for name in ["createRegistration", "allowStoringDetails", "cardTokens", "standingInstruction"] {
        assert_eq!(check(good().field(name, "x")), format!("{name}: has a place of its own in the draft"));
    }
    let dotted = check(good().field("standingInstruction.mode", "x"));
    assert_eq!(dotted, "standingInstruction: has a place of its own in the draft");
}

/// Public: the API reference, 1.0.0, `amount`.
#[test]
fn an_amount_of_zero_is_for_a_preauthorization_that_stores_a_card_alone() {
    let zero =
        |draft: Draft<'static>, amount: Amount<'static>| check(Draft { amount: Some(amount), ..draft });
    let reserved = || Draft { payment_type: Some(PaymentType::PA.into()), ..good() };
    for amount in [Amount::from(Cents::ZERO), "0".into(), "0.00".into()] {
        let stores = reserved().create_registration(true);
        assert_eq!(zero(stores, amount.clone()), "PA 0.00 ZAR");
        for other in [
            good(),
            good().create_registration(true),
            reserved(),
            reserved().create_registration(false),
            reserved().allow_storing_details(true),
            reserved().card_token(TOKENS[0]),
        ] {
            assert_eq!(zero(other, amount.clone()), "amount: must be more than zero");
        }
    }
    let less = zero(reserved().create_registration(true), Cents::new(-1).into());
    assert_eq!(less, "amount: must be more than zero");
}

#[test]
fn a_card_token_is_printed_nowhere() {
    let draft = || good().create_registration(true).card_token(TOKENS[0]).card_token(TOKENS[1]);
    let checkout = draft().check().unwrap();
    let wrong = draft().card_token(TOKENS[0]).card_token(format!("{},", TOKENS[1]));
    let violations = wrong.clone().check().unwrap_err();
    let printed = format!("{:?} {checkout:?} {wrong:?} {violations} {violations:?}", draft());
    assert!(printed.contains("cardTokens[3]") && !printed.contains("8ac7a49f"), "{printed}");
}

#[test]
fn nothing_about_the_payer_is_printed_anywhere() {
    let private = ["mallory@example.com", "Mallory", "+27 82 555 0123", "1 Long Road", "basket-of-mallory"];
    let [mail, name, phone, street, basket] = private;
    let draft = || {
        good()
            .field("customer.email", mail)
            .field("customer.givenName", name)
            .field("customer.mobile", phone)
            .field("billing.street1", street)
            .custom_parameter("basket", basket)
    };
    let checkout = draft().check().unwrap();
    // The value in the place of the name, the value given twice, and the value too long.
    let wrong =
        draft().field(mail, "customer.email").custom_parameter("[", basket).field("customer.mobile", phone);
    let wrong = wrong.field("billing.city", street.repeat(1_000)).check().unwrap_err();
    let warned = draft().field("billing.city", format!("{street}\n")).check().unwrap();
    let printed = format!(
        "{:?} {:#?} {checkout:?} {checkout:#?} {wrong} {wrong:?} {wrong:#?} {warned:?} {}",
        draft(),
        draft(),
        warned.warnings()[0]
    );
    for private in private {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    assert!(printed.contains("[REDACTED]") && printed.contains("customer.email"));
}

proptest! {
    #[test]
    fn an_amount_passes_exactly_if_positive_and_of_the_published_form(
        text in prop_oneof!["[0-9]{0,10}", "[0-9]{0,9}[.,][0-9]{0,3}", "0{1,8}(\\.0[0-9])?", "[0-9+. -]{0,12}", any::<String>()],
    ) {
        let published = Regex::new(r"^[0-9]{1,8}(\.[0-9]{2})?$").unwrap().is_match(&text);
        let positive = text.contains(|c| ('1'..='9').contains(&c));
        match (Draft { amount: Some(text.as_str().into()), ..good() }).check() {
            Ok(checkout) => {
                prop_assert!(published && positive);
                // The same number: without leading zeros, and with two decimals.
                let written = checkout.pairs().find(|(key, _)| *key == "amount").unwrap().1.to_owned();
                let plain = Regex::new(r"^(0|[1-9][0-9]{0,7})\.[0-9]{2}$").unwrap();
                prop_assert!(plain.is_match(&written));
                let with_decimals = if text.contains('.') { text } else { text + ".00" };
                prop_assert_eq!(written.trim_start_matches('0'), with_decimals.trim_start_matches('0'));
            }
            Err(violations) => {
                let expected = if published { Violation::NotPositive } else { Violation::AmountForm };
                prop_assert!(!(published && positive));
                prop_assert_eq!(violations.into_iter().collect::<Vec<_>>(), [expected]);
            }
        }
    }

    #[test]
    fn an_amount_of_hundredths_passes_exactly_when_it_can_be_written(
        hundredths in prop_oneof![-5i64..500, 9_999_999_990i64..10_000_000_010, any::<i64>()],
    ) {
        let passes = (Draft { amount: Some(Cents::new(hundredths).into()), ..good() }).check();
        let written = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let published = Regex::new(r"^[0-9]{1,8}(\.[0-9]{2})?$").unwrap().is_match(&written);
        prop_assert_eq!(passes.is_ok(), published && hundredths > 0);
        if let Ok(checkout) = passes {
            prop_assert_eq!(checkout.pairs().find(|(key, _)| *key == "amount"), Some(("amount", &*written)));
        }
    }

    #[test]
    fn an_entity_passes_exactly_when_the_published_expression_does(
        id in prop_oneof!["[a-f0-9]{31,33}", "[a-f0-9]{31}[A-Fg-z٣\n]", any::<String>()],
    ) {
        let published = Regex::new("^[a-f0-9]{32}$").unwrap().is_match(&id);
        prop_assert_eq!(good().entity_id(&id).check().is_ok(), published);
    }

    #[test]
    fn no_key_comes_twice_and_none_is_the_nonce_or_the_signature(
        names in prop::collection::vec(
            prop_oneof![
                "(customer|billing|shipping|cart)\\.[a-c]{0,2}",
                "nonce|signature|amount|currency|authentication.entityId|customParameters\\[a\\]",
                any::<String>(),
            ],
            0..6,
        ),
        custom in prop::collection::vec(prop_oneof!["[a-c]{0,2}", "a\\]|\\[|nonce", any::<String>()], 0..4),
    ) {
        let mut draft = good();
        draft.fields = names.iter().map(|name| (name.as_str().into(), "1".into())).collect();
        draft.custom_parameters = custom.iter().map(|name| (name.as_str().into(), "2".into())).collect();
        let further = Regex::new(r"^(customer|billing|shipping|cart)\.[^\p{White_Space}\p{Cc}]+$").unwrap();
        let plain = Regex::new(r"^[^\[\]\p{Cc}]+$").unwrap();
        let unique = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        let allowed = names.iter().all(|name| further.is_match(name) && name.len() <= 256)
            && custom.iter().all(|name| plain.is_match(name) && name.len() <= 256)
            && unique(&names)
            && unique(&custom);
        match draft.check() {
            Ok(checkout) => {
                prop_assert!(allowed);
                let keys: Vec<_> = checkout.pairs().map(|(key, _)| key).collect();
                prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
                prop_assert!(!keys.contains(&"nonce") && !keys.contains(&"signature"));
                prop_assert_eq!(keys.len(), 6 + names.len() + custom.len());
            }
            Err(_) => prop_assert!(!allowed),
        }
    }
}
