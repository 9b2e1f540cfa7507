//! The examples in the docs of the crates below the facade name the facade, because users depend on the
//! facade.
//!
//! The examples get the facade's paths from `checkout-doctest`, whose `src/names.rs` repeats the facade's
//! re-exports. This command writes that file anew from the facade's sources:
//!
//!     UPDATE_DOCS=1 cargo test -p checkout-kit --test facade_in_examples && cargo fmt --all
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use syn::{Attribute, Item, UseTree, Visibility};

/// The crates whose examples name the facade.
const BELOW: &[&str] = &[
    "auth",
    "client",
    "engine",
    "lifecycle",
    "money",
    "poll",
    "tables",
    "transport",
    "trust",
    "validate",
    "wire",
];

/// The facade's modules of one provider each.
const PROVIDERS: &[&str] = &["allscale", "azotte", "peach"];

/// The re-exports of one file of the facade, by crate and in the file's order, as lines of code.
type ReExports = BTreeMap<String, Vec<String>>;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of an import's tree.
fn printed(tree: &UseTree) -> String {
    match tree {
        UseTree::Path(path) => format!("{}::{}", path.ident, printed(&path.tree)),
        UseTree::Name(name) => name.ident.to_string(),
        UseTree::Rename(rename) => format!("{} as {}", rename.ident, rename.rename),
        UseTree::Glob(_) => "*".to_owned(),
        UseTree::Group(group) => {
            let names: Vec<_> = group.items.iter().map(printed).collect();
            format!("{{{}}}", names.join(", "))
        }
    }
}

/// The text of an import's `#[cfg(feature = "…")]`. Docs have no text, and no other attribute is known.
fn condition(attribute: &Attribute) -> String {
    let mut text = String::new();
    if attribute.path().is_ident("doc") {
        return text;
    }
    assert!(attribute.path().is_ident("cfg"), "an attribute that the examples cannot repeat");
    attribute
        .parse_nested_meta(|meta| {
            assert!(meta.path.is_ident("feature"), "a condition that the examples cannot repeat");
            let feature: syn::LitStr = meta.value()?.parse()?;
            text = format!("#[cfg(feature = {:?})]\n", feature.value());
            Ok(())
        })
        .unwrap();
    text
}

/// The re-exports of a file of the facade, whose other items are modules.
fn re_exports(source: &str) -> ReExports {
    let mut found = ReExports::new();
    for item in syn::parse_file(source).unwrap().items {
        let Item::Use(import) = item else {
            assert!(
                matches!(item, Item::Mod(_)),
                "an item of the facade is neither a re-export nor a module"
            );
            continue;
        };
        assert!(matches!(import.vis, Visibility::Public(_)), "a private import in the facade");
        let tree = printed(&import.tree);
        let root = tree.split([':', ' ']).next().unwrap_or_default();
        let of_crate = root.strip_prefix("checkout_").unwrap().to_owned();
        // The feature that brings a crate is always on in the crate's own examples.
        let own = format!("#[cfg(feature = {of_crate:?})]\n");
        let conditions: String = import.attrs.iter().map(condition).filter(|line| *line != own).collect();
        // An example has a private `extern crate` of its own crate, which no `pub use` can hand on.
        let line = if let UseTree::Rename(whole) = &import.tree {
            format!("pub mod {} {{ pub use ::{root}::*; }}\n", whole.rename)
        } else {
            format!("pub use ::{tree};\n")
        };
        found.entry(of_crate).or_default().push(conditions + &line);
    }
    found
}

/// The lines of `names.rs` above the re-exports, and below them.
const HEAD: &str = "\
//! The facade's re-exports, by crate. The test `facade_in_examples` of `checkout-kit` writes this file.

/// The facade's re-exports of one crate, at the root or in a provider's module.
#[doc(hidden)]
#[macro_export]
macro_rules! names {
";
const FOOT: &str = "\
    // The provider's module has nothing of the crate.
    ($provider:ident $name:ident) => {};
}
";

/// The source of one file of the facade.
fn facade(file: &str) -> String {
    fs::read_to_string(crates().join("checkout-kit/src").join(file).with_extension("rs")).unwrap()
}

