//! Peach's part, by V1: one signed read, two a minute, and webhooks.

use super::time::Time;
use super::{Checkout, Scene};
use crate::signed::{SECRET, hex, mac};
use checkout_auth::KeyRing;
use checkout_auth::peach::SecretToken;
use checkout_client::{Watch, peach::Client};
use checkout_lifecycle::Moment;
use checkout_money::Cents;
use checkout_tables::Environment;
use checkout_tables::peach::Currency;
use checkout_transport::Request;
use checkout_trust::peach::{Message, Receiver};
use checkout_trust::replay::{Claim, Guard, MemoryStore};
use checkout_trust::settlement::Read;
use checkout_trust::settlement::peach::Order;
use checkout_validate::peach::{Lookup, MerchantTransactionId};
use checkout_wire::peach::Payment;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

pub struct PeachScene {
    client: Client,
    receiver: Receiver,
    guard: Guard<MemoryStore>,
}

type Fields = BTreeMap<String, String>;

impl Scene for PeachScene {
    type E = Payment<'static>;
    const PATIENCE: [Duration; 2] = [Duration::from_secs(900), Duration::from_secs(2_400)];

    fn new(time: &Time) -> Self {
        let secret = || SecretToken::new(SECRET.into()).expect("a token");
        let builder = Client::builder(ENTITY, secret()).referer("https://shop.example").clock(time.clock());
        Self {
            client: builder.nonces(|| "nonce".to_owned()).build().expect("a client"),
            receiver: Receiver::new(ENTITY, KeyRing::new("1", secret()), Environment::Live),
            guard: Guard::new(MemoryStore::new(STORE)),
        }
    }

    fn watch(&self, checkout: &Checkout) -> Watch<Payment<'static>> {
        self.client.watch(Lookup::from(MerchantTransactionId::new(checkout.id.as_str()).expect("an id")))
    }

    fn asked(&self, request: &Request, all: &[Checkout]) -> Option<usize> {
        let query = request.uri().query()?;
        all.iter().position(|checkout| query.contains(&format!("merchantTransactionId={}", checkout.id)))
    }

    fn truth(&self, _: &Request, checkout: &Checkout, now: Moment) -> (u16, String) {
        let paid = checkout.paid_at.filter(|at| *at <= now);
        let code = if paid.is_some() { "000.000.000" } else { "000.200.100" };
        (200, json(&signed(fields(checkout, code, paid.unwrap_or(UNPAID_AT)))))
    }

    fn limited(&self) -> (u16, String) {
        (429, r#"{"message":"too many requests"}"#.into())
    }

    fn not_found(&self) -> (u16, String) {
        (400, r#"{"result.code":"200.300.404"}"#.into())
    }

    fn lie(&self, _: &Request, checkout: &Checkout, now: Moment, play: &[u8]) -> (u16, String) {
        let [what, code, rest @ ..] = play else { return (200, "{}".into()) };
        let mut fields = fields(checkout, CODES[usize::from(*code) % CODES.len()], now);
        if what & 1 != 0 {
            fields.insert("merchantTransactionId".into(), "somebody-else".into());
        }
        if what & 2 != 0 {
            fields.insert(String::from_utf8_lossy(rest).into_owned(), "1".into());
        }
        if what & 4 == 0 {
            fields = signed(fields);
        }
        if what & 8 != 0 {
            fields.insert("result.description".into(), "changed after it was signed".into());
        }
        (200, json(&fields))
    }

    fn says_paid(&self, status: u16, body: &[u8], checkout: &Checkout) -> bool {
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else { return false };
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let pairs = body.iter().filter(|(key, _)| *key != "signature");
        let pairs: Option<BTreeMap<_, _>> =
            pairs.map(|(key, value)| Some((key.as_bytes(), value.as_str()?))).collect();
        let Some(pairs) = pairs else { return false };
        let mut written = Vec::new();
        for (key, value) in pairs {
            written.extend_from_slice(key);
            written.extend_from_slice(value.as_bytes());
        }
        status == 200
            && text("result.code") == Some("000.000.000")
            && text("merchantTransactionId") == Some(&checkout.id)
            && text("signature") == Some(&hex(&mac(&written)))
    }

    fn settles(&self, read: &Read<Payment<'static>>, checkout: &Checkout) -> bool {
        let order = Order {
            environment: Environment::Live,
            merchant_transaction_id: &checkout.id,
            checkout_id: None,
            amount: Cents::new(14_99),
            currency: Currency::ZAR,
        };
        order.settled_by(read).is_settled()
    }

    fn webhook(&self, checkout: &Checkout, now: Moment, play: &[u8]) -> bool {
        let [what, code, rest @ ..] = play else { return false };
        let mut message = fields(checkout, CODES[usize::from(*code) % CODES.len()], now);
        if what & 1 != 0 {
            message.insert(String::from_utf8_lossy(rest).into_owned(), "1".into());
        }
        let genuine = what & 2 == 0;
        if genuine {
            message = signed(message);
        }
        let body = json(&message);
        let event = self.receiver.webhook(Some("application/json"), body.as_bytes(), now);
        let event = match event {
            Ok(Message::Event(event)) => event,
            Ok(Message::Probe(_)) => panic!("a message about a payment is no probe"),
            Err(error) => {
                assert!(!genuine, "a genuine webhook is refused: {error}");
                return false;
            }
        };
        assert!(genuine, "a forged webhook is an event");
        match self.guard.claim(event.identity(), now).expect("a genuine event finds room") {
            Claim::Fresh(key) => {
                let _ = self.guard.commit(key, now);
                true
            }
            _ => false,
        }
    }

    fn assert_bounded(&self) {
        assert!(self.guard.store().len() <= STORE);
    }
}

fn fields(checkout: &Checkout, code: &str, at: Moment) -> Fields {
    let pairs = [
        ("amount", "14.99"),
        ("currency", "ZAR"),
        ("paymentType", "DB"),
        ("result.code", code),
        ("merchantTransactionId", &checkout.id),
        ("checkoutId", &format!("c{}", checkout.id)),
        ("timestamp", &iso(at.unix_seconds())),
    ];
    let mut fields: Fields = checkout.echo.iter().cloned().collect();
    fields.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
    fields
}

fn signed(mut fields: Fields) -> Fields {
    fields.remove("signature");
    let text: String = fields.iter().flat_map(|(key, value)| [key.as_str(), value]).collect();
    fields.insert("signature".into(), hex(&mac(text.as_bytes())));
    fields
}

fn json(fields: &Fields) -> String {
    serde_json::to_string(fields).expect("texts")
}

/// By the algorithm of days from a civil date, backwards (Hinnant).
fn iso(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) =
        (year + era * 400 + i64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

const CODES: [&str; 8] = [
    "000.000.000",
    "000.200.100",
    "000.200.000",
    "100.396.101",
    "100.396.104",
    "800.100.151",
    "000.100.110",
    "123.456.789",
];
const ENTITY: &str = "8ac7a4ca68c22c4d0168c2caab2e0025";
const STORE: usize = 64;
const UNPAID_AT: Moment = Moment::from_unix_seconds(1_600_000_000);
