//! A shop that takes AllScale's webhooks in: verify, claim, read back, hold to the order, track, commit. Two examples share
//! it, and differ in how a request comes in. An in-process sandbox answers the reads.

use checkout_kit::allscale::webhook::{WebhookRequest, WebhookToSign};
use checkout_kit::allscale::{Client, Currency, Draft, IntentStatus, Receiver, Rules, SigningKey};
use checkout_kit::integrity::Policy;
use checkout_kit::integrity::allscale::{Order, Price};
use checkout_kit::replay::{Claim, Guard, MemoryStore};
use checkout_kit::{Cents, CoinAmount, Environment, HeaderFields, KeyRing, Moment, Phase, Tracker, Verdict};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Sandbox, Scenario};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shop: what a back end has in its state.
pub(super) struct Shop {
    sandbox: Sandbox,
    client: Client,
    receiver: Receiver,
    guard: Guard<MemoryStore>,
    database: Mutex<BTreeMap<String, Row>>,
    /// What is said, in order.
    log: Mutex<Vec<String>>,
}

/// An order, as it stands in the database.
struct Row {
    intent_id: String,
    owed: CoinAmount,
    /// The tracker, in its stored form.
    tracker: String,
    fulfilled: u32,
    /// Whether a person has to look.
    held: bool,
}

