//! The workflows of `.github/workflows`, executed by act on this machine: jobs without containers, actions replaced
//! by the stand-ins in `fixtures/actions`, a bare repository for GitHub's, local workspaces for Databricks', an issuer
//! of the test's for GitHub's signed tokens, and no network.
//!
//! What act does not do is not tested here: approvals and branch rules of environments, permissions, concurrency,
//! secrets that forks do not get. docs/verification.md says so.

mod issuer;
mod stage;

use serde_json::json;
use stage::{Stage, commit};

#[test]
#[ignore = "needs act: cargo xtask ci --only act"]
fn what_is_pushed_to_main_is_deployed_to_staging_and_nothing_else_is() {
    let stage = Stage::set();
    let main = stage.clone.git(&["rev-parse", "HEAD"]);
    let said = stage.act("deploy-staging.yml", "push", &stage.push("main"));
    said.succeeded("cargo xtask deploy --target staging --yes");
    assert!(
        said.text
            .contains(&format!("staging has commit {}", &main[..7])),
        "{}",
        said.text
    );
    assert_eq!(stage.staging.deployed("staging"), Some(main.clone()));
    assert_eq!(stage.prod.deployed("prod"), None);

    // A commit that the remote has, but not on main, is refused: where the event says that it is, and where
    // act takes a push to any branch for one that starts the workflow. The checkout has one commit alone, and
    // nothing is claimed of the others.
    stage.clone.git(&["switch", "--quiet", "--create", "aside"]);
    let aside = commit(&stage.clone, "aside.txt");
    stage.clone.git(&["push", "--quiet", "origin", "aside"]);
    for branch in ["main", "aside"] {
        let said = stage.act("deploy-staging.yml", "push", &stage.push(branch));
        said.failed(&format!(
            "cannot tell whether commit {} is on main",
            &aside[..7]
        ));
    }
    assert_eq!(stage.staging.deployed("staging"), Some(main));
}

#[test]
#[ignore = "needs act: cargo xtask ci --only act"]
fn what_is_pushed_to_release_is_deployed_to_prod_by_who_is_of_that_environment() {
    let stage = Stage::set();
    let first = stage.clone.git(&["rev-parse", "HEAD"]);
    stage
        .clone
        .git(&["push", "--quiet", "origin", "main:release"]);
    let second = commit(&stage.clone, "second.txt");
    stage.clone.git(&["push", "--quiet", "origin", "main"]);

    // On main, and not on release.
    let said = stage.act("deploy-prod.yml", "push", &stage.push("release"));
    said.failed(&format!(
        "cannot tell whether commit {} is on release",
        &second[..7]
    ));
    assert_eq!(stage.prod.deployed("prod"), None);

    // A job of another environment is not let in.
    stage.clone.git(&["switch", "--quiet", "--detach", &first]);
    let said = stage.act_as("staging", "deploy-prod.yml", "push", &stage.push("release"));
    said.failed("environment:staging");
    assert_eq!(stage.prod.deployed("prod"), None);

    let said = stage.act("deploy-prod.yml", "push", &stage.push("release"));
    said.succeeded("cargo xtask deploy --target prod --yes");
    assert_eq!(stage.prod.deployed("prod"), Some(first));
    assert_eq!(stage.staging.deployed("staging"), None);
    // The job there belongs to CI, and runs as CI.
    let jobs = stage.prod.cli(&["jobs", "list"]);
    let creators = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["creator_user_name"]);
    assert!(
        creators.clone().count() > 0 && creators.clone().all(|name| name == stage::CLIENT),
        "{jobs}"
    );
}

#[test]
#[ignore = "needs act: cargo xtask ci --only act"]
fn a_version_is_promoted_by_whom_it_is_started() {
    let stage = Stage::set();
    stage
        .clone
        .git(&["push", "--quiet", "origin", "main:release"]);
    for (workflow, branch) in [
        ("deploy-staging.yml", "main"),
        ("deploy-prod.yml", "release"),
    ] {
        let said = stage.act(workflow, "push", &stage.push(branch));
        said.succeeded("cargo xtask deploy");
    }
    stage.train();
    let inputs = |version: &str| json!({"version": version, "from": "staging", "to": "prod", "id": "0123456789abcdef0123456789abcdef"});
    let dispatch = |inputs: serde_json::Value| {
        let mut event = stage.push("release");
        event["inputs"] = inputs;
        stage.act("mlops_stacks-deploy-model.yml", "workflow_dispatch", &event)
    };
    // What an input says is a value, whatever it looks like.
    let said = dispatch(inputs("--undo"));
    said.failed("invalid value '--undo'");
    let said = dispatch(inputs("7"));
    said.failed("has no version 7");
    assert_eq!(stage.prod.champion("prod"), None);

    let said = dispatch(inputs("1"));
    said.succeeded("cargo xtask promote");
    let champion = stage.prod.champion("prod").unwrap();
    let tags = champion["tags"].to_string();
    assert!(tags.contains("0123456789abcdef0123456789abcdef"), "{tags}");
    // Who asked for it; act has no name and number of a run worth looking for.
    assert!(tags.contains("nektos/act"), "{tags}");
}

#[test]
#[ignore = "needs act: cargo xtask ci --only act"]
fn pull_requests_are_tested_without_signing_in() {
    let stage = Stage::set();
    // What the steps call is not run once more: `cargo xtask ci` is what runs this test.
    let calls = stage.record_cargo();
    let sha = stage.clone.git(&["rev-parse", "HEAD"]);
    let event = json!({"number": 5, "pull_request": {"number": 5, "head": {"ref": "feat", "sha": sha},
        "base": {"ref": "main"}}, "repository": {"full_name": "acme/taxi"}});
    for (workflow, command) in [
        ("mlops_stacks-run-tests.yml", "xtask ci --only project"),
        ("xtask.yml", "xtask ci"),
        ("docs.yml", "xtask ci --only docs"),
    ] {
        let said = stage.act(workflow, "pull_request", &event);
        said.succeeded("");
        let called = std::fs::read_to_string(&calls).unwrap();
        assert_eq!(called, format!("{command}\n"), "{}", said.text);
        std::fs::remove_file(&calls).unwrap();
    }
}
