//! Check runs, suites, statuses, and rollups.

use super::commits::thing;
use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::query::pull_named;
use super::records::{page, page_with};
use super::{actions, counts};
use crate::pull_requests::is_required;
use crate::refusal::{Found as _, Refusal};
use crate::rest::shapes::{check_page, path_in_url, suite_state};
use crate::view::node_id;
use crate::world::{App, CheckRun, Id, Status, Step, Verdict};

/// GraphQL's spelling.
fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

fn state(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "SUCCESS",
        Verdict::Pending => "PENDING",
        Verdict::Failed => "FAILURE",
    }
}

pub(super) fn rollup(scope: &Scope, repo: Id, sha: &str, name: &str, args: &Args) -> Given {
    Ok(match name {
        "id" => leaf(format!("SCR_kwF{repo}_{sha}")),
        "commit" => Out::One(thing(repo, sha)),
        "state" => leaf(scope.world.verdict(repo, sha).map(state)),
        "contexts" => return contexts(scope, repo, sha, args),
        _ => return unanswered("StatusCheckRollup", name),
    })
}

fn contexts(scope: &Scope, repo: Id, sha: &str, args: &Args) -> Given {
    let checks = scope.world.checks_of(repo, sha);
    let statuses = scope.world.statuses_of(repo, sha);
    let check_states = checks
        .iter()
        .map(|check| check.conclusion.as_deref().unwrap_or(&check.status));
    let counted = |counts: Vec<(String, usize)>| {
        Out::list(counts.into_iter().map(|(name, count)| {
            record(vec![("state", leaf(upper(&name))), ("count", leaf(count))])
        }))
    };
    let extra = vec![
        ("checkRunCount", leaf(checks.len())),
        ("checkRunCountsByState", counted(counts(check_states))),
        ("statusContextCount", leaf(statuses.len())),
        (
            "statusContextCountsByState",
            counted(counts(statuses.iter().map(|status| status.state.as_str()))),
        ),
    ];
    let checks = checks.iter().map(|check| Thing::Check(check.id));
    let all = checks.chain(statuses.iter().map(|status| Thing::Status(status.id)));
    page_with(all, args, extra)
}

/// Whether a check is required for the pull request in the arguments.
fn required(scope: &Scope, args: &Args, repo: Id, name: &str) -> Given {
    let pull = match (args.text("pullRequestId"), args.number("pullRequestNumber")) {
        (Some(id), _) => scope.pull(pull_named(scope, id)?)?,
        (None, Some(number)) => scope.world.pull_numbered(repo, number).ok_or_else(|| {
            let message =
                format!("Could not resolve to a PullRequest with the number of {number}.");
            Refusal {
                message,
                ..Refusal::not_found()
            }
        })?,
        (None, None) => {
            return Err(Refusal::unprocessable(
                "Either `pullRequestId` or `pullRequestNumber` must be provided",
            ));
        }
    };
    Ok(leaf(is_required(&scope.world, pull, name)))
}

pub(super) fn check(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let world = &scope.world;
    let check = world.checks.get(id).found()?;
    let repo = scope.repo(check.repo)?;
    let page_of = || check_page(scope, repo, check);
    let time = |at: Option<crate::clock::Time>| leaf(at.map(|at| at.to_string()));
    Ok(match name {
        "id" => leaf(node_id("CR", id)),
        "databaseId" => leaf(id),
        "name" => leaf(&check.name),
        "status" => leaf(upper(&check.status)),
        "conclusion" => leaf(check.conclusion.as_deref().map(upper)),
        "startedAt" => time(check.started_at),
        "completedAt" => time(check.completed_at),
        "detailsUrl" => leaf(check.details_url.clone().unwrap_or_else(page_of)),
        "permalink" | "url" => leaf(page_of()),
        "resourcePath" => leaf(page_of().trim_start_matches(&scope.links.web).to_owned()),
        "externalId" => leaf(&check.external_id),
        "title" => leaf(&check.title),
        "summary" => leaf(&check.summary),
        "text" => leaf(&check.text),
        "isRequired" => return required(scope, args, check.repo, &check.name),
        "repository" => Out::One(Thing::Repo(check.repo)),
        "checkSuite" => Out::One(Thing::Suite(check.suite)),
        "steps" => {
            let wanted = args.number("number");
            let steps = check
                .steps
                .iter()
                .filter(|step| wanted.is_none_or(|number| number == u64::from(step.number)));
            return page(steps.map(step), args);
        }
        "annotations" => {
            let all = check
                .annotations
                .iter()
                .map(|annotation| annotation_record(scope, repo, check, annotation));
            return page(all, args);
        }
        "deployment" => {
            let into = |one: &crate::world::Deployment| {
                one.repo == check.repo
                    && one.sha == check.head_sha
                    && Some(&one.environment) == check.environment.as_ref()
            };
            Out::maybe(
                world
                    .deployments
                    .iter()
                    .rev()
                    .find(|one| into(one))
                    .map(|one| Thing::Deployment(one.id)),
            )
        }
        "pendingDeploymentRequest" => actions::pending(scope, check),
        _ => return unanswered("CheckRun", name),
    })
}

