//! The arguments of the program.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use checkout_sandbox_server::{Builder, Server};
use lexopt::{Arg, Parser};

/// The program's help.
pub(crate) const HELP: &str = "\
The sandboxes of AllScale, Azotte and Peach as an HTTP server on this machine.

    checkout-sandbox [OPTIONS]                     serves until Ctrl-C
    checkout-sandbox [OPTIONS] run -- CMD ARGS...  serves for one command, and ends with its exit code
    checkout-sandbox [OPTIONS] run --fail -- CMD ARGS...
                     and ends with 1 if the command ends with 0 and has done something wrong as a client
    checkout-sandbox verdict [--server URL] [--world NAME] [--end] [--fail] [--json]
                     tells what the client of a running server has done wrong; --end is for a client that has
                     ended, and --fail ends with 1 if there is a finding
    checkout-sandbox listen --forward-to URL [--server URL] [--world NAME]
                     posts the webhooks of a running server to a receiver that the server cannot reach
                     (default: the server http://127.0.0.1:4700, and its world default)
    checkout-sandbox init [FILE]
                     writes a seed file with comments to begin with (default: sandbox.json)

    --port N           the port; 0 is a free port      (default: 4700; with run: 0)
    --host ADDRESS     the address to listen on        (default: 127.0.0.1)
    --split-ports      a port for each API: the four ports after N
    --public-url URL   the address under which others reach the server
    --allow-target HOST  lets webhooks go to this host; without the option, to this machine alone
    --fault RULE       lets requests of the default world go wrong, as 'allscale:lost_answer; route=create; nth=2'
                       (may be given more than once)
    --autopay TIME     pays each new checkout of the default world after this time, as 2s or 500ms
    --seed N           the seed of the ids of the default world (default: 1)
    --seed-file FILE   plays the requests of the file at the start; init writes such a file
    --data FILE        keeps the state in the file; without the option, in memory alone
    --engine STORE     shows the store of an engine, a path or a URL, on the dashboard, by the program
                       checkout-engine beside this program or on the PATH
    --ready-file PATH  writes addresses and keys as JSON when the server listens
    --json             prints the banner as one line of JSON (not with run)
    --help, --version

The command of run gets the addresses and the keys as environment variables: CHECKOUT_SANDBOX_URL,
CHECKOUT_SANDBOX_ALLSCALE_API_KEY, and so on.
";

/// The arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) command: Command,
    pub(crate) host: IpAddr,
    port: Option<u16>,
    seed: Option<u64>,
    public_url: Option<String>,
    split_ports: bool,
    targets: Vec<String>,
    faults: Vec<String>,
    autopay: Option<Time>,
    data: Option<PathBuf>,
    engine: Option<OsString>,
    pub(crate) seed_file: Option<PathBuf>,
    pub(crate) ready_file: Option<PathBuf>,
    pub(crate) json: bool,
}

/// A time as `2s` or `500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time(Duration);

impl FromStr for Time {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |unit| text.strip_suffix(unit)?.parse::<u32>().ok().map(u64::from);
        let time = number("ms").map(Duration::from_millis).or_else(|| number("s").map(Duration::from_secs));
        time.map(Self).ok_or(())
    }
}

/// The thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    Run { program: OsString, arguments: Vec<OsString>, fails: bool },
    Verdict { server: String, world: String, is_final: bool, fails: bool, json: bool },
    Listen { server: String, world: String, forward_to: String },
    Init { file: PathBuf },
    Help,
    Version,
}

