//! AllScale: the event says that an intent was paid, and nothing else; a read returns the whole intent.

use crate::provider::{Course, Hint, Money, Provider, Telling};
use checkout_auth::KeyRing;
use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::webhook::{Webhook, WebhookRequest};
use checkout_lifecycle::{Moment, Observation, Status};
use checkout_money::Cents;
use checkout_tables::Environment;
use checkout_tables::allscale::IntentStatus::{
    self, Canceled, Confirmed, Created, Failed, ManualOperation, OnChain, SendBack, TempWalletReceived,
    Timeout, Underpaid, Viewed,
};
use checkout_tables::allscale::StableCoin;
use checkout_trust::Verified;
use checkout_trust::allscale::{Event, Receiver};
use checkout_trust::settlement::allscale::{Order, OrderPrice};
use checkout_trust::settlement::{Policy, Read};
use checkout_wire::allscale::{Intent, read};
use checkout_wire::{Head, Reply};
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) struct AllScale {
    key: SigningKey,
    receiver: Receiver,
    policy: Policy,
    answers: HashMap<(usize, usize, Money), Rc<Read<Intent<'static>>>>,
}

#[derive(Clone)]
pub(crate) struct Message {
    headers: [(&'static str, String); 5],
    body: Rc<[u8]>,
}

impl Provider for AllScale {
    type Status = IntentStatus;
    type Raw = i64;
    type Message = Message;
    type Event = Event;
    type Read = Read<Intent<'static>>;

    const NAME: &'static str = "AllScale";
    const COURSES: &'static [Course<IntentStatus>] = &[
        course(&[Created, Viewed, OnChain, Confirmed], &[None, None, Some(0), Some(0)], Money::All),
        course(&[Created, Confirmed], &[None, Some(0)], Money::All),
        course(
            &[Created, Viewed, TempWalletReceived, ManualOperation, Confirmed],
            &[None, None, None, None, Some(0)],
            Money::All,
        ),
        course(&[Created, Viewed, Timeout], &[None, None, None], Money::Nothing),
        course(&[Created, Canceled], &[None, None], Money::Nothing),
        course(&[Created, OnChain, SendBack, Underpaid], &[None, Some(0), None, Some(0)], Money::Nothing),
        course(
            &[Created, Viewed, Timeout, OnChain, Confirmed],
            &[None, None, None, Some(0), Some(0)],
            Money::All,
        ),
        course(&[Created, Viewed, Canceled, Confirmed], &[None, None, None, Some(0)], Money::All),
        course(
            &[Created, Viewed, OnChain, Failed, OnChain, Confirmed],
            &[None, None, Some(0), None, Some(1), None],
            Money::All,
        ),
        course(&[Created, OnChain, Confirmed], &[None, Some(0), Some(1)], Money::Less),
        course(&[Created, Timeout, Confirmed], &[None, None, Some(0)], Money::Less),
        course(&[Created, OnChain, Confirmed], &[None, None, Some(0)], Money::Unsaid),
    ];

    fn new() -> Self {
        let key = SigningKey::new("model_key", "model_secret".into()).unwrap();
        let receiver = Receiver::new("shop", KeyRing::new("only", key.clone()));
        Self { key, receiver, policy: Policy::default(), answers: HashMap::new() }
    }

    fn send(&self, telling: Telling<IntentStatus>, attempt: u32, now: i64) -> Message {
        let Telling { order, number, .. } = telling;
        // Another webhook reports each event of the transaction.
        let webhook_id = format!("wh_{order}_{number}_{}", telling.status.value());
        let body = format!(
            r#"{{"all_scale_transaction_id":"tx_{order}_{number}",
                "all_scale_checkout_intent_id":"intent_{order}","webhook_id":"{webhook_id}",
                "order_id":"order_{order}"}}"#
        );
        let (timestamp, nonce) = (now.div_euclid(1_000), format!("nonce_{attempt}"));
        let to_sign = Webhook {
            method: "POST",
            path: PATH,
            query: "",
            webhook_id: &webhook_id,
            timestamp,
            nonce: &nonce,
            body: body.as_bytes(),
        };
        let signature = to_sign.sign(&self.key).unwrap().as_str().to_owned();
        let headers = [
            ("X-API-Key", self.key.api_key().to_owned()),
            ("X-Webhook-Id", webhook_id),
            ("X-Webhook-Timestamp", timestamp.to_string()),
            ("X-Webhook-Nonce", nonce),
            ("X-Webhook-Signature", signature),
        ];
        Message { headers, body: body.into_bytes().into() }
    }

    fn receive(&self, message: &Message, now: i64) -> Result<Verified<Event>, u16> {
        let Message { headers, body } = message;
        let request = WebhookRequest { method: "POST", path: PATH, query: "", headers, body };
        self.receiver.receive(&request, Moment::from_unix_millis(now)).map_err(|error| error.http_status())
    }

    fn order(event: &Verified<Event>) -> usize {
        event.content().order_id().unwrap().strip_prefix("order_").unwrap().parse().unwrap()
    }

    fn hint(_: &Verified<Event>) -> Hint<Self> {
        Hint { observation: None, wants_a_read: true }
    }

    fn answer(&mut self, order: usize, status: IntentStatus, _: i64, money: Money) -> Rc<Self::Read> {
        let written = || {
            let paid = match (status, money) {
                (Confirmed, Money::All) => r#""10.00""#,
                (Confirmed, Money::Less) | (Underpaid | SendBack, _) => r#""9.99""#,
                _ => "null",
            };
            let body = format!(
                r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"intent_{order}",
                    "order_id":"order_{order}","amount_coins":"10.00","coin_symbol":"USDT","status":{},
                    "actual_paid_amount":{paid}}}}}"#,
                status.value()
            );
            match read::<Intent<'_>>(&Head::new(200), body.as_bytes()) {
                Ok(Reply::Done(answer)) => {
                    Rc::new(Read::answer(answer.payload.into_owned(), Environment::Live))
                }
                other => panic!("{other:?}"),
            }
        };
        self.answers.entry((order, status.position(), money)).or_insert_with(written).clone()
    }

    fn observed(read: &Self::Read, sent: i64) -> Observation<IntentStatus> {
        Observation::read(read.payload().status, Moment::from_unix_millis(sent))
    }

    fn settles(&self, order: usize, read: &Self::Read) -> bool {
        let order = Order {
            environment: Environment::Live,
            id: ["order_0", "order_1"][order],
            intent_id: ["intent_0", "intent_1"][order],
            price: OrderPrice::Coin { coin: StableCoin::USDT, amount: Cents::new(10_00) },
        };
        order.settled_by_with(read, &self.policy).is_settled()
    }
}

const fn course(
    statuses: &'static [IntentStatus],
    told: &'static [Option<u8>],
    money: Money,
) -> Course<IntentStatus> {
    Course { statuses, told, money }
}

const PATH: &str = "/hooks/allscale";
