//! The money rule: after every fault of every sandbox on every route, is it certain that nothing was done,
//! and may the call be sent again? One picture for each provider in `tests/snapshots`.
//!
//! Each fault stands in a table of its provider's own tests with the outcome and the number of checkouts that
//! were made. This picture pins the two answers on which a second charge hangs: nothing may change here by
//! accident. `INSTA_UPDATE=always cargo test -p checkout-client --all-features --test processed` renews the
//! pictures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{Call, CreateOutcome, Readable, RetryAdvice, allscale, azotte, peach};
use checkout_money::Cents;
use checkout_sandbox::{allscale as play_allscale, azotte as play_azotte, peach as play_peach};
use checkout_tables::allscale::Currency;
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::{Environment, Repeat, peach::Currency as PeachCurrency};
use checkout_transport::{BODY_CAP, BlockingTransport};
use checkout_validate::peach::{InitiateCheckout, MerchantTransactionId};
use checkout_validate::{allscale as draft_allscale, azotte as draft_azotte, peach as draft_peach};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

/// The two answers of one attempt.
fn row<T: Readable>(call: &Call<T>, transport: &impl BlockingTransport) -> String {
    let (processed, retry) = match call.send_blocking(transport) {
        Ok(_) => return "answer".into(),
        Err(error) => (error.may_have_been_processed(), error.retry()),
    };
    let retry = match retry {
        RetryAdvice::After(wait) => format!("after {} ms", wait.as_millis()),
        RetryAdvice::ReadFirst(by) => format!("after a read by {by}"),
        RetryAdvice::Never => "never".into(),
    };
    format!("{}; repeat {retry}", if processed { "may be processed" } else { "not processed" })
}

/// A line for each fault and route, and the assertion that the faults are all that the sandbox's source
/// names.
fn table<F: Debug>(faults: &[F], source: &str, rows: impl Fn(&F) -> Vec<(&'static str, String)>) -> String {
    let named: BTreeSet<_> = faults.iter().map(|fault| variant(&format!("{fault:?}"))).collect();
    assert_eq!(named, faults_in(source));
    let line = |fault| {
        let name = format!("{fault:?}");
        let rows = rows(fault).into_iter().map(|(route, row)| format!("{name:<34} {route:<18} {row}\n"));
        rows.collect::<String>()
    };
    faults.iter().map(line).collect()
}

/// The names of the variants of the enum `Fault` in a source: a `match` on an enum that may grow names them
/// not.
fn faults_in(source: &str) -> BTreeSet<String> {
    let (_, variants) = source.split_once("pub enum Fault {\n").unwrap();
    let (variants, _) = variants.split_once("\n}\n").unwrap();
    let variants = variants.lines().filter_map(|line| line.strip_prefix("    "));
    variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).map(variant).collect()
}

fn variant(text: &str) -> String {
    text.split(['(', '{', ',', ' ']).next().unwrap().to_owned()
}

fn allscale_faults() -> Vec<play_allscale::Fault> {
    use play_allscale::Fault;

    vec![
        Fault::LostBefore,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Slow(Duration::from_secs(90)),
        Fault::Garbage,
        Fault::Truncated,
        Fault::HtmlBadGateway,
        Fault::EmptyUnauthorized,
        Fault::Redirect,
        Fault::SwappedIntent,
        Fault::TamperedAmount,
        Fault::TamperedStatus(-3),
        Fault::RateLimited,
        Fault::InternalError,
        Fault::LateInternalError,
        Fault::UnknownErrorCode(10001),
        Fault::UnknownErrorCode(20002),
        Fault::UnknownErrorCode(30001),
        Fault::UnknownErrorCode(40001),
        Fault::UnknownErrorCode(50001),
        Fault::UnknownErrorCode(90000),
        Fault::UnknownErrorCode(12345),
        Fault::ExtraFields,
        Fault::OtherIdSpelling,
        Fault::OldIntent,
        Fault::AcceptedCoins(3),
        Fault::SettledIn(2),
        Fault::DuplicateKeys,
        Fault::StatusAsObject,
        Fault::HugeBody(BODY_CAP),
        Fault::HugeBody(BODY_CAP + 1),
    ]
}

