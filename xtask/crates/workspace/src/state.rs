//! The shared state of the server.

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

/// Shown in replies and in `server.json`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug)]
pub struct App {
    pub config: Config,
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub url: String,
    pub port: u16,
    pub identity: Identity,
    pub user: Arc<Principal>,
    pub token: Secret,
    pub store: Store,
    /// The workspace tree (`/Users/…`, `/Shared/…`).
    pub workspace_files: Tree,
    /// `<catalog>/<schema>/<volume>/…`.
    pub volumes: Tree,
    /// Files of model versions, `<catalog>/<schema>/<model>/<version>/…`.
    pub models: Tree,
    /// Artifacts of MLflow's runs and logged models.
    pub artifacts: Tree,
    /// For MLflow and without a proxy.
    pub http: reqwest::Client,
    /// Last use, for the idle stop.
    pub activity: Activity,
    /// Sign-in links, and the path that each leads to.
    pub sign_in_links: Tickets<String>,
    pub runner: ActiveRuns,
    pub mlflow: MlflowState,
    pub started_at: Timestamp,
    pub(crate) stop: Stop,
}

impl App {
    /// The workspace's own user as the caller.
    pub fn owner(&self, by: Credential) -> Caller {
        Caller {
            who: self.user.clone(),
            by,
        }
    }

    /// The identity that a run's code acts as; `None` if it was removed or is inactive.
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

    /// `DIR/runs/<task_run_id>`; may not exist yet.
    pub fn task_run_dir(&self, task_run_id: i64) -> Utf8PathBuf {
        self.config
            .state
            .path()
            .join("runs")
            .join(task_run_id.to_string())
    }

    /// Id and address.
    pub fn workspace(&self) -> (&str, &str) {
        (&self.identity.workspace_id, &self.url)
    }

    /// As the API reports it.
    pub fn run_page_url(&self, job_id: i64, run_id: i64) -> String {
        format!(
            "{}/jobs/{job_id}/runs/{run_id}?o={}",
            self.url, self.identity.workspace_id
        )
    }
}
