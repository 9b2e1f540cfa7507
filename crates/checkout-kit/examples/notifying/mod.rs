//! The plays of the example `receive_peach`: the acts of Peach, the payer and the network. An in-process
//! sandbox signs the webhooks and answers the reads.

use super::ending::Ending;
use super::{Row, Shop, router};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use checkout_kit::peach::{Client, Currency, Draft, Fields, Receiver, Route, SIGNATURE, SecretToken};
use checkout_kit::replay::{Guard, MemoryStore};
use checkout_kit::{Cents, Environment, KeyRing, Tracker};
use checkout_sandbox::peach::{ENTITY_ID, Fault, REFERER, SECRET_TOKEN, Sandbox, WEBHOOK_URL};
use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) type Play = fn(&mut Scene<'_>) -> Result<(), Box<dyn Error>>;

/// The plays, by their names.
const PLAYS: [(&str, Play); 10] = [
    ("paid", |scene| {
        let probe = scene.sandbox.probe(ENTITY_ID).ok_or("no such merchant")?;
        scene.post("Peach tries the URL out", probe.content_type, &probe.body)?;
        let checkout = scene.sell()?;
        let opened = scene.opened(&checkout)?;
        scene.deliver("the payer has opened the page", &opened)?;
        let paid = scene.paid(&checkout)?;
        scene.deliver("the payer has paid", &paid)
    }),
    ("twice", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.deliver("paid", &paid)?;
        scene.deliver("the same once more", &paid)
    }),
    ("forged", |scene| {
        let checkout = scene.sell()?;
        let opened = String::from_utf8(scene.opened(&checkout)?.into())?;
        let paid = opened.replace("000.200.100", "000.100.110");
        scene.deliver("opened, and made to say that it is paid", paid.as_bytes())?;
        let fields = Fields::from_form(paid.as_bytes())?;
        let signature = fields.get(SIGNATURE).ok_or("a webhook is signed")?;
        let unsigned = fields.iter().filter(|(name, _)| *name != SIGNATURE);
        let strangers = SecretToken::new("a stranger's secret token".into())?.sign(unsigned)?;
        let signed = paid.replace(signature, strangers.as_str());
        scene.deliver("the same, signed by a stranger", signed.as_bytes())?;
        let stripped = paid.replace(&format!("&{SIGNATURE}={signature}"), "");
        scene.deliver("the same without a signature", stripped.as_bytes())
    }),
    ("read_lags", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.now_reads(&checkout, "000.200.000")?;
        scene.deliver("paid, and the read says pending", &paid)?;
        let _ = scene.paid(&checkout)?;
        scene.deliver("sent again, and the read says paid", &paid)
    }),
    ("read_says_cancelled", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.now_reads(&checkout, "100.396.101")?;
        scene.deliver("paid, and the read says cancelled", &paid)
    }),
    ("other_amount", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.sandbox.inject_on(Route::Status, Fault::OtherAmount);
        scene.deliver("paid, and the read is of another amount", &paid)
    }),
    ("read_fails", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.sandbox.inject_on(Route::Status, Fault::HtmlBadGateway);
        scene.deliver("paid, and a gateway answers the read", &paid)?;
        scene.deliver("sent again", &paid)
    }),
    ("paid_after_cancelled", |scene| {
        let checkout = scene.sell()?;
        let cancelled = scene.comes_to(&checkout, "100.396.101")?;
        scene.deliver("cancelled", &cancelled)?;
        let paid = scene.paid(&checkout)?;
        scene.deliver("paid after all", &paid)
    }),
    ("charged_back", |scene| {
        let checkout = scene.sell()?;
        let paid = scene.paid(&checkout)?;
        scene.deliver("paid", &paid)?;
        let charged_back = scene.comes_to(&checkout, "000.100.200")?;
        scene.deliver("charged back", &charged_back)
    }),
    ("row_not_written_yet", |scene| {
        let (row, checkout) = scene.initiate()?;
        let paid = scene.paid(&checkout)?;
        scene.deliver("paid before the shop has written its row", &paid)?;
        scene.save(row);
        scene.deliver("sent again, when it has", &paid)
    }),
];

/// Every play's name.
pub(crate) fn names() -> Vec<&'static str> {
    PLAYS.iter().map(|(name, _)| *name).collect()
}

/// The play of this name.
pub(crate) fn play(name: &str) -> Option<Play> {
    PLAYS.iter().find(|(known, _)| *known == name).map(|(_, play)| *play)
}

/// Plays a play in a shop of its own, and returns how the order stands after the play.
pub(crate) fn run(play: Play, out: &mut dyn Write) -> Result<Ending, Box<dyn Error>> {
    let mut scene = Scene::open(out)?;
    play(&mut scene)?;
    let (outbox, held, ended) = (scene.outbox(), scene.held(), scene.has_ended());
    for (what, ids) in [("to ship", &outbox), ("for a person", &held)] {
        for id in ids {
            let _ = writeln!(scene.out, "{what}: {id}");
        }
    }
    Ok(match (held.is_empty(), outbox.is_empty(), ended) {
        (false, _, _) => Ending::Look,
        (true, false, _) => Ending::Paid,
        (true, true, true) => Ending::NotPaid,
        (true, true, false) => Ending::StillOpen,
    })
}

/// A shop, with a sandbox in Peach's place.
pub(crate) struct Scene<'a> {
    pub(crate) shop: Arc<Shop>,
    pub(crate) sandbox: Sandbox,
    router: Router,
    out: &'a mut dyn Write,
}

