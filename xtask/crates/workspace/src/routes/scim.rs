//! SCIM: users, service principals and groups, as far as the CLI, the SDK and bundles need them.

mod error;
mod filter;
mod groups;
mod patch;
mod principals;

use axum::routing::get;

use crate::call::Routes;
use crate::store::PrincipalKind;

const ROOT: &str = "/api/2.0/preview/scim/v2";

pub(super) fn router() -> Routes {
    let at = |path: &str| format!("{ROOT}/{path}");
    Routes::new()
        .route(&at("Me"), get(principals::me))
        .merge(principals::router(
            &at("ServicePrincipals"),
            PrincipalKind::ServicePrincipal,
        ))
        .merge(principals::router(&at("Users"), PrincipalKind::User))
        .route(&at("Groups"), get(groups::list).post(groups::create))
        .route(
            &at("Groups/{id}"),
            get(groups::show)
                .put(groups::replace)
                .patch(groups::patch)
                .delete(groups::delete),
        )
}
