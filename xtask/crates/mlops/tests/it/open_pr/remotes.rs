//! Remotes as they are in real clones: renamed, mirrored, aliased, shallow, signed in to by other ways, broken.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use xtask_testkit::Said;

use super::world::{BRANCH, World};

#[test]
fn a_renamed_repository_is_the_same_repository() {
    let world = World::new();
    let path = format!("/repos/{}", world.repository.full_name);
    let name = json!({"name": "attrition"});
    let (renamed, reply) = world.forge.rest(&world.owner, "PATCH", &path, &name);
    assert_eq!(renamed, 200, "{reply}");
    let opened = world.open(&["--no-test"]);
    assert_eq!(opened["repository"], "ann/attrition", "{opened}");
    assert_eq!(opened["head_repository"], "ann/attrition");
    let found = opened["findings"].to_string();
    assert!(
        found.contains("the remote origin has the old name ann/churn of ann/attrition: git remote set-url origin"),
        "{found}"
    );
    let said = world.run(&["status", "--json"]);
    let facts: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(facts["github"]["pull_request"]["number"], 1, "{facts}");
    let said = world.run(&["merge", "--dry-run"]);
    assert!(said.stderr.contains("Request 1"), "{}", said.stderr);
}

#[test]
fn a_header_of_gits_own_is_the_only_one() {
    let world = World::new();
    let server = world.forge.url();
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        "printf 'x:%s' \"$1\" | base64 -w0",
        "sh",
        &world.owner.token,
    ]);
    let basic = String::from_utf8(command.output().unwrap().stdout).unwrap();
    // For the server, and for every one; as `actions/checkout` writes it.
    for scope in [
        format!("http.{server}/.extraheader"),
        "http.extraheader".to_owned(),
    ] {
        world.git(&["config", &scope, &format!("AUTHORIZATION: basic {basic}")]);
        world.change(&scope);
        let done = world.open(&["--no-test", "--commit", "Go on"]);
        assert_eq!(done["number"], 1, "{done}");
        world.git(&["config", "--unset", &scope]);
    }
    // One that is for another server, or no credential, takes nothing away.
    world.git(&[
        "config",
        "http.https://elsewhere.example/.extraheader",
        "Authorization: basic eA==",
    ]);
    world.git(&["config", "http.extraheader", "X-Trace: 1"]);
    world.change("once more");
    let done = world.open(&["--no-test", "--commit", "Go on"]);
    assert_eq!(done["outcome"], "updated", "{done}");
}

#[test]
fn a_token_that_may_not_write_is_told_before_the_push() {
    let mut world = World::new();
    world.me = world.forge.reader(&world.owner);
    let said = world.fails(1, &["--no-test", "--dry-run"]);
    assert!(said.contains("git may not push to ann/churn"), "{said}");
    assert!(said.contains("403"), "{said}");
    assert!(
        said.contains("may write contents and pull requests"),
        "{said}"
    );
    assert!(world.remote_head(BRANCH).is_none());
}

#[test]
fn an_ssh_alias_may_have_a_dot() {
    let world = World::new();
    let ssh = world.project.programs().join("ssh");
    let script = "#!/bin/sh\nfor host; do :; done\n\
        case \"$1\" in -G) echo \"hostname ${host%-work}\";; *) echo refused >&2; exit 255;; esac\n";
    program(&ssh, script);
    for (address, host) in [
        ("git@github.com-work:o/r.git", "github.com"),
        ("ssh://git@github.com-work/o/r.git", "github.com"),
        ("git@git.example.org-work:o/r.git", "git.example.org"),
    ] {
        world.git(&["remote", "set-url", "origin", address]);
        let mut command = world.xtask(&["open-pr", "--yes", "--dry-run", "--no-test"]);
        command.env_remove("GH_ENTERPRISE_TOKEN");
        let said = Said::of(command).stderr;
        let expected = match host {
            "github.com" => "no token for github.com".to_owned(),
            _ => format!("origin points to {host}"),
        };
        assert!(said.contains(&expected), "{address}: {said}");
    }
}

