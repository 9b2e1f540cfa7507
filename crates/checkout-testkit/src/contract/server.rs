//! A server of raw sockets that follows its script and records the bytes it receives.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The size of an endless response, which must never all be read. The size exceeds what the buffers of an
/// operating system take in while nobody reads.
pub(super) const ENDLESS: u64 = 64 << 20;

/// How often the server waits for its client before it gives up, so that the suite always ends. The server
/// counts waits and not the time: a wait during which the whole machine stood still counts once, however long
/// it was.
const WAITS: u32 = 60;

/// The length of each wait.
const WAIT: Duration = Duration::from_millis(100);

/// Between two bytes of a response that drips.
const PACE: Duration = Duration::from_millis(20);

/// How many bytes a response drips before the server gives up; the drip takes as long as those waits.
const DROPS: usize = 300;

/// A server on a port of its own. Every connection has a thread, which ends with the server.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<TcpListener>>,
}

/// The script of a connection, which reads and writes until it returns.
pub(super) type Script = dyn Fn(&mut Exchange) -> io::Result<()> + Send + Sync;

impl Server {
    pub(super) fn start(
        script: impl Fn(&mut Exchange) -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let script: Arc<Script> = Arc::new(script);
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().spawn(move || accept(listener, &shared, &script))?
        };
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// The address, as an authority.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// An absolute URI of this server.
    pub(super) fn uri(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// True if so many whole requests have come. Otherwise `waker` is woken when a request comes.
    pub(super) fn has_received(&self, requests: usize, waker: &Waker) -> bool {
        let mut log = self.shared.log();
        if log.connections.iter().map(|connection| connection.requests.len()).sum::<usize>() >= requests {
            return true;
        }
        log.wakers.push(waker.clone());
        false
    }

    /// Stops the server and returns the records until now. Everything that was sent before this call is part
    /// of them. The port stays taken for as long as the listener is kept.
    pub(super) fn finish(mut self) -> (Records, Option<TcpListener>) {
        let listener = self.stop();
        let connections = std::mem::take(&mut self.shared.log().connections);
        (Records { connections }, listener)
    }

    fn stop(&mut self) -> Option<TcpListener> {
        let accepting = self.accepting.take()?;
        {
            // While the lock is held, no thread is between looking at the flag and waiting for its change.
            let _log = self.shared.log();
            self.shared.stopping.store(true, Ordering::SeqCst);
        }
        // Wakes the accepting thread, and comes after all that the queue holds already.
        let last = TcpStream::connect(self.address).and_then(|stream| Ok((stream.local_addr()?, stream)));
        // Without a connection nothing wakes the thread, and the thread is left alone with its port.
        let listener = last.is_ok().then(|| accepting.join().ok()).flatten();
        self.shared.changed.notify_all();
        let last = last.ok().map(|(last, stream)| {
            let mut log = self.shared.log();
            let woken = log.connections.iter_mut().find(|connection| connection.peer == last);
            // Closing a socket with a byte unread is a reset, after which neither end keeps its port for a
            // minute.
            drop(woken.and_then(|woken| woken.stream.as_mut()).map(|woken| woken.write(b"\n")));
            drop(stream);
            last
        });
        let threads = {
            let mut log = self.shared.log();
            for stream in log.connections.iter().filter_map(|connection| connection.stream.as_ref()) {
                // Bytes that have arrived are still read after this; bytes still to be written are not sent.
                drop(stream.shutdown(Shutdown::Both));
            }
            std::mem::take(&mut log.threads)
        };
        for thread in threads {
            drop(thread.join());
        }
        if let Some(last) = last {
            self.shared.log().connections.retain(|connection| connection.peer != last);
        }
        listener
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Log {
    connections: Vec<Connection>,
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Waker>,
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// The records of every connection of a server, in the order of the connections.
pub(super) struct Records {
    pub(super) connections: Vec<Connection>,
}

impl Records {
    pub(super) fn requests(&self) -> Vec<&Received> {
        self.connections.iter().flat_map(|connection| &connection.requests).collect()
    }

    /// The number of requests that have come, including those of which only a part has.
    pub(super) fn attempts(&self) -> usize {
        self.connections
            .iter()
            .map(|connection| connection.requests.len() + usize::from(!connection.rest.is_empty()))
            .sum()
    }

    pub(super) fn has_bytes(&self) -> bool {
        self.connections.iter().any(|connection| !connection.bytes.is_empty())
    }

    /// True if these bytes have come on any connection, in clear.
    pub(super) fn contains(&self, needle: &str) -> bool {
        self.connections.iter().any(|connection| {
            connection.bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    }

    /// True if the server had to give up waiting.
    pub(super) fn let_go(&self) -> bool {
        self.connections.iter().any(|connection| connection.let_go)
    }

    /// The number of bytes the server could send, on all connections.
    pub(super) fn sent(&self) -> u64 {
        self.connections.iter().map(|connection| connection.sent).sum()
    }
}

/// The record of one connection.
pub(super) struct Connection {
    /// Every byte that came.
    bytes: Vec<u8>,
    /// The bytes that do not make a whole request yet.
    rest: Vec<u8>,
    requests: Vec<Received>,
    sent: u64,
    let_go: bool,
    peer: SocketAddr,
    /// While the connection's script runs.
    stream: Option<TcpStream>,
}

/// A request as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) target: String,
    /// Names in lower case, values as they came.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Received {
    /// All values of a header, in their order.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_slice())
    }
}

/// One connection, as its script uses the connection.
pub(super) struct Exchange {
    stream: TcpStream,
    shared: Arc<Shared>,
    index: usize,
}

impl Exchange {
    /// The number of this connection among those of its server, from 0.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Reads the next request, to its end. Returns `None` when the client closes first.
    pub(super) fn request(&mut self) -> io::Result<Option<Received>> {
        let mut room = [0; 16 << 10];
        loop {
            if let Some(request) = self.next_whole()? {
                return Ok(Some(request));
            }
            let read = self.read(&mut room)?;
            if read == 0 {
                return Ok(None);
            }
            self.note(room.get(..read).unwrap_or_default());
        }
    }

    /// Waits for the next request without taking the request from the socket, so that closing the socket
    /// afterwards is a reset.
    pub(super) fn request_left_unread(&mut self) -> io::Result<()> {
        let mut room = vec![0; 64 << 10];
        for _ in 0..WAITS * 100 {
            let there = self.patiently(|stream| stream.peek(&mut room))?;
            let there = room.get(..there).unwrap_or_default();
            if let Some((request, _)) = parse(there)? {
                self.note(there);
                self.connection(|connection| connection.rest.clear());
                self.keep(request);
                return Ok(());
            }
            if there.is_empty() || self.pause(WAIT / 100) {
                break;
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Waits for the first byte without taking the byte, so that closing the socket afterwards is a reset.
    pub(super) fn byte_left_unread(&mut self) -> io::Result<()> {
        let mut room = [0; 1];
        let there = self.patiently(|stream| stream.peek(&mut room))?;
        self.note(room.get(..there).unwrap_or_default());
        Ok(())
    }

    /// Reads whatever comes first.
    pub(super) fn some_bytes(&mut self) -> io::Result<()> {
        let mut room = [0; 4 << 10];
        let read = self.read(&mut room)?;
        self.note(room.get(..read).unwrap_or_default());
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            let written = self.patiently(|stream| stream.write(left))?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            left = left.get(written..).unwrap_or_default();
            self.connection(|connection| connection.sent += u64::try_from(written).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Writes byte after byte, each in a packet of its own.
    pub(super) fn write_in_pieces(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(1) {
            self.write(piece)?;
            thread::yield_now();
        }
        Ok(())
    }

    /// Writes `piece` over and over, up to [`ENDLESS`] bytes, or until the client closes.
    pub(super) fn write_endlessly(&mut self, piece: &[u8]) -> io::Result<()> {
        let block = piece.repeat((64 << 10) / piece.len().max(1) + 1);
        let mut left = ENDLESS;
        while left > 0 {
            self.write(&block)?;
            left = left.saturating_sub(u64::try_from(block.len()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// Writes byte after byte, slowly, until the server stops or lets go.
    pub(super) fn drip(&mut self, piece: &[u8]) -> io::Result<()> {
        for byte in piece.iter().cycle().take(DROPS) {
            self.write(std::slice::from_ref(byte))?;
            if self.pause(PACE) {
                return Ok(());
            }
        }
        self.connection(|connection| connection.let_go = true);
        Ok(())
    }

    /// Does nothing until the server stops, or lets go.
    pub(super) fn hold(&mut self) {
        if !(0..WAITS).any(|_| self.pause(WAIT)) {
            self.connection(|connection| connection.let_go = true);
        }
    }

    /// Says that nothing more will be written, and can still read.
    pub(super) fn close_for_writing(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Waits for so long, or until the server stops; returns true if the server stops.
    fn pause(&self, time: Duration) -> bool {
        let log = self.shared.log();
        let waited = self.shared.changed.wait_timeout_while(log, time, |_| !self.shared.is_stopping());
        drop(waited);
        self.shared.is_stopping()
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.patiently(|stream| stream.read(room));
        if read.as_ref().is_err_and(is_wait) {
            self.connection(|connection| connection.let_go = true);
        }
        read
    }

    /// Returns the result of `act` when the client has done its part, or when the server has waited long
    /// enough.
    fn patiently<V>(&mut self, mut act: impl FnMut(&mut TcpStream) -> io::Result<V>) -> io::Result<V> {
        let mut waits = 0;
        loop {
            match act(&mut self.stream) {
                Err(error) if is_wait(&error) && waits < WAITS => waits += 1,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.connection(|connection| {
            connection.bytes.extend_from_slice(bytes);
            connection.rest.extend_from_slice(bytes);
        });
    }

    fn next_whole(&mut self) -> io::Result<Option<Received>> {
        let found = self.connection(|connection| parse(&connection.rest)).transpose()?.flatten();
        let Some((request, length)) = found else { return Ok(None) };
        self.connection(|connection| drop(connection.rest.drain(..length)));
        self.keep(request.clone());
        Ok(Some(request))
    }

    fn keep(&self, request: Received) {
        self.connection(|connection| connection.requests.push(request));
        let wakers = std::mem::take(&mut self.shared.log().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn connection<V>(&self, act: impl FnOnce(&mut Connection) -> V) -> Option<V> {
        self.shared.log().connections.get_mut(self.index).map(act)
    }
}

fn accept(listener: TcpListener, shared: &Arc<Shared>, script: &Arc<Script>) -> TcpListener {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => drop(open(stream, peer, shared, script)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return listener,
            Err(_) if shared.is_stopping() => return listener,
            Err(_) => thread::yield_now(),
        }
        if shared.is_stopping() && listener.set_nonblocking(true).is_err() {
            return listener;
        }
    }
}

fn open(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>, script: &Arc<Script>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    let mut log = shared.log();
    log.connections.push(Connection {
        bytes: Vec::new(),
        rest: Vec::new(),
        requests: Vec::new(),
        sent: 0,
        let_go: false,
        peer,
        stream: Some(stream.try_clone()?),
    });
    let mut exchange =
        Exchange { stream, shared: Arc::clone(shared), index: log.connections.len().saturating_sub(1) };
    let script = Arc::clone(script);
    let thread = thread::Builder::new().spawn(move || {
        // An error here is the client's end of the connection, which the records show.
        drop(script(&mut exchange));
        exchange.connection(|connection| connection.stream = None);
    })?;
    log.threads.push(thread);
    Ok(())
}

/// True if the error means that a socket has waited in vain.
fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The first request in `bytes`, if the request is whole, and its number of bytes.
fn parse(bytes: &[u8]) -> io::Result<Option<(Received, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    let mut request = Received {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    let rest = bytes.get(length..).unwrap_or_default();
    let chunked = request.values("transfer-encoding").any(|value| value.eq_ignore_ascii_case(b"chunked"));
    let announced = request
        .values("content-length")
        .next()
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    let body = if chunked {
        dechunk(rest)?
    } else {
        let announced = announced.unwrap_or(0);
        rest.get(..announced).map(|body| (body.to_vec(), announced))
    };
    let Some((body, taken)) = body else { return Ok(None) };
    request.body = body;
    Ok(Some((request, length + taken)))
}

/// The chunked body at the start of `bytes`, if the body is whole, and the number of bytes read.
fn dechunk(bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let garbled = || io::Error::from(io::ErrorKind::InvalidData);
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (line, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(garbled()),
        };
        let size = usize::try_from(size).map_err(|_| garbled())?;
        let Some(chunk) = rest.get(line..).and_then(|rest| rest.get(..size)) else { return Ok(None) };
        let Some(end) = rest.get(line + size..line + size + 2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err(garbled());
        }
        body.extend_from_slice(chunk);
        at += line + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}
