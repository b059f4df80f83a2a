//! What is found before anything is pushed.

use serde_json::json;
use xtask_testkit::Said;

use super::world::{BRANCH, NOTEBOOK, World};

#[test]
fn everything_that_stands_in_the_way_is_said_at_once() {
    let world = World::new();
    // In two pieces, so that this file holds no such line.
    let secret = format!("token = 'dapi{}'\n", "0123456789abcdef".repeat(2));
    world.write("src/config.py", secret.as_bytes());
    world.write("data.bin", &vec![b'x'; 11 * 1024 * 1024]);
    world.write(
        "src/Explore.ipynb",
        br#"{"cells": [{"source": "1", "outputs": [{"output_type": "stream", "text": "x"}]}]}"#,
    );
    world.commit("Add what should not be there");
    // main moves on, in a way that conflicts.
    let root = world.project.root();
    let text = std::fs::read_to_string(root.join(NOTEBOOK)).unwrap();
    let conflicting = text.replace("with more care", "quite otherwise");
    let _ = world.forge.commit(
        &world.repository,
        &world.owner,
        "main",
        NOTEBOOK,
        &conflicting,
        "Otherwise",
    );
    world.write("left-over.txt", b"x");

    let said = world.fails(1, &["--label", "none-such"]);
    for found in [
        "src/config.py:1 (a Databricks token, in commit",
        "data.bin has 11 MB",
        "src/Explore.ipynb holds the output of 1 cell",
        "it conflicts with main in src/fit.py",
        "1 file is not committed",
        "has no label none-such",
        "2 things stand in the way",
    ] {
        assert!(said.contains(found), "{found}:\n{said}");
    }
    assert!(world.remote_head(BRANCH).is_none());
    assert!(!said.contains("dapi0123"), "{said}");
}

#[test]
fn each_obstacle_has_its_remedy() {
    type Prepare = fn(&World);
    let cases: &[(&str, Prepare, &str, &str)] = &[
        (
            "a rebase",
            |world| {
                let folder = world.project.root().join(".git/rebase-merge");
                std::fs::create_dir(folder).unwrap();
            },
            "a rebase is under way",
            "git rebase --continue",
        ),
        (
            "no remote",
            |world| drop(world.git(&["remote", "remove", "origin"])),
            "this clone has no remote",
            "git remote add origin",
        ),
        (
            "another forge",
            |world| {
                drop(world.git(&["remote", "set-url", "origin", "https://git.example.com/o/r"]))
            },
            "origin points to git.example.com",
            "host = \"HOST\"",
        ),
        (
            "a local remote",
            |world| drop(world.git(&["remote", "set-url", "origin", "/srv/none"])),
            "origin points to a local folder",
            "[github]",
        ),
        (
            "no such repository",
            |world| {
                let url = format!("{}/ann/none", world.forge.url());
                world.git(&["remote", "set-url", "origin", &url]);
            },
            "has no repository ann/none",
            "/settings/tokens",
        ),
        (
            "nothing new",
            |world| drop(world.git(&["reset", "--quiet", "--hard", "origin/main"])),
            "there is nothing to propose",
            "commit it",
        ),
        (
            "nothing committed",
            |world| {
                world.git(&["reset", "--quiet", "--hard", "origin/main"]);
                world.change("not committed");
            },
            "the changes are not committed",
            "--commit MESSAGE",
        ),
        (
            "a merged branch",
            |world| {
                let _ = world.open(&[]);
                let path = format!("/repos/{}/pulls/1/merge", world.repository.full_name);
                let (status, reply) = world.forge.rest(
                    &world.owner,
                    "PUT",
                    &path,
                    &json!({"merge_method": "squash"}),
                );
                assert_eq!(status, 200, "{reply}");
            },
            "was merged already, by pull request 1",
            "git switch --create",
        ),
    ];
    for (name, prepare, what, next) in cases {
        let world = World::new();
        prepare(&world);
        let said = world.fails(1, &[]);
        assert!(said.contains(what), "{name}: {said}");
        assert!(said.contains(next), "{name}: {said}");
    }
}

#[test]
fn a_closed_pull_request_is_followed_by_a_new_one() {
    let world = World::new();
    let _ = world.open(&[]);
    let path = format!("/repos/{}/pulls/1", world.repository.full_name);
    let (status, _) = world
        .forge
        .rest(&world.owner, "PATCH", &path, &json!({"state": "closed"}));
    assert_eq!(status, 200);
    let opened = world.open(&[]);
    assert_eq!(opened["number"], 2, "{opened}");
    let found = opened["findings"].to_string();
    assert!(
        found.contains("pull request 1 of this branch was closed"),
        "{found}"
    );
}

#[test]
fn a_detached_head_gets_a_branch() {
    let world = World::new();
    world.git(&["switch", "--quiet", "--detach"]);
    let opened = world.open(&["--branch", "found-again"]);
    assert_eq!(opened["branch"], "found-again");
    assert_eq!(world.pulls().len(), 1);
}

