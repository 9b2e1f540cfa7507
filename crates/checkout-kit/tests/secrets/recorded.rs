//! The wrappers of a transport: a recording, the cassette with its text, and the replay; and the faults of
//! each of them, and of a transport.

use super::*;
use checkout_testkit::contract;
use checkout_testkit::record::{Cassette, Recording, Replaying};
use std::collections::HashSet;
use std::mem::discriminant;

type Request = checkout_transport::Request;

pub(super) fn recorded(list: &mut List) {
    let recording = Recording::new(checkout_transport::from_fn_blocking(|request: Request| {
        Ok(planted(request.into_body()))
    }));
    // Each body is sent, and comes back as the answer.
    let mut bodies = vec![
        Vec::new(),
        ALL.into(),
        CARD_NUMBER.into(),
        extra().into(),
        allscale_created(),
        allscale_intent(),
        allscale_refusal(),
        allscale_webhook(),
        azotte_challenge(),
        azotte_refusal(),
        peach_payment(),
        peach_refusal(),
        peach_token(),
        peach_wrapped(),
    ];
    bodies.extend(unreadable().into_iter().map(String::into_bytes));
    for body in &bodies {
        recording.send_blocking(request(body)).unwrap();
    }
    let cassette = recording.cassette();
    assert_eq!(cassette.len(), bodies.len());
    let kept = cassette.to_json();
    list! { list, "checkout_testkit::record::Cassette" => cassette.clone(); }
    list.entries.last_mut().unwrap().texts.push(kept.clone());

    replayed(list, &cassette, &bodies);
    unreadable_cassettes(list, &kept);

    let local = Recording::local(checkout_transport::from_fn_local(|_| async { Ok(planted(ALL.into())) }));
    list! { list,
        "checkout_testkit::record::Recording" => recording;
        "checkout_testkit::record::Recording" => local;
    }

    let broken = |answer: fn() -> Result<Response, TransportError>| {
        contract::check_blocking(|_| checkout_transport::from_fn_blocking(move |_| answer())).unwrap_err()
    };
    list! { list,
        "checkout_testkit::contract::Broken" => broken(|| Ok(planted(ALL.into())));
        "checkout_testkit::contract::Broken" => broken(|| Err(TransportError::unknown("no network")));
    }
}

/// Every request that the cassette does not expect, and the exchanges that are left.
fn replayed(list: &mut List, cassette: &Cassette, bodies: &[Vec<u8>]) {
    let mut errors = HashSet::new();
    for (at, _) in bodies.iter().enumerate() {
        // The body of another exchange.
        for body in bodies.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, body)| body) {
            let replaying = Replaying::new(cassette.clone());
            for body in bodies.iter().take(at) {
                replaying.send_blocking(request(body)).unwrap();
            }
            if replaying.send_blocking(request(body)).is_ok() {
                // Without the planted texts the two are the same.
                continue;
            }
            let error = replaying.finish().unwrap_err();
            errors.insert(error.to_string());
            list! { list, "checkout_testkit::record::ReplayError" => error; }
        }
    }
    let first = || request(bodies.first().unwrap());
    let mut others = vec![first(), first(), first(), first()];
    if let [by_method, by_host, by_path, by_query] = &mut others[..] {
        *by_method.method_mut() = http::Method::GET;
        *by_host.uri_mut() = "https://other.example/pay?token=1".parse().unwrap();
        *by_path.uri_mut() = format!("https://provider.example/{MAIL}?{USER_ID}").parse().unwrap();
        *by_query.uri_mut() = format!("https://provider.example/pay?{USER_ID}={API_KEY}").parse().unwrap();
    }
    for other in others {
        let replaying = Replaying::in_any_order(cassette.clone());
        let refused = replaying.send_blocking(other).unwrap_err();
        let error = replaying.finish().unwrap_err();
        errors.insert(error.to_string());
        list! { list,
            "checkout_transport::TransportError" => refused;
            "checkout_testkit::record::ReplayError" => error;
            "checkout_testkit::record::Replaying" => replaying;
        }
    }
    let empty = Replaying::new(Cassette::default());
    assert!(empty.send_blocking(first()).is_err());
    let untouched = Replaying::new(cassette.clone());
    list! { list,
        "checkout_testkit::record::ReplayError" => empty.finish().unwrap_err();
        "checkout_testkit::record::ReplayError" => untouched.finish().unwrap_err();
    }
    // By the method, the host, the path, the query, and a body's kind, length and members.
    assert!(errors.len() > 10, "{errors:#?}");
}

/// The cassette with a planted text in the place of everything that the reader looks for.
fn unreadable_cassettes(list: &mut List, kept: &str) {
    let planted = |text: &str| text.replace('"', "\\\"");
    let all = planted(ALL);
    let mut texts = vec![ALL.to_owned(), format!("[\"{all}\\ud800\"]"), format!("{{\"{all}\":1}}")];
    for line in kept.lines().take(400) {
        let Some((name, value)) = line.split_once(": ") else { continue };
        let comma = if value.ends_with(',') { "," } else { "" };
        if !value.starts_with(['{', '[']) {
            texts.push(kept.replacen(line, &format!("{name}: [\"{all}\"]{comma}"), 1));
            texts.push(kept.replacen(line, &format!("\"{all}\": \"{all}\"{comma}"), 1));
            texts.push(kept.replacen(line, &format!("{line}{CARD_NUMBER}"), 1));
        }
    }
    let errors: Vec<_> = texts.iter().filter_map(|text| Cassette::from_json(text).err()).collect();
    assert_eq!(errors.iter().map(discriminant).collect::<HashSet<_>>().len(), 3, "{errors:#?}");
    for error in errors {
        list! { list, "checkout_testkit::record::CassetteError" => error; }
    }
}

fn request(body: &[u8]) -> Request {
    let request = http::Request::post(format!("https://provider.example/{MAIL}/pay?token={SECRET_TOKEN}"));
    let request = request.header("x-api-key", API_KEY).header("authorization", ACCESS_TOKEN);
    request.header("cookie", HOLDER).body(Bytes::copy_from_slice(body)).unwrap()
}

fn planted(body: Bytes) -> Response {
    let response = http::Response::builder().header("location", CHALLENGE_URL).header("set-cookie", MAIL);
    response.header("x-request-id", WALLET).body(body).unwrap()
}
