//! What others write: titles, names of branches, branches that are in the way.

use serde_json::json;
use xtask_testkit::Said;

use super::world::{OURS, Place, STABLE};

#[test]
fn titles_of_others_stay_text_in_the_notes_and_on_the_screen() {
    let place = Place::released();
    let title =
        "<!-- xtask:end --> @ann #1 [here](http://evil.example) <img src=x> \u{1b}[31m\u{202e}`";
    let number = place.land(title, "src/care.py", "1\n");
    place.commit(
        "main",
        "x.txt",
        "x\n",
        "@team look <script> \u{1b}]0;owned\u{7}",
    );
    let said = place.run(&["--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        !said.stderr.contains('\u{1b}') && !said.stderr.contains('\u{202e}'),
        "{}",
        said.stderr
    );
    let body = place.open()[0]["body"].as_str().unwrap().to_owned();
    assert_eq!(body.matches("<!-- xtask:end").count(), 1, "{body}");
    for dangerous in ["@ann", "@team", "](http", "<img", "<script", " #1 "] {
        assert!(!body.contains(dangerous), "{dangerous}: {body}");
    }
    assert!(body.contains(&format!("- #{number} ")), "{body}");
    // The marks are whole: what is renewed is renewed in place.
    place.land("Score faster", "src/fast.py", "2\n");
    let updated = place.promote(&[]);
    assert_eq!(updated["outcome"], "updated", "{updated}");
    let renewed = place.open()[0]["body"].as_str().unwrap().to_owned();
    assert_eq!(renewed.matches("<!-- xtask:begin").count(), 1, "{renewed}");
}

#[test]
fn branches_of_any_name_are_used_as_they_are() {
    let place = Place::new();
    let odd = "releases/live;$(touch${IFS}owned)&'-x";
    let quoted = odd.replace('\\', "\\\\");
    let toml = std::fs::read_to_string(place.world.project.root().join("xtask.toml")).unwrap();
    let toml = toml.replace("branch = \"stable\"", &format!("branch = \"{quoted}\""));
    place.world.write("xtask.toml", toml.as_bytes());
    let opened = place.promote(&[]);
    assert_eq!(opened["head"]["branch"], format!("promote-main-to-{odd}"));
    assert_eq!(place.promote(&[])["outcome"], "unchanged");
    assert_eq!(place.world.pulls().len(), 1);
    assert!(!place.world.project.root().join("owned").exists());
}

#[test]
fn another_users_branch_of_the_same_name_is_left_alone() {
    let place = Place::new();
    let main = place.head("main").unwrap();
    place.world.git_as(
        &place.world.owner,
        &[
            "push",
            "--quiet",
            "origin",
            &format!("{main}:refs/heads/{OURS}"),
        ],
    );
    let theirs = place.commit(OURS, "own.txt", "x\n", "My own work");
    let said = place.fails(1, &[]);
    assert!(
        said.contains("holds a commit that is none of ours"),
        "{said}"
    );
    assert!(said.contains("My own work"), "{said}");
    assert_eq!(place.head(OURS).unwrap(), theirs);
    assert!(place.pulls().is_empty() && place.head(STABLE).is_none());
}

#[test]
fn who_may_not_write_is_told_before_anything_is_done() {
    let mut place = Place::new();
    let eve = place.world.forge.user("eve");
    place.world.me = eve;
    let said = place.fails(1, &[]);
    assert!(said.contains("you may not write to ann/churn"), "{said}");
}

#[test]
fn without_a_terminal_a_merge_and_a_proposal_take_yes() {
    let place = Place::new();
    for more in [&["--merge", "--json"][..], &["--json"]] {
        let said = place.run(more);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(told["error"]["kind"], "usage");
        let what = "no terminal to ask on; pass --yes";
        assert_eq!(told["error"]["what"], what);
        let next = told["error"]["next"][0].as_str().unwrap();
        assert!(next.starts_with("cargo xtask promote --code"), "{next}");
        assert!(next.ends_with("--json --yes"), "{next}");
    }
    assert!(place.pulls().is_empty() && place.head(STABLE).is_none());
    let said = place.run(&["--json", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["outcome"], "opened");
}

#[test]
fn explain_shows_the_calls_and_no_token() {
    let place = Place::new();
    let said = Said::from(place.command(&["--dry-run", "--explain"]).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for call in [
        "GET /repos/ann/churn/pulls",
        "git ls-remote",
        "git merge-tree",
    ] {
        assert!(said.stderr.contains(call), "{call}: {}", said.stderr);
    }
    assert!(
        !said.stderr.contains(&place.world.me.token),
        "{}",
        said.stderr
    );
    assert_eq!(json!(place.pulls()), json!([]));
}
