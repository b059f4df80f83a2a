//! Where `init` is run from, and where the tool of the new project comes from.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask_testkit::{Project, Said};

use super::world::{World, names};

/// The tool's entry in a project's xtask/Cargo.toml.
fn dependency(made: &Path) -> String {
    let manifest = fs::read_to_string(made.join("xtask/Cargo.toml")).unwrap();
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("xtask-mlops = "));
    line.unwrap().to_owned()
}

#[test]
fn the_tool_is_pinned_to_its_origin_where_that_has_the_commit() {
    let world = World::new();
    let head = world.tool.git(&["rev-parse", "HEAD"]);
    let clone = format!("file://{}", world.tool.root().display());
    let said = world.init("one", &["--yes"]);
    assert!(
        said.stderr.contains("which other machines lack"),
        "{}",
        said.stderr
    );
    assert_eq!(
        dependency(&world.folder("one")),
        format!("{{ git = \"{clone}\", rev = \"{head}\" }}")
    );

    // Pushed, and with a version's tag.
    let bare = world.tool.home().join("published.git");
    let published = format!("file://{}", bare.display());
    world
        .tool
        .git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    world.tool.git(&["remote", "add", "origin", &published]);
    world.tool.git(&["tag", "v0.1.0"]);
    world
        .tool
        .git(&["push", "--quiet", "--tags", "origin", "main"]);
    let said = world.init("two", &["--yes"]);
    assert!(!said.stderr.contains("warning"), "{}", said.stderr);
    let two = world.folder("two");
    assert_eq!(
        dependency(&two),
        format!("{{ git = \"{published}\", tag = \"v0.1.0\" }}")
    );

    // What is not committed is not in the new project, and is named.
    world.tool.edit(
        "notebooks/Train.py",
        "# COMMAND ----------",
        "# A new thought\n# COMMAND ----------",
    );
    let said = world.init("three", &["--yes"]);
    assert!(
        said.stderr.contains("uncommitted changes"),
        "{}",
        said.stderr
    );
    let notebook =
        |name: &str| fs::read_to_string(world.folder(name).join("notebooks/Train.py")).unwrap();
    assert!(!notebook("three").contains("A new thought"));

    // From a project of one's own the tool is that project's, whatever its folder is in.
    let mut command = world.xtask(&["init", "four", "--yes"]);
    let said = Said::of(command.current_dir(&two));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr
            .contains("the outer one shows as one untracked folder"),
        "{}",
        said.stderr
    );
    assert_eq!(dependency(&two.join("four")), dependency(&two));
    assert_eq!(world.git(&two, &["status", "--porcelain"]), "?? four/");
}

#[test]
fn an_installed_program_knows_where_it_was_installed_from() {
    let world = World::new();
    let root = world.tool.home().join("installed");
    fs::create_dir_all(root.join("bin")).unwrap();
    let program = root.join("bin/xtask-mlops");
    fs::copy(env!("CARGO_BIN_EXE_xtask-mlops"), &program).unwrap();
    let before = names(&world.beside());
    let init = |name: &str, args: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(["init", name, "--yes"])
            .args(args)
            .current_dir(world.beside());
        Said::of(world.around(&mut command))
    };
    let unknown = init("churn", &[]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(
        unknown
            .stderr
            .contains("next: name it: `cargo xtask init --tool URL`"),
        "{}",
        unknown.stderr
    );
    assert_eq!(names(&world.beside()), before);

    let url = format!("file://{}", world.tool.root().display());
    let head = world.tool.git(&["rev-parse", "HEAD"]);
    let list = format!("[v1]\n\"xtask-mlops 0.1.0 (git+{url}#{head})\" = [\"xtask-mlops\"]\n");
    fs::write(root.join(".crates.toml"), list).unwrap();
    let said = init("churn", &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(
        dependency(&world.folder("churn")),
        format!("{{ git = \"{url}\", rev = \"{head}\" }}")
    );
}

#[test]
fn a_copied_tool_is_the_tool_of_the_commit() {
    let world = World::new();
    let made = world.make("churn", &["--vendor"]);
    let tracked = |folder: &Path| {
        world.git(
            folder,
            &[
                "ls-files",
                "--",
                "xtask/crates",
                "Cargo.lock",
                "Cargo.toml",
                "xtask/Cargo.toml",
                ":!xtask/crates/mlops/template",
            ],
        )
    };
    assert_eq!(tracked(&made), tracked(&world.tool.root()));
    let mut diff = Command::new("diff");
    diff.args(["-r", "--exclude=template", "xtask/crates"])
        .arg(made.join("xtask/crates"));
    assert!(
        diff.current_dir(world.tool.root())
            .status()
            .unwrap()
            .success()
    );
    super::locked(&world, &made);
    // The next project takes it from where this one took it, not from this copy.
    let mut command = world.xtask(&["init", "../next", "--yes"]);
    let said = Said::of(command.current_dir(&made));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let url = format!("file://{}", world.tool.root().display());
    assert!(dependency(&world.folder("next")).contains(&url));

    let made = Project::moved_from(&made, env!("CARGO_BIN_EXE_xtask-mlops"));
    let _ = made.succeed(&["ci", "--only", "locks,ruff,bundle"]);
    let _ = made.succeed(&["test", "integration"]);
}
