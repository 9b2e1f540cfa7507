//! Azotte's answer to a submit or to a read of the status.
#![no_main]

use checkout_fuzz::{DEPTH, assert_clear, depth, optional, status_and_body, text, value};
use checkout_tables::Open;
use checkout_validate::Redacted;
use checkout_wire::azotte::{
    CheckoutResult, FollowUpInstructions, RedirectInstructions, Reply, ResultStatus, read, write,
};
use checkout_wire::{Head, JsonText, ReadError, ReadErrorKind, Verbatim};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let (status, body) = status_and_body(input);
    let head = Head { retry_after: Some("2"), ..Head::new(status) };
    let reply = read(&head, body);
    match &reply {
        Ok(reply) => {
            assert_eq!(&reply.clone().map_owned(CheckoutResult::into_owned), reply);
            if let Some(written) = write(reply) {
                let again = read(&head, &written);
                assert_eq!(again.as_ref(), Ok(reply), "the written body reads otherwise");
                assert_eq!(again.ok().and_then(|again| write(&again)).as_ref(), Some(&written));
            }
        }
        Err(error) => assert_clear(error, body),
    }
    assert!(head.is_success() || !matches!(reply, Ok(Reply::Done(_))), "done under {status}");
    if let Some(theirs) = value(body) {
        assert_as_by_hand(&head, &reply, theirs.ok());
    }
});

fn assert_as_by_hand(head: &Head<'_>, reply: &Result<Reply<'_>, ReadError>, tree: Option<Value>) {
    let no_json = [ReadErrorKind::Syntax, ReadErrorKind::Truncated, ReadErrorKind::NotUtf8];
    match reply {
        Ok(Reply::UnexpectedResponse(_)) => {}
        Ok(_) => assert!(!head.is_redirect() && tree.as_ref().is_some_and(Value::is_object)),
        Err(error) => assert!(tree.is_none() || !no_json.contains(error.kind())),
    }
    let Some(tree) = tree.filter(Value::is_object) else { return };
    // With no key twice, no needless escape and no white space.
    let plain = tree.to_string();
    let plain = read(&Head::new(200), plain.as_bytes());
    let expected = by_hand(&tree).filter(|_| depth(&tree) <= DEPTH);
    let code = tree["status"]["messageCode"].as_str();
    match (&plain, expected) {
        (Ok(Reply::Done(answer)), expected) => assert_eq!(Some(&answer.payload), expected.as_ref()),
        (Ok(Reply::Refused(_)), Some(_)) => assert_eq!(code, Some("ORDERED_ITEM_NOT_FOUND")),
        (Err(error), None) => assert_clear(error, tree.to_string().as_bytes()),
        (plain, expected) => panic!("{plain:?}, and by hand {expected:?}"),
    }
    match (reply, &plain) {
        (Ok(Reply::Done(answer)), Ok(Reply::Done(plain))) => {
            let tree = |result| serde_json::to_value::<&CheckoutResult<'_>>(result).expect("JSON is written");
            assert_eq!(tree(&answer.payload), tree(&plain.payload));
        }
        (Ok(Reply::Done(_)), plain) => panic!("done, and plainly {plain:?}"),
        (Ok(Reply::Refused(refusal)), _) => {
            let text = |key: &str| tree[key].as_str();
            assert_eq!(refusal.message_code.as_ref().map(Open::text), code);
            assert!(head.is_success() || refusal.problem.title.as_deref() == text("title"));
            assert!(
                head.is_success() || refusal.problem.detail.as_ref().map(Redacted::as_str) == text("detail")
            );
            assert!(
                code.is_some()
                    || head.status == 409
                    || ["type", "title", "detail", "instance"].iter().any(|key| text(key).is_some())
            );
        }
        (Ok(Reply::UnexpectedResponse(_)) | Err(_), _) => {}
    }
}

fn by_hand(tree: &Value) -> Option<CheckoutResult<'_>> {
    let status = Some(&tree["status"]).filter(|status| status.is_object())?;
    // A member that is not as documented is none, but for the two that decide.
    Some(CheckoutResult {
        tracking_number: optional(&tree["trackingNumber"], text)?,
        status: ResultStatus {
            message_code: text(&status["messageCode"])?.into(),
            message: personal(&status["message"]),
        },
        message: personal(&tree["message"]),
        redirect_instructions: tree["redirectInstructions"].as_object().map(|redirect| {
            let text = |key| redirect.get(key).and_then(personal);
            let flag = |key| redirect.get(key).and_then(Value::as_bool);
            RedirectInstructions {
                redirect_url: text("redirectUrl"),
                html_content: text("htmlContent"),
                three_d_identifier: text("threeDIdentifier"),
                is_redirect_required: flag("isRedirectRequired"),
                has_next_steps: flag("hasNextSteps"),
                show_html_content: flag("showHtmlContent"),
            }
        }),
        follow_up_instructions: tree["followUpInstructions"].as_object().map(|follow_up| {
            FollowUpInstructions {
                can_follow_up: follow_up.get("canFollowUp").and_then(Value::as_bool),
                retry_after_seconds: follow_up.get("retryAfterSeconds").and_then(seconds),
            }
        }),
    })
}

fn seconds(tree: &Value) -> Option<Verbatim<'_, u64>> {
    match tree.as_u64() {
        Some(seconds) => Some(Verbatim::Known(seconds)),
        None if tree.is_null() => None,
        None => JsonText::new(tree.to_string()).ok().map(Verbatim::Other),
    }
}

fn personal(tree: &Value) -> Option<Redacted<'_>> {
    text(tree).map(Redacted::from)
}
