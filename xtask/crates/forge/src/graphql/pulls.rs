//! Pull requests.

use super::commits::{files, thing};
use super::object::{Args, Given, Out, Scope, Thing, leaf, record, record_of, unanswered};
use super::records::page;
use super::refs::branch_ref;
use super::repositories::labels;
use crate::git::FileChange;
use crate::pull_requests::{Mergeable, merge_state, review_decision};
use crate::rest::shapes::association;
use crate::view::node_id;
use crate::world::{Id, Permission, Pull, ReviewState};

pub(super) fn list(scope: &Scope, mut all: Vec<&Pull>, args: &Args) -> Given {
    let states = args.texts("states");
    let wanted_labels = args.texts("labels");
    let is = |name: &str, value: &str| args.text(name).is_none_or(|wanted| wanted == value);
    all.retain(|pull| {
        let mut labels = pull
            .labels
            .iter()
            .filter_map(|id| scope.world.labels.get(*id));
        states
            .as_ref()
            .is_none_or(|states| states.contains(&pull.state()))
            && is("headRefName", &pull.head_ref)
            && is("baseRefName", &pull.base_ref)
            && wanted_labels
                .as_ref()
                .is_none_or(|wanted| labels.any(|label| wanted.contains(&label.name.as_str())))
    });
    let order = args.object("orderBy");
    if order.text("field") == Some("UPDATED_AT") {
        all.sort_by_key(|pull| pull.updated_at);
    }
    if order.text("direction") == Some("DESC") {
        all.reverse();
    }
    page(all.into_iter().map(|pull| Thing::Pull(pull.id)), args)
}

pub(super) fn pull(scope: &Scope, id: Id, name: &str, args: &Args) -> Given {
    let pull = scope.pull(id)?;
    match said(scope, pull, name) {
        Some(out) => Ok(out),
        None => match lists(scope, pull, name, args) {
            Some(given) => given,
            None => computed(scope, pull, name),
        },
    }
}

fn said(scope: &Scope, pull: &Pull, name: &str) -> Option<Out> {
    let path = || scope.pull_page(pull);
    let time = |at: Option<crate::clock::Time>| leaf(at.map(|at| at.to_string()));
    let head_repo = pull.head_repo.and_then(|repo| scope.world.repos.get(repo));
    Some(match name {
        "id" => leaf(node_id("PR", pull.id)),
        "databaseId" => leaf(pull.id),
        "fullDatabaseId" => leaf(pull.id.to_string()),
        "number" => leaf(pull.number),
        "title" => leaf(&pull.title),
        "body" | "bodyText" => leaf(pull.body.clone().unwrap_or_default()),
        "url" => leaf(path()),
        "resourcePath" => leaf(path().trim_start_matches(&scope.links.web).to_owned()),
        "state" => leaf(pull.state()),
        "isDraft" => leaf(pull.draft),
        "closed" => leaf(!pull.open),
        "closedAt" => time(pull.closed_at),
        "merged" => leaf(pull.merged.is_some()),
        "mergedAt" => time(pull.merged.as_ref().map(|merged| merged.at)),
        "mergedBy" => Out::maybe(pull.merged.as_ref().map(|merged| Thing::User(merged.by))),
        "mergeCommit" => Out::maybe(
            pull.merged
                .as_ref()
                .map(|merged| thing(pull.repo, &merged.commit)),
        ),
        "createdAt" => time(Some(pull.created_at)),
        "updatedAt" => time(Some(pull.updated_at)),
        "author" => Out::One(Thing::User(pull.author)),
        "viewerDidAuthor" => leaf(pull.author == scope.viewer),
        "locked" => leaf(false),
        "milestone" | "potentialMergeCommit" => Out::NULL,
        "reactionGroups" => Out::Many(Vec::new()),
        "maintainerCanModify" => leaf(pull.maintainer_can_modify),
        "isCrossRepository" => leaf(pull.is_cross_repository()),
        "headRefName" => leaf(&pull.head_ref),
        "headRefOid" => leaf(&pull.head_sha),
        "headRepository" => Out::maybe(head_repo.map(|repo| Thing::Repo(repo.id))),
        "headRepositoryOwner" => Out::maybe(head_repo.map(|repo| Thing::User(repo.owner))),
        "headRef" => Out::maybe(head_repo.and_then(|repo| branch_ref(repo, &pull.head_ref))),
        "baseRefName" => leaf(&pull.base_ref),
        "baseRefOid" => leaf(&pull.base_sha),
        "baseRepository" | "repository" => Out::One(Thing::Repo(pull.repo)),
        "isInMergeQueue" => leaf(pull.queued.is_some()),
        "mergeQueueEntry" => Out::maybe(pull.queued.as_ref().map(|_| Thing::QueueEntry(pull.id))),
        _ => return None,
    })
}