#[test]
fn allscale_faults_keep_their_verdict_on_every_route() {
    use play_allscale::{Fault, Sandbox, Store};

    let faults = allscale_faults();
    let rows = |fault: &Fault| {
        let world = || {
            let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
            let sandbox = Sandbox::builder().seed(4).store(Store::new(key.clone())).build();
            let clock = sandbox.clock().clone();
            let client = allscale::Client::builder(key).clock(move || clock.now_millis()).nonces(nonces());
            let client = client.build().unwrap();
            let draft = draft_allscale::Draft::fiat(Currency::USD, Cents::new(1_000));
            let intent = draft.check().unwrap();
            let id = client.create(&intent).send_blocking(&sandbox).unwrap().payload.intent_id;
            sandbox.inject(fault.clone());
            (sandbox, client, intent, id)
        };
        let create = {
            let (sandbox, client, intent, _) = world();
            row(&client.create(&intent), &sandbox)
        };
        let get = {
            let (sandbox, client, _, id) = world();
            row(&client.get(&id).unwrap(), &sandbox)
        };
        let status = {
            let (sandbox, client, _, id) = world();
            row(&client.status(&id).unwrap(), &sandbox)
        };
        let ping = {
            let (sandbox, client, ..) = world();
            row(&client.ping(), &sandbox)
        };
        let fail = {
            let (sandbox, client, ..) = world();
            row(&client.fail(), &sandbox)
        };
        vec![("create", create), ("get", get), ("status", status), ("ping", ping), ("fail", fail)]
    };
    let source = include_str!("../../checkout-sandbox/src/allscale/fault.rs");
    insta::assert_snapshot!("processed_allscale", table(&faults, source, rows));
}

fn azotte_faults() -> Vec<play_azotte::Fault> {
    use play_azotte::Fault;

    vec![
        Fault::LostBefore,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Slow(Duration::from_secs(90)),
        Fault::Garbage,
        Fault::Truncated,
        Fault::EmptyBody,
        Fault::WrongContentType,
        Fault::PlainContentType,
        Fault::HtmlBadGateway,
        Fault::Redirect,
        Fault::EmptyUnauthorized,
        Fault::RateLimited,
        Fault::InternalError,
        Fault::LateInternalError,
        Fault::EmptyProblem,
        Fault::UnknownErrorCode("ORDERED_ITEM_NOT_FOUND".into()),
        Fault::UnknownErrorCode("SOMETHING".into()),
        Fault::KeyForgotten,
        Fault::SwappedCheckout,
        Fault::TamperedTracking,
        Fault::MissingTracking,
        Fault::TamperedCode("CHECK_OUT_FAILED".into()),
        Fault::TamperedCode("SOMETHING".into()),
        Fault::NoFollowUp,
        Fault::NoPollingAdvice,
        Fault::ExtraFields,
        Fault::DuplicateKeys,
        Fault::HugeBody(BODY_CAP),
        Fault::HugeBody(BODY_CAP + 1),
    ]
}

