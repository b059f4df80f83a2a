//! A workspace in memory: what the promotion of models asks of one, answered without a server.
//!
//! It replies as the local workspace with a real MLflow behind it does; `tests/it/memory_workspace.rs` holds the two
//! against each other. It does less: a route or a filter that it has not
//! learnt is refused with a status of 501, so that no test passes by an answer that nobody checked.

mod arguments;
mod catalog;
mod model_files;
mod registry;
mod reply;
mod search;
mod tree;
mod unity_catalog;
mod verbs;
mod workspace_files;
mod workspace_models;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use xtask_remote::{Body, Error, Request, Response, Transport};

use self::registry::{NewVersion, Registry, Stage};
use self::reply::{Answer, Refusal};
use self::tree::Tree;

/// When the clock of a new workspace starts, ms since 1970: 14 November 2023.
const START: i64 = 1_700_000_000_000;

/// Whose everything is.
const USER: &str = "ml.developer@workspace.local";

/// A workspace in memory. Threads share it by reference; a clone is a snapshot that goes its own way. Two are equal
/// when everything about them is, times and ids included; [`MemoryWorkspace::content`] leaves those out.
#[derive(Debug)]
pub struct MemoryWorkspace(Mutex<State>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// Ms since 1970. Each call takes one, so that what comes later is younger.
    now: i64,
    registry: Registry,
    model_files: Tree,
    workspace_files: Tree,
}

/// A version as tests look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// `READY`, or `PENDING_REGISTRATION`.
    pub status: &'static str,
    /// Where it was registered from.
    pub source: String,
    pub tags: BTreeMap<String, String>,
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its stage in the workspace registry.
    pub stage: &'static str,
}

impl Default for MemoryWorkspace {
    fn default() -> MemoryWorkspace {
        MemoryWorkspace::new()
    }
}

impl Clone for MemoryWorkspace {
    fn clone(&self) -> MemoryWorkspace {
        MemoryWorkspace(Mutex::new(self.state().clone()))
    }
}

impl PartialEq for MemoryWorkspace {
    fn eq(&self, other: &MemoryWorkspace) -> bool {
        // One after the other: the two may be the same.
        let own = self.state().clone();
        own == *other.state()
    }
}

impl MemoryWorkspace {
    /// An empty workspace.
    #[must_use]
    pub fn new() -> MemoryWorkspace {
        let mut workspace_files = Tree::default();
        for folder in [&format!("Users/{USER}"), "Shared"] {
            // Nothing is in the way of the first folders.
            let _ = workspace_files.make_folder(START, folder);
        }
        MemoryWorkspace(Mutex::new(State {
            now: START,
            registry: Registry::default(),
            model_files: Tree::default(),
            workspace_files,
        }))
    }

