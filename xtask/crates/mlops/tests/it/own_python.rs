//! The local workspace's own Python, and its folder: in projects that lock nothing of what it needs, and whose
//! .gitignore does not know the tool.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask_testkit::Project;

/// A project whose notebook `src/score.py` has these cells, and whose bundle uploads all that git would take.
fn project(cells: &[&str]) -> Project {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    for file in ["pyproject.toml", "uv.lock", ".gitignore", ".venv"] {
        fs::remove_file(project.root().join(file)).unwrap();
    }
    project.edit("databricks.yml", "sync:\n  paths:\n    - src\n", "");
    let cells = cells.join("\n\n# COMMAND ----------\n\n");
    let notebook = format!("# Databricks notebook source\n{cells}\n");
    fs::write(project.root().join("src/score.py"), notebook).unwrap();
    project
}

/// Deploys, and runs the notebook: its own assertions decide.
fn score(project: &Project) {
    let _ = project.succeed(&["deploy", "--target", "sandbox", "--yes"]);
    let ran = project.run(&["run", "score_churn", "--target", "sandbox"]);
    if ran.code != Some(0) {
        let logs = project.run(&["logs"]);
        panic!("{}{}{}", ran.stderr, logs.stdout, logs.stderr);
    }
}

/// All files below a folder, as paths from there.
fn files(folder: &Path) -> Vec<String> {
    let said = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8(said.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_project_without_python_of_its_own_runs_and_uploads_nothing_local() {
    let project = project(&["import mlflow, pandas\nassert mlflow.__version__.startswith('3.')"]);
    score(&project);

    let uploaded = files(&project.root().join(".xtask/workspace/files"));
    assert!(
        uploaded.iter().any(|file| file.ends_with("/src/score")),
        "{uploaded:#?}"
    );
    let local: Vec<_> = uploaded
        .iter()
        .filter(|file| file.contains("/.xtask/"))
        .collect();
    assert!(local.is_empty(), "{local:#?}");
    let status = project.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert!(!status.contains(".xtask"), "{status}");
}

#[test]
fn a_project_that_locks_nothing_gets_the_kernel_and_only_the_kernel() {
    let project = project(&[
        "import IPython, databricks.sdk\nfrom importlib.util import find_spec\nassert find_spec('pandas') is None",
        "%pip install ./wheel/told-1.0-py3-none-any.whl",
        "import told\nassert told.WORD == 'from the wheel'",
    ]);
    fs::create_dir(project.root().join("src/wheel")).unwrap();
    wheel(&project.root().join("src/wheel/told-1.0-py3-none-any.whl"));
    fs::write(
        project.root().join("pyproject.toml"),
        "[project]\nname = \"bare\"\nversion = \"1\"\nrequires-python = \">=3.11\"\n\n[tool.uv]\npackage = false\n",
    )
    .unwrap();
    fs::write(
        project.root().join("uv.lock"),
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"bare\"\nversion = \"1\"\nsource = { virtual = \".\" }\n",
    )
    .unwrap();
    score(&project);
}

/// A wheel with a module of one line.
fn wheel(path: &Path) {
    let script = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("told.py", "WORD = 'from the wheel'\n")
    about = "told-1.0.dist-info/"
    wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: told\nVersion: 1.0\n")
    wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(about + "RECORD", "told.py,,\n" + "".join(f"{about}{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")))
"#;
    let made = Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}
