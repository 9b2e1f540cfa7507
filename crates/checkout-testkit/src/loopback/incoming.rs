//! The bytes of a connection, read piece by piece.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use checkout_transport::BODY_CAP;
use checkout_transport::http::StatusCode;

use super::head::{Head, Length};
use super::{HEAD_CAP, Shared};

/// The bytes of a connection, those that have come and those that will.
pub(super) struct Incoming<'a> {
    stream: &'a TcpStream,
    /// Come, and not taken yet.
    buffer: Vec<u8>,
}

/// The reason why there is no further request.
pub(super) enum Stop {
    /// The request is refused with this status.
    Refused(StatusCode),
    /// The other side has closed the connection, or there is nothing to answer.
    Gone,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// True if everything that has come was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next request's head.
    pub(super) fn head(&mut self, shared: &Shared) -> Result<Head, Stop> {
        loop {
            if let Some((head, len)) = Head::of(&self.buffer, shared).map_err(Stop::Refused)? {
                self.buffer.drain(..len);
                return Ok(head);
            }
            let begun = !self.is_empty();
            self.fill().map_err(|stop| if begun { Stop::Refused(StatusCode::BAD_REQUEST) } else { stop })?;
        }
    }

    /// The body of the request whose head was taken.
    pub(super) fn body(&mut self, length: Length) -> Result<Vec<u8>, Stop> {
        let mut body = Vec::new();
        let read = match length {
            Length::Bytes(length) => self.take(length, &mut body),
            Length::Chunked => self.chunks(&mut body),
        };
        read.map(|()| body).map_err(|stop| match stop {
            Stop::Gone => Stop::Refused(StatusCode::BAD_REQUEST),
            refused @ Stop::Refused(_) => refused,
        })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), Stop> {
        loop {
            let line = self.line(CHUNK_LINE_CAP)?;
            let parsed = line.first().filter(|first| first.is_ascii_hexdigit());
            let parsed = parsed.map(|_| httparse::parse_chunk_size(&line));
            let Some(Ok(httparse::Status::Complete((_, size)))) = parsed else {
                return Err(Stop::Refused(StatusCode::BAD_REQUEST));
            };
            if size == 0 {
                return self.trailers();
            }
            let room = BODY_CAP.saturating_sub(body.len());
            let size = usize::try_from(size).ok().filter(|size| *size <= room);
            self.take(size.ok_or(Stop::Refused(StatusCode::PAYLOAD_TOO_LARGE))?, body)?;
            let mut end = Vec::new();
            self.take(2, &mut end)?;
            if end != b"\r\n" {
                return Err(Stop::Refused(StatusCode::BAD_REQUEST));
            }
        }
    }

    fn trailers(&mut self) -> Result<(), Stop> {
        let mut left = HEAD_CAP;
        loop {
            let line = self.line(left)?;
            if line == b"\r\n" {
                return Ok(());
            }
            left = left.saturating_sub(line.len());
        }
    }

    /// The next line with its end, of at most `cap` bytes.
    fn line(&mut self, cap: usize) -> Result<Vec<u8>, Stop> {
        let mut seen = 0;
        loop {
            let end = self.buffer.iter().skip(seen).position(|byte| *byte == b'\n');
            let len = end.map(|end| seen.saturating_add(end).saturating_add(1));
            seen = self.buffer.len();
            match len {
                Some(len) if len <= cap => return Ok(self.buffer.drain(..len).collect()),
                None if seen < cap => self.fill()?,
                _ => return Err(Stop::Refused(StatusCode::BAD_REQUEST)),
            }
        }
    }

    /// Moves the next `len` bytes to `into`.
    fn take(&mut self, mut len: usize, into: &mut Vec<u8>) -> Result<(), Stop> {
        while len > 0 {
            if self.is_empty() {
                self.fill()?;
            }
            let part = len.min(self.buffer.len());
            into.extend(self.buffer.drain(..part));
            len = len.saturating_sub(part);
        }
        Ok(())
    }

    /// Waits for more.
    fn fill(&mut self) -> Result<(), Stop> {
        let mut room = [0; 8192];
        let mut stream = self.stream;
        loop {
            match stream.read(&mut room) {
                Ok(read) => match room.get(..read) {
                    Some(came @ [_, ..]) => {
                        self.buffer.extend_from_slice(came);
                        return Ok(());
                    }
                    _ => return Err(Stop::Gone),
                },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Stop::Gone),
            }
        }
    }
}

/// The longest line before a chunk.
const CHUNK_LINE_CAP: usize = 4096;
