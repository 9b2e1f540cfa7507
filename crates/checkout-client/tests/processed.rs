//! The money rule: after every fault of every sandbox on every route, is it certain that nothing was done,
//! and may the call be sent again? One picture for each provider in `tests/snapshots`.
//!
//! Each fault stands in a table of its provider's own tests with the outcome and the number of checkouts that
//! were made. This picture pins the two answers on which a second charge hangs: nothing may change here by
//! accident. `INSTA_UPDATE=always cargo test -p checkout-client --all-features --test processed` renews the
//! pictures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/faults.rs"]
mod faults;

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{Call, CreateOutcome, Readable, RetryAdvice, allscale, azotte, peach};
use checkout_money::Cents;
use checkout_sandbox::{allscale as play_allscale, azotte as play_azotte, peach as play_peach};
use checkout_tables::allscale::Currency;
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::{Environment, Repeat, peach::Currency as PeachCurrency};
use checkout_transport::{BODY_CAP, BlockingTransport, TransportError, from_fn_blocking};
use checkout_validate::peach::{InitiateCheckout, MerchantTransactionId};
use checkout_validate::{allscale as draft_allscale, azotte as draft_azotte, peach as draft_peach};
use faults::{faults_in, variant};
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

/// An AllScale store's sandbox, and a client of it.
fn allscale_world() -> (play_allscale::Sandbox, allscale::Client) {
    let key = SigningKey::new("st_key", "st_secret".into()).unwrap();
    let store = play_allscale::Store::new(key.clone());
    let sandbox = play_allscale::Sandbox::builder().seed(4).store(store).build();
    let clock = sandbox.clock().clone();
    let client = allscale::Client::builder(key).clock(move || clock.now()).nonces(nonces());
    (sandbox, client.build().unwrap())
}

fn intent() -> draft_allscale::CreateIntent<'static> {
    draft_allscale::Draft::fiat(Currency::USD, Cents::new(1_000)).check().unwrap()
}

/// An Azotte tenant's sandbox, and a client of it.
fn azotte_world() -> (play_azotte::Sandbox, azotte::Client) {
    let sandbox = play_azotte::Sandbox::new(4);
    let clock = sandbox.clock().clone();
    let client = azotte::Client::builder("acme", play_azotte::X_TN, play_azotte::API_KEY.into());
    let client = client.environment(Environment::Sandbox).clock(move || clock.now());
    (sandbox, client.build().unwrap())
}

