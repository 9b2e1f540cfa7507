//! The law of reading a reply.

use crate::{depth, optional, request_id, text, value};
use checkout_wire::allscale::{Payload, read, write};
use checkout_wire::allscale::{Refusal, Reply};
use checkout_wire::{Answer, Head, JsonText, ReadError, ReadErrorKind};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::Debug;

/// Room for values that are made on the way and borrowed from.
#[derive(Default)]
pub struct Room {
    again: OnceCell<Vec<u8>>,
    tree: OnceCell<Value>,
    plain: OnceCell<Vec<u8>>,
}

/// The first byte of an input is the HTTP status: `2` for 200, `3` for 302, `4` for 400, `5` for 502, and
/// another number for any other byte. The rest is the body.
pub fn status_and_body(input: &[u8]) -> (u16, &[u8]) {
    match input.split_first() {
        Some((b'2', body)) => (200, body),
        Some((b'3', body)) => (302, body),
        Some((b'4', body)) => (400, body),
        Some((b'5', body)) => (502, body),
        Some((other, body)) => (100 + 2 * u16::from(*other), body),
        None => (200, input),
    }
}

/// Asserts that the body is read as `by_hand` reads the payload out of a tree, and that reading keeps its own
/// laws. `same` compares a payload with the same payload when nothing is borrowed any more.
/// The input is split by [`status_and_body`].
pub fn assert_reads<'a, T: Payload<'a> + Clone + PartialEq + Debug>(
    input: &'a [u8],
    room: &'a Room,
    by_hand: fn(&'a Value) -> Option<T>,
    same: fn(&T, &T::Owned) -> bool,
) {
    let (status, body) = status_and_body(input);
    let head = Head { retry_after: RETRY_AFTER, ..Head::new(status) };
    let reply = read::<T>(&head, body);
    match &reply {
        Ok(reply) => {
            assert_same_when_owned(reply, same);
            if let Some(written) = write(reply) {
                let written = room.again.get_or_init(|| written);
                // Nothing of the head is written.
                let again = read::<T>(&Head { status: 200, ..head }, written);
                assert_eq!(again.as_ref(), Ok(reply), "the written body reads otherwise");
                assert_eq!(again.ok().and_then(|again| write(&again)).as_ref(), Some(written));
            }
        }
        Err(error) => assert_clear(error, body),
    }
    if let Some(theirs) = value(body) {
        assert_told_apart(&head, &reply, theirs.as_ref().ok());
        if let Ok(tree @ Value::Object(_)) = theirs {
            let tree = room.tree.get_or_init(|| tree);
            assert_as_by_hand(&reply, tree, room, by_hand);
        }
    }
}

fn assert_same_when_owned<'a, T: Payload<'a> + Clone + PartialEq + Debug>(
    reply: &Reply<'a, T>,
    same: fn(&T, &T::Owned) -> bool,
) {
    let alike = match (reply, &reply.clone().map_owned(Payload::into_owned)) {
        (Reply::Done(this), Reply::Done(owned)) => {
            this.request_id == owned.request_id && same(&this.payload, &owned.payload)
        }
        (Reply::Refused(this), Reply::Refused(owned)) => this == owned,
        (Reply::UnexpectedResponse(this), Reply::UnexpectedResponse(owned)) => this == owned,
        _ => false,
    };
    assert!(alike, "{reply:?} differs when nothing is borrowed");
}

/// Asserts that an error points into the body, and says nothing but texts of `SAYINGS`: none of the answer's
/// values.
pub fn assert_clear(error: &ReadError, body: &[u8]) {
    assert!(error.at() <= body.len(), "{error}");
    assert!(error.path().bytes().all(|byte| byte.is_ascii_graphic()), "{error}");
    let said = match error.kind() {
        ReadErrorKind::Type(documented) => documented.as_str(),
        ReadErrorKind::Value(what) => what,
        _ => return,
    };
    let said = said.trim_end_matches(|c: char| c.is_ascii_digit());
    assert!(SAYINGS.contains(&said), "an error says {said:?}");
}

/// Asserts the kinds of replies. A body that is not a JSON object is not the API's, and a redirect is not;
/// nor is, under an error status, a body without an integer for a code. An object is no bad JSON.
fn assert_told_apart<T: Debug>(
    head: &Head<'_>,
    reply: &Result<Reply<'_, T>, ReadError>,
    theirs: Option<&Value>,
) {
    let object = theirs.is_some_and(Value::is_object);
    match reply {
        Ok(Reply::Done(_) | Reply::Refused(_)) => assert!(object && !head.is_redirect(), "{reply:?}"),
        Ok(Reply::UnexpectedResponse(_)) => {
            let envelope = theirs.is_some_and(|tree| object && tree["code"].as_i64().is_some());
            assert!(head.is_redirect() || !object || (!head.is_success() && !envelope), "{reply:?}");
        }
        Err(error) => {
            assert!(!head.is_redirect());
            // The tree has the last of two codes, so a code that is read need not stand there.
            let no_tree = matches!(error.kind(), ReadErrorKind::TooLarge { .. } | ReadErrorKind::NotUtf8);
            assert!(head.is_success() || no_tree || object, "{error}, but it is no object");
            let no_json = [ReadErrorKind::Syntax, ReadErrorKind::Truncated, ReadErrorKind::NotUtf8];
            assert!(theirs.is_none() || !no_json.contains(error.kind()), "{error}, but it is JSON");
        }
    }
}

/// Asserts that the tree written down plainly (no key twice, no needless escape or white space) is read
/// exactly as by hand, and that the body as it came, if it was read, is the same.
fn assert_as_by_hand<'a, T: Payload<'a> + Clone + PartialEq + Debug>(
    reply: &Result<Reply<'a, T>, ReadError>,
    tree: &'a Value,
    room: &'a Room,
    by_hand: fn(&'a Value) -> Option<T>,
) {
    let plain = room.plain.get_or_init(|| tree.to_string().into_bytes());
    let head = Head { retry_after: RETRY_AFTER, ..Head::new(200) };
    let plain_under = |status| read::<T>(&Head { status, ..head }, plain);
    // An error status changes the reading of a missing code alone.
    match tree["code"].as_i64() {
        Some(_) => assert_eq!(plain_under(502), plain_under(200)),
        None => assert!(matches!(plain_under(502), Ok(Reply::UnexpectedResponse(_)))),
    }
    let plain = plain_under(200);
    if let Err(error) = &plain {
        assert_eq!(error.request_id(), request_id(&tree["request_id"]).as_deref(), "{error}");
    }
    let expected = envelope(tree, by_hand).filter(|_| depth(tree) <= DEPTH);
    assert_eq!(plain.as_ref().ok(), expected.as_ref(), "{plain:?}, and by hand otherwise");
    if let Ok(reply @ (Reply::Done(_) | Reply::Refused(_))) = reply {
        let tree_of = |reply: &Reply<'a, T>| {
            write(reply).map(|written| serde_json::from_slice::<Value>(&written).expect("JSON is written"))
        };
        assert_eq!(plain.ok().as_ref().and_then(tree_of), tree_of(reply));
    }
}

fn envelope<'a, T>(tree: &'a Value, by_hand: fn(&'a Value) -> Option<T>) -> Option<Reply<'a, T>> {
    let request_id = request_id(&tree["request_id"]);
    let code = tree["code"].as_i64()?;
    if code == 0 {
        if !tree["error"].is_null() {
            return None;
        }
        return Some(Reply::Done(Answer { payload: by_hand(&tree["payload"])?, request_id }));
    }
    let error = &tree["error"];
    let message = optional(&error["message"], text);
    let json =
        |json: &Value| (!json.is_null()).then(|| JsonText::new(json.to_string()).expect("a tree is JSON"));
    Some(Reply::Refused(Refusal {
        code: code.into(),
        // An error of another shape is kept unchanged, and nothing is taken out of it.
        details: message.as_ref().and_then(|_| json(&error["details"])),
        message: message.flatten().or(text(error)),
        error: json(error),
        request_id,
        retry_after: RETRY_AFTER.map(Cow::Borrowed),
    }))
}

/// The header of every head.
const RETRY_AFTER: Option<&str> = Some("2");

/// The depth that the reader takes.
pub const DEPTH: usize = 64;

/// All texts of an error about a value, but for the number of a byte at the end.
const SAYINGS: &[&str] = &[
    "i",
    "u",
    "a string",
    "a boolean",
    "an object",
    "a string or null",
    "a string that holds a decimal number",
    "the two spellings of the id differ",
    "an error beside code ",
    "a text with half a character",
    "more than 1024 fields",
    "an empty text at byte ",
    "a missing digit at byte ",
    "a sign other than one leading minus at byte ",
    "a second decimal point at byte ",
    "a digit separator at byte ",
    "an exponent at byte ",
    "a blank at byte ",
    "a character outside ascii at byte ",
    "a character that is no part of a number at byte ",
    "more decimals than can be held exactly at byte ",
    "an amount out of range at byte ",
];
