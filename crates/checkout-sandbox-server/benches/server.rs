//! The figures of the program, each measured against a program of its own:
//!
//! ```sh
//! cargo bench -p checkout-sandbox-server                # all figures
//! cargo bench -p checkout-sandbox-server -- reads data  # these figures alone
//! cargo bench -p checkout-sandbox-server -- peers       # localstripe and prism, if they are on the PATH
//! ```
//!
//! The client and the program share the machine's cores. Linux alone tells the memory of a process.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::type_complexity,
    reason = "a benchmark"
)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use checkout_auth::peach::SecretToken;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_checkout-sandbox");

fn main() {
    let chosen: BTreeSet<String> = env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let figures: [(&str, fn()); 8] = [
        ("start", start),
        ("reads", reads),
        ("creates", creates),
        ("data", data),
        ("worlds", worlds),
        ("clock", clock),
        ("memory", memory),
        ("peers", peers),
    ];
    for (name, figure) in figures {
        let is_chosen = if chosen.is_empty() { name != "peers" } else { chosen.contains(name) };
        if is_chosen {
            figure();
        }
    }
}

/// From the start of the process to the end of the first answer, and the memory afterwards.
fn start() {
    let mut firsts = Vec::new();
    let mut memories = Vec::new();
    for _ in 0..21 {
        let port = free_port();
        let begin = Instant::now();
        let program = Program::at(port, &["--port", &port.to_string()], PROGRAM);
        let mut client = Client::patient(program.addr);
        client.ask(&azotte_read(program.addr, "trk_none"));
        firsts.push(begin.elapsed());
        memories.push(program.memory());
    }
    firsts.sort();
    memories.sort_unstable();
    let size = fs::metadata(PROGRAM).unwrap().len();
    println!("start: first answer after {} (slowest of 21: {})", ms(firsts[10]), ms(firsts[20]));
    println!("start: {} at rest, a program of {}", mib(memories[10]), mib(size));
}

/// Keep-alive reads of one checkout's status, by 16 clients.
fn reads() {
    let program = Program::start(&[]);
    let tracking = submit_one(program.addr, "order-1");
    let took = load(program.addr, 16, 200_000, |_| azotte_read(program.addr, &tracking));
    took.print("reads: status of Azotte");
}

/// Creates in an empty world, and with 100,000 checkouts there.
fn creates() {
    let program = Program::start(&[]);
    compare_creates(&program, "creates");
}

/// The same with a file.
fn data() {
    let folder = Folder::new("data");
    let file = folder.0.join("state.db");
    let program = Program::start(&["--data", file.to_str().unwrap()]);
    compare_creates(&program, "data");
    println!("data: a file of {}", mib(fs::metadata(&file).unwrap().len()));
    drop(program);
    let begin = Instant::now();
    let again = Program::start(&["--data", file.to_str().unwrap()]);
    // The server listens before the playback, and answers after the playback.
    Client::patient(again.addr).ask(&azotte_read(again.addr, "trk_none"));
    println!("data: a restart with these checkouts takes {}", ms(begin.elapsed()));
    drop(again);
}

fn compare_creates(program: &Program, name: &str) {
    let next = AtomicU64::new(0);
    let make = |_| azotte_submit(program.addr, &format!("order-{}", next.fetch_add(1, Ordering::Relaxed)));
    // The first creates warm the program up.
    load(program.addr, 8, 2_000, make);
    let few = load(program.addr, 8, 20_000, make);
    load(program.addr, 8, 78_000, make);
    let many = load(program.addr, 8, 20_000, make);
    few.print(&format!("{name}: creates with none"));
    many.print(&format!("{name}: creates with 100,000"));
    println!("{name}: {:.0} % of the creates a second", 100.0 * many.per_second() / few.per_second());
    println!("{name}: {} with 120,000 checkouts", mib(program.memory()));
}

