//! The REST API.

mod actions;
mod branches;
mod checks;
mod commits;
mod deployments;
pub(crate) mod logs;
mod pulls;
mod repos;
pub(crate) mod shapes;
mod users;

pub(crate) use actions::may_approve;
pub(crate) use repos::{NewRepo, make, permission_named};

use axum::routing::get;

use crate::call::{Answer, Call, Routes, to};
use crate::refusal::Refusal;

/// Relative to the API's base address.
pub(crate) fn routes() -> Routes {
    let of_a_repository = Routes::new()
        .merge(repos::routes_of_one())
        .merge(branches::routes())
        .merge(commits::routes())
        .merge(checks::routes())
        .merge(pulls::routes())
        .merge(actions::routes())
        .merge(deployments::routes());
    Routes::new()
        .merge(users::routes())
        .merge(repos::routes())
        .nest("/repos/{owner}/{repo}", of_a_repository)
        .fallback(
            get(to(unknown))
                .post(to(unknown))
                .put(to(unknown))
                .patch(to(unknown))
                .delete(to(unknown)),
        )
}

fn unknown(_call: &Call) -> Answer {
    Err(Refusal::not_found())
}
