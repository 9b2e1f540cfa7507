//! The advice to send a call again, the moment, and the way.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{
    Answer, Call, CallError, CallErrorKind, CreateOutcome, NotSent, Operation, Readable, RetryAdvice,
    RetryPolicy, allscale, azotte, peach,
};
use checkout_money::Cents;
use checkout_sandbox::VirtualClock;
use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, Route};
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::{Environment, Repeat};
use checkout_transport::bytes::Bytes;
use checkout_transport::{
    BlockingTransport, Response, Transport, TransportError, from_fn_blocking, from_fn_local, http,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::ready;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const NOW: RetryAdvice = RetryAdvice::After(Duration::ZERO);

const fn after(seconds: u64) -> RetryAdvice {
    RetryAdvice::After(Duration::from_secs(seconds))
}

fn nonces() -> impl checkout_client::NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed) + 1)
}

fn of_allscale() -> (checkout_sandbox::allscale::Sandbox, allscale::Client) {
    use checkout_sandbox::allscale::{Sandbox, Store};
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let sandbox = Sandbox::builder().seed(7).store(Store::new(key.clone())).build();
    let clock = sandbox.clock().clone();
    let builder = allscale::Client::builder(key).clock(move || clock.now());
    (sandbox, builder.nonces(nonces()).build().unwrap())
}

fn create(client: &allscale::Client) -> Call<checkout_wire::allscale::CreatedIntent<'static>> {
    use checkout_validate::allscale::Draft;
    let draft = Draft::fiat(Currency::USD, Cents::new(9_200)).order_id("order_1");
    client.create(&draft.check().unwrap())
}

fn of_azotte() -> (checkout_sandbox::azotte::Sandbox, azotte::Client) {
    use checkout_sandbox::azotte::{API_KEY, Sandbox, X_TN};
    let sandbox = Sandbox::new(7);
    let clock = sandbox.clock().clone();
    let builder = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
    let client = builder.clock(move || clock.now()).build().unwrap();
    (sandbox, client)
}

fn submit(client: &azotte::Client) -> Call<azotte::Submitted<'static>> {
    use checkout_validate::azotte::Draft;
    let draft = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
    let draft = draft.correlation_id("order_1").item("plan_gold").customer_urn("urn:customer:42");
    client.submit(&draft.check().unwrap())
}

fn of_peach() -> (checkout_sandbox::peach::Sandbox, peach::Client, peach::v2::Client) {
    use checkout_sandbox::peach::{
        CLIENT_ID, CLIENT_SECRET, ENTITY_ID, MERCHANT_ID, REFERER, SECRET_TOKEN, Sandbox,
    };
    let sandbox = Sandbox::builder().seed(7).status_limit(None).build();
    let (first, second) = (sandbox.clock().clone(), sandbox.clock().clone());
    let secret = SecretToken::new(SECRET_TOKEN.into()).unwrap();
    let v1 = peach::Client::builder(ENTITY_ID, secret).environment(Environment::Sandbox).referer(REFERER);
    let v1 = v1.clock(move || first.now()).nonces(nonces()).build().unwrap();
    let credentials = peach::v2::Credentials {
        client_id: CLIENT_ID.into(),
        client_secret: CLIENT_SECRET.into(),
        merchant_id: MERCHANT_ID.into(),
    };
    let v2 = peach::v2::Client::builder(ENTITY_ID, credentials).environment(Environment::Sandbox);
    let v2 = v2.referer(REFERER).clock(move || second.now()).nonces(nonces()).build().unwrap();
    (sandbox, v1, v2)
}

fn checkout() -> checkout_validate::peach::InitiateCheckout<'static> {
    use checkout_validate::peach::Draft;
    let draft = Draft::debit(checkout_tables::peach::Currency::ZAR, Cents::new(9_200));
    let draft = draft.entity_id(checkout_sandbox::peach::ENTITY_ID).merchant_transaction_id("order-0001");
    draft.shopper_result_url("https://shop.example/").check().unwrap()
}