/// An argument that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Args {
    /// The arguments of the program, without the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Wrong> {
        let mut parser = Parser::from_args(arguments);
        let mut args = Self {
            command: Command::Serve,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            seed: None,
            public_url: None,
            split_ports: false,
            targets: Vec::new(),
            faults: Vec::new(),
            autopay: None,
            data: None,
            engine: None,
            seed_file: None,
            ready_file: None,
            json: false,
        };
        while let Some(argument) = parser.next().map_err(|error| Wrong(error.to_string()))? {
            match argument {
                Arg::Long("port") => {
                    args.port = Some(value(&mut parser, "--port", "a number from 0 to 65535")?);
                }
                Arg::Long("host") => args.host = value(&mut parser, "--host", "an IP address")?,
                Arg::Long("seed") => {
                    let seed = raw(&mut parser, "--seed")?;
                    let number = seed.to_str().and_then(|text| text.parse().ok());
                    // A greater number loses digits in readers of JSON.
                    let number = number.filter(|number| *number < 1 << 53);
                    let wrong =
                        || Wrong(format!("--seed: {seed:?} is not a whole number from 0 to 2^53 - 1"));
                    args.seed = Some(number.ok_or_else(wrong)?);
                }
                Arg::Long("allow-target") => {
                    args.targets.push(value(&mut parser, "--allow-target", "a host")?);
                }
                Arg::Long("fault") => args.faults.push(value(&mut parser, "--fault", "a rule")?),
                Arg::Long("autopay") => {
                    args.autopay = Some(value(&mut parser, "--autopay", "a time as 2s or 500ms")?);
                }
                Arg::Long("public-url") => {
                    args.public_url = Some(value(&mut parser, "--public-url", "a URL")?);
                }
                Arg::Long("data") => args.data = Some(raw(&mut parser, "--data")?.into()),
                Arg::Long("engine") => args.engine = Some(raw(&mut parser, "--engine")?),
                Arg::Long("seed-file") => args.seed_file = Some(raw(&mut parser, "--seed-file")?.into()),
                Arg::Long("ready-file") => args.ready_file = Some(raw(&mut parser, "--ready-file")?.into()),
                Arg::Long("split-ports") => args.split_ports = true,
                Arg::Long("json") => args.json = true,
                Arg::Long("help") | Arg::Short('h') => {
                    args.command = Command::Help;
                    return Ok(args);
                }
                Arg::Long("version") | Arg::Short('V') => {
                    args.command = Command::Version;
                    return Ok(args);
                }
                Arg::Value(word) if word == "run" => {
                    if args.json {
                        return Err(Wrong(
                            "--json: has no place before run, whose command prints".to_owned(),
                        ));
                    }
                    args.command = command(&mut parser)?;
                    return Ok(args);
                }
                Arg::Value(word) if word == "verdict" => {
                    args.command = verdict(&mut parser)?;
                    return Ok(args);
                }
                Arg::Value(word) if word == "listen" => {
                    args.command = listen(&mut parser)?;
                    return Ok(args);
                }
                Arg::Value(word) if word == "init" => {
                    args.command = init(&mut parser)?;
                    return Ok(args);
                }
                Arg::Value(word) => {
                    let commands = "the commands are run, verdict, listen and init";
                    return Err(Wrong(format!("{word:?} is no command: {commands}")));
                }
                Arg::Long(_) | Arg::Short(_) => return Err(Wrong(argument.unexpected().to_string())),
            }
        }
        Ok(args)
    }

    /// The server with these settings.
    pub(crate) fn server(&self) -> Builder {
        let usual = if matches!(self.command, Command::Run { .. }) { 0 } else { 4700 };
        let server = Server::builder().host(self.host).port(self.port.unwrap_or(usual));
        let server = self.seed.into_iter().fold(server, Builder::seed);
        let server = self.public_url.iter().fold(server, Builder::public_url);
        let server = self.data.iter().fold(server, Builder::data);
        let server = self.targets.iter().fold(server, Builder::allow_target);
        let server = self.faults.iter().fold(server, Builder::fault);
        let server = self.autopay.iter().fold(server, |server, time| server.autopay(time.0));
        let server = self.engine.iter().fold(server, |server, store| server.engine(engine(), store));
        if self.split_ports { server.split_ports() } else { server }
    }
}

