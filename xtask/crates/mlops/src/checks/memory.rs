//! What is remembered of GitHub from one look to the next: numbers of pull requests, and what a fork is
//! a fork of. Both only save a request; what is forgotten or wrong is found again.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::context::Context;

/// What is remembered.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Numbers of pull requests, by branch.
    #[serde(default)]
    pub(crate) pulls: BTreeMap<String, u64>,
    /// Parents, by fork.
    #[serde(default)]
    pub(crate) parents: BTreeMap<String, String>,
}

impl Memory {
    /// Reads it; nothing is remembered where it cannot be read.
    pub(crate) fn read(context: &Context) -> Memory {
        fs_err::read(file(context))
            .ok()
            .and_then(|bytes| xtask_remote::json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Writes it, where it can be written.
    pub(crate) fn write(&self, context: &Context) {
        let file = file(context);
        let Some(folder) = file.parent() else { return };
        if let Ok(text) = serde_json::to_vec_pretty(self) {
            let _ = fs_err::create_dir_all(folder);
            let _ = fs_err::write(&file, text);
        }
    }
}

fn file(context: &Context) -> Utf8PathBuf {
    context.local().join("cache").join("pull-requests.json")
}
