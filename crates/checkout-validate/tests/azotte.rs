//! Drafts of Azotte submits against the documented rules and our own, and the laws of a card.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_tables::Open;
use checkout_tables::azotte::PaymentChannel;
use checkout_validate::azotte::{
    CardDraft, Draft, Field, ItemDraft, ItemField, Limits, PaymentMethod, Rules, SubmitCheckout, Violation,
    YearMonth,
};
use checkout_validate::{ExposeSecret, PathSegment, Redacted};
use proptest::prelude::*;
use regex::Regex;
use std::borrow::Cow;

const GOOD: &str = "4111111111111111";

/// A draft in; the way to pay and the warnings, or all violations, out.
fn check(draft: Draft<'_>) -> String {
    check_with(draft, &Rules::default())
}

fn check_with(draft: Draft<'_>, rules: &Rules) -> String {
    match draft.check_with(rules) {
        Ok(submit) => {
            let method = submit.payment_method();
            let (stored, card) = (method.use_stored_method(), method.card().is_some());
            let how = match (stored, card) {
                (true, false) => "stored",
                (false, true) => "card",
                (false, false) => "other",
                (true, true) => unreachable!("a card beside a stored method"),
            };
            let warnings = submit.warnings().iter();
            let warnings: String =
                warnings.map(|warning| format!(" | {}: {warning}", warning.field())).collect();
            format!("{} {how}{warnings}", method.channel())
        }
        Err(violations) => violations.to_string(),
    }
}

/// The order of a draft, complete.
fn order(draft: Draft<'_>) -> Draft<'_> {
    draft.offer_identifier("off_1").correlation_id("order_123").item("plan").customer_urn("urn:customer:42")
}

fn stored() -> Draft<'static> {
    order(Draft::stored_method(PaymentChannel::CreditCard))
}

fn card() -> CardDraft<'static> {
    CardDraft::new(GOOD, "12", "2029").cvc("737").card_holder_name("Tom")
}

