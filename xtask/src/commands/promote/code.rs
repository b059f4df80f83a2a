//! `cargo xtask promote --code`: the code of one target into the next, by a pull request between the
//! branches that feed them; and back.
//!
//! What production gets is exactly the files of the commit that was promoted, or of the release that is
//! gone back to: see `proposal`. Everything is read from the remote at each call, so a call that was killed
//! is finished by the next.

mod answer;
mod bundle_plan;
mod contents;
mod evidence;
mod following;
mod ground;
mod marks;
mod notes;
mod proposal;
mod releases;
mod route;
mod steps;
mod survey;
mod undo;

use xtask_remote::github::pulls::{self, Pull};

use self::answer::{Answer, Head, PullRequest};
use self::contents::Contents;
use self::evidence::{Evidence, Seen};
use self::ground::Ground;
use self::marks::short;
use self::proposal::Proposal;
use self::route::Route;
use self::steps::{Offer, Step};
use self::survey::Survey;
use super::Args;
use crate::commands::merge;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::Git;
use crate::ui::{Tone, safe_line};

/// How many pull requests and commits are named on the screen.
const NAMED: usize = 12;

/// Runs the command.
///
/// # Errors
/// [`Kind::Usage`] where xtask.toml leads nowhere, [`Kind::Failed`] when something stands in the way or a
/// check fails, [`Kind::Service`] when GitHub or git refuse, [`Kind::Pending`] when the deployment has not
/// ended.
pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let route = Route::find(&context.config, args.from.as_deref(), args.to.as_deref())?;
    let git = Git::open(context)?;
    let progress = context.ui.progress(
        "Looking",
        "at both branches, the pull requests and the targets",
    );
    let ground = Ground::open(context, &git)?;
    let survey = Survey::take(&git, ground, route)?;
    let command = Command {
        context,
        git: &git,
        args,
        survey: &survey,
    };
    match &args.undo {
        Some(asked) => command.undo(asked, progress),
        None => command.promote(progress),
    }
}

/// What every part of the command is given.
struct Command<'a> {
    context: &'a Context,
    git: &'a Git,
    args: &'a Args,
    survey: &'a Survey,
}