/// A webhook on its way.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Shop {
    pub(super) fn open() -> Result<Self, Box<dyn Error>> {
        let sandbox = Sandbox::new(1);
        let key = SigningKey::new(API_KEY, API_SECRET.into())?;
        // The sandbox's clock. Left out, it is the system's; the nonces are the standard, random ones.
        let clock = sandbox.clock().clone();
        let client = Client::builder(key.clone())
            .environment(Environment::Sandbox)
            .clock(move || clock.now_millis())
            .build()?;
        Ok(Self {
            client,
            // A name for the merchant that outlives any key, and every key that may sign now.
            receiver: Receiver::new("shop-7", KeyRing::new("2026-11", key)),
            guard: Guard::new(MemoryStore::new(100_000)),
            database: Mutex::default(),
            log: Mutex::default(),
            sandbox,
        })
    }

    /// Takes a request in as it came, and gives the HTTP status to answer. Everything before the last step can be done
    /// again, so whatever fails on the way is answered 503: the provider comes again.
    pub(super) async fn take<H: HeaderFields + ?Sized>(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &H,
        body: &[u8],
    ) -> u16 {
        // 1. Verify the bytes that came, before anything parses them.
        let request = WebhookRequest { method, path, query, headers, body };
        let event = match self.receiver.receive(&request, self.now()) {
            Ok(event) => event,
            Err(error) => {
                self.say(format!("{error} ({:?}: {})", error.fault(), error.hint()));
                return error.http_status();
            }
        };
        // 2. Claim it: it may have come before, or be under way elsewhere.
        let ticket = match self.guard.claim(event.identity(), self.now()) {
            Ok(Claim::Fresh(ticket)) => ticket,
            Ok(claim) => {
                self.say(if let Claim::Done = claim { "it was processed" } else { "it is being processed" });
                return claim.http_status().unwrap_or(503);
            }
            Err(full) => {
                self.say(full.to_string());
                return full.http_status();
            }
        };
        // 3. to 5. A webhook has no status: read back, hold that to the order, and write down what it means.
        if let Err(error) = self.process(event.content().intent_id(), event.content().order_id()).await {
            self.say(error.to_string());
            // Not processed: the next delivery is fresh. (Should this fail, the claim ends by itself.)
            let _ = self.guard.release(ticket);
            return 503;
        }
        // 6. Commit. With a database it goes into the same transaction as what was written: see `Ticket::claims`.
        match self.guard.commit(ticket, self.now()) {
            Ok(commit) => commit.http_status(),
            Err(unfinished) => {
                self.say(unfinished.to_string());
                503
            }
        }
    }

    async fn process(&self, intent_id: &str, order_id: Option<&str>) -> Result<(), Box<dyn Error>> {
        let received = self.client.get(intent_id)?.send(&self.sandbox).await?;
        let observation = received.observation();
        let read = received.into_read()?;
        let mut database = self.database();
        // The webhook's id of the order can be missing; the intent's own says the same.
        let order_id = order_id.or(read.payload().order_id.as_deref()).map(str::to_owned);
        let Some((id, row)) = order_id.as_deref().and_then(|id| Some((id, database.get_mut(id)?))) else {
            self.say("of no order of ours: a person has to look");
            return Ok(());
        };
        let mut tracker: Tracker<IntentStatus> = row.tracker.parse()?;
        let verdict = observation.map(|observation| tracker.observe(observation));
        let order = Order {
            environment: Environment::Sandbox,
            id,
            intent_id: &row.intent_id,
            price: Price::Fiat {
                currency: Currency::EUR,
                amount: PRICE,
                owed: row.owed,
                accepted: &[checkout_kit::allscale::StableCoin::USDT],
            },
        };
        let settlement = order.settled_by(&read, &Policy::default());
        row.tracker = tracker.to_string();
        // Paid, and not as it should be; or the provider contradicts itself. The tracker does not remember either.
        let odd = tracker.phase() == Some(Phase::Succeeded) && !settlement.is_settled();
        row.held |= odd || matches!(verdict, Some(Verdict::Conflict { .. }));
        if settlement.is_settled() && !row.held && row.fulfilled == 0 {
            row.fulfilled = 1;
        }
        if !tracker.is_final() {
            // The read lags behind the webhook, or nothing has been paid: this is not the end of it. (Written down it is;
            // open orders are polled too.)
            return Err(format!("{id}: {settlement}").into());
        }
        let done = if row.held { ", held for a person" } else { "" };
        self.say(format!("{id}: {settlement}{done}; parcels: {}", row.fulfilled));
        Ok(())
    }

    /// Sells something, and gives its webhook once the payment is through.
    pub(super) async fn sell(&self, order_id: &str, scenario: Scenario) -> Result<Delivery, Box<dyn Error>> {
        self.sandbox.next_intent(scenario);
        let draft = Draft::fiat(Currency::EUR, PRICE).order_id(order_id);
        let draft = draft.accept([checkout_kit::allscale::StableCoin::USDT]).check(&Rules::default())?;
        let created = self.client.create(&draft).send(&self.sandbox).await?.into_answer()?.payload;
        let row = Row {
            intent_id: created.intent_id.to_string(),
            owed: created.amount_coins,
            tracker: Tracker::<IntentStatus>::new().to_string(),
            fulfilled: 0,
            held: false,
        };
        self.database().insert(order_id.to_owned(), row);
        self.sandbox.clock().advance(Duration::from_secs(3_600));
        self.webhook(&created.intent_id, order_id, &format!("n-{order_id}"))
    }

    /// A webhook, signed as AllScale signs it.
    pub(super) fn webhook(
        &self,
        intent_id: &str,
        order_id: &str,
        nonce: &str,
    ) -> Result<Delivery, Box<dyn Error>> {
        let body = format!(
            r#"{{"all_scale_transaction_id":"txn-{order_id}","all_scale_checkout_intent_id":"{intent_id}","webhook_id":"wh-{order_id}","order_id":"{order_id}","user_name":"Ada"}}"#
        );
        self.signed(order_id, nonce, body.into_bytes())
    }

    pub(super) fn signed(
        &self,
        order_id: &str,
        nonce: &str,
        body: Vec<u8>,
    ) -> Result<Delivery, Box<dyn Error>> {
        let (webhook_id, timestamp) = (format!("wh-{order_id}"), self.now().unix_seconds());
        let to_sign = WebhookToSign {
            method: "POST",
            path: PATH,
            query: "",
            webhook_id: &webhook_id,
            timestamp,
            nonce,
            body: &body,
        };
        let signature = to_sign.sign(&SigningKey::new(API_KEY, API_SECRET.into())?)?;
        let headers = [
            ("X-API-Key", API_KEY.to_owned()),
            ("X-Webhook-Id", webhook_id.clone()),
            ("X-Webhook-Timestamp", timestamp.to_string()),
            ("X-Webhook-Nonce", nonce.to_owned()),
            ("X-Webhook-Signature", signature.to_string()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Delivery { path: PATH.to_owned(), headers, body })
    }

    /// The next read is answered by a proxy.
    pub(super) fn break_the_next_read(&self) {
        self.sandbox.inject(Fault::HtmlBadGateway);
    }

    /// Somebody else is at it: another process has claimed the event.
    pub(super) fn claim_elsewhere(&self, delivery: &Delivery) -> Result<(), Box<dyn Error>> {
        let request = WebhookRequest {
            method: "POST",
            path: &delivery.path,
            query: "",
            headers: &delivery.headers,
            body: &delivery.body,
        };
        let event = self.receiver.receive(&request, self.now())?;
        let _ = self.guard.claim(event.identity(), self.now())?;
        Ok(())
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    /// What was said since the last time.
    pub(super) fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn say(&self, what: impl Into<String>) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    fn database(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::from_unix_millis(i64::try_from(self.sandbox.clock().now_millis()).unwrap_or(i64::MAX))
    }
}

/// Plays a day of webhooks, each handed to `post`, which gives the status that the sender sees.
pub(super) fn play(
    shop: &Shop,
    out: &mut dyn std::io::Write,
    post: &mut dyn FnMut(&Delivery) -> u16,
) -> Result<(), Box<dyn Error>> {
    let mut tell = |what: &str, delivery: &Delivery| {
        let status = post(delivery);
        // A reader of the output that went away is no matter for a payment.
        let _ = writeln!(out, "{status}  {what}");
        for line in shop.said() {
            let _ = writeln!(out, "     {line}");
        }
    };
    let paid = pollster::block_on(shop.sell("order_1", Scenario::happy()))?;
    tell("a webhook", &paid);
    tell("the same once more", &paid);
    let mut forged = paid.clone();
    forged.body = String::from_utf8(forged.body)?.replace("order_1", "order_2").into_bytes();
    tell("its body changed on the way", &forged);
    let mut stripped = paid.clone();
    stripped.headers.pop();
    tell("without its signature", &stripped);
    let mut doubled = paid.clone();
    doubled.headers.extend(paid.headers.last().cloned());
    tell("with its signature twice", &doubled);
    tell("signed, and nothing that can be read", &shop.signed("order_1", "n-2", b"{}".to_vec())?);

    let rough = pollster::block_on(shop.sell("order_2", Scenario::happy()))?;
    shop.break_the_next_read();
    tell("while the read fails", &rough);
    tell("sent again", &rough);

    let busy = pollster::block_on(shop.sell("order_3", Scenario::happy()))?;
    shop.claim_elsewhere(&busy)?;
    tell("while another process is at it", &busy);
    shop.wait(61);
    tell("after that process has died", &busy);

    let short = pollster::block_on(shop.sell("order_4", Scenario::underpaid()))?;
    tell("of an order that was paid by half", &short);
    let early = pollster::block_on(shop.sell("order_5", Scenario::never_paid()))?;
    tell("of an order that nobody has paid", &early);
    let strange = shop.webhook("65b2f3d0d2d9c0a1b2c3d4e5", "order_9", "n-9")?;
    tell("of an intent that is not there", &strange);
    shop.wait(301);
    tell("the first one, five minutes late", &paid);
    Ok(())
}

const PATH: &str = "/hooks/allscale";
const PRICE: Cents = Cents::new(4_990);
