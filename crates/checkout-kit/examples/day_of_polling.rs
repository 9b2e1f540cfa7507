//! A day of polling for a crowd, offline: 100,000 checkouts with three providers, all of them followed by one
//! schedule, in virtual time.
//!
//!     cargo run --release --example day_of_polling
//!     cargo run --release --example day_of_polling -- --checkouts 2000 --seed 7
//!
//! The checkouts begin all over the day, most of them at noon and in the evening, with many stores of
//! AllScale's, tenants of Azotte's and merchants of Peach's. Half of them go the usual way, and the rest
//! every way that the sandboxes play. Two reads in a hundred go wrong: they are lost, limited, garbled, or
//! about somebody else's checkout. For half of the stores and merchants webhooks wake the checkouts; Azotte
//! has no webhooks. Payers come back from their challenges, or fail them, or never come back. A checkout that
//! the schedule hands back at the deadline is stored as text, and watched again from the text: after 20
//! minutes or when a webhook comes, for as long as the policy's deadline, until the checkout has ended or has
//! been handed back three times.
//!
//! The books of the sandboxes are the judge; the watch of a checkout is never asked. The same seed prints the
//! same table. The exit code is 0 if nothing was wrong, 1 if something was, and 2 for other arguments.

mod crowd;

pub(crate) use crowd::Crowd;
use crowd::Report;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&arguments, &mut io::stdout().lock()))
}

/// Runs the program with the arguments, and returns the exit code.
pub fn run(arguments: &[String], out: &mut dyn Write) -> u8 {
    let Some(crowd) = crowd(arguments) else {
        let _ = writeln!(out, "usage: day_of_polling [--checkouts NUMBER] [--seed NUMBER]");
        return 2;
    };
    let report = match crowd.day() {
        Ok(report) => report,
        Err(error) => {
            let _ = writeln!(out, "the day ended early: {error}");
            return 1;
        }
    };
    let _ = writeln!(out, "a day of polling: {} checkouts, seed {}\n", crowd.checkouts, crowd.seed);
    let _ = write!(out, "{}", report.table);
    let Report { ended, had_ended, ended_later, open, exceeded, spoiled, nudged, .. } = report;
    let _ = writeln!(
        out,
        "\n{ended} ended as the provider says while they were watched at first, {ended_later} when they were watched again,\n\
         and {open} are open with the provider too; {had_ended} were handed back that had ended before their deadline. \
         {spoiled} reads\nwent wrong, {nudged} were asked for by webhooks and payers, and a limit was exceeded {exceeded} \
         times."
    );
    for wrong in report.wrong.iter().take(20) {
        let _ = writeln!(out, "wrong: {wrong}");
    }
    u8::from(!report.wrong.is_empty())
}

fn crowd(arguments: &[String]) -> Option<Crowd> {
    let mut crowd = Crowd { checkouts: 100_000, seed: 1, heeds_limits: true };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--checkouts" => {
                crowd.checkouts = value.parse().ok().filter(|count| (1..=1_000_000).contains(count))?
            }
            "--seed" => crowd.seed = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(crowd)
}
