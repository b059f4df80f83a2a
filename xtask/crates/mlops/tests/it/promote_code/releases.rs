//! From the first release on: one pull request, with notes, and exactly main's files after its merge.

use serde_json::json;

use super::world::{OURS, Place, STABLE, number};

#[test]
fn the_first_release_begins_without_files_and_comes_by_a_pull_request() {
    let place = Place::new();
    place.world.forge.clear_requests();
    let planned = place.promote(&["--dry-run"]);
    assert_eq!(planned["outcome"], "planned", "{planned}");
    assert_eq!(planned["release"], json!(null));
    let steps = planned["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3, "{planned}");
    assert!(
        steps[0]
            .as_str()
            .unwrap()
            .starts_with("begin the branch stable of ann/churn")
    );
    let writes = place.world.forge.requests();
    let is_read = |asked: &xtask_testkit::Asked| {
        asked.method == "GET" || asked.path.ends_with("git-upload-pack")
    };
    assert!(writes.iter().all(is_read), "{writes:?}");

    let opened = place.promote(&[]);
    assert_eq!(opened["outcome"], "opened", "{opened}");
    assert_eq!(opened["steps"], planned["steps"]);
    assert!(!place.has(STABLE, "xtask.toml"), "it begins without files");
    let again = place.promote(&[]);
    assert_eq!(again["outcome"], "unchanged", "{again}");
    assert_eq!(number(&again), number(&opened));
    assert_eq!(place.pulls().len(), 1);

    place.merge(number(&opened));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    let nothing = place.promote(&[]);
    assert_eq!(nothing["outcome"], "nothing", "{nothing}");
}

#[test]
fn later_releases_go_from_main_itself_and_say_what_they_bring() {
    let place = Place::released();
    let first = place.land("Fit with care", "src/care.py", "1\n");
    place.commit("main", "notes.txt", "x\n", "Note something down");
    let opened = place.promote(&[]);
    let pull = &place.open()[0];
    assert_eq!(pull["head"]["ref"], "main");
    assert_eq!(pull["title"], "Promote main to stable");
    let body = pull["body"].as_str().unwrap();
    for what in [
        &format!("- #{first} Fit with care by bob"),
        "### Commits without a pull request",
        "Note something down",
        "### Bundle plan for live",
        "`live` was not asked: the local workspace does not run",
    ] {
        assert!(body.contains(what), "{what}: {body}");
    }
    assert_eq!(opened["contents"]["pulls"][0]["number"], first);
    assert_eq!(opened["contents"]["commits"].as_array().unwrap().len(), 1);
    assert_eq!(opened["head"]["commit"], place.head("main").unwrap());

    // A person's words stay, the title too, and what is new is told in the same pull request.
    let path = format!(
        "/repos/{}/pulls/{}",
        place.world.repository.full_name,
        number(&opened)
    );
    let edited = json!({"title": "The autumn release", "body": format!("For autumn.\n\n{body}\n\nThanks to all.")});
    let (status, _) = place
        .world
        .forge
        .rest(&place.world.owner, "PATCH", &path, &edited);
    assert_eq!(status, 200);
    assert_eq!(place.promote(&[])["outcome"], "unchanged");
    let second = place.land("Score faster", "src/fast.py", "2\n");
    let updated = place.promote(&[]);
    assert_eq!(updated["outcome"], "updated", "{updated}");
    assert_eq!(number(&updated), number(&opened));
    assert_eq!(place.open().len(), 1);
    let pull = &place.open()[0];
    assert_eq!(pull["title"], "The autumn release");
    let body = pull["body"].as_str().unwrap();
    assert!(body.starts_with("For autumn.\n"), "{body}");
    assert!(body.ends_with("\n\nThanks to all."), "{body}");
    assert!(
        body.contains(&format!("- #{second} Score faster")),
        "{body}"
    );

    place.merge(number(&opened));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    assert_eq!(place.promote(&[])["outcome"], "nothing");
    // The next one counts from here.
    place.land("Judge more", "src/more.py", "3\n");
    let next = place.promote(&["--dry-run"]);
    assert_eq!(
        next["contents"]["pulls"].as_array().unwrap().len(),
        1,
        "{next}"
    );
    assert_eq!(next["contents"]["commits"], json!([]));
}

#[test]
fn what_only_the_release_branch_has_is_not_taken_away() {
    let place = Place::released();
    place.land("Fit with care", "src/care.py", "1\n");
    place.commit(STABLE, "hot.txt", "x\n", "Mend it at night");
    let said = place.fails(1, &[]);
    assert!(
        said.contains("stable has a commit that main lacks"),
        "{said}"
    );
    assert!(said.contains("Mend it at night"), "{said}");
    assert!(said.contains("git merge origin/stable"), "{said}");
    assert!(place.open().is_empty());

    // Once main has the same change, even by a commit of its own, nothing is lost.
    place.commit("main", "hot.txt", "x\n", "Mend it by day");
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    assert!(place.has(STABLE, "hot.txt"));
}

#[test]
fn a_squashed_release_loses_nothing() {
    let place = Place::released();
    place.land("Fit with care", "src/care.py", "1\n");
    let opened = place.promote(&[]);
    place.merge_by(number(&opened), "squash");
    place.land("Fit with more care", "src/care.py", "2\n");
    let next = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], OURS, "{next}");
    place.merge(number(&next));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    place.land("Fit with most care", "src/care.py", "3\n");
    let after = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], "main", "{after}");
}

