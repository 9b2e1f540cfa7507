//! Several checkouts of one account in one sandbox, each with a scenario of its own.

use crate::time::{ENDLESS, Slow, Time};
use crate::world::{line, of_allscale, of_azotte, of_peach};
use checkout_client::{Change, End, Watch, WatchEvent, WatchSet, Watchable, allscale, azotte, peach};
use checkout_lifecycle::Moment;
use checkout_money::Cents;
use checkout_sandbox::peach::ENTITY_ID;
use checkout_sandbox::{VirtualClock, allscale as of_a, azotte as of_z, peach as of_p};
use checkout_transport::{BlockingTransport, Transport};
use checkout_wire::allscale::Intent;
use checkout_wire::azotte::CheckoutResult;
use checkout_wire::peach::Payment;
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) trait Crowd: Sized {
    type E: Watchable<StatusRead: 'static> + 'static;
    type Sandbox: Transport + BlockingTransport + Clone + 'static;
    const NAMES: &'static [&'static str];

    /// A checkout for each scenario, all made at the same moment.
    fn of(scenarios: &[&str]) -> Self;
    fn sandbox(&self) -> &Self::Sandbox;
    fn clock(&self) -> VirtualClock;
    /// A watch as the client makes it.
    fn watch(&self, number: usize) -> Watch<Self::E>;
    fn len(&self) -> usize;
    /// The times of this checkout's reads, and the kinds of the reads.
    fn reads(&self, number: usize) -> Vec<(String, Moment)>;
}

pub(crate) struct OfAllscale(pub(crate) of_a::Sandbox, allscale::Client, Vec<String>);

impl Crowd for OfAllscale {
    type E = Intent<'static>;
    type Sandbox = of_a::Sandbox;
    const NAMES: &'static [&'static str] = &of_a::Scenario::NAMES;

    fn of(scenarios: &[&str]) -> Self {
        let sandbox = of_a::Sandbox::builder().seed(7).store(of_a::Store::new(of_allscale::key())).build();
        let client = of_allscale::client(&sandbox);
        let ids = scenarios.iter().map(|name| {
            sandbox.next_intent(of_a::Scenario::by_name(name).unwrap());
            let created = client.create(&of_allscale::intent()).send_blocking(&sandbox);
            created.unwrap().payload.intent_id.into_owned()
        });
        let ids = ids.collect();
        Self(sandbox, client, ids)
    }

    fn sandbox(&self) -> &of_a::Sandbox {
        &self.0
    }

    fn clock(&self) -> VirtualClock {
        self.0.clock().clone()
    }

    fn watch(&self, number: usize) -> Watch<Intent<'static>> {
        self.1.watch(&self.2[number]).unwrap()
    }

    fn len(&self) -> usize {
        self.2.len()
    }

    fn reads(&self, number: usize) -> Vec<(String, Moment)> {
        let reads = self.0.requests().into_iter().filter(|read| read.path().contains(&self.2[number]));
        reads.map(|read| (read.path().to_owned(), read.at())).collect()
    }
}

impl OfAllscale {
    /// The text that the paths of the checkout's reads contain.
    pub(crate) fn reads_of(&self, number: usize) -> String {
        self.2[number].clone()
    }
}

pub(crate) struct OfAzotte(pub(crate) of_z::Sandbox, azotte::Client, Vec<String>);

impl Crowd for OfAzotte {
    type E = CheckoutResult<'static>;
    type Sandbox = of_z::Sandbox;
    const NAMES: &'static [&'static str] = &of_z::Scenario::NAMES;

    fn of(scenarios: &[&str]) -> Self {
        use checkout_validate::azotte::Draft;
        let sandbox = of_z::Sandbox::builder().seed(7).build();
        let client = of_azotte::client(&sandbox);
        let ids = (1..).zip(scenarios).map(|(number, name)| {
            sandbox.next_checkout(of_z::Scenario::by_name(name).unwrap());
            let draft = Draft::stored_method(checkout_tables::azotte::PaymentChannel::CreditCard);
            let draft = draft.offer_identifier("off_1").correlation_id(format!("order_{number}"));
            let submit = draft.item("plan_gold").customer_urn("urn:customer:42").check().unwrap();
            let submitted = client.submit(&submit).send_blocking(&sandbox).unwrap();
            submitted.payload.tracking_number
        });
        let ids = ids.collect();
        Self(sandbox, client, ids)
    }

    fn sandbox(&self) -> &of_z::Sandbox {
        &self.0
    }

    fn clock(&self) -> VirtualClock {
        self.0.clock().clone()
    }

    fn watch(&self, number: usize) -> Watch<CheckoutResult<'static>> {
        self.1.watch(&self.2[number]).unwrap()
    }

    fn len(&self) -> usize {
        self.2.len()
    }

    fn reads(&self, number: usize) -> Vec<(String, Moment)> {
        let part = format!("/{}/status", self.2[number]);
        let reads = self.0.requests().into_iter().filter(|read| read.path().ends_with(&part));
        reads.map(|read| (read.path().to_owned(), read.at())).collect()
    }
}

