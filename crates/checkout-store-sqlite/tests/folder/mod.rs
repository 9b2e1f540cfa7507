//! A folder of one test, which goes with the test.

use std::path::PathBuf;
use std::{env, fs, io, process};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let path = env::temp_dir().join(format!("checkout-store-sqlite-{}-{name}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The system's own folder for such files is emptied by the system too.
        let _ = fs::remove_dir_all(&self.0);
    }
}
