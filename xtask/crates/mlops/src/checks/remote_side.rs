//! GitHub: which repository to ask, and one look at it.

use std::time::Duration;

use xtask_remote::Error;
use xtask_remote::github::branch_status::{self, BranchStatus, Question};
use xtask_remote::github::repositories::Name;

use super::facts::{Branch, Unknown};
use super::memory::Memory;
use crate::context::Context;
use crate::error;
use crate::git::Git;
use crate::github::{Connection, Head, Home, is_own, not_accepted, token_variable};
use crate::ui;

/// How long GitHub may take for one answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// A GitHub that can be asked about the branch.
pub(crate) struct RemoteSide {
    home: Home,
    /// The client, with what opens it.
    pub(crate) connection: Connection,
    /// The repository that pull requests go to.
    pub(crate) base: Name,
    question: Question,
    git: Git,
    local_branch: Option<String>,
    /// How many answers GitHub has left for this hour.
    pub(crate) rate: Option<u64>,
    /// How long GitHub asked to wait the last time.
    pub(crate) asked_wait: Option<Duration>,
}

/// What a look came to.
pub(crate) enum Look {
    /// The answer.
    Seen(Box<BranchStatus>),
    /// None; and why.
    Not(Error),
}

impl RemoteSide {
    /// Works out which repository is meant, without a call.
    pub(crate) fn find(
        context: &Context,
        git: &Git,
        branch: &Branch,
    ) -> Result<RemoteSide, Unknown> {
        let Some(name) = &branch.name else {
            let next = "git switch BRANCH".to_owned();
            return Err(nothing("no branch is checked out".to_owned(), Some(next)));
        };
        let home = Home::find(context, git, None).map_err(|error| {
            let report = error::report(&error);
            nothing(report.what, report.next.into_iter().next())
        })?;
        let into = branch.base.clone().unwrap_or_else(|| "main".to_owned());
        let head = Head::of(context, git, &home, name, &into);
        let branch_there = head
            .first()
            .map_or_else(|| name.clone(), |(_, there)| there.to_owned());
        let mut heads: Vec<Name> = head
            .places
            .iter()
            .filter(|place| head.name_at(&place.remote) == branch_there)
            .map(|place| place.name.clone())
            .collect();
        if heads.is_empty() {
            heads.push(home.name.clone());
        }
        let memory = Memory::read(context);
        let base = memory
            .parents
            .get(&key(&home, &home.name, ""))
            .filter(|_| !home.chosen)
            .and_then(|parent| Name::parse(parent))
            .unwrap_or_else(|| home.name.clone());
        let question = Question {
            pull: memory.pulls.get(&key(&home, &base, &branch_there)).copied(),
            base: base.clone(),
            heads,
            branch: branch_there,
            into,
        };
        let mut connection = home
            .connect(context, git)
            .map_err(|error| nothing(error.to_string(), None))?;
        connection.github = connection.github.hurried(DEADLINE);
        Ok(RemoteSide {
            connection,
            base,
            question,
            home,
            git: git.clone(),
            local_branch: branch.name.clone(),
            rate: None,
            asked_wait: None,
        })
    }

    /// Asks GitHub, and remembers what saves a request the next time.
    pub(crate) fn look(&mut self, context: &Context) -> Look {
        let mut answer = self.ask();
        // A fork that was not chosen stands for its parent: pull requests go there.
        if let Ok(BranchStatus {
            parent: Some(parent),
            pull: None,
            ..
        }) = &answer
            && !self.home.chosen
        {
            let parent = parent.clone();
            let mut memory = Memory::read(context);
            let fork = key(&self.home, &self.home.name, "");
            if memory.parents.insert(fork, parent.to_string()) != Some(parent.to_string()) {
                memory.write(context);
            }
            self.base = parent.clone();
            self.question.base = parent;
            answer = self.ask();
        }
        match answer {
            Ok(status) => {
                self.rate = status.rate.as_ref().map(|rate| rate.remaining);
                self.asked_wait = None;
                self.remember(context, status.pull.as_ref().map(|pull| pull.number));
                Look::Seen(Box::new(status))
            }
            Err(error) => {
                self.asked_wait = error.wait();
                Look::Not(error)
            }
        }
    }

    fn ask(&self) -> Result<BranchStatus, Error> {
        let commit = self.git.head().unwrap_or_default();
        // One that this clone cannot judge, as it lacks the commit, counts where the branch was pushed.
        let was_pushed = || {
            let there = &self.question.branch;
            let known = self.home.places.iter().filter_map(|place| {
                self.git
                    .resolve(&format!("refs/remotes/{}/{there}", place.remote))
            });
            known
                .into_iter()
                .any(|known| known == commit || self.git.contains(&known, &commit))
        };
        branch_status::ask(&self.connection.github, &self.question, &|one| {
            is_own(&self.git, &commit, one.first, one.open, one.sha).unwrap_or_else(was_pushed)
        })
    }

    fn remember(&mut self, context: &Context, pull: Option<u64>) {
        if pull.is_none() || self.question.pull == pull {
            return;
        }
        let Some(number) = pull else { return };
        self.question.pull = pull;
        let mut memory = Memory::read(context);
        let key = key(&self.home, &self.base, &self.question.branch);
        memory.pulls.insert(key, number);
        memory.write(context);
    }

    /// Says why GitHub did not answer, and what to do.
    pub(crate) fn explain(&self, error: &Error) -> Unknown {
        if let (Error::SignedOut { .. }, Some(token)) = (error, &self.connection.token) {
            let report = error::report(&not_accepted(&self.home, token).into());
            return nothing(ui::safe_line(&report.what), report.next.into_iter().next());
        }
        let host = self.home.address.host();
        let (reason, next) = match error {
            Error::Timeout { .. } => ("timed out".to_owned(), None),
            Error::NoConnection { reason, .. } | Error::Unreachable { reason, .. } => {
                (format!("{host} is not reached: {reason}"), None)
            }
            Error::Limited { wait, .. } => (
                match wait {
                    Some(wait) => format!(
                        "{host} has had enough of our requests; it answers again in {}",
                        ui::seconds(*wait)
                    ),
                    None => format!("{host} has had enough of our requests"),
                },
                Some("wait, and call it again".to_owned()),
            ),
            Error::SignedOut { .. } => (
                format!("there is no token for {host}"),
                Some(format!(
                    "gh auth login --hostname {host}   # or set {}",
                    token_variable(&self.home.address)
                )),
            ),
            Error::Refused { status: 404, .. } => (
                format!("{host} shows no repository {} to this token", self.base),
                Some("check the remote, and what the token may read".to_owned()),
            ),
            Error::Refused {
                status: 403,
                message,
                ..
            } => (
                format!("{host} refuses: {message}"),
                Some("check what the token may read".to_owned()),
            ),
            other => (other.to_string(), None),
        };
        Unknown {
            what: "github".to_owned(),
            target: None,
            reason: ui::safe_line(&reason),
            next,
        }
    }

    /// Whether it is about this branch.
    pub(crate) fn is_of(&self, branch: &Branch) -> bool {
        branch.name == self.local_branch
    }

    /// The repository, as a name for files.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}", self.home.address.web(), self.base)
    }
}

fn nothing(reason: String, next: Option<String>) -> Unknown {
    Unknown {
        what: "github".to_owned(),
        target: None,
        reason,
        next,
    }
}

fn key(home: &Home, name: &Name, branch: &str) -> String {
    format!("{} {name} {branch}", home.address.web())
}