    /// What the clock shows: ms since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.state().now
    }

    /// Registers a model without versions.
    ///
    /// # Panics
    /// When there is one of this name.
    pub fn create_model(&self, name: &str) {
        let mut state = self.state();
        let now = state.now;
        let made = state.registry.create_model(now, name, "", Vec::new());
        assert!(made.is_ok(), "{name} is there, or is no name: {made:?}");
    }

    /// Adds a READY version with these files and tags, as a training job leaves one behind; answers its number.
    ///
    /// # Panics
    /// When there is no such model.
    pub fn add_version(
        &self,
        model: &str,
        run_id: &str,
        files: &[(&str, &[u8])],
        tags: &[(&str, &str)],
    ) -> u64 {
        let mut state = self.state();
        let now = state.tick();
        let new = NewVersion {
            source: format!("runs:/{run_id}/model"),
            run_id: run_id.to_owned(),
            model_id: String::new(),
            description: String::new(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            pending: false,
        };
        let made = state.registry.create_version(now, model, new);
        let number = made.unwrap_or_else(|refusal| panic!("{model}: {refusal:?}"));
        for (name, content) in files {
            let path = format!("{}/{number}/{name}", model.replace('.', "/"));
            let written = state
                .model_files
                .make_folder(now, tree::parent(&path))
                .and_then(|()| state.model_files.write(now, &path, content.to_vec(), true));
            assert!(written.is_ok(), "{path}: {written:?}");
        }
        number
    }

    /// Makes an alias name a version, as a person at the UI does; `None` removes it.
    ///
    /// # Panics
    /// When there is no such model or version.
    pub fn set_alias(&self, model: &str, alias: &str, version: Option<u64>) {
        let registry = &mut self.state().registry;
        let done = match version {
            Some(number) => registry.set_alias(model, alias, &number.to_string()),
            None => registry.delete_alias(model, alias),
        };
        assert!(done.is_ok(), "{model}: {done:?}");
    }

    /// The version that an alias names.
    #[must_use]
    pub fn alias(&self, model: &str, alias: &str) -> Option<u64> {
        let state = self.state();
        state
            .registry
            .models
            .get(model)?
            .aliases
            .get(alias)
            .copied()
    }

    /// `READY`, or `PENDING_REGISTRATION`; `None` where there is no such version.
    #[must_use]
    pub fn status(&self, model: &str, number: u64) -> Option<&'static str> {
        let state = self.state();
        let version = state.registry.models.get(model)?.versions.get(&number)?;
        (!version.deleted).then(|| version.status())
    }

    /// The newest version in a stage of the workspace registry.
    #[must_use]
    pub fn in_stage(&self, model: &str, stage: &str) -> Option<u64> {
        let state = self.state();
        let stage = Stage::parse(stage).ok()?;
        let newest = state.registry.models.get(model)?.newest_of_each_stage();
        newest.get(&stage).map(|(number, _)| *number)
    }

    /// The versions of a model, by number; none of a model that is not there.
    #[must_use]
    pub fn versions(&self, model: &str) -> BTreeMap<u64, KeptVersion> {
        let state = self.state();
        let Some(found) = state.registry.models.get(model) else {
            return BTreeMap::new();
        };
        let folder = model.replace('.', "/");
        found
            .alive()
            .map(|(number, version)| {
                let kept = KeptVersion {
                    status: version.status(),
                    source: version.source.clone(),
                    tags: version.tags.clone(),
                    files: state.model_files.files_below(&format!("{folder}/{number}")),
                    stage: version.stage.as_str(),
                };
                (number, kept)
            })
            .collect()
    }

    /// The content of a workspace file; the path without `/Workspace`.
    #[must_use]
    pub fn workspace_file(&self, path: &str) -> Option<Vec<u8>> {
        let node = self
            .state()
            .workspace_files
            .get(path.trim_start_matches('/'))?;
        node.content.map(|content| content.to_vec())
    }

    /// The paths of all workspace files, without `/Workspace`.
    #[must_use]
    pub fn workspace_files(&self) -> Vec<String> {
        let state = self.state();
        let files = state.workspace_files.files();
        files.map(|(path, _)| format!("/{path}")).collect()
    }

    /// Everything that is there, without times and ids: what two ways to the same end have in common.
    #[must_use]
    pub fn content(&self) -> Value {
        let models: Vec<String> = self.state().registry.models.keys().cloned().collect();
        let described = models.iter().map(|name| {
            let versions: Vec<Value> = self
                .versions(name)
                .into_iter()
                .map(|(number, version)| {
                    let files = version.files.iter();
                    let files: BTreeMap<&String, Value> =
                        files.map(|(name, bytes)| (name, readable(bytes))).collect();
                    json!({"version": number, "status": version.status, "source": version.source,
                        "tags": version.tags, "files": files, "stage": version.stage})
                })
                .collect();
            let state = self.state();
            let model = state.registry.models.get(name);
            json!({"name": name, "versions": versions,
                "description": model.map(|model| model.description.as_str()),
                "tags": model.map(|model| &model.tags), "aliases": model.map(|model| &model.aliases)})
        });
        let described: Vec<Value> = described.collect();
        let state = self.state();
        let files = state.workspace_files.files();
        let files: BTreeMap<&str, Value> =
            files.map(|(path, bytes)| (path, readable(bytes))).collect();
        json!({"models": described, "workspace_files": files})
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for MemoryWorkspace {
    fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut state = self.state();
        let now = state.tick();
        let answer = state.answer(request);
        reply::finish(request, answer, http_date(now))
    }
}

