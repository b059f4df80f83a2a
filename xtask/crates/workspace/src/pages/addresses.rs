//! Databricks' addresses, as the CLI, the SDK, MLflow and our commands print them, redirected to the pages here.

mod classic;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::get;
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use self::classic::Target;
use super::error_page::ErrorPage;
use crate::call::Routes;
use crate::state::App;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'@');

/// Redirects for pages of MLflow, and for links of the older form.
pub(super) fn router() -> Routes {
    Routes::new()
        .route("/go", get(go))
        .route("/ml/experiments/{experiment}", get(experiment))
        .route("/ml/experiments/{experiment}/runs/{run}", get(run))
        .route(
            "/ml/experiments/{experiment}/models/{model}",
            get(logged_model),
        )
        .route("/ml/models/{name}/versions/{version}", get(own_version))
        .route("/ml/models", get(|| async { Redirect::to("/models") }))
        .route(
            "/explore/data/models",
            get(|| async { Redirect::to("/models") }),
        )
}

async fn experiment(Path(experiment): Path<String>) -> Redirect {
    Redirect::to(&in_mlflow(&["experiments", &experiment]))
}

async fn run(Path((experiment, run)): Path<(String, String)>) -> Redirect {
    Redirect::to(&in_mlflow(&["experiments", &experiment, "runs", &run]))
}

async fn own_version(Path((name, number)): Path<(String, String)>) -> Redirect {
    Redirect::to(&version(&name, &number))
}

async fn logged_model(Path((experiment, model)): Path<(String, String)>) -> Redirect {
    Redirect::to(&in_mlflow(&["experiments", &experiment, "models", &model]))
}

pub(super) fn in_mlflow(segments: &[&str]) -> String {
    format!("/mlflow/#{}", path(segments))
}

/// Escapes each segment: the path may become a header.
pub(super) fn path(segments: &[&str]) -> String {
    let escape = |segment: &&str| format!("/{}", utf8_percent_encode(segment, SEGMENT));
    segments.iter().map(escape).collect()
}

/// A name of three levels belongs to Unity Catalog, any other to the workspace registry.
pub(super) fn model(name: &str) -> String {
    match three_levels(name) {
        Some([catalog, schema, model]) => {
            path(&["explore", "data", "models", catalog, schema, model])
        }
        None => path(&["ml", "models", name]),
    }
}

pub(super) fn version(name: &str, version: &str) -> String {
    match three_levels(name) {
        Some(_) => format!("{}{}", model(name), path(&["version", version])),
        None => in_mlflow(&["models", name, "versions", version]),
    }
}

fn three_levels(name: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = name.split('.').collect();
    parts.try_into().ok()
}

#[derive(Deserialize)]
struct Go {
    #[serde(default)]
    to: String,
}

/// `GET /go?to=…`: redirects a link of the older form, or an id. A fragment never reaches the server, so a script
/// passes it here, or the user pastes it.
async fn go(State(app): State<Arc<App>>, Query(query): Query<Go>) -> Result<Redirect, ErrorPage> {
    let found = match classic::read(&query.to) {
        Some(Target::Page(address)) => Some(address),
        Some(Target::Run(run_id)) => page_of_run(&app, run_id)?,
        Some(Target::Number(id)) => match page_of_run(&app, id)? {
            None if app.store.job(id)?.is_some() => Some(format!("/jobs/{id}")),
            None => page_of_object(&app, id)?,
            found => found,
        },
        Some(Target::Object(object_id)) => page_of_object(&app, object_id)?,
        None => None,
    };
    found.map(|address| Redirect::to(&address)).ok_or_else(|| {
        let text = format!("The workspace has nothing called {}.", query.to);
        ErrorPage::absent("This leads nowhere", &text, ("Runs", "/"))
    })
}

/// The page of a run, or the section of a task run on it.
fn page_of_run(app: &App, run_id: i64) -> Result<Option<String>, ErrorPage> {
    if let Some(run) = app.store.run(run_id)? {
        return Ok(Some(format!("/jobs/{}/runs/{run_id}", run.job_id)));
    }
    let Some(task) = app.store.task_run(run_id)? else {
        return Ok(None);
    };
    Ok(app
        .store
        .run(task.job_run_id)?
        .map(|run| format!("/jobs/{}/runs/{}#task-{run_id}", run.job_id, run.run_id)))
}

fn page_of_object(app: &App, object_id: i64) -> Result<Option<String>, ErrorPage> {
    let path = app.store.object_path(object_id)?;
    Ok(path.map(|path| super::files::address(&path)))
}

/// The search form for links and ids, on the start page.
pub(super) fn finder() -> Markup {
    html! {
        form.finder method="get" action="/go" {
            label for="to" { "Go to a run, a job or a link of Databricks" }
            div.row {
                input #to type="text" name="to" placeholder="#job/123/run/456" autocomplete="off" spellcheck="false" required;
                button.button type="submit" { "Go" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_pages_here_and_versions_outside_of_unity_catalog_in_mlflow() {
        assert_eq!(model("a.b.c"), "/explore/data/models/a/b/c");
        assert_eq!(
            version("a.b.c", "3"),
            "/explore/data/models/a/b/c/version/3"
        );
        assert_eq!(model("plain"), "/ml/models/plain");
        assert_eq!(
            version("x y/z", "1"),
            "/mlflow/#/models/x%20y%2Fz/versions/1"
        );
    }
}