/// A thousand worlds, each with a checkout of its own, from 16 clients.
fn worlds() {
    let program = Program::start(&[]);
    let before = program.memory();
    let begin = Instant::now();
    let mut admin = Client::patient(program.addr);
    let keys: Vec<Value> = (0..1_000)
        .map(|number| {
            let settings = json!({ "name": format!("w-{number}"), "clock": { "pace": "frozen" } });
            admin.ask_json("POST", "/_/worlds", &settings)
        })
        .collect();
    println!("worlds: {} for each of 1,000 worlds", us(begin.elapsed() / 1_000));
    println!("worlds: {:.1} KiB for each", (program.memory() - before) as f64 / 1_024.0 / 1_000.0);
    let scenarios = checkout_sandbox::azotte::Scenario::NAMES;
    let begin = Instant::now();
    let addr = program.addr;
    thread::scope(|scope| {
        for part in keys.chunks(keys.len().div_ceil(16)) {
            scope.spawn(move || {
                let mut client = Client::patient(addr);
                for world in part {
                    let name = world["name"].as_str().unwrap();
                    let number: usize = name.trim_start_matches("w-").parse().unwrap();
                    let scenario = scenarios[number % scenarios.len()];
                    let of_next = json!({ "provider": "azotte", "scenario": scenario });
                    client.ask_json("POST", &format!("/_/worlds/{name}/scenarios"), &of_next);
                    let (x_tn, key) = (&world["azotte"]["x_tn"], &world["azotte"]["api_key"]);
                    let keys = (x_tn.as_str().unwrap(), key.as_str().unwrap());
                    client.ask(&azotte_submit_as(addr, keys, &format!("order-of-{name}")));
                }
            });
        }
    });
    let took = begin.elapsed();
    let strange = (0..1_000).filter(|number| {
        let list = admin.ask_json("GET", &format!("/_/worlds/w-{number}/checkouts"), &Value::Null);
        let list = list["checkouts"].as_array().unwrap();
        let expected = (format!("order-of-w-{number}"), scenarios[number % scenarios.len()]);
        list.len() != 1 || list[0]["order"] != expected.0 || list[0]["scenario"] != expected.1
    });
    println!("worlds: 1,000 scenarios in {}, {} worlds with anything of another", ms(took), strange.count());
}

/// Sixty-five minutes of Peach for a thousand checkouts, with a receiver that is away.
fn clock() {
    let program = Program::start(&[]);
    let mut client = Client::patient(program.addr);
    let settings = json!({ "name": "peach", "clock": { "pace": "frozen" } });
    let keys = client.ask_json("POST", "/_/worlds", &settings);
    let closed = free_port();
    let receiver = json!({ "provider": "peach", "url": format!("http://127.0.0.1:{closed}/") });
    client.ask_json("POST", "/_/worlds/peach/endpoints", &receiver);
    for number in 0..1_000 {
        client.ask(&peach_initiate(program.addr, &keys, number));
    }
    let step = json!({ "advance_ms": 65 * 60 * 1_000 }).to_string();
    let step = request(program.addr, "PUT", "/_/worlds/peach/clock", "", &step);
    let begin = Instant::now();
    let stepped = client.ask(&step);
    let took = begin.elapsed();
    let size = mib(u64::try_from(stepped.len()).unwrap());
    let stepped: Value = serde_json::from_slice(&stepped).unwrap();
    let attempts = stepped["webhooks"].as_array().unwrap().len();
    println!(
        "clock: 65 minutes of 1,000 checkouts in {}, with {attempts} deliveries, {size} of answer",
        ms(took)
    );
}

/// The memory over a million requests.
fn memory() {
    let program = Program::start(&[]);
    let tracking = submit_one(program.addr, "order-1");
    let read = |_| azotte_read(program.addr, &tracking);
    load(program.addr, 16, 100_000, read);
    let early = program.memory();
    load(program.addr, 16, 900_000, read);
    println!("memory: {} after 100,000 requests, {} after 1,000,000", mib(early), mib(program.memory()));
}

/// The same questions to peers that mock another provider.
fn peers() {
    let folder = Folder::new("peers");
    let spec = folder.0.join("spec.yml");
    let text = "openapi: 3.0.0\ninfo: {title: a, version: '1'}\npaths:\n  /v1/customers:\n    get:\n      responses:\n        \
                '200': {description: ok, content: {application/json: {example: {a: 1}}}}\n";
    fs::write(&spec, text).unwrap();
    let commands: [(&str, fn(u16, &str) -> Vec<String>); 2] = [
        ("localstripe", |port, _| ["--port", &port.to_string()].map(str::to_owned).to_vec()),
        ("prism", |port, spec| ["mock", "-p", &port.to_string(), spec].map(str::to_owned).to_vec()),
    ];
    for (name, arguments) in commands {
        if Command::new(name).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("{name}: not on the PATH");
            continue;
        }
        let port = free_port();
        let arguments = arguments(port, spec.to_str().unwrap());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let begin = Instant::now();
        let program = Program::at(port, &arguments, name);
        let get = format!(
            "GET /v1/customers HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer sk_test_12345\r\n\r\n",
            program.addr
        );
        Client::patient(program.addr).ask(get.as_bytes());
        println!("{name}: first answer after {}, {}", ms(begin.elapsed()), mib(program.memory()));
        load(program.addr, 16, 2_000, |_| get.clone().into_bytes()).print(&format!("{name}: reads"));
    }
}

/// The time of many requests.
struct Took {
    all: Duration,
    /// In order.
    each: Vec<Duration>,
}

impl Took {
    fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.all.as_secs_f64()
    }

    fn print(&self, name: &str) {
        let at = |part: f64| self.each[((self.each.len() - 1) as f64 * part) as usize];
        let (half, most) = (us(at(0.5)), us(at(0.99)));
        println!("{name}: {:.0} a second, median {half}, 99 % within {most}", self.per_second());
    }
}

