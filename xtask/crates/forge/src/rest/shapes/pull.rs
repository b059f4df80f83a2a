//! JSON of pull requests, reviews and comments.

use serde_json::{Value, json};

use super::{label, merge, repo as repo_shape, user};
use crate::pull_requests::{Mergeable, merge_state};
use crate::refusal::Refusal;
use crate::view::{View, node_id};
use crate::world::{Comment, Id, Permission, Pull, Repo, Review, Thread, World};

pub(crate) fn simple_pull(view: &View, repo: &Repo, pull: &Pull) -> Value {
    let api = view.repo_api(repo);
    let own = format!("{api}/pulls/{}", pull.number);
    let issue = format!("{api}/issues/{}", pull.number);
    let page = view.pull_page(pull);
    let statuses = format!("{api}/statuses/{}", pull.head_sha);
    let users = |ids: &[Id]| -> Value { ids.iter().map(|id| user(view, *id)).collect() };
    let labels = pull
        .labels
        .iter()
        .filter_map(|id| view.world.labels.get(*id));
    let mut shown = json!({
        "url": own,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "issue_url": issue,
        "number": pull.number,
        "state": if pull.open { "open" } else { "closed" },
        "locked": false,
        "active_lock_reason": null,
        "title": pull.title,
        "user": user(view, pull.author),
        "body": pull.body,
        "created_at": pull.created_at.to_string(),
        "updated_at": pull.updated_at.to_string(),
        "closed_at": pull.closed_at.map(|at| at.to_string()),
        "merged_at": pull.merged.as_ref().map(|merged| merged.at.to_string()),
        "merge_commit_sha": pull.merged.as_ref().map(|merged| merged.commit.clone()),
        "assignee": pull.assignees.first().map(|id| user(view, *id)),
        "assignees": users(&pull.assignees),
        "requested_reviewers": users(&pull.requested_reviewers),
        "requested_teams": [],
        "labels": labels.map(|row| label(view, repo, row)).collect::<Value>(),
        "milestone": null,
        "draft": pull.draft,
        "commits_url": format!("{own}/commits"),
        "review_comments_url": format!("{own}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
    });
    let more = json!({
        "head": head(view, pull),
        "base": {
            "label": format!("{}:{}", view.world.login(repo.owner), pull.base_ref),
            "ref": pull.base_ref,
            "sha": pull.base_sha,
            "user": user(view, repo.owner),
            "repo": repo_shape(view, repo),
        },
        "_links": {
            "self": {"href": own},
            "html": {"href": page},
            "issue": {"href": issue},
            "comments": {"href": format!("{issue}/comments")},
            "review_comments": {"href": format!("{own}/comments")},
            "review_comment": {"href": format!("{api}/pulls/comments{{/number}}")},
            "commits": {"href": format!("{own}/commits")},
            "statuses": {"href": statuses},
        },
        "author_association": association(&view.world, repo, pull.author),
        "auto_merge": auto_merge(view, pull),
    });
    merge(&mut shown, more);
    shown
}

fn head(view: &View, pull: &Pull) -> Value {
    let repo = pull.head_repo.and_then(|id| view.world.repos.get(id));
    let owner = repo.map_or("unknown", |repo| view.world.login(repo.owner));
    json!({
        "label": format!("{owner}:{}", pull.head_ref),
        "ref": pull.head_ref,
        "sha": pull.head_sha,
        "user": user(view, repo.map_or(pull.author, |repo| repo.owner)),
        "repo": repo.map(|repo| repo_shape(view, repo)),
    })
}

fn auto_merge(view: &View, pull: &Pull) -> Value {
    let Some(auto) = &pull.auto_merge else {
        return Value::Null;
    };
    json!({
        "enabled_by": user(view, auto.by),
        "merge_method": auto.method.name(),
        "commit_title": auto.title.clone().unwrap_or_default(),
        "commit_message": auto.message.clone().unwrap_or_default(),
    })
}

pub(crate) fn pull(view: &View, repo: &Repo, pull: &Pull) -> Result<Value, Refusal> {
    let merge_state = merge_state(&view.forge, &view.world, pull)?;
    let mut shown = simple_pull(view, repo, pull);
    let files = view
        .forge
        .git
        .changes(repo.id, &pull.base_sha, &pull.head_sha)?;
    let threads = view
        .world
        .threads
        .iter()
        .filter(|thread| thread.pull == pull.id)
        .count();
    let comments = view
        .world
        .comments
        .iter()
        .filter(|comment| comment.pull == pull.id)
        .count();
    let mergeable = match merge_state.mergeable {
        Mergeable::Yes => Some(true),
        Mergeable::Conflicting => Some(false),
        Mergeable::Unknown => None,
    };
    let more = json!({
        "merged": pull.merged.is_some(),
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": merge_state.state.to_lowercase(),
        "merged_by": pull.merged.as_ref().map(|merged| user(view, merged.by)),
        "comments": comments,
        "review_comments": threads,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": view.forge.git.distance(repo.id, &pull.base_sha, &pull.head_sha)?.ahead,
        "additions": files.iter().map(|file| file.additions).sum::<u64>(),
        "deletions": files.iter().map(|file| file.deletions).sum::<u64>(),
        "changed_files": files.len(),
    });
    merge(&mut shown, more);
    Ok(shown)
}

/// `author_association`.
pub(crate) fn association(world: &World, repo: &Repo, user: Id) -> &'static str {
    match repo.collaborators.get(&user) {
        _ if repo.owner == user => "OWNER",
        Some(permission) if *permission >= Permission::Triage => "COLLABORATOR",
        _ if world
            .pulls_of(repo.id)
            .any(|pull| pull.author == user && pull.merged.is_some()) =>
        {
            "CONTRIBUTOR"
        }
        _ => "NONE",
    }
}

