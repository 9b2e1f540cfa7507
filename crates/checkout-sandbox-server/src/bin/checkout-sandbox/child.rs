//! The command for which the server runs.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::signals::{Signal, Signals};

/// Runs a command with more environment variables, hands the signals on, and returns the command's exit code.
/// On Linux, the programs that the command has left behind end too.
///
/// The exit code is that of a shell where the command has none: 126 and 127 for a command that does not
/// start, and 128 and the number for a signal.
pub(crate) async fn run(
    program: &OsString,
    arguments: &[OsString],
    variables: Vec<(String, String)>,
    signals: &mut Signals,
) -> ExitCode {
    let mut command = kept(program);
    command.args(arguments).envs(variables);
    #[cfg(target_os = "linux")]
    crate::kin::adopt();
    let code = attend(command, program, signals, || false).await;
    #[cfg(target_os = "linux")]
    crate::kin::end_all().await;
    code
}

/// Waits for the end of a command, and hands the signals on. After a signal that tells the end of the parent,
/// which `is_left_alone` says, the command has a time to end, and no more.
async fn attend(
    mut command: Command,
    program: &OsString,
    signals: &mut Signals,
    is_left_alone: impl Fn() -> bool,
) -> ExitCode {
    let mut child = match command.kill_on_drop(true).spawn() {
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
                if !is_left_alone() {
                    continue;
                }
                match timeout(PATIENCE, child.wait()).await {
                    Ok(ended) => ended,
                    Err(_) => return ExitCode::FAILURE,
                }
            }
        };
        return ended.map_or(ExitCode::FAILURE, |status| ExitCode::from(code_of(status)));
    }
}

/// The time that a command has to end when its parent is gone.
const PATIENCE: Duration = Duration::from_secs(2);

fn not_started(program: &OsString, error: &io::Error) -> ExitCode {
    // Nobody is left to tell, if this fails.
    let _ = writeln!(io::stderr(), "checkout-sandbox: run: {}: {error}", program.display());
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

/// The first argument of this program when the program is to keep a command.
pub(crate) const KEEP: &str = "__keep";

/// A command with a keeper, which ends the command, and all that the command has started, when this program
/// ends, however this program ends.
///
/// Nobody can act after being killed, so this program starts once more, as the keeper.
#[cfg(target_os = "linux")]
fn kept(program: &OsString) -> Command {
    match std::env::current_exe() {
        Ok(this) => {
            let mut command = Command::new(this);
            command.arg(KEEP).arg(std::process::id().to_string()).arg(program);
            command
        }
        Err(_) => Command::new(program),
    }
}

#[cfg(not(target_os = "linux"))]
fn kept(program: &OsString) -> Command {
    Command::new(program)
}

/// Keeps the command that follows the id of the parent in the arguments.
#[cfg(target_os = "linux")]
pub(crate) async fn keep(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    use rustix::process::{Signal as Number, getppid, set_parent_process_death_signal};
    let parent = arguments.next().and_then(|id| id.to_str()?.parse::<i32>().ok());
    let Some(program) = arguments.next() else { return ExitCode::FAILURE };
    let Ok(mut signals) = Signals::new() else { return ExitCode::FAILURE };
    // A system that refuses leaves the keeper without the signal, and that is all.
    let _ = set_parent_process_death_signal(Some(Number::TERM));
    let is_left_alone = || getppid().map(|id| id.as_raw_nonzero().get()) != parent;
    if is_left_alone() {
        // The parent has ended before the system was asked.
        return ExitCode::FAILURE;
    }
    crate::kin::adopt();
    let mut command = Command::new(&program);
    command.args(arguments);
    let code = attend(command, &program, &mut signals, is_left_alone).await;
    crate::kin::end_all().await;
    code
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
