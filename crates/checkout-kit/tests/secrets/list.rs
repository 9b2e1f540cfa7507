//! The types that can hold a secret, and the errors: each made with the planted texts, and each written in
//! every way.

use crate::planted::*;
use checkout_auth::{KeyRing, Verifier, allscale as auth_allscale, peach as auth_peach};
use checkout_client::{
    Answer, Attempt, Call, CallError, CallErrorKind, CreateOutcome, NonceSource, Provider, Readable,
    Watchable, allscale, azotte, peach,
};
use checkout_kit::Moment;
use checkout_lifecycle::Tracker;
use checkout_money::{Cents, CoinAmount, Rate};
use checkout_sandbox::{allscale as sandbox_allscale, azotte as sandbox_azotte, peach as sandbox_peach};
use checkout_tables::allscale::{Currency, IntentStatus, StableCoin};
use checkout_tables::peach::ResultCode;
use checkout_tables::{Environment, Open, azotte::PaymentChannel};
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, BodyBuffer, Response, TransportError, http};
use checkout_validate::{PathSegment, Redacted, SecretString};
use checkout_validate::{allscale as validate_allscale, azotte as validate_azotte, peach as validate_peach};
use checkout_wire::{
    Head, JsonText, Reply, Verbatim, allscale as wire_allscale, azotte as wire_azotte, peach as wire_peach,
};
use std::any::type_name_of_val;
use std::error::Error;
use std::fmt::{Debug, Display};

/// A value's type, by the public path and by the path of the definition, and every text that the value
/// prints.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) defined: &'static str,
    pub(crate) texts: Vec<String>,
}

impl Entry {
    /// The printed text of the value, if there is one, and the texts of the sources.
    pub(crate) fn text(&self) -> Option<String> {
        let (first, sources) = self.texts.get(DEBUG_TEXTS..)?.split_at_checked(DISPLAY_TEXTS)?;
        let sources = sources.iter().skip(SOURCE_TEXTS - 1).step_by(SOURCE_TEXTS);
        Some(first.iter().take(1).chain(sources).map(String::as_str).collect::<Vec<_>>().join(": "))
    }
}

/// The list, and the signatures that were made on the way.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) entries: Vec<Entry>,
    pub(crate) signatures: Vec<String>,
}

/// Lists values under the public path of their type, as it is written in a program.
macro_rules! list {
    ($list:expr, $($name:literal => $value:expr;)+) => {
        {
            $({
                let value = $value;
                shown! { $list, $name => &value }
            })+
        }
    };
}

/// Lists a value that is still needed.
macro_rules! shown {
    ($list:expr, $name:literal => $value:expr) => {{
        let value = $value;
        let texts = [(&Of(value)).debug(), (&Of(value)).display(), (&Of(value)).chain()].concat();
        $list.entries.push(Entry { name: $name, defined: type_name_of_val(value), texts });
    }};
}

/// Every way to write a value, found by the receiver: the first trait that applies is taken.
struct Of<'v, T: ?Sized>(&'v T);

trait ByDebug {
    fn debug(&self) -> Vec<String>;
}

/// The number of those texts.
pub(crate) const DEBUG_TEXTS: usize = 10;

impl<T: Debug> ByDebug for Of<'_, T> {
    fn debug(&self) -> Vec<String> {
        let it = self.0;
        let texts: [String; DEBUG_TEXTS] = [
            format!("{it:?}"),
            format!("{it:#?}"),
            format!("{it:x?}"),
            format!("{it:#X?}"),
            format!("{it:.1000?}"),
            format!("{:?}", Some(it)),
            format!("{:#?}", Some(it)),
            format!("{:?}", Err::<(), _>(it)),
            format!("{:?}", vec![it]),
            format!("{:#?}", (Box::new(it), [it])),
        ];
        texts.into()
    }
}

/// The number of texts of a printed value, and of each source of an error.
const DISPLAY_TEXTS: usize = 4;
const SOURCE_TEXTS: usize = 3;

trait ByDisplay {
    fn display(&self) -> Vec<String>;
}

impl<T: Display> ByDisplay for Of<'_, T> {
    fn display(&self) -> Vec<String> {
        let it = self.0;
        vec![it.to_string(), format!("{it:#}"), format!("{it:>400}"), format!("{it:.1000}")]
    }
}

