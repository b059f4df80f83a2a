//! Changes in notebooks, by cell.

use std::collections::BTreeSet;

use serde_json::Value;

use super::block::code;
use crate::git::{Blobs, Change, Changed, Git};
use crate::words::count;

/// The first line of a notebook in source format, after the comment marker.
const SOURCE_MARK: &str = "Databricks notebook source";
/// The cell separator.
const CELL_MARK: &str = "COMMAND ----------";

/// Extensions of files that may be notebooks.
const ENDINGS: &[&str] = &[".ipynb", ".py", ".sql", ".r", ".R", ".scala"];

/// One line per changed notebook.
pub(crate) fn section(git: &Git, changes: &[Change]) -> anyhow::Result<String> {
    let may_be = |path: &str| ENDINGS.iter().any(|ending| path.ends_with(ending));
    let changes: Vec<&Change> = changes
        .iter()
        .filter(|change| may_be(&change.path) || change.before.as_deref().is_some_and(may_be))
        .collect();
    if changes.is_empty() {
        return Ok(String::new());
    }
    let objects = changes
        .iter()
        .flat_map(|change| change.old.iter().chain(&change.new));
    git.bring_objects(&objects.map(String::as_str).collect::<Vec<_>>())?;
    let mut blobs = git.blobs()?;
    let mut lines = Vec::new();
    for change in changes {
        lines.extend(line(&mut blobs, change)?);
    }
    Ok(lines.join("\n"))
}

fn line(blobs: &mut Blobs, change: &Change) -> anyhow::Result<Option<String>> {
    let name = code(&change.path);
    let old_path = change.before.as_deref().unwrap_or(&change.path);
    let mut read = |path: &str, id: &Option<String>| -> anyhow::Result<Option<Vec<String>>> {
        let content = match id {
            Some(id) => blobs.read(id)?,
            None => None,
        };
        Ok(content.and_then(|bytes| cells(path, &bytes)))
    };
    let before = read(old_path, &change.old)?;
    let after = read(&change.path, &change.new)?;
    Ok(match (change.how, before, after) {
        (_, None, None) => None,
        (Changed::Deleted, Some(_), _) => Some(format!("- {name} is removed")),
        (_, None, Some(after)) => Some(format!("- {name} is new: {}", count(after.len(), "cell"))),
        (_, Some(_), None) => Some(format!("- {name} is no longer a notebook")),
        (_, Some(before), Some(after)) => {
            let renamed = change
                .before
                .as_deref()
                .map(|old| format!(" (was {})", code(old)));
            let differs = difference(&before, &after);
            let what = match differs.is_empty() {
                true => "the same cells".to_owned(),
                false => differs.join(", "),
            };
            Some(format!("- {name}{}: {what}", renamed.unwrap_or_default()))
        }
    })
}

/// The cells of a notebook; `None` for other files.
fn cells(path: &str, bytes: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if path.ends_with(".ipynb") {
        let notebook: Value = xtask_remote::json::from_str(text).ok()?;
        let cells = notebook["cells"].as_array()?;
        return Some(cells.iter().map(|cell| source(&cell["source"])).collect());
    }
    let (first, rest) = text.split_once('\n')?;
    let mark = first.trim_end().strip_suffix(SOURCE_MARK)?.trim_end();
    let separator = format!("{mark} {CELL_MARK}");
    let mut cells = vec![String::new()];
    for line in rest.lines() {
        match line.trim_end() == separator {
            true => cells.push(String::new()),
            false => {
                if let Some(cell) = cells.last_mut() {
                    cell.push_str(line);
                    cell.push('\n');
                }
            }
        }
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// A cell's source in a Jupyter notebook: one text, or its lines.
fn source(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Which cells were changed, added and removed. Identical cells are matched first; the rest at the same
/// position counts as changed.
fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let same: BTreeSet<&String> = before.iter().filter(|cell| after.contains(cell)).collect();
    let old = before.iter().filter(|cell| !same.contains(cell)).count();
    let new: Vec<usize> = (1..)
        .zip(after)
        .filter(|(_, cell)| !same.contains(cell))
        .map(|(number, _)| number)
        .collect();
    let changed = old.min(new.len());
    let listed = |numbers: &[usize]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let word = if numbers.len() == 1 { "cell" } else { "cells" };
        format!("{word} {}", numbers.join(", "))
    };
    let mut said = Vec::new();
    if changed > 0 {
        said.push(format!("{} changed", listed(&new[..changed])));
    }
    if new.len() > changed {
        said.push(format!("{} added", listed(&new[changed..])));
    }
    if old > changed {
        said.push(format!("{} removed", count(old - changed, "cell")));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTEBOOK: &str = "# Databricks notebook source\n1\n\n# COMMAND ----------\n\n2\n\n# COMMAND ----------\n\n3\n";

    fn of(text: &str) -> Vec<String> {
        cells("a.py", text.as_bytes()).unwrap()
    }

    #[test]
    fn cells_are_counted_as_people_see_them() {
        assert_eq!(of(NOTEBOOK), ["1", "2", "3"]);
        assert!(cells("a.py", b"import os\n").is_none());
        let jupyter = br#"{"cells": [{"source": ["a\n", "b"]}, {"source": "c"}]}"#;
        assert_eq!(cells("a.ipynb", jupyter).unwrap(), ["a\nb", "c"]);
        let sql = "-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\nSELECT 2\n";
        assert_eq!(of(sql).len(), 2);
    }

    #[test]
    fn the_difference_names_the_cells() {
        let changed = NOTEBOOK.replace("\n2\n", "\n22\n");
        assert_eq!(difference(&of(NOTEBOOK), &of(&changed)), ["cell 2 changed"]);
        let added = format!("{NOTEBOOK}\n# COMMAND ----------\n\n4\n");
        assert_eq!(difference(&of(NOTEBOOK), &of(&added)), ["cell 4 added"]);
        assert_eq!(difference(&of(&added), &of(NOTEBOOK)), ["1 cell removed"]);
        assert!(difference(&of(NOTEBOOK), &of(NOTEBOOK)).is_empty());
    }
}
