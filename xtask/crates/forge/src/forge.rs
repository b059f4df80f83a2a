//! The shared state of the server.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use xtask_local_server::lock;
use xtask_local_server::secret::Secret;
use xtask_local_server::serving::{Activity, Stop};
use xtask_local_server::sign_in::Tickets;
use xtask_local_server::state_dir::StateDir;

use crate::exchanges::Exchanges;
use crate::faults::Faults;
use crate::git::Git;
use crate::refusal::Refusal;
use crate::request_log::RequestLog;
use crate::store::{Store, StoreError};
use crate::world::{Id, World};

#[derive(Debug)]
pub(crate) struct Forge {
    pub(crate) state: StateDir,
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) token: Secret,
    pub(crate) git: Git,
    world: RwLock<Arc<World>>,
    /// Held during a change, so that changes are serialized.
    store: Mutex<Store>,
    pub(crate) faults: Faults,
    pub(crate) request_log: RequestLog,
    pub(crate) exchanges: Exchanges,
    pub(crate) log_links: Tickets<Id>,
    /// The user, and the path that the link leads to.
    pub(crate) sign_in_links: Tickets<(Id, String)>,
    pub(crate) activity: Activity,
    pub(crate) stop: Stop,
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
            request_log: RequestLog::default(),
            exchanges,
            log_links: Tickets::default(),
            sign_in_links: Tickets::default(),
            activity: Activity::default(),
            stop: Stop::default(),
            state,
        })
    }

    pub(crate) fn world(&self) -> Arc<World> {
        self.world
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the world and stores it: completely, or not at all.
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
}
