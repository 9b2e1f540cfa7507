use super::*;
use crate::mac::tests::hmac_by_definition;
use crate::message::suite::{Kind, PASSES, Passed, Sent, check, every_law, visible};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

const SECRET: &str = Webhooks::SECRETS[0];
const DIGEST: &str = "b6e7d2ed99a175f1fffe519fd001fbf060c8c9b8ce129c0fe3ee618268de954a";

struct Webhooks;

every_law!(Webhooks);

impl Kind for Webhooks {
    type Key = SecretToken;

    const SECRETS: [&'static str; 2] =
        ["3fcd7cf22f55119eadbe02d14de18c0c", "3fcd7cf22f55119eadbe02d14de18c0d"];
    const HEADERS: &'static [&'static str] = &["x-webhook-timestamp", "x-webhook-id", "x-webhook-signature"];
    const TIMESTAMP: &'static str = "x-webhook-timestamp";
    const TEXTS: &'static [&'static str] = &["URL"];
    const MISMATCH: &'static str = "the signature is not this webhook's under the keys";
    const NO_KEY: &'static str = "no key is valid now";
    const LISTS: bool = false;
    const HIDDEN: &'static [&'static str] = &["shop=1", "result"];

    fn genuine() -> Sent {
        let parts: [(_, &[u8]); 2] = [
            ("URL", b"https://shop.example/hooks/peach?shop=1"),
            ("body", b"checkoutId=c1&result.code=000.200.100"),
        ];
        Sent::new(parts, Self::HEADERS, &["1716501000", "4b1b4ac3d2a8458cbd3e1a5a4d0a6e0b", DIGEST])
    }

    /// Computed with the hmac and hashlib modules of Python 3.
    fn vectors() -> Vec<(Sent, String, &'static str)> {
        let sent = |url: &str, timestamp: &str, id: &str, body: &[u8]| {
            Sent::new([("URL", url.as_bytes()), ("body", body)], Self::HEADERS, &[timestamp, id, ""])
        };
        let first_second = sent("x", "-9223372036854775808", "!", &[0, 10, 255]);
        let empty = sent("https://a.example/", "0", "1", b"");
        let in_hex = [
            "7d90aa150ad16ab2b14d2b1b57b26cb435af8beffb41ba3640d7b61689243909",
            "4962dfeca61a30cf6b922c411549d8ccd7b3f5e711bdc1e9ad62ea8418c424a5",
        ];
        vec![
            (Self::genuine(), SECRET.into(), DIGEST),
            (first_second, "géheim".into(), in_hex[0]),
            (empty, "k".repeat(65), in_hex[1]),
        ]
    }

    fn by_definition(secret: &str, sent: &Sent) -> String {
        let [timestamp, id] = ["x-webhook-timestamp", "x-webhook-id"].map(|name| sent.value(name));
        let text = [format!("{timestamp}.{id}.{}.", sent.text("URL")).as_bytes(), sent.part("body")].concat();
        hmac_by_definition(secret, text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn key(secret: &str) -> SecretToken {
        SecretToken::new(secret.into()).unwrap()
    }

    fn sign(sent: &Sent, token: &SecretToken) -> Result<String, SignError> {
        let timestamp = sent.value("x-webhook-timestamp").parse().unwrap();
        let webhook_id = &sent.value("x-webhook-id");
        let webhook = Webhook { timestamp, webhook_id, url: sent.text("URL"), body: sent.part("body") };
        webhook.sign(token).map(|signature| signature.to_string())
    }

    fn verify(verifier: &Verifier<SecretToken>, sent: &Sent, now: i64) -> Result<Passed, MessageError> {
        let signed = verifier.verify_webhook(&request(sent), now)?;
        let Webhook { timestamp, webhook_id, url, body } = *signed.message();
        assert_eq!((url, body), (sent.text("URL"), sent.part("body")));
        assert_eq!(webhook_id, sent.value("x-webhook-id"));
        let (accepted_until, key_id) = (signed.accepted_until(), signed.key_id().to_owned());
        Ok(Passed { timestamp, accepted_until, key_id, debug: format!("{signed:?}") })
    }

    fn shown(sent: &Sent) -> String {
        format!("{:?}", request(sent))
    }

    fn spellings() -> Vec<(String, &'static str)> {
        let in_base64 = "tufS7ZmhdfH//lGf0AH78GDIybjOEpwP4+5hgmjelUo=";
        let not_hex = [
            DIGEST.to_ascii_uppercase(),
            DIGEST[1..].to_owned(),
            DIGEST[..62].to_owned(),
            format!("{DIGEST}0"),
            format!("{DIGEST}{DIGEST}"),
            format!("{DIGEST},{DIGEST}"),
            format!("v1={DIGEST}"),
            format!("sha256={DIGEST}"),
            format!("0x{}", &DIGEST[2..]),
            format!("{}+", &DIGEST[1..]),
            in_base64.to_owned(),
            "f".repeat(1 << 16),
        ];
        let cut = (1..DIGEST.len()).map(|end| DIGEST[..end].to_owned());
        let invisible =
            [format!("{DIGEST}\n"), format!(" {DIGEST}"), format!("{DIGEST} "), DIGEST.replacen('b', "é", 1)];
        let not_hex = not_hex.into_iter().chain(cut);
        let not_hex = not_hex.map(|text| (text, "is not 64 digits of lower-case hexadecimal"));
        let invisible = invisible.map(|text| (text, "holds a character that is not visible ASCII"));
        not_hex.chain(invisible).collect()
    }

    fn unsendable() -> Vec<(&'static str, Vec<&'static str>, SignError)> {
        let urls = vec!["", " ", "https://a.example/ ", "https://é.example/", "https://a.example/\n"];
        vec![
            ("x-webhook-id", vec!["", " ", "a\nb", "é"], SignError::WebhookId),
            ("x-webhook-id", vec!["a.b", "."], SignError::WebhookIdHasDot),
            ("URL", urls, SignError::Url),
        ]
    }

    fn is_formed(sent: &Sent) -> bool {
        let id = sent.value("x-webhook-id");
        visible(&id) && !id.contains('.') && visible(sent.text("URL"))
    }

    fn is_listed(value: &str, right: &str) -> bool {
        value == right
    }

    fn any() -> BoxedStrategy<Sent> {
        let body = proptest::collection::vec(any::<u8>(), 0..300);
        ("[!-~]{1,90}", "[!-~&&[^.]]{1,70}", body)
            .prop_map(|(url, id, body)| {
                Self::genuine().with("URL", url).with("x-webhook-id", id).with("body", body)
            })
            .boxed()
    }
}

fn request(sent: &Sent) -> WebhookRequest<'_, Vec<(String, Vec<u8>)>> {
    WebhookRequest { url: sent.text("URL"), headers: &sent.headers, body: sent.part("body") }
}

