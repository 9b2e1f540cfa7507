//! The recorded parts, the parts that are left out, and the replay.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::RefCell;
use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::task::{Context, Waker};

use checkout_testkit::record::{Cassette, CassetteError, Recording, ReplayError, Replaying};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, HeaderMap};
use checkout_transport::{
    BlockingTransport, Delivery, LocalTransport, Request, Response, Transport, TransportError, from_fn,
    from_fn_blocking, from_fn_local,
};
use proptest::prelude::*;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn request(method: &str, uri: &str, content_type: &str, body: &str) -> Request {
    let request = http::Request::builder().method(method).uri(uri).header("content-type", content_type);
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn get(path: &str) -> Request {
    http::Request::get(format!("https://provider.example{path}")).body(Bytes::new()).unwrap()
}

fn answer(status: u16, content_type: &str, body: &str) -> Response {
    let answer = http::Response::builder().status(status).header("content-type", content_type);
    answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// Gives these answers, one after the other.
fn giving(answers: Vec<Result<Response, TransportError>>) -> impl BlockingTransport + Transport {
    struct Giving(Mutex<Vec<Result<Response, TransportError>>>);
    impl BlockingTransport for Giving {
        fn send_blocking(&self, _: Request) -> Result<Response, TransportError> {
            self.0.lock().unwrap().pop().unwrap()
        }
    }
    impl Transport for Giving {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            self.send_blocking(request)
        }
    }
    Giving(Mutex::new(answers.into_iter().rev().collect()))
}

/// The recording of these exchanges.
fn recorded(exchanges: Vec<(Request, Result<Response, TransportError>)>, kept: &[&str]) -> Cassette {
    let (requests, answers): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
    let recording = Recording::new(giving(answers));
    let recording = kept.iter().fold(recording, |recording, name| recording.keep(name));
    for request in requests {
        let _ = recording.send_blocking(request);
    }
    recording.cassette()
}

/// A body in, the replayed body out.
fn check(content_type: &str, body: &str, kept: &[&str]) -> String {
    let cassette = recorded(vec![(get("/"), Ok(answer(200, content_type, body)))], kept);
    let replayed = Replaying::new(cassette).send_blocking(get("/")).unwrap();
    assert_eq!(replayed.status(), 200);
    String::from_utf8(replayed.into_body().to_vec()).unwrap()
}

/// The planted texts: any six digits of a number, any word of a name, and the others whole.
const NUMBERS: &[&str] = &["4111111111111111", "+27 82 555 01 93"];
const NAMES: &[&str] =
    &["Zsofia Quillfeather", "turquoise debit", "Thandeka Wolmarans", "do not honour, limit of account"];
const TEXTS: &[&str] = &[
    "9173",
    "2093",
    "urn:payer:7718-55",
    "203.0.113.77",
    "zq+shop@mail.example",
    "0x7be8076f4ea4a4ad08075c2508e481d6c946d12b",
    "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
    "payer-77182",
    "sk_live_Vb81kq",
    "whs_9xTQm4/Lr+7",
    "tok_6d1f0c9ab2e84377",
    "cls_Pp5/wY8+Zk1=",
    "eyJhbGciOi.J9Tq-8s_.aQ",
    "https://acs.bank.example/3ds?creq=eyJ0aHJlZURTU2Vyd",
    "<form action='https://acs.bank.example/pareq'>",
    "3ds-4cf1-90ab",
    "payer_nickname",
    "8ac7a4ca00000000000000005a4d0b02",
    "shop.example",
    "session=5ec0de",
];

/// The planted texts in a text, in clear, escaped or percent-encoded.
fn leaks(text: &str) -> Vec<String> {
    let squeeze = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
    };
    let percent = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let mut needles: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    needles.extend(
        NAMES.iter().flat_map(|name| name.split(' ').filter(|word| word.len() > 3)).map(str::to_owned),
    );
    for number in NUMBERS {
        let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
        needles.extend(digits.windows(6).map(|part| part.iter().collect()));
    }
    let searched = squeeze(text);
    let found = |needle: &String| {
        let forms = [needle.clone(), percent(needle), percent(needle).replace("%20", "+")];
        forms.iter().any(|form| searched.contains(&squeeze(form)))
    };
    needles.into_iter().filter(found).collect()
}

/// All planted texts, as an object of somebody's own.
fn planted_object() -> String {
    let all: Vec<String> = [NUMBERS, NAMES, TEXTS].concat().iter().map(|text| format!("{text:?}")).collect();
    let first = NAMES[0];
    format!(
        r#"{{"payer_nickname":"{first}","{first}":[{}],"card":4111111111111111,"cvc":9173}}"#,
        all.join(",")
    )
}

