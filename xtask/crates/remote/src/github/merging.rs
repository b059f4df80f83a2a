//! Merging: what stands in the way, and the three ways in (at once, by the queue, when it is green).

use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use super::base_rules::BaseRef;
use super::check_contexts::{Nodes, PullCommit, Rollup};
use super::checks::{Check, label};
use super::pulls;
use super::repositories::{Name, User};
use crate::Error;
use crate::transport::{Method, Request};

/// What is asked about a pull request before it is merged; one page of checks.
const GATE: &str = "query Gate($owner: String!, $name: String!, $number: Int!, $base: String!, $cursor: String) {
  repository(owner: $owner, name: $name) {
    viewerPermission viewerDefaultMergeMethod
    squashMergeAllowed mergeCommitAllowed rebaseMergeAllowed autoMergeAllowed
    mergeQueue(branch: $base) { id }
    pullRequest(number: $number) {
      id number url title state isDraft headRefName headRefOid baseRefName
      mergeable mergeStateStatus reviewDecision
      isInMergeQueue mergeQueueEntry { position state }
      autoMergeRequest { mergeMethod }
      author { login }
      latestOpinionatedReviews(first: 100) { nodes { state author { login } commit { oid } } }
      reviewThreads(first: 100) { nodes { isResolved } }
      baseRef { refUpdateRule { requiredStatusCheckContexts } }
      commits(last: 1) { nodes { commit { oid statusCheckRollup {
        contexts(first: 100, after: $cursor) {
          pageInfo { hasNextPage endCursor }
          nodes { __typename
            ... on CheckRun { name status conclusion detailsUrl isRequired(pullRequestNumber: $number)
              checkSuite { workflowRun { event workflow { name } } } }
            ... on StatusContext { context state targetUrl isRequired(pullRequestNumber: $number) } } } } } } }
    }
  }
}";

/// A way to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A merge commit.
    Merge,
    /// One commit of all.
    Squash,
    /// The commits, on top of the base.
    Rebase,
}

impl Way {
    /// As REST calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Way::Merge => "merge",
            Way::Squash => "squash",
            Way::Rebase => "rebase",
        }
    }

    fn of(word: &str) -> Option<Way> {
        [Way::Merge, Way::Squash, Way::Rebase]
            .into_iter()
            .find(|way| way.as_str().eq_ignore_ascii_case(word))
    }
}

/// The last word of a reviewer.
#[derive(Debug, Clone)]
pub struct Review {
    /// Who; empty for an account that is gone.
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `DISMISSED`.
    pub state: String,
    /// The commit that was reviewed.
    pub sha: Option<String>,
}

/// What is known about a pull request that is to be merged.
#[derive(Debug, Clone)]
pub struct MergeFacts {
    /// Its id for GraphQL.
    pub id: String,
    pub number: u64,
    /// Its page.
    pub url: String,
    pub title: String,
    /// `OPEN`, `CLOSED` or `MERGED`.
    pub state: String,
    /// Whether it is still a draft.
    pub draft: bool,
    /// The branch that is merged.
    pub head: String,
    /// Its newest commit: all below is about this one.
    pub head_sha: String,
    pub base: String,
    /// Who opened it.
    pub author: String,
    /// `MERGEABLE`, `CONFLICTING` or, while GitHub has not looked yet, `UNKNOWN`.
    pub mergeable: String,
    /// `CLEAN`, `BLOCKED`, `BEHIND`, `DIRTY`, `UNSTABLE`, ….
    pub merge_state: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `REVIEW_REQUIRED`; `None` where no review is required.
    pub decision: Option<String>,
    /// The last word of each reviewer.
    pub reviews: Vec<Review>,
    /// Conversations that are not resolved.
    pub unresolved: usize,
    /// The checks of the newest commit.
    pub checks: Vec<Check>,
    /// The checks that the base's rules require, by name; also those that nothing has reported.
    pub required: Vec<String>,
    /// Whether the base has a merge queue.
    pub has_queue: bool,
    /// Its place in the queue, where it is in it.
    pub queue_position: Option<u64>,
    /// Whether it will be merged by itself once it may be.
    pub auto_merge: bool,
    /// Whether the repository lets pull requests be merged by themselves.
    pub auto_merge_allowed: bool,
    /// The ways that the repository allows, the usual one first.
    pub ways: Vec<Way>,
    /// Whether the token's owner may merge.
    pub may_merge: bool,
}

