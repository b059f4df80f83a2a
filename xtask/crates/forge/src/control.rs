//! `/_forge/v1`: controls for the forge's owner. What GitHub's API can do is not repeated here.

mod runs;

use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::json;
use xtask_local_server::secret::{Secret, fingerprint};

use crate::call::{Answer, Call, Reply, Routes, to};
use crate::caller::Caller;
use crate::faults::Fault;
use crate::git::merge::Author;
use crate::pull_requests::{advance_queue, merge_what_waits, pushed};
use crate::refusal::{Found as _, Refusal};
use crate::rest::{NewRepo, make, permission_named};
use crate::world::{Access, Repo, Token, User, UserKind};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/status", get(to(status)))
        .route("/stop", post(to(stop)))
        .route("/users", post(to(create_user)))
        .route("/users/{login}/tokens", post(to(create_token)))
        .route("/users/{login}/sign-in", post(to(crate::pages::link)))
        .route("/repositories", post(to(create_repo)))
        .route("/repositories/{owner}/{repo}/permissions", post(to(permit)))
        .route("/repositories/{owner}/{repo}/commits", post(to(commit)))
        .route("/repositories/{owner}/{repo}/runs", post(to(runs::create)))
        .route(
            "/repositories/{owner}/{repo}/runs/{run}/jobs",
            post(to(runs::add_jobs)),
        )
        .route(
            "/repositories/{owner}/{repo}/jobs/{job}",
            post(to(runs::update)),
        )
        .route(
            "/repositories/{owner}/{repo}/dispatches",
            get(to(runs::dispatches)),
        )
        .route(
            "/repositories/{owner}/{repo}/queue/{*branch}",
            post(to(queue)),
        )
        .route("/clock", post(to(move_clock)))
        .route("/unknown-mergeability", post(to(unknown_mergeability)))
        .route("/faults", post(to(order)).delete(to(clear_faults)))
        .route("/requests", get(to(requests)).delete(to(clear_requests)))
}

/// Only for the forge's owner.
fn operator(call: &Call) -> Result<(), Refusal> {
    match call.caller {
        Caller::Operator => Ok(()),
        _ => Err(Refusal::not_found()),
    }
}

/// The repository in the path, without a check of permissions.
fn repo(call: &Call) -> Result<&Repo, Refusal> {
    operator(call)?;
    let found = call
        .world
        .repo_named(call.param("owner"), call.param("repo"));
    found.found()
}

fn status(call: &Call) -> Answer {
    operator(call)?;
    let world = &call.world;
    Ok(Reply::json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "url": call.forge.url,
        "time": world.now().to_string(),
        "users": world.users.iter().count(),
        "repositories": world.repos.iter().map(|repo| world.full_name(repo)).collect::<Vec<_>>(),
    })))
}

fn stop(call: &Call) -> Answer {
    operator(call)?;
    call.forge.stop.request();
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn create_user(call: &Call) -> Answer {
    operator(call)?;
    let fields = call.fields();
    let login = fields.required("login")?.to_owned();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '[' | ']');
    if login.is_empty() || !login.chars().all(allowed) {
        return Err(Refusal::field("User", "login", "invalid"));
    }
    let kind = match fields.one_of("kind", &["User", "Bot", "Organization"])? {
        Some("Bot") => UserKind::Bot,
        Some("Organization") => UserKind::Organization,
        _ => UserKind::User,
    };
    let (name, email) = (
        fields.text("name")?.map(str::to_owned),
        fields.text("email")?.map(str::to_owned),
    );
    let token = Secret::generate::<20>("ghp_").map_err(|error| Refusal::internal(&error))?;
    let id = call.forge.change(|world| {
        if world.user_named(&login).is_some() {
            return Err(Refusal::field("User", "login", "already_exists"));
        }
        let (id, created_at) = (world.next_id(), world.now());
        world.users.put(
            id,
            User {
                id,
                login: login.clone(),
                name,
                email,
                kind,
                created_at,
            },
        );
        add_token(world, id, &token, Access::Write, "repo, read:org, workflow");
        Ok(id)
    })?;
    Ok(Reply::created(
        json!({"id": id, "login": login, "token": token.expose()}),
    ))
}

fn add_token(
    world: &mut crate::world::World,
    user: i64,
    token: &Secret,
    access: Access,
    scopes: &str,
) {
    let row = Token {
        user,
        fingerprint: fingerprint(token.expose()),
        access,
        scopes: scopes.to_owned(),
    };
    let id = world.next_id();
    world.tokens.put(id, row);
}

fn create_token(call: &Call) -> Answer {
    operator(call)?;
    let user = call.world.user_named(call.param("login")).found()?.id;
    let fields = call.fields();
    let access = match fields.one_of("access", &["read", "write"])? {
        Some("read") => Access::Read,
        _ => Access::Write,
    };
    let scopes = fields.text("scopes")?.unwrap_or("repo, read:org, workflow");
    let token = Secret::generate::<20>("ghp_").map_err(|error| Refusal::internal(&error))?;
    call.forge.change(|world| {
        add_token(world, user, &token, access, scopes);
        Ok(())
    })?;
    Ok(Reply::created(json!({"token": token.expose()})))
}