/// Checkouts of V1. The sandbox has no limit of its own, and counts.
pub(crate) struct OfPeach(pub(crate) of_p::Sandbox, pub(crate) peach::Client, Vec<String>);

impl Crowd for OfPeach {
    type E = Payment<'static>;
    type Sandbox = of_p::Sandbox;
    const NAMES: &'static [&'static str] = &of_p::Scenario::NAMES;

    fn of(scenarios: &[&str]) -> Self {
        let sandbox = of_p::Sandbox::builder().seed(7).status_limit(None).build();
        let client = of_peach::client(&sandbox);
        let ids = (1..).zip(scenarios).map(|(number, name)| {
            sandbox.next_checkout(of_p::Scenario::by_name(name).unwrap());
            let id = format!("order-{number:04}");
            client.initiate(&checkout(&id)).unwrap().send_blocking(&sandbox).unwrap();
            id
        });
        let ids = ids.collect();
        Self(sandbox, client, ids)
    }

    fn sandbox(&self) -> &of_p::Sandbox {
        &self.0
    }

    fn clock(&self) -> VirtualClock {
        self.0.clock().clone()
    }

    fn watch(&self, number: usize) -> Watch<Payment<'static>> {
        use checkout_validate::peach::{Lookup, MerchantTransactionId};
        self.1.watch(Lookup::from(MerchantTransactionId::new(&self.2[number]).unwrap()))
    }

    fn len(&self) -> usize {
        self.2.len()
    }

    fn reads(&self, number: usize) -> Vec<(String, Moment)> {
        let id = self.0.checkout_of(ENTITY_ID, &self.2[number]).unwrap().checkout_id;
        let reads = self.0.status_requests(ENTITY_ID).into_iter();
        let reads = reads.filter(|read| read.checkout_id.as_deref() == Some(&*id));
        reads.map(|read| (id.clone(), read.at)).collect()
    }
}

pub(crate) fn checkout(id: &str) -> checkout_validate::peach::InitiateCheckout<'_> {
    use checkout_validate::peach::Draft;
    let draft = Draft::debit(checkout_tables::peach::Currency::ZAR, Cents::new(9_200)).entity_id(ENTITY_ID);
    let draft = draft.merchant_transaction_id(id).shopper_result_url("https://shop.example/");
    draft.check().unwrap()
}

/// Checkouts of V2, with tokens that are good for so long. The client has no token yet.
pub(crate) struct OfV2(pub(crate) of_p::Sandbox, peach::v2::Client, Vec<String>);

impl OfV2 {
    pub(crate) fn lasting(scenarios: &[&str], lasts: Duration) -> Self {
        let sandbox = of_p::Sandbox::builder().seed(7).status_limit(None).access_tokens_last(lasts).build();
        let (makes, client) = (of_peach::v2(&sandbox), of_peach::v2(&sandbox));
        let (makes, client) = (makes.build().unwrap(), client.build().unwrap());
        makes.authenticate_blocking(&sandbox).unwrap();
        let ids = (1..).zip(scenarios).map(|(number, name)| {
            sandbox.next_checkout(of_p::Scenario::by_name(name).unwrap());
            let create = makes.create(&checkout(&format!("order-{number:04}"))).unwrap();
            let created = create.send_blocking(&sandbox).unwrap();
            created.payload.checkout_id.unwrap().into_owned()
        });
        let ids = ids.collect();
        Self(sandbox, client, ids)
    }

