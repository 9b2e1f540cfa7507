//! The faults of the wire: the sandbox has answered, and the answer's bytes come late, in pieces, in part or
//! not at all.
//!
//! The times are the machine's: a client waits by its own clock.

mod chance;
mod lent;
mod play;
mod table;

use std::time::Duration;

use checkout_transport::Response;
use checkout_transport::bytes::Bytes;

pub(crate) use lent::Lent;
pub(crate) use play::play;
pub(crate) use table::Wire;

/// A fault of the wire with its chance, for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    wire: Wire,
    /// The number from which the chances of the fault follow.
    draw: u64,
}

impl Plan {
    pub(crate) fn new(wire: Wire, draw: u64) -> Self {
        Self { wire, draw }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.wire.name()
    }

    /// The time to wait before the answer, if the fault is a wait and nothing else.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self.wire {
            Wire::Delay { ms, jitter_ms } => Some(chance::even(ms, jitter_ms, self.draw)),
            Wire::DelayLogNormal { median_ms, sigma_permille } => {
                Some(chance::log_normal(median_ms, sigma_permille, self.draw))
            }
            Wire::Dribble { .. }
            | Wire::Bandwidth { .. }
            | Wire::Slicer { .. }
            | Wire::Cut { .. }
            | Wire::Reset { .. }
            | Wire::Empty
            | Wire::Garbage
            | Wire::BadChunk
            | Wire::Stall { .. }
            | Wire::SlowClose { .. } => None,
        }
    }

    /// True if the client gets the whole answer of this many bytes, if the client waits for the answer.
    pub(crate) fn brings(&self, length: usize) -> bool {
        match self.wire {
            Wire::Delay { .. }
            | Wire::DelayLogNormal { .. }
            | Wire::Dribble { .. }
            | Wire::Bandwidth { .. }
            | Wire::Slicer { .. }
            | Wire::SlowClose { .. } => true,
            Wire::Cut { bytes } => bytes >= u64::try_from(length).unwrap_or(u64::MAX),
            // A client may see the reset before the bytes that came before the reset.
            Wire::Reset { .. } | Wire::Empty | Wire::Garbage | Wire::BadChunk | Wire::Stall { .. } => false,
        }
    }
}

/// An answer's bytes as the wire has them, with the connection closed after the answer. The answer to `HEAD`
/// has no body.
pub(crate) fn bytes_of(answer: &Response, is_head: bool) -> Bytes {
    let mut bytes = head_of(answer);
    bytes.extend(format!("content-length: {}\r\n\r\n", answer.body().len()).bytes());
    if !is_head {
        bytes.extend(answer.body());
    }
    bytes.into()
}

/// The head of an answer without its end and without a length.
fn head_of(answer: &Response) -> Vec<u8> {
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in answer.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(b"connection: close\r\n");
    head
}
