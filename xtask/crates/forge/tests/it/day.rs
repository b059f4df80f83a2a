//! A day of a repository, over REST: every operation once. The contract check (`cargo xtask ci --only github`) holds
//! what goes over the wire here against GitHub's published description.

use serde_json::{Value, json};
use xtask_testkit::Account;

use crate::support::Scene;

struct Day {
    scene: Scene,
}

impl Day {
    /// A call below the repository, which must end as expected.
    fn call(&self, who: &Account, method: &str, path: &str, body: Value, expected: u16) -> Value {
        let path = match path.strip_prefix('~') {
            Some(whole) => whole.to_owned(),
            None => self.scene.path(path),
        };
        let (status, reply) = self.scene.forge.rest(who, method, &path, &body);
        assert_eq!(status, expected, "{method} {path}: {reply}");
        reply
    }

    fn get(&self, path: &str) -> Value {
        self.call(&self.scene.bob, "GET", path, Value::Null, 200)
    }

    fn post(&self, who: &Account, path: &str, body: Value, expected: u16) -> Value {
        self.call(who, "POST", path, body, expected)
    }
}

#[test]
fn people_and_repositories() {
    let day = Day {
        scene: Scene::new(),
    };
    let (ada, bob) = (&day.scene.ada, &day.scene.bob);
    for path in [
        "~/user",
        "~/users/ada",
        "~/rate_limit",
        "~/meta",
        "~/user/repos",
        "~/users/ada/repos",
        "",
        "/collaborators",
        "/collaborators/ada/permission",
        "/labels",
        "/forks",
    ] {
        let _ = day.get(path);
    }
    assert_eq!(
        day.call(bob, "GET", "/collaborators/bob", Value::Null, 204),
        Value::Null
    );
    let eve = day.scene.forge.user("eve");
    let _ = day.call(
        ada,
        "PUT",
        "/collaborators/eve",
        json!({"permission": "push"}),
        204,
    );
    let _ = day.call(
        ada,
        "PATCH",
        "",
        json!({"description": "Fares", "allow_auto_merge": true, "delete_branch_on_merge": true}),
        200,
    );
    let _ = day.call(&eve, "PATCH", "", json!({"description": "Mine"}), 403);
    let fork = day.post(&eve, "/forks", json!({}), 202);
    assert_eq!(
        (&fork["fork"], &fork["parent"]["full_name"]),
        (&json!(true), &json!("ada/taxi"))
    );
    let _ = day.post(
        bob,
        "~/user/repos",
        json!({"name": "other", "private": true}),
        201,
    );
    let _ = day.post(bob, "~/user/repos", json!({"name": "other"}), 422);
    let _ = day.post(
        ada,
        "/labels",
        json!({"name": "ready", "color": "00ff00", "description": "To go"}),
        201,
    );
    let _ = day.call(&eve, "GET", "~/repos/bob/other", Value::Null, 404);
    assert_eq!(day.get("/labels")[0]["name"], "ready");
}