/// The program `checkout-engine`.
fn engine() -> PathBuf {
    let name = format!("checkout-engine{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|this| this.with_file_name(&name));
    beside.filter(|path| path.exists()).unwrap_or_else(|| name.into())
}

/// The command after `run`, with or without `--fail` and `--` in front.
fn command(parser: &mut Parser) -> Result<Command, Wrong> {
    let mut words = parser.raw_args().map_err(|error| Wrong(error.to_string()))?;
    let mut first = words.next();
    let fails = first.as_ref().is_some_and(|word| word == "--fail");
    if fails {
        first = words.next();
    }
    if first.as_ref().is_some_and(|word| word == "--") {
        first = words.next();
    } else if let Some(word) = first.as_ref().filter(|word| word.as_encoded_bytes().starts_with(b"--")) {
        return Err(Wrong(format!("run: {word:?} is no option: the option is --fail")));
    }
    let program = first.filter(|program| !program.is_empty());
    let program = program.ok_or_else(|| Wrong("run: no command follows: run -- CMD ARGS...".to_owned()))?;
    Ok(Command::Run { program, arguments: words.collect(), fails })
}

/// The options of `verdict`.
fn verdict(parser: &mut Parser) -> Result<Command, Wrong> {
    let (mut server, mut world) = (USUAL_SERVER.to_owned(), USUAL_WORLD.to_owned());
    let (mut is_final, mut fails, mut json) = (false, false, false);
    while let Some(argument) = parser.next().map_err(|error| Wrong(error.to_string()))? {
        match argument {
            Arg::Long("server") => server = value(parser, "--server", "a URL")?,
            Arg::Long("world") => world = value(parser, "--world", "a name")?,
            Arg::Long("end") => is_final = true,
            Arg::Long("fail") => fails = true,
            Arg::Long("json") => json = true,
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => {
                return Err(Wrong(argument.unexpected().to_string()));
            }
        }
    }
    Ok(Command::Verdict { server, world, is_final, fails, json })
}

/// The options of `listen`.
fn listen(parser: &mut Parser) -> Result<Command, Wrong> {
    let (mut server, mut world) = (USUAL_SERVER.to_owned(), USUAL_WORLD.to_owned());
    let mut forward_to = None;
    while let Some(argument) = parser.next().map_err(|error| Wrong(error.to_string()))? {
        match argument {
            Arg::Long("server") => server = value(parser, "--server", "a URL")?,
            Arg::Long("world") => world = value(parser, "--world", "a name")?,
            Arg::Long("forward-to") => forward_to = Some(value(parser, "--forward-to", "a URL")?),
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => {
                return Err(Wrong(argument.unexpected().to_string()));
            }
        }
    }
    let forward_to = forward_to.ok_or_else(|| Wrong("listen: --forward-to URL is missing".to_owned()))?;
    Ok(Command::Listen { server, world, forward_to })
}

/// The file of `init`.
fn init(parser: &mut Parser) -> Result<Command, Wrong> {
    let mut file = None;
    while let Some(argument) = parser.next().map_err(|error| Wrong(error.to_string()))? {
        match argument {
            Arg::Value(path) if file.is_none() && !path.is_empty() => file = Some(path.into()),
            Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => {
                return Err(Wrong(argument.unexpected().to_string()));
            }
        }
    }
    Ok(Command::Init { file: file.unwrap_or_else(|| USUAL_SEED_FILE.into()) })
}

fn value<T: std::str::FromStr>(parser: &mut Parser, name: &str, wanted: &str) -> Result<T, Wrong> {
    let raw = raw(parser, name)?;
    let value = raw.to_str().and_then(|text| text.parse().ok());
    value.ok_or_else(|| Wrong(format!("{name}: {raw:?} is not {wanted}")))
}

fn raw(parser: &mut Parser, name: &str) -> Result<OsString, Wrong> {
    let value = parser.value().ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| Wrong(format!("{name}: no value follows")))
}

const USUAL_SERVER: &str = "http://127.0.0.1:4700";

const USUAL_WORLD: &str = "default";

