//! Drafts of Peach checkouts against the documented rules and our own, and the laws of their parameters.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_money::Cents;
use checkout_tables::Open;
use checkout_tables::peach::{Currency, PaymentType};
use checkout_validate::IdError;
use checkout_validate::peach::{
    Amount, CheckoutId, Draft, Field, InitiateCheckout, Limits, Lookup, MerchantTransactionId,
    MerchantTransactionIdError, PaymentId, Rules, Violation, Warning,
};
use proptest::prelude::*;
use regex::Regex;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A draft in; what is asked for and the warnings, or everything that is wrong, out.
fn check(draft: Draft<'_>) -> String {
    check_with(draft, &Rules::default())
}

fn check_with(draft: Draft<'_>, rules: &Rules) -> String {
    match draft.check(rules) {
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
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_page() {
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
        custom_parameters: vec![],
        fields: vec![],
    };
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
    // It is written with two decimals however it was given.
    for given in
        [Amount::from("2"), Amount::from("2.00".to_owned()), Amount::from("02"), Cents::new(200).into()]
    {
        let checkout = Draft { amount: Some(given), ..good() }.check(&Rules::default()).unwrap();
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
    // Characters are counted, and not bytes.
    let wide = good().merchant_transaction_id("é".repeat(48)).check(&Rules::default()).unwrap();
    assert_eq!(wide.warnings(), [Warning::UnusualLength { length: 48 }, Warning::NotAlphanumeric]);
    assert_eq!(
        check(good().merchant_transaction_id("INV-0001")),
        format!("{GOOD} | merchantTransactionId: not of letters and digits alone")
    );
}

#[test]
fn a_name_that_tells_something_is_warned_of_in_every_text_and_named_with_its_field() {
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
        let checkout = good().merchant_transaction_id(&*text).check(&Rules::default()).unwrap();
        let warning = Warning::TellingName { field: Field::MerchantTransactionId, name };
        assert!(checkout.warnings().contains(&warning), "{:?}", checkout.warnings());
        // Another case, and a part of it, tells nothing.
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
    // Every key that a request has of its own, and the two that are added to it.
    let full = full_draft();
    let checkout = full.check(&Rules::default()).unwrap();
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
    let borrowed = full_draft().check(&Rules::default()).unwrap();
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
    let bare = good().check(&Rules::default()).unwrap();
    assert_eq!(bare.pairs().count(), 6);
    let no = good().force_default_method(false).check(&Rules::default()).unwrap();
    assert_eq!(no.pairs().last(), Some(("forceDefaultMethod", "false")));
}

#[test]
fn ids_of_the_provider_are_opaque_and_ids_of_ours_are_as_long_as_they_can_be_sent() {
    let long = "x".repeat(500);
    for id in [long.as_str(), "a/b?c#d", " ", "\n", "..."] {
        assert_eq!(CheckoutId::new(id).unwrap().as_str(), id);
        assert_eq!(PaymentId::new(id).unwrap().as_str(), id);
    }
    for (id, error) in [("", IdError::Empty), (".", IdError::Dots), ("..", IdError::Dots)] {
        assert_eq!(CheckoutId::new(id), Err(error));
        assert_eq!(PaymentId::new(id), Err(error));
    }
    assert_eq!(CheckoutId::new("a/b?c#d").unwrap().segment().to_string(), "a%2Fb%3Fc%23d");
    let ours =
        |length: usize| MerchantTransactionId::new("é".repeat(length)).map(|id| id.as_str().chars().count());
    assert_eq!([ours(1), ours(48)], [Ok(1), Ok(48)]);
    assert_eq!(ours(49), Err(MerchantTransactionIdError::TooLong { length: 49 }));
    assert_eq!(MerchantTransactionId::new(" "), Err(MerchantTransactionIdError::Blank));
    // A line of a log is not forged by an id.
    assert_eq!(PaymentId::new("a\nb").unwrap().to_string(), "a\\nb");
    let lookup = Lookup::from(PaymentId::new("8ac7a4a0").unwrap());
    assert_eq!(lookup.clone().into_owned(), lookup);
    assert_eq!(lookup.pair(), ("id", "8ac7a4a0"));
    let lookup = Lookup::from(CheckoutId::new("8ac7a4a2").unwrap());
    assert_eq!(lookup.into_owned().pair(), ("checkoutId", "8ac7a4a2"));
    let checkout = good().check(&Rules::default()).unwrap();
    let lookup = Lookup::from(MerchantTransactionId::new("Test1234").unwrap());
    assert_eq!(checkout.lookup().into_owned(), lookup);
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
    ];
    assert!(fields.is_sorted());
    let zulu = Field::Further { index: 0, name: Some("cart.z".into()) };
    assert!(zulu < Field::Further { index: 1, name: Some("cart.a".into()) });
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
    let checkout = draft().check(&Rules::default()).unwrap();
    // With the value where the name belongs, with the value given twice, and with it too long.
    let wrong =
        draft().field(mail, "customer.email").custom_parameter("[", basket).field("customer.mobile", phone);
    let wrong = wrong.field("billing.city", street.repeat(1_000)).check(&Rules::default()).unwrap_err();
    let warned = draft().field("billing.city", format!("{street}\n")).check(&Rules::default()).unwrap();
    let printed = format!(
        "{:?} {:#?} {checkout:?} {checkout:#?} {wrong} {wrong:?} {wrong:#?} {warned:?} {}",
        draft(),
        draft(),
        warned.warnings()[0]
    );
    for private in private {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    assert!(printed.contains("[personal]") && printed.contains("customer.email"));
}

proptest! {
    #[test]
    fn an_amount_passes_exactly_when_the_published_expression_does_and_it_is_more_than_zero(
        text in prop_oneof!["[0-9]{0,10}", "[0-9]{0,9}[.,][0-9]{0,3}", "0{1,8}(\\.0[0-9])?", "[0-9+. -]{0,12}", any::<String>()],
    ) {
        let published = Regex::new(r"^[0-9]{1,8}(\.[0-9]{2})?$").unwrap().is_match(&text);
        let positive = text.contains(|c| ('1'..='9').contains(&c));
        match (Draft { amount: Some(text.as_str().into()), ..good() }).check(&Rules::default()) {
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
        let passes = (Draft { amount: Some(Cents::new(hundredths).into()), ..good() }).check(&Rules::default());
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
        prop_assert_eq!(good().entity_id(&id).check(&Rules::default()).is_ok(), published);
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
        match draft.check(&Rules::default()) {
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
