//! Merging: only what is green and approved, on the very commit.

use serde_json::{Value, json};
use xtask_testkit::{Account, Said, Terminal};

use super::world::{BRANCH, World};

/// An open pull request into a protected main, and a reviewer.
fn proposed() -> (World, Account, String) {
    let world = World::new();
    world.forge.protect(&world.repository, "main", &["unit"], 1);
    let bob = world.forge.user("bob");
    world.forge.permit(&world.repository, &bob, "write");
    let opened = world.open(&["--no-test"]);
    let sha = opened["commit"].as_str().unwrap().to_owned();
    (world, bob, sha)
}

fn merge(world: &World, args: &[&str]) -> Said {
    world.run(&[&["merge", "--yes", "--json"], args].concat())
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
}

#[track_caller]
fn lacks(world: &World, what: &[&str]) {
    let said = merge(world, &[]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    for what in what {
        assert!(said.stderr.contains(what), "{what}: {}", said.stderr);
    }
    assert_eq!(json(&said)["outcome"], "blocked");
    assert_eq!(world.pulls()[0]["state"], "open");
}

#[test]
fn it_merges_what_is_green_and_approved_and_nothing_else() {
    let (world, bob, sha) = proposed();
    lacks(&world, &["1 approval of its newest commit"]);
    let run = world.forge.checks(
        &world.repository,
        &sha,
        &[("unit", ""), ("lint", "failure")],
    );
    lacks(&world, &["still running: unit", "1 approval"]);
    world.forge.job(
        &world.repository,
        run.jobs[0],
        &json!({"status": "completed", "conclusion": "failure"}),
    );
    lacks(&world, &["failed: unit", "fix it"]);
    world.forge.job(
        &world.repository,
        run.jobs[0],
        &json!({"status": "completed", "conclusion": "success"}),
    );
    world
        .forge
        .review(&world.repository, 1, &bob, "REQUEST_CHANGES", "no");
    lacks(&world, &["bob asked for changes"]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");

    // A check that is not required may fail.
    let planned = json(&merge(&world, &["--dry-run"]));
    assert_eq!(planned["outcome"], "planned", "{planned}");
    assert_eq!(world.pulls()[0]["state"], "open");
    // Without a terminal and without --yes nothing is merged.
    let said = world.run(&["merge"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("cargo xtask merge --yes"),
        "{}",
        said.stderr
    );

    let merged = json(&merge(&world, &[]));
    assert_eq!(merged["outcome"], "merged", "{merged}");
    assert_eq!(merged["head"], sha.as_str());
    assert_eq!(world.remote_head("main").unwrap(), merged["merged_as"]);
    // The branch stays: nothing is destroyed.
    assert!(world.remote_head(BRANCH).is_some());
    // Again, it says that it is done.
    let again = merge(&world, &["1"]);
    assert_eq!(
        (again.code, &json(&again)["outcome"]),
        (Some(0), &json!("merged")),
        "{}",
        again.stderr
    );
}

#[test]
fn an_approval_counts_for_its_commit_alone() {
    let (world, bob, sha) = proposed();
    world
        .forge
        .checks(&world.repository, &sha, &[("unit", "success")]);
    // Kept by the rule although the branch moves on.
    world.forge.protect_with(&world.repository, "main", &json!({
        "required_status_checks": {"strict": false, "contexts": ["unit"]},
        "enforce_admins": true,
        "required_pull_request_reviews": {"required_approving_review_count": 1, "dismiss_stale_reviews": false},
        "restrictions": null,
    }));
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    world.write("more.txt", b"x");
    let updated = world.open(&["--no-test", "--commit", "Slip something in"]);
    world.forge.checks(
        &world.repository,
        updated["commit"].as_str().unwrap(),
        &[("unit", "success")],
    );
    lacks(&world, &["bob approved an earlier one"]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine, too");
    assert_eq!(json(&merge(&world, &[]))["outcome"], "merged");
}

#[test]
fn a_push_between_the_look_and_the_merge_merges_nothing() {
    let (world, bob, sha) = proposed();
    world
        .forge
        .checks(&world.repository, &sha, &[("unit", "success")]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    let mut terminal = Terminal::run(&world.xtask(&["merge"]), 100);
    terminal.wait_for("Do this?");
    let _ = world
        .forge
        .commit(&world.repository, &bob, BRANCH, "x.txt", "x", "Meanwhile");
    terminal.types("y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(4), "{}", seen.text);
    assert!(
        seen.text.contains("the branch has new commits"),
        "{}",
        seen.text
    );
    assert_eq!(world.pulls()[0]["state"], "open");
}

#[test]
fn a_lost_reply_of_the_merge_is_looked_after() {
    let (world, bob, sha) = proposed();
    world
        .forge
        .checks(&world.repository, &sha, &[("unit", "success")]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    world
        .forge
        .fault(&json!({"method": "PUT", "path": "*/merge", "reset": "after", "times": 1}));
    let merged = json(&merge(&world, &[]));
    assert_eq!(merged["outcome"], "merged", "{merged}");
}

#[test]
fn drafts_conflicts_and_strangers() {
    let (mut world, _, _) = proposed();
    let _ = world.open(&["--no-test", "--draft"]);
    lacks(&world, &["it is a draft", "cargo xtask open-pr --ready"]);
    let eve = world.forge.user("eve");
    world.me = eve;
    lacks(&world, &["you may not merge into ann/churn"]);
    let said = world.run(&["merge", "99", "--yes"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("has no pull request 99"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_waits_is_merged_by_github_later() {
    let (world, bob, sha) = proposed();
    let run = world.forge.checks(&world.repository, &sha, &[("unit", "")]);
    let said = merge(&world, &["--auto"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("does not allow auto-merge"),
        "{}",
        said.stderr
    );

    let path = format!("/repos/{}", world.repository.full_name);
    let allow = json!({"allow_auto_merge": true});
    let (status, _) = world.forge.rest(&world.owner, "PATCH", &path, &allow);
    assert_eq!(status, 200);
    lacks(&world, &["cargo xtask merge 1 --auto"]);
    let waiting = json(&merge(&world, &["--auto"]));
    assert_eq!(waiting["outcome"], "waiting", "{waiting}");
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    let done = json!({"status": "completed", "conclusion": "success"});
    world.forge.job(&world.repository, run.jobs[0], &done);
    assert!(!world.pulls()[0]["merged_at"].is_null());
}

#[test]
fn where_there_is_a_queue_it_is_queued() {
    let (world, bob, sha) = proposed();
    let path = format!("/repos/{}/rulesets", world.repository.full_name);
    let rule = json!({
        "name": "main", "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue"}],
    });
    let (status, reply) = world.forge.rest(&world.owner, "POST", &path, &rule);
    assert_eq!(status, 201, "{reply}");
    lacks(&world, &["1 approval"]);
    world
        .forge
        .checks(&world.repository, &sha, &[("unit", "success")]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    let queued = json(&merge(&world, &[]));
    assert_eq!(queued["outcome"], "queued", "{queued}");
    let again = json(&merge(&world, &[]));
    assert_eq!(again["outcome"], "queued", "{again}");
    assert_eq!(
        world.forge.advance_queue(&world.repository, "main"),
        Some(1)
    );
    assert_eq!(json(&merge(&world, &["1"]))["outcome"], "merged");
}

#[test]
fn what_is_only_in_the_clone_is_not_left_out_in_silence() {
    let (world, bob, sha) = proposed();
    world
        .forge
        .checks(&world.repository, &sha, &[("unit", "success")]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    world.write("late.txt", b"x");
    world.commit("Mend what the review found");
    world.write("later.txt", b"x");
    lacks(
        &world,
        &[
            "1 commit of this branch: not pushed",
            "cargo xtask open-pr",
            "cargo xtask merge 1",
            "1 file not committed",
        ],
    );
    // Another's commit on the branch, which this clone does not have.
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let theirs = world
        .forge
        .commit(&world.repository, &bob, BRANCH, "x.txt", "x", "Theirs");
    lacks(&world, &["this clone is behind it"]);
    world.write("mine.txt", b"x");
    world.commit("Mine");
    lacks(&world, &["have diverged"]);

    // By its number it is merged as GitHub shows it.
    world
        .forge
        .checks(&world.repository, &theirs, &[("unit", "success")]);
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    assert_eq!(json(&merge(&world, &["1"]))["outcome"], "merged");

    // A new branch of the same name is another branch: where the clone lacks what was merged, and where it has it.
    world.git(&["switch", "--quiet", "main"]);
    world.git(&["switch", "--quiet", "--force-create", BRANCH]);
    world.write("another.txt", b"x");
    world.commit("Quite another");
    for fetched in [false, true] {
        if fetched {
            world.git_as(&world.owner, &["fetch", "--quiet", "origin"]);
        }
        let said = merge(&world, &[]);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(
            said.stderr.contains("has no pull request"),
            "{}",
            said.stderr
        );
        assert!(
            said.stderr.contains("pull request 1 (merged)"),
            "{}",
            said.stderr
        );
        let facts: Value = serde_json::from_str(&world.run(&["status", "--json"]).stdout).unwrap();
        assert!(facts["github"]["pull_request"].is_null(), "{facts}");
    }
}

#[test]
fn a_required_check_that_nothing_reported_is_named() {
    let (world, bob, _) = proposed();
    world
        .forge
        .review(&world.repository, 1, &bob, "APPROVE", "fine");
    let missing = "the required check unit has not started";
    lacks(&world, &[missing]);
    let said = merge(&world, &[]);
    assert!(
        json(&said)["missing"][0]
            .as_str()
            .unwrap()
            .starts_with(missing)
    );
    assert!(!said.stderr.contains("none is required"), "{}", said.stderr);
}

#[test]
fn who_is_signed_out_is_told_the_variable_that_was_read() {
    let (mut world, _, _) = proposed();
    world.me.token = "ghp_expired".to_owned();
    for args in [&["merge", "--yes"][..], &["open-pr", "--yes", "--no-test"]] {
        let said = world.run(args);
        assert_eq!(said.code, Some(6), "{}", said.stderr);
        assert!(
            said.stderr
                .contains("rejected the token from GH_ENTERPRISE_TOKEN"),
            "{}",
            said.stderr
        );
        assert!(!said.stderr.contains("another GH_TOKEN"), "{}", said.stderr);
    }
}