/// The three providers' messages, with a planted text wherever a text can stand.
fn planted() -> Vec<(Request, Response)> {
    let whole = planted_object();
    let [holder, alias, user, says] = [NAMES[0], NAMES[1], NAMES[2], NAMES[3]];
    let create = format!(
        r#"{{"currency":1,"amount_cents":1000,"order_id":"order_1","order_description":"{says}","user_id":"payer-77182",
        "user_name":"{user}","redirect_url":"https://shop.example/r","extra":{whole},"{holder}":"x"}}"#
    );
    let created = format!(
        r#"{{"code":0,"payload":{{"checkout_url":"https://acs.bank.example/3ds?creq=eyJ0aHJlZURTU2Vyd",
        "allscale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","amount_coins":"10.0000","rate":{whole}}}}}"#
    );
    let intent = format!(
        r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"65b2","status":20,"amount_coins":"1",
        "user_id":"payer-77182","user_name":"{user}","error_message":"{says}","extra":{whole},
        "tx_hash":"{}","tx_from":"{}","payer_nickname":"{holder}","order_id":"{}"}},"request_id":"req_1"}}"#,
        TEXTS[6], TEXTS[5], TEXTS[4]
    );
    let refusal =
        format!(r#"{{"code":10001,"error":{{"message":"{says}","details":{whole},"{holder}":{whole}}}}}"#);
    let submit = format!(
        r#"{{"order":{{"offerIdentifier":"off_1","correlationId":"order-1","items":[{{"itemIdentifier":"gold"}}],
        "customer":{{"customerUrn":"urn:payer:7718-55","ipAddress":"203.0.113.77"}}}},
        "paymentMethod":{{"paymentChannel":"CreditCard","useStoredMethod":false,"creditCard":
        {{"cardHolderName":"{holder}","cardNumber":"4111111111111111","expireMonth":"07","expireYear":"2093",
        "cvc":"9173","cardAlias":"{alias}"}}}}}}"#
    );
    let challenge = format!(
        r#"{{"trackingNumber":"trk_1","status":{{"messageCode":"CHECK_OUT_3DS_REQUIRED","message":"{says}"}},
        "redirectInstructions":{{"redirectUrl":"https://acs.bank.example/3ds?creq=eyJ0aHJlZURTU2Vyd",
        "htmlContent":"<form action='https://acs.bank.example/pareq'>","threeDIdentifier":"3ds-4cf1-90ab",
        "showHtmlContent":true}},"followUpInstructions":{{"retryAfterSeconds":"zq+shop@mail.example"}}}}"#
    );
    let problem = format!(
        r#"{{"type":"about:blank","title":"{says}","status":{whole},"detail":"{holder}","instance":"/3ds-4cf1-90ab",
        "errors":{{"payer_nickname":["4111111111111111 9173"]}}}}"#
    );
    let initiate = "authentication.entityId=8ac7a4ca00000000000000005a4d0b02&amount=14.99&currency=ZAR&nonce=tok_6d1f0c9ab2e84377\
        &merchantTransactionId=order_1001&signature=0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060\
        &shopperResultUrl=https%3A%2F%2Fshop.example%2Fresult&customer.givenName=Zsofia+Quillfeather\
        &customer.email=zq%2Bshop%40mail.example&billing.street1=turquoise%20debit&card.number=4111+1111+1111+1111\
        &customParameters%5Bpayer_nickname%5D=Thandeka+Wolmarans&status=Zsofia+Quillfeather&id=203.0.113.77";
    let payment = format!(
        r#"{{"result.code":"000.000.000","result.description":"{says}","paymentType":"DB","amount":"14.99",
        "merchantTransactionId":"order_1001","card.number":"4111111111111111","card.holder":"{holder}",
        "card.last4Digits":"9173","card.expiryYear":"2093","customer.email":"zq+shop@mail.example",
        "customer.mobile":"+27 82 555 01 93","customer.ip":"203.0.113.77","customParameters[payer_nickname]":"{alias}",
        "recon.{holder}":"{user}","signature":"{}","timestamp":"{}"}}"#,
        TEXTS[6], TEXTS[4]
    );
    let wrapped = format!(
        r#"{{"status":"{holder}","redirect_url":"https://shop.example/","redirect_post_data":{payment}}}"#
    );
    let token =
        r#"{"clientId":"payer-77182","clientSecret":"cls_Pp5/wY8+Zk1=","merchantId":"sk_live_Vb81kq"}"#;
    let access = r#"{"access_token":"eyJhbGciOi.J9Tq-8s_.aQ","expires_in":"3600","token_type":"eyJhbGciOi.J9Tq-8s_.aQ"}"#;
    let invalid = format!(
        r#"{{"message":"{says}","validation_errors":{{"customer.email":["zq+shop@mail.example"],"{holder}":"{user}"}}}}"#
    );
    let host = "https://provider.example";
    let query = "/status?authentication.entityId=8ac7a4ca00000000000000005a4d0b02&checkoutId=c01b&signature=\
        sk_live_Vb81kq&payer_nickname=9173";
    let post = |path: &str, body: &str| request("POST", &format!("{host}{path}"), JSON, body);
    vec![
        (post("/v1/checkout_intents/", &create), answer(200, JSON, &created)),
        (get("/v1/checkout_intents/65b2"), answer(200, JSON, &intent)),
        (get("/v1/checkout_intents/zq%2Bshop%40mail.example/status"), answer(400, JSON, &refusal)),
        (
            post("/api/v1/c2a/offer/checkout", &submit),
            answer(202, "application/clientOutput+Json", &challenge),
        ),
        (
            get("/a/4111111111111111/4111-1111-1111-1111/203.0.113.77"),
            answer(409, "application/problem+json", &problem),
        ),
        (request("POST", &format!("{host}/checkout/initiate"), FORM, initiate), answer(200, JSON, &payment)),
        (get(query), answer(200, JSON, &wrapped)),
        (post("/api/oauth/token", token), answer(200, JSON, access)),
        (post("/v2/checkout", &whole), answer(400, JSON, &invalid)),
        // A body that is neither JSON nor a form, a body that is cut short, and a body of another type than
        // the header says.
        (
            request("POST", host, "text/plain", &whole.replace('}', "")),
            answer(502, "text/html", "<p>4111111111111111"),
        ),
        (request("POST", host, FORM, &whole), answer(200, FORM, initiate)),
        (request("POST", host, JSON, initiate), answer(200, JSON, holder)),
        (request("POST", host, JSON, &format!("[{whole}]")), answer(200, JSON, &format!("{says:?}"))),
        (request("POST", host, JSON, "4111111111111111"), answer(200, JSON, "[4111111111111111]")),
        (request("POST", host, FORM, "%ff=Zsofia"), answer(200, JSON, "{\"x\":\"\\ud800 Zsofia\"}")),
    ]
}

/// Puts the secrets into headers.
fn with_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        ("x-api-key", "sk_live_Vb81kq"),
        ("x-signature", "v1=whs_9xTQm4/Lr+7"),
        ("authorization", "Bearer eyJhbGciOi.J9Tq-8s_.aQ"),
        ("cookie", "session=5ec0de"),
        ("set-cookie", "session=5ec0de"),
        ("referer", "https://shop.example/"),
        ("x-tn", "payer-77182"),
        ("accept", "Zsofia Quillfeather"),
        ("accept", "text/4111111111111111"),
        ("content-type", "text/plain; for=\"Zsofia Quillfeather\""),
        ("content-type", "text/plain; for=Zsofia"),
        ("content-type", "text/plain; charset=Zsofia Quillfeather"),
        ("retry-after", "9173 Zsofia"),
        ("date", "zq+shop@mail.example"),
        ("date", "Sun, zq+shop@mail.example GMT"),
        ("x-4111111111111111", "9173"),
        ("www-authenticate", "203.0.113.77"),
    ] {
        headers.append(name, value.parse().unwrap());
    }
    let location = "https://payer:sk_live_Vb81kq@bank.example:8443/3ds-4cf1-90ab?creq=eyJ0aHJlZURTU2Vyd";
    headers.insert("location", location.parse().unwrap());
}