#[test]
fn azotte_faults_keep_their_verdict_on_every_route() {
    use play_azotte::{API_KEY, Fault, Sandbox, X_TN};

    let faults = azotte_faults();
    let rows = |fault: &Fault| {
        let submitted = |order: &'static str| {
            let draft =
                draft_azotte::Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
            let draft = draft.correlation_id(order).item("plan_gold").customer_urn("urn:customer:42");
            draft.check().unwrap()
        };
        let world = || {
            let sandbox = Sandbox::new(4);
            let clock = sandbox.clock().clone();
            let client =
                azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
            let client = client.clock(move || clock.now_millis()).build().unwrap();
            client.submit(&submitted("order-0")).send_blocking(&sandbox).unwrap();
            let number = sandbox.checkouts().pop().unwrap().tracking_number;
            sandbox.inject(fault.clone());
            (sandbox, client, number)
        };
        let submit = {
            let (sandbox, client, _) = world();
            row(&client.submit(&submitted("order-1")), &sandbox)
        };
        let again = {
            let (sandbox, client, _) = world();
            row(&client.submit(&submitted("order-0")), &sandbox)
        };
        let status = {
            let (sandbox, client, number) = world();
            row(&client.status(&number).unwrap(), &sandbox)
        };
        vec![("submit", submit), ("submit again", again), ("status", status)]
    };
    let source = include_str!("../../checkout-sandbox/src/azotte/fault.rs");
    insta::assert_snapshot!("processed_azotte", table(&faults, source, rows));
}

fn peach_faults() -> Vec<play_peach::Fault> {
    use play_peach::Fault;

    vec![
        Fault::LostBefore,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Slow(Duration::from_secs(90)),
        Fault::Garbage,
        Fault::Truncated,
        Fault::HtmlBadGateway,
        Fault::EmptyUnauthorized,
        Fault::Redirect,
        Fault::RateLimited,
        Fault::InternalError,
        Fault::LateInternalError,
        Fault::Refused("200.300.404".into()),
        Fault::Refused("000.100.110".into()),
        Fault::Refused("700.400.580".into()),
        Fault::Refused("800.120.100".into()),
        Fault::Refused("123.456.789".into()),
        Fault::DuplicateKeys,
        Fault::HugeBody(BODY_CAP),
        Fault::HugeBody(BODY_CAP + 1),
        Fault::ExtraFields,
        Fault::SwappedCheckout,
        Fault::OtherAmount,
        Fault::TamperedAmount,
        Fault::TamperedCode("000.100.111".into()),
        Fault::TamperedCode("700.400.580".into()),
        Fault::TamperedSignature,
        Fault::Unsigned,
        Fault::ExtraSignedKey,
        Fault::ExtraUnsignedKey,
        Fault::NumbersForTexts,
        Fault::BareResult,
    ]
}

