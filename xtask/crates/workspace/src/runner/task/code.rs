//! Finds the code of a task: a notebook of the workspace tree, a Python file of the tree or a volume, or a package.

use camino::Utf8PathBuf;

use super::work::{Task, TaskError};
use crate::access;
use crate::files::{RelativePath, Tree};
use crate::jobs::Kind;
use crate::state::App;
use crate::store::{ObjectType, StoreError};

#[derive(Debug)]
pub(super) struct Code {
    pub kind: Kind,
    /// Workspace path, `/Workspace/…` or `/Volumes/…`, without the extension of a notebook; or the name of a package.
    pub path: String,
    /// `None` for a package.
    pub file: Option<Utf8PathBuf>,
}

impl Code {
    /// Requires that the task's identity may read it.
    pub(super) fn find(task: &Task) -> Result<Code, TaskError> {
        let (app, settings) = (&task.app, &task.task_run.settings);
        let key = &task.task_run.task_key;
        let declared = settings.code_path();
        if settings.kind() == Some(Kind::PythonWheel) {
            return Ok(Code {
                kind: Kind::PythonWheel,
                path: declared.to_owned(),
                file: None,
            });
        }
        // Normalized once, so that the checked path is the opened one.
        let named = format!("/{}", RelativePath::parse(declared)?.as_str());
        let named = match settings.kind() {
            Some(Kind::Notebook) => without_extension(&named),
            _ => &named,
        };
        access::readable(&task.call()?, named)
            .map_err(|refused| task.declared_wrong(refused.message))?;
        let (kind, found) = match settings.kind() {
            Some(Kind::PythonFile) => (Kind::PythonFile, python_file(app, named)),
            _ => (Kind::Notebook, notebook(app, named)),
        };
        let (path, file) = found.ok_or_else(|| {
            let what = if kind == Kind::Notebook { "notebook" } else { "Python file" };
            TaskError::Declared(format!(
                "task '{key}': there is no {what} at {declared} in the workspace; was the bundle deployed?"
            ))
        })?;
        if kind == Kind::PythonFile && is_notebook(app, &path)? {
            return Err(TaskError::Declared(format!(
                "task '{key}': {declared} is a notebook; run it with a notebook_task, or remove its first line \
                 (# Databricks notebook source)"
            )));
        }
        if let Some(language) = foreign_language(app, &path)? {
            return Err(TaskError::Declared(format!(
                "task '{key}': the notebook {declared} is in {language}; the local workspace runs Python notebooks"
            )));
        }
        let file = Some(file);
        Ok(Code { kind, path, file })
    }
}

fn notebook(app: &App, declared: &str) -> Option<(String, Utf8PathBuf)> {
    let inside = inside_workspace(declared);
    let file = ["", ".py", ".ipynb"]
        .into_iter()
        .map(|extension| format!("{inside}{extension}"))
        .find_map(|name| file_in(&app.workspace_files, &name))?;
    Some((format!("/Workspace/{inside}"), file))
}

fn python_file(app: &App, declared: &str) -> Option<(String, Utf8PathBuf)> {
    if let Some(inside) = declared.strip_prefix("/Volumes/") {
        return Some((declared.to_owned(), file_in(&app.volumes, inside)?));
    }
    let inside = inside_workspace(declared);
    let file = file_in(&app.workspace_files, inside)?;
    Some((format!("/Workspace/{inside}"), file))
}

/// A notebook may be declared by its file name.
fn without_extension(path: &str) -> &str {
    [".py", ".ipynb"]
        .into_iter()
        .find_map(|extension| path.strip_suffix(extension))
        .unwrap_or(path)
}

fn inside_workspace(path: &str) -> &str {
    path.strip_prefix("/Workspace")
        .unwrap_or(path)
        .trim_start_matches('/')
}

fn file_in(tree: &Tree, name: &str) -> Option<Utf8PathBuf> {
    let path = RelativePath::parse(name).ok()?;
    let data = tree.metadata(&path).ok().flatten()?;
    data.is_file().then(|| tree.root().join(path.as_str()))
}

/// `R` or `SCALA`, which the text of a notebook does not always tell.
fn foreign_language(app: &App, path: &str) -> Result<Option<String>, StoreError> {
    let inside = path.strip_prefix("/Workspace").unwrap_or(path);
    let language = app.store.object(inside)?.and_then(|row| row.language);
    Ok(language.filter(|language| matches!(language.as_str(), "R" | "SCALA")))
}

fn is_notebook(app: &App, path: &str) -> Result<bool, StoreError> {
    let inside = path.strip_prefix("/Workspace").unwrap_or(path);
    let object = app.store.object(inside)?;
    Ok(object.is_some_and(|row| row.object_type == ObjectType::Notebook))
}

/// 0 for a file that is not a notebook.
pub(super) fn notebook_id(app: &App, path: &str) -> Result<i64, StoreError> {
    let inside = path.strip_prefix("/Workspace").unwrap_or(path);
    Ok(app.store.object(inside)?.map_or(0, |row| row.object_id))
}
