//! Repositories, their refs, rules, labels and merge queues.

use super::commits::object;
use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::query::node;
use super::records::page;
use super::refs::{branch_ref, ref_named, refs};
use super::{actions, pulls};
use crate::refusal::{Found as _, Refusal};
use crate::view::node_id;
use crate::world::{Id, Label, Permission, Repo, UserKind};

pub(super) fn repository(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let world = &scope.world;
    let repo = scope.repo(id)?;
    let full = world.full_name(repo);
    let merging = &repo.merging;
    Ok(match name {
        "id" => leaf(node_id("R", id)),
        "databaseId" => leaf(id),
        "name" => leaf(&repo.name),
        "nameWithOwner" => leaf(full),
        "description" => leaf(&repo.description),
        "owner" => Out::One(Thing::User(repo.owner)),
        "url" => leaf(scope.repo_page(repo)),
        "resourcePath" => leaf(format!("/{full}")),
        "sshUrl" => leaf(format!("git@github.com:{full}.git")),
        "homepageUrl" | "primaryLanguage" => Out::NULL,
        "createdAt" => leaf(repo.created_at.to_string()),
        "pushedAt" | "updatedAt" => leaf(repo.pushed_at.to_string()),
        "isPrivate" => leaf(repo.private),
        "visibility" => leaf(if repo.private { "PRIVATE" } else { "PUBLIC" }),
        "isFork" => leaf(repo.parent.is_some()),
        "parent" => Out::maybe(
            repo.parent
                .filter(|parent| world.repos.get(*parent).is_some())
                .map(Thing::Repo),
        ),
        "isEmpty" => leaf(repo.refs.is_empty()),
        "isInOrganization" => leaf(
            world
                .users
                .get(repo.owner)
                .is_some_and(|owner| owner.kind == UserKind::Organization),
        ),
        "isArchived" | "isTemplate" | "hasProjectsEnabled" | "hasWikiEnabled"
        | "allowUpdateBranch" => leaf(false),
        "hasIssuesEnabled" => leaf(true),
        "stargazerCount" => leaf(0),
        "forkCount" => leaf(world.forks(id).count()),
        "mergeCommitAllowed" => leaf(merging.allow_merge_commit),
        "squashMergeAllowed" => leaf(merging.allow_squash_merge),
        "rebaseMergeAllowed" => leaf(merging.allow_rebase_merge),
        "autoMergeAllowed" => leaf(merging.allow_auto_merge),
        "deleteBranchOnMerge" => leaf(merging.delete_branch_on_merge),
        "viewerDefaultMergeMethod" => leaf(default_method(repo)),
        "viewerPermission" => leaf(scope.permission(repo).map(permission_name)),
        "viewerCanAdminister" => leaf(scope.permission(repo) == Some(Permission::Admin)),
        "viewerDefaultCommitEmail" => leaf(
            world
                .users
                .get(scope.viewer)
                .and_then(|user| user.email.clone()),
        ),
        "viewerPossibleCommitEmails" => leaf(
            world
                .users
                .get(scope.viewer)
                .and_then(|user| user.email.clone())
                .into_iter()
                .collect::<Vec<_>>(),
        ),
        "forks" => return forks(scope, id, args),
        "assignableUsers" => return assignable(scope, repo, args),
        "defaultBranchRef" => Out::maybe(branch_ref(repo, &repo.default_branch)),
        "ref" => Out::maybe(ref_named(
            repo,
            args.text("qualifiedName").unwrap_or_default(),
        )),
        "refs" => return refs(repo, args),
        "object" => {
            let wanted = args
                .text("oid")
                .or_else(|| args.text("expression"))
                .unwrap_or_default();
            Out::maybe(object(scope, id, wanted)?)
        }
        "pullRequest" => return pull_numbered(scope, repo, args.number("number").unwrap_or(0)),
        "pullRequests" => return pulls::list(scope, world.pulls_of(id).collect(), args),
        "pullRequestTemplates" => templates(scope, repo),
        "label" => Out::maybe(
            world
                .labels
                .find(|label| label.repo == id && Some(label.name.as_str()) == args.text("name"))
                .map(|label| Thing::Label(label.id)),
        ),
        "labels" => {
            return labels(
                world
                    .labels
                    .iter()
                    .filter(|label| label.repo == id)
                    .collect(),
                args,
            );
        }
        "milestones" => return page(Vec::new(), args),
        "branchProtectionRules" => {
            let rules = repo.rules.iter().filter(|(_, rule)| rule.ruleset.is_none());
            let rules = rules.map(|(branch, _)| Thing::ProtectionRule(id, branch.clone()));
            return page(rules, args);
        }
        "mergeQueue" => {
            let branch = args.text("branch").unwrap_or(&repo.default_branch);
            let queued = repo.rules.get(branch).is_some_and(|rule| rule.merge_queue);
            Out::maybe(queued.then(|| Thing::Queue(id, branch.to_owned())))
        }
        "deployments" => {
            return actions::deployments(
                world
                    .deployments
                    .iter()
                    .filter(|one| one.repo == id)
                    .collect(),
                args,
            );
        }
        "environment" => Out::maybe(
            world
                .environments
                .find(|one| one.repo == id && Some(one.name.as_str()) == args.text("name"))
                .map(|one| Thing::Environment(one.id)),
        ),
        "environments" => {
            let all = world
                .environments
                .iter()
                .filter(|one| one.repo == id)
                .map(|one| Thing::Environment(one.id));
            return page(all, args);
        }
        _ => return unanswered("Repository", name),
    })
}

