//! The questions, at a terminal.

use std::fs;

use xtask_testkit::Terminal;

use super::world::{World, names};

#[test]
fn each_question_says_what_it_changes_and_asks_again_after_a_bad_name() {
    let world = World::new();
    let mut command = world.xtask(&["init"]);
    command.env_remove("NO_COLOR");
    let mut terminal = Terminal::run(&command, 100);
    terminal.wait_for("The name of the bundle");
    terminal.answers("Project name [churn]", "Win Back\r");
    terminal.wait_for("lowercase letters");
    terminal.answers("Project name [churn]", "win-back\r");
    terminal.wait_for("the code that notebooks import");
    terminal.answers("Python package [win_back]", "json\r");
    terminal.wait_for("standard library");
    terminal.answers("Python package [win_back]", "\r");
    terminal.wait_for("The kind chooses example data");
    terminal.answers("What does the model predict?", "\u{1b}[B\r");
    terminal.wait_for("Java 17");
    terminal.answers("Score tables with Spark?", "n");
    terminal.wait_for("The bundle creates it");
    terminal.answers("Schema [win_back]", "\r");
    terminal.wait_for("needs no account");
    terminal.answers("Keep all targets on the local workspace for now?", "n");
    for target in ["dev", "prod", "staging", "test"] {
        let place = match target {
            "prod" => "https://dbc-1a2b.cloud.databricks.com\r",
            _ => "\r",
        };
        terminal.answers(&format!("Workspace of {target} [local]"), place);
        terminal.answers(&format!("Catalog of {target} [{target}]"), "\r");
        match target {
            "prod" => terminal.answers("Branch of prod [release]", "\r"),
            "staging" => terminal.answers("Branch of staging [main]", "trunk\r"),
            _ => {}
        }
    }
    terminal.wait_for("becomes the remote");
    terminal.answers("GitHub repository (OWNER/NAME) [none]", "acme/win-back\r");
    terminal.wait_for("set target prod to https://dbc-1a2b.cloud.databricks.com");
    terminal.answers("Create the project in ../win-back?", "y");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(0), "{}", seen.text);
    let made = world.folder("win-back");
    assert_eq!(world.git(&made, &["branch", "--show-current"]), "trunk");
    let record = fs::read_to_string(made.join(".xtask-init.toml")).unwrap();
    assert!(
        record.contains("kind = \"classification\"\nspark = false\ngithub = "),
        "{record}"
    );
}

#[test]
fn no_and_ctrl_c_leave_nothing() {
    let world = World::new();
    let before = names(&world.beside());
    for (question, keys) in [
        ("Create the project in ../churn?", "n"),
        ("Project name", "\u{3}"),
    ] {
        let args: &[&str] = match question {
            "Project name" => &["init", "../churn"],
            _ => &[
                "init",
                "../churn",
                "--name=churn",
                "--package=churn",
                "--kind=regression",
                "--spark=false",
                "--schema=churn",
                "--workspace=dev=local",
                "--workspace=test=local",
                "--workspace=staging=local",
                "--workspace=prod=local",
                "--catalog=dev=dev",
                "--catalog=test=test",
                "--catalog=staging=staging",
                "--catalog=prod=prod",
                "--branch=staging=main",
                "--branch=prod=release",
                "--github=acme/churn",
            ],
        };
        let mut terminal = Terminal::run(&world.xtask(args), 100);
        terminal.answers(question, keys);
        let seen = terminal.ends();
        assert_eq!(seen.code, Some(130), "{}", seen.text);
        assert!(seen.text.contains("nothing was changed"), "{}", seen.text);
        assert_eq!(names(&world.beside()), before);
    }
}
