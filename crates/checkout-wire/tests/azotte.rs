//! Azotte: the documented bodies, every kind of bad input, and the laws of reading.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_tables::Open;
use checkout_tables::azotte::{ErrorCode, MessageCode, PaymentChannel, Route};
use checkout_validate::azotte::{CardDraft, Draft, ItemDraft, Rules};
use checkout_validate::{PathSegment, Redacted};
use checkout_wire::azotte::{
    Challenge, CheckoutResult, FollowUpInstructions, RedirectInstructions, Refusal, Reply, path, read,
    read_capped, submit_body, write,
};
use checkout_wire::{Head, JsonText, ReadErrorKind, Verbatim};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The page's example.
const SUCCESS: &str = r#"{
"trackingNumber": "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB",
"status": { "messageCode": "CHECK_OUT_DONE" },
"followUpInstructions": { "canFollowUp": false }
}"#;

/// The page's example.
const THREE_DS: &str = r#"{
"trackingNumber": "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB",
"status": { "messageCode": "CHECK_OUT_3DS_REQUIRED" },
"redirectInstructions": {
"redirectUrl": "https://psp.example/3ds/abc",
"isRedirectRequired": true,
"hasNextSteps": true,
"showHtmlContent": false
},
"followUpInstructions": { "retryAfterSeconds": 3, "canFollowUp": true }
}"#;

/// The page's example.
const NOT_FOUND: &str = r#"{
"status": { "messageCode": "ORDERED_ITEM_NOT_FOUND" }
}"#;

/// Assumed: the polling pattern names the tracking number and the header, and shows no body.
const ACCEPTED: &str = r#"{
"trackingNumber": "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB",
"status": { "messageCode": "CHECK_OUT_PROCESSING" },
"followUpInstructions": { "canFollowUp": true }
}"#;

/// Every field of a result.
const EVERY: &str = r#"{"trackingNumber":"trk_1","status":{"messageCode":"CHECK_OUT_FAILED","message":"declined"},"message":"see status","redirectInstructions":{"redirectUrl":"https://psp.example/3ds/abc","htmlContent":"<form></form>","threeDIdentifier":"3ds-1","isRedirectRequired":true,"hasNextSteps":false,"showHtmlContent":true},"followUpInstructions":{"canFollowUp":false,"retryAfterSeconds":3}}"#;