impl<'a> Scene<'a> {
    pub(crate) fn open(out: &'a mut dyn Write) -> Result<Self, Box<dyn Error>> {
        let sandbox = Sandbox::new(1);
        let secret = SecretToken::new(SECRET_TOKEN.into())?;
        // The sandbox's clock. Without this line the client has the system's clock.
        let clock = sandbox.clock().clone();
        let client = Client::builder(ENTITY_ID, secret.clone())
            .environment(Environment::Sandbox)
            .referer(REFERER)
            .clock(move || clock.now())
            .build()?;
        let shop = Arc::new(Shop {
            client,
            transport: sandbox.clone(),
            // The ring has every secret token that may sign now.
            receiver: Receiver::new(ENTITY_ID, KeyRing::new("2026-11", secret), Environment::Sandbox),
            guard: Guard::new(MemoryStore::new(100_000)),
            database: Mutex::default(),
            log: Mutex::default(),
        });
        Ok(Self { router: router(Arc::clone(&shop)), shop, sandbox, out })
    }

    /// Initiates an order's checkout, and returns the row to write, with the id by which the payer acts.
    fn initiate(&self) -> Result<(Row, String), Box<dyn Error>> {
        let checkout = Draft::debit(Currency::ZAR, Cents::new(14_99))
            .entity_id(ENTITY_ID)
            .merchant_transaction_id(ORDER)
            .shopper_result_url("https://shop.example/result")
            .check()?;
        let checkout_id =
            self.shop.client.initiate(&checkout)?.send_blocking(&self.sandbox)?.payload.checkout_id;
        let made = self.sandbox.checkout_of(ENTITY_ID, ORDER).ok_or("no checkout was made")?;
        let checkout_id = checkout_id.map(Into::into);
        Ok((Row { checkout, checkout_id, tracker: Tracker::new(), look: false }, made.checkout_id))
    }

    /// `insert into orders …`.
    fn save(&self, row: Row) {
        self.shop.database().orders.insert(row.checkout.merchant_transaction_id().to_owned(), row);
    }

    /// Initiates an order's checkout, writes the row, and returns the id by which the payer acts.
    pub(crate) fn sell(&self) -> Result<String, Box<dyn Error>> {
        let (row, checkout) = self.initiate()?;
        self.save(row);
        Ok(checkout)
    }

    /// Has the payer open the page, and returns the webhook's body.
    fn opened(&self, checkout: &str) -> Result<Bytes, Box<dyn Error>> {
        self.after(|| self.sandbox.open(checkout))
    }

    /// Has the payer pay, and returns the webhook's body.
    fn paid(&self, checkout: &str) -> Result<Bytes, Box<dyn Error>> {
        self.after(|| self.sandbox.pay(checkout))
    }

    /// Brings the checkout to a code, and returns the webhook's body.
    pub(crate) fn comes_to(&self, checkout: &str, code: &str) -> Result<Bytes, Box<dyn Error>> {
        self.after(|| self.sandbox.come_to(checkout, code))
    }

    /// Brings the checkout to a code, and loses the webhook.
    fn now_reads(&self, checkout: &str, code: &str) -> Result<(), Box<dyn Error>> {
        self.comes_to(checkout, code).map(drop)
    }

    fn after(&self, act: impl FnOnce() -> bool) -> Result<Bytes, Box<dyn Error>> {
        self.sandbox.clock().advance(Duration::from_secs(1));
        if !act() {
            return Err("there is no such checkout to act on".into());
        }
        Ok(self.sandbox.take_webhooks().pop().ok_or("nothing has changed")?.body)
    }

    /// The orders whose parcels are to leave.
    pub(crate) fn outbox(&self) -> Vec<String> {
        self.shop.database().outbox.iter().cloned().collect()
    }

    /// The orders that a person has to look at, and the ids of no order.
    pub(crate) fn held(&self) -> Vec<String> {
        let database = self.shop.database();
        let held = database.orders.iter().filter(|(_, row)| row.look).map(|(id, _)| id);
        held.chain(&database.unmatched).cloned().collect()
    }

    fn has_ended(&self) -> bool {
        self.shop.database().orders.values().any(|row| row.tracker.is_final())
    }

    /// Delivers a webhook, which is a form.
    pub(crate) fn deliver(&mut self, what: &str, body: &[u8]) -> Result<(), Box<dyn Error>> {
        self.post(what, FORM, body).map(drop)
    }

    /// Posts to the webhook's URL, and prints the answer and the shop's lines.
    pub(crate) fn post(
        &mut self,
        what: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<u16, Box<dyn Error>> {
        // A merchant may ask for two statuses a minute.
        self.sandbox.clock().advance(Duration::from_secs(31));
        let request = Request::post(WEBHOOK_URL).header(CONTENT_TYPE, content_type);
        let request = request.body(Body::from(body.to_vec()))?;
        let status = match pollster::block_on(self.router.clone().oneshot(request)) {
            Ok(answer) => answer.status().as_u16(),
            Err(never) => match never {},
        };
        let _ = writeln!(self.out, "{status}  {what}");
        for line in std::mem::take(&mut *self.shop.log()) {
            let _ = writeln!(self.out, "     {line}");
        }
        Ok(status)
    }
}

/// The type of a webhook's body.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const ORDER: &str = "order_1001";
