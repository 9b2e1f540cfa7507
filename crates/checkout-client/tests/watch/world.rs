//! A checkout of each provider before its watch, and the ways to watch.

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{
    Change, End, NonceSource, Nudged, ReadKind, Step, Watch, Watchable, allscale, azotte, peach,
};
use checkout_money::Cents;
use checkout_sandbox::VirtualClock;
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_transport::{BlockingTransport, Transport, from_fn_local};
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;
use std::future::ready;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Days.
pub(crate) const LONG: Duration = Duration::from_secs(3 * 24 * 3_600);

pub(crate) fn nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed) + 1)
}

pub(crate) mod of_allscale {
    use super::*;
    use checkout_sandbox::allscale::{Sandbox, Scenario, Store};
    use checkout_validate::allscale::Draft;

    pub(crate) fn key() -> SigningKey {
        SigningKey::new("st_key", "st_secret".into()).unwrap()
    }

    pub(crate) fn client(sandbox: &Sandbox) -> allscale::Client {
        let clock = sandbox.clock().clone();
        allscale::Client::builder(key()).clock(move || clock.now()).nonces(nonces()).build().unwrap()
    }

    pub(crate) fn intent() -> checkout_validate::allscale::CreateIntent<'static> {
        let draft = Draft::fiat(checkout_tables::allscale::Currency::USD, Cents::new(9_200));
        draft.order_id("order_1").check().unwrap()
    }

    /// An intent that goes through this scenario, and the watch.
    pub(crate) fn watched(scenario: Scenario) -> (Sandbox, Watch<Intent<'static>>) {
        let sandbox = Sandbox::builder().seed(7).store(Store::new(key())).scenario(scenario).build();
        let client = client(&sandbox);
        let created = client.create(&intent()).send_blocking(&sandbox).unwrap();
        let watch = client.watch(&created.payload.intent_id).unwrap();
        (sandbox, watch)
    }
}

pub(crate) mod of_azotte {
    use super::*;
    use checkout_sandbox::azotte::{API_KEY, Sandbox, Scenario, X_TN};
    use checkout_tables::azotte::PaymentChannel;
    use checkout_validate::azotte::{Draft, SubmitCheckout};

    pub(crate) fn client(sandbox: &Sandbox) -> azotte::Client {
        let clock = sandbox.clock().clone();
        let builder = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        builder.clock(move || clock.now()).build().unwrap()
    }

    pub(crate) fn submit() -> SubmitCheckout<'static> {
        let draft = Draft::stored_method(PaymentChannel::CreditCard).offer_identifier("off_1");
        let draft = draft.correlation_id("order_1").item("plan_gold").customer_urn("urn:customer:42");
        draft.check().unwrap()
    }

    pub(crate) fn watched(scenario: Scenario) -> (Sandbox, Watch<CheckoutResult<'static>>) {
        let sandbox = Sandbox::builder().seed(7).scenario(scenario).build();
        let client = client(&sandbox);
        let submitted = client.submit(&submit()).send_blocking(&sandbox).unwrap();
        let watch = client.watch(&submitted.payload.tracking_number).unwrap();
        (sandbox, watch)
    }
}

pub(crate) mod of_peach {
    use super::*;
    use checkout_sandbox::peach::{
        CLIENT_ID, CLIENT_SECRET, ENTITY_ID, MERCHANT_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario,
    };
    use checkout_validate::peach::{Draft, InitiateCheckout};

    pub(crate) fn secret() -> SecretToken {
        SecretToken::new(SECRET_TOKEN.into()).unwrap()
    }

    pub(crate) fn client(sandbox: &Sandbox) -> peach::Client {
        let clock = sandbox.clock().clone();
        by_clock(move || clock.now())
    }

    pub(crate) fn by_clock(clock: impl checkout_client::Clock + 'static) -> peach::Client {
        let builder = peach::Client::builder(ENTITY_ID, secret()).environment(Environment::Sandbox);
        builder.referer(REFERER).clock(clock).nonces(nonces()).build().unwrap()
    }

