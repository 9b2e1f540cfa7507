//! The verdicts of the examples that watch a checkout to its end: `first_payment`, `azotte_payment`,
//! `peach_payment` and `three_providers` share the function under test, for every provider.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../examples/watching/mod.rs"]
#[allow(dead_code, reason = "what begins a checkout is not tried here")]
mod watching;

use checkout_kit::settlement::{Order, allscale, azotte, peach};
use checkout_kit::{BlockingTransport, Cents, Environment, Watch, Watchable};
use checkout_sandbox::VirtualClock;
use std::time::Duration;
use watching::{Checkout, Ending, Shop};

/// The ending, and true if the goods left on the way.
fn settle<E: Watchable>(
    clock: &VirtualClock,
    transport: &dyn BlockingTransport,
    watch: Watch<E>,
    order: &dyn Order<Payload = E>,
) -> (Ending, bool) {
    let mut said = Vec::new();
    let mut shop = Shop::new(clock.clone(), &mut said);
    let (ending, _) = shop.settle(transport, Checkout { watch, order }, &mut |_, _| {});
    (ending, String::from_utf8(said).unwrap().contains("the goods leave"))
}

mod with_allscale {
    use super::{Cents, Duration, Ending, Environment, allscale, settle};
    use checkout_kit::allscale::{Client, Currency, Draft, SigningKey, StableCoin};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};

    /// Reads say these statuses, one status each, and after them CONFIRMED. Returns the statuses that the
    /// reads have said, too.
    fn play(course: &[i64], priced: i64, environment: Environment) -> (Ending, bool, Vec<i64>) {
        let sandbox = Sandbox::new(1);
        sandbox.next_intent(Scenario::custom([(Duration::ZERO, 20)]));
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap())
            .environment(environment)
            .clock(move || clock.now())
            .build()
            .unwrap();
        let draft =
            Draft::fiat(Currency::EUR, Cents::new(4_990)).accept([StableCoin::USDT]).order_id("order_1");
        let created = client.create(&draft.check().unwrap()).send_blocking(&sandbox).unwrap();
        let created = created.payload;
        let order = allscale::Order {
            environment: Environment::Sandbox,
            id: "order_1",
            intent_id: &created.intent_id,
            price: allscale::OrderPrice::Fiat {
                currency: Currency::EUR,
                amount: Cents::new(priced),
                owed: created.amount_coins,
                accepted: &[StableCoin::USDT],
            },
        };
        course.iter().for_each(|status| sandbox.inject(Fault::TamperedStatus(*status)));
        let watch = client.watch(&created.intent_id).unwrap();
        let (ending, left) = settle(sandbox.clock(), &sandbox, watch, &order);
        let told = course.len() - sandbox.faults_waiting();
        (ending, left, [&course[..told], &[20, 20]].concat())
    }

    #[test]
    fn goods_leave_for_two_reads_of_a_first_success_and_a_person_sees_contradictions_alone() {
        const STATUSES: [i64; 5] = [2, 10, 20, -1, -5];
        for first in STATUSES {
            for second in STATUSES {
                for third in STATUSES {
                    let course = [first, second, third];
                    let (ending, left, told) = play(&course, 4_990, Environment::Sandbox);
                    let (before, from) = told.split_at(told.iter().position(|status| *status == 20).unwrap());
                    let no_refusal = before.iter().all(|status| *status >= 0);
                    // AllScale's bare status says the end first, and the whole intent shows it.
                    assert_eq!(left, no_refusal && from[1] == 20, "{course:?}");
                    let clean = no_refusal && from.iter().all(|status| *status == 20);
                    assert_eq!(ending, if clean { Ending::Paid } else { Ending::Look }, "{course:?}");
                }
            }
        }
    }

    #[test]
    fn an_unnamed_status_after_an_end_and_a_read_that_does_not_settle_are_for_a_person() {
        assert_eq!(play(&[20, 6], 4_990, Environment::Sandbox).0, Ending::Look);
        let (ending, left, _) = play(&[], 4_991, Environment::Sandbox);
        assert_eq!((ending, left), (Ending::Look, false), "another price");
        let (ending, left, _) = play(&[], 4_990, Environment::Live);
        assert_eq!((ending, left), (Ending::Look, false), "another environment");
    }
}

