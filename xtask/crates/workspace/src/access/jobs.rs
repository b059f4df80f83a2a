//! Rights on jobs and their runs.

use std::collections::HashMap;

use serde_json::Value;

use super::concerns;
use crate::call::Call;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::store::{Job, Run, RunFilter};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    View,
    /// Also to repair one.
    Run,
    End,
    Change,
    Delete,
    Permissions,
}

/// Permission levels in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    None,
    View,
    ManageRun,
    Manage,
    Owner,
}

impl Level {
    fn parse(text: &str) -> Level {
        match text {
            "CAN_VIEW" => Level::View,
            "CAN_MANAGE_RUN" => Level::ManageRun,
            "CAN_MANAGE" => Level::Manage,
            "IS_OWNER" => Level::Owner,
            _ => Level::None,
        }
    }
}

impl Act {
    fn needs(self) -> Level {
        match self {
            Act::View => Level::View,
            Act::Run | Act::End => Level::ManageRun,
            Act::Change | Act::Delete | Act::Permissions => Level::Manage,
        }
    }

    /// Clients print this refusal as it is, and the CLI's tests compare it.
    fn refused(self, name: &str, job_id: i64) -> ApiError {
        let levels = match self {
            Act::View => "View or Admin or Manage Run or Owner",
            Act::Run | Act::End => "Admin or Manage Run or Owner",
            Act::Change => "Admin or Manage or Owner",
            Act::Delete => "Admin or Owner",
            Act::Permissions => {
                return ApiError::forbidden(format!(
                    "{name} does not have Manage permissions on Job with ID: ElasticJobId({job_id}). \
                     Please contact the owner or an administrator for access."
                ));
            }
        };
        ApiError::forbidden(format!(
            "User {name} does not have {levels} permissions on job {job_id}"
        ))
    }
}

/// Refuses what the caller may not do with a job. For a job that never existed, the caller of this function answers; a
/// deleted one still has its permissions.
pub(crate) fn job(call: &Call, job_id: i64, act: Act) -> Result<(), ApiError> {
    if call.caller.is_admin() {
        return Ok(());
    }
    let acl = call.store.acl("jobs", &job_id.to_string())?;
    let job = call.store.job(job_id)?;
    if acl.is_none() && job.is_none() {
        return Ok(());
    }
    let creator = job.as_ref().map(|job| job.creator.as_str());
    if level(&call.caller, acl.as_deref(), creator) >= act.needs() {
        return Ok(());
    }
    Err(act.refused(call.caller.name(), job_id))
}

/// Refuses what the caller may not do with a run. Who started it, or whose identity it acts as, may view and end it. A
/// repair needs the right to run the job as it is now: the run acts as its own identity, and who started it may have
/// lost that right since.
pub(crate) fn run(call: &Call, run: &Run, act: Act) -> Result<(), ApiError> {
    let acts = run.acts_as(&call.identity.user_name) == call.caller.name();
    let own = acts || run.creator == call.caller.name();
    if call.caller.is_admin() || (own && matches!(act, Act::View | Act::End)) {
        return Ok(());
    }
    let acl = call.store.acl("jobs", &run.job_id.to_string())?;
    let job = call.store.job(run.job_id)?;
    let creator = job.as_ref().map(|job| job.creator.as_str());
    if level(&call.caller, acl.as_deref(), creator) >= act.needs() || (acts && job.is_none()) {
        return Ok(());
    }
    Err(act.refused(call.caller.name(), run.job_id))
}

pub(crate) fn visible_jobs(
    call: &Call,
    name: Option<&str>,
    limit: u32,
    offset: u32,
) -> Result<Vec<Job>, ApiError> {
    if call.caller.is_admin() {
        return Ok(call.store.jobs(name, limit, offset)?);
    }
    let mut seen = Vec::new();
    for one in call.store.jobs(name, u32::MAX, 0)? {
        if job(call, one.job_id, Act::View).is_ok() {
            seen.push(one);
        }
    }
    Ok(page(seen, limit, offset))
}

pub(crate) fn visible_runs(call: &Call, filter: &RunFilter) -> Result<Vec<Run>, ApiError> {
    if call.caller.is_admin() {
        return Ok(call.store.runs(filter)?);
    }
    let all = RunFilter {
        limit: u32::MAX,
        offset: 0,
        ..filter.clone()
    };
    let mut jobs: HashMap<i64, bool> = HashMap::new();
    let mut seen = Vec::new();
    for one in call.store.runs(&all)? {
        let own = one.creator == call.caller.name()
            || one.acts_as(&call.identity.user_name) == call.caller.name();
        let visible = own
            || *jobs
                .entry(one.job_id)
                .or_insert_with(|| run(call, &one, Act::View).is_ok());
        if visible {
            seen.push(one);
        }
    }
    Ok(page(seen, filter.limit, filter.offset))
}

fn page<T>(items: Vec<T>, limit: u32, offset: u32) -> Vec<T> {
    items
        .into_iter()
        .skip(offset as usize)
        .take(limit as usize)
        .collect()
}

/// The level that a permission list gives to the caller. The creator owns the job until the list names an owner.
fn level(caller: &Caller, acl: Option<&[Value]>, creator: Option<&str>) -> Level {
    let entries = acl.unwrap_or_default();
    let parsed =
        |entry: &Value| Level::parse(entry["permission_level"].as_str().unwrap_or_default());
    let given = entries
        .iter()
        .filter(|entry| concerns(entry, caller))
        .map(parsed)
        .max()
        .unwrap_or(Level::None);
    let has_owner = entries.iter().any(|entry| parsed(entry) == Level::Owner);
    if !has_owner && creator == Some(caller.name()) {
        return Level::Owner;
    }
    given
}
