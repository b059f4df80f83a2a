//! What destroying a target's deployment deletes, and the confirmation for it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{Target, Versions};
use super::holds_data;
use crate::error::Failure;
use crate::ui::{Tone, safe_line};
use xtask_remote::databricks::bundle_state;

/// Everything in a target's deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Removal {
    /// Names or ids of the resources by `KIND.KEY`, without permissions and grants.
    resources: BTreeMap<String, String>,
    /// Model versions, deleted with their models.
    #[serde(skip)]
    pub(in super::super) versions: Vec<Versions>,
    /// The folder with the deployed files and the state.
    folder: String,
}

/// A confirmed removal.
pub(crate) struct Agreed<'r>(&'r Removal);

impl<'r> Agreed<'r> {
    pub(in super::super) fn removal(&self) -> &'r Removal {
        self.0
    }
}

/// Reads a target's deployment: everything in the CLI's state, whatever the checkout contains.
pub(in super::super) fn look(target: &Target<'_>) -> anyhow::Result<Removal> {
    let summary = target.summary()?;
    let transport = target.transport();
    let state_path = &summary.workspace.state_path;
    // With Terraform state, the CLI's summary of the checkout's resources is the fallback.
    let state = bundle_state::resources(&*transport, state_path)?;
    let mut resources = state.unwrap_or_else(|| summary.resources.ids());
    let versions = Versions::of_models(&*transport, &resources)?;
    resources.retain(|key, _| key.split('.').count() == 2);
    for (key, job) in &summary.resources.jobs {
        if let Some(name) = resources.get_mut(&format!("jobs.{key}")) {
            name.clone_from(&job.name);
        }
    }
    Ok(Removal {
        resources,
        versions,
        folder: state_path.trim_end_matches("/state").to_owned(),
    })
}

impl Removal {
    /// Whether there is nothing to remove.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// The resources that hold data.
    fn data(&self) -> impl Iterator<Item = &str> {
        let keys = self.resources.keys().map(String::as_str);
        keys.filter(|key| holds_data(key))
    }

    /// Shows it, one line each, resources with data last.
    pub(crate) fn show(&self, target: &Target<'_>) {
        let ui = &target.context.ui;
        let (data, others): (Vec<_>, Vec<_>) =
            self.resources.iter().partition(|(key, _)| holds_data(key));
        let delete = ui.paint("delete", Tone::Bad);
        for (key, name) in others {
            ui.line(&format!(
                "  {delete} {}  {}",
                safe_line(key),
                safe_line(name)
            ));
        }
        for (key, name) in data {
            let versions = self.versions.iter().find(|versions| versions.key == *key);
            let versions =
                versions.map_or_else(String::new, |versions| match versions.numbers.len() {
                    1 => ", 1 version".to_owned(),
                    count => format!(", {count} versions"),
                });
            let note = ui.paint("deletes its data", Tone::Bad);
            let (key, name) = (safe_line(key), safe_line(name));
            ui.line(&format!("  {delete} {key}  {name}{versions}  {note}"));
        }
        ui.line(&format!(
            "  {delete} the files below {}",
            safe_line(&self.folder)
        ));
    }
}

/// Confirms a removal. For a target on the local workspace a yes is enough. If the target deploys from a
/// branch, or is on a shared workspace, its name must be typed; or each resource with data named by
/// `--delete`, and with a branch also `--confirm TARGET`.
pub(super) fn agree<'r>(
    target: &Target<'_>,
    branch: Option<&str>,
    removal: &'r Removal,
    named: &[String],
    confirmed: Option<&str>,
) -> anyhow::Result<Agreed<'r>> {
    let (ui, name) = (&target.context.ui, target.name.as_str());
    if let Some(other) = confirmed.filter(|other| *other != name) {
        return Failure::usage(format!(
            "--confirm {other}: the target is {name}; nothing was removed"
        ))
        .err();
    }
    let ends_nothing = removal.data().next().is_none();
    if branch.is_none() && (target.local.is_some() || ends_nothing) {
        let question = format!("Remove all of this from {name}, with its data?");
        ui.agree(&question, false)?;
        return Ok(Agreed(removal));
    }
    let is_named = |key: &str| named.iter().any(|one| one == key);
    let is_confirmed = branch.is_none() || confirmed.is_some();
    let fed = branch.map_or_else(String::new, |branch| format!(" (deploys from {branch})"));
    let question = format!(
        "This removes everything listed from target {name}{fed}, with its data. Type {name} to confirm"
    );
    let by_names = is_confirmed && removal.data().all(is_named);
    if !by_names && !ui.typed(&question, name)? {
        return not_agreed(removal, name, branch);
    }
    ui.agreed_before()?;
    Ok(Agreed(removal))
}

fn not_agreed<T>(removal: &Removal, name: &str, branch: Option<&str>) -> anyhow::Result<T> {
    let data: Vec<&str> = removal.data().collect();
    let target = match branch {
        Some(branch) => format!("target {name} (deploys from {branch})"),
        None => format!("target {name}, which is on a shared workspace"),
    };
    let what = match data.is_empty() {
        true => format!("this would remove {target}; nothing was removed"),
        false => format!(
            "this would delete resources with data from {target}: {}; nothing was removed",
            data.join(", ")
        ),
    };
    let mut command = format!("cargo xtask destroy --target {name}");
    for key in data {
        command.push_str(&format!(" --delete {key}"));
    }
    if branch.is_some() {
        command.push_str(&format!(" --confirm {name}"));
    }
    command.push_str(" --yes");
    Failure::failed(what)
        .next(format!("to remove all of it: {command}"))
        .err()
}
