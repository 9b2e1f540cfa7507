//! Reading ends in an answer, or in an error with the reason, for all bytes.

use crate::world::{client_at, native, response};
use checkout_client::allscale::AllScale;
use checkout_client::{Call, CallErrorKind, Readable};
use checkout_tables::Moment;
use checkout_tables::allscale::StableCoin;
use checkout_wire::JsonText;
use proptest::collection::vec;
use proptest::prelude::*;

/// Answers that can be read, one for each payload.
const ANSWERS: [&str; 6] = [
    r#"{"code":0,"payload":20,"error":null,"request_id":"req_1"}"#,
    r#"{"code":0,"payload":{"pong":"ok"},"error":null,"request_id":"req_1"}"#,
    r#"{"code":0,"payload":{"your_request_body":[1]},"error":null,"request_id":"req_1"}"#,
    r#"{"code":0,"payload":{"all_scale_checkout_intent_id":"a","status":20,"amount_coins":"10.5"}}"#,
    r#"{"code":0,"payload":{"checkout_url":"https://c.example/","allscale_checkout_intent_id":"a",
        "amount_coins":"10.5","stable_coin_type":1},"request_id":"req_1"}"#,
    r#"{"code":50001,"payload":null,"error":{"message":"no","details":{}},"request_id":"req_1"}"#,
];

/// `done`, `refused`, `not the API` or `error`, after a check of the laws of reading.
fn check<T: Readable<Provider = AllScale>>(call: &Call<T>, status: u16, body: &[u8]) -> &'static str {
    let (_, reader) = call.attempt(Moment::from_unix_millis(7_000), "nonce-1").unwrap().into_parts();
    let redirect = (300..400).contains(&status);
    match reader.read(&response(status, &[], body)) {
        Ok(answer) => {
            assert_eq!((answer.http_status(), answer.sent_at().unix_millis()), (status, 7_000));
            assert!(!redirect, "{status} is done");
            "done"
        }
        Err(error) => {
            assert_eq!(error.http_status(), Some(status));
            assert!(redirect || !error.is_redirect());
            match error.kind() {
                CallErrorKind::Refused(refusal) => {
                    assert!(!redirect && refusal.code.value() != 0);
                    "refused"
                }
                CallErrorKind::UnexpectedResponse(other) => {
                    assert_eq!(other.status, status);
                    "not the API"
                }
                CallErrorKind::Unreadable(_) | CallErrorKind::Mismatch(_) => {
                    assert!(error.may_have_been_processed());
                    assert_eq!(error.body().map(|body| &body[..]), Some(body));
                    assert!(!redirect);
                    "error"
                }
                CallErrorKind::NotSent(_)
                | CallErrorKind::NoResponse(_)
                | CallErrorKind::NotAuthentic(_)
                | _ => panic!("{error:?}"),
            }
        }
    }
}

fn check_all(status: u16, body: &[u8]) -> [&'static str; 6] {
    let client = client_at(0);
    [
        check(&client.status("a").unwrap(), status, body),
        check(&client.ping(), status, body),
        check(&client.post(&JsonText::new("[1]").unwrap()), status, body),
        check(&client.get("a").unwrap(), status, body),
        check(&client.create(&native(StableCoin::USDT, 1_050)), status, body),
        check(&client.fail(), status, body),
    ]
}

#[test]
fn an_answer_is_read_under_every_status_but_a_redirect() {
    for status in 100..1_000 {
        let redirect = (300..400).contains(&status);
        let [status_of, ping, post, get, create, _] =
            [0, 1, 2, 3, 4, 5].map(|at| check_all(status, ANSWERS[at].as_bytes())[at]);
        let done = if redirect { "not the API" } else { "done" };
        assert_eq!([status_of, ping, post, get, create], [done; 5], "{status}");
        let refused = if redirect { "not the API" } else { "refused" };
        assert_eq!(check_all(status, ANSWERS[5].as_bytes()), [refused; 6], "{status}");
    }
}

fn any_status() -> impl Strategy<Value = u16> {
    prop_oneof![100_u16..1_000, Just(200), 300_u16..400]
}

/// An answer with some bytes changed, and cut off somewhere.
fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::sample::select(&ANSWERS[..]), changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(answer, changes, cut, is_cut)| {
            let mut body = answer.as_bytes().to_vec();
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            if is_cut {
                body.truncate(cut.index(body.len()));
            }
            body
        },
    )
}

proptest! {
    #[test]
    fn reading_never_panics_and_nothing_is_done_by_a_redirect(
        status in any_status(),
        body in prop_oneof![vec(any::<u8>(), 0..200), nearly_an_answer()],
    ) {
        check_all(status, &body);
    }

    #[test]
    fn a_body_that_is_no_object_is_not_the_api_s(status in any_status(), body in "[^{]{0,40}") {
        prop_assert_eq!(check_all(status, body.as_bytes()), ["not the API"; 6]);
    }
}
