//! The functions that README.md, docs/polling.md and docs/webhooks.md show. Each function stands here word
//! for word, and runs against a provider that contradicts itself, is late, or is right.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::unit_arg,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests, and code of the pages"
)]

use checkout_kit::allscale::{Client, CreateIntent, Currency, Draft, SigningKey, StableCoin};
use checkout_kit::settlement::allscale::{Order, OrderPrice};
use checkout_kit::{Cents, CoinAmount, Environment};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use std::time::Duration;

mod pay {
    use checkout_kit::allscale::{Client, CreateIntent};
    use checkout_kit::settlement::allscale::Order;
    use checkout_kit::{Environment, Transport};
    use std::time::Duration;

    /// True if the goods may leave now. False also where nobody knows yet, or a person has to look.
    async fn pay<F: Future<Output = ()>>(
        client: &Client,
        draft: &CreateIntent<'_>,             // order_123, 49.90 EUR
        transport: &impl Transport,           // checkout_reqwest::Reqwest::new()?
        sleep: impl Fn(Duration) -> F + Copy, // checkout_kit::tokio_sleep, with the feature `tokio`
    ) -> Result<bool, Box<dyn std::error::Error>> {
        let answer = client.create(draft).send(transport).await?;
        for difference in answer.differences() {
            println!("tell somebody: {difference}"); // the page can be paid all the same
        }
        let created = answer.payload;
        println!("pay at {}", created.checkout_url.as_str()); // store the intent's id and the amount owed
        let order = Order::of(Environment::Live, draft, &created).ok_or("the draft has no order id")?;
        let end = client.watch(&created.intent_id)?.end(transport, sleep).await;
        if end.wants_attention() {
            return Ok(false); // tell somebody
        }
        let Some(read) = end.into_read() else { return Ok(false) }; // the watch gave up: look again later
        // The read says how the checkout ended: paid, unpaid or underpaid, and with whose money.
        Ok(order.settled_by(&read).is_settled())
    }

    #[test]
    fn goods_leave_for_an_uncontradicted_payment_alone() {
        super::each_course(|course| {
            let shop = super::Shop::open(super::Environment::Live);
            shop.read_as(course);
            let time = shop.sandbox.clock().clone();
            let sleep = |wait| std::future::ready(time.advance(wait));
            let leave = pollster::block_on(pay(&shop.client, &super::draft(), &shop.sandbox, &sleep));
            assert_eq!(leave.unwrap(), super::may_leave(&shop.told(course)), "{course:?}");
        });
    }
}

mod watch {
    use checkout_kit::allscale::{Client, Intent};
    use checkout_kit::{Change, End, Transport, settlement::Read};
    use std::time::Duration;

    /// Shows each change, and returns the full read of the end: paid, expired or underpaid. None where a
    /// person has to look first, or where the intent is still open.
    async fn watch<F: Future<Output = ()>>(
        client: &Client,
        intent_id: &str,
        transport: &impl Transport,
        sleep: impl Fn(Duration) -> F + Copy, // `tokio_sleep`, with the feature `tokio`
    ) -> Result<Option<Read<Intent<'static>>>, Box<dyn std::error::Error>> {
        let mut watch = client.watch(intent_id)?;
        loop {
            let change = watch.next_change(transport, sleep).await;
            let _column = watch.stored(); // keep the column beside the intent's id
            match change {
                // The first question of every end, and of a watch that gave up: does a person have to look?
                Change::End(end) if end.wants_attention() => {
                    println!("hold the order, and tell somebody: {}", end.tracker());
                    return Ok(None);
                }
                // An end is not yet a payment. Does the read settle the order? docs/webhooks.md
                Change::End(End::Ended { answer, .. }) => return Ok(Some(answer.into_read())),
                // Go on later, from the column: `restore_from`, and then `resume`.
                Change::End(End::GaveUp { .. }) => return Ok(None),
                Change::Attention { verdict, .. } => println!("tell somebody: {verdict}"),
                change => println!("{change:?}"),
            }
        }
    }

    fn leave(course: &[i64]) -> (bool, Vec<i64>) {
        let shop = super::Shop::open(super::Environment::Sandbox);
        let (id, owed) = shop.sell();
        shop.read_as(course);
        let time = shop.sandbox.clock().clone();
        let sleep = |wait| std::future::ready(time.advance(wait));
        let read = pollster::block_on(watch(&shop.client, &id, &shop.sandbox, &sleep)).unwrap();
        let settled = read.is_some_and(|read| super::order(&id, owed).settled_by(&read).is_settled());
        (settled, shop.told(course))
    }

    #[test]
    fn a_contradicted_success_gives_nothing_to_settle_by() {
        assert_eq!(leave(&[20, -1]), (false, vec![20, -1, 20]));
    }

    #[test]
    fn the_read_of_a_watch_settles_an_uncontradicted_payment_alone() {
        super::each_course(|course| {
            let (leave, told) = leave(course);
            assert_eq!(leave, super::may_leave(&told), "{course:?}");
        });
    }
}

