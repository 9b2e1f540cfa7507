//! The conditions under which an order is settled, typed from the documents as tables, and computed a second
//! way.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use checkout_trust::settlement::{
    Code, Mismatch, NonEmpty, Overpaid, Policy, ReadField, Settlement, Unproven,
};

mod allscale {
    use super::{Overpaid, Policy, ReadField, Settlement};
    use checkout_money::{Cents, CoinAmount};
    use checkout_tables::Environment::{Live, Sandbox};
    use checkout_tables::allscale::{Currency, IntentStatus, StableCoin};
    use checkout_trust::settlement::Read;
    use checkout_trust::settlement::allscale::{Order, OrderPrice};
    use checkout_wire::allscale::{Intent, read};
    use checkout_wire::{Head, Reply};
    use proptest::prelude::*;

    /// Every field that the page lists, with the values of a settled order.
    const WELL: [(&str, &str); 24] = [
        ("all_scale_checkout_intent_id", r#""65b2f3d0d2d9c0a1b2c3d4e5""#),
        ("currency", "1"),
        ("currency_symbol", r#""USD""#),
        ("amount_cents", "1000"),
        ("currency_rate", r#""1.0000""#),
        ("chain_id", "56"),
        ("amount_coins", r#""10.0000""#),
        ("coin_symbol", r#""USDT""#),
        ("coin_contract", r#""0x55d3""#),
        ("status", "20"),
        ("order_id", r#""order_123""#),
        ("order_description", r#""two chairs""#),
        ("user_id", r#""PRIVATE""#),
        ("user_name", r#""PRIVATE""#),
        ("error_message", r#""PRIVATE""#),
        ("tx_hash", r#""PRIVATE""#),
        ("tx_hash_2", r#""PRIVATE""#),
        ("tx_from", r#""PRIVATE""#),
        ("tx_to", r#""0xmerchant""#),
        ("actual_paid_amount", r#""10.0000""#),
        ("service_fee_amount", r#""0.0500""#),
        ("net_income_amount", r#""9.9500""#),
        ("payment_method_type", "1"),
        ("extra", "{}"),
    ];

    /// The values that differ for an order with a price in a coin.
    const COIN_PRICED: [(&str, &str); 4] = [
        ("currency", "null"),
        ("currency_symbol", "null"),
        ("amount_cents", "null"),
        ("currency_rate", "null"),
    ];

    const FIAT: Order<'_> = Order {
        environment: Live,
        id: "order_123",
        intent_id: "65b2f3d0d2d9c0a1b2c3d4e5",
        price: OrderPrice::Fiat {
            currency: Currency::USD,
            amount: Cents::new(1_000),
            owed: CoinAmount::from_cents(Cents::new(1_000)),
            accepted: &[StableCoin::USDT, StableCoin::USDC],
        },
    };

    const COIN: Order<'_> =
        Order { price: OrderPrice::Coin { coin: StableCoin::USDT, amount: Cents::new(1_000) }, ..FIAT };

    /// The intent of a settled order but for these fields.
    fn intent(changes: &[(&str, &str)]) -> Intent<'static> {
        let change = |name| changes.iter().rev().find(|(changed, _)| *changed == name).map(|change| change.1);
        let field = |(name, value)| format!("\"{name}\":{}", change(name).unwrap_or(value));
        assert!(changes.iter().all(|(changed, _)| WELL.iter().any(|(name, _)| name == changed)));
        let body = format!(r#"{{"code":0,"payload":{{{}}}}}"#, WELL.map(field).join(","));
        match read::<Intent<'_>>(&Head::new(200), body.as_bytes()) {
            Ok(Reply::Done(answer)) => answer.payload.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn settlement(order: &Order<'_>, changes: &[(&str, &str)], policy: &Policy) -> Settlement {
        order.settled_by_with(&Read::answer(intent(changes), Live), policy)
    }

    /// The settlement of an intent with these changed fields.
    fn check(order: &Order<'_>, changes: &[(&str, &str)]) -> String {
        settlement(order, changes, &Policy::default()).to_string()
    }

    fn check_coin(changes: &[(&str, &str)]) -> String {
        check(&COIN, &[&COIN_PRICED, changes].concat())
    }

    /// Source: *Get Checkout Intent*: net income is "Calculated as actual_paid_amount - service_fee_amount".
    #[test]
    fn a_net_income_that_is_not_the_payment_less_the_fee_is_remarked_and_unsettles_nothing() {
        let remarks = |changes: &[(&str, &str)]| {
            let settled = settlement(&FIAT, changes, &Policy::default()).settled().unwrap();
            settled.remarks().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for fine in [
            &[][..],
            &[("net_income_amount", r#""9.95""#)],
            &[("service_fee_amount", r#""0""#), ("net_income_amount", r#""10""#)],
            &[("actual_paid_amount", r#""10.5""#), ("net_income_amount", r#""10.45""#)],
            // There is nothing to compare, or the values allow no arithmetic.
            &[("service_fee_amount", "null")],
            &[("net_income_amount", "null"), ("service_fee_amount", r#""9""#)],
            &[("service_fee_amount", "0.30")],
            &[("net_income_amount", r#""about ten""#)],
        ] {
            assert_eq!(remarks(fine), [""; 0], "{fine:?}");
        }
        let less = "net_income_amount is 9.94, and actual_paid_amount less service_fee_amount is 10.0000 less 0.0500";
        assert_eq!(remarks(&[("net_income_amount", r#""9.94""#)]), [less]);
        for wrong in [
            &[("net_income_amount", r#""10.0000""#)][..],
            &[("net_income_amount", r#""9.950001""#)],
            &[("service_fee_amount", r#""-0.0500""#)],
            &[("actual_paid_amount", r#""10.5""#)],
        ] {
            assert_eq!(remarks(wrong).len(), 1, "{wrong:?}");
            assert!(check(&FIAT, wrong).starts_with("settled"), "{wrong:?}");
        }
    }

    /// The create was answered with a coin or an amount that was not requested, and the page was paid: the
    /// order is not settled by that.
    #[test]
    fn a_payment_by_a_differing_answer_to_a_create_settles_no_order() {
        // Priced in USDT, and paid in USDC; the mask of the create's answer allowed either.
        assert!(check_coin(&[("coin_symbol", r#""USDC""#)]).starts_with("not settled: "));
        assert!(
            check_coin(&[("amount_coins", r#""1.0000""#), ("actual_paid_amount", r#""1.0000""#)])
                .starts_with("not settled: ")
        );
        // DAI was accepted alone, and the answer settled in USDT.
        let OrderPrice::Fiat { currency, amount, owed, .. } = FIAT.price else { panic!() };
        let dai = Order {
            price: OrderPrice::Fiat { currency, amount, owed, accepted: &[StableCoin::DAI] },
            ..FIAT
        };
        assert!(check(&dai, &[]).starts_with("not settled: "));
        // Nothing was owed.
        for owed in ["0", "-1"] {
            let owed: CoinAmount = owed.parse().unwrap();
            let free = Order {
                price: OrderPrice::Fiat { currency, amount, owed, accepted: &[StableCoin::USDT] },
                ..FIAT
            };
            let text = format!("\"{owed}\"");
            assert!(!check(&free, &[("amount_coins", &text)]).starts_with("settled"), "{owed}");
            assert!(
                !check(&free, &[("amount_coins", &text), ("actual_paid_amount", &text)])
                    .starts_with("settled")
            );
        }
    }

    /// The fields of the page's table that settle no order.
    #[test]
    fn a_paid_intent_settles_with_any_value_in_the_fields_that_decide_nothing() {
        for field in [
            "currency_rate",
            "chain_id",
            "coin_contract",
            "order_description",
            "user_id",
            "user_name",
            "error_message",
            "tx_hash",
            "tx_hash_2",
            "tx_from",
            "tx_to",
            "service_fee_amount",
            "net_income_amount",
            "payment_method_type",
            "extra",
        ] {
            for value in ["0.30", "7", "null", "true", "{}", "[1.50]", r#""x""#, "1e400"] {
                assert_eq!(check(&FIAT, &[(field, value)]), "settled", "{field}: {value}");
            }
        }
    }

    #[test]
    fn an_intent_that_agrees_in_everything_settles() {
        assert_eq!(check(&FIAT, &[]), "settled");
        assert_eq!(check_coin(&[]), "settled");
    }

    #[test]
    fn confirmed_alone_of_all_statuses_settles() {
        let statuses = [
            (-1, "not settled: failed: error"),
            (-2, "not settled: failed: rejected"),
            (-3, "not settled: failed: underpaid"),
            (-4, "not settled: failed: canceled"),
            (-5, "not settled: failed: expired"),
            (1, "not settled: not final: awaiting payer"),
            (2, "not settled: not final: awaiting payer"),
            (3, "not settled: not final: awaiting payer"),
            (4, "not settled: in review"),
            (5, "not settled: being refunded"),
            (10, "not settled: not final: processing"),
            (20, "settled"),
        ];
        assert!(statuses.iter().map(|row| row.0).eq(IntentStatus::ROWS.map(|row| i64::from(row.value()))));
        for (status, said) in statuses {
            assert_eq!(check(&FIAT, &[("status", &status.to_string())]), said, "{status}");
            assert_eq!(check_coin(&[("status", &status.to_string())]), said, "{status}");
        }
        let unproven = "unproven: the status 6 does not tell how the payment ended";
        assert_eq!(check(&FIAT, &[("status", "6")]), unproven);
        for unnamed in [i64::MIN, -6, 0, 6, 21, i64::MAX] {
            assert!(check(&FIAT, &[("status", &unnamed.to_string())]).starts_with("unproven"), "{unnamed}");
        }
    }

    /// One changed field, and the settlement where the price is in a currency, and in a coin.
    const OTHERWISE: [(&str, &str, &str, &str); 37] = [
        ("all_scale_checkout_intent_id", r#""65b2f3d0d2d9c0a1b2c3d4e6""#, ANOTHER_CHECKOUT, ANOTHER_CHECKOUT),
        ("all_scale_checkout_intent_id", r#""""#, NAMELESS, NAMELESS),
        ("order_id", r#""order_124""#, ANOTHER_ORDER, ANOTHER_ORDER),
        ("order_id", r#""ORDER_123""#, ANOTHER_ORDER, ANOTHER_ORDER),
        ("order_id", r#""order_123 ""#, ANOTHER_ORDER, ANOTHER_ORDER),
        ("order_id", "null", "unproven: order_id is missing", "unproven: order_id is missing"),
        ("order_id", r#""""#, "unproven: order_id is missing", "unproven: order_id is missing"),
        ("currency", "44", "not settled: priced in EUR, which is not the order's currency", PRICED_IN_EUR),
        (
            "currency",
            "1000",
            "not settled: priced in 1000, which is not the order's currency",
            "not settled: priced in 1000, which is not the order's currency",
        ),
        ("currency", "1", "settled", "not settled: priced in USD, which is not the order's currency"),
        ("currency", "null", "unproven: currency is missing", "settled"),
        ("currency_symbol", r#""EUR""#, PRICED_IN_EUR, PRICED_IN_EUR),
        // The form of a symbol is not documented: beside a number that agrees, the symbol must not be another
        // code's.
        (
            "currency_symbol",
            r#""$""#,
            "settled",
            "not settled: priced in $, which is not the order's currency",
        ),
        (
            "currency_symbol",
            r#""\u001b[2J""#,
            "settled",
            r"not settled: priced in \u{1b}[2J, which is not the order's currency",
        ),
        ("currency_symbol", "null", "settled", "settled"),
        ("currency_symbol", r#""""#, "settled", "settled"),
        ("amount_cents", "999", "not settled: priced at 9.99 instead of 10.00", PRICED_AT_9_99),
        ("amount_cents", "1001", "not settled: priced at 10.01 instead of 10.00", PRICED_AT_10_01),
        ("amount_cents", "1000", "settled", "settled"),
        ("amount_cents", "null", "unproven: amount_cents is missing", "settled"),
        ("amount_coins", r#""10.0001""#, OWED_MORE, OWED_MORE),
        ("amount_coins", r#""9.999999""#, OWED_LESS, OWED_LESS),
        ("amount_coins", r#""10""#, "settled", "settled"),
        ("amount_coins", r#""10.0000000000""#, "settled", "settled"),
        ("coin_symbol", r#""USDC""#, "settled", IN_USDC),
        ("coin_symbol", r#""DAI""#, IN_DAI, IN_DAI),
        ("coin_symbol", r#""usdt""#, IN_LOWER_CASE, IN_LOWER_CASE),
        ("coin_symbol", r#""PYUSD""#, IN_PYUSD, IN_PYUSD),
        ("coin_symbol", "null", "unproven: coin_symbol is missing", "unproven: coin_symbol is missing"),
        ("coin_symbol", r#""""#, "unproven: coin_symbol is missing", "unproven: coin_symbol is missing"),
        ("actual_paid_amount", "null", NOTHING_SAID_PAID, NOTHING_SAID_PAID),
        ("actual_paid_amount", r#""9.999999""#, SHORT, SHORT),
        ("actual_paid_amount", r#""0""#, "not settled: underpaid by 10.00 USDT", ALL_SHORT),
        ("actual_paid_amount", r#""-10""#, "not settled: underpaid by 20.00 USDT", TWICE_SHORT),
        ("actual_paid_amount", r#""10.000001""#, OVER, OVER),
        ("actual_paid_amount", r#""10""#, "settled", "settled"),
        ("actual_paid_amount", r#""10.00000000""#, "settled", "settled"),
    ];

    const ANOTHER_CHECKOUT: &str = "not settled: about another checkout";
    const ANOTHER_ORDER: &str = "not settled: about another order";
    const NAMELESS: &str = "unproven: the read names no checkout";
    const PRICED_IN_EUR: &str = "not settled: priced in EUR, which is not the order's currency";
    const PRICED_AT_9_99: &str = "not settled: priced at 9.99 instead of 10.00";
    const PRICED_AT_10_01: &str = "not settled: priced at 10.01 instead of 10.00";
    const OWED_MORE: &str = "not settled: 10.0001 coins are owed instead of 10.00";
    const OWED_LESS: &str = "not settled: 9.999999 coins are owed instead of 10.00";
    const IN_USDC: &str = "not settled: in the coin USDC, which the order does not accept";
    const IN_DAI: &str = "not settled: in the coin DAI, which the order does not accept";
    const IN_PYUSD: &str = "not settled: in the coin PYUSD, which the order does not accept";
    const IN_LOWER_CASE: &str = "not settled: in the coin usdt, which the order does not accept";
    const NOTHING_SAID_PAID: &str = "unproven: actual_paid_amount is missing";
    const SHORT: &str = "not settled: underpaid by 0.000001 USDT";
    const ALL_SHORT: &str = "not settled: underpaid by 10.00 USDT";
    const TWICE_SHORT: &str = "not settled: underpaid by 20.00 USDT";
    const OVER: &str = "settled, overpaid by 0.000001 USDT";

    #[test]
    fn each_differing_field_is_named() {
        for (field, value, fiat, coin) in OTHERWISE {
            assert_eq!(check(&FIAT, &[(field, value)]), fiat, "{field}: {value}");
            assert_eq!(check_coin(&[(field, value)]), coin, "{field}: {value}, priced in a coin");
        }
    }

    #[test]
    fn a_field_outside_the_evidence_changes_nothing() {
        let evidence = [
            "all_scale_checkout_intent_id",
            "currency",
            "currency_symbol",
            "amount_cents",
            "amount_coins",
            "coin_symbol",
            "status",
            "order_id",
            "actual_paid_amount",
        ];
        for (field, _) in WELL.iter().filter(|(field, _)| !evidence.contains(field)) {
            assert_eq!(check(&FIAT, &[(field, "null")]), "settled", "{field}");
            assert_eq!(check_coin(&[(field, "null")]), "settled", "{field}");
        }
        // The amount that is left after the fee is not the amount that the payer has paid.
        assert_eq!(check(&FIAT, &[("net_income_amount", r#""0""#)]), "settled");
    }

    const ALL_WRONG: [(&str, &str); 8] = [
        ("all_scale_checkout_intent_id", r#""x""#),
        ("order_id", r#""y""#),
        ("currency", "44"),
        ("amount_cents", "1"),
        ("amount_coins", r#""0.2""#),
        ("coin_symbol", r#""DAI""#),
        ("status", "4"),
        ("actual_paid_amount", r#""0.2""#),
    ];

    #[test]
    fn all_faults_are_reported_at_once_and_in_order() {
        let settlement = FIAT.settled_by(&Read::answer(intent(&ALL_WRONG), Sandbox));
        assert_eq!(
            settlement.to_string(),
            "not settled: test money for a live order; about another order; about another checkout; priced in EUR, which is \
             not the order's currency; priced at 0.01 instead of 10.00; 0.2 coins are owed instead of 10.00; in the coin DAI, \
             which the order does not accept; in review; underpaid by 9.80"
        );
    }

    #[test]
    fn all_missing_fields_are_reported_at_once_beside_the_faults() {
        let missing = [
            ("all_scale_checkout_intent_id", r#""""#),
            ("order_id", "null"),
            ("currency", "null"),
            ("amount_cents", "null"),
            ("coin_symbol", "null"),
            ("status", "6"),
            ("actual_paid_amount", "null"),
        ];
        let said = "order_id is missing; the read names no checkout; currency is missing; amount_cents is missing; coin_symbol \
                    is missing; the status 6 does not tell how the payment ended; actual_paid_amount is missing";
        assert_eq!(check(&FIAT, &missing), format!("unproven: {said}"));
        let one_wrong = [&missing[..], &[("amount_coins", r#""1""#)]].concat();
        assert_eq!(
            check(&FIAT, &one_wrong),
            format!("not settled: 1 coins are owed instead of 10.00; and unproven: {said}")
        );
    }

    #[test]
    fn a_live_order_is_settled_by_live_money_and_a_test_by_a_test() {
        let matrix = [
            (Live, Live, "settled"),
            (Live, Sandbox, "not settled: test money for a live order"),
            (Sandbox, Live, "not settled: live money for a test order"),
            (Sandbox, Sandbox, "settled"),
        ];
        for (order, client, said) in matrix {
            let order = Order { environment: order, ..FIAT };
            let read = Read::answer(intent(&[]), client);
            assert_eq!(order.settled_by(&read).to_string(), said);
        }
    }

    #[test]
    fn an_overpayment_settles_unless_the_policy_holds_it() {
        let changes = [("actual_paid_amount", r#""10.5""#)];
        let by_default = settlement(&FIAT, &changes, &Policy::default());
        let proof = by_default.settled().unwrap();
        assert_eq!(proof.overpaid_by().unwrap().to_string(), "0.50 USDT");
        assert_eq!((proof.underpaid_by(), proof.unproven()), (None, &[][..]));
        let held = settlement(&FIAT, &changes, &Policy::default().overpaid(Overpaid::Hold));
        assert_eq!(held.to_string(), "not settled: overpaid by 0.50 USDT");
        let exact = settlement(&FIAT, &[], &Policy::default().overpaid(Overpaid::Hold));
        assert_eq!(exact.settled().unwrap().overpaid_by(), None);
    }

    #[test]
    fn an_underpayment_settles_only_within_the_tolerance() {
        let policy = |by: &str| Policy::default().tolerate_underpaid(by.parse().unwrap());
        let check = |paid: &str, by: &str| {
            let paid = format!("\"{paid}\"");
            settlement(&FIAT, &[("actual_paid_amount", &paid)], &policy(by)).to_string()
        };
        assert_eq!(check("9.99", "0.01"), "settled, underpaid by 0.01 USDT, which is tolerated");
        assert_eq!(check("9.990000", "0.0100000"), "settled, underpaid by 0.010000 USDT, which is tolerated");
        assert_eq!(check("9.989999", "0.01"), "not settled: underpaid by 0.010001 USDT");
        assert_eq!(check("9.99", "0"), "not settled: underpaid by 0.01 USDT");
        assert_eq!(check("9.99", "-1"), "not settled: underpaid by 0.01 USDT");
        assert_eq!(check("10", "-1"), "settled");
        // No payment settles under any tolerance.
        assert_eq!(check("0", "10"), "not settled: underpaid by 10.00 USDT");
        assert_eq!(check("0.0000", "1000"), "not settled: underpaid by 10.0000 USDT");
        assert_eq!(check("-0.01", "1000"), "not settled: underpaid by 10.01 USDT");
        assert_eq!(check("0.01", "1000"), "settled, underpaid by 9.99 USDT, which is tolerated");
        // An intent that AllScale calls underpaid has failed, under every tolerance.
        let failed = [("actual_paid_amount", r#""9.99""#), ("status", "-3")];
        assert_eq!(settlement(&FIAT, &failed, &policy("1")).to_string(), "not settled: failed: underpaid");
    }

    #[test]
    fn missing_fields_are_accepted_field_by_field_and_reported() {
        let policy = Policy::default().accept_missing(ReadField::ActualPaidAmount);
        let settlement_of = |changes: &[(&str, &str)]| settlement(&FIAT, changes, &policy).to_string();
        let unpaid = ("actual_paid_amount", "null");
        assert_eq!(settlement_of(&[]), "settled");
        assert_eq!(settlement_of(&[unpaid]), "settled, although actual_paid_amount is missing");
        assert_eq!(settlement_of(&[unpaid, ("coin_symbol", "null")]), "unproven: coin_symbol is missing");
        assert_eq!(settlement_of(&[unpaid, ("status", "10")]), "not settled: not final: processing");
        assert!(settlement_of(&[unpaid, ("status", "6")]).starts_with("unproven: the status 6"));
        assert_eq!(settlement_of(&[("actual_paid_amount", r#""9""#)]), "not settled: underpaid by 1.00 USDT");
        let policy = [ReadField::OrderId, ReadField::Currency, ReadField::AmountCents, ReadField::CoinSymbol]
            .into_iter()
            .fold(policy, Policy::accept_missing);
        let nothing = ["order_id", "currency", "amount_cents", "coin_symbol", "actual_paid_amount"];
        let settlement = settlement(&FIAT, &nothing.map(|field| (field, "null")), &policy);
        assert_eq!(settlement.settled().unwrap().unproven().len(), 5);
    }

    #[test]
    fn an_order_without_a_price_is_settled_by_nothing() {
        let free = |price| {
            check(
                &Order { price, ..FIAT },
                &[("amount_cents", "0"), ("amount_coins", r#""0""#), ("actual_paid_amount", r#""0""#)],
            )
        };
        let fiat = |cents: i64, owed: &str| OrderPrice::Fiat {
            currency: Currency::USD,
            amount: Cents::new(cents),
            owed: owed.parse().unwrap(),
            accepted: &[StableCoin::USDT],
        };
        let unproven = "unproven: the order's own price is not more than zero";
        assert_eq!(free(fiat(0, "0")), unproven);
        assert!(free(fiat(0, "10")).ends_with(&format!("and {unproven}")));
        assert!(free(fiat(-1, "10")).ends_with(&format!("and {unproven}")));
        assert!(free(fiat(1_000, "0.000")).ends_with(&format!("and {unproven}")));
        assert!(free(fiat(1_000, "-1")).ends_with(&format!("and {unproven}")));
        let coin = OrderPrice::Coin { coin: StableCoin::USDT, amount: Cents::ZERO };
        assert!(free(coin).ends_with(&format!("and {unproven}")), "{}", free(coin));
        let OrderPrice::Fiat { currency, amount, owed, .. } = FIAT.price else { panic!() };
        let no_coin = Order { price: OrderPrice::Fiat { currency, amount, owed, accepted: &[] }, ..FIAT };
        assert_eq!(check(&no_coin, &[]), "not settled: in the coin USDT, which the order does not accept");
    }

    #[test]
    fn an_order_without_ids_is_settled_by_nothing() {
        let order = Order { id: "", intent_id: "", ..FIAT };
        assert_eq!(check(&order, &[]), "not settled: about another order; about another checkout");
        let nameless = [("order_id", r#""""#), ("all_scale_checkout_intent_id", r#""""#)];
        assert_eq!(check(&order, &nameless), "unproven: order_id is missing; the read names no checkout");
    }

    #[test]
    fn amounts_at_the_ends_of_the_range_are_compared_or_unproven_and_never_panic() {
        const LARGEST: &str = "79228162514264337593543950335";
        const FINEST: &str = "0.0000000000000000000000000001";
        let check = |owed: &str, paid: &str| {
            let OrderPrice::Fiat { currency, amount, accepted, .. } = FIAT.price else { panic!() };
            let price = OrderPrice::Fiat { currency, amount, owed: owed.parse().unwrap(), accepted };
            let changes =
                [("amount_coins", format!("\"{owed}\"")), ("actual_paid_amount", format!("\"{paid}\""))];
            super::allscale::check(
                &Order { price, ..FIAT },
                &[(changes[0].0, &changes[0].1), (changes[1].0, &changes[1].1)],
            )
        };
        let out_of_range =
            "unproven: the difference between actual_paid_amount and what is owed is out of range";
        assert_eq!(check(LARGEST, LARGEST), "settled");
        assert_eq!(check(FINEST, FINEST), "settled");
        assert_eq!(check("1", "1.0000000000000000000000000000"), "settled");
        assert_eq!(check(LARGEST, "1"), "not settled: underpaid by 79228162514264337593543950334 USDT");
        assert_eq!(check("1", LARGEST), "settled, overpaid by 79228162514264337593543950334 USDT");
        assert_eq!(check(LARGEST, &format!("-{LARGEST}")), out_of_range);
        assert_eq!(check(LARGEST, FINEST), out_of_range);
        assert_eq!(check(FINEST, LARGEST), out_of_range);
        assert_eq!(check(FINEST, "0"), format!("not settled: underpaid by {FINEST} USDT"));
    }

    #[test]
    fn nothing_of_the_payer_and_no_id_is_printed() {
        let read = Read::answer(intent(&[]), Live);
        assert!(!format!("{read:?}").contains("PRIVATE"));
        let ids = [("order_id", r#""PRIVATE""#), ("all_scale_checkout_intent_id", r#""PRIVATE""#)];
        let said = settlement(&FIAT, &[&ALL_WRONG[..], &ids].concat(), &Policy::default());
        assert!(!format!("{said:?} {said}").contains("PRIVATE"));
    }

    /// The comparable form of an amount, in whole hundredths of a millionth and by integers alone.
    fn units(amount: &str) -> i128 {
        let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
        format!("{whole}{decimals:0<8}").parse().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn an_order_is_settled_exactly_when_every_condition_holds(
            native in any::<bool>(),
            environments in prop_oneof![6 => Just((Live, Live)), 1 => Just((Sandbox, Sandbox)),
                1 => Just((Live, Sandbox)), 1 => Just((Sandbox, Live))],
            status in prop_oneof![12 => Just(20_i64), 3 => -6_i64..=21],
            order_id in prop_oneof![12 => Just(r#""order_123""#), 1 => Just(r#""o""#), 1 => Just("null")],
            intent_id in prop_oneof![12 => Just(r#""65b2f3d0d2d9c0a1b2c3d4e5""#), 1 => Just(r#""i""#)],
            currency in prop_oneof![8 => Just(None), 1 => Just(Some("1")), 1 => Just(Some("44")), 1 => Just(Some("null"))],
            cents in prop_oneof![8 => Just(None), 1 => Just(Some("1000")), 1 => Just(Some("999")), 1 => Just(Some("null"))],
            coin in prop_oneof![12 => Just(r#""USDT""#), 2 => Just(r#""USDC""#), 1 => Just(r#""DAI""#), 1 => Just("null")],
            owed in prop_oneof![12 => Just("10"), 1 => Just("10.000"), 1 => Just("10.00001")],
            paid in prop_oneof![6 => Just("10.0"), 1 => Just("9.99999999"), 1 => Just("10.00000001"), 1 => Just("9.9"),
                1 => Just("12"), 1 => Just("0")],
            unpaid in prop_oneof![8 => Just(false), 1 => Just(true)],
            hold in any::<bool>(),
            tolerated in prop_oneof![3 => Just("0"), 1 => Just("0.00000001"), 1 => Just("0.1"), 1 => Just("20")],
            accepted in any::<[bool; 2]>(),
        ) {
            let order = Order { environment: environments.0, ..if native { COIN } else { FIAT } };
            let mut changes: Vec<(&str, &str)> = if native { COIN_PRICED.to_vec() } else { Vec::new() };
            let (status_text, owed_text) = (status.to_string(), format!("\"{owed}\""));
            let paid_text = if unpaid { "null".to_owned() } else { format!("\"{paid}\"") };
            changes.extend([("status", &*status_text), ("order_id", order_id),
                ("all_scale_checkout_intent_id", intent_id), ("coin_symbol", coin), ("amount_coins", &owed_text),
                ("actual_paid_amount", &paid_text)]);
            changes.extend(currency.map(|currency| ("currency", currency)));
            // The symbol agrees with the number.
            changes.extend(currency.map(|_| ("currency_symbol", "null")));
            changes.extend(cents.map(|cents| ("amount_cents", cents)));
            let mut policy = Policy::default().tolerate_underpaid(tolerated.parse().unwrap());
            policy = policy.overpaid(if hold { Overpaid::Hold } else { Overpaid::Accept });
            if accepted[0] {
                policy = policy.accept_missing(ReadField::ActualPaidAmount);
            }
            if accepted[1] {
                policy = policy.accept_missing(ReadField::CoinSymbol);
            }

            let (paid, ten) = (units(paid), units("10"));
            let short = ten - paid;
            let enough = match short {
                0 => true,
                short if short < 0 => !hold,
                short => paid > 0 && short <= units(tolerated),
            };
            let conditions = [
                environments.0 == environments.1,
                status == 20,
                order_id == r#""order_123""#,
                intent_id != r#""i""#,
                if native { matches!(currency, None | Some("null")) } else { matches!(currency, None | Some("1")) },
                if native { cents != Some("999") } else { matches!(cents, None | Some("1000")) },
                match coin { "null" => accepted[1], r#""USDC""# => !native, coin => coin == r#""USDT""# },
                units(owed) == ten,
                if unpaid { accepted[0] } else { enough },
            ];
            let read = Read::answer(intent(&changes), environments.1);
            let settlement = order.settled_by_with(&read, &policy);
            prop_assert_eq!(settlement.is_settled(), conditions.iter().all(|holds| *holds), "{}", settlement);
            let proof = settlement.settled();
            let over = proof.as_ref().and_then(|proof| proof.overpaid_by());
            prop_assert_eq!(over.is_some(), proof.is_some() && !unpaid && short < 0);
            let less = proof.as_ref().and_then(|proof| proof.underpaid_by());
            prop_assert_eq!(less.is_some(), proof.is_some() && !unpaid && short > 0);
        }

        #[test]
        fn no_amounts_cause_a_panic_and_fewer_coins_never_settle(
            (owed, owed_scale) in (any::<i128>(), 0_u32..=28),
            (paid, paid_scale) in (any::<i128>(), 0_u32..=28),
            (tolerated, tolerated_scale) in (any::<i128>(), 0_u32..=28),
            shifts in any::<[u8; 3]>(),
            hold in any::<bool>(),
        ) {
            let amount = |mantissa: i128, scale, shift: u8| {
                CoinAmount::new(mantissa >> (32 + u32::from(shift % 96)), scale).unwrap()
            };
            let owed = amount(owed, owed_scale, shifts[0]);
            let paid = amount(paid, paid_scale, shifts[1]);
            let tolerated = amount(tolerated, tolerated_scale, shifts[2]);
            let OrderPrice::Fiat { currency, amount: cents, accepted, .. } = FIAT.price else { panic!() };
            let order = Order { price: OrderPrice::Fiat { currency, amount: cents, owed, accepted }, ..FIAT };
            let mut intent = intent(&[]);
            (intent.amount_coins, intent.actual_paid_amount) = (owed, Some(paid));
            let read = Read::answer(intent, Live);
            let policy = Policy::default().overpaid(if hold { Overpaid::Hold } else { Overpaid::Accept });
            let settlement = order.settled_by_with(&read, &policy);
            prop_assert!(!settlement.is_settled() || (paid >= owed && owed > CoinAmount::ZERO));
            let _ = order.settled_by_with(&read, &policy.tolerate_underpaid(tolerated)).to_string();
        }
    }
}

mod azotte {
    use super::{Overpaid, Policy, ReadField};
    use checkout_tables::Environment::{self, Live, Sandbox};
    use checkout_tables::Open;
    use checkout_tables::azotte::MessageCode;
    use checkout_trust::settlement::Read;
    use checkout_trust::settlement::azotte::Order;
    use checkout_wire::azotte::read;
    use checkout_wire::{Head, Reply};
    use std::borrow::Cow;

    const ORDER: Order<'_> = Order { environment: Live, tracking_number: "trk_1" };

    /// The settlement of a status with this tracking number (as JSON), this code, and this client.
    fn check_with(
        order: &Order<'_>,
        number: &str,
        code: &str,
        client: Environment,
        policy: &Policy,
    ) -> String {
        let body = format!(
            r#"{{"trackingNumber":{number},"message":"PRIVATE","status":{{"messageCode":"{code}"}}}}"#
        );
        let Ok(Reply::Done(answer)) = read(&Head::new(200), body.as_bytes()) else { panic!("{body}") };
        let read = Read::answer(answer.payload, client);
        assert!(!format!("{read:?}").contains("PRIVATE"));
        order.settled_by_with(&read, policy).to_string()
    }

    fn check(number: &str, code: &str) -> String {
        check_with(&ORDER, number, code, Live, &Policy::default())
    }

    #[test]
    fn done_alone_of_all_codes_settles() {
        let codes = [
            ("CHECK_OUT_PROCESSING", "not settled: not final: processing"),
            ("CHECK_OUT_3DS_REQUIRED", "not settled: not final: payer action"),
            ("CHECK_OUT_DONE", "settled"),
            ("CHECK_OUT_FAILED", "not settled: failed: error"),
        ];
        assert_eq!(codes.map(|row| row.0), MessageCode::ROWS.map(|row| row.code()));
        for (code, said) in codes {
            assert_eq!(check(r#""trk_1""#, code), said);
        }
        for unnamed in ["CHECK_OUT_AUTHORIZED", "check_out_done", "CHECK_OUT_DONE ", "DONE"] {
            let said = format!("unproven: the status {unnamed} does not tell how the payment ended");
            assert_eq!(check(r#""trk_1""#, unnamed), said);
        }
        // An error in the place of a code is no answer, and would say nothing otherwise.
        let body = br#"{"trackingNumber":"trk_1","status":{"messageCode":"CHECK_OUT_DONE"}}"#;
        let Ok(Reply::Done(mut answer)) = read(&Head::new(200), body) else { panic!() };
        answer.payload.status.message_code = Open::from(Cow::from("ORDERED_ITEM_NOT_FOUND"));
        let settlement = ORDER.settled_by(&Read::answer(answer.payload, Live));
        let said = "unproven: the status ORDERED_ITEM_NOT_FOUND does not tell how the payment ended";
        assert_eq!(settlement.to_string(), said);
        let said = r"unproven: the status A\nB does not tell how the payment ended";
        assert_eq!(check(r#""trk_1""#, r"A\nB"), said);
    }

    #[test]
    fn another_tracking_number_or_none_does_not_settle() {
        assert_eq!(check(r#""trk_2""#, "CHECK_OUT_DONE"), "not settled: about another checkout");
        assert_eq!(check(r#""TRK_1""#, "CHECK_OUT_DONE"), "not settled: about another checkout");
        assert_eq!(check("null", "CHECK_OUT_DONE"), "unproven: the read names no checkout");
        assert_eq!(check(r#""""#, "CHECK_OUT_DONE"), "unproven: the read names no checkout");
        let order = Order { tracking_number: "", ..ORDER };
        let check = |number| check_with(&order, number, "CHECK_OUT_DONE", Live, &Policy::default());
        assert_eq!(check(r#""""#), "unproven: the read names no checkout");
        assert_eq!(check(r#""trk_1""#), "not settled: about another checkout");
    }

    #[test]
    fn a_live_order_is_settled_by_live_money_and_a_test_by_a_test() {
        let matrix = [
            (Live, Live, "settled"),
            (Live, Sandbox, "not settled: test money for a live order"),
            (Sandbox, Live, "not settled: live money for a test order"),
            (Sandbox, Sandbox, "settled"),
        ];
        for (environment, client, said) in matrix {
            let order = Order { environment, ..ORDER };
            let policy = Policy::default();
            assert_eq!(check_with(&order, r#""trk_1""#, "CHECK_OUT_DONE", client, &policy), said);
        }
    }

    #[test]
    fn all_faults_are_reported_at_once_and_no_policy_helps() {
        let fields = [ReadField::OrderId, ReadField::CheckoutId, ReadField::Amount, ReadField::PaymentType];
        let lenient =
            fields.into_iter().fold(Policy::default().overpaid(Overpaid::Accept), Policy::accept_missing);
        for policy in [Policy::default(), lenient] {
            assert_eq!(
                check_with(&ORDER, r#""trk_2""#, "CHECK_OUT_FAILED", Sandbox, &policy),
                "not settled: test money for a live order; about another checkout; failed: error"
            );
            assert_eq!(
                check_with(&ORDER, "null", "NEW", Live, &policy),
                "unproven: the read names no checkout; the status NEW does not tell how the payment ended"
            );
        }
    }
}

mod peach {
    use super::{Overpaid, Policy, ReadField, Settlement};
    use checkout_money::Cents;
    use checkout_tables::Environment::{self, Live, Sandbox};
    use checkout_tables::peach::{Currency, PaymentStatus, ResultCode, ResultGroup};
    use checkout_trust::settlement::Read;
    use checkout_trust::settlement::peach::Order;
    use checkout_wire::peach::{Payment, read_payment};
    use checkout_wire::{Head, Reply};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const ORDER: Order<'_> = Order {
        environment: Live,
        merchant_transaction_id: "order_1001",
        checkout_id: Some("c01b"),
        amount: Cents::new(14_99),
        currency: Currency::ZAR,
    };

    const WELL: [(&str, &str); 9] = [
        ("amount", "14.99"),
        ("card.holder", "PRIVATE"),
        ("checkoutId", "c01b"),
        ("currency", "ZAR"),
        ("customer.email", "PRIVATE"),
        ("merchantTransactionId", "order_1001"),
        ("paymentType", "DB"),
        ("result.code", "000.000.000"),
        ("result.description", "PRIVATE"),
    ];

    const ABSENT: &str = "(absent)";

    /// The status of a settled order but for these fields, read in an environment.
    fn payment(changes: &[(&str, &str)], environment: Environment) -> Payment<'static> {
        let change = |name| changes.iter().rev().find(|(changed, _)| *changed == name).map(|change| change.1);
        assert!(changes.iter().all(|(changed, _)| WELL.iter().any(|(name, _)| name == changed)));
        let fields = WELL.map(|(name, value)| (name, change(name).unwrap_or(value)));
        let fields = fields.iter().filter(|(_, value)| *value != ABSENT);
        let json: Vec<String> = fields.map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let body = format!("{{{}}}", json.join(","));
        // In the wrapped shape, since a flat answer that names no checkout can be a refusal.
        let body = format!(r#"{{"status":"none","redirect_url":"","redirect_post_data":{body}}}"#);
        match read_payment(&Head::new(200), body.as_bytes(), environment) {
            Ok(Reply::Done(answer)) => answer.payload.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn settlement(order: &Order<'_>, changes: &[(&str, &str)], policy: &Policy) -> Settlement {
        let environment = order.environment;
        order.settled_by_with(&Read::answer(payment(changes, environment), environment), policy)
    }

    /// The settlement of a status with these changed fields.
    fn check(changes: &[(&str, &str)]) -> String {
        settlement(&ORDER, changes, &Policy::default()).to_string()
    }

    /// Codes, by the published list and by the groups that explain the others.
    const CODES: [(&str, &str); 41] = [
        // The exact list.
        ("000.000.000", "settled"),
        ("000.100.110", TEST),
        ("000.100.111", TEST),
        ("000.100.112", TEST),
        ("000.200.000", PROCESSING),
        ("000.200.100", AWAITING),
        ("000.200.101", PROCESSING),
        ("000.200.199", PROCESSING),
        ("100.396.101", "not settled: failed: canceled"),
        ("100.396.104", "not settled: failed: expired"),
        ("700.400.580", AWAITING),
        // Successes of other operations.
        ("000.000.100", SAYS_NOTHING),
        ("000.100.113", SAYS_NOTHING),
        ("000.100.105", SAYS_NOTHING),
        ("000.300.100", SAYS_NOTHING),
        ("000.310.100", SAYS_NOTHING),
        ("000.400.110", SAYS_NOTHING),
        ("000.400.120", SAYS_NOTHING),
        // The other groups.
        ("000.400.000", "not settled: in review"),
        ("000.400.020", "not settled: in review"),
        ("000.400.100", "not settled: in review"),
        ("000.200.200", PROCESSING),
        ("800.400.500", PROCESSING),
        ("100.400.500", PROCESSING),
        ("000.400.101", AWAITING),
        ("000.400.200", AWAITING),
        ("100.390.112", AWAITING),
        ("800.100.152", AWAITING),
        ("800.700.100", AWAITING),
        ("900.100.300", PROCESSING),
        ("000.400.030", PROCESSING),
        ("800.500.100", PROCESSING),
        ("999.999.999", PROCESSING),
        ("100.395.501", SAYS_NOTHING),
        ("100.396.103", SAYS_NOTHING),
        ("300.100.100", AWAITING),
        ("700.600.100", SAYS_NOTHING),
        ("200.300.404", SAYS_NOTHING),
        ("100.550.300", SAYS_NOTHING),
        ("000.100.200", "not settled: taken back"),
        ("000.100.299", "not settled: taken back"),
    ];

    const TEST: &str = "not settled: test money for a live order";
    const PROCESSING: &str = "not settled: not final: processing";
    const AWAITING: &str = "not settled: not final: awaiting payer";
    const SAYS_NOTHING: &str = "unproven: the status # does not tell how the payment ended";

    #[test]
    fn the_live_success_alone_of_all_codes_settles_a_live_order() {
        for (code, said) in CODES {
            assert_eq!(check(&[("result.code", code)]), said.replace('#', code), "{code}");
        }
        let codes = CODES.map(|(code, _)| ResultCode::parse(code).unwrap());
        let statuses: BTreeSet<_> = codes.iter().filter_map(|code| code.status()).collect();
        let named = PaymentStatus::ROWS.into_iter().filter(|status| *status != PaymentStatus::Authorized);
        assert!(named.eq(statuses), "every status that a code can stand for");
        let groups: BTreeSet<_> = codes.iter().filter_map(|code| code.group()).collect();
        assert!(groups.into_iter().eq(BTreeSet::from(ResultGroup::ROWS)), "every group");
    }

    #[test]
    fn the_tests_successes_settle_an_order_in_the_sandbox_too() {
        let order = Order { environment: Sandbox, ..ORDER };
        for (code, said) in CODES {
            let said = if said == TEST { "settled" } else { said };
            let settlement = settlement(&order, &[("result.code", code)], &Policy::default());
            assert_eq!(settlement.to_string(), said.replace('#', code), "{code}");
        }
    }

    #[test]
    fn no_other_code_of_the_successes_numbers_settles() {
        let order = Order { environment: Sandbox, ..ORDER };
        for second in 0..1_000 {
            for third in [0, 100, 110, 111, 112, 113] {
                let code = format!("000.{second:03}.{third:03}");
                let settled =
                    |order| settlement(order, &[("result.code", &code)], &Policy::default()).is_settled();
                assert_eq!(settled(&ORDER), code == "000.000.000", "{code}");
                let successes = ["000.000.000", "000.100.110", "000.100.111", "000.100.112"];
                assert_eq!(settled(&order), successes.contains(&&*code), "{code}");
            }
        }
    }

    #[test]
    fn a_text_that_is_no_code_says_nothing() {
        for code in ["0.0.0", "000.000.000 ", "success", "000.000.0000", "٠٠٠.٠٠٠.٠٠٠"] {
            let said = check(&[("result.code", code)]);
            assert!(
                said.starts_with("unproven: the status ")
                    && said.ends_with(" does not tell how the payment ended")
            );
        }
        assert_eq!(check(&[("result.code", "")]), "unproven: there is no status");
        assert_eq!(
            check(&[("result.code", r"\u001b[2J")]),
            r"unproven: the status \u{1b}[2J does not tell how the payment ended"
        );
        let long = "0".repeat(1_000);
        assert!(check(&[("result.code", &long)]).len() < 120);
    }

    #[test]
    fn money_of_another_environment_does_not_settle() {
        let (test, live) =
            ("not settled: test money for a live order", "not settled: live money for a test order");
        let matrix = [
            (Live, Live, Live, "settled", test),
            (Live, Live, Sandbox, test, test),
            (Live, Sandbox, Live, test, test),
            (Live, Sandbox, Sandbox, test, test),
            (Sandbox, Live, Live, live, live),
            (Sandbox, Live, Sandbox, live, live),
            (Sandbox, Sandbox, Live, live, live),
            (Sandbox, Sandbox, Sandbox, "settled", "settled"),
        ];
        for (environment, client, read_in, by_success, by_test_success) in matrix {
            let order = Order { environment, ..ORDER };
            for (code, said) in [("000.000.000", by_success), ("000.100.110", by_test_success)] {
                let read = Read::answer(payment(&[("result.code", code)], read_in), client);
                let settlement = order.settled_by(&read);
                assert_eq!(settlement.to_string(), said, "{environment} {client} {read_in} {code}");
            }
        }
    }

    #[test]
    fn an_authorization_is_no_money_and_a_refund_is_another_payment() {
        let check =
            |payment_type: &str, code: &str| check(&[("paymentType", payment_type), ("result.code", code)]);
        assert_eq!(check("DB", "000.000.000"), "settled");
        assert_eq!(check("PA", "000.000.000"), "not settled: authorized only, and not captured");
        assert_eq!(
            check("PA", "000.100.110"),
            "not settled: test money for a live order; authorized only, and not captured"
        );
        assert_eq!(
            check("PA", "000.200.000"),
            "not settled: not final: processing; of the payment type PA instead of DB"
        );
        assert_eq!(
            check("PA", "100.396.101"),
            "not settled: failed: canceled; of the payment type PA instead of DB"
        );
        for other in ["RF", "CD", "CP", "RV", "CB", "db", "DB ", "DB.RF"] {
            let said = format!("not settled: of the payment type {other} instead of DB");
            assert_eq!(check(other, "000.000.000"), said);
        }
        assert_eq!(
            check("RF", "000.200.000"),
            "not settled: not final: processing; of the payment type RF instead of DB"
        );
        assert_eq!(check("", "000.000.000"), "unproven: paymentType is missing");
        assert_eq!(check(ABSENT, "000.000.000"), "unproven: paymentType is missing");
    }

    #[test]
    fn each_differing_field_is_named() {
        let otherwise = [
            ("merchantTransactionId", "order_1002", "not settled: about another order"),
            ("merchantTransactionId", "ORDER_1001", "not settled: about another order"),
            ("merchantTransactionId", "", "unproven: merchantTransactionId is missing"),
            ("merchantTransactionId", ABSENT, "unproven: merchantTransactionId is missing"),
            ("checkoutId", "c01c", "not settled: about another checkout"),
            ("checkoutId", "", "unproven: checkoutId is missing"),
            ("checkoutId", ABSENT, "unproven: checkoutId is missing"),
            ("currency", "USD", "not settled: priced in USD, which is not the order's currency"),
            ("currency", "zar", "not settled: priced in zar, which is not the order's currency"),
            ("currency", "XTS", "not settled: priced in XTS, which is not the order's currency"),
            ("currency", "", "unproven: currency is missing"),
            ("currency", ABSENT, "unproven: currency is missing"),
            ("amount", "14.98", "not settled: underpaid by 0.01 ZAR"),
            ("amount", "14.9899999999", "not settled: underpaid by 0.0000000001 ZAR"),
            ("amount", "0.00", "not settled: underpaid by 14.99 ZAR"),
            ("amount", "-14.99", "not settled: underpaid by 29.98 ZAR"),
            ("amount", "15", "settled, overpaid by 0.01 ZAR"),
            ("amount", "1499", "settled, overpaid by 1484.01 ZAR"),
            ("amount", "14.990", "settled"),
            ("amount", "014.99", "settled"),
            ("amount", "14,99", "unproven: amount is no amount"),
            ("amount", "14.99 ZAR", "unproven: amount is no amount"),
            ("amount", "1e9", "unproven: amount is no amount"),
            ("amount", "NaN", "unproven: amount is no amount"),
            ("amount", "99999999999999999999999999999999", "unproven: amount is no amount"),
            (
                "amount",
                "79228162514264337593543950335",
                "unproven: the difference between amount and what is owed is out of range",
            ),
            ("amount", "", "unproven: amount is missing"),
            ("amount", ABSENT, "unproven: amount is missing"),
            ("card.holder", ABSENT, "settled"),
            ("customer.email", ABSENT, "settled"),
            ("result.description", ABSENT, "settled"),
        ];
        for (field, value, said) in otherwise {
            assert_eq!(check(&[(field, value)]), said, "{field}: {value}");
        }
    }

    #[test]
    fn a_checkout_id_that_the_order_does_not_know_is_not_compared() {
        let order = Order { checkout_id: None, ..ORDER };
        for id in ["c01b", "another", "", ABSENT] {
            assert!(settlement(&order, &[("checkoutId", id)], &Policy::default()).is_settled());
        }
    }

    #[test]
    fn one_of_two_ids_may_be_accepted_as_missing_and_never_both() {
        let fields = [ReadField::MerchantTransactionId, ReadField::CheckoutId];
        let policy = fields.into_iter().fold(Policy::default(), Policy::accept_missing);
        let without = |ids: &[&'static str], order: &Order<'_>| {
            let changes: Vec<_> = ids.iter().map(|id| (*id, ABSENT)).collect();
            settlement(order, &changes, &policy).to_string()
        };
        let (reference, checkout) = ("merchantTransactionId", "checkoutId");
        assert_eq!(without(&[reference], &ORDER), "settled, although merchantTransactionId is missing");
        assert_eq!(without(&[checkout], &ORDER), "settled, although checkoutId is missing");
        assert_eq!(without(&[reference, checkout], &ORDER), "unproven: the read names no checkout");
        let order = Order { checkout_id: None, ..ORDER };
        assert_eq!(without(&[reference], &order), "unproven: the read names no checkout");
        let nameless = Order { checkout_id: Some(""), merchant_transaction_id: "", ..ORDER };
        assert_eq!(without(&[reference, checkout], &nameless), "unproven: the read names no checkout");
    }

    const ALL_WRONG: [(&str, &str); 6] = [
        ("merchantTransactionId", "PRIVATE"),
        ("checkoutId", "PRIVATE"),
        ("currency", "USD"),
        ("amount", "1.00"),
        ("paymentType", "RF"),
        ("result.code", "100.396.104"),
    ];

    #[test]
    fn all_faults_are_reported_at_once_and_in_order() {
        let read = Read::answer(payment(&ALL_WRONG, Sandbox), Sandbox);
        let settlement = ORDER.settled_by(&read);
        assert_eq!(
            settlement.to_string(),
            "not settled: test money for a live order; about another order; about another checkout; priced in USD, which is \
             not the order's currency; failed: expired; of the payment type RF instead of DB; underpaid by 13.99"
        );
        assert!(!format!("{settlement:?} {settlement}").contains("PRIVATE"));
        assert!(!format!("{:?}", Read::answer(payment(&[], Live), Live)).contains("PRIVATE"));
        let all = WELL.map(|(name, _)| (name, ""));
        assert_eq!(
            check(&all),
            "unproven: the read names no checkout; merchantTransactionId is missing; checkoutId is missing; currency is \
             missing; there is no status; paymentType is missing; amount is missing"
        );
        let free = Order { amount: Cents::ZERO, ..ORDER };
        let settlement = super::peach::settlement(&free, &[("amount", "0.00")], &Policy::default());
        assert_eq!(settlement.to_string(), "unproven: the order's own price is not more than zero");
    }

    #[test]
    fn the_policy_decides_on_more_and_on_less() {
        let said =
            |amount: &str, policy: &Policy| settlement(&ORDER, &[("amount", amount)], policy).to_string();
        let hold = Policy::default().overpaid(Overpaid::Hold);
        assert_eq!(said("15.00", &hold), "not settled: overpaid by 0.01 ZAR");
        assert_eq!(said("14.99", &hold), "settled");
        let tolerant = Policy::default().tolerate_underpaid("0.01".parse().unwrap());
        assert_eq!(said("14.98", &tolerant), "settled, underpaid by 0.01 ZAR, which is tolerated");
        assert_eq!(said("14.97", &tolerant), "not settled: underpaid by 0.02 ZAR");
    }

    /// A status in the wrapped shape.
    fn wrapped(status: &str, fields: &str) -> String {
        let body = format!(
            r#"{{"status":"{status}","timestamp":1200,"redirect_url":"u","redirect_post_data":{fields}}}"#
        );
        let Ok(Reply::Done(answer)) = read_payment(&Head::new(200), body.as_bytes(), Live) else {
            panic!("{body}")
        };
        ORDER.settled_by(&Read::answer(answer.payload, Live)).to_string()
    }

    #[test]
    fn the_word_around_the_fields_settles_nothing() {
        let missing = "the read names no checkout; merchantTransactionId is missing; checkoutId is missing; currency is missing";
        let rest = "paymentType is missing; amount is missing";
        let open = |phase: &str| format!("not settled: not final: {phase}; and unproven: {missing}; {rest}");
        let none = format!("unproven: {missing}; there is no status; {rest}");
        let words = [
            ("created", open("awaiting payer")),
            ("pending", open("processing")),
            ("successful", none.clone()),
            ("cancelled", none.clone()),
            ("uncertain", none.clone()),
            ("something", none),
        ];
        for (word, said) in words {
            assert_eq!(wrapped(word, "null"), said, "{word}");
        }
        let fields = r#"{"amount":"14.99","checkoutId":"c01b","currency":"ZAR","merchantTransactionId":"order_1001",
            "paymentType":"DB","result.code":"000.000.000"}"#;
        assert_eq!(wrapped("successful", fields), "settled");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn an_order_is_settled_exactly_when_every_condition_holds(
            order_env in prop_oneof![Just(Live), Just(Sandbox)],
            others in prop_oneof![8 => Just(None), 2 => any::<[bool; 2]>().prop_map(Some)],
            code in prop_oneof![4 => Just("000.000.000".to_owned()), 2 => Just("000.100.112".to_owned()),
                1 => "[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}", 1 => (0..CODES.len()).prop_map(|row| CODES[row].0.to_owned())],
            payment_type in prop_oneof![8 => Just("DB"), 1 => Just("PA"), 1 => Just("RF"), 1 => Just("")],
            reference in prop_oneof![8 => Just("order_1001"), 1 => Just("other"), 1 => Just(ABSENT)],
            checkout in prop_oneof![8 => Just("c01b"), 1 => Just("c01c"), 1 => Just(ABSENT)],
            known in any::<bool>(),
            currency in prop_oneof![8 => Just("ZAR"), 1 => Just("USD"), 1 => Just("")],
            (cents, decimals) in (prop_oneof![8 => Just(1_499_i64), 1 => Just(1_498), 1 => Just(1_500), 1 => 0_i64..3_000], 0_usize..4),
            hold in any::<bool>(),
            tolerated in prop_oneof![3 => Just(0_i64), 1 => Just(1), 1 => 0_i64..1_500],
        ) {
            let (client, read_in) = match others {
                None => (order_env, order_env),
                Some([client, read_in]) => {
                    let pick = |live| if live { Live } else { Sandbox };
                    (pick(client), pick(read_in))
                }
            };
            let amount = format!("{}.{:02}{}", cents / 100, cents % 100, "0".repeat(decimals));
            let changes = [("result.code", &*code), ("paymentType", payment_type), ("merchantTransactionId", reference),
                ("checkoutId", checkout), ("currency", currency), ("amount", &*amount)];
            let order = Order { environment: order_env, checkout_id: known.then_some("c01b"), ..ORDER };
            let tolerated_text = format!("{}.{:02}", tolerated / 100, tolerated % 100);
            let policy = Policy::default()
                .overpaid(if hold { Overpaid::Hold } else { Overpaid::Accept })
                .tolerate_underpaid(tolerated_text.parse().unwrap());

            let success = match order_env {
                Live => code == "000.000.000",
                Sandbox => ["000.000.000", "000.100.110", "000.100.111", "000.100.112"].contains(&&*code),
            };
            let conditions = [
                client == order_env && read_in == order_env,
                success && payment_type == "DB",
                reference == "order_1001",
                !known || checkout == "c01b",
                currency == "ZAR",
                cents > 0 && cents >= 1_499 - tolerated && (cents <= 1_499 || !hold),
            ];
            let read = Read::answer(payment(&changes, read_in), client);
            let settlement = order.settled_by_with(&read, &policy);
            prop_assert_eq!(settlement.is_settled(), conditions.iter().all(|holds| *holds), "{}", settlement);
        }

        #[test]
        fn no_texts_settle_or_cause_a_panic(texts in prop::array::uniform6("[^\"\\\\\\x00-\\x1f]{0,50}")) {
            let names = ["amount", "checkoutId", "currency", "merchantTransactionId", "paymentType", "result.code"];
            let changes: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
            let settlement = settlement(&ORDER, &changes, &Policy::default());
            prop_assert!(!settlement.is_settled());
            prop_assert!(!settlement.to_string().chars().any(char::is_control));
        }
    }
}

/// A settlement of this provider, by an order that nothing of the payment settles.
fn azotte_settlement(number: &str, code: &str) -> Settlement {
    use checkout_tables::Environment::Live;
    use checkout_trust::settlement::{Read, azotte::Order};
    let body = format!(r#"{{"trackingNumber":"{number}","status":{{"messageCode":"{code}"}}}}"#);
    let head = checkout_wire::Head::new(200);
    let checkout_wire::Reply::Done(answer) = checkout_wire::azotte::read(&head, body.as_bytes()).unwrap()
    else {
        panic!()
    };
    let order = Order { environment: Live, tracking_number: "t" };
    order.settled_by(&Read::answer(answer.payload, Live))
}

#[test]
fn a_settlement_gives_its_parts() {
    let settled = azotte_settlement("t", "CHECK_OUT_DONE");
    assert!(
        settled.is_settled() && settled.mismatches().next().is_none() && settled.unproven().next().is_none()
    );

    let unproven = azotte_settlement("", "NEW");
    let parts = [Unproven::Nameless, Unproven::NoStatus(Some(Code::of("NEW")))];
    assert!(unproven.unproven().eq(&parts) && unproven.mismatches().next().is_none());
    assert!(!unproven.is_settled() && unproven.clone().settled().is_none());
    let Settlement::Unproven(all) = &unproven else { panic!() };
    assert_eq!((all.first(), all.iter().count()), (&Unproven::Nameless, 2));

    let mismatched = azotte_settlement("u", "NEW");
    assert!(mismatched.mismatches().eq([&Mismatch::AnotherCheckout]));
    assert!(mismatched.unproven().eq(&parts[1..]));
    assert_eq!(
        format!("{mismatched:?}"),
        "Mismatched { mismatches: [AnotherCheckout], unproven: [NoStatus(Some(Code(NEW)))] }"
    );
    let Settlement::Mismatched { mismatches, .. } = &mismatched else { panic!() };
    let first: fn(&NonEmpty<Mismatch>) -> &Mismatch = NonEmpty::first;
    assert_eq!(first(mismatches), &Mismatch::AnotherCheckout);
}

#[test]
fn every_reason_reads_as_a_sentence_part() {
    use checkout_lifecycle::Phase;
    use checkout_money::{Cents, CoinAmount};
    let code = || Code::of("X");
    let reasons = [
        (Mismatch::TestMoney, "test money for a live order"),
        (Mismatch::LiveMoney, "live money for a test order"),
        (Mismatch::AnotherOrder, "about another order"),
        (Mismatch::AnotherCheckout, "about another checkout"),
        (Mismatch::WrongCurrency(code()), "priced in X, which is not the order's currency"),
        (
            Mismatch::WrongPrice { asked: Cents::new(2), found: Cents::new(1) },
            "priced at 0.01 instead of 0.02",
        ),
        (
            Mismatch::WrongOwed { asked: CoinAmount::ZERO, found: CoinAmount::from_cents(Cents::new(1)) },
            "0.01 coins are owed instead of 0",
        ),
        (Mismatch::WrongCoin(code()), "in the coin X, which the order does not accept"),
        (Mismatch::NotFinal(Phase::PayerAction), "not final: payer action"),
        (Mismatch::InReview, "in review"),
        (Mismatch::AuthorizedOnly, "authorized only, and not captured"),
        (Mismatch::Refunding, "being refunded"),
        (Mismatch::Reversed, "taken back"),
        (Mismatch::WrongPaymentType(code()), "of the payment type X instead of DB"),
    ];
    for (reason, said) in reasons {
        assert_eq!(reason.to_string(), said);
    }
}
