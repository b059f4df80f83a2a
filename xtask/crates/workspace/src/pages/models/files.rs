//! The files of a model version, and the signature in its `MLmodel`.

use std::io::Read as _;

use maud::{Markup, html};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::super::formatting::size;
use super::super::listing;
use crate::error::ApiError;
use crate::files::RelativePath;
use crate::state::App;

/// Size limit for `MLmodel`, bytes.
const DESCRIPTION_LIMIT: u64 = 4 << 20;
const MOST: usize = 300;

#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Path and size.
    files: Vec<(String, u64)>,
    /// Whether files were left out.
    cut: bool,
    signature: Vec<(&'static str, Vec<Value>)>,
    flavors: Vec<String>,
}

impl Contents {
    /// Empty if the folder does not exist.
    pub(super) fn read(app: &App, full_name: &str, number: i64) -> Result<Contents, ApiError> {
        let root = RelativePath::parse(&format!("{}/{number}", full_name.replace('.', "/")))?;
        let failed =
            |error: std::io::Error| ApiError::disk("cannot read the version's files", &error);
        let mut contents = Contents::default();
        if app.models.metadata(&root).map_err(failed)?.is_none() {
            return Ok(contents);
        }
        let mut folders = vec![(root.clone(), String::new())];
        while let Some((folder, below)) = folders.pop() {
            for entry in app.models.list(&folder).map_err(failed)? {
                let path = format!("{below}{}", entry.name);
                if entry.is_dir {
                    folders.push((folder.join(&entry.name), format!("{path}/")));
                } else if contents.files.len() < MOST {
                    contents.files.push((path, entry.size));
                } else {
                    contents.cut = true;
                }
            }
        }
        contents.files.sort();
        let mut text = String::new();
        if let Ok(file) = app.models.open_file(&root.join("MLmodel"))
            && file
                .take(DESCRIPTION_LIMIT)
                .read_to_string(&mut text)
                .is_ok()
        {
            contents.describe(&text);
        }
        Ok(contents)
    }

    /// Parses `MLmodel`: YAML, with the signature as JSON strings.
    fn describe(&mut self, text: &str) {
        let Some(model) = YamlLoader::load_from_str(text)
            .ok()
            .and_then(|all| all.into_iter().next())
        else {
            return;
        };
        for part in ["inputs", "outputs", "params"] {
            let json = model["signature"][part].as_str();
            let columns = json.and_then(|json| serde_json::from_str::<Value>(json).ok());
            if let Some(Value::Array(columns)) = columns {
                self.signature.push((part, columns));
            }
        }
        if let Yaml::Hash(flavors) = &model["flavors"] {
            self.flavors = flavors
                .keys()
                .filter_map(|key| key.as_str().map(str::to_owned))
                .collect();
        }
    }

    pub(super) fn flavors(&self) -> String {
        self.flavors.join(", ")
    }

    pub(super) fn signature(&self) -> Markup {
        html! {
            @if self.signature.is_empty() { p.dim { "The version has no signature." } }
            @else { div.columns { @for (part, columns) in &self.signature {
                div.wide { table.list {
                    caption { (part_name(part)) }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } } }
                    tbody { @for (index, column) in columns.iter().enumerate() {
                        tr {
                            th scope="row" { (column["name"].as_str().map_or_else(|| format!("{}", index + 1), str::to_owned)) }
                            td { code { (type_of(column)) } @if column["required"] == false { span.dim { " optional" } } }
                        }
                    } }
                } }
            } } }
        }
    }

    pub(super) fn table(&self, full_name: &str, number: i64) -> Markup {
        let number = number.to_string();
        let base: Vec<&str> = full_name.split('.').chain([number.as_str()]).collect();
        html! {
            @if self.files.is_empty() { p.dim { "This workspace has no files of the version." } } @else {
                div.wide { table.list {
                    caption.unseen { "Files of the version" }
                    thead { tr { th scope="col" { "File" } th.number scope="col" { "Size" } } }
                    tbody { @for (path, bytes) in &self.files {
                        @let names: Vec<&str> = base.iter().copied().chain(path.split('/')).collect();
                        tr {
                            th scope="row" { a href=(listing::download("Models", &names)) { (path) } }
                            td.number { (size(*bytes)) }
                        }
                    } }
                } }
                @if self.cut { p.dim { "And more." } }
            }
        }
    }
}

fn part_name(part: &str) -> &'static str {
    match part {
        "inputs" => "Inputs",
        "outputs" => "Outputs",
        _ => "Parameters",
    }
}

/// `double`, or type and shape of a tensor.
fn type_of(column: &Value) -> String {
    let tensor = &column["tensor-spec"];
    match (column["type"].as_str(), tensor["dtype"].as_str()) {
        (Some("tensor"), Some(dtype)) => format!("{dtype} {}", tensor["shape"]),
        (Some(kind), _) => kind.to_owned(),
        _ => column.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_from_mlmodel() {
        let mut contents = Contents::default();
        contents.describe(
            "flavors:\n  python_function:\n    loader_module: x\nsignature:\n  inputs: '[{\"type\": \"double\", \
             \"name\": \"<b>\", \"required\": true}]'\n  outputs: '[{\"type\": \"tensor\", \"tensor-spec\": \
             {\"dtype\": \"float64\", \"shape\": [-1]}}]'\n  params: null\n",
        );
        let shown = contents.signature().into_string();
        assert!(
            shown.contains("&lt;b&gt;") && shown.contains("float64 [-1]"),
            "{shown}"
        );
        assert_eq!(contents.flavors(), "python_function");
        contents.describe("{{{ no yaml");
    }
}
