//! The manifests are read to hold the layers: the allow-list here says which crate may depend on which.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// A crate, and the crates of this family it may depend on (normal and build dependencies).
type Row = (&'static str, &'static [&'static str]);

/// The arrows, from the bottom up. A new crate needs a row here, and a row needs its crate.
const ARROWS: &[Row] = &[
    ("checkout-tables", &[]),
    ("checkout-money", &[]),
    ("checkout-auth", &[]),
    ("checkout-transport", &[]),
    ("checkout-doctest", &[]),
    ("checkout-testkit", &["checkout-transport"]),
    ("checkout-validate", &["checkout-tables", "checkout-money"]),
    ("checkout-lifecycle", &["checkout-tables"]),
    ("checkout-wire", &["checkout-validate", "checkout-money", "checkout-tables"]),
    ("checkout-poll", &["checkout-lifecycle", "checkout-tables"]),
    ("checkout-sandbox", &["checkout-transport", "checkout-auth", "checkout-tables"]),
    (
        "checkout-sandbox-server",
        &["checkout-sandbox", "checkout-transport", "checkout-auth", "checkout-tables"],
    ),
    (
        "checkout-trust",
        &[
            "checkout-auth",
            "checkout-wire",
            "checkout-validate",
            "checkout-lifecycle",
            "checkout-money",
            "checkout-tables",
        ],
    ),
    (
        "checkout-client",
        &[
            "checkout-transport",
            "checkout-auth",
            "checkout-wire",
            "checkout-validate",
            "checkout-poll",
            "checkout-trust",
            "checkout-lifecycle",
            "checkout-tables",
            "checkout-money",
        ],
    ),
    (
        "checkout-engine",
        &[
            "checkout-client",
            "checkout-transport",
            "checkout-wire",
            "checkout-validate",
            "checkout-poll",
            "checkout-trust",
            "checkout-lifecycle",
            "checkout-tables",
            "checkout-money",
        ],
    ),
    ("checkout-store-sqlite", &["checkout-engine", "checkout-trust", "checkout-validate", "checkout-tables"]),
    (
        "checkout-store-postgres",
        &["checkout-engine", "checkout-trust", "checkout-validate", "checkout-tables"],
    ),
    ("checkout-engine-cli", &["checkout-engine", "checkout-store-sqlite", "checkout-store-postgres"]),
    ("checkout-store-redis", &["checkout-engine", "checkout-trust", "checkout-tables"]),
    ("checkout-reqwest", &["checkout-transport"]),
    ("checkout-ureq", &["checkout-transport"]),
    ("checkout-tower", &["checkout-transport"]),
    // Every crate but adapters and stores.
    (
        "checkout-kit",
        &[
            "checkout-tables",
            "checkout-money",
            "checkout-auth",
            "checkout-transport",
            "checkout-validate",
            "checkout-lifecycle",
            "checkout-wire",
            "checkout-poll",
            "checkout-sandbox",
            "checkout-testkit",
            "checkout-trust",
            "checkout-client",
            "checkout-engine",
        ],
    ),
];

/// The sandbox reads requests and writes replies by its own hand, so that a mistake cannot pass on both
/// sides. The sandbox and its server depend on none of these crates, neither directly nor through another
/// crate, not even in tests.
const ORACLES: &[&str] = &["checkout-sandbox", "checkout-sandbox-server"];
const NOT_FOR_THE_ORACLE: &[&str] =
    &["checkout-wire", "checkout-validate", "checkout-lifecycle", "checkout-trust", "checkout-client"];

/// The crates for tests, each with the facade's feature that brings the crate. No other crate is built with
/// them, but for the programs for tests.
const FOR_TESTS: &[(&str, &str)] = &[("checkout-sandbox", "sandbox"), ("checkout-testkit", "testkit")];

/// The programs for tests, which no crate depends on.
const PROGRAMS_FOR_TESTS: &[&str] = &["checkout-sandbox-server"];

/// The crate that gives the facade's paths to the examples of the crates below the facade.
const FOR_EXAMPLES: &str = "checkout-doctest";
const FACADE: &str = "checkout-kit";

/// The crates that must do without `std`.
const NO_STD: &[&str] = &[
    "checkout-tables",
    "checkout-lifecycle",
    "checkout-money",
    "checkout-validate",
    "checkout-wire",
    "checkout-auth",
    "checkout-poll",
];

/// The features of these crates that bring `std`: by a dependency that needs `std`, or to read the system's
/// clock.
const STD_FEATURES: &[&str] = &["checkout-auth/http", "checkout-tables/system"];

/// The fields that each package takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// The adapters, whose versions are their own: a new major version of an HTTP client is a new major version
/// of one adapter alone.
const OWN_VERSION: &[&str] = &["checkout-reqwest", "checkout-ureq", "checkout-tower"];

/// The faults, a line for each; empty if there is none.
///
/// `root` is the text of the workspace's manifest, `members` a folder's name and its manifest's text each.
fn check(rows: &[Row], root: &str, members: &[(String, String)]) -> Result<String, toml::de::Error> {
    let root: Table = root.parse()?;
    let mut faults = String::new();
    for (name, _) in rows {
        if !members.iter().any(|(folder, _)| folder == name) {
            let _ = writeln!(faults, "{name}: a row and no crate");
        }
    }
    for (folder, text) in members {
        let manifest: Table = text.parse()?;
        if value(&manifest, &["package", "name"]).and_then(Value::as_str) != Some(folder) {
            let _ = writeln!(faults, "{folder}: the package is not named like its folder");
        }
        for key in INHERITED {
            let inherited = is_true(&manifest, &["package", key, "workspace"]);
            let own = *key == "version" && OWN_VERSION.contains(&folder.as_str());
            match (inherited, own) {
                (true, true) => {
                    let _ = writeln!(faults, "{folder}: its version is not its own");
                }
                (false, false) => {
                    let _ = writeln!(faults, "{folder}: package.{key} is not the workspace's");
                }
                (true, false) | (false, true) => {}
            }
        }
        if !is_true(&manifest, &["lints", "workspace"]) {
            let _ = writeln!(faults, "{folder}: the lints are not the workspace's");
        }
        let Some((_, allowed)) = rows.iter().find(|(name, _)| name == folder) else {
            let _ = writeln!(faults, "{folder}: a crate and no row");
            continue;
        };
        for kind in ["dependencies", "build-dependencies"] {
            for to in ours(&root, &manifest, kind) {
                if !allowed.contains(&to.as_str()) {
                    let _ = writeln!(faults, "{folder} -> {to}: not in its row ({kind})");
                }
            }
        }
        if ORACLES.contains(&folder.as_str()) {
            for to in ours(&root, &manifest, "dev-dependencies") {
                for forbidden in NOT_FOR_THE_ORACLE.iter().filter(|forbidden| reaches(rows, &to, forbidden)) {
                    let _ = writeln!(faults, "{folder} -> {to}: brings {forbidden} to the oracle");
                }
            }
        }
    }
    Ok(faults)
}

/// The packages of this family among the dependencies of one kind, on every target, under their real names.
fn ours(root: &Table, manifest: &Table, kind: &str) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    tables
        .filter_map(|table| table.get(kind)?.as_table())
        .flatten()
        .map(|(key, dependency)| package_name(root, key, dependency))
        .filter(|name| name.starts_with("checkout-"))
        .collect()
}

/// The package behind a dependency's key, which either side may have renamed.
fn package_name(root: &Table, key: &str, dependency: &Value) -> String {
    let inherited = value(root, &["workspace", "dependencies", key, "package"]);
    dependency.get("package").or(inherited).and_then(Value::as_str).unwrap_or(key).to_owned()
}

/// True if `from` is `to`, or if the rows lead there. The rows only point downwards, so this ends.
fn reaches(rows: &[Row], from: &str, to: &str) -> bool {
    from == to
        || rows
            .iter()
            .filter(|(name, _)| *name == from)
            .any(|(_, allowed)| allowed.iter().any(|next| reaches(rows, next, to)))
}

fn is_true(manifest: &Table, path: &[&str]) -> bool {
    value(manifest, path) == Some(&Value::Boolean(true))
}

fn value<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

fn root_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folders under `crates`, sorted, with the text of their manifests.
fn members() -> std::io::Result<Vec<(String, String)>> {
    let mut members = Vec::new();
    for entry in fs::read_dir(root_folder().join("crates"))? {
        let entry = entry?;
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml"))?;
        members.push((entry.file_name().to_string_lossy().into_owned(), manifest));
    }
    members.sort();
    Ok(members)
}

/// A manifest that inherits the required fields, with more lines at the end.
fn manifest(name: &str, more: &str) -> (String, String) {
    let mut text = format!("[package]\nname = \"{name}\"\n");
    for key in INHERITED {
        let _ = writeln!(text, "{key}.workspace = true");
    }
    (name.to_owned(), text + "[lints]\nworkspace = true\n" + more)
}

#[test]
fn every_arrow_between_our_crates_is_in_the_allow_list() {
    let root = fs::read_to_string(root_folder().join("Cargo.toml")).unwrap();
    assert_eq!(check(ARROWS, &root, &members().unwrap()).unwrap(), "");
}

#[test]
fn the_facade_alone_is_built_with_the_crates_for_tests_and_not_by_default() {
    let kit = fs::read_to_string(root_folder().join("crates/checkout-kit/Cargo.toml")).unwrap();
    let kit: Table = kit.parse().unwrap();
    let by_default = value(&kit, &["features", "default"]).unwrap().as_array().unwrap();
    for (name, feature) in FOR_TESTS {
        let is_program = |row: &&Row| PROGRAMS_FOR_TESTS.contains(&row.0);
        let above = ARROWS.iter().filter(|(_, allowed)| allowed.contains(name));
        let above: Vec<_> = above.filter(|row| !is_program(row)).collect();
        assert!(matches!(above[..], [("checkout-kit", _)]), "{name}: {above:?}");
        assert!(is_true(&kit, &["dependencies", name, "optional"]), "{name} is not optional");
        assert!(!by_default.iter().any(|on| on.as_str() == Some(feature)), "{feature} is on by default");
    }
    for program in PROGRAMS_FOR_TESTS {
        assert!(!ARROWS.iter().any(|(_, allowed)| allowed.contains(program)), "{program} is no library");
    }
}

/// A dev-dependency on the facade would be a circle, and would switch on features in the crate under test.
#[test]
fn the_examples_below_the_facade_have_its_paths_and_not_the_facade() {
    let root = fs::read_to_string(root_folder().join("Cargo.toml")).unwrap();
    let root: Table = root.parse().unwrap();
    let arrows = |of: &str| ARROWS.iter().filter(|(_, allowed)| allowed.contains(&of)).count();
    assert_eq!(arrows(FOR_EXAMPLES), 0, "{FOR_EXAMPLES} is for examples alone");
    for (name, manifest) in members().unwrap() {
        let manifest: Table = manifest.parse().unwrap();
        let in_tests = ours(&root, &manifest, "dev-dependencies");
        let has = |wanted: &str| in_tests.iter().any(|name| name == wanted);
        let is_below = name != FACADE && reaches(ARROWS, FACADE, &name);
        assert!(!(is_below && has(FACADE)), "{name} is below the facade");
        let is_for_tests = FOR_TESTS.iter().any(|(for_tests, _)| *for_tests == name);
        assert_eq!(has(FOR_EXAMPLES), is_below && !is_for_tests, "{name}: the crate for examples");
        if name == FOR_EXAMPLES {
            let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
            assert!(kinds.iter().all(|kind| !manifest.contains_key(*kind)), "{name} depends on something");
        }
    }
}

#[test]
fn the_pure_crates_say_no_std() {
    for name in NO_STD {
        let lib = fs::read_to_string(root_folder().join("crates").join(name).join("src/lib.rs")).unwrap();
        assert!(lib.lines().any(|line| line == "#![no_std]"), "{name} does not say #![no_std]");
    }
}

/// The crates of the proof are listed by hand in a workspace of its own.
#[test]
fn the_proof_of_no_std_has_every_pure_crate_with_all_its_features() {
    let proof = root_folder().join(".ci/no-std-proof");
    let text = fs::read_to_string(proof.join("Cargo.toml")).unwrap();
    let named = fs::read_to_string(proof.join("src/lib.rs")).unwrap();
    let table: Table = text.parse().unwrap();
    let lists =
        ["alloc", "extras"].map(|list| value(&table, &["features", list]).unwrap().as_array().unwrap());
    let switched_on: Vec<&str> = lists.into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, manifest) in members().unwrap() {
        if !NO_STD.contains(&name.as_str()) {
            continue;
        }
        assert!(value(&table, &["dependencies", &name]).is_some(), "{name} is no dependency of the proof");
        let import = format!("use {} as _;", name.replace('-', "_"));
        assert!(named.contains(&import), "the proof does not load {name}");
        let manifest: Table = manifest.parse().unwrap();
        for feature in value(&manifest, &["features"]).unwrap().as_table().unwrap().keys() {
            let on = [format!("{name}/{feature}"), format!("{name}?/{feature}")];
            let is_on = on.iter().any(|on| switched_on.contains(&on.as_str()));
            let needs_std = STD_FEATURES.contains(&&*on[0]);
            assert!(is_on != needs_std || feature == "default", "the proof leaves out {name}/{feature}");
        }
    }
}

