//! Nothing that a watch prints or stores has a secret or anything of the payer.

use crate::world::{Form, nonces, of_azotte, of_peach};
use checkout_client::{Change, Watch, Watchable};
use checkout_sandbox::VirtualClock;
use checkout_transport::{BlockingTransport, Transport};

/// Everything that is printed or stored on the way to the end.
fn printed<E: Watchable, S>(mut watch: Watch<E>, sandbox: &S, clock: &VirtualClock) -> Vec<String>
where
    S: Transport + BlockingTransport + Clone + 'static,
{
    let mut texts = vec![format!("{watch:?} {watch:#?} {:?}", watch.handle())];
    for change in Form::Blocking.changes(&mut watch, sandbox, clock) {
        texts.push(format!("{change:?} {change:#?} {watch:?} {}", watch.stored()));
        if let Change::NotRead { error, .. } = &change {
            texts.push(format!("{error} {error:?}"));
            let mut source = std::error::Error::source(&**error);
            while let Some(error) = source {
                texts.push(format!("{error} {error:?}"));
                source = error.source();
            }
        }
    }
    assert!(texts.len() > 2);
    texts
}

fn check(texts: &[String], planted: &[&str]) {
    for text in texts {
        for secret in planted {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn an_allscale_watch_prints_nothing_of_the_key_or_the_payer() {
    use checkout_sandbox::allscale::{Fault, Sandbox, Scenario, Store};
    use checkout_validate::allscale::Draft;
    let key = checkout_auth::allscale::SigningKey::new("st_planted_key", "st_planted_secret".into()).unwrap();
    let sandbox = Sandbox::builder().store(Store::new(key.clone())).scenario(Scenario::regression()).build();
    let (clock, now) = (sandbox.clock().clone(), sandbox.clock().clone());
    let builder = checkout_client::allscale::Client::builder(key);
    let client = builder.clock(move || now.now()).nonces(nonces()).build().unwrap();
    let draft = Draft::fiat(checkout_tables::allscale::Currency::USD, checkout_money::Cents::new(9_200));
    let draft = draft.order_id("order-planted").user("user-planted", "Nora Planted");
    let created = client.create(&draft.check().unwrap()).send_blocking(&sandbox);
    let id = created.unwrap().payload.intent_id;
    for fault in [Fault::HtmlBadGateway, Fault::Redirect, Fault::InternalError, Fault::Truncated] {
        sandbox.inject(fault);
    }
    let texts = printed(client.watch(&id).unwrap(), &sandbox, &clock);
    check(&texts, &["st_planted", "user-planted", "Nora", "elsewhere.example/"]);
}

#[test]
fn an_azotte_watch_prints_nothing_of_the_key_or_the_challenge() {
    use checkout_sandbox::azotte::{API_KEY, Scenario};
    for scenario in [Scenario::three_ds_twice(), Scenario::three_ds_failed()] {
        let (sandbox, watch) = of_azotte::watched(scenario);
        let clock = sandbox.clock().clone();
        let texts = printed(watch, &sandbox, &clock);
        check(&texts, &[API_KEY, "psp.example", "<form", "urn:customer"]);
    }
}

#[test]
fn a_peach_watch_prints_nothing_of_the_secrets_or_the_tokens() {
    use checkout_sandbox::peach::{CLIENT_SECRET, Fault, SECRET_TOKEN, Scenario};
    use checkout_tables::peach::Route;
    let (sandbox, watch) = of_peach::watched(Scenario::declined_then_paid());
    let clock = sandbox.clock().clone();
    sandbox.inject(Fault::TamperedSignature);
    let texts = printed(watch, &sandbox, &clock);
    check(&texts, &[SECRET_TOKEN]);
    let (sandbox, watch) = of_peach::watched_by_v2(Scenario::declined_then_paid());
    let clock = sandbox.clock().clone();
    sandbox.inject_on(Route::Token, Fault::Truncated);
    sandbox.inject_on(Route::CheckoutStatus, Fault::EmptyUnauthorized);
    let texts = printed(watch, &sandbox, &clock);
    check(&texts, &[CLIENT_SECRET, "sbx."]);
}
