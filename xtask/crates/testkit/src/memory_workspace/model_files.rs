//! The Files API over `/Models/<catalog>/<schema>/<model>/<version>/…`.

use serde_json::{Value, json};
use xtask_remote::{Method, Request};

use super::State;
use super::reply::{Answer, Refusal, Reply};
use super::tree::{InTheWay, Tree, checked, parent};

/// How many names of a path lead to the version.
const VERSION: usize = 4;
const ENTRIES_PER_PAGE: usize = 1000;

/// Where a path leads.
struct Place {
    /// Below `/Models`.
    path: String,
    shown: String,
    is_version: bool,
}

impl Place {
    fn of(path: &str) -> Result<Place, Refusal> {
        let all = checked(path)?;
        let names: Vec<&str> = all.split('/').collect();
        match names.as_slice() {
            ["Models", below @ ..] if below.len() >= VERSION => {
                let (version, rest) = below.split_at(VERSION);
                let mut names: Vec<String> =
                    version.iter().map(|name| name.to_lowercase()).collect();
                names.extend(rest.iter().map(|name| (*name).to_owned()));
                let path = names.join("/");
                Ok(Place {
                    shown: format!("/Models/{path}"),
                    path,
                    is_version: rest.is_empty(),
                })
            }
            ["Models" | "Volumes" | "WorkspaceInternal", ..] => Err(Refusal::invalid(format!(
                "/{all} names no volume, model version or run"
            ))),
            _ => Err(Refusal::unknown(format!("files at /{all}"))),
        }
    }

    fn absent(&self) -> Refusal {
        Refusal::absent(format!("{} does not exist.", self.shown))
    }
}

pub(super) fn file(state: &mut State, request: &Request, path: &str) -> Answer {
    let place = Place::of(path)?;
    match request.method {
        Method::Get | Method::Head => {
            let node = state.model_files.get(&place.path);
            let content = node.ok_or_else(|| place.absent())?.content;
            let content =
                content.ok_or_else(|| Refusal::absent(format!("{} is a folder.", place.shown)))?;
            Ok(Reply::Bytes(content.to_vec()))
        }
        Method::Put => upload(state, request, &place),
        _ => Err(Refusal::unknown("this about a file")),
    }
}

fn upload(state: &mut State, request: &Request, place: &Place) -> Answer {
    let a_folder = || Refusal::invalid(format!("{} is a folder.", place.shown));
    if place.is_version {
        return Err(a_folder());
    }
    let content = super::body_of(request)?;
    let now = state.now;
    let files: &mut Tree = &mut state.model_files;
    files
        .make_folder(now, parent(&place.path))
        .map_err(|_| file_above(place))?;
    let overwrite = super::query(request, "overwrite") == Some("true");
    files
        .write(now, &place.path, content, overwrite)
        .map_err(|what| match what {
            InTheWay::File => Refusal::new(
                409,
                "ALREADY_EXISTS",
                format!("{} already exists.", place.shown),
            ),
            InTheWay::Folder => a_folder(),
            InTheWay::FileAbove => file_above(place),
        })?;
    Ok(Reply::NoContent)
}

fn file_above(place: &Place) -> Refusal {
    Refusal::taken(format!(
        "cannot write {}: another object has this path",
        place.shown
    ))
}

pub(super) fn folder(state: &mut State, request: &Request, path: &str) -> Answer {
    let place = Place::of(path)?;
    match request.method {
        Method::Put => {
            let now = state.now;
            let made = state.model_files.make_folder(now, &place.path);
            made.map_err(|_| {
                let what = format!("{} or a folder above it is a file.", place.shown);
                Refusal::taken(what)
            })?;
            Ok(Reply::NoContent)
        }
        Method::Head => match state.model_files.get(&place.path) {
            None => Err(place.absent()),
            Some(node) if node.content.is_some() => Err(Refusal::absent("The path is a file.")),
            Some(_) => Ok(Reply::Bytes(Vec::new())),
        },
        Method::Get => list(state, request, &place),
        _ => Err(Refusal::unknown("this about a folder")),
    }
}

fn list(state: &State, request: &Request, place: &Place) -> Answer {
    let node = state.model_files.get(&place.path);
    if node.ok_or_else(|| place.absent())?.content.is_some() {
        return Err(Refusal::invalid(format!("{} is a file.", place.shown)));
    }
    let size = super::query(request, "page_size").and_then(|size| size.parse().ok());
    let size = size
        .filter(|size| *size > 0)
        .unwrap_or(ENTRIES_PER_PAGE)
        .min(ENTRIES_PER_PAGE);
    let after = super::query(request, "page_token").unwrap_or_default();
    let mut entries = state.model_files.children(&place.path);
    entries.retain(|(name, _)| after.is_empty() || name.as_str() > after);
    let more = entries.len() > size;
    entries.truncate(size);
    let contents: Vec<Value> = entries
        .iter()
        .map(|(name, node)| {
            let mut entry = json!({"path": format!("{}/{name}", place.shown), "name": name,
                "is_directory": node.content.is_none(), "last_modified": node.modified});
            if let Some(content) = &node.content {
                entry["file_size"] = content.len().into();
            }
            entry
        })
        .collect();
    let mut body = json!({ "contents": contents });
    if let (true, Some((last, _))) = (more, entries.last()) {
        body["next_page_token"] = last.as_str().into();
    }
    Ok(Reply::Json(body))
}
