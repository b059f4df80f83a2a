//! `/api/2.0/mlflow/unity-catalog/*`: the calls of MLflow's client with the registry `databricks-uc`.
//!
//! MLflow's own registry stores the models. What it has no field for is in a hidden tag of the version: whether all
//! files have arrived, and the source if MLflow would refuse its address.

mod routes;

pub(super) use routes::router;

use serde_json::{Value, json};

use crate::catalog_limits::{self, Text};
use crate::error::ApiError;

/// The hidden tag, JSON.
const ORIGIN_TAG: &str = "xtask.origin";

/// A three-level name in lower case.
pub(super) fn canonical_name(name: &str) -> Result<String, ApiError> {
    let parts: Vec<&str> = name.split('.').collect();
    // MLflow's registry allows fewer characters than Unity Catalog.
    let fine = |part: &&str| {
        catalog_limits::check(Text::Name, part).is_ok()
            && !part.contains(|c: char| "\\:'\"%".contains(c))
    };
    if parts.len() == 3 && parts.iter().all(fine) && !parts.contains(&"..") {
        return Ok(name.to_lowercase());
    }
    Err(ApiError::invalid(format!(
        "'{name}' is not a model name of Unity Catalog: it has three levels, <catalog>.<schema>.<model>, \
         without spaces, slashes, colons or quotes"
    )))
}

/// Without the hidden tag.
pub(super) fn visible_tags(tags: &Value) -> Vec<Value> {
    tags.as_array()
        .into_iter()
        .flatten()
        .filter(|tag| tag["key"] != ORIGIN_TAG)
        .cloned()
        .collect()
}

/// A model version of MLflow's registry.
#[derive(Debug, Clone)]
pub(super) struct Version {
    inner: Value,
    origin: Value,
}

impl Version {
    pub(super) fn new(inner: &Value) -> Version {
        let tag = inner["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|tag| tag["key"] == ORIGIN_TAG);
        let origin = tag.and_then(|tag| serde_json::from_str(tag["value"].as_str()?).ok());
        Version {
            inner: inner.clone(),
            origin: origin.unwrap_or(Value::Null),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.inner["name"].as_str().unwrap_or_default()
    }

    pub(super) fn number(&self) -> i64 {
        let version = &self.inner["version"];
        version
            .as_i64()
            .or_else(|| version.as_str()?.parse().ok())
            .unwrap_or(0)
    }

    /// With the hidden tag.
    fn tags(&self) -> &Value {
        &self.inner["tags"]
    }

    pub(super) fn aliases(&self) -> &[Value] {
        self.inner["aliases"].as_array().map_or(&[], Vec::as_slice)
    }

    /// PENDING_REGISTRATION until all files have arrived.
    pub(super) fn status(&self) -> &str {
        if self.origin["pending"] == true {
            return "PENDING_REGISTRATION";
        }
        self.inner["status"].as_str().unwrap_or("READY")
    }

    pub(super) fn source(&self) -> &Value {
        if self.origin["source"].is_string() {
            &self.origin["source"]
        } else {
            &self.inner["source"]
        }
    }

    /// Where clients download the files.
    pub(super) fn storage_location(&self) -> String {
        format!(
            "dbfs:/Models/{}/{}",
            self.name().replace('.', "/"),
            self.number()
        )
    }

    /// A field of MLflow's; empty if absent.
    pub(super) fn field(&self, name: &str) -> Value {
        match &self.inner[name] {
            Value::Null => Value::from(""),
            value => value.clone(),
        }
    }

    /// The hidden tag once all files have arrived.
    fn finalized_origin(&self) -> String {
        let mut origin = self.origin.clone();
        if origin.is_object() {
            origin["pending"] = Value::from(false);
        }
        origin.to_string()
    }

    /// As a `databricks-uc` client reads it.
    fn wire(&self) -> Value {
        let number = self.number().to_string();
        let aliases: Vec<Value> = self
            .aliases()
            .iter()
            .map(|alias| json!({"alias": alias, "version": number}))
            .collect();
        let mut model_id = self.field("model_id");
        if model_id == "" && self.origin["model_id"].is_string() {
            model_id = self.origin["model_id"].clone();
        }
        json!({
            "name": self.name(), "version": number,
            "creation_timestamp": self.inner["creation_timestamp"],
            "last_updated_timestamp": self.inner["last_updated_timestamp"],
            "user_id": self.field("user_id"), "description": self.field("description"),
            "source": self.source(), "run_id": self.field("run_id"), "model_id": model_id,
            "status": self.status(), "storage_location": self.storage_location(),
            "aliases": aliases, "tags": visible_tags(&self.inner["tags"]),
        })
    }
}

/// As a `databricks-uc` client reads it.
fn model_wire(model: &Value) -> Value {
    json!({
        "name": model["name"],
        "creation_timestamp": model["creation_timestamp"],
        "last_updated_timestamp": model["last_updated_timestamp"],
        "user_id": model["user_id"].as_str().unwrap_or_default(),
        "description": model["description"].as_str().unwrap_or_default(),
        "aliases": model["aliases"].as_array().cloned().unwrap_or_default(),
        "tags": visible_tags(&model["tags"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_levels_in_lower_case() {
        assert_eq!(
            canonical_name("Dev.ML.My-Model").unwrap(),
            "dev.ml.my-model"
        );
        for wrong in ["a.b", "a.b.c.d", "a..c", "a.b.c/d", "a.b.", "..", "a.b.c d"] {
            assert!(canonical_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_version_is_pending_until_it_is_finalized() {
        let tag = |value: &str| {
            json!({"version": "3", "status": "READY", "aliases": ["champion"], "source": "models:/x",
            "tags": [{"key": "a", "value": "b"}, {"key": ORIGIN_TAG, "value": value}]})
        };
        let pending = Version::new(&tag(r#"{"pending":true,"source":"models:/m-1"}"#));
        assert_eq!(pending.status(), "PENDING_REGISTRATION");
        let ready = Version::new(&tag(&pending.finalized_origin()));
        let wire = ready.wire();
        assert_eq!(wire["status"], "READY");
        assert_eq!(wire["source"], "models:/m-1");
        assert_eq!(wire["tags"], json!([{"key": "a", "value": "b"}]));
        assert_eq!(
            wire["aliases"],
            json!([{"alias": "champion", "version": "3"}])
        );
    }
}
