//! Drafts against the documented rules, and the laws of the bitmask.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use checkout_money::{Cents, Rate};
use checkout_tables::Open;
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_validate::allscale::{CoinSet, Draft, Limits, Price, Rules, Settlement};
use checkout_validate::{IdError, PathSegment};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A draft in; what is asked for and the warnings, or everything that is wrong, out.
fn check(draft: Draft<'_>) -> String {
    check_with(draft, &Rules::default())
}

fn check_with(draft: Draft<'_>, rules: &Rules) -> String {
    match draft.check(rules) {
        Ok(intent) => {
            let settlement = match intent.settlement() {
                Settlement::Coin(coin) => coin.to_string(),
                Settlement::StoreDefault => "the store's default".into(),
            };
            let warnings: String = intent.warnings().iter().map(|warning| format!(" | {warning}")).collect();
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
fn an_amount_is_positive_in_every_currency_and_coin() {
    assert_eq!(check(fiat(0)), "amount_cents: 0.00 is not a positive amount (50002)");
    assert_eq!(check(fiat(-1)), "amount_cents: -0.01 is not a positive amount (50002)");
    assert_eq!(
        check(coin(StableCoin::USDT, i64::MIN)),
        "amount_cents: -92233720368547758.08 is not a positive amount (50002)"
    );
    assert_eq!(check(fiat(1)), "0.01 USD settled in the store's default");
}

#[test]
fn exactly_one_of_currency_and_coin_is_set() {
    assert_eq!(
        check(Draft { stable_coin: Some(StableCoin::USDT.into()), ..fiat(100) }),
        "stable_coin: currency is set too: set exactly one of currency and stable_coin (10001)"
    );
    assert_eq!(
        check(Draft { amount_cents: Some(Cents::new(100)), ..Draft::default() }),
        "currency: set exactly one of currency and stable_coin (10001)"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_field() {
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
            "stable_coin: currency is set too: set exactly one of currency and stable_coin (10001)",
            "currency: 0 is not a currency of Appendix A (10001)",
            "stable_coin: 11 is not a stable coin of Appendix B (10001)",
            "amount_cents: -0.05 is not a positive amount (50002)",
            "accepted_stable_coins[1]: 0 is not a stable coin of Appendix B (10001)",
            "accepted_stable_coins[2]: 9223372036854775807 is not a stable coin of Appendix B (10001)",
            "order_id: 1025 bytes long, and the limit is 1024",
            "extra: not a JSON object (10001)",
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
    // What is listed is sent as it was listed.
    let intent = fiat(100).accept([USDC, DAI, USDC]).check(&Rules::default()).unwrap();
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
    // An estimate has no say over a native price, and one that overflows says nothing.
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
        .extra("{}");
    let full = full.accept([StableCoin::USDT]);
    let fields = check_with(full, &Rules { limits, ..Rules::default() });
    assert_eq!(
        fields.split("; ").map(|violation| violation.split(' ').next().unwrap()).collect::<Vec<_>>(),
        [
            "order_id:",
            "order_description:",
            "user_id:",
            "user_name:",
            "redirect_url:",
            "extra:",
            "accepted_stable_coins:",
            "extra:"
        ]
    );
}

#[test]
fn extra_is_the_text_of_one_json_object() {
    for json in ["{}", " {\"a\":[1,{\"b\":null}]}\n", r#"{"source":"web"}"#] {
        assert_eq!(check(fiat(100).extra(json)), "1.00 USD settled in the store's default", "{json}");
    }
    // Deep is no danger to our stack; but it could not be read back.
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

#[test]
fn nothing_about_the_payer_is_in_debug() {
    let draft = fiat(100).user("user_456", "Tom").extra(r#"{"mail":"tom@example.com"}"#);
    let debug = format!("{draft:?} {:?}", draft.clone().check(&Rules::default()).unwrap());
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
        accepted in prop::option::weighted(0.5, prop::collection::vec(-1i64..13, 0..5)),
    ) {
        let draft = Draft {
            currency: currency.map(Open::from),
            stable_coin: stable_coin.map(Open::from),
            amount_cents: amount.map(Cents::new),
            accepted_stable_coins: accepted.clone().map(|coins| coins.into_iter().map(Open::from).collect()),
            ..Draft::default()
        };
        // The page's sentences, one by one.
        let one = currency.is_some() != stable_coin.is_some();
        let in_appendix_a = currency.is_none_or(|value| (1..=163).contains(&value));
        let supported = stable_coin.is_none_or(|value| value == 1 || value == 2);
        let floor = if stable_coin.is_some() { 10 } else { 0 };
        let above = amount.is_some_and(|cents| cents > floor);
        let list = accepted.as_ref().is_none_or(|coins| !coins.is_empty() && coins.iter().all(|coin| (1..=10).contains(coin)));
        let allowed = one && in_appendix_a && supported && above && list;
        match draft.check(&Rules::default()) {
            Ok(intent) => {
                prop_assert!(allowed);
                let (currency_asked, coin_asked) = match intent.price() {
                    Price::Fiat { currency, .. } => (Some(i64::from(currency)), None),
                    Price::Coin { coin, .. } => (None, Some(i64::from(coin))),
                };
                prop_assert_eq!((currency_asked, coin_asked), (currency, stable_coin));
                prop_assert_eq!(Some(intent.price().amount().get()), amount);
                let sent = intent.accepted().map(|coins| coins.iter().map(|coin| i64::from(*coin)).collect::<Vec<_>>());
                prop_assert_eq!(sent, accepted);
            }
            Err(violations) => {
                prop_assert!(!allowed, "{}", violations);
                prop_assert!(violations.iter().next().is_some());
            }
        }
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