#[test]
fn a_mirror_gets_one_branch_and_several_addresses_are_named() {
    let world = World::new();
    world.git(&["config", "remote.origin.mirror", "true"]);
    let backup = world.project.home().join("backup.git");
    let backup = backup.to_str().unwrap();
    world.git(&["init", "--quiet", "--bare", backup]);
    world.git(&[
        "remote",
        "set-url",
        "--add",
        "--push",
        "origin",
        &world.repository.clone_url,
    ]);
    world.git(&["remote", "set-url", "--add", "--push", "origin", backup]);
    world.git(&["tag", "left-here"]);
    let opened = world.open(&["--no-test"]);
    let found = opened["findings"].to_string();
    assert!(
        found.contains("pushes to 2 addresses") && found.contains("backup.git"),
        "{found}"
    );
    let both = world.git_as(&world.owner, &["ls-remote", &world.repository.clone_url]);
    assert!(!both.contains("left-here"), "{both}");
    assert_eq!(
        world.git(&["--git-dir", backup, "branch", "--list"]).trim(),
        BRANCH
    );
}

#[test]
fn a_remote_to_push_to_that_is_no_github_is_not_passed_over_in_silence() {
    let world = World::new();
    world.git(&["remote", "add", "lab", "https://git.example.com/o/r.git"]);
    world.git(&["config", "remote.pushDefault", "lab"]);
    let opened = world.open(&["--no-test"]);
    let found = opened["findings"].to_string();
    assert!(found.contains("git's settings push to lab"), "{found}");
    assert!(found.contains("the branch goes to origin"), "{found}");
}

#[test]
fn a_shallow_clone_claims_nothing_that_it_cannot_know() {
    let world = World::on_main();
    for name in ["one", "two"] {
        world.write(&format!("{name}.txt"), b"x");
        world.commit(name);
    }
    world.push_as(&world.owner, "origin", "main");
    world.git(&["switch", "--quiet", "--create", BRANCH, "HEAD~1"]);
    world.write("three.txt", b"x");
    world.commit("three");
    world.push_as(&world.owner, "origin", BRANCH);
    let shallow = world.project.home().join("shallow");
    let folder = shallow.to_str().unwrap();
    let url = &world.repository.clone_url;
    let fixed = ["clone", "--quiet", "--depth", "1", "--no-single-branch"];
    world.git_as(
        &world.owner,
        &[&fixed[..], &["--branch", BRANCH, url, folder]].concat(),
    );

    let run = |args: &[&str]| {
        let mut command = world.xtask(args);
        Said::from(command.current_dir(&shallow).output().unwrap())
    };
    let said = run(&["open-pr", "--yes", "--no-wait", "--no-test"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(
        said.stderr.contains("this clone is shallow"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("git fetch --unshallow origin"),
        "{}",
        said.stderr
    );
    assert!(!said.stderr.contains("fatal"), "{}", said.stderr);
    let said = run(&["status", "--json"]);
    let facts: Value = serde_json::from_str(&said.stdout).unwrap();
    let branch = &facts["branch"];
    assert_eq!(
        (&branch["pushed"], &branch["shallow"]),
        (&json!(true), &json!(true)),
        "{branch}"
    );
    assert!(
        branch["ahead_of_base"].is_null() && branch["behind_base"].is_null(),
        "{branch}"
    );
    // What is asked about commits that are all here has an answer.
    world.git_as(
        &world.owner,
        &["-C", folder, "fetch", "--quiet", "--unshallow"],
    );
    let said = run(&["open-pr", "--yes", "--no-wait", "--no-test"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn a_repository_that_git_does_not_open_is_not_made_anew() {
    let world = World::new();
    let root = world.project.root();
    let linked = world.project.home().join("linked");
    world.git(&[
        "worktree",
        "add",
        "--quiet",
        linked.to_str().unwrap(),
        "-b",
        "linked",
    ]);
    let at = |folder: &Path| {
        let mut command = world.xtask(&["status"]);
        let said = Said::from(command.current_dir(folder).output().unwrap());
        assert!(!said.stderr.contains("git init"), "{}", said.stderr);
        said
    };
    let moved = root.with_file_name("moved");
    std::fs::rename(root.join(".git"), &moved).unwrap();
    let said = at(&linked);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("worktree repair"), "{}", said.stderr);
    std::fs::rename(&moved, root.join(".git")).unwrap();

    let config = root.join(".git/config");
    let whole = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{whole}\n[core\n")).unwrap();
    assert!(at(&root).stderr.contains("bad config"));
    std::fs::write(&config, whole).unwrap();
    let head = root.join(".git/HEAD");
    std::fs::write(&head, "").unwrap();
    let said = at(&root);
    assert!(
        said.stderr.contains("git cannot open the repository"),
        "{}",
        said.stderr
    );
}

fn program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
