//! What a plan does to each resource, and the consent that the end of data takes.

use serde::Serialize;

use super::super::Plan;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// Kinds of resources that can be made again from the bundle alone. Any other kind, and those that later
/// versions of the CLI bring, count as holding data.
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
    /// Whether data go with it.
    pub(crate) ends_data: bool,
}

/// The changes of a plan, those that remove something last.
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

/// Whether a resource holds what the bundle cannot make again. Permissions and grants stand one level
/// below their resource.
pub(in super::super) fn holds_data(resource: &str) -> bool {
    let mut parts = resource.split('.');
    let kind = parts.next().unwrap_or_default();
    let below = parts.nth(1);
    below.is_none() && !WITHOUT_DATA.contains(&kind)
}

/// Has each end of data agreed to by its name: by `--delete`, or typed at the terminal. `--yes` alone is
/// no agreement.
///
/// # Errors
/// [`Kind::Failed`] when one was not.
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
            "--delete {key}: the plan neither deletes nor recreates that with its data"
        ));
    }
    let mut open = Vec::new();
    for change in changes.iter().filter(|change| change.ends_data) {
        let key = &change.resource;
        if named.contains(key) {
            continue;
        }
        let question = format!("Its data will be gone. Type {key} to {} it", change.action);
        // One that was not agreed to decides: the others need not be asked.
        if !open.is_empty() || !context.ui.typed(&question, key)? {
            open.push(key.as_str());
        }
    }
    not_named(target, &open)
}

/// Refuses a plan by which data end.
///
/// # Errors
/// [`Kind::Failed`] with what would end.
pub(super) fn refuse(target: &str, changes: &[Change]) -> anyhow::Result<()> {
    let ends = changes.iter().filter(|change| change.ends_data);
    let ends: Vec<&str> = ends.map(|change| change.resource.as_str()).collect();
    not_named(target, &ends)
}

/// The refusal, where something was not agreed to.
fn not_named(target: &str, open: &[&str]) -> anyhow::Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    let what = format!(
        "this would delete what holds data: {}; nothing was changed",
        open.join(", ")
    );
    let flags: Vec<String> = open.iter().map(|key| format!("--delete {key}")).collect();
    Failure::new(Kind::Failed, what)
        .next("if it is to stay, put it back into the bundle")
        .next(format!(
            "if it is to go: cargo xtask deploy --target {target} {}",
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
