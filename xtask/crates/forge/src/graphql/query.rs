//! The root of queries.

use super::object::{Args, Given, Out, Scope, Thing, leaf, record, unanswered};
use super::search;
use crate::refusal::Refusal;
use crate::view::parse_node_id;
use crate::world::{Id, UserKind};

pub(super) fn field(scope: &Scope, name: &str, args: &Args) -> Given {
    Ok(match name {
        "viewer" => Out::One(Thing::User(scope.viewer)),
        "user" => Out::One(account(scope, args, "User")?),
        "organization" => Out::One(account(scope, args, "Organization")?),
        "repository" => {
            let (owner, name) = (
                args.text("owner").unwrap_or_default(),
                args.text("name").unwrap_or_default(),
            );
            Out::One(repository(scope, owner, name)?)
        }
        "node" => Out::One(node(scope, args.text("id").unwrap_or_default())?),
        "nodes" => {
            let ids = args.texts("ids").unwrap_or_default();
            Out::list(
                ids.into_iter()
                    .map(|id| node(scope, id))
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        "search" => return search::search(scope, args),
        "rateLimit" => Out::One(rate_limit(scope)),
        "id" => leaf("RQ_kwF"),
        _ => return unanswered("Query", name),
    })
}

fn rate_limit(scope: &Scope) -> Thing {
    let used = scope.forge.request_log.count() % 5000;
    record(vec![
        ("cost", leaf(1)),
        ("limit", leaf(5000)),
        ("nodeCount", leaf(1)),
        ("remaining", leaf(5000 - used)),
        ("resetAt", leaf(scope.world.now().plus(3600).to_string())),
        ("used", leaf(used)),
    ])
}

fn unresolved(kind: &str, what: &str) -> Refusal {
    Refusal {
        message: format!("Could not resolve to {kind} with {what}."),
        ..Refusal::not_found()
    }
}

fn account(scope: &Scope, args: &Args, kind: &str) -> Result<Thing, Refusal> {
    let login = args.text("login").unwrap_or_default();
    let wants_organization = kind == "Organization";
    let found = scope
        .world
        .user_named(login)
        .filter(|user| (user.kind == UserKind::Organization) == wants_organization);
    let article = if wants_organization { "an" } else { "a" };
    found.map(|user| Thing::User(user.id)).ok_or_else(|| {
        unresolved(
            &format!("{article} {kind}"),
            &format!("the login of '{login}'"),
        )
    })
}

/// If the viewer may see it.
pub(super) fn repository(scope: &Scope, owner: &str, name: &str) -> Result<Thing, Refusal> {
    let found = scope
        .world
        .repo_named(owner, name)
        .filter(|repo| scope.permission(repo).is_some());
    found
        .map(|repo| Thing::Repo(repo.id))
        .ok_or_else(|| unresolved("a Repository", &format!("the name '{owner}/{name}'")))
}

/// By global id, if the viewer may see it.
pub(super) fn node(scope: &Scope, node: &str) -> Result<Thing, Refusal> {
    let unknown = || unresolved("a node", &format!("the global id of '{node}'"));
    let (kind, id) = parse_node_id(node).ok_or_else(unknown)?;
    let (thing, repo) = row(scope, kind, id).ok_or_else(unknown)?;
    let visible = match repo.and_then(|repo| scope.world.repos.get(repo)) {
        Some(repo) => scope.permission(repo).is_some(),
        None => matches!(thing, Thing::User(_)),
    };
    visible.then_some(thing).ok_or_else(unknown)
}

/// With the repository it belongs to.
fn row(scope: &Scope, kind: &str, id: Id) -> Option<(Thing, Option<Id>)> {
    let world = &scope.world;
    let repo_of_pull = |pull: Id| world.pulls.get(pull).map(|pull| pull.repo);
    Some(match kind {
        "U" => (Thing::User(world.users.get(id)?.id), None),
        "R" => (Thing::Repo(id), Some(world.repos.get(id)?.id)),
        "PR" => (Thing::Pull(id), Some(world.pulls.get(id)?.repo)),
        "IC" => (
            Thing::Comment(id),
            repo_of_pull(world.comments.get(id)?.pull),
        ),
        "PRR" => (Thing::Review(id), repo_of_pull(world.reviews.get(id)?.pull)),
        "PRRT" => (
            Thing::ReviewThread(id),
            repo_of_pull(world.threads.get(id)?.pull),
        ),
        "CR" => (Thing::Check(id), Some(world.checks.get(id)?.repo)),
        "CS" => (Thing::Suite(id), Some(world.suites.get(id)?.repo)),
        "SC" => (Thing::Status(id), Some(world.statuses.get(id)?.repo)),
        "WFR" => (Thing::Run(id), Some(world.runs.get(id)?.repo)),
        "W" => (Thing::Workflow(id), Some(world.workflows.get(id)?.repo)),
        "LA" => (Thing::Label(id), Some(world.labels.get(id)?.repo)),
        "DE" => (Thing::Deployment(id), Some(world.deployments.get(id)?.repo)),
        "EN" => (
            Thing::Environment(id),
            Some(world.environments.get(id)?.repo),
        ),
        _ => return None,
    })
}

pub(super) fn pull_named(scope: &Scope, name: &str) -> Result<Id, Refusal> {
    match node(scope, name)? {
        Thing::Pull(id) => Ok(id),
        _ => Err(unresolved(
            "a PullRequest",
            &format!("the global id of '{name}'"),
        )),
    }
}
