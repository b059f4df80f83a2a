//! The screen at a terminal: narrow, without colours, repainted.

use std::process::Command;

use xtask_testkit::Terminal;

use super::world::{World, log};

/// A link behind words, as terminals know it.
const LINK: &str = "\u{1b}]8;;http";

fn world() -> World {
    let (world, _) = World::with_pull_request();
    let sha = world.head();
    world.failed(&sha, "notebook", &log("notebook"));
    world.forge.checks(&world.repository, &sha, &[("slow", "")]);
    world
}

/// The command as a person at a terminal has it: with colours, unless they are switched off.
fn at_a_terminal(world: &World, args: &[&str]) -> Command {
    let mut command = world.xtask(args);
    command.env_remove("NO_COLOR");
    command
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let world = world();
    for columns in [40, 80, 130] {
        let seen = Terminal::run(&at_a_terminal(&world, &["status"]), columns).ends();
        assert_eq!(seen.code, Some(0));
        let said = String::from_utf8_lossy(&seen.bytes).into_owned();
        assert!(said.contains(LINK), "{columns}: no links");
        assert!(
            said.contains("\u{1b}[1m\u{1b}[31m") || said.contains("\u{1b}[31m"),
            "no colours"
        );
        for words in ["Round fares to cents", "ValueError: no customer has left"] {
            assert!(
                seen.text.lines().any(|line| line.contains(words)),
                "{columns}: {words}"
            );
        }
        for line in seen.text.lines() {
            assert!(
                line.chars().count() <= usize::from(columns),
                "{columns}: {line:?}"
            );
        }
        world.no_token_in(&said);
    }
}

#[test]
fn colours_and_links_can_be_done_without() {
    let world = world();
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut command = at_a_terminal(&world, &["status"]);
        command.env(name, value);
        let seen = Terminal::run(&command, 80).ends();
        assert_eq!(seen.code, Some(0), "{name}");
        let said = String::from_utf8_lossy(&seen.bytes).into_owned();
        assert!(!said.contains(LINK), "{name}: links");
        assert!(!said.contains("\u{1b}[31m"), "{name}: colours");
        // The address itself, where no word can lead there.
        assert!(said.contains("/ann/fares/pull/1"), "{name}: {said}");
    }
}

#[test]
fn a_watch_leaves_the_terminal_as_it_was() {
    let world = world();
    let mut terminal = Terminal::run(&at_a_terminal(&world, &["status", "--watch"]), 80);
    terminal.wait_for("Ctrl-C ends");
    terminal.types("\u{3}");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(130));
    let said = String::from_utf8_lossy(&seen.bytes).into_owned();
    let (shown, left) = (said.rfind("\u{1b}[?25h"), said.rfind("\u{1b}[?1049l"));
    assert!(shown.is_some() && left.is_some(), "{said:?}");
    assert!(left > said.rfind("\u{1b}[?1049h"), "{said:?}");
}
