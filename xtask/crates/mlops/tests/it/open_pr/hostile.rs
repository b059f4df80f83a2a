//! Hostile and unusual names: they reach git and GitHub as they are, and the
//! terminal as harmless text.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use xtask_testkit::{Said, Terminal};

use super::world::World;

/// Pieces that are awkward somewhere: in a shell, an option, a path, a URL, JSON, Markdown, a terminal.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "`",
    "$(touch pwned)",
    "${HOME}",
    "$HOME",
    "; touch pwned",
    "| cat",
    "& sleep 1",
    "> x",
    "#1",
    "%00",
    "%2e%2e",
    "+",
    "&a=b",
    "=",
    ",",
    "@",
    "!",
    "(",
    ")",
    "{",
    "}",
    "<b>",
    "</title>",
    "<!-- x -->",
    "--",
    "-n",
    "--force",
    "--upload-pack=touch",
    "-oProxyCommand=x",
    "ü",
    "é\u{301}",
    "日本語",
    "🚕",
    "👩\u{200d}💻",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{2028}",
    "ﷺ",
    "𝒳",
    "\u{a0}",
    "\u{85}",
    "e\u{301}\u{301}\u{301}",
    "null",
    "true",
    "0",
    "undefined",
    "NaN",
    "refs/heads/main",
    "main",
    "HEAD",
    "origin",
    "a b",
    "a/b",
];

/// What only a title and a file's name may hold.
const CONTROLS: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}[2J",
    "\u{1b}]0;x\u{7}",
    "\u{7}",
    "\u{8}",
    "\u{7f}",
    "\t",
    "\\",
    "*",
    "?",
    "[",
    "~",
    "^",
    ":",
    "..",
];

fn titles() -> Vec<String> {
    let alone = PIECES
        .iter()
        .chain(CONTROLS)
        .map(|piece| (*piece).to_owned());
    let within = PIECES
        .iter()
        .chain(CONTROLS)
        .map(|piece| format!("Fix {piece} again"));
    let long = ["é".repeat(256), "x".repeat(255), "🚕".repeat(64)];
    alone
        .chain(within)
        .chain(long)
        // Blank alone is no title, which the command says.
        .filter(|title| !title.trim().is_empty())
        .collect()
}

/// Names that git takes for a branch; `update-ref` makes even those that `git branch` refuses.
fn branches(world: &World) -> Vec<String> {
    let alone = PIECES.iter().map(|piece| (*piece).to_owned());
    let within = PIECES.iter().map(|piece| format!("fix-{piece}-again"));
    let long = [
        "b".repeat(240),
        format!("{}/{}", "d".repeat(120), "ü".repeat(60)),
    ];
    alone
        .chain(within)
        .chain(long)
        .filter(|name| name != "main" && !name.starts_with("refs/"))
        .filter(|name| {
            let full = format!("refs/heads/{name}");
            let mut check = std::process::Command::new("git");
            check
                .args(["check-ref-format", &full])
                .current_dir(world.project.root());
            check.status().unwrap().success()
        })
        .collect()
}

/// Each thousandth of a second counts: the pull request is opened once, and every title is an update.
#[test]
fn what_a_hook_of_another_repository_sets_leads_no_command_there() {
    let world = World::new();
    let other = world.project.home().join("other");
    std::fs::create_dir(&other).unwrap();
    let at = other.display().to_string();
    world.git(&["init", "--quiet", &at]);
    let before = std::fs::read_to_string(other.join(".git/config")).unwrap();
    let mut command = world.xtask(&["open-pr", "--yes", "--no-wait", "--no-test", "--json"]);
    for (name, value) in [
        ("GIT_DIR", format!("{at}/.git")),
        ("GIT_COMMON_DIR", format!("{at}/.git")),
        ("GIT_WORK_TREE", at.clone()),
        ("GIT_INDEX_FILE", format!("{at}/.git/index")),
        ("GIT_OBJECT_DIRECTORY", format!("{at}/.git/objects")),
        ("GIT_NAMESPACE", "other".to_owned()),
        ("GIT_PREFIX", "src/".to_owned()),
        ("GIT_QUARANTINE_PATH", at.clone()),
        ("GIT_DIFF_OPTS", "-u0".to_owned()),
        ("GIT_EXTERNAL_DIFF", "false".to_owned()),
        ("GIT_LITERAL_PATHSPECS", "1".to_owned()),
    ] {
        command.env(name, value);
    }
    let said = Said::of(command);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(world.pulls()[0]["head"]["ref"], "more-care");
    assert_eq!(
        std::fs::read_to_string(other.join(".git/config")).unwrap(),
        before
    );
    assert!(!other.join(".git/index").exists());
}

#[test]
fn titles_reach_github_exactly_and_the_terminal_safely() {
    let world = World::new();
    let _ = world.open(&[]);
    let titles = titles();
    for title in &titles {
        let said = world.run(&[
            "open-pr",
            "--yes",
            "--no-wait",
            "--no-test",
            "--json",
            &format!("--title={title}"),
        ]);
        assert_eq!(said.code, Some(0), "{title:?}: {}", said.stderr);
        let pulls = world.pulls();
        assert_eq!(
            (pulls.len(), &pulls[0]["title"]),
            (1, &Value::String(title.clone()))
        );
        safe(&said.stderr, title);
    }
    assert!(!world.project.root().join("pwned").exists());
    println!("{} titles", titles.len());
}

