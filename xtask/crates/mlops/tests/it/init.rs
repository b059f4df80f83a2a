//! `init`: what a new project has, what is refused, and that nothing is left of one that was not made.

mod places;
mod prompts;
mod walks;
mod world;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use xtask_testkit::Said;

use world::{World, files, names};

#[test]
fn a_new_project_has_its_own_names_and_nothing_of_the_example() {
    let world = World::new();
    for (name, args, trips) in [
        ("churn", &["--kind", "regression"][..], false),
        (
            "win-back",
            &["--kind=classification", "--spark", "--package=winback"],
            false,
        ),
        (
            "fares",
            &["--example", "taxi", "--package", LONGEST_PACKAGE],
            true,
        ),
    ] {
        let made = world.make(name, args);
        let listed = files(&made);
        assert!(listed.len() <= 120, "{name}: {} files", listed.len());
        let mut rust = 0;
        for path in &listed {
            let text = String::from_utf8_lossy(&fs::read(made.join(path)).unwrap()).to_lowercase();
            rust += if path.ends_with(".rs") {
                text.lines().count()
            } else {
                0
            };
            let old = [
                "mlops_stacks",
                "mlops-stacks",
                "mlops stacks",
                "{ tool }",
                "tool_repository",
                "taxi",
            ];
            for word in &old[..if trips { 5 } else { 6 }] {
                assert!(
                    !text.contains(word) && !path.contains(word),
                    "{name}: {word} in {path}"
                );
            }
            let of_trips = [
                "trip", "trips", "fare", "fares", "miles", "dollars", "pickup",
            ];
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            let found = words.find(|word| !trips && of_trips.contains(word));
            assert_eq!(found, None, "{name}: {path}");
        }
        assert!(rust <= 300, "{name}: {rust} lines of Rust");
        let git = |args: &[&str]| world.git(&made, args);
        assert_eq!(git(&["status", "--porcelain", "--ignored"]), "", "{name}");
        assert_eq!(
            git(&["log", "--format=%s by %an on %D"]),
            format!("Begin {name} by Ann on HEAD -> main")
        );
        assert_eq!(git(&["ls-files"]).lines().count(), listed.len());
        locked(&world, &made);
        recorded(&made, &listed);
        formatted(&world, &made);
    }
    let made = world.folder("win-back");
    let bundle = fs::read_to_string(made.join("databricks.yml")).unwrap();
    assert!(bundle.contains("\n  name: win-back\n"), "{bundle}");
    assert!(made.join("notebooks/winback").is_dir());
    let settings = fs::read_to_string(made.join("xtask.toml")).unwrap();
    for line in [
        "\nspark = [\"notebooks/tests/spark\"] ",
        "\nextras = [\"spark\"] ",
        "\n    \"holdout_log_loss\",\n",
    ] {
        assert_eq!(settings.matches(line).count(), 1, "{settings}");
    }
    let project = fs::read_to_string(made.join("pyproject.toml")).unwrap();
    assert!(project.contains("name = \"win-back-project\""), "{project}");
}