#[test]
fn peach_faults_keep_their_verdict_on_every_route() {
    use play_peach::{Fault, Merchant, Sandbox};

    const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";
    const SECRET: &str = "secret_token";
    let faults = peach_faults();
    let checkout = |order: &'static str| -> InitiateCheckout<'static> {
        let draft = draft_peach::Draft::debit(PeachCurrency::ZAR, Cents::new(9_200)).entity_id(ENTITY);
        let draft = draft.merchant_transaction_id(order).shopper_result_url("https://shop.example/done");
        draft.check().unwrap()
    };
    let sandbox = || {
        let merchant = Merchant::new(ENTITY, SecretToken::new(SECRET.into()).unwrap()).domain("shop.example");
        let merchant = merchant.client("my_client", "client_secret", "my_merchant");
        Sandbox::builder().seed(11).merchant(merchant).status_limit(None).build()
    };
    let rows = |fault: &Fault| {
        let v1 = || {
            let sandbox = sandbox();
            let clock = sandbox.clock().clone();
            let client = peach::Client::builder(ENTITY, SecretToken::new(SECRET.into()).unwrap());
            let client = client.environment(Environment::Sandbox).referer("https://shop.example");
            let client = client.clock(move || clock.now_millis()).nonces(nonces()).build().unwrap();
            let call = client.initiate(&checkout("order-0000")).unwrap();
            call.send_blocking(&sandbox).unwrap();
            sandbox.clock().advance(Duration::from_secs(60));
            sandbox.inject(fault.clone());
            (sandbox, client)
        };
        let v2 = |signed: bool, authenticated: bool| {
            let sandbox = sandbox();
            let clock = sandbox.clock().clone();
            let credentials = peach::v2::Credentials {
                client_id: "my_client".into(),
                client_secret: "client_secret".into(),
                merchant_id: "my_merchant".into(),
            };
            let client = peach::v2::Client::builder(ENTITY, credentials).environment(Environment::Sandbox);
            let client = client.referer("https://shop.example").clock(move || clock.now_millis());
            let client =
                if signed { client.secret_token(SecretToken::new(SECRET.into()).unwrap()) } else { client };
            let client = client.nonces(nonces()).build().unwrap();
            let mut id = String::new();
            if authenticated {
                client.authenticate_blocking(&sandbox).unwrap();
                let call = client.create(&checkout("order-0000")).unwrap();
                call.send_blocking(&sandbox).unwrap();
                id = sandbox.checkouts().pop().unwrap().checkout_id;
            }
            sandbox.clock().advance(Duration::from_secs(60));
            sandbox.inject(fault.clone());
            (sandbox, client, id)
        };
        let initiate = {
            let (sandbox, client) = v1();
            row(&client.initiate(&checkout("order-0001")).unwrap(), &sandbox)
        };
        let again = {
            let (sandbox, client) = v1();
            row(&client.initiate(&checkout("order-0000")).unwrap(), &sandbox)
        };
        let validate = {
            let (sandbox, client) = v1();
            row(&client.validate(&checkout("order-0001")).unwrap(), &sandbox)
        };
        let status = {
            let (sandbox, client) = v1();
            row(&client.status(MerchantTransactionId::new("order-0000").unwrap().into()), &sandbox)
        };
        let token = {
            let (sandbox, client, _) = v2(false, false);
            row(&client.token(), &sandbox)
        };
        let create = {
            let (sandbox, client, _) = v2(false, true);
            row(&client.create(&checkout("order-0001")).unwrap(), &sandbox)
        };
        let v2_status = |signed| {
            let (sandbox, client, id) = v2(signed, true);
            row(&client.status(&id).unwrap(), &sandbox)
        };
        vec![
            ("v1 initiate", initiate),
            ("v1 initiate again", again),
            ("v1 validate", validate),
            ("v1 status", status),
            ("v2 token", token),
            ("v2 create", create),
            ("v2 status", v2_status(false)),
            ("v2 signed status", v2_status(true)),
        ]
    };
    let source = include_str!("../../checkout-sandbox/src/peach/fault.rs");
    insta::assert_snapshot!("processed_peach", table(&faults, source, rows));
}

/// `nonce-1`, `nonce-2`, and so on.
fn nonces() -> impl checkout_client::NonceSource {
    let last = std::sync::atomic::AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1)
}

/// The next step of an order, and the assertion that no step of any create leads to a second checkout.
fn next_step<T: Readable>(
    call: &Call<T>,
    transport: &impl BlockingTransport,
    made: impl Fn() -> usize,
) -> String {
    let before = made();
    let outcome = CreateOutcome::of(call.send_blocking(transport));
    let made = made() - before;
    let keyed = call.repeat() == Repeat::Keyed;
    match outcome {
        CreateOutcome::Created(_) => {
            assert!(made <= 1);
            "created".into()
        }
        CreateOutcome::Repeat { may_have_been_processed, error, .. } => {
            assert!(made == 0 || keyed, "a repeat would make a second checkout: {error}");
            assert!(keyed || !may_have_been_processed, "{error}");
            assert_eq!(may_have_been_processed, error.may_have_been_processed(), "{error}");
            "repeat".into()
        }
        CreateOutcome::SetUp { may_have_been_processed, error } => {
            assert_eq!((made, may_have_been_processed), (0, false), "{error}");
            "set up".into()
        }
        CreateOutcome::LookUp { by, error } => {
            assert!(error.may_have_been_processed(), "{error}");
            format!("look up by {by}")
        }
        CreateOutcome::Refused(error) => {
            assert_eq!(made, 0, "an order that is given up has a checkout: {error}");
            assert!(!error.may_have_been_processed(), "{error}");
            "refused".into()
        }
        CreateOutcome::Unknown(error) => {
            assert!(error.may_have_been_processed(), "{error}");
            "unknown".into()
        }
    }
}

