//! Logs of jobs: a link that works for a minute without a token.

use axum::http::StatusCode;
use camino::Utf8PathBuf;

use crate::call::{Answer, Call, Reply};
use crate::forge::Forge;
use crate::refusal::{Found as _, Refusal};
use crate::world::{Id, Permission};

/// Lifetime of a link, ms.
const LIFETIME: i64 = 60_000;

pub(crate) fn path(forge: &Forge, job: Id) -> Utf8PathBuf {
    forge.state.path().join("logs").join(format!("{job}.txt"))
}

/// `GET actions/jobs/{job}/logs`.
pub(super) fn redirect(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let id = call.id("job")?;
    let job = call
        .world
        .checks
        .get(id)
        .filter(|job| job.repo == repo.id && job.run.is_some());
    job.found()?;
    if !path(&call.forge, id).exists() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Not Found"));
    }
    let ticket = call
        .forge
        .log_links
        .issue(id, call.world.now().0, LIFETIME)
        .map_err(|error| Refusal::internal(&error))?;
    // GitHub uses another host.
    Ok(Reply::redirect(format!(
        "{}/_logs/{}",
        call.forge.url,
        ticket.expose()
    )))
}

/// `GET /_logs/{ticket}`.
pub(crate) fn by_ticket(call: &Call) -> Answer {
    let now = call.forge.world().now();
    let ticket = call.forge.log_links.redeem(call.param("ticket"), now.0);
    let job = ticket.map(|ticket| ticket.to).ok_or_else(|| {
        Refusal::forbidden("AuthenticationFailed: Server failed to authenticate the request.")
    })?;
    let text = fs_err::read(path(&call.forge, job)).map_err(|error| Refusal::internal(&error))?;
    Ok(Reply::text(
        String::from_utf8_lossy(&text).into_owned(),
        "text/plain; charset=utf-8",
    ))
}