/// The outcome of a call of the payload's provider.
type Outcome<T> = Result<Answer<T>, CallError<<T as Readable>::Provider>>;

/// The advice of the error; None for an answer.
fn advice<T: Readable>(outcome: Outcome<T>) -> Option<RetryAdvice> {
    outcome.err().map(|error| error.retry())
}

fn answering(status: u16, headers: &[(&str, &str)], body: &str) -> impl BlockingTransport + use<> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response: Response = response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    from_fn_blocking(move |_| Ok(response.clone()))
}

#[test]
fn an_operation_names_the_read_before_a_repeat() {
    use checkout_tables::{azotte, peach};
    let of = |operation: Operation| (operation.repeat, operation.lookup_key);
    assert_eq!(of(Route::Create.into()), (Repeat::Unsafe, None));
    assert_eq!(of(Route::Status.into()), (Repeat::Safe, None));
    assert_eq!(of(azotte::Route::SubmitCheckout.into()), (Repeat::Keyed, None));
    assert_eq!(of(peach::Route::Initiate.into()), (Repeat::Unsafe, Some("merchantTransactionId")));
    assert_eq!(of(peach::Route::Status.into()), (Repeat::Safe, None));
}

/// The advice for a create and for a status that meet a fault, typed from the pages: a caller may send a
/// create again only if the create was certainly not done.
#[test]
fn every_fault_of_allscale_has_its_advice() {
    use checkout_sandbox::allscale::Fault;
    for (fault, of_create, of_status) in [
        (Fault::LostBefore, Some(NOW), Some(NOW)),
        (Fault::LostRequest, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::LostAnswer, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::Garbage, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::HtmlBadGateway, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::Redirect, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::EmptyUnauthorized, Some(RetryAdvice::Never), Some(RetryAdvice::Never)),
        // The create page lists this code, so nothing was done.
        (Fault::RateLimited, Some(after(2)), Some(after(2))),
        // The pages list these codes for reads alone.
        (Fault::InternalError, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::UnknownErrorCode(99_999), Some(RetryAdvice::Never), Some(NOW)),
        (Fault::UnknownErrorCode(10_001), Some(RetryAdvice::Never), Some(RetryAdvice::Never)),
        (Fault::UnknownErrorCode(60_001), Some(RetryAdvice::Never), Some(RetryAdvice::Never)),
        // The answer stands, and names another intent's amount beside it.
        (Fault::SwappedIntent, None, None),
        (Fault::ExtraFields, None, None),
    ] {
        let (sandbox, client) = of_allscale();
        let created = create(&client).send_blocking(&sandbox).unwrap();
        let status = client.status(&created.payload.intent_id).unwrap();
        sandbox.inject(fault.clone());
        // Another amount, so that the answer about another intent differs.
        use checkout_validate::allscale::Draft;
        let native = Draft::coin(checkout_tables::allscale::StableCoin::USDT, Cents::new(500));
        let native = client.create(&native.check().unwrap());
        assert_eq!(advice(native.send_blocking(&sandbox)), of_create, "{fault:?}");
        sandbox.inject(fault.clone());
        assert_eq!(advice(status.send_blocking(&sandbox)), of_status, "{fault:?}");
    }
}

#[test]
fn every_fault_of_azotte_has_its_advice() {
    use checkout_sandbox::azotte::Fault;
    for (fault, expected) in [
        (Fault::LostBefore, Some(NOW)),
        (Fault::LostAnswer, Some(NOW)),
        // The answer cannot be read, so the answer's `Retry-After` has no say.
        (Fault::Garbage, Some(NOW)),
        (Fault::HtmlBadGateway, Some(NOW)),
        (Fault::EmptyUnauthorized, Some(RetryAdvice::Never)),
        (Fault::RateLimited, Some(after(2))),
        (Fault::InternalError, Some(NOW)),
        (Fault::EmptyProblem, Some(RetryAdvice::Never)),
        (Fault::ExtraFields, None),
    ] {
        let (sandbox, client) = of_azotte();
        sandbox.inject(fault.clone());
        assert_eq!(advice(submit(&client).send_blocking(&sandbox)), expected, "{fault:?}");
    }
}

