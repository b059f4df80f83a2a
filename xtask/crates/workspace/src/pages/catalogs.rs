//! `/explore/data/…`: catalogs, schemas, and the files of volumes.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::Value;

use super::addresses::{self, path};
use super::error_page::{ErrorPage, Reply};
use super::layout::{Room, crumbs, empty, page};
use super::listing;
use super::models;
use crate::call::on_disk;
use crate::error::ApiError;
use crate::files::{Entry, RelativePath};
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>) -> Reply {
    let mut volumes = Vec::new();
    let mut schemas = Vec::new();
    for catalog in names(&app.store.securables("catalog", "")?) {
        for schema in names(&app.store.securables("schema", &catalog)?) {
            let full_name = format!("{catalog}.{schema}");
            for volume in app.store.securables("volume", &full_name)? {
                volumes.push((catalog.clone(), schema.clone(), volume));
            }
            schemas.push((catalog.clone(), schema));
        }
    }
    let content = html! {
        h1 { "Volumes" }
        @if volumes.is_empty() { (empty("No volumes yet.", "cargo xtask deploy")) } @else {
            (volume_table(&volumes))
        }
        @if !schemas.is_empty() {
            h2 { "Schemas" }
            ul.names { @for (catalog, schema) in &schemas {
                li { a href=(path(&["explore", "data", catalog, schema])) { (catalog) "." (schema) } }
            } }
        }
        p { a href="/browse" { "Files of the workspace" } }
    };
    Ok(page(&app, Room::Volumes, "Volumes", &content))
}

fn names(bodies: &[Value]) -> Vec<String> {
    let name = |body: &Value| body["name"].as_str().map(str::to_owned);
    bodies.iter().filter_map(name).collect()
}

fn volume_table(volumes: &[(String, String, Value)]) -> Markup {
    html! {
        div.wide { table.list {
            caption.unseen { "Volumes" }
            thead { tr { th scope="col" { "Volume" } th scope="col" { "Schema" } th scope="col" { "About" } } }
            tbody { @for (catalog, schema, body) in volumes {
                @let name = body["name"].as_str().unwrap_or_default();
                tr {
                    th scope="row" { a href=(path(&["explore", "data", "volumes", catalog, schema, name])) { (name) } }
                    td { a href=(path(&["explore", "data", catalog, schema])) { (catalog) "." (schema) } }
                    td.dim { (body["comment"].as_str().unwrap_or_default()) }
                }
            } }
        } }
    }
}

pub(super) async fn catalog(State(app): State<Arc<App>>, Path(catalog): Path<String>) -> Reply {
    let catalog = catalog.to_lowercase();
    if app.store.securable("catalog", &catalog)?.is_none() {
        return Err(absent("catalog", &catalog));
    }
    let schemas = names(&app.store.securables("schema", &catalog)?);
    let content = html! {
        (crumbs(&[("Volumes", "/explore/data")]))
        h1 { (catalog) }
        ul.names { @for schema in &schemas {
            li { a href=(path(&["explore", "data", &catalog, schema])) { (schema) } }
        } }
    };
    Ok(page(&app, Room::Volumes, &catalog, &content))
}

/// Volumes and registered models of a schema.
pub(super) async fn schema(
    State(app): State<Arc<App>>,
    Path((catalog, schema)): Path<(String, String)>,
) -> Reply {
    let [catalog, schema] = [catalog.to_lowercase(), schema.to_lowercase()];
    let full_name = format!("{catalog}.{schema}");
    let Some(body) = app.store.securable("schema", &full_name)? else {
        return Err(absent("schema", &full_name));
    };
    let volumes: Vec<_> = app.store.securables("volume", &full_name)?;
    let volumes: Vec<_> = volumes
        .into_iter()
        .map(|volume| (catalog.clone(), schema.clone(), volume))
        .collect();
    let content = html! {
        (crumbs(&[("Volumes", "/explore/data"), (&catalog, &path(&["explore", "data", &catalog]))]))
        h1 { (full_name) }
        @if let Some(comment) = body["comment"].as_str() { p { (comment) } }
        h2 { "Volumes" }
        @if volumes.is_empty() { p.dim { "None." } } @else { (volume_table(&volumes)) }
        h2 { "Registered models" }
        (models::in_schema(&app, &full_name).await)
    };
    Ok(page(&app, Room::Volumes, &full_name, &content))
}

pub(super) async fn volume(
    State(app): State<Arc<App>>,
    Path((catalog, schema, volume)): Path<(String, String, String)>,
) -> Reply {
    folder(State(app), Path((catalog, schema, volume, String::new()))).await
}

pub(super) async fn folder(
    State(app): State<Arc<App>>,
    Path((catalog, schema, volume, below)): Path<(String, String, String, String)>,
) -> Reply {
    let [catalog, schema, volume] = [catalog, schema, volume].map(|name| name.to_lowercase());
    let full_name = format!("{catalog}.{schema}.{volume}");
    if app.store.securable("volume", &full_name)?.is_none() {
        return Err(absent("volume", &full_name));
    }
    let below = RelativePath::parse(&below)?;
    let place = RelativePath::parse(&format!("{catalog}/{schema}/{volume}/{}", below.as_str()))?;
    let entries = on_disk(&app, move |app| listed(app, &place)).await?;
    let Some(entries) = entries else {
        return Err(absent("folder in the volume", below.as_str()));
    };
    let base = ["explore", "data", "volumes", &catalog, &schema, &volume];
    let content = html! {
        (crumbs(&[
            ("Volumes", "/explore/data"),
            (&format!("{catalog}.{schema}"), &path(&["explore", "data", &catalog, &schema])),
            (&volume, &path(&base)),
        ]))
        h1 { (if below.as_str().is_empty() { volume.as_str() } else { below.name() }) }
        p.dim { code { "/Volumes/" (catalog) "/" (schema) "/" (volume) "/" (below.as_str()) } }
        @if entries.is_empty() {
            (empty("Nothing is here yet.", "cargo xtask data upload"))
        } @else {
            (listing::table("Files and folders", &entries, |entry| {
                let inner = below.join(&entry.name);
                let names: Vec<&str> = inner.segments().collect();
                if entry.is_dir {
                    addresses::path(&[&base[..], &names].concat())
                } else {
                    listing::download("Volumes", &[&base[3..], &names].concat())
                }
            }))
        }
    };
    Ok(page(&app, Room::Volumes, &volume, &content))
}

/// `None` if there is no such folder.
fn listed(app: &App, place: &RelativePath) -> Result<Option<Vec<Entry>>, ApiError> {
    let failed = |error: std::io::Error| ApiError::disk("cannot list the folder", &error);
    match app.volumes.metadata(place).map_err(failed)? {
        Some(found) if found.is_dir() => Ok(Some(app.volumes.list(place).map_err(failed)?)),
        _ => Ok(None),
    }
}

fn absent(what: &str, name: &str) -> ErrorPage {
    let text = format!("The workspace has no {what} {name}.");
    ErrorPage::absent("This is not here", &text, ("the volumes", "/explore/data"))
}
