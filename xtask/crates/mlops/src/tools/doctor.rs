//! The findings of `setup --check`: what this machine has and what is missing.

use std::borrow::Cow;

use serde::Serialize;

use super::network::{self, Reached};
use super::survey::Survey;
use super::workshop::Workshop;
use super::{Item, Need, Sight, disk, kingfisher, no_room, python, remedies, workspace_python};
use crate::context::Context;
use crate::error::{self, Failure};

/// The state of one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Installed.
    Ok,
    /// Missing; `cargo xtask setup` installs it.
    WillBeFetched,
    /// Too old; `cargo xtask setup` installs one for this project.
    TooOld,
    /// Missing; the command that uses it installs it.
    OnDemand,
    /// Missing; the user must install it.
    Missing,
    /// A workspace that is not reachable or refuses.
    NotReached,
    /// A workspace that does not accept the credentials.
    SignedOut,
}

/// One checked thing.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) name: Cow<'static, str>,
    /// How it stands.
    pub(crate) state: State,
    /// Version and path, or what is wrong.
    pub(crate) says: String,
    /// What to type or do, in order.
    pub(crate) next: Vec<String>,
}

impl Finding {
    pub(crate) fn ok(name: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Finding {
        Finding {
            name: name.into(),
            state: State::Ok,
            says: says.into(),
            next: Vec::new(),
        }
    }

    fn missing(name: &'static str, failure: Failure) -> Finding {
        Finding::of(name, State::Missing, error::report(&failure.into()))
    }

    /// The text of a report's row.
    pub(crate) fn of(
        name: impl Into<Cow<'static, str>>,
        state: State,
        report: error::Report,
    ) -> Finding {
        let reason = report
            .details
            .as_deref()
            .and_then(|d| d.lines().last())
            .map(|l| format!(" ({})", l.trim()));
        let says = report.what + &reason.unwrap_or_default();
        Finding {
            name: name.into(),
            state,
            says,
            next: report.next,
        }
    }
}

/// Checks everything and changes nothing. Registries are contacted only if something is missing.
pub(crate) fn examine(context: &Context) -> anyhow::Result<Vec<Finding>> {
    let workshop = Workshop::open(context)?;
    let survey = Survey::take(&workshop, Need::ALL);
    let items = survey.items(&workshop);
    let mut findings = vec![system(), git(&workshop), interpreter(&workshop)];
    let note = |at: usize| survey.notes().get(at).map(|note| (*note).to_owned());
    let uv_note = matches!(&survey.uv, Some(Sight::Fetch(plan)) if plan.note.is_some());
    let cli_note = matches!(&survey.databricks, Some(Sight::Fetch(plan)) if plan.note.is_some());
    let cli_note = if cli_note {
        note(usize::from(uv_note))
    } else {
        None
    };
    let uv_note = if uv_note { note(0) } else { None };
    findings.extend(tool(&workshop, "uv", survey.uv, &items, "uv ", uv_note));
    findings.extend(tool(
        &workshop,
        "Python packages",
        survey.environment,
        &items,
        "the Python packages",
        None,
    ));
    findings.extend(tool(
        &workshop,
        "MLflow",
        survey.workspace_python,
        &items,
        workspace_python::WHAT,
        None,
    ));
    findings.extend(tool(
        &workshop,
        "Databricks CLI",
        survey.databricks,
        &items,
        "Databricks CLI",
        cli_note,
    ));
    findings.extend(tool(
        &workshop,
        "local workspace",
        survey.workspace,
        &items,
        "the local workspace program",
        None,
    ));
    findings.extend(secret_scanner(&workshop));
    findings.push(room(&workshop, &items));
    if !context.env.offline {
        findings.extend(registries(&workshop, &items));
    }
    Ok(findings)
}

fn system() -> Finding {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let wsl = if kernel.to_lowercase().contains("microsoft") {
        " in WSL"
    } else {
        ""
    };
    Finding::ok(
        "system",
        format!("{} {}{wsl}", std::env::consts::OS, std::env::consts::ARCH),
    )
}

fn git(workshop: &Workshop<'_>) -> Finding {
    match workshop.on_path("git") {
        Some(path) => Finding::ok(
            "git",
            match workshop.version(&path, &["--version"]) {
                Some(version) => format!("{version} ({path})"),
                None => path.to_string(),
            },
        ),
        None => Finding::missing("git", remedies::no_git()),
    }
}

fn interpreter(workshop: &Workshop<'_>) -> Finding {
    match python::find(workshop) {
        Ok(python) => Finding::ok("Python", format!("{} ({})", python.version, python.path)),
        Err(failure) => Finding::missing("Python", failure),
    }
}

/// The finding of a tool; `start` is the start of its item's name.
fn tool<P>(
    workshop: &Workshop<'_>,
    name: &'static str,
    sight: Option<Sight<P>>,
    items: &[Item],
    start: &str,
    too_old: Option<String>,
) -> Option<Finding> {
    let finding = match sight? {
        Sight::Here(path, says) if says.starts_with(|c: char| c.is_ascii_digit()) => {
            Finding::ok(name, format!("{says} ({path})"))
        }
        Sight::Here(_, says) => Finding::ok(name, says),
        Sight::Cannot(failure) => Finding::missing(name, failure),
        Sight::Fetch(_) => {
            let at = items.iter().position(|item| item.what.starts_with(start))?;
            // Go's item comes before what is built with it, and has no row of its own.
            let first = at - usize::from(at > 0 && items[at - 1].what.starts_with("Go "));
            let items = &items[first..=at];
            if workshop.context.env.offline {
                let what: Vec<&str> = items.iter().map(|item| item.what.as_str()).collect();
                return Some(Finding::missing(
                    name,
                    remedies::offline(&what.join(" and ")),
                ));
            }
            let will: Vec<String> = items
                .iter()
                .map(|i| format!("{}: {}", i.what, i.how))
                .collect();
            let will = will.join("; ");
            Finding {
                name: name.into(),
                state: if too_old.is_some() {
                    State::TooOld
                } else {
                    State::WillBeFetched
                },
                says: too_old.map_or_else(|| will.clone(), |note| format!("{note}: {will}")),
                next: vec![remedies::AGAIN.to_owned()],
            }
        }
    };
    Some(finding)
}

/// Kingfisher; `open-pr` installs it, not `setup`.
fn secret_scanner(workshop: &Workshop<'_>) -> Option<Finding> {
    let name = "Kingfisher";
    if let Some(found) = kingfisher::look(workshop) {
        let path = found.path();
        let version = workshop.version(path, &["--version"]);
        let version = version.map(|version| format!("{version} "));
        let says = format!("{}({path})", version.unwrap_or_default());
        return Some(Finding::ok(name, says));
    }
    let pinned = workshop.lock.kingfisher.as_ref()?;
    let size = kingfisher::SIZE;
    Some(Finding {
        name: name.into(),
        state: State::OnDemand,
        says: format!(
            "{} from PyPI, {size}, on the first `cargo xtask open-pr`",
            pinned.version
        ),
        next: Vec::new(),
    })
}

fn room(workshop: &Workshop<'_>, items: &[Item]) -> Finding {
    if let Some(failure) = no_room(workshop, items) {
        return Finding::missing("disk", failure);
    }
    let free =
        disk::free(&workshop.folder).map_or_else(|| "unknown".to_owned(), remedies::megabytes);
    let needed: u64 = items.iter().map(|item| item.disk).sum();
    Finding::ok(
        "disk",
        match needed {
            0 => format!("{free} free"),
            needed => format!("{free} free, {} needed", remedies::megabytes(needed)),
        },
    )
}

/// The registries that the items come from.
fn registries(workshop: &Workshop<'_>, items: &[Item]) -> Vec<Finding> {
    let finding = |name, reached| match reached {
        Reached::Yes => Finding::ok(name, "answers"),
        Reached::No(failure) => Finding::missing(name, failure),
        Reached::Untried(why) => Finding::ok(name, format!("not checked: {why}")),
    };
    let mut findings = Vec::new();
    if items.iter().any(|item| item.how.contains("PyPI"))
        && let Ok(python) = python::find(workshop)
    {
        findings.push(finding(
            "package index",
            network::package_index(workshop, &python),
        ));
    }
    if items.iter().any(|item| item.how.contains("Go module")) {
        findings.push(finding("Go module proxy", network::module_proxy(workshop)));
    }
    findings
}
