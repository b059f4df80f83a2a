//! Addresses that pages have on Databricks, and that the CLI and our commands print. They lead to where the same
//! thing is shown here: in MLflow's pages.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::get;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::state::App;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Redirects from Databricks' addresses of experiments, runs and model versions.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/ml/experiments/{experiment}", get(experiment))
        .route("/ml/experiments/{experiment}/runs/{run}", get(run))
        .route(
            "/explore/data/models/{catalog}/{schema}/{model}",
            get(model),
        )
        .route(
            "/explore/data/models/{catalog}/{schema}/{model}/version/{version}",
            get(version),
        )
}

async fn experiment(Path(experiment): Path<String>) -> Redirect {
    to(&["experiments", &experiment])
}

async fn run(Path((experiment, run)): Path<(String, String)>) -> Redirect {
    to(&["experiments", &experiment, "runs", &run])
}

async fn model(Path((catalog, schema, model)): Path<(String, String, String)>) -> Redirect {
    to(&["models", &format!("{catalog}.{schema}.{model}")])
}

async fn version(
    Path((catalog, schema, model, version)): Path<(String, String, String, String)>,
) -> Redirect {
    to(&[
        "models",
        &format!("{catalog}.{schema}.{model}"),
        "versions",
        &version,
    ])
}

/// A page of MLflow. What came in escaped goes out escaped: it becomes a header.
fn to(segments: &[&str]) -> Redirect {
    let escaped: Vec<String> = segments
        .iter()
        .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
        .collect();
    Redirect::to(&format!("/mlflow/#/{}", escaped.join("/")))
}
