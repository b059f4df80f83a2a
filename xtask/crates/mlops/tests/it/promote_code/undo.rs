//! Back to an earlier release, and forth again.

use super::world::{OURS, Place, STABLE, number};

/// Two releases: the second brought `src/care.py`. Their commits.
fn two_releases() -> (Place, String, String) {
    let place = Place::released();
    let first = place.head(STABLE).unwrap();
    place.land("Fit with care", "src/care.py", "1\n");
    let opened = place.promote(&[]);
    let second = place.merge(number(&opened));
    (place, first, second)
}

#[test]
fn an_undo_brings_the_files_of_the_release_before_and_only_once() {
    let (place, first, second) = two_releases();
    let before = place.world.git(&["status", "--porcelain", "--branch"]);
    let opened = place.promote(&["--undo"]);
    assert_eq!(opened["outcome"], "opened", "{opened}");
    assert_eq!(opened["back_to"], first.as_str());
    // What is checked out is as it was.
    assert_eq!(
        place.world.git(&["status", "--porcelain", "--branch"]),
        before
    );
    let pull = &place.open()[0];
    assert_eq!(pull["head"]["ref"], format!("undo-stable-{}", &second[..7]));
    let body = pull["body"].as_str().unwrap();
    for what in [
        "### Pull requests that go back",
        "Fit with care by bob",
        "cargo xtask promote --undo",
        "unless it is reverted on `main`",
    ] {
        assert!(body.contains(what), "{what}: {body}");
    }
    let again = place.promote(&["--undo"]);
    assert_eq!(again["outcome"], "unchanged", "{again}");
    place.merge(number(&opened));
    assert!(!place.has(STABLE, "src/care.py"));
    let tree = place
        .world
        .git(&["rev-parse", &format!("{first}^{{tree}}")]);
    assert_eq!(place.tree(STABLE), tree);

    // Called once more it goes no further back by itself.
    let done = place.promote(&["--undo"]);
    assert_eq!(done["outcome"], "nothing", "{done}");
    assert!(place.open().is_empty());
}

#[test]
fn the_next_promotion_brings_back_what_was_undone() {
    let (place, ..) = two_releases();
    let undo = place.promote(&["--undo"]);
    place.merge(number(&undo));
    // Nothing is new on main: a plain pull request would have no commits at all.
    let forth = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], OURS, "{forth}");
    assert_eq!(forth["contents"]["pulls"][0]["title"], "Fit with care");
    // main goes on meanwhile: the same pull request follows.
    place.land("Score faster", "src/fast.py", "2\n");
    let updated = place.promote(&[]);
    assert_eq!(updated["outcome"], "updated", "{updated}");
    assert_eq!(number(&updated), number(&forth));
    assert_eq!(place.promote(&[])["outcome"], "unchanged");
    place.merge(number(&forth));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    assert!(place.has(STABLE, "src/care.py") && place.has(STABLE, "src/fast.py"));

    // From here on main itself is proposed again, and an undo leads to the release before.
    let newest = place.head(STABLE).unwrap();
    place.land("Judge more", "src/more.py", "3\n");
    let next = place.promote(&[]);
    assert_eq!(place.open()[0]["head"]["ref"], "main", "{next}");
    place.merge(number(&next));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    let undo = place.promote(&["--undo", "--dry-run"]);
    assert_eq!(undo["back_to"], newest.as_str(), "{undo}");
}

#[test]
fn what_main_reverts_stays_away() {
    let (place, ..) = two_releases();
    let undo = place.promote(&["--undo"]);
    place.merge(number(&undo));
    place
        .world
        .git_as(&place.world.owner, &["pull", "--quiet", "origin", "main"]);
    place
        .world
        .git(&["revert", "--no-edit", "--mainline", "1", "HEAD"]);
    place.world.push_as(&place.world.owner, "origin", "main");
    assert_eq!(place.promote(&[])["outcome"], "nothing");
    // And stays away when something else follows.
    place.land("Score faster", "src/fast.py", "2\n");
    let next = place.promote(&[]);
    place.merge(number(&next));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    assert!(!place.has(STABLE, "src/care.py") && place.has(STABLE, "src/fast.py"));
}

#[test]
fn further_back_and_forth_by_name() {
    let (place, first, second) = two_releases();
    place.land("Judge more", "src/more.py", "3\n");
    let third = place.promote(&[]);
    place.merge(number(&third));
    let undo = place.promote(&["--undo"]);
    assert_eq!(undo["back_to"], second.as_str(), "{undo}");
    place.merge(number(&undo));
    let said = place.run(&["--undo", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains(&format!("--undo {}", &first[..7])),
        "{}",
        said.stderr
    );
    let further = place.promote(&["--undo", &first[..10]]);
    place.merge(number(&further));
    assert!(!place.has(STABLE, "src/care.py"));
    // An undo of the undo is an undo to the later release.
    let forth = place.promote(&["--undo", &second]);
    place.merge(number(&forth));
    assert!(place.has(STABLE, "src/care.py") && !place.has(STABLE, "src/more.py"));
    let all = place.promote(&[]);
    place.merge(number(&all));
    assert_eq!(place.tree(STABLE), place.tree("main"));
}

#[test]
fn what_cannot_be_gone_back_to_is_told() {
    let place = Place::new();
    let said = place.fails(1, &["--undo"]);
    assert!(said.contains("there is no branch stable"), "{said}");
    let opened = place.promote(&[]);
    let start = place.head(STABLE).unwrap();
    place.merge(number(&opened));
    let said = place.fails(1, &["--undo"]);
    assert!(said.contains("has no earlier release"), "{said}");
    let said = place.fails(2, &["--undo", &start]);
    assert!(said.contains("the empty start"), "{said}");
    let said = place.fails(2, &["--undo", "v1"]);
    assert!(
        said.contains("v1 is no commit that was on stable"),
        "{said}"
    );
}

#[test]
fn a_release_that_was_never_deployed_is_passed_over() {
    let (place, first, second) = two_releases();
    place.land("Judge more", "src/more.py", "3\n");
    let third = place.promote(&[]);
    place.merge(number(&third));
    for (sha, state) in [(&first, "success"), (&second, "failure")] {
        let path = format!("/repos/{}/deployments", place.world.repository.full_name);
        let body = serde_json::json!({"ref": sha, "environment": "live", "required_contexts": [], "auto_merge": false});
        let (status, made) = place
            .world
            .forge
            .rest(&place.world.owner, "POST", &path, &body);
        assert_eq!(status, 201, "{made}");
        let path = format!("{path}/{}/statuses", made["id"]);
        let body = serde_json::json!({"state": state});
        let (status, reply) = place
            .world
            .forge
            .rest(&place.world.owner, "POST", &path, &body);
        assert_eq!(status, 201, "{reply}");
    }
    let undo = place.promote(&["--undo", "--dry-run"]);
    assert_eq!(undo["back_to"], first.as_str(), "{undo}");
}

#[test]
fn an_undo_of_a_release_that_is_not_the_newest_any_more_gives_way_to_one_that_is() {
    let (place, ..) = two_releases();
    let stale = place.promote(&["--undo"]);
    place.land("Judge more", "src/more.py", "3\n");
    let third = place.promote(&[]);
    place.merge(number(&third));
    let undo = place.promote(&["--undo"]);
    assert_ne!(number(&undo), number(&stale));
    let open = place.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["number"], number(&undo));
    place.merge(number(&undo));
    assert!(place.has(STABLE, "src/care.py") && !place.has(STABLE, "src/more.py"));
}
