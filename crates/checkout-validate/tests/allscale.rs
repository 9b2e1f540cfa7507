//! Drafts against the documented rules, and the laws of the bitmask.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_money::{Cents, Rate};
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_validate::allscale::{
    CoinSet, CreateIntent, Draft, Field, Limits, Price, Rules, SettlementCoin, Violation, Warning,
};
use checkout_validate::{IdError, PathSegment};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A draft in; the contents of the create and the warnings, or all violations, out.
fn check(draft: Draft<'_>) -> String {
    check_with(draft, &Rules::default())
}

fn check_with(draft: Draft<'_>, rules: &Rules) -> String {
    match draft.check_with(rules) {
        Ok(intent) => {
            let settlement = match intent.settlement() {
                SettlementCoin::Coin(coin) => coin.to_string(),
                SettlementCoin::StoreDefault => "the store's default".into(),
            };
            let warnings = intent.warnings().iter();
            let warnings: String =
                warnings.map(|warning| format!(" | {}: {warning}", warning.field())).collect();
            format!("{} settled in {settlement}{warnings}", intent.price())
        }
        Err(violations) => violations.to_string(),
    }
}

fn coin(coin: StableCoin, cents: i64) -> Draft<'static> {
    Draft::coin(coin, Cents::new(cents))
}

fn fiat(cents: i64) -> Draft<'static> {
    Draft::fiat(Currency::USD, Cents::new(cents))
}

fn amount(cents: i64) -> Draft<'static> {
    Draft { amount_cents: Some(Cents::new(cents)), ..Draft::default() }
}

#[test]
fn eleven_hundredths_pass_the_floor_and_ten_do_not() {
    assert_eq!(check(coin(StableCoin::USDT, 11)), "0.11 USDT settled in USDT");
    assert_eq!(check(coin(StableCoin::USDC, 11)), "0.11 USDC settled in USDC");
    assert_eq!(
        check(coin(StableCoin::USDT, 10)),
        "amount_cents: amount must be greater than 0.1 USDT! (50002)"
    );
    assert_eq!(
        check(coin(StableCoin::USDC, 10)),
        "amount_cents: amount must be greater than 0.1 USDC! (50002)"
    );
    assert_eq!(
        check(coin(StableCoin::USDC, 1)),
        "amount_cents: amount must be greater than 0.1 USDC! (50002)"
    );
    // Zero and negative amounts are at or below the floor too.
    for cents in [0, -5, i64::MIN] {
        assert_eq!(
            check(coin(StableCoin::USDT, cents)),
            "amount_cents: amount must be greater than 0.1 USDT! (50002)"
        );
    }
    assert_eq!(check(coin(StableCoin::USDT, i64::MAX)), "92233720368547758.07 USDT settled in USDT");
}

#[test]
fn the_other_eight_coins_are_refused_for_being_disabled() {
    let disabled: Vec<_> = StableCoin::ROWS.into_iter().filter(|row| !row.is_supported()).collect();
    assert_eq!(disabled.len(), 8);
    for row in disabled {
        assert_eq!(check(coin(row, 1_000)), format!("stable_coin: {row} is disabled (10001)"));
    }
}

#[test]
fn an_amount_is_positive_in_every_currency() {
    assert_eq!(check(fiat(0)), "amount_cents: 0.00 is not a positive amount (50002)");
    assert_eq!(check(fiat(-1)), "amount_cents: -0.01 is not a positive amount (50002)");
    assert_eq!(check(fiat(i64::MIN)), "amount_cents: -92233720368547758.08 is not a positive amount (50002)");
    assert_eq!(check(fiat(1)), "0.01 USD settled in the store's default");
}

