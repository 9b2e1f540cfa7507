//! Peach's tables against the published rows, in both directions, and what the pages say beside the rows.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests")]

mod fixture;

use checkout_tables::peach::{
    Currency, EXPIRES_AFTER_SECONDS, Environment, Outcome, PaymentStatus, PaymentType, RecurringType,
    ResultCode, ResultGroup, Route, SIGNATURE_NEVER_AGAIN_SECONDS, StandingInstructionMode,
    StandingInstructionSource, StandingInstructionType,
};
use checkout_tables::{Open, RateLimit, RateScope, Repeat};
use fixture::{check, check_head, check_texts, published};
use proptest::prelude::*;
use regex::{Regex, RegexSet};
use std::sync::LazyLock;

const STATUSES: &str = include_str!("../fixtures/peach-statuses.tsv");
const CURRENCIES: &str = include_str!("../fixtures/peach-currencies.tsv");
const RESULT_CODES: &str = include_str!("../fixtures/peach-result-codes.tsv");
const RESULT_MEANINGS: &str = include_str!("../fixtures/peach-result-meanings.tsv");
const RESULT_GROUPS: &str = include_str!("../fixtures/peach-result-groups.tsv");

fn code(text: &str) -> ResultCode {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_statuses_with_their_final_flags_are_the_published_ones_and_one_of_ours() {
    let row = |row: &PaymentStatus| {
        let last = if row.is_final() { "yes" } else { "no" };
        vec![row.code().into(), last.into()]
    };
    let (ours, theirs): (Vec<_>, Vec<_>) =
        PaymentStatus::ROWS.into_iter().partition(|row| *row == PaymentStatus::Authorized);
    assert_eq!(check(STATUSES, theirs.iter().map(row).collect()), 5);
    assert_eq!(ours.iter().map(row).collect::<Vec<_>>(), [["authorized", "yes"]]);
}

#[test]
fn the_6_currencies_are_the_published_ones() {
    let ours = Currency::ROWS.map(|row| vec![row.code().into(), row.name().into()]);
    assert_eq!(check(CURRENCIES, ours.to_vec()), 6);
}

#[test]
fn the_15_groups_with_their_expressions_are_the_published_ones_in_their_order() {
    let ours = ResultGroup::ROWS.map(|row| vec![row.name().into(), row.pattern().into()]);
    assert_eq!(check(RESULT_GROUPS, ours.to_vec()), 15);
}

#[test]
fn every_fixture_names_its_document_version_and_date() {
    [STATUSES, CURRENCIES, RESULT_CODES, RESULT_GROUPS, RESULT_MEANINGS]
        .iter()
        .for_each(|fixture| check_head(fixture));
}

#[test]
fn every_text_is_looked_up_to_the_letter() {
    check_texts::<PaymentStatus>(&["created", "pending", "successful", "authorized", "cancelled", "expired"]);
    check_texts::<PaymentType>(&["DB", "PA"]);
    check_texts::<Currency>(&["ZAR", "USD", "KES", "MUR", "GBP", "EUR"]);
    check_texts::<Environment>(&["live", "sandbox"]);
    check_texts::<StandingInstructionMode>(&["INITIAL", "REPEATED"]);
    check_texts::<StandingInstructionType>(&["UNSCHEDULED", "RECURRING", "INSTALLMENT"]);
    check_texts::<StandingInstructionSource>(&["CIT", "MIT"]);
    check_texts::<RecurringType>(&["SUBSCRIPTION", "STANDING_ORDER"]);
    check_texts::<ResultGroup>(&[
        "success",
        "success_review",
        "pending",
        "pending_days",
        "rejected_three_ds",
        "rejected_three_ds_auth",
        "rejected_bank",
        "communication",
        "system",
        "async_workflow",
        "soft_decline",
        "mac",
        "format",
        "amount",
        "chargeback",
    ]);
    assert_eq!(PaymentType::ROWS.map(PaymentType::name), ["Debit", "Preauthorization"]);
}

#[test]
fn uncertain_is_read_as_expired_and_written_as_expired() {
    assert_eq!("uncertain".parse(), Ok(PaymentStatus::Expired));
    let open: Open<PaymentStatus, &str> = Open::from("uncertain");
    assert_eq!((open.known(), open.text()), (Some(PaymentStatus::Expired), "expired"));
    assert_eq!(PaymentStatus::from_code("Uncertain"), None);
}

/// Codes as texts. Where an expression begins with the first number or a number beside it: every second
/// number with third numbers of each kind, and every third number with every second number that an expression
/// names. And codes spread evenly over all.
fn codes() -> impl Iterator<Item = String> {
    const FIRST: [u32; 19] =
        [0, 1, 99, 100, 101, 199, 200, 201, 300, 301, 599, 600, 601, 700, 701, 800, 900, 998, 999];
    const SECOND: [u32; 25] = [
        0, 99, 100, 101, 200, 300, 310, 390, 395, 396, 397, 398, 400, 401, 500, 550, 570, 600, 601, 602, 700,
        800, 801, 900, 999,
    ];
    const THIRD: [u32; 8] = [0, 30, 100, 111, 120, 250, 500, 999];
    let text = |first: u32, second: u32, third: u32| format!("{first:03}.{second:03}.{third:03}");
    let structured = FIRST.into_iter().flat_map(move |first| {
        let seconds = (0..1000).flat_map(move |second| THIRD.map(|third| text(first, second, third)));
        seconds.chain((0..1000).flat_map(move |third| SECOND.map(|second| text(first, second, third))))
    });
    let spread =
        (0..1_000_000_000u32).step_by(10_007).map(move |n| text(n / 1_000_000, n / 1_000 % 1_000, n % 1_000));
    structured.chain(spread)
}

/// The published expressions, by an engine for expressions: the first that matches.
fn expected(text: &str) -> Option<ResultGroup> {
    static PUBLISHED: LazyLock<RegexSet> = LazyLock::new(|| {
        let patterns = published(RESULT_GROUPS).into_iter().map(|row| row[1].clone());
        RegexSet::new(patterns).unwrap()
    });
    PUBLISHED.matches(text).iter().next().map(|first| ResultGroup::ROWS[first])
}

#[test]
fn the_groups_are_those_of_the_published_expressions_for_every_number_they_name_and_a_spread_of_all() {
    let (mut seen, mut compared) = (std::collections::BTreeMap::<_, u32>::new(), 0);
    for text in codes() {
        let group = code(&text).group();
        assert_eq!(group, expected(&text), "{text}");
        *seen.entry(group).or_default() += 1;
        compared += 1;
    }
    assert!(compared > 700_000, "{compared}");
    assert_eq!(seen.len(), 16, "every group and none: {seen:?}");
}

/// Every code that the pages and our notes on them name, with the published group and status.
const NAMED: [(&str, &str, &str); 33] = [
    ("000.000.000", "success", "successful"),
    ("000.000.100", "success", "-"),
    ("000.100.105", "success", "-"),
    ("000.100.110", "success", "successful"),
    ("000.100.111", "success", "successful"),
    ("000.100.112", "success", "successful"),
    ("000.100.113", "success", "-"),
    ("000.300.000", "success", "-"),
    ("000.300.100", "success", "-"),
    ("000.310.100", "success", "-"),
    ("000.400.110", "success", "-"),
    ("000.400.120", "success", "-"),
    ("000.600.000", "success", "-"),
    ("000.400.000", "success_review", "-"),
    ("000.400.100", "success_review", "-"),
    // The trap: three tens are no review.
    ("000.400.020", "success_review", "-"),
    ("000.400.030", "communication", "-"),
    ("000.400.031", "-", "-"),
    ("000.400.040", "success_review", "-"),
    // The other trap: beside 000.400.100, and a rejection.
    ("000.400.101", "rejected_three_ds", "-"),
    ("000.400.130", "-", "-"),
    ("000.200.000", "pending", "pending"),
    ("000.200.001", "pending", "-"),
    ("000.200.100", "pending", "created"),
    ("000.200.101", "pending", "pending"),
    ("000.200.200", "pending", "-"),
    ("100.396.101", "async_workflow", "cancelled"),
    ("100.396.103", "async_workflow", "-"),
    ("100.396.104", "async_workflow", "expired"),
    ("200.300.404", "format", "-"),
    ("300.100.100", "soft_decline", "-"),
    ("700.400.580", "-", "-"),
    ("800.100.153", "rejected_bank", "-"),
];

#[test]
fn every_code_that_a_page_names_has_the_published_group_and_status() {
    for (text, group, status) in NAMED {
        let named = |code: Option<&'static str>| code.unwrap_or("-");
        let ours = code(text);
        assert_eq!(named(ours.group().map(ResultGroup::code)), group, "{text}");
        assert_eq!(named(ours.status().map(PaymentStatus::code)), status, "{text}");
        assert_eq!(ours.group(), expected(text), "{text}");
        assert_eq!(ours.is_not_opened_yet(), text == "700.400.580");
        assert_eq!(ours.is_test_success(), text.starts_with("000.100.11") && status == "successful");
    }
}

#[test]
fn every_published_code_has_a_meaning_on_the_published_subject() {
    let rows = published(RESULT_MEANINGS);
    assert_eq!(rows.len(), 667);
    assert!(rows.is_sorted_by(|one, next| one[0] < next[0]), "in order, and none twice");
    for row in &rows {
        let meaning = code(&row[0]).meaning().unwrap_or_else(|| panic!("{} has no meaning", row[0]));
        for topic in row[1].split_whitespace() {
            assert!(meaning.to_lowercase().contains(topic), "{}: {meaning:?} and not {topic}", row[0]);
        }
        let plain = meaning.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        assert!(plain && (4..=100).contains(&meaning.len()), "{}: {meaning:?}", row[0]);
        assert_eq!(meaning.trim(), meaning, "{}", row[0]);
    }
    // By the published expressions: so many codes explain themselves by no group.
    assert_eq!(rows.iter().filter(|row| expected(&row[0]).is_none()).count(), 339);
}

#[test]
fn no_other_code_has_a_meaning_and_its_digits_are_printed() {
    let listed: std::collections::BTreeSet<String> =
        published(RESULT_MEANINGS).into_iter().map(|row| row[0].clone()).collect();
    let near = listed.iter().flat_map(|text| {
        let [first, second, third] = code(text).numbers();
        let nearby = [
            [first, second, third.saturating_sub(1)],
            [first, second, (third + 1) % 1000],
            [first, (second + 1) % 1000, third],
            [(first + 1) % 1000, second, third],
        ];
        nearby.map(|[first, second, third]| format!("{first:03}.{second:03}.{third:03}"))
    });
    let mut others = 0;
    for text in near.chain(codes().step_by(97)) {
        let known = listed.contains(&text);
        assert_eq!(code(&text).meaning().is_some(), known, "{text}");
        assert_eq!(code(&text).to_string(), text);
        others += usize::from(!known);
    }
    assert!(others > 5_000, "{others}");
}

#[test]
fn a_meaning_settles_nothing() {
    // Typed from the exact list: the only published codes that have a status.
    let settling: Vec<_> = published(RESULT_MEANINGS)
        .into_iter()
        .filter(|row| code(&row[0]).status().is_some())
        .map(|row| row[0].clone())
        .collect();
    let list = [
        "000.000.000",
        "000.100.110",
        "000.100.111",
        "000.100.112",
        "000.200.000",
        "000.200.100",
        "000.200.101",
        "000.200.102",
        "000.200.103",
        "100.396.101",
        "100.396.104",
    ];
    assert_eq!(settling, list);
}

#[test]
fn the_exact_list_of_statuses_is_the_published_one_and_no_other_code_has_a_status() {
    let rows = published(RESULT_CODES);
    let listed = |text: &str| {
        let row = rows.iter().find(|row| row[0].as_str() <= text && text <= row[1].as_str());
        row.map(|row| row[2].as_str())
    };
    // Every code of each thousand with a code on the list, and all the others by their spread.
    let thousands = ["000.000", "000.100", "000.200", "100.396", "000.300", "000.400", "100.395", "200.100"];
    let beside = thousands.iter().flat_map(|head| (0..1000).map(move |third| format!("{head}.{third:03}")));
    let mut settled = 0;
    for text in beside.chain(codes()) {
        let status = code(&text).status();
        assert_eq!(status.map(PaymentStatus::code), listed(&text), "{text}");
        assert_ne!(status, Some(PaymentStatus::Authorized));
        settled += usize::from(status.is_some());
    }
    // 000.000.000, three tests, 000.200.000 and a hundred more, and the two refusals, at least.
    assert!(settled >= 1 + 3 + 1 + 100 + 2);
}

#[test]
fn the_constants_are_the_codes_they_are_named_after() {
    let constants = [
        ResultCode::SUCCESS,
        ResultCode::PENDING,
        ResultCode::CREATED,
        ResultCode::CANCELLED,
        ResultCode::EXPIRED,
        ResultCode::NOT_OPENED_YET,
        ResultCode::NOT_FOUND,
    ];
    assert_eq!(
        constants.map(|code| code.to_string()),
        [
            "000.000.000",
            "000.200.000",
            "000.200.100",
            "100.396.101",
            "100.396.104",
            "700.400.580",
            "200.300.404"
        ]
    );
    let tests = ResultCode::TEST_SUCCESS.map(|code| code.to_string());
    assert_eq!(tests, ["000.100.110", "000.100.111", "000.100.112"]);
    assert_eq!(format!("{:>13}|{:?}", ResultCode::CREATED, ResultCode::CREATED), "  000.200.100|000.200.100");
    assert_eq!(code("012.345.678").numbers(), [12, 345, 678]);
}

#[test]
fn a_text_that_is_no_code_is_refused() {
    let tests = [
        "",
        "000",
        "000.000",
        "000.000.00",
        "000.000.0000",
        "0000.000.000",
        "000-000-000",
        "000.000.00a",
        "00٠.000.00",
        "+00.000.000",
        "000.000.000 ",
        "000.000.000\n",
        " 000.000.000",
        "000.0.00000",
        ".00.000.000",
    ];
    for text in tests {
        assert_eq!(ResultCode::parse(text), None, "{text:?}");
        let error = text.parse::<ResultCode>().unwrap_err();
        assert_eq!(error.to_string(), "a result code is three times three digits with a dot between");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_text_is_a_code_exactly_if_it_has_the_published_form(
        text in "[0-9.٣a]{9,12}|[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}|.*"
    ) {
        static FORM: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^[0-9]{3}\.[0-9]{3}\.[0-9]{3}$").unwrap());
        let code = ResultCode::parse(&text);
        prop_assert_eq!(code.is_some(), FORM.is_match(&text));
        if let Some(code) = code {
            prop_assert_eq!(code.to_string(), text);
        }
    }

    #[test]
    fn a_code_has_the_group_that_the_expressions_give_it(
        text in "(000|100|200|300|600|700|800|900|999)\\.[0-9](00|[0-9]{2})\\.[0-9]{3}"
    ) {
        prop_assert_eq!(code(&text).group(), expected(&text));
    }
}

/// A code, a payment type and an environment in; the phase that they settle out.
fn settled(text: &str, payment_type: &str, environment: &str) -> String {
    let payment_type = PaymentType::from_code(payment_type);
    let outcome = Outcome { code: text, payment_type, environment: environment.parse().unwrap() };
    let open: Open<PaymentStatus, Outcome<&str>> = Open::from(outcome);
    assert_eq!(open.known(), outcome.status());
    assert_eq!(open.unknown(), outcome.status().is_none().then_some(&outcome), "carried");
    #[cfg(feature = "alloc")]
    {
        use std::borrow::Cow;
        let Outcome { payment_type, environment, .. } = outcome;
        let cow = Outcome { code: Cow::Borrowed(text), payment_type, environment };
        let string = Outcome { code: String::from(text), payment_type, environment };
        let cow: Open<PaymentStatus, _> = Open::from(cow);
        let string: Open<PaymentStatus, _> = Open::from(string);
        assert_eq!((cow.known(), string.known()), (open.known(), open.known()));
        assert_eq!((cow.to_string(), string.to_string()), (open.to_string(), open.to_string()));
        let owned: Open<PaymentStatus, Outcome<Cow<'static, str>>> = match cow.clone() {
            Open::Known(row) => Open::from(row),
            Open::Unknown(unnamed) => Open::from(unnamed.into_raw().into_owned()),
        };
        assert_eq!(owned, cow);
    }
    open.known().map_or("nothing".into(), |status| status.to_string())
}

#[test]
fn a_success_settles_by_its_code_its_type_and_its_environment_together() {
    // Typed from the facts: code, type (`-` none, `RF` one that the table does not name), live, sandbox.
    let table = [
        ("000.000.000", "DB", "successful", "successful"),
        ("000.000.000", "PA", "authorized", "authorized"),
        ("000.000.000", "-", "nothing", "nothing"),
        ("000.000.000", "RF", "nothing", "nothing"),
        ("000.100.110", "DB", "nothing", "successful"),
        ("000.100.111", "DB", "nothing", "successful"),
        ("000.100.112", "DB", "nothing", "successful"),
        ("000.100.110", "PA", "nothing", "authorized"),
        ("000.100.111", "PA", "nothing", "authorized"),
        ("000.100.112", "PA", "nothing", "authorized"),
        ("000.100.110", "-", "nothing", "nothing"),
        ("000.100.110", "RF", "nothing", "nothing"),
        // Codes in the group of the successes, and on no list.
        ("000.000.100", "DB", "nothing", "nothing"),
        ("000.100.113", "DB", "nothing", "nothing"),
        ("000.300.100", "DB", "nothing", "nothing"),
        ("000.310.100", "DB", "nothing", "nothing"),
        ("000.400.110", "DB", "nothing", "nothing"),
    ];
    for (code, payment_type, live, sandbox) in table {
        let ours = ["live", "sandbox"].map(|environment| settled(code, payment_type, environment));
        assert_eq!(ours, [live, sandbox], "{code} {payment_type}");
    }
}

#[test]
fn every_outcome_but_success_depends_on_its_code_alone() {
    let table = [
        ("000.200.100", "created"),
        ("000.200.000", "pending"),
        ("000.200.103", "pending"),
        ("100.396.101", "cancelled"),
        ("100.396.104", "expired"),
        ("700.400.580", "nothing"),
        ("200.300.404", "nothing"),
        ("800.100.153", "nothing"),
        ("000.400.101", "nothing"),
        ("900.100.300", "nothing"),
        ("successful", "nothing"),
        ("", "nothing"),
        ("000.000.000 ", "nothing"),
    ];
    for (code, expected) in table {
        for payment_type in ["DB", "PA", "RF", "-"] {
            for environment in ["live", "sandbox"] {
                assert_eq!(settled(code, payment_type, environment), expected, "{code:?} {payment_type}");
            }
        }
    }
}

#[test]
fn no_code_but_four_settles_as_paid_or_authorized() {
    let paid = ["000.000.000", "000.100.110", "000.100.111", "000.100.112"];
    let third = (0..1000).map(|third| format!("000.000.{third:03}"));
    let tests = (0..1000).map(|third| format!("000.100.{third:03}"));
    for text in third.chain(tests).chain(codes()) {
        let outcome = |environment| {
            let outcome = Outcome { code: text.as_str(), payment_type: Some(PaymentType::DB), environment };
            outcome.status() == Some(PaymentStatus::Successful)
        };
        assert_eq!(outcome(Environment::Live), text == paid[0], "{text}");
        assert_eq!(outcome(Environment::Sandbox), paid.contains(&text.as_str()), "{text}");
    }
}

#[test]
fn an_outcome_is_printed_as_its_code_on_one_line() {
    let outcome = Outcome { code: "A\nB\u{1b}", payment_type: None, environment: Environment::Live };
    assert_eq!(outcome.to_string(), r"A\nB\u{1b}");
    let open: Open<PaymentStatus, Outcome<&str>> = Open::from(outcome);
    assert_eq!(open.to_string(), r"A\nB\u{1b}");
    assert_eq!(open.unknown().map(|outcome| outcome.code), Some("A\nB\u{1b}"));
    assert_eq!(Open::<PaymentStatus, Outcome<&str>>::from(PaymentStatus::Pending).to_string(), "pending");
}

#[test]
fn the_routes_are_the_routes_of_both_versions() {
    let limit = Some(RateLimit { requests: 2, per_seconds: 60, scope: RateScope::Merchant });
    let expected = [
        ("initiate", "POST", "/checkout/initiate", Repeat::Unsafe, None),
        ("validate", "POST", "/checkout/validate", Repeat::Safe, None),
        ("status", "GET", "/status", Repeat::Safe, limit),
        ("token", "POST", "/api/oauth/token", Repeat::Safe, None),
        ("create_checkout", "POST", "/v2/checkout", Repeat::Unsafe, None),
        ("checkout_status", "GET", "/v2/checkout/{checkoutId}/status", Repeat::Safe, limit),
    ];
    let ours =
        Route::ROWS.map(|row| (row.to_string(), row.method(), row.path(), row.repeat(), row.rate_limit()));
    let owned =
        expected.map(|(name, method, path, repeat, limit)| (name.into(), method, path, repeat, limit));
    assert_eq!(ours, owned);
}

#[test]
fn a_lost_initiate_of_v1_alone_is_found_by_the_merchants_id() {
    let found: Vec<_> =
        Route::ROWS.iter().filter_map(|row| Some((row.to_string(), row.lookup_key()?))).collect();
    assert_eq!(found, [("initiate".to_owned(), "merchantTransactionId")]);
    // A read comes first only for a call that cannot be repeated blindly.
    for route in Route::ROWS {
        assert!(route.lookup_key().is_none() || route.repeat() == Repeat::Unsafe, "{route}");
    }
}

#[test]
fn the_hosts_are_the_published_ones_of_their_environment_alone() {
    let expected = |route| match route {
        Route::Token => {
            ["https://dashboard.peachpayments.com", "https://sandbox-dashboard.peachpayments.com"]
        }
        _ => ["https://secure.peachpayments.com", "https://testsecure.peachpayments.com"],
    };
    for route in Route::ROWS {
        assert_eq!(
            [Environment::Live, Environment::Sandbox].map(|at| route.host(at)),
            expected(route),
            "{route}"
        );
    }
    assert_eq!(EXPIRES_AFTER_SECONDS, 30 * 60);
    assert_eq!(SIGNATURE_NEVER_AGAIN_SECONDS, 24 * 60 * 60);
}

#[cfg(feature = "strum")]
#[test]
fn strum_counts_iterates_and_names_as_the_tables_do() {
    fixture::check_strum(&PaymentStatus::ROWS);
    fixture::check_strum(&PaymentType::ROWS);
    fixture::check_strum(&Currency::ROWS);
    fixture::check_strum(&Environment::ROWS);
    fixture::check_strum(&ResultGroup::ROWS);
    fixture::check_strum(&Route::ROWS);
    fixture::check_strum(&StandingInstructionMode::ROWS);
    fixture::check_strum(&StandingInstructionType::ROWS);
    fixture::check_strum(&StandingInstructionSource::ROWS);
    fixture::check_strum(&RecurringType::ROWS);
}

#[cfg(feature = "serde")]
#[test]
fn serde_writes_and_reads_the_texts() {
    fixture::check_serde::<PaymentStatus>();
    fixture::check_serde::<PaymentType>();
    fixture::check_serde::<Currency>();
    fixture::check_serde::<Environment>();
    fixture::check_serde::<ResultGroup>();
    fixture::check_serde::<StandingInstructionMode>();
    fixture::check_serde::<StandingInstructionType>();
    fixture::check_serde::<StandingInstructionSource>();
    fixture::check_serde::<RecurringType>();
    assert_eq!(serde_json::from_str::<PaymentStatus>("\"uncertain\"").unwrap(), PaymentStatus::Expired);
    assert_eq!(serde_json::to_string(&ResultCode::CREATED).unwrap(), "\"000.200.100\"");
    assert_eq!(serde_json::from_str::<ResultCode>("\"000.200.100\"").unwrap(), ResultCode::CREATED);
    let error = serde_json::from_str::<ResultCode>("\"000.200\"").unwrap_err().to_string();
    assert!(error.starts_with("a result code is three times three digits"), "{error}");
}