/// Sends requests on keep-alive connections, one at a time on each.
fn load(addr: SocketAddr, clients: u64, requests: u64, make: impl Fn(u64) -> Vec<u8> + Sync) -> Took {
    let begin = Instant::now();
    let mut each: Vec<Duration> = thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|worker| {
                let make = &make;
                scope.spawn(move || {
                    let mut client = Client::patient(addr);
                    let numbers = (worker..requests).step_by(usize::try_from(clients).unwrap());
                    numbers
                        .map(|number| {
                            let request = make(number);
                            let begin = Instant::now();
                            client.ask(&request);
                            begin.elapsed()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let all = begin.elapsed();
    each.sort_unstable();
    Took { all, each }
}

/// A program that ends with the value.
struct Program {
    child: Child,
    addr: SocketAddr,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let port_text = port.to_string();
        let arguments = [&["--port", &port_text], arguments].concat();
        let program = Self::at(port, &arguments, PROGRAM);
        Client::patient(program.addr);
        program
    }

    fn at(port: u16, arguments: &[&str], program: &str) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), addr: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// The resident memory in bytes, of the program and of its children.
    fn memory(&self) -> u64 {
        let of = |id: &str| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib: u64 =
                line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
            kib * 1_024
        };
        let id = self.child.id().to_string();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        of(&id) + children.split_whitespace().map(of).sum::<u64>()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A keep-alive connection.
struct Client {
    stream: TcpStream,
    addr: SocketAddr,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects as soon as somebody listens.
    fn patient(addr: SocketAddr) -> Self {
        let begin = Instant::now();
        let stream = loop {
            match TcpStream::connect(addr) {
                Ok(stream) => break stream,
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{addr}: {error}"),
            }
            thread::sleep(Duration::from_micros(500));
        };
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        Self { stream, addr, buffer: Vec::new() }
    }

    /// The body of the answer.
    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.stream.write_all(request).unwrap();
        self.buffer.clear();
        let mut chunk = [0_u8; 65_536];
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "the connection ended without an answer");
            self.buffer.extend_from_slice(&chunk[..read]);
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            let whole = end + 4 + length.unwrap_or(0);
            if self.buffer.len() >= whole {
                return self.buffer[end + 4..whole].to_vec();
            }
        }
    }

    fn ask_json(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = "content-type: application/json\r\n";
        let answer = self.ask(&request(self.addr, method, path, headers, &body));
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }
}

fn request(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn azotte_read(addr: SocketAddr, tracking: &str) -> Vec<u8> {
    let headers = format!(
        "x-tn: {}\r\nx-api-key: {}\r\n",
        checkout_sandbox::azotte::X_TN,
        checkout_sandbox::azotte::API_KEY
    );
    request(addr, "GET", &format!("/api/v1/c2a/offer/checkout/{tracking}/status"), &headers, "")
}

fn azotte_submit(addr: SocketAddr, order: &str) -> Vec<u8> {
    azotte_submit_as(addr, (checkout_sandbox::azotte::X_TN, checkout_sandbox::azotte::API_KEY), order)
}

fn azotte_submit_as(addr: SocketAddr, (x_tn, key): (&str, &str), order: &str) -> Vec<u8> {
    let headers = format!("x-tn: {x_tn}\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n");
    let body = json!({
        "order": {
            "offerIdentifier": "of_1", "correlationId": order,
            "items": [{ "itemIdentifier": "it_1" }], "customer": { "customerUrn": "cu.00.482" }
        },
        "paymentMethod": { "paymentChannel": "CreditCard", "useStoredMethod": true }
    });
    request(addr, "POST", "/api/v1/c2a/offer/checkout", &headers, &body.to_string())
}

/// The tracking number of a new checkout.
fn submit_one(addr: SocketAddr, order: &str) -> String {
    let answer = Client::patient(addr).ask(&azotte_submit(addr, order));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["trackingNumber"].as_str().unwrap().to_owned()
}

fn peach_initiate(addr: SocketAddr, keys: &Value, number: u32) -> Vec<u8> {
    let (order, nonce) = (format!("order-{number:06}"), format!("nonce{number}"));
    let fields = [
        ("authentication.entityId", keys["peach"]["entity_id"].as_str().unwrap()),
        ("merchantTransactionId", &order),
        ("amount", "10.00"),
        ("currency", "ZAR"),
        ("paymentType", "DB"),
        ("nonce", &nonce),
        ("shopperResultUrl", "https://shop.example/done"),
    ];
    let token = SecretToken::new(keys["peach"]["secret_token"].as_str().unwrap().into()).unwrap();
    let signature = token.sign(fields).unwrap().as_str().to_owned();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).append_pair("signature", &signature);
    let headers = "content-type: application/x-www-form-urlencoded\r\nreferer: https://shop.example\r\n";
    request(addr, "POST", "/checkout/initiate", headers, &form.finish())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("checkout-sandbox-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn us(time: Duration) -> String {
    format!("{:.0} us", time.as_secs_f64() * 1_000_000.0)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
