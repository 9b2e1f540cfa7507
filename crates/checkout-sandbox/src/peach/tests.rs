mod crowd;
mod door;
mod faults;
mod limits;
mod sent;
mod v2;
mod walk;
mod world;

use super::builder::default_merchant;
use super::form::{Pairs, value_of};
use super::state::LOOKED_FOR;
use super::*;
use crate::Counts;
use std::cell::Cell;
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use checkout_auth::peach::SecretToken;
use checkout_tables::Moment;
use checkout_tables::peach::{Environment, Route};
use checkout_transport::bytes::Bytes;
use checkout_transport::{BODY_CAP, BlockingTransport, Request, Response, Transport, http};
use proptest::prelude::*;
use serde_json::{Value, json};

const HOST: &str = "https://testsecure.peachpayments.com";
const AUTH_HOST: &str = "https://sandbox-dashboard.peachpayments.com";
const FORM: &str = "application/x-www-form-urlencoded";

/// A merchant's back end for these tests.
struct Shop {
    sandbox: Sandbox,
    token: SecretToken,
    entity_id: String,
    nonces: Cell<u32>,
}

impl Shop {
    /// The back end of the one merchant that a sandbox has by default.
    fn of(sandbox: &Sandbox) -> Self {
        Self::with(sandbox, ENTITY_ID, SECRET_TOKEN)
    }

    fn with(sandbox: &Sandbox, entity_id: &str, token: &str) -> Self {
        let token = SecretToken::new(token.into()).unwrap();
        Self { sandbox: sandbox.clone(), token, entity_id: entity_id.to_owned(), nonces: Cell::new(0) }
    }

    /// The back end of a new sandbox without a status limit, whose checkouts go through `scenario`.
    fn playing(scenario: Scenario) -> Self {
        Self::of(&Sandbox::builder().seed(9).status_limit(None).scenario(scenario).build())
    }

    /// The required fields but the signature, with a fresh nonce.
    fn fields(&self, transaction_id: &str) -> Pairs {
        self.nonces.set(self.nonces.get() + 1);
        let nonce = format!("nonce-{}", self.nonces.get());
        pairs(&[
            ("authentication.entityId", &self.entity_id),
            ("merchantTransactionId", transaction_id),
            ("amount", "92.00"),
            ("paymentType", "DB"),
            ("currency", "ZAR"),
            ("nonce", &nonce),
            ("shopperResultUrl", "https://shop.example/done?a=1&b=2"),
        ])
    }

    fn signed(&self, mut fields: Pairs) -> Pairs {
        let signature = self.token.sign(form::borrowed(&fields)).unwrap();
        fields.push(("signature".to_owned(), signature.as_str().to_owned()));
        fields
    }

    fn initiate(&self, fields: Pairs) -> (u16, Value) {
        self.call(post("/checkout/initiate", FORM, &form::encode(&self.signed(fields))))
    }

    /// The id of a new checkout, made by V1.
    fn new_checkout(&self, transaction_id: &str) -> String {
        let (status, reply) = self.initiate(self.fields(transaction_id));
        assert_eq!(status, 201, "{reply}");
        self.sandbox.checkouts().last().unwrap().checkout_id.clone()
    }

    fn status_request(&self, asked: &[(&str, &str)]) -> Request {
        let mut fields = pairs(asked);
        fields.push(("authentication.entityId".to_owned(), self.entity_id.clone()));
        get(&format!("/status?{}", form::encode(&self.signed(fields))))
    }

    fn status(&self, key: &str, value: &str) -> (u16, Value) {
        self.call(self.status_request(&[(key, value)]))
    }

    fn access_token(&self) -> String {
        let credentials =
            json!({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "merchantId": MERCHANT_ID});
        let (status, reply) = self.call(token_request(&credentials));
        assert_eq!(status, 200, "{reply}");
        reply["access_token"].as_str().unwrap().to_owned()
    }

    fn call(&self, request: Request) -> (u16, Value) {
        read(&self.sandbox.send_blocking(request).unwrap())
    }

