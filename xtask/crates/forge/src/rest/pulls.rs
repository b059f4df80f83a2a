//! Pull requests.

mod conversation;

use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::routing::{get, post, put};
use serde_json::json;

use super::shapes::{commit, file_change, pull as pull_shape, simple_pull, user};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::pull_requests::{
    MergeRequest, NewPull, PullUpdate, merge, open, request_reviewers, update,
};
use crate::refusal::{Found as _, Refusal};
use crate::world::{Id, MergeMethod, Permission, Pull};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/pulls", get(to(list)).post(to(create)))
        .route("/pulls/{number}", get(to(one)).patch(to(change)))
        .route(
            "/pulls/{number}/merge",
            put(to(merge_pull)).get(to(is_merged)),
        )
        .route("/pulls/{number}/commits", get(to(commits)))
        .route("/pulls/{number}/files", get(to(files)))
        .route(
            "/pulls/{number}/requested_reviewers",
            post(to(ask)).get(to(asked)).delete(to(unask)),
        )
        .merge(conversation::routes())
}

fn list(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let allowed =
        |name: &str, allowed: &[&'static str], default: &'static str| match call.query(name) {
            None => Ok(default),
            Some(value) => allowed
                .iter()
                .find(|one| **one == value)
                .copied()
                .ok_or_else(|| Refusal::field("PullRequest", "state", "invalid")),
        };
    let state = allowed("state", &["open", "closed", "all"], "open")?;
    let sort = allowed(
        "sort",
        &["created", "updated", "popularity", "long-running"],
        "created",
    )?;
    let newest_first = match call.query("direction") {
        Some(direction) => direction != "asc",
        None => {
            sort == "created" && call.query("sort").is_none()
                || call.query("sort") == Some("created")
        }
    };
    let head = call.query("head").and_then(|head| head.split_once(':'));
    let wanted = |pull: &&Pull| {
        let owner = pull
            .head_repo
            .and_then(|id| call.world.repos.get(id))
            .map(|repo| call.world.login(repo.owner));
        (state == "all" || pull.open == (state == "open"))
            && head.is_none_or(|(login, branch)| {
                owner.is_some_and(|owner| owner.eq_ignore_ascii_case(login))
                    && pull.head_ref == branch
            })
            && call.query("base").is_none_or(|base| pull.base_ref == base)
    };
    let mut pulls: Vec<&Pull> = call.world.pulls_of(repo.id).filter(wanted).collect();
    if sort == "updated" {
        pulls.sort_by_key(|pull| pull.updated_at);
    }
    if newest_first {
        pulls.reverse();
    }
    Reply::page(call, None, pulls, |pull| Ok(simple_pull(call, repo, pull)))
}

fn create(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let fields = call.fields();
    let (head, base) = (
        fields.required("head")?.to_owned(),
        fields.required("base")?.to_owned(),
    );
    let head_repo = match fields.text("head_repo")? {
        Some(name) => {
            let owner = head
                .split_once(':')
                .map_or(call.param("owner"), |(owner, _)| owner);
            let found = call
                .world
                .repo_named(owner, name)
                .ok_or_else(|| Refusal::field("PullRequest", "head", "invalid"))?;
            Some(found.id)
        }
        None => None,
    };
    let new = NewPull {
        title: fields.text("title")?.unwrap_or_default().to_owned(),
        body: fields.text("body")?.map(str::to_owned),
        head,
        head_repo,
        base,
        draft: fields.flag("draft")?.unwrap_or(false),
        maintainer_can_modify: fields.flag("maintainer_can_modify")?.unwrap_or(true),
    };
    let author = call.user()?;
    let id = call
        .forge
        .change(|world| open(world, &call.forge.git, repo.id, author, new))?;
    shown(call, id, StatusCode::CREATED)
}

fn shown(call: &Call, id: Id, status: StatusCode) -> Answer {
    let now = call.now();
    let pull = now.world.pulls.get(id).found()?;
    let repo = now.world.repos.get(pull.repo).found()?;
    Ok(Reply::with(status, pull_shape(&now, repo, pull)?))
}

fn one(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let accepts = call.header(ACCEPT).unwrap_or_default();
    if accepts.contains("diff") || accepts.contains("patch") {
        let diff = call
            .forge
            .git
            .diff(repo.id, &pull.base_sha, &pull.head_sha)?;
        return Ok(Reply::text(
            diff,
            "application/vnd.github.v3.diff; charset=utf-8",
        ));
    }
    shown(call, pull.id, StatusCode::OK)
}

fn change(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let user = call.user()?;
    if pull.author != user && call.world.permission(repo, user) < Some(Permission::Triage) {
        return Err(Refusal::not_accessible());
    }
    let fields = call.fields();
    let wanted = PullUpdate {
        title: fields.text("title")?.map(str::to_owned),
        body: fields.text("body")?.map(str::to_owned),
        base: fields.text("base")?.map(str::to_owned),
        open: fields
            .one_of("state", &["open", "closed"])?
            .map(|state| state == "open"),
        maintainer_can_modify: fields.flag("maintainer_can_modify")?,
    };
    call.forge
        .change(|world| update(world, &call.forge.git, pull.id, wanted))?;
    shown(call, pull.id, StatusCode::OK)
}

fn merge_pull(call: &Call) -> Answer {
    let (_, pull) = call.pull(Permission::Read)?;
    let fields = call.fields();
    let method = fields.one_of("merge_method", &["merge", "squash", "rebase"])?;
    let request = MergeRequest {
        by: call.user()?,
        method: method.and_then(MergeMethod::parse),
        sha: fields.text("sha")?.map(str::to_owned),
        title: fields.text("commit_title")?.map(str::to_owned),
        message: fields.text("commit_message")?.map(str::to_owned),
    };
    let sha = merge(&call.forge, pull.id, &request)?;
    Ok(Reply::json(
        json!({"sha": sha, "merged": true, "message": "Pull Request successfully merged"}),
    ))
}

fn is_merged(call: &Call) -> Answer {
    let (_, pull) = call.pull(Permission::Read)?;
    match pull.merged {
        Some(_) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        None => Err(Refusal::not_found()),
    }
}

fn commits(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let shas = call
        .forge
        .git
        .log(repo.id, &pull.base_sha, &pull.head_sha)?;
    Reply::page(call, None, shas, |sha| commit(call, repo, &sha))
}

fn files(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let files = call
        .forge
        .git
        .changes(repo.id, &pull.base_sha, &pull.head_sha)?;
    Reply::page(call, None, files, |file| {
        Ok(file_change(call, repo, &pull.head_sha, &file))
    })
}

fn asked(call: &Call) -> Answer {
    let (_, pull) = call.pull(Permission::Read)?;
    let users = pull.requested_reviewers.iter().map(|id| user(call, *id));
    Ok(Reply::json(
        json!({"users": users.collect::<Vec<_>>(), "teams": []}),
    ))
}

fn ask(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Read)?;
    let user = call.user()?;
    if pull.author != user && call.world.permission(repo, user) < Some(Permission::Write) {
        return Err(Refusal::not_accessible());
    }
    let (people, teams) = (
        call.fields().texts("reviewers")?,
        call.fields().texts("team_reviewers")?,
    );
    call.forge
        .change(|world| request_reviewers(world, pull.id, &people, &teams, false))?;
    let now = call.now();
    let pull = now.world.pulls.get(pull.id).found()?;
    Ok(Reply::created(simple_pull(&now, repo, pull)))
}

fn unask(call: &Call) -> Answer {
    let (repo, pull) = call.pull(Permission::Write)?;
    let people = call.fields().texts("reviewers")?;
    let ids: Vec<Id> = people
        .iter()
        .filter_map(|login| call.world.user_named(login))
        .map(|user| user.id)
        .collect();
    call.forge.change(|world| {
        let pull = world.pulls.edit(pull.id).found()?;
        pull.requested_reviewers
            .retain(|reviewer| !ids.contains(reviewer));
        Ok(())
    })?;
    let now = call.now();
    let pull = now.world.pulls.get(pull.id).found()?;
    Ok(Reply::json(simple_pull(&now, repo, pull)))
}
