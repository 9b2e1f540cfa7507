//! Secrets that no corpus has: a target puts them where an input says.

/// A card number, the same in groups, and a token. The token has the shape of nothing else.
pub const SECRETS: [&str; 3] = ["4111111111111111", "4111-1111-1111-1111", "tk|9xTQm4^Zr7"];

/// The input with a secret in the place of every byte 0xFF, 0xFE and 0xFD, which no text has.
pub fn with_secrets(input: &[u8]) -> Vec<u8> {
    let mut with = Vec::with_capacity(input.len());
    for byte in input {
        match SECRETS.get(usize::from(u8::MAX - byte)) {
            Some(secret) => with.extend_from_slice(secret.as_bytes()),
            None => with.push(*byte),
        }
    }
    with
}
