//! The stored form of a watch.
#![no_main]

use std::sync::LazyLock;

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_client::{Watch, Watchable, allscale, azotte, peach};
use checkout_fuzz::EPOCH;
use checkout_fuzz::signed::SECRET;
use checkout_lifecycle::Moment;
use checkout_validate::peach::MerchantTransactionId;
use libfuzzer_sys::fuzz_target;

static ALLSCALE: LazyLock<allscale::Client> = LazyLock::new(|| {
    let key = SigningKey::new("st_key", SECRET.into()).expect("a key");
    allscale::Client::builder(key).clock(now).build().expect("a client")
});

static AZOTTE: LazyLock<azotte::Client> = LazyLock::new(|| {
    let tenant = "e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f";
    let client = azotte::Client::builder("acme", tenant, SECRET.into());
    client.clock(now).build().expect("a client")
});

static PEACH: LazyLock<peach::Client> = LazyLock::new(|| {
    let secret = SecretToken::new(SECRET.into()).expect("a secret");
    let client = peach::Client::builder("8ac7a4ca68c22c4d0168c2caab2e0025", secret);
    let client = client.referer("https://shop.example").clock(now);
    client.build().expect("a client")
});

fn now() -> Moment {
    EPOCH
}

fuzz_target!(|text: &str| {
    let id = || MerchantTransactionId::new("order-7").expect("an id");
    assert_law(|| ALLSCALE.watch("65b2").expect("an id"), text);
    assert_law(|| AZOTTE.watch("trk_1").expect("an id"), text);
    assert_law(|| PEACH.watch(id().into()), text);
});

fn assert_law<E: Watchable>(watch: impl Fn() -> Watch<E>, text: &str) {
    match watch().restore_from(text) {
        Ok(mut resumed) => {
            assert_eq!(resumed.stored(), text, "one watch, one text");
            assert_eq!(resumed.has_conflict(), text.starts_with("v1 conflict; "));
            // The watch goes on, and its later state can be stored too.
            let step = resumed.next(EPOCH);
            let mut again = watch().restore_from(&resumed.stored()).expect("what is stored can be read");
            assert_eq!(again.next(EPOCH), step);
            assert_eq!(again.stored(), resumed.stored());
        }
        Err(error) => assert!(error.to_string().starts_with("a stored ")),
    }
}
