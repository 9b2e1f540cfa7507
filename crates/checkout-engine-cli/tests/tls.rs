//! TLS to PostgreSQL: a server of the test's own, which takes no connection without TLS, and servers that
//! have none.

use base64ct::{Base64, Encoding as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const VARIABLE: &str = "CHECKOUT_TEST_POSTGRES";

/// The exit code, the output and the errors of `figures` or another command.
fn run(url: &str, command: &str) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let given: [OsString; 3] = ["--store".into(), url.into(), command.into()];
    let code = checkout_engine_cli::run(given, &mut out, &mut err);
    (code, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<String> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    /// Of the name `localhost`, signed by the server itself, as `openssl req -x509` does.
    fn of_itself() -> Outcome<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = pem("CERTIFICATE", params.self_signed(&key)?.der());
        Ok(Self { certificate, key: pem("PRIVATE KEY", &key.serialize_der()) })
    }

    /// Of the name `localhost`, signed by a root, which comes first.
    fn of_root() -> Outcome<(String, Self)> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &root)?;
        let certificate = pem("CERTIFICATE", certificate.der());
        Ok((
            pem("CERTIFICATE", root.der()),
            Self { certificate, key: pem("PRIVATE KEY", &key.serialize_der()) },
        ))
    }
}

/// A server with TLS that takes no connection without, in a folder of its own.
struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    as_postgres: bool,
}

