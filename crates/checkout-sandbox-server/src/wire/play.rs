//! The playing of a fault on a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Plan;
use super::table::{MOST_MS, Wire};

/// Plays the fault with the bytes of the answer, and ends the connection.
///
/// A client that goes away ends the playing, and so does the greatest time of a fault.
pub(crate) async fn play(mut stream: TcpStream, plan: &Plan, answer: &[u8]) {
    let playing = async {
        bring(&mut stream, plan.wire, answer).await?;
        match plan.wire {
            Wire::Reset { .. } => stream.set_zero_linger(),
            Wire::Stall { ms } => until_gone(&mut stream, Duration::from_millis(ms)).await,
            Wire::SlowClose { ms } => until_gone(&mut stream, Duration::from_millis(ms)).await,
            Wire::Delay { .. }
            | Wire::DelayLogNormal { .. }
            | Wire::Dribble { .. }
            | Wire::Bandwidth { .. }
            | Wire::Slicer { .. }
            | Wire::Cut { .. }
            | Wire::Empty
            | Wire::Garbage
            | Wire::BadChunk => stream.shutdown().await,
        }
    };
    // A client that has gone away is the client's concern.
    let _ = timeout(MOST, playing).await;
}

/// Writes the bytes that the fault lets through.
async fn bring(stream: &mut TcpStream, wire: Wire, answer: &[u8]) -> io::Result<()> {
    let first = |bytes: u64| {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(answer.len());
        answer.get(..bytes).unwrap_or_default()
    };
    match wire {
        Wire::Empty | Wire::Stall { .. } => Ok(()),
        Wire::Delay { .. } | Wire::DelayLogNormal { .. } | Wire::SlowClose { .. } => {
            stream.write_all(answer).await
        }
        Wire::Cut { bytes } | Wire::Reset { bytes } => stream.write_all(first(bytes)).await,
        Wire::Garbage => stream.write_all(GARBAGE).await,
        Wire::BadChunk => stream.write_all(&bad_chunk(answer)).await,
        Wire::Dribble { over_ms, pieces } => {
            in_pieces(stream, answer, dribble(over_ms, pieces, answer.len())).await
        }
        Wire::Bandwidth { bytes_per_second } => in_pieces(stream, answer, bandwidth(bytes_per_second)).await,
        Wire::Slicer { bytes, pause_ms } => {
            let piece = usize::try_from(bytes).unwrap_or(usize::MAX);
            in_pieces(stream, answer, (piece, Duration::from_millis(pause_ms))).await
        }
    }
}

/// The length of a piece and the pause before each piece, for an answer that comes within a time.
fn dribble(over_ms: u64, pieces: u64, length: usize) -> (usize, Duration) {
    let pieces = usize::try_from(pieces).unwrap_or(1).clamp(1, length.max(1));
    let piece = length.div_ceil(pieces).max(1);
    // Whole pieces of one length may be fewer.
    let pieces = u32::try_from(length.div_ceil(piece)).unwrap_or(u32::MAX).max(1);
    (piece, Duration::from_millis(over_ms) / pieces)
}

/// The length of a piece and the pause before each piece, for an answer that comes at a rate.
fn bandwidth(bytes_per_second: u64) -> (usize, Duration) {
    // Twenty pieces in a second, or a byte at a time.
    let piece = u32::try_from(bytes_per_second / 20).unwrap_or(u32::MAX).max(1);
    let rate = u32::try_from(bytes_per_second).unwrap_or(u32::MAX).max(1);
    (usize::try_from(piece).unwrap_or(usize::MAX), Duration::from_secs(1).saturating_mul(piece) / rate)
}

/// Writes the answer in pieces of this length, each after this pause.
async fn in_pieces(
    stream: &mut TcpStream,
    answer: &[u8],
    (piece, pause): (usize, Duration),
) -> io::Result<()> {
    for bytes in answer.chunks(piece.max(1)) {
        if pause.is_zero() {
            tokio::task::yield_now().await;
        } else {
            sleep(pause).await;
        }
        stream.write_all(bytes).await?;
    }
    Ok(())
}

/// Waits until the client has gone away or the time is over.
async fn until_gone(stream: &mut TcpStream, time: Duration) -> io::Result<()> {
    let mut dropped = [0; 512];
    let gone = async { while stream.read(&mut dropped).await.is_ok_and(|read| read > 0) {} };
    // Both ends end the connection.
    let _ = timeout(time, gone).await;
    stream.shutdown().await
}

/// The answer with a body in chunks, whose first chunk has a size that is no number.
fn bad_chunk(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, rest) = answer.split_at(end);
    let head = String::from_utf8_lossy(head);
    let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    let body = rest.get(4..).unwrap_or_default();
    [head.as_bytes(), b"\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n", body, b"\r\n"].concat()
}

/// Bytes that are no HTTP.
const GARBAGE: &[u8] = b"\x00\xff\x1b]lorem ipsum\r\n\xc3\x28 dolor sit amet\x00\r\n\r\n\x7f\xfe";

/// The longest time of a fault.
const MOST: Duration = Duration::from_millis(MOST_MS);

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of pieces of an answer, and the milliseconds of all pauses.
    fn whole(length: usize, (piece, pause): (usize, Duration)) -> (usize, u128) {
        let pieces = length.div_ceil(piece);
        (pieces, (pause * u32::try_from(pieces).unwrap()).as_millis())
    }

    #[test]
    fn a_dribble_takes_its_time_whatever_the_number_of_pieces() {
        for (length, over_ms, pieces, expected) in [
            (100, 1_000, 10, (10, 1_000)),
            (100, 1_000, 1, (1, 1_000)),
            (100, 1_000, 10_000, (100, 1_000)),
            // Four bytes each: 25 pieces, and not 30.
            (100, 1_000, 30, (25, 1_000)),
            (1, 1_000, 10, (1, 1_000)),
            (100, 0, 10, (10, 0)),
        ] {
            assert_eq!(whole(length, dribble(over_ms, pieces, length)), expected, "{length} {pieces}");
        }
    }

    #[test]
    fn a_bandwidth_is_its_bytes_in_a_second() {
        for (rate, length, expected) in [
            (1_000, 1_000, (20, 1_000)),
            (1_000, 3_000, (60, 3_000)),
            (1, 3, (3, 3_000)),
            (1_000_000_000, 1_000, (1, 50)),
        ] {
            assert_eq!(whole(length, bandwidth(rate)), expected, "{rate} {length}");
        }
    }
}