mod many {
    use checkout_kit::peach::{Client, Lookup, Payment};
    use checkout_kit::{
        Answer, Change, End, Moment, WatchSet, client::MerchantId, transport::SharedTransport,
    };
    use std::time::Duration;

    /// Made once, and filled from the database: again with every start of the process.
    fn open(
        client: &Client,
        rows: &[(Lookup<'static>, String, u64)], // the lookup, the column, the order's number
        now: Moment,
    ) -> Result<(WatchSet<Payment<'static>, u64>, MerchantId), Box<dyn std::error::Error>> {
        let mut watches = WatchSet::new(now, 42);
        let shop = watches.merchant(); // Peach's policy, and its two reads a minute
        for (lookup, column, order) in rows {
            watches.add(shop, client.watch(lookup.clone()).restore_from(column)?, *order);
        }
        Ok((watches, shop))
    }

    /// Until nothing is open.
    async fn drive<F: Future<Output = ()>>(
        watches: &mut WatchSet<Payment<'static>, u64>,
        transport: &SharedTransport,
        sleep: impl Fn(Duration) -> F, // `tokio_sleep`, with the feature `tokio`
        mut hold: impl FnMut(u64),     // marks the order for a person
        mut settle: impl FnMut(u64, Answer<Payment<'static>>), // holds the answer to the order
    ) {
        while let Some(event) = watches.next_event(transport, &sleep).await {
            let (order, _column) = (event.key, event.stored); // keep the column, whatever the change is
            match event.change {
                // The first question of every end, and of a watch that gave up: does a person have to look?
                Change::End(end) if end.wants_attention() => hold(order),
                // The checkout has ended, and has left the set. An end is not yet a payment.
                Change::End(End::Ended { answer, .. }) => settle(order, answer),
                // The checkout has left too. Go on later, from the column or with `event.watch`.
                Change::End(End::GaveUp { .. }) => {}
                Change::Attention { verdict, .. } => println!("tell somebody: {verdict}"),
                change => println!("{change:?}"),
            }
        }
    }

    #[test]
    fn contradicted_and_late_payments_are_held_and_the_rest_are_settled() {
        use checkout_kit::peach::{Currency, Draft, SecretToken};
        use checkout_kit::settlement::peach::Order;
        use checkout_kit::{Cents, Environment};
        use checkout_sandbox::peach::{ENTITY_ID, REFERER, SECRET_TOKEN, Sandbox, Scenario};

        let sandbox = Sandbox::new(1);
        let (clock, time) = (sandbox.clock().clone(), sandbox.clock().clone());
        let client = Client::builder(ENTITY_ID, SecretToken::new(SECRET_TOKEN.into()).unwrap())
            .environment(Environment::Sandbox)
            .referer(REFERER)
            .clock(move || clock.now())
            .build()
            .unwrap();
        let now = time.now();
        // The stored texts: of the first order nothing yet; of the second, that a read has contradicted an
        // end; of the third, which is paid by now, that the intent had expired. The fourth intent is never
        // opened, and was contradicted before.
        let fresh = |name: &str| {
            client
                .watch(checkout_kit::peach::MerchantTransactionId::new(name.to_owned()).unwrap().into())
                .stored()
        };
        let known = |column: &str, head: &str, tracker: &str| {
            let poller = column.rsplit("; ").next().unwrap();
            format!("v1 {head}; v1 {tracker}; {poller}")
        };
        let earlier = now.unix_millis() - 60_000;
        let mut rows = Vec::new();
        for (number, (scenario, head, tracker)) in (1_u64..).zip([
            (Scenario::happy(), "-", "- - -".to_owned()),
            (Scenario::happy(), "conflict", "- - -".to_owned()),
            (Scenario::happy(), "-", format!("expired - {earlier}")),
            (Scenario::never_opened(), "conflict", "- - -".to_owned()),
        ]) {
            sandbox.next_checkout(scenario);
            let name = format!("order-{number:04}");
            let draft = Draft::debit(Currency::ZAR, Cents::new(14_99))
                .entity_id(ENTITY_ID)
                .merchant_transaction_id(&*name)
                .shopper_result_url("https://shop.example/result")
                .check()
                .unwrap();
            client.initiate(&draft).unwrap().send_blocking(&sandbox).unwrap();
            let lookup = draft.lookup().into_owned();
            rows.push((lookup, known(&fresh(&name), head, &tracker), number));
        }
        let (mut watches, _) = open(&client, &rows, now).unwrap();
        let (mut held, mut settled) = (Vec::new(), Vec::new());
        let sleep = |wait| std::future::ready(time.advance(wait));
        let transport = SharedTransport::new(sandbox.clone());
        pollster::block_on(drive(
            &mut watches,
            &transport,
            sleep,
            |order| held.push(order),
            |order, answer| {
                let (name, checkout_id) = (format!("order-{order:04}"), None);
                let (amount, currency) = (Cents::new(14_99), Currency::ZAR);
                let environment = Environment::Sandbox;
                let order_of =
                    Order { environment, merchant_transaction_id: &name, checkout_id, amount, currency };
                let settlement = order_of.settled_by(&answer.into_read());
                settled.push((order, settlement.is_settled()));
            },
        ));
        held.sort_unstable();
        assert_eq!((held, settled), (vec![2, 3, 4], vec![(1, true)]));
    }
}

mod read_back {
    use checkout_kit::allscale::{Client, IntentStatus};
    use checkout_kit::settlement::allscale::Order;
    use checkout_kit::{Phase, Tracker, Transport};

    /// The part of the order's row that a read changes. The caller has locked the row, and writes the part in
    /// one transaction.
    struct Known {
        tracker: Tracker<IntentStatus>, // as a text: `to_string`, and `parse`
        look: bool,                     // a person has to look before goods leave
    }

    /// True if goods may leave for the order, by the intent as it stands now.
    async fn read_back(
        client: &Client,
        order: &Order<'_>, // as it is stored
        known: &mut Known,
        transport: &impl Transport,
    ) -> Result<bool, Box<dyn std::error::Error>> {
        let answer = client.get(order.intent_id)?.send(transport).await?;
        let (ended, now) = (known.tracker.is_final(), client.now());
        let verdict = answer.observation().map(|observation| known.tracker.observe(observation, now));
        let read = answer.into_read();
        let settlement = order.settled_by(&read);
        // An answer that is older than the known status decides nothing.
        if !verdict.is_some_and(|verdict| verdict.is_adopted()) {
            // A status that contradicts an end, or that nobody has named, is for a person.
            known.look |= ended && verdict.is_some_and(|verdict| verdict.wants_attention());
            return Ok(false);
        }
        // Money after a refusal, beside a refusal, or other money than the order's is for a person too.
        let came = read.payload().actual_paid_amount.is_some_and(|paid| !paid.is_zero());
        let money = known.tracker.phase() == Some(Phase::Succeeded) || known.tracker.is_final() && came;
        known.look |= known.tracker.superseded().is_some() || money && !settlement.is_settled();
        Ok(!known.look && settlement.is_settled())
    }

    #[test]
    fn goods_may_leave_for_an_uncontradicted_payment_alone() {
        super::each_course(|course| {
            let shop = super::Shop::open(super::Environment::Sandbox);
            let (id, owed) = shop.sell();
            shop.read_as(course);
            let (order, mut known) =
                (super::order(&id, owed), Known { tracker: Tracker::new(), look: false });
            let mut told = Vec::new();
            for status in course.iter().copied().chain([20]) {
                shop.sandbox.clock().advance(super::Duration::from_secs(5));
                told.push(status);
                let leave = pollster::block_on(read_back(&shop.client, &order, &mut known, &shop.sandbox));
                let paid = told.ends_with(&[20]) && super::may_leave(&told);
                assert_eq!(leave.unwrap(), paid, "{told:?}");
                // A success that is contradicted, and one that comes late, are for a person.
                let success = told.iter().position(|status| *status == 20);
                assert!(
                    !known.look || success.is_some() || told.contains(&-1) || told.contains(&-5),
                    "{told:?}"
                );
                assert!(success.is_none() || super::may_leave(&told) || known.look, "{told:?}");
            }
        });
    }

    #[test]
    fn an_unnamed_status_after_an_end_is_for_a_person_and_nothing_leaves() {
        let shop = super::Shop::open(super::Environment::Sandbox);
        let (id, owed) = shop.sell();
        shop.read_as(&[20, 6, 20]);
        let (order, mut known) = (super::order(&id, owed), Known { tracker: Tracker::new(), look: false });
        let leave: Vec<bool> = (0..3)
            .map(|_| {
                shop.sandbox.clock().advance(super::Duration::from_secs(5));
                pollster::block_on(read_back(&shop.client, &order, &mut known, &shop.sandbox)).unwrap()
            })
            .collect();
        assert_eq!(leave, [true, false, false]);
        assert!(known.look);
    }
}

/// Goods may leave where the last word is a success, no read said a refusal, and none after the first success
/// said anything else. The statuses are those of AllScale's page: 20 is CONFIRMED, and a negative one is a
/// refusal.
fn may_leave(told: &[i64]) -> bool {
    let mut from_success = told.iter().skip_while(|status| **status != 20).peekable();
    from_success.peek().is_some()
        && from_success.all(|status| *status == 20)
        && told.iter().all(|status| *status >= 0)
}

/// Every course of three reads, each with one of these statuses; after them the payment is CONFIRMED.
fn each_course(mut play: impl FnMut(&[i64])) {
    const STATUSES: [i64; 5] = [2, 10, 20, -1, -5];
    for first in STATUSES {
        for second in STATUSES {
            for third in STATUSES {
                play(&[first, second, third]);
            }
        }
    }
}

struct Shop {
    sandbox: Sandbox,
    client: Client,
}

impl Shop {
    fn open(environment: Environment) -> Self {
        let sandbox = Sandbox::new(1);
        sandbox.next_intent(Scenario::custom([(Duration::ZERO, 20)]));
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, API_SECRET.into()).unwrap())
            .environment(environment)
            .clock(move || clock.now())
            .build()
            .unwrap();
        Self { sandbox, client }
    }

    fn sell(&self) -> (String, CoinAmount) {
        let created = self.client.create(&draft()).send_blocking(&self.sandbox).unwrap();
        let created = created.payload;
        (created.intent_id.into_owned(), created.amount_coins)
    }

    /// The next reads say these statuses, one status each, and later reads say CONFIRMED.
    fn read_as(&self, course: &[i64]) {
        course.iter().for_each(|status| self.sandbox.inject(Fault::TamperedStatus(*status)));
    }

    /// The statuses that the reads have said up to now. Reads beyond the course all said the same.
    fn told(&self, course: &[i64]) -> Vec<i64> {
        let told = course.len() - self.sandbox.faults_waiting();
        let beyond: &[i64] = if told == course.len() { &[20] } else { &[] };
        [&course[..told], beyond].concat()
    }
}

fn draft() -> CreateIntent<'static> {
    let draft =
        Draft::fiat(Currency::EUR, Cents::new(4_990)).accept([StableCoin::USDT]).order_id("order_123");
    draft.check().unwrap()
}

