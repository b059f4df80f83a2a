//! Packages that runs bring along: `%pip`, libraries and environments of jobs, wheels that are tasks.
//!
//! The wheels are made by hand, and nothing is taken from an index: these tests need no network.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cli::{attempted, databricks};
use crate::runs::{ended, output, python, result, start, task, upload, workspace};
use crate::server::Server;

const VOLUME: &str = "/Volumes/dev/ml/wheels";

/// Makes a wheel in `folder` and answers its file name.
fn make_wheel(folder: &Path, name: &str, version: &str, needs: &[&str]) -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/packages/make_wheel.py"
    );
    let done = std::process::Command::new(python())
        .arg(script)
        .arg(folder)
        .args([name, version])
        .args(needs)
        .status()
        .unwrap();
    assert!(done.success());
    format!("{name}-{version}-py3-none-any.whl")
}

/// A workspace with a volume, and wheels in it.
async fn workspace_with_wheels(wheels: &[(&str, &str, &[&str])]) -> Server {
    let server = workspace().await;
    for (path, body) in [
        ("catalogs", json!({"name": "dev"})),
        ("schemas", json!({"catalog_name": "dev", "name": "ml"})),
        (
            "volumes",
            json!({"catalog_name": "dev", "schema_name": "ml", "name": "wheels", "volume_type": "MANAGED"}),
        ),
    ] {
        server
            .post(&format!("/api/2.1/unity-catalog/{path}"), body)
            .await;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, version, needs) in wheels {
        let file = make_wheel(folder.path(), name, version, needs);
        let reply = server
            .request(Method::PUT, &format!("/api/2.0/fs/files{VOLUME}/{file}"))
            .body(std::fs::read(folder.path().join(&file)).unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    }
    server
}

fn logs(output: &Value) -> &str {
    output["logs"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn pip_installs_into_an_overlay_that_only_its_run_sees() {
    let server =
        workspace_with_wheels(&[("tinyone", "1.0", &["pip>=1"]), ("tinyone", "2.0", &[])]).await;
    let first = format!(
        "%pip install --no-index {VOLUME}/tinyone-1.0-py3-none-any.whl \"pip>=1\"\nimport tinyone\n\
         print('imported', tinyone.VERSION)\n# COMMAND ----------\n\
         dbutils.widgets.text('kept', 'yes')\n%pip install --no-index -U -r ./wanted.txt\n# COMMAND ----------\n\
         dbutils.library.restartPython()\n# COMMAND ----------\n\
         import subprocess, sys, tinyone\n\
         print('now', tinyone.VERSION, dbutils.widgets.get('kept'), tinyone.__file__.startswith(sys.prefix))\n\
         print(subprocess.run([sys.executable, '-c', 'import tinyone; print(tinyone.VERSION)'], capture_output=True).stdout)\n"
    );
    let wanted = format!(
        "# what the notebook needs\n{VOLUME}/tinyone-2.0-py3-none-any.whl\npip>=1; python_version>'3'\n"
    );
    upload(&server, &[("wanted.txt", &wanted)]).await;
    let settings = json!({"name": "pip", "tasks": [
        task("First", &[], &json!({})),
        task("Other", &["First"], &json!({})),
    ]});
    let other = "%pip install pip\nimport tinyone\n";
    let notebooks: &[(&str, &str)] = &[("First", &first), ("Other", other)];
    let run_id = start(&server, notebooks, settings.clone()).await;
    let run = ended(&server, run_id).await;
    let told = output(&server, &run, 0).await;
    assert_eq!(result(&run, 0), "SUCCESS", "{told}");
    let said = logs(&told);
    for expected in [
        "Requirement already satisfied: pip>=1\n",
        "Successfully installed tinyone-1.0\n",
        "imported 1.0\n",
        "Already imported with another version: tinyone",
        "dbutils.library.restartPython()",
        "now 2.0 yes False\n",
        "b'2.0\\n'",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // Another notebook of the same run has its own; the project's environment was left alone.
    let other = output(&server, &run, 1).await;
    assert_eq!(logs(&other), "Requirement already satisfied: pip\n");
    let error = other["error"].as_str().unwrap_or_default();
    assert!(error.contains("No module named 'tinyone'"), "{error}");

    let run_id = start(&server, notebooks, settings).await;
    let run = ended(&server, run_id).await;
    let told = output(&server, &run, 0).await;
    assert!(logs(&told).contains("Using cached packages"), "{told}");
    assert!(logs(&told).contains("now 2.0 yes False\n"), "{told}");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_installed_is_said() {
    let server = workspace().await;
    let run_id = start(
        &server,
        &[
            ("Nowhere", "%pip install --no-index surely-not-a-package==1.0\n"),
            ("Offline", "%pip install --retries 1 --index-url http://user:hidden-word@127.0.0.1:9/simple surely-not-a-package\n"),
            ("Place", "%pip install --target /tmp/x pip\n"),
            ("Removes", "%pip uninstall -y pip\n"),
        ],
        json!({"name": "fails", "tasks": [
            task("Nowhere", &[], &json!({})), task("Offline", &[], &json!({})), task("Place", &[], &json!({})),
            task("Removes", &[], &json!({})),
        ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    for (index, why) in [
        "cannot install surely-not-a-package==1.0: no package index has surely-not-a-package==1.0",
        "the package index is not reachable",
        "--target: packages are installed into the run's own folder",
        "%pip uninstall",
    ]
    .into_iter()
    .enumerate()
    {
        let told = output(&server, &run, index).await;
        let error = told["error"].as_str().unwrap_or_default();
        assert!(error.contains(why), "{why}: {told}");
        assert!(!logs(&told).contains("hidden-word"), "{told}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wheel_is_a_task_with_its_environment() {
    let server = workspace_with_wheels(&[("tinytwo", "1.0", &["pip>=1"])]).await;
    let wheel = format!("{VOLUME}/tinytwo-1.0-py3-none-any.whl");
    let call = |key: &str, entry: &str, more: Value| {
        let mut wheel_task = json!({"package_name": "tinytwo", "entry_point": entry});
        for (name, value) in more.as_object().unwrap() {
            wheel_task[name] = value.clone();
        }
        json!({"task_key": key, "environment_key": "own", "python_wheel_task": wheel_task})
    };
    let mut lost = call("lost", "tell", json!({}));
    lost["environment_key"] = json!("broken");
    let mut library = call("library", "main", json!({}));
    library.as_object_mut().unwrap().remove("environment_key");
    library["libraries"] = json!([{"whl": wheel}, {"jar": "/x.jar"}]);
    let mut notebook = task("Notebook", &[], &json!({}));
    notebook["environment_key"] = json!("own");
    // As Databricks' editor writes it.
    let asks = |package: &str| {
        format!(
            "# /// script\n# [tool.databricks.environment]\n# environment_version = \"5\"\n# dependencies = [\n\
             #   \"--no-index\",\n#   \"{package}\",\n# ]\n# ///\nimport tinytwo\nprint(tinytwo.VERSION)\n"
        )
    };
    let run_id = start(
        &server,
        &[("Notebook", &asks("not-in-a-job")), ("Own", &asks(&wheel))],
        json!({"name": "wheels", "parameters": [{"name": "rows", "default": "3"}],
            "environments": [
                {"environment_key": "own", "spec": {"environment_version": "4",
                    "dependencies": ["pip>=1", "--no-index", wheel]}},
                {"environment_key": "broken", "spec": {"dependencies": ["--no-index", "surely-not-a-package"]}},
            ],
            "tasks": [
                call("list", "tell", json!({"parameters": ["{{task.name}}", "b c"]})),
                call("named", "tell", json!({"named_parameters": {"a": "1"}})),
                call("function", "main", json!({})),
                call("fails", "fail", json!({})),
                call("unknown", "nothing", json!({})),
                lost, library, notebook, task("Own", &[], &json!({})),
            ]}),
    )
    .await;
    let run = ended(&server, run_id).await;
    for (index, expected) in [
        (0, "tinytwo 1.0 ['list', 'b c']\n"),
        (1, "tinytwo 1.0 ['--a=1', '--rows=3']\n"),
        (2, "tinytwo 1.0 []\n"),
        (6, "tinytwo 1.0 []\n"),
        (7, "1.0\n"),
        (8, "1.0\n"),
    ] {
        let told = output(&server, &run, index).await;
        assert_eq!(logs(&told), expected, "{told}");
        assert_eq!(result(&run, index), "SUCCESS");
    }
    assert_eq!(
        run["tasks"][1]["resolved_values"]["python_wheel_task"]["parameters"],
        json!(["--a=1", "--rows=3"])
    );
    for (index, expected) in [
        (3, "ValueError: from the wheel (tinytwo)"),
        (4, "no entry point nothing (it has: tell)"),
        (
            5,
            "cannot create the task's environment: cannot install surely-not-a-package",
        ),
    ] {
        let told = output(&server, &run, index).await;
        let error = told["error"].as_str().unwrap_or_default();
        assert!(error.contains(expected), "{expected}: {told}");
        assert_eq!(result(&run, index), "FAILED");
    }
    let page = server
        .page(&format!("/jobs/{}/runs/{run_id}", run["job_id"]))
        .await;
    assert!(
        page.contains("Already in the project&#39;s environment: pip&gt;=1")
            || page.contains("Already in the project's environment: pip&gt;=1"),
        "{page}"
    );
    assert!(
        page.contains("Not installed in the local workspace")
            && page.contains("Not installed: --no-index, not-in-a-job."),
        "{page}"
    );
    let caller =
        json!({"job_id": run["job_id"], "only": ["named"], "python_named_params": {"a": "2"}});
    let (status, again) = server.post("/api/2.2/jobs/run-now", caller).await;
    assert_eq!(status, StatusCode::OK, "{again}");
    let run = ended(&server, again["run_id"].as_i64().unwrap()).await;
    let told = output(&server, &run, 1).await;
    assert_eq!(logs(&told), "tinytwo 1.0 ['--a=2', '--rows=3']\n", "{told}");
    server.stop().await;
}

const BUNDLE: &str = "
bundle:
  name: wheels
  engine: direct
artifacts:
  tool:
    type: whl
    build: PYTHON SCRIPT dist tinythree 0.1 'pip>=1'
targets:
  test:
    default: true
    mode: development
resources:
  jobs:
    tool:
      name: tool
      environments:
        - environment_key: own
          spec:
            environment_version: \"4\"
            dependencies: [\"--no-index\", ./dist/*.whl]
      job_clusters:
        - job_cluster_key: small
          new_cluster: {spark_version: 16.4.x-scala2.12, node_type_id: i3.xlarge, num_workers: 1}
      tasks:
        - task_key: serverless
          environment_key: own
          python_wheel_task: {package_name: tinythree, entry_point: tell, parameters: [a]}
        - task_key: cluster
          job_cluster_key: small
          libraries: [{whl: ./dist/*.whl}]
          python_wheel_task: {package_name: tinythree, entry_point: main, named_parameters: {b: c}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cli_builds_deploys_and_runs_a_wheel() {
    let server = workspace().await;
    let bundle = tempfile::tempdir().unwrap();
    let dir = bundle.path();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/packages/make_wheel.py"
    );
    let text = BUNDLE
        .replace("PYTHON", python().as_str())
        .replace("SCRIPT", script);
    std::fs::write(dir.join("databricks.yml"), text).unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| databricks(&server, dir, args));
    run(&["bundle", "deploy"]);
    let ran = run(&["bundle", "run", "tool"]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        said.contains("tinythree 0.1 ['a']") && said.contains("tinythree 0.1 ['--b=c']"),
        "{said}"
    );
    // A wheel that is not there any more fails the run, and the CLI says which.
    let list = server.get("/api/2.0/workspace/list?path=/Users/ml.developer@workspace.local/.bundle/wheels/test/artifacts/.internal").await.1;
    let wheel = list["objects"][0]["path"].as_str().unwrap().to_owned();
    server
        .post("/api/2.0/workspace/delete", json!({"path": wheel}))
        .await;
    let failed = tokio::task::block_in_place(|| {
        attempted(
            &server,
            dir,
            &["bundle", "run", "tool", "--only", "serverless"],
        )
    });
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(
        !failed.status.success() && said.contains("tinythree-0.1"),
        "{said}"
    );
    server.stop().await;
}

#[tokio::test]
async fn what_a_wheel_task_must_say_is_checked() {
    let server = Server::start().await;
    for (wheel, why) in [
        (json!({"entry_point": "a"}), "missing field `package_name`"),
        (json!({"package_name": "a"}), "missing field `entry_point`"),
        (
            json!({"package_name": "a", "entry_point": "b", "named_parameters": {"c": 1}}),
            "must be strings",
        ),
        (
            json!({"package_name": "a", "entry_point": "b", "parameters": ["x"], "named_parameters": {"c": "1"}}),
            "not both",
        ),
    ] {
        let job = json!({"name": "w", "tasks": [{"task_key": "t", "python_wheel_task": wheel}]});
        let (status, body) = server.post("/api/2.2/jobs/create", job).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(body["message"].as_str().unwrap().contains(why), "{body}");
    }
    server.stop().await;
}
