//! `/browse/…`: the workspace tree.

use std::io::Read as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::addresses;
use super::error_page::{ErrorPage, Reply};
use super::formatting::size;
use super::layout::{Room, crumbs, page};
use super::listing;
use crate::call::on_disk;
use crate::error::ApiError;
use crate::files::WorkspacePath;
use crate::state::App;

/// Bytes of a file that a page shows.
const SHOWN: u64 = 512 << 10;

pub(super) fn address(of: &str) -> String {
    let names: Vec<&str> = of.split('/').filter(|name| !name.is_empty()).collect();
    format!("/browse{}", addresses::path(&names))
}

pub(super) async fn root(State(app): State<Arc<App>>) -> Reply {
    show(State(app), Path(String::new())).await
}

pub(super) async fn show(State(app): State<Arc<App>>, Path(given): Path<String>) -> Reply {
    let workspace_path = WorkspacePath::parse(&format!("/{given}"))?;
    let shown = workspace_path.clone();
    let content = on_disk(&app, move |app| look(app, &shown)).await?;
    let key = workspace_path.key();
    let (parent, name) = key.rsplit_once('/').unwrap_or_default();
    let parents: Vec<(String, String)> = parent
        .split('/')
        .filter(|name| !name.is_empty())
        .scan(String::new(), |path, name| {
            *path = format!("{path}/{name}");
            Some((name.to_owned(), address(path)))
        })
        .collect();
    let mut steps = vec![("Workspace", "/browse")];
    steps.extend(
        parents
            .iter()
            .map(|(name, at)| (name.as_str(), at.as_str())),
    );
    let title = if name.is_empty() { "Workspace" } else { name };
    let Some(content) = content else {
        let text = format!("The workspace has no file or folder {key}.");
        return Err(ErrorPage::absent(
            "This is not here",
            &text,
            ("the workspace's files", "/browse"),
        ));
    };
    Ok(page(
        &app,
        Room::Other,
        title,
        &html! { (crumbs(&steps)) h1 { (title) } (content) },
    ))
}

fn look(app: &App, path: &WorkspacePath) -> Result<Option<Markup>, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk(&format!("cannot read {path}"), &error);
    let tree = &app.workspace_files;
    let Some(found) = tree.metadata(path.relative()).map_err(failed)? else {
        return Ok(None);
    };
    if found.is_dir() {
        let entries = tree.list(path.relative()).map_err(failed)?;
        if entries.is_empty() {
            return Ok(Some(html! { div.empty { p { "This folder is empty." } } }));
        }
        let inside =
            |entry: &crate::files::Entry| address(&format!("{}/{}", path.key(), entry.name));
        return Ok(Some(listing::table("Files and folders", &entries, inside)));
    }
    let mut bytes = Vec::new();
    let file = tree.open_file(path.relative()).map_err(failed)?;
    file.take(SHOWN).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(text_of(&bytes, found.len())))
}

fn text_of(bytes: &[u8], length: u64) -> Markup {
    html! {
        p.dim { (size(length)) @if length > SHOWN { ", of which this is the beginning" } }
        @if bytes.contains(&0) {
            div.empty { p { "This file is not text." } }
        } @else {
            pre.source { code { @for (line, number) in String::from_utf8_lossy(bytes).lines().zip(1..) {
                span.line data-number=(number) { (line) "\n" }
            } } }
        }
    }
}