#[test]
fn no_planted_text_gets_into_a_cassette() {
    let mut exchanges = planted();
    for (request, answer) in &mut exchanges {
        with_headers(request.headers_mut());
        with_headers(answer.headers_mut());
    }
    // The search finds every planted text.
    for (request, answer) in &exchanges {
        let text = format!("{request:?}{answer:?}");
        assert!(leaks(&text).len() > 5, "{text}");
    }
    let exchanges: Vec<_> = exchanges.into_iter().map(|(request, answer)| (request, Ok(answer))).collect();
    let count = exchanges.len();
    let cassette = recorded(exchanges, &[]);
    assert_eq!(cassette.len(), count);
    let text = cassette.to_json();
    assert_eq!(leaks(&text), Vec::<String>::new(), "{text}");
    // The kept values are there all the same.
    for kept in [
        "order_1001",
        "CHECK_OUT_3DS_REQUIRED",
        "65b2f3d0d2d9c0a1b2c3d4e5",
        "\"amount_coins\": \"10.0000\"",
        "000.000.000",
        "\"https://bank.example:8443/\"",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn secrets_and_cards_are_never_kept() {
    let asked_for = [
        "access_token",
        "clientSecret",
        "signature",
        "nonce",
        "creditCard",
        "cardNumber",
        "cvc",
        "card.number",
        "card.holder",
        "expireYear",
        "reference",
        "card",
    ];
    let exchanges = planted().into_iter().map(|(request, answer)| (request, Ok(answer))).collect();
    let text = recorded(exchanges, &asked_for).to_json();
    for secret in ["4111", "9173", "2093", "cls_Pp5", "eyJhbGciOi", "0x5c504ed4"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // The control: the name counts.
    assert_eq!(check(JSON, r#"{"reference":"Zsofia Q."}"#, &asked_for), r#"{"reference":"Zsofia Q."}"#);
    assert_eq!(check(JSON, r#"{"Reference":"Zsofia Q."}"#, &asked_for), r#"{"(scrubbed 1)":"(scrubbed)"}"#);
}

#[test]
fn a_name_for_secrets_and_cards_counts_in_every_spelling() {
    let names =
        ["CVV", "Password", "client_secret", "ClientSecret", "accessToken", "card_number", "Card-Holder"];
    for name in names {
        let body = format!(r#"{{"{name}":"Zsofia"}}"#);
        assert_eq!(check(JSON, &body, &[name]), format!(r#"{{"{name}":"(scrubbed)"}}"#));
    }
    assert_eq!(check(FORM, "card%5Bcvv%5D=9173", &["card[cvv]"]), "card%5Bcvv%5D=%28scrubbed%29");
    let card = r#"{"card":{"holder":"Zsofia","expiryMonth":"07"}}"#;
    assert_eq!(check(JSON, card, &["card", "holder", "expiryMonth"]), r#"{"card":{}}"#);
    // The control: a name that only begins with such a name is somebody's own.
    assert_eq!(check(JSON, r#"{"cards":"two"}"#, &["cards"]), r#"{"cards":"two"}"#);
}

#[test]
fn a_card_number_counts_in_any_groups_and_in_the_digits_of_any_script() {
    for number in [
        "4111_1111_1111_1111",
        "4111--1111--1111--1111",
        "4111 - 1111 - 1111 - 1111",
        "4111  1111  1111  1111",
        "4111/1111/1111/1111",
        "4111.1111.1111.1111",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111\u{2013}1111\u{2013}1111\u{2013}1111",
        "4111\u{200b}1111\u{200b}1111\u{200b}1111",
        "４１１１１１１１１１１１１１１１",
        "٤١١١ ١١١١ ١١١١ ١١١١",
    ] {
        let body = format!(r#"{{"id":"{number}","message":"paid with {number}"}}"#);
        assert_eq!(
            check(JSON, &body, &["message"]),
            r#"{"id":"(scrubbed)","message":"(scrubbed)"}"#,
            "{number}"
        );
    }
    // The control: an amount and a time have a dot. The amount's digits would be a card's.
    for kept in [r#"{"amount":"4111111111.111111"}"#, r#"{"timestamp":"2024-05-23T21:50:00.411111111111"}"#] {
        assert_eq!(check(JSON, kept, &[]), kept);
    }
}

#[test]
fn an_unkept_value_becomes_a_value_of_the_same_type() {
    let table = [
        (
            r#"{"user_id":"tom","tx_hash":null,"message":""}"#,
            r#"{"user_id":"(scrubbed)","tx_hash":null,"message":""}"#,
        ),
        (
            r#"{"user_id":17,"extra":{"a":1},"errors":[1],"title":true}"#,
            r#"{"user_id":0,"extra":{},"errors":[],"title":false}"#,
        ),
        (
            r#"{"checkout_url":"https://a/b?c","redirectUrl":"http://a"}"#,
            r#"{"checkout_url":"https://scrubbed.invalid/","redirectUrl":"http://scrubbed.invalid/"}"#,
        ),
        (
            r#"{"b":1,"a":"x","b":"y","(scrubbed 1)":null}"#,
            r#"{"(scrubbed 1)":0,"(scrubbed 2)":"(scrubbed)","(scrubbed 1)":"(scrubbed)","(scrubbed 3)":null}"#,
        ),
        ("17", "0"),
        ("\"x\"", "\"(scrubbed)\""),
        ("[{\"status\":1}]", "[]"),
        ("{ }", "{}"),
        ("<html>", "(scrubbed)"),
        ("", ""),
        (" ", "(scrubbed)"),
    ];
    for (body, expected) in table {
        assert_eq!(check(JSON, body, &[]), expected, "{body}");
    }
    assert_eq!(
        check(FORM, "a=1&status=pending&=&user_id=&b&amount=1.50&a=%zz&card.number=4", &[]),
        "%28scrubbed+1%29=%28scrubbed%29&status=pending&%28scrubbed+2%29=&user_id=&%28scrubbed+3%29=&amount=1.50\
         &%28scrubbed+1%29=%28scrubbed%29&card.number=%28scrubbed%29"
    );
}

#[test]
fn an_answer_s_signature_is_left_out_and_a_request_s_is_scrubbed() {
    let body = r#"{"signature":"5246","redirect_post_data":{"amount":"2.00","signature":"5246"}}"#;
    assert_eq!(check(JSON, body, &["signature"]), r#"{"redirect_post_data":{"amount":"2.00"}}"#);
    assert_eq!(check(JSON, r#"{"items":[{"signature":"5246"}]}"#, &[]), r#"{"items":[{}]}"#);
    assert_eq!(check(FORM, "amount=2.00&signature=5246", &[]), "amount=2.00");
    let sent = request("POST", "https://a.example/?signature=5246", JSON, body);
    let text = recorded(vec![(sent, Ok(answer(200, JSON, "")))], &[]).to_json();
    assert_eq!(text.matches("signature").count(), 3, "{text}");
    assert!(!text.contains("5246"), "{text}");
}

#[test]
fn a_settling_value_is_kept_if_it_has_its_shape() {
    let kept = [
        r#"{"code":0,"payload":20,"request_id":"req_1"}"#,
        r#"{"code":0,"payload":-5}"#,
        r#"{"code":0,"payload":{"status":20,"currency":1,"currency_symbol":"EUR","amount_cents":100,"amount_coins":"1.0000","currency_rate":"1.3500","chain_id":56,"payment_method_type":1,"order_id":"order-1","accepted_stable_coins":3}}"#,
        r#"{"stable_coin":1,"amount_cents":1000,"accepted_stable_coins":[2,1]}"#,
        r#"{"trackingNumber":"trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB","status":{"messageCode":"CHECK_OUT_DONE"},"redirectInstructions":{"isRedirectRequired":true},"followUpInstructions":{"canFollowUp":true,"retryAfterSeconds":2}}"#,
        r#"{"amount":"2.00","checkoutId":"c01b2f50ab394661a564931d5ef0d066","currency":"ZAR","paymentType":"DB","result.code":"000.100.110","timestamp":"2024-05-23T21:50:00Z","id":"8ac7a4a0","paymentBrand":"VISA"}"#,
        r#"{"status":"successful","timestamp":0,"redirect_post_data":{"result.code":"000.100.110"}}"#,
        r#"{"expires_in":"3600","token_type":"Bearer"}"#,
    ];
    for body in kept {
        assert_eq!(check("application/clientOutput+Json", body, &[]), body);
    }
    let misshapen = [
        (r#"{"status":"Zsofia"}"#, r#"{"status":"(scrubbed)"}"#),
        (r#"{"status":["ok",{"code":1,"x":2}]}"#, r#"{"status":["ok",{"code":1,"(scrubbed 1)":0}]}"#),
        (r#"{"amount_coins":"1 coin"}"#, r#"{"amount_coins":"(scrubbed)"}"#),
        (r#"{"amount_coins":{"status":1},"code":true}"#, r#"{"amount_coins":{},"code":false}"#),
        (r#"{"order_id":"tom@mail.example"}"#, r#"{"order_id":"(scrubbed)"}"#),
        (r#"{"order_id":17}"#, r#"{"order_id":0}"#),
        (r#"{"extra":{"status":20}}"#, r#"{"extra":{}}"#),
        (r#"{"timestamp":"27 82 555"}"#, r#"{"timestamp":"(scrubbed)"}"#),
    ];
    for (body, expected) in misshapen {
        assert_eq!(check(JSON, body, &[]), expected);
    }
}

#[test]
fn an_added_name_is_kept_and_the_names_below_count_by_themselves() {
    let body =
        r#"{"message":"Bad. No.","cart":{"message":[1,"two",{"x":3}],"clerk":"Ida"},"extra":{"message":1}}"#;
    let expected = r#"{"message":"Bad. No.","cart":{"message":[1,"two",{"(scrubbed 1)":0}],"(scrubbed 1)":"(scrubbed)"},"extra":{}}"#;
    assert_eq!(check(JSON, body, &["message", "cart"]), expected);
    assert_eq!(
        check(FORM, "message=Bad.+No.&cart=a%26b", &["message", "cart"]),
        "message=Bad.+No.&cart=a%26b"
    );
}

#[test]
fn a_number_is_a_card_s_by_its_check_digit() {
    let is_kept = |text: &str| {
        let body = format!(r#"{{"reference":"{text}"}}"#);
        let replayed = check(JSON, &body, &["reference"]);
        assert!(replayed == body || replayed == r#"{"reference":"(scrubbed)"}"#, "{replayed}");
        replayed == body
    };
    // Published test numbers of 13 to 16 digits, in groups and inside of more.
    for card in
        ["4222222222222", "30569309025904", "378282246310005", "4111 1111 1111 1111", "5555-5555-5555-4444"]
    {
        assert!(luhn(card) && !is_kept(card), "{card}");
        assert!(!is_kept(&format!("a{card}b")) && !is_kept(&format!("7{card}7")), "{card}");
    }
    // Another last digit, too few digits, and digits with another character between them.
    for none in ["4222222222223", "411111111111", "42222 2222222 3", "4222222:222222", "4222222.222222"] {
        assert!(is_kept(none), "{none}");
    }
    assert!(!is_kept(&"5".repeat(200)));
}

/// True if the digits of a text have a right check digit, by adding from the left.
fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let parity = digits.len() % 2;
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, digit)| if at % 2 == parity { (digit * 2) / 10 + (digit * 2) % 10 } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

/// A number with a right check digit, of 13 to 19 digits.
fn any_card() -> impl Strategy<Value = String> {
    "[0-9]{12,18}".prop_map(|digits| {
        let last = (0..10).map(|last| format!("{digits}{last}")).find(|number| luhn(number));
        last.unwrap()
    })
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "payload",
            "status",
            "order",
            "error",
            "redirect_post_data",
            "items",
            "code",
            "amount",
            "currency",
            "id",
            "order_id",
            "trackingNumber",
            "timestamp",
            "result.code",
            "token_type",
            "canFollowUp",
            "reference",
            "user_name",
            "card.number",
            "extra",
            "cvc",
            "customer",
        ])
        .prop_map(str::to_owned),
        "[a-z_.]{1,8}".prop_map(|name| format!("planted {name}")),
    ]
}

/// JSON whose every text and every name that nobody documents has "planted " in it, and every number 77182.
fn any_planted() -> impl Strategy<Value = String> {
    let single = prop_oneof![
        "[ -~&&[^\"\\\\]]{0,12}".prop_map(|text| format!("\"planted {text}\"")),
        Just("\"Planted\"".to_owned()),
        "[1-9]?77182[0-9]?(\\.5)?".prop_map(|number| number),
        prop::sample::select(vec!["null", "true", "\"\""]).prop_map(str::to_owned),
    ];
    single.prop_recursive(5, 40, 5, |inner| {
        let members = prop::collection::vec((any_name(), inner.clone()), 0..5);
        let object = members.prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let list = prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![3 => object, 1 => list]
    })
}

/// Every single value of some JSON, with the name above the value, also for values in lists.
fn values_of(name: &str, json: &serde_json::Value, values: &mut Vec<(String, String)>) {
    if let Some(members) = json.as_object() {
        members.iter().for_each(|(name, value)| values_of(name, value, values));
    } else if let Some(items) = json.as_array() {
        items.iter().for_each(|item| values_of(name, item, values));
    } else {
        values.push((name.to_owned(), json.to_string()));
    }
}

/// An exchange of anything.
fn any_exchange() -> impl Strategy<Value = (Request, Result<Response, TransportError>)> {
    let body = || {
        prop_oneof![
            any_planted().prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
            "[a-z.=&%+0-9]{0,40}".prop_map(String::into_bytes),
        ]
    };
    let content_type = || prop::sample::select(vec![JSON, FORM, "text/html; charset=utf-8", "x"]);
    let request = (
        prop::sample::select(vec!["GET", "POST", "HEAD", "BREW"]),
        "(/[a-zA-Z0-9._~%-]{0,20}){1,3}(\\?[a-z.=&%+0-9]{0,30})?",
        content_type(),
        body(),
    )
        .prop_map(|(method, path, content_type, body)| {
            let request =
                http::Request::builder().method(method).uri(format!("https://provider.example{path}"));
            request.header("content-type", content_type).body(Bytes::from(body)).unwrap()
        });
    let outcome = prop_oneof![
        4 => (100..1000_u16, content_type(), body(), "[ -~]{0,20}").prop_map(|(status, content_type, body, value)| {
            let answer = http::Response::builder().status(status).header("content-type", content_type);
            Ok(answer.header("retry-after", &value).header("x", &value).header("x", &value).body(Bytes::from(body)).unwrap())
        }),
        1 => Just(()).prop_map(|()| Err(TransportError::not_sent("no"))),
        1 => Just(()).prop_map(|()| Err(TransportError::unknown("no"))),
        1 => (0..9_usize).prop_map(|cap| Err(TransportError::too_large(cap))),
    ];
    (request, outcome)
}

/// The comparable parts of a transport's result.
fn told(outcome: &Result<Response, TransportError>) -> String {
    match outcome {
        Ok(response) => format!("{} {:?} {:?}", response.status(), response.headers(), response.body()),
        Err(error) => format!("{:?} {:?}", error.delivery(), error.exceeded_cap()),
    }
}

/// The same request again.
fn same(request: &Request) -> Request {
    let mut same = Request::new(request.body().clone());
    *same.method_mut() = request.method().clone();
    *same.uri_mut() = request.uri().clone();
    *same.headers_mut() = request.headers().clone();
    same
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_value_is_kept_under_an_unlisted_name(planted in any_planted()) {
        let exchange = (request("POST", "https://provider.example/", JSON, &planted), Ok(answer(200, JSON, &planted)));
        let text = recorded(vec![exchange], &[]).to_json();
        prop_assert!(!text.to_lowercase().contains("planted "), "{}", text);
        // A kept value of the others stands under a name whose shape the value has.
        let mut values = Vec::new();
        values_of("", &serde_json::from_str(&text).unwrap(), &mut values);
        for (name, value) in values {
            let decimal = ["payload", "status", "code", "amount", "currency", "timestamp"].contains(&&*name);
            let id = ["id", "order_id", "trackingNumber"].contains(&&*name);
            prop_assert!(decimal || !value.contains("77182"), "{name}: {value}: {text}");
            prop_assert!(id || !value.contains("Planted"), "{name}: {value}: {text}");
        }
    }

    #[test]
    fn no_card_number_is_kept_anywhere(card in any_card(), cut in 1..12_usize, around in "[a-z0-9]{0,3}") {
        prop_assume!(luhn(&card));
        let (left, right) = card.split_at(cut);
        let written = [
            card.clone(), format!("{around}{card}{around}"), format!("{left} {right}"), format!("{left}-{right}"),
        ];
        for card in written {
            let name = &card;
            let body = format!(
                r#"{{"reference":"{card}","{card}":"x","order_id":"{card}","id":["{card}"],"amount":"{card}","user_id":"{card}"}}"#
            );
            let uri = format!("https://provider.example/{}?id={}&{}=1", card.replace(' ', "%20"), card.replace(' ', "+"), name.replace(' ', "+"));
            let exchanges = vec![
                (request("POST", &uri, &format!("text/{card}"), &body), Ok(answer(200, JSON, &body))),
                (
                    request("POST", "https://provider.example/", FORM, &format!("reference={card}&id={card}&{card}=")),
                    Ok(answer(200, FORM, &format!("reference={}", card.replace(' ', "+")))),
                ),
            ];
            let cassette = recorded(exchanges, &["reference", name]);
            // The author answers for the names that were added.
            let text = cassette.to_json().replacen(&format!("{card:?}"), "", 1);
            prop_assert!(!text.contains(&card), "{}", text);
            prop_assert!(!text.replace(['-', ' '], "").contains(&card.replace(['-', ' '], "")), "{}", text);
        }
    }

    #[test]
    fn no_number_with_a_card_s_digits_is_kept(card in any_card()) {
        let card = card.trim_start_matches('0');
        prop_assume!(card.len() >= 13 && luhn(card));
        let body = format!(r#"{{"amount":{card},"reference":{card},"code":-{card}.5,"status":{card}}}"#);
        prop_assert_eq!(check(JSON, &body, &["reference"]), r#"{"amount":0,"reference":0,"code":0,"status":0}"#);
    }

    #[test]
    fn a_cassette_s_text_is_read_as_the_same_cassette(
        exchanges in prop::collection::vec(any_exchange(), 0..4), kept in prop::collection::vec(any_name(), 0..3),
    ) {
        let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
        let cassette = recorded(exchanges, &kept);
        let text = cassette.to_json();
        let read = Cassette::from_json(&text).unwrap();
        prop_assert!(read == cassette, "{}", text);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn a_replay_in_the_recorded_order_has_no_difference_and_stays_scrubbed(
        exchanges in prop::collection::vec(any_exchange(), 0..4),
    ) {
        let requests: Vec<_> = exchanges.iter().map(|(request, _)| same(request)).collect();
        let cassette = recorded(exchanges, &[]);
        let again = Recording::new(Replaying::new(cassette.clone()));
        let outcomes: Vec<_> = requests.iter().map(|request| again.send_blocking(same(request))).collect();
        // A recording of a replay is the same as the first recording.
        let twice = Replaying::in_any_order(again.cassette());
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            prop_assert!(twice.remaining() > 0);
            let replayed = twice.send_blocking(request);
            prop_assert_eq!(replayed.is_ok(), outcome.is_ok());
        }
        prop_assert_eq!(twice.finish(), Ok(()));
    }

    #[test]
    fn a_recorded_exchange_is_unchanged_on_its_way(exchange in any_exchange()) {
        let (request, outcome) = exchange;
        let expected = (format!("{request:?}"), told(&outcome));
        let seen = Mutex::new(String::new());
        let outcome = Mutex::new(Some(outcome));
        let recording = Recording::new(from_fn_blocking(|request: Request| {
            *seen.lock().unwrap() = format!("{request:?}");
            outcome.lock().unwrap().take().unwrap()
        }));
        let came = told(&recording.send_blocking(request));
        prop_assert_eq!((seen.lock().unwrap().clone(), came), expected);
    }
}

#[test]
fn a_uri_keeps_its_host_and_segments_like_an_id() {
    let line = |uri: &str| {
        let text =
            recorded(vec![(request("POST", uri, JSON, ""), Err(TransportError::unknown("lost")))], &[])
                .to_json();
        let after = text
            .split("\"origin\": ")
            .nth(1)
            .unwrap()
            .split(",\n        \"headers\"")
            .next()
            .unwrap()
            .to_owned();
        after.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let table = [
        ("https://a.example", r#""https://a.example", "path": "/", "query": []"#),
        (
            "http://u:p@A.example:81//v1/x_1-Z/",
            r#""http://A.example:81", "path": "//v1/x_1-Z/", "query": []"#,
        ),
        (
            "https://a.example/tom%40mail.example/a.b?checkoutId=c01b&x=y&status",
            r#""https://a.example", "path": "/(scrubbed)/(scrubbed)", "query": [ ["checkoutId", "c01b"], ["(scrubbed 1)", "(scrubbed)"], ["status", ""] ]"#,
        ),
        ("/x?%ff", r#""", "path": "/x", "query": [ ["(scrubbed)", "(scrubbed)"] ]"#),
    ];
    for (uri, expected) in table {
        assert_eq!(line(uri), expected, "{uri}");
    }
}

#[test]
fn headers_keep_their_names_and_listed_headers_their_values() {
    let mut response = answer(302, "application/json; charset=utf-8", "");
    for (name, value) in [
        ("retry-after", "120"),
        ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("retry-after", "-1"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("date", "today"),
        ("content-type", "Application/Problem+JSON;charset=UTF-8, text/*;q=0.5"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("location", "https://a.example/b?c"),
        ("location", "/b?c"),
        ("location", "https://4111111111111111.example/"),
        ("accept", "text/html"),
        ("content-length", "0"),
        ("connection", "close"),
        ("etag", "17"),
    ] {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response.headers_mut().append("date", http::HeaderValue::from_bytes(b"\xff").unwrap());
    let cassette = recorded(vec![(get("/"), Ok(response))], &["etag"]);
    let replayed = Replaying::new(cassette).send_blocking(get("/")).unwrap();
    let headers: Vec<_> = replayed
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let expected = [
        "content-type: application/json; charset=utf-8",
        "content-type: Application/Problem+JSON;charset=UTF-8, text/*;q=0.5",
        "content-type: (scrubbed)",
        "retry-after: 120",
        "retry-after: Sun, 06 Nov 1994 08:49:37 GMT",
        "retry-after: (scrubbed)",
        "date: Sun, 06 Nov 1994 08:49:37 GMT",
        "date: (scrubbed)",
        "date: (scrubbed)",
        "location: https://a.example/",
        "location: (scrubbed)",
        "location: (scrubbed)",
        "accept: (scrubbed)",
        "etag: (scrubbed)",
    ];
    assert_eq!(headers, expected);
}

#[test]
fn errors_are_recorded_and_replayed_by_their_delivery() {
    let errors = [TransportError::not_sent("a"), TransportError::unknown("b"), TransportError::too_large(7)];
    let expected = errors.each_ref().map(|error| (error.delivery(), error.exceeded_cap()));
    let cassette = recorded(errors.into_iter().map(|error| (get("/"), Err(error))).collect(), &[]);
    let replaying = Replaying::new(Cassette::from_json(&cassette.to_json()).unwrap());
    for expected in expected {
        let error = replaying.send_blocking(get("/")).unwrap_err();
        assert_eq!((error.delivery(), error.exceeded_cap()), expected);
    }
    assert_eq!(replaying.finish(), Ok(()));
}

/// Records one exchange, sends another request, and gives the text of the fault.
fn difference(recorded_as: Request, sent: Request) -> String {
    let cassette = recorded(vec![(recorded_as, Ok(answer(200, JSON, "{}")))], &[]);
    let replaying = Replaying::new(cassette);
    match replaying.send_blocking(sent) {
        Ok(_) => {
            assert_eq!(replaying.finish(), Ok(()));
            "none".to_owned()
        }
        Err(error) => {
            assert_eq!((error.delivery(), replaying.remaining()), (Delivery::NotSent, 1));
            let source = error.source().unwrap().downcast_ref::<ReplayError>().unwrap();
            assert_eq!(replaying.finish().as_ref(), Err(source));
            source.to_string().replace("exchange 1 of 1 is another request: ", "")
        }
    }
}

#[test]
fn a_request_that_differs_is_reported_with_the_place_alone() {
    fn of(method: &str, uri: &str, body: &str) -> Request {
        request(method, uri, JSON, body)
    }
    let uri = "https://a.example/v1/x?checkoutId=1";
    let body = r#"{"code":1,"order":{"items":[{"itemIdentifier":"a"},{"quantity":2}]},"user_id":"tom"}"#;
    let table = [
        (of("GET", uri, body), "the method differs"),
        (of("POST", "http://a.example/v1/x?checkoutId=1", body), "the scheme or the host differs"),
        (of("POST", "https://b.example/v1/x?checkoutId=1", body), "the scheme or the host differs"),
        (of("POST", "https://a.example/v1/y?checkoutId=1", body), "the path differs"),
        (of("POST", "https://a.example/v1/x?checkoutId=2", body), "the query differs at checkoutId"),
        (of("POST", "https://a.example/v1/x?checkoutId=1&tom=2", body), "the query differs at (scrubbed 1)"),
        (of("POST", "https://a.example/v1/x", body), "the query differs"),
        (of("POST", uri, ""), "the body differs in kind"),
        (of("POST", uri, "tom"), "the body differs in kind"),
        (of("POST", uri, "17"), "the body differs"),
        (of("POST", uri, &body.replace("1,", "2,")), "the body differs at code"),
        (
            of("POST", uri, &body.replace("\"a\"", "\"b\"")),
            "the body differs at order.items[0].itemIdentifier",
        ),
        (
            of("POST", uri, &body.replace("quantity", "tom")),
            "the body differs at order.items[1].(scrubbed 1)",
        ),
        (of("POST", uri, &body.replace(",{\"quantity\":2}", "")), "the body differs at order.items"),
        (of("POST", uri, &body.replace("user_id", "tom")), "the body differs at (scrubbed 1)"),
        (of("POST", uri, &body.replace("\"tom\"", "17")), "the body differs at user_id"),
        (of("POST", uri, &body.replace(",\"user_id\":\"tom\"", "")), "the body differs"),
        (of("POST", uri, &body.replace("tom", "ida")), "none"),
        (request("POST", uri, "text/html", body), "none"),
        (request("POST", uri, FORM, body), "the body differs in kind"),
    ];
    for (sent, expected) in table {
        let shown = String::from_utf8_lossy(sent.body()).into_owned();
        assert_eq!(difference(of("POST", uri, body), sent), expected, "{shown}");
    }
    let form = |body| request("POST", uri, FORM, body);
    assert_eq!(difference(form("amount=1.00&x=1"), form("amount=2.00&x=1")), "the body differs at amount");
    assert_eq!(difference(form("amount=1.00&x=1"), form("amount=1.00&y=2")), "none");
    assert_eq!(difference(of("POST", uri, "ab"), of("POST", uri, "cde")), "the body differs in length");
}

#[test]
fn exchanges_are_replayed_in_their_order_or_in_any_order() {
    let exchange = |path: &str, code: u8| (get(path), Ok(answer(200, JSON, &format!("{{\"code\":{code}}}"))));
    let cassette = recorded(vec![exchange("/a", 1), exchange("/b", 2), exchange("/a", 3)], &[]);
    let code = |replaying: &Replaying, path| match replaying.send_blocking(get(path)) {
        Ok(response) => String::from_utf8(response.into_body().to_vec()).unwrap(),
        Err(error) => error.source().unwrap().to_string(),
    };

    let strict = Replaying::new(cassette.clone());
    assert_eq!(code(&strict, "/a"), "{\"code\":1}");
    assert_eq!(code(&strict, "/a"), "exchange 2 of 3 is another request: the path differs");
    assert_eq!(code(&strict, "/b"), "{\"code\":2}");
    assert_eq!(strict.remaining(), 1);
    assert_eq!(code(&strict, "/a"), "{\"code\":3}");
    assert_eq!(code(&strict, "/a"), "nothing is left to be replayed of 3 exchanges");
    // The first fault stands, though everything was asked for.
    let fault = strict.finish().unwrap_err().to_string();
    assert_eq!((strict.remaining(), &*fault), (0, "exchange 2 of 3 is another request: the path differs"));

    let free = Replaying::in_any_order(cassette.clone());
    assert_eq!(code(&free, "/b"), "{\"code\":2}");
    assert_eq!(code(&free, "/a"), "{\"code\":1}");
    assert_eq!(free.finish(), Err(ReplayError::NotAsked { remaining: 1, of: 3 }));
    assert_eq!(code(&free, "/b"), "exchange 3 of 3 is another request: the path differs");
    assert_eq!(code(&free, "/a"), "{\"code\":3}");

    // The fault names the exchange that agrees the furthest.
    let furthest = Replaying::in_any_order(cassette);
    let error = furthest.send_blocking(request("GET", "https://provider.example/b?x", JSON, "")).unwrap_err();
    let expected = "exchange 2 of 3 is another request: the query differs at (scrubbed 1)";
    assert_eq!(error.source().unwrap().to_string(), expected);
}

#[test]
fn a_transport_of_every_kind_is_recorded_and_a_cassette_is_replayed_to_each() {
    let giving = || Ok(answer(200, JSON, r#"{"code":7}"#));
    let blocking = Recording::new(from_fn_blocking(move |_| giving()));
    blocking.send_blocking(get("/")).unwrap();
    let spawned = Recording::new(from_fn(move |_| async move { giving() }));
    pollster::block_on(spawned.send(get("/"))).unwrap();
    let at_home = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&at_home);
    let local = Recording::local(from_fn_local(move |_| {
        let seen = Rc::clone(&seen);
        async move {
            *seen.borrow_mut() += 1;
            giving()
        }
    }));
    pollster::block_on(local.send_local(get("/"))).unwrap();
    assert_eq!(*at_home.borrow(), 1);
    // The second transport is a local transport by itself.
    pollster::block_on(spawned.send_local(get("/"))).unwrap();
    assert_eq!(spawned.cassette().len(), 2);
    let cassette = blocking.cassette();
    assert_eq!(local.cassette(), cassette);

    let replaying = Replaying::in_any_order(spawned.cassette());
    assert_eq!(replaying.send_blocking(get("/")).unwrap().body(), r#"{"code":7}"#);
    fn is_a_transport(_: &impl Transport) {}
    is_a_transport(&replaying);
    assert_eq!(pollster::block_on(replaying.send_local(get("/"))).unwrap().body(), r#"{"code":7}"#);
    assert_eq!(replaying.finish(), Ok(()));
}

#[test]
fn a_request_whose_answer_nobody_waited_for_is_recorded_as_unknown() {
    let recording = Recording::new(from_fn(|_| async {
        std::future::pending::<()>().await;
        Ok(Response::new(Bytes::new()))
    }));
    drop(recording.send(get("/never-polled")));
    assert!(recording.cassette().is_empty());
    {
        let mut sending = pin!(recording.send(get("/dropped")));
        assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let replaying = Replaying::new(recording.cassette());
    let error = pollster::block_on(replaying.send(get("/dropped"))).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(replaying.finish(), Ok(()));
}

#[test]
fn an_exchange_stands_in_the_order_of_its_sending() {
    let recording = Recording::new(from_fn(|request: Request| async move {
        if request.uri().path() == "/slow" {
            // Once pending, then ready.
            let mut polled = false;
            std::future::poll_fn(|_| {
                let ready = std::mem::replace(&mut polled, true);
                if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        Ok(answer(200, JSON, ""))
    }));
    let mut slow = pin!(recording.send(get("/slow")));
    let mut context = Context::from_waker(Waker::noop());
    assert!(slow.as_mut().poll(&mut context).is_pending());
    pollster::block_on(recording.send(get("/quick"))).unwrap();
    assert!(slow.as_mut().poll(&mut context).is_ready());
    let replaying = Replaying::new(recording.cassette());
    for path in ["/slow", "/quick"] {
        assert_eq!(replaying.send_blocking(get(path)).unwrap().status(), 200);
    }
}

#[test]
fn a_text_that_is_no_cassette_is_refused_with_the_place() {
    let exchange = |request: &str, rest: &str| {
        format!(r#"{{"version":1,"kept":[],"exchanges":[{{"request":{request}{rest}}}]}}"#)
    };
    let request = r#"{"method":"GET","origin":"","path":"/","query":[],"headers":[],"body":null}"#;
    let with = |from: &str, to: &str| {
        exchange(&request.replace(from, to), r#","answer":{"status":200,"headers":[],"body":null}"#)
    };
    let answered = |answer: &str| exchange(request, &format!(r#","answer":{answer}"#));
    let failed = |error: &str| exchange(request, &format!(r#","error":{error}"#));
    assert!(Cassette::from_json(&with("", "")).is_ok());
    assert!(Cassette::from_json(&failed(r#"{"delivery":"unknown","exceeded_cap":7}"#)).is_ok());
    let table = [
        (String::new(), "not JSON at line 1, column 0"),
        ("{\n  \"version\": tom\n}".to_owned(), "not JSON at line 2, column 15"),
        ("[]".to_owned(), "the cassette: an object is expected"),
        ("{}".to_owned(), "version: it is missing"),
        (r#"{"version":"1"}"#.to_owned(), "version: 1 is expected"),
        (r#"{"version":1,"version":1}"#.to_owned(), "version: it stands twice"),
        (r#"{"version":1,"tom":1}"#.to_owned(), "the cassette: it has a member that is not known"),
        (r#"{"version":1}"#.to_owned(), "kept: it is missing"),
        (r#"{"version":1,"kept":[1]}"#.to_owned(), "kept: a text is expected"),
        (r#"{"version":1,"kept":[],"exchanges":{}}"#.to_owned(), "exchanges: a list is expected"),
        (r#"{"version":1,"kept":[],"exchanges":[{},{}]}"#.to_owned(), "exchange 1: request: it is missing"),
        (with(r#""GET""#, "1"), "exchange 1: request.method: a text is expected"),
        (with(r#""path":"/","#, ""), "exchange 1: request.path: it is missing"),
        (
            with(r#""query":[]"#, r#""query":[["a"]]"#),
            "exchange 1: request.query: pairs of a name and a value are expected",
        ),
        (
            with(r#""query":[]"#, r#""query":[["a",1]]"#),
            "exchange 1: request.query: pairs of a name and a value are expected",
        ),
        (
            with(r#""headers":[]"#, r#""headers":[["a b",""]]"#),
            "exchange 1: request.headers: names and values of headers are expected",
        ),
        (
            with(r#""headers":[]"#, r#""headers":[["a","\n"]]"#),
            "exchange 1: request.headers: names and values of headers are expected",
        ),
        (with(r#""body":null"#, r#""body":{}"#), "exchange 1: request.body: json, form or bytes is expected"),
        (
            with(r#""body":null"#, r#""body":{"json":1,"bytes":1}"#),
            "exchange 1: request.body: json, form or bytes is expected",
        ),
        (
            with(r#""body":null"#, r#""body":{"bytes":-1}"#),
            "exchange 1: request.body.bytes: a whole number is expected",
        ),
        (with(r#""body":null"#, r#""body":"tom""#), "exchange 1: request.body: an object is expected"),
        (exchange(request, ""), "exchange 1: answer: either it or error is expected"),
        (
            exchange(request, r#","answer":{},"error":{}"#),
            "exchange 1: answer: either it or error is expected",
        ),
        (answered("[]"), "exchange 1: answer: an object is expected"),
        (
            answered(r#"{"status":99,"headers":[],"body":null}"#),
            "exchange 1: answer.status: a number from 100 to 999 is expected",
        ),
        (
            answered(r#"{"status":"200","headers":[],"body":null}"#),
            "exchange 1: answer.status: a number from 100 to 999 is expected",
        ),
        (answered(r#"{"status":200,"body":null}"#), "exchange 1: answer.headers: it is missing"),
        (
            failed(r#"{"delivery":"tom","exceeded_cap":null}"#),
            "exchange 1: error.delivery: \"not sent\" or \"unknown\" is expected",
        ),
        (failed(r#"{"delivery":"unknown"}"#), "exchange 1: error.exceeded_cap: it is missing"),
        (
            failed(r#"{"delivery":"not sent","exceeded_cap":7}"#),
            "exchange 1: error.exceeded_cap: what was not sent has no answer",
        ),
        (
            with(r#""body":null"#, &format!(r#""body":{{"json":{}{}}}"#, "[".repeat(90), "]".repeat(90))),
            "JSON that is nested too deep, or has a text with half a character",
        ),
        (with("GET", r"\ud800"), "JSON that is nested too deep, or has a text with half a character"),
    ];
    for (text, expected) in table {
        let error = Cassette::from_json(&text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        assert!(!format!("{error:?}").contains("tom"), "{text}");
    }
    assert_eq!(
        Cassette::from_json(r#"{"version":2}"#),
        Err(CassetteError::Member { at: "version".to_owned(), fault: "1 is expected" })
    );
}

#[test]
fn json_is_recorded_down_to_its_sixty_fourth_level_and_is_bytes_beyond() {
    let nested = |levels: usize| format!("{}1{}", "{\"payload\":".repeat(levels), "}".repeat(levels));
    assert_eq!(check(JSON, &nested(64), &[]), nested(64));
    assert_eq!(check(JSON, &nested(65), &[]), "(scrubbed)");
    assert_eq!(check(JSON, &nested(20_000), &[]), "(scrubbed)");
    let cassette = recorded(vec![(get("/"), Ok(answer(200, JSON, &nested(64))))], &[]);
    assert_eq!(Cassette::from_json(&cassette.to_json()), Ok(cassette));
}

#[test]
fn debug_shows_counts_and_nothing_else() {
    let recording =
        Recording::new(giving(vec![Ok(answer(200, JSON, r#"{"code":7}"#)), Ok(answer(200, JSON, ""))]));
    recording.send_blocking(get("/a")).unwrap();
    recording.send_blocking(get("/b")).unwrap();
    let replaying = Replaying::new(recording.cassette());
    replaying.send_blocking(get("/a")).unwrap();
    assert_eq!(format!("{recording:?}"), "Recording { exchanges: 2, .. }");
    assert_eq!(format!("{:?}", recording.cassette()), "Cassette { exchanges: 2, .. }");
    assert_eq!(format!("{replaying:?}"), "Replaying { exchanges: 2, remaining: 1, .. }");
}
