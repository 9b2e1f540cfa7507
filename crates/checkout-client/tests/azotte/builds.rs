//! The clients that can be built.

use crate::world::{API_KEY, TENANT};
use checkout_client::BuildError;
use checkout_client::azotte::Client;
use checkout_tables::Environment;
use checkout_tables::Moment;

/// The host of the requests, or the reason why there is no client.
fn check(
    project: &str,
    tenant: &str,
    key: &str,
    environment: Option<Environment>,
    url: Option<&str>,
) -> Result<String, BuildError> {
    let mut builder = Client::builder(project, tenant, key.into()).clock(|| Moment::from_unix_millis(0));
    if let Some(environment) = environment {
        builder = builder.environment(environment);
    }
    if let Some(url) = url {
        builder = builder.base_url(url);
    }
    assert!(!format!("{builder:?}").contains(API_KEY));
    let client = builder.build()?;
    assert_eq!(client.environment(), environment.unwrap_or(Environment::Live));
    let uri = client
        .status("trk_1")
        .unwrap()
        .attempt(Moment::from_unix_millis(0), "")
        .unwrap()
        .request()
        .uri()
        .to_string();
    let base_url = client.base_url();
    assert_eq!(uri, format!("{base_url}/api/v1/c2a/offer/checkout/trk_1/status"));
    Ok(base_url.to_owned())
}

#[test]
fn a_project_is_the_first_label_of_its_two_hosts() {
    let long = "a".repeat(63);
    for project in ["acme", "a", "7", "Acme-2", "a--b", &long] {
        for (environment, suffix) in [
            (None, "azotte.com"),
            (Some(Environment::Live), "azotte.com"),
            (Some(Environment::Sandbox), "sandbox.azotte.com"),
        ] {
            let expected = format!("https://{project}.{suffix}");
            assert_eq!(check(project, TENANT, API_KEY, environment, None), Ok(expected));
        }
    }
    let too_long = "a".repeat(64);
    for project in [
        "",
        "acme.sandbox",
        "acme.evil.com/",
        "acme/",
        "acme:8443",
        "acme@evil",
        "acme#",
        "acme?",
        "-acme",
        "acme-",
        "ac_me",
        "bücher",
        "acme%2e",
        &too_long,
    ] {
        assert_eq!(check(project, TENANT, API_KEY, None, None), Err(BuildError::Project), "{project:?}");
    }
    for project in [" acme", "a\nb", "acme\n", "\u{feff}acme", "ac\u{200b}me", "acme\0"] {
        let error = check(project, TENANT, API_KEY, None, None);
        assert_eq!(error, Err(BuildError::Unseen("project")), "{project:?}");
    }
}

#[test]
fn a_base_url_takes_the_place_of_the_project_s_host() {
    use BuildError::{NotAbsolute, NotHttps, Path, UserInfo};
    for (url, expected) in [
        ("https://proxy.internal:8443/", Ok("https://proxy.internal:8443")),
        ("http://localhost:8080", Ok("http://localhost:8080")),
        ("http://127.0.0.1:1", Ok("http://127.0.0.1:1")),
        ("http://[::1]", Ok("http://[::1]")),
        ("http://acme.azotte.com", Err(NotHttps)),
        ("https://acme.azotte.com/api", Err(Path)),
        ("https://u:p@acme.azotte.com", Err(UserInfo)),
        ("acme.azotte.com", Err(NotAbsolute)),
    ] {
        for project in ["acme", "no project.at all"] {
            let built = check(project, TENANT, API_KEY, Some(Environment::Sandbox), Some(url));
            assert_eq!(built, expected.map(str::to_owned), "{url}");
        }
    }
}

#[test]
fn tenant_and_key_are_texts_that_a_header_can_carry() {
    use BuildError::{Empty, Header, Unseen};
    for (bad, error) in [
        ("", Empty as fn(&'static str) -> BuildError),
        (" ", Empty),
        ("\t", Empty),
        ("ü", Header),
        ("a\nb", Unseen),
        ("a\r\nx-evil: 1", Unseen),
        ("a\0", Unseen),
        (" a", Unseen),
        ("a ", Unseen),
        ("a\n", Unseen),
        ("\u{feff}a", Unseen),
        ("a\u{200b}", Unseen),
        ("a\tb", Unseen),
    ] {
        assert_eq!(check("acme", bad, API_KEY, None, None), Err(error("x-tn")), "{bad:?}");
        assert_eq!(check("acme", TENANT, bad, None, None), Err(error("x-api-key")), "{bad:?}");
    }
    assert!(
        Unseen("x-api-key")
            .to_string()
            .starts_with("x-api-key: has white space around it, or a character that cannot be seen")
    );
    for error in [Empty("x-tn"), Header("x-api-key"), Unseen("x-api-key"), BuildError::Project] {
        assert!(!error.to_string().contains("planted"));
    }
}

#[cfg(not(feature = "system"))]
#[test]
fn a_builder_without_the_system_needs_a_clock() {
    let without = Client::builder("acme", TENANT, API_KEY.into()).build();
    assert_eq!(without.unwrap_err(), BuildError::NoClock);
}
