//! The client's outcome for every fault that the sandbox knows.

use crate::world::{client, fiat, fiat_settled_in, mismatch, native, sandbox};
use checkout_client::allscale::{AllScale, Client};
use checkout_client::{Answer, CallError, CallErrorKind, NotSent, Operation, Readable};
use checkout_money::Cents;
use checkout_poll::ReadOutcome;
use checkout_sandbox::allscale::{Fault, Sandbox};
use checkout_tables::allscale::{Currency, Route, StableCoin};
use checkout_transport::{BODY_CAP, Delivery};
use checkout_validate::allscale::Draft;
use checkout_wire::allscale::CreatedIntent;
use std::collections::BTreeSet;
use std::time::Duration;

/// A sandbox with one intent of 10 coins that is confirmed, and its id.
fn world() -> (Sandbox, Client, String) {
    let sandbox = sandbox(4);
    let client = client(&sandbox);
    let created = client.create(&fiat(1_000)).send_blocking(&sandbox).unwrap();
    sandbox.clock().advance(Duration::from_secs(60));
    (sandbox, client, created.payload.intent_id.into_owned())
}

/// The outcomes of a request that a fault waits for: create at 20 USDC, create at 30 dollars, status, get.
fn check(fault: &Fault) -> [String; 4] {
    let create = |intent| {
        let (sandbox, client, _) = world();
        sandbox.inject(fault.clone());
        let created = client.create(&intent).send_blocking(&sandbox);
        let differs = created.as_ref().map_or_else(|_| String::new(), differs);
        let made = sandbox.intents().len() - 1;
        let told = outcome(created, |created: &CreatedIntent<'_>| {
            let is_it = sandbox.intents().last().is_some_and(|newest| newest.id == created.intent_id);
            let coin = created.stable_coin_type.known().unwrap().code();
            format!("{} {coin}{}", created.amount_coins, if is_it { "" } else { " of another intent" })
        });
        format!("{told}{differs}, {made} made{}", waits(&sandbox))
    };
    let read = |ask: fn(&Sandbox, &Client, &str) -> String| {
        let (sandbox, client, id) = world();
        sandbox.inject(fault.clone());
        ask(&sandbox, &client, &id) + waits(&sandbox)
    };
    [
        create(native(StableCoin::USDC, 2_000)),
        create(fiat(3_000)),
        read(|sandbox, client, id| {
            let status = client.status(id).unwrap().send_blocking(sandbox);
            outcome(status, |status| status.value().to_string())
        }),
        read(|sandbox, client, id| {
            let intent = client.get(id).unwrap().send_blocking(sandbox);
            outcome(intent, |intent| format!("{} at {}", intent.amount_coins, intent.status.value()))
        }),
    ]
}

/// The fields of the answer that differ from the request.
fn differs(created: &Answer<CreatedIntent<'static>>) -> String {
    let fields: Vec<_> = created.differences().iter().map(|difference| difference.field()).collect();
    if fields.is_empty() { String::new() } else { format!(" with another {}", fields.join(" and ")) }
}

fn outcome<T: Readable<Provider = AllScale>>(
    outcome: Result<Answer<T>, CallError<AllScale>>,
    payload: impl FnOnce(&T) -> String,
) -> String {
    let error = match outcome {
        Ok(answer) => return payload(&answer.payload),
        Err(error) => error,
    };
    let unknown = |what: &str| {
        assert!(error.may_have_been_processed(), "{error}");
        format!("unknown{what}")
    };
    match error.kind() {
        CallErrorKind::NotSent(_) => {
            assert!(!error.may_have_been_processed(), "{error}");
            "not sent".to_owned()
        }
        CallErrorKind::NoResponse(_) => unknown(""),
        CallErrorKind::Unreadable(unreadable) => {
            let what = unreadable.to_string();
            let (what, _) = what.split_once(", at byte ").unwrap();
            unknown(&format!(": unreadable: {what}"))
        }
        CallErrorKind::Mismatch(field) => unknown(&format!(": {field} is not what was asked for")),
        CallErrorKind::Refused(refusal) => {
            let wait = if let ReadOutcome::Limited { wait: Some(wait) } = error.read_outcome() {
                format!(" for {} s", wait.as_secs())
            } else {
                String::new()
            };
            format!("refused with {}{wait}", refusal.code.value())
        }
        CallErrorKind::UnexpectedResponse(other) => {
            assert_eq!(error.http_status(), Some(other.status));
            let to = other.location.as_ref().map_or_else(String::new, |to| format!(" to {}", to.as_str()));
            format!("not the API: {}{to}", other.status)
        }
        CallErrorKind::NotAuthentic(_) | _ => panic!("{error:?}"),
    }
}

