//! The requests that leave the client and the traces that a subscriber gets, in one picture for each
//! provider: `tests/snapshots`.
//!
//! The facts of a request come from the pages and are typed in each provider's own tests. A snapshot holds
//! the rest of the bytes, so that no change of them goes unseen.
//! `INSTA_UPDATE=always cargo test -p checkout-client --all-features --test snapshots` renews them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::peach::v2;
use checkout_client::{Call, NonceSource, Readable, allscale, azotte, peach};
use checkout_money::Cents;
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, StableCoin};
use checkout_tables::azotte::PaymentChannel;
use checkout_tables::peach::Currency as PeachCurrency;
use checkout_transport::Request;
use checkout_validate::peach::{InitiateCheckout, Lookup, MerchantTransactionId};
use checkout_validate::{allscale as draft_allscale, azotte as draft_azotte, peach as draft_peach};
use std::sync::atomic::{AtomicU64, Ordering};

const NOW: Moment = Moment::from_unix_millis(1_716_501_000_000);
const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b77";

/// Texts that must not be seen, each with the mark that stands for the text in a picture.
const SECRETS: [(&str, &str); 13] = [
    ("st_planted_key", "<api key>"),
    ("st_planted_secret", "<api secret>"),
    ("sk_planted_key", "<api key>"),
    ("planted_secret_token_77", "<secret token>"),
    ("planted_client_secret_88", "<client secret>"),
    ("planted_access_token_99", "<access token>"),
    ("4111111111111111", "<card number>"),
    ("9173", "<cvc>"),
    ("Nora Planted", "<name>"),
    ("nora.planted@shop.example", "<mail>"),
    ("203.0.113.77", "<address>"),
    ("urn:planted:42", "<customer>"),
    ("user-planted-88", "<user>"),
];

fn nonces() -> impl NonceSource {
    let last = AtomicU64::new(0);
    move || format!("nonce-{}", last.fetch_add(1, Ordering::Relaxed) + 1)
}

fn allscale() -> allscale::Client {
    let key = SigningKey::new("st_planted_key", "st_planted_secret".into()).unwrap();
    allscale::Client::builder(key).clock(|| NOW).nonces(nonces()).build().unwrap()
}

fn azotte() -> azotte::Client {
    let builder =
        azotte::Client::builder("acme", "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_planted_key".into());
    builder.environment(Environment::Sandbox).clock(|| NOW).build().unwrap()
}

fn secret_token() -> SecretToken {
    SecretToken::new("planted_secret_token_77".into()).unwrap()
}

fn peach() -> peach::Client {
    let builder = peach::Client::builder(ENTITY, secret_token()).environment(Environment::Sandbox);
    builder.referer("https://shop.example").clock(|| NOW).nonces(nonces()).build().unwrap()
}

fn peach_v2() -> v2::Client {
    let credentials = v2::Credentials {
        client_id: "my_client".into(),
        client_secret: "planted_client_secret_88".into(),
        merchant_id: "my_merchant".into(),
    };
    let builder = v2::Client::builder(ENTITY, credentials).environment(Environment::Sandbox);
    let builder = builder.referer("https://shop.example").secret_token(secret_token());
    let client = builder.clock(|| NOW).nonces(nonces()).build().unwrap();
    let body = r#"{"access_token":"planted_access_token_99","expires_in":"3600","token_type":"Bearer"}"#;
    client.authenticate_blocking(&answering(200, "application/json", body)).unwrap();
    client
}

