//! JSON of commits, comparisons and files.

use serde_json::{Value, json};

use super::user;
use crate::forge::Forge;
use crate::git::{Commit, FileChange, Signature};
use crate::refusal::Refusal;
use crate::view::{View, node_id};
use crate::world::{Id, Repo, World};

pub(crate) fn commit(view: &View, repo: &Repo, sha: &str) -> Result<Value, Refusal> {
    let commit = view.forge.git.commit(repo.id, sha)?;
    let api = view.repo_api(repo);
    let page = view.repo_page(repo);
    let parents = commit.parents.iter().map(|parent| {
        json!({"sha": parent, "url": format!("{api}/commits/{parent}"), "html_url": format!("{page}/commit/{parent}")})
    });
    let account =
        |signature: &Signature| account_of(&view.world, signature).map(|id| user(view, id));
    Ok(json!({
        "sha": commit.sha,
        "node_id": format!("C_kwF{}_{}", repo.id, commit.sha),
        "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{page}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": git_commit(&api, &commit),
        "author": account(&commit.author),
        "committer": account(&commit.committer),
        "parents": parents.collect::<Value>(),
    }))
}

fn git_commit(api: &str, commit: &Commit) -> Value {
    json!({
        "url": format!("{api}/git/commits/{}", commit.sha),
        "author": signature(&commit.author),
        "committer": signature(&commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree)},
        "comment_count": 0,
        "verification": {"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null},
    })
}

fn signature(signature: &Signature) -> Value {
    let date = crate::clock::Time::parse(&signature.date).unwrap_or_default();
    json!({"name": signature.name, "email": signature.email, "date": date.to_string()})
}

/// The account with a signature's e-mail address.
pub(crate) fn account_of(world: &World, signature: &Signature) -> Option<Id> {
    let known = world
        .users
        .find(|user| user.email.as_deref() == Some(signature.email.as_str()));
    let hidden = || {
        let name = signature.email.strip_suffix("@users.noreply.github.com")?;
        world.user_named(name.split_once('+').map_or(name, |(_, login)| login))
    };
    known.or_else(hidden).map(|user| user.id)
}

/// In a run or a suite.
pub(crate) fn simple_commit(forge: &Forge, repo: &Repo, sha: &str) -> Result<Value, Refusal> {
    let commit = forge.git.commit(repo.id, sha)?;
    let person = |signature: &Signature| json!({"name": signature.name, "email": signature.email});
    let date = crate::clock::Time::parse(&commit.committer.date).unwrap_or_default();
    Ok(json!({
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": date.to_string(),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
    }))
}

pub(crate) fn file_change(view: &View, repo: &Repo, sha: &str, file: &FileChange) -> Value {
    let page = view.repo_page(repo);
    json!({
        "sha": sha,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": format!("{page}/blob/{sha}/{}", path_in_url(&file.path)),
        "raw_url": format!("{page}/raw/{sha}/{}", path_in_url(&file.path)),
        "contents_url": format!("{}/contents/{}?ref={sha}", view.repo_api(repo), path_in_url(&file.path)),
    })
}

/// Escapes a path for an address.
pub(crate) fn path_in_url(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}

pub(crate) fn git_ref(api: &str, repo: &Repo, name: &str, sha: &str) -> Value {
    json!({
        "ref": name,
        "node_id": format!("{}_{name}", node_id("REF", repo.id)),
        "url": format!("{api}/git/{}", path_in_url(name)),
        "object": {"type": "commit", "sha": sha, "url": format!("{api}/git/commits/{sha}")},
    })
}
