//! No card number, code, key, token or signature and nothing about the payer is in the text that a type of
//! these crates prints, in an error, or in a committed file.
//!
//! The types that can hold such a text are in one list (`secrets/list.rs`), each made with planted texts and
//! written in every way. The sources prove that the list is whole: every public type that can hold such a
//! text is in the list.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_borrow,
    clippy::default_trait_access,
    reason = "tests"
)]

#[path = "secrets/list.rs"]
mod list;
#[path = "secrets/planted.rs"]
mod planted;
#[path = "secrets/search.rs"]
mod search;
#[path = "secrets/sources.rs"]
mod sources;
#[path = "secrets/texts.rs"]
mod texts;

use checkout_sandbox::{allscale, azotte, peach};
use planted::{ALL, CARD_NUMBER, GROUPED, HOLDER, PHONE, needles};
use search::{Kind, Needle, Searched, card_numbers};
use sources::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The types of ours that hold such a text by themselves, each with the field that has the text. The inner
/// type of the field tells nothing: a text, or bytes.
const SEEDS: &[(&str, &str)] = &[
    ("checkout_auth::allscale::RequestToSign", "body"),
    ("checkout_auth::allscale::Signature", "0"),
    ("checkout_auth::allscale::SigningKey", "api_key"),
    ("checkout_auth::allscale::response::ReceivedResponse", "body"),
    ("checkout_auth::allscale::response::Response", "body"),
    ("checkout_auth::allscale::webhook::Webhook", "body"),
    ("checkout_auth::allscale::webhook::WebhookRequest", "body"),
    ("checkout_auth::mac::MacKey", "0"),
    ("checkout_auth::peach::Signature", "0"),
    ("checkout_auth::peach::header::Webhook", "body"),
    ("checkout_auth::peach::header::WebhookRequest", "body"),
    ("checkout_client::peach::backend::Asked", "params"),
    ("checkout_sandbox::allscale::create::Order", "user_name"),
    ("checkout_sandbox::azotte::tenant::Tenant", "api_key"),
    ("checkout_sandbox::peach::merchant::Client", "secret"),
    ("checkout_sandbox::peach::order::Order", "repeated"),
    ("checkout_transport::body::BodyBuffer", "bytes"),
    ("checkout_trust::replay::key::Key", "digest"),
    ("checkout_trust::replay::memory::State", "entries"),
    ("checkout_validate::redacted::Redacted", "0"),
    ("checkout_wire::azotte::request::CreditCard", "card_number"),
    ("checkout_wire::azotte::result::Challenge", "Html"),
    ("checkout_wire::head::Head", "location"),
    ("checkout_wire::json::JsonText", "0"),
    ("checkout_wire::peach::fields::Fields", "0"),
    ("checkout_wire::peach::request::TokenBody", "client_secret"),
    ("checkout_wire::reply::Excerpt", "0"),
];

/// The types of others that hold such a text. The first two do not print the text, and the rest do.
const OTHERS: &[&str] =
    &["SecretString", "SecretBox", "HeaderValue", "HeaderMap", "Bytes", "RawValue", "Request", "Response"];
const PRINTING: &[&str] = &["HeaderValue", "HeaderMap", "Bytes", "RawValue", "Request", "Response"];

/// Public types that can hold a secret and are not in the list, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("checkout_lifecycle::Observation", STATUSES),
    ("checkout_lifecycle::Path", STATUSES),
    ("checkout_lifecycle::Step", STATUSES),
    ("checkout_lifecycle::Tracker", STATUSES),
    ("checkout_lifecycle::Verdict", STATUSES),
    ("checkout_tables::Open", STATUSES),
    ("checkout_tables::Unnamed", STATUSES),
    ("checkout_tables::peach::Outcome", STATUSES),
    ("checkout_engine::conformance::Broken", SUITE),
    ("checkout_engine::limits_conformance::Broken", SUITE),
    (
        "checkout_testkit::record::Local",
        "the parameter of a `Recording` that is listed, and nobody is given one",
    ),
    #[cfg(not(feature = "conformance"))]
    ("checkout_trust::replay::conformance::Broken", "with the feature `conformance` alone, and then listed"),
];
const STATUSES: &str = "made with statuses and codes alone, and a type that has another in it is listed";

