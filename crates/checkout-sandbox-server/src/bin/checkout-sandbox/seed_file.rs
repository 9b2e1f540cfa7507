//! The seed file: the first file of a user, and the text of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// Writes a seed file with comments, which the server takes. A file that is there stays as it is.
pub(crate) fn init(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(include_str!("sandbox.json").as_bytes())
}

/// The text of a seed file.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // A device may have no end.
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::other("is larger than 1 MiB"));
    }
    Ok(text)
}

/// The largest file.
const MOST_BYTES: u64 = 1 << 20;
