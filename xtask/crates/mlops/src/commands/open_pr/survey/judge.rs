//! What is worth a word about the commits that are proposed.

use std::fmt::Write as _;

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
            findings.note(self.own_branch(context, git, current));
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
        self.judge_base(git, findings)?;
        let range = content::Range {
            base: &self.base_sha,
            head: &self.head,
            changes: &self.changes,
        };
        content::committed(context, git, &self.scanner, findings, &range)?;
        if self.source.is_fork {
            findings.note(self.fork_runs());
        }
        if self.pull.is_none() {
            self.judge_labels(context, args, findings)?;
        }
        Ok(())
    }

    /// Why the commits get a branch of their own, and how the one that has them is put back.
    fn own_branch(&self, context: &Context, git: &Git, current: Option<&str>) -> String {
        let Some(current) = current else {
            return "no branch is checked out (detached head): the commits get a branch of their own"
                .to_owned();
        };
        let why = match context.config.target_of(current) {
            Some((target, _)) if current != self.base => {
                format!("pushes to {current} are deployed to target {target}")
            }
            _ => format!("{current} is the branch that pull requests go to"),
        };
        let mut note = format!("{why}: yours gets a branch of its own");
        if !self.commits.is_empty() && current == self.base {
            let tracking = format!("{}/{current}", self.source.remote);
            let is_there =
                git.resolve(&format!("refs/remotes/{tracking}")).as_deref() == Some(&self.base_sha);
            let to = if is_there {
                tracking
            } else {
                self.base_sha.clone()
            };
            let _ = write!(
                note,
                "; {current} here keeps its commits, too: git branch --force {current} {to} puts it back afterwards"
            );
        }
        note
    }

    /// How the commits relate to the base.
    fn judge_base(&self, git: &Git, findings: &mut Findings) -> anyhow::Result<()> {
        let base = &self.base;
        if let Some(merged) = &self.merged {
            findings.warn(
                format!(
                    "{base} has the commits up to {} as another commit already (squashed): they are proposed again",
                    short(merged)
                ),
                format!("git rebase --onto {} {merged}", self.base_sha),
            );
            return Ok(());
        }
        let behind = git
            .ahead_behind(&self.base_sha, &self.head)?
            .map_or(0, |(_, behind)| behind);
        match git.conflicts(&self.base_sha, &self.head)? {
            Some(files) if !files.is_empty() => findings.warn(
                format!("it conflicts with {base} in {}", listed(&files)),
                format!("git fetch && git rebase {}", short(&self.base_sha)),
            ),
            _ if behind > 0 => findings.note(format!(
                "the branch is {} behind {base}",
                crate::words::count(behind, "commit")
            )),
            _ => {}
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
