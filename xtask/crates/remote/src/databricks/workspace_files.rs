//! Small files in the workspace's tree: what a deployment's folder holds beside the code.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Error;
use crate::databricks::segment;
use crate::transport::{Method, Request, Response, Transport, call, list};

/// Writes JSON into a new file. Of two who do so at once one is refused (`RESOURCE_ALREADY_EXISTS`), as is a call that
/// comes later. Its folder must be there.
#[must_use]
pub fn create(path: &str, content: &Value) -> Request {
    // The Databricks CLI addresses the file so as well: its whole path as one segment.
    let route = format!("/api/2.0/workspace-files/import-file/{}", segment(path));
    Request::new(Method::Post, route)
        .query("overwrite", false)
        .json(content)
}

/// Removes a file; one that is not there is refused with not-found.
#[must_use]
pub fn delete(path: &str) -> Request {
    Request::new(Method::Post, "/api/2.0/workspace/delete").json(&json!({"path": path}))
}

/// The content of a file, with the reply's headers; `None` where there is none.
pub fn read(transport: &dyn Transport, path: &str) -> Result<Option<Response>, Error> {
    let request = Request::new(Method::Get, "/api/2.0/workspace/export")
        .query("path", path)
        .query("direct_download", true);
    match transport.send(&request) {
        Err(error) if error.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}

/// When a file was written last, by the workspace's clock, in milliseconds since 1970; `None` where it is not told.
pub fn modified_at(transport: &dyn Transport, path: &str) -> Result<Option<i64>, Error> {
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        modified_at: Option<i64>,
        #[serde(default)]
        created_at: Option<i64>,
    }
    let request = Request::new(Method::Get, "/api/2.0/workspace/get-status").query("path", path);
    match call::<Status>(transport, &request) {
        Err(error) if error.is_not_found() => Ok(None),
        status => status.map(|status| status.modified_at.or(status.created_at)),
    }
}

/// The paths of what lies in a folder; none where there is no folder.
pub fn in_folder(transport: &dyn Transport, folder: &str) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Object {
        path: String,
    }
    let request = Request::new(Method::Get, "/api/2.0/workspace/list").query("path", folder);
    match list::<Object>(transport, &request, "objects") {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        listed => Ok(listed?.into_iter().map(|one| one.path).collect()),
    }
}
