//! What a plan does to each resource, and the confirmation for deleting data.

use serde::Serialize;

use super::super::Plan;
use crate::context::Context;
use crate::error::Failure;

/// Kinds of resources that can be recreated from the bundle alone. All other kinds, including those of
/// later CLI versions, count as holding data.
const WITHOUT_DATA: &[&str] = &[
    "alerts",
    "apps",
    "clusters",
    "dashboards",
    "jobs",
    "model_serving_endpoints",
    "quality_monitors",
    "sql_warehouses",
];

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// `KIND.KEY`, with `.permissions` or `.grants` after it for those.
    pub(crate) resource: String,
    /// The CLI's word: `create`, `update`, `recreate`, `delete`, ….
    pub(crate) action: String,
    /// Whether this deletes data.
    pub(crate) ends_data: bool,
}

/// The changes of a plan, deletions last.
pub(crate) fn changes(plan: &Plan) -> Vec<Change> {
    let mut changes: Vec<Change> = plan
        .actions
        .iter()
        .map(|(resource, action)| Change {
            ends_data: removes(action) && holds_data(resource),
            resource: resource.clone(),
            action: action.clone(),
        })
        .collect();
    changes.sort_by_key(|change| (change.ends_data, removes(&change.action)));
    changes
}

pub(in super::super) fn removes(action: &str) -> bool {
    matches!(action, "delete" | "recreate")
}

/// Whether a resource holds data that the bundle cannot recreate. Permissions and grants are one level
/// below their resource.
pub(in super::super) fn holds_data(resource: &str) -> bool {
    let mut parts = resource.split('.');
    let kind = parts.next().unwrap_or_default();
    let below = parts.nth(1);
    below.is_none() && !WITHOUT_DATA.contains(&kind)
}

/// Confirms each deletion of data by name: with `--delete`, or typed at the terminal. `--yes` alone is not
/// enough.
pub(super) fn agree(
    context: &Context,
    target: &str,
    changes: &[Change],
    named: &[String],
) -> anyhow::Result<()> {
    let ends = |key: &str| {
        let mut of = changes.iter();
        of.any(|change| change.ends_data && change.resource == key)
    };
    for key in named.iter().filter(|key| !ends(key)) {
        context.ui.warn(&format!(
            "--delete {key}: the plan does not delete or recreate {key} with its data"
        ));
    }
    let mut open = Vec::new();
    for change in changes.iter().filter(|change| change.ends_data) {
        let key = &change.resource;
        if named.contains(key) {
            continue;
        }
        let question = format!("This deletes its data. Type {key} to {} it", change.action);
        // One refusal decides; do not prompt for the others.
        if !open.is_empty() || !context.ui.typed(&question, key)? {
            open.push(key.as_str());
        }
    }
    not_named(target, &open)
}

/// Refuses a plan that deletes data.
pub(super) fn refuse(target: &str, changes: &[Change]) -> anyhow::Result<()> {
    let ends = changes.iter().filter(|change| change.ends_data);
    let ends: Vec<&str> = ends.map(|change| change.resource.as_str()).collect();
    not_named(target, &ends)
}

/// The refusal, if something was not confirmed.
fn not_named(target: &str, open: &[&str]) -> anyhow::Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    let what = format!(
        "this would delete resources with data: {}; nothing was changed",
        open.join(", ")
    );
    let flags: Vec<String> = open.iter().map(|key| format!("--delete {key}")).collect();
    Failure::failed(what)
        .next("to keep it, put it back into the bundle")
        .next(format!(
            "to delete it: cargo xtask deploy --target {target} {} --yes",
            flags.join(" ")
        ))
        .err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_held_by_what_no_bundle_makes_again() {
        for key in [
            "schemas.a",
            "volumes.a",
            "registered_models.a",
            "experiments.a",
            "something_new.a",
        ] {
            assert!(holds_data(key), "{key}");
        }
        for key in ["jobs.a", "schemas.a.grants", "experiments.a.permissions"] {
            assert!(!holds_data(key), "{key}");
        }
    }
}
