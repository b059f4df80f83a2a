//! Where each target's deployment keeps its state: told by the Databricks CLI once, remembered until
//! the bundle's files change.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::bundle::{self, Bundle, TargetWorkspace};
use crate::context::Context;
use crate::databricks::{SignedIn, Target};
use crate::vars;

/// What is remembered.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// Digest of the bundle's files.
    bundle: String,
    /// What the CLI said, by target.
    targets: BTreeMap<String, Known>,
}

/// What the CLI said about a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// `workspace.state_path` of the bundle.
    pub(super) state_path: String,
    /// Who one is in a workspace on Databricks.
    pub(super) signed_in: Option<SignedIn>,
}

/// The paths, looked up once and remembered.
pub(super) struct StatePaths {
    file: Utf8PathBuf,
    memory: Mutex<Memory>,
    /// What the environment says about workspaces on Databricks.
    env: String,
}

impl StatePaths {
    /// Reads what is remembered about this state of the bundle's files.
    pub(super) fn open(context: &Context, bundle: &Bundle) -> StatePaths {
        let file = context.local().join("cache").join("state-paths.json");
        let bundle = bundle.digest.clone();
        let memory = fs_err::read(&file)
            .ok()
            .and_then(|bytes| xtask_remote::json::from_slice::<Memory>(&bytes).ok())
            .filter(|memory| memory.bundle == bundle)
            .unwrap_or(Memory {
                bundle,
                targets: BTreeMap::new(),
            });
        StatePaths {
            file,
            memory: Mutex::new(memory),
            env: [vars::DATABRICKS_HOST, vars::DATABRICKS_CONFIG_PROFILE]
                .map(|name| context.env.get(name).unwrap_or("-").to_owned())
                .join(" "),
        }
    }

    /// What is remembered about a target.
    pub(super) fn remembered(&self, target: &bundle::DeclaredTarget) -> Option<Known> {
        self.lock().targets.get(&self.key(target)).cloned()
    }

    /// Asks the CLI, and remembers the answer.
    pub(super) fn ask(
        &self,
        about: &bundle::DeclaredTarget,
        target: &Target<'_>,
        limit: Duration,
    ) -> anyhow::Result<Known> {
        let started = Instant::now();
        let signed_in = match about.workspace.local() {
            Some(_) => None,
            None => Some(target.signed_in(limit)?.clone()),
        };
        let summary = target.outlined_summary(limit.saturating_sub(started.elapsed()))?;
        let known = Known {
            state_path: summary.workspace.state_path,
            signed_in,
        };
        let mut memory = self.lock();
        memory.targets.insert(self.key(about), known.clone());
        // What cannot be kept is asked for again next time.
        if let (Some(folder), Ok(text)) = (self.file.parent(), serde_json::to_vec_pretty(&*memory))
        {
            let _ = fs_err::create_dir_all(folder);
            let _ = fs_err::write(&self.file, text);
        }
        Ok(known)
    }

    fn key(&self, target: &bundle::DeclaredTarget) -> String {
        match &target.workspace {
            TargetWorkspace::Local(profile) => format!("{} local {profile}", target.name),
            TargetWorkspace::Databricks { host, profile } => format!(
                "{} {} {} {}",
                target.name,
                host.as_deref().unwrap_or("-"),
                profile.as_deref().unwrap_or("-"),
                self.env
            ),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
