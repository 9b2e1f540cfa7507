//! The file that tells others that the server listens, and where.

use std::fs;
use std::io;
use std::path::Path;

/// Writes the file whole: a reader finds all of the file or no file.
pub(crate) fn write(path: &Path, json: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    fs::write(&beside, format!("{json}\n"))?;
    fs::rename(&beside, path).inspect_err(|_| {
        // The error of the renaming is the one to tell.
        let _ = fs::remove_file(&beside);
    })
}

/// Takes the file of this or of an earlier run away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
