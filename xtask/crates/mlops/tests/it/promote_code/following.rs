//! With `--merge`: what it waits for, how it merges, and the deployment that follows.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask_testkit::{Run, Said};

use crate::open_pr::world::World;

use super::world::{OURS, Place, STABLE, WORKFLOW, number};

/// A place with a first release, and a change on main that a workflow is to deploy.
fn to_be_shipped() -> Place {
    let place = Place::released();
    place.commit(
        "main",
        WORKFLOW,
        "on: {push: {branches: [stable]}}\n",
        "Ship by a workflow",
    );
    place
}

fn json_of(said: &Said) -> Value {
    serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
}

/// `promote --code --merge --yes --json`, which follows.
fn follow(place: &Place, more: &[&str]) -> std::process::Child {
    let args = [&["promote", "--code", "--yes", "--json"], more].concat();
    let mut command = place.world.xtask(&args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The run of the workflow for a commit of the release branch, once it is there.
fn ship(place: &Place, before: &str, job: &Value) -> (Run, String) {
    let until = Instant::now() + Duration::from_secs(60);
    let merged = loop {
        match place.head(STABLE) {
            Some(head) if head != before => break head,
            _ => assert!(Instant::now() < until, "nothing was merged"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let run = place.world.forge.run(
        &place.world.repository,
        &json!({
            "workflow": "Ship", "path": WORKFLOW, "event": "push",
            "head_sha": merged, "head_branch": STABLE, "jobs": [job],
        }),
    );
    (run, merged)
}

#[test]
fn it_merges_what_is_green_and_approved_and_follows_the_deployment() {
    let place = to_be_shipped();
    let before = place.head(STABLE).unwrap();
    let main = place.head("main").unwrap();
    let said = place.run(&["--merge", "--yes", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("1 approval of its newest commit"),
        "{}",
        said.stderr
    );
    let blocked = json_of(&said);
    assert_eq!(blocked["missing"].as_array().unwrap().len(), 1, "{blocked}");
    let number = number(&blocked);
    place.approve(number);

    // A check of the very commit failed: that is evidence against it.
    let run = place
        .world
        .forge
        .checks(&place.world.repository, &main, &[("unit", "failure")]);
    let said = place.run(&["--merge", "--yes"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("failed: unit"), "{}", said.stderr);
    assert_eq!(place.head(STABLE).unwrap(), before);
    let good = json!({"status": "completed", "conclusion": "success"});
    place
        .world
        .forge
        .job(&place.world.repository, run.jobs[0], &good);

    let child = follow(&place, &["--merge"]);
    let (run, merged) = ship(
        &place,
        &before,
        &json!({"name": "deploy", "status": "in_progress"}),
    );
    std::thread::sleep(Duration::from_secs(3));
    place
        .world
        .forge
        .job(&place.world.repository, run.jobs[0], &good);
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let told = json_of(&said);
    assert_eq!(told["outcome"], "merged", "{told}");
    assert_eq!(told["merged_as"], merged.as_str());
    assert_eq!(told["deploy"]["state"], "deployed");
    assert!(said.stderr.contains("live: in progress"), "{}", said.stderr);
    assert!(said.stderr.contains("live: success"), "{}", said.stderr);
    // A merge commit: main is in it.
    let parents = place
        .world
        .git(&["show", "--no-patch", "--format=%P", &merged]);
    assert_eq!(parents, format!("{before} {main}"));
    assert_eq!(place.tree(STABLE), place.tree("main"));
}

#[test]
fn a_deployment_that_waits_for_an_approval_is_shown_and_gone_on_with() {
    let place = to_be_shipped();
    let before = place.head(STABLE).unwrap();
    let opened = place.promote(&[]);
    place.approve(number(&opened));
    let main = place.head("main").unwrap();
    place
        .world
        .forge
        .checks(&place.world.repository, &main, &[("unit", "success")]);
    let World {
        forge, repository, ..
    } = &place.world;
    let live = forge.environment(repository, "live", &[&place.bob]);

    let child = follow(&place, &["--merge"]);
    let job = json!({"name": "deploy", "status": "waiting", "environment": "live"});
    let (run, _) = ship(&place, &before, &job);
    let said = Said::from(child.wait_with_output().unwrap());
    // Without a terminal it does not wait for an approval forever.
    assert_eq!(said.code, Some(8), "{}", said.stderr);
    assert!(
        said.stderr
            .contains("waiting for an approval of the environment live (by bob)"),
        "{}",
        said.stderr
    );
    assert_eq!(json_of(&said)["deploy"]["state"], "waiting");

    // Called again there is nothing to promote, and the deployment is gone on with.
    forge.decide(repository, run.run, live, &place.bob, "approved");
    let failed = json!({"status": "completed", "conclusion": "failure"});
    place
        .world
        .forge
        .job(&place.world.repository, run.jobs[0], &failed);
    let said = Said::from(follow(&place, &[]).wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("live was not deployed"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("cargo xtask promote --code --undo"),
        "{}",
        said.stderr
    );
    assert_eq!(json_of(&said)["outcome"], "nothing");
}

#[test]
fn merge_makes_merge_commits_on_the_release_branch_whatever_is_usual() {
    let place = to_be_shipped();
    let opened = place.promote(&[]);
    let number = number(&opened).to_string();
    place.approve(number.parse().unwrap());
    let said = place
        .world
        .run(&["merge", &number, "--method", "squash", "--yes"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("takes merge commits only"),
        "{}",
        said.stderr
    );
    let path = format!("/repos/{}", place.world.repository.full_name);
    let only = |merge: bool| json!({"allow_merge_commit": merge, "allow_squash_merge": true});
    let _ = place
        .world
        .forge
        .rest(&place.world.owner, "PATCH", &path, &only(false));
    let said = place.world.run(&["merge", &number, "--yes"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("allows no merge commits"),
        "{}",
        said.stderr
    );
    let _ = place
        .world
        .forge
        .rest(&place.world.owner, "PATCH", &path, &only(true));
    let said = place.world.run(&["merge", &number, "--yes", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(place.tree(STABLE), place.tree("main"));
    let after = place.promote(&[]);
    assert_eq!(after["outcome"], "nothing", "{after}");
}

#[test]
fn an_undo_is_merged_and_its_lost_reply_looked_after() {
    let place = to_be_shipped();
    let first = place.tree(STABLE);
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    let undo = place.promote(&["--undo"]);
    place.approve(number(&undo));
    place
        .world
        .forge
        .fault(&json!({"method": "PUT", "path": "*/merge", "reset": "after", "times": 1}));
    let merged = place.promote(&["--undo", "--merge"]);
    assert_eq!(merged["outcome"], "merged", "{merged}");
    assert_eq!(place.tree(STABLE), first);
    let forth = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], OURS, "{forth}");
}

#[test]
fn a_release_that_moves_while_the_checks_run_is_not_merged_into() {
    let place = to_be_shipped();
    let opened = place.promote(&[]);
    place.approve(number(&opened));
    let main = place.head("main").unwrap();
    let World {
        forge, repository, ..
    } = &place.world;
    let run = forge.checks(repository, &main, &[("unit", "")]);
    let child = follow(&place, &["--merge"]);
    let asked = |path: &str| {
        let all = forge.requests();
        all.iter()
            .filter(|asked| asked.path.ends_with(path))
            .count()
    };
    let (until, before) = (Instant::now() + Duration::from_secs(60), asked("/graphql"));
    while asked("/graphql") == before {
        assert!(Instant::now() < until, "it does not follow");
        std::thread::sleep(Duration::from_millis(100));
    }
    let hot = place.commit(STABLE, "hot.txt", "x\n", "Mend it at night");
    let good = json!({"status": "completed", "conclusion": "success"});
    forge.job(repository, run.jobs[0], &good);
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("has moved meanwhile"),
        "{}",
        said.stderr
    );
    assert_eq!(place.head(STABLE).unwrap(), hot);
}

#[test]
fn where_there_is_a_queue_it_is_queued() {
    let place = to_be_shipped();
    let opened = place.promote(&[]);
    place.approve(number(&opened));
    let path = format!("/repos/{}/rulesets", place.world.repository.full_name);
    let rule = json!({
        "name": "stable", "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/stable"], "exclude": []}},
        "rules": [{"type": "merge_queue"}],
    });
    let (status, reply) = place
        .world
        .forge
        .rest(&place.world.owner, "POST", &path, &rule);
    assert_eq!(status, 201, "{reply}");
    let queued = place.promote(&["--merge"]);
    assert_eq!(queued["outcome"], "queued", "{queued}");
    assert_eq!(queued["merged_as"], Value::Null);
    // Again, it is still there, and nothing is done twice.
    let again = place.promote(&["--merge"]);
    assert_eq!(again["outcome"], "queued", "{again}");
}
