//! From the open pull request to what is deployed: its checks, the merge, what the merge made.

use xtask_remote::github::checks::{Check, State};
use xtask_remote::github::merging::MergeFacts;
use xtask_remote::github::pulls::{self, Pull};

use super::Command;
use super::answer::Answer;
use super::evidence::Evidence;
use super::following::{self, Patience};
use super::steps::Offer;
use super::survey::Survey;
use crate::error::Failure;
use crate::pull_request::merging;
use crate::pull_request::readiness::{self, PullRequest};
use crate::ui::safe_line;
use crate::words::short;

impl Command<'_> {
    /// Follows its checks, and merges it where that was asked for.
    pub(super) fn towards_a_merge(
        &self,
        offer: &Offer<'_>,
        pull: Pull,
        patience: Patience,
        mut answer: Answer,
    ) -> anyhow::Result<()> {
        let (context, args) = (self.context, self.args);
        if args.no_wait && !args.merge {
            self.say_next(pull.number);
            return self.end(answer);
        }
        let request = PullRequest {
            connection: self.survey.upstream.connection.clone(),
            into: self.survey.upstream.into.clone(),
            pull,
        };
        let (facts, readiness) = following::checks(context, &request, patience)
            .map_err(|error| self.left(error, "the pull request stays, and its checks run on"))?;
        readiness::show(context, &facts, &readiness);
        answer.missing.clone_from(&readiness.missing);
        if facts.state == "OPEN" && !args.merge {
            self.say_next(facts.number);
            self.end(answer)?;
            return self.failed_checks(&facts);
        }
        if facts.state == "OPEN" {
            let objections = self.objections_by_now(&mut answer)?;
            answer.missing.extend(objections);
            if !answer.missing.is_empty() {
                let failure = not_merged(facts.number, &answer.missing, &readiness.next);
                self.end(answer)?;
                return Err(failure);
            }
            self.unmoved()?;
        }
        let pull = match facts.state.as_str() {
            "OPEN" => merging::into_release(context, &request, &facts)?,
            _ => pulls::get(&request.connection.github, &request.into, facts.number)?,
        };
        self.after_the_merge(offer, &pull, answer)
    }

    /// What speaks against a merge: looked at anew, as much may have come to its end meanwhile.
    fn objections_by_now(&self, answer: &mut Answer) -> anyhow::Result<Vec<String>> {
        let Survey {
            upstream,
            route,
            main,
            ..
        } = self.survey;
        if answer.evidence.is_none() {
            return Ok(Vec::new());
        }
        let now = Evidence::collect(self.context, upstream, route, &main.sha)?;
        let objections = now.objections(route, &main.sha);
        answer.evidence = Some(now);
        Ok(objections)
    }

    /// A failed check, as the exit code.
    fn failed_checks(&self, facts: &MergeFacts) -> anyhow::Result<()> {
        let failed = |one: &&Check| one.state == State::Failed;
        match facts.checks.iter().find(failed) {
            None => Ok(()),
            Some(one) => Failure::failed(format!(
                "a check of the pull request failed: {}",
                safe_line(&one.label)
            ))
            .next(format!(
                "its page: {}",
                one.url.as_deref().unwrap_or(&facts.url)
            ))
            .err(),
        }
    }

    /// The release branch must be where it was: else the merge would give it files that were not reviewed.
    fn unmoved(&self) -> anyhow::Result<()> {
        let Survey {
            upstream,
            route,
            release,
            ..
        } = self.survey;
        let Some(release) = release else {
            return Ok(());
        };
        let now =
            self.git
                .remote_head(&upstream.remote, &route.release, upstream.login.as_ref())?;
        if now.as_ref() == Some(&release.head.sha) {
            return Ok(());
        }
        Failure::failed(format!(
            "{} has moved meanwhile, to {}; nothing was merged",
            safe_line(&route.release),
            now.as_deref().map_or("nothing", short)
        ))
        .next("run it again: it looks first")
        .err()
    }

    /// Checks what the merge made, and follows its deployment.
    fn after_the_merge(
        &self,
        offer: &Offer<'_>,
        pull: &Pull,
        mut answer: Answer,
    ) -> anyhow::Result<()> {
        let (ui, release) = (&self.context.ui, safe_line(&self.survey.route.release));
        if !pull.is_merged() {
            let what = format!("pull request {} is in the merge queue", pull.number);
            match pull.is_open() {
                true => ui.status("Queued", &what),
                false => {
                    return Failure::failed(format!("pull request {} was closed", pull.number))
                        .next("run it again: it opens a new one")
                        .err();
                }
            }
            answer.outcome = "queued";
            return self.end(answer);
        }
        let sha = pull.merge_commit_sha.clone().unwrap_or_default();
        let what = format!(
            "pull request {} into {release} as {}",
            pull.number,
            short(&sha)
        );
        ui.status("Merged", &what);
        answer.outcome = "merged";
        answer.merged_as = Some(sha.clone());
        self.survey
            .upstream
            .fetch(self.git, &self.survey.route.release)?;
        if self.git.tree(&sha)? != offer.proposal.tree {
            let what = format!(
                "{release} got other files at {} than were proposed",
                short(&sha)
            );
            self.end(answer)?;
            return Failure::failed(what)
                .details("one of the two branches changed at the same moment")
                .next("cargo xtask promote --code --dry-run   # shows how they differ")
                .err();
        }
        answer.deploy = Some(self.deployment(&sha, self.args.no_wait)?);
        self.end(answer)
    }

    fn say_next(&self, number: u64) {
        let what = format!(
            "once its checks pass and it is approved: cargo xtask merge {number}, or this command with --merge"
        );
        self.context.ui.status("Next", &what);
    }
}

fn not_merged(number: u64, missing: &[String], next: &[String]) -> anyhow::Error {
    let mut failure = Failure::failed(format!(
        "pull request {number} is not merged: {}",
        missing.join("; ")
    ));
    for next in next {
        failure = failure.next(next.clone());
    }
    failure
        .next("cargo xtask promote --code --merge   # goes on from here")
        .into()
}
