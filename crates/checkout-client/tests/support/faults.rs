//! The faults that a sandbox's source names.

use std::collections::BTreeSet;

/// The names of the variants of the enum `Fault` in a source: the enum may grow, so no `match` here could
/// tell.
pub(crate) fn faults_in(source: &str) -> BTreeSet<String> {
    let (_, variants) = source.split_once("pub enum Fault {\n").unwrap();
    let (variants, _) = variants.split_once("\n}\n").unwrap();
    let variants = variants.lines().filter_map(|line| line.strip_prefix("    "));
    variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).map(variant).collect()
}

/// The name of a variant, from the source or from `Debug`.
pub(crate) fn variant(text: &str) -> String {
    text.split(['(', '{', ',', ' ']).next().unwrap().to_owned()
}