fn lists(scope: &Scope, pull: &Pull, name: &str, args: &Args) -> Option<Given> {
    let world = &scope.world;
    let reviews = |kind: Vec<&crate::world::Review>| {
        let all = kind.into_iter().map(|review| Thing::Review(review.id));
        page(all, args)
    };
    Some(match name {
        "commits" => commits(scope, pull, args),
        "files" => files(scope, pull.repo, &pull.base_sha, &pull.head_sha, args),
        "comments" => {
            let all = world
                .comments
                .iter()
                .filter(|comment| comment.pull == pull.id)
                .map(|comment| Thing::Comment(comment.id));
            page(all, args)
        }
        "reviews" => {
            let states = args.texts("states");
            let author = args.text("author");
            let fits = |review: &&crate::world::Review| {
                review.pull == pull.id
                    && states
                        .as_ref()
                        .is_none_or(|states| states.contains(&review.state.name()))
                    && author.is_none_or(|author| world.login(review.author) == author)
            };
            reviews(world.reviews.iter().filter(fits).collect())
        }
        "latestReviews" => reviews(world.latest_reviews(pull.id)),
        "latestOpinionatedReviews" => {
            let repo = world.repos.get(pull.repo)?;
            let counts = |author: Id| {
                !args.flag("writersOnly")
                    || world.permission(repo, author) >= Some(Permission::Write)
            };
            let latest = world.latest_reviews(pull.id).into_iter();
            reviews(
                latest
                    .filter(|review| {
                        review.state != ReviewState::Commented && counts(review.author)
                    })
                    .collect(),
            )
        }
        "reviewThreads" => {
            let all = world
                .threads
                .iter()
                .filter(|thread| thread.pull == pull.id)
                .map(|thread| Thing::ReviewThread(thread.id));
            page(all, args)
        }
        "reviewRequests" => review_requests(scope, pull, args),
        "assignees" => page(pull.assignees.iter().copied().map(Thing::User), args),
        "labels" => labels(
            pull.labels
                .iter()
                .filter_map(|id| world.labels.get(*id))
                .collect(),
            args,
        ),
        _ => return None,
    })
}

fn commits(scope: &Scope, pull: &Pull, args: &Args) -> Given {
    let shas = scope
        .forge
        .git
        .log(pull.repo, &pull.base_sha, &pull.head_sha)?;
    let commit = |sha: &String| {
        let url = format!("{}/commits/{sha}", scope.pull_page(pull));
        record(vec![
            ("id", leaf(format!("PURC_kwF{}_{sha}", pull.id))),
            ("commit", Out::One(thing(pull.repo, sha))),
            ("pullRequest", Out::One(Thing::Pull(pull.id))),
            (
                "resourcePath",
                leaf(url.trim_start_matches(&scope.links.web)),
            ),
            ("url", leaf(&url)),
        ])
    };
    page(shas.iter().map(commit), args)
}