/// Counts the steps: every kind of step that a provider's rule allows is met, and no other.
fn steps(all: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    all.into_iter().collect()
}

fn named<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn an_allscale_create_is_never_looked_up_and_repeated_only_where_nothing_was_created() {
    use play_allscale::{Sandbox, Store};

    let step = |fault| {
        let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
        let sandbox = Sandbox::builder().seed(4).store(Store::new(key.clone())).build();
        let clock = sandbox.clock().clone();
        let client = allscale::Client::builder(key).clock(move || clock.now_millis()).nonces(nonces());
        let intent = draft_allscale::Draft::fiat(Currency::USD, Cents::new(1_000)).check().unwrap();
        sandbox.inject(fault);
        let call = client.build().unwrap().create(&intent);
        next_step(&call, &sandbox, || sandbox.intents().len())
    };
    assert_eq!(
        steps(allscale_faults().into_iter().map(step)),
        named(["created", "refused", "repeat", "set up", "unknown"])
    );
}

#[test]
fn an_azotte_submit_is_repeated_under_its_key() {
    use play_azotte::{API_KEY, Sandbox, X_TN};

    let step = |fault| {
        let sandbox = Sandbox::new(4);
        let clock = sandbox.clock().clone();
        let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        let client = client.clock(move || clock.now_millis()).build().unwrap();
        let draft = draft_azotte::Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
        let draft = draft.correlation_id("order-1").item("plan_gold").customer_urn("urn:customer:42");
        sandbox.inject(fault);
        next_step(&client.submit(&draft.check().unwrap()), &sandbox, || sandbox.checkouts().len())
    };
    assert_eq!(
        steps(azotte_faults().into_iter().map(step)),
        named(["created", "repeat", "set up", "unknown"])
    );
}

#[test]
fn a_peach_create_is_looked_up_where_nobody_knows() {
    use play_peach::{Merchant, Sandbox};

    const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";
    let secret = || SecretToken::new("secret_token".into()).unwrap();
    let step = |fault| {
        let merchant = Merchant::new(ENTITY, secret()).domain("shop.example");
        let sandbox = Sandbox::builder().seed(11).merchant(merchant).status_limit(None).build();
        let clock = sandbox.clock().clone();
        let client = peach::Client::builder(ENTITY, secret()).environment(Environment::Sandbox);
        let client =
            client.referer("https://shop.example").clock(move || clock.now_millis()).nonces(nonces());
        let draft = draft_peach::Draft::debit(PeachCurrency::ZAR, Cents::new(9_200)).entity_id(ENTITY);
        let draft =
            draft.merchant_transaction_id("order-0001").shopper_result_url("https://shop.example/done");
        sandbox.inject(fault);
        let call = client.build().unwrap().initiate(&draft.check().unwrap()).unwrap();
        next_step(&call, &sandbox, || sandbox.checkouts().len())
    };
    let looked_up = "look up by merchantTransactionId";
    assert_eq!(
        steps(peach_faults().into_iter().map(step)),
        named(["created", looked_up, "refused", "repeat"])
    );
}

