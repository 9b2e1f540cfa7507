//! No error of the crate prints a password.
#![allow(missing_docs, reason = "tests")]

use checkout_store_redis::Redis;
use std::error::Error;

/// "checkout_store_redis::RedisFault" is the source of the errors here.
#[test]
fn no_error_prints_the_password_of_a_url() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Port 1 of this machine refuses, and the others are no URLs.
    for url in
        ["redis://shop:hidden@127.0.0.1:1/", "redis://shop:hidden@127.0.0.1:port/", "shop:hidden@127.0.0.1"]
    {
        let connected = runtime.block_on(Redis::connect(url));
        let error = connected.err().ok_or("limits without a server")?;
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
