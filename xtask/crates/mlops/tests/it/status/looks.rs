//! What one look shows.

use serde_json::{Value, json};

use super::world::{BRANCH, World, log};

#[test]
fn a_pull_request_with_reviews_checks_and_the_failing_part_of_a_log() {
    let (world, number) = World::with_pull_request();
    let sha = world.head();
    let bob = world.forge.user("bob");
    world.forge.permit(&world.repository, &bob, "write");
    world
        .forge
        .protect(&world.repository, "main", &["notebook", "lint", "later"], 1);
    world.failed(&sha, "notebook", &log("notebook"));
    world.forge.checks(
        &world.repository,
        &sha,
        &[("lint", "success"), ("slow", "")],
    );
    world
        .forge
        .status(&world.repository, &sha, "old/ci", "pending");
    world
        .forge
        .review(&world.repository, number, &bob, "REQUEST_CHANGES", "please");

    // GitHub works it out when it is asked for the first time.
    world.forge.unknown_mergeability(1);
    assert_eq!(
        world.facts()["github"]["pull_request"]["mergeable"],
        "unknown"
    );
    let facts = world.facts();
    let pull = &facts["github"]["pull_request"];
    assert_eq!(pull["mergeable"], "mergeable");
    assert_eq!(pull["number"], number);
    assert_eq!(pull["review"], "changes_requested");
    assert_eq!(pull["reviews"]["bob"], "changes_requested");
    assert_eq!(facts["github"]["sha"], Value::from(sha.as_str()));
    assert_eq!(facts["github"]["missing"], json!(["later"]));
    assert_eq!(facts["verdict"], "failed");
    assert_eq!(facts["branch"]["pushed"], true);

    let check = check(&facts, "notebook");
    assert_eq!(
        (&check["state"], &check["required"]),
        (&json!("failed"), &json!(true))
    );
    assert_eq!(check["seconds"], 92);
    let finding = &check["failure"]["findings"][0];
    assert_eq!(finding["tool"], "notebook");
    assert_eq!(finding["place"], "fit, cell 3, line 15");
    assert_eq!(check["training"]["failed_task"], "Fit");
    assert_eq!(self::check(&facts, "slow")["state"], "pending");
    assert_eq!(self::check(&facts, "old/ci")["state"], "pending");

    // On the screen, in words.
    let said = world.run(&["status"]);
    for words in [
        "Round fares to cents",
        "changes requested by bob",
        "1 failed",
        "fit, cell 3, line 15",
        "ValueError: no customer has left",
        "not there yet: later",
        "cargo xtask logs 'check:notebook'",
        "cargo xtask workspace up",
    ] {
        assert!(said.stdout.contains(words), "{words}:\n{}", said.stdout);
    }
    // Nothing is started for it.
    assert!(
        !world
            .project
            .root()
            .join(".xtask/workspace/server.json")
            .exists()
    );

    // The whole log, and only of a check that there is.
    let whole = world.run(&["logs", "check:notebook"]);
    assert!(
        whole.stdout.contains("Complete job name"),
        "{}",
        whole.stderr
    );
    assert!(!whole.stdout.contains('\u{1b}'), "colours in the log");
    let unknown = world.run(&["logs", "check:nothing"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("check:notebook"),
        "{}",
        unknown.stderr
    );
    let no_log = world.run(&["logs", "check:old/ci"]);
    assert_eq!(no_log.code, Some(2), "{}", no_log.stderr);
}

#[test]
fn checks_of_one_name_are_told_apart_by_their_workflow() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    for workflow in ["A", "C"] {
        let log = format!(
            "##[group]Run x\n##[endgroup]\nerror: from {workflow}\n##[error]Process completed with exit code 1.\n"
        );
        let job = json!({"name": "test", "conclusion": "failure", "log": log});
        let run = json!({"workflow": workflow, "head_sha": sha, "jobs": [job]});
        world.forge.run(&world.repository, &run);
    }
    let said = world.run(&["status"]).stdout;
    for label in ["A / test", "C / test"] {
        assert!(said.contains(&format!("logs 'check:{label}'")), "{said}");
    }
    let log = world.run(&["logs", "check:C / test"]);
    assert!(log.stdout.contains("from C"), "{log:?}");
    // The name alone does not say which one.
    let which = world.run(&["logs", "check:test"]);
    assert_eq!(which.code, Some(2));
    assert!(which.stderr.contains("check:A / test"), "{}", which.stderr);
}

