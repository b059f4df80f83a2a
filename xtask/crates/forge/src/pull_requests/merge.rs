//! Merging: directly, automatically, or through a queue.

use axum::http::StatusCode;

use super::merge_state::merge_state;
use super::push::pushed;
use crate::forge::Forge;
use crate::git::merge::Author;
use crate::refusal::{Found as _, Refusal};
use crate::world::{AutoMerge, Id, MergeMethod, Merged, Permission, Pull, Queued, Repo, World};

#[derive(Debug, Clone)]
pub(crate) struct MergeRequest {
    pub(crate) by: Id,
    pub(crate) method: Option<MergeMethod>,
    pub(crate) sha: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
}

/// Answers the new commit of the base branch.
pub(crate) fn merge(forge: &Forge, pull: Id, request: &MergeRequest) -> Result<String, Refusal> {
    let before = forge.world();
    let pull = before.pulls.get(pull).found()?;
    let repo = before.repos.get(pull.repo).found()?;
    let method = check(forge, &before, repo, pull, request)?;
    let rule = before.rule(repo.id, &pull.base_ref);
    if rule.is_some_and(|rule| rule.merge_queue) {
        return Err(not_allowed("Changes must be made through the merge queue"));
    }
    forge.change(|world| land(forge, world, pull, method, request))
}

/// Whether it may be merged with this method.
fn check(
    forge: &Forge,
    world: &World,
    repo: &Repo,
    pull: &Pull,
    request: &MergeRequest,
) -> Result<MergeMethod, Refusal> {
    if world.permission(repo, request.by) < Some(Permission::Write) {
        return Err(Refusal::not_accessible());
    }
    if pull.merged.is_some() {
        return Err(not_allowed("Pull Request is already merged"));
    }
    if !pull.open {
        return Err(not_allowed("Pull Request is not mergeable"));
    }
    if request
        .sha
        .as_ref()
        .is_some_and(|sha| *sha != pull.head_sha)
    {
        let message = "Head branch was modified. Review and try the merge again.";
        return Err(Refusal::new(StatusCode::CONFLICT, message));
    }
    let merge_state = merge_state(forge, world, pull)?;
    if let Some(obstacle) = merge_state.obstacle {
        return Err(not_allowed(obstacle));
    }
    allowed_method(repo, request.method)
}

fn allowed_method(repo: &Repo, wanted: Option<MergeMethod>) -> Result<MergeMethod, Refusal> {
    let merging = &repo.merging;
    let method = wanted.unwrap_or(MergeMethod::Merge);
    let (allowed, name) = match method {
        MergeMethod::Merge => (merging.allow_merge_commit, "Merge commits"),
        MergeMethod::Squash => (merging.allow_squash_merge, "Squash merges"),
        MergeMethod::Rebase => (merging.allow_rebase_merge, "Rebase merges"),
    };
    if allowed {
        return Ok(method);
    }
    Err(not_allowed(format!(
        "{name} are not allowed on this repository."
    )))
}

