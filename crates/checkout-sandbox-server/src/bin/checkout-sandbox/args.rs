//! The arguments of the program.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use checkout_sandbox_server::{Builder, Server};
use lexopt::{Arg, Parser};

/// The program's help.
pub(crate) const HELP: &str = "\
The sandboxes of AllScale, Azotte and Peach as an HTTP server on this machine.

    checkout-sandbox [OPTIONS]                     serves until Ctrl-C
    checkout-sandbox [OPTIONS] run -- CMD ARGS...  serves for one command, and ends with its exit code
    checkout-sandbox listen --forward-to URL [--server URL] [--world NAME]
                     posts the webhooks of a running server to a receiver that the server cannot reach
                     (default: the server http://127.0.0.1:4700, and its world default)

    --port N           the port; 0 is a free port      (default: 4700; with run: 0)
    --host ADDRESS     the address to listen on        (default: 127.0.0.1)
    --split-ports      a port for each API: the four ports after N
    --public-url URL   the address under which others reach the server
    --allow-target HOST  lets webhooks go to this host; without the option, to this machine alone
    --seed N           the seed of the ids of the default world (default: 1)
    --data FILE        keeps the state in the file; without the option, in memory alone
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
    data: Option<PathBuf>,
    pub(crate) ready_file: Option<PathBuf>,
    pub(crate) json: bool,
}

/// The thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    Run { program: OsString, arguments: Vec<OsString> },
    Listen { server: String, world: String, forward_to: String },
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
            data: None,
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
                Arg::Long("public-url") => {
                    args.public_url = Some(value(&mut parser, "--public-url", "a URL")?);
                }
                Arg::Long("data") => args.data = Some(raw(&mut parser, "--data")?.into()),
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
                Arg::Value(word) if word == "listen" => {
                    args.command = listen(&mut parser)?;
                    return Ok(args);
                }
                Arg::Value(word) => {
                    return Err(Wrong(format!("{word:?} is no command: the commands are run and listen")));
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
        if self.split_ports { server.split_ports() } else { server }
    }
}

/// The command after `run`, with or without `--` in front.
fn command(parser: &mut Parser) -> Result<Command, Wrong> {
    let mut words = parser.raw_args().map_err(|error| Wrong(error.to_string()))?;
    let first = words.next().map(|word| if word == "--" { words.next() } else { Some(word) });
    let program = first.flatten().filter(|program| !program.is_empty());
    let program = program.ok_or_else(|| Wrong("run: no command follows: run -- CMD ARGS...".to_owned()))?;
    Ok(Command::Run { program, arguments: words.collect() })
}

/// The options of `listen`.
fn listen(parser: &mut Parser) -> Result<Command, Wrong> {
    let (mut server, mut world) = ("http://127.0.0.1:4700".to_owned(), "default".to_owned());
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

fn value<T: std::str::FromStr>(parser: &mut Parser, name: &str, wanted: &str) -> Result<T, Wrong> {
    let raw = raw(parser, name)?;
    let value = raw.to_str().and_then(|text| text.parse().ok());
    value.ok_or_else(|| Wrong(format!("{name}: {raw:?} is not {wanted}")))
}

fn raw(parser: &mut Parser, name: &str) -> Result<OsString, Wrong> {
    let value = parser.value().ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| Wrong(format!("{name}: no value follows")))
}

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
        assert_eq!((args.port, args.seed, args.json, args.split_ports), (Some(0), Some(7), true, true));
        assert_eq!((args.host.to_string().as_str(), args.ready_file), ("::1", Some("f".into())));
        assert_eq!((args.public_url.as_deref(), args.command), (Some("http://a.b"), Command::Serve));
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
    fn run_takes_all_that_follows() {
        for line in ["run -- npm test --port 1", "run npm test --port 1", "--seed 2 run -- npm test --port 1"]
        {
            let Command::Run { program, arguments } = parse(line).unwrap().command else { panic!("{line}") };
            assert_eq!(
                (program.to_str(), arguments),
                (Some("npm"), ["test", "--port", "1"].map(Into::into).to_vec())
            );
        }
        let Command::Run { arguments, .. } = parse("run -- sh -- x").unwrap().command else { panic!() };
        assert_eq!(arguments, ["--", "x"].map(OsString::from));
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
            ("--ready-file=", "--ready-file: no value follows"),
            ("serve", "\"serve\" is no command: the commands are run and listen"),
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
