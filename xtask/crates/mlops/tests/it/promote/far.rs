//! A destination for which only the Databricks CLI has credentials, as for one on Databricks: calls go through
//! `databricks api`, files by MLflow's own client, to whom the CLI lends its sign-in.

use xtask_testkit::Said;

use super::world::{FROM, TO, Training, World};

/// Called as a user who is signed in to the far workspace.
fn signed_in(world: &World, args: &[&str]) -> Said {
    let project = world.seen_from_afar();
    let mut command = project.xtask(args);
    command.env("DATABRICKS_TOKEN", world.to.workspace.token());
    Said::of(command)
}

#[test]
fn a_version_goes_there_and_back_through_the_cli() {
    let world = World::alone();
    let made = world.train(&Training::default());
    let said = signed_in(&world, &["promote", "--from", FROM, "--to", TO, "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let champion = world.to.champion().unwrap();
    assert_eq!(world.to.version(champion)["status"], "READY");
    assert_eq!(
        world.to.tag(champion, "mlops_artifact_digest"),
        Some(made.digest)
    );
    for text in [&said.stdout, &said.stderr] {
        assert!(
            !text.contains(world.to.workspace.token()),
            "a token is shown"
        );
    }

    let said = signed_in(&world, &["promote", "--to", TO, "--undo", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(world.to.champion(), None);
    let said = signed_in(&world, &["promote", "--to", TO, "--history"]);
    assert!(
        said.stdout.contains("taken back"),
        "{}{}",
        said.stdout,
        said.stderr
    );
}