    /// The tokens that the watches asked for.
    pub(crate) fn tokens(&self) -> usize {
        let asked = self.0.requests().into_iter().filter(|request| request.path().ends_with("/oauth/token"));
        asked.count() - 1
    }
}

impl Crowd for OfV2 {
    type E = Payment<'static>;
    type Sandbox = of_p::Sandbox;
    const NAMES: &'static [&'static str] = &of_p::Scenario::NAMES;

    fn of(scenarios: &[&str]) -> Self {
        Self::lasting(scenarios, Duration::from_secs(4 * 3_600))
    }

    fn sandbox(&self) -> &of_p::Sandbox {
        &self.0
    }

    fn clock(&self) -> VirtualClock {
        self.0.clock().clone()
    }

    fn watch(&self, number: usize) -> Watch<Payment<'static>> {
        self.1.watch(&self.2[number]).unwrap()
    }

    fn len(&self) -> usize {
        self.2.len()
    }

    fn reads(&self, number: usize) -> Vec<(String, Moment)> {
        let reads = self.0.status_requests(ENTITY_ID).into_iter();
        let reads = reads.filter(|read| read.checkout_id.as_deref() == Some(&*self.2[number]));
        reads.map(|read| (self.2[number].clone(), read.at)).collect()
    }
}

pub(crate) fn now(clock: &VirtualClock) -> Moment {
    clock.now()
}

/// All checkouts of a crowd in one set, by the provider's policy and limit, or by the policy without a limit.
pub(crate) fn watches<C: Crowd>(crowd: &C, limited: bool) -> WatchSet<C::E, usize> {
    let mut watches = WatchSet::new(now(&crowd.clock()), 42);
    let merchant = match limited {
        true => watches.merchant(),
        false => watches.merchant_with(C::E::POLL_POLICY, None),
    };
    for number in 0..crowd.len() {
        watches.add(merchant, crowd.watch(number), number);
    }
    watches
}

/// The changes of each checkout, in lines.
pub(crate) type Told = BTreeMap<usize, Vec<String>>;

/// Notes an event, and asserts the laws of every event.
pub(crate) fn note<E: Watchable>(told: &mut Told, event: &WatchEvent<E, usize>) {
    assert_eq!(event.change.is_end(), event.watch.is_some());
    assert!(event.stored.starts_with("v1 "));
    if let (Some(watch), Change::End(end)) = (&event.watch, &event.change) {
        assert_eq!(
            (watch.stored(), watch.tracker(), watch.has_conflict()),
            (event.stored.clone(), end.tracker(), end.has_conflict())
        );
        assert_eq!(matches!(end, End::Ended { .. }), end_is_shown(end));
    }
    let lines = told.entry(event.key).or_default();
    assert!(!lines.iter().any(|line| is_end(line)), "{} after its end: {:?}", event.key, event.change);
    lines.push(line(&event.change));
}

fn end_is_shown<E: Watchable>(end: &End<E>) -> bool {
    match end {
        End::Ended { answer, tracker, .. } => {
            answer.observation().and_then(|seen| seen.status().known()) == tracker.status()
        }
        End::GaveUp { .. } => false,
    }
}

pub(crate) fn is_end(line: &str) -> bool {
    line.starts_with("ended: ") || line.starts_with("gave up")
}

/// Every event until no checkout is open.
pub(crate) fn all<C: Crowd>(crowd: &C, watches: &mut WatchSet<C::E, usize>, ways: &[u64]) -> (Told, usize) {
    let time = Time::of(&crowd.clock());
    let slow = Slow::new(crowd.sandbox().clone(), &time, ways);
    let mut told = Told::new();
    while let Some(event) =
        time.run(watches.next_event(&slow, |wait| time.sleep(wait)), &mut { ENDLESS }).unwrap()
    {
        note(&mut told, &event);
    }
    assert!(watches.is_empty());
    (told, slow.most())
}

/// The changes of a watch of each checkout alone, each in a world of its own.
pub(crate) fn alone<C: Crowd>(scenarios: &[&str], number: usize) -> (Vec<String>, C) {
    let crowd = C::of(scenarios);
    let (clock, mut watch) = (crowd.clock(), crowd.watch(number));
    let changes = watch.changes_blocking(crowd.sandbox(), |wait| clock.advance(wait));
    let lines = changes.map(|change| line(&change)).collect();
    (lines, crowd)
}
