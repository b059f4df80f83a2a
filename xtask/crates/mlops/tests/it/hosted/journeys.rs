//! The commands that meet such a workspace, one after the other.

use std::time::{Duration, Instant};

use serde_json::Value;
use xtask_testkit::{Answer, Said};

use super::world::{Host, TARGET, World};

/// How long a command may take that waits 15 s for a workspace, on a loaded machine.
const LIMIT: Duration = Duration::from_secs(75);

fn within(world: &World, args: &[&str], signed_in: bool) -> Said {
    let started = Instant::now();
    let said = world.run(args, signed_in);
    let took = started.elapsed();
    assert!(took < LIMIT, "{args:?} took {took:?}: {}", said.stderr);
    said
}

/// `status` shows why, and the other targets; `deploy` ends with the code and the words.
fn refused(world: &World, signed_in: bool, code: i32, says: &str) {
    let status = within(world, &["status"], signed_in);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let screen = status
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(screen.contains(says), "{says}: {screen}");
    assert!(screen.contains("sandbox"), "{screen}");
    let deploy = within(
        world,
        &["deploy", "--target", TARGET, "--dry-run"],
        signed_in,
    );
    assert_eq!(deploy.code, Some(code), "{says}: {}", deploy.stderr);
    assert!(deploy.stderr.contains(says), "{says}: {}", deploy.stderr);
    assert!(deploy.stderr.contains("next:"), "{says}: {}", deploy.stderr);
    if code == 6 {
        let login = format!("databricks auth login --host {}", world.host);
        assert!(deploy.stderr.contains(&login), "{}", deploy.stderr);
    }
}

/// The other commands, which look at that workspace beside other things.
fn beside(world: &World, code: i32, says: &str) {
    let bundle = within(world, &["ci", "--only", "bundle"], false);
    assert_eq!(bundle.code, Some(0), "{}", bundle.stderr);
    let named = format!("not validated: {TARGET}");
    assert!(bundle.stderr.contains(&named), "{}", bundle.stderr);

    let setup = within(world, &["setup", "--check"], true);
    assert_eq!(setup.code, Some(code), "{}{}", setup.stdout, setup.stderr);
    assert!(setup.stdout.contains(says), "{says}: {}", setup.stdout);
    assert!(setup.stdout.contains("target preprod"), "{}", setup.stdout);

    world.clone.git(&["switch", "--quiet", "slower"]);
    let args = ["open-pr", "--yes", "--no-wait", "--no-test", "--dry-run"];
    let open_pr = within(world, &args, true);
    assert_eq!(open_pr.code, Some(0), "{}", open_pr.stderr);
}

/// Errors in the files are found without signing in.
fn a_wrong_bundle_fails(world: &World) {
    let project = &world.clone.project;
    for (from, to, says) in [
        ("catalog: preprod", "catlog: preprod", "catlog"),
        ("name: loyalty2", "name: [loyalty2", "databricks.yml"),
    ] {
        project.edit("databricks.yml", from, to);
        let said = world.run(&["ci", "--only", "bundle"], false);
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        assert!(said.stderr.contains(says), "{}", said.stderr);
        project.edit("databricks.yml", to, from);
    }
}

#[test]
fn a_workspace_that_answers_nothing() {
    let world = World::new(&Host::Silent);
    let says = "did not respond within 15 s";
    refused(&world, true, 4, says);
    beside(&world, 4, says);
}

#[test]
fn an_address_at_which_nothing_listens() {
    let world = World::new(&Host::Closed);
    let started = Instant::now();
    refused(&world, true, 4, "connection refused");
    // The look at the local targets waits for none of it, and this one needs no 15 s.
    let facts = world.run(&["status", "--json"], true);
    let facts: Value = serde_json::from_str(&facts.stdout).unwrap();
    let names: Vec<&str> = facts["environments"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|environment| environment["target"].as_str())
        .collect();
    assert_eq!(names, ["sandbox", "check", "preprod", "live"]);
    assert!(started.elapsed() < LIMIT);
    beside(&world, 4, "connection refused");
}

#[test]
fn without_a_sign_in() {
    let world = World::new(&Host::Says(Answer::error(
        401,
        "UNAUTHENTICATED",
        "expired",
    )));
    let says = "not authenticated to";
    refused(&world, false, 6, says);
    refused(&world, true, 6, says);
    beside(&world, 6, says);
    a_wrong_bundle_fails(&world);
}

#[test]
fn what_a_workspace_answers_instead_is_told() {
    let page = "<html><head><title>Sign in to Corp</title></head><body>x</body></html>";
    let html = Answer::status(200).header("Content-Type", "text/html");
    let blocked = "Source IP address 1.2.3.4 is blocked";
    for (host, code, says) in [
        (Host::Says(html.body(page)), 4, "returned a web page"),
        (Host::Login, 4, "returned a web page"),
        (Host::Says(Answer::error(403, "403", blocked)), 4, blocked),
        (
            Host::Says(Answer::error(
                403,
                "403",
                "Invalid access token. [ReqId: 1]",
            )),
            6,
            "not authenticated to",
        ),
        (
            Host::Says(Answer::status(503).body("maintenance")),
            4,
            "503",
        ),
    ] {
        let world = World::new(&host);
        refused(&world, true, code, says);
    }
}
