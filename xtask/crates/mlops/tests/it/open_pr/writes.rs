//! What a run leaves behind: one pushed ref, one pull request, opened once and updated afterwards.

use serde_json::json;

use super::world::{BRANCH, NOTEBOOK, SUBJECT, World};

#[test]
fn the_first_run_opens_and_later_ones_update_the_same() {
    let world = World::new();
    let opened = world.open(&[]);
    assert_eq!(opened["outcome"], "opened", "{opened}");
    assert_eq!(opened["number"], 1);
    let pull = &world.pulls()[0];
    assert_eq!(pull["title"], SUBJECT);
    let body = pull["body"].as_str().unwrap();
    assert!(body.starts_with("It was careless."), "{body}");
    assert!(body.contains(&format!("`{NOTEBOOK}`: cell")), "{body}");
    assert_eq!(pull["head"]["sha"], world.git(&["rev-parse", "HEAD"]));
    // One ref was pushed, and nothing else changed there.
    let refs = world.git_as(&world.owner, &["ls-remote", "origin", "refs/heads/*"]);
    assert_eq!(refs.lines().count(), 2, "{refs}");
    assert_eq!(world.git(&["remote"]), "origin");

    // Nothing is new: nothing is done.
    world.forge.clear_requests();
    let unchanged = world.open(&[]);
    assert_eq!(unchanged["outcome"], "unchanged", "{unchanged}");
    let writes = world.forge.requests();
    assert!(
        writes
            .iter()
            .all(|asked| asked.method == "GET" || asked.path.ends_with("git-upload-pack")),
        "{writes:?}"
    );

    // Something is: the same pull request is updated, and what a person wrote into it stays.
    let edited = format!("A person's word.\n\n{body}");
    let path = format!("/repos/{}/pulls/1", world.repository.full_name);
    let (status, _) = world.forge.rest(
        &world.owner,
        "PATCH",
        &path,
        &json!({"title": "Better", "body": edited}),
    );
    assert_eq!(status, 200);
    world.write("src/new.py", b"# Databricks notebook source\n1\n");
    let updated = world.open(&["--commit", "Add a notebook"]);
    assert_eq!(updated["outcome"], "updated", "{updated}");
    let pulls = world.pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0]["title"], "Better");
    let body = pulls[0]["body"].as_str().unwrap();
    assert!(body.starts_with("A person's word."), "{body}");
    assert!(body.contains("`src/new.py` is new: 1 cell"), "{body}");
    assert_eq!(pulls[0]["head"]["sha"], world.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_rewritten_branch_replaces_what_was_pushed_and_nothing_else() {
    let world = World::new();
    let _ = world.open(&[]);
    world.git(&["commit", "--quiet", "--amend", "--message", "Said better"]);
    let said = world.run(&["open-pr", "--yes", "--no-wait"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("was rewritten since it was pushed"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr
            .contains("replacing what is there if it is still"),
        "{}",
        said.stderr
    );
    assert_eq!(
        world.remote_head(BRANCH).unwrap(),
        world.git(&["rev-parse", "HEAD"])
    );

    // Another user's commit is not overwritten.
    let theirs = world.forge.commit(
        &world.repository,
        &world.owner,
        BRANCH,
        "theirs.txt",
        "x",
        "Theirs",
    );
    world.git(&["commit", "--quiet", "--amend", "--message", "Said best"]);
    let said = world.fails(1, &[]);
    assert!(said.contains("has commits that you do not have"), "{said}");
    assert!(said.contains("git pull --rebase origin"), "{said}");
    assert_eq!(world.remote_head(BRANCH).unwrap(), theirs);
}

#[test]
fn a_lost_reply_ends_in_the_same_place() {
    for fault in [
        json!({"method": "POST", "path": "*/pulls", "reset": "after", "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "status": 502, "body": "<html><title>Bad gateway</title>", "carry_out": true, "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "truncate": 40, "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "status": 502, "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "reset": "before", "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "status": 429, "headers": {"retry-after": "1"}, "body": "{\"message\": \"slow down\"}", "times": 1}),
    ] {
        let world = World::new();
        world.forge.fault(&fault);
        let opened = world.open(&["--title", "Once"]);
        assert_eq!(opened["number"], 1, "{fault}");
        assert_eq!(world.pulls().len(), 1, "{fault}");
    }
}

#[test]
fn one_opened_by_another_user_is_reused() {
    let world = World::new();
    world.push_as(&world.owner, "origin", BRANCH);
    // Nothing is there when it looks first; when it opens, there is one already.
    world.forge.fault(
        &json!({"method": "GET", "path": "*/pulls", "status": 200, "body": "[]", "times": 1}),
    );
    let number = world
        .forge
        .pull_request(&world.repository, &world.owner, BRANCH, "Theirs");
    let opened = world.open(&["--title", "Ours"]);
    assert_eq!(opened["number"], number, "{opened}");
    let pulls = world.pulls();
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0]["title"], "Ours");
}

#[test]
fn what_was_typed_outlives_a_failed_run() {
    let world = World::new();
    world.forge.fault(&json!({"method": "POST", "path": "*/pulls", "status": 403, "body": "{\"message\": \"Resource not accessible by personal access token\"}", "times": 1}));
    let said = world.fails(4, &["--title", "Typed with care", "--body", "At length."]);
    assert!(said.contains("may not open pull requests"), "{said}");
    assert!(world.pulls().is_empty());
    let opened = world.open(&[]);
    assert_eq!(opened["title"], "Typed with care", "{opened}");
    assert!(
        world.pulls()[0]["body"]
            .as_str()
            .unwrap()
            .starts_with("At length.")
    );
    // It is forgotten once it was used.
    let kept = world.project.root().join(".xtask/open-pr");
    assert_eq!(std::fs::read_dir(kept).unwrap().count(), 0);
}

#[test]
fn drafts_reviewers_and_labels() {
    let world = World::new();
    let bob = world.forge.user("bob");
    world.forge.permit(&world.repository, &bob, "write");
    let path = format!("/repos/{}/labels", world.repository.full_name);
    let (status, reply) = world.forge.rest(
        &world.owner,
        "POST",
        &path,
        &json!({"name": "model", "color": "ededed"}),
    );
    assert_eq!(status, 201, "{reply}");

    let said = world.fails(1, &["--label", "modle"]);
    assert!(said.contains("has no label modle"), "{said}");
    assert!(world.pulls().is_empty() && world.remote_head(BRANCH).is_none());

    let opened = world.open(&["--draft", "--reviewer", "bob,ann", "--label", "model"]);
    assert_eq!(opened["draft"], true, "{opened}");
    let pull = &world.pulls()[0];
    assert_eq!(pull["requested_reviewers"][0]["login"], "bob");
    assert_eq!(pull["labels"][0]["name"], "model");

    let ready = world.open(&["--ready"]);
    assert_eq!(
        (&ready["draft"], &ready["outcome"]),
        (&json!(false), &json!("updated")),
        "{ready}"
    );

    // Who cannot review is said at the end: the pull request is there.
    let said = world.fails(4, &["--reviewer", "nobody-of-that-name"]);
    assert!(said.contains("no review was requested"), "{said}");
}

#[test]
fn several_commits_and_a_template() {
    let world = World::on_main();
    world.write(
        ".github/PULL_REQUEST_TEMPLATE.md",
        b"## Checklist\n\n- [ ] tested\n",
    );
    world.commit("Add a template");
    world.push_as(&world.owner, "origin", "main");
    world.git(&["switch", "--quiet", "--create", "two-steps"]);
    for (file, subject) in [("a.txt", "First step"), ("b.txt", "Second step")] {
        world.write(file, b"x");
        world.commit(subject);
    }
    let opened = world.open(&[]);
    assert_eq!(opened["title"], "Two steps", "{opened}");
    let body = world.pulls()[0]["body"].as_str().unwrap().to_owned();
    assert_eq!(
        body,
        "- First step\n- Second step\n\n## Checklist\n\n- [ ] tested"
    );
}

#[test]
fn commits_on_main_get_a_branch_of_their_own() {
    let world = World::on_main();
    world.change("on main");
    let opened = world.open(&["--commit", "Change it on main!"]);
    assert_eq!(opened["branch"], "change-it-on-main", "{opened}");
    assert_eq!(
        world.git(&["branch", "--show-current"]),
        "change-it-on-main"
    );
    assert_eq!(world.pulls()[0]["base"]["ref"], "main");
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    world.forge.clear_requests();
    let planned = world.open(&["--dry-run"]);
    assert_eq!(planned["outcome"], "planned");
    let steps: Vec<&str> = planned["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step.as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "push more-care to ann/churn (remote origin)",
            "open a pull request into main of ann/churn, with a summary of what changed"
        ]
    );
    assert!(world.pulls().is_empty() && world.remote_head(BRANCH).is_none());
}
