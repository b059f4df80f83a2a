//! What a deployment would change, by resource and field, and on which side each field changed. Read-only
//! and with a time limit; the plan that a deployment applies is in [`super::plan`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use xtask_remote::Error;

use super::Target;
use super::plan::SKIP;
use crate::process;

/// What a deployment would do to one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// The CLI's word for it: `create`, `update`, `recreate`, `delete`, ….
    pub(crate) action: String,
    /// Fields changed in the workspace since the deployment.
    pub(crate) workspace_fields: Vec<String>,
    /// Fields changed in the checkout since the deployment.
    pub(crate) checkout_fields: Vec<String>,
}

/// The CLI's plan.
#[derive(Deserialize)]
struct Plan {
    plan: BTreeMap<String, Step>,
}

#[derive(Deserialize)]
struct Step {
    action: String,
    #[serde(default)]
    changes: BTreeMap<String, Field>,
}

/// A field's three values: as deployed, in the bundle now, in the workspace now. Unset values are missing.
#[derive(Deserialize)]
struct Field {
    action: String,
    #[serde(default)]
    old: Value,
    #[serde(default)]
    new: Value,
    #[serde(default)]
    remote: Value,
}

impl Target<'_> {
    /// What a deployment would change, by resource (`jobs.KEY`). The CLI is killed after `limit`.
    pub(crate) fn changes(&self, limit: Duration) -> Result<BTreeMap<String, Change>, Error> {
        use std::os::unix::process::CommandExt as _;
        let call = || "bundle plan".to_owned();
        let unexpected = |reason: String| Error::Unexpected {
            call: call(),
            reason,
        };
        let mut command = self.bundle(&["plan", "--output", "json"]);
        // Its own process group, so that the CLI's children are killed with it.
        command.process_group(0);
        let started = Instant::now();
        let (ui, interrupt) = (&self.context.ui, &self.context.interrupt);
        let finished = process::run_within(ui, interrupt, command, Some(limit), &mut |_| ())
            .map_err(|error| match started.elapsed() >= limit {
                true => Error::Timeout {
                    service: call(),
                    deadline: limit,
                },
                false => unexpected(error.to_string()),
            })?;
        if !finished.ok() {
            return Err(unexpected(complaint(&finished.tail)));
        }
        parse(&finished.stdout).map_err(|error| unexpected(error.to_string()))
    }
}

/// The error line of the CLI's output.
fn complaint(tail: &str) -> String {
    let line = tail.lines().find_map(|line| line.strip_prefix("Error: "));
    line.or_else(|| tail.lines().last())
        .unwrap_or("no reason was given")
        .to_owned()
}

fn parse(text: &str) -> serde_json::Result<BTreeMap<String, Change>> {
    let plan: Plan = xtask_remote::json::from_str(text)?;
    let steps = plan.plan.into_iter();
    Ok(steps
        .filter(|(_, step)| step.action != SKIP)
        .map(|(key, step)| {
            let key = key.strip_prefix("resources.").unwrap_or(&key).to_owned();
            (key, step.change())
        })
        .collect())
}

impl Step {
    fn change(self) -> Change {
        let fields = self.changes.iter();
        let fields: Vec<_> = fields.filter(|(_, field)| field.action != SKIP).collect();
        let named = |which: fn(&Field) -> bool| {
            let found = fields.iter().filter(|(_, field)| which(field));
            found.map(|(name, _)| (*name).clone()).collect()
        };
        Change {
            workspace_fields: named(Field::differs_in_workspace),
            checkout_fields: named(Field::differs_in_checkout),
            action: self.action,
        }
    }
}

impl Field {
    fn differs_in_checkout(&self) -> bool {
        self.new != self.old
    }

    /// A field missing in the workspace may be one that it never returns: if the checkout explains the
    /// change, do not blame the workspace.
    fn differs_in_workspace(&self) -> bool {
        self.remote != self.old && !(self.remote.is_null() && self.differs_in_checkout())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_was_changed_in_the_workspace_or_in_the_checkout() {
        let plan = r#"{"plan_version": 2, "plan": {
            "resources.jobs.same": {"action": "skip", "changes": {
                "timeout_seconds": {"action": "skip", "reason": "empty", "remote": 0}}},
            "resources.jobs.new": {"action": "create", "new_state": {"value": {}}},
            "resources.jobs.both": {"action": "update", "changes": {
                "a": {"action": "update", "remote": 7200},
                "b": {"action": "update", "old": 1, "new": 2, "remote": 1},
                "c": {"action": "update", "old": 1, "new": 2, "remote": 3},
                "d": {"action": "update", "old": 1, "new": 2},
                "e": {"action": "skip", "reason": "backend_default", "remote": "x"}}}}}"#;
        let changes = parse(plan).unwrap();
        assert_eq!(
            changes.keys().collect::<Vec<_>>(),
            ["jobs.both", "jobs.new"]
        );
        assert_eq!(changes["jobs.new"].action, "create");
        assert_eq!(changes["jobs.both"].workspace_fields, ["a", "c"]);
        assert_eq!(changes["jobs.both"].checkout_fields, ["b", "c", "d"]);
        assert!(parse(r#"{"resources": {}}"#).is_err());
        assert!(parse(r#"{"plan": {}}"#).unwrap().is_empty());
    }

    #[test]
    fn of_what_the_cli_says_the_error_counts() {
        let said = "Warning: x\nError: no such field\n  at y\n";
        assert_eq!(complaint(said), "no such field");
        assert_eq!(complaint("killed"), "killed");
        assert_eq!(complaint(""), "no reason was given");
    }
}