fn waits(sandbox: &Sandbox) -> &'static str {
    if sandbox.faults_waiting() == 0 { "" } else { "; the fault waits" }
}

/// One row for each fault with the outcomes: create at 20 USDC, create at 30 dollars, status, get.
fn table() -> Vec<(Fault, [&'static str; 4])> {
    const FINE: [&str; 4] = ["20.0000 USDC, 1 made", "30.0000 USDT, 1 made", "20", "10.0000 at 20"];
    vec![
        (Fault::LostBefore, ["not sent, 0 made", "not sent, 0 made", "not sent", "not sent"]),
        (Fault::LostRequest, ["unknown, 0 made", "unknown, 0 made", "unknown", "unknown"]),
        (Fault::LostAnswer, ["unknown, 1 made", "unknown, 1 made", "unknown", "unknown"]),
        (Fault::Slow(Duration::from_secs(90)), FINE),
        (Fault::Garbage, {
            ["not the API: 200, 1 made", "not the API: 200, 1 made", "not the API: 200", "not the API: 200"]
        }),
        (Fault::Truncated, {
            [
                "unknown: unreadable: payload.allscale_checkout_intent_id: ends too early, 1 made",
                "unknown: unreadable: payload: ends too early, 1 made",
                "unknown: unreadable: ends too early",
                "unknown: unreadable: payload: ends too early",
            ]
        }),
        (Fault::HtmlBadGateway, {
            ["not the API: 502, 1 made", "not the API: 502, 1 made", "not the API: 502", "not the API: 502"]
        }),
        (Fault::EmptyUnauthorized, {
            ["not the API: 401, 0 made", "not the API: 401, 0 made", "not the API: 401", "not the API: 401"]
        }),
        (Fault::Redirect, {
            [
                "not the API: 302 to https://elsewhere.example/login, 0 made",
                "not the API: 302 to https://elsewhere.example/login, 0 made",
                "not the API: 302 to https://elsewhere.example/login",
                "not the API: 302 to https://elsewhere.example/login",
            ]
        }),
        // A status is a bare number, and a converted amount is the provider's word. A client alone notices
        // nothing there; only a get that is compared with the order shows the fault.
        (Fault::SwappedIntent, {
            [
                "10.0000 USDT of another intent with another amount_coins and stable_coin_type, 1 made",
                "10.0000 USDT of another intent, 1 made",
                "2",
                "unknown: all_scale_checkout_intent_id is not what was asked for",
            ]
        }),
        (Fault::AcceptedCoins(3), {
            [
                "20.0000 USDC, 1 made",
                "30.0000 USDT, 1 made",
                "20; the fault waits",
                "10.0000 at 20; the fault waits",
            ]
        }),
        (Fault::SettledIn(1), {
            [
                "20.0000 USDT with another stable_coin_type, 1 made",
                "30.0000 USDT, 1 made",
                "20; the fault waits",
                "10.0000 at 20",
            ]
        }),
        // A client alone does not know the right value of a converted amount, or of an amount that is read.
        (Fault::TamperedAmount, {
            [
                "2.0000 USDC with another amount_coins, 1 made",
                "3.0000 USDT, 1 made",
                "20; the fault waits",
                "1.0000 at 20",
            ]
        }),
        // Nor does a client know the right status: the tracker judges the status.
        (Fault::TamperedStatus(-3), {
            [
                "20.0000 USDC, 1 made; the fault waits",
                "30.0000 USDT, 1 made; the fault waits",
                "-3",
                "10.0000 at -3",
            ]
        }),
        (Fault::RateLimited, {
            [
                "refused with 40001 for 2 s, 0 made",
                "refused with 40001 for 2 s, 0 made",
                "refused with 40001 for 2 s",
                "refused with 40001 for 2 s",
            ]
        }),
        (Fault::InternalError, {
            [
                "refused with 90000, 0 made",
                "refused with 90000, 0 made",
                "refused with 90000",
                "refused with 90000",
            ]
        }),
        (Fault::LateInternalError, {
            [
                "refused with 90000, 1 made",
                "refused with 90000, 1 made",
                "refused with 90000",
                "refused with 90000",
            ]
        }),
        (Fault::UnknownErrorCode(-1), {
            ["refused with -1, 0 made", "refused with -1, 0 made", "refused with -1", "refused with -1"]
        }),
        // A code of success, without a success.
        (Fault::UnknownErrorCode(0), {
            [
                "unknown: unreadable: error: an error beside code 0, 0 made",
                "unknown: unreadable: error: an error beside code 0, 0 made",
                "unknown: unreadable: error: an error beside code 0",
                "unknown: unreadable: error: an error beside code 0",
            ]
        }),
        (Fault::ExtraFields, FINE),
        (Fault::OtherIdSpelling, [FINE[0], FINE[1], "20; the fault waits", FINE[3]]),
        (Fault::OldIntent, [FINE[0], FINE[1], "20; the fault waits", "10.0000 at 20; the fault waits"]),
        (Fault::DuplicateKeys, {
            [
                "unknown: unreadable: payload.checkout_url: stands twice, 1 made",
                "unknown: unreadable: payload.checkout_url: stands twice, 1 made",
                "unknown: unreadable: code: stands twice",
                "unknown: unreadable: payload.all_scale_checkout_intent_id: stands twice",
            ]
        }),
        (Fault::StatusAsObject, {
            [
                "20.0000 USDC, 1 made; the fault waits",
                "30.0000 USDT, 1 made; the fault waits",
                "unknown: unreadable: payload: not of the documented type, which is i64",
                "10.0000 at 20; the fault waits",
            ]
        }),
        (Fault::HugeBody(BODY_CAP), FINE),
        (Fault::HugeBody(BODY_CAP + 1), ["unknown, 1 made", "unknown, 1 made", "unknown", "unknown"]),
    ]
}

#[test]
fn every_fault_has_its_outcome() {
    for (fault, expected) in table() {
        assert_eq!(check(&fault), expected, "{fault:?}");
    }
}

#[test]
fn the_table_has_every_fault() {
    // The enum may grow, so no `match` here could tell. The source of the enum can.
    let source = include_str!("../../../checkout-sandbox/src/allscale/fault.rs");
    let (_, variants) = source.split_once("pub enum Fault {\n").unwrap();
    let (variants, _) = variants.split_once("\n}\n").unwrap();
    let variants = variants.lines().filter_map(|line| line.strip_prefix("    "));
    let names = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let name = |text: &str| text.split(['(', '{', ',', ' ']).next().unwrap().to_owned();
    let faults: BTreeSet<_> = names.map(name).collect();
    let rows: BTreeSet<_> = table().iter().map(|(fault, _)| name(&format!("{fault:?}"))).collect();
    assert_eq!(rows, faults);
    assert!(faults.len() >= 21, "{faults:?}");
}

#[test]
fn a_lost_create_may_have_made_an_intent() {
    for (fault, intents) in [(Fault::LostRequest, 0), (Fault::LostAnswer, 1)] {
        let sandbox = sandbox(4);
        sandbox.inject(fault.clone());
        let error = client(&sandbox).create(&fiat(1_000)).send_blocking(&sandbox).unwrap_err();
        let CallErrorKind::NoResponse(transport) = error.kind() else { panic!("{error:?}") };
        assert_eq!(transport.delivery(), Delivery::Unknown, "{fault:?}");
        assert!(error.may_have_been_processed(), "{fault:?}");
        assert_eq!(sandbox.intents().len(), intents, "{fault:?}");
        assert_eq!(error.to_string(), format!("POST /v1/checkout_intents/: {transport}"));
    }
}

#[test]
fn a_create_that_was_not_sent_proves_so() {
    let sandbox = sandbox(4);
    sandbox.inject(Fault::LostBefore);
    let error = client(&sandbox).create(&fiat(1_000)).send_blocking(&sandbox).unwrap_err();
    assert!(!error.may_have_been_processed());
    assert_eq!(error.to_string(), "POST /v1/checkout_intents/: the request was not sent");
    assert_eq!((sandbox.intents().len(), sandbox.requests().len()), (0, 0));
    assert_eq!(error.operation(), Operation::from(Route::Create));
    let CallErrorKind::NotSent(NotSent::Transport(transport)) = error.kind() else { panic!("{error:?}") };
    assert_eq!(transport.delivery(), Delivery::NotSent);
}

#[test]
fn a_swapped_intent_is_noticed_by_its_amount_too() {
    let (sandbox, client, _) = world();
    sandbox.inject(Fault::SwappedIntent);
    let created = client.create(&native(StableCoin::USDT, 2_000)).send_blocking(&sandbox).unwrap();
    let told: Vec<_> = created.differences().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["amount_coins: 20.00 was asked for, and the answer has 10.0000"]);
    assert!(created.payload.checkout_url.as_str().starts_with("https://"));
}

