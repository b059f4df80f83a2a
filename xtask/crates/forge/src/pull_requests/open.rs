//! Opening and editing pull requests.

use axum::http::StatusCode;

use crate::git::Git;
use crate::refusal::{Found as _, Problem, Refusal};
use crate::world::{Comment, Id, Permission, Pull, Repo, UserKind, World};

#[derive(Debug)]
pub(crate) struct NewPull {
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    /// `BRANCH`, or `OWNER:BRANCH`.
    pub(crate) head: String,
    /// Selects one of several forks of an owner.
    pub(crate) head_repo: Option<Id>,
    pub(crate) base: String,
    pub(crate) draft: bool,
    pub(crate) maintainer_can_modify: bool,
}

/// `None` leaves a field unchanged.
#[derive(Debug, Default)]
pub(crate) struct PullUpdate {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) open: Option<bool>,
    pub(crate) maintainer_can_modify: Option<bool>,
}

const RESOURCE: &str = "PullRequest";

/// GitHub's limits, characters.
const LONGEST_TITLE: usize = 256;
const LONGEST_BODY: usize = 65_536;

/// With GitHub's messages.
fn within_limits(title: Option<&str>, body: Option<&str>) -> Result<(), Refusal> {
    let fields = [
        ("title", title, LONGEST_TITLE),
        ("body", body, LONGEST_BODY),
    ];
    for (field, text, most) in fields {
        if text.is_some_and(|text| text.chars().count() > most) {
            let message = format!("{field} is too long (maximum is {most} characters)");
            return Err(Refusal::told(RESOURCE, Some(field), message));
        }
    }
    Ok(())
}

pub(crate) fn open(
    world: &mut World,
    git: &Git,
    repo: Id,
    author: Id,
    new: NewPull,
) -> Result<Id, Refusal> {
    let base_repo = world.repos.get(repo).found()?;
    if new.title.trim().is_empty() {
        return Err(Refusal::field(RESOURCE, "title", "missing_field"));
    }
    within_limits(Some(&new.title), new.body.as_deref())?;
    let (head_repo, branch) = head(world, base_repo, &new)?;
    let Some(head_sha) = head_repo.branch(branch).map(str::to_owned) else {
        return Err(Refusal::field(RESOURCE, "head", "invalid"));
    };
    let Some(base_sha) = base_repo.branch(&new.base).map(str::to_owned) else {
        return Err(Refusal::field(RESOURCE, "base", "invalid"));
    };
    let may_write = world.permission(head_repo, author) >= Some(Permission::Write)
        || world.permission(base_repo, author) >= Some(Permission::Write);
    if !may_write {
        return Err(Refusal::not_accessible());
    }
    let label = format!("{}:{branch}", world.login(head_repo.owner));
    let head_repo = head_repo.id;
    let same = |pull: &&Pull| {
        pull.open
            && pull.head_repo == Some(head_repo)
            && pull.head_ref == branch
            && pull.base_ref == new.base
    };
    if world.pulls_of(repo).any(|pull| same(&pull)) {
        let sentence = format!("A pull request already exists for {label}.");
        return Err(Refusal::custom(RESOURCE, sentence));
    }
    let number = base_repo.next_number;
    git.bring(
        head_repo,
        repo,
        &head_sha,
        &format!("refs/pull/{number}/head"),
    )?;
    if git.distance(repo, &base_sha, &head_sha)?.ahead == 0 {
        let sentence = format!("No commits between {} and {branch}", new.base);
        return Err(Refusal::custom(RESOURCE, sentence));
    }
    let now = world.now();
    let pull = Pull {
        id: world.next_id(),
        repo,
        number,
        title: new.title.clone(),
        body: new.body.clone().filter(|body| !body.is_empty()),
        author,
        open: true,
        draft: new.draft,
        head_repo: Some(head_repo),
        head_ref: branch.to_owned(),
        head_sha,
        base_ref: new.base.clone(),
        base_sha,
        maintainer_can_modify: new.maintainer_can_modify && head_repo != repo,
        requested_reviewers: Vec::new(),
        requested_teams: Vec::new(),
        assignees: Vec::new(),
        labels: Vec::new(),
        auto_merge: None,
        queued: None,
        created_at: now,
        updated_at: now,
        closed_at: None,
        merged: None,
    };
    if let Some(repo) = world.repos.edit(repo) {
        repo.next_number += 1;
    }
    let id = pull.id;
    world.pulls.put(id, pull);
    Ok(id)
}

/// Repository and branch of a `head`.
fn head<'w, 'n>(
    world: &'w World,
    base: &'w Repo,
    new: &'n NewPull,
) -> Result<(&'w Repo, &'n str), Refusal> {
    let invalid = || Refusal::field(RESOURCE, "head", "invalid");
    let (owner, branch) = match new.head.split_once(':') {
        Some((owner, branch)) => (Some(owner), branch),
        None => (None, new.head.as_str()),
    };
    if let Some(id) = new.head_repo {
        return Ok((world.repos.get(id).ok_or_else(invalid)?, branch));
    }
    let Some(owner) = owner else {
        return Ok((base, branch));
    };
    let owner = world.user_named(owner).ok_or_else(invalid)?.id;
    if owner == base.owner {
        return Ok((base, branch));
    }
    let mut network = world.repos.iter().filter(|repo| repo.id != base.id);
    let root = world.root_of(base).id;
    let related = |repo: &&Repo| repo.owner == owner && world.root_of(repo).id == root;
    let fork = network.find(related).ok_or_else(invalid)?;
    Ok((fork, branch))
}

