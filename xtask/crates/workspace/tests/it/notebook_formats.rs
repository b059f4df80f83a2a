//! Notebooks in Databricks' source format and in Jupyter's: put in and read back by the real CLI, and run.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::{attempted, databricks};
use crate::runs::{FOLDER, ended, output, result, start, task, workspace};
use crate::server::Server;

/// A notebook as Jupyter writes it.
fn jupyter(cells: &[(&str, &str)]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .map(|(kind, source)| {
            json!({"cell_type": kind, "metadata": {}, "source": source.split_inclusive('\n').collect::<Vec<_>>()})
        })
        .collect();
    json!({"nbformat": 4, "nbformat_minor": 5, "cells": cells,
        "metadata": {"kernelspec": {"language": "python", "name": "python3", "display_name": "Python 3"}}})
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cli_imports_and_exports_either_format() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let cells = [
        ("markdown", "# Title"),
        ("code", "x = 1\nprint(x)"),
        ("code", "%pip install y"),
    ];
    let original = jupyter(&cells);
    std::fs::write(dir.join("Main.ipynb"), &original).unwrap();
    std::fs::write(dir.join("plain.py"), "print(2)\n").unwrap();
    std::fs::write(dir.join("broken.ipynb"), "{}").unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| databricks(&server, dir, args));
    let export = |path: &str, format: &str| {
        let file = dir.join("exported");
        let to = file.to_str().unwrap();
        run(&[
            "workspace",
            "export",
            path,
            "--format",
            format,
            "--file",
            to,
        ]);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        text
    };

    run(&[
        "workspace",
        "import",
        "/Shared/Main",
        "--file",
        "Main.ipynb",
        "--format",
        "JUPYTER",
    ]);
    let source = export("/Shared/Main", "SOURCE");
    assert_eq!(
        source,
        "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ----------\n\nx = 1\nprint(x)\n\n\
         # COMMAND ----------\n\n# MAGIC %pip install y\n"
    );
    assert_eq!(export("/Shared/Main", "JUPYTER"), original);
    assert_eq!(export("/Shared/Main", "AUTO"), original);

    std::fs::write(dir.join("Main.py"), &source).unwrap();
    run(&[
        "workspace",
        "import",
        "/Shared/Source.py",
        "--file",
        "Main.py",
        "--format",
        "AUTO",
    ]);
    run(&[
        "workspace",
        "import",
        "/Shared/Copy.ipynb",
        "--file",
        "Main.ipynb",
        "--format",
        "AUTO",
    ]);
    assert_eq!(export("/Shared/Source", "SOURCE"), source);
    let back: Value = serde_json::from_str(&export("/Shared/Source", "JUPYTER")).unwrap();
    assert_eq!(
        (&back["cells"][0]["cell_type"], &back["cells"][2]["source"]),
        (&json!("markdown"), &json!(["%pip install y"]))
    );
    for (path, format) in [("/Shared/Copy", "JUPYTER"), ("/Shared/Source", "SOURCE")] {
        let address = format!("/api/2.0/workspace/get-status?path={path}&return_export_info=true");
        let (_, status) = server.get(&address).await;
        assert_eq!(
            (&status["object_type"], &status["repos_export_format"]),
            (&json!("NOTEBOOK"), &json!(format)),
            "{status}"
        );
    }

    // A script becomes a notebook of one cell; what is no notebook is refused, or stays a file.
    run(&[
        "workspace",
        "import",
        "/Shared/Plain",
        "--file",
        "plain.py",
        "--language",
        "PYTHON",
    ]);
    assert_eq!(
        export("/Shared/Plain", "SOURCE"),
        "# Databricks notebook source\nprint(2)\n"
    );
    let refused = tokio::task::block_in_place(|| {
        let args = [
            "workspace",
            "import",
            "/Shared/No",
            "--file",
            "broken.ipynb",
            "--format",
            "JUPYTER",
        ];
        attempted(&server, dir, &args)
    });
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && why.contains("no list of cells"),
        "{why}"
    );
    run(&[
        "workspace",
        "import",
        "/Shared/broken.ipynb",
        "--file",
        "broken.ipynb",
        "--format",
        "AUTO",
    ]);
    let (_, file) = server
        .get("/api/2.0/workspace/get-status?path=/Shared/broken.ipynb")
        .await;
    assert_eq!(file["object_type"], "FILE", "{file}");
    server.stop().await;
}

#[tokio::test]
async fn a_jupyter_notebook_runs_and_its_failure_names_cell_and_line() {
    let server = workspace().await;
    let good = jupyter(&[
        ("markdown", "# Read me"),
        ("code", "%run ./Bad $stop=\"yes\""),
        ("code", "dbutils.notebook.exit(value)"),
    ]);
    let bad = jupyter(&[
        (
            "code",
            "dbutils.widgets.text('stop', 'no')\nvalue = 'from the other'",
        ),
        (
            "code",
            "\n\nif dbutils.widgets.get('stop') == 'no':\n    raise ValueError('no rows')",
        ),
    ]);
    server
        .post("/api/2.0/workspace/mkdirs", json!({"path": FOLDER}))
        .await;
    for (name, content) in [("Good.ipynb", &good), ("Bad.ipynb", &bad)] {
        let (status, body) = server
            .import(&format!("{FOLDER}/{name}"), content, true)
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    let mut with_extension = task("Bad", &[], &json!({}));
    with_extension["notebook_task"]["notebook_path"] = format!("{FOLDER}/Bad.ipynb").into();
    let run_id = start(
        &server,
        &[],
        json!({"name": "jupyter", "tasks": [task("Good", &[], &json!({})), with_extension]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    let told = output(&server, &run, 0).await;
    assert_eq!(
        told["notebook_output"]["result"], "from the other",
        "{told}"
    );
    assert_eq!(result(&run, 1), "FAILED");
    let told = output(&server, &run, 1).await;
    assert_eq!(
        told["error"],
        format!("ValueError: no rows ({FOLDER}/Bad, cell 2, line 4)")
    );
    let r = json!({"path": format!("{FOLDER}/InR"), "format": "SOURCE", "language": "R", "content": "eCA8LSAx"});
    let (status, body) = server.post("/api/2.0/workspace/import", r).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let settings = json!({"name": "r", "tasks": [task("InR", &[], &json!({}))]});
    let in_r = start(&server, &[], settings).await;
    let in_r = ended(&server, in_r).await;
    let told = output(&server, &in_r, 0).await;
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("is in R; the local workspace runs Python"),
        "{told}"
    );
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(page.contains("<h1>Read me</h1>"), "{page}");
    assert!(
        page.contains("failing cell 2") && page.contains("ValueError: no rows"),
        "{page}"
    );
    // At its head: the exception, and the way to the cell.
    let (_, why) = page.split_once("<section class=\"why\"").unwrap();
    let (why, _) = why.split_once("</section>").unwrap();
    let cell = format!("href=\"#task-{}-cell-2\"", run["tasks"][1]["run_id"]);
    for part in ["ValueError: no rows", "cell 2, line 4", &cell] {
        assert!(why.contains(part), "{part}: {why}");
    }
    // No task comes after it.
    assert!(
        !page.contains("downstream") && !why.contains("Not run"),
        "{page}"
    );
    server.stop().await;
}