#[test]
fn every_fault_of_peach_has_its_advice() {
    use checkout_sandbox::peach::Fault;
    let look = Some(RetryAdvice::ReadFirst("merchantTransactionId"));
    for (fault, of_initiate, of_create, of_status) in [
        (Fault::LostBefore, Some(NOW), Some(NOW), Some(NOW)),
        (Fault::LostAnswer, look, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::Garbage, look, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::HtmlBadGateway, look, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::EmptyUnauthorized, look, Some(RetryAdvice::Never), Some(RetryAdvice::Never)),
        // No page says that this refusal proves that nothing was done.
        (Fault::RateLimited, look, Some(RetryAdvice::Never), Some(after(30))),
        (Fault::InternalError, look, Some(RetryAdvice::Never), Some(NOW)),
        // A code of the group "format": the request was not done.
        (
            Fault::Refused("200.300.404".into()),
            Some(RetryAdvice::Never),
            Some(RetryAdvice::Never),
            Some(RetryAdvice::Never),
        ),
        (Fault::Refused("999.999.999".into()), look, Some(RetryAdvice::Never), Some(NOW)),
        (Fault::Refused("900.100.300".into()), look, Some(RetryAdvice::Never), Some(NOW)),
    ] {
        let (sandbox, v1, v2) = of_peach();
        v2.authenticate_blocking(&sandbox).unwrap();
        let initiate = v1.initiate(&checkout()).unwrap();
        initiate.send_blocking(&sandbox).unwrap();
        let create = v2.create(&checkout()).unwrap();
        let status = v1.status(checkout().lookup());
        sandbox.inject(fault.clone());
        assert_eq!(advice(initiate.send_blocking(&sandbox)), of_initiate, "{fault:?}");
        sandbox.inject(fault.clone());
        assert_eq!(advice(create.send_blocking(&sandbox)), of_create, "{fault:?}");
        sandbox.inject(fault.clone());
        assert_eq!(advice(status.send_blocking(&sandbox)), of_status, "{fault:?}");
    }
}

#[test]
fn a_call_that_could_not_be_sent_has_no_advice_to_repeat() {
    let (sandbox, _, v2) = of_peach();
    let error = v2.status("c01b").unwrap().send_blocking(&sandbox).unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::NoAccessToken)), "{error:?}");
    assert_eq!(error.retry(), RetryAdvice::Never);
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let client = allscale::Client::builder(key)
        .nonces(|| "no nonce".to_owned())
        .clock(|| Moment::from_unix_millis(0))
        .build()
        .unwrap();
    assert_eq!(client.ping().send_blocking(&sandbox).unwrap_err().retry(), RetryAdvice::Never);
}

