//! Smoke tests: with the deployed code, whatever is in the clone, and without credentials.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use xtask_testkit::{Project, Said, repository};

const MODULE: &str = "src/loyalty/smoke.py";
const TARGET: &str = "check";

fn smoke(project: &Project, more: &[&str]) -> Said {
    project.run(&[&["model", "smoke", "--json"], more].concat())
}

fn rows(said: &Said) -> u64 {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    answer["rows"].as_u64().unwrap()
}

fn refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{}", said.stderr);
    for word in words {
        assert!(said.stderr.contains(word), "{word:?}: {}", said.stderr);
    }
}

fn deploy(project: &Project) {
    let _ = project.succeed(&["deploy", "--target", TARGET, "--yes"]);
}

#[test]
fn a_version_is_tried_by_the_code_that_is_deployed() {
    let project = Project::of_fixture("other-bundle", env!("CARGO_BIN_EXE_xtask-mlops"));
    let _ = project.succeed(&["test", "integration"]);
    let said = smoke(&project, &["--explain"]);
    validated(&project, &said.stderr);
    assert_eq!(rows(&said), 3);
    let copied = " workspace export-dir ";
    let (_, files) = said.stderr.split_once(copied).unwrap();
    let files = files.split(' ').next().unwrap();
    let pulled = project
        .root()
        .join(".xtask/models/check.loyalty.months_left_regressor/1");
    let before = listing(&pulled);

    // What is not deployed does not count, and what is here is not copied again.
    let one_more = "850.0, 2100.0), (400.0, 1000.0)";
    project.edit(MODULE, "850.0, 2100.0)", one_more);
    let again = smoke(&project, &["--number", "1", "--explain"]);
    assert_eq!(rows(&again), 3);
    assert!(!again.stderr.contains(copied), "{}", again.stderr);
    // It counts once deployed, and so do manual changes of the deployed files.
    deploy(&project);
    assert_eq!(rows(&smoke(&project, &[])), 4);
    by_hand(
        &project,
        files,
        &one_more.replace("), (", "), (1.0, 2.0), ("),
    );
    assert_eq!(rows(&smoke(&project, &[])), 5);
    assert_eq!(listing(&pulled), before, "the version's files have changed");

    // The process sees nothing of its parent's.
    let nosy = "import json, os, sys\n\
                names = ' '.join(sorted(os.environ))\n\
                seen = [names, os.environ['HOME'], os.getcwd(), ' '.join(os.listdir())]\n\
                print(json.dumps({'rows': 1, 'predictions': seen}))\n";
    std::fs::write(project.root().join(MODULE), nosy).unwrap();
    deploy(&project);
    let mut command = project.xtask(&["model", "smoke", "--json"]);
    for name in [
        "DATABRICKS_TOKEN",
        "MLFLOW_TRACKING_URI",
        "GH_TOKEN",
        "HTTPS_PROXY",
        "AWS_PROFILE",
        "OURS",
    ] {
        command.env(name, "http://127.0.0.1:9");
    }
    let said = Said::of(command);
    assert_eq!(rows(&said), 1);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let names: Vec<&str> = answer["predictions"][0]
        .as_str()
        .unwrap()
        .split(' ')
        .collect();
    let allowed = [
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "PYTHONUTF8",
        "TMPDIR",
        "TZ",
        "JAVA_HOME",
        "LD_LIBRARY_PATH",
        "OMP_NUM_THREADS",
    ];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    assert_eq!(answer["predictions"][1], answer["predictions"][2]);
    assert_eq!(answer["predictions"][3], json!(""));
    let left = project.root().join(".xtask/cache/smoke");
    assert_eq!(std::fs::read_dir(left).unwrap().count(), 0);

    fails_readably(&project);
    without_a_module(&project, &pulled);
}