/// Public types that are listed in the tests of another crate: each with that file. Below an adapter there is
/// an HTTP client and below the sandbox's server an HTTP server, and a user who runs an example of this crate
/// should not have to build them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("checkout_engine::BuildError", ENGINE),
    ("checkout_engine::Builder", ENGINE),
    ("checkout_engine::Checkout", ENGINE),
    ("checkout_engine::Claimed", ENGINE),
    ("checkout_engine::Client", ENGINE),
    ("checkout_engine::DecideError", ENGINE),
    ("checkout_engine::Decision", ENGINE),
    ("checkout_engine::Overview", ENGINE),
    ("checkout_engine::Draft", ENGINE),
    ("checkout_engine::Due", ENGINE),
    ("checkout_engine::Engine", ENGINE),
    ("checkout_engine::EngineError", ENGINE),
    ("checkout_engine::Exchange", ENGINE),
    ("checkout_engine::Inserted", ENGINE),
    ("checkout_engine::Limited", ENGINE),
    ("checkout_engine::Machine", ENGINE),
    ("checkout_engine::Memory", ENGINE),
    ("checkout_engine::New", ENGINE),
    ("checkout_engine::Nudge", ENGINE),
    ("checkout_engine::PrepareError", ENGINE),
    ("checkout_engine::Save", ENGINE),
    ("checkout_engine::StoreError", ENGINE),
    ("checkout_engine::Task", ENGINE),
    ("checkout_engine::Write", ENGINE),
    ("checkout_reqwest::BuildError", ADAPTERS),
    ("checkout_sandbox_server::AskError", SERVER),
    ("checkout_sandbox_server::BindError", SERVER),
    ("checkout_sandbox_server::EndpointError", SERVER),
    ("checkout_sandbox_server::ListenError", SERVER),
    ("checkout_sandbox_server::RunningServer", SERVER),
    ("checkout_sandbox_server::SnapshotError", SERVER),
    ("checkout_sandbox_server::World", SERVER),
    ("checkout_sandbox_server::WorldError", SERVER),
    ("checkout_store_postgres::DatabaseError", POSTGRES),
    ("checkout_store_postgres::Postgres", POSTGRES),
    ("checkout_store_redis::RedisFault", REDIS),
    ("checkout_tower::Local", ADAPTERS),
    ("checkout_tower::Tower", ADAPTERS),
];
const SUITE: &str = "the name of a law, and what the suite itself has made";
const ENGINE: &str = "checkout-engine/tests/secrets.rs";
const REDIS: &str = "checkout-store-redis/tests/secrets.rs";
const POSTGRES: &str = "checkout-store-postgres/tests/secrets.rs";
const ADAPTERS: &str = "checkout-tower/tests/secrets.rs";
const SERVER: &str = "checkout-sandbox-server/tests/secrets.rs";

/// Types that print a field of their own that could be a secret's, each with the reason.
const PRINT_IT: &[(&str, &str)] = &[
    ("checkout_sandbox::allscale::create::Order.order_description", PRIVATE),
    ("checkout_sandbox::allscale::create::Order.user_id", PRIVATE),
    ("checkout_sandbox::allscale::create::Order.user_name", PRIVATE),
    ("checkout_testkit::contract::server::Received.body", OF_THE_SUITE),
];
const PRIVATE: &str =
    "private to the sandbox, and the public types that hold it print of it a length at most";
const OF_THE_SUITE: &str =
    "private to the suite for transports, which sends made-up bodies and writes no `Debug` of one";

/// Committed files that hold a text that looks like a secret, each with the reason.
const HOLD_IT: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn sources() -> Sources {
    Sources::read(&root().join("crates"))
}