#[test]
fn the_step_that_github_names_is_shown() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    let log = "##[group]Run flaky\n##[endgroup]\nflaky noise\n##[error]Process completed with exit code 1.\n\
        ##[group]Run acme/train@v1\n##[endgroup]\n##[error]Training failed: ValueError: no rows\n\
        ##[group]Run report\n##[endgroup]\n##[error]Process completed with exit code 3.\n";
    let steps = json!([
        {"name": "Run flaky", "conclusion": "success"},
        {"name": "Run acme/train@v1", "conclusion": "failure"},
        {"name": "Run report", "conclusion": "failure"},
    ]);
    let job = json!({"name": "train", "conclusion": "failure", "log": log, "steps": steps});
    let run = json!({"workflow": "CI", "head_sha": sha, "jobs": [job]});
    world.forge.run(&world.repository, &run);
    let said = world.run(&["status"]).stdout;
    assert!(said.contains("ValueError: no rows"), "{said}");
    assert!(!said.contains("flaky noise"), "{said}");
}

#[test]
fn github_is_asked_once_and_twice_more_for_each_failed_job() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.forge.checks(
        &world.repository,
        &sha,
        &[("a", "success"), ("b", "success")],
    );
    let asked = |world: &World| -> Vec<String> {
        let requests = world.forge.requests();
        world.forge.clear_requests();
        requests
            .into_iter()
            .filter(|request| request.path.starts_with("/api/"))
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    };
    asked(&world);
    world.facts();
    assert_eq!(asked(&world), ["POST /api/graphql"]);

    for name in ["c", "d"] {
        world.failed(&sha, name, &log("pytest-assertion"));
    }
    asked(&world);
    world.facts();
    let first = asked(&world);
    assert_eq!(
        first.iter().filter(|call| call.starts_with("POST")).count(),
        1,
        "{first:?}"
    );
    assert_eq!(
        first.iter().filter(|call| call.ends_with("/logs")).count(),
        2,
        "{first:?}"
    );
    // And which step each job failed by.
    assert_eq!(first.len(), 5, "{first:?}");
    // The log of a job that has ended is kept.
    world.facts();
    assert_eq!(asked(&world), ["POST /api/graphql"]);
}

#[test]
fn three_hundred_checks_take_three_requests_and_a_few_lines() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    let names: Vec<String> = (0..300).map(|number| format!("part {number:03}")).collect();
    let jobs: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "success"))
        .collect();
    world.forge.checks(&world.repository, &sha, &jobs);
    world.forge.clear_requests();
    let facts = world.facts();
    assert_eq!(facts["github"]["checks"].as_array().unwrap().len(), 300);
    assert_eq!(facts["verdict"], "passed");
    let queries = world
        .forge
        .requests()
        .iter()
        .filter(|request| request.path.ends_with("/graphql"))
        .count();
    assert_eq!(queries, 3);
    let said = world.run(&["status"]);
    assert!(said.stdout.contains("300 passed"), "{}", said.stdout);
    assert!(said.stdout.lines().count() < 30, "{}", said.stdout);
}

#[test]
fn the_same_branch_name_in_a_fork_is_another_branch() {
    let world = World::new();
    let eve = world.forge.user("eve");
    let fork = world.forge.fork(&world.repository, &eve);
    world.forge.commit(
        &fork,
        &eve,
        BRANCH,
        "x.md",
        "x",
        "a branch of the same name",
    );
    world.forge.pull_request(
        &world.repository,
        &eve,
        &format!("eve:{BRANCH}"),
        "Not mine",
    );
    assert_eq!(world.facts()["github"]["pull_request"], Value::Null);
    let said = world.run(&["status"]);
    assert!(
        said.stdout.contains("none for this branch"),
        "{}",
        said.stdout
    );
}

