//! Files by the real CLI: the workspace tree, `sync`, volumes.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::{attempted, databricks, stdout};
use crate::server::Server;

const HOME: &str = "/Workspace/Users/ml.developer@workspace.local";
const NOTEBOOK: &str = "# Databricks notebook source\nprint(1)\n";

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What the workspace lists, as (name, kind), in order.
fn listed(server: &Server, dir: &Path, path: &str) -> Vec<(String, String)> {
    let text = stdout(&databricks(
        server,
        dir,
        &["workspace", "list", path, "-o", "json"],
    ));
    let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut found: Vec<_> = objects
        .iter()
        .map(|object| {
            let path = object["path"].as_str().unwrap();
            let name = path.rsplit('/').next().unwrap().to_owned();
            (name, object["object_type"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    found
}

fn objects(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_imported_is_listed_described_exported_and_deleted() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write(
        dir,
        &[
            ("one.py", "print(1)\n"),
            ("up/Train.py", NOTEBOOK),
            ("up/lib/helper.py", "X = 1\n"),
            ("up/data.csv", "a,b\n"),
        ],
    );
    tokio::task::block_in_place(|| {
        let run = |args: &[&str]| databricks(&server, dir, args);
        let at = |path: &str| format!("{HOME}/{path}");
        run(&[
            "workspace",
            "import",
            &at("one"),
            "--file",
            "one.py",
            "--language",
            "PYTHON",
        ]);
        let status: Value = serde_json::from_str(&stdout(&run(&[
            "workspace",
            "get-status",
            &at("one"),
            "-o",
            "json",
        ])))
        .unwrap();
        assert_eq!(
            (&status["object_type"], &status["language"]),
            (&json!("NOTEBOOK"), &json!("PYTHON"))
        );
        let again = attempted(
            &server,
            dir,
            &[
                "workspace",
                "import",
                &at("one"),
                "--file",
                "one.py",
                "--language",
                "PYTHON",
            ],
        );
        assert!(
            !again.status.success(),
            "an import overwrote what was there"
        );
        run(&[
            "workspace",
            "import",
            &at("one"),
            "--file",
            "one.py",
            "--language",
            "PYTHON",
            "--overwrite",
        ]);
        let source = stdout(&run(&["workspace", "export", &at("one")]));
        assert_eq!(source.trim_end(), "# Databricks notebook source\nprint(1)");
        run(&[
            "workspace",
            "export",
            &at("one"),
            "--format",
            "JUPYTER",
            "--file",
            "one.ipynb",
        ]);
        let notebook: Value = serde_json::from_str(&read(&dir.join("one.ipynb"))).unwrap();
        assert_eq!(notebook["nbformat"], 4, "{notebook}");

        run(&["workspace", "import-dir", "up", &at("up")]);
        let expected = [
            ("Train", "NOTEBOOK"),
            ("data.csv", "FILE"),
            ("lib", "DIRECTORY"),
        ];
        assert_eq!(listed(&server, dir, &at("up")), objects(&expected));
        run(&["workspace", "export-dir", &at("up"), "down"]);
        for name in ["Train.py", "lib/helper.py", "data.csv"] {
            let (up, down) = (dir.join("up").join(name), dir.join("down").join(name));
            assert_eq!(read(&up).trim_end(), read(&down).trim_end(), "{name}");
        }
        run(&["workspace", "delete", &at("up"), "--recursive"]);
        let gone = attempted(&server, dir, &["workspace", "get-status", &at("up")]);
        assert!(String::from_utf8_lossy(&gone.stderr).contains("doesn't exist"));
    });
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sync_brings_what_changed_and_takes_away_what_is_gone() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let local = dir.join("project");
    write(
        &local,
        &[
            ("Train.py", NOTEBOOK),
            ("lib/a.py", "A = 1\n"),
            ("lib/b.py", "B = 1\n"),
        ],
    );
    write(
        &local,
        &[(".gitignore", "secret.txt\n"), ("secret.txt", "x\n")],
    );
    tokio::task::block_in_place(|| {
        let target = format!("{HOME}/synced");
        let sync = || databricks(&server, &local, &["sync", ".", &target]);
        sync();
        let top = listed(&server, dir, &target);
        for expected in objects(&[("Train", "NOTEBOOK"), ("lib", "DIRECTORY")]) {
            assert!(top.contains(&expected), "{top:?}");
        }
        assert!(!top.iter().any(|(name, _)| name == "secret.txt"), "{top:?}");
        write(&local, &[("lib/a.py", "A = 2222\n")]);
        std::fs::remove_file(local.join("lib/b.py")).unwrap();
        sync();
        let path = format!("{target}/lib");
        assert_eq!(listed(&server, dir, &path), objects(&[("a.py", "FILE")]));
        let text = databricks(
            &server,
            dir,
            &["workspace", "export", &format!("{path}/a.py")],
        );
        assert_eq!(stdout(&text).trim_end(), "A = 2222");
    });
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_is_a_file_system() {
    let server = Server::start().await;
    server
        .post(
            "/api/2.1/unity-catalog/schemas",
            json!({"catalog_name": "test", "name": "ml"}),
        )
        .await;
    let volume = json!({"catalog_name": "test", "schema_name": "ml", "name": "data", "volume_type": "MANAGED"});
    let (status, made) = server.post("/api/2.1/unity-catalog/volumes", volume).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write(dir, &[("up/a.txt", "a"), ("up/deep/b.txt", "bb")]);
    tokio::task::block_in_place(|| {
        let run = |args: &[&str]| stdout(&databricks(&server, dir, args));
        let root = "dbfs:/Volumes/test/ml/data";
        let at = |path: &str| format!("{root}/{path}");
        run(&["fs", "mkdir", &at("made/below")]);
        run(&["fs", "cp", "up", &at("up"), "--recursive"]);
        assert_eq!(run(&["fs", "cat", &at("up/deep/b.txt")]), "bb");
        let top = run(&["fs", "ls", root]);
        assert_eq!(top.split_whitespace().collect::<Vec<_>>(), ["made", "up"]);
        let long = run(&["fs", "ls", &at("up"), "-l"]);
        assert!(long.contains("a.txt") && long.contains("deep"), "{long}");
        run(&["fs", "cp", &at("up"), "down", "--recursive"]);
        assert_eq!(read(&dir.join("down/deep/b.txt")), "bb");
        write(dir, &[("up/a.txt", "changed")]);
        // The CLI leaves alone what is there, unless it is told otherwise.
        run(&["fs", "cp", "up/a.txt", &at("up/a.txt")]);
        assert_eq!(run(&["fs", "cat", &at("up/a.txt")]), "a");
        run(&["fs", "cp", "up/a.txt", &at("up/a.txt"), "--overwrite"]);
        assert_eq!(run(&["fs", "cat", &at("up/a.txt")]), "changed");
        run(&["fs", "rm", &at("up"), "--recursive"]);
        assert_eq!(run(&["fs", "ls", root]).trim(), "made");
    });
    server.stop().await;
}
