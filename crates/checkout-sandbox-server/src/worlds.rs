//! The worlds of a server, by name and by key.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use checkout_tables::Moment;

use crate::world::World;

/// A kind of key that leads to a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    AllScaleKey,
    AzotteTenant,
    PeachEntity,
    PeachClient,
    /// An access token of Peach's V2, which a sandbox gave out.
    PeachToken,
}

/// The worlds. The default world is always among them.
pub(crate) struct Worlds {
    default: Arc<World>,
    index: RwLock<Index>,
    /// The number of the next name that the server makes up.
    named: AtomicU64,
}

/// The worlds by name, all but the default world by key, and all by access token.
#[derive(Default)]
struct Index {
    by_name: BTreeMap<String, Arc<World>>,
    by_key: HashMap<Kind, HashMap<String, Arc<World>>>,
}

/// The reason why a world was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    NameTaken,
    KeyTaken,
    /// The server's file takes nothing more.
    NotKept,
}

impl Worlds {
    pub(crate) fn new(default: World) -> Self {
        let default = Arc::new(default);
        let by_name = BTreeMap::from([(default.name().to_owned(), Arc::clone(&default))]);
        let index = RwLock::new(Index { by_name, by_key: HashMap::new() });
        Self { default, index, named: AtomicU64::new(1) }
    }

    pub(crate) fn default_world(&self) -> &Arc<World> {
        &self.default
    }

    /// A name that no world has, and that this function gave to no earlier world: a client of a world that is
    /// gone leads into no other world.
    pub(crate) fn free_name(&self) -> String {
        loop {
            let name = format!("w{}", self.named.fetch_add(1, Ordering::Relaxed));
            if self.read(|index| !index.by_name.contains_key(&name)) {
                return name;
            }
        }
    }

    /// Adds a world. `note` writes the world down before anybody finds the world, and says if that is done.
    pub(crate) fn add(
        &self,
        world: World,
        note: impl FnOnce(&World) -> bool,
    ) -> Result<Arc<World>, NotAdded> {
        let world = Arc::new(world);
        // A name that the server has made up in an earlier run is not made up again.
        if let Some(number) = world.name().strip_prefix('w').and_then(|number| number.parse::<u64>().ok()) {
            self.named.fetch_max(number.saturating_add(1), Ordering::Relaxed);
        }
        self.write(|index| {
            if index.by_name.contains_key(world.name()) {
                return Err(NotAdded::NameTaken);
            }
            let keys = keys_of(&world);
            if keys.iter().any(|(kind, key)| index.with_key(*kind, key).is_some()) {
                return Err(NotAdded::KeyTaken);
            }
            if !note(&world) {
                return Err(NotAdded::NotKept);
            }
            for (kind, key) in keys {
                index.lead(kind, key, &world);
            }
            index.by_name.insert(world.name().to_owned(), Arc::clone(&world));
            Ok(world)
        })
    }

    /// Takes a world away. False if no world has the name, or the world is the default world.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.write(|index| {
            let removed = if name == World::DEFAULT { None } else { index.by_name.remove(name) };
            if let Some(world) = &removed {
                index.by_key.values_mut().for_each(|keys| keys.retain(|_, of| !Arc::ptr_eq(of, world)));
            }
            removed.is_some()
        })
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<World>> {
        self.read(|index| index.by_name.get(name).cloned())
    }

    /// All worlds, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<World>> {
        self.read(|index| index.by_name.values().cloned().collect())
    }

    /// The world of the first key that is a world's, or the default world. `keys` is not called if there is
    /// no other world.
    pub(crate) fn of_keys(&self, keys: impl FnOnce() -> Vec<(Kind, String)>) -> Arc<World> {
        self.read(|index| {
            if index.by_name.len() == 1 {
                return Arc::clone(&self.default);
            }
            let found = keys().iter().find_map(|(kind, key)| index.with_key(*kind, key).cloned());
            found.unwrap_or_else(|| Arc::clone(&self.default))
        })
    }

    /// Lets an access token lead to a world for as long as the token lasts, and no token of the world that
    /// has ended.
    pub(crate) fn lead_token(&self, token: String, seconds: u64, world: &Arc<World>) {
        // Time may go back to a snapshot, in which a token has not ended.
        let now = if world.snapshots().is_empty() { world.now() } else { Moment::from_unix_millis(i64::MIN) };
        let ended = world.tokens().add(token.clone(), seconds, (world.now(), now));
        self.write(|index| {
            if let Some(tokens) = index.by_key.get_mut(&Kind::PeachToken) {
                ended.iter().for_each(|token| drop(tokens.remove(token)));
            }
            index.lead(Kind::PeachToken, token, world);
        });
    }

    fn read<T>(&self, ask: impl FnOnce(&Index) -> T) -> T {
        ask(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Index {
    fn with_key(&self, kind: Kind, key: &str) -> Option<&Arc<World>> {
        self.by_key.get(&kind)?.get(key)
    }

    fn lead(&mut self, kind: Kind, key: String, world: &Arc<World>) {
        self.by_key.entry(kind).or_default().insert(key, Arc::clone(world));
    }
}

fn keys_of(world: &World) -> [(Kind, String); 4] {
    let keys = world.keys();
    [
        (Kind::AllScaleKey, keys.allscale_api_key.clone()),
        (Kind::AzotteTenant, keys.azotte_x_tn.clone()),
        (Kind::PeachEntity, keys.peach_entity_id.clone()),
        (Kind::PeachClient, keys.peach_client_id.clone()),
    ]
}
