//! What is said when GitHub does not answer as it should; the rest of the screen stands.

use serde_json::{Value, json};
use xtask_testkit::Said;

use super::world::World;

#[test]
fn whatever_github_answers_the_rest_stands() {
    let (world, _) = World::with_pull_request();
    let table: &[(Value, &str)] = &[
        (
            json!({"status": 401, "body": "{\"message\": \"Bad credentials\"}"}),
            "rejected the token",
        ),
        (
            json!({"status": 403, "body": "{\"message\": \"Resource not accessible\"}"}),
            "refuses",
        ),
        (
            json!({"status": 403, "body": "{\"message\": \"API rate limit exceeded\"}",
                "headers": {"x-ratelimit-remaining": "0", "retry-after": "120"}}),
            "has had enough",
        ),
        (
            json!({"status": 404, "body": "{\"message\": \"Not Found\"}"}),
            "shows no repository",
        ),
        (
            json!({"status": 429, "body": "{\"message\": \"slow down\"}", "headers": {"retry-after": "60"}}),
            "has had enough",
        ),
        (json!({"status": 500, "body": "oops"}), "500"),
        (
            json!({"status": 502, "body": "<html>bad gateway</html>"}),
            "502",
        ),
        (
            json!({"status": 200, "body": "<!doctype html><title>Sign in</title>", "headers": {"content-type": "text/html"}}),
            "not understood",
        ),
        (json!({"truncate": 120}), ""),
        (json!({"reset": "before"}), "not reached"),
    ];
    for (fault, words) in table {
        let mut order = json!({"method": "POST", "path": "/api/graphql", "times": 1});
        order
            .as_object_mut()
            .unwrap()
            .extend(fault.as_object().unwrap().clone());
        world.forge.fault(&order);
        let said = world.run(&["status"]);
        assert_eq!(said.code, Some(0), "{fault}: {}", said.stderr);
        assert!(
            said.stdout.contains("unknown ("),
            "{fault}: {}",
            said.stdout
        );
        assert!(said.stdout.contains(words), "{fault}: {}", said.stdout);
        assert!(said.stdout.contains("branch"), "{fault}: {}", said.stdout);
        assert!(
            said.stdout.contains("workspace does not run"),
            "{fault}: {}",
            said.stdout
        );
        world.forge.clear_faults();
    }
    world.forge.fault(
        &json!({"path": "/api/graphql", "times": 1, "status": 401, "body": "{\"message\": \"no\"}"}),
    );
    assert_eq!(world.run(&["status", "--exit-status"]).code, Some(4));
}

#[test]
fn a_github_that_is_late_is_not_waited_for() {
    let (world, _) = World::with_pull_request();
    world
        .forge
        .fault(&json!({"path": "/api/graphql", "delay_ms": 60_000}));
    let started = std::time::Instant::now();
    let said = world.run(&["status"]);
    assert!(
        said.stdout.contains("unknown (timed out)"),
        "{}",
        said.stdout
    );
    assert!(started.elapsed().as_secs() < 40, "it waited");
}

#[test]
fn a_log_that_cannot_be_had_is_said_in_its_place() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    for (index, (status, words)) in [
        (410, "deleted"),
        (403, "may not read"),
        (404, "no log"),
        (500, "500"),
    ]
    .into_iter()
    .enumerate()
    {
        world.failed(&sha, &format!("job {index}"), "x");
        world
            .forge
            .fault(&json!({"path": "*/logs", "status": status, "body": "{\"message\": \"no\"}"}));
        let said = world.run(&["status"]);
        assert!(said.stdout.contains(words), "{status}: {}", said.stdout);
        world.forge.clear_faults();
        // Read once, so that the next job's is the only one that is fetched.
        world.facts();
    }
}

#[test]
fn without_a_token_it_says_how_to_get_one() {
    let (world, _) = World::with_pull_request();
    let said = Said::of(world.project.xtask(&["status"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stdout.contains("GH_ENTERPRISE_TOKEN"),
        "{}",
        said.stdout
    );
}

#[test]
fn no_child_and_no_explanation_shows_the_token() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.failed(&sha, "notebook", "x");
    // Every git that is called writes down how.
    let calls = world.project.home().join("calls");
    let git = which("git");
    let folder = world.project.home().join("shims");
    std::fs::create_dir_all(&folder).unwrap();
    let shim = folder.join("git");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nexec '{git}' \"$@\"\n",
        calls.display()
    );
    std::fs::write(&shim, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&shim, mode).unwrap();
    let mut command = world.xtask(&["status", "--explain"]);
    let path = std::env::var("PATH").unwrap();
    let said = Said::from(
        command
            .env("PATH", format!("{}:{path}", folder.display()))
            .output()
            .unwrap(),
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("POST /graphql"), "{}", said.stderr);
    world.no_token_in(&said.stderr);
    world.no_token_in(&said.stdout);
    world.no_token_in(&std::fs::read_to_string(calls).unwrap());
    for entry in std::fs::read_dir(world.project.root().join(".xtask/cache")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            world.no_token_in(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
}

fn which(program: &str) -> String {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    found.unwrap().to_string_lossy().into_owned()
}
