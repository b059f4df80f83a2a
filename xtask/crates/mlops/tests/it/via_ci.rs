//! `promote --via-ci` against a local GitHub, where the test does what GitHub's runners and reviewers do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask_testkit::{Account, Forge, Project, Said, Terminal};

use crate::open_pr::world::World;

const VIA_CI: &[&str] = &["promote", "--from", "test", "--to", "staging", "--via-ci"];

/// The clone, the forge, and who reviews.
struct Place {
    world: World,
    bob: Account,
    environment: i64,
}

impl Place {
    /// This repository, with nothing trained yet.
    fn new() -> Place {
        let forge = Forge::start();
        let (owner, bob) = (forge.user("ann"), forge.user("bob"));
        let world = World {
            repository: forge.repository(&owner, "taxi"),
            project: Project::of_this_repository(env!("CARGO_BIN_EXE_xtask-mlops")),
            me: owner.clone(),
            owner,
            forge,
        };
        world.git(&["remote", "add", "origin", &world.repository.clone_url]);
        world.push_as(&world.owner, "origin", "main");
        world.forge.permit(&world.repository, &bob, "write");
        let environment = world
            .forge
            .environment(&world.repository, "staging", &[&bob]);
        Place {
            world,
            bob,
            environment,
        }
    }

    /// With a model in `test`, and the code in `staging`.
    fn trained() -> Place {
        let place = Place::new();
        for args in [
            &["test", "integration"][..],
            &["deploy", "--target", "staging", "--yes"],
        ] {
            let said = place.world.run(args);
            assert_eq!(said.code, Some(0), "{}", said.stderr);
        }
        place
    }

    fn promote(&self, args: &[&str]) -> Said {
        self.world.run(&[VIA_CI, &["--yes"], args].concat())
    }

    /// `promote --via-ci` at a terminal.
    fn sit(&self) -> Terminal {
        Terminal::run(&self.world.xtask(VIA_CI), 120)
    }

    /// What was asked for, oldest first.
    fn dispatches(&self) -> Vec<Value> {
        let path = format!(
            "/repositories/{}/dispatches",
            self.world.repository.full_name
        );
        let told = self.world.forge.control("GET", &path, &Value::Null);
        told.as_array().unwrap().clone()
    }