fn with_card(card: CardDraft<'static>) -> Draft<'static> {
    order(Draft::new_card(card))
}

#[test]
fn each_way_to_pay_passes_with_its_own_fields() {
    assert_eq!(check(stored()), "CreditCard stored");
    assert_eq!(check(order(Draft::stored_method(PaymentChannel::SEPA))), "SEPA stored");
    assert_eq!(check(with_card(card())), "CreditCard card");
    assert_eq!(check(order(Draft::other(PaymentChannel::Klarna))), "Klarna other");
    assert_eq!(
        check(order(Draft::other(PaymentChannel::CreditCard))),
        "paymentMethod.creditCard: required for CreditCard without a stored method"
    );
}

#[test]
fn a_card_is_refused_for_a_way_to_pay_without_a_card() {
    let beside = |draft: Draft<'static>| check(Draft { credit_card: Some(card()), ..draft });
    let not_sent = "card data is not sent where it is not needed";
    assert_eq!(
        beside(stored()),
        format!("paymentMethod.creditCard: a stored method needs no card: {not_sent}")
    );
    assert_eq!(
        beside(order(Draft::other(PaymentChannel::PayPal))),
        format!("paymentMethod.creditCard: only CreditCard needs a card: {not_sent}")
    );
}

#[test]
fn all_violations_are_reported_at_once_by_the_providers_paths() {
    let draft = Draft {
        offer_identifier: Some(" ".into()),
        items: vec![
            "plan".into(),
            ItemDraft { quantity: Some(0), ..ItemDraft::new("") },
            ItemDraft::new("x".repeat(1_025)).parent("y".repeat(1_025)),
        ],
        customer_urn: Some("u".repeat(1_025).into()),
        ip_address: Some("a".repeat(257).into()),
        payment_channel: Some(Open::from(Cow::Borrowed("creditcard"))),
        use_stored_method: true,
        credit_card: Some(CardDraft::new("1234", "13", "29").cvc("12")),
        ..Draft::default()
    };
    assert_eq!(
        check(draft).split("; ").collect::<Vec<_>>(),
        [
            "order.offerIdentifier: required",
            "order.correlationId: required: without it a submit whose answer was lost could charge twice",
            "order.items[1].itemIdentifier: required",
            "order.items[1].quantity: must be at least 1",
            "order.items[2].itemIdentifier: 1025 bytes long, and the limit is 1024",
            "order.items[2].parentItemIdentifier: 1025 bytes long, and the limit is 1024",
            "order.customer.customerUrn: 1025 bytes long, and the limit is 1024",
            "order.customer.ipAddress: 257 bytes long, and the limit is 256",
            "paymentMethod.paymentChannel: not one of CreditCard, PayPal, Klarna, SEPA and Bank",
            "paymentMethod.creditCard: a stored method needs no card: card data is not sent where it is not needed",
            "paymentMethod.creditCard.cardNumber: must be 12 to 19 digits",
            "paymentMethod.creditCard.expireMonth: must be two digits from 01 to 12",
            "paymentMethod.creditCard.expireYear: must be four digits",
            "paymentMethod.creditCard.cvc: must be three or four digits",
        ]
    );
    let none =
        Draft { payment_channel: None, items: vec![], credit_card: Some(CardDraft::default()), ..stored() };
    assert_eq!(
        check(Draft { use_stored_method: false, ..none }).split("; ").collect::<Vec<_>>(),
        [
            "order.items: name at least one item",
            "paymentMethod.paymentChannel: required",
            "paymentMethod.creditCard.cardNumber: required",
            "paymentMethod.creditCard.expireMonth: required",
            "paymentMethod.creditCard.expireYear: required",
        ]
    );
}

#[test]
fn each_required_field_has_no_way_round_and_the_key_of_repeating_is_a_rule_of_ours() {
    let without: [(&str, Draft<'_>, bool); 5] = [
        ("order.offerIdentifier", Draft { offer_identifier: None, ..stored() }, false),
        ("order.correlationId", Draft { correlation_id: None, ..stored() }, true),
        ("order.items", Draft { items: vec![], ..stored() }, false),
        ("order.customer.customerUrn", Draft { customer_urn: None, ..stored() }, false),
        ("paymentMethod.paymentChannel", Draft { payment_channel: None, ..stored() }, false),
    ];
    for (field, draft, ours) in without {
        let violations = draft.check().unwrap_err();
        let said: Vec<_> = violations.iter().map(|v| (v.field().to_string(), v.is_ours())).collect();
        assert_eq!(said, [(field.to_owned(), ours)]);
    }
    for blank in ["", " ", "\n"] {
        assert!(check(stored().correlation_id(blank)).starts_with("order.correlationId: required"));
    }
    assert!(!Violation::CardMissing.is_ours() && !Violation::UnknownChannel.is_ours());
    assert!(Violation::CardBesideStoredMethod.is_ours() && Violation::Cvc.is_ours());
}

#[test]
fn the_published_channels_are_the_channels() {
    for channel in ["CreditCard", "PayPal", "Klarna", "SEPA", "Bank"] {
        let draft = Draft { payment_channel: Some(Open::from(Cow::Borrowed(channel))), ..stored() };
        assert_eq!(check(draft), format!("{channel} stored"));
    }
}

#[test]
fn a_month_a_year_and_a_code_have_their_digits() {
    let said = |month: &str, year: &str, cvc: &str| {
        check(with_card(CardDraft::new(GOOD, month, year).cvc(cvc).card_holder_name("Tom")))
    };
    for month in 1..=12 {
        assert_eq!(said(&format!("{month:02}"), "2029", "737"), "CreditCard card");
    }
    for month in ["00", "13", "1", "012", "1a", "١٢", " 1", "+1"] {
        let wrong = "paymentMethod.creditCard.expireMonth: must be two digits from 01 to 12";
        assert_eq!(said(month, "2029", "737"), wrong, "{month}");
    }
    for year in ["29", "02029", "202x", "٢٠٢٩", "-029"] {
        let wrong = "paymentMethod.creditCard.expireYear: must be four digits";
        assert_eq!(said("12", year, "737"), wrong, "{year}");
    }
    assert_eq!(said("12", "2029", "7373"), "CreditCard card");
    for cvc in ["", "73", "73737", "7 7", "٧٣٧"] {
        let wrong = "paymentMethod.creditCard.cvc: must be three or four digits";
        assert_eq!(said("12", "2029", cvc), wrong, "{cvc}");
    }
}

#[test]
fn a_card_is_good_to_the_end_of_its_month_and_only_a_given_day_warns() {
    let at = |year, month| Rules { today: Some(YearMonth { year, month }), ..Rules::default() };
    let expired = "CreditCard card | paymentMethod.creditCard.expireYear: the card has expired";
    assert_eq!(check_with(with_card(card()), &at(2029, 12)), "CreditCard card");
    assert_eq!(check_with(with_card(card()), &at(2030, 1)), expired);
    let spring = || with_card(CardDraft { expire_month: "03".into(), ..card() });
    assert_eq!(check_with(spring(), &at(2029, 3)), "CreditCard card");
    assert_eq!(check_with(spring(), &at(2029, 4)), expired);
    assert_eq!(check_with(spring(), &at(2028, 12)), "CreditCard card");
    assert_eq!(check(with_card(CardDraft { expire_year: "1999".into(), ..card() })), "CreditCard card");
}

#[test]
fn where_the_page_is_silent_the_merchant_is_warned_and_not_refused() {
    let stored_said = |draft: Draft<'_>| check(draft).strip_prefix("CreditCard stored").unwrap().to_owned();
    assert_eq!(
        stored_said(stored().ip_address("203.0.113")),
        " | order.customer.ipAddress: not an IP address"
    );
    for address in ["203.0.113.7", "2001:db8::7"] {
        assert_eq!(stored_said(stored().ip_address(address)), "");
    }
    assert_eq!(
        stored_said(stored().installment_identifier("").ip_address(" ").provider_identifier("\t")),
        " | order.installmentIdentifier: set and blank: leave it out \
         | order.customer.ipAddress: set and blank: leave it out \
         | paymentMethod.providerIdentifier: set and blank: leave it out"
    );
    assert_eq!(
        stored_said(stored().store_method_success_payment(true)),
        " | paymentMethod.storeMethodSuccessPayment: the method is a stored one already"
    );
    assert_eq!(stored_said(stored().store_method_success_payment(false)), "");
    assert_eq!(check(with_card(card()).store_method_success_payment(true)), "CreditCard card");
    let bare = CardDraft { cvc: None, card_holder_name: None, card_alias: Some(" ".into()), ..card() };
    assert_eq!(
        check(with_card(bare)),
        "CreditCard card \
         | paymentMethod.creditCard.cardHolderName: not set, and most acquirers ask for it \
         | paymentMethod.creditCard.cvc: not set, and most acquirers ask for it \
         | paymentMethod.creditCard.cardAlias: set and blank: leave it out"
    );
}

#[test]
fn an_add_on_has_its_parent_in_the_order_and_nothing_is_named_twice() {
    let said = |items: Vec<ItemDraft<'static>>| check(Draft { items, ..stored() });
    let screen = || ItemDraft::new("screen");
    // Before its parent or after it.
    assert_eq!(said(vec![screen().parent("plan"), "plan".into()]), "CreditCard stored");
    let lonely = "CreditCard stored | order.items[0].parentItemIdentifier: names no other item of the order";
    assert_eq!(said(vec![screen().parent("plan")]), lonely);
    assert_eq!(said(vec![screen().parent("screen")]), lonely);
    // The same add-on of two plans is two items; the same item twice is one item too many.
    let two = || vec!["plan".into(), "pro".into(), screen().parent("plan"), screen().parent("pro")];
    assert_eq!(said(two()), "CreditCard stored");
    let mut three = two();
    three.push(screen().parent("pro"));
    assert_eq!(
        said(three),
        "CreditCard stored | order.items[4].itemIdentifier: is named twice under the same parent: use quantity"
    );
}

#[test]
fn our_own_limits_are_met_to_the_byte_and_can_be_raised() {
    let limits = Limits {
        offer_identifier: 5,
        correlation_id: 9,
        installment_identifier: 4,
        items: 1,
        item_identifier: 4,
        parent_item_identifier: 4,
        customer_urn: 15,
        ip_address: 11,
        provider_identifier: 4,
        card_holder_name: 3,
        card_alias: 4,
    };
    let rules = Rules { limits, ..Rules::default() };
    let full = |more: &'static str, items: Vec<ItemDraft<'static>>| {
        let long = |text: &str| format!("{text}{more}");
        Draft {
            items,
            ..Draft::new_card(card().card_holder_name(long("Tom")).card_alias(long("blue")))
                .offer_identifier(long("off_1"))
                .correlation_id(long("order_123"))
                .installment_identifier(long("in_3"))
                .customer_urn(long("urn:customer:42"))
                .ip_address(long("203.0.113.7"))
                .provider_identifier(long("psp1"))
        }
    };
    let at = full("", vec![ItemDraft::new("plan").parent("base")]);
    assert!(check_with(at, &rules).starts_with("CreditCard card"));
    let beyond = || full("+", vec![ItemDraft::new("plan+").parent("base+"), "x".into()]);
    let said = check_with(beyond(), &rules);
    let fields: Vec<_> = said.split("; ").map(|violation| violation.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "order.offerIdentifier",
            "order.correlationId",
            "order.installmentIdentifier",
            "order.items",
            "order.items[0].itemIdentifier",
            "order.items[0].parentItemIdentifier",
            "order.customer.customerUrn",
            "order.customer.ipAddress",
            "paymentMethod.providerIdentifier",
            "paymentMethod.creditCard.cardHolderName",
            "paymentMethod.creditCard.cardAlias",
        ]
    );
    assert!(said.contains("order.items: 2 entries, and the limit is 1"));
    assert!(check(beyond()).starts_with("CreditCard card"));
}

/// Every field of a submit that has an accessor, but for the card.
fn fields(submit: &SubmitCheckout<'_>) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let item = |item: &checkout_validate::azotte::Item<'_>| {
        format!("{} of {} x{}", item.item_identifier(), text(item.parent_item_identifier()), item.quantity())
    };
    vec![
        submit.offer_identifier().into(),
        submit.correlation_id().into(),
        text(submit.installment_identifier()),
        format!("{:?}", submit.reseller_id()),
        submit.items().iter().map(item).collect::<Vec<_>>().join(", "),
        submit.customer_urn().into(),
        text(submit.ip_address()),
        submit.payment_method().channel().to_string(),
        text(submit.provider_identifier()),
        format!("{:?}", submit.store_method_success_payment()),
    ]
}

#[test]
fn every_field_of_a_full_draft_comes_out_of_the_submit_owned_or_not() {
    let text: Vec<String> =
        ["off_1", "order_123", "ins_3", "urn:customer:42", "203.0.113.7", "psp_1", "Tom", "blue"]
            .map(String::from)
            .into();
    let [offer, order, plan, urn, ip, provider, holder, alias] = &text[..] else { unreachable!() };
    let draft = Draft::new_card(
        CardDraft::new("4111-1111 1111 1111", "03", "2030")
            .cvc("0737")
            .card_holder_name(holder.as_str())
            .card_alias(alias.as_str()),
    )
    .offer_identifier(offer)
    .correlation_id(order)
    .installment_identifier(plan)
    .reseller_id(-7)
    .item("plan")
    .item(ItemDraft::new("screen").parent("plan").quantity(u32::MAX))
    .customer_urn(urn.as_str())
    .ip_address(ip.as_str())
    .provider_identifier(provider)
    .store_method_success_payment(true);
    let borrowed = draft.clone().check().unwrap();
    let owned: SubmitCheckout<'static> = borrowed.clone().into_owned();
    let from_owned = draft.into_owned().check().unwrap();
    for submit in [&borrowed, &owned, &from_owned] {
        assert_eq!(
            fields(submit),
            [
                "off_1",
                "order_123",
                "ins_3",
                "Some(-7)",
                "plan of none x1, screen of plan x4294967295",
                "urn:customer:42",
                "203.0.113.7",
                "CreditCard",
                "psp_1",
                "Some(true)",
            ]
        );
        let card = submit.payment_method().card().unwrap();
        let secrets = [card.card_number(), card.expire_month(), card.expire_year(), card.cvc().unwrap()];
        assert_eq!(secrets.map(ExposeSecret::expose_secret), [GOOD, "03", "2030", "0737"]);
        assert_eq!((card.card_holder_name(), card.card_alias()), (Some("Tom"), Some("blue")));
    }
    let bare = stored().check().unwrap().into_owned();
    assert_eq!(fields(&bare)[2..4], ["none", "None"]);
    assert_eq!(fields(&bare)[8..], ["none", "None"]);
}

#[test]
fn fields_stand_in_the_order_of_the_page_and_items_one_after_the_other() {
    let item = |index, field| Field::Item { index, field };
    let fields = [
        Field::OfferIdentifier,
        Field::CorrelationId,
        Field::InstallmentIdentifier,
        Field::ResellerId,
        Field::Items,
        item(0, ItemField::ItemIdentifier),
        item(0, ItemField::ParentItemIdentifier),
        item(0, ItemField::Quantity),
        item(1, ItemField::ItemIdentifier),
        Field::CustomerUrn,
        Field::IpAddress,
        Field::PaymentChannel,
        Field::ProviderIdentifier,
        Field::UseStoredMethod,
        Field::CreditCard,
        Field::CardHolderName,
        Field::CardNumber,
        Field::ExpireMonth,
        Field::ExpireYear,
        Field::Cvc,
        Field::CardAlias,
        Field::StoreMethodSuccessPayment,
    ];
    assert!(fields.is_sorted());
    assert_eq!(Field::ResellerId.to_string(), "order.resellerID");
    assert_eq!(Field::UseStoredMethod.to_string(), "paymentMethod.useStoredMethod");
}

#[test]
fn nothing_of_the_card_or_the_customer_is_printed_anywhere() {
    let private =
        ["5500005555555559", "5555", "08", "2031", "9173", "Mallory", "the red one", "urn:mallory", "198.51"];
    let draft = || {
        let card = CardDraft::new("5500 0055 5555 5559", "08", "2031").cvc("9173");
        Draft::new_card(card.card_holder_name("Mallory").card_alias("the red one"))
            .offer_identifier("off_1")
            .correlation_id("order_1")
            .item("plan")
            .customer_urn("urn:mallory")
            .ip_address("198.51.100.23")
    };
    let submit = draft().check().unwrap();
    let PaymentMethod::NewCard(card) = submit.payment_method() else { unreachable!() };
    // The card is wrong in every way that a card can be, and the rest is right.
    let wrong = |month: &str, number: &str, cvc: &str| {
        let card = CardDraft::new(number, month, "x2031").cvc(cvc).card_holder_name("Mallory".repeat(200));
        draft_with(draft(), card).check().unwrap_err()
    };
    let violations = [wrong("0808", "5500005555555559x", "9173x"), wrong("08", "5555", "91739173")];
    let mut printed = format!(
        "{:?} {:#?} {submit:?} {submit:#?} {card:?} {card:#?} {:?} {:?}",
        draft(),
        draft(),
        draft().credit_card.unwrap(),
        submit.payment_method(),
    );
    for violations in violations {
        printed += &format!(" {violations} {violations:?} {violations:#?}");
    }
    for private in private {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    assert!(printed.contains("REDACTED") && printed.contains("[REDACTED]"));
}

fn draft_with<'a>(draft: Draft<'a>, card: CardDraft<'a>) -> Draft<'a> {
    Draft { credit_card: Some(card), ..draft }
}

#[test]
fn published_test_numbers_pass_without_a_warning_and_one_digit_off_warns() {
    // From pages of test cards: 13, 14, 15, 16 and 19 digits.
    for number in
        ["4222222222222", "30569309025904", "378282246310005", "5555555555554444", "6205500000000000004"]
    {
        let draft = |number: &str| with_card(CardDraft { card_number: number.into(), ..card() });
        assert_eq!(check(draft(number)), "CreditCard card", "{number}");
        let (front, last) = number.split_at(number.len() - 1);
        let other = (last.parse::<u8>().unwrap() + 1) % 10;
        let warned = "CreditCard card | paymentMethod.creditCard.cardNumber: its check digit is wrong";
        assert_eq!(check(draft(&format!("{front}{other}"))), warned);
    }
}

#[test]
fn a_tracking_id_is_a_segment_of_a_path_unchanged() {
    let id = "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB";
    assert_eq!(PathSegment::new(id).unwrap().to_string(), id);
    assert_eq!(PathSegment::new("a/../b").unwrap().to_string(), "a%2F..%2Fb");
    assert_eq!(
        PathSegment::new("..").unwrap_err().to_string(),
        "an id of one or two dots is resolved away in a path"
    );
}

proptest! {
    #[test]
    fn a_number_passes_exactly_when_12_to_19_digits_are_left_of_it(
        number in prop_oneof!["[0-9 -]{8,26}", "[0-9]{11,20}", "[0-9 -]{12,16}[0-9a-zé٣.]", any::<String>()],
    ) {
        let left: String = number.chars().filter(|c| *c != ' ' && *c != '-').collect();
        let allowed = Regex::new("^[0-9]{12,19}$").unwrap().is_match(&left);
        let card = CardDraft { card_number: number.as_str().into(), ..card() };
        match with_card(card).check() {
            Ok(submit) => {
                prop_assert!(allowed);
                let sent = submit.payment_method().card().unwrap().card_number().expose_secret().to_owned();
                prop_assert_eq!(sent, left);
            }
            Err(violations) => {
                prop_assert!(!allowed);
                let blank = left.trim().is_empty();
                let expected = if blank { Violation::Missing(Field::CardNumber) } else { Violation::CardNumber };
                prop_assert_eq!(violations.into_iter().collect::<Vec<_>>(), [expected]);
            }
        }
    }

    #[test]
    fn exactly_one_check_digit_of_ten_is_right(front in "[0-9]{11,18}") {
        let warned = |digit: u32| {
            let card = CardDraft { card_number: format!("{front}{digit}").into(), ..card() };
            !with_card(card).check().unwrap().warnings().is_empty()
        };
        prop_assert_eq!((0..10).filter(|digit| !warned(*digit)).count(), 1);
    }

    #[test]
    fn the_way_to_pay_follows_the_page(
        channel in prop::option::of(prop::sample::select(
            vec!["CreditCard", "PayPal", "Klarna", "SEPA", "Bank", "Cash", "", "creditcard"],
        )),
        use_stored_method: bool,
        has_card: bool,
    ) {
        let draft = Draft {
            payment_channel: channel.map(|channel| Open::from(Cow::Borrowed(channel))),
            use_stored_method,
            credit_card: has_card.then(card),
            ..order(Draft::default())
        };
        let named = channel.is_some_and(|c| ["CreditCard", "PayPal", "Klarna", "SEPA", "Bank"].contains(&c));
        let needed = channel == Some("CreditCard") && !use_stored_method;
        // Beside a channel that is none, only a stored method says that a card is not needed.
        let card_is_wrong = if named { needed != has_card } else { use_stored_method && has_card };
        let mut expected = vec![];
        if !named { expected.push("paymentMethod.paymentChannel"); }
        if card_is_wrong { expected.push("paymentMethod.creditCard"); }
        match draft.check() {
            Ok(submit) => {
                prop_assert!(expected.is_empty());
                let method = submit.payment_method();
                prop_assert_eq!(Some(method.channel().code()), channel);
                prop_assert_eq!((method.use_stored_method(), method.card().is_some()), (use_stored_method, has_card));
            }
            Err(violations) => {
                let found: Vec<_> = violations.iter().map(|violation| violation.field().to_string()).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_draft_of_any_texts_is_checked_and_never_printed(
        secret in "[a-z]{24}",
        around in any::<String>(),
    ) {
        let text = format!("{around}{secret}");
        let personal = || Redacted::from(text.as_str());
        let card = CardDraft::new(text.as_str(), text.as_str(), text.as_str()).cvc(text.as_str());
        let draft = Draft::new_card(card.card_holder_name(personal()).card_alias(personal()));
        let draft = order(draft).customer_urn(personal()).ip_address(personal());
        let printed = format!("{draft:?}");
        let violations = draft.check().unwrap_err();
        let printed = format!("{printed} {violations} {violations:?}");
        prop_assert!(!printed.contains(&secret), "{printed}");
    }
}
