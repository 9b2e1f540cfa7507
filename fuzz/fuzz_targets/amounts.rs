//! Any text as each kind of amount, against a second way of reading it.
#![no_main]

use checkout_fuzz::Digits;
use checkout_money::{Cents, CoinAmount, Rate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let coins = text.parse::<CoinAmount>();
    let digits = Digits::of_coins(text);
    let parts = coins.ok().map(|coins| Digits { mantissa: coins.mantissa(), scale: coins.scale() });
    assert_eq!(parts, digits);
    assert_eq!(coins.ok().map(|coins| coins.to_string()), digits.map(Digits::print));
    if let Ok(coins) = coins {
        let again: CoinAmount = coins.to_string().parse().expect("what is printed is read");
        assert!(again.is_identical(coins));
        let printed = coins.to_string();
        assert_eq!(coins.to_cents().map(Cents::get), Digits::in_cents(without_end(&printed)));
    }
    let rate = text.parse::<Rate>();
    assert_eq!(rate.map(|rate| rate.to_string()), coins.map(|coins| coins.to_string()));

    let cents = text.parse::<Cents>();
    assert_eq!(cents.ok().map(Cents::get), Digits::in_cents(text));
    if let Ok(cents) = cents {
        assert_eq!(cents.to_string().parse(), Ok(cents));
        assert_eq!(coins.ok().and_then(CoinAmount::to_cents), Some(cents));
    }
    for error in [coins.err(), cents.err()].into_iter().flatten() {
        assert!(text.is_char_boundary(error.at()), "{error}");
    }
});

/// An amount without the zeros at the end of its decimals.
fn without_end(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
