//! Downloads and builds in parallel.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use camino::Utf8PathBuf;

use super::survey::{Pythons, Survey};
use super::workshop::Workshop;
use super::{
    Sight, Toolbox, databricks_cli, remedies, uv, venv, workspace_program, workspace_python,
};
use crate::context::Context;
use crate::error::{self, Failure, Kind};

/// Installs what the survey found missing.
pub(crate) fn all(workshop: &Workshop<'_>, survey: &Survey) -> anyhow::Result<Toolbox> {
    let context = workshop.context;
    let under_way = AtomicUsize::new(3);
    let (python, databricks, workspace) = std::thread::scope(|scope| {
        let python = scope.spawn(|| told(context, &under_way, python_side(workshop, survey)));
        let databricks =
            scope.spawn(|| told(context, &under_way, databricks_side(workshop, survey)));
        let workspace = scope.spawn(|| told(context, &under_way, workspace_side(workshop, survey)));
        (ended(python), ended(databricks), ended(workspace))
    });
    let mut errors = Vec::new();
    let mut keep = |result: anyhow::Result<Utf8PathBuf>| {
        result
            .map_err(|error| errors.push(error))
            .unwrap_or_default()
    };
    let (databricks, workspace) = (keep(databricks), keep(workspace));
    let python = python.unwrap_or_else(|error| {
        errors.push(error);
        Pythons::default()
    });
    match errors.is_empty() {
        true => Ok(python.toolbox(databricks, workspace)),
        false => Err(combined(errors)),
    }
}

/// Combines several errors into one, with all remedies.
pub(crate) fn combined(mut errors: Vec<anyhow::Error>) -> anyhow::Error {
    // Two tools may lack the same Python.
    let mut said = Vec::new();
    errors.retain(|error| {
        let new = !said.contains(&error.to_string());
        said.push(error.to_string());
        new
    });
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let reports: Vec<error::Report> = errors.iter().map(error::report).collect();
    if let Some(at) = reports.iter().position(|r| r.kind == Kind::Interrupted) {
        return errors.remove(at);
    }
    let mut failure = Failure::missing(format!("{} tools could not be installed", reports.len()));
    let mut details = Vec::new();
    let mut next: Vec<&str> = Vec::new();
    for report in &reports {
        details.push(report.what.clone());
        details.extend(
            report
                .causes
                .iter()
                .map(|cause| format!("  because: {cause}")),
        );
        for line in report.details.iter().flat_map(|details| details.lines()) {
            details.push(format!("  {line}"));
        }
        for step in &report.next {
            // A remedy that all share is shown once, at the end.
            next.retain(|other| other != step);
            next.push(step);
        }
    }
    failure = failure.details(details.join("\n"));
    for step in next {
        failure = failure.next(step);
    }
    failure.into()
}

/// Reports a failure at once, as the others may run for minutes.
fn told<T>(
    context: &Context,
    under_way: &AtomicUsize,
    result: anyhow::Result<T>,
) -> anyhow::Result<T> {
    let others = under_way.fetch_sub(1, Ordering::Relaxed) > 1;
    let result = result.map_err(|error| remedies::file_system("writing to this folder", error));
    if let Err(error) = &result
        && others
        && !context.interrupt.is_set()
    {
        context
            .ui
            .warn(&format!("{error}; continuing with the other tools"));
    }
    result
}

fn ended<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The path of a tool, fetched where it is missing; empty for one that is not needed.
fn got<P>(
    sight: &Option<Sight<P>>,
    fetch: impl FnOnce(&P) -> anyhow::Result<Utf8PathBuf>,
) -> anyhow::Result<Utf8PathBuf> {
    match sight {
        Some(Sight::Here(path, _)) => Ok(path.clone()),
        Some(Sight::Fetch(plan)) => fetch(plan),
        _ => Ok(Utf8PathBuf::new()),
    }
}

/// uv, then the environments that it makes.
fn python_side(workshop: &Workshop<'_>, survey: &Survey) -> anyhow::Result<Pythons> {
    let uv = got(&survey.uv, |plan| match workshop.context.env.offline {
        true => remedies::offline(&uv::item(workshop).what).err(),
        false => uv::fetch(workshop, plan),
    })?;
    let project = got(&survey.environment, |plan| venv::fetch(workshop, &uv, plan))?;
    // After the project's environment, whose interpreter it uses.
    let workspace = got(&survey.workspace_python, |plan| {
        workspace_python::fetch(workshop, &uv, plan)
    })?;
    Ok(Pythons {
        uv,
        project,
        workspace,
    })
}

fn databricks_side(workshop: &Workshop<'_>, survey: &Survey) -> anyhow::Result<Utf8PathBuf> {
    got(&survey.databricks, |plan| {
        if !workshop.context.env.offline {
            return databricks_cli::fetch(workshop, plan);
        }
        let items = databricks_cli::items(workshop, plan);
        let what: Vec<&str> = items.iter().map(|item| item.what.as_str()).collect();
        remedies::offline(&what.join(" and ")).err()
    })
}

fn workspace_side(workshop: &Workshop<'_>, survey: &Survey) -> anyhow::Result<Utf8PathBuf> {
    got(&survey.workspace, |plan| {
        workspace_program::build(workshop, plan)
    })
}