fn seeds() -> Vec<&'static str> {
    SEEDS.iter().map(|(path, _)| *path).collect()
}

/// The public types that must be listed and are not, each by the path in its own crate if there is one. An
/// alias is listed with the type that it names.
fn unlisted(sources: &Sources, seeds: &[&str], listed: &BTreeSet<String>) -> Vec<String> {
    let carriers = sources.carriers(seeds, OTHERS).into_iter().chain(sources.holders());
    let must: BTreeSet<_> = carriers.chain(sources.errors()).collect();
    let public = sources.public();
    let types = must.iter().filter(|path| sources.types.get(*path).is_some_and(|read| !read.is_alias));
    let missing = types.filter(|path| !listed.contains(*path)).filter_map(|path| {
        let (paths, home) = (public.get(path)?, path.split("::").next()?);
        paths.iter().find(|public| public.split("::").next() == Some(home)).or(paths.first()).cloned()
    });
    missing.collect()
}

#[test]
fn no_written_text_has_a_secret_in_it() {
    let list = list::list();
    let mut needles = needles();
    assert!(list.signatures.len() >= 8);
    // The signatures alone, without the name of the version.
    let signatures = list.signatures.iter().map(|signature| signature.trim_start_matches("v1="));
    needles.extend(signatures.map(|signature| Needle::new(signature, Kind::Text)));
    let (mut found, mut texts) = (BTreeMap::new(), BTreeSet::new());
    for entry in &list.entries {
        for text in &entry.texts {
            if texts.insert(text) {
                let searched = Searched::new(text);
                for needle in needles.iter().filter(|needle| needle.is_in(&searched)) {
                    found.entry((entry.name, needle.text())).or_insert(text);
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(texts.len() > 1_000, "{}", texts.len());
    let silent: Vec<_> =
        list.entries.iter().filter(|entry| entry.texts.is_empty()).map(|entry| entry.name).collect();
    assert!(silent.is_empty(), "says nothing of itself: {silent:?}");
}

#[test]
fn every_public_type_that_can_hold_a_secret_and_every_error_is_in_the_list() {
    let (sources, list) = (sources(), list::list());
    for (path, field) in SEEDS {
        let fields = sources.types.get(*path).map(|read| read.fields.iter().map(|field| &*field.name));
        let fields: Vec<_> = fields.unwrap_or_else(|| panic!("no {path}")).collect();
        assert!(fields.contains(field), "{path}: {fields:?}");
    }
    let (mut listed, errors) = (BTreeSet::new(), sources.errors());
    for entry in &list.entries {
        let segments: Vec<String> = entry.name.split("::").map(str::to_owned).collect();
        let defined = sources.resolve("", &segments).unwrap_or_else(|_| panic!("no {}", entry.name));
        let made = entry.defined.split('<').next().unwrap();
        assert_eq!(defined, made, "{} is listed with a value of another type", entry.name);
        // An error is written by `Display` too.
        assert!(!errors.contains(&defined) || entry.texts.len() > list::DEBUG_TEXTS, "{}", entry.name);
        listed.insert(defined);
    }
    for (name, _) in EXEMPT {
        let segments: Vec<String> = name.split("::").map(str::to_owned).collect();
        assert!(
            listed.insert(sources.resolve("", &segments).unwrap()),
            "{name} is listed, so it needs no exemption"
        );
    }
    for (name, file) in ELSEWHERE {
        let segments: Vec<String> = name.split("::").map(str::to_owned).collect();
        assert!(listed.insert(sources.resolve("", &segments).unwrap()), "{name} is listed here");
        let text = fs::read_to_string(root().join("crates").join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("\"{name}\"")), "{name} is not in {file}");
    }
    let unlisted = unlisted(&sources, &seeds(), &listed);
    assert!(unlisted.is_empty(), "to be listed in tests/secrets/list.rs: {unlisted:#?}");
    // The number of types that the reading of the sources found must be plausible.
    let carriers = sources.carriers(&seeds(), OTHERS);
    assert!(
        carriers.len() > 120 && sources.errors().len() > 30 && sources.holders().len() > 15,
        "{} {} {}",
        carriers.len(),
        sources.errors().len(),
        sources.holders().len()
    );
}

#[test]
fn a_new_type_must_be_listed_in_every_place_of_its_secret() {
    let check = |text: &str| {
        let mut sources = Sources::of(
            "checkout_validate",
            "mod redacted { pub struct Redacted(String); }
            pub use redacted::Redacted;
            pub mod sealed { pub trait Backend { type Client; } }",
        );
        sources.add("checkout_new", text);
        let listed = ["checkout_validate::redacted::Redacted".to_owned()].into();
        unlisted(&sources, &["checkout_validate::redacted::Redacted"], &listed).join(" ")
    };
    assert_eq!(check("pub struct A { a: String, b: Vec<u8> }"), "");
    assert_eq!(check("use checkout_validate::Redacted; pub struct A { a: Redacted }"), "checkout_new::A");
    assert_eq!(
        check("use checkout_validate::Redacted as P; pub struct A(Vec<Option<P>>);"),
        "checkout_new::A"
    );
    assert_eq!(
        check("use checkout_validate::*; pub enum A { B { c: Box<[Redacted]> }, C }"),
        "checkout_new::A"
    );
    assert_eq!(
        check("pub struct A<'a>(&'a [(u8, checkout_validate::redacted::Redacted)]);"),
        "checkout_new::A"
    );
    assert_eq!(check("pub struct A { key: secrecy::SecretString }"), "checkout_new::A");
    // The search goes along other types, aliases, modules and associated types, for any number of steps.
    assert_eq!(
        check(
            "mod b { pub(crate) struct B(super::C); } type C = D; struct D([bytes::Bytes; 2]); pub struct A(b::B);"
        ),
        "checkout_new::A"
    );
    assert_eq!(
        check(
            "use checkout_validate::sealed::Backend; pub enum P {}
            impl Backend for P { type Client = std::sync::Arc<Store>; } struct Store(http::HeaderValue);
            type ClientOf<T> = <T as Backend>::Client; pub struct A<T: Backend> { client: ClientOf<T> }"
        ),
        "checkout_new::A"
    );
    // The type is listed by the public name; without a public name, nobody can list the type.
    assert_eq!(check("mod a { pub struct A(bytes::Bytes); } pub use a::A as B;"), "checkout_new::B");
    assert_eq!(
        check("pub mod a { pub use self::inner::*; mod inner { pub struct A(bytes::Bytes); } }"),
        "checkout_new::a::A"
    );
    assert_eq!(check("mod a { pub struct A(bytes::Bytes); } pub(crate) struct B(a::A);"), "");
    // A type of the crate's own with that name is another type.
    assert_eq!(
        check("pub struct Redacted(u8); pub struct A(Redacted); pub struct Bytes; pub struct B(Bytes);"),
        ""
    );
    assert_eq!(
        check(
            "pub struct A(std::marker::PhantomData<bytes::Bytes>); #[cfg(test)] pub struct B(bytes::Bytes);"
        ),
        ""
    );
    // A generic type holds its arguments; a type with such a field holds the arguments of that field, and no
    // more.
    assert_eq!(check("pub struct A<T> { a: Vec<T> } pub struct B(A<u8>);"), "checkout_new::A");
    assert_eq!(check("pub enum A<'a, T: ?Sized> { B(&'a T), C }"), "checkout_new::A");
    assert_eq!(
        check("pub struct A<T>(T); pub struct B(A<http::HeaderMap>); pub struct C<T>(Option<A<T>>);"),
        "checkout_new::A checkout_new::B checkout_new::C"
    );
    assert_eq!(
        check("pub struct A<T>(std::marker::PhantomData<T>); pub struct B<const N: usize>([u8; N]);"),
        ""
    );
    // A type declared by a macro counts by the names around the type.
    assert_eq!(check("table! { pub struct A { key: SecretString } }"), "checkout_new::A");
    // An error, by derive or by hand.
    assert_eq!(check("#[derive(Debug, thiserror::Error)] pub enum E { A(u8) }"), "checkout_new::E");
    assert_eq!(check("pub struct E; impl core::error::Error for E {}"), "checkout_new::E");
}

/// The types that derive `Debug` and print a field that must not be printed: a field of plain text that is
/// named as a secret, or a field of a type of others that prints its content.
fn printed(sources: &Sources) -> Vec<String> {
    let carriers = sources.carriers(&seeds(), OTHERS);
    let mut found = Vec::new();
    for (path, read) in sources.types.iter().filter(|(_, read)| read.derives_debug) {
        for field in &read.fields {
            let named = SECRET_NAMES.iter().any(|name| {
                field.name == *name || field.name.strip_suffix(name).is_some_and(|rest| rest.ends_with('_'))
            });
            let texts = ["String", "str", "Cow", "u8"].iter().any(|text| field.names(text));
            let plain = named && texts && !sources.carries(path, field, &carriers, OTHERS);
            let foreign = sources.carries(path, field, &BTreeSet::new(), PRINTING);
            if plain || foreign {
                found.push(format!("{path}.{}", field.name));
            }
        }
    }
    found
}

/// The last words of the names that such fields have.
const SECRET_NAMES: &[&str] = &[
    "api_key",
    "authorization",
    "body",
    "cancel_url",
    "card_alias",
    "card_number",
    "checkout_url",
    "customer_urn",
    "cvc",
    "cvv",
    "email",
    "expire_month",
    "expire_year",
    "given_name",
    "holder",
    "holder_name",
    "html_content",
    "ip_address",
    "mail",
    "mobile",
    "notification_url",
    "order_description",
    "pan",
    "password",
    "phone",
    "redirect_url",
    "secret",
    "shopper_result_url",
    "signature",
    "surname",
    "token",
    "tx_from",
    "tx_to",
    "user_id",
    "user_name",
    "wallet",
];

#[test]
fn nothing_derives_debug_over_a_secret_of_plain_text() {
    let found = printed(&sources());
    let exempt: Vec<_> = PRINT_IT.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(found, exempt);
}

#[test]
fn a_derived_debug_over_plain_text_is_found_by_name_and_by_type() {
    let check = |text: &str| printed(&Sources::of("checkout_new", text)).join(" ");
    assert_eq!(check("#[derive(Debug)] struct A { card_number: String }"), "checkout_new::A.card_number");
    assert_eq!(
        check("#[derive(Clone, Debug)] enum A<'a> { B { cvc: Option<Cow<'a, str>> } }"),
        "checkout_new::A.cvc"
    );
    assert_eq!(
        check("#[derive(Debug)] pub struct A { client_secret: Vec<u8> }"),
        "checkout_new::A.client_secret"
    );
    assert_eq!(
        check("#[cfg_attr(test, derive(Debug))] struct A<'a> { token: &'a str }"),
        "checkout_new::A.token"
    );
    assert_eq!(check("#[derive(Debug)] struct A(Option<http::HeaderMap>);"), "checkout_new::A.0");
    assert_eq!(check("struct A { card_number: String }"), "");
    assert_eq!(
        check("#[derive(Debug)] struct A { card_number: SecretString, token_type: String, cvc: usize }"),
        ""
    );
}

/// The texts that a committed file must not hold: the sandbox's keys, and anything that could be a card.
fn held(text: &str) -> Vec<String> {
    let keys = [allscale::API_SECRET, azotte::API_KEY, peach::SECRET_TOKEN, peach::CLIENT_SECRET];
    let needles = keys.map(|key| Needle::new(key, Kind::Text));
    let searched = Searched::new(text);
    let keys = needles.iter().filter(|needle| needle.is_in(&searched)).map(|needle| needle.text().to_owned());
    keys.chain(card_numbers(text)).collect()
}

#[test]
fn no_committed_output_snapshot_table_or_corpus_has_a_key_or_a_card_in_it() {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut all = Vec::new();
    for folder in ["crates", "docs", "fuzz/corpus"] {
        files(&root.join(folder), &mut all);
    }
    // The printed texts, and the stored copies. Code and its documentation show the sandbox's keys on
    // purpose.
    let kept = |path: &Path| {
        !path
            .extension()
            .is_some_and(|extension| ["rs", "md", "toml"].map(Some).contains(&extension.to_str()))
    };
    all.retain(|path| kept(path));
    let mut found = BTreeMap::new();
    for path in &all {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let held = held(&text);
        if !held.is_empty() {
            found.insert(name, held);
        }
    }
    assert!(all.len() > 200, "{}", all.len());
    let exempt: Vec<_> = HOLD_IT.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), exempt, "{found:#?}");
}

#[test]
fn a_key_and_a_card_are_found_in_a_file_and_other_numbers_are_not() {
    let check = |text: &str| held(text).join(" ");
    assert_eq!(check(&format!("card {CARD_NUMBER}.")), CARD_NUMBER);
    assert_eq!(check(&format!("card {GROUPED}, 12/39")), CARD_NUMBER);
    assert_eq!(check("card 5555-5555-5555-4444 x"), "5555555555554444");
    assert_eq!(check(peach::CLIENT_SECRET), peach::CLIENT_SECRET);
    // A wrong check digit; a time; a longer id; an amount.
    assert_eq!(check("4111111111111112 1717246327923 41111111111111111111 9223372036854775807"), "");
}

#[test]
fn a_planted_text_is_found_in_every_form() {
    #[derive(Debug)]
    struct Leak<T>(T);
    let check = |text: String| {
        let searched = Searched::new(&text);
        needles().iter().filter(|needle| needle.is_in(&searched)).count()
    };
    let all = needles().len();
    assert_eq!(check(format!("{:?}", Leak(ALL))), all);
    assert_eq!(check(format!("{:#?}", Leak(ALL.as_bytes()))), all);
    assert_eq!(check(format!("{:x?}", Leak(ALL.as_bytes()))), all);
    let mut hex = String::new();
    let mut percent = String::new();
    for byte in ALL.bytes() {
        hex += &format!("{byte:02x}");
        percent += &format!("%{byte:02X}");
    }
    assert_eq!((check(hex), check(percent)), (all, all));
    assert_eq!(check("sandbox, nothing here: 200.300.404 order_1001 2024-06-01T12:52:07Z".into()), 0);
    let is_in = |text: &str, kind, within: &str| Needle::new(text, kind).is_in(&Searched::new(within));
    assert!(
        is_in(CARD_NUMBER, Kind::Number, GROUPED) && is_in(CARD_NUMBER, Kind::Number, "411111******1234")
    );
    assert!(is_in(PHONE, Kind::Number, "0825550193") && !is_in(PHONE, Kind::Number, "082-111-0193"));
    assert!(is_in(HOLDER, Kind::Name, "Ms QUILLFEATHER") && !is_in(HOLDER, Kind::Text, "Ms Quillfeather"));
    assert!(is_in("a b&c", Kind::Text, "x=a+b%26c") && is_in("a b&c", Kind::Text, "x=a%20b%26c"));
    // "xZsofia Quillfeather!", "xyZsofia ..." and "Zsofia ..." in Base64.
    for text in
        ["eFpzb2ZpYSBRdWlsbGZlYXRoZXIh", "eHlac29maWEgUXVpbGxmZWF0aGVyIQ==", "WnNvZmlhIFF1aWxsZmVhdGhlcg=="]
    {
        assert!(is_in(HOLDER, Kind::Text, text), "{text}");
    }
}
