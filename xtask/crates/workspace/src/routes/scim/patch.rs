//! SCIM `PATCH`: applied to the resource as shown, which is then read back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ScimError;

#[derive(Deserialize)]
pub(super) struct Patch {
    #[serde(rename = "Operations", alias = "operations", default)]
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    op: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    value: Value,
}

impl Patch {
    pub(super) fn apply(&self, mut resource: Value) -> Result<Value, ScimError> {
        for operation in &self.operations {
            operation.apply(&mut resource)?;
        }
        Ok(resource)
    }
}

impl Operation {
    fn apply(&self, resource: &mut Value) -> Result<(), ScimError> {
        let op = self.op.to_ascii_lowercase();
        let (attribute, wanted) = self.target()?;
        if attribute.is_empty() {
            // Without a path, the value is an object of attributes.
            let Value::Object(fields) = &self.value else {
                return Err(ScimError::invalid(
                    "an operation without a path needs an object as its value",
                ));
            };
            for (name, value) in fields {
                set(resource, &op, name, value)?;
            }
            return Ok(());
        }
        match (op.as_str(), wanted) {
            ("remove", Some(id)) => {
                if let Some(items) = resource[&attribute].as_array_mut() {
                    items.retain(|item| item["value"] != id);
                }
                Ok(())
            }
            ("remove", None) if self.value.is_null() => {
                let empty = if resource[&attribute].is_array() {
                    json!([])
                } else {
                    json!("")
                };
                resource[&attribute] = empty;
                Ok(())
            }
            _ => set(resource, &op, &attribute, &self.value),
        }
    }

    /// The attribute of the path, and the id in `members[value eq "1"]`.
    fn target(&self) -> Result<(String, Option<String>), ScimError> {
        let Some((attribute, rest)) = self.path.split_once('[') else {
            return Ok((self.path.clone(), None));
        };
        let picked = rest
            .strip_suffix(']')
            .and_then(|inner| inner.strip_prefix("value eq "))
            .map(|id| id.trim_matches(['"', '\'']).to_owned());
        let id = picked.ok_or_else(|| {
            ScimError::invalid(format!("unsupported path {}", self.path.escape_debug()))
        })?;
        Ok((attribute.to_owned(), Some(id)))
    }
}

/// Sets an attribute, or adds to or removes from a list.
fn set(resource: &mut Value, op: &str, name: &str, value: &Value) -> Result<(), ScimError> {
    let items = || match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    match (op, resource[name].is_array()) {
        ("add", true) => {
            for item in items() {
                let list = resource[name].as_array_mut();
                if let Some(list) = list.filter(|list| !list.contains(&item)) {
                    list.push(item);
                }
            }
        }
        ("remove", true) => {
            let gone = items();
            if let Some(list) = resource[name].as_array_mut() {
                list.retain(|item| !gone.iter().any(|one| one["value"] == item["value"]));
            }
        }
        ("add" | "replace", is_list) => {
            resource[name] = if is_list {
                json!(items())
            } else {
                value.clone()
            };
        }
        _ => {
            return Err(ScimError::invalid(format!(
                "the operation {} is not one of add, replace, remove",
                op.escape_debug()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_of_the_cli_change_what_they_name() {
        let patch: Patch = serde_json::from_value(json!({"Operations": [
            {"op": "replace", "path": "displayName", "value": "b"},
            {"op": "add", "path": "members", "value": [{"value": "2"}, {"value": "1"}]},
            {"op": "remove", "path": "members[value eq \"3\"]"},
            {"op": "Add", "value": {"active": false}},
        ]}))
        .unwrap();
        let before = json!({"displayName": "a", "active": true, "members": [{"value": "1"}, {"value": "3"}]});
        let after = patch.apply(before).ok().unwrap();
        assert_eq!(
            after,
            json!({"displayName": "b", "active": false, "members": [{"value": "1"}, {"value": "2"}]})
        );
    }
}