/// The reading of a body: the result as written back, or the refusal, or the other reply, or the error.
fn check_under(status: u16, body: impl AsRef<[u8]>) -> String {
    match read(&Head::new(status), body.as_ref()) {
        Ok(reply @ Reply::Done(_)) => format!("done {}", String::from_utf8(write(&reply).unwrap()).unwrap()),
        Ok(Reply::Refused(refusal)) => refusal.to_string(),
        Ok(Reply::UnexpectedResponse(other)) => other.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

fn check(body: impl AsRef<[u8]>) -> String {
    check_under(200, body)
}

fn done(body: &str) -> CheckoutResult<'_> {
    let reply = read(&Head::new(200), body.as_bytes()).unwrap();
    let Reply::Done(answer) = reply else { panic!("{reply:?}") };
    assert_eq!(answer.request_id, None);
    answer.payload
}

fn refused<'a>(head: &Head<'a>, body: &'a str) -> Refusal<'a> {
    let reply = read(head, body.as_bytes()).unwrap();
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    refusal
}

#[test]
fn the_documented_success_is_terminal_and_asks_for_no_more_polling() {
    let result = done(SUCCESS);
    assert_eq!(result.tracking_number.as_deref(), Some("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB"));
    assert_eq!(result.status.message_code, Open::Known(MessageCode::Done));
    assert_eq!(
        result.follow_up_instructions.as_ref().and_then(|follow_up| follow_up.can_follow_up),
        Some(false)
    );
    assert_eq!((result.message(), result.challenge(), result.retry_after_seconds()), (None, None, None));
    assert_eq!(result.redirect_instructions, None);
}

#[test]
fn the_documented_challenge_is_a_page_with_the_wait_until_the_next_read() {
    let result = done(THREE_DS);
    assert_eq!(result.status.message_code, Open::Known(MessageCode::ThreeDsRequired));
    assert_eq!(result.challenge(), Some(Challenge::Url("https://psp.example/3ds/abc")));
    assert_eq!(result.retry_after_seconds(), Some(3));
    let expected = RedirectInstructions {
        redirect_url: Some(Redacted::from("https://psp.example/3ds/abc")),
        html_content: None,
        three_d_identifier: None,
        is_redirect_required: Some(true),
        has_next_steps: Some(true),
        show_html_content: Some(false),
    };
    assert_eq!(result.redirect_instructions, Some(expected));
    let follow_up =
        FollowUpInstructions { can_follow_up: Some(true), retry_after_seconds: Some(Verbatim::Known(3)) };
    assert_eq!(result.follow_up_instructions, Some(follow_up));
}

#[test]
fn the_documented_not_found_is_a_refusal_under_404_and_under_200() {
    for (status, expected) in [(404, "404, ORDERED_ITEM_NOT_FOUND"), (200, "200, ORDERED_ITEM_NOT_FOUND")] {
        let refusal = refused(&Head::new(status), NOT_FOUND);
        assert_eq!(refusal.message_code, Some(Open::Known(ErrorCode::OrderedItemNotFound)));
        assert_eq!(refusal.to_string(), format!("refused with HTTP status {expected}"));
        assert_eq!(refusal.body.as_str(), NOT_FOUND);
        assert!(refusal.is_not_readable());
    }
    // The code alone decides.
    let not_found = Open::Known(ErrorCode::OrderedItemNotFound);
    assert_eq!(
        refused(&Head::new(500), r#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#).message_code,
        Some(not_found)
    );
    let escaped =
        r#"{"status":{"messageCode":"ORDERED_ITEM_NOT\u005fFOUND","message":"m"},"trackingNumber":"t"}"#;
    assert!(refused(&Head::new(200), escaped).is_not_readable());
}

#[test]
fn the_documented_answer_to_a_submit_is_a_result_that_is_not_final() {
    let head = Head {
        retry_after: Some("2"),
        content_type: Some("application/clientOutput+Json"),
        ..Head::new(202)
    };
    let Reply::Done(answer) = read(&head, ACCEPTED.as_bytes()).unwrap() else { panic!() };
    let code = answer.payload.status.message_code.known().unwrap();
    assert_eq!(code, MessageCode::Processing);
    assert!(!code.is_terminal());
    assert_eq!(answer.payload.retry_after_seconds(), None);
    // The checkout can already be at any other stage.
    for code in MessageCode::ROWS {
        let body = ACCEPTED.replace("CHECK_OUT_PROCESSING", code.code());
        let Reply::Done(answer) = read(&head, body.as_bytes()).unwrap() else { panic!() };
        assert_eq!(answer.payload.status.message_code, Open::Known(code));
    }
}

#[test]
fn every_row_of_the_redirect_instructions_is_read_by_its_name() {
    type Row = (&'static str, fn(&RedirectInstructions<'_>) -> Value);
    let every = body_of(EVERY);
    assert_eq!(serde_json::to_value(done(EVERY)).unwrap(), every);
    let rows: [Row; 6] = [
        ("redirectUrl", |redirect| json!(redirect.redirect_url.as_ref().map(Redacted::as_str))),
        ("htmlContent", |redirect| json!(redirect.html_content.as_ref().map(Redacted::as_str))),
        ("threeDIdentifier", |redirect| json!(redirect.three_d_identifier.as_ref().map(Redacted::as_str))),
        ("isRedirectRequired", |redirect| json!(redirect.is_redirect_required)),
        ("hasNextSteps", |redirect| json!(redirect.has_next_steps)),
        ("showHtmlContent", |redirect| json!(redirect.show_html_content)),
    ];
    for (name, field) in rows {
        let value = &every["redirectInstructions"][name];
        assert!(!value.is_null());
        // Each field alone, and missing or null.
        for value in [value, &Value::Null] {
            let body =
                json!({"status": {"messageCode": "CHECK_OUT_DONE"}, "redirectInstructions": {name: value}});
            let body = body.to_string();
            let redirect = done(&body).redirect_instructions.unwrap();
            for (other, field) in rows {
                assert_eq!(field(&redirect), body_of(&body)["redirectInstructions"][other], "{name} {other}");
            }
            assert_eq!(&field(&redirect), value);
        }
        // A field of another type is none, and the others stay.
        let mut body = every.clone();
        body["redirectInstructions"][name] = if value.is_boolean() { json!("true") } else { json!(true) };
        let body = body.to_string();
        let redirect = done(&body).redirect_instructions.unwrap();
        for (other, field) in rows {
            let expected = if other == name { &Value::Null } else { &every["redirectInstructions"][other] };
            assert_eq!(&field(&redirect), expected, "{name} {other}");
        }
    }
}

#[test]
fn a_member_that_cannot_be_understood_is_none_and_the_status_stays() {
    // Values of the wrong type for a member, in turn.
    let anything =
        ["7", "-1.50", "1e400", "true", "\"false\"", "\"\"", r#""\ud800""#, "null", "[]", "[7]", "{}"];
    let nested = [r#"{"a":1,"a":2}"#, r#"{"\ud800":1}"#];
    let (text, flag, object) = ("text", "flag", "object");
    let members = [
        ("", "message", text),
        ("status", "message", text),
        ("", "redirectInstructions", object),
        ("redirectInstructions", "redirectUrl", text),
        ("redirectInstructions", "htmlContent", text),
        ("redirectInstructions", "threeDIdentifier", text),
        ("redirectInstructions", "isRedirectRequired", flag),
        ("redirectInstructions", "hasNextSteps", flag),
        ("redirectInstructions", "showHtmlContent", flag),
        ("", "followUpInstructions", object),
        ("followUpInstructions", "canFollowUp", flag),
    ];
    for (within, name, documented) in members {
        for other in anything.into_iter().chain(nested) {
            let is_documented = match documented {
                "text" => other.starts_with('"') && !other.contains("ud800"),
                "flag" => other == "true",
                _ => other == "{}" || other == nested[0],
            };
            if is_documented {
                continue;
            }
            let member = format!(r#""{name}":{other}"#);
            let (code, body) = (r#""messageCode":"CHECK_OUT_DONE""#, r#""trackingNumber":"trk_1""#);
            let (body, left) = match within {
                "" => (format!(r#"{{{body},"status":{{{code}}},{member}}}"#), String::new()),
                "status" => (format!(r#"{{{body},"status":{{{code},{member}}}}}"#), String::new()),
                within => (
                    format!(r#"{{{body},"status":{{{code}}},"{within}":{{{member}}}}}"#),
                    format!(r#","{within}":{{}}"#),
                ),
            };
            let expected = format!(r#"done {{"trackingNumber":"trk_1","status":{{{code}}}{left}}}"#);
            assert_eq!(check(&body), expected, "{body}");
            assert_eq!(done(&body).status.message_code, Open::Known(MessageCode::Done));
        }
    }
    // The two members that decide are as documented or an error, and so is a key twice.
    for other in anything.into_iter().chain(nested).filter(|other| !other.starts_with('"')) {
        let said = check(format!(r#"{{"status":{{"messageCode":{other}}}}}"#));
        assert!(said.starts_with("error: status.messageCode: "), "{said}");
        let said = check(format!(r#"{{"status":{{"messageCode":"a"}},"trackingNumber":{other}}}"#));
        assert_eq!(said.starts_with("error: trackingNumber: "), other != "null", "{said}");
    }
}

fn body_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_challenge_is_the_form_where_the_flag_says_so_and_otherwise_the_page_or_the_form() {
    let (html, page) = ("<form></form>", "https://psp.example/3ds/abc");
    let (form, url) = (Some(Challenge::Html(html)), Some(Challenge::Url(page)));
    let rows = [
        // The form, the page, the flag, and the challenge that is shown.
        (Some(html), Some(page), Some(true), form),
        (Some(html), Some(page), Some(false), url),
        (Some(html), Some(page), None, url),
        (Some(html), None, Some(true), form),
        (Some(html), None, Some(false), form),
        (Some(html), None, None, form),
        (None, Some(page), Some(true), url),
        (None, Some(page), Some(false), url),
        (None, Some(page), None, url),
        (None, None, Some(true), None),
        (None, None, None, None),
        // A form without a character is none, and so is a page that is no https URL.
        (Some(""), Some(page), Some(true), url),
        (Some(html), Some("http://psp.example/"), None, form),
        (Some(""), Some(""), Some(true), None),
    ];
    for (html, page, flag, expected) in rows {
        let redirect = RedirectInstructions {
            redirect_url: page.map(Redacted::from),
            html_content: html.map(Redacted::from),
            three_d_identifier: None,
            is_redirect_required: None,
            has_next_steps: None,
            show_html_content: flag,
        };
        assert_eq!(redirect.challenge(), expected, "{html:?} {page:?} {flag:?}");
    }
}

/// The challenge that the payer is shown for an answer with a code and members of `redirectInstructions`:
/// `url` or `html`; or else the reason why not; or nothing.
fn asked(code: &str, members: &str) -> String {
    let body = format!(r#"{{"status":{{"messageCode":"{code}"}},"redirectInstructions":{members}}}"#);
    let result = done(&body);
    match (result.challenge(), result.not_shown()) {
        (Some(Challenge::Url(_)), None) => "url".into(),
        (Some(Challenge::Html(_)), None) => "html".into(),
        (None, Some(why)) => why.to_string(),
        (None, None) => "nothing".into(),
        (Some(_), Some(_)) => panic!("shown, and not: {body}"),
    }
}

#[test]
fn the_code_decides_if_the_payer_must_act_and_then_the_flag() {
    let url = r#""redirectUrl":"https://psp.example/3ds/abc""#;
    let html = r#""htmlContent":"<form></form>""#;
    for content in [url, html] {
        let shown = if content == url { "url" } else { "html" };
        for (flag, may_act) in [
            (r#","isRedirectRequired":true"#, true),
            (r#","isRedirectRequired":false"#, false),
            (r#","isRedirectRequired":null"#, true),
            (r#","isRedirectRequired":"false""#, true),
            ("", true),
        ] {
            let members = format!("{{{content}{flag}}}");
            // "messageCode is the source of truth": a challenge is presented, and after an end nobody acts.
            assert_eq!(asked("CHECK_OUT_3DS_REQUIRED", &members), shown, "{members}");
            for over in ["CHECK_OUT_DONE", "CHECK_OUT_FAILED"] {
                assert_eq!(asked(over, &members), "nothing", "{over} {members}");
            }
            // "Whether the client must act."
            for open in ["CHECK_OUT_PROCESSING", "CHECK_OUT_WALLET", ""] {
                assert_eq!(
                    asked(open, &members),
                    if may_act { shown } else { "nothing" },
                    "{open} {members}"
                );
            }
        }
    }
}

#[test]
fn the_reason_for_an_unshown_challenge_is_reported() {
    let not_https = "redirectUrl is no https URL, and there is no htmlContent";
    let nothing = "the client must act, and neither redirectUrl nor htmlContent has anything";
    for (members, expected) in [
        (r#"{"redirectUrl":"http://psp.example/3ds/abc","isRedirectRequired":true}"#, not_https),
        (r#"{"redirectUrl":"javascript:alert(1)"}"#, not_https),
        (r#"{"redirectUrl":"/3ds/abc"}"#, not_https),
        (r#"{"redirectUrl":"http://psp.example/","htmlContent":"  "}"#, not_https),
        (r#"{"redirectUrl":"http://psp.example/","htmlContent":"<form></form>"}"#, "html"),
        (r#"{"redirectUrl":""}"#, nothing),
        (r#"{"redirectUrl":" "}"#, nothing),
        (r#"{"htmlContent":""}"#, nothing),
        (r#"{"htmlContent":"\n"}"#, nothing),
        (r#"{"showHtmlContent":true}"#, nothing),
        (r#"{"showHtmlContent":true,"htmlContent":null,"isRedirectRequired":true}"#, nothing),
        (r#"{"isRedirectRequired":true}"#, nothing),
        // The challenge has not come yet.
        ("{}", "nothing"),
        (r#"{"threeDIdentifier":"3ds-1"}"#, "nothing"),
        (
            r#"{"redirectUrl":null,"htmlContent":null,"showHtmlContent":false,"isRedirectRequired":null}"#,
            "nothing",
        ),
        ("null", "nothing"),
    ] {
        assert_eq!(asked("CHECK_OUT_3DS_REQUIRED", members), expected, "{members}");
        assert_eq!(asked("CHECK_OUT_PROCESSING", members), expected, "{members}");
        assert_eq!(asked("CHECK_OUT_DONE", members), "nothing", "{members}");
    }
    // The answer says nothing of the challenge that could not be shown, if the payer need not act.
    let members = r#"{"redirectUrl":"http://psp.example/","isRedirectRequired":false}"#;
    assert_eq!(asked("CHECK_OUT_PROCESSING", members), "nothing");
    assert_eq!(asked("CHECK_OUT_3DS_REQUIRED", members), not_https);
}

#[test]
fn the_browser_is_expected_back_unless_nothing_follows_the_redirect() {
    for (members, expected) in [
        (r#"{"hasNextSteps":true}"#, true),
        (r#"{"hasNextSteps":false}"#, false),
        (r#"{"hasNextSteps":null}"#, true),
        (r#"{"hasNextSteps":0}"#, true),
        ("{}", true),
        ("null", true),
    ] {
        let code = r#"{"messageCode":"CHECK_OUT_3DS_REQUIRED"}"#;
        let body = format!(r#"{{"status":{code},"redirectInstructions":{members}}}"#);
        assert_eq!(done(&body).payer_returns(), expected, "{members}");
    }
}

#[test]
fn only_an_https_url_is_a_page_for_the_payer() {
    let page = |url: &str| {
        let body = json!({"status": {"messageCode": "X"}, "redirectInstructions": {"redirectUrl": url}});
        let body = body.to_string();
        let result = done(&body);
        assert!(matches!(result.challenge(), None | Some(Challenge::Url(_))));
        result.challenge() == Some(Challenge::Url(url))
    };
    for url in ["https://psp.example", "HTTPS://psp.example/a?b#c", "https://[::1]/", "https://1.2.3.4:443/"]
    {
        assert!(page(url), "{url}");
    }
    for url in [
        "",
        "https://",
        "https:///a",
        "https:psp.example",
        "http://psp.example",
        "httpsx://psp.example",
        "javascript:alert(1)",
        "data:text/html,<script></script>",
        "//psp.example",
        "/3ds/abc",
        " https://psp.example",
        "https://psp.example\n",
        "https://psp.example/a b",
        "https://psp.example/\u{e9}",
        "https://\u{e9}.example/",
        "https://@psp.example/",
        "\u{feff}https://psp.example",
        "https:\\\\psp.example",
    ] {
        assert!(!page(url), "{url}");
    }
}

#[test]
fn a_message_is_read_in_either_place_and_the_message_of_the_status_comes_first() {
    let message = |within: &str, beside: &str| {
        let body = format!(r#"{{"status":{{"messageCode":"CHECK_OUT_FAILED"{within}}}{beside}}}"#);
        let message = done(&body).message().map(|message| message.as_str().to_owned());
        assert!(check(&body).starts_with("done "));
        message
    };
    let (within, beside) = (r#","message":"within""#, r#","message":"beside""#);
    assert_eq!(message(within, beside).as_deref(), Some("within"));
    assert_eq!(message(within, "").as_deref(), Some("within"));
    assert_eq!(message("", beside).as_deref(), Some("beside"));
    assert_eq!(message(r#","message":null"#, beside).as_deref(), Some("beside"));
    assert_eq!(message("", ""), None);
    assert_eq!(done(EVERY).message().map(Redacted::as_str), Some("declined"));
}

#[test]
fn an_unnamed_code_is_carried_and_written_back() {
    for code in ["CHECK_OUT_REFUNDED", "", "check_out_done", "CHECK_OUT_DONE ", "a\"b\u{0}"] {
        let body = json!({"status": {"messageCode": code}}).to_string();
        let result = done(&body);
        assert_eq!(result.status.message_code.known(), None);
        assert_eq!(result.status.message_code.text(), code);
        assert_eq!(check(&body), format!("done {body}"));
        // Under an error status the code is a refusal's, and a stage settles nothing there.
        assert_eq!(refused(&Head::new(422), &body).message_code.unwrap().text(), code);
    }
    for code in MessageCode::ROWS {
        let body = json!({"status": {"messageCode": code.code()}}).to_string();
        assert_eq!(refused(&Head::new(500), &body).message_code.unwrap().text(), code.code());
    }
}

#[test]
fn problem_details_are_read_with_all_their_members_with_some_and_with_none() {
    let body = r#"{"type":"https://a.example/conflict","title":"Conflict","status":409,"detail":"d","instance":"i","traceId":"t"}"#;
    let refusal = refused(&Head { retry_after: Some("7"), ..Head::new(409) }, body);
    let problem = &refusal.problem;
    assert_eq!(problem.type_.as_deref(), Some("https://a.example/conflict"));
    assert_eq!(problem.title.as_deref(), Some("Conflict"));
    assert_eq!(problem.status, Some(Verbatim::Known(409)));
    assert_eq!(problem.detail.as_ref().map(Redacted::as_str), Some("d"));
    assert_eq!(problem.instance.as_ref().map(Redacted::as_str), Some("i"));
    assert_eq!((refusal.body.as_str(), refusal.retry_after.as_deref()), (body, Some("7")));
    assert!(refusal.is_not_readable() && refusal.message_code.is_none());
    assert_eq!(refusal.clone().into_owned(), refusal);

    let none = refused(&Head::new(409), "{}");
    assert_eq!(none.problem, checkout_wire::azotte::ProblemDetails::default());
    assert_eq!(none.to_string(), "refused with HTTP status 409");
    assert!(none.is_not_readable());

    // Each member alone makes the object a refusal, but for a status, which many objects have.
    for member in ["type", "title", "detail", "instance"] {
        let said = check_under(400, json!({member: "x"}).to_string());
        let title = if member == "title" { ": x" } else { "" };
        assert_eq!(said, format!("refused with HTTP status 400{title}"));
    }
    assert_eq!(check_under(400, r#"{"status":400}"#), "not an answer of the API's: HTTP status 400");
    // A body whose media type says "problem details" is a problem.
    for media_type in ["application/problem+json", "Application/Problem+JSON; charset=utf-8"] {
        let head = Head { content_type: Some(media_type), ..Head::new(400) };
        assert_eq!(refused(&head, r#"{"status":400}"#).problem.status, Some(Verbatim::Known(400)));
    }
}

#[test]
fn a_member_of_problem_details_of_another_type_is_ignored_and_a_status_is_carried() {
    for other in ["7", "true", "null", "[]", r#"{"a":1}"#, r#""\ud800""#] {
        let body = format!(
            r#"{{"type":{other},"title":{other},"detail":{other},"instance":{other},"status":{other}}}"#
        );
        let problem = refused(&Head::new(409), &body).problem;
        assert_eq!((problem.type_, problem.title), (None, None), "{other}");
        assert_eq!((problem.detail, problem.instance), (None, None), "{other}");
        let status = match other {
            "7" => Some(Verbatim::Known(7)),
            "null" => None,
            other => Some(Verbatim::Other(JsonText::new(other).unwrap())),
        };
        assert_eq!(problem.status, status, "{other}");
        // Without the 409, nothing of the body shows that it is the API's.
        assert_eq!(check_under(500, &body), "not an answer of the API's: HTTP status 500");
    }
    for status in ["65536", "-1", "409.0", "1e400"] {
        let body = format!(r#"{{"title":"t","status":{status}}}"#);
        let problem = refused(&Head::new(400), &body).problem;
        assert_eq!(problem.status, Some(Verbatim::Other(JsonText::new(status).unwrap())));
    }
}

#[test]
fn a_foreign_response_is_reported_with_its_status() {
    for (status, body) in [
        (401, &b""[..]),
        (502, b"<html><h1>Bad Gateway</h1></html>"),
        (502, br#"{"error":"upstream"}"#),
        (502, br#"{"status":"error"}"#),
        (502, br#"{"status":{"code":7}}"#),
        (502, br#"{"status":{"messageCode":7}}"#),
        (502, br#"{"status":["CHECK_OUT_DONE"]}"#),
        (502, br#"{"messageCode":"CHECK_OUT_DONE"}"#),
        (403, br#"{"message":"Forbidden"}"#),
        (302, SUCCESS.as_bytes()),
        (307, b""),
        (303, NOT_FOUND.as_bytes()),
        (200, b""),
        (204, b""),
        (200, b"OK"),
        (200, b"[]"),
        (200, br#"["trk_1",{"messageCode":"CHECK_OUT_DONE"}]"#),
        (200, br#""CHECK_OUT_DONE""#),
        (200, b"\xff\xfe"),
        (200, b"\xef\xbb\xbf{}"),
        // Bad input under an error status.
        (409, br#"{"title":"a","title":"b"}"#),
        (404, br#"{"status":{"messageCode":"a"},"status":{"messageCode":"b"}}"#),
        (404, br#"{"status":{"messageCode":"ORDERED_ITEM"#),
        (404, br#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}}"#),
        (409, b"{\"title\":\"\xff\"}"),
        (409, br#"{"title":tru}"#),
    ] {
        let redirect = if matches!(status, 301..=308) { ", a redirect, which is not followed" } else { "" };
        let expected = format!("not an answer of the API's: HTTP status {status}{redirect}");
        assert_eq!(check_under(status, body), expected, "{}", String::from_utf8_lossy(body));
    }
    let head = Head { location: Some("https://elsewhere.example/"), ..Head::new(302) };
    let reply = read(&head, SUCCESS.as_bytes()).unwrap();
    assert_eq!(write(&reply), None);
    let Reply::UnexpectedResponse(other) = reply else { panic!() };
    assert_eq!(other.location.as_ref().map(|to| to.as_str()), head.location);
}

#[test]
fn bad_input_is_a_clear_error_with_path_and_position() {
    let t = "not of the documented type, which is";
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    // The body, the wrong part, and the report on the part.
    let rows: Vec<(String, &str, String)> = [
        (r#"{}"#, "}", "status: missing".to_owned()),
        (r#"{"status":null}"#, "null", format!("status: {t} an object")),
        (r#"{"status":"CHECK_OUT_DONE"}"#, "\"CHECK_OUT_DONE\"", format!("status: {t} an object")),
        (r#"{"status":["CHECK_OUT_DONE"]}"#, "[", format!("status: {t} an object")),
        (r#"{"status":7}"#, "7", format!("status: {t} an object")),
        (r#"{"status":{}}"#, "}}", "status.messageCode: missing".into()),
        (r#"{"status":{"messageCode":null}}"#, "null", format!("status.messageCode: {t} a string")),
        (r#"{"status":{"messageCode":20}}"#, "20", format!("status.messageCode: {t} a string")),
        (r#"{"status":{"messageCode":["a"]}}"#, "[", format!("status.messageCode: {t} a string")),
        (
            r#"{"status":{"messageCode":"a","message":7,"message":7}}"#,
            "message\":7}",
            "status.message: stands twice".into(),
        ),
        (
            r#"{"status":{"messageCode":"a","messageCode":"a"}}"#,
            "messageCode\":\"a\"}",
            "status.messageCode: stands twice".into(),
        ),
        (
            r#"{"status":{"messageCode":"a"},"status":{"messageCode":"a"}}"#,
            "status\":{\"messageCode\":\"a\"}}",
            "status: stands twice".into(),
        ),
        (
            r#"{"trackingNumber":"a","trackin\u0067Number":"a","status":{"messageCode":"a"}}"#,
            "trackin\\u0067Number",
            "trackingNumber: stands twice".into(),
        ),
        (
            r#"{"trackingNumber":1,"status":{"messageCode":"a"}}"#,
            "1",
            format!("trackingNumber: {t} a string or null"),
        ),
        (r#"{"message":7,"message":7,"status":{"messageCode":"a"}}"#, "message\":7,\"s", "message: stands twice".into()),
        (r#"{"message":tru,"status":{"messageCode":"a"}}"#, "tru,", "message: not JSON".into()),
        (
            r#"{"status":{"messageCode":"a"},"redirectInstructions":{"redirectUrl":"a","redirectUrl":"b"},"new":1}"#,
            r#"{"redirectUrl":"a","redirectUrl":"b"}"#,
            "redirectInstructions.redirectUrl: stands twice".into(),
        ),
        (
            r#"{"status":{"messageCode":"a"},"followUpInstructions":{"canFollowUp":7,"canF\u006fllowUp":7}}"#,
            r#"{"canFollowUp":7,"canF\u006fllowUp":7}"#,
            "followUpInstructions.canFollowUp: stands twice".into(),
        ),
        (
            r#"{"status":{"messageCode":"a"},"redirectInstructions":{"4111111111111111":tru}}"#,
            "tru}",
            "redirectInstructions: not JSON".into(),
        ),
        (r#"{"status":{"4111111111111111":tru}}"#, "tru}", "status.[digits]: not JSON".into()),
        (
            r#"{"status":{"messageCode":18446744073709551616}}"#,
            "18446744073709551616",
            format!("status.messageCode: {t} a string"),
        ),
        (
            r#"{"status":{"messageCode":1e400}}"#,
            "1e400",
            "status.messageCode: a number that 64 bits do not hold".into(),
        ),
        (r#"{"status":{"messageCode":"a"}"#, "", "ends too early".into()),
        (r#"{"status":{"messageCode":"a"#, "", "status.messageCode: ends too early".into()),
        (r#"{"status":"#, "", "status: ends too early".into()),
        (r#"{"status":{"messageCode":"a"}} x"#, "x", "not JSON".into()),
        (r#"{"status":{"messageCode":"a\ud800"}}"#, "\"}}", "status.messageCode: not JSON".into()),
        (r#"{"status":{"messageCode":tru}}"#, "}}", "status.messageCode: not JSON".into()),
        ("{status}", "status", "not JSON".into()),
    ]
    .map(|(body, wrong, said)| (body.to_owned(), wrong, said))
    .into_iter()
    .chain([
        (
            format!(r#"{{"status":{{"messageCode":"a"}},"new":{}}}"#, deep(64)),
            "]",
            "nested deeper than 64".to_owned(),
        ),
        (format!(r#"{{"status":{}}}"#, deep(100_000)), "", "nested deeper than 64".to_owned()),
    ])
    .collect();
    for (body, wrong, said) in rows {
        let error = match read(&Head::new(200), body.as_bytes()) {
            Err(error) => error,
            other => panic!("{body}: {other:?}"),
        };
        let begins = format!("{said}, at byte ");
        assert!(error.to_string().starts_with(&begins), "{body}: {error}, and not {said}");
        assert_eq!(error.request_id(), None);
        if !wrong.is_empty() {
            // Within the wrong part, or one byte beside it.
            let from = body.find(wrong).unwrap();
            let near = from.saturating_sub(1)..=from + wrong.len();
            assert!(near.contains(&error.at()), "{body}: {error}, and not {near:?}");
        } else if !said.starts_with("nested") {
            assert_eq!(error.at(), body.len() - 1, "{body}");
        }
        for status in [400, 404, 409, 500] {
            let reply = read(&Head::new(status), body.as_bytes());
            assert!(
                matches!(reply, Ok(Reply::Refused(_) | Reply::UnexpectedResponse(_))),
                "{status} {body}: {reply:?}"
            );
        }
        assert!(matches!(read(&Head::new(302), body.as_bytes()), Ok(Reply::UnexpectedResponse(_))));
    }
    assert_eq!(check(b"{\"status\":{\"messageCode\":\"\xff\"}}"), "error: not UTF-8, at byte 26");
    // The limit counts the whole, and brackets in texts are no nesting.
    let with = |new: &str| check(format!(r#"{{"status":{{"messageCode":"a"}},"new":{new}}}"#));
    assert_eq!(with(&deep(63)), r#"done {"status":{"messageCode":"a"}}"#);
    assert_eq!(with(&format!("\"{}\"", "[".repeat(500))), r#"done {"status":{"messageCode":"a"}}"#);
}

#[test]
fn a_body_of_the_cap_is_read_and_one_byte_more_is_an_error_under_any_status() {
    let body = SUCCESS.as_bytes();
    assert!(matches!(read_capped(&Head::new(200), body, body.len()), Ok(Reply::Done(_))));
    for status in [200, 404, 500] {
        let cap = body.len() - 1;
        let error = read_capped(&Head::new(status), body, cap).unwrap_err();
        assert_eq!((error.kind(), error.at()), (&ReadErrorKind::TooLarge { cap }, cap));
    }
    let huge = [SUCCESS.as_bytes(), &vec![b' '; 1 << 20]].concat();
    assert!(check(&huge).starts_with("error: longer than 1048576 bytes"));
    // The reader does not look into a body that is no object, or into a redirect.
    assert_eq!(check_under(200, &huge[1..]), "not an answer of the API's: HTTP status 200");
    assert_eq!(
        check_under(302, &huge),
        "not an answer of the API's: HTTP status 302, a redirect, which is not followed"
    );
}

#[test]
fn seconds_that_are_no_number_of_seconds_are_carried_and_nothing_is_lost_over_them() {
    let body = |seconds: &str| {
        format!(
            r#"{{"status":{{"messageCode":"CHECK_OUT_DONE"}},"followUpInstructions":{{"retryAfterSeconds":{seconds}}}}}"#
        )
    };
    for seconds in ["\"3\"", "3.0", "-1", "18446744073709551616", "1e400", "true", "[ 3 ]", r#"{"a": 1.50}"#]
    {
        let body = body(seconds);
        let result = done(&body);
        assert_eq!(result.retry_after_seconds(), None, "{seconds}");
        let other = Verbatim::Other(JsonText::new(seconds).unwrap());
        assert_eq!(result.follow_up_instructions.unwrap().retry_after_seconds, Some(other));
        assert_eq!(check(&body), format!("done {body}"));
    }
    for (seconds, known) in [("0", 0), ("3", 3), ("18446744073709551615", u64::MAX)] {
        assert_eq!(done(&body(seconds)).retry_after_seconds(), Some(known));
    }
    assert_eq!(done(&body("null")).follow_up_instructions.unwrap().retry_after_seconds, None);
}

#[test]
fn texts_are_borrowed_where_the_body_has_them_in_one_piece() {
    let body = EVERY.replace("trk_1", r"tr\u006b_1");
    let result = done(&body);
    assert!(matches!(result.tracking_number, Some(Cow::Owned(_))));
    assert!(matches!(done(EVERY).tracking_number, Some(Cow::Borrowed(_))));
    assert_eq!(result, done(EVERY));
    assert_eq!(result.clone().into_owned(), result);
}

#[test]
fn nothing_that_is_printed_repeats_a_way_into_the_payers_bank_or_a_message() {
    let secret = "4111111111111111";
    let url = format!("https://psp.example/{secret}");
    let result = json!({
        "status": {"messageCode": "CHECK_OUT_3DS_REQUIRED", "message": secret},
        "message": secret,
        "redirectInstructions": {"redirectUrl": url, "htmlContent": secret, "threeDIdentifier": secret},
        "followUpInstructions": {"retryAfterSeconds": secret},
        "unknown": secret,
    })
    .to_string();
    let result = done(&result);
    assert_eq!(result.challenge(), Some(Challenge::Url(&url)));
    assert_eq!(result.message().map(Redacted::as_str), Some(secret));
    let printed =
        format!("{result:?} {:?} {:?} {:?}", result.challenge(), result.message(), Challenge::Html(secret));
    assert!(!printed.contains(secret), "{printed}");

    for body in [
        json!({"title": "t", "detail": secret, "instance": secret, "status": secret, "unknown": secret}),
        json!({"status": {"messageCode": "a", "message": secret}, "message": secret}),
    ] {
        let body = body.to_string();
        let refusal = refused(&Head::new(409), &body);
        let printed = format!("{refusal} {refusal:?}");
        assert!(!printed.contains(secret), "{printed}");
    }
    let other = read(&Head { location: Some(&url), ..Head::new(302) }, secret.as_bytes()).unwrap();
    let printed = format!("{other:?} {}", other.clone().into_answer().unwrap_err());
    assert!(!printed.contains(secret), "{printed}");

    // The parser below quotes a value of the wrong type, and our error must not.
    for field in [
        json!({"status": secret}),
        json!({"status": format!("x, expected {secret}")}),
        json!({"status": {"messageCode": [secret]}}),
        json!({"status": {"messageCode": {secret: 1}}}),
        json!({"status": {"messageCode": 4_111_111_111_111_111u64}}),
        json!({"trackingNumber": 4_111_111_111_111_111u64}),
    ] {
        let error = read(&Head::new(200), field.to_string().as_bytes()).unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains(secret), "{printed}");
    }
    // A provider can quote a card in every text, also in groups as it stands on the card.
    for card in [secret, "4111 1111 1111 1111", "4111-1111-1111-1111"] {
        let title = json!({"title": format!("card {card} is refused")}).to_string();
        assert_eq!(check_under(400, title), "refused with HTTP status 400: card [digits] is refused");
        let code = json!({"status": {"messageCode": card}}).to_string();
        assert_eq!(check_under(400, code), "refused with HTTP status 400, [digits]");
    }
}

#[test]
fn a_submit_by_a_stored_method_by_a_new_card_and_through_another_channel_is_written_as_documented() {
    let rules = Rules::default();
    let order = |draft: Draft<'static>| {
        draft
            .offer_identifier("off_1")
            .correlation_id("order_123")
            .item("plan_gold")
            .customer_urn("urn:customer:42")
    };
    let written = |draft: Draft<'_>| -> Value {
        serde_json::from_slice(&submit_body(&draft.check_with(&rules).unwrap())).unwrap()
    };
    let documented_order = json!({
        "offerIdentifier": "off_1",
        "correlationId": "order_123",
        "items": [{"itemIdentifier": "plan_gold", "quantity": 1}],
        "customer": {"customerUrn": "urn:customer:42"},
    });
    let stored = order(Draft::stored_method(PaymentChannel::CreditCard));
    assert_eq!(
        written(stored),
        json!({
            "order": documented_order,
            "paymentMethod": {"paymentChannel": "CreditCard", "useStoredMethod": true},
        })
    );
    for channel in PaymentChannel::ROWS.into_iter().filter(|channel| *channel != PaymentChannel::CreditCard) {
        assert_eq!(
            written(order(Draft::other(channel)).store_method_success_payment(true)),
            json!({
                "order": documented_order,
                "paymentMethod": {
                    "paymentChannel": channel.code(),
                    "useStoredMethod": false,
                    "storeMethodSuccessPayment": true,
                },
            })
        );
    }
    let card = CardDraft::new("4111 1111 1111 1111", "12", "2029")
        .cvc("737")
        .card_holder_name("T\"om")
        .card_alias("mine");
    let every = order(Draft::new_card(card))
        .installment_identifier("three")
        .reseller_id(-7)
        .item(ItemDraft::new("screen").parent("plan_gold").quantity(u32::MAX))
        .ip_address("192.0.2.1")
        .provider_identifier("psp")
        .store_method_success_payment(false);
    assert_eq!(
        written(every),
        json!({
            "order": {
                "offerIdentifier": "off_1",
                "correlationId": "order_123",
                "installmentIdentifier": "three",
                "resellerID": -7,
                "items": [
                    {"itemIdentifier": "plan_gold", "quantity": 1},
                    {"itemIdentifier": "screen", "parentItemIdentifier": "plan_gold", "quantity": 4_294_967_295u32},
                ],
                "customer": {"customerUrn": "urn:customer:42", "ipAddress": "192.0.2.1"},
            },
            "paymentMethod": {
                "paymentChannel": "CreditCard",
                "providerIdentifier": "psp",
                "useStoredMethod": false,
                "creditCard": {
                    "cardHolderName": "T\"om",
                    "cardNumber": "4111111111111111",
                    "expireMonth": "12",
                    "expireYear": "2029",
                    "cvc": "737",
                    "cardAlias": "mine",
                },
                "storeMethodSuccessPayment": false,
            },
        })
    );
}

#[test]
fn paths_are_the_documented_ones_with_the_id_encoded_and_there_is_none_where_the_id_does_not_fit() {
    let id = PathSegment::new("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB").ok();
    let odd = PathSegment::new("a/../b?c").ok();
    let rows = [
        (Route::SubmitCheckout, None, Some("/api/v1/c2a/offer/checkout")),
        (Route::CheckoutStatus, id, Some("/api/v1/c2a/offer/checkout/trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB/status")),
        (Route::CheckoutStatus, odd, Some("/api/v1/c2a/offer/checkout/a%2F..%2Fb%3Fc/status")),
        (Route::CheckoutStatus, None, None),
        (Route::SubmitCheckout, id, None),
    ];
    for (route, id, expected) in rows {
        assert_eq!(path(route, id).as_deref(), expected, "{route:?}");
    }
}

/// The laws that the fuzz target asserts too: a value that was read and written back reads the same, and
/// nothing changes when nothing is borrowed any more.
fn reads_the_same(status: u16, body: &[u8]) -> Result<(), TestCaseError> {
    let head = Head { retry_after: Some("2"), ..Head::new(status) };
    let reply = match read(&head, body) {
        Ok(reply) => reply,
        Err(error) => {
            prop_assert!(!head.is_redirect() && error.at() <= body.len());
            return Ok(());
        }
    };
    prop_assert_eq!(reply.clone().map_owned(CheckoutResult::into_owned), reply.clone());
    let is_done = matches!(reply, Reply::Done(_));
    prop_assert!(!is_done || head.is_success());
    prop_assert_eq!(write(&reply).is_none(), matches!(reply, Reply::UnexpectedResponse(_)));
    if let Some(written) = write(&reply) {
        let again = read(&head, &written);
        prop_assert_eq!(again.as_ref(), Ok(&reply));
        prop_assert_eq!(write(&again.unwrap()), Some(written));
    }
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![
            "CHECK_OUT_DONE",
            "CHECK_OUT_PROCESSING",
            "ORDERED_ITEM_NOT_FOUND",
            "https://a.example",
            "<form>",
            "m",
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let keys = prop_oneof![
        6 => prop::sample::select(vec![
            "trackingNumber", "status", "messageCode", "message", "redirectInstructions", "redirectUrl",
            "htmlContent", "threeDIdentifier", "isRedirectRequired", "hasNextSteps", "showHtmlContent",
            "followUpInstructions", "canFollowUp", "retryAfterSeconds", "type", "title", "detail", "instance",
        ])
        .prop_map(String::from),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(keys.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A result with each field as documented, missing, or in a twentieth of the cases anything.
fn almost_a_result() -> impl Strategy<Value = Value> {
    fn or<T: Into<Value>>(documented: impl Strategy<Value = T>) -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            14 => documented.prop_map(|value| Some(value.into())),
            5 => Just(None),
            1 => any_json().prop_map(Some),
        ]
    }
    fn object(fields: Vec<(&str, Option<Value>)>) -> Value {
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
    let code = prop_oneof![
        9 => prop::sample::select(MessageCode::ROWS.to_vec()).prop_map(|code| Value::from(code.code())),
        1 => any_json(),
    ];
    let status = (code, or(".*"))
        .prop_map(|(code, message)| object(vec![("messageCode", Some(code)), ("message", message)]));
    let redirect = (or(".*"), or(".*"), or(".*"), or(any::<bool>()), or(any::<bool>()), or(any::<bool>()))
        .prop_map(|(url, html, id, required, next, show)| {
            object(vec![
                ("redirectUrl", url),
                ("htmlContent", html),
                ("threeDIdentifier", id),
                ("isRedirectRequired", required),
                ("hasNextSteps", next),
                ("showHtmlContent", show),
            ])
        });
    let follow_up = (or(any::<bool>()), or(any::<u64>()))
        .prop_map(|(can, seconds)| object(vec![("canFollowUp", can), ("retryAfterSeconds", seconds)]));
    (or(".*"), status, or(".*"), or(redirect), or(follow_up)).prop_map(
        |(number, status, message, redirect, follow_up)| {
            object(vec![
                ("trackingNumber", number),
                ("status", Some(status)),
                ("message", message),
                ("redirectInstructions", redirect),
                ("followUpInstructions", follow_up),
            ])
        },
    )
}

/// True if a tree is a result, by the two members that decide.
fn is_a_result(tree: &Value) -> bool {
    let (status, number) = (&tree["status"], &tree["trackingNumber"]);
    status.is_object() && status["messageCode"].is_string() && (number.is_null() || number.is_string())
}

/// The members of a result that are of their documented types.
fn understood(tree: &Value) -> Value {
    let texts =
        ["trackingNumber", "messageCode", "message", "redirectUrl", "htmlContent", "threeDIdentifier"];
    let flags = ["isRedirectRequired", "hasNextSteps", "showHtmlContent", "canFollowUp"];
    let of = |tree: &Value, names: &[&str]| -> serde_json::Map<String, Value> {
        let documented = |name: &str, value: &Value| {
            (texts.contains(&name) && value.is_string())
                || (flags.contains(&name) && value.is_boolean())
                || (name == "retryAfterSeconds" && !value.is_null())
        };
        let members = tree.as_object().unwrap().iter();
        let members = members.filter(|(name, value)| names.contains(&&***name) && documented(name, value));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let mut result = of(tree, &["trackingNumber", "message"]);
    for (object, names) in [
        ("status", &texts[1..3]),
        ("redirectInstructions", &[&texts[3..], &flags[..3]].concat()),
        ("followUpInstructions", &["canFollowUp", "retryAfterSeconds"]),
    ] {
        if tree[object].is_object() {
            result.insert(object.to_owned(), of(&tree[object], names).into());
        }
    }
    result.into()
}

proptest! {
    #[test]
    fn reading_is_total_over_all_bytes(status: u16, body: Vec<u8>, start: bool) {
        let body = if start { [b"{", body.as_slice()].concat() } else { body };
        reads_the_same(status, &body)?;
    }

    #[test]
    fn reading_is_total_over_documented_bodies_with_a_byte_changed(
        at in 0..2_000usize, byte: u8, status in prop::sample::select(vec![200, 202, 404, 409, 500]),
    ) {
        for document in [SUCCESS, THREE_DS, NOT_FOUND, ACCEPTED, EVERY] {
            let mut body = document.as_bytes().to_vec();
            let at = at % body.len();
            body[at] = byte;
            reads_the_same(status, &body)?;
            reads_the_same(status, &body[..at])?;
        }
    }

    #[test]
    fn a_result_is_read_as_an_independent_reader_reads_it(
        tree in prop_oneof![5 => almost_a_result(), 1 => any_json()],
    ) {
        let body = tree.to_string();
        for status in [200, 202, 404, 409, 502] {
            reads_the_same(status, body.as_bytes())?;
        }
        let code = tree["status"]["messageCode"].as_str();
        match read(&Head::new(200), body.as_bytes()) {
            Ok(Reply::Done(answer)) => {
                prop_assert!(is_a_result(&tree));
                prop_assert_eq!(serde_json::to_value(&answer.payload).unwrap(), understood(&tree));
            }
            Ok(Reply::Refused(refusal)) => {
                prop_assert!(is_a_result(&tree) && refusal.is_not_readable());
                prop_assert_eq!(code, Some("ORDERED_ITEM_NOT_FOUND"));
            }
            Ok(Reply::UnexpectedResponse(_)) => prop_assert!(!tree.is_object()),
            Err(_) => prop_assert!(tree.is_object() && !is_a_result(&tree)),
        }
        if let Ok(Reply::Refused(refusal)) = read(&Head::new(400), body.as_bytes()) {
            prop_assert_eq!(refusal.message_code.as_ref().map(|code| code.text()), code);
            let titles = ["type", "title", "detail", "instance"];
            prop_assert!(code.is_some() || titles.iter().any(|title| tree[title].is_string()));
        }
    }
}
