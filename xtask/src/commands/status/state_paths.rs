//! Where each target's deployment keeps its state: told by the Databricks CLI once, remembered until
//! the bundle's files change.

use std::collections::BTreeMap;
use std::sync::Mutex;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::bundle::{self, Place};
use crate::context::Context;
use crate::databricks::Target;
use crate::fingerprint::sha256;

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
    /// The workspace's address.
    pub(super) host: Option<String>,
    /// Whether a plan needs nothing but the CLI.
    pub(super) plans_by_itself: bool,
}

/// The paths, looked up once and remembered.
pub(super) struct StatePaths {
    file: Utf8PathBuf,
    memory: Mutex<Memory>,
}

impl StatePaths {
    /// Reads what is remembered about this state of the bundle's files.
    pub(super) fn open(context: &Context) -> StatePaths {
        let file = context.local().join("cache").join("state-paths.json");
        let bundle = digest(context);
        let memory = fs_err::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Memory>(&bytes).ok())
            .filter(|memory| memory.bundle == bundle)
            .unwrap_or(Memory {
                bundle,
                targets: BTreeMap::new(),
            });
        StatePaths {
            file,
            memory: Mutex::new(memory),
        }
    }

    /// What is remembered about a target.
    pub(super) fn remembered(&self, target: &bundle::Target) -> Option<Known> {
        self.lock().targets.get(&key(target)).cloned()
    }

    /// Asks the CLI, and remembers the answer.
    pub(super) fn ask(&self, about: &bundle::Target, target: &Target<'_>) -> anyhow::Result<Known> {
        let summary = target.summary()?;
        let known = Known {
            plans_by_itself: summary.plans_by_itself(),
            state_path: summary.workspace.state_path,
            host: summary.workspace.host,
        };
        let mut memory = self.lock();
        memory.targets.insert(key(about), known.clone());
        // What cannot be kept is asked for again next time.
        if let (Some(folder), Ok(text)) = (self.file.parent(), serde_json::to_vec_pretty(&*memory))
        {
            let _ = fs_err::create_dir_all(folder);
            let _ = fs_err::write(&self.file, text);
        }
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn key(target: &bundle::Target) -> String {
    match &target.place {
        Place::Local(profile) => format!("{} local {profile}", target.name),
        Place::Databricks { host, profile } => format!(
            "{} {} {}",
            target.name,
            host.as_deref().unwrap_or("-"),
            profile.as_deref().unwrap_or("-")
        ),
    }
}

/// Digest of databricks.yml and of the YAML files in the folders beside it.
fn digest(context: &Context) -> String {
    let mut files = vec![context.root.join("databricks.yml")];
    for folder in context.root.read_dir_utf8().into_iter().flatten().flatten() {
        if folder.file_name().starts_with('.') {
            continue;
        }
        let entries = folder
            .path()
            .read_dir_utf8()
            .into_iter()
            .flatten()
            .flatten();
        files.extend(
            entries
                .map(|entry| entry.path().to_owned())
                .filter(|path| matches!(path.extension(), Some("yml" | "yaml"))),
        );
    }
    files.sort();
    let mut text = String::new();
    for file in files {
        let content = fs_err::read(&file).unwrap_or_default();
        text.push_str(&format!("{file} {}\n", sha256(&content)));
    }
    sha256(text.as_bytes())
}