    pub(crate) fn v2(sandbox: &Sandbox) -> peach::v2::Builder {
        let clock = sandbox.clock().clone();
        let credentials = peach::v2::Credentials {
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            merchant_id: MERCHANT_ID.into(),
        };
        let builder = peach::v2::Client::builder(ENTITY_ID, credentials).environment(Environment::Sandbox);
        builder.referer(REFERER).clock(move || clock.now()).nonces(nonces())
    }

    pub(crate) fn checkout() -> InitiateCheckout<'static> {
        let draft =
            Draft::debit(checkout_tables::peach::Currency::ZAR, Cents::new(9_200)).entity_id(ENTITY_ID);
        let draft = draft.merchant_transaction_id("order-0001").shopper_result_url("https://shop.example/");
        draft.check().unwrap()
    }

    /// The sandbox counts: not more than two statuses a minute.
    pub(crate) fn watched(scenario: Scenario) -> (Sandbox, Watch<Payment<'static>>) {
        let sandbox = Sandbox::builder().seed(7).scenario(scenario).build();
        let client = client(&sandbox);
        let checkout = checkout();
        client.initiate(&checkout).unwrap().send_blocking(&sandbox).unwrap();
        let watch = client.watch(checkout.lookup());
        (sandbox, watch)
    }

    /// A watch by V2: the watch has a client of its own, which has no token yet.
    pub(crate) fn watched_by_v2(scenario: Scenario) -> (Sandbox, Watch<Payment<'static>>) {
        let sandbox = Sandbox::builder().seed(7).scenario(scenario).build();
        let (client, other) = (v2(&sandbox).build().unwrap(), v2(&sandbox).build().unwrap());
        client.authenticate_blocking(&sandbox).unwrap();
        let create = client.create(&checkout()).unwrap();
        let created = create.send_blocking(&sandbox).unwrap();
        (sandbox, other.watch(&created.payload.checkout_id.unwrap()).unwrap())
    }
}

/// The ways to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Async,
    Local,
    Blocking,
    Iterator,
    ByHand,
}

impl Form {
    pub(crate) const ALL: [Self; 5] =
        [Self::Async, Self::Local, Self::Blocking, Self::Iterator, Self::ByHand];

    /// All the changes up to the end.
    pub(crate) fn changes<E: Watchable, S>(
        self,
        watch: &mut Watch<E>,
        sandbox: &S,
        clock: &VirtualClock,
    ) -> Vec<Change<E>>
    where
        S: Transport + BlockingTransport + Clone + 'static,
    {
        let sleep = |wait| {
            clock.advance(wait);
            ready(())
        };
        let mut changes = Vec::new();
        match self {
            Self::Async => {
                while !changes.last().is_some_and(Change::is_end) {
                    changes.push(pollster::block_on(watch.next_change(sandbox, sleep)));
                }
            }
            Self::Local => {
                let here = Rc::new(sandbox.clone());
                let local = from_fn_local(move |request| {
                    let here = Rc::clone(&here);
                    async move { Transport::send(&*here, request).await }
                });
                while !changes.last().is_some_and(Change::is_end) {
                    changes.push(pollster::block_on(watch.next_change_local(&local, sleep)));
                }
            }
            Self::Blocking => {
                let untyped: &dyn BlockingTransport = sandbox;
                while !changes.last().is_some_and(Change::is_end) {
                    changes.push(watch.next_change_blocking(untyped, |wait| clock.advance(wait)));
                }
            }
            Self::Iterator => changes.extend(watch.changes_blocking(sandbox, |wait| clock.advance(wait))),
            Self::ByHand => loop {
                while let Some(change) = watch.take_change() {
                    changes.push(change);
                }
                let now = watch.now();
                match watch.next(now) {
                    Step::Fetch(ReadKind::Status) => {
                        watch.mark_sent(now);
                        let outcome = watch.status_call().send_blocking(sandbox);
                        watch.handle_status(watch.now(), outcome);
                    }
                    Step::Fetch(ReadKind::Full) => {
                        watch.mark_sent(now);
                        let outcome = watch.full_call().send_blocking(sandbox);
                        watch.handle_read(watch.now(), outcome);
                    }
                    Step::Wait(until) | Step::AskPayer { until } => {
                        clock.advance(until.saturating_since(now));
                    }
                    Step::Done(_) | Step::GaveUp(_) => {
                        changes.push(Change::End(watch.take_end(now).unwrap()));
                        break;
                    }
                }
            },
        }
        changes
    }
}

