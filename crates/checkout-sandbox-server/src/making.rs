//! The making of a world: anew, or as a copy of another world.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use crate::clock::Start;
use crate::courier;
use crate::journal::Entry;
use crate::machine;
use crate::shared::Shared;
use crate::world::{World, is_name};
use crate::worlds::NotAdded;

/// The reason why a world is not made.
///
/// ```
/// use checkout_sandbox_server::WorldError;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// assert_eq!(server.fork("default", "default").err(), Some(WorldError::NameTaken));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// The name is not 1 to 32 of the characters a to z, 0 to 9 and -.
    #[error("is not 1 to 32 of the characters a to z, 0 to 9 and -")]
    Name,
    /// Another world has the name.
    #[error("another world has this name")]
    NameTaken,
    /// Another world has a key that follows from the name.
    #[error("another world has a key that follows from this name: take another name")]
    KeyTaken,
    /// The server's file takes nothing more.
    #[error("the server's file takes nothing more")]
    NotKept,
    /// The world that is to be copied is not there.
    #[error("no world has the name of the world to copy")]
    UnknownWorld,
}

/// Makes a world. Without a name, the server makes a name up.
pub(crate) fn make(
    server: &Shared,
    name: Option<&str>,
    seed: Option<u64>,
    start: Start,
) -> Result<Arc<World>, WorldError> {
    added(server, name, |name| World::new(name, seed, start, server.urls.root()), entry_of)
}

/// Makes a world with keys of its own and a copy of everything in another world.
pub(crate) fn fork(server: &Shared, of: &World, name: Option<&str>) -> Result<Arc<World>, WorldError> {
    // Nothing changes in the other world before the entry is written.
    let _change = of.change();
    let copied = |name| {
        let world = World::new(name, Some(of.seed()), of.start(), server.urls.root())?;
        world.copy(of);
        Some(world)
    };
    added(server, name, copied, |_| Entry::new("fork", json!({ "of": of.name() })))
}

/// The entry of a new world in the server's file.
pub(crate) fn entry_of(world: &World) -> Entry {
    Entry::new("world", json!({ "seed": world.seed(), "clock": world.start().to_json() }))
}

fn added(
    server: &Shared,
    name: Option<&str>,
    make: impl Fn(String) -> Option<World>,
    entry: impl Fn(&World) -> Entry,
) -> Result<Arc<World>, WorldError> {
    if name.is_some_and(|name| !is_name(name)) {
        return Err(WorldError::Name);
    }
    let _pin = machine::pin(machine::now());
    let is_playing = server.playing.load(Ordering::SeqCst);
    let journal = server.journal.as_ref().filter(|_| !is_playing);
    loop {
        let chosen = name.map_or_else(|| server.worlds.free_name(), str::to_owned);
        let world = make(chosen).ok_or(WorldError::Name)?;
        let times = (machine::now(), world.now());
        let note = |world: &World| match journal {
            Some(journal) => {
                world.keep_in(journal);
                journal.append(world.name(), times, &entry(world)).is_ok()
            }
            None => true,
        };
        match server.worlds.add(world, note) {
            Ok(world) => {
                if !is_playing {
                    courier::start(&world, &server.targets);
                }
                return Ok(world);
            }
            Err(NotAdded::NotKept) => return Err(WorldError::NotKept),
            // Another request has taken the free name in between.
            Err(NotAdded::NameTaken) if name.is_none() => {}
            Err(NotAdded::NameTaken) => return Err(WorldError::NameTaken),
            Err(NotAdded::KeyTaken) => return Err(WorldError::KeyTaken),
        }
    }
}
