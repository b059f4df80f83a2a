//! `promote --code --undo`: the release branch back to the files of an earlier release.

use xtask_remote::github::deployments::{self, Deployed};

use super::answer::Answer;
use super::contents::Contents;
use super::proposal::Proposal;
use super::steps::Offer;
use super::survey::Release;
use super::trailers;
use super::{Command, bundle_plan, notes};
use crate::error::Failure;
use crate::git::Made;
use crate::ui::{Progress, Tone, safe_line};
use crate::words::short;

impl Command<'_> {
    /// Proposes the files of an earlier release. `asked` names one; empty, it is the one before the present.
    pub(super) fn undo(&self, asked: &str, progress: Progress) -> anyhow::Result<()> {
        let Command { git, survey, .. } = self;
        let route = &survey.route;
        let Some(release) = &survey.release else {
            return Failure::failed(format!(
                "there is no branch {}: nothing was released",
                safe_line(&route.release)
            ))
            .next("cargo xtask promote --code")
            .err();
        };
        if asked.is_empty()
            && let Some(done) = release.releases.all.first()
            && let Some(undo) = trailers::undo_of(git, done)
        {
            progress.clear();
            return self.undone_already(release, &undo.back_to);
        }
        let back_to = match asked {
            "" => self.before(release)?,
            asked => self.named(release, asked)?,
        };
        self.go_back(release, &back_to, progress)
    }

    fn go_back(&self, release: &Release, back_to: &Made, progress: Progress) -> anyhow::Result<()> {
        let Command {
            context,
            git,
            survey,
            ..
        } = self;
        let (route, head, back) = (&survey.route, &release.head.sha, &back_to.sha);
        let proposal = Proposal::of_undo(git, survey, &release.head, back_to)?;
        let contents = self
            .taken_away(release, back)?
            .with_notebooks(git, head, back)?;
        let plan = bundle_plan::of(context, git, &route.to, head, back)?;
        progress.clear();

        let offer = Offer {
            survey,
            proposal: &proposal,
            title: format!("Take {} back to {}", route.release, short(back)),
            notes: notes::of_undo(route, head, back, &contents, &plan),
        };
        let what = format!(
            "{} from {} back to the files of {}: {}",
            route.release,
            short(head),
            short(back),
            back_to.subject()
        );
        context.ui.status("Undoing", &safe_line(&what));
        self.show_contents("Takes away", &contents);
        self.show_plan(&plan);
        self.show_against(&proposal);
        let again = format!(
            "the next promotion brings this again, unless it is reverted on {}",
            route.main
        );
        for note in [
            "models stay as they are: cargo xtask promote --undo takes one back",
            &safe_line(&again),
        ] {
            context.ui.status_toned("Note", note, Tone::Accent);
        }
        let answer = Answer {
            contents,
            bundle_plan: Some(plan),
            back_to: Some(back.clone()),
            ..self.answer("undo")
        };
        self.offer(&offer, answer)
    }

    /// What the standing release has of main, and the earlier one has not.
    fn taken_away(&self, release: &Release, back_to: &str) -> anyhow::Result<Contents> {
        let Command { git, survey, .. } = self;
        let standing = release.standing.as_deref().unwrap_or(&release.head.sha);
        let Some(newer) = survey.of_main(git, standing) else {
            return Ok(Contents::default());
        };
        let older = survey.of_main(git, back_to);
        let (upstream, main) = (&survey.upstream, &survey.route.main);
        Contents::between(git, upstream, main, older.as_deref(), &newer)
    }

    /// Called once more it does not go back further by itself: a call that was killed ends here as well.
    fn undone_already(&self, release: &Release, back_to: &str) -> anyhow::Result<()> {
        let ui = &self.context.ui;
        let what = format!(
            "to undo: {} was taken back to {} already",
            self.survey.route.release,
            short(back_to)
        );
        ui.status("Nothing", &safe_line(&what));
        if let Some(earlier) = release.releases.earlier(self.git).first() {
            let what = format!(
                "further back is {} ({}): cargo xtask promote --code --undo {}",
                short(&earlier.sha),
                earlier.subject(),
                short(&earlier.sha)
            );
            ui.status("Next", &safe_line(&what));
        }
        self.settled(Answer {
            back_to: Some(back_to.to_owned()),
            ..self.answer("undo")
        })
    }

    /// The newest earlier release that was deployed, as far as GitHub was told.
    fn before(&self, release: &Release) -> anyhow::Result<Made> {
        let (upstream, route) = (&self.survey.upstream, &self.survey.route);
        let told = |commit: &Made| {
            deployments::of_commit(
                &upstream.connection.github,
                &upstream.into,
                &route.to,
                &commit.sha,
            )
        };
        for commit in release.releases.earlier(self.git) {
            self.context.interrupt.check()?;
            if told(commit)? != Deployed::No {
                return Ok(commit.clone());
            }
            let what = format!(
                "{} is passed over: it was never deployed to {}",
                short(&commit.sha),
                route.to
            );
            self.context
                .ui
                .status_toned("Note", &safe_line(&what), Tone::Accent);
        }
        for commit in &release.releases.perhaps {
            self.context.interrupt.check()?;
            if commit.tree != release.head.tree && told(commit)? == Deployed::Yes {
                return Ok(commit.clone());
            }
        }
        Failure::failed(format!(
            "{} has no earlier release to go back to",
            safe_line(&route.release)
        ))
        .next("cargo xtask promote --code --undo COMMIT   # any commit that was on the branch")
        .err()
    }

    /// The commit that the command line names.
    fn named(&self, release: &Release, asked: &str) -> anyhow::Result<Made> {
        let branch = safe_line(&self.survey.route.release);
        let found = self.git.resolve(asked);
        let found = found.filter(|sha| self.git.contains(&release.head.sha, sha));
        let Some(sha) = found else {
            let known: Vec<String> = release
                .releases
                .all
                .iter()
                .skip(1)
                .take(5)
                .map(|commit| format!("{} {}", short(&commit.sha), safe_line(commit.subject())))
                .collect();
            return Failure::usage(format!(
                "{} is no commit that was on {branch}",
                safe_line(asked)
            ))
            .details(known.join("\n"))
            .next(format!(
                "git log --first-parent {}/{branch}",
                self.survey.upstream.remote
            ))
            .err();
        };
        let commit = self.git.made(&sha)?;
        if trailers::is_start(&commit) {
            return Failure::usage(format!(
                "{} is the empty start of {branch}, and no release",
                short(&sha)
            ))
            .err();
        }
        if commit.tree == release.head.tree {
            return Failure::usage(format!("{branch} has the files of {} already", short(&sha)))
                .err();
        }
        Ok(commit)
    }
}
