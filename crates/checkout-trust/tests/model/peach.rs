//! Peach: the event has the status and the time; a success is read.

use crate::provider::{BEGIN, Course, Hint, Money, Provider, Telling};
use checkout_auth::KeyRing;
use checkout_auth::peach::SecretToken;
use checkout_lifecycle::{Moment, Observation, Status};
use checkout_money::Cents;
use checkout_tables::peach::PaymentStatus::{
    self, Authorized, Cancelled, Created, Expired, Pending, Successful,
};
use checkout_tables::peach::{Currency, Outcome};
use checkout_tables::{Environment, Open};
use checkout_trust::Verified;
use checkout_trust::peach::{self, Event, Receiver};
use checkout_trust::settlement::peach::Order;
use checkout_trust::settlement::{Policy, Read};
use checkout_wire::peach::{Payment, read_payment};
use checkout_wire::{Head, Reply};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) struct Peach {
    secret: SecretToken,
    receiver: Receiver,
    policy: Policy,
    answers: HashMap<(usize, usize, i64, Money), Rc<Read<Payment<'static>>>>,
}

#[derive(Clone)]
pub(crate) struct Message {
    form: Rc<[u8]>,
    by_the_shopper: bool,
}

impl Provider for Peach {
    type Status = PaymentStatus;
    type Raw = Outcome<Cow<'static, str>>;
    type Message = Message;
    type Event = Event;
    type Read = Read<Payment<'static>>;

    const NAME: &'static str = "Peach";
    const COURSES: &'static [Course<PaymentStatus>] = &[
        course(&[Created, Pending, Successful], Money::All),
        course(&[Created, Successful], Money::All),
        course(&[Created, Cancelled], Money::Nothing),
        course(&[Created, Pending, Expired], Money::Nothing),
        course(&[Created, Cancelled, Successful], Money::All),
        course(&[Created, Pending, Expired, Successful], Money::All),
        course(&[Created, Pending, Successful], Money::Less),
        course(&[Created, Cancelled, Successful], Money::Less),
        course(&[Created, Successful], Money::Unsaid),
        course(&[Created, Pending, Authorized], Money::Nothing),
    ];

    fn new() -> Self {
        let secret = SecretToken::new("model_secret_token".into()).unwrap();
        let receiver = Receiver::new("entity", KeyRing::new("only", secret.clone()), Environment::Live);
        Self { secret, receiver, policy: Policy::default(), answers: HashMap::new() }
    }

    fn send(&self, telling: Telling<PaymentStatus>, attempt: u32, _: i64) -> Message {
        let pairs = pairs(telling.order, telling.status, telling.changed, telling.money);
        let signature = self.secret.sign(pairs.iter().map(|(key, value)| (*key, &**value))).unwrap();
        let mut form = String::with_capacity(320);
        for (key, value) in &pairs {
            form.push_str(key);
            form.push('=');
            form.push_str(value);
            form.push('&');
        }
        form.push_str("signature=");
        form.push_str(signature.as_str());
        // The shopper brings every third message.
        Message { form: form.into_bytes().into(), by_the_shopper: attempt % 3 == 2 }
    }

    fn receive(&self, message: &Message, now: i64) -> Result<Verified<Event>, u16> {
        let now = Moment::from_unix_millis(now);
        let received = match message.by_the_shopper {
            true => self.receiver.shopper_return(&message.form, now),
            false => match self.receiver.webhook(None, &message.form, now) {
                Ok(peach::Message::Event(event)) => Ok(event),
                Ok(peach::Message::Probe(probe)) => return Err(probe.http_status()),
                Err(error) => Err(error),
            },
        };
        received.map_err(|error| error.http_status())
    }

    fn order(event: &Verified<Event>) -> usize {
        let id = event.content().payment().merchant_transaction_id().unwrap();
        id.strip_prefix("order_").unwrap().parse().unwrap()
    }

    fn hint(event: &Verified<Event>) -> Hint<Self> {
        Hint { observation: event.observation(), wants_a_read: event.wants_a_read() }
    }

    fn answer(&mut self, order: usize, status: PaymentStatus, changed: i64, money: Money) -> Rc<Self::Read> {
        let written = || {
            let pairs = pairs(order, status, changed, money);
            let fields: Vec<_> = pairs.iter().map(|(key, value)| format!(r#""{key}":"{value}""#)).collect();
            let body = format!("{{{}}}", fields.join(","));
            match read_payment(&Head::new(200), body.as_bytes(), Environment::Live) {
                Ok(Reply::Done(answer)) => {
                    Rc::new(Read::answer(answer.payload.into_owned(), Environment::Live))
                }
                other => panic!("{other:?}"),
            }
        };
        self.answers.entry((order, status.position(), changed, money)).or_insert_with(written).clone()
    }

    fn observed(read: &Self::Read, _: i64) -> Observation<PaymentStatus, Self::Raw> {
        let payment = read.payload();
        let status = match payment.status().unwrap() {
            Open::Known(status) => Open::Known(status),
            Open::Unknown(_) => panic!("the model has no code that nobody knows"),
        };
        Observation::read_ordered(status, payment.moment())
    }

    fn settles(&self, order: usize, read: &Self::Read) -> bool {
        let order = Order {
            environment: Environment::Live,
            merchant_transaction_id: ["order_0", "order_1"][order],
            checkout_id: Some(["c0", "c1"][order]),
            amount: Cents::new(14_99),
            currency: Currency::ZAR,
        };
        order.settled_by_with(read, &self.policy).is_settled()
    }
}

/// The signed pairs. A success has the money.
fn pairs(
    order: usize,
    status: PaymentStatus,
    changed: i64,
    money: Money,
) -> [(&'static str, Cow<'static, str>); 7] {
    let code = match status {
        Created => "000.200.100",
        Pending => "000.200.000",
        Successful | Authorized => "000.000.000",
        Cancelled => "100.396.101",
        Expired => "100.396.104",
    };
    let amount = match (status, money) {
        (Successful, Money::Less) => "14.98",
        (Successful, Money::Unsaid) => "",
        _ => "14.99",
    };
    let payment_type = if status == Authorized { "PA" } else { "DB" };
    [
        ("amount", amount.into()),
        ("checkoutId", ["c0", "c1"][order].into()),
        ("currency", "ZAR".into()),
        ("merchantTransactionId", ["order_0", "order_1"][order].into()),
        ("paymentType", payment_type.into()),
        ("result.code", code.into()),
        ("timestamp", written(changed).into()),
    ]
}

/// A moment of the first days of a run, as Peach writes it.
fn written(millis: i64) -> String {
    let (day, rest) = ((millis - BEGIN) / 86_400_000, (millis - BEGIN) % 86_400_000);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    assert!(day < 9, "the month ends");
    format!("2024-05-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", 23 + day, rest % 1_000)
}

const fn course(statuses: &'static [PaymentStatus], money: Money) -> Course<PaymentStatus> {
    Course { statuses, told: &[Some(0), Some(1), Some(2), Some(3)], money }
}