#[test]
fn a_refused_repeat_of_a_submit_that_may_have_been_charged_gives_no_order_up() {
    use play_azotte::{API_KEY, Fault, Sandbox, X_TN};

    for refusal in azotte_faults() {
        let sandbox = Sandbox::new(4);
        let clock = sandbox.clock().clone();
        let client = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        let client = client.clock(move || clock.now_millis()).build().unwrap();
        let draft = draft_azotte::Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
        let draft = draft.correlation_id("order-1").item("plan_gold").customer_urn("urn:customer:42");
        let call = client.submit(&draft.check().unwrap());
        sandbox.inject(Fault::LostAnswer);
        let CreateOutcome::Repeat { may_have_been_processed: true, .. } =
            CreateOutcome::of(call.send_blocking(&sandbox))
        else {
            panic!("{refusal:?}")
        };
        sandbox.inject(refusal.clone());
        match CreateOutcome::after(true, call.send_blocking(&sandbox)) {
            CreateOutcome::Created(_) | CreateOutcome::Unknown(_) => {}
            CreateOutcome::Repeat { may_have_been_processed, error, .. }
            | CreateOutcome::SetUp { may_have_been_processed, error } => {
                assert!(may_have_been_processed && error.may_have_been_processed(), "{refusal:?}");
            }
            given_up @ (CreateOutcome::LookUp { .. } | CreateOutcome::Refused(_)) => {
                panic!("{refusal:?}: {given_up:?}")
            }
        }
    }
}

#[test]
fn an_unsafe_create_is_never_repeated_after_an_attempt_that_may_have_been_processed() {
    let refused = checkout_transport::from_fn_blocking(|_| {
        Err(checkout_transport::TransportError::not_sent("connection refused"))
    });
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let client = allscale::Client::builder(key).clock(|| 1_716_501_000_000).nonces(nonces()).build().unwrap();
    let intent = draft_allscale::Draft::fiat(Currency::USD, Cents::new(1_000)).check().unwrap();
    let send = || client.create(&intent).send_blocking(&refused);
    assert!(matches!(
        CreateOutcome::of(send()),
        CreateOutcome::Repeat { may_have_been_processed: false, .. }
    ));
    assert!(matches!(CreateOutcome::after(true, send()), CreateOutcome::Unknown(_)));
}

#[test]
fn a_token_that_does_not_come_is_no_outcome_of_the_create() {
    use play_peach::{Fault, Merchant, Sandbox};

    const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";
    for fault in
        [Fault::EmptyUnauthorized, Fault::Refused("800.900.300".into()), Fault::Garbage, Fault::LostAnswer]
    {
        let secret = SecretToken::new("secret_token".into()).unwrap();
        let merchant = Merchant::new(ENTITY, secret).domain("shop.example");
        let merchant = merchant.client("my_client", "client_secret", "my_merchant");
        let sandbox = Sandbox::builder().seed(11).merchant(merchant).build();
        let credentials = peach::v2::Credentials {
            client_id: "my_client".into(),
            client_secret: "client_secret".into(),
            merchant_id: "my_merchant".into(),
        };
        let client = peach::v2::Client::builder(ENTITY, credentials).environment(Environment::Sandbox);
        let clock = sandbox.clock().clone();
        let client =
            client.referer("https://shop.example").clock(move || clock.now_millis()).nonces(nonces());
        let client = client.build().unwrap();
        let draft = draft_peach::Draft::debit(PeachCurrency::ZAR, Cents::new(9_200)).entity_id(ENTITY);
        let draft =
            draft.merchant_transaction_id("order-0001").shopper_result_url("https://shop.example/done");
        let draft = draft.check().unwrap();
        sandbox.inject(fault.clone());
        let result = client
            .authenticate_blocking(&sandbox)
            .and_then(|()| client.create(&draft).unwrap().send_blocking(&sandbox));
        let outcome = CreateOutcome::of(result);
        let goes_on = matches!(outcome, CreateOutcome::Repeat { .. } | CreateOutcome::SetUp { .. });
        assert!(goes_on, "{fault:?}: {outcome:?}");
        // Nor is a call without a token.
        let outcome = CreateOutcome::of(client.create(&draft).unwrap().send_blocking(&sandbox));
        assert!(matches!(outcome, CreateOutcome::SetUp { .. }), "{outcome:?}");
    }
}
