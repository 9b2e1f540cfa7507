//! The program `checkout-engine`: the checkouts of an engine's store, for the person who looks after them.
//!
//! ```text
//! checkout-engine --store shop.db ls --held
//! checkout-engine --store shop.db unmatched --json
//! checkout-engine --store postgres://shop@localhost/shop show order-1
//! checkout-engine --store shop.db release order-1 --version 7 --by nora --reason "the bank has confirmed"
//! ```

mod arguments;
mod commands;
mod seen;
mod tls;

use arguments::{Arguments, Wish};
use std::ffi::OsString;
use std::io::Write;

/// Runs the program with the arguments behind its name, and returns the exit code: 0 for done, 1 for an error
/// of the store or a decision that was not taken, 2 for arguments that are none.
///
/// ```
/// let mut out = Vec::new();
/// let code = checkout_engine_cli::run(["--help".into()], &mut out, &mut Vec::new());
/// assert_eq!(code, 0);
/// assert!(String::from_utf8_lossy(&out).contains("checkout-engine --store"));
/// ```
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let arguments = match Arguments::of(arguments) {
        Ok(Wish::Do(arguments)) => arguments,
        Ok(Wish::Help) => {
            let _ = write!(out, "{}", arguments::HELP);
            return 0;
        }
        Err(error) => {
            let _ = writeln!(err, "error: {error}\n\n{}", arguments::HELP);
            return 2;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(err, "error: {error}");
            return 1;
        }
    };
    match runtime.block_on(commands::run(&arguments, out)) {
        Ok(()) => 0,
        Err(error) => {
            let _ = write!(err, "error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                let _ = write!(err, ": {cause}");
                source = cause.source();
            }
            let _ = writeln!(err);
            1
        }
    }
}
