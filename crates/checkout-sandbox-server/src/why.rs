//! The reason why a request was refused, in plain words.
//!
//! For a signature, the module computes the text that was to be signed, signs the text as clients usually do
//! wrong, and names the mistake that leads to the signature that came.

mod allscale;
mod azotte;
mod peach;
mod signing;

use serde_json::{Value, json};

use crate::mask::Mask;
use crate::place::Api;
use crate::traffic::{Arrived, Entry};
use crate::world::World;
use crate::worlds::Worlds;

/// The reason of a refusal. All texts are masked.
pub(crate) struct Why {
    /// Sentences for a person, the most telling first.
    pub(crate) sentences: Vec<String>,
    /// The signature, if the route wants a signature and the request has one.
    pub(crate) signature: Option<Signature>,
}

/// A comparison of the signature that came with the text that was to be signed.
pub(crate) struct Signature {
    /// The text that was to be signed.
    pub(crate) text: String,
    pub(crate) finding: Finding,
    /// The number of pairs of a text and a secret that were tried.
    pub(crate) tried: usize,
}

pub(crate) enum Finding {
    /// The signature is over the right text, with the right secret, in the right form.
    Right,
    Mistake(Mistake),
    /// The signature fits no text that was tried.
    Unknown,
    /// The signature is not right, and the request is too long for a search.
    TooLong,
}

/// The mistake that leads to the signature that came.
pub(crate) struct Mistake {
    /// A part of a sentence for each mistake.
    pub(crate) names: Vec<String>,
    /// The text that was signed, and the first difference from the right text. `None` if the text was right.
    pub(crate) signed: Option<(String, Difference)>,
}

/// The first place at which two texts differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The number of the line, from 1.
    pub(crate) line: usize,
    /// The number of the character in the line, from 1.
    pub(crate) column: usize,
    /// The right text from the place on, cut short.
    pub(crate) right: String,
    /// The text that was signed, from the place on, cut short.
    pub(crate) signed: String,
}

/// A secret that a client may have taken in place of the right secret.
struct Wrong {
    name: String,
    secret: Vec<u8>,
}

/// The reason why a request was refused. `None` if the request was not refused.
pub(crate) fn of(entry: &Entry, world: &World, worlds: &Worlds) -> Option<Why> {
    let mask = Mask::of(world.keys());
    let status = entry.status();
    let is_refused = entry.arrived != Arrived::Answer || status.is_some_and(|status| status >= 400);
    if !is_refused {
        return None;
    }
    let mut why = if let Some(fault) = &entry.fault {
        let sentence = match entry.arrived {
            Arrived::Answer => format!("The fault {fault} answered, and not the provider's own check."),
            Arrived::RequestAlone => format!("The fault {fault} let the answer get lost after the deed."),
            Arrived::Nothing | Arrived::NothingForSure => {
                format!("The fault {fault} let the request get lost before the sandbox saw it.")
            }
        };
        Why { sentences: vec![sentence], signature: None }
    } else if entry.route.is_none() {
        Why { sentences: vec![no_route(entry)], signature: None }
    } else {
        match entry.api {
            Api::AllScale => allscale::why(entry, world, worlds, &mask),
            Api::Azotte => azotte::why(entry, world, worlds),
            Api::Peach | Api::PeachAuth => peach::why(entry, world, worlds, &mask),
        }
    };
    for sentence in &mut why.sentences {
        let whole = mask.text(sentence);
        let begin: String = whole.chars().take(MOST_SHOWN).collect();
        *sentence = if begin.len() == whole.len() { begin } else { format!("{begin}\u{2026}") };
    }
    Some(why)
}

fn no_route(entry: &Entry) -> String {
    let (method, path) = (entry.method.as_str(), &entry.path);
    let other_slash = match path.strip_suffix('/') {
        Some(_) => "without the slash at the end",
        None => "with a slash at the end",
    };
    if entry.status() == Some(405) {
        return format!("The path {path} does not have the method {method}.");
    }
    let lower = method.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = if lower { " A method has capital letters." } else { "" };
    format!("The provider has no path {path}. Look at the path {other_slash}, and at the base URL.{method}")
}

/// The worlds whose secrets a client may have mixed up with this world's.
fn others(world: &World, worlds: &Worlds, secret: impl Fn(&World) -> &str) -> Vec<Wrong> {
    let others = worlds.all().into_iter().filter(|other| other.name() != world.name());
    let wrong = |other: std::sync::Arc<World>| Wrong {
        name: format!("the secret of the world {} was taken", other.name()),
        secret: secret(&other).as_bytes().to_vec(),
    };
    others.map(wrong).collect()
}

/// The only value of a header. `None` if the header is not there, is given twice or is not text.
fn only<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    let mut values = entry.headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A sentence for a header that has to be there once. `None` if the header is.
fn header_fault(entry: &Entry, name: &str) -> Option<String> {
    let mut values = entry.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(format!("The header {name} is missing.")),
        (Some(value), None) if value.as_bytes().trim_ascii().is_empty() => {
            Some(format!("The header {name} is empty."))
        }
        (Some(value), None) if value.to_str().is_err() => Some(format!("The header {name} is not text.")),
        (Some(_), None) => None,
        (Some(_), Some(_)) => Some(format!("The header {name} is given twice.")),
    }
}

/// The answer's body as JSON.
fn answer(entry: &Entry) -> Value {
    let body = entry.answer.as_ref().map(|answer| serde_json::from_slice(answer.body()));
    body.and_then(Result::ok).unwrap_or(Value::Null)
}

/// The most characters of a sentence: a name in a request can be long.
const MOST_SHOWN: usize = 400;

impl Why {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "sentences": self.sentences,
            "signature": self.signature.as_ref().map(Signature::to_json),
        })
    }
}

impl Signature {
    /// The finding in a sentence.
    pub(crate) fn sentence(&self) -> String {
        match &self.finding {
            Finding::Right => "The signature is right.".to_owned(),
            Finding::Mistake(mistake) => format!("The signature is wrong: {}.", mistake.names.join(", and ")),
            Finding::TooLong => {
                "The signature fits not the text that was to be signed. The request is too long \
                                 to search for the mistake: 16 KiB and 200 fields are searched at most."
                    .to_owned()
            }
            Finding::Unknown => format!(
                "The signature fits no text that we have tried: {} pairs of a text and a secret.",
                self.tried
            ),
        }
    }

    fn to_json(&self) -> Value {
        let (finding, mistake) = match &self.finding {
            Finding::Right => ("right", None),
            Finding::Mistake(mistake) => ("mistake", Some(mistake)),
            Finding::Unknown => ("unknown", None),
            Finding::TooLong => ("too_long", None),
        };
        let signed = mistake.and_then(|mistake| mistake.signed.as_ref());
        let difference = signed.map(|(_, difference)| {
            json!({
                "line": difference.line,
                "column": difference.column,
                "right": difference.right,
                "signed": difference.signed,
            })
        });
        json!({
            "finding": finding,
            "sentence": self.sentence(),
            "mistakes": mistake.map(|mistake| &mistake.names),
            "text_to_sign": self.text,
            "signed_text": signed.map(|(text, _)| text),
            "first_difference": difference,
            "tried": self.tried,
        })
    }
}
