//! The command for which the server runs.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::{ExitCode, ExitStatus};

use tokio::process::Command;

use crate::signals::{Signal, Signals};

/// Runs a command with more environment variables, hands the signals on, and returns the command's exit code.
///
/// The exit code is that of a shell where the command has none: 126 and 127 for a command that does not
/// start, and 128 and the number for a signal.
pub(crate) async fn run(
    program: &OsString,
    arguments: &[OsString],
    variables: Vec<(String, String)>,
    signals: &mut Signals,
) -> ExitCode {
    let mut command = tied(program);
    command.args(arguments).envs(variables).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return not_started(program, &error),
    };
    loop {
        let ended = tokio::select! {
            ended = child.wait() => ended,
            signal = signals.next() => {
                if let Some(id) = child.id() {
                    hand_on(signal, id);
                }
                continue;
            }
        };
        return ended.map_or(ExitCode::FAILURE, |status| ExitCode::from(code_of(status)));
    }
}

fn not_started(program: &OsString, error: &io::Error) -> ExitCode {
    // Nobody is left to tell, if this fails.
    let _ = writeln!(io::stderr(), "checkout-sandbox: run: {}: {error}", program.display());
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

/// The first argument of this program when the program is to become a command.
pub(crate) const BECOME: &str = "__become";

/// A command that is told to end when this program ends, however this program ends.
///
/// Only a process itself can ask the system for that, so this program starts once more, asks, and becomes the
/// command.
#[cfg(target_os = "linux")]
fn tied(program: &OsString) -> Command {
    match std::env::current_exe() {
        Ok(this) => {
            let mut command = Command::new(this);
            command.arg(BECOME).arg(std::process::id().to_string()).arg(program);
            command
        }
        Err(_) => Command::new(program),
    }
}

#[cfg(not(target_os = "linux"))]
fn tied(program: &OsString) -> Command {
    Command::new(program)
}

/// Becomes the command that follows the id of the parent in the arguments.
#[cfg(target_os = "linux")]
pub(crate) fn become_command(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    use rustix::process::{Signal as Number, getppid, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt as _;
    let parent = arguments.next().and_then(|id| id.to_str()?.parse::<i32>().ok());
    let Some(program) = arguments.next() else { return ExitCode::FAILURE };
    // A system that refuses leaves the command without the signal, and that is all.
    let _ = set_parent_process_death_signal(Some(Number::TERM));
    if getppid().map(|id| id.as_raw_nonzero().get()) != parent {
        // The parent has ended before the system was asked.
        return ExitCode::FAILURE;
    }
    let error = std::process::Command::new(&program).args(arguments).exec();
    not_started(&program, &error)
}

fn code_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or_else(|| signal.map(|signal: i32| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Hands a signal on to the command. A terminal itself interrupts all the programs in the foreground.
#[cfg(unix)]
fn hand_on(signal: Signal, id: u32) {
    use rustix::process::{Pid, Signal as Number, kill_process};
    let number = match signal {
        Signal::Interrupt if io::stdin().is_terminal() => return,
        Signal::Interrupt => Number::INT,
        Signal::Terminate => Number::TERM,
    };
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // A command that has just ended gets no signal.
        let _ = kill_process(pid, number);
    }
}

/// Ctrl-C reaches all the programs of a console by itself.
#[cfg(not(unix))]
fn hand_on(_: Signal, _: u32) {}
