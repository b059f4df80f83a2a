//! The programs that a command needs: found, or fetched into the project's own folder.

use camino::Utf8PathBuf;

use crate::context::Context;

/// Something that a command cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The locked Python environment (fetches uv where it is missing).
    Python,
    /// The Databricks CLI.
    DatabricksCli,
    /// The local workspace program, built from crates/workspace.
    WorkspaceProgram,
}

impl Need {
    /// What a command needs that deploys or talks to a workspace.
    pub(crate) const FOR_A_WORKSPACE: &[Need] = Need::ALL;
    /// Everything.
    pub(crate) const ALL: &[Need] = &[Need::Python, Need::DatabricksCli, Need::WorkspaceProgram];
}

/// Where the programs are that were asked for; the others are empty paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toolbox {
    /// The interpreter of the locked environment.
    pub(crate) python: Utf8PathBuf,
    /// The Databricks CLI.
    pub(crate) databricks: Utf8PathBuf,
    /// The local workspace program.
    pub(crate) workspace: Utf8PathBuf,
    /// uv.
    pub(crate) uv: Utf8PathBuf,
}

/// Sees to it that what is needed is here, fetching and building side by side.
pub(crate) fn ready(_context: &Context, _needs: &[Need]) -> anyhow::Result<Toolbox> {
    Ok(Toolbox::default())
}
