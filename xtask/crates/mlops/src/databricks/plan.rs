//! The CLI's plan of a deployment, kept verbatim so that exactly this plan can be applied.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{PLAN, Target};
use crate::error::Failure;

/// The CLI's action for unchanged resources.
pub(super) const SKIP: &str = "skip";

/// A plan: its actions, and the JSON from which the CLI applies it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The CLI's action (`create`, `update`, `recreate`, `delete`, ...) by resource (`jobs.KEY`), without
    /// unchanged ones.
    pub(crate) actions: BTreeMap<String, String>,
    /// Whether it was made from an earlier deployment's state.
    pub(super) follows: bool,
    /// The verbatim output. It may contain the bundle's settings.
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Printed {
    /// Identifies the deployment's history; missing before the first deployment.
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
        let printed: Printed = xtask_remote::json::from_str(&text)?;
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

impl Target<'_> {
    /// Plans a deployment. Takes no lock and writes nothing to the workspace.
    pub(crate) fn reviewable_plan(&self) -> anyhow::Result<Plan> {
        let command = self.bundle(&["plan", "--output", "json"]);
        let what = format!("could not plan the deployment to {}", self.name);
        let finished = self.succeed_within(command, &what, PLAN)?;
        Plan::parse(finished.stdout).map_err(|error| {
            Failure::failed(format!(
                "{what}: unexpected output of the Databricks CLI: {error}"
            ))
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
