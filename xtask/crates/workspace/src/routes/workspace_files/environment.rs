//! The environment of a notebook: the `# /// script` block of source format (PEP 723), and `environmentMetadata` of
//! Jupyter's format.

use serde_json::{Map, Value, json};
use toml::{Table, Value as Toml};

const BEGIN: &str = "/// script";
const END: &str = "///";
const TABLE: [&str; 3] = ["tool", "databricks", "environment"];
/// String fields, in Databricks' order.
const TEXTS: [&str; 3] = ["base_environment", "client", "environment_version"];
const DEPENDENCIES: &str = "dependencies";

/// Moves the block at the top of the first cell into metadata. A block with fields that metadata cannot hold stays
/// where it is, like any other comment.
pub(super) fn take_block(lines: &mut Vec<&str>, comment: &str) -> Option<Value> {
    let content = |line: &str| {
        let rest = line.trim_end().strip_prefix(comment)?;
        Some(rest.strip_prefix(' ').unwrap_or(rest).to_owned())
    };
    let start = lines.iter().position(|line| !line.trim().is_empty())?;
    if content(lines[start])? != BEGIN {
        return None;
    }
    let inside = &lines[start + 1..];
    let length = inside
        .iter()
        .position(|line| content(line).as_deref() == Some(END))?;
    let text: Option<Vec<String>> = inside[..length].iter().map(|line| content(line)).collect();
    let metadata = metadata_of(&text?.join("\n"))?;
    lines.drain(..start + length + 2);
    Some(metadata)
}

/// The block for a notebook's metadata, with its line break; empty without an environment.
pub(super) fn block_of(metadata: &Value, comment: &str) -> String {
    let mut said = Vec::new();
    for name in TEXTS {
        if let Some(text) = metadata[name].as_str().filter(|text| !text.is_empty()) {
            said.push(format!("{name} = {}", quoted(text)));
        }
    }
    let dependencies: Vec<&str> = texts(&metadata[DEPENDENCIES]).collect();
    if !dependencies.is_empty() {
        said.push(format!("{DEPENDENCIES} = ["));
        said.extend(
            dependencies
                .iter()
                .map(|text| format!("  {},", quoted(text))),
        );
        said.push("]".to_owned());
    }
    if said.is_empty() {
        return String::new();
    }
    let head = [BEGIN.to_owned(), format!("[{}]", TABLE.join("."))];
    let lines = head.into_iter().chain(said).chain([END.to_owned()]);
    lines.map(|line| format!("{comment} {line}\n")).collect()
}

/// `None` if metadata cannot hold all of the block.
fn metadata_of(block: &str) -> Option<Value> {
    let mut inner = block.parse::<Table>().ok()?;
    for name in TABLE {
        if inner.len() != 1 {
            return None;
        }
        let Some(Toml::Table(table)) = inner.remove(name) else {
            return None;
        };
        inner = table;
    }
    // Databricks always writes this field.
    let mut metadata = Map::from_iter([("base_environment".to_owned(), json!(""))]);
    for (name, value) in inner {
        let value = match value {
            Toml::String(text) if TEXTS.contains(&name.as_str()) => Value::String(text),
            Toml::Array(list) if name == DEPENDENCIES => {
                let list: Option<Vec<&str>> = list.iter().map(Toml::as_str).collect();
                json!(list?)
            }
            _ => return None,
        };
        metadata.insert(name, value);
    }
    Some(Value::Object(metadata))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// As a TOML string.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("\"{text}\"")
}
