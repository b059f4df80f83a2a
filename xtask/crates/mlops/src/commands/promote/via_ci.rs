//! `promote --via-ci`: the repository's workflow does it, for who may not write to the destination.
//!
//! What is asked for is found again by the name of its run, which says version, targets and the promotion's id:
//! on GitHub, from any machine. So a second call follows the run that there is, and a reply that was lost is looked
//! for before anything is asked for again.

mod following;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask_promotion::Plan;
use xtask_remote::Error;
use xtask_remote::github::actions::{self, Run};

use super::Args;
use super::ends::Targets;
use crate::context::Context;
use crate::error::Failure;
use crate::git::Git;
use crate::github::Upstream;
use crate::ui::safe_line;

pub(super) use following::Ended;

/// How long a run may take to appear after it was asked for.
const GRACE: Duration = Duration::from_secs(45);
/// The pause between two looks for it.
const BETWEEN: Duration = Duration::from_secs(2);

/// The workflow that promotes to a target, and the way to it.
pub(super) struct Workflow {
    upstream: Upstream,
    file: String,
    /// The branch that it runs on: the one that feeds the destination.
    branch: String,
    ends: Targets,
}

/// The workflow, where it is to do it.
pub(super) fn workflow(
    context: &Context,
    args: &Args,
    ends: &Targets,
) -> anyhow::Result<Option<Workflow>> {
    match args.via_ci {
        true => Workflow::find(context, ends).map(Some),
        false => Ok(None),
    }
}

impl Workflow {
    fn find(context: &Context, ends: &Targets) -> anyhow::Result<Workflow> {
        let config = &context.config;
        let Some(file) = config.github.deploy_model_workflow.clone() else {
            return Failure::usage("xtask.toml names no workflow that promotes models")
                .next("write deploy-model-workflow = \"FILE.yml\" below [github]: docs/ci.md")
                .err();
        };
        let target = config.targets.get(&ends.to);
        let Some(branch) = target.and_then(|target| target.branch.clone()) else {
            return Failure::usage(format!("no branch feeds target {}", ends.to))
                .details(format!(
                    "{file} runs on the branch of the target that it promotes to"
                ))
                .next(format!(
                    "write branch = \"BRANCH\" below [targets.{}] of xtask.toml",
                    ends.to
                ))
                .err();
        };
        Ok(Workflow {
            upstream: Upstream::open(context, &Git::open(context)?)?,
            file,
            branch,
            ends: ends.clone(),
        })
    }

    /// Follows a run for the same that has not ended, by any user; the version that it promotes, and how
    /// it ended.
    pub(super) fn follow(
        &self,
        context: &Context,
        version: Option<u64>,
    ) -> anyhow::Result<Option<(u64, Ended)>> {
        let Targets { from, to } = &self.ends;
        let of = |run: &Run| version_of(&run.display_title, from, to);
        let wanted = |run: &&Run| {
            let found = of(run).filter(|found| version.is_none_or(|version| version == *found));
            !run.is_over() && found.is_some()
        };
        let runs = self.runs()?;
        let Some((run, version)) = runs
            .iter()
            .find(wanted)
            .and_then(|run| Some((run, of(run)?)))
        else {
            return Ok(None);
        };
        let what = safe_line(&run.display_title);
        context
            .ui
            .status("Found", &format!("{what}: under way already"));
        let ended = following::to_the_end(context, self, run.id)?;
        Ok(Some((version, ended)))
    }

    fn runs(&self) -> anyhow::Result<Vec<Run>> {
        let Upstream {
            connection, into, ..
        } = &self.upstream;
        match actions::dispatched(&connection.github, into, &self.file, &self.branch) {
            // GitHub knows a workflow from its file on the default branch on.
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            told => Ok(told?),
        }
    }

    /// Shows what would be asked for.
    pub(super) fn show(&self, context: &Context, plan: &Plan) {
        let line = format!(
            "start {} of {} on {} with {}",
            self.file,
            self.upstream.into,
            self.branch,
            inputs(plan)
        );
        context
            .ui
            .line(&format!("{:>12} {}", "will", safe_line(&line)));
    }

