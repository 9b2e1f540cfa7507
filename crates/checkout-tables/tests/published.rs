//! AllScale's tables against the published rows, in both directions, and what the pages say beside the rows.
#![allow(missing_docs, clippy::wildcard_enum_match_arm, reason = "tests")]

mod fixture;

use checkout_tables::allscale::{
    BASE_URL, Currency, ErrorCode, FLOOR_CENTS, FLOOR_TEXT, IntentStatus, POLL_EVERY_SECONDS,
    POLL_GIVE_UP_SECONDS, PaymentMethodType, Route, SUCCESS, StableCoin, TIMESTAMP_WINDOW_SECONDS,
};
use checkout_tables::{IntCode, Repeat, TextCode};
use fixture::check;
use std::collections::BTreeSet;

#[test]
fn the_163_currencies_are_the_published_ones() {
    let ours = Currency::ROWS.map(|row| vec![row.value().to_string(), row.code().into(), row.name().into()]);
    assert_eq!(check(include_str!("../fixtures/allscale-currencies.tsv"), ours.to_vec()), 163);
}

#[test]
fn the_10_stable_coins_are_the_published_ones() {
    let ours = StableCoin::ROWS.map(|row| {
        let status = if row.is_supported() { "supported" } else { "disabled" };
        vec![row.value().to_string(), row.code().into(), row.name().into(), status.into()]
    });
    assert_eq!(check(include_str!("../fixtures/allscale-stable-coins.tsv"), ours.to_vec()), 10);
}

#[test]
fn the_12_statuses_are_the_published_ones() {
    let ours = IntentStatus::ROWS.map(|row| {
        let terminal = if row.is_terminal() { "yes" } else { "no" };
        vec![row.value().to_string(), row.code().into(), terminal.into()]
    });
    assert_eq!(check(include_str!("../fixtures/allscale-statuses.tsv"), ours.to_vec()), 12);
}

#[test]
fn every_fixture_names_its_document_version_and_date() {
    for fixture in [
        include_str!("../fixtures/allscale-currencies.tsv"),
        include_str!("../fixtures/allscale-stable-coins.tsv"),
        include_str!("../fixtures/allscale-statuses.tsv"),
    ] {
        fixture::check_head(fixture);
    }
}

/// Typed from the lists of possible errors in *Create Checkout Intent*, v4, 2026-05-06, *Get Checkout
/// Intent*, v3, 2026-03-06, and *Get Status*, v3, 2026-05-14: the code, then `c` create, `g` get, `s` status,
/// then the meaning up to its first bracket or comma.
const ERRORS: [(i64, &str, &str); 9] = [
    (10001, "cgs", "Validation error"),
    (20001, "cgs", "Missing authentication headers"),
    (20002, "cgs", "Invalid signature"),
    (30001, "cgs", "Forbidden"),
    (40001, "cgs", "Rate limit exceeded"),
    (50001, "gs", "Checkout intent not found"),
    (50002, "c", "Create checkout intent error"),
    (90000, "gs", "Internal server error"),
    (99999, "gs", "Unknown error"),
];

#[test]
fn the_9_error_codes_come_from_the_routes_whose_pages_list_them() {
    let letter = |route: &Route| match route {
        Route::Create => 'c',
        Route::Get => 'g',
        Route::Status => 's',
        other => panic!("{other:?} lists no codes"),
    };
    let ours =
        ErrorCode::ROWS.map(|row| (i64::from(row), row.routes().iter().map(letter).collect::<String>()));
    assert_eq!(ours, ERRORS.map(|(code, routes, _)| (code, String::from(routes))));
}

#[test]
fn the_meanings_of_the_error_codes_are_the_published_ones_in_lower_case() {
    let ours = ErrorCode::ROWS.map(|row| (i64::from(row), row.meaning().to_owned()));
    assert_eq!(ours, ERRORS.map(|(code, _, meaning)| (code, meaning.to_lowercase())));
}

#[test]
fn the_constants_are_the_values_beside_the_pages_tables() {
    // *Create Checkout Intent*, v4, 2026-05-06, Response Fields: "0 indicates success".
    assert_eq!(SUCCESS, 0);
    // The same page, Important: "must be greater than 0.1 USDT / 0.1 USDC", and "100 = 1.00 coin".
    assert_eq!(FLOOR_CENTS, 10);
    // The same place: "amount must be greater than 0.1 <coin>!".
    assert_eq!(FLOOR_TEXT, ("amount must be greater than 0.1 ", "!"));
    // AllScale's authentication and integration pages.
    assert_eq!(BASE_URL, "https://openapi.allscale.io");
    // AllScale's authentication page: within 5 minutes.
    assert_eq!(TIMESTAMP_WINDOW_SECONDS, 5 * 60);
    // AllScale's integration guide: every 5 seconds, and give up after 10 minutes.
    assert_eq!(POLL_EVERY_SECONDS, 5);
    assert_eq!(POLL_GIVE_UP_SECONDS, 10 * 60);
}

