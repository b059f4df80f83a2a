//! The web UI: runs with their executed notebooks, jobs, registered models, volumes, files.
//!
//! Pages work without scripts. While something runs, a script fetches the page again and shows what has changed.
//! Nothing is inline, and the policy in [`crate::auth`] allows nothing inline.

mod addresses;
mod assets;
mod catalogs;
mod cells;
mod error_page;
mod experiments;
mod files;
mod formatting;
mod graph;
mod html_output;
mod jobs;
mod layout;
mod listing;
mod mlflow_state;
mod models;
mod output;
mod paging;
mod run;
mod runs;
mod task;
mod terminal;

pub(crate) use error_page::no_such_page;
pub(crate) use task::executed_notebook;

use axum::routing::{get, post};

use crate::call::Routes;

pub(crate) fn router() -> Routes {
    let run = "/jobs/{job_id}/runs/{run_id}";
    let model = "/explore/data/models/{catalog}/{schema}/{model}";
    let volume = "/explore/data/volumes/{catalog}/{schema}/{volume}";
    Routes::new()
        .merge(addresses::router())
        .merge(assets::router())
        .route("/", get(runs::show))
        .route("/jobs", get(jobs::show))
        .route("/jobs/{job_id}", get(jobs::show_job))
        .route("/jobs/{job_id}/run-now", post(jobs::start))
        .route(run, get(run::show))
        .route(&format!("{run}/cancel"), post(run::cancel))
        .route(&format!("{run}/repair"), post(run::repair))
        .route(
            "/outputs/{task_run_id}/{cell}/{output}",
            get(html_output::show),
        )
        .route("/models", get(models::show))
        .route(model, get(models::show_model))
        .route("/ml/models/{name}", get(models::show_own_model))
        .route(
            &format!("{model}/version/{{version}}"),
            get(models::show_version),
        )
        .route("/ml/experiments", get(experiments::show))
        .route("/explore/data", get(catalogs::show))
        .route("/explore/data/{catalog}", get(catalogs::catalog))
        .route("/explore/data/{catalog}/{schema}", get(catalogs::schema))
        .route(volume, get(catalogs::volume))
        .route(&format!("{volume}/{{*path}}"), get(catalogs::folder))
        .route("/browse", get(files::root))
        .route("/browse/{*path}", get(files::show))
}
