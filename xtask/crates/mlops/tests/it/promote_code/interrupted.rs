//! Killed before and after each writing request, lost replies, two at once: the same end each time.

use std::process::{Child, Stdio};

use serde_json::json;
use xtask_testkit::{Fault, FaultProxy, Passed, Rule, Said, Terminal, Victim, When};

use super::world::{OURS, Place, STABLE, number};

/// Whether a request changes something on the remote.
fn writes(asked: &Passed) -> bool {
    match asked.method.as_str() {
        "GET" => false,
        "POST" => asked.path.ends_with("/git-receive-pack") || asked.path.ends_with("/pulls"),
        _ => true,
    }
}

/// What a story leaves on the remote, without hashes that depend on when it happened.
#[derive(Debug, PartialEq, Eq)]
struct End {
    tree: String,
    branches: Vec<String>,
    pulls: Vec<(String, String, String)>,
}

fn end(place: &Place) -> End {
    let listed = place
        .world
        .git_as(&place.world.owner, &["ls-remote", "origin", "refs/heads/*"]);
    let branches = listed.lines().filter_map(|line| line.split('\t').nth(1));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    // Hashes of commits are those of one run: their length says enough.
    let without_hashes = |name: &str| {
        name.split('-')
            .map(
                |part| match part.len() == 7 && part.chars().all(|c| c.is_ascii_hexdigit()) {
                    true => "HASH",
                    false => part,
                },
            )
            .collect::<Vec<_>>()
            .join("-")
    };
    End {
        tree: place.tree(STABLE),
        branches: branches.map(without_hashes).collect(),
        pulls: place
            .pulls()
            .iter()
            .map(|pull| {
                (
                    without_hashes(&text(&pull["head"]["ref"])),
                    text(&pull["state"]),
                    text(&pull["merged_at"])
                        .get(..2)
                        .unwrap_or_default()
                        .to_owned(),
                )
            })
            .collect(),
    }
}

/// A story: how it begins, and the command that is killed in it.
struct Story {
    begins: fn() -> Place,
    command: &'static [&'static str],
}

