//! What is not promoted, why, and that nothing was changed then.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use xtask_remote::databricks::files;
use xtask_testkit::{Fault, Gate, Rule, Said, When};

use super::world::{TO, Training, World};

/// Refused with this message, and there is no champion.
fn refused(world: &World, said: &Said, words: &str) {
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    assert!(said.stderr.contains("next:"), "{}", said.stderr);
    let (champion, challenger) = (world.to.champion(), world.to.aliased("challenger"));
    assert_eq!((champion, challenger), (None, None));
}

#[test]
fn only_what_was_found_good_where_it_stands() {
    let world = World::alone();
    let never = world.train(&Training {
        verdict: None,
        ..Training::default()
    });
    refused(
        &world,
        &world.promote(&["--yes"]),
        "carries no verdict of its own",
    );
    let rejected = world.train(&Training {
        verdict: Some("rejected"),
        alias: None,
        ..Training::default()
    });
    let number = rejected.number.to_string();
    refused(
        &world,
        &world.promote(&[&number, "--yes"]),
        "was rejected by its validation",
    );
    let said = world.promote(&[&(never.number + 100).to_string(), "--yes"]);
    refused(&world, &said, "has no version");
}

#[test]
fn files_that_changed_since_they_were_validated() {
    let world = World::alone();
    let made = world.train(&Training::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plane.json");
    std::fs::write(&file, r#"{"start": 9.5, "calls": 0.006, "bill": 0.002}"#).unwrap();
    let place = format!(
        "/Models/{}/{}/plane.json",
        world.from.model.replace('.', "/"),
        made.number
    );
    files::upload(&world.from.http, &file, &place).unwrap();
    refused(
        &world,
        &world.promote(&["--yes"]),
        "are not those that were validated",
    );
}

#[test]
fn a_version_that_does_not_predict() {
    let world = World::alone();
    let made = world.train(&Training {
        // JSON has no such number: the file says null.
        start: f64::NAN,
        ..Training::default()
    });
    let said = world.promote(&["--yes"]);
    refused(
        &world,
        &said,
        "the smoke prediction with the code of live failed",
    );
    // What stays and what is left; the challenger's alias was taken back.
    for line in [
        "  done: write on it what it is, and whom it replaces",
        "  not done: make the new version the challenger",
        "  not done: make the new version the first champion",
    ] {
        assert!(said.stderr.contains(line), "{line}: {}", said.stderr);
    }
    // The version stays, and says why it was refused.
    let number = world.to.versions()[0];
    assert_eq!(
        world.to.tag(number, "mlops_promotion_source"),
        Some(format!("{}/{}", world.from.model, made.number))
    );
    let history = world.project.succeed(&["promote", "--history", "--to", TO]);
    assert!(history.stdout.contains("refused"), "{}", history.stdout);
}

#[test]
fn nothing_without_an_agreement() {
    let world = World::alone();
    let _ = world.train(&Training::default());
    let said = world.promote(&[]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("--yes"), "{}", said.stderr);
    assert_eq!(world.to.versions(), Vec::<u64>::new());
}

/// A promotion is paused at its first alias while something else changes.
fn meanwhile(world: &World, act: impl FnOnce(&World)) -> Said {
    let gate = Gate::default();
    let first_alias = Rule::new(Fault::Hold(gate.clone(), When::Before)).matching(|asked| {
        asked.method == "POST" && asked.path.ends_with("registered-models/alias")
    });
    world.to.proxy.add(first_alias);
    let mut command = world.promotion(&["--yes"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(
        gate.wait_for(1, Duration::from_secs(60)),
        "it comes to no alias"
    );
    act(world);
    gate.open();
    Said::from(child.wait_with_output().unwrap())
}

#[test]
fn a_held_lock_is_explained_and_can_be_broken() {
    let world = World::alone();
    let _ = world.train(&Training::default());
    let path = format!("{}/promotion-{}.lock", world.to.state_path, world.to.model);
    let escaped = path.replace('/', "%2F");
    let route = format!("/api/2.0/workspace-files/import-file/{escaped}?overwrite=false");
    let held = json!({"id": "feed", "what": "promote version 9", "owner": "ben on desk:fares process 7 started 1"});
    world.to.post(&route, &held);
    let said = world.promote(&["--yes"]);
    refused(&world, &said, "another promotion holds the lock");
    for words in ["ben on desk", "seconds ago", "promote version 9"] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert_eq!(
        world.promote(&["--yes", "--break-lock", "feed-1"]).code,
        Some(1)
    );
    let (_, named) = said.stderr.split_once("--break-lock ").unwrap();
    let id = named.split_whitespace().next().unwrap();
    let said = world.promote(&["--yes", "--break-lock", id]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(world.to.champion().is_some());
}

#[test]
fn of_two_at_once_one_wins_and_the_other_changes_nothing() {
    let world = World::alone();
    let _ = world.train(&Training::default());
    let mut other = None;
    let said = meanwhile(&world, |world| other = Some(world.promote(&["--yes"])));
    let other = other.unwrap();
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    assert!(
        other.stderr.contains("another promotion holds the lock"),
        "{}",
        other.stderr
    );
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let champion = world.to.champion().expect("the winner's");
    assert_eq!(world.to.versions(), [champion]);
}

#[test]
fn a_champion_set_elsewhere_is_detected() {
    let world = World::alone();
    let _ = world.train(&Training::default());
    let first = world.promote(&["--yes"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let first = world.to.champion().unwrap();
    let _ = world.train(&Training {
        start: 3.0,
        ..Training::default()
    });
    // At the challenger's alias; then the champion's alias is removed on a page.
    let said = meanwhile(&world, |world| {
        let body = json!({"name": world.to.model, "alias": "champion"});
        world.to.delete(
            "/api/2.0/mlflow/unity-catalog/registered-models/alias",
            &body,
        );
    });
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("was moved in the meantime"),
        "{}",
        said.stderr
    );
    assert_eq!(
        (world.to.champion(), world.to.aliased("challenger")),
        (None, None)
    );

    // An undo after the champion was moved says so.
    let second = first + 1;
    world.to.set_alias("champion", second);
    let said = world
        .project
        .run(&["promote", "--to", TO, "--undo", "--yes"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr
            .contains(&format!("since version {first} was promoted")),
        "{}",
        said.stderr
    );
    assert_eq!(world.to.champion(), Some(second));
}
