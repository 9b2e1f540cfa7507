//! Webhooks that come in, in the examples `receive_axum`, `receive_plain` and `receive_peach`: the goods that
//! leave, the events that are kept for a person, and the answers to the provider.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../examples/receive_peach.rs"]
mod receive_peach;
#[path = "../examples/receiver/mod.rs"]
#[allow(unused_imports, reason = "its day is not played here")]
mod receiver;

use checkout_kit::allscale::webhook::WebhookRequest;
use checkout_sandbox::allscale::Scenario;
use checkout_sandbox::peach;
use receive_peach::notifying::{FORM, Scene};
use receiver::{Delivery, Shop};

const ORDER: &str = "order_1";

fn take(shop: &Shop, delivery: &Delivery) -> u16 {
    let Delivery { path, headers, body } = delivery;
    let request = WebhookRequest { method: "POST", path, query: "", headers, body };
    pollster::block_on(shop.take(shop.receiver.receive(&request, shop.now())))
}

/// A shop that has sold one order, which is paid by now.
fn sold() -> Shop {
    let shop = Shop::open().unwrap();
    shop.sell(ORDER, Scenario::happy()).unwrap();
    shop
}

fn is_held(shop: &Shop) -> bool {
    shop.held().iter().any(|(order, _)| order == ORDER)
}

#[test]
fn a_parcel_leaves_for_a_first_end_of_success_and_every_contradiction_is_for_a_person() {
    each_course(&[2, 6, 10, 20, -1, -5], |course| {
        let shop = sold();
        let intent = shop.intent_of(ORDER).unwrap();
        let mut told = Vec::new();
        for (number, status) in course.iter().enumerate() {
            shop.wait(5);
            shop.read_as(&[*status]);
            told.push(*status);
            let delivery = shop.webhook(&intent, ORDER, &number.to_string()).unwrap();
            let answered = take(&shop, &delivery);
            let first_end = told.iter().find(|status| **status < 0 || **status == 20);
            // A parcel leaves once, and nobody can take the parcel back.
            let leaves = if first_end == Some(&20) { vec![ORDER.to_owned()] } else { vec![] };
            assert_eq!(shop.outbox(), leaves, "{told:?}");
            // (The sandbox reports the money beside every status from 4 on, and beside a refusal.)
            let from_end = told.iter().skip_while(|status| **status >= 0 && **status != 20);
            let spoken_against = from_end.clone().any(|status| *status != 20);
            assert_eq!(is_held(&shop), spoken_against, "{told:?}");
            match first_end {
                None => assert_eq!(answered, 503, "{told:?}"),
                // Nothing reopens a success; so every later status is processed.
                Some(20) => assert_eq!(answered, 200, "{told:?}"),
                Some(_) => {}
            }
            // An event that was not processed is free for the next delivery, and a processed event is not
            // done again.
            if answered == 200 {
                assert_eq!(take(&shop, &delivery), 200, "{told:?}");
            }
        }
    });
}

#[test]
fn an_event_of_an_unwritten_order_is_kept_and_settles_the_order_later() {
    let shop = Shop::open().unwrap();
    let created = shop.create(ORDER, Scenario::happy()).unwrap();
    shop.wait(3_600);
    let delivery = shop.webhook(&created.intent_id, ORDER, "1").unwrap();
    for _ in 0..3 {
        assert_eq!(take(&shop, &delivery), 503);
        assert_eq!(shop.to_match(), [&*created.intent_id]);
    }
    shop.save(ORDER, &created).unwrap();
    assert_eq!((take(&shop, &delivery), take(&shop, &delivery)), (200, 200));
    assert_eq!((shop.outbox(), shop.to_match()), (vec![ORDER.to_owned()], vec![]));
    assert!(!is_held(&shop));
}

#[test]
fn a_success_after_the_order_was_given_up_is_held_by_webhook_and_poll_alike() {
    for polled in [false, true] {
        let shop = Shop::open().unwrap();
        let created = shop.create(ORDER, Scenario::late_success()).unwrap();
        shop.save(ORDER, &created).unwrap();
        shop.wait(40 * 60);
        pollster::block_on(shop.poll(ORDER)).unwrap();
        assert!(!is_held(&shop), "the intent has expired, and no money came");
        shop.wait(3_600);
        if polled {
            pollster::block_on(shop.poll(ORDER)).unwrap();
        }
        assert_eq!(take(&shop, &shop.webhook(&created.intent_id, ORDER, "1").unwrap()), 200);
        assert_eq!(shop.outbox(), Vec::<String>::new());
        assert!(is_held(&shop));
    }
}

