//! git, as domain verbs.

use camino::Utf8PathBuf;
use xshell::{Shell, cmd};

use crate::context::Context;
use crate::error::{Failure, Kind};

/// The repository that holds the project.
#[derive(Debug)]
pub(crate) struct Git {
    shell: Shell,
    ui: crate::ui::Ui,
}

impl Git {
    /// The repository around the project.
    ///
    /// # Errors
    /// [`Kind::Missing`] without git, [`Kind::Usage`] outside of a repository.
    pub(crate) fn open(context: &Context) -> anyhow::Result<Git> {
        let shell = Shell::new()?;
        shell.change_dir(&context.root);
        // Messages that are shown to people stay in their language; what is parsed is plumbing.
        shell.set_var("GIT_OPTIONAL_LOCKS", "0");
        let git = Git {
            shell,
            ui: context.ui.clone(),
        };
        if which::which("git").is_err() {
            return Failure::new(Kind::Missing, "git is not on PATH")
                .next("install git: https://git-scm.com/downloads")
                .err();
        }
        if git.read(&["rev-parse", "--git-dir"]).is_err() {
            let what = format!("{} is not in a git repository", context.root);
            return Failure::new(Kind::Usage, what)
                .next("git init && git add -A && git commit")
                .err();
        }
        Ok(git)
    }

    /// Files that git tracks, and those that it neither tracks nor ignores; relative to the project.
    ///
    /// # Errors
    /// When git fails.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<Utf8PathBuf>> {
        let listed = self.read(&[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])?;
        let mut files: Vec<Utf8PathBuf> = listed
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(Utf8PathBuf::from)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The commit that is checked out; `None` before the first one.
    pub(crate) fn head(&self) -> Option<String> {
        self.read(&["rev-parse", "--verify", "--quiet", "HEAD"])
            .ok()
    }

    fn read(&self, args: &[&str]) -> anyhow::Result<String> {
        let command = cmd!(self.shell, "git {args...}").quiet().ignore_stderr();
        self.ui.explain(&command.to_string());
        Ok(command.read()?)
    }
}
