//! The laws of amounts, each against a second way of computing it.
#![expect(clippy::unwrap_used, reason = "a generator outside a test function may panic too")]

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use checkout_money::{Cents, CoinAmount, OverflowError, ParseAmountError, ParseAmountErrorKind, Rate};
use proptest::prelude::*;
use rust_decimal::Decimal;

const BOUND: i128 = 1 << 96;

// Generators.

/// Every mantissa and scale there is; small numbers, edges and multiples of ten as often as large ones.
fn any_coins() -> impl Strategy<Value = CoinAmount> {
    (any_mantissa(), 0..=28_u32).prop_map(|(mantissa, scale)| CoinAmount::new(mantissa, scale).unwrap())
}

fn any_mantissa() -> impl Strategy<Value = i128> {
    prop_oneof![
        -1_000..=1_000_i128,
        (-1_000..=1_000_i128, 0..=25_u32).prop_map(|(number, zeros)| number * 10_i128.pow(zeros)),
        any::<i64>().prop_map(i128::from),
        (1 - BOUND)..BOUND,
        (0..=1_000_i128, any::<bool>()).prop_map(|(less, negative)| {
            let edge = BOUND - 1 - less;
            if negative { -edge } else { edge }
        }),
    ]
}

/// Texts that are amounts, nearly amounts, and anything.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.+eE_ ,-]{0,12}",
        "-?[0-9]{1,31}",
        "-?[0-9]{1,20}\\.[0-9]{1,31}",
        "-?0{0,40}[0-9]{0,18}(\\.[0-9]{0,4})?",
        "-?79228162514264337593543950[0-9]{3}(\\.[0-9]?)?",
        "-?7\\.9228162514264337593543950[0-9]{3,4}",
        "-?9223372036854775[78][0-9](\\.[0-9]{0,3})?",
        ("[0-9.-]{0,8}", any::<char>(), "[0-9.-]{0,8}")
            .prop_map(|(before, odd, after)| { format!("{before}{odd}{after}") }),
        any::<String>(),
    ]
}

// Oracles.

/// The grammar, read off the page: cut the minus, cut at the points, look at the pieces.
fn pieces(text: &str) -> Option<(&str, &str)> {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let parts: Vec<&str> = bare.split('.').collect();
    let all_digits = parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    match parts.as_slice() {
        [units] if all_digits => Some((units, "")),
        [units, decimals] if all_digits => Some((units, decimals)),
        _ => None,
    }
}

/// True if the digits are at most `limit`, both compared as texts.
fn at_most(digits: &str, limit: &str) -> bool {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits) <= (limit.len(), limit)
}

fn coins_hold(text: &str) -> bool {
    pieces(text).is_some_and(|(units, decimals)| {
        decimals.len() <= 28 && at_most(&format!("{units}{decimals}"), "79228162514264337593543950335")
    })
}

fn cents_hold(text: &str) -> bool {
    let limit = if text.starts_with('-') { "9223372036854775808" } else { "9223372036854775807" };
    pieces(text).is_some_and(|(units, decimals)| {
        decimals.len() <= 2 && at_most(&format!("{units}{decimals:0<2}"), limit)
    })
}

/// The number as whole units (rounded down) and 10^-28ths of a unit: these fit for every amount.
fn wide(amount: CoinAmount) -> (i128, i128) {
    let one = 10_i128.pow(amount.scale());
    let part = amount.mantissa().rem_euclid(one) * 10_i128.pow(28 - amount.scale());
    (amount.mantissa().div_euclid(one), part)
}

fn wide_sum(a: (i128, i128), b: (i128, i128)) -> (i128, i128) {
    let part = a.1 + b.1;
    (a.0 + b.0 + part.div_euclid(10_i128.pow(28)), part.rem_euclid(10_i128.pow(28)))
}

fn wide_negated(a: (i128, i128)) -> (i128, i128) {
    if a.1 == 0 { (-a.0, 0) } else { (-a.0 - 1, 10_i128.pow(28) - a.1) }
}

