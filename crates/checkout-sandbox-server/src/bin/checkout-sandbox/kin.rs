//! The programs that a command has started, and that the command has left behind.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use tokio::time::{sleep, timeout};

/// Makes this program the parent of the programs whose parent ends, however far down these stand.
pub(crate) fn adopt() {
    // A system that refuses leaves these programs alone, and that is all.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Ends all programs that descend from this program: by a request first, and by force after the grace.
pub(crate) async fn end_all() {
    for signal in [Signal::TERM, Signal::KILL] {
        let mut told = HashSet::new();
        let ended = timeout(GRACE, async {
            loop {
                // The system keeps a program that has ended until its parent has asked.
                while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
                let left = descendants();
                if left.is_empty() {
                    return;
                }
                for pid in left.into_iter().filter(|pid| told.insert(*pid)) {
                    // A program that has just ended gets no signal.
                    let _ = kill_process(pid, signal);
                }
                sleep(BREATH).await;
            }
        });
        if ended.await.is_ok() {
            return;
        }
    }
}

/// The programs that descend from this program.
fn descendants() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_all: Vec<(i32, i32)> = entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name of the program stands in brackets, and may hold any character.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut family = vec![getpid().as_raw_nonzero().get()];
    let mut seen = 0;
    while let Some(parent) = family.get(seen).copied() {
        family.extend(of_all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        seen += 1;
    }
    family.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

/// The time between the request and the force.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// The pause between two looks.
const BREATH: Duration = Duration::from_millis(5);
