//! V2's access tokens, which a watch asks for.

use crate::world::{Form, end_line, lines, nonces, of_peach};
use checkout_client::{CallErrorKind, Change, End, GiveUpReason, NotSent, RetryAdvice, peach};
use checkout_sandbox::peach::{ENTITY_ID, Fault, Sandbox, Scenario};
use checkout_tables::Environment;
use checkout_tables::peach::Route;
use std::time::Duration;

fn tokens(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path().ends_with("/oauth/token")).count()
}

#[test]
fn a_watch_without_a_token_requests_one_token_for_all_reads() {
    for form in [Form::Async, Form::Local, Form::Blocking, Form::Iterator] {
        let (sandbox, mut watch) = of_peach::watched_by_v2(Scenario::declined_then_paid());
        let (clock, before) = (sandbox.clock().clone(), tokens(&sandbox));
        let begun = clock.now();
        let log = lines(&form.changes(&mut watch, &sandbox, &clock));
        assert_eq!(log.last().unwrap(), "ended: succeeded", "{log:?}");
        assert_eq!(tokens(&sandbox) - before, 1);
        // The token costs the first read no time.
        assert_eq!(sandbox.status_requests(ENTITY_ID)[0].at, begun);
    }
}

#[test]
fn a_token_that_expires_on_the_way_is_followed_by_another() {
    let scenario = Scenario::expired();
    let sandbox =
        Sandbox::builder().seed(7).scenario(scenario).access_tokens_last(Duration::from_secs(300)).build();
    let client = of_peach::v2(&sandbox).build().unwrap();
    client.authenticate_blocking(&sandbox).unwrap();
    let create = client.create(&of_peach::checkout()).unwrap();
    let id = create.send_blocking(&sandbox).unwrap().payload.checkout_id.unwrap();
    let (clock, mut watch) = (sandbox.clock().clone(), client.watch(&id).unwrap());
    let log = lines(&Form::Async.changes(&mut watch, &sandbox, &clock));
    assert_eq!(log.last().unwrap(), "ended: failed: expired");
    assert!(!log.iter().any(|line| line.starts_with('x')), "{log:?}");
    // Half an hour, in pieces of four minutes.
    assert!((6..=9).contains(&tokens(&sandbox)), "{}", tokens(&sandbox));
}

#[test]
fn a_refused_token_is_forgotten_and_another_is_requested() {
    let (sandbox, mut watch) = of_peach::watched_by_v2(Scenario::happy());
    let (clock, before) = (sandbox.clock().clone(), tokens(&sandbox));
    sandbox.inject_on(Route::CheckoutStatus, Fault::EmptyUnauthorized);
    let log = lines(&Form::Blocking.changes(&mut watch, &sandbox, &clock));
    assert!(log[0].starts_with("x ") && log[0].ends_with("HTTP status 401"), "{log:?}");
    assert_eq!(log.last().unwrap(), "ended: succeeded");
    assert_eq!(tokens(&sandbox) - before, 2);
}

#[test]
fn a_watch_whose_token_requests_fail_repeats_them_and_gives_up_at_last() {
    let (sandbox, mut watch) = of_peach::watched_by_v2(Scenario::happy());
    let clock = sandbox.clock().clone();
    sandbox.inject_on(Route::Token, Fault::HtmlBadGateway);
    sandbox.inject_on(Route::Token, Fault::LostAnswer);
    let log = lines(&Form::Async.changes(&mut watch, &sandbox, &clock));
    assert_eq!(log.iter().filter(|line| line.contains("/api/oauth/token")).count(), 2, "{log:?}");
    assert_eq!(log.last().unwrap(), "ended: succeeded");

    // No repeat mends wrong credentials.
    let id = sandbox.checkouts()[0].checkout_id.clone();
    let now = clock.clone();
    let credentials = peach::v2::Credentials {
        client_id: "nobody".into(),
        client_secret: "wrong".into(),
        merchant_id: "nobody".into(),
    };
    let wrong = peach::v2::Client::builder(ENTITY_ID, credentials).environment(Environment::Sandbox);
    let wrong = wrong.referer("https://shop.example").clock(move || now.now());
    let wrong = wrong.nonces(nonces()).build().unwrap();
    let asked = sandbox.status_requests(ENTITY_ID).len();
    let end = wrong.watch(&id).unwrap().end_blocking(&sandbox, |wait| clock.advance(wait));
    let End::GaveUp { gave_up, .. } = end else { panic!("{end:?}") };
    assert_eq!(gave_up.reason, GiveUpReason::Refused);
    assert_eq!(sandbox.status_requests(ENTITY_ID).len(), asked);
}

#[test]
fn a_token_source_of_the_caller_s_is_the_caller_s_to_fill() {
    let (sandbox, _) = of_peach::watched_by_v2(Scenario::happy());
    let (clock, before) = (sandbox.clock().clone(), tokens(&sandbox));
    let empty = of_peach::v2(&sandbox).tokens(|_| None).build().unwrap();
    let mut watch = empty.watch(&sandbox.checkouts()[0].checkout_id).unwrap();
    let change = watch.next_change_blocking(&sandbox, |wait| clock.advance(wait));
    let Change::NotRead { error, again: Some(_) } = change else { panic!("{change:?}") };
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken)), "{error:?}");
    assert_eq!((error.retry(), tokens(&sandbox)), (RetryAdvice::Never, before));
    let end = watch.end_blocking(&sandbox, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "gave up at nothing: Deadline");
}

#[test]
fn a_token_that_arrives_expired_is_not_requested_without_end() {
    use checkout_transport::bytes::Bytes;
    use checkout_transport::{BlockingTransport, Request, Response, TransportError, from_fn_blocking, http};
    let (sandbox, mut watch) = of_peach::watched_by_v2(Scenario::happy());
    let (clock, before) = (sandbox.clock().clone(), tokens(&sandbox));
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let transport = from_fn_blocking(|request: Request| -> Result<Response, TransportError> {
        if !request.uri().path().ends_with("/oauth/token") {
            return sandbox.send_blocking(request);
        }
        assert!(asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 1_000, "the watch never ends");
        // The token is on its way for longer than its life.
        clock.advance(Duration::from_millis(1_500));
        let token = br#"{"access_token":"eyJh","expires_in":"2","token_type":"Bearer"}"#;
        Ok(http::Response::new(Bytes::from_static(token)))
    });
    let change = watch.next_change_blocking(&transport, |wait| clock.advance(wait));
    let Change::NotRead { error, again: Some(_) } = change else { panic!("{change:?}") };
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::AccessTokenExpired)), "{error:?}");
    let end = watch.end_blocking(&transport, |wait| clock.advance(wait));
    assert_eq!(end_line(&end), "gave up at nothing: Deadline");
    // The watch asks for tokens no more often than it would read statuses.
    let asked = asked.into_inner();
    assert!((2..=130).contains(&asked) && tokens(&sandbox) == before, "{asked}");
}
