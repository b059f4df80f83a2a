//! The shape of GitHub's answer, and what is taken out of it.

use serde::Deserialize;

use super::super::base_rules::BaseRef;
use super::super::check_contexts::{Commit, Named, Nodes, PullCommit, Rollup};
use super::super::repositories::Name;
use super::{BranchStatus, Candidate, IsOwn, Pull, Question, Rate};
use crate::Error;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply {
    rate_limit: Option<RateLimit>,
    head: Option<Parent>,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    cost: u64,
    remaining: u64,
    reset_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    name_with_owner: String,
    url: String,
    #[serde(default)]
    is_fork: bool,
    parent: Option<Parent>,
    default_branch_ref: Option<Named>,
    #[serde(rename = "ref")]
    branch: Option<Branch>,
    pull_requests: Nodes<PullRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    name_with_owner: String,
}

#[derive(Deserialize)]
struct Branch {
    target: Option<Commit>,
    compare: Option<Compare>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compare {
    ahead_by: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequest {
    number: u64,
    url: String,
    title: String,
    state: String,
    is_draft: bool,
    is_cross_repository: bool,
    head_ref_oid: String,
    base_ref_name: String,
    head_repository_owner: Option<Login>,
    author: Option<Login>,
    mergeable: String,
    merge_state_status: Option<String>,
    review_decision: Option<String>,
    #[serde(default)]
    is_in_merge_queue: Option<bool>,
    merge_queue_entry: Option<QueueEntry>,
    auto_merge_request: Option<AutoMerge>,
    review_requests: Option<Nodes<ReviewRequest>>,
    latest_reviews: Option<Nodes<Review>>,
    review_threads: Option<Nodes<Thread>>,
    base_ref: Option<BaseRef>,
    commits: Nodes<PullCommit>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
struct QueueEntry {
    position: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoMerge {
    merge_method: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewRequest {
    requested_reviewer: Option<Reviewer>,
}

#[derive(Deserialize)]
struct Reviewer {
    login: Option<String>,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Review {
    author: Option<Login>,
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    is_resolved: bool,
}

/// Takes a status out of an answer, with the cursor of the next page of checks.
pub(super) fn status(
    reply: Reply,
    complaints: Vec<String>,
    question: &Question,
    is_own: &IsOwn<'_>,
) -> Result<(BranchStatus, Option<String>), Error> {
    let Some(repository) = reply.repository else {
        return Err(Error::Refused {
            call: "POST /graphql".to_owned(),
            status: 404,
            code: "NOT_FOUND".to_owned(),
            message: complaints
                .into_iter()
                .next()
                .unwrap_or_else(|| format!("there is no repository {}", question.base)),
            reasons: Vec::new(),
        });
    };
    let branch = repository.branch;
    let behind = branch
        .as_ref()
        .and_then(|branch| Some(branch.compare.as_ref()?.ahead_by));
    let tip = branch.and_then(|branch| branch.target);
    let owners = owners(question, &repository.name_with_owner, reply.head.as_ref());
    let pull = of_branch(repository.pull_requests, &owners, is_own);
    let mut status = BranchStatus {
        repository: repository.name_with_owner,
        url: repository.url,
        parent: repository
            .parent
            .filter(|_| repository.is_fork)
            .and_then(|parent| Name::parse(&parent.name_with_owner)),
        default_branch: repository.default_branch_ref.map(|named| named.name),
        pushed: tip.as_ref().map(|tip| tip.oid.clone()),
        behind,
        rate: reply.rate_limit.map(|rate| Rate {
            cost: rate.cost,
            remaining: rate.remaining,
            reset_at: rate.reset_at,
        }),
        withheld: complaints,
        ..BranchStatus::default()
    };
    let rollup = match pull {
        Some(mut pull) => {
            status.required = pull
                .base_ref
                .as_ref()
                .map(BaseRef::required_checks)
                .unwrap_or_default();
            status.sha = Some(pull.head_ref_oid.clone());
            let commit = std::mem::take(&mut pull.commits.nodes);
            status.pull = Some(pulled(pull));
            commit
                .into_iter()
                .flatten()
                .map(|node| node.commit)
                // GitHub lists a commit of the time before for a moment after a push.
                .find(|commit| Some(&commit.oid) == status.sha.as_ref())
                .and_then(|commit| commit.status_check_rollup)
        }
        None => {
            status.sha = tip.as_ref().map(|tip| tip.oid.clone());
            tip.and_then(|tip| tip.status_check_rollup)
        }
    };
    let (checks, next) = rollup.map(Rollup::page).unwrap_or_default();
    status.checks = checks;
    Ok((status, next))
}

/// Whose the repositories are that the branch may be in, in their order: names that the clone has may be old.
fn owners(question: &Question, base_now: &str, first_now: Option<&Parent>) -> Vec<String> {
    let now = |(index, name): (usize, &Name)| {
        let told = match (name.is(&question.base), index) {
            (true, _) => Name::parse(base_now),
            (false, 0) => first_now.and_then(|now| Name::parse(&now.name_with_owner)),
            _ => None,
        };
        told.map_or_else(|| name.owner.clone(), |told| told.owner)
    };
    question.heads.iter().enumerate().map(now).collect()
}

/// The branch's own pull request, the open one before newer ones: the same name in another's fork is another
/// branch.
fn of_branch(
    pulls: Nodes<PullRequest>,
    owners: &[String],
    is_own: &IsOwn<'_>,
) -> Option<PullRequest> {
    let mut own: Vec<(bool, usize, PullRequest)> = pulls
        .seen()
        .filter_map(|pull| {
            let owner = &pull.head_repository_owner.as_ref()?.login;
            let place = owners
                .iter()
                .position(|one| one.eq_ignore_ascii_case(owner))?;
            let open = pull.state == "OPEN";
            let candidate = Candidate {
                first: place == 0,
                open,
                sha: &pull.head_ref_oid,
            };
            is_own(candidate).then_some((!open, place, pull))
        })
        .collect();
    own.sort_by_key(|(closed, place, _)| (*closed, *place));
    own.into_iter().next().map(|(_, _, pull)| pull)
}

fn pulled(pull: PullRequest) -> Pull {
    let threads = pull.review_threads;
    let looked_at = threads
        .as_ref()
        .map_or(0, |threads| threads.nodes.len() as u64);
    Pull {
        more_threads: threads
            .as_ref()
            .is_some_and(|threads| threads.total > looked_at),
        unresolved_threads: threads.map_or(0, |threads| {
            threads.seen().filter(|thread| !thread.is_resolved).count() as u64
        }),
        number: pull.number,
        url: pull.url,
        title: pull.title,
        state: pull.state,
        draft: pull.is_draft,
        from_fork: pull.is_cross_repository,
        author: pull.author.map(|author| author.login),
        sha: pull.head_ref_oid,
        base: pull.base_ref_name,
        mergeable: pull.mergeable,
        merge_state: pull.merge_state_status.unwrap_or_default(),
        review_decision: pull.review_decision,
        reviews: pull
            .latest_reviews
            .into_iter()
            .flat_map(Nodes::seen)
            .filter_map(|review| Some((review.author?.login, review.state)))
            .collect(),
        requested: pull
            .review_requests
            .into_iter()
            .flat_map(Nodes::seen)
            .filter_map(|request| {
                let reviewer = request.requested_reviewer?;
                reviewer.login.or(reviewer.slug)
            })
            .collect(),
        auto_merge: pull.auto_merge_request.map(|auto| auto.merge_method),
        queue_position: pull
            .merge_queue_entry
            .filter(|_| pull.is_in_merge_queue == Some(true))
            .map(|entry| entry.position.unwrap_or(0)),
        approvals_needed: pull.base_ref.and_then(|base| base.required_approvals()),
    }
}