    fn advance(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    /// True if Peach has signed the fields of a flat reply, taken as texts.
    fn is_signed(&self, flat: &Value) -> bool {
        self.token.verify(form::borrowed(&texts(flat))).is_ok()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The members of an object; a number has its text.
fn texts(flat: &Value) -> Pairs {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    flat.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn post(path: &str, content_type: &str, body: &str) -> Request {
    http::Request::post(format!("{HOST}{path}"))
        .header("Content-Type", content_type)
        .header("Referer", REFERER)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn get(target: &str) -> Request {
    http::Request::get(format!("{HOST}{target}")).body(Bytes::new()).unwrap()
}

fn token_request(credentials: &Value) -> Request {
    http::Request::post(format!("{AUTH_HOST}/api/oauth/token"))
        .header("Content-Type", "application/json")
        .body(Bytes::from(credentials.to_string()))
        .unwrap()
}

fn with_bearer(mut request: Request, token: &str) -> Request {
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn read(response: &Response) -> (u16, Value) {
    let value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), value)
}

/// The HTTP status and the reason of a refusal, in the shape of the reply.
fn refusal((status, reply): &(u16, Value)) -> String {
    let told = [&reply["validation_errors"], &reply["message"], &reply["result.code"]];
    let told = told.into_iter().find(|told| !told.is_null()).cloned().unwrap_or_default();
    format!("{status} {}", told.as_str().map_or_else(|| told.to_string(), str::to_owned))
}

#[test]
fn the_published_request_with_its_published_signature_makes_a_checkout() {
    let token = SecretToken::new("3fcd7cf22f55119eadbe02d14de18c0c".into()).unwrap();
    let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token).domain("shop.example");
    let sandbox = Sandbox::builder().merchant(merchant).build();
    let body = "amount=2&authentication.entityId=8ac7a4ca68c22c4d0168c2caab2e0025&currency=ZAR\
        &defaultPaymentMethod=CARD&merchantTransactionId=Test1234&nonce=JHGJSGHDSKJHGJDHGJH&paymentType=DB\
        &shopperResultUrl=https%3A%2F%2Fwebhook.site%2F4e9b63bf-0d99-4d62-bd24-1d36ca866e1b\
        &signature=311ed8e11e2da00d98c7479ca390a5396fe643e13629d850243dada877963afd";
    let response = sandbox.send_blocking(post("/checkout/initiate", FORM, body)).unwrap();
    assert_eq!(response.status(), 201);
    let altered = body.replace("amount=2", "amount=3");
    let refused = read(&sandbox.send_blocking(post("/checkout/initiate", FORM, &altered)).unwrap());
    assert_eq!(refusal(&refused), "400 The signature is invalid.");
    assert_eq!(sandbox.checkouts().len(), 1);
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let run = |seed| {
        let sandbox = Sandbox::builder().seed(seed).status_limit(None).build();
        let shop = Shop::of(&sandbox);
        let mut seen = Vec::new();
        for name in Scenario::NAMES {
            sandbox.next_checkout(Scenario::by_name(name).unwrap());
            let id = shop.new_checkout("order-0001");
            shop.advance(61);
            seen.push(
                sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap().into_body(),
            );
        }
        (seen, sandbox.webhooks(), shop.access_token())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
}

#[test]
fn ids_pages_and_payments_are_never_the_same() {
    let shop = Shop::playing(Scenario::happy());
    let mut seen = HashSet::new();
    for at in 0..100 {
        let (_, reply) = shop.initiate(shop.fields(&format!("order-{at}")));
        assert!(seen.insert(reply["redirectUrl"].as_str().unwrap().to_owned()));
        let id = shop.sandbox.checkouts()[at].checkout_id.clone();
        shop.advance(60);
        let payment = shop.status("checkoutId", &id).1["id"].as_str().unwrap().to_owned();
        for id in [id, payment] {
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            assert!(seen.insert(id));
        }
    }
}

#[test]
fn the_asynchronous_and_the_blocking_transport_answer_alike() {
    let (one, other) = (Sandbox::new(5), Sandbox::new(5));
    let request = |sandbox| {
        let shop = Shop::of(sandbox);
        post("/checkout/initiate", FORM, &form::encode(&shop.signed(shop.fields("order-0001"))))
    };
    let blocking = one.send_blocking(request(&one)).unwrap();
    let awaited = pollster::block_on(other.send(request(&other))).unwrap();
    assert_eq!((blocking.body(), blocking.headers()), (awaited.body(), awaited.headers()));
    assert_eq!(blocking.headers()["date"], "Thu, 23 May 2024 21:50:00 GMT");
    drop(one.send(request(&one)));
    assert_eq!(one.requests().len(), 1, "nothing happens before the future is polled");
}

#[test]
fn requests_are_recorded_with_their_answers() {
    let shop = Shop::playing(Scenario::happy());
    let id = shop.new_checkout("order-0001");
    shop.advance(9);
    let response = shop.sandbox.send_blocking(shop.status_request(&[("checkoutId", &id)])).unwrap();
    let [first, second] = <[_; 2]>::try_from(shop.sandbox.requests()).unwrap();
    assert_eq!((first.method(), first.path()), ("POST", "/checkout/initiate"));
    assert_eq!((first.host(), first.query()), ("testsecure.peachpayments.com", ""));
    assert!(first.body().starts_with(b"authentication.entityId=8ac7a4ca"));
    assert_eq!((first.answered_status(), first.answered_code()), (201, None));
    assert_eq!((second.answered_status(), second.answered_code()), (200, Some("000.200.100")));
    assert_eq!(
        (second.at(), second.answered_body()),
        (Moment::from_unix_millis(1_716_501_009_000), response.body())
    );
    assert!(second.answer_arrived() && second.query().contains("signature="));
}

#[test]
fn debug_shows_no_secret_no_signature_and_nothing_of_a_payer() {
    let shop = Shop::playing(Scenario::happy());
    let mut fields = shop.fields("order-0001");
    fields.extend(pairs(&[("customer.email", "payer@mail.example"), ("customParameters[who]", "Payer Tom")]));
    shop.initiate(fields);
    let access_token = shop.access_token();
    shop.advance(60);
    let id = shop.sandbox.checkouts()[0].checkout_id.clone();
    let (_, flat) = shop.status("checkoutId", &id);
    let sandbox = &shop.sandbox;
    let shown = format!(
        "{sandbox:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        sandbox.requests(),
        sandbox.checkouts(),
        sandbox.status_requests(ENTITY_ID),
        sandbox.webhooks(),
        sandbox.shopper_return(&id),
        Sandbox::builder().merchant(default_merchant()),
    );
    let signature = flat["signature"].as_str().unwrap();
    let holder = flat["card.holder"].as_str().unwrap();
    assert!(holder.starts_with("Payer "));
    let hidden = [SECRET_TOKEN, CLIENT_SECRET, &access_token, signature, "Payer", "payer", "411111", "2039"];
    for hidden in hidden {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("checkouts: 1, requests: 3") && shown.contains(&id), "{shown}");
}

#[test]
fn checkouts_are_listed_in_the_order_of_their_creation() {
    let shop = Shop::playing(Scenario::never_opened());
    shop.sandbox.next_checkout(Scenario::cancelled());
    shop.sandbox.next_checkout(Scenario::authorized());
    for id in ["order-a", "order-b", "order-c"] {
        shop.new_checkout(id);
    }
    shop.advance(100);
    let told: Vec<_> = shop
        .sandbox
        .checkouts()
        .into_iter()
        .map(|checkout| (checkout.merchant_transaction_id, checkout.scenario, checkout.code))
        .collect();
    let expected = [
        ("order-a", "cancelled", "100.396.101"),
        ("order-b", "authorized", "000.100.110"),
        ("order-c", "never_opened", "700.400.580"),
    ];
    let expected = expected.map(|(id, name, code)| (id.to_owned(), name.to_owned(), code.to_owned()));
    assert_eq!(told, expected);
    let first = shop.sandbox.checkouts().swap_remove(1);
    assert_eq!((&*first.amount, &*first.currency, &*first.payment_type), ("92.00", "ZAR", "DB"));
    assert_eq!(
        (&*first.entity_id, first.created_at),
        (ENTITY_ID, Moment::from_unix_millis(1_716_501_000_000))
    );
}

#[test]
fn a_sandbox_is_shared_between_threads() {
    let sandbox = Sandbox::new(5);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let sandbox = sandbox.clone();
            scope.spawn(move || {
                let shop = Shop::of(&sandbox);
                (0..50).for_each(|at| {
                    shop.new_checkout(&format!("order-{thread}-{at}"));
                });
            });
        }
    });
    let ids: HashSet<String> = sandbox.checkouts().into_iter().map(|checkout| checkout.checkout_id).collect();
    assert_eq!(ids.len(), 200);
}
