//! The files of each crate: two files use each other only where one is the parent of the other, and no line
//! of a comment is too wide.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path in its crate; the root has an empty one.
type Module = Vec<String>;

/// The modules of a crate, and the source of each without comments, texts and tests.
type Sources = BTreeMap<Module, String>;

fn crates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut crates: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    crates.sort();
    crates
}

/// The Rust files below a folder.
fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                rust_files(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The source without comments and texts. Tests at the end of a file are cut off.
fn bare(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let without_comments = source.lines().map(|line| match line.find("//") {
        Some(at) => line.get(..at).unwrap_or_default(),
        None => line,
    });
    let joined = without_comments.collect::<Vec<_>>().join("\n");
    // Every second piece between quotation marks is a text.
    let mut in_text = false;
    let mut bare = String::new();
    for piece in joined.replace("\\\"", "").replace("'\"'", "").split('"') {
        if !in_text {
            bare.push_str(piece);
        }
        in_text = !in_text;
    }
    bare
}

fn sources(of_crate: &Path) -> Sources {
    let folder = of_crate.join("src");
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    let mut sources = Sources::new();
    for file in files {
        let relative = file.strip_prefix(&folder).unwrap().with_extension("");
        let mut module: Module = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module == ["lib"] || module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        if !module.iter().any(|part| part.contains("test") || part == "suite") {
            sources.insert(module, bare(&fs::read_to_string(&file).unwrap()));
        }
    }
    sources
}

/// The paths that a tree of imports names, each as its segments: `a::{b, c::d}` names `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    let Some((before, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (character, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(character),
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| paths(&format!("{before}{}", part.trim()))).collect()
}

/// The imports of a module, public ones among them.
fn imports(source: &str) -> Vec<Module> {
    let statements = source.split(';').filter_map(|statement| {
        let (before, tree) = statement.rsplit_once("use ")?;
        let is_import = before.trim_end().ends_with(['}', ']', ';', ')']) || {
            let last = before.split_whitespace().last();
            last.is_none_or(|last| last == "pub" || last.ends_with(')'))
        };
        is_import.then(|| paths(tree))
    });
    statements.flatten().collect()
}

/// The module in which a path ends, through the names that modules hand on.
fn resolve(sources: &Sources, from: &Module, path: &[String], depth: usize) -> Option<Module> {
    let (first, mut rest) = path.split_first()?;
    let mut at = match first.as_str() {
        "crate" => Module::new(),
        "self" => from.clone(),
        "super" => {
            let mut at = from.clone();
            at.pop();
            while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
                at.pop();
                rest = after;
            }
            at
        }
        _ => {
            let child: Module = from.iter().chain([first]).cloned().collect();
            if !sources.contains_key(&child) {
                return None;
            }
            child
        }
    };
    while let Some((next, after)) = rest.split_first() {
        let child: Module = at.iter().chain([next]).cloned().collect();
        if !sources.contains_key(&child) {
            break;
        }
        (at, rest) = (child, after);
    }
    if let (Some(name), 0..6) = (rest.first(), depth) {
        let handed_on = imports(&sources[&at]).into_iter().find(|import| import.last() == Some(name));
        if let Some(import) = handed_on.filter(|import| import != path) {
            return resolve(sources, &at, &import, depth + 1).or(Some(at));
        }
    }
    Some(at)
}

/// The files that each file uses, but for its parents and its children.
fn uses(sources: &Sources) -> BTreeMap<&Module, BTreeSet<Module>> {
    let of = |from: &Module, source: &str| {
        let inline = source.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let inline = inline.filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
        let inline = inline.map(|word| word.split("::").map(str::to_owned).collect::<Module>());
        let all = imports(source).into_iter().chain(inline);
        let found = all.filter_map(|path| resolve(sources, from, &path, 0));
        found.filter(|to| !to.starts_with(from) && !from.starts_with(to)).collect()
    };
    sources.iter().map(|(module, source)| (module, of(module, source))).collect()
}