impl State {
    fn tick(&mut self) -> i64 {
        self.now += 1;
        self.now
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let path = &request.path;
        let below = |prefix: &str| path.strip_prefix(prefix);
        if let Some(route) = below("/api/2.0/mlflow/unity-catalog/") {
            return unity_catalog::answer(self, request, route);
        }
        if let Some(route) = below("/api/2.0/mlflow/") {
            return workspace_models::answer(self, request, route);
        }
        if let Some(rest) = below("/api/2.1/unity-catalog/models/") {
            let parts: Vec<String> = rest.split('/').map(decoded).collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            return catalog::answer(self, request, &parts);
        }
        if let Some(path) = below("/api/2.0/fs/files/") {
            return model_files::file(self, request, &decoded(path));
        }
        if let Some(path) = below("/api/2.0/fs/directories/") {
            return model_files::folder(self, request, &decoded(path));
        }
        if let Some(route) = below("/api/2.0/workspace/") {
            return workspace_files::answer(self, request, route);
        }
        if let Some(rest) = below("/api/2.0/workspace-files/") {
            return workspace_files::raw(self, request, &decoded(rest));
        }
        let call = format!("{} {path}", request.method.as_str());
        Err(Refusal::unknown(call))
    }

    /// Deletes a version with its files.
    fn delete_version(&mut self, name: &str, number: &str) -> Result<(), Refusal> {
        let number = self.registry.delete_version(self.now, name, number)?;
        let folder = format!("{}/{number}", name.replace('.', "/"));
        self.model_files.remove(&folder);
        Ok(())
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A field of a call's query.
fn query<'r>(request: &'r Request, field: &str) -> Option<&'r str> {
    let pair = request.query.iter().find(|(name, _)| name == field);
    pair.map(|(_, value)| value.as_str())
}

/// The bytes that a call brings along.
fn body_of(request: &Request) -> Result<Vec<u8>, Refusal> {
    match &request.body {
        Body::Empty => Ok(Vec::new()),
        Body::Json(value) => Ok(value.to_string().into_bytes()),
        Body::File(path) => std::fs::read(path).map_err(|error| {
            let what = format!("the upload broke off: {}: {error}", path.display());
            Refusal::new(400, "MALFORMED_REQUEST", what)
        }),
    }
}

/// Bytes as a text, where they are one.
fn readable(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| Value::from(bytes), Value::from)
}

/// A moment as HTTP writes it.
fn http_date(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use xtask_remote::Method;

    use super::*;

    #[test]
    fn a_clone_is_a_snapshot_and_what_is_not_known_is_said() {
        let workspace = MemoryWorkspace::new();
        workspace.create_model("dev.ml.taxi");
        let number = workspace.add_version("dev.ml.taxi", "r", &[("MLmodel", b"m")], &[("a", "b")]);
        let before = workspace.clone();
        assert!(before == workspace);
        workspace.set_alias("dev.ml.taxi", "champion", Some(number));
        assert!(before != workspace && before.content() != workspace.content());
        assert_eq!(before.alias("dev.ml.taxi", "champion"), None);
        let request = Request::new(Method::Get, "/api/2.2/jobs/list");
        assert_eq!(workspace.send(&request).unwrap_err().status(), Some(501));
        let request = Request::new(
            Method::Get,
            "/api/2.0/fs/files/Models/dev/ml/taxi/1/MLmodel",
        );
        let reply = workspace.send(&request).unwrap();
        assert_eq!((reply.body.as_slice(), reply.status), (&b"m"[..], 200));
        assert_eq!(
            reply.header("date"),
            Some("Tue, 14 Nov 2023 22:13:20 GMT"),
            "the clock of the workspace"
        );
    }
}
