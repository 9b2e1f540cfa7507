//! A request as a command or as a program that sends the request again.
//!
//! Addresses and keys come from the environment variables that `run` hands over. A signature, a nonce and a
//! time are made anew, because the provider takes each once.

mod curl;
mod node;
mod python;
mod recipe;
mod rust;

use recipe::Recipe;

use crate::shown::Shown;

/// A request in a language.
pub(crate) struct Snippet {
    /// The name of the language for a person.
    pub(crate) language: &'static str,
    pub(crate) text: String,
}

/// The request in each language that has a way to send the request. Empty for a path that no provider has.
pub(crate) fn snippets(shown: &Shown) -> Vec<Snippet> {
    let Some(recipe) = Recipe::of(shown) else { return Vec::new() };
    let snippet = |language, text| Snippet { language, text };
    let mut snippets = vec![snippet("curl", curl::text(&recipe))];
    snippets.extend(rust::text(shown).map(|text| snippet("Rust", text)));
    snippets.push(snippet("Python", python::text(&recipe)));
    snippets.push(snippet("Node", node::text(&recipe)));
    snippets
}

/// A text in quotes, with the escapes that JSON, Python and JavaScript have in common.
fn quoted(text: &str) -> String {
    // A text of JSON without surrogates is a text of JavaScript and of Python, and a text of Rust has none.
    serde_json::Value::from(text).to_string()
}

/// The name of an environment variable.
fn variable(name: &str) -> String {
    format!("CHECKOUT_SANDBOX_{name}")
}

/// The line that tells about the time of a world that does not run at the machine's pace.
const ABOUT_TIME: &str =
    "A world whose clock is not real wants the world's time: GET /_/worlds/{world}/clock.";

/// The line that tells where an access token comes from.
const ABOUT_TOKEN: &str = "The access token comes from POST /api/oauth/token.";