#[test]
fn an_event_of_another_intent_never_touches_the_order_that_it_names() {
    let shop = sold();
    let other = shop.create(ORDER, Scenario::happy()).unwrap();
    assert!(shop.save(ORDER, &other).is_err(), "the order has an intent");
    shop.wait(3_600);
    for id in [&*other.intent_id, "65b2f3d0d2d9c0a1b2c3d4e5"] {
        assert_eq!(take(&shop, &shop.webhook(id, ORDER, id).unwrap()), 503);
        assert!(shop.to_match().iter().any(|kept| kept == id));
    }
    assert_eq!((shop.outbox(), is_held(&shop)), (vec![], false));
    // The event of the order's own intent settles the order all the same.
    let own = shop.webhook(&shop.intent_of(ORDER).unwrap(), ORDER, "own").unwrap();
    assert_eq!((take(&shop, &own), shop.outbox()), (200, vec![ORDER.to_owned()]));
}

#[test]
fn an_event_that_names_another_order_holds_the_order_of_its_intent() {
    let shop = sold();
    let event = shop.webhook(&shop.intent_of(ORDER).unwrap(), "order_2", "1").unwrap();
    assert_eq!((take(&shop, &event), shop.outbox(), is_held(&shop)), (200, vec![], true));
}

#[test]
fn an_event_of_a_row_that_is_gone_is_kept_for_a_person() {
    let shop = sold();
    let (intent, event) = (shop.intent_of(ORDER).unwrap(), shop.intent_of(ORDER).unwrap());
    let event = shop.webhook(&event, ORDER, "1").unwrap();
    shop.remove(ORDER);
    assert_eq!((take(&shop, &event), shop.to_match(), shop.outbox()), (503, vec![intent], vec![]));
}

#[test]
fn an_event_whose_read_fails_is_processed_when_it_comes_again() {
    let shop = sold();
    let event = shop.webhook(&shop.intent_of(ORDER).unwrap(), ORDER, "1").unwrap();
    for _ in 0..3 {
        shop.break_the_next_read();
        assert_eq!((take(&shop, &event), shop.outbox()), (503, vec![]));
    }
    assert_eq!((take(&shop, &event), shop.outbox()), (200, vec![ORDER.to_owned()]));
}

#[test]
fn a_parcel_leaves_for_a_peach_checkout_that_first_ends_as_a_success_and_no_event_is_processed_twice() {
    const PENDING: &str = "000.200.000";
    const CANCELLED: &str = "100.396.101";
    const DECLINED: &str = "800.100.151";
    const CHARGED_BACK: &str = "000.100.200";
    each_course(&[PENDING, peach::SUCCESS, CANCELLED, DECLINED, CHARGED_BACK], |course| {
        let mut out = Vec::new();
        let mut scene = Scene::open(&mut out).unwrap();
        let checkout = scene.sell().unwrap();
        let reads = |scene: &Scene<'_>| scene.sandbox.status_requests(peach::ENTITY_ID).len();
        for (number, code) in course.iter().enumerate() {
            let told = &course[..=number];
            let webhook = scene.comes_to(&checkout, code).unwrap();
            let before = reads(&scene);
            let answered = scene.post("", FORM, &webhook).unwrap();
            let is_end = |code: &&&str| [peach::SUCCESS, CANCELLED].contains(*code);
            let first_end = told.iter().find(is_end);
            // A parcel leaves once, and nobody can take the parcel back.
            assert_eq!(scene.outbox().len(), usize::from(first_end == Some(&peach::SUCCESS)), "{told:?}");
            // Another end after the first, or a chargeback, is for a person.
            let mut after = told.iter().skip_while(|code| !is_end(code));
            if after.any(|code| *code == CHARGED_BACK || is_end(&code) && Some(code) != first_end) {
                assert_eq!(scene.held().len(), 1, "{told:?}");
            }
            // An event of a checkout that goes on in order takes no read; every other event takes one read.
            match (*code, first_end) {
                (PENDING, None) => assert_eq!((answered, reads(&scene)), (200, before), "{told:?}"),
                (_, None) => assert_eq!((answered, reads(&scene)), (503, before + 1), "{told:?}"),
                (PENDING | DECLINED, Some(_)) => {}
                (_, Some(_)) => assert_eq!((answered, reads(&scene)), (200, before + 1), "{told:?}"),
            }
            // A processed event is not processed again.
            if answered == 200 {
                let before = reads(&scene);
                assert_eq!(scene.post("", FORM, &webhook).unwrap(), 200, "{told:?}");
                assert_eq!(reads(&scene), before, "{told:?}");
            }
        }
    });
}

/// Every course of three reads, each with one of these results.
fn each_course<T: Copy>(statuses: &[T], mut play: impl FnMut(&[T])) {
    for first in statuses {
        for second in statuses {
            for third in statuses {
                play(&[*first, *second, *third]);
            }
        }
    }
}
