//! Pull requests over REST.

use serde_json::{Value, json};

use crate::support::Scene;

fn opened(scene: &Scene) -> (String, u64) {
    let sha = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "a\n", "Add a");
    (
        sha,
        scene
            .forge
            .pull_request(&scene.repo, &scene.bob, "feat", "Add a"),
    )
}

#[test]
fn what_cannot_be_opened_is_refused_in_githubs_words() {
    let scene = Scene::new();
    let _ = opened(&scene);
    let _ = scene
        .forge
        .commit(&scene.repo, &scene.bob, "other", "b.txt", "b\n", "Add b");
    let post = |body: Value| {
        scene
            .forge
            .rest(&scene.bob, "POST", &scene.path("/pulls"), &body)
    };
    for (body, expected) in [
        (
            json!({"title": "x", "head": "feat", "base": "main"}),
            json!({"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for ada:feat."}),
        ),
        (
            json!({"title": "x", "head": "main", "base": "main"}),
            json!({"resource": "PullRequest", "code": "custom", "message": "No commits between main and main"}),
        ),
        (
            json!({"title": "x", "head": "nowhere", "base": "main"}),
            json!({"resource": "PullRequest", "field": "head", "code": "invalid"}),
        ),
        (
            json!({"title": "x", "head": "other", "base": "nowhere"}),
            json!({"resource": "PullRequest", "field": "base", "code": "invalid"}),
        ),
        (
            json!({"title": " ", "head": "other", "base": "main"}),
            json!({"resource": "PullRequest", "field": "title", "code": "missing_field"}),
        ),
    ] {
        let (status, reply) = post(body);
        assert_eq!(
            (status, &reply["message"]),
            (422, &json!("Validation Failed"))
        );
        assert_eq!(reply["errors"], json!([expected]));
    }
    let (status, reply) = post(json!({"title": "x", "head": "other"}));
    assert_eq!(
        (status, reply["message"].as_str()),
        (422, Some("Invalid request.\n\n\"base\" wasn't supplied."))
    );
}