#[test]
fn the_floor_is_reported_for_a_price_in_a_supported_coin_and_the_sign_always() {
    let both =
        |stable_coin: StableCoin, cents| Draft { stable_coin: Some(stable_coin.into()), ..fiat(cents) };
    let one = "stable_coin: currency is set too: set exactly one of currency and stable_coin (10001)";
    let sign = "amount_cents: 0.00 is not a positive amount (50002)";
    // 0.05 dollars are no violation, and 0.05 coins would be one.
    assert_eq!(check(both(StableCoin::USDT, 5)), one);
    assert_eq!(check(both(StableCoin::USDT, 0)), format!("{one}; {sign}"));
    let disabled = "stable_coin: DAI is disabled (10001)";
    assert_eq!(check(both(StableCoin::DAI, 0)), format!("{one}; {disabled}; {sign}"));
    assert_eq!(check(coin(StableCoin::DAI, 5)), disabled);
    assert_eq!(check(coin(StableCoin::DAI, 0)), format!("{disabled}; {sign}"));
    let unknown = |cents| Draft { stable_coin: Some(Open::from(11)), ..amount(cents) };
    assert_eq!(check(unknown(5)), "stable_coin: 11 is not a stable coin of Appendix B (10001)");
    assert_eq!(
        check(unknown(0)),
        format!("stable_coin: 11 is not a stable coin of Appendix B (10001); {sign}")
    );
    let neither = "currency: set exactly one of currency and stable_coin (10001)";
    assert_eq!(check(amount(5)), neither);
    assert_eq!(check(amount(0)), format!("{neither}; {sign}"));
}

#[test]
fn exactly_one_of_currency_and_coin_is_set() {
    assert_eq!(
        check(Draft { stable_coin: Some(StableCoin::USDT.into()), ..fiat(100) }),
        "stable_coin: currency is set too: set exactly one of currency and stable_coin (10001)"
    );
    assert_eq!(check(amount(100)), "currency: set exactly one of currency and stable_coin (10001)");
}

#[test]
fn all_violations_are_reported_at_once_with_their_fields() {
    let draft = Draft {
        currency: Some(Open::from(0)),
        stable_coin: Some(Open::from(11)),
        amount_cents: Some(Cents::new(-5)),
        order_id: Some("x".repeat(1_025).into()),
        extra: Some("[]".into()),
        accepted_stable_coins: Some(vec![Open::from(1), Open::from(0), Open::from(i64::MAX)]),
        ..Draft::default()
    };
    assert_eq!(
        check(draft).split("; ").collect::<Vec<_>>(),
        [
            "currency: 0 is not a currency of Appendix A (10001)",
            "stable_coin: currency is set too: set exactly one of currency and stable_coin (10001)",
            "stable_coin: 11 is not a stable coin of Appendix B (10001)",
            "amount_cents: -0.05 is not a positive amount (50002)",
            "order_id: 1025 bytes long, and the limit is 1024",
            "extra: not a JSON object (10001)",
            "accepted_stable_coins[1]: 0 is not a stable coin of Appendix B (10001)",
            "accepted_stable_coins[2]: 9223372036854775807 is not a stable coin of Appendix B (10001)",
        ]
    );
    assert_eq!(
        check(Draft { accepted_stable_coins: Some(vec![]), ..fiat(100) }),
        "accepted_stable_coins: name at least one coin, or leave the list out (10001)"
    );
}

#[test]
fn the_settlement_coin_is_the_native_one_then_the_first_accepted_then_the_stores() {
    let usdc_store = Rules { store_default: Some(StableCoin::USDC), ..Rules::default() };
    assert_eq!(check_with(coin(StableCoin::USDT, 100), &usdc_store), "1.00 USDT settled in USDT");
    assert_eq!(check_with(fiat(100), &usdc_store), "1.00 USD settled in USDC");
    let accepting = || fiat(100).accept([StableCoin::USDT, StableCoin::USDC]);
    assert_eq!(check_with(accepting(), &usdc_store), "1.00 USD settled in USDT");
    assert_eq!(check(accepting()), "1.00 USD settled in USDT");
    assert_eq!(check(fiat(100)), "1.00 USD settled in the store's default");
}

#[test]
fn no_settlement_in_a_disabled_coin_is_asserted() {
    use StableCoin::{DAI, USDC, USDT};
    let silent = "1.00 USD settled in the store's default";
    let warned = format!("{silent} | accepted_stable_coins[0]: DAI is disabled");
    assert_eq!(check(fiat(100).accept([DAI])), warned);
    // Neither the next coin nor the store's coin is known to take the place.
    assert_eq!(check(fiat(100).accept([DAI, USDT])), warned);
    let store = |coin| Rules { store_default: Some(coin), ..Rules::default() };
    assert_eq!(check_with(fiat(100).accept([DAI]), &store(USDC)), warned);
    assert_eq!(check_with(fiat(100), &store(DAI)), silent);
    for row in StableCoin::ROWS {
        let asserted = fiat(100).accept([row]).check().unwrap().settlement();
        assert_eq!(asserted == SettlementCoin::Coin(row), [USDT, USDC].contains(&row), "{row}");
    }
}

