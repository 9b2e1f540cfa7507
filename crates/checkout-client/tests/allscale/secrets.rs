//! The texts that nothing prints: keys, secrets, signatures, and the payer's identity.

use crate::world::{
    API_KEY, API_SECRET, Recorder, USER_ID, USER_NAME, chain, client, client_at, counted_nonces, fiat,
    header, key, native, response, sandbox,
};
use checkout_client::allscale::{AllScale, BuildError, Client};
use checkout_client::{Call, Readable};
use checkout_sandbox::allscale::{Fault, Sandbox};
use checkout_tables::Moment;
use checkout_tables::allscale::{Route, StableCoin};
use checkout_transport::{BlockingTransport, Request, from_fn_blocking};
use std::fmt::Debug;
use std::time::Duration;

/// Everything that was printed, and the texts that must not be there.
struct Printed {
    texts: Vec<String>,
    sandbox: Sandbox,
}

impl Printed {
    fn debug(&mut self, it: &impl Debug) {
        self.texts.push(format!("{it:?}"));
        self.texts.push(format!("{it:#?}"));
    }

    fn error(&mut self, error: &(impl std::error::Error + 'static)) {
        self.debug(error);
        self.texts.extend(chain(error));
    }

    /// Sends in the blocking way, and prints every value on the way.
    fn ask<T: Readable<Provider = AllScale> + Debug>(
        &mut self,
        call: &Call<T>,
        transport: &impl BlockingTransport,
    ) {
        self.debug(call);
        let attempt = call.attempt(Moment::from_unix_millis(0), "nonce").unwrap();
        self.debug(&attempt);
        // `Attempt` gives the request away, so the text that `http` prints of the request counts too, but for
        // the body.
        self.debug(attempt.request().headers());
        self.debug(&attempt.into_parts().1);
        match call.send_blocking(transport) {
            Ok(answer) => self.debug(&answer),
            Err(error) => {
                self.error(&error);
                self.debug(error.kind());
            }
        }
    }

    /// Searches for every planted value, every signature, and the payer's wallet.
    fn check(&self) {
        let mut planted = vec![API_KEY.to_owned(), API_SECRET.to_owned(), USER_ID.into(), USER_NAME.into()];
        for request in self.sandbox.requests() {
            planted.push(header(&request, "x-signature"));
            let body = String::from_utf8_lossy(request.answered_body()).into_owned();
            if let Some((_, after)) = body.split_once(r#""tx_from":"0x"#) {
                planted.push(after.split('"').next().unwrap().to_owned());
            }
        }
        let wallets = planted.iter().filter(|text| text.len() == 40).count();
        assert!(planted.len() > 20 && wallets > 0 && self.texts.len() > 100);
        for text in &self.texts {
            for secret in &planted {
                assert!(!text.contains(&**secret), "{secret} in {text}");
            }
            assert!(!text.contains("v1="), "a signature in {text}");
        }
    }
}

#[test]
fn nothing_prints_a_secret_or_the_payer_s_identity() {
    let sandbox = sandbox(9);
    let client = client(&sandbox);
    let mut printed = Printed { texts: Vec::new(), sandbox: sandbox.clone() };
    printed.debug(&client);
    printed.debug(&Client::builder(key()).clock(|| Moment::from_unix_millis(0)).nonces(counted_nonces()));

    printed.ask(&client.create(&fiat(1_000)), &sandbox);
    let id = sandbox.intents()[0].id.clone();
    sandbox.clock().advance(Duration::from_secs(60));
    printed.ask(&client.get(&id).unwrap(), &sandbox);
    printed.ask(&client.ping(), &sandbox);
    printed.ask(&client.fail(), &sandbox);
    for fault in [
        Fault::LostBefore,
        Fault::LostAnswer,
        Fault::Truncated,
        Fault::Garbage,
        Fault::DuplicateKeys,
        Fault::StatusAsObject,
        Fault::SwappedIntent,
        Fault::TamperedAmount,
        Fault::HtmlBadGateway,
        Fault::Redirect,
        Fault::InternalError,
        Fault::RateLimited,
    ] {
        for route in [Route::Create, Route::Get, Route::Status] {
            sandbox.inject_on(route, fault.clone());
        }
        printed.ask(&client.create(&native(StableCoin::USDT, 1_000)), &sandbox);
        printed.ask(&client.get(&id).unwrap(), &sandbox);
        printed.ask(&client.status(&id).unwrap(), &sandbox);
    }
    printed.check();
}

#[test]
fn a_page_or_an_answer_that_echoes_the_request_is_not_printed() {
    let sandbox = sandbox(9);
    let client = client(&sandbox);
    let mut printed = Printed { texts: Vec::new(), sandbox: sandbox.clone() };
    let recorder = Recorder::before(&sandbox);
    let create = client.create(&fiat(1_000));
    let get = client.get("65b2f3d0d2d9c0a1b2c3d4e5").unwrap();
    printed.ask(&create, &recorder);
    printed.ask(&client.get(&sandbox.intents()[0].id).unwrap(), &recorder);
    sandbox.clock().advance(Duration::from_secs(60));
    for _ in 0..20 {
        printed.ask(&client.get(&sandbox.intents()[0].id).unwrap(), &recorder);
    }
    let echo = recorder.seen().join("\n");
    assert!(echo.contains(API_KEY) && echo.contains(USER_NAME) && echo.contains("v1="));
    for body in [
        echo.clone(),
        format!("{{{echo}"),
        // Every value in a place where another type, or another value, is documented.
        format!(r#"{{"code":0,"payload":"{USER_NAME}"}}"#),
        format!(r#"{{"code":0,"payload":{{"{USER_NAME}":"{API_KEY}","status":"{API_SECRET}"}}}}"#),
        format!(r#"{{"code":"{API_KEY}"}}"#),
        format!(
            r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"a","status":20,
            "amount_coins":"{USER_NAME}","user_name":"{USER_NAME}"}}}}"#
        ),
        format!(
            r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"a","status":20,
            "amount_coins":"1","user_name":"{USER_NAME}","user_id":["{USER_ID}"]}}}}"#
        ),
        format!(
            r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"{USER_NAME}","status":20,
            "amount_coins":"1","user_name":"{USER_NAME}","user_id":"{USER_ID}"}}}}"#
        ),
        format!(
            r#"{{"code":0,"payload":{{"allscale_checkout_intent_id":"a","stable_coin_type":"{USER_ID}",
            "amount_coins":"1","checkout_url":"{USER_NAME}"}}}}"#
        ),
    ] {
        for status in [200, 302, 502] {
            let response = response(status, &[("content-type", "text/html")], body.as_bytes());
            let transport = from_fn_blocking(move |_: Request| Ok(response.clone()));
            printed.ask(&create, &transport);
            printed.ask(&get, &transport);
        }
    }
    printed.check();
}