/// Reads everything that decides about a merge.
///
/// # Errors
/// Any [`Error`]; a status of 404 when there is no such pull request.
pub fn facts(github: &GitHub, name: &Name, number: u64, base: &str) -> Result<MergeFacts, Error> {
    let (mut cursor, mut facts): (Value, Option<MergeFacts>) = (Value::Null, None);
    loop {
        let variables = json!({
            "owner": name.owner, "name": name.name, "number": number, "base": base, "cursor": cursor,
        });
        let answer = github.query::<reply::Data>(GATE, &variables)?;
        let missing = || Error::Refused {
            call: "POST /graphql".to_owned(),
            status: 404,
            code: String::new(),
            message: answer.complaints.first().map_or_else(
                || format!("{name} has no pull request {number}"),
                |complaint| complaint.message.clone(),
            ),
            reasons: Vec::new(),
        };
        let repository = answer.data.repository.ok_or_else(missing)?;
        let (page, next) = repository.facts().ok_or_else(missing)?;
        let whole = match facts.take() {
            // A push between two pages: what was read is about another commit.
            Some(earlier) if earlier.head_sha != page.head_sha => {
                cursor = Value::Null;
                continue;
            }
            Some(mut earlier) => {
                earlier.checks.extend(page.checks);
                earlier
            }
            None => page,
        };
        match next {
            Some(next) if cursor != Value::String(next.clone()) => {
                (cursor, facts) = (Value::String(next), Some(whole));
            }
            _ => {
                let mut whole = whole;
                label(&mut whole.checks);
                return Ok(whole);
            }
        }
    }
}

/// The commit that a merge made.
#[derive(Debug, Clone, Deserialize)]
pub struct Merged {
    /// 40 hex digits.
    pub sha: String,
}

/// Merges, if `sha` is still the newest commit. Sent once: after an error that
/// [leaves it open](Error::leaves_open) look whether it is merged.
///
/// # Errors
/// Any [`Error`]; a status of 405 when it may not be merged, of 409 when `sha` is not the newest.
pub fn merge(
    github: &GitHub,
    name: &Name,
    number: u64,
    sha: &str,
    way: Way,
) -> Result<Merged, Error> {
    let path = format!("{}/merge", pulls::path(name, number));
    let body = json!({ "sha": sha, "merge_method": way.as_str() });
    github.call(&Request::new(Method::Put, path).json(&body).once())
}

/// Puts it into the base's merge queue, if `sha` is still the newest commit.
pub fn enqueue(github: &GitHub, id: &str, sha: &str) -> Result<(), Error> {
    const DOCUMENT: &str = "mutation Enqueue($id: ID!, $sha: GitObjectID!) {
        enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha}) {
            mergeQueueEntry { position }
        }
    }";
    github
        .mutate::<Value>(DOCUMENT, &json!({ "id": id, "sha": sha }))
        .map(drop)
}

/// Has it merged by itself once it may be, if `sha` is still the newest commit.
pub fn merge_when_ready(github: &GitHub, id: &str, sha: &str, way: Way) -> Result<(), Error> {
    const DOCUMENT: &str =
        "mutation Auto($id: ID!, $sha: GitObjectID!, $method: PullRequestMergeMethod!) {
        enablePullRequestAutoMerge(
            input: {pullRequestId: $id, expectedHeadOid: $sha, mergeMethod: $method}
        ) { pullRequest { autoMergeRequest { mergeMethod } } }
    }";
    let variables = json!({ "id": id, "sha": sha, "method": way.as_str().to_uppercase() });
    github.mutate::<Value>(DOCUMENT, &variables).map(drop)
}

/// The shape of the answer to [`GATE`].
mod reply {
    use super::{BaseRef, Deserialize, MergeFacts, Nodes, PullCommit, Review, Rollup, User, Way};

