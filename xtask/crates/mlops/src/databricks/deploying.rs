//! What a [`Writer`] does with the Databricks CLI: it applies a plan that was agreed to, and removes a deployment.

use std::time::{Duration, Instant};

use super::guard::{self, Agreed, Removal, Writer};
use super::plan::{Plan, PlanFile};
use super::{Target, Versions, words};
use crate::error::{Failure, Kind};
use crate::process::{self, Finished};
use xtask_remote::databricks::bundle_state;

/// What the CLI says of a plan that was made before another deployment.
const MOVED: [&str; 2] = ["does not match state", "has been modified since the plan"];

/// How long another deployment to the same target is waited for; docs/deploy.md has it.
const LOCK: Duration = Duration::from_secs(600);
/// The pause between two attempts at the lock.
const BETWEEN: Duration = Duration::from_secs(3);

/// How the application of a plan ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was applied.
    Deployed,
    /// Nothing was done: the target was deployed by somebody else since the plan was made. The CLI's words.
    Moved(String),
}

impl Writer<'_, '_> {
    /// Does what a plan says, and nothing else. `on_line` sees what the CLI says meanwhile. A deployment that holds
    /// the target's lock is waited for, unless `force_lock` takes it over.
    ///
    /// # Errors
    /// [`Kind::Pending`] when another deployment does not end; else what the CLI says.
    pub(crate) fn deploy(
        &self,
        agreed: &Agreed<'_>,
        force_lock: bool,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        let (target, plan) = (self.target(), agreed.plan());
        self.check_again()?;
        // The CLI refuses a plan of another state; a plan of no state it takes whatever is there by now.
        if !plan.follows && target.reviewable_plan()?.follows {
            return Ok(Outcome::Moved("it was not deployed before".to_owned()));
        }
        if !self.end_versions(plan)? {
            return Ok(Outcome::Moved("the plan is another by now".to_owned()));
        }
        let file = PlanFile::write(&target.context.local().join("cache"), plan)?;
        let mut args = vec!["deploy", "--auto-approve", "--plan", file.path.as_str()];
        if force_lock {
            args.push("--force-lock");
        }
        let finished = self.with_the_lock(&args, on_line)?;
        if finished.ok() {
            return Ok(Outcome::Deployed);
        }
        if MOVED.iter().any(|words| finished.tail.contains(words)) {
            return Ok(Outcome::Moved(finished.tail));
        }
        let what = format!("target {} could not be deployed", target.name);
        if words::says_it_is_there_already(&finished.tail) {
            return taken(target, &finished).err();
        }
        let again = format!("cargo xtask deploy --target {} --explain", target.name);
        target.failure(what, &finished).next(again).err()
    }

    /// Removes everything that the bundle deployed.
    ///
    /// # Errors
    /// [`Kind::Failed`] when the deployment is another than was shown; else what the CLI says.
    pub(crate) fn destroy(
        &self,
        agreed: &guard::AgreedRemoval<'_>,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        let target = self.target();
        if target.removal()? != *agreed.removal() {
            let what = format!(
                "{} has changed since this was shown; nothing was removed",
                target.name
            );
            return Failure::new(Kind::Failed, what)
                .next(format!(
                    "cargo xtask destroy --target {} --dry-run",
                    target.name
                ))
                .err();
        }
        let transport = self.transport();
        for versions in &agreed.removal().versions {
            versions.delete(&*transport)?;
        }
        let finished = self.with_the_lock(&["destroy", "--auto-approve"], on_line)?;
        if finished.ok() {
            return Ok(());
        }
        let what = format!("target {} could not be destroyed", target.name);
        let again = format!("cargo xtask destroy --target {} --explain", target.name);
        target.failure(what, &finished).next(again).err()
    }

    /// Deletes the versions of models that a plan deletes or recreates: the CLI deletes no model that has one.
    /// `false` when the plan is another by now, and nothing was deleted.
    fn end_versions(&self, plan: &Plan) -> anyhow::Result<bool> {
        let target = self.target();
        let ends = |key: &String| {
            let action = plan.actions.get(key);
            action.is_some_and(|action| guard::removes(action)) && guard::holds_data(key)
        };
        if !plan
            .actions
            .keys()
            .any(|key| ends(key) && key.contains("models."))
        {
            return Ok(true);
        }
        let state_path = target.summary()?.workspace.state_path;
        let transport = self.transport();
        let mut deployed = bundle_state::resources(&*transport, &state_path)?.unwrap_or_default();
        deployed.retain(|key, _| ends(key));
        let all = Versions::of_models(&*transport, &deployed)?;
        if !all.is_empty() && target.reviewable_plan()?.actions != plan.actions {
            return Ok(false);
        }
        all.iter()
            .try_for_each(|versions| versions.delete(&*transport))?;
        Ok(true)
    }

    /// Runs a verb of `bundle` that takes the target's lock, and waits for it where another deployment has it.
    fn with_the_lock(
        &self,
        args: &[&str],
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Finished> {
        let target = self.target();
        let (ui, interrupt) = (&target.context.ui, &target.context.interrupt);
        let started = Instant::now();
        let mut is_told = false;
        loop {
            let finished = process::run(ui, interrupt, target.bundle(args), &mut *on_line)?;
            let Some(holder) = words::holder_of_the_lock(&finished.tail).filter(|_| !finished.ok())
            else {
                return Ok(finished);
            };
            if started.elapsed() >= LOCK {
                return never_free(target, &finished).err();
            }
            let waits = format!("for the deployment of {holder} to end");
            if !is_told {
                ui.status(
                    "Waiting",
                    &format!("{waits}, {} minutes at most", LOCK.as_secs() / 60),
                );
                is_told = true;
            }
            on_line(&format!("waits {waits}: {} s", started.elapsed().as_secs()));
            interrupt.sleep(BETWEEN);
            interrupt.check()?;
        }
    }
}

impl Target<'_> {
    /// All that the deployment has, and that its removal would take.
    ///
    /// # Errors
    /// When the workspace does not answer.
    pub(crate) fn removal(&self) -> anyhow::Result<Removal> {
        guard::look_at_removal(self)
    }
}

/// Another deployment holds the lock for too long.
fn never_free(target: &Target<'_>, finished: &Finished) -> Failure {
    let name = &target.name;
    let what = format!(
        "another deployment to {name} has not ended in {} minutes",
        LOCK.as_secs() / 60
    );
    Failure::new(Kind::Pending, what)
        .details(&finished.tail)
        .next("the same command, once it has ended")
        .next(format!(
            "if it was killed, take its lock over: cargo xtask deploy --target {name} --force-lock"
        ))
}

/// What the target would create is there already, made by another deployment or by hand.
fn taken(target: &Target<'_>, finished: &Finished) -> Failure {
    let name = &target.name;
    let what = format!(
        "target {name} could not be deployed: what it would create is there already, and belongs to another \
         deployment or was made by hand"
    );
    Failure::new(Kind::Failed, what)
        .details(&finished.tail)
        .next(format!(
            "deploy as the user whose deployment it is, or give target {name} a workspace.root_path in \
             databricks.yml that is the same for everybody"
        ))
        .next(format!(
            "or give target {name} names of its own in databricks.yml: another schema, or presets.name_prefix"
        ))
}
