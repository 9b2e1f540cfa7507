//! A response's body, read with its cap.

use std::fmt;
use std::io::Read;

use bytes::Bytes;

use crate::TransportError;

/// The most bytes that a response's body may have: 1 MiB.
///
/// A provider's answers are a few kilobytes; a larger body is not a provider's answer, and would only fill
/// the memory. Assumed: no provider documents a limit.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// assert_eq!(checkout_kit::transport::BODY_CAP, 1024 * 1024);
/// ```
pub const BODY_CAP: usize = 1 << 20;

/// Collects a response's body as the body streams in, and refuses the body as soon as it goes over the cap.
///
/// The buffer never takes in more than the cap and one byte. A buffer that has refused refuses for good: a
/// body cut short never comes out.
///
/// `Debug` prints lengths, never content.
///
/// ```
/// # checkout_doctest::facade!(transport);
/// use checkout_kit::transport::BodyBuffer;
///
/// let mut body = BodyBuffer::new(8);
/// body.push(b"{\"a\"")?;
/// body.push(b":1}")?;
/// assert_eq!(body.finish()?, "{\"a\":1}");
///
/// let mut body = BodyBuffer::new(8);
/// body.push(b"{\"a\"")?;
/// assert_eq!(body.push(b":12345}").unwrap_err().exceeded_cap(), Some(8));
/// assert!(body.finish().is_err());
/// # Ok::<(), checkout_transport::TransportError>(())
/// ```
pub struct BodyBuffer {
    bytes: Vec<u8>,
    cap: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    OverCap,
    Broken,
}