#[test]
fn the_4_payment_method_types_are_those_of_the_field_table() {
    let ours = PaymentMethodType::ROWS.map(|row| (row.value(), row.code()));
    assert_eq!(ours, [(0, "UNKNOWN"), (1, "WALLET_SCAN"), (2, "WALLET_CONNECT"), (3, "ALL_SCALE_PAY")]);
}

#[test]
fn only_create_is_unsafe_to_repeat() {
    let ours = Route::ROWS.map(|row| (row.method(), row.path(), row.repeat()));
    assert_eq!(
        ours,
        [
            ("POST", "/v1/checkout_intents/", Repeat::Unsafe),
            ("GET", "/v1/checkout_intents/{checkout_intent_id}", Repeat::Safe),
            ("GET", "/v1/checkout_intents/{checkout_intent_id}/status", Repeat::Safe),
            ("GET", "/v1/test/ping", Repeat::Safe),
            ("GET", "/v1/test/fail", Repeat::Safe),
            ("POST", "/v1/test/post", Repeat::Safe),
        ]
    );
}

#[test]
fn the_flags_of_the_documented_bitmasks_are_1_2_and_3() {
    assert_eq!(StableCoin::USDT.flag(), 1);
    assert_eq!(StableCoin::USDC.flag(), 2);
    for coin in StableCoin::ROWS {
        // Bit n is the coin with the value n + 1.
        assert_eq!(coin.flag().trailing_zeros() + 1, u32::from(coin.value()));
        assert_eq!(coin.flag().count_ones(), 1);
    }
}

#[test]
fn the_floor_text_is_the_documented_text() {
    let texts = ["USDT", "USDC"].map(|coin| format!("{}{coin}{}", FLOOR_TEXT.0, FLOOR_TEXT.1));
    assert_eq!(texts, ["amount must be greater than 0.1 USDT!", "amount must be greater than 0.1 USDC!"]);
}

/// Looks every row up by its own value and text, and compares every other integer nearby and every text
/// with a search from the first row to the last.
fn check_lookups<T: IntCode + TextCode + Eq + std::fmt::Debug>(texts: &[String]) {
    let rows = <T as IntCode>::ROWS;
    let linear = |value: i64| rows.iter().copied().find(|row| row.value() == value);
    for value in
        (-300..100_300).chain([i64::MIN, i64::MAX, 1 << 32, (1 << 32) + 1, (1 << 16) + 1, -(1 << 8) + 1])
    {
        assert_eq!(T::from_value(value), linear(value), "{value}");
    }
    for text in texts.iter().map(String::as_str).chain(rows.iter().map(|row| row.code())) {
        assert_eq!(T::from_code(text), rows.iter().copied().find(|row| row.code() == text), "{text:?}");
    }
    let distinct: BTreeSet<_> = rows.iter().map(|row| row.code()).collect();
    assert_eq!(distinct.len(), rows.len());
}

#[test]
fn every_lookup_agrees_with_a_linear_search() {
    let letters = || b'A'..=b'Z';
    let mut texts: Vec<String> = vec![];
    for a in letters() {
        for b in letters() {
            for c in letters() {
                let code = String::from_utf8(vec![a, b, c]).unwrap();
                texts.push(code.to_lowercase());
                texts.push(code);
            }
        }
    }
    for length in 0..9 {
        texts.push("USDTUSDTU"[..length].into());
        texts.push("\u{0}".repeat(length));
    }
    texts.extend(["€", "ÖÖ", "US\u{0}", " USD", "USD ", "UsD"].map(String::from));
    check_lookups::<Currency>(&texts);
    let few: Vec<String> = texts.iter().step_by(101).cloned().collect();
    check_lookups::<StableCoin>(&few);
    check_lookups::<IntentStatus>(&few);
    check_lookups::<ErrorCode>(&few);
    check_lookups::<PaymentMethodType>(&few);
}

#[test]
fn text_goes_both_ways_and_the_error_for_unknown_text_names_the_table_alone() {
    for row in Currency::ROWS {
        assert_eq!(row.to_string().parse(), Ok(row));
        assert_eq!(Currency::try_from(i64::from(row)), Ok(row));
    }
    let error = "4111111111111111".parse::<StableCoin>().unwrap_err();
    assert_eq!(error.to_string(), "not in the table StableCoin: a text of 16 characters");
}

#[test]
fn routes_and_repeats_are_printed_by_their_names() {
    let routes = Route::ROWS.map(|route| route.to_string());
    assert_eq!(routes, ["create", "get", "status", "ping", "fail", "post"]);
    let repeats = [Repeat::Safe, Repeat::Keyed, Repeat::Unsafe].map(|repeat| repeat.to_string());
    assert_eq!(repeats, ["safe", "keyed", "unsafe"]);
    assert_eq!(format!("{:>8}|{:<8}|", Route::Create, Repeat::Safe), "  create|safe    |");
}

#[test]
fn an_intent_is_found_by_nothing_that_a_create_sends() {
    assert!(Route::ROWS.iter().all(|route| route.lookup_key().is_none()));
}

