//! Routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;

use crate::call::{refused, to};
use crate::caller::Caller;
use crate::control;
use crate::forge::Forge;
use crate::git::http::{Service, service};
use crate::graphql;
use crate::middleware::admit_and_answer;
use crate::pages;
use crate::pull_requests::{merge_what_waits, pushed};
use crate::refusal::{Found as _, Refusal};
use crate::rest;
use crate::world::{Access, Permission};

pub(crate) fn router(forge: Arc<Forge>) -> Router {
    let inside = Router::new()
        .nest("/api/v3", rest::routes())
        .route("/api/graphql", axum::routing::post(to(graphql::answer)))
        .nest("/_forge/v1", control::routes())
        .route("/_logs/{ticket}", get(to(rest::logs::by_ticket)))
        .merge(pages::routes())
        .fallback(git)
        .with_state(forge.clone());
    Router::new()
        .fallback(admit_and_answer)
        .with_state((forge, inside))
}

/// `/OWNER/REPO.git/…`: git's protocol.
async fn git(State(forge): State<Arc<Forge>>, request: Request) -> Response {
    match serve_git(&forge, request).await {
        Ok(response) => response,
        Err(refusal) => refused(&refusal),
    }
}

async fn serve_git(forge: &Arc<Forge>, request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path().to_owned();
    let mut parts = path.splitn(4, '/').skip(1);
    let (owner, name, rest) = (parts.next(), parts.next(), parts.next());
    let (Some(owner), Some(name), Some(rest)) = (owner, name, rest) else {
        return Err(Refusal::not_found());
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    let wanted = service(rest, request.uri().query().unwrap_or_default()).found()?;
    let world = forge.world();
    let repo = world.repo_named(owner, name).found()?;
    let Some(Caller::User(token)) = request.extensions().get::<Caller>().cloned() else {
        return Err(Refusal::not_found());
    };
    let given = world.permission(repo, token.user).found()?;
    let login = world.login(token.user).to_owned();
    if wanted == Service::Push && (given < Permission::Write || token.access == Access::Read) {
        return Err(Refusal::forbidden(format!(
            "Permission to {} denied to {login}.",
            world.full_name(repo)
        )));
    }
    let id = repo.id;
    let is_push = rest == "git-receive-pack";
    let response = forge
        .git
        .serve(id, rest, &login, request)
        .await
        .map_err(|error| Refusal::internal(&error))?;
    if is_push {
        let forge = forge.clone();
        let follow = move || {
            forge.change(|world| pushed(world, &forge.git, id, token.user))?;
            merge_what_waits(&forge);
            Ok::<(), Refusal>(())
        };
        tokio::task::spawn_blocking(follow)
            .await
            .map_err(|error| Refusal::internal(&error))??;
    }
    Ok(response)
}