fn review_requests(scope: &Scope, pull: &Pull, args: &Args) -> Given {
    let owner = scope.repo(pull.repo)?.owner;
    let request = |id: String, reviewer: Thing| {
        record(vec![
            ("id", leaf(id)),
            ("asCodeOwner", leaf(false)),
            ("pullRequest", Out::One(Thing::Pull(pull.id))),
            ("requestedReviewer", Out::One(reviewer)),
        ])
    };
    let people = pull
        .requested_reviewers
        .iter()
        .map(|id| request(format!("RR_kwF{}_{id}", pull.id), Thing::User(*id)));
    let teams = pull.requested_teams.iter().map(|slug| {
        let team = record_of(
            "Team",
            vec![
                ("id", leaf(format!("T_kwF_{slug}"))),
                ("name", leaf(slug)),
                ("slug", leaf(slug)),
                ("organization", Out::One(Thing::User(owner))),
            ],
        );
        request(format!("RR_kwF{}_{slug}", pull.id), team)
    });
    page(people.chain(teams), args)
}

fn computed(scope: &Scope, pull: &Pull, name: &str) -> Given {
    let world = &scope.world;
    let repo = scope.repo(pull.repo)?;
    let permission = scope.permission(repo);
    let may_write = permission >= Some(Permission::Write);
    let changed = || {
        scope
            .forge
            .git
            .changes(pull.repo, &pull.base_sha, &pull.head_sha)
    };
    let sum = |files: Vec<FileChange>, of: fn(&FileChange) -> u64| {
        leaf(files.iter().map(of).sum::<u64>())
    };
    let queue = repo
        .rules
        .get(&pull.base_ref)
        .is_some_and(|rule| rule.merge_queue);
    Ok(match name {
        "mergeable" => leaf(match merge_state(&scope.forge, world, pull)?.mergeable {
            Mergeable::Yes => "MERGEABLE",
            Mergeable::Conflicting => "CONFLICTING",
            Mergeable::Unknown => "UNKNOWN",
        }),
        "mergeStateStatus" => leaf(merge_state(&scope.forge, world, pull)?.state),
        "reviewDecision" => leaf(review_decision(world, pull)),
        "authorAssociation" => leaf(association(world, repo, pull.author)),
        "additions" => sum(changed()?, |file| file.additions),
        "deletions" => sum(changed()?, |file| file.deletions),
        "changedFiles" => leaf(changed()?.len()),
        "baseRef" => Out::maybe(branch_ref(repo, &pull.base_ref)),
        "statusCheckRollup" => {
            let known = world.verdict(pull.repo, &pull.head_sha).is_some();
            Out::maybe(known.then(|| Thing::Rollup(pull.repo, pull.head_sha.clone())))
        }
        "isMergeQueueEnabled" => leaf(queue),
        "mergeQueue" => Out::maybe(queue.then(|| Thing::Queue(pull.repo, pull.base_ref.clone()))),
        "autoMergeRequest" => Out::maybe(pull.auto_merge.as_ref().map(|auto| {
            record(vec![
                ("authorEmail", Out::NULL),
                ("commitHeadline", leaf(&auto.title)),
                ("commitBody", leaf(&auto.message)),
                ("enabledAt", leaf(auto.at.to_string())),
                ("enabledBy", Out::One(Thing::User(auto.by))),
                ("mergeMethod", leaf(auto.method.name().to_ascii_uppercase())),
                ("pullRequest", Out::One(Thing::Pull(pull.id))),
            ])
        })),
        "viewerCanUpdate" => leaf(may_write || pull.author == scope.viewer),
        "viewerCanDeleteHeadRef" => leaf(
            may_write
                && !pull.open
                && !pull.is_cross_repository()
                && repo.branch(&pull.head_ref).is_some(),
        ),
        "viewerCanEnableAutoMerge" => leaf(
            may_write && pull.open && repo.merging.allow_auto_merge && pull.auto_merge.is_none(),
        ),
        "viewerCanDisableAutoMerge" => leaf(may_write && pull.auto_merge.is_some()),
        _ => return unanswered("PullRequest", name),
    })
}