/// cargo takes the lock file as it is, without a network.
fn locked(world: &World, made: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .current_dir(made);
    let said = Said::from(world.around(&mut cargo).output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

/// The longest name that a package can have.
const LONGEST_PACKAGE: &str = "a_package_whose_name_has_forty_letters_x";

/// ruff finds nothing, however long the new names are.
fn formatted(world: &World, made: &Path) {
    for args in [&["check"][..], &["format", "--check"]] {
        let mut ruff = Command::new(world.tool.root().join(".venv/bin/ruff"));
        ruff.args(args).arg("--no-cache").current_dir(made);
        let said = Said::from(world.around(&mut ruff).output().unwrap());
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.stdout);
    }
}

/// The record names each file but itself.
fn recorded(made: &Path, listed: &[String]) {
    let record = fs::read_to_string(made.join(".xtask-init.toml")).unwrap();
    for path in listed.iter().filter(|path| *path != ".xtask-init.toml") {
        let digest = Command::new("sha256sum")
            .arg(made.join(path))
            .output()
            .unwrap();
        let digest = String::from_utf8(digest.stdout).unwrap();
        let key = if path.contains(['/', '.']) {
            format!("\"{path}\"")
        } else {
            path.clone()
        };
        let line = format!("{key} = \"{}\"", digest.split(' ').next().unwrap());
        assert!(record.contains(&line), "{line}\n{record}");
    }
}

#[test]
fn answers_reach_the_files_that_have_them() {
    let world = World::new();
    let answers = "kind = \"classification\"\ngithub = \"acme/churn\"\n\
                   [targets.dev]\nschema = \"ann\"\n\
                   [targets.staging]\nbranch = \"develop\"\ncatalog = \"never\"\n";
    let file = world.tool.home().join("answers.toml");
    fs::write(&file, answers).unwrap();
    let args = [
        "--yes",
        "--json",
        "--answers",
        file.to_str().unwrap(),
        "--catalog=staging=ml_staging",
        "--branch=prod=production",
        "--workspace=prod=https://dbc-1a2b.cloud.databricks.com/",
    ];
    let said = world.init("churn", &args);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let made = world.folder("churn");
    assert_eq!(answer["outcome"], "created");
    assert_eq!(
        answer["commit"],
        world.git(&made, &["rev-parse", "develop"])
    );
    assert_eq!(answer["files"], files(&made).len());
    assert_eq!(
        world.git(&made, &["remote", "get-url", "origin"]),
        "https://github.com/acme/churn.git"
    );
    for (file, lines) in [
        (
            "databricks.yml",
            &[
                "      catalog: dev\n      schema: ann\n",
                "      catalog: ml_staging\n",
                "      host: https://dbc-1a2b.cloud.databricks.com\n      root_path:",
                "    default: churn\n",
                "  # Deployed from the branch develop.\n",
                "  # Deployed from the branch production.\n",
            ][..],
        ),
        (
            "xtask.toml",
            &["branch = \"develop\"", "branch = \"production\""],
        ),
        (
            ".github/workflows/deploy-staging.yml",
            &["branches: [develop]"],
        ),
        (
            ".github/workflows/deploy-prod.yml",
            &["branches: [production]"],
        ),
        (
            ".github/workflows/churn-run-tests.yml",
            &["branches: [develop]"],
        ),
    ] {
        let text = fs::read_to_string(made.join(file)).unwrap();
        for line in lines {
            assert_eq!(text.matches(line).count(), 1, "{file}: {line}\n{text}");
        }
    }
    // Its own record answers for the next project.
    let record = made.join(".xtask-init.toml");
    let again = [
        "--yes",
        "--json",
        "--dry-run",
        "--answers",
        record.to_str().unwrap(),
    ];
    let said = world.init("again", &again);
    let planned: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(planned["answers"], answer["answers"], "{}", said.stderr);
    assert!(!world.folder("again").exists());
}

#[test]
fn a_name_that_would_be_refused_later_is_refused_here_with_the_rule() {
    let world = World::new();
    let before = names(&world.beside());
    for (args, rule) in [
        (&["--name", "Churn"][..], "lowercase letters"),
        (&["--package", "json"], "standard library"),
        (&["--package", "mlflow"], "installs a package"),
        (&["--catalog", "prod=a.b"], "Unity Catalog"),
        (
            &["--catalog", "live=main"],
            "no target \"live\": there are dev, prod, staging, test",
        ),
        (&["--catalog", "main"], "TARGET=VALUE"),
        (
            &[
                "--workspace",
                "prod=https://your-workspace.cloud.databricks.com",
            ],
            "placeholder",
        ),
        (&["--branch", "staging=a..b"], "check-ref-format"),
        (&["--branch", "staging=release"], "side by side"),
        (&["--branch", "staging=release/next"], "side by side"),
        (&["--branch", "dev=main"], "no branch is deployed to dev"),
        (&["--github", "churn"], "OWNER/NAME"),
        (
            &["--example", "taxi", "--kind", "classification"],
            "a regression",
        ),
        (&["--answers", "nowhere.toml"], "nowhere.toml"),
        (&["--answers", "databricks.yml"], "no answers file"),
        (&["--answers", "pyproject.toml"], "unknown field"),
    ] {
        let said = world.init("churn", &[&["--yes"], args].concat());
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(rule), "{args:?}: {}", said.stderr);
    }
    let folder = world.run(&["init", "../CHURN MODEL", "--yes"]);
    assert_eq!(folder.code, Some(2), "{}", folder.stderr);
    assert!(
        folder
            .stderr
            .contains("invalid project name \"CHURN MODEL\""),
        "{}",
        folder.stderr
    );
    assert_eq!(names(&world.beside()), before);
}

#[test]
fn nothing_is_left_of_a_project_that_was_not_made() {
    let world = World::new();
    let before = names(&world.beside());
    let fails = |code: i32, args: &[&str], words: &str| {
        let said = world.run(args);
        assert_eq!(said.code, Some(code), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
        assert_eq!(names(&world.beside()), before, "{args:?}");
    };
    fails(
        2,
        &["init", "../churn"],
        "no terminal to ask on; pass --yes",
    );
    fails(0, &["init", "../churn", "--dry-run"], "nothing was changed");
    fails(
        2,
        &["init", "../home", "--yes"],
        "exists and is not an empty folder",
    );
    fails(
        2,
        &["init", "..", "--yes"],
        "the current folder, or holds it",
    );
    fails(2, &["init", "../a/b", "--yes"], "next: mkdir -p");
    fails(2, &["init", "--yes"], "the project needs a name");
    let nowhere = format!("file://{}", world.tool.home().join("nowhere").display());
    fails(
        4,
        &["init", "../churn", "--yes", "--tool", &nowhere],
        "could not fetch HEAD of file://",
    );
    fails(
        4,
        &["init", "../churn", "--yes", "--tool-rev", "v9.9.9"],
        "could not fetch v9.9.9",
    );

    // A hook of the user's refuses the commit; what it says is shown.
    let hooks = world.tool.home().join("hooks");
    world.hook(&hooks, "echo no commits today >&2; exit 1");
    fails(1, &["init", "../churn", "--yes"], "no commits today");
    // Ctrl-C while it runs.
    let reached = world.tool.home().join("reached");
    world.hook(
        &hooks,
        &format!("touch '{}'; exec sleep 600", reached.display()),
    );
    let mut child = world.xtask(&["init", "../churn", "--yes"]).spawn().unwrap();
    while !reached.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before the hook"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(&world.beside()), before);

    // Without an identity git would guess one.
    fs::write(
        world.tool.home().join(".gitconfig"),
        "[user]\nuseConfigOnly = true\n",
    )
    .unwrap();
    fails(
        2,
        &["init", "../churn", "--yes"],
        "next: git config --global user.name",
    );
}
