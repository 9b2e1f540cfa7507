//! A checkout with every provider, recorded by the real client over the sandbox and replayed from the
//! cassette's text: the replay goes as the recording went, and nothing of the payer, the card and the secrets
//! is in the text.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_kit::Moment;
use checkout_kit::settlement;
use checkout_kit::{
    Answer, BlockingTransport, CallErrorKind, Cents, Change, End, Environment, NotSent, Request, Watch,
    Watchable, allscale, azotte, client::NonceSource, peach, transport::from_fn_blocking,
};
use checkout_sandbox::VirtualClock;
use checkout_testkit::record::{Cassette, Recording, ReplayError, Replaying};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

const BEGUN: Moment = Moment::from_unix_millis(1_717_246_327_923);

/// The texts that sign and prove. Not all of them are carried.
const KEYS: [&str; 5] = [
    checkout_sandbox::allscale::API_KEY,
    checkout_sandbox::allscale::API_SECRET,
    checkout_sandbox::azotte::API_KEY,
    checkout_sandbox::peach::SECRET_TOKEN,
    checkout_sandbox::peach::CLIENT_SECRET,
];

const MAIL: &str = "zq.shop@mail.example";
const HOLDER: &str = "Zsofia Quillfeather";
const PHONE: &str = "+27 82 555 01 93";
const ADDRESS: &str = "203.0.113.77";

/// The changes of a checkout, over a transport and by a clock.
type Play<'p> = &'p dyn Fn(&dyn BlockingTransport, VirtualClock) -> Vec<String>;

/// The changes at the recording and at the replay, each from the same moment on, and the end of the replay.
/// The planted texts were carried, and are not in the text between recording and replay; nor are keys, and
/// headers that are marked.
struct Played {
    recorded: Vec<String>,
    replayed: Vec<String>,
    finished: Result<(), ReplayError>,
}

fn played(
    sandbox: &impl BlockingTransport,
    clock: &VirtualClock,
    planted: &[&str],
    play: Play<'_>,
) -> Played {
    let (carried, sensitive) = (RefCell::new(String::new()), RefCell::new(Vec::new()));
    let recording = Recording::new(from_fn_blocking(|request: Request| {
        let values = request.headers().values().filter(|value| value.is_sensitive());
        sensitive.borrow_mut().extend(values.map(|value| value.to_str().unwrap().to_owned()));
        *carried.borrow_mut() += &format!("{request:?}");
        let response = sandbox.send_blocking(request)?;
        *carried.borrow_mut() += &format!("{response:?}");
        Ok(response)
    }));
    let recorded = play(&recording, clock.clone());
    let (carried, kept) = (carried.borrow(), recording.cassette().to_json());
    for planted in planted {
        assert!(carried.contains(planted), "{planted} in {carried}");
    }
    let never = sensitive.borrow();
    for never in never.iter().map(String::as_str).chain(planted.iter().copied()).chain(KEYS) {
        assert!(!kept.contains(never), "{never} in {kept}");
    }
    let replaying = Replaying::new(Cassette::from_json(&kept).unwrap());
    let replayed = play(&replaying, VirtualClock::new(BEGUN));
    Played { recorded, replayed, finished: replaying.finish() }
}

/// The replay goes as the recording went, this way.
fn check(
    sandbox: &impl BlockingTransport,
    clock: &VirtualClock,
    planted: &[&str],
    play: Play<'_>,
    told: &[&str],
) {
    let played = played(sandbox, clock, planted, play);
    assert_eq!(played.recorded, played.replayed);
    assert_eq!(without_seconds(&played.recorded), told);
    assert_eq!(played.finished, Ok(()));
}

/// The policy chooses how often the checkout is read.
fn without_seconds(told: &[String]) -> Vec<&str> {
    told.iter().map(|told| told.rsplit(" s: ").next().unwrap()).collect()
}