fn step(step: &Step) -> Thing {
    let took = step
        .started_at
        .zip(step.completed_at)
        .map(|(start, end)| end.seconds() - start.seconds());
    record(vec![
        ("name", leaf(&step.name)),
        ("number", leaf(step.number)),
        ("status", leaf(upper(&step.status))),
        ("conclusion", leaf(step.conclusion.as_deref().map(upper))),
        ("startedAt", leaf(step.started_at.map(|at| at.to_string()))),
        (
            "completedAt",
            leaf(step.completed_at.map(|at| at.to_string())),
        ),
        ("secondsToCompletion", leaf(took)),
        ("externalId", Out::NULL),
    ])
}

fn annotation_record(
    scope: &Scope,
    repo: &crate::world::Repo,
    check: &CheckRun,
    annotation: &crate::world::Annotation,
) -> Thing {
    let position = |line: u32| Out::One(record(vec![("line", leaf(line)), ("column", Out::NULL)]));
    let span = vec![
        ("start", position(annotation.start_line)),
        ("end", position(annotation.end_line)),
    ];
    let page = scope.repo_page(repo);
    record(vec![
        ("path", leaf(&annotation.path)),
        ("message", leaf(&annotation.message)),
        ("title", leaf(&annotation.title)),
        ("rawDetails", leaf(&annotation.raw_details)),
        ("annotationLevel", leaf(upper(&annotation.annotation_level))),
        ("location", Out::One(record(span))),
        (
            "blobUrl",
            leaf(format!(
                "{page}/blob/{}/{}",
                check.head_sha,
                path_in_url(&annotation.path)
            )),
        ),
        ("databaseId", Out::NULL),
    ])
}

pub(super) fn suite(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let world = &scope.world;
    let suite = world.suites.get(id).found()?;
    let checks = || -> Vec<&CheckRun> {
        let all = world.checks_of(suite.repo, &suite.head_sha);
        all.into_iter().filter(|check| check.suite == id).collect()
    };
    Ok(match name {
        "id" => leaf(node_id("CS", id)),
        "databaseId" => leaf(id),
        "createdAt" => leaf(suite.created_at.to_string()),
        "url" => leaf(format!(
            "{}/commit/{}/checks?check_suite_id={id}",
            scope.repo_page(scope.repo(suite.repo)?),
            suite.head_sha
        )),
        "status" => leaf(upper(suite_state(&checks()).0)),
        "conclusion" => leaf(suite_state(&checks()).1.map(upper)),
        "app" => Out::One(app(scope, &suite.app)),
        "branch" => {
            let branch = suite.head_branch.as_deref().unwrap_or_default();
            Out::maybe(super::refs::branch_ref(scope.repo(suite.repo)?, branch))
        }
        "commit" => Out::One(thing(suite.repo, &suite.head_sha)),
        "workflowRun" => Out::maybe(
            world
                .runs
                .find(|run| run.suite == id)
                .map(|run| Thing::Run(run.id)),
        ),
        "checkRuns" => {
            let filter = args.object("filterBy");
            let fits = |check: &&CheckRun| {
                filter
                    .text("checkName")
                    .is_none_or(|name| check.name == name)
            };
            let all = checks()
                .into_iter()
                .filter(fits)
                .map(|check| Thing::Check(check.id));
            return page(all, args);
        }
        _ => return unanswered("CheckSuite", name),
    })
}

fn app(scope: &Scope, app: &App) -> Thing {
    record(vec![
        ("id", leaf(node_id("A", app.id))),
        ("databaseId", leaf(app.id)),
        ("slug", leaf(&app.slug)),
        ("name", leaf(&app.name)),
        (
            "url",
            leaf(format!("{}/apps/{}", scope.links.web, app.slug)),
        ),
    ])
}

pub(super) fn status(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let status = scope.world.statuses.get(id).found()?;
    Ok(match name {
        "id" => leaf(node_id("SC", id)),
        "context" => leaf(&status.context),
        "state" => leaf(upper(&status.state)),
        "targetUrl" => leaf(&status.target_url),
        "description" => leaf(&status.description),
        "createdAt" => leaf(status.created_at.to_string()),
        "creator" => Out::One(Thing::User(status.creator)),
        "commit" => Out::One(thing(status.repo, &status.sha)),
        "isRequired" => return required(scope, args, status.repo, &status.context),
        _ => return unanswered("StatusContext", name),
    })
}

pub(super) fn combined(scope: &Scope, repo: Id, sha: &str, name: &str, args: &Args) -> Given {
    let all = scope.world.statuses_of(repo, sha);
    let verdicts = || all.iter().map(|status| status.verdict());
    Ok(match name {
        "id" => leaf(format!("S_kwF{repo}_{sha}")),
        "commit" => Out::One(thing(repo, sha)),
        "state" => leaf(match () {
            () if verdicts().any(|verdict| verdict == Verdict::Failed) => "FAILURE",
            () if verdicts().any(|verdict| verdict == Verdict::Pending) => "PENDING",
            () => "SUCCESS",
        }),
        "contexts" => Out::list(all.iter().map(|status| Thing::Status(status.id))),
        "context" => {
            let wanted = |status: &&&Status| Some(status.context.as_str()) == args.text("name");
            Out::maybe(
                all.iter()
                    .find(wanted)
                    .map(|status| Thing::Status(status.id)),
            )
        }
        _ => return unanswered("Status", name),
    })
}
