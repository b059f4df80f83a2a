//! What is shown before the question.

use super::Command;
use super::bundle_plan::BundlePlan;
use super::contents::Contents;
use super::evidence::{Evidence, Seen};
use super::proposal::Proposal;
use crate::ui::{Tone, safe_line};
use crate::words::{count, short};

/// How many pull requests and commits are named on the screen.
const NAMED: usize = 12;

impl Command<'_> {
    /// Says which branch goes where.
    pub(super) fn show_way(&self, was_released: bool) {
        let (route, main) = (&self.survey.route, short(&self.survey.main.sha));
        let to = match &self.survey.release {
            Some(release) if was_released => format!("at {}", short(&release.head.sha)),
            _ => "for the first release".to_owned(),
        };
        let what = format!("{} at {main} into {} {to}", route.main, route.release);
        self.context.ui.status("Promoting", &safe_line(&what));
    }

    /// Names what is brought, or taken away.
    pub(super) fn show_contents(&self, verb: &str, contents: &Contents) {
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
        ui.status(verb, &amount(contents));
        for line in lines.iter().take(NAMED) {
            ui.line(&format!("{:13}{line}", ""));
        }
        if lines.len() > NAMED {
            ui.line(&format!("{:13}and {} more", "", lines.len() - NAMED));
        }
    }

    /// Shows what changes in the destination.
    pub(super) fn show_plan(&self, plan: &BundlePlan) {
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

    /// Shows what is known about the targets and the commit.
    pub(super) fn show_evidence(&self, evidence: &Evidence) {
        let ui = &self.context.ui;
        let (from, to) = (&evidence.from, &evidence.to);
        match (&from.unknown, from.unknown == to.unknown) {
            (Some(unknown), true) => {
                let what = format!("what {} and {} have: {unknown}", from.target, to.target);
                ui.status_toned("Unknown", &safe_line(&what), Tone::Warning);
            }
            _ => [from, to].into_iter().for_each(|seen| self.show_seen(seen)),
        }
        let checks = &evidence.checks;
        let tone = match (checks.failed.is_empty(), checks.pending.is_empty()) {
            (true, true) => Tone::Good,
            (false, _) => Tone::Bad,
            (true, false) => Tone::Warning,
        };
        let what = format!("{}, on {}", checks.told(), short(&self.survey.main.sha));
        ui.status_toned("Checks", &what, tone);
        for objection in evidence.objections(&self.survey.route, &self.survey.main.sha) {
            ui.status_toned("Missing", &safe_line(&objection), Tone::Warning);
        }
    }

    fn show_seen(&self, seen: &Seen) {
        let (verb, tone) = match (&seen.commit, &seen.unknown) {
            (_, Some(_)) => ("Unknown", Tone::Warning),
            (Some(_), None) => ("Deployed", Tone::Good),
            (None, None) => ("Deployed", Tone::Warning),
        };
        let what = safe_line(&self.seen(seen));
        self.context.ui.status_toned(verb, &what, tone);
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

    /// Warns of pull requests that want the contrary.
    pub(super) fn show_against(&self, proposal: &Proposal) {
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

/// `2 pull requests and 1 commit without one`.
fn amount(contents: &Contents) -> String {
    let pulls = count(contents.pulls.len(), "pull request");
    match contents.commits.len() + contents.not_looked_up {
        0 => pulls,
        commits if contents.pulls.is_empty() => {
            format!("{} without a pull request", count(commits, "commit"))
        }
        commits => format!("{pulls} and {} without one", count(commits, "commit")),
    }
}