#[test]
fn the_error_for_a_base_url_with_a_password_hides_the_password() {
    let url = format!("https://{API_KEY}:{API_SECRET}@h/");
    let builder =
        Client::builder(key()).clock(|| Moment::from_unix_millis(0)).nonces(counted_nonces()).base_url(url);
    assert!(!format!("{builder:?}").contains("planted"));
    let error: BuildError = builder.build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("planted"));
}

#[test]
fn the_host_and_the_path_are_printed() {
    let client = client_at(0);
    assert!(format!("{client:?}").contains("https://openapi.allscale.io"));
    let call = client.status("65b2").unwrap();
    assert!(format!("{call:?}").contains("/v1/checkout_intents/65b2/status"), "{call:?}");
    let attempt = call.attempt(Moment::from_unix_millis(0), "nonce-1").unwrap();
    assert!(format!("{attempt:?}").contains("https://openapi.allscale.io/v1/checkout_intents/65b2/status"));
}

#[test]
fn errors_explain_themselves_by_display_alone() {
    let sandbox = sandbox(9);
    let client = client(&sandbox);
    sandbox.inject(Fault::LostAnswer);
    let lost = client.ping().send_blocking(&sandbox).unwrap_err();
    sandbox.inject(Fault::EmptyUnauthorized);
    let refused = client.ping().send_blocking(&sandbox).unwrap_err();
    let [lost, refused] = [lost, refused].map(|error| chain(&error));
    assert_eq!(
        lost[0],
        "GET /v1/test/ping: there is no response, and whether the request was delivered is unknown"
    );
    assert_eq!(lost[1..], ["connection reset"]);
    assert_eq!(refused, ["GET /v1/test/ping: not an answer of the API's: HTTP status 401"]);
}