fn spawn(place: &Place, args: &[&str]) -> Child {
    let mut command = place.command(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Runs the story once undisturbed, and once for each writing request with a kill before and after it.
fn at_each_write(story: &Story) {
    let place = (story.begins)();
    let proxy = before(&place);
    let answer = place.promote(story.command);
    let count = proxy.record().iter().filter(|asked| writes(asked)).count();
    assert!(count > 0, "{answer}");
    let clean = end(&place);
    for n in 1..=count {
        for when in [When::Before, When::After] {
            let place = (story.begins)();
            let proxy = before(&place);
            let victim = Victim::default();
            let rule = Rule::new(Fault::Kill(victim.clone(), when));
            proxy.add(rule.matching(writes).nth(n));
            let mut child = spawn(&place, &[&["--yes"], story.command].concat());
            victim.is(child.id());
            let ended = child.wait().unwrap();
            assert_eq!(ended.code(), None, "it was to be killed at {n} {when:?}");
            proxy.heal();
            // The second run meets whatever the first one's git is still about to do.
            place.promote(story.command);
            let again = place.promote(story.command);
            let done = ["unchanged", "nothing"].map(|word| json!(word));
            assert!(done.contains(&again["outcome"]), "{n} {when:?}: {again}");
            assert_eq!(end(&place), clean, "{n} {when:?}");
        }
    }
}

/// Has the clone reach the forge through a proxy.
fn before(place: &Place) -> FaultProxy {
    let proxy = FaultProxy::before(place.world.forge.url());
    let address = format!("{}/{}.git", proxy.url(), place.world.repository.full_name);
    place.world.git(&["remote", "set-url", "origin", &address]);
    proxy
}

#[test]
fn a_first_release_that_is_killed_is_finished_by_the_next_call() {
    at_each_write(&Story {
        begins: Place::new,
        command: &[],
    });
}

#[test]
fn an_undo_that_is_killed_is_finished_by_the_next_call() {
    at_each_write(&Story {
        begins: || {
            let place = Place::released();
            place.land("Fit with care", "src/care.py", "1\n");
            let opened = place.promote(&[]);
            place.merge(number(&opened));
            place
        },
        command: &["--undo"],
    });
}

#[test]
fn a_way_forth_that_takes_the_place_of_another_is_finished_too() {
    at_each_write(&Story {
        begins: || {
            let place = Place::released();
            place.land("Fit with care", "src/care.py", "1\n");
            let opened = place.promote(&[]);
            place.merge(number(&opened));
            place.land("Score faster", "src/fast.py", "2\n");
            // A plain pull request is open when an undo is merged: it would leave out what was undone.
            let _ = place.promote(&[]);
            let undo = place.promote(&["--undo"]);
            place.merge(number(&undo));
            place
        },
        command: &[],
    });
}

#[test]
fn a_plain_pull_request_gives_way_after_an_undo() {
    let place = Place::released();
    place.land("Fit with care", "src/care.py", "1\n");
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    place.land("Score faster", "src/fast.py", "2\n");
    let plain = place.promote(&[]);
    let path = format!(
        "/repos/{}/pulls/{}",
        place.world.repository.full_name,
        number(&plain)
    );
    let body = place.open()[0]["body"].as_str().unwrap().to_owned();
    let edited = json!({"body": format!("For autumn.\n\n{body}")});
    let _ = place
        .world
        .forge
        .rest(&place.world.owner, "PATCH", &path, &edited);
    let undo = place.run(&["--undo", "--yes"]);
    assert!(
        undo.stderr.contains("wants the contrary"),
        "{}",
        undo.stderr
    );
    let undo = place.promote(&["--undo"]);
    place.merge(number(&undo));
    let forth = place.promote(&[]);
    let open = place.open();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["head"]["ref"], OURS);
    let body = open[0]["body"].as_str().unwrap();
    let words = body.split("<!-- xtask:begin").next().unwrap();
    assert!(words.contains("For autumn."), "{body}");
    assert!(
        body.contains(&format!("Takes the place of #{}", number(&plain))),
        "{body}"
    );
    place.merge(number(&forth));
    assert_eq!(place.tree(STABLE), place.tree("main"));
    assert!(place.has(STABLE, "src/care.py"));
}

#[test]
fn a_lost_reply_ends_in_the_same_place() {
    for fault in [
        json!({"method": "POST", "path": "*/pulls", "reset": "after", "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "status": 502, "body": "<html>", "carry_out": true, "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "reset": "before", "times": 1}),
        json!({"method": "POST", "path": "*/pulls", "status": 429, "headers": {"retry-after": "1"}, "body": "{}", "times": 1}),
    ] {
        let place = Place::new();
        place.world.forge.fault(&fault);
        let opened = place.promote(&[]);
        assert_eq!(place.pulls().len(), 1, "{fault}");
        assert_eq!(
            place.promote(&[])["outcome"],
            "unchanged",
            "{fault} {opened}"
        );
    }
}

#[test]
fn two_people_at_once_end_with_one_pull_request() {
    for _ in 0..3 {
        let place = Place::new();
        let children: Vec<Child> = [&place.world.owner, &place.bob]
            .into_iter()
            .map(|who| {
                let mut command = place.command(&["--yes"]);
                command.env("GH_ENTERPRISE_TOKEN", &who.token);
                command.env("GIT_AUTHOR_NAME", &who.login);
                command.env("GIT_COMMITTER_NAME", &who.login);
                command.stdout(Stdio::null()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let mut good = 0;
        for child in children {
            let said = Said::from(child.wait_with_output().unwrap());
            good += usize::from(said.code == Some(0));
            assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
            if said.code != Some(0) {
                assert!(said.stderr.contains("next: "), "{}", said.stderr);
            }
        }
        assert!(good > 0);
        place.promote(&[]);
        assert_eq!(place.pulls().len(), 1);
        assert_eq!(place.promote(&[])["outcome"], "unchanged");
        place.merge(1);
        assert_eq!(place.tree(STABLE), place.tree("main"));
    }
}

#[test]
fn nothing_is_pushed_when_the_release_moves_between_the_plan_and_the_answer() {
    let place = Place::released();
    place.land("Fit with care", "src/care.py", "1\n");
    let opened = place.promote(&[]);
    place.merge(number(&opened));
    let before = place.world.forge.requests().len();
    let mut terminal = Terminal::run(&place.command(&["--undo"]), 100);
    terminal.wait_for("Do this?");
    place.commit(STABLE, "hot.txt", "x\n", "Mend it at night");
    terminal.types("y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(1), "{}", seen.text);
    assert!(
        seen.text.contains("changed on origin in the meantime"),
        "{}",
        seen.text
    );
    assert!(place.open().is_empty());
    let branches = place.world.git_as(
        &place.world.owner,
        &["ls-remote", "origin", "refs/heads/undo-*"],
    );
    assert!(branches.is_empty(), "{branches}");
    assert!(place.world.forge.requests().len() > before);
    // The next call sees what is new.
    let opened = place.promote(&["--undo"]);
    assert!(
        opened["steps"][0]
            .as_str()
            .unwrap()
            .contains(&place.head(STABLE).unwrap()[..7])
    );
}
