//! The tree that `git add --all` would commit, made with a temporary index and object store, so that the
//! repository's own stay untouched. Filters (Git LFS), line endings and ignore rules apply as in the
//! commit.

use camino::Utf8PathBuf;
use xshell::cmd;

use super::Git;
use crate::child_env::sh;
use crate::error::Failure;
use crate::temporary::Temporary;

/// A temporary index and object store.
#[derive(Debug)]
pub(crate) struct Apart {
    git: Git,
    _folder: Temporary,
    pub(crate) tree: String,
}

impl Apart {
    /// git with these objects besides the repository's.
    pub(crate) fn git(&self) -> &Git {
        &self.git
    }
}

impl Git {
    /// Adds all uncommitted changes to a temporary index.
    pub(crate) fn stage_apart(&self) -> anyhow::Result<Apart> {
        let folder = Utf8PathBuf::from(self.git_folder()?).join("xtask-apart");
        let folder = Temporary::folder(&folder)?;
        fs_err::create_dir(folder.join("objects"))?;
        let index = self.git_path("index")?;
        if index.is_file() {
            // A copy of the index, so that only changed files are read.
            fs_err::copy(index, folder.join("index"))?;
        }
        let git = Git {
            apart: Some((folder.to_path_buf(), self.git_path("objects")?)),
            ..self.clone()
        };
        let top = self.top()?;
        let settings = [
            "core.compression=0",
            "core.splitIndex=false",
            "core.fsmonitor=false",
            "advice.addEmbeddedRepo=false",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let added = git.run(cmd!(sh(), "git -C {top} {settings...} add --all"))?;
        if !added.ok() {
            return Failure::failed("git cannot add the uncommitted changes")
                .details(added.tail)
                .next("git add --all")
                .err();
        }
        let tree = git.read(cmd!(sh(), "git write-tree"))?;
        Ok(Apart {
            git,
            _folder: folder,
            tree,
        })
    }

    /// The path of one of git's files for this work tree.
    pub(super) fn git_path(&self, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let line = cmd!(
            sh(),
            "git rev-parse --path-format=absolute --git-path {name}"
        );
        Ok(self.read(line)?.into())
    }
}