/// Watches the checkout to the end: the changes, the seconds after which they came, and the last answer.
fn watched<E: Watchable>(
    mut watch: Watch<E>,
    transport: &dyn BlockingTransport,
    clock: &VirtualClock,
    told: &mut Vec<String>,
) -> Option<Answer<E>> {
    let begun = clock.now();
    loop {
        let change = watch.next_change_blocking(transport, |wait| clock.advance(wait));
        let text = match change {
            Change::Phase { phase, .. } => phase.to_string(),
            Change::Attention { verdict, .. } => panic!("{verdict}"),
            Change::AskPayer { .. } => "the payer is asked".to_owned(),
            Change::NotShown { reason, .. } => panic!("{reason}"),
            Change::Refused { phase, .. } => panic!("no late reads are asked for: {phase}"),
            Change::Nudged(_) => panic!("nobody nudges"),
            Change::NotRead { error, .. } => match error.kind() {
                CallErrorKind::NotSent(NotSent::Transport(_)) => "not sent".to_owned(),
                CallErrorKind::NoResponse(_) => "no response".to_owned(),
                CallErrorKind::NotAuthentic(_) => "not authentic".to_owned(),
                CallErrorKind::Refused(_) => "refused".to_owned(),
                CallErrorKind::UnexpectedResponse(_) => "unexpected response".to_owned(),
                kind @ (CallErrorKind::NotSent(_)
                | CallErrorKind::Unreadable(_)
                | CallErrorKind::Mismatch(_)
                | _) => {
                    panic!("{kind:?}")
                }
            },
            Change::End(End::Ended { answer, phase, .. }) => {
                told.push(format!("ended: {phase}"));
                return Some(answer);
            }
            Change::End(End::GaveUp { tracker, .. }) => {
                told.push(format!("gave up: {:?}", tracker.phase()));
                return None;
            }
        };
        told.push(format!("{} s: {text}", clock.now().saturating_since(begun).as_secs()));
    }
}

fn nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn a_checkout_of_allscale_replays() {
    use allscale::{Client, Currency, Draft, Route, SigningKey, StableCoin};
    use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox};
    let clock = VirtualClock::new(BEGUN);
    let sandbox = Sandbox::builder().seed(1).clock(clock.clone()).build();
    for fault in [Fault::LostAnswer, Fault::HtmlBadGateway, Fault::RateLimited] {
        sandbox.inject_on(Route::Status, fault);
    }
    let play = |transport: &dyn BlockingTransport, clock: VirtualClock| {
        let now = clock.clone();
        let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap());
        let client = client.clock(move || now.now()).nonces(nonces()).build().unwrap();
        let extra = format!(r#"{{"mail":"{MAIL}","{PHONE}":1}}"#);
        let draft = Draft::fiat(Currency::EUR, Cents::new(4_990)).order_id("order_1");
        let draft = draft.user("payer 77182", HOLDER).extra(extra);
        let create = client.create(&draft.check().unwrap());
        let created = create.send_blocking(transport).unwrap().payload;
        let mut told = Vec::new();
        let end = watched(client.watch(&created.intent_id).unwrap(), transport, &clock, &mut told);
        let order = settlement::allscale::Order {
            environment: client.environment(),
            id: "order_1",
            intent_id: &created.intent_id,
            price: settlement::allscale::OrderPrice::Fiat {
                currency: Currency::EUR,
                amount: Cents::new(4_990),
                owed: created.amount_coins,
                accepted: &[StableCoin::USDT, StableCoin::USDC],
            },
        };
        let read = end.unwrap().into_read();
        told.push(order.settled_by(&read).to_string());
        told
    };
    let planted = ["payer 77182", "Zsofia", MAIL, PHONE, "0x", "nonce-"];
    let told = [
        "no response",
        "unexpected response",
        "refused",
        "awaiting payer",
        "processing",
        "succeeded",
        "ended: succeeded",
        "settled",
    ];
    check(&sandbox, &clock, &planted, &play, &told);
}

#[test]
fn a_checkout_of_azotte_replays() {
    use azotte::{CardDraft, Client, Draft};
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    let clock = VirtualClock::new(BEGUN);
    let sandbox = Sandbox::builder().seed(1).clock(clock.clone()).scenario(Scenario::three_ds_html()).build();
    let play = |transport: &dyn BlockingTransport, clock: VirtualClock| {
        let now = clock.clone();
        let client = Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        let client = client.clock(move || now.now()).build().unwrap();
        let card = CardDraft::new("4111111111111111", "07", "2093").cvc("9173").card_holder_name(HOLDER);
        let draft = Draft::new_card(card.card_alias("turquoise debit")).offer_identifier("off_1");
        let draft = draft.correlation_id("order_2").item("plan_gold").customer_urn("urn:payer:7718");
        let submit = client.submit(&draft.ip_address(ADDRESS).check().unwrap());
        let submitted = submit.send_blocking(transport).unwrap().payload;
        let number = submitted.tracking_number;
        let mut told = Vec::new();
        let end = watched(client.watch(&number).unwrap(), transport, &clock, &mut told);
        let order = settlement::azotte::Order { environment: client.environment(), tracking_number: &number };
        let read = end.unwrap().into_read();
        told.push(order.settled_by(&read).to_string());
        told
    };
    let planted = ["4111", "9173", "2093", "Zsofia", "turquoise", "urn:", ADDRESS, "<form", "psp.example"];
    let told =
        ["processing", "payer action", "the payer is asked", "succeeded", "ended: succeeded", "settled"];
    check(&sandbox, &clock, &planted, &play, &told);
    // Nobody charged the replayed checkout.
    assert_eq!(sandbox.captures_of("order_2"), 1);
}