impl Server {
    /// None where the other tests of servers run nothing, or where there are no programs of a server.
    fn start(name: &str, identity: &Identity) -> Outcome<Option<Self>> {
        let nothing = |why: &str| {
            let _ = writeln!(std::io::stderr(), "{why}: this test has run nothing");
            Ok(None)
        };
        if std::env::var_os(VARIABLE).is_none() {
            return nothing(&format!("{VARIABLE} is not set"));
        }
        let Some(programs) = programs() else { return nothing("there is no program of a server") };
        let folder = std::env::temp_dir().join(format!("checkout-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        // The server does not run as root.
        let as_postgres = said(Command::new("id").arg("-u"))?.trim() == "0";
        let server = Self { programs, folder, port, as_postgres };
        server.own(&server.folder)?;
        said(server.program("initdb").args(["--auth=trust", "--username=postgres", "--no-sync"]))?;
        for (name, text) in [("server.crt", &identity.certificate), ("server.key", &identity.key)] {
            let path = server.folder.join("data").join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            server.own(&path)?;
        }
        fs::write(server.folder.join("data/pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n")?;
        let folder = server.folder.display();
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c ssl=on");
        let mut command = server.program("pg_ctl");
        command.arg(format!("--log={folder}/server.log")).args(["--silent", "--options", &options]);
        // A server that goes on holds what it inherits.
        command.args(["--wait", "start"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if !command.status()?.success() {
            return Err(fs::read_to_string(server.folder.join("server.log"))?.into());
        }
        Ok(Some(server))
    }

    fn own(&self, path: &Path) -> Outcome {
        if self.as_postgres {
            said(Command::new("chown").arg("postgres").arg(path)).map(drop)
        } else {
            Ok(())
        }
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.as_postgres {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).arg(format!("--pgdata={}", self.folder.join("data").display()));
        command
    }

    /// A file with certificates.
    fn file(&self, name: &str, text: &str) -> Outcome<String> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn url(&self, host: &str, query: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres?{query}", self.port)
    }

    /// A connection that succeeds has TLS: the server takes no other.
    fn takes(&self, host: &str, query: &str) {
        let (code, out, err) = run(&self.url(host, query), "figures");
        assert_eq!((code, &*err), (0, ""), "{host} {query}");
        assert!(out.contains("\nwork 0\n"), "{out}");
    }

    fn refuses(&self, host: &str, query: &str, expected: &str) {
        let (code, out, err) = run(&self.url(host, query), "figures");
        assert_eq!((code, &*out), (1, ""), "{host} {query}");
        assert!(err.contains(expected), "{host} {query}: {err}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = said(self.program("pg_ctl").args(["--mode=immediate", "--silent", "stop"]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let numbered =
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    let newest: Option<(u32, PathBuf)> = numbered.max();
    newest.map(|(_, path)| path.join("bin")).filter(|path| path.join("initdb").exists())
}

fn said(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into())
}

#[test]
fn a_certificate_of_a_root_is_checked_as_the_url_says() -> Outcome {
    let (root, identity) = Identity::of_root()?;
    let Some(server) = Server::start("root", &identity)? else { return Ok(()) };
    let root = server.file("root.pem", &root)?;
    let (stranger, _) = Identity::of_root()?;
    let stranger = server.file("stranger.pem", &stranger)?;
    assert_eq!(run(&server.url("localhost", "sslmode=require"), "migrate").0, 0);
    for query in ["", "sslmode=prefer", "sslmode=require"] {
        server.takes("localhost", query);
        server.takes("127.0.0.1", query);
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        server.takes("localhost", &format!("sslmode={mode}&sslrootcert={root}"));
        let query = format!("sslmode={mode}&sslrootcert={stranger}");
        server.refuses("localhost", &query, "invalid peer certificate");
    }
    server.takes("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={root}"));
    server.refuses(
        "127.0.0.1",
        &format!("sslmode=verify-full&sslrootcert={root}"),
        "certificate not valid for name \"127.0.0.1\"",
    );
    // The roots of the machine know nothing of the test's.
    server.refuses("localhost", "sslmode=verify-full", "invalid peer certificate");
    server.refuses("localhost", "sslmode=verify-full&sslrootcert=system", "invalid peer certificate");
    server.refuses("localhost", "sslmode=disable", "no encryption");
    Ok(())
}

#[test]
fn a_certificate_that_the_server_has_signed_itself_is_a_root() -> Outcome {
    let identity = Identity::of_itself()?;
    let Some(server) = Server::start("itself", &identity)? else { return Ok(()) };
    let itself = server.file("itself.pem", &identity.certificate)?;
    let stranger = server.file("stranger.pem", &Identity::of_itself()?.certificate)?;
    assert_eq!(run(&server.url("localhost", "sslmode=require"), "migrate").0, 0);
    for mode in ["require", "verify-ca", "verify-full"] {
        server.takes("localhost", &format!("sslmode={mode}&sslrootcert={itself}"));
        let query = format!("sslmode={mode}&sslrootcert={stranger}");
        server.refuses("localhost", &query, "invalid peer certificate");
    }
    server.refuses(
        "127.0.0.1",
        &format!("sslmode=verify-full&sslrootcert={itself}"),
        "certificate not valid for name \"127.0.0.1\"",
    );
    Ok(())
}

/// A server that answers that it has no TLS hears no word more.
#[test]
fn nothing_is_sent_to_a_server_without_tls_where_the_url_asks_for_tls() -> Outcome {
    for mode in ["require", "verify-full"] {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let server = std::thread::spawn(move || -> std::io::Result<Vec<u8>> {
            let (mut client, _) = listener.accept()?;
            let mut request = [0; 8];
            client.read_exact(&mut request)?;
            client.write_all(b"N")?;
            let mut rest = Vec::new();
            client.read_to_end(&mut rest)?;
            Ok(rest)
        });
        // Without the machine's roots there is no connection at all.
        let root = std::env::temp_dir().join(format!("checkout-tls-none-{mode}-{}.pem", std::process::id()));
        fs::write(&root, Identity::of_root()?.0)?;
        let url = format!(
            "postgres://shop:secret@localhost:{port}/shop?sslmode={mode}&sslrootcert={}&hostaddr=127.0.0.1",
            root.display()
        );
        let (code, _, err) = run(&url, "figures");
        fs::remove_file(&root)?;
        assert_eq!(code, 1);
        assert!(err.contains("server does not support TLS") && !err.contains("secret"), "{err}");
        assert_eq!(server.join().map_err(|_| "the server panicked")??, b"");
    }
    Ok(())
}

#[test]
fn a_url_that_asks_for_what_cannot_be_says_what_helps() {
    for command in ["figures", "migrate"] {
        let (code, _, err) = run("postgres://shop:secret@127.0.0.1:1/shop?sslmode=verify-ca", command);
        assert_eq!(
            (code, &*err),
            (1, "error: sslmode=verify-ca: say by sslrootcert=FILE whose certificates count\n")
        );
    }
}