#[test]
fn branches_reach_git_exactly_and_the_terminal_safely() {
    let world = World::new();
    let recorded = record_git(&world);
    let head = world.git(&["rev-parse", "HEAD"]);
    let branches = branches(&world);
    for (number, branch) in (1..).zip(&branches) {
        let full = format!("refs/heads/{branch}");
        world.git(&["update-ref", &full, &head]);
        world.git(&["symbolic-ref", "HEAD", &full]);
        fs::write(&recorded, "").unwrap();
        let said = world.run(&["open-pr", "--yes", "--no-wait", "--no-test", "--json"]);
        assert_eq!(said.code, Some(0), "{branch:?}: {}", said.stderr);
        safe(&said.stderr, branch);
        // What git was called with is one word of it, whatever is in the name.
        let mut pushes = calls(&recorded, "push");
        pushes.retain(|call| !call.contains(&"--dry-run".to_owned()));
        let expected = [
            "push",
            "--porcelain",
            "--no-follow-tags",
            "--recurse-submodules=no",
            &format!("--force-with-lease={full}:"),
            "--",
            "origin",
            &format!("{head}:{full}"),
        ];
        assert_eq!(pushes, [expected.map(str::to_owned)], "{branch:?}");
        let pulls = world.pulls();
        assert_eq!(pulls.len().min(100), number.min(100));
        assert_eq!(pulls[0]["head"]["ref"], **branch);
        assert_eq!(world.remote_head(branch).as_deref(), Some(head.as_str()));
        // A short name and a long one may not stand beside each other.
        world.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
        world.git(&["update-ref", "-d", &full]);
        world.git_as(
            &world.owner,
            &["push", "--quiet", "origin", &format!(":{full}")],
        );
    }
    assert!(!world.project.root().join("pwned").exists());
    assert!(branches.len() > 80, "{}", branches.len());
    println!("{} branches", branches.len());
}

#[test]
fn file_names_reach_git_exactly_and_the_description_as_code() {
    let world = World::new();
    let mut names: Vec<String> = PIECES
        .iter()
        .chain(CONTROLS)
        .filter(|piece| !matches!(**piece, "." | ".."))
        .map(|piece| format!("src/{}.py", piece.replace('/', "_")))
        .collect();
    names.push(format!("src/{}.py", "n".repeat(252)));
    names.push("src/two\nlines.py".to_owned());
    for name in &names {
        world.write(name, b"# Databricks notebook source\n1\n");
    }
    let said = world.run(&[
        "open-pr",
        "--yes",
        "--no-wait",
        "--no-test",
        "--commit",
        "Add awkward names",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    safe(&said.stderr, "the names");
    let listed = world.git(&["ls-tree", "-r", "-z", "--name-only", "HEAD", "src"]);
    for name in &names {
        assert!(listed.split('\0').any(|one| one == name), "{name:?}");
    }
    let body = world.pulls()[0]["body"].as_str().unwrap().to_owned();
    let lines = body
        .lines()
        .filter(|line| line.ends_with("is new: 1 cell"))
        .count();
    assert_eq!(lines, names.len(), "{body}");
    println!("{} file names", names.len());
}

#[test]
fn titles_of_others_are_harmless_at_a_terminal() {
    let world = World::new();
    let _ = world.open(&[]);
    let path = format!("/repos/{}/pulls/1", world.repository.full_name);
    let title = "x\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}y";
    let (status, _) = world.forge.rest(
        &world.owner,
        "PATCH",
        &path,
        &serde_json::json!({"title": title}),
    );
    assert_eq!(status, 200);
    let mut command = world.xtask(&[
        "open-pr",
        "--no-wait",
        "--no-test",
        "--title",
        "y\u{1b}[2Jz\u{202e}",
    ]);
    command.env_remove("NO_COLOR");
    let mut terminal = Terminal::run(&command, 80);
    terminal.answers("Do this?", "y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    let bytes = String::from_utf8_lossy(&seen.bytes);
    for bad in ["\u{1b}[2J", "\u{1b}]0;", "\u{7}", "\u{202e}"] {
        assert!(!bytes.contains(bad), "{bad:?} in {bytes:?}");
    }
}

/// Nothing in it moves a cursor, turns the direction of writing, or colours.
#[track_caller]
fn safe(said: &str, name: &str) {
    let bad = said.chars().find(|character| {
        character.is_control() && *character != '\n'
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}')
    });
    assert_eq!(bad, None, "{name:?}: {said}");
}

/// Puts a git on PATH that writes down what it is called with, each word ended by NUL and each call by
/// a line.
fn record_git(world: &World) -> std::path::PathBuf {
    let real = String::from_utf8(
        std::process::Command::new("sh")
            .args(["-c", "command -v git"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    let log = world.project.home().join("git-calls");
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\0' \"$@\"; printf '\\n\\n'; }} >> '{}'\nexec {} \"$@\"\n",
        log.display(),
        real.trim()
    );
    let path = world.project.programs().join("git");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    log
}

/// The recorded calls of one git command.
fn calls(log: &std::path::Path, command: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(log).unwrap();
    text.split("\0\n\n")
        .map(|call| call.split('\0').map(str::to_owned).collect::<Vec<_>>())
        .filter(|call| call.first().map(String::as_str) == Some(command))
        .collect()
}

#[test]
fn what_is_no_title_is_said() {
    let world = World::new();
    for (title, says) in [
        ("", "the title is empty"),
        (" \t", "the title is empty"),
        ("a\nb", "more than one line"),
    ] {
        let said: Said = world.run(&["open-pr", "--yes", "--no-wait", &format!("--title={title}")]);
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
    let said = world.run(&["open-pr", "--yes", "--no-wait", "--title", &"x".repeat(257)]);
    assert!(said.stderr.contains("GitHub takes 256"), "{}", said.stderr);
}
