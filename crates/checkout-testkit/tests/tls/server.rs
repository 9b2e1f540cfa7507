//! A server with TLS on loopback, and the certificates of the server, which are made anew for every test.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, SupportedProtocolVersion};

/// A root, and its signatures.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The identity that a server shows: a certificate, and the key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    /// All roots have the same name, and each root has a key of its own.
    pub(crate) fn new() -> Self {
        let mut params = params(&[], VALID);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// A certificate for these hosts, from the one year to the other.
    pub(crate) fn sign(&self, hosts: &[&str], years: (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(hosts, years).signed_by(&key, &self.0).unwrap().der().clone();
        Identity { certificate, key: key.serialize_der().into() }
    }
}

impl Identity {
    /// An identity that nobody has signed but its own key.
    pub(crate) fn of_its_own(hosts: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params(hosts, VALID).self_signed(&key).unwrap().der().clone();
        Self { certificate, key: key.serialize_der().into() }
    }
}

/// From long ago until a year that no run of the tests will see.
pub(crate) const VALID: (i32, i32) = (1975, 4096);

fn params(hosts: &[&str], (from, to): (i32, i32)) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params
}

/// The server's way with each of its connections. After that the server ends its own side, and reads on until
/// the client has ended, too.
#[derive(Clone)]
pub(crate) enum Does {
    /// The server reads a request over TLS, and answers with these bytes. TLS ends with a `close_notify` or
    /// without.
    Answers(Vec<u8>, End),
    /// The server knows no TLS.
    SpeaksHttp,
    /// The server sends a part of its first flight of the handshake. The function maps the whole length to
    /// the length that is sent.
    CutsTheHandshake(Cut),
}

/// The number of bytes to send of so many.
pub(crate) type Cut = fn(usize) -> usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Said,
    Cut,
}

/// The bytes that came over a connection.
#[derive(Default)]
pub(crate) struct Record {
    /// The bytes as they came.
    pub(crate) raw: Vec<u8>,
    /// The bytes in clear.
    pub(crate) clear: Vec<u8>,
    /// The number of bytes that were sent before the end of the handshake, which anybody could send again.
    pub(crate) early: usize,
    /// True if the client had met the server before, and so could have sent such bytes.
    pub(crate) is_resumed: bool,
}

pub(crate) struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: JoinHandle<Vec<(SocketAddr, Record)>>,
}

impl Server {
    pub(crate) fn start(identity: &Identity, version: &'static SupportedProtocolVersion, does: Does) -> Self {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key().into())
            .unwrap();
        // The server takes early data.
        config.max_early_data_size = 1 << 14;
        let config = Arc::new(config);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, stopping) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let is_stopping = Arc::clone(&stopping);
        let accepting = thread::spawn(move || {
            let records = Arc::new(Mutex::new(Vec::new()));
            let mut threads = Vec::new();
            while let Ok((stream, peer)) = listener.accept() {
                let (config, does, records) = (Arc::clone(&config), does.clone(), Arc::clone(&records));
                threads.push(thread::spawn(move || {
                    let record = serve(stream, config, &does);
                    records.lock().unwrap().push((peer, record));
                }));
                if is_stopping.load(Ordering::SeqCst) {
                    // Then the rest of the queue, and no more.
                    listener.set_nonblocking(true).unwrap();
                }
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            Arc::into_inner(records).unwrap().into_inner().unwrap()
        });
        Self { address, stopping, accepting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes that came, a record for each connection. All clients have to be gone.
    pub(crate) fn finish(self) -> Vec<Record> {
        self.stopping.store(true, Ordering::SeqCst);
        // The connection wakes the accepting thread, unless the thread has seen the flag already.
        let last = TcpStream::connect(self.address).and_then(|stream| stream.local_addr()).ok();
        let records = self.accepting.join().unwrap();
        records.into_iter().filter(|(from, _)| Some(*from) != last).map(|(_, record)| record).collect()
    }
}

/// The bytes that a client sent on a connection that the server served as `does` says.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, does: &Does) -> Record {
    stream.set_nonblocking(false).unwrap();
    // No wait takes as long as this; the limit is for a client that never lets go.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut wire = Wire { stream, record: Record::default() };
    let mut tls = ServerConnection::new(config).unwrap();
    // The record shows the client's end of the connection, and so does the client's own outcome.
    let _ = match does {
        Does::Answers(answer, end) => answers(&mut tls, &mut wire, answer, *end),
        Does::SpeaksHttp => wire
            .read(&mut [0; 1])
            .and_then(|_| wire.stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}")),
        Does::CutsTheHandshake(at) => cuts_the_handshake(&mut tls, &mut wire, *at),
    };
    let _ = wire.stream.shutdown(Shutdown::Write);
    while wire.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    wire.record
}

fn answers(tls: &mut ServerConnection, wire: &mut Wire, answer: &[u8], end: End) -> io::Result<()> {
    while tls.is_handshaking() && !is_whole(&wire.record.clear) {
        tls.complete_io(wire)?;
        let mut early = Vec::new();
        if let Some(mut data) = tls.early_data() {
            data.read_to_end(&mut early)?;
        }
        wire.record.early += early.len();
        wire.record.clear.extend_from_slice(&early);
    }
    read_until(tls, wire, is_whole)?;
    wire.record.is_resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
    tls.writer().write_all(answer)?;
    if end == End::Said {
        tls.send_close_notify();
    }
    while tls.wants_write() {
        tls.write_tls(wire)?;
    }
    wire.stream.shutdown(Shutdown::Write)?;
    // Another request on the same connection would be one too many.
    read_until(tls, wire, |_| false)
}

/// Reads and deciphers until `enough` holds, or the client has ended.
fn read_until(tls: &mut ServerConnection, wire: &mut Wire, enough: fn(&[u8]) -> bool) -> io::Result<()> {
    while !enough(&wire.record.clear) {
        let mut room = [0; 4096];
        match tls.reader().read(&mut room) {
            Ok(0) => return Ok(()),
            Ok(read) => wire.record.clear.extend_from_slice(&room[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if tls.read_tls(wire)? == 0 {
                    return Ok(());
                }
                tls.process_new_packets().map_err(io::Error::other)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn cuts_the_handshake(tls: &mut ServerConnection, wire: &mut Wire, at: Cut) -> io::Result<()> {
    while !tls.wants_write() {
        if tls.read_tls(wire)? == 0 {
            return Ok(());
        }
        tls.process_new_packets().map_err(io::Error::other)?;
    }
    let mut flight = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut flight)?;
    }
    wire.stream.write_all(&flight[..at(flight.len())])
}

/// True if a whole request has come.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A connection that keeps the bytes it reads.
struct Wire {
    stream: TcpStream,
    record: Record,
}

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(room)?;
        self.record.raw.extend_from_slice(&room[..read]);
        Ok(read)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
