//! What is worth a word about the commits that are proposed.

use xtask_remote::github::repositories;

use super::{Survey, listed, short};
use crate::commands::open_pr::findings::Findings;
use crate::commands::open_pr::source::Source;
use crate::commands::open_pr::{Args, content};
use crate::context::Context;
use crate::git::Git;

impl Survey {
    /// What is worth a word about the commits.
    pub(super) fn judge(
        &self,
        context: &Context,
        git: &Git,
        args: &Args,
        current: Option<&str>,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let (into, base) = (&self.into, &self.base);
        if self.branch.is_none() && args.branch.is_none() {
            findings.note(match current {
                Some(current) => format!("{current} is the branch that pull requests go to: yours gets a branch of its own"),
                None => "no branch is checked out (detached head): the commits get a branch of their own".to_owned(),
            });
        }
        let can_commit = args.commit.is_some() || context.ui.can_ask();
        if self.commits.is_empty() && self.pull.is_none() {
            match (self.uncommitted.is_empty(), can_commit) {
                (true, _) => findings.stop(
                    format!(
                        "there is nothing to propose: everything is in {base} of {into} already"
                    ),
                    "change something and commit it",
                ),
                (false, false) => findings.stop(
                    "there is nothing to propose yet: the changes are not committed",
                    "cargo xtask open-pr --commit MESSAGE",
                ),
                (false, true) => {}
            }
        }
        let (_, behind) = git.ahead_behind(&self.base_sha, &self.head)?;
        match git.conflicts(&self.base_sha, &self.head)? {
            Some(files) if !files.is_empty() => findings.warn(
                format!("it conflicts with {base} in {}", listed(&files)),
                format!("git fetch && git rebase {}", short(&self.base_sha)),
            ),
            _ if behind > 0 => findings.note(format!(
                "the branch is {behind} {} behind {base}",
                if behind == 1 { "commit" } else { "commits" }
            )),
            _ => {}
        }
        if !args.allow_secrets {
            content::committed(git, findings, &self.base_sha, &self.head, &self.changes)?;
        }
        if self.source.is_fork {
            findings.note(self.fork_runs());
        }
        if self.pull.is_none() {
            self.judge_labels(context, args, findings)?;
        }
        Ok(())
    }

    /// What will run for a fork's pull request.
    fn fork_runs(&self) -> String {
        let Source { remote, name, .. } = &self.source;
        let workflows = match self.workflows.as_slice() {
            [] => "no workflow runs for it".to_owned(),
            names => format!(
                "these workflows run for it, without secrets: {}",
                names.join(", ")
            ),
        };
        format!(
            "the branch goes to {name}, a fork (remote {remote}); {workflows}; \
             for a first contribution a maintainer starts them"
        )
    }

    /// GitHub makes labels that are not there, out of every slip.
    fn judge_labels(
        &self,
        context: &Context,
        args: &Args,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let wanted = args.labels(context);
        if wanted.is_empty() || self.connection.token.is_none() {
            return Ok(());
        }
        let known = repositories::labels(&self.connection.github, &self.into)?;
        let is_known = |label: &String| known.iter().any(|one| one.eq_ignore_ascii_case(label));
        for label in wanted.iter().filter(|label| !is_known(label)) {
            findings.stop(
                format!("{} has no label {label}", self.into),
                format!("take one of: {}", known.join(", ")),
            );
        }
        Ok(())
    }
}