fn intent(draft: draft_allscale::Draft<'static>) -> draft_allscale::CreateIntent<'static> {
    let draft = draft.order_id("order-1").user("user-planted-88", "Nora Planted");
    draft.order_description("Two \"ü\" & more").check().unwrap()
}

fn submit(draft: draft_azotte::Draft<'static>) -> draft_azotte::SubmitCheckout<'static> {
    let draft = draft.offer_identifier("off_1").correlation_id("order-1").item("plan_gold");
    let draft = draft.customer_urn("urn:planted:42").ip_address("203.0.113.77");
    draft.check().unwrap()
}

fn card() -> draft_azotte::SubmitCheckout<'static> {
    let card = draft_azotte::CardDraft::new("4111111111111111", "12", "2039").cvc("9173");
    submit(draft_azotte::Draft::new_card(card.card_holder_name("Nora Planted").card_alias("Nora Planted")))
}

fn checkout() -> InitiateCheckout<'static> {
    let draft = draft_peach::Draft::debit(PeachCurrency::ZAR, Cents::new(9_200)).entity_id(ENTITY);
    let draft =
        draft.merchant_transaction_id("order-1").shopper_result_url("https://shop.example/done?a=1&b=2");
    let draft = draft
        .custom_parameter("note", "two \"ü\" & more")
        .field("customer.email", "nora.planted@shop.example");
    draft.check().unwrap()
}

fn lookup() -> Lookup<'static> {
    MerchantTransactionId::new("order-1").unwrap().into()
}

/// One attempt as it goes out, with a mark where a secret is.
fn sent<T: Readable>(name: &str, call: &Call<T>) -> String {
    let attempt = call.attempt(NOW, "nonce-1").unwrap();
    format!("# {name}\n{}\n", masked(attempt.request()))
}

fn masked(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap();
        let marked = if name.as_str().contains("signature") { "<signature>" } else { value };
        text += &format!("{name}: {marked}\n");
    }
    text += &format!("\n{}\n", std::str::from_utf8(request.body()).unwrap());
    unseen(&hex_of_a_signature(&text))
}

/// Every run of 64 hexadecimal digits as a mark.
fn hex_of_a_signature(text: &str) -> String {
    let mut marked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(at);
        let (run, after) = from.split_at(from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len()));
        marked += before;
        marked += if run.len() == 64 { "<signature>" } else { run };
        rest = after;
    }
    marked + rest
}

fn unseen(text: &str) -> String {
    SECRETS.iter().fold(text.to_owned(), |text, (secret, mark)| text.replace(secret, mark))
}

fn answering(
    status: u16,
    kind: &'static str,
    body: &'static str,
) -> impl checkout_transport::BlockingTransport {
    checkout_transport::from_fn_blocking(move |_| {
        let response =
            checkout_transport::http::Response::builder().status(status).header("content-type", kind);
        Ok(response.body(checkout_transport::bytes::Bytes::from_static(body.as_bytes())).unwrap())
    })
}

#[test]
fn requests_of_allscale() {
    let client = allscale();
    let fiat =
        intent(draft_allscale::Draft::fiat(Currency::EUR, Cents::new(4_990)).accept([StableCoin::USDT]));
    let coin = intent(draft_allscale::Draft::coin(StableCoin::USDC, Cents::new(1_000)));
    let picture = [
        sent("create, priced in a currency", &client.create(&fiat)),
        sent("create, priced in a coin", &client.create(&coin)),
        sent("get", &client.get("ci_1").unwrap()),
        sent("status", &client.status("ci_1").unwrap()),
        sent("ping", &client.ping()),
        sent("fail", &client.fail()),
    ]
    .join("\n");
    insta::assert_snapshot!(picture);
}

#[test]
fn requests_of_azotte() {
    let client = azotte();
    let stored = submit(draft_azotte::Draft::stored_method(PaymentChannel::CreditCard));
    let picture = [
        sent("submit, with a card", &client.submit(&card())),
        sent("submit, with a stored method", &client.submit(&stored)),
        sent("status", &client.status("trk_1").unwrap()),
    ]
    .join("\n");
    insta::assert_snapshot!(picture);
}

#[test]
fn requests_of_peach() {
    let (client, second) = (peach(), peach_v2());
    let picture = [
        sent("V1 initiate", &client.initiate(&checkout()).unwrap()),
        sent("V1 validate", &client.validate(&checkout()).unwrap()),
        sent("V1 status", &client.status(lookup())),
        sent("V2 token", &second.token()),
        sent("V2 create", &second.create(&checkout()).unwrap()),
        sent("V2 status", &second.status("8ac7a4c8checkout").unwrap()),
    ]
    .join("\n");
    insta::assert_snapshot!(picture);
}