/// The text of `names.rs` of `checkout-doctest`, before the formatter.
fn names() -> String {
    let root = re_exports(&facade("lib"));
    let mut text = HEAD.to_owned();
    let mut arm = |pattern: &str, of_crate: &str, from: &ReExports| {
        if let Some(lines) = from.get(of_crate) {
            let _ = writeln!(text, "({pattern}) => {{\n{}}};", lines.concat());
        }
    };
    for of_crate in BELOW {
        arm(of_crate, of_crate, &root);
    }
    for provider in PROVIDERS {
        let module = re_exports(&facade(provider));
        for of_crate in BELOW {
            arm(&format!("{provider} {of_crate}"), of_crate, &module);
        }
    }
    text + FOOT
}

/// The text without the formatter's work: spaces, line breaks and commas before a closing brace.
fn unformatted(text: &str) -> String {
    text.split_whitespace().collect::<String>().replace(",}", "}")
}

#[test]
fn the_examples_have_the_paths_of_the_facade() {
    let path = crates().join("checkout-doctest/src/names.rs");
    let names = names();
    let committed = fs::read_to_string(&path).unwrap();
    if unformatted(&committed) != unformatted(&names) {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, names).unwrap();
        } else {
            panic!("names.rs of checkout-doctest is not the facade's: see the head of this file");
        }
    }
}

#[test]
fn the_facade_has_a_module_for_each_provider_and_no_other() {
    let items = syn::parse_file(&facade("lib")).unwrap().items;
    let public = items.into_iter().filter_map(|item| {
        let Item::Mod(module) = item else { return None };
        matches!(module.vis, Visibility::Public(_)).then(|| module.ident.to_string())
    });
    assert_eq!(public.collect::<Vec<_>>(), PROVIDERS, "`facade!` of checkout-doctest has these too");
}

/// The Rust files below a folder.
fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The visible lines of the examples in a file's docs, with their numbers.
fn visible(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // The language of the block of code around a line.
    let mut block: Option<&str> = None;
    for (number, line) in (1..).zip(source.lines()) {
        let line = line.trim_start();
        let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).map(str::trim) else {
            block = None;
            continue;
        };
        if let Some(language) = line.strip_prefix("```") {
            block = match block {
                None => Some(language),
                Some(_) => None,
            };
        } else if block.is_some_and(|language| !["text", "sql"].contains(&language))
            && !(line == "#" || line.starts_with("# "))
        {
            found.push((number, line));
        }
    }
    found
}

/// The visible lines that name a crate below the facade.
fn wrong(source: &str) -> Vec<(usize, &str)> {
    let below = Regex::new(&format!(r"(?-u:\b)checkout_({})(?-u:\b)", BELOW.join("|"))).unwrap();
    let mut found = visible(source);
    found.retain(|(_, line)| below.is_match(line));
    found
}

#[test]
fn no_visible_line_of_an_example_names_a_crate_below_the_facade() {
    let (mut faults, mut lines) = (String::new(), 0);
    for name in BELOW {
        let mut files = Vec::new();
        rust_files(&crates().join(format!("checkout-{name}/src")), &mut files);
        for file in files {
            let source = fs::read_to_string(&file).unwrap();
            lines += visible(&source).len();
            for (number, line) in wrong(&source) {
                let _ = writeln!(faults, "{}:{number}: {line}", file.display());
            }
        }
    }
    assert!(faults.is_empty(), "name `checkout_kit` and hide `checkout_doctest::facade!` above:\n{faults}");
    assert!(lines > 1_000, "{lines} lines of examples were found");
}

#[test]
fn a_visible_line_with_a_crates_own_name_is_found() {
    let example =
        |line: &str| format!("    /// Text of checkout_money.\n    /// ```\n    /// {line}\n    /// ```\n");
    for line in
        ["use checkout_money::Cents;", "let a = checkout_wire::Head::new(200);", "##[x(checkout_auth)]"]
    {
        assert_eq!(wrong(&example(line)), [(3, line)]);
    }
    for line in
        ["# use checkout_money::Cents;", "#", "use checkout_sandbox::peach::Sandbox;", "\"checkout_id\""]
    {
        assert!(wrong(&example(line)).is_empty(), "{line}");
    }
    assert!(wrong("//! ```text\n//! checkout_money\n//! ```\n//! checkout_money\n").is_empty());
    assert_eq!(wrong("/// ```compile_fail,E0277\n/// checkout_money\n/// ```\n"), [(2, "checkout_money")]);
}
