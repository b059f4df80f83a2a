//! Files, folders and notebooks in the workspace tree.

use serde::Deserialize;

use crate::Error;
use crate::transport::{Method, Request, Transport, list};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// Its whole path.
    pub path: String,
    /// `DIRECTORY`, `FILE`, `NOTEBOOK`, ….
    pub object_type: String,
    /// Its number in the workspace.
    #[serde(default)]
    pub object_id: i64,
    /// When it last changed, ms since the Unix epoch; `None` where the workspace does not say.
    pub modified_at: Option<i64>,
    /// Bytes of a file; `None` where the workspace does not say.
    pub size: Option<u64>,
}

impl Object {
    /// Whether others may lie below it.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self.object_type.as_str(), "DIRECTORY" | "REPO")
    }
}

/// Everything below a folder, by path; empty where the folder is not there.
pub fn below(transport: &dyn Transport, folder: &str) -> Result<Vec<Object>, Error> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let request = Request::new(Method::Get, "/api/2.0/workspace/list").query("path", &folder);
        let objects: Vec<Object> = match list(transport, &request, "objects") {
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        let below = objects.iter().filter(|object| object.is_folder());
        folders.extend(below.map(|object| object.path.clone()));
        found.extend(objects);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