#[test]
fn where_the_pages_are_silent_the_merchant_is_warned_and_not_refused() {
    use StableCoin::{DAI, USDC, USDT};
    assert_eq!(
        check(fiat(100).accept([USDC, DAI, USDC])),
        "1.00 USD settled in USDC | accepted_stable_coins[1]: DAI is disabled | accepted_stable_coins[2]: USDC is named twice"
    );
    assert_eq!(
        check(coin(USDT, 100).accept([USDC])),
        "1.00 USDT settled in USDT | accepted_stable_coins: the native price already names its coin"
    );
    assert_eq!(
        check(fiat(100).redirect_url("javascript:alert(1)")),
        "1.00 USD settled in the store's default | redirect_url: does not begin with https:// or http://"
    );
    assert_eq!(
        check(fiat(100).redirect_url("HTTPS://example.com")),
        "1.00 USD settled in the store's default"
    );
    // The coins are sent as they were listed.
    let intent = fiat(100).accept([USDC, DAI, USDC]).check().unwrap();
    assert_eq!(intent.accepted(), Some(&[USDC, DAI, USDC][..]));
}

#[test]
fn a_fiat_amount_that_looks_below_the_floor_is_a_warning_at_the_callers_estimate() {
    let at = |rate: &str| Rules { estimate: Some(rate.parse::<Rate>().unwrap()), ..Rules::default() };
    assert_eq!(
        check_with(fiat(10), &at("1")),
        "0.10 USD settled in the store's default | amount_cents: at your estimate this is 0.10 coins, and it must be greater than 0.1"
    );
    assert_eq!(check_with(fiat(11), &at("1")), "0.11 USD settled in the store's default");
    assert_eq!(check_with(fiat(10), &at("1.0001")), "0.10 USD settled in the store's default");
    assert_eq!(check_with(fiat(10), &Rules::default()), "0.10 USD settled in the store's default");
    // An estimate has no say over a native price, and an estimate that overflows says nothing.
    assert_eq!(check_with(coin(StableCoin::USDT, 11), &at("0.0001")), "0.11 USDT settled in USDT");
    assert_eq!(
        check_with(fiat(i64::MAX), &at("79228162514264337593543950335")),
        "92233720368547758.07 USD settled in the store's default"
    );
}

#[test]
fn our_own_limits_can_be_raised_and_count_bytes() {
    let long = "é".repeat(513);
    assert_eq!(check(fiat(100).order_id(long.clone())), "order_id: 1026 bytes long, and the limit is 1024");
    let raised = Rules { limits: Limits { order_id: 1_026, ..Limits::default() }, ..Rules::default() };
    assert_eq!(check_with(fiat(100).order_id(long), &raised), "1.00 USD settled in the store's default");
    let limits = Limits {
        order_id: 0,
        order_description: 0,
        user_id: 0,
        user_name: 0,
        redirect_url: 0,
        extra: 0,
        extra_depth: 0,
        accepted_stable_coins: 0,
    };
    let full = fiat(100)
        .order_id("a")
        .order_description("bb")
        .user("ccc", "dddd")
        .redirect_url("http://e")
        .extra("{}")
        .accept([StableCoin::USDT]);
    let fields = check_with(full, &Rules { limits, ..Rules::default() });
    assert_eq!(
        fields.split("; ").map(|violation| violation.split(' ').next().unwrap()).collect::<Vec<_>>(),
        [
            "order_id:",
            "redirect_url:",
            "order_description:",
            "user_id:",
            "user_name:",
            "extra:",
            "extra:",
            "accepted_stable_coins:",
        ]
    );
}