/// A change in one line; `!` marks a change that wants attention, `?` a challenge for the payer, `x` a failed
/// read.
pub(crate) fn line<E: Watchable>(change: &Change<E>) -> String {
    match change {
        Change::Phase { phase, .. } => phase.to_string(),
        Change::Attention { verdict, .. } => format!("! {verdict}"),
        Change::AskPayer { payload } => format!("? {}", payload.asks_payer_in_words()),
        Change::NotShown { payload, reason } => {
            assert_eq!(payload.why_not_shown(), Some(*reason));
            format!("- not shown: {reason}")
        }
        Change::Refused { answer, phase, conflict, tracker, .. } => {
            // The evidence shows the refusal.
            let shown = answer.observation().and_then(|observation| observation.status().known());
            assert_eq!((shown, tracker.phase()), (tracker.status(), Some(*phase)));
            let environment = answer.environment();
            assert_eq!(answer.clone().into_read().environment(), environment);
            format!("refused: {phase}{}", if *conflict { ", conflict" } else { "" })
        }
        Change::Nudged(nudged) => {
            let how = match nudged {
                Nudged::Status(_) => "glance",
                Nudged::Full(_) => "whole",
                Nudged::NotRead(_) => "not read",
                Nudged::NoRead => "no read",
            };
            assert_eq!(nudged.is_read(), matches!(nudged, Nudged::Status(_) | Nudged::Full(_)));
            format!("nudged: {how}")
        }
        Change::NotRead { error, again } => {
            format!("x {error}{}", if again.is_some() { "" } else { ", the last" })
        }
        Change::End(end) => end_line(end),
    }
}

pub(crate) fn end_line<E: Watchable>(end: &End<E>) -> String {
    let conflict = if end.has_conflict() { ", conflict" } else { "" };
    match end {
        End::Ended { phase, tracker, .. } => {
            assert_eq!(tracker.phase(), Some(*phase));
            let late = tracker.superseded().map_or_else(String::new, |row| format!(" after {row}"));
            assert_eq!(end.wants_attention(), !late.is_empty() || !conflict.is_empty());
            format!("ended: {phase}{late}{conflict}")
        }
        End::GaveUp { gave_up, .. } => {
            let last = gave_up.last_phase.map_or_else(|| "nothing".to_owned(), |phase| phase.to_string());
            let why = format!("{:?}", gave_up.reason);
            format!("gave up at {last}: {}{conflict}", why.split([' ', '{']).next().unwrap())
        }
    }
}

pub(crate) fn lines<E: Watchable>(changes: &[Change<E>]) -> Vec<String> {
    changes.iter().map(line).collect()
}

/// The reported phases, each after the phase before.
pub(crate) fn phases<E: Watchable>(changes: &[Change<E>]) -> Vec<String> {
    let mut last = None;
    let mut phases = Vec::new();
    for change in changes {
        if let Change::Phase { phase, before, .. } = change {
            assert_eq!(*before, last);
            assert_ne!(Some(*phase), last);
            last = Some(*phase);
            phases.push(phase.to_string());
        }
    }
    phases
}

/// The payer's challenge, in a word.
pub(crate) trait InWords {
    fn asks_payer_in_words(&self) -> &'static str;
    fn why_not_shown(&self) -> Option<&'static str>;
}

impl<T: checkout_client::Observable> InWords for T {
    fn asks_payer_in_words(&self) -> &'static str {
        match self.asks_payer() {
            Some(text) if text.starts_with("https://") => "page",
            Some(_) => "form",
            None => "nothing",
        }
    }

    fn why_not_shown(&self) -> Option<&'static str> {
        self.not_shown()
    }
}

/// The moment so many milliseconds later, or earlier.
pub(crate) fn shifted(moment: Moment, by_millis: i64) -> Moment {
    Moment::from_unix_millis(moment.unix_millis().saturating_add(by_millis))
}
