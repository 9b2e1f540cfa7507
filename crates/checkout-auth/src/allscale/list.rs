//! The signatures in one header.

use alloc::vec::Vec;

use super::{MAC_BYTES, PREFIX, read_base64};
use crate::fields::HeaderProblem;

/// The signatures of version 1 in a header's value: at least one, and none of them malformed.
///
/// The value is one signature or several, separated by commas that may have blanks around them. One that does
/// not begin with `v1=` is of another version, and passed over, but counted.
pub(super) fn read_signatures(value: &[u8]) -> Result<Vec<[u8; MAC_BYTES]>, HeaderProblem> {
    if value.is_empty() {
        return Err(HeaderProblem::Empty);
    }
    if value.first().is_some_and(is_blank) || value.last().is_some_and(is_blank) {
        return Err(HeaderProblem::NotVisibleAscii);
    }
    let mut signatures = Vec::new();
    for (before, piece) in value.split(|byte| *byte == b',').enumerate() {
        if before == MOST {
            return Err(HeaderProblem::TooManySignatures);
        }
        let piece = without_blanks(piece);
        if piece.is_empty() {
            return Err(HeaderProblem::NotAList);
        }
        if !piece.iter().all(u8::is_ascii_graphic) {
            return Err(HeaderProblem::NotVisibleAscii);
        }
        if let Some(digits) = piece.strip_prefix(PREFIX.as_bytes()) {
            signatures.push(read_base64(digits).ok_or(HeaderProblem::NotBase64)?);
        }
    }
    if signatures.is_empty() { Err(HeaderProblem::NoKnownVersion) } else { Ok(signatures) }
}

fn without_blanks(mut piece: &[u8]) -> &[u8] {
    while let [blank, rest @ ..] = piece
        && is_blank(blank)
    {
        piece = rest;
    }
    while let [rest @ .., blank] = piece
        && is_blank(blank)
    {
        piece = rest;
    }
    piece
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The most signatures in one header, of all versions.
pub(super) const MOST: usize = 8;

#[cfg(test)]
pub(super) mod tests;