#[cfg(feature = "strum")]
#[test]
fn strum_counts_iterates_and_names_as_the_table_and_its_display_do() {
    use fixture::check_strum as check;

    check(&Currency::ROWS);
    check(&StableCoin::ROWS);
    check(&IntentStatus::ROWS);
    check(&ErrorCode::ROWS);
    check(&PaymentMethodType::ROWS);
    check(&Route::ROWS);
    check(&[Repeat::Safe, Repeat::Keyed, Repeat::Unsafe]);
}

/// Each with words that stand in the column Meaning of *Get Status*, v3, 2026-05-14, or mean the same.
#[test]
fn every_status_has_its_published_meaning() {
    for (value, words) in [
        (-1, ["failed", "processing error"]),
        (-2, ["rejected", "KYT"]),
        (-3, ["less", "required"]),
        (-4, ["cancel", "user"]),
        (-5, ["expired", "inactivity or the time limit"]),
        (1, ["created", "not yet viewed"]),
        (2, ["opened", "hosted page"]),
        (3, ["temporary deposit wallet", "KYT flow only"]),
        (4, ["stuck", "manual review"]),
        (5, ["refund", "payer"]),
        (10, ["on-chain", "waits for its confirmation"]),
        (20, ["payment is confirmed", "on-chain"]),
    ] {
        let meaning = IntentStatus::from_value(value).unwrap().meaning();
        assert!(words.iter().all(|word| meaning.contains(word)), "{value}: {meaning}");
    }
    let meanings: BTreeSet<_> = IntentStatus::ROWS.map(IntentStatus::meaning).into();
    assert_eq!(meanings.len(), 12);
}

/// Typed from the three pages' Possible Errors.
#[test]
fn a_code_has_its_meaning_on_a_route_and_the_advice_to_contact_allscale() {
    for code in ErrorCode::ROWS {
        for route in Route::ROWS {
            assert_eq!(code.meaning_on(route).is_some(), code.routes().contains(&route), "{code} on {route}");
        }
    }
    let on = |code: i64, route| ErrorCode::from_value(code).unwrap().meaning_on(route).unwrap_or("none");
    assert!(on(30001, Route::Create).contains("IP address"));
    for read in [Route::Get, Route::Status] {
        assert!(on(30001, read).contains("no permission to view this checkout intent"));
        assert_eq!(on(50001, read), "checkout intent not found");
        assert_eq!(on(50002, read), "none");
    }
    assert!(on(50002, Route::Create).contains("0.1 coin"));
    assert_eq!(on(90000, Route::Create), "none");
    let contact: Vec<_> = ErrorCode::ROWS.into_iter().filter(|code| code.contact_support()).collect();
    assert_eq!(contact.iter().map(|code| i64::from(*code)).collect::<Vec<_>>(), [90000, 99999]);
}

#[test]
fn an_unknown_value_is_named_if_it_can_be_a_text_of_the_table() {
    let text = |text: &str| text.parse::<Currency>().unwrap_err().to_string();
    assert_eq!(text("usd"), r#"not in the table Currency: "usd""#);
    assert_eq!(text(""), r#"not in the table Currency: """#);
    assert_eq!(text(" EUR\n"), r#"not in the table Currency: " EUR\n""#);
    assert_eq!(text("\u{feff}US"), r#"not in the table Currency: "\u{feff}US""#);
    assert_eq!(text("\u{1b}[2J"), r#"not in the table Currency: "\u{1b}[2J""#);
    // A text that is longer than every text of the table is no misspelt text: the text can be anything.
    assert_eq!(text("Euros!"), "not in the table Currency: a text of 6 characters");
    assert_eq!(text("\u{e9}\u{e9}\u{e9}"), "not in the table Currency: a text of 3 characters");
    let long = "x".repeat(100_000);
    assert_eq!(text(&long), "not in the table Currency: a text of 100000 characters");
    // A card's number, also where the table's texts are as long as the number.
    let status = |text: &str| text.parse::<IntentStatus>().unwrap_err().to_string();
    assert_eq!(status("VIEWED "), r#"not in the table IntentStatus: "VIEWED ""#);
    for card in ["4111111111111111", "4111 1111 1111 1111", "411111111111"] {
        assert!(status(card).starts_with("not in the table IntentStatus: a text of "), "{card}");
    }
    let number = |value: i64| StableCoin::try_from(value).unwrap_err().to_string();
    assert_eq!(number(11), "not in the table StableCoin: 11");
    assert_eq!(number(-99_999_999_999), "not in the table StableCoin: -99999999999");
    for card in [100_000_000_000, 4_111_111_111_111_111, i64::MAX, i64::MIN] {
        assert_eq!(number(card), "not in the table StableCoin: a number of twelve digits or more");
    }
    let error = "usd".parse::<Currency>().unwrap_err();
    assert_eq!(format!("{error:?}"), r#"NotInTable(not in the table Currency: "usd")"#);
}