#[test]
fn retry_after_counts_in_seconds_and_as_a_date_beside_every_answer() {
    let (_, client) = of_allscale();
    let status = client.status("65b2").unwrap();
    // The sandbox's clock begins at 21:50:00.
    let date = "Thu, 23 May 2024 21:50:40 GMT";
    for (header, clock, expected) in [
        ("40", None, 40),
        (" 40 ", None, 40),
        (date, None, 40),
        // The wait counts by the provider's clock, which is ten seconds ahead of ours.
        (date, Some("Thu, 23 May 2024 21:50:10 GMT"), 30),
        ("Thu, 23 May 2024 21:49:00 GMT", None, 0),
        ("0", None, 0),
        ("soon", None, 0),
        ("-5", None, 0),
        ("+5", None, 0),
        ("", None, 0),
        ("99999999999999999999999999", None, u64::MAX),
    ] {
        let mut headers = vec![("retry-after", header)];
        headers.extend(clock.map(|clock| ("date", clock)));
        for (http_status, body) in [
            (429, r#"{"code":40001,"payload":null}"#),
            (500, r#"{"code":90000,"payload":null}"#),
            (200, r#"{"code":99999,"payload":null}"#),
            // A code that nobody has named yet.
            (429, r#"{"code":40002,"payload":null}"#),
            (503, r#"{"code":77,"payload":null}"#),
        ] {
            let transport = answering(http_status, &headers, body);
            let advice = advice(status.send_blocking(&transport));
            assert_eq!(advice, Some(after(expected)), "{header} {http_status} {body}");
        }
    }
}

#[test]
fn the_retry_after_of_a_foreign_or_unreadable_response_has_no_say() {
    let (_, client) = of_allscale();
    let status = client.status("65b2").unwrap();
    for header in ["40", "86400", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        for (http_status, body) in [
            (429, "<h1>Too Many Requests</h1>"),
            (503, "<h1>Service Unavailable</h1>"),
            (302, ""),
            (429, ""),
            (200, r#"{"code":0,"payload":"twenty"}"#),
        ] {
            let transport = answering(http_status, &[("retry-after", header)], body);
            assert_eq!(advice(status.send_blocking(&transport)), Some(NOW), "{header} {http_status} {body}");
            // A caller repeats a read within the caller's own budget.
            let mut waits = Vec::new();
            let outcome = status
                .send_blocking_with_retries(&transport, RetryPolicy::default(), |wait| waits.push(wait));
            assert_eq!((advice(outcome), waits.len()), (Some(NOW), 3), "{header} {http_status} {body}");
            assert!(waits.iter().sum::<Duration>() <= Duration::from_secs(30));
        }
    }
    // Nor has a response that is not the API's.
    let other =
        r#"{"code":0,"payload":{"all_scale_checkout_intent_id":"other","status":2,"amount_coins":"9"}}"#;
    let transport = answering(200, &[("retry-after", "86400")], other);
    let error = client.get("65b2").unwrap().send_blocking(&transport).unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::Mismatch(_)), "{error:?}");
    assert_eq!(
        (error.retry(), error.read_outcome()),
        (NOW, checkout_poll::ReadOutcome::Failed { wait: None })
    );
}

#[test]
fn the_wait_until_a_date_counts_from_the_answer_s_own_date() {
    // Our clock stands just before the next second.
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let builder =
        allscale::Client::builder(key).clock(|| Moment::from_unix_millis(1_716_501_000_999)).nonces(nonces());
    let status = builder.build().unwrap().status("65b2").unwrap();
    let date = |clock: &str, until: &str| {
        let headers = [("date", clock), ("retry-after", until)];
        advice(status.send_blocking(&answering(429, &headers, r#"{"code":40001}"#)))
    };
    let day = "Thu, 23 May 2024 21:50";
    for (clock, until, expected) in [("00", "05", 5), ("10", "15", 5), ("15", "10", 0)] {
        let advice = date(&format!("{day}:{clock} GMT"), &format!("{day}:{until} GMT"));
        assert_eq!(advice, Some(after(expected)), "{clock} {until}");
    }
    // A clock that is years behind or ahead changes nothing of the span.
    assert_eq!(date("Sat, 01 Jan 2000 00:00:00 GMT", "Sat, 01 Jan 2000 00:01:00 GMT"), Some(after(60)));
    assert_eq!(date("Fri, 31 Dec 9999 23:59:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"), Some(after(59)));
}

/// Responses that no sandbox gives, to a call of every kind. The oracle is the forbidden case: an unsafe call
/// is sent again, although nothing proves that the first attempt was not processed.
#[test]
fn an_unsafe_call_is_sent_again_only_after_a_refusal_that_proves_nothing_done() {
    let created =
        r#"{"code":0,"payload":{"allscale_checkout_intent_id":"65b2","checkout_url":"https://a/b"}}"#;
    let bodies = [
        "",
        "<h1>Hello</h1>",
        "null",
        "{}",
        "[]",
        created,
        r#"{"code":0}"#,
        r#"{"code":0,"payload":null}"#,
        r#"{"code":40001}"#,
        r#"{"code":40001,"code":0}"#,
        r#"{"code":"40001"}"#,
        r#"{"code":90000}"#,
        r#"{"code":10001}"#,
        r#"{"message":"duplicate nonce"}"#,
        r#"{"result":{"code":"200.300.404","description":"x"}}"#,
        r#"{"result":{"code":"000.000.000","description":"x"}}"#,
        r#"{"result":{"code":"900.100.300","description":"x"}}"#,
        r#"{"title":"Conflict","status":409}"#,
    ];
    let (_, allscale) = of_allscale();
    let (_, azotte) = of_azotte();
    let (sandbox, v1, v2) = of_peach();
    v2.authenticate_blocking(&sandbox).unwrap();
    fn ask<T: Readable>(call: &Call<T>, transport: &impl BlockingTransport) -> (Repeat, Option<RetryAdvice>) {
        (call.repeat(), advice(call.send_blocking(transport)))
    }
    let (mut again, mut asked) = (0, 0);
    for status in
        [200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 418, 422, 425, 429, 500, 501, 503, 504, 599]
    {
        for body in bodies {
            for content_type in ["application/json", "text/html", "application/problem+json"] {
                for wait in [None, Some("0"), Some("9")] {
                    let mut headers = vec![("content-type", content_type)];
                    headers.extend(wait.map(|wait| ("retry-after", wait)));
                    let transport = answering(status, &headers, body);
                    for (repeat, advice) in [
                        ask(&create(&allscale), &transport),
                        ask(&allscale.status("65b2").unwrap(), &transport),
                        ask(&allscale.get("65b2").unwrap(), &transport),
                        ask(&submit(&azotte), &transport),
                        ask(&azotte.status("trk_1").unwrap(), &transport),
                        ask(&v1.initiate(&checkout()).unwrap(), &transport),
                        ask(&v1.status(checkout().lookup()), &transport),
                        ask(&v2.token(), &transport),
                        ask(&v2.create(&checkout()).unwrap(), &transport),
                        ask(&v2.status("c01b").unwrap(), &transport),
                    ] {
                        asked += 1;
                        let Some(RetryAdvice::After(least)) = advice else { continue };
                        // AllScale's limit alone says that nothing was done: by the code, written once and as
                        // a number.
                        let proves = body == r#"{"code":40001}"#;
                        assert!(repeat != Repeat::Unsafe || proves, "{status} {body} {content_type}");
                        again += u32::from(repeat == Repeat::Unsafe);
                        let said = Duration::from_secs(wait.map_or(0, |wait| wait.parse().unwrap()));
                        // A response that is not the API's, or that cannot be read, has no say.
                        let has_said = least == said || least.is_zero();
                        assert!(has_said, "{status} {body} {content_type} {least:?}");
                    }
                }
            }
        }
    }
    assert!(again > 0 && asked == 19 * 18 * 9 * 10, "{again} {asked}");
}

#[test]
fn allscale_s_code_and_not_the_http_status_names_the_refusal() {
    let (_, client) = of_allscale();
    let status = client.status("65b2").unwrap();
    for (http_status, body, expected) in [
        (200, r#"{"code":40001}"#, NOW),
        (200, r#"{"code":90000}"#, NOW),
        (429, r#"{"code":10001}"#, RetryAdvice::Never),
        (500, r#"{"code":50001}"#, RetryAdvice::Never),
        (200, r#"{"code":77}"#, RetryAdvice::Never),
        (408, r#"{"code":77}"#, NOW),
        // Responses that are not the API's: a refusal of access, and failures that may pass.
        (401, "", RetryAdvice::Never),
        (403, "<h1>Forbidden</h1>", RetryAdvice::Never),
        (404, "<h1>Not Found</h1>", NOW),
        (502, "", NOW),
    ] {
        let advice = advice(status.send_blocking(&answering(http_status, &[], body)));
        assert_eq!(advice, Some(expected), "{http_status} {body}");
    }
}

/// The ways to send with retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Async,
    Local,
    Blocking,
}

impl Form {
    const ALL: [Self; 3] = [Self::Async, Self::Local, Self::Blocking];

    /// The last outcome, and the waits.
    fn send<T: Readable, S>(
        self,
        call: &Call<T>,
        sandbox: &S,
        clock: &VirtualClock,
        retries: RetryPolicy,
    ) -> (Outcome<T>, Vec<Duration>)
    where
        S: Transport + BlockingTransport + Clone + 'static,
    {
        let waits = RefCell::new(Vec::new());
        let wait = |wait| {
            waits.borrow_mut().push(wait);
            clock.advance(wait);
        };
        let sleep = |span| {
            wait(span);
            ready(())
        };
        let outcome = match self {
            Self::Async => pollster::block_on(call.send_with_retries(sandbox, retries, sleep)),
            Self::Local => {
                let here = Rc::new(sandbox.clone());
                let local = from_fn_local(move |request| {
                    let here = Rc::clone(&here);
                    async move { Transport::send(&*here, request).await }
                });
                let sent = call.send_with_retries_local(&local, retries, sleep);
                pollster::block_on(sent)
            }
            Self::Blocking => {
                let untyped: &dyn BlockingTransport = sandbox;
                call.send_blocking_with_retries(untyped, retries, wait)
            }
        };
        (outcome, waits.into_inner())
    }
}

#[test]
fn each_attempt_has_a_nonce_a_timestamp_and_a_signature_of_its_own() {
    use checkout_sandbox::allscale::Fault;
    for form in Form::ALL {
        let (sandbox, client) = of_allscale();
        let clock = sandbox.clock().clone();
        for fault in [Fault::LostAnswer, Fault::HtmlBadGateway, Fault::RateLimited] {
            sandbox.inject(fault);
        }
        let (answer, waits) = form.send(&client.ping(), &sandbox, &clock, RetryPolicy::default());
        assert_eq!(answer.unwrap().payload.pong, "ok");
        assert_eq!(waits.len(), 3);
        assert!(waits[2] >= Duration::from_secs(2), "{waits:?}");
        let requests = sandbox.requests();
        assert_eq!(requests.len(), 4);
        let of_each = |name: &str| -> BTreeSet<String> {
            let texts = requests.iter().map(|request| request.headers()[name].to_str().unwrap().to_owned());
            texts.collect()
        };
        assert_eq!((of_each("x-nonce").len(), of_each("x-signature").len()), (4, 4), "{form:?}");
        for request in &requests {
            let timestamp: i64 = request.headers()["x-timestamp"].to_str().unwrap().parse().unwrap();
            assert_eq!(timestamp, request.at().unix_seconds());
        }
        assert!(of_each("x-timestamp").len() > 1);
    }
}

#[test]
fn an_allscale_create_is_never_repeated_after_an_unknown_delivery() {
    use checkout_sandbox::allscale::Fault;
    let unknown = [
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Garbage,
        Fault::Truncated,
        Fault::HtmlBadGateway,
        Fault::InternalError,
        Fault::LateInternalError,
        Fault::DuplicateKeys,
    ];
    for form in Form::ALL {
        for fault in unknown.clone() {
            let (sandbox, client) = of_allscale();
            let clock = sandbox.clock().clone();
            sandbox.inject(fault.clone());
            let (outcome, waits) = form.send(&create(&client), &sandbox, &clock, RetryPolicy::default());
            assert!(waits.is_empty(), "{fault:?}");
            assert_eq!(advice(outcome), Some(RetryAdvice::Never), "{fault:?}");
            assert!(sandbox.requests().len() <= 1 && sandbox.intents().len() <= 1, "{fault:?}");
        }
        // The caller sends again after a request that was not sent, and after a limit: one intent is created.
        let (sandbox, client) = of_allscale();
        let clock = sandbox.clock().clone();
        sandbox.inject(Fault::LostBefore);
        sandbox.inject(Fault::RateLimited);
        let (created, waits) = form.send(&create(&client), &sandbox, &clock, RetryPolicy::default());
        assert!(created.is_ok());
        assert_eq!((waits.len(), sandbox.intents().len()), (2, 1));
    }
}

#[test]
fn an_azotte_submit_whose_answers_are_lost_is_charged_once() {
    use checkout_sandbox::azotte::{Fault, Scenario};
    for form in Form::ALL {
        let (sandbox, client) = of_azotte();
        let clock = sandbox.clock().clone();
        sandbox.next_checkout(Scenario::done_at_once());
        for fault in [Fault::LostAnswer, Fault::LateInternalError, Fault::HtmlBadGateway] {
            sandbox.inject(fault);
        }
        let (submitted, waits) = form.send(&submit(&client), &sandbox, &clock, RetryPolicy::default());
        let submitted = submitted.unwrap().payload;
        assert_eq!((sandbox.captures_of("order_1"), sandbox.checkouts().len(), waits.len()), (1, 1, 3));
        assert_eq!(submitted.tracking_number, sandbox.checkouts()[0].tracking_number);
    }
}

/// The first attempt is charged and its answer is lost; the second is refused, or does not leave.
#[test]
fn the_last_attempt_of_a_submit_proves_nothing_of_earlier_attempts() {
    use std::sync::atomic::AtomicUsize;
    for first_leaves in [true, false] {
        for second in [Some(401), Some(403), None] {
            let (sandbox, client) = of_azotte();
            sandbox.next_checkout(checkout_sandbox::azotte::Scenario::done_at_once());
            let (clock, attempts) = (sandbox.clock().clone(), AtomicUsize::new(0));
            let transport = from_fn_blocking(|request| match attempts.fetch_add(1, Ordering::Relaxed) {
                0 if first_leaves => {
                    sandbox.send_blocking(request).unwrap();
                    Err(TransportError::unknown("the answer was lost"))
                }
                0 => Err(TransportError::not_sent("connection refused")),
                _ => match second {
                    Some(status) => Ok(http::Response::builder().status(status).body(Bytes::new()).unwrap()),
                    None => Err(TransportError::not_sent("connection refused")),
                },
            });
            let retries = RetryPolicy::default();
            let sent =
                submit(&client).send_blocking_with_retries(&transport, retries, |wait| clock.advance(wait));
            assert_eq!(sent.as_ref().unwrap_err().may_have_been_processed(), first_leaves, "{second:?}");
            // Under its key, the same submit is safe once the credentials are right again.
            if let (CreateOutcome::SetUp { may_have_been_processed, .. }, Some(_))
            | (CreateOutcome::Repeat { may_have_been_processed, .. }, None) =
                (CreateOutcome::of(sent), second)
            {
                assert_eq!(may_have_been_processed, first_leaves, "{second:?}");
            } else {
                panic!("{second:?}");
            }
            assert_eq!(sandbox.captures_of("order_1") == 1, first_leaves, "{second:?}");
        }
    }
}

#[test]
fn a_peach_initiate_is_read_by_its_id_before_it_is_sent_again() {
    use checkout_sandbox::peach::Fault;
    for form in Form::ALL {
        let (sandbox, client, _) = of_peach();
        let clock = sandbox.clock().clone();
        sandbox.inject(Fault::LostAnswer);
        let initiate = client.initiate(&checkout()).unwrap();
        let (lost, waits) = form.send(&initiate, &sandbox, &clock, RetryPolicy::default());
        assert!(waits.is_empty());
        assert_eq!(lost.unwrap_err().retry(), RetryAdvice::ReadFirst("merchantTransactionId"));
        let (found, _) =
            form.send(&client.status(checkout().lookup()), &sandbox, &clock, RetryPolicy::default());
        assert!(found.is_ok());
        assert_eq!(sandbox.checkouts().len(), 1);
    }
}

#[test]
fn the_last_outcome_is_handed_on_unchanged() {
    use checkout_sandbox::allscale::Fault;
    for form in Form::ALL {
        let (sandbox, client) = of_allscale();
        let clock = sandbox.clock().clone();
        let retries = RetryPolicy::default().attempts(3);
        (0..2).for_each(|_| sandbox.inject(Fault::LostAnswer));
        sandbox.inject(Fault::InternalError);
        let (outcome, waits) = form.send(&client.ping(), &sandbox, &clock, retries);
        let error = outcome.unwrap_err();
        assert_eq!((error.code().unwrap().value(), error.retry(), waits.len()), (90_000, NOW, 2));
        assert_eq!(sandbox.requests().len(), 3);
        // One attempt is enough for a fault that a repeat does not mend.
        let (outcome, waits) = form.send(&client.fail(), &sandbox, &clock, retries);
        assert_eq!((advice(outcome), waits.len()), (Some(RetryAdvice::Never), 0));
        // The caller always makes one attempt.
        let none = RetryPolicy::default().attempts(0);
        let (outcome, _) = form.send(&client.ping(), &sandbox, &clock, none);
        assert!(outcome.is_ok());
    }
}

#[test]
fn a_wait_longer_than_the_budget_ends_the_retries_at_once() {
    let (_, client) = of_allscale();
    let body = r#"{"code":40001,"payload":null}"#;
    for (header, expected) in [("7200", 7_200), ("Thu, 23 May 2024 23:50:00 GMT", 7_200), ("31", 31)] {
        let transport = answering(429, &[("retry-after", header)], body);
        let mut waits = Vec::new();
        let error = client
            .status("65b2")
            .unwrap()
            .send_blocking_with_retries(&transport, RetryPolicy::default(), |wait| waits.push(wait))
            .unwrap_err();
        assert_eq!((error.retry(), waits.len()), (after(expected), 0));
    }
    // Of the waits that fit alone, the caller waits as many as fit together.
    let transport = answering(429, &[("retry-after", "12")], body);
    let mut waits = Vec::new();
    let error = client
        .status("65b2")
        .unwrap()
        .send_blocking_with_retries(&transport, RetryPolicy::default(), |wait| waits.push(wait))
        .unwrap_err();
    assert_eq!((error.retry(), waits.len()), (after(12), 2));
}

#[test]
fn an_unsent_call_is_repeated_until_the_attempts_are_used_up() {
    let (_, client) = of_allscale();
    let tries = AtomicU64::new(0);
    let nowhere = from_fn_blocking(|_| {
        tries.fetch_add(1, Ordering::Relaxed);
        Err(TransportError::not_sent("connection refused"))
    });
    let error =
        create(&client).send_blocking_with_retries(&nowhere, RetryPolicy::default(), |_| ()).unwrap_err();
    assert_eq!((error.retry(), tries.load(Ordering::Relaxed)), (NOW, 4));
}

#[cfg(feature = "tokio")]
#[test]
fn tokio_s_timer_is_a_sleep() {
    use checkout_client::{End, tokio_sleep};
    use checkout_sandbox::allscale::Fault;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let (sandbox, client) = of_allscale();
        sandbox.inject(Fault::RateLimited);
        let begun = tokio::time::Instant::now();
        let answer = client.ping().send_with_retries(&sandbox, RetryPolicy::default(), tokio_sleep).await;
        assert_eq!(answer.unwrap().payload.pong, "ok");
        assert!(begun.elapsed() >= Duration::from_secs(2));
        // The watch uses the client's clock, which moves with tokio's clock here.
        let created = create(&client).send(&sandbox).await.unwrap();
        let mut watch = client.watch(&created.payload.intent_id).unwrap();
        let sleep = |wait| {
            let clock = sandbox.clock().clone();
            async move {
                tokio_sleep(wait).await;
                clock.advance(wait);
            }
        };
        let end = watch.end(&sandbox, sleep).await;
        assert!(matches!(end, End::Ended { .. }), "{end:?}");
    });
}
