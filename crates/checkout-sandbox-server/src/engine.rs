//! The store of an engine, as the program `checkout-engine` shows the store. The server knows neither the
//! engine nor its databases: it runs the program, and hands on what the program prints.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

/// The program, and the store that it looks at.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) program: PathBuf,
    pub(crate) store: OsString,
}

impl fmt::Debug for Engine {
    /// Without the store, whose address can have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Engine {
    /// At most so many checkouts behind an id, the first events that no checkout has, and the figures.
    ///
    /// # Errors
    /// A sentence about the program, or the program's own.
    pub(crate) async fn look(&self, after: Option<&str>, most: usize) -> Result<Value, String> {
        let most = most.to_string();
        let mut ls = vec!["ls", "--limit", &most];
        ls.extend(after.into_iter().flat_map(|after| ["--after", after]));
        let unmatched = ["unmatched", "--limit", &most];
        let (checkouts, unmatched, figures) =
            tokio::try_join!(self.says(&ls), self.says(&unmatched), self.says(&["figures"]))?;
        Ok(json!({ "checkouts": checkouts, "unmatched": unmatched, "figures": figures }))
    }

    async fn says(&self, arguments: &[&str]) -> Result<Value, String> {
        let program = self.program.display();
        let mut command = Command::new(&self.program);
        // Others can read a program's arguments, and not its environment.
        command.args(arguments).arg("--json").env("CHECKOUT_ENGINE_STORE", &self.store);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = match timeout(PATIENCE, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(format!("{program} does not start: {error}")),
            Err(_) => return Err(format!("{program} has said nothing for {} seconds", PATIENCE.as_secs())),
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().next().unwrap_or("it says nothing");
            return Err(format!("{program}: {first}"));
        }
        serde_json::from_slice(&output.stdout).map_err(|_| format!("{program} prints no JSON: is it as new?"))
    }
}

/// The longest time for the program.
const PATIENCE: Duration = Duration::from_secs(10);
