//! What only looks runs no code of the checkout, and neither does a promotion: not the Python that makes the bundle's
//! resources, not its scripts, no module that lies where Python would import it from.

use xtask_testkit::{Project, Said};

use super::world::{FROM, TO, Training, World};

/// Leaves a line in a file beside the bundle, and fails.
const WITNESS: &str = "import pathlib\n\
    open(pathlib.Path(ROOT) / 'ran.txt', 'a').write(__name__ + '\\n')\n\
    raise SystemExit(1)\n";
const CODE: &str = "\npython:\n  resources:\n    - made_by_python:load\n\
    experimental:\n  scripts:\n    preinit: echo preinit >> ran.txt\n";

/// A clone that knows the destination by its address alone, with a bundle that runs code.
fn clone(world: &World) -> Project {
    let project = world.seen_from_afar();
    let root = project.root();
    let witness = WITNESS.replace("ROOT", &format!("{:?}", root.display().to_string()));
    std::fs::create_dir_all(root.join("databricks/bundles")).unwrap();
    for (name, text) in [
        ("databricks/__init__.py", ""),
        ("databricks/bundles/__init__.py", ""),
        ("databricks/bundles/build.py", &witness),
        ("mlflow.py", &witness),
    ] {
        std::fs::write(root.join(name), text).unwrap();
    }
    let bundle = root.join("databricks.yml");
    let yaml = std::fs::read_to_string(&bundle).unwrap();
    std::fs::write(bundle, yaml + CODE).unwrap();
    project
}

#[test]
fn a_look_runs_no_code_of_the_checkout() {
    let world = World::alone();
    world.train(&Training::default());
    let project = clone(&world);
    let ran = project.root().join("ran.txt");
    let signed_in = |args: &[&str]| {
        let mut command = project.xtask(args);
        command.env("DATABRICKS_TOKEN", world.to.workspace.token());
        Said::of(command)
    };
    let ends = ["promote", "--from", FROM, "--to", TO];
    let promote = |more: &[&'static str]| [&ends, more].concat();
    let table: [(Vec<&str>, i32); 17] = [
        (vec!["status"], 0),
        (vec!["status", "--drift", "--json"], 0),
        (vec!["setup", "--check"], 0),
        (vec!["workspace", "status"], 0),
        (vec!["logs", "--target", FROM], 0),
        (vec!["logs", "--target", TO], 0),
        (vec!["model", "pull", "--target", FROM], 0),
        (vec!["model", "smoke", "--target", FROM], 0),
        (vec!["run", "no_such_job", "--target", TO], 2),
        (promote(&["--dry-run"]), 0),
        (promote(&["--dry-run", "--plan", "plan.json"]), 0),
        (promote(&["--yes"]), 0),
        (vec!["model", "pull", "--target", TO], 0),
        (vec!["model", "smoke", "--target", FROM, "--code", TO], 0),
        (vec!["promote", "--history", "--to", TO], 0),
        (vec!["promote", "--undo", "--to", TO, "--dry-run"], 0),
        (vec!["promote", "--undo", "--to", TO, "--yes"], 0),
    ];
    for (args, code) in table {
        let said = signed_in(&args);
        assert_eq!(
            said.code,
            Some(code),
            "{args:?}: {}{}",
            said.stderr,
            said.stdout
        );
        let witness = std::fs::read_to_string(&ran).unwrap_or_default();
        assert_eq!(witness, "", "{args:?} ran it: {}", said.stderr);
    }
    // A deployment runs what the bundle names.
    let _ = signed_in(&["deploy", "--target", FROM, "--dry-run"]);
    assert!(ran.exists());
}