fn submit(correlation_id: &'static str) -> draft_azotte::SubmitCheckout<'static> {
    let draft = draft_azotte::Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
    let draft = draft.correlation_id(correlation_id).item("plan_gold").customer_urn("urn:customer:42");
    draft.check().unwrap()
}

const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";

fn secret_token() -> SecretToken {
    SecretToken::new("secret_token".into()).unwrap()
}

/// A Peach merchant's sandbox, without a limit for statuses.
fn peach_sandbox() -> play_peach::Sandbox {
    let merchant = play_peach::Merchant::new(ENTITY, secret_token()).domain("shop.example");
    let merchant = merchant.client("my_client", "client_secret", "my_merchant");
    play_peach::Sandbox::builder().seed(11).merchant(merchant).status_limit(None).build()
}

fn peach_v1(sandbox: &play_peach::Sandbox) -> peach::Client {
    let clock = sandbox.clock().clone();
    let client = peach::Client::builder(ENTITY, secret_token()).environment(Environment::Sandbox);
    let client = client.referer("https://shop.example").clock(move || clock.now());
    client.nonces(nonces()).build().unwrap()
}

/// A client of V2, which has no access token yet.
fn peach_v2(sandbox: &play_peach::Sandbox, signed: bool) -> peach::v2::Client {
    let clock = sandbox.clock().clone();
    let credentials = peach::v2::Credentials {
        client_id: "my_client".into(),
        client_secret: "client_secret".into(),
        merchant_id: "my_merchant".into(),
    };
    let client = peach::v2::Client::builder(ENTITY, credentials).environment(Environment::Sandbox);
    let client = client.referer("https://shop.example").clock(move || clock.now());
    let client = if signed { client.secret_token(secret_token()) } else { client };
    client.nonces(nonces()).build().unwrap()
}

fn checkout(merchant_transaction_id: &'static str) -> InitiateCheckout<'static> {
    let draft = draft_peach::Draft::debit(PeachCurrency::ZAR, Cents::new(9_200)).entity_id(ENTITY);
    let draft = draft.merchant_transaction_id(merchant_transaction_id);
    draft.shopper_result_url("https://shop.example/done").check().unwrap()
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
    let faults = allscale_faults();
    let rows = |fault: &play_allscale::Fault| {
        let world = || {
            let (sandbox, client) = allscale_world();
            let id = client.create(&intent()).send_blocking(&sandbox).unwrap().payload.intent_id;
            sandbox.inject(fault.clone());
            (sandbox, client, id)
        };
        let create = {
            let (sandbox, client, _) = world();
            row(&client.create(&intent()), &sandbox)
        };
        let get = {
            let (sandbox, client, id) = world();
            row(&client.get(&id).unwrap(), &sandbox)
        };
        let status = {
            let (sandbox, client, id) = world();
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
    let faults = azotte_faults();
    let rows = |fault: &play_azotte::Fault| {
        let world = || {
            let (sandbox, client) = azotte_world();
            client.submit(&submit("order-0")).send_blocking(&sandbox).unwrap();
            let number = sandbox.checkouts().pop().unwrap().tracking_number;
            sandbox.inject(fault.clone());
            (sandbox, client, number)
        };
        let first = {
            let (sandbox, client, _) = world();
            row(&client.submit(&submit("order-1")), &sandbox)
        };
        let again = {
            let (sandbox, client, _) = world();
            row(&client.submit(&submit("order-0")), &sandbox)
        };
        let status = {
            let (sandbox, client, number) = world();
            row(&client.status(&number).unwrap(), &sandbox)
        };
        vec![("submit", first), ("submit again", again), ("status", status)]
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
    let faults = peach_faults();
    let rows = |fault: &play_peach::Fault| {
        let v1 = || {
            let sandbox = peach_sandbox();
            let client = peach_v1(&sandbox);
            client.initiate(&checkout("order-0000")).unwrap().send_blocking(&sandbox).unwrap();
            sandbox.clock().advance(Duration::from_secs(60));
            sandbox.inject(fault.clone());
            (sandbox, client)
        };
        let v2 = |signed: bool, authenticated: bool| {
            let sandbox = peach_sandbox();
            let client = peach_v2(&sandbox, signed);
            let mut id = String::new();
            if authenticated {
                client.authenticate_blocking(&sandbox).unwrap();
                client.create(&checkout("order-0000")).unwrap().send_blocking(&sandbox).unwrap();
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

/// The kinds of steps that follow after all of the faults.
fn steps<F>(faults: Vec<F>, step: impl Fn(F) -> String) -> BTreeSet<String> {
    faults.into_iter().map(step).collect()
}

fn named<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn an_allscale_create_is_never_looked_up_and_repeated_only_where_nothing_was_created() {
    let step = |fault| {
        let (sandbox, client) = allscale_world();
        sandbox.inject(fault);
        next_step(&client.create(&intent()), &sandbox, || sandbox.intents().len())
    };
    let all = named(["created", "refused", "repeat", "set up", "unknown"]);
    assert_eq!(steps(allscale_faults(), step), all);
}

#[test]
fn an_azotte_submit_is_repeated_under_its_key() {
    let step = |fault| {
        let (sandbox, client) = azotte_world();
        sandbox.inject(fault);
        next_step(&client.submit(&submit("order-1")), &sandbox, || sandbox.checkouts().len())
    };
    assert_eq!(steps(azotte_faults(), step), named(["created", "repeat", "set up", "unknown"]));
}

#[test]
fn a_create_of_peach_v1_with_an_unknown_outcome_is_looked_up() {
    let step = |fault| {
        let sandbox = peach_sandbox();
        let call = peach_v1(&sandbox).initiate(&checkout("order-0001")).unwrap();
        sandbox.inject(fault);
        next_step(&call, &sandbox, || sandbox.checkouts().len())
    };
    let looked_up = "look up by merchantTransactionId";
    assert_eq!(steps(peach_faults(), step), named(["created", looked_up, "refused", "repeat"]));
}

#[test]
fn a_create_of_peach_v2_cannot_be_looked_up() {
    let step = |fault| {
        let sandbox = peach_sandbox();
        let client = peach_v2(&sandbox, false);
        client.authenticate_blocking(&sandbox).unwrap();
        let call = client.create(&checkout("order-0001")).unwrap();
        sandbox.inject(fault);
        next_step(&call, &sandbox, || sandbox.checkouts().len())
    };
    assert_eq!(steps(peach_faults(), step), named(["created", "refused", "repeat", "unknown"]));
}

#[test]
fn a_refused_repeat_of_a_submit_that_may_have_been_charged_keeps_the_order() {
    for refusal in azotte_faults() {
        let (sandbox, client) = azotte_world();
        let call = client.submit(&submit("order-1"));
        sandbox.inject(play_azotte::Fault::LostAnswer);
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
    let refused = from_fn_blocking(|_| Err(TransportError::not_sent("connection refused")));
    let (_, client) = allscale_world();
    let send = || client.create(&intent()).send_blocking(&refused);
    let first = CreateOutcome::of(send());
    assert!(matches!(first, CreateOutcome::Repeat { may_have_been_processed: false, .. }), "{first:?}");
    assert!(matches!(CreateOutcome::after(true, send()), CreateOutcome::Unknown(_)));
}

#[test]
fn a_token_that_does_not_come_is_no_outcome_of_the_create() {
    use play_peach::Fault;

    for fault in
        [Fault::EmptyUnauthorized, Fault::Refused("800.900.300".into()), Fault::Garbage, Fault::LostAnswer]
    {
        let sandbox = peach_sandbox();
        let client = peach_v2(&sandbox, false);
        let call = client.create(&checkout("order-0001")).unwrap();
        sandbox.inject(fault.clone());
        let result = client.authenticate_blocking(&sandbox).and_then(|()| call.send_blocking(&sandbox));
        let outcome = CreateOutcome::of(result);
        let goes_on = matches!(outcome, CreateOutcome::Repeat { .. } | CreateOutcome::SetUp { .. });
        assert!(goes_on, "{fault:?}: {outcome:?}");
        // A call without a token is no outcome of a create either.
        let outcome = CreateOutcome::of(call.send_blocking(&sandbox));
        assert!(matches!(outcome, CreateOutcome::SetUp { .. }), "{outcome:?}");
    }
}
