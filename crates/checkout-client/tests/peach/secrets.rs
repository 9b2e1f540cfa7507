//! The texts that nothing prints: secrets, tokens, signatures, and the payer's identity.

use crate::support::{Printed, Recorder, answering, response};
use crate::world::{
    CLIENT_SECRET, ENTITY, MAIL, NOTE, SECRET, by, checkout, client, credentials, latest, sandbox, secret,
    v2_builder,
};
use checkout_client::peach::{Client, v2};
use checkout_sandbox::peach::{Fault, Sandbox};
use checkout_tables::Moment;

const PLANTED: [&str; 4] = [SECRET, CLIENT_SECRET, MAIL, NOTE];

/// Every signature, token and card holder that was ever sent or answered.
fn passed_by(sandbox: &Sandbox) -> Vec<String> {
    let mut found = Vec::new();
    for request in sandbox.requests() {
        let headers = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let [sent, answered] =
            [request.body(), request.answered_body()].map(|body| String::from_utf8_lossy(body));
        let text = format!("{} {} {sent} {answered}", request.query(), headers.unwrap_or_default());
        for (before, after) in [
            ("signature=", None),
            ("\"signature\":\"", Some('"')),
            ("Bearer ", Some(' ')),
            ("\"access_token\":\"", Some('"')),
            ("\"card.holder\":\"", Some('"')),
        ] {
            for rest in text.split(before).skip(1) {
                let end = after.unwrap_or(' ');
                found.push(rest.split(end).next().unwrap().to_owned());
            }
        }
    }
    found.retain(|text| text.len() > 8);
    found
}

#[test]
fn nothing_prints_a_secret_a_token_a_signature_or_the_payer_s_identity() {
    let sandbox = sandbox();
    let v1 = client(&sandbox);
    let v2 = v2_builder(&sandbox).secret_token(secret()).build().unwrap();
    let mut printed = Printed::default();
    printed.debug(&v1);
    printed.debug(&v2);
    printed.debug(&Client::builder(ENTITY, secret()));
    printed.debug(&v2::Client::builder(ENTITY, credentials()));
    printed.debug(&credentials());
    printed.debug(&checkout("order-0001"));
    printed.debug(&v1.initiate(&checkout("order-0001")).map(|call| call.body().len()));
    printed.error(
        &v2.authenticate_blocking(&answering(response(401, &[], b"{\"message\":\"no\"}"))).unwrap_err(),
    );
    v2.authenticate_blocking(&sandbox).unwrap();

    let initiate = v1.initiate(&checkout("order-0001")).unwrap();
    let (validate, create) =
        (v1.validate(&checkout("order-0001")).unwrap(), v2.create(&checkout("order-0001")).unwrap());
    printed.ask(&initiate, &sandbox);
    let id = latest(&sandbox).checkout_id;
    crate::world::advance(&sandbox, 60);
    for fault in [
        None,
        Some(Fault::LostBefore),
        Some(Fault::LostAnswer),
        Some(Fault::Truncated),
        Some(Fault::Garbage),
        Some(Fault::DuplicateKeys),
        Some(Fault::TamperedAmount),
        Some(Fault::TamperedSignature),
        Some(Fault::SwappedCheckout),
        Some(Fault::TamperedCode("123.456.789".into())),
        Some(Fault::HtmlBadGateway),
        Some(Fault::Redirect),
        Some(Fault::InternalError),
        Some(Fault::RateLimited),
    ] {
        let once = || fault.iter().for_each(|fault| sandbox.inject(fault.clone()));
        once();
        printed.ask(&initiate, &sandbox);
        once();
        printed.ask(&validate, &sandbox);
        once();
        printed.ask(&v1.status(by("order-0001")), &sandbox);
        once();
        printed.ask(&v2.token(), &sandbox);
        once();
        printed.ask(&create, &sandbox);
        once();
        printed.ask(&v2.status(&id).unwrap(), &sandbox);
        // A fault that waits for a status does not strike the other routes.
        while sandbox.faults_waiting() > 0 {
            printed.ask(&v2.status(&id).unwrap(), &sandbox);
        }
    }
    let passed_by = passed_by(&sandbox);
    let holders = passed_by.iter().filter(|text| text.starts_with("Payer ")).count();
    let tokens = passed_by.iter().filter(|text| text.starts_with("sbx.")).count();
    assert!(passed_by.len() > 100 && holders > 10 && tokens > 10, "{holders} {tokens}");
    let passed_by: Vec<_> = passed_by.iter().map(|text| &**text).collect();
    printed.check(&[&PLANTED[..], &passed_by].concat());
}

