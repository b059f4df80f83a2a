//! `cargo xtask workspace conformance`: drives the local workspace through the Databricks CLI, databricks-sdk and MLflow,
//! and writes the table of what works.

use serde::Deserialize;
use serde_json::json;

use crate::context::Context;
use crate::error::Failure;
use crate::python;
use crate::tools::{self, Need, Toolbox};

/// The page that `--write` writes, and that must be true without it.
const PAGE: &str = "docs/conformance.md";
/// What stands above the tables.
const HEAD: &str = "# What the local workspace answers, client by client

Written by `cargo xtask workspace conformance --write`; CI runs the same and compares. Each row drives the local
workspace through the field's own clients: it writes through one, and reads back through another. The rows are
in `xtask/crates/mlops/tests/conformance`.
";
/// What stands above the routes that are left out.
const PROOF: &str = "
## Would it notice?

Each of these routes is left out once, and the rows that called it run again. All of them must fail.
";

/// What the rows came to, as `xtask/crates/mlops/tests/conformance` writes it.
#[derive(Debug, Deserialize)]
struct Outcome {
    rows: Vec<Row>,
    without: Vec<Without>,
}

#[derive(Debug, Deserialize)]
struct Row {
    area: String,
    feature: String,
    writes: String,
    reads: String,
    reason: Option<String>,
}

/// A route that was left out.
#[derive(Debug, Deserialize)]
struct Without {
    route: String,
    /// The rows that called it.
    rows: Vec<String>,
    /// Those of them that passed all the same.
    still_green: Vec<String>,
}

/// Runs the command.
pub(super) fn run(context: &Context, write: bool) -> anyhow::Result<()> {
    let toolbox = tools::ready(context, Need::ALL)?;
    let said = check(context, &toolbox, write)?;
    context.ui.status("Conforms", &said);
    context
        .ui
        .json(&json!({"version": 1, "outcome": "conforms", "detail": said}))
}

/// Runs the rows, and compares or writes the page; answers how many there are.
pub(crate) fn check(context: &Context, toolbox: &Toolbox, write: bool) -> anyhow::Result<String> {
    let outcome = measure(context, toolbox)?;
    let path = context.root.join(PAGE);
    let page = page(&outcome);
    if write {
        fs_err::write(&path, &page)?;
        context.ui.status("Wrote", PAGE);
    }
    judge(&outcome)?;
    if fs_err::read_to_string(&path).unwrap_or_default() != page {
        return Failure::failed(format!("{PAGE} is out of date"))
            .next("cargo xtask workspace conformance --write")
            .err();
    }
    Ok(format!(
        "{} rows, and {} routes whose absence they notice",
        outcome.rows.len(),
        outcome.without.len()
    ))
}

fn measure(context: &Context, toolbox: &Toolbox) -> anyhow::Result<Outcome> {
    let folder = context.local().join("cache");
    fs_err::create_dir_all(&folder)?;
    let out = folder.join("conformance.json");
    let progress = context
        .ui
        .progress("Driving", "the local workspace through its clients");
    let finished = python::conformance(context, toolbox, &out, &mut |line| match context.env.ci {
        true => context.ui.line(line),
        false => progress.message(line),
    })?;
    progress.clear();
    if !finished.ok() {
        return Failure::failed("the rows could not be run")
            .details(finished.tail)
            .err();
    }
    Ok(xtask_remote::json::from_str(&fs_err::read_to_string(
        &out,
    )?)?)
}

fn judge(outcome: &Outcome) -> anyhow::Result<()> {
    let failed = outcome.rows.iter().filter_map(|row| {
        let reason = row.reason.as_ref()?;
        Some(format!("{}: {}: {reason}", row.area, row.feature))
    });
    let unnoticed = outcome.without.iter().filter_map(|without| {
        let route = &without.route;
        match (without.rows.len(), without.still_green.as_slice()) {
            (0, _) => Some(format!("no row calls {route}")),
            (_, []) => None,
            (_, green) => Some(format!(
                "without {route}: {} pass all the same",
                green.join(", ")
            )),
        }
    });
    let wrong: Vec<String> = failed.chain(unnoticed).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Failure::failed("the local workspace does not answer as its clients expect")
        .details(wrong.join("\n"))
        .next("cargo xtask workspace conformance")
        .err()
}

fn page(outcome: &Outcome) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n| area | feature | written by | read by | |\n|---|---|---|---|---|\n");
    for row in &outcome.rows {
        let verdict = match &row.reason {
            None => "passes",
            Some(_) => "**fails**",
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {verdict} |\n",
            row.area, row.feature, row.writes, row.reads
        ));
    }
    text.push_str(PROOF);
    text.push_str("\n| route | rows that call it | of them fail without it |\n|---|---|---|\n");
    for without in &outcome.without {
        let called = without.rows.len();
        text.push_str(&format!(
            "| `{}` | {called} | {} |\n",
            without.route,
            called - without.still_green.len()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(reason: Option<&str>, rows: &[&str], still_green: &[&str]) -> Outcome {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Outcome {
            rows: vec![Row {
                area: "Jobs".to_owned(),
                feature: "a job".to_owned(),
                writes: "one".to_owned(),
                reads: "another".to_owned(),
                reason: reason.map(str::to_owned),
            }],
            without: vec![Without {
                route: "POST /x".to_owned(),
                rows: owned(rows),
                still_green: owned(still_green),
            }],
        }
    }

    #[test]
    fn a_row_that_fails_or_notices_nothing_is_a_failure() {
        assert!(judge(&outcome(None, &["a"], &[])).is_ok());
        assert!(judge(&outcome(Some("no"), &["a"], &[])).is_err());
        assert!(judge(&outcome(None, &["a"], &["a"])).is_err());
        assert!(judge(&outcome(None, &[], &[])).is_err());
    }

    #[test]
    fn the_page_says_what_failed() {
        let text = page(&outcome(Some("no"), &["a", "b"], &["b"]));
        assert!(text.contains("| Jobs | a job | one | another | **fails** |"));
        assert!(text.contains("| `POST /x` | 2 | 1 |"));
    }
}
