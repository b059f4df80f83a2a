//! `status --watch`: where nothing can be repainted, so that each change is a line.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use super::world::{BRANCH, World, log};

/// A watch under way.
struct Watching {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Watching {
    fn start(world: &World, args: &[&str]) -> Watching {
        let all = [&["status", "--watch"], args].concat();
        let mut command = world.xtask(&all);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Watching {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with these words.
    fn until(&mut self, words: &str) {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(120)) {
                Ok(line) => {
                    let found = line.contains(words);
                    self.seen.push(line);
                    if found {
                        return;
                    }
                }
                Err(_) => panic!("never said {words:?}: {:?}", self.seen),
            }
        }
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn it_follows_a_forced_push_and_waits_for_the_required_check() {
    let (world, _) = World::with_pull_request();
    world.forge.protect_with(
        &world.repository,
        "main",
        &json!({"required_status_checks": {"strict": false, "contexts": ["test", "late"]},
            "enforce_admins": false, "required_pull_request_reviews": null, "restrictions": null}),
    );
    let first = world.head();
    world
        .forge
        .checks(&world.repository, &first, &[("test", "")]);
    let mut watching = Watching::start(&world, &[]);
    watching.until(&first[..7]);
    watching.until("Pending test");

    // The branch is force-pushed: the old commit's checks no longer count.
    world.git(&["commit", "--quiet", "--amend", "--message", "rewritten"]);
    world.push(BRANCH);
    let second = world.head();
    watching.until("New push");
    let run = world.forge.checks(
        &world.repository,
        &second,
        &[("test", "success"), ("other", "")],
    );
    watching.until("Passed test");
    // One required check is still to appear: it goes on.
    assert!(watching.child.try_wait().unwrap().is_none());
    world
        .forge
        .checks(&world.repository, &second, &[("late", "success")]);
    watching.until("Passed late");
    // `other` is not required, and never ends.
    assert_eq!(run.jobs.len(), 2);
    assert_eq!(watching.code(), Some(0));
}

#[test]
fn the_code_tells_how_the_checks_stand() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.forge.checks(&world.repository, &sha, &[("slow", "")]);
    world.failed(&sha, "notebook", &log("notebook"));
    let said = world.run(&["status", "--watch", "--fail-fast"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("cargo xtask rerun --failed"),
        "{}",
        said.stderr
    );
    assert!(
        said.stdout.contains("ValueError: no customer has left"),
        "{}",
        said.stdout
    );
    let late = world.run(&["status", "--watch", "--timeout", "0"]);
    // One failed already; that another has not ended does not matter.
    assert_eq!(late.code, Some(1), "{}", late.stderr);
}

#[test]
fn pending_and_nothing_have_codes_of_their_own() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.forge.checks(&world.repository, &sha, &[("slow", "")]);
    let said = world.run(&["status", "--watch", "--timeout", "0"]);
    assert_eq!(said.code, Some(8), "{}", said.stderr);
    assert_eq!(world.run(&["status", "--exit-status"]).code, Some(8));
    world.git(&["switch", "--quiet", "--create", "here-only"]);
    let said = world.run(&["status", "--watch"]);
    assert_eq!(said.code, Some(5), "{}", said.stderr);
}

#[test]
fn faults_on_the_way_are_waited_out_and_refusals_are_not() {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world
        .forge
        .checks(&world.repository, &sha, &[("test", "success")]);
    world.forge.move_clock(3600);
    world
        .forge
        .fault(&json!({"path": "/api/graphql", "times": 1, "status": 502, "body": "<html>"}));
    let said = world.run(&["status", "--watch"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("Unknown"), "{}", said.stderr);
    world.forge.fault(
        &json!({"path": "/api/graphql", "status": 401, "body": "{\"message\": \"Bad credentials\"}"}),
    );
    let said = world.run(&["status", "--watch"]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
}