#[test]
fn branches_and_their_rules() {
    let day = Day {
        scene: Scene::new(),
    };
    let (ada, bob) = (&day.scene.ada, &day.scene.bob);
    let sha = day.get("/branches/main")["commit"]["sha"]
        .as_str()
        .unwrap()
        .to_owned();
    let _ = day.get("/branches");
    let made = day.post(
        bob,
        "/git/refs",
        json!({"ref": "refs/heads/feat/x", "sha": sha}),
        201,
    );
    assert_eq!(made["object"]["sha"], sha.as_str());
    let _ = day.post(
        bob,
        "/git/refs",
        json!({"ref": "refs/heads/feat/x", "sha": sha}),
        422,
    );
    let newer = day
        .scene
        .forge
        .commit(&day.scene.repo, bob, "feat/x", "x.txt", "x\n", "Add x");
    let _ = day.get("/git/ref/heads/feat/x");
    let _ = day.get("/git/matching-refs/heads/feat");
    let _ = day.call(
        bob,
        "PATCH",
        "/git/refs/heads/feat/x",
        json!({"sha": sha}),
        422,
    );
    let _ = day.call(
        bob,
        "PATCH",
        "/git/refs/heads/feat/x",
        json!({"sha": newer, "force": true}),
        200,
    );
    let rule = json!({
        "required_status_checks": {"strict": true, "contexts": ["test"]}, "enforce_admins": true, "restrictions": null,
        "required_pull_request_reviews": {"required_approving_review_count": 2, "dismiss_stale_reviews": true, "require_code_owner_reviews": false},
    });
    let _ = day.call(ada, "GET", "/branches/main/protection", Value::Null, 404);
    let _ = day.call(ada, "PUT", "/branches/main/protection", rule, 200);
    let _ = day.call(ada, "GET", "/branches/main/protection", Value::Null, 200);
    let _ = day.call(
        ada,
        "GET",
        "/branches/main/protection/required_status_checks",
        Value::Null,
        200,
    );
    let _ = day.call(bob, "GET", "/branches/main/protection", Value::Null, 403);
    assert_eq!(
        day.get("/branches/main")["protection"]["required_status_checks"]["contexts"],
        json!(["test"])
    );
    assert_eq!(day.get("/rules/branches/main"), json!([]));
    let _ = day.call(ada, "DELETE", "/branches/main/protection", Value::Null, 204);
    let ruleset = json!({"name": "main", "target": "branch", "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "rules": [
        {"type": "pull_request", "parameters": {"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": true, "require_code_owner_review": false, "require_last_push_approval": false, "required_review_thread_resolution": true}},
        {"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": false, "required_status_checks": [{"context": "test"}]}},
    ]});
    let _ = day.post(ada, "/rulesets", ruleset, 201);
    let _ = day.get("/rulesets");
    let rules = day.get("/rules/branches/main");
    assert!(
        rules
            .as_array()
            .unwrap()
            .iter()
            .any(|rule| rule["type"] == "required_status_checks"),
        "{rules}"
    );
    let _ = day.call(bob, "DELETE", "/git/refs/heads/feat/x", Value::Null, 204);
}

#[test]
fn a_pull_request_from_its_opening_to_its_merge() {
    let day = Day {
        scene: Scene::new(),
    };
    let (ada, bob) = (&day.scene.ada, &day.scene.bob);
    let sha = day
        .scene
        .forge
        .commit(&day.scene.repo, bob, "feat", "a.txt", "a\n", "Add a");
    let _ = day.get("/compare/main...feat");
    let _ = day.get(&format!("/commits/{sha}"));
    let _ = day.get("/commits?sha=feat");
    let _ = day.get("/contents/a.txt?ref=feat");
    let _ = day.call(bob, "GET", "/contents/nowhere.txt", Value::Null, 404);
    let number = day.post(
        bob,
        "/pulls",
        json!({"title": "Add a", "head": "feat", "base": "main", "body": "Why", "draft": false}),
        201,
    )["number"]
        .clone();
    let pull = format!("/pulls/{number}");
    let _ = day.call(
        bob,
        "PATCH",
        &pull,
        json!({"title": "Add the letter a", "body": "Because"}),
        200,
    );
    for path in [
        "",
        "/commits",
        "/files",
        "/reviews",
        "/comments",
        "/requested_reviewers",
    ] {
        let _ = day.get(&format!("{pull}{path}"));
    }
    let _ = day.get("/pulls?state=all&sort=created&direction=desc&per_page=100");
    let _ = day.call(bob, "GET", &format!("{pull}/merge"), Value::Null, 404);
    let _ = day.post(
        bob,
        &format!("{pull}/requested_reviewers"),
        json!({"reviewers": ["ada"]}),
        201,
    );
    let _ = day.post(
        bob,
        &format!("{pull}/requested_reviewers"),
        json!({"reviewers": ["nobody"]}),
        422,
    );
    let _ = day.call(
        bob,
        "DELETE",
        &format!("{pull}/requested_reviewers"),
        json!({"reviewers": ["ada"]}),
        200,
    );
    let review = day.post(ada, &format!("{pull}/reviews"), json!({"event": "REQUEST_CHANGES", "body": "No", "comments": [{"path": "a.txt", "line": 1, "body": "Why a?"}]}), 200);
    assert_eq!(day.get(&format!("{pull}/comments"))[0]["body"], "Why a?");
    let _ = day.call(
        bob,
        "PUT",
        &format!("{pull}/reviews/{}/dismissals", review["id"]),
        json!({"message": "Settled"}),
        200,
    );
    let _ = day.post(
        ada,
        &format!("{pull}/reviews"),
        json!({"event": "APPROVE"}),
        200,
    );
    let comment = day.post(
        bob,
        &format!("/issues/{number}/comments"),
        json!({"body": "Thanks"}),
        201,
    );
    let _ = day.get(&format!("/issues/{number}/comments"));
    let _ = day.call(
        bob,
        "PATCH",
        &format!("/issues/comments/{}", comment["id"]),
        json!({"body": "Thank you"}),
        200,
    );
    assert_eq!(
        day.get(&format!("/issues/comments/{}", comment["id"]))["body"],
        "Thank you"
    );
    let label = json!({"name": "ready", "color": "00ff00", "description": "To go"});
    let _ = day.post(ada, "/labels", label, 201);
    let _ = day.post(
        bob,
        &format!("/issues/{number}/labels"),
        json!({"labels": ["ready"]}),
        200,
    );
    let _ = day.get(&format!("/issues/{number}/labels"));
    let _ = day.call(
        bob,
        "PUT",
        &format!("{pull}/merge"),
        json!({"sha": "0".repeat(40)}),
        409,
    );
    let merged = day.call(
        bob,
        "PUT",
        &format!("{pull}/merge"),
        json!({"sha": sha, "merge_method": "squash"}),
        200,
    );
    let _ = day.call(bob, "GET", &format!("{pull}/merge"), Value::Null, 204);
    let _ = day.call(bob, "PUT", &format!("{pull}/merge"), json!({}), 405);
    assert_eq!(
        day.get(&format!(
            "/commits/{}/pulls",
            merged["sha"].as_str().unwrap()
        ))[0]["number"],
        number
    );
    assert_eq!(day.get(&pull)["merged_by"]["login"], "bob");
}

