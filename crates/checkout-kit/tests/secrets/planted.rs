//! The planted texts, and the messages with the planted texts.

use crate::search::{Kind, Needle};
use checkout_auth::{SecretString, allscale::SigningKey, peach::SecretToken};
use checkout_money::Cents;
use checkout_tables::peach::Currency;
use checkout_validate::azotte::{CardDraft, Draft, SubmitCheckout};
use checkout_validate::peach;

macro_rules! planted {
    ($($(#[$doc:meta])* $kind:ident $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)+

        /// All planted texts, as an echo of a request would have them.
        pub(crate) const ALL: &str = concat!($($text, " "),+);

        pub(crate) fn needles() -> Vec<Needle> {
            vec![$(Needle::new($name, Kind::$kind)),+]
        }
    };
}

planted! {
    Number CARD_NUMBER = "4111111111111111";
    Text CVC = "9173";
    Text EXPIRE_YEAR = "2093";
    Name HOLDER = "Zsofia Quillfeather";
    Name ALIAS = "turquoise debit";
    Text URN = "urn:payer:7718-2093-55";
    Text ADDRESS = "203.0.113.77";
    Text MAIL = "zq+shop@mail.example";
    Number PHONE = "+27 82 555 01 93";
    Text WALLET = "0x7be8076f4ea4a4ad08075c2508e481d6c946d12b";
    Text TX_HASH = "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060";
    Text USER_ID = "payer-77182";
    Name USER_NAME = "Thandeka Wolmarans";
    Text API_KEY = "sk_live_Vb81kq";
    Text API_SECRET = "whs_9xTQm4/Lr+7";
    Text SECRET_TOKEN = "tok_6d1f0c9ab2e84377";
    Text CLIENT_SECRET = "cls_Pp5/wY8+Zk1=";
    Text ACCESS_TOKEN = "eyJhbGciOi.J9Tq-8s_.aQ";
    Text CARD_TOKEN = "reg_8e9f15d2018ea09b";
    Text CHALLENGE_URL = "https://acs.bank.example/3ds?creq=eyJ0aHJlZURTU2Vyd";
    Text CHALLENGE_HTML = "<form action='https://acs.bank.example/pareq'>";
    Text CHALLENGE_ID = "3ds-4cf1-90ab";
    Text PAGE = "https://pay.example/q7Xk2-whoever-has-it-pays";
    Text RETURN_URL = "https://shop.example/back?basket=u9Zt4Lw";
    Name DESCRIPTION = "crimson spanner";
    Text MERCHANT_WALLET = "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984";
    Text BANK_SAYS = "do not honour, limit of account reached";
}

/// [`CARD_NUMBER`], as it stands on the card.
pub(crate) const GROUPED: &str = "4111 1111 1111 1111";

/// A text that is no secret: a field's name, an entity, and a tenant. An error names the field that stands
/// twice.
const NOTE_KEY: &str = "payer_nickname";
pub(crate) const ENTITY: &str = "8ac7a4ca00000000000000005a4d0b02";
pub(crate) const TENANT: &str = "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f";

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::new(API_KEY, API_SECRET.into()).unwrap()
}

pub(crate) fn secret_token() -> SecretToken {
    SecretToken::new(SecretString::from(SECRET_TOKEN)).unwrap()
}

pub(crate) fn card() -> CardDraft<'static> {
    CardDraft::new(CARD_NUMBER, "07", EXPIRE_YEAR).cvc(CVC).card_holder_name(HOLDER).card_alias(ALIAS)
}

pub(crate) fn azotte_draft() -> Draft<'static> {
    let draft = Draft::new_card(card()).offer_identifier("off_1").correlation_id("order-1").item("plan_gold");
    draft.customer_urn(URN).ip_address(ADDRESS)
}

pub(crate) fn submit() -> SubmitCheckout<'static> {
    azotte_draft().check().unwrap()
}

