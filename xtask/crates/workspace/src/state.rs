//! What every request sees.

use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use xtask_local_server::secret::Secret;
use xtask_local_server::serving::{Activity, Stop};
use xtask_local_server::sign_in::Tickets;

use crate::active_runs::ActiveRuns;
use crate::caller::{Caller, Credential};
use crate::config::Config;
use crate::files::Tree;
use crate::identity::Identity;
use crate::mlflow_state::MlflowState;
use crate::store::{Principal, Store, StoreError};

/// Version of this program, as it stands in replies and in `server.json`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The shared state of a workspace.
#[derive(Debug)]
pub struct App {
    /// How the server was started.
    pub config: Config,
    /// Base address without a trailing slash, `http://127.0.0.1:PORT`.
    pub url: String,
    /// The port we listen on.
    pub port: u16,
    /// The workspace, and its own user.
    pub identity: Identity,
    /// That user as an identity among others.
    pub user: Arc<Principal>,
    /// The personal access token.
    pub token: Secret,
    /// The database.
    pub store: Store,
    /// The tree of workspace files (`/Users/…`, `/Shared/…`), confined to its folder.
    pub workspace_files: Tree,
    /// The volumes, `<catalog>/<schema>/<volume>/…`, confined to their folder.
    pub volumes: Tree,
    /// The files of model versions, `<catalog>/<schema>/<model>/<version>/…`, confined to their folder.
    pub models: Tree,
    /// The files of MLflow's runs and logged models, as its server keeps them, confined to their folder.
    pub artifacts: Tree,
    /// Client for the hop to MLflow: it uses no proxy.
    pub http: reqwest::Client,
    /// Last use, for the idle stop.
    pub activity: Activity,
    /// Sign-in links, and the path that each leads to.
    pub sign_in_links: Tickets<String>,
    /// What the runner keeps in memory.
    pub runner: ActiveRuns,
    /// What the MLflow supervisor keeps in memory.
    pub mlflow: MlflowState,
    /// When the server started.
    pub started_at: Timestamp,
    pub(crate) stop: Stop,
}

impl App {
    /// The workspace's own user, asking by `by`.
    pub fn owner(&self, by: Credential) -> Caller {
        Caller {
            who: self.user.clone(),
            by,
        }
    }

    /// As whom the code of a run asks, and the workspace on its behalf; `None` where that identity is gone or not active.
    pub(crate) fn caller_of_run(
        &self,
        run_as: &str,
        job_run_id: i64,
    ) -> Result<Option<Caller>, StoreError> {
        let by = Credential::Run { job_run_id };
        if run_as.is_empty() || run_as == self.identity.user_name {
            return Ok(Some(self.owner(by)));
        }
        let who = self.store.principal_by_name(run_as)?;
        Ok(who.filter(|who| who.active).map(|who| Caller {
            who: Arc::new(who),
            by,
        }))
    }

    /// The folder of one task run, `DIR/runs/<task_run_id>`; it need not exist yet.
    pub fn task_run_dir(&self, task_run_id: i64) -> Utf8PathBuf {
        self.config
            .state
            .path()
            .join("runs")
            .join(task_run_id.to_string())
    }

    /// The workspace's id and address.
    pub fn workspace(&self) -> (&str, &str) {
        (&self.identity.workspace_id, &self.url)
    }

    /// Address of a run's page, as the API reports it.
    pub fn run_page_url(&self, job_id: i64, run_id: i64) -> String {
        format!(
            "{}/jobs/{job_id}/runs/{run_id}?o={}",
            self.url, self.identity.workspace_id
        )
    }
}
