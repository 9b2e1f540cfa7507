//! A status by each of the three ids.

use crate::world::{advance, by, client, initiated, outcome, payment, sandbox};
use checkout_client::peach::Client;
use checkout_sandbox::peach::{Fault, Sandbox, Scenario};
use checkout_validate::peach::{CheckoutId, Lookup, PaymentId};

fn check(sandbox: &Sandbox, client: &Client, lookup: Lookup<'_>) -> String {
    outcome(client.status(lookup).send_blocking(sandbox), payment)
}

/// A sandbox with a checkout that is paid, and its three ids: `checkoutId`, `merchantTransactionId`, `id`.
fn world() -> (Sandbox, Client, [String; 3]) {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let record = initiated(&sandbox, &client, "order-0001");
    advance(&sandbox, 60);
    let read = client.status(by("order-0001")).send_blocking(&sandbox).unwrap().payload;
    assert_eq!(read.checkout_id(), Some(&*record.checkout_id));
    let id = read.id().unwrap().to_owned();
    (sandbox, client, [record.checkout_id, record.merchant_transaction_id, id])
}

fn lookups(ids: &[String; 3]) -> [Lookup<'_>; 3] {
    [CheckoutId::new(&*ids[0]).unwrap().into(), by(&ids[1]), PaymentId::new(&*ids[2]).unwrap().into()]
}

#[test]
fn each_of_the_three_ids_finds_the_checkout_and_no_other() {
    let (sandbox, client, ids) = world();
    for (at, lookup) in lookups(&ids).into_iter().enumerate() {
        assert_eq!(check(&sandbox, &client, lookup.clone()), "Successful 92.00", "{lookup:?}");
        let key = lookup.pair().0;
        // The rightly signed answer about another checkout: made up, or about the merchant's latest other
        // checkout.
        sandbox.inject(Fault::SwappedCheckout);
        let expected = format!("unknown: {key} is not what was asked for");
        assert_eq!(check(&sandbox, &client, lookup.clone()), expected);
        initiated(&sandbox, &client, &format!("order-1{at}"));
        advance(&sandbox, 60);
        sandbox.inject(Fault::SwappedCheckout);
        assert_eq!(check(&sandbox, &client, lookup), expected);
    }
}

#[test]
fn an_id_of_another_kind_certainly_finds_nothing() {
    let (sandbox, client, [checkout_id, transaction_id, id]) = world();
    for ids in [
        [transaction_id.clone(), id.clone(), checkout_id.clone()],
        [id, checkout_id, transaction_id],
        ["nobodys", "nobodys-2", "nobodys"].map(str::to_owned),
    ] {
        for lookup in lookups(&ids) {
            assert_eq!(
                check(&sandbox, &client, lookup.clone()),
                "refused with 400 200.300.404",
                "{lookup:?}"
            );
            let error = client.status(lookup).send_blocking(&sandbox).unwrap_err();
            assert!(!error.may_have_been_processed());
        }
    }
}

#[test]
fn an_end_without_any_id_is_nobody_s() {
    let sandbox = sandbox();
    sandbox.next_checkout(Scenario::cancelled());
    let client = client(&sandbox);
    let record = initiated(&sandbox, &client, "order-0001");
    advance(&sandbox, 120);
    for lookup in [by("order-0001"), CheckoutId::new(record.checkout_id).unwrap().into()] {
        sandbox.inject(Fault::BareResult);
        let expected = format!("unknown: {} is not what was asked for", lookup.pair().0);
        assert_eq!(check(&sandbox, &client, lookup.clone()), expected);
        assert_eq!(check(&sandbox, &client, lookup), "Cancelled 92.00");
    }
}

#[test]
fn a_payment_has_no_id_before_it_is_paid() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    initiated(&sandbox, &client, "order-0001");
    for (seconds, expected) in [(0, None), (10, None), (60, Some(32))] {
        advance(&sandbox, seconds);
        let read = client.status(by("order-0001")).send_blocking(&sandbox).unwrap();
        assert_eq!(read.payload.id().map(str::len), expected);
    }
}

#[test]
fn a_merchant_transaction_id_finds_the_latest_checkout() {
    let (sandbox, client, [first, ..]) = world();
    let second = initiated(&sandbox, &client, "order-0001").checkout_id;
    let read = client.status(by("order-0001")).send_blocking(&sandbox).unwrap().payload;
    assert_eq!(read.checkout_id(), Some(&*second));
    assert_ne!(first, second);
}