fn order(intent_id: &str, owed: CoinAmount) -> Order<'_> {
    let (currency, amount, accepted) = (Currency::EUR, Cents::new(4_990), &[StableCoin::USDT]);
    let price = OrderPrice::Fiat { currency, amount, owed, accepted };
    Order { environment: Environment::Sandbox, id: "order_123", intent_id, price }
}

/// The pages' functions that take a provider, and the file with the functions.
#[test]
fn every_function_of_the_pages_that_asks_a_provider_stands_here_word_for_word() {
    const PAGES: [&str; 3] = [
        include_str!("../../../README.md"),
        include_str!("../../../docs/polling.md"),
        include_str!("../../../docs/webhooks.md"),
    ];
    const HERE: &str = include_str!("guides.rs");
    let blocks = PAGES.iter().flat_map(|page| page.split("```rust\n").skip(1));
    let blocks = blocks.map(|from| from.split("```").next().unwrap());
    let asking: Vec<_> = blocks.filter(|block| block.contains("transport: &")).collect();
    for block in &asking {
        let lines = block.lines().map(|line| format!("{}{line}", if line.is_empty() { "" } else { "    " }));
        let block = lines.collect::<Vec<_>>().join("\n");
        assert!(HERE.contains(&block), "not word for word here:\n{block}");
    }
    assert_eq!(asking.len(), 4);
    let hello = PAGES[0].split("```rust,no_run\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(include_str!("../examples/hello.rs").ends_with(hello), "not the example hello:\n{hello}");
}