#[test]
fn a_list_is_filtered_by_head_base_and_state() {
    let scene = Scene::new();
    let (_, number) = opened(&scene);
    let fork = scene.forge.fork(&scene.repo, &scene.forge.user("eve"));
    let _ = scene
        .forge
        .commit(&fork, &fork.owner, "feat", "c.txt", "c\n", "Add c");
    let other = scene
        .forge
        .pull_request(&scene.repo, &fork.owner, "eve:feat", "Add c");
    let list = |query: &str| -> Vec<u64> {
        let (status, reply) = scene.forge.rest(
            &scene.ada,
            "GET",
            &scene.path(&format!("/pulls?{query}")),
            &Value::Null,
        );
        assert_eq!(status, 200, "{reply}");
        reply
            .as_array()
            .unwrap()
            .iter()
            .map(|pull| pull["number"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(list("head=ada:feat"), [number]);
    assert_eq!(list("head=eve:feat&base=main&state=all"), [other]);
    assert_eq!(list(""), [other, number]);
    assert_eq!(list("base=nowhere"), [0u64; 0]);
    let (_, closed) = scene.forge.rest(
        &scene.bob,
        "PATCH",
        &scene.path(&format!("/pulls/{number}")),
        &json!({"state": "closed"}),
    );
    assert_eq!(closed["state"], "closed");
    assert_eq!(list("state=closed"), [number]);
    assert_eq!(list("state=open&per_page=1"), [other]);
}

#[test]
fn a_merge_names_the_head_and_is_refused_when_it_moved() {
    let scene = Scene::new();
    let (sha, number) = opened(&scene);
    let put = |body: Value| {
        scene.forge.rest(
            &scene.bob,
            "PUT",
            &scene.path(&format!("/pulls/{number}/merge")),
            &body,
        )
    };
    let moved = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "b.txt", "b\n", "Add b");
    assert_eq!(put(json!({"sha": sha})).0, 409);
    scene.forge.protect(&scene.repo, "main", &["CI"], 1);
    let (status, reply) = put(json!({"sha": moved}));
    assert_eq!(status, 405, "{reply}");
    assert!(
        reply["message"]
            .as_str()
            .unwrap()
            .contains("approving review"),
        "{reply}"
    );
    scene
        .forge
        .review(&scene.repo, number, &scene.ada, "APPROVE", "");
    assert!(
        put(json!({"sha": moved})).1["message"]
            .as_str()
            .unwrap()
            .contains("\"CI\" is expected")
    );
    let _ = scene
        .forge
        .checks(&scene.repo, &moved, &[("CI", "success")]);
    let (status, reply) = put(json!({"sha": moved, "merge_method": "squash"}));
    assert_eq!(status, 200, "{reply}");
    let (_, pull) = scene.forge.rest(
        &scene.bob,
        "GET",
        &scene.path(&format!("/pulls/{number}")),
        &Value::Null,
    );
    assert_eq!(
        (&pull["merged"], &pull["state"], &pull["merge_commit_sha"]),
        (&json!(true), &json!("closed"), &reply["sha"])
    );
    let (_, commit) = scene.forge.rest(
        &scene.bob,
        "GET",
        &scene.path("/commits/main"),
        &Value::Null,
    );
    assert_eq!(
        commit["commit"]["message"],
        format!("Add a (#{number})\n\n* Add a\n\n* Add b")
    );
    assert_eq!(
        put(json!({})).1["message"],
        "Pull Request is already merged"
    );
}

#[test]
fn all_three_ways_of_merging_give_the_history_they_promise() {
    let scene = Scene::new();
    for (method, parents) in [("merge", 2), ("squash", 1), ("rebase", 1)] {
        let _ = scene.forge.commit(
            &scene.repo,
            &scene.bob,
            method,
            &format!("{method}.txt"),
            "1\n",
            "One",
        );
        let _ = scene.forge.commit(
            &scene.repo,
            &scene.bob,
            method,
            &format!("{method}.txt"),
            "2\n",
            "Two",
        );
        let number = scene
            .forge
            .pull_request(&scene.repo, &scene.bob, method, "Both");
        // The base moves meanwhile.
        let _ = scene
            .forge
            .commit(&scene.repo, &scene.ada, "main", "log.txt", method, "Note");
        let (status, reply) = scene.forge.rest(
            &scene.bob,
            "PUT",
            &scene.path(&format!("/pulls/{number}/merge")),
            &json!({"merge_method": method}),
        );
        assert_eq!(status, 200, "{reply}");
        let (_, tip) = scene.forge.rest(
            &scene.bob,
            "GET",
            &scene.path("/commits/main"),
            &Value::Null,
        );
        assert_eq!(
            tip["parents"].as_array().unwrap().len(),
            parents,
            "{method}"
        );
        let (_, file) = scene.forge.rest(
            &scene.bob,
            "GET",
            &scene.path(&format!("/contents/{method}.txt")),
            &Value::Null,
        );
        assert_eq!(file["content"], "Mgo=", "{method}");
    }
    let (_, commits) = scene
        .forge
        .rest(&scene.bob, "GET", &scene.path("/commits"), &Value::Null);
    let subjects: Vec<&str> = commits
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| {
            commit["commit"]["message"]
                .as_str()
                .unwrap()
                .lines()
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(
        subjects[..3],
        ["Two", "One", "Note"],
        "rebased commits are on top of the base"
    );
}

#[test]
fn conflicts_are_seen_and_a_push_follows_the_head() {
    let scene = Scene::new();
    let (_, number) = opened(&scene);
    let pull = || {
        scene
            .forge
            .rest(
                &scene.bob,
                "GET",
                &scene.path(&format!("/pulls/{number}")),
                &Value::Null,
            )
            .1
    };
    assert_eq!(pull()["mergeable_state"], "clean");
    let _ = scene.forge.commit(
        &scene.repo,
        &scene.ada,
        "main",
        "a.txt",
        "other\n",
        "Another a",
    );
    assert_eq!(
        (&pull()["mergeable"], &pull()["mergeable_state"]),
        (&json!(false), &json!("dirty"))
    );
    scene.forge.unknown_mergeability(1);
    assert_eq!(pull()["mergeable"], Value::Null);
    assert_eq!(pull()["mergeable"], false);
    let clone = scene.clone(&scene.repo.clone_url, &scene.bob);
    let sha = scene.push(&clone, &scene.bob, "feat", "a.txt");
    assert_eq!(
        (&pull()["head"]["sha"], &pull()["mergeable"]),
        (&json!(sha), &json!(true))
    );
    let deleted = scene.git(&clone, &scene.bob, &["push", "--quiet", "origin", ":feat"]);
    assert!(deleted.status.success());
    assert_eq!(pull()["state"], "closed");
}

#[test]
fn an_approval_is_void_after_a_push_where_the_rule_says_so() {
    let scene = Scene::new();
    let (_, number) = opened(&scene);
    scene.forge.protect(&scene.repo, "main", &[], 1);
    scene
        .forge
        .review(&scene.repo, number, &scene.ada, "APPROVE", "");
    let _ = scene
        .forge
        .commit(&scene.repo, &scene.bob, "feat", "a.txt", "more\n", "More");
    let (_, reviews) = scene.forge.rest(
        &scene.bob,
        "GET",
        &scene.path(&format!("/pulls/{number}/reviews")),
        &Value::Null,
    );
    assert_eq!(reviews[0]["state"], "DISMISSED");
    let (status, reply) = scene.forge.rest(
        &scene.bob,
        "POST",
        &scene.path(&format!("/pulls/{number}/reviews")),
        &json!({"event": "APPROVE"}),
    );
    assert_eq!(
        (status, reply["message"].as_str()),
        (422, Some("Can not approve your own pull request"))
    );
}

#[test]
fn a_failed_job_is_run_again_and_its_log_has_a_link_that_wants_no_token() {
    let scene = Scene::new();
    let (sha, _) = opened(&scene);
    let run = scene.forge.run(&scene.repo, &json!({"workflow": "CI", "head_sha": sha, "jobs": [
        {"name": "lint", "conclusion": "success", "seconds": 3},
        {"name": "test", "conclusion": "failure", "seconds": 65, "log": "assert 1 == 2\n",
         "steps": [{"name": "Run tests", "conclusion": "failure"}],
         "annotations": [{"path": "a.py", "start_line": 3, "end_line": 3, "annotation_level": "failure", "message": "1 != 2"}]},
    ]}));
    let get = |path: &str| {
        scene
            .forge
            .rest(&scene.bob, "GET", &scene.path(path), &Value::Null)
    };
    let (_, jobs) = get(&format!("/actions/runs/{}/jobs", run.run));
    assert_eq!(jobs["jobs"][1]["steps"][0]["conclusion"], "failure");
    assert_eq!(
        get(&format!("/check-runs/{}/annotations", run.jobs[1])).1[0]["message"],
        "1 != 2"
    );
    assert_eq!(get(&format!("/actions/jobs/{}/logs", run.jobs[1])).0, 302);
    let (status, _) = scene.forge.rest(
        &scene.bob,
        "POST",
        &scene.path(&format!("/actions/runs/{}/rerun-failed-jobs", run.run)),
        &Value::Null,
    );
    assert_eq!(status, 201);
    let (_, jobs) = get(&format!("/actions/runs/{}/jobs", run.run));
    let states: Vec<_> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                job["name"].as_str().unwrap(),
                job["status"].as_str().unwrap(),
                job["run_attempt"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(states, [("lint", "completed", 1), ("test", "queued", 2)]);
    assert_eq!(
        get(&format!("/commits/{sha}/check-runs")).1["total_count"],
        2
    );
    assert_eq!(
        get(&format!("/commits/{sha}/check-runs?filter=all")).1["total_count"],
        3
    );
}