/// Every way to fail says what failed, and what to type.
fn fails_readably(project: &Project) {
    for (code, words) in [
        (
            "import sys\nprint('error: nobody stays so long', file=sys.stderr)\nprint('bye', file=sys.stderr)\nsys.exit(1)\n",
            &["failed: nobody stays so long", "loyalty.smoke --model"][..],
        ),
        (
            "raise KeyError('calls')\n",
            &["failed: KeyError: 'calls'", "next: "],
        ),
        ("print('done')\n", &["printed no result", "last line: done"]),
        (
            "import a_package_of_theirs\n",
            &[
                "No module named 'a_package_of_theirs'",
                "next: add the package that provides",
            ],
        ),
        (
            "import json\nprint(json.dumps({'rows': 1, 'mean': float('nan')}))\n",
            &["not a finite number", "last line: {"],
        ),
    ] {
        std::fs::write(project.root().join(MODULE), code).unwrap();
        deploy(project);
        refused(&smoke(project, &[]), 1, words);
    }
    project.edit("xtask.toml", "loyalty.smoke", "loyalty.absent");
    let words = [
        "deployed to check has no module loyalty.absent",
        "next: cargo xtask deploy --target check",
    ];
    refused(&smoke(project, &[]), 2, &words);
    let nowhere = smoke(project, &["--code", "live"]);
    refused(
        &nowhere,
        2,
        &[
            "nothing is deployed to live",
            "cargo xtask deploy --target live",
        ],
    );
}

/// A project that names no module is tried on what was logged with the model.
fn without_a_module(project: &Project, version: &Path) {
    project.edit("xtask.toml", "smoke = \"loyalty.absent\"\n", "");
    assert_eq!(rows(&smoke(project, &[])), 2);

    let without = project.home().join("without-example");
    let copied = Command::new("cp")
        .arg("-r")
        .args([version, &without])
        .status();
    assert!(copied.unwrap().success());
    let text = std::fs::read_to_string(without.join("MLmodel")).unwrap();
    let (before, after) = text.split_once("saved_input_example_info:").unwrap();
    let rest = after
        .lines()
        .skip(1)
        .skip_while(|line| line.starts_with(' '));
    let rest: Vec<&str> = rest.collect();
    std::fs::write(
        without.join("MLmodel"),
        format!("{before}{}\n", rest.join("\n")),
    )
    .unwrap();
    let tried = Command::new(repository().join(".venv/bin/python"))
        .arg(repository().join("xtask/crates/mlops/src/smoke/built_in.py"))
        .arg("--model")
        .arg(&without)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap();
    assert!(
        last.starts_with("error: ") && last.contains("no input example was logged"),
        "{said}"
    );
}

/// Writes down the digest of the files, as validation does in our own project.
fn validated(project: &Project, said: &str) {
    let (_, digest) = said.split_once("the files have ").unwrap();
    let tag = json!({
        "name": "check.loyalty.months_left_regressor", "version": "1",
        "key": "mlops_artifact_digest", "value": digest.lines().next().unwrap(),
    });
    let path = "/api/2.0/mlflow/unity-catalog/model-versions/set-tag";
    send(project, path, &["--data", &tag.to_string()]);
}

/// Edits the deployed file in the workspace by hand.
fn by_hand(project: &Project, files: &str, pairs: &str) {
    let here = std::fs::read_to_string(project.root().join(MODULE)).unwrap();
    let edited = project.home().join("edited.py");
    std::fs::write(
        &edited,
        here.replace("850.0, 2100.0), (400.0, 1000.0)", pairs),
    )
    .unwrap();
    let path = format!("/api/2.0/workspace-files/import-file{files}/{MODULE}?overwrite=true");
    let content = format!("@{}", edited.display());
    send(project, &path, &["--data-binary", &content]);
}

/// A call to the local workspace, as one of its other users.
fn send(project: &Project, path: &str, args: &[&str]) {
    let state = project.root().join(".xtask/workspace/");
    let read = |name: &str| std::fs::read_to_string(state.join(name)).unwrap();
    let server: Value = serde_json::from_str(&read("server.json")).unwrap();
    let sent = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
        .args([
            "-H",
            &format!("Authorization: Bearer {}", read("token").trim()),
        ])
        .args(args)
        .arg(format!("{}{path}", server["url"].as_str().unwrap()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success(), "{said}");
}

/// Names and sizes of all files below a folder.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(listing(&path)),
            false => found.push((path.display().to_string(), path.metadata().unwrap().len())),
        }
    }
    found.sort();
    found
}