impl Command<'_> {
    /// Proposes main's files to the release branch.
    fn promote(&self, progress: crate::ui::Progress) -> anyhow::Result<()> {
        let Command {
            context,
            git,
            survey,
            ..
        } = self;
        let (route, main) = (&survey.route, &survey.main.sha);
        let evidence = Evidence::collect(context, &survey.ground, route, main)?;
        if let Some(release) = &survey.release
            && release.head.tree == survey.main.tree
        {
            progress.clear();
            return self.nothing(evidence);
        }
        survey.refuse_own_commits(git)?;
        let proposal = Proposal::of_main(git, survey)?;
        let released = survey.released(git);
        // Before the first release there is nothing: the branch may have begun already, without files.
        let before = match (&survey.release, &released) {
            (Some(release), Some(_)) => release.head.sha.clone(),
            _ => git.empty_tree()?,
        };
        let contents =
            Contents::between(git, &survey.ground, &route.main, released.as_deref(), main)?
                .with_notebooks(git, &before, main)?;
        let plan = bundle_plan::of(context, git, &route.to, &before, main)?;
        progress.clear();

        let offer = Offer {
            survey,
            proposal: &proposal,
            title: format!("Promote {} to {}", route.main, route.release),
            notes: notes::of_promotion(route, main, &contents, &plan, &evidence),
        };
        let what = match &released {
            Some(_) => format!(
                "{} at {} into {} at {}",
                route.main,
                short(main),
                route.release,
                short(&before)
            ),
            None => format!(
                "{} at {} into {}: the first release",
                route.main,
                short(main),
                route.release
            ),
        };
        context.ui.status("Promoting", &safe_line(&what));
        self.show_contents(&contents, "since the last release");
        self.show_plan(&plan);
        self.show_evidence(&evidence);
        self.show_against(&proposal);
        let answer = Answer {
            contents,
            bundle_plan: Some(plan),
            evidence: Some(evidence),
            ..self.answer("promote")
        };
        self.offer(&offer, answer)
    }

    /// Says that there is nothing to promote, and follows a deployment that has not ended.
    fn nothing(&self, evidence: Evidence) -> anyhow::Result<()> {
        let (survey, route) = (self.survey, &self.survey.route);
        let what = format!(
            "to promote: {} has the files of {} at {} already",
            route.release,
            route.main,
            short(&survey.main.sha)
        );
        self.context.ui.status("Nothing", &safe_line(&what));
        let answer = Answer {
            evidence: Some(evidence),
            ..self.answer("promote")
        };
        self.settled(answer)
    }

    /// The end where the release branch is as it should be: its deployment is looked after.
    fn settled(&self, mut answer: Answer) -> anyhow::Result<()> {
        let target = &self.survey.route.to;
        let Some(head) = self
            .survey
            .release
            .as_ref()
            .map(|release| &release.head.sha)
        else {
            return self.end(answer);
        };
        let deployed = match &answer.evidence {
            Some(evidence) => evidence.to.clone(),
            None => evidence::seen(self.context, target),
        };
        if deployed.commit.as_ref() == Some(head) {
            let what = format!("{target} has commit {}", short(head));
            self.context.ui.status("Verified", &safe_line(&what));
            return self.end(answer);
        }
        let at_once = self.args.no_watch || self.args.dry_run;
        answer.deploy = Some(self.deployment(head, at_once)?);
        self.end(answer)
    }

    /// Shows the steps, asks, executes them, reads back, follows.
    fn offer(&self, offer: &Offer<'_>, mut answer: Answer) -> anyhow::Result<()> {
        let (context, args) = (self.context, self.args);
        let steps = offer.steps();
        answer.head = Some(Head {
            branch: offer.proposal.branch.clone(),
            commit: offer.proposal.head.clone(),
        });
        answer.steps = steps.iter().map(|step| offer.describe(step)).collect();
        if args.merge {
            answer.steps.push(format!(
                "merge it into {} by a merge commit, once it is green and approved",
                safe_line(&self.survey.route.release)
            ));
        }
        answer.pull = offer.proposal.pull.as_ref().map(shown);
        for step in &answer.steps {
            context.ui.line(&format!("{:>12} {step}", "will"));
        }
        if args.dry_run {
            context.ui.status("Planned", "nothing was done (--dry-run)");
            answer.outcome = "planned";
            return self.end(answer);
        }
        // What is merged is seen by everybody: without a terminal that takes --yes.
        if !answer.steps.is_empty() && !context.ui.confirm("Do this?", !args.merge)? {
            return Failure::new(Kind::Interrupted, "nothing was done").err();
        }
        let pull = offer.apply(context, self.git, &steps)?;
        let pull = self.read_back(offer, &steps, &pull)?;
        answer.outcome = match (&offer.proposal.pull, steps.is_empty()) {
            (None, _) => "opened",
            (Some(_), true) => "unchanged",
            (Some(_), false) => "updated",
        };
        answer.pull = Some(shown(&pull));
        self.towards_a_merge(offer, pull, answer)
    }

    /// Looks whether GitHub has what was sent, and says where.
    fn read_back(&self, offer: &Offer<'_>, steps: &[Step], pull: &Pull) -> anyhow::Result<Pull> {
        let (ground, ui) = (&self.survey.ground, &self.context.ui);
        let pull = pulls::get(&ground.connection.github, &ground.into, pull.number)?;
        if pull.head.sha != offer.proposal.head {
            ui.warn(&format!(
                "GitHub shows commit {} where {} was proposed; it may need a moment, or somebody pushed as well",
                short(&pull.head.sha),
                short(&offer.proposal.head)
            ));
        }
        let verb = match (steps.contains(&Step::Open), steps.is_empty()) {
            (true, _) => "Opened",
            (false, true) => "Unchanged",
            (false, false) => "Updated",
        };
        let what = format!(
            "pull request {}: {}",
            pull.number,
            ui.link(&pull.html_url, &pull.html_url)
        );
        ui.status(verb, &what);
        Ok(pull)
    }

    /// Follows its checks, and merges it where that was asked for.
    fn towards_a_merge(
        &self,
        offer: &Offer<'_>,
        pull: Pull,
        mut answer: Answer,
    ) -> anyhow::Result<()> {
        let (context, args) = (self.context, self.args);
        if args.no_watch && !args.merge {
            self.say_next(pull.number);
            return self.end(answer);
        }
        let ground = merge::Ground {
            connection: self.survey.ground.connection.clone(),
            into: self.survey.ground.into.clone(),
            pull,
        };
        if !args.no_watch {
            let what = "the checks; Ctrl-C ends the following, and not the checks";
            context.ui.status("Following", what);
        }
        let (gate, standing) = following::checks(context, &ground, args.no_watch)
            .map_err(|error| self.left(error, "the pull request stays, and its checks run on"))?;
        merge::show(context, &gate, &standing);
        answer.missing.clone_from(&standing.missing);
        if gate.state == "OPEN" && !args.merge {
            self.say_next(gate.number);
            self.end(answer)?;
            return self.failed_checks(&gate);
        }
        if gate.state == "OPEN" {
            let objections = match &answer.evidence {
                Some(evidence) => evidence.objections(&self.survey.route, &self.survey.main.sha),
                None => Vec::new(),
            };
            answer.missing.extend(objections);
            if !answer.missing.is_empty() {
                let failure = not_merged(gate.number, &answer.missing, &standing.next);
                self.end(answer)?;
                return Err(failure);
            }
            self.unmoved()?;
        }
        let pull = match gate.state.as_str() {
            "OPEN" => merge::into_release(context, &ground, &gate)?,
            _ => pulls::get(&ground.connection.github, &ground.into, gate.number)?,
        };
        self.after_the_merge(offer, &pull, answer)
    }

    /// A failed check, as the exit code.
    fn failed_checks(&self, gate: &xtask_remote::github::merging::Gate) -> anyhow::Result<()> {
        use xtask_remote::github::checks::State;
        let failed =
            |one: &&xtask_remote::github::merging::GateCheck| one.check.state == State::Failed;
        match gate.checks.iter().find(failed) {
            None => Ok(()),
            Some(one) => Failure::new(
                Kind::Failed,
                format!(
                    "a check of the pull request failed: {}",
                    safe_line(&one.check.name)
                ),
            )
            .next(format!(
                "its page: {}",
                one.check.url.as_deref().unwrap_or(&gate.url)
            ))
            .err(),
        }
    }

    /// The release branch must be where it was: else the merge would give it files that nobody has seen.
    fn unmoved(&self) -> anyhow::Result<()> {
        let Survey {
            ground,
            route,
            release,
            ..
        } = self.survey;
        let Some(release) = release else {
            return Ok(());
        };
        let now = self
            .git
            .remote_head(&ground.remote, &route.release, ground.login.as_ref())?;
        if now.as_ref() == Some(&release.head.sha) {
            return Ok(());
        }
        Failure::new(
            Kind::Failed,
            format!(
                "{} has moved meanwhile, to {}; nothing was merged",
                safe_line(&route.release),
                now.as_deref().map_or("nothing", short)
            ),
        )
        .next("call it again: it looks first")
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
                    return Failure::new(
                        Kind::Failed,
                        format!("somebody closed pull request {}", pull.number),
                    )
                    .next("call it again: it opens a new one")
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
            .ground
            .fetch(self.git, &self.survey.route.release)?;
        if self.git.tree(&sha)? != offer.proposal.tree {
            let what = format!(
                "{release} got other files at {} than were proposed",
                short(&sha)
            );
            self.end(answer)?;
            return Failure::new(Kind::Failed, what)
                .details("somebody else changed one of the two branches in the same moment")
                .next("cargo xtask promote --code --dry-run   # shows how they differ")
                .err();
        }
        answer.deploy = Some(self.deployment(&sha, self.args.no_watch)?);
        self.end(answer)
    }

    fn deployment(&self, sha: &str, at_once: bool) -> anyhow::Result<following::Deploy> {
        following::deployment(self.context, self.git, self.survey, sha, at_once)
            .map_err(|error| self.left(error, "the deployment goes on"))
    }

    /// After Ctrl-C, what goes on without us.
    fn left(&self, error: anyhow::Error, what: &str) -> anyhow::Error {
        match self.context.interrupt.is_set() {
            false => error,
            true => Failure::new(Kind::Interrupted, format!("no longer followed; {what}"))
                .next("cargo xtask promote --code   # follows it again")
                .into(),
        }
    }

    fn say_next(&self, number: u64) {
        let what = format!(
            "once it is green and approved: cargo xtask merge {number}, which makes a merge commit; \
             or this command with --merge"
        );
        self.context.ui.status("Next", &what);
    }

    /// Prints the answer; what is left to be said of the deployment is the exit code.
    fn end(&self, answer: Answer) -> anyhow::Result<()> {
        if self.args.json {
            self.context.ui.json(&answer)?;
        }
        let deploy = answer.deploy.as_ref().filter(|_| !self.args.no_watch);
        match deploy {
            Some(deploy) => deploy.conclude(&self.survey.route.to),
            None => Ok(()),
        }
    }

    /// An answer with what is known from the start.
    fn answer(&self, direction: &'static str) -> Answer {
        let release = self.survey.release.as_ref();
        Answer {
            version: 1,
            outcome: "nothing",
            direction,
            route: self.survey.route.clone(),
            main: self.survey.main.sha.clone(),
            release: release.map(|release| release.head.sha.clone()),
            back_to: None,
            pull: None,
            head: None,
            steps: Vec::new(),
            contents: Contents::default(),
            bundle_plan: None,
            evidence: None,
            missing: Vec::new(),
            merged_as: None,
            deploy: None,
        }
    }

    fn show_contents(&self, contents: &Contents, when: &str) {
        let ui = &self.context.ui;
        let pulls = contents.pulls.iter().map(|pull| {
            format!(
                "#{} {} ({})",
                pull.number,
                safe_line(&pull.title),
                safe_line(&pull.author)
            )
        });
        let commits = contents
            .commits
            .iter()
            .map(|commit| format!("{} {}", short(&commit.sha), safe_line(&commit.subject)));
        let lines: Vec<String> = pulls.chain(commits).collect();
        ui.status(
            "Brings",
            &format!(
                "{} and {} without one, {when}",
                count(contents.pulls.len(), "pull request"),
                count(contents.commits.len() + contents.not_looked_up, "commit")
            ),
        );
        for line in lines.iter().take(NAMED) {
            ui.line(&format!("{:13}{line}", ""));
        }
        if lines.len() > NAMED {
            ui.line(&format!("{:13}and {} more", "", lines.len() - NAMED));
        }
    }

    fn show_plan(&self, plan: &bundle_plan::BundlePlan) {
        let (ui, target) = (&self.context.ui, safe_line(&self.survey.route.to));
        match (&plan.changes, &plan.unknown) {
            (Some(changes), _) if changes.is_empty() => {
                ui.status(
                    "Changes",
                    &format!("no resource of {target}; the files are uploaded"),
                );
            }
            (Some(changes), _) => {
                ui.status(
                    "Changes",
                    &format!("{} of {target}:", count(changes.len(), "resource")),
                );
                for line in changes {
                    ui.line(&format!("{:13}{}", "", safe_line(line)));
                }
            }
            (None, why) => ui.status_toned(
                "Unplanned",
                &format!(
                    "what changes on {target}: {}",
                    why.as_deref().unwrap_or_default()
                ),
                Tone::Warning,
            ),
        }
    }

    fn show_evidence(&self, evidence: &Evidence) {
        let ui = &self.context.ui;
        for seen in [&evidence.from, &evidence.to] {
            let (verb, tone) = match (&seen.commit, &seen.unknown) {
                (_, Some(_)) => ("Unknown", Tone::Warning),
                (Some(_), None) => ("Deployed", Tone::Good),
                (None, None) => ("Deployed", Tone::Warning),
            };
            ui.status_toned(verb, &safe_line(&self.seen(seen)), tone);
        }
        let checks = &evidence.checks;
        let tone = match (checks.failed.is_empty(), checks.pending.is_empty()) {
            (true, true) => Tone::Good,
            (false, _) => Tone::Bad,
            (true, false) => Tone::Warning,
        };
        let what = format!(
            "{} passed, {} failed, {} still running on {}",
            checks.passed.len(),
            checks.failed.len(),
            checks.pending.len(),
            short(&self.survey.main.sha)
        );
        ui.status_toned("Checks", &what, tone);
        for objection in evidence.objections(&self.survey.route, &self.survey.main.sha) {
            ui.status_toned("Lacks", &safe_line(&objection), Tone::Warning);
        }
    }

    fn seen(&self, seen: &Seen) -> String {
        let target = &seen.target;
        let champion = match seen.champion {
            Some(version) => format!(", champion version {version}"),
            None => String::new(),
        };
        match (&seen.commit, &seen.unknown) {
            (_, Some(unknown)) => format!("what {target} has: {unknown}"),
            (Some(commit), None) if *commit == self.survey.main.sha => format!(
                "{target} has the newest commit of {}, {}{champion}",
                self.survey.route.main,
                short(commit)
            ),
            (Some(commit), None) => format!("{target} has {}{champion}", short(commit)),
            (None, None) => format!("nothing on {target}"),
        }
    }

    fn show_against(&self, proposal: &Proposal) {
        for pull in &proposal.against {
            self.context.ui.warn(&format!(
                "pull request {} wants the contrary: {} ({})",
                pull.number,
                safe_line(&pull.title),
                safe_line(&pull.html_url)
            ));
        }
    }
}

fn shown(pull: &Pull) -> PullRequest {
    PullRequest {
        number: pull.number,
        url: pull.html_url.clone(),
    }
}

fn not_merged(number: u64, missing: &[String], next: &[String]) -> anyhow::Error {
    let mut failure = Failure::new(
        Kind::Failed,
        format!(
            "pull request {number} is not merged: {}",
            missing.join("; ")
        ),
    );
    for next in next {
        failure = failure.next(next.clone());
    }
    failure
        .next("cargo xtask promote --code --merge   # goes on from here")
        .into()
}

fn count(number: usize, thing: &str) -> String {
    crate::pull_request::block::count(number, thing)
}
