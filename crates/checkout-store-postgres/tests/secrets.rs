//! No error of the crate prints a password.
#![allow(missing_docs, reason = "tests")]

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
