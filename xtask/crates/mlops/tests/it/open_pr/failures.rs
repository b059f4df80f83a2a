//! What GitHub may answer on a bad day, and what the command makes of it: an exit code of the table, one
//! line that says what, one that says what next; never a panic, and never a second pull request.

use std::time::Duration;

use serde_json::{Value, json};
use xtask_testkit::Said;

use super::world::{BRANCH, World};

/// A bad day: the fault, the exit code, and what is said.
struct Day {
    name: &'static str,
    fault: Value,
    code: i32,
    says: &'static [&'static str],
}

fn day(name: &'static str, fault: Value, code: i32, says: &'static [&'static str]) -> Day {
    Day {
        name,
        fault,
        code,
        says,
    }
}

/// While it looks.
fn reading() -> Vec<Day> {
    let on = |fault: Value| {
        let mut fault = fault;
        fault["path"] = json!("*/repos/ann/churn");
        fault
    };
    vec![
        day(
            "401",
            on(json!({"status": 401, "body": "{\"message\": \"Bad credentials\"}"})),
            6,
            &[
                "rejected the token from GH_ENTERPRISE_TOKEN",
                "/settings/tokens",
            ],
        ),
        day(
            "403",
            on(json!({"status": 403, "body": "{\"message\": \"Resource not accessible\"}"})),
            4,
            &["Resource not accessible", "--explain"],
        ),
        day(
            "403 with an allowance left",
            on(
                json!({"status": 403, "headers": {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1"}, "body": "{\"message\": \"Forbidden\"}"}),
            ),
            4,
            &["403: Forbidden"],
        ),
        day(
            "403 with nothing left",
            on(
                json!({"status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"}, "body": "{\"message\": \"API rate limit exceeded\"}"}),
            ),
            4,
            &["API rate limit exceeded", "it asks to wait"],
        ),
        day(
            "429 for a day",
            on(
                json!({"status": 429, "headers": {"retry-after": "86400"}, "body": "{\"message\": \"slow down\"}"}),
            ),
            4,
            &["it asks to wait 86400 seconds"],
        ),
        day(
            "404",
            on(json!({"status": 404, "body": "{\"message\": \"Not Found\"}"})),
            1,
            &["has no repository ann/churn, or the token"],
        ),
        day(
            "500",
            on(json!({"status": 500, "body": "oops"})),
            4,
            &["500: oops"],
        ),
        day(
            "a web page",
            on(
                json!({"status": 200, "headers": {"content-type": "text/html"}, "body": "<!doctype html><title>Sign in to the proxy</title>"}),
            ),
            4,
            &["Sign in to the proxy"],
        ),
        day(
            "half a reply",
            on(json!({"truncate": 30})),
            4,
            &["/repos/ann/churn"],
        ),
        day(
            "an empty object",
            on(json!({"status": 200, "body": "{}"})),
            4,
            &["is not understood"],
        ),
        day(
            "null",
            on(json!({"status": 200, "body": "null"})),
            4,
            &["is not understood"],
        ),
        day(
            "a list",
            on(json!({"status": 200, "body": "[]"})),
            4,
            &["is not understood"],
        ),
    ]
}

/// When it opens the pull request.
fn writing() -> Vec<Day> {
    let refusal = |reason: Value| {
        let body = json!({"message": "Validation Failed", "errors": [reason]});
        json!({"method": "POST", "path": "*/pulls", "status": 422, "body": body.to_string()})
    };
    let custom = |message: &str| {
        refusal(json!({"resource": "PullRequest", "code": "custom", "message": message}))
    };
    vec![
        day(
            "422 no commits",
            custom("No commits between main and more-care"),
            4,
            &[
                "No commits between main and more-care",
                "done: push more-care to ann/churn",
                "not done: open a pull request into main",
                "run it again to continue",
            ],
        ),
        day(
            "422 drafts",
            custom("Draft pull requests are not supported in this repository."),
            4,
            &["without --draft"],
        ),
        day(
            "422 head",
            refusal(json!({"resource": "PullRequest", "field": "head", "code": "invalid"})),
            4,
            &["head is invalid"],
        ),
        day(
            "422 base",
            refusal(json!({"resource": "PullRequest", "field": "base", "code": "invalid"})),
            4,
            &["base is invalid"],
        ),
        day(
            "422 in a sentence",
            json!({"method": "POST", "path": "*/pulls", "status": 422, "body": "{\"message\": \"Validation Failed\", \"errors\": [\"not today\"]}"}),
            4,
            &["not today"],
        ),
        day(
            "403",
            json!({"method": "POST", "path": "*/pulls", "status": 403, "body": "{\"message\": \"Resource not accessible by personal access token\"}"}),
            4,
            &["the token from GH_ENTERPRISE_TOKEN may not open pull requests"],
        ),
        day(
            "404",
            json!({"method": "POST", "path": "*/pulls", "status": 404, "body": "{\"message\": \"Not Found\"}"}),
            4,
            &["the pull request was not opened"],
        ),
        day(
            "429 for a day",
            json!({"method": "POST", "path": "*/pulls", "status": 429, "headers": {"retry-after": "86400"}, "body": "{\"message\": \"slow down\"}"}),
            4,
            &["86400 seconds", "your text is kept"],
        ),
        day(
            "always 502",
            json!({"method": "POST", "path": "*/pulls", "status": 502, "body": "<html><title>Bad gateway</title>"}),
            4,
            &["Bad gateway", "your text is kept"],
        ),
    ]
}

#[test]
fn a_bad_day_while_it_looks() {
    let world = World::new();
    for Day {
        name,
        fault,
        code,
        says,
    } in reading()
    {
        world.forge.fault(&fault);
        let said = world.fails(code, &[]);
        world.forge.clear_faults();
        for part in says {
            assert!(said.contains(part), "{name}: {part}:\n{said}");
        }
        assert!(said.contains("next: "), "{name}: {said}");
        assert!(
            world.remote_head(BRANCH).is_none(),
            "{name}: something was pushed"
        );
    }
}

#[test]
fn a_bad_day_when_it_opens() {
    let world = World::new();
    for Day {
        name,
        fault,
        code,
        says,
    } in writing()
    {
        world.forge.fault(&fault);
        let said = world.fails(code, &["--title", "Typed"]);
        world.forge.clear_faults();
        for part in says {
            assert!(said.contains(part), "{name}: {part}:\n{said}");
        }
        assert!(said.contains("next: "), "{name}: {said}");
        assert!(world.pulls().is_empty(), "{name}");
    }
    let opened = world.open(&[]);
    assert_eq!(opened["title"], "Typed", "{opened}");
    assert_eq!(world.pulls().len(), 1);
}

#[test]
fn a_service_that_is_slow_or_gone_is_named() {
    let world = World::new();
    let url = format!("{}/ann/churn", "http://127.0.0.1:9");
    world.git(&["remote", "set-url", "origin", &url]);
    let said = world.fails(4, &[]);
    assert!(said.contains("http://127.0.0.1:9"), "{said}");
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn a_short_limit_is_waited_for() {
    let world = World::new();
    let limit = json!({"path": "*/repos/ann/churn", "status": 429, "headers": {"retry-after": "2"}, "body": "{\"message\": \"slow down\"}", "times": 1});
    world.forge.fault(&limit);
    let started = std::time::Instant::now();
    let said = world.run(&["open-pr", "--yes", "--no-wait"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("Waiting"), "{}", said.stderr);
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[test]
fn a_push_that_is_refused_opens_nothing() {
    let world = World::new();
    world
        .forge
        .fault(&json!({"path": "*/git-receive-pack", "status": 403, "body": "no"}));
    let said = world.fails(4, &["--title", "Typed"]);
    assert!(said.contains("could not push branch"), "{said}");
    assert!(world.pulls().is_empty());
}

#[test]
fn checks_are_followed_to_their_end() {
    let world = World::new();
    let opened = world.open(&[]);
    let sha = opened["commit"].as_str().unwrap().to_owned();
    let run = world.forge.checks(
        &world.repository,
        &sha,
        &[("unit", "success"), ("train", "")],
    );
    let mut child = world.xtask(&["open-pr", "--yes", "--json"]);
    child
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = child.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    world.forge.job(
        &world.repository,
        run.jobs[1],
        &json!({"status": "completed", "conclusion": "failure"}),
    );
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("Passed unit"), "{}", said.stderr);
    assert!(said.stderr.contains("Failed train"), "{}", said.stderr);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["checks"], "failed");

    world.forge.job(
        &world.repository,
        run.jobs[1],
        &json!({"status": "completed", "conclusion": "success"}),
    );
    let said = world.run(&["open-pr", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}