#[test]
fn a_page_or_an_answer_that_echoes_the_request_is_not_printed() {
    let sandbox = sandbox();
    let (v1, v2) = (client(&sandbox), v2_builder(&sandbox).build().unwrap());
    let recorder = Recorder::before(&sandbox);
    let mut printed = Printed::default();
    v2.authenticate_blocking(&recorder).unwrap();
    let initiate = v1.initiate(&checkout("order-0001")).unwrap();
    printed.ask(&initiate, &recorder);
    let create = v2.create(&checkout("order-0001")).unwrap();
    printed.ask(&create, &recorder);
    let echo = recorder.seen().join("\n");
    assert!(echo.contains(CLIENT_SECRET) && echo.contains(MAIL) && echo.contains("signature"));
    let texts = [SECRET, CLIENT_SECRET, MAIL].join(" ");
    for body in [
        echo.clone(),
        format!("{{{echo}"),
        // Every value in a place where another type, or another value, is documented.
        format!(r#"{{"redirectUrl":"{texts}","checkoutId":["{texts}"]}}"#),
        format!(r#"{{"access_token":"{texts}","expires_in":"{texts}","token_type":"{texts}"}}"#),
        format!(r#"{{"access_token":"{texts}","expires_in":1}}"#),
        format!(
            r#"{{"result.code":"000.000.000","card.holder":"{texts}","signature":"{texts}","merchantTransactionId":"order-0001"}}"#
        ),
        format!(r#"{{"result.code":"700.400.580","customer.email":"{texts}"}}"#),
        format!(r#"{{"result.code":"1","amount":{{"{texts}":1}},"{texts}":["{texts}"]}}"#),
        format!(r#"{{"validation_errors":{{"customer.email":"{texts} is wrong"}}}}"#),
    ] {
        for status in [200, 201, 302, 400, 401, 502] {
            let transport = answering(response(status, &[("content-type", "text/html")], body.as_bytes()));
            printed.ask(&initiate, &transport);
            printed.ask(&v1.validate(&checkout("order-0001")).unwrap(), &transport);
            printed.ask(&v1.status(by("order-0001")), &transport);
            printed.ask(&v2.token(), &transport);
            printed.ask(&create, &transport);
            printed.ask(&v2.status("c1").unwrap(), &transport);
        }
    }
    printed.check(&PLANTED);
}

#[test]
fn the_host_and_the_path_are_printed_without_the_query() {
    let sandbox = sandbox();
    let attempt = client(&sandbox).status(by("order-0001")).attempt(Moment::from_unix_millis(0), "").unwrap();
    let uri = "https://testsecure.peachpayments.com/status";
    assert_eq!(format!("{attempt:?}"), format!("Attempt {{ method: GET, uri: {uri}, .. }}"));
}

/// A span of the feature `tracing` has the host, the end and the code, and nothing else.
#[cfg(feature = "tracing")]
#[test]
fn a_span_has_route_path_status_code_and_outcome() {
    use crate::support::Notes;
    let sandbox = sandbox();
    let client = client(&sandbox);
    let (_, lines) = Notes::during(|| drop(client.status(by("order-0001")).send_blocking(&sandbox)));
    assert_eq!(
        lines,
        [
            r#"checkout attempt: route=Status path="/status""#,
            " http_status=400",
            r#" code="200.300.404""#,
            r#" outcome="refused""#,
            r#" message=attempt ended outcome="refused""#,
        ]
    );
    let (_, lines) = Notes::during(|| {
        drop(v2_builder(&sandbox).build().unwrap().status("c1").unwrap().send_blocking(&sandbox));
    });
    assert_eq!(lines[1..], [r#" outcome="not sent""#, r#" message=attempt ended outcome="not sent""#]);
}
