//! AllScale's part: a bare status, and the whole intent.

use super::time::Time;
use super::{Checkout, Scene};
use checkout_auth::allscale::SigningKey;
use checkout_client::{Watch, allscale::Client};
use checkout_lifecycle::Moment;
use checkout_money::Cents;
use checkout_tables::Environment;
use checkout_tables::allscale::StableCoin;
use checkout_transport::Request;
use checkout_trust::settlement::Read;
use checkout_trust::settlement::allscale::{Order, OrderPrice};
use checkout_wire::allscale::Intent;
use serde_json::{Value, json};
use std::time::Duration;

pub struct AllScaleScene(Client);

impl Scene for AllScaleScene {
    type E = Intent<'static>;
    const PATIENCE: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(900)];

    fn new(time: &Time) -> Self {
        let key = SigningKey::new("st_key", "st_secret".into()).expect("a key");
        Self(
            Client::builder(key).clock(time.clock()).nonces(|| "nonce".to_owned()).build().expect("a client"),
        )
    }

    fn watch(&self, checkout: &Checkout) -> Watch<Intent<'static>> {
        self.0.watch(&checkout.id).expect("an id")
    }

    fn asked(&self, request: &Request, all: &[Checkout]) -> Option<usize> {
        all.iter().position(|checkout| request.uri().path().contains(&checkout.id))
    }

    fn truth(&self, request: &Request, checkout: &Checkout, now: Moment) -> (u16, String) {
        let paid = checkout.paid_at.is_some_and(|at| at <= now);
        (200, answer(request, checkout, if paid { 20 } else { 2 }))
    }

    fn limited(&self) -> (u16, String) {
        (429, refusal(40_001))
    }

    fn not_found(&self) -> (u16, String) {
        (404, refusal(50_001))
    }

    fn lie(&self, request: &Request, checkout: &Checkout, _: Moment, play: &[u8]) -> (u16, String) {
        let [what, status, ..] = play else { return (200, "{}".into()) };
        let other = Checkout { id: "65b2f3d0d2d9c0a1b2c3d4e5".into(), ..checkout.clone() };
        let checkout = if what & 1 == 0 { checkout } else { &other };
        let statuses = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 10, 20, 21, 99];
        (200, answer(request, checkout, statuses[usize::from(*status) % statuses.len()]))
    }

    fn says_paid(&self, _: u16, body: &[u8], checkout: &Checkout) -> bool {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
        let intent = &body["payload"];
        body["code"] == 0
            && intent["status"] == 20
            && intent["all_scale_checkout_intent_id"] == checkout.id.as_str()
            && intent["actual_paid_amount"] == "10.0000"
    }

    fn settles(&self, read: &Read<Intent<'static>>, checkout: &Checkout) -> bool {
        let order = Order {
            environment: Environment::Live,
            id: &format!("order_{}", checkout.number),
            intent_id: &checkout.id,
            price: OrderPrice::Coin { coin: StableCoin::USDT, amount: Cents::new(10_00) },
        };
        order.settled_by(read).is_settled()
    }

    /// A webhook has no status: the caller reads the checkout.
    fn webhook(&self, _: &Checkout, _: Moment, play: &[u8]) -> bool {
        play.first().is_some_and(|first| first & 1 == 0)
    }

    fn assert_bounded(&self) {}
}

fn answer(request: &Request, checkout: &Checkout, status: i64) -> String {
    if request.uri().path().ends_with("/status") {
        return json!({"code": 0, "payload": status, "error": null, "request_id": "req_1"}).to_string();
    }
    let mut payload = json!({
        "all_scale_checkout_intent_id": checkout.id,
        "amount_coins": "10.0000",
        "coin_symbol": "USDT",
        "status": status,
        "order_id": format!("order_{}", checkout.number),
        "tx_to": "0xmerchant",
        "payment_method_type": 1,
    });
    if status == 20 {
        payload["actual_paid_amount"] = "10.0000".into();
    }
    // Texts that decide nothing repeat texts that a person has typed in.
    for ((_, value), field) in checkout.echo.iter().zip(["user_name", "order_description", "error_message"]) {
        payload[field] = value.as_str().into();
    }
    json!({"code": 0, "payload": payload, "error": null, "request_id": "req_1"}).to_string()
}

fn refusal(code: i64) -> String {
    json!({"code": code, "payload": null, "error": {"message": "no"}, "request_id": "req_1"}).to_string()
}