#[test]
fn every_row_stands_below_the_rows_it_points_to() {
    for (place, (name, allowed)) in ARROWS.iter().enumerate() {
        for next in *allowed {
            let below = ARROWS.iter().position(|(row, _)| row == next).is_none_or(|row| row < place);
            assert!(below, "{name} -> {next} does not point downwards");
        }
    }
}

#[test]
fn a_forbidden_arrow_is_caught_in_every_place() {
    let rows: &[Row] = &[("checkout-low", &[]), ("checkout-high", &["checkout-low"])];
    let root = "[workspace.dependencies]\nhidden = { package = \"checkout-high\", path = \"x\" }\n";
    let caught = |more: &str| {
        let members = [manifest("checkout-low", more), manifest("checkout-high", "")];
        check(rows, root, &members).unwrap()
    };
    let fault = "checkout-low -> checkout-high: not in its row";
    for (more, expected) in [
        ("[dependencies]\ncheckout-high = { workspace = true }", format!("{fault} (dependencies)\n")),
        ("[dependencies]\nserde = { workspace = true }", String::new()),
        ("[dependencies.checkout-high]\npath = \"../checkout-high\"", format!("{fault} (dependencies)\n")),
        ("[build-dependencies]\ncheckout-high = \"0.1\"", format!("{fault} (build-dependencies)\n")),
        ("[target.'cfg(unix)'.dependencies]\ncheckout-high = \"0.1\"", format!("{fault} (dependencies)\n")),
        ("[dependencies]\nlow = { package = \"checkout-high\" }", format!("{fault} (dependencies)\n")),
        ("[dependencies]\nhidden = { workspace = true }", format!("{fault} (dependencies)\n")),
        ("[dev-dependencies]\ncheckout-high = { workspace = true }", String::new()),
    ] {
        assert_eq!(caught(more), expected, "{more}");
    }
}