trait ByChain {
    fn chain(&self) -> Vec<String>;
}

impl<T: Error> ByChain for Of<'_, T> {
    fn chain(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut next = self.0.source();
        while let Some(error) = next {
            texts.extend([format!("{error:?}"), format!("{error:#?}"), error.to_string()]);
            next = error.source();
        }
        texts
    }
}

/// The texts of a value that cannot be written in that way.
trait Otherwise {
    fn display(&self) -> Vec<String> {
        Vec::new()
    }

    fn chain(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<T> Otherwise for &Of<'_, T> {}

mod received;
mod recorded;
mod watched;

pub(crate) fn list() -> List {
    let mut list = List::default();
    keys(&mut list);
    drafts(&mut list);
    answers(&mut list);
    refusals(&mut list);
    carriers(&mut list);
    by_allscale(&mut list);
    by_azotte(&mut list);
    by_peach(&mut list);
    by_peach_v2(&mut list);
    parsed(&mut list);
    received::received(&mut list);
    recorded::recorded(&mut list);
    watched::watched(&mut list);
    list
}

fn keys(list: &mut List) {
    let key = signing_key();
    let request = auth_allscale::RequestToSign {
        method: "POST",
        path: "/v1/checkout_intents/",
        query: USER_ID,
        timestamp: 1,
        nonce: "nonce-1",
        body: ALL.as_bytes(),
    };
    let signature = key.sign(&request).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    list! { list,
        "checkout_auth::allscale::VerifyError" => key.verify(&request, API_SECRET).unwrap_err();
        "checkout_auth::allscale::VerifyError" => {
            let other = auth_allscale::SigningKey::new("st_other", "st_other".into()).unwrap();
            other.verify(&request, signature.as_str()).unwrap_err()
        };
        "checkout_auth::SignError" => {
            key.sign(&auth_allscale::RequestToSign { nonce: HOLDER, ..request }).unwrap_err()
        };
        "checkout_auth::allscale::KeyError" => {
            auth_allscale::SigningKey::new(format!("{API_KEY}\n"), API_SECRET.into()).unwrap_err()
        };
        "checkout_auth::allscale::KeyError" => {
            auth_allscale::SigningKey::new(API_KEY, format!(" {API_SECRET}").into()).unwrap_err()
        };
        "checkout_auth::allscale::SigningKey" => key;
        "checkout_auth::allscale::RequestToSign" => request;
    }
    // A signature is written with `Display`, because a signature is a header, and with `Debug` it is not.
    let texts = (&Of(&signature)).debug();
    let defined = type_name_of_val(&signature);
    list.entries.push(Entry { name: "checkout_auth::allscale::Signature", defined, texts });

    let token = secret_token();
    let pairs = [("amount", "1"), ("customer.email", MAIL)];
    let signature = token.sign(pairs).unwrap();
    list.signatures.push(signature.as_str().to_owned());
    let with = |signature| pairs.into_iter().chain([("signature", signature)]);
    let other = auth_peach::SecretToken::new("other".into()).unwrap();
    list! { list,
        "checkout_auth::peach::VerifyError" => other.verify(with(signature.as_str())).unwrap_err();
        "checkout_auth::peach::VerifyError" => token.verify(with(SECRET_TOKEN)).unwrap_err();
        "checkout_auth::peach::VerifyError" => token.verify(pairs.into_iter().chain(pairs)).unwrap_err();
        "checkout_auth::SignError" => token.sign(pairs.into_iter().chain(pairs)).unwrap_err();
        "checkout_auth::peach::KeyError" => {
            auth_peach::SecretToken::new(format!("{SECRET_TOKEN}\n").into()).unwrap_err()
        };
        "checkout_auth::peach::SecretToken" => token;
    }
    let texts = (&Of(&signature)).debug();
    let defined = type_name_of_val(&signature);
    list.entries.push(Entry { name: "checkout_auth::peach::Signature", defined, texts });
}

fn drafts(list: &mut List) {
    let draft = validate_allscale::Draft::fiat(Currency::USD, Cents::new(1_000)).user(USER_ID, USER_NAME);
    let draft =
        draft.order_id("order-1").extra(extra()).order_description(DESCRIPTION).redirect_url(RETURN_URL);
    let grouped = validate_azotte::CardDraft::new(GROUPED, "07", EXPIRE_YEAR).card_alias(ALIAS);
    let grouped = validate_azotte::Draft::new_card(grouped.cvc(CARD_NUMBER).card_holder_name(HOLDER));
    let submit = submit();
    let peach = peach_draft();
    // No field fits, so that the violations have all texts before them.
    let long = ALL.repeat(400);
    let none = validate_peach::Draft::debit(checkout_tables::peach::Currency::ZAR, ALL)
        .entity_id(SECRET_TOKEN)
        .merchant_transaction_id(ALL)
        .shopper_result_url(ALL)
        .custom_parameter("note[1]", MAIL)
        .field("customer.email", MAIL)
        .field("customer.email", &*long)
        .field("card.number", CARD_NUMBER);
    list! { list,
        "checkout_validate::Redacted" => Redacted::from(ALL);
        "checkout_validate::allscale::Draft" => draft.clone();
        "checkout_validate::allscale::CreateIntent" => draft.clone().check().unwrap();
        "checkout_validate::Violations" => draft.extra(ALL).user_name(&*long).check().unwrap_err();
        "checkout_validate::azotte::CardDraft" => card();
        "checkout_validate::azotte::CardDraft" => grouped.credit_card.clone().unwrap();
        "checkout_validate::azotte::Draft" => azotte_draft();
        "checkout_validate::azotte::Draft" => grouped.clone();
        "checkout_validate::Violations" => grouped.ip_address(&*long).check().unwrap_err();
        "checkout_validate::azotte::Card" => submit.payment_method().card().unwrap().clone();
        "checkout_validate::azotte::PaymentMethod" => submit.payment_method().clone();
        "checkout_validate::azotte::SubmitCheckout" => submit;
        "checkout_validate::peach::Draft" => peach.clone();
        "checkout_validate::peach::InitiateCheckout" => peach.check().unwrap();
        "checkout_validate::Violations" => none.check().unwrap_err();
        "checkout_validate::peach::LookupError" => {
            validate_peach::MerchantTransactionId::new(&*long).unwrap_err()
        };
        "checkout_validate::peach::LookupError" => validate_peach::CheckoutId::new(ALL).unwrap_err();
        "checkout_validate::IdError" => PathSegment::new("..").unwrap_err();
    }
}

fn answers(list: &mut List) {
    let ok = Head::new(200);
    let intent = allscale_intent();
    let wire_allscale::Reply::Done(answer) =
        wire_allscale::read::<wire_allscale::Intent<'_>>(&ok, &intent).unwrap()
    else {
        panic!("{intent:?}")
    };
    let created = allscale_created();
    let Reply::Done(created) =
        wire_allscale::read::<wire_allscale::CreatedIntent<'_>>(&ok, &created).unwrap()
    else {
        panic!()
    };
    let echo = format!(r#"{{"code":0,"payload":{{"your_request_body":{}}}}}"#, extra());
    let Reply::Done(echo) = wire_allscale::read::<wire_allscale::Echo<'_>>(&ok, echo.as_bytes()).unwrap()
    else {
        panic!()
    };
    let webhook = allscale_webhook();
    let challenge = azotte_challenge();
    let reply = wire_azotte::read(&ok, &challenge).unwrap();
    let Reply::Done(result) = reply.clone() else { panic!() };
    let result = result.payload;
    let redirect = result.redirect_instructions.clone().unwrap();
    let by_url = wire_azotte::RedirectInstructions { html_content: None, ..redirect.clone() };
    let payment = peach_payment();
    let payment = wire_peach::read_payment(&ok, &payment, Environment::Sandbox).unwrap();
    let Reply::Done(payment) = payment else { panic!() };
    let wrapped = peach_wrapped();
    let Reply::Done(wrapped) = wire_peach::read_payment(&ok, &wrapped, Environment::Sandbox).unwrap() else {
        panic!()
    };
    let body = peach_created();
    let Reply::Done(initiated) = wire_peach::read_initiated(&ok, &body).unwrap() else { panic!() };
    let Reply::Done(of_v2) = wire_peach::read_created(&ok, &body).unwrap() else { panic!() };
    let token = peach_token();
    let Reply::Done(token) = wire_peach::read_token(&ok, &token).unwrap() else { panic!() };
    list! { list,
        "checkout_wire::Answer" => answer.clone();
        "checkout_wire::allscale::Intent" => answer.payload;
        "checkout_wire::allscale::CreatedIntent" => created.payload;
        "checkout_wire::allscale::Echo" => echo.payload;
        "checkout_wire::allscale::WebhookBody" => wire_allscale::read_webhook(&webhook).unwrap();
        "checkout_wire::Reply" => reply;
        "checkout_wire::azotte::Challenge" => result.challenge().unwrap();
        "checkout_wire::azotte::Challenge" => by_url.challenge().unwrap();
        "checkout_wire::azotte::RedirectInstructions" => redirect;
        "checkout_wire::azotte::FollowUpInstructions" => result.follow_up_instructions.clone().unwrap();
        "checkout_wire::azotte::ResultStatus" => result.status.clone();
        "checkout_wire::azotte::CheckoutResult" => result;
        "checkout_wire::peach::Fields" => payment.payload.fields().clone();
        "checkout_wire::peach::Payment" => payment.payload.clone();
        "checkout_wire::Answer" => payment;
        "checkout_wire::peach::Wrapper" => wrapped.payload.wrapper().unwrap().clone();
        "checkout_wire::peach::Payment" => wrapped.payload;
        "checkout_wire::peach::Initiated" => initiated.payload;
        "checkout_wire::peach::Created" => of_v2.payload;
        "checkout_wire::peach::AccessToken" => token.payload;
    }
}

fn refusals(list: &mut List) {
    let refused = Head { location: Some(CHALLENGE_URL), ..Head::new(400) };
    let body = allscale_refusal();
    let reply = wire_allscale::read::<wire_allscale::Intent<'_>>(&refused, &body).unwrap();
    let Reply::Refused(allscale) = reply.clone() else { panic!() };
    let body = azotte_refusal();
    let reply_of_azotte = wire_azotte::read(&refused, &body).unwrap();
    let Reply::Refused(azotte) = reply_of_azotte.clone() else { panic!() };
    let body = peach_refusal();
    let reply_of_peach = wire_peach::read_initiated(&refused, &body).unwrap();
    let Reply::Refused(peach) = reply_of_peach.clone() else { panic!() };
    let page = Head { location: Some(CHALLENGE_URL), content_type: Some("text/html"), ..Head::new(302) };
    let not_the_api = wire_azotte::read(&page, ALL.as_bytes()).unwrap();
    let Reply::UnexpectedResponse(page) = not_the_api.clone() else { panic!() };
    list! { list,
        "checkout_wire::Head" => refused;
        "checkout_wire::allscale::Refusal" => allscale;
        "checkout_wire::NotDone" => reply.clone().into_answer().unwrap_err();
        "checkout_wire::Reply" => reply;
        "checkout_wire::azotte::ProblemDetails" => azotte.problem.clone();
        "checkout_wire::azotte::Refusal" => azotte;
        "checkout_wire::NotDone" => reply_of_azotte.into_answer().unwrap_err();
        "checkout_wire::peach::ValidationError" => peach.validation_errors.first().cloned().unwrap();
        "checkout_wire::peach::Refusal" => peach;
        "checkout_wire::NotDone" => reply_of_peach.into_answer().unwrap_err();
        "checkout_wire::NotDone" => not_the_api.clone().into_answer().unwrap_err();
        "checkout_wire::Reply" => not_the_api;
        "checkout_wire::Excerpt" => page.excerpt.clone();
        "checkout_wire::UnexpectedResponse" => page;
        "checkout_wire::JsonText" => JsonText::new(extra()).unwrap();
        "checkout_wire::Verbatim" => Verbatim::<u64>::Other(JsonText::new(extra()).unwrap());
        "checkout_wire::NotJson" => JsonText::new(ALL).unwrap_err();
    }
    // Every value in a place where something else is documented.
    let ok = Head::new(200);
    for body in unreadable() {
        let body = body.as_bytes();
        let mut errors = vec![
            wire_allscale::read::<wire_allscale::Intent<'_>>(&ok, body).err(),
            wire_allscale::read::<wire_allscale::CreatedIntent<'_>>(&ok, body).err(),
            wire_allscale::read::<Open<IntentStatus>>(&ok, body).err(),
            wire_allscale::read_webhook(body).err(),
            wire_azotte::read(&ok, body).err(),
            wire_peach::read_payment(&ok, body, Environment::Live).err(),
            wire_peach::read_initiated(&ok, body).err(),
            wire_peach::read_created(&ok, body).err(),
            wire_peach::read_token(&ok, body).err(),
        ];
        errors.retain(Option::is_some);
        assert!(!errors.is_empty(), "{}", String::from_utf8_lossy(body));
        for error in errors.into_iter().flatten() {
            list! { list, "checkout_wire::ReadError" => error; }
        }
    }
    for form in [format!("a={MAIL}&a={MAIL}"), format!("a={MAIL}%"), format!("{MAIL}={HOLDER}%ff")] {
        let error = wire_peach::Fields::from_form(form.as_bytes()).unwrap_err();
        list! { list, "checkout_wire::peach::FormError" => error; }
    }
}

fn carriers(list: &mut List) {
    let mut body = BodyBuffer::default();
    body.push(ALL.as_bytes()).unwrap();
    list! { list,
        "checkout_transport::BodyBuffer" => body;
        "checkout_transport::TransportError" => TransportError::not_sent("no connection");
        "checkout_transport::TransportError" => TransportError::unknown("connection reset");
        "checkout_transport::TransportError" => TransportError::too_large(8);
    }
}

fn by_allscale(list: &mut List) {
    let url = format!("https://shop.example/hooks?key={API_SECRET}");
    let store = sandbox_allscale::Store::new(signing_key()).webhook_url(url).unwrap();
    let elsewhere = format!("https://{API_KEY}:{API_SECRET}@shop.example");
    let builder = sandbox_allscale::Sandbox::builder().store(store.clone());
    let sandbox = builder.clone().build();
    let clock = sandbox.clock().clone();
    let client = allscale::Client::builder(signing_key()).nonces(nonces());
    let client = client.clock(move || clock.now());
    list! { list,
        "checkout_sandbox::allscale::WebhookUrlError" => store.clone().webhook_url(elsewhere).unwrap_err();
        "checkout_sandbox::allscale::Store" => store;
        "checkout_sandbox::allscale::Builder" => builder;
        "checkout_client::allscale::Builder" => client;
    }
    let clock = sandbox.clock().clone();
    let client = allscale::Client::builder(signing_key()).nonces(nonces());
    let client = client.clock(move || clock.now()).build().unwrap();
    let draft = validate_allscale::Draft::coin(StableCoin::USDT, Cents::new(1_000)).user(USER_ID, USER_NAME);
    let intent = draft.extra(extra()).check().unwrap();
    let create = client.create(&intent);
    asked(list, &create, &sandbox, [allscale_created(), allscale_refusal()]);
    for (status, body) in [(200, allscale_created()), (400, allscale_refusal()), (502, ALL.into())] {
        list! { list, "checkout_client::CreateOutcome" => CreateOutcome::of(answer(&create, status, &body)); }
    }
    let id = sandbox.intents().first().unwrap().id.clone();
    sandbox.act(&id, sandbox_allscale::Act::ComeTo(20)).unwrap();
    list! { list,
        "checkout_sandbox::allscale::Webhook" => sandbox.webhooks().pop().unwrap();
        "checkout_sandbox::allscale::ActError" => sandbox.act(API_KEY, sandbox_allscale::Act::Pay).unwrap_err();
    }
    asked(list, &client.get(&id).unwrap(), &sandbox, [allscale_intent(), allscale_refusal()]);
    read_back(list, &client.get(&id).unwrap(), [allscale_intent(), allscale_refusal()]);
    asked(list, &client.fail(), &sandbox, [allscale_refusal(), allscale_intent()]);
    // No answer here is signed, so that all of them are refused.
    let signed = || {
        let verifier = Verifier::new(KeyRing::new("2024-05", signing_key()));
        let clock = sandbox.clock().clone();
        let builder = allscale::Client::builder(signing_key()).nonces(nonces()).signed_responses(verifier);
        builder.clock(move || clock.now())
    };
    list! { list, "checkout_client::allscale::Builder" => signed(); }
    let signed = signed().build().unwrap();
    asked(list, &signed.get(&id).unwrap(), &sandbox, [allscale_intent(), allscale_refusal()]);
    list! { list, "checkout_client::allscale::Client" => signed; }
    let url = format!("https://{API_KEY}:{API_SECRET}@shop.example");
    let refused = |url: String| allscale::Client::builder(signing_key()).base_url(url).build().unwrap_err();
    list! { list,
        "checkout_client::allscale::Client" => client;
        "checkout_client::BuildError" => refused(url);
        "checkout_client::BuildError" => refused(format!("https://shop.example/{HOLDER}?{MAIL}"));
        "checkout_sandbox::RecordedRequest" => sandbox.requests().first().unwrap().clone();
        "checkout_sandbox::allscale::Sandbox" => sandbox;
    }
}

fn by_azotte(list: &mut List) {
    let tenant = sandbox_azotte::Tenant::new(TENANT, API_KEY).project("acme");
    let builder = sandbox_azotte::Sandbox::builder().tenant(tenant.clone());
    let sandbox = builder.clone().build();
    let clock = sandbox.clock().clone();
    let client = |key: &str| {
        let clock = clock.clone();
        let builder = azotte::Client::builder("acme", TENANT, key.into()).environment(Environment::Sandbox);
        builder.clock(move || clock.now())
    };
    list! { list,
        "checkout_sandbox::azotte::Tenant" => tenant;
        "checkout_sandbox::azotte::Builder" => builder;
        "checkout_client::azotte::Builder" => client(API_KEY);
        "checkout_client::BuildError" => client(&format!("{API_KEY}\n")).build().unwrap_err();
        "checkout_client::BuildError" => client(&format!("{API_KEY}\u{7}{API_SECRET}")).build().unwrap_err();
    }
    let client = client(API_KEY).build().unwrap();
    sandbox.next_checkout(sandbox_azotte::Scenario::three_ds_at_once().browser_never_returns());
    asked(list, &client.submit(&submit()), &sandbox, [azotte_challenge(), azotte_refusal()]);
    let number = sandbox.checkouts().first().unwrap().tracking_number.clone();
    asked(list, &client.status(&number).unwrap(), &sandbox, [azotte_challenge(), azotte_refusal()]);
    list! { list,
        "checkout_client::azotte::Client" => client;
        "checkout_sandbox::RecordedRequest" => sandbox.requests().first().unwrap().clone();
        "checkout_sandbox::FaultNameError" => sandbox_azotte::Fault::by_name(API_KEY, None).unwrap_err();
        "checkout_sandbox::FaultNameError" => sandbox_azotte::Fault::by_name("slow", Some(API_KEY)).unwrap_err();
        "checkout_sandbox::FaultNameError" => sandbox_azotte::Fault::by_name("slow", None).unwrap_err();
        "checkout_sandbox::FaultNameError" => sandbox_azotte::Fault::by_name("garbage", Some(API_KEY)).unwrap_err();
        "checkout_sandbox::Exchange" => {
            let read = http::Request::get("https://acme.azotte.com/").header("x-api-key", API_KEY);
            sandbox.exchange(read.body(Bytes::from(HOLDER)).unwrap(), None)
        };
        "checkout_sandbox::azotte::ChallengeError" => sandbox.complete_3ds(CHALLENGE_URL).unwrap_err();
        "checkout_sandbox::azotte::Sandbox" => sandbox;
    }
}

fn merchant() -> sandbox_peach::Merchant {
    let merchant = sandbox_peach::Merchant::new(ENTITY, secret_token()).domain("shop.example");
    merchant.client("client-1", CLIENT_SECRET, "merchant-1")
}

fn by_peach(list: &mut List) {
    let builder = sandbox_peach::Sandbox::builder().merchant(merchant());
    let sandbox = builder.clone().build();
    let clock = sandbox.clock().clone();
    let client = |referer: &str| {
        let clock = clock.clone();
        let builder = peach::Client::builder(ENTITY, secret_token()).environment(Environment::Sandbox);
        builder.referer(referer).nonces(nonces()).clock(move || clock.now())
    };
    list! { list,
        "checkout_sandbox::peach::Merchant" => merchant();
        "checkout_sandbox::peach::Builder" => builder;
        "checkout_client::peach::Builder" => client("https://shop.example");
        "checkout_client::BuildError" => client(&format!("{MAIL}\n")).build().unwrap_err();
    }
    let client = client("https://shop.example").build().unwrap();
    let checkout = peach_draft().check().unwrap();
    asked(list, &client.initiate(&checkout).unwrap(), &sandbox, [peach_payment(), peach_refusal()]);
    asked(list, &client.validate(&checkout).unwrap(), &sandbox, [peach_payment(), peach_refusal()]);
    let id = sandbox.checkouts().first().unwrap().checkout_id.clone();
    assert!(sandbox.pay(&id));
    let status = client.status(checkout.lookup());
    asked(list, &status, &sandbox, [peach_payment(), peach_refusal()]);
    read_back(list, &status, [peach_payment(), peach_refusal()]);
    let other = peach_draft().entity_id("0".repeat(32)).check().unwrap();
    list! { list,
        "checkout_client::peach::OtherEntity" => client.initiate(&other).unwrap_err();
        "checkout_client::peach::Client" => client;
        "checkout_sandbox::peach::Webhook" => sandbox.webhooks().last().unwrap().clone();
        "checkout_sandbox::peach::ShopperReturn" => sandbox.shopper_return(&id).unwrap();
        "checkout_sandbox::peach::Probe" => sandbox.probe(ENTITY).unwrap();
        "checkout_sandbox::RecordedRequest" => sandbox.requests().first().unwrap().clone();
        "checkout_sandbox::RecordedRequest" => sandbox.requests().last().unwrap().clone();
        "checkout_sandbox::peach::Sandbox" => sandbox;
    }
}

fn by_peach_v2(list: &mut List) {
    let sandbox = sandbox_peach::Sandbox::builder().merchant(merchant()).build();
    let credentials = |secret: &str| peach::v2::Credentials {
        client_id: "client-1".into(),
        client_secret: secret.into(),
        merchant_id: "merchant-1".into(),
    };
    let client = |secret: &str| {
        let clock = sandbox.clock().clone();
        let builder =
            peach::v2::Client::builder(ENTITY, credentials(secret)).environment(Environment::Sandbox);
        let builder = builder.secret_token(secret_token()).referer("https://shop.example");
        builder.nonces(nonces()).clock(move || clock.now())
    };
    let of = |secret: &str| client(secret).build().unwrap();
    let held = client(CLIENT_SECRET).tokens(|_| Some(SecretString::from(ACCESS_TOKEN))).build().unwrap();
    let spent = client(CLIENT_SECRET).tokens(|_| None).build().unwrap();
    let wrong = of(&format!("{CLIENT_SECRET}{API_SECRET}")).authenticate_blocking(&sandbox).unwrap_err();
    let lost = checkout_transport::from_fn_blocking(|_| Err(TransportError::unknown("connection reset")));
    let checkout = peach_draft().check().unwrap();
    let store = peach::TokenStore::default();
    let token = peach_token();
    let Reply::Done(token) = wire_peach::read_token(&Head::new(200), &token).unwrap() else { panic!() };
    store.keep(&token.payload, Moment::from_unix_millis(0));
    list! { list,
        "checkout_client::peach::v2::Credentials" => credentials(CLIENT_SECRET);
        "checkout_client::peach::v2::Builder" => client(CLIENT_SECRET);
        "checkout_client::peach::TokenStore" => store;
    }
    failed(list, &wrong);
    failed(list, &of(CLIENT_SECRET).authenticate_blocking(&lost).unwrap_err());
    failed(list, &spent.authenticate_blocking(&lost).unwrap_err());
    failed(
        list,
        &spent.create(&checkout).unwrap().attempt(Moment::from_unix_millis(0), "nonce-1").unwrap_err(),
    );
    asked(list, &of(CLIENT_SECRET).token(), &sandbox, [peach_token(), peach_refusal()]);
    asked(list, &held.create(&checkout).unwrap(), &sandbox, [peach_payment(), peach_refusal()]);
    asked(list, &held.status("checkout-1").unwrap(), &sandbox, [peach_payment(), peach_refusal()]);
    let client = of(CLIENT_SECRET);
    client.authenticate_blocking(&sandbox).unwrap();
    list! { list, "checkout_client::peach::v2::Client" => client; "checkout_client::peach::v2::Client" => held; }
}

/// Sends once, and reads these bodies and more as the answer: the call, the attempt, the reader, and the
/// outcomes.
fn asked<T: Readable + Debug>(
    list: &mut List,
    call: &Call<T>,
    transport: &impl BlockingTransport,
    bodies: [Vec<u8>; 2],
) {
    let attempt = call.attempt(Moment::from_unix_millis(1_717_246_327_923), "nonce-1").unwrap();
    list.signatures.extend(signatures(&attempt));
    list! { list,
        "checkout_client::Call" => call.clone();
        "checkout_client::Attempt" => attempt;
        "checkout_client::Reader" => call.attempt(Moment::from_unix_millis(0), "nonce-1").unwrap().into_parts().1;
    }
    let sent = call.send_blocking(transport);
    let bodies =
        bodies.into_iter().chain([ALL.into()]).chain(unreadable().into_iter().map(String::into_bytes));
    let read = bodies.flat_map(|body| [200, 302, 400, 502].map(|status| answer(call, status, &body)));
    for outcome in [sent].into_iter().chain(read.collect::<Vec<_>>()) {
        match outcome {
            Ok(answer) => list! { list, "checkout_client::Answer" => answer; },
            Err(error) => failed(list, &error),
        }
    }
}

/// Lists the error of a call with its parts.
fn failed<P: Provider>(list: &mut List, error: &CallError<P>) {
    shown! { list, "checkout_client::CallError" => error }
    shown! { list, "checkout_client::CallErrorKind" => error.kind() }
    if let CallErrorKind::NotSent(reason) = error.kind() {
        shown! { list, "checkout_client::NotSent" => reason }
    }
}

fn answer<T: Readable>(
    call: &Call<T>,
    status: u16,
    body: &[u8],
) -> Result<Answer<T>, CallError<T::Provider>> {
    let response = http::Response::builder().status(status).header("location", CHALLENGE_URL);
    let response: Response = response.body(Bytes::copy_from_slice(body)).unwrap();
    call.attempt(Moment::from_unix_millis(1_717_246_327_923), "nonce-1")
        .unwrap()
        .into_parts()
        .1
        .read(&response)
}

/// Reads these bodies as the answer.
fn read_back<T: Watchable>(list: &mut List, call: &Call<T>, bodies: [Vec<u8>; 2]) {
    let bodies = bodies.into_iter().chain([ALL.into()]);
    let read = bodies.flat_map(|body| [200, 302, 400, 502].map(|status| answer(call, status, &body)));
    for answer in read.filter_map(Result::ok) {
        list! { list, "checkout_trust::settlement::Read" => answer.into_read(); }
    }
}

/// The signature of an attempt, from the provider's own place.
fn signatures<T: Readable>(attempt: &Attempt<T>) -> Vec<String> {
    let request = attempt.request();
    let header = request.headers().get("x-signature").map(|value| value.to_str().unwrap().to_owned());
    let query = request.uri().query().into_iter().flat_map(|query| query.split('&'));
    let query = query.filter_map(|pair| pair.strip_prefix("signature=")).map(str::to_owned);
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let body =
        body.split_once(r#""signature":""#).and_then(|(_, rest)| rest.split('"').next().map(str::to_owned));
    header.into_iter().chain(query).chain(body).collect()
}

/// The errors of parsing a text of another kind.
fn parsed(list: &mut List) {
    for text in [CARD_NUMBER, HOLDER, API_KEY] {
        list! { list,
            "checkout_money::ParseAmountError" => format!("{text}{text}{text}").parse::<Cents>().unwrap_err();
            "checkout_money::ParseAmountError" => format!("{text}.{text}").parse::<CoinAmount>().unwrap_err();
            "checkout_money::ParseAmountError" => format!("{text}{text}{text}").parse::<Rate>().unwrap_err();
            "checkout_tables::NotInTable" => text.parse::<PaymentChannel>().unwrap_err();
            "checkout_tables::peach::ParseResultCodeError" => text.parse::<ResultCode>().unwrap_err();
            "checkout_lifecycle::ParseTrackerError" => text.parse::<Tracker<IntentStatus>>().unwrap_err();
        }
    }
    list! { list, "checkout_money::OverflowError" => Cents::new(i64::MAX).checked_add(Cents::new(1)).unwrap_err(); }
}

fn nonces() -> impl NonceSource {
    || "nonce-1".to_owned()
}
