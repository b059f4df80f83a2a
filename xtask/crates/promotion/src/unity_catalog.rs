//! Models in Unity Catalog, by the routes that MLflow's clients use for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use xtask_remote::mlflow::KeyValue;
use xtask_remote::{Error, Method, Request, Response, Transport};

use crate::registry::{NewVersion, Registry, Version};

/// The registry of Unity Catalog.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnityCatalog;

fn at(route: &str) -> String {
    format!("/api/2.0/mlflow/unity-catalog/{route}")
}

fn call<T: DeserializeOwned>(transport: &dyn Transport, request: &Request) -> Result<T, Error> {
    transport.send(request)?.json(request)
}

#[derive(Deserialize)]
struct Reply {
    model_version: Wire,
}

#[derive(Deserialize)]
struct Wire {
    // A 64-bit number, which some servers write as text.
    version: Value,
    #[serde(default)]
    status: String,
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    tags: Vec<KeyValue>,
}

impl Wire {
    fn number(&self) -> Option<u64> {
        let version = &self.version;
        version.as_u64().or_else(|| version.as_str()?.parse().ok())
    }

    fn into_version(self) -> Option<Version> {
        let tags = self.tags.iter().cloned();
        Some(Version {
            number: self.number()?,
            tags: tags.map(|tag| (tag.key, tag.value)).collect(),
            status: self.status,
            run_id: self.run_id,
            source: String::new(),
        })
    }
}

impl Registry for UnityCatalog {
    fn version(
        &self,
        transport: &dyn Transport,
        model: &str,
        number: u64,
    ) -> Result<Option<Version>, Error> {
        let request = Request::new(Method::Get, at("model-versions/get"))
            .query("name", model)
            .query("version", number);
        match call::<Reply>(transport, &request) {
            Ok(reply) => Ok(reply.model_version.into_version()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn aliased(
        &self,
        transport: &dyn Transport,
        model: &str,
        alias: &str,
    ) -> Result<Option<u64>, Error> {
        let found = xtask_remote::databricks::models::aliased(transport, model, alias)?;
        Ok(found.map(|found| found.version))
    }

    // Unity Catalog's search tells no tags: those versions are asked for one by one.
    fn versions(&self, transport: &dyn Transport, model: &str) -> Result<Vec<Version>, Error> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            model_versions: Vec<Wire>,
            #[serde(default)]
            next_page_token: Option<String>,
        }
        let first = Request::new(Method::Get, at("model-versions/search"))
            .query("filter", format!("name='{model}'"));
        let (mut found, mut request) = (BTreeMap::new(), first.clone());
        loop {
            let page: Page = call(transport, &request)?;
            let versions = page.model_versions.into_iter();
            found.extend(
                versions
                    .filter_map(Wire::into_version)
                    .map(|version| (version.number, version)),
            );
            // An empty page may still be followed by another: only the token says when it ends.
            let token = page.next_page_token.filter(|token| !token.is_empty());
            let next = token.map(|token| first.clone().query("page_token", token));
            match next {
                Some(next) if next.query != request.query => request = next,
                _ => break,
            }
        }
        for version in found.values_mut().filter(|version| version.tags.is_empty()) {
            if let Some(whole) = self.version(transport, model, version.number)? {
                *version = whole;
            }
        }
        Ok(found.into_values().collect())
    }

    fn create(&self, model: &str, new: &NewVersion<'_>) -> Request {
        let tags = new.tags.iter();
        let tags: Vec<Value> = tags
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        let mut body = json!({"name": model, "source": new.source, "tags": tags,
            "description": new.description});
        if let Some(run_id) = new.run_id {
            body["run_id"] = Value::from(run_id);
        }
        Request::new(Method::Post, at("model-versions/create")).json(&body)
    }

    fn created(&self, request: &Request, reply: &Response) -> Result<u64, Error> {
        let reply: Reply = reply.json(request)?;
        reply
            .model_version
            .number()
            .ok_or_else(|| Error::Unexpected {
                call: request.call(),
                reason: "it names no version".to_owned(),
            })
    }

    fn finalize(&self, model: &str, version: &str) -> Option<Request> {
        let request = Request::new(Method::Post, at("model-versions/finalize"));
        Some(
            request
                .json(&json!({"name": model, "version": version}))
                .repeatable(),
        )
    }

    fn set_tag(&self, model: &str, version: &str, key: &str, value: &str) -> Request {
        let body = json!({"name": model, "version": version, "key": key, "value": value});
        let request = Request::new(Method::Post, at("model-versions/set-tag"));
        request.json(&body).repeatable()
    }

    fn set_alias(&self, model: &str, alias: &str, version: &str) -> Request {
        let body = json!({"name": model, "alias": alias, "version": version});
        let request = Request::new(Method::Post, at("registered-models/alias"));
        // Not repeatable: a repetition after somebody else's change would undo that.
        request.json(&body)
    }

    fn delete_alias(&self, model: &str, alias: &str, _version: &str) -> Request {
        let body = json!({"name": model, "alias": alias});
        Request::new(Method::Delete, at("registered-models/alias")).json(&body)
    }
}
