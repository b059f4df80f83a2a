//! JSON of repositories, branches and rules.

use serde_json::{Value, json};

use super::user;
use crate::view::{View, node_id};
use crate::world::{BranchRule, Label, Repo};

/// Address fields: name, and path below the repository.
const ADDRESSES: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// With the fewest fields.
pub(crate) fn minimal_repo(view: &View, repo: &Repo) -> Value {
    let api = view.repo_api(repo);
    let mut shown = json!({
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": view.world.full_name(repo),
        "private": repo.private,
        "owner": user(view, repo.owner),
        "html_url": view.repo_page(repo),
        "description": repo.description,
        "fork": repo.parent.is_some(),
        "url": api,
    });
    for (name, rest) in ADDRESSES {
        shown[*name] = format!("{api}{rest}").into();
    }
    shown
}

/// Inside a pull request.
pub(crate) fn repo(view: &View, repo: &Repo) -> Value {
    let mut shown = minimal_repo(view, repo);
    let page = view.repo_page(repo);
    let full_name = view.world.full_name(repo);
    let forks = view.world.forks(repo.id).count();
    let issues = view
        .world
        .pulls_of(repo.id)
        .filter(|pull| pull.open)
        .count();
    let more = json!({
        "clone_url": format!("{page}.git"),
        "default_branch": repo.default_branch,
        "forks": forks,
        "forks_count": forks,
        "git_url": format!("git://github.com/{full_name}.git"),
        "has_downloads": false,
        "has_issues": true,
        "has_projects": false,
        "has_wiki": false,
        "has_pages": false,
        "has_discussions": false,
        "homepage": null,
        "language": null,
        "archived": false,
        "disabled": false,
        "mirror_url": null,
        "open_issues": issues,
        "open_issues_count": issues,
        "license": null,
        "pushed_at": repo.pushed_at.to_string(),
        "size": 1,
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "stargazers_count": 0,
        "svn_url": page,
        "watchers": 0,
        "watchers_count": 0,
        "created_at": repo.created_at.to_string(),
        "updated_at": repo.pushed_at.to_string(),
        "visibility": if repo.private { "private" } else { "public" },
        "topics": [],
        "allow_forking": true,
        "is_template": false,
        "web_commit_signoff_required": false,
    });
    merge(&mut shown, more);
    shown
}

pub(crate) fn full_repo(view: &View, row: &Repo, permissions: Value) -> Value {
    let mut shown = repo(view, row);
    let merging = &row.merging;
    let more = json!({
        "network_count": view.world.forks(row.id).count(),
        "subscribers_count": 0,
        "permissions": permissions,
        "allow_merge_commit": merging.allow_merge_commit,
        "allow_squash_merge": merging.allow_squash_merge,
        "allow_rebase_merge": merging.allow_rebase_merge,
        "allow_auto_merge": merging.allow_auto_merge,
        "delete_branch_on_merge": merging.delete_branch_on_merge,
        "allow_update_branch": false,
    });
    merge(&mut shown, more);
    if let Some(parent) = row.parent.and_then(|parent| view.world.repos.get(parent)) {
        shown["parent"] = repo(view, parent);
        shown["source"] = repo(view, view.world.root_of(parent));
    }
    shown
}

/// Adds the fields of one object to another.
pub(crate) fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

pub(crate) fn label(view: &View, repo: &Repo, label: &Label) -> Value {
    json!({
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": format!("{}/labels/{}", view.repo_api(repo), label.name),
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "default": false,
    })
}

pub(crate) fn short_branch(view: &View, repo: &Repo, name: &str, sha: &str) -> Value {
    let api = view.repo_api(repo);
    let rule = repo.rules.get(name);
    json!({
        "name": name,
        "commit": {"sha": sha, "url": format!("{api}/commits/{sha}")},
        "protected": rule.is_some(),
        "protection": protection_summary(rule),
        "protection_url": format!("{api}/branches/{name}/protection"),
    })
}

/// For everyone.
pub(crate) fn protection_summary(rule: Option<&BranchRule>) -> Value {
    let contexts = rule
        .map(|rule| rule.required_checks.as_slice())
        .unwrap_or_default();
    let level = match rule {
        Some(rule) if rule.enforce_admins => "everyone",
        Some(_) if !contexts.is_empty() => "non_admins",
        _ => "off",
    };
    json!({
        "enabled": rule.is_some(),
        "required_status_checks": {"enforcement_level": level, "contexts": contexts, "checks": checks(contexts)},
    })
}

pub(crate) fn checks(contexts: &[String]) -> Value {
    contexts
        .iter()
        .map(|context| json!({"context": context, "app_id": null}))
        .collect()
}

/// For administrators.
pub(crate) fn protection(api: &str, branch: &str, rule: &BranchRule) -> Value {
    let url = format!("{api}/branches/{branch}/protection");
    let mut shown = json!({
        "url": url,
        "enforce_admins": {"url": format!("{url}/enforce_admins"), "enabled": rule.enforce_admins},
        "required_linear_history": {"enabled": false},
        "allow_force_pushes": {"enabled": false},
        "allow_deletions": {"enabled": false},
        "block_creations": {"enabled": false},
        "required_conversation_resolution": {"enabled": rule.resolve_threads},
        "lock_branch": {"enabled": false},
        "allow_fork_syncing": {"enabled": false},
        "required_signatures": {"url": format!("{url}/required_signatures"), "enabled": false},
    });
    if !rule.required_checks.is_empty() || rule.strict {
        let url = format!("{url}/required_status_checks");
        shown["required_status_checks"] = json!({
            "url": url,
            "contexts_url": format!("{url}/contexts"),
            "strict": rule.strict,
            "contexts": rule.required_checks,
            "checks": checks(&rule.required_checks),
        });
    }
    if let Some(count) = rule.required_approvals {
        shown["required_pull_request_reviews"] = json!({
            "url": format!("{url}/required_pull_request_reviews"),
            "dismiss_stale_reviews": rule.dismiss_stale,
            "require_code_owner_reviews": rule.code_owners,
            "require_last_push_approval": false,
            "required_approving_review_count": count,
        });
    }
    shown
}
