//! A declaration: the JSON that the API answers unchanged, and what it says.

use std::ops::Deref;

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// Why a declaration is refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    pub(super) fn because(reason: impl Into<String>) -> Invalid {
        Invalid(reason.into())
    }
}

/// The settings of a job or a task, with fields that only the client knows.
#[derive(Debug, Clone)]
pub struct Declared<T> {
    json: Value,
    said: T,
}

impl<T: DeserializeOwned> Declared<T> {
    pub(crate) fn parse(json: Value) -> Result<Declared<T>, Invalid> {
        let parsed = serde_path_to_error::deserialize(without_nulls(&json));
        match parsed {
            Ok(said) => Ok(Declared { json, said }),
            Err(error) => Err(Invalid(match json["task_key"].as_str() {
                Some(key) => format!("Task '{key}': {error}"),
                None => error.to_string(),
            })),
        }
    }
}

impl<T> Declared<T> {
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    pub(crate) fn into_json(self) -> Value {
        self.json
    }
}

impl<T> Deref for Declared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.said
    }
}

impl<T> Serialize for Declared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Declared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Declared::parse(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A null means the same as a missing field.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
