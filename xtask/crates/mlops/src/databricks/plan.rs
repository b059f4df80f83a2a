//! The CLI's plan of a deployment, kept as it was printed, so that exactly this one can be applied.

use std::collections::BTreeMap;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::os::unix::fs::OpenOptionsExt as _;
use serde::Deserialize;

use super::{PLAN, Target};
use crate::error::{Failure, Kind};

/// The word for what stays as it is.
pub(super) const SKIP: &str = "skip";

/// A plan: what would be done, and the file from which the CLI does it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The CLI's word (`create`, `update`, `recreate`, `delete`, ...) by resource (`jobs.KEY`); without
    /// what stays as it is.
    pub(crate) actions: BTreeMap<String, String>,
    /// Whether it was made of an earlier deployment's state.
    pub(super) follows: bool,
    /// As it was printed. It may hold what the bundle's settings hold.
    text: String,
}

#[derive(Deserialize)]
struct Printed {
    /// Names the line of deployments; there is none before the first.
    #[serde(default)]
    lineage: Option<String>,
    plan: BTreeMap<String, Step>,
}

#[derive(Deserialize)]
struct Step {
    action: String,
}

impl Plan {
    fn parse(text: String) -> serde_json::Result<Plan> {
        let printed: Printed = serde_json::from_str(&text)?;
        let steps = printed.plan.into_iter();
        let actions = steps
            .filter(|(_, step)| step.action != SKIP)
            .map(|(key, step)| {
                let key = key.strip_prefix("resources.").unwrap_or(&key).to_owned();
                (key, step.action)
            })
            .collect();
        Ok(Plan {
            actions,
            follows: printed.lineage.is_some(),
            text,
        })
    }
}

/// A plan on disk, for the CLI. Only its owner can read it, and it goes when the deployment has ended.
pub(super) struct PlanFile {
    pub(super) path: Utf8PathBuf,
}

impl PlanFile {
    pub(super) fn write(folder: &Utf8Path, plan: &Plan) -> anyhow::Result<PlanFile> {
        fs_err::create_dir_all(folder)?;
        let path = folder.join(format!("plan-{}.json", std::process::id()));
        // What a killed process of the same number left behind.
        let _ = fs_err::remove_file(&path);
        let mut file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let written = PlanFile { path };
        file.write_all(plan.text.as_bytes())?;
        Ok(written)
    }
}

impl Drop for PlanFile {
    fn drop(&mut self) {
        let _ = fs_err::remove_file(&self.path);
    }
}

impl Target<'_> {
    /// What a deployment would do now. Takes no lock and writes nothing into the workspace.
    ///
    /// # Errors
    /// [`Kind::Failed`] with what the CLI says.
    pub(crate) fn reviewable_plan(&self) -> anyhow::Result<Plan> {
        let command = self.bundle(&["plan", "--output", "json"]);
        let what = format!("the deployment to {} cannot be planned", self.name);
        let finished = self.succeed_within(command, &what, PLAN)?;
        Plan::parse(finished.stdout).map_err(|error| {
            Failure::new(
                Kind::Failed,
                format!("{what}: the CLI's answer is not understood: {error}"),
            )
            .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_left_out_and_the_text_is_kept() {
        let text = r#"{"plan_version": 2, "serial": 1, "plan": {
            "resources.jobs.same": {"action": "skip"},
            "resources.jobs.new.permissions": {"action": "create", "new_state": {}},
            "resources.volumes.desk": {"action": "delete"}}}"#;
        let plan = Plan::parse(text.to_owned()).unwrap();
        let actions: Vec<_> = plan.actions.iter().collect();
        let (new, desk) = ("jobs.new.permissions".to_owned(), "volumes.desk".to_owned());
        let (create, delete) = ("create".to_owned(), "delete".to_owned());
        assert_eq!(actions, [(&new, &create), (&desk, &delete)]);
        assert_eq!((plan.text.as_str(), plan.follows), (text, false));
        assert!(Plan::parse(r#"{"resources": {}}"#.to_owned()).is_err());
    }
}
