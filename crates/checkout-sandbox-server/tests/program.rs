//! The program: arguments, banner, ready file, signals, and a command.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use checkout_sandbox_server::{Keys, Server};
use common::admin;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout-sandbox"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// The exit code, and what was printed to the two streams.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A program that serves, with the JSON of its banner.
struct Serving {
    child: Child,
    about: Value,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(&[&["--port", "0", "--json"], arguments].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { about: serde_json::from_str(&line).unwrap(), child }
    }

    fn addr(&self) -> SocketAddr {
        self.about["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap()
    }

    fn end(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

/// A path in the folder for tests, which no other test has.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

#[test]
fn the_program_serves_until_it_is_told_to_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let serving = Serving::start(&[]);
        let ready = admin(serving.addr(), "GET", "/_/ready", "");
        assert_eq!(ready.0, 200);
        assert_eq!(admin(serving.addr(), "GET", "/_/", "").1, serving.about);
        assert_eq!(serving.about["state"], "in memory, lost at exit");
        assert_eq!(serving.end(signal), Some(0));
    }
}

#[test]
fn the_ready_file_is_whole_and_goes_with_the_program() {
    let path = path("ready");
    // A file of an earlier run.
    fs::write(&path, "{}").unwrap();
    let serving = Serving::start(&["--ready-file", path.to_str().unwrap()]);
    assert_eq!(serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap()).unwrap(), serving.about);
    let beside = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = beside.filter(|name| name.to_string_lossy().ends_with(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(serving.end(Signal::TERM), Some(0));
    assert!(!path.exists());
    let (code, _, error) = told(&run(&["--port", "0", "--ready-file", "/nowhere/at/all"]));
    assert_eq!(code, Some(1));
    assert!(error.starts_with("checkout-sandbox: --ready-file: /nowhere/at/all: "), "{error}");
}

#[test]
fn a_ready_file_of_another_server_and_a_device_stay() {
    let path = path("ready-of-two");
    let serving = Serving::start(&["--ready-file", path.to_str().unwrap()]);
    let written = fs::read_to_string(&path).unwrap();
    let port = serving.addr().port().to_string();
    let (code, ..) = told(&run(&["--port", &port, "--ready-file", path.to_str().unwrap()]));
    assert_eq!((code, fs::read_to_string(&path).unwrap()), (Some(2), written));
    let (code, _, error) = told(&run(&["--port", "0", "--ready-file", "/dev/null"]));
    assert_eq!(code, Some(2));
    assert!(error.contains("/dev/null: is no regular file"), "{error}");
    // The next server writes the file anew, and the end of the first leaves that file.
    fs::write(&path, "{}").unwrap();
    assert_eq!(serving.end(Signal::HUP), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    fs::remove_file(&path).unwrap();
}

#[test]
fn the_banner_has_its_parts_in_order() {
    let mut child = program(&["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut banner = String::new();
    while !banner.contains("state ") {
        assert_ne!(out.read_line(&mut banner).unwrap(), 0);
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    out.read_to_string(&mut banner).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let parts = [
        "admin ",
        "base URLs",
        "AllScale",
        "Azotte",
        "Peach",
        "test keys",
        "st_sandbox_key",
        "webhook secrets",
    ];
    let mut from = 0;
    for part in parts.into_iter().chain(["state    in memory, lost at exit\n"]) {
        let at = banner[from..].find(part).unwrap_or_else(|| panic!("{part} in {banner}"));
        from += at + part.len();
    }
    let url = banner.lines().next().unwrap().trim_start_matches("admin    http://").trim_end_matches("/_/");
    assert!(page().contains(&banner.replace(url, "127.0.0.1:4700")), "the page has another banner: {banner}");
}

/// The page about the server.
fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sandbox.md")).unwrap()
}

#[test]
fn the_page_has_every_option_and_every_variable() {
    let page = page();
    let (_, help, _) = told(&run(&["--help"]));
    let options = help.lines().filter_map(|line| line.trim().strip_prefix("--"));
    for option in
        options.map(|line| line.split_whitespace().next().unwrap()).filter(|option| *option != "help,")
    {
        assert!(page.contains(&format!("| `--{option}")), "--{option}");
    }
    let (_, variables, _) = told(&run(&["run", "--", "env"]));
    let names = variables.lines().filter_map(|line| line.strip_prefix("CHECKOUT_SANDBOX_")?.split_once('='));
    for (name, _) in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn a_taken_port_ends_with_2_and_the_command_that_helps() {
    let serving = Serving::start(&[]);
    let port = serving.addr().port().to_string();
    for command in [&[][..], &["run", "--", "true"]] {
        let (code, out, error) = told(&run(&[&["--port", &port], command].concat()));
        assert_eq!((code, &*out), (Some(2), ""));
        assert!(
            error.contains(&format!("port {port} of 127.0.0.1 is taken")) && error.contains("--port 0"),
            "{error}"
        );
    }
    assert_eq!(serving.end(Signal::TERM), Some(0));
}

#[test]
fn wrong_arguments_end_with_2_and_say_which() {
    for (arguments, expected) in [
        (&["--port", "x"][..], "--port: \"x\" is not a number from 0 to 65535"),
        (&["--prot", "1"], "invalid option '--prot'"),
        (&["serve"], "\"serve\" is no command: the commands are run, verdict, listen and init"),
        (&["run"], "run: no command follows"),
        (&["--fault", "peach:boom"], "fault: fault has to be one of lost_before"),
        (&["verdict", "--now"], "invalid option '--now'"),
        (&["--public-url", "dev.example"], "public URL: not http or https"),
        (&["--host", "192.0.2.1"], "--host 192.0.2.1: "),
    ] {
        let (code, out, error) = told(&run(arguments));
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(error.starts_with(&format!("checkout-sandbox: {expected}")), "{error}");
    }
    let (code, out, error) = told(&run(&["--help"]));
    assert_eq!((code, out.contains("run -- CMD"), &*error), (Some(0), true, ""));
    let version = format!("checkout-sandbox {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(&run(&["--version"])), (Some(0), version, String::new()));
}

#[test]
fn run_ends_as_its_command_ends() {
    for (command, code) in [
        (&["sh", "-c", "exit 7"][..], 7),
        (&["true"], 0),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["/nowhere/at/all"], 127),
        (&["/"], 126),
    ] {
        assert_eq!(told(&run(&[&["run", "--"], command].concat())).0, Some(code), "{command:?}");
    }
}

#[test]
fn the_command_of_run_gets_addresses_and_keys() {
    let output = run(&["run", "--", "sh", "-c", "echo in; env | grep ^CHECKOUT_SANDBOX_ | sort"]);
    let (code, out, error) = told(&output);
    assert_eq!((code, &*error), (Some(0), ""));
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (17, "in"), "{out}");
    let value = |name: &str| {
        let start = format!("CHECKOUT_SANDBOX_{name}=");
        lines.iter().find_map(|line| line.strip_prefix(&*start)).unwrap_or_else(|| panic!("{name} in {out}"))
    };
    assert_eq!(value("ALLSCALE_API_KEY"), checkout_sandbox::allscale::API_KEY);
    assert_eq!(value("PEACH_SECRET_TOKEN"), checkout_sandbox::peach::SECRET_TOKEN);
    assert!(value("URL").starts_with("http://127.0.0.1:") && value("ALLSCALE_URL") == value("URL"));
}

#[test]
fn run_hands_signals_on() {
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT")] {
        // The shell waits for a line that never comes.
        let script = format!("trap 'exit 9' {name}; echo waiting; read line");
        let mut child = program(&["run", "--", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "waiting\n");
        kill_process(Pid::from_child(&child), signal).unwrap();
        // The standard input stays open until the end, so that the signal alone ends the command.
        let input = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(9), "{name}");
        drop(input);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_of_run_ends_with_the_program_however_the_program_ends() {
    let script = "trap 'echo told; exit' TERM; echo waiting; read line; echo left alone";
    let mut child = program(&["run", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    out.read_line(&mut lines).unwrap();
    let input = child.stdin.take();
    child.kill().unwrap();
    child.wait().unwrap();
    // The standard input stays open until the end, so that the signal alone ends the command.
    out.read_to_string(&mut lines).unwrap();
    assert_eq!(lines, "waiting\ntold\n");
    drop(input);
}

/// True if a process with this id is there and has not ended.
#[cfg(target_os = "linux")]
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some(Some('Z' | 'X')))
}

/// A script that starts a program in a session of its own and a program that ignores requests, prints the two
/// ids and that of the script, waits for a line, and ends with 7. All hold the standard output open until the
/// end.
#[cfg(target_os = "linux")]
const FAMILY: &str = "(setsid sh -c 'echo $$; exec sleep 600' &)
(sh -c 'trap \"\" TERM HUP; echo $$; exec sleep 600' &)
echo $$; read line; exit 7";

/// The program with the family, once the three ids are there.
#[cfg(target_os = "linux")]
fn with_family() -> (Child, BufReader<std::process::ChildStdout>, Vec<String>) {
    let mut child = program(&["run", "--", "sh", "-c", FAMILY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    while lines.lines().count() < 3 {
        assert_ne!(out.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    let pids: Vec<String> = lines.lines().map(str::to_owned).collect();
    assert!(pids.iter().all(|pid| is_running(pid)), "{lines}");
    (child, out, pids)
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_when_the_command_has_ended() {
    let (mut child, mut out, pids) = with_family();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    // The end of the output is the end of all who hold the output.
    out.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert!(!pids.iter().any(|pid| is_running(pid)), "{pids:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_is_left_when_the_program_is_killed() {
    let (mut child, mut out, pids) = with_family();
    let input = child.stdin.take();
    child.kill().unwrap();
    child.wait().unwrap();
    out.read_to_string(&mut String::new()).unwrap();
    assert!(!pids.iter().any(|pid| is_running(pid)), "{pids:?}");
    drop(input);
}

#[test]
fn a_data_file_that_cannot_be_used_ends_with_2() {
    let path = path("data");
    fs::write(&path, "a text of somebody's ".repeat(100)).unwrap();
    let (code, out, error) = told(&run(&["--port", "0", "--data", path.to_str().unwrap()]));
    assert_eq!((code, &*out), (Some(2), ""));
    assert_eq!(
        error,
        format!("checkout-sandbox: data file {}: is no database of this program\n", path.display())
    );
    fs::remove_file(&path).unwrap();
    let (code, _, error) = told(&run(&["--data"]));
    assert_eq!((code, error.contains("--data: no value follows")), (Some(2), true));
}

/// Runs a command that prints the server's address and ends with `code`. `client` is the client, who works
/// before the command ends. Returns the exit code and the standard error.
fn run_with_a_client(options: &[&str], code: u8, client: impl FnOnce(SocketAddr)) -> (Option<i32>, String) {
    let script = format!("echo $CHECKOUT_SANDBOX_URL; read line; exit {code}");
    let mut child = program(&[&["run"], options, &["--", "sh", "-c", &script]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    client(url.trim().strip_prefix("http://").unwrap().parse().unwrap());
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Lets the default world stand still, and returns the published keys.
fn stand_still(addr: SocketAddr) -> Keys {
    assert_eq!(admin(addr, "PUT", "/_/worlds/default/clock", r#"{"pace":"frozen"}"#).0, 200);
    let another = common::Running::start(Server::builder());
    another.get().default_world().keys().clone()
}

/// Reads Azotte's status at once, although the submit's answer asks for two seconds.
fn hasty(addr: SocketAddr) {
    let keys = stand_still(addr);
    let submitted = common::submit(addr, "", &keys, "order-1").json();
    let path = format!("/api/v1/c2a/offer/checkout/{}/status", submitted["trackingNumber"].as_str().unwrap());
    let headers = [("x-tn", &*keys.azotte_x_tn), ("x-api-key", &keys.azotte_api_key)];
    assert_eq!(common::send(addr, "GET", &path, &headers, b"").unwrap().status, 200);
}

fn patient(addr: SocketAddr) {
    let keys = stand_still(addr);
    assert_eq!(common::submit(addr, "", &keys, "order-1").status, 202);
}

#[test]
fn run_tells_the_verdict_and_fails_for_it_if_it_is_told_to() {
    for (options, code, is_hasty, expected) in [
        (&[][..], 0, true, 0),
        (&["--fail"], 0, true, 1),
        (&["--fail"], 7, true, 7),
        (&["--fail"], 0, false, 0),
    ] {
        let client = if is_hasty { hasty } else { patient };
        let (ended, error) = run_with_a_client(options, code, client);
        let count = if is_hasty { "1 finding, " } else { "no findings, " };
        let line = format!("checkout-sandbox: verdict on the client of the world default: {count}");
        assert!(error.starts_with(&line), "{error}");
        assert_eq!((ended, error.contains("finding over-limit: ")), (Some(expected), is_hasty));
    }
}

#[test]
fn verdict_asks_a_running_server() {
    let serving = Serving::start(&[]);
    let server = format!("http://{}", serving.addr());
    let ask = |options: &[&str]| told(&run(&[&["verdict", "--server", &server], options].concat()));
    assert_eq!(ask(&["--fail", "--end"]).0, Some(0));
    hasty(serving.addr());
    let (code, out, error) = ask(&[]);
    assert_eq!((code, &*error, out.contains("\nfinding over-limit: ")), (Some(0), "", true), "{out}");
    assert_eq!(ask(&["--fail"]).0, Some(1));
    let (code, out, _) = ask(&["--fail", "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["counts"]["over-limit"]), (Some(1), &Value::from(1)));
    // A reset begins again.
    assert_eq!(admin(serving.addr(), "POST", "/_/worlds/default/reset", "").0, 200);
    assert_eq!(ask(&["--fail"]).0, Some(0));
    // A question that has no answer is no verdict.
    let (code, out, error) = ask(&["--world", "nowhere"]);
    assert_eq!((code, &*out), (Some(2), ""));
    assert!(error.contains("no world has this name"), "{error}");
    assert_eq!(serving.end(Signal::TERM), Some(0));
    for server in ["http://127.0.0.1:1", "127.0.0.1", "https://127.0.0.1"] {
        let (code, out, error) = told(&run(&["verdict", "--server", server]));
        assert_eq!((code, &*out), (Some(2), ""), "{error}");
    }
}

#[test]
fn init_writes_a_seed_file_that_the_server_takes() {
    let path = path("seed");
    let file = path.to_str().unwrap();
    let (code, out, error) = told(&run(&["init", file]));
    assert_eq!((code, &*error), (Some(0), ""));
    assert!(out.contains(&format!("checkout-sandbox --seed-file {file}")), "{out}");
    let written = fs::read_to_string(&path).unwrap();
    let json: Value = serde_json::from_str(&written).unwrap();
    let requests = json["requests"].as_array().unwrap();
    assert!(requests.iter().all(|request| request["//"].is_string()), "each request has a comment");

    let serving = Serving::start(&["--seed-file", file]);
    let get = |path: &str| admin(serving.addr(), "GET", path, "").1;
    let autopay = requests.iter().find(|request| request["put"] == "/_/worlds/default/autopay").unwrap();
    assert_eq!(get("/_/worlds/default/autopay"), autopay["body"]);
    let rule = requests.iter().find(|request| request["post"] == "/_/worlds/tests/faults").unwrap();
    for _ in 0..2 {
        let faults = get("/_/worlds/tests/faults");
        assert_eq!(faults["faults"][0]["fault"], rule["body"]["fault"]);
        assert_eq!(faults["faults"].as_array().unwrap().len(), 1);
        assert_eq!(admin(serving.addr(), "DELETE", "/_/worlds/tests/faults", "").0, 204);
        assert_eq!(admin(serving.addr(), "POST", "/_/worlds/tests/reset", "").0, 200);
    }
    assert_eq!(get("/_/worlds/tests/endpoints")["endpoints"].as_array().unwrap().len(), 1);
    assert_eq!(serving.end(Signal::TERM), Some(0));
    let (code, ..) = told(&run(&["--seed-file", file, "run", "--", "sh", "-c", "exit 7"]));
    assert_eq!(code, Some(7));

    // A file that is there stays as it is.
    fs::write(&path, "{}").unwrap();
    let (code, out, error) = told(&run(&["init", file]));
    assert_eq!((code, &*out, &*fs::read_to_string(&path).unwrap()), (Some(2), "", "{}"));
    assert_eq!(error, format!("checkout-sandbox: init: {file} is there already, and stays as it is\n"));
    fs::remove_file(&path).unwrap();
    let (code, _, error) = told(&run(&["init", "/nowhere/at/all"]));
    assert_eq!(code, Some(2));
    assert!(error.starts_with("checkout-sandbox: init: /nowhere/at/all: "), "{error}");
}

#[test]
fn a_seed_file_that_is_wrong_ends_with_2_and_names_the_place() {
    let path = path("wrong-seed");
    let file = path.to_str().unwrap();
    let large = "/".repeat((1 << 20) + 1);
    for (text, expected) in [
        ("{", "is not JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"requests":[{"post":"/_/worlds/a/reset"}]}"#, "request 1: post has no place here: "),
        (
            r#"{"requests":[{"post":"/_/worlds"},{"put":"/_/worlds/default/autopay","body":{"after":1}}]}"#,
            "request 2, put /_/worlds/default/autopay: after no such field: the fields are after_ms",
        ),
        (&large, "is larger than 1 MiB"),
    ] {
        fs::write(&path, text).unwrap();
        for command in [&[][..], &["run", "--", "true"]] {
            let (code, out, error) = told(&run(&[&["--port", "0", "--seed-file", file], command].concat()));
            assert_eq!((code, &*out), (Some(2), ""), "{error}");
            assert!(error.starts_with(&format!("checkout-sandbox: seed file {file}: {expected}")), "{error}");
        }
    }
    fs::remove_file(&path).unwrap();
    let (code, _, error) = told(&run(&["--seed-file", file]));
    assert_eq!(code, Some(2));
    assert!(error.starts_with(&format!("checkout-sandbox: seed file {file}: ")), "{error}");
}