#[test]
fn a_new_branch_does_not_move_one_that_is_there() {
    let world = World::on_main();
    world.push_as(&world.owner, "origin", "main:refs/heads/taken");
    world.change("something");
    let said = world.fails(4, &["--commit", "Change it", "--branch", "taken"]);
    assert!(said.contains("choose another name with --branch"), "{said}");
    assert!(world.pulls().is_empty());
    assert_eq!(
        world.remote_head("taken").unwrap(),
        world.git(&["rev-parse", "main"])
    );
}

#[test]
fn without_a_push_right_it_goes_to_a_fork_or_says_how_to_make_one() {
    let mut world = World::new();
    let bob = world.forge.user("bob");
    world.me = bob.clone();
    let said = world.fails(1, &[]);
    assert!(said.contains("you may not push to ann/churn"), "{said}");
    assert!(said.contains("/ann/churn/fork"), "{said}");
    assert!(
        said.contains(&format!(
            "git remote add fork {}/bob/churn.git",
            world.forge.url()
        )),
        "{said}"
    );
    assert!(world.remote_head(BRANCH).is_none());

    // The fork is there, but no remote leads to it: none is added, and the command is said.
    let fork = world.forge.fork(&world.repository, &bob);
    let said = world.fails(1, &[]);
    assert!(said.contains("you have a fork already"), "{said}");
    assert_eq!(world.git(&["remote"]), "origin");

    world.git(&["remote", "add", "mine", &fork.clone_url]);
    world.write(
        ".github/workflows/test.yml",
        b"name: The tests\non: pull_request\njobs: {}\n",
    );
    world.commit("Add a workflow");
    let said = world.run(&["open-pr", "--yes", "--no-wait", "--dry-run"]);
    assert!(
        said.stderr
            .contains("the branch goes to bob/churn, a fork (remote mine)"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("without secrets: The tests"),
        "{}",
        said.stderr
    );
    let opened = world.open(&[]);
    assert_eq!(opened["head_repository"], "bob/churn", "{opened}");
    let pull = &world.pulls()[0];
    assert_eq!(pull["head"]["label"], format!("bob:{BRANCH}"));
    assert!(world.remote_head(BRANCH).is_none());
    assert_eq!(world.open(&[])["outcome"], "unchanged");
}

#[test]
fn the_same_branch_name_in_a_fork_is_another_branch() {
    let world = World::new();
    let eve = world.forge.user("eve");
    let fork = world.forge.fork(&world.repository, &eve);
    let _ = world
        .forge
        .commit(&fork, &eve, BRANCH, "x.txt", "x", "Theirs");
    let path = format!("/repos/{}/pulls", world.repository.full_name);
    let body = json!({"title": "Theirs", "head": format!("eve:{BRANCH}"), "base": "main"});
    let (status, reply) = world.forge.rest(&eve, "POST", &path, &body);
    assert_eq!(status, 201, "{reply}");
    let opened = world.open(&[]);
    assert_eq!(
        (&opened["outcome"], &opened["number"]),
        (&json!("opened"), &json!(2)),
        "{opened}"
    );
}

#[test]
fn a_clone_of_a_fork_proposes_to_its_parent() {
    let mut world = World::new();
    let bob = world.forge.user("bob");
    let fork = world.forge.fork(&world.repository, &bob);
    world.me = bob;
    world.git(&["remote", "set-url", "origin", &fork.clone_url]);
    let opened = world.open(&[]);
    assert_eq!(opened["repository"], "ann/churn", "{opened}");
    assert_eq!(opened["head_repository"], "bob/churn");
    // Unless --draft or the like says otherwise.
    let own = world.open(&["--repo", "bob/churn"]);
    assert_eq!(own["repository"], "bob/churn", "{own}");
}

#[test]
fn without_a_token_it_pushes_and_names_the_page() {
    let world = World::new();
    let helper = format!(
        "!f() {{ echo username=x; echo password={}; }}; f",
        world.owner.token
    );
    // git has credentials for the server that xtask cannot read.
    let url = world.forge.url().to_owned();
    world.git(&[
        "config",
        &format!("http.{url}/.extraHeader"),
        &format!("Authorization: Basic {}", basic(&world.owner.token)),
    ]);
    drop(helper);
    let mut command = world
        .project
        .xtask(&["open-pr", "--yes", "--title", "A & B", "--body", "x\ny"]);
    command.env_remove("GH_ENTERPRISE_TOKEN");
    let said = Said::of(command);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("no token for 127.0.0.1:"),
        "{}",
        said.stderr
    );
    let page = said.stdout.trim();
    assert_eq!(
        page,
        format!(
            "{url}/ann/churn/compare/main...{BRANCH}?quick_pull=1&title=A%20%26%20B&body=x%0Ay"
        )
    );
    assert!(world.remote_head(BRANCH).is_some());
}

fn basic(token: &str) -> String {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "printf 'x:%s' \"$1\" | base64 -w0", "sh", token]);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}
