//! Drift: what a deployment of this checkout would change on a target that is deployed, and whether that
//! is because the workspace or because the checkout is not what was deployed.

use std::time::Instant;

use xtask_remote::databricks::bundle_state::Resources;

use super::deployed;
use super::facts::{Change, Drift, Origin, Unknown};
use crate::databricks::{self, Target};

/// What to type to see the whole plan.
pub(super) fn next(target: &str) -> String {
    format!("cargo xtask deploy --target {target} --dry-run")
}

/// What is asked of the Databricks CLI.
pub(super) struct Question<'a> {
    pub(super) opened: Target<'a>,
    /// What is deployed there.
    pub(super) resources: Resources,
    pub(super) checkout_is_deployed: Option<bool>,
    /// Whether a plan needs nothing but the CLI.
    pub(super) plans_by_itself: bool,
    pub(super) until: Instant,
}

impl Question<'_> {
    /// Asks. Nothing is written by that, neither into the workspace nor into the checkout.
    pub(super) fn ask(self) -> Result<Drift, Unknown> {
        let name = &self.opened.name;
        if !self.plans_by_itself {
            let reason = "a plan would first build, run or fetch what the bundle asks for";
            return Err(unknown(name, reason, next(name)));
        }
        if !self.opened.has_cli() {
            let reason = "the Databricks CLI is not here";
            return Err(unknown(name, reason, "cargo xtask setup".to_owned()));
        }
        let left = self.until.saturating_duration_since(Instant::now());
        match self.opened.changes(left) {
            Ok(changes) => Ok(Drift {
                checkout_is_deployed: self.checkout_is_deployed,
                changes: changes
                    .into_iter()
                    .map(|(key, change)| {
                        let is_deployed = self.resources.contains_key(&key);
                        (key, described(change, is_deployed))
                    })
                    .collect(),
            }),
            Err(error) => Err(Unknown {
                next: Some(next(name)),
                ..deployed::unknown("drift", name, &error)
            }),
        }
    }
}

/// What stands for an answer where the question broke down.
pub(super) fn broken(target: &str) -> Unknown {
    unknown(target, "it broke down", next(target))
}

fn unknown(target: &str, reason: &str, next: String) -> Unknown {
    Unknown {
        what: "drift".to_owned(),
        target: Some(target.to_owned()),
        reason: reason.to_owned(),
        next: Some(next),
    }
}

fn described(change: databricks::Change, is_deployed: bool) -> Change {
    let in_workspace = !change.workspace_fields.is_empty();
    let in_checkout = !change.checkout_fields.is_empty();
    let origin = match (change.action.as_str(), in_workspace, in_checkout) {
        // What was deployed and has to be created is gone from the workspace.
        ("create", ..) if is_deployed => Some(Origin::Workspace),
        ("create" | "delete", ..) => Some(Origin::Checkout),
        (_, true, true) => Some(Origin::Both),
        (_, true, false) => Some(Origin::Workspace),
        (_, false, true) => Some(Origin::Checkout),
        (_, false, false) => None,
    };
    Change {
        action: change.action,
        origin,
        workspace_fields: change.workspace_fields,
        checkout_fields: change.checkout_fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changed_it_follows_from_the_fields_and_from_what_was_deployed() {
        let origin = |action: &str, workspace: &[&str], checkout: &[&str], is_deployed| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let change = databricks::Change {
                action: action.to_owned(),
                workspace_fields: owned(workspace),
                checkout_fields: owned(checkout),
            };
            described(change, is_deployed).origin
        };
        assert_eq!(origin("create", &[], &[], true), Some(Origin::Workspace));
        assert_eq!(origin("create", &[], &[], false), Some(Origin::Checkout));
        assert_eq!(origin("delete", &[], &[], true), Some(Origin::Checkout));
        assert_eq!(origin("update", &["a"], &[], true), Some(Origin::Workspace));
        assert_eq!(origin("update", &[], &["a"], true), Some(Origin::Checkout));
        assert_eq!(origin("recreate", &["a"], &["b"], true), Some(Origin::Both));
        assert_eq!(origin("update", &[], &[], true), None);
    }
}