    #[derive(Deserialize)]
    pub(super) struct Data {
        pub(super) repository: Option<Repository>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(
        clippy::struct_excessive_bools,
        reason = "these are GitHub's own fields"
    )]
    pub(super) struct Repository {
        viewer_permission: Option<String>,
        viewer_default_merge_method: String,
        squash_merge_allowed: bool,
        merge_commit_allowed: bool,
        rebase_merge_allowed: bool,
        auto_merge_allowed: bool,
        merge_queue: Option<serde::de::IgnoredAny>,
        pull_request: Option<PullRequest>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PullRequest {
        id: String,
        number: u64,
        url: String,
        title: String,
        state: String,
        is_draft: bool,
        head_ref_name: String,
        head_ref_oid: String,
        base_ref_name: String,
        mergeable: String,
        merge_state_status: String,
        review_decision: Option<String>,
        merge_queue_entry: Option<QueueEntry>,
        auto_merge_request: Option<serde::de::IgnoredAny>,
        author: Option<User>,
        latest_opinionated_reviews: Option<Nodes<ReviewNode>>,
        review_threads: Nodes<Thread>,
        base_ref: Option<BaseRef>,
        commits: Nodes<PullCommit>,
    }

    #[derive(Deserialize)]
    struct QueueEntry {
        position: u64,
    }

    #[derive(Deserialize)]
    struct ReviewNode {
        state: String,
        author: Option<User>,
        commit: Option<Oid>,
    }

    #[derive(Deserialize)]
    struct Oid {
        oid: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Thread {
        is_resolved: bool,
    }

    impl Repository {
        /// What was asked for, and where its checks go on; `None` without the pull request.
        pub(super) fn facts(self) -> Option<(MergeFacts, Option<String>)> {
            let ways = self.ways();
            let pull = self.pull_request?;
            let rollup = pull.commits.seen().last();
            let rollup = rollup.and_then(|node| node.commit.status_check_rollup);
            let (checks, next) = rollup.map(Rollup::page).unwrap_or_default();
            let login = |user: Option<User>| user.map(|user| user.login).unwrap_or_default();
            let reviews = pull.latest_opinionated_reviews.into_iter();
            let review = |review: ReviewNode| Review {
                author: login(review.author),
                state: review.state,
                sha: review.commit.map(|commit| commit.oid),
            };
            let unresolved = pull.review_threads.seen();
            let facts = MergeFacts {
                id: pull.id,
                number: pull.number,
                url: pull.url,
                title: pull.title,
                state: pull.state,
                draft: pull.is_draft,
                head: pull.head_ref_name,
                head_sha: pull.head_ref_oid,
                base: pull.base_ref_name,
                author: login(pull.author),
                mergeable: pull.mergeable,
                merge_state: pull.merge_state_status,
                decision: pull.review_decision,
                reviews: reviews.flat_map(Nodes::seen).map(review).collect(),
                unresolved: unresolved.filter(|thread| !thread.is_resolved).count(),
                checks,
                required: pull
                    .base_ref
                    .as_ref()
                    .map(BaseRef::required_checks)
                    .unwrap_or_default(),
                has_queue: self.merge_queue.is_some(),
                queue_position: pull.merge_queue_entry.map(|entry| entry.position),
                auto_merge: pull.auto_merge_request.is_some(),
                auto_merge_allowed: self.auto_merge_allowed,
                ways,
                may_merge: matches!(
                    self.viewer_permission.as_deref(),
                    Some("WRITE" | "MAINTAIN" | "ADMIN")
                ),
            };
            Some((facts, next))
        }

        fn ways(&self) -> Vec<Way> {
            let usual = Way::of(&self.viewer_default_merge_method);
            let allowed = [
                (Way::Merge, self.merge_commit_allowed),
                (Way::Squash, self.squash_merge_allowed),
                (Way::Rebase, self.rebase_merge_allowed),
            ];
            let mut ways: Vec<Way> = allowed
                .into_iter()
                .filter_map(|(way, allowed)| allowed.then_some(way))
                .collect();
            ways.sort_by_key(|way| usual != Some(*way));
            ways
        }
    }
}
