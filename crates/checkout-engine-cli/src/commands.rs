//! The commands over a store.

use crate::arguments::{Act, Arguments, Command};
use crate::{seen, tls};
use checkout_engine::{
    Checkout, DecideError, Filter, Nudge, Nudged, Overview, Store, StoreError, Target, person,
};
use serde_json::Value;
use std::error::Error;
use std::io::{self, Write};

#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error("there is no checkout {0}")]
    NotThere(String),
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}

type Done = Result<(), Box<dyn Error>>;

pub(crate) async fn run(arguments: &Arguments, out: &mut dyn Write) -> Done {
    if arguments.is_postgres() { on_postgres(arguments, out).await } else { on_sqlite(arguments, out).await }
}

async fn on_sqlite(arguments: &Arguments, out: &mut dyn Write) -> Done {
    use checkout_store_sqlite::{Sqlite, print_migrations};
    match arguments.command {
        Command::Print { from } => Ok(write!(out, "{}", print_migrations(from)?)?),
        Command::Migrate => {
            Sqlite::open(&arguments.store)?;
            Ok(writeln!(out, "the schema is at this program's version")?)
        }
        Command::Ls { .. }
        | Command::Show { .. }
        | Command::Unmatched { .. }
        | Command::Figures
        | Command::Nudge { .. }
        | Command::Decide { .. } => {
            let store = Sqlite::builder(&arguments.store).migrate(false).open()?;
            over(&store, arguments, out).await
        }
    }
}

async fn on_postgres(arguments: &Arguments, out: &mut dyn Write) -> Done {
    use checkout_store_postgres::{Options, print};
    let (options, schema) = match &arguments.schema {
        Some(schema) => (Options::new().schema(schema), &**schema),
        None => (Options::new(), "checkout"),
    };
    match arguments.command {
        Command::Print { from } => Ok(write!(out, "{}", print(schema, from)?)?),
        Command::Migrate => {
            let (config, tls) = tls::of_url(&arguments.store)?;
            options.connect_with(config, tls).await?;
            Ok(writeln!(out, "the schema is at this program's version")?)
        }
        Command::Ls { .. }
        | Command::Show { .. }
        | Command::Unmatched { .. }
        | Command::Figures
        | Command::Nudge { .. }
        | Command::Decide { .. } => {
            let (config, tls) = tls::of_url(&arguments.store)?;
            let store = options.migrate(false).connect_with(config, tls).await?;
            over(&store, arguments, out).await
        }
    }
}

async fn over(store: &impl Store, arguments: &Arguments, out: &mut dyn Write) -> Done {
    match &arguments.command {
        Command::Ls { state, held, after, limit } => {
            let filter =
                Filter { id: None, state: *state, held: *held, after: after.as_deref(), limit: *limit };
            let all = store.overview(&filter).await?;
            if arguments.json {
                return print(all.iter().map(|seen| seen::object(seen::overview(seen))).collect(), out);
            }
            for checkout in &all {
                seen::line(checkout, out)?;
            }
        }
        Command::Show { id } => {
            let seen = seen_now(store, id).await?;
            let decisions: Vec<_> = store.decisions(id).await?.iter().map(seen::decided).collect();
            let mut fields = seen::overview(&seen);
            if arguments.json {
                fields.push(("decisions", decisions.into_iter().map(seen::object).collect()));
                return print(seen::object(fields), out);
            }
            fields.push(("page", seen.checkout.page.map(|_| "has an address").into()));
            seen::lines(fields, out)?;
            for decided in decisions {
                let words = decided.iter().map(|(_, value)| seen::word(value));
                if let [at, act, by, reason] = words.collect::<Vec<_>>().as_slice() {
                    writeln!(out, "{at}  {act} by {by}: {reason}")?;
                }
            }
        }
        Command::Unmatched { after, limit } => {
            let all = store.unmatched(*after, *limit).await?;
            let all = all.iter().map(seen::unmatched);
            if arguments.json {
                return print(all.map(seen::object).collect(), out);
            }
            for event in all {
                let words: Vec<String> = event.iter().map(|(_, value)| seen::word(value)).collect();
                writeln!(out, "{}", words.join("  "))?;
            }
        }
        Command::Figures => {
            let figures = seen::figures(&store.figures().await?);
            if arguments.json {
                return print(seen::object(figures), out);
            }
            for (name, figure) in figures {
                writeln!(out, "{name} {figure}")?;
            }
        }
        Command::Nudge { id } => match store.nudge(&Nudge { target: Target::Id(id), event: &[] }).await? {
            Nudged::Queued { .. } | Nudged::Pending | Nudged::Done => {
                writeln!(out, "a read of {id} follows")?
            }
            Nudged::Unmatched => return Err(CommandError::NotThere(id.clone()).into()),
        },
        Command::Decide { act, id, version, by, reason } => {
            let there = store.checkout(id).await?.ok_or_else(|| CommandError::NotThere(id.clone()))?;
            let seen = Checkout { version: *version, ..there };
            match act {
                Act::Release => person::release(store, &seen, by, reason).await?,
                Act::Settle => person::settle(store, &seen, by, reason).await?,
                Act::Close => person::close(store, &seen, by, reason).await?,
            };
            seen::line(&seen_now(store, id).await?, out)?;
        }
        // The store's own part has done it.
        Command::Migrate | Command::Print { .. } => {}
    }
    Ok(())
}

async fn seen_now(store: &impl Store, id: &str) -> Result<Overview, Box<dyn Error>> {
    let seen = store.overview(&Filter { id: Some(id), ..Filter::default() }).await?;
    Ok(seen.into_iter().next().ok_or_else(|| CommandError::NotThere(id.to_owned()))?)
}

fn print(value: Value, out: &mut dyn Write) -> Done {
    Ok(writeln!(out, "{value:#}")?)
}
