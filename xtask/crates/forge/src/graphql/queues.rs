//! Merge queues.

use super::commits::thing;
use super::object::{Args, Given, Out, Scope, Thing, leaf, unanswered};
use super::records::page;
use crate::refusal::Found as _;
use crate::view::node_id;
use crate::world::{Id, Pull};

/// In the order of the queue.
fn queued<'s>(scope: &'s Scope, repo: Id, branch: &str) -> Vec<&'s Pull> {
    let mut all: Vec<&Pull> = scope
        .world
        .pulls_of(repo)
        .filter(|pull| pull.base_ref == branch && pull.queued.is_some())
        .collect();
    all.sort_by_key(|pull| pull.queued.as_ref().map(|queued| queued.id));
    all
}

pub(super) fn queue(scope: &Scope, repo: Id, branch: &str, name: &str, args: &Args) -> Given {
    let path = format!(
        "/{}/queue/{branch}",
        scope.world.full_name(scope.repo(repo)?)
    );
    Ok(match name {
        "id" => leaf(format!("MQ_kwF{repo}_{branch}")),
        "url" => leaf(format!("{}{path}", scope.links.web)),
        "resourcePath" => leaf(path),
        "nextEntryEstimatedTimeToMerge" => leaf(60),
        "repository" => Out::One(Thing::Repo(repo)),
        "entries" => {
            let all = queued(scope, repo, branch)
                .into_iter()
                .map(|pull| Thing::QueueEntry(pull.id));
            return page(all, args);
        }
        _ => return unanswered("MergeQueue", name),
    })
}

pub(super) fn queue_entry(scope: &Scope, pull: Id, name: &str) -> Given {
    let pull = scope.pull(pull)?;
    let queued_now = pull.queued.as_ref().found()?;
    let place = queued(scope, pull.repo, &pull.base_ref)
        .iter()
        .position(|other| other.id == pull.id)
        .unwrap_or(0);
    let base = scope
        .repo(pull.repo)?
        .branch(&pull.base_ref)
        .map(|sha| thing(pull.repo, sha));
    Ok(match name {
        "id" => leaf(node_id("MQE", queued_now.id)),
        "position" => leaf(place + 1),
        "state" => leaf("AWAITING_CHECKS"),
        "enqueuedAt" => leaf(queued_now.at.to_string()),
        "enqueuer" => Out::One(Thing::User(queued_now.by)),
        "estimatedTimeToMerge" => leaf(60 * (place + 1)),
        "jump" | "solo" => leaf(false),
        "pullRequest" => Out::One(Thing::Pull(pull.id)),
        "mergeQueue" => Out::One(Thing::Queue(pull.repo, pull.base_ref.clone())),
        "headCommit" => Out::One(thing(pull.repo, &pull.head_sha)),
        "baseCommit" => Out::maybe(base),
        _ => return unanswered("MergeQueueEntry", name),
    })
}
