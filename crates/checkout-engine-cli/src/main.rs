//! The program `checkout-engine`: see the library.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(checkout_engine_cli::run(arguments, &mut stdout().lock(), &mut stderr().lock()))
}
