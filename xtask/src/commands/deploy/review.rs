//! What a plan does, in words; and the consent that the end of data takes.

use serde::Serialize;

use crate::context::Context;
use crate::databricks::Plan;
use crate::error::{Failure, Kind};
use crate::ui::{Tone, safe_line};

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
pub(super) struct Change {
    /// `KIND.KEY`, with `.permissions` or `.grants` after it for those.
    pub(super) resource: String,
    /// The CLI's word: `create`, `update`, `recreate`, `delete`, ….
    pub(super) action: String,
    /// Whether data go with it.
    pub(super) ends_data: bool,
}

/// The changes of a plan, those that remove something last.
pub(super) fn changes(plan: &Plan) -> Vec<Change> {
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

fn removes(action: &str) -> bool {
    matches!(action, "delete" | "recreate")
}

/// Whether a resource holds what the bundle cannot make again. Permissions and grants stand one level
/// below their resource.
fn holds_data(resource: &str) -> bool {
    let mut parts = resource.split('.');
    let kind = parts.next().unwrap_or_default();
    let below = parts.nth(1);
    below.is_none() && !WITHOUT_DATA.contains(&kind)
}

/// Shows the changes, one line each, and how many of which.
pub(super) fn show(context: &Context, changes: &[Change]) {
    let ui = &context.ui;
    for change in changes {
        let tone = match change.action.as_str() {
            "create" => Tone::Good,
            "delete" | "recreate" => Tone::Bad,
            _ => Tone::Warning,
        };
        let note = match change.ends_data {
            true => format!("  {}", ui.paint("its data go with it", Tone::Bad)),
            false => String::new(),
        };
        ui.line(&format!(
            "  {} {}{note}",
            ui.paint(&safe_line(&change.action), tone),
            safe_line(&change.resource)
        ));
    }
    ui.line(&format!("  Plan: {}", summary(changes)));
}

/// The changes, counted.
fn summary(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no resource changes; the files are uploaded".to_owned();
    }
    let count = |wanted: &[&str]| {
        let of = changes.iter();
        of.filter(|change| wanted.contains(&change.action.as_str()))
            .count()
    };
    let (create, delete, recreate) = (count(&["create"]), count(&["delete"]), count(&["recreate"]));
    let update = changes.len() - create - delete - recreate;
    let parts = [
        (create, "to create"),
        (update, "to change"),
        (recreate, "to recreate"),
        (delete, "to delete"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
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

    #[test]
    fn changes_are_counted_by_what_they_do() {
        let change = |action: &str| Change {
            resource: "jobs.a".to_owned(),
            action: action.to_owned(),
            ends_data: false,
        };
        let changes = ["create", "update", "resize", "delete"].map(change);
        assert_eq!(summary(&changes), "1 to create, 2 to change, 1 to delete");
        assert_eq!(summary(&[]), "no resource changes; the files are uploaded");
    }
}
