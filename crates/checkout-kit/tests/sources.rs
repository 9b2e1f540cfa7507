//! `docs/sources.md` lists the documents and the facts that this project rests on. The code and the other
//! pages are held to that list: a citation names a document with its version and date, and every fact that is
//! marked as stated is a row.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use checkout_kit::lifecycle::{Basis, Status};
use checkout_kit::tables::TextCode;
use checkout_kit::tables::{allscale, azotte, peach};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The version and date of each document, as a citation prints them: `, v4, 2026-05-06`.
type Documents = BTreeMap<String, BTreeSet<String>>;

struct List {
    documents: Documents,
    works: Vec<String>,
    /// Fact by id.
    facts: BTreeMap<String, String>,
    bold: Regex,
    citation: Regex,
    source: Regex,
    id: Regex,
}

impl List {
    fn read() -> Self {
        Self::of(&fs::read_to_string(root().join("docs/sources.md")).unwrap())
    }

    fn of(page: &str) -> Self {
        let (mut documents, mut works, mut facts) = (Documents::new(), Vec::new(), BTreeMap::new());
        for row in page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
            match row.split(" | ").collect::<Vec<_>>().as_slice() {
                ["document" | "id", ..] | ["work"] => {}
                [title, _, version, date, "Stated" | "Public"] => {
                    let printed = |part: &str| if part == "-" { String::new() } else { format!(", {part}") };
                    let editions = documents.entry((*title).to_owned()).or_default();
                    assert!(editions.insert(printed(version) + &printed(date)), "{title} stands twice");
                }
                [id, _, fact] => {
                    assert!(
                        facts.insert((*id).to_owned(), (*fact).to_owned()).is_none(),
                        "{id} stands twice"
                    );
                }
                [work] => works.push((*work).to_owned()),
                other => panic!("a row of no table: {other:?}"),
            }
        }
        let citation = r"\*([A-Z][^*`]+)\*((?:, v[0-9]+)?(?:, [0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)?)";
        Self {
            documents,
            works,
            facts,
            bold: Regex::new(r"\*\*[^*]*\*\*").unwrap(),
            citation: Regex::new(citation).unwrap(),
            source: Regex::new(r"^Sources?( of [^:]*)?: ").unwrap(),
            id: Regex::new(r"^[A-Z]{2}-[0-9]+").unwrap(),
        }
    }

    /// The faults in the citations of one paragraph.
    fn judge(&self, paragraph: &str) -> Vec<String> {
        let is_source = self.source.is_match(paragraph);
        let paragraph = self.bold.replace_all(paragraph, "");
        let (mut wrong, mut listed) = (Vec::new(), 0);
        for cited in self.citation.captures_iter(&paragraph) {
            let (title, edition) = (&cited[1], &cited[2]);
            match self.documents.get(title) {
                None if is_source && !self.works.iter().any(|work| paragraph.contains(work)) => {
                    wrong.push(format!("*{title}* is no listed document"));
                }
                None => {}
                Some(editions) => {
                    listed += 1;
                    if !(editions.contains(edition) || (edition.is_empty() && !is_source)) {
                        let right: Vec<_> =
                            editions.iter().map(|edition| format!("*{title}*{edition}")).collect();
                        wrong.push(format!("*{title}*{edition} is not {}", right.join(" or ")));
                    }
                }
            }
        }
        if is_source && listed == 0 && !self.works.iter().any(|work| paragraph.contains(work)) {
            wrong.push(format!("no listed document: {paragraph}"));
        }
        wrong
    }

    /// The faults in the marks of one paragraph: `Stated: CC-4, CC-5`, or `Stated: ` and the fact itself.
    fn marks(&self, paragraph: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let legend = ["**Stated**", "*Stated*", "Stated or Assumed", "Stated, Public"];
        if legend.iter().any(|word| paragraph.contains(word)) {
            return wrong;
        }
        for (at, word) in paragraph.match_indices("Stated") {
            // A name of the code, as `Basis::Stated` or `Stated(_)`.
            let (before, after) = (&paragraph[..at], &paragraph[at + word.len()..]);
            if before.ends_with(|last: char| last.is_alphanumeric() || last == ':' || last == '`') {
                continue;
            }
            let Some(mut rest) = after.strip_prefix(": ") else {
                wrong.push(format!("Stated{} names no fact", &after[..after.len().min(20)]));
                continue;
            };
            if self.facts.values().any(|fact| rest.starts_with(fact.as_str())) {
                continue;
            }
            let mut named = 0;
            while let Some(found) = self.id.find(rest) {
                if !self.facts.contains_key(found.as_str()) {
                    wrong.push(format!("{} is no listed fact", found.as_str()));
                }
                named += 1;
                rest = rest[found.end()..].trim_start_matches(", ");
            }
            if named == 0 {
                wrong.push(format!("Stated: {} is no listed fact", &rest[..rest.len().min(40)]));
            }
        }
        wrong
    }
}

/// Every paragraph of prose: of a page, or of the comments of a file of code.
fn paragraphs(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let is_code = path.extension().is_some_and(|extension| extension == "rs");
    let (mut all, mut current, mut fenced) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        let line = line.trim();
        let line = match is_code {
            true => line.strip_prefix("//").map_or("", |line| line.trim_start_matches(['/', '!'])).trim(),
            false => line,
        };
        fenced ^= line.starts_with("```");
        // A row of a table, and an entry of a list, is a paragraph of its own.
        let begins = line.starts_with('|') || line.starts_with("- ");
        if line.is_empty() || fenced || line.starts_with("```") || begins {
            all.push(core::mem::take(&mut current));
        }
        if !(line.is_empty() || fenced || line.starts_with("```")) {
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(line);
        }
    }
    all.push(current);
    all.retain(|paragraph| !paragraph.is_empty());
    all
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            found.push(entry);
        }
    }
}

