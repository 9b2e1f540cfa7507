//! Every text of an error that is in the list, with those of its sources: one picture for each crate, in
//! `tests/snapshots`.
//!
//! `INSTA_UPDATE=always cargo test -p checkout-kit --all-features --test secrets texts` renews them.

use crate::{list, sources};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_error_text_of_every_crate() {
    let (list, errors) = (list::list(), sources().errors());
    let mut crates: BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for entry in &list.entries {
        let defined = entry.defined.split('<').next().unwrap();
        let told =
            ["Violation", "Warning", "Mismatch", "HeaderProblem"].iter().any(|end| defined.ends_with(end));
        // The suites exist with their features alone.
        if (errors.contains(defined) || told) && !defined.contains("::conformance::") {
            let of = entry.name.split("::").next().unwrap();
            let texts = crates.entry(of).or_default().entry(entry.name).or_default();
            texts.insert(without_places(&entry.text().unwrap()).replace('\n', "\\n"));
        }
    }
    assert!(crates.len() >= 10, "{:?}", crates.keys());
    for (of, types) in crates {
        let mut picture = String::new();
        for (name, texts) in types {
            picture += &format!("# {name}\n");
            texts.iter().for_each(|text| picture += &format!("{text}\n"));
        }
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("error_texts_{of}"), picture);
        });
    }
}

/// A text without the numbers of bytes, which depend on the planted texts of this list.
fn without_places(text: &str) -> String {
    let mut parts = text.split("at byte ");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest =
        parts.map(|part| format!("at byte _{}", part.trim_start_matches(|c: char| c.is_ascii_digit())));
    first + &rest.collect::<String>()
}
