//! The clients that can be built.

use crate::world::{CLIENT_SECRET, ENTITY, REFERER, SECRET, credentials, secret};
use checkout_client::BuildError;
use checkout_client::peach::{Client, v2};
use checkout_tables::Moment;

/// The results of the builders of V1 and V2.
fn check(entity: &str, referer: &str, url: Option<&str>) -> [Result<(), BuildError>; 2] {
    let mut one = Client::builder(entity, secret())
        .referer(referer)
        .clock(|| Moment::from_unix_millis(0))
        .nonces(String::new);
    let mut two = v2::Client::builder(entity, credentials())
        .referer(referer)
        .clock(|| Moment::from_unix_millis(0))
        .nonces(String::new);
    if let Some(url) = url {
        (one, two) = (one.base_url(url), two.base_url(url));
    }
    for printed in [format!("{one:?}"), format!("{two:?}")] {
        assert!(!printed.contains(SECRET) && !printed.contains(CLIENT_SECRET), "{printed}");
    }
    [one.build().map(drop), two.build().map(drop)]
}

#[test]
fn an_entity_is_32_hexadecimal_digits_in_lower_case() {
    assert_eq!(check(ENTITY, REFERER, None), [Ok(()); 2]);
    let (short, long, upper) = (&ENTITY[1..], format!("{ENTITY}0"), ENTITY.to_ascii_uppercase());
    let other = ENTITY.replace('8', "g");
    for entity in ["", short, &long, &upper, &other, &"ü".repeat(16)] {
        assert_eq!(check(entity, REFERER, None), [Err(BuildError::Entity); 2], "{entity:?}");
    }
    let unseen =
        [" ".repeat(32), format!("{ENTITY}\n"), format!("\u{feff}{ENTITY}"), ENTITY.replace('8', "\u{200b}")];
    for entity in unseen {
        let expected = [Err(BuildError::Unseen("authentication.entityId")); 2];
        assert_eq!(check(&entity, REFERER, None), expected, "{entity:?}");
    }
}

#[test]
fn a_referer_is_needed_and_is_a_text_that_a_header_can_carry() {
    for (referer, expected) in [
        ("", BuildError::Empty("referer")),
        (" ", BuildError::Empty("referer")),
        ("https://shop.example\r\nx: 1", BuildError::Unseen("referer")),
        ("https://shop.example\n", BuildError::Unseen("referer")),
        ("\u{feff}https://shop.example", BuildError::Unseen("referer")),
        ("\0", BuildError::Unseen("referer")),
        ("https://sh\u{f6}p.example", BuildError::Header("referer")),
    ] {
        assert_eq!(check(ENTITY, referer, None), [Err(expected); 2], "{referer:?}");
    }
    let without =
        Client::builder(ENTITY, secret()).clock(|| Moment::from_unix_millis(0)).nonces(String::new).build();
    assert_eq!(without.unwrap_err(), BuildError::Empty("referer"));
}

#[test]
fn a_base_url_is_https_or_this_machine_and_has_no_path() {
    for (url, expected) in [
        ("https://h:8443/", Ok(())),
        ("http://localhost:8080", Ok(())),
        ("http://127.0.0.1", Ok(())),
        ("http://[::1]:1", Ok(())),
        ("http://secure.peachpayments.com", Err(BuildError::NotHttps)),
        ("https://h/checkout", Err(BuildError::Path)),
        ("https://u@h", Err(BuildError::UserInfo)),
        ("h", Err(BuildError::NotAbsolute)),
    ] {
        assert_eq!(check(ENTITY, REFERER, Some(url)), [expected; 2], "{url}");
        let two = v2::Client::builder(ENTITY, credentials())
            .referer(REFERER)
            .clock(|| Moment::from_unix_millis(0))
            .nonces(String::new);
        assert_eq!(two.auth_url(url).build().map(drop), expected, "{url}");
    }
}

#[test]
fn v2_s_credentials_hold_no_unseen_character_and_an_error_names_the_field_alone() {
    for unseen in [
        "\u{feff}c2VjcmV0",
        "c2VjcmV0\n",
        "c2Vj\ncmV0",
        "c2VjcmV0\r\n",
        " c2VjcmV0",
        "c2Vj\0cmV0",
        "c2Vj\u{200b}cmV0",
    ] {
        for (name, set) in [
            ("clientId", (|it, text| it.client_id = text.into()) as fn(&mut v2::Credentials, &str)),
            ("clientSecret", |it, text| it.client_secret = text.into()),
            ("merchantId", |it, text| it.merchant_id = text.into()),
        ] {
            let mut credentials = credentials();
            set(&mut credentials, unseen);
            let builder = v2::Client::builder(ENTITY, credentials)
                .referer(REFERER)
                .clock(|| Moment::from_unix_millis(0));
            let error = builder.nonces(String::new).build().unwrap_err();
            assert_eq!(error, BuildError::Unseen(name), "{}", unseen.escape_debug());
            let said = error.to_string();
            assert!(
                said.starts_with(name) && said.contains("byte order mark") && !said.contains("c2V"),
                "{said}"
            );
        }
    }
}

#[test]
fn v2_needs_its_credentials() {
    for (name, clear) in [
        ("clientId", (|it| it.client_id = " ".into()) as fn(&mut v2::Credentials)),
        ("clientSecret", |it| it.client_secret = "".into()),
        ("merchantId", |it| it.merchant_id = String::new()),
    ] {
        let mut credentials = credentials();
        clear(&mut credentials);
        let builder =
            v2::Client::builder(ENTITY, credentials).referer(REFERER).clock(|| Moment::from_unix_millis(0));
        let error = builder.nonces(String::new).build().unwrap_err();
        assert_eq!(error, BuildError::Empty(name));
        assert_eq!(error.to_string(), format!("{name}: empty"));
    }
}

#[cfg(not(feature = "system"))]
#[test]
fn a_builder_without_the_system_needs_a_clock_and_nonces() {
    let one = || Client::builder(ENTITY, secret()).referer(REFERER);
    let two = || v2::Client::builder(ENTITY, credentials()).referer(REFERER);
    assert_eq!(one().nonces(String::new).build().unwrap_err(), BuildError::NoClock);
    assert_eq!(one().clock(|| Moment::from_unix_millis(0)).build().unwrap_err(), BuildError::NoNonces);
    assert_eq!(two().nonces(String::new).build().unwrap_err(), BuildError::NoClock);
    assert_eq!(two().clock(|| Moment::from_unix_millis(0)).build().unwrap_err(), BuildError::NoNonces);
}
