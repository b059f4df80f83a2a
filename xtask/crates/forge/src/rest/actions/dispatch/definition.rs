//! The `workflow_dispatch` part of a workflow file: its inputs, and the run name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::refusal::Refusal;

/// A workflow file with the inputs of a dispatch.
pub(super) struct Definition {
    run_name: Option<String>,
    inputs: BTreeMap<String, String>,
}

pub(super) fn name(text: &[u8]) -> Option<String> {
    Some(parse(text)?["name"].as_str()?.to_owned())
}

fn parse(text: &[u8]) -> Option<Yaml> {
    let mut documents = YamlLoader::load_from_str(std::str::from_utf8(text).ok()?).ok()?;
    (!documents.is_empty()).then(|| documents.remove(0))
}

impl Definition {
    /// Parses the file and checks the inputs. 422 with GitHub's message: no such trigger, unknown or missing inputs.
    pub(super) fn read(text: &[u8], given: &Map<String, Value>) -> Result<Definition, Refusal> {
        let workflow = parse(text).unwrap_or(Yaml::BadValue);
        let on = &workflow["on"];
        let trigger = "workflow_dispatch";
        let listens = on.as_str() == Some(trigger)
            || on
                .as_vec()
                .is_some_and(|events| events.iter().any(|event| event.as_str() == Some(trigger)))
            || on
                .as_hash()
                .is_some_and(|events| events.contains_key(&Yaml::String(trigger.to_owned())));
        if !listens {
            return Err(Refusal::unprocessable(
                "Workflow does not have 'workflow_dispatch' trigger",
            ));
        }
        let known = on[trigger]["inputs"].as_hash().cloned().unwrap_or_default();
        let unexpected: Vec<&str> = given
            .keys()
            .filter(|name| !known.contains_key(&Yaml::String((*name).clone())))
            .map(String::as_str)
            .collect();
        if !unexpected.is_empty() {
            let names = serde_json::to_string(&unexpected).unwrap_or_default();
            return Err(Refusal::unprocessable(format!(
                "Unexpected inputs provided: {names}"
            )));
        }
        let mut inputs = BTreeMap::new();
        for (name, settings) in &known {
            let name = name.as_str().unwrap_or_default();
            let value = match given.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => settings["default"].as_str().unwrap_or_default().to_owned(),
            };
            if value.is_empty() && settings["required"].as_bool() == Some(true) {
                return Err(Refusal::unprocessable(format!(
                    "Required input '{name}' not provided"
                )));
            }
            inputs.insert(name.to_owned(), value);
        }
        Ok(Definition {
            run_name: workflow["run-name"].as_str().map(str::to_owned),
            inputs,
        })
    }

    /// The run name, if the file has one.
    pub(super) fn title(&self, run: i64) -> Option<String> {
        let mut rest = self.run_name.as_deref()?;
        let mut title = String::new();
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}")?;
            title.push_str(before);
            title.push_str(&self.value(expression, run));
            rest = after;
        }
        title.push_str(rest);
        Some(title)
    }

    /// The first non-empty alternative of an expression; supports inputs, the run number and strings.
    fn value(&self, expression: &str, run: i64) -> String {
        let values = expression.split("||").map(|operand| {
            let operand = operand.trim();
            match operand.strip_prefix("inputs.") {
                Some(name) => self.inputs.get(name).cloned().unwrap_or_default(),
                None if operand == "github.run_id" => run.to_string(),
                None => operand.trim_matches('\'').to_owned(),
            }
        });
        let mut values = values.filter(|value| !value.is_empty());
        values.next().unwrap_or_default()
    }
}