pub(crate) fn review(view: &View, repo: &Repo, pull: &Pull, review: &Review) -> Value {
    let page = format!("{}#pullrequestreview-{}", view.pull_page(pull), review.id);
    let own = format!("{}/pulls/{}", view.repo_api(repo), pull.number);
    json!({
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": user(view, review.author),
        "body": review.body,
        "state": review.state.name(),
        "html_url": page,
        "pull_request_url": own,
        "author_association": association(&view.world, repo, review.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": own}},
        "submitted_at": review.submitted_at.to_string(),
        "commit_id": review.commit,
    })
}

pub(crate) fn comment(view: &View, repo: &Repo, pull: &Pull, comment: &Comment) -> Value {
    let api = view.repo_api(repo);
    json!({
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "url": format!("{api}/issues/comments/{}", comment.id),
        "html_url": format!("{}#issuecomment-{}", view.pull_page(pull), comment.id),
        "issue_url": format!("{api}/issues/{}", pull.number),
        "user": user(view, comment.author),
        "body": comment.body,
        "created_at": comment.created_at.to_string(),
        "updated_at": comment.updated_at.to_string(),
        "author_association": association(&view.world, repo, comment.author),
    })
}

pub(crate) fn remark(view: &View, repo: &Repo, pull: &Pull, thread: &Thread) -> Value {
    let own = format!("{}/pulls/{}", view.repo_api(repo), pull.number);
    let url = format!("{}/pulls/comments/{}", view.repo_api(repo), thread.id);
    let page = format!("{}#discussion_r{}", view.pull_page(pull), thread.id);
    json!({
        "id": thread.id,
        "node_id": node_id("PRRC", thread.id),
        "url": url,
        "pull_request_review_id": null,
        "diff_hunk": "",
        "path": thread.path,
        "line": thread.line,
        "side": "RIGHT",
        "commit_id": thread.commit,
        "original_commit_id": thread.commit,
        "user": user(view, thread.author),
        "body": thread.body,
        "created_at": thread.created_at.to_string(),
        "updated_at": thread.created_at.to_string(),
        "html_url": page,
        "pull_request_url": own,
        "author_association": association(&view.world, repo, thread.author),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": own}},
    })
}
