//! Check runs, suites and statuses.

mod statuses;

use axum::routing::{get, post};

use super::commits::commit_named;
use super::shapes::{annotation, check_run, check_suite};
use crate::call::{Answer, Call, Fields, Reply, Routes, to};
use crate::pull_requests::merge_what_waits;
use crate::refusal::{Found as _, Refusal};
use crate::world::{Annotation, App, CheckRun, CheckSuite, Id, Permission, Repo, World};

type OfCommit = fn(&Call, &Repo, &str) -> Answer;

/// Suffixes of a commit's address, with their handlers.
pub(super) const BELOW_A_COMMIT: &[(&str, OfCommit)] = &[
    ("/check-runs", check_runs),
    ("/check-suites", check_suites),
    ("/statuses", statuses::statuses),
    ("/status", statuses::combined),
    ("/pulls", pulls),
];

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/check-runs", post(to(create)))
        .route("/check-runs/{check}", get(to(one)).patch(to(update)))
        .route("/check-runs/{check}/annotations", get(to(annotations)))
        .route("/check-suites/{suite}", get(to(one_suite)))
        .route("/check-suites/{suite}/check-runs", get(to(of_suite)))
        .route("/statuses/{sha}", post(to(statuses::create_status)))
}

fn check_runs(call: &Call, repo: &Repo, sha: &str) -> Answer {
    let all: Vec<&CheckRun> = match call.query("filter") {
        Some("all") => call
            .world
            .checks
            .iter()
            .filter(|check| check.repo == repo.id && check.head_sha == sha)
            .collect(),
        None | Some("latest") => call.world.checks_of(repo.id, sha),
        Some(_) => {
            return Err(Refusal::unprocessable(
                "Invalid request.\n\nFor 'query/filter', it is not a member of [\"latest\", \"all\"].",
            ));
        }
    };
    let wanted = |check: &&&CheckRun| {
        call.query("check_name")
            .is_none_or(|name| check.name == name)
            && call
                .query("status")
                .is_none_or(|status| check.status == status)
    };
    let all: Vec<&CheckRun> = all.iter().filter(wanted).copied().collect();
    Reply::page(call, Some("check_runs"), all, |check| {
        Ok(check_run(call, repo, check))
    })
}

fn check_suites(call: &Call, repo: &Repo, sha: &str) -> Answer {
    let all: Vec<&CheckSuite> = call.world.suites_of(repo.id, sha).collect();
    Reply::page(call, Some("check_suites"), all, |suite| {
        check_suite(call, repo, suite)
    })
}

fn pulls(call: &Call, repo: &Repo, sha: &str) -> Answer {
    let at = |pull: &&crate::world::Pull| {
        pull.head_sha == sha
            || pull
                .merged
                .as_ref()
                .is_some_and(|merged| merged.commit == sha)
    };
    let all: Vec<_> = call.world.pulls_of(repo.id).filter(at).collect();
    Reply::page(call, None, all, |pull| {
        Ok(super::shapes::simple_pull(call, repo, pull))
    })
}

fn find<'c>(call: &'c Call, repo: &Repo) -> Result<&'c CheckRun, Refusal> {
    call.row(&call.world.checks, "check", repo)
}

fn one(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(check_run(call, repo, find(call, repo)?)))
}

fn annotations(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let check = find(call, repo)?;
    Reply::page(call, None, &check.annotations, |row| {
        Ok(annotation(call, repo, check, row))
    })
}

fn suite<'c>(call: &'c Call, repo: &Repo) -> Result<&'c CheckSuite, Refusal> {
    call.row(&call.world.suites, "suite", repo)
}

fn one_suite(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    Ok(Reply::json(check_suite(call, repo, suite(call, repo)?)?))
}

fn of_suite(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let suite = suite(call, repo)?;
    let checks = call.world.checks_of(repo.id, &suite.head_sha);
    let checks: Vec<&CheckRun> = checks
        .into_iter()
        .filter(|check| check.suite == suite.id)
        .collect();
    Reply::page(call, Some("check_runs"), checks, |check| {
        Ok(check_run(call, repo, check))
    })
}

