//! The commands over a store.

use crate::arguments::{Act, Arguments, Command};
use checkout_engine::{Checkout, DecideError, Filter, Nudge, Nudged, Store, StoreError, Target, person};
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
        | Command::Figures
        | Command::Nudge { .. }
        | Command::Decide { .. } => {
            let store = Sqlite::builder(&arguments.store).migrate(false).open()?;
            over(&store, &arguments.command, out).await
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
            options.connect(&arguments.store).await?;
            Ok(writeln!(out, "the schema is at this program's version")?)
        }
        Command::Ls { .. }
        | Command::Show { .. }
        | Command::Figures
        | Command::Nudge { .. }
        | Command::Decide { .. } => {
            let store = options.migrate(false).connect(&arguments.store).await?;
            over(&store, &arguments.command, out).await
        }
    }
}

async fn over(store: &impl Store, command: &Command, out: &mut dyn Write) -> Done {
    match command {
        Command::Ls { state, held, after, limit } => {
            let filter =
                Filter { id: None, state: *state, held: *held, after: after.as_deref(), limit: *limit };
            for checkout in store.list(&filter).await? {
                line(&checkout, out)?;
            }
        }
        Command::Show { id } => {
            let checkout = store.checkout(id).await?.ok_or_else(|| CommandError::NotThere(id.clone()))?;
            show(&checkout, out)?;
            for decided in store.decisions(id).await? {
                let at = decided.at.unix_millis();
                writeln!(out, "{at}  {} by {}: {}", decided.act, decided.by, decided.reason)?;
            }
        }
        Command::Figures => {
            let figures = store.figures().await?;
            writeln!(out, "oldest_due_ms {}", figures.oldest_due.as_millis())?;
            for (name, figure) in [
                ("work", figures.work),
                ("leased", figures.leased),
                ("held", figures.held),
                ("news", figures.news),
                ("unmatched", figures.unmatched),
            ] {
                writeln!(out, "{name} {figure}")?;
            }
            let oldest = figures.oldest_transaction.map(|oldest| oldest.as_millis().to_string());
            for (name, figure) in [
                ("waiting", figures.waiting.map(|waiting| waiting.to_string())),
                ("limit_used", figures.limit_used.map(|used| used.to_string())),
                ("dead_rows", figures.dead_rows.map(|rows| rows.to_string())),
                ("oldest_transaction_ms", oldest),
            ] {
                if let Some(figure) = figure {
                    writeln!(out, "{name} {figure}")?;
                }
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
            let checkout = match act {
                Act::Release => person::release(store, &seen, by, reason).await?,
                Act::Settle => person::settle(store, &seen, by, reason).await?,
                Act::Close => person::close(store, &seen, by, reason).await?,
            };
            line(&checkout, out)?;
        }
        // The store's own part has done it.
        Command::Migrate | Command::Print { .. } => {}
    }
    Ok(())
}

/// One line: no page, no note.
fn line(checkout: &Checkout, out: &mut dyn Write) -> io::Result<()> {
    let Checkout { id, provider, merchant, state, .. } = checkout;
    let number = checkout.checkout_id.as_deref().unwrap_or("-");
    let hold = checkout.hold.as_deref().map_or_else(String::new, |hold| format!("  held: {hold}"));
    writeln!(out, "{id}  {provider}/{merchant}  {state}  {number}{hold}")
}

fn show(checkout: &Checkout, out: &mut dyn Write) -> io::Result<()> {
    let page = if checkout.page.is_some() { "has an address" } else { "-" };
    for (name, text) in [
        ("id", checkout.id.as_str()),
        ("provider", checkout.provider.name()),
        ("merchant", &checkout.merchant),
        ("environment", checkout.environment.code()),
        ("state", checkout.state.name()),
        ("reference", &checkout.reference),
        ("checkout id", checkout.checkout_id.as_deref().unwrap_or("-")),
        ("page", page),
        ("hold", checkout.hold.as_deref().unwrap_or("-")),
    ] {
        writeln!(out, "{name:12} {text}")?;
    }
    writeln!(out, "{:12} {}", "version", checkout.version)?;
    writeln!(out, "{:12} {}", "created at", checkout.created_at.unix_millis())?;
    writeln!(out, "{:12} {}", "changed at", checkout.changed_at.unix_millis())
}