/// The files from which a chain of uses leads back, each with the chain's first step.
fn circles(sources: &Sources) -> Vec<String> {
    let uses = uses(sources);
    let leads_back = |start: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            for to in uses.get(module).into_iter().flatten() {
                if to == start {
                    return true;
                }
                if seen.insert(to) {
                    next.push(to);
                }
            }
        }
        false
    };
    uses.keys().filter(|module| leads_back(module)).map(|module| module.join("::")).collect()
}

#[test]
fn no_two_files_of_a_crate_use_each_other_in_a_circle() {
    for of_crate in crates() {
        let found = circles(&sources(&of_crate));
        assert!(found.is_empty(), "{}: {found:?}", of_crate.display());
    }
}

#[test]
fn a_circle_through_a_name_that_is_handed_on_is_found() {
    let module =
        |path: &str| -> Module { path.split("::").filter(|p| !p.is_empty()).map(str::to_owned).collect() };
    let crate_of = |files: &[(&str, &str)]| -> Sources {
        files.iter().map(|(path, source)| (module(path), bare(source))).collect()
    };
    let with = |c: &'static str| {
        circles(&crate_of(&[
            ("", "mod a;\nmod b;\nmod c;\npub use a::A;\npub use c::{C, D};"),
            ("a", "use crate::b::B; // and `use crate::c::C;` in a comment"),
            ("b", "use crate::{\n    C,\n};\nconst TEXT: &str = \"use crate::a::A;\";"),
            ("c", c),
        ]))
    };
    assert!(with("pub struct C;").is_empty());
    assert_eq!(with("use crate::A;"), ["a", "b", "c"]);
    assert_eq!(with("fn f() -> crate::a::A {}"), ["a", "b", "c"]);
    // A parent and its child are one subject.
    let family = crate_of(&[("", "mod a;"), ("a", "mod b;\nuse self::b::B;"), ("a::b", "use super::A;")]);
    assert!(circles(&family).is_empty());
}

/// The widest line of a comment, in characters.
const WIDEST: usize = 110;

#[test]
fn no_line_of_a_comment_is_too_wide() {
    let mut wide = Vec::new();
    for of_crate in crates() {
        let mut files = Vec::new();
        rust_files(&of_crate, &mut files);
        for file in files {
            let source = fs::read_to_string(&file).unwrap();
            let mut in_code = false;
            for (number, line) in (1..).zip(source.lines()) {
                let text = line.trim_start().trim_start_matches(['/', '!']);
                let is_comment = line.trim_start().starts_with("//");
                in_code ^= is_comment && text.trim_start().starts_with("```");
                // A table's row stands on one line, and the formatter sees to code.
                let is_prose = is_comment && !in_code && !text.contains("| ");
                if is_prose && line.chars().count() > WIDEST {
                    wide.push(format!("{}:{number}", file.display()));
                }
            }
        }
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

/// The order of the standard derives. Other derives follow.
const DERIVES: [&str; 9] =
    ["Clone", "Copy", "Debug", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

#[test]
fn derives_stand_in_one_order_and_errors_in_one_form() {
    let mut wrong = Vec::new();
    for of_crate in crates() {
        let mut files = Vec::new();
        rust_files(&of_crate, &mut files);
        for file in files {
            let source = fs::read_to_string(&file).unwrap();
            let lines: Vec<_> = source.lines().map(str::trim).collect();
            for (number, line) in (1..).zip(&lines) {
                let derives = line.strip_prefix("#[derive(").and_then(|rest| rest.strip_suffix(")]"));
                let place =
                    |name: &str| DERIVES.iter().position(|derive| *derive == name).unwrap_or(DERIVES.len());
                let places = derives.map(|names| names.split(", ").map(place).collect::<Vec<_>>());
                let is_gap = lines.get(number).is_some_and(|next| ["///", "//!"].contains(next));
                let is_errors = ["/// # Errors", "//! # Errors"].contains(line);
                if places.is_some_and(|places| !places.is_sorted()) || (is_errors && is_gap) {
                    wrong.push(format!("{}:{number}: {line}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
