//! New projects at work: tested, proposed, merged, deployed, promoted and taken back.

use std::fs;

use serde_json::Value;
use xtask_testkit::{Project, Said, repository};

use super::world::World;
use crate::open_pr::world::World as Proposed;

/// As the README's second section says.
#[test]
fn a_regression_goes_from_its_first_test_to_production_and_back() {
    let page = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, section) = page.split_once("## Your own project\n").unwrap();
    let lines: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    let [init, cd, test] = lines[..3] else {
        panic!("{section}");
    };
    let (world, shell) = (World::new(), |mut command: std::process::Command| {
        let said = Said::from(command.output().unwrap());
        assert_eq!(said.code, Some(0), "{command:?}: {}", said.stderr);
    });
    let mut line = world.tool.shell(&format!("{init} && {cd}"));
    line.env("CARGO_HOME", world.cargo_home());
    shell(line);
    let project = Project::moved_from(&world.folder("churn"), env!("CARGO_BIN_EXE_xtask-mlops"));
    shell(project.shell(test));
    walk(project);
}

#[test]
fn a_classification_goes_from_its_first_test_to_production_and_back() {
    let world = World::new();
    let made = world.make("win-back", &["--kind=classification", "--package=leaving"]);
    walk(Project::moved_from(
        &made,
        env!("CARGO_BIN_EXE_xtask-mlops"),
    ));
}

#[test]
fn a_renamed_sample_is_trained() {
    let world = World::new();
    let made = world.make("fares", &["--example", "taxi"]);
    let project = Project::moved_from(&made, env!("CARGO_BIN_EXE_xtask-mlops"));
    let _ = project.succeed(&["ci", "--only", "locks,ruff,bundle"]);
    let _ = project.succeed(&["test", "integration"]);
}

fn walk(project: Project) {
    // What its workflow runs, besides the tests.
    let _ = project.succeed(&["ci", "--only", "locks,ruff,bundle"]);
    let said = project.succeed(&["test", "--json"]);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["verdict"], "passed", "{told}");
    assert_eq!(told["integration"]["model"]["version"], 1, "{told}");

    let work = Proposed::of(project);
    work.git(&["switch", "--quiet", "--create", "first-thought"]);
    work.project.edit(
        "notebooks/Train.py",
        "# COMMAND ----------",
        "# A thought\n\n# COMMAND ----------",
    );
    work.commit("Think");
    let opened = work.open(&[]);
    assert_eq!(opened["number"], 1, "{opened}");
    let reviewer = work.forge.user("bob");
    work.forge.permit(&work.repository, &reviewer, "write");
    let sha = work.git(&["rev-parse", "HEAD"]);
    work.forge.checks(
        &work.repository,
        &sha,
        &[("Unit and integration tests", "success")],
    );
    work.forge
        .review(&work.repository, 1, &reviewer, "APPROVE", "fine");
    let done = |args: &[&str]| {
        let said: Said = work.run(args);
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
        said
    };
    let _ = done(&["merge", "--yes"]);
    work.git(&["switch", "--quiet", "main"]);
    work.git_as(&work.owner, &["pull", "--quiet", "origin", "main"]);
    work.git_as(&work.owner, &["push", "--quiet", "origin", "main:release"]);

    for target in ["staging", "prod"] {
        let _ = done(&["deploy", "--target", target, "--yes"]);
    }
    for (from, to) in [("test", "staging"), ("staging", "prod")] {
        let said = done(&["promote", "--from", from, "--to", to, "--yes"]);
        assert!(said.stderr.contains("Predicted"), "{}", said.stderr);
    }
    let _ = done(&["promote", "--to", "prod", "--undo", "--yes"]);
}
