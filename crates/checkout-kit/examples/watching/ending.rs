//! The exit codes of the examples that take a scenario, and the answer to arguments that no example takes.

use std::io::Write;

/// The ending of a checkout. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The money has come.
    Paid = 0,
    /// The checkout ended without the money, or was never begun.
    NotPaid = 1,
    /// The program does not take these arguments.
    Usage = 2,
    /// Nobody has paid and nothing has ended: look again later.
    StillOpen = 3,
    /// A person has to look before anything else happens.
    Look = 4,
}

/// Prints the usage of the program.
pub(crate) fn usage(out: &mut dyn Write, program: &str, names: &[&str], ending: Ending) -> u8 {
    let arguments = if names.is_empty() { "" } else { " [--scenario NAME | --list]" };
    let _ = writeln!(out, "usage: {program}{arguments}");
    for name in names {
        let _ = writeln!(out, "  {name}");
    }
    ending as u8
}
