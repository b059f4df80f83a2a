//! `deploy`, on a bundle in which everything has another name than in ours: the real Databricks CLI, the
//! local workspace, and a second clone as the remote whose branch feeds the target.

use serde_json::{Value, json};
use xtask_testkit::{Project, Said, Terminal};

/// The target that a branch feeds, and the branch.
pub(crate) const TARGET: &str = "preprod";
pub(crate) const BRANCH: &str = "main";
/// A target that everybody may deploy anything to.
pub(crate) const FREE: &str = "check";
pub(crate) const VOLUME: &str = "volumes.desk";
const SETTINGS: &str = "resources/churn.yml";

/// A clone whose `origin` has its branch.
pub(crate) fn project() -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let remote = project.home().join("origin.git");
    let remote = remote.to_str().unwrap();
    project.git(&["init", "--quiet", "--bare", remote]);
    project.git(&["remote", "add", "origin", remote]);
    let text = std::fs::read_to_string(project.root().join("xtask.toml")).unwrap();
    let fed = format!("{text}\n[targets.{TARGET}]\nbranch = \"{BRANCH}\"\n");
    std::fs::write(project.root().join("xtask.toml"), fed).unwrap();
    commit(&project, "Feed a target");
    push(&project);
    project
}

pub(crate) fn commit(project: &Project, message: &str) -> String {
    project.git(&["add", "--all"]);
    project.git(&["commit", "--quiet", "--message", message]);
    project.git(&["rev-parse", "HEAD"])
}

pub(crate) fn push(project: &Project) {
    project.git(&[
        "push",
        "--quiet",
        "origin",
        &format!("HEAD:refs/heads/{BRANCH}"),
    ]);
}

/// Takes the volume out of the bundle.
pub(crate) fn without_volume(project: &Project) {
    project.edit(
        SETTINGS,
        "  volumes:\n    desk:\n      catalog_name: ${resources.schemas.loyalty.catalog_name}\n      schema_name: ${resources.schemas.loyalty.name}\n      name: desk\n",
        "",
    );
    project.edit(
        SETTINGS,
        "${resources.volumes.desk.volume_path}",
        "/Volumes/other",
    );
}

fn deploy(project: &Project, target: &str, more: &[&str]) -> Said {
    project.run(&[&["deploy", "--target", target], more].concat())
}

fn answer(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

fn refused(said: &Said, because: &str) {
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains(because), "{}", said.stderr);
    assert!(said.stderr.contains("next: "), "{}", said.stderr);
    assert!(!said.stderr.contains("Deployed"), "{}", said.stderr);
}

#[test]
fn from_the_first_deployment_to_the_end_of_a_volume() {
    let project = project();
    let first = deploy(&project, TARGET, &["--json", "--yes"]);
    let told = answer(&first);
    let head = project.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        (&told["version"], &told["outcome"]),
        (&json!(1), &json!("deployed"))
    );
    assert_eq!(told["commit"], head.as_str());
    assert_eq!(told["deployed"], json!({"commit": head, "left": []}));
    let made = json!({"resource": VOLUME, "action": "create", "ends_data": false});
    let changes = told["changes"].as_array().unwrap();
    assert!(changes.contains(&made), "{told}");
    assert!(
        first.stderr.contains(&format!("create {VOLUME}")),
        "{}",
        first.stderr
    );
    assert!(first.stderr.contains("Verified"), "{}", first.stderr);

    // Nothing to change: the files go there all the same, and with them the commit.
    std::fs::write(project.root().join("src/loyalty/news.py"), "# new\n").unwrap();
    let second = commit(&project, "Only a file");
    push(&project);
    let said = deploy(&project, TARGET, &["--json", "--yes"]);
    let told = answer(&said);
    assert_eq!(told["changes"], json!([]));
    assert_eq!(told["deployed"]["commit"], second.as_str());
    let nothing = "Plan: no resource changes; only files are uploaded";
    assert!(said.stderr.contains(nothing), "{}", said.stderr);

    // One setting.
    project.edit(SETTINGS, "0 30 6 ? * MON", "0 45 6 ? * MON");
    commit(&project, "Later");
    push(&project);
    let planned = answer(&deploy(&project, TARGET, &["--json", "--dry-run"]));
    let change = json!([{"resource": "jobs.fit_churn", "action": "update", "ends_data": false}]);
    assert_eq!(
        (&planned["outcome"], &planned["deployed"]),
        (&json!("planned"), &Value::Null)
    );
    assert_eq!(planned["changes"], change);
    let said = deploy(&project, TARGET, &["--json", "--yes"]);
    assert_eq!(answer(&said)["changes"], change);
    assert!(said.stderr.contains("Plan: 1 to change"), "{}", said.stderr);

    // The volume: its name must be said, and only its name will do.
    without_volume(&project);
    commit(&project, "No volume");
    push(&project);
    for more in [&[][..], &["--yes"], &["--yes", "--delete", "volumes.dask"]] {
        let said = deploy(&project, TARGET, more);
        refused(
            &said,
            &format!("this would delete resources with data: {VOLUME}"),
        );
        let next = format!("cargo xtask deploy --target {TARGET} --delete {VOLUME}");
        assert!(said.stderr.contains(&next), "{}", said.stderr);
    }
    let planned = answer(&deploy(&project, TARGET, &["--json", "--dry-run"]));
    let gone = json!({"resource": VOLUME, "action": "delete", "ends_data": true});
    assert_eq!(
        planned["changes"].as_array().unwrap().last(),
        Some(&gone),
        "{planned}"
    );
    let told = answer(&deploy(
        &project,
        TARGET,
        &["--json", "--delete", VOLUME, "--yes"],
    ));
    assert!(
        told["changes"].as_array().unwrap().contains(&gone),
        "{told}"
    );
    assert_eq!(told["deployed"]["left"], json!([]));
    let left = std::fs::read_dir(project.root().join(".xtask/cache")).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().starts_with("plan-")),
        "{names:?}"
    );
}