#[test]
fn names_come_from_the_configuration_and_missing_ones_are_told() {
    let place = Place::new();
    let said = place.fails(2, &["--from", "nowhere"]);
    assert!(
        said.contains("xtask.toml has no [targets.nowhere]"),
        "{said}"
    );
    let said = place.fails(2, &["--from", "live"]);
    assert!(said.contains("promotes-to"), "{said}");
    let mut command = place.command(&["--yes"]);
    command.env_remove("GH_ENTERPRISE_TOKEN");
    let said = xtask_testkit::Said::of(command);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(
        said.stderr.contains("promoting needs one"),
        "{}",
        said.stderr
    );
}

#[test]
fn its_commits_are_signed_where_those_of_git_are() {
    let place = Place::new();
    place.world.project.with_habits_of_years();
    let planned = place.promote(&["--dry-run"]);
    let opened = place.promote(&[]);
    assert_eq!(opened["outcome"], "opened", "{opened}");
    let head = opened["head"]["commit"].as_str().unwrap();
    // The branch that the release goes to is begun with one, and the proposal is the other.
    for commit in [head, &format!("{head}^2")] {
        let text = place.world.git(&["cat-file", "commit", commit]);
        assert!(text.contains("\ngpgsig "), "{text}");
    }
    // Called again, nothing is made anew.
    assert_eq!(planned["head"]["commit"], head);
    assert_eq!(place.promote(&[])["head"]["commit"], head);
}

#[test]
fn what_a_promotion_pushes_is_searched_for_secrets_and_what_github_has_stops_none() {
    let place = Place::new();
    let token = format!("ghp_{}", "a1".repeat(18));
    // On main already, where it stops no release and no way back.
    place.commit("main", "src/old.py", &format!("t = '{token}'\n"), "Old");
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    place.commit("main", "src/old.py", "t = ''\n", "Take it out");
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    let undo = place.promote(&["--undo"]);
    place.merge(number(&undo));
    assert!(place.has(STABLE, "src/old.py"));
    let forth = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], OURS, "{forth}");

    // The message of a commit of ours is new, and names the branch.
    let branch = format!("branch = \"{token}\"");
    place
        .world
        .project
        .edit("xtask.toml", "branch = \"stable\"", &branch);
    let said = place.fails(1, &[]);
    assert!(
        said.contains("possible secret would be published"),
        "{said}"
    );
    assert!(said.contains("of the message of commit"), "{said}");
    assert_eq!(place.head(&token), None);
}
