//! The arguments of the program.

use checkout_engine::State;
use lexopt::prelude::*;
use std::ffi::OsString;

pub(crate) const HELP: &str = "\
checkout-engine --store STORE [--schema NAME] COMMAND

  --store STORE   a path of an SQLite file, or postgres://…; or the environment variable
                  CHECKOUT_ENGINE_STORE. A URL asks for TLS by ?sslmode=verify-full, or require, which checks
                  no certificate; &sslrootcert=FILE names other roots than those of the machine
  --schema NAME   the schema in PostgreSQL; `checkout` unless you say otherwise

  ls [--state STATE] [--held] [--after ID] [--limit NUMBER]
                  lists checkouts by their ids, each with its work; without a page's address, and without
                  anything of the payer
  show ID         shows one checkout, and the decisions about it
  unmatched [--after NUMBER] [--limit NUMBER]
                  lists the events that no checkout has, the oldest first
  figures         shows the figures to watch
                  these four print JSON with --json
  nudge ID        reads a checkout at once
  release ID      clears a hold, or puts quarantined work back: the checkout goes on as its state says
  requeue ID      the same, by the word of job queues
  settle ID       settles a held checkout by your word: the goods leave
  close ID        closes a held checkout: no goods leave
                  these four need --by NAME --reason TEXT, which stay, and --version NUMBER, the version
                  that `show` has shown: a decision is about what you saw
  migrate         brings the schema to this program's version
  migrate --print prints the SQL instead, for a role with the rights
    --from VERSION
                  from this version of the schema; 0, from nothing, unless you say otherwise
";

/// The wish of a person.
pub(crate) enum Wish {
    Help,
    Do(Arguments),
}

pub(crate) struct Arguments {
    pub(crate) store: String,
    /// The schema in PostgreSQL.
    pub(crate) schema: Option<String>,
    /// True for JSON in place of lines.
    pub(crate) json: bool,
    pub(crate) command: Command,
}

pub(crate) enum Command {
    Ls {
        state: Option<State>,
        held: bool,
        after: Option<String>,
        limit: usize,
    },
    Show {
        id: String,
    },
    Unmatched {
        after: i64,
        limit: usize,
    },
    Figures,
    Nudge {
        id: String,
    },
    Decide {
        act: Act,
        id: String,
        version: i64,
        by: String,
        reason: String,
    },
    Migrate,
    /// Prints the SQL that brings a schema up from a version.
    Print {
        from: i64,
    },
}

#[derive(Clone, Copy)]
pub(crate) enum Act {
    Release,
    Settle,
    Close,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error(transparent)]
    Form(#[from] lexopt::Error),
    #[error("--store: say where the store is")]
    NoStore,
    #[error("there is no command")]
    NoCommand,
    #[error("{0}: there is no such command")]
    Command(String),
    #[error("{0}: say the checkout's id")]
    NoId(String),
    #[error("--state: one of {}", State::ALL.iter().map(|state| state.name()).collect::<Vec<_>>().join(", "))]
    State,
    #[error("{0}: say who decides by --by, why by --reason, and what you saw by --version")]
    NoReason(String),
    #[error("--from: {0:?} is no version of a schema: a version is a whole number from 0 on")]
    Version(String),
    #[error("--schema: an SQLite file has no schema of another name")]
    Schema,
    #[error("--after: {0:?} is no number of an event")]
    Number(String),
    #[error("--json: ls, show, unmatched and figures print JSON, and nothing else does")]
    Json,
    #[error("--from: say so with `migrate --print`: a database knows its version itself")]
    From,
}

impl Arguments {
    pub(crate) fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Wish, ArgumentError> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut store = std::env::var("CHECKOUT_ENGINE_STORE").ok().filter(|store| !store.is_empty());
        let (mut words, mut state, mut held, mut print) = (Vec::new(), None, false, false);
        let (mut after, mut limit, mut by, mut reason, mut version) = (None, 0, None, None, None);
        let (mut schema, mut from, mut json) = (None, None, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(Wish::Help),
                Long("store") => store = Some(parser.value()?.string()?),
                Long("schema") => schema = Some(parser.value()?.string()?),
                Long("state") => {
                    let name = parser.value()?.string()?;
                    state = Some(State::by_name(&name).ok_or(ArgumentError::State)?);
                }
                Long("held") => held = true,
                Long("after") => after = Some(parser.value()?.string()?),
                Long("limit") => limit = parser.value()?.parse()?,
                Long("by") => by = Some(parser.value()?.string()?),
                Long("reason") => reason = Some(parser.value()?.string()?),
                Long("version") => version = Some(parser.value()?.parse()?),
                Long("print") => print = true,
                Long("json") => json = true,
                Long("from") => from = Some(version_of(parser.value()?.string()?)?),
                Value(word) => words.push(word.string()?),
                other @ (Short(_) | Long(_)) => return Err(other.unexpected().into()),
            }
        }
        let mut words = words.into_iter();
        let name = words.next().ok_or(ArgumentError::NoCommand)?;
        let id = words.next();
        let command = match (&*name, id) {
            ("ls", None) => Command::Ls { state, held, after, limit },
            ("unmatched", None) => {
                let after = after.as_deref().unwrap_or("0");
                let number = after.parse().map_err(|_| ArgumentError::Number(after.to_owned()))?;
                Command::Unmatched { after: number, limit: if limit == 0 { 100 } else { limit } }
            }
            ("figures", None) => Command::Figures,
            ("migrate", None) if print => Command::Print { from: from.take().unwrap_or(0) },
            ("migrate", None) => Command::Migrate,
            ("show", Some(id)) => Command::Show { id },
            ("nudge", Some(id)) => Command::Nudge { id },
            ("release" | "requeue" | "settle" | "close", Some(id)) => {
                let act = match &*name {
                    "release" | "requeue" => Act::Release,
                    "settle" => Act::Settle,
                    _ => Act::Close,
                };
                let (Some(by), Some(reason), Some(version)) = (by, reason, version) else {
                    return Err(ArgumentError::NoReason(name));
                };
                Command::Decide { act, id, version, by, reason }
            }
            ("show" | "nudge" | "release" | "requeue" | "settle" | "close", None) => {
                return Err(ArgumentError::NoId(name));
            }
            ("ls" | "unmatched" | "figures" | "migrate", Some(word)) => {
                return Err(lexopt::Error::UnexpectedArgument(word.into()).into());
            }
            _ => return Err(ArgumentError::Command(name)),
        };
        if let Some(word) = words.next() {
            return Err(lexopt::Error::UnexpectedArgument(word.into()).into());
        }
        if from.is_some() {
            return Err(ArgumentError::From);
        }
        if json && !command.has_json() {
            return Err(ArgumentError::Json);
        }
        let store = store.ok_or(ArgumentError::NoStore)?;
        let this = Self { store, schema, json, command };
        if this.schema.is_some() && !this.is_postgres() {
            return Err(ArgumentError::Schema);
        }
        Ok(Wish::Do(this))
    }

    pub(crate) fn is_postgres(&self) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| self.store.starts_with(scheme))
    }
}

impl Command {
    const fn has_json(&self) -> bool {
        match self {
            Self::Ls { .. } | Self::Show { .. } | Self::Unmatched { .. } | Self::Figures => true,
            Self::Nudge { .. } | Self::Decide { .. } | Self::Migrate | Self::Print { .. } => false,
        }
    }
}

fn version_of(text: String) -> Result<i64, ArgumentError> {
    // A sign, or none, is no part of a version.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(ArgumentError::Version(text))
}
