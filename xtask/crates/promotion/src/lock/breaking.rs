//! Breaks a lock whose owner will not give it back.
//!
//! No service removes a file only if it is still the one that was looked at. Of two who find the same lock left behind, the
//! slower one would remove the lock that the faster one has taken meanwhile. So a process that breaks a lock first makes a file
//! beside it that is named after that very lock, which only one can, then looks whether that lock still stands, and
//! only then removes it. Whoever is killed in between leaves this file behind; the right that it stands for passes on as
//! the lock's does. One that was left after its lock had gone says nothing any more, and the process that takes the lock next
//! removes it.

use serde_json::json;
use xtask_remote::Request;
use xtask_remote::databricks::workspace_files;

use super::{Held, giving_back, holder_of, is_taken, name, path};
use crate::calls::{Known, OWNER};
use crate::error::Error;
use crate::open_end::OpenEnd;
use crate::owner::Owner;

/// What blocks a promotion: a lock, behind it the process that has begun to break it, and so on.
pub(super) struct Blocking {
    pub(super) last: Held,
    lock: Held,
    /// The paths of those who break.
    breaking: Vec<String>,
    /// Where the next one would stand.
    next: String,
}

impl Blocking {
    /// Looks who stands behind a lock.
    pub(super) fn behind(end: &OpenEnd<'_>, lock: Held) -> Result<Blocking, Error> {
        let mut blocking = Blocking {
            next: format!("{}.{}", path(end), name(&lock)),
            last: lock.clone(),
            lock,
            breaking: Vec::new(),
        };
        while let Some(held) = holder_of(end, &blocking.next)? {
            let next = format!("{}.{}", blocking.next, name(&held));
            blocking.breaking.push(blocking.next);
            (blocking.next, blocking.last) = (next, held);
        }
        Ok(blocking)
    }

    /// Whether this may be broken: the last of them has ended, or is named.
    pub(super) fn may_be_broken(&self, us: &Owner, named: Option<&str>) -> bool {
        let is_named = named.is_some_and(|id| id == name(&self.last));
        is_named || Owner::parse(&self.last.by).is_some_and(|owner| owner.has_ended_here(us))
    }

    /// Removes the lock, if no other process is about to and it is still this one.
    pub(super) fn remove(&self, end: &OpenEnd<'_>, known: &Known) -> Result<(), Error> {
        let content = json!({"id": self.lock.id, "what": "break a lock that was left behind",
            "owner": OWNER});
        let claim = workspace_files::create(&self.next, &content);
        // Whatever comes back: what counts is who stands there.
        let sent = end.transport.send(&known.fill(&claim));
        match (holder_of(end, &self.next)?, sent) {
            (Some(held), _) if held.by == known.owner => {}
            // Another's, or another's until a moment ago; or ours, which the process that has the lock now took away.
            (Some(_), _) | (None, Ok(_)) => return Ok(()),
            (None, Err(error)) if is_taken(&error) || error.leaves_open() => return Ok(()),
            (None, Err(error)) => return Err(error.into()),
        }
        let now = holder_of(end, &path(end))?;
        if now.is_some_and(|now| now.is_same(&self.lock)) {
            gone(end, &giving_back(end))?;
        }
        for path in self.breaking.iter().chain([&self.next]) {
            gone(end, &workspace_files::delete(path))?;
        }
        Ok(())
    }
}

/// Removes what those left who broke earlier locks: each but those who break this one, which is ours.
pub(super) fn sweep(end: &OpenEnd<'_>, ours: &Held) -> Result<(), Error> {
    let about_ours = format!("{}.{}", path(end), name(ours));
    for path in left(end)? {
        if !same_file(&path).starts_with(same_file(&about_ours)) {
            gone(end, &workspace_files::delete(&path))?;
        }
    }
    Ok(())
}

/// Whether a process that broke a lock of this promotion left something.
pub(super) fn has_left(end: &OpenEnd<'_>, id: &str) -> Result<bool, Error> {
    let about = format!("{}.{id}-", path(end));
    let mut left = left(end)?.into_iter();
    Ok(left.any(|path| same_file(&path).starts_with(same_file(&about))))
}

/// The files of those who broke locks of this model.
fn left(end: &OpenEnd<'_>) -> Result<Vec<String>, Error> {
    let beside = format!("{}.", path(end));
    let mut listed = workspace_files::in_folder(end.transport, end.state_path)?;
    listed.retain(|path| same_file(path).starts_with(same_file(&beside)));
    Ok(listed)
}

/// A path without the mount point, which services write or leave out as they please.
fn same_file(path: &str) -> &str {
    path.strip_prefix("/Workspace").unwrap_or(path)
}

/// Removes what may be gone.
fn gone(end: &OpenEnd<'_>, call: &Request) -> Result<(), Error> {
    match end.transport.send(call) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}
