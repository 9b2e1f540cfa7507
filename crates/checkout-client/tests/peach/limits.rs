//! Two statuses a minute, for all checkouts of a merchant together.

use crate::support::asked_wait;
use crate::world::{ENTITY, advance, by, client, initiated, merchant, outcome, payment, sandbox, v2_builder};
use checkout_client::{Answer, RetryAdvice};
use checkout_poll::ReadOutcome;
use checkout_sandbox::peach::{Fault, Sandbox};
use checkout_tables::peach::Route;
use checkout_wire::peach::Payment;
use std::time::Duration;

/// A sandbox that counts.
fn limited() -> Sandbox {
    Sandbox::builder().seed(11).merchant(merchant()).build()
}

#[test]
fn the_third_status_in_a_minute_is_refused_with_a_wait_and_answered_after_the_wait() {
    let sandbox = limited();
    let client = client(&sandbox);
    let limit = Route::Status.rate_limit().unwrap();
    let mut checkouts = Vec::new();
    for at in 0..3 {
        let id = format!("order-000{at}");
        initiated(&sandbox, &client, &id);
        checkouts.push(id);
    }
    advance(&sandbox, 40);
    let ask = |at: usize| client.status(by(&checkouts[at])).send_blocking(&sandbox);
    for at in 0..limit.requests as usize {
        assert_eq!(outcome(ask(at), payment), "Successful 92.00");
        advance(&sandbox, 10);
    }
    let third = ask(2).unwrap_err();
    let wait = asked_wait(&third).unwrap();
    assert_eq!((wait, third.retry()), (Duration::from_secs(40), RetryAdvice::After(wait)));
    assert!(third.may_have_been_processed());
    assert_eq!(outcome(Err::<Answer<Payment<'_>>, _>(third), payment), "refused with 429 for 40 s");
    sandbox.clock().advance(wait);
    assert_eq!(outcome(ask(2), payment), "Successful 92.00");

    let counted: Vec<_> = sandbox.status_requests(ENTITY).iter().map(|request| request.limited).collect();
    assert_eq!(counted, [false, false, true, false]);
}

#[test]
fn one_checkout_that_is_polled_as_advised_never_meets_the_limit() {
    let sandbox = limited();
    let client = client(&sandbox);
    initiated(&sandbox, &client, "order-0001");
    for _ in 0..20 {
        let answer = client.status(by("order-0001")).send_blocking(&sandbox).unwrap();
        assert_eq!(answer.poll_after(), Duration::from_secs(30));
        sandbox.clock().advance(answer.poll_after());
    }
    assert!(sandbox.status_requests(ENTITY).iter().all(|request| !request.limited));
}

#[test]
fn a_retry_after_of_30_s_is_the_wait() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    initiated(&sandbox, &client, "order-0001");
    sandbox.inject(Fault::RateLimited);
    let error = client.status(by("order-0001")).send_blocking(&sandbox).unwrap_err();
    let wait = Duration::from_secs(30);
    assert_eq!((error.http_status(), error.retry()), (Some(429), RetryAdvice::After(wait)));
    assert_eq!(error.read_outcome(), ReadOutcome::Limited { wait: Some(wait) });
}

#[test]
fn both_versions_share_the_limit_and_a_token_does_not_count() {
    let sandbox = limited();
    let (v1, v2) = (client(&sandbox), v2_builder(&sandbox).build().unwrap());
    let id = initiated(&sandbox, &v1, "order-0001").checkout_id;
    v2.authenticate_blocking(&sandbox).unwrap();
    let v2_status = || outcome(v2.status(&id).unwrap().send_blocking(&sandbox), payment);
    assert_eq!(outcome(v1.status(by("order-0001")).send_blocking(&sandbox), payment), "nothing 92.00");
    assert_eq!(v2_status(), "nothing 92.00");
    assert_eq!(v2_status(), "refused with 429 for 60 s");
    assert_eq!(sandbox.status_requests(ENTITY).len(), 3);
}
