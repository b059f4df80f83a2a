use super::super::checks::State;
use super::*;

fn check(name: &str, started_at: &str, state: State) -> Check {
    Check {
        name: name.to_owned(),
        label: name.to_owned(),
        workflow: None,
        event: None,
        state,
        word: String::new(),
        required: None,
        started_at: Some(started_at.to_owned()),
        completed_at: None,
        url: None,
        job: None,
        run: None,
        summary: None,
    }
}

fn question() -> Question {
    Question {
        base: Name::parse("acme/fares").unwrap(),
        heads: vec![Name::parse("ann/fares").unwrap()],
        branch: "cents".to_owned(),
        into: "main".to_owned(),
        pull: None,
    }
}

fn pull(number: u64, owner: &str, state: &str) -> serde_json::Value {
    let nodes = json!([null, {"__typename": "Invented"},
                {"__typename": "CheckRun", "databaseId": 5, "name": "a", "status": "COMPLETED",
                 "conclusion": "STARTUP_FAILURE", "startedAt": null, "completedAt": null, "detailsUrl": null,
                 "title": null, "summary": null, "checkSuite": {"app": {"slug": "other"}, "workflowRun": null}},
                {"__typename": "StatusContext", "context": "old", "state": "EXPECTED", "targetUrl": null,
                 "description": null, "createdAt": null}]);
    json!({
        "number": number, "url": "", "title": "t", "state": state, "isDraft": false,
        "isCrossRepository": true, "headRefOid": format!("{number}"), "baseRefName": "main",
        "headRepositoryOwner": {"login": owner}, "author": null, "mergeable": "UNKNOWN",
        "mergeStateStatus": "UNKNOWN", "reviewDecision": null, "isInMergeQueue": false,
        "mergeQueueEntry": null, "autoMergeRequest": null,
        "reviewRequests": {"nodes": [{"requestedReviewer": {"__typename": "Team", "slug": "mlops"}}, null]},
        "latestReviews": {"nodes": [{"author": null, "state": "APPROVED"}]},
        "reviewThreads": {"totalCount": 120, "nodes": [{"isResolved": false}, {"isResolved": true}]},
        "baseRef": {"refUpdateRule": {"requiredApprovingReviewCount": 1, "requiredStatusCheckContexts": ["b", null, "a"]}},
        "commits": {"nodes": [{"commit": {"oid": format!("{number}"), "statusCheckRollup": {"contexts": {
            "totalCount": 3, "pageInfo": {"hasNextPage": false, "endCursor": "x"},
            "nodes": nodes}}}}]},
    })
}

fn answered(pulls: &[serde_json::Value]) -> BranchStatus {
    let data = json!({"rateLimit": null, "repository": {
        "nameWithOwner": "acme/fares", "url": "", "defaultBranchRef": {"name": "main"}, "ref": null,
        "pullRequests": {"nodes": pulls}}});
    let reply = serde_json::from_value(data).unwrap();
    reply::status(reply, Vec::new(), &question(), &|_| true)
        .unwrap()
        .0
}

#[test]
fn a_branch_of_the_same_name_in_another_fork_is_another_branch() {
    let status = answered(&[pull(3, "bob", "OPEN"), pull(2, "Ann", "CLOSED")]);
    assert_eq!(status.pull.unwrap().number, 2);
    assert!(answered(&[pull(3, "bob", "OPEN")]).pull.is_none());
}

#[test]
fn an_old_name_of_the_repository_leads_to_its_owner_of_today() {
    let mut question = question();
    let answered = |question: &Question, owner: &str, now: &str, head: Option<&str>| {
        let data = json!({"rateLimit": null, "head": head.map(|name| json!({"nameWithOwner": name})), "repository": {
            "nameWithOwner": now, "url": "", "defaultBranchRef": null, "ref": null,
            "pullRequests": {"nodes": [pull(3, owner, "OPEN")]}}});
        let reply = serde_json::from_value(data).unwrap();
        let status = reply::status(reply, Vec::new(), question, &|one| one.first);
        status.unwrap().0.pull.is_some()
    };
    // A fork whose owner has another name now.
    assert!(answered(
        &question,
        "anna",
        "acme/fares",
        Some("anna/fares")
    ));
    assert!(!answered(
        &question,
        "bob",
        "acme/fares",
        Some("anna/fares")
    ));
    assert!(!answered(&question, "anna", "acme/fares", None));
    // The repository itself, transferred.
    question.heads = vec![question.base.clone()];
    assert!(answered(&question, "city", "city/fares", None));
}

#[test]
fn the_open_pull_request_comes_before_newer_closed_ones() {
    let pulls = [
        pull(9, "ann", "MERGED"),
        pull(8, "ann", "OPEN"),
        pull(7, "ann", "OPEN"),
    ];
    assert_eq!(answered(&pulls).pull.unwrap().number, 8);
}

#[test]
fn what_may_not_be_seen_or_is_not_known_does_no_harm() {
    let status = answered(&[pull(1, "ann", "OPEN")]);
    assert_eq!(status.required, ["a", "b"]);
    let names: Vec<(&str, State)> = status
        .checks
        .iter()
        .map(|check| (check.name.as_str(), check.state))
        .collect();
    assert_eq!(names, [("a", State::Failed), ("old", State::Pending)]);
    let pull = status.pull.unwrap();
    assert_eq!((pull.unresolved_threads, pull.more_threads), (1, true));
    assert_eq!(pull.requested, ["mlops"]);
}

#[test]
fn a_check_that_was_run_again_stands_once() {
    let checks = vec![
        check("a", "2026-11-24T09:00:00Z", State::Failed),
        check("b", "2026-11-24T09:00:00Z", State::Passed),
        check("a", "2026-11-24T10:00:00Z", State::Passed),
        check("a", "2026-11-24T08:00:00Z", State::Failed),
    ];
    let newest = newest_of_each(checks);
    let states: Vec<(&str, State)> = newest
        .iter()
        .map(|check| (check.name.as_str(), check.state))
        .collect();
    assert_eq!(states, [("a", State::Passed), ("b", State::Passed)]);
}