#[test]
fn the_first_accepted_coin_of_a_fiat_price_is_compared() {
    let (sandbox, client, _) = world();
    let create = client.create(&fiat_settled_in(StableCoin::USDC, 3_000));
    let created = create.send_blocking(&sandbox).unwrap().payload;
    assert_eq!(created.stable_coin_type.known(), Some(StableCoin::USDC));
    // The latest other intent is in the other coin.
    let other = client.create(&fiat(1_000)).send_blocking(&sandbox).unwrap();
    assert_eq!(other.payload.stable_coin_type.known(), Some(StableCoin::USDT));
    sandbox.inject(Fault::SwappedIntent);
    assert_eq!(
        differs(&create.send_blocking(&sandbox).unwrap()),
        " with another stable_coin_type and accepted_stable_coins"
    );
}

#[test]
fn an_amount_with_other_decimals_is_the_same_amount() {
    let body = |amount: &str, coin: u8| {
        format!(
            r#"{{"code":0,"payload":{{"checkout_url":"https://c.example/","amount_coins":"{amount}",
            "allscale_checkout_intent_id":"a","stable_coin_type":{coin},"rate":null}}}}"#
        )
    };
    let create = crate::world::client_at(0).create(&native(StableCoin::USDT, 1_050));
    let differing = |amount, coin| {
        let created = create.send_blocking(&crate::world::answering(&body(amount, coin))).unwrap();
        let fields: Vec<_> = created.differences().iter().map(|difference| difference.field()).collect();
        // The page and the id are there, whatever differs.
        assert_eq!(created.payload.intent_id, "a");
        fields
    };
    for amount in ["10.5", "10.50", "10.5000", "10.500000"] {
        assert_eq!(differing(amount, 1), [""; 0], "{amount}");
    }
    for amount in ["10", "10.4999", "10.5001", "105", "1.05", "0", "-10.5"] {
        assert_eq!(differing(amount, 1), ["amount_coins"], "{amount}");
    }
    // Another coin, and a coin that nobody has named yet.
    assert_eq!(differing("10.5", 2), ["stable_coin_type"]);
    assert_eq!(differing("10.5", 200), ["stable_coin_type"]);
    assert_eq!(differing("10", 2), ["amount_coins", "stable_coin_type"]);
}

