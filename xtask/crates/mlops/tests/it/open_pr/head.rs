//! Where a branch is pushed to, and which pull request is its own: the same answer in every command.

use serde_json::{Value, json};

use super::world::World;

/// A branch made from a branch of the remote, with a commit on it.
fn branch(world: &World, name: &str, from: &str) {
    world.git(&["switch", "--quiet", "--create", name, from]);
    world.write(&format!("{name}.txt"), b"x");
    world.commit(&format!("Work on {name}"));
}

fn fetched(world: &World) {
    world.git_as(&world.owner, &["fetch", "--quiet", "origin"]);
}

fn status(world: &World) -> Value {
    let said = world.run(&["status", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

/// Says which branch feeds a target.
fn feed(world: &World, target: &str, branch: &str) {
    let file = world.project.root().join("xtask.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        file,
        format!("{text}\n[targets.{target}]\nbranch = \"{branch}\"\n"),
    )
    .unwrap();
}

#[test]
fn a_branch_goes_under_its_own_name_whatever_it_was_made_from() {
    let world = World::on_main();
    feed(&world, "live", "release");
    world.commit("Say what feeds live");
    world.push_as(&world.owner, "origin", "main");
    world.push_as(&world.owner, "origin", "main:refs/heads/release");
    fetched(&world);
    branch(&world, "feat-a", "main");
    assert_eq!(world.open(&["--no-test"])["number"], 1);
    fetched(&world);
    let (release, theirs) = (world.remote_head("release"), world.remote_head("feat-a"));

    branch(&world, "feat-b", "origin/feat-a");
    let opened = world.open(&["--no-test"]);
    assert_eq!(
        (&opened["number"], &opened["branch"]),
        (&json!(2), &json!("feat-b"))
    );
    assert_eq!(world.remote_head("feat-a"), theirs);
    assert_eq!(status(&world)["github"]["pull_request"]["number"], 2);
    // What it pulls from is left as it was.
    assert_eq!(
        world.git(&["config", "branch.feat-b.merge"]),
        "refs/heads/feat-a"
    );

    branch(&world, "hotfix", "origin/release");
    let opened = world.open(&["--no-test", "--base", "release"]);
    assert_eq!(opened["branch"], "hotfix", "{opened}");
    assert_eq!(world.remote_head("release"), release);

    // The pull request of the branch that this one was made from is another's.
    branch(&world, "feat-c", "origin/feat-a");
    let said = world.run(&["merge", "--yes"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr
            .contains("the branch feat-c has no pull request"),
        "{}",
        said.stderr
    );
    assert!(status(&world)["github"]["pull_request"].is_null());
}

#[test]
fn another_name_counts_where_git_is_told_so_and_never_one_that_deploys() {
    let world = World::on_main();
    feed(&world, "live", "release");
    world.commit("Say what feeds live");
    world.push_as(&world.owner, "origin", "main");
    world.push_as(&world.owner, "origin", "main:refs/heads/release");
    fetched(&world);
    let release = world.remote_head("release");

    // As `gh pr checkout` leaves it: a remote to push to, for this branch alone.
    branch(&world, "theirs", "main");
    assert_eq!(world.open(&["--no-test"])["number"], 1);
    fetched(&world);
    branch(&world, "review", "origin/theirs");
    world.git(&["config", "branch.review.pushRemote", "origin"]);
    let updated = world.open(&["--no-test"]);
    assert_eq!(
        (&updated["number"], &updated["branch"]),
        (&json!(1), &json!("theirs"))
    );

    // By a refspec of the remote.
    world.git(&[
        "config",
        "remote.origin.push",
        "refs/heads/mapped:refs/heads/ann/mapped",
    ]);
    branch(&world, "mapped", "origin/main");
    assert_eq!(world.open(&["--no-test"])["branch"], "ann/mapped");
    assert_eq!(status(&world)["github"]["pull_request"]["number"], 2);
    world.git(&["config", "--unset", "remote.origin.push"]);

    // By git's default for all branches; not for one that feeds a target, nor for the base.
    world.git(&["config", "push.default", "upstream"]);
    for (name, from) in [("mend", "origin/release"), ("more", "origin/main")] {
        branch(&world, name, from);
        assert_eq!(world.open(&["--no-test"])["branch"], name);
    }
    assert_eq!(world.remote_head("release"), release);

    // On such a branch itself the commits get another one, and its name is not taken for that.
    world.git(&["switch", "--quiet", "--create", "release", "origin/release"]);
    world.write("at-night.txt", b"x");
    world.commit("Mend it at night");
    let said = world.fails(2, &["--no-test", "--branch", "release", "--base", "main"]);
    assert!(
        said.contains("pushes to it are deployed to target live"),
        "{said}"
    );
    let opened = world.open(&["--no-test"]);
    assert_eq!(opened["branch"], "mend-it-at-night", "{opened}");
    assert_eq!(world.remote_head("release"), release);
}

#[test]
fn a_branch_that_pulls_from_main_is_found_by_where_it_is_pushed() {
    let world = World::on_main();
    fetched(&world);
    branch(&world, "by-hand", "origin/main");
    world.push_as(&world.owner, "origin", "by-hand");
    let path = format!("/repos/{}/pulls", world.repository.full_name);
    let body = json!({"title": "By hand", "head": "by-hand", "base": "main"});
    let (created, reply) = world.forge.rest(&world.owner, "POST", &path, &body);
    assert_eq!(created, 201, "{reply}");
    fetched(&world);
    let facts = status(&world);
    assert_eq!(facts["github"]["pull_request"]["title"], "By hand");
    assert_eq!(
        (&facts["branch"]["pushed"], &facts["branch"]["ahead"]),
        (&json!(true), &json!(0)),
        "{facts}"
    );
    let said = world.run(&["merge", "--dry-run"]);
    assert!(said.stderr.contains("Request 1 By hand"), "{}", said.stderr);
    assert_eq!(
        world.git(&["config", "branch.by-hand.merge"]),
        "refs/heads/main"
    );
}

#[test]
fn main_keeps_its_commits_and_the_way_back_is_said() {
    let world = World::on_main();
    fetched(&world);
    world.change("on main");
    world.commit("Détachée : naïve façade");
    let opened = world.open(&["--no-test"]);
    assert_eq!(opened["branch"], "detachee-naive-facade", "{opened}");
    let back = "git branch --force main origin/main";
    assert!(opened["findings"].to_string().contains(back), "{opened}");
    world.git(&["branch", "--force", "main", "origin/main"]);
}

#[test]
fn a_branch_that_goes_on_after_a_squash_is_told_how_to_be_rebased() {
    let world = World::new();
    assert_eq!(world.open(&["--no-test"])["number"], 1);
    let first = world.git(&["rev-parse", "HEAD"]);
    let path = format!("/repos/{}/pulls/1/merge", world.repository.full_name);
    let squash = json!({"merge_method": "squash"});
    let (merged, reply) = world.forge.rest(&world.owner, "PUT", &path, &squash);
    assert_eq!(merged, 200, "{reply}");
    world.change("and still more");
    world.commit("Go on");
    let planned = world.open(&["--no-test", "--dry-run"]);
    let main = world.remote_head("main").unwrap();
    let next = format!("git rebase --onto {main} {first}");
    assert!(planned["findings"].to_string().contains(&next), "{planned}");
    assert!(
        !planned["findings"].to_string().contains("conflicts"),
        "{planned}"
    );
    // After that there is one commit left, and a pull request of its own.
    world.git(&["rebase", "--quiet", "--onto", &main, &first]);
    let opened = world.open(&["--no-test"]);
    assert_eq!(opened["number"], 2, "{opened}");
    assert!(
        !opened["findings"].to_string().contains("rebase"),
        "{opened}"
    );
}

#[test]
fn without_a_reflog_commits_are_not_called_another_users() {
    let world = World::new();
    world.git(&["config", "core.logAllRefUpdates", "false"]);
    let logs = world.project.root().join(".git/logs");
    std::fs::remove_dir_all(&logs).unwrap();
    let before = world.open(&["--no-test"])["commit"]
        .as_str()
        .unwrap()
        .to_owned();
    world.git(&["commit", "--quiet", "--amend", "--message", "Amended"]);
    let said = world.fails(1, &["--no-test"]);
    assert!(said.contains("keeps no reflog"), "{said}");
    let lease = format!("--force-with-lease=more-care:{before}");
    assert!(said.contains(&lease), "{said}");
    let fixed = ["push", "--quiet", &lease, "origin", "more-care:more-care"];
    world.git_as(&world.owner, &fixed);
    assert_eq!(world.open(&["--no-test"])["number"], 1);
}