fn create_repo(call: &Call) -> Answer {
    operator(call)?;
    let fields = call.fields();
    let owner = call.world.user_named(fields.required("owner")?).found()?.id;
    let parent = match fields.text("fork_of")? {
        Some(name) => {
            let (owner, name) = name.split_once('/').found()?;
            Some(call.world.repo_named(owner, name).found()?)
        }
        None => None,
    };
    let new = NewRepo {
        owner,
        name: fields.required("name")?.to_owned(),
        description: fields.text("description")?.map(str::to_owned),
        private: fields.flag("private")?.unwrap_or(false),
        default_branch: fields
            .text("default_branch")?
            .or(parent.map(|parent| parent.default_branch.as_str()))
            .unwrap_or("main")
            .to_owned(),
        parent: parent.map(|parent| parent.id),
    };
    let id = call
        .forge
        .change(|world| make(world, &call.forge.git, new))?;
    let world = call.forge.world();
    let repo = world.repos.get(id).found()?;
    Ok(Reply::created(
        json!({"id": id, "full_name": world.full_name(repo)}),
    ))
}

fn permit(call: &Call) -> Answer {
    let id = repo(call)?.id;
    let fields = call.fields();
    let user = call.world.user_named(fields.required("login")?).found()?.id;
    let permission = fields.required("permission")?;
    let permission = match permission {
        "none" => None,
        name => Some(
            permission_named(name)
                .ok_or_else(|| Refusal::field("Repository", "permission", "invalid"))?,
        ),
    };
    call.forge.change(|world| {
        let repo = world.repos.edit(id).found()?;
        match permission {
            Some(permission) => repo.collaborators.insert(user, permission),
            None => repo.collaborators.remove(&user),
        };
        Ok(())
    })?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// A commit of one file on top of a branch, which is created if missing.
fn commit(call: &Call) -> Answer {
    let repo = repo(call)?;
    let fields = call.fields();
    let (branch, path) = (fields.required("branch")?, fields.required("path")?);
    let user = call.world.user_named(fields.required("login")?).found()?;
    let content = fields.text("content")?.unwrap_or_default();
    let message = fields.text("message")?.unwrap_or("Change a file");
    let from = fields.text("from")?.map(str::to_owned);
    let git = &call.forge.git;
    let author = Author {
        name: user.name.as_deref().unwrap_or(&user.login),
        email: &user
            .email
            .clone()
            .unwrap_or_else(|| format!("{}@users.noreply.github.com", user.login)),
    };
    let sha = call.forge.change(|world| {
        let here = world.repos.get(repo.id).found()?;
        let start = from
            .as_deref()
            .or_else(|| here.branch(branch))
            .or_else(|| here.branch(&here.default_branch));
        let sha = git.commit_file(repo.id, start, path, content.as_bytes(), message, &author)?;
        git.update_ref(repo.id, &format!("refs/heads/{branch}"), &sha, None)?;
        pushed(world, git, repo.id, user.id)?;
        Ok(sha)
    })?;
    Ok(Reply::created(json!({"sha": sha})))
}

/// Merges the first entry of a branch's merge queue.
fn queue(call: &Call) -> Answer {
    let repo = repo(call)?;
    let merged = advance_queue(&call.forge, repo.id, call.param("branch"))?;
    Ok(Reply::json(json!({"merged": merged})))
}

fn move_clock(call: &Call) -> Answer {
    operator(call)?;
    let seconds = call.fields().number("seconds")?.unwrap_or(0);
    call.forge.change(|world| {
        world.edit_settings().clock_offset += seconds * 1000;
        Ok(())
    })?;
    merge_what_waits(&call.forge);
    Ok(Reply::json(
        json!({"time": call.forge.world().now().to_string()}),
    ))
}

fn unknown_mergeability(call: &Call) -> Answer {
    operator(call)?;
    let times = call
        .fields()
        .number("times")?
        .and_then(|times| u32::try_from(times).ok())
        .unwrap_or(1);
    call.forge.change(|world| {
        world.edit_settings().unknown_mergeability = times;
        Ok(())
    })?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn order(call: &Call) -> Answer {
    operator(call)?;
    let fault: Fault = serde_json::from_value(call.json().clone())
        .map_err(|error| Refusal::unprocessable(error.to_string()))?;
    call.forge.faults.order(fault);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn clear_faults(call: &Call) -> Answer {
    operator(call)?;
    call.forge.faults.clear();
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn requests(call: &Call) -> Answer {
    operator(call)?;
    Ok(Reply::json(
        json!({"requests": call.forge.request_log.all()}),
    ))
}

fn clear_requests(call: &Call) -> Answer {
    operator(call)?;
    call.forge.request_log.clear();
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
