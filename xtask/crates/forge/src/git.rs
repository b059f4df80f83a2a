//! Bare git repositories. Only this module and [`http`] run git.
//!
//! Objects never change, so answers about them are cached.

pub(crate) mod http;
pub(crate) mod merge;

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::world::Id;

#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("cannot start git: {0}")]
    Start(#[from] std::io::Error),
    #[error("git {verb} failed: {said}")]
    Failed { verb: String, said: String },
    #[error("{0} is not a valid ref name.")]
    RefName(String),
    /// A valid ref that cannot be written, such as `a/b` beside `a`.
    #[error("Reference update failed")]
    RefUpdate,
}

#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    pub(crate) message: String,
}

/// Author or committer, with the time.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    /// RFC 3339.
    pub(crate) date: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Distance {
    /// Commits only in the second.
    pub(crate) ahead: u64,
    /// Commits only in the first.
    pub(crate) behind: u64,
    pub(crate) merge_base: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    /// `added`, `removed`, `modified` or `renamed`.
    pub(crate) status: &'static str,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

#[derive(Debug)]
pub(crate) struct Git {
    folder: Utf8PathBuf,
    /// An empty HOME, so that no user configuration applies.
    home: Utf8PathBuf,
    commits: Memory<Commit>,
    distances: Memory<Distance>,
    merges: Memory<Option<String>>,
}

/// Answers by query; queries name objects by hash, so that answers never change.
type Memory<T> = Mutex<HashMap<String, Arc<T>>>;

impl Git {
    pub(crate) fn new(state: &Utf8Path) -> Git {
        Git {
            folder: state.join("repositories"),
            home: state.to_owned(),
            commits: Memory::default(),
            distances: Memory::default(),
            merges: Memory::default(),
        }
    }

    pub(crate) fn path(&self, repo: Id) -> Utf8PathBuf {
        self.folder.join(format!("{repo}.git"))
    }

    pub(crate) fn create(&self, repo: Id, default_branch: &str) -> Result<(), GitError> {
        let head = format!("--initial-branch={default_branch}");
        let path = self.path(repo);
        self.run(None, &["init", "--bare", "--quiet", &head, path.as_str()])?;
        self.configure(repo)
    }

    /// Copies the branches and tags of another repository.
    pub(crate) fn fork(&self, from: Id, to: Id, default_branch: &str) -> Result<(), GitError> {
        self.create(to, default_branch)?;
        let source = self.path(from);
        let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let fetch = ["fetch", "--quiet", "--no-write-fetch-head", source.as_str()];
        self.run(Some(to), &[&fetch[..], &refs[..]].concat())?;
        Ok(())
    }

    fn configure(&self, repo: Id) -> Result<(), GitError> {
        for (name, value) in [
            ("http.receivepack", "true"),
            // The refs of pull requests belong to the forge.
            ("receive.hideRefs", "refs/pull"),
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("gc.auto", "0"),
        ] {
            self.run(Some(repo), &["config", name, value])?;
        }
        Ok(())
    }

    /// Without the refs of pull requests.
    pub(crate) fn refs(&self, repo: Id) -> Result<BTreeMap<String, String>, GitError> {
        let format = "--format=%(objectname) %(refname)";
        let listed = self.run(
            Some(repo),
            &["for-each-ref", format, "refs/heads", "refs/tags"],
        )?;
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs
            .map(|(sha, name)| (name.to_owned(), sha.to_owned()))
            .collect())
    }

    /// With `from`, only if the ref still points there.
    pub(crate) fn update_ref(
        &self,
        repo: Id,
        name: &str,
        to: &str,
        from: Option<&str>,
    ) -> Result<(), GitError> {
        if self.run(None, &["check-ref-format", name]).is_err() {
            return Err(GitError::RefName(name.escape_debug().to_string()));
        }
        let mut args = vec!["update-ref", name, to];
        args.extend(from);
        match self.run(Some(repo), &args) {
            Err(GitError::Failed { said, .. }) => {
                tracing::info!(name, said, "a ref was not written");
                Err(GitError::RefUpdate)
            }
            other => other.map(drop),
        }
    }

    pub(crate) fn delete_ref(&self, repo: Id, name: &str) -> Result<(), GitError> {
        self.run(Some(repo), &["update-ref", "-d", name]).map(drop)
    }

    /// Copies the objects of a commit, and points a ref at it.
    pub(crate) fn bring(&self, from: Id, to: Id, sha: &str, name: &str) -> Result<(), GitError> {
        if from != to {
            let source = self.path(from);
            let refspec = format!("+{sha}:{name}");
            let args = [
                "fetch",
                "--quiet",
                "--no-write-fetch-head",
                source.as_str(),
                &refspec,
            ];
            return self.run(Some(to), &args).map(drop);
        }
        self.update_ref(to, name, sha, None)
    }

    /// By branch, tag, hash or abbreviated hash.
    pub(crate) fn resolve(&self, repo: Id, name: &str) -> Option<String> {
        if name.starts_with('-') {
            return None;
        }
        let wanted = format!("{name}^{{commit}}");
        let args = [
            "rev-parse",
            "--quiet",
            "--verify",
            "--end-of-options",
            &wanted,
        ];
        let sha = self.run(Some(repo), &args).ok()?;
        Some(sha.trim().to_owned()).filter(|sha| !sha.is_empty())
    }

    pub(crate) fn commit(&self, repo: Id, sha: &str) -> Result<Arc<Commit>, GitError> {
        remember(&self.commits, sha.to_owned(), || {
            let format = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B";
            let said = self.run(Some(repo), &["show", "--no-patch", format, sha])?;
            let mut parts = said.splitn(10, '\0').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            Ok(Commit {
                sha: next(),
                tree: next(),
                parents: next().split_whitespace().map(str::to_owned).collect(),
                author: Signature {
                    name: next(),
                    email: next(),
                    date: next(),
                },
                committer: Signature {
                    name: next(),
                    email: next(),
                    date: next(),
                },
                message: next().trim_end().to_owned(),
            })
        })
    }

    pub(crate) fn distance(
        &self,
        repo: Id,
        base: &str,
        head: &str,
    ) -> Result<Arc<Distance>, GitError> {
        remember(&self.distances, format!("{base} {head}"), || {
            let range = format!("{base}...{head}");
            let counts = self.run(Some(repo), &["rev-list", "--left-right", "--count", &range])?;
            let mut counts = counts
                .split_whitespace()
                .map(|count| count.parse().unwrap_or(0));
            let behind = counts.next().unwrap_or(0);
            let merge_base = self.run(Some(repo), &["merge-base", base, head]).ok();
            Ok(Distance {
                ahead: counts.next().unwrap_or(0),
                behind,
                merge_base: merge_base.map(|sha| sha.trim().to_owned()),
            })
        })
    }

    /// Commits of `head` that are not in `base`, oldest first.
    pub(crate) fn log(&self, repo: Id, base: &str, head: &str) -> Result<Vec<String>, GitError> {
        let range = format!("{base}..{head}");
        let said = self.run(
            Some(repo),
            &["rev-list", "--reverse", "--topo-order", &range],
        )?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Commits that lead to `head`, newest first.
    pub(crate) fn history(&self, repo: Id, head: &str) -> Result<Vec<String>, GitError> {
        let said = self.run(Some(repo), &["rev-list", "--max-count=1000", head])?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Between the merge base and `head`.
    pub(crate) fn changes(
        &self,
        repo: Id,
        base: &str,
        head: &str,
    ) -> Result<Vec<FileChange>, GitError> {
        let range = format!("{base}...{head}");
        let names = self.run(
            Some(repo),
            &["diff", "--name-status", "--no-renames", "-z", &range],
        )?;
        let counts = self.run(
            Some(repo),
            &["diff", "--numstat", "--no-renames", "-z", &range],
        )?;
        let mut words = names.split('\0').filter(|word| !word.is_empty());
        let mut files = Vec::new();
        for line in counts.split('\0').filter(|line| !line.is_empty()) {
            let status = match words.next() {
                Some("A") => "added",
                Some("D") => "removed",
                _ => "modified",
            };
            words.next();
            let mut columns = line.splitn(3, '\t');
            let mut count = || {
                columns
                    .next()
                    .and_then(|count| count.parse().ok())
                    .unwrap_or(0)
            };
            let (additions, deletions) = (count(), count());
            let path = columns.next().unwrap_or_default().to_owned();
            files.push(FileChange {
                path,
                status,
                additions,
                deletions,
            });
        }
        Ok(files)
    }

    /// Between the merge base and `head`.
    pub(crate) fn diff(&self, repo: Id, base: &str, head: &str) -> Result<String, GitError> {
        self.run(Some(repo), &["diff", &format!("{base}...{head}")])
    }

    /// `None` if there is no such file.
    pub(crate) fn file(&self, repo: Id, sha: &str, path: &str) -> Option<Vec<u8>> {
        let object = format!("{sha}:{path}");
        let mut command = self.command(Some(repo));
        command.args(["cat-file", "blob", &object]);
        let output = command.output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    /// Names, types and hashes of a folder at a commit; the root is `""`.
    pub(crate) fn folder(&self, repo: Id, sha: &str, path: &str) -> Vec<(String, String, String)> {
        let object = format!("{sha}:{path}");
        let listed = self.run(
            Some(repo),
            &[
                "ls-tree",
                "-z",
                "--format=%(objecttype)%x09%(objectname)%x09%(path)",
                &object,
            ],
        );
        let listed = listed.unwrap_or_default();
        let entry = |line: &str| {
            let mut columns = line.splitn(3, '\t').map(str::to_owned);
            Some((columns.next()?, columns.next()?, columns.next()?))
        };
        listed
            .split('\0')
            .filter_map(entry)
            .map(|(kind, sha, name)| (name, kind, sha))
            .collect()
    }

    /// git with a minimal environment.
    pub(super) fn command(&self, repo: Option<Id>) -> Command {
        let mut command = Command::new("git");
        command.env_clear();
        command.envs(self.environment());
        if let Some(repo) = repo {
            command.arg("--git-dir").arg(self.path(repo));
        }
        command.stdin(Stdio::null());
        command
    }

    /// PATH, and no user configuration.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", self.home.to_string()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            // For commits that the forge makes without an explicit author.
            ("GIT_AUTHOR_NAME", "GitHub".to_owned()),
            ("GIT_AUTHOR_EMAIL", "noreply@github.com".to_owned()),
            ("GIT_COMMITTER_NAME", "GitHub".to_owned()),
            ("GIT_COMMITTER_EMAIL", "noreply@github.com".to_owned()),
        ]
    }

    pub(super) fn run(&self, repo: Option<Id>, args: &[&str]) -> Result<String, GitError> {
        let mut command = self.command(repo);
        command.args(args);
        finish(&mut command, args.first().copied().unwrap_or_default())
    }
}

fn finish(command: &mut Command, verb: &str) -> Result<String, GitError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(GitError::Failed {
        verb: verb.to_owned(),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

fn remember<T>(
    memory: &Memory<T>,
    question: String,
    answer: impl FnOnce() -> Result<T, GitError>,
) -> Result<Arc<T>, GitError> {
    let known = |memory: &Memory<T>| {
        let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get(&question).cloned()
    };
    if let Some(known) = known(memory) {
        return Ok(known);
    }
    let found = Arc::new(answer()?);
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.insert(question, found.clone());
    Ok(found)
}
