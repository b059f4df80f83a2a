//! The bundle without its resources: enough to find a target's workspace, identity and deployment state,
//! and the CLI runs no code of the checkout for it.

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::Bundle;
use crate::context::Context;
use crate::temporary::Temporary;

/// Their folder below the project's root, and the relative path back.
const FOLDER: &str = ".xtask/cache/outlines";
const ROOT: &str = "../../../../";

/// A folder with such a bundle.
#[derive(Debug)]
pub(crate) struct Outline(Temporary);

impl Outline {
    /// Writes one.
    pub(crate) fn of(context: &Context, bundle: &Bundle) -> anyhow::Result<Outline> {
        let outline = Outline::of_text(context, &text(bundle))?;
        for target in bundle.config.targets.keys() {
            copy_overrides(&context.root, &outline.0, target)?;
        }
        Ok(outline)
    }

    /// Writes a bundle that includes the project's files, given relative to its root, and has no preinit
    /// script.
    pub(super) fn around(context: &Context, files: &[String]) -> anyhow::Result<Outline> {
        let files: Vec<String> = files.iter().map(|file| format!("{ROOT}{file}")).collect();
        Outline::of_text(context, &json!({"include": files}))
    }

    /// Translates a path in such a bundle to one relative to the project's root; `None` for files outside
    /// the project.
    pub(super) fn in_project(file: &str) -> Option<&str> {
        file.strip_prefix(ROOT)
    }

    fn of_text(context: &Context, text: &Value) -> anyhow::Result<Outline> {
        let folder = Temporary::folder(&context.root.join(FOLDER).join("outline"))?;
        fs_err::write(folder.join("databricks.yml"), text.to_string())?;
        Ok(Outline(folder))
    }

    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.0
    }
}

/// JSON is YAML.
fn text(bundle: &Bundle) -> Value {
    let config = &bundle.config;
    let mut root = Map::new();
    let mut about = Map::new();
    for name in ["name", "engine", "uuid"] {
        if let Some(value) = config.bundle.get(name) {
            about.insert(name.to_owned(), value.clone());
        }
    }
    root.insert("bundle".to_owned(), Value::Object(about));
    if let Some(workspace) = &config.workspace {
        root.insert("workspace".to_owned(), workspace.clone());
    }
    if !config.variables.is_null() {
        root.insert("variables".to_owned(), config.variables.clone());
    }
    let targets = config.targets.iter().map(|(name, target)| {
        let target = target.clone().unwrap_or_default();
        let mut own = Map::new();
        if target.default {
            own.insert("default".to_owned(), json!(true));
        }
        if let Some(workspace) = target.workspace {
            own.insert("workspace".to_owned(), workspace);
        }
        if !target.variables.is_null() {
            own.insert("variables".to_owned(), target.variables);
        }
        (name.clone(), Value::Object(own))
    });
    root.insert("targets".to_owned(), Value::Object(targets.collect()));
    Value::Object(root)
}

/// Variable values from variable-overrides.json.
fn copy_overrides(root: &Utf8Path, outline: &Utf8Path, target: &str) -> anyhow::Result<()> {
    let name = format!(".databricks/bundle/{target}/variable-overrides.json");
    let (from, to) = (root.join(&name), outline.join(&name));
    if !from.is_file() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder)?;
    }
    fs_err::copy(from, to)?;
    Ok(())
}
