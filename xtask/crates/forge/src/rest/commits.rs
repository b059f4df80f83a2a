//! Commits, comparisons and files.

use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::shapes::{commit, file_change, path_in_url};
use crate::call::{Answer, Call, Reply, Routes, to};
use crate::refusal::{Found as _, Refusal};
use crate::world::{Permission, Repo};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/commits", get(to(list)))
        // Ref names may contain slashes.
        .route("/commits/{*ref}", get(to(below)))
        .route("/compare/{*spec}", get(to(compare)))
        .route("/contents", get(to(contents)))
        .route("/contents/{*path}", get(to(contents)))
}

fn list(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let start = commit_named(
        call,
        repo,
        call.query("sha").unwrap_or(&repo.default_branch),
    )?;
    let shas = call.forge.git.history(repo.id, &start)?;
    Reply::page(call, None, shas, |sha| commit(call, repo, &sha))
}

/// A commit, or its checks and statuses.
fn below(call: &Call) -> Answer {
    let path = call.param("ref");
    let repo = call.repo(Permission::Read)?;
    for (suffix, handler) in super::checks::BELOW_A_COMMIT {
        if let Some(name) = path.strip_suffix(suffix) {
            return handler(call, repo, &commit_named(call, repo, name)?);
        }
    }
    let sha = commit_named(call, repo, path)?;
    if call
        .header(ACCEPT)
        .is_some_and(|accept| accept.contains("sha"))
    {
        return Ok(Reply::text(
            sha,
            "application/vnd.github.v3.sha; charset=utf-8",
        ));
    }
    let mut shown = commit(call, repo, &sha)?;
    let parent = call
        .forge
        .git
        .commit(repo.id, &sha)?
        .parents
        .first()
        .cloned();
    let files = match parent {
        Some(parent) => call.forge.git.changes(repo.id, &parent, &sha)?,
        None => Vec::new(),
    };
    let (added, removed) = files.iter().fold((0, 0), |sum, file| {
        (sum.0 + file.additions, sum.1 + file.deletions)
    });
    shown["stats"] = json!({"additions": added, "deletions": removed, "total": added + removed});
    shown["files"] = files
        .iter()
        .map(|file| file_change(call, repo, &sha, file))
        .collect();
    Ok(Reply::json(shown))
}

/// `BASE...HEAD`; the head may be `OWNER:BRANCH`.
fn compare(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let spec = call.param("spec");
    let (base_name, head_name) = spec.split_once("...").found()?;
    let find = |name: &str| find_in_network(call, repo, name).map_err(|_| Refusal::not_found());
    let (base, head) = (find(base_name)?, find(head_name)?);
    let git = &call.forge.git;
    let distance = git.distance(repo.id, &base, &head)?;
    let status = match (distance.ahead, distance.behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let show = |sha: &str| commit(call, repo, sha);
    let merge_base = distance.merge_base.as_deref().ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            format!("No common ancestor between {base_name} and {head_name}."),
        )
    })?;
    let commits: Result<Vec<Value>, Refusal> = git
        .log(repo.id, &base, &head)?
        .iter()
        .map(|sha| show(sha))
        .collect();
    let files = git.changes(repo.id, &base, &head)?;
    let files = files
        .iter()
        .map(|file| file_change(call, repo, &head, file));
    let page = format!("{}/compare/{}", call.repo_page(repo), path_in_url(spec));
    Ok(Reply::json(json!({
        "url": format!("{}/compare/{}", call.repo_api(repo), path_in_url(spec)),
        "html_url": page,
        "permalink_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "base_commit": show(&base)?,
        "merge_base_commit": show(merge_base)?,
        "status": status,
        "ahead_by": distance.ahead,
        "behind_by": distance.behind,
        "total_commits": distance.ahead,
        "commits": commits?,
        "files": files.collect::<Value>(),
    })))
}

