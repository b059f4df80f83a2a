//! The workspace tree, as far as locks and small records need it: files and folders, no notebooks.

use serde_json::json;
use xtask_remote::{Method, Request};

use super::State;
use super::arguments::Arguments;
use super::reply::{Answer, Refusal, Reply};
use super::tree::{InTheWay, checked, parent};

/// A path as it was asked for, and where it leads: `/Workspace` is a second spelling of the root.
struct Place {
    path: String,
    shown: String,
}

impl Place {
    fn of(text: &str) -> Result<Place, Refusal> {
        if !text.starts_with('/') {
            return Err(Refusal::invalid(format!(
                "Path ({text}) must start with '/'"
            )));
        }
        let all = checked(text)?;
        let path = match all.strip_prefix("Workspace") {
            Some("") => "",
            Some(rest) if rest.starts_with('/') => &rest[1..],
            _ => &all,
        };
        Ok(Place {
            path: path.to_owned(),
            shown: format!("/{all}"),
        })
    }

    fn absent(&self) -> Refusal {
        Refusal::absent(format!("Path ({}) doesn't exist.", self.shown))
    }
}

/// `/api/2.0/workspace/…`
pub(super) fn answer(state: &mut State, request: &Request, route: &str) -> Answer {
    let arguments = Arguments::of(request)?;
    let path = arguments
        .text("path")
        .ok_or_else(|| Refusal::new(400, "MALFORMED_REQUEST", "missing field `path`"))?;
    let place = Place::of(&path)?;
    match (request.method, route) {
        (Method::Get, "get-status") => status(state, &place),
        (Method::Get, "export") if arguments.flag("direct_download") => content(state, &place),
        (Method::Get, "list") => list(state, &place),
        (Method::Post, "mkdirs") => {
            let now = state.now;
            state
                .workspace_files
                .make_folder(now, &place.path)
                .map_err(|_| {
                    Refusal::taken(format!(
                        "Cannot create folder {}: a file has this path.",
                        place.shown
                    ))
                })?;
            Ok(Reply::Json(json!({})))
        }
        (Method::Post, "delete") => delete(state, &place, arguments.flag("recursive")),
        _ => Err(Refusal::unknown(format!(
            "{} {}",
            request.method.as_str(),
            request.path
        ))),
    }
}

/// `/api/2.0/workspace-files/…`; the path stands there without its first slash, escaped as one segment.
pub(super) fn raw(state: &mut State, request: &Request, rest: &str) -> Answer {
    match (request.method, rest.strip_prefix("import-file/")) {
        (Method::Post, Some(path)) => import(state, request, &Place::of(&format!("/{path}"))?),
        (Method::Get, None) => content(state, &Place::of(&format!("/{rest}"))?),
        _ => Err(Refusal::unknown("this about a workspace file")),
    }
}

fn import(state: &mut State, request: &Request, place: &Place) -> Answer {
    if place.path.is_empty() {
        return Err(Refusal::invalid("the root is not a file"));
    }
    let content = super::body_of(request)?;
    if content.starts_with(b"# Databricks notebook source") {
        return Err(Refusal::unknown("imports of notebooks"));
    }
    let now = state.now;
    let files = &mut state.workspace_files;
    if !files.is_folder(parent(&place.path)) {
        return Err(Refusal::absent(format!(
            "The parent folder ({}) does not exist.",
            parent(&place.shown)
        )));
    }
    if files.is_folder(&place.path) {
        return Err(Refusal::invalid(format!(
            "Requested node type [FILE] is different from the existing node type [DIRECTORY]: Path ({}) already \
             exists.",
            place.shown
        )));
    }
    let overwrite = super::query(request, "overwrite") == Some("true");
    files
        .write(now, &place.path, content, overwrite)
        .map_err(|_: InTheWay| {
            Refusal::new(
                409,
                "RESOURCE_ALREADY_EXISTS",
                format!("File already exists at ({}).", place.shown),
            )
        })?;
    Ok(Reply::Json(json!({})))
}

fn status(state: &State, place: &Place) -> Answer {
    let node = state.workspace_files.get(&place.path);
    Ok(Reply::Json(describe(
        &place.shown,
        &node.ok_or_else(|| place.absent())?,
    )))
}

fn describe(shown: &str, node: &super::tree::Node) -> serde_json::Value {
    let mut object = json!({"object_type": "DIRECTORY", "path": shown, "object_id": node.id,
        "resource_id": node.id.to_string()});
    if let Some(content) = &node.content {
        object["object_type"] = "FILE".into();
        object["size"] = content.len().into();
        object["created_at"] = node.created.into();
        object["modified_at"] = node.modified.into();
    }
    object
}

fn list(state: &State, place: &Place) -> Answer {
    let node = state.workspace_files.get(&place.path);
    let node = node.ok_or_else(|| place.absent())?;
    let objects: Vec<serde_json::Value> = match node.content {
        Some(_) => vec![describe(&place.shown, &node)],
        None => state
            .workspace_files
            .children(&place.path)
            .iter()
            .map(|(name, node)| describe(&format!("{}/{name}", place.shown), node))
            .collect(),
    };
    Ok(Reply::Json(match objects.is_empty() {
        true => json!({}),
        false => json!({ "objects": objects }),
    }))
}

fn content(state: &State, place: &Place) -> Answer {
    let node = state.workspace_files.get(&place.path);
    let content = node.ok_or_else(|| place.absent())?.content;
    let content = content.ok_or_else(|| {
        Refusal::invalid(format!(
            "({}) is a folder; only files and notebooks can be exported.",
            place.shown
        ))
    })?;
    Ok(Reply::Bytes(content.to_vec()))
}

fn delete(state: &mut State, place: &Place, recursive: bool) -> Answer {
    if place.path.is_empty() {
        return Err(Refusal::invalid("The root folder cannot be deleted."));
    }
    let files = &mut state.workspace_files;
    if files.get(&place.path).is_none() {
        return Err(place.absent());
    }
    if !recursive && !files.children(&place.path).is_empty() {
        return Err(Refusal::new(
            400,
            "DIRECTORY_NOT_EMPTY",
            format!(
                "Folder ({}) is not empty; set recursive to delete it with its content.",
                place.shown
            ),
        ));
    }
    files.remove(&place.path);
    Ok(Reply::Json(json!({})))
}