#[test]
fn checks_runs_and_deployments() {
    let day = Day {
        scene: Scene::new(),
    };
    let (forge, repo, ada, bob) = (
        &day.scene.forge,
        &day.scene.repo,
        &day.scene.ada,
        &day.scene.bob,
    );
    let sha = forge.commit(repo, bob, "feat", "a.txt", "a\n", "Add a");
    let _ = forge.pull_request(repo, bob, "feat", "Add a");
    let _ = forge.commit(
        repo,
        ada,
        "main",
        ".github/workflows/ci.yml",
        "on:\n  workflow_dispatch:\n    inputs:\n      sha:\n",
        "Add a workflow",
    );
    let check = day.post(
        ada,
        "/check-runs",
        json!({"name": "scan", "head_sha": sha, "status": "in_progress"}),
        201,
    );
    let done = json!({"status": "completed", "conclusion": "neutral", "output": {"title": "Fine", "summary": "Nothing", "annotations": [
        {"path": "a.txt", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "An a"}]}});
    let _ = day.call(
        ada,
        "PATCH",
        &format!("/check-runs/{}", check["id"]),
        done,
        200,
    );
    let _ = day.post(ada, &format!("/statuses/{sha}"), json!({"state": "success", "context": "licence", "target_url": "https://example.com/1", "description": "ok"}), 201);
    let run = forge.run(repo, &json!({"workflow": "CI", "path": ".github/workflows/ci.yml", "head_sha": sha, "jobs": [
        {"name": "test", "conclusion": "failure", "seconds": 5, "log": "boom\n", "steps": [{"name": "Run", "conclusion": "failure"}]},
        {"name": "slow", "status": "in_progress", "seconds": 9},
    ]}));
    let suite = day.get(&format!("/check-runs/{}", run.jobs[0]))["check_suite"]["id"].clone();
    for path in [
        format!("/commits/{sha}/check-runs?filter=latest&per_page=100"),
        format!("/commits/{sha}/check-runs?filter=all"),
        format!("/commits/{sha}/check-suites"),
        format!("/commits/{sha}/status"),
        format!("/commits/{sha}/statuses"),
        format!("/check-runs/{}/annotations", check["id"]),
        format!("/check-suites/{suite}"),
        format!("/check-suites/{suite}/check-runs"),
        "/actions/workflows".to_owned(),
        "/actions/workflows/ci.yml".to_owned(),
        "/actions/workflows/ci.yml/runs".to_owned(),
        format!("/actions/runs?head_sha={sha}"),
        format!("/actions/runs/{}", run.run),
        format!("/actions/runs/{}/jobs?filter=latest", run.run),
        format!("/actions/runs/{}/attempts/1/jobs", run.run),
        format!("/actions/runs/{}/artifacts", run.run),
        format!("/actions/runs/{}/pending_deployments", run.run),
        format!("/actions/jobs/{}", run.jobs[0]),
    ] {
        let _ = day.get(&path);
    }
    let _ = day.call(
        bob,
        "GET",
        &format!("/actions/jobs/{}/logs", run.jobs[0]),
        Value::Null,
        302,
    );
    let _ = day.post(
        bob,
        &format!("/actions/runs/{}/rerun-failed-jobs", run.run),
        Value::Null,
        403,
    );
    let _ = day.post(
        bob,
        &format!("/actions/runs/{}/cancel", run.run),
        Value::Null,
        202,
    );
    let _ = day.post(
        bob,
        &format!("/actions/runs/{}/rerun-failed-jobs", run.run),
        Value::Null,
        201,
    );
    forge.job(
        repo,
        day.get(&format!("/actions/runs/{}/jobs", run.run))["jobs"][0]["id"]
            .as_i64()
            .unwrap(),
        &json!({"conclusion": "success"}),
    );
    let _ = day.post(
        bob,
        &format!("/actions/runs/{}/cancel", run.run),
        Value::Null,
        202,
    );
    let _ = day.post(
        bob,
        &format!("/actions/runs/{}/rerun", run.run),
        Value::Null,
        201,
    );
    let _ = day.post(
        bob,
        "/actions/workflows/ci.yml/dispatches",
        json!({"ref": "main", "inputs": {"sha": "1"}}),
        204,
    );
    assert_eq!(
        forge.control("GET", "/repositories/ada/taxi/dispatches", &Value::Null)[0]["inputs"],
        json!({"sha": "1"})
    );
    let _ = day.call(ada, "PUT", "/environments/prod", json!({"wait_timer": 0, "prevent_self_review": true, "reviewers": [{"type": "User", "id": ada.id}], "deployment_branch_policy": null}), 200);
    let _ = day.get("/environments");
    let _ = day.get("/environments/prod");
    let _ = day.post(
        ada,
        "/deployments",
        json!({"ref": "feat", "environment": "prod"}),
        409,
    );
    let deployment = day.post(ada, "/deployments", json!({"ref": "main", "environment": "prod", "required_contexts": [], "auto_merge": false, "description": "First"}), 201);
    let own = format!("/deployments/{}", deployment["id"]);
    let _ = day.post(ada, &format!("{own}/statuses"), json!({"state": "success", "log_url": "https://example.com/log", "environment_url": "https://example.com"}), 201);
    let _ = day.get("/deployments?environment=prod");
    let _ = day.get(&own);
    assert_eq!(day.get(&format!("{own}/statuses"))[0]["state"], "success");
    let _ = day.call(ada, "DELETE", "/environments/prod", Value::Null, 204);
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let scene = Scene::new();
    let reply = std::process::Command::new("curl")
        .args([
            "--noproxy",
            "*",
            "-sS",
            "-D",
            "-",
            "-o",
            "/dev/null",
            "-H",
            &format!("Authorization: Bearer {}", scene.bob.token),
        ])
        .arg(format!("{}/user", scene.forge.api()))
        .output()
        .unwrap();
    let head = String::from_utf8(reply.stdout).unwrap();
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .expect("an ETag")
        .trim();
    let again = std::process::Command::new("curl")
        .args([
            "--noproxy",
            "*",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{size_download}",
        ])
        .args([
            "-H",
            &format!("Authorization: Bearer {}", scene.bob.token),
            "-H",
            &format!("If-None-Match: {tag}"),
        ])
        .arg(format!("{}/user", scene.forge.api()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "304 0");
}