#[test]
fn extra_is_the_text_of_one_json_object() {
    for json in ["{}", " {\"a\":[1,{\"b\":null}]}\n", r#"{"source":"web"}"#] {
        assert_eq!(check(fiat(100).extra(json)), "1.00 USD settled in the store's default", "{json}");
    }
    // Deep nesting is no danger to our stack; but the text could not be read back.
    let nested = |levels: usize| format!("{}\"}}{{[\\\"\"{}", "{\"]\":".repeat(levels), "}".repeat(levels));
    let deep = nested(5_000);
    let said = check(fiat(100).extra(deep.as_str()));
    assert_eq!(said, "extra: nested 5000 levels deep, and the limit is 32");
    assert_eq!(check(fiat(100).extra(nested(32))), "1.00 USD settled in the store's default");
    assert_eq!(check(fiat(100).extra(nested(33))), "extra: nested 33 levels deep, and the limit is 32");
    let raised = Rules { limits: Limits { extra_depth: 5_000, ..Limits::default() }, ..Rules::default() };
    assert_eq!(
        check_with(fiat(100).extra(deep.as_str()), &raised),
        "1.00 USD settled in the store's default"
    );
    let open = &deep[..deep.len() - 1];
    for json in
        ["", "null", "[]", "1", "\"{}\"", "{", "{}{}", "{}x", "{'a':1}", "{\"a\":01}", "\u{feff}{}", open]
    {
        assert_eq!(check(fiat(100).extra(json)), "extra: not a JSON object (10001)", "{json:.20}");
    }
}

/// The first column of the page's Request Fields, from the top.
const REQUEST_FIELDS: [&str; 10] = [
    "currency",
    "stable_coin",
    "amount_cents",
    "order_id",
    "redirect_url",
    "order_description",
    "user_id",
    "user_name",
    "extra",
    "accepted_stable_coins",
];

#[test]
fn violations_and_warnings_stand_in_the_order_of_the_pages_request_fields() {
    let fields = [
        Field::Currency,
        Field::StableCoin,
        Field::AmountCents,
        Field::OrderId,
        Field::RedirectUrl,
        Field::OrderDescription,
        Field::UserId,
        Field::UserName,
        Field::Extra,
        Field::AcceptedStableCoins,
    ];
    assert_eq!(fields.map(|field| field.to_string()), REQUEST_FIELDS);
    assert!(fields.is_sorted());
    assert!(Field::AcceptedStableCoins < Field::Accepted(0) && Field::Accepted(0) < Field::Accepted(1));

    let long = |length: usize| "x".repeat(length);
    let wrong = Draft {
        currency: Some(Open::from(164)),
        stable_coin: Some(Open::from(11)),
        amount_cents: None,
        order_id: Some(long(1_025).into()),
        order_description: Some(long(8_193).into()),
        user_id: Some(long(1_025).into()),
        user_name: Some(long(1_025).into()),
        redirect_url: Some(long(8_193).into()),
        extra: Some("[]".into()),
        accepted_stable_coins: Some(vec![]),
    };
    let violations = wrong.check().unwrap_err();
    let mut found: Vec<_> = violations.iter().map(|violation| violation.field().to_string()).collect();
    found.dedup();
    assert_eq!(found, REQUEST_FIELDS);

    let rules = Rules { estimate: Some("0.0001".parse::<Rate>().unwrap()), ..Rules::default() };
    let doubtful = fiat(100).accept([StableCoin::DAI, StableCoin::DAI]).redirect_url("example.com");
    let intent = doubtful.check_with(&rules).unwrap();
    let found: Vec<_> = intent.warnings().iter().map(|warning| warning.field().to_string()).collect();
    assert_eq!(
        found,
        ["amount_cents", "redirect_url", "accepted_stable_coins[0]", "accepted_stable_coins[1]"]
    );
    let native = coin(StableCoin::USDT, 100).accept([StableCoin::USDC]).redirect_url("example.com");
    let intent = native.check_with(&rules).unwrap();
    let found: Vec<_> = intent.warnings().iter().map(|warning| warning.field().to_string()).collect();
    assert_eq!(found, ["redirect_url", "accepted_stable_coins"]);
}

#[test]
fn violations_are_counted_and_gone_through_by_reference_and_by_value() {
    let violations = Draft::default().check().unwrap_err();
    assert_eq!((violations.len(), violations.is_empty()), (2, false));
    let mut seen = vec![];
    for violation in &violations {
        seen.push(*violation);
    }
    assert_eq!(seen, [Violation::Neither, Violation::NoAmount]);
    assert_eq!(violations.into_iter().collect::<Vec<_>>(), seen);
}