/// The pages, and the code that users get.
fn prose() -> Vec<(String, String)> {
    let mut found = vec![root().join("README.md")];
    files(&root().join("docs"), &mut found);
    for member in fs::read_dir(root().join("crates")).unwrap() {
        files(&member.unwrap().path().join("src"), &mut found);
    }
    found.retain(|path| !path.ends_with("docs/sources.md"));
    let mut all = Vec::new();
    for path in found {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        all.extend(paragraphs(&path).into_iter().map(|paragraph| (name.clone(), paragraph)));
    }
    all
}

#[test]
fn every_citation_names_a_listed_document_with_its_version_and_date() {
    let list = List::read();
    let (mut wrong, mut sources) = (Vec::new(), 0);
    for (name, paragraph) in prose() {
        sources += usize::from(paragraph.starts_with("Source"));
        wrong.extend(list.judge(&paragraph).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sources > 80, "{sources} paragraphs of sources were found");
}

#[test]
fn every_listed_document_is_cited() {
    let all: Vec<_> = prose().into_iter().map(|(_, paragraph)| paragraph).collect();
    for (title, editions) in List::read().documents {
        for edition in editions {
            let cited = format!("*{title}*{edition}");
            let and = format!("and{}", edition.trim_start_matches(','));
            let is_cited = |paragraph: &String| {
                paragraph.contains(&cited)
                    || (paragraph.contains(&format!("*{title}*")) && paragraph.contains(&and))
            };
            assert!(all.iter().any(is_cited), "nothing cites {cited}");
        }
    }
}

#[test]
fn every_fact_marked_as_stated_is_listed() {
    let list = List::read();
    let mut wrong = Vec::new();
    for (name, paragraph) in prose() {
        wrong.extend(list.marks(&paragraph).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_stated_step_is_a_listed_fact() {
    fn stated<S: Status + TextCode>() -> usize {
        let facts: BTreeSet<_> = List::read().facts.into_values().collect();
        let reasons = S::STEPS.iter().filter_map(|step| match step.basis {
            Basis::Stated(fact) => Some(fact),
            Basis::Public(_) | Basis::Assumed(_) => None,
        });
        reasons.inspect(|fact| assert!(facts.contains(*fact), "{fact}")).count()
    }
    assert_eq!(stated::<allscale::IntentStatus>(), 5);
    assert_eq!(stated::<azotte::MessageCode>(), 3);
    // *Payment status* lists no step: the published steps stand in another page.
    assert_eq!(stated::<peach::PaymentStatus>(), 0);
}

#[test]
fn the_lists_are_numbered_without_a_gap() {
    let mut numbers: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for id in List::read().facts.keys() {
        let (prefix, number) = id.split_once('-').unwrap();
        numbers.entry(prefix.to_owned()).or_default().insert(number.parse().unwrap());
    }
    assert_eq!(numbers.keys().collect::<Vec<_>>(), ["CC", "CS", "GI", "GS", "PS"]);
    for (prefix, numbers) in numbers {
        assert_eq!(numbers, (1..=numbers.len()).collect(), "{prefix}");
    }
}

#[test]
fn a_wrong_citation_and_a_wrong_mark_are_found() {
    let list = List::of(
        "| Page | AllScale | v3 | 2026-03-06 | Stated |\n| Bare | Azotte | - | - | Public |\n| RFC 1 |\n| AB-1 | Top | the sky is blue |",
    );
    for right in [
        "Source: *Page*, v3, 2026-03-06, Fields.",
        "Source: *Bare*, Fields; *Page*, v3, 2026-03-06.",
        "Sources: RFC 1, *A Paper*.",
        "*Page* says so, and *Elsewhere* does not.",
        "**Page** is bold. *Page*, v3, 2026-03-06, is not.",
    ] {
        assert!(list.judge(right).is_empty(), "{right}: {:?}", list.judge(right));
    }
    for wrong in [
        "Source: *Page*, v4, 2026-03-06.",
        "Source: *Page*, v3, 2026-03-07.",
        "Source: *Page*, v3.",
        "Source: *Page*.",
        "Source: *Bare*, v1.",
        "Source: *Other*.",
        "Source of the rules: *Other*, v3, 2026-03-06.",
        "Source: the guide.",
        "As *Page*, v2, 2026-03-06, says.",
    ] {
        assert!(!list.judge(wrong).is_empty(), "{wrong}");
    }
    for right in
        ["(Stated: AB-1)", "Stated: the sky is blue", "Stated: AB-1, AB-1. Ours.", "`Basis::Stated(_)`"]
    {
        assert!(list.marks(right).is_empty(), "{right}: {:?}", list.marks(right));
    }
    for wrong in [
        "(Stated)",
        "Stated: AB-2",
        "Stated: AB-1, AB-2",
        "Stated: the sky is red",
        "It is Stated, they say.",
    ] {
        assert!(!list.marks(wrong).is_empty(), "{wrong}");
    }
}
