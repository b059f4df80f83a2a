//! What a commit of everything would hold, found out without touching the index or git's objects: with an
//! index and a folder of objects apart, which vanish afterwards. Filters (Git LFS), line ends and ignored
//! files have their say, as they will in the commit.

use camino::Utf8PathBuf;

use super::Git;
use crate::error::{Failure, Kind};

/// An index and objects of their own.
#[derive(Debug)]
pub(crate) struct Apart {
    git: Git,
    _folder: Folder,
    /// The tree that the commit would have.
    pub(crate) tree: String,
}

/// Removed with everything in it at the end.
#[derive(Debug)]
struct Folder(Utf8PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs_err::remove_dir_all(&self.0);
    }
}

impl Apart {
    /// git that sees these objects besides its own.
    pub(crate) fn git(&self) -> &Git {
        &self.git
    }
}

impl Git {
    /// Adds everything that is not committed, apart.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what git or a filter says: the commit would fail in the same way.
    pub(crate) fn stage_apart(&self) -> anyhow::Result<Apart> {
        let name = format!("xtask-apart-{}", std::process::id());
        let folder = Folder(Utf8PathBuf::from(self.git_folder()?).join(name));
        fs_err::create_dir_all(folder.0.join("objects"))?;
        let index = self.git_path("index")?;
        if index.is_file() {
            // With the index as it is, only files that differ are read.
            fs_err::copy(index, folder.0.join("index"))?;
        }
        let git = Git {
            apart: Some((folder.0.clone(), self.git_path("objects")?)),
            ..self.clone()
        };
        let added = git.run(&[
            "-C",
            self.top()?.as_str(),
            "-c",
            "core.compression=0",
            "-c",
            "core.splitIndex=false",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "advice.addEmbeddedRepo=false",
            "add",
            "--all",
        ])?;
        if !added.ok() {
            return Failure::new(Kind::Failed, "git cannot add what is not committed")
                .details(added.tail)
                .next("git add --all")
                .err();
        }
        let tree = git.read(&["write-tree"])?;
        Ok(Apart {
            git,
            _folder: folder,
            tree,
        })
    }

    /// Where git keeps something of this work tree.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn git_path(&self, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let path = self.read(&["rev-parse", "--path-format=absolute", "--git-path", name])?;
        Ok(path.into())
    }
}