#[test]
fn merged_and_closed_pull_requests_are_told_as_such() {
    let (world, number) = World::with_pull_request();
    let path = format!("/repos/{}/pulls/{number}", world.repository.full_name);
    let (status, reply) = world
        .forge
        .rest(&world.ann, "PATCH", &path, &json!({"state": "closed"}));
    assert_eq!(status, 200, "{reply}");
    assert_eq!(world.facts()["github"]["pull_request"]["state"], "closed");
    world
        .forge
        .rest(&world.ann, "PATCH", &path, &json!({"state": "open"}));
    let (status, reply) = world
        .forge
        .rest(&world.ann, "PUT", &format!("{path}/merge"), &json!({}));
    assert_eq!(status, 200, "{reply}");
    assert_eq!(world.facts()["github"]["pull_request"]["state"], "merged");
}

#[test]
fn a_branch_that_is_not_on_github_and_a_clone_without_a_remote() {
    let world = World::new();
    world.git(&["switch", "--quiet", "--create", "here-only"]);
    let facts = world.facts();
    assert_eq!(facts["github"]["sha"], Value::Null);
    assert_eq!(facts["verdict"], "nothing");
    assert_eq!(facts["branch"]["pushed"], false);
    assert_eq!(world.run(&["status", "--exit-status"]).code, Some(5));

    world.git(&["remote", "remove", "origin"]);
    let facts = world.facts();
    assert_eq!(facts["github"], Value::Null);
    assert_eq!(facts["verdict"], "unknown");
    world.git(&["switch", "--quiet", "--detach"]);
    assert_eq!(world.facts()["branch"]["name"], Value::Null);
}

#[test]
fn hostile_names_reach_the_terminal_harmless_and_github_exactly() {
    let world = World::new();
    let branch = "e-\u{202e}\u{1f695}-'\"$(id)`;&|";
    world.git(&["switch", "--quiet", "--create", branch]);
    world.push(branch);
    let title = "\u{1b}[2J\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}gnp";
    world
        .forge
        .pull_request(&world.repository, &world.ann, branch, title);
    let sha = world.head();
    let name = "\u{1b}[31mred\u{7} 'quoted' \u{202e}name";
    world.failed(&sha, name, &log("coloured"));
    let facts = world.facts();
    assert!(
        facts["github"]["pull_request"]["number"].is_number(),
        "{facts}"
    );
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["logs", "check:red"],
    ] {
        let said = world.run(args);
        let obeyed = |c: char| {
            (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}')
        };
        assert!(!said.stdout.contains(obeyed), "{args:?}: {:?}", said.stdout);
        assert!(!said.stderr.contains(obeyed), "{args:?}: {:?}", said.stderr);
    }
}

#[test]
fn failed_jobs_are_run_again_by_workflow() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    let nothing = world.run(&["rerun", "--failed", "--yes"]);
    assert_eq!(nothing.code, Some(5), "{}", nothing.stderr);
    world.failed(&sha, "notebook", &log("notebook"));
    world
        .forge
        .status(&world.repository, &sha, "old/ci", "failure");
    let planned = world.run(&["rerun", "--failed", "--dry-run"]);
    assert_eq!(planned.code, Some(0), "{}", planned.stderr);
    assert!(
        planned.stderr.contains("will run notebook of Tests again"),
        "{}",
        planned.stderr
    );
    assert!(planned.stderr.contains("old/ci"), "{}", planned.stderr);
    world.forge.clear_requests();
    let said = world.run(&["rerun", "--failed", "--yes", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let posted: Vec<String> = world
        .forge
        .requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/rerun-failed-jobs"))
        .map(|request| request.path)
        .collect();
    assert_eq!(posted.len(), 1, "{posted:?}");
}

fn check<'f>(facts: &'f Value, name: &str) -> &'f Value {
    facts["github"]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check {name}: {facts}"))
}
