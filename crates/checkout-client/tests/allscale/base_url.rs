//! The addresses at which the API may be.

use crate::world::key;
use checkout_client::allscale::{BuildError, Builder, Client};
use checkout_client::{CallErrorKind, NotSent};
use checkout_tables::Moment;

/// The URI of a ping to this base URL, or the reason why there is no client.
fn check(base_url: &str) -> Result<String, BuildError> {
    let client = builder().base_url(base_url).build()?;
    Ok(client.ping().attempt(Moment::from_unix_millis(0), "nonce-1").unwrap().request().uri().to_string())
}

fn builder() -> Builder {
    Client::builder(key()).clock(|| Moment::from_unix_millis(0)).nonces(|| "nonce".to_owned())
}

#[test]
fn a_base_url_is_https_and_a_host_and_a_port_if_need_be() {
    for (base_url, expected) in [
        ("https://openapi.allscale.io", "https://openapi.allscale.io/v1/test/ping"),
        ("https://openapi.allscale.io/", "https://openapi.allscale.io/v1/test/ping"),
        ("https://proxy_1.internal:8443", "https://proxy_1.internal:8443/v1/test/ping"),
        ("https://h:1", "https://h:1/v1/test/ping"),
        ("https://h:65535/", "https://h:65535/v1/test/ping"),
        ("HTTPS://Example.COM", "https://Example.COM/v1/test/ping"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example/v1/test/ping"),
        ("https://203.0.113.7", "https://203.0.113.7/v1/test/ping"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/v1/test/ping"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/v1/test/ping"),
        ("https://localhost:8443", "https://localhost:8443/v1/test/ping"),
    ] {
        assert_eq!(check(base_url).as_deref(), Ok(expected), "{base_url}");
    }
}

#[test]
fn http_is_for_this_machine_alone() {
    for this in [
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.255.255.254",
        "[::1]",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]",
        "localhost",
        "LOCALHOST",
        "LocalHost:8080",
    ] {
        assert_eq!(check(&format!("http://{this}")), Ok(format!("http://{this}/v1/test/ping")));
        assert_eq!(check(&format!("HTTP://{this}/")), Ok(format!("http://{this}/v1/test/ping")));
    }
    for other in [
        "openapi.allscale.io",
        "localhost.evil.com",
        "127.0.0.1.evil.com",
        "evil-localhost",
        "localhost.",
        "localhos",
        "0.0.0.0",
        "[::]",
        "128.0.0.1",
        "10.0.0.1",
        "[::2]",
        "[fe80::1]",
        // Spellings of 127.0.0.1 that some stacks take for the address and others do not.
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "127.0.0.01",
        "[::ffff:127.0.0.1]",
    ] {
        assert_eq!(check(&format!("http://{other}")), Err(BuildError::NotHttps), "{other}");
    }
}

#[test]
fn a_text_that_is_no_base_url_is_refused_with_the_reason() {
    use BuildError::{Host, NotAbsolute, NotHttps, Path, Port, UserInfo};
    for (base_url, expected) in [
        ("", NotAbsolute),
        ("/", NotAbsolute),
        ("*", NotAbsolute),
        ("openapi.allscale.io", NotAbsolute),
        ("openapi.allscale.io:443", NotAbsolute),
        ("//openapi.allscale.io", NotAbsolute),
        ("https:openapi.allscale.io", NotAbsolute),
        ("https:/openapi.allscale.io", NotAbsolute),
        ("https:", NotAbsolute),
        ("https://", NotAbsolute),
        ("https:///v1", NotAbsolute),
        (" https://h", NotAbsolute),
        ("https://h ", NotAbsolute),
        ("https://h h", NotAbsolute),
        ("https://h\n", NotAbsolute),
        ("https://h\t", NotAbsolute),
        ("https://h\0", NotAbsolute),
        ("https://bücher.example", NotAbsolute),
        ("https://h%41", NotAbsolute),
        ("https://h\\@g", NotAbsolute),
        ("https://h:1:2", NotAbsolute),
        ("https://[::1", NotAbsolute),
        ("https://::1", NotAbsolute),
        ("https://[[::1]]", NotAbsolute),
        ("https://:443", Host),
        ("https://:", Host),
        ("https://[]", Host),
        ("https://[h]", Host),
        ("https://[1::2::3]", Host),
        ("https://[127.0.0.1]", Host),
        ("http://[127.0.0.1]", Host),
        ("https://[::1%25lo]", Host),
        ("https://[::1]h", Host),
        // A stack that asks for the host alone would connect to [::1], and another stack would not.
        ("http://[::1].evil.com", Host),
        ("http://[::1]evil.com:80", Host),
        ("https://*", Host),
        ("https://.", Host),
        ("https://-", Host),
        ("https://a,b", Host),
        ("https://a;b", Host),
        ("https://$h", Host),
        ("https://h:", Port),
        ("https://h:/", Port),
        ("https://h:0", Port),
        ("https://h:65536", Port),
        ("https://h:99999999999999999999", Port),
        ("https://h:https", Port),
        ("https://h:+443", Port),
        ("https://h:-1", Port),
        ("http://localhost:x", Port),
        ("http://openapi.allscale.io", NotHttps),
        ("ftp://h", NotHttps),
        ("ws://localhost", NotHttps),
        ("httpx://localhost", NotHttps),
        ("https+unix://h", NotHttps),
        ("https://user:password@h", UserInfo),
        ("https://user@h", UserInfo),
        ("https://@h", UserInfo),
        ("http://localhost@evil.com", UserInfo),
        ("http://localhost:80@evil.com", UserInfo),
        ("https://h/v1", Path),
        ("https://h/v1/", Path),
        ("https://h//", Path),
        ("https://h/.", Path),
        ("https://h?", Path),
        ("https://h/?", Path),
        ("https://h/?a=b", Path),
        ("https://h#", Path),
        ("https://h/#f", Path),
        ("https://h#f", Path),
    ] {
        assert_eq!(check(base_url), Err(expected), "{base_url:?}");
    }
}

#[test]
fn a_refusal_names_the_setting_and_not_its_value() {
    for base_url in [
        "",
        "https://planted:443:443",
        "https://[planted]",
        "https://h:planted",
        "http://planted",
        "https://p@h/planted",
    ] {
        let error = check(base_url).unwrap_err();
        assert!(error.to_string().starts_with("base_url: "), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
    }
}

#[test]
fn a_path_that_does_not_fit_into_a_uri_is_not_sent() {
    let client = builder().build().unwrap();
    let error =
        client.get(&"a".repeat(70_000)).unwrap().attempt(Moment::from_unix_millis(0), "nonce-1").unwrap_err();
    assert!(matches!(error.kind(), CallErrorKind::NotSent(NotSent::Request)), "{error:?}");
    assert!(!error.may_have_been_processed());
    let expected =
        "GET /v1/checkout_intents/{checkout_intent_id}: the request is not one that HTTP can carry";
    assert_eq!(error.to_string(), expected);
}

#[cfg(not(feature = "system"))]
#[test]
fn a_builder_without_the_system_needs_a_clock_and_nonces() {
    assert_eq!(Client::builder(key()).nonces(String::new).build().unwrap_err(), BuildError::NoClock);
    assert_eq!(
        Client::builder(key()).clock(|| Moment::from_unix_millis(0)).build().unwrap_err(),
        BuildError::NoNonces
    );
    assert_eq!(Client::builder(key()).build().unwrap_err(), BuildError::NoClock);
}
