//! Branches, refs and branch rules.

mod rules;

use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;

use super::shapes::{commit, git_ref, merge, protection_summary, short_branch};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::pull_requests::pushed;
use crate::refusal::{Found as _, Refusal};
use crate::world::{Permission, Repo};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/branches", get(to(list)))
        // Branch names may contain slashes.
        .route(
            "/branches/{*branch}",
            get(to(one))
                .put(to(rules::protect))
                .delete(to(rules::unprotect)),
        )
        .route("/rules/branches/{*branch}", get(to(rules::rules)))
        .route(
            "/rulesets",
            get(to(rules::rulesets)).post(to(rules::create_ruleset)),
        )
        .route("/git/ref/{*ref}", get(to(one_ref)))
        .route("/git/matching-refs/{*ref}", get(to(matching_refs)))
        .route("/git/refs", axum::routing::post(to(create_ref)))
        .route(
            "/git/refs/{*ref}",
            get(to(one_ref)).patch(to(move_ref)).delete(to(delete_ref)),
        )
}

fn list(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let wanted = call.query("protected").map(|text| text == "true");
    let branches: Vec<(&str, &str)> = repo
        .branches()
        .filter(|(name, _)| wanted.is_none_or(|wanted| repo.rules.contains_key(*name) == wanted))
        .collect();
    Reply::page(call, None, branches, |(name, sha)| {
        Ok(short_branch(call, repo, name, sha))
    })
}

fn one(call: &Call) -> Answer {
    let path = call.param("branch");
    if let Some(name) = path.strip_suffix("/protection") {
        return rules::show_protection(call, name);
    }
    if let Some(name) = path.strip_suffix("/protection/required_status_checks") {
        return rules::show_required_checks(call, name);
    }
    let repo = call.repo(Permission::Read)?;
    let sha = repo
        .branch(path)
        .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "Branch not found"))?;
    let mut shown = short_branch(call, repo, path, sha);
    let api = call.repo_api(repo);
    merge(
        &mut shown,
        json!({
            "commit": commit(call, repo, sha)?,
            "_links": {"self": format!("{api}/branches/{path}"), "html": format!("{}/tree/{path}", call.repo_page(repo))},
            "protection": protection_summary(repo.rules.get(path)),
        }),
    );
    Ok(Reply::json(shown))
}

fn one_ref(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let name = format!("refs/{}", call.param("ref"));
    let sha = repo.refs.get(&name).found()?;
    Ok(Reply::json(git_ref(&call.repo_api(repo), repo, &name, sha)))
}

fn matching_refs(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let start = format!("refs/{}", call.param("ref"));
    let refs: Vec<_> = repo
        .refs
        .iter()
        .filter(|(name, _)| name.starts_with(&start))
        .collect();
    let api = call.repo_api(repo);
    Reply::page(call, None, refs, |(name, sha)| {
        Ok(git_ref(&api, repo, name, sha))
    })
}

fn create_ref(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let name = call.fields().required("ref")?;
    if repo.refs.contains_key(name) {
        return Err(Refusal::unprocessable("Reference already exists"));
    }
    set_ref(call, repo, name, StatusCode::CREATED)
}

fn move_ref(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let name = format!("refs/{}", call.param("ref"));
    let old = repo
        .refs
        .get(&name)
        .ok_or_else(|| Refusal::unprocessable("Reference does not exist"))?;
    let new = call.fields().required("sha")?;
    let forced = call.fields().flag("force")?.unwrap_or(false);
    if !forced && !call.forge.git.is_ancestor(repo.id, old, new) {
        return Err(Refusal::unprocessable("Update is not a fast forward"));
    }
    set_ref(call, repo, &name, StatusCode::OK)
}

fn set_ref(call: &Call, repo: &Repo, name: &str, status: StatusCode) -> Answer {
    let sha = call.fields().required("sha")?;
    if !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/") {
        return Err(Refusal::unprocessable(
            "Reference name must start with 'refs/'.",
        ));
    }
    let sha = call
        .forge
        .git
        .resolve(repo.id, sha)
        .ok_or_else(|| Refusal::unprocessable("Object does not exist"))?;
    let user = call.user()?;
    call.forge.change(|world| {
        call.forge.git.update_ref(repo.id, name, &sha, None)?;
        pushed(world, &call.forge.git, repo.id, user)
    })?;
    Ok(Reply::with(
        status,
        git_ref(&call.repo_api(repo), repo, name, &sha),
    ))
}

fn delete_ref(call: &Call) -> Answer {
    let repo = call.repo(Permission::Write)?;
    let name = format!("refs/{}", call.param("ref"));
    if !repo.refs.contains_key(&name) {
        return Err(Refusal::unprocessable("Reference does not exist"));
    }
    let user = call.user()?;
    call.forge.change(|world| {
        call.forge.git.delete_ref(repo.id, &name)?;
        pushed(world, &call.forge.git, repo.id, user)
    })?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