#[test]
fn a_created_intent_that_cannot_be_read_or_paid_is_an_error_with_the_intent() {
    let check = |field: &str, value: &str| {
        let good = [
            ("checkout_url", r#""https://c.example/1""#),
            ("allscale_checkout_intent_id", r#""65b2""#),
            ("amount_coins", r#""10.5""#),
            ("stable_coin_type", "1"),
            ("accepted_stable_coins", "1"),
        ];
        let fields =
            good.map(|(name, good)| format!(r#""{name}":{}"#, if name == field { value } else { good }));
        let body = format!(r#"{{"code":0,"payload":{{{}}},"request_id":"r"}}"#, fields.join(","));
        let create = crate::world::client_at(0).create(&fiat_settled_in(StableCoin::USDT, 3_000));
        match create.send_blocking(&crate::world::answering(&body)) {
            Ok(created) => {
                let told =
                    created.differences().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                assert!(created.payload.checkout_url.as_str().len() > 8);
                told
            }
            Err(error) => {
                assert!(error.may_have_been_processed());
                assert_eq!(error.body().unwrap(), body.as_bytes());
                format!("not taken for its {}", mismatch(&error).unwrap())
            }
        }
    };
    for (field, good) in [
        ("checkout_url", r#""HTTPS://c.example""#),
        ("checkout_url", r#""https://c.example:8443/a?b=c#d""#),
        ("allscale_checkout_intent_id", r#""../?""#),
        ("amount_coins", r#""0.0001""#),
        ("accepted_stable_coins", "null"),
        // A value that is no mask says nothing.
        ("accepted_stable_coins", "-1"),
        ("accepted_stable_coins", "[1]"),
    ] {
        assert_eq!(check(field, good), "", "{field}: {good}");
    }
    for (field, other, told) in [
        ("amount_coins", r#""0.0000""#, "amount_coins: 0.0000, and there is nothing to pay"),
        ("amount_coins", r#""-0.5""#, "amount_coins: -0.5, and there is nothing to pay"),
        ("stable_coin_type", "2", "stable_coin_type: USDT was asked for, and the answer has USDC"),
        ("stable_coin_type", "11", "stable_coin_type: USDT was asked for, and the answer has the coin 11"),
        ("accepted_stable_coins", "2", "accepted_stable_coins: USDT was asked for, and the answer has USDC"),
        (
            "accepted_stable_coins",
            "3",
            "accepted_stable_coins: USDT was asked for, and the answer has USDT, USDC",
        ),
        (
            "accepted_stable_coins",
            "0",
            "accepted_stable_coins: USDT was asked for, and the answer has the mask 0",
        ),
        (
            "accepted_stable_coins",
            "9223372036854775809",
            "accepted_stable_coins: USDT was asked for, and the answer has the mask 9223372036854775809",
        ),
    ] {
        assert_eq!(check(field, other), told);
    }
    for (field, bad) in [
        ("checkout_url", r#""""#),
        ("checkout_url", r#""http://c.example/1""#),
        ("checkout_url", r#""javascript:alert(1)""#),
        ("checkout_url", r#""//c.example/1""#),
        ("checkout_url", r#""/1""#),
        ("checkout_url", r#""https://""#),
        ("checkout_url", r#"" https://c.example/1""#),
        ("allscale_checkout_intent_id", r#""""#),
        ("allscale_checkout_intent_id", r#""..""#),
        // Characters that no URL has, by RFC 3986; in HTML some of them end an attribute.
        ("checkout_url", r#""https://c.example/\"><script>""#),
        ("checkout_url", r#""https://c.example/<b>""#),
        ("checkout_url", r#""https://c.example/a b""#),
        ("checkout_url", r#""https://c.example/a\u0000""#),
        ("checkout_url", r#""https://c.example/a\n""#),
        ("checkout_url", r#""https://c.example/\\""#),
        ("checkout_url", r#""https://c.example/`""#),
        ("checkout_url", r#""https://c.example/\u202e""#),
    ] {
        assert_eq!(check(field, bad), format!("not taken for its {field}"), "{bad}");
    }
}

/// The codes that the create page lists, typed from the page, and all other codes.
#[test]
fn only_a_code_from_the_route_s_page_proves_that_nothing_was_done() {
    let (sandbox, client, id) = world();
    for code in [10001, 20001, 20002, 30001, 40001, 50002] {
        sandbox.inject(Fault::UnknownErrorCode(code));
        let error = client.create(&fiat(1_000)).send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.code().map(|code| code.value()), Some(code));
        assert_eq!(error.operation(), Operation::from(Route::Create));
        assert!(!error.may_have_been_processed(), "{error}");
    }
    let elsewhere = [50001, 90000, 99999].map(Fault::UnknownErrorCode);
    let unnamed = [-1, 1, 503, 10002, 77_777, i64::MIN, i64::MAX].map(Fault::UnknownErrorCode);
    let others =
        [Fault::InternalError, Fault::LateInternalError, Fault::HtmlBadGateway, Fault::EmptyUnauthorized];
    for fault in elsewhere.into_iter().chain(unnamed).chain(others) {
        sandbox.inject(fault.clone());
        let refused = client.create(&fiat(1_000)).send_blocking(&sandbox).unwrap_err();
        let is_reply =
            matches!(refused.kind(), CallErrorKind::Refused(_) | CallErrorKind::UnexpectedResponse(_));
        assert!(is_reply && refused.may_have_been_processed(), "{fault:?}");
    }
    sandbox.inject(Fault::UnknownErrorCode(50001));
    let gone = client.get(&id).unwrap().send_blocking(&sandbox).unwrap_err();
    assert!(!gone.may_have_been_processed());
    for (fault, may) in [(Fault::LostBefore, false), (Fault::LostRequest, true), (Fault::LostAnswer, true)] {
        sandbox.inject(fault.clone());
        let error = client.create(&fiat(1_000)).send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.may_have_been_processed(), may, "{fault:?}");
    }
}

#[test]
fn an_answer_that_is_not_taken_is_kept_in_the_error() {
    let (sandbox, client, id) = world();
    for fault in [Fault::SwappedIntent, Fault::DuplicateKeys, Fault::Truncated] {
        sandbox.inject(fault.clone());
        let error = client.get(&id).unwrap().send_blocking(&sandbox).unwrap_err();
        assert_eq!(error.body(), Some(sandbox.requests().last().unwrap().answered_body()), "{fault:?}");
    }
    sandbox.inject(Fault::LostAnswer);
    assert_eq!(client.get(&id).unwrap().send_blocking(&sandbox).unwrap_err().body(), None);
}

/// The page and the id are there for every coin and mask in the answer to a create. The answer names the
/// differences beside them.
#[test]
fn a_payable_intent_is_never_hidden() {
    let coins = StableCoin::ROWS;
    for accepted in coins
        .into_iter()
        .map(|coin| vec![coin])
        .chain([vec![StableCoin::USDC, StableCoin::USDT], coins.to_vec()])
    {
        for (fiat, draft) in [
            (false, Draft::coin(StableCoin::USDT, Cents::new(1_000))),
            (true, Draft::fiat(Currency::EUR, Cents::new(1_000))),
        ] {
            let intent = draft.accept(accepted.clone()).check().unwrap();
            let create = crate::world::client_at(0).create(&intent);
            let wanted = accepted.iter().fold(0, |mask, coin| mask | 1_u64 << (coin.value() - 1));
            // The coin of a native price, else the first accepted coin, if that coin is one of the two
            // supported coins.
            let first = accepted.first().filter(|coin| [1, 2].contains(&coin.value()));
            let settles_in = if fiat { first.copied() } else { Some(StableCoin::USDT) };
            for mask in [0, 1, 2, 3, 8, 1_023, u64::MAX] {
                for coin in [1, 2, 4, 200] {
                    let body = format!(
                        r#"{{"code":0,"payload":{{"checkout_url":"https://c.example/1","allscale_checkout_intent_id":"65b2",
                        "amount_coins":"10.0000","stable_coin_type":{coin},"rate":null,"accepted_stable_coins":{mask}}}}}"#
                    );
                    let answer = create.send_blocking(&crate::world::answering(&body)).unwrap();
                    let fields: Vec<_> = answer.differences().iter().map(|it| it.field()).collect();
                    let mut expected = Vec::new();
                    if settles_in.is_some_and(|wanted| i64::from(wanted.value()) != coin) {
                        expected.push("stable_coin_type");
                    }
                    if mask != wanted {
                        expected.push("accepted_stable_coins");
                    }
                    assert_eq!(fields, expected, "{accepted:?} {fiat} {mask} {coin}");
                    let created = answer.payload;
                    assert_eq!(
                        (created.checkout_url.as_str(), &*created.intent_id),
                        ("https://c.example/1", "65b2")
                    );
                }
            }
        }
    }
}