mod with_peach {
    use super::*;
    use checkout_sandbox::peach::{
        CLIENT_ID, CLIENT_SECRET, ENTITY_ID, MERCHANT_ID, REFERER, SECRET_TOKEN, Sandbox,
    };
    use peach::{Client, Currency, Draft, InitiateCheckout, SecretToken, v2};

    const PLANTED: &[&str] = &[MAIL, "Zsofia", "555 01 93", ADDRESS, "Payer ", "411111", "2039", "nonce-"];

    fn order() -> InitiateCheckout<'static> {
        let draft = Draft::debit(Currency::ZAR, Cents::new(14_99)).entity_id(ENTITY_ID);
        let draft =
            draft.merchant_transaction_id("order_0003").shopper_result_url("https://shop.example/result");
        let personal = [
            ("customer.givenName", HOLDER),
            ("customer.email", MAIL),
            ("customer.mobile", PHONE),
            ("customer.ip", ADDRESS),
        ];
        let draft = personal.into_iter().fold(draft, |draft, (name, value)| draft.field(name, value));
        draft.check().unwrap()
    }

    fn sandbox() -> (Sandbox, VirtualClock) {
        let clock = VirtualClock::new(BEGUN);
        (Sandbox::builder().seed(1).clock(clock.clone()).build(), clock)
    }

    #[test]
    fn a_checkout_of_v2_replays_from_its_token_on() {
        let (sandbox, clock) = sandbox();
        let play = |transport: &dyn BlockingTransport, clock: VirtualClock| {
            let now = clock.clone();
            let credentials = v2::Credentials {
                client_id: CLIENT_ID.into(),
                client_secret: CLIENT_SECRET.into(),
                merchant_id: MERCHANT_ID.into(),
            };
            let client = v2::Client::builder(ENTITY_ID, credentials).environment(Environment::Sandbox);
            let client = client.referer(REFERER).clock(move || now.now()).nonces(nonces());
            let client = client.build().unwrap();
            client.authenticate_blocking(transport).unwrap();
            let create = client.create(&order()).unwrap();
            let created = create.send_blocking(transport).unwrap().payload;
            let id = created.checkout_id.as_deref().unwrap();
            let mut told = Vec::new();
            let end = watched(client.watch(id).unwrap(), transport, &clock, &mut told);
            let order = settlement::peach::Order {
                environment: client.environment(),
                merchant_transaction_id: "order_0003",
                checkout_id: Some(id),
                amount: Cents::new(14_99),
                currency: Currency::ZAR,
            };
            let read = end.unwrap().into_read();
            told.push(order.settled_by(&read).to_string());
            told
        };
        let told = ["awaiting payer", "succeeded", "ended: succeeded", "settled"];
        check(&sandbox, &clock, PLANTED, &play, &told);
    }

    /// The client of V1 takes no answer that settles a payment without a signature, and a replayed answer has
    /// no signature.
    #[test]
    fn a_replayed_checkout_of_v1_is_never_paid() {
        let (sandbox, clock) = sandbox();
        let play = |transport: &dyn BlockingTransport, clock: VirtualClock| {
            let now = clock.clone();
            let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into()).unwrap());
            let client = client.environment(Environment::Sandbox).referer(REFERER);
            let client = client.clock(move || now.now()).nonces(nonces()).build().unwrap();
            client.initiate(&order()).unwrap().send_blocking(transport).unwrap();
            let mut told = Vec::new();
            let end = watched(client.watch(order().lookup()), transport, &clock, &mut told);
            assert_eq!(end.is_some(), told.last().unwrap().starts_with("ended"));
            told
        };
        let Played { recorded, replayed, finished } = played(&sandbox, &clock, PLANTED, &play);
        assert_eq!(without_seconds(&recorded), ["awaiting payer", "succeeded", "ended: succeeded"]);
        let replayed = without_seconds(&replayed);
        // The replay refused each of the reads; then the watch read on, and nothing was left to replay.
        let (refused, rest) = replayed.split_at(2);
        assert_eq!(refused, ["not authentic"; 2]);
        assert!(matches!(finished, Err(ReplayError::NothingLeft { .. })), "{finished:?}");
        let (end, rest) = rest.split_last().unwrap();
        assert_eq!(*end, "gave up: None");
        assert!(rest.iter().all(|told| *told == "not sent"), "{rest:?}");
    }
}
