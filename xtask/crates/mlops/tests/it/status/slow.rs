//! What takes its time holds up nothing else.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use xtask_testkit::{Fault, FaultProxy, Gate, Rule, When};

use super::world::World;
use crate::hosted::world::{Host, TARGET, World as Hosted};

/// `status` while it runs, and what it prints.
fn started(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    let mut status = command.stdout(Stdio::piped()).spawn().unwrap();
    let printed = BufReader::new(status.stdout.take().unwrap());
    (status, printed)
}

/// The lines up to the first row of targets.
fn to_the_targets(printed: &mut impl std::io::BufRead) -> String {
    let mut seen = String::new();
    for line in printed.lines().map(Result::unwrap) {
        seen = format!("{seen}{line}\n");
        if line.trim_start().starts_with("targets ") {
            return seen;
        }
    }
    panic!("no targets: {seen}");
}

#[test]
fn environments_are_shown_before_a_slow_github() {
    let (world, _) = World::with_pull_request();
    let proxy = FaultProxy::before(world.forge.url());
    let gate = Gate::default();
    let held = Fault::Hold(gate.clone(), When::Before);
    let is_question = |passed: &xtask_testkit::Passed| passed.path.contains("graphql");
    proxy.add(Rule::new(held).matching(is_question).always());
    let through = world
        .repository
        .clone_url
        .replace(world.forge.url(), &proxy.url());
    world.git(&["remote", "set-url", "origin", &through]);

    let (mut status, mut printed) = started(world.xtask(&["status"]));
    let seen = to_the_targets(&mut printed);
    assert!(seen.contains("sandbox, check, preprod, live"), "{seen}");
    assert!(!seen.contains("Round fares"), "{seen}");
    gate.open();
    let rest: Vec<String> = printed.lines().map(Result::unwrap).collect();
    let rest = rest.join("\n");
    assert!(rest.contains("Round fares to cents"), "{seen}\n{rest}");
    assert!(status.wait().unwrap().success());
}

#[test]
fn github_and_the_others_are_shown_before_a_slow_environment() {
    let world = Hosted::new(&Host::Silent);
    let mut command = world.clone.xtask(&["status"]);
    command.env("DATABRICKS_TOKEN", "dapiCANARYhosted");
    let (mut status, mut printed) = started(command);
    let seen = to_the_targets(&mut printed);
    assert!(seen.contains("checks  none"), "{seen}");
    assert!(seen.contains("sandbox, check, live"), "{seen}");
    assert!(!seen.contains(TARGET), "{seen}");
    assert!(status.try_wait().unwrap().is_none());
    status.kill().unwrap();
    status.wait().unwrap();
}
