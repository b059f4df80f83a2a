//! SCIM: users, service principals and groups, as far as the CLI, the SDK and bundles need them.

mod error;
mod filter;
mod groups;
mod me;
mod page;
mod patch;
mod principals;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::state::App;

const ROOT: &str = "/api/2.0/preview/scim/v2";

pub(super) fn router() -> Router<Arc<App>> {
    let at = |path: &str| format!("{ROOT}/{path}");
    Router::new()
        .route(&at("Me"), get(me::me))
        .route(
            &at("ServicePrincipals"),
            get(principals::list_services).post(principals::create_service),
        )
        .route(
            &at("ServicePrincipals/{id}"),
            get(principals::show_service)
                .put(principals::replace_service)
                .patch(principals::patch_service)
                .delete(principals::delete_service),
        )
        .route(
            &at("Users"),
            get(principals::list_users).post(principals::create_user),
        )
        .route(
            &at("Users/{id}"),
            get(principals::show_user)
                .put(principals::replace_user)
                .patch(principals::patch_user)
                .delete(principals::delete_user),
        )
        .route(&at("Groups"), get(groups::list).post(groups::create))
        .route(
            &at("Groups/{id}"),
            get(groups::show)
                .put(groups::replace)
                .patch(groups::patch)
                .delete(groups::delete),
        )
}
