//! What every request sees.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::watch;

use crate::clock::Time;
use crate::exchanges::Exchanges;
use crate::faults::Faults;
use crate::git::Git;
use crate::lock::lock;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::state_dir::StateDir;
use crate::store::{Store, StoreError};
use crate::world::{Id, World};

/// A running forge.
#[derive(Debug)]
pub(crate) struct Forge {
    pub(crate) state: StateDir,
    /// Base address without a trailing slash, `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    pub(crate) port: u16,
    /// The token of whoever runs the forge.
    pub(crate) token: Secret,
    pub(crate) git: Git,
    world: RwLock<Arc<World>>,
    /// Held while the world changes: one change at a time.
    store: Mutex<Store>,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) exchanges: Exchanges,
    /// Tickets that were handed out, by their SHA-256.
    pub(crate) tickets: Mutex<HashMap<String, Ticket>>,
    pub(crate) stop: watch::Sender<bool>,
}

/// What a link with a secret in it leads to, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) ends: Time,
    pub(crate) to: Destination,
}

/// What a ticket is for.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// The log of a job.
    Log(Id),
    /// A browser that signs in as somebody, and goes on to a page.
    Session(Id, String),
}

impl Forge {
    pub(crate) fn new(
        state: StateDir,
        port: u16,
        token: Secret,
        store: Store,
        exchanges: Exchanges,
    ) -> Result<Forge, StoreError> {
        Ok(Forge {
            url: format!("http://127.0.0.1:{port}"),
            port,
            token,
            git: Git::new(state.path()),
            world: RwLock::new(Arc::new(store.load()?)),
            store: Mutex::new(store),
            faults: Faults::default(),
            record: Record::default(),
            exchanges,
            tickets: Mutex::default(),
            stop: watch::Sender::new(false),
            state,
        })
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> Arc<World> {
        self.world
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the world: all of it, on disk, or nothing.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut World) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut store = lock(&self.store);
        let mut world = World::clone(&self.world());
        let result = change(&mut world)?;
        let changes = world.take_changes().map_err(StoreError::from)?;
        store.save(&changes)?;
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
        Ok(result)
    }

    /// Asks the server to end.
    pub(crate) fn request_stop(&self) {
        self.stop.send_replace(true);
    }
}