impl BodyBuffer {
    /// An empty body that may grow to `cap` bytes. A cap above [`BODY_CAP`] counts as [`BODY_CAP`].
    ///
    /// ```
    /// # use checkout_transport::{BODY_CAP, BodyBuffer};
    /// assert_eq!(BodyBuffer::new(8).cap(), 8);
    /// assert_eq!(BodyBuffer::new(usize::MAX).cap(), BODY_CAP);
    /// ```
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self { bytes: Vec::new(), cap: cap.min(BODY_CAP), state: State::Whole }
    }

    /// The most bytes that the buffer takes.
    ///
    /// ```
    /// # use checkout_transport::{BODY_CAP, BodyBuffer};
    /// assert_eq!(BodyBuffer::default().cap(), BODY_CAP);
    /// ```
    #[must_use]
    pub fn cap(&self) -> usize {
        self.cap
    }

    /// Refuses a body by the `content-length` that its response gives, before a byte of the body is read.
    ///
    /// This saves reading a body that will be too large; a smaller length is believed for nothing.
    ///
    /// # Errors
    /// [`TransportError::too_large`] when `content_length` is over the cap.
    ///
    /// ```
    /// # use checkout_transport::BodyBuffer;
    /// let mut body = BodyBuffer::new(8);
    /// assert!(body.expect_length(8).is_ok());
    /// assert!(body.expect_length(9).is_err());
    /// ```
    pub fn expect_length(&mut self, content_length: u64) -> Result<(), TransportError> {
        if usize::try_from(content_length).is_ok_and(|length| length <= self.cap) {
            return self.still_whole();
        }
        self.spoil(State::OverCap);
        self.still_whole()
    }

    /// Adds the bytes that came next.
    ///
    /// # Errors
    /// [`TransportError::too_large`] when they take the body over the cap. The adapter then closes the
    /// connection and returns the error.
    ///
    /// ```
    /// # use checkout_transport::BodyBuffer;
    /// let mut body = BodyBuffer::new(4);
    /// assert!(body.push(b"1234").is_ok());
    /// assert!(body.push(b"5").is_err());
    /// ```
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), TransportError> {
        self.still_whole()?;
        if chunk.len() > self.room() {
            self.spoil(State::OverCap);
            return self.still_whole();
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Adds all that `reader` still gives, and stops at the cap.
    ///
    /// # Errors
    /// [`TransportError::too_large`] when the body is more than the cap; [`TransportError::unknown`] with the
    /// reader's error when the reader fails, since the request has been sent by then.
    ///
    /// ```
    /// # use checkout_transport::BodyBuffer;
    /// let mut body = BodyBuffer::new(8);
    /// body.read_from(&b"12345678"[..])?;
    /// assert_eq!(body.finish()?, "12345678");
    ///
    /// let endless = std::io::repeat(b'1');
    /// assert_eq!(BodyBuffer::new(8).read_from(endless).unwrap_err().exceeded_cap(), Some(8));
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    pub fn read_from(&mut self, reader: impl Read) -> Result<(), TransportError> {
        self.still_whole()?;
        let one_too_many = u64::try_from(self.room()).unwrap_or(u64::MAX).saturating_add(1);
        if let Err(error) = reader.take(one_too_many).read_to_end(&mut self.bytes) {
            self.spoil(State::Broken);
            return Err(TransportError::unknown(error));
        }
        if self.bytes.len() > self.cap {
            self.spoil(State::OverCap);
        }
        self.still_whole()
    }

    /// The whole body. Call this when the HTTP stack has reported that the body has ended well.
    ///
    /// # Errors
    /// [`TransportError`] when any part of the body was refused or could not be read before.
    ///
    /// ```
    /// # use checkout_transport::BodyBuffer;
    /// assert!(BodyBuffer::default().finish()?.is_empty());
    /// # Ok::<(), checkout_transport::TransportError>(())
    /// ```
    pub fn finish(self) -> Result<Bytes, TransportError> {
        self.still_whole()?;
        Ok(Bytes::from(self.bytes))
    }

    fn room(&self) -> usize {
        self.cap.saturating_sub(self.bytes.len())
    }

    fn still_whole(&self) -> Result<(), TransportError> {
        match self.state {
            State::Whole => Ok(()),
            State::OverCap => Err(TransportError::too_large(self.cap)),
            State::Broken => Err(TransportError::unknown("the response body could not be read to its end")),
        }
    }

    /// Gives the body up for good, and frees the body's memory.
    fn spoil(&mut self, state: State) {
        self.state = state;
        self.bytes = Vec::new();
    }
}

impl Default for BodyBuffer {
    /// An empty body that may grow to [`BODY_CAP`].
    fn default() -> Self {
        Self::new(BODY_CAP)
    }
}

impl fmt::Debug for BodyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBuffer")
            .field("len", &self.bytes.len())
            .field("cap", &self.cap)
            .field("state", &self.state)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delivery;
    use std::io;

    /// Reads a body of `len` bytes in pieces of `piece`, pushed or read, and returns the result.
    fn check(cap: usize, len: usize, piece: usize, by_reader: bool) -> String {
        let body: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut buffer = BodyBuffer::new(cap);
        let mut taken = Ok(());
        for chunk in body.chunks(piece) {
            taken = if by_reader { buffer.read_from(chunk) } else { buffer.push(chunk) };
            if taken.is_err() {
                break;
            }
        }
        let finished = buffer.finish();
        assert_eq!(taken.is_err(), finished.is_err());
        match finished {
            Ok(bytes) if bytes == body => "whole".to_owned(),
            Ok(bytes) => format!("{} of {len} bytes", bytes.len()),
            Err(error) => format!("over {:?}, {}", error.exceeded_cap(), error.delivery()),
        }
    }

    /// Gives some bytes, now and then is interrupted, and fails in the end.
    struct Failing(u8);

    impl Read for Failing {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => {
                    room[0] = b'{';
                    Ok(1)
                }
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }

    #[test]
    fn a_body_in_any_pieces_is_whole_up_to_the_cap_and_refused_beyond() {
        for cap in 0..6 {
            for len in 0..9 {
                for piece in 1..10 {
                    let expected =
                        if len <= cap { "whole".to_owned() } else { format!("over Some({cap}), unknown") };
                    assert_eq!(check(cap, len, piece, false), expected, "pushed: {cap} {len} {piece}");
                    assert_eq!(check(cap, len, piece, true), expected, "read: {cap} {len} {piece}");
                }
            }
        }
    }

    #[test]
    fn no_cap_is_above_the_contract_s() {
        for by_reader in [false, true] {
            assert_eq!(check(usize::MAX, BODY_CAP, 65_536, by_reader), "whole");
            assert_eq!(check(usize::MAX, BODY_CAP + 1, 65_536, by_reader), "over Some(1048576), unknown");
        }
    }

    #[test]
    fn a_refused_body_stays_refused() {
        let mut buffer = BodyBuffer::new(2);
        buffer.push(b"12").unwrap();
        assert!(buffer.push(b"3").is_err());
        assert!(buffer.push(b"").is_err());
        assert!(buffer.read_from(&b""[..]).is_err());
        assert!(buffer.expect_length(0).is_err());
        assert_eq!(buffer.finish().unwrap_err().exceeded_cap(), Some(2));
    }

    #[test]
    fn an_announced_length_over_the_cap_is_refused_unread() {
        for (length, taken) in [(0, true), (8, true), (9, false), (u64::MAX, false)] {
            let mut buffer = BodyBuffer::new(8);
            assert_eq!(buffer.expect_length(length).is_ok(), taken, "{length}");
            assert_eq!(buffer.push(b"{}").is_ok(), taken, "{length}");
        }
    }

    #[test]
    fn a_reader_that_fails_leaves_no_body_cut_short() {
        let mut buffer = BodyBuffer::new(8);
        let error = buffer.read_from(Failing(0)).unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(error.exceeded_cap(), None);
        let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
        assert!(buffer.push(b"}").is_err());
        assert_eq!(buffer.finish().unwrap_err().delivery(), Delivery::Unknown);
    }

    #[test]
    fn debug_shows_lengths_and_no_content() {
        let mut buffer = BodyBuffer::new(8);
        buffer.push(b"secret").unwrap();
        assert_eq!(format!("{buffer:?}"), "BodyBuffer { len: 6, cap: 8, state: Whole }");
    }
}
