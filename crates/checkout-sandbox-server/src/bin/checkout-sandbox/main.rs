//! The program `checkout-sandbox`: the server of the sandboxes, alone or for one command.

mod args;
mod banner;
mod child;
#[cfg(target_os = "linux")]
mod kin;
mod ready_file;
mod seed_file;
mod signals;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use checkout_sandbox_server::{BindError, ListenError, RunningServer};

use args::{Args, Command};

/// The exit code for arguments that are wrong, and for a port that is taken.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    {
        let mut arguments = std::env::args_os().skip(1);
        if arguments.next().is_some_and(|first| first == child::KEEP) {
            return match runtime() {
                Ok(runtime) => runtime.block_on(child::keep(arguments)),
                Err(error) => fail(1, &format!("no runtime: {error}")),
            };
        }
    }
    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            return fail(WRONG_USE, &format!("{error}\ncheckout-sandbox --help lists the arguments."));
        }
    };
    match args.command {
        Command::Help => return print(args::HELP),
        Command::Version => return print(concat!("checkout-sandbox ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Init { file } => return init(&file),
        Command::Serve | Command::Run { .. } | Command::Listen { .. } | Command::Verdict { .. } => {}
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("no runtime: {error}")),
    };
    if let Command::Listen { server, world, forward_to } = &args.command {
        return runtime.block_on(listen(server, world, forward_to));
    }
    if let Command::Verdict { server, world, is_final, fails, json } = &args.command {
        return runtime.block_on(verdict(server, world, *is_final, *fails, *json));
    }
    runtime.block_on(start(args))
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Starts the server, and waits for its end or for the end of the command.
async fn start(args: Args) -> ExitCode {
    if let Some(path) = &args.ready_file
        && let Err(error) = ready_file::check(path)
    {
        return fail(WRONG_USE, &format!("--ready-file: {}: {error}", path.display()));
    }
    let mut server = args.server();
    if let Some(path) = &args.seed_file {
        match seed_file::read(path) {
            Ok(text) => server = server.seed_requests(text),
            Err(error) => return fail(WRONG_USE, &format!("seed file {}: {error}", path.display())),
        }
    }
    let server = match server.bind().await {
        Ok(server) => server,
        Err(error) => return fail_to_bind(&error, &args),
    };
    let mut signals = match signals::Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fail(1, &format!("signals cannot be received: {error}")),
    };
    if let Some(path) = &args.ready_file
        && let Err(error) = ready_file::write(path, &server.to_json())
    {
        return fail(1, &format!("--ready-file: {}: {error}", path.display()));
    }
    let code = match &args.command {
        Command::Run { program, arguments, fails } => {
            let code = child::run(program, arguments, server.variables(), &mut signals).await;
            let is_well = tell_verdicts(&server);
            if *fails && !is_well && code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
        }
        Command::Serve
        | Command::Listen { .. }
        | Command::Verdict { .. }
        | Command::Init { .. }
        | Command::Help
        | Command::Version => serve(&server, args.json, &mut signals).await,
    };
    if let Some(path) = &args.ready_file {
        // A file that somebody else has taken away is gone too.
        let _ = ready_file::remove(path, &server.to_json());
    }
    server.shutdown().await;
    code
}

/// Writes a seed file to begin with.
fn init(path: &Path) -> ExitCode {
    let shown = path.display();
    match seed_file::init(path) {
        Ok(()) => {
            print(&format!("{shown} is written. To play the file: checkout-sandbox --seed-file {shown}\n"))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fail(WRONG_USE, &format!("init: {shown} is there already, and stays as it is"))
        }
        Err(error) => fail(WRONG_USE, &format!("init: {shown}: {error}")),
    }
}

/// Posts the webhooks of a running server to a receiver, until Ctrl-C.
async fn listen(server: &str, world: &str, forward_to: &str) -> ExitCode {
    let mut signals = match signals::Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fail(1, &format!("signals cannot be received: {error}")),
    };
    // Nobody has to read the lines.
    let told = |line| {
        let _ = print(&format!("{line}\n"));
    };
    let ended = tokio::select! {
        _ = signals.next() => return ExitCode::SUCCESS,
        ended = checkout_sandbox_server::listen(server, world, forward_to, told) => ended,
    };
    match ended {
        Err(error @ ListenError::Url { .. }) => fail(WRONG_USE, &error.to_string()),
        Err(error) => fail(1, &error.to_string()),
        Ok(never) => match never {},
    }
}

/// Tells the verdict of a running server.
async fn verdict(server: &str, world: &str, is_final: bool, fails: bool, json: bool) -> ExitCode {
    match checkout_sandbox_server::ask_verdict(server, world, is_final).await {
        Ok(verdict) => {
            let text = if json { verdict.to_json() } else { verdict.to_string() };
            let printed = print(&format!("{text}\n"));
            if fails && !verdict.findings.is_empty() { ExitCode::FAILURE } else { printed }
        }
        Err(error) => fail(WRONG_USE, &error.to_string()),
    }
}

/// Tells the verdict of each world that a client has come to, after the client has ended. True if there is no
/// finding.
fn tell_verdicts(server: &RunningServer) -> bool {
    let mut is_well = true;
    for world in server.worlds() {
        let verdict = world.verdict_at_end();
        if !verdict.is_of_nothing() {
            // Nobody has to read the verdict.
            let _ = writeln!(io::stderr(), "checkout-sandbox: {verdict}");
        }
        is_well &= verdict.findings.is_empty();
    }
    is_well
}

async fn serve(server: &RunningServer, json: bool, signals: &mut signals::Signals) -> ExitCode {
    let banner = if json { format!("{}\n", server.to_json()) } else { banner::text(server) };
    // Nobody has to read the banner.
    let _ = print(&banner);
    signals.next().await;
    ExitCode::SUCCESS
}

fn fail_to_bind(error: &BindError, args: &Args) -> ExitCode {
    match error {
        BindError::PortTaken(_) => {
            let help = "checkout-sandbox --port 0 takes a free port, and --port N the port N.";
            fail(WRONG_USE, &format!("{error}.\n{help}"))
        }
        BindError::PublicUrl
        | BindError::PublicUrlPath(_)
        | BindError::PublicUrlOfSplitPorts
        | BindError::NoFourPorts(_)
        | BindError::Fault(_) => {
            fail(WRONG_USE, &format!("{error}\ncheckout-sandbox --help lists the arguments."))
        }
        BindError::Address { .. } => fail(WRONG_USE, &format!("--host {}: {error}", args.host)),
        BindError::SeedFile(reason) => {
            let path = args.seed_file.as_deref().unwrap_or_else(|| Path::new(""));
            fail(WRONG_USE, &format!("seed file {}: {reason}", path.display()))
        }
        BindError::Data { .. } => fail(WRONG_USE, &error.to_string()),
        BindError::Keys | _ => fail(1, &error.to_string()),
    }
}

fn print(text: &str) -> ExitCode {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    // Nobody is left to tell, if this fails.
    let _ = writeln!(io::stderr(), "checkout-sandbox: {message}");
    ExitCode::from(code)
}
