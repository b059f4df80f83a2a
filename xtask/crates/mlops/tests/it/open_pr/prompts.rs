//! Every prompt, with and without a terminal.

use xtask_testkit::{Said, Terminal};

use super::world::{BRANCH, SUBJECT, World};

const DOWN: &str = "\u{1b}[B";

fn at_a_terminal(world: &World, args: &[&str], columns: u16) -> Terminal {
    let mut command = world.xtask(&[&["open-pr", "--no-wait"], args].concat());
    command.env_remove("NO_COLOR");
    Terminal::run(&command, columns)
}

#[test]
fn a_first_time_user() {
    let world = World::on_main();
    world.change("for the first time");
    let mut terminal = at_a_terminal(&world, &[], 100);
    // Each question is explained in a sentence before.
    terminal.wait_for("you see first what they say");
    terminal.answers("Run `cargo xtask test` now?", "n");
    terminal.wait_for("A pull request proposes commits");
    terminal.answers("What to do with them", "\r");
    terminal.wait_for("becomes part of the history");
    terminal.answers("Message of the commit", "Train with care\r");
    terminal.wait_for("A branch holds your commits");
    terminal.answers("Name of the branch [train-with-care]", "\r");
    terminal.wait_for("Others see the title");
    terminal.answers("Title [Train with care]", "Train with more care\r");
    terminal.wait_for("open a pull request into main of ann/churn");
    terminal.answers("Go on:", "\r");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    let pull = &world.pulls()[0];
    assert_eq!(pull["title"], "Train with more care");
    assert_eq!(pull["head"]["ref"], "train-with-care");
    assert_eq!(pull["draft"], false);
    assert_eq!(world.git(&["log", "-1", "--format=%s"]), "Train with care");
}

#[test]
fn the_last_question_makes_a_draft_edits_or_stops() {
    let world = World::new();
    let stop = format!("{DOWN}{DOWN}{DOWN}\r");
    for keys in [stop.as_str(), "\u{1b}", "\u{3}"] {
        let mut terminal = at_a_terminal(&world, &["--no-test"], 80);
        terminal.answers("Title", "\r");
        terminal.answers("Go on:", keys);
        let seen = terminal.ends();
        assert_eq!(seen.code, Some(130), "{}", seen.text);
        let bytes = String::from_utf8_lossy(&seen.bytes);
        assert!(
            bytes.rfind("\u{1b}[?25h") > bytes.rfind("\u{1b}[?25l"),
            "the cursor stays hidden: {}",
            seen.text
        );
    }
    assert!(world.pulls().is_empty() && world.remote_head(BRANCH).is_none());

    let editor = world.project.programs().join("editor");
    let script = "#!/bin/sh\nsed -i '1s/.*/Edited title/' \"$1\"\n";
    std::fs::write(&editor, script).unwrap();
    std::os::unix::fs::PermissionsExt::set_mode(
        &mut std::fs::metadata(&editor).unwrap().permissions(),
        0o755,
    );
    let executable = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&editor, executable).unwrap();
    world.git(&["config", "core.editor", &format!("'{}'", editor.display())]);
    let mut terminal = at_a_terminal(&world, &["--no-test"], 80);
    terminal.answers("Title", "\r");
    terminal.answers("Go on:", &format!("{DOWN}{DOWN}\r"));
    terminal.wait_for("Edited title");
    terminal.answers("Go on:", &format!("{DOWN}\r"));
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    let pull = &world.pulls()[0];
    assert_eq!(
        (pull["title"].as_str(), pull["draft"].as_bool()),
        (Some("Edited title"), Some(true))
    );
}

#[test]
fn what_was_typed_is_offered_again() {
    let world = World::new();
    world.forge.fault(&serde_json::json!({"method": "POST", "path": "*/pulls", "status": 404, "body": "{}", "times": 1}));
    let mut terminal = at_a_terminal(&world, &["--no-test"], 80);
    terminal.answers("Title", "Typed with care\r");
    terminal.answers("Go on:", "\r");
    assert_eq!(terminal.ends().code, Some(4));

    let mut terminal = at_a_terminal(&world, &["--no-test"], 80);
    terminal.wait_for("what was typed was kept");
    terminal.answers("\"Typed with care\"?", "y");
    terminal.answers("Title [Typed with care]", "\r");
    terminal.answers("Go on:", "\r");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    assert_eq!(world.pulls()[0]["title"], "Typed with care");
}

#[test]
fn without_a_terminal_nothing_waits_and_nothing_is_pushed_without_yes() {
    let world = World::new();
    world.write("left-over.txt", b"x");
    let said: Said = world.run(&["open-pr", "--no-wait", "--title", "Two words"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    for part in [
        "1 file is not committed",
        "--commit MESSAGE commits them all first",
        "--test runs the tests first",
        "no terminal to ask on; pass --yes",
        "next: cargo xtask open-pr --no-wait --title 'Two words' --yes",
    ] {
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
    assert!(world.pulls().is_empty() && world.remote_head(BRANCH).is_none());
    let said: Said = world.run(&["open-pr", "--no-wait", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(world.pulls()[0]["title"], SUBJECT);
    assert_eq!(world.git(&["status", "--porcelain"]), "?? left-over.txt");

    let world = World::on_main();
    world.change("on main");
    world.commit("Change it");
    let said: Said = world.run(&["open-pr", "--no-wait"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr
            .contains("Name of the branch: change-it (no terminal to ask on)"),
        "{}",
        said.stderr
    );
}

#[test]
fn narrow_dumb_and_colourless_terminals() {
    let world = World::new();
    let plain = |name: &str, value: &str| {
        let mut command = world.xtask(&["open-pr", "--no-wait", "--no-test", "--dry-run", "--yes"]);
        command.env_remove("NO_COLOR").env(name, value);
        let seen = Terminal::run(&command, 80).ends();
        assert_eq!(seen.code, Some(0), "{}", seen.text);
        seen
    };
    let coloured = plain("TERM", "xterm-256color");
    assert!(coloured.bytes.windows(2).any(|pair| pair == b"\x1b["));
    let colourless = plain("NO_COLOR", "1");
    let text = String::from_utf8_lossy(&colourless.bytes).into_owned();
    assert!(
        !text.contains("\u{1b}[3") && !text.contains("\u{1b}[1m"),
        "{text:?}"
    );
    let dumb = plain("TERM", "dumb");
    assert!(!dumb.bytes.contains(&0x1b), "{}", dumb.text);

    // Of a terminal that can do nothing nothing is asked.
    let mut command = world.xtask(&["open-pr", "--no-wait", "--no-test"]);
    command.env("TERM", "dumb");
    let seen = Terminal::run(&command, 80).ends();
    assert_eq!(seen.code, Some(2), "{}", seen.text);
    assert!(
        seen.text.contains("no terminal to ask on; pass --yes"),
        "{}",
        seen.text
    );

    let mut terminal = at_a_terminal(&world, &["--no-test", "--title", "Narrow"], 40);
    terminal.answers("Go on:", "\r");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    assert_eq!(world.pulls()[0]["title"], "Narrow");
}