const USUAL_SEED_FILE: &str = "sandbox.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(OsString::from)).map_err(|Wrong(message)| message)
    }

    #[test]
    fn every_argument_is_read() {
        let args =
            parse("--port 0 --host ::1 --seed=7 --ready-file f --public-url http://a.b --json --split-ports");
        let args = args.unwrap();
        for (text, millis) in [("2s", 2_000), ("500ms", 500), ("0s", 0)] {
            let time = Some(Time(Duration::from_millis(millis)));
            assert_eq!(parse(&format!("--autopay {text}")).unwrap().autopay, time);
        }
        for text in ["2", "s", "-1s", "1.5s", "2m"] {
            let refused = format!("--autopay: {text:?} is not a time as 2s or 500ms");
            assert_eq!(parse(&format!("--autopay={text}")).map(|args| args.command), Err(refused));
        }
        assert_eq!(parse("--fault peach:a;b=1 --fault=x").unwrap().faults, ["peach:a;b=1", "x"]);
        assert_eq!((args.port, args.seed, args.json, args.split_ports), (Some(0), Some(7), true, true));
        assert_eq!((args.host.to_string().as_str(), args.ready_file), ("::1", Some("f".into())));
        assert_eq!((args.public_url.as_deref(), args.command), (Some("http://a.b"), Command::Serve));
        assert_eq!(parse("--engine shop.db").unwrap().engine, Some("shop.db".into()));
        assert_eq!(parse("--help").unwrap().command, Command::Help);
        assert_eq!(parse("-V").unwrap().command, Command::Version);
    }

    #[test]
    fn listen_has_options_of_its_own() {
        let told = |server: &str, world: &str| Command::Listen {
            server: server.to_owned(),
            world: world.to_owned(),
            forward_to: "http://localhost:3000/hooks".to_owned(),
        };
        let line = "listen --forward-to http://localhost:3000/hooks";
        assert_eq!(parse(line).unwrap().command, told("http://127.0.0.1:4700", "default"));
        let line = format!("{line} --server http://127.0.0.1:1 --world w");
        assert_eq!(parse(&line).unwrap().command, told("http://127.0.0.1:1", "w"));
    }

    #[test]
    fn init_has_a_file_of_a_usual_name() {
        for (line, file) in [("init", "sandbox.json"), ("init a.json", "a.json"), ("init -- --b", "--b")] {
            assert_eq!(parse(line).unwrap().command, Command::Init { file: file.into() });
        }
        assert_eq!(parse("--seed-file a run x").unwrap().seed_file, Some("a".into()));
    }

    #[test]
    fn run_takes_all_that_follows() {
        for line in ["run -- npm test --port 1", "run npm test --port 1", "--seed 2 run -- npm test --port 1"]
        {
            let Command::Run { program, arguments, fails: false } = parse(line).unwrap().command else {
                panic!("{line}")
            };
            assert_eq!(
                (program.to_str(), arguments),
                (Some("npm"), ["test", "--port", "1"].map(Into::into).to_vec())
            );
        }
        let Command::Run { arguments, .. } = parse("run -- sh -- x").unwrap().command else { panic!() };
        assert_eq!(arguments, ["--", "x"].map(OsString::from));
    }

    #[test]
    fn run_takes_fail_in_front_of_the_command_alone() {
        for (line, expected, after) in [
            ("run --fail -- npm --fail", true, &["--fail"][..]),
            ("run --fail npm test", true, &["test"]),
            ("run npm --fail", false, &["--fail"]),
            ("run -- npm", false, &[]),
        ] {
            let Command::Run { program, arguments, fails } = parse(line).unwrap().command else { panic!() };
            assert_eq!((program.to_str(), fails), (Some("npm"), expected), "{line}");
            assert_eq!(arguments, after.iter().map(OsString::from).collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn verdict_has_options_of_its_own() {
        let told = |server: &str, world: &str, flag: bool| Command::Verdict {
            server: server.to_owned(),
            world: world.to_owned(),
            is_final: flag,
            fails: flag,
            json: flag,
        };
        assert_eq!(parse("verdict").unwrap().command, told("http://127.0.0.1:4700", "default", false));
        let line = "verdict --server http://127.0.0.1:1 --world w --end --fail --json";
        assert_eq!(parse(line).unwrap().command, told("http://127.0.0.1:1", "w", true));
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (line, expected) in [
            ("--port", "--port: no value follows"),
            ("--port x", "--port: \"x\" is not a number from 0 to 65535"),
            ("--port 65536", "--port: \"65536\" is not a number from 0 to 65535"),
            ("--port -1", "--port: \"-1\" is not a number from 0 to 65535"),
            ("--host here", "--host: \"here\" is not an IP address"),
            ("--seed 1.5", "--seed: \"1.5\" is not a whole number from 0 to 2^53 - 1"),
            (
                "--seed 9007199254740992",
                "--seed: \"9007199254740992\" is not a whole number from 0 to 2^53 - 1",
            ),
            ("--engine", "--engine: no value follows"),
            ("--ready-file=", "--ready-file: no value follows"),
            ("serve", "\"serve\" is no command: the commands are run, verdict, listen and init"),
            ("init a b", "unexpected argument \"b\""),
            ("init --force", "invalid option '--force'"),
            ("--seed-file=", "--seed-file: no value follows"),
            ("run --fail", "run: no command follows: run -- CMD ARGS..."),
            ("run --fail --", "run: no command follows: run -- CMD ARGS..."),
            ("run --failed -- x", "run: \"--failed\" is no option: the option is --fail"),
            ("verdict --server", "--server: no value follows"),
            ("verdict now", "unexpected argument \"now\""),
            ("verdict --port 1", "invalid option '--port'"),
            ("--json run -- npm test", "--json: has no place before run, whose command prints"),
            ("run", "run: no command follows: run -- CMD ARGS..."),
            ("run --", "run: no command follows: run -- CMD ARGS..."),
            ("listen", "listen: --forward-to URL is missing"),
            ("listen --forward-to", "--forward-to: no value follows"),
            ("listen --forward-to=http://a --port 1", "invalid option '--port'"),
            ("--verbose", "invalid option '--verbose'"),
            ("-x", "invalid option '-x'"),
            ("--json=1", "unexpected argument for option '--json': \"1\""),
        ] {
            assert_eq!(parse(line).map(|args| args.command), Err(expected.to_owned()), "{line}");
        }
    }
}
