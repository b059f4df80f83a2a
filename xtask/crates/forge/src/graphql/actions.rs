//! Workflow runs, deployments and environments.

use super::commits::thing;
use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::records::page;
use crate::refusal::Found as _;
use crate::rest::may_approve;
use crate::view::node_id;
use crate::world::{CheckRun, Deployment, DeploymentStatus, Id};

pub(super) fn run(scope: &Scope, id: Id, name: &str) -> Given {
    let run = scope.world.runs.get(id).found()?;
    let path = format!(
        "/{}/actions/runs/{id}",
        scope.world.full_name(scope.repo(run.repo)?)
    );
    Ok(match name {
        "id" => leaf(node_id("WFR", id)),
        "databaseId" => leaf(id),
        "runNumber" => leaf(run.number),
        "event" => leaf(&run.event),
        "createdAt" => leaf(run.created_at.to_string()),
        "updatedAt" => leaf(run.updated_at.to_string()),
        "url" => leaf(format!("{}{path}", scope.links.web)),
        "resourcePath" => leaf(path),
        "checkSuite" => Out::One(Thing::Suite(run.suite)),
        "workflow" => Out::One(Thing::Workflow(run.workflow)),
        _ => return unanswered("WorkflowRun", name),
    })
}

pub(super) fn workflow(scope: &Scope, id: Id, name: &str) -> Given {
    let workflow = scope.world.workflows.get(id).found()?;
    let file = workflow.path.rsplit('/').next().unwrap_or_default();
    let path = format!(
        "/{}/actions/workflows/{file}",
        scope.world.full_name(scope.repo(workflow.repo)?)
    );
    Ok(match name {
        "id" => leaf(node_id("W", id)),
        "databaseId" => leaf(id),
        "name" => leaf(&workflow.name),
        "state" => leaf("ACTIVE"),
        "createdAt" => leaf(workflow.created_at.to_string()),
        "url" => leaf(format!("{}{path}", scope.links.web)),
        "resourcePath" => leaf(path),
        _ => return unanswered("Workflow", name),
    })
}

pub(super) fn deployments(mut all: Vec<&Deployment>, args: &Args) -> Given {
    if let Some(wanted) = args.texts("environments") {
        all.retain(|one| wanted.contains(&one.environment.as_str()));
    }
    if args.object("orderBy").text("direction") == Some("DESC") {
        all.reverse();
    }
    let all = all.into_iter().map(|one| Thing::Deployment(one.id));
    page(all, args)
}

pub(super) fn deployment(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let row = scope.world.deployments.get(id).found()?;
    let statuses = || {
        row.statuses
            .iter()
            .rev()
            .map(|status| status_record(row, status))
    };
    Ok(match name {
        "id" => leaf(node_id("DE", id)),
        "databaseId" => leaf(id),
        "environment" | "latestEnvironment" | "originalEnvironment" => leaf(&row.environment),
        "task" => leaf(&row.task),
        "description" => leaf(&row.description),
        "commitOid" => leaf(&row.sha),
        "commit" => Out::One(thing(row.repo, &row.sha)),
        "creator" => Out::One(Thing::User(row.creator)),
        "createdAt" => leaf(row.created_at.to_string()),
        "updatedAt" => leaf(row.updated_at.to_string()),
        "ref" => Out::maybe(super::refs::branch_ref(scope.repo(row.repo)?, &row.git_ref)),
        // A successful deployment is the active one.
        "state" => leaf(
            match row.statuses.last().map(|status| status.state.as_str()) {
                None => "PENDING".to_owned(),
                Some("success") => "ACTIVE".to_owned(),
                Some(state) => state.to_ascii_uppercase(),
            },
        ),
        "latestStatus" => Out::maybe(statuses().next()),
        "statuses" => {
            return page(statuses(), args);
        }
        _ => return unanswered("Deployment", name),
    })
}

fn status_record(deployment: &Deployment, status: &DeploymentStatus) -> Thing {
    let url = |url: &str| leaf(Some(url).filter(|url| !url.is_empty()));
    record(vec![
        ("id", leaf(node_id("DES", status.id))),
        ("state", leaf(status.state.to_ascii_uppercase())),
        ("description", leaf(&status.description)),
        ("environment", leaf(&deployment.environment)),
        ("environmentUrl", url(&status.environment_url)),
        ("logUrl", url(&status.log_url)),
        ("creator", Out::One(Thing::User(status.creator))),
        ("createdAt", leaf(status.created_at.to_string())),
        ("updatedAt", leaf(status.created_at.to_string())),
    ])
}

pub(super) fn environment(scope: &Scope, id: Id, name: &str) -> Given {
    let row = scope.world.environments.get(id).found()?;
    Ok(match name {
        "id" => leaf(node_id("EN", id)),
        "databaseId" => leaf(id),
        "name" => leaf(&row.name),
        _ => return unanswered("Environment", name),
    })
}

/// The environments that a job waits for.
pub(super) fn pending(scope: &Scope, check: &CheckRun) -> Out {
    let run = check.run.and_then(|run| scope.world.runs.get(run));
    let Some((run, wanted)) = run.zip(check.environment.as_ref()) else {
        return Out::NULL;
    };
    let mut waiting = run
        .waiting_for
        .iter()
        .filter_map(|id| scope.world.environments.get(*id));
    let Some(environment) = waiting.find(|environment| environment.name == *wanted) else {
        return Out::NULL;
    };
    Out::One(record(vec![
        ("environment", Out::One(Thing::Environment(environment.id))),
        (
            "currentUserCanApprove",
            leaf(may_approve(environment, run, scope.viewer)),
        ),
        ("waitTimer", leaf(environment.wait_timer)),
        ("waitTimerStartedAt", leaf(run.created_at.to_string())),
    ]))
}