pub(crate) fn update(
    world: &mut World,
    git: &Git,
    pull: Id,
    update: PullUpdate,
) -> Result<(), Refusal> {
    let current = world.pulls.get(pull).cloned().found()?;
    if update
        .title
        .as_ref()
        .is_some_and(|title| title.trim().is_empty())
    {
        return Err(Refusal::field(RESOURCE, "title", "missing_field"));
    }
    within_limits(update.title.as_deref(), update.body.as_deref())?;
    if update.open == Some(true) && !current.open {
        may_reopen(world, &current)?;
    }
    let base_sha = match update.base.as_deref() {
        Some(base) if base != current.base_ref => Some(new_base(world, git, &current, base)?),
        _ => None,
    };
    let now = world.now();
    let pull = world.pulls.edit(pull).found()?;
    if let Some(title) = update.title {
        pull.title = title;
    }
    if let Some(body) = update.body {
        pull.body = Some(body).filter(|body| !body.is_empty());
    }
    if let (Some(sha), Some(base)) = (base_sha, update.base) {
        pull.base_ref = base;
        pull.base_sha = sha;
    }
    if let Some(can) = update.maintainer_can_modify {
        pull.maintainer_can_modify = can;
    }
    if let Some(open) = update.open.filter(|open| *open != pull.open) {
        pull.open = open;
        pull.closed_at = (!open).then_some(now);
        pull.auto_merge = None;
        pull.queued = None;
    }
    pull.updated_at = now;
    Ok(())
}

fn may_reopen(world: &World, pull: &Pull) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::told(RESOURCE, Some("state"), message));
    if pull.merged.is_some() {
        return refuse("state cannot be changed. The pull request cannot be reopened.");
    }
    let head = pull.head_repo.and_then(|repo| world.repos.get(repo));
    if head.and_then(|repo| repo.branch(&pull.head_ref)).is_none() {
        return refuse(&format!(
            "state cannot be changed. The {} branch has been deleted.",
            pull.head_ref
        ));
    }
    Ok(())
}

fn new_base(world: &World, git: &Git, pull: &Pull, base: &str) -> Result<String, Refusal> {
    let repo = world.repos.get(pull.repo).found()?;
    let Some(sha) = repo.branch(base).map(str::to_owned) else {
        let message = Some(format!("Proposed base branch '{base}' was not found"));
        return Err(Refusal::invalid(Problem {
            resource: RESOURCE,
            field: Some("base"),
            code: "invalid",
            message,
        }));
    };
    if git.distance(repo.id, &sha, &pull.head_sha)?.ahead == 0 {
        let sentence = format!(
            "There are no new commits between base branch '{base}' and head branch '{}'",
            pull.head_ref
        );
        return Err(Refusal::custom(RESOURCE, sentence));
    }
    Ok(sha)
}

/// Converts to a draft, or marks as ready for review.
pub(crate) fn set_draft(world: &mut World, pull: Id, draft: bool) -> Result<(), Refusal> {
    let now = world.now();
    let pull = world.pulls.edit(pull).found()?;
    if !pull.open {
        return Err(Refusal::unprocessable("Pull request is closed"));
    }
    pull.draft = draft;
    pull.updated_at = now;
    Ok(())
}

/// With `replace`, other requests are removed.
pub(crate) fn request_reviewers(
    world: &mut World,
    pull: Id,
    logins: &[String],
    teams: &[String],
    replace: bool,
) -> Result<(), Refusal> {
    let (author, repo) = world
        .pulls
        .get(pull)
        .map(|pull| (pull.author, pull.repo))
        .found()?;
    let repo = world.repos.get(repo).found()?;
    let mut people = Vec::new();
    for login in logins {
        let user = world
            .user_named(login)
            .filter(|user| user.kind != UserKind::Organization);
        let Some(user) =
            user.filter(|user| user.id == repo.owner || repo.collaborators.contains_key(&user.id))
        else {
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.",
            ));
        };
        if user.id == author {
            return Err(Refusal::unprocessable(
                "Review cannot be requested from pull request author.",
            ));
        }
        people.push(user.id);
    }
    let now = world.now();
    let pull = world.pulls.edit(pull).found()?;
    if replace {
        pull.requested_reviewers.clear();
        pull.requested_teams.clear();
    }
    for person in people {
        if !pull.requested_reviewers.contains(&person) {
            pull.requested_reviewers.push(person);
        }
    }
    for team in teams {
        if !pull.requested_teams.contains(team) {
            pull.requested_teams.push(team.clone());
        }
    }
    pull.updated_at = now;
    Ok(())
}

pub(crate) fn add_comment(
    world: &mut World,
    pull: Id,
    author: Id,
    body: String,
) -> Result<Id, Refusal> {
    if body.trim().is_empty() {
        return Err(Refusal::field("IssueComment", "body", "missing_field"));
    }
    let now = world.now();
    let id = world.next_id();
    world.pulls.edit(pull).found()?.updated_at = now;
    world.comments.put(
        id,
        Comment {
            id,
            pull,
            author,
            body,
            created_at: now,
            updated_at: now,
        },
    );
    Ok(id)
}