#[test]
fn another_signature_of_the_right_form_is_refused() {
    let zeros = Webhooks::genuine().with("x-webhook-signature", "0".repeat(64));
    assert_eq!(check::<Webhooks>(&zeros), Webhooks::MISMATCH);
}

#[test]
fn a_dot_cannot_move_between_id_and_url_and_body() {
    // All of these have the same text as the genuine message.
    let genuine = Webhooks::genuine();
    let id = genuine.value("x-webhook-id");
    let longer_id = genuine.clone().with("x-webhook-id", format!("{id}.https://shop"));
    let recut = longer_id.with("URL", "example/hooks/peach?shop=1");
    assert_eq!(Webhooks::by_definition(SECRET, &recut), DIGEST);
    assert_eq!(check::<Webhooks>(&recut), "the header x-webhook-id holds a dot");
    // A body that holds the URL, cut there so that the rest of the text is the body.
    let inner = "name=x.https://shop.example/hooks/peach?shop=1.result.code=000.000.000";
    let genuine = genuine.with("body", inner).signed::<Webhooks>(SECRET);
    assert_eq!(check::<Webhooks>(&genuine), PASSES);
    let id = format!("{id}.{}.name=x", genuine.text("URL"));
    let recut = genuine.clone().with("body", "result.code=000.000.000").with("x-webhook-id", id);
    assert_eq!(Webhooks::by_definition(SECRET, &recut), genuine.value("x-webhook-signature"));
    assert_eq!(check::<Webhooks>(&recut), "the header x-webhook-id holds a dot");
}