/// On GitHub only apps may create check runs; here everyone with write access.
fn create(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let fields = call.fields();
    let name = fields.required("name")?.to_owned();
    let sha = commit_named(call, repo, fields.required("head_sha")?)?;
    let app = app_of(call)?;
    let id = call.forge.change(|world| {
        let suite = suite_for(world, repo.id, &sha, &app);
        let id = world.next_id();
        let check = CheckRun {
            id,
            repo: repo.id,
            suite,
            attempt: 1,
            name,
            head_sha: sha,
            status: "queued".to_owned(),
            started_at: Some(world.now()),
            ..CheckRun::default()
        };
        world.checks.put(id, check);
        apply(world, id, &fields)?;
        Ok(id)
    })?;
    finish(call, id, true)
}

fn finish(call: &Call, id: Id, created: bool) -> Answer {
    merge_what_waits(&call.forge);
    let now = call.now();
    let check = now.world.checks.get(id).found()?;
    let repo = now.world.repos.get(check.repo).found()?;
    let shown = check_run(&now, repo, check);
    Ok(if created {
        Reply::created(shown)
    } else {
        Reply::json(shown)
    })
}

fn app_of(call: &Call) -> Result<App, Refusal> {
    let user = call.user()?;
    let slug = call.world.login(user).trim_end_matches("[bot]").to_owned();
    Ok(App {
        id: user,
        name: slug.clone(),
        slug,
    })
}

fn suite_for(world: &mut World, repo: Id, sha: &str, app: &App) -> Id {
    let known = world
        .suites_of(repo, sha)
        .find(|suite| suite.app == *app)
        .map(|suite| suite.id);
    known.unwrap_or_else(|| {
        let id = world.next_id();
        let branch = world
            .repos
            .get(repo)
            .and_then(|repo| repo.branches().find(|(_, tip)| *tip == sha))
            .map(|(name, _)| name.to_owned());
        let created_at = world.now();
        world.suites.put(
            id,
            CheckSuite {
                id,
                repo,
                head_sha: sha.to_owned(),
                head_branch: branch,
                app: app.clone(),
                created_at,
            },
        );
        id
    })
}

fn update(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let id = find(call, repo)?.id;
    let fields = call.fields();
    call.forge.change(|world| apply(world, id, &fields))?;
    finish(call, id, false)
}

const STATUSES: &[&str] = &[
    "queued",
    "in_progress",
    "completed",
    "waiting",
    "requested",
    "pending",
];
const CONCLUSIONS: &[&str] = &[
    "success",
    "failure",
    "neutral",
    "cancelled",
    "skipped",
    "timed_out",
    "action_required",
    "stale",
    "startup_failure",
];

/// Applies the fields of a request.
fn apply(world: &mut World, id: Id, fields: &Fields<'_>) -> Result<(), Refusal> {
    let now = world.now();
    let check = world.checks.edit(id).found()?;
    let text = |name: &str| fields.text(name).map(|text| text.map(str::to_owned));
    let time = |name: &str| {
        fields
            .text(name)
            .map(|text| text.and_then(crate::clock::Time::parse))
    };
    if let Some(status) = fields.one_of("status", STATUSES)? {
        check.status = status.to_owned();
        if status != "completed" {
            check.conclusion = None;
            check.completed_at = None;
        }
    }
    if let Some(conclusion) = fields.one_of("conclusion", CONCLUSIONS)? {
        check.conclusion = Some(conclusion.to_owned());
        check.status = "completed".to_owned();
        check.completed_at = Some(now);
    }
    if check.status == "completed" && check.conclusion.is_none() {
        return Err(Refusal::unprocessable(
            "Invalid request.\n\n\"conclusion\" wasn't supplied.",
        ));
    }
    check.name = text("name")?.unwrap_or_else(|| check.name.clone());
    check.started_at = time("started_at")?.or(check.started_at);
    check.completed_at = time("completed_at")?.or(check.completed_at);
    check.details_url = text("details_url")?.or_else(|| check.details_url.clone());
    check.external_id = text("external_id")?.unwrap_or_else(|| check.external_id.clone());
    let Some(output) = fields.object("output")? else {
        return Ok(());
    };
    check.title = output.text("title")?.map(str::to_owned);
    check.summary = output.text("summary")?.map(str::to_owned);
    check.text = output.text("text")?.map(str::to_owned);
    for annotation in output
        .any("annotations")
        .and_then(|list| list.as_array())
        .into_iter()
        .flatten()
    {
        let annotation: Annotation =
            serde_json::from_value(annotation.clone()).map_err(|error| {
                Refusal::unprocessable(format!(
                    "Invalid request.\n\nFor 'output/annotations', {error}."
                ))
            })?;
        check.annotations.push(annotation);
    }
    Ok(())
}