pub(crate) fn peach_draft() -> peach::Draft<'static> {
    let draft = peach::Draft::debit(Currency::ZAR, Cents::new(14_99))
        .entity_id(ENTITY)
        .merchant_transaction_id("order_1001")
        .shopper_result_url(RETURN_URL)
        .cancel_url(RETURN_URL)
        .notification_url(RETURN_URL)
        .custom_parameter("note", BANK_SAYS)
        .create_registration(true)
        .card_token(CARD_TOKEN);
    [
        ("customer.givenName", HOLDER),
        ("customer.email", MAIL),
        ("customer.mobile", PHONE),
        ("customer.ip", ADDRESS),
        ("billing.street1", ALIAS),
    ]
    .into_iter()
    .fold(draft, |draft, (name, value)| draft.field(name, value))
}

/// An object of the merchant's own, as exact JSON text.
pub(crate) fn extra() -> String {
    format!(r#"{{"{NOTE_KEY}":"{HOLDER}","mail":"{MAIL}","phone":["{PHONE}"],"card":{CARD_NUMBER}}}"#)
}

pub(crate) fn allscale_intent() -> Vec<u8> {
    let extra = extra();
    let text = format!(
        r#"{{"code":0,"payload":{{"all_scale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","status":20,
        "amount_coins":"1","user_id":"{USER_ID}","user_name":"{USER_NAME}","error_message":"{BANK_SAYS}",
        "tx_hash":"{TX_HASH}","tx_hash_2":"{TX_HASH}","tx_from":"{WALLET}","currency_rate":{extra},
        "tx_to":"{MERCHANT_WALLET}","order_description":"{DESCRIPTION}","service_fee_amount":{extra},"chain_id":{extra},
        "net_income_amount":"{MAIL}","payment_method_type":{extra},"coin_contract":{extra},"extra":{extra}}},"request_id":"req_1"}}"#
    );
    text.into_bytes()
}

pub(crate) fn allscale_created() -> Vec<u8> {
    let extra = extra();
    let text = format!(
        r#"{{"code":0,"payload":{{"checkout_url":"{PAGE}","stable_coin_type":1,
        "allscale_checkout_intent_id":"65b2f3d0d2d9c0a1b2c3d4e5","amount_coins":"10","rate":{extra},
        "accepted_stable_coins":{extra}}}}}"#
    );
    text.into_bytes()
}

pub(crate) fn allscale_webhook() -> Vec<u8> {
    let extra = extra();
    let text = format!(
        r#"{{"all_scale_transaction_id":"txn_1","all_scale_checkout_intent_id":"65b2","webhook_id":"wh_1",
        "amount_cents":"{MAIL}","currency":{extra},"chain_id":{extra},"tx_hash":"{TX_HASH}","tx_from":"{WALLET}",
        "order_id":{extra},"currency_symbol":{extra},"coin_symbol":{extra},"coin_contract_address":{extra},"user_id":"{USER_ID}","user_name":"{USER_NAME}","extra_obj":{extra},"{NOTE_KEY}":"{HOLDER}"}}"#
    );
    text.into_bytes()
}

/// The message is the provider's own, and printed.
pub(crate) fn allscale_refusal() -> Vec<u8> {
    let extra = extra();
    let text = format!(r#"{{"code":10001,"error":{{"message":"Bad.","details":{extra},"user":{extra}}}}}"#);
    text.into_bytes()
}

pub(crate) fn azotte_challenge() -> Vec<u8> {
    let text = format!(
        r#"{{"trackingNumber":"trk_1","status":{{"messageCode":"CHECK_OUT_3DS_REQUIRED","message":"{BANK_SAYS}"}},
        "message":"{BANK_SAYS}","redirectInstructions":{{"redirectUrl":"{CHALLENGE_URL}",
        "htmlContent":"{CHALLENGE_HTML}","threeDIdentifier":"{CHALLENGE_ID}","showHtmlContent":true,
        "isRedirectRequired":true}},"followUpInstructions":{{"canFollowUp":true,"retryAfterSeconds":"{MAIL}"}},
        "{NOTE_KEY}":"{HOLDER}"}}"#
    );
    text.into_bytes()
}

