//! The file that tells others that the server listens, and where.

use std::fs;
use std::io;
use std::path::Path;

/// Refuses a path that leads to something else than a file, such as a folder or a device.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("is no regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

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

/// Takes the file away, unless another server has written another file there.
pub(crate) fn remove(path: &Path, json: &str) -> io::Result<()> {
    if fs::read_to_string(path)? == format!("{json}\n") { fs::remove_file(path) } else { Ok(()) }
}