/// A commit of this repository, or of a fork, whose objects are copied.
fn find_in_network(call: &Call, repo: &Repo, name: &str) -> Result<String, Refusal> {
    let Some((owner, branch)) = name.split_once(':') else {
        return commit_named(call, repo, name);
    };
    let owner = call.world.user_named(owner).found()?.id;
    if owner == repo.owner {
        return commit_named(call, repo, branch);
    }
    let related = |other: &crate::world::Repo| {
        other.owner == owner && call.world.root_of(other).id == call.world.root_of(repo).id
    };
    let other = call.world.repos.find(related).found()?;
    let sha = other.branch(branch).found()?;
    call.forge.git.bring(
        other.id,
        repo.id,
        sha,
        &format!("refs/network/{}", other.id),
    )?;
    Ok(sha.to_owned())
}

fn contents(call: &Call) -> Answer {
    let repo = call.repo(Permission::Read)?;
    let path = call.param("path").trim_matches('/');
    let sha = match call.query("ref") {
        Some(name) => commit_named(call, repo, name).map_err(|_| {
            Refusal::new(
                StatusCode::NOT_FOUND,
                format!("No commit found for the ref {name}"),
            )
        })?,
        None => repo
            .branch(&repo.default_branch)
            .map(str::to_owned)
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "This repository is empty."))?,
    };
    if let Some(content) = call.forge.git.file(repo.id, &sha, path) {
        if call
            .header(ACCEPT)
            .is_some_and(|accept| accept.contains("raw"))
        {
            return Ok(Reply::text(
                String::from_utf8_lossy(&content).into_owned(),
                "application/vnd.github.raw+json; charset=utf-8",
            ));
        }
        let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
        let entries = call.forge.git.folder(repo.id, &sha, folder);
        let name = path.rsplit('/').next().unwrap_or(path);
        let object = entries
            .iter()
            .find(|(entry, ..)| entry == name)
            .map(|(.., object)| object.as_str())
            .unwrap_or_default();
        let mut shown = entry(call, repo, &sha, path, "file", object);
        shown["size"] = content.len().into();
        shown["encoding"] = "base64".into();
        shown["content"] = STANDARD.encode(&content).into();
        return Ok(Reply::json(shown));
    }
    let entries = call.forge.git.folder(repo.id, &sha, path);
    if entries.is_empty() {
        return Err(Refusal::not_found());
    }
    let shown = entries.iter().map(|(name, kind, object)| {
        let full = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        entry(
            call,
            repo,
            &sha,
            &full,
            if kind == "tree" { "dir" } else { "file" },
            object,
        )
    });
    Ok(Reply::json(shown.collect()))
}

fn entry(call: &Call, repo: &Repo, sha: &str, path: &str, kind: &str, object: &str) -> Value {
    let api = call.repo_api(repo);
    let page = call.repo_page(repo);
    let url = format!("{api}/contents/{}?ref={sha}", path_in_url(path));
    let git = format!(
        "{api}/git/{}/{object}",
        if kind == "dir" { "trees" } else { "blobs" }
    );
    let html = format!(
        "{page}/{}/{sha}/{}",
        if kind == "dir" { "tree" } else { "blob" },
        path_in_url(path)
    );
    json!({
        "type": kind,
        "size": 0,
        "name": path.rsplit('/').next().unwrap_or(path),
        "path": path,
        "sha": object,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": (kind == "file").then(|| format!("{page}/raw/{sha}/{}", path_in_url(path))),
        "_links": {"self": url, "git": git, "html": html},
    })
}

/// The commit that a name in an address means.
pub(super) fn commit_named(call: &Call, repo: &Repo, name: &str) -> Result<String, Refusal> {
    let short = name.strip_prefix("heads/").unwrap_or(name);
    let branch = repo.branch(short).or_else(|| repo.branch(name));
    let found = branch
        .map(str::to_owned)
        .or_else(|| call.forge.git.resolve(repo.id, name));
    found.ok_or_else(|| Refusal::unprocessable(format!("No commit found for SHA: {name}")))
}