#[test]
fn a_crate_without_a_row_and_a_row_without_a_crate_are_caught() {
    let rows: &[Row] = &[("checkout-low", &[]), ("checkout-gone", &[])];
    let members = [manifest("checkout-low", ""), manifest("checkout-new", "")];
    assert_eq!(
        check(rows, "", &members).unwrap(),
        "checkout-gone: a row and no crate\ncheckout-new: a crate and no row\n"
    );
}

#[test]
fn a_dependency_of_the_oracle_on_a_crate_under_test_is_caught() {
    for oracle in ORACLES.iter().copied() {
        let rows: &[Row] = &[
            (oracle, &[]),
            ("checkout-wire", &[]),
            ("checkout-kit", &["checkout-wire"]),
            ("checkout-money", &[]),
        ];
        let caught = |to: &str| {
            let more = format!("[dev-dependencies]\n{to} = {{ workspace = true }}");
            let mut members: Vec<_> = rows.iter().skip(1).map(|(name, _)| manifest(name, "")).collect();
            members.push(manifest(oracle, &more));
            check(rows, "", &members).unwrap()
        };
        for to in ["checkout-wire", "checkout-kit"] {
            let fault = format!("{oracle} -> {to}: brings checkout-wire to the oracle\n");
            assert_eq!(caught(to), fault);
        }
        assert_eq!(caught("checkout-money"), "");
    }
}

#[test]
fn a_member_s_own_value_for_a_workspace_field_is_caught() {
    let rows: &[Row] = &[("checkout-low", &[])];
    let text = "[package]\nname = \"low\"\nversion = \"1.0.0\"\nedition.workspace = true\npublish.workspace = true\n\
                license.workspace = true\n";
    assert_eq!(
        check(rows, "", &[("checkout-low".to_owned(), text.to_owned())]).unwrap(),
        "checkout-low: the package is not named like its folder\n\
         checkout-low: package.version is not the workspace's\n\
         checkout-low: package.rust-version is not the workspace's\n\
         checkout-low: the lints are not the workspace's\n"
    );
}