pub(crate) fn azotte_refusal() -> Vec<u8> {
    let extra = extra();
    let text = format!(
        r#"{{"type":"about:blank","title":"Bad Request","status":{extra},"detail":"{ALL}",
        "instance":"/{CHALLENGE_ID}","errors":{{"{NOTE_KEY}":["{CARD_NUMBER} {CVC}"]}}}}"#
    );
    text.into_bytes()
}

/// The description is the description of the code, and printed where the payment is a refusal.
pub(crate) fn peach_payment() -> Vec<u8> {
    let text = format!(
        r#"{{"result.code":"000.000.000","result.description":"Transaction succeeded","paymentType":"DB",
        "merchantTransactionId":"order_1001","card.number":"{CARD_NUMBER}","card.holder":"{HOLDER}",
        "card.last4Digits":"{CVC}","card.expiryYear":"{EXPIRE_YEAR}","customer.email":"{MAIL}",
        "customer.mobile":"{PHONE}","customer.ip":"{ADDRESS}","customer.merchantCustomerId":"{USER_ID}",
        "customParameters[note]":"{ALIAS}","registrationId":"{CARD_TOKEN}","{NOTE_KEY}":"{USER_NAME}","signature":"{TX_HASH}"}}"#
    );
    text.into_bytes()
}

pub(crate) fn peach_wrapped() -> Vec<u8> {
    let flat = String::from_utf8(peach_payment()).unwrap();
    format!(r#"{{"status":"successful","timestamp":"{MAIL}","redirect_url":"{RETURN_URL}","redirect_post_data":{flat}}}"#).into_bytes()
}

/// The message and the names of fields are the provider's own, and printed.
pub(crate) fn peach_refusal() -> Vec<u8> {
    let text = format!(
        r#"{{"message":"Bad.","validation_errors":{{"customer.email":["{MAIL} is no address"],
        "card.number":["{CARD_NUMBER}"]}},"sent":{}}}"#,
        extra()
    );
    text.into_bytes()
}

pub(crate) fn peach_created() -> Vec<u8> {
    format!(r#"{{"checkoutId":"c01b","redirectUrl":"{PAGE}"}}"#).into_bytes()
}

pub(crate) fn peach_token() -> Vec<u8> {
    format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"3600","token_type":"Bearer"}}"#).into_bytes()
}

/// Bodies in which every value stands where another value is documented, each wrong for one reader at least.
pub(crate) fn unreadable() -> Vec<String> {
    let whole = extra();
    let text = r#"{"code":0,"payload":"#;
    vec![
        format!("{{{ALL}"),
        format!(r#"{{"{ALL}":"{ALL}""#),
        format!(r#"{{"code":"{API_KEY}"}}"#),
        format!(r#"{text}{whole}}}"#),
        format!(r#"{text}"{USER_NAME}"}}"#),
        format!(r#"{text}{{"all_scale_checkout_intent_id":"a","status":"{HOLDER}","amount_coins":"1"}}}}"#),
        format!(
            r#"{text}{{"all_scale_checkout_intent_id":"a","status":20,"amount_coins":"{CARD_NUMBER}.x"}}}}"#
        ),
        format!(
            r#"{text}{{"all_scale_checkout_intent_id":"a","status":20,"amount_coins":"1","user_id":[{whole}]}}}}"#
        ),
        format!(r#"{{"status":"{ALL}","trackingNumber":["{ALL}"]}}"#),
        format!(r#"{{"status":{{"messageCode":["{ALL}"],"{NOTE_KEY}":1}}}}"#),
        format!(r#"{{"result.code":["a"],"result.description":"{ALL}","{NOTE_KEY}":{{"{MAIL}":1}}}}"#),
        format!(r#"{{"{NOTE_KEY}":1,"{NOTE_KEY}":2,"result.code":"000.000.000"}}"#),
        format!(r#"{{"redirectUrl":["{CHALLENGE_URL}"],"checkoutId":["{MAIL}"]}}"#),
        format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":"{CLIENT_SECRET}"}}"#),
        format!(r#"{{"access_token":["{ACCESS_TOKEN}"],"expires_in":1}}"#),
    ]
}