#[cfg(feature = "tracing")]
mod traces {
    use super::{
        Call, Readable, SECRETS, allscale, answering, azotte, card, checkout, intent, lookup, peach, peach_v2,
    };
    use checkout_money::Cents;
    use checkout_tables::allscale::Currency;
    use checkout_transport::{TransportError, from_fn_blocking};
    use checkout_validate::allscale::Draft;
    use std::fmt::Debug;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// Every span, record and event, one a line.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<String>>, Arc<AtomicU64>);

    struct Fields(String);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0 += &format!(" {}={value:?}", field.name());
        }
    }

    impl Lines {
        fn write(&self, begin: &str, record: impl FnOnce(&mut Fields)) {
            let mut fields = Fields(begin.to_owned());
            record(&mut fields);
            *self.0.lock().unwrap() += &format!("{}\n", fields.0);
        }
    }

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let metadata = span.metadata();
            let begin = format!("{} span {}:", metadata.level(), metadata.name());
            self.write(&begin, |fields| span.record(fields));
            Id::from_u64(self.1.fetch_add(1, Ordering::Relaxed) + 1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            self.write("  records", |fields| values.record(fields));
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.write(&format!("  {} event", event.metadata().level()), |fields| event.record(fields));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// The trace that a subscriber gets of the call, for every end of the call. Every response is full of
    /// secrets.
    fn told<T: Readable>(name: &str, call: &Call<T>) -> String {
        let lines = Lines::default();
        let planted = SECRETS.map(|(secret, _)| secret).join(" ");
        let json = |body: String| &*Box::leak(body.into_boxed_str());
        let refusal = json(format!(
            r#"{{"code":10001,"error":{{"message":"{planted}"}},"title":"{planted}","detail":"{planted}","request_id":"req_1","message":"{planted}"}}"#
        ));
        let object = json(format!(r#"{{"planted":"{planted}"}}"#));
        tracing::subscriber::with_default(lines.clone(), || {
            let line = |text: &str| lines.write(&format!("# {name}: {text}"), |_| ());
            line("an object of other members");
            drop(call.send_blocking(&answering(200, "application/json", object)));
            line("a refusal");
            drop(call.send_blocking(&answering(400, "application/json", refusal)));
            line("a page of a gateway");
            drop(call.send_blocking(&answering(502, "text/html", "<p>Nora Planted</p>")));
            line("no answer");
            let lost = TransportError::unknown(std::io::Error::other(planted.clone()));
            let lost = Mutex::new(Some(lost));
            drop(call.send_blocking(&from_fn_blocking(move |_| Err(lost.lock().unwrap().take().unwrap()))));
            line("not sent");
            let refused = TransportError::not_sent(std::io::Error::other(planted.clone()));
            let refused = Mutex::new(Some(refused));
            drop(
                call.send_blocking(&from_fn_blocking(move |_| Err(refused.lock().unwrap().take().unwrap()))),
            );
        });
        let told = lines.0.lock().unwrap().clone();
        for (secret, _) in SECRETS {
            assert!(!told.contains(secret), "{secret} is told:\n{told}");
        }
        told
    }

    #[test]
    fn traces_of_every_provider() {
        let (allscale, peach, second) = (allscale(), peach(), peach_v2());
        let fiat = intent(Draft::fiat(Currency::EUR, Cents::new(4_990)));
        let picture = [
            told("AllScale create", &allscale.create(&fiat)),
            told("AllScale get", &allscale.get("ci_1").unwrap()),
            told("Azotte submit", &azotte().submit(&card())),
            told("Azotte status", &azotte().status("trk_1").unwrap()),
            told("Peach V1 initiate", &peach.initiate(&checkout()).unwrap()),
            told("Peach V1 status", &peach.status(lookup())),
            told("Peach V2 create", &second.create(&checkout()).unwrap()),
        ]
        .join("\n");
        insta::assert_snapshot!(picture);
    }
}
