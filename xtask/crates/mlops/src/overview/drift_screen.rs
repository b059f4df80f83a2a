//! Drift on the screen: what a deployment would change, where that comes from, and what to type.

use super::drift::next;
use super::facts::{Change, Drift, Environment, Origin};
use super::rows::Rows;
use crate::ui::{Tone, safe_line};
use crate::words::count;

/// How many resources are named, and fields of each.
const RESOURCES: usize = 3;
const FIELDS: usize = 2;

/// The drift of one target. `changed_files` are those of the checkout that are not committed.
pub(super) fn rows(rows: &mut Rows<'_>, target: &str, drift: &Drift, changed_files: u64) {
    let ui = rows.ui;
    if drift.changes.is_empty() {
        return rows.row("", &[format!("drift {}", ui.paint("none", Tone::Good))]);
    }
    let number = count(drift.changes.len(), "change");
    let in_workspace = is_in_workspace(drift);
    let tone = if in_workspace {
        Tone::Bad
    } else {
        Tone::Warning
    };
    let mut items = vec![format!("drift {}", ui.paint(&number, tone))];
    items.extend(named(drift));
    rows.row("", &items);
    rows.row(
        "",
        &[
            origin(drift).to_owned(),
            checkout(drift, changed_files),
            format!("next: {}", ui.paint(&next(target), Tone::Strong)),
        ],
    );
}

/// The targets whose drift was not asked, and how to ask.
pub(super) fn not_asked(rows: &mut Rows<'_>, environments: &[Environment]) {
    let is_not_asked = |environment: &&Environment| {
        let mut unknown = environment.unknown.iter();
        environment.deployed == Some(true)
            && environment.drift.is_none()
            && !unknown.any(|unknown| unknown.what == "drift")
    };
    let environments = environments.iter().filter(is_not_asked);
    let names: Vec<&str> = environments.map(|one| one.target.as_str()).collect();
    if names.is_empty() {
        return;
    }
    let ui = rows.ui;
    rows.gap();
    let text = format!("of {} was not asked", names.join(", "));
    let next = format!(
        "next: {}",
        ui.paint("cargo xtask status --drift", Tone::Strong)
    );
    rows.row("drift", &[ui.paint(&text, Tone::Dim), next]);
}

/// The first few changes, those of the workspace first.
fn named(drift: &Drift) -> Vec<String> {
    let mut changes: Vec<_> = drift.changes.iter().collect();
    let is_of_checkout = |change: &Change| change.origin == Some(Origin::Checkout);
    changes.sort_by_key(|(_, change)| is_of_checkout(change));
    let mut items: Vec<String> = changes
        .iter()
        .take(RESOURCES)
        .map(|(key, change)| {
            let what = format!("{} {}", safe_line(&change.action), safe_line(key));
            match fields(change) {
                // Of what is to be created every field is new.
                fields if fields.is_empty() || change.action == "create" => what,
                fields => format!("{what} ({fields})"),
            }
        })
        .collect();
    match changes.len().saturating_sub(RESOURCES) {
        0 => {}
        more => items.push(format!("and {more} more")),
    }
    items
}

/// The first few fields: those that the workspace changed, else those of the checkout.
fn fields(change: &Change) -> String {
    let fields = match change.workspace_fields.is_empty() {
        true => &change.checkout_fields,
        false => &change.workspace_fields,
    };
    let mut named: Vec<String> = fields
        .iter()
        .take(FIELDS)
        .map(|name| safe_line(name))
        .collect();
    if fields.len() > FIELDS {
        named.push("…".to_owned());
    }
    named.join(", ")
}

fn is_in_workspace(drift: &Drift) -> bool {
    let mut origins = drift.changes.values().map(|change| change.origin);
    origins.any(|origin| matches!(origin, Some(Origin::Workspace | Origin::Both)))
}

fn origin(drift: &Drift) -> &'static str {
    let mut origins = drift.changes.values().map(|change| change.origin);
    let in_checkout = origins.any(|origin| matches!(origin, Some(Origin::Checkout | Origin::Both)));
    match (is_in_workspace(drift), in_checkout) {
        (true, true) => "changed in the workspace and in this checkout",
        (true, false) => "changed in the workspace since the deployment",
        (false, true) => "changed in this checkout",
        (false, false) => "a deployment would change it",
    }
}

fn checkout(drift: &Drift, changed_files: u64) -> String {
    let is = match drift.checkout_is_deployed {
        Some(true) => "the checkout is the deployed commit",
        Some(false) => "the checkout is not the deployed commit",
        None => return "the deployed commit is not known".to_owned(),
    };
    match changed_files {
        0 => is.to_owned(),
        files => format!("{is} and has {}", count(files, "changed file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, origin: Origin, fields: &[&str]) -> Change {
        let fields: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
        let (workspace_fields, checkout_fields) = match origin {
            Origin::Checkout => (Vec::new(), fields),
            _ => (fields, Vec::new()),
        };
        Change {
            action: action.to_owned(),
            origin: Some(origin),
            workspace_fields,
            checkout_fields,
        }
    }

    fn drift(changes: &[(&str, Change)]) -> Drift {
        let changes = changes.iter();
        Drift {
            checkout_is_deployed: Some(false),
            changes: changes
                .map(|(key, change)| ((*key).to_owned(), change.clone()))
                .collect(),
        }
    }

    #[test]
    fn the_first_few_changes_are_named_those_of_the_workspace_first() {
        let drift = drift(&[
            ("jobs.a", change("update", Origin::Checkout, &["x"])),
            ("jobs.b", change("create", Origin::Checkout, &[])),
            (
                "jobs.c",
                change("update", Origin::Workspace, &["x", "y", "z"]),
            ),
            ("jobs.d", change("delete", Origin::Checkout, &[])),
        ]);
        let expected = [
            "update jobs.c (x, y, …)",
            "update jobs.a (x)",
            "create jobs.b",
            "and 1 more",
        ];
        assert_eq!(named(&drift), expected);
    }

    #[test]
    fn it_is_told_where_a_change_comes_from_and_what_the_checkout_is() {
        let at_the_ui = change("update", Origin::Workspace, &["x"]);
        let here = change("update", Origin::Checkout, &["x"]);
        let told = |changes: &[(&str, Change)]| origin(&drift(changes));
        let in_workspace = "changed in the workspace since the deployment";
        assert_eq!(told(&[("jobs.a", at_the_ui.clone())]), in_workspace);
        assert_eq!(
            told(&[("jobs.a", here.clone())]),
            "changed in this checkout"
        );
        let both = "changed in the workspace and in this checkout";
        assert_eq!(
            told(&[("jobs.a", at_the_ui), ("jobs.b", here.clone())]),
            both
        );
        let mut drift = drift(&[("jobs.a", here)]);
        assert_eq!(
            checkout(&drift, 0),
            "the checkout is not the deployed commit"
        );
        drift.checkout_is_deployed = Some(true);
        let changed = "the checkout is the deployed commit and has 1 changed file";
        assert_eq!(checkout(&drift, 1), changed);
        drift.checkout_is_deployed = None;
        assert_eq!(checkout(&drift, 1), "the deployed commit is not known");
    }
}
