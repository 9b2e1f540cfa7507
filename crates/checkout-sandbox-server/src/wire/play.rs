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
            let pieces = usize::try_from(pieces).unwrap_or(1).clamp(1, answer.len().max(1));
            let pause = Duration::from_millis(over_ms) / u32::try_from(pieces).unwrap_or(u32::MAX);
            in_pieces(stream, answer, answer.len().div_ceil(pieces), pause).await
        }
        Wire::Bandwidth { bytes_per_second } => {
            let second = usize::try_from(bytes_per_second).unwrap_or(usize::MAX);
            // Twenty pieces in a second, or a byte at a time.
            let piece = (second / 20).max(1);
            let pause = Duration::from_secs(1).saturating_mul(u32::try_from(piece).unwrap_or(u32::MAX))
                / u32::try_from(second).unwrap_or(u32::MAX);
            in_pieces(stream, answer, piece, pause).await
        }
        Wire::Slicer { bytes, pause_ms } => {
            let piece = usize::try_from(bytes).unwrap_or(usize::MAX);
            in_pieces(stream, answer, piece, Duration::from_millis(pause_ms)).await
        }
    }
}

/// Writes the answer in pieces, each after a pause.
async fn in_pieces(stream: &mut TcpStream, answer: &[u8], piece: usize, pause: Duration) -> io::Result<()> {
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
