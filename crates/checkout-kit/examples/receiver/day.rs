//! A day of webhooks, and the orders behind them.

use super::{COINS, Delivery, PRICE, Row, Shop};
use checkout_kit::Tracker;
use checkout_kit::allscale::webhook::{Webhook, WebhookRequest};
use checkout_kit::allscale::{CreatedIntent, Currency, Draft, IntentStatus, SigningKey};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Fault, Scenario};
use std::error::Error;
use std::time::Duration;

/// The acts of the provider, the payer and the network.
impl Shop {
    /// Creates an order's intent. The shop does not save the answer yet.
    pub(crate) fn create(
        &self,
        order_id: &str,
        scenario: Scenario,
    ) -> Result<CreatedIntent<'static>, Box<dyn Error>> {
        self.sandbox.next_intent(scenario);
        let draft = Draft::fiat(Currency::EUR, PRICE).order_id(order_id).accept(COINS).check()?;
        Ok(self.client.create(&draft).send_blocking(&self.sandbox)?.payload)
    }

    /// `insert into orders …`, which fails if there is an order with this id.
    pub(crate) fn save(&self, order_id: &str, created: &CreatedIntent<'_>) -> Result<(), Box<dyn Error>> {
        let row = Row {
            intent_id: created.intent_id.to_string(),
            owed: created.amount_coins,
            tracker: Tracker::<IntentStatus>::new().to_string(),
            look: None,
        };
        let orders = &mut self.database().orders;
        if orders.contains_key(order_id) {
            return Err("there is an order of this id".into());
        }
        orders.insert(order_id.to_owned(), row);
        Ok(())
    }

    /// `delete from orders where id = $id`.
    pub(crate) fn remove(&self, order_id: &str) {
        self.database().orders.remove(order_id);
    }

    /// Sells something, and returns the webhook once the payment is through.
    pub(crate) fn sell(&self, order_id: &str, scenario: Scenario) -> Result<Delivery, Box<dyn Error>> {
        let created = self.create(order_id, scenario)?;
        self.save(order_id, &created)?;
        self.wait(3_600);
        self.webhook(&created.intent_id, order_id, order_id)
    }

    /// A webhook of a transaction, signed as AllScale signs it.
    pub(crate) fn webhook(
        &self,
        intent_id: &str,
        order_id: &str,
        transaction: &str,
    ) -> Result<Delivery, Box<dyn Error>> {
        let body = format!(
            r#"{{"all_scale_transaction_id":"txn-{transaction}","all_scale_checkout_intent_id":"{intent_id}","webhook_id":"wh-{transaction}","order_id":"{order_id}","user_name":"Ada"}}"#
        );
        self.signed(transaction, &format!("n-{transaction}"), body.into_bytes())
    }

    pub(crate) fn signed(
        &self,
        transaction: &str,
        nonce: &str,
        body: Vec<u8>,
    ) -> Result<Delivery, Box<dyn Error>> {
        let (webhook_id, timestamp) = (format!("wh-{transaction}"), self.now().unix_seconds());
        let to_sign = Webhook {
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
    pub(crate) fn break_the_next_read(&self) {
        self.sandbox.inject(Fault::HtmlBadGateway);
    }

    /// Another process has claimed the event.
    pub(crate) fn claim_elsewhere(&self, delivery: &Delivery) -> Result<(), Box<dyn Error>> {
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

    pub(crate) fn wait(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    /// The next reads say these statuses, one status each.
    pub(crate) fn read_as(&self, statuses: &[i64]) {
        statuses.iter().for_each(|status| self.sandbox.inject(Fault::TamperedStatus(*status)));
    }
}

/// Plays a day of webhooks, each handed to `post`, which returns the status that the sender sees.
pub(crate) fn play(
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
    let paid = shop.sell("order_1", Scenario::happy())?;
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

    let rough = shop.sell("order_2", Scenario::happy())?;
    shop.break_the_next_read();
    tell("while the read fails", &rough);
    tell("sent again", &rough);

    let busy = shop.sell("order_3", Scenario::happy())?;
    shop.claim_elsewhere(&busy)?;
    tell("while another process is at it", &busy);
    shop.wait(61);
    tell("after that process has died", &busy);

    let short = shop.sell("order_4", Scenario::underpaid())?;
    tell("of an order that was paid by half", &short);
    let early = shop.sell("order_5", Scenario::never_paid())?;
    tell("of an order that nobody has paid", &early);

    // The payer was faster than the shop's own write.
    let quick = shop.create("order_6", Scenario::happy())?;
    shop.wait(3_600);
    let early = shop.webhook(&quick.intent_id, "order_6", "order_6")?;
    tell("of an order whose row is not written yet", &early);
    shop.save("order_6", &quick)?;
    tell("sent again, when it is", &early);

    let late = shop.create("order_7", Scenario::late_success())?;
    shop.save("order_7", &late)?;
    shop.wait(40 * 60);
    pollster::block_on(shop.poll("order_7"))?; // it has expired
    let _ = shop.said();
    shop.wait(3_600);
    tell(
        "of an order that was given up, and is paid after all",
        &shop.webhook(&late.intent_id, "order_7", "order_7")?,
    );

    let settled = shop.sell("order_10", Scenario::happy())?;
    tell("of an order that is paid", &settled);
    shop.wait(60);
    shop.read_as(&[-1]);
    let again = shop.webhook(&shop.intent_of("order_10")?, "order_10", "order_10b")?;
    tell("of the same, when a read contradicts it", &again);

    let twice = shop.create("order_1", Scenario::happy())?;
    shop.wait(3_600);
    tell(
        "of another intent that names the first order",
        &shop.webhook(&twice.intent_id, "order_1", "order_1b")?,
    );
    let strange = shop.webhook("65b2f3d0d2d9c0a1b2c3d4e5", "order_9", "order_9")?;
    tell("of an intent that is nobody's", &strange);
    let gone = shop.sell("order_8", Scenario::happy())?;
    shop.remove("order_8");
    tell("of an order whose row is gone", &gone);
    shop.wait(301);
    tell("the first one, hours late", &paid);
    let _ = writeln!(out, "to ship: {}", shop.outbox().join(", "));
    for (order, why) in shop.held() {
        let _ = writeln!(out, "for a person: {order}: {why}");
    }
    for _intent in shop.to_match() {
        let _ = writeln!(out, "for a person: an event of an intent that is no order's");
    }
    Ok(())
}

const PATH: &str = "/hooks/allscale";
