//! No error and no store of the crate prints a password.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod common;

use checkout_store_postgres::Options;
use std::error::Error;

/// "checkout_store_postgres::DatabaseError" is the source of the errors here.
#[test]
fn no_error_prints_the_password_of_a_url() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Port 1 of this machine refuses, and the others are no URLs.
    for url in [
        "postgres://shop:hidden@127.0.0.1:1/shop",
        "postgres://shop:hidden@127.0.0.1:port/shop",
        "postgres://shop:hidden@/shop?unknown=hidden",
    ] {
        let connected = runtime.block_on(Options::new().connect(url));
        let error = connected.err().ok_or("a store without a server")?;
        let mut text = format!("{error} {error:?} {error:#?}");
        let mut source = error.source();
        while let Some(cause) = source {
            text += &format!(" {cause} {cause:?}");
            source = cause.source();
        }
        assert!(!text.contains("hidden"), "{text}");
    }
    Ok(())
}

/// "checkout_store_postgres::Postgres" has the configuration of its connections, and the writes that wait.
#[test]
fn a_store_prints_its_schema_alone() -> common::Tested {
    if common::has_no_server() {
        return Ok(());
    }
    common::runtime().block_on(async {
        let schema = common::Schema::new().await?;
        let url = common::url();
        let joint = if url.contains('?') { '&' } else { '?' };
        let store = schema.options().connect(&format!("{url}{joint}password=hidden")).await?;
        let expected = format!("Postgres {{ schema: \"{}\", .. }}", schema.name);
        assert_eq!(format!("{store:?}"), expected);
        Ok(())
    })
}