#[test]
fn at_a_terminal_the_name_is_typed_and_a_plan_that_has_aged_is_refused() {
    let project = project();
    let _ = project.succeed(&["deploy", "--target", FREE, "--yes"]);
    without_volume(&project);
    let ask = |name: &str| {
        let mut terminal = Terminal::run(&project.xtask(&["deploy", "--target", FREE]), 100);
        terminal.answers(&format!("Type {VOLUME} to delete it"), &format!("{name}\r"));
        terminal
    };
    let seen = ask("yes").ends();
    assert_eq!(seen.code, Some(1), "{}", seen.text);
    assert!(seen.text.contains("nothing was changed"), "{}", seen.text);

    // Another deployment comes in while the prompt is open.
    let mut terminal = ask(VOLUME);
    terminal.wait_for("Deploy to check?");
    let _ = project.succeed(&["deploy", "--target", FREE, "--delete", VOLUME, "--yes"]);
    terminal.types("y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(1), "{}", seen.text);
    let moved = "check was deployed to since this was planned";
    assert!(seen.text.contains(moved), "{}", seen.text);
    assert!(seen.text.contains("review the new plan"), "{}", seen.text);

    // The same where nothing had been deployed.
    let _ = project.succeed(&["destroy", "--target", FREE, "--yes"]);
    let _ = std::fs::remove_dir_all(project.root().join(".xtask/bundle"));
    let mut terminal = Terminal::run(&project.xtask(&["deploy", "--target", FREE]), 100);
    terminal.wait_for("Deploy to check?");
    let _ = project.succeed(&["deploy", "--target", FREE, "--yes"]);
    terminal.types("y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(1), "{}", seen.text);
    assert!(seen.text.contains(moved), "{}", seen.text);
}

#[test]
fn a_branch_feeds_its_target_and_nothing_else_does() {
    let project = project();
    let earlier = project.git(&["rev-parse", "HEAD"]);
    std::fs::write(project.root().join("src/stray.py"), "# stray\n").unwrap();
    let said = deploy(&project, TARGET, &["--yes"]);
    refused(&said, "uncommitted changes");
    assert!(said.stderr.contains("src/stray.py"), "{}", said.stderr);

    // The local branch has the commit, the remote's has not.
    let later = commit(&project, "Not pushed");
    let said = deploy(&project, TARGET, &["--yes"]);
    refused(&said, &format!("commit {} is not on {BRANCH}", &later[..7]));
    // Where no branch feeds, anything goes.
    let _ = project.succeed(&["deploy", "--target", FREE, "--dry-run"]);

    // An earlier commit of the branch is on it.
    push(&project);
    project.git(&["switch", "--quiet", "--detach", &earlier]);
    let said = deploy(&project, TARGET, &["--json", "--yes"]);
    assert_eq!(answer(&said)["deployed"]["commit"], earlier.as_str());
    let older = format!("{BRANCH} has 1 newer commit");
    assert!(said.stderr.contains(&older), "{}", said.stderr);

    // A clone without the history between the two cannot tell, and says how to.
    project.git(&["fetch", "--quiet", "--depth", "1", "origin", BRANCH]);
    let said = deploy(&project, TARGET, &["--dry-run"]);
    refused(&said, "this clone is shallow");
    assert!(!said.stderr.contains("is not on"), "{}", said.stderr);
    assert!(
        said.stderr.contains("next: git fetch --unshallow origin"),
        "{}",
        said.stderr
    );
    project.git(&["fetch", "--quiet", "--unshallow", "origin"]);
    let said = deploy(&project, TARGET, &["--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);

    // A remote that does not answer: what it last said counts, loudly; without that nothing does.
    project.git(&["remote", "set-url", "origin", "/nowhere/origin.git"]);
    let said = deploy(&project, TARGET, &["--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let seen = format!("using origin/{BRANCH} as last fetched");
    assert!(said.stderr.contains(&seen), "{}", said.stderr);
    project.git(&["update-ref", "-d", &format!("refs/remotes/origin/{BRANCH}")]);
    let said = deploy(&project, TARGET, &["--dry-run"]);
    assert_eq!(said.code, Some(4), "{}", said.stderr);
    project.git(&["remote", "remove", "origin"]);
    refused(&deploy(&project, TARGET, &[]), "no remote to look up");
}