#[test]
fn a_message_stands_without_its_field_for_a_violation_and_a_warning_alike() {
    assert_eq!(Violation::DisabledCoin(StableCoin::DAI).to_string(), "DAI is disabled");
    assert_eq!(Warning::AcceptedDisabled { index: 0, coin: StableCoin::DAI }.to_string(), "DAI is disabled");
}

/// Every field of an intent that has a getter.
fn fields(intent: &CreateIntent<'_>) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    vec![
        intent.price().to_string(),
        text(intent.order_id()),
        text(intent.redirect_url()),
        text(intent.order_description()),
        text(intent.user_id()),
        text(intent.user_name()),
        text(intent.extra()),
        format!("{:?}", intent.accepted()),
        format!("{:?}", intent.settlement()),
        format!("{:?}", intent.warnings()),
    ]
}

#[test]
fn every_field_of_a_full_draft_comes_out_of_the_intent_owned_or_not() {
    // The page's example of a fiat price, and the list of coins.
    let text: Vec<String> = ["order_123", "https://example.com/checkout/allscale", "Monthly subscription"]
        .into_iter()
        .chain(["user_456", "Tom", r#"{"source":"web"}"#])
        .map(String::from)
        .collect();
    let [order_id, redirect_url, description, user_id, user_name, extra] = &text[..] else { unreachable!() };
    let draft = Draft::fiat(Currency::EUR, Cents::new(100))
        .order_id(order_id)
        .redirect_url(redirect_url)
        .order_description(description)
        .user_id(user_id.as_str())
        .user_name(user_name.as_str())
        .extra(extra.as_str())
        .accept([StableCoin::USDC, StableCoin::USDT, StableCoin::USDC]);
    let mut expected: Vec<&str> = vec!["1.00 EUR"];
    expected.extend(text.iter().map(String::as_str));
    expected.extend(["Some([USDC, USDT, USDC])", "Coin(USDC)", "[AcceptedTwice { index: 2, coin: USDC }]"]);
    let borrowed = draft.clone().check().unwrap();
    assert_eq!(fields(&borrowed), expected);
    let owned_draft: Draft<'static> = draft.clone().into_owned();
    assert_eq!(owned_draft, draft);
    let owned: CreateIntent<'static> = borrowed.clone().into_owned();
    assert_eq!(owned, borrowed);
    let bare = |draft: Draft<'_>| fields(&draft.check().unwrap());
    assert_eq!(bare(fiat(100))[1..8], ["none", "none", "none", "none", "none", "none", "None"]);
    // Both names at once are the same as each name alone.
    assert_eq!(fiat(100).user("user_456", "Tom"), fiat(100).user_name("Tom").user_id("user_456"));
}

#[test]
fn nothing_about_the_payer_is_in_debug() {
    let draft = fiat(100).user("user_456", "Tom").extra(r#"{"mail":"tom@example.com"}"#);
    let debug = format!("{draft:?} {:?}", draft.clone().check().unwrap());
    for private in ["user_456", "Tom", "tom@example.com"] {
        assert!(!debug.contains(private), "{debug}");
    }
}

#[test]
fn the_documented_bitmasks_decode_as_documented() {
    let decode = |bits: Option<u64>| bits.map(|bits| format!("{:?}", CoinSet::from_bits(bits)));
    assert_eq!(decode(Some(1)).unwrap(), "{USDT}");
    assert_eq!(decode(Some(2)).unwrap(), "{USDC}");
    assert_eq!(decode(Some(3)).unwrap(), "{USDT, USDC}");
    assert_eq!(decode(Some(0)).unwrap(), "{}");
    assert_eq!(decode(Some(1 << 10 | 1)).unwrap(), "{USDT, 0x400}");
    assert_eq!(decode(None), None);
}

/// A length next to a limit, or far below it.
fn around(limit: usize) -> impl Strategy<Value = usize> {
    prop_oneof![2 => 1..20usize, 1 => Just(limit - 1), 1 => Just(limit), 1 => Just(limit + 1)]
}

/// No text, or a text of about so many bytes as a limit allows, of characters of one byte or of two.
fn text(limit: usize) -> impl Strategy<Value = Option<String>> {
    let text = (around(limit), any::<bool>()).prop_map(|(bytes, wide)| {
        let wide = if wide { bytes / 2 } else { 0 };
        "é".repeat(wide) + &"x".repeat(bytes - 2 * wide)
    });
    prop::option::weighted(0.4, text)
}

/// The text of some metadata, and how deep it is nested if it is an object.
#[derive(Clone, Debug)]
struct Extra {
    json: String,
    levels: Option<usize>,
}

/// Metadata that is no object, or an object of about so many bytes or levels as our limits allow.
fn extra() -> impl Strategy<Value = Extra> {
    let no_object = prop::sample::select(vec!["", "[]", "null", "{", "{}{}", "{a:1}", "\"{}\""]);
    let long = around(65_536).prop_map(|bytes| {
        let json = format!(r#"{{"":"{}"}}"#, "[".repeat(bytes.max(7) - 7));
        Extra { json, levels: Some(1) }
    });
    let deep = around(32).prop_map(|levels| {
        let json = format!("{}{{}}{}", r#"{"a":"#.repeat(levels - 1), "}".repeat(levels - 1));
        Extra { json, levels: Some(levels) }
    });
    prop_oneof![no_object.prop_map(|json| Extra { json: json.into(), levels: None }), long, deep]
}

/// All but the unreserved characters of RFC 3986.
const NOT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

proptest! {
    #[test]
    fn every_bitmask_survives_decoding_and_encoding_and_unknown_bits_are_reported(bits: u64) {
        let set = CoinSet::from_bits(bits);
        let coins: BTreeSet<StableCoin> = set.iter().collect();
        // By the published sentence: bit n stands for the coin with the value n + 1.
        let named: BTreeSet<i64> = (0..10).filter(|n| bits >> n & 1 == 1).map(|n| n + 1).collect();
        prop_assert_eq!(coins.iter().map(|coin| i64::from(*coin)).collect::<BTreeSet<_>>(), named);
        prop_assert_eq!(set.unknown_bits(), bits >> 10 << 10);
        let encoded: CoinSet = coins.into_iter().collect();
        prop_assert_eq!(encoded.bits() | set.unknown_bits(), bits);
        prop_assert_eq!(set.bits(), bits);
    }

    #[test]
    fn a_draft_passes_exactly_when_the_documents_allow_it(
        currency in prop::option::weighted(0.6, -2i64..170),
        stable_coin in prop::option::weighted(0.4, -2i64..14),
        amount in prop::option::weighted(0.9, prop_oneof![-3i64..30, any::<i64>()]),
        accepted in prop::option::weighted(0.5, prop_oneof![
            9 => prop::collection::vec(-1i64..13, 0..5),
            1 => around(256).prop_flat_map(|length| prop::collection::vec(1i64..11, length)),
        ]),
        // Our own limits, which are the one exception: the documents name none.
        [order_id, user_id, user_name] in [text(1_024), text(1_024), text(1_024)],
        [redirect_url, order_description] in [text(8_192), text(8_192)],
        extra in prop::option::weighted(0.5, extra()),
    ) {
        let draft = Draft {
            currency: currency.map(Open::from),
            stable_coin: stable_coin.map(Open::from),
            amount_cents: amount.map(Cents::new),
            order_id: order_id.as_deref().map(Into::into),
            order_description: order_description.as_deref().map(Into::into),
            user_id: user_id.as_deref().map(Into::into),
            user_name: user_name.as_deref().map(Into::into),
            redirect_url: redirect_url.as_deref().map(Into::into),
            extra: extra.as_ref().map(|extra| extra.json.as_str().into()),
            accepted_stable_coins: accepted.clone().map(|coins| coins.into_iter().map(Open::from).collect()),
        };
        // The page's sentences, one by one, in the order of its request fields.
        let mut expected: Vec<String> = vec![];
        let mut wrong = |is_wrong: bool, said: &str| if is_wrong { expected.push(said.into()) };
        let in_appendix_a = currency.is_none_or(|value| (1..=163).contains(&value));
        let supported = stable_coin.is_none_or(|value| value == 1 || value == 2);
        let native = currency.is_none() && stable_coin.is_some() && supported;
        wrong(currency.is_none() && stable_coin.is_none(), "currency 10001");
        wrong(!in_appendix_a, "currency 10001");
        wrong(currency.is_some() && stable_coin.is_some(), "stable_coin 10001");
        wrong(!supported, "stable_coin 10001");
        wrong(amount.is_none(), "amount_cents 10001");
        wrong(amount.is_some_and(|cents| cents <= if native { 10 } else { 0 }), "amount_cents 50002");
        // And our own limits among them, in bytes, by which no code is given.
        let longer = |text: &Option<String>, limit: usize| text.as_ref().is_some_and(|text| text.len() > limit);
        wrong(longer(&order_id, 1_024), "order_id ours");
        wrong(longer(&redirect_url, 8_192), "redirect_url ours");
        wrong(longer(&order_description, 8_192), "order_description ours");
        wrong(longer(&user_id, 1_024), "user_id ours");
        wrong(longer(&user_name, 1_024), "user_name ours");
        if let Some(extra) = &extra {
            wrong(extra.json.len() > 65_536, "extra ours");
            wrong(extra.levels.is_none(), "extra 10001");
            wrong(extra.levels.is_some_and(|levels| levels > 32), "extra ours");
        }
        let coins = accepted.as_deref().unwrap_or(&[1]);
        wrong(coins.is_empty(), "accepted_stable_coins 10001");
        wrong(coins.len() > 256, "accepted_stable_coins ours");
        for (index, coin) in coins.iter().enumerate() {
            wrong(!(1..=10).contains(coin), &format!("accepted_stable_coins[{index}] 10001"));
        }
        match draft.check() {
            Ok(intent) => {
                prop_assert_eq!(expected, Vec::<String>::new());
                let (currency_asked, coin_asked) = match intent.price() {
                    Price::Fiat { currency, .. } => (Some(i64::from(currency)), None),
                    Price::Coin { coin, .. } => (None, Some(i64::from(coin))),
                };
                prop_assert_eq!((currency_asked, coin_asked), (currency, stable_coin));
                prop_assert_eq!(Some(intent.price().amount().get()), amount);
                let sent = intent.accepted().map(|coins| coins.iter().map(|coin| i64::from(*coin)).collect::<Vec<_>>());
                prop_assert_eq!(sent, accepted);
                prop_assert_eq!(intent.order_id(), order_id.as_deref());
                prop_assert_eq!(intent.order_description(), order_description.as_deref());
                prop_assert_eq!(intent.user_id(), user_id.as_deref());
                prop_assert_eq!(intent.user_name(), user_name.as_deref());
                prop_assert_eq!(intent.redirect_url(), redirect_url.as_deref());
                prop_assert_eq!(intent.extra(), extra.as_ref().map(|extra| extra.json.as_str()));
            }
            Err(violations) => {
                let code = |violation: &Violation| violation.code().map(|code| code.value().to_string());
                let found: Vec<_> = violations.iter().map(|violation| {
                    format!("{} {}", violation.field(), code(violation).unwrap_or("ours".into()))
                }).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_draft_over_our_own_limits_passes_when_they_are_raised(
        [order_id, redirect_url] in [text(1_024), text(8_192)],
        extra in extra(),
        accepted in around(256),
    ) {
        let none = usize::MAX;
        let limits = Limits {
            order_id: none,
            order_description: none,
            user_id: none,
            user_name: none,
            redirect_url: none,
            extra: none,
            extra_depth: none,
            accepted_stable_coins: none,
        };
        let draft = Draft {
            order_id: order_id.as_deref().map(Into::into),
            redirect_url: redirect_url.as_deref().map(Into::into),
            extra: Some(extra.json.as_str().into()),
            ..fiat(100).accept(vec![StableCoin::USDT; accepted])
        };
        let refused = draft.check_with(&Rules { limits, ..Rules::default() }).is_err();
        prop_assert_eq!(refused, extra.levels.is_none());
    }

    #[test]
    fn a_segment_decodes_to_the_id_and_holds_nothing_that_a_path_reads(id: String) {
        match PathSegment::new(&id) {
            Ok(segment) => {
                let encoded = segment.to_string();
                prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
                prop_assert_eq!(&encoded, &utf8_percent_encode(&id, NOT_UNRESERVED).to_string());
                let decoded: Vec<u8> = percent_decode_str(&encoded).collect();
                prop_assert_eq!(decoded, id.as_bytes());
            }
            Err(IdError::Empty) => prop_assert_eq!(id, ""),
            Err(IdError::Dots) => prop_assert!(id == "." || id == ".."),
        }
    }
}