#[test]
fn a_checkout_with_azotte_settles_the_order_of_its_number_alone() {
    use checkout_kit::azotte::{Client, Draft, PaymentChannel};
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};

    for (scenario, number, right) in [
        (Scenario::happy(), None, (Ending::Paid, true)),
        (Scenario::three_ds_url(), None, (Ending::Paid, true)),
        (Scenario::happy(), Some("trk_of_another_order"), (Ending::Look, false)),
        (Scenario::failed(), None, (Ending::NotPaid, false)),
        (Scenario::late_success(), None, (Ending::Look, false)),
        (Scenario::never_ends(), None, (Ending::StillOpen, false)),
    ] {
        let sandbox = Sandbox::new(1);
        sandbox.next_checkout(scenario.clone());
        let clock = sandbox.clock().clone();
        let client = Client::builder("acme", X_TN, API_KEY.into())
            .environment(Environment::Sandbox)
            .clock(move || clock.now())
            .build()
            .unwrap();
        let submit = Draft::stored_method(PaymentChannel::CreditCard)
            .offer_identifier("off_1")
            .correlation_id("order_1")
            .item("plan_gold")
            .customer_urn("urn:customer:42")
            .check()
            .unwrap();
        let submitted = client.submit(&submit).send_blocking(&sandbox).unwrap().payload.tracking_number;
        let tracking_number = number.unwrap_or(&submitted);
        let order = azotte::Order { environment: Environment::Sandbox, tracking_number };
        let became = settle(sandbox.clock(), &sandbox, client.watch(&submitted).unwrap(), &order);
        assert_eq!(became, right, "{} {number:?}", scenario.name());
    }
}

#[test]
fn a_checkout_with_peach_settles_the_order_of_its_id_amount_and_currency_alone() {
    use checkout_kit::peach::{Client, Currency, Draft, SecretToken};
    use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};

    let (own, zar) = ((Ending::Paid, true), Currency::ZAR);
    for (scenario, id, amount, currency, right) in [
        (Scenario::happy(), "order_0001", 14_99, zar, own),
        (Scenario::happy(), "order_0002", 14_99, zar, (Ending::Look, false)),
        (Scenario::happy(), "order_0001", 15_00, zar, (Ending::Look, false)),
        (Scenario::happy(), "order_0001", 14_99, Currency::USD, (Ending::Look, false)),
        (Scenario::authorized(), "order_0001", 14_99, zar, (Ending::Look, false)),
        (Scenario::cancelled(), "order_0001", 14_99, zar, (Ending::NotPaid, false)),
        (Scenario::late_success_after_cancelled(), "order_0001", 14_99, zar, (Ending::Look, false)),
        (Scenario::late_success_after_expired(), "order_0001", 14_99, zar, (Ending::Look, false)),
        (Scenario::charged_back(), "order_0001", 14_99, zar, (Ending::Look, true)),
        (Scenario::newer_cancelled_after_success(), "order_0001", 14_99, zar, (Ending::Look, true)),
        (Scenario::older_cancelled_after_success(), "order_0001", 14_99, zar, own),
    ] {
        let sandbox = Sandbox::new(1);
        sandbox.next_checkout(scenario.clone());
        let clock = sandbox.clock().clone();
        let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into()).unwrap())
            .environment(Environment::Sandbox)
            .referer(REFERER)
            .clock(move || clock.now())
            .build()
            .unwrap();
        let initiate = Draft::debit(Currency::ZAR, Cents::new(14_99))
            .entity_id(ENTITY_ID)
            .merchant_transaction_id("order_0001")
            .shopper_result_url("https://shop.example/result")
            .check()
            .unwrap();
        client.initiate(&initiate).unwrap().send_blocking(&sandbox).unwrap();
        let order = peach::Order {
            environment: Environment::Sandbox,
            merchant_transaction_id: id,
            checkout_id: None,
            amount: Cents::new(amount),
            currency,
        };
        let became = settle(sandbox.clock(), &sandbox, client.watch(initiate.lookup()), &order);
        assert_eq!(became, right, "{} {id} {amount} {currency}", scenario.name());
    }
}
