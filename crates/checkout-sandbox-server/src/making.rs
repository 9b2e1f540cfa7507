//! The making of a world: anew, or as a copy of another world.

use std::sync::Arc;

use crate::clock::Start;
use crate::courier;
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
    added(server, name, |name| World::new(name, seed, start, server.urls.root()))
}

/// Makes a world with keys of its own and a copy of everything in another world.
pub(crate) fn fork(server: &Shared, of: &World, name: Option<&str>) -> Result<Arc<World>, WorldError> {
    added(server, name, |name| {
        let world = World::new(name, Some(of.seed()), of.start(), server.urls.root())?;
        world.copy(of);
        Some(world)
    })
}

fn added(
    server: &Shared,
    name: Option<&str>,
    make: impl Fn(String) -> Option<World>,
) -> Result<Arc<World>, WorldError> {
    if name.is_some_and(|name| !is_name(name)) {
        return Err(WorldError::Name);
    }
    loop {
        let chosen = name.map_or_else(|| server.worlds.free_name(), str::to_owned);
        let world = make(chosen).ok_or(WorldError::Name)?;
        match server.worlds.add(world) {
            Ok(world) => {
                courier::start(&world, &server.targets);
                return Ok(world);
            }
            // Another request has taken the free name in between.
            Err(NotAdded::NameTaken) if name.is_none() => {}
            Err(NotAdded::NameTaken) => return Err(WorldError::NameTaken),
            Err(NotAdded::KeyTaken) => return Err(WorldError::KeyTaken),
        }
    }
}