    /// Asks for the run, once, and follows it.
    pub(super) fn start(&self, context: &Context, plan: &Plan) -> anyhow::Result<Ended> {
        let Upstream {
            connection, into, ..
        } = &self.upstream;
        let asked = actions::dispatch(
            &connection.github,
            into,
            &self.file,
            &self.branch,
            &inputs(plan),
        );
        let run = match asked {
            Ok(Some(run)) => run,
            Ok(None) => self.appeared(context, plan)?,
            Err(error) if error.leaves_open() => {
                context.ui.warn(&safe_line(&format!(
                    "no good answer came ({error}); looking whether the run has begun"
                )));
                self.appeared(context, plan)?
            }
            Err(error) => return Err(self.refused(&error)),
        };
        let what = format!("{} on {} of {into}", self.file, self.branch);
        context.ui.status("Started", &safe_line(&what));
        following::to_the_end(context, self, run)
    }

    /// The run that has the promotion's id in its name, once GitHub shows it.
    fn appeared(&self, context: &Context, plan: &Plan) -> anyhow::Result<u64> {
        let progress = context.ui.progress("Looking", "for the run");
        let until = Instant::now() + GRACE;
        loop {
            let runs = self.runs()?;
            if let Some(run) = runs.iter().find(|run| run.display_title.contains(&plan.id)) {
                progress.clear();
                return Ok(run.id);
            }
            context.interrupt.check()?;
            if Instant::now() >= until {
                return Failure::service("no run has begun, as far as GitHub shows")
                    .details(format!(
                        "{} holds the promotion's id in its run-name, or it is not found: docs/ci.md",
                        self.file
                    ))
                    .next(format!("{}   # looks again before it asks again", self.again()))
                    .err();
            }
            context.interrupt.sleep(BETWEEN);
        }
    }

    fn refused(&self, error: &Error) -> anyhow::Error {
        let (file, into) = (&self.file, &self.upstream.into);
        let (what, next) = match error.status() {
            Some(404) => (
                format!(
                    "{into} has no workflow {file} on its default branch, or the token may not see it"
                ),
                "merge the workflow there first".to_owned(),
            ),
            Some(403) => (
                format!("the token may not start {file} of {into}"),
                "a fine-grained token needs the right Actions: write, another one the scope repo"
                    .to_owned(),
            ),
            Some(422) => (
                format!("{file} cannot be started on {} like this", self.branch),
                format!("bring it to {}: cargo xtask promote --code", self.branch),
            ),
            _ => (
                format!("GitHub does not start {file}"),
                "cargo xtask status".to_owned(),
            ),
        };
        Failure::service(what)
            .details(safe_line(&error.to_string()))
            .next(next)
            .into()
    }

    /// The command that follows the same run again.
    fn again(&self) -> String {
        let Targets { from, to } = &self.ends;
        format!("cargo xtask promote --from {from} --to {to} --via-ci")
    }
}

/// The version that a run promotes between two targets, as its name says it.
fn version_of(name: &str, from: &str, to: &str) -> Option<u64> {
    let (before, _) = name.split_once(&format!(" from {from} to {to} ("))?;
    before.rsplit_once("version ")?.1.parse().ok()
}

/// What the workflow is given.
fn inputs(plan: &Plan) -> Value {
    json!({
        "version": plan.from.number.to_string(),
        "from": plan.from.target,
        "to": plan.to.target,
        "id": plan.id,
    })
}

/// The id of a promotion that begins; `None` where the workflow was started without one.
pub(crate) fn id(text: &str) -> Result<Id, String> {
    let is_one = text.len() == 32 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    match (text, is_one) {
        ("", _) => Ok(Id(None)),
        (_, true) => Ok(Id(Some(text.to_owned()))),
        _ => Err("an id is 32 hex digits".to_owned()),
    }
}

/// See [`id`].
#[derive(Debug, Clone)]
pub(crate) struct Id(pub(super) Option<String>);

#[cfg(test)]
mod tests {
    use super::{id, version_of};

    #[test]
    fn a_run_is_known_by_its_name() {
        let name = "Promote version 7 from staging to prod (0123)";
        assert_eq!(version_of(name, "staging", "prod"), Some(7));
        assert_eq!(version_of(name, "staging", "production"), None);
        assert_eq!(version_of(name, "test", "prod"), None);
        assert_eq!(
            version_of(
                "Promote version x from staging to prod (",
                "staging",
                "prod"
            ),
            None
        );
    }

    #[test]
    fn an_id_is_hex_or_nothing() {
        assert!(id("").unwrap().0.is_none());
        assert!(id("0123456789abcdef0123456789abcdef").unwrap().0.is_some());
        assert!(id("0123").is_err());
        assert!(id("0123456789abcdef0123456789abcdeg").is_err());
    }
}
