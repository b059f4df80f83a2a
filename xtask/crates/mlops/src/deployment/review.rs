//! Shows a plan.

use crate::context::Context;
use crate::databricks::guard::Change;
use crate::ui::{Tone, safe_line};

/// Shows the changes, one line each, and their counts.
pub(crate) fn show(context: &Context, changes: &[Change]) {
    let ui = &context.ui;
    for change in changes {
        let tone = match change.action.as_str() {
            "create" => Tone::Good,
            "delete" | "recreate" => Tone::Bad,
            _ => Tone::Warning,
        };
        let note = match change.ends_data {
            true => format!("  {}", ui.paint("deletes its data", Tone::Bad)),
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
pub(crate) fn summary(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no resource changes; only files are uploaded".to_owned();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_what_they_do() {
        let change = |action: &str| Change {
            resource: "jobs.a".to_owned(),
            action: action.to_owned(),
            ends_data: false,
        };
        let changes = ["create", "update", "resize", "delete"].map(change);
        assert_eq!(summary(&changes), "1 to create, 2 to change, 1 to delete");
        assert_eq!(summary(&[]), "no resource changes; only files are uploaded");
    }
}
