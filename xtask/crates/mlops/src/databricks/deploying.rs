//! Writes with the Databricks CLI: applies a confirmed plan, and destroys a deployment.

use std::time::{Duration, Instant};

use super::guard::{self, Agreed, Removal, Writer};
use super::plan::Plan;
use super::{Target, Versions, words};
use crate::error::Failure;
use crate::process::{self, Finished};
use crate::temporary::Temporary;
use xtask_remote::databricks::bundle_state;

/// The CLI's errors for a plan made before another deployment.
const MOVED: [&str; 2] = ["does not match state", "has been modified since the plan"];

/// How long to wait for another deployment's lock; see docs/deploy.md.
const LOCK: Duration = Duration::from_secs(600);
/// The pause between two attempts to take the lock.
const BETWEEN: Duration = Duration::from_secs(3);

/// The result of applying a plan.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was applied.
    Deployed,
    /// Not applied: another deployment came first. The CLI's message.
    Moved(String),
}

impl Writer<'_, '_> {
    /// Applies exactly this plan. `on_line` gets the CLI's output. Waits for the target's lock, unless
    /// `force_lock` takes it over.
    pub(crate) fn deploy(
        &self,
        agreed: &Agreed<'_>,
        force_lock: bool,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        let (target, plan) = (self.target(), agreed.plan());
        self.check_again()?;
        // The CLI refuses a plan made from another state, but not a plan made from no state.
        if !plan.follows && target.reviewable_plan()?.follows {
            return Ok(Outcome::Moved(
                "the target was not deployed when the plan was made".to_owned(),
            ));
        }
        if !self.end_versions(plan)? {
            return Ok(Outcome::Moved("the plan has changed since".to_owned()));
        }
        let folder = Temporary::folder(&target.context.local().join("cache/plan"))?;
        let file = folder.file("plan.json", plan.text.as_bytes())?;
        let mut args = vec!["deploy", "--auto-approve", "--plan", file.as_str()];
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
        let what = format!("could not deploy target {}", target.name);
        if words::says_it_is_there_already(&finished.tail) {
            return taken(target, &finished).err();
        }
        let again = format!("cargo xtask deploy --target {} --explain", target.name);
        target.failure(what, &finished).next(again).err()
    }

    /// Destroys the deployment.
    pub(crate) fn destroy(
        &self,
        agreed: &guard::AgreedRemoval<'_>,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        let target = self.target();
        if target.removal()? != *agreed.removal() {
            return Failure::failed(format!(
                "{} has changed since the plan was shown; nothing was removed",
                target.name
            ))
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
        let what = format!("could not destroy target {}", target.name);
        let again = format!("cargo xtask destroy --target {} --explain", target.name);
        target.failure(what, &finished).next(again).err()
    }

    /// Deletes the versions of models that a plan deletes or recreates: the CLI cannot delete a model with
    /// versions. `false` when the plan has changed since, and nothing was deleted.
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

    /// Runs a `bundle` command that takes the target's lock, and waits while another deployment holds it.
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
            let finished = process::run(ui, interrupt, target.bundle(args), on_line)?;
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
    /// Everything in the deployment, which its removal would delete.
    pub(crate) fn removal(&self) -> anyhow::Result<Removal> {
        guard::look_at_removal(self)
    }
}

/// The failure when the lock stays taken.
fn never_free(target: &Target<'_>, finished: &Finished) -> Failure {
    let name = &target.name;
    Failure::pending(format!(
        "another deployment to {name} still holds the lock after {} minutes",
        LOCK.as_secs() / 60
    ))
    .details(&finished.tail)
    .next("run the same command once it has ended")
    .next(format!(
        "if it was killed, take over its lock: cargo xtask deploy --target {name} --force-lock"
    ))
}

/// The failure when a resource to create already exists.
fn taken(target: &Target<'_>, finished: &Finished) -> Failure {
    let name = &target.name;
    Failure::failed(format!(
        "could not deploy target {name}: a resource that it would create already exists, from another deployment or \
         made by hand"
    ))
        .details(&finished.tail)
        .next(format!(
            "deploy as the user who owns that deployment, or set a shared workspace.root_path for target {name} in \
             databricks.yml"
        ))
        .next(format!(
            "or give target {name} its own names in databricks.yml: another schema, or presets.name_prefix"
        ))
}
