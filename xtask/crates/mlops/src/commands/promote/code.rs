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
mod merging;
mod notes;
mod proposal;
mod releases;
mod route;
mod show;
mod steps;
mod survey;
mod trailers;
mod undo;

use xtask_remote::github::pulls::{self, Pull};

use self::answer::{Answer, Head, PullRequest};
use self::contents::Contents;
use self::evidence::Evidence;
use self::following::Patience;
use self::proposal::Proposal;
use self::route::Route;
use self::steps::{Offer, Step};
use self::survey::Survey;
use super::Args;
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::github::Upstream;
use crate::ui::{Progress, safe_line};
use crate::words::short;

/// Runs the command.
pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let route = Route::find(&context.config, args.from.as_deref(), args.to.as_deref())?;
    let git = Git::open(context)?;
    let progress = context.ui.progress(
        "Looking",
        "at both branches, the pull requests and the targets",
    );
    let upstream = Upstream::open(context, &git)?;
    let survey = Survey::take(&git, upstream, route)?;
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
    fn promote(&self, progress: Progress) -> anyhow::Result<()> {
        let Command {
            context,
            git,
            survey,
            ..
        } = self;
        let (route, main) = (&survey.route, &survey.main.sha);
        let evidence = Evidence::collect(context, &survey.upstream, route, main)?;
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
        let contents = Contents::between(
            git,
            &survey.upstream,
            &route.main,
            released.as_deref(),
            main,
        )?
        .with_notebooks(git, &before, main)?;
        let plan = bundle_plan::of(context, git, &route.to, &before, main)?;
        progress.clear();

        let offer = Offer {
            survey,
            proposal: &proposal,
            title: format!("Promote {} to {}", route.main, route.release),
            notes: notes::of_promotion(route, main, &contents, &plan, &evidence),
        };
        self.show_way(released.is_some());
        self.show_contents("Brings", &contents);
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
        let at_once = self.args.no_wait || self.args.dry_run;
        answer.deploy = Some(self.deployment(head, at_once)?);
        self.end(answer)
    }

    /// Shows the steps, asks, executes them, reads back, follows.
    fn offer(&self, offer: &Offer<'_>, mut answer: Answer) -> anyhow::Result<()> {
        let (context, args) = (self.context, self.args);
        let steps = offer.steps(args.merge);
        answer.head = Some(Head {
            branch: offer.proposal.branch.clone(),
            commit: offer.proposal.head.clone(),
        });
        answer.steps = steps.words().to_vec();
        answer.pull = offer.proposal.pull.as_ref().map(shown);
        steps.show(&context.ui);
        if args.dry_run {
            context.ui.only_planned();
            answer.outcome = "planned";
            return self.end(answer);
        }
        if !steps.is_empty() {
            context.ui.agree("Do this?", !args.merge)?;
        }
        let pull = offer.apply(context, self.git, &steps)?;
        let is_as_it_was = steps.iter().all(|step| *step == Step::Merge);
        let opened = offer.proposal.pull.is_none();
        let pull = self.read_back(offer, opened, is_as_it_was, &pull)?;
        answer.outcome = match (&offer.proposal.pull, is_as_it_was) {
            (None, _) => "opened",
            (Some(_), true) => "unchanged",
            (Some(_), false) => "updated",
        };
        answer.pull = Some(shown(&pull));
        let is_new = |step: &Step| matches!(step, Step::Open | Step::Push(_));
        let patience = match (args.no_wait, steps.iter().any(is_new)) {
            (true, _) => Patience::Once,
            (false, true) => Patience::FromTheStart,
            (false, false) => Patience::ToTheEnd,
        };
        self.towards_a_merge(offer, pull, patience, answer)
    }

    /// Looks whether GitHub has what was sent, and says where.
    fn read_back(
        &self,
        offer: &Offer<'_>,
        opened: bool,
        is_as_it_was: bool,
        pull: &Pull,
    ) -> anyhow::Result<Pull> {
        let (upstream, ui) = (&self.survey.upstream, &self.context.ui);
        let pull = pulls::get(&upstream.connection.github, &upstream.into, pull.number)?;
        if pull.head.sha != offer.proposal.head {
            ui.warn(&format!(
                "GitHub shows commit {} where {} was proposed: it may need a moment, or there was another push",
                short(&pull.head.sha),
                short(&offer.proposal.head)
            ));
        }
        let verb = match (opened, is_as_it_was) {
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

    fn deployment(&self, sha: &str, at_once: bool) -> anyhow::Result<following::Deploy> {
        following::deployment(self.context, self.git, self.survey, sha, at_once)
            .map_err(|error| self.left(error, "the deployment goes on"))
    }

    /// After Ctrl-C, what goes on without us.
    fn left(&self, error: anyhow::Error, what: &str) -> anyhow::Error {
        match self.context.interrupt.is_set() {
            false => error,
            true => Failure::interrupted(format!("no longer followed; {what}"))
                .next("cargo xtask promote --code   # follows it again")
                .into(),
        }
    }

    /// Prints the answer; what is left to be said of the deployment is the exit code.
    fn end(&self, answer: Answer) -> anyhow::Result<()> {
        // At a terminal its address was said already, as a link.
        let said = self.context.env.stdout_is_terminal && self.context.ui.is_moving();
        self.context.ui.json(&answer)?;
        match &answer.pull {
            Some(pull) if !self.args.dry_run && !said => self.context.ui.answer(&pull.url),
            _ => {}
        }
        let looked_once = self.args.no_wait || self.args.dry_run;
        let deploy = answer.deploy.as_ref().filter(|_| !looked_once);
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
}

fn shown(pull: &Pull) -> PullRequest {
    PullRequest {
        number: pull.number,
        url: pull.html_url.clone(),
    }
}