/// The right sum: the wide number as a mantissa of that scale, if the mantissa has 96 bits.
fn narrow(number: (i128, i128), scale: u32) -> Result<(i128, u32), OverflowError> {
    number
        .0
        .checked_mul(10_i128.pow(scale))
        .and_then(|units| units.checked_add(number.1 / 10_i128.pow(28 - scale)))
        .filter(|mantissa| (1 - BOUND..BOUND).contains(mantissa))
        .map(|mantissa| (mantissa, scale))
        .ok_or(OverflowError)
}

fn parts(amount: CoinAmount) -> (i128, u32) {
    (amount.mantissa(), amount.scale())
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The named byte is the first impossible byte: the bytes before could have gone on to be an amount, and
/// nothing that begins with the named byte too can be an amount.
fn check_fault(text: &str, error: ParseAmountError, holds: fn(&str) -> bool) {
    let at = error.at();
    assert!(at <= text.len() && text.is_char_boundary(at), "{text:?}: {error}");
    let before = &text[..at];
    let viable = pieces(before).is_some() || pieces(&format!("{before}0")).is_some();
    assert!(viable, "{text:?}: {error}, but the fault is further to the left");
    match text[at..].chars().next() {
        Some(c) => {
            let through = &text[..at + c.len_utf8()];
            assert!(!holds(through) && !holds(&format!("{through}0")), "{text:?}: {error}, but it can stand");
        }
        None => assert!(!holds(text), "{text:?}: {error}"),
    }
    let of_range =
        matches!(error.kind(), ParseAmountErrorKind::TooLarge | ParseAmountErrorKind::TooManyDecimals);
    let digit = text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    assert_eq!(of_range, digit, "{text:?}: {error}: a digit can be at fault by its worth alone");
}

// Laws.

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn the_printed_amount_reads_back_identical(coins in any_coins()) {
        let text = coins.to_string();
        let again: CoinAmount = text.parse().unwrap();
        prop_assert!(again.is_identical(coins));
        prop_assert_eq!(again, coins);
        // Another reader sees the same number and scale in the text.
        let theirs = Decimal::from_str_exact(&text).unwrap();
        prop_assert_eq!((theirs.mantissa(), theirs.scale()), parts(coins));
        prop_assert_eq!(theirs.to_string(), text);
    }

    #[test]
    fn the_printed_rate_reads_back_identical(mantissa in any_mantissa(), scale in 0..=28_u32) {
        let rate = Rate::new(mantissa, scale).unwrap();
        let again: Rate = rate.to_string().parse().unwrap();
        prop_assert!(again.is_identical(rate));
        prop_assert_eq!((again.mantissa(), again.scale()), (mantissa, scale));
        prop_assert_eq!((rate.is_zero(), rate.is_negative()), (mantissa == 0, mantissa < 0));
    }

    #[test]
    fn exactly_the_texts_of_the_grammar_within_range_are_coins(text in any_text()) {
        let read = text.parse::<CoinAmount>();
        prop_assert_eq!(read.is_ok(), coins_hold(&text), "{:?}", text);
        let rate = text.parse::<Rate>();
        prop_assert_eq!(rate.map(|rate| rate.to_string()), read.map(|coins| coins.to_string()));
        match read {
            Err(error) => check_fault(&text, error, coins_hold),
            Ok(coins) => {
                let theirs = Decimal::from_str_exact(&text).unwrap();
                prop_assert_eq!((theirs.mantissa(), theirs.scale()), parts(coins));
            }
        }
    }

    #[test]
    fn exactly_the_texts_of_the_grammar_within_range_are_cents(text in any_text()) {
        let read = text.parse::<Cents>();
        prop_assert_eq!(read.is_ok(), cents_hold(&text), "{:?}", text);
        match read {
            Err(error) => check_fault(&text, error, cents_hold),
            // The same text read as coins is the same number.
            Ok(cents) => prop_assert_eq!(text.parse::<CoinAmount>().unwrap().to_cents(), Some(cents)),
        }
    }

    #[test]
    fn a_text_is_printed_again_but_for_leading_zeros_and_the_minus_of_a_zero(text in any_text()) {
        if let Ok(coins) = text.parse::<CoinAmount>() {
            let (units, decimals) = pieces(&text).unwrap();
            let units = match units.trim_start_matches('0') { "" => "0", units => units };
            let mut expected = String::from(units);
            if !decimals.is_empty() {
                expected = format!("{units}.{decimals}");
            }
            if text.starts_with('-') && expected.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
                expected.insert(0, '-');
            }
            prop_assert_eq!(coins.to_string(), expected);
        }
    }

    #[test]
    fn sums_are_exact_or_refused(a in any_coins(), b in any_coins()) {
        let scale = a.scale().max(b.scale());
        prop_assert_eq!(a.checked_add(b).map(parts), narrow(wide_sum(wide(a), wide(b)), scale));
        prop_assert_eq!(b.checked_add(a).map(parts), a.checked_add(b).map(parts));
    }

    #[test]
    fn differences_are_exact_or_refused(a in any_coins(), b in any_coins()) {
        let scale = a.scale().max(b.scale());
        prop_assert_eq!(a.checked_sub(b).map(parts), narrow(wide_sum(wide(a), wide_negated(wide(b))), scale));
    }

    #[test]
    fn sums_of_everyday_amounts_always_fit(
        (m, s) in (any::<i64>(), 0..=9_u32),
        (n, t) in (any::<i64>(), 0..=9_u32),
    ) {
        let a = CoinAmount::new(i128::from(m), s).unwrap();
        let b = CoinAmount::new(i128::from(n), t).unwrap();
        let ninths = |coins: CoinAmount| coins.mantissa() * 10_i128.pow(9 - coins.scale());
        prop_assert_eq!(ninths(a.checked_add(b).unwrap()), ninths(a) + ninths(b));
        prop_assert_eq!(ninths(a.checked_sub(b).unwrap()), ninths(a) - ninths(b));
    }

    #[test]
    fn order_is_the_order_of_the_cross_products(
        (m, s) in (any_small(), 0..=9_u32),
        (n, t) in (any_small(), 0..=9_u32),
    ) {
        let (a, b) = (CoinAmount::new(m, s).unwrap(), CoinAmount::new(n, t).unwrap());
        prop_assert_eq!(a.cmp(&b), (m * 10_i128.pow(t)).cmp(&(n * 10_i128.pow(s))));
        let (a, b) = (Rate::new(m, s).unwrap(), Rate::new(n, t).unwrap());
        prop_assert_eq!(a.cmp(&b), (m * 10_i128.pow(t)).cmp(&(n * 10_i128.pow(s))));
    }

    #[test]
    fn order_equality_and_hash_depend_on_the_number_alone(a in any_coins(), b in any_coins()) {
        let expected = wide(a).cmp(&wide(b));
        prop_assert_eq!(a.cmp(&b), expected);
        prop_assert_eq!(a.partial_cmp(&b), Some(expected));
        prop_assert_eq!(a == b, expected == Ordering::Equal);
        prop_assert_eq!(a.is_identical(b), parts(a) == parts(b));
        prop_assert_eq!(a.is_zero(), wide(a) == (0, 0));
        prop_assert_eq!(a.is_negative(), wide(a) < (0, 0));
    }

    #[test]
    fn zeros_at_the_end_change_the_text_and_not_the_number(
        mantissa in any::<i64>().prop_map(i128::from),
        scale in 0..=18_u32,
        zeros in 1..=9_u32,
    ) {
        let short = CoinAmount::new(mantissa, scale).unwrap();
        let long = CoinAmount::new(mantissa * 10_i128.pow(zeros), scale + zeros).unwrap();
        prop_assert_eq!(short, long);
        prop_assert_eq!(hash_of(short), hash_of(long));
        prop_assert!(!short.is_identical(long));
        prop_assert_ne!(short.to_string(), long.to_string());
    }

    #[test]
    fn printed_cents_read_back_identical(hundredths in any_hundredths()) {
        let cents = Cents::new(hundredths);
        let text = cents.to_string();
        prop_assert_eq!(text.parse(), Ok(cents));
        // The text without its point is the number itself.
        let digits = text.replace('.', "");
        prop_assert_eq!(digits.parse::<i64>().unwrap(), hundredths);
        prop_assert_eq!(text.find('.'), Some(text.len() - 3));
    }

    #[test]
    fn cents_calculate_as_wide_integers_do_or_refuse(m in any_hundredths(), n in any_hundredths()) {
        let narrow = |wide: i128| i64::try_from(wide).map(Cents::new).map_err(|_| OverflowError);
        let (a, b) = (Cents::new(m), Cents::new(n));
        let (m, n) = (i128::from(m), i128::from(n));
        prop_assert_eq!(a.checked_add(b), narrow(m + n));
        prop_assert_eq!(a.checked_sub(b), narrow(m - n));
        prop_assert_eq!(a.checked_mul(b.get()), narrow(m * n));
        prop_assert_eq!(a.is_positive(), m > 0);
        prop_assert_eq!(a.cmp(&b), m.cmp(&n));
    }

    #[test]
    fn cents_survive_being_coins(hundredths in any_hundredths()) {
        let coins = CoinAmount::from_cents(Cents::new(hundredths));
        prop_assert_eq!(parts(coins), (i128::from(hundredths), 2));
        prop_assert_eq!(coins.to_cents(), Some(Cents::new(hundredths)));
        prop_assert_eq!(coins.to_string(), Cents::new(hundredths).to_string());
    }

    #[test]
    fn coins_become_cents_exactly_when_nothing_is_lost(coins in any_coins()) {
        let (units, part) = wide(coins);
        let hundredth = 10_i128.pow(26);
        let expected = (part % hundredth == 0)
            .then(|| units.checked_mul(100).and_then(|units| i64::try_from(units + part / hundredth).ok()))
            .flatten()
            .map(Cents::new);
        prop_assert_eq!(coins.to_cents(), expected);
    }

    #[test]
    fn an_estimate_is_as_many_rates_as_there_are_units(
        mantissa in -1_000_000_000..=1_000_000_000_i128,
        scale in 0..=9_u32,
        units in 0..=50_i64,
    ) {
        // Adding the rate up, unit by unit, is the second way.
        let rate = Rate::new(mantissa, scale).unwrap();
        let one = CoinAmount::new(mantissa, scale).unwrap();
        let mut sum = CoinAmount::ZERO;
        for _ in 0..units {
            sum = sum.checked_add(one).unwrap();
        }
        let estimate = rate.estimate(Cents::new(units * 100)).unwrap();
        prop_assert_eq!(estimate, sum);
        prop_assert_eq!(estimate.scale(), scale + 2);
    }

    #[test]
    fn an_estimate_is_linear_in_the_cents(mantissa in any_mantissa(), scale in 0..=28_u32, a: i32, b: i32) {
        let rate = Rate::new(mantissa, scale).unwrap();
        let estimate = |cents: i64| rate.estimate(Cents::new(cents));
        let (a, b) = (i64::from(a), i64::from(b));
        if let (Ok(first), Ok(second), Ok(both)) = (estimate(a), estimate(b), estimate(a + b)) {
            prop_assert!(first.checked_add(second).unwrap().is_identical(both));
        }
        // One cent is the rate with its point two places further to the left, when there is room for two
        // more.
        prop_assert_eq!(estimate(1).map(parts).ok(), (scale <= 26).then_some((mantissa, scale + 2)));
    }
}

fn any_small() -> impl Strategy<Value = i128> {
    prop_oneof![-100..=100_i128, any::<i64>().prop_map(i128::from)]
}

fn any_hundredths() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -1_000..=1_000_i64,
        i64::MIN..=i64::MIN + 200,
        i64::MAX - 200..=i64::MAX,
        any::<i32>().prop_map(i64::from),
    ]
}