    /// The newest run, once there are so many; its number and name.
    fn run(&self, count: usize) -> (i64, String) {
        let began = Instant::now();
        while self.dispatches().len() < count {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nothing was asked for"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let path = format!("/repos/{}/actions/runs", self.world.repository.full_name);
        let (_, told) = self.world.forge.rest(&self.bob, "GET", &path, &Value::Null);
        let run = &told["workflow_runs"][0];
        let name = run["display_title"].as_str().unwrap();
        (run["id"].as_i64().unwrap(), name.to_owned())
    }

    /// Has the run wait for its environment; the job.
    fn wait_for_approval(&self, run: i64) -> i64 {
        let jobs =
            json!([{"name": "Promote to staging", "status": "waiting", "environment": "staging"}]);
        self.world
            .forge
            .jobs(&self.world.repository, run, &jobs)
            .jobs[0]
    }

    /// The job of a run.
    fn job(&self, run: i64) -> i64 {
        let name = &self.world.repository.full_name;
        let path = format!("/repos/{name}/actions/runs/{run}/jobs");
        let (_, told) = self.world.forge.rest(&self.bob, "GET", &path, &Value::Null);
        told["jobs"][0]["id"].as_i64().unwrap()
    }

    fn decide(&self, run: i64, state: &str) {
        let World {
            forge, repository, ..
        } = &self.world;
        forge.decide(repository, run, self.environment, &self.bob, state);
    }
}

/// The id in a run's name.
fn id(name: &str) -> &str {
    name.rsplit_once('(').unwrap().1.trim_end_matches(')')
}

#[test]
fn ci_promotes_after_an_approval_whatever_happens_to_the_follower() {
    let place = Place::trained();
    let World {
        forge, repository, ..
    } = &place.world;

    // Shown only.
    let said = place.promote(&["--dry-run", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("start mlops_stacks-deploy-model.yml"),
        "{}",
        said.stderr
    );
    assert!(place.dispatches().is_empty());

    // The reply to the request is lost; there is no terminal to wait for an approval.
    forge.fault(&json!({"method": "POST", "path": "*/dispatches", "times": 1, "reset": "after"}));
    let (said, run, name) = std::thread::scope(|scope| {
        let promote = scope.spawn(|| place.promote(&[]));
        let (run, name) = place.run(1);
        let _ = place.wait_for_approval(run);
        (promote.join().unwrap(), run, name)
    });
    assert_eq!(said.code, Some(8), "{}", said.stderr);
    assert!(
        said.stderr.contains("no good answer came"),
        "{}",
        said.stderr
    );
    let waits = "waiting for an approval of the environment staging: bob may give it";
    assert!(said.stderr.contains(waits), "{}", said.stderr);
    assert!(
        said.stderr
            .contains(&format!("approve it at {}", forge.url())),
        "{}",
        said.stderr
    );
    assert!(
        name.starts_with("Promote version 1 from test to staging ("),
        "{name}"
    );
    let given = &place.dispatches()[0];
    assert_eq!(given["ref"], "main");
    assert_eq!(
        given["inputs"],
        json!({"version": "1", "from": "test", "to": "staging", "id": id(&name)})
    );

    // Called again, it follows the same run; Ctrl-C leaves that alone and says how to come back.
    let said = place.promote(&[]);
    assert_eq!(said.code, Some(8), "{}", said.stderr);
    assert!(said.stderr.contains("under way already"), "{}", said.stderr);
    let mut terminal = place.sit();
    terminal.wait_for("bob may give it");
    terminal.types("\u{3}");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(130), "{}", seen.text);
    assert!(
        seen.text.contains(&format!("run {run} goes on")),
        "{}",
        seen.text
    );
    let again = "cargo xtask promote --from test --to staging --via-ci   # follows it again";
    assert!(seen.text.contains(again), "{}", seen.text);

    // Through the approval to the end. GitHub is silent for a moment meanwhile.
    let mut terminal = place.sit();
    terminal.wait_for("bob may give it");
    let job = place.job(run);
    place.decide(run, "approved");
    let path = format!("*/actions/runs/{run}");
    forge.fault(&json!({"method": "GET", "path": path, "times": 4, "status": 502}));
    let steps = json!([{"name": "cargo xtask promote", "status": "in_progress"}]);
    forge.job(
        repository,
        job,
        &json!({"status": "in_progress", "steps": steps}),
    );
    terminal.wait_for("running: cargo xtask promote");
    let by_ci = [
        "promote",
        "--from=test",
        "--to=staging",
        "--id",
        id(&name),
        "--yes",
        "--",
        "1",
    ];
    let said = place.world.run(&by_ci);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    forge.job(repository, job, &json!({"conclusion": "success"}));
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    assert!(seen.text.contains("Verified"), "{}", seen.text);
    assert_eq!(place.dispatches().len(), 1);
    // The registry knows it by the id that the run has in its name.
    let said = place
        .world
        .run(&["promote", "--history", "--to", "staging", "--json"]);
    let history: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(history["promotions"][0]["id"], id(&name), "{history}");

    // There is nothing left to ask for.
    let said = place.promote(&[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("Unchanged"), "{}", said.stderr);
    assert_eq!(place.dispatches().len(), 1);

    after_an_undo(&place);
}

/// A reviewer's no, a job that fails, and a run that lies.
fn after_an_undo(place: &Place) {
    let World {
        forge, repository, ..
    } = &place.world;
    let said = place
        .world
        .run(&["promote", "--undo", "--to", "staging", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let ended = |count: usize, end: &(dyn Fn(i64) + Sync)| {
        std::thread::scope(|scope| {
            let promote = scope.spawn(|| place.promote(&["1"]));
            end(place.run(count).0);
            promote.join().unwrap()
        })
    };
    let said = ended(2, &|run| {
        let _ = place.wait_for_approval(run);
        place.decide(run, "rejected");
    });
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("the run was not approved"),
        "{}",
        said.stderr
    );

    let log = "2026-01-01T00:00:00.0000000Z ##[group]Run cargo xtask promote\n2026-01-01T00:00:00.0000000Z ##[endgroup]\n2026-01-01T00:00:00.0000000Z error: somebody else holds the lock of staging\n2026-01-01T00:00:01.0000000Z ##[error]Process completed with exit code 1.\n";
    let steps = json!([{"name": "cargo xtask promote", "conclusion": "failure"}]);
    let failed = json!([{"name": "Promote to staging", "conclusion": "failure", "steps": steps, "log": log}]);
    let said = ended(3, &|run| drop(forge.jobs(repository, run, &failed)));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr
            .contains("somebody else holds the lock of staging"),
        "{}",
        said.stderr
    );

    let well = json!([{"name": "Promote to staging", "conclusion": "success"}]);
    let said = ended(4, &|run| drop(forge.jobs(repository, run, &well)));
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let lie = "the run ended well, and version 1";
    assert!(said.stderr.contains(lie), "{}", said.stderr);

    // What GitHub refuses is said with what to do about it, and is not asked for twice.
    for (status, because, next) in [
        (
            404,
            "has no workflow mlops_stacks-deploy-model.yml on its default branch",
            "merge the workflow there first",
        ),
        (
            403,
            "the token may not start mlops_stacks-deploy-model.yml",
            "Actions: write",
        ),
        (
            422,
            "cannot be started on main like this",
            "cargo xtask promote --code",
        ),
    ] {
        let body = json!({"message": "Refused"}).to_string();
        forge.clear_requests();
        forge.fault(&json!({"method": "POST", "path": "*/dispatches", "times": 9, "status": status, "body": body}));
        let said = place.promote(&[]);
        forge.clear_faults();
        assert_eq!(said.code, Some(4), "{}", said.stderr);
        assert!(said.stderr.contains(because), "{}", said.stderr);
        assert!(said.stderr.contains(next), "{}", said.stderr);
        let asked = forge.requests();
        let sent = asked.iter().filter(|one| one.path.ends_with("/dispatches"));
        assert_eq!(sent.count(), 1);
    }
}

#[test]
fn what_is_not_set_up_is_said() {
    let place = Place::new();
    let said = place.promote(&["--plan", "plan.json"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    place
        .world
        .project
        .edit("xtask.toml", "branch = \"main\"", "# \"main\"");
    let said = place.promote(&[]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("no branch feeds target staging"),
        "{}",
        said.stderr
    );
    place.world.project.edit(
        "xtask.toml",
        "deploy-model-workflow",
        "# deploy-model-workflow",
    );
    let said = place.promote(&[]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("deploy-model-workflow = "),
        "{}",
        said.stderr
    );
}