fn default_method(repo: &Repo) -> &'static str {
    match &repo.merging {
        merging if merging.allow_merge_commit => "MERGE",
        merging if merging.allow_squash_merge => "SQUASH",
        _ => "REBASE",
    }
}

fn permission_name(permission: Permission) -> &'static str {
    match permission {
        Permission::Read => "READ",
        Permission::Triage => "TRIAGE",
        Permission::Write => "WRITE",
        Permission::Maintain => "MAINTAIN",
        Permission::Admin => "ADMIN",
    }
}

fn forks(scope: &Scope, id: Id, args: &Args) -> Given {
    let affiliations = args.texts("affiliations");
    let close = |repo: &&Repo| match &affiliations {
        Some(wanted) => {
            wanted.contains(&"OWNER") && repo.owner == scope.viewer
                || wanted.contains(&"COLLABORATOR")
                    && repo.collaborators.contains_key(&scope.viewer)
        }
        None => scope.permission(repo).is_some(),
    };
    let all = scope
        .world
        .forks(id)
        .filter(close)
        .map(|fork| Thing::Repo(fork.id));
    super::records::page_with(all, args, vec![("totalDiskUsage", leaf(0))])
}

fn assignable(scope: &Scope, repo: &Repo, args: &Args) -> Given {
    let people = std::iter::once(repo.owner).chain(repo.collaborators.keys().copied());
    let wanted = args.text("query").unwrap_or_default().to_lowercase();
    let fits = |id: &Id| {
        let user = scope.world.users.get(*id);
        user.is_some_and(|user| {
            user.kind == UserKind::User && user.login.to_lowercase().contains(&wanted)
        })
    };
    page(people.filter(fits).map(Thing::User), args)
}

fn pull_numbered(scope: &Scope, repo: &Repo, number: u64) -> Given {
    match scope.world.pull_numbered(repo.id, number) {
        Some(pull) => Ok(Out::One(Thing::Pull(pull.id))),
        None => {
            let message =
                format!("Could not resolve to a PullRequest with the number of {number}.");
            Err(Refusal {
                message,
                ..Refusal::not_found()
            })
        }
    }
}

/// Pull request templates at GitHub's locations.
fn templates(scope: &Scope, repo: &Repo) -> Out {
    let Some(tip) = repo.branch(&repo.default_branch) else {
        return Out::Many(Vec::new());
    };
    let git = &scope.forge.git;
    let is_template = |name: &str| {
        name.to_ascii_lowercase()
            .starts_with("pull_request_template.")
    };
    let mut paths = Vec::new();
    for folder in ["", ".github", "docs"] {
        for (name, kind, _) in git.folder(repo.id, tip, folder) {
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            match kind.as_str() {
                "blob" if is_template(&name) => paths.push(path),
                "tree" if name.eq_ignore_ascii_case("pull_request_template") => {
                    let inner = git.folder(repo.id, tip, &path);
                    paths.extend(inner.into_iter().map(|(name, ..)| format!("{path}/{name}")));
                }
                _ => {}
            }
        }
    }
    let template = |path: &String| {
        let body = git.file(repo.id, tip, path)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Some(record(vec![("filename", leaf(path)), ("body", leaf(body))]))
    };
    Out::list(paths.iter().filter_map(template))
}

pub(super) fn labels(mut all: Vec<&Label>, args: &Args) -> Given {
    let order = args.object("orderBy");
    if order.text("field") == Some("NAME") {
        all.sort_by(|one, other| one.name.cmp(&other.name));
    }
    if order.text("direction") == Some("DESC") {
        all.reverse();
    }
    page(all.into_iter().map(|label| Thing::Label(label.id)), args)
}

pub(super) fn label(scope: &Scope, id: Id, name: &str) -> Given {
    let label = scope.world.labels.get(id).found()?;
    Ok(match name {
        "id" => leaf(node_id("LA", id)),
        "name" => leaf(&label.name),
        "color" => leaf(&label.color),
        "description" => leaf(&label.description),
        "isDefault" => leaf(false),
        "createdAt" => Out::NULL,
        _ => return unanswered("Label", name),
    })
}

pub(super) fn labels_named(scope: &Scope, names: &[&str]) -> Result<Vec<Id>, Refusal> {
    let label = |name: &&str| match node(scope, name)? {
        Thing::Label(id) => Ok(id),
        _ => Err(Refusal::not_found()),
    };
    names.iter().map(label).collect()
}
