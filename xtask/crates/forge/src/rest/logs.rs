//! Logs of jobs: a link that lives a minute, to an address that wants no token.

use axum::http::StatusCode;
use camino::Utf8PathBuf;

use crate::call::{Answer, Call, Reply};
use crate::forge::{Destination, Forge, Ticket};
use crate::lock::lock;
use crate::refusal::Refusal;
use crate::secret::{Secret, fingerprint};
use crate::world::{Id, Permission};

/// How long a link to a log works, seconds.
const LIFETIME: i64 = 60;

/// Where the log of a job is kept.
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
    job.ok_or_else(Refusal::not_found)?;
    if !path(&call.forge, id).exists() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Not Found"));
    }
    let ticket = Secret::generate("").map_err(|error| Refusal::internal(&error))?;
    let now = call.world.now();
    let mut tickets = lock(&call.forge.tickets);
    tickets.retain(|_, ticket| ticket.ends > now);
    tickets.insert(
        fingerprint(ticket.expose()),
        Ticket {
            ends: now.plus(LIFETIME),
            to: Destination::Log(id),
        },
    );
    // Another host on GitHub's side; here it is at least another part of the address.
    Ok(Reply::redirect(format!(
        "{}/_logs/{}",
        call.forge.url,
        ticket.expose()
    )))
}

/// `GET /_logs/{ticket}`.
pub(crate) fn by_ticket(call: &Call) -> Answer {
    let now = call.forge.world().now();
    let ticket = lock(&call.forge.tickets)
        .get(&fingerprint(call.param("ticket")))
        .cloned();
    match ticket {
        Some(Ticket {
            ends,
            to: Destination::Log(job),
        }) if ends > now => {
            let text =
                fs_err::read(path(&call.forge, job)).map_err(|error| Refusal::internal(&error))?;
            Ok(Reply::text(
                String::from_utf8_lossy(&text).into_owned(),
                "text/plain; charset=utf-8",
            ))
        }
        _ => Err(Refusal::forbidden(
            "AuthenticationFailed: Server failed to authenticate the request.",
        )),
    }
}