fn not_allowed(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

/// Makes the commit, moves the branch, and closes the pull request.
fn land(
    forge: &Forge,
    world: &mut World,
    pull: &Pull,
    method: MergeMethod,
    request: &MergeRequest,
) -> Result<String, Refusal> {
    let Some(base) = world.tip(pull.repo, &pull.base_ref).map(str::to_owned) else {
        return Err(not_allowed("Base branch does not exist"));
    };
    let commit = match method {
        MergeMethod::Rebase => forge.git.rebase(pull.repo, &base, &pull.head_sha)?,
        MergeMethod::Merge | MergeMethod::Squash => {
            one_commit(forge, world, pull, &base, method, request)?
        }
    };
    let Some(commit) = commit else {
        return Err(not_allowed("Pull Request is not mergeable"));
    };
    let name = format!("refs/heads/{}", pull.base_ref);
    forge
        .git
        .update_ref(pull.repo, &name, &commit, Some(&base))?;
    let now = world.now();
    let row = world.pulls.edit(pull.id).found()?;
    row.open = false;
    row.closed_at = Some(now);
    row.updated_at = now;
    row.auto_merge = None;
    row.queued = None;
    row.merged = Some(Merged {
        at: now,
        by: request.by,
        commit: commit.clone(),
    });
    if world
        .repos
        .get(pull.repo)
        .is_some_and(|repo| repo.merging.delete_branch_on_merge)
        && !pull.is_cross_repository()
    {
        forge
            .git
            .delete_ref(pull.repo, &format!("refs/heads/{}", pull.head_ref))?;
    }
    pushed(world, &forge.git, pull.repo, request.by)?;
    Ok(commit)
}

fn one_commit(
    forge: &Forge,
    world: &World,
    pull: &Pull,
    base: &str,
    method: MergeMethod,
    request: &MergeRequest,
) -> Result<Option<String>, Refusal> {
    let Some(tree) = forge.git.merge_tree(pull.repo, base, &pull.head_sha)? else {
        return Ok(None);
    };
    let (title, message) = words(forge, world, pull, base, method)?;
    let title = request.title.clone().unwrap_or(title);
    let message = request.message.clone().unwrap_or(message);
    let text = match message.is_empty() {
        true => title,
        false => format!("{title}\n\n{message}"),
    };
    let (by, parents) = match method {
        MergeMethod::Squash => (pull.author, vec![base]),
        _ => (request.by, vec![base, pull.head_sha.as_str()]),
    };
    let user = world.users.get(by);
    let login = world.login(by);
    let name = user.and_then(|user| user.name.as_deref()).unwrap_or(login);
    let hidden = format!("{by}+{login}@users.noreply.github.com");
    let email = user
        .and_then(|user| user.email.as_deref())
        .unwrap_or(&hidden);
    let author = Author { name, email };
    Ok(Some(forge.git.commit_tree(
        pull.repo, &tree, &parents, &text, &author, None,
    )?))
}

/// Default title and body of the commit.
fn words(
    forge: &Forge,
    world: &World,
    pull: &Pull,
    base: &str,
    method: MergeMethod,
) -> Result<(String, String), Refusal> {
    if method == MergeMethod::Merge {
        let owner = pull.head_repo.and_then(|repo| world.repos.get(repo));
        let owner = owner.map_or("ghost", |repo| world.login(repo.owner));
        let title = format!(
            "Merge pull request #{} from {owner}/{}",
            pull.number, pull.head_ref
        );
        return Ok((title, pull.title.clone()));
    }
    let shas = forge.git.log(pull.repo, base, &pull.head_sha)?;
    let mut messages = Vec::new();
    for sha in &shas {
        messages.push(forge.git.commit(pull.repo, sha)?.message.clone());
    }
    let numbered = |title: &str| format!("{title} (#{})", pull.number);
    if let [message] = messages.as_slice() {
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        return Ok((numbered(subject), body.trim().to_owned()));
    }
    let list: Vec<String> = messages
        .iter()
        .map(|message| format!("* {message}"))
        .collect();
    Ok((numbered(&pull.title), list.join("\n\n")))
}

pub(crate) fn enable_auto_merge(
    forge: &Forge,
    pull: Id,
    request: &MergeRequest,
) -> Result<(), Refusal> {
    let world = forge.world();
    let row = world.pulls.get(pull).found()?;
    let repo = world.repos.get(row.repo).found()?;
    if !repo.merging.allow_auto_merge {
        return Err(Refusal::unprocessable(
            "Auto merge is not allowed for this repository",
        ));
    }
    if !row.open {
        return Err(Refusal::unprocessable("Pull request is closed"));
    }
    let state = merge_state(forge, &world, row)?.state;
    if matches!(state, "CLEAN" | "UNSTABLE") {
        return Err(Refusal::unprocessable(format!(
            "Pull request Pull request is in {} status",
            state.to_lowercase()
        )));
    }
    let method = allowed_method(repo, request.method)?;
    forge.change(|world| {
        let at = world.now();
        let row = world.pulls.edit(pull).found()?;
        let (title, message) = (request.title.clone(), request.message.clone());
        row.auto_merge = Some(AutoMerge {
            by: request.by,
            at,
            method,
            title,
            message,
        });
        row.updated_at = at;
        Ok(())
    })
}

pub(crate) fn enqueue(
    world: &mut World,
    pull: Id,
    by: Id,
    expected: Option<&str>,
) -> Result<(), Refusal> {
    let row = world.pulls.get(pull).cloned().found()?;
    let queue = world
        .rule(row.repo, &row.base_ref)
        .is_some_and(|rule| rule.merge_queue);
    if !queue {
        return Err(Refusal::unprocessable(
            "No merge queue found for this branch",
        ));
    }
    if expected.is_some_and(|sha| sha != row.head_sha) {
        return Err(Refusal::unprocessable(
            "Head branch was modified. Review and try the merge again.",
        ));
    }
    let (id, at) = (world.next_id(), world.now());
    let row = world.pulls.edit(pull).found()?;
    row.queued.get_or_insert(Queued { id, by, at });
    row.auto_merge = None;
    row.updated_at = at;
    Ok(())
}

/// Merges or enqueues pull requests whose auto-merge conditions have become true.
pub(crate) fn merge_what_waits(forge: &Forge) {
    loop {
        let world = forge.world();
        let mut waiting = world
            .pulls
            .iter()
            .filter(|pull| pull.open && pull.auto_merge.is_some());
        let Some(pull) = waiting.find(|pull| is_ready(forge, &world, pull)) else {
            return;
        };
        let Some(auto) = &pull.auto_merge else {
            return;
        };
        let queue = world
            .rule(pull.repo, &pull.base_ref)
            .is_some_and(|rule| rule.merge_queue);
        let (title, message) = (auto.title.clone(), auto.message.clone());
        let request = MergeRequest {
            by: auto.by,
            method: Some(auto.method),
            sha: None,
            title,
            message,
        };
        let done = forge.change(|world| match queue {
            true => enqueue(world, pull.id, auto.by, None),
            false => land(forge, world, pull, auto.method, &request).map(drop),
        });
        if let Err(refusal) = done {
            tracing::warn!(
                number = pull.number,
                message = refusal.message,
                "a waiting pull request was not merged"
            );
            return;
        }
    }
}

fn is_ready(forge: &Forge, world: &World, pull: &Pull) -> bool {
    merge_state(forge, world, pull)
        .is_ok_and(|merge_state| matches!(merge_state.state, "CLEAN" | "UNSTABLE"))
}

/// Merges the first entry of a branch's queue, as if its merge group had passed. Answers the pull request's number.
pub(crate) fn advance_queue(forge: &Forge, repo: Id, branch: &str) -> Result<Option<u64>, Refusal> {
    let world = forge.world();
    let queued = world
        .pulls_of(repo)
        .filter(|pull| pull.open && pull.base_ref == branch);
    let first = queued
        .filter_map(|pull| Some((pull.queued.as_ref()?, pull)))
        .min_by_key(|(queued, _)| queued.id);
    let Some((queued, pull)) = first else {
        return Ok(None);
    };
    if !is_ready(forge, &world, pull) {
        return Ok(None);
    }
    let request = MergeRequest {
        by: queued.by,
        method: None,
        sha: None,
        title: None,
        message: None,
    };
    forge.change(|world| land(forge, world, pull, MergeMethod::Merge, &request))?;
    Ok(Some(pull.number))
}
