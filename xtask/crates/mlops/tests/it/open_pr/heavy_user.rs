//! The whole journey with the git settings of a heavy user, in a linked worktree, with several remotes.

use serde_json::{Value, json};
use xtask_testkit::Said;

use super::world::{NOTEBOOK, World};

#[test]
fn habits_of_years_change_nothing_about_the_journey() {
    let world = World::on_main();
    world.project.with_habits_of_years();
    let bob = world.forge.user("bob");
    world.forge.permit(&world.repository, &bob, "write");
    world.forge.protect(&world.repository, "main", &["unit"], 1);
    let backup = world.project.home().join("backup.git");
    world.git(&["init", "--quiet", "--bare", backup.to_str().unwrap()]);
    world.git(&["remote", "add", "backup", backup.to_str().unwrap()]);
    world.git(&[
        "remote",
        "add",
        "upstream-docs",
        "https://git.example.com/o/docs.git",
    ]);
    world.git_as(&world.owner, &["fetch", "--quiet", "origin"]);
    let main = world.remote_head("main");

    // `branch.autoSetupMerge=always` has it pull from main; `push.default=upstream` would push there.
    let folder = world.project.home().join("linked");
    let linked = folder.to_str().unwrap();
    world.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "careful",
        linked,
        "origin/main",
    ]);
    assert_eq!(
        world.git(&["config", "branch.careful.merge"]),
        "refs/heads/main"
    );
    let notebook = folder.join(NOTEBOOK);
    let text = std::fs::read_to_string(&notebook).unwrap();
    let mark = "# COMMAND ----------";
    std::fs::write(
        &notebook,
        text.replacen(mark, &format!("# careful\n\n{mark}"), 1),
    )
    .unwrap();
    std::fs::write(folder.join("new.txt"), "x").unwrap();

    let run = |args: &[&str]| -> Value {
        let mut command = world.xtask(args);
        let said = Said::from(command.current_dir(&folder).output().unwrap());
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    };
    let open = ["open-pr", "--yes", "--no-wait", "--no-test", "--json"];
    let opened = run(&[&open[..], &["--commit", "Fit with more care"]].concat());
    assert_eq!(
        (&opened["branch"], &opened["number"]),
        (&json!("careful"), &json!(1)),
        "{opened}"
    );
    assert_eq!(world.remote_head("main"), main);
    let sha = opened["commit"].as_str().unwrap();
    assert_eq!(world.remote_head("careful").as_deref(), Some(sha));
    let commit = world.git(&["cat-file", "commit", sha]);
    assert!(
        commit.contains("gpgsig") && commit.contains("Checked-By: a hook"),
        "{commit}"
    );
    let files = world.git(&[
        "show",
        "--no-ext-diff",
        "--no-relative",
        "--no-show-signature",
        "--format=",
        "--name-only",
        sha,
    ]);
    assert_eq!(files.lines().collect::<Vec<_>>(), ["new.txt", NOTEBOOK]);
    let body = world.pulls()[0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains(NOTEBOOK), "{body}");
    // The hook before a push saw the one push, and what only asks did not call it.
    let pushed = std::fs::read_to_string(world.project.home().join("pushed")).unwrap();
    assert_eq!(pushed.lines().count(), 1, "{pushed}");
    assert!(pushed.contains("refs/heads/careful"), "{pushed}");
    assert_eq!(
        world.git(&["config", "branch.careful.merge"]),
        "refs/heads/main"
    );

    let facts = run(&["status", "--json"]);
    assert_eq!(facts["github"]["pull_request"]["number"], 1, "{facts}");
    let branch = &facts["branch"];
    assert_eq!(
        (
            &branch["pushed"],
            &branch["ahead"],
            &branch["ahead_of_base"]
        ),
        (&json!(true), &json!(0), &json!(1)),
        "{branch}"
    );

    // Amended, it replaces what was pushed; then it is merged.
    let mut git = std::process::Command::new("git");
    git.args(["commit", "--quiet", "--amend", "--no-edit"]);
    git.current_dir(&folder).env("HOME", world.project.home());
    assert!(git.status().unwrap().success());
    let updated = run(&open);
    let sha = updated["commit"].as_str().unwrap();
    assert_ne!(opened["commit"], sha);
    let reviewed = world.repository.clone();
    world.forge.checks(&reviewed, sha, &[("unit", "success")]);
    world.forge.review(&reviewed, 1, &bob, "APPROVE", "fine");
    let merged = run(&["merge", "--yes", "--json"]);
    assert_eq!(
        (&merged["outcome"], &merged["head"]),
        (&json!("merged"), &json!(sha))
    );
    assert_eq!(run(&["merge", "--yes", "--json"])["outcome"], "merged");
}
